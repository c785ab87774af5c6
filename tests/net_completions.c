/* Sockets on a hub that runs operations to completion: late, out of order and after cancel. */
#include "core_suite.h"

#include "net_suite.h"

static struct hub_late_stats *stats;

/* Such a hub, with its settings; false where there is none. */
static bool
late_hub(const char *settings)
{
        stats = core_late_hub("hub_late", settings);
        return stats != NULL;
}

static void
usual_hub(void)
{
        (void)core_fresh_hub(NULL);
}

static void *
echo(void *arg)
{
        green_socket *s = arg;
        char buf[64];
        ssize_t n;

        while ((n = green_socket_recv(s, buf, sizeof buf, 0)) > 0)
                if (green_socket_sendall(s, buf, (size_t)n, 0, NULL) != 0)
                        break;
        return NULL;
}

static void
ask(green_socket *s, int times)
{
        char byte;

        for (int i = 0; i < times; i++) {
                char out = (char)('a' + i % 26);

                CHECK_INT(green_socket_send(s, &out, 1, 0), 1);
                CHECK_INT(green_socket_recv(s, &byte, 1, 0), 1);
                CHECK_INT(byte, out);
        }
}

static void
plain_traffic_is_operations_and_no_readiness(void)
{
        static char block[4 * 1024 * 1024];
        struct call writer = {.out = block, .len = sizeof block}, accepter = {0};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *client;
        green_thread *gt;
        size_t left = sizeof block;
        struct pair p;

        if (!late_hub(""))
                return;
        accepter.s = listen_here(address);
        start(&accepter, call_accept);
        client = green_connect(address, NULL);
        CHECK_INT(finish(&accepter), 0);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(accepter.s), 0);
        CHECK_INT(stats->kinds[GREEN_OP_CONNECT], 1);
        CHECK_INT(stats->kinds[GREEN_OP_ACCEPT], 1);
        p = tcp_pair();
        gt = green_spawn(echo, p.b);
        ask(p.a, 20);
        CHECK(stats->kinds[GREEN_OP_RECV] > 0);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(core_join(gt), 0);
        writer.s = p.b;
        start(&writer, call_sendall);
        while (left > 0) {
                char buf[30000];
                ssize_t n = green_socket_recv(p.a, buf, sizeof buf, 0);

                if (!CHECK(n > 0))
                        break;
                left -= (size_t)n;
        }
        CHECK_INT(finish(&writer), 0);
        CHECK(stats->kinds[GREEN_OP_SEND] > 0);
        CHECK_INT(stats->kinds[GREEN_OP_POLL], 0);
        CHECK_INT(stats->adds, 0);
        free_pair(p);
        usual_hub();
}

static void
datagrams_are_operations_too(void)
{
        struct green_addr addr, from = {0};
        struct call first = {0};
        green_socket *a, *b;
        char buf[8];

        if (!late_hub(""))
                return;
        a = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        b = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        CHECK_INT(green_addr_parse("127.0.0.1:0", &addr), 0);
        CHECK_INT(green_socket_bind(a, &addr), 0);
        CHECK_INT(green_socket_bind(b, &addr), 0);
        CHECK_INT(green_socket_getsockname(a, &addr), 0);
        first.s = a;
        start(&first, call_recv);
        CHECK_INT(green_socket_sendto(b, "one", 3, 0, &addr), 3);
        CHECK_INT(finish(&first), 3);
        CHECK_INT(green_socket_set_timeout(a, 0.005), 0);
        CHECK_INT(green_socket_recvfrom(a, buf, sizeof buf, 0, &from), -ETIMEDOUT);
        CHECK_INT(from.size, 0);
        CHECK_INT(green_socket_set_timeout(a, CORE_SOON), 0);
        CHECK_INT(green_socket_sendto(b, "", 0, 0, &addr), 0);
        CHECK_INT(green_socket_recvfrom(a, buf, sizeof buf, 0, &from), 0);
        CHECK_INT(green_socket_getsockname(b, &addr), 0);
        CHECK_INT(from.size, addr.size);
        CHECK_INT(memcmp(&from.data, &addr.data, addr.size), 0);
        CHECK_INT(stats->kinds[GREEN_OP_RECV], 2);
        CHECK_INT(stats->adds, 0);
        CHECK_INT(green_socket_free(a), 0);
        CHECK_INT(green_socket_free(b), 0);
        usual_hub();
}

static void
what_must_not_wait_is_no_operation(void)
{
        unsigned long submits;
        struct pair p;
        char byte;

        if (!late_hub(""))
                return;
        p = tcp_pair();
        submits = stats->submits;
        CHECK_INT(green_socket_recv(p.a, &byte, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_set_timeout(p.a, 0), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -EAGAIN);
        (void)fill(p.a);
        CHECK_INT(green_socket_send(p.a, &byte, 1, 0), -EAGAIN);
        CHECK_INT(stats->submits, submits);
        free_pair(p);
        usual_hub();
}

static void
what_came_before_a_kill_or_a_close_is_not_lost(void)
{
        for (int kill = 0; kill < 2; kill++) {
                struct call reader = {0};
                struct pair p;

                if (!late_hub("cancel=success,late=5"))
                        return;
                p = tcp_pair();
                reader.s = p.a;
                start(&reader, call_recv);
                CHECK_INT(green_socket_send(p.b, "ab", 2, 0), 2);
                if (kill) {
                        CHECK_INT(green_kill(reader.thread, 0), 0);
                        CHECK_INT(finish_killed(&reader), 2);
                        CHECK_INT(green_socket_free(p.a), 0);
                } else {
                        CHECK_INT(green_socket_close(p.a), 0);
                        CHECK_INT(green_socket_free(p.a), 0);
                        CHECK(!reader.over);
                        CHECK_INT(finish(&reader), 2);
                }
                CHECK_INT(memcmp(reader.buf, "ab", 2), 0);
                CHECK_INT(green_socket_free(p.b), 0);
                usual_hub();
        }
}

static void
limits_hold_and_a_socket_goes_on_after_them(void)
{
        struct call reader = {0};
        char byte;
        struct pair p;

        if (!late_hub("cancel=canceled,late=3"))
                return;
        p = tcp_pair();
        CHECK_INT(green_socket_set_timeout(p.a, 0.005), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.a, GREEN_FOREVER), 0);
        reader.s = p.a;
        start(&reader, call_recv);
        CHECK_INT(green_kill(reader.thread, 0), 0);
        CHECK_INT(finish_killed(&reader), GREEN_EKILLED);
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        free_pair(p);
        usual_hub();
}

static void
a_send_that_close_cut_short_tells_what_it_sent(void)
{
        static char block[8 * 1024 * 1024];
        struct call writer = {.out = block, .len = sizeof block};
        int size = 65536;
        size_t got = 0;
        struct pair p;

        if (!late_hub("cancel=success,late=3"))
                return;
        p = tcp_pair();
        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        CHECK_INT(green_socket_setsockopt(p.b, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
        writer.s = p.a;
        start(&writer, call_sendall);
        CHECK(!writer.over);
        got += drain(p.b);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(finish(&writer), -ECANCELED);
        for (;;) {
                ssize_t n = green_socket_recv(p.b, block, sizeof block, 0);

                if (n <= 0)
                        break;
                got += (size_t)n;
        }
        CHECK(writer.done > 0);
        CHECK_INT(got, writer.done);
        CHECK_INT(green_socket_free(p.b), 0);
        usual_hub();
}

static void
a_connection_that_came_before_the_close_is_accepted(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener, *client;
        struct call accepter = {0};
        struct green_addr addr;

        if (!late_hub("cancel=success,late=5"))
                return;
        listener = listen_here(address);
        accepter.s = listener;
        start(&accepter, call_accept);
        CHECK_INT(green_addr_parse(address, &addr), 0);
        client = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(green_socket_set_timeout(client, 0), 0);
        CHECK_INT(green_socket_connect(client, &addr), -EINPROGRESS);
        CHECK_INT(green_socket_close(listener), 0);
        CHECK_INT(green_socket_free(listener), 0);
        CHECK_INT(finish(&accepter), 0);
        CHECK_INT(green_socket_free(client), 0);
        usual_hub();
}

enum { ACCEPTERS = 6 };

static void
those_who_share_a_socket_are_served_in_order(void)
{
        struct call readers[ACCEPTERS] = {{0}};
        struct pair p;

        GREEN_COVERS("FD-03");
        if (!late_hub("order=newest,late=3"))
                return;
        p = unix_pair(SOCK_DGRAM);
        CHECK_INT(green_socket_set_shared(p.a, true), 0);
        for (int i = 0; i < ACCEPTERS; i++) {
                readers[i].s = p.a;
                start(&readers[i], call_recv);
        }
        /* One of those that wait for their turn goes away. */
        CHECK_INT(green_kill(readers[2].thread, 0), 0);
        CHECK_INT(finish_killed(&readers[2]), GREEN_EKILLED);
        for (int i = 0; i < ACCEPTERS - 2; i++)
                CHECK_INT(green_socket_send(p.b, &"01345"[i], 1, 0), 1);
        for (int i = 0; i < ACCEPTERS - 1; i++) {
                if (i == 2)
                        continue;
                CHECK_INT(finish(&readers[i]), 1);
                CHECK_INT(readers[i].buf[0], '0' + i);
        }
        CHECK(!readers[ACCEPTERS - 1].over);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(finish(&readers[ACCEPTERS - 1]), -ECANCELED);
        free_pair(p);
        usual_hub();
}

static void
what_the_hub_refuses_waits_for_readiness(void)
{
        static const char *const settings[] = {"kinds=P", "refuse=2", "kinds=RSA,refuse=3,spurious=2"};

        for (int i = 0; i < 3; i++) {
                struct call writer = {0};
                green_thread *gt;
                struct pair p;

                if (!late_hub(settings[i]))
                        return;
                p = tcp_pair();
                gt = green_spawn(echo, p.b);
                ask(p.a, 20);
                CHECK(stats->adds > 0 || i == 1);
                CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
                CHECK_INT(core_join(gt), 0);
                writer = (struct call){.s = p.b, .out = "x", .len = 1};
                (void)fill(p.b);
                start(&writer, call_sendall);
                CHECK(!writer.over);
                while (!writer.over) {
                        (void)drain(p.a);
                        CHECK_INT(green_sleep(0.001), 0);
                }
                CHECK_INT(finish(&writer), 0);
                free_pair(p);
                usual_hub();
        }
}

static void
a_second_reader_is_an_error_under_operations_too(void)
{
        struct call first = {0}, second = {0};
        struct green_hub_info info = {.size = sizeof info};
        struct pair p;

        GREEN_COVERS("FD-02");
        if (!late_hub(""))
                return;
        p = tcp_pair();
        first.s = second.s = p.a;
        start(&first, call_recv);
        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK_INT(info.readers, 1);
        CHECK_INT(info.writers, 0);
        start(&second, call_recv);
        CHECK_INT(finish(&second), -EBUSY);
        CHECK_INT(green_io_wait(green_socket_io(p.a), GREEN_READ, 1), -EBUSY);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(finish(&first), -ECANCELED);
        free_pair(p);
        usual_hub();
}

GREEN_SUITE(net_completions){GREEN_TEST(plain_traffic_is_operations_and_no_readiness),
                             GREEN_TEST(datagrams_are_operations_too),
                             GREEN_TEST(what_must_not_wait_is_no_operation),
                             GREEN_TEST(what_came_before_a_kill_or_a_close_is_not_lost),
                             GREEN_TEST(limits_hold_and_a_socket_goes_on_after_them),
                             GREEN_TEST(a_send_that_close_cut_short_tells_what_it_sent),
                             GREEN_TEST(a_connection_that_came_before_the_close_is_accepted),
                             GREEN_TEST(those_who_share_a_socket_are_served_in_order),
                             GREEN_TEST(what_the_hub_refuses_waits_for_readiness),
                             GREEN_TEST(a_second_reader_is_an_error_under_operations_too),
                             GREEN_SUITE_END};
