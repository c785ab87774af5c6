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

/* In green_op::space[0] of an operation in flight; space[1] has the struct late_op. */
#define LATE_MAGIC UINT64_C(0x6c6174656f70)

/* An operation in flight. */
struct late_op {
        struct late_op *next;  /* in the order in which they are reported */
        struct green_op *op;   /* core's */
        struct green_op saved; /* what it was at submit() */
        dev_t dev;             /* what its descriptor was, */
        ino_t ino;             /* to find out when it is closed */
        unsigned turns;        /* until it may be reported */
        bool ready;            /* poll() says so */
        bool again;            /* to be tried each turn: no descriptor says when it is ready */
        bool done;             /* carried out: saved.result */
        bool cancelled;        /* by core */
        bool hopeless;         /* cancelled, and not to be carried out any more */
        bool guarded;          /* the patterns are in place */
        uint64_t sum;          /* of the bytes that were received */
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
/* It is carried out. */
void late_op_finish(struct late_op *late, int64_t result);

#endif
