/*
 * The system's calls for messages, descriptors and files on POSIX. See sock_sys.h.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/sendfile.h>
#endif

#include <green/quiet.h>

#include "check.h"
#include "count.h"
#include "sock_sys.h"

/* Descriptors that the system passes with one message at most; a receive has room for all. */
#define FDS_ROOM 253

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

static inline ssize_t
result(ssize_t n)
{
        if (green__likely(n >= 0))
                return n;
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

int
green__sys_socketpair(int family, int type, int protocol, green_fd ret_fds[2])
{
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
        return socketpair(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol, ret_fds) != 0 ? -errno : 0;
#else
        if (socketpair(family, type, protocol, ret_fds) != 0)
                return -errno;
        for (int i = 0; i < 2; i++) {
                (void)fcntl(ret_fds[i], F_SETFD, FD_CLOEXEC);
                (void)fcntl(ret_fds[i], F_SETFL, O_NONBLOCK);
        }
        return 0;
#endif
}

int
green__sys_dup(green_fd fd, green_fd *ret_fd)
{
        green_fd copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

        if (copy < 0)
                return -errno;
        *ret_fd = copy;
        return 0;
}

/* ---- messages */

static void
to_msghdr(const struct green_message *m, bool receive, struct msghdr *ret)
{
        *ret = (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)m->iov, .msg_iovlen = m->iov_count};
        if (receive || m->addr.size > 0) {
                ret->msg_name = (void *)(uintptr_t)&m->addr.data;
                ret->msg_namelen = receive ? (socklen_t)sizeof m->addr.data : m->addr.size;
        }
        if (m->control != NULL && m->control_size > 0) {
                ret->msg_control = m->control;
                ret->msg_controllen = m->control_size;
        }
}

static void
from_msghdr(const struct msghdr *msg, struct green_message *ret)
{
        ret->addr.size = msg->msg_namelen;
        ret->control_size = msg->msg_controllen;
        ret->flags = (int)((unsigned)msg->msg_flags & ~(unsigned)MSG_CMSG_CLOEXEC);
}

ssize_t
green__sys_recvmsg(green_fd fd, struct green_message *m, int flags)
{
        struct msghdr msg;
        ssize_t n;

        do {
                to_msghdr(m, true, &msg);
                n = result(recvmsg(fd, &msg, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
        } while (green__unlikely(n == -EINTR));
        if (n >= 0)
                from_msghdr(&msg, m);
        return green__count_received(n, flags);
}

ssize_t
green__sys_sendmsg(green_fd fd, const struct green_message *m, int flags)
{
        struct msghdr msg;
        ssize_t n;

        to_msghdr(m, false, &msg);
        do
                n = result(sendmsg(fd, &msg, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
        while (green__unlikely(n == -EINTR));
        return green__count_written(n);
}

#if HAVE_RECVMMSG && HAVE_SENDMMSG
int
green__sys_recvmmsg(green_fd fd, struct green_message *messages, size_t n, int flags)
{
        struct mmsghdr some[GREEN_MESSAGES_MAX];
        int got;

        do {
                for (size_t i = 0; i < n; i++)
                        to_msghdr(&messages[i], true, &some[i].msg_hdr);
                got = (int)result(recvmmsg(fd, some, (unsigned)n, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL));
        } while (green__unlikely(got == -EINTR));
        for (int i = 0; i < got; i++) {
                from_msghdr(&some[i].msg_hdr, &messages[i]);
                messages[i].len = some[i].msg_len;
                (void)green__count_received((ssize_t)messages[i].len, flags);
        }
        return got;
}

int
green__sys_sendmmsg(green_fd fd, struct green_message *messages, size_t n, int flags)
{
        struct mmsghdr some[GREEN_MESSAGES_MAX];
        int sent;

        for (size_t i = 0; i < n; i++) {
                to_msghdr(&messages[i], false, &some[i].msg_hdr);
                some[i].msg_len = 0;
        }
        do
                sent = (int)result(sendmmsg(fd, some, (unsigned)n, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
        while (green__unlikely(sent == -EINTR));
        for (int i = 0; i < sent; i++) {
                messages[i].len = some[i].msg_len;
                (void)green__count_written((ssize_t)messages[i].len);
        }
        return sent;
}
#else
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
#endif

ssize_t
green__sys_recvv(green_fd fd, const struct green_iovec *iov, size_t n, int flags)
{
        struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n};
        ssize_t got;

        do
                got = result(recvmsg(fd, &msg, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
        while (green__unlikely(got == -EINTR));
        return green__count_received(got, flags);
}

/* ---- descriptors as control data */

/* Room for as many as there can be, aligned as control data has to be. */
union fds_control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_ROOM * sizeof(int))];
};

ssize_t
green__sys_send_fds(green_fd fd, const void *buf, size_t len, const green_fd *fds, size_t n)
{
        struct green_iovec iov = {.base = (void *)(uintptr_t)buf, .len = len};
        union fds_control control;
        struct green_message m = {.iov = &iov, .iov_count = 1};
        struct cmsghdr *head = &control.align;

        if (n > 0) {
                memset(&control, 0, sizeof control);
                head->cmsg_level = SOL_SOCKET;
                head->cmsg_type = SCM_RIGHTS;
                head->cmsg_len = CMSG_LEN(n * sizeof *fds);
                memcpy(CMSG_DATA(head), fds, n * sizeof *fds);
                m.control = control.bytes;
                m.control_size = CMSG_SPACE(n * sizeof *fds);
        }
        return green__sys_sendmsg(fd, &m, 0);
}

ssize_t
green__sys_recv_fds(green_fd fd, void *buf, size_t len, green_fd *ret_fds, size_t *n)
{
        struct green_iovec iov = {.base = buf, .len = len};
        union fds_control control;
        struct green_message m = {
                .iov = &iov, .iov_count = 1, .control = control.bytes, .control_size = sizeof control.bytes};
        green_fd came[FDS_ROOM];
        struct msghdr msg;
        size_t have = 0;
        ssize_t got = green__sys_recvmsg(fd, &m, 0);

        if (got < 0)
                return got;
        to_msghdr(&m, true, &msg);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
                size_t more = (c->cmsg_len - CMSG_LEN(0)) / sizeof *came;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || have + more > FDS_ROOM)
                        continue;
                memcpy(&came[have], CMSG_DATA(c), more * sizeof *came);
                have += more;
        }
        if (have > *n || (m.flags & MSG_CTRUNC) != 0) {
                for (size_t i = 0; i < have; i++)
                        close(came[i]);
                return -EMSGSIZE;
        }
        memcpy(ret_fds, came, have * sizeof *came);
        *n = have;
        return got;
}

/* ---- files */

#if defined(__linux__)
/* It knows no MSG_NOSIGNAL. */
ssize_t
green__sys_sendfile(green_fd fd, green_fd file, int64_t offset, size_t count)
{
        off_t at = (off_t)offset;
        struct green_quiet q;
        ssize_t n;

        green_quiet_begin(&q, SIGPIPE);
        do
                n = result(sendfile(fd, file, &at, count));
        while (n == -EINTR);
        /* The peer may go away in the midst of a call: it gives what was sent until then, and the signal all the same. */
        green_quiet_end(&q, n == -EPIPE || (n >= 0 && (size_t)n < count));
        return green__count_written(n);
}
#else
ssize_t
green__sys_sendfile(green_fd fd, green_fd file, int64_t offset, size_t count)
{
        (void)fd;
        (void)file;
        (void)offset;
        (void)count;
        return -ENOSYS;
}
#endif

int
green__sys_is_file(green_fd file)
{
        struct stat st;

        if (fstat(file, &st) != 0)
                return -errno;
        return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

ssize_t
green__sys_pread(green_fd file, void *buf, size_t len, int64_t offset)
{
        ssize_t n;

        do
                n = result(pread(file, buf, len, (off_t)offset));
        while (n == -EINTR);
        return n;
}

/* ---- groups */

static int
interface_index(const char *name, unsigned *ret)
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
                return IN6_IS_ADDR_MULTICAST(&sin6.sin6_addr);
        default:
                return false;
        }
}

int
green__sys_group(green_fd fd, bool join, const struct green_addr *group, const char *interface)
{
        struct group_req req;
        unsigned index;
        int rc;

        if (!is_group(group))
                return -EINVAL;
        rc = interface_index(interface, &index);
        if (rc != 0)
                return rc;
        memset(&req, 0, sizeof req);
        req.gr_interface = index;
        memcpy(&req.gr_group, &group->data, group->size);
        return green__sys_setsockopt(fd, green_addr_family(group) == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
                                     join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &req, sizeof req);
}

/* IPv4's options are bytes on some systems, and may be everywhere. */
static int
multicast4(green_fd fd, unsigned index, int hops, bool loop)
{
        struct ip_mreqn from = {.imr_ifindex = (int)index};
        unsigned char ttl = (unsigned char)hops, echo = loop;
        int rc = green__sys_setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &echo, sizeof echo);

        if (rc == 0 && index > 0)
                rc = green__sys_setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from);
        if (rc == 0 && hops >= 0)
                rc = green__sys_setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
        return rc;
}

static int
multicast6(green_fd fd, unsigned index, int hops, bool loop)
{
        unsigned echo = loop;
        int rc = green__sys_setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &echo, sizeof echo);

        if (rc == 0 && index > 0)
                rc = green__sys_setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
        if (rc == 0 && hops >= 0)
                rc = green__sys_setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
        return rc;
}

int
green__sys_multicast(green_fd fd, const char *interface, int hops, bool loop)
{
        struct green_addr own;
        unsigned index;
        int rc;

        if (hops < -1 || hops > 255)
                return -EINVAL;
        rc = interface_index(interface, &index);
        if (rc == 0)
                rc = green__sys_getsockname(fd, &own);
        if (rc != 0)
                return rc;
        switch (green_addr_family(&own)) {
        case AF_INET:
                return multicast4(fd, index, hops, loop);
        case AF_INET6:
                return multicast6(fd, index, hops, loop);
        default:
                return -EINVAL;
        }
}
