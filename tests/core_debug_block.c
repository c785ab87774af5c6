/* Green threads and callbacks that do not let others run. */
#include "core_debug.h"

#include <signal.h>
#include <sys/time.h>

/* Seconds one may run, and a time that is too long. */
#define MAY 0.05
#define TOO_LONG 0.4

/* Where things are very slow that would be long. */
static double
slow(void)
{
        return suite_slow() > 5 ? 5 : suite_slow();
}

void *debug_blocks(void *arg);
void debug_burns(double seconds);
void debug_callback_blocks(void *arg);

APART void
debug_burns(double seconds)
{
        core_burn(seconds * slow());
        NOT_THE_LAST_CALL();
}

APART void *
debug_blocks(void *arg)
{
        debug_burns(TOO_LONG);
        NOT_THE_LAST_CALL();
        return arg;
}

APART void
debug_callback_blocks(void *arg)
{
        *(bool *)arg = true;
        debug_burns(TOO_LONG);
        NOT_THE_LAST_CALL();
}

static struct core_log reports;

static bool
detection_on(void)
{
        core_log_begin(&reports, "has not let others run for ");
        return CHECK_INT(green_debug_hub_blocking_detection(true, MAY * slow()), 0);
}

static void
detection_off(void)
{
        CHECK_INT(green_debug_hub_blocking_detection(false, 0), 0);
        core_log_end();
}

static void
one_that_blocks_is_reported_once(void)
{
        char ident[64];
        green_thread *gt;

        GREEN_COVERS("DEBUG-06", "DEBUG-07");
        if (!detection_on())
                return;
        gt = green_spawn(debug_blocks, NULL);
        CHECK_INT(green_thread_set_name(gt, "blocker"), 0);
        snprintf(ident, sizeof ident, "green-net: green thread %llu blocker (spawned at ",
                 (unsigned long long)green_thread_ident(gt));
        CHECK_INT(core_join(gt), 0);
        detection_off();
        CHECK_INT(reports.count, 1);
        HAS(reports.last, ident, "core_debug_block.c:", ") has not let others run for ");
}

static void
the_report_has_the_calls_it_is_in(void)
{
        GREEN_COVERS("DEBUG-07");
        if (!detection_on())
                return;
        CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
        detection_off();
        CHECK_INT(reports.count, 1);
        HAS(reports.last, "\n  #0  0x");
        if (names_are_known())
                HAS(reports.last, "\n  #0  0x", "debug_burns+0x", "debug_blocks+0x");
}

static void
main_is_reported_too(void)
{
        GREEN_COVERS("DEBUG-06");
        if (!detection_on())
                return;
        CHECK_INT(green_sleep(0), 0);
        debug_burns(TOO_LONG);
        CHECK_INT(green_sleep(0), 0);
        detection_off();
        CHECK_INT(reports.count, 1);
        HAS(reports.last, "main (spawned at main) has not let others run");
}

static void
a_callback_that_blocks_is_reported(void)
{
        bool called = false;

        GREEN_COVERS("DEBUG-06", "DEBUG-07");
        if (!detection_on())
                return;
        CHECK_INT(green_schedule_call_global(0, debug_callback_blocks, &called), 0);
        CHECK_INT(green_sleep(0.001), 0);
        detection_off();
        CHECK(called);
        CHECK_INT(reports.count, 1);
        HAS(reports.last, "green-net: a callback of hub ", " has not let others run for ");
        if (names_are_known())
                HAS(reports.last, "debug_burns+0x", "debug_callback_blocks+0x");
}

static void *
blocks_again(void *arg)
{
        for (int i = 0; i < 3; i++) {
                debug_burns(TOO_LONG / 2);
                CHECK_INT(green_sleep(0), 0);
        }
        return arg;
}

static void
each_time_is_reported(void)
{
        GREEN_COVERS("DEBUG-06");
        if (!detection_on())
                return;
        CHECK_INT(core_join(green_spawn(blocks_again, NULL)), 0);
        detection_off();
        CHECK_RANGE(reports.count, 2, 3);
}

static void *
lets_others_run(void *arg)
{
        double end = core_now() + TOO_LONG * slow();

        while (core_now() < end) {
                core_burn(MAY / 20);
                CHECK_INT(green_sleep(0), 0);
        }
        return arg;
}

/* In a call that waits: one that computes is met in another place each time. */
static void *
debug_waits(void *arg)
{
        double until = core_now() + TOO_LONG * slow();
        struct timespec t = {.tv_nsec = 400000000};

        while (core_now() < until)
                nanosleep(&t, NULL);
        return arg;
}

static void
a_place_is_reported_once_where_that_is_asked_for(void)
{
        GREEN_COVERS("DEBUG-06");
        CHECK(!green_debug_hub_blocking_once(true));
        if (!detection_on())
                return;
        for (int i = 0; i < 3; i++)
                CHECK_INT(core_join(green_spawn(debug_waits, NULL)), 0);
        detection_off();
        CHECK_INT(reports.count, 1);
        CHECK(green_debug_hub_blocking_once(true));
        if (!detection_on())
                return;
        CHECK_INT(core_join(green_spawn(debug_waits, NULL)), 0);
        CHECK(green_debug_hub_blocking_once(false));
        CHECK_INT(core_join(green_spawn(debug_waits, NULL)), 0);
        detection_off();
        CHECK_INT(reports.count, 2);
}

/* It is measured by the switch, not by the batch; and sleeping is not running. */
static void
those_that_let_others_run_are_not_reported(void)
{
        green_thread *gts[2];

        GREEN_COVERS("DEBUG-07");
        if (!detection_on())
                return;
        for (int i = 0; i < 2; i++)
                gts[i] = green_spawn(lets_others_run, NULL);
        for (int i = 0; i < 2; i++)
                CHECK_INT(core_join(gts[i]), 0);
        CHECK_INT(green_sleep(3 * MAY * slow()), 0);
        detection_off();
        /* On a machine that is busy one may have been stopped by the system. */
        CHECK_RANGE(reports.count, 0, 1);
}

static void *
sleeps_in_thread(void *arg)
{
        (void)arg;
        CHECK_INT(green_sleep(4 * MAY * slow()), 0);
        return NULL;
}

static void
other_threads_are_looked_at(void)
{
        pthread_t thread;

        GREEN_COVERS("DEBUG-06");
        if (!detection_on())
                return;
        CHECK_INT(pthread_create(&thread, NULL, sleeps_in_thread, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        detection_off();
        /* The one that joined it did not let others run; the one that slept did. */
        CHECK_INT(reports.count, 1);
        HAS(reports.last, "(spawned at main)");
}

static void
at_alarm(int sig)
{
        (void)sig;
}

/* No signal is taken that somebody has, and none is kept. */
static void
signals_of_the_application_stay(void)
{
        struct sigaction mine = {.sa_handler = at_alarm}, before[2], now;
        int last = SIGRTMAX;
        struct itimerval timer = {.it_value = {.tv_sec = 100}}, left;

        GREEN_COVERS("DEBUG-07");
        CHECK_INT(sigaction(SIGALRM, &mine, &before[0]), 0);
        /* Valgrind keeps the last one for itself. */
        while (sigaction(last, &mine, &before[1]) != 0)
                last--;
        CHECK_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
        if (!detection_on())
                return;
        CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
        CHECK_INT(reports.count, 1);
        CHECK(strstr(reports.last, "#0 ") != NULL);
        CHECK_INT(sigaction(SIGALRM, NULL, &now), 0);
        CHECK(now.sa_handler == at_alarm);
        CHECK_INT(sigaction(last, NULL, &now), 0);
        CHECK(now.sa_handler == at_alarm);
        CHECK_INT(getitimer(ITIMER_REAL, &left), 0);
        CHECK_RANGE(left.it_value.tv_sec, 50, 100);
        detection_off();
        for (int sig = SIGRTMIN; sig < last; sig++) {
                CHECK_INT(sigaction(sig, NULL, &now), 0);
                CHECK(now.sa_handler == SIG_DFL);
        }
        memset(&timer, 0, sizeof timer);
        CHECK_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
        CHECK_INT(sigaction(SIGALRM, &before[0], NULL), 0);
        CHECK_INT(sigaction(last, &before[1], NULL), 0);
}

/* One that has all signals blocked is reported without its calls. */
static void
one_that_blocks_signals_is_reported(void)
{
        sigset_t all, before;

        GREEN_COVERS("DEBUG-07");
        if (!detection_on())
                return;
        CHECK_INT(green_sleep(0), 0);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        debug_burns(TOO_LONG + 0.3);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        CHECK_INT(green_sleep(0), 0);
        detection_off();
        CHECK_INT(reports.count, 1);
        HAS(reports.last, "a green thread or callback of hub ", " has not let others run for ");
        /* The signal that waits for it is nobody's when it could come. */
        if (!detection_on())
                return;
        pthread_sigmask(SIG_SETMASK, &all, &before);
        debug_burns(TOO_LONG);
        detection_off();
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(reports.count, 1);
}

static void
it_is_off_until_it_is_asked_for(void)
{
        static const double bad[] = {0, -1, 86401};

        GREEN_COVERS("DEBUG-06");
        core_log_begin(&reports, "has not let others run for ");
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_debug_hub_blocking_detection(true, bad[i]), -EINVAL);
        CHECK_INT(green_debug_hub_blocking_detection(true, 0.0 / (bad[0])), -EINVAL);
        CHECK_INT(green_debug_hub_blocking_detection(false, -5), 0);
        CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
        CHECK_INT(green_debug_hub_blocking_detection(true, 100), 0);
        CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
        detection_off();
        CHECK_INT(reports.count, 0);
}

static void
off_in_log(void *arg, enum green_log_level level, const char *message)
{
        (void)level;
        if (strstr(message, "has not let others run for ") == NULL)
                return;
        ++*(atomic_int *)arg;
        CHECK_INT(green_debug_hub_blocking_detection(false, 0), 0);
}

static void
it_may_be_switched_off_by_the_report(void)
{
        static atomic_int n;

        atomic_store(&n, 0);
        green_set_log(off_in_log, &n);
        CHECK_INT(green_debug_hub_blocking_detection(true, MAY * slow()), 0);
        CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
        CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
        CHECK_INT(atomic_load(&n), 1);
        if (detection_on())
                CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
        detection_off();
        CHECK_INT(reports.count, 1);
}

static void
a_child_begins_without_it(void)
{
        pid_t pid;

        GREEN_COVERS("DEBUG-06");
        if (suite_skip_without_child_threads() || !detection_on())
                return;
        pid = core_fork();
        if (pid == 0) {
                CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
                CHECK_INT(reports.count, 0);
                CHECK_INT(green_debug_hub_blocking_detection(true, MAY * slow()), 0);
                CHECK_INT(core_join(green_spawn(debug_blocks, NULL)), 0);
                detection_off();
                CHECK_INT(reports.count, 1);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        detection_off();
}

GREEN_SUITE_INIT(debug_init)

GREEN_SUITE(core_debug_block) {
        GREEN_TEST(one_that_blocks_is_reported_once),
        GREEN_TEST(the_report_has_the_calls_it_is_in),
        GREEN_TEST(main_is_reported_too),
        GREEN_TEST(a_callback_that_blocks_is_reported),
        GREEN_TEST(each_time_is_reported),
        GREEN_TEST(a_place_is_reported_once_where_that_is_asked_for),
        GREEN_TEST(those_that_let_others_run_are_not_reported),
        GREEN_TEST(other_threads_are_looked_at),
        GREEN_TEST(signals_of_the_application_stay),
        GREEN_TEST(one_that_blocks_signals_is_reported),
        GREEN_TEST(it_is_off_until_it_is_asked_for),
        GREEN_TEST(it_may_be_switched_off_by_the_report),
        GREEN_TEST(a_child_begins_without_it),
        GREEN_SUITE_END
};
