/* What can be seen of green threads that wait: dumps, waits for descriptors, deadlines, hubs. */
#include "config.h"

#include "core_debug.h"

#include <signal.h>

/* ---- green threads that wait for all there is; their functions are global, so that every walker knows their names */

static struct green_waitq queue;
static int empty[2], full[2];

void *debug_reads(void *arg);
void *debug_writes(void *arg);
void *debug_parks(void *arg);
void *debug_sleeps(void *arg);
void *debug_joins(void *arg);
int debug_inner(int n);
void debug_called(void *arg);
void debug_watched(struct green_watch *watch, int result, void *arg);

APART int
debug_inner(int n)
{
        int rc = n > 0 ? debug_inner(n - 1) : green_trampoline(empty[0], GREEN_READ, 50.5);

        NOT_THE_LAST_CALL();
        return rc;
}

APART void *
debug_reads(void *arg)
{
        int rc = debug_inner(2);

        NOT_THE_LAST_CALL();
        return rc == 0 ? arg : green_fail(rc);
}

APART void *
debug_writes(void *arg)
{
        int rc = green_trampoline(full[0], GREEN_WRITE, GREEN_FOREVER);

        NOT_THE_LAST_CALL();
        return rc == 0 ? arg : green_fail(rc);
}

APART void *
debug_parks(void *arg)
{
        struct green_wait w;
        int rc = green_park(&queue, &w, GREEN_FOREVER);

        NOT_THE_LAST_CALL();
        return rc == 0 ? arg : green_fail(rc);
}

APART void *
debug_sleeps(void *arg)
{
        int rc = green_sleep(*(double *)arg);

        NOT_THE_LAST_CALL();
        return rc == 0 ? arg : green_fail(rc);
}

APART void *
debug_joins(void *arg)
{
        int rc = green_thread_wait(arg, NULL);

        NOT_THE_LAST_CALL();
        return rc == 0 ? arg : green_fail(rc);
}

void
debug_called(void *arg)
{
        (void)arg;
}

void
debug_watched(struct green_watch *watch, int result, void *arg)
{
        (void)watch;
        (void)result;
        (void)arg;
}

enum { READS, WRITES, PARKS, SLEEPS, FOREVER, JOINS, WAITERS };

static green_thread *waiters[WAITERS];
static double seven = 7.5, forever = GREEN_FOREVER;

static bool
waiters_begin(void)
{
        if (!core_pair(empty) || !core_pair(full))
                return false;
        core_fill(full[0]);
        waiters[READS] = green_spawn(debug_reads, NULL);
        waiters[WRITES] = green_spawn(debug_writes, NULL);
        waiters[PARKS] = green_spawn(debug_parks, NULL);
        waiters[SLEEPS] = green_spawn(debug_sleeps, &seven);
        waiters[FOREVER] = green_spawn(debug_sleeps, &forever);
        waiters[JOINS] = green_spawn(debug_joins, waiters[PARKS]);
        CHECK_INT(green_thread_set_name(waiters[PARKS], "parker"), 0);
        return CHECK_INT(green_sleep(0), 0) && CHECK_INT(green_sleep(0), 0);
}

static void
waiters_end(void)
{
        for (int i = WAITERS - 1; i >= 0; i--)
                core_kill(waiters[i]);
        core_close_pair(empty);
        core_close_pair(full);
}

/* ---- dumps */

static struct written dumped;

static const char *
dump(void)
{
        if (!written_begin(&dumped, false))
                return "";
        CHECK_INT(green_debug_dump(fileno(dumped.file)), core_info().threads);
        return written_end(&dumped);
}

static const char *
dump_one(const green_thread *gt)
{
        if (!written_begin(&dumped, false))
                return "";
        CHECK_INT(green_debug_dump_one(fileno(dumped.file), green_thread_ident(gt)), 1);
        return written_end(&dumped);
}

static void
a_dump_says_what_each_one_waits_for(void)
{
        char reads[64], writes[64], joins[64], parks[64];
        const char *text;

        GREEN_COVERS("DEBUG-10");
        if (!waiters_begin())
                return;
        snprintf(reads, sizeof reads, "waits to read descriptor %d, at most ", empty[0]);
        snprintf(writes, sizeof writes, "waits to write descriptor %d, since ", full[0]);
        snprintf(parks, sizeof parks, "waits for a queue at 0x%zx, since ", (size_t)(uintptr_t)&queue);
        snprintf(joins, sizeof joins, "waits for the end of green thread %llu, since ",
                 (unsigned long long)green_thread_ident(waiters[PARKS]));
        text = dump();
        HAS(text, "green thread ", "main running spawned at main\n", " waiting spawned at ", "core_debug.c:", " KiB of stack used",
            reads, " s more, since 0.", " s, at 0x", "parker waiting spawned at ");
        HAS(text, writes);
        HAS(text, parks);
        HAS(text, joins);
        HAS(text, "sleeping spawned at ", "waits for a time, at most 7.", "waits for good, since ");
        HAS(dump_one(waiters[WRITES]), writes);
        waiters_end();
}

static void
a_dump_of_one_has_no_other(void)
{
        char other[64];
        const char *text;

        GREEN_COVERS("DEBUG-10");
        if (!waiters_begin())
                return;
        snprintf(other, sizeof other, "green thread %llu ", (unsigned long long)green_thread_ident(waiters[SLEEPS]));
        text = dump_one(waiters[READS]);
        CHECK(strstr(text, other) == NULL);
        CHECK_INT(green_debug_dump_one(2, UINT64_MAX), 0);
        HAS(dump_one(green_getcurrent()), "main running");
        waiters_end();
}

/* The walk goes through libgreen-core and the application, to the first function. */
static void
a_dump_shows_the_calls_of_those_that_wait(void)
{
        GREEN_COVERS("DEBUG-10");
        if (green_debug_can_walk() == NULL) {
                suite_skip("nothing walks stacks in this build");
                return;
        }
        if (!waiters_begin())
                return;
        HAS(dump_one(waiters[READS]), "\n  #0  0x", "\n  #1  0x", "\n  #2  0x", "\n  #3  0x", "\n  #4  0x");
        if (names_are_known()) {
                HAS(dumped.text, "at 0x", "debug_inner+0x");
                HAS(dumped.text, "#0 ", "debug_inner+0x", "debug_inner+0x", "debug_inner+0x", "debug_reads+0x",
                    "green__thread_main+0x");
                CHECK(strstr(dumped.text, "debug_parks") == NULL);
                HAS(dump_one(waiters[PARKS]), "#0 ", "debug_parks+0x", "green__thread_main+0x");
                HAS(dump_one(waiters[FOREVER]), "#0 ", "debug_sleeps+0x");
                HAS(dump_one(green_getcurrent()), "main running", "#0 ", "green_debug_dump_one+0x",
                    "a_dump_shows_the_calls_of_those_that_wait+0x");
        }
        waiters_end();
}

static void *
dump_main(void *arg)
{
        (void)dump_one(arg);
        return NULL;
}

/* Main's stack is the OS thread's own, and nobody knows where it ends. */
static void
a_dump_shows_the_calls_of_main(void)
{
        green_thread *gt;

        GREEN_COVERS("DEBUG-10");
        gt = green_spawn(dump_main, green_getcurrent());
        CHECK_INT(core_join(gt), 0);
        HAS(dumped.text, "main waiting spawned at main", "waits for the end of green thread ");
        if (names_are_known())
                HAS(dumped.text, "#0 ", "green_thread_wait+0x", "a_dump_shows_the_calls_of_main+0x", "main+0x");
}

static void *
dump_in_thread(void *arg)
{
        *(int *)arg = green_debug_dump(2) + green_debug_dump_one(2, 1);
        return NULL;
}

static void
without_a_hub_there_is_nothing_to_dump(void)
{
        pthread_t thread;
        int n = -1;

        CHECK_INT(pthread_create(&thread, NULL, dump_in_thread, &n), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(n, 0);
}

/* ---- by a signal */

static volatile sig_atomic_t others;

static void
other_handler(int sig)
{
        (void)sig;
        others++;
}

static const char *
dump_by_signal(void)
{
        if (!written_begin(&dumped, true))
                return "";
        raise(SIGQUIT);
        return written_end(&dumped);
}

static void
signal_in_callback(void *arg)
{
        *(bool *)arg = HAS(dump_by_signal(), "hub running\n", "main ");
}

static void
a_signal_dumps_all_green_threads(void)
{
        struct sigaction other = {.sa_handler = other_handler}, before;
        char ident[64];
        bool called = false;

        GREEN_COVERS("DEBUG-10");
        CHECK_INT(sigaction(SIGQUIT, &other, &before), 0);
        CHECK_INT(green_debug_dump_on_signal(SIGQUIT, true), 0);
        CHECK_INT(green_debug_dump_on_signal(SIGQUIT, true), 0);
        if (!waiters_begin())
                return;
        snprintf(ident, sizeof ident, "green thread %llu parker waiting spawned at ",
                 (unsigned long long)green_thread_ident(waiters[PARKS]));
        HAS(dump_by_signal(), "green threads of hub ", "main running spawned at main\n", "waiting spawned at ",
            "core_debug.c:", ", waits at 0x", ident, "core_debug.c:", "sleeping");
        if (strcmp(core_info().context, "native") == 0)
                HAS(dumped.text, "main running", "  calls 0x", "parker", "  calls 0x");
        CHECK_INT(green_schedule_call_global(0, signal_in_callback, &called), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK(called);
        CHECK_INT(others, 0);
        waiters_end();
        CHECK_INT(green_debug_dump_on_signal(SIGQUIT, false), 0);
        CHECK_INT(green_debug_dump_on_signal(SIGQUIT, false), 0);
        raise(SIGQUIT);
        CHECK_INT(others, 1);
        CHECK_INT(sigaction(SIGQUIT, &before, NULL), 0);
}

/* It comes at any time: while green threads switch, begin and end. */
static void *
lives_shortly(void *arg)
{
        (void)arg;
        for (int i = 0; i < 20; i++)
                if (green_sleep(i % 4 == 0 ? 0.0001 : 0) != 0)
                        break;
        return NULL;
}

static atomic_bool stop_signals;

static void *
send_signals(void *arg)
{
        while (!atomic_load(&stop_signals)) {
                struct timespec t = {.tv_nsec = 50000};

                pthread_kill(*(pthread_t *)arg, SIGQUIT);
                nanosleep(&t, NULL);
        }
        return NULL;
}

static void
the_signal_may_come_at_any_time(void)
{
        pthread_t sender, self = pthread_self();
        double end = core_now() + 0.5;
        unsigned n = 0;

        GREEN_COVERS("DEBUG-10");
        CHECK_INT(green_debug_dump_on_signal(SIGQUIT, true), 0);
        if (!written_begin(&dumped, true))
                return;
        atomic_store(&stop_signals, false);
        CHECK_INT(pthread_create(&sender, NULL, send_signals, &self), 0);
        while (core_now() < end) {
                for (int i = 0; i < 10; i++)
                        n += green_spawn_n(lives_shortly, NULL) == 0;
                CHECK_INT(green_sleep(0.0005), 0);
        }
        while (core_info().threads > 1)
                CHECK_INT(green_sleep(0.001), 0);
        atomic_store(&stop_signals, true);
        CHECK_INT(pthread_join(sender, NULL), 0);
        CHECK_INT(green_debug_dump_on_signal(SIGQUIT, false), 0);
        HAS(written_end(&dumped), "green threads of hub ");
        CHECK(n > 0);
}

static void
only_signals_that_can_be_caught_are_taken(void)
{
        CHECK_INT(green_debug_dump_on_signal(SIGKILL, true), -EINVAL);
        CHECK_INT(green_debug_dump_on_signal(SIGSTOP, true), -EINVAL);
        CHECK_INT(green_debug_dump_on_signal(0, true), -EINVAL);
        CHECK_INT(green_debug_dump_on_signal(-1, true), -EINVAL);
        CHECK_INT(green_debug_dump_on_signal(1000, true), -EINVAL);
        CHECK_INT(green_debug_dump_on_signal(SIGUSR1, false), 0);
}

/* ---- texts */

static char text[32768];

static const char *
listeners(void)
{
        CHECK_RANGE(green_debug_format_hub_listeners(text, sizeof text), 1, sizeof text - 1);
        return text;
}

static const char *
timers(void)
{
        CHECK_RANGE(green_debug_format_hub_timers(text, sizeof text), 1, sizeof text - 1);
        return text;
}

static void
waits_for_descriptors_are_listed(void)
{
        struct green_watch watch;
        char reads[64], writes[64], watches[64];
        int pair[2];

        GREEN_COVERS("DEBUG-03");
        CHECK_STR(listeners(), "READERS:\nWRITERS:\n");
        if (!waiters_begin() || !core_pair(pair))
                return;
        green_watch_init(&watch, debug_watched, NULL);
        CHECK_INT(green_watch_start(&watch, pair[0], GREEN_READ, GREEN_FOREVER), 0);
        snprintf(reads, sizeof reads, "descriptor %d (", empty[0]);
        snprintf(writes, sizeof writes, "descriptor %d (", full[0]);
        snprintf(watches, sizeof watches, "descriptor %d (", pair[0]);
        HAS(listeners(), "READERS:\n", reads, "): green thread ", " spawned at ", "core_debug.c:", "\n", "WRITERS:\n", writes,
            "): green thread ", " spawned at ", "\n");
        HAS(text, "READERS:\n", watches, "): a watch, function ", "\n", "WRITERS:\n");
        if (names_are_known())
                HAS(text, "a watch, function ", "debug_watched+0x0 (");
        CHECK(strstr(text, "#0 ") == NULL);
        green_watch_stop(&watch);
        waiters_end();
        core_close_pair(pair);
        CHECK_STR(listeners(), "READERS:\nWRITERS:\n");
}

/* The calls that lead to where one is: who walks the stacks of others can tell, and backtrace() of the C library. */
static bool
no_calls_are_seen(void)
{
        if (HAVE_BACKTRACE || green_debug_can_walk() != NULL)
                return false;
        suite_skip("nothing walks the running stack in this build");
        return true;
}

static void
the_calls_that_led_to_a_wait_are_kept(void)
{
        struct core_waiter before;
        struct green_watch watch;
        int pair[2];

        GREEN_COVERS("DEBUG-04");
        if (no_calls_are_seen() || !core_pair(pair))
                return;
        core_wait_fd(&before, pair[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK(!green_debug_hub_listener_stacks(true));
        CHECK(green_debug_hub_listener_stacks(true));
        CHECK(strstr(listeners(), "#0 ") == NULL);
        if (!waiters_begin())
                return;
        green_watch_init(&watch, debug_watched, NULL);
        CHECK_INT(green_watch_start(&watch, pair[1], GREEN_READ, GREEN_FOREVER), 0);
        HAS(listeners(), "READERS:\n", "\n    #0  0x", "\n    #1  0x", "WRITERS:\n", "\n    #0  0x");
        if (names_are_known()) {
                HAS(text, "READERS:\n", "#0 ", "debug_inner+0x", "debug_reads+0x");
                HAS(text, "a watch", "#0 ", "the_calls_that_led_to_a_wait_are_kept+0x");
        }
        HAS(timers(), "TIMERS:\n");
        CHECK(strstr(text, "#0 ") == NULL);
        CHECK(green_debug_hub_listener_stacks(false));
        CHECK(!green_debug_hub_listener_stacks(false));
        CHECK(strstr(listeners(), "#0 ") == NULL);
        /* Those that still wait began before it was switched on again. */
        CHECK(!green_debug_hub_listener_stacks(true));
        CHECK(strstr(listeners(), "#0 ") == NULL);
        CHECK(green_debug_hub_listener_stacks(false));
        green_watch_stop(&watch);
        waiters_end();
        core_kill(before.gt);
        core_close_pair(pair);
}

/* More of them than the table begins with; those that have ended make room. */
static void
the_calls_of_many_waits_are_kept(void)
{
        enum { MANY = 150 };
        static struct green_watch watches[MANY];
        unsigned n = 0;

        GREEN_COVERS("DEBUG-04");
        if (no_calls_are_seen())
                return;
        CHECK(!green_debug_hub_timer_stacks(true));
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < MANY; i++) {
                        green_watch_init(&watches[i], debug_watched, NULL);
                        CHECK_INT(green_watch_start(&watches[i], GREEN_INVALID_FD, 0, 100 + i), 0);
                }
                if (round == 2)
                        break;
                for (int i = 0; i < MANY; i++)
                        green_watch_stop(&watches[i]);
                /* Others, at other addresses. */
                for (int i = 0; i < MANY; i++)
                        CHECK_INT(green_schedule_call_global(0, debug_called, NULL), 0);
                CHECK_INT(green_sleep(0.001), 0);
        }
        static char all[1 << 19];
        CHECK_RANGE(green_debug_format_hub_timers(all, sizeof all), 1, sizeof all - 1);
        for (const char *at = all; (at = strstr(at, "\n    #0  0x")) != NULL; at++)
                n++;
        CHECK_INT(n, MANY);
        for (int i = 0; i < MANY; i++)
                green_watch_stop(&watches[i]);
        CHECK(green_debug_hub_timer_stacks(false));
}

static void
deadlines_are_listed_the_next_one_first(void)
{
        green_timer *timer = green_timer_new(20.5, debug_called, NULL);
        struct green_timeout timeout;
        struct green_watch watch;
        green_thread *later;
        const char *at;
        double last = 0, in;

        GREEN_COVERS("DEBUG-03");
        CHECK_STR(timers(), "TIMERS:\n");
        if (!waiters_begin())
                return;
        CHECK_INT(green_timer_schedule(timer), 0);
        CHECK_INT(green_timeout_start(&timeout, 30.5), 0);
        green_watch_init(&watch, debug_watched, NULL);
        CHECK_INT(green_watch_start(&watch, empty[1], GREEN_READ, 40), 0);
        later = green_spawn_after(60, debug_sleeps, &seven);
        HAS(timers(), "TIMERS:\n", "in 7.", "the sleep of green thread ", "in 20.", "a timer, function ", ", made at 0x", "in 30.",
            "a timeout of 30.5 s, of green thread ", "in ", "a watch of descriptor ", ", function ", "in 50.",
            "the wait of green thread ", "spawned at ", "in ", "the start of green thread ");
        if (names_are_known())
                HAS(text, "a timer, function ", "debug_called+0x0 (", "deadlines_are_listed_the_next_one_first+0x");
        for (at = text; (at = strstr(at, "\nin ")) != NULL; at++) {
                CHECK(sscanf(at, "\nin %lf s", &in) == 1 && in >= last);
                last = in;
        }
        /* Sorted or not, they expire as before. */
        CHECK_INT(core_info().timers, 6);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_kill(later, 0), 0);
        green_thread_unref(later);
        green_watch_stop(&watch);
        CHECK_INT(green_timeout_cancel(&timeout), 0);
        CHECK_INT(green_timer_free(timer), 0);
        waiters_end();
        CHECK_STR(timers(), "TIMERS:\n");
}

static void
the_calls_that_led_to_a_deadline_are_kept(void)
{
        struct green_timeout timeout;

        GREEN_COVERS("DEBUG-04");
        if (no_calls_are_seen())
                return;
        CHECK(!green_debug_hub_timer_stacks(true));
        CHECK_INT(green_timeout_start(&timeout, 30), 0);
        if (!waiters_begin())
                return;
        HAS(timers(), "TIMERS:\n", "\n    #0  0x", "\n    #1  0x", "in ", "\n    #0  0x");
        if (names_are_known()) {
                HAS(text, "the sleep of", "debug_sleeps+0x");
                HAS(text, "a timeout of", "the_calls_that_led_to_a_deadline_are_kept+0x");
        }
        CHECK(strstr(listeners(), "#0 ") == NULL);
        waiters_end();
        CHECK_INT(green_timeout_cancel(&timeout), 0);
        CHECK(green_debug_hub_timer_stacks(false));
}

static int64_t test_time;

static int64_t
test_clock(void)
{
        return test_time;
}

/* A heap that was put in order is one still. */
static void
many_deadlines_stay_in_order(void)
{
        enum { MANY = 40 };
        int order[MANY], n = 0;

        GREEN_COVERS("DEBUG-03");
        core_order_count = 0;
        test_time = 1000000000;
        CHECK_INT(green_hub_set_clock(test_clock), 0);
        for (int i = 0; i < MANY; i++) {
                int which = i * 7 % MANY;

                order[i] = i;
                CHECK_INT(green_schedule_call_global(1 + which, note_call, (void *)(intptr_t)which), 0);
                if (i % 10 == 3)
                        (void)timers();
        }
        (void)timers();
        for (const char *at = text; (at = strstr(at, "\nin ")) != NULL; at++)
                n++;
        CHECK_INT(n, MANY);
        test_time += 1000 * (int64_t)1000000000;
        while (core_order_count < MANY)
                CHECK_INT(green_sleep(0), 0);
        check_order(order, MANY);
        CHECK_INT(green_hub_set_clock(NULL), 0);
}

static void
texts_are_cut_and_tell_their_length(void)
{
        char all[4096], part[20];
        int len;

        GREEN_COVERS("DEBUG-03");
        if (!waiters_begin())
                return;
        len = green_debug_format_hub_listeners(all, sizeof all);
        CHECK_INT(green_debug_format_hub_listeners(NULL, 0), len);
        CHECK_INT(green_debug_format_hub_listeners(part, sizeof part), len);
        CHECK_INT(strlen(part), sizeof part - 1);
        CHECK(memcmp(part, all, sizeof part - 1) == 0);
        CHECK(green_debug_format_hub_timers(NULL, 0) > 0);
        CHECK(green_debug_format_threads_info(NULL, 0) > 0);
        waiters_end();
}

struct other {
        pthread_barrier_t *barrier;
        uint64_t ident;
};

static void *
has_a_hub(void *arg)
{
        struct other *o = arg;
        green_thread *gt;

        o->ident = green_hub_ident();
        gt = green_spawn(debug_sleeps, &forever);
        CHECK_INT(green_sleep(0.001), 0);
        pthread_barrier_wait(o->barrier);
        pthread_barrier_wait(o->barrier);
        core_kill(gt);
        return NULL;
}

static void
hubs_of_other_threads_are_listed(void)
{
        pthread_barrier_t barrier;
        struct other o = {.barrier = &barrier};
        char here[64], there[64];
        pthread_t thread;

        GREEN_COVERS("DEBUG-08");
        CHECK_INT(pthread_barrier_init(&barrier, NULL, 2), 0);
        CHECK_INT(pthread_create(&thread, NULL, has_a_hub, &o), 0);
        pthread_barrier_wait(&barrier);
        snprintf(here, sizeof here, "hub %llu (here): %s, 1 green thread, ", (unsigned long long)green_hub_ident(),
                 green_hub_name(NULL));
        snprintf(there, sizeof there, "hub %llu: %s, 2 green threads, ", (unsigned long long)o.ident, green_hub_name(NULL));
        CHECK_RANGE(green_debug_format_threads_info(text, sizeof text), 1, sizeof text - 1);
        HAS(text, here, " switches, ", " polls\n");
        HAS(text, there, " switches, ", " polls\n");
        pthread_barrier_wait(&barrier);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_RANGE(green_debug_format_threads_info(text, sizeof text), 1, sizeof text - 1);
        CHECK(strstr(text, there) == NULL);
        CHECK_INT(pthread_barrier_destroy(&barrier), 0);
}

GREEN_SUITE_INIT(debug_init)

GREEN_SUITE(core_debug) {
        GREEN_TEST(a_dump_says_what_each_one_waits_for),
        GREEN_TEST(a_dump_of_one_has_no_other),
        GREEN_TEST(a_dump_shows_the_calls_of_those_that_wait),
        GREEN_TEST(a_dump_shows_the_calls_of_main),
        GREEN_TEST(without_a_hub_there_is_nothing_to_dump),
        GREEN_TEST(a_signal_dumps_all_green_threads),
        GREEN_TEST(the_signal_may_come_at_any_time),
        GREEN_TEST(only_signals_that_can_be_caught_are_taken),
        GREEN_TEST(waits_for_descriptors_are_listed),
        GREEN_TEST(the_calls_that_led_to_a_wait_are_kept),
        GREEN_TEST(the_calls_of_many_waits_are_kept),
        GREEN_TEST(deadlines_are_listed_the_next_one_first),
        GREEN_TEST(the_calls_that_led_to_a_deadline_are_kept),
        GREEN_TEST(many_deadlines_stay_in_order),
        GREEN_TEST(texts_are_cut_and_tell_their_length),
        GREEN_TEST(hubs_of_other_threads_are_listed),
        GREEN_SUITE_END
};
