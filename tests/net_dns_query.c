/*
 * Records of all kinds, from servers and from the hosts file.
 */
#include "dns_suite.h"

#include <netinet/in.h>

static const struct dns_rule rules[] = {
        {.name = "a.test", .records = "127.0.0.1 127.0.0.2", .ttl = 77},
        {.name = "aaaa.test", .records = "::1", .ttl = 78},
        {.name = "alias.test", .records = "=b.test =a.test 127.0.0.1", .ttl = 5},
        {.name = "zone.test", .type = 2, .records = "!ns1.test !NS2.test", .ttl = 60},
        {.name = "zone.test", .type = 15, .records = "20=backup.test 10=mail.test 20=other.test", .ttl = 61},
        {.name = "zone.test", .type = 16, .records = "'v=spf1'+'_-all' 'second'", .ttl = 62},
        {.name = "_http._tcp.test", .type = 33, .records = "2/1/81=b.test 1/5/80=a.test 1/6/82=c.test", .ttl = 63},
        {.name = "1.0.0.127.in-addr.arpa", .records = "!home.test", .ttl = 64},
        {.name = "empty.test", .records = "", .soa = 30},
        {.name = NULL}};

/* The records of an answer as text; or the name of the code. */
static const char *
records(const char *name, enum green_dns_type type)
{
        static char text[1024];
        struct green_dns_answer *answer = NULL;
        int rc = green_dns_query(name, type, &answer);

        if (rc != 0)
                return green_errname(rc);
        text[0] = '\0';
        for (size_t i = 0; i < answer->n; i++) {
                const struct green_dns_record *r = &answer->records[i];
                size_t len = strlen(text);

                CHECK_INT(r->type, type);
                len += (size_t)snprintf(text + len, sizeof text - len, "%s%u:", i > 0 ? " " : "", r->ttl);
                if (r->addr.size != 0)
                        len += (size_t)snprintf(text + len, sizeof text - len, "%s", texts_of(&r->addr, 1));
                if (r->name != NULL)
                        len += (size_t)snprintf(text + len, sizeof text - len, "%s", r->name);
                if (r->text != NULL)
                        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s", (int)r->text_len,
                                                (const char *)r->text);
                if (type == GREEN_DNS_MX || type == GREEN_DNS_SRV)
                        snprintf(text + len, sizeof text - len, "/%d/%d/%d", r->priority, r->weight, r->port);
        }
        green_free(answer);
        return text;
}

static void
each_kind_of_record_can_be_asked_for(void)
{
        struct dns_server *server;

        GREEN_COVERS("DNS-16");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        for (int i = 0; i < 2; i++) {
                CHECK_STR(records("a.test", GREEN_DNS_A), "77:127.0.0.1:0 77:127.0.0.2:0");
                CHECK_STR(records("AAAA.test.", GREEN_DNS_AAAA), "78:[::1]:0");
                CHECK_STR(records("alias.test", GREEN_DNS_A), "5:127.0.0.1:0");
                CHECK_STR(records("alias.test", GREEN_DNS_CNAME), "5:b.test");
                CHECK_STR(records("zone.test", GREEN_DNS_NS), "60:ns1.test 60:ns2.test");
                CHECK_STR(records("zone.test", GREEN_DNS_MX),
                          "61:mail.test/10/0/0 61:backup.test/20/0/0 61:other.test/20/0/0");
                CHECK_STR(records("zone.test", GREEN_DNS_TXT), "62:v=spf1 -all 62:second");
                CHECK_STR(records("_http._tcp.test", GREEN_DNS_SRV),
                          "63:a.test/1/5/80 63:c.test/1/6/82 63:b.test/2/1/81");
                CHECK_STR(records("127.0.0.1", GREEN_DNS_PTR), "64:home.test");
                CHECK_STR(records("1.0.0.127.in-addr.arpa", GREEN_DNS_PTR), "64:home.test");
                CHECK_STR(records("empty.test", GREEN_DNS_TXT), "GREEN_EAI_NODATA");
                CHECK_STR(records("a.test", GREEN_DNS_AAAA), "GREEN_EAI_NODATA");
                CHECK_STR(records("nowhere.test", GREEN_DNS_A), "GREEN_EAI_NONAME");
        }
        /* All was kept but what has no TTL. */
        CHECK_INT(dns_server_count(server, "zone.test", 0), 3);
        CHECK_INT(dns_server_count(server, "empty.test", 0), 1);
        CHECK_INT(dns_server_count(server, "nowhere.test", 0), 2);
        end_server(server);
}

static void
the_ttl_is_what_is_left_of_it(void)
{
        struct dns_server *server;

        GREEN_COVERS("DNS-13");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(records("zone.test", GREEN_DNS_TXT), "62:v=spf1 -all 62:second");
        green_sleep(1.05);
        CHECK_RANGE(atoi(records("zone.test", GREEN_DNS_TXT)), 58, 61);
        CHECK_INT(dns_server_count(server, "zone.test", 0), 1);
        end_server(server);
}

static void
the_search_list_is_not_for_queries(void)
{
        static const struct dns_rule own[] = {{.name = "a.corp.test", .records = "127.0.0.1"}, {.name = NULL}};
        struct green_dns_opts o = no_files();
        struct dns_server *server;

        if (!can_ask())
                return;
        o.search = "corp.test";
        server = serve_with(own, &o);
        CHECK_STR(records("a", GREEN_DNS_A), "GREEN_EAI_NONAME");
        CHECK_INT(dns_server_count(server, "a.corp.test", 0), 0);
        end_server(server);
}

static void
the_hosts_file_answers_first(void)
{
        struct green_dns_opts o = no_files();
        struct dns_server *server;
        const char *text;
        char path[128];

        GREEN_COVERS("DNS-10", "DNS-11");
        if (!can_ask())
                return;
        o.hosts = temporary(path,
                            "127.0.0.7 main short a.test\n127.0.0.8 other short\n::7 main\n127.0.0.9 second a.test\n");
        server = serve_with(rules, &o);
        text = records("main", GREEN_DNS_A);
        CHECK(strstr(text, ":127.0.0.7:0") != NULL);
        CHECK_RANGE(atoi(text), 0, 10);
        CHECK(strstr(records("MAIN", GREEN_DNS_AAAA), ":[::7]:0") != NULL);
        text = records("short", GREEN_DNS_A);
        CHECK(strstr(text, ":127.0.0.7:0") != NULL && strstr(text, ":127.0.0.8:0") > strstr(text, ":127.0.0.7:0"));
        CHECK(strstr(records("short.", GREEN_DNS_CNAME), ":main") != NULL);
        CHECK(strstr(records("a.test", GREEN_DNS_A), ":127.0.0.7:0") != NULL);
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        /* What it does not have is asked for: other kinds, a CNAME of what is no alias, other names. */
        CHECK_STR(records("main", GREEN_DNS_CNAME), "GREEN_EAI_NONAME");
        CHECK_STR(records("a.test", GREEN_DNS_TXT), "GREEN_EAI_NODATA");
        CHECK_STR(records("aaaa.test", GREEN_DNS_AAAA), "78:[::1]:0");
        CHECK_INT(dns_server_count(server, NULL, 0), 3);
        unlink(path);
        end_server(server);
}

static void
localhost_is_no_question(void)
{
        struct dns_server *server;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(records("localhost", GREEN_DNS_A), "0:127.0.0.1:0");
        CHECK_STR(records("localhost", GREEN_DNS_AAAA), "0:[::1]:0");
        CHECK_STR(records("localhost", GREEN_DNS_MX), "GREEN_EAI_NODATA");
        CHECK_INT(dns_server_count(server, NULL, 0), 0);
        end_server(server);
}

static void
bad_questions_are_refused(void)
{
        struct green_dns_answer *answer = NULL;
        struct green_dns_opts o = no_files();

        CHECK_INT(green_dns_query(NULL, GREEN_DNS_A, &answer), -EINVAL);
        CHECK_INT(green_dns_query("a.test", GREEN_DNS_A, NULL), -EINVAL);
        CHECK_INT(green_dns_query("a.test", (enum green_dns_type)6, &answer), -ENOTSUP);
        o.system = true;
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_INT(green_dns_query("a.test", GREEN_DNS_A, &answer), -ENOTSUP);
        CHECK_INT(green_dns_configure(NULL), 0);
        if (can_ask()) {
                CHECK_INT(green_dns_query("a..test", GREEN_DNS_A, &answer), -EINVAL);
                CHECK_INT(green_dns_query("", GREEN_DNS_PTR, &answer), -EINVAL);
        }
        CHECK_PTR(answer, NULL);
}

GREEN_SUITE(net_dns_query) {
        GREEN_TEST(each_kind_of_record_can_be_asked_for),
        GREEN_TEST(the_ttl_is_what_is_left_of_it),
        GREEN_TEST(the_search_list_is_not_for_queries),
        GREEN_TEST(the_hosts_file_answers_first),
        GREEN_TEST(localhost_is_no_question),
        GREEN_TEST(bad_questions_are_refused),
        GREEN_SUITE_END
};
