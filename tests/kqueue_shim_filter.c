/*
 * kqueue_shim.c's EVFILT_READ and EVFILT_WRITE: whether they hold, and what they report, by what poll() says.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "kqueue_shim.h"

#ifndef EV_OOBAND
#define EV_OOBAND 0 /* the bare one */
#endif

/* poll() of one descriptor, now: what holds of it. */
static int
poll_now(int fd, int events)
{
        struct pollfd p = {.fd = fd, .events = (short)events};
        struct timespec now = {0, 0};

        return sys_poll(&p, &now) == 1 ? p.revents : 0;
}

static bool
is_socket(int fd)
{
        int type;
        socklen_t len = sizeof type;

        return sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

/* Did this side shut down its sending? Linux tells of TCP only. */
static bool
has_shut_down(int fd)
{
        struct tcp_info info;
        socklen_t len = sizeof info;

        if (sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
                return false;
        return info.tcpi_state == TCP_FIN_WAIT1 || info.tcpi_state == TCP_FIN_WAIT2 || info.tcpi_state == TCP_CLOSING ||
               info.tcpi_state == TCP_LAST_ACK;
}

/* Of a regular file: how much is left before its end. It is written to at all times. */
static bool
file_holds(int fd, const struct stat *st, struct kevent *kev)
{
        kev->data = kev->filter == EVFILT_READ ? st->st_size - lseek(fd, 0, SEEK_CUR) : 0;
        return kev->filter == EVFILT_WRITE || kev->data > 0;
}

static bool
read_holds(int fd, int revents, struct kevent *kev)
{
        int bytes = 0;

        if (ioctl(fd, FIONREAD, &bytes) != 0 || bytes < 0)
                bytes = 0;
        kev->data =
                bytes == 0 && (revents & POLLIN) != 0 && (revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0 ? 1 : bytes;
        if (revents & (POLLRDHUP | POLLHUP | POLLERR))
                kev->flags |= EV_EOF;
        if ((revents & POLLERR) != 0 && is_socket(fd))
                kev->fflags = ECONNRESET;
        if ((revents & POLLPRI) != 0 && (kev->flags & EV_OOBAND) != 0)
                return true;
        kev->flags &= (uint16_t)~EV_OOBAND;
        return (revents & (POLLIN | POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static bool
write_holds(int fd, int revents, struct kevent *kev)
{
        int room = 0, used = 0;
        socklen_t len = sizeof room;

        if (sys_getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &len) == 0)
                ioctl(fd, TIOCOUTQ, &used);
        else if ((room = sys_fcntl(fd, F_GETPIPE_SZ)) > 0)
                ioctl(fd, FIONREAD, &used);
        kev->data = room > used ? room - used : (revents & POLLOUT) != 0;
        if ((revents & (POLLHUP | POLLERR)) != 0 || has_shut_down(fd))
                kev->flags |= EV_EOF;
        if ((revents & POLLERR) != 0 && is_socket(fd))
                kev->fflags = ECONNRESET;
        return (revents & POLLOUT) != 0 || (kev->flags & EV_EOF) != 0;
}

bool
kqueue_shim_holds(const struct kevent *filter, struct kevent *ret_event)
{
        int fd = (int)filter->ident, revents;
        struct stat st;

        *ret_event = *filter;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                return file_holds(fd, &st, ret_event);
        revents = poll_now(fd, filter->filter == EVFILT_READ ? POLLIN | POLLRDHUP | POLLPRI : POLLOUT);
        if (revents & POLLNVAL)
                return false;
        return filter->filter == EVFILT_READ ? read_holds(fd, revents, ret_event) : write_holds(fd, revents, ret_event);
}

bool
kqueue_shim_is_broken(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && (poll_now(fd, POLLOUT) & POLLERR) != 0;
}
