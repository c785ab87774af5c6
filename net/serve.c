/*
 * Accept connections and run a handler for each: green_serve(). See <green/convenience.h>.
 *
 * Places are the slots of a green pool, the server's own or one that it shares. One is taken first and a connection
 * accepted then; while nobody comes no place is held. The one that serves waits for three things at once, a connection, a
 * place, and being told to stop, so it parks on a queue of its own too: a watch on the listener wakes it, and so do
 * handlers that end. While connections keep coming no time is spent on waiting at all: they are accepted in a row, as many
 * as there are free places.
 *
 * On a hub that runs operations the wait for a connection is an accept that runs ahead: the watch fires when it has brought
 * one. That one may then have to wait for a place, where the pool is shared and others have taken them meanwhile.
 */
#include "socket_priv.h"

#include <limits.h>

#include <green/alloc.h>
#include <green/convenience.h>
#include <green/greenpool.h>
#include <green/watch.h>

#define CONCURRENCY 1000

/* Seconds without accepting after descriptors or memory ran out. */
#define PAUSE_FIRST 0.005
#define PAUSE_MOST 0.5
/* Nanoseconds between two complaints about it. */
#define COMPLAIN_EVERY 10000000000

/* Why the one that serves is parked. */
enum reason {
        FOR_PLACE,      /* all are taken; in the pool's queue as well */
        FOR_CONNECTION, /* the backlog is empty */
        FOR_RESOURCES,  /* descriptors or memory have run out: try again when a handler has ended, or after a pause */
};

struct server;

/* One connection, from before it is accepted until its green thread has ended. */
struct connection {
        struct server *server;
        struct connection *next; /* while it is spare */
        green_socket *client;    /* NULL once closed */
        struct green_addr peer;
};

/* It outlives green_serve() until the last handler has ended. */
struct server {
        green_serve_handler handler;
        void *arg;
        green_socket *listener;   /* touched by the one that serves only */
        struct green_waitq serving; /* the one that serves, while it is parked; wait.user is enum reason */
        struct green_watch watch; /* on the listener, while it waits for a connection */
        struct connection *spare; /* records to use again */
        struct connection *next;  /* the connection that gets the next place, or the record for it */
        green_greenpool *pool;    /* whose slots the places are */
        bool own_pool;            /* it is freed with the server */
        bool has_place;           /* a slot was acquired for the next connection */
        size_t running;           /* handlers that have not ended */
        double pause;             /* the last one, seconds; 0: accepting works */
        int64_t complained;       /* when it was logged last; 0: never */
        int stop;                 /* why to stop, GREEN_ESTOPSERVE or a handler's error; 0: go on */
        bool stop_on_error;
        bool over;                /* green_serve() has returned */
};

static void
free_server(struct server *srv)
{
        struct connection *c;

        while ((c = srv->spare) != NULL) {
                srv->spare = c->next;
                green_free(c);
        }
        if (srv->own_pool)
                green_greenpool_free(srv->pool);
        green_free(srv);
}

/* ---- the handlers' side */

static void
wake(struct server *srv, bool whatever_for)
{
        struct green_wait *w = green_waitq_first(&srv->serving);

        if (w != NULL && (whatever_for || w->user == FOR_RESOURCES))
                green_wake(w, 0);
}

/* A handler has come to an end with a code. */
static void
judge(struct connection *c, int rc)
{
        struct server *srv = c->server;
        char peer[GREEN_ADDR_TEXT_SIZE];

        if (rc >= 0)
                return;
        if (rc != GREEN_ESTOPSERVE) {
                green_addr_format(&c->peer, peer, sizeof peer);
                green_log(GREEN_LOG_WARNING, "green-net: serve: the handler of %s failed: %s (%s)", peer,
                          green_strerror(rc), green_errname(rc));
                if (!srv->stop_on_error)
                        return;
        }
        if (srv->stop == 0)
                srv->stop = rc;
        wake(srv, true);
}

static void
close_client(struct connection *c)
{
        green_socket *client = c->client;

        c->client = NULL;
        /* Somebody may still wait on it, in another green thread: then closing comes first. */
        green_socket_close(client);
        green_socket_free(client);
}

static void *
run_handler(void *arg)
{
        struct connection *c = arg;
        int rc = c->server->handler(c->client, &c->peer, c->server->arg);
        int killed;

        /* What it has registered may still be about the client. */
        green_clean_up();
        close_client(c);
        killed = green_recover();
        if (killed != 0)
                return green_fail(killed);
        judge(c, rc);
        return NULL;
}

/* The green thread of a connection has ended: by itself, by green_exit() in the handler, or killed before it started. */
static void
on_end(green_thread *gt, void *arg)
{
        struct connection *c = arg;
        struct server *srv = c->server;
        const struct green_error *error;

        if (c->client != NULL) {
                close_client(c);
                error = green_thread_error(gt);
                if (error != NULL && error->code != GREEN_EKILLED)
                        judge(c, error->code);
        }
        c->next = srv->spare;
        srv->spare = c;
        srv->running--;
        if (!srv->over)
                wake(srv, false);
        else if (srv->running == 0)
                free_server(srv);
}

/* ---- the serving side */

/* Park until there is a reason to look again, a time limit, a scope, or the end of the listener. */
static int
park(struct server *srv, enum reason reason, double timeout)
{
        struct green_wait w[2] = {{.queue = &srv->serving, .user = reason}, {.queue = &srv->listener->on_close}};

        return green_park_any(w, 2, timeout, NULL);
}

static void
leave_place(struct server *srv)
{
        if (srv->has_place)
                green_greenpool_release(srv->pool);
        srv->has_place = false;
}

/* Have a place. 0 also where there is none, and another reason to look again. */
static int
take_place(struct server *srv)
{
        struct green_wait w[3] = {{.queue = NULL},
                                  {.queue = &srv->serving, .user = FOR_PLACE},
                                  {.queue = &srv->listener->on_close}};
        size_t which = 0;
        int rc;

        if (srv->has_place)
                return 0;
        rc = green_greenpool_acquire(srv->pool, w, 3, GREEN_FOREVER, &which);
        srv->has_place = rc == 0 && which == 0;
        return rc;
}

static void
on_ready(struct green_watch *watch, int result, void *arg)
{
        struct server *srv = arg;
        struct green_wait *w = green_waitq_first(&srv->serving);

        if (w != NULL)
                green_wake(w, result < 0 ? result : 0);
}

/* accept() has said EAGAIN. */
static int
wait_for_connection(struct server *srv)
{
        green_socket *s = srv->listener;
        int rc;

        srv->pause = 0;
        if (s->timeout == 0)
                return -EAGAIN;
        leave_place(srv);
        s->streak = 0;
        (void)green__socket_accept_ahead(s);
        rc = green_watch_start_io(&srv->watch, s->io, GREEN_READ, GREEN_FOREVER);
        if (rc != 0)
                return rc;
        rc = park(srv, FOR_CONNECTION, s->timeout);
        green_watch_stop(&srv->watch);
        return rc;
}

static bool
is_shortage(int rc)
{
        return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS;
}

/* Descriptors or memory have run out: those in the backlog have to wait. */
static int
back_off(struct server *srv, int why)
{
        int64_t now = green__sys_now();
        int rc;

        leave_place(srv);
        srv->pause = srv->pause == 0 ? PAUSE_FIRST : srv->pause * 2;
        if (srv->pause > PAUSE_MOST)
                srv->pause = PAUSE_MOST;
        if (srv->complained == 0 || now - srv->complained >= COMPLAIN_EVERY) {
                green_log(GREEN_LOG_WARNING,
                          "green-net: serve: cannot accept (%s) with %zu connections open; others wait in the backlog",
                          green_strerror(why), srv->running);
                srv->complained = now;
        }
        rc = park(srv, FOR_RESOURCES, srv->pause);
        return rc == -ETIMEDOUT ? 0 : rc;
}

/* Have srv->next hold an accepted connection. -EAGAIN: nobody is there. */
static int
accept_next(struct server *srv)
{
        struct green__limit unused;
        struct connection *c = srv->next;
        int rc;

        /* Closed between two pauses for want of memory: nothing else would tell. */
        if (srv->listener->closed)
                return -EBADF;
        if (c == NULL) {
                c = srv->spare;
                if (c != NULL)
                        srv->spare = c->next;
                else
                        c = green_malloc(sizeof *c);
                if (c == NULL)
                        return -ENOMEM;
                c->server = srv;
                c->client = NULL;
                srv->next = c;
        }
        if (c->client != NULL)
                return 0;
        rc = green__socket_enter(srv->listener, 0, &unused);
        return rc != 0 ? rc : green__socket_accept_now(srv->listener, &c->client, &c->peer);
}

/* Give srv->next a green thread. */
static int
start_handler(struct server *srv)
{
        green_thread *gt = green_greenpool_spawn_acquired(srv->pool, run_handler, srv->next);
        int rc;

        if (gt == NULL)
                return -ENOMEM;
        srv->has_place = false;
        rc = green_thread_link(gt, on_end, srv->next);
        if (rc == 0) {
                srv->running++;
                srv->pause = 0;
                srv->next = NULL;
        } else {
                green_thread_cancel(gt, 0);
        }
        green_thread_unref(gt);
        return rc;
}

static int
serve(struct server *srv)
{
        int rc;

        for (;;) {
                if (srv->stop != 0)
                        return srv->stop;
                rc = take_place(srv);
                if (rc != 0)
                        return rc;
                if (!srv->has_place)
                        continue;
                rc = accept_next(srv);
                if (rc == 0)
                        rc = start_handler(srv);
                if (rc == -EAGAIN)
                        rc = wait_for_connection(srv);
                if (is_shortage(rc))
                        rc = back_off(srv, rc);
                if (rc != 0)
                        return rc;
        }
}

static void
end_server(struct server *srv)
{
        struct connection *c = srv->next;

        leave_place(srv);
        if (c != NULL) {
                close_client(c);
                green_free(c);
        }
        srv->next = NULL;
        srv->over = true;
        if (srv->running == 0)
                free_server(srv);
}

/* May the caller serve in that pool? Where it has the only place there will never be another. */
static int
check_pool(green_greenpool *pool)
{
        int rc = green_greenpool_waitall(pool, 0);
        long available;

        if (rc == -EPERM)
                return rc;
        if (rc != -EDEADLK || green_greenpool_available(pool, &available) != 0)
                return 0;
        if (available + (long)green_greenpool_running(pool) > 1)
                return 0;
        return green_set_error(-EDEADLK, "green_serve: the caller has the only slot of the pool");
}

static struct server *
new_server(const struct green_serve_opts *o)
{
        struct server *srv = green_calloc(1, sizeof *srv);

        if (srv == NULL)
                return NULL;
        srv->own_pool = o->pool == NULL;
        srv->pool = o->pool;
        if (srv->own_pool)
                srv->pool = green_greenpool_new(o->concurrency > 0 ? o->concurrency : CONCURRENCY);
        if (srv->pool == NULL) {
                green_free(srv);
                return NULL;
        }
        srv->stop_on_error = o->stop_on_error;
        return srv;
}

int
green_serve(green_socket *listener, green_serve_handler handler, void *arg, const struct green_serve_opts *opts)
{
        struct green_serve_opts o;
        struct server *srv;
        int rc = handler == NULL ? -EINVAL : green_opts_take(&o, sizeof o, opts);

        if (rc == 0 && o.pool == NULL && o.concurrency > LONG_MAX)
                rc = -EINVAL;
        if (rc == 0)
                rc = green__socket_check(listener);
        if (rc != 0)
                return rc;
        if (green_getcurrent() == NULL)
                return -EDEADLK;
        rc = o.pool == NULL ? 0 : check_pool(o.pool);
        if (rc != 0)
                return rc;
        srv = new_server(&o);
        if (srv == NULL)
                return -ENOMEM;
        srv->handler = handler;
        srv->arg = arg;
        srv->listener = listener;
        green_watch_init(&srv->watch, on_ready, srv);
        green__socket_pin(listener);
        rc = serve(srv);
        /* One that came after the end waits for whoever accepts next. */
        (void)green__socket_stop_ahead(listener);
        end_server(srv);
        rc = green__socket_unpin(listener, rc);
        return rc == GREEN_ESTOPSERVE ? 0 : rc;
}
