/*
 * Waiting for the first of several. See <green/select.h>.
 *
 * Cases are tried first, without a wait; if none can be done, one park has a node for each. Those who wake finish the
 * call of the case that they wake, as they do for any other waiter.
 */
#include <errno.h>

#include <green/error.h>
#include <green/hubs.h>
#include <green/select.h>
#include <green/thread.h>

#include "event_priv.h"
#include "misuse.h"
#include "os_poll.h"
#include "queue_priv.h"
#include "semaphore_priv.h"

/* Keeps what takes much stack off the stack of those who do not need it. */
#define NOINLINE __attribute__((noinline))

/* Up to so many cases the nodes take little stack. */
enum { FEW = 16 };

/*
 * Which case is tried first: it goes on by the golden ratio of a whole turn, so that also who calls from several places
 * in a fixed order begins with another case each time.
 */
static _Thread_local uint32_t turn __attribute__((tls_model("initial-exec")));

static size_t
next_start(size_t n)
{
        turn += 0x9e3779b9;
        return (size_t)((uint64_t)turn * n >> 32);
}

static inline bool
is_fd(const struct green_select_case *c)
{
        return c->op == GREEN_SELECT_READ || c->op == GREEN_SELECT_WRITE;
}

/* A call: its cases, which is tried first, how many are of descriptors. */
struct call {
        struct green_select_case *cases;
        size_t n;
        size_t start;
        size_t fds;
};

/* The number of the case that is tried after i others. */
static inline size_t
nth(const struct call *call, size_t i)
{
        i += call->start;
        return i < call->n ? i : i - call->n;
}

/* ---- checks */

static GREEN__COLD int
bad_case(size_t i, const char *what)
{
        return green__misuse(-EINVAL, "green_select: case %zu: %s", i, what);
}

/* Whose object is it? */
static inline int
check_object(const struct green_select_case *c, uint64_t ident)
{
        const green_queue *q = c->object;

        switch (c->op) {
        case GREEN_SELECT_EVENT:
                return green__event_check(c->object);
        case GREEN_SELECT_ACQUIRE:
                return green__semaphore_check(c->object);
        default:
                return green__likely(q->ident == ident) ? 0 : green_hub_check(q->ident, "a queue");
        }
}

/* Nothing is done where one of them is wrong. Also counts those of descriptors. */
static int
check_cases(struct call *call, uint64_t ident)
{
        for (size_t i = 0; i < call->n; i++) {
                const struct green_select_case *c = &call->cases[i];
                int rc;

                if (c->op == GREEN_SELECT_NONE)
                        continue;
                if ((unsigned)c->op > GREEN_SELECT_WRITE)
                        return bad_case(i, "unknown op");
                if (is_fd(c)) {
                        if ((intptr_t)c->fd < 0)
                                return bad_case(i, "the descriptor is negative");
                        call->fds++;
                        continue;
                }
                if (green__unlikely(c->object == NULL))
                        return bad_case(i, "no object");
                rc = check_object(c, ident);
                if (green__unlikely(rc != 0))
                        return rc;
        }
        return 0;
}

/* ---- at once */

/* Could it be done at once? Not asked of descriptors. */
static bool
is_ready(const struct green_select_case *c)
{
        switch (c->op) {
        case GREEN_SELECT_GET:
                return green__queue_can_get(c->object);
        case GREEN_SELECT_PUT:
                return green__queue_can_put(c->object);
        case GREEN_SELECT_EVENT:
                return green_event_ready(c->object);
        case GREEN_SELECT_ACQUIRE:
                return !green_semaphore_locked(c->object);
        default:
                return false;
        }
}

/* Do it if that can be done at once: then it has won. */
static inline bool
try_case(struct green_select_case *c)
{
        switch (c->op) {
        case GREEN_SELECT_GET:
                if (!green__queue_can_get(c->object))
                        return false;
                c->result = green__queue_try_get(c->object, &c->value);
                return true;
        case GREEN_SELECT_PUT:
                if (!green__queue_can_put(c->object))
                        return false;
                c->result = green__queue_try_put(c->object, c->value);
                return true;
        case GREEN_SELECT_EVENT:
                return green__event_try(c->object, &c->value, &c->result);
        case GREEN_SELECT_ACQUIRE:
                if (!green__semaphore_try(c->object))
                        return false;
                c->result = 0;
                return true;
        default:
                return false;
        }
}

static inline bool
try_range(struct green_select_case *cases, size_t from, size_t to, size_t *ret_index)
{
        for (size_t i = from; i < to; i++) {
                if (try_case(&cases[i])) {
                        *ret_index = i;
                        return true;
                }
        }
        return false;
}

/* ---- descriptors */

/* What poll() said of a descriptor's case: has it won? */
static bool
polled(struct green_select_case *c, short revents)
{
        if (revents == 0)
                return false;
        c->result = revents & POLLNVAL ? -EBADF : 0;
        return true;
}

static struct pollfd
poll_row(const struct green_select_case *c)
{
        /* poll() passes over those that are none. */
        return (struct pollfd){.fd = is_fd(c) ? c->fd : GREEN_INVALID_FD,
                               .events = c->op == GREEN_SELECT_READ ? POLLIN | POLLPRI : POLLOUT};
}

/* Ask the system for all descriptors, and try the others too if told so: the first in turn that has won. */
static NOINLINE bool
poll_all(const struct call *call, bool others, size_t *ret_index)
{
        struct pollfd rows[GREEN_SELECT_MAX];
        int rc;

        for (size_t i = 0; i < call->n; i++)
                rows[i] = poll_row(&call->cases[i]);
        rc = green__os_poll(rows, call->n);
        for (size_t i = 0; i < call->n; i++) {
                size_t k = nth(call, i);
                struct green_select_case *c = &call->cases[k];
                bool won = is_fd(c) ? rc != 0 || polled(c, rows[k].revents) : others && try_case(c);

                if (!won)
                        continue;
                if (is_fd(c) && rc != 0)
                        c->result = rc;
                *ret_index = k;
                return true;
        }
        return false;
}

/* It is a descriptor's turn, and another case could be done at once: is the descriptor ready too? */
static NOINLINE bool
fd_before_others(const struct call *call)
{
        struct green_select_case *c = &call->cases[call->start];
        struct pollfd row = poll_row(c);
        size_t i = 0;

        while (i < call->n && !is_ready(&call->cases[i]))
                i++;
        return i < call->n && green__os_poll(&row, 1) == 0 && polled(c, row.revents);
}

/*
 * A descriptor is ready. Back ends tell the same one first each time, so where there are several, all are asked whose
 * turn it is.
 */
static size_t
fd_in_turn(const struct call *call, size_t index)
{
        call->cases[index].result = 0;
        if (call->fds > 1)
                (void)poll_all(call, false, &index);
        return index;
}

/* Arm those of descriptors. True: one has won, which needs no wait, and none is armed. */
static bool
arm(const struct call *call, struct green_wait *waits, size_t *ret_index)
{
        for (size_t i = 0; i < call->n; i++) {
                size_t k = nth(call, i);
                struct green_select_case *c = &call->cases[k];
                int rc;

                if (!is_fd(c))
                        continue;
                rc = green_wait_fd(&waits[k], c->fd, c->op == GREEN_SELECT_READ ? GREEN_READ : GREEN_WRITE);
                if (green__likely(rc == 0))
                        continue;
                (void)!green_park_any(waits, call->n, 0, NULL); /* lets go of those before */
                c->result = rc;
                *ret_index = rc > 0 ? fd_in_turn(call, k) : k;
                return true;
        }
        return false;
}

/* ---- the wait */

static struct green_waitq *
queue_of(const struct green_select_case *c)
{
        switch (c->op) {
        case GREEN_SELECT_GET:
                return &((green_queue *)c->object)->getters;
        case GREEN_SELECT_PUT:
                return &((green_queue *)c->object)->putters;
        case GREEN_SELECT_EVENT:
                return green__event_waiters(c->object);
        case GREEN_SELECT_ACQUIRE:
                return green__semaphore_waiters(c->object);
        default:
                return NULL;
        }
}

static inline int
wait_with(struct green_wait *waits, const struct call *call, double timeout, size_t *ret_index)
{
        size_t index = SIZE_MAX;
        struct green_select_case *c;
        int rc;

        for (size_t i = 0; i < call->n; i++) {
                waits[i].queue = queue_of(&call->cases[i]);
                waits[i].kind = 0;
                waits[i].value = call->cases[i].value;
        }
        if (call->fds > 0 && arm(call, waits, ret_index))
                return 0;
        rc = green_park_any(waits, call->n, timeout, &index);
        if (index == SIZE_MAX)
                return rc == -EDEADLK && green_getcurrent() == NULL ? green__no_wait("green_select") : rc;
        c = &call->cases[index];
        c->result = rc;
        if ((c->op == GREEN_SELECT_GET || c->op == GREEN_SELECT_EVENT) && rc == 0)
                c->value = waits[index].value;
        *ret_index = is_fd(c) && rc == 0 ? fd_in_turn(call, index) : index;
        return 0;
}

static NOINLINE int
wait_with_few(const struct call *call, double timeout, size_t *ret_index)
{
        struct green_wait waits[FEW];

        return wait_with(waits, call, timeout, ret_index);
}

static NOINLINE int
wait_with_many(const struct call *call, double timeout, size_t *ret_index)
{
        struct green_wait waits[GREEN_SELECT_MAX];

        return wait_with(waits, call, timeout, ret_index);
}

/* Without a wait: true where one has won. */
static inline bool
try_all(const struct call *call, double timeout, size_t *ret_index)
{
        if (green__unlikely(call->fds > 0)) {
                if (timeout == 0)
                        return poll_all(call, true, ret_index);
                if (is_fd(&call->cases[call->start]) && fd_before_others(call)) {
                        *ret_index = call->start;
                        return true;
                }
        }
        return try_range(call->cases, call->start, call->n, ret_index) ||
               try_range(call->cases, 0, call->start, ret_index);
}

int
green_select(struct green_select_case *cases, size_t n, double timeout, size_t *ret_index)
{
        struct call call = {.cases = cases, .n = n};
        uint64_t ident = green_hub_ident();
        int rc;

        if (green__unlikely((cases == NULL && n > 0) || ret_index == NULL || n > GREEN_SELECT_MAX))
                return green__misuse(-EINVAL, "green_select: %s",
                                     n > GREEN_SELECT_MAX ? "too many cases" : "no cases or no ret_index");
        if (green__unlikely(ident == 0))
                return green_last_error()->code; /* there is no hub, and none can be made */
        rc = check_cases(&call, ident);
        if (green__unlikely(rc != 0))
                return rc;
        rc = green_park_check(ident, "a select", timeout, NULL);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "green_select");
        call.start = next_start(n);
        if (try_all(&call, timeout, ret_index))
                return 0;
        if (timeout == 0)
                return -ETIMEDOUT;
        return n <= FEW ? wait_with_few(&call, timeout, ret_index) : wait_with_many(&call, timeout, ret_index);
}
