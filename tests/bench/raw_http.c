/*
 * The floor of the HTTP benchmarks, a bare epoll loop: it looks for the empty line that ends a request and sends an
 * answer that was written once; those of all requests that have come are sent together.
 */
#include "bench_http.h"

#include <sys/epoll.h>

#define BATCH 256
#define BUFFER 4096
#define TOGETHER 64 /* answers a send */

static const char answer[] =
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 14\r\nServer: raw-epoll\r\n"
        "Content-Type: " BENCH_TYPE "\r\n\r\n" BENCH_BODY;
#define ANSWER (sizeof(answer) - 1)

static char answers[TOGETHER * ANSWER];
static int ep, listener;

/* A connection, and how much of the empty line has come. */
struct conn {
        int fd;
        unsigned matched;
};

static void
accept_all(void)
{
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct conn *c = calloc(1, sizeof *c);
                struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data = {.ptr = c}};

                bench_check(c != NULL && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
                c->fd = fd;
        }
}

/* Requests whose end is among these bytes. */
static unsigned
count(struct conn *c, const char *at, size_t len)
{
        unsigned n = 0;

        for (size_t i = 0; i < len; i++) {
                if (at[i] == (c->matched % 2 == 0 ? '\r' : '\n'))
                        c->matched++;
                else
                        c->matched = at[i] == '\r';
                if (c->matched == 4) {
                        c->matched = 0;
                        n++;
                }
        }
        return n;
}

static int
reply(const struct conn *c, unsigned n)
{
        while (n > 0) {
                unsigned now = n < TOGETHER ? n : TOGETHER;

                if (send(c->fd, answers, now * ANSWER, MSG_NOSIGNAL) != (ssize_t)(now * ANSWER))
                        return 0;
                n -= now;
        }
        return 1;
}

static void
serve(struct conn *c)
{
        char buf[BUFFER];
        ssize_t n;

        do {
                n = recv(c->fd, buf, sizeof buf, 0);
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0 || !reply(c, count(c, buf, (size_t)n))) {
                        close(c->fd);
                        free(c);
                        return;
                }
        } while (n == (ssize_t)sizeof buf);
}

int
main(void)
{
        struct epoll_event evs[BATCH], ev = {.events = EPOLLIN, .data = {.ptr = NULL}};

        for (size_t i = 0; i < TOGETHER; i++)
                memcpy(answers + i * ANSWER, answer, ANSWER);
        ep = epoll_create1(EPOLL_CLOEXEC);
        listener = bench_listen();
        bench_check(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) == 0, "epoll");
        bench_announce(listener);
        for (;;) {
                int n = epoll_wait(ep, evs, BATCH, -1);

                for (int i = 0; i < n; i++) {
                        if (evs[i].data.ptr == NULL)
                                accept_all();
                        else
                                serve((struct conn *)evs[i].data.ptr);
                }
        }
}
