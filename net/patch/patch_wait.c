/*
 * What every replacement asks first, and how those wait that a signal handler interrupts.
 */
#include <config.h>

#include <errno.h>
#include <string.h>

#include <green/error.h>
#include <green/hubs.h>
#include <green/thread.h>
#include <green/timeout.h>

#include "../socket_priv.h"
#include "patch_signal.h"

_Thread_local struct green__patch_mark green__patch_mark;

bool
green__patch_in_handler(void)
{
        const struct green__patch_mark *m = &green__patch_mark;
        const char *now = __builtin_frame_address(0);
        green_thread *self = NULL;

        if (m->frame == NULL)
                return false;
        if (now <= m->frame && now >= m->lowest && green_park_check_mt(0, &self) >= 0 && self == m->thread)
                return true;
        green__patch_mark.frame = NULL;
        return false;
}

bool
green__patch_may_wait(void)
{
        green_thread *self = NULL;

        if (green__unlikely(green__patch_mark.frame != NULL) && green__patch_in_handler())
                return false;
        return green_park_check_mt(0, &self) == 0 && self != NULL;
}

int
green__patch_fail(int code)
{
        green__patch_testcancel();
        /* A scope may have been given the code of a system's error: whether one has fired tells them apart. */
        errno = code <= -1000 || green_checkpoint() != 0 ? ECANCELED : -code;
        return -1;
}

_Thread_local unsigned green__patch_calls;

void
green__patch_let_run(void)
{
        int saved = errno;

        green__patch_calls = 0;
        (void)green_sleep(0);
        errno = saved;
}

/* ---- waits that signals end */

static _Thread_local struct {
        struct green_waitq queue; /* those who wait */
        void (*end)(void *);      /* ends the wait of one that stands elsewhere; NULL: none does */
        void *end_arg;
        green_hub *hub;
        struct green_post_node post; /* on its way while `posted` */
        volatile int posted;
        volatile int depth;        /* waits that have begun */
        _Atomic(uint64_t) pending; /* signals that came meanwhile: bit n - 1 */
} here;

/* In hub context: one of those who wait takes what has come. */
static void
tell(void *arg)
{
        struct green_wait *w = green_waitq_first(&here.queue);

        (void)arg;
        here.posted = 0;
        if (w != NULL)
                green_wake(w, -EINTR);
        else if (here.end != NULL)
                here.end(here.end_arg);
}

bool
green__patch_defer(int sig)
{
        if (here.depth == 0)
                return false;
        atomic_fetch_or(&here.pending, (uint64_t)1 << (sig - 1));
        if (!here.posted) {
                here.posted = 1;
                if (green_hub_post_node(here.hub, &here.post, tell, NULL) != 0)
                        here.posted = 0;
        }
        return true;
}

void
green__patch_away_forget(void)
{
        here.posted = 0;
        here.depth = 0;
        here.queue = (struct green_waitq){NULL, NULL};
        here.end = NULL;
        atomic_store(&here.pending, 0);
}

static bool
is_main(void)
{
        return strcmp(green_thread_where(green_getcurrent()), "main") == 0;
}

bool
green__patch_away_begin(bool masked)
{
        green_hub *hub;

        if (green__likely(!green__patch_handlers()) || (!masked && !is_main()))
                return false;
        hub = green_get_hub();
        if (hub != here.hub) {
                green__patch_away_forget();
                here.hub = hub;
        }
        here.depth++;
        return true;
}

struct green_waitq *
green__patch_away_queue(void)
{
        return &here.queue;
}

void
green__patch_away_by(void (*end)(void *), void *arg)
{
        here.end = end;
        here.end_arg = arg;
}

unsigned
green__patch_away_end(void)
{
        unsigned how = 0;
        uint64_t bits;

        here.depth--;
        while ((bits = atomic_load(&here.pending)) != 0) {
                int sig = __builtin_ctzll(bits) + 1;

                atomic_fetch_and(&here.pending, ~((uint64_t)1 << (sig - 1)));
                how |= green__patch_run_handler(sig);
        }
        return how;
}

/* With a node that signals wake. */
static int
wait_with_signals(int fd, unsigned events, double seconds, bool always)
{
        struct green_wait w[2] = {{.next = NULL}, {.next = NULL}};
        unsigned ran;
        int rc = 0;

        if (fd >= 0)
                rc = green_wait_fd(&w[0], fd, events);
        w[1].queue = green__patch_away_queue();
        if (rc == 0)
                rc = green_park_any(w, 2, seconds, NULL);
        ran = green__patch_away_end();
        if (rc == -EINTR)
                return ran & (always ? GREEN__PATCH_RAN : GREEN__PATCH_INTERRUPTED) ? -EINTR : 0;
        return rc > 0 ? 0 : rc;
}

int
green__patch_wait(int fd, unsigned events, double seconds, bool always)
{
        int rc;

        if (green__unlikely(green__patch_away_begin(false)))
                rc = wait_with_signals(fd, events | GREEN_SHARED, seconds, always);
        else
                rc = green_trampoline(fd, events | GREEN_SHARED, seconds);
        return rc == -ECANCELED ? -EBADF : rc;
}

int
green__patch_sleep(double seconds)
{
        struct green__limit limit = {.timeout = seconds, .start = -1};
        double left = seconds;
        int rc;

        do {
                if (left <= 0 || !green__patch_away_begin(false))
                        return green_sleep(left);
                left = green__limit_left(&limit);
                rc = wait_with_signals(-1, 0, left, true);
                if (rc == -ETIMEDOUT)
                        return 0;
        } while (rc == 0);
        return rc;
}
