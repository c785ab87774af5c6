/*
 * Watches: callbacks in hub context without a green thread. See <green/watch.h>.
 */
#include "debug_calls.h"
#include "fd_priv.h"
#include "sched.h"

enum { STOPPED, STARTED, QUEUED };

static struct green__watch *
inside(const struct green_watch *w)
{
        return (struct green__watch *)(uintptr_t)w;
}

void
green_watch_init(struct green_watch *w, green_watch_fn fn, void *arg)
{
        *inside(w) = (struct green__watch){.fn = fn, .arg = arg, .fd = GREEN_INVALID_FD};
}

static void
enlist(struct green__watch_list *list, struct green__watch *w)
{
        w->next = NULL;
        w->prev = list->last;
        if (list->last != NULL)
                list->last->next = w;
        else
                list->first = w;
        list->last = w;
}

static void
delist(struct green__watch_list *list, struct green__watch *w)
{
        if (w->prev != NULL)
                w->prev->next = w->next;
        else
                list->first = w->next;
        if (w->next != NULL)
                w->next->prev = w->prev;
        else
                list->last = w->prev;
}

/*
 * Time limits of watches begin when the hub next looks at the clock, which is not before they were set: most are taken
 * back before that, and reading the clock or the cycle counter costs more than all the rest.
 */
static void
limit_set(struct green__hub *h, struct green__watch *w, double seconds)
{
        w->seconds = seconds;
        w->fresh = true;
        h->fresh_count++;
        enlist(&h->fresh, w);
        green__calls_keep(h, GREEN__CALLS_TIMERS, &w->timer);
}

static void
limit_drop(struct green__hub *h, struct green__watch *w)
{
        if (w->fresh) {
                delist(&h->fresh, w);
                h->fresh_count--;
                w->fresh = false;
        } else {
                green__heap_drop(&h->heap, &w->timer);
        }
}

/* The hub is about to look at its deadlines: those that were set since it did come to the others. */
void
green__watches_begin(struct green__hub *h)
{
        struct green__watch *w;

        while ((w = h->fresh.first) != NULL) {
                limit_drop(h, w);
                green__heap_add(&h->heap, &w->timer, green__deadline(h, w->seconds));
        }
}

/* Leave the slot's queues and the heap. */
static void
leave(struct green__watch *w)
{
        struct green__hub *h = w->hub;

        GREEN_DEBUG_ASSERT(h != NULL);
        for (int dir = 0; dir < 2; dir++) {
                if (w->wait[dir].queue == NULL)
                        continue;
                green__wait_dequeue(&w->wait[dir]);
                h->io_waits[dir]--;
        }
        limit_drop(h, w);
        green__heap_unpromise(&h->heap, 1);
}

static void
call_enqueue(struct green__hub *h, struct green__watch *w)
{
        enlist(&h->watches, w);
        h->watches_queued++;
}

static void
call_dequeue(struct green__hub *h, struct green__watch *w)
{
        delist(&h->watches, w);
        h->watches_queued--;
}

/* It has something to tell: queue its call. */
void
green__watch_fire(struct green__watch *w, int result)
{
        struct green__hub *h = w->hub;
        struct green__slot *s = w->slot;

        leave(w);
        w->slot = NULL;
        w->result = result;
        w->active = QUEUED;
        call_enqueue(h, w);
        if (s != NULL && result == -ETIMEDOUT)
                green__slot_left(h, s, w->fd);
        if (h->embedded && !h->in_step)
                green__notify(h);
}

/* Somebody used green_wake() on a watch's node. */
void
green__watch_node_woken(struct green_wait *node, int code)
{
        struct green__watch *w = node->value;

        green__watch_fire(w, code < 0 ? code : w->events);
}

/* On the hub stack: call it. It is stopped by then, so it may be started again or freed in the call. */
void
green__watch_call(struct green__hub *h, struct green__watch *w)
{
        call_dequeue(h, w);
        w->active = STOPPED;
        w->hub = NULL;
        w->fn((struct green_watch *)w, w->result, w->arg);
}

static void
enter_slot(struct green__hub *h, struct green__watch *w, struct green__slot *s, green_fd fd, unsigned events)
{
        w->slot = s;
        w->fd = fd;
        for (int dir = 0; dir < 2; dir++) {
                unsigned event = dir == 0 ? GREEN_READ : GREEN_WRITE;

                w->wait[dir] = (struct green_wait){.value = w, .kind = GREEN__WAIT_WATCH};
                if (!(events & event))
                        continue;
                green__wait_enqueue(&s->wait[dir], &w->wait[dir]);
                green__calls_keep(h, GREEN__CALLS_LISTENERS, &w->wait[dir]);
                h->io_waits[dir]++;
        }
}

/* To read on a green_io whose inbox has something, or gets it from an operation, is no matter of the hub's. */
static int
arm_ahead(struct green__hub *h, struct green__slot *s, green_fd fd, unsigned events)
{
        int ahead = events & GREEN_READ ? green__ahead_wait(s->io) : GREEN__AHEAD_NONE;

        if (ahead == GREEN__AHEAD_HAS)
                return GREEN_READ;
        if (ahead == GREEN__AHEAD_RUNS)
                events &= ~(unsigned)GREEN_READ;
        return events == 0 ? 0 : green__slot_arm(h, s, fd, events, true);
}

/* Checks and arms a descriptor. More than 0: what it is ready for now. */
static int
arm(struct green__hub *h, struct green__slot *s, green_fd fd, unsigned events, bool raw)
{
        int rc = 0;

        if (events & GREEN_READ)
                rc = green__slot_check_free(s, fd, GREEN_READ);
        if (rc == 0 && events & GREEN_WRITE)
                rc = green__slot_check_free(s, fd, GREEN_WRITE);
        if (rc == 0 && raw)
                rc = green__ahead_leave(h, s, events);
        if (rc == 0 && !raw && s->io->ahead != NULL)
                rc = arm_ahead(h, s, fd, events);
        else if (rc == 0)
                rc = green__slot_arm(h, s, fd, events, raw);
        return rc == -EPERM ? (int)events : rc;
}

static int
start(struct green__hub *h, struct green__watch *w, struct green__slot *s, green_fd fd, unsigned events, double timeout,
      bool raw)
{
        unsigned ready = 0;
        int rc;

        if (w->fn == NULL || !green__time_ok(timeout) || (s == NULL && timeout >= GREEN_FOREVER))
                return -EINVAL;
        if (w->active != STOPPED)
                return -EBUSY;
        rc = green__heap_promise(&h->heap, 1);
        if (rc != 0)
                return rc;
        if (s != NULL) {
                rc = arm(h, s, fd, events, raw);
                if (rc < 0) {
                        green__heap_unpromise(&h->heap, 1);
                        return rc;
                }
                ready = (unsigned)rc;
        }
        w->hub = h;
        w->slot = NULL;
        w->events = (uint8_t)events;
        w->active = STARTED;
        w->timer = (struct green__timer){.kind = GREEN__TIMER_WATCH};
        w->fresh = false;
        w->wait[0].queue = w->wait[1].queue = NULL;
        if (s != NULL && ready == 0) {
                ready = raw ? 0 : s->missed & events;
                s->missed &= (uint8_t)~ready;
                enter_slot(h, w, s, fd, events);
        }
        if (ready != 0)
                green__watch_fire(w, (int)ready);
        else if (timeout < GREEN_FOREVER)
                limit_set(h, w, timeout);
        green__must_step(h);
        return 0;
}

int
green_watch_start(struct green_watch *watch, green_fd fd, unsigned events, double timeout)
{
        struct green__hub *h = green__hub_get();
        struct green__slot *s = NULL;

        if (h == NULL)
                return green__no_hub();
        if (watch == NULL || events & ~(GREEN_READ | GREEN_WRITE))
                return -EINVAL;
        if (fd == GREEN_INVALID_FD ? events != 0 : (!green__fd_ok(fd) || events == 0))
                return -EINVAL;
        if (fd != GREEN_INVALID_FD) {
                s = green__slot_get(h, fd);
                if (s == NULL)
                        return -ENOMEM;
        }
        return start(h, inside(watch), s, fd, events, timeout, true);
}

int
green_watch_start_io(struct green_watch *watch, green_io *io, unsigned events, double timeout)
{
        struct green__hub *h = green__hub_get();

        if (h == NULL)
                return green__no_hub();
        if (watch == NULL || io == NULL || events == 0 || events & ~(GREEN_READ | GREEN_WRITE))
                return -EINVAL;
        if (io->slot == NULL)
                return -EBADF;
        if (io->hub != h)
                return green_set_error(-EPERM, "descriptor %lld belongs to another OS thread", (long long)io->fd);
        return start(h, inside(watch), io->slot, io->fd, events, timeout, false);
}

bool
green_watch_stop(struct green_watch *watch)
{
        struct green__watch *w = inside(watch);
        struct green__hub *h = w->hub;

        if (w->active == STOPPED)
                return false;
        if (w->active == QUEUED) {
                call_dequeue(h, w);
        } else {
                leave(w);
                if (w->slot != NULL)
                        green__slot_left(h, w->slot, w->fd);
        }
        w->active = STOPPED;
        w->slot = NULL;
        w->hub = NULL;
        return true;
}

bool
green_watch_active(const struct green_watch *watch)
{
        return inside(watch)->active != STOPPED;
}

/* Stop one without a word to the back end. */
static void
forget(struct green__watch *w)
{
        if (w->active == QUEUED)
                call_dequeue(w->hub, w);
        else
                leave(w);
        w->active = STOPPED;
        w->slot = NULL;
        w->hub = NULL;
}

static void
forget_in(struct green_waitq *q)
{
        struct green_wait *node, *next;

        for (node = q->first; node != NULL; node = next) {
                next = node->next;
                if (node->kind == GREEN__WAIT_WATCH)
                        forget(node->value);
        }
}

/* The hub ends: every watch is stopped, and may be started in another. */
void
green__watches_forget(struct green__hub *h)
{
        while (h->watches.first != NULL)
                forget(h->watches.first);
        while (h->fresh.first != NULL)
                forget(h->fresh.first);
        for (size_t c = 0; c < h->nchunks; c++) {
                for (size_t i = 0; h->chunks[c] != NULL && i < GREEN__SLOT_CHUNK; i++) {
                        forget_in(&h->chunks[c][i].wait[0]);
                        forget_in(&h->chunks[c][i].wait[1]);
                }
        }
        /* From the end: what moves into a freed place was looked at, or is looked at again. */
        for (uint32_t i = h->heap.count; i > 0;) {
                struct green__timer *timer = green__heap_timer(&h->heap, i - 1);

                if (timer->kind == GREEN__TIMER_WATCH)
                        forget(green__container_of(timer, struct green__watch, timer));
                else
                        i--;
                if (i > h->heap.count)
                        i = h->heap.count;
        }
}

bool
green_watch_waits(const struct green_watch *w)
{
        return w != NULL && inside(w)->active == STARTED;
}
