/*
 * The HTTP client, killed or out of time in each state that a request goes through: the code is the scope's, the one
 * connection that there may be is free again, and nothing is left.
 */
#include "web_client.h"

static const uint8_t half_gzip[] = {31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 243, 72, 205, 201, 201, 215};

/* Until then it stands where it is to stand. */
#define BRIEF (0.04 * suite_slow())

enum how { PLAIN, TLS, TUNNEL };

/* Where it stands when its time has come. */
struct state {
        const char *name;
        enum how how;
        const char *says; /* the server, once it has a header; NULL: it reads nothing */
        bool body, expects, sleeps; /* the request's */
        bool reads;       /* the header comes, and it waits for the body */
        const void *tail; /* what comes behind says */
        size_t tail_len;
};

static const struct state states[] = {
        {.name = "the handshake of TLS", .how = TLS},
        {.name = "a tunnel", .how = TUNNEL, .says = ""},
        {.name = "half a tunnel", .how = TUNNEL, .says = "HTTP/1.1 200 Fi"},
        {.name = "TLS in a tunnel", .how = TUNNEL, .says = "HTTP/1.1 200 Fine\r\n\r\n"},
        {.name = "no header", .says = ""},
        {.name = "half a header", .says = "HTTP/1.1 200 OK\r\nContent-Le"},
        {.name = "behind responses of 1xx", .says = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"},
        {.name = "100 Continue", .says = "", .body = true, .expects = true},
        {.name = "behind 100 Continue", .says = "HTTP/1.1 100 Continue\r\n\r\n", .body = true, .expects = true},
        {.name = "its own body", .says = "", .body = true, .sleeps = true},
        {.name = "a redirect", .says = "HTTP/1.1 302 X\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n"},
        {.name = "a body", .says = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHello", .reads = true},
        {.name = "a chunk", .says = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nHello", .reads = true},
        {.name = "a chunk's size", .says = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9", .reads = true},
        {.name = "a trailer",
         .says = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\nC",
         .reads = true},
        {.name = "all there is", .says = "HTTP/1.1 200 OK\r\n\r\nHello", .reads = true},
        {.name = "what is compressed",
         .says = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n",
         .reads = true,
         .tail = half_gzip,
         .tail_len = sizeof half_gzip},
};

struct mute {
        green_socket *listener;
        char address[GREEN_ADDR_TEXT_SIZE], text[2048];
        const struct state *state;
        green_thread *thread;
};

static void *
mute_main(void *arg)
{
        struct mute *m = arg;
        const struct state *st = m->state;
        green_socket *s = green_socket_accept(m->listener, NULL);
        char byte;

        if (st->says != NULL && peer_hears(s, m->text, sizeof m->text, 0)) {
                (void)!green_socket_sendall(s, st->says, strlen(st->says), 0, NULL);
                (void)!green_socket_sendall(s, st->tail, st->tail_len, 0, NULL);
        }
        /* Until the client goes. */
        while (green_socket_recv(s, &byte, 1, 0) > 0)
                ;
        green_socket_free(s);
        return NULL;
}

struct asking {
        green_http_client *client;
        const struct state *state;
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        int rc;
        bool waits; /* it is where it is to be, or soon will be */
};

static ssize_t
sleepy(void *arg, void *buf, size_t len)
{
        struct asking *a = arg;
        int rc = a->state->sleeps ? green_sleep(1000) : 0;

        memset(buf, 'x', len);
        return rc != 0 ? rc : (ssize_t)len;
}

static void *
asking_main(void *arg)
{
        struct asking *a = arg;
        struct green_http_request r = {.size = sizeof r, .read_body_arg = a, .read_body_len = 5};
        green_http_response *res = NULL;
        char *data;

        if (a->state->body)
                r.read_body = sleepy;
        r.expect_continue = a->state->expects;
        a->waits = true;
        a->rc = green_http_fetch(a->client, a->url, &r, &res);
        CHECK_INT(a->rc == 0, a->state->reads);
        if (a->rc == 0)
                a->rc = green_http_read_all(res, 100, &data, NULL);
        green_http_response_free(res);
        return NULL;
}

enum end { KILL, SCOPE, LIMIT };

static void *
within_scope(void *arg)
{
        struct green_timeout t = {{0}};

        CHECK_INT(green_timeout_start(&t, BRIEF), 0);
        (void)asking_main(arg);
        CHECK_INT(green_timeout_cancel(&t), 1);
        return NULL;
}

static void
end_in(const struct state *st, enum end end)
{
        struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = 1, .max_connections = 1};
        struct peer p = {.turns = {{.answer = OK_5}}};
        struct asking a = {.state = st};
        struct mute m = {.state = st};
        char proxy[GREEN_ADDR_TEXT_SIZE + 16];
        static const char *const none[] = {"127.0.0.1", NULL};
        static const struct green_tls_opts anybody = {.size = sizeof anybody, .verify = GREEN_TLS_VERIFY_NONE};
        unsigned failures = suite_failures();
        green_thread *gt;

        m.listener = listen_here(m.address);
        m.thread = green_spawn(mute_main, &m);
        snprintf(proxy, sizeof proxy, "http://%s", m.address);
        snprintf(a.url, sizeof a.url, "http%s://%s/", st->how == TLS ? "s" : "", m.address);
        if (st->how == TUNNEL) {
                opts.proxy = proxy;
                opts.no_proxy = none;
                snprintf(a.url, sizeof a.url, "https://one.invalid/");
        }
        opts.timeout = end == LIMIT ? BRIEF : 0;
        opts.tls = st->how == PLAIN ? NULL : green_tls_context_new(&anybody);
        a.client = green_http_client_new(&opts);
        green_tls_context_unref(opts.tls);
        gt = green_spawn(end == SCOPE ? within_scope : asking_main, &a);
        while (!a.waits)
                green_sleep(0);
        if (end == KILL) {
                green_sleep(BRIEF);
                green_kill(gt, 0);
        }
        CHECK_INT(green_thread_wait(gt, NULL), end == KILL ? GREEN_EKILLED : 0);
        green_thread_unref(gt);
        CHECK_INT(a.rc, end == KILL ? GREEN_EKILLED : end == SCOPE ? GREEN_ETIMEOUT : -ETIMEDOUT);
        /* The only slot is free. */
        peer_start(&p);
        if (end != LIMIT)
                CHECK_INT(get(a.client, p.url, "Hello"), 200);
        green_http_client_free(a.client);
        peer_stop(&p);
        CHECK_INT(green_thread_wait(m.thread, NULL), 0);
        green_thread_unref(m.thread);
        CHECK_INT(green_socket_free(m.listener), 0);
        if (suite_failures() != failures)
                FAIL("waiting for %s", st->name);
}

static void
end_in_each(enum end end)
{
        for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
                if (states[i].how == PLAIN || green_tls_backend() != NULL)
                        end_in(&states[i], end);
}

static void
a_kill_ends_it_in_each_state(void)
{
        end_in_each(KILL);
}

static void
a_scope_ends_it_in_each_state(void)
{
        end_in_each(SCOPE);
}

static void
its_own_limit_ends_it_in_each_state(void)
{
        end_in_each(LIMIT);
}

GREEN_SUITE(web_client_kill){GREEN_TEST(a_kill_ends_it_in_each_state), GREEN_TEST(a_scope_ends_it_in_each_state),
                             GREEN_TEST(its_own_limit_ends_it_in_each_state), GREEN_SUITE_END};
