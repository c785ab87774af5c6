/*
 * Who may run. A request that is there as a whole takes a slot of max_size, or waits for one; each is handed over to who
 * waits for longest. Connections whose bytes have come get a green thread as long as there may be a slot for them;
 * others stand in a queue without one. With a custom pool it is the pool that has the slots, and a dispatcher waits for
 * them on behalf of the queue.
 */
#include <stddef.h>
#include <unistd.h>

#include <green/task.h>

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

static void admit(struct green__server *server);

/* It is known what becomes of a green thread that was started. */
static void
started(struct green__conn *conn)
{
        if (!conn->starting)
                return;
        conn->starting = false;
        conn->server->starting--;
}

/* ---- green threads */

/* What is known of one until it has ended. They are kept for others. */
struct green__turn {
        struct green_task task;
        struct green__server *server;
        struct green__conn *conn; /* NULL: it has begun */
        struct green__turn *next;
};

static struct green__turn *
turn_of(struct green__conn *conn)
{
        struct green__server *server = conn->server;
        struct green__turn *turn = server->turns;

        if (turn != NULL)
                server->turns = turn->next;
        else
                turn = green_malloc(sizeof *turn);
        if (turn != NULL)
                *turn = (struct green__turn){.server = server, .conn = conn};
        return turn;
}

static void
turn_free(struct green__turn *turn)
{
        turn->next = turn->server->turns;
        turn->server->turns = turn;
}

void
green__turns_free(struct green__server *server)
{
        while (server->turns != NULL) {
                struct green__turn *turn = server->turns;

                server->turns = turn->next;
                green_free(turn);
        }
}

/*
 * Killed before it began: with its pool, or by the end of the hub. A WebSocket's handler has to be told, and outside of a
 * green thread nothing is closed: that is left to the server's end.
 */
static void
give_up(struct green__conn *conn)
{
        struct green__server *server = conn->server;

        started(conn);
        if (server->pid != getpid())
                return;
        conn->orphan = conn->state == GREEN__CONN_UPGRADED || green_getcurrent() == NULL;
        if (conn->orphan) {
                green_wake_all(&server->all_gone, 0);
                return;
        }
        green__conn_close(conn);
        admit(server);
}

static void
over(struct green__turn *turn)
{
        struct green__server *server = turn->server;

        server->threads--;
        if (turn->conn != NULL)
                give_up(turn->conn);
        turn_free(turn);
        if (server->threads == 0)
                green_wake_all(&server->all_gone, 0);
}

static bool
on_task_end(struct green_task *task, int code, void *result)
{
        (void)code;
        (void)result;
        over((struct green__turn *)(void *)((char *)task - offsetof(struct green__turn, task)));
        return true;
}

static void
on_link(green_thread *gt, void *arg)
{
        (void)gt;
        over(arg);
}

static void *
conn_main(void *arg)
{
        struct green__turn *turn = arg;
        struct green__conn *conn = turn->conn;

        turn->conn = NULL;
        green__conn_run(conn);
        return NULL;
}

bool
green__turn_spawn(struct green__conn *conn)
{
        struct green__turn *turn = turn_of(conn);

        if (turn == NULL)
                return false;
        turn->task.end = on_task_end;
        if (green_spawn_task(&turn->task, conn_main, turn, GREEN_HERE, NULL) != 0) {
                turn_free(turn);
                return false;
        }
        conn->server->threads++;
        return true;
}

void
green__turn_orphans(struct green__server *server)
{
        for (struct green__conn *conn = server->busy.next; conn != &server->busy; conn = conn->next)
                if (conn->orphan)
                        conn->orphan = !green__turn_spawn(conn);
}

/* ---- slots */

static void
start(struct green__conn *conn)
{
        conn->server->starting++;
        conn->starting = true;
        if (green__turn_spawn(conn))
                return;
        started(conn);
        green__conn_close(conn);
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
        struct green__turn *turn = turn_of(conn);
        green_thread *gt;
        bool linked;

        server->threads++;
        gt = turn == NULL ? NULL : green_greenpool_spawn(server->opts.custom_pool, conn_main, turn);
        linked = gt != NULL && green_thread_link(gt, on_link, turn) == 0;
        if (gt != NULL && !linked)
                (void)green_thread_cancel(gt, 0);
        green_thread_unref(gt);
        if (linked)
                return;
        server->threads--;
        if (turn != NULL)
                turn_free(turn);
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
