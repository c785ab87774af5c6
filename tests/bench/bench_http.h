/*
 * What the HTTP servers share: what they answer. Each sends the status line, Date, Server, Content-Type, Content-Length
 * and this body; nginx and h2o add `Connection: keep-alive`, which they cannot be asked to leave out.
 */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include "bench_net.h"

#define BENCH_BODY "Hello, World!\n"
#define BENCH_BODY_LEN (sizeof(BENCH_BODY) - 1)
#define BENCH_TYPE "text/plain"

#endif
