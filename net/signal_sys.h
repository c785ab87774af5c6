/*
 * Handlers of signals, as net/ sees them. What differs by system stands in the file that implements this:
 * signal_posix.c.
 */
#ifndef GREEN_SIGNAL_SYS_H
#define GREEN_SIGNAL_SYS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <green/base.h>

#if defined(_WIN32)
/* Nobody sends it there, and nobody can wait for it. */
#define SIGCHLD 17
#endif

/*
 * One who wants to know of a signal; part of something larger. Its functions are called in the handler, in any OS
 * thread, so they are async-signal-safe.
 */
struct green__listener {
        _Atomic(struct green__listener *) next; /* signal_posix.c's, as all but the functions */
        int signum;
        pthread_t thread; /* it lives on in a child that this one forks */
        /* It came. True: and if nobody else listens, what was there before is to have it. */
        bool (*count)(struct green__listener *l);
        /* Tell whoever waits that it may have come. Not called while a fork is under way, but after it. */
        void (*ring)(struct green__listener *l);
        /* In the child of a fork: what came did not come here. gone: it was of another OS thread, and listens no more.
         */
        void (*forget)(struct green__listener *l, bool gone);
};

/* Begin to listen. -EINVAL: not to this signal. */
int green__signal_listen(struct green__listener *l, int signum);

/* Listen no more. When this returns no handler has it in its hands. */
void green__signal_leave(struct green__listener *l);

#endif
