/*
 * What a green thread is as a POSIX thread. See patch_self.c.
 */
#ifndef GREEN_PATCH_THREAD_PRIV_H
#define GREEN_PATCH_THREAD_PRIV_H

#include <green/core.h>

#include <pthread.h>

#include "patch_lot.h"
#include "patch_priv.h"

struct green__pt_once;

/* A value of thread-specific data. */
struct green__pt_value {
        uintptr_t seq; /* of the key that it was set for: see green__native_key() */
        void *value;
};

/* Clean-up that pthread_cleanup_push() has registered, in memory of the function that did; libc reserves as much. */
struct green__pt_cleanup {
        void (*fn)(void *);
        void *arg;
        struct green__pt_cleanup *next; /* the one registered before */
};

/*
 * A POSIX thread: one for each green thread that pthread_create() made, or that has asked who it is. Changed by its own OS
 * thread only, but for refs.
 */
struct green__pt {
        uint64_t ident;         /* green_thread_ident() */
        uintptr_t handle;       /* its pthread_t */
        unsigned refs;          /* under the lock of the table */
        green_thread *thread;   /* a handle; NULL once it has ended */
        green_hub *hub;         /* where it lives; a reference */
        pthread_t os;           /* its OS thread */
        bool root;              /* the OS thread's own green thread: keys and identity are those of the OS thread */
        bool made;              /* by pthread_create(): somebody may join it */
        bool started, ended;    /* its function has; all that POSIX has to do at its end is done */
        bool detached, joined;  /* under the lock of the table */
        bool exiting;           /* pthread_exit() */
        bool no_cancel;         /* PTHREAD_CANCEL_DISABLE */
        bool at_once;           /* PTHREAD_CANCEL_ASYNCHRONOUS */
        bool cancelled;         /* pthread_cancel() */
        bool armed;             /* and its calls fail for that, by green_kill() */
        void *(*start)(void *);
        void *arg, *result;
        void (*c11_start)(void); /* of thrd_create() */
        void *c11_arg;
        struct green__lot_wait *wait; /* of a condition variable, that pthread_cancel() ends */
        struct green__pt_cleanup *cleanups;
        void *jumps;                    /* the newest of what C code without exceptions registers: green__native_jump() */
        struct green__pt_once *onces;   /* runs of pthread_once() it is in, the last first: patch_key.c */
        struct green__pt_value *values; /* of keys */
        unsigned nvalues;
        char *stack_top;                /* end of a page */
        size_t stack_size;              /* bytes, guard included */
        void *base;                     /* frames from here on are not unwound */
        char name[16];
        _Alignas(16) unsigned char exception[32]; /* of the unwinder */
        struct green__pt *next_root;
};

/* The code of the kill that is pthread_cancel(). */
#define GREEN__PT_CANCEL (-1999)

/* The running green thread; NULL: there is none, or no memory. Makes no hub, never yields, good in a signal handler. */
struct green__pt *green__pt_self(void);

/* Whose a lock is: 0 for an OS thread's own green thread, and where there is none. */
uint64_t green__pt_owner(void);

/* A new one, with one reference; not in any green thread yet. NULL: no memory. */
struct green__pt *green__pt_new(void);

/* Let a new green thread be it; 0 or -ENOMEM. stack_size: bytes, 0 for the default. */
int green__pt_spawn(struct green__pt *pt, green_thread_fn fn, size_t stack_size);

/* Is it one of ours, in form? */
bool green__pt_is(pthread_t handle);

/* Find by handle, with a reference more; the OS thread's own green thread too. NULL: it is none, or none any more. */
struct green__pt *green__pt_get(pthread_t handle);
void green__pt_put(struct green__pt *pt);

/* It has ended: the running green thread is it no more. */
void green__pt_forget(const struct green__pt *pt);

/* Under the lock of the table. */
void green__pt_lock(void);
void green__pt_unlock(void);

/* The end of a thread, as POSIX has it: destroy the values of its keys, tell who joins. Once. May yield. */
void green__pt_finish(struct green__pt *pt);
void green__pt_tell(struct green__pt *pt);
void green__pt_destroy_values(struct green__pt *pt);

/* It leaves the frames below limit: what pthread_once() runs there has not been done. */
void green__pt_leave_onces(struct green__pt *pt, uintptr_t limit);

/* pthread_exit(): clean-up, values, end. */
void green__pt_exit(struct green__pt *pt, void *result) __attribute__((noreturn));

/* The running thread starts: a cancel that has come already takes effect. */
void green__pt_begin(struct green__pt *pt);

/* If it was cancelled and does not forbid that: pthread_exit(PTHREAD_CANCELED). */
void green__pt_act(struct green__pt *pt);

/* Start one of green__pt_new(), for pthread_create() and thrd_create(). 0 or a positive errno; then pt is used up. */
int green__pt_start(struct green__pt *pt, pthread_t *ret_handle, const pthread_attr_t *attr);

/* For both kinds of interface. limit NULL: for good. 0 or a positive errno. */
int green__pt_join(pthread_t handle, void **ret_result, const struct green__lot_limit *limit);
int green__pt_detach(pthread_t handle);
void green__pt_yield(void);
int green__pt_once(int *control, void (*init)(void));
void *green__pt_getspecific(pthread_key_t key);
int green__pt_setspecific(pthread_key_t key, const void *value);
int green__pt_key_create(pthread_key_t *ret_key, void (*destructor)(void *));
int green__pt_key_delete(pthread_key_t key);
int green__mutex_lock(pthread_mutex_t *mutex, const struct green__lot_limit *limit);
int green__mutex_trylock(pthread_mutex_t *mutex);
int green__mutex_unlock(pthread_mutex_t *mutex);
int green__cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct green__lot_limit *limit);
int green__cond_signal(pthread_cond_t *cond);
int green__cond_broadcast(pthread_cond_t *cond);

#endif
