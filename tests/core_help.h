/**
 * @file
 * @brief What tests of core/ share: a trace of who ran when, a clock, caught log lines, counts of what is left.
 */
#ifndef GREEN_TESTS_CORE_HELP_H
#define GREEN_TESTS_CORE_HELP_H

#include <green/core.h>

#include "suite.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/** An integer as the argument or result of a green thread, and back. */
#define PTR(n) ((void *)(intptr_t)(n))
#define INT(p) ((int)(intptr_t)(p))

/** What ran, a letter each. */
static char help_trace[256];

static inline void
trace(char letter)
{
        size_t len = strlen(help_trace);

        if (len + 1 < sizeof(help_trace))
                help_trace[len] = letter;
}

/** The trace is what is expected; it begins anew. */
#define CHECK_TRACE(want)                                                                                              \
        do {                                                                                                           \
                CHECK_STR(help_trace, (want));                                                                         \
                memset(help_trace, 0, sizeof(help_trace));                                                             \
        } while (0)

/** Seconds of the monotonic clock. */
static inline double
clock_now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/** Nanoseconds by which the hub's clock is ahead of the system's while a test has put it so. */
static int64_t clock_ahead;

static inline int64_t
clock_shifted(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + clock_ahead;
}

/** From now on clock_jump() lets time pass that no slow machine reaches by itself. No timer may be pending. */
static inline void
clock_shift_begin(void)
{
        CHECK_INT(green_hub_set_clock(clock_shifted), 0);
}

static inline void
clock_jump(double seconds)
{
        clock_ahead += (int64_t)(seconds * 1e9);
}

static inline void
clock_shift_end(void)
{
        CHECK_INT(green_hub_set_clock(NULL), 0);
        clock_ahead = 0;
}

/** Let all that are ready run, a few times. */
static inline void
turns(int n)
{
        while (n-- > 0)
                (void)green_sleep(0);
}

/** Keep the processor busy without a yield. */
static inline void
burn(double seconds)
{
        double end = clock_now() + seconds;

        while (clock_now() < end)
                ;
}

/** Wait for a green thread, give its handle back; how it ended. */
static inline int
join(green_thread *gt)
{
        int rc = green_thread_wait(gt, NULL);

        green_thread_unref(gt);
        return rc;
}

/** Log lines caught between log_catch() and log_release(). Only for one OS thread at a time. */
struct log_lines {
        unsigned count;
        enum green_log_level level;
        char text[1024]; /**< the last one */
};

static inline void
log_keep(void *arg, enum green_log_level level, const char *message)
{
        struct log_lines *lines = arg;

        lines->count++;
        lines->level = level;
        snprintf(lines->text, sizeof(lines->text), "%s", message);
}

static inline void
log_catch(struct log_lines *lines)
{
        memset(lines, 0, sizeof(*lines));
        green_set_log(log_keep, lines);
}

static inline void
log_release(void)
{
        green_set_log(NULL, NULL);
}

static inline struct green_hub_info
hub_info(void)
{
        struct green_hub_info info = {.size = sizeof(info)};

        CHECK_INT(green_hub_get_info(&info), 0);
        return info;
}

/** suite_setup: the hub's descriptors are there before they are counted. */
static inline void
help_setup(void)
{
        memset(help_trace, 0, sizeof(help_trace));
        (void)green_get_hub();
}

/** suite_check: no green thread, no timer and no kill outlives its test. */
static inline void
help_check(void)
{
        struct green_hub_info info = hub_info();

        CHECK_INT(info.threads, 1);
        CHECK_INT(info.timers, 0);
        CHECK_INT(info.ready, 0);
        CHECK_INT(green_recover(), 0);
        CHECK_INT(green_checkpoint(), 0);
}

static inline void
help_init(void)
{
        suite_setup = help_setup;
        suite_check = help_check;
}

#endif
