/*
 * What an application may do with its response: pieces, informational ones, hooks, upgrades, and what becomes of its
 * failures.
 */
#include "web_suite.h"

#include <sys/socket.h>

#include <green/local.h>

/* The application of the test that runs; it finds the server in arg. */
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"

static const char *
body_of(const char *answer)
{
        const char *end = strstr(answer, "\r\n\r\n");

        return end == NULL ? "no header" : end + 4;
}

/* ---- collecting */

static int
pieces(green_wsgi_request *req, void *arg)
{
        char data[3000];
        int rc = green_wsgi_start_response(req, 200, -1);

        (void)arg;
        memset(data, 'x', sizeof data);
        CHECK_INT(green_wsgi_collect(req, "ab", 2), 0);
        CHECK_INT(green_wsgi_collect(req, "", 0), 0);
        CHECK_INT(green_wsgi_printf(req, "%d", 42), 0);
        /* Even where the application waits in between. */
        green_sleep(0.01);
        CHECK_INT(green_wsgi_collect(req, data, sizeof data), 0);
        CHECK_INT(green_wsgi_collect(req, data, sizeof data), 0);
        CHECK_INT(green_wsgi_collect(req, "end", 3), 0);
        return rc;
}

static void
small_pieces_become_one_chunk(void)
{
        struct server s = {0};
        const char *body;

        GREEN_COVERS("WSGI-74", "WSGI-75");
        serve(&s, pieces);
        body = body_of(ask(&s, GET));
        /* 4 + 3,000 + 3,000 bytes: more than 4,096, and so sent; then what came behind. */
        CHECK(begins(body, "1774\r\nab42xxx"));
        CHECK_STR(body + 6 + 6004 + 2, "3\r\nend\r\n0\r\n\r\n");
        stop(&s);
}

static int
at_once(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_set_minimum_chunk_size(req, 0), 4096);
        CHECK_INT(green_wsgi_collect(req, "a", 1), 0);
        CHECK_INT(green_wsgi_collect(req, "b", 1), 0);
        CHECK_INT(green_wsgi_set_minimum_chunk_size(req, 100), 0);
        CHECK_INT(green_wsgi_collect(req, "c", 1), 0);
        CHECK_INT(green_wsgi_write(req, "d", 1), 0);
        CHECK_INT(green_wsgi_collect(req, "e", 1), 0);
        return 0;
}

static void
a_request_may_choose_how_much_is_collected(void)
{
        struct server s = {0}, other = {0};

        GREEN_COVERS("WSGI-15", "WSGI-66", "WSGI-76");
        s.opts.minimum_chunk_size = 0;
        serve(&s, at_once);
        other.opts.minimum_chunk_size = 1;
        serve(&other, pieces);
        CHECK_STR(body_of(ask(&s, GET)), "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n");
        CHECK(begins(body_of(ask(&other, GET)), "2\r\nab\r\n2\r\n42\r\nbb8\r\nxxx"));
        stop(&other);
        stop(&s);
}

static int
known_length(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, 6), 0);
        CHECK_INT(green_wsgi_collect(req, "abc", 3), 0);
        CHECK_INT(green_wsgi_collect(req, "def", 3), 0);
        CHECK_INT(green_wsgi_collect(req, "g", 1), -EMSGSIZE);
        return 0;
}

static void
pieces_of_a_known_length_have_no_frames(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-71", "WSGI-79");
        serve(&s, known_length);
        answer = ask(&s, GET);
        CHECK_INT(count(answer, "Content-Length: 6\r\n"), 1);
        CHECK_STR(body_of(answer), "abcdef");
        stop(&s);
}

/* ---- taking back */

static int
twice(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_write(req, "early", 5), -EINVAL);
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_start_response(req, 404, 2), 0);
        CHECK_INT(green_wsgi_write(req, "no", 2), 0);
        CHECK_INT(green_wsgi_start_response(req, 200, 2), -EALREADY);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "no", 2), -EALREADY);
        CHECK_INT(green_wsgi_add_header(req, "X-A", "b"), -EALREADY);
        CHECK_INT(green_wsgi_status(req), 404);
        return 0;
}

static void
a_response_begun_twice_is_the_second(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-85");
        serve(&s, twice);
        answer = ask(&s, GET);
        CHECK(begins(answer, "HTTP/1.1 404 Not Found\r\n"));
        CHECK_STR(body_of(answer), "no");
        stop(&s);
}

static int
write_without_beginning(green_wsgi_request *req, void *arg)
{
        (void)arg;
        (void)green_wsgi_write(req, "data", 4);
        return 0;
}

static int
fail_before_sending(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "X-Secret", "1"), 0);
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_collect(req, "half", 4), 0);
        return green_set_error(-EIO, "the disk is on fire");
}

static int
fail_after_sending(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_write(req, "half", 4), 0);
        return -EIO;
}

static int
run_into_a_timeout(green_wsgi_request *req, void *arg)
{
        struct green_timeout t;
        int rc = green_timeout_start(&t, 0.001);

        (void)req;
        (void)arg;
        if (rc == 0)
                rc = green_sleep(5);
        (void)green_timeout_cancel(&t);
        return rc;
}

static void
a_failure_before_anything_was_sent_is_500(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-83");
        serve(&s, fail_before_sending);
        answer = ask(&s, GET GET);
        CHECK(begins(answer, "HTTP/1.1 500 Internal Server Error\r\n"));
        CHECK_INT(count(answer, "HTTP/1.1"), 1);
        CHECK_INT(count(answer, "Connection: close\r\n"), 1);
        CHECK_INT(count(answer, "Content-Length: 0\r\n"), 1);
        CHECK(strstr(answer, "half") == NULL);
        CHECK(strstr(answer, "X-Secret") == NULL);
        s.app = NULL;
        stop(&s);

        s = (struct server){0};
        serve(&s, run_into_a_timeout);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 500 "));
        stop(&s);

        s = (struct server){0};
        serve(&s, write_without_beginning);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 500 "));
        stop(&s);
}

static void
only_in_development_the_client_is_told_why(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-83");
        s.opts.debug = true;
        serve(&s, fail_before_sending);
        answer = ask(&s, GET);
        CHECK(begins(answer, "HTTP/1.1 500 "));
        CHECK(strstr(answer, "Content-Type: text/plain\r\n") != NULL);
        CHECK(strstr(body_of(answer), "EIO") != NULL);
        CHECK(strstr(body_of(answer), "the disk is on fire") != NULL);
        stop(&s);
}

static void
a_failure_after_that_cuts_the_response(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-84");
        serve(&s, fail_after_sending);
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1"), 1);
        CHECK_STR(body_of(answer), "4\r\nhalf\r\n");
        stop(&s);
}

/* ---- header */

static int
say_headers(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "x-FOO-bar", "1"), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-Twice", "a"), 0);
        CHECK_INT(green_wsgi_add_header(req, "x-twice", "b"), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-Gone", "c"), 0);
        CHECK_INT(green_wsgi_set_header(req, "X-Gone", NULL), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-New", "old"), 0);
        CHECK_INT(green_wsgi_set_header(req, "x-new", "new"), 0);
        CHECK_INT(green_wsgi_add_header(req, "Date", "then"), 0);
        CHECK_INT(green_wsgi_add_header(req, "X-Bad", "a\r\nSet-Cookie: b"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "X Bad", "a"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "Transfer-Encoding", "gzip"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "Content-Length", "1"), -EINVAL);
        CHECK_INT(green_wsgi_add_header(req, "Connection", "keep-alive"), -EINVAL);
        CHECK_INT(green_wsgi_respond(req, 299, "text/x\n", "x", 1), -EINVAL);
        return green_wsgi_respond(req, 299, "text/x", "x", 1);
}

static void
header_fields_are_checked_and_capitalized(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-69", "WSGI-70", "WSGI-80", "WSGI-82", "WSGI-92");
        serve(&s, say_headers);
        answer = ask(&s, GET);
        /* A status without a phrase is one all the same. */
        CHECK(begins(answer, "HTTP/1.1 299 \r\n"));
        CHECK_INT(count(answer, "\r\nX-Foo-Bar: 1\r\n"), 1);
        CHECK_INT(count(answer, "\r\nX-Twice: a\r\nX-Twice: b\r\n"), 1);
        CHECK_INT(count(answer, "X-Gone"), 0);
        CHECK_INT(count(answer, "\r\nX-New: new\r\n"), 1);
        CHECK_INT(count(answer, "old"), 0);
        CHECK_INT(count(answer, "\r\nDate: "), 1);
        CHECK_INT(count(answer, "\r\nDate: then\r\n"), 1);
        CHECK_INT(count(answer, "Bad"), 0);
        stop(&s);

        s = (struct server){.opts.no_capitalize_response_headers = true};
        serve(&s, say_headers);
        CHECK_INT(count(ask(&s, GET), "\r\nx-FOO-bar: 1\r\n"), 1);
        stop(&s);
}

static int
say_close(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "connection", "Close"), 0);
        return green_wsgi_respond(req, 200, NULL, "x", 1);
}

static void
connection_close_of_the_application_is_honoured(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-82");
        serve(&s, say_close);
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 200"), 1);
        CHECK_INT(count(answer, "\r\nConnection: close\r\n"), 1);
        stop(&s);
}

static int
hello(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

static void
keep_alive_is_told_to_who_asks(void)
{
        static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
        struct server s = {.opts.keepalive = 7.5};
        const char *answer;

        GREEN_COVERS("WSGI-81");
        serve(&s, hello);
        answer = ask(&s, get);
        CHECK_INT(count(answer, "\r\nConnection: keep-alive\r\nKeep-Alive: timeout=7\r\n"), 1);
        CHECK_INT(count(ask(&s, GET), "eep-"), 0);
        stop(&s);
}

static void
an_old_version_is_spoken_when_asked(void)
{
        struct server s = {.opts.max_http_version = 10};
        const char *answer;

        GREEN_COVERS("WSGI-68");
        serve(&s, pieces);
        answer = ask(&s, GET GET);
        CHECK(begins(answer, "HTTP/1.0 200 OK\r\n"));
        CHECK_INT(count(answer, "HTTP/1."), 1);
        CHECK_INT(count(answer, "chunked"), 0);
        CHECK(begins(body_of(answer), "ab42xxx"));
        stop(&s);

        s = (struct server){0};
        serve(&s, hello);
        CHECK(begins(ask(&s, "GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK\r\n"));
        stop(&s);
}

static int
stream_of_no_length(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        CHECK_INT(green_wsgi_start_response(req, (int)s->length, -1), 0);
        return green_wsgi_write(req, "body", 4);
}

static void
where_no_body_is_allowed_there_is_no_framing(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-77", "WSGI-78");
        serve(&s, stream_of_no_length);
        s.length = 204;
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 204 No Content\r\n"), 2);
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        s.length = 304;
        answer = ask(&s, GET GET);
        CHECK_INT(count(answer, "HTTP/1.1 304 "), 2);
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        s.length = 200;
        answer = ask(&s, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_INT(count(answer, "HTTP/1.1 200 "), 2);
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        answer = ask(&s, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
        CHECK_INT(count(answer, "Content-Length") + count(answer, "Transfer") + count(answer, "body"), 0);
        stop(&s);
}

/* ---- 100 and 103 */

static int
say_100(green_wsgi_request *req, void *arg)
{
        static const struct green_wsgi_pair first[] = {{"x-first", "1"}, {NULL, NULL}};
        static const struct green_wsgi_pair bad[] = {{"X-Bad", "a\nb"}, {NULL, NULL}};
        static const struct green_wsgi_pair second[] = {{"X-Second", "2"}, {NULL, NULL}};
        char data[8];

        (void)arg;
        CHECK_INT(green_wsgi_set_hundred_continue_response_headers(req, bad), -EINVAL);
        CHECK_INT(green_wsgi_set_hundred_continue_response_headers(req, first), 0);
        CHECK_INT(green_wsgi_read(req, data, 1), 1);
        CHECK_INT(green_wsgi_send_hundred_continue_response(req), 0);
        CHECK_INT(green_wsgi_set_hundred_continue_response_headers(req, second), 0);
        CHECK_INT(green_wsgi_send_hundred_continue_response(req), 0);
        CHECK_INT(green_wsgi_read(req, data, sizeof data), 2);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "ok", 2), 0);
        CHECK_INT(green_wsgi_send_hundred_continue_response(req), -EALREADY);
        return 0;
}

static void
continue_may_carry_fields_and_be_said_again(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-55", "WSGI-56");
        serve(&s, say_100);
        CHECK(begins(ask(&s, POST "abc"), "HTTP/1.1 100 Continue\r\nX-First: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                                          "HTTP/1.1 100 Continue\r\nX-Second: 2\r\n\r\nHTTP/1.1 200 OK\r\n"));
        stop(&s);
}

static int
answer_then_read(green_wsgi_request *req, void *arg)
{
        char data[8];

        (void)arg;
        CHECK_INT(green_wsgi_start_response(req, 200, -1), 0);
        CHECK_INT(green_wsgi_write(req, "now", 3), 0);
        CHECK_INT(green_wsgi_read(req, data, sizeof data), 3);
        return 0;
}

static void
once_the_response_has_begun_no_100_is_said(void)
{
        struct server s = {0};
        const char *answer;

        GREEN_COVERS("WSGI-57");
        serve(&s, answer_then_read);
        answer = ask(&s, POST "abc");
        CHECK_INT(count(answer, "HTTP/1.1"), 1);
        CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
        stop(&s);
}

static int
do_not_read(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        return green_wsgi_respond(req, 403, NULL, "no", 2);
}

static void
a_body_that_was_not_asked_for_is_not_awaited(void)
{
        struct server s = {0};
        green_socket *c;
        const char *answer;

        GREEN_COVERS("WSGI-58");
        serve(&s, do_not_read);
        c = client_of(&s);
        say(c, POST);
        answer = all_of(c); /* which comes to an end, though nothing of the body was sent */
        CHECK(begins(answer, "HTTP/1.1 403 Forbidden\r\n"));
        CHECK_INT(count(answer, "\r\nConnection: close\r\n"), 1);
        CHECK_INT(green_socket_free(c), 0);
        CHECK_INT(s.requests, 1);
        stop(&s);
}

static int
hint(green_wsgi_request *req, void *arg)
{
        static const struct green_wsgi_pair link[] = {{"Link", "</style.css>; rel=preload"}, {NULL, NULL}};

        (void)arg;
        CHECK_INT(green_wsgi_send_informational(req, 101, link), -EINVAL);
        CHECK_INT(green_wsgi_send_informational(req, 200, link), -EINVAL);
        CHECK_INT(green_wsgi_send_informational(req, 103, link), 0);
        CHECK_INT(green_wsgi_send_informational(req, 102, NULL), 0);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "ok", 2), 0);
        CHECK_INT(green_wsgi_send_informational(req, 103, link), -EALREADY);
        return 0;
}

static void
hints_come_before_the_response(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-60");
        serve(&s, hint);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
                                   "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n"));
        CHECK(begins(ask(&s, "GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK\r\n"));
        stop(&s);
}

/* ---- hooks, and what lives as long as a request */

static char order[16], letters[] = "ab";

static void
note(green_wsgi_request *req, void *arg)
{
        size_t len = strlen(order);

        order[len] = *(const char *)arg;
        order[len + 1] = '\0';
        if (green_wsgi_status(req) == 500)
                strcat(order, "!");
}

static int
with_hooks(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        CHECK_INT(green_wsgi_add_post_hook(req, NULL, NULL), -EINVAL);
        CHECK_INT(green_wsgi_add_post_hook(req, note, letters), 0);
        CHECK_INT(green_wsgi_add_post_hook(req, note, letters + 1), 0);
        CHECK_INT(strlen(order), 0);
        return s->length != 0 ? -EIO : green_wsgi_respond(req, 200, NULL, "ok", 2);
}

static void
hooks_run_after_the_response_whatever_it_was(void)
{
        struct server s = {0};
        green_socket *c;

        GREEN_COVERS("WSGI-88");
        order[0] = '\0';
        serve(&s, with_hooks);
        c = client_of(&s);
        say(c, GET);
        until(c, "ok");
        while (strlen(order) < 2)
                green_sleep(0);
        CHECK_STR(order, "ab");
        order[0] = '\0';
        s.length = 1;
        ask(&s, GET);
        CHECK_STR(order, "a!b!");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static green_local *local;
static int deferred, destroyed;

static void
on_defer(void *arg)
{
        (void)arg;
        deferred++;
}

static void
on_destroy(void *value)
{
        (void)value;
        destroyed++;
}

static int
leave_things(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        /* The green thread may be the last request's: nothing else may be. */
        CHECK(green_local_get(local) == NULL);
        CHECK_INT(deferred, s->requests - 1);
        CHECK_INT(destroyed, s->requests - 1);
        CHECK_INT(green_local_set(local, s), 0);
        CHECK_INT(green_defer(on_defer, NULL), 0);
        return green_wsgi_respond(req, 200, NULL, "ok", 2);
}

static void
nothing_of_a_request_is_left_for_the_next(void)
{
        struct green_local_opts opts = {.size = sizeof opts, .destruct = on_destroy};
        struct server s = {0};

        GREEN_COVERS("WSGI-01");
        deferred = destroyed = 0;
        local = green_local_new(&opts);
        serve(&s, leave_things);
        CHECK_INT(count(ask(&s, GET GET GET), "HTTP/1.1 200"), 3);
        CHECK_INT(s.requests, 3);
        stop(&s);
        CHECK_INT(deferred, 3);
        CHECK_INT(destroyed, 3);
        green_local_free(local);
}

static int
leave_for_good(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        (void)req;
        green_exit(NULL);
}

static void
an_application_may_end_its_green_thread(void)
{
        struct server s = {.opts.max_size = 1};

        serve(&s, leave_for_good);
        CHECK_STR(ask(&s, GET), "");
        CHECK_STR(ask(&s, GET), "");
        CHECK_INT(s.requests, 2);
        stop(&s);
}

/* ---- connections that become something else */

static int
become_an_echo(green_wsgi_request *req, void *arg)
{
        const void *data;
        char text[64];
        size_t len;
        ssize_t n;
        green_socket *socket;

        (void)arg;
        CHECK_INT(green_wsgi_add_header(req, "x-extra", "1"), 0);
        socket = green_wsgi_upgrade(req, "echo/1", &data, &len);
        if (!CHECK(socket != NULL))
                return green_wsgi_respond(req, 400, NULL, "", 0);
        CHECK(socket == green_wsgi_get_socket(req));
        memcpy(text, data, len);
        n = green_socket_recv(socket, text + len, sizeof text - len, 0);
        CHECK(n > 0);
        CHECK_INT(green_socket_sendall(socket, text, len + (size_t)n, 0, NULL), 0);
        CHECK_INT(green_wsgi_status(req), 101);
        CHECK_INT(green_wsgi_respond(req, 200, NULL, "no", 2), -EALREADY);
        return -EIO; /* which is not for the client any more */
}

static void
an_upgrade_takes_the_connection(void)
{
        struct server s = {0};
        green_socket *c;
        const char *answer;

        GREEN_COVERS("WSGI-54", "WSGI-91");
        serve(&s, become_an_echo);
        c = client_of(&s);
        say(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo/1\r\n\r\nGET / ");
        answer = until(c, "\r\n\r\n");
        CHECK_STR(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo/1\r\nConnection: Upgrade\r\nX-Extra: 1\r\n\r\n");
        say(c, "HTTP/1.1\r\n\r\n");
        CHECK_STR(all_of(c), "GET / HTTP/1.1\r\n\r\n");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

static int
upgrade_unasked(green_wsgi_request *req, void *arg)
{
        (void)arg;
        CHECK(green_wsgi_upgrade(req, "echo", NULL, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        return green_wsgi_respond(req, 426, NULL, "", 0);
}

static void
who_has_not_asked_for_it_is_not_upgraded(void)
{
        struct server s = {0};

        serve(&s, upgrade_unasked);
        CHECK(begins(ask(&s, GET), "HTTP/1.1 426 Upgrade Required\r\n"));
        stop(&s);
}

static int
take_over(green_wsgi_request *req, void *arg)
{
        green_socket *socket;

        (void)arg;
        socket = green_wsgi_take_over(req, NULL, NULL);
        if (!CHECK(socket != NULL))
                return -EIO;
        CHECK_INT(green_socket_sendall(socket, "my own words", 12, 0, NULL), 0);
        CHECK(green_wsgi_take_over(req, NULL, NULL) == NULL);
        CHECK_INT(errno, EALREADY);
        return 0;
}

static void
who_takes_over_says_it_all(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-91");
        serve(&s, take_over);
        CHECK_STR(ask(&s, GET GET), "my own words");
        stop(&s);
}

/* ---- answers do not wait for those behind them */

static int
first_quick_then_slow(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        struct green_wait w;

        if (s->requests++ == 1)
                CHECK_INT(green_park(&s->hold, &w, 5), 0);
        return green_wsgi_respond(req, 200, NULL, "Hello", 5);
}

static void
an_answer_does_not_wait_for_the_request_behind_it(void)
{
        struct server s = {0};
        green_socket *c;

        GREEN_COVERS("WSGI-41");
        serve(&s, first_quick_then_slow);
        c = client_of(&s);
        say(c, GET GET GET);
        until(c, "Hello"); /* while the second is inside */
        CHECK_INT(s.requests, 2);
        green_wake_all(&s.hold, 0);
        until(c, "Hello");
        until(c, "Hello");
        CHECK_INT(s.requests, 3);
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
}

GREEN_SUITE(web_wsgi_response) {
        GREEN_TEST(small_pieces_become_one_chunk),
        GREEN_TEST(a_request_may_choose_how_much_is_collected),
        GREEN_TEST(pieces_of_a_known_length_have_no_frames),
        GREEN_TEST(a_response_begun_twice_is_the_second),
        GREEN_TEST(a_failure_before_anything_was_sent_is_500),
        GREEN_TEST(only_in_development_the_client_is_told_why),
        GREEN_TEST(a_failure_after_that_cuts_the_response),
        GREEN_TEST(header_fields_are_checked_and_capitalized),
        GREEN_TEST(connection_close_of_the_application_is_honoured),
        GREEN_TEST(keep_alive_is_told_to_who_asks),
        GREEN_TEST(an_old_version_is_spoken_when_asked),
        GREEN_TEST(where_no_body_is_allowed_there_is_no_framing),
        GREEN_TEST(continue_may_carry_fields_and_be_said_again),
        GREEN_TEST(once_the_response_has_begun_no_100_is_said),
        GREEN_TEST(a_body_that_was_not_asked_for_is_not_awaited),
        GREEN_TEST(hints_come_before_the_response),
        GREEN_TEST(hooks_run_after_the_response_whatever_it_was),
        GREEN_TEST(nothing_of_a_request_is_left_for_the_next),
        GREEN_TEST(an_application_may_end_its_green_thread),
        GREEN_TEST(an_upgrade_takes_the_connection),
        GREEN_TEST(who_has_not_asked_for_it_is_not_upgraded),
        GREEN_TEST(who_takes_over_says_it_all),
        GREEN_TEST(an_answer_does_not_wait_for_the_request_behind_it),
        GREEN_SUITE_END
};
