/*
 * The end of a connection.
 */
#include "ws_priv.h"

enum { DRAIN = 1024 };

/* Wait for what goes on to be through: the peer's close, and what is still to be sent. */
static int
wait_for_peer(green_websocket *ws)
{
        int rc = 0;

        while (rc == 0 && !ws->lost && (!ws->ended || ws->out != NULL)) {
                struct green_wait w;

                rc = ws->ended ? green_park(&ws->turn, &w, GREEN_FOREVER) : green_park(&ws->waiters, &w, GREEN_FOREVER);
        }
        return rc;
}

/*
 * The other end of the connection. A client lets the server end it (RFC 6455 7.1.1); a server that has refused what comes
 * reads it away, since what is unread at a close takes the last frame with it.
 */
static void
wait_for_end(green_websocket *ws)
{
        char drain[DRAIN];

        if (ws->lost || (!ws->client && !ws->failed))
                return;
        if (ws->failed && green_socket_shutdown(ws->socket, SHUT_WR) != 0)
                return;
        while (green_socket_recv(ws->socket, drain, sizeof(drain), 0) > 0)
                ;
}

static int
say_goodbye(green_websocket *ws, int code, const char *reason)
{
        struct green_timeout t = {{0}};
        int rc;

        green__ws_say_close(ws, code, reason);
        rc = green_timeout_start(&t, ws->site->opts.close_timeout);
        if (rc != 0)
                return rc;
        /* What was kept until there is room is of no use now. */
        if (ws->paused) {
                ws->paused = false;
                green__ws_receive(ws);
        }
        rc = wait_for_peer(ws);
        if (rc == 0)
                wait_for_end(ws);
        return green_timeout_cancel(&t) == 1 ? -ETIMEDOUT : rc;
}

/* Whoever is in a call comes back, since the socket is closed, and touches it no more. */
static void
wait_for_users(green_websocket *ws)
{
        green_wake_all(&ws->senders, -EPIPE);
        while (ws->users > 0) {
                struct green_wait w;

                (void)!green_park(&ws->waiters, &w, GREEN_FOREVER);
        }
}

/* Another green thread closes it, or has. Those that wait for that are counted: the last use of it has to be later. */
static void
wait_for_closer(green_websocket *ws)
{
        ws->closers++;
        green_shield_begin();
        while (ws->closing) {
                struct green_wait w;

                (void)!green_park(&ws->turn, &w, GREEN_FOREVER);
        }
        green_shield_end();
        if (--ws->closers == 0)
                green_wake_all(&ws->turn, 0);
}

void
green__ws_wait_for_closers(green_websocket *ws)
{
        green_shield_begin();
        while (ws->closing || ws->closers > 0) {
                struct green_wait w;

                (void)!green_park(&ws->turn, &w, GREEN_FOREVER);
        }
        green_shield_end();
}

int
green__ws_finish(green_websocket *ws, int code, const char *reason, bool hard)
{
        struct green_wait *w = green_waitq_first(&ws->waiters);
        int rc = 0;

        if (ws->finished) {
                wait_for_closer(ws);
                return 0;
        }
        ws->finished = ws->over = ws->closing = true;
        green__ws_drop_queue(ws);
        if (w != NULL) {
                w->value = NULL;
                green_wake(w, 0);
        }
        green_shield_begin();
        green_wake_all(&ws->senders, -EPIPE);
        if (hard)
                green__ws_say_close(ws, code, reason);
        else if (!ws->lost)
                rc = say_goodbye(ws, code, reason);
        if (ws->close_code == 0)
                ws->close_code = 1006;
        ws->ended = true;
        green_watch_stop(green__ws_watch(ws));
        if (hard || rc != 0)
                green__ws_lost(ws, 0);
        (void)green_socket_close(ws->socket);
        wait_for_users(ws);
        ws->closing = false;
        green__ws_tell_end(ws);
        green_wake_all(&ws->turn, 0);
        green_shield_end();
        return rc;
}

static bool
can_say(int code, const char *reason)
{
        if (code == 0)
                return reason == NULL;
        if (!green__ws_code_ok(code))
                return false;
        return reason == NULL || (strlen(reason) <= GREEN__WS_CONTROL_MAX - 2 && green__utf8_is(reason, strlen(reason)));
}

int
green_websocket_close(green_websocket *ws, int code, const char *reason)
{
        int rc;

        if (ws == NULL)
                return 0;
        rc = green__ws_check(ws);
        if (rc == 0 && !can_say(code, reason))
                rc = -EINVAL;
        return rc != 0 ? rc : green__ws_finish(ws, code, reason, false);
}

bool
green_websocket_closed(const green_websocket *ws)
{
        return ws == NULL || green__ws_is_closed(ws);
}

int
green_websocket_close_code(const green_websocket *ws)
{
        return ws == NULL ? 0 : ws->close_code;
}

const char *
green_websocket_close_reason(const green_websocket *ws)
{
        const struct green__ws_text *t = ws == NULL ? NULL : green__ws_recall(ws, GREEN__WS_REASON);

        return t == NULL ? "" : t->value;
}
