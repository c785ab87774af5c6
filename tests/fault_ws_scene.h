/*
 * WebSockets under faults: a server and a client, of which the scenarios of fault_ws.c and fault_ws_end.c say what they do.
 */
#ifndef GREEN_TESTS_FAULT_WS_SCENE_H
#define GREEN_TESTS_FAULT_WS_SCENE_H

#include "fault.h"

#include <errno.h>
#include <string.h>

#include <green/web.h>

/*
 * Where the other end has failed for good, it is not waited for longer than this. Where nothing has failed, it is: see
 * fault_ws_scene.c.
 */
#define BRIEF (0.05 * suite_slow())
/* After what has failed once things go on within this. */
#define LONG (20 * BRIEF)

enum { BIG = 100000, MANY = 8, ANY = BIG + 1, SLEEPERS = 68 };

/* A connection whose memory or system call fails ends; the server goes on, and the peer sees it. */
#define SERVES                                                                                                         \
        (FAULT_BIT(accept4) | FAULT_BIT(alloc) | FAULT_BIT(epoll_ctl) | FAULT_BIT(getpeername) |                       \
         FAULT_BIT(getsockname) | FAULT_BIT(mmap) | FAULT_BIT(recv) | FAULT_BIT(send) | FAULT_BIT(sendmsg) |           \
         FAULT_BIT(setsockopt) | FAULT_BIT(shutdown))

/* A server, what it is told, and what its client does. */
struct scene {
        struct green_websocket_opts opts; /* of the server's */
        struct green_websocket_opts client;
        void (*talk)(struct scene *scene, green_websocket *ws);
        void (*talk_bytes)(green_socket *s); /* in its place: by hand */
        bool rest;                           /* the handler does not wait */
        bool pool;                           /* green threads are of a pool */
        bool kill;                           /* the server ends before its client */
        bool tls;
        green_websocket_prepared *prepared;
        green_websocket_site *site;
        green_socket *listener;
        green_thread *helper; /* of the handler */
        int calls, stage;
};

extern const char fault_ws_big[BIG];

/* The usual handler: it echoes, or does what the first letter of a message says. */
int fault_ws_handler(green_websocket *ws, void *arg);

/* The next message, of that length unless it is ANY. The end shows a fault. */
bool fault_ws_comes(green_websocket *ws, struct green_websocket_message *m, size_t len);

/* Send a text, and take the answer. */
bool fault_ws_asks(green_websocket *ws, const char *text, size_t len);

/* A text in three frames. */
int fault_ws_fragments(green_websocket *ws, const char *text);
int fault_ws_ping_both_ways(green_websocket *ws);

/* All of it: the server with a handler, the client, and their end. The message is what is prepared. */
void fault_ws_play(struct scene *scene, green_websocket_handler handler, const void *message, size_t len);

#endif
