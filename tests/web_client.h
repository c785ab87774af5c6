/*
 * For tests of the HTTP client: scripted peers that speak bytes, and short ways to ask.
 */
#ifndef GREEN_WEB_CLIENT_H
#define GREEN_WEB_CLIENT_H

#include "web_suite.h"

/* ---- peers: each connection is answered by the next text of a script */

enum { PEER_TURNS = 24 };

/* One turn: wait for a request's header, and so many bytes behind it; then say this. */
struct turn {
        const char *answer; /* NULL: the end of the script */
        size_t len;         /* of it; 0: it is a string */
        size_t body;        /* bytes of the request's body to wait for */
        bool close;         /* the connection, then */
};

struct peer {
        green_socket *listener;
        char address[GREEN_ADDR_TEXT_SIZE], url[GREEN_ADDR_TEXT_SIZE + 16];
        struct turn turns[PEER_TURNS];
        int at, connections;
        char asked[PEER_TURNS][2048]; /* what came at each turn */
        green_thread *thread;
        bool by_pieces; /* a byte at a time */
};

/* Read a header and its body. False: the connection has ended, or there was an error. */
static inline bool
peer_hears(green_socket *s, char *text, size_t size, size_t body)
{
        size_t len = 0, want = SIZE_MAX;

        text[0] = '\0';
        while (len < want && len < size - 1) {
                ssize_t n = green_socket_recv(s, text + len, 1, 0);
                const char *end;

                if (n <= 0)
                        return false;
                text[++len] = '\0';
                if (want == SIZE_MAX && (end = strstr(text, "\r\n\r\n")) != NULL)
                        want = (size_t)(end - text) + 4 + body;
        }
        return true;
}

static inline bool
peer_says(const struct peer *p, green_socket *s, const struct turn *t)
{
        size_t len = t->len > 0 ? t->len : strlen(t->answer);

        if (!p->by_pieces)
                return green_socket_sendall(s, t->answer, len, 0, NULL) == 0;
        for (size_t i = 0; i < len; i++)
                if (green_socket_sendall(s, t->answer + i, 1, 0, NULL) != 0 || green_sleep(0) != 0)
                        return false;
        return true;
}

static inline void *
peer_main(void *arg)
{
        struct peer *p = arg;

        while (p->turns[p->at].answer != NULL) {
                green_socket *s = green_socket_accept(p->listener, NULL);

                if (s == NULL)
                        break;
                p->connections++;
                while (p->turns[p->at].answer != NULL) {
                        const struct turn *t = &p->turns[p->at];

                        if (!peer_hears(s, p->asked[p->at], sizeof p->asked[0], t->body))
                                break;
                        p->at++;
                        if (!peer_says(p, s, t) || t->close)
                                break;
                }
                /* Of one that is not closed by the script the client says when. */
                if (p->turns[p->at].answer == NULL && !p->turns[p->at > 0 ? p->at - 1 : 0].close) {
                        char byte;

                        while (green_socket_recv(s, &byte, 1, 0) > 0)
                                ;
                }
                green_socket_free(s);
        }
        return NULL;
}

static inline void
peer_start(struct peer *p)
{
        p->listener = listen_here(p->address);
        snprintf(p->url, sizeof p->url, "http://%s/", p->address);
        p->thread = green_spawn(peer_main, p);
}

static inline void
peer_stop(struct peer *p)
{
        green_kill(p->thread, 0);
        (void)!green_thread_wait(p->thread, NULL);
        green_thread_unref(p->thread);
        CHECK_INT(green_socket_free(p->listener), 0);
}

/* ---- asking */

#define OK_5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"

/* The status of a GET, or its code; the body is to be this (NULL: whatever). */
MAYBE int
get(green_http_client *c, const char *url, const char *body)
{
        green_http_response *res = NULL;
        char *data;
        int rc = green_http_get(c, url, NULL, &res);

        if (rc != 0)
                return rc;
        rc = green_http_read_all(res, 1 << 20, &data, NULL);
        if (rc == 0 && body != NULL)
                CHECK_STR(data, body);
        if (rc == 0)
                rc = green_http_response_status(res);
        green_http_response_free(res);
        return rc;
}

#endif
