/*
 * A chat room in the browser: websocket_chat [ADDRESS], 127.0.0.1:7000 without one. It is eventlet's
 * examples/websocket_chat.py.
 *
 * Open http://127.0.0.1:7000/ in several tabs. It prints "listening on ADDRESS" once it takes connections. The room is in
 * chat_room.c, the page is websocket_chat.html. distributed_chat.c is the same on several servers.
 */
#include <green/green.h>
#include <stdio.h>

#include "chat_room.h"

int
main(int argc, char **argv)
{
        struct chat_room *room = chat_room_new(NULL, NULL);
        green_socket *listener;
        struct green_addr here;
        char text[GREEN_ADDR_TEXT_SIZE];

        listener = room == NULL ? NULL : green_listen(argc > 1 ? argv[1] : "127.0.0.1:7000", NULL);
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "websocket_chat: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        return green_wsgi_server(listener, chat_room_app, room, NULL) != 0;
}
