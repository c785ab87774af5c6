/*
 * Waiting for messages.
 */
#include "ws_priv.h"

enum { STREAK = 64 }; /* messages that may be taken without waiting before others run */

static struct green__ws_message *
pop(green_websocket *ws)
{
        struct green__ws_message *m = ws->first;

        ws->first = m->next;
        if (ws->first == NULL)
                ws->last = &ws->first;
        ws->buffered -= sizeof(*m) + m->room;
        return m;
}

static int
give(green_websocket *ws, struct green__ws_message *m, struct green_websocket_message *ret)
{
        ws->current = m;
        ret->type = m->type == GREEN__WS_TEXT ? GREEN_WEBSOCKET_TEXT : GREEN_WEBSOCKET_BINARY;
        ret->data = m->data;
        ret->len = m->len;
        return 1;
}

/* There is room again: read on, so that pings are seen while the handler is busy. */
static void
resume(green_websocket *ws)
{
        if (!ws->paused || green__ws_full(ws))
                return;
        ws->paused = false;
        green__ws_receive(ws);
}

/* A peer that sends as fast as its messages are taken keeps nobody from running. */
static int
let_others_run(green_websocket *ws)
{
        int rc;

        if (++ws->streak < STREAK)
                return 0;
        ws->streak = 0;
        ws->users++;
        rc = green_sleep(0);
        green__ws_leave(ws);
        return rc;
}

int
green_websocket_wait(green_websocket *ws, struct green_websocket_message *ret_message)
{
        struct green_wait w;
        int rc = green__ws_check(ws);

        if (rc == 0)
                rc = ret_message == NULL ? -EINVAL : green_park_check(ws->ident, "a WebSocket", GREEN_FOREVER, NULL);
        if (rc != 0)
                return rc;
        if (green_waitq_first(&ws->waiters) != NULL)
                return -EBUSY;
        green__ws_message_free(ws->current);
        ws->current = NULL;
        if (ws->first != NULL) {
                rc = let_others_run(ws);
                if (rc != 0)
                        return rc;
        }
        if (ws->first != NULL) {
                struct green__ws_message *m = pop(ws);

                resume(ws);
                return give(ws, m, ret_message);
        }
        if (ws->over) {
                ws->told_end = true;
                return 0;
        }
        if (green_waitq_first(&ws->waiters) != NULL)
                return -EBUSY;
        ws->streak = 0;
        ws->users++;
        rc = green_park(&ws->waiters, &w, GREEN_FOREVER);
        green__ws_leave(ws);
        if (rc != 0)
                return rc;
        if (w.value != NULL)
                return give(ws, w.value, ret_message);
        ws->told_end = true;
        return 0;
}

bool
green_websocket_pending(const green_websocket *ws)
{
        return ws == NULL || ws->first != NULL || ws->over;
}
