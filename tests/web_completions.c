/* The HTTP server on a hub that runs operations to completion. */
#include "core_suite.h"

#include "net_suite.h"

#include <green/web.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

enum { IDLE = 20 };

struct server {
        green_socket *listener;
        int requests;
        int rc;
};

static int
answer(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        return green_wsgi_respond(req, 200, "text/plain", "hello", 5);
}

static void *
serve(void *arg)
{
        struct server *s = arg;

        s->rc = green_wsgi_server(s->listener, answer, s, NULL);
        return NULL;
}

/* It may come in pieces. */
static void
read_answer(green_socket *s)
{
        char text[1000];
        size_t len = 0;
        ssize_t n;

        while (len < 5 || memcmp(text + len - 5, "hello", 5) != 0) {
                n = green_socket_recv(s, text + len, sizeof text - len, 0);
                if (!CHECK(n > 0))
                        return;
                len += (size_t)n;
        }
}

static void
nothing_waits_for_readiness(void)
{
        static const char *const settings[] = {"", "late=0,buffers=64,end=0", "late=1,buffers=2,cancel=success"};

        for (int k = 0; k < 3; k++) {
                struct hub_late_stats *stats = core_late_hub("hub_late", settings[k]);
                char address[GREEN_ADDR_TEXT_SIZE];
                green_socket *clients[IDLE];
                struct server s = {0};
                green_thread *gt;

                if (stats == NULL)
                        return;
                s.listener = listen_here(address);
                gt = green_spawn(serve, &s);
                for (int i = 0; i < IDLE; i++)
                        clients[i] = green_connect(address, NULL);
                for (int round = 0; round < 3; round++) {
                        for (int i = 0; i < IDLE; i++) {
                                CHECK_INT(green_socket_sendall(clients[i], GET, sizeof GET - 1, 0, NULL), 0);
                                read_answer(clients[i]);
                        }
                        green_sleep(0.005);
                }
                CHECK_INT(s.requests, 3 * IDLE);
                CHECK(stats->pieces > 0);
                CHECK_INT(stats->kinds[GREEN_OP_POLL], 0);
                /* With few buffers some connections rest on their readiness. */
                CHECK(stats->adds == 0 || k != 1);
                CHECK_INT(green_kill(gt, 0), 0);
                CHECK_INT(core_join(gt), GREEN_EKILLED);
                CHECK_INT(green_socket_free(s.listener), 0);
                for (int i = 0; i < IDLE; i++)
                        CHECK_INT(green_socket_free(clients[i]), 0);
                (void)core_fresh_hub(NULL);
                CHECK_INT(stats->buffers, stats->releases);
        }
}

GREEN_SUITE(web_completions){GREEN_TEST(nothing_waits_for_readiness), GREEN_SUITE_END};
