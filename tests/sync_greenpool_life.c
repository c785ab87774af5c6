/*
 * Green pools: waiting for all, killing, slots without a task, refusals, forks.
 */
#include "sync_greenpool.h"

GREEN_SUITE_INIT(greenpool_init)

/* ---- waitall */

static int waited;

static void *
wait_for_all(void *arg)
{
        waited = green_greenpool_waitall(arg, SOON);
        return NULL;
}

static void
waitall_waits_for_those_that_run_and_those_that_wait(void)
{
        GREEN_COVERS("GPOOL-11");
        green_greenpool *p = green_greenpool_new(1);
        green_thread *gt;
        struct spawner s;

        CHECK_INT(green_greenpool_waitall(p, 0), 0);
        CHECK_INT(green_greenpool_waitall(p, GREEN_FOREVER), 0);
        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        CHECK_INT(green_greenpool_waitall(p, 0), -ETIMEDOUT);
        CHECK_INT(green_greenpool_waitall(p, 0.001), -ETIMEDOUT);
        spawner_begin(&s, p, GREEN_FOREVER);
        waited = 9;
        gt = green_spawn(wait_for_all, p);
        turns(1);
        green_wake_one(&gate, NULL);
        turns(4);
        CHECK_INT(waited, 9);
        CHECK_INT(s.rc, 0);
        green_wake_one(&gate, NULL);
        CHECK_INT(join(gt), 0);
        CHECK_INT(waited, 0);
        spawner_end(&s, 0, 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
waitall_ends_when_the_last_spawner_has_given_up(void)
{
        GREEN_COVERS("GPOOL-11", "GPOOL-13");
        green_greenpool *p = green_greenpool_new(0);
        struct spawner s;
        green_thread *gt;

        spawner_begin(&s, p, GREEN_FOREVER);
        CHECK_INT(green_greenpool_waitall(p, 0), -ETIMEDOUT);
        waited = 9;
        gt = green_spawn(wait_for_all, p);
        turns(1);
        CHECK_INT(waited, 9);
        CHECK_INT(green_kill(s.gt, 0), 0);
        CHECK_INT(join(gt), 0);
        CHECK_INT(waited, 0);
        spawner_end(&s, GREEN_EKILLED, GREEN_EKILLED);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void *
wait_inside(void *arg)
{
        CHECK_INT(green_greenpool_waitall(arg, GREEN_FOREVER), -EDEADLK);
        CHECK_INT(green_greenpool_waitall(arg, 0), -EDEADLK);
        return NULL;
}

static void
waitall_in_a_task_of_the_pool_is_refused(void)
{
        GREEN_COVERS("GPOOL-12");
        green_greenpool *p = green_greenpool_new(2);

        CHECK_INT(join(green_greenpool_spawn(p, wait_inside, p)), 0);
        CHECK(reported("its own end"));
        CHECK_INT(green_greenpool_free(p), 0);
}

/* ---- kill */

static void *
stay_shielded(void *arg)
{
        void *result;

        green_shield_begin();
        result = stay(arg);
        green_shield_end();
        return result;
}

static void
kill_takes_the_tasks_there_are_started_or_not(void)
{
        GREEN_COVERS("ISS-13");
        green_greenpool *p = green_greenpool_new(4);
        green_thread *gt[4];
        struct spawner s[2];

        gt[0] = green_greenpool_spawn(p, stay_shielded, NULL);
        gt[1] = green_greenpool_spawn(p, stay, NULL);
        turns(1);
        gt[2] = green_greenpool_spawn(p, stay, NULL);
        gt[3] = green_greenpool_spawn(p, quick, NULL);
        for (int i = 0; i < 2; i++) {
                s[i] = (struct spawner){.pool = p, .rc = 9, .timeout = GREEN_FOREVER};
                s[i].gt = green_spawn(spawner_main, &s[i]);
        }
        /* What has not started never runs; what waits to spawn goes on. */
        CHECK_INT(green_greenpool_kill(p, -EPIPE), 4);
        CHECK_INT(join(gt[1]), -EPIPE);
        CHECK_INT(join(gt[2]), -EPIPE);
        CHECK_INT(join(gt[3]), -EPIPE);
        turns(3);
        CHECK_INT(ran, 2 + 2);
        CHECK(counts(p, 3, 0));
        CHECK_INT(green_greenpool_kill(p, 0), 3);
        CHECK(counts(p, 1, 0));
        let_all_go();
        CHECK_INT(join(gt[0]), -EPIPE); /* the first code counts */
        for (int i = 0; i < 2; i++) {
                CHECK_INT(join(s[i].gt), 0);
                CHECK_INT(join(s[i].task), GREEN_EKILLED);
        }
        CHECK_INT(green_greenpool_kill(p, 0), 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
kill_leaves_those_alone_that_come_meanwhile(void)
{
        GREEN_COVERS("ISS-13");
        green_greenpool *p = green_greenpool_new(3);
        struct spawner s[2];

        for (int i = 0; i < 3; i++)
                CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        for (int i = 0; i < 2; i++)
                spawner_begin(&s[i], p, GREEN_FOREVER);
        /* The slot of the first goes to one that spawns while the others are killed. */
        CHECK_INT(green_greenpool_kill(p, 0), 3);
        turns(3);
        CHECK(counts(p, 2, 0));
        let_all_go();
        for (int i = 0; i < 2; i++)
                spawner_end(&s[i], 0, 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void *
kill_them(void *arg)
{
        CHECK_INT(green_greenpool_kill(arg, 0), 3);
        CHECK_INT(inside, 0);
        CHECK_INT(green_sleep(0), GREEN_EKILLED);
        return NULL;
}

static void
a_task_may_kill_its_pool_and_comes_last(void)
{
        GREEN_COVERS("ISS-13");
        green_greenpool *p = green_greenpool_new(3);
        green_thread *gt = green_greenpool_spawn(p, kill_them, p);

        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(green_greenpool_waitall(p, SOON), 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

/* ---- slots without a task */

static void
a_slot_can_be_taken_before_there_is_work_for_it(void)
{
        green_greenpool *p = green_greenpool_new(1);
        struct spawner s;
        green_thread *gt;

        CHECK_INT(green_greenpool_release(p), -EALREADY);
        CHECK_PTR(green_greenpool_spawn_acquired(p, quick, NULL), NULL);
        CHECK_INT(errno, EALREADY);
        CHECK_INT(green_greenpool_acquire(p, NULL, 0, GREEN_FOREVER, NULL), 0);
        CHECK(counts(p, 1, 0));
        CHECK_INT(green_greenpool_free(p), -EBUSY);
        spawner_begin(&s, p, GREEN_FOREVER);
        CHECK_INT(s.rc, 9);
        memory_left = 0;
        CHECK_PTR(green_greenpool_spawn_acquired(p, quick, NULL), NULL);
        CHECK_INT(errno, ENOMEM);
        memory_left = -1;
        CHECK(counts(p, 1, 1));
        CHECK_PTR(green_greenpool_spawn_acquired(p, NULL, NULL), NULL);
        gt = green_greenpool_spawn_acquired(p, quick, PTR(4));
        CHECK_INT(join(gt), 0);
        turns(2);
        CHECK_INT(s.rc, 0);
        let_all_go();
        spawner_end(&s, 0, 0);
        CHECK_INT(green_greenpool_acquire(p, NULL, 0, 0, NULL), 0);
        gt = (green_greenpool_spawn_acquired)(p, quick, NULL);
        CHECK_INT(join(gt), 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static green_greenpool *acquired_from;
static struct green_waitq other;
static size_t woken;

static void *
acquire_or_else(void *arg)
{
        struct green_wait w[2] = {{.queue = NULL}, {.queue = &other}};
        int rc = green_greenpool_acquire(acquired_from, w, 2, SOON, &woken);

        (void)arg;
        return rc == 0 ? NULL : green_fail(rc);
}

static void
one_that_waits_for_a_slot_may_wait_for_other_things_too(void)
{
        green_greenpool *p = acquired_from = green_greenpool_new(1);
        green_thread *gt;

        for (int round = 0; round < 4; round++) {
                if (round < 3)
                        CHECK_INT(green_greenpool_acquire(p, NULL, 0, 0, NULL), 0);
                woken = 9;
                gt = green_spawn(acquire_or_else, NULL);
                turns(1);
                if (round == 0)
                        green_wake_one(&other, NULL);
                else if (round == 1)
                        CHECK_INT(green_wake_all(&other, -EIO), 1);
                else if (round == 2)
                        CHECK_INT(green_greenpool_release(p), 0);
                CHECK_INT(join(gt), round == 1 ? -EIO : 0);
                CHECK_INT(woken, round < 2 ? 1 : 0);
                CHECK(counts(p, 1, 0));
                CHECK_INT(green_greenpool_release(p), 0);
                CHECK_PTR(other.first, NULL);
        }
        CHECK_INT(green_greenpool_free(p), 0);
}

/* ---- refusals */

static void
spawn_in_callback(void *arg)
{
        green_greenpool *p = arg;
        green_thread *gt;

        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        gt = green_greenpool_spawn(p, stay, NULL);
        CHECK_PTR(gt, NULL);
        CHECK_INT(errno, EDEADLK);
        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), -EDEADLK);
        CHECK_INT(green_greenpool_kill(p, 0), 1);
        CHECK_INT(green_greenpool_resize(p, 1), 0);
}

static void
a_hub_callback_spawns_where_there_is_a_slot(void)
{
        green_greenpool *p = green_greenpool_new(1);

        in_callback(spawn_in_callback, p);
        turns(2);
        CHECK(counts(p, 0, 0));
        CHECK_INT(ran, 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
use_in_thread(void *arg)
{
        CHECK_PTR(green_greenpool_spawn(arg, quick, NULL), NULL);
        CHECK_INT(green_last_error()->code, -EPERM);
        CHECK_INT(green_greenpool_spawn_n(arg, quick, NULL), -EPERM);
        CHECK_INT(green_greenpool_kill(arg, 0), -EPERM);
        CHECK_INT(green_greenpool_resize(arg, 3), -EPERM);
        CHECK_INT(green_greenpool_release(arg), -EPERM);
        CHECK_PTR(green_greenpool_spawn_acquired(arg, quick, NULL), NULL);
        CHECK_INT(green_hub_destroy(1), 0);
}

static void
free_in_thread(void *arg)
{
        CHECK_INT(green_greenpool_free(arg), 0);
}

static void
another_os_thread_may_only_free_it(void)
{
        green_greenpool *p = green_greenpool_new(1);

        in_thread(use_in_thread, p);
        CHECK_INT(available(p), 1);
        in_thread(free_in_thread, p);
}

static void
misuse_is_told(void)
{
        green_greenpool *p = green_greenpool_new(1);
        long n = 5;

        CHECK_PTR(green_greenpool_new((size_t)LONG_MAX + 1), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_greenpool_spawn(NULL, quick, NULL), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_greenpool_spawn_n(p, NULL, NULL), -EINVAL);
        CHECK_INT(green_greenpool_spawn_n(NULL, quick, NULL), -EINVAL);
        CHECK_INT(green_greenpool_waitall(NULL, 0), -EINVAL);
        CHECK_INT(green_greenpool_waitall(p, NAN), -EINVAL);
        CHECK_INT(green_greenpool_acquire(NULL, NULL, 0, 0, NULL), -EINVAL);
        CHECK_INT(green_greenpool_acquire(p, NULL, 2, 0, NULL), -EINVAL);
        CHECK_INT(green_greenpool_acquire(p, NULL, 0, -1, NULL), -EINVAL);
        CHECK_INT(green_greenpool_release(NULL), -EINVAL);
        CHECK_PTR(green_greenpool_spawn_acquired(NULL, quick, NULL), NULL);
        CHECK_INT(green_greenpool_kill(NULL, 0), -EINVAL);
        CHECK_INT(green_greenpool_kill(p, 1), -EINVAL);
        CHECK_INT(green_greenpool_resize(NULL, 0), -EINVAL);
        CHECK_INT(green_greenpool_resize(p, SIZE_MAX), -EINVAL);
        CHECK_INT(green_greenpool_available(p, NULL), -EINVAL);
        CHECK_INT(green_greenpool_available(NULL, &n), -EINVAL);
        CHECK_INT(n, 5);
        CHECK_INT(green_greenpool_running(NULL) + green_greenpool_waiting(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(available(p), 1);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
without_memory_a_spawn_fails_and_its_slot_is_free(void)
{
        green_greenpool *p = green_greenpool_new(1);
        long blocks = atomic_load(&memory_blocks);
        green_thread *gt = NULL;

        CHECK_NEEDS_MEMORY(green_greenpool *, green_greenpool_new(1), green_greenpool_free);
        for (int enough = 0; gt == NULL && enough < 10; enough++) {
                memory_left = enough;
                gt = green_greenpool_spawn(p, quick, NULL);
                memory_left = -1;
                CHECK(gt != NULL || errno == ENOMEM);
                CHECK_INT(green_greenpool_running(p), gt != NULL);
        }
        CHECK_INT(join(gt), 0);
        /* The second time it has all that it needs. */
        memory_left = 0;
        gt = green_greenpool_spawn(p, quick, NULL);
        memory_left = -1;
        CHECK_INT(join(gt), 0);
        CHECK_INT(green_greenpool_free(p), 0);
        CHECK_RANGE(atomic_load(&memory_blocks) - blocks, -2, 2);
}

/* ---- fork, and the end of a hub */

static void
in_the_child_of_a_fork_the_slots_of_the_forgotten_are_free(void)
{
        green_greenpool *p = green_greenpool_new(2);
        struct spawner s[2];
        pid_t pid;

        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        CHECK_INT(green_greenpool_acquire(p, NULL, 0, 0, NULL), 0);
        spawner_begin(&s[0], p, GREEN_FOREVER);
        spawner_begin(&s[1], p, GREEN_FOREVER);
        CHECK_INT(green_greenpool_release(p), 0); /* to one that has not run */
        CHECK(counts(p, 2, 1));
        pid = child_begin();
        if (pid == 0) {
                CHECK(counts(p, 0, 0));
                CHECK_INT(available(p), 2);
                CHECK_INT(green_greenpool_waitall(p, 0), 0);
                CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
                turns(1);
                CHECK_INT(green_greenpool_kill(p, 0), 1);
                CHECK_INT(green_greenpool_free(p), 0);
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        turns(3);
        CHECK(counts(p, 2, 1));
        let_all_go();
        let_all_go();
        for (int i = 0; i < 2; i++)
                spawner_end(&s[i], 0, 0);
        CHECK_INT(green_greenpool_free(p), 0);
}

static void *
fork_inside(void *arg)
{
        pid_t pid = child_begin();

        if (pid == 0) {
                CHECK(counts(arg, 1, 0));
                CHECK_INT(green_greenpool_waitall(arg, 0), -EDEADLK);
                CHECK_INT(green_greenpool_spawn_n(arg, quick, NULL), 0);
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        return NULL;
}

static void
a_task_that_forks_still_has_its_slot(void)
{
        green_greenpool *p = green_greenpool_new(2);
        green_thread *gt = green_greenpool_spawn(p, fork_inside, p);

        CHECK_INT(green_greenpool_spawn_n(p, stay, NULL), 0);
        CHECK_INT(join(gt), 0);
        turns(1);
        let_all_go();
        CHECK_INT(green_greenpool_free(p), 0);
}

static void *
wait_for_ever(void *arg)
{
        (void)green_sleep(GREEN_FOREVER);
        return arg;
}

static void
leave_tasks(void *arg)
{
        green_greenpool **p = arg;

        *p = green_greenpool_new(2);
        CHECK_INT(green_greenpool_spawn_n(*p, wait_for_ever, NULL), 0);
        turns(1);
        CHECK_INT(green_greenpool_spawn_n(*p, wait_for_ever, NULL), 0);
}

static void
a_pool_outlives_its_hub(void)
{
        green_greenpool *p = NULL;

        in_thread(leave_tasks, &p);
        CHECK(counts(p, 0, 0));
        CHECK_INT(green_greenpool_free(p), 0);
}

/* ---- many */

static green_greenpool *busy;

static void *
spawn_some(void *arg)
{
        unsigned state = (unsigned)INT(arg);

        for (int i = 0; i < 2000; i++) {
                state = state * 1664525u + 1013904223u;
                if ((state >> 28) < 9)
                        CHECK_INT(green_greenpool_spawn_n(busy, quick, NULL), 0);
                else if ((state >> 28) < 12)
                        (void)join(green_greenpool_spawn(busy, quick, NULL));
                else
                        CHECK_INT(green_sleep(0), 0);
        }
        return NULL;
}

static void
no_slot_is_lost_among_many(void)
{
        green_thread *gt[20];

        busy = green_greenpool_new(3);
        for (int i = 0; i < 20; i++)
                gt[i] = i % 7 == 0 ? green_greenpool_spawn(busy, spawn_some, PTR(i)) : green_spawn(spawn_some, PTR(i));
        for (int i = 0; i < 20; i++)
                CHECK_INT(join(gt[i]), 0);
        CHECK_INT(green_greenpool_waitall(busy, SOON), 0);
        CHECK(counts(busy, 0, 0));
        CHECK_INT(available(busy), 3);
        CHECK_INT(green_greenpool_free(busy), 0);
}

GREEN_SUITE(sync_greenpool_life) {
        GREEN_TEST(waitall_waits_for_those_that_run_and_those_that_wait),
        GREEN_TEST(waitall_ends_when_the_last_spawner_has_given_up),
        GREEN_TEST(waitall_in_a_task_of_the_pool_is_refused),
        GREEN_TEST(kill_takes_the_tasks_there_are_started_or_not),
        GREEN_TEST(kill_leaves_those_alone_that_come_meanwhile),
        GREEN_TEST(a_task_may_kill_its_pool_and_comes_last),
        GREEN_TEST(a_slot_can_be_taken_before_there_is_work_for_it),
        GREEN_TEST(one_that_waits_for_a_slot_may_wait_for_other_things_too),
        GREEN_TEST(a_hub_callback_spawns_where_there_is_a_slot),
        GREEN_TEST(another_os_thread_may_only_free_it),
        GREEN_TEST(misuse_is_told),
        GREEN_TEST(without_memory_a_spawn_fails_and_its_slot_is_free),
        GREEN_TEST(in_the_child_of_a_fork_the_slots_of_the_forgotten_are_free),
        GREEN_TEST(a_task_that_forks_still_has_its_slot),
        GREEN_TEST(a_pool_outlives_its_hub),
        GREEN_TEST(no_slot_is_lost_among_many),
        GREEN_SUITE_END
};
