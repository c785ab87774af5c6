/* net/process.c, net/process_posix.c, net/process_wait.c: processes are started, waited for, and leave nothing behind.
 */
#include "net_process.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

/* ---- the end */

static void
ends_with(const char *text, int want)
{
        green_process *p = shell(text, NULL);
        int status = 1;

        CHECK_OR_RETURN(p != NULL);
        CHECK(green_process_pid(p) > 0);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, want);
        status = 1;
        CHECK_INT(green_process_wait(p, 0, &status), 0);
        CHECK_INT(status, want);
        CHECK_INT(green_process_free(p), 0);
        no_children();
}

static void
statuses(void)
{
        ends_with("exit 0", 0);
        ends_with("exit 7", 7);
        ends_with("exit 255", 255);
}

static void
a_program_runs_and_its_status_is_told(void)
{
        GREEN_COVERS("GSUB-01");
        both_ways(statuses);
}

static void
ends_by_signals(void)
{
        ends_with("kill -KILL $$", -SIGKILL);
        ends_with("kill -TERM $$", -SIGTERM);
}

static void
one_that_a_signal_has_ended_is_told_apart(void)
{
        both_ways(ends_by_signals);
}

static void
limits(void)
{
        struct green_process_opts opts = pipes();
        struct green_hub_info info = {.size = sizeof info};
        green_process *p = shell("read line", &opts);
        green_thread *gt;
        int turns = 0, status = 1;

        CHECK_OR_RETURN(p != NULL);
        gt = green_spawn(count_turns, &turns);
        CHECK_INT(green_process_wait(p, 0, &status), -ETIMEDOUT);
        CHECK_INT(turns, 0);
        CHECK_INT(green_process_wait(p, 0.03, &status), -ETIMEDOUT);
        CHECK(turns > 0);
        CHECK_INT(status, 1);
        /* Nothing is waited for any more. */
        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK_INT(info.readers, 0);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        CHECK_INT(green_stream_write(green_process_stdin(p), "x\n", 2), 2);
        CHECK_INT(green_stream_close(green_process_stdin(p)), 0);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, 0);
        CHECK_INT(green_process_free(p), 0);
        no_children();
}

static void
a_wait_has_a_limit_and_lets_others_run(void)
{
        GREEN_COVERS("GSUB-01");
        both_ways(limits);
}

static void
waiters(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("read line; exit 3", &opts);
        struct waiter w[4];
        green_thread *gts[4];

        CHECK_OR_RETURN(p != NULL);
        for (int i = 0; i < 4; i++) {
                w[i] = (struct waiter){.p = p, .timeout = i == 3 ? 0.01 : SOON};
                gts[i] = green_spawn(wait_for_end, &w[i]);
        }
        join(gts[3], 0);
        CHECK_INT(w[3].rc, -ETIMEDOUT);
        CHECK_INT(green_kill(gts[2], 0), 0);
        join(gts[2], GREEN_EKILLED);
        CHECK_INT(w[2].rc, GREEN_EKILLED);
        CHECK_INT(green_process_free(p), -EBUSY);
        CHECK_INT(green_stream_close(green_process_stdin(p)), 0);
        for (int i = 0; i < 2; i++) {
                join(gts[i], 0);
                CHECK_INT(w[i].rc, 0);
                CHECK_INT(w[i].status, 3);
        }
        CHECK_INT(green_process_free(p), 0);
        no_children();
}

static void
several_wait_for_one_and_some_give_up(void)
{
        both_ways(waiters);
}

static void
reaped(void)
{
        struct green_process_opts opts = pipes();
        green_process *p[2] = {shell("exit 1", NULL), shell("read line", &opts)};
        struct waiter w = {.p = p[1], .timeout = SOON};
        green_thread *gt;
        int status = 1;

        CHECK_OR_RETURN(p[0] != NULL && p[1] != NULL);
        CHECK_INT(waitpid(green_process_pid(p[0]), NULL, 0), green_process_pid(p[0]));
        CHECK_INT(green_process_kill(p[0], SIGTERM), -ESRCH);
        CHECK_INT(green_process_wait(p[0], SOON, &status), 0);
        CHECK_INT(status, -1000);
        gt = green_spawn(wait_for_end, &w);
        green_sleep(0);
        CHECK_INT(green_stream_close(green_process_stdin(p[1])), 0);
        CHECK_INT(waitpid(green_process_pid(p[1]), NULL, 0), green_process_pid(p[1]));
        join(gt, 0);
        CHECK_INT(w.rc, 0);
        CHECK_INT(w.status, -1000);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_process_free(p[i]), 0);
}

static void
one_that_somebody_else_waited_for_has_ended_too(void)
{
        GREEN_COVERS("GSUB-02");
        both_ways(reaped);
}

static void
many(void)
{
        enum { N = 100 };
        static const char *const argv[] = {"true", NULL};
        green_process *p[N];
        struct waiter w[N];
        green_thread *gts[N];

        for (int i = 0; i < N; i++) {
                p[i] = green_process_spawn(argv, NULL);
                CHECK_OR_RETURN(p[i] != NULL);
                w[i] = (struct waiter){.p = p[i], .timeout = SOON};
                gts[i] = green_spawn(wait_for_end, &w[i]);
        }
        for (int i = 0; i < N; i++) {
                join(gts[i], 0);
                CHECK_INT(w[i].rc, 0);
                CHECK_INT(w[i].status, 0);
                CHECK_INT(green_process_free(p[i]), 0);
        }
        no_children();
}

static void
a_hundred_run_at_the_same_time(void)
{
        both_ways(many);
}

/* SIGCHLD never comes: it is blocked. */
static void
without_pidfds_a_lost_signal_is_made_up_for(void)
{
        green_process *p;
        sigset_t chld, old;
        int status = 1;

        no_pidfd = true;
        sigemptyset(&chld);
        sigaddset(&chld, SIGCHLD);
        pthread_sigmask(SIG_BLOCK, &chld, &old);
        p = shell("exit 4", NULL);
        CHECK(p != NULL);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, 4);
        CHECK_INT(green_process_free(p), 0);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        no_pidfd = false;
}

/* ---- signals to it */

static void
kills(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("read line", &opts);
        int status = 1;

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_process_kill(p, 0), 0);
        CHECK_INT(green_process_kill(p, 12345), -EINVAL);
        CHECK_INT(green_process_kill(p, SIGUSR1), 0);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, -SIGUSR1);
        CHECK_INT(green_process_kill(p, SIGUSR1), -ESRCH);
        CHECK_INT(green_process_kill(p, 0), -ESRCH);
        CHECK_INT(green_process_free(p), 0);
        CHECK_INT(green_process_kill(NULL, SIGTERM), -EINVAL);
}

/* One that has ended, and was not waited for: of a group others may be there. */
static void
kills_of_zombies(void)
{
        for (int leads = 0; leads < 2; leads++) {
                struct green_process_opts opts = {.size = sizeof opts, .new_group = leads};
                green_process *p = shell("exit 6", &opts);
                siginfo_t info;
                int status = 1;

                CHECK_OR_RETURN(p != NULL);
                CHECK_INT(waitid(P_PID, (id_t)green_process_pid(p), &info, WEXITED | WNOWAIT), 0);
                CHECK_INT(green_process_kill(p, SIGTERM), leads ? 0 : -ESRCH);
                CHECK_INT(green_process_wait(p, 0, &status), 0);
                CHECK_INT(status, 6);
                CHECK_INT(green_process_kill(p, SIGTERM), -ESRCH);
                CHECK_INT(green_process_free(p), 0);
        }
}

static void
a_signal_reaches_it_while_it_lives(void)
{
        both_ways(kills);
        both_ways(kills_of_zombies);
}

/* Its children hold the pipe: its end tells that they have gone too. */
static void
groups(void)
{
        struct green_process_opts opts = pipes();
        green_process *p;
        const char *line;
        char byte;

        opts.new_group = true;
        p = shell("sh -c 'echo on; read line <&3' 3<&0 & wait", &opts);
        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(getpgid(green_process_pid(p)), green_process_pid(p));
        CHECK_INT(green_stream_readline(green_process_stdout(p), 10, &line), 3);
        CHECK_INT(green_process_kill(p, SIGKILL), 0);
        CHECK_INT(green_stream_read(green_process_stdout(p), &byte, 1), 0);
        CHECK_INT(green_process_wait(p, SOON, NULL), 0);
        CHECK_INT(green_process_kill(p, SIGKILL), -ESRCH);
        CHECK_INT(green_process_free(p), 0);
}

static void
a_group_is_reached_as_a_whole(void)
{
        both_ways(groups);
}

static void
a_session_is_its_own(void)
{
        struct green_process_opts opts = pipes();
        green_process *p;

        opts.new_session = true;
        p = shell("read line", &opts);
        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(getsid(green_process_pid(p)), green_process_pid(p));
        CHECK_INT(green_process_kill(p, SIGKILL), 0);
        CHECK_INT(green_process_free(p), 0);
}

static void
freed(void)
{
        struct green_process_opts opts = pipes();
        green_process *polite =
                shell("trap 'echo asked >&2; exit 0' TERM; echo on; while :; do read line; done", &opts);
        green_process *deaf = shell("trap '' TERM; echo on; read line", &opts);
        const char *line;

        CHECK_OR_RETURN(polite != NULL && deaf != NULL);
        CHECK_INT(green_stream_readline(green_process_stdout(polite), 10, &line), 3);
        CHECK_INT(green_stream_readline(green_process_stdout(deaf), 10, &line), 3);
        CHECK_INT(green_process_free(polite), 0);
        CHECK_INT(green_process_free(deaf), 0);
        CHECK_INT(green_process_free(NULL), 0);
        no_children();
}

static void
one_that_is_freed_is_ended_by_force_if_need_be(void)
{
        both_ways(freed);
}

/* ---- what it starts with */

static void
it_has_the_environment_and_the_folder_it_is_given(void)
{
        static const char *const env[] = {"A=b c", "PATH=/nowhere", NULL};
        struct green_process_opts opts = {.size = sizeof opts, .env = env, .cwd = "/"};

        CHECK_STR(said("echo \"$A\"; pwd", &opts), "b c\n/\n");
        setenv("GREEN_TEST_ENV", "is seen", 1);
        CHECK_STR(said("echo $GREEN_TEST_ENV", NULL), "is seen\n");
        unsetenv("GREEN_TEST_ENV");
}

static void
a_program_is_looked_for_in_path(void)
{
        const char *path = getenv("PATH");
        const char *argv[] = {"other name", "-c", "echo $0", NULL};
        struct green_process_opts opts = {.size = sizeof opts, .file = "sh"};
        char folder[] = "/tmp/green-XXXXXX", old[4096], program[64], *out = NULL;
        const char *own[] = {"own", NULL};
        size_t len;
        FILE *f;

        snprintf(old, sizeof old, "%s", path);
        CHECK_INT(green_process_check_output(argv, &opts, SOON, &out, &len), 0);
        CHECK_STR(out, "other name\n");
        green_free(out);
        CHECK_OR_RETURN(mkdtemp(folder) != NULL);
        snprintf(program, sizeof program, "%s/own", folder);
        f = fopen(program, "w");
        fputs("#!/bin/sh\necho it is $1\n", f);
        fclose(f);
        /* One that cannot be run is passed by, and told if there is no other. */
        setenv("PATH", folder, 1);
        CHECK(green_process_spawn(own, NULL) == NULL);
        CHECK_INT(errno, EACCES);
        chmod(program, 0700);
        /* A relative folder counts from where the program starts. */
        setenv("PATH", "/nowhere::/usr/bin", 1);
        opts = (struct green_process_opts){.size = sizeof opts, .cwd = folder};
        CHECK_INT(green_process_check_output(own, &opts, SOON, &out, &len), 0);
        CHECK_STR(out, "it is\n");
        green_free(out);
        opts.cwd = NULL;
        CHECK(green_process_spawn(own, &opts) == NULL);
        CHECK_INT(errno, ENOENT);
        setenv("PATH", old, 1);
        unlink(program);
        rmdir(folder);
}

static void
its_signals_are_as_at_the_start_of_a_program(void)
{
        struct sigaction ignore = {.sa_handler = SIG_IGN}, usr, pipe_;
        unsigned long long blocked = 1, ignored = 1;
        sigset_t some, old;

        sigaction(SIGUSR2, &ignore, &usr);
        sigaction(SIGPIPE, &ignore, &pipe_);
        sigemptyset(&some);
        sigaddset(&some, SIGTERM);
        sigaddset(&some, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &some, &old);
        /* 32 and 33 are libc's own, which lets nobody touch them. */
        CHECK_INT(sscanf(said("while read a b; do case $a in SigBlk:|SigIgn:) echo $b;; esac; done </proc/self/status",
                              NULL),
                         "%llx %llx", &blocked, &ignored),
                  2);
        CHECK_INT(blocked, 0);
        CHECK_INT(ignored & ~(3ull << 31), 0);
        pthread_sigmask(SIG_SETMASK, &old, &some);
        CHECK_INT(sigismember(&some, SIGHUP), 1);
        sigaction(SIGUSR2, &usr, &ignore);
        CHECK(ignore.sa_handler == SIG_IGN);
        sigaction(SIGPIPE, &pipe_, NULL);
}

/* One that does not close on exec, one that is passed and does, and one of a high number. */
static void
descriptors(void)
{
        struct green_process_opts opts = {.size = sizeof opts};
        int open_ = open("/dev/null", O_RDONLY), pass = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int high = fcntl(open_, F_DUPFD, 200);
        green_fd fds[3] = {high, pass, high};
        char want[64], text[128];

        CHECK_STR(said("echo /proc/self/fd/*", NULL),
                  "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n");
        opts.pass = fds;
        opts.pass_count = 3;
        snprintf(text, sizeof text, "for f in 0 1 2 %d %d %d; do test -e /proc/$$/fd/$f && echo $f; done; true", open_,
                 pass, high);
        snprintf(want, sizeof want, "0\n1\n2\n%d\n%d\n", pass, high);
        CHECK_STR(said(text, &opts), want);
        close(open_);
        close(pass);
        close(high);
}

static void
it_has_no_descriptors_but_those_it_is_given(void)
{
        descriptors();
        no_close_range = true;
        descriptors();
        no_close_range = false;
}

static void
standard_descriptors_go_where_they_are_told(void)
{
        struct green_process_opts opts = {.size = sizeof opts, .err = GREEN_PROCESS_STDOUT};
        int fds[2];
        char bytes[16] = {0};
        green_process *p;

        CHECK_STR(said("echo one; echo two >&2; echo three", &opts), "one\ntwo\nthree\n");
        opts.err = GREEN_PROCESS_NULL;
        opts.in = GREEN_PROCESS_NULL;
        CHECK_STR(said("cat; echo one; echo two >&2", &opts), "one\n");
        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        opts = (struct green_process_opts){
                .size = sizeof opts, .in = GREEN_PROCESS_NULL, .out = GREEN_PROCESS_FD, .out_fd = fds[1]};
        opts.err = GREEN_PROCESS_FD;
        opts.err_fd = fds[1];
        p = shell("echo a; echo b >&2", &opts);
        CHECK_INT(green_process_wait(p, SOON, NULL), 0);
        CHECK_PTR(green_process_stdout(p), NULL);
        CHECK_INT(green_process_free(p), 0);
        CHECK_INT(read(fds[0], bytes, sizeof bytes), 4);
        CHECK_STR(bytes, "a\nb\n");
        close(fds[0]);
        close(fds[1]);
}

/* 0, 1 and 2 are given to each other in turn. */
static void
standard_descriptors_may_change_places(void)
{
        int saved[3], ends[3][2];
        char bytes[16] = {0};
        struct green_process_opts opts = {.size = sizeof opts,
                                          .in = GREEN_PROCESS_FD,
                                          .in_fd = 2,
                                          .out = GREEN_PROCESS_FD,
                                          .out_fd = 0,
                                          .err = GREEN_PROCESS_FD,
                                          .err_fd = 1};
        green_process *p;
        int status = 1;

        for (int i = 0; i < 3; i++) {
                saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
                CHECK_INT(pipe2(ends[i], O_CLOEXEC), 0);
        }
        /* 2 is to be read from, 0 and 1 to be written to. */
        dup2(ends[2][0], 2);
        dup2(ends[0][1], 0);
        dup2(ends[1][1], 1);
        CHECK_INT(write(ends[2][1], "in\n", 3), 3);
        p = shell("read a; echo $a out; echo $a err >&2", &opts);
        if (p != NULL)
                (void)!green_process_wait(p, SOON, &status);
        for (int i = 0; i < 3; i++) {
                dup2(saved[i], i);
                close(saved[i]);
        }
        CHECK(p != NULL);
        CHECK_INT(status, 0);
        CHECK_INT(read(ends[0][0], bytes, sizeof bytes), 7);
        CHECK_STR(bytes, "in out\n");
        CHECK_INT(read(ends[1][0], bytes, sizeof bytes), 7);
        CHECK_STR(bytes, "in err\n");
        CHECK_INT(green_process_free(p), 0);
        for (int i = 0; i < 3; i++) {
                close(ends[i][0]);
                close(ends[i][1]);
        }
}

/* Where 0 is closed the system gives that number to the next pipe. */
static void
a_closed_standard_descriptor_stays_closed(void)
{
        struct green_process_opts opts = {.size = sizeof opts, .out = GREEN_PROCESS_PIPE, .err = GREEN_PROCESS_NULL};
        int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
        green_process *p;
        const char *line;

        close(0);
        p = shell("test -e /proc/$$/fd/0 && echo open || echo closed", &opts);
        dup2(saved, 0);
        close(saved);
        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_stream_readline(green_process_stdout(p), 100, &line), 7);
        CHECK_INT(green_process_free(p), 0);
}

static void
it_dies_with_its_parent_where_asked_for(void)
{
        struct green_process_opts opts = {
                .size = sizeof opts, .out = GREEN_PROCESS_FD, .in = GREEN_PROCESS_NULL, .kill_at_exit = true};
        struct pollfd p = {.events = POLLIN};
        char byte;
        int ends[2], hold[2];
        pid_t pid;

        CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
        CHECK_INT(pipe2(hold, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                opts.out_fd = ends[1];
                opts.in = GREEN_PROCESS_FD;
                opts.in_fd = hold[0];
                _exit(shell("echo on; read line", &opts) == NULL);
        }
        close(ends[1]);
        CHECK_INT(waitpid(pid, NULL, 0), pid);
        p.fd = ends[0];
        /* Perhaps what it wrote, and then the end. */
        CHECK_INT(poll(&p, 1, (int)(SOON * 1000)), 1);
        while (read(ends[0], &byte, 1) > 0)
                ;
        close(ends[0]);
        close(hold[0]);
        close(hold[1]);
}

/* ---- what cannot be started */

static void
cannot(const char *const *argv, const struct green_process_opts *opts, int error)
{
        green_process *p = green_process_spawn(argv, opts);

        CHECK_PTR(p, NULL);
        CHECK_INT(errno, error);
        CHECK_INT(green_last_error()->code, -error);
        no_children();
        (void)green_process_free(p);
}

static const char *const sh_exit[] = {"sh", "-c", "exit", NULL};

static void
errors_before(void)
{
        static const char *const missing[] = {"green-no-such-program", NULL}, *const none[] = {"", NULL};
        struct green_process_opts opts = pipes();
        green_fd bad = 2;

        cannot(missing, &opts, ENOENT);
        cannot(none, &opts, ENOENT);
        opts.pass = &bad;
        opts.pass_count = 1;
        cannot(sh_exit, &opts, EINVAL);
        opts.pass_count = 0;
        opts.out = GREEN_PROCESS_STDOUT;
        cannot(sh_exit, &opts, EINVAL);
        opts.out = GREEN_PROCESS_FD;
        opts.out_fd = -1;
        cannot(sh_exit, &opts, EBADF);
        opts.size = 1;
        cannot(sh_exit, &opts, EINVAL);
        cannot(NULL, NULL, EINVAL);
        cannot(sh_exit + 3, NULL, EINVAL);
}

static void
what_cannot_be_started_leaves_nothing_and_says_why(void)
{
        GREEN_COVERS("GSUB-06", "ISS-36");
        both_ways(errors_before);
}

static void
errors_in_the_child(void)
{
        static const char *const folder[] = {"/", NULL}, *const below[] = {"/dev/null/x", NULL};
        struct green_process_opts opts = pipes();
        char name[] = "/tmp/green-XXXXXX";
        const char *file[] = {name, NULL};
        green_fd bad = 900;

        close(mkstemp(name));
        cannot(folder, &opts, EACCES);
        cannot(below, &opts, ENOTDIR);
        cannot(file, &opts, EACCES);
        chmod(name, 0700);
        cannot(file, &opts, ENOEXEC);
        unlink(name);
        opts.cwd = "/no/such/folder";
        cannot(sh_exit, &opts, ENOENT);
        opts.cwd = "/dev/null";
        cannot(sh_exit, &opts, ENOTDIR);
        opts.cwd = NULL;
        opts.pass = &bad;
        opts.pass_count = 1;
        cannot(sh_exit, &opts, EBADF);
}

static void
what_fails_in_the_child_comes_back(void)
{
        GREEN_COVERS("GSUB-06");
        if (!children_share_memory()) {
                suite_skip("an emulator (Valgrind) makes an ordinary fork of one that shares memory");
                return;
        }
        both_ways(errors_in_the_child);
}

static void
a_killed_green_thread_starts_nothing(void)
{
        struct green_timeout limit = {{0}};

        CHECK_INT(green_timeout_start(&limit, 0), 0);
        (void)!green_sleep(0.01);
        CHECK_PTR(shell("exit", NULL), NULL);
        CHECK_INT(green_last_error()->code, GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        no_children();
}

/* ---- who may do what */

static void
in_callback(void *arg)
{
        green_process *p = arg;

        CHECK_INT(green_process_wait(p, 0, NULL), -ETIMEDOUT);
        CHECK_INT(green_process_wait(p, SOON, NULL), -EDEADLK);
        CHECK_INT(green_process_free(p), -EDEADLK);
}

static void
nothing_waits_in_a_hub_callback(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("read line", &opts);

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_hub_post(green_get_hub(), in_callback, p), 0);
        green_sleep(0.01);
        CHECK_INT(green_stream_close(green_process_stdin(p)), 0);
        CHECK_INT(green_process_wait(p, SOON, NULL), 0);
        CHECK_INT(green_process_free(p), 0);
}

static green_process *left_over;

static void *
other_thread(void *arg)
{
        green_process *p;
        struct green_process_opts opts = pipes();
        int status = 1;

        CHECK_INT(green_process_wait(arg, 0, NULL), -EPERM);
        CHECK_INT(green_process_kill(arg, SIGKILL), -EPERM);
        CHECK_INT(green_process_free(arg), -EPERM);
        for (int i = 0; i < 2; i++) {
                no_pidfd = i != 0;
                p = shell("exit 5", NULL);
                CHECK_OR_RETURN(p != NULL, NULL);
                CHECK_INT(green_process_wait(p, SOON, &status), 0);
                CHECK_INT(status, 5);
                CHECK_INT(green_process_free(p), 0);
        }
        no_pidfd = false;
        left_over = shell("read line", &opts);
        CHECK(left_over != NULL);
        return NULL;
}

static void
each_os_thread_has_processes_of_its_own(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("read line", &opts);
        pthread_t thread;

        GREEN_COVERS("ISS-36");
        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(pthread_create(&thread, NULL, other_thread, p), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        /* Of one whose hub has ended anybody may take care. */
        CHECK_INT(green_process_free(left_over), 0);
        CHECK_INT(green_process_free(p), 0);
        no_children();
}

static void
in_the_child_of_a_fork_it_is_a_stranger(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("read line; exit 9", &opts);
        int status = 1;
        pid_t pid;

        CHECK_OR_RETURN(p != NULL);
        pid = fork();
        if (pid == 0) {
                CHECK_INT(green_process_kill(p, SIGKILL), -ESRCH);
                CHECK_INT(green_process_wait(p, SOON, &status), 0);
                CHECK_INT(status, -1000);
                CHECK_INT(green_process_free(p), 0);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(green_process_wait(p, 0.01, NULL), -ETIMEDOUT);
        CHECK_INT(green_stream_close(green_process_stdin(p)), 0);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, 9);
        CHECK_INT(green_process_free(p), 0);
}

static void
writing_to_one_that_has_ended_raises_no_signal(void)
{
        struct green_process_opts opts = pipes();
        green_process *p = shell("exit", &opts);

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_process_wait(p, SOON, NULL), 0);
        CHECK_INT(green_stream_write(green_process_stdin(p), "x", 1), 1);
        CHECK_INT(green_stream_flush(green_process_stdin(p)), -EPIPE);
        CHECK_INT(green_process_free(p), 0);
}

static void
null_is_no_process(void)
{
        CHECK_INT(green_process_pid(NULL), -1);
        CHECK_PTR(green_process_stdin(NULL), NULL);
        CHECK_PTR(green_process_stdout(NULL), NULL);
        CHECK_PTR(green_process_stderr(NULL), NULL);
        CHECK_INT(green_process_wait(NULL, 0, NULL), -EINVAL);
}

GREEN_SUITE(net_process){GREEN_TEST(a_program_runs_and_its_status_is_told),
                         GREEN_TEST(one_that_a_signal_has_ended_is_told_apart),
                         GREEN_TEST(a_wait_has_a_limit_and_lets_others_run),
                         GREEN_TEST(several_wait_for_one_and_some_give_up),
                         GREEN_TEST(one_that_somebody_else_waited_for_has_ended_too),
                         GREEN_TEST(a_hundred_run_at_the_same_time),
                         GREEN_TEST(without_pidfds_a_lost_signal_is_made_up_for),
                         GREEN_TEST(a_signal_reaches_it_while_it_lives),
                         GREEN_TEST(a_group_is_reached_as_a_whole),
                         GREEN_TEST(a_session_is_its_own),
                         GREEN_TEST(one_that_is_freed_is_ended_by_force_if_need_be),
                         GREEN_TEST(it_has_the_environment_and_the_folder_it_is_given),
                         GREEN_TEST(a_program_is_looked_for_in_path),
                         GREEN_TEST(its_signals_are_as_at_the_start_of_a_program),
                         GREEN_TEST(it_has_no_descriptors_but_those_it_is_given),
                         GREEN_TEST(standard_descriptors_go_where_they_are_told),
                         GREEN_TEST(standard_descriptors_may_change_places),
                         GREEN_TEST(a_closed_standard_descriptor_stays_closed),
                         GREEN_TEST(it_dies_with_its_parent_where_asked_for),
                         GREEN_TEST(what_cannot_be_started_leaves_nothing_and_says_why),
                         GREEN_TEST(what_fails_in_the_child_comes_back),
                         GREEN_TEST(a_killed_green_thread_starts_nothing),
                         GREEN_TEST(nothing_waits_in_a_hub_callback),
                         GREEN_TEST(each_os_thread_has_processes_of_its_own),
                         GREEN_TEST(in_the_child_of_a_fork_it_is_a_stranger),
                         GREEN_TEST(writing_to_one_that_has_ended_raises_no_signal),
                         GREEN_TEST(null_is_no_process),
                         GREEN_SUITE_END};
