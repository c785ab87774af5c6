/*
 * The access log, and who the client is behind proxies.
 */
#include "web_suite.h"

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
        struct server s = {.opts.log = take_log, .opts.log_format = ""};
        char want[200];

        GREEN_COVERS("WSGI-97");
        forget_log();
        serve(&s, hello);
        snprintf(want, sizeof want, "(%d) wsgi starting up on http://%s\n", (int)getpid(), s.address);
        CHECK_STR(access_text, want);
        forget_log();
        stop(&s);
        snprintf(want, sizeof want, "(%d) wsgi exited on http://%s\n", (int)getpid(), s.address);
        CHECK(begins(access_text, "("));
        CHECK(strstr(access_text, " wsgi exited") != NULL);
}

static void
a_descriptor_takes_lines(void)
{
        char text[64];
        int fds[2];

        CHECK_INT(pipe(fds), 0);
        green_wsgi_log_to_fd((void *)(intptr_t)fds[1], "a line\n", 7);
        CHECK_INT(read(fds[0], text, sizeof text), 7);
        CHECK(memcmp(text, "a line\n", 7) == 0);
        close(fds[0]);
        close(fds[1]);
        green_wsgi_log_to_fd((void *)(intptr_t)-1, "lost\n", 5);
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
bad_layouts_and_networks_are_refused(void)
{
        static const char *const formats[] = {"%(nothing)s", "%(status_code)x", "%s", "%(client_ip", "100%", "%(status_code).3f",
                                              "%(wall_seconds).12f"};
        static const char *const networks[] = {"10.0.0.0/33", "10.0.0", "::1/129", "1.2.3.4/", "1.2.3.4/x", "host", ""};
        struct green_wsgi_server_opts opts = {.size = sizeof opts};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);

        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
                opts.log_format = formats[i];
                CHECK_INT(green_wsgi_server(listener, hello, NULL, &opts), -EINVAL);
        }
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
        GREEN_TEST(lines_come_together),
        GREEN_TEST(more_lines_than_fit_are_all_given),
        GREEN_TEST(without_a_log_lines_go_to_the_hook),
        GREEN_TEST(the_log_can_be_switched_off),
        GREEN_TEST(beginning_and_end_are_told),
        GREEN_TEST(a_descriptor_takes_lines),
        GREEN_TEST(what_proxies_say_is_logged),
        GREEN_TEST(trusted_proxies_are_believed),
        GREEN_TEST(bad_layouts_and_networks_are_refused),
        GREEN_SUITE_END
};
