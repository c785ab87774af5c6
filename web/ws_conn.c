/*
 * A connection: its bytes come in hub context, by its watch, and become messages that are handed over or wait.
 */
#include "ws_priv.h"

enum { TURN = 1 << 20 }; /* bytes that one connection may bring before others have their turn */

/* ---- life */

static void on_watch(struct green_watch *w, int result, void *arg);

int
green__ws_init(green_websocket *ws, green_websocket_site *site, green_socket *socket, bool client)
{
        int rc = green__ws_local_enter();

        if (rc != 0)
                return rc;
        ws->site = green_websocket_site_ref(site);
        ws->socket = socket;
        ws->ident = green_hub_ident();
        ws->client = client;
        ws->last = &ws->first;
        ws->out_last = &ws->out;
        green__ws_input_init(&ws->in, &site->limits, client);
        if (client)
                green__ws_take_watch(ws);
        return 0;
}

void
green__ws_take_watch(green_websocket *ws)
{
        green_watch_init(green__ws_watch(ws), on_watch, ws);
}

int
green__ws_set_deflate(green_websocket *ws, const struct green__ws_params *agreed)
{
        struct green__ws_deflate *d = green_calloc(1, sizeof(*d));

        if (d == NULL)
                return -ENOMEM;
        d->in.bits = ws->client ? agreed->server_bits : agreed->client_bits;
        d->in.takeover = ws->client ? !agreed->server_no_takeover : !agreed->client_no_takeover;
        d->out.bits = ws->client ? agreed->client_bits : agreed->server_bits;
        d->out.takeover = ws->client ? !agreed->client_no_takeover : !agreed->server_no_takeover;
        d->out.level = (uint8_t)ws->site->opts.deflate_level;
        ws->deflate = d;
        ws->in.inflater = &d->in;
        return 0;
}

void
green__ws_release(green_websocket *ws)
{
        green_watch_stop(green__ws_watch(ws));
        green__ws_drop_queue(ws);
        green__ws_drop_out(ws);
        green__ws_message_free(ws->current);
        green__ws_message_free(ws->rest);
        green__ws_input_end(&ws->in);
        if (ws->deflate != NULL) {
                green__ws_inflater_end(&ws->deflate->in);
                green__ws_deflater_end(&ws->deflate->out);
                green_free(ws->deflate);
        }
        while (ws->texts != NULL) {
                struct green__ws_text *t = ws->texts;

                ws->texts = t->next;
                green_free(t);
        }
        green_websocket_site_unref(ws->site);
        green__ws_local_leave();
}

/* ---- messages */

void
green__ws_drop_queue(green_websocket *ws)
{
        while (ws->first != NULL) {
                struct green__ws_message *m = ws->first;

                ws->first = m->next;
                green__ws_message_free(m);
        }
        ws->last = &ws->first;
        ws->buffered = 0;
}

void
green__ws_deliver(green_websocket *ws, struct green__ws_message *m)
{
        struct green_wait *w = green_waitq_first(&ws->waiters);

        if (ws->over) {
                green__ws_message_free(m);
        } else if (w != NULL) {
                w->value = m;
                green_wake(w, 0);
        } else {
                m->next = NULL;
                *ws->last = m;
                ws->last = &m->next;
                ws->buffered += sizeof(*m) + m->room;
        }
}

/* A handler that rests is called when there is something for it. */
static void
wake_handler(green_websocket *ws)
{
        if (!ws->resting || (ws->first == NULL && !ws->over))
                return;
        if (ws->up.thread != NULL) {
                ws->resting = false;
                green_wake_all(&ws->turn, 0);
                return;
        }
        ws->resting = !green__upgrade_wake(&ws->up);
        if (!ws->resting)
                return;
        /* A little later there may be memory again. Nobody else would call it: its peer may say nothing more. */
        (void)green_watch_stop(green__ws_watch(ws));
        ws->again = green_watch_start(green__ws_watch(ws), GREEN_INVALID_FD, 0, 0.1) == 0;
}

void
green__ws_tell_end(green_websocket *ws)
{
        struct green_wait *w = green_waitq_first(&ws->waiters);

        if (w != NULL) {
                w->value = NULL;
                green_wake(w, 0);
        }
        wake_handler(ws);
}

/* ---- the end, as it comes from the peer */

static void
end_reading(green_websocket *ws)
{
        ws->over = ws->ended = true;
        green_watch_stop(green__ws_watch(ws));
        green__ws_message_free(ws->rest);
        ws->rest = NULL;
        green__ws_input_end(&ws->in);
        green__ws_tell_end(ws);
}

static void
keep_reason(green_websocket *ws, int code, const char *reason)
{
        if (ws->close_code != 0)
                return;
        ws->close_code = (uint16_t)code;
        if (*reason != '\0')
                (void)green__ws_remember(ws, GREEN__WS_REASON, reason);
}

/* What TLS would say at this point would have to wait. */
void
green__ws_cut(green_websocket *ws)
{
        green_fd fd = green_socket_is_tls(ws->socket) ? green_socket_fd(ws->socket) : GREEN_INVALID_FD;

        if (fd == GREEN_INVALID_FD)
                (void)green_socket_shutdown(ws->socket, SHUT_RDWR);
        else
                (void)shutdown(fd, SHUT_RDWR);
}

void
green__ws_lost(green_websocket *ws, int code)
{
        if (ws->lost)
                return;
        ws->lost = true;
        if (ws->writing || ws->locked)
                green__ws_cut(ws);
        green_wake_all(&ws->senders, -EPIPE);
        if (code < 0 && !ws->close_sent)
                green_log(GREEN_LOG_INFO, "green-net: a WebSocket is lost: %s", green_strerror(code));
        if (ws->ended)
                return;
        keep_reason(ws, 1006, "");
        end_reading(ws);
}

void
green__ws_fail(green_websocket *ws, int code, const char *reason)
{
        if (ws->ended)
                return;
        green_log(GREEN_LOG_INFO, "green-net: a WebSocket is closed with %d: %s", code == 0 ? 1011 : code, reason);
        ws->failed = true;
        keep_reason(ws, code == 0 ? 1011 : code, reason);
        green__ws_say_close(ws, code == 0 ? 1011 : code, reason);
        end_reading(ws);
}

void
green__ws_peer_closed(green_websocket *ws)
{
        keep_reason(ws, 1005, "");
        green__ws_say_close(ws, 0, NULL);
        end_reading(ws);
}

static void
take_close(green_websocket *ws, const struct green__ws_message *control)
{
        const char *reason;
        int code;

        if (!green__ws_input_close(&ws->in, control, &code, &reason)) {
                green__ws_fail(ws, ws->in.fail_code, ws->in.fail_reason);
                return;
        }
        keep_reason(ws, code, reason);
        /* With no code one of our own, with a code the same (WS-24). */
        green__ws_say_close(ws, code == 1005 ? 1000 : code, NULL);
        end_reading(ws);
}

static void
take_control(green_websocket *ws)
{
        struct green__ws_message *control = ws->in.control;

        ws->in.control = NULL;
        if (control->type == GREEN__WS_CLOSE)
                take_close(ws, control);
        else if (control->type == GREEN__WS_PING && !green__ws_is_closed(ws))
                (void)green__ws_control(ws, GREEN__WS_PONG, control->data, control->len);
        green__ws_message_free(control);
}

/* ---- bytes */

/* One thing that was found in them. */
static void
take_event(green_websocket *ws, enum green__ws_event event)
{
        struct green__ws_message *m;

        switch (event) {
        case GREEN__WS_MORE:
                break;
        case GREEN__WS_MESSAGE:
                m = ws->in.message;
                ws->in.message = NULL;
                green__ws_deliver(ws, m);
                break;
        case GREEN__WS_CONTROL:
                take_control(ws);
                break;
        case GREEN__WS_FAIL:
                green__ws_fail(ws, ws->in.fail_code, ws->in.fail_reason);
                break;
        }
}

/* They are looked at when there is room for what they hold. */
static void
keep_bytes(green_websocket *ws, const uint8_t *data, size_t len)
{
        ws->rest = green__ws_message_new(len);
        if (ws->rest == NULL) {
                green__ws_fail(ws, 0, "no memory for what comes");
                return;
        }
        memcpy(ws->rest->data, data, len);
        ws->rest->len = len;
}

void
green__ws_feed(green_websocket *ws, uint8_t *data, size_t len)
{
        while (len > 0 && !ws->ended) {
                enum green__ws_event event;
                size_t used;

                if (green__ws_full(ws)) {
                        keep_bytes(ws, data, len);
                        return;
                }
                if (green__ws_is_legacy(ws)) {
                        used = green__ws_legacy_input(ws, data, len);
                        event = GREEN__WS_MORE;
                } else {
                        event = green__ws_input(&ws->in, data, len, &used);
                }
                data += used;
                len -= used;
                take_event(ws, event);
        }
}

/* What was received before, and had to wait. */
static void
feed_rest(green_websocket *ws)
{
        struct green__ws_message *rest = ws->rest;

        if (rest == NULL)
                return;
        ws->rest = NULL;
        green__ws_feed(ws, (uint8_t *)rest->data, rest->len);
        green__ws_message_free(rest);
}

/* One receive. Bytes, or 0 or a code: there is nothing, or never will be. */
static ssize_t
receive_once(green_websocket *ws)
{
        uint8_t *scratch = green__ws_here->scratch;
        size_t room = GREEN__WS_SCRATCH;
        uint8_t *straight = green__ws_is_legacy(ws) ? NULL : green__ws_input_room(&ws->in, &room);
        ssize_t n = green_socket_recv(ws->socket, straight != NULL ? straight : scratch, room, MSG_DONTWAIT);

        if (n <= 0)
                return n;
        ws->pinged = false;
        if (straight != NULL)
                take_event(ws, green__ws_input_received(&ws->in, (size_t)n));
        else
                green__ws_feed(ws, scratch, (size_t)n);
        return n;
}

/* Be called when there is more, or when it is time for a ping, or when one was not answered. */
static void
watch(green_websocket *ws)
{
        double limit = ws->site->opts.ping_interval;
        int rc;

        if (limit <= 0 || green__ws_is_legacy(ws))
                limit = GREEN_FOREVER;
        else if (ws->pinged)
                limit = ws->site->opts.ping_timeout;
        rc = green_socket_watch(ws->socket, green__ws_watch(ws), limit);
        if (rc != 0)
                green__ws_lost(ws, rc);
}

static void
read_on(green_websocket *ws)
{
        size_t left = TURN;

        feed_rest(ws);
        while (!ws->ended && !green__ws_full(ws)) {
                ssize_t n = receive_once(ws);

                if (ws->ended)
                        return;
                if (n == -EAGAIN)
                        break;
                if (n <= 0) {
                        green__ws_lost(ws, (int)n);
                        return;
                }
                if (green_socket_drained(ws->socket) && !green__ws_full(ws))
                        break;
                if (left < (size_t)n) {
                        ws->again = green_watch_start(green__ws_watch(ws), GREEN_INVALID_FD, 0, 0) == 0;
                        if (ws->again)
                                return;
                        left = TURN;
                }
                left -= (size_t)n;
        }
        if (ws->ended)
                return;
        ws->paused = green__ws_full(ws);
        if (!ws->paused)
                watch(ws);
}

void
green__ws_receive(green_websocket *ws)
{
        read_on(ws);
        wake_handler(ws);
}

/* Nothing has come for a while. */
static void
on_silence(green_websocket *ws)
{
        if (ws->pinged) {
                green_log(GREEN_LOG_INFO, "green-net: a WebSocket has not answered a ping");
                green__ws_lost(ws, -ETIMEDOUT);
                return;
        }
        ws->pinged = true;
        if (!green__ws_is_closed(ws))
                (void)green__ws_control(ws, GREEN__WS_PING, NULL, 0);
        if (!ws->ended)
                watch(ws);
}

static void
on_watch(struct green_watch *w, int result, void *arg)
{
        green_websocket *ws = arg;

        (void)w;
        if (!ws->client && ws->up.conn->server->forked)
                return;
        if (ws->again || result >= 0) {
                ws->again = false;
                green__ws_receive(ws);
        } else if (result == -ETIMEDOUT) {
                on_silence(ws);
        } else {
                green__ws_lost(ws, result);
        }
}
