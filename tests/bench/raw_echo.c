/*
 * The floor of the echo benchmarks, a bare epoll loop: one descriptor a connection, registered once, 256 events a wait,
 * one recv and one send a message. raw_echo level|edge|first
 *
 * level, edge: how epoll reports. first: as edge, but those that have just been answered are read from again, before
 * epoll is asked, until that finds nothing.
 */
#include "bench_net.h"

#include <sys/epoll.h>

#define BATCH 256

static int ep, listener;
static uint32_t interest;

static void
accept_all(void)
{
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct epoll_event ev = {.events = interest, .data = {.fd = fd}};

                bench_check(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
        }
}

/* Whether there was a message, and perhaps is another. */
static int
echo(int fd)
{
        char buf[BENCH_BUFFER];
        ssize_t n = recv(fd, buf, sizeof buf, 0);

        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n) {
                close(fd);
                return 0;
        }
        return 1;
}

static void
serve(int first)
{
        struct epoll_event evs[BATCH];
        int live[BATCH], n_live = 0;

        for (;;) {
                int n = epoll_wait(ep, evs, BATCH, -1), kept = 0;

                for (int i = 0; i < n; i++) {
                        if (evs[i].data.fd == listener)
                                accept_all();
                        else if (echo(evs[i].data.fd) && first)
                                live[n_live++] = evs[i].data.fd;
                }
                while (n_live > 0) {
                        for (int i = 0; i < n_live; i++) {
                                if (echo(live[i]))
                                        live[kept++] = live[i];
                        }
                        n_live = kept;
                        kept = 0;
                }
        }
}

int
main(int argc, char **argv)
{
        const char *how = argc > 1 ? argv[1] : "level";
        struct epoll_event ev = {.events = EPOLLIN};

        interest = strcmp(how, "level") == 0 ? EPOLLIN : EPOLLIN | EPOLLET;
        ep = epoll_create1(EPOLL_CLOEXEC);
        listener = bench_listen();
        ev.data.fd = listener;
        bench_check(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) == 0, "epoll");
        bench_announce(listener);
        serve(strcmp(how, "first") == 0);
        return 0;
}
