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
#include "net_process_win32.h"
#else
#include "net_process_posix.h"
#endif

/* The shell, with a program for it. */
MAYBE green_process *
shell(const char *text, const struct green_process_opts *opts)
{
        const char *argv[] = {"sh", "-c", text, NULL};

        settle_later();
        return green_process_spawn(argv, opts);
}

/* All three are pipes. */
MAYBE struct green_process_opts
pipes(void)
{
        return (struct green_process_opts){.size = sizeof(struct green_process_opts),
                                           .in = GREEN_PROCESS_PIPE,
                                           .out = GREEN_PROCESS_PIPE,
                                           .err = GREEN_PROCESS_PIPE};
}

/* What a program of the shell's writes; in a buffer of the test's, until the next call. */
MAYBE const char *
said(const char *text, const struct green_process_opts *given)
{
        static char said[4096];
        struct green_process_opts opts = given != NULL ? *given : (struct green_process_opts){.size = sizeof opts};
        const char *argv[] = {"sh", "-c", text, NULL};
        char *out = NULL;
        size_t len = 0;
        int rc = green_process_check_output(argv, &opts, SOON, &out, &len);

        snprintf(said, sizeof said, "%s", rc == 0 ? out : green_errname(rc));
        green_free(out);
        return said;
}

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
