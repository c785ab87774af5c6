/*
 * Awaitables whose end comes from other OS threads, or after the hub has ended, or in the child of a fork.
 */
#include "sync_awaitable.h"

#include <sched.h>

GREEN_SUITE_INIT(sync_init)

/* ---- other OS threads */

enum { WORKERS = 3, JOBS = 400 };

/* An operation that some OS thread ends. The flags are for both sides. */
struct job {
        struct green_awaitable aw;
        green_completion *done;
        atomic_bool cancelled;
        int number, rc;
        void *result;
};

/* Where the workers take them from, and the results that nobody got. */
struct bench {
        _Atomic(struct job *) slots[JOBS];
        atomic_int taken, dropped;
        atomic_bool stop;
};

static struct bench *bench;

static int
job_start(void *arg, green_completion *done)
{
        struct job *job = arg;

        job->done = done;
        atomic_store(&bench->slots[job->number], job);
        return 0;
}

static void
job_cancel(void *arg, green_completion *done)
{
        struct job *job = arg;

        CHECK_PTR(done, job->done);
        atomic_store(&job->cancelled, true);
}

static void
job_drop(void *result)
{
        CHECK(result != NULL);
        atomic_fetch_add(&bench->dropped, 1);
}

/* Ends one job after the other. */
static void *
work(void *arg)
{
        struct bench *b = arg;

        while (!atomic_load(&b->stop))
                for (int i = 0; i < JOBS; i++) {
                        struct job *job = atomic_exchange(&b->slots[i], NULL);

                        if (job == NULL)
                                continue;
                        if (i % 8 == 7)
                                sched_yield();
                        atomic_fetch_add(&b->taken, 1);
                        if (i % 5 == 0)
                                CHECK_INT(green_complete_error(job->done, -EXDEV), 0);
                        else
                                CHECK_INT(green_complete(job->done, job), 0);
                }
        return NULL;
}

static void
init_jobs(struct job *jobs)
{
        for (int i = 0; i < JOBS; i++) {
                jobs[i] = (struct job){.number = i};
                jobs[i].aw = (struct green_awaitable){.size = sizeof jobs[i].aw,
                                                      .start = job_start,
                                                      .cancel = job_cancel,
                                                      .arg = &jobs[i],
                                                      .drop_result = job_drop};
        }
}

/* Some are killed at whatever point they have come to. */
static void
run_jobs(struct job *jobs)
{
        green_thread *gt[JOBS];

        for (int i = 0; i < JOBS; i++) {
                gt[i] = green_spawn_for_awaitable(&jobs[i].aw);
                if (i % 3 == 0)
                        turns(1);
                if (i % 7 == 3)
                        CHECK_INT(green_kill(gt[i - 2], 0), 0);
        }
        for (int i = 0; i < JOBS; i++) {
                void *result = NULL;
                int rc = green_thread_wait(gt[i], &result);

                if (rc == 0)
                        CHECK_PTR(result, &jobs[i]);
                else
                        CHECK(rc == (i % 5 == 0 ? -EXDEV : GREEN_EKILLED) || (i % 7 == 1 && rc == GREEN_EKILLED));
                green_thread_unref(gt[i]);
        }
}

static void
many_end_in_other_os_threads_while_some_are_killed(void)
{
        static struct job jobs[JOBS];
        struct bench b = {.stop = false};
        pthread_t threads[WORKERS];

        GREEN_COVERS("AIO-01", "AIO-03");
        bench = &b;
        for (int i = 0; i < WORKERS; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, work, &b), 0);
        for (int round = 0; round < 20; round++) {
                init_jobs(jobs);
                run_jobs(jobs);
        }
        atomic_store(&b.stop, true);
        for (int i = 0; i < WORKERS; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK(atomic_load(&b.taken) > 0);
        for (int i = 0; i < JOBS; i++)
                CHECK_PTR(atomic_load(&b.slots[i]), NULL);
}

static void *
loop_of_its_own(void *arg)
{
        for (int i = 0; i < 200; i++) {
                struct op op;
                green_thread *gt;

                op_init(&op);
                op.ends = i % 2 == 0;
                op.at_once = !op.ends;
                gt = op_spawn(&op);
                if (op.ends)
                        CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(join(gt), op.ends ? GREEN_EKILLED : 0);
        }
        CHECK_INT(green_hub_destroy(SOON), 0);
        return arg;
}

static void
each_os_thread_awaits_in_a_loop_of_its_own(void)
{
        pthread_t threads[3];

        GREEN_COVERS("AIO-07");
        for (int i = 0; i < 3; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, loop_of_its_own, NULL), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
}

static void
tell_twice(void *arg)
{
        long blocks = atomic_load(&memory_blocks);
        struct op *op = arg;

        CHECK_INT(green_complete(op->done, op), 0);
        CHECK_INT(green_complete_error(op->done, -EIO), -EALREADY);
        CHECK_INT(atomic_load(&memory_blocks), blocks);
        CHECK_INT(green_complete(NULL, op), -EINVAL);
        CHECK_INT(green_complete_error(op->done, 0), -EINVAL);
}

static void
an_end_told_elsewhere_makes_no_hub_there_and_needs_no_memory(void)
{
        struct op op;
        green_thread *gt;
        void *result = NULL;
        long blocks;

        GREEN_COVERS("AIO-01");
        for (int memory = -1; memory <= 0; memory++) {
                op_init(&op);
                gt = op_spawn(&op);
                blocks = atomic_load(&memory_blocks);
                memory_left = memory;
                in_thread(tell_twice, &op);
                memory_left = -1;
                CHECK_INT(atomic_load(&memory_blocks), blocks);
                CHECK(green_thread_alive(gt));
                CHECK_INT(green_thread_wait(gt, &result), 0);
                CHECK_PTR(result, &op);
                green_thread_unref(gt);
        }
}

/* ---- the end of the hub */

static void
leave_one_behind(void *arg)
{
        struct op *op = arg;

        green_thread_unref(op_spawn(&op[0]));
        CHECK_INT(green_hub_destroy(0), -ETIMEDOUT);
        CHECK_INT(op[0].cancels, 0);
}

static void
leave_two_behind(void *arg)
{
        struct op *op = arg;

        leave_one_behind(op);
        /* In its own OS thread, without a hub and with another one. */
        CHECK_INT(green_complete(op[0].done, NULL), GREEN_ECLOSED);
        leave_one_behind(op + 1);
        (void)green_get_hub();
        CHECK_INT(green_complete_error(op[1].done, -EIO), GREEN_ECLOSED);
        CHECK_INT(green_hub_destroy(SOON), 0);
}

static void
one_that_outlives_the_hub_is_told_that_nobody_waits(void)
{
        long blocks = atomic_load(&memory_blocks);
        struct op op[2];

        GREEN_COVERS("AIO-03");
        op_init(&op[0]);
        op_init(&op[1]);
        in_thread(leave_one_behind, op);
        CHECK_INT(green_complete(op[0].done, NULL), GREEN_ECLOSED);
        CHECK_INT(atomic_load(&memory_blocks), blocks);
        op_init(&op[0]);
        in_thread(leave_two_behind, op);
        CHECK_INT(atomic_load(&memory_blocks), blocks);
}

static void
end_in_order(void *arg)
{
        struct op *op = arg;

        green_thread_unref(op_spawn(op));
        green_thread_unref(green_spawn(op_await, op + 1)); /* whose start may be on its way */
        turns(1);
        CHECK_INT(green_hub_destroy(SOON), 0);
        CHECK_INT(op[0].cancels, 1);
        CHECK_INT(op[1].starts, op[1].cancels);
}

static void
the_end_of_the_hub_cancels_what_is_awaited(void)
{
        long blocks = atomic_load(&memory_blocks);
        struct op op[2];

        GREEN_COVERS("AIO-03");
        op_init(&op[0]);
        op_init(&op[1]);
        op[0].ends = op[1].ends = true;
        in_thread(end_in_order, op);
        CHECK_INT(atomic_load(&memory_blocks), blocks);
}

/* ---- fork */

static void
in_the_child(struct op *op, long blocks)
{
        CHECK_INT(green_complete(op[0].done, NULL), GREEN_ECLOSED);
        op_pass();
        CHECK_INT(atomic_load(&memory_blocks), blocks - 2);
        /* Neither is start called twice for one wait, nor cancel. */
        CHECK_INT(op[1].starts, 0);
        CHECK_INT(op[2].cancels, 0);
        CHECK_INT(green_complete_error(op[2].done, -EIO), GREEN_ECLOSED);
        CHECK_INT(atomic_load(&memory_blocks), blocks - 3);
        op_init(&op[0]);
        op[0].at_once = true;
        CHECK_INT(green_await(&op[0].aw, NULL), 0);
}

/* One has begun, start of another and cancel of the third are on their way. False: the hub has made a call since. */
static bool
before_fork(struct op *op, green_thread **gt)
{
        for (int i = 0; i < 3; i++)
                op_init(&op[i]);
        gt[0] = op_spawn(&op[0]);
        gt[2] = op_spawn(&op[2]);
        gt[1] = green_spawn_for_awaitable(&op[1].aw);
        turns(1);
        CHECK_INT(green_kill(gt[2], 0), 0);
        return op[1].starts + op[2].cancels == 0;
}

static void
after_fork(struct op *op, green_thread **gt)
{
        op_pass();
        CHECK_INT(op[1].starts, 1);
        CHECK_INT(op[2].cancels, 1);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_complete(op[i].done, NULL), 0);
                CHECK_INT(join(gt[i]), i == 2 ? GREEN_EKILLED : 0);
        }
}

static void
in_the_child_of_a_fork_nobody_waits_any_more(void)
{
        struct op op[3];
        green_thread *gt[3];
        pid_t pid;
        int tries = 0;

        GREEN_COVERS("FORK-03");
        while (!before_fork(op, gt)) {
                after_fork(op, gt);
                if (++tries == 1000) {
                        suite_skip("so slow that the hub makes its calls between any two switches");
                        return;
                }
        }
        pid = child_begin();
        if (pid == 0) {
                in_the_child(op, atomic_load(&memory_blocks));
                child_exit();
        }
        child_end(pid);
        after_fork(op, gt);
}

GREEN_SUITE(sync_awaitable_life) {
        GREEN_TEST(many_end_in_other_os_threads_while_some_are_killed),
        GREEN_TEST(each_os_thread_awaits_in_a_loop_of_its_own),
        GREEN_TEST(an_end_told_elsewhere_makes_no_hub_there_and_needs_no_memory),
        GREEN_TEST(one_that_outlives_the_hub_is_told_that_nobody_waits),
        GREEN_TEST(the_end_of_the_hub_cancels_what_is_awaited),
        GREEN_TEST(in_the_child_of_a_fork_nobody_waits_any_more),
        GREEN_SUITE_END
};
