/*
 * A chat room of WebSockets and its page, websocket_chat.html: what websocket_chat.c and distributed_chat.c share.
 *
 * What the room says is a text of fields with tabs between them, one message each:
 *
 *     say NAME TEXT    somebody's line
 *     join NAME        somebody has come
 *     leave NAME       somebody has left
 *     people NUMBER    so many are there now
 *     note TEXT        something about the server
 *
 * What is said to the room is the text of a line. The name is in the URL: /chat?name=Ann.
 */
#ifndef CHAT_ROOM_H
#define CHAT_ROOM_H

#include <green/web.h>

enum {
        CHAT_NAME = 32,     /* bytes of a name */
        CHAT_TEXT = 1000,   /* bytes of a line */
        CHAT_MESSAGE = 1100 /* bytes that hold every message of a room, and a NUL */
};

struct chat_room;

/* Called with what people of this room do: say, join and leave. Must not yield. */
typedef void (*chat_room_heard_fn)(const char *message, void *arg);

/* A room. heard may be NULL. NULL: green_last_error() says why. */
struct chat_room *chat_room_new(chat_room_heard_fn heard, void *arg);

/* The application, for green_wsgi_server(): arg is the room. */
int chat_room_app(green_wsgi_request *req, void *arg);

/* Tell everybody. Never yields. */
void chat_room_tell(struct chat_room *room, const char *message);

/* People in this room. */
size_t chat_room_here(const struct chat_room *room);

/* People in other rooms, who are to be counted too. Never yields. */
void chat_room_set_elsewhere(struct chat_room *room, size_t people);

/* What is the matter with the server: everybody is told now, and who comes later. A constant; NULL: nothing. Never yields. */
void chat_room_set_note(struct chat_room *room, const char *note);

#endif
