/*
 * Cookies that are set: a Set-Cookie field, checked so that no value can become an attribute (RFC 6265 4.1).
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http1_char_priv.h"
#include "wsgi_priv.h"

#define YEAR_9999 253402300799 /* the last second that a date can say */

/* ---- what is allowed */

static bool
all_token(const char *text)
{
        if (*text == '\0')
                return false;
        for (; *text != '\0'; text++)
                if (!green__http1_is((uint8_t)*text, GREEN__CHAR_TOKEN))
                        return false;
        return true;
}

/* cookie-octet: visible ASCII but quotes, commas, semicolons and backslashes. */
static bool
all_octets(const char *text)
{
        for (; *text != '\0'; text++)
                if (*text <= ' ' || *text >= 0x7f || strchr("\",;\\", *text) != NULL)
                        return false;
        return true;
}

/* path-value: ASCII but control characters and semicolons. A browser takes no notice of one without '/' in front. */
static bool
path_ok(const char *text)
{
        if (*text != '/')
                return false;
        for (; *text != '\0'; text++)
                if (*text < ' ' || *text >= 0x7f || *text == ';')
                        return false;
        return true;
}

static bool
domain_ok(const char *text)
{
        if (*text == '\0')
                return false;
        for (; *text != '\0'; text++)
                if (!green__http1_is((uint8_t)*text, GREEN__CHAR_HOST) || strchr("!$&'()*+,;=", *text) != NULL)
                        return false;
        return true;
}

static bool
same_site_ok(const char *text)
{
        return strcmp(text, "Strict") == 0 || strcmp(text, "Lax") == 0 || strcmp(text, "None") == 0;
}

static int
check(const char *name, const char *value, const struct green_wsgi_cookie_opts *o)
{
        if (name == NULL || !all_token(name))
                return green_set_error(-EINVAL, "a cookie without a proper name");
        if (value == NULL || !all_octets(value))
                return green_set_error(-EINVAL, "cookie %.100s: a character that is not allowed: encode it", name);
        if (o->path != NULL && !path_ok(o->path))
                return green_set_error(-EINVAL, "cookie %.100s: bad path", name);
        if (o->domain != NULL && !domain_ok(o->domain))
                return green_set_error(-EINVAL, "cookie %.100s: bad domain", name);
        if (o->same_site != NULL && !same_site_ok(o->same_site))
                return green_set_error(-EINVAL, "cookie %.100s: same_site is \"Strict\", \"Lax\" or \"None\"", name);
        return 0;
}

/* ---- the field */

/* Its age twice: there are clients that know one of them only. */
static void
put_age(char text[96], int64_t max_age)
{
        char date[GREEN_WSGI_DATE_SIZE];
        int64_t now = green__wsgi_wall();
        int64_t end = 0;

        text[0] = '\0';
        if (max_age == 0)
                return;
        if (max_age > 0)
                end = max_age > YEAR_9999 - now ? YEAR_9999 : now + max_age;
        green_wsgi_format_date_time(end, date);
        snprintf(text, 96, "; Expires=%s; Max-Age=%lld", date, (long long)(max_age > 0 ? max_age : 0));
}

/* The bytes of it, of which so many as fit are written. */
static size_t
put_cookie(char *text, size_t size, const char *name, const char *value, const struct green_wsgi_cookie_opts *o)
{
        char age[96];

        put_age(age, o->max_age);
        return (size_t)snprintf(text, size, "%s=%s%s%s%s%s%s%s%s%s%s", name, value, age,
                                o->path != NULL ? "; Path=" : "", o->path != NULL ? o->path : "",
                                o->domain != NULL ? "; Domain=" : "", o->domain != NULL ? o->domain : "",
                                o->same_site != NULL ? "; SameSite=" : "", o->same_site != NULL ? o->same_site : "",
                                o->secure ? "; Secure" : "", o->http_only ? "; HttpOnly" : "");
}

int
green_wsgi_set_cookie(green_wsgi_request *req, const char *name, const char *value,
                      const struct green_wsgi_cookie_opts *opts)
{
        struct green_wsgi_cookie_opts o;
        char field[512], *text = field;
        size_t len;
        int rc = green__response_not_begun(req);

        if (rc == 0)
                rc = green_opts_take(&o, sizeof(o), opts);
        if (rc == 0)
                rc = check(name, value, &o);
        if (rc != 0)
                return rc;
        len = put_cookie(field, sizeof(field), name, value, &o);
        if (len > GREEN__HEADERS_MAX)
                return -EMSGSIZE;
        if (len >= sizeof(field)) {
                /* The time may be another one now, but not longer. */
                text = green_wsgi_alloc(req, len + 1);
                if (text == NULL)
                        return -ENOMEM;
                put_cookie(text, len + 1, name, value, &o);
        }
        return green__header_put(req, "Set-Cookie", 10, text, len);
}
