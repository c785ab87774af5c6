/*
 * Pipes, terminals and files as streams.
 */
#include "net_stream.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A file of its own with a text in it; its name is valid until the next one. */
static const char *
file_with(const char *text)
{
        static char name[64];
        int fd;

        snprintf(name, sizeof name, "/tmp/green-pipe-XXXXXX");
        fd = mkstemp(name);
        CHECK(fd >= 0);
        CHECK_INT(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        return name;
}

/* What is in a file now; its name is removed. */
static bool
file_has(const char *name, const char *text)
{
        char buf[256] = "";
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, buf, sizeof buf - 1);

        close(fd);
        unlink(name);
        return CHECK_INT(n, strlen(text)) && CHECK_STR(buf, text);
}

static green_stream *
opened(const char *name, const char *mode)
{
        green_stream *st = green_pipe_open(name, mode, NULL);

        if (!CHECK(st != NULL))
                fprintf(stderr, "%s\n", green_last_error()->message);
        return st;
}

static int64_t
place(green_stream *st)
{
        int64_t at = -1;

        CHECK_INT(green_stream_seek(st, 0, SEEK_CUR, &at), 0);
        return at;
}

/* ---- pipes */

static void *
write_large(void *arg)
{
        static char block[70000];

        memset(block, 'b', sizeof block);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_stream_write(arg, block, sizeof block), sizeof block);
        CHECK_INT(green_stream_free(arg), 0);
        return NULL;
}

static void
large_messages_go_through_a_pipe(void)
{
        green_stream *in = NULL, *out = NULL;
        green_thread *gt;
        char *all = NULL;
        size_t len = 0;

        GREEN_COVERS("PIPE-01", "PIPE-03");
        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        CHECK(fcntl(green_stream_fd(in), F_GETFD) & FD_CLOEXEC);
        CHECK(!green_stream_isatty(in));
        gt = green_spawn(write_large, out);
        CHECK_INT(green_stream_read_all(in, 1000000, &all, &len), 0);
        CHECK_INT(len, 210000);
        CHECK_INT(strspn(all, "b"), 210000);
        green_free(all);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_pipe_new(NULL, &out, NULL), -EINVAL);
}

static void
neither_end_of_a_pipe_blocks(void)
{
        green_stream *in = NULL, *out = NULL;

        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        CHECK(fcntl(green_stream_fd(in), F_GETFL) & O_NONBLOCK);
        CHECK(fcntl(green_stream_fd(out), F_GETFL) & O_NONBLOCK);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
}

static void
a_read_of_a_pipe_waits_and_ends(void)
{
        green_stream *in = NULL, *out = NULL;
        struct doing d = {.op = OP_READ};
        const char *line = NULL;
        char buf[4];

        GREEN_COVERS("PIPE-02");
        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        d.st = in;
        begin_op(&d);
        CHECK(!d.over);
        CHECK_INT(green_stream_write(out, "one\ntwo", 7), 7);
        CHECK_INT(green_stream_flush(out), 0);
        CHECK_INT(end_op(&d), 7);
        CHECK_INT(green_stream_write(out, "three\nfour", 10), 10);
        CHECK_INT(green_stream_close(out), 0);
        CHECK_DATA(line, green_stream_readline(in, 100, &line), "three\n");
        CHECK_DATA(line, green_stream_readline(in, 100, &line), "four");
        CHECK_INT(green_stream_readline(in, 100, &line), 0);
        CHECK_INT(green_stream_write(in, "x", 1), -EBADF);
        CHECK_INT(green_stream_read(out, buf, 1), -EBADF);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
}

static int signals;

static void
count_signal(int number)
{
        (void)number;
        signals++;
}

static void
a_pipe_that_nobody_reads_is_an_error_and_no_signal(void)
{
        struct sigaction count = {.sa_handler = count_signal}, old;
        green_stream *in = NULL, *out = NULL;
        sigset_t set, pending;

        CHECK_INT(sigaction(SIGPIPE, &count, &old), 0);
        for (int blocked = 0; blocked < 3; blocked++) {
                signals = 0;
                CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
                CHECK_INT(green_stream_free(in), 0);
                sigemptyset(&set);
                sigaddset(&set, SIGPIPE);
                if (blocked)
                        sigprocmask(SIG_BLOCK, &set, NULL);
                /* One that was there before stays. */
                if (blocked == 2)
                        raise(SIGPIPE);
                CHECK_INT(green_stream_write(out, "x", 1), 1);
                CHECK_INT(green_stream_flush(out), -EPIPE);
                CHECK_INT(signals, 0);
                sigpending(&pending);
                CHECK_INT(sigismember(&pending, SIGPIPE), blocked == 2);
                sigprocmask(SIG_UNBLOCK, &set, NULL);
                CHECK_INT(signals, blocked == 2);
                CHECK_INT(green_stream_unsent(out), 1);
                CHECK_INT(green_stream_free(out), -EPIPE);
        }
        CHECK_INT(sigaction(SIGPIPE, &old, NULL), 0);
}

static void
a_pipe_cannot_be_moved(void)
{
        green_stream *in = NULL, *out = NULL;
        int64_t at = -7;

        GREEN_COVERS("PIPE-06");
        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        CHECK_INT(green_stream_seek(in, 0, SEEK_CUR, &at), -ESPIPE);
        CHECK_INT(green_stream_seek(out, 0, SEEK_SET, NULL), -ESPIPE);
        CHECK_INT(at, -7);
        CHECK_INT(green_stream_truncate(out, 0), -EINVAL);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
}

static void
an_unbuffered_pipe_holds_nothing_back(void)
{
        struct green_stream_opts opts = {.size = sizeof opts, .unbuffered = true};
        green_stream *in = NULL, *out = NULL;
        char buf[8];

        GREEN_COVERS("PIPE-04");
        CHECK_INT(green_pipe_new(&in, &out, &opts), 0);
        CHECK_INT(green_stream_write(out, "ab", 2), 2);
        CHECK_INT(read(green_stream_fd(in), buf, sizeof buf), 2);
        CHECK_INT(green_stream_printf(out, "%d", 12), 2);
        CHECK_DATA(buf, green_stream_read(in, buf, sizeof buf), "12");
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
}

static void
kills_and_closing_end_the_waits(void)
{
        green_stream *in = NULL, *out = NULL;
        struct doing reader = {.op = OP_LINE}, writer = {.op = OP_WRITE, .len = 8000000};
        char *block = calloc(1, 8000000);
        int fd;

        GREEN_COVERS("PIPE-07");
        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        reader.st = in;
        writer.st = out;
        writer.text = block;
        begin_op(&reader);
        CHECK_INT(kill_op(&reader), GREEN_EKILLED);
        begin_op(&writer);
        CHECK_RANGE(kill_op(&writer), 4096, 7999999);
        begin_op(&reader);
        /* The pipe is full of what was written, so the reader has read. */
        CHECK_INT(end_op(&reader), -EMSGSIZE);
        CHECK_INT(green_stream_free(in), 0);
        (void)green_stream_free(out);

        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        reader.st = in;
        begin_op(&reader);
        fd = green_stream_fd(in);
        CHECK_INT(green_stream_free(in), -EBUSY);
        CHECK_INT(green_stream_close(in), 0);
        CHECK(fcntl(fd, F_GETFD) < 0);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(end_op(&reader), -ECANCELED);
        CHECK_INT(green_stream_free(out), 0);
        free(block);
}

static void
a_descriptor_declared_closed_ends_the_wait(void)
{
        green_stream *in = NULL, *out = NULL;
        struct doing d = {.op = OP_READ};
        char buf[4];
        int fd;

        GREEN_COVERS("PIPE-09");
        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        d.st = in;
        fd = green_stream_fd(in);
        begin_op(&d);
        green_notify_close(fd);
        close(fd);
        CHECK_INT(end_op(&d), -ECANCELED);
        CHECK_INT(green_stream_read(in, buf, 1), -EBADF);
        CHECK_INT(green_stream_fd(in), GREEN_INVALID_FD);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
}

static void
a_new_descriptor_is_announced(void)
{
        green_stream *in = NULL, *out = NULL, *old;
        struct doing d = {.op = OP_READ};
        int fds[2];

        GREEN_COVERS("PIPE-08");
        CHECK_INT(pipe(fds), 0);
        old = green_pipe_fdopen(fds[0], "r", NULL);
        CHECK(old != NULL);
        CHECK(green_pipe_fdopen(fds[0], "r", NULL) == NULL);
        CHECK_INT(errno, EBUSY);
        CHECK(is_non_blocking(fds[0]));
        CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
        d.st = old;
        begin_op(&d);
        /* Its number is closed behind its back, and given out again. */
        close(fds[0]);
        CHECK_INT(green_pipe_new(&in, &out, NULL), 0);
        CHECK(green_stream_fd(in) == fds[0] || green_stream_fd(out) == fds[0]);
        CHECK_INT(end_op(&d), -ECANCELED);
        CHECK_INT(green_stream_free(old), 0);
        CHECK_INT(green_stream_write(out, "x", 1), 1);
        CHECK_INT(green_stream_flush(out), 0);
        CHECK_INT(green_stream_read(in, d.buf, 4), 1);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
        close(fds[1]);
}

static void
a_named_pipe_is_opened_without_a_wait(void)
{
        const char *name = file_with("");
        green_stream *in, *out;
        char buf[4];

        GREEN_COVERS("PIPE-01");
        unlink(name);
        CHECK_INT(mkfifo(name, 0600), 0);
        CHECK(green_pipe_open(name, "w", NULL) == NULL);
        CHECK_INT(errno, ENXIO);
        in = opened(name, "r");
        out = opened(name, "w");
        CHECK_INT(green_stream_write(out, "abc", 3), 3);
        CHECK_INT(green_stream_flush(out), 0);
        CHECK_DATA(buf, green_stream_read(in, buf, 4), "abc");
        CHECK_INT(green_stream_seek(in, 0, SEEK_CUR, NULL), -ESPIPE);
        CHECK_INT(green_stream_free(in), 0);
        CHECK_INT(green_stream_free(out), 0);
        unlink(name);
}

/* ---- descriptors that others share */

/* Counts while the others wait. */
static void *
count_ticks(void *arg)
{
        int *ticks = arg;

        while (green_sleep(0.0002) == 0)
                ++*ticks;
        return NULL;
}

/* In a child whose standard input and output are the ends of pipes: 0 is read, 1 is written. */
static void
copy_in_to_out(bool by_file)
{
        green_stream *in, *out;
        char *all = NULL;
        size_t len = 0;
        int ticks = 0;

        if (green_spawn_n(count_ticks, &ticks) != 0)
                _exit(9);
        in = by_file ? green_pipe_from_file(stdin, "r", NULL) : green_pipe_fdopen(0, "r", NULL);
        out = by_file ? green_pipe_from_file(stdout, "w", NULL) : green_pipe_fdopen(1, "w", NULL);
        if (in == NULL || out == NULL)
                _exit(10);
        if (fcntl(green_stream_fd(in), F_GETFL) & O_NONBLOCK || fcntl(green_stream_fd(out), F_GETFL) & O_NONBLOCK)
                _exit(11);
        if (!by_file && (fcntl(0, F_GETFD) & FD_CLOEXEC || fcntl(1, F_GETFD) & FD_CLOEXEC))
                _exit(12);
        if (green_stream_read_all(in, 1000000, &all, &len) != 0)
                _exit(13);
        /* Others ran while nothing came, and while nothing was taken. */
        if (ticks < 1)
                _exit(15);
        ticks = 0;
        if (green_stream_write(out, all, len) != (ssize_t)len || green_stream_free(out) != 0)
                _exit(14);
        _exit(ticks < 1 ? 16 : 0);
}

static void *
feed(void *arg)
{
        char block[20000];

        memset(block, 'f', sizeof block);
        for (int i = 0; i < 10; i++) {
                CHECK_INT(green_stream_write(arg, block, sizeof block), sizeof block);
                green_sleep(i == 5 ? 0.05 * suite_slow() : 0.0005);
        }
        CHECK_INT(green_stream_free(arg), 0);
        return NULL;
}

static void
standard_descriptors_are_never_switched(void)
{
        GREEN_COVERS("PIPE-08");
        for (int by_file = 0; by_file < 2; by_file++) {
                int to[2], from[2], status = -1;
                green_stream *out, *in;
                green_thread *gt;
                char *all = NULL;
                size_t len = 0;
                pid_t pid;

                CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
                pid = fork();
                if (pid == 0) {
                        dup2(to[0], 0);
                        dup2(from[1], 1);
                        for (int i = 0; i < 2; i++) {
                                close(to[i]);
                                close(from[i]);
                        }
                        copy_in_to_out(by_file);
                }
                close(to[0]);
                close(from[1]);
                out = green_pipe_fdopen(to[1], "w", NULL);
                in = green_pipe_fdopen(from[0], "r", NULL);
                gt = green_spawn(feed, out);
                CHECK_INT(green_thread_wait(gt, NULL), 0);
                green_thread_unref(gt);
                green_sleep(0.05 * suite_slow());
                CHECK_INT(green_stream_read_all(in, 1000000, &all, &len), 0);
                CHECK_INT(len, 200000);
                green_free(all);
                CHECK_INT(green_stream_free(in), 0);
                CHECK_INT(waitpid(pid, &status, 0), pid);
                CHECK_INT(status, 0);
        }
}

static void
a_socket_may_be_a_stream_by_its_descriptor(void)
{
        green_stream *st;
        int fds[2];
        char buf[4];

        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        st = green_pipe_fdopen(fds[0], "r+", NULL);
        CHECK_INT(green_stream_write(st, "q", 1), 1);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK_INT(read(fds[1], buf, 4), 1);
        CHECK_INT(write(fds[1], "a", 1), 1);
        CHECK_INT(green_stream_read(st, buf, 4), 1);
        close(fds[1]);
        CHECK_INT(green_stream_read(st, buf, 4), 0);
        CHECK_INT(green_stream_free(st), 0);
}

static void
what_is_written_to_a_socket_that_nobody_reads_is_an_error(void)
{
        green_stream *st;
        int fds[2];

        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        st = green_pipe_fdopen(fds[0], "r+", NULL);
        close(fds[1]);
        CHECK_INT(green_stream_write(st, "q", 1), 1);
        CHECK_INT(green_stream_flush(st), -EPIPE);
        CHECK_INT(green_stream_free(st), -EPIPE);
}

static void
a_terminal_is_one(void)
{
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        green_stream *st;

        if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
                suite_skip("this system gives no terminal");
                close(master);
                return;
        }
        st = opened(ptsname(master), "r+");
        CHECK(green_stream_isatty(st));
        CHECK_INT(green_stream_free(st), 0);
        close(master);
}

/* ---- files */

static void
files_are_read_written_and_moved(void)
{
        const char *name = file_with("hello world\nsecond\n");
        green_stream *st = opened(name, "r+");
        const char *line = NULL;
        char buf[32];
        int64_t at = -1;

        GREEN_COVERS("PIPE-05");
        CHECK_DATA(line, green_stream_readline(st, 100, &line), "hello world\n");
        CHECK_INT(place(st), 12);
        CHECK_DATA(line, green_stream_readline(st, 100, &line), "second\n");
        CHECK_INT(green_stream_seek(st, 6, SEEK_SET, &at), 0);
        CHECK_INT(at, 6);
        CHECK_DATA(buf, green_stream_read(st, buf, 3), "wor");
        /* From where the reader is, though more was read ahead. */
        CHECK_INT(green_stream_seek(st, -2, SEEK_CUR, &at), 0);
        CHECK_INT(at, 7);
        CHECK_DATA(buf, green_stream_read(st, buf, 1), "o");
        /* A write goes to where the reader is, and the next read on from there. */
        CHECK_INT(green_stream_write(st, "RL", 2), 2);
        CHECK_INT(place(st), 10);
        CHECK_DATA(buf, green_stream_read(st, buf, 2), "d\n");
        CHECK_INT(green_stream_write(st, "SECOND", 6), 6);
        CHECK_INT(green_stream_seek(st, -3, SEEK_END, &at), 0);
        CHECK_INT(at, 16);
        CHECK_DATA(buf, green_stream_read(st, buf, 10), "ND\n");
        CHECK_INT(green_stream_read(st, buf, 10), 0);
        CHECK_INT(green_stream_seek(st, -1, SEEK_SET, NULL), -EINVAL);
        CHECK_INT(green_stream_seek(st, INT64_MIN, SEEK_CUR, NULL), -EINVAL);
        CHECK_INT(green_stream_seek(st, 0, 77, NULL), -EINVAL);
        CHECK(!green_stream_isatty(st));
        CHECK_INT(green_stream_free(st), 0);
        CHECK(file_has(name, "hello woRLd\nSECOND\n"));
}

static void
a_file_is_cut_where_the_reader_or_writer_is(void)
{
        const char *name = file_with("0123456789");
        green_stream *st = opened(name, "r+");
        char buf[32];

        GREEN_COVERS("PIPE-05");
        CHECK_DATA(buf, green_stream_read(st, buf, 4), "0123");
        CHECK_INT(green_stream_truncate(st, -1), 0);
        CHECK_INT(place(st), 4);
        CHECK_INT(green_stream_read(st, buf, 4), 0);
        CHECK_INT(green_stream_write(st, "abcdef", 6), 6);
        CHECK_INT(green_stream_truncate(st, 8), 0);
        CHECK_INT(place(st), 10);
        CHECK_INT(green_stream_seek(st, 2, SEEK_SET, NULL), 0);
        CHECK_INT(green_stream_write(st, "..", 2), 2);
        CHECK_INT(green_stream_truncate(st, -1), 0);
        CHECK_INT(green_stream_truncate(st, 6), 0);
        CHECK_INT(green_stream_seek(st, 0, SEEK_SET, NULL), 0);
        CHECK_INT(green_stream_read(st, buf, 32), 6);
        CHECK(memcmp(buf, "01..\0\0", 6) == 0);
        CHECK_INT(green_stream_truncate(st, 4), 0);
        CHECK_INT(green_stream_free(st), 0);
        CHECK(file_has(name, "01.."));
}

static void
the_modes_are_those_of_fopen(void)
{
        char name[64];
        green_stream *st;
        char buf[16];

        GREEN_COVERS("PIPE-05", "PIPE-01");
        snprintf(name, sizeof name, "%s", file_with("old"));
        st = opened(name, "ab");
        CHECK_INT(place(st), 3);
        CHECK_INT(green_stream_write(st, "+new", 4), 4);
        CHECK_INT(place(st), 7);
        CHECK_INT(green_stream_read(st, buf, 1), -EBADF);
        CHECK_INT(green_stream_free(st), 0);

        st = opened(name, "a+");
        CHECK_INT(green_stream_seek(st, 0, SEEK_SET, NULL), 0);
        CHECK_DATA(buf, green_stream_read(st, buf, 3), "old");
        CHECK_INT(green_stream_write(st, "!", 1), 1);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK_INT(place(st), 8);
        CHECK_INT(green_stream_free(st), 0);

        st = opened(name, "r");
        CHECK_DATA(buf, green_stream_read(st, buf, 16), "old+new!");
        CHECK_INT(green_stream_write(st, "x", 1), -EBADF);
        CHECK_INT(green_stream_free(st), 0);

        CHECK(green_pipe_open(name, "wx", NULL) == NULL);
        CHECK_INT(errno, EEXIST);
        st = opened(name, "w+");
        CHECK_INT(green_stream_write(st, "fresh", 5), 5);
        CHECK_INT(green_stream_seek(st, 1, SEEK_SET, NULL), 0);
        CHECK_DATA(buf, green_stream_read(st, buf, 16), "resh");
        CHECK_INT(green_stream_free(st), 0);
        unlink(name);
        CHECK(green_pipe_open(name, "r", NULL) == NULL);
        CHECK_INT(errno, ENOENT);
        st = opened(name, "wxbe");
        CHECK(fcntl(green_stream_fd(st), F_GETFD) & FD_CLOEXEC);
        CHECK_INT(green_stream_free(st), 0);
        CHECK(file_has(name, ""));
}

static void
a_stdio_file_is_taken_over(void)
{
        char name[64];
        green_stream *st;
        FILE *file;
        int fd;

        GREEN_COVERS("PIPE-01");
        snprintf(name, sizeof name, "%s", file_with(""));
        file = fopen(name, "w");
        fd = fileno(file);
        fprintf(file, "by stdio, ");
        /* Where it fails the file stays as it is. */
        CHECK(green_pipe_from_file(file, "r", NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        memory_left = 0;
        CHECK(green_pipe_from_file(file, "w", NULL) == NULL);
        CHECK_INT(errno, ENOMEM);
        memory_left = -1;
        CHECK(fcntl(fd, F_GETFD) >= 0);
        st = green_pipe_from_file(file, "w", NULL);
        CHECK(st != NULL);
        CHECK(green_stream_fd(st) != fd);
        CHECK(fcntl(fd, F_GETFD) < 0);
        CHECK_INT(green_stream_printf(st, "by stream"), 9);
        CHECK_INT(green_stream_free(st), 0);
        CHECK(file_has(name, "by stdio, by stream"));
}

static void
what_cannot_be_opened_says_why(void)
{
        static const char *const bad[] = {"", "z", "rq", "rx", "+", NULL};
        int fds[2], flags;

        CHECK_INT(pipe(fds), 0);
        flags = fcntl(fds[0], F_GETFL);
        for (int i = 0; i < 6; i++) {
                errno = 0;
                CHECK(green_pipe_open("/dev/null", bad[i], NULL) == NULL);
                CHECK_INT(errno, EINVAL);
                CHECK(green_pipe_fdopen(fds[0], bad[i], NULL) == NULL);
                CHECK_INT(green_last_error()->code, -EINVAL);
                CHECK(green_pipe_from_file(stdin, bad[i], NULL) == NULL);
        }
        CHECK(green_pipe_open(NULL, "r", NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_pipe_open("/", "r", NULL) == NULL);
        CHECK_INT(errno, EISDIR);
        CHECK(green_pipe_from_file(NULL, "r", NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_pipe_fdopen(-1, "r", NULL) == NULL);
        CHECK_INT(errno, EBADF);
        for (int i = 0; i < 3; i++) {
                memory_left = i;
                if (green_pipe_fdopen(fds[0], "r", NULL) != NULL) {
                        FAIL("it needs less than %d allocations", i + 1);
                        break;
                }
                CHECK_INT(errno, ENOMEM);
                if (i == 1)
                        break;
        }
        memory_left = -1;
        /* It stays the caller's, as it was. */
        CHECK_INT(fcntl(fds[0], F_GETFL), flags);
        close(fds[0]);
        close(fds[1]);
}

static void
an_end_of_a_pipe_goes_one_way(void)
{
        int fds[2];

        CHECK_INT(pipe(fds), 0);
        CHECK(green_pipe_fdopen(fds[0], "w", NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_pipe_fdopen(fds[1], "r+", NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        close(fds[0]);
        close(fds[1]);
}

GREEN_SUITE(net_pipe) {
        GREEN_TEST(large_messages_go_through_a_pipe),
        GREEN_TEST(neither_end_of_a_pipe_blocks),
        GREEN_TEST(a_read_of_a_pipe_waits_and_ends),
        GREEN_TEST(a_pipe_that_nobody_reads_is_an_error_and_no_signal),
        GREEN_TEST(a_pipe_cannot_be_moved),
        GREEN_TEST(an_unbuffered_pipe_holds_nothing_back),
        GREEN_TEST(kills_and_closing_end_the_waits),
        GREEN_TEST(a_descriptor_declared_closed_ends_the_wait),
        GREEN_TEST(a_new_descriptor_is_announced),
        GREEN_TEST(a_named_pipe_is_opened_without_a_wait),
        GREEN_TEST(standard_descriptors_are_never_switched),
        GREEN_TEST(a_socket_may_be_a_stream_by_its_descriptor),
        GREEN_TEST(what_is_written_to_a_socket_that_nobody_reads_is_an_error),
        GREEN_TEST(a_terminal_is_one),
        GREEN_TEST(files_are_read_written_and_moved),
        GREEN_TEST(a_file_is_cut_where_the_reader_or_writer_is),
        GREEN_TEST(the_modes_are_those_of_fopen),
        GREEN_TEST(a_stdio_file_is_taken_over),
        GREEN_TEST(what_cannot_be_opened_says_why),
        GREEN_TEST(an_end_of_a_pipe_goes_one_way),
        GREEN_SUITE_END
};
