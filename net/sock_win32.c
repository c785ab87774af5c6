/*
 * The system's socket calls on Windows. See sock_sys.h.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "count.h"
#include "error_win32.h"
#include "inet.h"
#include "pipe_sys.h"
#include "sock_win32.h"

/* There is no fork. */
unsigned green__sys_forks;
atomic_uint green__sys_splits;

void
green__sys_watch_forks(void)
{
}

/* ---- the system's library */

static void
start(void)
{
        WSADATA data;

        /* If it fails every call does. It is not stopped: the process ends with it. */
        (void)WSAStartup(MAKEWORD(2, 2), &data);
}

void
green__wsa_begin(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, start);
}

int
green__wsa_error(void)
{
        return green__wsa_code(WSAGetLastError());
}

/* What has failed for a socket. Also of what is closed, or no handle at all, Winsock says only that it is no socket. */
static int
failed_for(green_fd fd)
{
        int rc = green__wsa_error();
        DWORD flags;

        return rc == -ENOTSOCK && (fd == GREEN_INVALID_FD || !GetHandleInformation((HANDLE)fd, &flags)) ? -EBADF : rc;
}

/* ---- life */

int
green__wsa_make_ours(green_fd fd, green_fd *ret_fd)
{
        u_long on = 1;

        if (ioctlsocket(fd, FIONBIO, &on) != 0) {
                int rc = green__wsa_error();

                (void)closesocket(fd);
                return rc;
        }
        (void)SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0);
        *ret_fd = fd;
        return 0;
}

int
green__sys_socket(int family, int type, int protocol, green_fd *ret_fd)
{
        green_fd fd;

        green__wsa_begin();
        fd = WSASocketW(family, type, protocol, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
        return fd == INVALID_SOCKET ? green__wsa_error() : green__wsa_make_ours(fd, ret_fd);
}

/* Nothing tells whether a socket blocks, so it is told not to. */
int
green__sys_adopt(green_fd fd, bool *ret_blocking)
{
        u_long on = 1;
        int type, size = sizeof type;

        green__wsa_begin();
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, (char *)&type, &size) != 0)
                return failed_for(fd);
        *ret_blocking = false;
        if (!green__sys_shared(fd))
                (void)SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0);
        return ioctlsocket(fd, FIONBIO, &on) != 0 ? green__wsa_error() : 0;
}

/* Files are handles of the same kind of number. */
int
green__sys_close(green_fd fd)
{
        if (closesocket(fd) == 0)
                return 0;
        if (WSAGetLastError() != WSAENOTSOCK && WSAGetLastError() != WSANOTINITIALISED)
                return green__wsa_error();
        return CloseHandle((HANDLE)fd) ? 0 : green__win32_code(GetLastError());
}

/* ---- from a listener */

static bool
nobody_waits(green_fd fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return WSAPoll(&p, 1, 0) == 0;
}

bool
green__sys_is_of_the_connection(int code)
{
        switch (code) {
        case -EINTR:
        case -ECONNABORTED:
        case -ECONNRESET:
        case -ENETDOWN:
        case -EHOSTUNREACH:
        case -ENETUNREACH:
                return true;
        default:
                return false;
        }
}

static int
accept_once(green_fd fd, green_fd *ret_fd, struct green_addr *ret_peer)
{
        struct sockaddr *sa = ret_peer != NULL ? (struct sockaddr *)&ret_peer->data : NULL;
        socklen_t *size = ret_peer != NULL ? &ret_peer->size : NULL;
        green_fd client;

        if (size != NULL)
                *size = sizeof ret_peer->data;
        client = accept(fd, sa, size);
        return client == INVALID_SOCKET ? failed_for(fd) : green__wsa_make_ours(client, ret_fd);
}

int
green__sys_accept(green_fd fd, bool blocking, green_fd *ret_fd, struct green_addr *ret_peer)
{
        int rc;

        (void)blocking;
        do
                rc = accept_once(fd, ret_fd, ret_peer);
        while (green__unlikely(green__count_passed_over(rc)));
        if (green__unlikely(rc == -EMFILE) && nobody_waits(fd))
                return -EAGAIN;
        return rc == -EAGAIN ? rc : green__count_accept(rc);
}

/* ---- connecting */

int
green__sys_connect(green_fd fd, const struct green_addr *addr)
{
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(addr, &size);
        int rc;

        /* Of a datagram socket the system would take that for the end of a connection. */
        if (addr->size == 0)
                return -EINVAL;
        if (connect(fd, sa, size) == 0)
                return 0;
        rc = failed_for(fd);
        if (rc == -EISCONN)
                return 0;
        return rc == -EAGAIN || rc == -EALREADY ? -EINPROGRESS : rc;
}

int
green__sys_connected(green_fd fd)
{
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        int rc;

        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
                return 1;
        rc = failed_for(fd);
        return rc == -ENOTCONN ? 0 : rc;
}

int
green__sys_error(green_fd fd)
{
        int error = 0, size = sizeof error;

        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, (char *)&error, &size) != 0)
                return failed_for(fd);
        return error == 0 ? 0 : green__wsa_code(error);
}

int
green__sys_bind(green_fd fd, const struct green_addr *addr)
{
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(addr, &size);

        return bind(fd, sa, size) != 0 ? failed_for(fd) : 0;
}

int
green__sys_listen(green_fd fd, int backlog)
{
        return listen(fd, backlog) != 0 ? failed_for(fd) : 0;
}

int
green__sys_shutdown(green_fd fd, int how)
{
        return shutdown(fd, how) != 0 ? failed_for(fd) : 0;
}

/* Those who receive are told nothing, and a receive in flight stays there. */
bool
green__sys_shutdown_wakes(void)
{
        return false;
}

/* ---- names */

static int
take_name(struct green_addr *addr, struct green_addr *ret_addr)
{
        if (addr->size > (socklen_t)sizeof addr->data)
                addr->size = sizeof addr->data;
        *ret_addr = *addr;
        return 0;
}

/* A socket without an address has none here; elsewhere it is of its family, and zero. */
static int
no_name(green_fd fd, struct green_addr *ret_addr)
{
        WSAPROTOCOL_INFOW info;
        int size = sizeof info;

        if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size) != 0)
                return failed_for(fd);
        *ret_addr = (struct green_addr){.size = info.iAddressFamily == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                                : sizeof(struct sockaddr_in)};
        ret_addr->data.ss_family = (short)info.iAddressFamily;
        return 0;
}

int
green__sys_getsockname(green_fd fd, struct green_addr *ret_addr)
{
        struct green_addr addr = {.size = sizeof addr.data};

        if (getsockname(fd, (struct sockaddr *)&addr.data, &addr.size) == 0)
                return take_name(&addr, ret_addr);
        return WSAGetLastError() == WSAEINVAL ? no_name(fd, ret_addr) : failed_for(fd);
}

int
green__sys_getpeername(green_fd fd, struct green_addr *ret_addr)
{
        struct green_addr addr = {.size = sizeof addr.data};

        if (getpeername(fd, (struct sockaddr *)&addr.data, &addr.size) == 0)
                return take_name(&addr, ret_addr);
        return failed_for(fd);
}

/* ---- options */

int
green__sys_getsockopt(green_fd fd, int level, int name, void *value, socklen_t *size)
{
        socklen_t room = *size;
        int error;

        if (getsockopt(fd, level, name, value, size) != 0)
                return failed_for(fd);
        /* Of some switches it writes one byte only. */
        if (*size == 1 && room == sizeof error) {
                error = *(unsigned char *)value;
                memcpy(value, &error, sizeof error);
                *size = room;
        }
        if (level == SOL_SOCKET && name == SO_ERROR && *size == sizeof error) {
                memcpy(&error, value, sizeof error);
                error = error == 0 ? 0 : -green__wsa_code(error);
                memcpy(value, &error, sizeof error);
        }
        return 0;
}

int
green__sys_setsockopt(green_fd fd, int level, int name, const void *value, socklen_t size)
{
        return setsockopt(fd, level, name, value, size) != 0 ? failed_for(fd) : 0;
}

static int
switch_on(green_fd fd, int level, int name)
{
        int on = 1;

        return green__sys_setsockopt(fd, level, name, &on, sizeof on);
}

/* An address can be taken again at once here; with SO_REUSEADDR others could take it while it is in use. */
int
green__sys_reuse_addr(green_fd fd)
{
        return switch_on(fd, SOL_SOCKET, SO_EXCLUSIVEADDRUSE);
}

int
green__sys_reuse_port(green_fd fd)
{
        (void)fd;
        return -ENOPROTOOPT;
}

int
green__sys_no_delay(green_fd fd)
{
        return switch_on(fd, IPPROTO_TCP, TCP_NODELAY);
}

/* ---- moving bytes */

static int
at_most(size_t len)
{
        return len < INT_MAX ? (int)len : INT_MAX;
}

static bool
is_datagram(green_fd fd)
{
        int type = 0, size = sizeof type;

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0 && type == SOCK_DGRAM;
}

ssize_t
green__wsa_recv_failed(green_fd fd, size_t len)
{
        int error = WSAGetLastError();

        switch (error) {
        case WSAEMSGSIZE:
                return (ssize_t)len; /* the rest of the datagram is lost */
        case WSAESHUTDOWN:
        case WSAEDISCON:
                return 0;
        case WSAENOTSOCK:
                return -EBADF; /* it was closed */
        case WSAECONNABORTED:
                return -ECONNRESET;
        case WSAECONNRESET:
        case WSAENETRESET:
                if (!is_datagram(fd))
                        return green__wsa_code(error);
                /* A datagram that was sent before met nobody: only one who has a single peer is told. */
                return green__sys_connected(fd) == 1 ? -ECONNREFUSED : GREEN__WSA_AGAIN;
        default:
                return green__wsa_code(error);
        }
}

ssize_t
green__wsa_send_failed(void)
{
        int error = WSAGetLastError();

        if (error == WSAENOTSOCK)
                return -EBADF; /* it was closed */
        return error == WSAECONNABORTED ? -ECONNRESET : green__wsa_code(error);
}

ssize_t
green__sys_recv(green_fd fd, void *buf, size_t len, int flags)
{
        ssize_t n;

        do {
                n = recv(fd, buf, at_most(len), green__wsa_flags(flags));
                if (n < 0)
                        n = green__wsa_recv_failed(fd, len);
        } while (green__unlikely(n == GREEN__WSA_AGAIN));
        return green__count_received(n, flags);
}

ssize_t
green__sys_recvfrom(green_fd fd, void *buf, size_t len, int flags, struct green_addr *ret_from)
{
        struct green_addr from;
        ssize_t n;

        do {
                from.size = sizeof from.data;
                n = recvfrom(fd, buf, at_most(len), green__wsa_flags(flags), (struct sockaddr *)&from.data, &from.size);
                if (n < 0)
                        n = green__wsa_recv_failed(fd, len);
        } while (green__unlikely(n == GREEN__WSA_AGAIN));
        /* Of a stream it tells nothing. */
        if (n >= 0 && from.size > (socklen_t)sizeof from.data - 1)
                from.size = 0;
        if (n >= 0)
                *ret_from = from;
        return green__count_received(n, flags);
}

ssize_t
green__sys_send(green_fd fd, const void *buf, size_t len, int flags)
{
        ssize_t n = send(fd, buf, at_most(len), green__wsa_flags(flags));

        return green__count_written(n < 0 ? green__wsa_send_failed() : n);
}

ssize_t
green__sys_sendto(green_fd fd, const void *buf, size_t len, int flags, const struct green_addr *to)
{
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(to, &size);
        ssize_t n = sendto(fd, buf, at_most(len), green__wsa_flags(flags), sa, size);

        return green__count_written(n < 0 ? green__wsa_send_failed() : n);
}

unsigned long
green__wsa_bufs(const struct green_iovec *iov, size_t n, WSABUF bufs[GREEN__WSABUFS])
{
        unsigned long count = 0;
        size_t left = INT_MAX;

        for (size_t i = 0; i < n && count < GREEN__WSABUFS && left > 0; i++) {
                size_t len = iov[i].len < left ? iov[i].len : left;

                bufs[count].buf = iov[i].base;
                bufs[count++].len = (ULONG)len;
                left -= len;
        }
        return count;
}

size_t
green__wsa_total(const WSABUF *bufs, unsigned long n)
{
        size_t total = 0;

        for (unsigned long i = 0; i < n; i++)
                total += bufs[i].len;
        return total;
}

ssize_t
green__sys_sendv(green_fd fd, const struct green_iovec *iov, size_t n, int flags)
{
        WSABUF bufs[GREEN__WSABUFS];
        DWORD count = green__wsa_bufs(iov, n, bufs), sent = 0;
        int rc = WSASend(fd, bufs, count, &sent, (DWORD)green__wsa_flags(flags), NULL, NULL);

        return green__count_written(rc != 0 ? green__wsa_send_failed() : (ssize_t)sent);
}

ssize_t
green__sys_recvv(green_fd fd, const struct green_iovec *iov, size_t n, int flags)
{
        WSABUF bufs[GREEN__WSABUFS];
        DWORD count = green__wsa_bufs(iov, n, bufs);
        ssize_t got;

        do {
                DWORD system_flags = (DWORD)green__wsa_flags(flags), len = 0;
                int rc = WSARecv(fd, bufs, count, &len, &system_flags, NULL, NULL);

                got = rc != 0 ? green__wsa_recv_failed(fd, green__wsa_total(bufs, count)) : (ssize_t)len;
        } while (green__unlikely(got == GREEN__WSA_AGAIN));
        return green__count_received(got, flags);
}

/* Taking nothing is no peek for the system: one byte is looked at. */
ssize_t
green__sys_readable(green_fd fd)
{
        char byte;
        ssize_t n = green__sys_recv(fd, &byte, sizeof byte, MSG_PEEK);

        return n > 0 ? 0 : n;
}

int64_t
green__sys_now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
