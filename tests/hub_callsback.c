/*
 * A hub for tests that calls back: poll(), and in each wait() a function of the test's, as a foreign event loop would
 * call those registered with it. core must call wait() on the hub's stack only; this checks that it is always the same
 * one, and aborts with a message where it is not.
 *
 * Any address will do as its foreign loop: nothing of it is looked at.
 *
 * The test finds green_test_callsback by dlsym() and sets it; see hub_callsback.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <green/hub.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hub_callsback.h"

enum {
        CALLSBACK_MAX = 4096,             /* descriptors */
        CALLSBACK_STACK_WINDOW = 32 << 10 /* how far apart two calls on one stack may be */
};

struct callsback {
        const struct green_hub_config *config;
        void *loop;  /* the test's, or this */
        char *stack; /* an address in the first wait() */
        int wake;
        nfds_t n;
        nfds_t next;                      /* descriptor that was looked at last */
        struct pollfd fds[CALLSBACK_MAX]; /* the first is wake */
        uint64_t tokens[CALLSBACK_MAX];
};

struct hub_callsback green_test_callsback;

static int
callsback_probe(void)
{
        return 0;
}

static int
callsback_open(struct callsback *hub)
{
        hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        hub->fds[0] = (struct pollfd){.fd = hub->wake, .events = POLLIN};
        hub->n = 1;
        hub->next = 0;
        return hub->wake >= 0 ? 0 : -errno;
}

static int
callsback_init(const struct green_hub_config *config, void **ret_state)
{
        struct callsback *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        hub->config = config;
        hub->loop = config->loop != NULL ? config->loop : hub;
        hub->stack = NULL;
        err = callsback_open(hub);
        if (err != 0) {
                config->free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

/* 0 if it is not there: that is the wake descriptor's place. */
static nfds_t
callsback_find(const struct callsback *hub, green_fd fd)
{
        for (nfds_t i = 1; i < hub->n; i++) {
                if (hub->fds[i].fd == fd)
                        return i;
        }
        return 0;
}

static int
callsback_set(struct callsback *hub, nfds_t i, green_fd fd, uint32_t interest, uint64_t token)
{
        if ((interest & (GREEN_READ | GREEN_WRITE)) == 0 || (interest & ~(GREEN_READ | GREEN_WRITE)) != 0)
                return -EINVAL;
        hub->fds[i] = (struct pollfd){.fd = fd};
        if (interest & GREEN_READ)
                hub->fds[i].events |= POLLIN | POLLPRI;
        if (interest & GREEN_WRITE)
                hub->fds[i].events |= POLLOUT;
        hub->tokens[i] = token;
        return 0;
}

static int
callsback_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct callsback *hub = state;
        int err;

        if (fcntl(fd, F_GETFD) < 0)
                return -errno;
        if (callsback_find(hub, fd) != 0)
                return -EEXIST;
        if (hub->n == CALLSBACK_MAX)
                return -ENOSPC;
        err = callsback_set(hub, hub->n, fd, interest, token);
        if (err == 0)
                hub->n++;
        return err;
}

static int
callsback_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct callsback *hub = state;
        nfds_t i = callsback_find(hub, fd);

        return i != 0 ? callsback_set(hub, i, fd, interest, token) : -ENOENT;
}

static int
callsback_remove(void *state, green_fd fd)
{
        struct callsback *hub = state;
        nfds_t i = callsback_find(hub, fd);

        if (i == 0)
                return -ENOENT;
        hub->n--;
        hub->fds[i] = hub->fds[hub->n];
        hub->tokens[i] = hub->tokens[hub->n];
        return 0;
}

static void
callsback_check_stack(struct callsback *hub)
{
        char here;
        char *volatile address = &here; /* volatile: it outlives the frame, as a number */
        ptrdiff_t distance = hub->stack == NULL ? 0 : address - hub->stack;

        if (hub->stack == NULL)
                hub->stack = address;
        if (distance > -CALLSBACK_STACK_WINDOW && distance < CALLSBACK_STACK_WINDOW)
                return;
        fprintf(stderr,
                "hub callsback: core broke the hub interface: wait() on another stack, %td bytes from the first\n",
                distance);
        abort();
}

static int
callsback_collect(struct callsback *hub, struct green_hub_event *events, int max)
{
        int n = 0;

        /* It goes on where the last one stopped, so that none starves when there are more than fit. */
        for (nfds_t seen = 1; seen < hub->n && n < max; seen++) {
                nfds_t i = hub->next = hub->next + 1 < hub->n ? hub->next + 1 : 1;
                short bits = hub->fds[i].revents;

                if (bits == 0)
                        continue;
                events[n++] = (struct green_hub_event){
                        .token = hub->tokens[i],
                        .events = (bits & (POLLIN | POLLPRI) ? GREEN_READ : 0) | (bits & POLLOUT ? GREEN_WRITE : 0) |
                                  (bits & (POLLERR | POLLHUP | POLLNVAL) ? GREEN_HUB_ERROR : 0),
                };
                /* It was closed: said once, and dropped. Another takes its place, and is next. */
                if (bits & POLLNVAL) {
                        callsback_remove(hub, hub->fds[i].fd);
                        hub->next = i - 1;
                }
        }
        return n;
}

static int
callsback_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct callsback *hub = state;
        struct timespec limit = {timeout_ns / 1000000000, timeout_ns % 1000000000};
        uint64_t count;

        callsback_check_stack(hub);
        green_test_callsback.waits++;
        for (nfds_t i = 0; i < hub->n; i++)
                hub->fds[i].revents = 0;
        if (ppoll(hub->fds, hub->n, timeout_ns < 0 ? NULL : &limit, NULL) < 0 && errno != EINTR)
                return -errno;
        if (hub->fds[0].revents != 0 && read(hub->wake, &count, sizeof count) < 0 && errno != EAGAIN)
                return -errno;
        /* It may add, modify and remove descriptors; what is new is not ready yet. */
        if (green_test_callsback.fn != NULL)
                green_test_callsback.fn(green_test_callsback.arg);
        return callsback_collect(hub, events, max);
}

static int
callsback_wake(void *state)
{
        struct callsback *hub = state;
        uint64_t one = 1;
        int saved = errno;
        int err;

        do
                err = write(hub->wake, &one, sizeof one) < 0 ? -errno : 0;
        while (err == -EAGAIN); /* of the sockets that stand for eventfd on Windows, now and then */
        errno = saved;
        return err;
}

static int
callsback_after_fork(void *state)
{
        struct callsback *hub = state;

        close(hub->wake);
        hub->stack = NULL;
        return callsback_open(hub);
}

static int
callsback_describe(void *state, char *text, size_t len)
{
        struct callsback *hub = state;

        return snprintf(text, len, "callsback, for tests, %d descriptors", (int)hub->n - 1);
}

static green_fd
callsback_pollfd(void *state)
{
        (void)state;
        return GREEN_INVALID_FD;
}

static void
callsback_fini(void *state)
{
        struct callsback *hub = state;

        close(hub->wake);
        hub->config->free(hub);
}

static void *
callsback_loop(void *state)
{
        struct callsback *hub = state;

        return hub->loop;
}

static void
callsback_list(void *state, void (*line)(void *arg, const char *text), void *arg)
{
        struct callsback *hub = state;
        char text[64];

        for (nfds_t i = 0; i < hub->n; i++) {
                snprintf(text, sizeof text, "descriptor %d%s", hub->fds[i].fd, i == 0 ? ": wake" : "");
                line(arg, text);
        }
}

GREEN_HUB_DEFINE(callsback) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "callsback",
        .features = GREEN_HUB_CALLS_BACK,
        .probe = callsback_probe,
        .init = callsback_init,
        .add = callsback_add,
        .modify = callsback_modify,
        .remove = callsback_remove,
        .wait = callsback_wait,
        .wake = callsback_wake,
        .after_fork = callsback_after_fork,
        .describe = callsback_describe,
        .pollfd = callsback_pollfd,
        .fini = callsback_fini,
        .loop = callsback_loop,
        .list = callsback_list,
};
