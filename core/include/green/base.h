/**
 * @file
 * @brief Words that every header of green-net uses.
 */
#ifndef GREEN_BASE_H
#define GREEN_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef ENODATA
/** FreeBSD and OpenBSD lack this one: what they say where there is no attribute. */
#define ENODATA ENOATTR
#endif

#ifdef __cplusplus
#define GREEN_BEGIN_DECLS extern "C" {
#define GREEN_END_DECLS }
#else
#define GREEN_BEGIN_DECLS
#define GREEN_END_DECLS
#endif

/** Marks what a library exports. */
#if defined(_WIN32)
#define GREEN_API
#elif defined(__GNUC__)
#define GREEN_API __attribute__((visibility("default")))
#else
#define GREEN_API
#endif

#if defined(__GNUC__)
/** The result says whether the call worked: the compiler warns when it is dropped. */
#define GREEN_MUST_USE __attribute__((warn_unused_result))
/** printf-like: the format is parameter @p f, the first value parameter @p a. Formats are those of C11 everywhere. */
#if defined(_WIN32) && !defined(__clang__)
#define GREEN_PRINTF(f, a) __attribute__((format(gnu_printf, f, a)))
#else
#define GREEN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#endif
/** The function does not come back. */
#define GREEN_NORETURN __attribute__((noreturn))
/** Lies at a multiple of @p n bytes: 64 bits that other OS threads read whole, where 32 bits would do for their type. */
#define GREEN_ALIGNED(n) __attribute__((aligned(n)))
#else
#define GREEN_MUST_USE
#define GREEN_PRINTF(f, a)
#define GREEN_NORETURN
#define GREEN_ALIGNED(n)
#endif

/** @cond */
#define GREEN_STRINGIFY_(x) #x
/** @endcond */
/** The text of x, expanded. */
#define GREEN_STRINGIFY(x) GREEN_STRINGIFY_(x)
/** "file:line" of the place where it stands. */
#define GREEN_HERE __FILE__ ":" GREEN_STRINGIFY(__LINE__)

/** A time limit that never ends, in seconds. Anything at or above it waits for good. */
#define GREEN_FOREVER 1e18

/** A descriptor: `int` on POSIX, a SOCKET on Windows. */
#if defined(_WIN32)
typedef uintptr_t green_fd;
#else
typedef int green_fd;
#endif
/** No descriptor. */
#define GREEN_INVALID_FD ((green_fd)-1)

/** Ready to be read from, closed by the peer, or failed. */
#define GREEN_READ 1u
/** Ready to be written to, closed by the peer, or failed. */
#define GREEN_WRITE 2u
/**
 * With one of the two, for green_trampoline() and green_wait_fd(): others may wait for the same at the same time. They are
 * woken one after the other, first come, first served, as long as the descriptor stays ready.
 */
#define GREEN_SHARED 128u

/** A green thread. Opaque, reference-counted; see <green/thread.h>. */
typedef struct green_thread green_thread;
/** The scheduler of one OS thread. Opaque, reference-counted; see <green/hubs.h>. */
typedef struct green_hub green_hub;

/** What a green thread runs: its argument in, its result out, as with pthreads. */
typedef void *(*green_thread_fn)(void *arg);

#endif
