/*
 * Memory of idle connections: opens so many, has one request answered on each, and holds them: what the server's
 * resident memory has grown by, a connection. http_idle_load CONNECTIONS SERVER-CORE LOAD-CORE SERVER [ARGUMENT...]
 *
 * It asks on WINDOW connections at a time.
 */
#include "bench_load.h"

#define WINDOW 100

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static struct sockaddr_in server_addr = {.sin_family = AF_INET};

static void
open_one(int *ret_fd)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        bench_check(fd >= 0 && connect(fd, (struct sockaddr *)&server_addr, sizeof server_addr) == 0, "connect");
        *ret_fd = fd;
}

/* The answer ends with its body, "Hello, World!\n". */
static void
hear(int fd)
{
        char buf[1024];
        size_t len = 0;

        do {
                ssize_t n = recv(fd, buf + len, sizeof buf - 1 - len, 0);

                bench_check(n > 0, "an answer");
                len += (size_t)n;
                buf[len] = '\0';
        } while (strstr(buf, "\r\n\r\nHello, World!\n") == NULL);
}

static void
ask(const int *fds, long n)
{
        for (long i = 0; i < n; i++)
                bench_check(send(fds[i], request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1,
                            "send");
        for (long i = 0; i < n; i++)
                hear(fds[i]);
}

int
main(int argc, char **argv)
{
        long connections = bench_count(argc, argv, 1, 10000), before, after;
        int *fds = calloc((size_t)connections, sizeof *fds), port = 0;
        int first[WINDOW];
        clockid_t clock;
        pid_t pid;

        if (argc < 5)
                return fprintf(stderr, "usage: %s CONNECTIONS SERVER-CORE LOAD-CORE SERVER...\n", argv[0]), 2;
        bench_check(fds != NULL, "calloc");
        bench_raise_descriptor_limit();
        pid = bench_start_server(atoi(argv[2]), argv + 4, &port, &clock);
        server_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        server_addr.sin_port = htons((uint16_t)port);
        bench_pin(atoi(argv[3]));
        /* What is there for those that are answered just now, is there before. */
        for (int i = 0; i < WINDOW; i++)
                open_one(&first[i]);
        ask(first, WINDOW);
        usleep(200000);
        before = bench_resident(pid);

        for (long at = 0; at < connections; at += WINDOW) {
                long n = connections - at < WINDOW ? connections - at : WINDOW;

                for (long i = 0; i < n; i++)
                        open_one(&fds[at + i]);
                ask(fds + at, n);
        }
        usleep(500000);
        after = bench_resident(pid);
        bench_print("idle", "bytes", after > before ? (double)(after - before) / (double)connections : 0);
        bench_print("idle_resident", "bytes", (double)after);
        /* They are all alive. */
        for (long at = 0; at < connections; at += WINDOW)
                ask(fds + at, connections - at < WINDOW ? connections - at : WINDOW);
        bench_stop_server(pid);
        return 0;
}
