/**
 * @file
 * @brief C code that blocks, run green without a changed line: its calls to libc go to green-net instead.
 *
 *     green_monkey_patch(0);
 *     // from here on a library that calls connect(), recv(), poll(), pthread_mutex_lock(), sleep(), ... stops the green
 *     // thread that called it, not the OS thread
 *     green_spawn(fetch_with_libcurl, url);
 *
 * What is changed are the *imports* of loaded objects (programs and shared libraries), at run time and in memory only:
 * the cells through which an object calls a function of another. Not changed are those of green-net, of libc and of the
 * loader, so green-net itself always reaches the system, and so do the calls that libc makes of itself (`fread()` calls
 * read() by no import). The manual page green-patch(7) says what can and what cannot be made green.
 *
 * A patched call first asks whether it can wait here: on an OS thread without a hub (which is asked for, never made), in a
 * hub callback and in a signal handler it is the system's own. In a green thread it does what the system's would, but
 * lets others run while it waits. Where the green thread is killed, or a timeout fires, it fails with `errno` ECANCELED,
 * before it did anything; mutexes and condition variables are never cancelled, since their callers do not expect it.
 */
#ifndef GREEN_PATCH_H
#define GREEN_PATCH_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** @name Groups of functions
 * @{
 */
/** read(), write() and their kind on pipes and terminals, close(), dup(), fcntl(), ioctl(). */
#define GREEN_PATCH_OS 0x01u
/** poll(), ppoll(), select(), pselect(), epoll_wait(), epoll_pwait(). */
#define GREEN_PATCH_SELECT 0x02u
/** Everything on sockets: socket(), connect(), accept(), recv(), send(), read() and write() of one, ... */
#define GREEN_PATCH_SOCKET 0x04u
/** POSIX threads become green threads: pthread_create(), mutexes, condition variables, semaphores, keys, ... */
#define GREEN_PATCH_THREAD 0x08u
/** sleep(), usleep(), nanosleep(), clock_nanosleep(). */
#define GREEN_PATCH_TIME 0x10u
/** getaddrinfo(), gethostbyname() and its kind, getnameinfo(). */
#define GREEN_PATCH_DNS 0x20u
/** wait(), waitpid(), waitid(), system(). */
#define GREEN_PATCH_SUBPROCESS 0x40u
/** All of them. All but some is `GREEN_PATCH_ALL & ~GREEN_PATCH_THREAD`. */
#define GREEN_PATCH_ALL 0x7fu
/**
 * No group, but goes with them: the program knows nothing of green-net, and nobody but its threads makes green threads.
 * The calling OS thread gets its hub with its first pthread_create(), and is the root green thread from then on. What
 * `green-net run` does. As with POSIX threads, errors that they end with are not logged: green_debug_hub_exceptions().
 */
#define GREEN_PATCH_PROGRAM 0x80u
/** @} */

/**
 * @brief A group by its name. Never yields. thread-safe.
 * @param name "os", "select", "socket", "thread", "time", "dns" or "subprocess".
 * @return GREEN_PATCH_...; 0: there is none of that name, or it is NULL.
 * @since 0.1 (PATCH-02)
 */
GREEN_API unsigned green_patch_group(const char *name);

/**
 * @brief Let what is loaded, and what is loaded later, call green-net where it calls libc to wait. Never yields.
 *
 * To repeat it is harmless, and adds groups; nothing takes one away. Best called first thing in main(), before another
 * OS thread runs; later is allowed, for calls that begin after it. Locks that were taken before go on working.
 *
 * @param groups GREEN_PATCH_... of the functions, and #GREEN_PATCH_PROGRAM; no group is all.
 * @retval 0       done.
 * @retval -EINVAL an unknown group; nothing was changed.
 * @retval -ENOTSUP a build or a system where imports cannot be changed (a static program), or where nothing stands for the
 *                  functions of these groups (Windows).
 * @return -ENOMEM, or the system's code where memory could not be made writable; green_last_error() names the object.
 *         What was changed until then stays so, and works.
 * @since 0.1 (PATCH-01 to PATCH-05, PATCH-08)
 */
GREEN_API int green_monkey_patch(unsigned groups);

/**
 * @brief Was something patched? Never yields. thread-safe.
 *
 * @param name a group, in lower case ("socket"), or a function ("recv").
 * @return true if its group was given to green_monkey_patch(). False for a name that nothing here stands for, and NULL.
 * @since 0.1 (PATCH-03)
 */
GREEN_API bool green_is_monkey_patched(const char *name);

/**
 * @brief The system's own function. Never yields. thread-safe.
 *
 *     ssize_t (*sys_read)(int, void *, size_t) = (ssize_t (*)(int, void *, size_t))green_original("read");
 *
 * @param name a function of libc.
 * @return it, patched or not; NULL if there is none of that name.
 * @since 0.1 (PATCH-07)
 */
GREEN_API void (*green_original(const char *name))(void);

/**
 * @brief Load a shared library, and patch it and what it brought with it, in all groups; nothing else. Never yields.
 *
 * An object that was loaded before is patched if it is the one that is named, not if it is only needed by it. A second
 * call gives the same handle and counts, as dlopen(3).
 *
 * @param file as for dlopen(3): "libcurl.so.4", or a path.
 * @return a handle for dlsym(3) and dlclose(3); NULL with `errno` ENOENT (it cannot be loaded), ENOTSUP or ENOMEM, and
 *         the reason in green_last_error().
 * @since 0.1 (PATCH-06)
 */
GREEN_API void *green_import_patched(const char *file);

/** A symbol, and what to put in its place: for green_inject(). */
struct green_patch_symbol {
        const char *name;          /**< what the object imports; NULL ends a table */
        void (*replacement)(void); /**< called instead; must have its type */
        void (**ret_original)(void); /**< where to keep what was called before (the last that was found); NULL: nowhere */
};

/**
 * @brief Put other functions in the place of what one object imports. Never yields.
 *
 * Of this object alone; it goes before, and stays after, green_monkey_patch(). What the object resolves by itself later,
 * by dlsym(), is not changed.
 *
 * @param handle of dlopen(3) or green_import_patched(); NULL: the program itself.
 * @param table  ends with a name that is NULL. Borrowed during the call.
 * @return how many imports were changed: 0 where the object imports none of them. -EINVAL: no table, or one without
 *         replacement; -ENOENT: not a handle; -ENOTSUP, -ENOMEM or the system's as for green_monkey_patch().
 * @since 0.1 (PATCH-06)
 */
GREEN_API int green_inject(void *handle, const struct green_patch_symbol *table);

GREEN_END_DECLS

#endif
