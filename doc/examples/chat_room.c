/*
 * See chat_room.h.
 *
 * There is no lock: nothing else runs until a green thread waits, and chat_room_tell() never does. It prepares a message
 * once and posts it to everybody. Whoever does not read what was posted, up to max_unsent bytes, is put out of the room
 * rather than allowed to hold up everybody.
 */
#include "chat_room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Made of websocket_chat.html by make. */
static const unsigned char page[] = {
#include "doc/examples/websocket_chat_page.inc"
};

/* Somebody in the room, on the stack of the green thread that serves them. */
struct member {
        struct member *next;
        green_websocket *ws;
        green_thread *closer; /* puts them out; NULL: nobody does */
        char name[CHAT_NAME + 1];
};

struct chat_room {
        green_websocket_site *site;
        struct member *first;
        size_t here, elsewhere; /* people */
        unsigned guests;        /* who had no name */
        const char *note;       /* NULL: none */
        chat_room_heard_fn heard;
        void *heard_arg;
};

/* ---- telling */

static void *
put_out(void *ws)
{
        (void)green_websocket_close(ws, 1013, "too slow");
        return NULL;
}

static void
post(struct member *to, green_websocket_prepared *message)
{
        /* A close waits for the peer's answer, so another green thread does it. Their own sees the end then, and leaves. */
        if (to->closer == NULL && green_websocket_post(to->ws, message) == -EAGAIN)
                to->closer = green_spawn(put_out, to->ws);
}

/* To one, or to everybody where that is NULL. */
static void
say(struct chat_room *room, struct member *one, const char *text)
{
        green_websocket_prepared *message = green_websocket_prepare(GREEN_WEBSOCKET_TEXT, text, strlen(text));

        if (message == NULL)
                return; /* no memory, or not UTF-8 */
        if (one != NULL)
                post(one, message);
        for (struct member *m = one == NULL ? room->first : NULL; m != NULL; m = m->next)
                post(m, message);
        green_websocket_prepared_unref(message);
}

static void
tell_people(struct chat_room *room)
{
        char text[64];

        snprintf(text, sizeof text, "people\t%zu", room->here + room->elsewhere);
        say(room, NULL, text);
}

/* What somebody here does is for everybody, also elsewhere. */
static void
announce(struct chat_room *room, const char *kind, const char *name, const char *text)
{
        char message[CHAT_MESSAGE];

        snprintf(message, sizeof message, "%s\t%s%s%s", kind, name, text == NULL ? "" : "\t", text == NULL ? "" : text);
        say(room, NULL, message);
        if (room->heard != NULL)
                room->heard(message, room->heard_arg);
}

/* ---- coming, talking and leaving */

/* Tabs separate fields, and the rest of these has no place in a line either. */
static void
blank_controls(char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
                        text[i] = ' ';
}

static bool
is_utf8(const char *text, size_t len)
{
        green_websocket_prepared *tried = green_websocket_prepare(GREEN_WEBSOCKET_TEXT, text, len);

        green_websocket_prepared_unref(tried);
        return tried != NULL;
}

/* What ?name=... says, cut to whole characters that fit. False: nothing of use. */
static bool
take_name(struct member *me)
{
        const char *query = green_websocket_environ(me->ws, "QUERY_STRING");
        struct green_http_part rest = {query, query == NULL ? 0 : strlen(query)}, name, value;
        char text[256];
        size_t len;

        while (green_http_next_param(&rest, &name, &value)) {
                if (name.len != 4 || memcmp(name.data, "name", 4) != 0 || value.len == 0 || value.len >= sizeof text)
                        continue;
                len = green_http_unquote(value.data, value.len, GREEN_HTTP_PLUS, text);
                if (!is_utf8(text, len))
                        return false;
                if (len > CHAT_NAME)
                        for (len = CHAT_NAME; ((unsigned char)text[len] & 0xc0) == 0x80;)
                                len--;
                memcpy(me->name, text, len);
                me->name[len] = '\0';
                blank_controls(me->name, len);
                return true;
        }
        return false;
}

static void
enter(struct chat_room *room, struct member *me)
{
        char text[CHAT_MESSAGE];

        if (!take_name(me))
                snprintf(me->name, sizeof me->name, "guest %u", ++room->guests);
        me->next = room->first;
        room->first = me;
        room->here++;
        if (room->note != NULL) {
                snprintf(text, sizeof text, "note\t%s", room->note);
                say(room, me, text);
        }
        announce(room, "join", me->name, NULL);
        tell_people(room);
}

static void
leave(struct chat_room *room, struct member *me)
{
        struct member **at = &room->first;

        while (*at != me)
                at = &(*at)->next;
        *at = me->next;
        room->here--;
        if (me->closer != NULL) {
                green_thread_cancel(me->closer, 0); /* if it has not begun; otherwise the server waits for it */
                green_thread_unref(me->closer);
        }
        announce(room, "leave", me->name, NULL);
        tell_people(room);
}

static int
talk(struct chat_room *room, struct member *me)
{
        struct green_websocket_message m;
        char text[CHAT_TEXT + 1];
        int rc;

        while ((rc = green_websocket_wait(me->ws, &m)) == 1) {
                if (m.type != GREEN_WEBSOCKET_TEXT)
                        return green_websocket_close(me->ws, 1003, "a line is text");
                memcpy(text, m.data, m.len); /* max_message_length sees to it that it fits */
                text[m.len] = '\0';
                blank_controls(text, m.len);
                if (m.len > 0)
                        announce(room, "say", me->name, text);
        }
        return rc;
}

static int
chat(green_websocket *ws, void *arg)
{
        struct member me = {.ws = ws};
        int rc;

        enter(arg, &me);
        rc = talk(arg, &me);
        leave(arg, &me);
        return rc;
}

/* ---- for others */

struct chat_room *
chat_room_new(chat_room_heard_fn heard, void *arg)
{
        struct green_websocket_opts opts = {
                .size = sizeof opts,
                .max_frame_length = CHAT_TEXT,
                .max_message_length = CHAT_TEXT,
                .ping_interval = 30, /* who has gone without a word is found out */
        };
        struct chat_room *room = green_calloc(1, sizeof *room);

        if (room == NULL)
                return NULL;
        room->heard = heard;
        room->heard_arg = arg;
        room->site = green_websocket_wsgi(chat, room, &opts);
        if (room->site != NULL)
                return room;
        green_free(room);
        return NULL;
}

int
chat_room_app(green_wsgi_request *req, void *arg)
{
        struct chat_room *room = arg;
        const char *path = green_wsgi_path(req, NULL);

        if (path == NULL)
                return -ENOMEM;
        if (strcmp(path, "/") == 0)
                return green_wsgi_respond(req, 200, "text/html; charset=utf-8", page, sizeof page);
        if (strcmp(path, "/chat") == 0)
                return green_websocket_app(req, room->site);
        return green_wsgi_respond(req, 404, "text/plain", "no such page\n", 13);
}

void
chat_room_tell(struct chat_room *room, const char *message)
{
        say(room, NULL, message);
}

size_t
chat_room_here(const struct chat_room *room)
{
        return room->here;
}

void
chat_room_set_elsewhere(struct chat_room *room, size_t people)
{
        if (people == room->elsewhere)
                return;
        room->elsewhere = people;
        tell_people(room);
}

void
chat_room_set_note(struct chat_room *room, const char *note)
{
        char text[CHAT_MESSAGE];

        if (note == room->note)
                return;
        room->note = note;
        if (note == NULL)
                return;
        snprintf(text, sizeof text, "note\t%s", note);
        say(room, NULL, text);
}
