/*
 * Park and wake: the one way a green thread waits. See <green/park.h>.
 */
#include "debug_calls.h"
#include "fd_priv.h"
#include "sched.h"

static inline void
enqueue(struct green_waitq *q, struct green_wait *w)
{
        w->queue = q;
        w->next = NULL;
        w->prev = q->last;
        if (q->last != NULL)
                q->last->next = w;
        else
                q->first = w;
        q->last = w;
}

static inline void
dequeue(struct green_wait *w)
{
        struct green_waitq *q = w->queue;

        if (w->prev != NULL)
                w->prev->next = w->next;
        else
                q->first = w->next;
        if (w->next != NULL)
                w->next->prev = w->prev;
        else
                q->last = w->prev;
        w->queue = NULL;
        w->next = w->prev = NULL;
}

void
green__wait_enqueue(struct green_waitq *q, struct green_wait *w)
{
        enqueue(q, w);
}

void
green__wait_dequeue(struct green_wait *w)
{
        if (w->queue != NULL)
                dequeue(w);
}

/* Take all nodes of a parked green thread off their queues, and its time limit out of the heap. */
void
green__unwait(green_thread *t)
{
        struct green_wait *w = t->waits;

        for (uint32_t i = 0; i < t->nwaits; i++)
                if (w[i].queue != NULL)
                        dequeue(&w[i]);
        green__heap_drop(&t->hub->heap, &t->timer);
        t->nwaits = 0;
}

/* End the wait of a parked green thread without a hand-over: it failed with a code. */
void
green__withdraw(struct green__hub *h, green_thread *t, int code)
{
        GREEN_DEBUG_ASSERT(t->state == GREEN__PARKED);
        green__unwait(t);
        t->woken = UINT32_MAX;
        t->wake_code = code;
        t->state = GREEN__READY;
        h->wakeups++;
        green__ready(h, t);
}

/* Park the running green thread, whose nodes are in their queues. */
int
green__park_nodes(struct green__hub *h, green_thread *self, double timeout, const void *where)
{
        if (timeout < GREEN_FOREVER) {
                self->timer.kind = GREEN__TIMER_PARK;
                green__heap_add(&h->heap, &self->timer, green__deadline(h, timeout));
                green__calls_keep(h, GREEN__CALLS_TIMERS, &self->timer);
        }
        self->wait_where = where;
        self->wait_since = h->now;
        self->state = GREEN__PARKED;
        green__block(h, self);
        return self->wake_code;
}

/* What every park checks first. 0: go on. */
static inline int
park_check(struct green__hub *h, green_thread *self, double timeout)
{
        if (green__unlikely(!green__time_ok(timeout)))
                return -EINVAL;
        if (timeout == 0)
                return -ETIMEDOUT;
        if (green__unlikely(self == NULL))
                return -EDEADLK;
        if (green__unlikely(self->fired != NULL))
                return green__cancelled(h, self);
        return 0;
}

int
green_park_check(uint64_t ident, const char *what, double timeout, green_thread **ret_self)
{
        struct green__hub *h = green__hub_here;
        green_thread *self;

        if (green__unlikely(h == NULL || h->ident != ident)) {
                int rc = green_hub_check(ident, what);

                return rc != 0 ? rc : -EPERM;
        }
        self = h->current;
        if (green__unlikely(!green__time_ok(timeout)))
                return -EINVAL;
        if (green__unlikely(self != NULL && self->fired != NULL && timeout != 0))
                return green__cancelled(h, self);
        if (ret_self != NULL)
                *ret_self = self;
        return 0;
}

int
green_park(struct green_waitq *q, struct green_wait *w, double timeout)
{
        struct green__hub *h = green__hub_get();
        green_thread *self;
        int rc;

        if (green__unlikely(h == NULL))
                return green__no_hub();
        self = h->current;
        rc = park_check(h, self, timeout);
        if (green__unlikely(rc != 0))
                return rc;
        w->thread = self;
        w->kind = GREEN__WAIT_THREAD;
        enqueue(q, w);
        self->waits = w;
        self->nwaits = 1;
        return green__park_nodes(h, self, timeout, __builtin_return_address(0));
}

/*
 * Nodes that wait for a descriptor keep its number in `user` and the slot's generation in `value`. From green_wait_fd() to
 * the end of green_park_any() they are of their own kind; what wakes does not care.
 */
int
green_wait_fd(struct green_wait *w, green_fd fd, unsigned events)
{
        struct green__hub *h = green__hub_get();
        unsigned shared = events & GREEN_SHARED;
        struct green__slot *s;
        int rc;

        if (h == NULL)
                return green__no_hub();
        events &= ~GREEN_SHARED;
        if ((events != GREEN_READ && events != GREEN_WRITE) || !green__fd_ok(fd))
                return -EINVAL;
        s = green__slot_get(h, fd);
        if (s == NULL)
                return -ENOMEM;
        rc = green__slot_check_free(s, fd, events | shared);
        if (rc == 0)
                rc = green__ahead_leave(h, s, events);
        if (rc == 0)
                rc = green__slot_arm(h, s, fd, events | s->armed, true);
        *w = (struct green_wait){.queue = NULL};
        if (rc != 0)
                return rc == -EPERM ? 1 : rc;
        w->queue = &s->wait[green__direction(events)];
        w->kind = GREEN__WAIT_FD;
        w->user = (unsigned)fd;
        w->value = (void *)(uintptr_t)s->gen;
        return 0;
}

/* A node of green_wait_fd() waits no more, or never did. */
static void
leave_fd(struct green__hub *h, const struct green_wait *w)
{
        green_fd fd = (green_fd)w->user;
        struct green__slot *s = green__slot_peek(h, fd);

        if (s != NULL && s->gen == (uint32_t)(uintptr_t)w->value)
                green__slot_left(h, s, fd);
}

static void
enter_all(struct green__hub *h, green_thread *self, struct green_wait *waits, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct green_wait *w = &waits[i];

                w->thread = self;
                if (w->queue == NULL) {
                        w->kind = GREEN__WAIT_THREAD;
                        continue;
                }
                if (green__unlikely(w->kind == GREEN__WAIT_FD)) {
                        const struct green__slot *s = green__slot_peek(h, (green_fd)w->user);

                        h->io_waits[w->queue == &s->wait[1]]++;
                        w->kind = w->queue == &s->wait[1] ? GREEN__WAIT_FD_WRITE : GREEN__WAIT_FD_READ;
                        green__calls_keep(h, GREEN__CALLS_LISTENERS, w);
                } else {
                        w->kind = GREEN__WAIT_THREAD;
                }
                enqueue(w->queue, w);
        }
        self->waits = waits;
        self->nwaits = (uint32_t)n;
}

/* After the wait; or instead of it, where those made by green_wait_fd() are still of their first kind. */
static void
leave_all(struct green__hub *h, struct green_wait *waits, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct green_wait *w = &waits[i];

                if (green__likely(w->kind < GREEN__WAIT_FD))
                        continue;
                if (w->kind != GREEN__WAIT_FD)
                        h->io_waits[w->kind == GREEN__WAIT_FD_WRITE]--;
                leave_fd(h, w);
                w->kind = GREEN__WAIT_THREAD;
        }
}

int
green_park_any(struct green_wait *waits, size_t n, double timeout, size_t *ret_index)
{
        struct green__hub *h = green__hub_get();
        green_thread *self;
        int rc;

        if (h == NULL)
                return green__no_hub();
        self = h->current;
        if (n >= UINT32_MAX || (waits == NULL && n > 0))
                return -EINVAL;
        rc = park_check(h, self, timeout);
        if (rc != 0) {
                leave_all(h, waits, n);
                return rc;
        }
        enter_all(h, self, waits, n);
        rc = green__park_nodes(h, self, timeout, __builtin_return_address(0));
        leave_all(h, waits, n);
        if (self->woken != UINT32_MAX && ret_index != NULL)
                *ret_index = self->woken;
        return rc;
}

void
green_wake(struct green_wait *w, int code)
{
        green_thread *t = w->thread;
        struct green__hub *h;

        if (w->queue == NULL)
                return;
        if (green__unlikely(w->kind == GREEN__WAIT_WATCH)) {
                green__watch_node_woken(w, code);
                return;
        }
        h = t->hub;
        GREEN_DEBUG_ASSERT(h == green__hub_here);
        t->woken = (uint32_t)(w - t->waits);
        t->wake_code = code;
        if (green__likely(t->nwaits == 1)) {
                dequeue(w);
                t->nwaits = 0;
                green__heap_drop(&h->heap, &t->timer);
        } else {
                green__unwait(t);
        }
        t->state = GREEN__READY;
        h->wakeups++;
        green__ready(h, t);
}

bool
green_wake_one(struct green_waitq *q, void *value)
{
        struct green_wait *w = q->first;

        if (w == NULL)
                return false;
        w->value = value;
        green_wake(w, 0);
        return true;
}

size_t
green_wake_all(struct green_waitq *q, int code)
{
        size_t n = 0;

        while (q->first != NULL) {
                green_wake(q->first, code);
                n++;
        }
        return n;
}
