/*
 * Objects of glibc. See patch_native.h.
 *
 * Their layout is part of its binary interface: initialisers are compiled into programs.
 */
#include <config.h>

#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>

#include "patch_native.h"

enum {
        KIND_MASK = 3, /* of __kind */
        KIND_ROBUST = 16,
        COND_MONOTONIC = 2,                   /* of __wrefs */
        ROOM = sizeof(void *) == 8 ? 24 : 20, /* __list: used by robust mutexes alone */
};

const bool green__native_long_offsets = true;

enum green__native_kind
green__native_mutex_kind(const pthread_mutex_t *mutex)
{
        int kind = mutex->__data.__kind & KIND_MASK;

        return kind == PTHREAD_MUTEX_RECURSIVE    ? GREEN__NATIVE_RECURSIVE
               : kind == PTHREAD_MUTEX_ERRORCHECK ? GREEN__NATIVE_ERRORCHECK
                                                  : GREEN__NATIVE_NORMAL;
}

uint32_t
green__native_mutex_owner(const pthread_mutex_t *mutex)
{
        return (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) & 0x3fffffff;
}

unsigned
green__native_mutex_depth(const pthread_mutex_t *mutex)
{
        return mutex->__data.__count;
}

uint32_t *
green__native_mutex_room(pthread_mutex_t *mutex)
{
        if (mutex->__data.__kind & KIND_ROBUST)
                return NULL;
        return (uint32_t *)(void *)((char *)mutex + ROOM);
}

uint32_t
green__native_rwlock_writer(const pthread_rwlock_t *lock)
{
        return (uint32_t)__atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
}

uint32_t *
green__native_rwlock_room(pthread_rwlock_t *lock)
{
        return &lock->__data.__pad3;
}

clockid_t
green__native_cond_clock(const pthread_cond_t *cond)
{
        return cond->__data.__wrefs & COND_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

/* in, current_round, count, shared, out */
unsigned
green__native_barrier_count(const pthread_barrier_t *barrier)
{
        const unsigned *words = (const unsigned *)(const void *)barrier;

        return words[3] != 0 ? 0 : words[2];
}

/* ---- keys: libc keeps this table for debuggers, too */

struct native_key {
        uintptr_t seq; /* odd: in use */
        void (*destructor)(void *);
};

static const struct native_key *
keys(void)
{
        static _Atomic(const struct native_key *) found;
        const struct native_key *table = atomic_load_explicit(&found, memory_order_acquire);

        if (table == NULL) {
                table = dlsym(RTLD_DEFAULT, "__pthread_keys");
                atomic_store_explicit(&found, table, memory_order_release);
        }
        return table;
}

/* Where there is no such table. */
static struct native_key made[PTHREAD_KEYS_MAX];

bool
green__native_key(pthread_key_t key, void (**ret_destructor)(void *), uintptr_t *ret_seq)
{
        const struct native_key *table = keys();

        if (key >= PTHREAD_KEYS_MAX)
                return false;
        if (table == NULL)
                table = made;
        *ret_destructor = table[key].destructor;
        *ret_seq = table[key].seq;
        return table[key].seq & 1;
}

void
green__native_key_made(pthread_key_t key, void (*destructor)(void *))
{
        if (key >= PTHREAD_KEYS_MAX)
                return;
        made[key].destructor = destructor;
        made[key].seq = (made[key].seq + 1) | 1;
}

void
green__native_key_deleted(pthread_key_t key)
{
        if (key < PTHREAD_KEYS_MAX && made[key].seq & 1)
                made[key].seq++;
}

/* ---- clean-up */

/* By another name: the checks that _FORTIFY_SOURCE adds do not know of other stacks. */
extern void jump(void *place, int value) __asm__("_longjmp") __attribute__((noreturn));

void
green__native_jump(void *place)
{
        jump(place, 1);
}

/* The words after the buffer are for libc, which never sees it. */
void **
green__native_jump_next(void *place)
{
        return &((__pthread_unwind_buf_t *)place)->__pad[0];
}

/* ---- pthread_once() */

/* libc's functions of old; its headers declare them no more. */
struct cleanup {
        void (*routine)(void *);
        void *arg;
        int type;
        struct cleanup *prev;
};

extern void _pthread_cleanup_push(struct cleanup *, void (*)(void *), void *);
extern void _pthread_cleanup_pop(struct cleanup *, int);

static void
nothing(void *arg)
{
        (void)arg;
}

/* It is a list of the OS thread, whose entries lie on the stack: its head is seen by an entry of our own. */
void
green__native_once_inside(const void *outer)
{
        struct cleanup probe;

        _pthread_cleanup_push(&probe, nothing, NULL);
        if ((const char *)probe.prev > (const char *)&probe && (const char *)probe.prev < (const char *)outer)
                _pthread_cleanup_pop(probe.prev, 0);
        else
                _pthread_cleanup_pop(&probe, 0);
}
