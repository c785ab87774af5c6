/*
 * Where green threads wait for objects whose memory is libc's: lists keyed by address.
 *
 * A mutex, semaphore or condition variable of foreign code has no room for a list of green threads, and other OS threads
 * use it at the same time by libc's own functions. So the waiters of all such objects stand in a few hundred lists, found
 * by the address of what they wait for. Nodes lie on the stacks of the waiters; a list's lock is never held over a wait.
 */
#ifndef GREEN_PATCH_LOT_H
#define GREEN_PATCH_LOT_H

#include <green/park.h>

#include <time.h>

/* How a wait has ended, in green__lot_wait.code; what the object says is 0 or a positive errno. */
enum { GREEN__LOT_AGAIN = -1, GREEN__LOT_CANCELLED = -2 };

/* A waiter, on its stack. Set what is marked (set), the rest to zero. */
struct green__lot_wait {
        struct green__lot_wait *next, *prev; /* in its list; under the list's lock */
        const void *key;                     /* (set) the object */
        const void *os;                      /* the OS thread it belongs to */
        /*
         * (set) Take the object for w, if that is possible now: true, with the outcome in w->code. Called under the lock of
         * the list, by the waiter, and by whoever has released the object in the same OS thread (in any, with any_os). NULL:
         * it waits until it is told, by green__lot_tell().
         */
        bool (*try)(struct green__lot_wait *w);
        /*
         * (set) Can it become free without a word, by code that is not patched? Then the first in line looks now and then.
         * NULL: never.
         */
        bool (*silent)(struct green__lot_wait *w);
        void *object;   /* (set) for try: the object, writable */
        uint64_t owner; /* (set) for try: who takes it */
        bool any_os;    /* (set) see try */
        bool slow;      /* (set) looks are far apart: it may wait for long, and a word is likely */
        bool shielded;  /* (set) neither kill nor timeout ends it */
        bool listed;    /* stands in a list; under its lock */
        bool looks;     /* is the one that looks now and then; under its lock */
        int code;       /* see above; under the lock until the hand-over */
        struct green_wait_mt mt;
};

/* Until when: a clock and its time; NULL: for good. */
struct green__lot_limit {
        clockid_t clock;
        const struct timespec *until;
};

/*
 * Wait until w->try succeeds, or until told. May yield; keeps errno. Only where green__patch_may_wait().
 * 0 or a positive errno: what w->code says. ETIMEDOUT: the limit is over; EINVAL: it is none. GREEN__LOT_CANCELLED: by
 * green__lot_cancel(). Below -2: the code of a kill or timeout.
 */
int green__lot_wait(struct green__lot_wait *w, const struct green__lot_limit *limit);

/*
 * The two halves of it, for who has to release something in between: from green__lot_enter() on it can be told.
 * Between them the caller must not yield.
 */
void green__lot_enter(struct green__lot_wait *w);
int green__lot_park(struct green__lot_wait *w, const struct green__lot_limit *limit);

/* Instead of green__lot_park(): it does not wait after all. */
void green__lot_leave(struct green__lot_wait *w);

/* Does a limit make sense? POSIX wants EINVAL only of a call that has to wait. */
bool green__lot_limit_ok(const struct green__lot_limit *limit);
bool green__lot_over(const struct green__lot_limit *limit);

/* The object was released: serve those who wait for it, in their order, as long as it can be taken. Never yields. */
void green__lot_serve(const void *key);

/* Tell the first n who wait for key with no try of their own; how many there were. Never yields. */
unsigned green__lot_tell(const void *key, unsigned n);

/*
 * For an object that counts its waiters: if n - 1 wait for key tell them all, and say true; otherwise let w enter, as
 * green__lot_enter(). Never yields.
 */
bool green__lot_meet(struct green__lot_wait *w, unsigned n);

/* The calling OS thread's number in the system, right after a fork too. */
uint32_t green__lot_tid(void);

/* green__lot_serve() for a signal handler: whoever waits with any_os is served soon. */
void green__lot_serve_later(const void *key);

/* End a wait of the calling OS thread with GREEN__LOT_CANCELLED, if nothing has ended it yet. Never yields. */
void green__lot_cancel(struct green__lot_wait *w);

#endif
