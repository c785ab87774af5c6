/* WebSockets: the handshake, and what a connection is. */
#include "ws_suite.h"

/* The answer to a request, up to the end of its head. */
static const char *
answer_to(const struct bed *bed, const char *text)
{
        green_socket *c = client_of(&bed->s);
        const char *answer;

        say(c, text);
        answer = until(c, "\r\n\r\n");
        CHECK_INT(green_socket_free(c), 0);
        return answer;
}

#define HEAD "GET /a HTTP/1.1\r\nHost: a\r\n"

static void
the_answer_is_that_of_the_rfc(void)
{
        struct bed bed = {.opts = {.no_deflate = false}};
        const char *protocols[] = {"chat", NULL};

        GREEN_COVERS("WS-06");
        bed.opts.protocols = protocols;
        bed_open(&bed, echo);
        CHECK_STR(answer_to(&bed, HEAD UPGRADE KEY VERSION "\r\n"),
                  "HTTP/1.1 101 Switching Protocols\r\n" UPGRADE ACCEPT "\r\n");
        CHECK_STR(answer_to(&bed, HEAD UPGRADE KEY VERSION "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                       "Sec-WebSocket-Protocol: chat\r\n\r\n"),
                  "HTTP/1.1 101 Switching Protocols\r\n" UPGRADE ACCEPT
                  "Sec-WebSocket-Protocol: chat\r\n"
                  "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                  "client_no_context_takeover\r\n\r\n");
        bed_close(&bed);
}

static void
tokens_are_taken_in_any_case_and_in_lists(void)
{
        static const char *const good[] = {
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upGrade\r\n" KEY VERSION "\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nupgrade: WEBSOCKET\r\nconnection: UPGRADE\r\n" KEY VERSION "\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" KEY
                "Sec-WebSocket-Version: 8\r\n\r\n",
                "GET http://a/ HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n"};
        struct bed bed = {.calls = 0};

        GREEN_COVERS("WS-03", "WS-04");
        bed_open(&bed, echo);
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
                CHECK(begins(answer_to(&bed, good[i]), "HTTP/1.1 101 "));
        WAIT_UNTIL(bed.calls == (int)(sizeof good / sizeof good[0]));
        bed_close(&bed);
}

/* Each gets its status, an empty body, and the connection ends; no handler is called. */
static void
a_handshake_that_is_none_gets_its_status(void)
{
        static const struct {
                const char *status, *text, *field;
        } rows[] = {
                {"400", HEAD "\r\n", NULL},
                {"400", HEAD "Connection: Upgrade\r\n" KEY VERSION "\r\n", NULL},
                {"400", HEAD "Upgrade: websocket\r\n" KEY VERSION "\r\n", NULL},
                {"400", HEAD "Upgrade: websockets\r\nConnection: Upgrade\r\n" KEY VERSION "\r\n", NULL},
                {"400", HEAD "Upgrade: websocket\r\nConnection: close\r\n" KEY VERSION "\r\n", NULL},
                {"400", HEAD UPGRADE VERSION "\r\n", NULL},
                {"400", HEAD UPGRADE VERSION "Sec-WebSocket-Key: short\r\n\r\n", NULL},
                {"400", HEAD UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n\r\n", NULL},
                {"400", HEAD UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=!\r\n\r\n", NULL},
                {"400", HEAD UPGRADE VERSION KEY KEY "\r\n", NULL},
                {"400", "GET / HTTP/1.0\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n", NULL},
                {"400", HEAD UPGRADE KEY VERSION "Content-Length: 1\r\n\r\nx", NULL},
                {"400", HEAD UPGRADE KEY VERSION "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", NULL},
                {"405", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" UPGRADE KEY VERSION "\r\n", "Allow: GET\r\n"},
                {"405", "HEAD / HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n", "Allow: GET\r\n"},
                {"426", HEAD UPGRADE KEY "\r\n", "8, 13\r\n"},
                {"426", HEAD UPGRADE KEY "Sec-WebSocket-Version: 7\r\n\r\n", "8, 13\r\n"},
                {"426", HEAD UPGRADE KEY "Sec-WebSocket-Version: 13, 8\r\n\r\n", "8, 13\r\n"},
                {"426", HEAD UPGRADE KEY VERSION VERSION "\r\n", "8, 13\r\n"},
                /* Hixie-76, which is off. */
                {"426", HEAD UPGRADE "Sec-WebSocket-Key1: 1 1\r\nSec-WebSocket-Key2: 1 1\r\n\r\n12345678", "8, 13\r\n"}};
        struct bed bed = {.calls = 0};

        GREEN_COVERS("WS-02", "WS-03", "WS-04", "WS-05", "WS-46");
        bed_open(&bed, echo);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                const char *answer = ask(&bed.s, rows[i].text), *end = strstr(answer, "\r\n\r\n");

                if (!CHECK(begins(answer, "HTTP/1.1 ") && memcmp(answer + 9, rows[i].status, 3) == 0))
                        FAIL("row %zu: %s", i, answer);
                CHECK(strstr(answer, "Connection: close\r\n") != NULL);
                CHECK(end != NULL && end[4] == '\0');
                if (rows[i].field != NULL)
                        CHECK(strstr(answer, rows[i].field) != NULL);
        }
        CHECK_INT(bed.calls, 0);
        bed_close(&bed);
}

static void
the_first_subprotocol_of_the_client_that_is_spoken_is_taken(void)
{
        static const char *const spoken[] = {"two", "three", NULL};
        static const struct {
                const char *asked, *got;
        } rows[] = {{"Sec-WebSocket-Protocol: one, three, two\r\n", "Sec-WebSocket-Protocol: three\r\n"},
                    {"Sec-WebSocket-Protocol: one\r\nSec-WebSocket-Protocol: two\r\n", "Sec-WebSocket-Protocol: two\r\n"},
                    {"Sec-WebSocket-Protocol: Two, one\r\n", NULL},
                    {"", NULL}};
        struct bed bed = {.opts = {.protocols = spoken}};

        GREEN_COVERS("WS-07");
        bed_open(&bed, echo);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                char text[512];
                const char *answer;

                snprintf(text, sizeof text, HEAD UPGRADE KEY VERSION "%s\r\n", rows[i].asked);
                answer = answer_to(&bed, text);
                CHECK(begins(answer, "HTTP/1.1 101 "));
                CHECK_INT(count(answer, "Sec-WebSocket-Protocol: "), rows[i].got == NULL ? 0 : 1);
                if (rows[i].got != NULL)
                        CHECK(strstr(answer, rows[i].got) != NULL);
        }
        bed_close(&bed);
}

/* ---- origins */

static bool
only_ours(const char *host, const char *origin, void *arg)
{
        struct bed *bed = arg;

        bed->rc++;
        CHECK_STR(host, "a");
        return origin != NULL && strcmp(origin, "http://ours") == 0;
}

static void
the_origin_checker_decides(void)
{
        struct bed bed = {.opts = {.origin_checker = only_ours, .origin_arg = &bed}};

        GREEN_COVERS("WS-08");
        bed_open(&bed, echo);
        CHECK(begins(answer_to(&bed, HEAD UPGRADE KEY VERSION "Origin: http://ours\r\n\r\n"), "HTTP/1.1 101 "));
        CHECK(begins(ask(&bed.s, HEAD UPGRADE KEY VERSION "Origin: http://theirs\r\n\r\n"), "HTTP/1.1 403 "));
        CHECK(begins(ask(&bed.s, HEAD UPGRADE KEY VERSION "\r\n"), "HTTP/1.1 403 "));
        CHECK(begins(answer_to(&bed, HEAD UPGRADE KEY "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Origin: http://ours\r\n\r\n"),
                     "HTTP/1.1 101 "));
        CHECK_INT(bed.rc, 4);
        bed_close(&bed);
}

/* ---- what it is */

static int
look(green_websocket *ws, void *arg)
{
        struct bed *bed = arg;
        const char *path = green_websocket_path(ws);

        CHECK_STR(path, "/a b");
        CHECK_STR(green_websocket_environ(ws, "QUERY_STRING"), "c=d");
        CHECK_STR(green_websocket_environ(ws, "REQUEST_METHOD"), "GET");
        CHECK_STR(green_websocket_environ(ws, "SERVER_PROTOCOL"), "HTTP/1.1");
        CHECK_STR(green_websocket_environ(ws, "HTTP_X_ONE"), "1");
        CHECK_STR(green_websocket_environ(ws, "HTTP_COOKIE"), "k=v");
        CHECK_STR(green_websocket_environ(ws, "HTTP_HOST"), bed->s.address);
        CHECK_STR(green_websocket_environ(ws, "wsgi.url_scheme"), "http");
        CHECK_STR(green_websocket_environ(ws, "REMOTE_ADDR"), "127.0.0.1");
        CHECK(green_websocket_environ(ws, "HTTP_SEC_WEBSOCKET_KEY") != NULL);
        CHECK(green_websocket_environ(ws, "HTTP_NOTHING") == NULL);
        CHECK(green_websocket_environ(ws, NULL) == NULL && green_websocket_environ(ws, "") == NULL);
        /* Each is the same for as long as the connection lasts. */
        CHECK(green_websocket_path(ws) == path);
        CHECK_STR(green_websocket_origin(ws), "http://o");
        CHECK_STR(green_websocket_protocol(ws), "p");
        CHECK_INT(green_websocket_version(ws), 13);
        CHECK(!green_websocket_closed(ws) && !green_websocket_deflates(ws));
        CHECK_INT(green_websocket_close_code(ws), 0);
        CHECK(green_websocket_data(ws) == NULL);
        green_websocket_set_data(ws, bed);
        CHECK(green_websocket_data(ws) == bed);
        CHECK(green_socket_fd(green_websocket_get_socket(ws)) >= 0);
        bed->calls++;
        return 0;
}

static void
a_connection_tells_what_it_is(void)
{
        static const char *const protocols[] = {"p", NULL};
        static const struct green_wsgi_pair more[] = {{"X-One", "1"}, {"Cookie", "k=v"}, {NULL, NULL}};
        struct green_websocket_opts opts = {
                .size = sizeof opts, .protocols = protocols, .headers = more, .origin = "http://o", .no_deflate = true};
        struct bed bed = {.opts = {.protocols = protocols}};
        struct green_websocket_message m;
        green_websocket *ws;

        GREEN_COVERS("WS-01", "WS-11", "WS-26");
        bed_open(&bed, look);
        ws = connect_to(&bed, &opts);
        CHECK_STR(green_websocket_protocol(ws), "p");
        CHECK_STR(green_websocket_origin(ws), "http://o");
        CHECK_STR(green_websocket_path(ws), "/a b");
        CHECK_INT(green_websocket_version(ws), 13);
        CHECK(green_websocket_environ(ws, "HTTP_X_ONE") == NULL);
        CHECK_INT(green_websocket_wait(ws, &m), 0);
        CHECK_INT(green_websocket_close_code(ws), 1000);
        CHECK_INT(green_websocket_free(ws), 0);
        CHECK_INT(bed.calls, 1);
        bed_close(&bed);
}

/* An application of its own looks at requests first, and asks them. */
static int
some_paths(green_wsgi_request *req, void *arg)
{
        struct bed *bed = arg;

        if (strcmp(green_wsgi_path(req, NULL), "/a b") != 0)
                return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
        CHECK_STR(green_wsgi_query(req), "c=d");
        CHECK_STR(green_wsgi_header(req, "Host"), bed->s.address);
        CHECK_INT(green_wsgi_add_header(req, "X-More", "1"), 0);
        return green_websocket_app(req, bed->site);
}

static int
look_again(green_websocket *ws, void *arg)
{
        struct bed *bed = arg;

        CHECK_STR(green_websocket_environ(ws, "RAW_PATH_INFO"), "/a%20b");
        CHECK_STR(green_websocket_environ(ws, "QUERY_STRING"), "c=d");
        CHECK_STR(green_websocket_environ(ws, "HTTP_HOST"), bed->s.address);
        return echo(ws, arg);
}

static void
an_application_hands_some_paths_over(void)
{
        struct bed bed = {.calls = 0};
        green_websocket *ws;
        char text[300];

        GREEN_COVERS("WS-01", "WS-09");
        bed_open(&bed, look_again);
        stop(&bed.s);
        serve(&bed.s, some_paths);
        snprintf(bed.url, sizeof bed.url, "ws://%s/a%%20b?c=d", bed.s.address);
        CHECK(begins(ask(&bed.s, HEAD "\r\n"), "HTTP/1.1 200 OK"));
        ws = connect_to(&bed, NULL);
        CHECK_INT(green_websocket_send_text(ws, "hi"), 0);
        comes(ws, GREEN_WEBSOCKET_TEXT, "hi");
        CHECK_INT(green_websocket_free(ws), 0);
        snprintf(text, sizeof text, "GET /a%%20b?c=d HTTP/1.1\r\nHost: %s\r\n" UPGRADE KEY VERSION "\r\n", bed.s.address);
        CHECK(strstr(answer_to(&bed, text), ACCEPT "X-More: 1\r\n") != NULL);
        bed_close(&bed);
}

/* The connection is not there to be given any more, in the way that the query says. */
static int
too_late(green_wsgi_request *req, void *arg)
{
        struct bed *bed = arg;
        const char *way = green_wsgi_query(req);
        int rc = 0;

        if (strcmp(way, "answered") == 0)
                rc = green_wsgi_respond(req, 200, NULL, "Hello", 5);
        else if (strcmp(way, "begun") == 0)
                rc = green_wsgi_start_response(req, 200, 5) == 0 ? green_wsgi_write(req, "Hello", 5) : -EIO;
        else
                rc = green_wsgi_take_over(req, NULL, NULL) == NULL ? -EIO : 0;
        CHECK_INT(rc, 0);
        bed->rc = green_websocket_app(req, bed->site);
        return 0;
}

static void
only_a_connection_that_can_be_given_becomes_one(void)
{
        static const char *const ways[] = {"answered", "begun", "taken"};
        struct bed bed = {.calls = 0};

        GREEN_COVERS("WS-09");
        bed_open(&bed, echo);
        stop(&bed.s);
        serve(&bed.s, too_late);
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
                char text[300];
                const char *answer;

                bed.rc = 0;
                snprintf(text, sizeof text, "GET /?%s HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n", ways[i]);
                answer = ask(&bed.s, text);
                CHECK_INT(bed.rc, -EALREADY);
                CHECK(strstr(answer, "101 Switching") == NULL);
                CHECK_INT(count(answer, "Hello"), strcmp(ways[i], "taken") != 0);
        }
        CHECK_INT(bed.calls, 0);
        bed_close(&bed);
}

static void
options_that_cannot_be_are_refused(void)
{
        static const char *const no_token[] = {"a b", NULL};
        const struct green_websocket_opts rows[] = {
                {.size = 1},
                {.size = sizeof rows[0], .protocols = no_token},
                {.size = sizeof rows[0], .server_max_window_bits = 7},
                {.size = sizeof rows[0], .client_max_window_bits = 16},
                {.size = sizeof rows[0], .deflate_level = 10},
                {.size = sizeof rows[0], .ping_interval = -1},
                {.size = sizeof rows[0], .close_timeout = -1},
                {.size = sizeof rows[0], .max_frame_length = (size_t)1 << 31}};

        GREEN_COVERS("WS-02");
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                errno = 0;
                CHECK(green_websocket_wsgi(echo, NULL, &rows[i]) == NULL);
                CHECK_INT(errno, EINVAL);
        }
        CHECK(green_websocket_wsgi(NULL, NULL, NULL) == NULL);
        CHECK_INT(green_websocket_app(NULL, NULL), -EINVAL);
        green_websocket_site_unref(NULL);
}

/* Bytes that come with the request are frames already. */
static void
frames_may_come_with_the_request(void)
{
        struct bed bed = {.calls = 0};
        struct ws_peer *p;
        char text[300];

        GREEN_COVERS("WS-12");
        bed_open(&bed, echo);
        p = ws_peer_new(client_of(&bed.s), true, 5 * suite_slow());
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n");
        ws_bytes_add(&p->out, text, strlen(text));
        ws_peer_frame(p, WS_TEXT, "one", 3);
        ws_peer_frame(p, WS_PING, "p", 1);
        ws_peer_frame(p, WS_TEXT, "two", 3);
        ws_peer_flush(p, 0);
        until(p->socket, "\r\n\r\n");
        peer_gets(p, WS_PONG, "p");
        peer_gets(p, WS_TEXT, "one");
        peer_gets(p, WS_TEXT, "two");
        ws_peer_free(p);
        bed_close(&bed);
}

GREEN_SUITE(web_ws_handshake) {
        GREEN_TEST(the_answer_is_that_of_the_rfc),
        GREEN_TEST(tokens_are_taken_in_any_case_and_in_lists),
        GREEN_TEST(a_handshake_that_is_none_gets_its_status),
        GREEN_TEST(the_first_subprotocol_of_the_client_that_is_spoken_is_taken),
        GREEN_TEST(the_origin_checker_decides),
        GREEN_TEST(a_connection_tells_what_it_is),
        GREEN_TEST(an_application_hands_some_paths_over),
        GREEN_TEST(only_a_connection_that_can_be_given_becomes_one),
        GREEN_TEST(options_that_cannot_be_are_refused),
        GREEN_TEST(frames_may_come_with_the_request),
        GREEN_SUITE_END
};
