/* The floor of the TLS benchmarks: a bare epoll loop on mbedTLS, one descriptor and one session a connection. */
#include "bench_mbedtls.h"

#include <sys/epoll.h>

#define BATCH 256

struct conn {
        int fd;
        mbedtls_ssl_context ssl;
};

static int ep, listener;
static mbedtls_ssl_config conf;
static mbedtls_x509_crt cert;
static mbedtls_pk_context key;
static mbedtls_ssl_ticket_context tickets;

static void
accept_all(void)
{
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct conn *c = calloc(1, sizeof *c);
                struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = c}};

                bench_check(c != NULL, "calloc");
                c->fd = fd;
                mbedtls_ssl_init(&c->ssl);
                bench_check(mbedtls_ssl_setup(&c->ssl, &conf) == 0, "setup");
                mbedtls_ssl_set_bio(&c->ssl, &c->fd, bench_bio_send, bench_bio_recv, NULL);
                bench_check(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
        }
}

static void
drop(struct conn *c)
{
        mbedtls_ssl_close_notify(&c->ssl);
        mbedtls_ssl_free(&c->ssl);
        close(c->fd);
        free(c);
}

static void
serve(struct conn *c)
{
        unsigned char buf[BENCH_BUFFER];
        int n;

        if (c->ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER) {
                n = mbedtls_ssl_handshake(&c->ssl);
                if (n == MBEDTLS_ERR_SSL_WANT_READ)
                        return;
                if (n != 0) {
                        drop(c);
                        return;
                }
        }
        n = mbedtls_ssl_read(&c->ssl, buf, sizeof buf);
        if (n == MBEDTLS_ERR_SSL_WANT_READ)
                return;
        if (n <= 0 || mbedtls_ssl_write(&c->ssl, buf, (size_t)n) != n)
                drop(c);
}

int
main(void)
{
        struct epoll_event ev = {.events = EPOLLIN}, evs[BATCH];

        mbedtls_x509_crt_init(&cert);
        mbedtls_pk_init(&key);
        mbedtls_ssl_ticket_init(&tickets);
        bench_check(mbedtls_x509_crt_parse_file(&cert, TLS_CERTS "/both.pem") == 0, "certificate");
        bench_check(mbedtls_pk_parse_keyfile(&key, TLS_CERTS "/both.pem", NULL) == 0, "key");
        bench_tls_defaults(&conf, MBEDTLS_SSL_IS_SERVER);
        bench_check(mbedtls_ssl_conf_own_cert(&conf, &cert, &key) == 0, "own certificate");
        bench_check(mbedtls_ssl_ticket_setup(&tickets, bench_entropy, NULL, MBEDTLS_CIPHER_AES_256_GCM, 7200) == 0,
                    "tickets");
        mbedtls_ssl_conf_session_tickets_cb(&conf, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets);
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
