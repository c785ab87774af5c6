/*
 * Connect, listen and accept: the calls of a socket, and the short way.
 */
#include "net_suite.h"

#include "net_fault.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

/* An address where nobody listens: that of a listener which has gone. */
static void
deserted(char *address)
{
        green_socket *listener = listen_here(address);

        CHECK_INT(green_socket_free(listener), 0);
}

static int
option(green_socket *s, int level, int name)
{
        int value = -1;
        socklen_t size = sizeof value;

        CHECK_INT(green_socket_getsockopt(s, level, name, &value, &size), 0);
        return value;
}

/* ---- connecting */

static void
connect_makes_a_socket_that_is_connected(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address), *client, *server;
        struct green_addr peer, own;
        char byte;

        GREEN_COVERS("CONV-01", "SOCK-13");
        client = green_connect(address, NULL);
        CHECK_OR_RETURN(client != NULL);
        server = green_socket_accept(listener, &peer);
        CHECK_OR_RETURN(server != NULL);
        CHECK_INT(green_socket_getsockname(client, &own), 0);
        CHECK(green_addr_equal(&peer, &own));
        CHECK_INT(green_socket_send(client, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(server, &byte, 1, 0), 1);
        /* Answers do not wait for more to send, on either side. */
        CHECK_INT(option(client, IPPROTO_TCP, TCP_NODELAY), 1);
        CHECK_INT(option(server, IPPROTO_TCP, TCP_NODELAY), 1);
        CHECK(green_socket_get_timeout(client) == GREEN_FOREVER);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(server), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
connect_may_be_told_where_from(void)
{
        char address[GREEN_ADDR_TEXT_SIZE], text[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address), *client;
        struct green_connect_opts opts = {.size = sizeof opts, .bind = "127.0.0.5:0", .nagle = true};
        struct green_addr own;

        GREEN_COVERS("CONV-01");
        client = green_connect(address, &opts);
        CHECK_OR_RETURN(client != NULL);
        CHECK_INT(green_socket_getsockname(client, &own), 0);
        green_addr_format(&own, text, sizeof text);
        CHECK(strncmp(text, "127.0.0.5:", 10) == 0);
        CHECK_INT(option(client, IPPROTO_TCP, TCP_NODELAY), 0);
        CHECK_INT(green_socket_free(client), 0);

        opts.bind = "192.0.2.1:0";
        CHECK(green_connect(address, &opts) == NULL);
        CHECK_INT(green_last_error()->code, -EADDRNOTAVAIL);
        CHECK(strstr(green_last_error()->message, "bind 192.0.2.1:0") != NULL);
        opts.bind = "[::1]:0";
        CHECK(green_connect(address, &opts) == NULL);
        CHECK_INT(errno, EAFNOSUPPORT);
        opts.bind = "nonsense";
        CHECK(green_connect(address, &opts) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
a_refused_connection_says_refused(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;
        green_socket *s;

        GREEN_COVERS("CONV-03", "SOCK-15", "SOCK-17");
        deserted(address);
        errno = 0;
        CHECK(green_connect(address, NULL) == NULL);
        CHECK_INT(errno, ECONNREFUSED);
        CHECK_INT(green_last_error()->code, -ECONNREFUSED);
        CHECK(strstr(green_last_error()->message, "refused") != NULL);
        CHECK(strstr(green_last_error()->message, address) != NULL);
        CHECK_STR(green_errname(-ECONNREFUSED), "ECONNREFUSED");

        s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(green_addr_parse(address, &addr), 0);
        CHECK_INT(green_socket_connect(s, &addr), -ECONNREFUSED);
        CHECK_INT(green_socket_connect(s, NULL), -EINVAL);
        CHECK_INT(green_socket_free(s), 0);
}

static void
the_family_follows_from_the_address(void)
{
        struct green_connect_opts copts = {.size = sizeof copts, .family = AF_INET6};
        struct green_listen_opts lopts = {.size = sizeof lopts, .family = AF_INET};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener, *client;
        struct green_addr addr;

        GREEN_COVERS("CONV-02");
        CHECK(green_connect("127.1:80", NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_listen("localhost:80", NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_connect("127.0.0.1:80", &copts) == NULL);
        CHECK_INT(errno, EAFNOSUPPORT);
        CHECK(green_listen("[::1]:0", &lopts) == NULL);
        CHECK_INT(errno, EAFNOSUPPORT);

        listener = green_listen("[::1]:0", NULL);
        if (listener == NULL) {
                suite_skip("there is no IPv6 here");
                return;
        }
        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        green_addr_format(&addr, address, sizeof address);
        client = green_connect(address, &copts);
        CHECK(client != NULL);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
options_of_an_unknown_size_are_refused(void)
{
        struct {
                struct green_connect_opts known;
                int more;
        } newer = {.known.size = sizeof newer};
        struct green_connect_opts copts = {.size = 0}, negative = {.size = sizeof negative, .timeout = -1};
        struct green_listen_opts lopts = {.size = 1}, backlog = {.size = sizeof backlog, .backlog = -1};

        CHECK(green_connect("127.0.0.1:1", &copts) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_connect("127.0.0.1:1", &newer.known) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_connect("127.0.0.1:1", &negative) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_listen("127.0.0.1:0", &lopts) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_listen("127.0.0.1:0", &backlog) == NULL);
        CHECK_INT(errno, EINVAL);
        /* An older one, from before the last members. */
        lopts = (struct green_listen_opts){.size = offsetof(struct green_listen_opts, family), .family = 12345};
        green_socket_free(green_listen("127.0.0.1:0", &lopts));
}

static void
the_limit_is_for_the_whole_of_connect(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *other, *listener = full_listener("127.0.0.1:0", address, &other, 1), *s;
        struct green_connect_opts opts = {.size = sizeof opts, .timeout = 0.05};
        struct green_timeout t;
        struct green_addr addr;

        GREEN_COVERS("SOCK-15", "SOCK-16", "SOCK-18");
        CHECK(green_connect(address, &opts) == NULL);
        CHECK_INT(errno, ETIMEDOUT);
        CHECK_INT(green_last_error()->code, -ETIMEDOUT);
        CHECK_INT(green_timeout_start(&t, 0.05), 0);
        CHECK(green_connect(address, NULL) == NULL);
        CHECK_INT(green_last_error()->code, GREEN_ETIMEOUT);
        CHECK_INT(errno, -GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);

        CHECK_INT(green_addr_parse(address, &addr), 0);
        s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(green_socket_set_timeout(s, 0), 0);
        CHECK_INT(green_socket_connect(s, &addr), -EINPROGRESS);
        CHECK_INT(green_socket_connect(s, &addr), -EINPROGRESS);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(other), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
a_connect_that_does_not_wait_ends_by_itself(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address), *s = green_socket_new(AF_INET, SOCK_STREAM, 0);
        struct green_addr addr;

        GREEN_COVERS("SOCK-04", "SOCK-18");
        CHECK_INT(green_addr_parse(address, &addr), 0);
        CHECK_INT(green_socket_set_timeout(s, 0), 0);
        CHECK_INT(green_socket_connect(s, &addr), -EINPROGRESS);
        CHECK_INT(green_io_wait(green_socket_io(s), GREEN_WRITE, 5), 0);
        CHECK_INT(green_socket_error(s), 0);
        CHECK_INT(green_socket_connect(s, &addr), 0);
        CHECK_INT(green_socket_connect(s, &addr), 0);
        CHECK_INT(green_socket_send(s, "x", 1, 0), 1);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

struct attempt {
        green_socket *s;
        struct green_addr addr;
        int rc;
};

static void *
connect_to(void *arg)
{
        struct attempt *a = arg;

        a->rc = green_socket_connect(a->s, &a->addr);
        return NULL;
}

static void
close_and_kill_end_a_connect(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *other, *listener = full_listener("127.0.0.1:0", address, &other, 1);
        struct attempt a;
        green_thread *gt;

        GREEN_COVERS("SOCK-19");
        for (int kill = 0; kill < 2; kill++) {
                a = (struct attempt){.s = green_socket_new(AF_INET, SOCK_STREAM, 0)};
                CHECK_INT(green_addr_parse(address, &a.addr), 0);
                gt = green_spawn(connect_to, &a);
                green_sleep(0.01);
                CHECK_INT(green_socket_free(a.s), -EBUSY);
                if (kill)
                        CHECK_INT(green_kill(gt, 0), 0);
                else
                        CHECK_INT(green_socket_close(a.s), 0);
                /* The kill of one whose operation is in the kernel has only asked for its end. */
                if (!kill || !hub_completes())
                        CHECK_INT(green_socket_free(a.s), 0);
                CHECK_INT(green_thread_wait(gt, NULL), kill ? GREEN_EKILLED : 0);
                if (kill && hub_completes())
                        CHECK_INT(green_socket_free(a.s), 0);
                CHECK_INT(a.rc, kill ? GREEN_EKILLED : -ECANCELED);
                green_thread_unref(gt);
        }
        CHECK_INT(green_socket_free(other), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
a_full_unix_listener_is_tried_again(void)
{
        char at[64], address[GREEN_ADDR_TEXT_SIZE];
        green_socket *others[1], *listener;
        struct attempt a;
        green_thread *gt;

        snprintf(at, sizeof at, "unix:@green-test-%ld", (long)getpid());
        listener = full_listener(at, address, others, 1);
        CHECK_STR(address, at);
        a = (struct attempt){.s = green_socket_new(AF_UNIX, SOCK_STREAM, 0), .rc = 1};
        CHECK_INT(green_addr_parse(at, &a.addr), 0);
        CHECK_INT(green_socket_set_timeout(a.s, 0), 0);
        CHECK_INT(green_socket_connect(a.s, &a.addr), -EAGAIN);
        CHECK_INT(green_socket_set_timeout(a.s, 0.02), 0);
        CHECK_INT(green_socket_connect(a.s, &a.addr), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(a.s, GREEN_FOREVER), 0);
        gt = green_spawn(connect_to, &a);
        green_sleep(0.02);
        CHECK_INT(a.rc, 1);
        CHECK_INT(green_socket_free(green_socket_accept(listener, NULL)), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK_INT(a.rc, 0);
        green_thread_unref(gt);
        CHECK_INT(green_socket_free(a.s), 0);

        /* The pause is no obstacle to closing. */
        a.s = green_socket_new(AF_UNIX, SOCK_STREAM, 0);
        gt = green_spawn(connect_to, &a);
        green_sleep(0.02);
        CHECK_INT(green_socket_free(a.s), -EBUSY);
        CHECK_INT(green_socket_close(a.s), 0);
        CHECK_INT(green_socket_free(a.s), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK_INT(a.rc, -ECANCELED);
        green_thread_unref(gt);
        CHECK_INT(green_socket_free(others[0]), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- listening */

static void
listen_reuses_the_address_and_takes_fifty(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_listen_opts opts = {.size = sizeof opts, .no_reuse_addr = true, .nagle = true};
        green_socket *listener = listen_here(address), *again;
#ifdef __linux__
        struct tcp_info info;
        socklen_t size = sizeof info;
#endif

        GREEN_COVERS("CONV-04");
        CHECK_INT(option(listener, SOL_SOCKET, SO_REUSEADDR), 1);
        CHECK_INT(option(listener, SOL_SOCKET, SO_REUSEPORT), 0);
        CHECK_INT(option(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
#ifdef __linux__
        /* Of a listener, this is its backlog. (qemu-user tells the first bytes alone.) */
        CHECK_INT(green_socket_getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        if (size > offsetof(struct tcp_info, tcpi_sacked))
                CHECK_INT(info.tcpi_sacked, 50);
#endif
        /* No second one on the same port. */
        CHECK(green_listen(address, NULL) == NULL);
        CHECK_INT(errno, EADDRINUSE);
        CHECK(strstr(green_last_error()->message, address) != NULL);
        CHECK_INT(green_socket_free(listener), 0);
        again = green_listen(address, &opts);
        CHECK_OR_RETURN(again != NULL);
        CHECK_INT(option(again, SOL_SOCKET, SO_REUSEADDR), 0);
        CHECK_INT(option(again, IPPROTO_TCP, TCP_NODELAY), 0);
        CHECK_INT(green_socket_free(again), 0);
}

static void
a_port_is_shared_only_when_asked(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_listen_opts opts = {.size = sizeof opts, .reuse_port = true};
        green_socket *one, *two;
        struct green_addr addr;

        GREEN_COVERS("CONV-05");
        one = green_listen("127.0.0.1:0", &opts);
        CHECK_OR_RETURN(one != NULL);
        CHECK_INT(times_logged("ReuseRandomPortWarning"), 1);
        CHECK_INT(option(one, SOL_SOCKET, SO_REUSEPORT), 1);
        CHECK_INT(green_socket_getsockname(one, &addr), 0);
        green_addr_format(&addr, address, sizeof address);
        CHECK(green_listen(address, NULL) == NULL);
        CHECK_INT(errno, EADDRINUSE);
        two = green_listen(address, &opts);
        CHECK(two != NULL);
        CHECK_INT(times_logged("ReuseRandomPortWarning"), 1);
        CHECK_INT(green_socket_free(one), 0);
        CHECK_INT(green_socket_free(two), 0);
}

static void
a_system_that_cannot_share_ports_is_a_warning(void)
{
        static const int unavailable[] = {EINVAL, ENOPROTOOPT, EOPNOTSUPP};
        struct green_listen_opts opts = {.size = sizeof opts, .reuse_port = true};
        green_socket *s;

        GREEN_COVERS("CONV-06");
        for (size_t i = 0; i < 4; i++) {
                log_text[0] = '\0';
                setsockopt_fault = (struct fault){.times = 1, .error = i < 3 ? unavailable[i] : EPERM};
                s = green_listen("127.0.0.1:0", &opts);
                CHECK(s != NULL);
                CHECK_INT(setsockopt_fault.calls, 1);
                CHECK_INT(times_logged("ReusePortUnavailableWarning"), i < 3 ? 1 : 0);
                CHECK_INT(green_socket_free(s), 0);
        }
}

static void
a_unix_path_that_exists_is_left_alone(void)
{
        char path[64], address[80];
        struct stat st;
        green_socket *listener, *client, *server;

        GREEN_COVERS("CONV-07");
        snprintf(path, sizeof path, "green-test-%ld.sock", (long)getpid());
        snprintf(address, sizeof address, "unix:%s", path);
        listener = green_listen(address, NULL);
        CHECK_OR_RETURN(listener != NULL);
        client = green_connect(address, NULL);
        CHECK(client != NULL);
        server = green_socket_accept(listener, NULL);
        CHECK(server != NULL);
        CHECK_INT(green_socket_sendall(client, "hi", 2, 0, NULL), 0);
        CHECK_INT(drain(server), 2);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(server), 0);
        CHECK_INT(green_socket_free(listener), 0);
        CHECK_INT(stat(path, &st), 0);
        CHECK(green_listen(address, NULL) == NULL);
        CHECK_INT(errno, EADDRINUSE);
        CHECK_INT(stat(path, &st), 0);
        CHECK(green_connect(address, NULL) == NULL);
        CHECK_INT(errno, ECONNREFUSED);
        CHECK_INT(unlink(path), 0);
        CHECK(green_connect(address, NULL) == NULL);
        CHECK_INT(errno, ENOENT);
}

/* ---- accepting */

static void
connections_that_failed_before_accept_are_passed_over(void)
{
        static const int errors[] = {ECONNABORTED, EPROTO, EINTR, ENETDOWN, EHOSTUNREACH};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address), *client = green_connect(address, NULL), *server;

        GREEN_COVERS("CONV-14");
        for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
                accept_fault = (struct fault){.times = 2, .error = errors[i]};
                server = green_socket_accept(listener, NULL);
                CHECK(server != NULL);
                CHECK(accept_fault.calls == 3 || !accepts_by_call());
                CHECK_INT(green_socket_free(server), 0);
                CHECK_INT(green_socket_free(client), 0);
                client = green_connect(address, NULL);
        }
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
a_connection_accepted_without_memory_is_kept(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address), *client = green_connect(address, NULL), *server = NULL;
        struct green_addr peer, own;
        int n;

        /* The last error is made first: its memory is not what this is about. */
        green_set_error(-EIO, NULL);
        for (n = 0; n < 10; n++) {
                memory_left = n;
                server = green_socket_accept(listener, &peer);
                memory_left = -1;
                if (server != NULL)
                        break;
                CHECK_INT(green_last_error()->code, -ENOMEM);
        }
        CHECK_RANGE(n, 1, 9);
        CHECK_INT(green_socket_getsockname(client, &own), 0);
        CHECK(green_addr_equal(&peer, &own));
        CHECK_INT(green_socket_send(client, "x", 1, 0), 1);
        CHECK_INT(drain(server), 1);
        CHECK_INT(green_socket_free(server), 0);
        CHECK_INT(green_socket_free(client), 0);

        /* Nor does it leak when the listener goes first. */
        client = green_connect(address, NULL);
        memory_left = 0;
        CHECK(green_socket_accept(listener, NULL) == NULL);
        memory_left = -1;
        CHECK_INT(green_socket_free(listener), 0);
        CHECK_INT(green_socket_free(client), 0);
}

static void
accept_some(green_socket *listener, const char *address, int n)
{
        for (int i = 0; i < n; i++) {
                green_socket *client = green_connect(address, NULL), *served = green_socket_accept(listener, NULL);

                CHECK(client != NULL && served != NULL);
                CHECK_INT(green_socket_free(client), 0);
                CHECK_INT(green_socket_free(served), 0);
        }
}

/* Also after some were accepted, as a hub that runs operations accepts ahead then. */
static void
who_accepts_no_more_leaves_the_rest_to_others(void)
{
        for (int before = 0; before < 4; before++) {
                char address[GREEN_ADDR_TEXT_SIZE];
                struct call c = {.s = listen_here(address)};
                green_socket *other = green_socket_dup(c.s), *client, *served;

                accept_some(c.s, address, before);
                start(&c, call_accept);
                CHECK(!c.over);
                CHECK_INT(green_socket_stop_accepting(c.s), 0);
                CHECK_INT(finish(&c), -ECANCELED);
                client = green_connect(address, NULL);
                CHECK(green_socket_accept(c.s, NULL) == NULL);
                CHECK_INT(green_last_error()->code, -ECANCELED);
                served = green_socket_accept(other, NULL);
                CHECK(client != NULL && served != NULL);
                CHECK_INT(green_socket_free(client), 0);
                CHECK_INT(green_socket_free(served), 0);
                CHECK_INT(green_socket_stop_accepting(c.s), 0);
                CHECK_INT(green_socket_free(c.s), 0);
                CHECK_INT(green_socket_free(other), 0);
        }
        CHECK_INT(green_socket_stop_accepting(NULL), -EINVAL);
}

/* A hub that accepts may have been told of somebody, and nobody else was, when it is called off. */
static void
who_has_come_before_the_end_of_accepting_is_still_accepted(void)
{
        for (int before = 0; before < 4; before++) {
                char address[GREEN_ADDR_TEXT_SIZE];
                struct call c = {.s = listen_here(address)};
                bool by_hub = green_io_can_submit(green_socket_io(c.s));
                green_socket *client;

                accept_some(c.s, address, before);
                start(&c, call_accept);
                client = connect_now(address);
                CHECK_INT(green_socket_stop_accepting(c.s), 0);
                CHECK_INT(finish(&c), by_hub ? 0 : -ECANCELED);
                CHECK(green_socket_accept(c.s, NULL) == NULL);
                CHECK_INT(green_last_error()->code, -ECANCELED);
                CHECK_INT(green_socket_free(client), 0);
                CHECK_INT(green_socket_free(c.s), 0);
        }
}

static void
what_does_not_listen_cannot_accept(void)
{
        green_socket *s = green_socket_new(AF_INET, SOCK_STREAM, 0);

        CHECK(green_socket_accept(s, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(green_socket_free(s), 0);
        s = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        CHECK(green_socket_accept(s, NULL) == NULL);
        CHECK_INT(errno, EOPNOTSUPP);
        CHECK_INT(green_socket_free(s), 0);
}

GREEN_SUITE(net_connect) {
        GREEN_TEST(connect_makes_a_socket_that_is_connected),
        GREEN_TEST(connect_may_be_told_where_from),
        GREEN_TEST(a_refused_connection_says_refused),
        GREEN_TEST(the_family_follows_from_the_address),
        GREEN_TEST(options_of_an_unknown_size_are_refused),
        GREEN_TEST(the_limit_is_for_the_whole_of_connect),
        GREEN_TEST(a_connect_that_does_not_wait_ends_by_itself),
        GREEN_TEST(close_and_kill_end_a_connect),
        GREEN_TEST(a_full_unix_listener_is_tried_again),
        GREEN_TEST(listen_reuses_the_address_and_takes_fifty),
        GREEN_TEST(a_port_is_shared_only_when_asked),
        GREEN_TEST(a_system_that_cannot_share_ports_is_a_warning),
        GREEN_TEST(a_unix_path_that_exists_is_left_alone),
        GREEN_TEST(connections_that_failed_before_accept_are_passed_over),
        GREEN_TEST(a_connection_accepted_without_memory_is_kept),
        GREEN_TEST(who_accepts_no_more_leaves_the_rest_to_others),
        GREEN_TEST(who_has_come_before_the_end_of_accepting_is_still_accepted),
        GREEN_TEST(what_does_not_listen_cannot_accept),
        GREEN_SUITE_END
};
