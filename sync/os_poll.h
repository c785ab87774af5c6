/*
 * Which descriptors are ready now, as poll() tells it. What differs by system stands in os_poll_posix.c and
 * os_poll_win32.c.
 */
#ifndef GREEN_SYNC_OS_POLL_H
#define GREEN_SYNC_OS_POLL_H

#include <green/base.h>

#if defined(_WIN32)
#include <winsock2.h>
#else
#include <poll.h>
#endif

/* Without a wait. Rows of GREEN_INVALID_FD are passed over. 0, or -errno. */
int green__os_poll(struct pollfd *rows, size_t n);

#endif
