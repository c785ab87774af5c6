/*
 * The HTTP client over TLS: names, trust, connections that are kept, a tunnel through a proxy.
 */
#include "net_tls.h"
#include "web_client.h"

static int
hello(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        const char *proxy = green_wsgi_header(req, "Proxy-Authorization");
        green_socket *socket = green_wsgi_get_socket(req);
        const char *sni = green_tls_sni(socket), *alpn = green_tls_alpn(socket);
        char text[200];

        s->requests++;
        if (strcmp(green_wsgi_raw_path(req), "/plain") == 0) {
                int rc = green_wsgi_set_header(req, "Location", "http://127.0.0.1:1/");

                return rc != 0 ? rc : green_wsgi_respond(req, 302, NULL, "", 0);
        }
        if (strcmp(green_wsgi_raw_path(req), "/how") == 0) {
                const char *how = green_tls_resumed(socket) ? "resumed" : "full";

                return green_wsgi_respond(req, 200, "text/plain", how, strlen(how));
        }
        snprintf(text, sizeof text, "%s %s %s", sni == NULL ? "-" : sni, alpn == NULL ? "-" : alpn,
                 proxy == NULL ? "-" : proxy);
        return green_wsgi_respond(req, 200, "text/plain", text, strlen(text));
}

static void
begin(struct server *s, const char *cert)
{
        static const char *const alpn[] = {"http/1.1", NULL};
        struct green_tls_opts o = {.size = sizeof o, .alpn = alpn};
        struct green_wrap_ssl_opts w = {.size = sizeof w};
        char pem[512], key[512];

        memset(s, 0, sizeof *s);
        snprintf(pem, sizeof pem, TLS_CERTS "/%s.pem", cert);
        snprintf(key, sizeof key, TLS_CERTS "/%s.key", cert);
        o.cert_file = pem;
        o.key_file = key;
        w.context = green_tls_context_new(&o);
        CHECK(w.context != NULL);
        s->listener = listen_here(s->address);
        CHECK(green_wrap_ssl(s->listener, &w) == s->listener);
        green_tls_context_unref(w.context);
        s->app = hello;
        s->opts.size = sizeof s->opts;
        s->opts.no_log_output = true;
        s->thread = green_spawn(server_main, s);
        green_sleep(0);
}

static const char *
port_of(const struct server *s)
{
        return strrchr(s->address, ':');
}

/* One that trusts the tests' CA. */
static green_http_client *
trusting(const char *proxy)
{
        static const char *const alpn[] = {"http/1.1", NULL};
        struct green_tls_opts o = {.size = sizeof o, .ca_file = CERT("ca"), .alpn = alpn};
        struct green_http_client_opts opts = {.size = sizeof opts, .proxy = proxy};
        green_http_client *c;

        opts.tls = green_tls_context_new(&o);
        CHECK(opts.tls != NULL);
        c = green_http_client_new(&opts);
        green_tls_context_unref(opts.tls);
        return c;
}

static void
names_are_asked_for_and_checked(void)
{
        struct server s, other;
        green_http_client *c;
        char url[128];

        if (!has_tls())
                return;
        begin(&s, "ec");
        begin(&other, "other");
        c = trusting(NULL);
        snprintf(url, sizeof url, "https://localhost%s/", port_of(&s));
        for (int i = 0; i < 3; i++)
                CHECK_INT(get(c, url, "localhost http/1.1 -"), 200);
        CHECK_INT(s.requests, 3);
        /* A dot at its end is none of its certificate's. */
        snprintf(url, sizeof url, "https://localhost.%s/", port_of(&s));
        CHECK_INT(get(c, url, "localhost http/1.1 -"), 200);
        snprintf(url, sizeof url, "https://127.0.0.1%s/", port_of(&s));
        CHECK_INT(get(c, url, "- http/1.1 -"), 200);
        snprintf(url, sizeof url, "https://localhost%s/", port_of(&other));
        CHECK_INT(get(c, url, NULL), GREEN_ETLSHOST);
        snprintf(url, sizeof url, "https://localhost%s/plain", port_of(&s));
        CHECK_INT(get(c, url, NULL), GREEN_EHTTP);
        CHECK(strstr(green_last_error()->message, "from https to http") != NULL);
        green_http_client_free(c);
        stop(&s);
        stop(&other);
}

static void
without_trust_there_is_no_request(void)
{
        struct server s;
        green_http_client *c;
        char url[128];

        if (!has_tls())
                return;
        begin(&s, "self");
        c = trusting(NULL);
        snprintf(url, sizeof url, "https://localhost%s/", port_of(&s));
        CHECK_INT(get(c, url, NULL), GREEN_ETLSVERIFY);
        CHECK_INT(s.requests, 0);
        green_http_client_free(c);
        stop(&s);
}

/* ---- sessions */

/* One that trusts by that context, and keeps no connection. */
static green_http_client *
forgetful(green_tls_context *tls, bool no_sessions)
{
        const struct green_http_client_opts opts = {
                .size = sizeof opts, .tls = tls, .idle_timeout = -1, .no_tls_sessions = no_sessions};

        return green_http_client_new(&opts);
}

static void
a_new_connection_takes_up_a_session(void)
{
        green_http_client *c, *another;
        struct server s, other;
        green_tls_context *tls;
        char url[128], by_address[128], elsewhere[128];

        if (!has_tls())
                return;
        begin(&s, "ec");
        begin(&other, "ec");
        snprintf(url, sizeof url, "https://localhost%s/how", port_of(&s));
        snprintf(by_address, sizeof by_address, "https://127.0.0.1%s/how", port_of(&s));
        snprintf(elsewhere, sizeof elsewhere, "https://localhost%s/how", port_of(&other));
        tls = client_context();
        c = forgetful(tls, false);
        CHECK_INT(get(c, url, "full"), 200);
        for (int i = 0; i < 3; i++)
                CHECK_INT(get(c, url, "resumed"), 200);
        /* Not under another name, nor of another port, nor another client's. */
        CHECK_INT(get(c, by_address, "full"), 200);
        CHECK_INT(get(c, elsewhere, "full"), 200);
        another = forgetful(tls, false);
        CHECK_INT(get(another, url, "full"), 200);
        CHECK_INT(get(another, url, "resumed"), 200);
        CHECK_INT(get(c, by_address, "resumed"), 200);
        green_http_client_free(another);
        another = forgetful(tls, true);
        for (int i = 0; i < 2; i++)
                CHECK_INT(get(another, url, "full"), 200);
        green_http_client_free(another);
        /* Whom to trust was read anew. */
        CHECK_INT(green_tls_context_reload(tls), 0);
        CHECK_INT(get(c, url, "full"), 200);
        CHECK_INT(get(c, url, "resumed"), 200);
        green_http_client_free(c);
        green_tls_context_unref(tls);
        stop(&s);
        stop(&other);
}

/* Nor is what has not been verified. */
static void
a_session_is_no_way_around_trust(void)
{
        struct green_tls_opts none = {.size = sizeof none, .verify = GREEN_TLS_VERIFY_NONE};
        green_tls_context *trusting_all, *tls;
        green_http_client *c;
        struct server s;
        char url[128];

        if (!has_tls())
                return;
        begin(&s, "self");
        snprintf(url, sizeof url, "https://localhost%s/how", port_of(&s));
        trusting_all = green_tls_context_new(&none);
        c = forgetful(trusting_all, false);
        CHECK_INT(get(c, url, "full"), 200);
        CHECK_INT(get(c, url, "resumed"), 200);
        green_http_client_free(c);
        tls = client_context();
        c = forgetful(tls, false);
        for (int i = 0; i < 2; i++)
                CHECK_INT(get(c, url, NULL), GREEN_ETLSVERIFY);
        green_http_client_free(c);
        green_tls_context_unref(tls);
        green_tls_context_unref(trusting_all);
        stop(&s);
}

/* ---- a proxy that makes tunnels */

struct proxy {
        green_socket *listener, *client, *server;
        char address[GREEN_ADDR_TEXT_SIZE], head[2048];
        int tunnels;
        green_thread *thread;
};

static void *
proxy_back(void *arg)
{
        struct proxy *p = arg;
        char buf[4096];
        ssize_t n;

        while ((n = green_socket_recv(p->server, buf, sizeof buf, 0)) > 0)
                if (green_socket_sendall(p->client, buf, (size_t)n, 0, NULL) != 0)
                        break;
        (void)green_socket_shutdown_safe(p->client);
        return NULL;
}

static void *
proxy_main(void *arg)
{
        struct proxy *p = arg;
        char buf[4096], host[256];
        green_thread *back;
        ssize_t n;

        p->client = green_socket_accept(p->listener, NULL);
        CHECK(peer_hears(p->client, p->head, sizeof p->head, 0));
        CHECK_INT(sscanf(p->head, "CONNECT %255s ", host), 1);
        p->server = green_connect(host, NULL);
        CHECK(p->server != NULL);
        CHECK_INT(green_socket_sendall(p->client, "HTTP/1.1 200 Fine\r\nContent-Length: 9\r\n\r\n", 40, 0, NULL), 0);
        p->tunnels++;
        back = green_spawn(proxy_back, p);
        while ((n = green_socket_recv(p->client, buf, sizeof buf, 0)) > 0)
                if (green_socket_sendall(p->server, buf, (size_t)n, 0, NULL) != 0)
                        break;
        (void)green_socket_shutdown_safe(p->server);
        CHECK_INT(green_thread_wait(back, NULL), 0);
        green_thread_unref(back);
        green_socket_free(p->client);
        green_socket_free(p->server);
        return NULL;
}

static void
a_tunnel_hides_all_from_the_proxy(void)
{
        struct proxy p = {.tunnels = 0};
        struct server s;
        green_http_client *c;
        char url[128], proxy[256];

        if (!has_tls())
                return;
        begin(&s, "ec");
        p.listener = listen_here(p.address);
        p.thread = green_spawn(proxy_main, &p);
        snprintf(proxy, sizeof proxy, "http://me:x@%s", p.address);
        c = trusting(proxy);
        snprintf(url, sizeof url, "https://localhost%s/secret", port_of(&s));
        for (int i = 0; i < 3; i++)
                CHECK_INT(get(c, url, "localhost http/1.1 -"), 200);
        CHECK_INT(s.requests, 3);
        CHECK_INT(p.tunnels, 1);
        CHECK(strstr(p.head, "\r\nProxy-Authorization: Basic bWU6eA==\r\n") != NULL);
        CHECK(strstr(p.head, "secret") == NULL);
        green_http_client_free(c);
        CHECK_INT(green_thread_wait(p.thread, NULL), 0);
        green_thread_unref(p.thread);
        CHECK_INT(green_socket_free(p.listener), 0);
        stop(&s);
}

GREEN_SUITE(web_client_tls){GREEN_TEST(names_are_asked_for_and_checked),
                            GREEN_TEST(without_trust_there_is_no_request),
                            GREEN_TEST(a_new_connection_takes_up_a_session),
                            GREEN_TEST(a_session_is_no_way_around_trust),
                            GREEN_TEST(a_tunnel_hides_all_from_the_proxy),
                            GREEN_SUITE_END};
