/*
 * The load of the connections benchmark: so many are opened, used for one message and closed, 100 of them at a time.
 * conn_load CONNECTIONS SERVER-CORE LOAD-CORE SERVER [ARGUMENT...]; a core of -1 pins nothing.
 *
 * Each comes from an address of its own, so that those that linger in the system do not use up its ports. At the end
 * the server must have as many descriptors as at the beginning.
 */
#include "bench_load.h"

#include <dirent.h>

#define MESSAGE 64
#define WINDOW 100

static char message[MESSAGE];
static struct sockaddr_in server_addr = {.sin_family = AF_INET};
static long opened, closed, wanted;

static void
open_one(int ep)
{
        /* 127.1.0.1 and on: all of 127.0.0.0/8 is this machine. */
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f010001u + (uint32_t)opened % 60000)}};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
        struct epoll_event ev = {.events = EPOLLOUT, .data = {.fd = fd}};

        bench_check(fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
                            bind(fd, (struct sockaddr *)&own, sizeof own) == 0,
                    "bind");
        bench_check(connect(fd, (struct sockaddr *)&server_addr, sizeof server_addr) == 0 || errno == EINPROGRESS,
                    "connect");
        bench_check(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
        opened++;
}

static void
step(int ep, const struct epoll_event *ev)
{
        int fd = ev->data.fd;
        char buf[MESSAGE];

        if ((ev->events & EPOLLOUT) != 0) {
                struct epoll_event next = {.events = EPOLLIN, .data = {.fd = fd}};

                bench_check(send(fd, message, MESSAGE, MSG_NOSIGNAL) == MESSAGE, "send");
                bench_check(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &next) == 0, "epoll_ctl");
                return;
        }
        bench_check(recv(fd, buf, sizeof buf, 0) == MESSAGE, "the echo");
        close(fd);
        closed++;
        if (opened < wanted)
                open_one(ep);
}

static void
run(int ep, long connections)
{
        struct epoll_event evs[WINDOW];

        opened = closed = 0;
        wanted = connections;
        while (opened < wanted && opened < WINDOW)
                open_one(ep);
        while (closed < wanted) {
                int n = epoll_wait(ep, evs, WINDOW, 2000);

                bench_check(n > 0 || (n < 0 && errno == EINTR), "an answer within two seconds");
                for (int i = 0; i < n; i++)
                        step(ep, &evs[i]);
        }
}

static int
descriptors(pid_t pid)
{
        char path[64];
        int n = 0;
        DIR *dir;

        snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
        dir = opendir(path);
        bench_check(dir != NULL, path);
        while (readdir(dir) != NULL)
                n++;
        closedir(dir);
        return n;
}

int
main(int argc, char **argv)
{
        long connections = bench_count(argc, argv, 1, 10000);
        int port = 0, ep = epoll_create1(EPOLL_CLOEXEC), before, left = 0;
        double wall, server, load;
        clockid_t clock;
        pid_t pid;

        if (argc < 5)
                return fprintf(stderr, "usage: %s CONNECTIONS SERVER-CORE LOAD-CORE SERVER...\n", argv[0]), 2;
        bench_check(ep >= 0, "epoll_create1");
        memset(message, 'x', sizeof message);
        bench_raise_descriptor_limit();
        pid = bench_start_server(atoi(argv[2]), argv + 4, &port, &clock);
        server_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        server_addr.sin_port = htons((uint16_t)port);
        bench_pin(atoi(argv[3]));
        run(ep, 1);
        usleep(50000);
        before = descriptors(pid);

        wall = bench_now();
        server = bench_clock(clock);
        load = bench_cpu();
        run(ep, connections);
        wall = bench_now() - wall;
        bench_report_load("conns", connections, wall, bench_clock(clock) - server, bench_cpu() - load);
        /* The last ones are being closed just now. */
        for (int i = 0; i < 100 && (left = descriptors(pid) - before) > 0; i++)
                usleep(10000);
        bench_print("conns_left", "descriptors", left);
        bench_stop_server(pid);
        return 0;
}
