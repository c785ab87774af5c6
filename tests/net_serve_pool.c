/*
 * green_serve() in a green pool that others use too.
 */
#include "net_serve.h"

static int spawned, held;

static void *
hold_slot(void *arg)
{
        struct green_wait w;

        held++;
        CHECK_INT(green_park(arg, &w, GREEN_FOREVER), 0);
        return NULL;
}

static void *
spawn_holder(void *arg)
{
        struct service *sv = arg;

        CHECK_INT(green_greenpool_spawn_n(sv->opts.pool, hold_slot, &sv->others), 0);
        spawned++;
        return NULL;
}

static void
a_pool_may_be_shared_with_others(void)
{
        struct service sv = {.opts = {.size = sizeof sv.opts, .concurrency = 1, .pool = green_greenpool_new(3)}};
        green_greenpool *pool = sv.opts.pool;
        green_socket *clients[4];
        green_thread *gt;

        GREEN_COVERS("CONV-13");
        held = 0;
        begin(&sv, stay);
        /* While nobody comes it holds no place. */
        CHECK_INT(green_greenpool_running(pool), 0);
        CHECK_INT(green_greenpool_spawn_n(pool, hold_slot, &sv.others), 0);
        accept_fault = (struct fault){0};
        for (int i = 0; i < 4; i++)
                clients[i] = green_connect(sv.address, NULL);
        UNTIL(sv.called == 2);
        green_sleep(0.01);
        CHECK_INT(sv.called, 2);
        CHECK(accept_fault.made == 2 || !accepts_by_call());
        CHECK_INT(green_greenpool_running(pool), 3);
        CHECK_INT(green_greenpool_waiting(pool), 1);
        /* It has come before the other, and has the next place; after that it is the other's turn. */
        spawned = 0;
        gt = green_spawn(spawn_holder, &sv);
        green_sleep(0);
        green_wake_one(&sv.others, NULL);
        UNTIL(sv.called == 3);
        CHECK_INT(spawned, 0);
        green_wake_one(&sv.gate, NULL);
        UNTIL(spawned == 1 && held == 2);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(sv.called, 3);
        /* Handlers are tasks of the pool. */
        CHECK_INT(green_greenpool_free(pool), -EBUSY);
        green_wake_all(&sv.others, 0);
        UNTIL(sv.called == 4);
        CHECK_INT(green_greenpool_kill(pool, 0), 3);
        for (int i = 0; i < 4; i++) {
                CHECK(closed(clients[i]));
                CHECK_INT(green_socket_free(clients[i]), 0);
        }
        kill_and_end(&sv);
        unref_handlers(&sv);
        CHECK_INT(green_greenpool_waitall(pool, 5), 0);
        CHECK_INT(green_greenpool_free(pool), 0);
}

static void
it_can_be_ended_while_others_have_all_places(void)
{
        /* By a kill, by the end of the listener, by a handler. */
        for (int how = 0; how < 3; how++) {
                struct service sv = {.opts = {.size = sizeof sv.opts, .pool = green_greenpool_new(2)},
                                     .answer = GREEN_ESTOPSERVE};
                green_socket *client;
                green_thread *gt;

                held = 0;
                begin(&sv, stay);
                CHECK_INT(green_greenpool_spawn_n(sv.opts.pool, hold_slot, &sv.others), 0);
                client = green_connect(sv.address, NULL);
                UNTIL(sv.called == 1);
                green_sleep(0.01);
                CHECK_INT(green_greenpool_waiting(sv.opts.pool), 1);
                spawned = 0;
                gt = green_spawn(spawn_holder, &sv);
                green_sleep(0);
                if (how == 0) {
                        kill_and_end(&sv);
                } else if (how == 1) {
                        CHECK_INT(green_socket_close(sv.listener), 0);
                        CHECK_INT(green_thread_wait(sv.thread, NULL), 0);
                        CHECK_INT(sv.rc, -ECANCELED);
                        green_thread_unref(sv.thread);
                        CHECK_INT(green_socket_free(sv.listener), 0);
                }
                if (how < 2)
                        CHECK_INT(green_greenpool_waiting(sv.opts.pool), 1);
                green_wake_all(&sv.gate, 0);
                if (how == 2)
                        CHECK_INT(end(&sv), 0);
                CHECK(closed(client));
                CHECK_INT(green_socket_free(client), 0);
                /* The place it had or waited for is the next one's. */
                CHECK_INT(green_thread_wait(gt, NULL), 0);
                green_thread_unref(gt);
                UNTIL(held == 2);
                green_wake_all(&sv.others, 0);
                CHECK_INT(green_greenpool_waitall(sv.opts.pool, 5), 0);
                unref_handlers(&sv);
                CHECK_INT(green_greenpool_free(sv.opts.pool), 0);
        }
}

static void *
serve_in_pool(void *arg)
{
        struct service *sv = arg;

        sv->rc = green_serve(sv->listener, sv->handler, sv, &sv->opts);
        return NULL;
}

static void
a_task_of_the_pool_may_serve_in_it_unless_it_has_the_only_place(void)
{
        for (size_t size = 1; size < 3; size++) {
                struct service sv = {.handler = answer,
                                     .answer = GREEN_ESTOPSERVE,
                                     .opts = {.size = sizeof sv.opts, .pool = green_greenpool_new(size)}};
                green_socket *client;
                green_thread *gt;

                sv.listener = listen_here(sv.address);
                client = green_connect(sv.address, NULL);
                gt = green_greenpool_spawn(sv.opts.pool, serve_in_pool, &sv);
                CHECK_INT(green_thread_wait(gt, NULL), 0);
                green_thread_unref(gt);
                CHECK_INT(sv.rc, size == 1 ? -EDEADLK : 0);
                CHECK_INT(sv.called, size - 1);
                CHECK_INT(green_socket_free(client), 0);
                CHECK_INT(green_socket_free(sv.listener), 0);
                CHECK_INT(green_greenpool_waitall(sv.opts.pool, 5), 0);
                CHECK_INT(green_greenpool_free(sv.opts.pool), 0);
        }
}

GREEN_SUITE(net_serve_pool) {
        GREEN_TEST(a_pool_may_be_shared_with_others),
        GREEN_TEST(it_can_be_ended_while_others_have_all_places),
        GREEN_TEST(a_task_of_the_pool_may_serve_in_it_unless_it_has_the_only_place),
        GREEN_SUITE_END
};
