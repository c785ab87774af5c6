/*
 * Runs the cases of ws_cases.h with green-net: against its server, which echoes, and with its client, which does so
 * too. A program includes it once.
 */
#ifndef GREEN_TESTS_WS_CONFORMANCE_H
#define GREEN_TESTS_WS_CONFORMANCE_H

#include "net_tls.h"
#include "web_suite.h"
#include "ws_cases.h"
#include "ws_echo.h"

#include <green/websocket.h>

enum { WS_LIMIT = 64 << 20 };

/* Where the cases run, and how. The server comes first: applications get it. */
struct ws_bed {
        struct server s; /* the client's bed has its listener and address only */
        struct green_websocket_opts opts;
        green_websocket_site *site;
        green_tls_context *tls; /* the other end's; NULL: none */
        struct green_wrap_ssl_opts ssl;
        bool strict; /* the second outcome is not good enough */
        char url[GREEN_ADDR_TEXT_SIZE + 16];
};

static inline void
ws_verdict(const struct ws_bed *bed, const struct ws_case *c, const struct ws_peer *p, enum ws_result result)
{
        if (result == WS_BAD)
                FAIL("%s: %s", c->id, p->why);
        else if (result == WS_NOT_STRICT && bed->strict)
                FAIL("%s: not strict", c->id);
}

/* When so much is wrong, the rest is too; and each takes its time. */
static inline bool
ws_enough(void)
{
        return suite_failures() > 20;
}

static inline void
ws_begin_opts(struct ws_bed *bed)
{
        bed->opts.size = sizeof bed->opts;
        bed->opts.max_frame_length = WS_LIMIT;
        bed->opts.max_message_length = WS_LIMIT;
}

static inline void
ws_wrap_listener(struct ws_bed *bed)
{
        struct green_wrap_ssl_opts o = {.size = sizeof o, .context = server_context("ec")};

        CHECK(green_wrap_ssl(bed->s.listener, &o) == bed->s.listener);
        green_tls_context_unref(o.context);
        bed->tls = client_context();
}

/* ---- green-net is the server */

static inline int
ws_app(green_wsgi_request *req, void *arg)
{
        struct ws_bed *bed = arg;

        return green_websocket_app(req, bed->site);
}

static inline bool
ws_begin_server(struct ws_bed *bed, bool tls)
{
        ws_begin_opts(bed);
        bed->site = green_websocket_wsgi(ws_echo, NULL, &bed->opts);
        if (!CHECK(bed->site != NULL))
                return FAIL("%s", green_last_error()->message);
        bed->s.listener = listen_here(bed->s.address);
        if (tls)
                ws_wrap_listener(bed);
        bed->s.app = ws_app;
        bed->s.opts.size = sizeof bed->s.opts;
        bed->s.opts.no_log_output = true;
        bed->s.thread = green_spawn(server_main, &bed->s);
        green_sleep(0);
        return true;
}

static inline void
ws_ask_server(const struct ws_case *c, void *arg)
{
        struct ws_bed *bed = arg;
        struct tls_end e = {.context = bed->tls, .name = "localhost"};
        enum ws_result result = WS_BAD;
        struct ws_peer *p;

        if (ws_enough())
                return;
        e.s = client_of(&bed->s);
        if (e.s == NULL)
                return;
        if (bed->tls != NULL) {
                wrap_end(&e);
                if (!CHECK_INT(e.rc, 0))
                        FAIL("%s: %s", c->id, e.why);
        }
        p = ws_peer_new(e.s, true, 10 * suite_slow());
        if (ws_peer_ask(p, bed->s.address, c->offers))
                result = ws_run(p, c);
        ws_verdict(bed, c, p, result);
        ws_peer_free(p);
}

static inline void
ws_end_server(struct ws_bed *bed)
{
        stop(&bed->s);
        green_websocket_site_unref(bed->site);
        green_tls_context_unref(bed->tls);
}

/* ---- green-net is the client */

static inline void
ws_begin_client(struct ws_bed *bed, bool tls)
{
        ws_begin_opts(bed);
        bed->s.listener = listen_here(bed->s.address);
        green_socket_set_timeout(bed->s.listener, 10 * suite_slow());
        snprintf(bed->url, sizeof bed->url, "%s://%s/echo", tls ? "wss" : "ws", bed->s.address);
        if (!tls)
                return;
        ws_wrap_listener(bed);
        bed->ssl = (struct green_wrap_ssl_opts){
                .size = sizeof bed->ssl, .context = bed->tls, .server_hostname = "localhost"};
        bed->opts.ssl = &bed->ssl;
}

/* A client, and what became of it. */
struct ws_client {
        struct ws_bed *bed;
        bool connected;
        int code, rc;
        char why[300];
};

static inline void *
ws_client_main(void *arg)
{
        struct ws_client *client = arg;
        green_websocket *ws = green_websocket_connect(client->bed->url, &client->bed->opts);

        client->connected = ws != NULL;
        if (ws == NULL) {
                snprintf(client->why, sizeof client->why, "%s", green_last_error()->message);
                return NULL;
        }
        (void)ws_echo(ws, NULL);
        client->code = green_websocket_close_code(ws);
        client->rc = green_websocket_free(ws);
        return NULL;
}

static inline void
ws_serve_client(const struct ws_case *c, void *arg)
{
        struct ws_bed *bed = arg;
        struct ws_client client = {.bed = bed};
        enum ws_result result = WS_BAD;
        green_thread *thread;
        green_socket *s;

        if (ws_enough())
                return;
        thread = green_spawn(ws_client_main, &client);
        s = green_socket_accept(bed->s.listener, NULL);
        if (CHECK(s != NULL)) {
                struct ws_peer *p = ws_peer_new(s, false, 10 * suite_slow());

                if (ws_peer_answer(p, c->offers != NULL ? &c->asks : NULL))
                        result = ws_run(p, c);
                ws_verdict(bed, c, p, result);
                ws_peer_free(p);
        }
        CHECK_INT(green_thread_wait(thread, NULL), 0);
        green_thread_unref(thread);
        if (!client.connected)
                FAIL("%s: no connection: %s", c->id, client.why);
        if (c->ending == WS_CLOSED_HERE && result != WS_BAD && (client.code != 1000 || client.rc != 0))
                FAIL("%s: the client ends with code %d, %d", c->id, client.code, client.rc);
}

static inline void
ws_end_client(struct ws_bed *bed)
{
        CHECK_INT(green_socket_free(bed->s.listener), 0);
        green_tls_context_unref(bed->tls);
}

#endif
