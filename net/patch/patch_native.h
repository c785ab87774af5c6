/*
 * What has to be known of the objects of a libc beyond its headers. One file for each libc: patch_native_glibc.c,
 * patch_native_other.c.
 */
#ifndef GREEN_PATCH_NATIVE_H
#define GREEN_PATCH_NATIVE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum green__native_kind {
        GREEN__NATIVE_NORMAL,     /* nobody asks who holds it; adaptive ones too */
        GREEN__NATIVE_RECURSIVE,  /* its holder may lock it again */
        GREEN__NATIVE_ERRORCHECK, /* its holder is told that it holds it */
};

enum green__native_kind green__native_mutex_kind(const pthread_mutex_t *mutex);

/* Thread id of the OS thread that holds it; 0: nobody, or one that is just taking it. */
uint32_t green__native_mutex_owner(const pthread_mutex_t *mutex);

/* How often a recursive one is locked. */
unsigned green__native_mutex_depth(const pthread_mutex_t *mutex);

/*
 * 32 bits in a recursive or error-checking mutex that libc sets to 0 in initialisers and pthread_mutex_init(), and does not
 * use; NULL: this one has none (it is robust).
 */
uint32_t *green__native_mutex_room(pthread_mutex_t *mutex);

/* Thread id of the OS thread that holds a read-write lock for writing; 0: none. */
uint32_t green__native_rwlock_writer(const pthread_rwlock_t *lock);

/* 32 bits in one that libc sets to 0 at first and does not use; NULL: there are none. */
uint32_t *green__native_rwlock_room(pthread_rwlock_t *lock);

/* The clock of pthread_cond_timedwait(). */
clockid_t green__native_cond_clock(const pthread_cond_t *cond);

/* Is sendfile()'s offset a long, and sendfile64()'s of 64 bits? */
extern const bool green__native_long_offsets;

/* How many meet at a barrier; 0: it is shared between processes. */
unsigned green__native_barrier_count(const pthread_barrier_t *barrier);

/* A key of thread-specific data: does it exist, what destroys values, and a number that differs when it was made anew. */
bool green__native_key(pthread_key_t key, void (**ret_destructor)(void *), uintptr_t *ret_seq);

/* pthread_key_create() and pthread_key_delete() in patched code: for a libc that cannot be asked. */
void green__native_key_made(pthread_key_t key, void (*destructor)(void *));
void green__native_key_deleted(pthread_key_t key);

/* How the functions are called that pthread_cleanup_push() calls: on i386 with the argument in a register. */
#ifdef __cleanup_fct_attribute
#define GREEN__NATIVE_CLEANUP __cleanup_fct_attribute
#else
#define GREEN__NATIVE_CLEANUP
#endif

typedef void GREEN__NATIVE_CLEANUP green__native_cleanup_fn(void *place);

/*
 * What pthread_cleanup_push() of C code without exceptions leaves with libc: a place to jump to, and room for the address of
 * the one before. Only where programs call __pthread_register_cancel() for it.
 */
void green__native_jump(void *place) __attribute__((noreturn));
void **green__native_jump_next(void *place);

/*
 * In the function that pthread_once() calls, while anything is on the stack above (const char *)outer: whatever libc has
 * noted for the OS thread about the call is taken off, since another green thread may do the same meanwhile.
 */
void green__native_once_inside(const void *outer);

#endif
