/*
 * One chat room on several servers, which hear of one another through Redis: distributed_chat [ADDRESS [REDIS]],
 * 127.0.0.1:7000 and 127.0.0.1:6379 without. It is eventlet's examples/distributed_websocket_chat.py.
 *
 * Start it twice, on two ports, and open both in a browser. It prints "listening on ADDRESS" once it takes connections.
 * The room and its page are those of websocket_chat.c.
 *
 * What people do here is told to them at once, and published as "SERVER TEXT": SERVER is a number that this process has
 * made up, by which it passes over what it hears of itself. A connection that has subscribed to something can do nothing
 * else, so there are two, each with a green thread that makes it anew when it is lost. While there is none, people are
 * told that they are heard here only; what they say then is not kept for later.
 *
 * Each server says "people NUMBER" every few seconds. One that is not heard of for a while is counted no more.
 */
#include <errno.h>
#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_room.h"
#include "resp.h"

#define CHANNEL "green-net:chat"

static const char alone[] = "The other servers cannot be reached: you are heard here only";

enum {
        QUEUE = 1000,    /* texts to be published; more are dropped */
        NEIGHBOURS = 64, /* other servers whose people are counted */
        BEAT = 5,        /* seconds between two "people" */
        MISSED = 3,      /* of these, and a server is forgotten */
        SILENCE = 20     /* seconds without a word, not even our own, and the connection is lost */
};

/* Seconds before Redis is asked again: twice as many each time. */
static const double SHORTEST = 0.1, LONGEST = 5;

struct neighbour {
        unsigned long long server;
        size_t people;
        unsigned beat; /* when it was heard of last */
};

/* This server. */
struct server {
        const char *redis; /* its address */
        struct chat_room *room;
        green_queue *outgoing; /* texts for green_free() */
        unsigned long long number;
        bool connected; /* what others publish is heard */
        size_t said;    /* the last "people" */
        unsigned beat;
        struct neighbour neighbours[NEIGHBOURS];
        size_t count; /* of them */
};

/* ---- publishing */

static void
publish(struct server *me, const char *text)
{
        size_t len = strlen(text) + 32;
        char *copy = me->connected ? green_malloc(len) : NULL;

        if (copy == NULL)
                return;
        snprintf(copy, len, "%llx\t%s", me->number, text);
        if (green_queue_put_nowait(me->outgoing, copy) != 0)
                green_free(copy);
}

static void
publish_people(struct server *me)
{
        char text[64];

        me->said = chat_room_here(me->room);
        snprintf(text, sizeof text, "people\t%zu", me->said);
        publish(me, text);
}

/* People of this room have done something. */
static void
heard(const char *message, void *arg)
{
        struct server *me = arg;

        publish(me, message);
        if (me->said != chat_room_here(me->room))
                publish_people(me);
}

/* A connection to Redis, for green_stream_free(); NULL: there is none now. */
static green_stream *
connect_to_redis(const struct server *me)
{
        struct green_connect_opts opts = {.size = sizeof opts, .timeout = 5};
        green_socket *s = green_connect(me->redis, &opts);
        green_stream *st;

        if (s == NULL)
                return NULL;
        green_socket_set_timeout(s, SILENCE);
        st = green_socket_makefile(s, NULL);
        green_socket_free(s); /* the stream has its own end of the connection */
        return st;
}

static int
publish_now(green_stream *st, const char *text)
{
        const char *const words[] = {"PUBLISH", CHANNEL, text, NULL};
        struct resp answer;
        int rc = resp_send(st, words);

        if (rc == 0)
                rc = resp_read(st, &answer);
        return rc != 0 ? rc : answer.type == ':' ? 0 : -EPROTO;
}

static void *
publish_all(void *arg)
{
        struct server *me = arg;
        green_stream *st = NULL;
        void *text;

        while (green_queue_get(me->outgoing, &text, GREEN_FOREVER) == 0) {
                /* Twice, since the connection may be one that was lost since the last text. */
                for (int i = 0; i < 2 && me->connected; i++) {
                        if (st == NULL)
                                st = connect_to_redis(me);
                        if (st != NULL && publish_now(st, text) == 0)
                                break;
                        green_stream_free(st);
                        st = NULL;
                }
                green_free(text);
        }
        green_stream_free(st);
        return NULL;
}

/* ---- counting */

static void
count(struct server *me)
{
        size_t people = 0;

        for (size_t i = 0; i < me->count; i++)
                people += me->neighbours[i].people;
        chat_room_set_elsewhere(me->room, people);
}

static void
hear_people(struct server *me, unsigned long long server, size_t people)
{
        struct neighbour *n = me->neighbours;

        while (n < me->neighbours + me->count && n->server != server)
                n++;
        if (n == me->neighbours + NEIGHBOURS)
                return;
        if (n == me->neighbours + me->count) {
                me->count++;
                publish_people(me); /* it may be new, and not know of us */
        }
        *n = (struct neighbour){server, people, me->beat};
        count(me);
}

static void
forget_silent(struct server *me)
{
        for (size_t i = me->count; i-- > 0;)
                if (me->beat - me->neighbours[i].beat > MISSED)
                        me->neighbours[i] = me->neighbours[--me->count];
        count(me);
}

static void *
beat(void *arg)
{
        struct server *me = arg;

        while (green_sleep(BEAT) == 0) {
                me->beat++;
                forget_silent(me);
                publish_people(me);
        }
        return NULL;
}

/* ---- hearing */

/* "SERVER TEXT", with a tab between them. */
static void
hear(struct server *me, const char *text)
{
        unsigned long long server;
        char *rest;

        server = strtoull(text, &rest, 16);
        if (*rest++ != '\t' || server == me->number)
                return;
        if (strncmp(rest, "people\t", 7) == 0)
                hear_people(me, server, (size_t)strtoul(rest + 7, NULL, 10));
        else
                chat_room_tell(me->room, rest);
}

static void
set_connected(struct server *me, bool connected)
{
        if (connected == me->connected)
                return;
        me->connected = connected;
        if (connected) {
                chat_room_set_note(me->room, NULL);
                chat_room_tell(me->room, "note\tThe other servers are there");
                publish_people(me);
        } else {
                me->count = 0;
                count(me);
        }
}

/* Returns when the connection is lost; false: it was of no use. */
static bool
subscribe(struct server *me, green_stream *st)
{
        const char *const words[] = {"SUBSCRIBE", CHANNEL, NULL};
        struct resp answer;
        bool useful;
        int rc = resp_send(st, words);

        if (rc == 0)
                rc = resp_read(st, &answer);
        useful = rc == 0 && answer.type == '*';
        if (useful)
                set_connected(me, true);
        while (rc == 0 && answer.type == '*') {
                if (answer.count == 3 && strcmp(answer.texts[0], "message") == 0)
                        hear(me, answer.texts[2]);
                rc = resp_read(st, &answer);
        }
        fprintf(stderr, "distributed_chat: redis: %s\n", rc != 0 ? green_strerror(rc) : answer.texts[0]);
        set_connected(me, false);
        return useful;
}

static void *
hear_all(void *arg)
{
        struct server *me = arg;
        double pause = SHORTEST;

        do {
                green_stream *st = connect_to_redis(me);

                if (st == NULL)
                        fprintf(stderr, "distributed_chat: redis: %s\n", green_last_error()->message);
                pause = st != NULL && subscribe(me, st) ? SHORTEST : pause < LONGEST / 2 ? 2 * pause : LONGEST;
                green_stream_free(st);
                chat_room_set_note(me->room, alone);
        } while (green_sleep(pause) == 0);
        return NULL;
}

/* ---- the program */

static bool
make_number(unsigned long long *ret_number)
{
        FILE *file = fopen("/dev/urandom", "rb");
        bool good = file != NULL && fread(ret_number, sizeof *ret_number, 1, file) == 1;

        if (file != NULL)
                fclose(file);
        return good;
}

static bool
start(struct server *me)
{
        me->room = chat_room_new(heard, me);
        me->outgoing = green_queue_new(QUEUE, NULL);
        return me->room != NULL && me->outgoing != NULL && make_number(&me->number) && green_spawn_n(hear_all, me) == 0 &&
               green_spawn_n(publish_all, me) == 0 && green_spawn_n(beat, me) == 0;
}

int
main(int argc, char **argv)
{
        static struct server me;
        green_socket *listener;
        struct green_addr here;
        char text[GREEN_ADDR_TEXT_SIZE];

        me.redis = argc > 2 ? argv[2] : "127.0.0.1:6379";
        if (!start(&me))
                return fprintf(stderr, "distributed_chat: no memory\n"), 1;
        listener = green_listen(argc > 1 ? argv[1] : "127.0.0.1:7000", NULL);
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "distributed_chat: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        return green_wsgi_server(listener, chat_room_app, me.room, NULL) != 0;
}
