/*
 * A hub of one's own, over poll(): the least that core needs. It includes <green/hub.h> and the system's headers, links
 * to nothing of green-net, and is built by the Makefile beside it. What each function promises stands in that header.
 *
 *     GREEN_HUB=./hub_mypoll.so ./program      by its path
 *     GREEN_HUB=mypoll ./program               by its name, once it is in `pkg-config --variable=hubdir green-core`
 */
#include <green/hub.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

struct mypoll {
        const struct green_hub_config *config;
        struct pollfd *fds; /* the first is the wake pipe */
        uint64_t *tokens;   /* beside them */
        size_t n;
        size_t room;
        size_t next; /* where to look first, so that nobody starves */
        int wake[2];
};

static int
mypoll_probe(void)
{
        return 0;
}

static int
mypoll_grow(struct mypoll *hub)
{
        size_t room = hub->room * 2 + 64;
        struct pollfd *fds = hub->config->realloc(hub->fds, room * sizeof *fds);
        uint64_t *tokens;

        if (fds == NULL)
                return -ENOMEM;
        hub->fds = fds;
        tokens = hub->config->realloc(hub->tokens, room * sizeof *tokens);
        if (tokens == NULL)
                return -ENOMEM;
        hub->tokens = tokens;
        hub->room = room;
        return 0;
}

/* A pipe that does not block and is not inherited by programs that are started. */
static int
mypoll_start(struct mypoll *hub)
{
        if (pipe(hub->wake) < 0) {
                hub->wake[0] = hub->wake[1] = -1;
                return -errno;
        }
        for (int i = 0; i < 2; i++) {
                fcntl(hub->wake[i], F_SETFD, FD_CLOEXEC);
                fcntl(hub->wake[i], F_SETFL, O_NONBLOCK);
        }
        hub->fds[0] = (struct pollfd){.fd = hub->wake[0], .events = POLLIN};
        hub->n = 1;
        hub->next = 0;
        return 0;
}

static void
mypoll_fini(void *state)
{
        struct mypoll *hub = state;

        close(hub->wake[0]);
        close(hub->wake[1]);
        hub->config->free(hub->fds);
        hub->config->free(hub->tokens);
        hub->config->free(hub);
}

static int
mypoll_init(const struct green_hub_config *config, void **ret_state)
{
        struct mypoll *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        *hub = (struct mypoll){.config = config, .wake = {-1, -1}};
        err = mypoll_grow(hub);
        if (err == 0)
                err = mypoll_start(hub);
        if (err == 0)
                *ret_state = hub;
        else
                mypoll_fini(hub);
        return err;
}

/* The place of a descriptor; 0, where the wake pipe is, if it has none. */
static size_t
mypoll_find(const struct mypoll *hub, green_fd fd)
{
        size_t i = hub->n - 1;

        while (i > 0 && hub->fds[i].fd != fd)
                i--;
        return i;
}

static int
mypoll_put(struct mypoll *hub, size_t i, green_fd fd, uint32_t interest, uint64_t token)
{
        int events = (interest & GREEN_READ ? POLLIN | POLLPRI : 0) | (interest & GREEN_WRITE ? POLLOUT : 0);

        hub->fds[i] = (struct pollfd){.fd = fd, .events = (short)events};
        hub->tokens[i] = token;
        return 0;
}

static int
mypoll_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct mypoll *hub = state;

        if ((interest & (GREEN_READ | GREEN_WRITE)) == 0)
                return -EINVAL;
        if (fcntl(fd, F_GETFD) < 0)
                return -errno;
        if (mypoll_find(hub, fd) != 0)
                return -EEXIST;
        if (hub->n == hub->room && mypoll_grow(hub) != 0)
                return -ENOMEM;
        return mypoll_put(hub, hub->n++, fd, interest, token);
}

static int
mypoll_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct mypoll *hub = state;
        size_t i = mypoll_find(hub, fd);

        return i == 0 ? -ENOENT : mypoll_put(hub, i, fd, interest, token);
}

static int
mypoll_remove(void *state, green_fd fd)
{
        struct mypoll *hub = state;
        size_t i = mypoll_find(hub, fd);

        if (i == 0)
                return -ENOENT;
        hub->n--;
        hub->fds[i] = hub->fds[hub->n];
        hub->tokens[i] = hub->tokens[hub->n];
        return 0;
}

static int
mypoll_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct mypoll *hub = state;
        /* Rounded up: core's timers must not be early. */
        int64_t ms = timeout_ns > 0 ? (timeout_ns - 1) / 1000000 + 1 : timeout_ns;
        char bytes[256];
        int n = 0;

        if (poll(hub->fds, (nfds_t)hub->n, ms < 0 ? -1 : ms < INT_MAX ? (int)ms : INT_MAX) < 0)
                return errno == EINTR ? 0 : -errno;
        while (hub->fds[0].revents != 0 && read(hub->wake[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
                continue;
        for (size_t left = hub->n - 1; left > 0 && n < max; left--) {
                size_t i = hub->next = hub->next > 1 && hub->next <= hub->n ? hub->next - 1 : hub->n - 1;
                int bits = hub->fds[i].revents;

                if (bits == 0)
                        continue;
                events[n++] = (struct green_hub_event){
                        .token = hub->tokens[i],
                        .events = (bits & (POLLIN | POLLPRI) ? GREEN_READ : 0) | (bits & POLLOUT ? GREEN_WRITE : 0) |
                                  (bits & (POLLERR | POLLHUP | POLLNVAL) ? GREEN_HUB_ERROR : 0),
                };
                /* Closed behind our back: said once, and dropped. The one that takes its place was looked at before. */
                if (bits & POLLNVAL)
                        mypoll_remove(hub, hub->fds[i].fd);
        }
        return n;
}

/* From any OS thread and from signal handlers. A full pipe has wakes enough. */
static int
mypoll_wake(void *state)
{
        struct mypoll *hub = state;
        int saved = errno;
        int err = write(hub->wake[1], "", 1) < 0 && errno != EAGAIN ? -errno : 0;

        errno = saved;
        return err;
}

static int
mypoll_after_fork(void *state)
{
        struct mypoll *hub = state;

        close(hub->wake[0]);
        close(hub->wake[1]);
        return mypoll_start(hub);
}

static int
mypoll_describe(void *state, char *text, size_t len)
{
        struct mypoll *hub = state;

        return snprintf(text, len, "mypoll, %zu descriptors", hub->n - 1);
}

static green_fd
mypoll_pollfd(void *state)
{
        (void)state;
        return GREEN_INVALID_FD;
}

GREEN_HUB_DEFINE(mypoll) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "mypoll",
        .probe = mypoll_probe,
        .init = mypoll_init,
        .add = mypoll_add,
        .modify = mypoll_modify,
        .remove = mypoll_remove,
        .wait = mypoll_wait,
        .wake = mypoll_wake,
        .after_fork = mypoll_after_fork,
        .describe = mypoll_describe,
        .pollfd = mypoll_pollfd,
        .fini = mypoll_fini,
};
