/*
 * poll() and ppoll(); and the table of all that waits for several descriptors.
 */
#include "patch_poll_priv.h"

#include <poll.h>

#include "patch_signal.h"

/* ---- masks of signals */

/*
 * The mask is the OS thread's, so the others run with it as well while one waits. The first that comes keeps the one
 * before, and the last that goes brings it back.
 */
static _Thread_local struct {
        unsigned depth;
        sigset_t before;
} masks;

static void
mask_begin(const sigset_t *mask)
{
        (void)pthread_sigmask(SIG_SETMASK, mask, masks.depth == 0 ? &masks.before : NULL);
        masks.depth++;
}

static void
mask_end(void)
{
        if (--masks.depth == 0)
                (void)pthread_sigmask(SIG_SETMASK, &masks.before, NULL);
}

void
green__patch_masks_forget(void)
{
        if (masks.depth > 0)
                (void)pthread_sigmask(SIG_SETMASK, &masks.before, NULL);
        masks.depth = 0;
}

/* ---- the wait */

/* One park. -EAGAIN: nobody wanted to end it but a signal whose handler another one has run. */
static int
wait_once(struct green__poll_wait *w, double seconds, const sigset_t *mask)
{
        bool away = green__patch_away_begin(mask != NULL);
        unsigned ran = 0;
        int rc;

        w->shared = GREEN_SHARED;
        w->also = away ? green__patch_away_queue() : NULL;
        if (mask != NULL)
                mask_begin(mask);
        rc = green__poll_until_ready(w, seconds);
        if (mask != NULL)
                mask_end();
        if (away)
                ran = green__patch_away_end();
        if (rc == -EINTR && !(ran & GREEN__PATCH_RAN))
                return -EAGAIN;
        return rc;
}

int
green__patch_poll_wait(struct green__poll_wait *w, double seconds, const sigset_t *mask)
{
        struct green__limit limit = {.timeout = seconds, .start = -1};
        int rc;

        /* One that was closed meanwhile is told by the system. */
        do
                rc = wait_once(w, green__limit_left(&limit), mask);
        while (rc == -EAGAIN || rc == -ECANCELED);
        return rc;
}

void
green__patch_polled(int count)
{
        int saved = errno;

        if (!green__patch_may_wait())
                return;
        if (count == 0)
                (void)green_sleep(0);
        else
                green__patch_turn();
        errno = saved;
}

/* ---- poll */

static int
patch_poll(struct pollfd *fds, nfds_t n, int limit)
{
        struct green__poll_wait w = {.fds = fds, .n = n};
        int count, rc, saved = errno;

        if (limit == 0) {
                count = poll(fds, n, 0);
                green__patch_polled(count);
                return count;
        }
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? poll(fds, n, limit) : -1;
        count = green__patch_poll_wait(&w, limit < 0 ? GREEN_FOREVER : (double)limit / 1e3, NULL);
        if (count > 0)
                green__patch_turn();
        return green__patch_poll_end(count, saved);
}

static int
patch_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit, const sigset_t *mask)
{
        static const struct timespec none = {0, 0};
        struct green__poll_wait w = {.fds = fds, .n = n};
        bool at_once = limit != NULL && limit->tv_sec == 0 && limit->tv_nsec == 0;
        int count, rc, saved = errno;

        if (!green__patch_time_ok(limit))
                return ppoll(fds, n, limit, mask);
        rc = at_once ? 1 : green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? ppoll(fds, n, limit, mask) : -1;
        if (at_once || mask != NULL) {
                /* A signal that waits to be let through comes here. */
                count = ppoll(fds, n, &none, mask);
                if (at_once)
                        green__patch_polled(count);
                if (at_once || count != 0)
                        return count;
        }
        count = green__patch_poll_wait(&w, green__patch_seconds(limit), mask);
        if (count > 0)
                green__patch_turn();
        return green__patch_poll_end(count, saved);
}

static void
check_room(nfds_t n, size_t room)
{
        if (green__unlikely(n > room / sizeof(struct pollfd))) {
                green_log(GREEN_LOG_ERROR, "green-net: a buffer of %zu bytes was given to poll() for %lu descriptors",
                          room, (unsigned long)n);
                abort();
        }
}

static int
patch_poll_chk(struct pollfd *fds, nfds_t n, int limit, size_t room)
{
        check_room(n, room);
        return patch_poll(fds, n, limit);
}

static int
patch_ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *limit, const sigset_t *mask, size_t room)
{
        check_room(n, room);
        return patch_ppoll(fds, n, limit, mask);
}

const struct patch_entry green__patch_poll[] = {
        PATCH_ENTRY("poll", patch_poll, GREEN_PATCH_SELECT),
        PATCH_ENTRY("__poll", patch_poll, GREEN_PATCH_SELECT),
        PATCH_ENTRY("__poll_chk", patch_poll_chk, GREEN_PATCH_SELECT),
        PATCH_ENTRY("ppoll", patch_ppoll, GREEN_PATCH_SELECT),
        PATCH_ENTRY("__ppoll_chk", patch_ppoll_chk, GREEN_PATCH_SELECT),
        PATCH_ENTRY("select", green__patch_fn_select, GREEN_PATCH_SELECT),
        PATCH_ENTRY("__select", green__patch_fn_select, GREEN_PATCH_SELECT),
        PATCH_ENTRY("pselect", green__patch_fn_pselect, GREEN_PATCH_SELECT),
        PATCH_ENTRY("epoll_wait", green__patch_fn_epoll_wait, GREEN_PATCH_SELECT),
        PATCH_ENTRY("epoll_pwait", green__patch_fn_epoll_pwait, GREEN_PATCH_SELECT),
        PATCH_ENTRY("epoll_pwait2", green__patch_fn_epoll_pwait2, GREEN_PATCH_SELECT),
        PATCH_ENTRIES_END,
};
