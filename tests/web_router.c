/*
 * The router: which application answers, what it is told of the path, and what is said where there is none.
 */
#include "web_suite.h"

#include <green/websocket.h>

/* ---- an application that says where it was found */

#define NAMED(text) ((void *)(uintptr_t)(text))

static int
tell_place(green_wsgi_request *req, void *arg)
{
        const char *id = green_router_param(req, "id"), *rest = green_router_param(req, "rest");
        char text[300];
        int len = snprintf(text, sizeof text, "%s id=%s rest=%s below=%s", (const char *)arg, id == NULL ? "-" : id,
                           rest == NULL ? "-" : rest, green_router_rest(req));

        return green_wsgi_respond(req, 200, "text/plain", text, (size_t)len);
}

static int
tell_environ(green_wsgi_request *req, void *arg)
{
        struct green_wsgi_pair pair;
        char text[300];
        int len, seen = 0;

        (void)arg;
        for (size_t i = 0; green_wsgi_environ_at(req, i, &pair); i++)
                if (strcmp(pair.name, "SCRIPT_NAME") == 0 || strcmp(pair.name, "PATH_INFO") == 0)
                        seen += strcmp(pair.value, green_wsgi_environ(req, pair.name)) == 0;
        CHECK_INT(seen, 2);
        len = snprintf(text, sizeof text, "[%s][%s][%s]", green_wsgi_environ(req, "SCRIPT_NAME"),
                       green_wsgi_environ(req, "PATH_INFO"), green_wsgi_environ(req, "RAW_PATH_INFO"));
        return green_wsgi_respond(req, 200, "text/plain", text, (size_t)len);
}

static green_router *table;

static int
route(green_wsgi_request *req, void *arg)
{
        int rc;

        (void)arg;
        /* Somebody around it has asked before. */
        CHECK_STR(green_wsgi_environ(req, "SCRIPT_NAME"), "");
        CHECK(green_wsgi_environ_at(req, 0, &(struct green_wsgi_pair){NULL, NULL}));
        CHECK(green_router_param(req, "id") == NULL);
        CHECK_STR(green_router_rest(req), green_wsgi_raw_path(req));
        rc = green_router_app(req, table);
        CHECK_STR(green_wsgi_environ(req, "SCRIPT_NAME"), "");
        CHECK_STR(green_wsgi_environ(req, "PATH_INFO"), green_wsgi_path(req, NULL));
        CHECK(green_router_param(req, "id") == NULL);
        return rc;
}

/* The answer to a method and a path; of one that is 200 its body. */
static const char *
get(const struct server *s, const char *method, const char *path)
{
        char text[600];
        const char *answer, *body;

        snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", method, path);
        answer = ask(s, text);
        body = strstr(answer, "\r\n\r\n");
        return begins(answer, "HTTP/1.1 200 ") && body != NULL && body[4] != '\0' ? body + 4 : answer;
}

static void
add(const char *method, const char *pattern, const char *name)
{
        CHECK_INT(green_router_add(table, method, pattern, tell_place, NAMED(name)), 0);
}

/* ---- which one */

static void
the_pattern_with_more_text_wins_whatever_the_order(void)
{
        struct server s = {0};

        table = green_router_new();
        add("GET", "/{rest...}", "any");
        add("GET", "/users/{id}", "user");
        add("GET", "/users/new", "new");
        add("GET", "/users/{id}/posts/{rest...}", "posts");
        add("GET", "/users/me/{id}", "mine");
        add("GET", "/", "home");
        serve(&s, route);
        CHECK_STR(get(&s, "GET", "/"), "home id=- rest=- below=/");
        CHECK_STR(get(&s, "GET", "/users/new"), "new id=- rest=- below=/users/new");
        CHECK_STR(get(&s, "GET", "/users/newer"), "user id=newer rest=- below=/users/newer");
        CHECK_STR(get(&s, "GET", "/users/ne"), "user id=ne rest=- below=/users/ne");
        CHECK_STR(get(&s, "GET", "/users/me/1"), "mine id=1 rest=- below=/users/me/1");
        /* Text went further, and led nowhere. */
        CHECK_STR(get(&s, "GET", "/users/me/posts/2"), "posts id=me rest=2 below=/users/me/posts/2");
        CHECK_STR(get(&s, "GET", "/users/7/posts/"), "posts id=7 rest= below=/users/7/posts/");
        CHECK_STR(get(&s, "GET", "/users/7/posts"), "any id=- rest=users/7/posts below=/users/7/posts");
        CHECK_STR(get(&s, "GET", "/users/7/"), "any id=- rest=users/7/ below=/users/7/");
        CHECK_STR(get(&s, "GET", "/users/"), "any id=- rest=users/ below=/users/");
        CHECK_STR(get(&s, "GET", "/users"), "any id=- rest=users below=/users");
        stop(&s);
        green_router_free(table);
}

static void
a_path_is_held_against_patterns_decoded_a_segment_at_a_time(void)
{
        struct server s = {0};

        table = green_router_new();
        add("GET", "/a b/{id}", "space");
        add("GET", "/x/{id}", "one");
        add("GET", "/50%", "percent");
        serve(&s, route);
        CHECK_STR(get(&s, "GET", "/a%20b/%C3%A9"), "space id=\xc3\xa9 rest=- below=/a%20b/%C3%A9");
        CHECK_STR(get(&s, "GET", "/%78/1"), "one id=1 rest=- below=/%78/1");
        CHECK_STR(get(&s, "GET", "/x/a%2Fb"), "one id=a/b rest=- below=/x/a%2Fb");
        CHECK_STR(get(&s, "GET", "/x/a%252Fb"), "one id=a%2Fb rest=- below=/x/a%252Fb");
        CHECK_STR(get(&s, "GET", "/50%25"), "percent id=- rest=- below=/50%25");
        CHECK(begins(get(&s, "GET", "/x%2F1"), "HTTP/1.1 404 "));
        CHECK(begins(get(&s, "GET", "/x//"), "HTTP/1.1 404 "));
        CHECK(begins(get(&s, "GET", "/50%2525"), "HTTP/1.1 404 "));
        CHECK(begins(get(&s, "GET", "/5"), "HTTP/1.1 404 "));
        stop(&s);
        green_router_free(table);
}

/* ---- methods */

static void
another_method_is_405_with_those_there_are(void)
{
        struct server s = {0};

        table = green_router_new();
        add("GET", "/a", "get");
        add("POST", "/a", "post");
        add("PUT", "/{id}", "put");
        add(NULL, "/any", "any");
        add("GET", "/any", "get-any");
        add("POST", "/only", "only");
        add("OPTIONS", "/only", "options");
        add("UNLOCK", "/locks", "unlock");
        add("LOCK", "/locks", "lock");
        serve(&s, route);
        CHECK(begins(get(&s, "GET", "/a"), "get "));
        CHECK(begins(get(&s, "POST", "/a"), "post "));
        /* It fits with its method only. */
        CHECK(begins(get(&s, "PUT", "/a"), "put id=a "));
        CHECK(begins(get(&s, "GET", "/any"), "get-any "));
        CHECK(begins(get(&s, "PUT", "/any"), "any "));
        CHECK(begins(get(&s, "PATCH", "/any"), "any "));
        CHECK(begins(get(&s, "HEAD", "/a"), "HTTP/1.1 200 "));
        CHECK(strstr(get(&s, "HEAD", "/a"), "Content-Length: 24\r\n") != NULL);
        CHECK(begins(get(&s, "DELETE", "/a"), "HTTP/1.1 405 "));
        CHECK(strstr(get(&s, "DELETE", "/a"), "\r\nAllow: HEAD, GET, POST, PUT, OPTIONS\r\n") != NULL);
        CHECK(begins(get(&s, "HEAD", "/only"), "HTTP/1.1 405 "));
        CHECK(strstr(get(&s, "HEAD", "/only"), "\r\nAllow: POST, OPTIONS, PUT\r\n") != NULL);
        CHECK(begins(get(&s, "OPTIONS", "/a"), "HTTP/1.1 204 "));
        CHECK(strstr(get(&s, "OPTIONS", "/a"), "\r\nAllow: HEAD, GET, POST, PUT, OPTIONS\r\n") != NULL);
        CHECK(begins(get(&s, "OPTIONS", "/only"), "options "));
        /* One name is a part of another one. */
        CHECK(strstr(get(&s, "GET", "/locks"), "\r\nAllow: UNLOCK, LOCK, PUT, OPTIONS\r\n") != NULL);
        CHECK(begins(get(&s, "OPTIONS", "/none/there"), "HTTP/1.1 404 "));
        CHECK(begins(get(&s, "OPTIONS", "*"), "HTTP/1.1 404 "));
        stop(&s);
        green_router_free(table);
}

/* ---- mounts */

static void
a_mount_gets_what_is_below_it_and_its_environ(void)
{
        green_router *inner = green_router_new();
        struct server s = {0};

        table = green_router_new();
        CHECK_INT(green_router_mount(table, "/api", green_router_app, inner), 0);
        CHECK_INT(green_router_mount(table, "/api/old", tell_place, NAMED("old")), 0);
        CHECK_INT(green_router_mount(table, "/env x", tell_environ, NULL), 0);
        add("GET", "/api/own", "own");
        CHECK_INT(green_router_add(inner, "GET", "/env/{id}", tell_environ, NULL), 0);
        CHECK_INT(green_router_add(inner, "GET", "/", tell_place, NAMED("inner")), 0);
        CHECK_INT(green_router_add(inner, "GET", "/old/{id}", tell_place, NAMED("never")), 0);
        CHECK_INT(green_router_mount(inner, "/deep", tell_environ, NULL), 0);
        serve(&s, route);
        CHECK_STR(get(&s, "GET", "/api"), "inner id=- rest=- below=/");
        CHECK_STR(get(&s, "GET", "/api/"), "inner id=- rest=- below=/");
        CHECK_STR(get(&s, "GET", "/api/own"), "own id=- rest=- below=/api/own");
        CHECK_STR(get(&s, "GET", "/api/old/1"), "old id=- rest=- below=/1");
        CHECK_STR(get(&s, "PUT", "/api/old"), "old id=- rest=- below=/");
        CHECK(begins(get(&s, "GET", "/apis"), "HTTP/1.1 404 "));
        CHECK(begins(get(&s, "GET", "/api/none"), "HTTP/1.1 404 "));
        CHECK(begins(get(&s, "GET", "/api//"), "HTTP/1.1 404 "));
        CHECK_STR(get(&s, "GET", "/env%20x/a%20b"), "[/env x][/a b][/env%20x/a%20b]");
        CHECK_STR(get(&s, "GET", "/env%20x/"), "[/env x][/][/env%20x/]");
        CHECK_STR(get(&s, "GET", "/env%20x"), "[/env x][][/env%20x]");
        CHECK_STR(get(&s, "GET", "/%61pi/env/1"), "[/api][/env/1][/%61pi/env/1]");
        CHECK_STR(get(&s, "GET", "/api/deep/x"), "[/api/deep][/x][/api/deep/x]");
        CHECK_STR(get(&s, "GET", "/api/deep"), "[/api/deep][][/api/deep]");
        stop(&s);
        green_router_free(inner);
        green_router_free(table);
}

static void
the_parameters_of_routers_around_are_seen_too(void)
{
        green_router *inner = green_router_new();
        struct server s = {0};

        table = green_router_new();
        /* A router as the application of a route: its rest is the whole path. */
        CHECK_INT(green_router_add(table, NULL, "/of/{id}/{rest...}", green_router_app, inner), 0);
        CHECK_INT(green_router_add(inner, NULL, "/of/{x}/a/{rest...}", tell_place, NAMED("a")), 0);
        CHECK_INT(green_router_mount(inner, "/of", tell_place, NAMED("b")), 0);
        serve(&s, route);
        CHECK_STR(get(&s, "GET", "/of/7/a/b/c"), "a id=7 rest=b/c below=/of/7/a/b/c");
        CHECK_STR(get(&s, "GET", "/of/7/b/c"), "b id=7 rest=b/c below=/7/b/c");
        stop(&s);
        green_router_free(inner);
        green_router_free(table);
}

static void
a_mount_at_the_root_gets_what_nobody_else_has(void)
{
        struct server s = {0};

        table = green_router_new();
        add("POST", "/upload", "upload");
        CHECK_INT(green_router_mount(table, "/", tell_place, NAMED("files")), 0);
        serve(&s, route);
        CHECK(begins(get(&s, "POST", "/upload"), "upload "));
        CHECK_STR(get(&s, "GET", "/upload"), "files id=- rest=- below=/upload");
        CHECK_STR(get(&s, "GET", "/"), "files id=- rest=- below=/");
        CHECK_STR(get(&s, "GET", "//x"), "files id=- rest=- below=//x");
        stop(&s);
        green_router_free(table);
}

/* ---- the table */

static void
what_is_malformed_is_refused(void)
{
        static const char *const bad[] = {"",       "a",        "/{",      "/}",       "/{}",     "/{a",      "/a{b}",
                                          "/{a}b",  "/{a...}/", "/{...}",  "/{a..}",   "/{a/b}",  "/{a...}b", "/x{a...}",
                                          "/{a}}",  "/{{a}",    "/{a.b}",  "/{a....}", NULL};
        char many[200] = "";
        green_router *r = green_router_new();

        for (size_t i = 0; bad[i] != NULL; i++)
                CHECK_INT(green_router_add(r, NULL, bad[i], tell_place, NULL), -EINVAL);
        for (size_t i = 0; i < 17; i++)
                snprintf(many + strlen(many), sizeof many - strlen(many), "/{p%zu}", i);
        CHECK_INT(green_router_add(r, NULL, many, tell_place, NULL), -EINVAL);
        *strrchr(many, '/') = '\0';
        CHECK_INT(green_router_add(r, NULL, many, tell_place, NULL), 0);
        CHECK_INT(green_router_add(NULL, NULL, "/", tell_place, NULL), -EINVAL);
        CHECK_INT(green_router_add(r, NULL, NULL, tell_place, NULL), -EINVAL);
        CHECK_INT(green_router_add(r, NULL, "/", NULL, NULL), -EINVAL);
        CHECK_INT(green_router_add(r, "", "/", tell_place, NULL), -EINVAL);
        CHECK_INT(green_router_add(r, "GE T", "/", tell_place, NULL), -EINVAL);
        CHECK_INT(green_router_mount(r, "/a/", tell_place, NULL), -EINVAL);
        CHECK_INT(green_router_mount(r, "//", tell_place, NULL), -EINVAL);
        CHECK_INT(green_router_mount(r, "", tell_place, NULL), -EINVAL);
        CHECK_INT(green_router_mount(r, "/{a}", tell_place, NULL), -EINVAL);
        CHECK(strstr(green_last_error()->message, "/{a}") != NULL);
        green_router_free(r);
        green_router_free(NULL);
}

static void
what_fits_the_same_paths_is_there_already(void)
{
        green_router *r = green_router_new();

        CHECK_INT(green_router_add(r, "GET", "/a/{id}", tell_place, NULL), 0);
        CHECK_INT(green_router_add(r, "GET", "/a/{name}", tell_place, NULL), -EEXIST);
        CHECK_INT(green_router_add(r, "get", "/a/{name}", tell_place, NULL), 0);
        CHECK_INT(green_router_add(r, NULL, "/a/{name}", tell_place, NULL), 0);
        CHECK_INT(green_router_add(r, NULL, "/a/{id}", tell_place, NULL), -EEXIST);
        CHECK_INT(green_router_add(r, "GET", "/a/{id...}", tell_place, NULL), 0);
        CHECK_INT(green_router_mount(r, "/a", tell_place, NULL), 0);
        CHECK_INT(green_router_mount(r, "/a", tell_place, NULL), -EEXIST);
        CHECK_INT(green_router_mount(r, "/", tell_place, NULL), 0);
        CHECK_INT(green_router_mount(r, "/", tell_place, NULL), -EEXIST);
        CHECK_INT(green_router_add(r, "GET", "/", tell_place, NULL), 0);
        green_router_free(r);
}

/* ---- a WebSocket below a mount: its environ is the same before and after */

static char ws_place[2][100];

static int
ws_handler(green_websocket *ws, void *arg)
{
        (void)arg;
        snprintf(ws_place[1], sizeof ws_place[1], "%s|%s", green_websocket_environ(ws, "SCRIPT_NAME"),
                 green_websocket_environ(ws, "PATH_INFO"));
        return 0;
}

static int
ws_mounted(green_wsgi_request *req, void *arg)
{
        snprintf(ws_place[0], sizeof ws_place[0], "%s|%s", green_wsgi_environ(req, "SCRIPT_NAME"),
                 green_wsgi_environ(req, "PATH_INFO"));
        return green_websocket_app(req, arg);
}

static void
a_websocket_knows_its_mount(void)
{
        green_websocket_site *site = green_websocket_wsgi(ws_handler, NULL, NULL);
        struct server s = {0};
        green_socket *c;

        table = green_router_new();
        CHECK_INT(green_router_mount(table, "/chat", ws_mounted, site), 0);
        serve(&s, route);
        c = client_of(&s);
        say(c, "GET /chat/a%20room HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        CHECK(begins(until(c, "\r\n\r\n"), "HTTP/1.1 101 "));
        while (ws_place[1][0] == '\0')
                green_sleep(0.001);
        CHECK_STR(ws_place[0], "/chat|/a room");
        CHECK_STR(ws_place[1], "/chat|/a room");
        CHECK_INT(green_socket_free(c), 0);
        stop(&s);
        green_router_free(table);
        green_websocket_site_unref(site);
}

GREEN_SUITE(web_router) {
        GREEN_TEST(the_pattern_with_more_text_wins_whatever_the_order),
        GREEN_TEST(a_path_is_held_against_patterns_decoded_a_segment_at_a_time),
        GREEN_TEST(another_method_is_405_with_those_there_are),
        GREEN_TEST(a_mount_gets_what_is_below_it_and_its_environ),
        GREEN_TEST(the_parameters_of_routers_around_are_seen_too),
        GREEN_TEST(a_websocket_knows_its_mount),
        GREEN_TEST(a_mount_at_the_root_gets_what_nobody_else_has),
        GREEN_TEST(what_is_malformed_is_refused),
        GREEN_TEST(what_fits_the_same_paths_is_there_already),
        GREEN_SUITE_END
};
