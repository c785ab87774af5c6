/* The green part of embed_glib.c and embed_libuv.c: see embed_demo.h. */
#include "embed_demo.h"

#include <errno.h>
#include <green/net.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 10, MESSAGES = 20, BUSY_TICKS = 10, BUSY_IDLES = 20, TICKS = 2 * CLIENTS };

static struct {
        void (*finished)(void *arg);
        void *arg;
        green_hub *hub;
        green_thread *server;
        char address[GREEN_ADDR_TEXT_SIZE];
        pthread_t other; /* another OS thread */
        int pipes[2];    /* from there */
        int started, echoed, failed, ticks, idles;
        unsigned long yields;
        bool other_runs;
} demo;

/* At first everybody is busy: clients, one green thread that is always ready, the loop's timer, its idle callbacks. */
static bool
busy(void)
{
        return demo.ticks < BUSY_TICKS || demo.idles < BUSY_IDLES;
}

static int
echo(green_socket *client, const struct green_addr *peer, void *arg)
{
        char buf[256];
        ssize_t n;

        (void)peer, (void)arg;
        while ((n = green_socket_recv(client, buf, sizeof buf, 0)) > 0) {
                int rc = green_socket_sendall(client, buf, (size_t)n, 0, NULL);

                if (rc != 0)
                        return rc;
        }
        return (int)n;
}

static void *
serve(void *listener)
{
        int rc = green_serve(listener, echo, NULL, NULL);

        green_socket_free(listener);
        return rc == GREEN_EKILLED ? NULL : green_fail(rc);
}

/* Says something, reads it back, and sleeps a little: all that a wait can be for. */
static int
converse(green_socket *s, int number)
{
        char said[32], heard[32];

        for (int i = 0; i < MESSAGES; i++) {
                size_t len = (size_t)snprintf(said, sizeof said, "client %d, message %d", number, i), got = 0;
                int rc = green_socket_sendall(s, said, len, 0, NULL);

                while (rc == 0 && got < len) {
                        ssize_t n = green_socket_recv(s, heard + got, sizeof heard - got, 0);

                        if (n <= 0)
                                return n == 0 ? -EPIPE : (int)n;
                        got += (size_t)n;
                }
                if (rc == 0 && (got != len || memcmp(said, heard, len) != 0))
                        rc = -EBADMSG;
                if (rc == 0)
                        rc = green_sleep(0.001);
                if (rc != 0)
                        return rc;
        }
        return 0;
}

static void *
client(void *arg)
{
        int number = (int)(intptr_t)arg, rc;
        green_socket *s = green_connect(demo.address, NULL);

        rc = s == NULL ? green_last_error()->code : 0;
        if (rc == 0 && number == CLIENTS - 1)
                rc = green_trampoline(demo.pipes[0], GREEN_READ, GREEN_FOREVER);
        if (rc == 0)
                rc = converse(s, number);
        green_socket_free(s);
        if (rc != 0)
                fprintf(stderr, "client: %s\n", green_strerror(rc));
        if (rc == 0)
                demo.echoed++;
        else
                demo.failed++;
        if (demo.echoed + demo.failed == CLIENTS)
                demo.finished(demo.arg);
        return NULL;
}

/* Always ready: without a limit to what one step does, or without turns for the loop, nobody else would get on. */
static void *
keep_busy(void *arg)
{
        while (busy() && green_sleep(0) == 0)
                demo.yields++;
        return arg;
}

/* In hub context: in a callback of the loop's, or of a post. Nothing may wait here, but it may spawn. */
static void
start_client(void *number)
{
        if (green_spawn_n(client, number) != 0)
                demo.failed++;
}

/* In another OS thread, when the others are done and the loop sleeps: a post, and later a byte in a pipe. */
static void *
be_elsewhere(void *number)
{
        struct timespec pause = {.tv_nsec = 50000000};

        nanosleep(&pause, NULL);
        (void)green_hub_post(demo.hub, start_client, number);
        nanosleep(&pause, NULL);
        (void)!write(demo.pipes[1], "x", 1);
        return NULL;
}

/* After the last tick nothing but green threads and the other OS thread gives the loop anything to do. */
bool
embed_demo_tick(void)
{
        void *number = (void *)(intptr_t)demo.started;

        if (++demo.ticks % 2 == 0) {
                if (++demo.started == CLIENTS)
                        demo.other_runs = pthread_create(&demo.other, NULL, be_elsewhere, number) == 0;
                if (!demo.other_runs)
                        start_client(number);
        }
        return demo.ticks < TICKS;
}

bool
embed_demo_idle(void)
{
        demo.idles++;
        return busy();
}

int
embed_demo_begin(void (*finished)(void *arg), void *arg)
{
        green_socket *listener = green_listen("127.0.0.1:0", NULL);
        struct green_addr here;

        demo.finished = finished;
        demo.arg = arg;
        demo.hub = green_get_hub();
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return green_last_error()->code;
        if (pipe(demo.pipes) != 0)
                return green_set_error(-errno, NULL);
        green_addr_format(&here, demo.address, sizeof demo.address);
        demo.server = green_spawn(serve, listener);
        return demo.server == NULL ? -ENOMEM : green_spawn_n(keep_busy, NULL);
}

int
embed_demo_end(int step_code)
{
        int rc;

        if (step_code != 0)
                fprintf(stderr, "green_hub_step: %s\n", green_strerror(step_code));
        if (demo.other_runs)
                pthread_join(demo.other, NULL);
        close(demo.pipes[0]);
        close(demo.pipes[1]);
        green_thread_unref(demo.server);
        rc = green_hub_destroy(1); /* kills the server, which gives its socket back */
        if (rc != 0)
                fprintf(stderr, "green_hub_destroy: %s\n", green_strerror(rc));
        printf("%d clients had %d answers each, and the loop %d ticks\n", demo.echoed, MESSAGES, demo.ticks);
        return step_code != 0 || rc != 0 || demo.echoed != CLIENTS || demo.yields == 0 || busy();
}
