/*
 * Echo with a POSIX thread for each connection: nothing of green-net is in it. Run as it is, and by `green-net run`.
 * tests/check_patch_run.sh runs it too.
 */
#include "bench_net.h"

#include <pthread.h>
#include <stdint.h>

static void *
echo(void *arg)
{
        int fd = (int)(intptr_t)arg;
        char buf[BENCH_BUFFER];
        ssize_t n;

        while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
                if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
                        break;
        close(fd);
        return NULL;
}

/* A listener that waits. */
static int
listen_here(void)
{
        int fd = bench_listen();

        bench_check(fcntl(fd, F_SETFL, 0) == 0, "fcntl");
        return fd;
}

int
main(void)
{
        int listener = listen_here(), fd;
        pthread_t thread;

        bench_announce(listener);
        while ((fd = accept(listener, NULL, NULL)) >= 0)
                bench_check(pthread_create(&thread, NULL, echo, (void *)(intptr_t)fd) == 0 && pthread_detach(thread) == 0,
                            "pthread_create");
        bench_check(0, "accept");
        return 1;
}
