/* Each allocation and system call of net/process*.c, net/communicate.c, net/os.c and net/signal*.c fails in its turn.
 */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <green/net.h>

#define SOON (5.0 * suite_slow())

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

/* However it failed: a wait for its end fails too, and it is waited for in another way. */
#define ENDED_ANYWAY (FAULT_BIT(alloc) | FAULT_BIT(epoll_ctl))

static const char *const cat[] = {"cat", NULL}, *const yes[] = {"true", NULL}, *const no[] = {"false", NULL};
static const char *const hello[] = {"echo", "hello", NULL};

/* One that ends when its input does. */
static green_process *
start_cat(void)
{
        struct green_process_opts opts = {
                .size = sizeof opts, .in = GREEN_PROCESS_PIPE, .out = GREEN_PROCESS_PIPE, .err = GREEN_PROCESS_PIPE};
        green_process *p;

        if (!MADE(green_get_hub()) || !MADE(p = green_process_spawn(cat, &opts)))
                return NULL;
        CHECK(green_process_pid(p) > 0);
        CHECK(green_process_stdin(p) != NULL && green_process_stdout(p) != NULL && green_process_stderr(p) != NULL);
        return p;
}

static void
talking(void)
{
        struct green_process_output o = {.out = NULL};
        green_process *p = start_cat();
        int rc;

        if (p == NULL)
                return;
        /* Two pieces: written by one call. */
        (void)OK(green_stream_write(green_process_stdin(p), "abc", 3));
        rc = green_process_communicate(p, "def", 3, 100, SOON, &o);
        if (!OK(rc))
                rc = green_process_communicate(p, NULL, 0, 100, SOON, &o);
        if (OK(rc)) {
                if (!fault_happened()) {
                        CHECK_STR(o.out, "abcdef");
                        CHECK_STR(o.err, "");
                }
                CHECK_INT(o.status, 0);
        }
        green_free(o.out);
        green_free(o.err);
        CHECK_INT(green_process_free(p), 0);
}

static void *
close_input(void *arg)
{
        (void)OK(green_stream_close(green_process_stdin(arg)));
        return NULL;
}

static void
waiting(void)
{
        green_process *p = start_cat();
        green_thread *gt;
        int status = 1;

        if (p == NULL)
                return;
        if (MADE(gt = green_spawn(close_input, p))) {
                if (OK(green_process_wait(p, SOON, &status)))
                        CHECK_INT(status, 0);
                (void)OK(fault_join(gt));
        }
        CHECK_INT(green_process_free(p), 0);
}

static void
killing(void)
{
        green_process *p = start_cat();
        int status = 1;

        if (p == NULL)
                return;
        if (OK(green_process_kill(p, SIGUSR1)) && OK(green_process_wait(p, SOON, &status)))
                CHECK_INT(status, -SIGUSR1);
        CHECK_INT(green_process_free(p), 0);
        /* Nobody kills this one before it is freed. */
        p = start_cat();
        CHECK_INT(green_process_free(p), 0);
}

static void
placing(void)
{
        struct green_process_opts opts = {.size = sizeof opts,
                                          .in = GREEN_PROCESS_NULL,
                                          .out = GREEN_PROCESS_NULL,
                                          .err = GREEN_PROCESS_STDOUT,
                                          .cwd = "/",
                                          .new_session = true,
                                          .kill_at_exit = true};
        green_fd pass;
        int status = 1;

        fault_pause();
        pass = fcntl(0, F_DUPFD_CLOEXEC, 3);
        fault_resume();
        opts.pass = &pass;
        opts.pass_count = pass >= 0;
        if (MADE(green_get_hub()) && OK(green_process_call(yes, &opts, SOON, &status)))
                CHECK_INT(status, 0);
        if (pass >= 0)
                fault_close(pass);
}

static void
calling(void)
{
        char *out = NULL;
        size_t len;
        int rc;

        if (!MADE(green_get_hub()))
                return;
        (void)OK(green_process_check_call(yes, NULL, SOON));
        if (OK(green_process_check_output(hello, NULL, SOON, &out, &len))) {
                CHECK_STR(out, "hello\n");
                CHECK_INT(len, 6);
                green_free(out);
        }
        rc = green_process_check_call(no, NULL, SOON);
        CHECK(rc == GREEN_ECHILD || !OK(rc));
}

/* ---- the system's calls */

static void *
write_late(void *arg)
{
        ssize_t n = green_os_write(*(int *)arg, "x", 1);

        /* Somebody waits for it. */
        if (!OK(n))
                fault_put(*(int *)arg);
        return NULL;
}

static void
descriptors(void)
{
        green_thread *gt;
        int fds[2];
        char byte;

        fault_pause();
        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        fault_resume();
        if (MADE(green_get_hub()) && MADE(gt = green_spawn(write_late, &fds[1]))) {
                (void)OK(green_os_read(fds[0], &byte, 1));
                (void)OK(fault_join(gt));
        }
        fault_close(fds[0]);
        fault_close(fds[1]);
}

static pid_t
fork_child(int fds[2])
{
        char byte;
        pid_t pid;

        fault_pause();
        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                close(fds[1]);
                (void)!read(fds[0], &byte, 1);
                _exit(3);
        }
        close(fds[0]);
        fault_resume();
        return pid;
}

static void *
end_child(void *arg)
{
        fault_close(*(int *)arg);
        return NULL;
}

static void
wait_for_child(bool any)
{
        int fds[2], status = 0;
        pid_t pid;
        green_thread *gt;
        bool waited = false;

        if (!MADE(green_get_hub()))
                return;
        pid = fork_child(fds);
        if (MADE(gt = green_spawn(end_child, &fds[1]))) {
                waited = OK(any ? green_os_wait(&status) : green_os_waitpid(pid, &status, 0));
                (void)OK(fault_join(gt));
                if (waited)
                        CHECK_INT(WEXITSTATUS(status), 3);
        } else {
                fault_close(fds[1]);
        }
        fault_pause();
        if (!waited)
                CHECK_INT(waitpid(pid, NULL, 0), pid);
        fault_resume();
}

static void
children(void)
{
        wait_for_child(false);
        wait_for_child(true);
}

/* ---- signals */

static void *
send_signal(void *arg)
{
        (void)arg;
        fault_pause();
        CHECK_INT(raise(SIGUSR1), 0);
        fault_resume();
        return NULL;
}

static void
signals(void)
{
        green_signal *s;
        green_thread *gt;
        unsigned count = 0;

        if (!MADE(green_get_hub()) || !MADE(s = green_signal_new(SIGUSR1)))
                return;
        if (MADE(gt = green_spawn(send_signal, NULL))) {
                if (OK(green_signal_wait(s, SOON, &count)))
                        CHECK_INT(count, 1);
                (void)OK(fault_join(gt));
        }
        CHECK_INT(green_signal_free(s), 0);
}

static void
stopping(void)
{
        if (!MADE(green_get_hub()) || !OK(green_signal_stop_main(true)))
                return;
        fault_pause();
        CHECK_INT(raise(SIGTERM), 0);
        fault_resume();
        fault_may_give(GREEN_ESTOPPED);
        CHECK_INT(green_sleep(SOON), GREEN_ESTOPPED);
        CHECK_INT(green_recover(), GREEN_ESTOPPED);
        CHECK_INT(green_signal_stop_main(false), 0);
}

/* A descriptor that stays as it is need not be open: what fcntl() says of it is nothing to anybody. */
#define SCENARIOS(X)                                                                                                   \
        X(calling, ALTSTACK | ENDED_ANYWAY | FAULT_BIT(fcntl), FEWER)                                                  \
        X(children, ALTSTACK, FEWER)                                                                                   \
        X(descriptors, ALTSTACK, FEWER)                                                                                \
        X(killing, ALTSTACK | ENDED_ANYWAY, FEWER)                                                                     \
        X(placing, ALTSTACK | ENDED_ANYWAY, FEWER)                                                                     \
        X(signals, ALTSTACK, FEWER)                                                                                    \
        X(stopping, ALTSTACK, FEWER)                                                                                   \
        X(talking, ALTSTACK | ENDED_ANYWAY, FEWER)                                                                     \
        X(waiting, ALTSTACK | ENDED_ANYWAY, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_calling);
        fault_few_descriptors(&scenario_placing);
        fault_few_descriptors(&scenario_talking);
        fault_few_descriptors(&scenario_signals);
}

GREEN_SUITE(fault_process){SCENARIOS(FAULT_TEST_ROW) GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
                           GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60), GREEN_SUITE_END};
