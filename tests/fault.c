/* The runs of a scenario with a fault each; fault.h says what they are. */
#include "config.h"

#include "fault_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
        MAX_N = 4000,      /* a scenario does not make so many calls of a kind */
        MAX_BAD = 3,       /* failed runs of a scenario that are told */
        MAX_ALSO = 16,
        MAX_FDS = 256,
        STATUS_HANGS = 97,
        RUN_LIMIT = 10,    /* seconds, times suite_slow() */
        STORM_TICK = 1000, /* microseconds between two signals */
        LONGER = 10        /* times, with GREEN_TEST_FAULTS=all */
};

enum {
        SHOWN = 0,         /* it must be reported */
        HIDDEN = 1,        /* it must not: the library does without, or tries again */
        EITHER = 2,
        AFTERWARDS = 4,    /* the call is made before it fails */
        EDGE = 8           /* and the descriptor is ready a moment later */
};

/* How each call may fail. */
static const struct row {
        enum fault_kind kind;
        int error;
        unsigned flags;
} rows[] = {
        {FAULT_alloc, ENOMEM, SHOWN},
        {FAULT_accept4, EMFILE, SHOWN},
        {FAULT_accept4, ENFILE, SHOWN},
        {FAULT_accept4, ENOBUFS, SHOWN},
        {FAULT_accept4, ENOMEM, SHOWN},
        {FAULT_accept4, EINTR, HIDDEN},
        {FAULT_accept4, ECONNABORTED, HIDDEN},
        {FAULT_accept4, EAGAIN, HIDDEN | EDGE},
        {FAULT_bind, EADDRINUSE, SHOWN},
        {FAULT_bind, ENOMEM, SHOWN},
        {FAULT_clone, EAGAIN, SHOWN},
        {FAULT_clone, ENOMEM, SHOWN},
        {FAULT_clone, EINVAL, HIDDEN}, /* a kernel without pidfds */
        {FAULT_close, EINTR, HIDDEN},
        {FAULT_close, EIO, EITHER},
        {FAULT_close_range, ENOSYS, HIDDEN},
        {FAULT_connect, ECONNREFUSED, SHOWN},
        {FAULT_connect, EADDRNOTAVAIL, SHOWN},
        {FAULT_connect, ENETUNREACH, SHOWN},
        {FAULT_connect, EINTR, HIDDEN | AFTERWARDS},
        {FAULT_dlopen, EMFILE, SHOWN},
        {FAULT_dup2, EBUSY, HIDDEN},
        {FAULT_dup2, EINTR, HIDDEN},
        {FAULT_epoll_create1, EMFILE, SHOWN},
        {FAULT_epoll_create1, ENOMEM, SHOWN},
        {FAULT_epoll_ctl, ENOMEM, SHOWN},
        {FAULT_epoll_ctl, ENOSPC, SHOWN},
        {FAULT_epoll_pwait2, EINTR, HIDDEN},
        {FAULT_epoll_pwait2, ENOSYS, HIDDEN},
        {FAULT_epoll_pwait2, EPERM, HIDDEN},
        {FAULT_epoll_wait, EINTR, HIDDEN},
        {FAULT_eventfd, EMFILE, SHOWN},
        {FAULT_eventfd, ENOMEM, SHOWN},
        {FAULT_execve, E2BIG, SHOWN},
        {FAULT_execve, ENOMEM, SHOWN},
        {FAULT_fcntl, EINVAL, SHOWN},
        {FAULT_fdopendir, ENOMEM, SHOWN},
        {FAULT_fstatat, EIO, SHOWN},
        {FAULT_fsync, EIO, SHOWN},
        {FAULT_fsync, EINTR, HIDDEN},
        {FAULT_ftruncate, EIO, SHOWN},
        {FAULT_ftruncate, EINTR, HIDDEN},
        {FAULT_getpeername, ENOBUFS, SHOWN},
        {FAULT_getsockname, ENOBUFS, SHOWN},
        {FAULT_getsockopt, ENOBUFS, SHOWN},
        {FAULT_getsockopt, ENOPROTOOPT, SHOWN},
        {FAULT_listen, EADDRINUSE, SHOWN},
        {FAULT_lseek, EOVERFLOW, SHOWN},
        {FAULT_madvise, EINVAL, HIDDEN},
        {FAULT_madvise, ENOMEM, HIDDEN},
        {FAULT_mmap, ENOMEM, SHOWN},
        {FAULT_mprotect, ENOMEM, HIDDEN},
        {FAULT_open, EMFILE, EITHER}, /* the clock's source may be unknown */
        {FAULT_open, EINTR, HIDDEN},
        {FAULT_opendir, EMFILE, HIDDEN},
        {FAULT_pidfd_open, EMFILE, HIDDEN},
        {FAULT_pidfd_open, ENOSYS, HIDDEN},
        {FAULT_pidfd_send_signal, ENOSYS, HIDDEN},
        {FAULT_pipe2, EMFILE, SHOWN},
        {FAULT_pipe2, ENFILE, SHOWN},
        {FAULT_poll, EINTR, HIDDEN},
        {FAULT_ppoll, EINTR, HIDDEN},
        {FAULT_pread, EIO, SHOWN},
        {FAULT_pread, EINTR, HIDDEN},
        {FAULT_process_madvise, EINVAL, HIDDEN},
        {FAULT_process_madvise, ENOSYS, HIDDEN},
        {FAULT_process_madvise, EPERM, HIDDEN},
        {FAULT_pthread_kill, EAGAIN, EITHER}, /* makecontext() does it */
        {FAULT_pwrite, ENOSPC, SHOWN},
        {FAULT_pwrite, EINTR, HIDDEN},
        {FAULT_read, EIO, EITHER}, /* so may a hub's wake-up */
        {FAULT_read, EINTR, HIDDEN},
        {FAULT_read, EAGAIN, HIDDEN | EDGE},
        {FAULT_readdir, EIO, SHOWN},
        {FAULT_recv, ECONNRESET, SHOWN},
        {FAULT_recv, ENOMEM, SHOWN},
        {FAULT_recv, EINTR, HIDDEN},
        {FAULT_recv, EAGAIN, HIDDEN | EDGE},
        {FAULT_recvfrom, ENOMEM, SHOWN},
        {FAULT_recvfrom, EINTR, HIDDEN},
        {FAULT_recvfrom, EAGAIN, HIDDEN | EDGE},
        {FAULT_recvmmsg, ENOMEM, SHOWN},
        {FAULT_recvmmsg, EINTR, HIDDEN},
        {FAULT_recvmmsg, EAGAIN, HIDDEN | EDGE},
        {FAULT_recvmsg, ENOMEM, SHOWN},
        {FAULT_recvmsg, EINTR, HIDDEN},
        {FAULT_recvmsg, EAGAIN, HIDDEN | EDGE},
        {FAULT_rename, EACCES, SHOWN},
        {FAULT_select, EINTR, HIDDEN},
        {FAULT_send, ECONNRESET, SHOWN},
        {FAULT_send, EPIPE, SHOWN},
        {FAULT_send, ENOBUFS, SHOWN},
        {FAULT_send, EINTR, HIDDEN},
        {FAULT_send, EAGAIN, HIDDEN | EDGE},
        {FAULT_sendfile, ENOMEM, SHOWN},
        {FAULT_sendfile, ENOSYS, HIDDEN},
        {FAULT_sendfile, EINTR, HIDDEN},
        {FAULT_sendfile, EAGAIN, HIDDEN | EDGE},
        {FAULT_sendmmsg, ENOBUFS, SHOWN},
        {FAULT_sendmmsg, EINTR, HIDDEN},
        {FAULT_sendmmsg, EAGAIN, HIDDEN | EDGE},
        {FAULT_sendmsg, ECONNRESET, SHOWN},
        {FAULT_sendmsg, ENOBUFS, SHOWN},
        {FAULT_sendmsg, EINTR, HIDDEN},
        {FAULT_sendmsg, EAGAIN, HIDDEN | EDGE},
        {FAULT_sendto, ENOBUFS, SHOWN},
        {FAULT_sendto, EINTR, HIDDEN},
        {FAULT_sendto, EAGAIN, HIDDEN | EDGE},
        {FAULT_setsockopt, ENOBUFS, SHOWN},
        {FAULT_setsockopt, ENOPROTOOPT, SHOWN},
        {FAULT_shutdown, ENOTCONN, SHOWN},
        {FAULT_sigaction, EINVAL, EITHER}, /* programs reset all signals, and some there are not */
        {FAULT_sigaltstack, ENOMEM, EITHER},
        {FAULT_socket, EMFILE, SHOWN},
        {FAULT_socket, ENOBUFS, SHOWN},
        {FAULT_socket, EACCES, SHOWN},
        {FAULT_socketpair, EMFILE, SHOWN},
        {FAULT_waitid, EINTR, HIDDEN},
        {FAULT_waitpid, EINTR, HIDDEN},
        {FAULT_write, EAGAIN, HIDDEN | AFTERWARDS}, /* an eventfd or a pipe that is full: the wake is there */
        {FAULT_writev, ENOSPC, SHOWN},
        {FAULT_writev, EINTR, HIDDEN},
        {FAULT_writev, EAGAIN, HIDDEN | EDGE},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const char *const kind_names[] = {
#define KIND_NAME(name) #name,
        FAULT_KINDS(KIND_NAME)
#undef KIND_NAME
};

/* The fault of this run, in the child. */
static struct {
        const struct row *row; /* NULL: none */
        long n;                /* this call fails, counted from 1, */
        bool and_after;        /* and so do all that follow */
        int also[MAX_ALSO];
        int also_count;
        bool armed;
} plan;

static bool children_share; /* memory with their parents, between fork and exec; not so under an emulator */
static pid_t runs;          /* the child of a run */

static _Thread_local int here; /* more than 0: calls of this OS thread count */
static atomic_long live;       /* blocks of the allocator hook that are in use */

/* What a child tells. */
static struct told {
        long calls[FAULT_KIND_COUNT];
        bool hit;      /* the fault happened */
        bool reported; /* and a call returned its code */
} *told;

/* ---- what the calls ask */

FAULT_UNSANITIZED bool
fault_is_library(void)
{
        return here > 0;
}

FAULT_UNSANITIZED enum fault_how
fault_decide(enum fault_kind kind, int *ret_error)
{
        const struct row *row = plan.row;
        long n;

        if (here <= 0 || !plan.armed)
                return FAULT_GO;
        /* One that does not share memory cannot tell of it. */
        if (!children_share && getpid() != runs)
                return FAULT_GO;
        n = ++told->calls[kind];
        if (row == NULL || row->kind != kind || n < plan.n || (n > plan.n && !plan.and_after))
                return FAULT_GO;
        told->hit = true;
        *ret_error = row->error;
        if (row->flags & AFTERWARDS)
                return FAULT_AFTER;
        return row->flags & EDGE ? FAULT_NOT_YET : FAULT_INSTEAD;
}

static void *
hook_realloc(void *arg, void *old, size_t len)
{
        int error = 0;
        void *block;

        (void)arg;
        if (fault_decide(FAULT_alloc, &error) != FAULT_GO) {
                errno = error;
                return NULL;
        }
        block = realloc(old, len);
        if (block != NULL && old == NULL)
                atomic_fetch_add(&live, 1);
        return block;
}

static void
hook_free(void *arg, void *old)
{
        (void)arg;
        atomic_fetch_sub(&live, 1);
        free(old);
}

static void
forget_log(void *arg, enum green_log_level level, const char *message)
{
        (void)arg;
        (void)level;
        (void)message;
}

static void
init(void)
{
        static const struct green_allocator allocator = {
                .size = sizeof allocator, .realloc = hook_realloc, .free = hook_free};

        if (green_set_allocator(&allocator) != 0)
                abort();
}
GREEN_SUITE_INIT(init)

/* ---- what scenarios call */

void
fault_pause(void)
{
        here--;
}

void
fault_resume(void)
{
        here++;
}

bool
fault_happened(void)
{
        return told->hit;
}

bool
fault_lasts(void)
{
        return plan.row != NULL && (plan.and_after || plan.row->kind == FAULT_KIND_COUNT);
}

void
fault_shows(void)
{
        CHECK(told->hit);
        told->reported = true;
}

void
fault_may_give(int code)
{
        if (plan.also_count < MAX_ALSO)
                plan.also[plan.also_count++] = code;
}

/* Calls by which a hub finds out whether it can work here; it says GREEN_EHUB then. */
static bool
may_spoil_hub(enum fault_kind kind)
{
        return kind == FAULT_epoll_create1 || kind == FAULT_eventfd || kind == FAULT_dlopen ||
               kind == FAULT_KIND_COUNT;
}

/* May a call fail with this code now? */
static bool
is_expected(long long rc)
{
        if (!told->hit || plan.row == NULL)
                return false;
        if (rc == -plan.row->error && !(plan.row->flags & HIDDEN))
                return true;
        if (rc == GREEN_EHUB && may_spoil_hub(plan.row->kind))
                return true;
        for (int i = 0; i < plan.also_count; i++) {
                if (rc == plan.also[i])
                        return true;
        }
        return false;
}

bool
fault_ok(long long rc, const char *file, int line, const char *text)
{
        if (rc >= 0)
                return true;
        if (is_expected(rc))
                told->reported = true;
        else
                suite_fail(file, line, "%s: got %s (%lld)", text, green_errname((int)rc), rc);
        return false;
}

bool
fault_made(const void *handle, const char *file, int line, const char *text)
{
        int error = errno;

        if (handle != NULL)
                return true;
        if (!is_expected(-error) || green_last_error()->code != -error)
                suite_fail(file, line, "%s is NULL: errno %d, last error %d (%s)", text, error,
                           green_last_error()->code, green_last_error()->message);
        told->reported = true;
        return false;
}

int
fault_join(green_thread *gt)
{
        int rc = gt == NULL ? 0 : green_thread_wait(gt, NULL);

        green_thread_unref(gt);
        return rc;
}

void
fault_pair(int fds[2])
{
        fault_pause();
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        fault_resume();
}

void
fault_close(int fd)
{
        fault_pause();
        close(fd);
        fault_resume();
}

void
fault_put(int fd)
{
        fault_pause();
        CHECK_INT(write(fd, "x", 1), 1);
        fault_resume();
}

int
fault_get(int fd)
{
        char byte;
        int n;

        fault_pause();
        n = (int)read(fd, &byte, 1);
        fault_resume();
        return n;
}

/* ---- one run, in a child */

static int
count_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < MAX_FDS; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* From the handler of SIGALRM: the child hangs. */
static void
on_alarm(int sig)
{
        (void)sig;
        here = 0;
        fprintf(stderr, "hangs:\n");
        (void)green_debug_dump(STDERR_FILENO);
        _exit(STATUS_HANGS);
}

static void
set_alarm(double seconds)
{
        const struct sigaction action = {.sa_handler = on_alarm};
        const struct itimerval limit = {.it_value = {.tv_sec = (time_t)seconds + 1}};

        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &limit, NULL);
}

/* The scenario in a hub of its own; nothing is left. */
static void
run_once(const struct fault_scenario *scenario)
{
        long live_before = atomic_load(&live);
        long long mapped_before = atomic_load(&fault_mapped);
        int fds = count_fds();

        plan.also_count = 0;
        errno = 0;
        here = 1;
        scenario->run();
        here = 1;
        CHECK_INT(green_hub_destroy(5 * suite_slow()), 0);
        here = 0;
        CHECK_INT(atomic_load(&live), live_before);
        CHECK_INT(atomic_load(&fault_mapped), mapped_before);
        CHECK_INT(count_fds(), fds);
}

/* Once with the fault, and once without in the same process. */
static _Noreturn void
child(const struct fault_scenario *scenario)
{
        unsigned failed = suite_failures();

        set_alarm(RUN_LIMIT * suite_slow());
        green_set_log(forget_log, NULL);
        runs = getpid();
        plan.armed = true;
        run_once(scenario);
        plan.armed = false;
        if (plan.row != NULL && told->hit) {
                bool reported = told->reported;

                plan.row = NULL;
                told->reported = false;
                run_once(scenario);
                CHECK(!told->reported);
                told->reported = reported;
        }
        _exit(suite_failures() != failed);
}

static const char *
status_text(int status)
{
        static char text[64];

        if (WIFSIGNALED(status))
                snprintf(text, sizeof text, "died by signal %d", WTERMSIG(status));
        else if (WEXITSTATUS(status) == STATUS_HANGS)
                snprintf(text, sizeof text, "hangs");
        else
                snprintf(text, sizeof text, "failed (status %d)", WEXITSTATUS(status));
        return text;
}

static int
wait_for(pid_t pid)
{
        int status = -1;

        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return status;
}

/* What the hub does without, or in another way. */
static unsigned long long hub_absorbs;
static bool hub_looks; /* poll and select have no epoll_ctl(): that a descriptor is open they see by fcntl() */

static int
set_flag(void *flag)
{
        *(volatile int *)flag = 1;
        return 0;
}

static bool
do_children_share(void)
{
        static _Alignas(64) char stack[65536];
        volatile int flag = 0;
        pid_t pid = clone(set_flag, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)(uintptr_t)&flag);

        (void)wait_for(pid);
        return flag == 1;
}

static void
prepare(void)
{
        const char *hub = green_get_default_hub();

        if (told != NULL)
                return;
        /* libevent has epoll_create() then, and other ways to catch signals. */
        if (hub != NULL && strcmp(hub, "libevent") == 0)
                hub_absorbs = FAULT_BIT(epoll_create1) | FAULT_BIT(pipe2);
        /* Its second eventfd is for foreign loops, which are told that there is none; and it accepts by itself. */
        if (hub != NULL && strcmp(hub, "io_uring") == 0)
                hub_absorbs = FAULT_BIT(eventfd) | FAULT_BIT(accept4);
        hub_looks = hub != NULL && (strcmp(hub, "poll") == 0 || strcmp(hub, "select") == 0);
        /* By its name: or the next best would stand in for one that a fault has spoilt. */
        if (hub != NULL)
                setenv("GREEN_HUB", hub, 0);
        told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (told == MAP_FAILED)
                abort();
        children_share = do_children_share();
}

/* True if the fault happened and all was well. */
static bool
run_with(const struct fault_scenario *scenario, const struct row *row, long n, bool and_after)
{
        unsigned long long absorbed = hub_absorbs | scenario->absorbs | (and_after ? 0 : scenario->absorbs_one);
        pid_t pid;
        int status;

        if (hub_looks && absorbed & FAULT_BIT(epoll_ctl))
                absorbed |= FAULT_BIT(fcntl);
        memset(told, 0, sizeof *told);
        plan.row = row;
        plan.n = n;
        plan.and_after = and_after;
        fflush(NULL);
        pid = fork();
        if (pid == 0)
                child(scenario);
        if (!CHECK(pid > 0))
                return false;
        status = wait_for(pid);
        plan.row = NULL;
        if (status != 0)
                FAIL("%s, call %ld%s, %s: %s", row == NULL ? "no fault" : kind_names[row->kind], n,
                     and_after ? " and all that follow" : "", row == NULL ? "" : green_errname(-row->error),
                     status_text(status));
        else if (row != NULL && told->hit && !told->reported && !(row->flags & (HIDDEN | EITHER)) &&
                 !(absorbed & 1ull << row->kind))
                FAIL("%s, call %ld%s, %s: nothing was reported", kind_names[row->kind], n,
                     and_after ? " and all that follow" : "", green_errname(-row->error));
        return told->hit;
}

static bool
in_full(void)
{
        const char *value = getenv("GREEN_TEST_FAULTS");

        return value != NULL && strcmp(value, "all") == 0;
}

/* Where things are slow (valgrind, thread sanitizer) every few of the calls will do, unless all are asked for. */
static long
stride(void)
{
        return in_full() || suite_slow() < 5 ? 1 : (long)suite_slow();
}

static void
fail_each_call(const struct fault_scenario *scenario, const struct row *row, bool and_after)
{
        long n = 1;

        while (n < MAX_N && run_with(scenario, row, n, and_after) && suite_failures() < MAX_BAD)
                n += n == 1 ? 1 : stride();
        CHECK(n < MAX_N);
}

/*
 * Edges are made anew in an epoll. What reports them by itself (io_uring) would not report one that never was, so there a
 * call cannot say EAGAIN out of turn.
 */
static bool
edges_can_come(void)
{
        const char *hub = getenv("GREEN_HUB");

        return hub == NULL || strstr(hub, "io_uring") == NULL;
}

void
fault_each(const struct fault_scenario *scenario)
{
        long calls[FAULT_KIND_COUNT];

        if (scenario->threads && suite_skip_without_child_threads())
                return;
        prepare();
        (void)run_with(scenario, NULL, 0, false);
        if (suite_failures() > 0)
                return;
        memcpy(calls, told->calls, sizeof calls);
        for (int i = 0; i < ROWS && suite_failures() < MAX_BAD; i++) {
                const struct row *row = &rows[i];

                if (calls[row->kind] == 0)
                        continue;
                if (row->flags & EDGE && !edges_can_come()) {
                        printf("%s: no EAGAIN on this hub, whose edges cannot be made anew\n", kind_names[row->kind]);
                        continue;
                }
                fail_each_call(scenario, row, false);
                if (!(row->flags & (HIDDEN | EITHER)) && suite_failures() < MAX_BAD)
                        fail_each_call(scenario, row, true);
        }
}

/* ---- signals all the time */

static volatile sig_atomic_t ticks, ticks_max;

static void
on_tick(int sig)
{
        if (++ticks > ticks_max)
                on_alarm(sig);
}

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void
storm_child(const struct fault_scenario *scenario, double seconds, bool storm)
{
        const struct sigaction action = {.sa_handler = on_tick}; /* no SA_RESTART */
        const struct itimerval tick = {{0, STORM_TICK}, {0, STORM_TICK}};
        unsigned failed = suite_failures();
        double end = now() + seconds;

        ticks_max = (sig_atomic_t)((seconds + RUN_LIMIT) * suite_slow() * 1e6 / STORM_TICK);
        green_set_log(forget_log, NULL);
        if (storm) {
                sigaction(SIGALRM, &action, NULL);
                setitimer(ITIMER_REAL, &tick, NULL);
        } else {
                set_alarm((seconds + RUN_LIMIT) * suite_slow());
        }
        do
                run_once(scenario);
        while (now() < end && suite_failures() == failed);
        if (storm)
                CHECK(ticks > 0);
        _exit(suite_failures() != failed);
}

void
fault_storm(const struct fault_scenario *scenario, double seconds)
{
        pid_t pid;

        if (scenario->threads && suite_skip_without_child_threads())
                return;
        prepare();
        memset(told, 0, sizeof *told);
        fflush(NULL);
        seconds *= in_full() ? LONGER : 1;
        pid = fork();
        if (pid == 0)
                storm_child(scenario, seconds, true);
        CHECK_INT(wait_for(pid), 0);
        CHECK(!told->reported);
}

void
fault_stopped(const struct fault_scenario *scenario, double seconds)
{
        const struct timespec pause = {0, 3000000};
        int status = 0;
        pid_t pid;

        if (scenario->threads && suite_skip_without_child_threads())
                return;
        prepare();
        memset(told, 0, sizeof *told);
        fflush(NULL);
        seconds *= in_full() ? LONGER : 1;
        pid = fork();
        if (pid == 0)
                storm_child(scenario, seconds, false);
        for (int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
                kill(pid, i % 2 == 0 ? SIGSTOP : SIGCONT);
                nanosleep(&pause, NULL);
        }
        CHECK_INT(status, 0);
        CHECK(!told->reported);
}

/* ---- descriptors run out */

/* The limit that leaves room for so many descriptors more. */
static rlim_t
limit_for(int room)
{
        int fd = 0;

        while (fcntl(fd, F_GETFD) >= 0 || room-- > 0)
                fd++;
        return (rlim_t)fd;
}

static _Noreturn void
few_child(const struct fault_scenario *scenario, int room)
{
        static const struct row few = {FAULT_KIND_COUNT, EMFILE, SHOWN};
        struct rlimit limit, old;
        unsigned failed = suite_failures();

        set_alarm(RUN_LIMIT * suite_slow());
        green_set_log(forget_log, NULL);
        getrlimit(RLIMIT_NOFILE, &old);
        limit = old;
        limit.rlim_cur = limit_for(room);
        setrlimit(RLIMIT_NOFILE, &limit);
        plan.row = &few;
        told->hit = true; /* from the beginning */
        run_once(scenario);
        setrlimit(RLIMIT_NOFILE, &old);
        told->hit = told->reported;
        plan.row = NULL;
        run_once(scenario);
        told->reported = told->hit;
        _exit(suite_failures() != failed);
}

/* The number of descriptors that the scenario needs is found by giving it more and more. */
void
fault_few_descriptors(const struct fault_scenario *scenario)
{
        int room;

        if (scenario->threads && suite_skip_without_child_threads())
                return;
        prepare();
        for (room = 0; room < 64 && suite_failures() < MAX_BAD; room++) {
                pid_t pid;
                int status;

                memset(told, 0, sizeof *told);
                fflush(NULL);
                pid = fork();
                if (pid == 0)
                        few_child(scenario, room);
                status = wait_for(pid);
                if (status != 0)
                        FAIL("room for %d descriptors: %s", room, status_text(status));
                else if (!told->reported)
                        break;
        }
        CHECK_RANGE(room, 1, 63);
}
