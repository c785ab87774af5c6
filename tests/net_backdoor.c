/* net/backdoor.c, net/backdoor_signal.c: who is served, and what becomes of servers and consoles. */
#include "net_backdoor.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

/* One that nobody else sends here. */
#if defined(_WIN32)
#define THE_SIGNAL SIGBREAK
#else
#define THE_SIGNAL SIGUSR2
#endif

static int number = 7;

static const struct green_backdoor_variable variables[] = {{"number", GREEN_BACKDOOR_INT, &number, false, "a number"},
                                                           {.name = NULL}};

static const struct green_backdoor_opts plain = {OPTS, .variables = variables};

static const char *
unix_address(char *text, size_t size)
{
        snprintf(text, size, "unix:/tmp/green-backdoor-%ld", (long)getpid());
        unlink(text + 5);
        return text;
}

/* A hub that accepts ahead lets go of a listener a little after it was closed. */
static void
until_refused(const char *address)
{
        green_socket *s = NULL;

        for (int i = 0; i < 1000; i++) {
                s = green_connect(address, NULL);
                if (s == NULL)
                        break;
                CHECK_INT(green_socket_free(s), 0);
                green_sleep(0.001);
        }
        CHECK_PTR(s, NULL);
        CHECK_INT(green_last_error()->code, -ECONNREFUSED);
}

/* ---- serving */

static void
a_console_greets_and_answers(void)
{
        struct served sv;
        struct client c;

        GREEN_COVERS("BACK-01", "BACK-04");
        if (!serve(&sv, "127.0.0.1:0", NULL))
                return;
        CHECK_OR_RETURN(dial(&c, sv.address));
        if (until(&c, "> ")) {
                has(c.text, green_version());
                has(c.text, green_hub_name(green_get_hub()));
                has(c.text, "\"help\"");
        }
        say(&c, "help\n");
        if (until(&c, "> ")) {
                has(c.text, "ps");
                has(c.text, "the green threads of this OS thread");
        }
        say(&c, "get number\n");
        if (until(&c, "> "))
                CHECK_STR(c.text, "error: no such variable: number; \"vars\" lists them\n");
        CHECK(!sv.over);
        hang_up(&c);
        stop(&sv);
}

static void
talk_at(const char *address)
{
        struct served sv;
        struct client c;

        if (!serve(&sv, address, &plain))
                return;
        if (open_console(&c, sv.address))
                CHECK_STR(ask(&c, "get number"), "number = 7\n");
        hang_up(&c);
        stop(&sv);
}

static void
it_is_served_on_ipv6_too(void)
{
        green_socket *probe = green_listen("[::1]:0", NULL);

        GREEN_COVERS("BACK-05");
        if (probe == NULL) {
                suite_skip("there is no IPv6 here");
                return;
        }
        CHECK_INT(green_socket_free(probe), 0);
        talk_at("[::1]:0");
}

static void
the_file_of_a_unix_socket_is_private(void)
{
        char address[64];
        struct served sv;
        struct client c;
        struct stat st;

        GREEN_COVERS("BACK-05", "BACK-12");
        if (!serve(&sv, unix_address(address, sizeof address), &plain))
                return;
        if (CHECK_INT(stat(address + 5, &st), 0))
                CHECK_INT(st.st_mode & 0777, 0600);
        if (open_console(&c, sv.address))
                CHECK_STR(ask(&c, "get number"), "number = 7\n");
        hang_up(&c);
        stop(&sv);
        unlink(address + 5);
}

static void
one_console_does_not_block_its_caller(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        int turns = 0;
        green_thread *gt = green_spawn(count_turns, &turns);
        struct client c;

        GREEN_COVERS("BACK-02");
        adopt(&c, p.a);
        CHECK_INT(green_backdoor(p.b, &plain), 0);
        CHECK_INT(turns, 0);
        CHECK(until(&c, PROMPT));
        CHECK_STR(ask(&c, "get number"), "number = 7\n");
        hang_up(&c);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
}

static void
consoles_share_the_variables(void)
{
        struct client a, b;
        struct served sv;

        GREEN_COVERS("BACK-03");
        if (!serve(&sv, "127.0.0.1:0", &plain))
                return;
        if (open_console(&a, sv.address) && open_console(&b, sv.address)) {
                CHECK_STR(ask(&a, "set number 12"), "number = 12\n");
                CHECK_STR(ask(&b, "get number"), "number = 12\n");
                number = 7;
                CHECK_STR(ask(&a, "get number"), "number = 7\n");
                hang_up(&b);
        }
        hang_up(&a);
        stop(&sv);
}

static void
a_client_that_goes_ends_its_console_only(void)
{
        struct client c, stays;
        struct served sv;

        GREEN_COVERS("BACK-08");
        if (!serve(&sv, "127.0.0.1:0", &plain) || !open_console(&stays, sv.address))
                return;
        for (int i = 0; i < 6; i++) {
                struct linger reset = {1, 0};

                if (!dial(&c, sv.address))
                        break;
                if (i % 2 == 1)
                        CHECK_INT(green_socket_setsockopt(c.s, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
                if (i >= 4)
                        say(&c, "vars\nhelp\n");
                else if (i >= 2)
                        CHECK(until(&c, PROMPT));
                hang_up(&c);
                green_sleep(0.001);
        }
        CHECK_STR(ask(&stays, "get number"), "number = 7\n");
        CHECK(!sv.over);
        if (open_console(&c, sv.address))
                CHECK_STR(ask(&c, "get number"), "number = 7\n");
        hang_up(&c);
        hang_up(&stays);
        stop(&sv);
        CHECK(!logged("failed"));
}

static void
opening_and_closing_is_logged(void)
{
        char line[GREEN_ADDR_TEXT_SIZE + 64];
        struct served sv;
        struct client c;

        GREEN_COVERS("BACK-09");
        if (!serve(&sv, "127.0.0.1:0", &plain))
                return;
        snprintf(line, sizeof line, "backdoor server listening on %s\n", sv.address);
        CHECK(logged(line));
        CHECK(open_console(&c, sv.address));
        CHECK(logged("backdoor opened to 127.0.0.1:"));
        CHECK(!logged("backdoor closed"));
        say(&c, "quit\n");
        CHECK(until_end(&c));
        green_sleep(0.001);
        CHECK(logged("backdoor closed to 127.0.0.1:"));
        hang_up(&c);
        stop(&sv);
        CHECK(logged("backdoor server on "));
}

static void
quit_and_exit_end_the_console_only(void)
{
        static const char *const words[] = {"exit\n", "quit\n", "\x04"};
        struct served sv;
        struct client c;

        GREEN_COVERS("BACK-11");
        if (!serve(&sv, "127.0.0.1:0", &plain))
                return;
        for (int i = 0; i < 3; i++) {
                CHECK(open_console(&c, sv.address));
                say(&c, words[i]);
                CHECK(until_end(&c));
                CHECK_STR(c.text, "");
                hang_up(&c);
        }
        CHECK(!sv.over);
        stop(&sv);
}

/* ---- the end */

static void
a_killed_server_closes_its_listener_and_its_consoles(void)
{
        struct served sv;
        struct client c;

        GREEN_COVERS("BACK-10");
        if (!serve(&sv, "127.0.0.1:0", &plain))
                return;
        CHECK(open_console(&c, sv.address));
        stop(&sv);
        CHECK(until_end(&c));
        hang_up(&c);
        until_refused(sv.address);
}

static void
a_listener_that_is_closed_or_fails_ends_the_server(void)
{
        struct served sv;

        GREEN_COVERS("BACK-10");
        for (int i = 0; i < 2; i++) {
                if (!serve(&sv, "127.0.0.1:0", &plain))
                        return;
                if (i == 0)
                        CHECK_INT(green_socket_close(sv.listener), 0);
                else
                        CHECK_INT(shutdown(green_socket_fd(sv.listener), SHUT_RDWR), 0);
                CHECK_INT(green_thread_wait(sv.thread, NULL), 0);
                green_thread_unref(sv.thread);
                CHECK_INT(sv.rc, i == 0 ? -ECANCELED : -EINVAL);
                CHECK_INT(green_socket_fd(sv.listener), GREEN_INVALID_FD);
                CHECK_INT(green_backdoor_server(sv.listener, NULL), -EBADF);
                CHECK_INT(green_socket_free(sv.listener), 0);
        }
}

static int
wait_shielded(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)argc;
        (void)argv;
        green_shield_begin();
        (void)green_sleep(*(double *)arg);
        green_shield_end();
        return green_backdoor_printf(console, "done\n");
}

/* What it does with the variables then would be a use after free. */
static void
a_command_that_does_not_end_with_the_server_loses_the_variables(void)
{
        double seconds = 3.5;
        struct served sv;
        struct client c;

        CHECK_INT(green_backdoor_register("shielded", wait_shielded, &seconds, "waits"), 0);
        if (serve(&sv, "127.0.0.1:0", &plain) && open_console(&c, sv.address)) {
                say(&c, "shielded\n");
                green_sleep(0.01);
                stop(&sv);
                CHECK(until_end(&c));
                hang_up(&c);
        }
        CHECK_INT(green_backdoor_unregister("shielded"), 0);
}

/* ---- who may */

static void
only_loopback_is_served_unless_told_otherwise(void)
{
        static const char *const addresses[] = {"0.0.0.0:0", "[::]:0", "127.0.0.9:0"};
        const struct green_backdoor_opts anywhere = {OPTS, .anywhere = true};
        green_socket *listener;
        struct served sv;

        GREEN_COVERS("BACK-12");
        for (int i = 0; i < 2; i++) {
                listener = green_listen(addresses[i], NULL);
                if (listener == NULL)
                        continue;
                CHECK_INT(green_backdoor_server(listener, &plain), -EACCES);
                has(green_last_error()->message, "is not a loopback address");
                CHECK(green_socket_fd(listener) != GREEN_INVALID_FD);
                CHECK_INT(green_backdoor(listener, NULL), -EACCES);
                CHECK_INT(green_socket_free(listener), 0);
        }
        if (serve(&sv, "0.0.0.0:0", &anywhere))
                stop(&sv);
        if (serve(&sv, addresses[2], &plain))
                stop(&sv);
}

static double
seconds(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
who_has_no_token_is_not_let_in(void)
{
        static const char *const wrong[] = {"secre", "secrets", "", "SECRET"};
        const struct green_backdoor_opts opts = {OPTS, .variables = variables, .token = "secret"};
        struct client c, good;
        struct served sv;
        double began;

        GREEN_COVERS("BACK-12", "ISS-38");
        if (!serve(&sv, "127.0.0.1:0", &opts))
                return;
        for (size_t i = 0; i < 4; i++) {
                CHECK(dial(&c, sv.address));
                CHECK(until(&c, "token: "));
                CHECK_STR(c.text, "");
                began = seconds();
                say(&c, wrong[i]);
                say(&c, "\r\nset number 99\n");
                /* The one that waits holds up nobody. */
                CHECK(dial(&good, sv.address) && until(&good, "token: "));
                say(&good, "secret\r\n");
                CHECK(until(&good, PROMPT));
                CHECK_STR(ask(&good, "get number"), "number = 7\n");
                CHECK(seconds() - began > 0.4 || green_socket_recv(c.s, c.text, 1, MSG_DONTWAIT) == -EAGAIN);
                CHECK(until_end(&c));
                CHECK(seconds() - began > 0.4);
                CHECK_STR(c.text, "error: wrong token\n");
                CHECK_INT(number, 7);
                hang_up(&c);
                hang_up(&good);
        }
        CHECK_INT(times_logged("a wrong token from 127.0.0.1:"), 4);
        CHECK(!logged("secret"));
        stop(&sv);
}

static int
touch(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)console;
        (void)argc;
        (void)argv;
        ++*(int *)arg;
        return 0;
}

static void
a_console_that_may_only_look_changes_nothing(void)
{
        const struct green_backdoor_opts opts = {OPTS, .variables = variables, .read_only = true};
        static const char *const refused[] = {"set number 1", "kill 1", "lua", "trace on", "touch"};
        int touched = 0;
        struct client c;

        GREEN_COVERS("BACK-12", "ISS-38");
        CHECK_INT(green_backdoor_register("touch", touch, &touched, "touches"), 0);
        if (open_pair(&c, &opts)) {
                for (size_t i = 0; i < 5; i++)
                        has(ask(&c, refused[i]), ": this console can only look\n");
                CHECK_INT(touched, 0);
                CHECK_STR(ask(&c, "get number"), "number = 7\n");
                CHECK(strstr(ask(&c, "help"), "touch") == NULL);
                has(ask(&c, "ps"), "main");
        }
        hang_up(&c);
        CHECK_INT(green_backdoor_unregister("touch"), 0);
}

/* From a browser on this machine, by a page that knows the port. */
static void
an_http_request_changes_nothing(void)
{
        static const char *const requests[] = {
                "POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\nset number 99\r\nquit\r\n",
                "x: y\r\nHost: 127.0.0.1\r\n\r\nset number 99\r\nquit\r\n"};
        struct client c;

        GREEN_COVERS("BACK-12", "ISS-38");
        for (int i = 0; i < 2; i++) {
                if (open_pair(&c, &plain)) {
                        say(&c, requests[i]);
                        CHECK(until_end(&c));
                        CHECK_INT(number, 7);
                }
                hang_up(&c);
        }
        CHECK_INT(times_logged("an HTTP request from "), 2);
}

/* ---- limits */

static void
a_client_too_many_is_told_so(void)
{
        const struct green_backdoor_opts opts = {OPTS, .variables = variables, .max_consoles = 2};
        struct client a, b, c;
        struct served sv;

        if (!serve(&sv, "127.0.0.1:0", &opts))
                return;
        CHECK(open_console(&a, sv.address) && open_console(&b, sv.address) && dial(&c, sv.address));
        CHECK(until_end(&c));
        CHECK_STR(c.text, "error: there are as many consoles as there may be\n");
        hang_up(&c);
        say(&b, "quit\n");
        CHECK(until_end(&b));
        hang_up(&b);
        green_sleep(0.001);
        CHECK(open_console(&c, sv.address));
        CHECK_STR(ask(&a, "get number"), "number = 7\n");
        hang_up(&c);
        hang_up(&a);
        stop(&sv);
}

static void
an_idle_console_is_closed(void)
{
        const struct green_backdoor_opts opts = {OPTS, .variables = variables, .idle_timeout = 0.5 * suite_slow()};
        struct client c;
        char want[64];

        if (open_pair(&c, &opts)) {
                for (int i = 0; i < 3; i++) {
                        green_sleep(0.2);
                        CHECK_STR(ask(&c, "get number"), "number = 7\n");
                }
                CHECK(until_end(&c));
                snprintf(want, sizeof want, "\nclosed: nothing came for %g seconds\n", opts.idle_timeout);
                CHECK_STR(c.text, want);
        }
        hang_up(&c);
}

static int
print_much(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        int rc = 0;

        (void)argc;
        (void)argv;
        for (int i = 0; i < 200000 && rc >= 0; i++) {
                rc = green_backdoor_printf(console, "line %d of very many\n", i);
                *(int *)arg = i;
        }
        return rc < 0 ? rc : 0;
}

static void
a_client_that_reads_nothing_makes_only_its_console_wait(void)
{
        struct client slow, quick;
        struct served sv;
        int at = 0;

        GREEN_COVERS("BACK-06");
        CHECK_INT(green_backdoor_register("much", print_much, &at, "prints"), 0);
        if (serve(&sv, "127.0.0.1:0", &plain) && open_console(&slow, sv.address)) {
                say(&slow, "much\n");
                CHECK(open_console(&quick, sv.address));
                CHECK_STR(ask(&quick, "get number"), "number = 7\n");
                CHECK(at < 199999);
                hang_up(&slow);
                CHECK_STR(ask(&quick, "get number"), "number = 7\n");
                /* With the client gone it prints to nobody, and comes to its end. */
                for (int i = 0; i < 1000 && at < 199999; i++)
                        green_sleep(0.005);
                CHECK_INT(at, 199999);
                hang_up(&quick);
                stop(&sv);
        }
        CHECK_INT(green_backdoor_unregister("much"), 0);
}

static void
bad_arguments_are_errors(void)
{
        static const struct green_backdoor_variable bad[][2] = {
                {{"a b", GREEN_BACKDOOR_INT, &number, false, NULL}},
                {{"a", GREEN_BACKDOOR_INT, NULL, false, NULL}},
                {{"a", (enum green_backdoor_type)77, &number, false, NULL}}};
        struct green_backdoor_opts opts = {.size = 1};
        green_socket *listener = green_listen("127.0.0.1:0", NULL);

        CHECK_INT(green_backdoor_server(NULL, NULL), -EINVAL);
        CHECK_INT(green_backdoor(NULL, NULL), -EINVAL);
        CHECK_INT(green_backdoor_server(listener, &opts), -EINVAL);
        opts.size = sizeof opts;
        opts.idle_timeout = -1;
        CHECK_INT(green_backdoor(listener, &opts), -EINVAL);
        opts.idle_timeout = 0;
        for (int i = 0; i < 3; i++) {
                opts.variables = bad[i];
                CHECK_INT(green_backdoor_server(listener, &opts), -EINVAL);
                has(green_last_error()->message, "is not whole");
        }
        CHECK(green_backdoor_console_new(NULL, NULL) == NULL && errno == EINVAL);
        CHECK_INT(green_backdoor_console_run(NULL), -EINVAL);
        CHECK_INT(green_backdoor_console_finalize(NULL), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
without_memory_the_socket_stays_the_callers(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        int rc = -1;

        for (int i = 0; rc != 0 && i < 20; i++) {
                memory_left = i;
                rc = green_backdoor(p.b, &plain);
                memory_left = -1;
                if (rc != 0)
                        CHECK_INT(rc, -ENOMEM);
                CHECK(rc == 0 || green_socket_fd(p.b) != GREEN_INVALID_FD);
        }
        CHECK_INT(rc, 0);
        CHECK_INT(green_socket_free(p.a), 0);
}

/* ---- on a signal */

/* Let signals arrive and be acted upon, until a text is in the log so many times. */
static bool
until_logged(const char *part, int times)
{
        for (int i = 0; i < 2000 && times_logged(part) < times; i++)
                green_sleep(0.001);
        return CHECK_INT(times_logged(part), times);
}

static void
a_signal_opens_a_backdoor_and_the_next_one_closes_it(void)
{
        char address[64], *at;
        struct client c;

        GREEN_COVERS("BACK-12", "ISS-38");
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, "127.0.0.1:0", &plain), 0);
        for (int i = 1; i <= 2; i++) {
                CHECK(!logged("listening on") || i == 2);
                CHECK_INT(raise(THE_SIGNAL), 0);
                if (!until_logged("listening on ", i))
                        break;
                at = strstr(log_text, "listening on ");
                at = i == 1 ? at : strstr(at + 1, "listening on ");
                CHECK_INT(sscanf(at, "listening on %63s", address), 1);
                if (open_console(&c, address))
                        CHECK_STR(ask(&c, "get number"), "number = 7\n");
                CHECK_INT(raise(THE_SIGNAL), 0);
                CHECK(until_end(&c));
                hang_up(&c);
                CHECK(until_logged("backdoor server on ", i));
                until_refused(address);
        }
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, NULL, NULL), 0);
}

static void
its_unix_socket_is_private_and_replaces_one_left_behind(void)
{
        char address[64];
        struct green_addr addr;
        struct served other;
        struct client c;
        struct stat st;
        green_socket *old = green_socket_new(AF_UNIX, SOCK_STREAM, 0);

        GREEN_COVERS("BACK-12", "ISS-38");
        CHECK_INT(green_addr_parse(unix_address(address, sizeof address), &addr), 0);
        CHECK_INT(green_socket_bind(old, &addr), 0);
        CHECK_INT(green_socket_free(old), 0);
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, address, &plain), 0);
        CHECK_INT(raise(THE_SIGNAL), 0);
        CHECK(until_logged("listening on ", 1));
        CHECK_INT(stat(address + 5, &st), 0);
        CHECK_INT(st.st_mode & 0777, 0600);
        if (open_console(&c, address))
                CHECK_STR(ask(&c, "get number"), "number = 7\n");
        hang_up(&c);
        /* Armed anew for another address: the first is closed, and its file has gone. */
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, "127.0.0.1:0", &plain), 0);
        CHECK_INT(stat(address + 5, &st), -1);
        /* One that somebody listens on is left alone. */
        CHECK(serve(&other, address, &plain));
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, address, &plain), 0);
        CHECK_INT(raise(THE_SIGNAL), 0);
        CHECK(until_logged("cannot be listened on", 1));
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, NULL, NULL), 0);
        CHECK_INT(stat(address + 5, &st), 0);
        stop(&other);
        unlink(address + 5);
}

static void
what_cannot_be_armed_is_refused_at_once(void)
{
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, "0.0.0.0:0", NULL), -EACCES);
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, "example.org:1", NULL), -EINVAL);
        CHECK_INT(green_backdoor_on_signal(SIGKILL, "127.0.0.1:0", NULL), -EINVAL);
        CHECK_INT(green_backdoor_on_signal(THE_SIGNAL, NULL, NULL), 0);
}

GREEN_SUITE(net_backdoor){GREEN_TEST(a_console_greets_and_answers),
                          GREEN_TEST(it_is_served_on_ipv6_too),
                          GREEN_TEST(the_file_of_a_unix_socket_is_private),
                          GREEN_TEST(one_console_does_not_block_its_caller),
                          GREEN_TEST(consoles_share_the_variables),
                          GREEN_TEST(a_client_that_goes_ends_its_console_only),
                          GREEN_TEST(opening_and_closing_is_logged),
                          GREEN_TEST(quit_and_exit_end_the_console_only),
                          GREEN_TEST(a_killed_server_closes_its_listener_and_its_consoles),
                          GREEN_TEST(a_listener_that_is_closed_or_fails_ends_the_server),
                          GREEN_TEST(a_command_that_does_not_end_with_the_server_loses_the_variables),
                          GREEN_TEST(only_loopback_is_served_unless_told_otherwise),
                          GREEN_TEST(who_has_no_token_is_not_let_in),
                          GREEN_TEST(a_console_that_may_only_look_changes_nothing),
                          GREEN_TEST(an_http_request_changes_nothing),
                    GREEN_TEST(a_client_too_many_is_told_so),
                          GREEN_TEST(an_idle_console_is_closed),
                          GREEN_TEST(a_client_that_reads_nothing_makes_only_its_console_wait),
                          GREEN_TEST(bad_arguments_are_errors),
                          GREEN_TEST(without_memory_the_socket_stays_the_callers),
                          GREEN_TEST(a_signal_opens_a_backdoor_and_the_next_one_closes_it),
                          GREEN_TEST(its_unix_socket_is_private_and_replaces_one_left_behind),
                          GREEN_TEST(what_cannot_be_armed_is_refused_at_once),
                          GREEN_SUITE_END};
