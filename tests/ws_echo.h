/* A handler of WebSockets that sends each message back. */
#ifndef GREEN_WS_ECHO_H
#define GREEN_WS_ECHO_H

#include <green/websocket.h>

static inline int
ws_echo(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc;

        (void)arg;
        while ((rc = green_websocket_wait(ws, &m)) == 1) {
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc != 0)
                        break;
        }
        return rc;
}

#endif
