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

/* The file of static-1m, in a folder that is there. */
static inline void
bench_file(const char *folder)
{
        char path[5000];
        FILE *f;

        snprintf(path, sizeof path, "%s/1m.bin", folder);
        f = fopen(path, "wb");
        bench_check(f != NULL, path);
        for (int i = 0; i < 1 << 20; i++)
                fputc(i * 7 & 255, f);
        bench_check(fclose(f) == 0, path);
}

#endif
