/*
 * getaddrinfo(), gethostbyname(), aliases and getnameinfo(): the same flags and answers as those of the C library.
 */
#include "dns_suite.h"

#include <netdb.h>
#include <net/if.h>
#include <netinet/in.h>

static const struct dns_rule rules[] = {
        {.name = "four.test", .records = "127.0.0.4", .ttl = 60},
        {.name = "six.test", .records = "::1", .ttl = 60},
        {.name = "both.test", .records = "127.0.0.1 ::1", .ttl = 60},
        {.name = "www.test", .records = "=web.test =four.test 127.0.0.4", .ttl = 60},
        {.name = "many.test", .records = "127.0.0.1", .repeat = 3, .ttl = 60},
        {.name = "4.0.0.10.in-addr.arpa", .records = "!back.corp.test", .ttl = 60},
        {.name = "5.0.0.10.in-addr.arpa", .records = "!not;a.name", .ttl = 60},
        {.name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
         .records = "!six.corp.test",
         .ttl = 60},
        {.name = NULL}};

static struct dns_server *server;
static char hosts[128];

static bool
begin(void)
{
        struct green_dns_opts o = no_files();

        if (!can_ask())
                return false;
        o.hosts = temporary(hosts, "127.0.0.77 box.test box\n127.0.0.78 other box\n127.0.0.79 lone\n");
        o.search = "corp.test";
        server = serve_with(rules, &o);
        return server != NULL;
}

static void
finish_here(void)
{
        end_server(server);
        unlink(hosts);
}

/* The list as text: "127.0.0.1:80 tcp, ...", with the canonical name first; or the name of the code. */
static const char *
info(const char *host, const char *service, struct addrinfo hints)
{
        static char text[2048];
        struct addrinfo *list = NULL;
        int rc = green_dns_getaddrinfo(host, service, &hints, &list);

        if (rc != 0)
                return green_errname(rc);
        text[0] = '\0';
        for (const struct addrinfo *i = list; i != NULL; i = i->ai_next) {
                struct green_addr addr;
                char one[GREEN_ADDR_TEXT_SIZE];

                CHECK_INT(green_addr_from_sockaddr(i->ai_addr, i->ai_addrlen, &addr), 0);
                CHECK_INT(i->ai_family, green_addr_family(&addr));
                green_addr_format(&addr, one, sizeof one);
                if (i->ai_canonname != NULL)
                        snprintf(text + strlen(text), sizeof text - strlen(text), "(%s) ", i->ai_canonname);
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s/%d/%d", i == list ? "" : " ", one,
                         i->ai_socktype, i->ai_protocol);
        }
        green_dns_freeaddrinfo(list);
        return text;
}

#define HINTS(...) ((struct addrinfo){__VA_ARGS__})
#define STREAM .ai_socktype = SOCK_STREAM

static void
kinds_of_sockets_come_as_from_the_c_library(void)
{
        char name[IF_NAMESIZE], scoped[IF_NAMESIZE + 16];

        GREEN_COVERS("DNS-23");
        if (!begin())
                return;
        CHECK_STR(info("four.test", "80", HINTS(.ai_family = AF_INET)),
                  "127.0.0.4:80/1/6 127.0.0.4:80/2/17 127.0.0.4:80/3/0");
        CHECK_STR(info("four.test", "80", HINTS(STREAM)), "127.0.0.4:80/1/6");
        CHECK_STR(info("four.test", NULL, HINTS(.ai_socktype = SOCK_DGRAM)), "127.0.0.4:0/2/17");
        CHECK_STR(info("four.test", "80", HINTS(.ai_protocol = IPPROTO_UDP)), "127.0.0.4:80/2/17");
        CHECK_STR(info("four.test", "7", HINTS(.ai_socktype = SOCK_RAW, .ai_protocol = IPPROTO_ICMP)),
                  "127.0.0.4:7/3/1");
        CHECK_STR(info("four.test", "80", HINTS(STREAM, .ai_protocol = IPPROTO_UDP)), "GREEN_EAI_SOCKTYPE");
        CHECK_STR(info("four.test", "80", HINTS(.ai_socktype = 77)), "GREEN_EAI_SOCKTYPE");
        CHECK_STR(info("127.0.0.1", "65535", HINTS(STREAM)), "127.0.0.1:65535/1/6");
        CHECK_STR(info("127.0.0.1", "65536", HINTS(STREAM)), "GREEN_EAI_SERVICE");
        CHECK_STR(info("127.0.0.1", "99999999999999999999", HINTS(STREAM)), "GREEN_EAI_SERVICE");
        snprintf(scoped, sizeof scoped, "[::1%%%s]:1/1/6", if_indextoname(1, name));
        CHECK_STR(info("::1%1", "1", HINTS(STREAM)), scoped);
        finish_here();
}

static void
services_have_names(void)
{
        GREEN_COVERS("DNS-01", "DNS-23", "DNS-26");
        if (!begin())
                return;
        if (getservbyname("http", "tcp") == NULL) {
                finish_here();
                suite_skip("/etc/services does not know http");
                return;
        }
        CHECK_STR(info("four.test", "http", HINTS(STREAM)), "127.0.0.4:80/1/6");
        CHECK_STR(info("four.test", "domain", HINTS(.ai_socktype = SOCK_DGRAM)), "127.0.0.4:53/2/17");
        CHECK_STR(info("four.test", "domain", HINTS(.ai_family = AF_INET)), "127.0.0.4:53/1/6 127.0.0.4:53/2/17");
        CHECK_STR(info("four.test", "nosuchservice", HINTS(STREAM)), "GREEN_EAI_SERVICE");
        CHECK_STR(info("four.test", "http", HINTS(STREAM, .ai_flags = AI_NUMERICSERV)), "GREEN_EAI_NONAME");
        CHECK_STR(info("four.test", "80", HINTS(STREAM, .ai_flags = AI_NUMERICSERV)), "127.0.0.4:80/1/6");
        CHECK_STR(info("four.test", "", HINTS(STREAM)), "127.0.0.4:0/1/6");
        finish_here();
}

static void
no_host_is_this_machine(void)
{
        struct addrinfo *list;
        int families = 0;

        GREEN_COVERS("DNS-25");
        CHECK_STR(info(NULL, "80", HINTS(STREAM, .ai_family = AF_INET)), "127.0.0.1:80/1/6");
        CHECK_STR(info(NULL, "80", HINTS(STREAM, .ai_family = AF_INET6)), "[::1]:80/1/6");
        CHECK_STR(info(NULL, "80", HINTS(STREAM, .ai_flags = AI_PASSIVE)), "0.0.0.0:80/1/6 [::]:80/1/6");
        CHECK_INT(green_dns_getaddrinfo(NULL, "80", &HINTS(STREAM), &list), 0);
        for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
                families |= i->ai_family == AF_INET ? 1 : i->ai_family == AF_INET6 ? 2 : 4;
        CHECK_INT(families, 3);
        green_dns_freeaddrinfo(list);
        CHECK_STR(info(NULL, NULL, HINTS(STREAM)), "GREEN_EAI_NONAME");
        green_dns_freeaddrinfo(NULL);
}

static void
bad_hints_are_refused(void)
{
        struct addrinfo *list = NULL;

        GREEN_COVERS("DNS-21");
        CHECK_INT(green_dns_getaddrinfo("127.0.0.1", "80", NULL, NULL), -EINVAL);
        CHECK_STR(info("127.0.0.1", "80", HINTS(.ai_flags = 0x40000000)), "GREEN_EAI_BADFLAGS");
        CHECK_STR(info(NULL, "80", HINTS(.ai_flags = AI_CANONNAME)), "GREEN_EAI_BADFLAGS");
        CHECK_STR(info("127.0.0.1", "80", HINTS(.ai_family = AF_UNIX)), "GREEN_EAI_FAMILY");
        CHECK_STR(info("", "80", HINTS(STREAM)), "EINVAL");
        CHECK_INT(green_dns_getaddrinfo("127.0.0.1", NULL, NULL, &list), 0);
        CHECK(list != NULL && list->ai_next != NULL);
        green_dns_freeaddrinfo(list);
}

static void
numeric_only_asks_nobody(void)
{
        GREEN_COVERS("DNS-26");
        if (!begin())
                return;
        CHECK_STR(info("four.test", "80", HINTS(STREAM, .ai_flags = AI_NUMERICHOST)), "GREEN_EAI_NONAME");
        CHECK_STR(info("lone", "80", HINTS(STREAM, .ai_flags = AI_NUMERICHOST)), "GREEN_EAI_NONAME");
        CHECK_STR(info("127.0.0.1", "80", HINTS(STREAM, .ai_flags = AI_NUMERICHOST)), "127.0.0.1:80/1/6");
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        finish_here();
}

static void
ipv4_can_be_had_as_ipv6(void)
{
        struct addrinfo h = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_V4MAPPED};

        GREEN_COVERS("DNS-27");
        if (!begin())
                return;
        CHECK_STR(info("four.test", "80", h), "[::ffff:127.0.0.4]:80/1/6");
        CHECK_STR(info("six.test", "80", h), "[::1]:80/1/6");
        CHECK_STR(info("both.test", "80", h), "[::1]:80/1/6");
        CHECK_STR(info("127.0.0.1", "80", h), "[::ffff:127.0.0.1]:80/1/6");
        CHECK_STR(info("lone", "80", h), "[::ffff:127.0.0.79]:80/1/6");
        h.ai_flags |= AI_ALL;
        CHECK(strstr(info("both.test", "80", h), "[::1]:80/1/6") != NULL);
        CHECK(strstr(info("both.test", "80", h), "[::ffff:127.0.0.1]:80/1/6") != NULL);
        CHECK_STR(info("four.test", "80", h), "[::ffff:127.0.0.4]:80/1/6");
        h.ai_flags = AI_ALL;
        CHECK_STR(info("four.test", "80", h), "GREEN_EAI_NODATA");
        finish_here();
}

static void
the_first_answer_has_the_canonical_name(void)
{
        struct addrinfo h = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};

        GREEN_COVERS("DNS-28");
        if (!begin())
                return;
        CHECK_STR(info("www.test", "80", h), "(four.test) 127.0.0.4:80/1/6");
        CHECK_STR(info("FOUR.test", "80", h), "(four.test) 127.0.0.4:80/1/6");
        CHECK_STR(info("many.test", "80", h), "(many.test) 127.0.0.1:80/1/6 127.0.0.2:80/1/6 127.0.0.3:80/1/6");
        CHECK_STR(info("lone", "80", h), "(lone) 127.0.0.79:80/1/6");
        CHECK_STR(info("box", "80", h), "(box.test) 127.0.0.77:80/1/6 127.0.0.78:80/1/6");
        CHECK_STR(info("127.0.0.1", "80", h), "(127.0.0.1) 127.0.0.1:80/1/6");
        finish_here();
}

static void
families_that_the_machine_lacks_are_left_out(void)
{
        struct addrinfo h = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
        unsigned asked;

        GREEN_COVERS("DNS-29");
        if (!begin())
                return;
        /* Whatever the machine has: the family that was asked for gives addresses, and the other does no harm. */
        CHECK_STR(info("four.test", "80", h)[0] == '1' ? "" : "no", "");
        CHECK_STR(info("nowhere.test.", "80", h), "GREEN_EAI_NONAME");
        asked = dns_server_count(server, "nowhere.test", 0);
        CHECK_RANGE(asked, 1, 2);
        finish_here();
}

/* ---- gethostbyname */

static const char *
host_text(const char *name)
{
        static char text[1024];
        struct green_dns_host *host = NULL;
        int rc = green_dns_gethostbyname_ex(name, &host);

        if (rc != 0)
                return green_errname(rc);
        snprintf(text, sizeof text, "%s:", host->name);
        for (const char *const *alias = host->aliases; *alias != NULL; alias++)
                snprintf(text + strlen(text), sizeof text - strlen(text), " %s", *alias);
        snprintf(text + strlen(text), sizeof text - strlen(text), ": %s", texts_of(host->addrs, host->n));
        green_free(host);
        return text;
}

static void
gethostbyname_gives_ipv4_addresses_and_names(void)
{
        struct green_addr addr;

        GREEN_COVERS("DNS-01", "DNS-31");
        if (!begin())
                return;
        CHECK_INT(green_dns_gethostbyname("four.test", &addr), 0);
        CHECK_STR(texts_of(&addr, 1), "127.0.0.4:0");
        CHECK_INT(green_dns_gethostbyname("127.0.0.9", &addr), 0);
        CHECK_STR(texts_of(&addr, 1), "127.0.0.9:0");
        CHECK_INT(green_dns_gethostbyname("six.test", &addr), GREEN_EAI_NODATA);
        CHECK_INT(green_dns_gethostbyname("nowhere.test", &addr), GREEN_EAI_NONAME);
        CHECK_INT(green_dns_gethostbyname(NULL, &addr), -EINVAL);
        CHECK_INT(green_dns_gethostbyname("four.test", NULL), -EINVAL);
        CHECK_STR(texts_of(&addr, 1), "127.0.0.9:0");
        CHECK_STR(host_text("four.test"), "four.test:: 127.0.0.4:0");
        CHECK_STR(host_text("www.test"), "four.test: www.test web.test: 127.0.0.4:0");
        CHECK_STR(host_text("many.test"), "many.test:: 127.0.0.1:0 127.0.0.2:0 127.0.0.3:0");
        CHECK_STR(host_text("box"), "box.test: box: 127.0.0.77:0 127.0.0.78:0");
        CHECK_STR(host_text("127.0.0.9"), "127.0.0.9:: 127.0.0.9:0");
        CHECK_STR(host_text("six.test"), "GREEN_EAI_NODATA");
        CHECK_INT(green_dns_gethostbyname_ex(NULL, NULL), -EINVAL);
        finish_here();
}

static const char *
aliases_of(const char *name)
{
        static char text[256];
        const char *const *aliases = NULL;
        int n = green_dns_getaliases(name, &aliases), counted = 0;

        if (n < 0)
                return green_errname(n);
        text[0] = '\0';
        for (; aliases[counted] != NULL; counted++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", counted > 0 ? " " : "",
                         aliases[counted]);
        CHECK_INT(n, counted);
        green_free((void *)(uintptr_t)aliases);
        return text;
}

static void
aliases_come_from_the_hosts_file(void)
{
        GREEN_COVERS("DNS-12");
        if (!begin())
                return;
        CHECK_STR(aliases_of("box"), "box.test other");
        CHECK_STR(aliases_of("BOX.test."), "box");
        CHECK_STR(aliases_of("other"), "box");
        CHECK_STR(aliases_of("lone"), "");
        CHECK_STR(aliases_of("unknown"), "");
        CHECK_STR(aliases_of("a..b"), "EINVAL");
        CHECK_INT(green_dns_getaliases(NULL, NULL), -EINVAL);
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        finish_here();
}

/* ---- getnameinfo */

static const char *
name_of(const char *address, int flags)
{
        static char text[1200];
        char host[1100] = "untouched", service[64] = "untouched";
        struct green_addr addr;
        int rc;

        CHECK_INT(green_addr_parse(address, &addr), 0);
        rc = green_dns_getnameinfo(&addr, host, sizeof host, service, sizeof service, flags);
        if (rc != 0) {
                CHECK_STR(host, "untouched");
                CHECK_STR(service, "untouched");
                return green_errname(rc);
        }
        snprintf(text, sizeof text, "%s %s", host, service);
        return text;
}

static void
addresses_have_names(void)
{
        char name[IF_NAMESIZE], scoped[IF_NAMESIZE + 16];

        GREEN_COVERS("DNS-01", "DNS-32");
        if (!begin())
                return;
        CHECK_STR(name_of("10.0.0.4:80", NI_NUMERICSERV), "back.corp.test 80");
        CHECK_STR(name_of("10.0.0.4:80", NI_NUMERICSERV | NI_NOFQDN), "back 80");
        CHECK_STR(name_of("[2001:db8::1]:443", NI_NUMERICSERV), "six.corp.test 443");
        CHECK_STR(name_of("127.0.0.78:1", NI_NUMERICSERV), "other 1");
        CHECK_STR(name_of("127.0.0.1:1", NI_NUMERICSERV), "localhost 1");
        CHECK_STR(name_of("[::1]:1", NI_NUMERICSERV), "localhost 1");
        CHECK_STR(name_of("10.0.0.6:1", NI_NUMERICSERV), "10.0.0.6 1");
        CHECK_STR(name_of("10.0.0.6:1", NI_NUMERICSERV | NI_NAMEREQD), "GREEN_EAI_NONAME");
        /* Not everything that a server calls a name is one. */
        CHECK_STR(name_of("10.0.0.5:1", NI_NUMERICSERV), "10.0.0.5 1");
        CHECK_STR(name_of("10.0.0.5:1", NI_NUMERICSERV | NI_NAMEREQD), "GREEN_EAI_NONAME");
        dns_server_reset(server);
        CHECK_STR(name_of("10.0.0.4:80", NI_NUMERICHOST | NI_NUMERICSERV), "10.0.0.4 80");
        snprintf(scoped, sizeof scoped, "fe80::1%%%s 80", if_indextoname(1, name));
        CHECK_STR(name_of("[fe80::1%1]:80", NI_NUMERICHOST | NI_NUMERICSERV), scoped);
        CHECK_STR(name_of("10.0.0.4:80", NI_NUMERICHOST | NI_NAMEREQD), "GREEN_EAI_NONAME");
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        finish_here();
}

static void
ports_have_names_too(void)
{
        GREEN_COVERS("DNS-32");
        if (getservbyport(htons(80), "tcp") == NULL) {
                suite_skip("/etc/services does not know port 80");
                return;
        }
        CHECK_STR(name_of("10.0.0.4:80", NI_NUMERICHOST), "10.0.0.4 http");
        CHECK_STR(name_of("[2001:db8::1]:80", NI_NUMERICHOST), "2001:db8::1 http");
        CHECK_STR(name_of("10.0.0.4:53", NI_NUMERICHOST | NI_DGRAM), "10.0.0.4 domain");
        CHECK_STR(name_of("10.0.0.4:64999", NI_NUMERICHOST), "10.0.0.4 64999");
}

static void
getnameinfo_refuses_what_it_cannot_do(void)
{
        struct green_addr addr, unix_addr, none = {.size = 0};
        char host[16] = "x", service[8] = "y";
        int numeric = NI_NUMERICHOST | NI_NUMERICSERV;

        GREEN_COVERS("DNS-32");
        CHECK_INT(green_addr_parse("127.0.0.1:12345", &addr), 0);
        CHECK_INT(green_addr_parse("unix:/x", &unix_addr), 0);
        CHECK_INT(green_dns_getnameinfo(NULL, host, sizeof host, service, sizeof service, numeric), -EINVAL);
        CHECK_INT(green_dns_getnameinfo(&none, host, sizeof host, service, sizeof service, numeric), GREEN_EAI_FAMILY);
        CHECK_INT(green_dns_getnameinfo(&unix_addr, host, sizeof host, service, sizeof service, numeric),
                  GREEN_EAI_FAMILY);
        CHECK_INT(green_dns_getnameinfo(&addr, host, sizeof host, service, sizeof service, 0x4000000),
                  GREEN_EAI_BADFLAGS);
        CHECK_INT(green_dns_getnameinfo(&addr, NULL, 0, NULL, 0, numeric), GREEN_EAI_NONAME);
        CHECK_INT(green_dns_getnameinfo(&addr, host, 9, service, sizeof service, numeric), GREEN_EAI_OVERFLOW);
        CHECK_INT(green_dns_getnameinfo(&addr, host, sizeof host, service, 5, numeric), GREEN_EAI_OVERFLOW);
        CHECK_STR(host, "x");
        CHECK_STR(service, "y");
        CHECK_INT(green_dns_getnameinfo(&addr, host, 10, service, 6, numeric), 0);
        CHECK_STR(host, "127.0.0.1");
        CHECK_STR(service, "12345");
        CHECK_INT(green_dns_getnameinfo(&addr, NULL, 0, service, 6, numeric), 0);
        CHECK_INT(green_dns_getnameinfo(&addr, host, 10, NULL, 0, numeric), 0);
}

GREEN_SUITE(net_dns_addrinfo) {
        GREEN_TEST(kinds_of_sockets_come_as_from_the_c_library),
        GREEN_TEST(services_have_names),
        GREEN_TEST(no_host_is_this_machine),
        GREEN_TEST(bad_hints_are_refused),
        GREEN_TEST(numeric_only_asks_nobody),
        GREEN_TEST(ipv4_can_be_had_as_ipv6),
        GREEN_TEST(the_first_answer_has_the_canonical_name),
        GREEN_TEST(families_that_the_machine_lacks_are_left_out),
        GREEN_TEST(gethostbyname_gives_ipv4_addresses_and_names),
        GREEN_TEST(aliases_come_from_the_hosts_file),
        GREEN_TEST(addresses_have_names),
        GREEN_TEST(ports_have_names_too),
        GREEN_TEST(getnameinfo_refuses_what_it_cannot_do),
        GREEN_SUITE_END
};
