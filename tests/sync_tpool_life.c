/*
 * The thread pool: its size, its end, other OS threads, hubs that end, fork, the end of the process.
 */
#include "sync_tpool.h"

GREEN_SUITE_INIT(tpool_init)

/* ---- size */

/* Checks in a fresh process, which is outside any test. */
static bool all_held = true;

#define HOLDS(check) (all_held = (check) && all_held)

static int
threads_used(const char *size, int expected)
{
        struct gate g = gate_make();
        struct caller c[25] = {{0}};
        int n;

        if (size == NULL)
                unsetenv("GREEN_THREADPOOL_SIZE");
        else
                setenv("GREEN_THREADPOOL_SIZE", size, 1);
        for (int i = 0; i < 25; i++)
                caller_start(&c[i], pass_gate, &g);
        for (int i = 0; i < expected; i++)
                gate_begun(&g);
        for (int i = 0; i < 25; i++)
                gate_let(&g, 0);
        for (int i = 0; i < 25; i++)
                CHECK_INT(caller_end(&c[i]), 0);
        n = pool_info().threads;
        CHECK_INT(green_tpool_killall(SOON), 0);
        gate_drop(&g);
        return n;
}

/* In a child, where green_tpool_set_num_threads() has said nothing yet: the tests before have. */
static void
in_fresh_process(const char *what)
{
        pid_t pid;

        if (access("/proc/self/exe", F_OK) != 0) {
                suite_skip("no /proc/self/exe");
                return;
        }
        pid = child_begin();
        if (pid == 0) {
                setenv("GREEN_TEST_TPOOL", what, 1);
                suite_exec_self(NULL);
                _exit(1);
        }
        CHECK_INT(child_end(pid), 0);
}

static void
check_sizes(void)
{
        void *result = NULL;

        HOLDS(CHECK_INT(threads_used("7", 7), 7));
        HOLDS(CHECK_INT(threads_used(NULL, 20), 20));
        HOLDS(CHECK_INT(threads_used("", 20), 20));
        HOLDS(CHECK_INT(threads_used("1", 1), 1));
        for (int i = 0; i < 4; i++) {
                static const char *const bad[] = {"-1", "many", "3x", "99999999999999999999"};

                setenv("GREEN_THREADPOOL_SIZE", bad[i], 1);
                HOLDS(CHECK_INT(green_tpool_execute(return_arg, PTR(5), NULL, &result), -EINVAL));
                HOLDS(CHECK(strstr(green_last_error()->message, bad[i]) != NULL));
                HOLDS(CHECK_INT(pool_info().threads, 0));
        }
        /* What the program says counts for more. */
        HOLDS(CHECK_INT(green_tpool_set_num_threads(2), 0));
        HOLDS(CHECK_INT(threads_used("many", 2), 2));
}

static void *
same_thread(void *arg)
{
        return PTR(pthread_equal(*(pthread_t *)arg, pthread_self()) != 0);
}

static void
check_size_0(void)
{
        pthread_t self = pthread_self();
        void *result = NULL;

        setenv("GREEN_THREADPOOL_SIZE", "0", 1);
        log_text[0] = '\0';
        HOLDS(CHECK_INT(green_tpool_execute(same_thread, &self, NULL, &result), 0));
        HOLDS(CHECK_INT(INT(result), 1));
        HOLDS(CHECK(strstr(log_text, "0 threads") != NULL));
        log_text[0] = '\0';
        HOLDS(CHECK_INT(green_tpool_execute(same_thread, &self, NULL, &result), 0));
        HOLDS(CHECK_STR(log_text, ""));
        HOLDS(CHECK_INT(pool_info().threads, 0));
}

static void *
sleep_for_good(void *arg)
{
        struct gate *g = arg;

        CHECK_INT(green_chan_put(g->begun, NULL, 0), 0);
        for (;;)
                pause();
        return NULL;
}

/* exit() with threads that sleep, and one that never ends. */
static void
check_exit(bool busy)
{
        static struct gate g;
        static struct caller c[3];

        g = gate_make();
        for (int i = 0; i < 100; i++)
                HOLDS(CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0));
        if (busy) {
                HOLDS(CHECK_INT(green_tpool_killall(SOON), 0));
                HOLDS(CHECK_INT(green_tpool_set_num_threads(1), 0));
                for (int i = 0; i < 3; i++)
                        caller_start(&c[i], sleep_for_good, &g);
                gate_begun(&g);
        } else {
                gate_drop(&g);
        }
        exit(!all_held);
}

__attribute__((constructor)) static void
in_child_of_test(void)
{
        const char *what = getenv("GREEN_TEST_TPOOL");

        if (what == NULL)
                return;
        if (strcmp(what, "sizes") == 0)
                check_sizes();
        else if (strcmp(what, "size 0") == 0)
                sync_init(), check_size_0();
        else
                check_exit(strcmp(what, "busy") == 0);
        _exit(!all_held);
}

static void
the_environment_says_how_many_threads_there_are_at_most(void)
{
        GREEN_COVERS("TPOOL-02", "TPOOL-03", "ENV-02");
        in_fresh_process("sizes");
}

static void
with_0_threads_calls_run_inline_and_one_warning_says_so(void)
{
        GREEN_COVERS("TPOOL-03");
        in_fresh_process("size 0");
}

static void
the_process_ends_though_a_job_does_not(void)
{
        double begin = clock_now();

        GREEN_COVERS("TPOOL-24", "TPOOL-15");
        in_fresh_process("idle");
        in_fresh_process("busy");
        CHECK_RANGE(clock_now() - begin, 0, 15 * suite_slow());
}

static void
a_number_of_threads_counts_from_the_next_start_on(void)
{
        struct gate g = gate_make();
        struct caller c[8] = {{0}};

        GREEN_COVERS("TPOOL-14");
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        for (int i = 0; i < 8; i++)
                caller_start(&c[i], pass_gate, &g);
        CHECK_INT(green_tpool_set_num_threads(5), 0);
        gate_begun(&g);
        gate_begun(&g);
        CHECK_INT(pool_info().threads, 2);
        for (int i = 0; i < 8; i++)
                gate_let(&g, 0);
        for (int i = 0; i < 8; i++)
                CHECK_INT(caller_end(&c[i]), 0);
        CHECK_INT(pool_info().threads, 2);
        CHECK_INT(green_tpool_killall(SOON), 0);
        for (int i = 0; i < 6; i++)
                gate_begun(&g);
        for (int i = 0; i < 8; i++)
                caller_start(&c[i], pass_gate, &g);
        for (int i = 0; i < 5; i++)
                gate_begun(&g);
        CHECK_INT(pool_info().threads, 5);
        for (int i = 0; i < 8; i++)
                gate_let(&g, 0);
        for (int i = 0; i < 8; i++)
                CHECK_INT(caller_end(&c[i]), 0);
        gate_drop(&g);
}

/* ---- killall */

static int
end_pool(void *arg, double timeout)
{
        (void)arg;
        return green_tpool_killall(timeout);
}

static void
the_end_waits_for_all_jobs_while_green_threads_run_on(void)
{
        struct gate g = gate_make();
        struct caller c[5] = {{0}}, late = {0};
        struct waiter end = {0};

        GREEN_COVERS("TPOOL-15", "TPOOL-16", "ISS-20");
        CHECK_INT(green_tpool_killall(GREEN_FOREVER), 0); /* not started: nothing to do */
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        for (int i = 0; i < 5; i++)
                caller_start(&c[i], pass_gate, &g);
        gate_begun(&g);
        waiter_start(&end, end_pool, NULL, GREEN_FOREVER);
        turns(5);
        CHECK(waits(&end));
        CHECK_INT(pool_info().threads, 0);
        /* The next call starts it anew, and does not wait for the old one. */
        caller_start(&late, return_arg, PTR(4));
        CHECK_INT(caller_end(&late), 0);
        CHECK(waits(&end));
        CHECK_INT(pool_info().threads, 1);
        for (int i = 0; i < 5; i++)
                gate_let(&g, i);
        for (int i = 0; i < 5; i++)
                CHECK_INT(caller_end(&c[i]), 0);
        CHECK_INT(waiter_end(&end), 0);
        gate_drop(&g);
}

static void
what_does_not_end_in_time_goes_on_by_itself(void)
{
        struct gate g = gate_make();
        struct caller c[3] = {{0}};
        struct waiter end = {0};

        GREEN_COVERS("TPOOL-16", "ISS-20");
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 3; i++)
                        caller_start(&c[i], pass_gate, &g);
                gate_begun(&g);
                log_text[0] = '\0';
                if (round == 0) {
                        CHECK_INT(green_tpool_killall(0), -ETIMEDOUT);
                } else if (round == 1) {
                        CHECK_INT(green_tpool_killall(0.01), -ETIMEDOUT);
                } else {
                        waiter_start(&end, end_pool, NULL, GREEN_FOREVER);
                        CHECK(waits(&end));
                        CHECK_INT(green_kill(end.thread, 0), 0);
                        CHECK_INT(waiter_end(&end), GREEN_EKILLED);
                }
                CHECK(strstr(log_text, "did not end in time") != NULL);
                CHECK_INT(green_tpool_killall(SOON), 0);
                for (int i = 0; i < 3; i++)
                        gate_let(&g, i);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(caller_end(&c[i]), 0);
                gate_begun(&g);
                gate_begun(&g);
        }
        gate_drop(&g);
}

/* ---- other OS threads */

static void *
many_calls(void *arg)
{
        for (int i = 0; i < 300; i++) {
                void *result = NULL;

                CHECK_INT(green_tpool_execute(return_arg, PTR(i + 1), NULL, &result), 0);
                CHECK_INT(INT(result), i + 1);
        }
        return arg;
}

static void *
callers_elsewhere(void *arg)
{
        green_thread *gt[8];

        for (int i = 0; i < 8; i++)
                gt[i] = green_spawn(many_calls, arg);
        for (int i = 0; i < 8; i++)
                CHECK_INT(join(gt[i]), 0);
        if (arg != NULL)
                CHECK_INT(green_hub_destroy(SOON), 0);
        return NULL;
}

static void
each_result_goes_to_the_os_thread_that_asked(void)
{
        pthread_t thread[3];

        GREEN_COVERS("TPOOL-17", "ISS-05");
        CHECK_INT(green_tpool_set_num_threads(3), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(pthread_create(&thread[i], NULL, callers_elsewhere, thread), 0);
        (void)callers_elsewhere(NULL);
        for (int i = 0; i < 3; i++)
                CHECK_INT(pthread_join(thread[i], NULL), 0);
}

/* Kills and the end of the pool at any moment: each argument is either the caller's again or released, once. */

enum { STORM = 60 };

static atomic_int fates[STORM][2]; /* released, returned */

static void
count_release(void *arg, void *result)
{
        (void)result;
        atomic_fetch_add(&fates[INT(arg)][0], 1);
}

static void *
work_a_little(void *arg)
{
        burn(INT(arg) % 7 * 1e-6);
        return arg;
}

static void *
stormy_call(void *arg)
{
        bool abandoned = true;
        const struct green_tpool_opts opts = {
                .size = sizeof(opts), .release = count_release, .ret_abandoned = &abandoned};
        int rc = green_tpool_execute(work_a_little, arg, &opts, NULL);

        CHECK(rc == 0 || rc == GREEN_EKILLED);
        if (!abandoned)
                atomic_fetch_add(&fates[INT(arg)][1], 1);
        (void)green_recover();
        return NULL;
}

static void *
storm(void *arg)
{
        int first = INT(arg);
        green_thread *gt[STORM / 2];
        uint32_t random = (uint32_t)first + 1;

        for (int i = 0; i < STORM / 2; i++)
                gt[i] = green_spawn(stormy_call, PTR(first + i));
        for (int i = 0; i < STORM; i++) {
                random = random * 1664525u + 1013904223u;
                if (random >> 31)
                        CHECK_INT(green_sleep(0), 0);
                CHECK_INT(green_kill(gt[(random >> 16) % (STORM / 2)], 0), 0);
                if (i % 20 == 19 && first != 0)
                        CHECK_RANGE(green_tpool_killall(random >> 30 == 0 ? 0 : SOON), -ETIMEDOUT, 0);
        }
        for (int i = 0; i < STORM / 2; i++) {
                int rc = join(gt[i]);

                /* One that was killed before it started makes no call. */
                if (rc == GREEN_EKILLED)
                        atomic_fetch_add(&fates[first + i][1], 1);
        }
        if (first != 0)
                CHECK_INT(green_hub_destroy(SOON), 0);
        return NULL;
}

static void
whatever_is_killed_or_ended_each_argument_has_one_owner(void)
{
        GREEN_COVERS("TPOOL-09", "TPOOL-15");
        CHECK_INT(green_tpool_set_num_threads(3), 0);
        for (int round = 0; round < 40; round++) {
                pthread_t thread;
                int left = 100000;

                memset(fates, 0, sizeof(fates));
                log_text[0] = '\0';
                CHECK_INT(pthread_create(&thread, NULL, storm, PTR(STORM / 2)), 0);
                (void)storm(PTR(0));
                CHECK_INT(pthread_join(thread, NULL), 0);
                CHECK_INT(green_tpool_killall(SOON), 0);
                for (int i = 0; i < STORM; i++) {
                        /* Threads that were not waited for may still be at it. */
                        while (fates[i][0] + fates[i][1] == 0 && left-- > 0)
                                burn(0.0001);
                        if (!CHECK_INT(fates[i][0] + fates[i][1], 1))
                                return;
                }
        }
}

/* ---- a hub that ends while its calls are under way */

struct leaver {
        struct gate *g;
        bool queued, release;
};

static atomic_int released;

static void
count_released(void *arg, void *result)
{
        (void)arg;
        (void)result;
        atomic_fetch_add(&released, 1);
}

static void *
leave(void *arg)
{
        struct leaver *l = arg;
        struct caller c[2] = {{0}};

        c[1].opts.release = c[0].opts.release = l->release ? count_released : NULL;
        caller_start(&c[0], pass_gate, l->g);
        gate_begun(l->g);
        if (l->queued)
                caller_start(&c[1], pass_gate, l->g);
        CHECK_INT(green_hub_destroy(0), -ETIMEDOUT);
        return NULL;
}

static void
nothing_of_a_caller_is_touched_whose_hub_has_ended(void)
{
        struct gate g = gate_make();

        GREEN_COVERS("TPOOL-17");
        CHECK_INT(green_tpool_set_num_threads(1), 0);
        for (int i = 0; i < 4; i++) {
                struct leaver l = {&g, i % 2 == 1, i >= 2};
                pthread_t thread;

                atomic_store(&released, 0);
                atomic_store(&g.ended, 0);
                CHECK_INT(pthread_create(&thread, NULL, leave, &l), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
                CHECK_INT(pool_info().running, 1);
                gate_let(&g, 1);
                /* It was in the one thread before this one. */
                CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
                CHECK_INT(atomic_load(&g.ended), 1);
                CHECK_INT(atomic_load(&released), !l.release ? 0 : l.queued ? 2 : 1);
        }
        gate_drop(&g);
}

/* ---- fork */

static void
the_child_of_a_fork_starts_with_no_pool(void)
{
        struct gate g = gate_make();
        struct caller c[4] = {{0}};
        pid_t pid;

        GREEN_COVERS("FORK-05");
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        for (int i = 0; i < 4; i++) {
                c[i].opts.release = i % 2 == 1 ? count_released : NULL;
                caller_start(&c[i], pass_gate, &g);
        }
        gate_begun(&g);
        gate_begun(&g);
        pid = child_begin();
        if (pid == 0) {
                void *result = NULL;

                CHECK_INT(pool_info().threads, 0);
                CHECK_INT(pool_info().queued, 0);
                CHECK_INT(green_tpool_killall(1), 0);
                if (!suite_child_threads())
                        child_exit();
                for (int i = 0; i < 100; i++)
                        CHECK_INT(green_tpool_execute(return_arg, PTR(5), NULL, &result), 0);
                CHECK_INT(INT(result), 5);
                CHECK_RANGE(pool_info().threads, 1, 2);
                CHECK_INT(green_tpool_killall(SOON), 0);
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        for (int i = 0; i < 4; i++)
                gate_let(&g, i);
        for (int i = 0; i < 4; i++)
                CHECK_INT(caller_end(&c[i]), 0);
        gate_drop(&g);
}

static void *
fork_in_job(void *arg)
{
        pid_t pid = child_begin();

        if (pid == 0) {
                CHECK_INT(pool_info().threads, 0);
                if (!suite_child_threads())
                        child_exit();
                CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
                CHECK_INT(green_tpool_killall(SOON), 0);
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        return arg;
}

static void
a_job_may_fork(void)
{
        GREEN_COVERS("FORK-05");
        CHECK_INT(green_tpool_execute(fork_in_job, NULL, NULL, NULL), 0);
}

/* ---- what a job finds in its OS thread */

static void *
look_around(void *arg)
{
        green_queue *q = arg;
        green_thread *self;
        sigset_t blocked;

        CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
        CHECK_INT(sigismember(&blocked, SIGINT), 1);
        CHECK_INT(sigismember(&blocked, SIGALRM), 1);
        CHECK_INT(sigismember(&blocked, SIGCHLD), 1);
        CHECK_INT(sigismember(&blocked, SIGSEGV), 0);
        CHECK_INT(green_park_check_mt(0, &self), 1); /* no hub */
        CHECK_INT(green_failed(green_fail(-EIO)), -EIO);
        green_log(GREEN_LOG_INFO, "a line from the pool");
        CHECK_INT(green_park_check_mt(0, &self), 1);
        CHECK_INT(green_queue_put(q, NULL, 0), -EPERM);
        return NULL;
}

static void *
sleep_green(void *arg)
{
        CHECK_INT(green_sleep(0.001), 0);
        return arg;
}

static void
a_job_has_no_hub_unless_it_makes_one_and_no_signals(void)
{
        green_queue *q = green_queue_new(1, NULL);
        void *result = NULL;

        GREEN_COVERS("TPOOL-18", "ISS-06");
        CHECK_INT(green_tpool_execute(look_around, q, NULL, NULL), 0);
        CHECK(strstr(log_text, "a line from the pool") != NULL);
        CHECK_INT(green_queue_qsize(q), 0);
        CHECK_INT(green_tpool_execute(sleep_green, PTR(6), NULL, &result), 0);
        CHECK_INT(INT(result), 6);
        CHECK_INT(green_queue_free(q), 0);
}

static size_t
open_descriptors(void)
{
        size_t n = 0;

        for (int fd = 0; fd < 200; fd++)
                n += write(fd, "", 0) == 0 || errno != EBADF;
        return n;
}

static void
the_pool_needs_no_descriptors(void)
{
        size_t before = open_descriptors();
        struct gate g = gate_make();
        struct caller c[10] = {{0}};

        GREEN_COVERS("TPOOL-08", "ISS-21");
        for (int i = 0; i < 10; i++)
                caller_start(&c[i], pass_gate, &g);
        for (int i = 0; i < 10; i++)
                gate_begun(&g);
        CHECK_INT(open_descriptors(), before);
        for (int i = 0; i < 10; i++)
                gate_let(&g, i);
        for (int i = 0; i < 10; i++)
                CHECK_INT(caller_end(&c[i]), 0);
        gate_drop(&g);
}

GREEN_SUITE(sync_tpool_life) {
        GREEN_TEST(the_environment_says_how_many_threads_there_are_at_most),
        GREEN_TEST(with_0_threads_calls_run_inline_and_one_warning_says_so),
        GREEN_TEST(the_process_ends_though_a_job_does_not),
        GREEN_TEST(a_number_of_threads_counts_from_the_next_start_on),
        GREEN_TEST(the_end_waits_for_all_jobs_while_green_threads_run_on),
        GREEN_TEST(what_does_not_end_in_time_goes_on_by_itself),
        GREEN_TEST(each_result_goes_to_the_os_thread_that_asked),
        GREEN_TEST(whatever_is_killed_or_ended_each_argument_has_one_owner, .limit = 120),
        GREEN_TEST(nothing_of_a_caller_is_touched_whose_hub_has_ended),
        GREEN_TEST(the_child_of_a_fork_starts_with_no_pool),
        GREEN_TEST(a_job_may_fork),
        GREEN_TEST(a_job_has_no_hub_unless_it_makes_one_and_no_signals),
        GREEN_TEST(the_pool_needs_no_descriptors),
        GREEN_SUITE_END
};
