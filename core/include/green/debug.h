/**
 * @file
 * @brief Switches that help to find faults.
 */
#ifndef GREEN_DEBUG_H
#define GREEN_DEBUG_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/**
 * @brief Log errors that green threads end with and nobody asked for. Never yields. thread-safe. On by default.
 * @param on whether to.
 * @return what it was.
 * @since 0.1 (DEBUG-01, HUB-23)
 */
GREEN_API bool green_debug_hub_exceptions(bool on);

/**
 * @brief Make a second wait for the same descriptor and direction an error. Never yields. thread-safe. On by default.
 *
 * Off: they queue, first come, first served. Sockets and green_io can be switched one by one (#GREEN_IO_SHARED).
 *
 * @param on whether to.
 * @return what it was.
 * @since 0.1 (DEBUG-02, FD-02, FD-03)
 */
GREEN_API bool green_debug_hub_prevent_multiple_readers(bool on);

/**
 * @brief Explain a stack overflow before the process dies of it. Never yields. thread-safe. On by default.
 *
 * A handler for SIGSEGV and SIGBUS, which passes on to the application's, names the green thread, where it was spawned and
 * the size of its stack on stderr. Switch it off before the first green thread if the application wants these signals
 * for itself.
 *
 * @param on whether to.
 * @return what it was.
 * @since 0.1
 */
GREEN_API bool green_debug_overflow_handler(bool on);

/**
 * @brief Write a line for every green thread of the calling OS thread to a descriptor. Never yields.
 *
 * Name, number, state, what it waits for and since when, and where it was spawned.
 *
 * @param fd a descriptor.
 * @return how many there are.
 * @since 0.1 (DEBUG-10)
 */
GREEN_API int green_debug_dump(int fd);

/**
 * @brief What configure found, as printed at its end. Never yields. thread-safe.
 * @return several lines, a constant.
 * @since 0.1
 */
GREEN_API const char *green_version_info(void);

/**
 * @brief Version of the library that runs. Never yields. thread-safe.
 * @return "0.1.0", a constant; #GREEN_VERSION is that of the headers.
 * @since 0.1
 */
GREEN_API const char *green_version(void);

GREEN_END_DECLS

#endif
