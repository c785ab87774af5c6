/*
 * Name servers as they are: they lose questions, cut answers, fail, lie, are slow, or are not there.
 */
#include "dns_suite.h"

#include <netinet/in.h>
#include <time.h>

static double
now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Settings for servers that do not answer: short. */
static struct green_dns_opts
impatient(void)
{
        struct green_dns_opts o = no_files();

        o.timeout = 0.1 * suite_slow();
        o.attempts = 2;
        o.lifetime = 5 * suite_slow();
        return o;
}

static void
lost_questions_are_asked_again(void)
{
        static const struct dns_rule rules[] = {{.name = "lossy.test", .records = "127.0.0.1", .drop = 2},
                                                {.name = NULL}};
        struct green_dns_opts o = impatient();
        struct dns_server *server;

        GREEN_COVERS("DNS-14", "ISS-25");
        if (!can_ask())
                return;
        o.attempts = 3;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("lossy.test", 80, AF_INET), "127.0.0.1:80");
        CHECK_INT(dns_server_count(server, "lossy.test", 1), 3);
        end_server(server);
}

static void
one_that_has_waited_long_puts_off_no_other(void)
{
        static const struct dns_rule rules[] = {{.name = "silent.test", .drop = 1000},
                                                {.name = "lossy.test", .records = "127.0.0.1", .drop = 1},
                                                {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct lookup silent;
        struct dns_server *server;
        double begin;

        if (!can_ask())
                return;
        o.timeout = 0.2;
        o.attempts = 4;
        server = serve_with(rules, &o);
        start_lookup(&silent, "silent.test", AF_INET);
        /* By now it has been asked for the fourth time, and would be given up in 1.5 seconds. */
        green_sleep(1.5);
        begin = now();
        CHECK_STR(resolved("lossy.test", 80, AF_INET), "127.0.0.1:80");
        CHECK_RANGE(now() - begin, 0.1, 1.0 * suite_slow());
        end_lookup(&silent);
        CHECK_INT(silent.rc, GREEN_EAI_AGAIN);
        end_server(server);
}

static void
no_answer_in_time_is_again(void)
{
        static const struct dns_rule rules[] = {{.name = "silent.test", .drop = 1000}, {.name = NULL}};
        struct green_dns_opts o = impatient();
        struct dns_server *server;

        GREEN_COVERS("DNS-14", "DNS-21");
        if (!can_ask())
                return;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("silent.test", 80, AF_INET), "GREEN_EAI_AGAIN");
        CHECK_INT(dns_server_count(server, "silent.test", 1), 2);
        end_server(server);

        /* The lifetime ends the lookup, whatever attempts are left. */
        o.timeout = 1;
        o.attempts = 1;
        o.lifetime = 0.05;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("silent.test", 80, AF_UNSPEC), "GREEN_EAI_AGAIN");
        CHECK_INT(dns_server_count(server, "silent.test", 1), 1);
        end_server(server);
}

static void
nobody_at_the_port_is_again_at_once(void)
{
        struct green_dns_opts o = no_files();
        double begin = now();

        GREEN_COVERS("DNS-21");
        if (!can_ask())
                return;
        o.servers = "127.0.0.1:1";
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_STR(resolved("any.test", 80, AF_UNSPEC), "GREEN_EAI_AGAIN");
        o.tcp = true;
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_STR(resolved("any.test", 80, AF_UNSPEC), "GREEN_EAI_AGAIN");
        /* The first attempt alone would have taken 2 seconds. */
        CHECK_RANGE(now() - begin, 0, 1.9 * suite_slow());
        let_queries_end();
        CHECK_INT(green_dns_configure(NULL), 0);
}

static void
the_next_server_is_asked_where_one_fails(void)
{
        static const struct dns_rule rules[] = {{.name = "x.test", .records = "127.0.0.1"}, {.name = NULL}};
        static const struct dns_rule bad[] = {{.name = "x.test", .rcode = 2}, {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *good_server, *bad_server;
        char good_address[64], bad_address[64], servers[160];

        GREEN_COVERS("DNS-14");
        if (!can_ask())
                return;
        good_server = dns_server_new(AF_INET, rules, good_address);
        bad_server = dns_server_new(AF_INET, bad, bad_address);
        snprintf(servers, sizeof servers, "127.0.0.1:1, %s, %s", bad_address, good_address);
        o.servers = servers;
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_STR(resolved("x.test", 80, AF_INET), "127.0.0.1:80");
        CHECK_INT(dns_server_count(bad_server, "x.test", 1), 1);
        CHECK_INT(dns_server_count(good_server, "x.test", 1), 1);
        end_server(good_server);
        dns_server_free(bad_server);
}

static void
failures_of_servers_are_told_from_silence(void)
{
        static const struct dns_rule rules[] = {
                {.name = "servfail.test", .rcode = 2}, {.name = "refused.test", .rcode = 5},
                {.name = "notimp.test", .rcode = 4},   {.name = "once.test", .records = "127.0.0.1", .fail = 1},
                {.name = "odd.test", .rcode = 9},      {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *server;

        GREEN_COVERS("DNS-21");
        if (!can_ask())
                return;
        for (int tcp = 0; tcp < 2; tcp++) {
                o.tcp = tcp;
                server = serve_with(rules, &o);
                CHECK_STR(resolved("servfail.test", 80, AF_INET), "GREEN_EAI_FAIL");
                CHECK_STR(resolved("refused.test", 80, AF_INET), "GREEN_EAI_FAIL");
                CHECK_STR(resolved("notimp.test", 80, AF_UNSPEC), "GREEN_EAI_FAIL");
                CHECK_STR(resolved("odd.test", 80, AF_UNSPEC), "GREEN_EAI_FAIL");
                if (!tcp)
                        CHECK_STR(resolved("once.test", 80, AF_INET), "127.0.0.1:80");
                end_server(server);
        }
}

static void
a_cut_answer_is_asked_for_by_tcp(void)
{
        static const struct dns_rule rules[] = {
                {.name = "big.test", .records = "127.0.1.0", .repeat = 600, .truncate = true},
                {.name = "hangup.test", .records = "127.0.0.1", .truncate = true, .close_tcp = true},
                {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct green_addr *addrs = NULL;
        struct dns_server *server;
        size_t n = 0;

        GREEN_COVERS("DNS-16", "ISS-25");
        if (!can_ask())
                return;
        server = serve_with(rules, &o);
        CHECK_INT(green_dns_resolve("big.test", 80, AF_INET, &addrs, &n), 0);
        CHECK_INT(n, 600);
        green_free(addrs);
        CHECK_INT(dns_server_count(server, "big.test", 1), 2);
        CHECK_INT(dns_server_count_tcp(server), 1);
        CHECK_STR(resolved("hangup.test", 80, AF_INET), "GREEN_EAI_AGAIN");
        end_server(server);
}

static void
tcp_only_asks_by_tcp_only(void)
{
        static const struct dns_rule rules[] = {
                {.name = "a.test", .records = "127.0.0.1"}, {.name = "b.test", .records = "127.0.0.2"}, {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct lookup a, b;
        struct dns_server *server;

        GREEN_COVERS("DNS-16");
        if (!can_ask())
                return;
        o.tcp = true;
        server = serve_with(rules, &o);
        start_lookup(&a, "a.test", AF_UNSPEC);
        start_lookup(&b, "b.test", AF_UNSPEC);
        end_lookup(&a);
        end_lookup(&b);
        CHECK_STR(a.text, "127.0.0.1:80");
        CHECK_STR(b.text, "127.0.0.2:80");
        CHECK_INT(dns_server_count(server, NULL, 0), 4);
        CHECK_INT(dns_server_count_tcp(server), 4);
        end_server(server);
}

static void
only_the_server_that_was_asked_is_believed(void)
{
        static const struct dns_rule rules[] = {
                {.name = "port.test", .records = "127.0.0.1", .ttl = 9, .wrong_port = true, .delay_ms = 20},
                {.name = "id.test", .records = "127.0.0.2", .ttl = 9, .wrong_id = true, .delay_ms = 20},
                {.name = "name.test", .records = "127.0.0.3", .ttl = 9, .wrong_name = true, .delay_ms = 20},
                {.name = "garbage.test", .records = "127.0.0.4", .ttl = 9, .garbage = true, .delay_ms = 20},
                {.name = NULL}};
        struct dns_server *server;

        GREEN_COVERS("DNS-17", "DNS-19", "ISS-25");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("port.test", 80, AF_INET), "127.0.0.1:80");
        CHECK_STR(resolved("id.test", 80, AF_INET), "127.0.0.2:80");
        CHECK_STR(resolved("name.test", 80, AF_INET), "127.0.0.3:80");
        CHECK_STR(resolved("garbage.test", 80, AF_INET), "127.0.0.4:80");
        CHECK_INT(dns_server_count(server, NULL, 0), 4);
        end_server(server);
}

static void
lies_do_not_put_off_the_end(void)
{
        static const struct dns_rule rules[] = {{.name = "lies.test",
                                                 .wrong_port = true,
                                                 .wrong_id = true,
                                                 .wrong_name = true,
                                                 .garbage = true,
                                                 .delay_ms = 60000,
                                                 .records = "127.0.0.1"},
                                                {.name = NULL}};
        struct green_dns_opts o = impatient();
        struct dns_server *server;

        GREEN_COVERS("DNS-18");
        if (!can_ask())
                return;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("lies.test", 80, AF_INET), "GREEN_EAI_AGAIN");
        CHECK_INT(dns_server_count(server, NULL, 0), 2);
        end_server(server);
}

static void
an_answer_that_makes_no_sense_is_a_failure(void)
{
        static const struct dns_rule rules[] = {
                {.name = "broken.test", .records = "127.0.0.1", .ttl = 100, .broken = true},
                {.name = "circle.test", .ttl = 100, .circle = true},
                {.name = "other.test", .ttl = 100, .records = "@victim.test 6.6.6.6"},
                {.name = "more.test", .ttl = 100, .records = "127.0.0.1 @victim.test 6.6.6.6"},
                {.name = NULL}};
        struct dns_server *server;

        GREEN_COVERS("DNS-19");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("broken.test", 80, AF_INET), "GREEN_EAI_FAIL");
        CHECK_STR(resolved("circle.test", 80, AF_INET), "GREEN_EAI_FAIL");
        CHECK_STR(resolved("broken.test", 80, AF_INET), "GREEN_EAI_FAIL");
        /* What belongs to other names is not taken for an answer, nor for theirs. */
        CHECK_STR(resolved("other.test", 80, AF_INET), "GREEN_EAI_NODATA");
        CHECK_STR(resolved("more.test", 80, AF_INET), "127.0.0.1:80");
        CHECK_STR(resolved("victim.test", 80, AF_INET), "GREEN_EAI_NONAME");
        /* Such an answer is not kept. */
        CHECK_INT(dns_server_count(server, "broken.test", 1), 2);
        end_server(server);
}

static void
servers_that_know_no_edns_are_asked_without(void)
{
        static const struct dns_rule rules[] = {{.name = "old.test", .records = "127.0.0.1", .no_edns = true},
                                                {.name = NULL}};
        struct dns_server *server;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("old.test", 80, AF_INET), "127.0.0.1:80");
        CHECK_INT(dns_server_count(server, "old.test", 1), 2);
        end_server(server);
}

static void
one_family_that_is_not_answered_holds_nobody_up_for_long(void)
{
        static const struct dns_rule rules[] = {{.name = "half.test", .type = 28, .drop = 1000},
                                                {.name = "half.test", .type = 1, .records = "127.0.0.1"},
                                                {.name = "dark.test", .type = 28, .drop = 1000},
                                                {.name = "dark.test", .type = 1, .records = ""},
                                                {.name = "sick.test", .type = 28, .rcode = 2},
                                                {.name = "sick.test", .type = 1, .records = "127.0.0.2"},
                                                {.name = NULL}};
        struct green_dns_opts o = impatient();
        struct dns_server *server;

        GREEN_COVERS("DNS-24");
        if (!can_ask())
                return;
        o.attempts = 5; /* 3 seconds, and it is up after 100 ms */
        server = serve_with(rules, &o);
        CHECK_STR(resolved("half.test", 80, AF_UNSPEC), "127.0.0.1:80");
        CHECK_RANGE(dns_server_count(server, "half.test", 28), 1, 3);
        CHECK_STR(resolved("sick.test", 80, AF_UNSPEC), "127.0.0.2:80");
        CHECK_STR(resolved("sick.test", 80, AF_INET6), "GREEN_EAI_FAIL");
        end_server(server);

        /* Where one family has nothing and the other is not answered, nobody knows that there is nothing. */
        o.attempts = 1;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("dark.test", 80, AF_UNSPEC), "GREEN_EAI_AGAIN");
        CHECK_STR(resolved("dark.test", 80, AF_INET), "GREEN_EAI_NODATA");
        end_server(server);
}

static void
a_server_may_have_an_ipv6_address(void)
{
        static const struct dns_rule rules[] = {{.name = "a.test", .records = "127.0.0.1"}, {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *server;
        char address[64];

        GREEN_COVERS("DNS-17");
        if (!can_ask())
                return;
        server = dns_server_new(AF_INET6, rules, address);
        if (server == NULL) {
                suite_skip("there is no IPv6 here");
                return;
        }
        o.servers = address;
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_STR(resolved("a.test", 80, AF_INET), "127.0.0.1:80");
        o.tcp = true;
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_STR(resolved("a.test", 80, AF_INET), "127.0.0.1:80");
        end_server(server);
}

static void
a_thousand_lookups_at_once_are_no_trouble(void)
{
        enum { N = 1000 };
        static struct dns_rule rules[257];
        static char names[256][32];
        static struct lookup lookups[N];
        struct dns_server *server;

        GREEN_COVERS("DNS-20");
        if (!can_ask())
                return;
        for (int i = 0; i < 256; i++) {
                snprintf(names[i], sizeof names[i], "n%d.test", i);
                rules[i] = (struct dns_rule){.name = names[i], .records = "127.0.0.1", .delay_ms = (unsigned)i % 20};
        }
        server = serve_with(rules, NULL);
        for (int i = 0; i < N; i++)
                start_lookup(&lookups[i], names[i % 256], AF_INET);
        for (int i = 0; i < N; i++) {
                end_lookup(&lookups[i]);
                CHECK_STR(lookups[i].text, "127.0.0.1:80");
        }
        end_server(server);
}

GREEN_SUITE(net_dns_server) {
        GREEN_TEST(lost_questions_are_asked_again),
        GREEN_TEST(one_that_has_waited_long_puts_off_no_other),
        GREEN_TEST(no_answer_in_time_is_again),
        GREEN_TEST(nobody_at_the_port_is_again_at_once),
        GREEN_TEST(the_next_server_is_asked_where_one_fails),
        GREEN_TEST(failures_of_servers_are_told_from_silence),
        GREEN_TEST(a_cut_answer_is_asked_for_by_tcp),
        GREEN_TEST(tcp_only_asks_by_tcp_only),
        GREEN_TEST(only_the_server_that_was_asked_is_believed),
        GREEN_TEST(lies_do_not_put_off_the_end),
        GREEN_TEST(an_answer_that_makes_no_sense_is_a_failure),
        GREEN_TEST(servers_that_know_no_edns_are_asked_without),
        GREEN_TEST(one_family_that_is_not_answered_holds_nobody_up_for_long),
        GREEN_TEST(a_server_may_have_an_ipv6_address),
        GREEN_TEST(a_thousand_lookups_at_once_are_no_trouble),
        GREEN_SUITE_END
};
