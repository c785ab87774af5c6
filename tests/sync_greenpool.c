/*
 * Green pools: spawning into them, resizing.
 */
#include "sync_greenpool.h"

GREEN_SUITE_INIT(greenpool_init)

/* ---- spawn */

static void
a_spawn_does_not_yield_while_there_is_a_slot(void)
{
        GREEN_COVERS("GPOOL-01", "GPOOL-02", "GPOOL-07", "GPOOL-08");
        green_greenpool *p = green_greenpool_new(2);
        green_thread *gt[2];
        void *result = NULL;

        CHECK_INT(available(p), 2);
        for (int i = 0; i < 2; i++)
                gt[i] = green_greenpool_spawn(p, quick, PTR(i + 1));
        CHECK_INT(ran, 0);
        CHECK_INT(available(p), 0);
        CHECK(counts(p, 2, 0));
        CHECK(strstr(green_thread_where(gt[0]), "sync_greenpool.c") != NULL);
        CHECK_INT(green_thread_wait(gt[1], &result), 0);
        CHECK_PTR(result, PTR(2));
        CHECK(counts(p, 0, 0));
        CHECK_INT(join(gt[0]), 0);
        CHECK_INT(join(gt[1]), 0);
        CHECK_INT((green_greenpool_spawn_n)(p, quick, NULL), 0);
        gt[0] = (green_greenpool_spawn)(p, quick, NULL);
        CHECK_STR(green_thread_where(gt[0]), "?");
        CHECK_INT(join(gt[0]), 0);
        CHECK_INT(ran, 4);
        CHECK_INT(green_greenpool_free(p), 0);
        CHECK_INT(green_greenpool_free(NULL), 0);
}

static void
a_spawn_into_a_full_pool_waits_for_its_turn(void)
{
        GREEN_COVERS("GPOOL-02", "GPOOL-08", "GPOOL-13");
        green_greenpool *p = green_greenpool_new(1);
        struct spawner s[3];

        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        for (int i = 0; i < 3; i++)
                spawner_begin(&s[i], p, GREEN_FOREVER);
        CHECK(counts(p, 1, 3));
        CHECK_INT(green_greenpool_free(p), -EBUSY);
        CHECK(reported("in use"));
        for (int i = 0; i < 3; i++) {
                green_wake_one(&gate, NULL);
                turns(1);
                /* The slot is handed over: nobody overtakes, though the one that has it has not run. */
                CHECK(counts(p, 1, (size_t)(2 - i)));
                CHECK_INT(green_greenpool_acquire(p, NULL, 0, 0, NULL), -ETIMEDOUT);
                turns(2);
                for (int k = 0; k < 3; k++)
                        CHECK_INT(s[k].rc, k <= i ? 0 : 9);
        }
        let_all_go();
        for (int i = 0; i < 3; i++)
                spawner_end(&s[i], 0, 0);
        CHECK_INT(most, 1);
        CHECK(counts(p, 0, 0));
        CHECK_INT(green_greenpool_free(p), 0);
}

static void *
fail_it(void *arg)
{
        return green_fail(INT(arg));
}

static void *
leave(void *arg)
{
        green_exit(green_fail(INT(arg)));
}

static void
a_slot_is_free_again_however_its_task_ends(void)
{
        GREEN_COVERS("GPOOL-04", "GPOOL-03");
        green_greenpool *p = green_greenpool_new(1);
        green_thread *gt;

        for (int how = 0; how < 6; how++) {
                struct spawner s;

                log_text[0] = '\0';
                gt = green_greenpool_spawn(p,
                                           how == 1   ? fail_it
                                           : how == 2 ? leave
                                           : how == 0 ? quick
                                                      : stay,
                                           PTR(-EIO));
                CHECK(gt != NULL);
                if (how >= 4)
                        turns(1);
                if (how < 3)
                        CHECK_INT(green_thread_wait(gt, NULL), how == 0 ? 0 : -EIO);
                else if (how == 3) /* before its start */
                        CHECK_INT(green_kill(gt, 0), 0);
                else
                        CHECK_INT(how == 4 ? green_kill(gt, 0) : green_thread_kill(gt, -EIO), 0);
                CHECK(counts(p, 0, 0));
                green_thread_unref(gt);
                spawner_begin(&s, p, GREEN_FOREVER);
                CHECK_INT(s.rc, 0);
                let_all_go();
                spawner_end(&s, 0, 0);
        }
        CHECK_INT(green_greenpool_spawn_n(p, fail_it, PTR(-EIO)), 0);
        turns(1);
        CHECK(strstr(log_text, "sync_greenpool.c") != NULL && strstr(log_text, "EIO") != NULL);
        log_text[0] = '\0';
        CHECK_INT(green_greenpool_spawn_n(p, fail_it, PTR(GREEN_EKILLED)), 0);
        turns(1);
        CHECK_STR(log_text, "");
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
a_spawner_that_gives_up_leaves_the_pool_as_it_was(void)
{
        GREEN_COVERS("GPOOL-13");
        green_greenpool *p = green_greenpool_new(1);
        struct spawner s[3];

        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        for (int i = 0; i < 3; i++)
                spawner_begin(&s[i], p, i == 1 ? 0.001 : GREEN_FOREVER);
        CHECK_INT(green_kill(s[0].gt, -EPIPE), 0);
        spawner_end(&s[0], -EPIPE, -EPIPE);
        spawner_end(&s[1], GREEN_ETIMEOUT, 0);
        CHECK(counts(p, 1, 1));
        green_wake_one(&gate, NULL);
        turns(3);
        CHECK_INT(s[2].rc, 0);
        CHECK(counts(p, 1, 0));
        let_all_go();
        spawner_end(&s[2], 0, 0);
        CHECK(counts(p, 0, 0));
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
a_spawner_that_is_killed_after_it_was_woken_has_spawned(void)
{
        GREEN_COVERS("GPOOL-13");
        green_greenpool *p = green_greenpool_new(1);
        struct spawner s;

        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        spawner_begin(&s, p, GREEN_FOREVER);
        CHECK_INT(green_greenpool_resize(p, 2), 0);
        CHECK_INT(s.rc, 9);
        CHECK(counts(p, 2, 0));
        CHECK_INT(green_kill(s.gt, 0), 0);
        CHECK_INT(s.rc, 0);
        let_all_go();
        spawner_end(&s, 0, GREEN_EKILLED);
        CHECK_INT(s.next, GREEN_EKILLED);
        CHECK(counts(p, 0, 0));
        CHECK_INT(green_greenpool_free(p), 0);
}

static void *
killed_before(void *arg)
{
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_greenpool_spawn_n(arg, quick, NULL), GREEN_EKILLED);
        CHECK_PTR(green_greenpool_spawn(arg, quick, NULL), NULL);
        CHECK_INT(green_last_error()->code, GREEN_EKILLED);
        CHECK_INT(green_greenpool_acquire(arg, NULL, 0, GREEN_FOREVER, NULL), GREEN_EKILLED);
        CHECK_INT(green_greenpool_waitall(arg, GREEN_FOREVER), GREEN_EKILLED);
        CHECK_INT(green_greenpool_waitall(arg, 0), 0);
        green_shield_begin();
        CHECK_INT(green_greenpool_spawn_n(arg, quick, NULL), 0);
        green_shield_end();
        return NULL;
}

static void
a_killed_caller_spawns_nothing_unless_it_is_shielded(void)
{
        green_greenpool *p = green_greenpool_new(1);

        CHECK_INT(join(green_spawn(killed_before, p)), GREEN_EKILLED);
        turns(1);
        CHECK_INT(ran, 1);
        CHECK_INT(green_greenpool_free(p), 0);
}

/* ---- nested spawns */

struct nest {
        green_greenpool *pool;
        int depth;
        green_thread *self;
};

static void *
nested(void *arg)
{
        struct nest *n = arg;
        green_thread *gt;
        void *result = NULL;

        ran++;
        if (n->self == NULL)
                n->self = green_getcurrent();
        CHECK_PTR(green_getcurrent(), n->self);
        if (n->depth-- == 0)
                return PTR(7);
        gt = green_greenpool_spawn(n->pool, nested, n);
        CHECK(green_thread_dead(gt));
        CHECK(gt != n->self);
        CHECK(counts(n->pool, 1, 0));
        CHECK_INT(green_thread_wait(gt, &result), 0);
        green_thread_unref(gt);
        CHECK_INT(green_greenpool_spawn_n(n->pool, quick, NULL), 0);
        return result;
}

static void
a_task_of_a_full_pool_runs_what_it_spawns_itself(void)
{
        GREEN_COVERS("GPOOL-05");
        struct nest n = {.pool = green_greenpool_new(1), .depth = 3};
        green_thread *gt = green_greenpool_spawn(n.pool, nested, &n);
        void *result = NULL;

        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_PTR(result, PTR(7));
        CHECK_INT(join(gt), 0);
        CHECK_INT(ran, 4 + 3);
        CHECK(counts(n.pool, 0, 0));
        CHECK_INT(green_greenpool_free(n.pool), 0);
}

static void *
spawn_failures(void *arg)
{
        green_thread *gt = green_greenpool_spawn(arg, fail_it, PTR(-EIO));

        CHECK(gt != NULL);
        CHECK_INT(green_thread_wait(gt, NULL), -EIO);
        green_thread_unref(gt);
        CHECK_STR(log_text, "");
        CHECK_INT(green_greenpool_spawn_n(arg, fail_it, PTR(-EIO)), 0);
        CHECK(strstr(log_text, "EIO") != NULL);
        return PTR(3);
}

static void
the_failure_of_what_was_run_inside_is_in_its_handle_only(void)
{
        GREEN_COVERS("GPOOL-06");
        green_greenpool *p = green_greenpool_new(1);

        CHECK_INT(join(green_greenpool_spawn(p, spawn_failures, p)), 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void *
spawn_elsewhere(void *arg)
{
        green_greenpool **p = arg;
        green_thread *gt = green_greenpool_spawn(p[1], stay, NULL);

        CHECK(!green_thread_dead(gt));
        green_thread_unref(gt);
        gt = green_spawn(stay, NULL);
        green_thread_unref(gt);
        return NULL;
}

static void *
try_full(void *arg)
{
        green_greenpool **p = arg;
        struct green_timeout t = {{0}};

        /* The other pool is full, and this one is no task of it. */
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(green_greenpool_spawn_n(p[1], quick, NULL), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_greenpool_spawn_n(p[0], quick, NULL), 0);
        CHECK_INT(ran, 3);
        return NULL;
}

static void
only_tasks_of_the_same_pool_run_what_they_spawn(void)
{
        GREEN_COVERS("GPOOL-05");
        green_greenpool *p[2] = {green_greenpool_new(1), green_greenpool_new(1)};

        CHECK_INT(join(green_greenpool_spawn(p[0], spawn_elsewhere, p)), 0);
        turns(1);
        CHECK_INT(ran, 2);
        CHECK_INT(join(green_greenpool_spawn(p[0], try_full, p)), 0);
        let_all_go();
        CHECK_INT(green_greenpool_free(p[0]), 0);
        CHECK_INT(green_greenpool_free(p[1]), 0);
}

static void *
leave_nested(void *arg)
{
        return green_greenpool_spawn_n(arg, leave, PTR(-EIO)) == 0 ? PTR(1) : NULL;
}

static void
an_exit_inside_ends_the_task_and_frees_its_slot(void)
{
        green_greenpool *p = green_greenpool_new(1);

        CHECK_INT(join(green_greenpool_spawn(p, leave_nested, p)), -EIO);
        CHECK(counts(p, 0, 0));
        CHECK_INT(green_greenpool_free(p), 0);
}

/* ---- resize */

static void
growing_wakes_as_many_as_there_are_new_slots(void)
{
        GREEN_COVERS("GPOOL-10");
        green_greenpool *p = green_greenpool_new(0);
        struct spawner s[4];

        for (int i = 0; i < 4; i++)
                spawner_begin(&s[i], p, GREEN_FOREVER);
        CHECK(counts(p, 0, 4));
        CHECK_INT(available(p), 0);
        CHECK_INT(green_greenpool_resize(p, 3), 0);
        CHECK(counts(p, 3, 1));
        turns(2);
        CHECK_INT(s[2].rc, 0);
        CHECK_INT(s[3].rc, 9);
        CHECK(counts(p, 3, 1));
        CHECK_INT(green_greenpool_resize(p, 100), 0);
        turns(2);
        CHECK(counts(p, 4, 0));
        let_all_go();
        for (int i = 0; i < 4; i++)
                spawner_end(&s[i], 0, 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
shrinking_leaves_those_that_run_alone(void)
{
        GREEN_COVERS("GPOOL-09", "GPOOL-07");
        green_greenpool *p = green_greenpool_new(3);
        struct spawner s;

        for (int i = 0; i < 3; i++)
                CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        turns(1);
        CHECK_INT(green_greenpool_resize(p, 1), 0);
        CHECK_INT(available(p), -2);
        CHECK(counts(p, 3, 0));
        spawner_begin(&s, p, GREEN_FOREVER);
        for (int i = 0; i < 2; i++) {
                green_wake_one(&gate, NULL);
                turns(3);
                CHECK_INT(s.rc, 9);
                CHECK(counts(p, (size_t)(2 - i), 1));
        }
        CHECK_INT(available(p), 0);
        green_wake_one(&gate, NULL);
        turns(3);
        CHECK_INT(s.rc, 0);
        let_all_go();
        spawner_end(&s, 0, 0);
        CHECK_INT(available(p), 1);
        CHECK_INT(green_greenpool_free(p), 0);
}

GREEN_SUITE(sync_greenpool) {
        GREEN_TEST(a_spawn_does_not_yield_while_there_is_a_slot),
        GREEN_TEST(a_spawn_into_a_full_pool_waits_for_its_turn),
        GREEN_TEST(a_slot_is_free_again_however_its_task_ends),
        GREEN_TEST(a_spawner_that_gives_up_leaves_the_pool_as_it_was),
        GREEN_TEST(a_spawner_that_is_killed_after_it_was_woken_has_spawned),
        GREEN_TEST(a_killed_caller_spawns_nothing_unless_it_is_shielded),
        GREEN_TEST(a_task_of_a_full_pool_runs_what_it_spawns_itself),
        GREEN_TEST(the_failure_of_what_was_run_inside_is_in_its_handle_only),
        GREEN_TEST(only_tasks_of_the_same_pool_run_what_they_spawn),
        GREEN_TEST(an_exit_inside_ends_the_task_and_frees_its_slot),
        GREEN_TEST(growing_wakes_as_many_as_there_are_new_slots),
        GREEN_TEST(shrinking_leaves_those_that_run_alone),
        GREEN_SUITE_END
};
