/*
 * The load of the echo benchmarks: starts a server, keeps one message of 64 bytes under way on each connection, and
 * measures. echo_load CONNECTIONS MILLISECONDS SERVER-CORE LOAD-CORE SERVER [ARGUMENT...]; a core of -1 pins nothing.
 * As `echo_load -l ...` a message is four lines of 40 bytes.
 *
 * It prints the rate, the server's CPU time a message, and how busy both were while it measured: 1 is a whole core.
 */
#include "bench_load.h"

#include <stdbool.h>

#define MESSAGE 64
#define LINE 40
#define LINES 4
#define LONGEST (LINE * LINES)

struct conn {
        int fd;
        unsigned got; /* bytes of the answer so far */
};

static char message[LONGEST];
static size_t length = MESSAGE;
static long answered;

static void
say(const struct conn *c)
{
        bench_check(send(c->fd, message, length, MSG_NOSIGNAL) == (ssize_t)length, "send");
}

static void
connect_all(int ep, struct conn *conns, int n, int port)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

        addr.sin_port = htons((uint16_t)port);
        for (int i = 0; i < n; i++) {
                struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = &conns[i]}};
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

                bench_check(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "connect");
                bench_check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
                conns[i].fd = fd;
                conns[i].got = 0;
                bench_check(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
        }
}

static void
hear(struct conn *c)
{
        char buf[LONGEST];
        ssize_t n = recv(c->fd, buf, length - c->got, 0);

        if (n < 0 && errno == EAGAIN)
                return;
        bench_check(n > 0 && memcmp(buf, message + c->got, (size_t)n) == 0, "the echo");
        c->got += (unsigned)n;
        if (c->got == length) {
                c->got = 0;
                answered++;
                say(c);
        }
}

static void
talk(int ep, double until)
{
        struct epoll_event evs[256];

        while (bench_now() < until) {
                int n = epoll_wait(ep, evs, 256, 1000);

                bench_check(n > 0 || (n < 0 && errno == EINTR), "an answer within a second");
                for (int i = 0; i < n; i++)
                        hear((struct conn *)evs[i].data.ptr);
        }
}

static void
compose(bool lines)
{
        memset(message, 'x', sizeof message);
        if (!lines)
                return;
        length = LONGEST;
        for (int i = 1; i <= LINES; i++)
                message[i * LINE - 1] = '\n';
}

static int
run(int argc, char **argv)
{
        int n = (int)bench_count(argc, argv, 1, 64), port = 0, ep = epoll_create1(EPOLL_CLOEXEC);
        double seconds = (double)bench_count(argc, argv, 2, 1000) / 1e3, wall, server, load;
        struct conn *conns = calloc((size_t)n, sizeof *conns);
        char what[16];
        clockid_t clock;
        pid_t pid;

        if (argc < 6)
                return fprintf(stderr, "usage: %s CONNECTIONS MS SERVER-CORE LOAD-CORE SERVER...\n", argv[0]), 2;
        bench_check(ep >= 0 && conns != NULL, "epoll_create1");
        bench_raise_descriptor_limit();
        pid = bench_start_server(atoi(argv[3]), argv + 5, &port, &clock);
        bench_pin(atoi(argv[4]));
        connect_all(ep, conns, n, port);
        for (int i = 0; i < n; i++)
                say(&conns[i]);
        talk(ep, bench_now() + seconds / 4);

        answered = 0;
        wall = bench_now();
        server = bench_clock(clock);
        load = bench_cpu();
        talk(ep, wall + seconds);
        wall = bench_now() - wall;
        snprintf(what, sizeof what, "%d", n);
        bench_report_load(what, answered, wall, bench_clock(clock) - server, bench_cpu() - load);
        bench_stop_server(pid);
        return answered > 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
        bool lines = argc > 1 && strcmp(argv[1], "-l") == 0;

        compose(lines);
        return run(argc - lines, argv + lines);
}
