/* Each allocation and system call of a log file fails in its turn. See fault.h. */
#include "fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/access_log.h>
#include <green/hubs.h>

/* The writer tries again after 0.2 s. */
#define BRIEF (0.5 * suite_slow())

static char path[64];

static void
write_lines(bool hangup)
{
        const struct green_access_log_opts opts = {
                .size = sizeof opts, .buffer = 32768, .mode = 0600, .reopen_on_hangup = hangup};
        struct green_access_log_stats stats;
        green_access_log *log;

        fault_pause();
        snprintf(path, sizeof path, "/tmp/green-fault-%d", (int)getpid());
        fault_resume();
        if (!MADE(green_get_hub()))
                return;
        log = green_access_log_open(path, &opts);
        if (log == NULL) {
                (void)OK(-errno);
        } else {
                fault_may_give(-ETIMEDOUT);
                green_access_log_write(log, "one\ntwo\n", 8);
                (void)OK(green_access_log_flush(log, BRIEF));
                (void)OK(green_access_log_reopen(log));
                green_access_log_write(log, "three\n", 6);
                (void)OK(green_access_log_flush(log, BRIEF));
                CHECK_INT(green_access_log_get_stats(log, &stats), 0);
                CHECK(stats.lines <= 3 && stats.dropped == 0);
                CHECK_INT(green_access_log_free(log), 0);
        }
        fault_pause();
        (void)unlink(path);
        fault_resume();
}

static void
a_log(void)
{
        write_lines(false);
}

static void
a_log_that_waits_for_hangup(void)
{
        write_lines(true);
}

/* As in fault_core.c. */
#define FEWER FAULT_BIT(alloc)
/* What cannot be written is tried again, and a file that cannot be opened anew is kept. */
#define WRITER (FAULT_BIT(write) | FAULT_BIT(open) | FAULT_BIT(close))

#define SCENARIOS(X)                                                                                                   \
        X(a_log, WRITER | FAULT_BIT(mmap) | FAULT_BIT(mprotect) | FAULT_BIT(madvise), FEWER)                           \
        X(a_log_that_waits_for_hangup, WRITER | FAULT_BIT(mmap) | FAULT_BIT(mprotect) | FAULT_BIT(madvise), FEWER)

FAULT_DEFINE_WITH_THREADS(SCENARIOS)

GREEN_SUITE(fault_log) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_SUITE_END
};
