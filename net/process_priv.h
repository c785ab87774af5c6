/* The inside of a process. */
#ifndef GREEN_PROCESS_PRIV_H
#define GREEN_PROCESS_PRIV_H

#include <config.h>

#include <errno.h>
#include <stddef.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/park.h>
#include <green/process.h>
#include <green/thread.h>
#include <green/watch.h>

#include "check.h"
#include "process_owned.h"
#include "process_sys.h"
#include "sock_sys.h"
#include "stream_priv.h"

/* What it has written, that nobody was given. */
struct green__output {
        char *data;
        size_t len;
        size_t cap; /* with room for a NUL */
};

struct green_process {
        uint64_t hub; /* green_hub_ident() of the OS thread it belongs to */
        pid_t pid;
        green_fd pidfd; /* GREEN_INVALID_FD: there are none, or it has ended */
        bool leads;     /* a group */
        bool ended;
        int status;
        green_stream *streams[3]; /* NULL: no pipe */
        struct green_watch watch; /* on the pidfd, while somebody waits */
        struct green_waitq waiters;
        unsigned users; /* calls inside that will touch it again; one that was handed its end will not */
        unsigned forks; /* green__sys_forks when it was started */
        struct green__owned owned; /* nobody else waits for it */
        struct green_hub_end end;
        bool orphan;  /* its hub has ended */
        bool talking; /* a green_process_communicate() is inside */
        bool begun;   /* there was one, and its input goes on */
        const char *input;
        size_t input_left;
        struct green__output got[2];
};

/* The end of a time limit, and what is left of one. */
#define GREEN__NO_END INT64_MAX

static inline int64_t
green__end_of(double timeout)
{
        int64_t now = green__sys_now();

        /* Beyond so many seconds it is the same as for good. */
        return timeout >= 4e9 ? GREEN__NO_END : now + (int64_t)(timeout * 1e9);
}

static inline double
green__left_until(int64_t end)
{
        int64_t now = end == GREEN__NO_END ? 0 : green__sys_now();

        if (end == GREEN__NO_END)
                return GREEN_FOREVER;
        return now >= end ? 0 : (double)(end - now) / 1e9;
}

/* In the child of a fork it is a stranger: whoever was inside is not here, and it cannot be waited for. */
void green__process_forget_parent(green_process *p);

/* Its pidfd is readable. In hub context. */
void green__process_watched(struct green_watch *watch, int result, void *arg);

/* Has it ended? Then those who wait are told. */
int green__process_look(green_process *p);

/* Wait for its end: SIGTERM first if it is given a time, then SIGKILL. Shielded. -EDEADLK in a hub callback. */
int green__process_finish(green_process *p, double time_to_end);

#endif
