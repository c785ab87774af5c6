/* net/os.c: system calls on descriptors and children that are no objects of green-net. */
#include "net_process.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct os_call {
        int fd;
        char buf[64];
        size_t len;
        ssize_t rc;
        bool over;
};

static void *
read_it(void *arg)
{
        struct os_call *c = arg;

        c->rc = green_os_read(c->fd, c->buf, sizeof c->buf);
        c->over = true;
        return NULL;
}

/* ---- reading and writing */

static void
reading(int flags)
{
        struct os_call c = {.rc = -1};
        green_thread *gt;
        int fds[2];

        CHECK_INT(pipe2(fds, O_CLOEXEC | flags), 0);
        c.fd = fds[0];
        gt = green_spawn(read_it, &c);
        green_sleep(0.005);
        CHECK(!c.over);
        CHECK_INT(write(fds[1], "abc", 3), 3);
        join(gt, 0);
        CHECK_INT(c.rc, 3);
        CHECK_INT(memcmp(c.buf, "abc", 3), 0);
        CHECK(flags == 0 ? !is_blocking_known() || !is_non_blocking(fds[0]) : is_non_blocking(fds[0]));
        close(fds[1]);
        CHECK_INT(green_os_read(fds[0], c.buf, 1), 0);
        close(fds[0]);
}

static void
a_read_waits_until_there_is_something(void)
{
        GREEN_COVERS("GOS-01", "ISS-37");
        reading(0);
        reading(O_NONBLOCK);
}

static void
regular_files_are_always_ready(void)
{
        char name[] = "/tmp/green-XXXXXX", bytes[8] = {0};
        int fd = mkstemp(name), blocks = PIPE_BUF * 3;
        char *data = calloc(1, (size_t)blocks);

        GREEN_COVERS("GOS-01", "GOS-03", "ISS-37");
        CHECK_INT(unlink(name), 0);
        CHECK_INT(green_os_write(fd, "file", 4), 4);
        CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
        CHECK_INT(green_os_read(fd, bytes, sizeof bytes), 4);
        CHECK_STR(bytes, "file");
        CHECK_INT(green_os_read(fd, bytes, sizeof bytes), 0);
        /* Not in pieces. */
        CHECK_INT(green_os_write(fd, data, (size_t)blocks), blocks);
        close(fd);
        free(data);
}

static void
what_cannot_be_read_or_written_is_an_error(void)
{
        char byte = 0;
        int fds[2];

        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        CHECK_INT(green_os_read(-1, &byte, 1), -EINVAL);
        CHECK_INT(green_os_write(-1, &byte, 1), -EINVAL);
        CHECK_INT(green_os_read(fds[0], NULL, 1), -EINVAL);
        CHECK_INT(green_os_write(fds[1], NULL, 1), -EINVAL);
        CHECK_INT(green_os_read(900, &byte, 1), -EBADF);
        CHECK_INT(green_os_write(900, &byte, 1), -EBADF);
        CHECK_INT(green_os_write(fds[0], &byte, 1), -EBADF);
        CHECK_INT(green_os_read(fds[1], &byte, 1), -EBADF);
        close(fds[0]);
        close(fds[1]);
}

/* Declared closed, by somebody who means to. */
static void
a_read_of_what_is_declared_closed_ends(void)
{
        struct os_call c = {.rc = -1};
        green_thread *gt;
        int fds[2];

        GREEN_COVERS("GOS-02");
        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        c.fd = fds[0];
        gt = green_spawn(read_it, &c);
        green_sleep(0);
        green_notify_close(fds[0]);
        close(fds[0]);
        join(gt, 0);
        CHECK_INT(c.rc, -ECANCELED);
        close(fds[1]);
}

/* How much goes in before it would block, and that others run when it does. */
static size_t
fill_up(int fd)
{
        static const char block[100000];
        struct green_timeout limit = {{0}};
        size_t total = 0;
        ssize_t n;

        CHECK_INT(green_timeout_start(&limit, 0.02 * suite_slow()), 0);
        while ((n = green_os_write(fd, block, sizeof block)) > 0)
                total += (size_t)n;
        CHECK_INT(n, GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        return total;
}

static void
a_write_waits_until_it_is_taken(void)
{
        static const char block[PIPE_BUF * 2];
        int fds[2];

        GREEN_COVERS("GOS-03", "GOS-05");
        for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
                CHECK_INT(pipe2(fds, O_CLOEXEC | flags), 0);
                /* One that would block gets so much that it does not. */
                CHECK_INT(green_os_write(fds[1], block, sizeof block), flags == 0 ? PIPE_BUF : PIPE_BUF * 2);
                CHECK(fill_up(fds[1]) >= PIPE_BUF);
                close(fds[0]);
                close(fds[1]);
        }
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        CHECK(fill_up(fds[1]) > PIPE_BUF);
        close(fds[0]);
        CHECK_INT(green_os_write(fds[1], "x", 1), -EPIPE);
        close(fds[1]);
}

static void
nobody_who_reads_is_an_error_and_no_signal(void)
{
        int fds[2];

        GREEN_COVERS("GOS-04");
        for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
                CHECK_INT(pipe2(fds, O_CLOEXEC | flags), 0);
                close(fds[0]);
                CHECK_INT(green_os_write(fds[1], "x", 1), -EPIPE);
                close(fds[1]);
        }
}

static void
calls_that_need_not_wait_let_others_run_now_and_then(void)
{
        int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC), turns = 0;
        green_thread *gt = green_spawn(count_turns, &turns);
        char byte;

        for (int i = 0; i < 1000; i++)
                CHECK_INT(green_os_read(fd, &byte, 1), 1);
        CHECK_RANGE(turns, 10, 20);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        close(fd);
}

static void *
poll_once(void *arg)
{
        struct os_call *c = arg;

        c->rc = green_trampoline(c->fd, GREEN_READ, GREEN_FOREVER);
        return NULL;
}

static void
a_descriptor_becomes_a_stream_and_open_announces_its_number(void)
{
        struct os_call c = {.rc = -1};
        green_thread *gt;
        green_stream *st;
        int fds[2];

        GREEN_COVERS("GOS-07");
        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        CHECK((st = green_pipe_fdopen(fds[1], "w", NULL)) != NULL);
        CHECK_INT(green_stream_write(st, "x", 1), 1);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_PTR(green_pipe_fdopen(-1, "r", NULL), NULL);
        CHECK_INT(errno, EBADF);
        CHECK_INT(green_os_read(fds[0], c.buf, sizeof c.buf), 1);
        close(fds[0]);
        /* A number that was closed behind everybody's back, and is given again. */
        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        c.fd = fds[0];
        gt = green_spawn(poll_once, &c);
        green_sleep(0);
        close(fds[0]);
        CHECK((st = green_pipe_open("/dev/null", "r", NULL)) != NULL);
        CHECK_INT(green_stream_fd(st), fds[0]);
        join(gt, 0);
        CHECK_INT(c.rc, -ECANCELED);
        CHECK_INT(green_stream_free(st), 0);
        close(fds[1]);
}

/* ---- children */

struct child {
        pid_t pid, rc;
        int status, options;
};

static void *
wait_for_child(void *arg)
{
        struct child *c = arg;

        c->rc = green_os_waitpid(c->pid, &c->status, c->options);
        return NULL;
}

/* One that ends when it is told to, through the pipe. */
static pid_t
fork_child(int fds[2], int status)
{
        pid_t pid;
        char byte;

        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                close(fds[1]);
                (void)!read(fds[0], &byte, 1);
                _exit(status);
        }
        close(fds[0]);
        return pid;
}

static void
child_ends(pid_t who, bool any)
{
        struct child c = {.pid = who};
        int fds[2], status = -1, turns = 0;
        pid_t pid = fork_child(fds, 5);
        green_thread *gt, *counter;

        if (!any)
                c.pid = pid;
        CHECK_INT(green_os_waitpid(c.pid, &status, WNOHANG), 0);
        gt = green_spawn(wait_for_child, &c);
        counter = green_spawn(count_turns, &turns);
        green_sleep(0.01);
        CHECK(turns > 0);
        close(fds[1]);
        join(gt, 0);
        CHECK_INT(c.rc, pid);
        CHECK(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 5);
        CHECK_INT(green_kill(counter, 0), 0);
        join(counter, GREEN_EKILLED);
        CHECK_INT(green_os_waitpid(c.pid, &status, 0), -ECHILD);
        CHECK_INT(green_os_wait(NULL), -ECHILD);
}

static void
children(void)
{
        child_ends(0, false);
        child_ends(-1, true);
        child_ends(0, true);
        child_ends(-getpgrp(), true);
}

static void
waiting_for_a_child_lets_others_run(void)
{
        GREEN_COVERS("GOS-06");
        both_ways(children);
}

static void
wait_gets_any_child(void)
{
        int fds[3][2], status;
        pid_t pids[3];

        GREEN_COVERS("GOS-06");
        for (int i = 0; i < 3; i++)
                pids[i] = fork_child(fds[i], i);
        for (int i = 2; i >= 0; i--) {
                close(fds[i][1]);
                CHECK_INT(green_os_wait(&status), pids[i]);
                CHECK_INT(WEXITSTATUS(status), i);
        }
}

static void
stopped_children_are_told_where_asked_for(void)
{
        struct child c = {.options = WUNTRACED};
        int fds[2];
        green_thread *gt;

        c.pid = fork_child(fds, 0);
        gt = green_spawn(wait_for_child, &c);
        green_sleep(0);
        CHECK_INT(kill(c.pid, SIGSTOP), 0);
        join(gt, 0);
        CHECK_INT(c.rc, c.pid);
        CHECK(WIFSTOPPED(c.status));
        CHECK_INT(kill(c.pid, SIGKILL), 0);
        CHECK_INT(green_os_waitpid(c.pid, &c.status, 0), c.pid);
        CHECK(WIFSIGNALED(c.status));
        close(fds[1]);
}

static void
gives_up(void)
{
        struct green_timeout limit = {{0}};
        int fds[2], status;
        pid_t pid = fork_child(fds, 0);

        for (int i = 0; i < 2; i++) {
                CHECK_INT(green_timeout_start(&limit, 0.01), 0);
                CHECK_INT(green_os_waitpid(i == 0 ? pid : -1, &status, 0), GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&limit), 1);
        }
        close(fds[1]);
        CHECK_INT(green_os_waitpid(pid, &status, 0), pid);
}

static void
a_wait_for_a_child_can_be_given_up(void)
{
        both_ways(gives_up);
}

static void
in_callback(void *arg)
{
        CHECK_INT(green_os_waitpid(*(pid_t *)arg, NULL, WNOHANG), 0);
        CHECK_INT(green_os_waitpid(*(pid_t *)arg, NULL, 0), -EDEADLK);
}

static void
a_hub_callback_cannot_wait_for_a_child(void)
{
        int fds[2];
        pid_t pid = fork_child(fds, 0);

        CHECK_INT(green_hub_post(green_get_hub(), in_callback, &pid), 0);
        green_sleep(0.01);
        close(fds[1]);
        CHECK_INT(green_os_waitpid(pid, NULL, 0), pid);
}

/* Another library has a handler of its own: it goes on hearing of its children. */
static volatile sig_atomic_t heard;

static void
hear(int sig)
{
        (void)sig;
        heard++;
}

static void
who_listened_for_children_before_still_does(void)
{
        struct sigaction theirs = {.sa_handler = hear}, old, now;
        struct child c = {.pid = -1};
        int fds[2];
        pid_t pid = fork_child(fds, 0);
        green_thread *gt;

        heard = 0;
        sigaction(SIGCHLD, &theirs, &old);
        gt = green_spawn(wait_for_child, &c);
        green_sleep(0);
        sigaction(SIGCHLD, NULL, &now);
        CHECK(now.sa_handler != hear);
        close(fds[1]);
        join(gt, 0);
        CHECK_INT(c.rc, pid);
        CHECK_INT(heard, 1);
        sigaction(SIGCHLD, &old, &now);
        CHECK(now.sa_handler == hear);
}

GREEN_SUITE(net_os){GREEN_TEST(a_read_waits_until_there_is_something),
                    GREEN_TEST(regular_files_are_always_ready),
                    GREEN_TEST(what_cannot_be_read_or_written_is_an_error),
                    GREEN_TEST(a_read_of_what_is_declared_closed_ends),
                    GREEN_TEST(a_write_waits_until_it_is_taken),
                    GREEN_TEST(nobody_who_reads_is_an_error_and_no_signal),
                    GREEN_TEST(calls_that_need_not_wait_let_others_run_now_and_then),
                    GREEN_TEST(a_descriptor_becomes_a_stream_and_open_announces_its_number),
                    GREEN_TEST(waiting_for_a_child_lets_others_run),
                    GREEN_TEST(wait_gets_any_child),
                    GREEN_TEST(stopped_children_are_told_where_asked_for),
                    GREEN_TEST(a_wait_for_a_child_can_be_given_up),
                    GREEN_TEST(a_hub_callback_cannot_wait_for_a_child),
                    GREEN_TEST(who_listened_for_children_before_still_does),
                    GREEN_SUITE_END};
