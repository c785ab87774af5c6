#ifndef GREEN_TESTS_WIN32_RESOURCE_H
#define GREEN_TESTS_WIN32_RESOURCE_H

#include <sys/time.h>

typedef unsigned long long rlim_t;
enum { RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_AS, RLIMIT_FSIZE, RUSAGE_SELF };
#define RLIM_INFINITY (~0ULL)

struct rlimit {
        rlim_t rlim_cur, rlim_max;
};

struct rusage {
        struct timeval ru_utime, ru_stime;
        long ru_maxrss, ru_nvcsw, ru_nivcsw;
};

/* The first two are refused. */
int getrlimit(int what, struct rlimit *ret_limit);
int setrlimit(int what, const struct rlimit *limit);
int getrusage(int who, struct rusage *ret_usage);

#endif
