/*
 * Green threads as awaitables.
 */
#include "sync_awaitable.h"

GREEN_SUITE_INIT(sync_init)

static void *
give(void *arg)
{
        int rc = green_sleep(0.001);

        return rc == 0 ? arg : green_fail(rc);
}

static void *
give_error(void *arg)
{
        (void)arg;
        return green_fail(-EXDEV);
}

static void *
give_at_once(void *arg)
{
        return arg;
}

static void
a_green_thread_can_be_awaited_and_result_and_error_pass_on(void)
{
        struct green_awaitable aw;
        green_thread *gt[4] = {green_spawn(give, &aw), green_spawn(give_error, NULL), green_spawn(give_at_once, &gt),
                               green_spawn(give_error, NULL)};
        void *result = NULL;

        GREEN_COVERS("AIO-04");
        CHECK_INT(green_awaitable_thread(&aw, gt[0]), 0);
        CHECK_INT(green_await(&aw, &result), 0);
        CHECK_PTR(result, &aw);
        CHECK_INT(green_awaitable_thread(&aw, gt[1]), 0);
        CHECK_INT(green_await(&aw, &result), -EXDEV);
        /* One that has ended. */
        CHECK_INT(green_awaitable_thread(&aw, gt[2]), 0);
        CHECK(green_thread_dead(gt[2]));
        CHECK_INT(green_await(&aw, &result), 0);
        CHECK_PTR(result, &gt);
        CHECK_INT(green_await(&aw, NULL), 0);
        CHECK_INT(green_awaitable_thread(&aw, gt[3]), 0);
        CHECK_INT(green_await(&aw, &result), -EXDEV);
        for (int i = 0; i < 4; i++)
                green_thread_unref(gt[i]);
        CHECK_STR(log_text, "");
}

static void *
sleep_long(void *arg)
{
        int rc = green_sleep(1000);

        *(int *)arg = rc;
        return rc == 0 ? NULL : green_fail(rc);
}

static void
cancelling_kills_the_green_thread(void)
{
        struct green_awaitable aw;
        int rc = 1;
        green_thread *gt = green_spawn(sleep_long, &rc), *waits;

        GREEN_COVERS("AIO-04");
        CHECK_INT(green_awaitable_thread(&aw, gt), 0);
        waits = green_spawn_for_awaitable(&aw);
        op_pass();
        CHECK(green_thread_alive(waits) && green_thread_alive(gt));
        CHECK_INT(green_kill(waits, -EOWNERDEAD), 0);
        CHECK_INT(join(waits), -EOWNERDEAD);
        CHECK_INT(rc, GREEN_EKILLED);
        CHECK_INT(join(gt), GREEN_EKILLED);
}

static void
cancelling_kills_one_that_has_not_started_too(void)
{
        struct green_awaitable aw;
        int rc = 1;
        green_thread *gt = green_spawn_after(1000, sleep_long, &rc), *waits;

        GREEN_COVERS("AIO-04");
        CHECK_INT(green_awaitable_thread(&aw, gt), 0);
        waits = green_spawn_for_awaitable(&aw);
        op_pass();
        CHECK_INT(green_kill(waits, 0), 0);
        CHECK_INT(join(waits), GREEN_EKILLED);
        CHECK(green_thread_dead(gt));
        CHECK_INT(rc, 1);
        CHECK_INT(join(gt), GREEN_EKILLED);
}

static void *
kill_it_when_killed(void *arg)
{
        CHECK_INT(green_sleep(1000), GREEN_EKILLED);
        CHECK_INT(green_kill(arg, -EXDEV), 0);
        return NULL;
}

static void
a_green_thread_that_was_killed_looks_cancelled(void)
{
        struct green_awaitable aw;
        int rc = 1;
        green_thread *gt = green_spawn(sleep_long, &rc), *waits, *killer;

        GREEN_COVERS("AIO-04");
        CHECK_INT(green_awaitable_thread(&aw, gt), 0);
        waits = green_spawn_for_awaitable(&aw);
        op_pass();
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(waits), GREEN_EKILLED);
        green_thread_unref(gt);
        /* By one that is killed itself: its own code does not get in between. */
        gt = green_spawn_after(1000, sleep_long, &rc);
        CHECK_INT(green_awaitable_thread(&aw, gt), 0);
        waits = green_spawn_for_awaitable(&aw);
        killer = green_spawn(kill_it_when_killed, gt);
        op_pass();
        CHECK_INT(green_kill(killer, 0), 0);
        CHECK_INT(join(killer), GREEN_EKILLED);
        CHECK_INT(join(waits), -EXDEV);
        green_thread_unref(gt);
}

GREEN_SUITE(sync_awaitable_thread) {
        GREEN_TEST(a_green_thread_can_be_awaited_and_result_and_error_pass_on),
        GREEN_TEST(cancelling_kills_the_green_thread),
        GREEN_TEST(cancelling_kills_one_that_has_not_started_too),
        GREEN_TEST(a_green_thread_that_was_killed_looks_cancelled),
        GREEN_SUITE_END
};
