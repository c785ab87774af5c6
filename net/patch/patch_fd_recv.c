/*
 * recv() and its kind. Tried once with MSG_DONTWAIT, so that nothing of the descriptor is changed; what has to wait
 * then goes on in green__patch_recv_rest().
 */
#include "patch_fd_priv.h"

#include <poll.h>
#include <time.h>

/* These never wait, or say so themselves. */
enum { AS_IT_IS = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB };

bool
green__patch_is_stream(int fd)
{
        int saved = errno, type = SOCK_STREAM;
        socklen_t size = sizeof type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
                type = SOCK_DGRAM;
        errno = saved;
        return type == SOCK_STREAM;
}

/* May a call want more than a first piece? */
static inline bool
wants_more(int fd, int flags)
{
        return green__unlikely((flags & MSG_WAITALL) != 0 || (green__patch_known(fd) & PATCH_LOWAT) != 0);
}

/* How many bytes end the call. */
static size_t
wanted(int fd, size_t size, int flags)
{
        int lowat = 1;
        socklen_t n = sizeof lowat;

        if (!wants_more(fd, flags) || !green__patch_is_stream(fd))
                return 1;
        if (flags & MSG_WAITALL)
                return size;
        if (getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, &n) != 0 || lowat < 1)
                lowat = 1;
        return (size_t)lowat < size ? (size_t)lowat : size;
}

/* Has the peer said that nothing more will come? A look at what is there cannot tell. */
static bool
has_ended(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLRDHUP};

        return poll(&p, 1, 0) > 0;
}

/* One more try: into the user's message as long as nothing has come, then into the rest of its buffers. */
static ssize_t
receive(int fd, struct msghdr *msg, int flags, struct patch_parts *parts, size_t total)
{
        struct msghdr rest = {.msg_iov = parts->window};

        if (total == 0 || flags & MSG_PEEK)
                return recvmsg(fd, msg, flags | MSG_DONTWAIT);
        rest.msg_iovlen = green__patch_window(parts);
        return recvmsg(fd, &rest, flags | MSG_DONTWAIT);
}

ssize_t
green__patch_recv_rest(int fd, struct msghdr *msg, int flags, ssize_t moved, int saved)
{
        struct patch_blocked b = {.saved = saved};
        struct patch_parts parts = {.next = msg->msg_iov, .count = msg->msg_iovlen};
        const struct msghdr asked = *msg;
        size_t target = wanted(fd, green__patch_size(msg->msg_iov, msg->msg_iovlen), flags);
        size_t total = 0;

        for (;;) {
                if (moved > 0 && flags & MSG_PEEK) {
                        total = (size_t)moved;
                        if (total < target && has_ended(fd))
                                break;
                } else if (moved > 0) {
                        total += (size_t)moved;
                        green__patch_skip(&parts, (size_t)moved);
                        green__patch_progress(&b);
                        /* Descriptors that came along end a piece. */
                        if (asked.msg_controllen > 0 && msg->msg_controllen > 0)
                                break;
                }
                if (moved == 0 || total >= target || (moved < 0 && errno != EAGAIN))
                        break;
                if (green__patch_block(&b, fd, GREEN_READ) != 0)
                        break;
                if (total == 0 || flags & MSG_PEEK)
                        *msg = asked;
                moved = receive(fd, msg, flags, &parts, total);
        }
        return total > 0 || moved == 0 ? green__patch_done((ssize_t)total, saved) : -1;
}

ssize_t
green__patch_fn_recvmsg(int fd, struct msghdr *msg, int flags)
{
        struct msghdr asked;
        ssize_t n;
        int rc, saved;

        if (flags & AS_IT_IS || msg == NULL)
                return recvmsg(fd, msg, flags);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? recvmsg(fd, msg, flags) : -1;
        saved = errno;
        asked = *msg;
        n = recvmsg(fd, msg, flags | MSG_DONTWAIT);
        if (green__likely(n >= 0) && (n == 0 || !wants_more(fd, flags)))
                return green__patch_at_once(n);
        if (n < 0 && errno != EAGAIN)
                return -1;
        /* What came with the first piece is told by what is left of the room for it. */
        if (n > 0 && asked.msg_controllen > 0 && msg->msg_controllen > 0)
                return green__patch_done(n, saved);
        return green__patch_recv_rest(fd, msg, flags, n, saved);
}

/* The rest of a call that was given one buffer. */
static __attribute__((noinline)) ssize_t
rest_of(int fd, struct msghdr msg, int flags, ssize_t n, int saved)
{
        return green__patch_recv_rest(fd, &msg, flags, n, saved);
}

ssize_t
green__patch_fn_recv(int fd, void *buf, size_t n, int flags)
{
        ssize_t got;
        int rc, saved;

        if (flags & AS_IT_IS)
                return recv(fd, buf, n, flags);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? recv(fd, buf, n, flags) : -1;
        saved = errno;
        got = recv(fd, buf, n, flags | MSG_DONTWAIT);
        if (green__likely(got >= 0) && (got == 0 || (size_t)got >= n || !wants_more(fd, flags)))
                return green__patch_at_once(got);
        if (got < 0 && errno != EAGAIN)
                return -1;
        return rest_of(fd, (struct msghdr){.msg_iov = &(struct iovec){buf, n}, .msg_iovlen = 1}, flags, got, saved);
}

ssize_t
green__patch_fn_recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
{
        green__patch_check_room(n, room);
        return green__patch_fn_recv(fd, buf, n, flags);
}

ssize_t
green__patch_fn_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
        struct iovec iov = {buf, n};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = from};
        ssize_t got;
        int rc, saved;

        if (from == NULL)
                return green__patch_fn_recv(fd, buf, n, flags);
        if (flags & AS_IT_IS || size == NULL)
                return recvfrom(fd, buf, n, flags, from, size);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? recvfrom(fd, buf, n, flags, from, size) : -1;
        saved = errno;
        msg.msg_namelen = *size;
        got = recvfrom(fd, buf, n, flags | MSG_DONTWAIT, from, size);
        if (green__likely(got >= 0) && (got == 0 || (size_t)got >= n || !wants_more(fd, flags)))
                return green__patch_at_once(got);
        if (got < 0 && errno != EAGAIN)
                return -1;
        if (got > 0)
                return rest_of(fd, (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1}, flags, got, saved);
        got = green__patch_recv_rest(fd, &msg, flags, got, saved);
        if (got >= 0)
                *size = msg.msg_namelen;
        return got;
}

ssize_t
green__patch_fn_recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from,
                             socklen_t *size)
{
        green__patch_check_room(n, room);
        return green__patch_fn_recvfrom(fd, buf, n, flags, from, size);
}

/* ---- many at once */

static int64_t
now_ns(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* As the system's, whose limit is looked at when a message has come, and at no other time. */
static int
receive_many(int fd, struct mmsghdr *msgs, unsigned count, int flags, int64_t end)
{
        struct patch_blocked b = PATCH_BLOCKED;
        unsigned done = 0;

        for (;;) {
                int n = recvmmsg(fd, msgs + done, count - done, (flags & ~MSG_WAITFORONE) | MSG_DONTWAIT, NULL);

                if (n > 0) {
                        done += (unsigned)n;
                        b.tries = 0;
                        if (done == count || flags & MSG_WAITFORONE || now_ns() >= end)
                                break;
                        continue;
                }
                if (n == 0 || errno != EAGAIN || green__patch_block(&b, fd, GREEN_READ) != 0)
                        break;
        }
        return done > 0 ? (int)green__patch_done((ssize_t)done, b.saved) : -1;
}

int
green__patch_fn_recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags, struct timespec *limit)
{
        int64_t begin, end = INT64_MAX, left;
        int n, rc;

        if (flags & AS_IT_IS || msgs == NULL || count == 0 ||
            (limit != NULL && (limit->tv_sec < 0 || limit->tv_nsec < 0 || limit->tv_nsec > 999999999)))
                return recvmmsg(fd, msgs, count, flags, limit);
        rc = green__patch_begin();
        if (green__unlikely(rc <= 0))
                return rc == 0 ? recvmmsg(fd, msgs, count, flags, limit) : -1;
        begin = limit != NULL ? now_ns() : 0;
        left = limit != NULL ? limit->tv_sec : INT64_MAX;
        if (left < INT64_MAX / 2000000000)
                end = begin + left * 1000000000 + limit->tv_nsec;
        n = receive_many(fd, msgs, count, flags, end);
        if (n > 0 && limit != NULL && end != INT64_MAX) {
                left = end - now_ns();
                limit->tv_sec = left > 0 ? (time_t)(left / 1000000000) : 0;
                limit->tv_nsec = left > 0 ? (long)(left % 1000000000) : 0;
        }
        return n;
}
