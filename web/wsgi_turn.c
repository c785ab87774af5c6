/*
 * Who may run. A request that is there as a whole takes a slot of max_size, or waits for one; each is handed over to who
 * waits for longest. Connections whose bytes have come get a green thread as long as there may be a slot for them;
 * others stand in a queue without one. With a custom pool it is the pool that has the slots, and a dispatcher waits for
 * them on behalf of the queue.
 */
#include "wsgi_priv.h"

static void
queue_push(struct green__server *server, struct green__conn *conn)
{
        conn->queue_next = NULL;
        *server->queue_end = conn;
        server->queue_end = &conn->queue_next;
        green__note_size(&server->stats->waiting, 1);
}

static struct green__conn *
queue_pop(struct green__server *server)
{
        struct green__conn *conn = server->queue;

        if (conn == NULL)
                return NULL;
        server->queue = conn->queue_next;
        if (server->queue == NULL)
                server->queue_end = &server->queue;
        green__note_size(&server->stats->waiting, -1);
        return conn;
}

static void
count_running(struct green__server *server, size_t running)
{
        server->running = running;
        green__tell_size(&server->stats->running, running);
}

static bool
has_slot(const struct green__server *server)
{
        return server->running + server->starting < server->opts.max_size;
}

void
green__turn_ended(struct green__server *server)
{
        server->threads--;
        if (server->threads == 0)
                green_wake_all(&server->all_gone, 0);
}

static void *
conn_main(void *arg)
{
        struct green__conn *conn = arg;
        struct green__server *server = conn->server;

        green__conn_run(conn);
        green__turn_ended(server);
        return NULL;
}

static void
start(struct green__conn *conn)
{
        struct green__server *server = conn->server;

        server->threads++;
        server->starting++;
        conn->starting = true;
        if (green_spawn_n(conn_main, conn) == 0)
                return;
        server->threads--;
        server->starting--;
        green__conn_close(conn);
}

bool
green__turn_spawn(struct green__conn *conn)
{
        if (green_spawn_n(conn_main, conn) != 0)
                return false;
        conn->server->threads++;
        return true;
}

bool
green__turn_room(const struct green__server *server)
{
        return server->queue == NULL && (server->opts.custom_pool != NULL || has_slot(server));
}

/* Let in who waits in the queue, as far as there are slots. */
static void
admit(struct green__server *server)
{
        if (server->opts.custom_pool != NULL)
                return;
        while (server->queue != NULL && has_slot(server))
                start(queue_pop(server));
        if (green__turn_room(server))
                green_wake_all(&server->room, 0);
}

/* It is known what becomes of a green thread that was started. */
static void
started(struct green__conn *conn)
{
        if (!conn->starting)
                return;
        conn->starting = false;
        conn->server->starting--;
}

void
green__turn_ask(struct green__conn *conn)
{
        struct green__server *server = conn->server;

        if (server->opts.custom_pool != NULL) {
                queue_push(server, conn);
                green_wake_all(&server->dispatch, 0);
        } else if (server->queue == NULL && has_slot(server)) {
                start(conn);
        } else {
                queue_push(server, conn);
        }
}

void
green__turn_pause(struct green__conn *conn)
{
        if (!conn->starting)
                return;
        started(conn);
        admit(conn->server);
}

int
green__turn_take(struct green__conn *conn)
{
        struct green__server *server = conn->server;
        struct green_wait w;
        int rc;

        started(conn);
        if (server->opts.custom_pool != NULL || server->running < server->opts.max_size) {
                count_running(server, server->running + 1);
                return 0;
        }
        if (!server->told_full) {
                server->told_full = true;
                green_log(GREEN_LOG_WARNING, "green-net: %zu requests run at once, others wait: see max_size",
                          server->opts.max_size);
        }
        green__note_size(&server->stats->waiting, 1);
        rc = green_park(&server->slots, &w, GREEN_FOREVER);
        green__note_size(&server->stats->waiting, -1);
        return rc;
}

void
green__turn_give(struct green__conn *conn)
{
        struct green__server *server = conn->server;
        struct green_wait *w = green_waitq_first(&server->slots);

        if (w != NULL) {
                green_wake(w, 0);
                return;
        }
        count_running(server, server->running - 1);
        if (server->queue != NULL || green_waitq_first(&server->room) != NULL)
                admit(server);
}

/* ---- the custom pool */

static void
start_in_pool(struct green__conn *conn)
{
        struct green__server *server = conn->server;

        server->threads++;
        if (green_greenpool_spawn_n(server->opts.custom_pool, conn_main, conn) == 0)
                return;
        server->threads--;
        green__conn_close(conn);
}

static void *
dispatch(void *arg)
{
        struct green__server *server = arg;

        for (;;) {
                struct green__conn *conn = queue_pop(server);
                struct green_wait w;

                if (conn != NULL) {
                        start_in_pool(conn);
                        if (server->queue == NULL)
                                green_wake_all(&server->room, 0);
                } else if (server->closing || green_park(&server->dispatch, &w, GREEN_FOREVER) != 0) {
                        return NULL;
                }
        }
}

int
green__turn_begin(struct green__server *server)
{
        if (server->opts.custom_pool == NULL)
                return 0;
        server->dispatcher = green_spawn(dispatch, server);
        return server->dispatcher == NULL ? -ENOMEM : 0;
}

void
green__turn_drop(struct green__server *server)
{
        struct green__conn *conn;

        while ((conn = queue_pop(server)) != NULL)
                green__conn_close(conn);
        if (server->dispatcher != NULL)
                (void)green_kill(server->dispatcher, 0);
}

void
green__turn_end(struct green__server *server)
{
        if (server->dispatcher == NULL)
                return;
        green_wake_all(&server->dispatch, 0);
        (void)!green_thread_wait(server->dispatcher, NULL);
        green_thread_unref(server->dispatcher);
}
