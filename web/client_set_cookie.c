/*
 * What a Set-Cookie says: RFC 6265 5.2, with the rules for names of its successor (RFC 6265bis 5.7).
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cookie_priv.h"

/* ---- dates */

static bool
is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* A number of min to max digits at the front of a token, with what is no digit behind it: its digits; 0: there is none.
 */
static size_t
number(struct green_http_part t, size_t min, size_t max, int *ret)
{
        size_t n = 0;

        *ret = 0;
        while (n < t.len && n <= max && is_digit(t.data[n]))
                *ret = *ret * 10 + (t.data[n++] - '0');
        return n >= min && n <= max ? n : 0;
}

static bool
time_of(struct green_http_part t, int hms[3])
{
        for (int i = 0; i < 3; i++) {
                size_t n = number(t, 1, 2, &hms[i]);

                if (n == 0 || (i < 2 && (n == t.len || t.data[n] != ':')))
                        return false;
                n += i < 2 ? 1 : 0;
                t.data += n;
                t.len -= n;
        }
        return true;
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int
month_of(struct green_http_part t)
{
        for (int i = 0; t.len >= 3 && i < 12; i++)
                if (strncasecmp(t.data, months + i * 3, 3) == 0)
                        return i + 1;
        return 0;
}

struct date {
        int hms[3], day, month, year;
        bool time;
};

static void
take_token(struct date *d, struct green_http_part t)
{
        int n;

        if (!d->time && time_of(t, d->hms))
                d->time = true;
        else if (d->day == 0 && number(t, 1, 2, &n) > 0)
                d->day = n;
        else if (d->month == 0 && month_of(t) > 0)
                d->month = month_of(t);
        else if (d->year < 0 && number(t, 2, 4, &n) > 0)
                d->year = n < 70 ? n + 2000 : n < 100 ? n + 1900 : n;
}

static bool
is_delimiter(char c)
{
        return c == '\t' || (c >= ' ' && c <= '/') || (c >= ';' && c <= '@') || (c >= '[' && c <= '`') ||
               (c >= '{' && c <= '~');
}

bool
green__cookie_date(struct green_http_part text, int64_t *ret_when)
{
        struct date d = {.year = -1};
        char date[64];

        while (text.len > 0) {
                struct green_http_part token = {text.data, 0};

                while (token.len < text.len && !is_delimiter(text.data[token.len]))
                        token.len++;
                take_token(&d, token);
                token.len += token.len < text.len ? 1 : 0;
                text.data += token.len;
                text.len -= token.len;
        }
        if (!d.time || d.day < 1 || d.month < 1 || d.year < 1601)
                return false;
        (void)snprintf(date, sizeof(date), "Mon, %02d %.3s %04d %02d:%02d:%02d GMT", d.day, months + (d.month - 1) * 3,
                       d.year, d.hms[0], d.hms[1], d.hms[2]);
        return green_http_parse_date(date, ret_when) == 0;
}

/* ---- the field */

static struct green_http_part
trim(struct green_http_part p)
{
        while (p.len > 0 && (p.data[0] == ' ' || p.data[0] == '\t')) {
                p.data++;
                p.len--;
        }
        while (p.len > 0 && (p.data[p.len - 1] == ' ' || p.data[p.len - 1] == '\t'))
                p.len--;
        return p;
}

/* Up to a ';', which is taken too. */
static struct green_http_part
next(struct green_http_part *rest)
{
        const char *end = rest->len == 0 ? NULL : memchr(rest->data, ';', rest->len);
        struct green_http_part piece = *rest;

        if (end != NULL)
                piece.len = (size_t)(end - piece.data);
        rest->data += piece.len + (end != NULL);
        rest->len -= piece.len + (end != NULL);
        return piece;
}

/* Name and value around the first '='. False: there is none. */
static bool
split(struct green_http_part piece, struct green_http_part *ret_name, struct green_http_part *ret_value)
{
        const char *equals = piece.len == 0 ? NULL : memchr(piece.data, '=', piece.len);
        size_t len = equals == NULL ? piece.len : (size_t)(equals - piece.data);

        *ret_name = trim((struct green_http_part){piece.data, len});
        *ret_value = (struct green_http_part){piece.data + piece.len, 0};
        if (equals != NULL)
                *ret_value = trim((struct green_http_part){equals + 1, piece.len - len - 1});
        return equals != NULL;
}

static bool
is_named(struct green_http_part name, const char *as)
{
        return name.len == strlen(as) && strncasecmp(name.data, as, name.len) == 0;
}

/* Seconds from now; what is no number is passed over. */
static bool
max_age(struct green_http_part value, int64_t now, int64_t *ret_at)
{
        const int64_t most = (int64_t)400 * 86400; /* as RFC 6265bis has it */
        bool less = value.len > 0 && value.data[0] == '-';
        int64_t n = 0;

        if (value.len == (less ? 1u : 0u))
                return false;
        for (size_t i = less ? 1 : 0; i < value.len; i++) {
                if (!is_digit(value.data[i]))
                        return false;
                n = n * 10 + (value.data[i] - '0');
                if (n > most)
                        n = most;
        }
        *ret_at = less || n == 0 ? 0 : now + n;
        return true;
}

static void
take_attribute(struct green__set_cookie *c, struct green_http_part name, struct green_http_part value, int64_t now,
               bool *aged)
{
        int64_t at;

        if (value.len > GREEN__COOKIE_ATTRIBUTE_MAX)
                return;
        if (is_named(name, "secure")) {
                c->secure = true;
        } else if (is_named(name, "domain")) {
                if (value.len > 0 && value.data[0] == '.') {
                        value.data++;
                        value.len--;
                }
                c->domain = value;
        } else if (is_named(name, "path")) {
                c->path = value.len > 0 && value.data[0] == '/' ? value : (struct green_http_part){value.data, 0};
        } else if (is_named(name, "max-age") && max_age(value, now, &at)) {
                c->expires = *aged = true; /* whatever Expires says */
                c->expires_at = at;
        } else if (is_named(name, "expires") && !*aged && green__cookie_date(value, &at)) {
                c->expires = true;
                c->expires_at = at <= now ? 0 : at;
        }
}

static bool
is_text(const char *s)
{
        for (; *s != '\0'; s++)
                if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
                        return false;
        return true;
}

bool
green__set_cookie_parse(const char *field, int64_t now, struct green__set_cookie *ret)
{
        struct green_http_part rest = {field, strlen(field)}, name, value;
        bool aged = false;

        *ret = (struct green__set_cookie){.expires = false};
        ret->domain.data = ret->path.data = field;
        if (!is_text(field) || !split(next(&rest), &ret->name, &ret->value) || ret->name.len == 0 ||
            ret->name.len + ret->value.len > GREEN__COOKIE_MAX)
                return false;
        while (rest.len > 0) {
                (void)split(trim(next(&rest)), &name, &value);
                take_attribute(ret, name, value, now, &aged);
        }
        /* What their names promise. */
        if (ret->name.len >= 9 && strncasecmp(ret->name.data, "__Secure-", 9) == 0)
                return ret->secure;
        if (ret->name.len >= 7 && strncasecmp(ret->name.data, "__Host-", 7) == 0)
                return ret->secure && ret->domain.len == 0 && ret->path.len == 1;
        return true;
}
