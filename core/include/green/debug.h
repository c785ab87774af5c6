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
 * Number, name, state and where it was spawned; of one that waits, the address of the call and for how long.
 *
 * @param fd a descriptor.
 * @return how many there are.
 * @since 0.1 (DEBUG-10)
 */
GREEN_API int green_debug_dump(int fd);

/**
 * @brief Describe the foreign event loop that the calling OS thread's hub lives in: a line for each thing that it waits
 *        for, the hub's own and the application's. Never yields.
 * @param[out] text where to; ends with NUL. May be NULL where size is 0.
 * @param      size bytes there.
 * @return bytes the whole text has without its NUL, as snprintf(); one line that says so where there is no foreign loop.
 *         GREEN_EHUB: there is no hub, and none can be made.
 * @since 0.1 (DEBUG-08)
 */
GREEN_API int green_debug_format_asyncio_info(char *text, size_t size);

GREEN_END_DECLS

#endif
