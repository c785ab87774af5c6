/*
 * Waiting for descriptors: green_io, trampoline, operations, close. See <green/io.h> and <green/hubs.h>.
 */
#include "debug_calls.h"
#include "fd_priv.h"
#include "sched.h"

static inline bool
one_direction(unsigned events)
{
        return events == GREEN_READ || events == GREEN_WRITE;
}

/* Park in a slot's queue, whose descriptor is armed. */
static int
park_in_slot(struct green__hub *h, green_thread *self, struct green__slot *s, green_fd fd, unsigned events,
             double timeout, const void *where)
{
        int dir = green__direction(events);
        uint32_t gen = s->gen;
        struct green_wait w;
        int rc;

        w.thread = self;
        w.kind = GREEN__WAIT_THREAD;
        green__wait_enqueue(&s->wait[dir], &w);
        green__calls_keep(h, GREEN__CALLS_LISTENERS, &w);
        self->waits = &w;
        self->nwaits = 1;
        h->io_waits[dir]++;
        rc = green__park_nodes(h, self, timeout, where);
        h->io_waits[dir]--;
        if (green__unlikely(rc != 0) && s->gen == gen)
                green__slot_left(h, s, fd);
        return rc;
}

int
green_trampoline(green_fd fd, unsigned events, double timeout)
{
        struct green__hub *h = green__hub_get();
        unsigned shared = events & GREEN_SHARED;
        struct green__slot *s;
        green_thread *self;
        int rc;

        if (h == NULL)
                return green__no_hub();
        self = h->current;
        events &= ~GREEN_SHARED;
        if (!one_direction(events) || !green__fd_ok(fd) || !green__time_ok(timeout))
                return -EINVAL;
        if (self == NULL)
                return -EDEADLK;
        if (timeout == 0) {
                /* One look, now: what a time limit of 0 means. */
                rc = green__fd_poll(fd, events);
                green__yield(h, self);
                return rc;
        }
        if (self->fired != NULL)
                return green__cancelled(h, self);
        s = green__slot_get(h, fd);
        if (s == NULL)
                return -ENOMEM;
        rc = green__slot_check_free(s, fd, events | shared);
        if (rc == 0)
                rc = green__ahead_leave(h, s, events);
        if (rc == 0)
                rc = green__slot_arm(h, s, fd, events, true);
        if (rc == -EPERM) {
                green__yield(h, self);
                return 0;
        }
        if (rc != 0)
                return rc;
        return park_in_slot(h, self, s, fd, events, timeout, __builtin_return_address(0));
}

static bool
must_tell(const struct green__hub *h, const green_io *io)
{
        return !(h->ops->features & GREEN_HUB_FORGETS_CLOSED) || io == NULL ||
               (io->flags & (GREEN_IO_DUPED | GREEN_IO_KEEP_FD)) ||
               atomic_load_explicit(&green__forked, memory_order_relaxed);
}

/* An owner whose number was taken from it: its calls return -EBADF from now on. */
static void
disown(struct green__slot *s)
{
        if (s->io != NULL) {
                green__ahead_close(s->io->hub, s->io);
                s->io->fd = GREEN_INVALID_FD;
                s->io->slot = NULL;
        }
}

static void
declare_closed(green_fd fd)
{
        struct green__hub *h = green__hub_here;
        struct green__slot *s = h == NULL ? NULL : green__slot_peek(h, fd);

        if (s == NULL)
                return;
        disown(s);
        green__slot_reset(h, s, fd, true);
}

void
green_notify_opened(green_fd fd)
{
        declare_closed(fd);
}

void
green_notify_close(green_fd fd)
{
        declare_closed(fd);
}

green_io *
green_io_open(green_fd fd, unsigned flags)
{
        struct green__hub *h = green__hub_get();
        struct green__slot *s;
        green_io *io;

        if (h == NULL)
                return NULL;
        if (!green__fd_ok(fd) || flags & ~(GREEN_IO_SHARED | GREEN_IO_DUPED | GREEN_IO_KEEP_FD)) {
                green_set_error(-EINVAL, "a negative descriptor, or an unknown flag");
                return NULL;
        }
        s = green__slot_get(h, fd);
        io = s == NULL ? NULL : green_calloc(1, sizeof(*io));
        if (io == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        if (s->io != NULL) {
                green_free(io);
                green_set_error(-EBUSY, "descriptor %lld has an owner already; was it closed behind green-net's back?",
                                (long long)fd);
                return NULL;
        }
        io->hub = h;
        io->hub_ident = h->ident;
        io->slot = s;
        io->fd = fd;
        io->flags = flags;
        io->close_fd = GREEN_INVALID_FD;
        s->io = io;
        return io;
}

green_fd
green_io_fd(const green_io *io)
{
        return io == NULL ? GREEN_INVALID_FD : io->fd;
}

int
green_io_set_flags(green_io *io, unsigned set, unsigned clear)
{
        if (io == NULL || (set | clear) & ~(GREEN_IO_SHARED | GREEN_IO_DUPED))
                return -EINVAL;
        io->flags = (io->flags | set) & ~clear;
        return 0;
}

static inline bool
is_ours(const green_io *io)
{
        return green__hub_here != NULL && io->hub_ident == green__hub_here->ident;
}

/* Is the caller's hub the owner's? An owner that has ended leaves the object to anybody. */
static int
check_owner(const green_io *io)
{
        struct green__hub *h = green__hub_here;

        if (green__likely(is_ours(io)))
                return 0;
        green_log(GREEN_LOG_ERROR, "green-net: descriptor %lld belongs to hub %llu and is used from hub %llu",
                  (long long)io->fd, (unsigned long long)io->hub_ident, (unsigned long long)(h == NULL ? 0 : h->ident));
        return green_set_error(-EPERM, "descriptor %lld belongs to another OS thread", (long long)io->fd);
}

/* What every wait on a green_io checks. 0: go on. */
static inline int
wait_check(green_io *io, double timeout)
{
        int rc;

        if (green__unlikely(io == NULL))
                return -EINVAL;
        rc = check_owner(io);
        if (green__unlikely(rc != 0))
                return rc;
        if (green__unlikely(io->slot == NULL))
                return -EBADF;
        return green__time_ok(timeout) ? 0 : -EINVAL;
}

int
green_io_wait(green_io *io, unsigned events, double timeout)
{
        struct green__hub *h;
        green_thread *self;
        bool arm, raw = false;
        int rc = wait_check(io, timeout);

        if (green__unlikely(rc != 0))
                return rc;
        if (green__unlikely(!one_direction(events)))
                return -EINVAL;
        h = io->hub;
        self = h->current;
        if (timeout == 0)
                return -ETIMEDOUT;
        if (green__unlikely(self == NULL))
                return -EDEADLK;
        if (green__unlikely(self->fired != NULL))
                return green__cancelled(h, self);
        rc = green__slot_check_free(io->slot, io->fd, events);
        if (green__unlikely(rc != 0))
                return rc;
        arm = io->slot->mode != GREEN__SLOT_EDGE;
        if (green__unlikely(io->ahead != NULL) && events == GREEN_READ) {
                int ahead = green__ahead_wait(io);

                if (ahead == GREEN__AHEAD_HAS)
                        return 0;
                /* What an operation has left in the system was an event before. */
                arm = raw = ahead == GREEN__AHEAD_NONE;
        }
        if (green__unlikely(arm)) {
                rc = green__slot_arm(h, io->slot, io->fd, events, raw);
                if (rc == -EPERM) {
                        green__yield(h, self);
                        return 0;
                }
                if (rc != 0)
                        return rc;
        }
        if (green__unlikely(io->slot->missed & events)) {
                io->slot->missed &= (uint8_t)~events;
                return 0;
        }
        return park_in_slot(h, self, io->slot, io->fd, events, timeout, __builtin_return_address(0));
}

bool
green_io_hung_up(const green_io *io)
{
        if (io == NULL || io->slot == NULL || !is_ours(io))
                return true;
        if (io->slot->mode != GREEN__SLOT_EDGE)
                return false;
        return io->slot->hangup || !(io->hub->ops->features & GREEN_HUB_TELLS_HANGUP);
}

bool
green_io_can_submit(const green_io *io)
{
        return io != NULL && io->slot != NULL && is_ours(io) && (io->hub->ops->features & GREEN_HUB_CAN_SUBMIT) != 0;
}

static inline bool
has_ops(const green_io *io)
{
        return io->ops[0].first != NULL || io->ops[1].first != NULL;
}

/* The last operation of one that is closed has ended: the descriptor goes, and the memory if it was freed. */
static void
release_io(green_io *io)
{
        if (has_ops(io))
                return;
        if (io->close_fd != GREEN_INVALID_FD) {
                (void)green__fd_close(io->close_fd);
                io->close_fd = GREEN_INVALID_FD;
        }
        if (io->freed)
                green_free(io);
}

/* Whose place it takes: a reader's or a writer's. */
unsigned
green__op_events(const struct green_op *op)
{
        switch (op->kind) {
        case GREEN_OP_WRITE:
        case GREEN_OP_SEND:
        case GREEN_OP_CONNECT:
                return GREEN_WRITE;
        case GREEN_OP_POLL:
                return op->flags & GREEN_READ ? GREEN_READ : GREEN_WRITE;
        default:
                return GREEN_READ;
        }
}

/* Must it wait for those before it? One at a position of its own is in nobody's way, and neither is one that only
 * looks. */
static bool
op_takes_turns(const struct green_op *op)
{
        return op->kind != GREEN_OP_POLL &&
               !((op->kind == GREEN_OP_READ || op->kind == GREEN_OP_WRITE) && op->offset >= 0);
}

/*
 * Operations keep in op->core: their waiter's node, their green_io, and whether the hub has them. Of those that take
 * turns the hub has the first one only, so that they are served in order, whatever the hub's is; the others are in the
 * queue.
 */
enum { CORE_NODE, CORE_IO, CORE_HAS }; /* and GREEN__CORE_AHEAD is NULL */

static int
op_submit(struct green__hub *h, struct green_op *op)
{
        int rc = h->ops->submit(h->state, op);

        if (rc == 0)
                op->core[CORE_HAS] = op;
        return rc;
}

static void
op_end(struct green__hub *h, struct green_op *op)
{
        h->ops_count--;
        green_wake(op->core[CORE_NODE], 0);
}

/* The turn of the next one. Those that the hub refuses have ended. */
static void
next_turn(struct green__hub *h, green_io *io, int dir)
{
        struct green_wait *node;

        for (node = io->ops[dir].first; node != NULL; node = io->ops[dir].first) {
                struct green_op *op = node->thread->op;
                int rc;

                if (op->core[CORE_HAS] != NULL || !op_takes_turns(op))
                        return;
                rc = op_submit(h, op);
                if (rc == 0)
                        return;
                op->result = rc;
                op_end(h, op);
        }
}

void
green__io_op_done(struct green__hub *h, struct green_op *op)
{
        green_io *io = op->core[CORE_IO];

        op_end(h, op);
        /* Here and not in its green thread: from now on the object may be freed before that one runs. */
        if (io->slot == NULL)
                release_io(io);
        else
                next_turn(h, io, green__direction(green__op_events(op)));
}

/* Its green thread is freed unrun, after the hub has dropped the operation. */
void
green__op_forget(green_thread *t)
{
        green_io *io = t->op->core[CORE_IO];

        t->op = NULL;
        if (io->slot == NULL)
                release_io(io);
}

/* Ask for the end of a parked green thread's operation, for a reason. The first reason stays. */
void
green__op_cancel(struct green__hub *h, green_thread *t, int code)
{
        struct green_op *op = t->op;

        if (t->op_code != 0)
                return;
        t->op_code = code;
        if (op->core[CORE_HAS] == NULL) {
                op->result = -ECANCELED;
        } else if (h->ops->cancel(h->state, op) != 0) {
                green__must_step(h);
                return;
        }
        green__io_op_done(h, op);
}

/* What an operation's end means to its caller. */
static int64_t
op_outcome(green_thread *self, const struct green_op *op)
{
        if (op->result != -ECANCELED || self->op_code == 0)
                return op->result;
        if (self->op_scope != NULL)
                self->op_scope->failed = true;
        return self->op_code;
}

/* Hand it to the hub, or put it behind those before it. 0, or why not. */
static int
op_start(struct green__hub *h, green_io *io, struct green_op *op, struct green_wait *w)
{
        bool takes_turns = op_takes_turns(op);
        int rc = takes_turns ? green__slot_check_free(io->slot, io->fd, green__op_events(op)) : 0;

        if (rc == 0 && green__op_events(op) == GREEN_READ)
                rc = green__ahead_stop(h, io);
        if (rc != 0)
                return rc;
        op->fd = io->fd;
        for (size_t i = 0; i < sizeof(op->core) / sizeof(op->core[0]); i++)
                op->core[i] = NULL;
        for (size_t i = 0; i < sizeof(op->space) / sizeof(op->space[0]); i++)
                op->space[i] = 0;
        op->core[CORE_NODE] = w;
        op->core[CORE_IO] = io;
        if (takes_turns && io->ops[green__direction(green__op_events(op))].first != NULL)
                return 0;
        return op_submit(h, op);
}

int64_t
green_io_submit(green_io *io, struct green_op *op, double timeout)
{
        struct green__hub *h;
        struct green_wait w;
        green_thread *self;
        int rc = wait_check(io, timeout);
        int dir;

        if (rc != 0)
                return rc;
        h = io->hub;
        self = h->current;
        if (op == NULL)
                return -EINVAL;
        if (self == NULL)
                return -EDEADLK;
        if (!(h->ops->features & GREEN_HUB_CAN_SUBMIT))
                return -ENOTSUP;
        if (self->fired != NULL && timeout != 0)
                return green__cancelled(h, self);
        rc = op_start(h, io, op, &w);
        if (rc != 0)
                return rc;
        dir = green__direction(green__op_events(op));
        h->ops_count++;
        h->io_waits[dir]++;
        w.thread = self;
        w.kind = GREEN__WAIT_THREAD;
        green__wait_enqueue(&io->ops[dir], &w);
        green__calls_keep(h, GREEN__CALLS_LISTENERS, &w);
        self->waits = &w;
        self->nwaits = 1;
        self->op = op;
        self->op_scope = NULL;
        self->op_code = 0;
        (void)green__park_nodes(h, self, timeout, __builtin_return_address(0));
        self->op = NULL;
        h->io_waits[dir]--;
        return op_outcome(self, op);
}

static void
cancel_ops(struct green__hub *h, struct green_waitq *q)
{
        struct green_wait *node, *next;

        for (node = q->first; node != NULL; node = next) {
                next = node->next;
                green__op_cancel(h, node->thread, -ECANCELED);
        }
}

/* Close without freeing: the slot is free at once, the descriptor when the last operation has ended. */
static int
close_io(struct green__hub *h, green_io *io, bool keep_fd)
{
        struct green__slot *s = io->slot;
        green_fd fd = io->fd;
        bool close_fd = !keep_fd && !(io->flags & GREEN_IO_KEEP_FD);

        green__ahead_close(h, io);
        io->fd = GREEN_INVALID_FD;
        io->slot = NULL;
        green__slot_reset(h, s, fd, keep_fd || must_tell(h, io));
        cancel_ops(h, &io->ops[0]);
        cancel_ops(h, &io->ops[1]);
        if (!close_fd)
                return 0;
        if (has_ops(io)) {
                io->close_fd = fd;
                return 0;
        }
        return green__fd_close(fd);
}

/* Close an object whose hub has ended: only the descriptor is left of it. */
static int
close_orphan(green_io *io)
{
        green_fd fd = io->fd;

        io->fd = GREEN_INVALID_FD;
        io->slot = NULL;
        if (fd == GREEN_INVALID_FD || io->flags & GREEN_IO_KEEP_FD)
                return 0;
        return green__fd_close(fd);
}

int
green_io_cancel(green_io *io)
{
        if (io == NULL || io->slot == NULL || !green__hub_lives(io->hub_ident))
                return 0;
        if (check_owner(io) != 0)
                return -EPERM;
        green__slot_cancel(io->hub, io->slot, io->fd);
        cancel_ops(io->hub, &io->ops[0]);
        cancel_ops(io->hub, &io->ops[1]);
        return 0;
}

int
green_io_close(green_io *io)
{
        if (io == NULL || io->slot == NULL)
                return 0;
        if (!green__hub_lives(io->hub_ident))
                return close_orphan(io);
        if (check_owner(io) != 0)
                return -EPERM;
        return close_io(io->hub, io, false);
}

int
green_io_detach(green_io *io, green_fd *ret_fd)
{
        green_fd fd;
        int rc;

        if (io == NULL || ret_fd == NULL)
                return -EINVAL;
        rc = check_owner(io);
        if (rc != 0)
                return rc;
        if (io->slot == NULL)
                return -EBADF;
        if (io->slot->wait[0].first != NULL || io->slot->wait[1].first != NULL || has_ops(io))
                return -EBUSY;
        rc = green__ahead_stop(io->hub, io);
        if (rc != 0)
                return rc;
        fd = io->fd;
        close_io(io->hub, io, true);
        *ret_fd = fd;
        return 0;
}

int
green_io_free(green_io *io)
{
        int rc;

        if (io == NULL)
                return 0;
        if (io->slot != NULL && green__hub_lives(io->hub_ident)) {
                if (io->hub_ident != (green__hub_here == NULL ? 0 : green__hub_here->ident))
                        return check_owner(io);
                if (io->slot->wait[0].first != NULL || io->slot->wait[1].first != NULL || has_ops(io))
                        return -EBUSY;
        }
        rc = green_io_close(io);
        if (rc == -EPERM)
                return rc;
        io->freed = true;
        release_io(io);
        return 0;
}
