/*
 * One operation of hub_late: carried out, and watched while it belongs to the hub.
 */
#ifndef GREEN_TESTS_HUB_LATE_OP_H
#define GREEN_TESTS_HUB_LATE_OP_H

#include <green/hub.h>

enum {
        LATE_GUARDS = 4,     /* buffers of an operation that are guarded */
        LATE_GUARD = 32,     /* bytes at their beginning and end */
        LATE_PATTERN = 0xa5, /* what stands there meanwhile */
};

/* Sockets do not block on Windows, where nothing tells it of one, and no flag of accept() says it. */
#if defined(_WIN32)
#define LATE_ACCEPT_FLAGS SOCK_NONBLOCK
#define LATE_READABLE POLLIN /* it cannot be asked for urgent data */
#else
#define LATE_ACCEPT_FLAGS 0
#define LATE_READABLE (POLLIN | POLLPRI)
#endif

/* In green_op::space[0] of an operation in flight; space[1] has the struct late_op. */
#define LATE_MAGIC UINT64_C(0x6c6174656f70)

enum {
        LATE_BUFFERS = 64, /* of a hub at most */
        LATE_PIECE = 16,   /* bytes of one */
};

enum { LATE_FREE, LATE_PENDING, LATE_OUT };

/* The hub's buffers, for multishot receives. */
struct late_pool {
        unsigned n, n_out, most_out;
        unsigned at_once;  /* pieces that one turn brings at most */
        unsigned end;      /* the last report of an operation comes with every end-th piece; 0: with none */
        unsigned n_pieces; /* so far */
        unsigned char state[LATE_BUFFERS];
        unsigned char memory[LATE_BUFFERS][LATE_PIECE];
};

/* What a multishot operation has brought, and core has not heard of. */
struct late_report {
        struct late_report *next;
        int64_t result;
        void *buffer;
        unsigned turns; /* until it may be reported */
        bool last;
};

/* An operation in flight. */
struct late_op {
        struct late_op *next;  /* in the order in which they are reported */
        struct green_op *op;   /* core's */
        struct green_op saved; /* what it was at submit() */
        dev_t dev;             /* what its descriptor was, */
        ino_t ino;             /* to find out when it is closed */
        unsigned turns;        /* until it may be reported */
        unsigned late;         /* turns of each report of a multishot operation */
        struct late_report *reports, **reports_end;
        unsigned n_waiting; /* reports */
        bool begun;         /* a multishot operation has brought something */
        bool ready;         /* poll() says so */
        bool again;         /* to be tried each turn: no descriptor says when it is ready */
        bool done;          /* carried out: saved.result */
        bool cancelled;     /* by core */
        bool hopeless;      /* cancelled, and not to be carried out any more */
        bool guarded;       /* the patterns are in place */
        uint64_t sum;       /* of the bytes that were received */
        unsigned char guards[LATE_GUARDS][2][LATE_GUARD]; /* what the patterns stand for */
};

/* Ends the process with a message about core. */
_Noreturn void late_die(const char *format, ...) GREEN_PRINTF(1, 2);

/* Does it send from its buffers? */
bool late_op_sends(const struct green_op *op);

/* Puts patterns into buffers that are waiting to be filled, or takes a sum of those that are to be sent. */
void late_op_guard(struct late_op *late);
/* Puts back what the patterns stand for. */
void late_op_unguard(struct late_op *late);
/* Dies if core touched anything that is the hub's. */
void late_op_verify(const struct late_op *late);

/* Starts a connect(). -EAGAIN: in progress; or a Unix socket whose listener is busy, and nothing says until when. */
int64_t late_op_connect(struct late_op *late);
/* One turn: tries what is ready, counts down, ends what is cancelled. */
void late_op_turn(struct late_op *late);
/* Is its descriptor the one that it was submitted for? */
bool late_op_fd_same(const struct late_op *late);
/* It is carried out. */
void late_op_finish(struct late_op *late, int64_t result);

bool late_op_is_multi(const struct green_op *op);
/* One turn of a multishot operation. */
void late_multi_turn(struct late_op *late, struct late_pool *pool);
/* Its next report, if it may be reported. */
bool late_multi_next(struct late_op *late, struct late_pool *pool, struct green_hub_event *ret_event, bool *ret_last);
/* Forgets what was not reported. */
void late_multi_drop(struct late_op *late, struct late_pool *pool);

/* All buffers are the hub's. */
void late_pool_init(struct late_pool *pool);
/* Core gives one back. */
void late_pool_release(struct late_pool *pool, void *buffer);

#endif
