/*
 * The driver for SQLite: values as they stand in the text of a statement.
 */
#include "sqlite_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Text that may be longer than its room. */
struct out {
        char *text;
        size_t room; /* with the NUL */
        size_t len;  /* of the whole */
};

static void
put(struct out *out, const char *text, size_t len)
{
        size_t n;

        if (out->len + 1 < out->room) {
                n = out->room - 1 - out->len;
                n = n < len ? n : len;
                memcpy(out->text + out->len, text, n);
                out->text[out->len + n] = '\0';
        }
        out->len += len;
}

static int
put_text(struct out *out, const char *text, size_t len)
{
        if (memchr(text, '\0', len) != NULL)
                return -EILSEQ;
        put(out, "'", 1);
        while (len > 0) {
                const char *quote = memchr(text, '\'', len);
                size_t n = quote != NULL ? (size_t)(quote - text) + 1 : len;

                put(out, text, n);
                if (quote != NULL)
                        put(out, "'", 1);
                text += n;
                len -= n;
        }
        put(out, "'", 1);
        return 0;
}

static void
put_bytes(struct out *out, const unsigned char *bytes, size_t len)
{
        static const char digits[] = "0123456789ABCDEF";

        put(out, "X'", 2);
        for (size_t i = 0; i < len; i++) {
                const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

                put(out, pair, 2);
        }
        put(out, "'", 1);
}

/* It has a point or an exponent, or SQLite would take it for an integer. It has no name for what is no number. */
static void
put_real(struct out *out, double real)
{
        char text[40];

        if (isnan(real))
                snprintf(text, sizeof text, "NULL");
        else if (isinf(real))
                snprintf(text, sizeof text, "%s9e999", real < 0 ? "-" : "");
        else
                snprintf(text, sizeof text, "%.17g", real);
        /* The point of the user's language. */
        for (char *c = text; *c != '\0' && isfinite(real); c++)
                if (strchr("+-0123456789e", *c) == NULL)
                        *c = '.';
        put(out, text, strlen(text));
        if (isfinite(real) && strpbrk(text, ".e") == NULL)
                put(out, ".0", 2);
}

int
green__sqlite_literal(void *db, const struct green_db_value *value, char *text, size_t len)
{
        struct out out = {text, len, 0};
        char number[24];
        int rc = 0;

        (void)db;
        if (len > 0)
                text[0] = '\0';
        switch (value->type) {
        case GREEN_DB_NULL:
                put(&out, "NULL", 4);
                break;
        case GREEN_DB_INT64:
                snprintf(number, sizeof number, "%lld", (long long)value->number);
                put(&out, number, strlen(number));
                break;
        case GREEN_DB_DOUBLE:
                put_real(&out, value->real);
                break;
        case GREEN_DB_TEXT:
                rc = put_text(&out, value->len > 0 ? value->data : "", value->len);
                break;
        case GREEN_DB_BLOB:
                put_bytes(&out, value->data, value->len);
                break;
        default:
                rc = -EINVAL;
        }
        if (rc == 0 && out.len > INT32_MAX)
                rc = -EOVERFLOW;
        return rc != 0 ? rc : (int)out.len;
}
