/*
 * What the tests of processes share: systems that lack something, programs, and the sight of what is left. Each test
 * program includes it once, in place of net_suite.h.
 */
#ifndef GREEN_TESTS_NET_PROCESS_H
#define GREEN_TESTS_NET_PROCESS_H

#include "net_suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* ---- programs */

#define SOON (10 * suite_slow())

#if defined(_WIN32)
/* There is one way. */
MAYBE void
both_ways(void (*fn)(void))
{
        fn();
}
#else
#include "net_process_posix.h"
#endif

/* A waiter in a green thread. */
struct waiter {
        green_process *p;
        double timeout;
        int rc, status;
};

MAYBE void *
wait_for_end(void *arg)
{
        struct waiter *w = arg;

        w->rc = green_process_wait(w->p, w->timeout, &w->status);
        return NULL;
}

MAYBE void
join(green_thread *gt, int want)
{
        CHECK_INT(green_thread_wait(gt, NULL), want);
        green_thread_unref(gt);
}

#endif
