/*
 * What the tests of the scheduler, hubs, timers and descriptors share: a hub for each test, captured reports, pairs of
 * sockets, children.
 */
#ifndef GREEN_TESTS_CORE_SUITE_H
#define GREEN_TESTS_CORE_SUITE_H

#include <green/core.h>

#include "suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub_late.h"

/* What must come comes within this time; seconds. */
#define CORE_SOON 10.0

static inline double
core_now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Works for so long without yielding. */
static inline void
core_burn(double seconds)
{
        double end = core_now() + seconds;

        while (core_now() < end)
                ;
}

static inline struct green_hub_info
core_info(void)
{
        struct green_hub_info info = {.size = sizeof info};

        CHECK_INT(green_hub_get_info(&info), 0);
        return info;
}

/* ---- the hub of a test */

static inline void
core_setup(void)
{
        (void)green_hub_ident();
}

/* After each test: nobody is left, and nothing is pending. */
static inline void
core_check_idle(void)
{
        struct green_hub_info info = core_info();

        CHECK_INT(info.threads, 1);
        CHECK_INT(info.timers, 0);
        CHECK_INT(info.readers, 0);
        CHECK_INT(info.writers, 0);
        CHECK_INT(info.ready, 0);
}

static inline void
core_on_hang(void)
{
        green_debug_dump(2);
}

static inline void
core_init(void)
{
        suite_setup = core_setup;
        suite_check = core_check_idle;
        suite_on_hang = core_on_hang;
}

/* Begins with a fresh hub: the usual one, with its usual settings, for NULL. */
static inline bool
core_fresh_hub(const char *name)
{
        if (name == NULL)
                unsetenv("GREEN_TEST_LATE");
        return CHECK_INT(green_hub_destroy(CORE_SOON), 0) && CHECK_INT(green_use_hub(name), 0);
}

/* Changes to a test hub with these settings; its counts, from 0. NULL, and the test is skipped, where there is none. */
static inline struct hub_late_stats *
core_late_hub(const char *plugin, const char *settings)
{
        const char *path = suite_plugin(plugin);
        struct hub_late_stats *stats;
        void *module;

        if (path == NULL) {
                suite_skip("this build has no modules");
                return NULL;
        }
        setenv("GREEN_TEST_LATE", settings, 1);
        if (!core_fresh_hub(path))
                return NULL;
        module = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        stats = module == NULL ? NULL : dlsym(module, "green_test_late_stats");
        if (!CHECK(stats != NULL))
                return NULL;
        memset(stats, 0, sizeof *stats);
        dlclose(module);
        return stats;
}

/* May foreign code, of which core knows nothing, end a wait of this hub? */
static inline bool
core_hub_calls_back(void)
{
        const char *name = green_hub_name(NULL);

        return strcmp(name, "libevent") == 0 || strcmp(name, "callsback") == 0;
}

/* ---- reports */

struct core_log {
        atomic_uint count; /* reports that contain the word */
        const char *word;
        char last[1024]; /* such a report */
};

static inline void
core_log_take(void *arg, enum green_log_level level, const char *message)
{
        struct core_log *log = arg;

        (void)level;
        if (strstr(message, log->word) == NULL) {
                fprintf(stderr, "%s\n", message);
                return;
        }
        snprintf(log->last, sizeof log->last, "%s", message);
        log->count++;
}

/* From now on reports that contain the word are counted, and not shown. */
static inline void
core_log_begin(struct core_log *log, const char *word)
{
        memset(log, 0, sizeof *log);
        log->word = word;
        green_set_log(core_log_take, log);
}

static inline void
core_log_end(void)
{
        green_set_log(NULL, NULL);
}

/* ---- descriptors */

/* Two connected stream sockets that do not block. */
static inline bool
core_pair(int fds[2])
{
        return CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static inline void
core_close_pair(const int fds[2])
{
        close(fds[0]);
        close(fds[1]);
}

static inline void
core_put(int fd)
{
        CHECK_INT(write(fd, "x", 1), 1);
}

/* Takes all there is; how many bytes it was. */
static inline int
core_drain(int fd)
{
        char bytes[512];
        int all = 0;
        ssize_t n;

        while ((n = read(fd, bytes, sizeof bytes)) > 0)
                all += (int)n;
        return all;
}

/*
 * Rounds, of a millisecond, in which a descriptor took nothing until it is full. Pairs are of TCP on Windows, which does
 * not tell what is under way, and asks the peer for room again after 200 ms.
 */
#if defined(_WIN32)
#define CORE_FILL_QUIET 300
#else
#define CORE_FILL_QUIET 1
#endif

/* Writes until the descriptor takes no more, now and later. */
static inline void
core_fill(int fd)
{
        static const char bytes[4096];

        for (int quiet = 0; quiet < CORE_FILL_QUIET; quiet++) {
                while (write(fd, bytes, sizeof bytes) > 0)
                        quiet = 0;
                CHECK_INT(errno, EAGAIN);
                if (quiet + 1 < CORE_FILL_QUIET)
                        usleep(1000);
        }
}

static inline int
core_count_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < 4096; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* ---- green threads */

/* Waits for it, gives its handle back; the code it ended with. */
static inline int
core_join(green_thread *gt)
{
        int rc = green_thread_wait(gt, NULL);

        green_thread_unref(gt);
        return rc;
}

/* A green thread that waits for a descriptor. */
struct core_waiter {
        green_thread *gt;
        green_io *io; /* not NULL: by green_io_wait() on it, otherwise by green_trampoline() on fd */
        int fd;
        unsigned events;
        double timeout;
        int rc;     /* what it got */
        bool done;  /* it came back */
        int turn;   /* its place in the order in which they came back */
        int *turns; /* of those that count here; may be NULL */
};

static inline void *
core_waiter_main(void *arg)
{
        struct core_waiter *w = arg;

        if (w->io != NULL)
                w->rc = green_io_wait(w->io, w->events, w->timeout);
        else
                w->rc = green_trampoline(w->fd, w->events, w->timeout);
        w->done = true;
        if (w->turns != NULL)
                w->turn = ++*w->turns;
        return NULL;
}

/* Spawns one that waits for good. It waits once the caller has yielded. */
static inline void
core_wait_fd(struct core_waiter *w, int fd, unsigned events)
{
        *w = (struct core_waiter){.fd = fd, .events = events, .timeout = GREEN_FOREVER};
        w->gt = green_spawn(core_waiter_main, w);
        CHECK(w->gt != NULL);
}

static inline void
core_wait_io(struct core_waiter *w, green_io *io, unsigned events)
{
        *w = (struct core_waiter){.io = io, .fd = -1, .events = events, .timeout = GREEN_FOREVER};
        w->gt = green_spawn(core_waiter_main, w);
        CHECK(w->gt != NULL);
}

static inline void
core_kill(green_thread *gt)
{
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(core_join(gt), GREEN_EKILLED);
}

static inline void
core_nothing(void *arg)
{
        (void)arg;
}

static inline void
core_set_flag(void *arg)
{
        bool *flag = arg;

        *flag = true;
}

/* ---- who ran when */

static int core_order[64];
static int core_order_count;

static inline void
note(int what)
{
        if (core_order_count < 64)
                core_order[core_order_count++] = what;
}

static inline void *
note_arg(void *arg)
{
        note((int)(intptr_t)arg);
        return NULL;
}

static inline void
note_call(void *arg)
{
        note((int)(intptr_t)arg);
}

/* The notes so far are these; begins anew. */
static inline void
check_order(const int *want, int n)
{
        CHECK_INT(core_order_count, n);
        for (int i = 0; i < n && i < core_order_count; i++)
                CHECK_INT(core_order[i], want[i]);
        core_order_count = 0;
}

#define CHECK_ORDER(...)                                                                                               \
        check_order((const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

/* ---- children */

/* Waits for a child without yielding; its exit status, or -1. */
static inline int
core_child_end(pid_t pid)
{
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* fork(), where the child dies if it hangs. */
static inline pid_t
core_fork(void)
{
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid == 0)
                alarm((unsigned)(20 * suite_slow()));
        CHECK(pid >= 0);
        return pid;
}

/* The end of a child: its status says whether its checks held. */
_Noreturn static inline void
core_child_exit(void)
{
        _exit(suite_failures() != 0);
}

#endif
