/*
 * The system's calls for messages, pairs, copies and groups on Windows. See sock_sys.h.
 *
 * Control data is neither sent nor received, and descriptors are not passed with messages.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "check.h"
#include "count.h"
#include "error_win32.h"
#include "inet.h"
#include "sock_win32.h"

/* ---- pairs: there is no such call, so two sockets of the loopback interface meet */

static int
error_and_close(green_fd fd)
{
        int rc = green__wsa_error();

        (void)closesocket(fd);
        return rc;
}

/* Bound to a port of its own on the loopback interface. */
static int
loopback_socket(int type, green_fd *ret_fd, struct sockaddr_in *ret_addr)
{
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int size = sizeof *ret_addr, rc = green__sys_socket(AF_INET, type, 0, ret_fd);

        if (rc != 0)
                return rc;
        if (bind(*ret_fd, (struct sockaddr *)&any, sizeof any) != 0 ||
            getsockname(*ret_fd, (struct sockaddr *)ret_addr, &size) != 0)
                return error_and_close(*ret_fd);
        return 0;
}

static int
connect_to(green_fd fd, const struct sockaddr_in *addr)
{
        if (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 || WSAGetLastError() == WSAEWOULDBLOCK)
                return 0;
        return green__wsa_error();
}

static int
wait_for(green_fd fd, short events)
{
        struct pollfd p = {.fd = fd, .events = events};
        enum { SOON_MS = 5000 };

        switch (WSAPoll(&p, 1, SOON_MS)) {
        case 1:
                return 0;
        case 0:
                return -ETIMEDOUT;
        default:
                return green__wsa_error();
        }
}

/* Anybody may connect to a port: only the one that we have made is taken. */
static int
accept_from(green_fd listener, const struct sockaddr_in *peer, green_fd *ret_fd)
{
        struct sockaddr_in from;
        green_fd fd;
        int rc, size;

        for (;;) {
                rc = wait_for(listener, POLLIN);
                if (rc != 0)
                        return rc;
                size = sizeof from;
                fd = accept(listener, (struct sockaddr *)&from, &size);
                if (fd == INVALID_SOCKET) {
                        if (WSAGetLastError() != WSAEWOULDBLOCK && WSAGetLastError() != WSAECONNRESET)
                                return green__wsa_error();
                        continue;
                }
                if (from.sin_port == peer->sin_port && from.sin_addr.s_addr == peer->sin_addr.s_addr)
                        return green__wsa_make_ours(fd, ret_fd);
                (void)closesocket(fd);
        }
}

static int
stream_pair(green_fd ret_fds[2])
{
        struct sockaddr_in at, own;
        green_fd listener;
        int rc = loopback_socket(SOCK_STREAM, &listener, &at);

        if (rc != 0)
                return rc;
        rc = loopback_socket(SOCK_STREAM, &ret_fds[0], &own);
        if (rc == 0) {
                rc = listen(listener, 8) != 0 ? green__wsa_error() : connect_to(ret_fds[0], &at);
                if (rc == 0)
                        rc = accept_from(listener, &own, &ret_fds[1]);
                if (rc == 0) {
                        rc = wait_for(ret_fds[0], POLLOUT);
                        if (rc != 0)
                                (void)closesocket(ret_fds[1]);
                }
                if (rc != 0)
                        (void)closesocket(ret_fds[0]);
        }
        (void)closesocket(listener);
        for (int i = 0; i < 2 && rc == 0; i++)
                (void)green__sys_no_delay(ret_fds[i]);
        return rc;
}

static int
datagram_pair(green_fd ret_fds[2])
{
        struct sockaddr_in names[2];
        int rc = loopback_socket(SOCK_DGRAM, &ret_fds[0], &names[0]);

        if (rc != 0)
                return rc;
        rc = loopback_socket(SOCK_DGRAM, &ret_fds[1], &names[1]);
        if (rc == 0) {
                rc = connect_to(ret_fds[0], &names[1]);
                if (rc == 0)
                        rc = connect_to(ret_fds[1], &names[0]);
                if (rc != 0)
                        (void)closesocket(ret_fds[1]);
        }
        if (rc != 0)
                (void)closesocket(ret_fds[0]);
        return rc;
}

int
green__sys_socketpair(int family, int type, int protocol, green_fd ret_fds[2])
{
        if (family != AF_UNIX && family != AF_INET)
                return -EAFNOSUPPORT;
        if (protocol != 0)
                return -EPROTONOSUPPORT;
        switch (type) {
        case SOCK_STREAM:
                return stream_pair(ret_fds);
        case SOCK_DGRAM:
                return datagram_pair(ret_fds);
        default:
                return -EPROTOTYPE;
        }
}

/* ---- copies */

int
green__sys_dup(green_fd fd, green_fd *ret_fd)
{
        WSAPROTOCOL_INFOW info;
        HANDLE copy;
        green_fd made;

        if (WSADuplicateSocketW(fd, GetCurrentProcessId(), &info) == 0) {
                made = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                                  WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
                return made == INVALID_SOCKET ? green__wsa_error() : green__wsa_make_ours(made, ret_fd);
        }
        if (WSAGetLastError() != WSAENOTSOCK && WSAGetLastError() != WSANOTINITIALISED)
                return green__wsa_error();
        if (!DuplicateHandle(GetCurrentProcess(), (HANDLE)fd, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
                return green__win32_code(GetLastError());
        *ret_fd = (green_fd)copy;
        return 0;
}

/* ---- messages */

static ssize_t
receive_once(green_fd fd, struct green_message *m, int flags)
{
        WSABUF bufs[GREEN__WSABUFS];
        DWORD count = green__wsa_bufs(m->iov, m->iov_count, bufs), len = 0, got = (DWORD)green__wsa_flags(flags);
        int size = sizeof m->addr.data;
        ssize_t n;

        m->flags = 0;
        if (WSARecvFrom(fd, bufs, count, &len, &got, (struct sockaddr *)&m->addr.data, &size, NULL, NULL) == 0) {
                n = (ssize_t)len;
        } else {
                if (WSAGetLastError() == WSAEMSGSIZE)
                        m->flags = MSG_TRUNC;
                n = green__wsa_recv_failed(fd, green__wsa_total(bufs, count));
        }
        /* Of a stream it tells no address, and leaves the size alone. */
        m->addr.size = size < (int)sizeof m->addr.data ? size : 0;
        m->control_size = 0;
        return n;
}

ssize_t
green__sys_recvmsg(green_fd fd, struct green_message *m, int flags)
{
        ssize_t n;

        do
                n = receive_once(fd, m, flags);
        while (green__unlikely(n == GREEN__WSA_AGAIN));
        return green__count_received(n, flags);
}

ssize_t
green__sys_sendmsg(green_fd fd, const struct green_message *m, int flags)
{
        WSABUF bufs[GREEN__WSABUFS];
        DWORD count = green__wsa_bufs(m->iov, m->iov_count, bufs), sent = 0;
        const struct sockaddr *to = m->addr.size > 0 ? (const struct sockaddr *)&m->addr.data : NULL;
        int rc;

        if (m->control != NULL && m->control_size > 0)
                return -ENOTSUP;
        rc = WSASendTo(fd, bufs, count, &sent, (DWORD)green__wsa_flags(flags), to, m->addr.size, NULL, NULL);
        return green__count_written(rc != 0 ? green__wsa_send_failed() : (ssize_t)sent);
}

/* One after the other, until one fails: that is told where it is the first. */
static int
each(green_fd fd, struct green_message *messages, size_t n, int flags,
     ssize_t (*move)(green_fd fd, struct green_message *m, int flags))
{
        size_t done = 0;

        while (done < n) {
                ssize_t len = move(fd, &messages[done], flags);

                if (len < 0)
                        return done > 0 ? (int)done : (int)len;
                messages[done++].len = (size_t)len;
        }
        return (int)done;
}

static ssize_t
send_one(green_fd fd, struct green_message *m, int flags)
{
        return green__sys_sendmsg(fd, m, flags);
}

int
green__sys_recvmmsg(green_fd fd, struct green_message *messages, size_t n, int flags)
{
        return each(fd, messages, n, flags, green__sys_recvmsg);
}

int
green__sys_sendmmsg(green_fd fd, struct green_message *messages, size_t n, int flags)
{
        return each(fd, messages, n, flags, send_one);
}

ssize_t
green__sys_send_fds(green_fd fd, const void *buf, size_t len, const green_fd *fds, size_t n)
{
        (void)fds;
        return n > 0 ? -ENOTSUP : green__sys_send(fd, buf, len, 0);
}

ssize_t
green__sys_recv_fds(green_fd fd, void *buf, size_t len, green_fd *ret_fds, size_t *n)
{
        ssize_t got = green__sys_recv(fd, buf, len, 0);

        (void)ret_fds;
        if (got >= 0)
                *n = 0;
        return got;
}

/* ---- files */

ssize_t
green__sys_sendfile(green_fd fd, green_fd file, int64_t offset, size_t count)
{
        (void)fd;
        (void)file;
        (void)offset;
        (void)count;
        return -ENOSYS;
}

int
green__sys_is_file(green_fd file)
{
        DWORD type = GetFileType((HANDLE)file);

        if (type == FILE_TYPE_UNKNOWN && GetLastError() != NO_ERROR)
                return green__win32_code(GetLastError());
        return type == FILE_TYPE_DISK ? 0 : -EINVAL;
}

/* The system moves the position of the handle along with the offset that it was given, so it is put back. */
ssize_t
green__sys_pread(green_fd file, void *buf, size_t len, int64_t offset)
{
        OVERLAPPED at = {.Offset = (DWORD)(uint64_t)offset, .OffsetHigh = (DWORD)((uint64_t)offset >> 32)};
        LARGE_INTEGER none = {.QuadPart = 0}, position;
        DWORD n = 0;
        ssize_t rc;

        if (!SetFilePointerEx((HANDLE)file, none, &position, FILE_CURRENT))
                return green__win32_code(GetLastError());
        if (ReadFile((HANDLE)file, buf, len < INT_MAX ? (DWORD)len : INT_MAX, &n, &at))
                rc = (ssize_t)n;
        else
                rc = GetLastError() == ERROR_HANDLE_EOF ? 0 : green__win32_code(GetLastError());
        (void)SetFilePointerEx((HANDLE)file, position, NULL, FILE_BEGIN);
        return rc;
}

/* ---- groups */

static int
device_index(const char *name, unsigned *ret)
{
        *ret = 0;
        if (name == NULL)
                return 0;
        *ret = if_nametoindex(name);
        return *ret == 0 ? -ENODEV : 0;
}

static bool
is_group(const struct green_addr *addr)
{
        struct sockaddr_in sin;
        struct sockaddr_in6 sin6;

        switch (green_addr_family(addr)) {
        case AF_INET:
                memcpy(&sin, &addr->data, sizeof sin);
                return IN_MULTICAST(ntohl(sin.sin_addr.s_addr));
        case AF_INET6:
                memcpy(&sin6, &addr->data, sizeof sin6);
                return sin6.sin6_addr.s6_addr[0] == 0xff;
        default:
                return false;
        }
}

int
green__sys_group(green_fd fd, bool join, const struct green_addr *group, const char *device)
{
        struct group_req req;
        unsigned index;
        int rc;

        if (!is_group(group))
                return -EINVAL;
        rc = device_index(device, &index);
        if (rc != 0)
                return rc;
        memset(&req, 0, sizeof req);
        req.gr_interface = index;
        memcpy(&req.gr_group, &group->data, (size_t)group->size);
        return green__sys_setsockopt(fd, green_addr_family(group) == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
                                     join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &req, sizeof req);
}

static int
set_number(green_fd fd, int level, int name, DWORD value)
{
        return green__sys_setsockopt(fd, level, name, &value, sizeof value);
}

int
green__sys_multicast(green_fd fd, const char *device, int hops, bool loop)
{
        struct green_addr own;
        unsigned index;
        int rc, level;
        bool is4;

        if (hops < -1 || hops > 255)
                return -EINVAL;
        rc = device_index(device, &index);
        if (rc == 0)
                rc = green__sys_getsockname(fd, &own);
        if (rc != 0)
                return rc;
        is4 = green_addr_family(&own) == AF_INET;
        if (!is4 && green_addr_family(&own) != AF_INET6)
                return -EINVAL;
        level = is4 ? IPPROTO_IP : IPPROTO_IPV6;
        rc = set_number(fd, level, is4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, loop);
        /* IPv4 takes a number as the address 0.x.x.x. */
        if (rc == 0 && index > 0)
                rc = set_number(fd, level, is4 ? IP_MULTICAST_IF : IPV6_MULTICAST_IF, is4 ? htonl(index) : index);
        if (rc == 0 && hops >= 0)
                rc = set_number(fd, level, is4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, (DWORD)hops);
        return rc;
}
