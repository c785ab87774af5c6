/*
 * The access log, and who the client is behind proxies.
 */
#include "web_suite.h"

#include <pthread.h>
#include <signal.h>

static char access_text[65536];
static size_t access_len;
static int deliveries;

/* For green_wsgi_server_opts::log. */
static void
take_log(void *arg, const char *text, size_t len)
{
        (void)arg;
        CHECK(len > 0 && text[len - 1] == '\n');
        if (!CHECK(access_len + len < sizeof access_text))
                return;
        memcpy(access_text + access_len, text, len);
        access_len += len;
        access_text[access_len] = '\0';
        deliveries++;
}

static void
forget_log(void)
{
        access_len = 0;
        access_text[0] = '\0';
        deliveries = 0;
}

static int
hello(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        snprintf(s->field, sizeof s->field, "%s %s", green_wsgi_client(req), green_wsgi_scheme(req));
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

static int
in_chunks(green_wsgi_request *req, void *arg)
{
        (void)arg;
        if (green_wsgi_start_response(req, 202, -1) != 0)
                return -EIO;
        return green_wsgi_collect(req, "0123456789", 10);
}

static void
serve_logged(struct server *s, green_wsgi_app app, const char *format)
{
        s->opts.log = take_log;
        s->opts.log_format = format;
        serve(s, app);
        forget_log();
}

/* What is logged of an exchange. */
static const char *
line_of(struct server *s, const char *request)
{
        forget_log();
        (void)ask(s, request);
        while (access_len == 0)
                green_sleep(0);
        return access_text;
}

/* ---- lines */

static void
a_line_is_as_eventlets(void)
{
        struct server s = {0};
        const char *line;
        char date[32];
        int status, len, end = 0;
        double seconds;

        GREEN_COVERS("WSGI-94");
        serve_logged(&s, hello, NULL);
        line = line_of(&s, "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_INT(sscanf(line, "127.0.0.1 - - [%31[^]]] \"GET /a?b=c HTTP/1.1\" %d %d %lf\n%n", date, &status, &len, &seconds,
                         &end), 4);
        CHECK_INT(end, access_len);
        CHECK_INT(strlen(date), strlen("27/Nov/2026 10:45:18"));
        CHECK_INT(status, 200);
        CHECK_INT(len, 5);
        CHECK(seconds >= 0 && seconds < 10);
        CHECK(strchr(strrchr(line, ' '), '.') != NULL);
        CHECK_INT(strlen(strchr(strrchr(line, ' '), '.')), 1 + 6 + 1);
        stop(&s);
}

static void
every_field_is_known(void)
{
        struct server s = {0};
        char want[300];

        GREEN_COVERS("WSGI-94", "WSGI-95");
        serve_logged(&s, in_chunks, "%% %(method)s|%(path)s|%(protocol)s|%(status_code)d|%(body_length)s|%(bytes_sent)s|"
                                    "%(referer)s|%(user_agent)s|%(host)s|%(pid)s|%(request_line)s|100%%");
        snprintf(want, sizeof want, "%% PUT|/p%%20q|HTTP/1.1|202|10|%%d|http://r/|curl \\x22x\\x22|h:1|%d|PUT /p%%20q?z HTTP/1.1|100%%\n",
                 (int)getpid());
        line_of(&s, "PUT /p%20q?z HTTP/1.1\r\nHost: h:1\r\nReferer: http://r/\r\nUser-Agent: curl \"x\"\r\n\r\n");
        {
                char *sent = strstr(access_text, "|10|");
                int bytes = sent == NULL ? 0 : atoi(sent + 4);
                char full[400], *hole = strstr(want, "%d");

                /* Header, a chunk of 10 with its frame, and the last chunk. */
                CHECK(bytes > 10 + 5 + 5 + 50 && bytes < 300);
                snprintf(full, sizeof full, "%.*s%d%s", (int)(hole - want), want, bytes, hole + 2);
                CHECK_STR(access_text, full);
        }
        stop(&s);
}

static void
decimals_are_chosen(void)
{
        struct server s = {0};
        int end = 0;

        serve_logged(&s, hello, "%(wall_seconds).0f %(wall_seconds).3f");
        CHECK_INT(sscanf(line_of(&s, GET), "0 0.%*1[0-9]%*1[0-9]%*1[0-9]\n%n", &end), 0);
        CHECK_INT(end, access_len);
        stop(&s);
}

static void
a_client_cannot_write_into_the_log(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-94");
        serve_logged(&s, hello, "[%(user_agent)s]");
        line_of(&s, "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: a\tb\"c\\d\xff\r\n\r\n");
        CHECK_STR(access_text, "[a\\x09b\\x22c\\x5Cd\\xFF]\n");
        line_of(&s, GET);
        CHECK_STR(access_text, "[-]\n");
        stop(&s);
}

static void
what_is_refused_is_logged_too(void)
{
        struct server s = {.opts.url_length_limit = 64};
        char line[200];

        GREEN_COVERS("WSGI-98");
        serve_logged(&s, hello, "%(client_ip)s %(status_code)s %(request_line)s");
        CHECK_STR(line_of(&s, "GET / HTTP/3.0\r\nHost: a\r\n\r\n"), "127.0.0.1 505 GET / HTTP/3.0\n");
        CHECK_STR(line_of(&s, "GET / HTTP/1.1\r\n\r\n"), "127.0.0.1 400 GET / HTTP/1.1\n");
        CHECK_STR(line_of(&s, "nonsense\r\n\r\n"), "127.0.0.1 400 nonsense\n");
        memset(line, 'a', sizeof line);
        memcpy(line, "GET /", 5);
        snprintf(line + 100, 50, "%s", " HTTP/1.1\r\n\r\n");
        CHECK(begins(line_of(&s, line), "127.0.0.1 414 GET /aaaa"));
        CHECK_INT(s.requests, 0);
        stop(&s);
}

/* So many times a byte, in a text that begins and ends so. */
static char *
filled(const char *begin, char c, size_t n, const char *end)
{
        static char text[65536];
        size_t len = strlen(begin);

        memcpy(text, begin, len);
        memset(text + len, c, n);
        snprintf(text + len + n, sizeof text - len - n, "%s", end);
        return text;
}

#define FROM "GET /there HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: "

static void
what_is_long_hides_nothing_else(void)
{
        struct server s = {0};
        const char *line, *lengthy;
        green_socket *c;

        GREEN_COVERS("WSGI-94", "WSGI-96");
        serve_logged(&s, hello, NULL);
        line = line_of(&s, filled(FROM, '1', 3000, "\r\n\r\n"));
        CHECK(begins(line, "1111"));
        CHECK(strstr(line, "1,127.0.0.1 - - [") != NULL);
        line = line_of(&s, filled(FROM, '\\', 8000, "\r\n\r\n"));
        CHECK(begins(line, "...") && access_len <= 8192 && access_len > 4000);
        CHECK(strstr(line, "\\x5C,127.0.0.1 - - [") != NULL);
        CHECK(strstr(line, "] \"GET /there HTTP/1.1\" 200 5 ") != NULL);
        line = line_of(&s, filled("GET /", '"', 8000, " HTTP/1.1\r\nHost: a\r\n\r\n"));
        CHECK(begins(line, "127.0.0.1 - - ["));
        CHECK(strstr(line, "\" 400 ") != NULL);
        /* What is wrong is refused at once: where it comes in pieces there is less to tell. */
        if (strcmp(green_hub_name(NULL), "late") != 0) {
                CHECK(strstr(line, "\\x22...\" 400 ") != NULL);
                CHECK(access_len <= 8192 && access_len > 4000);
        }
        /* Also where there are others before it. */
        forget_log();
        lengthy = filled(FROM, '"', 8000, "\r\n\r\n");
        c = client_of(&s);
        for (int i = 0; i < 7; i++)
                say(c, lengthy);
        for (int i = 0; i < 7; i++)
                until(c, "Hello");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
        CHECK_INT(count(access_text, "\\x22,127.0.0.1 - - ["), 7);
        CHECK_INT(count(access_text, "] \"GET /there HTTP/1.1\" 200 5 0."), 7);
}

static void
what_is_long_hides_nothing_from_the_hook(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-93", "WSGI-96");
        serve(&s, hello);
        log_text[0] = '\0';
        ask(&s, filled(FROM, '1', 3000, "\r\n\r\n"));
        while (!logged("1111"))
                green_sleep(0);
        CHECK(logged("1,127.0.0.1 - - ["));
        CHECK(logged("] \"GET /there HTTP/1.1\" 200 5 0."));
        stop(&s);
}

static void
methods_and_paths_are_told_as_far_as_they_are_known(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-98");
        serve_logged(&s, hello, "%(method)s %(path)s %(protocol)s");
        CHECK_STR(line_of(&s, "GET /x HTTP/3.0\r\nHost: a\r\n\r\n"), "GET - HTTP/3.0\n");
        CHECK_STR(line_of(&s, "nonsense\r\n\r\n"), "- - -\n");
        CHECK_STR(line_of(&s, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS * HTTP/1.1\n");
        CHECK_STR(line_of(&s, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / HTTP/1.1\n");
        CHECK_STR(line_of(&s, "GET /b?c HTTP/1.0\r\n\r\n"), "GET /b HTTP/1.0\n");
        stop(&s);
}

/* Answers when its client is there no more. */
static int
too_late(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        struct green_addr peer;

        s->requests++;
        while (green_wsgi_peer(req, &peer) == 0)
                if (green_sleep(0) != 0)
                        return -EIO;
        snprintf(s->field, sizeof s->field, "%s", green_wsgi_client(req));
        return green_wsgi_respond(req, 200, NULL, "x", 1);
}

static void
a_client_that_has_gone_is_known(void)
{
        struct server s = {0};
        struct linger reset = {1, 0};
        struct green_addr addr;
        green_socket *c;
        char want[64];

        GREEN_COVERS("WSGI-94");
        serve_logged(&s, too_late, "%(client_ip)s:%(client_port)s");
        c = client_of(&s);
        CHECK_INT(green_socket_getsockname(c, &addr), 0);
        say(c, GET);
        while (s.requests < 1)
                green_sleep(0);
        CHECK_INT(green_socket_setsockopt(c, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        CHECK_INT(green_socket_free(c), 0);
        while (access_len == 0)
                green_sleep(0);
        snprintf(want, sizeof want, "127.0.0.1:%d\n", green_addr_port(&addr));
        CHECK_STR(access_text, want);
        CHECK_STR(s.field, "127.0.0.1");
        stop(&s);
}

static void
lines_come_together(void)
{
        struct server s = {0};
        green_socket *c;

        serve_logged(&s, hello, NULL);
        c = client_of(&s);
        say(c, GET GET GET GET);
        for (int i = 0; i < 4; i++)
                until(c, "Hello");
        while (access_len == 0)
                green_sleep(0);
        CHECK_INT(count(access_text, "\n"), 4);
        CHECK_INT(deliveries, 1);
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static void
more_lines_than_fit_are_all_given(void)
{
        struct server s = {0};
        char get[3000], agent[2000];
        green_socket *c;

        memset(agent, 'x', sizeof agent - 1);
        agent[sizeof agent - 1] = '\0';
        snprintf(get, sizeof get, "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n", agent);
        serve_logged(&s, hello, "%(user_agent)s");
        c = client_of(&s);
        for (int i = 0; i < 20; i++)
                say(c, get);
        for (int i = 0; i < 20; i++)
                until(c, "Hello");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
        CHECK_INT(count(access_text, agent), 20);
}

static int
upgrade(green_wsgi_request *req, void *arg)
{
        green_socket *socket = green_wsgi_upgrade(req, "echo", NULL, NULL);

        (void)arg;
        return socket == NULL ? -EIO : green_socket_sendall(socket, "hi", 2, 0, NULL);
}

static void
an_upgrade_is_logged_when_it_ends(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-99");
        serve_logged(&s, upgrade, "%(status_code)s %(request_line)s");
        CHECK_STR(line_of(&s, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"),
                  "101 GET /ws HTTP/1.1\n");
        stop(&s);
}

/* ---- where they go */

static void
without_a_log_lines_go_to_the_hook(void)
{
        struct server s = {.opts.log_format = "a line of %(status_code)s"};

        GREEN_COVERS("WSGI-93");
        CHECK(green_log_enabled(GREEN_LOG_DEBUG)); /* the suite's own hook */
        serve(&s, hello);
        ask(&s, GET);
        while (!logged("a line of 200"))
                green_sleep(0);
        stop(&s);
        CHECK(logged("wsgi starting up on http://127.0.0.1:"));
        CHECK(logged("wsgi exited"));
}

static void
the_log_can_be_switched_off(void)
{
        struct server s = {.opts.no_log_output = true};

        GREEN_COVERS("WSGI-93");
        forget_log();
        s.opts.log = take_log;
        serve(&s, hello);
        ask(&s, GET);
        stop(&s);
        CHECK_INT(access_len, 0);
}

static void
beginning_and_end_are_told(void)
{
        struct server s = {.opts.log = take_log, .opts.log_format = "a line"};
        green_socket *c;
        char want[200];

        GREEN_COVERS("WSGI-97");
        forget_log();
        serve(&s, held);
        snprintf(want, sizeof want, "(%d) wsgi starting up on http://%s\n", (int)getpid(), s.address);
        CHECK_STR(access_text, want);
        c = client_of(&s);
        say(c, GET);
        while (s.requests < 1)
                green_sleep(0);
        forget_log();
        /* The last line stands before the end. */
        green_kill(s.thread, 0);
        green_wake_all(&s.hold, 0);
        CHECK_INT(green_socket_shutdown(c, SHUT_WR), 0);
        stop(&s);
        snprintf(want, sizeof want, "a line\n(%d) wsgi exited\n", (int)getpid());
        CHECK_STR(access_text, want);
        CHECK_INT(green_socket_free(c), 0);
}

static void
connections_are_told_to_those_who_look_for_a_fault(void)
{
        struct server s = {.opts.keepalive = 0.01};
        struct green_addr addr;
        green_socket *c;
        char want[200];

        GREEN_COVERS("WSGI-97");
        serve(&s, hello);
        c = client_of(&s);
        CHECK_INT(green_socket_getsockname(c, &addr), 0);
        CHECK_STR(all_of(c), "");
        snprintf(want, sizeof want, "(%d) accepted ('127.0.0.1', %d)\n", (int)getpid(), green_addr_port(&addr));
        CHECK(logged(want));
        snprintf(want, sizeof want, "(%d) timed out ('127.0.0.1', %d)\n", (int)getpid(), green_addr_port(&addr));
        CHECK(logged(want));
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static void
over_a_unix_socket_the_client_is_unix(void)
{
        static const char *const trusted[] = {"unix", NULL};
        struct server s = {.app = hello, .opts = {.size = sizeof s.opts, .trusted_proxies = trusted, .log = take_log,
                                                  .log_format = "%(client_ip)s[%(client_port)s]"}};
        char dir[] = "/tmp/green-wsgi-XXXXXX", want[200];

        GREEN_COVERS("WSGI-96", "WSGI-97");
        CHECK(mkdtemp(dir) != NULL);
        snprintf(s.address, sizeof s.address, "unix:%s/s", dir);
        s.listener = green_listen(s.address, NULL);
        if (!CHECK(s.listener != NULL))
                return;
        forget_log();
        s.thread = green_spawn(server_main, &s);
        green_sleep(0);
        snprintf(want, sizeof want, "(%d) wsgi starting up on http:%s/s\n", (int)getpid(), dir);
        CHECK_STR(access_text, want);
        CHECK_STR(line_of(&s, GET), "unix[]\n");
        CHECK_STR(s.field, "unix http");
        CHECK_STR(line_of(&s, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 9.9.9.9\r\n\r\n"),
                  "1.1.1.1,9.9.9.9,unix[]\n");
        CHECK_STR(s.field, "9.9.9.9 http");
        snprintf(want, sizeof want, "(%d) accepted ('unix', '')\n", (int)getpid());
        CHECK(logged(want));
        stop(&s);
        unlink(s.address + 5);
        CHECK_INT(rmdir(dir), 0);
}

/* A pipe of the C library's descriptors. */
static int
make_pipe(int fds[2])
{
#if defined(_WIN32)
        return _pipe(fds, 65536, _O_BINARY | _O_NOINHERIT);
#else
        return pipe(fds);
#endif
}

static void
a_descriptor_takes_lines(void)
{
        char text[64];
        int fds[2];

        CHECK_INT(make_pipe(fds), 0);
        green_wsgi_log_to_fd((void *)(intptr_t)fds[1], "a line\n", 7);
        CHECK_INT(read(fds[0], text, sizeof text), 7);
        CHECK(memcmp(text, "a line\n", 7) == 0);
        close(fds[0]);
        close(fds[1]);
        green_wsgi_log_to_fd((void *)(intptr_t)-1, "lost\n", 5);
}

/* Reads all there is, in another OS thread; returns how many bytes were an 'x'. */
static void *
count_all(void *arg)
{
        int fd = *(const int *)arg;
        char text[1000];
        size_t found = 0;
        ssize_t n;

        while ((n = read(fd, text, sizeof text)) > 0)
                for (ssize_t i = 0; i < n; i++)
                        found += text[i] == 'x';
        return (void *)(uintptr_t)found;
}

static void
a_descriptor_that_takes_pieces_gets_all(void)
{
        static char text[1 << 20];
        pthread_t reader;
        void *found;
        int fds[2];

        memset(text, 'x', sizeof text);
        CHECK_INT(make_pipe(fds), 0);
        if (is_blocking_known())
                CHECK_INT(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
        CHECK_INT(pthread_create(&reader, NULL, count_all, fds), 0);
        green_wsgi_log_to_fd((void *)(intptr_t)fds[1], text, sizeof text);
        close(fds[1]);
        CHECK_INT(pthread_join(reader, &found), 0);
        CHECK_INT((uintptr_t)found, sizeof text);
        close(fds[0]);
}

static volatile sig_atomic_t signalled;

static void
on_signal(int signo)
{
        signalled = signo;
}

static void
a_pipe_that_nobody_reads_from_ends_nobody(void)
{
        struct sigaction now = {.sa_handler = on_signal}, before;
        int fds[2];

        signalled = 0;
        CHECK_INT(sigaction(SIGPIPE, &now, &before), 0);
        CHECK_INT(pipe(fds), 0);
        close(fds[0]);
        errno = EDOM;
        green_wsgi_log_to_fd((void *)(intptr_t)fds[1], "lost\n", 5);
        CHECK_INT(errno, EDOM);
        CHECK_INT(signalled, 0);
        close(fds[1]);
        CHECK_INT(sigaction(SIGPIPE, &before, NULL), 0);
}

/* ---- proxies */

#define XFF "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9, 10.1.2.3\r\nX-Forwarded-For: 127.0.0.2\r\n" \
            "X-Forwarded-Proto: https\r\n\r\n"

static void
what_proxies_say_is_logged(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-96");
        serve_logged(&s, hello, "%(client_ip)s");
        CHECK_STR(line_of(&s, XFF), "9.9.9.9,10.1.2.3,127.0.0.2,127.0.0.1\n");
        /* But nobody is believed. */
        CHECK_STR(s.field, "127.0.0.1 http");
        stop(&s);

        s = (struct server){.opts.no_log_x_forwarded_for = true};
        serve_logged(&s, hello, "%(client_ip)s");
        CHECK_STR(line_of(&s, XFF), "127.0.0.1\n");
        stop(&s);
}

static void
trusted_proxies_are_believed(void)
{
        static const char *const near[] = {"127.0.0.0/8", NULL};
        static const char *const both[] = {"127.0.0.0/8", "10.0.0.0/8", NULL};
        static const char *const others[] = {"192.168.0.0/16", "::1", "unix", NULL};
        struct server s = {.opts.trusted_proxies = near};

        GREEN_COVERS("WSGI-96");
        serve_logged(&s, hello, "%(client_ip)s");
        CHECK_STR(line_of(&s, XFF), "9.9.9.9,10.1.2.3,127.0.0.2,127.0.0.1\n");
        CHECK_STR(s.field, "10.1.2.3 https");
        line_of(&s, GET);
        CHECK_STR(s.field, "127.0.0.1 http");
        line_of(&s, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, garbage, 127.0.0.9\r\n\r\n");
        CHECK_STR(s.field, "127.0.0.9 http");
        line_of(&s, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: [2001:db8::1]:99\r\n\r\n");
        CHECK_STR(s.field, "2001:db8::1 http");
        stop(&s);

        s = (struct server){.opts.trusted_proxies = both};
        serve_logged(&s, hello, "%(client_ip)s");
        line_of(&s, XFF);
        CHECK_STR(s.field, "9.9.9.9 https");
        stop(&s);

        s = (struct server){.opts.trusted_proxies = others};
        serve_logged(&s, hello, "%(client_ip)s");
        CHECK_STR(line_of(&s, XFF), "127.0.0.1\n");
        CHECK_STR(s.field, "127.0.0.1 http");
        stop(&s);
}

static void
what_is_no_address_ends_the_search(void)
{
        static const char *const trusted[] = {"127.0.0.0/8", NULL};
        static const struct {
                const char *list, *client;
        } rows[] = {
                {"1.1.1.1:80", "1.1.1.1"},
                {"1.1.1.1, [::1]x, 127.0.0.9", "127.0.0.9"},
                {"1.1.1.1, [1.1.1.1], 127.0.0.9", "127.0.0.9"},
                {"1.1.1.1:x, 127.0.0.9", "127.0.0.9"},
                {"1.1.1.1:, 127.0.0.9", "127.0.0.9"},
                {"1.1.1.1 2.2.2.2", "127.0.0.1"},
                {"unknown", "127.0.0.1"},
                {"::ffff:127.0.0.8", "127.0.0.8"},
                {"1.1.1.1, ::ffff:127.0.0.8", "1.1.1.1"},
                {"[2001:DB8::1]", "2001:db8::1"},
                {"2001:db8::2", "2001:db8::2"},
        };
        struct server s = {.opts.trusted_proxies = trusted};
        char request[300], want[80];

        GREEN_COVERS("WSGI-96");
        serve_logged(&s, hello, "");
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: %s\r\n\r\n", rows[i].list);
                ask(&s, request);
                snprintf(want, sizeof want, "%s http", rows[i].client);
                CHECK_STR(s.field, want);
        }
        stop(&s);
}

static void
a_network_of_ipv6_holds_no_ipv4(void)
{
        static const char *const trusted[] = {"::/0", NULL}, *const v4[] = {"::ffff:127.0.0.0/104", NULL};
        struct server s = {.opts.trusted_proxies = trusted};

        GREEN_COVERS("WSGI-96");
        serve_logged(&s, hello, "");
        ask(&s, XFF);
        CHECK_STR(s.field, "127.0.0.1 http");
        stop(&s);
        s = (struct server){.opts.trusted_proxies = v4};
        serve_logged(&s, hello, "");
        ask(&s, XFF);
        CHECK_STR(s.field, "10.1.2.3 https");
        stop(&s);
}

static int
without_memory(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        memory_left = 0;
        snprintf(s->field, sizeof s->field, "%s", green_wsgi_client(req));
        memory_left = -1;
        return green_wsgi_respond(req, 200, NULL, NULL, 0);
}

static void
without_memory_the_client_is_not_taken_for_the_proxy(void)
{
        static const char *const trusted[] = {"127.0.0.1", NULL};
        struct server s = {.opts.trusted_proxies = trusted, .field = "unset"};

        serve_logged(&s, without_memory, "");
        CHECK(begins(ask(&s, filled(FROM, '1', 7000, "\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")), "HTTP/1.1 200 "));
        CHECK_STR(s.field, "");
        stop(&s);
}

static void
bad_layouts_and_networks_are_refused(void)
{
        static const char *const formats[] = {"%(nothing)s", "%(status_code)x", "%s", "%(client_ip", "100%", "%(status_code).3f",
                                              "%(wall_seconds).12f"};
        static const char *const networks[] = {"10.0.0.0/33", "10.0.0", "::1/129", "1.2.3.4/", "1.2.3.4/x", "host", "",
                                               "10.0.0.1:80", "10.0.0.0:80/8", "[::1]", "[::1]/8", "::1]"};
        struct green_wsgi_server_opts opts = {.size = sizeof opts};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);

        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
                opts.log_format = formats[i];
                CHECK_INT(green_wsgi_server(listener, hello, NULL, &opts), -EINVAL);
        }
        /* More than fits a line. */
        opts.log_format = filled("", 'x', 1000, "");
        CHECK_INT(green_wsgi_server(listener, hello, NULL, &opts), -EINVAL);
        CHECK(strstr(green_last_error()->message, "1000 bytes") != NULL);
        opts.log = take_log;
        opts.log_format = filled("", 'x', 9000, "%(path)s");
        CHECK_INT(green_wsgi_server(listener, hello, NULL, &opts), -EINVAL);
        CHECK(strstr(green_last_error()->message, "8192 bytes") != NULL);
        opts.log_format = NULL;
        for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
                const char *const list[] = {"::1", networks[i], NULL};

                opts.trusted_proxies = list;
                CHECK_INT(green_wsgi_server(listener, hello, NULL, &opts), -EINVAL);
                CHECK(strstr(green_last_error()->message, "trusted_proxies") != NULL);
        }
        CHECK_INT(green_socket_free(listener), 0);
}

GREEN_SUITE(web_wsgi_log) {
        GREEN_TEST(a_line_is_as_eventlets),
        GREEN_TEST(every_field_is_known),
        GREEN_TEST(decimals_are_chosen),
        GREEN_TEST(a_client_cannot_write_into_the_log),
        GREEN_TEST(what_is_refused_is_logged_too),
        GREEN_TEST(an_upgrade_is_logged_when_it_ends),
        GREEN_TEST(what_is_long_hides_nothing_else),
        GREEN_TEST(what_is_long_hides_nothing_from_the_hook),
        GREEN_TEST(methods_and_paths_are_told_as_far_as_they_are_known),
        GREEN_TEST(a_client_that_has_gone_is_known),
        GREEN_TEST(lines_come_together),
        GREEN_TEST(more_lines_than_fit_are_all_given),
        GREEN_TEST(without_a_log_lines_go_to_the_hook),
        GREEN_TEST(the_log_can_be_switched_off),
        GREEN_TEST(beginning_and_end_are_told),
        GREEN_TEST(connections_are_told_to_those_who_look_for_a_fault),
        GREEN_TEST(over_a_unix_socket_the_client_is_unix),
        GREEN_TEST(a_descriptor_takes_lines),
        GREEN_TEST(a_descriptor_that_takes_pieces_gets_all),
        GREEN_TEST(a_pipe_that_nobody_reads_from_ends_nobody),
        GREEN_TEST(what_proxies_say_is_logged),
        GREEN_TEST(trusted_proxies_are_believed),
        GREEN_TEST(what_is_no_address_ends_the_search),
        GREEN_TEST(a_network_of_ipv6_holds_no_ipv4),
        GREEN_TEST(without_memory_the_client_is_not_taken_for_the_proxy),
        GREEN_TEST(bad_layouts_and_networks_are_refused),
        GREEN_SUITE_END
};
