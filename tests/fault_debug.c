/* Each allocation and system call fails in its turn while one looks into a running process. See fault.h. */
#include "fault.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What may fail unseen: the stack of the handler that explains overflows; once, the memory for many stacks at a time. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)
/* What walks stacks and looks for names does without. */
#define LOOKS                                                                                                          \
        (FAULT_BIT(open) | FAULT_BIT(read) | FAULT_BIT(pipe2) | FAULT_BIT(mmap) | FAULT_BIT(write) | FAULT_BIT(fcntl) |   \
         FAULT_BIT(close) | FAULT_BIT(mprotect) | FAULT_BIT(dlopen))

static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

static void *
sleep_long(void *arg)
{
        (void)arg;
        return green_fail(green_sleep(100));
}

static int lines;

static void
take_line(void *arg, enum green_log_level level, const char *message)
{
        (void)arg;
        (void)level;
        lines += strstr(message, "green-net: ") != NULL;
}

/* ---- */

static void
dumps(void)
{
        green_thread *gt;
        int fds[2];

        if (!have_hub())
                return;
        fault_pair(fds);
        if (MADE(gt = green_spawn(sleep_long, NULL))) {
                (void)OK(green_sleep(0));
                CHECK_INT(green_debug_dump(fds[0]), 2);
                CHECK_INT(green_debug_dump_one(fds[0], green_thread_ident(gt)), 1);
                CHECK_INT(green_debug_dump_one(fds[0], UINT64_MAX), 0);
                CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(fault_join(gt), GREEN_EKILLED);
        }
        (void)green_debug_can_walk();
        fault_close(fds[0]);
        fault_close(fds[1]);
}

static void
dump_by_signal(void)
{
        if (!have_hub() || !OK(green_debug_dump_on_signal(SIGQUIT, true)))
                return;
        /* It is not sent: here everything would be on stderr. */
        while (!OK(green_debug_dump_on_signal(SIGQUIT, false)) && fault_happened() && !fault_lasts())
                ;
}

static void
texts(void)
{
        static char text[16384];
        bool was[2] = {green_debug_hub_listener_stacks(true), green_debug_hub_timer_stacks(true)};
        green_thread *gt;

        if (have_hub() && MADE(gt = green_spawn(sleep_long, NULL))) {
                (void)OK(green_sleep(0));
                CHECK(green_debug_format_hub_listeners(text, sizeof text) > 0);
                CHECK(green_debug_format_hub_timers(text, sizeof text) > 0);
                CHECK(strstr(text, "the sleep of green thread") != NULL);
                CHECK(green_debug_format_threads_info(text, sizeof text) > 0);
                CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(fault_join(gt), GREEN_EKILLED);
        }
        (void)green_debug_hub_listener_stacks(was[0]);
        (void)green_debug_hub_timer_stacks(was[1]);
}

static void
blocking(void)
{
        if (!have_hub())
                return;
        (void)green_debug_hub_blocking_once(false);
        CHECK_INT(green_debug_hub_blocking_detection(true, 0), -EINVAL);
        if (OK(green_debug_hub_blocking_detection(true, 100)))
                CHECK_INT(green_debug_hub_blocking_detection(false, 0), 0);
}

static void
count_step(const struct green_trace *step, void *arg)
{
        ++*(int *)arg;
        green_debug_trace_line(step, (void *)(intptr_t)-1);
}

static void
tracing(void)
{
        static const char *const objects[] = {"fault", NULL};
        green_thread *gt;
        int steps = 0;

        lines = 0;
        if (!have_hub())
                return;
        green_set_log(take_line, NULL);
        if (OK(green_debug_set_tracer(count_step, &steps)) && MADE(gt = green_spawn(sleep_long, NULL))) {
                (void)OK(green_sleep(0));
                CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(fault_join(gt), GREEN_EKILLED);
                CHECK(steps >= 4 && lines == steps);
        }
        CHECK_INT(green_debug_set_tracer(NULL, NULL), 0);
        (void)OK(green_debug_spew(objects, true));
        green_debug_unspew();
        green_set_log(NULL, NULL);
}

/* libunwind keeps a pipe and some memory from its first walk on. */
static void
walk_once(void)
{
        (void)green_debug_hub_listener_stacks(true);
        (void)green_debug_hub_listener_stacks(false);
}
GREEN_SUITE_INIT(walk_once)

#define SCENARIOS(X)                                                                                                   \
        X(dumps, ALTSTACK | LOOKS, FEWER)                                                                              \
        X(dump_by_signal, ALTSTACK, FEWER)                                                                             \
        X(texts, ALTSTACK | LOOKS | FAULT_BIT(alloc), 0)                                                               \
        X(tracing, ALTSTACK | LOOKS, FEWER)
#define WITH_THREADS(X) X(blocking, ALTSTACK | LOOKS, FEWER)

FAULT_DEFINE(SCENARIOS)
FAULT_DEFINE_WITH_THREADS(WITH_THREADS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

GREEN_SUITE(fault_debug) {
        SCENARIOS(FAULT_TEST_ROW)
        WITH_THREADS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
