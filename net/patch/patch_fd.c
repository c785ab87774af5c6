/*
 * Descriptors as such: made, copied, closed. And the table of all that patch_fd*.c puts in the place of libc's.
 */
#include "patch_fd_priv.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "patch_fd_guard.h"

/* Whoever waits for it in this OS thread gets EBADF. In a signal handler nothing of that may be touched. */
static void
closing(int fd)
{
        green__patch_note(fd, PATCH_UNKNOWN);
        if (green__likely(green__patch_mark.frame == NULL) || !green__patch_in_handler())
                green_notify_close(fd);
}

static int
patch_close(int fd)
{
        int saved = errno, rc;

        closing(fd);
        errno = saved;
        rc = close(fd);
        return rc;
}

static int
patch_socket(int family, int type, int protocol)
{
        green__patch_guard_begin();
        return green__patch_opened(socket(family, type, protocol), PATCH_SOCKET | PATCH_OWN);
}

static int
patch_socketpair(int family, int type, int protocol, int fds[2])
{
        int rc = socketpair(family, type, protocol, fds);

        if (rc == 0) {
                green__patch_opened(fds[0], PATCH_SOCKET);
                green__patch_opened(fds[1], PATCH_SOCKET);
        }
        return rc;
}

static int
patch_pipe2(int fds[2], int flags)
{
        int rc = pipe2(fds, flags);

        if (rc == 0) {
                green__patch_opened(fds[0], PATCH_NOWAIT);
                green__patch_opened(fds[1], PATCH_NOWAIT);
        }
        return rc;
}

static int
patch_pipe(int fds[2])
{
        return patch_pipe2(fds, 0);
}

static int
patch_dup(int old)
{
        return green__patch_opened(dup(old), green__patch_known(old));
}

/* Is it one that can be copied? If not, nothing happens to the other number. */
static bool
is_open(int fd)
{
        int saved = errno;
        bool yes = fcntl(fd, F_GETFD) >= 0;

        errno = saved;
        return yes;
}

static int
patch_dup2(int old, int number)
{
        int fd;

        if (old == number || number < 0 || !is_open(old))
                return dup2(old, number);
        closing(number);
        fd = dup2(old, number);
        if (fd >= 0)
                green__patch_note(fd, green__patch_known(old));
        return fd;
}

static int
patch_dup3(int old, int number, int flags)
{
        int fd;

        if (old == number || number < 0 || (flags & ~O_CLOEXEC) != 0 || !is_open(old))
                return dup3(old, number, flags);
        closing(number);
        fd = dup3(old, number, flags);
        if (fd >= 0)
                green__patch_note(fd, green__patch_known(old));
        return fd;
}

/* What is set here is asked for when it matters, since it may be set by others as well. */
static int
patch_fcntl(int fd, int command, ...)
{
        va_list args;
        void *arg;
        int rc;

        va_start(args, command);
        arg = va_arg(args, void *);
        va_end(args);
        rc = fcntl(fd, command, arg);
        if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
                green__patch_opened(rc, green__patch_known(fd));
        return rc;
}

static int
patch_ioctl(int fd, unsigned long request, ...)
{
        va_list args;
        void *arg;

        va_start(args, request);
        arg = va_arg(args, void *);
        va_end(args);
        return ioctl(fd, request, arg);
}

static int
patch_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
        int rc = setsockopt(fd, level, name, value, size);

        if (rc == 0 && level == SOL_SOCKET && name == SO_RCVLOWAT)
                (void)green__patch_look(fd);
        return rc;
}

#define OS GREEN_PATCH_OS
#define SOCKET GREEN_PATCH_SOCKET

const struct patch_entry green__patch_fd[] = {
        PATCH_ENTRY("read", green__patch_fn_read, OS | SOCKET),
        PATCH_ENTRY("__read", green__patch_fn_read, OS | SOCKET),
        PATCH_ENTRY("__read_chk", green__patch_fn_read_chk, OS | SOCKET),
        PATCH_ENTRY("readv", green__patch_fn_readv, OS | SOCKET),
        PATCH_ENTRY("write", green__patch_fn_write, OS | SOCKET),
        PATCH_ENTRY("__write", green__patch_fn_write, OS | SOCKET),
        PATCH_ENTRY("writev", green__patch_fn_writev, OS | SOCKET),
        PATCH_ENTRY("close", patch_close, OS | SOCKET),
        PATCH_ENTRY("__close", patch_close, OS | SOCKET),
        PATCH_ENTRY("dup", patch_dup, OS | SOCKET),
        PATCH_ENTRY("dup2", patch_dup2, OS | SOCKET),
        PATCH_ENTRY("__dup2", patch_dup2, OS | SOCKET),
        PATCH_ENTRY("dup3", patch_dup3, OS | SOCKET),
        PATCH_ENTRY("fcntl", patch_fcntl, OS | SOCKET),
        PATCH_ENTRY("fcntl64", patch_fcntl, OS | SOCKET),
        PATCH_ENTRY("__fcntl", patch_fcntl, OS | SOCKET),
        PATCH_ENTRY("ioctl", patch_ioctl, OS | SOCKET),
        PATCH_ENTRY("pipe", patch_pipe, OS),
        PATCH_ENTRY("__pipe", patch_pipe, OS),
        PATCH_ENTRY("pipe2", patch_pipe2, OS),
        PATCH_ENTRY("sendfile", green__patch_fn_sendfile_long, OS | SOCKET),
        PATCH_ENTRY("sendfile64", green__patch_fn_sendfile, OS | SOCKET),
        PATCH_ENTRY("socket", patch_socket, SOCKET),
        PATCH_ENTRY("socketpair", patch_socketpair, SOCKET),
        PATCH_ENTRY("connect", green__patch_fn_connect, SOCKET),
        PATCH_ENTRY("__connect", green__patch_fn_connect, SOCKET),
        PATCH_ENTRY("accept", green__patch_fn_accept, SOCKET),
        PATCH_ENTRY("accept4", green__patch_fn_accept4, SOCKET),
        PATCH_ENTRY("setsockopt", patch_setsockopt, SOCKET),
        PATCH_ENTRY("recv", green__patch_fn_recv, SOCKET),
        PATCH_ENTRY("__recv_chk", green__patch_fn_recv_chk, SOCKET),
        PATCH_ENTRY("recvfrom", green__patch_fn_recvfrom, SOCKET),
        PATCH_ENTRY("__recvfrom_chk", green__patch_fn_recvfrom_chk, SOCKET),
        PATCH_ENTRY("recvmsg", green__patch_fn_recvmsg, SOCKET),
        PATCH_ENTRY("recvmmsg", green__patch_fn_recvmmsg, SOCKET),
        PATCH_ENTRY("send", green__patch_fn_send, SOCKET),
        PATCH_ENTRY("__send", green__patch_fn_send, SOCKET),
        PATCH_ENTRY("sendto", green__patch_fn_sendto, SOCKET),
        PATCH_ENTRY("sendmsg", green__patch_fn_sendmsg, SOCKET),
        PATCH_ENTRY("sendmmsg", green__patch_fn_sendmmsg, SOCKET),
        PATCH_ENTRIES_END,
};
