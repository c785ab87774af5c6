/*
 * The threads of the pool and the jobs they do: what tpool.c asks of tpool_crew.c. Everything here is under
 * green__tpool_lock unless it says otherwise.
 */
#ifndef GREEN_SYNC_TPOOL_PRIV_H
#define GREEN_SYNC_TPOOL_PRIV_H

#include <green/metrics.h>
#include <green/park.h>
#include <green/tpool.h>

#include <pthread.h>
#include <stdatomic.h>

struct green__worker;
struct green__request;

/* How a job has ended. */
struct green__outcome {
        void *result;
        int code;
        int error_number; /* errno, where the function has set it */
};

struct green__job {
        struct green__job *next, *prev; /* in a queue; next in the inbox too */
        green_thread_fn fn;
        void *arg;
        void (*release)(void *arg, void *result); /* given: the job was allocated, and may be abandoned */
        const char *where;                        /* of the call */
        struct green__request *request;           /* who waits for it; NULL: abandoned */
        struct green__worker *worker;             /* who runs it; NULL: it waits, or is done */
        struct green__jobs *queue;                /* where it waits; NULL: in the inbox, or it has begun */
};

/* Jobs that wait, the oldest first. */
struct green__jobs {
        struct green__job *first, *last;
        atomic_size_t count; /* written under the lock */
};

/* A call that waits, on its stack. */
struct green__request {
        struct green_wait_mt wait;
        struct green__job *job;
        struct green__job own; /* the job itself, where it cannot be abandoned */
        struct green__outcome outcome;
};

struct green__worker {
        struct green__worker *next; /* of the crew */
        struct green__crew *crew;
        pthread_t thread;
        struct green__job *job; /* that it runs; NULL: none, or its caller has ended with its hub */
        green_hub *hub;         /* of the last caller, a reference; only its own thread uses it */
        unsigned done;          /* jobs, for `quick` */
        int64_t since;          /* when the first of the last few began, nanoseconds */
        bool ended;             /* needs nothing any more */
        bool detached;          /* nobody will join it */
};

/* The threads of one start of the pool, until its end. */
struct green__crew {
        struct green__crew *next; /* all of the process */
        struct green__worker *workers;
        int threads; /* that have not ended */
        int most;    /* that may be started */
        int asleep;  /* that wait for `work` and were not told to get up */
        int told;    /* of those that wait for `work`: how many were told to get up, and have not yet */
        size_t running;
        struct green__jobs jobs;
        size_t taken; /* jobs so far */
        bool quick;   /* jobs are so short that waking another thread for one costs more than it */
        bool watched; /* and one watches that they are */
        pthread_cond_t work;
        pthread_cond_t watch;        /* the one that watches */
        pthread_cond_t left;         /* one has ended */
        atomic_bool ending;          /* do what is queued, and end; read without the lock too */
        bool abandoned;              /* nobody will join its threads: the last one frees it */
        struct green_wait_mt *ender; /* green_tpool_killall() waits for the last one */
};

extern pthread_mutex_t green__tpool_lock;

static inline void
green__tpool_enter(void)
{
        (void)pthread_mutex_lock(&green__tpool_lock);
}

static inline void
green__tpool_leave(void)
{
        (void)pthread_mutex_unlock(&green__tpool_lock);
}

/* See tpool_crew.c. */
struct green__pool {
        _Atomic(struct green__job *) inbox; /* the newest first */
        atomic_int available, spare;        /* of the crew that takes jobs */
        _Atomic(struct green__crew *)
                current; /* that one; written under the lock, and without it only compared to NULL */
        uint64_t jobs;   /* that have begun */
        unsigned forks;  /* that this process comes from; written in the child of one only */
};

extern struct green__pool green__pool;

static inline struct green__crew *
green__crew_now(void)
{
        return atomic_load_explicit(&green__pool.current, memory_order_relaxed);
}

/* Of a crew that takes no more jobs nobody keeps count. */
static inline void
green__count_available(const struct green__crew *crew, int n)
{
        if (crew == green__crew_now())
                atomic_fetch_add(&green__pool.available, n);
}

static inline void
green__count_spare(const struct green__crew *crew, int n)
{
        if (crew == green__crew_now())
                atomic_fetch_add(&green__pool.spare, n);
}

/* Is the calling OS thread one of the pool's? Without the lock. */
bool green__tpool_inside(void);

/* It has forked, and is one no more. */
void green__tpool_step_out(void);

/* What a thread of the pool runs; its argument is a struct green__worker. */
void *green__worker_main(void *arg);

/*
 * Hand in a job, without the lock. Where no crew is there one is made, of as many threads at most as `most` says.
 * 0; 1: there are to be no threads; a code of `most`; -EAGAIN, -ENOMEM: no thread could be started, and there is none.
 */
int green__crew_hand_in(struct green__job *job, int (*most)(void));

/* The crew that takes jobs, or NULL. All jobs of the inbox are in queues afterwards. */
struct green__crew *green__crew_peek(void);

void green__jobs_remove(struct green__job *job);

/* All of the inbox, to a queue in which all is older. */
void green__jobs_from_inbox(struct green__jobs *q);

/* Are jobs there, and nobody is available? Then one more is called. */
void green__crew_call_another(struct green__crew *crew);

void green__crew_free(struct green__crew *crew);

/* No more jobs; its threads end when the queue is empty. */
void green__crew_end(struct green__crew *crew);

/* The crew has ended, or nobody wants to wait for that any more. Gives the lock back. */
void green__crew_part(struct green__crew *crew);

/* tpool.c: the pool's metrics, for its source. */
void green__tpool_tell(struct green_metrics_to *to, void *arg);

/* Run a job's function here and now. Without the lock. */
struct green__outcome green__job_run(green_thread_fn fn, void *arg, const char *where);

#endif
