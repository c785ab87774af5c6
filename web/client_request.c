/*
 * What is asked, as bytes: the request line and the header.
 */
#include <stdio.h>
#include <strings.h>

#include <green/http.h>

#include "client_priv.h"
#include "digest_priv.h"
#include "http1_char_priv.h"

/* ---- what may be asked */

static bool
is_token(const char *text)
{
        if (*text == '\0')
                return false;
        for (; *text != '\0'; text++)
                if (!green__http1_is((uint8_t)*text, GREEN__CHAR_TOKEN))
                        return false;
        return true;
}

/* Most names differ in their first letter: that is looked at before the whole is compared. */
static bool
same_name(const char *a, const char *b)
{
        return ((*a ^ *b) & 0xdf) == 0 && strcasecmp(a, b) == 0;
}

static bool
is_ours(const char *name)
{
        static const char *const names[] = {
                "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection",
                "TE",   "Trailer",        "Upgrade",           "Expect"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (same_name(name, names[i]))
                        return true;
        return false;
}

int
green__client_check(const struct green_http_request *r)
{
        if (r->method != NULL && (!is_token(r->method) || strcmp(r->method, "CONNECT") == 0))
                return green__client_fail(-EINVAL, "a method that cannot be sent");
        if ((r->body == NULL && r->body_len > 0) || (r->body != NULL && r->read_body != NULL))
                return green__client_fail(-EINVAL, "a body that is none, or two at once");
        if (!(r->timeout >= 0))
                return green__client_fail(-EINVAL, "a time limit that is negative or no number");
        if (r->content_type != NULL && !green__header_value_ok(r->content_type))
                return green__client_fail(-EINVAL, "a content type with a character that is not allowed");
        for (const struct green_wsgi_pair *p = r->fields; p != NULL && p->name != NULL; p++)
                if (!is_token(p->name) || is_ours(p->name) || p->value == NULL || !green__header_value_ok(p->value))
                        return green__client_fail(-EINVAL, "a header field that cannot be sent: %.100s", p->name);
        return 0;
}

int
green__client_basic(const char *user, char **ret_auth)
{
        size_t len = strlen(user);
        char *plain = green_malloc(len + 2);
        char *auth = green_malloc(sizeof("Basic ") + GREEN__BASE64_LEN(len + 1));
        const char *colon = strchr(user, ':');
        int rc = plain == NULL || auth == NULL ? -ENOMEM : 0;

        if (rc == 0) {
                size_t name = colon == NULL ? len : (size_t)(colon - user);
                size_t at = green_http_unquote(user, name, 0, plain);
                bool bad = memchr(plain, ':', at) != NULL;

                plain[at++] = ':';
                if (colon != NULL)
                        at += green_http_unquote(colon + 1, len - name - 1, 0, plain + at);
                /* RFC 7617 2: no control characters, and no colon in the name. */
                for (size_t i = 0; i < at; i++)
                        bad = bad || (unsigned char)plain[i] < 0x20 || plain[i] == 0x7f;
                memcpy(auth, "Basic ", 6);
                green__base64_encode(plain, at, auth + 6);
                auth[6 + GREEN__BASE64_LEN(at)] = '\0';
                if (bad)
                        rc = green__client_fail(-EINVAL, "a user or password that cannot be sent");
        }
        green_free(plain);
        if (rc != 0)
                green_free(auth);
        else
                *ret_auth = auth;
        return rc;
}

/* ---- the bytes */

int
green__client_put(green_http_response *res, const char *text, size_t len)
{
        if (len > res->out_room - res->out_len) {
                size_t room = res->out_room == 0 ? 1024 : res->out_room;
                char *out;

                while (room - res->out_len < len) {
                        if (room > SIZE_MAX / 4)
                                return -ENOMEM;
                        room *= 2;
                }
                out = green_realloc(res->out, room);
                if (out == NULL)
                        return -ENOMEM;
                res->out = out;
                res->out_room = room;
        }
        if (len > 0)
                memcpy(res->out + res->out_len, text, len);
        res->out_len += len;
        return 0;
}

static int
put(green_http_response *res, const char *text)
{
        return green__client_put(res, text, strlen(text));
}

static int
put_field(green_http_response *res, const char *name, const char *value)
{
        int rc = put(res, name);

        if (rc == 0)
                rc = green__client_put(res, ": ", 2);
        if (rc == 0)
                rc = put(res, value);
        return rc == 0 ? green__client_put(res, "\r\n", 2) : rc;
}

static bool
says(const struct green_wsgi_pair *fields, const char *name)
{
        for (; fields != NULL && fields->name != NULL; fields++)
                if (same_name(fields->name, name))
                        return true;
        return false;
}

/* Is it for this server? Secrets are for the one that was asked first, those of a proxy for no server at all. */
static bool
may_be_told(const struct green__ask *ask, const char *name)
{
        if (same_name(name, "Proxy-Authorization"))
                return ask->proxied && !ask->tunnel && !ask->stranger;
        if (same_name(name, "Authorization"))
                return !ask->stranger && ask->auth == NULL;
        if (ask->stranger && same_name(name, "Cookie"))
                return false;
        /* It is said of the body. */
        if (ask->request->content_type != NULL && same_name(name, "Content-Type"))
                return false;
        return !ask->no_body || (strncasecmp(name, "Content-", 8) != 0);
}

static int
put_fields(green_http_response *res, const struct green_wsgi_pair *fields, const struct green_wsgi_pair *unless)
{
        int rc = 0;

        for (; rc == 0 && fields != NULL && fields->name != NULL; fields++)
                if (!says(unless, fields->name) && may_be_told(&res->ask, fields->name))
                        rc = put_field(res, fields->name, fields->value);
        return rc;
}

static int
put_cookies(green_http_response *res, const struct green_wsgi_pair *fields)
{
        const green_http_client *c = res->client;
        int rc = 0;
        char *cookies;

        /* What the caller says of cookies is all that is said. */
        if (c->jar == NULL || (!res->ask.stranger && (says(fields, "Cookie") || says(c->fields, "Cookie"))))
                return 0;
        cookies = green__jar_get(c->jar, &res->where, green__wsgi_wall(), &res->arena, &rc);
        return cookies == NULL ? rc : put_field(res, "Cookie", cookies);
}

/* One of no bytes is a body too, */
static bool
is_given(const struct green__ask *ask)
{
        return !ask->no_body && (ask->request->body != NULL || ask->request->read_body != NULL);
}

/* but nothing comes of it. */
bool
green__client_has_body(const struct green__ask *ask)
{
        const struct green_http_request *r = ask->request;

        return is_given(ask) && (r->read_body != NULL ? r->read_body_len != 0 : r->body_len != 0);
}

/* What is said of the body. */
static int
put_body(green_http_response *res)
{
        const struct green__ask *ask = &res->ask;
        const struct green_http_request *r = ask->request;
        const bool body = is_given(ask);
        char text[64];
        int rc = 0;

        if (body && r->content_type != NULL)
                rc = put_field(res, "Content-Type", r->content_type);
        /* Nothing is expected where nothing comes (RFC 9110 10.1.1). */
        if (rc == 0 && r->expect_continue && green__client_has_body(ask))
                rc = put(res, "Expect: 100-continue\r\n");
        if (rc != 0)
                return rc;
        if (body && r->read_body != NULL && r->read_body_len < 0)
                return put(res, "Transfer-Encoding: chunked\r\n");
        if (!body && strcmp(ask->method, "POST") != 0 && strcmp(ask->method, "PUT") != 0 &&
            strcmp(ask->method, "PATCH") != 0)
                return 0;
        (void)snprintf(text, sizeof(text), "Content-Length: %llu\r\n",
                       !body                  ? 0ull
                       : r->read_body != NULL ? (unsigned long long)r->read_body_len
                                              : (unsigned long long)r->body_len);
        return put(res, text);
}

static int
put_line(green_http_response *res)
{
        const struct green__ask *ask = &res->ask;
        int rc = put(res, ask->method);

        if (rc == 0)
                rc = put(res, ask->proxied && !ask->tunnel ? " http://" : " ");
        if (rc == 0 && ask->proxied && !ask->tunnel)
                rc = put(res, res->where.host);
        if (rc == 0)
                rc = put(res, res->where.target);
        if (rc == 0)
                rc = put(res, " HTTP/1.1\r\nHost: ");
        if (rc == 0)
                rc = put(res, res->where.host);
        return rc == 0 ? green__client_put(res, "\r\n", 2) : rc;
}

/* Compressed parts of a body could not be taken apart; and whoever says what he takes may get it. */
static int
put_defaults(green_http_response *res, const struct green_wsgi_pair *fields)
{
        const green_http_client *c = res->client;
        struct green__ask *ask = &res->ask;
        int rc = 0;

        ask->takes_compressed = !ask->request->no_decompress && green__client_can_inflate() && !says(fields, "Range");
        if (c->user_agent[0] != '\0' && !says(fields, "User-Agent") && !says(c->fields, "User-Agent"))
                rc = put_field(res, "User-Agent", c->user_agent);
        if (rc == 0 && ask->takes_compressed && !says(fields, "Accept-Encoding") && !says(c->fields, "Accept-Encoding"))
                rc = put(res, "Accept-Encoding: gzip, deflate\r\n");
        return rc;
}

int
green__client_put_request(green_http_response *res)
{
        const green_http_client *c = res->client;
        const struct green__ask *ask = &res->ask;
        const struct green_wsgi_pair *fields = ask->request->fields;
        bool own;
        int rc;

        res->out_len = 0;
        rc = put_line(res);
        if (rc == 0)
                rc = put_defaults(res, fields);
        if (rc == 0)
                rc = put_fields(res, c->fields, fields);
        if (rc == 0)
                rc = put_fields(res, fields, NULL);
        if (rc == 0 && ask->auth != NULL && !ask->stranger)
                rc = put_field(res, "Authorization", ask->auth);
        /* Strangers are not told what the fields say, but the proxy is none. */
        own = !ask->stranger && (says(fields, "Proxy-Authorization") || says(c->fields, "Proxy-Authorization"));
        if (rc == 0 && ask->proxied && !ask->tunnel && c->proxy_auth != NULL && !own)
                rc = put_field(res, "Proxy-Authorization", c->proxy_auth);
        if (rc == 0)
                rc = put_cookies(res, fields);
        if (rc == 0)
                rc = put_body(res);
        return rc == 0 ? green__client_put(res, "\r\n", 2) : rc;
}
