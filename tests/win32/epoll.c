/* What hub_late calls: see sys/epoll.h, sys/eventfd.h, sys/stat.h, sys/syscall.h, sys/uio.h. */
#include "win32.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <windows.h>

#undef connect
#undef getsockopt
#undef socket

/* -1, with errno of what Winsock said. */
static int
code_of(int error)
{
        static const struct {
                int theirs, ours;
        } codes[] = {
                {WSAEWOULDBLOCK, EAGAIN},
                {WSAENOTSOCK, EBADF},
                {WSAECONNRESET, ECONNRESET},
                {WSAECONNABORTED, ECONNABORTED},
                {WSAECONNREFUSED, ECONNREFUSED},
                {WSAESHUTDOWN, EPIPE},
                {WSAENOTCONN, ENOTCONN},
                {WSAEINVAL, EINVAL},
                {WSAEISCONN, EISCONN},
                {WSAEALREADY, EALREADY},
                {WSAETIMEDOUT, ETIMEDOUT},
                {WSAEHOSTUNREACH, EHOSTUNREACH},
                {WSAENETUNREACH, ENETUNREACH},
                {WSAEADDRNOTAVAIL, EADDRNOTAVAIL},
                {WSAEAFNOSUPPORT, EAFNOSUPPORT},
                {WSAEFAULT, EFAULT},
                {WSAEOPNOTSUPP, EOPNOTSUPP},
                {WSAEMSGSIZE, EMSGSIZE},
                {WSAEACCES, EACCES},
                {WSAEDESTADDRREQ, EDESTADDRREQ},
                {WSAENOBUFS, ENOBUFS},
                {WSAEADDRINUSE, EADDRINUSE},
        };

        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
                if (codes[i].theirs == error)
                        return codes[i].ours;
        return error == 0 ? 0 : EIO;
}

static int
failed(void)
{
        errno = code_of(WSAGetLastError());
        return -1;
}

static int
refused(int code)
{
        errno = code;
        return -1;
}

long
syscall(long number)
{
        return number == SYS_gettid ? (long)GetCurrentThreadId() : refused(ENOSYS);
}

/* ---- sockets */

/*
 * Which of those that had this number it is. The limit of blocking receives, which these sockets have none of, bears
 * it. 0: it is no socket.
 */
static DWORD
tag_of(uintptr_t fd)
{
        static LONG last = 1000000000; /* milliseconds: whoever blocks does not notice */
        DWORD tag = 0;
        int len = sizeof tag;

        if (getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, (char *)&tag, &len) != 0)
                return 0;
        if (tag != 0)
                return tag;
        tag = (DWORD)InterlockedIncrement(&last);
        return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, (const char *)&tag, sizeof tag) == 0 ? tag : 1;
}

int
win32_fstat(uintptr_t fd, struct stat *ret_stat)
{
        DWORD unused;

        memset(ret_stat, 0, sizeof *ret_stat);
        ret_stat->st_dev = tag_of(fd);
        if (ret_stat->st_dev != 0)
                return 0;
        return refused(GetHandleInformation((HANDLE)fd, &unused) ? ENOTSUP : EBADF);
}

int
win32_connect(uintptr_t fd, const struct sockaddr *name, socklen_t len)
{
        if (connect(fd, name, len) == 0)
                return 0;
        return WSAGetLastError() == WSAEWOULDBLOCK ? refused(EINPROGRESS) : failed();
}

int
win32_getsockopt(uintptr_t fd, int level, int option, void *value, socklen_t *len)
{
        if (getsockopt(fd, level, option, value, len) != 0)
                return failed();
        if (level == SOL_SOCKET && option == SO_ERROR)
                *(int *)value = code_of(*(int *)value);
        return 0;
}

/* The system has its own copy of these when the call is back. NULL: there is no memory. */
static WSABUF *
buffers_of(const struct iovec *iov, size_t n)
{
        WSABUF *buffers = calloc(n + 1, sizeof *buffers);

        for (size_t i = 0; buffers != NULL && i < n; i++)
                buffers[i] = (WSABUF){.len = (ULONG)iov[i].iov_len, .buf = iov[i].iov_base};
        if (buffers == NULL)
                errno = ENOMEM;
        return buffers;
}

ssize_t
sendmsg(uintptr_t fd, const struct msghdr *message, int flags)
{
        WSABUF *buffers = buffers_of(message->msg_iov, message->msg_iovlen);
        DWORD done = 0, n = message->msg_iovlen > 0 ? (DWORD)message->msg_iovlen : 1;
        int rc;

        if (buffers == NULL)
                return -1;
        rc = WSASendTo(fd, buffers, n, &done, (DWORD)flags & ~(DWORD)MSG_DONTWAIT, message->msg_name,
                       message->msg_namelen, NULL, NULL);
        rc = rc == 0 ? 0 : failed();
        free(buffers);
        return rc == 0 ? (ssize_t)done : -1;
}

ssize_t
recvmsg(uintptr_t fd, struct msghdr *message, int flags)
{
        WSABUF *buffers = buffers_of(message->msg_iov, message->msg_iovlen);
        DWORD done = 0, left = (DWORD)flags & ~(DWORD)MSG_DONTWAIT;
        DWORD n = message->msg_iovlen > 0 ? (DWORD)message->msg_iovlen : 1;
        int rc;

        if (buffers == NULL)
                return -1;
        if (message->msg_name != NULL)
                rc = WSARecvFrom(fd, buffers, n, &done, &left, message->msg_name, &message->msg_namelen, NULL, NULL);
        else
                rc = WSARecv(fd, buffers, n, &done, &left, NULL, NULL);
        /* Elsewhere a message that did not fit is cut. */
        rc = rc == 0 || WSAGetLastError() == WSAEMSGSIZE ? 0 : failed();
        free(buffers);
        return rc == 0 ? (ssize_t)done : -1;
}

ssize_t
writev(uintptr_t fd, const struct iovec *iov, int n)
{
        struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};

        return sendmsg(fd, &message, 0);
}

ssize_t
readv(uintptr_t fd, const struct iovec *iov, int n)
{
        struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};

        return recvmsg(fd, &message, 0);
}

ssize_t
preadv(uintptr_t fd, const struct iovec *iov, int n, int64_t offset)
{
        (void)fd;
        (void)iov;
        (void)n;
        (void)offset;
        return refused(ENOTSUP);
}

ssize_t
pwritev(uintptr_t fd, const struct iovec *iov, int n, int64_t offset)
{
        return preadv(fd, iov, n, offset);
}

/* ---- waiting */

/* A registered socket. */
struct row {
        uintptr_t fd;
        DWORD tag; /* see tag_of() */
        bool off;  /* it has reported, and was to do so once */
        struct epoll_event event;
};

struct epoll {
        struct epoll *next; /* of all there were: they are used again, and never freed */
        int fd;
        DWORD tag;
        struct row *rows;
        size_t n, room;
        size_t first; /* where the next look begins */
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct epoll *epolls;

/* That of this number; one whose socket is closed for below 0, or NULL. */
static struct epoll *
find_epoll(int fd)
{
        struct epoll *at;

        AcquireSRWLockExclusive(&lock);
        for (at = epolls; at != NULL; at = at->next)
                if (fd >= 0 ? at->fd == fd : at->fd >= 0 && tag_of((uintptr_t)at->fd) != at->tag)
                        break;
        if (fd < 0 && at != NULL)
                at->fd = -1;
        ReleaseSRWLockExclusive(&lock);
        return at;
}

int
epoll_create1(int flags)
{
        struct epoll *made = find_epoll(-1);

        (void)flags;
        if (made == NULL) {
                made = calloc(1, sizeof *made);
                if (made == NULL)
                        return refused(ENOMEM);
                made->fd = -1;
                AcquireSRWLockExclusive(&lock);
                made->next = epolls;
                epolls = made;
                ReleaseSRWLockExclusive(&lock);
        }
        made->n = made->first = 0;
        made->fd = win32_socket(AF_INET, SOCK_DGRAM, 0);
        made->tag = made->fd >= 0 ? tag_of((uintptr_t)made->fd) : 0;
        return made->fd;
}

static struct row *
find_row(struct epoll *epoll, uintptr_t fd)
{
        for (size_t i = 0; i < epoll->n; i++)
                if (epoll->rows[i].fd == fd)
                        return &epoll->rows[i];
        return NULL;
}

static void
drop_row(struct epoll *epoll, struct row *row)
{
        *row = epoll->rows[--epoll->n];
}

static struct row *
add_row(struct epoll *epoll)
{
        size_t room = 2 * epoll->room + 16;
        struct row *larger;

        if (epoll->n < epoll->room)
                return &epoll->rows[epoll->n++];
        larger = realloc(epoll->rows, room * sizeof *larger);
        if (larger == NULL)
                return NULL;
        epoll->rows = larger;
        epoll->room = room;
        return &epoll->rows[epoll->n++];
}

int
epoll_ctl(int fd_of_epoll, int what, uintptr_t fd, struct epoll_event *event)
{
        struct epoll *epoll = find_epoll(fd_of_epoll);
        DWORD tag = tag_of(fd), unused;
        struct row *row;

        if (epoll == NULL)
                return refused(EBADF);
        row = find_row(epoll, fd);
        if (row != NULL && row->tag != tag) {
                /* It was closed. */
                drop_row(epoll, row);
                row = NULL;
        }
        if (tag == 0)
                return refused(!GetHandleInformation((HANDLE)fd, &unused)  ? EBADF
                               : GetFileType((HANDLE)fd) == FILE_TYPE_DISK ? EPERM
                                                                           : ENOTSOCK);
        if ((row == NULL) != (what == EPOLL_CTL_ADD))
                return refused(row == NULL ? ENOENT : EEXIST);
        if (what == EPOLL_CTL_DEL) {
                drop_row(epoll, row);
                return 0;
        }
        if (row == NULL)
                row = add_row(epoll);
        if (row == NULL)
                return refused(ENOMEM);
        *row = (struct row){.fd = fd, .tag = tag, .event = *event};
        return 0;
}

/* What WSAPoll() may be asked. */
static short
asked(uint32_t reads, uint32_t writes)
{
        return (short)((reads ? POLLRDNORM : 0) | (writes ? POLLWRNORM : 0));
}

/* What is to be told of a row. */
static uint32_t
told(const struct row *row, short revents)
{
        uint32_t bits = (revents & (POLLRDNORM | POLLRDBAND) ? (uint32_t)EPOLLIN : 0u) |
                        (revents & POLLWRNORM ? (uint32_t)EPOLLOUT : 0u) |
                        (revents & POLLERR ? (uint32_t)EPOLLERR : 0u) |
                        (revents & POLLHUP ? (uint32_t)(EPOLLIN | EPOLLRDHUP) : 0u);

        return row->off ? 0 : bits & (row->event.events | EPOLLERR);
}

/* WSAPoll(), which fails as a whole where no socket is one. */
static int
poll_all(struct pollfd *fds, size_t n, int ms)
{
        int rc = n > 0 ? WSAPoll(fds, (ULONG)n, ms) : 0;

        if (n == 0)
                Sleep(ms < 0 ? INFINITE : (DWORD)ms);
        if (rc >= 0)
                return rc;
        for (size_t i = 0; i < n; i++)
                fds[i].revents = POLLNVAL;
        return (int)n;
}

/* Asks for the rows of an epoll, in their order. Their number. */
static size_t
ask_rows(const struct epoll *epoll, struct pollfd *fds)
{
        for (size_t i = 0; i < epoll->n; i++) {
                const struct row *row = &epoll->rows[i];

                fds[i] = (struct pollfd){
                        .fd = row->fd,
                        .events = row->off ? 0 : asked(row->event.events & EPOLLIN, row->event.events & EPOLLOUT)};
        }
        return epoll->n;
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
        struct epoll *epoll = find_epoll(fd);
        struct pollfd *fds = epoll != NULL ? calloc(epoll->n + 1, sizeof *fds) : NULL;
        int found = 0;
        size_t n;

        (void)timeout;
        if (fds == NULL)
                return refused(EBADF);
        n = ask_rows(epoll, fds);
        (void)poll_all(fds, n, 0);
        for (size_t i = 0; i < n && found < max; i++) {
                size_t at = (epoll->first + i) % n;
                struct row *row = &epoll->rows[at];
                uint32_t bits = told(row, fds[at].revents);

                if (bits == 0)
                        continue;
                events[found++] = (struct epoll_event){.events = bits, .data = row->event.data};
                row->off = (row->event.events & EPOLLONESHOT) != 0;
        }
        epoll->first = n > 0 ? (epoll->first + 1) % n : 0;
        /* Whoever is closed is registered no more. */
        for (size_t i = n; i > 0; i--)
                if (fds[i - 1].revents & POLLNVAL)
                        drop_row(epoll, &epoll->rows[i - 1]);
        free(fds);
        return found;
}

/* Rounded up. */
static int
milliseconds(const struct timespec *limit)
{
        return limit == NULL ? -1 : (int)(limit->tv_sec * 1000 + (limit->tv_nsec + 999999) / 1000000);
}

/* Carries over what was found; how many rows have something. */
static int
take(struct pollfd *fds, nfds_t n, const struct pollfd *found, const struct epoll *const *epolls_of)
{
        int count = 0;

        for (nfds_t i = 0; i < n; i++) {
                fds[i].revents = 0;
                if (epolls_of[i] != NULL) {
                        for (size_t at = 0; at < epolls_of[i]->n; at++, found++)
                                if (told(&epolls_of[i]->rows[at], found->revents) != 0)
                                        fds[i].revents = POLLRDNORM;
                } else if (fds[i].fd != INVALID_SOCKET) {
                        fds[i].revents = found->revents;
                        found++;
                }
                count += fds[i].revents != 0;
        }
        return count;
}

int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit, const void *signals)
{
        const struct epoll **of = calloc(n, sizeof *of);
        struct pollfd *asks;
        size_t room = n, at = 0;
        int found, count;

        (void)signals;
        for (nfds_t i = 0; of != NULL && i < n; i++) {
                of[i] = fds[i].fd == INVALID_SOCKET ? NULL : find_epoll((int)fds[i].fd);
                room += of[i] != NULL ? of[i]->n : 0;
        }
        asks = of != NULL ? calloc(room + 1, sizeof *asks) : NULL;
        if (asks == NULL) {
                free(of);
                return refused(ENOMEM);
        }
        for (nfds_t i = 0; i < n; i++) {
                if (of[i] != NULL)
                        at += ask_rows(of[i], asks + at);
                else if (fds[i].fd != INVALID_SOCKET)
                        asks[at++] = (struct pollfd){.fd = fds[i].fd,
                                                     .events = asked((uint32_t)(fds[i].events & POLLIN),
                                                                     (uint32_t)(fds[i].events & POLLOUT))};
        }
        found = poll_all(asks, at, milliseconds(limit));
        count = take(fds, n, asks, of);
        /* The end of a peer is told also to those that did not ask: not over and over. */
        if (found > 0 && count == 0)
                Sleep(1);
        free(of);
        free(asks);
        return count;
}

int
eventfd(unsigned value, int flags)
{
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int len = sizeof name, fd = win32_socket(AF_INET, SOCK_DGRAM | (flags & EFD_NONBLOCK ? SOCK_NONBLOCK : 0), 0);

        (void)value;
        if (fd < 0 || (bind((SOCKET)fd, (struct sockaddr *)&name, len) == 0 &&
                       getsockname((SOCKET)fd, (struct sockaddr *)&name, &len) == 0 &&
                       connect((SOCKET)fd, (struct sockaddr *)&name, len) == 0))
                return fd;
        (void)failed();
        closesocket((SOCKET)fd);
        return -1;
}
