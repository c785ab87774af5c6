/*
 * The load of the echo benchmarks: starts a server, keeps one message of 64 bytes under way on each connection, and
 * measures. echo_load CONNECTIONS MILLISECONDS SERVER-CORE LOAD-CORE SERVER [ARGUMENT...]; a core of -1 pins nothing.
 * As `echo_load -l ...` a message is four lines of 40 bytes. As `echo_load -m ...` it prints the server's memory too: what
 * is resident, its page tables, and the kernel's stacks of its OS threads.
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

/* Of an OS thread, in the kernel. */
#define KERNEL_STACK 16384

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

/* A line of /proc/PID/status, which must be there. */
static long
status_of(pid_t pid, const char *format)
{
        char path[64], line[256];
        long value = -1;
        FILE *f;

        snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
        f = fopen(path, "r");
        bench_check(f != NULL, path);
        while (value < 0 && fgets(line, sizeof line, f) != NULL)
                (void)!sscanf(line, format, &value); /* NOLINT(clang-diagnostic-format-nonliteral): constants */
        fclose(f);
        bench_check(value >= 0, path);
        return value;
}

static void
report_memory(pid_t pid, const char *what)
{
        long resident = bench_resident(pid), tables = status_of(pid, "VmPTE: %ld") * 1024,
             threads = status_of(pid, "Threads: %ld");
        char name[64];

        snprintf(name, sizeof name, "memory_%s", what);
        bench_print(name, "bytes", (double)(resident + tables + threads * KERNEL_STACK));
        snprintf(name, sizeof name, "threads_%s", what);
        bench_print(name, "threads", (double)threads);
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
run(int argc, char **argv, bool memory)
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
        if (memory)
                report_memory(pid, what);
        bench_stop_server(pid);
        return answered > 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
        bool lines = argc > 1 && strcmp(argv[1], "-l") == 0, memory = argc > 1 && strcmp(argv[1], "-m") == 0;
        int skip = lines || memory;

        compose(lines);
        return run(argc - skip, argv + skip, memory);
}
