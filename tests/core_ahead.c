/* Operations that run ahead: what they bring is held in order, and given back. */
#include "core_suite.h"

#include <green/watch.h>

#include <netinet/in.h>

/* Two connected sockets, the first registered. */
struct wire {
        struct hub_late_stats *stats;
        green_io *io;
        int fds[2];
};

static bool
wire_open(struct wire *w, const char *settings)
{
        w->stats = core_late_hub("hub_late", settings);
        if (w->stats == NULL || !core_pair(w->fds))
                return false;
        w->io = green_io_open(w->fds[0], 0);
        return CHECK(w->io != NULL);
}

static void
wire_close(struct wire *w)
{
        CHECK_INT(green_io_free(w->io), 0);
        close(w->fds[1]);
        (void)core_fresh_hub(NULL);
        CHECK_INT(w->stats->buffers, w->stats->releases);
}

/* Bytes that tell where in the stream they stand. */
static char
byte_at(size_t at)
{
        return (char)(at * 7 + at / 251);
}

static void
put(int fd, size_t from, size_t len)
{
        char bytes[4096];

        for (size_t i = 0; i < len; i++)
                bytes[i] = byte_at(from + i);
        CHECK_INT(write(fd, bytes, len), len);
}

static bool
right(const char *bytes, size_t from, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (bytes[i] != byte_at(from + i))
                        return false;
        }
        return true;
}

/* Until so much is held. */
static void
until_held(green_io *io, size_t held)
{
        double end = core_now() + CORE_SOON;

        while (green_io_held(io) < held && core_now() < end)
                CHECK_INT(green_sleep(0.0005), 0);
        CHECK_INT(green_io_held(io), held);
}

static void
what_comes_is_held_in_order_until_it_is_taken(void)
{
        char buf[200];
        struct wire w;

        if (!wire_open(&w, "buffers=16,end=0,late=1"))
                return;
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), -ENODATA);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), -EAGAIN);
        CHECK_INT(green_io_held(w.io), 0);
        CHECK_INT(w.stats->submits, 1);
        put(w.fds[1], 0, 50);
        CHECK_INT(green_io_wait(w.io, GREEN_READ, CORE_SOON), 0);
        until_held(w.io, 50);
        CHECK_INT(green_io_wait(w.io, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(green_io_take(w.io, NULL, 0, false), 0);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, true), 50);
        CHECK(right(buf, 0, 50));
        CHECK_INT(green_io_take(w.io, buf, 20, false), 20);
        CHECK(right(buf, 0, 20));
        CHECK_INT(green_io_held(w.io), 30);
        CHECK_INT(green_io_take(w.io, buf, 5, true), 5);
        CHECK(right(buf, 20, 5));
        CHECK_INT(w.stats->releases, 1);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 30);
        CHECK(right(buf, 20, 30));
        CHECK_INT(w.stats->releases, 4);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), -EAGAIN);
        CHECK_INT(green_io_wait(w.io, GREEN_READ, 0.005), -ETIMEDOUT);
        CHECK_INT(w.stats->submits, 1);
        CHECK_INT(w.stats->adds, 0);
        CHECK_INT(w.stats->cancels, 0);
        wire_close(&w);
}

static void *
use_from_outside(void *arg)
{
        green_io *io = arg;
        char byte;

        CHECK_INT(green_io_run_ahead(io, GREEN_OP_RECV, 0), -EPERM);
        CHECK_INT(green_io_take(io, &byte, 1, false), -EPERM);
        CHECK_INT(green_io_take_fd(io, NULL, NULL), -EPERM);
        CHECK_INT(green_io_stop_ahead(io), -EPERM);
        CHECK_INT(green_io_held(io), 0);
        return NULL;
}

static void
wrong_uses_have_their_codes(void)
{
        pthread_t thread;
        struct wire w;
        char byte;

        if (!wire_open(&w, ""))
                return;
        CHECK_INT(green_io_run_ahead(NULL, GREEN_OP_RECV, 0), -EINVAL);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_SEND, 0), -EINVAL);
        CHECK_INT(green_io_take(NULL, &byte, 1, false), -EINVAL);
        CHECK_INT(green_io_stop_ahead(NULL), -EINVAL);
        CHECK_INT(green_io_stop_ahead(w.io), 0);
        CHECK_INT(green_io_held(NULL), 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_ACCEPT, 0), -EINVAL);
        CHECK_INT(green_io_take_fd(w.io, NULL, NULL), -ENODATA);
        CHECK_INT(pthread_create(&thread, NULL, use_from_outside, w.io), 0);
        pthread_join(thread, NULL);
        CHECK_INT(green_io_close(w.io), 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), -EBADF);
        CHECK_INT(green_io_take(w.io, &byte, 1, false), -EBADF);
        CHECK_INT(green_io_stop_ahead(w.io), -EBADF);
        wire_close(&w);

        if (!wire_open(&w, "multishot=0"))
                return;
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), -ENOTSUP);
        CHECK_INT(green_io_take(w.io, &byte, 1, false), -ENODATA);
        core_put(w.fds[1]);
        CHECK_INT(green_io_wait(w.io, GREEN_READ, CORE_SOON), 0);
        wire_close(&w);

        if (!core_fresh_hub("epoll,poll,select") || !core_pair(w.fds))
                return;
        w.io = green_io_open(w.fds[0], 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), -ENOTSUP);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_ACCEPT, 0), -ENOTSUP);
        CHECK_INT(green_io_free(w.io), 0);
        close(w.fds[1]);
        (void)core_fresh_hub(NULL);
}

static void
the_end_stands_behind_the_bytes(void)
{
        struct wire w;
        char buf[8];

        if (!wire_open(&w, "late=3"))
                return;
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        put(w.fds[1], 0, 2);
        CHECK_INT(shutdown(w.fds[1], SHUT_WR), 0);
        CHECK_INT(green_sleep(0.02), 0);
        CHECK_INT(green_io_stop_ahead(w.io), -EBUSY);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 2);
        CHECK_INT(green_io_held(w.io), 0);
        CHECK_INT(green_io_stop_ahead(w.io), -EBUSY);
        CHECK_INT(green_io_wait(w.io, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(green_io_take(w.io, NULL, 0, false), 0);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, true), 0);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 0);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), -ENODATA);
        CHECK_INT(green_io_stop_ahead(w.io), 0);
        wire_close(&w);
}

static void
a_slow_reader_holds_few_buffers_and_loses_nothing(void)
{
        static const char *const settings[] = {
                "buffers=64,end=0,late=1,cancel=canceled", "buffers=64,end=0,late=3,cancel=success",
                "buffers=64,end=5,late=0,cancel=turns", "buffers=3,late=1,cancel=success"};
        enum { LEN = 4000 };

        for (int i = 0; i < 4; i++) {
                char buf[100];
                size_t got = 0;
                struct wire w;

                if (!wire_open(&w, settings[i]))
                        return;
                put(w.fds[1], 0, LEN);
                CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
                for (double end = core_now() + CORE_SOON; green_io_held(w.io) == 0 && core_now() < end;)
                        CHECK_INT(green_sleep(0.03), 0);
                CHECK(green_io_held(w.io) > 0);
                while (got < LEN) {
                        int64_t n = green_io_take(w.io, buf, sizeof buf, false);

                        if (n == -ENODATA) {
                                n = recv(w.fds[0], buf, 1, MSG_DONTWAIT);
                                if (n < 0 && green_io_run_ahead(w.io, GREEN_OP_RECV, 0) != -ENOBUFS)
                                        CHECK_INT(green_io_wait(w.io, GREEN_READ, CORE_SOON), 0);
                        } else if (n == -EAGAIN) {
                                CHECK_INT(green_io_wait(w.io, GREEN_READ, CORE_SOON), 0);
                        }
                        if (n <= 0)
                                continue;
                        if (!CHECK(right(buf, got, (size_t)n)))
                                break;
                        got += (size_t)n;
                        if (got % 3 == 0)
                                (void)green_io_run_ahead(w.io, GREEN_OP_RECV, 0);
                }
                CHECK(w.stats->most_out < 24);
                CHECK(w.stats->no_buffers > 0 || i < 3);
                wire_close(&w);
        }
}

static void
ending_it_keeps_what_comes_meanwhile(void)
{
        struct wire w;
        char buf[8];

        if (!wire_open(&w, "cancel=success,late=4"))
                return;
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        put(w.fds[1], 0, 3);
        CHECK_INT(green_io_held(w.io), 0);
        CHECK_INT(green_io_stop_ahead(w.io), -EBUSY);
        CHECK_INT(green_last_error()->code, -EBUSY);
        CHECK_INT(green_io_held(w.io), 3);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 3);
        CHECK(right(buf, 0, 3));
        CHECK_INT(green_io_stop_ahead(w.io), 0);
        wire_close(&w);
}

static void
watched(struct green_watch *w, int result, void *arg)
{
        int *seen = arg;

        (void)w;
        *seen = result;
}

static void
others_may_read_once_nothing_is_held(void)
{
        struct green_iovec iov;
        struct green_op op = {.kind = GREEN_OP_RECV, .iov = &iov, .iov_count = 1, .offset = -1};
        struct green_wait waits[1];
        struct green_watch watch;
        green_fd fd;
        int seen = 0;
        struct wire w;
        char buf[8];

        if (!wire_open(&w, "late=1,cancel=canceled"))
                return;
        green_watch_init(&watch, watched, &seen);
        iov = (struct green_iovec){buf, sizeof buf};
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        put(w.fds[1], 0, 1);
        until_held(w.io, 1);
        CHECK_INT(green_trampoline(w.fds[0], GREEN_READ, 1), -EBUSY);
        CHECK_INT(green_watch_start(&watch, w.fds[0], GREEN_READ, 1), -EBUSY);
        CHECK_INT(green_wait_fd(waits, w.fds[0], GREEN_READ), -EBUSY);
        CHECK_INT(green_io_submit(w.io, &op, 1), -EBUSY);
        CHECK_INT(green_io_detach(w.io, &fd), -EBUSY);
        /* To write is no matter. */
        CHECK_INT(green_trampoline(w.fds[0], GREEN_WRITE, 1), 0);
        CHECK_INT(green_io_take(w.io, buf, 1, false), 1);

        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_trampoline(w.fds[0], GREEN_READ, 0.002), -ETIMEDOUT);
        CHECK_INT(green_io_take(w.io, buf, 1, false), -ENODATA);
        core_put(w.fds[1]);
        CHECK_INT(green_trampoline(w.fds[0], GREEN_READ, CORE_SOON), 0);
        CHECK_INT(core_drain(w.fds[0]), 1);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_watch_start(&watch, w.fds[0], GREEN_READ, GREEN_FOREVER), 0);
        core_put(w.fds[1]);
        while (seen == 0)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(seen, GREEN_READ);
        CHECK_INT(core_drain(w.fds[0]), 1);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_submit(w.io, &op, 0.002), -ETIMEDOUT);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_detach(w.io, &fd), 0);
        CHECK_INT(fd, w.fds[0]);
        close(fd);
        wire_close(&w);
}

static void
a_watch_fires_for_what_came_ahead(void)
{
        struct green_watch watch;
        int seen = 0;
        struct wire w;
        char buf[8];

        if (!wire_open(&w, ""))
                return;
        green_watch_init(&watch, watched, &seen);
        for (int held = 0; held < 2; held++) {
                seen = 0;
                CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
                if (held) {
                        core_put(w.fds[1]);
                        until_held(w.io, 1);
                }
                CHECK_INT(green_watch_start_io(&watch, w.io, GREEN_READ, GREEN_FOREVER), 0);
                CHECK_INT(seen, 0);
                if (!held)
                        core_put(w.fds[1]);
                while (seen == 0)
                        CHECK_INT(green_sleep(0.001), 0);
                CHECK_INT(seen, GREEN_READ);
                CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 1);
        }
        CHECK_INT(w.stats->adds, 0);
        /* It ends with the time, and with the registration. */
        seen = 0;
        CHECK_INT(green_watch_start_io(&watch, w.io, GREEN_READ, 0.001), 0);
        while (seen == 0)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(seen, -ETIMEDOUT);
        seen = 0;
        CHECK_INT(green_watch_start_io(&watch, w.io, GREEN_READ | GREEN_WRITE, GREEN_FOREVER), 0);
        CHECK_INT(green_io_close(w.io), 0);
        while (seen == 0)
                CHECK_INT(green_sleep(0.001), 0);
        wire_close(&w);
}

static void
without_buffers_it_ends_until_one_has_come_back(void)
{
        struct wire w, other;
        char buf[8];

        if (!wire_open(&w, "buffers=1,late=0"))
                return;
        CHECK_OR_RETURN(core_pair(other.fds));
        other.io = green_io_open(other.fds[0], 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_run_ahead(other.io, GREEN_OP_RECV, 0), 0);
        core_put(w.fds[1]);
        until_held(w.io, 1);
        core_put(other.fds[1]);
        CHECK_INT(green_io_wait(other.io, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(green_io_take(other.io, buf, sizeof buf, false), -ENODATA);
        CHECK_INT(green_io_run_ahead(other.io, GREEN_OP_RECV, 0), -ENOBUFS);
        /* One waits for it as it is. */
        CHECK_INT(green_io_wait(other.io, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(core_drain(other.fds[0]), 1);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 1);
        CHECK_INT(green_io_run_ahead(other.io, GREEN_OP_RECV, 0), 0);
        core_put(other.fds[1]);
        until_held(other.io, 1);
        CHECK_INT(green_io_free(other.io), 0);
        close(other.fds[1]);
        wire_close(&w);
}

/* A listener, and a client that will have come. */
static int
listener(struct sockaddr_in *addr)
{
        socklen_t size = sizeof *addr;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        *addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        CHECK_INT(bind(fd, (struct sockaddr *)addr, size), 0);
        CHECK_INT(listen(fd, 10), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *)addr, &size), 0);
        return fd;
}

static int
client(const struct sockaddr_in *addr)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_INT(connect(fd, (const struct sockaddr *)addr, sizeof *addr), 0);
        return fd;
}

static void
a_connection_is_accepted_ahead(void)
{
        struct hub_late_stats *stats = core_late_hub("hub_late", "");
        struct sockaddr_in addr, peer, own;
        uint32_t size = sizeof peer;
        socklen_t own_size = sizeof own;
        int one, two, fd;
        char byte;
        green_io *io;

        if (stats == NULL)
                return;
        io = green_io_open(listener(&addr), 0);
        CHECK_INT(green_io_take_fd(io, NULL, NULL), -ENODATA);
        CHECK_INT(green_io_run_ahead(io, GREEN_OP_ACCEPT, SOCK_CLOEXEC), 0);
        CHECK_INT(green_io_take_fd(io, &peer, &size), -EAGAIN);
        one = client(&addr);
        two = client(&addr);
        CHECK_INT(green_io_wait(io, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(green_io_held(io), 1);
        CHECK_INT(green_io_take(io, &byte, 1, false), -ENODATA);
        fd = (int)green_io_take_fd(io, &peer, &size);
        CHECK(fd >= 0);
        CHECK_INT(size, sizeof peer);
        CHECK_INT(getsockname(one, (struct sockaddr *)&own, &own_size), 0);
        CHECK_INT(peer.sin_port, own.sin_port);
        close(fd);
        /* Only one is: the other is in the backlog. */
        CHECK_INT(green_io_take_fd(io, NULL, NULL), -ENODATA);
        /* One that nobody took goes with the listener. */
        CHECK_INT(green_io_run_ahead(io, GREEN_OP_ACCEPT, SOCK_CLOEXEC), 0);
        until_held(io, 1);
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(recv(two, &byte, 1, 0), 0);
        close(one);
        close(two);
        CHECK_INT(stats->adds, 0);
        (void)core_fresh_hub(NULL);
}

static void
close_gives_back_what_is_held_and_what_comes_after_it(void)
{
        static const char *const settings[] = {"cancel=success,late=3,buffers=8", "cancel=canceled,late=1",
                                               "cancel=now"};

        for (int i = 0; i < 3; i++) {
                struct sockaddr_in addr;
                struct wire w;
                green_io *io;
                char byte;
                int fd;

                if (!wire_open(&w, settings[i]))
                        return;
                CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
                put(w.fds[1], 0, 20);
                while (green_io_held(w.io) == 0)
                        CHECK_INT(green_sleep(0.001), 0);
                put(w.fds[1], 20, 20);
                CHECK_INT(green_io_free(w.io), 0);
                w.io = NULL;
                CHECK(fcntl(w.fds[0], F_GETFD) < 0);
                /* An accept, likewise. */
                io = green_io_open(listener(&addr), 0);
                CHECK_INT(green_io_run_ahead(io, GREEN_OP_ACCEPT, SOCK_CLOEXEC), 0);
                fd = client(&addr);
                CHECK_INT(green_io_free(io), 0);
                CHECK_INT(green_sleep(0.02), 0);
                CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
                close(fd);
                wire_close(&w);
        }
}

static void
a_hub_ends_with_something_held_and_something_running(void)
{
        struct wire w, other;

        GREEN_COVERS("HUB-12");
        if (!wire_open(&w, "late=0"))
                return;
        CHECK_OR_RETURN(core_pair(other.fds));
        other.io = green_io_open(other.fds[0], 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_run_ahead(other.io, GREEN_OP_RECV, 0), 0);
        core_put(w.fds[1]);
        until_held(w.io, 1);
        /* Another back end would not know of it. */
        CHECK_INT(green_use_hub("epoll,poll,select"), -EBUSY);
        CHECK_INT(green_io_run_ahead(other.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK_INT(green_io_held(w.io), 0);
        CHECK_INT(green_io_free(w.io), 0);
        CHECK_INT(green_io_free(other.io), 0);
        close(w.fds[1]);
        close(other.fds[1]);
        w.io = NULL;
        CHECK_INT(w.stats->releases, 1);
        CHECK_INT(green_use_hub(NULL), 0);
        (void)core_fresh_hub(NULL);
}

static void
another_back_end_takes_over_where_nothing_is_held(void)
{
        struct wire w;

        if (!wire_open(&w, "late=1"))
                return;
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_use_hub("epoll,poll,select"), 0);
        core_put(w.fds[1]);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), -ENOTSUP);
        CHECK_INT(green_io_wait(w.io, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(core_drain(w.fds[0]), 1);
        wire_close(&w);
}

static void
a_child_of_a_fork_holds_a_copy(void)
{
        struct sockaddr_in addr;
        struct wire w;
        green_io *io;
        char buf[64];
        pid_t pid;
        int fd;

        GREEN_COVERS("FORK-02");
        if (!wire_open(&w, "late=0,buffers=8"))
                return;
        io = green_io_open(listener(&addr), 0);
        CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
        CHECK_INT(green_io_run_ahead(io, GREEN_OP_ACCEPT, SOCK_CLOEXEC), 0);
        fd = client(&addr);
        put(w.fds[1], 0, 30);
        until_held(w.io, 30);
        until_held(io, 1);
        CHECK_INT(green_io_take(w.io, buf, 3, false), 3);
        pid = core_fork();
        if (pid == 0) {
                CHECK_INT(green_io_held(w.io), 27);
                CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 27);
                CHECK(right(buf, 3, 27));
                CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), -ENODATA);
                /* A connection is the parent's. */
                CHECK_INT(green_io_take_fd(io, NULL, NULL), -ENODATA);
                CHECK_INT(green_io_run_ahead(w.io, GREEN_OP_RECV, 0), 0);
                put(w.fds[1], 30, 10);
                until_held(w.io, 10);
                CHECK_INT(green_io_free(w.io), 0);
                CHECK_INT(green_io_free(io), 0);
                close(fd);
                close(w.fds[1]);
                CHECK_INT(green_hub_destroy(CORE_SOON), 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        CHECK_INT(green_io_take(w.io, buf, sizeof buf, false), 27);
        CHECK(right(buf, 3, 27));
        CHECK_INT(green_io_held(io), 1);
        CHECK_INT(green_io_free(io), 0);
        close(fd);
        wire_close(&w);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_ahead){GREEN_TEST(what_comes_is_held_in_order_until_it_is_taken),
                        GREEN_TEST(wrong_uses_have_their_codes),
                        GREEN_TEST(the_end_stands_behind_the_bytes),
                        GREEN_TEST(a_slow_reader_holds_few_buffers_and_loses_nothing),
                        GREEN_TEST(ending_it_keeps_what_comes_meanwhile),
                        GREEN_TEST(others_may_read_once_nothing_is_held),
                        GREEN_TEST(a_watch_fires_for_what_came_ahead),
                        GREEN_TEST(without_buffers_it_ends_until_one_has_come_back),
                        GREEN_TEST(a_connection_is_accepted_ahead),
                        GREEN_TEST(close_gives_back_what_is_held_and_what_comes_after_it),
                        GREEN_TEST(a_hub_ends_with_something_held_and_something_running),
                        GREEN_TEST(another_back_end_takes_over_where_nothing_is_held),
                        GREEN_TEST(a_child_of_a_fork_holds_a_copy),
                        GREEN_SUITE_END};
