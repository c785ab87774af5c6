/*
 * Streams: kills and time limits at each wait, closing while somebody waits, two at a time; and streams over sockets.
 */
#include "net_stream.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

static int recv_calls, send_calls;

/* libc's, counted. */
ssize_t
recv(int fd, void *buf, size_t len, int flags)
{
        static ssize_t (*real)(int, void *, size_t, int);

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "recv");
        recv_calls++;
        return real(fd, buf, len, flags);
}

ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
        static ssize_t (*real)(int, const void *, size_t, int);

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "send");
        send_calls++;
        return real(fd, buf, len, flags);
}

static double
now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- waits that end early */

static const enum op reading[] = {OP_READ, OP_EXACT, OP_LINE, OP_ALL, OP_PEEK};
static const enum op writing[] = {OP_WRITE, OP_FLUSH, OP_SEEK, OP_TRUNCATE};

static int64_t
source_seek(void *arg, int64_t offset, int whence)
{
        (void)arg;
        (void)offset;
        (void)whence;
        return 0;
}

static int
source_truncate(void *arg, int64_t length)
{
        (void)arg;
        (void)length;
        return 0;
}

static green_stream *
waiting_stream(struct source *s, struct doing *d)
{
        struct green_stream_ops ops = source_ops;
        struct green_stream_opts opts = {.size = sizeof opts, .write_size = 8};

        /* Of one that cannot be moved, for a read that must not look at the position. */
        if (d->op == OP_SEEK || d->op == OP_TRUNCATE) {
                ops.seek = source_seek;
                ops.truncate = source_truncate;
        }
        s->no_end = true;
        s->in = "";
        d->st = green_stream_new(&ops, s, &opts);
        d->len = 4;
        d->text = "0123456789abcdef";
        CHECK(d->st != NULL);
        return d->st;
}

/* Start a call that waits: a reader for bytes, a writer until more is taken. */
static void
begin_waiting(struct source *s, struct doing *d)
{
        green_stream *st = waiting_stream(s, d);

        if (d->op >= OP_WRITE) {
                CHECK_INT(green_stream_write(st, "<>", 2), 2);
                d->len = 0;
                s->full = true;
        }
        begin_op(d);
        CHECK(!d->over);
}

static void
a_kill_ends_each_wait_and_loses_nothing(void)
{
        for (size_t i = 0; i < 5; i++) {
                struct source s = {0};
                struct doing d = {.op = reading[i]};
                char buf[8];

                begin_waiting(&s, &d);
                source_give(&s, "abc");
                green_sleep(0);
                if (d.op == OP_READ) {
                        CHECK_INT(end_op(&d), 3);
                        CHECK_INT(green_stream_free(d.st), 0);
                        continue;
                }
                CHECK_INT(kill_op(&d), GREEN_EKILLED);
                CHECK_INT(green_stream_pending(d.st), 3);
                CHECK_DATA(buf, green_stream_read(d.st, buf, sizeof buf), "abc");
                CHECK_INT(green_stream_free(d.st), 0);
        }
        for (size_t i = 0; i < 4; i++) {
                struct source s = {0};
                struct doing d = {.op = writing[i]};

                begin_waiting(&s, &d);
                CHECK_INT(kill_op(&d), GREEN_EKILLED);
                CHECK_INT(green_stream_unsent(d.st), 2);
                source_drain(&s);
                CHECK_INT(green_stream_free(d.st), 0);
                CHECK(source_got(&s, "<>"));
        }
}

static void
a_timeout_ends_each_wait(void)
{
        for (size_t i = 0; i < 9; i++) {
                struct source s = {0};
                struct doing d = {.op = i < 5 ? reading[i] : writing[i - 5]};
                struct green_timeout t = {{0}};
                green_stream *st = waiting_stream(&s, &d);

                if (i >= 5) {
                        CHECK_INT(green_stream_write(st, "<>", 2), 2);
                        d.len = 0;
                        s.full = true;
                }
                CHECK_INT(green_timeout_start(&t, 0.005), 0);
                (void)do_op(&d);
                CHECK_INT(d.rc, GREEN_ETIMEOUT);
                /* It goes on failing, also where there is something in the buffer. */
                source_give(&s, "line\n");
                (void)do_op(&d);
                CHECK_INT(d.rc, GREEN_ETIMEOUT);
                CHECK_INT(green_stream_write(st, "x", 1), GREEN_ETIMEOUT);
                CHECK_INT(green_stream_printf(st, "x"), GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&t), 1);
                source_drain(&s);
                CHECK_INT(green_stream_free(st), 0);
        }
}

static void
scopes_are_checked_before_the_buffer_is_touched(void)
{
        struct source s = {0};
        green_stream *st = stream_over(&s, "one\ntwo\n", 0, 0);
        struct green_timeout t = {{0}};
        const char *line = NULL;

        CHECK(green_stream_readline(st, 10, &line) == 4);
        CHECK_INT(green_timeout_start(&t, 0), 0);
        green_sleep(0.001);
        CHECK_INT(green_stream_readline(st, 10, &line), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_DATA(line, green_stream_readline(st, 10, &line), "two\n");
        CHECK_INT(green_stream_free(st), 0);
}

/* ---- two at a time */

static void
a_second_one_in_the_same_direction_is_refused(void)
{
        struct source s = {0};
        struct doing d = {.op = OP_LINE}, e = {.op = OP_FLUSH};
        const char *data;
        char buf[4], *all;
        size_t n;

        begin_waiting(&s, &d);
        e.st = d.st;
        CHECK_INT(green_stream_write(d.st, "q", 1), 1);
        s.full = true;
        begin_op(&e);
        CHECK_INT(green_stream_read(d.st, buf, 4), -EBUSY);
        CHECK_INT(green_last_error()->code, -EBUSY);
        CHECK_INT(green_stream_read_exact(d.st, buf, 4, &n), -EBUSY);
        CHECK_INT(green_stream_readline(d.st, 4, &data), -EBUSY);
        CHECK_INT(green_stream_read_all(d.st, 4, &all, &n), -EBUSY);
        CHECK_INT(green_stream_peek(d.st, 4, &data), -EBUSY);
        CHECK_INT(green_stream_write(d.st, "x", 1), -EBUSY);
        CHECK_INT(green_stream_printf(d.st, "x"), -EBUSY);
        CHECK_INT(green_stream_flush(d.st), -EBUSY);
        CHECK_INT(green_stream_seek(d.st, 0, SEEK_SET, NULL), -EBUSY);
        CHECK_INT(green_stream_truncate(d.st, 0), -EBUSY);
        CHECK_INT(green_stream_free(d.st), -EBUSY);
        /* Each of them in its own direction works. */
        source_drain(&s);
        CHECK_INT(end_op(&e), 0);
        source_give(&s, "line\n");
        CHECK_INT(end_op(&d), 5);
        CHECK(source_got(&s, "q"));
        CHECK_INT(green_stream_seek(d.st, 0, SEEK_SET, NULL), -ESPIPE);
        CHECK_INT(green_stream_free(d.st), 0);
        CHECK_INT(s.closes, 1);
}

/* A reader that flushes has the writing direction for a while, which is not the writer's fault. */
static void
a_writer_waits_until_a_reader_has_flushed(void)
{
        struct source s = {.no_end = true};
        green_stream *st = stream_over(&s, "", 0, 8);
        struct doing reader = {.st = st, .op = OP_LINE}, writer = {.st = st, .op = OP_WRITE, .text = "second"};

        CHECK_INT(green_stream_write(st, "first", 5), 5);
        s.full = true;
        begin_op(&reader);
        begin_op(&writer);
        CHECK(!writer.over);
        CHECK_INT(green_stream_flush(st), -EBUSY);
        /* One that is killed while it waits for its turn leaves it to the next. */
        CHECK_INT(kill_op(&writer), GREEN_EKILLED);
        begin_op(&writer);
        CHECK(!writer.over);
        source_drain(&s);
        CHECK_INT(end_op(&writer), 6);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK(source_got(&s, "firstsecond"));
        source_give(&s, "line\n");
        CHECK_INT(end_op(&reader), 5);
        CHECK_INT(green_stream_free(st), 0);
}

/* ---- closing */

static void
closing_wakes_those_who_wait_and_free_may_follow(void)
{
        GREEN_COVERS("PIPE-07");
        for (size_t i = 0; i < 5; i++) {
                struct source s = {0};
                struct doing d = {.op = reading[i]};

                begin_waiting(&s, &d);
                CHECK_INT(green_stream_close(d.st), 0);
                CHECK_INT(green_stream_free(d.st), 0);
                CHECK_INT(end_op(&d), -ECANCELED);
                CHECK_INT(s.closes, 1);
        }
}

static void
a_writer_that_waits_is_waited_for_and_cut_off_in_the_end(void)
{
        static struct source s[4];
        struct doing d[4] = {{0}}, closer[4] = {{0}};
        double begin = now();

        for (size_t i = 0; i < 4; i++) {
                s[i] = (struct source){0};
                d[i].op = writing[i];
                begin_waiting(&s[i], &d[i]);
                closer[i] = (struct doing){.op = OP_CLOSE, .st = d[i].st};
                begin_op(&closer[i]);
                CHECK(!closer[i].over);
        }
        for (size_t i = 0; i < 4; i++) {
                CHECK_INT(end_op(&closer[i]), -ETIMEDOUT);
                CHECK_INT(green_stream_free(d[i].st), 0);
                CHECK_INT(end_op(&d[i]), -ECANCELED);
                CHECK_INT(s[i].closes, 1);
        }
        CHECK_RANGE(now() - begin, 1.9, 4 * suite_slow());
}

static void
a_closed_stream_says_so(void)
{
        struct source s = {.close_code = -EIO};
        green_stream *st = stream_over(&s, "one\ntwo\n", 0, 0);
        const char *data;
        char buf[4], *all;
        size_t n;

        GREEN_COVERS("PIPE-07");
        CHECK(green_stream_readline(st, 10, &data) == 4);
        CHECK_INT(green_stream_close(st), -EIO);
        CHECK_INT(green_stream_close(st), 0);
        CHECK_INT(s.closes, 1);
        CHECK_INT(green_stream_read(st, buf, 4), -EBADF);
        CHECK_INT(green_stream_read_exact(st, buf, 1, &n), -EBADF);
        CHECK_INT(green_stream_readline(st, 10, &data), -EBADF);
        CHECK_INT(green_stream_read_until(st, "t", 1, 10, &data), -EBADF);
        CHECK_INT(green_stream_read_all(st, 10, &all, &n), -EBADF);
        CHECK_INT(green_stream_peek(st, 1, &data), -EBADF);
        CHECK_INT(green_stream_write(st, "x", 1), -EBADF);
        CHECK_INT(green_stream_printf(st, "x"), -EBADF);
        CHECK_INT(green_stream_flush(st), -EBADF);
        CHECK_INT(green_stream_seek(st, 0, SEEK_SET, NULL), -EBADF);
        CHECK_INT(green_stream_truncate(st, 0), -EBADF);
        CHECK_INT(green_stream_pending(st), 0);
        CHECK_INT(green_stream_unsent(st), 0);
        CHECK(green_stream_fd(st) == GREEN_INVALID_FD && !green_stream_isatty(st));
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(s.closes, 1);
}

static void
close_sends_what_is_left_although_killed(void)
{
        struct source s = {.full = true};
        struct doing d = {.op = OP_CLOSE, .st = stream_over(&s, "", 0, 0)};

        CHECK_INT(green_stream_write(d.st, "the end", 7), 7);
        begin_op(&d);
        CHECK(!d.over);
        CHECK_INT(green_kill(d.thread, 0), 0);
        CHECK(!d.over);
        /* It is closing: who comes now comes too late, and free too early. */
        CHECK_INT(green_stream_write(d.st, "x", 1), -EBADF);
        CHECK_INT(green_stream_free(d.st), -EBUSY);
        CHECK_INT(green_stream_close(d.st), 0);
        source_drain(&s);
        CHECK_INT(green_thread_wait(d.thread, NULL), GREEN_EKILLED);
        green_thread_unref(d.thread);
        CHECK_INT(d.rc, 0);
        CHECK(source_got(&s, "the end"));
        CHECK_INT(green_stream_free(d.st), 0);
}

static void
close_waits_for_one_who_sends_and_sends_the_rest(void)
{
        struct source s = {.no_end = true, .full = true};
        green_stream *st = stream_over(&s, "", 0, 8);
        struct doing reader = {.st = st, .op = OP_LINE}, writer = {.st = st, .op = OP_WRITE, .text = "second"};
        struct doing closer = {.st = st, .op = OP_CLOSE};

        CHECK_INT(green_stream_write(st, "first", 5), 5);
        begin_op(&reader);
        begin_op(&writer);
        begin_op(&closer);
        CHECK(!reader.over && !writer.over && !closer.over);
        source_drain(&s);
        CHECK_INT(end_op(&closer), 0);
        CHECK_INT(end_op(&writer), 6);
        CHECK_INT(end_op(&reader), -ECANCELED);
        CHECK(source_got(&s, "firstsecond"));
        CHECK_INT(green_stream_free(st), 0);
}

struct outside {
        green_stream *st;
        ssize_t n;
        int rc;
};

static void
use_in_hub_context(void *arg)
{
        struct outside *o = arg;
        char buf[4];

        o->n = green_stream_read(o->st, buf, sizeof buf);
        if (o->n == 4)
                CHECK_INT(green_stream_printf(o->st, "hub"), 3);
        else
                o->rc = green_stream_close(o->st);
}

static void
hub_context_does_what_needs_no_wait(void)
{
        struct source s = {.no_end = true};
        struct outside o = {.st = stream_over(&s, "text", 0, 0)};

        CHECK_INT(green_schedule_call_global(0, use_in_hub_context, &o), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(o.n, 4);
        CHECK_INT(green_schedule_call_global(0, use_in_hub_context, &o), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(o.n, -EDEADLK);
        CHECK_INT(o.rc, 0);
        CHECK(source_got(&s, "hub"));
        CHECK_INT(green_stream_free(o.st), 0);

        /* Who would have to wait to send the rest does not. */
        s = (struct source){.no_end = true};
        o.st = stream_over(&s, "", 0, 0);
        CHECK_INT(green_stream_write(o.st, "lost", 4), 4);
        s.full = true;
        CHECK_INT(green_schedule_call_global(0, use_in_hub_context, &o), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(o.rc, -EDEADLK);
        CHECK_INT(green_stream_free(o.st), 0);
}

static void *
use_from_elsewhere(void *arg)
{
        struct outside *o = arg;
        const char *line;

        CHECK_INT(green_stream_readline(o->st, 10, &line), -EPERM);
        CHECK_INT(green_stream_write(o->st, "x", 1), -EPERM);
        CHECK_INT(green_stream_flush(o->st), -EPERM);
        o->rc = green_stream_free(o->st);
        return NULL;
}

static void
a_stream_belongs_to_its_os_thread(void)
{
        struct pair p = tcp_pair();
        struct outside o = {.st = green_socket_makefile(p.a, NULL)};
        struct source s = {.no_end = true};
        struct doing d = {.op = OP_LINE};
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, use_from_elsewhere, &o), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(o.rc, -EPERM);
        CHECK(logged("a stream belongs to hub"));
        CHECK_INT(green_stream_free(o.st), 0);
        free_pair(p);

        /* In use; and not. */
        o.st = d.st = stream_over(&s, "", 0, 0);
        begin_op(&d);
        CHECK_INT(pthread_create(&thread, NULL, use_from_elsewhere, &o), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(o.rc, -EPERM);
        CHECK_INT(kill_op(&d), GREEN_EKILLED);
        CHECK_INT(pthread_create(&thread, NULL, use_from_elsewhere, &o), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(o.rc, 0);
        CHECK_INT(s.closes, 1);
}

static void
a_child_of_a_fork_forgets_who_was_inside(void)
{
        struct source s = {.no_end = true};
        struct doing reader = {.op = OP_LINE}, writer = {.op = OP_FLUSH};
        int status = -1;
        char buf[8];
        pid_t pid;

        reader.st = writer.st = stream_over(&s, "", 0, 0);
        CHECK_INT(green_stream_write(writer.st, "abc", 3), 3);
        begin_op(&reader);
        CHECK(!reader.over && source_got(&s, "abc"));
        s.full = true;
        CHECK_INT(green_stream_write(writer.st, "def", 3), 3);
        begin_op(&writer);
        CHECK(!writer.over);
        pid = fork();
        if (pid == 0) {
                s.full = false;
                source_give(&s, "xy");
                CHECK_INT(green_stream_flush(writer.st), 0);
                CHECK(source_got(&s, "abcdef"));
                CHECK_INT(green_stream_read(reader.st, buf, sizeof buf), 2);
                CHECK_INT(green_stream_free(reader.st), 0);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        source_drain(&s);
        CHECK_INT(end_op(&writer), 0);
        source_give(&s, "\n");
        CHECK_INT(end_op(&reader), 1);
        CHECK_INT(green_stream_free(reader.st), 0);
}

/* ---- over sockets */

/* The system goes on moving bytes to the peer's side for a while. */
static void
fill_up(green_socket *s)
{
        while (fill(s) > 0)
                green_sleep(0.005);
}

static void
a_connection_is_open_as_long_as_socket_or_stream_is(void)
{
        char buf[8];

        GREEN_COVERS("SOCK-35");
        /* Who is closed last: the socket, the first stream, the second. Freed or closed. */
        for (int last = 0; last < 3; last++) {
                for (int freed = 0; freed < 2; freed++) {
                        struct pair p = tcp_pair();
                        green_stream *st[2] = {green_socket_makefile(p.a, NULL), green_socket_makefile(p.a, NULL)};
                        int fd = green_stream_fd(st[0]);
                        const char *line = NULL;

                        for (int i = 0; i < 3; i++) {
                                if (i == last)
                                        continue;
                                if (i == 0)
                                        CHECK_INT(freed ? green_socket_free(p.a) : green_socket_close(p.a), 0);
                                else
                                        CHECK_INT(freed ? green_stream_free(st[i - 1]) : green_stream_close(st[i - 1]),
                                                  0);
                        }
                        CHECK(fcntl(fd, F_GETFD) >= 0);
                        CHECK_INT(green_socket_send(p.b, "in\n", 3, 0), 3);
                        if (last == 0) {
                                CHECK_INT(green_socket_recv(p.a, buf, sizeof buf, 0), 3);
                                CHECK_INT(green_socket_send(p.a, "out", 3, 0), 3);
                        } else {
                                CHECK_DATA(line, green_stream_readline(st[last - 1], 10, &line), "in\n");
                                CHECK_INT(green_stream_printf(st[last - 1], "out"), 3);
                                CHECK_INT(green_stream_flush(st[last - 1]), 0);
                        }
                        CHECK_INT(green_socket_recv(p.b, buf, 3, 0), 3);
                        if (last == 0)
                                CHECK_INT(freed ? green_socket_free(p.a) : green_socket_close(p.a), 0);
                        else
                                CHECK_INT(freed ? green_stream_free(st[last - 1]) : green_stream_close(st[last - 1]),
                                          0);
                        CHECK(fcntl(fd, F_GETFD) < 0);
                        CHECK_INT(green_socket_recv(p.b, buf, 1, 0), 0);
                        for (int i = 0; i < 3 && !freed; i++) {
                                if (i > 0) {
                                        CHECK_INT(green_stream_read(st[i - 1], buf, 1), -EBADF);
                                        CHECK_INT(green_stream_free(st[i - 1]), 0);
                                }
                        }
                        if (!freed) {
                                CHECK_INT(green_socket_recv(p.a, buf, 1, 0), -EBADF);
                                CHECK_INT(green_socket_free(p.a), 0);
                        }
                        CHECK_INT(green_socket_free(p.b), 0);
                }
        }
}

static void
a_closed_socket_with_streams_refuses_every_call(void)
{
        struct pair p = tcp_pair();
        green_stream *st = green_socket_makefile(p.a, NULL);
        struct green_addr addr;
        char buf[4];
        int value;
        socklen_t size = sizeof value;

        GREEN_COVERS("SOCK-35");
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_recv(p.a, buf, 1, 0), -EBADF);
        CHECK_INT(green_socket_recv(p.a, buf, 1, MSG_DONTWAIT), -EBADF);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), -EBADF);
        CHECK_INT(green_socket_sendall(p.a, "x", 1, 0, NULL), -EBADF);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), -EBADF);
        CHECK_INT(green_socket_shutdown_safe(p.a), 0);
        CHECK_INT(green_socket_getpeername(p.a, &addr), -EBADF);
        CHECK_INT(green_socket_getsockopt(p.a, SOL_SOCKET, SO_TYPE, &value, &size), -EBADF);
        CHECK_INT(green_socket_error(p.a), -EBADF);
        CHECK(green_socket_fd(p.a) == GREEN_INVALID_FD && green_socket_io(p.a) == NULL);
        CHECK(green_socket_makefile(p.a, NULL) == NULL);
        CHECK_INT(errno, EBADF);
        CHECK(green_socket_makefile(NULL, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_stream_write(st, "still here", 10), 10);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(green_socket_recv(p.b, buf, 4, 0), 4);
        CHECK_INT(green_socket_recv(p.a, buf, 1, 0), -EBADF);
        CHECK(green_socket_makefile(p.a, NULL) == NULL);
        free_pair(p);
}

static void
closing_one_end_wakes_its_own_waiters_only(void)
{
        struct pair p = tcp_pair();
        green_stream *in = green_socket_makefile(p.a, NULL), *out = green_socket_makefile(p.a, NULL);
        struct doing reader = {.st = in, .op = OP_LINE}, writer = {.st = out, .op = OP_FLUSH};
        struct call c = {.s = p.a};
        char buf[8];

        GREEN_COVERS("SOCK-35");
        /* The socket's reader waits; a stream that closes does not disturb it. */
        start(&c, call_recv);
        CHECK_INT(green_stream_close(in), 0);
        CHECK_INT(green_stream_free(in), 0);
        green_sleep(0.002);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.b, "a", 1, 0), 1);
        CHECK_INT(finish(&c), 1);

        /* The stream's reader waits; the socket's writer does too, and its close ends only that. */
        reader.st = in = green_socket_makefile(p.a, NULL);
        begin_op(&reader);
        fill_up(p.a);
        c.out = buf;
        c.len = 1;
        start(&c, call_sendall);
        CHECK_INT(green_socket_free(p.a), -EBUSY);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        green_sleep(0.002);
        CHECK(!reader.over);
        /* A stream's writer waits as well; the reader's stream is closed. */
        CHECK_INT(green_stream_write(out, "x", 1), 1);
        begin_op(&writer);
        CHECK(!writer.over);
        CHECK_INT(green_stream_close(in), 0);
        CHECK_INT(end_op(&reader), -ECANCELED);
        CHECK_INT(green_stream_free(in), 0);
        green_sleep(0.002);
        CHECK(!writer.over);
        while (!writer.over) {
                drain(p.b);
                green_sleep(0.001);
        }
        CHECK_INT(end_op(&writer), 0);
        CHECK_INT(green_stream_free(out), 0);
        CHECK_INT(green_socket_free(p.b), 0);
}

static void
the_last_stream_of_a_freed_socket_is_closed_while_somebody_waits(void)
{
        struct pair p = tcp_pair();
        struct doing d = {.st = green_socket_makefile(p.a, NULL), .op = OP_LINE};
        int fd = green_stream_fd(d.st);

        CHECK_INT(green_socket_free(p.a), 0);
        begin_op(&d);
        CHECK_INT(green_stream_free(d.st), -EBUSY);
        CHECK_INT(green_stream_close(d.st), 0);
        CHECK(fcntl(fd, F_GETFD) < 0);
        CHECK_INT(green_stream_free(d.st), 0);
        CHECK_INT(end_op(&d), -ECANCELED);
        CHECK_INT(green_socket_free(p.b), 0);
}

static void
the_timeout_of_the_socket_bounds_each_wait(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        green_stream *st = green_socket_makefile(p.a, NULL);
        const char *line = NULL;
        char buf[4];

        CHECK_INT(green_socket_set_timeout(p.a, 0.005), 0);
        CHECK_INT(green_stream_readline(st, 10, &line), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.a, 0), 0);
        CHECK_INT(green_stream_readline(st, 10, &line), -EAGAIN);
        CHECK_INT(green_socket_send(p.b, "li", 2, 0), 2);
        green_sleep(0.002);
        CHECK_INT(green_stream_readline(st, 10, &line), -EAGAIN);
        CHECK_INT(green_stream_pending(st), 2);
        CHECK_INT(green_socket_send(p.b, "ne\n", 3, 0), 3);
        green_sleep(0.002);
        CHECK_DATA(line, green_stream_readline(st, 10, &line), "line\n");
        fill_up(p.a);
        CHECK_INT(green_stream_write(st, "x", 1), 1);
        CHECK_INT(green_stream_flush(st), -EAGAIN);
        /* What cannot be sent does not keep from reading. */
        CHECK_INT(green_socket_send(p.b, "y", 1, 0), 1);
        green_sleep(0.002);
        CHECK_INT(green_stream_read(st, buf, 4), 1);
        CHECK_INT(green_stream_unsent(st), 1);
        CHECK_INT(green_stream_close(st), -EAGAIN);
        CHECK_INT(green_stream_free(st), 0);
        free_pair(p);
}

static void *
echo_lines(void *arg)
{
        green_stream *st = arg;
        const char *line;
        ssize_t n;

        while ((n = green_stream_readline(st, 100, &line)) > 0)
                if (green_stream_write(st, line, (size_t)n) != n)
                        break;
        CHECK_INT(n, 0);
        return NULL;
}

static void
a_line_costs_one_receive_and_one_send(void)
{
        struct pair p = tcp_pair();
        green_stream *st = green_socket_makefile(p.b, NULL);
        green_thread *gt = green_spawn(echo_lines, st);
        int fd = green_socket_fd(p.a), lines = 0;
        char buf[400];

        CHECK_INT(green_socket_free(p.b), 0);
        for (int i = 0; i < 51; i++) {
                int at_once = i % 3 + 1;

                if (i == 1)
                        recv_calls = send_calls = 0;
                memset(buf, 'x', sizeof buf);
                for (int k = 1; k <= at_once; k++)
                        buf[64 * k - 1] = '\n';
                CHECK_INT(write(fd, buf, 64 * (size_t)at_once), 64 * at_once);
                green_sleep(0.0005);
                CHECK_INT(read(fd, buf, sizeof buf), 64 * at_once);
                lines += at_once;
        }
        /* Some hubs cannot tell whether the end has come along: there it takes two. */
        CHECK_RANGE(recv_calls, 50, strcmp(green_hub_name(NULL), "epoll") == 0 ? 50 : 100);
        CHECK_INT(send_calls, 50);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(green_socket_free(p.a), 0);
}

static void *
write_many_lines(void *arg)
{
        green_stream *st = arg;
        char line[1100];

        memset(line, '=', sizeof line);
        for (int i = 0; i < 10000; i++) {
                line[1030] = '\n';
                snprintf(line, 16, "%09d", i);
                line[9] = ' ';
                if (!CHECK_INT(green_stream_write(st, line, 1031), 1031))
                        break;
        }
        CHECK_INT(green_stream_close(st), 0);
        return NULL;
}

static void
ten_thousand_lines_arrive_whole(void)
{
        struct pair p = tcp_pair();
        green_stream *out = green_socket_makefile(p.a, NULL), *in = green_socket_makefile(p.b, NULL);
        int small = 5000, n = 0;
        const char *line;
        green_thread *gt;
        ssize_t got;

        GREEN_COVERS("SOCK-36");
        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
        free_pair(p);
        gt = green_spawn(write_many_lines, out);
        while ((got = green_stream_readline(in, 2000, &line)) > 0) {
                if (!CHECK_INT(got, 1031) || !CHECK_INT(strtol(line, NULL, 10), n))
                        break;
                n++;
        }
        CHECK_INT(got, 0);
        CHECK_INT(n, 10000);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
}

GREEN_SUITE(net_stream_life) {
        GREEN_TEST(a_kill_ends_each_wait_and_loses_nothing),
        GREEN_TEST(a_timeout_ends_each_wait),
        GREEN_TEST(scopes_are_checked_before_the_buffer_is_touched),
        GREEN_TEST(a_second_one_in_the_same_direction_is_refused),
        GREEN_TEST(a_writer_waits_until_a_reader_has_flushed),
        GREEN_TEST(closing_wakes_those_who_wait_and_free_may_follow),
        GREEN_TEST(a_writer_that_waits_is_waited_for_and_cut_off_in_the_end),
        GREEN_TEST(a_closed_stream_says_so),
        GREEN_TEST(close_sends_what_is_left_although_killed),
        GREEN_TEST(close_waits_for_one_who_sends_and_sends_the_rest),
        GREEN_TEST(hub_context_does_what_needs_no_wait),
        GREEN_TEST(a_stream_belongs_to_its_os_thread),
        GREEN_TEST(a_child_of_a_fork_forgets_who_was_inside),
        GREEN_TEST(a_connection_is_open_as_long_as_socket_or_stream_is),
        GREEN_TEST(a_closed_socket_with_streams_refuses_every_call),
        GREEN_TEST(closing_one_end_wakes_its_own_waiters_only),
        GREEN_TEST(the_last_stream_of_a_freed_socket_is_closed_while_somebody_waits),
        GREEN_TEST(the_timeout_of_the_socket_bounds_each_wait),
        GREEN_TEST(a_line_costs_one_receive_and_one_send),
        GREEN_TEST(ten_thousand_lines_arrive_whole),
        GREEN_SUITE_END
};
