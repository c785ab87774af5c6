/*
 * What a wake-up costs through a hub: two green threads send each other a byte, and nothing else is ready, so that each
 * byte is a wait of the hub. Nanoseconds a byte, its write and its read included: by pipes and green_trampoline(), by a
 * pair of sockets and green_socket_recv(). green_wakeup TIMES [HUB]
 */
#include "bench.h"

#include <errno.h>
#include <green/net.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
        int in, out;          /* by pipes */
        green_socket *socket; /* or by a socket */
        bool begins;
        long times;
};

static void *
by_pipe(void *arg)
{
        struct side *side = arg;
        char byte = 0;

        for (long i = 0; i < side->times; i++) {
                if (side->begins && write(side->out, &byte, 1) != 1)
                        return green_fail(-EIO);
                if (green_trampoline(side->in, GREEN_READ, GREEN_FOREVER) != 0 || read(side->in, &byte, 1) != 1)
                        return green_fail(-EIO);
                if (!side->begins && write(side->out, &byte, 1) != 1)
                        return green_fail(-EIO);
        }
        return NULL;
}

static void *
by_socket(void *arg)
{
        struct side *side = arg;
        char bytes[2] = {0, 0};

        for (long i = 0; i < side->times; i++) {
                if (side->begins && green_socket_send(side->socket, bytes, 1, 0) != 1)
                        return green_fail(-EIO);
                if (green_socket_recv(side->socket, bytes, sizeof bytes, 0) != 1)
                        return green_fail(-EIO);
                if (!side->begins && green_socket_send(side->socket, bytes, 1, 0) != 1)
                        return green_fail(-EIO);
        }
        return NULL;
}

static double
run(green_thread_fn fn, struct side sides[2], long times)
{
        green_thread *threads[2];
        double begin;

        sides[0].times = sides[1].times = times / 2;
        begin = bench_now();
        for (int i = 0; i < 2; i++)
                bench_check((threads[i] = green_spawn(fn, &sides[i])) != NULL, "green_spawn");
        for (int i = 0; i < 2; i++) {
                bench_check(green_thread_wait(threads[i], NULL) == 0, "a byte");
                green_thread_unref(threads[i]);
        }
        return (bench_now() - begin) * 1e9 / (double)(times / 2 * 2);
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 1000000);
        struct side sides[2] = {{.begins = true}, {.begins = false}};
        int one[2], other[2], pair[2];

        if (argc > 2 && green_use_hub(argv[2]) != 0)
                return fprintf(stderr, "%s\n", green_last_error()->message), 1;
        bench_check(pipe(one) == 0 && pipe(other) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "pipe");
        sides[0].in = one[0];
        sides[1].out = one[1];
        sides[1].in = other[0];
        sides[0].out = other[1];
        for (int i = 0; i < 2; i++)
                bench_check((sides[i].socket = green_socket_from_fd(pair[i])) != NULL, "green_socket_from_fd");
        (void)run(by_pipe, sides, times / 10 + 2);
        bench_print("wakeup_fd", "ns", run(by_pipe, sides, times));
        (void)run(by_socket, sides, times / 10 + 2);
        bench_print("wakeup_socket", "ns", run(by_socket, sides, times));
        return 0;
}
