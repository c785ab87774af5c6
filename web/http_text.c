/*
 * Percent-encoding (RFC 3986 2.1), and that of forms.
 */
#include <green/http.h>

#include "http1_char_priv.h"

/* ---- from it */

size_t
green_http_unquote(const char *text, size_t len, unsigned flags, char *buf)
{
        const uint8_t *s = (const uint8_t *)text;
        char *at = buf;

        for (size_t i = 0; i < len; i++) {
                uint8_t c = s[i];

                if (c == '%' && len - i > 2 && green__http1_is(s[i + 1], GREEN__CHAR_HEX) &&
                    green__http1_is(s[i + 2], GREEN__CHAR_HEX)) {
                        c = (uint8_t)(green__http1_hex(s[i + 1]) << 4 | green__http1_hex(s[i + 2]));
                        i += 2;
                } else if (c == '+' && (flags & GREEN_HTTP_PLUS) != 0) {
                        c = ' ';
                }
                *at++ = (char)c;
        }
        *at = '\0';
        return (size_t)(at - buf);
}

/* ---- to it */

/* What may stand for itself wherever it stands. */
static bool
is_unreserved(uint8_t c)
{
        if (c >= '0' && c <= '9')
                return true;
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
                return true;
        return c == '-' || c == '.' || c == '_' || c == '~';
}

/* One byte as it is written: so many characters. */
static size_t
quote_byte(uint8_t c, unsigned flags, char text[3])
{
        static const char digits[] = "0123456789ABCDEF";

        text[0] = (char)c;
        if (is_unreserved(c) || (c == '/' && (flags & GREEN_HTTP_SLASH) != 0))
                return 1;
        text[0] = '+';
        if (c == ' ' && (flags & GREEN_HTTP_PLUS) != 0)
                return 1;
        text[0] = '%';
        text[1] = digits[c >> 4];
        text[2] = digits[c & 15];
        return 3;
}

size_t
green_http_quote(const char *text, size_t len, unsigned flags, char *buf, size_t size)
{
        size_t whole = 0, done = 0;

        if (buf == NULL)
                size = 0;
        for (size_t i = 0; i < len; i++) {
                char piece[3];
                size_t n = quote_byte((uint8_t)text[i], flags, piece);

                /* Nothing is written behind what did not fit. */
                if (done == whole && n < size - done) {
                        memcpy(buf + done, piece, n);
                        done += n;
                }
                whole += n;
        }
        if (size > 0)
                buf[done] = '\0';
        return whole;
}
