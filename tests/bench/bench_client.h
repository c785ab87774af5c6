/* What the HTTP clients share: 64 requests at once for the same page, over connections that are kept. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "bench_http.h"

enum { AT_ONCE = 64 };

static inline void
bench_client_report(long done, double seconds, double cpu)
{
        bench_print("rate_client", "kreq/s", (double)done / seconds / 1e3);
        bench_print("cpu_client", "us", cpu * 1e6 / (double)done);
}

#endif
