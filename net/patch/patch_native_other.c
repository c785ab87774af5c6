/*
 * Objects of other libcs: musl. See patch_native.h.
 */
#include <config.h>

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

#include "patch_native.h"

/* Words of a mutex: type, lock, waiters, two that are not used, depth; then the list of robust ones. */
enum { TYPE = 0, LOCK = 1, ROOM = 3, DEPTH = 5 };

enum { COND_CLOCK = 4, BARRIER_LIMIT = 2 };

static inline int
word(const void *object, int i)
{
        return __atomic_load_n((const int *)object + i, __ATOMIC_RELAXED);
}

const bool green__native_long_offsets = false;

enum green__native_kind
green__native_mutex_kind(const pthread_mutex_t *mutex)
{
        int kind = word(mutex, TYPE) & 3;

        return kind == PTHREAD_MUTEX_RECURSIVE    ? GREEN__NATIVE_RECURSIVE
               : kind == PTHREAD_MUTEX_ERRORCHECK ? GREEN__NATIVE_ERRORCHECK
                                                  : GREEN__NATIVE_NORMAL;
}

uint32_t
green__native_mutex_owner(const pthread_mutex_t *mutex)
{
        return (uint32_t)word(mutex, LOCK) & 0x3fffffff;
}

unsigned
green__native_mutex_depth(const pthread_mutex_t *mutex)
{
        return (unsigned)word(mutex, DEPTH) + 1;
}

uint32_t *
green__native_mutex_room(pthread_mutex_t *mutex)
{
        return (uint32_t *)(void *)((int *)(void *)mutex + ROOM);
}

/* Who writes is not noted. */
uint32_t
green__native_rwlock_writer(const pthread_rwlock_t *lock)
{
        (void)lock;
        return 0;
}

uint32_t *
green__native_rwlock_room(pthread_rwlock_t *lock)
{
        (void)lock;
        return NULL;
}

clockid_t
green__native_cond_clock(const pthread_cond_t *cond)
{
        return (clockid_t)word(cond, COND_CLOCK);
}

unsigned
green__native_barrier_count(const pthread_barrier_t *barrier)
{
        int limit = word(barrier, BARRIER_LIMIT);

        return limit < 0 ? 0 : (unsigned)limit + 1;
}

static struct {
        uintptr_t seq; /* odd: in use */
        void (*destructor)(void *);
} made[PTHREAD_KEYS_MAX];

bool
green__native_key(pthread_key_t key, void (**ret_destructor)(void *), uintptr_t *ret_seq)
{
        if (key >= PTHREAD_KEYS_MAX)
                return false;
        *ret_destructor = made[key].destructor;
        *ret_seq = made[key].seq;
        return true;
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

/* Programs call _pthread_cleanup_push() instead. */
void
green__native_jump(void *place)
{
        (void)place;
        abort();
}

void **
green__native_jump_next(void *place)
{
        return place;
}

/* Nothing is noted. */
void
green__native_once_inside(const void *outer)
{
        (void)outer;
}
