/*
 * green_serve(): accept connections and run a handler for each.
 */
#include "net_serve.h"

#include <pthread.h>
#include <sys/resource.h>

/* ---- the ordinary */

static void
every_connection_gets_a_handler_of_its_own(void)
{
        struct service sv = {0};
        green_socket *clients[3];
        char buf[8];

        GREEN_COVERS("CONV-08", "CONV-16");
        begin(&sv, echo);
        for (int i = 0; i < 3; i++) {
                clients[i] = green_connect(sv.address, NULL);
                CHECK(clients[i] != NULL);
        }
        for (int i = 2; i >= 0; i--) {
                CHECK_INT(green_socket_send(clients[i], "abc", 3, 0), 3);
                CHECK_INT(green_socket_recv(clients[i], buf, sizeof buf, 0), 3);
        }
        CHECK_INT(sv.called, 3);
        CHECK(!sv.over);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_socket_free(clients[i]), 0);
        /* More of them one after another: their places are used again. */
        for (int i = 0; i < 100; i++) {
                clients[0] = green_connect(sv.address, NULL);
                CHECK_INT(green_socket_send(clients[0], "x", 1, 0), 1);
                CHECK_INT(green_socket_recv(clients[0], buf, sizeof buf, 0), 1);
                CHECK_INT(green_socket_free(clients[0]), 0);
        }
        CHECK_INT(sv.called, 103);
        kill_and_end(&sv);
        CHECK_STR(log_text, "");
}

static void
bad_arguments_are_refused(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct green_serve_opts opts = {.size = 3};
        struct pair p = tcp_pair();

        CHECK_INT(green_serve(NULL, echo, NULL, NULL), -EINVAL);
        CHECK_INT(green_serve(listener, NULL, NULL, NULL), -EINVAL);
        CHECK_INT(green_serve(listener, echo, NULL, &opts), -EINVAL);
        CHECK_INT(green_serve(p.a, echo, NULL, NULL), -EINVAL);
        for (int enough = 0; enough < 2; enough++) {
                memory_left = enough;
                CHECK_INT(green_serve(listener, echo, NULL, NULL), -ENOMEM);
                memory_left = -1;
        }
        CHECK_INT(green_socket_close(listener), 0);
        CHECK_INT(green_serve(listener, echo, NULL, NULL), -EBADF);
        CHECK_INT(green_socket_free(listener), 0);
        free_pair(p);
}

/* ---- the end of a handler */

static int
close_it(green_socket *client, const struct green_addr *peer, void *arg)
{
        CHECK_INT(green_socket_close(client), 0);
        return 0;
}

static int
leave(green_socket *client, const struct green_addr *peer, void *arg)
{
        struct service *sv = arg;

        green_exit(sv->answer != 0 ? green_fail(sv->answer) : NULL);
}

static void
the_client_is_closed_however_the_handler_ends(void)
{
        static const struct {
                green_serve_handler handler;
                int answer;
                const char *log;
        } ends[] = {
                {answer, 0, ""},   {answer, 5, ""}, {answer, -EIO, "(EIO)"}, {answer, GREEN_ETIMEOUT, "GREEN_ETIMEOUT"},
                {close_it, 0, ""}, {leave, 0, ""},  {leave, -EIO, "(EIO)"},
        };

        GREEN_COVERS("CONV-09", "CONV-10", "CONV-12");
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
                struct service sv = {.answer = ends[i].answer};
                green_socket *client;

                log_text[0] = '\0';
                begin(&sv, ends[i].handler);
                client = green_connect(sv.address, NULL);
                CHECK(closed(client));
                CHECK_INT(green_socket_free(client), 0);
                /* It goes on. */
                client = green_connect(sv.address, NULL);
                CHECK(closed(client));
                CHECK_INT(green_socket_free(client), 0);
                CHECK(!sv.over);
                kill_and_end(&sv);
                if (ends[i].log[0] == '\0') {
                        CHECK_STR(log_text, "");
                        continue;
                }
                CHECK_INT(times_logged(ends[i].log), 2);
                CHECK_INT(times_logged(green_strerror(ends[i].answer)), 2);
        }
}

static void
a_handler_that_was_killed_is_no_error(void)
{
        struct service sv = {0};
        green_socket *client;

        GREEN_COVERS("CONV-09", "CONV-12");
        begin(&sv, stay);
        client = green_connect(sv.address, NULL);
        UNTIL(sv.called == 1);
        CHECK_INT(green_kill(sv.handlers[0], 0), 0);
        CHECK(closed(client));
        CHECK_INT(green_thread_wait(sv.handlers[0], NULL), GREEN_EKILLED);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_STR(log_text, "");
        CHECK(!sv.over);
        kill_and_end(&sv);
        unref_handlers(&sv);
}

/* In an OS thread of its own, whose hub ends while a handler has been spawned and has not run. */
static void *
end_before_the_handler_starts(void *arg)
{
        struct service sv = {0};
        green_socket *client = green_socket_new(AF_INET, SOCK_STREAM, 0);
        struct green_addr addr;

        begin(&sv, echo);
        green_thread_unref(sv.thread);
        CHECK_INT(green_addr_parse(sv.address, &addr), 0);
        CHECK_INT(green_socket_set_timeout(client, 0), 0);
        CHECK_INT(green_socket_connect(client, &addr), -EINPROGRESS);
        accept_fault = (struct fault){0};
        while (accept_fault.calls == 0)
                green_sleep(0);
        CHECK_INT(sv.called, 0);
        CHECK_INT(green_hub_destroy(5), 0);
        CHECK_INT(sv.called, 0);
        CHECK_INT(sv.rc, GREEN_EKILLED);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(sv.listener), 0);
        return NULL;
}

static void
the_client_of_a_handler_that_never_started_is_closed(void)
{
        pthread_t thread;

        GREEN_COVERS("CONV-09");
        if (!can_fail_accept())
                return;
        CHECK_INT(pthread_create(&thread, NULL, end_before_the_handler_starts, NULL), 0);
        pthread_join(thread, NULL);
        CHECK_STR(log_text, "");
}

static void
a_handler_that_cannot_start_is_tried_again(void)
{
        struct service sv = {0};
        green_socket *client;
        struct green_addr addr;
        char byte, line[100];
        double time = hub_completes() ? 0.01 : 0.002;

        GREEN_COVERS("CONV-14");
        /* Every allocation on the way from accept to the handler fails once. */
        for (int n = 0; n < 12; n++) {
                sv = (struct service){0};
                begin(&sv, echo);
                CHECK_INT(green_addr_parse(sv.address, &addr), 0);
                client = green_socket_new(AF_INET, SOCK_STREAM, 0);
                CHECK_INT(green_socket_set_timeout(client, 0), 0);
                CHECK_INT(green_socket_connect(client, &addr), -EINPROGRESS);
                CHECK_INT(green_socket_send(client, "x", 1, 0), 1);
                memory_left = n;
                green_sleep(time);
                memory_left = -1;
                CHECK_INT(green_socket_set_timeout(client, 5), 0);
                CHECK_INT(green_socket_recv(client, &byte, 1, 0), 1);
                CHECK_INT(sv.called, 1);
                CHECK_INT(green_socket_free(client), 0);
                kill_and_end(&sv);
        }
        snprintf(line, sizeof line, "cannot accept (%s)", green_strerror(-ENOMEM));
        CHECK(logged(line));
}

/* ---- the end of the server */

static void
stopserve_ends_it_and_lets_the_handlers_run_on(void)
{
        struct service sv = {.answer = GREEN_ESTOPSERVE};
        green_socket *clients[2];

        GREEN_COVERS("CONV-11", "CONV-15");
        begin(&sv, stay);
        for (int i = 0; i < 2; i++)
                clients[i] = green_connect(sv.address, NULL);
        UNTIL(sv.called == 2);
        green_wake_one(&sv.gate, NULL);
        CHECK_INT(end(&sv), 0);
        CHECK(closed(clients[0]));
        CHECK_INT(sv.running, 1);
        CHECK(!green_thread_dead(sv.handlers[1]));
        green_wake_one(&sv.gate, NULL);
        CHECK(closed(clients[1]));
        CHECK_INT(green_thread_wait(sv.handlers[1], NULL), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_socket_free(clients[i]), 0);
        CHECK_STR(log_text, "");
        unref_handlers(&sv);
}

static void
stopserve_ends_it_when_all_places_are_taken_too(void)
{
        struct service sv = {.answer = GREEN_ESTOPSERVE, .opts = {.size = sizeof sv.opts, .concurrency = 1}};
        green_socket *client, *waiting;

        GREEN_COVERS("CONV-11");
        begin(&sv, stay);
        client = green_connect(sv.address, NULL);
        waiting = green_connect(sv.address, NULL);
        UNTIL(sv.called == 1);
        green_wake_one(&sv.gate, NULL);
        CHECK_INT(end(&sv), 0);
        CHECK_INT(sv.called, 1);
        CHECK(closed(client));
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(waiting), 0);
        unref_handlers(&sv);
}

static void
an_error_ends_it_only_when_asked(void)
{
        struct service sv = {.answer = -EIO, .opts = {.size = sizeof sv.opts, .stop_on_error = true}};
        green_socket *client;

        GREEN_COVERS("CONV-10");
        begin(&sv, answer);
        client = green_connect(sv.address, NULL);
        CHECK(closed(client));
        CHECK_INT(end(&sv), -EIO);
        CHECK_INT(times_logged("(EIO)"), 1);
        CHECK_INT(green_socket_free(client), 0);
}

static void
closing_the_listener_ends_it(void)
{
        /* While it waits for a connection, and while it waits for a place. */
        for (int full = 0; full < 2; full++) {
                struct service sv = {.opts = {.size = sizeof sv.opts, .concurrency = 1}};
                green_socket *client = NULL;

                begin(&sv, stay);
                if (full) {
                        client = green_connect(sv.address, NULL);
                        UNTIL(sv.called == 1);
                }
                CHECK_INT(green_socket_free(sv.listener), -EBUSY);
                CHECK_INT(green_socket_close(sv.listener), 0);
                CHECK_INT(green_socket_free(sv.listener), 0);
                CHECK_INT(green_thread_wait(sv.thread, NULL), 0);
                green_thread_unref(sv.thread);
                CHECK_INT(sv.rc, -ECANCELED);
                green_wake_all(&sv.gate, 0);
                if (full)
                        CHECK(closed(client));
                CHECK_INT(green_socket_free(client), 0);
                unref_handlers(&sv);
        }
}

static void
timeouts_and_limits_end_it(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct green_timeout t;

        CHECK_INT(green_timeout_start(&t, 0.02), 0);
        CHECK_INT(green_serve(listener, echo, NULL, NULL), GREEN_ETIMEOUT);
        CHECK_INT(green_serve(listener, echo, NULL, NULL), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_socket_set_timeout(listener, 0.02), 0);
        CHECK_INT(green_serve(listener, echo, NULL, NULL), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(listener, 0), 0);
        CHECK_INT(green_serve(listener, echo, NULL, NULL), -EAGAIN);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
serve_in_hub_context(void *arg)
{
        CHECK_INT(green_serve(arg, echo, NULL, NULL), -EDEADLK);
}

static void
it_needs_a_green_thread(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);

        CHECK_INT(green_schedule_call_global(0, serve_in_hub_context, listener), 0);
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- limits */

static void
no_more_are_accepted_than_there_are_places(void)
{
        struct service sv = {.opts = {.size = sizeof sv.opts, .concurrency = 2}};
        green_socket *clients[5];

        GREEN_COVERS("CONV-13");
        begin(&sv, stay);
        accept_fault = (struct fault){0};
        for (int i = 0; i < 5; i++)
                clients[i] = green_connect(sv.address, NULL);
        UNTIL(sv.called == 2);
        green_sleep(0.01);
        CHECK_INT(sv.called, 2);
        /* The others are in the backlog: nobody holds one that has no place. */
        CHECK(accept_fault.made == 2 || !accepts_by_call());
        for (int i = 2; i < 5; i++) {
                green_wake_one(&sv.gate, NULL);
                UNTIL(sv.called == i + 1);
                CHECK(accept_fault.made == i + 1 || !accepts_by_call());
        }
        CHECK_INT(sv.most, 2);
        kill_and_end(&sv);
        green_wake_all(&sv.gate, 0);
        UNTIL(sv.running == 0);
        for (int i = 0; i < 5; i++)
                CHECK_INT(green_socket_free(clients[i]), 0);
        unref_handlers(&sv);
}

static void
many_at_once_are_accepted_in_a_row(void)
{
        enum { MANY = 40 };
        struct service sv = {0};
        green_socket *clients[MANY];
        struct green_addr addr;

        begin(&sv, stay);
        CHECK_INT(green_addr_parse(sv.address, &addr), 0);
        for (int i = 0; i < MANY; i++) {
                clients[i] = green_socket_new(AF_INET, SOCK_STREAM, 0);
                CHECK_INT(green_socket_set_timeout(clients[i], 0), 0);
                CHECK_INT(green_socket_connect(clients[i], &addr), -EINPROGRESS);
        }
        CHECK_INT(sv.called, 0);
        accept_fault = (struct fault){0};
        UNTIL(sv.called == MANY);
        /* One call each, and one that finds nobody. */
        CHECK(accept_fault.calls == MANY + 1 || !accepts_by_call());
        green_wake_all(&sv.gate, 0);
        for (int i = 0; i < MANY; i++) {
                CHECK(closed(clients[i]));
                CHECK_INT(green_socket_free(clients[i]), 0);
        }
        kill_and_end(&sv);
        unref_handlers(&sv);
}

/* Valgrind has a limit of descriptors of its own, and drops connections that it accepted above it. */
static bool
limits_are_real(void)
{
        const char *preload = getenv("LD_PRELOAD");

        if (preload == NULL || strstr(preload, "vgpreload") == NULL)
                return true;
        suite_skip("Valgrind does not do RLIMIT_NOFILE as the system does");
        return false;
}

/* The lowest free descriptor. */
static int
next_fd(void)
{
        int fd = dup(2);

        close(fd);
        return fd;
}

static void
set_fd_limit(rlim_t limit)
{
        struct rlimit r;

        CHECK_INT(getrlimit(RLIMIT_NOFILE, &r), 0);
        r.rlim_cur = limit;
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &r), 0);
}

static void
out_of_descriptors_nobody_is_lost(void)
{
        enum { CLIENTS = 5 };
        struct service sv = {0};
        green_socket *clients[CLIENTS];
        struct rlimit before;
        struct rusage used, later;
        char line[100];
        int first;

        if (!limits_are_real())
                return;
        GREEN_COVERS("CONV-14");
        CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
        sv.listener = listen_here(sv.address);
        sv.handler = stay;
        for (int i = 0; i < CLIENTS; i++)
                clients[i] = green_connect(sv.address, NULL);
        /* Two more descriptors can be had: two connections are served, the others wait. */
        first = next_fd();
        set_fd_limit((rlim_t)first + 2);
        sv.thread = green_spawn(serve, &sv);
        UNTIL(sv.called == 2);
        getrusage(RUSAGE_SELF, &used);
        green_sleep(0.1);
        getrusage(RUSAGE_SELF, &later);
        CHECK_INT(sv.called, 2);
        CHECK(!sv.over);
        snprintf(line, sizeof line, "cannot accept (%s) with 2 connections open", green_strerror(-EMFILE));
        CHECK_INT(times_logged(line), 1);
        /* It does not spin meanwhile. */
        CHECK_RANGE((later.ru_utime.tv_sec - used.ru_utime.tv_sec) * 1e6 +
                            (double)(later.ru_utime.tv_usec - used.ru_utime.tv_usec),
                    0, 30e3 * suite_slow());
        /* A handler that ends makes room at once; so does the system, after a pause. */
        green_wake_one(&sv.gate, NULL);
        green_sleep(0.002);
        CHECK_INT(sv.called, 3);
        set_fd_limit(before.rlim_cur);
        UNTIL(sv.called == CLIENTS);
        CHECK_INT(times_logged("cannot accept"), 1);
        green_wake_all(&sv.gate, 0);
        for (int i = 0; i < CLIENTS; i++) {
                CHECK(closed(clients[i]));
                CHECK_INT(green_socket_free(clients[i]), 0);
        }
        kill_and_end(&sv);
        unref_handlers(&sv);
}

static void
out_of_descriptors_with_nobody_waiting_is_no_matter(void)
{
        struct service sv = {0};
        green_socket *client;
        struct green_addr addr;
        struct rlimit before;

        if (!limits_are_real())
                return;
        client = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
        sv.listener = listen_here(sv.address);
        sv.handler = answer;
        set_fd_limit((rlim_t)next_fd());
        sv.thread = green_spawn(serve, &sv);
        green_sleep(0.03);
        CHECK_STR(log_text, "");
        /* Now somebody comes. */
        CHECK_INT(green_addr_parse(sv.address, &addr), 0);
        CHECK_INT(green_socket_connect(client, &addr), 0);
        UNTIL(logged("cannot accept"));
        set_fd_limit(before.rlim_cur);
        CHECK(closed(client));
        CHECK_INT(sv.called, 1);
        CHECK_INT(green_socket_free(client), 0);
        kill_and_end(&sv);
}

static void
shortages_of_all_kinds_are_waited_out(void)
{
        static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EPROTO, EINTR};

        GREEN_COVERS("CONV-14");
        if (!can_fail_accept())
                return;
        for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
                struct service sv = {0};
                green_socket *client;

                begin(&sv, answer);
                accept_fault = (struct fault){.times = 3, .error = errors[i]};
                client = green_connect(sv.address, NULL);
                CHECK(closed(client));
                CHECK_INT(green_socket_free(client), 0);
                CHECK_INT(accept_fault.times, 0);
                kill_and_end(&sv);
        }
}

static void *
close_in_a_moment(void *arg)
{
        struct service *sv = arg;
        struct green_wait w;

        CHECK_INT(green_park(&sv->others, &w, GREEN_FOREVER), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_socket_close(sv->listener), 0);
        return NULL;
}

/* Closes the listener where memory has run out on the way to a handler. False: there was enough. */
static bool
close_between_pauses(int enough)
{
        struct service sv = {0};
        green_thread *gt = green_spawn(close_in_a_moment, &sv);
        green_socket *client;

        log_text[0] = '\0';
        begin(&sv, answer);
        client = green_connect(sv.address, NULL);
        memory_left = enough;
        UNTIL(logged("cannot accept") || sv.called > 0);
        green_wake_all(&sv.others, 0);
        CHECK_INT(green_sleep(0), 0);
        /* Both are over when the hub looks at its timers again, the pause of the server after that of the other. */
        usleep(20000);
        UNTIL(sv.over);
        memory_left = -1;
        CHECK(sv.rc == -ECANCELED || sv.rc == -EBADF);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_thread_wait(sv.thread, NULL), 0);
        green_thread_unref(sv.thread);
        CHECK_INT(green_socket_free(sv.listener), 0);
        CHECK_INT(green_socket_free(client), 0);
        return sv.called == 0;
}

static void
a_listener_that_is_closed_between_two_pauses_ends_it(void)
{
        int n = 0;

        GREEN_COVERS("CONV-14");
        while (n < 12 && close_between_pauses(n))
                n++;
        CHECK_RANGE(n, 1, 11);
}

static void
what_no_waiting_can_cure_ends_it(void)
{
        struct service sv = {0};
        green_socket *client;

        if (!can_fail_accept())
                return;
        begin(&sv, answer);
        accept_fault = (struct fault){.times = 1, .error = EPERM};
        client = green_connect(sv.address, NULL);
        CHECK_INT(end(&sv), -EPERM);
        CHECK_INT(green_socket_free(client), 0);
}

static void
say_bye(void *client)
{
        CHECK_INT(green_socket_sendall(client, "bye", 3, 0, NULL), 0);
}

static int
leaves_a_word(green_socket *client, const struct green_addr *peer, void *arg)
{
        struct service *sv = arg;

        (void)peer;
        CHECK_INT(green_defer(say_bye, client), 0);
        if (sv->answer != 0)
                green_exit(NULL);
        return 0;
}

/* However the handler ends. */
static void
clean_up_comes_before_the_client_is_closed(void)
{
        for (int exits = 0; exits < 2; exits++) {
                struct service sv = {.answer = exits};
                green_socket *c;
                char text[8];

                begin(&sv, leaves_a_word);
                c = green_connect(sv.address, NULL);
                CHECK_INT(green_socket_recv(c, text, sizeof text, 0), 3);
                CHECK_INT(green_socket_recv(c, text, sizeof text, 0), 0);
                CHECK_INT(green_socket_free(c), 0);
                kill_and_end(&sv);
        }
}

GREEN_SUITE(net_serve){GREEN_TEST(clean_up_comes_before_the_client_is_closed),
                       GREEN_TEST(every_connection_gets_a_handler_of_its_own),
                       GREEN_TEST(bad_arguments_are_refused),
                       GREEN_TEST(the_client_is_closed_however_the_handler_ends),
                       GREEN_TEST(a_handler_that_was_killed_is_no_error),
                       GREEN_TEST(the_client_of_a_handler_that_never_started_is_closed),
                       GREEN_TEST(a_handler_that_cannot_start_is_tried_again),
                       GREEN_TEST(stopserve_ends_it_and_lets_the_handlers_run_on),
                       GREEN_TEST(stopserve_ends_it_when_all_places_are_taken_too),
                       GREEN_TEST(an_error_ends_it_only_when_asked),
                       GREEN_TEST(closing_the_listener_ends_it),
                       GREEN_TEST(timeouts_and_limits_end_it),
                       GREEN_TEST(it_needs_a_green_thread),
                       GREEN_TEST(no_more_are_accepted_than_there_are_places),
                       GREEN_TEST(many_at_once_are_accepted_in_a_row),
                       GREEN_TEST(out_of_descriptors_nobody_is_lost),
                       GREEN_TEST(out_of_descriptors_with_nobody_waiting_is_no_matter),
                       GREEN_TEST(shortages_of_all_kinds_are_waited_out),
                       GREEN_TEST(a_listener_that_is_closed_between_two_pauses_ends_it),
                       GREEN_TEST(what_no_waiting_can_cure_ends_it),
                       GREEN_SUITE_END};
