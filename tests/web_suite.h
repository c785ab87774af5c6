/*
 * For tests of the HTTP server: one in a green thread, and clients that speak bytes.
 */
#ifndef GREEN_WEB_SUITE_H
#define GREEN_WEB_SUITE_H

#include "net_suite.h"

#include <sys/socket.h>

#include <green/web.h>

/* ---- a server in a green thread, and clients that speak bytes */

struct server {
        green_socket *listener;
        char address[GREEN_ADDR_TEXT_SIZE];
        green_wsgi_app app;
        struct green_wsgi_server_opts opts;
        green_thread *thread;
        int requests;
        int running, most; /* inside the application, now and at most */
        struct green_waitq hold;
        int64_t length;
        char path[256], query[64], field[64], body[256];
        ssize_t last_read;
        int rc;
};

static inline void *
server_main(void *arg)
{
        struct server *s = arg;

        s->rc = green_wsgi_server(s->listener, s->app, s, &s->opts);
        return NULL;
}

static inline void
serve(struct server *s, green_wsgi_app app)
{
        s->listener = listen_here(s->address);
        s->app = app;
        s->opts.size = sizeof s->opts;
        s->thread = green_spawn(server_main, s);
        green_sleep(0);
}

/* End the server, and see that nothing of it is left. */
static inline void
stop(struct server *s)
{
        green_kill(s->thread, 0);
        CHECK_INT(green_thread_wait(s->thread, NULL), GREEN_EKILLED);
        CHECK_INT(s->rc, GREEN_EKILLED);
        CHECK_INT(green_socket_fd(s->listener), GREEN_INVALID_FD);
        green_thread_unref(s->thread);
        CHECK_INT(green_socket_free(s->listener), 0);
}

static inline green_socket *
client_of(const struct server *s)
{
        green_socket *c = green_connect(s->address, NULL);

        CHECK(c != NULL);
        green_socket_set_timeout(c, 5);
        return c;
}

static inline void
say(green_socket *c, const char *text)
{
        CHECK_INT(green_socket_sendall(c, text, strlen(text), 0, NULL), 0);
}

/* What comes until the end of the connection. */
static inline const char *
all_of(green_socket *c)
{
        static char text[65536];
        size_t len = 0;
        ssize_t n;

        while ((n = green_socket_recv(c, text + len, sizeof text - 1 - len, 0)) > 0)
                len += (size_t)n;
        CHECK_INT(n, 0);
        text[len] = '\0';
        return text;
}

/* What comes until a text has come. */
static inline const char *
until(green_socket *c, const char *end)
{
        static char text[65536];
        size_t len = 0;

        text[0] = '\0';
        while (strstr(text, end) == NULL) {
                ssize_t n = green_socket_recv(c, text + len, 1, 0);

                if (!CHECK_INT(n, 1))
                        break;
                len += (size_t)n;
                text[len] = '\0';
        }
        return text;
}

/* One exchange on a connection of its own. */
static inline const char *
ask(const struct server *s, const char *text)
{
        green_socket *c = client_of(s);
        const char *answer;

        say(c, text);
        CHECK_INT(green_socket_shutdown(c, SHUT_WR), 0);
        answer = all_of(c);
        CHECK_INT(green_socket_free(c), 0);
        return answer;
}

static inline bool
begins(const char *text, const char *with)
{
        return strncmp(text, with, strlen(with)) == 0;
}

static inline int
count(const char *text, const char *part)
{
        int n = 0;

        for (; (text = strstr(text, part)) != NULL; text += strlen(part))
                n++;
        return n;
}

/* An application: requests wait inside until they are let go. */
MAYBE int
held(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;
        struct green_wait w;
        int rc;

        s->requests++;
        s->running++;
        if (s->running > s->most)
                s->most = s->running;
        rc = green_park(&s->hold, &w, GREEN_FOREVER);
        s->running--;
        return rc != 0 ? rc : green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

#endif
