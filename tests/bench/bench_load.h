/* What the load generators share: a server in a process of its own, its core and ours, and its CPU clock. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench_net.h"

#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static inline void
bench_pin(int core)
{
        cpu_set_t set;

        if (core < 0)
                return;
        CPU_ZERO(&set);
        CPU_SET((size_t)core, &set);
        bench_check(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

/* Both ends need a descriptor a connection. */
static inline void
bench_raise_descriptor_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

/* Start it on a core; it says its port. */
static inline pid_t
bench_start_server(int core, char **command, int *ret_port, clockid_t *ret_clock)
{
        int ends[2];
        FILE *out;
        pid_t pid;

        bench_check(pipe(ends) == 0, "pipe");
        pid = fork();
        bench_check(pid >= 0, "fork");
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                bench_pin(core);
                dup2(ends[1], STDOUT_FILENO);
                close(ends[0]);
                close(ends[1]);
                execv(command[0], command);
                perror(command[0]);
                _exit(127);
        }
        close(ends[1]);
        out = fdopen(ends[0], "r");
        bench_check(out != NULL && fscanf(out, "port %d", ret_port) == 1, command[0]);
        fclose(out);
        bench_check(clock_getcpuclockid(pid, ret_clock) == 0, "clock_getcpuclockid");
        return pid;
}

static inline double
bench_clock(clockid_t clock)
{
        struct timespec t;

        bench_check(clock_gettime(clock, &t) == 0, "the server's CPU clock");
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Its resident memory, in bytes; /proc/PID/status may be some pages behind. */
static inline long
bench_resident(pid_t pid)
{
        char path[64], line[256];
        long kib = -1;
        FILE *f;

        snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
        f = fopen(path, "r");
        bench_check(f != NULL, path);
        while (kib < 0 && fgets(line, sizeof line, f) != NULL)
                (void)!sscanf(line, "Rss: %ld", &kib);
        fclose(f);
        bench_check(kib > 0, path);
        return kib * 1024;
}

static inline void
bench_stop_server(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

/* The rate of what was done, and how busy both ends were meanwhile. */
static inline void
bench_report_load(const char *what, long done, double wall, double server, double load)
{
        char name[64];

        snprintf(name, sizeof name, "rate_%s", what);
        bench_print(name, "kreq/s", (double)done / wall / 1e3);
        snprintf(name, sizeof name, "server_cpu_%s", what);
        bench_print(name, "us", server * 1e6 / (double)done);
        snprintf(name, sizeof name, "server_busy_%s", what);
        bench_print(name, "cores", server / wall);
        snprintf(name, sizeof name, "load_busy_%s", what);
        bench_print(name, "cores", load / wall);
}

#endif
