/*
 * A hub for tests: readiness by epoll, and completion operations that are as inconvenient as the interface allows.
 *
 * They are reported late (some turns after they were carried out), the newest first, and after cancel() either as
 * cancelled or with what they did meanwhile, by turns. It watches how core keeps to <green/hub.h>, and aborts with a
 * message where it does not: calls from a wrong thread, from inside wait() or in a child before after_fork(),
 * operations submitted twice, buffers given back twice or kept at the end, operations or buffers touched while they
 * belong to the hub, descriptors closed under an operation.
 *
 * GREEN_TEST_LATE is a list of settings, "late=2,cancel=now":
 *   late=N      report an operation not before the N-th turn after it was carried out (2)
 *   order=X     "newest" reports the newest first (default), "oldest" the oldest
 *   cancel=X    what cancel() leads to: "canceled", "success" (if it can still be carried out), "turns": one after the
 *               other (default); or "now": cancel() returns 0 at once
 *   refuse=N    every N-th submit() says -ENOTSUP (0: none)
 *   spurious=N  every N-th wait() returns at once, if need be with nothing, as an interrupted one does (0: none)
 *   kinds=X     letters of the kinds that are known: rwRSACP for read, write, recv, send, accept, connect, poll (all)
 *   multishot=0 multishot operations say -ENOTSUP
 *   buffers=N   there are so many buffers for multishot receives, of 16 bytes (4)
 *   pieces=N    a turn of one brings so many pieces at most (3)
 *   end=N       with every N-th piece that one brings it ends (7; 0: with none)
 *   strict=1    add() of a registered and modify() of an unregistered descriptor abort; else they return their codes,
 *               which is right where descriptors are closed behind core's back
 *
 * A turn is a call of wait(), or a millisecond of one. HUB_LATE_LEVEL makes a variant, "late_level", that knows neither
 * edge nor one-shot interest, and does not tell hang-ups. On Windows, where tests/win32/ stands for epoll, nobody knows
 * edges.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <green/hub.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hub_late.h"
#include "hub_late_op.h"

#if HUB_LATE_HAS_EDGES
#define LATE_EDGE GREEN_HUB_CAN_EDGE
#else
#define LATE_EDGE 0u
#define EPOLLET 0u
#endif

#ifdef HUB_LATE_LEVEL
#define LATE_NAME "late_level"
#define LATE_INTEREST 0u
#define LATE_HANGUP 0u
#else
#define LATE_NAME "late"
#define LATE_INTEREST (LATE_EDGE | GREEN_HUB_CAN_ONESHOT)
#define LATE_HANGUP (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI)
#endif

enum {
        LATE_BATCH = 64,         /* readiness events a wait() at most */
        LATE_TURN = 1000 * 1000, /* nanoseconds of a turn inside wait() */
};

enum late_cancel { LATE_CANCELED, LATE_SUCCESS, LATE_TURNS, LATE_NOW };

#define LATE_WAKE_TOKEN UINT64_MAX

struct late {
        const struct green_hub_config *config;
        int poller;
        int wake;
        pid_t thread; /* that made it */
        pid_t process;
        bool waiting; /* in wait() */
        unsigned late, refuse, spurious;
        enum late_cancel cancel;
        bool oldest_first, strict, no_multishot;
        const char *kinds;
        char settings[256];
        unsigned n_waits, n_submits, n_cancels;
        struct late_op *ops;
        size_t n_ops;
        struct pollfd *poll; /* room for n_room */
        size_t n_room;
        struct epoll_event ready[LATE_BATCH];
        struct late_pool pool;
};

struct hub_late_stats green_test_late_stats;

/* Every function but wake() passes here. */
static struct late *
late_enter(void *state, const char *name)
{
        struct late *hub = state;

        if (hub == NULL)
                late_die("%s() without a state", name);
        if (hub->process != getpid())
                late_die("%s() in the child of a fork before after_fork()", name);
        if (hub->thread != (pid_t)syscall(SYS_gettid))
                late_die("%s() from an OS thread that is not the hub's", name);
        if (hub->waiting)
                late_die("%s() from inside wait()", name);
        return hub;
}

static int
late_probe(void)
{
        return 0;
}

static unsigned
late_number(const char *value)
{
        return (unsigned)strtoul(value, NULL, 10);
}

static enum late_cancel
late_cancel_mode(const char *value)
{
        static const char *const names[] = {"canceled", "success", "turns", "now"};

        for (int i = 0; i < 4; i++) {
                if (strcmp(value, names[i]) == 0)
                        return (enum late_cancel)i;
        }
        fprintf(stderr, "hub late: GREEN_TEST_LATE: unknown cancel=%s\n", value);
        abort();
}

static void
late_setting(struct late *hub, const char *name, const char *value)
{
        if (strcmp(name, "late") == 0) {
                hub->late = late_number(value);
        } else if (strcmp(name, "refuse") == 0) {
                hub->refuse = late_number(value);
        } else if (strcmp(name, "multishot") == 0) {
                hub->no_multishot = late_number(value) == 0;
        } else if (strcmp(name, "buffers") == 0) {
                hub->pool.n = late_number(value) < LATE_BUFFERS ? late_number(value) : LATE_BUFFERS;
        } else if (strcmp(name, "pieces") == 0) {
                hub->pool.at_once = late_number(value);
        } else if (strcmp(name, "end") == 0) {
                hub->pool.end = late_number(value);
        } else if (strcmp(name, "spurious") == 0) {
                hub->spurious = late_number(value);
        } else if (strcmp(name, "strict") == 0) {
                hub->strict = late_number(value) != 0;
        } else if (strcmp(name, "order") == 0) {
                hub->oldest_first = strcmp(value, "oldest") == 0;
        } else if (strcmp(name, "cancel") == 0) {
                hub->cancel = late_cancel_mode(value);
        } else if (strcmp(name, "kinds") == 0) {
                hub->kinds = value;
        } else {
                fprintf(stderr, "hub late: GREEN_TEST_LATE: unknown setting %s\n", name);
                abort();
        }
}

static void
late_settings(struct late *hub)
{
        const char *text = getenv("GREEN_TEST_LATE");
        char *rest = hub->settings;
        char *one;

        hub->late = 2;
        hub->cancel = LATE_TURNS;
        hub->kinds = "rwRSACP";
        hub->pool.n = 4;
        hub->pool.at_once = 3;
        hub->pool.end = 7;
        snprintf(hub->settings, sizeof hub->settings, "%s", text != NULL ? text : "");
        while ((one = strsep(&rest, ",")) != NULL) {
                char *value = strchr(one, '=');

                if (value == NULL)
                        continue;
                *value++ = '\0';
                late_setting(hub, one, value);
        }
}

static int
late_open(struct late *hub)
{
        struct epoll_event wake = {.events = EPOLLIN, .data.u64 = LATE_WAKE_TOKEN};

        hub->process = getpid();
        hub->thread = (pid_t)syscall(SYS_gettid);
        hub->poller = epoll_create1(EPOLL_CLOEXEC);
        hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (hub->poller < 0 || hub->wake < 0 || epoll_ctl(hub->poller, EPOLL_CTL_ADD, hub->wake, &wake) != 0) {
                int err = -errno;

                close(hub->wake);
                close(hub->poller);
                return err;
        }
        return 0;
}

static int
late_init(const struct green_hub_config *config, void **ret_state)
{
        struct late *hub;
        int err;

        if (config == NULL || ret_state == NULL || config->size < sizeof *config)
                late_die("init() with a bad config");
        if (config->realloc == NULL || config->free == NULL || config->log == NULL)
                late_die("init() with a config that lacks a function");
        hub = config->realloc(NULL, sizeof *hub);
        if (hub == NULL)
                return -ENOMEM;
        memset(hub, 0, sizeof *hub);
        hub->config = config;
        late_settings(hub);
        late_pool_init(&hub->pool);
        err = late_open(hub);
        if (err != 0) {
                config->free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

/* ---- readiness ---- */

static int
late_ctl(struct late *hub, int what, green_fd fd, uint32_t interest, uint64_t token)
{
        struct epoll_event event = {.data.u64 = token};

        if ((interest & (GREEN_READ | GREEN_WRITE)) == 0 ||
            (interest & ~(GREEN_READ | GREEN_WRITE | GREEN_HUB_EDGE | GREEN_HUB_ONESHOT)) != 0)
                late_die("interest %#x in descriptor %d", interest, fd);
        if (((interest & GREEN_HUB_EDGE) != 0 && (LATE_INTEREST & GREEN_HUB_CAN_EDGE) == 0) ||
            ((interest & GREEN_HUB_ONESHOT) != 0 && (LATE_INTEREST & GREEN_HUB_CAN_ONESHOT) == 0))
                late_die("interest %#x, which this hub does not know", interest);
        if (token == LATE_WAKE_TOKEN)
                late_die("token %#llx, which is the hub's", (unsigned long long)token);
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
late_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct late *hub = late_enter(state, "add");
        int err = late_ctl(hub, EPOLL_CTL_ADD, fd, interest, token);

        green_test_late_stats.adds++;
        if (err == -EEXIST && hub->strict)
                late_die("add() of descriptor %d, which is registered", fd);
        return err;
}

static int
late_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct late *hub = late_enter(state, "modify");
        int err = late_ctl(hub, EPOLL_CTL_MOD, fd, interest, token);

        green_test_late_stats.modifies++;
        if (err == -ENOENT && hub->strict)
                late_die("modify() of descriptor %d, which is not registered", fd);
        return err;
}

static int
late_remove(void *state, green_fd fd)
{
        struct late *hub = late_enter(state, "remove");
        struct epoll_event unused = {0};

        green_test_late_stats.removes++;
        return epoll_ctl(hub->poller, EPOLL_CTL_DEL, fd, &unused) == 0 ? 0 : -errno;
}

static int
late_collect_ready(struct late *hub, struct green_hub_event *events, int max, bool *ret_woken)
{
        int n = epoll_wait(hub->poller, hub->ready, max < LATE_BATCH ? max : LATE_BATCH, 0);
        int stored = 0;

        for (int i = 0; i < n; i++) {
                uint32_t bits = hub->ready[i].events;
                uint64_t count;

                if (hub->ready[i].data.u64 == LATE_WAKE_TOKEN) {
                        while (read(hub->wake, &count, sizeof count) > 0)
                                *ret_woken = true;
                        continue;
                }
                events[stored++] = (struct green_hub_event){
                        .token = hub->ready[i].data.u64,
                        .events = (bits & (EPOLLIN | EPOLLPRI | EPOLLRDHUP) ? GREEN_READ : 0) |
                                  (bits & EPOLLOUT ? GREEN_WRITE : 0) |
                                  (bits & (EPOLLERR | EPOLLHUP) ? GREEN_HUB_ERROR : 0) |
                                  (bits & LATE_HANGUP ? GREEN_HUB_HANGUP : 0),
                };
        }
        return stored;
}

/* ---- operations: the interface ---- */

static int
late_reserve(struct late *hub)
{
        size_t room = hub->n_room * 2 + 16;
        struct pollfd *poll;

        if (hub->n_ops + 2 < hub->n_room)
                return 0;
        poll = hub->config->realloc(hub->poll, room * sizeof *poll);
        if (poll == NULL)
                return -ENOMEM;
        hub->poll = poll;
        hub->n_room = room;
        return 0;
}

static void
late_link(struct late *hub, struct late_op *late)
{
        struct late_op **at = &hub->ops;

        while (hub->oldest_first && *at != NULL)
                at = &(*at)->next;
        late->next = *at;
        *at = late;
        hub->n_ops++;
        if (hub->n_ops > green_test_late_stats.most_in_flight)
                green_test_late_stats.most_in_flight = hub->n_ops;
}

static void
late_unlink(struct late *hub, struct late_op *late)
{
        struct late_op **at = &hub->ops;

        while (*at != late)
                at = &(*at)->next;
        *at = late->next;
        late_multi_drop(late, &hub->pool);
        hub->n_ops--;
        late->op->space[0] = 0;
        late->op->space[1] = 0;
        late->op->result = late->saved.result;
        hub->config->free(late);
}

static bool
late_knows(const struct late *hub, enum green_op_kind kind)
{
        static const char letters[] = "?rwRSACP";

        return kind >= GREEN_OP_READ && kind <= GREEN_OP_POLL && strchr(hub->kinds, letters[kind]) != NULL;
}

static void
late_check_submit(const struct late *hub, const struct green_op *op)
{
        for (const struct late_op *other = hub->ops; other != NULL; other = other->next) {
                if (other->op == op)
                        late_die("submit() of an operation in flight on descriptor %d", op->fd);
        }
        for (size_t i = 0; i < sizeof op->space / sizeof op->space[0]; i++) {
                if (op->space[i] != 0)
                        late_die("submit() of an operation whose space is not zeroed");
        }
        if (op->options == GREEN_OP_MULTISHOT && op->iov_count != 0)
                late_die("submit() of a multishot operation with buffers of its own");
        if (op->iov_count > 0 && op->iov == NULL)
                late_die("submit() of an operation without its buffers");
}

static int
late_submit(void *state, struct green_op *op)
{
        struct late *hub = late_enter(state, "submit");
        struct late_op *late;
        struct stat file;

        late_check_submit(hub, op);
        hub->n_submits++;
        if (op->options != 0 && (op->options != GREEN_OP_MULTISHOT ||
                                 (op->kind != GREEN_OP_RECV && op->kind != GREEN_OP_ACCEPT)))
                return -ENOTSUP;
        if (!late_knows(hub, op->kind) || (hub->refuse > 0 && hub->n_submits % hub->refuse == 0))
                return -ENOTSUP;
        if (late_op_is_multi(op) && hub->no_multishot)
                return -ENOTSUP;
        if (fstat(op->fd, &file) != 0)
                return -errno;
        late = hub->config->realloc(NULL, sizeof *late);
        if (late == NULL || late_reserve(hub) != 0) {
                hub->config->free(late);
                return -ENOMEM;
        }
        memset(late, 0, sizeof *late);
        late->op = op;
        late->saved = *op;
        late->dev = file.st_dev;
        late->ino = file.st_ino;
        late->turns = late->late = hub->late;
        late->reports_end = &late->reports;
        op->space[0] = LATE_MAGIC;
        op->space[1] = (uint64_t)(uintptr_t)late;
        if (op->kind == GREEN_OP_CONNECT) {
                int64_t result = late_op_connect(late);

                if (result != -EAGAIN)
                        late_op_finish(late, result);
        }
        late_op_guard(late);
        late_link(hub, late);
        green_test_late_stats.submits++;
        green_test_late_stats.kinds[op->kind]++;
        return 0;
}

static int
late_cancel(void *state, struct green_op *op)
{
        struct late *hub = late_enter(state, "cancel");
        struct late_op *late = hub->ops;

        while (late != NULL && late->op != op)
                late = late->next;
        if (late == NULL)
                late_die("cancel() of an operation that is not in flight");
        late_op_verify(late);
        green_test_late_stats.cancels++;
        if (late->cancelled)
                return -EINPROGRESS;
        if (hub->cancel == LATE_NOW && !late->done && !late->begun) {
                late_op_unguard(late);
                late_op_finish(late, -ECANCELED);
                late_unlink(hub, late);
                return 0;
        }
        late->cancelled = true;
        late->turns = hub->late;
        hub->n_cancels++;
        late->hopeless = hub->cancel == LATE_CANCELED || (hub->cancel == LATE_TURNS && hub->n_cancels % 2 != 0);
        return -EINPROGRESS;
}

/* Reports of one multishot operation, in order. */
static int
late_collect_multi(struct late *hub, struct late_op *late, struct green_hub_event *events, int max)
{
        bool last = false;
        int n = 0;

        late_multi_turn(late, &hub->pool);
        while (!last && n < max && late_multi_next(late, &hub->pool, &events[n], &last)) {
                green_test_late_stats.pieces++;
                green_test_late_stats.buffers += events[n].buffer != NULL;
                if ((int64_t)events[n].token == -ENOBUFS)
                        green_test_late_stats.no_buffers++;
                n++;
        }
        if (hub->pool.most_out > green_test_late_stats.most_out)
                green_test_late_stats.most_out = hub->pool.most_out;
        if (last) {
                green_test_late_stats.reports++;
                late_unlink(hub, late);
        }
        return n;
}

static int
late_collect_done(struct late *hub, struct green_hub_event *events, int max)
{
        struct late_op *next;
        int n = 0;

        for (struct late_op *late = hub->ops; late != NULL; late = next) {
                next = late->next;
                if (late_op_is_multi(&late->saved)) {
                        n += late_collect_multi(hub, late, events + n, max - n);
                        continue;
                }
                late_op_turn(late);
                if (!late->done || late->turns > 0 || n == max)
                        continue;
                events[n++] = (struct green_hub_event){.op = late->op};
                green_test_late_stats.reports++;
                if (late->cancelled && late->saved.result != -ECANCELED)
                        green_test_late_stats.done_though_cancelled++;
                late_unlink(hub, late);
        }
        return n;
}

/* ---- waiting ---- */

static int64_t
late_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static short
late_poll_bits(const struct green_op *op)
{
        if (op->kind == GREEN_OP_POLL)
                return (short)((op->flags & GREEN_READ ? LATE_READABLE : 0) |
                               (op->flags & GREEN_WRITE ? POLLOUT : 0));
        return late_op_sends(op) || op->kind == GREEN_OP_CONNECT ? POLLOUT : POLLIN;
}

/* Sleeps until something is ready, at most ns (below 0: for good); false when a signal came. */
static bool
late_sleep(struct late *hub, int64_t ns)
{
        struct pollfd only = {.fd = hub->poller, .events = POLLIN};
        struct pollfd *poll = hub->n_room > 0 ? hub->poll : &only;
        struct timespec limit;
        nfds_t n = 1;

        poll[0] = only;
        for (struct late_op *late = hub->ops; late != NULL; late = late->next) {
                bool waits = !late->done && !late->cancelled;

                if (!waits || late->again || late->reports != NULL)
                        ns = ns < 0 || ns > LATE_TURN ? LATE_TURN : ns;
                poll[n++] = (struct pollfd){.fd = waits ? late->saved.fd : -1, .events = late_poll_bits(&late->saved)};
        }
        limit.tv_sec = ns / 1000000000;
        limit.tv_nsec = ns % 1000000000;
        if (ppoll(poll, n, ns < 0 ? NULL : &limit, NULL) < 0)
                return errno != EINTR;
        n = 1;
        for (struct late_op *late = hub->ops; late != NULL; late = late->next, n++) {
                if (poll[n].revents != 0)
                        late->ready = true;
        }
        return true;
}

static int
late_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct late *hub = late_enter(state, "wait");
        int64_t end = timeout_ns > 0 ? late_now() + (timeout_ns < INT64_MAX / 2 ? timeout_ns : INT64_MAX / 2) : 0;
        int64_t left = timeout_ns;
        bool woken = false;
        int n = 0;

        if (events == NULL || max < 1)
                late_die("wait() for %d events", max);
        hub->n_waits++;
        green_test_late_stats.waits++;
        if (hub->spurious > 0 && hub->n_waits % hub->spurious == 0)
                timeout_ns = left = 0;
        hub->waiting = true;
        for (;;) {
                bool interrupted = !late_sleep(hub, left);

                n = late_collect_done(hub, events, max);
                if (n < max)
                        n += late_collect_ready(hub, events + n, max - n, &woken);
                if (n > 0 || woken || interrupted || timeout_ns == 0)
                        break;
                if (timeout_ns > 0 && (left = end - late_now()) <= 0)
                        break;
        }
        hub->waiting = false;
        return n;
}

static int
late_wake(void *state)
{
        struct late *hub = state;
        uint64_t one = 1;
        int saved = errno;
        int err;

        if (hub->process != getpid())
                late_die("wake() in the child of a fork before after_fork()");
        green_test_late_stats.wakes++;
        do
                err = write(hub->wake, &one, sizeof one) < 0 ? -errno : 0;
        while (err == -EAGAIN); /* of the sockets that stand for eventfd on Windows, now and then */
        errno = saved;
        return err;
}

/* ---- the rest ---- */

/* In the child of a fork the operations are the parent's, and their memory may be gone. */
static void
late_drop_ops(struct late *hub, bool ours)
{
        while (hub->ops != NULL) {
                struct late_op *late = hub->ops;

                if (ours)
                        late_op_verify(late);
                if (late->done && late->saved.kind == GREEN_OP_ACCEPT && late->saved.result >= 0)
                        close((int)late->saved.result);
                if (ours) {
                        late_op_unguard(late);
                        late->op->result = -ECANCELED;
                }
                hub->ops = late->next;
                late_multi_drop(late, &hub->pool);
                hub->config->free(late);
        }
        hub->n_ops = 0;
}

static int
late_after_fork(void *state)
{
        struct late *hub = state;

        if (hub->process == getpid())
                late_die("after_fork() in a process that did not fork");
        hub->waiting = false;
        late_drop_ops(hub, false);
        late_pool_init(&hub->pool);
        close(hub->wake);
        close(hub->poller);
        return late_open(hub);
}

static int
late_describe(void *state, char *text, size_t len)
{
        struct late *hub = late_enter(state, "describe");

        return snprintf(text, len, "%s, for tests, %zu operations in flight", LATE_NAME, hub->n_ops);
}

/* Operations do not show in the epoll descriptor, so there is none to give. */
static green_fd
late_pollfd(void *state)
{
        late_enter(state, "pollfd");
        return GREEN_INVALID_FD;
}

static void
late_fini(void *state)
{
        struct late *hub = late_enter(state, "fini");

        late_drop_ops(hub, true);
        if (hub->pool.n_out > 0)
                late_die("fini() with %u buffers out", hub->pool.n_out);
        close(hub->wake);
        close(hub->poller);
        hub->config->free(hub->poll);
        hub->config->free(hub);
}

static void
late_release(void *state, void *buffer)
{
        struct late *hub = late_enter(state, "release");

        late_pool_release(&hub->pool, buffer);
        green_test_late_stats.releases++;
}

GREEN_HUB_DEFINE(late) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = LATE_NAME,
        .features = LATE_INTEREST | (LATE_HANGUP != 0 ? GREEN_HUB_TELLS_HANGUP : 0) | GREEN_HUB_CAN_SUBMIT |
                    GREEN_HUB_CAN_MULTISHOT,
        .probe = late_probe,
        .init = late_init,
        .add = late_add,
        .modify = late_modify,
        .remove = late_remove,
        .wait = late_wait,
        .wake = late_wake,
        .after_fork = late_after_fork,
        .describe = late_describe,
        .pollfd = late_pollfd,
        .submit = late_submit,
        .cancel = late_cancel,
        .fini = late_fini,
        .release = late_release,
};
