/*
 * The load of the UDP echo benchmark: 64 sockets, a message of 64 bytes under way on each.
 * udp_load MILLISECONDS SERVER-CORE LOAD-CORE SERVER [ARGUMENT...]; a core of -1 pins nothing.
 */
#include "bench_load.h"

#define MESSAGE 64
#define SOCKETS 64

static char message[MESSAGE];
static long answered;

static void
connect_all(int ep, int port)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

        addr.sin_port = htons((uint16_t)port);
        for (int i = 0; i < SOCKETS; i++) {
                int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                struct epoll_event ev = {.events = EPOLLIN, .data = {.fd = fd}};

                bench_check(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "connect");
                bench_check(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
                bench_check(send(fd, message, MESSAGE, 0) == MESSAGE, "send");
        }
}

static void
talk(int ep, double until)
{
        struct epoll_event evs[SOCKETS];
        char buf[MESSAGE + 1];

        while (bench_now() < until) {
                int n = epoll_wait(ep, evs, SOCKETS, 1000);

                bench_check(n > 0 || (n < 0 && errno == EINTR), "an answer within a second");
                for (int i = 0; i < n; i++) {
                        bench_check(recv(evs[i].data.fd, buf, sizeof buf, 0) == MESSAGE, "the echo");
                        bench_check(send(evs[i].data.fd, message, MESSAGE, 0) == MESSAGE, "send");
                        answered++;
                }
        }
}

int
main(int argc, char **argv)
{
        double seconds = (double)bench_count(argc, argv, 1, 1000) / 1e3, wall, server, load;
        int port = 0, ep = epoll_create1(EPOLL_CLOEXEC);
        clockid_t clock;
        pid_t pid;

        if (argc < 5)
                return fprintf(stderr, "usage: %s MS SERVER-CORE LOAD-CORE SERVER...\n", argv[0]), 2;
        bench_check(ep >= 0, "epoll_create1");
        memset(message, 'x', sizeof message);
        pid = bench_start_server(atoi(argv[2]), argv + 4, &port, &clock);
        bench_pin(atoi(argv[3]));
        connect_all(ep, port);
        talk(ep, bench_now() + seconds / 4);

        answered = 0;
        wall = bench_now();
        server = bench_clock(clock);
        load = bench_cpu();
        talk(ep, wall + seconds);
        wall = bench_now() - wall;
        bench_report_load("udp", answered, wall, bench_clock(clock) - server, bench_cpu() - load);
        bench_stop_server(pid);
        return answered > 0 ? 0 : 1;
}
