/* net/patch/patch_process.c and patch_system.c: waiting for children, for foreign code. */
#include "net_process.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "../net/patch/patch_priv.h"

typedef pid_t wait_fn(int *);
typedef pid_t waitpid_fn(pid_t, int *, int);
typedef pid_t wait3_fn(int *, int, struct rusage *);
typedef pid_t wait4_fn(pid_t, int *, int, struct rusage *);
typedef int waitid_fn(idtype_t, id_t, siginfo_t *, int);
typedef int system_fn(const char *);
typedef int pclose_fn(FILE *);

static void (*patched(const char *name))(void)
{
        for (const struct patch_entry *e = green__patch_process; e->name != NULL; e++)
                if (strcmp(e->name, name) == 0)
                        return e->fn;
        FAIL("nothing stands for %s()", name);
        abort();
}

#define FN(type, name) ((type)patched(name))

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

/* ---- each of the calls */

struct foreign {
        int (*way)(struct foreign *w); /* returns the status, as of waitpid(); or -errno */
        pid_t pid;
        int got;
        bool over;
};

static int
status_or_error(pid_t rc, pid_t pid, const int *status)
{
        CHECK(rc == pid || rc == -1);
        return rc == pid ? *status : -errno;
}

static int
by_wait(struct foreign *w)
{
        int status = -1;

        return status_or_error(FN(wait_fn *, "wait")(&status), w->pid, &status);
}

static int
by_waitpid(struct foreign *w)
{
        int status = -1;

        return status_or_error(FN(waitpid_fn *, "waitpid")(w->pid, &status, 0), w->pid, &status);
}

static int
by_waitpid_any(struct foreign *w)
{
        int status = -1;

        return status_or_error(FN(waitpid_fn *, "waitpid")(-1, &status, 0), w->pid, &status);
}

static int
by_waitpid_group(struct foreign *w)
{
        int status = -1;

        return status_or_error(FN(waitpid_fn *, "waitpid")(0, &status, 0), w->pid, &status);
}

static int
by_wait3(struct foreign *w)
{
        struct rusage usage = {.ru_maxrss = -1};
        int status = -1, got = status_or_error(FN(wait3_fn *, "wait3")(&status, 0, &usage), w->pid, &status);

        CHECK(got < 0 || usage.ru_maxrss >= 0);
        return got;
}

static int
by_wait4(struct foreign *w)
{
        struct rusage usage = {.ru_maxrss = -1};
        int status = -1, got = status_or_error(FN(wait4_fn *, "wait4")(w->pid, &status, 0, &usage), w->pid, &status);

        CHECK(got < 0 || usage.ru_maxrss >= 0);
        return got;
}

static int
waitid_way(struct foreign *w, idtype_t type, id_t id)
{
        siginfo_t info = {.si_pid = 0};

        if (FN(waitid_fn *, "waitid")(type, id, &info, WEXITED) != 0)
                return -errno;
        CHECK_INT(info.si_pid, w->pid);
        CHECK_INT(info.si_signo, SIGCHLD);
        CHECK_INT(info.si_code, CLD_EXITED);
        return info.si_status << 8;
}

static int
by_waitid(struct foreign *w)
{
        return waitid_way(w, P_PID, (id_t)w->pid);
}

static int
by_waitid_any(struct foreign *w)
{
        return waitid_way(w, P_ALL, 0);
}

static int
by_waitid_group(struct foreign *w)
{
        return waitid_way(w, P_PGID, (id_t)getpgrp());
}

static int (*const ways[])(struct foreign *) = {by_wait,  by_waitpid, by_waitpid_any, by_waitpid_group, by_wait3,
                                                by_wait4, by_waitid,  by_waitid_any,  by_waitid_group};

#define WAYS (sizeof ways / sizeof ways[0])

static void *
wait_for_it(void *arg)
{
        struct foreign *w = arg;

        errno = 77;
        w->got = w->way(w);
        CHECK(w->got < 0 || errno == 77);
        w->over = true;
        return NULL;
}

static void
each_way(void)
{
        for (size_t i = 0; i < WAYS; i++) {
                struct foreign w = {.way = ways[i]};
                int fds[2], turns = 0;
                green_thread *gt, *counter = green_spawn(count_turns, &turns);

                w.pid = fork_child(fds, 5);
                gt = green_spawn(wait_for_it, &w);
                while (turns < 5)
                        green_sleep(0.001);
                CHECK(!w.over);
                close(fds[1]);
                join(gt, 0);
                CHECK_INT(w.got, 5 << 8);
                green_kill(counter, 0);
                join(counter, GREEN_EKILLED);
                CHECK_INT(ways[i](&w), -ECHILD);
        }
}

static void
waiting_for_a_child_lets_others_run(void)
{
        GREEN_COVERS("PATCH-01");
        both_ways(each_way);
}

static void
a_look_does_not_wait(void)
{
        siginfo_t info = {.si_pid = 1};
        int fds[2], status = -1;
        pid_t pid = fork_child(fds, 0);

        CHECK_INT(FN(waitpid_fn *, "waitpid")(pid, &status, WNOHANG), 0);
        CHECK_INT(FN(waitpid_fn *, "waitpid")(-1, &status, WNOHANG), 0);
        CHECK_INT(FN(waitid_fn *, "waitid")(P_ALL, 0, &info, WEXITED | WNOHANG), 0);
        CHECK_INT(info.si_pid, 0);
        CHECK_INT(status, -1);
        close(fds[1]);
        /* Seen, and still there. */
        CHECK_INT(FN(waitid_fn *, "waitid")(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
        CHECK_INT(info.si_pid, pid);
        CHECK_INT(FN(waitpid_fn *, "waitpid")(pid, &status, 0x100), -1);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(FN(waitpid_fn *, "waitpid")(pid, &status, WNOHANG), pid);
}

static void
stopped_children_are_told_where_asked_for(void)
{
        int fds[2], status = 0;
        pid_t pid = fork_child(fds, 0);

        CHECK_INT(kill(pid, SIGSTOP), 0);
        CHECK_INT(FN(waitpid_fn *, "waitpid")(-1, &status, WUNTRACED), pid);
        CHECK(WIFSTOPPED(status));
        CHECK_INT(kill(pid, SIGKILL), 0);
        CHECK_INT(FN(waitpid_fn *, "waitpid")(-1, &status, 0), pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        close(fds[1]);
}

static void
who_is_killed_stops_waiting_and_the_child_is_there(void)
{
        struct foreign w = {.way = by_waitpid};
        int fds[2];

        for (int i = 0; i < 2; i++) {
                green_thread *gt;

                w.pid = fork_child(fds, 0);
                w.way = i == 0 ? by_waitpid : by_wait;
                gt = green_spawn(wait_for_it, &w);
                green_sleep(0.005);
                CHECK_INT(green_kill(gt, 0), 0);
                join(gt, GREEN_EKILLED);
                CHECK_INT(w.got, -ECANCELED);
                close(fds[1]);
                CHECK_INT(by_waitpid(&w), 0);
        }
}

static volatile sig_atomic_t rang;

static void
ring(int sig)
{
        rang += sig == SIGALRM;
}

static void *
close_after_rings(void *fd)
{
        while (rang < 3)
                green_sleep(0.001);
        close(*(int *)fd);
        return NULL;
}

/* As ever: where its handler was set without SA_RESTART. */
static void
a_signal_handler_ends_a_wait(void)
{
        int (*set)(int, const struct sigaction *, struct sigaction *) = NULL;
        struct sigaction theirs = {.sa_handler = ring}, old;
        const struct itimerval soon = {.it_value = {.tv_usec = 20000}, .it_interval = {.tv_usec = 20000}},
                               never = {.it_value = {0}};
        int fds[2], status = 0;
        pid_t pid = fork_child(fds, 0);

        for (const struct patch_entry *e = green__patch_signal; e->name != NULL; e++)
                if (strcmp(e->name, "sigaction") == 0)
                        set = (int (*)(int, const struct sigaction *, struct sigaction *))e->fn;
        for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
                theirs.sa_flags = flags;
                rang = 0;
                CHECK_INT(set(SIGALRM, &theirs, &old), 0);
                CHECK_INT(setitimer(ITIMER_REAL, &soon, NULL), 0);
                if (flags == 0) {
                        CHECK_INT(FN(waitpid_fn *, "waitpid")(pid, &status, 0), -1);
                        CHECK_INT(errno, EINTR);
                } else {
                        green_thread *closer = green_spawn(close_after_rings, &fds[1]);

                        CHECK_INT(FN(waitpid_fn *, "waitpid")(pid, &status, 0), pid);
                        join(closer, 0);
                }
                CHECK(rang >= 1);
                CHECK_INT(setitimer(ITIMER_REAL, &never, NULL), 0);
                CHECK_INT(set(SIGALRM, &old, NULL), 0);
        }
}

/* ---- children of somebody else */

/* In foreign code that reaps whatever there is, as handlers of SIGCHLD do. */
static volatile sig_atomic_t reaped;

static void
reap_all(int sig)
{
        int error = errno;

        (void)sig;
        while (FN(waitpid_fn *, "waitpid")(-1, NULL, WNOHANG) > 0)
                reaped++;
        errno = error;
}

static void
a_wait_for_any_child_does_not_take_those_of_handles(void)
{
        struct foreign w = {.way = by_wait};
        int fds[2], status = 0;
        green_process *p = shell("exit 7", NULL);
        green_thread *gt;

        CHECK_OR_RETURN(p != NULL);
        w.pid = fork_child(fds, 3);
        gt = green_spawn(wait_for_it, &w);
        /* It has ended: the wait has seen it, and goes on. */
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, 7);
        green_sleep(0.005);
        CHECK(!w.over);
        close(fds[1]);
        join(gt, 0);
        CHECK_INT(w.got, 3 << 8);
        CHECK_INT(green_process_free(p), 0);
}

static void
what_was_looked_at_keeps_its_status(void)
{
        green_process *p = shell("kill -TERM $$", NULL);
        siginfo_t info = {.si_pid = 0};
        int status = 0;

        CHECK_OR_RETURN(p != NULL);
        /* A zombie, for the look that takes it. */
        CHECK_INT(waitid(P_PID, (id_t)green_process_pid(p), &info, WEXITED | WNOWAIT), 0);
        CHECK_INT(FN(waitpid_fn *, "waitpid")(-1, &status, WNOHANG), -1);
        CHECK_INT(errno, ECHILD);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, -SIGTERM);
        CHECK_INT(green_process_free(p), 0);
}

static void
a_handler_that_reaps_all_leaves_them(void)
{
        struct sigaction theirs = {.sa_handler = reap_all}, old;
        int status = 0;

        reaped = 0;
        sigaction(SIGCHLD, &theirs, &old);
        for (int i = 0; i < 20; i++) {
                green_process *p = shell("exit 9", NULL);

                CHECK_OR_RETURN(p != NULL);
                CHECK_INT(green_process_wait(p, SOON, &status), 0);
                CHECK_INT(status, 9);
                CHECK_INT(green_process_free(p), 0);
                CHECK_INT(FN(system_fn *, "system")("exit 8"), 8 << 8);
        }
        CHECK_INT(reaped, 0);
        sigaction(SIGCHLD, &old, NULL);
}

/* The handles of the parent mean nothing there; the child's own children do. */
static void
the_child_of_a_fork_waits_for_its_own(void)
{
        green_process *p = shell("exec sleep 1000", NULL);
        int status = -1, well;
        pid_t pid;

        CHECK_OR_RETURN(p != NULL);
        pid = fork();
        if (pid == 0) {
                pid = fork();
                if (pid == 0)
                        _exit(5);
                well = FN(wait_fn *, "wait")(&status) == pid && status == 5 << 8;
                well = well && FN(system_fn *, "system")("exit 2") == 2 << 8;
                _exit(well ? 0 : 1);
        }
        CHECK_INT(FN(waitpid_fn *, "waitpid")(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_INT(green_process_kill(p, SIGKILL), 0);
        CHECK_INT(green_process_free(p), 0);
}

/* ---- system() */

static void
a_shell_tells_its_status(void)
{
        system_fn *fn = FN(system_fn *, "system");

        GREEN_COVERS("PATCH-01");
        errno = 77;
        CHECK_INT(fn("exit 0"), 0);
        CHECK_INT(fn("exit 3"), 3 << 8);
        CHECK_INT(fn("kill -KILL $$"), SIGKILL);
        CHECK_INT(fn("-nothing-of-that-name 2>/dev/null"), 127 << 8);
        CHECK(fn(NULL) != 0);
        CHECK_INT(errno, 77);
}

static void *
run_slow_shell(void *arg)
{
        *(int *)arg = FN(system_fn *, "system")("sleep 0.3");
        return NULL;
}

static double
seconds(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
shells_run_at_once_and_interrupts_are_ignored_meanwhile(void)
{
        enum { N = 20 };
        struct sigaction before, now;
        green_thread *gt[N];
        int status[N];
        double begin = seconds();

        sigaction(SIGINT, NULL, &before);
        for (int i = 0; i < N; i++)
                gt[i] = green_spawn(run_slow_shell, &status[i]);
        green_sleep(0.01);
        for (int i = 0; i < 2; i++) {
                sigaction(i == 0 ? SIGINT : SIGQUIT, NULL, &now);
                CHECK(now.sa_handler == SIG_IGN);
        }
        for (int i = 0; i < N; i++) {
                join(gt[i], 0);
                CHECK_INT(status[i], 0);
        }
        CHECK(seconds() - begin < N * 0.3 / 2);
        sigaction(SIGINT, NULL, &now);
        CHECK(now.sa_handler == before.sa_handler);
        sigaction(SIGQUIT, NULL, &now);
        CHECK(now.sa_handler == SIG_DFL);
}

static void
a_shell_dies_of_an_interrupt_as_ever(void)
{
        CHECK_INT(FN(system_fn *, "system")("kill -INT $$"), SIGINT);
        CHECK_INT(FN(system_fn *, "system")("kill -QUIT $$") & 0x7f, SIGQUIT);
}

static void
who_is_killed_takes_the_shell_along(void)
{
        struct green_timeout limit = {{0}};
        double begin = seconds();

        CHECK_INT(green_timeout_start(&limit, 0.05), 0);
        CHECK_INT(FN(system_fn *, "system")("exec sleep 1000"), -1);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(FN(system_fn *, "system")("exit 0"), -1);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        CHECK(seconds() - begin < 100);
        /* Not even a zombie is left. */
        CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
        CHECK_INT(errno, ECHILD);
}

/* ---- pclose() */

static void
the_end_of_a_popened_program_is_waited_for_elsewhere(void)
{
        FILE *f = popen("cat >/dev/null; sleep 0.1; exit 6", "w");
        int turns = 0;
        green_thread *counter = green_spawn(count_turns, &turns);

        CHECK_OR_RETURN(f != NULL);
        errno = 77;
        CHECK_INT(FN(pclose_fn *, "pclose")(f), 6 << 8);
        CHECK_INT(errno, 77);
        CHECK(turns > 3);
        green_kill(counter, 0);
        join(counter, GREEN_EKILLED);
}

/* ---- where nothing can wait */

static void
in_callback(void *arg)
{
        struct foreign w = {.pid = *(pid_t *)arg};

        CHECK_INT(by_wait(&w), 4 << 8);
        CHECK_INT(FN(system_fn *, "system")("exit 2"), 2 << 8);
        *(pid_t *)arg = 0;
}

/* With a handle's child about, and without. */
static void
a_hub_callback_waits_as_a_whole(void)
{
        for (int i = 0; i < 2; i++) {
                green_process *p = i == 0 ? NULL : shell("exit 1", NULL);
                int fds[2], status = 0;
                pid_t pid = fork_child(fds, 4);

                CHECK_INT(green_hub_post(green_get_hub(), in_callback, &pid), 0);
                close(fds[1]);
                while (pid != 0)
                        green_sleep(0.001);
                if (p != NULL) {
                        CHECK_INT(green_process_wait(p, SOON, &status), 0);
                        CHECK_INT(status, 1);
                }
                CHECK_INT(green_process_free(p), 0);
        }
}

GREEN_SUITE(net_patch_process){GREEN_TEST(waiting_for_a_child_lets_others_run),
                               GREEN_TEST(a_look_does_not_wait),
                               GREEN_TEST(stopped_children_are_told_where_asked_for),
                               GREEN_TEST(who_is_killed_stops_waiting_and_the_child_is_there),
                               GREEN_TEST(a_signal_handler_ends_a_wait),
                               GREEN_TEST(a_wait_for_any_child_does_not_take_those_of_handles),
                               GREEN_TEST(what_was_looked_at_keeps_its_status),
                               GREEN_TEST(a_handler_that_reaps_all_leaves_them),
                               GREEN_TEST(the_child_of_a_fork_waits_for_its_own),
                               GREEN_TEST(a_shell_tells_its_status),
                               GREEN_TEST(shells_run_at_once_and_interrupts_are_ignored_meanwhile),
                               GREEN_TEST(a_shell_dies_of_an_interrupt_as_ever),
                               GREEN_TEST(who_is_killed_takes_the_shell_along),
                               GREEN_TEST(the_end_of_a_popened_program_is_waited_for_elsewhere),
                               GREEN_TEST(a_hub_callback_waits_as_a_whole),
                               GREEN_SUITE_END};
