/*
 * For tests of WebSockets: a server of them in a green thread, and ends that speak bytes or frames.
 */
#ifndef GREEN_WS_SUITE_H
#define GREEN_WS_SUITE_H

#include "web_suite.h"

#include <stdio.h>

#include <green/websocket.h>

#include "ws_peer.h"

/* The server comes first: applications get it. */
struct bed {
        struct server s;
        struct green_websocket_opts opts;
        green_websocket_site *site;
        char url[GREEN_ADDR_TEXT_SIZE + 32];
        int calls;             /* of the handler */
        int last, code;        /* what green_websocket_wait() has returned last, and the code that it ended with */
        int rc;                /* for the handler to return, or what it has found */
        green_websocket *ws;   /* of the handler's, for others */
        struct green_waitq hold;
        char text[512];
};

MAYBE int
bed_app(green_wsgi_request *req, void *arg)
{
        struct bed *bed = arg;

        bed->s.requests++;
        return green_websocket_app(req, bed->site);
}

/* Each message comes back; the end is noted. */
MAYBE int
echo(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct bed *bed = arg;
        int rc = 0;

        bed->calls++;
        bed->ws = ws;
        while (rc == 0 && (bed->last = green_websocket_wait(ws, &m)) == 1)
                rc = green_websocket_send(ws, m.type, m.data, m.len);
        bed->code = green_websocket_close_code(ws);
        bed->ws = NULL;
        return rc;
}

static inline void
bed_open(struct bed *bed, green_websocket_handler handler)
{
        bed->opts.size = sizeof bed->opts;
        bed->site = green_websocket_wsgi(handler, bed, &bed->opts);
        if (!CHECK(bed->site != NULL))
                FAIL("%s", green_last_error()->message);
        serve(&bed->s, bed_app);
        snprintf(bed->url, sizeof bed->url, "ws://%s/a%%20b?c=d", bed->s.address);
}

static inline void
bed_close(struct bed *bed)
{
        stop(&bed->s);
        green_websocket_site_unref(bed->site);
}

/* A client of green-net's; without compression, but where opts say something else. */
static inline green_websocket *
connect_to(const struct bed *bed, const struct green_websocket_opts *opts)
{
        static const struct green_websocket_opts plain = {.size = sizeof plain, .no_deflate = true};
        green_websocket *ws = green_websocket_connect(bed->url, opts != NULL ? opts : &plain);

        if (!CHECK(ws != NULL))
                FAIL("%s", green_last_error()->message);
        return ws;
}

/* A client that speaks frames. */
static inline struct ws_peer *
peer_of(const struct bed *bed, const char *offers)
{
        struct ws_peer *p = ws_peer_new(client_of(&bed->s), true, 5 * suite_slow());

        if (!ws_peer_ask(p, bed->s.address, offers))
                FAIL("%s", p->why);
        return p;
}

static inline void
peer_say(struct ws_peer *p, unsigned op, const void *data, size_t len)
{
        ws_peer_frame(p, op, data, len);
        ws_peer_flush(p, 0);
}

/* What comes next is this. */
static inline bool
peer_gets(struct ws_peer *p, unsigned op, const char *text)
{
        struct ws_event e;
        enum ws_came came = ws_peer_next(p, &e, 5 * suite_slow());

        if (!CHECK_INT(came, WS_EVENT))
                return FAIL("%s", p->why);
        return CHECK_INT(e.op, op) && CHECK_INT(e.len, strlen(text)) && CHECK(e.len == 0 || memcmp(e.data, text, e.len) == 0);
}

/* A close with this code comes next; 0: with none. */
static inline bool
peer_gets_close(struct ws_peer *p, int code)
{
        struct ws_event e;
        enum ws_came came = ws_peer_next(p, &e, 5 * suite_slow());

        if (!CHECK_INT(came, WS_EVENT))
                return FAIL("%s", p->why);
        return CHECK_INT(e.op, WS_CLOSE) && CHECK_INT(e.code, code);
}

/* The connection ends next, as it should. */
static inline bool
peer_gets_end(struct ws_peer *p)
{
        struct ws_event e;

        return CHECK_INT(ws_peer_next(p, &e, 5 * suite_slow()), WS_END);
}

/* A message of this text is there, or comes. */
static inline bool
comes(green_websocket *ws, enum green_websocket_type type, const char *text)
{
        struct green_websocket_message m;

        if (!CHECK_INT(green_websocket_wait(ws, &m), 1))
                return FAIL("closed with %d %s", green_websocket_close_code(ws), green_websocket_close_reason(ws));
        return CHECK_INT(m.type, type) && CHECK_STR(m.data, text) && CHECK_INT(m.len, strlen(text));
}

/* Let the others run until something is so. */
#define WAIT_UNTIL(condition)                                                                                          \
        do {                                                                                                           \
                for (int turns_ = 0; !(condition) && turns_ < 5000 * suite_slow(); turns_++)                          \
                        green_sleep(0.001);                                                                            \
                CHECK(condition);                                                                                      \
        } while (0)

#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

#endif
