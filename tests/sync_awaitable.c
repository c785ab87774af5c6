/*
 * Awaitables: results, errors, cancelling. The end of the hub, fork and other OS threads are in sync_awaitable_life.c,
 * green threads that are awaited in sync_awaitable_thread.c.
 */
#include "sync_awaitable.h"

GREEN_SUITE_INIT(sync_init)

/* ---- results and errors */

static void
complete_it(void *arg)
{
        struct op *op = arg;

        CHECK_INT(green_complete(op->done, op), 0);
}

static void
fail_it(void *arg)
{
        struct op *op = arg;

        CHECK_INT(green_complete_error(op->done, -EXDEV), 0);
}

static void
here_and_now(void (*fn)(void *), void *arg)
{
        fn(arg);
}

static void
a_result_or_an_error_comes_from_wherever_it_is_told(void)
{
        static void (*const from[])(void (*)(void *), void *) = {here_and_now, in_callback, in_thread};

        GREEN_COVERS("AIO-01");
        for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
                struct op op;
                green_thread *gt;
                void *result = NULL;

                op_init(&op);
                gt = op_spawn(&op);
                CHECK(!green_thread_dead(gt));
                from[i](complete_it, &op);
                CHECK_INT(green_thread_wait(gt, &result), 0);
                CHECK_PTR(result, &op);
                green_thread_unref(gt);
                op_init(&op);
                gt = op_spawn(&op);
                from[i](fail_it, &op);
                CHECK_INT(join(gt), -EXDEV);
                CHECK_INT(op.starts, 1);
                CHECK_INT(op.cancels + op.dropped, 0);
        }
}

static void
one_may_end_while_it_begins(void)
{
        struct op op;
        void *result = NULL;

        GREEN_COVERS("AIO-01");
        op_init(&op);
        op.at_once = true;
        CHECK_INT(green_await(&op.aw, &result), 0);
        CHECK_PTR(result, &op);
        CHECK_INT(green_await(&op.aw, NULL), 0);
        CHECK_INT(op.starts, 2);
        CHECK_INT(op.cancels + op.dropped, 0);
}

static void
one_that_cannot_begin_fails_with_the_code_of_start(void)
{
        struct op op;
        green_thread *gt;
        void *result = &op.rc;

        GREEN_COVERS("AIO-01");
        op_init(&op);
        op.start_rc = -EMFILE;
        CHECK_INT(green_await(&op.aw, &result), -EMFILE);
        CHECK_PTR(result, &op.rc);
        gt = green_spawn_for_awaitable(&op.aw);
        CHECK_INT(join(gt), -EMFILE);
        CHECK_INT(op.cancels, 0);
        /* What start has told counts, whatever it returned. */
        op.at_once = true;
        CHECK_INT(green_await(&op.aw, &result), 0);
        CHECK_PTR(result, &op);
        /* 0 is not the only good result of start. */
        op_init(&op);
        op.start_rc = 7;
        gt = op_spawn(&op);
        CHECK_INT(green_complete(op.done, &op), 0);
        CHECK_INT(join(gt), 0);
}

static void
it_begins_when_its_green_thread_runs_and_others_run_meanwhile(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-01");
        op_init(&op);
        gt = (green_spawn_for_awaitable)(&op.aw);
        CHECK_INT(op.starts, 0);
        CHECK_STR(green_thread_where(gt), "?");
        for (int i = 0; i < 100000 && op.starts == 0; i++)
                turns(1);
        turns(3);
        CHECK(green_thread_alive(gt));
        CHECK_INT(green_complete(op.done, NULL), 0);
        CHECK(green_thread_alive(gt));
        CHECK_INT(join(gt), 0);
        gt = green_spawn_for_awaitable(&op.aw);
        CHECK(strstr(green_thread_where(gt), "sync_awaitable.c:") != NULL);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
}

static void
start_a_copy(struct op *op, green_thread **ret_gt)
{
        struct green_awaitable aw = op->aw;

        *ret_gt = green_spawn_for_awaitable(&aw);
        memset(&aw, 0xff, sizeof aw);
}

static void
the_awaitable_itself_need_not_stay(void)
{
        struct op op;
        green_thread *gt;

        op_init(&op);
        op.at_once = true;
        start_a_copy(&op, &gt);
        CHECK_INT(join(gt), 0);
}

/* ---- hub context */

static int
look_around(void *arg, green_completion *done)
{
        green_event *e = arg;

        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_sleep(0.001), -EDEADLK);
        CHECK_INT(green_event_wait(e, NULL, 1), -EDEADLK);
        CHECK_INT(
                green_await(&(struct green_awaitable){.size = sizeof(struct green_awaitable), .start = op_start}, NULL),
                -EDEADLK);
        (void)done;
        return 0;
}

static void
look_around_and_end(void *arg, green_completion *done)
{
        (void)look_around(arg, done);
        CHECK_INT(green_complete_error(done, -ECANCELED), 0);
}

static void
start_and_cancel_run_in_hub_context_and_cannot_wait(void)
{
        green_event *e = green_event_new();
        const struct green_awaitable aw = {
                .size = sizeof aw, .start = look_around, .cancel = look_around_and_end, .arg = e};
        green_thread *gt = green_spawn_for_awaitable(&aw);

        GREEN_COVERS("AIO-05");
        op_pass();
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(green_event_free(e), 0);
}

static void
await_here(void *arg)
{
        struct op *op = arg;

        op->rc = green_await(&op->aw, NULL);
}

static void
spawn_here(void *arg)
{
        green_thread **gt = arg;
        struct op *op = (struct op *)*gt;

        *gt = green_spawn_for_awaitable(&op->aw);
}

static void
a_hub_callback_may_spawn_for_one_but_not_wait(void)
{
        struct op op;
        green_thread *gt = (green_thread *)&op;

        GREEN_COVERS("AIO-05");
        op_init(&op);
        in_callback(await_here, &op);
        CHECK_INT(op.rc, -EDEADLK);
        CHECK(reported("would have to wait"));
        CHECK_INT(op.starts, 0);
        op.at_once = true;
        in_callback(spawn_here, &gt);
        CHECK_INT(join(gt), 0);
}

/* ---- cancelling */

static void
killing_cancels_it_and_waits_for_its_end(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        gt = op_spawn(&op);
        CHECK_INT(green_kill(gt, 0), 0);
        op_pass();
        CHECK_INT(op.cancels, 1);
        CHECK(green_thread_alive(gt));
        /* It does not go round and round until then. */
        CHECK_INT(hub_info().ready, 0);
        CHECK_INT(green_kill(gt, 0), 0);
        op_pass();
        CHECK_INT(op.cancels, 1);
        CHECK(green_thread_alive(gt));
        CHECK_INT(green_complete_error(op.done, -EXDEV), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.cancels, 1);
        op_init(&op);
        op.ends = true;
        gt = op_spawn(&op);
        CHECK_INT(green_kill(gt, -EOWNERDEAD), 0);
        CHECK_INT(join(gt), -EOWNERDEAD);
        CHECK_INT(op.cancels, 1);
}

static void
kill_thread(void *gt)
{
        CHECK_INT(green_kill(gt, 0), 0);
}

/* Is killed in hub context when it waits, just before start would be called. */
static void *
await_doomed(void *arg)
{
        CHECK_INT(green_hub_post(green_get_hub(), kill_thread, green_getcurrent()), 0);
        return op_await(arg);
}

static void
one_that_is_killed_before_it_begins_never_does(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        gt = green_spawn_for_awaitable(&op.aw);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        /* Start is on its way. */
        gt = green_spawn(await_doomed, &op);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.rc, GREEN_EKILLED);
        op_pass();
        CHECK_INT(op.starts + op.cancels, 0);
        /* Killed on entry. */
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_await(&op.aw, NULL), GREEN_EKILLED);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        op_pass();
        CHECK_INT(op.starts, 0);
}

/* Whether start has been called by then is left to chance; in so many rounds both happen. */
static void
one_that_is_killed_at_any_moment_begins_and_is_cancelled_or_neither(void)
{
        int begun = 0;

        GREEN_COVERS("AIO-03");
        for (int i = 0; i < 2000; i++) {
                struct op op;
                green_thread *gt;

                op_init(&op);
                op.ends = true;
                gt = green_spawn(op_await, &op);
                turns(i % 600);
                CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(join(gt), GREEN_EKILLED);
                CHECK_INT(op.starts, op.cancels);
                begun += op.starts;
        }
        CHECK((begun > 0 && begun < 2000) || suite_slow() > 1);
}

static void *
kill_from_callback(void *arg)
{
        struct op *op = arg;

        op->rc = green_await(&op->aw, &op->result);
        return green_sleep(0) == 0 ? NULL : green_fail(-EPROTO);
}

static int
start_and_kill(void *arg, green_completion *done)
{
        struct op *op = arg;

        op->starts++;
        op->done = done;
        CHECK_INT(green_kill(op->result, 0), 0);
        return 0;
}

static void
one_that_is_killed_while_it_begins_is_cancelled(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        op.aw.start = start_and_kill;
        op.ends = true;
        op.result = gt = green_spawn(kill_from_callback, &op);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.rc, GREEN_EKILLED);
        CHECK_INT(op.starts, 1);
        CHECK_INT(op.cancels, 1);
}

static void
one_that_ends_while_cancel_is_on_its_way_is_not_cancelled(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        gt = op_spawn(&op);
        /* Posted before the kill posts the call of cancel. */
        CHECK_INT(green_hub_post(green_get_hub(), complete_it, &op), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.cancels, 0);
        CHECK_INT(op.dropped, 1);
}

static void
mark(void *arg)
{
        *(bool *)arg = true;
}

/* Whether the hub has called in between is left to chance; in so many rounds, not always. */
static void
it_is_not_over_while_cancel_is_on_its_way(void)
{
        int on_its_way = 0;

        GREEN_COVERS("AIO-03");
        for (int i = 0; i < 1000; i++) {
                struct op op;
                green_thread *gt;
                bool called = false;

                op_init(&op);
                gt = op_spawn(&op);
                CHECK_INT(green_kill(gt, 0), 0);
                /* This comes after the call of cancel. */
                CHECK_INT(green_hub_post(green_get_hub(), mark, &called), 0);
                if (op.cancels == 0)
                        CHECK_INT(green_complete_error(op.done, -ECANCELED), 0);
                turns(1);
                if (!called) {
                        on_its_way++;
                        CHECK(green_thread_alive(gt));
                }
                if (op.cancels > 0)
                        CHECK_INT(green_complete_error(op.done, -ECANCELED), 0);
                CHECK_INT(join(gt), GREEN_EKILLED);
                op_pass();
        }
        CHECK(on_its_way > 0 || suite_slow() > 1);
}

static void
a_timeout_around_the_wait_for_its_green_thread_leaves_it_alone(void)
{
        struct green_timeout t = {{0}};
        struct op op;
        green_thread *gt;
        void *result = NULL;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        gt = op_spawn(&op);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        op_pass();
        CHECK_INT(op.cancels, 0);
        CHECK(green_thread_alive(gt));
        CHECK_INT(green_complete(op.done, &op), 0);
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_PTR(result, &op);
        green_thread_unref(gt);
}

/* Enough that the await has begun by then, also where the machine is busy. */
#define AROUND 0.05

static void
a_timeout_around_the_await_cancels_it(void)
{
        struct green_timeout t = {{0}};
        struct op op;
        void *result = NULL;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        op.ends = true;
        CHECK_INT(green_timeout_start(&t, AROUND), 0);
        CHECK_INT(green_await(&op.aw, &result), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(op.cancels, 1);
        /* A result that comes in spite of it is not given, since the timeout says that it has failed the call. */
        op_init(&op);
        op.succeeds = true;
        CHECK_INT(green_timeout_start(&t, AROUND), 0);
        CHECK_INT(green_await(&op.aw, &result), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_PTR(result, NULL);
        CHECK_INT(op.dropped, 1);
        /* Without a place to drop it. */
        op.aw.drop_result = NULL;
        CHECK_INT(green_timeout_start(&t, AROUND), 0);
        CHECK_INT(green_await(&op.aw, &result), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(op.dropped, 1);
}

static void
one_without_cancel_is_waited_for(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        op.aw.cancel = NULL;
        gt = op_spawn(&op);
        CHECK_INT(green_kill(gt, 0), 0);
        op_pass();
        CHECK(green_thread_alive(gt));
        CHECK_INT(green_complete(op.done, &op), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.dropped, 1);
}

static void *
await_shielded(void *arg)
{
        struct op *op = arg;

        green_shield_begin();
        op->rc = green_await(&op->aw, &op->result);
        green_shield_end();
        return NULL;
}

static void
a_shield_keeps_it_from_being_cancelled(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        gt = green_spawn(await_shielded, &op);
        op_pass();
        CHECK_INT(green_kill(gt, 0), 0);
        op_pass();
        CHECK_INT(op.cancels, 0);
        CHECK_INT(green_complete(op.done, &op), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.rc, 0);
        CHECK_PTR(op.result, &op);
}

static void *
await_twice(void *arg)
{
        struct op *op = arg;
        struct op second;

        op_init(&second);
        op->rc = green_await(&op->aw, &op->result);
        CHECK_INT(green_await(&second.aw, NULL), GREEN_EKILLED);
        CHECK_INT(second.starts, 0);
        return NULL;
}

static void
a_kill_after_its_end_comes_too_late(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        op_init(&op);
        gt = green_spawn(await_twice, &op);
        op_pass();
        CHECK_INT(green_complete(op.done, &op), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.rc, 0);
        CHECK_PTR(op.result, &op);
        CHECK_INT(op.cancels + op.dropped, 0);
}

static void
a_result_that_nobody_can_get_is_dropped_once(void)
{
        struct op op;
        green_thread *gt;

        GREEN_COVERS("AIO-01", "AIO-03");
        /* It was told, and then its green thread was killed. */
        op_init(&op);
        gt = op_spawn(&op);
        CHECK_INT(green_complete(op.done, &op), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(op.dropped, 1);
        /* Nobody has waited. */
        op_init(&op);
        gt = op_spawn(&op);
        CHECK_INT(green_complete(op.done, &op), 0);
        op_pass();
        CHECK_INT(op.dropped, 0);
        green_thread_unref(gt);
        CHECK_INT(op.dropped, 1);
}

/* ---- misuse */

static void
what_makes_no_sense_is_refused(void)
{
        struct green_awaitable aw = {.size = sizeof aw};
        struct op op;

        op_init(&op);
        CHECK_INT(green_await(NULL, NULL), -EINVAL);
        CHECK_INT(green_await(&aw, NULL), -EINVAL);
        CHECK(reported("green_await: no awaitable, or one without a start"));
        CHECK_PTR(green_spawn_for_awaitable(NULL), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_spawn_for_awaitable(&aw), NULL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK(reported("green_spawn_for_awaitable: no awaitable, or one without a start"));
        op.aw.size = sizeof op.aw + 1;
        CHECK_INT(green_await(&op.aw, NULL), -EINVAL);
        CHECK(reported("of a size that is not known"));
        op.aw.size = 0;
        CHECK_PTR(green_spawn_for_awaitable(&op.aw), NULL);
        CHECK_INT(green_complete(NULL, NULL), -EINVAL);
        CHECK_INT(green_complete_error(NULL, -EIO), -EINVAL);
        CHECK_INT(green_awaitable_thread(NULL, green_getcurrent()), -EINVAL);
        CHECK_INT(green_awaitable_thread(&aw, NULL), -EINVAL);
        CHECK(reported("green_awaitable_thread: no green thread"));
        CHECK_INT(green_awaitable_thread(&aw, green_getcurrent()), 0);
        CHECK_INT(green_await(&aw, NULL), -EDEADLK);
        CHECK(reported("cannot wait for its own end"));
}

static void
an_end_that_is_told_twice_counts_once(void)
{
        struct op op;
        green_thread *gt;
        void *result = NULL;

        op_init(&op);
        gt = op_spawn(&op);
        CHECK_INT(green_complete_error(op.done, 0), -EINVAL);
        CHECK_INT(green_complete_error(op.done, 5), -EINVAL);
        CHECK_INT(green_complete(op.done, &op), 0);
        log_text[0] = '\0';
        CHECK_INT(green_complete(op.done, NULL), -EALREADY);
        CHECK(reported("the operation has ended already"));
        CHECK_INT(green_complete_error(op.done, -EIO), -EALREADY);
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_PTR(result, &op);
        green_thread_unref(gt);
}

static int
free_thread(green_thread *gt)
{
        return gt == NULL ? 0 : join(gt);
}

static void
without_memory_it_is_not_begun(void)
{
        struct op op;
        int enough = 0, rc;

        op_init(&op);
        op.at_once = true;
        while (memory_left = enough, rc = green_await(&op.aw, NULL), memory_left = -1, rc != 0 && enough < 10) {
                CHECK_INT(rc, -ENOMEM);
                CHECK_INT(op.starts, 0);
                enough++;
        }
        CHECK_RANGE(enough, 1, 3);
        CHECK_NEEDS_MEMORY(green_thread *, green_spawn_for_awaitable(&op.aw), free_thread);
        /* Once it is begun no memory is needed, neither to cancel nor to end. */
        op_init(&op);
        op.ends = true;
        green_thread_unref(op_spawn(&op));
        memory_left = 0;
        CHECK_INT(green_complete(op.done, NULL), 0);
        turns(1);
        memory_left = -1;
}

GREEN_SUITE(sync_awaitable) {
        GREEN_TEST(a_result_or_an_error_comes_from_wherever_it_is_told),
        GREEN_TEST(one_may_end_while_it_begins),
        GREEN_TEST(one_that_cannot_begin_fails_with_the_code_of_start),
        GREEN_TEST(it_begins_when_its_green_thread_runs_and_others_run_meanwhile),
        GREEN_TEST(the_awaitable_itself_need_not_stay),
        GREEN_TEST(start_and_cancel_run_in_hub_context_and_cannot_wait),
        GREEN_TEST(a_hub_callback_may_spawn_for_one_but_not_wait),
        GREEN_TEST(killing_cancels_it_and_waits_for_its_end),
        GREEN_TEST(one_that_is_killed_before_it_begins_never_does),
        GREEN_TEST(one_that_is_killed_at_any_moment_begins_and_is_cancelled_or_neither),
        GREEN_TEST(one_that_is_killed_while_it_begins_is_cancelled),
        GREEN_TEST(one_that_ends_while_cancel_is_on_its_way_is_not_cancelled),
        GREEN_TEST(it_is_not_over_while_cancel_is_on_its_way),
        GREEN_TEST(a_timeout_around_the_wait_for_its_green_thread_leaves_it_alone),
        GREEN_TEST(a_timeout_around_the_await_cancels_it),
        GREEN_TEST(one_without_cancel_is_waited_for),
        GREEN_TEST(a_shield_keeps_it_from_being_cancelled),
        GREEN_TEST(a_kill_after_its_end_comes_too_late),
        GREEN_TEST(a_result_that_nobody_can_get_is_dropped_once),
        GREEN_TEST(what_makes_no_sense_is_refused),
        GREEN_TEST(an_end_that_is_told_twice_counts_once),
        GREEN_TEST(without_memory_it_is_not_begun),
        GREEN_SUITE_END
};
