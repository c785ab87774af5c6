/*
 * Names: settings, numeric hosts, the search list, the cache, lookups that share a query, and the ends of all of it.
 */
#include "dns_suite.h"

#include <green/alloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/wait.h>

static void
a_name_becomes_its_addresses(void)
{
        static const struct dns_rule rules[] = {
                {.name = "one.test", .records = "127.1.2.3", .ttl = 60},
                {.name = "six.test", .records = "::1", .ttl = 60},
                {.name = "both.test", .records = "127.1.2.3 ::1", .ttl = 60},
                {.name = "alias.test", .records = "=other.test =one.test 127.1.2.3", .ttl = 60},
                {.name = "none.test", .records = "'nothing'", .ttl = 60},
                {.name = NULL}};
        struct dns_server *server;

        GREEN_COVERS("DNS-21", "DNS-24");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("one.test", 80, AF_UNSPEC), "127.1.2.3:80");
        CHECK_STR(resolved("ONE.Test.", 80, AF_INET), "127.1.2.3:80");
        CHECK_STR(resolved("one.test", 80, AF_INET6), "GREEN_EAI_NODATA");
        CHECK_STR(resolved("six.test", 0, AF_UNSPEC), "[::1]:0");
        CHECK_STR(resolved("both.test", 65535, AF_INET), "127.1.2.3:65535");
        CHECK_STR(resolved("both.test", 1, AF_INET6), "[::1]:1");
        CHECK_STR(resolved("alias.test", 443, AF_UNSPEC), "127.1.2.3:443");
        CHECK_STR(resolved("nowhere.test", 80, AF_UNSPEC), "GREEN_EAI_NONAME");
        CHECK(strstr(green_last_error()->message, "nowhere.test") != NULL);
        CHECK_STR(resolved("none.test", 80, AF_UNSPEC), "GREEN_EAI_NODATA");
        CHECK_INT(dns_server_count(server, "both.test", 1), 1);
        CHECK_INT(dns_server_count(server, "both.test", 28), 1);
        CHECK_INT(dns_server_count(server, "one.test", 1), 1);
        end_server(server);
}

static void
numeric_hosts_are_not_looked_up(void)
{
        struct dns_server *server;
        static const struct dns_rule rules[] = {{.name = NULL}};
        char name[IF_NAMESIZE], scoped[IF_NAMESIZE + 16];

        GREEN_COVERS("DNS-23", "DNS-30");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("127.0.0.1", 80, AF_UNSPEC), "127.0.0.1:80");
        CHECK_STR(resolved("::1", 80, AF_INET6), "[::1]:80");
        CHECK_STR(resolved("127.1", 80, AF_INET), "127.0.0.1:80");
        snprintf(scoped, sizeof scoped, "[::1%%%s]:80", if_indextoname(1, name));
        CHECK_STR(resolved("::1%1", 80, AF_UNSPEC), scoped);
        CHECK_STR(resolved("::1%nosuchinterface", 80, AF_UNSPEC), "GREEN_EAI_NONAME");
        CHECK_STR(resolved("127.0.0.1", 80, AF_INET6), "GREEN_EAI_NODATA");
        CHECK_STR(resolved("::1", 80, AF_INET), "GREEN_EAI_NODATA");
        CHECK_STR(resolved("a:b", 80, AF_UNSPEC), "GREEN_EAI_NONAME");
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        end_server(server);
}

static void
bad_arguments_are_refused(void)
{
        char longest[300];
        struct green_addr *addrs = NULL;
        size_t n = 77;

        GREEN_COVERS("DNS-21");
        CHECK_INT(green_dns_resolve(NULL, 80, AF_INET, &addrs, &n), -EINVAL);
        CHECK_INT(green_dns_resolve("127.0.0.1", 80, AF_INET, NULL, &n), -EINVAL);
        CHECK_INT(green_dns_resolve("127.0.0.1", 80, AF_INET, &addrs, NULL), -EINVAL);
        CHECK_INT(green_dns_resolve("127.0.0.1", -1, AF_INET, &addrs, &n), -EINVAL);
        CHECK_INT(green_dns_resolve("127.0.0.1", 65536, AF_INET, &addrs, &n), -EINVAL);
        CHECK_INT(green_dns_resolve("127.0.0.1", 80, AF_UNIX, &addrs, &n), GREEN_EAI_FAMILY);
        CHECK_INT(green_dns_resolve("", 80, AF_UNSPEC, &addrs, &n), -EINVAL);
        CHECK_INT(green_dns_resolve(".", 80, AF_UNSPEC, &addrs, &n), -EINVAL);
        CHECK_INT(green_dns_resolve("a..b", 80, AF_UNSPEC, &addrs, &n), -EINVAL);
        CHECK_INT(green_dns_resolve(".a", 80, AF_UNSPEC, &addrs, &n), -EINVAL);
        CHECK_INT(green_dns_resolve("a..", 80, AF_UNSPEC, &addrs, &n), -EINVAL);
        memset(longest, 'a', sizeof longest);
        longest[254] = '\0';
        CHECK_INT(green_dns_resolve(longest, 80, AF_UNSPEC, &addrs, &n), -EINVAL);
        CHECK_PTR(addrs, NULL);
        CHECK_INT(n, 77);
}

static void
what_cannot_be_a_name_is_not_sent(void)
{
        static const struct dns_rule rules[] = {{.name = NULL}};
        struct dns_server *server;
        char label[80];

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        memset(label, 'a', sizeof label);
        label[64] = '\0';
        CHECK_STR(resolved(label, 80, AF_INET), "GREEN_EAI_NONAME");
        CHECK_STR(resolved("a b", 80, AF_INET), "GREEN_EAI_NONAME");
        CHECK_STR(resolved("a\\.b", 80, AF_INET), "GREEN_EAI_NONAME");
        CHECK_STR(resolved("a\nb", 80, AF_INET), "GREEN_EAI_NONAME");
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        end_server(server);
}

static void
answers_are_kept_as_long_as_their_ttl_says(void)
{
        static const struct dns_rule rules[] = {{.name = "long.test", .records = "127.0.0.9", .ttl = 1000},
                                                {.name = "short.test", .records = "127.0.0.8", .ttl = 1},
                                                {.name = "never.test", .records = "127.0.0.7", .ttl = 0},
                                                {.name = "absent.test", .rcode = 3, .soa = 100},
                                                {.name = "unsure.test", .rcode = 3},
                                                {.name = NULL}};
        struct dns_server *server;

        GREEN_COVERS("DNS-13");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        for (int i = 0; i < 3; i++) {
                CHECK_STR(resolved("long.test", 80, AF_INET), "127.0.0.9:80");
                CHECK_STR(resolved("short.test", 80, AF_INET), "127.0.0.8:80");
                CHECK_STR(resolved("never.test", 80, AF_INET), "127.0.0.7:80");
                CHECK_STR(resolved("absent.test", 80, AF_INET), "GREEN_EAI_NONAME");
                CHECK_STR(resolved("unsure.test", 80, AF_INET), "GREEN_EAI_NONAME");
        }
        CHECK_INT(dns_server_count(server, "long.test", 0), 1);
        CHECK_INT(dns_server_count(server, "short.test", 0), 1);
        CHECK_INT(dns_server_count(server, "never.test", 0), 3);
        CHECK_INT(dns_server_count(server, "absent.test", 0), 1);
        CHECK_INT(dns_server_count(server, "unsure.test", 0), 3);
        green_sleep(1.05);
        CHECK_STR(resolved("short.test", 80, AF_INET), "127.0.0.8:80");
        CHECK_STR(resolved("long.test", 80, AF_INET), "127.0.0.9:80");
        CHECK_INT(dns_server_count(server, "short.test", 0), 2);
        CHECK_INT(dns_server_count(server, "long.test", 0), 1);
        green_dns_clear();
        CHECK_STR(resolved("long.test", 80, AF_INET), "127.0.0.9:80");
        CHECK_INT(dns_server_count(server, "long.test", 0), 2);
        end_server(server);
}

static void
the_cache_keeps_those_used_last(void)
{
        static const struct dns_rule rules[] = {{.name = "a.test", .records = "127.0.0.1", .ttl = 1000},
                                                {.name = "b.test", .records = "127.0.0.2", .ttl = 1000},
                                                {.name = "c.test", .records = "127.0.0.3", .ttl = 1000},
                                                {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *server;

        GREEN_COVERS("DNS-13");
        if (!can_ask())
                return;
        o.cache_size = 2;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("b.test", 1, AF_INET), "127.0.0.2:1");
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("c.test", 1, AF_INET), "127.0.0.3:1");
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        CHECK_INT(dns_server_count(server, "a.test", 0), 1);
        CHECK_STR(resolved("b.test", 1, AF_INET), "127.0.0.2:1");
        CHECK_INT(dns_server_count(server, "b.test", 0), 2);
        end_server(server);
        o.cache_size = 0;
        o.no_cache = true;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        CHECK_INT(dns_server_count(server, "a.test", 0), 2);
        end_server(server);
}

static void
many_names_fit_into_the_table(void)
{
        static struct dns_rule rules[301];
        static char names[300][32];
        struct dns_server *server;
        char want[32];

        if (!can_ask())
                return;
        for (int i = 0; i < 300; i++) {
                snprintf(names[i], sizeof names[i], "n%d.test", i);
                rules[i] = (struct dns_rule){.name = names[i], .records = "127.0.0.1", .ttl = 1000};
        }
        rules[300] = (struct dns_rule){.name = NULL};
        server = serve_with(rules, NULL);
        snprintf(want, sizeof want, "127.0.0.1:5");
        for (int i = 0; i < 900; i++)
                CHECK_STR(resolved(names[i % 300], 5, AF_INET), want);
        CHECK_INT(dns_server_count(server, NULL, 0), 300);
        end_server(server);
}

static void
ten_lookups_take_as_long_as_one(void)
{
        static const struct dns_rule rules[] = {{.name = "0.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "1.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "2.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "3.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "4.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "5.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "6.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "7.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "8.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = "9.test", .records = "127.0.0.1", .delay_ms = 100},
                                                {.name = NULL}};
        struct lookup lookups[10];
        struct dns_server *server;

        GREEN_COVERS("DNS-01", "DNS-20", "ISS-23");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        for (int i = 0; i < 10; i++)
                start_lookup(&lookups[i], rules[i].name, AF_INET);
        for (int i = 0; i < 10; i++) {
                end_lookup(&lookups[i]);
                CHECK_STR(lookups[i].text, "127.0.0.1:80");
        }
        /* They were all on their way at once. */
        CHECK_INT(dns_server_most(server), 10);
        end_server(server);
}

static void
lookups_of_one_name_share_its_query(void)
{
        static const struct dns_rule rules[] = {{.name = "slow.test", .records = "127.0.0.1 ::1", .delay_ms = 60},
                                                {.name = NULL}};
        struct lookup lookups[20];
        struct dns_server *server;
        char first[256];

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        for (int i = 0; i < 20; i++)
                start_lookup(&lookups[i], i % 2 == 0 ? "slow.test" : "Slow.TEST.", AF_UNSPEC);
        for (int i = 0; i < 20; i++) {
                end_lookup(&lookups[i]);
                CHECK_INT(lookups[i].n, 2);
                if (i == 0)
                        memcpy(first, lookups[i].text, sizeof first);
                CHECK_STR(lookups[i].text, first);
        }
        CHECK_INT(dns_server_count(server, "slow.test", 1), 1);
        CHECK_INT(dns_server_count(server, "slow.test", 28), 1);
        end_server(server);
}

static void
a_cancelled_lookup_leaves_at_once_and_its_answer_is_kept(void)
{
        static const struct dns_rule rules[] = {
                {.name = "slow.test", .records = "127.0.0.1", .ttl = 100, .delay_ms = 150}, {.name = NULL}};
        struct lookup killed, stays;
        struct green_timeout t;
        struct dns_server *server;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        CHECK_STR(resolved("slow.test", 80, AF_INET), "GREEN_ETIMEOUT");
        CHECK_INT(green_timeout_cancel(&t), 1);
        start_lookup(&killed, "slow.test", AF_INET);
        start_lookup(&stays, "slow.test", AF_INET);
        green_sleep(0);
        CHECK_INT(green_kill(killed.thread, GREEN_EKILLED), 0);
        end_lookup(&killed);
        CHECK_INT(killed.rc, GREEN_EKILLED);
        CHECK_INT(stays.rc, 1);
        end_lookup(&stays);
        CHECK_STR(stays.text, "127.0.0.1:80");
        CHECK_STR(resolved("slow.test", 80, AF_INET), "127.0.0.1:80");
        CHECK_INT(dns_server_count(server, "slow.test", 0), 1);
        end_server(server);
}

static void
a_call_inside_a_fired_scope_asks_nobody(void)
{
        static const struct dns_rule rules[] = {{.name = "a.test", .records = "127.0.0.1", .ttl = 100}, {.name = NULL}};
        struct green_timeout t;
        struct dns_server *server;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_INT(green_timeout_start(&t, 0), 0);
        green_sleep(0.001);
        CHECK_STR(resolved("a.test", 80, AF_INET), "GREEN_ETIMEOUT");
        CHECK_STR(resolved("127.0.0.1", 80, AF_INET), "GREEN_ETIMEOUT");
        (void)green_timeout_cancel(&t);
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        end_server(server);
}

static void
there_is_a_code_for_no_data_and_an_error_for_each_failure(void)
{
        static const struct dns_rule rules[] = {{.name = "empty.test", .records = "", .soa = 9}, {.name = NULL}};
        struct green_error *first;
        struct dns_server *server;

        GREEN_COVERS("DNS-02", "DNS-22", "ISS-24");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("empty.test", 80, AF_INET), "GREEN_EAI_NODATA");
        CHECK(strstr(green_last_error()->message, "empty.test") != NULL);
        first = green_error_copy(green_last_error());
        CHECK_STR(resolved("absent.test", 80, AF_INET), "GREEN_EAI_NONAME");
        CHECK(strstr(green_last_error()->message, "absent.test") != NULL);
        CHECK(first != NULL && first->code == GREEN_EAI_NODATA && strstr(first->message, "empty.test") != NULL);
        green_error_free(first);
        /* A failure that is kept is told with the name as it was asked for. */
        CHECK_STR(resolved("EMPTY.test", 80, AF_INET), "GREEN_EAI_NODATA");
        CHECK(strstr(green_last_error()->message, "EMPTY.test") != NULL);
        end_server(server);
}

static void
addresses_come_in_the_order_in_which_they_are_best_tried(void)
{
        /* Nobody can send to the first without asking for it, so it is as good as unreachable. */
        static const struct dns_rule rules[] = {
                {.name = "order.test", .records = "255.255.255.255 127.0.0.9 127.0.0.1"},
                {.name = "both.test", .records = "127.0.0.1 ::1"},
                {.name = NULL}};
        struct dns_server *server;
        struct dns_server *six;
        char address[64];

        GREEN_COVERS("DNS-24");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("order.test", 1, AF_INET), "127.0.0.9:1 127.0.0.1:1 255.255.255.255:1");
        six = dns_server_new(AF_INET6, rules, address);
        CHECK_STR(resolved("both.test", 1, AF_UNSPEC), six != NULL ? "[::1]:1 127.0.0.1:1" : "127.0.0.1:1 [::1]:1");
        dns_server_free(six);
        end_server(server);
}

static void
sockets_take_addresses_and_no_names(void)
{
        struct green_addr addr;
        green_socket *s;

        /* There is no call of a socket that could look a name up. */
        GREEN_COVERS("SOCK-23", "ISS-23");
        CHECK_INT(green_addr_parse("localhost:80", &addr), -EINVAL);
        s = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        memset(&addr, 0, sizeof addr);
        CHECK(green_socket_connect(s, &addr) < 0);
        CHECK_INT(green_socket_free(s), 0);
}

static void
names_beyond_ascii_are_converted(void)
{
        static const struct dns_rule rules[] = {{.name = "xn--bcher-kva.test", .records = "127.0.0.1"}, {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *server;
        const char *got;
        char path[128];

        GREEN_COVERS("DNS-23");
        if (!can_ask())
                return;
        o.hosts = temporary(path, "127.0.0.2 \xc3\xa4hm.test\n");
        server = serve_with(rules, &o);
        got = resolved("b\xc3\xbc"
                       "cher.test",
                       1, AF_INET);
        if (dns_server_count(server, NULL, 0) == 0) {
                CHECK_STR(got, "GREEN_EAI_NONAME");
                CHECK(strstr(green_last_error()->message, "libidn2") != NULL);
        } else {
                CHECK_STR(got, "127.0.0.1:1");
                CHECK_STR(resolved("B\xc3\x9c"
                                   "CHER.test",
                                   1, AF_INET),
                          "127.0.0.1:1");
                CHECK_STR(resolved("b\xff"
                                   "cher.test",
                                   1, AF_INET),
                          "GREEN_EAI_NONAME");
        }
        CHECK_STR(resolved("\xc3\xa4hm.test", 1, AF_INET), "127.0.0.2:1");
        unlink(path);
        end_server(server);
}

/* ---- the search list */

static void
names_without_dots_are_looked_for_in_the_search_list(void)
{
        static const struct dns_rule rules[] = {{.name = "host.one.test", .records = "127.0.0.1"},
                                                {.name = "host.two.test", .records = "127.0.0.2"},
                                                {.name = "only.two.test", .records = "127.0.0.3"},
                                                {.name = "top", .records = "127.0.0.4"},
                                                {.name = "host", .records = "127.0.0.5"},
                                                {.name = "a.b", .records = "127.0.0.6"},
                                                {.name = "a.b.one.test", .records = "127.0.0.7"},
                                                {.name = "c.d.two.test", .records = "127.0.0.8"},
                                                {.name = "empty.one.test", .records = ""},
                                                {.name = "empty.two.test", .records = "127.0.0.9"},
                                                {.name = "void.test", .records = ""},
                                                {.name = "void.test.one.test", .records = "127.0.0.10"},
                                                {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *server;

        GREEN_COVERS("DNS-15");
        if (!can_ask())
                return;
        o.search = "one.test, two.test";
        server = serve_with(rules, &o);
        CHECK_STR(resolved("host", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("only", 1, AF_INET), "127.0.0.3:1");
        CHECK_STR(resolved("top", 1, AF_INET), "127.0.0.4:1");
        CHECK_STR(resolved("host.", 1, AF_INET), "127.0.0.5:1");
        CHECK_STR(resolved("a.b", 1, AF_INET), "127.0.0.6:1");
        CHECK_STR(resolved("c.d", 1, AF_INET), "127.0.0.8:1");
        CHECK_STR(resolved("c.d.", 1, AF_INET), "GREEN_EAI_NONAME");
        CHECK_STR(resolved("empty", 1, AF_INET), "127.0.0.9:1");
        /* It is there, but has no address: the list is for names that are not. */
        CHECK_STR(resolved("void.test", 1, AF_INET), "GREEN_EAI_NODATA");
        CHECK_INT(dns_server_count(server, "host.two.test", 0), 0);
        CHECK_STR(resolved("nobody", 1, AF_INET), "GREEN_EAI_NONAME");
        CHECK_INT(dns_server_count(server, "nobody.one.test", 0), 1);
        CHECK_INT(dns_server_count(server, "nobody.two.test", 0), 1);
        CHECK_INT(dns_server_count(server, "nobody", 0), 1);
        end_server(server);

        o.ndots = 2;
        server = serve_with(rules, &o);
        CHECK_STR(resolved("a.b", 1, AF_INET), "127.0.0.7:1");
        CHECK_STR(resolved("a.b.", 1, AF_INET), "127.0.0.6:1");
        end_server(server);
}

static void
what_resolv_conf_says_counts_where_the_settings_say_nothing(void)
{
        static const struct dns_rule rules[] = {{.name = "host.corp.test", .records = "127.0.0.1"},
                                                {.name = "x.y.corp.test", .records = "127.0.0.2"},
                                                {.name = "host.other.test", .records = "127.0.0.3"},
                                                {.name = NULL}};
        struct green_dns_opts o = {.size = sizeof o, .hosts = ""};
        struct dns_server *server;
        char path[128], text[512], address[64] = "";

        GREEN_COVERS("DNS-04", "DNS-14");
        if (!can_ask())
                return;
        server = dns_server_new(AF_INET, rules, address);
        /* resolv.conf has no way to write a port; this one reads them. */
        snprintf(text, sizeof text,
                 "# a comment\n; another\r\nnameserver nonsense\nnameserver %s\n\tdomain old.test\nsearch  corp.test\n"
                 "options ndots:2 timeout:1 attempts:2 unknown rotate\nwhat is this\n",
                 address);
        o.resolv_conf = temporary(path, text);
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_STR(resolved("host", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("x.y", 1, AF_INET), "127.0.0.2:1");
        /* Read once, and anew after clear. */
        snprintf(text, sizeof text, "nameserver %s\nsearch other.test\n", address);
        write_file(path, text);
        CHECK_STR(resolved("host", 1, AF_INET), "127.0.0.1:1");
        green_dns_clear();
        CHECK_STR(resolved("host", 1, AF_INET), "127.0.0.3:1");
        o.search = "corp.test";
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_STR(resolved("host", 1, AF_INET), "127.0.0.1:1");
        unlink(path);
        end_server(server);
}

static void
nothing_is_read_before_the_first_lookup_and_nothing_need_be_there(void)
{
        struct green_dns_opts o = {
                .size = sizeof o, .hosts = "/nonexistent/hosts", .resolv_conf = "/nonexistent/resolv.conf"};

        GREEN_COVERS("DNS-04", "ISS-24");
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK(green_dns_backend() != NULL);
        CHECK_STR(resolved("127.0.0.1", 1, AF_INET), "127.0.0.1:1");
        if (can_ask())
                CHECK_STR(resolved("localhost", 1, AF_INET), "127.0.0.1:1");
        CHECK_INT(green_dns_configure(NULL), 0);
}

static void
bad_settings_are_refused_with_a_word_and_change_nothing(void)
{
        struct green_dns_opts o = no_files();

        CHECK_INT(green_dns_configure(&o), 0);
#define REFUSED(field, value, word)                                                                                    \
        do {                                                                                                           \
                o = no_files();                                                                                        \
                o.field = (value);                                                                                     \
                CHECK_INT(green_dns_configure(&o), -EINVAL);                                                           \
                if (strstr(green_last_error()->message, word) == NULL)                                                 \
                        FAIL("the message is \"%s\"", green_last_error()->message);                                    \
        } while (0)
        REFUSED(servers, "", "no name server");
        REFUSED(servers, "dns.example", "dns.example");
        REFUSED(servers, "127.0.0.1,1.2.3.4:x", "1.2.3.4:x");
        REFUSED(servers, "127.0.0.1:0", "127.0.0.1:0");
        REFUSED(servers, ":53", ":53");
        REFUSED(servers, "[::1]x", "[::1]x");
        REFUSED(servers, "1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 1.1.1.9", "more than");
        REFUSED(search, "a..b", "a..b");
        REFUSED(search, "a,b,c,d,e,f,g,h,i", "at most");
        REFUSED(ndots, -1, "ndots");
        REFUSED(ndots, 16, "ndots");
        REFUSED(timeout, -1, "timeout");
        REFUSED(timeout, 1e9, "timeout");
        REFUSED(attempts, -1, "attempts");
        REFUSED(attempts, 1000, "attempts");
        REFUSED(lifetime, -0.5, "lifetime");
        REFUSED(size, 3, "size");
#undef REFUSED
        o = no_files();
        o.servers = "127.0.0.1, 127.0.0.1:53 ::1,[::1] [::1]:5353";
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_INT(green_dns_configure(NULL), 0);
}

GREEN_SUITE(net_dns) {
        GREEN_TEST(a_name_becomes_its_addresses),
        GREEN_TEST(numeric_hosts_are_not_looked_up),
        GREEN_TEST(bad_arguments_are_refused),
        GREEN_TEST(what_cannot_be_a_name_is_not_sent),
        GREEN_TEST(answers_are_kept_as_long_as_their_ttl_says),
        GREEN_TEST(the_cache_keeps_those_used_last),
        GREEN_TEST(many_names_fit_into_the_table),
        GREEN_TEST(ten_lookups_take_as_long_as_one),
        GREEN_TEST(lookups_of_one_name_share_its_query),
        GREEN_TEST(a_cancelled_lookup_leaves_at_once_and_its_answer_is_kept),
        GREEN_TEST(a_call_inside_a_fired_scope_asks_nobody),
        GREEN_TEST(there_is_a_code_for_no_data_and_an_error_for_each_failure),
        GREEN_TEST(addresses_come_in_the_order_in_which_they_are_best_tried),
        GREEN_TEST(sockets_take_addresses_and_no_names),
        GREEN_TEST(names_beyond_ascii_are_converted),
        GREEN_TEST(names_without_dots_are_looked_for_in_the_search_list),
        GREEN_TEST(what_resolv_conf_says_counts_where_the_settings_say_nothing),
        GREEN_TEST(nothing_is_read_before_the_first_lookup_and_nothing_need_be_there),
        GREEN_TEST(bad_settings_are_refused_with_a_word_and_change_nothing),
        GREEN_SUITE_END
};
