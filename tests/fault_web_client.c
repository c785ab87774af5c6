/* Each allocation and system call of an HTTP client, and of the server that it asks, fails in its turn. See fault.h. */
#include "fault.h"

#include <stdio.h>

#include <green/web.h>

/* Nobody waits longer than this: where the other end has failed, it may be gone, or pause. */
#define BRIEF (0.2 * suite_slow())

/* The server goes on without the connection; the client asks once more, or does without a cookie. */
#define SERVES                                                                                                         \
        (FAULT_BIT(accept4) | FAULT_BIT(alloc) | FAULT_BIT(epoll_ctl) | FAULT_BIT(getpeername) |                       \
         FAULT_BIT(getsockname) | FAULT_BIT(mmap) | FAULT_BIT(recv) | FAULT_BIT(send) | FAULT_BIT(sendmsg) |           \
         FAULT_BIT(setsockopt) | FAULT_BIT(shutdown))

static void
peer_may_be_gone(void)
{
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ETIMEDOUT);
        fault_may_give(-ECANCELED);
}

/* ---- the server */

static void
discard(void *arg, const char *text, size_t len)
{
        (void)arg;
        (void)text;
        (void)len;
}

/* A cookie and a redirect, then what came, twice, in pieces. A failure goes back to the server. */
static int
app(green_wsgi_request *req, void *arg)
{
        char buf[64];
        size_t len = 0;
        ssize_t n;
        int rc;

        (void)arg;
        if (strcmp(green_wsgi_raw_path(req), "/old") == 0) {
                rc = green_wsgi_set_header(req, "Location", "/new");
                if (rc == 0)
                        rc = green_wsgi_set_header(req, "Set-Cookie", "a=b; Max-Age=100");
                if (rc == 0)
                        rc = green_wsgi_respond(req, 307, NULL, "", 0);
                (void)OK(rc);
                return rc;
        }
        while ((n = green_wsgi_read(req, buf + len, sizeof buf - len)) > 0)
                len += (size_t)n;
        rc = n < 0 ? (int)n : green_wsgi_start_response(req, 200, -1);
        for (int i = 0; rc == 0 && i < 2; i++)
                rc = green_wsgi_write(req, buf, len);
        (void)OK(rc);
        return rc;
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

/* ---- the client */

static ssize_t
give(void *arg, void *buf, size_t len)
{
        int *left = arg;

        (void)len;
        if (*left == 0)
                return 0;
        --*left;
        memcpy(buf, "x", 1);
        return 1;
}

static bool
rewind_it(void *arg)
{
        *(int *)arg = 3;
        return true;
}

/* One of 5xx shows a fault too. */
static bool
is_fine(green_http_response *res)
{
        if (green_http_response_status(res) < 500)
                return true;
        fault_shows();
        return false;
}

/* All of a response; what it has to be. */
static bool
read_it(green_http_response *res, const char *want)
{
        struct green_wsgi_pair pair;
        char byte, *data;
        ssize_t n;
        size_t len;
        int rc;

        CHECK(green_http_response_url(res) != NULL && green_http_response_header_at(res, 0, &pair));
        if (!is_fine(res))
                return false;
        CHECK(green_http_response_length(res) <= 0 && green_http_response_header(res, "Nothing") == NULL);
        n = green_http_read(res, &byte, 1);
        if (n < 0)
                return OK(n);
        rc = green_http_read_all(res, 100, &data, &len);
        if (!OK(rc))
                return false;
        CHECK_INT(n, *want != '\0');
        if (*want != '\0')
                CHECK_STR(data, want + 1);
        return true;
}

static void
talk(green_http_client *client, const char *address)
{
        const struct green_http_body body = {"abc", 3, "text/plain"};
        struct green_http_request r = {.size = sizeof r, .method = "PUT", .read_body = give, .rewind_body = rewind_it};
        green_http_response *res = NULL;
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        int left = 3;

        snprintf(url, sizeof url, "http://%s/new", address);
        for (int i = 0; i < 2; i++) {
                if (!OK(green_http_post(client, url, &body, &res)))
                        return;
                bool fine = read_it(res, "abcabc");
                green_http_response_free(res);
                if (!fine)
                        return;
        }
        snprintf(url, sizeof url, "http://u:p@%s/old", address);
        r.read_body_arg = &left;
        r.read_body_len = -1;
        if (!OK(green_http_fetch(client, url, &r, &res)))
                return;
        bool fine = read_it(res, "xxxxxx");
        green_http_response_free(res);
        if (fine && OK(green_http_get(client, url, NULL, &res))) {
                (void)read_it(res, "");
                green_http_response_free(res);
        }
}

static void
client(void)
{
        static const struct green_wsgi_pair fields[] = {{"X-One", "1"}, {NULL, NULL}};
        static const char *const none[] = {"127.0.0.1", NULL};
        const struct green_http_client_opts opts = {.size = sizeof opts,
                                                    .cookies = true,
                                                    .fields = fields,
                                                    .proxy = "http://u:p@127.0.0.1:1",
                                                    .no_proxy = none,
                                                    .connect_timeout = BRIEF,
                                                    .send_timeout = BRIEF,
                                                    .header_timeout = BRIEF,
                                                    .read_timeout = BRIEF,
                                                    .timeout = 4 * BRIEF};
        struct service service = {NULL, 1};
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;
        green_thread *gt = NULL;
        green_http_client *c;

        peer_may_be_gone();
        if (!MADE(green_get_hub()) || !MADE(service.listener = green_listen("127.0.0.1:0", NULL)))
                return;
        if (OK(green_socket_getsockname(service.listener, &addr)) && MADE(gt = green_spawn(serve, &service))) {
                green_addr_format(&addr, address, sizeof address);
                errno = 0;
                if (MADE(c = green_http_client_new(&opts))) {
                        talk(c, address);
                        green_http_client_free(c);
                }
        }
        (void)OK(green_socket_close(service.listener));
        (void)OK(fault_join(gt));
        (void)OK(green_socket_free(service.listener));
}

#define SCENARIOS(X) X(client, SERVES, 0)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        fault_storm(&scenario_client, 0.5);
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_client);
}

GREEN_SUITE(fault_web_client){SCENARIOS(FAULT_TEST_ROW) GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
                              GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60), GREEN_SUITE_END};
