/*
 * What the parts of the io_uring hub share: io_uring.c (the ring, waiting, readiness) and io_uring_op.c (operations and
 * the buffers of multishot receives).
 *
 * What core asks for is noted in lists and goes to the ring in wait(), all of it with the system call that waits. So no
 * call but wait() fails for a full queue, and what is taken back before the kernel has seen it costs nothing.
 */
#ifndef GREEN_HUB_IO_URING_H
#define GREEN_HUB_IO_URING_H

#include <green/hub.h>

#include <liburing.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

/*
 * What a request of ours is known by in the ring: an operation by the address of its struct green_op, a poll by number
 * and generation of its descriptor with bit 0 set, the others by these.
 */
#define GREEN__URING_IGNORE UINT64_C(0) /* a request whose end is of no interest */
#define GREEN__URING_WAKE UINT64_C(2)   /* the poll of the wake descriptor */

/* An element of a ring-shaped list. */
struct green__uring_node {
        struct green__uring_node *next, *prev; /* both NULL: in no list */
};

/* A descriptor that core has registered, or had. */
struct green__uring_entry {
        struct green__uring_node node; /* first; in hub->dirty while it is to be polled and no request says so */
        uint64_t token;
        int fd;
        uint32_t gen;      /* of the request that polls it: what comes from others is not reported */
        uint16_t interest; /* as add() and modify() were told; 0: it is not registered */
        bool armed;        /* a request polls it */
        bool patient;      /* one-shot, but polled by a multishot request: see green__uring_unasked() */
};

enum {
        GREEN__URING_CHUNK = 256, /* entries are allocated so many at a time */
        GREEN__URING_KINDS = GREEN_OP_POLL + 1,
        GREEN__URING_UNSURE = 256,
};

/* The buffers of multishot receives: io_uring_op.c. */
struct green__uring_buffers {
        char *memory;                   /* everything below; NULL: not needed yet */
        struct io_uring_buf_ring *ring; /* those that the kernel may take */
        char *bytes;                    /* the buffers themselves */
        bool *out;                      /* of each, whether core has it */
        bool registered;                /* the kernel knows the ring */
};

struct green__uring {
        const struct green_hub_config *config; /* core's; outlives this */
        struct io_uring ring;
        unsigned flags;                     /* that the ring was made with */
        int wake;                           /* eventfd; polled edge-triggered, and so never read */
        bool wake_armed;                    /* a request polls it */
        bool eager;                         /* pollfd() was called: requests go to the ring at once */
        int told;                           /* then an eventfd that the kernel writes to; else -1 */
        atomic_bool woken;                  /* wake() has written and wait() has not seen it */
        size_t requests;                    /* that the kernel has and that will report */
        size_t in_flight;                   /* operations among them */
        struct green__uring_node dirty;     /* entries to be polled */
        struct green__uring_node begun;     /* operations to be handed to the kernel */
        struct green__uring_node cancels;   /* operations in flight whose end is to be asked for */
        struct green__uring_entry **chunks; /* entries by number; a chunk may be NULL */
        size_t n_chunks;
        struct green__uring_buffers buffers;
        uint64_t counts[GREEN__URING_KINDS]; /* operations that began, by kind; polls for readiness count as polls */
        /* Events that may be about urgent data: see hub_io_uring_ask_urgent(). Here for the sake of small stacks. */
        struct pollfd unsure[GREEN__URING_UNSURE];
        struct green_hub_event *unsure_events[GREEN__URING_UNSURE];
        unsigned n_unsure;
};

static inline void
green__uring_list_init(struct green__uring_node *list)
{
        list->next = list->prev = list;
}

static inline void
green__uring_append(struct green__uring_node *list, struct green__uring_node *node)
{
        node->prev = list->prev;
        node->next = list;
        list->prev->next = node;
        list->prev = node;
}

/* Fine for one in no list. */
static inline void
green__uring_unlink(struct green__uring_node *node)
{
        if (node->next == NULL)
                return;
        node->prev->next = node->next;
        node->next->prev = node->prev;
        node->next = node->prev = NULL;
}

/* A place in the submission queue, handing what is there to the kernel if it is full; NULL where the kernel takes none.
 */
struct io_uring_sqe *green__uring_sqe(struct green__uring *hub);
/* Hand over what has gathered, if somebody else waits for the ring's descriptor. */
void green__uring_eager(struct green__uring *hub);
/* Bits of poll() for an interest, and what they mean to core. */
unsigned green__uring_poll_mask(uint32_t interest);
uint32_t green__uring_bits(unsigned mask, uint32_t interest);
/* io_uring_probe.c: make a ring. 0, or -errno: -ENOTSUP where the kernel is too old. */
int green__uring_make(struct io_uring *ring, unsigned requests, unsigned reports, unsigned *ret_flags);
/* green_hub_ops::probe. */
int green__uring_probe(void);

/* Of these bits none was asked for: the kernel also says, to those who wait to write, that the peer sends no more. */
bool green__uring_unasked(uint32_t bits, uint32_t interest);

/* ---- operations */

int green__uring_submit(void *state, struct green_op *op);
int green__uring_cancel(void *state, struct green_op *op);
void green__uring_release(void *state, void *buffer);
/* Requests for the operations that began, and for the cancels, while there is room for them. */
void green__uring_fill_ops(struct green__uring *hub);
/* A report of an operation. Stores an event and returns true, or there is nothing to tell. */
bool green__uring_op_done(struct green__uring *hub, const struct io_uring_cqe *cqe, struct green_hub_event *event);
/* The same at the end of the hub: what it brought is thrown away. */
void green__uring_op_drop(struct green__uring *hub, const struct io_uring_cqe *cqe);
/* In the child of a fork: the ring is another one. */
void green__uring_buffers_after_fork(struct green__uring *hub);
void green__uring_buffers_free(struct green__uring *hub);

#endif
