/*
 * What the files of Windows' sockets have in common.
 */
#ifndef GREEN_SOCK_WIN32_H
#define GREEN_SOCK_WIN32_H

#include "sock_sys.h"

/* Pieces that one call of the system takes at most. */
#define GREEN__WSABUFS 64

/* Windows' sockets are to be used: the library of the system is started once. */
void green__wsa_begin(void);

/* WSAGetLastError(), as -errno. */
int green__wsa_error(void);

/* A receive or a send has failed: its code, or a count where it is no failure elsewhere. GREEN__WSA_AGAIN: call again. */
#define GREEN__WSA_AGAIN (-100000)
ssize_t green__wsa_recv_failed(green_fd fd, size_t len);
ssize_t green__wsa_send_failed(void);

/* Flags of ours that the system does not know. What never waits cannot wait for all either. */
static inline int
green__wsa_flags(int flags)
{
        return flags & ~(MSG_DONTWAIT | MSG_WAITALL);
}

/* Pieces as the system wants them: at most GREEN__WSABUFS, and no more bytes than a result can tell. */
unsigned long green__wsa_bufs(const struct green_iovec *iov, size_t n, WSABUF bufs[GREEN__WSABUFS]);

/* Bytes of pieces. */
size_t green__wsa_total(const WSABUF *bufs, unsigned long n);

/* Make a socket ours: non-blocking, and not inherited. Closed where that fails. */
int green__wsa_make_ours(green_fd fd, green_fd *ret_fd);

#endif
