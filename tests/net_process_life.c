/* net/communicate.c, net/process_call.c: talking to programs to their end, and being stopped on the way. */
#include "net_process.h"

#include <signal.h>

enum { MIB = 1024 * 1024 };

static char *
pattern(size_t len)
{
        char *data = malloc(len);

        for (size_t i = 0; i < len; i++)
                data[i] = (char)(i * 7 + i / 251);
        return data;
}

static void
drop(struct green_process_output *o)
{
        green_free(o->out);
        green_free(o->err);
        *o = (struct green_process_output){.out = NULL};
}

/* ---- communicate */

static void
both_directions(void)
{
        struct green_process_opts opts = pipes();
        char *data = pattern(MIB);
        green_process *p = shell("cat; sleep 0.05; echo done >&2; exit 2", &opts);
        struct green_process_output o = {.out = NULL};
        green_thread *gt;
        int turns = 0;

        CHECK_OR_RETURN(p != NULL);
        gt = green_spawn(count_turns, &turns);
        CHECK_INT(green_process_communicate(p, data, MIB, MIB, SOON, &o), 0);
        CHECK(turns > 10);
        CHECK_INT(o.out_len, MIB);
        CHECK(o.out != NULL && memcmp(o.out, data, MIB) == 0 && o.out[MIB] == '\0');
        CHECK_INT(o.err_len, 5);
        CHECK_STR(o.err, "done\n");
        CHECK_INT(o.status, 2);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        /* Once more: there is nothing left. */
        CHECK_INT(green_stream_close(green_process_stdin(p)), 0);
        drop(&o);
        CHECK_INT(green_process_communicate(p, NULL, 0, MIB, SOON, &o), 0);
        CHECK_STR(o.out, "");
        CHECK_STR(o.err, "");
        CHECK_INT(o.status, 2);
        CHECK_INT(green_process_communicate(p, "x", 1, MIB, SOON, &o), -EINVAL);
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
        free(data);
        no_children();
}

static void
a_mebibyte_goes_through_cat_and_back(void)
{
        GREEN_COVERS("GSUB-03", "GSUB-04");
        both_ways(both_directions);
}

/* It stops itself in the middle, so that the call is stopped there. */
static void
resumed(void)
{
        struct green_process_opts opts = pipes();
        struct green_process_output o = {.out = NULL};
        struct green_timeout limit = {{0}};
        char *data = pattern(MIB);
        green_process *p = shell("head -c 300000; kill -STOP $$; cat; kill -STOP $$; echo end >&2", &opts);

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_process_communicate(p, data, MIB, MIB, 0.05 * suite_slow(), &o), -ETIMEDOUT);
        CHECK_PTR(o.out, NULL);
        CHECK_INT(green_timeout_start(&limit, 0.03 * suite_slow()), 0);
        CHECK_INT(green_process_communicate(p, NULL, 0, MIB, GREEN_FOREVER, &o), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        CHECK_INT(green_process_communicate(p, NULL, 0, MIB, 0, &o), -ETIMEDOUT);
        CHECK_INT(green_process_kill(p, SIGCONT), 0);
        CHECK_INT(green_process_communicate(p, NULL, 0, MIB, 0.2 * suite_slow(), &o), -ETIMEDOUT);
        CHECK_INT(green_process_kill(p, SIGCONT), 0);
        CHECK_INT(green_process_communicate(p, NULL, 0, MIB, SOON, &o), 0);
        CHECK_INT(o.out_len, MIB);
        /* head may take more than it passes on: what it passed on, and the end of the rest, are known. */
        CHECK(o.out != NULL && memcmp(o.out, data, 300000) == 0);
        CHECK_STR(o.err, "end\n");
        CHECK_INT(o.status, 0);
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
        free(data);
}

static void
what_was_stopped_goes_on_where_it_was(void)
{
        GREEN_COVERS("GSUB-03");
        resumed();
}

static void
more_than_the_limit_is_an_error_and_not_lost(void)
{
        struct green_process_opts opts = pipes();
        struct green_process_output o = {.out = NULL};
        green_process *p = shell("printf 0123456789; printf abc >&2", &opts);

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_process_communicate(p, NULL, 0, 9, SOON, &o), -EMSGSIZE);
        CHECK_INT(green_process_communicate(p, NULL, 0, 2, SOON, &o), -EMSGSIZE);
        CHECK_INT(green_process_communicate(p, NULL, 0, 10, SOON, &o), 0);
        CHECK_STR(o.out, "0123456789");
        CHECK_STR(o.err, "abc");
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
        p = shell("exit", &opts);
        CHECK_INT(green_process_communicate(p, NULL, 0, 0, SOON, &o), 0);
        CHECK_INT(o.out_len, 0);
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
}

static void
a_program_may_leave_its_input(void)
{
        struct green_process_opts opts = pipes();
        struct green_process_output o = {.out = NULL};
        char *data = pattern(MIB);
        green_process *p = shell("exec <&-; echo no thanks", &opts);

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_process_communicate(p, data, MIB, MIB, SOON, &o), 0);
        CHECK_STR(o.out, "no thanks\n");
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
        free(data);
}

static void
what_the_streams_hold_comes_first(void)
{
        struct green_process_opts opts = pipes();
        struct green_process_output o = {.out = NULL};
        green_process *p = shell("echo one; echo two; cat", &opts);
        const char *line;

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_stream_write(green_process_stdin(p), "three\n", 6), 6);
        CHECK_INT(green_stream_readline(green_process_stdout(p), 10, &line), 4);
        CHECK_INT(green_process_communicate(p, "four\n", 5, 100, SOON, &o), 0);
        CHECK_STR(o.out, "two\nthree\nfour\n");
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
}

static void
only_pipes_give_output(void)
{
        struct green_process_opts opts = {.size = sizeof opts, .out = GREEN_PROCESS_PIPE};
        struct green_process_output o = {.out = NULL};
        green_process *p = shell("echo x", &opts);

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_process_communicate(p, "x", 1, 100, SOON, &o), -EINVAL);
        CHECK_INT(green_process_communicate(p, NULL, 1, 100, SOON, &o), -EINVAL);
        CHECK_INT(green_process_communicate(p, NULL, 0, 100, -1, &o), -EINVAL);
        CHECK_INT(green_process_communicate(p, NULL, 0, 100, SOON, NULL), -EINVAL);
        CHECK_INT(green_process_communicate(NULL, NULL, 0, 100, SOON, &o), -EINVAL);
        CHECK_INT(green_process_communicate(p, NULL, 0, 100, SOON, &o), 0);
        CHECK_STR(o.out, "x\n");
        CHECK_PTR(o.err, NULL);
        CHECK_INT(o.err_len, 0);
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
}

struct talk {
        green_process *p;
        struct green_process_output o;
        int rc;
};

static void *
communicate(void *arg)
{
        struct talk *t = arg;

        t->rc = green_process_communicate(t->p, "a\n", 2, 100, GREEN_FOREVER, &t->o);
        return NULL;
}

static void *
read_byte(void *arg)
{
        char byte;

        return green_stream_read(green_process_stdout(arg), &byte, 1) == 1 ? NULL : green_fail(-EIO);
}

static void
one_talks_at_a_time(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("read a; kill -STOP $$; echo $a", &opts);
        struct talk t = {.p = p};
        struct green_process_output o = {.out = NULL};
        green_thread *reader, *gt;
        char byte;

        CHECK_OR_RETURN(p != NULL);
        reader = green_spawn(read_byte, p);
        green_sleep(0);
        CHECK_INT(green_process_communicate(p, "b\n", 2, 100, SOON, &o), -EBUSY);
        CHECK_INT(green_process_free(p), -EBUSY);
        CHECK_INT(green_kill(reader, 0), 0);
        join(reader, GREEN_EKILLED);
        gt = green_spawn(communicate, &t);
        green_sleep(0);
        CHECK_INT(green_process_communicate(p, NULL, 0, 100, SOON, &o), -EBUSY);
        CHECK_INT(green_stream_read(green_process_stdout(p), &byte, 1), -EBUSY);
        CHECK_INT(green_process_free(p), -EBUSY);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        CHECK_INT(t.rc, GREEN_EKILLED);
        /* It may not have got to where it stops: continued until it has ended. */
        while (green_process_communicate(p, NULL, 0, 100, 0.01, &o) == -ETIMEDOUT)
                (void)green_process_kill(p, SIGCONT);
        CHECK_STR(o.out, "a\n");
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
}

/* A stream that is closed on the way gives what there was. */
static void *
close_output(void *arg)
{
        green_sleep(0.01);
        CHECK_INT(green_stream_close(green_process_stdout(arg)), 0);
        CHECK_INT(green_stream_close(green_process_stdin(arg)), 0);
        return NULL;
}

static void
a_stream_that_is_closed_meanwhile_has_no_more_to_say(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("echo before; trap '' PIPE; kill -STOP $$; echo after; exit 3", &opts);
        struct green_process_output o = {.out = NULL};
        green_thread *gt;
        const char *line;

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_stream_peek(green_process_stdout(p), 7, &line), 7);
        gt = green_spawn(close_output, p);
        while (green_process_communicate(p, NULL, 0, 100, 0.05, &o) == -ETIMEDOUT)
                (void)green_process_kill(p, SIGCONT);
        join(gt, 0);
        CHECK_INT(o.status, 3);
        CHECK_STR(o.out, "before\n");
        drop(&o);
        CHECK_INT(green_process_free(p), 0);
}

/* ---- to the end, in one call */

static void
calls(void)
{
        static const char *const ok[] = {"true", NULL}, *const bad[] = {"sh", "-c", "exit 3", NULL};
        static const char *const none[] = {"green-no-such", NULL};
        static const char *const says[] = {"sh", "-c", "echo said; exit $0", "0", NULL};
        static const char *const fails[] = {"sh", "-c", "echo said; exit $0", "4", NULL};
        struct green_process_opts opts = {.size = sizeof opts, .err = GREEN_PROCESS_PIPE};
        char *out = NULL;
        size_t len = 0;
        int status = 1;

        CHECK_INT(green_process_call(ok, NULL, SOON, &status), 0);
        CHECK_INT(status, 0);
        CHECK_INT(green_process_call(bad, NULL, SOON, &status), 0);
        CHECK_INT(status, 3);
        CHECK_INT(green_process_call(none, NULL, SOON, &status), -ENOENT);
        CHECK_INT(green_process_call(ok, &opts, SOON, &status), -EINVAL);
        CHECK_INT(green_process_call(ok, NULL, -1, &status), -EINVAL);
        CHECK_INT(green_process_call(NULL, NULL, SOON, &status), -EINVAL);
        CHECK_INT(green_process_check_call(ok, NULL, SOON), 0);
        CHECK_INT(green_process_check_call(bad, NULL, SOON), GREEN_ECHILD);
        CHECK_STR(green_last_error()->message, "sh: status 3");
        CHECK_INT(green_process_check_call(none, NULL, SOON), -ENOENT);
        CHECK_INT(green_process_check_output(says, NULL, SOON, &out, &len), 0);
        CHECK_STR(out, "said\n");
        CHECK_INT(len, 5);
        green_free(out);
        out = NULL;
        CHECK_INT(green_process_check_output(fails, NULL, SOON, &out, &len), GREEN_ECHILD);
        CHECK_STR(green_last_error()->message, "sh: status 4");
        CHECK_PTR(out, NULL);
        CHECK_INT(green_process_check_output(says, &opts, SOON, &out, &len), -EINVAL);
        CHECK_INT(green_process_check_output(says, NULL, SOON, NULL, &len), -EINVAL);
        no_children();
}

static void
calls_run_a_program_to_its_end(void)
{
        GREEN_COVERS("GSUB-05");
        both_ways(calls);
}

static void
a_call_says_which_signal_has_ended_its_program(void)
{
        static const char *const dies[] = {"sh", "-c", "kill -TERM $$", NULL};

        CHECK_INT(green_process_check_call(dies, NULL, SOON), GREEN_ECHILD);
        CHECK_STR(green_last_error()->message, "sh: ended by signal 15");
}

/* ---- stopped on the way: the program ends too. It says that it runs, and holds a pipe while it does. */

struct run {
        int which;
        double timeout;
        struct green_process_opts opts;
        int rc;
};

static void *
run(void *arg)
{
        static const char *const argv[] = {"sh", "-c", "trap '' TERM; echo on >&2; read line", NULL};
        struct run *r = arg;
        char *out = NULL;
        size_t len;

        if (r->which == 0)
                r->rc = green_process_call(argv, &r->opts, r->timeout, NULL);
        else if (r->which == 1)
                r->rc = green_process_check_call(argv, &r->opts, r->timeout);
        else
                r->rc = green_process_check_output(argv, &r->opts, r->timeout, &out, &len);
        return NULL;
}

static void
stopped(void)
{
        for (int which = 0; which < 3; which++) {
                for (int killed = 0; killed < 2; killed++) {
                        struct run r = {.which = which, .timeout = killed ? GREEN_FOREVER : BEGUN};
                        int in[2], err[2];
                        green_thread *gt;
                        char bytes[8];

                        CHECK_INT(pipe2(in, O_CLOEXEC), 0);
                        CHECK_INT(pipe2(err, O_CLOEXEC | O_NONBLOCK), 0);
                        r.opts = (struct green_process_opts){.size = sizeof r.opts,
                                                             .in = GREEN_PROCESS_FD,
                                                             .in_fd = in[0],
                                                             .err = GREEN_PROCESS_FD,
                                                             .err_fd = err[1]};
                        gt = green_spawn(run, &r);
                        CHECK_INT(green_os_read(err[0], bytes, sizeof bytes), 3);
                        if (killed)
                                CHECK_INT(green_kill(gt, 0), 0);
                        join(gt, killed ? GREEN_EKILLED : 0);
                        CHECK_INT(r.rc, killed ? GREEN_EKILLED : -ETIMEDOUT);
                        close(err[1]);
                        /* Nobody holds the other end any more. */
                        CHECK_INT(read(err[0], bytes, 1), 0);
                        close(err[0]);
                        close(in[0]);
                        close(in[1]);
                        no_children();
                }
        }
}

static void
a_call_that_is_stopped_ends_its_program(void)
{
        GREEN_COVERS("GSUB-05");
        both_ways(stopped);
}

/* However short the time is, all is well afterwards. */
static void
timeouts_at_every_stage_leave_nothing(void)
{
        static const char *const argv[] = {"sh", "-c", "echo a; echo b >&2; sleep 0.003; cat", NULL};
        int ended = 0, timed_out = 0;

        for (int i = 0; i < 60; i++) {
                struct green_process_opts opts = pipes();
                struct green_process_output o = {.out = NULL};
                struct green_timeout limit = {{0}};
                green_process *p;
                int rc = -1;

                CHECK_INT(green_timeout_start(&limit, i * 0.0003 * (i < 50 ? 1 : 1000)), 0);
                p = green_process_spawn(argv, &opts);
                if (p != NULL)
                        rc = green_process_communicate(p, "c\n", 2, 100, GREEN_FOREVER, &o);
                if (rc == 0) {
                        CHECK_STR(o.out, "a\nc\n");
                        ended++;
                } else {
                        CHECK_INT(p == NULL ? green_last_error()->code : rc, GREEN_ETIMEOUT);
                        timed_out++;
                }
                (void)green_timeout_cancel(&limit);
                drop(&o);
                CHECK_INT(green_process_free(p), 0);
        }
        CHECK(ended > 0);
        CHECK(timed_out > 0);
        no_children();
}

static void *
check_output(void *arg)
{
        char text[64], *out = NULL, want[16];
        const char *argv[] = {"sh", "-c", text, NULL};
        size_t len;

        snprintf(text, sizeof text, "echo %d; head -c 100000 /dev/zero >&2", *(int *)arg);
        snprintf(want, sizeof want, "%d\n", *(int *)arg);
        {
                struct green_process_opts opts = {.size = sizeof opts, .err = GREEN_PROCESS_NULL};

                CHECK_INT(green_process_check_output(argv, &opts, SOON, &out, &len), 0);
        }
        CHECK_STR(out, want);
        green_free(out);
        return NULL;
}

static void
many_calls_at_the_same_time_do_not_disturb_each_other(void)
{
        enum { N = 40 };
        green_thread *gts[N];

        for (int i = 0; i < N; i++)
                gts[i] = green_spawn_copy(check_output, &i, sizeof i);
        for (int i = 0; i < N; i++)
                join(gts[i], 0);
        no_children();
}

GREEN_SUITE(net_process_life){GREEN_TEST(a_mebibyte_goes_through_cat_and_back),
                              GREEN_TEST(what_was_stopped_goes_on_where_it_was),
                              GREEN_TEST(more_than_the_limit_is_an_error_and_not_lost),
                              GREEN_TEST(a_program_may_leave_its_input),
                              GREEN_TEST(what_the_streams_hold_comes_first),
                              GREEN_TEST(only_pipes_give_output),
                              GREEN_TEST(one_talks_at_a_time),
                              GREEN_TEST(a_stream_that_is_closed_meanwhile_has_no_more_to_say),
                              GREEN_TEST(calls_run_a_program_to_its_end),
                              GREEN_TEST(a_call_says_which_signal_has_ended_its_program),
                              GREEN_TEST(a_call_that_is_stopped_ends_its_program),
                              GREEN_TEST(timeouts_at_every_stage_leave_nothing),
                              GREEN_TEST(many_calls_at_the_same_time_do_not_disturb_each_other),
                              GREEN_SUITE_END};
