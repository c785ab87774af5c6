/*
 * Slots: what core knows of each descriptor number, and what of it the hub was told.
 *
 * Three ways to be registered. EDGE: a green_io, told once, both directions, for good. ONESHOT: raw descriptors, armed
 * anew at each wait, silent in between. LEVEL: hubs that can do neither; there the interest follows the waiters.
 * The token of an event carries the slot's generation, so what was meant for an older owner of the number is dropped.
 */
#include <stdio.h>
#include <string.h>

#include "fd_priv.h"
#include "sched.h"

enum { BOTH = GREEN_READ | GREEN_WRITE };

struct green__slot *
green__slot_peek(struct green__hub *h, green_fd fd)
{
        size_t chunk = green__fd_place(fd) / GREEN__SLOT_CHUNK;

        if (!green__fd_ok(fd) || chunk >= h->nchunks || h->chunks[chunk] == NULL)
                return NULL;
        return &h->chunks[chunk][green__fd_place(fd) % GREEN__SLOT_CHUNK];
}

/* The slot of a number that is 0 or more; made if there is none. NULL where memory ran out. */
struct green__slot *
green__slot_get(struct green__hub *h, green_fd fd)
{
        size_t chunk = green__fd_place(fd) / GREEN__SLOT_CHUNK;

        if (green__unlikely(chunk >= h->nchunks)) {
                size_t n = chunk + 1 < 2 * h->nchunks ? 2 * h->nchunks : chunk + 1;
                struct green__slot **chunks = green_realloc(h->chunks, n * sizeof(struct green__slot *));

                if (chunks == NULL)
                        return NULL;
                memset(chunks + h->nchunks, 0, (n - h->nchunks) * sizeof(struct green__slot *));
                h->chunks = chunks;
                h->nchunks = n;
        }
        if (green__unlikely(h->chunks[chunk] == NULL)) {
                h->chunks[chunk] = green_calloc(GREEN__SLOT_CHUNK, sizeof(struct green__slot));
                if (h->chunks[chunk] == NULL)
                        return NULL;
        }
        return &h->chunks[chunk][green__fd_place(fd) % GREEN__SLOT_CHUNK];
}

static inline uint64_t
token(const struct green__slot *s, green_fd fd)
{
        return (uint64_t)s->gen << 32 | (uint32_t)fd;
}

/* Directions that somebody waits for. */
static unsigned
wanted(const struct green__slot *s)
{
        return (s->wait[0].first != NULL ? GREEN_READ : 0) | (s->wait[1].first != NULL ? GREEN_WRITE : 0);
}

static unsigned
mode_for(const struct green__hub *h, const struct green__slot *s)
{
        if (s->mode == GREEN__SLOT_EDGE || (s->io != NULL && (h->ops->features & GREEN_HUB_CAN_EDGE)))
                return GREEN__SLOT_EDGE;
        return h->ops->features & GREEN_HUB_CAN_ONESHOT ? GREEN__SLOT_ONESHOT : GREEN__SLOT_LEVEL;
}

/* Tell the hub, whether or not it knows the descriptor. */
static int
tell(struct green__hub *h, struct green__slot *s, green_fd fd, unsigned interest)
{
        bool known = s->mode != GREEN__SLOT_NONE;
        int rc = known ? h->ops->modify(h->state, fd, interest, token(s, fd))
                       : h->ops->add(h->state, fd, interest, token(s, fd));

        /* The number may have changed hands behind our back. */
        if (known && rc == -ENOENT)
                rc = h->ops->add(h->state, fd, interest, token(s, fd));
        else if (!known && rc == -EEXIST)
                rc = h->ops->modify(h->state, fd, interest, token(s, fd));
        return rc;
}

/*
 * Have the hub report events. raw: nobody has just tried the system call, so a registration that is there must be
 * looked at anew. -EPERM: of a kind that is always ready.
 */
int
green__slot_arm(struct green__hub *h, struct green__slot *s, green_fd fd, unsigned events, bool raw)
{
        static const unsigned bits[] = {
                [GREEN__SLOT_EDGE] = GREEN_HUB_EDGE, [GREEN__SLOT_ONESHOT] = GREEN_HUB_ONESHOT, [GREEN__SLOT_LEVEL] = 0};
        unsigned mode = mode_for(h, s);
        unsigned armed;
        int rc;

        if (s->mode == mode && mode == GREEN__SLOT_EDGE && !raw)
                return 0;
        armed = mode == GREEN__SLOT_EDGE ? BOTH : (events | wanted(s));
        if (s->mode == mode && mode != GREEN__SLOT_EDGE && (s->armed & armed) == armed && !raw)
                return 0;
        rc = tell(h, s, fd, armed | bits[mode]);
        if (rc != 0) {
                s->mode = GREEN__SLOT_NONE;
                s->armed = 0;
                return rc;
        }
        s->mode = (uint8_t)mode;
        s->armed = (uint8_t)armed;
        return 0;
}

static void
untell(struct green__hub *h, struct green__slot *s, green_fd fd)
{
        if (s->mode != GREEN__SLOT_NONE)
                (void)h->ops->remove(h->state, fd);
        s->mode = GREEN__SLOT_NONE;
        s->armed = 0;
}

/* Make the hub's interest agree with those who still wait, after one has gone. */
static void
settle(struct green__hub *h, struct green__slot *s, green_fd fd)
{
        unsigned want = wanted(s);

        if (s->mode == GREEN__SLOT_NONE || s->mode == GREEN__SLOT_EDGE)
                return;
        if (want == 0) {
                /* A one-shot registration that has reported is silent: it may stay for the next wait. */
                if (s->mode == GREEN__SLOT_LEVEL || s->armed != 0)
                        untell(h, s, fd);
        } else if (s->mode == GREEN__SLOT_LEVEL ? s->armed != want : (s->armed & want) != want) {
                if (tell(h, s, fd, want | (s->mode == GREEN__SLOT_ONESHOT ? GREEN_HUB_ONESHOT : 0)) == 0)
                        s->armed = (uint8_t)want;
        }
}

/* A waiter has gone without an event: killed, timed out, stopped. */
void
green__slot_left(struct green__hub *h, struct green__slot *s, green_fd fd)
{
        settle(h, s, fd);
}

/* Wake those who wait in a direction. Edge-triggered there is no second event, so all of them must try. */
static void
wake(struct green__slot *s, unsigned event, unsigned bits, bool all)
{
        struct green_waitq *q = &s->wait[green__direction(event)];

        if (q->first == NULL && all)
                s->missed |= (uint8_t)event;
        while (q->first != NULL) {
                struct green_wait *node = q->first;

                if (node->kind == GREEN__WAIT_WATCH) {
                        struct green__watch *w = node->value;

                        green__watch_fire(w, (int)(bits & w->events));
                } else {
                        green_wake(node, 0);
                }
                if (!all)
                        break;
        }
}

/* Those who wait to read look for it in the inbox. */
void
green__slot_wake_readers(struct green__slot *s)
{
        if (s->wait[0].first != NULL)
                wake(s, GREEN_READ, GREEN_READ, true);
}

void
green__io_event(struct green__hub *h, const struct green_hub_event *ev)
{
        green_fd fd = (green_fd)(uint32_t)ev->token;
        struct green__slot *s = green__slot_peek(h, fd);
        unsigned bits = ev->events & BOTH;
        bool edge;

        if (ev->events & GREEN_HUB_ERROR)
                bits = BOTH;
        if (s == NULL || s->gen != (uint32_t)(ev->token >> 32) || s->mode == GREEN__SLOT_NONE)
                return;
        if (ev->events & GREEN_HUB_HANGUP)
                s->hangup = true;
        edge = s->mode == GREEN__SLOT_EDGE;
        if (s->mode == GREEN__SLOT_ONESHOT)
                s->armed = 0;
        if (bits & GREEN_READ)
                wake(s, GREEN_READ, bits, edge);
        if (bits & GREEN_WRITE)
                wake(s, GREEN_WRITE, bits, edge);
        settle(h, s, fd);
}

static void
describe_waiter(const struct green_wait *node, char *text, size_t len)
{
        if (node->kind == GREEN__WAIT_WATCH)
                snprintf(text, len, "a watch");
        else
                snprintf(text, len, "green thread %llu %s(spawned at %s)", (unsigned long long)node->thread->ident,
                         green_thread_name(node->thread), green_thread_where(node->thread));
}

/* Another one waits for the same already. 0 where that is allowed, or -EBUSY with a message that names both. */
int
green__slot_taken(const struct green__slot *s, green_fd fd, unsigned events, const struct green_wait *other)
{
        green_thread *self = green_getcurrent();
        char first[160];

        if (green__multiple_allowed() || (s->io != NULL && s->io->flags & GREEN_IO_SHARED))
                return 0;
        describe_waiter(other, first, sizeof(first));
        return green_set_error(-EBUSY,
                               "second simultaneous %s on fileno %lld: %s waits already, green thread %llu (spawned at "
                               "%s) came second. Give each descriptor one green thread, or use a pool; "
                               "green_debug_hub_prevent_multiple_readers(false) or GREEN_IO_SHARED allow it",
                               events == GREEN_READ ? "read" : "write", (long long)fd, first,
                               (unsigned long long)green_thread_ident(self), green_thread_where(self));
}

static void
cancel_all(struct green_waitq *q)
{
        while (q->first != NULL) {
                struct green_wait *node = q->first;

                if (node->kind == GREEN__WAIT_WATCH)
                        green__watch_fire(node->value, -ECANCELED);
                else
                        green_wake(node, -ECANCELED);
        }
}

/* Its waiters get -ECANCELED, and it stays as it is. */
void
green__slot_cancel(struct green__hub *h, struct green__slot *s, green_fd fd)
{
        cancel_all(&s->wait[0]);
        cancel_all(&s->wait[1]);
        settle(h, s, fd);
}

/*
 * The number's file is going, or gone: its waiters get -ECANCELED. told: the hub must hear of it, since it may not find
 * out by itself.
 */
void
green__slot_reset(struct green__hub *h, struct green__slot *s, green_fd fd, bool told)
{
        cancel_all(&s->wait[0]);
        cancel_all(&s->wait[1]);
        if (told)
                untell(h, s, fd);
        s->mode = GREEN__SLOT_NONE;
        s->armed = 0;
        s->missed = 0;
        s->hangup = false;
        s->gen++;
        s->io = NULL;
}

static size_t
count_waits(const struct green_waitq *q)
{
        size_t n = 0;

        for (const struct green_wait *w = q->first; w != NULL; w = w->next)
                n++;
        return n;
}

/* After a fork, in the child: the hub starts empty, and green threads that waited are gone. Watches go on. */
void
green__slots_after_fork(struct green__hub *h)
{
        h->io_waits[0] = h->io_waits[1] = 0;
        for (size_t c = 0; c < h->nchunks; c++) {
                for (size_t i = 0; h->chunks[c] != NULL && i < GREEN__SLOT_CHUNK; i++) {
                        struct green__slot *s = &h->chunks[c][i];
                        green_fd fd = green__fd_at(c * GREEN__SLOT_CHUNK + i);

                        s->mode = GREEN__SLOT_NONE;
                        s->armed = 0;
                        s->missed = 0;
                        s->hangup = false;
                        h->io_waits[0] += count_waits(&s->wait[0]);
                        h->io_waits[1] += count_waits(&s->wait[1]);
                        if (wanted(s) != 0)
                                (void)green__slot_arm(h, s, fd, wanted(s), true);
                }
        }
}

void
green__slots_free(struct green__hub *h)
{
        for (size_t c = 0; c < h->nchunks; c++)
                green_free(h->chunks[c]);
        green_free(h->chunks);
        h->chunks = NULL;
        h->nchunks = 0;
}
