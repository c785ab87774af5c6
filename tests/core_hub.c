/* The hub of an OS thread: made on first use, chosen, posted to, stopped, ended. */
#include "core_suite.h"

#include <math.h>
#include <signal.h>

/* ---- one a thread */

struct thread_hub {
        green_hub *hub, *again;
        uint64_t ident;
        int rc;
};

static void *
look_at_hub(void *arg)
{
        struct thread_hub *t = arg;

        t->hub = green_hub_ref(green_get_hub());
        t->ident = green_hub_ident();
        t->rc = green_sleep(0.001);
        t->again = green_get_hub();
        return NULL;
}

static void
each_os_thread_has_a_hub_of_its_own(void)
{
        struct thread_hub t[4];
        pthread_t threads[4];
        green_hub *here = green_get_hub();

        GREEN_COVERS("HUB-01");
        CHECK(here != NULL);
        for (int i = 0; i < 4; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, look_at_hub, &t[i]), 0);
        for (int i = 0; i < 4; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < 4; i++) {
                CHECK_INT(t[i].rc, 0);
                CHECK(t[i].hub != NULL && t[i].hub != here);
                CHECK_PTR(t[i].again, t[i].hub);
                CHECK(t[i].ident != 0 && t[i].ident != green_hub_ident());
                for (int j = 0; j < i; j++)
                        CHECK(t[i].ident != t[j].ident && t[i].hub != t[j].hub);
        }
        for (int i = 0; i < 4; i++)
                green_hub_unref(t[i].hub);
        CHECK_PTR(green_get_hub(), here);
        CHECK_STR(green_hub_name(here), green_hub_name(NULL));
        green_hub_unref(NULL);
}

static void *
use_main(void *arg)
{
        green_thread *main_thread = arg;

        CHECK(green_getcurrent() != main_thread);
        CHECK_INT(green_kill(main_thread, -EINTR), 0);
        return NULL;
}

static void
the_main_green_thread_is_an_ordinary_one(void)
{
        green_thread *self = green_getcurrent();

        GREEN_COVERS("HUB-02");
        CHECK(self != NULL);
        CHECK_STR(green_thread_name(self), "main");
        CHECK(green_thread_alive(self));
        CHECK_INT(green_spawn_n(use_main, self), 0);
        CHECK_INT(green_sleep(GREEN_FOREVER), -EINTR);
        CHECK_INT(green_recover(), -EINTR);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_thread_wait(self, NULL), -EDEADLK);
}

static void *
spawn_first(void *arg)
{
        bool ran = false;

        (void)arg;
        /* No loop was started: the first wait runs the others. */
        CHECK_INT(green_schedule_call_global(0, core_set_flag, &ran), 0);
        CHECK(!ran);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK(ran);
        return NULL;
}

static void
there_is_no_loop_to_run(void)
{
        pthread_t thread;

        GREEN_COVERS("HUB-02");
        CHECK_INT(pthread_create(&thread, NULL, spawn_first, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
}

/* ---- choosing */

/* Built in or a module: the first that works of those that may be taken unasked. */
static void
the_default_hub_is_the_first_that_works(void)
{
        static const char *const order[] = {"iocp", "epoll", "kqueue", "poll", "select"};
        const char *usual = getenv("GREEN_HUB");
        char *before = usual != NULL ? strdup(usual) : NULL;
        const char *first = NULL;

        GREEN_COVERS("HUB-03");
        for (size_t i = 0; i < sizeof order / sizeof order[0] && first == NULL; i++) {
                setenv("GREEN_HUB", order[i], 1);
                first = green_get_default_hub();
        }
        CHECK(first != NULL);
        unsetenv("GREEN_HUB");
        CHECK_STR(green_get_default_hub(), first);
        if (before != NULL)
                setenv("GREEN_HUB", before, 1);
        free(before);
}

static void
another_hub_is_refused_while_something_is_pending(void)
{
        struct core_waiter reader;
        green_thread *gt;
        green_timer *t = green_timer_new(100, core_nothing, NULL);
        int fds[2], open;

        GREEN_COVERS("HUB-09");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_timer_schedule(t), 0);
        CHECK_INT(green_use_hub(NULL), -EBUSY);
        CHECK_INT(green_last_error()->code, -EBUSY);
        CHECK_INT(green_timer_free(t), 0);
        gt = green_spawn(spawn_first, NULL);
        CHECK_INT(green_use_hub(NULL), -EBUSY);
        CHECK_INT(core_join(gt), 0);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_use_hub(NULL), -EBUSY);
        core_kill(reader.gt);
        CHECK_INT(green_hub_post(green_get_hub(), core_nothing, NULL), 0);
        CHECK_INT(green_use_hub(NULL), -EBUSY);
        CHECK_INT(green_sleep(0.001), 0);
        /* Now nothing is. The old one's descriptors are closed. */
        open = core_count_fds();
        for (int i = 0; i < 5; i++)
                CHECK_INT(green_use_hub(NULL), 0);
        CHECK_INT(core_count_fds(), open);
        core_put(fds[1]);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), 0);
        core_close_pair(fds);
}

static void
a_registration_survives_a_change_of_the_hub(void)
{
        const char *path = suite_plugin("hub_late");
        green_io *io;
        int fds[2];

        GREEN_COVERS("HUB-09");
        if (path == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], 0);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        setenv("GREEN_TEST_LATE", "strict=1", 1);
        CHECK_INT(green_use_hub(path), 0);
        CHECK_STR(green_hub_name(NULL), "late");
        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        CHECK_INT(green_use_hub(NULL), 0);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
}

static void
a_bad_name_leaves_the_hub_as_it_was(void)
{
        uint64_t ident = green_hub_ident();

        GREEN_COVERS("HUB-09");
        CHECK_INT(green_use_hub("no-such-hub"), GREEN_EHUB);
        CHECK_INT(green_hub_ident(), ident);
        CHECK_INT(green_sleep(0.001), 0);
}

/* ---- the end */

static int cleaned;

static void
clean_up(void *arg)
{
        (void)arg;
        /* Clean-up may wait. */
        CHECK_INT(green_sleep(0.002), 0);
        cleaned++;
}

static void *
wait_for_good(void *arg)
{
        const int *fd = arg;

        CHECK_INT(green_defer(clean_up, NULL), 0);
        CHECK_INT(green_trampoline(*fd, GREEN_READ, GREEN_FOREVER), GREEN_EKILLED);
        CHECK_INT(green_sleep(1), GREEN_EKILLED);
        return NULL;
}

static void *
never_started(void *arg)
{
        (void)arg;
        FAIL("it was killed before it started");
        return NULL;
}

static void
destroy_lets_green_threads_clean_up(void)
{
        green_thread *delayed;
        uint64_t ident = green_hub_ident();
        int fds[2];

        GREEN_COVERS("HUB-12");
        CHECK_OR_RETURN(core_pair(fds));
        cleaned = 0;
        CHECK_INT(green_spawn_n(wait_for_good, &fds[0]), 0);
        CHECK(green_debug_hub_prevent_multiple_readers(false));
        CHECK_INT(green_spawn_n(wait_for_good, &fds[0]), 0);
        CHECK_INT(green_sleep(0), 0);
        delayed = green_spawn_after(100, never_started, NULL);
        green_thread_unref(delayed);
        CHECK_INT(green_spawn_n(never_started, NULL), 0);
        CHECK_INT(green_schedule_call_global(100, core_nothing, NULL), 0);
        CHECK_INT(green_hub_destroy(-1), -EINVAL);
        CHECK_INT(green_hub_destroy(NAN), -EINVAL);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK_INT(cleaned, 2);
        CHECK_INT(green_hub_destroy(1), 0);
        /* And afresh. */
        CHECK(green_hub_ident() != ident);
        CHECK_INT(green_sleep(0.001), 0);
        (void)green_debug_hub_prevent_multiple_readers(true);
        core_close_pair(fds);
}

static void *
never_gives_up(void *arg)
{
        struct green_wait w;
        struct green_waitq queue = {0};

        (void)arg;
        green_shield_begin();
        FAIL("it was freed unrun, and park returned %d", green_park(&queue, &w, GREEN_FOREVER));
        return NULL;
}

static void
destroy_frees_what_does_not_end_in_time(void)
{
        struct core_log log;
        green_thread *gt;
        double begin = core_now();

        GREEN_COVERS("HUB-12");
        core_log_begin(&log, "in time");
        gt = green_spawn(never_gives_up, NULL);
        green_thread_unref(gt);
        CHECK_INT(green_spawn_n(never_gives_up, NULL), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_hub_destroy(0.02), -ETIMEDOUT);
        CHECK_RANGE(core_now() - begin, 0.02, CORE_SOON);
        CHECK_INT(log.count, 1);
        CHECK(strstr(log.last, "2 green threads") != NULL);
        core_log_end();
}

static void *
destroy_here(void *arg)
{
        (void)arg;
        CHECK_INT(green_hub_destroy(1), -EDEADLK);
        return NULL;
}

static void
only_main_may_destroy(void)
{
        GREEN_COVERS("HUB-12");
        CHECK_INT(core_join(green_spawn(destroy_here, NULL)), 0);
}

static void *
leave_everything(void *arg)
{
        const int *fd = arg;

        CHECK_INT(green_spawn_n(wait_for_good, (void *)(uintptr_t)arg), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_schedule_call_global(100, core_nothing, NULL), 0);
        CHECK(*fd >= 0);
        return NULL;
}

static void
the_end_of_an_os_thread_leaves_nothing_behind(void)
{
        struct core_log log;
        int fds[2], open;

        GREEN_COVERS("HUB-12");
        CHECK_OR_RETURN(core_pair(fds));
        core_log_begin(&log, "freed unrun");
        cleaned = 0;
        open = core_count_fds();
        for (int i = 0; i < 30; i++) {
                pthread_t thread;

                CHECK_INT(pthread_create(&thread, NULL, leave_everything, &fds[0]), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
        }
        CHECK_INT(core_count_fds(), open);
        CHECK_INT(log.count, 30);
        CHECK(strstr(log.last, "1 green thread was") != NULL);
        CHECK_INT(cleaned, 0);
        core_log_end();
        core_close_pair(fds);
}

/* ---- post */

struct poster {
        green_hub *hub;
        pthread_t thread;
        int count;
        int seen; /* in hub context: all so far, in order */
        atomic_int refused;
        struct post {
                struct poster *poster;
                int number;
        } posts[5000];
};

enum { POSTERS = 4, POSTS = 5000 };
static struct poster posters[POSTERS];
static struct green_waitq all_seen;
static int missing;

static void
take_post(void *arg)
{
        const struct post *post = arg;

        CHECK_PTR(green_getcurrent(), NULL);
        if (post->number != post->poster->seen)
                FAIL("post %d came as number %d", post->number, post->poster->seen);
        post->poster->seen++;
        if (--missing == 0)
                green_wake_one(&all_seen, NULL);
}

static void *
post_all(void *arg)
{
        struct poster *p = arg;

        for (int i = 0; i < POSTS; i++) {
                p->posts[i] = (struct post){p, i};
                CHECK_INT(green_hub_post(p->hub, take_post, &p->posts[i]), 0);
        }
        return NULL;
}

static void
four_threads_post_and_each_ones_posts_come_in_order(void)
{
        struct green_wait w;

        GREEN_COVERS("HUB-13");
        missing = POSTERS * POSTS;
        for (int i = 0; i < POSTERS; i++) {
                posters[i].hub = green_get_hub();
                posters[i].seen = 0;
                CHECK_INT(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
        }
        CHECK_INT(green_park(&all_seen, &w, GREEN_FOREVER), 0);
        for (int i = 0; i < POSTERS; i++) {
                CHECK_INT(pthread_join(posters[i].thread, NULL), 0);
                CHECK_INT(posters[i].seen, POSTS);
        }
        CHECK_INT(green_hub_post(NULL, take_post, NULL), -EINVAL);
        CHECK_INT(green_hub_post(green_get_hub(), NULL, NULL), -EINVAL);
}

static void
wake_main(void *arg)
{
        green_wake_one(&all_seen, arg);
}

static void *
post_later(void *arg)
{
        struct timespec t = {.tv_nsec = 20000000};

        nanosleep(&t, NULL);
        CHECK_INT(green_hub_post(arg, wake_main, &missing), 0);
        return NULL;
}

static void
a_post_ends_a_wait_without_limit(void)
{
        struct core_log log;
        struct green_wait w;
        pthread_t thread;

        GREEN_COVERS("HUB-13");
        core_log_begin(&log, "wait for each other");
        CHECK_INT(pthread_create(&thread, NULL, post_later, green_get_hub()), 0);
        CHECK_INT(green_park(&all_seen, &w, GREEN_FOREVER), 0);
        CHECK_PTR(w.value, &missing);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(log.count, 0);
        core_log_end();
}

static void
post_again(void *arg)
{
        int *left = arg;

        if (--*left > 0)
                CHECK_INT(green_hub_post(green_get_hub(), post_again, left), 0);
        else
                green_wake_one(&all_seen, NULL);
}

static void
a_post_from_the_hubs_own_thread_runs_later(void)
{
        struct green_wait w;
        int left = 3;

        GREEN_COVERS("HUB-13");
        CHECK_INT(green_hub_post(green_get_hub(), post_again, &left), 0);
        CHECK_INT(left, 3);
        CHECK_INT(green_park(&all_seen, &w, GREEN_FOREVER), 0);
        CHECK_INT(left, 0);
}

struct ending {
        _Atomic(green_hub *) hub;
        atomic_bool ready, stop;
        atomic_ulong posted, refused;
};

static void *
post_until_refused(void *arg)
{
        struct ending *e = arg;

        e->ready = true;
        while (!e->stop) {
                int rc = green_hub_post(e->hub, core_nothing, NULL);

                if (rc == 0)
                        e->posted++;
                else if (CHECK_INT(rc, GREEN_ECLOSED) && ++e->refused > 100)
                        break;
                sched_yield();
        }
        return NULL;
}

static void *
short_lived(void *arg)
{
        struct ending *e = arg;

        e->hub = green_hub_ref(green_get_hub());
        while (!e->ready)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_sleep(0.005), 0);
        return NULL;
}

static void
posting_to_a_hub_that_ends_is_safe_and_then_refused(void)
{
        struct ending e = {.ready = false};
        pthread_t owner, others[2];

        GREEN_COVERS("HUB-13", "HUB-12");
        CHECK_INT(pthread_create(&owner, NULL, short_lived, &e), 0);
        while (e.hub == NULL)
                CHECK_INT(green_sleep(0.001), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_create(&others[i], NULL, post_until_refused, &e), 0);
        CHECK_INT(pthread_join(owner, NULL), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_join(others[i], NULL), 0);
        CHECK(e.refused > 0);
        CHECK_INT(green_hub_post(e.hub, core_nothing, NULL), GREEN_ECLOSED);
        CHECK(green_hub_name(e.hub) != NULL);
        green_hub_unref(e.hub);
}

/* ---- wakers */

static void *
wake_often(void *arg)
{
        for (int i = 0; i < 1000; i++)
                CHECK_INT(green_wake_mt(arg), 0);
        return NULL;
}

static void
a_waker_wakes_from_any_thread_and_keeps_one_wake(void)
{
        green_waker *w = green_waker_new();
        pthread_t threads[2];

        GREEN_COVERS("HUB-13");
        CHECK_INT(green_waker_wait(w, 0), -ETIMEDOUT);
        CHECK_INT(green_waker_wait(w, 0.001), -ETIMEDOUT);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, wake_often, w), 0);
        CHECK_INT(green_waker_wait(w, GREEN_FOREVER), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        /* Those that came meanwhile count as one at most. */
        CHECK(green_waker_wait(w, 0.001) <= 0);
        CHECK_INT(green_waker_wait(w, 0), -ETIMEDOUT);
        CHECK_INT(green_wake_mt(w), 0);
        CHECK_INT(green_wake_mt(w), 0);
        CHECK_INT(green_waker_wait(w, 0), 0);
        CHECK_INT(green_waker_wait(w, 0.001), -ETIMEDOUT);
        CHECK_INT(green_waker_free(w), 0);
}

static green_waker *signal_waker;

static void
wake_from_signal(int sig)
{
        (void)sig;
        (void)green_wake_mt(signal_waker);
}

static void
a_waker_works_from_a_signal_handler(void)
{
        GREEN_COVERS("HUB-13");
        signal_waker = green_waker_new();
        signal(SIGUSR1, wake_from_signal);
        CHECK_INT(raise(SIGUSR1), 0);
        CHECK_INT(green_waker_wait(signal_waker, GREEN_FOREVER), 0);
        signal(SIGUSR1, SIG_DFL);
        CHECK_INT(green_waker_free(signal_waker), 0);
}

static void *
wait_for_waker(void *arg)
{
        CHECK_INT(green_waker_wait(arg, GREEN_FOREVER), GREEN_EKILLED);
        return NULL;
}

static void
a_wake_for_one_that_was_killed_is_kept_for_the_next(void)
{
        green_waker *w = green_waker_new();
        green_thread *gt = green_spawn(wait_for_waker, w);

        GREEN_COVERS("HUB-13");
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_waker_free(w), -EBUSY);
        CHECK_INT(green_wake_mt(w), 0);
        core_kill(gt);
        CHECK_INT(green_waker_wait(w, CORE_SOON), 0);
        /* One that is on its way is no reason to keep it. */
        CHECK_INT(green_wake_mt(w), 0);
        CHECK_INT(green_waker_free(w), 0);
        CHECK_INT(green_sleep(0.001), 0);
}

static void *
use_foreign_waker(void *arg)
{
        CHECK_INT(green_waker_wait(arg, 1), -EPERM);
        CHECK_INT(green_waker_free(arg), -EPERM);
        return green_waker_new();
}

static void
a_waker_belongs_to_its_os_thread(void)
{
        green_waker *w = green_waker_new();
        void *orphan = NULL;
        pthread_t thread;

        GREEN_COVERS("HUB-13");
        CHECK_INT(pthread_create(&thread, NULL, use_foreign_waker, w), 0);
        CHECK_INT(pthread_join(thread, &orphan), 0);
        CHECK_INT(green_wake_mt(orphan), GREEN_ECLOSED);
        CHECK_INT(green_waker_free(orphan), 0);
        CHECK_INT(green_waker_free(w), 0);
        CHECK_INT(green_waker_free(NULL), 0);
}

/* ---- facts */

static void
the_facts_of_a_hub_are_those_of_its_calls(void)
{
        struct green_hub_info info = {.size = 3};
        struct core_waiter reader;
        int fds[2];

        GREEN_COVERS("FD-20", "TIMER-10");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_hub_get_info(&info), -EINVAL);
        CHECK_INT(green_hub_get_info(NULL), -EINVAL);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        reader.timeout = 100;
        CHECK_INT(core_info().ready, 1);
        CHECK_INT(green_sleep(0), 0);
        info = core_info();
        CHECK_STR(info.name, green_hub_name(NULL));
        CHECK_INT(info.threads, 2);
        CHECK_INT(info.ready, 0);
        CHECK_INT(info.timers, 1);
        CHECK_INT(info.readers, 1);
        CHECK(info.stack_size >= 16384);
        CHECK(info.stacks >= 1);
        CHECK(info.context[0] != '\0' && info.guard[0] != '\0');
        CHECK(strstr(info.description, info.name) != NULL);
        core_kill(reader.gt);
        CHECK_STR(green_get_default_hub(), info.name);
        core_close_pair(fds);
}

static int64_t test_time;

static int64_t
test_clock(void)
{
        return test_time;
}

static void
another_clock_decides_when_timers_fire(void)
{
        green_thread *gt;
        bool fired = false;
        double begin = core_now();

        GREEN_COVERS("HUB-29");
        gt = green_spawn_after(100, never_started, NULL);
        CHECK_INT(green_hub_set_clock(test_clock), -EBUSY);
        CHECK_INT(green_thread_cancel(gt, 0), 1);
        green_thread_unref(gt);
        test_time = INT64_C(5000000000);
        CHECK_INT(green_hub_set_clock(test_clock), 0);
        CHECK_INT(green_schedule_call_global(3600, core_set_flag, &fired), 0);
        for (int i = 0; i < 300; i++)
                CHECK_INT(green_sleep(0), 0);
        CHECK(!fired);
        test_time += INT64_C(3599999999999);
        for (int i = 0; i < 300; i++)
                CHECK_INT(green_sleep(0), 0);
        CHECK(!fired);
        test_time++;
        while (!fired)
                CHECK_INT(green_sleep(0), 0);
        CHECK_RANGE(core_now() - begin, 0, CORE_SOON);
        CHECK_INT(green_hub_set_clock(NULL), 0);
        CHECK_INT(green_sleep(0.001), 0);
}

static void *
check_ident(void *arg)
{
        const uint64_t *ident = arg;
        struct core_log log;

        core_log_begin(&log, "a thing belongs to hub");
        CHECK_INT(green_hub_check(*ident, "a thing"), -EPERM);
        CHECK_INT(log.count, 1);
        CHECK_INT(green_last_error()->code, -EPERM);
        core_log_end();
        return NULL;
}

static void *
use_foreign_thread(void *arg)
{
        struct core_log log;

        core_log_begin(&log, "OS thread");
        CHECK_INT(green_kill(arg, 0), -EPERM);
        CHECK_INT(green_thread_wait(arg, NULL), -EPERM);
        CHECK_INT(green_thread_cancel(arg, 0), -EPERM);
        CHECK_INT(log.count, 3);
        core_log_end();
        return NULL;
}

static void
objects_of_another_os_thread_are_refused_with_a_report(void)
{
        uint64_t ident = green_hub_ident();
        green_thread *gt = green_spawn_after(100, never_started, NULL);
        pthread_t thread;

        GREEN_COVERS("HUB-01");
        CHECK_INT(green_hub_check(ident, "a thing"), 0);
        CHECK_INT(pthread_create(&thread, NULL, check_ident, &ident), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(pthread_create(&thread, NULL, use_foreign_thread, gt), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_thread_cancel(gt, 0), 1);
        green_thread_unref(gt);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_hub) {
        GREEN_TEST(each_os_thread_has_a_hub_of_its_own),
        GREEN_TEST(the_main_green_thread_is_an_ordinary_one),
        GREEN_TEST(there_is_no_loop_to_run),
        GREEN_TEST(the_default_hub_is_the_first_that_works),
        GREEN_TEST(another_hub_is_refused_while_something_is_pending),
        GREEN_TEST(a_registration_survives_a_change_of_the_hub),
        GREEN_TEST(a_bad_name_leaves_the_hub_as_it_was),
        GREEN_TEST(destroy_lets_green_threads_clean_up),
        GREEN_TEST(destroy_frees_what_does_not_end_in_time),
        GREEN_TEST(only_main_may_destroy),
        GREEN_TEST(the_end_of_an_os_thread_leaves_nothing_behind),
        GREEN_TEST(four_threads_post_and_each_ones_posts_come_in_order),
        GREEN_TEST(a_post_ends_a_wait_without_limit),
        GREEN_TEST(a_post_from_the_hubs_own_thread_runs_later),
        GREEN_TEST(posting_to_a_hub_that_ends_is_safe_and_then_refused),
        GREEN_TEST(a_waker_wakes_from_any_thread_and_keeps_one_wake),
        GREEN_TEST(a_waker_works_from_a_signal_handler),
        GREEN_TEST(a_wake_for_one_that_was_killed_is_kept_for_the_next),
        GREEN_TEST(a_waker_belongs_to_its_os_thread),
        GREEN_TEST(the_facts_of_a_hub_are_those_of_its_calls),
        GREEN_TEST(another_clock_decides_when_timers_fire),
        GREEN_TEST(objects_of_another_os_thread_are_refused_with_a_report),
        GREEN_SUITE_END
};
