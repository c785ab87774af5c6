/*
 * What core keeps for each OS thread, and the inside of a green thread.
 */
#ifndef GREEN_HUB_PRIV_H
#define GREEN_HUB_PRIV_H

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include <green/core.h>

#include "check.h"
#include "hub_here.h"
#include "metrics_priv.h"
#include "stack.h"
#include "switch.h"
#include "timer_priv.h"

struct green__hub;

/* Where a green thread stands with the scheduler. Whether it has ended is a flag of its own: its links may still wait. */
enum green__state {
        GREEN__NEW,     /* its function has not begun: in the run queue, or delayed by its timer */
        GREEN__READY,   /* in the run queue */
        GREEN__RUNNING, /* on the processor */
        GREEN__PARKED,  /* waits to be woken */
};

/* Kinds of green_wait. */
enum green__wait_kind {
        GREEN__WAIT_THREAD, /* a green thread is parked on it */
        GREEN__WAIT_WATCH,  /* part of a green__watch */
        GREEN__WAIT_FD,     /* made by green_wait_fd(), not yet in its queue; those of its kind follow */
        GREEN__WAIT_FD_READ,
        GREEN__WAIT_FD_WRITE,
};

/* A cancel scope. The outermost of a green thread is its kill scope; the others are the head of a green__timeout. */
struct green__scope {
        struct green__scope *outer; /* NULL for the kill scope */
        struct green__scope *inner; /* NULL for the innermost */
        green_thread *thread;       /* owner; NULL when it has ended */
        int code;                   /* what calls return once it has fired */
        uint16_t shield;            /* shields that were there when it was opened */
        bool fired;                 /* it has fired */
        bool failed : 1;            /* and a call has failed for it */
        bool silent : 1;            /* green_timeout_opts.silent */
};

/* The inside of a green_timeout. */
struct green__timeout {
        struct green__scope scope;
        uintptr_t magic;           /* tells a timeout from storage that was never one */
        double seconds;            /* as given, for its text */
        struct green__timer timer; /* when it fires */
};

_Static_assert(sizeof(struct green__timeout) <= sizeof(struct green_timeout), "a timeout fits its public storage");

/* Clean-up registered by green_defer(). */
struct green__defer {
        struct green__defer *next; /* the one registered before */
        void (*fn)(void *arg);
        void *arg;
};

/* A link, in the order they were made. */
struct green__link {
        struct green__link *next;
        green_link_fn fn;
        void *arg;
};

/* A callback timer. */
struct green_timer {
        struct green__timer timer;
        struct green__hub *hub;         /* where it is pending, or whose callback queue it is in; NULL otherwise */
        uint64_t hub_ident;             /* of that hub */
        struct green_timer *next; /* in the owner's local timers, or in the callback queue */
        struct green_timer **at;  /* what points to this one there; NULL: in neither */
        green_timer_fn fn;
        void *arg;
        double seconds;
        bool owned; /* no handle: core frees it after it fired */
        const void *where; /* address of the call that made it */
        bool queued; /* in the callback queue */
};

/* What few green threads have; allocated when needed. */
struct green__extra {
        char *name;
        struct green__link *links; /* first made first */
        struct green__link **links_end;
        struct green_timer *local_timers; /* die with their owner */
        struct green_thread *local_spawns; /* green_spawn_after_local: never start once this one ended */
        void (*drop_result)(void *result);
        size_t stack_size;
        void *arg_copy;
        struct green_thread *inside; /* stand for the tasks that run in it, the last one first; linked by local_next */
        struct green_error *error; /* given to green_fail_error() */
        green_switch_fn hook_out, hook_in;
        void *hook_arg;
};

/* Value of a local in one green thread. */
struct green__local_slot {
        uint64_t serial; /* of the green_local that owns the value; 0: none */
        void *value;
};

struct green__locals {
        size_t count;
        struct green__local_slot slots[];
};

/* The last error of a green thread, with room for its text. Allocated at the first failure that has one. */
struct green__last_error {
        struct green_error error;
        void (*release)(void *arg); /* of one that is shared, see green_set_error_shared(); NULL: none */
        void *release_arg;
        char text[1024];
};

struct green_thread {
        /* Touched by every switch: one cache line. */
        struct green_thread *next, *prev; /* run queue, circular */
        struct green__context ctx;
        struct green__scope *fired; /* outermost scope that has fired and is not shielded; NULL: none */
        uint8_t state;              /* enum green__state */
        bool ended;                 /* nothing of its own function runs any more */
        bool started;               /* its function has begun */
        bool detached;              /* made by green_spawn_n(): no handle */
        bool asked;                 /* somebody learnt how it ended */
        bool settled;               /* how it ends is decided */
        bool linking;               /* its links are being called */
        bool stopped;               /* main: told by green_hub_stop() */
        bool reserved_stack;        /* holds a reservation in the stack pool */
        bool counted;               /* among hub->nthreads */
        uint16_t shield;            /* depth of green_shield_begin() */
        uint32_t refs;              /* handles, and one while it has not ended */

        struct green__stack *stack; /* NULL: not started, or the OS thread's own */

        /* A wait. */
        struct green_wait *waits; /* its nodes, while parked */
        uint32_t nwaits;
        uint32_t woken; /* which node decided; UINT32_MAX: none */
        int wake_code;
        int end_code;  /* once ended: 0 or its error */
        int fail_code; /* of its last green_fail() */
        struct green__timer timer;
        struct green_op *op;           /* operation in the kernel, while parked in green_io_submit() */
        struct green__scope *op_scope; /* scope that asked for its end */
        int op_code;                   /* why its end was asked for; 0: it was not */
        struct green_wait_mt *wait_mt; /* a wait that another OS thread ends, from its begin to its end */
        const void *wait_where;     /* address of the call that waits */
        int64_t wait_since;         /* time of the poll before it, nanoseconds */

        /* Life. */
        struct green__hub *hub;
        green_thread_fn fn;
        void *arg; /* once ended: the result */
        struct green_waitq joiners;
        struct green__scope *innermost;
        struct green__scope kill;
        struct green__defer *defers;
        struct green__locals *locals;
        struct green__extra *extra;
        struct green__last_error *last_error;
        struct green_thread *local_next;          /* hub->...extra->local_spawns of the creator */
        struct green_thread *creator;             /* of a local spawn that has not started */
        uint64_t ident;
        const char *where;                 /* "file:line" of its spawn */
        struct green__thread_chunk *chunk; /* what it lies in; NULL: in the hub */
        struct green_task *task;           /* told of its end; NULL: none, or told */
};

enum green__post_kind {
        GREEN__POST_OWNED, /* allocated by green_hub_post() */
        GREEN__POST_NODE,  /* in a green_post_node of the user's */
        GREEN__POST_WAKER, /* part of a green_waker */
        GREEN__POST_WAIT,  /* part of a green_wait_mt; it has no fn */
};

/* Something posted from anywhere, on its way to the hub. */
struct green__post {
        struct green__post *next;
        void (*fn)(void *arg);
        void *arg;
        enum green__post_kind kind;
};

/* The part of a hub that other OS threads may touch. Lives as long as anybody refers to it. */
struct green_hub {
        _Atomic(struct green__post *) posts; /* newest first */
        atomic_uint sleeping;                /* 1: wait() may block, so a post must wake it */
        atomic_uint users;                   /* OS threads inside green__mailbox_post() */
        atomic_uint closed;
        atomic_uint refs;
        atomic_uint shared;      /* somebody else may post: the deadlock report would be a guess */
        struct green__hub *hub;  /* NULL once closed */
        const struct green_hub_ops *ops;
        void *state;
        uint64_t ident;
};

/* One descriptor number. */
struct green__slot {
        struct green_waitq wait[2]; /* readers, writers: green threads and watches */
        green_io *io;               /* owner, or NULL */
        uint32_t gen;               /* part of the token: events of an older owner are dropped */
        uint8_t mode;               /* enum green__slot_mode */
        uint8_t armed;              /* GREEN_READ | GREEN_WRITE that the hub will report */
        uint8_t missed;             /* edges that came while nobody waited: the next wait returns at once */
        bool hangup;                /* the hub has said GREEN_HUB_HANGUP */
};

enum green__slot_mode {
        GREEN__SLOT_NONE,    /* the hub does not know it */
        GREEN__SLOT_EDGE,    /* registered for good, both directions */
        GREEN__SLOT_ONESHOT, /* re-armed at each wait */
        GREEN__SLOT_LEVEL,   /* interest follows the waiters: hubs that have nothing else */
};

enum { GREEN__SLOT_CHUNK = 256, GREEN__EVENTS = 256 };

enum { GREEN__LOOK_EVERY = 16 }; /* green__hub.look_every without switch hooks */

struct green_io {
        struct green__hub *hub;
        uint64_t hub_ident;
        struct green__slot *slot; /* made with the handle, so that waiting needs no memory */
        green_fd fd;              /* GREEN_INVALID_FD once closed */
        unsigned flags;
        struct green_waitq ops[2]; /* green threads whose operations are in the kernel: they read, they write */
        struct green__ahead *ahead; /* what an operation brings before it is asked for; or NULL */
        green_fd close_fd;        /* to be closed with the last operation; or GREEN_INVALID_FD */
        bool freed;               /* release with the last operation */
};

/* Something that an operation which runs ahead has brought. */
struct green__piece {
        void *buffer;   /* bytes; NULL: result is a descriptor, the end (0) or a code */
        int64_t result; /* bytes in it */
        bool copy;      /* the buffer is not the hub's but our own */
};

enum { GREEN__PIECES = 8 };

/* An operation that runs ahead, and its inbox: ahead.c. */
struct green__ahead {
        struct green_op op;
        green_io *io;                   /* NULL: closed; it goes with the last report */
        struct green__ahead *next, **at; /* in the hub's list */
        struct green__piece *pieces;    /* a ring */
        uint32_t room, first, count;
        size_t taken;                   /* bytes of the first piece that were read */
        bool running;                   /* the hub has the operation */
        bool ending;                    /* and was asked for its end */
        bool lost;                      /* there was no memory for a piece */
        struct green__piece few[GREEN__PIECES];
        unsigned char name[];           /* of an accept: the address */
};

/* What green_op::core[] holds of such a one. */
enum { GREEN__CORE_AHEAD = 5 };

/* The inside of a green_watch. */
struct green__watch {
        green_watch_fn fn;
        void *arg;
        struct green_wait wait[2]; /* places in the slot's queues */
        struct green__timer timer;
        struct green__hub *hub; /* while started */
        struct green__slot *slot;
        green_fd fd;
        struct green__watch *next, *prev; /* in the callback queue, or among the fresh ones */
        double seconds;                   /* of one that is fresh: its time limit */
        int result;
        uint8_t events;
        uint8_t active; /* 0 stopped, 1 waits, 2 in the callback queue */
        bool fresh;     /* waits, and its time limit is not in the heap yet */
};

struct green__watch_list {
        struct green__watch *first, *last;
};

_Static_assert(sizeof(struct green__watch) <= sizeof(struct green_watch), "a watch fits its public storage");

/* Time by the cycle counter, between readings of the clock: see clock.c. */
struct green__ticks {
        uint64_t first_cycles; /* where measuring began; 0: the counter is not to be trusted */
        int64_t first_time;
        uint64_t cycles; /* at the last reading of the clock */
        int64_t time;
        uint64_t window; /* cycles after which the clock is read again; 0: it is read each time */
        uint64_t rate;   /* nanoseconds a cycle times 2^20, a little more than they are */
        int64_t last;    /* what was told last: time does not go back */
};

/* What the OS thread that looks for those who do not let others run has seen last: debug_block.c. It alone uses it. */
struct green__seen {
        uint64_t switches, polls, callbacks;
        int countdown;
        const green_thread *current;
        int64_t same; /* nanoseconds that it has been so */
        bool told;
};

struct green__hub {
        /* Touched by every switch. */
        green_thread *current; /* NULL: hub context */
        int countdown;         /* switches left before the slow path */
        int *errno_at;         /* this OS thread's errno */
        green_thread run;      /* head of the run queue: only next and prev are used */

        /* Poll interval: see sched.c. */
        int interval, left, chunk;
        int look_every; /* switches between two looks at the cycle counter at most */
        uint64_t t0;            /* cycle counter at its begin */
        uint64_t cycles_100us, cycles_20us;
        uint64_t cal_cycles; /* last calibration */
        int64_t cal_time;
        struct green__ticks ticks;
        uint32_t nready;
        uint64_t wakeups; /* see metrics_priv.h; spawns too */
        bool hooked;   /* some green thread has switch hooks */
        bool hooks;    /* some green thread has switch hooks, or there is a tracer: every switch takes the slow path */
        bool told;     /* who is made ready is told of: to an embedder, or to a tracer */
        bool dying;    /* the running stack is in the pool already */
        bool embedded; /* the hub stack is the application's */
        bool in_step;
        bool notified;
        bool told_deadlock;
        bool destroying;
        bool wait_failed;

        green_thread home; /* the hub stack: only ctx and stack are used */
        green_thread main; /* the OS thread's own stack */
        struct green__stack_pool stacks;
        struct green__heap heap;
        int64_t (*clock)(void);
        int64_t now; /* at the last poll */

        /* Callbacks to run on the hub stack. */
        struct green__post *posts, **posts_end;
        struct green__watch_list watches;
        size_t watches_queued;
        struct green__watch_list fresh; /* those whose time limits begin at the next look at the clock */
        uint32_t fresh_count;
        struct green_timer *timers_first, **timers_end;

        /* Descriptors. */
        struct green__slot **chunks;
        size_t nchunks;
        size_t io_waits[2]; /* nodes in slots: readers, writers */
        size_t ops_count;   /* operations in the kernel */
        struct green__ahead *aheads; /* operations that run ahead, and what they have brought */
        size_t aheads_running;
        size_t buffers_out; /* of the hub's, with those */
        unsigned starved;   /* the hub had no buffer left: receives that are not to be begun */
        size_t waits_mt;    /* that other OS threads end */
        unsigned look_less; /* how much shorter one looks for those before sleeping: sched.c */
        unsigned looks;     /* how often one has looked */

        /* Green threads. */
        size_t nthreads;
        uint64_t spawns;
        uint64_t ident_next, ident_end; /* numbers to give to new ones */
        struct green__thread_chunk *thread_chunks, **thread_chunks_end;
        struct green__thread_chunk *free_chunks; /* those that have a free control block; the last given to first */
        struct green_waitq nobody_left; /* green_hub_destroy() waits here */

        const struct green_hub_ops *ops;
        void *state;
        struct green_hub_config config;
        green_hub *mailbox;
        uint64_t ident;
        GREEN_ALIGNED(8) uint64_t switches, polls; /* anybody may read them */
        uint64_t callbacks;
        struct green__counts counts;
        int stop_code; /* for an embedder */
        int64_t trim_at; /* embedded: when memory of stacks is looked at again, or GREEN__NEVER */
        void (*notify)(void *arg);
        void *notify_arg;
        void *altstack;
        struct green__last_error *last_error; /* in hub context */
        struct green__locals *locals;
        struct green__hub_end *ends;  /* whom to tell of the end; the last to come first: hub_end.c */
        struct green__hub *hubs_next; /* every hub of the process: hubs.c */
        void *foreign_loop;           /* the application's event loop that the back end lives in, or NULL */
        void *foreign_next;           /* and the one that it is about to move into */
        bool whole;                   /* it was made, under the lock of the list */
        /* Debugging. */
        pthread_t os_thread;
        green_trace_fn tracer; /* NULL: none */
        void *tracer_arg;
        bool tracing;                     /* it is being called */
        struct green__spew *spew;         /* debug_spew.c; NULL: off */
        struct green__calls_table *calls; /* debug_calls.c; NULL: nothing was kept */
        struct green__seen seen;

        int event, n_events; /* of events: the one that is being delivered, and how many there are; 0: none */
        struct green_hub_event events[GREEN__EVENTS];
};

/* hubs.c: call it for each hub that is there, whole, under the lock of the list. */
void green__hubs_each(void (*fn)(struct green__hub *h, void *arg), void *arg);

/* debug_spew.c: end it where it is on. */
void green__spew_end(struct green__hub *h);

/* debug_block.c: its lock, held over a fork; there is no such OS thread in the child. */
void green__block_lock(void);
void green__block_unlock(void);
void green__block_after_fork(void);

/* The inside of a struct green_hub_end. */
struct green__hub_end {
        struct green__hub_end *next, **at;
        void (*fn)(void *arg);
        void *arg;
};

/* hub_end.c: the hub is freed: tell those who want to know. */
void green__hub_ends_tell(struct green__hub_end *ends);

/* hubs.c: the calling OS thread's hub, made if there is none; NULL with green_last_error(). */
struct green__hub *green__hub_make(void);

static inline struct green__hub *
green__hub_get(void)
{
        struct green__hub *h = green__hub_here;

        return green__likely(h != NULL) ? h : green__hub_make();
}

/* hubs.c: does this hub still run, in any OS thread? */
bool green__hub_lives(uint64_t ident);

/* hubs.c: the same with a back end that was chosen, in an event loop of the application's, or NULL. */
struct green__hub *green__hub_make_with(const struct green_hub_ops *ops, void *loop);

/* hubs.c: see there. */
int green__hub_claim_loop(struct green__hub *h, void *loop);
void green__hub_settle_loop(struct green__hub *h, bool moved);

/* hubs.c: free the calling OS thread's hub with all that is in it, unrun. */
void green__hub_free(struct green__hub *h);

/* Code for a hub that cannot be made: what green__hub_make() left as last error. error.c */
int green__no_hub(void);

/* Switches since `switches` was counted. */
static inline uint64_t
green__switches_uncounted(const struct green__hub *h)
{
        return h->chunk > h->countdown ? (uint64_t)(h->chunk - h->countdown) : 0;
}

/* clock.c */
int64_t green__clock_monotonic(void);
uint64_t green__cycles(void);

/* Is the cycle counter what the kernel itself tells time by? Reads a file: once a process. clock.c */
bool green__cycles_trusted(void);

/* Begin to measure the cycle counter's rate; look at it again later. clock.c */
void green__ticks_begin(struct green__hub *h, bool trusted);
void green__ticks_calibrate(struct green__hub *h);

/* Seconds from now as a deadline of the hub's clock, never too early; GREEN__NEVER at or above GREEN_FOREVER. clock.c */
int64_t green__deadline(struct green__hub *h, double seconds);

/* A time limit that is given must be 0 or more. */
static inline bool
green__time_ok(double seconds)
{
        return seconds >= 0;
}

/* fork.c */
extern atomic_bool green__forked; /* a child may hold our descriptors: take them off the hub before closing */
void green__fork_install(void);

/* hubs.c: the lock of the list of hubs, held over a fork; what the list is in the child */
void green__hubs_lock(void);
void green__hubs_unlock(void);
void green__hubs_after_fork(struct green__hub *here);

/* hubs.c: the first of the list, under its lock. */
const struct green__hub *green__hubs_first(void);

/* log.c, local.c: their locks, held over a fork */
void green__log_lock(void);
void green__log_unlock(void);
void green__local_lock(void);
void green__local_unlock(void);

/* thread.c */
green_thread *green__thread_alloc(struct green__hub *h);
void green__thread_init(green_thread *t, struct green__hub *h);
void green__thread_start(struct green__hub *h, green_thread *t);
void green__thread_end_unstarted(struct green__hub *h, green_thread *t, int code);
void green__thread_forget(struct green__hub *h, green_thread *t);
void green__thread_release(green_thread *t);
void green__thread_run_links(green_thread *t);
struct green__extra *green__thread_extra(green_thread *t);
void green__thread_clean_up(green_thread *t);
void green__thread_free_extra(green_thread *t);
void green__threads_free(struct green__hub *h);
green_thread *green__thread_make(green_thread_fn fn, void *arg, const char *where);
void green__thread_unmake(green_thread *t);
green_thread *green__thread_stand_in(struct green__hub *h, const char *where);

/* task.c: tell the task of one that has ended; end those that run inside one that ends. */
void green__task_end(green_thread *t);
void green__tasks_inside_end(green_thread *t);

/*
 * To go through the green threads of a hub, main left out: {0} is before the first. They may come and go meanwhile; one
 * that comes may be missed.
 */
struct green__thread_iter {
        struct green__thread_chunk *chunk;
        int index;
};
green_thread *green__thread_next(const struct green__hub *h, struct green__thread_iter *it);

/* Whose end those in a queue wait for; NULL: it is another queue. */
const green_thread *green__thread_of_joiners(const struct green__hub *h, const struct green_waitq *q);

/* scope.c */
void green__scope_refresh(green_thread *t);
bool green__scope_fire(struct green__hub *h, struct green__scope *s);
int green__cancelled(struct green__hub *h, green_thread *self);
void green__scopes_end(green_thread *t);

/* park.c */
void green__wait_enqueue(struct green_waitq *q, struct green_wait *w);
void green__wait_dequeue(struct green_wait *w);
void green__unwait(green_thread *t);
void green__withdraw(struct green__hub *h, green_thread *t, int code);
int green__park_nodes(struct green__hub *h, green_thread *self, double timeout, const void *where);

/* ahead.c */
enum { GREEN__AHEAD_NONE, GREEN__AHEAD_RUNS, GREEN__AHEAD_HAS };

/* Of a green_io with an inbox: does an operation run, or is there something to take? */
int green__ahead_wait(const green_io *io);
void green__ahead_report(struct green__hub *h, const struct green_hub_event *ev);

/* End the operation that runs ahead, if there is one, at once. 0, or -EBUSY: something is held. Never yields. */
int green__ahead_stop(struct green__hub *h, const green_io *io);

/* The same before somebody else than the owner of a number reads it or waits for it. */
int green__ahead_leave(struct green__hub *h, const struct green__slot *s, unsigned events);
void green__ahead_close(struct green__hub *h, green_io *io);

/* End those of the whole hub. Is nothing held? */
bool green__aheads_stop(struct green__hub *h);
void green__aheads_give_back(struct green__hub *h);
void green__aheads_free(struct green__hub *h);
void green__aheads_after_fork(struct green__hub *h);

/* sched.c: look at the back end, and make ready who waits for what there is. */
void green__pump(struct green__hub *h, int64_t limit);
/* Is the last report of an operation among the events that are still to be delivered? Then nobody is to ask for its end. */
bool green__op_reported(const struct green__hub *h, const struct green_op *op);

/* slot.c, io.c */
void green__slot_wake_readers(struct green__slot *s);
void green__io_event(struct green__hub *h, const struct green_hub_event *ev);
void green__io_op_done(struct green__hub *h, struct green_op *op);
unsigned green__op_events(const struct green_op *op);
void green__op_cancel(struct green__hub *h, green_thread *t, int code);
void green__op_forget(green_thread *t);
struct green__slot *green__slot_get(struct green__hub *h, green_fd fd);
struct green__slot *green__slot_peek(struct green__hub *h, green_fd fd);
int green__slot_arm(struct green__hub *h, struct green__slot *s, green_fd fd, unsigned events, bool raw);
void green__slot_left(struct green__hub *h, struct green__slot *s, green_fd fd);
int green__slot_taken(const struct green__slot *s, green_fd fd, unsigned events, const struct green_wait *other);
void green__slot_reset(struct green__hub *h, struct green__slot *s, green_fd fd, bool told);

/* Its waiters get -ECANCELED, and it stays as it is. */
void green__slot_cancel(struct green__hub *h, struct green__slot *s, green_fd fd);
void green__slots_after_fork(struct green__hub *h);
void green__slots_free(struct green__hub *h);
bool green__multiple_allowed(void);

static inline int
green__direction(unsigned events)
{
        return events == GREEN_WRITE;
}

/*
 * The one-reader rule. 0, or -EBUSY: somebody waits for the same, or has an operation do it. Who says GREEN_SHARED does not
 * mind.
 */
static inline int
green__slot_check_free(const struct green__slot *s, green_fd fd, unsigned events)
{
        int dir = green__direction(events & ~GREEN_SHARED);
        const struct green_wait *other = s->wait[dir].first;

        if (events & GREEN_SHARED)
                return 0;
        if (other == NULL && s->io != NULL)
                other = s->io->ops[dir].first;
        return green__likely(other == NULL) ? 0 : green__slot_taken(s, fd, events, other);
}

/* watch.c */
void green__watch_fire(struct green__watch *w, int result);
void green__watches_begin(struct green__hub *h);
void green__watch_call(struct green__hub *h, struct green__watch *w);
void green__watch_node_woken(struct green_wait *node, int code);
void green__watches_forget(struct green__hub *h);

/* Deadlines that are pending, of any kind. */
static inline uint32_t
green__deadlines(const struct green__hub *h)
{
        return h->heap.count + h->fresh_count;
}

/* When the first of them is; GREEN__NEVER if there is none. */
static inline int64_t
green__first_deadline(struct green__hub *h)
{
        if (h->fresh.first != NULL)
                green__watches_begin(h);
        return green__heap_first(&h->heap);
}

/* timer.c */
void green__timer_fire(struct green__hub *h, struct green_timer *t);
void green__timer_call(struct green__hub *h, struct green_timer *t);
void green__timers_of_thread(green_thread *t);
void green__timers_drop_all(struct green__hub *h);


/* post.c */
int green__mailbox_post(green_hub *mb, struct green__post *post);
void green__mailbox_drain(struct green__hub *h);
void green__mailbox_after_fork(struct green__hub *h);
void green__mailbox_close(struct green__hub *h);
void green__mailbox_unref(green_hub *mb);

/* wait_mt.c */
void green__wait_mt_arrived(struct green_wait_mt *w);
void green__wait_mt_forget(struct green__hub *h, green_thread *t);

/* local.c */
int green__locals_inherit(green_thread *t, const green_thread *from, bool all);
void green__locals_destroy(green_thread *t);

/* error.c */
void green__log_end(green_thread *t);
const char *green__errno_name(int number);

/* error.c: free it, and let go of what it shares. NULL is fine. */
void green__last_error_free(struct green__last_error *e);

/* debug.c */
bool green__log_exceptions(void);

#endif
