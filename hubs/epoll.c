/*
 * The hub of Linux: epoll for readiness, an eventfd for wake().
 *
 * A plug-in like any other: it knows <green/hub.h> and the system.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall() */
#endif

#include <green/hub.h>

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
        HUB_EPOLL_BATCH = 256, /* events a wait() at most */
};

/* Of the wake descriptor; core never uses it as a token. */
#define HUB_EPOLL_WAKE_TOKEN UINT64_MAX

/* The kernel has no epoll_pwait2: found out once a process. */
static atomic_bool hub_epoll_lacks_ns;

struct hub_epoll {
        const struct green_hub_config *config; /* core's; outlives this */
        int poller;                            /* the epoll descriptor */
        int wake;                              /* eventfd, edge-triggered, and so never read */
        /* Here and not on the stack: wait() runs on the stacks of green threads, which are to stay at one page. */
        struct epoll_event ready[HUB_EPOLL_BATCH];
};

static int
hub_epoll_probe(void)
{
        int fd = epoll_create1(EPOLL_CLOEXEC);

        if (fd < 0)
                return -errno;
        close(fd);
        return 0;
}

static void
hub_epoll_close(struct hub_epoll *hub)
{
        if (hub->wake >= 0)
                close(hub->wake);
        if (hub->poller >= 0)
                close(hub->poller);
        hub->wake = -1;
        hub->poller = -1;
}

static int
hub_epoll_open(struct hub_epoll *hub)
{
        /*
         * Edge-triggered: each write to the eventfd is one event, whatever its counter says, so nobody has to read it.
         * The counter would be full after 2^64 wakes.
         */
        struct epoll_event wake = {.events = EPOLLIN | EPOLLET, .data.u64 = HUB_EPOLL_WAKE_TOKEN};
        int err;

        hub->poller = epoll_create1(EPOLL_CLOEXEC);
        hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (hub->poller >= 0 && hub->wake >= 0 && epoll_ctl(hub->poller, EPOLL_CTL_ADD, hub->wake, &wake) == 0)
                return 0;
        err = -errno;
        hub_epoll_close(hub);
        return err;
}

static int
hub_epoll_init(const struct green_hub_config *config, void **ret_state)
{
        struct hub_epoll *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        hub->config = config;
        err = hub_epoll_open(hub);
        if (err != 0) {
                config->free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

static void
hub_epoll_fini(void *state)
{
        struct hub_epoll *hub = state;

        hub_epoll_close(hub);
        hub->config->free(hub);
}

static int
hub_epoll_ctl(struct hub_epoll *hub, int what, green_fd fd, uint32_t interest, uint64_t token)
{
        struct epoll_event event = {.data.u64 = token};

        /* Without a direction epoll would still report errors, again and again. */
        if ((interest & (GREEN_READ | GREEN_WRITE)) == 0 || token == HUB_EPOLL_WAKE_TOKEN)
                return -EINVAL;
        if (interest & GREEN_READ)
                event.events |= EPOLLIN | EPOLLPRI | EPOLLRDHUP;
        if (interest & GREEN_WRITE)
                event.events |= EPOLLOUT;
        if (interest & GREEN_HUB_EDGE)
                event.events |= EPOLLET;
        if (interest & GREEN_HUB_ONESHOT)
                event.events |= EPOLLONESHOT;
        return epoll_ctl(hub->poller, what, fd, &event) == 0 ? 0 : -errno;
}

static int
hub_epoll_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        return hub_epoll_ctl(state, EPOLL_CTL_ADD, fd, interest, token);
}

static int
hub_epoll_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        return hub_epoll_ctl(state, EPOLL_CTL_MOD, fd, interest, token);
}

static int
hub_epoll_remove(void *state, green_fd fd)
{
        struct hub_epoll *hub = state;
        struct epoll_event unused = {0}; /* kernels before 2.6.9 want one */

        return epoll_ctl(hub->poller, EPOLL_CTL_DEL, fd, &unused) == 0 ? 0 : -errno;
}

/* epoll_wait()'s limit: milliseconds, rounded up, so that no timer is early. */
static int
hub_epoll_milliseconds(int64_t timeout_ns)
{
        int64_t ms;

        if (timeout_ns <= 0)
                return timeout_ns < 0 ? -1 : 0;
        ms = (timeout_ns - 1) / 1000000 + 1;
        return ms < INT_MAX ? (int)ms : INT_MAX;
}

#ifdef SYS_epoll_pwait2
/* As the kernel has it on every machine; the C library's timespec may be 32 bits wide. */
struct hub_epoll_timespec {
        int64_t sec;
        int64_t nsec;
};

/* The system call itself: C libraries have a wrapper only since 2021. */
static int
hub_epoll_wait_ns(struct hub_epoll *hub, int max, int64_t timeout_ns)
{
        struct hub_epoll_timespec limit = {timeout_ns / 1000000000, timeout_ns % 1000000000};

        return (int)syscall(SYS_epoll_pwait2, (long)hub->poller, hub->ready, (long)max, &limit, NULL, 0L);
}
#else
static int
hub_epoll_wait_ns(struct hub_epoll *hub, int max, int64_t timeout_ns)
{
        (void)hub;
        (void)max;
        (void)timeout_ns;
        errno = ENOSYS;
        return -1;
}
#endif

static int
hub_epoll_wait_any(struct hub_epoll *hub, int max, int64_t timeout_ns)
{
        if (timeout_ns > 0 && !atomic_load_explicit(&hub_epoll_lacks_ns, memory_order_relaxed)) {
                int n = hub_epoll_wait_ns(hub, max, timeout_ns);

                /* EPERM is how older sandboxes say that they do not know a system call. */
                if (n >= 0 || (errno != ENOSYS && errno != EPERM))
                        return n;
                hub_epoll_lacks_ns = true;
        }
        return epoll_wait(hub->poller, hub->ready, max, hub_epoll_milliseconds(timeout_ns));
}

static int
hub_epoll_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct hub_epoll *hub = state;
        struct green_hub_event *event = events;
        int n = hub_epoll_wait_any(hub, max < HUB_EPOLL_BATCH ? max : HUB_EPOLL_BATCH, timeout_ns);

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        for (const struct epoll_event *ready = hub->ready; n > 0; n--, ready++) {
                uint32_t bits = ready->events;

                if (ready->data.u64 == HUB_EPOLL_WAKE_TOKEN)
                        continue;
                event->token = ready->data.u64;
                /* A read stops at urgent data: there too one that gave less than it could has not taken all there was. */
                event->events = (bits & (EPOLLIN | EPOLLPRI | EPOLLRDHUP) ? GREEN_READ : 0u) |
                                (bits & EPOLLOUT ? GREEN_WRITE : 0u) |
                                (bits & (EPOLLERR | EPOLLHUP) ? GREEN_HUB_ERROR : 0u) |
                                (bits & (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI) ? GREEN_HUB_HANGUP : 0u);
                event->reserved = 0;
                event->op = NULL;
                event++;
        }
        return (int)(event - events);
}

static int
hub_epoll_wake(void *state)
{
        struct hub_epoll *hub = state;
        uint64_t one = 1;
        int saved = errno; /* of the code that a signal handler interrupted */
        int err = write(hub->wake, &one, sizeof one) < 0 ? -errno : 0;

        errno = saved;
        return err;
}

static int
hub_epoll_after_fork(void *state)
{
        struct hub_epoll *hub = state;

        /* Both are shared with the parent: its registrations must not be touched, its wakes not be taken. */
        hub_epoll_close(hub);
        return hub_epoll_open(hub);
}

static int
hub_epoll_describe(void *state, char *text, size_t len)
{
        struct hub_epoll *hub = state;

        return snprintf(text, len, "epoll, descriptor %d, limits in %s", hub->poller,
                        hub_epoll_lacks_ns ? "milliseconds" : "nanoseconds");
}

static green_fd
hub_epoll_pollfd(void *state)
{
        struct hub_epoll *hub = state;

        return hub->poller;
}

GREEN_HUB_DEFINE(epoll) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "epoll",
        .features = GREEN_HUB_CAN_EDGE | GREEN_HUB_CAN_ONESHOT | GREEN_HUB_FORGETS_CLOSED | GREEN_HUB_TELLS_HANGUP,
        .probe = hub_epoll_probe,
        .init = hub_epoll_init,
        .add = hub_epoll_add,
        .modify = hub_epoll_modify,
        .remove = hub_epoll_remove,
        .wait = hub_epoll_wait,
        .wake = hub_epoll_wake,
        .after_fork = hub_epoll_after_fork,
        .describe = hub_epoll_describe,
        .pollfd = hub_epoll_pollfd,
        .fini = hub_epoll_fini,
};
