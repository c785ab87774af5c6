/* Each allocation and system call of streams, pipes and poll fails in its turn. See fault.h. */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/net.h>

/* Who waits for one that has failed does so no longer than this. */
#define SOON (2.0 * suite_slow())
#define BRIEF (0.05 * suite_slow())

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

/* What one end sees where the other has failed. */
static void
peer_may_be_gone(void)
{
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ECANCELED);
        fault_may_give(-ETIMEDOUT);
        fault_may_give(GREEN_EEOF);
        fault_may_give(GREEN_ETIMEOUT);
}

/* It gave n bytes; where something failed it may be the end, or fewer. */
static bool
gave(ssize_t n, ssize_t want)
{
        if (n == want)
                return true;
        if (n < 0)
                return OK(n);
        fault_shows();
        return false;
}

GREEN_PRINTF(2, 3)
static int
print(green_stream *st, const char *format, ...)
{
        va_list args;
        int n;

        va_start(args, format);
        n = green_stream_vprintf(st, format, args);
        va_end(args);
        return n;
}

static void
free_stream(green_stream *st)
{
        (void)OK(green_stream_free(st));
}

/* ---- over a source that never fails */

static ssize_t
give(void *source, void *buf, size_t len)
{
        size_t *at = source;

        len = len < 10 ? len : 10;
        for (size_t i = 0; i < len; i++)
                ((char *)buf)[i] = "line\n"[(*at)++ % 5];
        return (ssize_t)len;
}

static ssize_t
swallow(void *source, const struct green_iovec *iov, size_t n)
{
        (void)source;
        return (ssize_t)(iov[0].len + (n > 1 ? iov[1].len : 0));
}

static void
memory_of_streams(void)
{
        static const struct green_stream_ops ops = {.size = sizeof ops, .read = give, .writev = swallow};
        const struct green_stream_opts opts = {.size = sizeof opts, .read_size = 4, .write_size = 4};
        green_stream *st;
        const char *data;
        char buf[64], *all;
        size_t n, at = 0;

        errno = 0;
        if (!MADE(st = green_stream_new(&ops, &at, &opts)))
                return;
        (void)gave(green_stream_readline(st, 100, &data), 5);
        (void)OK(green_stream_peek(st, 30, &data));
        if (OK(green_stream_read_exact(st, buf, 50, &n)))
                CHECK_INT(n, 50);
        fault_may_give(-EMSGSIZE);
        CHECK(green_stream_read_all(st, 100, &all, &n) != 0);
        (void)OK(green_stream_read_until(st, "e\nl", 3, 200, &data));
        (void)gave(green_stream_write(st, "ab", 2), 2);
        (void)gave(print(st, "%s", "longer than it was"), 18);
        (void)OK(green_stream_flush(st));
        CHECK_INT(green_stream_unsent(st), 0);
        CHECK_INT(green_stream_seek(st, 0, SEEK_SET, NULL), -ESPIPE);
        free_stream(st);
}

/* ---- over sockets */

struct ends {
        green_socket *socket;
        green_stream *ask, *answer;
};

static bool
make_ends(struct ends *e)
{
        const struct green_stream_opts opts = {.size = sizeof opts, .read_size = 16, .write_size = 16};
        int fds[2];

        *e = (struct ends){NULL, NULL, NULL};
        peer_may_be_gone();
        if (!MADE(green_get_hub()))
                return false;
        fault_pair(fds);
        errno = 0;
        if (MADE(e->answer = green_pipe_fdopen(fds[1], "r+", NULL))) {
                errno = 0;
                if (MADE(e->socket = green_socket_from_fd(fds[0]))) {
                        CHECK_INT(green_socket_set_timeout(e->socket, BRIEF), 0);
                        errno = 0;
                        if (MADE(e->ask = green_socket_makefile(e->socket, &opts)))
                                return true;
                        (void)OK(green_socket_free(e->socket));
                } else {
                        fault_close(fds[0]);
                }
                free_stream(e->answer);
        } else {
                fault_close(fds[0]);
                fault_close(fds[1]);
        }
        return false;
}

static void *
answer_lines(void *arg)
{
        struct ends *e = arg;
        struct green_timeout t = {{0}};
        const char *line;
        ssize_t n;
        int rc = green_timeout_start(&t, SOON);

        if (OK(rc)) {
                while ((n = green_stream_readline(e->answer, 100, &line)) > 0)
                        if (!OK(green_stream_printf(e->answer, "<%.*s", (int)n, line)))
                                break;
                (void)OK(n);
                (void)green_timeout_cancel(&t);
        }
        (void)OK(green_stream_close(e->answer));
        return NULL;
}

/* Its limit is for answers that a fault keeps away: before it happens a machine may be as slow as it likes. */
static ssize_t
wait_for_line(green_stream *st, const char **ret_line)
{
        ssize_t n;
        int turns = 0;

        do
                n = green_stream_readline(st, 100, ret_line);
        while (n == -ETIMEDOUT && !fault_happened() && ++turns < 200);
        return n;
}

static void
questions_and_answers(void)
{
        green_thread *gt;
        struct ends e;
        const char *line;

        if (!make_ends(&e))
                return;
        if (MADE(gt = green_spawn(answer_lines, &e))) {
                for (int i = 0; i < 3; i++) {
                        ssize_t n = green_stream_write(e.ask, "how much does it cost?\n", 23);

                        if (!gave(n, 23) || !gave(wait_for_line(e.ask, &line), 24))
                                break;
                }
                CHECK(green_stream_pending(e.ask) == 0 || fault_happened());
                CHECK(green_stream_fd(e.ask) >= 0 && !green_stream_isatty(e.ask));
                (void)OK(green_socket_free(e.socket));
                e.socket = NULL;
                if (gave(green_stream_write(e.ask, "x\n", 2), 2))
                        (void)gave(wait_for_line(e.ask, &line), 3);
                (void)OK(green_stream_close(e.ask));
                (void)OK(fault_join(gt));
        }
        if (e.socket != NULL)
                (void)OK(green_socket_free(e.socket));
        free_stream(e.ask);
        free_stream(e.answer);
}

/* ---- pipes */

struct pipes {
        green_stream *in, *out;
};

static void *
write_much(void *arg)
{
        static char block[150000];
        struct pipes *p = arg;
        struct green_timeout t = {{0}};

        if (OK(green_timeout_start(&t, SOON))) {
                (void)gave(green_stream_write(p->out, block, sizeof block), sizeof block);
                (void)green_timeout_cancel(&t);
        }
        (void)OK(green_stream_close(p->out));
        return NULL;
}

static void
pipes(void)
{
        struct pipes p = {NULL, NULL};
        struct green_timeout t = {{0}};
        green_thread *gt;
        char *all = NULL;
        size_t len = 0;

        peer_may_be_gone();
        if (!MADE(green_get_hub()) || !OK(green_pipe_new(&p.in, &p.out, NULL)))
                return;
        if (MADE(gt = green_spawn(write_much, &p))) {
                if (OK(green_timeout_start(&t, SOON))) {
                        if (OK(green_stream_read_all(p.in, 1000000, &all, &len))) {
                                CHECK(len == 150000 || fault_happened());
                                green_free(all);
                        }
                        (void)green_timeout_cancel(&t);
                }
                (void)OK(green_stream_close(p.in));
                (void)OK(fault_join(gt));
        }
        free_stream(p.in);
        free_stream(p.out);
}

/* ---- files */

static void
use_file(green_stream *st)
{
        int64_t at = 0;
        char buf[8];

        if (!gave(green_stream_write(st, "0123456789", 10), 10) || !OK(green_stream_seek(st, 2, SEEK_SET, &at)))
                return;
        CHECK_INT(at, 2);
        if (gave(green_stream_read(st, buf, 3), 3) && OK(green_stream_truncate(st, -1)) && OK(green_stream_flush(st)))
                CHECK(memcmp(buf, "234", 3) == 0);
}

static void
files(void)
{
        char name[64];
        green_stream *st;
        FILE *file;

        if (!MADE(green_get_hub()))
                return;
        fault_pause();
        snprintf(name, sizeof name, "/tmp/green-fault-%ld", (long)getpid());
        fault_resume();
        errno = 0;
        if (MADE(st = green_pipe_open(name, "w+", NULL))) {
                use_file(st);
                free_stream(st);
        }
        fault_pause();
        file = fopen(name, "w+");
        fault_resume();
        errno = 0;
        if (file == NULL) {
                fault_may_give(-EMFILE);
                (void)OK(-EMFILE);
        } else if (MADE(st = green_pipe_from_file(file, "r+", NULL))) {
                use_file(st);
                free_stream(st);
        } else {
                fault_pause();
                fclose(file);
                fault_resume();
        }
        fault_pause();
        unlink(name);
        fault_resume();
}

/* ---- poll */

static void *
put_later(void *arg)
{
        (void)OK(green_sleep(0));
        fault_put(*(int *)arg);
        return NULL;
}

static void
polling(void)
{
        struct pollfd fds[40];
        green_thread *gt;
        int pair[2];
        fd_set set;

        if (!MADE(green_get_hub()))
                return;
        fault_pair(pair);
        for (int i = 0; i < 40; i++)
                fds[i] = (struct pollfd){.fd = i == 7 ? pair[0] : -1, .events = POLLIN};
        fault_put(pair[1]);
        FD_ZERO(&set);
        FD_SET(pair[0], &set);
        if (OK(green_poll(fds, 40, SOON)))
                CHECK(fds[7].revents == POLLIN);
        if (OK(green_fd_select(pair[0] + 1, &set, NULL, NULL, SOON)))
                CHECK(FD_ISSET(pair[0], &set));
        fault_get(pair[0]);
        for (int i = 8; i <= 40; i += 32) {
                if (!MADE(gt = green_spawn(put_later, &pair[1])))
                        break;
                if (OK(green_poll(fds, (size_t)i, SOON)))
                        CHECK(fds[7].revents == POLLIN);
                (void)OK(fault_join(gt));
                fault_get(pair[0]);
        }
        fault_close(pair[0]);
        fault_close(pair[1]);
}

/* ---- the rows */

#define SCENARIOS(X)                                                                                                   \
        X(memory_of_streams, ALTSTACK | FAULT_BIT(alloc), FEWER)                                                       \
        X(questions_and_answers, ALTSTACK | FAULT_BIT(send) | FAULT_BIT(sendmsg) | FAULT_BIT(writev), FEWER)           \
        X(pipes, ALTSTACK | FAULT_BIT(alloc), 0)                                                                       \
        X(files, ALTSTACK | FAULT_BIT(writev), FEWER)                                                                  \
        X(polling, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_pipes);
        fault_few_descriptors(&scenario_files);
}

GREEN_SUITE(fault_stream) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60),
        GREEN_SUITE_END
};
