/*
 * A server's WebSocket: from the application that answers the handshake to the end of its handler.
 */
#include <stddef.h>

#include "ws_priv.h"

static green_websocket *
of(struct green__upgrade *u)
{
        return (green_websocket *)(void *)((char *)u - offsetof(green_websocket, up));
}

/* ---- what the HTTP server calls */

/* The green thread ends inside the handler. */
static void
abandoned(void *arg)
{
        green_websocket *ws = arg;

        if (!ws->in_handler)
                return;
        ws->in_handler = false;
        (void)green__ws_finish(ws, 1011, NULL, false);
        green__ws_wait_for_closers(ws);
        green__upgrade_abandoned(&ws->up);
}

static int
call_handler(green_websocket *ws)
{
        int rc = green_defer(abandoned, ws);

        if (rc != 0)
                return rc;
        ws->in_handler = true;
        rc = ws->site->handler(ws, ws->site->arg);
        ws->in_handler = false;
        green_clean_up();
        green__ws_message_free(ws->current);
        ws->current = NULL;
        return rc;
}

/* Its peer's going away is no failure of a handler (WS-31), nor is it that it was killed. */
static bool
is_failure(const green_websocket *ws, int code)
{
        return code < 0 && code != -ECONNRESET && code != -EPIPE && code != -ESHUTDOWN && code != GREEN_EKILLED &&
               !ws->up.conn->killed;
}

static void
close_after(green_websocket *ws, int code)
{
        bool failure = is_failure(ws, code);

        if (failure) {
                green__note(&ws->up.conn->server->stats->failed, 1);
                green_log(GREEN_LOG_ERROR, "green-net: a handler of a WebSocket failed with %s: %s", green_errname(code),
                          green_strerror(code));
        }
        (void)green__ws_finish(ws, failure ? 1011 : ws->up.conn->killed ? 1001 : 1000, NULL, ws->up.conn->killed);
        green__ws_wait_for_closers(ws);
}

/* With a pool of its own a handler rests in its place there: see wake_handler(). */
static int
rest_here(green_websocket *ws)
{
        int rc = 0;

        ws->resting = true;
        while (rc == 0 && ws->resting) {
                struct green_wait w;

                rc = green_park(&ws->turn, &w, GREEN_FOREVER);
        }
        ws->resting = false;
        return rc;
}

static bool
run(struct green__upgrade *u)
{
        green_websocket *ws = of(u);
        bool pool = u->conn->server->opts.custom_pool != NULL;
        int rc;

        for (;;) {
                rc = call_handler(ws);
                /* One that was told of the end has no reason to rest. */
                if (rc != GREEN_WEBSOCKET_REST || ws->told_end || u->conn->killed)
                        break;
                if (green_websocket_pending(ws)) {
                        rc = green_sleep(0);
                } else if (pool) {
                        rc = rest_here(ws);
                } else {
                        ws->resting = true;
                        return true;
                }
                if (rc != 0)
                        break;
        }
        close_after(ws, rc == GREEN_WEBSOCKET_REST ? 0 : rc);
        return false;
}

static void
closing(struct green__upgrade *u)
{
        green_websocket *ws = of(u);

        green__ws_say_close(ws, 1001, NULL);
        if (ws->close_code == 0)
                ws->close_code = 1001;
        ws->over = true;
        green__ws_drop_queue(ws);
        green__ws_tell_end(ws);
}

static void
cut(struct green__upgrade *u)
{
        green_websocket *ws = of(u);

        if (ws->closing) {
                /* No kill reaches who waits for the peer's close. */
                green__ws_lost(ws, 0);
                green__ws_cut(ws);
                green_wake_all(&ws->turn, 0);
        } else if (u->thread == NULL) {
                green__ws_lost(ws, 0);
                green__ws_tell_end(ws);
        }
}

static void
end(struct green__upgrade *u)
{
        green_websocket *ws = of(u);

        green__note(&u->conn->server->counts.websockets, -1);
        green__ws_release(ws);
        green_free(ws);
}

static const struct green__upgrade_ops ops = {run, closing, cut, end};

/* ---- the application */

static green_websocket *
ws_new(green_wsgi_request *req, green_websocket_site *site, const struct green__ws_handshake *h)
{
        green_websocket *ws = green_calloc(1, sizeof(*ws) + green__upgrade_head_size(req));
        int rc;

        if (ws == NULL)
                return NULL;
        ws->up.ops = &ops;
        ws->version = (uint8_t)h->version;
        ws->protocol = h->protocol;
        ws->up.conn = req->session->conn;
        if (green__ws_init(ws, site, req->session->conn->socket, false) != 0) {
                green_free(ws);
                return NULL;
        }
        green__note(&ws->up.conn->server->counts.websockets, 1);
        rc = h->deflate ? green__ws_set_deflate(ws, &h->agreed) : 0;
        if (rc == 0)
                return ws;
        end(&ws->up);
        return NULL;
}

int
green_websocket_app(green_wsgi_request *req, void *arg)
{
        green_websocket_site *site = arg;
        struct green__ws_handshake h = {0};
        green_websocket *ws;
        void *data;
        size_t len;
        int rc;

        if (req == NULL || site == NULL)
                return -EINVAL;
        rc = green__ws_look(req, site, &h);
        if (rc != 0)
                return rc > 0 ? 0 : rc;
        ws = ws_new(req, site, &h);
        if (ws == NULL)
                return -ENOMEM;
        rc = green__ws_answer(req, &h, &data, &len);
        if (rc != 0) {
                end(&ws->up);
                return rc > 0 ? 0 : rc;
        }
        green__upgrade_set(req, &ws->up, (char *)(ws + 1));
        green__ws_take_watch(ws);
        if (len > 0)
                green__ws_feed(ws, data, len);
        if (!ws->ended)
                green__ws_receive(ws);
        return 0;
}
