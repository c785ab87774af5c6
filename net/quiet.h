/*
 * System calls that raise a signal where others give a code: writing to a pipe that nobody reads from, or beyond the
 * limit on the length of files. Between begin and end the signal is blocked in this OS thread; end takes away the one
 * that came of the call.
 */
#ifndef GREEN_QUIET_H
#define GREEN_QUIET_H

#include <signal.h>
#include <stdbool.h>

struct green__quiet {
        sigset_t old;
        int signo;
        bool theirs; /* one was pending before: somebody waits for it */
};

void green__quiet_begin(struct green__quiet *q, int signo);

/* raised: the call failed in the way that raises the signal. Leaves errno alone. */
void green__quiet_end(const struct green__quiet *q, bool raised);

#endif
