/*
 * A fetch: an exchange, once more where the connection was stale, and on through redirects.
 */
#include <stdio.h>
#include <strings.h>

#include "client_priv.h"

/* ---- time limits */

int
green__phase_begin(green_http_response *res, struct green__phase *p, double seconds)
{
        int rc;

        if (res->deadline != 0) {
                double left = (double)(res->deadline - green__wsgi_now()) / 1e9;

                if (left <= 0)
                        return green__client_fail(-ETIMEDOUT, "%.100s took too long", res->where.host);
                if (left < seconds)
                        seconds = left;
        }
        p->on = seconds < GREEN_FOREVER;
        if (!p->on)
                return 0;
        p->timeout = (struct green_timeout){{0}};
        rc = green_timeout_start(&p->timeout, seconds);
        p->on = rc == 0;
        return rc;
}

int
green__phase_end(struct green__phase *p, int rc, const char *what)
{
        if (p->on && green_timeout_cancel(&p->timeout) == 1 && rc < 0)
                return green__client_fail(-ETIMEDOUT, "%s took too long", what);
        return rc;
}

static void
set_deadline(green_http_response *res, double seconds)
{
        res->deadline = 0;
        if (seconds > 0 && seconds < 1e9)
                res->deadline = green__wsgi_now() + (int64_t)(seconds * 1e9) + 1;
}

/* ---- an exchange */

static bool
is_idempotent(const char *method)
{
        static const char *const names[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(names[i], method) == 0)
                        return true;
        return false;
}

static int
read_response(green_http_response *res)
{
        struct green__phase phase;
        int rc = green__phase_begin(res, &phase, res->client->opts.header_timeout);

        return rc != 0 ? rc : green__phase_end(&phase, green__client_read_head(res, false), "the response");
}

static int
send_request(green_http_response *res)
{
        struct green__phase phase;
        int rc = green__phase_begin(res, &phase, GREEN_FOREVER);

        return rc != 0 ? rc : green__phase_end(&phase, green__client_send(res), "sending the request");
}

static bool
has_ended(int rc)
{
        return rc == -ECONNRESET || rc == -EPIPE || rc == -ECONNABORTED || rc == GREEN_ETLSEOF;
}

/* One that does not want all of a request may say why, before it goes or takes nothing more. */
static bool
may_have_answered(const green_http_response *res, int sent)
{
        char byte;

        if (res->ask.body_failed)
                return false;
        return sent == -EPIPE || sent == -ECONNRESET ||
               (res->ask.stalled && (res->end > 0 || green_socket_recv(res->link->socket, &byte, 1,
                                                                       MSG_DONTWAIT | MSG_PEEK) > 0));
}

/* Once over the connection that is there. */
static int
talk(green_http_response *res)
{
        int rc, sent;

        green__client_head_begin(res);
        res->ask.stalled = false;
        sent = send_request(res);
        if (sent == 1)
                return 0;
        if (sent < 0 && !may_have_answered(res, sent))
                return sent;
        rc = read_response(res);
        if (sent == -EPIPE && has_ended(rc))
                return green__client_fail(-ECONNRESET, "%.100s has ended the connection before the request", res->where.host);
        if (sent < 0 && has_ended(rc))
                return sent;
        res->close = res->close || sent < 0;
        return rc;
}

/*
 * The connection was used before, and has brought nothing; or the farewell of a server that has waited long enough for a
 * request, which crossed it.
 */
static bool
is_stale(const green_http_response *res, int rc, bool used)
{
        if (rc == 0)
                return used && res->head.code == 408 && (res->head.flags & GREEN__HTTP1_SAID_CLOSE);
        return used && !res->some && !res->ask.body_failed && has_ended(rc);
}

static int
exchange_on(green_http_response *res)
{
        struct green__link *l = res->link;
        bool again = is_idempotent(res->ask.method);
        int rc = 0;

        /* What has come without a request would be taken for the answer to this one (RFC 9112 9.2). */
        if (l->socket != NULL && !green__link_alive(l))
                green__link_hang_up(l);
        for (;;) {
                bool used = l->socket != NULL;

                if (!used)
                        rc = green__link_connect(l, res);
                if (rc == 0)
                        rc = green__client_put_request(res);
                if (rc == 0)
                        rc = talk(res);
                if (rc > 0 || !again || !is_stale(res, rc, used) || !green__client_rewind(res))
                        return rc;
                green__link_hang_up(l);
                rc = 0;
        }
}

/* What connections may be shared with: to the same server, or over the same proxy to any. */
static int
key_of(green_http_response *res, char **ret_key)
{
        const green_http_client *c = res->client;
        const bool by_proxy = res->ask.proxied && !res->ask.tunnel;
        const char *address = by_proxy ? c->proxy.address : res->where.address;
        size_t len = strlen(address);
        char *key = green__arena_alloc(&res->arena, len + 3);

        if (key == NULL)
                return -ENOMEM;
        key[0] = by_proxy ? 'p' : res->where.tls ? 's' : 'h';
        key[1] = ':';
        memcpy(key + 2, address, len + 1);
        *ret_key = key;
        return 0;
}

static int
wait_for_link(green_http_response *res, const char *key)
{
        struct green__phase phase;
        int rc = green__phase_begin(res, &phase, GREEN_FOREVER);

        return rc != 0 ? rc : green__phase_end(&phase, green__link_take(res->client, key, &res->link), "a connection");
}

static int
exchange(green_http_response *res)
{
        char *key = NULL;
        int rc;

        res->ask.proxied = green__proxy_for(res->client, res->where.name);
        res->ask.tunnel = res->ask.proxied && res->where.tls;
        rc = key_of(res, &key);
        if (rc == 0)
                rc = wait_for_link(res, key);
        if (rc == 0)
                rc = exchange_on(res);
        if (rc == 0)
                green__client_session_keep(res->link, res->where.address);
        if (rc != 0 && res->link != NULL) {
                green__link_close(res->link);
                res->link = NULL;
        }
        return rc;
}

/* ---- what the header says */

static int
begin_body(green_http_response *res)
{
        struct green_wsgi_pair pair;
        int coding;

        green__client_body_begin(res);
        if (!res->ask.takes_compressed || res->framing == GREEN__BODY_NONE || res->head.code == 206)
                return 0;
        coding = green__http1_find(&res->head.lines, res->in, "content-encoding", 0);
        if (coding < 0 || green__http1_find(&res->head.lines, res->in, "content-encoding", (unsigned)coding + 1) >= 0)
                return 0;
        green__response_field(res, (unsigned)coding, &pair);
        return green__client_inflate_begin(res, pair.value, strlen(pair.value));
}

static void
keep_cookies(green_http_response *res)
{
        struct green__jar *jar = res->client->jar;
        int i = -1;

        if (jar == NULL)
                return;
        while ((i = green__http1_find(&res->head.lines, res->in, "set-cookie", (unsigned)(i + 1))) >= 0) {
                struct green_wsgi_pair pair;

                green__response_field(res, (unsigned)i, &pair);
                green__jar_set(jar, &res->where, pair.value, green__wsgi_wall());
        }
}

/* ---- redirects */

/* Places that were asked: once more for the same in the same way goes in a circle. */
struct visit {
        struct visit *next;
        const char *url, *method;
        uint64_t cookies;
};

static int
note_visit(green_http_response *res, struct visit **visits)
{
        const struct green__jar *jar = res->client->jar;
        uint64_t cookies = jar == NULL ? 0 : green__jar_version(jar);
        struct visit *v;

        for (v = *visits; v != NULL; v = v->next)
                if (v->cookies == cookies && strcmp(v->url, res->url) == 0 && strcmp(v->method, res->ask.method) == 0)
                        return green__client_fail(GREEN_EHTTP, "%.200s: redirects go in a circle", res->url);
        v = green__arena_alloc(&res->arena, sizeof(*v));
        if (v == NULL)
                return -ENOMEM;
        *v = (struct visit){*visits, res->url, res->ask.method, cookies};
        *visits = v;
        return 0;
}

static bool
is_redirect(int code)
{
        return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

/*
 * Does it make a GET without a body of the request (RFC 9110 15.4)? By 301 and 302 only of POST, as everybody does: who has
 * asked for a DELETE must not be told that a GET went well.
 */
static bool
makes_get(const green_http_response *res)
{
        if (res->head.code == 303)
                return strcmp(res->ask.method, "HEAD") != 0;
        return res->head.code < 303 && strcmp(res->ask.method, "POST") == 0;
}

/* Where it leads; NULL: nowhere, so it is the caller's. */
static const char *
location_of(green_http_response *res)
{
        const bool follows = res->ask.follows && is_redirect(res->head.code);
        const char *location = follows ? green_http_response_header(res, "Location") : NULL;

        if (location == NULL)
                return NULL;
        /* What cannot be sent once more is not. */
        return makes_get(res) || green__client_rewind(res) ? location : NULL;
}

static int
tell_url(green_http_response *res)
{
        const char *scheme = res->where.tls ? "https://" : "http://";
        size_t len = strlen(scheme) + strlen(res->where.host) + strlen(res->where.target) + 1;
        char *url = green__arena_alloc(&res->arena, len);

        if (url == NULL)
                return -ENOMEM;
        (void)snprintf(url, len, "%s%s%s", scheme, res->where.host, res->where.target);
        res->url = url;
        return 0;
}

static bool
is_same_origin(const struct green__url *a, const struct green__url *b)
{
        return a->tls == b->tls && strcmp(a->address, b->address) == 0;
}

static int
follow(green_http_response *res, const char *location)
{
        struct green__url to = {0};
        char *url = NULL;
        int rc;

        if (res->ask.redirects-- <= 0)
                return green__client_fail(GREEN_EHTTP, "%.200s: too many redirects", res->url);
        rc = green__url_resolve(res->url, location, &url);
        if (rc != 0)
                return rc;
        rc = green__url_parse(url, "http", &to);
        green_free(url);
        if (rc == -EINVAL)
                return green__client_fail(GREEN_EHTTP, "%.200s: a redirect to what cannot be asked: %.200s", res->url,
                                          location);
        if (rc != 0)
                return rc;
        if (res->where.tls && !to.tls)
                rc = green__client_fail(GREEN_EHTTP, "%.200s: a redirect from https to http", res->url);
        if (makes_get(res)) {
                res->ask.method = "GET";
                res->ask.no_body = true;
        }
        green__response_drop_link(res);
        if (rc != 0) {
                green_free(to.text);
                return rc;
        }
        if (!is_same_origin(&res->where, &to))
                res->ask.stranger = true;
        green_free(res->where.text);
        res->where = to;
        green__response_reset(res);
        return tell_url(res);
}

/* ---- all of it */

static int
begin(green_http_response *res, const char *url, const struct green_http_request *r)
{
        const struct green_http_client_opts *o = &res->client->opts;
        int rc = green__client_check(r);

        res->ask = (struct green__ask){.request = r, .method = r->method};
        if (r->method == NULL)
                res->ask.method = r->body != NULL || r->read_body != NULL ? "POST" : "GET";
        res->ask.redirects = r->max_redirects != 0 ? r->max_redirects : o->max_redirects;
        res->ask.follows = res->ask.redirects >= 0;
        set_deadline(res, r->timeout > 0 ? r->timeout : o->timeout);
        if (rc == 0)
                rc = green__url_parse(url, "http", &res->where);
        if (rc == 0 && res->where.user != NULL) {
                char *auth = NULL;

                rc = green__client_basic(res->where.user, &auth);
                if (rc == 0)
                        res->ask.auth = green__arena_copy(&res->arena, auth, strlen(auth));
                green_free(auth);
                if (rc == 0 && res->ask.auth == NULL)
                        rc = -ENOMEM;
        }
        return rc == 0 ? tell_url(res) : rc;
}

static int
run(green_http_response *res)
{
        struct visit *visits = NULL;

        for (;;) {
                const char *location;
                int rc = note_visit(res, &visits);

                if (rc == 0)
                        rc = exchange(res);
                if (rc != 0)
                        return rc;
                keep_cookies(res);
                rc = begin_body(res);
                if (rc != 0)
                        return rc;
                location = location_of(res);
                if (location == NULL)
                        return 0;
                rc = follow(res, location);
                if (rc != 0)
                        return rc;
        }
}

static int
fetch(green_http_client *c, const char *url, const struct green_http_request *r, green_http_response **ret)
{
        green_http_response *res = green__response_new(c);
        int rc;

        if (res == NULL)
                return -ENOMEM;
        rc = begin(res, url, r);
        if (rc == 0)
                rc = run(res);
        if (rc == 0) {
                *ret = res;
                return 0;
        }
        /* Whatever there is of a connection is of no use. */
        res->close = true;
        green_http_response_free(res);
        return rc;
}

int
green_http_fetch(green_http_client *c, const char *url, const struct green_http_request *request,
                 green_http_response **ret_response)
{
        struct green_http_request r;
        green_thread *self = NULL;
        int rc = green_opts_take(&r, sizeof(r), request);

        if (rc != 0 || c == NULL || ret_response == NULL)
                return green__client_fail(-EINVAL, "a request that is none");
        rc = green_park_check(c->ident, "an HTTP client", GREEN_FOREVER, &self);
        if (rc == 0 && self == NULL)
                rc = -EDEADLK;
        if (rc == 0 && c->closed)
                rc = -ECANCELED;
        if (rc == 0 && c->forks != green__client_forks)
                rc = green__client_fail(-EPERM, "an HTTP client that was made before a fork: the child makes one of its own");
        return rc == 0 ? fetch(c, url, &r, ret_response) : rc;
}

int
green_http_get(green_http_client *c, const char *url, const struct green_wsgi_pair *fields,
               green_http_response **ret_response)
{
        const struct green_http_request r = {.size = sizeof(r), .fields = fields};

        return green_http_fetch(c, url, &r, ret_response);
}

int
green_http_post(green_http_client *c, const char *url, const struct green_http_body *body,
                green_http_response **ret_response)
{
        struct green_http_request r = {.size = sizeof(r), .method = "POST"};

        if (body != NULL) {
                r.body = body->data;
                r.body_len = body->len;
                r.content_type = body->content_type;
        }
        return green_http_fetch(c, url, &r, ret_response);
}
