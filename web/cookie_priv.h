/*
 * Cookies that a client is told (RFC 6265 5.2).
 */
#ifndef GREEN_COOKIE_PRIV_H
#define GREEN_COOKIE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include <green/http.h>

/* Longest name and value together, and longest attribute. */
enum { GREEN__COOKIE_MAX = 4096, GREEN__COOKIE_ATTRIBUTE_MAX = 1024 };

/* What a Set-Cookie says, as parts of its text. */
struct green__set_cookie {
        struct green_http_part name, value;
        struct green_http_part domain; /* without a dot before it; empty: none */
        struct green_http_part path;   /* empty: none */
        bool secure;
        bool expires;       /* it does, at */
        int64_t expires_at; /* seconds since 1970; 0 and before: it is taken away */
};

/* False: it is none. now: seconds since 1970. */
bool green__set_cookie_parse(const char *field, int64_t now, struct green__set_cookie *ret);

/* RFC 6265 5.1.1: dates in whatever form. False: it is none. */
bool green__cookie_date(struct green_http_part text, int64_t *ret_when);

#endif
