/*
 * The io_uring hub: operations, and the buffers of multishot receives. See io_uring.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "io_uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Of Linux 6.18: a write that raises no SIGPIPE. */
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

enum {
        /*
         * One wait of core's takes up to 256 reports, and each holds a buffer until its bytes are used: with fewer
         * buffers a hub that keeps up would run out of them. 4 KiB is a page, and more than most of what comes at once;
         * 1 MiB in all, a page of which is memory only once it has been used.
         */
        GREEN__URING_BUFFERS = 256,
        GREEN__URING_BUFFER = 4096,
        GREEN__URING_GROUP = 0,
};

/* What one request moves at most; the kernel's limit. */
#define GREEN__URING_MOST 0x7ffff000u

/* The hub's part of an operation: in op->space, zeroed by core. */
struct green__uring_op {
        struct green__uring_node
                node;      /* in hub->begun until the kernel has it; in hub->cancels for a while after cancel() */
        struct msghdr msg; /* of a receive or send that needs one */
        int64_t bits;      /* of a poll that has found what it looked for, and is being ended; else 0 */
        bool running;      /* the kernel has it */
        bool cancelled;    /* core has asked for its end */
        bool patient;      /* a poll by a multishot request: see green__uring_unasked() */
};

_Static_assert(sizeof(struct green__uring_op) <= sizeof(((struct green_op *)0)->space), "it has room in an operation");
_Static_assert(sizeof(struct green_iovec) == sizeof(struct iovec), "laid out as struct iovec");
_Static_assert(offsetof(struct green_iovec, len) == offsetof(struct iovec, iov_len), "laid out as struct iovec");

static struct green__uring_op *
green__uring_own(struct green_op *op)
{
        return (struct green__uring_op *)(void *)op->space;
}

static struct green_op *
green__uring_op_of(struct green__uring_node *node)
{
        return (struct green_op *)(void *)((char *)node - offsetof(struct green_op, space));
}

/* ---- buffers */

static void
green__uring_buffer_give(struct green__uring_buffers *buffers, unsigned which)
{
        buffers->out[which] = false;
        if (!buffers->registered)
                return;
        io_uring_buf_ring_add(buffers->ring, buffers->bytes + (size_t)which * GREEN__URING_BUFFER, GREEN__URING_BUFFER,
                              (unsigned short)which, io_uring_buf_ring_mask(GREEN__URING_BUFFERS), 0);
        io_uring_buf_ring_advance(buffers->ring, 1);
}

/* One block: the ring, at the beginning of a page, the buffers, and what is known of each. */
static int
green__uring_buffers_alloc(struct green__uring *hub)
{
        struct green__uring_buffers *buffers = &hub->buffers;
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t ring = GREEN__URING_BUFFERS * sizeof(struct io_uring_buf);
        size_t bytes = (size_t)GREEN__URING_BUFFERS * GREEN__URING_BUFFER;

        buffers->memory = hub->config->realloc(NULL, page + ring + bytes + GREEN__URING_BUFFERS * sizeof(bool));
        if (buffers->memory == NULL)
                return -ENOMEM;
        buffers->ring = (void *)(((uintptr_t)buffers->memory + page - 1) / page * page);
        buffers->bytes = (char *)buffers->ring + ring;
        buffers->out = (bool *)(void *)(buffers->bytes + bytes);
        memset(buffers->out, 0, GREEN__URING_BUFFERS * sizeof(bool));
        return 0;
}

/* Before the first multishot receive of a ring: the kernel gets all buffers that core does not have. */
static int
green__uring_buffers_open(struct green__uring *hub)
{
        struct green__uring_buffers *buffers = &hub->buffers;
        struct io_uring_buf_reg reg = {.ring_entries = GREEN__URING_BUFFERS, .bgid = GREEN__URING_GROUP};
        int err;

        if (buffers->registered)
                return 0;
        if (buffers->memory == NULL) {
                err = green__uring_buffers_alloc(hub);
                if (err != 0)
                        return err;
        }
        reg.ring_addr = (uintptr_t)buffers->ring;
        io_uring_buf_ring_init(buffers->ring);
        if (io_uring_register_buf_ring(&hub->ring, &reg, 0) != 0)
                return -ENOTSUP;
        buffers->registered = true;
        for (unsigned i = 0; i < GREEN__URING_BUFFERS; i++) {
                if (!buffers->out[i])
                        green__uring_buffer_give(buffers, i);
        }
        return 0;
}

void
green__uring_release(void *state, void *buffer)
{
        struct green__uring *hub = state;

        green__uring_buffer_give(&hub->buffers,
                                 (unsigned)((size_t)((char *)buffer - hub->buffers.bytes) / GREEN__URING_BUFFER));
}

/* What core held of the buffers it has copied: the next ring gets all of them. */
void
green__uring_buffers_after_fork(struct green__uring *hub)
{
        hub->buffers.registered = false;
        if (hub->buffers.memory != NULL)
                memset(hub->buffers.out, 0, GREEN__URING_BUFFERS * sizeof(bool));
}

void
green__uring_buffers_free(struct green__uring *hub)
{
        if (hub->buffers.registered && hub->ring.ring_fd >= 0)
                (void)io_uring_unregister_buf_ring(&hub->ring, GREEN__URING_GROUP);
        hub->config->free(hub->buffers.memory);
}

/* ---- requests */

/* Whether the kernel knows RWF_NOSIGNAL; found out once a process, by a pipe of our own. */
static bool
green__uring_knows_nosignal(void)
{
        static atomic_int known; /* 1: it does, 2: it does not */
        int fds[2], is = atomic_load(&known);
        char byte = 0;
        struct iovec iov = {&byte, 1};

        if (is == 0 && pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0) {
                is = pwritev2(fds[1], &iov, 1, -1, RWF_NOSIGNAL) == 1 ? 1 : 2;
                atomic_store(&known, is);
                close(fds[0]);
                close(fds[1]);
        }
        return is == 1;
}

/*
 * Files and disks always. What can block, such as pipes, with Linux 6.18 only: before it a write raises SIGPIPE here,
 * and some reads and writes of descriptors that do not block say EAGAIN.
 */
static int
green__uring_can_rw(const struct green_op *op)
{
        struct stat file;

        if (fstat(op->fd, &file) != 0)
                return -errno;
        return S_ISREG(file.st_mode) || S_ISBLK(file.st_mode) || green__uring_knows_nosignal() ? 0 : -ENOTSUP;
}

static void
green__uring_prep_rw(const struct green_op *op, struct io_uring_sqe *sqe)
{
        const struct iovec *iov = (const struct iovec *)(const void *)op->iov;
        uint64_t offset = (uint64_t)op->offset;
        struct stat file;

        if (op->kind == GREEN_OP_READ) {
                io_uring_prep_readv(sqe, op->fd, iov, op->iov_count, offset);
                return;
        }
        io_uring_prep_writev(sqe, op->fd, iov, op->iov_count, offset);
        if (fstat(op->fd, &file) == 0 && !S_ISREG(file.st_mode) && !S_ISBLK(file.st_mode))
                sqe->rw_flags = RWF_NOSIGNAL;
}

static void
green__uring_prep_message(struct green_op *op, struct io_uring_sqe *sqe)
{
        struct msghdr *msg = &green__uring_own(op)->msg;
        bool plain = op->name == NULL && op->iov_count == 1 && op->iov[0].len <= GREEN__URING_MOST;

        msg->msg_name = op->name;
        msg->msg_namelen = op->name_size;
        msg->msg_iov = (struct iovec *)(void *)op->iov;
        msg->msg_iovlen = op->iov_count;
        if (op->options & GREEN_OP_MULTISHOT) {
                io_uring_prep_recv_multishot(sqe, op->fd, NULL, 0, (int)op->flags);
                sqe->flags |= IOSQE_BUFFER_SELECT;
                sqe->buf_group = GREEN__URING_GROUP;
        } else if (op->kind == GREEN_OP_RECV) {
                if (plain)
                        io_uring_prep_recv(sqe, op->fd, op->iov[0].base, op->iov[0].len, (int)op->flags);
                else
                        io_uring_prep_recvmsg(sqe, op->fd, msg, op->flags);
        } else {
                if (plain)
                        io_uring_prep_send(sqe, op->fd, op->iov[0].base, op->iov[0].len, (int)op->flags | MSG_NOSIGNAL);
                else
                        io_uring_prep_sendmsg(sqe, op->fd, msg, op->flags | MSG_NOSIGNAL);
        }
}

static void
green__uring_prep(struct green_op *op, struct io_uring_sqe *sqe)
{
        unsigned mask = green__uring_poll_mask(op->flags);

        switch (op->kind) {
        case GREEN_OP_READ:
        case GREEN_OP_WRITE:
                green__uring_prep_rw(op, sqe);
                break;
        case GREEN_OP_RECV:
        case GREEN_OP_SEND:
                green__uring_prep_message(op, sqe);
                break;
        case GREEN_OP_ACCEPT:
                io_uring_prep_accept(sqe, op->fd, op->name, op->name == NULL ? NULL : &op->name_size, (int)op->flags);
                if (op->options & GREEN_OP_MULTISHOT)
                        sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
                break;
        case GREEN_OP_CONNECT:
                io_uring_prep_connect(sqe, op->fd, op->name, op->name_size);
                break;
        case GREEN_OP_POLL:
                if (green__uring_own(op)->patient)
                        io_uring_prep_poll_multishot(sqe, op->fd, mask);
                else
                        io_uring_prep_poll_add(sqe, op->fd, mask);
                break;
        }
        sqe->user_data = (uintptr_t)op;
}

/* Of a kind, and with options, that this ring can run? */
static int
green__uring_can(struct green__uring *hub, const struct green_op *op)
{
        bool multishot = op->options == GREEN_OP_MULTISHOT;

        if (op->kind < GREEN_OP_READ || op->kind > GREEN_OP_POLL || hub->ring.ring_fd < 0)
                return -ENOTSUP;
        if (op->options != 0 && (!multishot || (op->kind != GREEN_OP_ACCEPT && op->kind != GREEN_OP_RECV)))
                return -ENOTSUP;
        if (op->kind == GREEN_OP_READ || op->kind == GREEN_OP_WRITE)
                return green__uring_can_rw(op);
        if (!multishot || op->kind == GREEN_OP_ACCEPT)
                return 0;
        /* Receives by multishot came with Linux 6.0, as the single issuer did. */
        return hub->flags & IORING_SETUP_SINGLE_ISSUER ? green__uring_buffers_open(hub) : -ENOTSUP;
}

int
green__uring_submit(void *state, struct green_op *op)
{
        struct green__uring *hub = state;
        int err = green__uring_can(hub, op);

        if (err != 0)
                return err;
        hub->counts[op->kind]++;
        green__uring_append(&hub->begun, &green__uring_own(op)->node);
        green__uring_eager(hub);
        return 0;
}

int
green__uring_cancel(void *state, struct green_op *op)
{
        struct green__uring *hub = state;
        struct green__uring_op *own = green__uring_own(op);

        if (!own->running) {
                /* The kernel has not seen it: its descriptor may be closed, and the number be another's, at once. */
                green__uring_unlink(&own->node);
                op->result = -ECANCELED;
                return 0;
        }
        own->cancelled = true;
        if (own->node.next == NULL)
                green__uring_append(&hub->cancels, &own->node);
        green__uring_eager(hub);
        return -EINPROGRESS;
}

void
green__uring_fill_ops(struct green__uring *hub)
{
        struct io_uring_sqe *sqe;

        while (hub->begun.next != &hub->begun && (sqe = green__uring_sqe(hub)) != NULL) {
                struct green_op *op = green__uring_op_of(hub->begun.next);

                green__uring_unlink(&green__uring_own(op)->node);
                green__uring_own(op)->running = true;
                green__uring_prep(op, sqe);
                hub->requests++;
                hub->in_flight++;
        }
        while (hub->cancels.next != &hub->cancels && (sqe = green__uring_sqe(hub)) != NULL) {
                struct green_op *op = green__uring_op_of(hub->cancels.next);

                green__uring_unlink(&green__uring_own(op)->node);
                io_uring_prep_cancel64(sqe, (uintptr_t)op, 0);
                sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
                sqe->user_data = GREEN__URING_IGNORE;
        }
}

/* ---- reports */

/* A multishot one. */
static void
green__uring_part_done(struct green__uring *hub, struct green_op *op, const struct io_uring_cqe *cqe,
                       struct green_hub_event *event)
{
        event->token = (uint64_t)(int64_t)cqe->res;
        if (cqe->flags & IORING_CQE_F_MORE)
                event->events = GREEN_HUB_MORE;
        else
                op->result = cqe->res;
        if (cqe->flags & IORING_CQE_F_BUFFER) {
                unsigned which = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

                if (cqe->res > 0) {
                        hub->buffers.out[which] = true;
                        event->buffer = hub->buffers.bytes + (size_t)which * GREEN__URING_BUFFER;
                } else {
                        green__uring_buffer_give(&hub->buffers, which);
                }
        }
}

/* True if a poll has ended. One whose request goes on is ended first, one that found what nobody asked for goes on. */
static bool
green__uring_poll_done(struct green__uring *hub, struct green_op *op, const struct io_uring_cqe *cqe)
{
        struct green__uring_op *own = green__uring_own(op);
        uint32_t interest = op->flags & (GREEN_READ | GREEN_WRITE);
        uint32_t bits = cqe->res > 0 ? green__uring_bits((unsigned)cqe->res, interest) : 0;
        bool more = (cqe->flags & IORING_CQE_F_MORE) != 0;

        if (bits & GREEN_HUB_ERROR)
                bits |= interest;
        bits &= interest;
        if (own->bits == 0)
                own->bits = bits;
        if (more) {
                if (own->bits != 0 && own->node.next == NULL)
                        green__uring_append(&hub->cancels, &own->node);
                return false;
        }
        if (own->bits == 0 && cqe->res >= 0 && !own->cancelled) {
                own->patient = true;
                own->running = false;
                green__uring_append(&hub->begun, &own->node);
                return false;
        }
        op->result = own->bits != 0 ? own->bits : cqe->res < 0 ? cqe->res : -ECANCELED;
        return true;
}

bool
green__uring_op_done(struct green__uring *hub, const struct io_uring_cqe *cqe, struct green_hub_event *event)
{
        struct green_op *op = (struct green_op *)(uintptr_t)cqe->user_data;
        struct green__uring_op *own = green__uring_own(op);

        event->token = 0;
        event->events = 0;
        event->reserved = 0;
        event->op = op;
        event->buffer = NULL;
        if (!(cqe->flags & IORING_CQE_F_MORE)) {
                hub->in_flight--;
                green__uring_unlink(&own->node);
        }
        if (op->kind == GREEN_OP_POLL)
                return green__uring_poll_done(hub, op, cqe);
        if (op->options & GREEN_OP_MULTISHOT) {
                green__uring_part_done(hub, op, cqe, event);
                return true;
        }
        if (op->kind == GREEN_OP_RECV && op->name != NULL && cqe->res >= 0)
                op->name_size = own->msg.msg_namelen;
        op->result = cqe->res;
        return true;
}

void
green__uring_op_drop(struct green__uring *hub, const struct io_uring_cqe *cqe)
{
        struct green_op *op = (struct green_op *)(uintptr_t)cqe->user_data;

        if (op->kind == GREEN_OP_ACCEPT && cqe->res >= 0)
                close(cqe->res);
        if (!(cqe->flags & IORING_CQE_F_MORE))
                hub->in_flight--;
}
