/*
 * Bytes and accepts, counted where they come from the system: see <green/metrics.h>. Each function returns what it is given.
 */
#ifndef GREEN_COUNT_H
#define GREEN_COUNT_H

#include <errno.h>

#include <green/metrics.h>

#include "check.h"
#include "sock_sys.h"

/* The calling OS thread's, once it has been asked for. */
extern _Thread_local struct green_metrics_counters *green__counters_here __attribute__((tls_model("initial-exec")));

/* count.c: ask for it. */
struct green_metrics_counters *green__counters_find(void);

static inline struct green_metrics_counters *
green__counters(void)
{
        struct green_metrics_counters *c = green__counters_here;

        return green__likely(c != NULL) ? c : green__counters_find();
}

/* A count of bytes, or a code. */
static inline ssize_t
green__count_read(ssize_t n)
{
        if (n > 0)
                green__counters()->bytes_read += (uint64_t)n;
        return n;
}

/* The same of a receive with such flags: who only looks will read it again. */
static inline ssize_t
green__count_received(ssize_t n, int flags)
{
        return green__unlikely((flags & MSG_PEEK) != 0) ? n : green__count_read(n);
}

static inline ssize_t
green__count_written(ssize_t n)
{
        if (n > 0)
                green__counters()->bytes_written += (uint64_t)n;
        return n;
}

/* An accept: a descriptor or 0, or a code. */
static inline int
green__count_accept(int rc)
{
        if (rc >= 0)
                green__counters()->accepts++;
        else if (rc != -EAGAIN)
                green__counters()->accept_errors++;
        return rc;
}

/* Is it the failure of a connection that never became one? It is passed over, and the next one may be fine. */
static inline bool
green__count_passed_over(int code)
{
        bool is = green__sys_is_of_the_connection(code);

        if (is && code != -EINTR)
                green__counters()->accept_errors++;
        return is;
}

#endif
