/* Each allocation and system call of an HTTP server, and of its client, fails in its turn. See fault.h. */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <green/web.h>

/* The client waits for no answer longer than this: where the server has failed, it may be gone, or pause. */
#define BRIEF (0.2 * suite_slow())

/* A request that has failed ends its connection; the server goes on, and the application is told. */
#define SERVES                                                                                                         \
        (FAULT_BIT(accept4) | FAULT_BIT(alloc) | FAULT_BIT(epoll_ctl) | FAULT_BIT(getpeername) |                      \
         FAULT_BIT(getsockname) | FAULT_BIT(mmap) |                                                                    \
         FAULT_BIT(recv) | FAULT_BIT(send) | FAULT_BIT(sendmsg) | FAULT_BIT(setsockopt) | FAULT_BIT(shutdown))

static void
peer_may_be_gone(void)
{
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ETIMEDOUT);
        fault_may_give(-ECANCELED);
}

/* ---- the application */

static void
look_at(green_wsgi_request *req)
{
        const char *name, *value, *path;
        struct green_addr peer;
        size_t len;

        CHECK(green_wsgi_version(req) == 11 && green_wsgi_method(req)[0] != '\0');
        CHECK_STR(green_wsgi_header(req, "x-one"), "1");
        CHECK(green_wsgi_header_at(req, 0, &name, &value));
        CHECK_STR(green_wsgi_query(req), "q=1");
        CHECK(strchr(green_wsgi_raw_path(req), '%') != NULL);
        (void)OK(green_wsgi_peer(req, &peer));
        errno = 0;
        path = green_wsgi_path(req, &len);
        if (path == NULL)
                (void)OK(-errno);
        else
                CHECK(strncmp(path, "/a b", 4) == 0 && len >= 4);
}

static void
look_closer(green_wsgi_request *req)
{
        struct green_wsgi_pair pair;
        int port;

        errno = 0;
        TEXT_IS(green_wsgi_query_value(req, "q"), "1");
        errno = 0;
        TEXT_IS(green_wsgi_environ(req, "HTTP_X_ONE"), "1");
        errno = 0;
        TEXT_IS(green_wsgi_cookie(req, "c"), "d");
        errno = 0;
        TEXT_IS(green_wsgi_host(req, &port), "a");
        CHECK_STR(green_wsgi_scheme(req), "http");
        CHECK(green_wsgi_client(req) != NULL);
        errno = 0;
        if (!green_wsgi_cookie_at(req, 0, &pair))
                (void)OK(-errno);
        errno = 0;
        if (!green_wsgi_environ_at(req, 0, &pair))
                (void)OK(-errno);
        errno = 0;
        if (!green_wsgi_query_at(req, 0, &pair))
                (void)OK(-errno);
        if (OK(green_wsgi_environ_set(req, "MINE", "1"))) {
                errno = 0;
                TEXT_IS(green_wsgi_environ(req, "MINE"), "1");
        }
        errno = 0;
        if (green_wsgi_alloc(req, 5000) == NULL)
                (void)OK(-errno);
        CHECK(green_wsgi_get_socket(req) != NULL);
        CHECK_INT(green_wsgi_status(req), 0);
        /* The server may have been told to end before a request that had come was read. */
        CHECK_INT(green_wsgi_connection_state(req),
                  green_wsgi_closing(req) ? GREEN_WSGI_STATE_CLOSE : GREEN_WSGI_STATE_REQUEST);
}

/* A form in two pieces: what is there of it by lines, what is left as a whole, and nothing of it as a form. */
static int
read_otherwise(green_wsgi_request *req)
{
        const char *line;
        char *data, **lines;
        size_t len;
        ssize_t n;
        int rc = green_wsgi_form_read(req, 100);

        if (rc != 0)
                return rc;
        errno = 0;
        TEXT_IS(green_wsgi_form_value(req, "a"), "12");
        CHECK(green_wsgi_form_at(req, 0, &(struct green_wsgi_pair){NULL, NULL}) || errno == ENOMEM);
        if (green_wsgi_input(req) == NULL)
                return -errno;
        n = green_wsgi_readline(req, 0, &line);
        if (n < 0)
                return (int)n;
        rc = green_wsgi_readlines(req, 0, &lines, &len);
        return rc != 0 ? rc : green_wsgi_read_all(req, 100, &data, &len);
}

static void
after(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK(green_wsgi_method(req) != NULL);
}

static const struct green_wsgi_pair hints[] = {{"X-Hint", "1"}, {NULL, NULL}};

/* Everything that may be said before a response. */
static int
say_before(green_wsgi_request *req)
{
        int rc = green_wsgi_set_header(req, "X-Set", "1");

        if (rc == 0)
                rc = green_wsgi_set_cookie(req, "c", "d", NULL);
        if (rc == 0)
                rc = green_wsgi_add_post_hook(req, after, NULL);
        if (rc == 0)
                rc = green_wsgi_set_hundred_continue_response_headers(req, hints);
        if (rc == 0)
                rc = green_wsgi_send_hundred_continue_response(req);
        if (rc == 0)
                rc = green_wsgi_send_informational(req, 103, hints);
        green_wsgi_set_on_closing(req, NULL, NULL);
        return rc;
}

static int
answer_otherwise(green_wsgi_request *req)
{
        int rc = say_before(req);

        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, -1);
        if (rc != 0)
                return rc;
        CHECK_INT(green_wsgi_set_minimum_chunk_size(req, 100), 4096);
        rc = green_wsgi_collect(req, "Hello, ", 7);
        return rc != 0 ? rc : green_wsgi_printf(req, "World%s\n", "!");
}

static const char form[] = "a=12&b=3";

/* The connection becomes something else that says the last word. */
static int
take_the_connection(green_wsgi_request *req)
{
        green_socket *s = green_wsgi_upgrade(req, "echo", NULL, NULL);

        if (s == NULL)
                return -errno;
        green_wsgi_set_idle(req);
        CHECK(green_wsgi_take_over(req, NULL, NULL) == NULL && errno == EALREADY);
        return green_socket_sendall(s, "taken", 5, 0, NULL);
}

static void
discard(void *arg, const char *text, size_t len)
{
        CHECK(green_log_enabled(GREEN_LOG_ERROR));
        green_wsgi_log_to_fd((void *)(intptr_t)-1, text, len);
        (void)arg;
}

static int
read_body(green_wsgi_request *req)
{
        char buf[16];
        ssize_t n;
        int sum = 0;

        while ((n = green_wsgi_read(req, buf, sizeof buf)) > 0)
                sum += (int)n;
        if (n < 0)
                return (int)n;
        CHECK(green_wsgi_content_length(req) < 0 || sum == green_wsgi_content_length(req));
        return 0;
}

static int
answer_in_pieces(green_wsgi_request *req)
{
        static const char piece[3000];
        int rc = green_wsgi_start_response(req, 200, -1);

        for (int i = 0; rc == 0 && i < 3; i++)
                rc = green_wsgi_write(req, piece, sizeof piece);
        return rc;
}

/* A failure goes back to the server. */
static int
app(green_wsgi_request *req, void *arg)
{
        char date[GREEN_WSGI_DATE_SIZE];
        int rc;

        (void)arg;
        if (strstr(green_wsgi_raw_path(req), "upgrade") != NULL) {
                rc = take_the_connection(req);
                (void)OK(rc);
                return rc;
        }
        if (strstr(green_wsgi_raw_path(req), "workers") != NULL) {
                rc = green_workers_app(req, NULL);
                (void)OK(rc);
                return rc;
        }
        if (strstr(green_wsgi_raw_path(req), "metrics") != NULL) {
                rc = green_metrics_app(req, NULL);
                (void)OK(rc);
                return rc;
        }
        look_at(req);
        look_closer(req);
        if (strstr(green_wsgi_raw_path(req), "form") != NULL) {
                rc = read_otherwise(req);
                if (rc == 0)
                        rc = answer_otherwise(req);
                (void)OK(rc);
                return rc;
        }
        rc = read_body(req);
        if (rc == 0)
                rc = green_wsgi_add_header(req, "X-Date", green_wsgi_format_date_time(784111777, date));
        if (rc == 0)
                rc = strstr(green_wsgi_raw_path(req), "pieces") != NULL
                             ? answer_in_pieces(req)
                             : green_wsgi_respond(req, 200, "text/plain", "Hello, World!\n", 14);
        (void)OK(rc);
        return rc;
}

/* ---- the client */

/* Reads until the last answer is there; the end of the stream, a failure and another status show a fault. */
static bool
read_answers(green_socket *s, const char *last)
{
        static char text[40000];
        size_t len = 0;
        int turns = 0;

        for (;;) {
                ssize_t n = green_socket_recv(s, text + len, sizeof text - 1 - len, 0);

                /* The limit is for what a fault keeps away: before it a machine may be as slow as it likes. */
                if (n == -ETIMEDOUT && !fault_happened() && ++turns < 100)
                        continue;
                if (n < 0)
                        return OK(n);
                if (n == 0)
                        break;
                for (ssize_t i = 0; i < n; i++)
                        if (text[len + (size_t)i] == '\0')
                                text[len + (size_t)i] = '.';
                len += (size_t)n;
                text[len] = '\0';
                if (strstr(text, last) != NULL)
                        break;
        }
        text[len] = '\0';
        if (strstr(text, last) != NULL && strstr(text, "HTTP/1.1 5") == NULL)
                return true;
        fault_shows();
        return false;
}

#define HEAD " HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nCookie: c=d\r\n"

static void
talk_on(green_socket *s)
{
        static const char filled[] = "POST /a%20b/form?q=1" HEAD "Content-Type: application/x-www-form-urlencoded\r\n"
                                     "Content-Length: 8\r\n\r\n";
        static const char metrics[] = "GET /metrics" HEAD "\r\n";
        static const char workers[] = "POST /workers" HEAD "Content-Length: 0\r\n\r\n";
        static const char upgrade[] = "GET /upgrade" HEAD "Connection: upgrade\r\nUpgrade: echo\r\n\r\n";
        struct green_iovec iov[2] = {{(void *)(uintptr_t)filled, sizeof filled - 1}, {(void *)(uintptr_t)form, sizeof form - 1}};

        if (!OK(green_socket_sendallv(s, iov, 2, 0, NULL)) || !read_answers(s, "\r\n0\r\n\r\n"))
                return;
        if (!OK(green_socket_sendall(s, metrics, sizeof metrics - 1, 0, NULL)) ||
            !read_answers(s, "\ngreen_http_request_seconds_count "))
                return;
        if (!OK(green_socket_sendall(s, workers, sizeof workers - 1, 0, NULL)) || !read_answers(s, "only GET\n"))
                return;
        if (OK(green_socket_sendall(s, upgrade, sizeof upgrade - 1, 0, NULL)))
                (void)read_answers(s, "taken");
}

/* Nothing here can fail. */
static void
read_texts(void)
{
        struct green_http_part rest = {"a=b", 3}, name, value;
        struct green_wsgi_metrics m = {.size = sizeof m};
        struct green_quiet quiet;
        char buf[16];
        int64_t when;

        CHECK(green_http_next_param(&rest, &name, &value));
        rest = (struct green_http_part){"a=b", 3};
        CHECK(green_http_next_cookie(&rest, &name, &value));
        rest = (struct green_http_part){"a, b", 4};
        CHECK(green_http_next_item(&rest, &name));
        CHECK_INT(green_http_unquote("%41", 3, 0, buf), 1);
        CHECK_INT(green_http_quote("/", 1, 0, buf, sizeof buf), 3);
        CHECK_INT(green_http_parse_date("Sun, 06 Nov 1994 08:49:37 GMT", &when), 0);
        CHECK_STR(green_http_phrase(200), "OK");
        green_quiet_begin(&quiet, SIGPIPE);
        green_quiet_end(&quiet, false);
        CHECK_INT(green_wsgi_get_metrics(&m), 0);
        green_clean_up();
}

static void
talk(green_socket *s)
{
        /* Two at once, then one with a body in chunks whose answer comes in pieces. */
        static const char two[] = "GET /a%20b?q=1" HEAD "\r\n"
                                  "POST /a%20b/last?q=1" HEAD "Content-Length: 5\r\n\r\n12345";
        static const char begin[] = "POST /a%20b/pieces?q=1" HEAD "Transfer-Encoding: chunked\r\n"
                                    "Expect: 100-continue\r\n\r\n";
        static const char body[] = "5\r\n12345\r\n0\r\n\r\n";
        struct green_iovec iov[2] = {{(void *)(uintptr_t)begin, sizeof begin - 1}, {(void *)(uintptr_t)body, sizeof body - 1}};

        CHECK_INT(green_socket_set_timeout(s, BRIEF), 0);
        if (!OK(green_socket_sendall(s, two, sizeof two - 1, 0, NULL)) || !read_answers(s, "Hello, World!\n"))
                return;
        (void)OK(green_sleep(0.002)); /* it has neither a green thread nor a buffer meanwhile */
        if (OK(green_socket_sendallv(s, iov, 2, 0, NULL)) && read_answers(s, "\r\n0\r\n\r\n"))
                talk_on(s);
}

struct service {
        green_socket *listener;
        int rc;
};

static void *
serve(void *arg)
{
        const struct green_wsgi_server_opts opts = {
                .size = sizeof opts, .max_size = 4, .shutdown_timeout = BRIEF, .log = discard};
        struct service *service = arg;

        service->rc = green_wsgi_server(service->listener, app, NULL, &opts);
        if (service->rc != -ECANCELED && service->rc != -EBADF)
                (void)OK(service->rc);
        return NULL;
}

static void
server(void)
{
        struct service service = {NULL, 1};
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;
        green_thread *gt = NULL;
        green_socket *s;

        peer_may_be_gone();
        read_texts();
        if (!MADE(green_get_hub()) || !MADE(service.listener = green_listen("127.0.0.1:0", NULL)))
                return;
        if (OK(green_socket_getsockname(service.listener, &addr)) && MADE(gt = green_spawn(serve, &service))) {
                green_addr_format(&addr, address, sizeof address);
                errno = 0;
                if (MADE(s = green_connect(address, NULL))) {
                        talk(s);
                        (void)OK(green_socket_free(s));
                }
        }
        (void)OK(green_socket_close(service.listener));
        (void)OK(fault_join(gt));
        (void)OK(green_socket_free(service.listener));
}

#define SCENARIOS(X) X(server, SERVES, 0)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        fault_storm(&scenario_server, 0.5);
}

static void
a_program_that_is_stopped_and_continued_goes_on(void)
{
        fault_stopped(&scenario_server, 0.3);
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_server);
}

GREEN_SUITE(fault_web) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_TEST(a_program_that_is_stopped_and_continued_goes_on, .limit = 60),
        GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60),
        GREEN_SUITE_END
};
