/*
 * Sockets on the io_uring hub itself: what they do is operations, and nothing is polled.
 */
#include "net_suite.h"

#include <pthread.h>

enum { MESSAGES = 20 };

static unsigned long
count_of(const char *kind)
{
        struct green_hub_info info = {.size = sizeof info};
        unsigned long n = 0;
        const char *at;

        CHECK_INT(green_hub_get_info(&info), 0);
        at = strstr(info.description, kind);
        if (!CHECK(at != NULL) || !CHECK_INT(sscanf(at + strlen(kind), " %lu", &n), 1))
                FAIL("there is no %s in \"%s\"", kind, info.description);
        return n;
}

static void *
answer(void *arg)
{
        green_socket *listener = arg, *client;
        char byte;

        for (int i = 0; i < 3; i++) {
                client = green_socket_accept(listener, NULL);
                CHECK(client != NULL);
                while (green_socket_recv(client, &byte, 1, 0) == 1)
                        CHECK_INT(green_socket_send(client, &byte, 1, 0), 1);
                CHECK_INT(green_socket_free(client), 0);
        }
        return NULL;
}

/* A sender that has to wait. */
static void *
take_all(void *arg)
{
        static char block[65536];

        green_sleep(0.01);
        while (green_socket_recv(arg, block, sizeof block, 0) > 0)
                continue;
        return NULL;
}

static void
talk(void)
{
        static char block[1 << 20];
        char address[GREEN_ADDR_TEXT_SIZE], byte;
        green_socket *listener = listen_here(address), *s;
        green_thread *gt = green_spawn(answer, listener);
        struct pair p;

        for (int i = 0; i < 3; i++) {
                green_sleep(0.001); /* until somebody waits to accept */
                s = green_connect(address, NULL);
                for (int k = 0; k < MESSAGES; k++) {
                        CHECK_INT(green_socket_send(s, "x", 1, 0), 1);
                        CHECK_INT(green_socket_recv(s, &byte, 1, 0), 1);
                }
                CHECK_INT(green_socket_free(s), 0);
        }
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_socket_free(listener), 0);

        p = tcp_pair();
        gt = green_spawn(take_all, p.b);
        for (int i = 0; i < 8; i++)
                CHECK_INT(green_socket_sendall(p.a, block, sizeof block, 0, NULL), 0);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        free_pair(p);
}

/* In an OS thread of its own, whose hub it is. */
static void *
on_io_uring(void *arg)
{
        int *rc = arg;

        *rc = green_use_hub("io_uring");
        if (*rc != 0)
                return NULL;
        talk();
        CHECK(count_of("accept") > 0);
        CHECK(count_of("recv") > 0);
        CHECK(count_of("send") > 0);
        CHECK(count_of("connect") > 0);
        CHECK_INT(count_of("poll"), 0);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
plain_traffic_is_operations_and_nothing_is_polled(void)
{
        pthread_t thread;
        int rc = 0;

        CHECK_INT(pthread_create(&thread, NULL, on_io_uring, &rc), 0);
        pthread_join(thread, NULL);
        if (rc == GREEN_EHUB)
                suite_skip("there is no io_uring here");
        else
                CHECK_INT(rc, 0);
}

GREEN_SUITE(net_uring){GREEN_TEST(plain_traffic_is_operations_and_nothing_is_polled), GREEN_SUITE_END};
