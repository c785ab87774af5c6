/*
 * Fuzzing of the text functions of <green/http.h>: percent-encoding, parameters, cookies, lists, dates.
 *
 * The first byte of an input picks the function, the rest is its text, in memory that ends where the text does. What
 * comes out is held to what the header says, worked out once more and in another way.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined, and the library. With -DGREEN_FUZZ_MAIN it is a program,
 * see fuzz_main.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <green/http.h>

#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 4096 };

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_http.c:%d: does not hold: %s\n", __LINE__, #expr);                       \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

static char *
room_for(size_t size)
{
        char *room = malloc(size > 0 ? size : 1);

        MUST(room != NULL);
        return room;
}

static char *
copy_of(const char *text, size_t len)
{
        char *copy = room_for(len);

        if (len > 0)
                memcpy(copy, text, len);
        else
                *copy = '\0';
        return copy;
}

/* ---- percent-encoding */

static int
hex(char c)
{
        static const char digits[] = "0123456789abcdef";
        const char *at = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));

        return at == NULL ? -1 : (int)(at - digits);
}

static size_t
unquote_plainly(const char *text, size_t len, bool plus, char *out)
{
        size_t n = 0;

        for (size_t i = 0; i < len; i++) {
                if (text[i] == '%' && len - i > 2 && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
                        out[n++] = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
                        i += 2;
                } else {
                        out[n++] = plus && text[i] == '+' ? ' ' : text[i];
                }
        }
        return n;
}

static void
test_unquote(const char *text, size_t len, unsigned flags)
{
        static char plain[MAX_INPUT];
        size_t n = unquote_plainly(text, len, flags != 0, plain);
        char *out = room_for(len + 1), *same = room_for(len + 1);

        MUST(green_http_unquote(text, len, flags, out) == n);
        MUST(memcmp(out, plain, n) == 0 && out[n] == '\0');
        if (len > 0)
                memcpy(same, text, len);
        MUST(green_http_unquote(same, len, flags, same) == n);
        MUST(memcmp(same, plain, n) == 0 && same[n] == '\0');
        free(out);
        free(same);
}

/* The bytes of the encoded text that are whole characters of it and fit into room. */
static size_t
whole_characters(const char *quoted, size_t len, size_t room)
{
        size_t n = 0;

        while (n < len) {
                size_t next = quoted[n] == '%' ? 3 : 1;
                if (n + next > room)
                        break;
                n += next;
        }
        return n;
}

static void
test_quote(const char *text, size_t len, unsigned flags)
{
        static char back[MAX_INPUT + 1];
        size_t n = green_http_quote(text, len, flags, NULL, 0);
        char *out = room_for(n + 1);

        MUST(n >= len && n <= 3 * len);
        MUST(green_http_quote(text, len, flags, out, n + 1) == n && out[n] == '\0');
        for (size_t i = 0; i < n; i++) {
                const bool plus = out[i] == '+' && (flags & GREEN_HTTP_PLUS);
                const bool slash = out[i] == '/' && (flags & GREEN_HTTP_SLASH);
                if (out[i] == '%')
                        MUST(n - i > 2 && hex(out[i + 1]) >= 0 && hex(out[i + 2]) >= 0);
                else
                        MUST(isalnum((unsigned char)out[i]) || strchr("-._~", out[i]) != NULL || plus || slash);
        }
        MUST(green_http_unquote(out, n, flags & GREEN_HTTP_PLUS, back + 0) == len || n > MAX_INPUT);
        if (n <= MAX_INPUT && len > 0)
                MUST(memcmp(back, text, len) == 0);
        for (size_t size = 1; size <= n && size < 40; size++) {
                char *small = room_for(size);
                size_t fits = whole_characters(out, n, size - 1);
                MUST(green_http_quote(text, len, flags, small, size) == n);
                MUST(memcmp(small, out, fits) == 0 && small[fits] == '\0');
                free(small);
        }
        MUST(green_http_quote(text, len, flags, out, 0) == n);
        free(out);
}

/* ---- steps */

static bool
inside(struct green_http_part part, const char *text, size_t len)
{
        return part.data >= text && part.data <= text + len && part.len <= (size_t)(text + len - part.data);
}

static bool
is_space(char c)
{
        return c == ' ' || c == '\t';
}

static bool
is_trimmed(struct green_http_part part)
{
        return part.len == 0 || (!is_space(part.data[0]) && !is_space(part.data[part.len - 1]));
}

static bool
is_part(struct green_http_part part, const char *text, size_t len)
{
        return part.len == len && (len == 0 || memcmp(part.data, text, len) == 0);
}

static void
test_params(const char *text, size_t len)
{
        struct green_http_part rest = {text, len}, name, value;

        for (size_t begin = 0, end; begin <= len; begin = end + 1) {
                for (end = begin; end < len && text[end] != '&'; end++)
                        ;
                if (end == begin)
                        continue;
                const char *equals = memchr(text + begin, '=', end - begin);
                size_t name_len = equals == NULL ? end - begin : (size_t)(equals - text) - begin;
                MUST(green_http_next_param(&rest, &name, &value));
                MUST(is_part(name, text + begin, name_len));
                if (equals == NULL)
                        MUST(value.len == 0);
                else
                        MUST(is_part(value, equals + 1, end - begin - name_len - 1));
        }
        MUST(!green_http_next_param(&rest, &name, &value));
        MUST(!green_http_next_param(&rest, &name, &value));
}

static void
test_cookies(const char *text, size_t len)
{
        struct green_http_part rest = {text, len}, name, value;
        size_t left = len;

        while (green_http_next_cookie(&rest, &name, &value)) {
                MUST(inside(name, text, len) && name.len > 0 && is_trimmed(name));
                MUST(value.len == 0 || (inside(value, text, len) && value.data > name.data));
                MUST(memchr(name.data, '=', name.len) == NULL && memchr(name.data, ';', name.len) == NULL);
                MUST(value.len == 0 || value.data + value.len <= text + len);
                MUST(rest.len < left && (rest.len == 0 || rest.data + rest.len == text + len));
                left = rest.len;
        }
        MUST(!green_http_next_cookie(&rest, &name, &value));
}

/* Where the item that begins at begin ends: at a comma outside of quoted strings. */
static size_t
item_end(const char *text, size_t len, size_t begin)
{
        bool quoted = false;

        for (; begin < len && (quoted || text[begin] != ','); begin++) {
                if (text[begin] == '"')
                        quoted = !quoted;
                else if (quoted && text[begin] == '\\' && begin + 1 < len)
                        begin++;
        }
        return begin;
}

static void
test_items(const char *text, size_t len)
{
        struct green_http_part rest = {text, len}, item;

        for (size_t begin = 0, end; begin <= len; begin = end + 1) {
                size_t from = begin, to;
                to = end = item_end(text, len, begin);
                while (from < to && is_space(text[from]))
                        from++;
                while (to > from && is_space(text[to - 1]))
                        to--;
                if (to == from)
                        continue;
                MUST(green_http_next_item(&rest, &item));
                MUST(is_part(item, text + from, to - from) && is_trimmed(item));
        }
        MUST(!green_http_next_item(&rest, &item));
        MUST(!green_http_next_item(&rest, &item));
}

/* ---- dates */

static void
test_date(const char *text, size_t len)
{
        static char line[MAX_INPUT + 1];
        char written[GREEN_WSGI_DATE_SIZE];
        int64_t t = -12345, again = 0;
        int rc;

        memcpy(line, text, len);
        line[len] = '\0';
        rc = green_http_parse_date(line, &t);
        MUST(rc == 0 || (rc == -EINVAL && t == -12345));
        /* The leap second behind the last year there is cannot be written. */
        if (rc == 0 && t != 253402300800) {
                MUST(green_wsgi_format_date_time(t, written) == written && strlen(written) == GREEN_WSGI_DATE_SIZE - 1);
                MUST(green_http_parse_date(written, &again) == 0 && again == t);
        }
        if (len >= sizeof t) {
                memcpy(&t, text, sizeof t);
                /* Years 1 to 9999. */
                t = (int64_t)((uint64_t)t % 315537897600u) - 62135596800;
                MUST(strlen(green_wsgi_format_date_time(t, written)) == GREEN_WSGI_DATE_SIZE - 1);
                MUST(green_http_parse_date(written, &again) == 0 && again == t);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text;
        size_t len = size - 1;

        if (size < 1 || size > MAX_INPUT)
                return 0;
        text = copy_of((const char *)data + 1, len);
        switch (data[0] & 15) {
        case 0:
        case 1: test_unquote(text, len, data[0] & 1 ? GREEN_HTTP_PLUS : 0); break;
        case 4:
        case 5:
        case 6:
        case 7: test_quote(text, len, data[0] & 3u); break;
        case 8: test_params(text, len); break;
        case 9: test_cookies(text, len); break;
        case 10: test_items(text, len); break;
        default: test_date(text, len); break;
        }
        free(text);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

/* The first bytes are signs for people to read; their low four bits count. */
static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES("0/a%20b%2fc%"),
        FUZZ_BYTES("0%00%zz%2"),
        FUZZ_BYTES("1a+b=%2b+%C3%A4&c"),
        FUZZ_BYTES("4a b/c\xff~-._+\0"),
        FUZZ_BYTES("5a b/c\xff~-._+"),
        FUZZ_BYTES("6a b/c\xff~-._+"),
        FUZZ_BYTES("7a b/c\xff~-._+ "),
        FUZZ_BYTES("8a=1&b=&&=c&d&e=f=g&"),
        FUZZ_BYTES("9a=1; b=\"c d\";; e ; =f; g=h=i;j=\""),
        FUZZ_BYTES(":gzip, chunked;q=1, \"a,b\\\",c\" ,, \td\t,\""),
        FUZZ_BYTES(";Sun, 06 Nov 1994 08:49:37 GMT"),
        FUZZ_BYTES(";Sunday, 06-Nov-94 08:49:37 GMT"),
        FUZZ_BYTES(";Sun Nov  6 08:49:37 1994"),
        FUZZ_BYTES(";Thu, 29 Feb 2024 23:59:60 GMT"),
        FUZZ_BYTES(";Fri, 31 Dec 9999 23:59:59 GMT"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("%"),     FUZZ_BYTES("%0"),   FUZZ_BYTES("%41"), FUZZ_BYTES("+"),    FUZZ_BYTES("="),
        FUZZ_BYTES("&"),     FUZZ_BYTES(";"),    FUZZ_BYTES(","),   FUZZ_BYTES("\""),   FUZZ_BYTES("\\"),
        FUZZ_BYTES(" "),     FUZZ_BYTES("\t"),   FUZZ_BYTES("\0"),  FUZZ_BYTES("29"),   FUZZ_BYTES("Feb"),
        FUZZ_BYTES(" 2000"), FUZZ_BYTES(" GMT"), FUZZ_BYTES("00"),  FUZZ_BYTES("1900"), FUZZ_BYTES("/"),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
