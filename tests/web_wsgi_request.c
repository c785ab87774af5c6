/*
 * What an application asks of a request: its parts, and the environ.
 */
#include "web_look.h"

#include <stddef.h>
#include <stdint.h>

/* ---- its parts */

static void
look_at_origin_form(green_wsgi_request *req)
{
        struct green_addr peer, addr;
        size_t len = 0;
        int port = 0;

        /* Twice, in orders that would show a text that another one has cut. */
        for (int i = 0; i < 2; i++) {
                CHECK_STR(green_wsgi_query(req), "x=%31?");
                CHECK_STR(green_wsgi_path(req, &len), "/a b/\xc3\xa9");
                CHECK_INT(len, 7);
                CHECK_STR(green_wsgi_raw_path(req), "/a%20b/%C3%A9");
                CHECK_STR(green_wsgi_host(req, &port), "[::1]");
                CHECK_INT(port, 8080);
                CHECK_STR(green_wsgi_header(req, "host"), "[::1]:8080");
                CHECK_STR(green_wsgi_method(req), "DELETE");
                CHECK_INT(green_wsgi_version(req), 11);
                CHECK_INT(green_wsgi_content_length(req), 0);
        }
        CHECK_PTR(green_wsgi_path(req, NULL), green_wsgi_path(req, NULL));
        CHECK_PTR(green_wsgi_host(req, NULL), green_wsgi_host(req, NULL));
        CHECK_INT(green_wsgi_peer(req, &peer), 0);
        CHECK_INT(green_socket_getpeername(green_wsgi_get_socket(req), &addr), 0);
        CHECK(green_addr_equal(&peer, &addr));
}

static void
look_at_absolute_form(green_wsgi_request *req)
{
        int port = 0;

        CHECK_STR(green_wsgi_path(req, NULL), "/q");
        CHECK_STR(green_wsgi_host(req, &port), "example.org");
        CHECK_INT(port, 81);
        CHECK_STR(green_wsgi_path(req, NULL), "/q");
        CHECK_STR(green_wsgi_query(req), "");
        CHECK_STR(green_wsgi_header(req, "Host"), "other");
}

static void
look_at_no_path(green_wsgi_request *req)
{
        int port = 0;

        CHECK_STR(green_wsgi_query(req), "x");
        CHECK_STR(green_wsgi_host(req, &port), "example.org");
        CHECK_INT(port, -1);
        CHECK_STR(green_wsgi_path(req, NULL), "/");
        CHECK_STR(green_wsgi_raw_path(req), "/");
        CHECK_STR(green_wsgi_query(req), "x");
}

static void
look_at_asterisk(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_path(req, NULL), "*");
        CHECK_STR(green_wsgi_query(req), NULL);
        CHECK_STR(green_wsgi_host(req, NULL), "a");
}

static void
look_at_old_version(green_wsgi_request *req)
{
        int port = 0;

        CHECK_INT(green_wsgi_version(req), 10);
        CHECK_STR(green_wsgi_host(req, &port), "");
        CHECK_INT(port, -1);
        CHECK_STR(green_wsgi_environ(req, "SERVER_PROTOCOL"), "HTTP/1.0");
        CHECK_STR(green_wsgi_environ(req, "HTTP_HOST"), NULL);
}

static void
the_parts_of_a_request_do_not_cut_each_other(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-54");
        serve(&s, looks);
        see(&s, "DELETE /a%20b/%C3%A9?x=%31? HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", look_at_origin_form);
        see(&s, "GET http://example.org:81/q? HTTP/1.1\r\nHost: other\r\n\r\n", look_at_absolute_form);
        see(&s, "GET http://example.org?x HTTP/1.1\r\nHost: other\r\n\r\n", look_at_no_path);
        see(&s, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", look_at_asterisk);
        see(&s, "GET / HTTP/1.0\r\n\r\n", look_at_old_version);
        stop(&s);
}

static void
look_at_fields(green_wsgi_request *req)
{
        static const char *const want[] = {"Host", "a", "X-One", "1", "x-one", "2", "X_Two", "3", "X-Empty", ""};
        const char *name = "kept", *value = "kept";

        CHECK_STR(green_wsgi_header(req, "X-ONE"), "1");
        CHECK_STR(green_wsgi_header(req, "x_two"), "3");
        CHECK_STR(green_wsgi_header(req, "x-empty"), "");
        CHECK_STR(green_wsgi_header(req, "x-none"), NULL);
        CHECK(!green_wsgi_header_at(req, 5, &name, &value));
        CHECK(!green_wsgi_header_at(req, SIZE_MAX, &name, &value));
        CHECK_STR(name, "kept");
        CHECK_STR(value, "kept");
        for (size_t i = 0; i < 5; i++) {
                CHECK(green_wsgi_header_at(req, i, &name, &value));
                CHECK_STR(name, want[2 * i]);
                CHECK_STR(value, want[2 * i + 1]);
        }
}

static void
header_fields_are_told_as_they_were_sent(void)
{
        GREEN_COVERS("WSGI-64");
        see_alone("GET / HTTP/1.1\r\nHost: a\r\nX-One:1\r\nx-one: \t 2 \t\r\nX_Two: 3\r\nX-Empty:\r\n\r\n",
                  look_at_fields);
}

static void
look_at_memory(green_wsgi_request *req)
{
        for (size_t size = 1; size < 100000; size = size * 3 + 1) {
                char *p = green_wsgi_alloc(req, size);

                if (!CHECK(p != NULL))
                        return;
                CHECK_INT((uintptr_t)p % _Alignof(max_align_t), 0);
                memset(p, 0xff, size);
        }
        CHECK_STR(green_wsgi_path(req, NULL), "/ ");
        errno = 0;
        CHECK(green_wsgi_alloc(req, SIZE_MAX) == NULL);
        CHECK_INT(errno, ENOMEM);
}

static void
memory_of_a_request_is_its_own(void)
{
        see_alone(get("/%20"), look_at_memory);
}

/* ---- the environ */

static int seen_port;

static void
look_at_environ(green_wsgi_request *req)
{
        static const struct green_wsgi_pair want[] = {
                {"REQUEST_METHOD", "POST"},
                {"SCRIPT_NAME", ""},
                {"PATH_INFO", "/a b\xe9"},
                {"RAW_PATH_INFO", "/a%20b%E9"},
                {"QUERY_STRING", "q=%20"},
                {"CONTENT_TYPE", "text/html"},
                {"CONTENT_LENGTH", "3"},
                {"SERVER_PROTOCOL", "HTTP/1.1"},
                {"SERVER_NAME", "127.0.0.1"},
                {"REMOTE_ADDR", "127.0.0.1"},
                {"GATEWAY_INTERFACE", "CGI/1.1"},
                {"HTTPS", NULL},
                {"HTTP_HOST", "example.org:1"},
                {"wsgi.version", "1.0"},
                {"wsgi.url_scheme", "http"},
                {"wsgi.multithread", "true"},
                {"wsgi.multiprocess", "false"},
                {"wsgi.run_once", "false"},
                {"request_method", NULL},
                {"", NULL},
        };
        struct green_addr addr;
        char port[16];

        for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
                CHECK_STR(green_wsgi_environ(req, want[i].name), want[i].value);
        CHECK_INT(green_socket_getsockname(green_wsgi_get_socket(req), &addr), 0);
        seen_port = green_addr_port(&addr);
        snprintf(port, sizeof port, "%d", seen_port);
        CHECK_STR(green_wsgi_environ(req, "SERVER_PORT"), port);
        CHECK_INT(green_wsgi_peer(req, &addr), 0);
        snprintf(port, sizeof port, "%d", green_addr_port(&addr));
        CHECK_STR(green_wsgi_environ(req, "REMOTE_PORT"), port);
        /* It is made once. */
        CHECK_PTR(green_wsgi_environ(req, "REMOTE_PORT"), green_wsgi_environ(req, "REMOTE_PORT"));
        CHECK_PTR(green_wsgi_environ(req, "SERVER_NAME"), green_wsgi_environ(req, "SERVER_NAME"));
}

static void
look_at_defaults(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_environ(req, "CONTENT_TYPE"), "text/plain");
        CHECK_STR(green_wsgi_environ(req, "CONTENT_LENGTH"), NULL);
        CHECK_STR(green_wsgi_environ(req, "QUERY_STRING"), NULL);
        CHECK_STR(green_wsgi_environ(req, "PATH_INFO"), "/");
}

static void
look_at_empty_query(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_environ(req, "QUERY_STRING"), "");
}

static void
the_environ_has_the_request_by_names_of_cgi(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-61", "WSGI-65");
        serve(&s, looks);
        see(&s,
            "POST /a%20b%E9?q=%20 HTTP/1.1\r\nHost: example.org:1\r\nContent-Type: text/html\r\n"
            "Content-Length: 3\r\n\r\nabc",
            look_at_environ);
        CHECK_INT(seen_port, atoi(strrchr(s.address, ':') + 1));
        see(&s, GET, look_at_defaults);
        see(&s, get("/?"), look_at_empty_query);
        stop(&s);
}

static void
look_at_field_variables(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_environ(req, "HTTP_X_ONE"), "1,2,,3");
        CHECK_STR(green_wsgi_environ(req, "HTTP_X_TWO"), "a b");
        CHECK_STR(green_wsgi_environ(req, "HTTP_X_THREE"), NULL);
        CHECK_STR(green_wsgi_environ(req, "HTTP_X-TWO"), NULL);
        CHECK_STR(green_wsgi_environ(req, "HTTP_x_TWO"), NULL);
        CHECK_STR(green_wsgi_environ(req, "HTTP_X_TW"), NULL);
        CHECK_STR(green_wsgi_environ(req, "HTTP_"), NULL);
        CHECK_STR(green_wsgi_environ(req, "HTTP_CONTENT_TYPE"), NULL);
        CHECK_STR(green_wsgi_environ(req, "HTTP_CONTENT_LENGTH"), NULL);
        CHECK_STR(green_wsgi_environ(req, "CONTENT_LENGTH"), "0");
        CHECK_STR(green_wsgi_environ(req, "CONTENT_TYPE"), "x/y");
        CHECK_STR(green_wsgi_environ(req, "HTTP_CONTENT_TYPES"), "z");
        CHECK_PTR(green_wsgi_environ(req, "HTTP_X_ONE"), green_wsgi_environ(req, "HTTP_X_ONE"));
}

static void
header_fields_are_variables(void)
{
        GREEN_COVERS("WSGI-62", "WSGI-63");
        see_alone("GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-ONE:2\r\nX-Two: \t a b \t\r\nX-one:\r\nX_Three: 3\r\n"
                  "X_One: 9\r\nX-One: 3\r\nContent-Type: x/y\r\nContent-Length: 0\r\nContent-Length: 0\r\n"
                  "Content-Types: z\r\n\r\n",
                  look_at_field_variables);
}

static int
times_listed(green_wsgi_request *req, const char *name, const char *value)
{
        struct green_wsgi_pair pair;
        int n = 0;

        for (size_t i = 0; green_wsgi_environ_at(req, i, &pair); i++) {
                if (strcmp(pair.name, name) == 0) {
                        CHECK_STR(pair.value, value);
                        n++;
                }
        }
        return n;
}

/* Each that is listed is found by its name, and no name is there twice. */
static size_t
check_list(green_wsgi_request *req)
{
        struct green_wsgi_pair pair;
        size_t n = 0;

        for (; green_wsgi_environ_at(req, n, &pair); n++) {
                CHECK_STR(green_wsgi_environ(req, pair.name), pair.value);
                CHECK_INT(times_listed(req, pair.name, pair.value), 1);
        }
        CHECK(!green_wsgi_environ_at(req, SIZE_MAX, &pair));
        return n;
}

static void
look_at_all(green_wsgi_request *req)
{
        /* 16 of the request line and the server, without those it does not have, and two of the header. */
        CHECK_INT(check_list(req), 18);
        CHECK_INT(times_listed(req, "HTTP_X_ONE", "1,2"), 1);
        CHECK_INT(times_listed(req, "HTTP_HOST", "a"), 1);
        CHECK_INT(times_listed(req, "HTTPS", ""), 0);
        CHECK_INT(times_listed(req, "CONTENT_LENGTH", ""), 0);
        CHECK_INT(times_listed(req, "HTTP_X_TWO", ""), 0);
}

static void
all_variables_are_listed_once(void)
{
        GREEN_COVERS("WSGI-61", "WSGI-62", "WSGI-63");
        see_alone("GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-One: 2\r\nX_Two: 3\r\n\r\n", look_at_all);
}

static void
clobber(green_wsgi_request *req)
{
        static const char *const names[] = {"REQUEST_METHOD", "PATH_INFO",    "SERVER_PROTOCOL", "CONTENT_LENGTH",
                                            "HTTP_HOST",      "wsgi.version", "HTTP_X_ONE",      "own=name"};
        struct green_wsgi_pair pair;
        char name[16] = "COPIED", value[16] = "copied", body[8];
        size_t n;

        CHECK(green_wsgi_environ_at(req, 0, &pair));
        n = check_list(req);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                CHECK_INT(green_wsgi_environ_set(req, names[i], "mine"), 0);
                CHECK_STR(green_wsgi_environ(req, names[i]), "mine");
                CHECK_INT(times_listed(req, names[i], "mine"), 1);
        }
        CHECK_INT(check_list(req), n + 1);
        CHECK_INT(green_wsgi_environ_set(req, name, value), 0);
        memset(name, 'x', sizeof name - 1);
        memset(value, 'x', sizeof value - 1);
        CHECK_STR(green_wsgi_environ(req, "COPIED"), "copied");
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                CHECK_INT(green_wsgi_environ_set(req, names[i], NULL), 0);
                CHECK_STR(green_wsgi_environ(req, names[i]), NULL);
                CHECK_INT(times_listed(req, names[i], ""), 0);
        }
        CHECK_INT(check_list(req), n - 6);
        CHECK_INT(green_wsgi_environ_set(req, "HTTP_HOST", "again"), 0);
        CHECK_STR(green_wsgi_environ(req, "HTTP_HOST"), "again");
        CHECK_INT(green_wsgi_environ_set(req, "", "x"), -EINVAL);
        CHECK_INT(green_wsgi_environ_set(req, NULL, "x"), -EINVAL);
        /* The server does not look there. */
        CHECK_STR(green_wsgi_method(req), "POST");
        CHECK_STR(green_wsgi_header(req, "Host"), "a");
        CHECK_INT(green_wsgi_read(req, body, sizeof body), 3);
}

static void
an_application_may_set_any_variable(void)
{
        struct server s = {0};

        GREEN_COVERS("WSGI-67");
        serve(&s, looks);
        see(&s,
            "POST / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 3\r\n\r\nabc"
            "POST / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 3\r\n\r\nabc",
            clobber);
        CHECK_INT(s.requests, 2);
        stop(&s);
}

static void
look_at_servers_own(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_environ(req, "SITE"), "one");
        CHECK_STR(green_wsgi_environ(req, "EMPTY"), "");
        CHECK_STR(green_wsgi_environ(req, "REQUEST_METHOD"), "GET");
        CHECK_STR(green_wsgi_environ(req, "HTTP_HOST"), "a");
        CHECK_STR(green_wsgi_environ(req, "HTTP_X"), "only here");
        CHECK_INT(times_listed(req, "SITE", "one"), 1);
        CHECK_INT(times_listed(req, "HTTP_HOST", "a"), 1);
        check_list(req);
        CHECK_INT(green_wsgi_environ_set(req, "SITE", NULL), 0);
        CHECK_STR(green_wsgi_environ(req, "SITE"), NULL);
        CHECK_INT(times_listed(req, "SITE", ""), 0);
}

static void
a_server_has_variables_of_its_own(void)
{
        char site[] = "one";
        struct green_wsgi_pair own[] = {{"SITE", site},         {"EMPTY", ""},         {"REQUEST_METHOD", "PUT"},
                                        {"HTTP_HOST", "other"}, {"HTTP_X", "only here"}, {"SITE", "second"},
                                        {NULL, NULL}};
        struct server s = {.opts.environ = own};

        GREEN_COVERS("WSGI-65");
        serve(&s, looks);
        memset(own, 0, sizeof own);
        memset(site, 'x', 3);
        see(&s, GET GET, look_at_servers_own);
        CHECK_INT(s.requests, 2);
        stop(&s);
}

static void
a_variable_of_the_server_needs_a_proper_name(void)
{
        static const struct green_wsgi_pair bad[][2] = {{{"A=B", "x"}}, {{"", "x"}}, {{"A", NULL}}};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct green_wsgi_server_opts opts = {.size = sizeof opts, .environ = bad[i]};

                CHECK_INT(green_wsgi_server(listener, looks, NULL, &opts), -EINVAL);
                CHECK(strstr(green_last_error()->message, "environ: ") != NULL);
                CHECK(green_socket_fd(listener) != GREEN_INVALID_FD);
        }
        CHECK_INT(green_socket_free(listener), 0);
}

static void
look_at_unix(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_environ(req, "SERVER_NAME"), "unix");
        CHECK_STR(green_wsgi_environ(req, "SERVER_PORT"), "");
        CHECK_STR(green_wsgi_environ(req, "REMOTE_ADDR"), "unix");
        CHECK_STR(green_wsgi_environ(req, "REMOTE_PORT"), "");
        check_list(req);
}

static void
look_at_ipv6(green_wsgi_request *req)
{
        CHECK_STR(green_wsgi_environ(req, "SERVER_NAME"), "::1");
        CHECK_STR(green_wsgi_environ(req, "REMOTE_ADDR"), "::1");
        CHECK(atoi(green_wsgi_environ(req, "SERVER_PORT")) > 0);
        CHECK(atoi(green_wsgi_environ(req, "REMOTE_PORT")) > 0);
}

static void
see_at(green_socket *listener, void (*fn)(green_wsgi_request *req))
{
        struct server s = {.listener = listener, .app = looks, .opts.size = sizeof s.opts};
        struct green_addr addr;

        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        green_addr_format(&addr, s.address, sizeof s.address);
        s.thread = green_spawn(server_main, &s);
        green_sleep(0);
        see(&s, GET, fn);
        stop(&s);
}

static void
a_unix_socket_has_no_port(void)
{
        char folder[] = "/tmp/green-wsgi-XXXXXX", path[64], address[80];
        green_socket *listener;

        GREEN_COVERS("WSGI-17", "WSGI-61");
        if (!CHECK(mkdtemp(folder) != NULL))
                return;
        snprintf(path, sizeof path, "%s/s", folder);
        snprintf(address, sizeof address, "unix:%s", path);
        listener = green_listen(address, NULL);
        if (CHECK(listener != NULL))
                see_at(listener, look_at_unix);
        unlink(path);
        CHECK_INT(rmdir(folder), 0);
}

static void
an_ipv6_address_stands_without_brackets(void)
{
        green_socket *listener = green_listen("[::1]:0", NULL);

        GREEN_COVERS("WSGI-17");
        if (listener == NULL) {
                suite_skip("there is no IPv6 here");
                return;
        }
        see_at(listener, look_at_ipv6);
}

/* ---- what fails */

/* Each way to ask, with memory for so many allocations: right, or refused for want of it. */
static bool
ask_with_memory_for(green_wsgi_request *req, int n)
{
        struct green_wsgi_pair pair;
        const char *values[6];
        size_t count = 0;
        bool ok;

        errno = 0;
        memory_left = n;
        ok = (values[0] = green_wsgi_path(req, NULL)) != NULL;
        ok = ok && (values[1] = green_wsgi_query_value(req, "q")) != NULL;
        ok = ok && (values[2] = green_wsgi_cookie(req, "c")) != NULL;
        ok = ok && (values[3] = green_wsgi_environ(req, "HTTP_X")) != NULL;
        ok = ok && (values[4] = green_wsgi_environ(req, "SERVER_NAME")) != NULL;
        ok = ok && (values[5] = green_wsgi_host(req, NULL)) != NULL;
        while (ok && green_wsgi_environ_at(req, count, &pair))
                count++;
        ok = ok && count > 0;
        ok = ok && green_wsgi_environ_set(req, "SET", values[3]) == 0;
        memory_left = -1;
        if (!ok) {
                CHECK_INT(errno, ENOMEM);
                return false;
        }
        CHECK_INT(strlen(values[0]), 2001);
        CHECK_INT(strlen(values[1]), 2000);
        CHECK_INT(strlen(values[2]), 2000);
        CHECK_INT(strlen(values[3]), 4001);
        CHECK_STR(values[4], "127.0.0.1");
        CHECK_STR(values[5], "a");
        CHECK_INT(count, 20);
        return true;
}

static void
ask_with_little_memory(green_wsgi_request *req)
{
        int n = 0;

        while (n < 100 && !ask_with_memory_for(req, n))
                n++;
        CHECK_RANGE(n, 2, 99);
}

static void
memory_that_runs_out_is_told(void)
{
        static char text[16384], xs[2001];
        struct server s = {0};
        int at;

        memset(xs, 'x', 2000);
        at = snprintf(text, sizeof text,
                      "GET /%s%%20?q=%s HTTP/1.1\r\nHost: a\r\nX: %s\r\nx: %s\r\nCookie: c=%s\r\nX_Y: z\r\n\r\n",
                      xs + 1, xs, xs, xs, xs);
        CHECK(at < (int)sizeof text);
        serve(&s, looks);
        see(&s, text, ask_with_little_memory);
        CHECK_INT(s.requests, 1);
        stop(&s);
}

GREEN_SUITE(web_wsgi_request) {
        GREEN_TEST(the_parts_of_a_request_do_not_cut_each_other),
        GREEN_TEST(header_fields_are_told_as_they_were_sent),
        GREEN_TEST(memory_of_a_request_is_its_own),
        GREEN_TEST(the_environ_has_the_request_by_names_of_cgi),
        GREEN_TEST(header_fields_are_variables),
        GREEN_TEST(all_variables_are_listed_once),
        GREEN_TEST(an_application_may_set_any_variable),
        GREEN_TEST(a_server_has_variables_of_its_own),
        GREEN_TEST(a_variable_of_the_server_needs_a_proper_name),
        GREEN_TEST(a_unix_socket_has_no_port),
        GREEN_TEST(an_ipv6_address_stands_without_brackets),
        GREEN_TEST(memory_that_runs_out_is_told),
        GREEN_SUITE_END
};
