/*
 * Operations that run ahead: armed once, they bring one piece of data after the other, or the next connection, into an
 * inbox of the green_io, where it waits for whoever receives. See <green/io.h>.
 *
 * Bytes stay in the hub's buffers until they are read. Of these a reader that is slow, or gone, must not hold many:
 * past MARK pieces the operation is ended, and begun anew by the next wait once all was taken. What it brings until it
 * has ended is kept all the same.
 */
#include <stdlib.h>
#include <string.h>

#include "fd_priv.h"
#include "sched.h"

enum {
        MARK = GREEN__PIECES, /* pieces at which a receive is ended */
        NAME_ROOM = 128,      /* of the address of a connection: struct sockaddr_storage */
        STARVED_FOR = 16,     /* receives not begun after a refusal or without buffers, if none is given back before */
        TRIES = 16,           /* looks at the hub without waiting, for the end of an operation */
};

/* In op->core of an operation: NULL for one that a green thread waits for. */
enum { CORE_AHEAD = GREEN__CORE_AHEAD };

static bool
is_receive(const struct green__ahead *a)
{
        return a->op.kind == GREEN_OP_RECV;
}

/* ---- the inbox */

static struct green__piece *
first_piece(const struct green__ahead *a)
{
        return &a->pieces[a->first];
}

/* Let go of what a piece stands for. */
static void
drop_piece(struct green__hub *h, const struct green__ahead *a, const struct green__piece *p)
{
        if (p->copy) {
                green_free(p->buffer);
        } else if (p->buffer != NULL) {
                h->ops->release(h->state, p->buffer);
                h->buffers_out--;
                h->starved = 0;
        } else if (!is_receive(a) && p->result >= 0) {
                (void)green__fd_close((green_fd)p->result);
        }
}

/* The first piece was taken. */
static void
next_piece(struct green__ahead *a)
{
        a->first = (a->first + 1) % a->room;
        a->taken = 0;
        if (--a->count > 0)
                return;
        a->first = 0;
        if (a->pieces != a->few) {
                green_free(a->pieces);
                a->pieces = a->few;
                a->room = GREEN__PIECES;
        }
}

static void
drop_all(struct green__hub *h, struct green__ahead *a)
{
        while (a->count > 0) {
                drop_piece(h, a, first_piece(a));
                next_piece(a);
        }
}

/* Twice the room, for what comes between the mark and the end. */
static bool
grow(struct green__ahead *a)
{
        struct green__piece *pieces = green_malloc(2 * a->room * sizeof(*pieces));

        if (pieces == NULL)
                return false;
        for (uint32_t i = 0; i < a->count; i++)
                pieces[i] = a->pieces[(a->first + i) % a->room];
        if (a->pieces != a->few)
                green_free(a->pieces);
        a->pieces = pieces;
        a->first = 0;
        a->room *= 2;
        return true;
}

/* One more piece. Without memory it is lost, and so is the stream: what comes behind a hole is not to be read. */
static void
put_piece(struct green__hub *h, struct green__ahead *a, struct green__piece p)
{
        if (a->lost || (a->count == a->room && !grow(a))) {
                a->lost = true;
                drop_piece(h, a, &p);
                return;
        }
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): there has been room for some from the start */
        a->pieces[(a->first + a->count) % a->room] = p;
        a->count++;
}

/* ---- its life */

static void
enlist(struct green__hub *h, struct green__ahead *a)
{
        a->next = h->aheads;
        a->at = &h->aheads;
        if (a->next != NULL)
                a->next->at = &a->next;
        h->aheads = a;
}

static void
free_ahead(struct green__ahead *a)
{
        *a->at = a->next;
        if (a->next != NULL)
                a->next->at = a->at;
        if (a->io != NULL)
                a->io->ahead = NULL;
        if (a->pieces != a->few)
                green_free(a->pieces);
        green_free(a);
}

static struct green__ahead *
new_ahead(struct green__hub *h, green_io *io, enum green_op_kind kind)
{
        struct green__ahead *a = green_calloc(1, sizeof(*a) + (kind == GREEN_OP_ACCEPT ? NAME_ROOM : 0));

        if (a == NULL)
                return NULL;
        a->io = io;
        a->op.kind = kind;
        a->pieces = a->few;
        a->room = GREEN__PIECES;
        enlist(h, a);
        io->ahead = a;
        return a;
}

/* The operation has ended. */
static void
ended(struct green__hub *h, struct green__ahead *a)
{
        a->running = a->ending = false;
        h->aheads_running--;
}

/* Ends of an operation that say nothing about the descriptor. */
static bool
says_nothing(int64_t result)
{
        return result == -ECANCELED || result == -ENOBUFS || result == -EINTR || result == -EAGAIN;
}

/* What an operation has brought. */
static void
arrive(struct green__hub *h, struct green__ahead *a, int64_t result, void *buffer)
{
        struct green__piece p = {buffer, result, false};

        if (buffer != NULL)
                h->buffers_out++;
        if (result == -ENOBUFS)
                h->starved = STARVED_FOR;
        /* An end of the stream has no bytes, whatever came along. */
        if (buffer != NULL && result <= 0) {
                drop_piece(h, a, &p);
                p.buffer = NULL;
        }
        if (a->io == NULL)
                drop_piece(h, a, &p);
        else if (!says_nothing(result))
                put_piece(h, a, p);
}

static void
ask_end(struct green__hub *h, struct green__ahead *a)
{
        if (!a->running || a->ending)
                return;
        a->ending = true;
        if (green__op_reported(h, &a->op) || h->ops->cancel(h->state, &a->op) != 0)
                return;
        ended(h, a);
        arrive(h, a, a->op.options & GREEN_OP_MULTISHOT ? -ECANCELED : a->op.result, NULL);
        /* Who waits for it has to wait in another way. */
        if (a->io != NULL)
                green__slot_wake_readers(a->io->slot);
}

void
green__ahead_report(struct green__hub *h, const struct green_hub_event *ev)
{
        struct green__ahead *a = ev->op->core[CORE_AHEAD];
        bool multishot = (a->op.options & GREEN_OP_MULTISHOT) != 0;
        bool more = (ev->events & GREEN_HUB_MORE) != 0;

        if (!more)
                ended(h, a);
        arrive(h, a, multishot ? (int64_t)ev->token : a->op.result, multishot && is_receive(a) ? ev->buffer : NULL);
        if (a->io == NULL) {
                if (!more)
                        free_ahead(a);
                return;
        }
        if (a->count > 0 || !more)
                green__slot_wake_readers(a->io->slot);
        if (a->count >= MARK)
                ask_end(h, a);
}

int
green__ahead_wait(const green_io *io)
{
        const struct green__ahead *a = io->ahead;

        if (a->count > 0 || a->lost)
                return GREEN__AHEAD_HAS;
        return a->running ? GREEN__AHEAD_RUNS : GREEN__AHEAD_NONE;
}

int
green__ahead_stop(struct green__hub *h, const green_io *io)
{
        struct green__ahead *a = io->ahead;

        if (a == NULL)
                return 0;
        ask_end(h, a);
        for (int i = 0; a->running; i++)
                green__pump(h, i < TRIES ? 0 : 1000000);
        return a->count > 0
                       ? green_set_error(-EBUSY, "descriptor %lld: something was received that nobody has read yet",
                                         (long long)io->fd)
                       : 0;
}

int
green__ahead_leave(struct green__hub *h, const struct green__slot *s, unsigned events)
{
        if (green__likely(s->io == NULL || s->io->ahead == NULL) || !(events & GREEN_READ))
                return 0;
        return green__ahead_stop(h, s->io);
}

void
green__ahead_close(struct green__hub *h, green_io *io)
{
        struct green__ahead *a = io->ahead;

        if (a == NULL)
                return;
        drop_all(h, a);
        a->io = NULL;
        io->ahead = NULL;
        ask_end(h, a);
        if (!a->running)
                free_ahead(a);
}

bool
green__aheads_stop(struct green__hub *h)
{
        bool empty = true;

        for (struct green__ahead *a = h->aheads; a != NULL; a = a->next)
                ask_end(h, a);
        for (int i = 0; h->aheads_running > 0; i++)
                green__pump(h, i < TRIES ? 0 : 1000000);
        for (struct green__ahead *a = h->aheads; a != NULL; a = a->next)
                empty = empty && a->count == 0;
        return empty;
}

/* The hub is about to end: give everything back, and ask for the end of what runs, which fini() waits for. */
void
green__aheads_give_back(struct green__hub *h)
{
        for (struct green__ahead *a = h->aheads; a != NULL; a = a->next) {
                drop_all(h, a);
                ask_end(h, a);
                drop_all(h, a);
        }
}

void
green__aheads_free(struct green__hub *h)
{
        while (h->aheads != NULL)
                free_ahead(h->aheads);
        h->aheads_running = 0;
}

/* In the child of a fork, while the hub still has the parent's buffers: its own copy of what was not read. */
static void
make_own(struct green__piece *p)
{
        void *copy;

        if (p->copy || p->buffer == NULL)
                return;
        copy = green_malloc((size_t)p->result);
        if (copy != NULL)
                memcpy(copy, p->buffer, (size_t)p->result);
        else
                p->result = -ENOMEM;
        p->buffer = copy;
        p->copy = copy != NULL;
}

void
green__aheads_after_fork(struct green__hub *h)
{
        struct green__ahead *a, *next;

        h->aheads_running = 0;
        h->buffers_out = 0;
        h->starved = 0;
        for (a = h->aheads; a != NULL; a = next) {
                next = a->next;
                a->running = a->ending = false;
                if (a->io == NULL) {
                        free_ahead(a);
                        continue;
                }
                /* A connection is answered by one of the two. */
                if (!is_receive(a))
                        drop_all(h, a);
                for (uint32_t i = 0; i < a->count; i++)
                        make_own(&a->pieces[(a->first + i) % a->room]);
        }
}

/* ---- public */

/* Is it of the caller's hub, and open? */
static int
check(const green_io *io)
{
        if (io == NULL)
                return -EINVAL;
        if (green__hub_here == NULL || io->hub_ident != green__hub_here->ident)
                return -EPERM;
        return io->slot == NULL ? -EBADF : 0;
}

/* Hand the operation to the hub. */
static int
start(struct green__hub *h, struct green__ahead *a, unsigned flags, bool many)
{
        struct green_op *op = &a->op;
        enum green_op_kind kind = op->kind;
        int rc;

        *op = (struct green_op){.kind = kind, .fd = a->io->fd, .flags = flags, .offset = -1};
        op->core[CORE_AHEAD] = a;
        if (many) {
                op->options = GREEN_OP_MULTISHOT;
        } else {
                op->name = a->name;
                op->name_size = NAME_ROOM;
        }
        rc = h->ops->submit(h->state, op);
        if (rc != 0)
                return rc;
        a->running = true;
        h->aheads_running++;
        return 0;
}

int
green_io_run_ahead(green_io *io, enum green_op_kind kind, unsigned flags)
{
        bool many = kind == GREEN_OP_RECV || (flags & GREEN_IO_AHEAD_MANY) != 0;
        unsigned need = GREEN_HUB_CAN_SUBMIT | (many ? GREEN_HUB_CAN_MULTISHOT : 0u);
        int rc = check(io);
        struct green__ahead *a;
        struct green__hub *h;

        if (rc != 0)
                return rc;
        if (kind != GREEN_OP_RECV && kind != GREEN_OP_ACCEPT)
                return -EINVAL;
        a = io->ahead;
        if (a != NULL && a->op.kind != kind)
                return -EINVAL;
        if (green__likely(a != NULL && (a->running || a->count > 0 || a->lost)))
                return 0;
        h = io->hub;
        /* One that calls back could not be looked at from any stack but its own. */
        if ((h->ops->features & need) != need || (h->ops->features & GREEN_HUB_CALLS_BACK))
                return -ENOTSUP;
        if (io->ops[0].first != NULL)
                return -EBUSY;
        if (kind == GREEN_OP_RECV && h->starved > 0) {
                h->starved--;
                return -ENOBUFS;
        }
        if (a == NULL)
                a = new_ahead(h, io, kind);
        if (a == NULL)
                return -ENOMEM;
        rc = start(h, a, flags & ~GREEN_IO_AHEAD_MANY, many);
        if (rc == 0)
                return 0;
        /* Not to be asked again and again by each that waits. */
        if (rc == -ENOTSUP && kind == GREEN_OP_RECV)
                h->starved = STARVED_FOR;
        free_ahead(a);
        return rc;
}

/* Nothing is held: may something come by itself? */
static int
nothing(const struct green__ahead *a)
{
        if (a->lost)
                return -ENOMEM;
        return a->running ? -EAGAIN : -ENODATA;
}

int64_t
green_io_take(green_io *io, void *buf, size_t len, bool peek)
{
        int rc = check(io);
        struct green__ahead *a;
        size_t done = 0;

        if (green__unlikely(rc != 0))
                return rc;
        a = io->ahead;
        if (a == NULL || !is_receive(a))
                return -ENODATA;
        if (a->count == 0)
                return nothing(a);
        if (first_piece(a)->buffer == NULL) {
                rc = (int)first_piece(a)->result;
                if (!peek && len > 0)
                        next_piece(a);
                return rc;
        }
        for (uint32_t i = 0; i < a->count && done < len;) {
                struct green__piece *p = &a->pieces[(a->first + i) % a->room];
                size_t from = i == 0 ? a->taken : 0;
                size_t n = (size_t)p->result - from;

                if (p->buffer == NULL)
                        break;
                if (n > len - done)
                        n = len - done;
                memcpy((char *)buf + done, (const char *)p->buffer + from, n);
                done += n;
                if (peek) {
                        i++;
                } else if (from + n < (size_t)p->result) {
                        a->taken = from + n;
                } else {
                        drop_piece(io->hub, a, p);
                        next_piece(a);
                }
        }
        return (int64_t)done;
}

int64_t
green_io_take_fd(green_io *io, void *name, uint32_t *name_size)
{
        int rc = check(io);
        struct green__ahead *a;
        int64_t result;

        if (rc != 0)
                return rc;
        a = io->ahead;
        if (a == NULL || is_receive(a))
                return -ENODATA;
        if (a->count == 0)
                return nothing(a);
        result = first_piece(a)->result;
        next_piece(a);
        if (result >= 0 && name != NULL && name_size != NULL) {
                bool known = !(a->op.options & GREEN_OP_MULTISHOT);
                uint32_t size = !known ? 0 : a->op.name_size < NAME_ROOM ? a->op.name_size : NAME_ROOM;

                memcpy(name, a->name, size < *name_size ? size : *name_size);
                *name_size = size;
        }
        return result;
}

size_t
green_io_held(const green_io *io)
{
        const struct green__ahead *a;
        size_t n = 0;

        if (check(io) != 0 || io->ahead == NULL)
                return 0;
        a = io->ahead;
        if (!is_receive(a))
                return a->count;
        for (uint32_t i = 0; i < a->count; i++) {
                const struct green__piece *p = &a->pieces[(a->first + i) % a->room];

                n += p->buffer != NULL ? (size_t)p->result : 0;
        }
        return n - a->taken;
}

int
green_io_stop_ahead(green_io *io)
{
        int rc = check(io);

        return rc != 0 ? rc : green__ahead_stop(io->hub, io);
}
