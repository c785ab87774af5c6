/*
 * Streams: kills and time limits at each wait, closing while somebody waits, two at a time.
 */
#include "net_stream.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

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
        static struct source s[4], r = {.no_end = true, .full = true};
        struct doing d[4] = {{0}}, closer[4] = {{0}};
        green_stream *st = stream_over(&r, "", 0, 8);
        struct doing reader = {.st = st, .op = OP_LINE}, waiting = {.st = st, .op = OP_WRITE, .text = "x"};
        struct doing last = {.st = st, .op = OP_CLOSE};
        double begin = now();

        /* A reader that flushes, and one that waits for its turn to write after it. */
        CHECK_INT(green_stream_write(st, "first", 5), 5);
        begin_op(&reader);
        begin_op(&waiting);
        begin_op(&last);

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
        CHECK_INT(end_op(&last), -ETIMEDOUT);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(end_op(&reader), -ECANCELED);
        CHECK_INT(end_op(&waiting), -ECANCELED);
        CHECK_INT(r.closes, 1);
        CHECK_INT(r.writes, 1);
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
        GREEN_SUITE_END
};
