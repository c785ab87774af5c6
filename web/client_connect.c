/*
 * Making a connection: through the proxy where there is one for it, with TLS where the URL says so.
 */
#include <stdio.h>
#include <strings.h>

#include <green/convenience.h>

#include "client_priv.h"

/* ---- proxies */

/* "host" is that host, ".domain" all that is under it. */
static bool
is_without(const char *rule, const char *name)
{
        size_t rule_len = strlen(rule), len = strlen(name);

        if (rule[0] != '.')
                return strcasecmp(rule, name) == 0;
        return len > rule_len && strcasecmp(name + len - rule_len, rule) == 0;
}

bool
green__proxy_for(const green_http_client *c, const char *name)
{
        if (c->proxy.text == NULL)
                return false;
        for (char **p = c->no_proxy; p != NULL && *p != NULL; p++)
                if (is_without(*p, name))
                        return false;
        return true;
}

static int
ask_for_tunnel(green_http_response *res)
{
        const green_http_client *c = res->client;
        const char *const words[] = {"CONNECT ",
                                     res->where.address,
                                     " HTTP/1.1\r\nHost: ",
                                     res->where.address,
                                     c->user_agent[0] != '\0' ? "\r\nUser-Agent: " : "",
                                     c->user_agent,
                                     c->proxy_auth != NULL ? "\r\nProxy-Authorization: " : "",
                                     c->proxy_auth != NULL ? c->proxy_auth : "",
                                     "\r\n\r\n"};
        int rc = 0;

        res->out_len = 0;
        for (size_t i = 0; rc == 0 && i < sizeof(words) / sizeof(words[0]); i++)
                rc = green__client_put(res, words[i], strlen(words[i]));
        return rc != 0 ? rc : green_socket_sendall(res->link->socket, res->out, res->out_len, 0, NULL);
}

/* Whatever the header says of a body, behind one of 2xx the tunnel begins (RFC 9110 9.3.6): the client speaks first. */
static int
dig(green_http_response *res)
{
        int rc = ask_for_tunnel(res);

        green__client_head_begin(res);
        if (rc == 0)
                rc = green__client_read_head(res, false);
        if (rc != 0)
                return rc;
        if (res->head.code / 100 != 2)
                return green__client_fail(GREEN_EHTTP, "the proxy makes no tunnel to %.100s: its status is %d",
                                          res->where.address, res->head.code);
        if (res->end > res->start)
                return green__client_fail(GREEN_EHTTP, "bytes from the proxy before the tunnel was used");
        return 0;
}

/* ---- TLS */

/* One is made when it is needed first: it reads the system's certificates. */
static green_tls_context *
context_of(green_http_client *c)
{
        static const char *const alpn[] = {"http/1.1", NULL};
        const struct green_tls_opts opts = {.size = sizeof(opts), .alpn = alpn};

        if (c->tls == NULL)
                c->tls = green_tls_context_new(&opts);
        return c->tls;
}

/* What a certificate is for and SNI says: without the dot that may end a name (RFC 6066 3). */
static const char *
certified_name(green_http_response *res)
{
        const char *name = res->where.name;
        size_t len = strlen(name);

        return len > 1 && name[len - 1] == '.' ? green__arena_copy(&res->arena, name, len - 1) : name;
}

static int
shake_hands(green_http_response *res)
{
        green_http_client *c = res->client;
        struct green__link *l = res->link;
        struct green_wrap_ssl_opts opts = {.size = sizeof(opts), .server_hostname = certified_name(res)};
        int rc = 0;

        opts.context = context_of(c);
        if (opts.context == NULL)
                return green_last_error()->code;
        if (opts.server_hostname == NULL)
                return -ENOMEM;
        opts.session = green__client_session_take(c, res->where.address, green__wsgi_now(), &l->seen);
        if (green_wrap_ssl(l->socket, &opts) == NULL)
                rc = green_last_error()->code;
        /* It may be what the server has stumbled over. */
        if (rc != 0 && opts.session != NULL)
                green__client_session_forget(c, res->where.address);
        green_tls_session_unref(opts.session);
        if (rc != 0)
                return rc;
        if (!green_tls_resumed(l->socket))
                l->seen = green__wsgi_now();
        l->session_due = !c->opts.no_tls_sessions;
        return 0;
}

static int
wrap(green_http_response *res)
{
        const char *alpn;
        int rc = shake_hands(res);

        if (rc != 0)
                return rc;
        alpn = green_tls_alpn(res->link->socket);
        if (alpn != NULL && strcmp(alpn, "http/1.1") != 0 && strcmp(alpn, "http/1.0") != 0)
                return green__client_fail(GREEN_EHTTP, "the server speaks %.50s", alpn);
        return 0;
}

/* ---- all of it */

static int
open_link(green_http_response *res)
{
        green_http_client *c = res->client;
        struct green__link *l = res->link;
        int rc = 0;

        l->socket = green_connect(res->ask.proxied ? c->proxy.address : res->where.address, NULL);
        if (l->socket == NULL)
                return green_last_error()->code;
        if (res->ask.tunnel)
                rc = dig(res);
        if (rc == 0 && res->where.tls)
                rc = wrap(res);
        return rc;
}

int
green__link_connect(struct green__link *l, green_http_response *res)
{
        struct green__phase phase;
        int rc = green__phase_begin(res, &phase, l->client->opts.connect_timeout);

        if (rc != 0)
                return rc;
        rc = green__phase_end(&phase, open_link(res), "connecting");
        if (rc != 0)
                green__link_hang_up(l);
        return rc;
}
