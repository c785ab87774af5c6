/*
 * The life of resolvers: one for each OS thread and child of a fork, made anew when the settings change, ended with the
 * hub; hub callbacks; memory that runs out.
 */
#include "dns_suite.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static const struct dns_rule rules[] = {{.name = "a.test", .records = "127.0.0.1", .ttl = 100},
                                        {.name = "b.test", .records = "127.0.0.2", .ttl = 100},
                                        {.name = "slow.test", .records = "127.0.0.3", .ttl = 100, .delay_ms = 100},
                                        {.name = "silent.test", .drop = 1000},
                                        {.name = NULL}};

static void *
resolve_in_thread(void *arg)
{
        const char *const *names = arg;
        struct lookup lookups[3];

        for (int i = 0; i < 3; i++)
                start_lookup(&lookups[i], names[i], AF_INET);
        for (int i = 0; i < 3; i++) {
                end_lookup(&lookups[i]);
                CHECK_INT(lookups[i].rc, 0);
        }
        let_queries_end();
        return NULL;
}

static void
each_os_thread_has_a_resolver_of_its_own(void)
{
        static const char *names[] = {"a.test", "b.test", "slow.test"};
        struct dns_server *server;
        pthread_t threads[4];

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        for (int i = 0; i < 4; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, resolve_in_thread, names), 0);
        for (int i = 0; i < 4; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(dns_server_count(server, "a.test", 1), 4);
        CHECK_INT(dns_server_count(server, "slow.test", 1), 4);
        end_server(server);
}

static atomic_bool go_on;

static void *
change_settings(void *arg)
{
        const struct green_dns_opts *o = arg;

        while (atomic_load(&go_on)) {
                green_dns_clear();
                CHECK_INT(green_dns_configure(o), 0);
        }
        return NULL;
}

static void
settings_may_change_in_another_thread_while_names_are_looked_up(void)
{
        struct green_dns_opts o = no_files();
        struct dns_server *server;
        char address[64];
        pthread_t thread;

        GREEN_COVERS("DNS-14");
        if (!can_ask())
                return;
        server = dns_server_new(AF_INET, rules, address);
        o.servers = address;
        CHECK_INT(green_dns_configure(&o), 0);
        atomic_store(&go_on, true);
        CHECK_INT(pthread_create(&thread, NULL, change_settings, &o), 0);
        for (int i = 0; i < 200; i++)
                CHECK_STR(resolved(i % 2 == 0 ? "a.test" : "b.test", 1, AF_UNSPEC),
                          i % 2 == 0 ? "127.0.0.1:1" : "127.0.0.2:1");
        atomic_store(&go_on, false);
        CHECK_INT(pthread_join(thread, NULL), 0);
        end_server(server);
}

static void
lookups_that_run_end_as_they_began(void)
{
        struct lookup slow, again;
        struct dns_server *server;

        GREEN_COVERS("DNS-13");
        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        start_lookup(&slow, "slow.test", AF_INET);
        green_sleep(0.01);
        green_dns_clear();
        start_lookup(&again, "slow.test", AF_INET);
        green_sleep(0);
        CHECK_INT(green_dns_configure(NULL), 0);
        end_lookup(&slow);
        end_lookup(&again);
        CHECK_STR(slow.text, "127.0.0.3:80");
        CHECK_STR(again.text, "127.0.0.3:80");
        CHECK_INT(dns_server_count(server, "slow.test", 1), 2);
        end_server(server);
}

static void
the_end_of_a_hub_ends_its_lookups(void)
{
        struct lookup lookups[3];
        struct dns_server *server;

        if (!can_ask())
                return;
        for (int unrun = 0; unrun < 2; unrun++) {
                server = serve_with(rules, NULL);
                CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
                start_lookup(&lookups[0], "slow.test", AF_UNSPEC);
                start_lookup(&lookups[1], "slow.test", AF_INET);
                start_lookup(&lookups[2], "silent.test", AF_INET);
                green_sleep(0.01);
                CHECK_INT(green_hub_destroy(unrun ? 0 : 5), unrun ? -ETIMEDOUT : 0);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(lookups[i].rc, unrun ? 1 : GREEN_EKILLED);
                /* And afresh. */
                CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
                CHECK_INT(dns_server_count(server, "a.test", 1), 2);
                end_server(server);
        }
}

static void *
leave_lookups(void *arg)
{
        struct lookup *lookups = arg;

        start_lookup(&lookups[0], "slow.test", AF_UNSPEC);
        start_lookup(&lookups[1], "silent.test", AF_INET);
        green_sleep(0.01);
        return NULL;
}

static void
the_end_of_an_os_thread_leaves_nothing_behind(void)
{
        static struct lookup lookups[2];
        struct dns_server *server;
        pthread_t thread;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_INT(pthread_create(&thread, NULL, leave_lookups, lookups), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(lookups[0].rc, 1);
        CHECK_INT(lookups[1].rc, 1);
        end_server(server);
}

static int
child_looks_up(void)
{
        CHECK_STR(resolved("b.test", 1, AF_INET), "127.0.0.2:1");
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        green_sleep(0.15);
        return suite_failures() != 0;
}

static void
a_child_asks_by_sockets_of_its_own(void)
{
        struct dns_server *server;
        struct lookup slow;
        int status = -1;
        pid_t child;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        start_lookup(&slow, "slow.test", AF_INET);
        green_sleep(0.01);
        child = fork();
        if (child == 0)
                _exit(child_looks_up());
        /* The child is awake when the answer comes, and must not take it. */
        end_lookup(&slow);
        CHECK_STR(slow.text, "127.0.0.3:80");
        CHECK_INT(dns_server_count(server, "slow.test", 1), 1);
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
        end_server(server);
}

static void
a_child_that_looks_nothing_up_takes_no_answers(void)
{
        struct dns_server *server;
        struct lookup slow;
        int status = -1;
        pid_t child;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        start_lookup(&slow, "slow.test", AF_INET);
        green_sleep(0.01);
        child = fork();
        if (child == 0) {
                green_sleep(0.2);
                _exit(suite_failures() != 0);
        }
        /* This OS thread is held up, so that the child has all the time to be wrong. */
        usleep(160000);
        end_lookup(&slow);
        CHECK_STR(slow.text, "127.0.0.3:80");
        CHECK_INT(dns_server_count(server, "slow.test", 1), 1);
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
        end_server(server);
}

/* ---- in hub context */

static char in_callback[8][64];

static void
look_up_in_callback(void *arg)
{
        struct green_dns_answer *answer;
        struct green_addr addr = {.size = 0};
        char host[64], service[64];

        (void)arg;
        snprintf(in_callback[0], 64, "%s", resolved("a.test", 1, AF_INET));
        snprintf(in_callback[1], 64, "%s", resolved("b.test", 1, AF_INET));
        snprintf(in_callback[2], 64, "%s", resolved("127.0.0.1", 1, AF_INET));
        snprintf(in_callback[3], 64, "%s", resolved("localhost", 1, AF_INET));
        snprintf(in_callback[4], 64, "%s", green_errname(green_dns_query("b.test", GREEN_DNS_A, &answer)));
        CHECK_INT(green_addr_parse("10.1.1.1:80", &addr), 0);
        snprintf(in_callback[5], 64, "%s",
                 green_errname(green_dns_getnameinfo(&addr, host, sizeof host, NULL, 0, NI_NUMERICSERV)));
        snprintf(in_callback[6], 64, "%s",
                 green_errname(green_dns_getnameinfo(&addr, NULL, 0, service, sizeof service, NI_NUMERICHOST)));
        snprintf(in_callback[7], 64, "%s", resolved("a.test", 1, AF_UNSPEC));
}

static void
a_hub_callback_gets_what_is_known(void)
{
        struct dns_server *server;

        if (!can_ask())
                return;
        server = serve_with(rules, NULL);
        CHECK_STR(resolved("a.test", 1, AF_INET), "127.0.0.1:1");
        CHECK_INT(green_hub_post(green_get_hub(), look_up_in_callback, NULL), 0);
        green_sleep(0.01);
        CHECK_STR(in_callback[0], "127.0.0.1:1");
        CHECK_STR(in_callback[1], "EDEADLK");
        CHECK_STR(in_callback[2], "127.0.0.1:1");
        CHECK_STR(in_callback[3], "127.0.0.1:1");
        for (int i = 4; i < 8; i++)
                CHECK_STR(in_callback[i], "EDEADLK");
        CHECK_INT(dns_server_count(server, NULL, 0), 1);
        end_server(server);
}

/* ---- memory */

static void
without_memory_it_is_enomem_and_nothing_hangs(void)
{
        struct green_dns_opts o = no_files();
        struct dns_server *server;
        bool failed = true;
        char path[128];

        if (!can_ask())
                return;
        o.hosts = o.resolv_conf = temporary(path, "127.0.0.5 five\n");
        server = serve_with(rules, &o);
        for (int i = 0; i < 200 && failed; i++) {
                const char *got;

                green_dns_clear();
                let_queries_end();
                memory_left = i;
                got = resolved("a.test", 1, AF_UNSPEC);
                memory_left = -1;
                failed = strcmp(got, "127.0.0.1:1") != 0;
                if (failed)
                        CHECK_STR(got, "ENOMEM");
        }
        CHECK(!failed);
        unlink(path);
        end_server(server);
}

GREEN_SUITE(net_dns_life) {
        GREEN_TEST(each_os_thread_has_a_resolver_of_its_own),
        GREEN_TEST(settings_may_change_in_another_thread_while_names_are_looked_up),
        GREEN_TEST(lookups_that_run_end_as_they_began),
        GREEN_TEST(the_end_of_a_hub_ends_its_lookups),
        GREEN_TEST(the_end_of_an_os_thread_leaves_nothing_behind),
        GREEN_TEST(a_child_asks_by_sockets_of_its_own),
        GREEN_TEST(a_child_that_looks_nothing_up_takes_no_answers),
        GREEN_TEST(a_hub_callback_gets_what_is_known),
        GREEN_TEST(without_memory_it_is_enomem_and_nothing_hangs),
        GREEN_SUITE_END
};
