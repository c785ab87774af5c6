/*
 * The hosts file: what its lines mean, that it comes first, and when it is read again.
 */
#include "dns_suite.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <time.h>

static char path[128];

/* Use a hosts file with this text, and a server that knows nothing (NULL: none; asking would fail at once). */
static void
use_hosts(const char *text)
{
        struct green_dns_opts o = no_files();

        if (path[0] == '\0')
                temporary(path, text);
        else
                write_file(path, text);
        o.hosts = path;
        o.servers = "127.0.0.1:1";
        o.timeout = 0.05;
        o.attempts = 1;
        CHECK_INT(green_dns_configure(&o), 0);
}

static void
done(void)
{
        let_queries_end();
        CHECK_INT(green_dns_configure(NULL), 0);
        unlink(path);
        path[0] = '\0';
}

static void
lines_are_an_address_and_its_names(void)
{
        GREEN_COVERS("DNS-05", "DNS-06", "DNS-07", "DNS-08");
        if (!can_ask())
                return;
        use_hosts("# a comment\n"
                  "127.0.0.1 one uno # trailing\n"
                  "   127.0.0.2\ttwo   \t zwei  \r\n"
                  "127.0.0.3 three\r"
                  "127.0.0.4#not four\n"
                  "127.0.0.5\n"
                  "nonsense five\n"
                  "127.0.0.300 six\n"
                  "\n\n\r\n"
                  "fe80::1 seven\nFE80::1 seven\nfe80::1%lo seven\n"
                  "::1 eight eight.\n"
                  "127.0.0.9 Nine.Test TEN\n"
                  "127.0.0.11 el\xff"
                  "even\n"
                  "127.0.0.12 last");
        CHECK_STR(resolved("one", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("uno", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("two", 1, AF_UNSPEC), "127.0.0.2:1");
        CHECK_STR(resolved("zwei", 1, AF_INET), "127.0.0.2:1");
        CHECK_STR(resolved("three", 1, AF_INET), "127.0.0.3:1");
        CHECK_STR(resolved("eight", 1, AF_UNSPEC), "[::1]:1");
        CHECK_STR(resolved("nine.test", 1, AF_INET), "127.0.0.9:1");
        CHECK_STR(resolved("NINE.test.", 1, AF_INET), "127.0.0.9:1");
        CHECK_STR(resolved("ten", 1, AF_INET), "127.0.0.9:1");
        CHECK_STR(resolved("eleven", 1, AF_INET), "127.0.0.11:1");
        CHECK_STR(resolved("last", 1, AF_INET), "127.0.0.12:1");
        for (const char *const *name =
                     (const char *const[]){"trailing", "#", "four", "not", "five", "six", "seven", NULL};
             *name != NULL; name++)
                if (!CHECK_STR(resolved(*name, 1, AF_UNSPEC), "GREEN_EAI_AGAIN"))
                        FAIL("that was %s", *name);
        done();
}

static void
all_addresses_of_a_name_are_kept(void)
{
        GREEN_COVERS("DNS-09");
        if (!can_ask())
                return;
        use_hosts("127.0.0.7 many\n127.0.0.3 other\n127.0.0.5 x many\n127.0.0.6 many many\n");
        CHECK_STR(resolved("many", 1, AF_INET), "127.0.0.7:1 127.0.0.5:1 127.0.0.6:1");
        CHECK_STR(resolved("many", 1, AF_UNSPEC), "127.0.0.7:1 127.0.0.5:1 127.0.0.6:1");
        done();
}

static void
nobody_is_asked_for_what_the_file_has(void)
{
        static const struct dns_rule rules[] = {{.name = "four", .records = "1.2.3.4 ::2"}, {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *server;

        GREEN_COVERS("DNS-05", "ISS-24");
        if (!can_ask())
                return;
        o.hosts = temporary(path, "127.0.0.4 four\n");
        server = serve_with(rules, &o);
        CHECK_STR(resolved("four", 1, AF_UNSPEC), "127.0.0.4:1");
        CHECK_STR(resolved("four", 1, AF_INET), "127.0.0.4:1");
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        /* A family that the file does not have is asked for. */
        CHECK_STR(resolved("four", 1, AF_INET6), "[::2]:1");
        CHECK_INT(dns_server_count(server, "four", 28), 1);
        end_server(server);
        done();
}

static void
localhost_is_known_without_a_file(void)
{
        static const struct dns_rule rules[] = {{.name = NULL}};
        struct dns_server *server;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("localhost", 1, AF_INET), "127.0.0.1:1");
        CHECK_STR(resolved("LocalHost.", 1, AF_INET6), "[::1]:1");
        CHECK_STR(resolved("db.localhost", 1, AF_INET), "127.0.0.1:1");
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        CHECK_STR(resolved("notlocalhost", 1, AF_INET), "GREEN_EAI_NONAME");
        CHECK_INT(dns_server_count(server, NULL, 0), 1);
        end_server(server);
        write_file(temporary(path, ""), "127.0.0.99 localhost\n");
        use_hosts("127.0.0.99 localhost\n");
        CHECK_STR(resolved("localhost", 1, AF_INET), "127.0.0.99:1");
        done();
}

static void
a_changed_file_is_read_again_but_not_at_every_lookup(void)
{
        GREEN_COVERS("DNS-10", "DNS-13");
        if (!can_ask())
                return;
        use_hosts("127.0.0.1 name\n");
        CHECK_STR(resolved("name", 1, AF_INET), "127.0.0.1:1");
        write_file(path, "127.0.0.22 name\n");
        CHECK_STR(resolved("name", 1, AF_INET), "127.0.0.1:1");
        green_dns_clear();
        CHECK_STR(resolved("name", 1, AF_INET), "127.0.0.22:1");
        unlink(path);
        CHECK_STR(resolved("name", 1, AF_INET), "127.0.0.22:1");
        green_dns_clear();
        CHECK_STR(resolved("name", 1, AF_INET), "GREEN_EAI_AGAIN");
        done();
}

static void
a_changed_file_is_seen_after_ten_seconds(void)
{
        GREEN_COVERS("DNS-10");
        if (!can_ask())
                return;
        use_hosts("127.0.0.1 name\n");
        CHECK_STR(resolved("name", 1, AF_INET), "127.0.0.1:1");
        write_file(path, "127.0.0.22 name\n");
        green_sleep(10.1);
        CHECK_STR(resolved("name", 1, AF_INET), "127.0.0.22:1");
        done();
}

static void
what_is_no_regular_file_is_as_if_empty(void)
{
        struct green_dns_opts o = no_files();

        GREEN_COVERS("DNS-06");
        if (!can_ask())
                return;
        o.servers = "127.0.0.1:1";
        o.timeout = 0.05;
        o.attempts = 1;
        temporary(path, "");
        unlink(path);
        CHECK(mkfifo(path, 0600) == 0 || errno == ENOSYS);
        for (const char *const *p = (const char *const[]){path, "/dev/null", "/", "/nonexistent", "", NULL}; *p != NULL;
             p++) {
                o.hosts = o.resolv_conf = *p;
                CHECK_INT(green_dns_configure(&o), 0);
                CHECK_STR(resolved("name", 1, AF_INET), "GREEN_EAI_AGAIN");
        }
        done();
}

static void
a_large_file_is_no_trouble(void)
{
        enum { NAMES = 20000 };
        static char text[NAMES * 32];
        char name[32];
        size_t len = 0;

        if (!can_ask())
                return;
        for (int i = 0; i < NAMES; i++)
                len += (size_t)snprintf(text + len, sizeof text - len, "127.0.%d.%d host%d\n", i / 256, i % 256, i);
        use_hosts(text);
        for (int i = 0; i < NAMES; i += 997) {
                char want[32];

                snprintf(name, sizeof name, "host%d", i);
                snprintf(want, sizeof want, "127.0.%d.%d:1", i / 256, i % 256);
                CHECK_STR(resolved(name, 1, AF_INET), want);
        }
        done();
}

GREEN_SUITE(net_dns_hosts) {
        GREEN_TEST(lines_are_an_address_and_its_names),
        GREEN_TEST(all_addresses_of_a_name_are_kept),
        GREEN_TEST(nobody_is_asked_for_what_the_file_has),
        GREEN_TEST(localhost_is_known_without_a_file),
        GREEN_TEST(a_changed_file_is_read_again_but_not_at_every_lookup),
        GREEN_TEST(a_changed_file_is_seen_after_ten_seconds),
        GREEN_TEST(what_is_no_regular_file_is_as_if_empty),
        GREEN_TEST(a_large_file_is_no_trouble),
        GREEN_SUITE_END
};
