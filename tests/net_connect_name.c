/*
 * green_connect() to names: looked up without holding others up, and their addresses race.
 */
#include "dns_suite.h"

/* A listener at an address of loopback and a port, or one of the system's choice; its port. */
static green_socket *
listen_at(const char *host, int port, int *ret_port)
{
        char text[64];
        green_socket *s;
        struct green_addr addr;

        snprintf(text, sizeof text, "%s:%d", host, port);
        s = green_listen(text, NULL);
        CHECK(s != NULL && green_socket_getsockname(s, &addr) == 0);
        *ret_port = green_addr_port(&addr);
        return s;
}

static const char *
name_and_port(const char *name, int port)
{
        static char text[300];

        snprintf(text, sizeof text, "%s:%d", name, port);
        return text;
}

static bool
is_connected_to(green_socket *s, const char *host)
{
        struct green_addr peer;
        char text[GREEN_ADDR_TEXT_SIZE];

        if (!CHECK(s != NULL) || !CHECK_INT(green_socket_getpeername(s, &peer), 0))
                return false;
        green_addr_format(&peer, text, sizeof text);
        return strncmp(text, host, strlen(host)) == 0;
}

static void
every_address_of_a_name_is_tried(void)
{
        char hosts[128];
        struct green_dns_opts o = no_files();
        green_socket *listener, *s;
        int port;

        GREEN_COVERS("SOCK-20", "SOCK-23", "CONV-02");
        if (!can_ask())
                return;
        o.hosts = temporary(hosts, "127.0.0.3 many.test\n127.0.0.2 many.test\n");
        CHECK_INT(green_dns_configure(&o), 0);
        listener = listen_at("127.0.0.2", 0, &port);
        s = green_connect(name_and_port("many.test", port), NULL);
        CHECK(is_connected_to(s, "127.0.0.2:"));
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
        /* And none is left. */
        CHECK(green_connect(name_and_port("many.test", port), NULL) == NULL);
        CHECK_INT(errno, ECONNREFUSED);
        CHECK(strstr(green_last_error()->message, "127.0.0.2:") != NULL);
        CHECK(strstr(green_last_error()->message, "127.0.0.3:") != NULL);
        CHECK(strstr(green_last_error()->message, "many.test") != NULL);
        unlink(hosts);
        CHECK_INT(green_dns_configure(NULL), 0);
}

static void
a_name_that_is_not_there_is_an_error_of_its_own(void)
{
        static const struct dns_rule rules[] = {{.name = "none.test", .rcode = 3}, {0}};
        struct dns_server *server;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK(green_connect("none.test:80", NULL) == NULL);
        CHECK_INT(green_last_error()->code, GREEN_EAI_NONAME);
        CHECK(strstr(green_last_error()->message, "none.test:80") != NULL);
        end_server(server);
}

static void
others_run_while_a_name_is_looked_up(void)
{
        static const struct dns_rule rules[] = {{.name = "slow.test", .records = "127.0.0.1", .delay_ms = 50}, {0}};
        struct dns_server *server;
        green_socket *listener, *s;
        green_thread *gt;
        int turns = 0, port;

        GREEN_COVERS("SOCK-23");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        listener = listen_at("127.0.0.1", 0, &port);
        gt = green_spawn(count_turns, &turns);
        s = green_connect(name_and_port("slow.test", port), NULL);
        CHECK(is_connected_to(s, "127.0.0.1:"));
        CHECK(turns > 10);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_free(listener), 0);
        end_server(server);
}

static void
the_time_limit_includes_the_lookup(void)
{
        static const struct dns_rule rules[] = {{.name = "silent.test", .records = "127.0.0.1", .drop = 1000}, {0}};
        struct green_connect_opts opts = {.size = sizeof opts, .timeout = 0.05};
        struct green_dns_opts o = no_files();
        struct dns_server *server;
        struct green_timeout t;

        GREEN_COVERS("SOCK-21");
        if (!can_ask())
                return;
        o.timeout = 0.2;
        o.attempts = 1;
        server = serve_with(rules, &o);
        CHECK(green_connect("silent.test:80", &opts) == NULL);
        CHECK_INT(green_last_error()->code, -ETIMEDOUT);
        /* A timeout around it is not taken for its own limit. */
        opts.timeout = 5;
        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        CHECK(green_connect("silent.test:80", &opts) == NULL);
        CHECK_INT(green_last_error()->code, GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        end_server(server);
}

static int
only_away(const struct green_addr *addr, void *arg)
{
        (void)addr;
        ++*(int *)arg;
        return -EACCES;
}

static void
a_filter_sees_what_a_name_leads_to(void)
{
        char hosts[128];
        struct green_dns_opts o = no_files();
        int asked = 0;
        struct green_connect_opts opts = {.size = sizeof opts, .filter = only_away, .filter_arg = &asked};

        if (!can_ask())
                return;
        o.hosts = temporary(hosts, "127.0.0.1 inside.test\n");
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK(green_connect("inside.test:80", &opts) == NULL);
        CHECK_INT(errno, EACCES);
        CHECK_INT(asked, 1);
        /* Numeric addresses are filtered too. */
        CHECK(green_connect("127.0.0.1:80", &opts) == NULL);
        CHECK_INT(asked, 2);
        unlink(hosts);
        CHECK_INT(green_dns_configure(NULL), 0);
}

static void
what_is_no_name_and_no_address_is_refused_without_a_lookup(void)
{
        static const char *const bad[] = {"",         ":",     "name",   "name:",     "name:http", "name:70000",
                                          "1.2.3:80", "10:80", "::1:80", "[name]:80", "a..b:80"};
        struct green_dns_opts o = no_files();

        CHECK_INT(green_dns_configure(&o), 0);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                CHECK(green_connect(bad[i], NULL) == NULL);
                if (errno != EINVAL)
                        FAIL("\"%s\": %s", bad[i], green_last_error()->message);
        }
        CHECK(green_connect(NULL, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_dns_configure(NULL), 0);
}

GREEN_SUITE(net_connect_name){GREEN_TEST(every_address_of_a_name_is_tried),
                              GREEN_TEST(a_name_that_is_not_there_is_an_error_of_its_own),
                              GREEN_TEST(others_run_while_a_name_is_looked_up),
                              GREEN_TEST(the_time_limit_includes_the_lookup),
                              GREEN_TEST(a_filter_sees_what_a_name_leads_to),
                              GREEN_TEST(what_is_no_name_and_no_address_is_refused_without_a_lookup),
                              GREEN_SUITE_END};
