/*
 * What the benchmark programs share: clocks, counts, and one line for each figure: `NAME UNIT VALUE`. Clean in C11 and
 * C++11. Nothing of green-net: the peers use it too.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Seconds that have passed since some moment. */
static inline double
bench_now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of CPU that the process has used, in the kernel too. */
static inline double
bench_cpu(void)
{
        struct rusage u;

        getrusage(RUSAGE_SELF, &u);
        return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A line of /proc/self/status, in bytes: "VmRSS", "VmPTE". -1 where there is no such thing. */
static inline long
bench_memory(const char *name)
{
        FILE *f = fopen("/proc/self/status", "r");
        size_t len = strlen(name);
        char line[256];
        long kib = -1;

        while (f != NULL && fgets(line, sizeof line, f) != NULL) {
                if (strncmp(line, name, len) == 0 && line[len] == ':') {
                        kib = atol(line + len + 1);
                        break;
                }
        }
        if (f != NULL)
                fclose(f);
        return kib < 0 ? -1 : kib * 1024;
}

/* Argument number i as a count, which is more than 0. */
static inline long
bench_count(int argc, char **argv, int i, long otherwise)
{
        long n = i < argc ? atol(argv[i]) : otherwise;

        if (n <= 0) {
                fprintf(stderr, "%s: argument %d is no count\n", argv[0], i);
                exit(2);
        }
        return n;
}

static inline void
bench_print(const char *name, const char *unit, double value)
{
        printf("%s %s %.9g\n", name, unit, value);
        fflush(stdout);
}

static inline void
bench_check(int ok, const char *what)
{
        if (!ok) {
                fprintf(stderr, "benchmark: %s failed\n", what);
                exit(1);
        }
}

/* The same numbers in every program, in C and in Go. */
static inline uint32_t
bench_random(uint32_t *state)
{
        *state = *state * 1664525u + 1013904223u;
        return *state >> 8; /* 24 bits */
}

#endif
