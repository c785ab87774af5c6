/*
 * The system's resolver in the pool of OS threads, and GREEN_NO_GREENDNS. It is asked for numeric hosts and localhost
 * only.
 */
#include "dns_suite.h"

#include <netdb.h>
#include <netinet/in.h>

#include <green/tpool.h>

static void
use_system(void)
{
        struct green_dns_opts o = no_files();

        o.system = true;
        CHECK_INT(green_dns_configure(&o), 0);
}

static void
done(void)
{
        CHECK_INT(green_tpool_killall(10), 0);
        CHECK_INT(green_dns_configure(NULL), 0);
}

static void
the_system_knows_localhost(void)
{
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
        struct green_dns_host *host = NULL;
        struct green_addr addr = {.size = 0};
        char name[256];

        GREEN_COVERS("DNS-01");
        use_system();
        CHECK_STR(green_dns_backend(), "system");
        CHECK_STR(resolved("localhost", 80, AF_INET), "127.0.0.1:80");
        CHECK_INT(green_dns_getaddrinfo("localhost", "80", &hints, &list), 0);
        CHECK(list != NULL && list->ai_family == AF_INET && list->ai_next == NULL);
        green_dns_freeaddrinfo(list);
        CHECK_INT(green_dns_gethostbyname("localhost", &addr), 0);
        CHECK_STR(texts_of(&addr, 1), "127.0.0.1:0");
        CHECK_INT(green_dns_gethostbyname_ex("localhost", &host), 0);
        CHECK(host != NULL && host->n >= 1);
        green_free(host);
        CHECK_INT(green_dns_getnameinfo(&addr, name, sizeof name, NULL, 0, NI_NUMERICSERV), 0);
        CHECK(strchr(name, '.') == NULL || strncmp(name, "127.", 4) != 0);
        done();
}

static void
numeric_hosts_need_no_thread_of_the_pool(void)
{
        struct green_tpool_info info = {.size = sizeof info};

        GREEN_COVERS("DNS-23");
        use_system();
        CHECK_STR(resolved("127.0.0.1", 80, AF_UNSPEC), "127.0.0.1:80");
        CHECK_STR(resolved("::1", 80, AF_UNSPEC), "[::1]:80");
        CHECK_INT(green_tpool_get_info(&info), 0);
        CHECK_INT(info.threads, 0);
        done();
}

static void
others_run_while_the_system_looks(void)
{
        GREEN_COVERS("DNS-01", "ISS-23");
        struct lookup lookups[5];
        int turns = 0;
        green_thread *counter;

        use_system();
        counter = green_spawn(count_turns, &turns);
        for (int i = 0; i < 5; i++)
                start_lookup(&lookups[i], "localhost", AF_INET);
        for (int i = 0; i < 5; i++) {
                end_lookup(&lookups[i]);
                CHECK_STR(lookups[i].text, "127.0.0.1:80");
        }
        CHECK(turns > 0);
        CHECK_INT(green_kill(counter, GREEN_EKILLED), 0);
        CHECK_INT(green_thread_wait(counter, NULL), GREEN_EKILLED);
        green_thread_unref(counter);
        done();
}

/* ---- jobs that hold the pool up */

static void *
hold(void *arg)
{
        char byte;

        (void)!read(*(int *)arg, &byte, 1);
        return NULL;
}

static void *
hold_the_pool(void *arg)
{
        CHECK_INT(green_tpool_execute(hold, arg, NULL, NULL), 0);
        return NULL;
}

static void
a_lookup_that_waits_for_the_pool_can_be_given_up(void)
{
        struct green_dns_opts o = no_files();
        struct lookup killed, late;
        green_thread *holder;
        int fds[2];

        GREEN_COVERS("DNS-21");
        CHECK_INT(pipe(fds), 0);
        o.system = true;
        o.lifetime = 0.05;
        CHECK_INT(green_dns_configure(&o), 0);
        CHECK_INT(green_tpool_set_num_threads(1), 0);
        holder = green_spawn(hold_the_pool, &fds[0]);
        green_sleep(0);
        start_lookup(&killed, "localhost", AF_INET);
        start_lookup(&late, "localhost", AF_INET);
        green_sleep(0);
        CHECK_INT(green_kill(killed.thread, GREEN_EKILLED), 0);
        end_lookup(&killed);
        CHECK_INT(killed.rc, GREEN_EKILLED);
        end_lookup(&late);
        CHECK_INT(late.rc, GREEN_EAI_AGAIN);
        CHECK_INT(write(fds[1], "x", 1), 1);
        CHECK_INT(green_thread_wait(holder, NULL), 0);
        green_thread_unref(holder);
        done();
        CHECK_INT(green_tpool_set_num_threads(GREEN_TPOOL_THREADS), 0);
        close(fds[0]);
        close(fds[1]);
}

static char called_back[2][32];

static void
look_up_in_callback(void *arg)
{
        (void)arg;
        snprintf(called_back[0], sizeof called_back[0], "%s", resolved("localhost", 1, AF_INET));
        snprintf(called_back[1], sizeof called_back[1], "%s", resolved("127.0.0.1", 1, AF_INET));
}

static void
a_hub_callback_cannot_wait_for_the_system(void)
{
        use_system();
        CHECK_INT(green_hub_post(green_get_hub(), look_up_in_callback, NULL), 0);
        green_sleep(0.005);
        CHECK_STR(called_back[0], "EDEADLK");
        CHECK_STR(called_back[1], "127.0.0.1:1");
        done();
}

/* What a program with this in its environment says. */
static void
backend_with(const char *value, bool system)
{
        const char *old = getenv("GREEN_NO_GREENDNS");
        char saved[16];

        snprintf(saved, sizeof saved, "%s", old != NULL ? old : "");
        if (value != NULL)
                setenv("GREEN_NO_GREENDNS", value, 1);
        else
                unsetenv("GREEN_NO_GREENDNS");
        setenv("GREEN_TESTS_SAY_BACKEND", "1", 1);
        if (!CHECK_INT(suite_run_self("-b"), system ? 7 : 8))
                FAIL("that was GREEN_NO_GREENDNS=%s", value != NULL ? value : "(unset)");
        unsetenv("GREEN_TESTS_SAY_BACKEND");
        unsetenv("GREEN_NO_GREENDNS");
        if (old != NULL)
                setenv("GREEN_NO_GREENDNS", saved, 1);
}

/* Before main(), in the program that backend_with() starts. */
__attribute__((constructor)) static void
say_backend(void)
{
        if (getenv("GREEN_TESTS_SAY_BACKEND") != NULL)
                _exit(strcmp(green_dns_backend(), "system") == 0 ? 7 : 8);
}

static void
the_environment_can_ask_for_the_system(void)
{
        GREEN_COVERS("ENV-03", "DNS-01", "ISS-24");
        backend_with("yes", true);
        backend_with("YES", true);
        backend_with("Yes", true);
        if (!can_ask())
                return;
        backend_with(NULL, false);
        backend_with("", false);
        backend_with("no", false);
        backend_with("1", false);
}

GREEN_SUITE(net_dns_system) {
        GREEN_TEST(the_system_knows_localhost),
        GREEN_TEST(numeric_hosts_need_no_thread_of_the_pool),
        GREEN_TEST(others_run_while_the_system_looks),
        GREEN_TEST(a_lookup_that_waits_for_the_pool_can_be_given_up),
        GREEN_TEST(a_hub_callback_cannot_wait_for_the_system),
        GREEN_TEST(the_environment_can_ask_for_the_system),
        GREEN_SUITE_END
};
