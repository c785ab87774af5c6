/* A WebSocket's server and client, under faults. See fault_ws_scene.h. */
#include "fault_ws_scene.h"

#include <stdio.h>

const char fault_ws_big[BIG];

static void
peer_may_be_gone(void)
{
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ETIMEDOUT);
        fault_may_give(-ECANCELED);
        fault_may_give(-EPROTO);
        fault_may_give(GREEN_ETIMEOUT);
}

/* ---- the handler */

static void
look_at(green_websocket *ws, const struct scene *scene)
{
        errno = 0;
        TEXT_IS(green_websocket_path(ws), "/a b");
        errno = 0;
        TEXT_IS(green_websocket_origin(ws), "http://o");
        errno = 0;
        TEXT_IS(green_websocket_environ(ws, "HTTP_X_ONE"), "1");
        errno = 0;
        CHECK(green_websocket_environ(ws, "NONE") == NULL);
        CHECK_STR(green_websocket_protocol(ws), "chat");
        CHECK_INT(green_websocket_version(ws), 13);
        CHECK(green_websocket_get_socket(ws) != NULL);
        CHECK(!green_websocket_deflates(ws) || (!scene->opts.no_deflate && !scene->client.no_deflate));
}

int
fault_ws_fragments(green_websocket *ws, const char *text)
{
        enum green_websocket_type type = GREEN_WEBSOCKET_TEXT;
        size_t len = strlen(text), half = len / 2;
        int rc = green_websocket_send_fragment(ws, type, text, half, false);

        if (rc == 0)
                rc = green_websocket_send_fragment(ws, type, "", 0, false);
        return rc == 0 ? green_websocket_send_fragment(ws, type, text + half, len - half, true) : rc;
}

int
fault_ws_ping_both_ways(green_websocket *ws)
{
        int rc = green_websocket_ping(ws, "ping", 4);

        return rc == 0 ? green_websocket_pong(ws, NULL, 0) : rc;
}

static int
answer(green_websocket *ws, struct scene *scene, const struct green_websocket_message *m)
{
        int rc;

        switch (m->data[0]) {
        case 'f':
                return fault_ws_fragments(ws, m->data);
        case 'p':
                return green_websocket_send_prepared(ws, scene->prepared);
        case 'o':
                return green_websocket_post(ws, scene->prepared);
        case 'i':
                rc = fault_ws_ping_both_ways(ws);
                return rc == 0 ? green_websocket_send_text(ws, m->data) : rc;
        case 'b':
                return green_websocket_send(ws, GREEN_WEBSOCKET_BINARY, fault_ws_big, BIG);
        case 'c':
                return green_websocket_close(ws, 3000, "enough");
        case 'x':
                return -EDOM;
        default:
                return green_websocket_send(ws, m->type, m->data, m->len);
        }
}

/* Whatever fails, no half frames are sent, and nothing that the other end cannot inflate. */
static bool
is_broken(const green_websocket *ws)
{
        int code = green_websocket_close_code(ws);

        return code == 1002 || code == 1007;
}

int
fault_ws_handler(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        struct scene *scene = arg;
        int rc;

        scene->calls++;
        if (green_websocket_data(ws) == NULL) {
                look_at(ws, scene);
                green_websocket_set_data(ws, scene);
        }
        do {
                if (scene->rest && !green_websocket_pending(ws))
                        return GREEN_WEBSOCKET_REST;
                rc = green_websocket_wait(ws, &m);
                if (rc == 1) {
                        rc = answer(ws, scene, &m);
                        rc = rc == 0 ? 1 : rc;
                }
        } while (rc > 0);
        CHECK(scene->talk_bytes != NULL || !is_broken(ws));
        if (rc != -EDOM)
                (void)OK(rc);
        return rc;
}

static int
app(green_wsgi_request *req, void *arg)
{
        struct scene *scene = arg;
        int rc = green_websocket_app(req, scene->site);

        (void)OK(rc);
        return rc;
}

/* ---- what clients ask */

bool
fault_ws_comes(green_websocket *ws, struct green_websocket_message *m, size_t len)
{
        for (int turns = 0;; turns++) {
                struct green_timeout t = {{0}};
                int rc = green_timeout_start(&t, fault_lasts() ? BRIEF : LONG);
                bool late;

                if (!OK(rc))
                        return false;
                rc = green_websocket_wait(ws, m);
                late = green_timeout_cancel(&t) == 1 && rc < 0;
                /* The limit is for what a fault keeps away: before it a machine may be as slow as it likes. */
                if (late && !fault_happened() && turns < 100)
                        continue;
                if (late) {
                        CHECK(fault_lasts());
                        fault_shows();
                        return false;
                }
                if (!OK(rc))
                        return false;
                if (rc == 1)
                        return len == ANY || CHECK_INT(m->len, len);
                CHECK(green_websocket_close_code(ws) != 0 && green_websocket_closed(ws));
                CHECK(!is_broken(ws));
                CHECK_INT(green_websocket_wait(ws, m), 0);
                fault_shows();
                return false;
        }
}

bool
fault_ws_asks(green_websocket *ws, const char *text, size_t len)
{
        struct green_websocket_message m;

        return OK(green_websocket_send_text(ws, text)) && fault_ws_comes(ws, &m, len);
}

/* ---- scenes */

static void
discard(void *arg, const char *text, size_t len)
{
        (void)arg;
        (void)text;
        (void)len;
}

static void *
serve(void *arg)
{
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .shutdown_timeout = LONG, .log = discard};
        struct scene *scene = arg;
        int rc = 0;

        if (scene->pool && MADE(opts.custom_pool = green_greenpool_new(4)))
                rc = green_wsgi_server(scene->listener, app, scene, &opts);
        else if (!scene->pool)
                rc = green_wsgi_server(scene->listener, app, scene, &opts);
        if (rc != -ECANCELED && rc != -EBADF)
                (void)OK(rc);
        if (opts.custom_pool != NULL)
                (void)OK(green_greenpool_free(opts.custom_pool));
        return NULL;
}

static green_websocket *
connect_to(const char *url, const struct green_websocket_opts *o)
{
        green_websocket *ws;
        int turns = 0;

        do {
                errno = 0;
                ws = green_websocket_connect(url, o);
        } while (ws == NULL && errno == ETIMEDOUT && !fault_happened() && ++turns < 100);
        (void)MADE(ws);
        return ws;
}

static void
be_client(struct scene *scene, const char *address)
{
        static const char *const protocols[] = {"other", "chat", NULL};
        static const struct green_wsgi_pair headers[] = {{"X-One", "1"}, {NULL, NULL}};
        struct green_websocket_opts *o = &scene->client;
        char url[GREEN_ADDR_TEXT_SIZE + 32];
        green_websocket *ws;

        snprintf(url, sizeof url, "%s://%s/a%%20b", scene->tls ? "wss" : "ws", address);
        o->size = sizeof *o;
        o->protocols = protocols;
        o->headers = headers;
        o->origin = "http://o";
        o->connect_timeout = 4 * BRIEF;
        if (o->close_timeout == 0)
                o->close_timeout = LONG;
        ws = connect_to(url, o);
        if (ws == NULL)
                return;
        scene->talk(scene, ws);
        (void)OK(green_websocket_free(ws));
}

static void
be_bytes(struct scene *scene, const char *address)
{
        green_socket *s;

        errno = 0;
        if (!MADE(s = green_connect(address, NULL)))
                return;
        CHECK_INT(green_socket_set_timeout(s, 2 * BRIEF), 0);
        scene->talk_bytes(s);
        (void)OK(green_socket_free(s));
}

static void
with_server(struct scene *scene)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_timeout t = {{0}};
        struct green_addr addr;
        green_thread *gt;

        if (!OK(green_socket_getsockname(scene->listener, &addr)) || !MADE(gt = green_spawn(serve, scene)))
                return;
        green_addr_format(&addr, address, sizeof address);
        /* Past it everything fails, and a test that needs so long says so. */
        if (OK(green_timeout_start(&t, 5 * suite_slow()))) {
                if (scene->talk != NULL)
                        be_client(scene, address);
                else
                        be_bytes(scene, address);
                if (green_timeout_cancel(&t) == 1)
                        FAIL("a client waits for too long");
        }
        (void)OK(green_socket_close(scene->listener));
        (void)OK(fault_join(gt));
}

static bool
wrap(green_socket *listener)
{
        const struct green_wrap_ssl_opts o = {.size = sizeof o, .certfile = TLS_CERTS "/both.pem"};

        fault_may_give(GREEN_ETLSALERT);
        fault_may_give(GREEN_ETLSEOF);
        return MADE(green_wrap_ssl(listener, &o));
}

void
fault_ws_play(struct scene *scene, green_websocket_handler h, const void *message, size_t len)
{
        static const char *const protocols[] = {"chat", NULL};
        enum green_websocket_type type = len < BIG ? GREEN_WEBSOCKET_TEXT : GREEN_WEBSOCKET_BINARY;

        peer_may_be_gone();
        scene->opts.size = sizeof scene->opts;
        scene->opts.protocols = protocols;
        if (scene->opts.close_timeout == 0)
                scene->opts.close_timeout = LONG;
        if (!MADE(green_get_hub()) || !MADE(scene->prepared = green_websocket_prepare(type, message, len)))
                return;
        if (MADE(scene->site = green_websocket_wsgi(h, scene, &scene->opts))) {
                green_websocket_site_unref(green_websocket_site_ref(scene->site));
                if (MADE(scene->listener = green_listen("127.0.0.1:0", NULL))) {
                        if (!scene->tls || wrap(scene->listener))
                                with_server(scene);
                        (void)OK(green_socket_free(scene->listener));
                }
                green_websocket_site_unref(scene->site);
        }
        green_websocket_prepared_unref(green_websocket_prepared_ref(scene->prepared));
        green_websocket_prepared_unref(scene->prepared);
}
