/*
 * What the tests of green_serve() share: a server in a green thread of its own, and handlers.
 */
#ifndef GREEN_TESTS_NET_SERVE_H
#define GREEN_TESTS_NET_SERVE_H

#include "net_suite.h"

#include "net_fault.h"

#include <fcntl.h>

/* A server in a green thread of its own. */
struct service {
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener;
        green_serve_handler handler;
        struct green_serve_opts opts;
        green_thread *thread;
        int rc;
        bool over;
        /* What handlers do with it. */
        int called, running, most;
        struct green_waitq gate; /* handlers wait here */
        struct green_waitq others; /* other tasks of a shared pool wait here */
        green_thread *handlers[8];
        int answer;
};

static inline void *
serve(void *arg)
{
        struct service *sv = arg;

        sv->rc = green_serve(sv->listener, sv->handler, sv, sv->opts.size != 0 ? &sv->opts : NULL);
        sv->over = true;
        return NULL;
}

static inline void
begin(struct service *sv, green_serve_handler handler)
{
        sv->listener = listen_here(sv->address);
        sv->handler = handler;
        sv->thread = green_spawn(serve, sv);
        green_sleep(0);
        CHECK(!sv->over);
}

/* Wait for the end of the server, and make sure that the listener is still open. */
static inline int
end(struct service *sv)
{
        CHECK_INT(green_thread_wait(sv->thread, NULL), 0);
        green_thread_unref(sv->thread);
        CHECK(sv->over);
        CHECK(fcntl(green_socket_fd(sv->listener), F_GETFD) >= 0);
        CHECK_INT(green_socket_free(sv->listener), 0);
        return sv->rc;
}

static inline void
kill_and_end(struct service *sv)
{
        CHECK_INT(green_kill(sv->thread, 0), 0);
        CHECK_INT(green_thread_wait(sv->thread, NULL), GREEN_EKILLED);
        green_thread_unref(sv->thread);
        CHECK_INT(sv->rc, GREEN_EKILLED);
        CHECK_INT(green_socket_free(sv->listener), 0);
}

/* Let everything run that can, until a condition holds. */
#define UNTIL(condition)                                                                                               \
        do {                                                                                                           \
                for (int tries_ = 0; !(condition) && tries_ < 2000; tries_++)                                          \
                        green_sleep(0.001);                                                                            \
                CHECK(condition);                                                                                      \
        } while (0)

/* The peer has closed the connection. */
static inline bool
closed(green_socket *client)
{
        char byte;

        CHECK_INT(green_socket_set_timeout(client, 5), 0);
        return green_socket_recv(client, &byte, 1, 0) == 0;
}

/* ---- handlers */

/* Send back what the peer sends. */
static inline int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        struct service *sv = arg;
        struct green_addr told;
        char buf[64];
        ssize_t n;

        sv->called++;
        CHECK_INT(green_socket_getpeername(client, &told), 0);
        CHECK(green_addr_equal(&told, peer));
        while ((n = green_socket_recv(client, buf, sizeof buf, 0)) > 0)
                if (green_socket_sendall(client, buf, (size_t)n, 0, NULL) != 0)
                        break;
        return 77; /* means nothing */
}

/* Return a code. */
static inline int
answer(green_socket *client, const struct green_addr *peer, void *arg)
{
        struct service *sv = arg;

        sv->called++;
        return sv->answer;
}

/* Stay until let go. */
static inline int
stay(green_socket *client, const struct green_addr *peer, void *arg)
{
        struct service *sv = arg;
        struct green_wait w;
        int rc;

        if (sv->called < 8)
                sv->handlers[sv->called] = green_thread_ref(green_getcurrent());
        sv->called++;
        sv->running++;
        if (sv->running > sv->most)
                sv->most = sv->running;
        rc = green_park(&sv->gate, &w, GREEN_FOREVER);
        sv->running--;
        return rc != 0 ? rc : sv->answer;
}

static inline void
unref_handlers(struct service *sv)
{
        for (int i = 0; i < 8; i++)
                green_thread_unref(sv->handlers[i]);
}

#endif
