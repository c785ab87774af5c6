/*
 * The floor of the TLS benchmarks with OpenSSL: a bare epoll loop on it, one descriptor and one session a connection.
 * Records are read ahead, so that one costs one recv, and buffers are given back when a connection rests.
 */
#include "bench_net.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#define BATCH 256

struct conn {
        int fd;
        SSL *ssl;
};

static int ep, listener;
static SSL_CTX *ctx;

static void
accept_all(void)
{
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct conn *c = calloc(1, sizeof *c);
                struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = c}};

                bench_check(c != NULL && (c->ssl = SSL_new(ctx)) != NULL, "SSL_new");
                c->fd = fd;
                bench_check(SSL_set_fd(c->ssl, fd) == 1, "SSL_set_fd");
                SSL_set_accept_state(c->ssl);
                bench_check(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
        }
}

static void
drop(struct conn *c)
{
        if (SSL_is_init_finished(c->ssl))
                SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        close(c->fd);
        free(c);
        ERR_clear_error();
}

static void
serve(struct conn *c)
{
        char buf[BENCH_BUFFER];
        int n = SSL_read(c->ssl, buf, sizeof buf);

        if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
                return;
        if (n <= 0 || SSL_write(c->ssl, buf, n) != n)
                drop(c);
}

int
main(void)
{
        struct epoll_event ev = {.events = EPOLLIN}, evs[BATCH];

        ctx = SSL_CTX_new(TLS_server_method());
        bench_check(ctx != NULL && SSL_CTX_use_certificate_chain_file(ctx, TLS_CERTS "/both.pem") == 1, "certificate");
        bench_check(SSL_CTX_use_PrivateKey_file(ctx, TLS_CERTS "/both.pem", SSL_FILETYPE_PEM) == 1, "key");
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_read_ahead(ctx, 1);
        /* The cheap curves first, whatever the client would like best. */
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
        bench_check(SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1, "groups");
        ep = epoll_create1(EPOLL_CLOEXEC);
        listener = bench_listen();
        bench_check(epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) == 0, "epoll_ctl");
        bench_announce(listener);
        for (;;) {
                int n = epoll_wait(ep, evs, BATCH, -1);

                for (int i = 0; i < n; i++) {
                        if (evs[i].data.ptr == NULL)
                                accept_all();
                        else
                                serve(evs[i].data.ptr);
                }
        }
}
