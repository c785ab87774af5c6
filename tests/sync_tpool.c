/*
 * The thread pool: calls, their results and errors, kills and timeouts.
 */
#include "sync_tpool.h"

GREEN_SUITE_INIT(tpool_init)

static void *
where_it_runs(void *arg)
{
        pthread_t *ret_thread = arg;

        *ret_thread = pthread_self();
        return PTR(7);
}

static void *
count_turns(void *arg)
{
        int *count = arg;

        while (green_sleep(0) == 0)
                ++*count;
        return NULL;
}

static void
a_function_runs_in_another_os_thread_and_its_result_comes_back(void)
{
        pthread_t thread = pthread_self();
        void *result = NULL;

        GREEN_COVERS("TPOOL-01");
        CHECK_INT(green_tpool_execute(where_it_runs, &thread, NULL, &result), 0);
        CHECK_INT(INT(result), 7);
        CHECK(!pthread_equal(thread, pthread_self()));
        CHECK_INT(green_tpool_execute(where_it_runs, &thread, NULL, NULL), 0);
}

static void
other_green_threads_run_meanwhile(void)
{
        struct gate g = gate_make();
        struct caller c = {0};
        int count = 0, before;
        green_thread *counter = green_spawn(count_turns, &count);

        GREEN_COVERS("TPOOL-07", "TPOOL-01");
        caller_start(&c, pass_gate, &g);
        gate_begun(&g);
        before = count;
        turns(10);
        CHECK_RANGE(count, before + 9, before + 11);
        CHECK_INT(c.rc, 1000);
        gate_let(&g, 3);
        CHECK_INT(caller_end(&c), 0);
        CHECK_INT(INT(c.result), 3);
        CHECK_INT(green_kill(counter, 0), 0);
        CHECK_INT(join(counter), GREEN_EKILLED);
        gate_drop(&g);
}

static void *
note_order(void *arg)
{
        static atomic_int last;

        CHECK_INT(atomic_exchange(&last, INT(arg)), INT(arg) - 1);
        return arg;
}

static void
jobs_begin_in_the_order_they_came(void)
{
        struct gate g = gate_make();
        struct caller first = {0}, c[50] = {{0}};

        GREEN_COVERS("TPOOL-04");
        CHECK_INT(green_tpool_set_num_threads(1), 0);
        caller_start(&first, pass_gate, &g);
        gate_begun(&g);
        for (int i = 0; i < 50; i++)
                caller_start(&c[i], note_order, PTR(i + 1));
        CHECK_INT(pool_info().queued, 50);
        CHECK_INT(pool_info().running, 1);
        gate_let(&g, 0);
        for (int i = 0; i < 50; i++) {
                CHECK_INT(caller_end(&c[i]), 0);
                CHECK_INT(c[i].order, i + 2);
        }
        CHECK_INT(caller_end(&first), 0);
        gate_drop(&g);
}

static void
as_many_run_at_once_as_there_are_threads_and_the_others_wait(void)
{
        struct gate g = gate_make();
        struct caller c[40] = {{0}};

        GREEN_COVERS("TPOOL-02", "TPOOL-04");
        CHECK_INT(pool_info().threads, 0);
        CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
        /* As needed: one will do. */
        CHECK_INT(pool_info().threads, 1);
        for (int i = 0; i < 40; i++)
                caller_start(&c[i], pass_gate, &g);
        for (int i = 0; i < 20; i++)
                gate_begun(&g);
        CHECK_INT(pool_info().threads, 20);
        CHECK_INT(pool_info().running, 20);
        CHECK_INT(pool_info().queued, 20);
        CHECK_INT(green_chan_len(g.begun), 0);
        for (int i = 0; i < 40; i++)
                gate_let(&g, i);
        for (int i = 0; i < 40; i++)
                CHECK_INT(caller_end(&c[i]), 0);
        CHECK_INT(pool_info().threads, 20);
        CHECK_INT(pool_info().queued, 0);
        gate_drop(&g);
}

static void *
call_short(void *arg)
{
        (void)arg;
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
        return NULL;
}

/* Where jobs were so short that one thread did them all, one that is not keeps nobody waiting. */
static void
a_long_job_among_short_ones_does_not_hold_them_up(void)
{
        struct gate g = gate_make();

        CHECK_INT(green_tpool_set_num_threads(3), 0);
        for (int round = 0; round < 10; round++) {
                struct caller longer[2] = {{0}};
                green_thread *gt[200];

                for (int i = 0; i < 200; i++) {
                        gt[i] = green_spawn(call_short, NULL);
                        if (i == 50 || i == 100)
                                caller_start(&longer[i / 50 - 1], pass_gate, &g);
                }
                for (int i = 0; i < 200; i++)
                        CHECK_INT(join(gt[i]), 0);
                gate_let(&g, 1);
                gate_let(&g, 1);
                CHECK_INT(caller_end(&longer[0]), 0);
                CHECK_INT(caller_end(&longer[1]), 0);
                gate_begun(&g);
                gate_begun(&g);
        }
        gate_drop(&g);
}

static void *
call_again(void *arg)
{
        pthread_t outer = pthread_self(), inner;
        void *result = NULL;

        CHECK_INT(green_tpool_execute(where_it_runs, &inner, NULL, &result), 0);
        CHECK(pthread_equal(outer, inner));
        CHECK_INT(INT(result), 7);
        CHECK_INT(green_tpool_killall(1), -EDEADLK);
        return arg;
}

static void
a_job_that_calls_the_pool_runs_inline(void)
{
        GREEN_COVERS("TPOOL-05");
        CHECK_INT(green_tpool_set_num_threads(1), 0);
        CHECK_INT(green_tpool_execute(call_again, NULL, NULL, NULL), 0);
}

/* ---- errors */

static void *
fail_so(void *arg)
{
        return green_fail(INT(arg));
}

static void *
fail_with_error(void *arg)
{
        const struct green_error error = {INT(arg), "something", NULL, NULL};

        return green_fail_error(&error);
}

static void *
leave_thread(void *arg)
{
        pthread_exit(arg);
}

static void
errors_of_the_function_are_the_caller_s_whatever_they_are(void)
{
        static const int codes[] = {-EIO, GREEN_ETIMEOUT, GREEN_EKILLED, -ETIMEDOUT, -EINVAL, GREEN_ESTOPPED};
        static const struct green_error error = {-EIO, "an error that is a result", NULL, NULL};
        void *result = PTR(1);

        GREEN_COVERS("TPOOL-10", "TPOOL-11", "TPOOL-12");
        for (int i = 0; i < 6; i++) {
                CHECK_INT(green_tpool_execute(fail_so, PTR(codes[i]), NULL, &result), codes[i]);
                CHECK_INT(green_tpool_execute(fail_with_error, PTR(codes[i]), NULL, &result), codes[i]);
                CHECK_INT(INT(result), 1);
                CHECK_INT(green_checkpoint(), 0);
        }
        CHECK_INT(green_tpool_execute(return_arg, PTR(&error), NULL, &result), 0);
        CHECK_PTR(result, &error);
}

static void
one_that_ends_its_os_thread_is_answered_and_the_pool_goes_on(void)
{
        struct caller c[30] = {{0}};

        GREEN_COVERS("TPOOL-11");
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        for (int i = 0; i < 30; i++)
                caller_start(&c[i], i % 2 == 0 ? leave_thread : return_arg, PTR(i));
        for (int i = 0; i < 30; i++) {
                CHECK_INT(caller_end(&c[i]), i % 2 == 0 ? -ECANCELED : 0);
                if (i % 2 == 1)
                        CHECK_INT(INT(c[i].result), i);
        }
        CHECK_RANGE(pool_info().threads, 0, 2);
        CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
}

static void *
set_errno(void *arg)
{
        errno = INT(arg);
        return arg;
}

static void
errno_comes_back_where_the_function_has_set_it(void)
{
        errno = EDOM;
        CHECK_INT(green_tpool_execute(set_errno, PTR(ENOTTY), NULL, NULL), 0);
        CHECK_INT(errno, ENOTTY);
        CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
        CHECK_INT(errno, ENOTTY);
}

static void
errors_are_logged_with_the_place_of_the_call_where_that_is_wanted(void)
{
        GREEN_COVERS("TPOOL-13", "DEBUG-05");
        CHECK_INT(green_tpool_execute(fail_so, PTR(-EIO), NULL, NULL), -EIO);
        CHECK_STR(log_text, "");
        CHECK(!green_debug_tpool_exceptions(true));
        CHECK_INT(green_tpool_execute_at(fail_so, PTR(-EIO), NULL, NULL, "here.c:12"), -EIO);
        CHECK(strstr(log_text, "called at here.c:12) ended with EIO") != NULL);
        CHECK_INT(green_tpool_execute(fail_so, PTR(-EIO), NULL, NULL), -EIO);
        CHECK(strstr(log_text, "sync_tpool.c:") != NULL);
        CHECK(green_debug_tpool_exceptions(false));
        log_text[0] = '\0';
        CHECK_INT(green_tpool_execute(fail_so, PTR(-EIO), NULL, NULL), -EIO);
        CHECK_STR(log_text, "");
}

static void
many_errors_leave_no_memory_behind(void)
{
        long before;

        GREEN_COVERS("TPOOL-19");
        CHECK_INT(green_tpool_set_num_threads(1), 0);
        CHECK_INT(green_tpool_execute(fail_with_error, PTR(-EIO), NULL, NULL), -EIO);
        before = atomic_load(&memory_blocks);
        for (int i = 0; i < 1000; i++)
                CHECK_INT(green_tpool_execute(fail_with_error, PTR(-EIO), NULL, NULL), -EIO);
        /* Stacks that were kept before may go meanwhile. */
        CHECK(atomic_load(&memory_blocks) <= before);
}

/* ---- kills and timeouts */

static atomic_int released;
static void *_Atomic released_arg, *_Atomic released_result;

static void
release(void *arg, void *result)
{
        atomic_store(&released_arg, arg);
        atomic_store(&released_result, result);
        atomic_fetch_add(&released, 1);
}

static void
wait_released(int n)
{
        for (int i = 0; i < 100000 && atomic_load(&released) < n; i++)
                CHECK_INT(green_sleep(0.0001), 0);
        CHECK_INT(atomic_load(&released), n);
}

static struct green_timeout late;

/* When the job has begun, and after that the timeout has fired. */
static void *
let_later(void *arg)
{
        gate_begun(arg);
        while (!green_timeout_fired(&late))
                CHECK_INT(green_sleep(0.001), 0);
        gate_let(arg, 5);
        return NULL;
}

static void
without_release_a_call_that_has_begun_is_waited_for_and_the_kill_seen_later(void)
{
        struct gate g = gate_make();
        struct caller c = {0};
        green_thread *later;
        double seconds = 0.001;

        GREEN_COVERS("TPOOL-09");
        caller_start(&c, pass_gate, &g);
        gate_begun(&g);
        CHECK_INT(green_kill(c.thread, 0), 0);
        turns(5);
        CHECK_INT(c.rc, 1000);
        gate_let(&g, 4);
        CHECK_INT(caller_end(&c), 0);
        CHECK_INT(INT(c.result), 4);
        later = green_spawn(let_later, &g);
        CHECK_INT(green_timeout_start(&late, seconds), 0);
        /* On a busy machine it may fire before the job begins, which is then withdrawn. */
        while (green_tpool_execute(pass_gate, &g, NULL, NULL) != 0 && seconds < SOON) {
                CHECK_INT(green_timeout_cancel(&late), 1);
                CHECK_INT(green_timeout_start(&late, seconds *= 2), 0);
        }
        /* It has fired, and failed nothing. */
        CHECK(green_timeout_fired(&late));
        CHECK_INT(green_timeout_cancel(&late), 0);
        CHECK_INT(join(later), 0);
        gate_drop(&g);
}

static void
without_release_a_call_that_has_not_begun_is_withdrawn(void)
{
        struct gate g = gate_make();
        struct caller c[4] = {{0}};

        GREEN_COVERS("TPOOL-09");
        CHECK_INT(green_tpool_set_num_threads(1), 0);
        for (int i = 0; i < 4; i++)
                caller_start(&c[i], pass_gate, &g);
        gate_begun(&g);
        CHECK_INT(green_kill(c[2].thread, -EOWNERDEAD), 0);
        CHECK_INT(c[2].rc, -EOWNERDEAD);
        CHECK_INT(pool_info().queued, 2);
        CHECK_INT(green_kill(c[3].thread, 0), 0);
        CHECK_INT(green_kill(c[1].thread, 0), 0);
        CHECK_INT(pool_info().queued, 0);
        gate_let(&g, 1);
        for (int i = 0; i < 4; i++)
                CHECK_INT(caller_end(&c[i]), i == 0 ? 0 : i == 2 ? -EOWNERDEAD : GREEN_EKILLED);
        CHECK_INT(atomic_load(&g.ended), 1);
        gate_drop(&g);
}

static void
with_release_a_call_is_abandoned_and_the_pool_releases_argument_and_result(void)
{
        struct gate g = gate_make();
        struct caller c = {.opts = {.release = release}};
        struct green_timeout t = {{0}};
        bool abandoned = false;
        const struct green_tpool_opts opts = {.size = sizeof(opts), .release = release, .ret_abandoned = &abandoned};

        GREEN_COVERS("TPOOL-09");
        atomic_store(&released, 0);
        caller_start(&c, pass_gate, &g);
        gate_begun(&g);
        CHECK_INT(green_kill(c.thread, 0), 0);
        CHECK_INT(caller_end(&c), GREEN_EKILLED);
        CHECK(c.abandoned);
        CHECK_INT(atomic_load(&released), 0);
        gate_let(&g, 6);
        wait_released(1);
        CHECK_PTR(atomic_load(&released_arg), &g);
        CHECK_INT(INT(atomic_load(&released_result)), 6);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(green_tpool_execute(pass_gate, &g, &opts, NULL), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK(abandoned);
        gate_let(&g, 7);
        wait_released(2);
        /* Nobody abandons it: it is the caller's. */
        gate_let(&g, 8);
        CHECK_INT(green_tpool_execute(pass_gate, &g, &opts, NULL), 0);
        CHECK(!abandoned);
        CHECK_INT(green_tpool_execute(fail_so, PTR(-EIO), &opts, NULL), -EIO);
        CHECK(!abandoned);
        CHECK_INT(green_tpool_killall(SOON), 0);
        CHECK_INT(atomic_load(&released), 2);
        gate_drop(&g);
}

static void
with_release_what_has_not_begun_never_does_and_is_released_too(void)
{
        struct gate g = gate_make();
        struct caller c[3] = {{0}};

        GREEN_COVERS("TPOOL-09");
        atomic_store(&released, 0);
        CHECK_INT(green_tpool_set_num_threads(1), 0);
        c[1].opts.release = release;
        for (int i = 0; i < 3; i++)
                caller_start(&c[i], pass_gate, &g);
        gate_begun(&g);
        CHECK_INT(green_kill(c[1].thread, 0), 0);
        CHECK_INT(caller_end(&c[1]), GREEN_EKILLED);
        CHECK(c[1].abandoned);
        gate_let(&g, 1);
        gate_let(&g, 2);
        CHECK_INT(caller_end(&c[0]), 0);
        CHECK_INT(caller_end(&c[2]), 0);
        CHECK_INT(atomic_load(&released), 1);
        CHECK_PTR(atomic_load(&released_result), NULL);
        CHECK_INT(atomic_load(&g.ended), 2);
        gate_drop(&g);
}

static void *
killed_before(void *arg)
{
        struct caller *c = arg;

        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        return caller_main(c);
}

static void
one_that_was_killed_before_runs_nothing(void)
{
        static void (*const releases[])(void *arg, void *result) = {NULL, release};

        for (int i = 0; i < 2; i++) {
                struct caller c = {.fn = where_it_runs, .arg = &c, .opts = {.release = releases[i]}};

                GREEN_COVERS("TPOOL-09");
                atomic_store(&released, 0);
                c.thread = green_spawn(killed_before, &c);
                CHECK_INT(caller_end(&c), GREEN_EKILLED);
                CHECK_INT(atomic_load(&released), i);
                CHECK_INT(c.abandoned, i);
                CHECK_INT(pool_info().threads, 0);
        }
}

static void
a_kill_between_the_end_of_the_job_and_the_run_is_seen_by_the_next_call(void)
{
        struct gate g = gate_make();
        struct caller c = {.opts = {.release = release}};

        atomic_store(&released, 0);
        caller_start(&c, pass_gate, &g);
        gate_begun(&g);
        gate_let(&g, 9);
        while (pool_info().running > 0)
                burn(0.0001);
        CHECK_INT(green_kill(c.thread, 0), 0);
        CHECK_INT(caller_end(&c), 0);
        CHECK_INT(INT(c.result), 9);
        CHECK(!c.abandoned);
        CHECK_INT(atomic_load(&released), 0);
        gate_drop(&g);
}

/* ---- misuse, and where else it is called */

static void
misuse_is_told(void)
{
        struct green_tpool_opts opts = {.size = 1000};
        struct green_tpool_info info = {.size = 1};

        CHECK_INT(green_tpool_execute(NULL, NULL, NULL, NULL), -EINVAL);
        CHECK(reported("no function"));
        CHECK_INT(green_tpool_execute(return_arg, NULL, &opts, NULL), -EINVAL);
        CHECK(reported("unknown size"));
        CHECK_INT(green_tpool_set_num_threads(-1), -EINVAL);
        CHECK_INT(green_tpool_get_info(NULL), -EINVAL);
        CHECK_INT(green_tpool_get_info(&info), -EINVAL);
        CHECK_INT(green_tpool_killall(-1), -EINVAL);
        CHECK_INT(green_tpool_killall(NAN), -EINVAL);
        CHECK_INT(green_tpool_proxy_next(NULL, NULL, NULL), -EINVAL);
        CHECK_INT(pool_info().threads, 0);
}

static void
in_hub_context(void *arg)
{
        CHECK_INT(green_tpool_execute(return_arg, arg, NULL, NULL), -EDEADLK);
        CHECK(reported("misuse by a hub callback"));
        CHECK_INT(green_tpool_killall(1), -EDEADLK);
}

static void
a_hub_callback_cannot_wait_for_the_pool(void)
{
        in_callback(in_hub_context, NULL);
        CHECK_INT(pool_info().threads, 0);
}

static void
calls_need_memory_only_where_they_may_be_abandoned(void)
{
        const struct green_tpool_opts opts = {.size = sizeof(opts), .release = release};

        memory_left = 0;
        CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), -ENOMEM);
        memory_left = 1;
        CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), -ENOMEM);
        memory_left = -1;
        CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
        memory_left = 0;
        CHECK_INT(green_tpool_execute(return_arg, NULL, NULL, NULL), 0);
        CHECK_INT(green_tpool_execute(return_arg, NULL, &opts, NULL), -ENOMEM);
        memory_left = -1;
}

GREEN_SUITE(sync_tpool) {
        GREEN_TEST(a_function_runs_in_another_os_thread_and_its_result_comes_back),
        GREEN_TEST(other_green_threads_run_meanwhile),
        GREEN_TEST(jobs_begin_in_the_order_they_came),
        GREEN_TEST(as_many_run_at_once_as_there_are_threads_and_the_others_wait),
        GREEN_TEST(a_long_job_among_short_ones_does_not_hold_them_up),
        GREEN_TEST(a_job_that_calls_the_pool_runs_inline),
        GREEN_TEST(errors_of_the_function_are_the_caller_s_whatever_they_are),
        GREEN_TEST(one_that_ends_its_os_thread_is_answered_and_the_pool_goes_on),
        GREEN_TEST(errno_comes_back_where_the_function_has_set_it),
        GREEN_TEST(errors_are_logged_with_the_place_of_the_call_where_that_is_wanted),
        GREEN_TEST(many_errors_leave_no_memory_behind),
        GREEN_TEST(without_release_a_call_that_has_begun_is_waited_for_and_the_kill_seen_later),
        GREEN_TEST(without_release_a_call_that_has_not_begun_is_withdrawn),
        GREEN_TEST(with_release_a_call_is_abandoned_and_the_pool_releases_argument_and_result),
        GREEN_TEST(with_release_what_has_not_begun_never_does_and_is_released_too),
        GREEN_TEST(one_that_was_killed_before_runs_nothing),
        GREEN_TEST(a_kill_between_the_end_of_the_job_and_the_run_is_seen_by_the_next_call),
        GREEN_TEST(misuse_is_told),
        GREEN_TEST(a_hub_callback_cannot_wait_for_the_pool),
        GREEN_TEST(calls_need_memory_only_where_they_may_be_abandoned),
        GREEN_SUITE_END
};
