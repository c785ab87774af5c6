/*
 * The scenes of patch_scenes.h. They know of nothing but the system's calls.
 */
#include "patch_scenes.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void __attribute__((format(printf, 3, 4))) say(struct scene *s, int side, const char *format, ...)
{
        size_t len = strlen(s->text[side]);
        va_list args;

        va_start(args, format);
        (void)vsnprintf(s->text[side] + len, SCENE_TEXT - len, format, args);
        va_end(args);
}

/* The result of a call, and its errno where it failed. */
static void
result(struct scene *s, int side, const char *what, long rc)
{
        int code = errno;

        say(s, side, "%s: %ld%s%s\n", what, rc, rc < 0 ? " " : "", rc < 0 ? strerror(code) : "");
}

static double
now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Most likely long enough for the other side to wait; nothing depends on it. */
static void
give_way(void)
{
        (void)poll(NULL, 0, 10);
}

/* One side goes on when the other has come so far: a pipe of their own. */
static void
may_go(struct scene *s)
{
        if (write(s->fd[7], "g", 1) != 1)
                say(s, 0, "nobody may go\n");
}

static void
await(struct scene *s)
{
        char c;

        if (read(s->fd[6], &c, 1) != 1)
                say(s, 1, "waited in vain\n");
}

static void
begin_scene(struct scene *s)
{
        if (pipe(&s->fd[6]) != 0)
                say(s, 0, "no pipe\n");
}

static void
pair(struct scene *s)
{
        begin_scene(s);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->fd) != 0)
                say(s, 0, "no socketpair\n");
}

static void
datagrams(struct scene *s)
{
        begin_scene(s);
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s->fd) != 0)
                say(s, 0, "no socketpair\n");
}

static void
pipes(struct scene *s)
{
        begin_scene(s);
        if (pipe(s->fd) != 0)
                say(s, 0, "no pipe\n");
}

static int
listener(struct sockaddr_in *at, int backlog)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof *at;

        memset(at, 0, sizeof *at);
        at->sin_family = AF_INET;
        at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (bind(fd, (struct sockaddr *)at, size) != 0 || listen(fd, backlog) != 0 ||
            getsockname(fd, (struct sockaddr *)at, &size) != 0)
                return -1;
        return fd;
}

/* fd[0], fd[1]: a connection; fd[2]: its listener. */
static void
tcp(struct scene *s)
{
        struct sockaddr_in at;

        begin_scene(s);
        s->fd[2] = listener(&at, 8);
        s->fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        result(s, 0, "connect", connect(s->fd[0], (struct sockaddr *)&at, sizeof at));
        s->fd[1] = accept(s->fd[2], NULL, NULL);
        if (s->fd[1] < 0)
                say(s, 0, "no accept\n");
}

static void
only_listener(struct scene *s)
{
        struct sockaddr_in at;

        begin_scene(s);
        s->fd[2] = listener(&at, 8);
}

/* ---- one reads what the other writes */

static void
read_three(struct scene *s)
{
        char buf[32];

        for (int i = 0; i < 3; i++) {
                ssize_t n = read(s->fd[0], buf, sizeof buf);

                result(s, 0, "read", n);
                if (n > 0) {
                        say(s, 0, "%.*s\n", (int)n, buf);
                        may_go(s);
                }
        }
}

static void
write_two(struct scene *s)
{
        give_way();
        errno = 77;
        result(s, 1, "write", write(s->fd[1], "hello", 5));
        await(s);
        give_way();
        result(s, 1, "write", write(s->fd[1], "world!", 6));
        say(s, 1, "errno %d\n", errno);
        await(s);
        close(s->fd[1]);
        s->fd[1] = -1;
}

static void
pipe_read_three(struct scene *s)
{
        read_three(s);
}

static void
recv_ways(struct scene *s)
{
        struct iovec iov[2];
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
        char a[4], b[32];
        ssize_t n;

        n = recv(s->fd[0], b, sizeof b, MSG_PEEK);
        result(s, 0, "peek", n);
        n = recvfrom(s->fd[0], a, 3, 0, NULL, NULL);
        result(s, 0, "recvfrom", n);
        say(s, 0, "%.3s\n", a);
        iov[0] = (struct iovec){a, 1};
        iov[1] = (struct iovec){b, sizeof b};
        n = recvmsg(s->fd[0], &msg, 0);
        result(s, 0, "recvmsg", n);
        say(s, 0, "%c%c\n", a[0], b[0]);
        may_go(s);
        iov[0] = (struct iovec){a, 2};
        n = readv(s->fd[0], iov, 2);
        result(s, 0, "readv", n);
        n = recv(s->fd[0], b, sizeof b, MSG_DONTWAIT);
        result(s, 0, "dontwait", n);
}

static void
send_ways(struct scene *s)
{
        struct iovec iov[2] = {{(char[]){"w"}, 1}, {(char[]){"v"}, 1}};

        give_way();
        result(s, 1, "send", send(s->fd[1], "abcde", 5, MSG_NOSIGNAL));
        await(s);
        give_way();
        result(s, 1, "writev", writev(s->fd[1], iov, 2));
}

static void
recv_all(struct scene *s)
{
        char buf[100];
        ssize_t n = recv(s->fd[0], buf, 10, MSG_WAITALL);

        result(s, 0, "waitall", n);
        say(s, 0, "%.*s\n", (int)(n > 0 ? n : 0), buf);
        n = recv(s->fd[0], buf, 10, MSG_WAITALL);
        result(s, 0, "waitall to the end", n);
        result(s, 0, "after the end", recv(s->fd[0], buf, 10, MSG_WAITALL));
}

static void
send_bits(struct scene *s)
{
        for (int i = 0; i < 14; i++) {
                result(s, 1, "send", send(s->fd[1], &"0123456789abcd"[i], 1, 0));
                if (i % 3 == 0)
                        give_way();
        }
        give_way();
        shutdown(s->fd[1], SHUT_WR);
}

static void
peek_all(struct scene *s)
{
        char buf[16];

        result(s, 0, "peek all", recv(s->fd[0], buf, 4, MSG_WAITALL | MSG_PEEK));
        result(s, 0, "recv", recv(s->fd[0], buf, 4, 0));
        result(s, 0, "peek to the end", recv(s->fd[0], buf, 16, MSG_WAITALL | MSG_PEEK));
}

static void
low_water(struct scene *s)
{
        int lowat = 4;
        char buf[16];

        result(s, 0, "lowat", setsockopt(s->fd[0], SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof lowat));
        result(s, 0, "recv", recv(s->fd[0], buf, 4, 0));
        result(s, 0, "read", read(s->fd[0], buf, 4));
}

static void
big_write(struct scene *s)
{
        static char big[1 << 20];
        ssize_t n = write(s->fd[1], big, sizeof big);

        result(s, 1, "write", n);
        n = writev(s->fd[1], (struct iovec[]){{big, 300000}, {big, 0}, {big, 400000}}, 3);
        result(s, 1, "writev", n);
        close(s->fd[1]);
        s->fd[1] = -1;
}

static void
drain(struct scene *s)
{
        char buf[30000];
        size_t total = 0;
        ssize_t n;

        give_way();
        while ((n = read(s->fd[0], buf, sizeof buf)) > 0)
                total += (size_t)n;
        result(s, 0, "end", n);
        say(s, 0, "%zu bytes\n", total);
}

static void
send_then_close(struct scene *s)
{
        static char big[1 << 20];
        ssize_t n = send(s->fd[1], big, sizeof big, MSG_NOSIGNAL);

        say(s, 1, "%s\n", n > 0 && n < (ssize_t)sizeof big ? "some was sent" : "?");
        result(s, 1, "send", send(s->fd[1], big, 10, MSG_NOSIGNAL));
}

static void
close_early(struct scene *s)
{
        struct pollfd p = {.fd = s->fd[0], .events = POLLIN};

        result(s, 0, "poll", poll(&p, 1, -1));
        give_way();
        close(s->fd[0]);
        s->fd[0] = -1;
}

/* ---- datagrams */

static void
datagram_ways(struct scene *s)
{
        char buf[4];
        struct iovec iov = {buf, 4};
        struct mmsghdr many[3] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};

        result(s, 0, "all", recv(s->fd[0], buf, 4, MSG_WAITALL));
        result(s, 0, "cut", recv(s->fd[0], buf, 4, MSG_TRUNC));
        result(s, 0, "empty", recv(s->fd[0], buf, 4, 0));
        result(s, 0, "one of many", recvmmsg(s->fd[0], many, 3, MSG_WAITFORONE, NULL));
        may_go(s);
        result(s, 0, "many", recvmmsg(s->fd[0], many, 3, 0, NULL));
        say(s, 0, "%u %u %u\n", many[0].msg_len, many[1].msg_len, many[2].msg_len);
}

static void
datagrams_out(struct scene *s)
{
        struct iovec iov = {(char[]){"mm"}, 2};
        struct mmsghdr many[2] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};

        give_way();
        result(s, 1, "send", send(s->fd[1], "ab", 2, 0));
        give_way();
        result(s, 1, "send", send(s->fd[1], "abcdefgh", 8, 0));
        give_way();
        result(s, 1, "send", send(s->fd[1], "", 0, 0));
        give_way();
        result(s, 1, "send", send(s->fd[1], "1", 1, 0));
        await(s);
        give_way();
        result(s, 1, "sendmmsg", sendmmsg(s->fd[1], many, 2, 0));
        give_way();
        result(s, 1, "send", send(s->fd[1], "123", 3, 0));
}

static void
datagrams_too_many(struct scene *s)
{
        int sent = 0;

        while (sent < 2000 && send(s->fd[1], "x", 1, 0) == 1)
                sent++;
        say(s, 1, "%d\n", sent);
}

static void
datagrams_in(struct scene *s)
{
        char buf[4];
        int got = 0;

        give_way();
        while (got < 2000 && recv(s->fd[0], buf, 4, 0) == 1)
                got++;
        say(s, 0, "%d\n", got);
}

/* ---- limits and modes */

static void
limits(struct scene *s)
{
        struct timeval tv = {0, 30000};
        static char big[1 << 20];
        double begin = now();
        char buf[4];
        ssize_t n;

        setsockopt(s->fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        setsockopt(s->fd[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        result(s, 0, "recv", recv(s->fd[0], buf, 4, 0));
        result(s, 0, "read", read(s->fd[0], buf, 4));
        say(s, 0, "%s\n", now() - begin >= 0.06 ? "waited" : "too early");
        n = send(s->fd[0], big, sizeof big, 0);
        say(s, 0, "%s\n", n > 0 && n < (ssize_t)sizeof big ? "in part" : "?");
        result(s, 0, "send", send(s->fd[0], big, sizeof big, 0));
}

static void
accept_limit(struct scene *s)
{
        struct timeval tv = {0, 30000};

        setsockopt(s->fd[2], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        result(s, 0, "accept", accept(s->fd[2], NULL, NULL));
}

static void
modes(struct scene *s)
{
        int one = 1, flags = fcntl(s->fd[0], F_GETFL);
        char buf[4];

        result(s, 0, "setfl", fcntl(s->fd[0], F_SETFL, flags | O_NONBLOCK));
        result(s, 0, "read", read(s->fd[0], buf, 4));
        result(s, 0, "setfl", fcntl(s->fd[0], F_SETFL, flags));
        result(s, 0, "fionbio", ioctl(s->fd[0], FIONBIO, &one));
        result(s, 0, "read", read(s->fd[0], buf, 4));
        say(s, 0, "%d\n", fcntl(s->fd[0], F_GETFL) & O_NONBLOCK);
        one = 0;
        result(s, 0, "fionbio", ioctl(s->fd[0], FIONBIO, &one));
        result(s, 0, "fionread", ioctl(s->fd[0], FIONREAD, &one));
        say(s, 0, "%d\n", one);
        s->fd[4] = fcntl(s->fd[0], F_DUPFD_CLOEXEC, 20);
        say(s, 0, "%d\n", s->fd[4] >= 20);
        result(s, 0, "read nothing", read(s->fd[0], buf, 0));
        result(s, 0, "bad", read(-1, buf, 1));
        result(s, 0, "no listener", accept(s->fd[0], NULL, NULL));
        result(s, 0, "bad", close(-1));
}

static void
accept_modes(struct scene *s)
{
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        char buf[4];

        result(s, 0, "setfl", fcntl(s->fd[2], F_SETFL, O_NONBLOCK));
        result(s, 0, "accept", accept(s->fd[2], NULL, NULL));
        result(s, 0, "setfl", fcntl(s->fd[2], F_SETFL, 0));
        may_go(s);
        s->fd[3] = accept4(s->fd[2], (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        say(s, 0, "%d %d %d\n", s->fd[3] >= 0, (int)size, peer.sin_family == AF_INET);
        result(s, 0, "recv", recv(s->fd[3], buf, 4, 0));
        say(s, 0, "%d\n", fcntl(s->fd[3], F_GETFD) & FD_CLOEXEC);
}

static void
connect_later(struct scene *s)
{
        struct sockaddr_in at;
        socklen_t size = sizeof at;

        give_way();
        getsockname(s->fd[2], (struct sockaddr *)&at, &size);
        s->fd[4] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        result(s, 1, "connect", connect(s->fd[4], (struct sockaddr *)&at, size));
        result(s, 1, "again", connect(s->fd[4], (struct sockaddr *)&at, size));
        say(s, 1, "%d\n", fcntl(s->fd[4], F_GETFL) & O_NONBLOCK);
}

static void
connect_when_told(struct scene *s)
{
        await(s);
        connect_later(s);
}

static void
connect_refused(struct scene *s)
{
        struct sockaddr_in at;
        socklen_t size = sizeof at;

        getsockname(s->fd[2], (struct sockaddr *)&at, &size);
        close(s->fd[2]);
        s->fd[2] = -1;
        s->fd[4] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        result(s, 1, "connect", connect(s->fd[4], (struct sockaddr *)&at, size));
        result(s, 1, "again", connect(s->fd[4], (struct sockaddr *)&at, size));
        result(s, 1, "not a socket", connect(s->fd[5], (struct sockaddr *)&at, size));
}

/* ---- poll and its kind */

static void
polls(struct scene *s)
{
        struct pollfd p[4] = {{.fd = s->fd[0], .events = POLLIN},
                              {.fd = -1, .events = POLLIN},
                              {.fd = s->fd[0], .events = POLLIN | POLLOUT},
                              {.fd = s->fd[0], .events = POLLPRI}};
        double begin = now();

        result(s, 0, "none", poll(NULL, 0, 30));
        say(s, 0, "%s\n", now() - begin >= 0.03 ? "waited" : "too early");
        result(s, 0, "timeout", poll(p, 2, 30));
        result(s, 0, "at once", poll(p, 4, -1));
        say(s, 0, "%d %d %d %d\n", p[0].revents, p[1].revents, p[2].revents, p[3].revents);
        may_go(s);
        result(s, 0, "wait", poll(p, 2, -1));
        say(s, 0, "%d\n", p[0].revents);
        p[1].fd = 1000;
        result(s, 0, "nval", poll(p + 1, 1, -1));
        say(s, 0, "%d\n", p[1].revents);
        result(s, 0, "zero", poll(p, 1, 0));
        result(s, 0, "ppoll", ppoll(p, 1, &(struct timespec){5, 0}, NULL));
        result(s, 0, "bad time", ppoll(p, 1, &(struct timespec){-5, 0}, NULL));
}

static void
put_one(struct scene *s)
{
        await(s);
        give_way();
        result(s, 1, "write", write(s->fd[1], "x", 1));
}

/* The system's select() tells what is left of the time; musl keeps that to itself. */
#ifdef __GLIBC__
enum { SELECT_TELLS = 1 };
#else
enum { SELECT_TELLS = 0 };
#endif

static void
selects(struct scene *s)
{
        struct timeval tv = {0, 30000};
        fd_set r, w;
        double begin = now();
        int closed;

        result(s, 0, "sleep", select(0, NULL, NULL, NULL, &tv));
        say(s, 0, "%s %d\n", now() - begin >= 0.03 ? "waited" : "too early", !SELECT_TELLS || tv.tv_usec == 0);
        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_SET(s->fd[0], &r);
        tv = (struct timeval){0, 20000};
        result(s, 0, "timeout", select(s->fd[0] + 1, &r, NULL, NULL, &tv));
        say(s, 0, "%d\n", FD_ISSET(s->fd[0], &r) != 0);
        FD_SET(s->fd[0], &r);
        tv = (struct timeval){100, 0};
        may_go(s);
        result(s, 0, "wait", select(s->fd[0] + 1, &r, NULL, NULL, &tv));
        say(s, 0, "%d %d\n", FD_ISSET(s->fd[0], &r) != 0, !SELECT_TELLS || tv.tv_sec < 100);
        FD_SET(s->fd[0], &w);
        result(s, 0, "both", pselect(s->fd[0] + 1, &r, &w, NULL, &(struct timespec){9, 0}, NULL));
        closed = dup(s->fd[0]);
        close(closed);
        FD_SET(closed, &r);
        result(s, 0, "not open", select(closed + 1, &r, NULL, NULL, &tv));
        result(s, 0, "bad n", select(-1, &r, NULL, NULL, &tv));
        tv.tv_sec = -1;
        result(s, 0, "bad time", select(1, NULL, NULL, NULL, &tv));
}

static void
epolls(struct scene *s)
{
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = 7}, got[4];
        double begin = now();

        s->fd[3] = epoll_create1(EPOLL_CLOEXEC);
        result(s, 0, "add", epoll_ctl(s->fd[3], EPOLL_CTL_ADD, s->fd[0], &e));
        result(s, 0, "zero", epoll_wait(s->fd[3], got, 4, 0));
        result(s, 0, "timeout", epoll_wait(s->fd[3], got, 4, 30));
        say(s, 0, "%s\n", now() - begin >= 0.03 ? "waited" : "too early");
        may_go(s);
        result(s, 0, "wait", epoll_wait(s->fd[3], got, 4, -1));
        say(s, 0, "%u %u\n", got[0].events, got[0].data.u32);
        result(s, 0, "pwait", epoll_pwait(s->fd[3], got, 4, 1000, NULL));
        result(s, 0, "bad", epoll_wait(s->fd[3], got, 0, -1));
        result(s, 0, "not one", epoll_wait(s->fd[0], got, 4, -1));
}

/* Both wait for the same; one reads it, the other goes on waiting. */
static void
share_a(struct scene *s)
{
        char c = 0;

        result(s, 0, "recv", recv(s->fd[0], &c, 1, 0));
}

static void
share_b(struct scene *s)
{
        char c = 0;

        result(s, 2, "recv", recv(s->fd[0], &c, 1, 0));
}

static void
share_out(struct scene *s)
{
        give_way();
        result(s, 1, "send", send(s->fd[1], "a", 1, 0));
        give_way();
        result(s, 1, "send", send(s->fd[1], "b", 1, 0));
}

static void
accept_one(struct scene *s, int side)
{
        s->fd[3 + side] = accept(s->fd[2], NULL, NULL);
        say(s, side, "%d\n", s->fd[3 + side] >= 0);
}

static void
accept_a(struct scene *s)
{
        accept_one(s, 0);
}

static void
accept_b(struct scene *s)
{
        accept_one(s, 2);
}

static void
connect_two(struct scene *s)
{
        connect_later(s);
        s->fd[0] = s->fd[4];
        s->fd[4] = -1;
        connect_later(s);
        s->fd[1] = s->fd[4];
        s->fd[4] = -1;
}

/* ---- files */

static void
a_file(struct scene *s)
{
        char name[] = "/tmp/green-scene-XXXXXX";

        pair(s);
        s->fd[2] = mkstemp(name);
        (void)unlink(name);
}

static void
file_ways(struct scene *s)
{
        char buf[8192];
        off_t at = 2;

        memset(buf, 'f', sizeof buf);
        result(s, 0, "write", write(s->fd[2], buf, sizeof buf));
        result(s, 0, "at", (long)lseek(s->fd[2], 0, SEEK_SET));
        result(s, 0, "read", read(s->fd[2], buf, 4000));
        result(s, 0, "sendfile", sendfile(s->fd[0], s->fd[2], &at, 5000));
        say(s, 0, "%ld\n", (long)at);
        result(s, 0, "sendfile", sendfile(s->fd[0], s->fd[2], NULL, 100000));
        result(s, 0, "at", (long)lseek(s->fd[2], 0, SEEK_CUR));
        close(s->fd[0]);
        s->fd[0] = -1;
}

static void
file_drain(struct scene *s)
{
        char buf[512];
        size_t total = 0;
        ssize_t n;

        give_way();
        while ((n = read(s->fd[1], buf, sizeof buf)) > 0)
                total += (size_t)n;
        say(s, 1, "%zu\n", total);
}

/* A number that was a socket, closed by the C library, is something else now. */
static void
reused(struct scene *s)
{
        char buf[8];
        FILE *f;
        int p[2], number = s->fd[0];

        result(s, 0, "write", write(s->fd[1], "ab", 2));
        result(s, 0, "read", read(number, buf, 1));
        f = fdopen(number, "r");
        fclose(f);
        result(s, 0, "pipe", syscall(SYS_pipe2, p, 0));
        say(s, 0, "%d\n", p[0] == number);
        result(s, 0, "write", write(p[1], "xyz", 3));
        result(s, 0, "read", read(p[0], buf, 8));
        close(p[1]);
        result(s, 0, "read", read(p[0], buf, 8));
        s->fd[0] = p[0];
}

const struct scene_case *
scene_table(void)
{
        static const struct scene_case cases[] = {
                {"read and write, sockets", pair, {read_three, write_two}},
                {"read and write, tcp", tcp, {read_three, write_two}},
                {"read and write, pipes", pipes, {pipe_read_three, write_two}},
                {"ways to receive", tcp, {recv_ways, send_ways}},
                {"MSG_WAITALL", tcp, {recv_all, send_bits}},
                {"MSG_WAITALL, local", pair, {recv_all, send_bits}},
                {"MSG_WAITALL and MSG_PEEK", tcp, {peek_all, send_bits}},
                {"SO_RCVLOWAT", tcp, {low_water, send_bits}},
                {"big writes, sockets", pair, {drain, big_write}},
                {"big writes, tcp", tcp, {drain, big_write}},
                {"big writes, pipes", pipes, {drain, big_write}},
                {"closed while sending", pair, {close_early, send_then_close}},
                {"datagrams", datagrams, {datagram_ways, datagrams_out}},
                {"too many datagrams", datagrams, {datagrams_in, datagrams_too_many}},
                {"time limits", pair, {limits}},
                {"time limit of accept", only_listener, {accept_limit}},
                {"O_NONBLOCK", pair, {modes}},
                {"O_NONBLOCK of a listener", only_listener, {accept_modes, connect_when_told}},
                {"connect refused", only_listener, {NULL, connect_refused}},
                {"poll", pair, {polls, put_one}},
                {"select", pair, {selects, put_one}},
                {"epoll", pair, {epolls, put_one}},
                {"two receive from one", pair, {share_a, share_out, share_b}},
                {"two accept from one", only_listener, {accept_a, connect_two, accept_b}},
                {"files", a_file, {file_ways, file_drain}},
                {"a number used again", pair, {reused}},
                {NULL, NULL, {NULL}},
        };

        return cases;
}
