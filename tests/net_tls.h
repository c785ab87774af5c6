/* What the tests of TLS share. The certificates are those of tests/certs. */
#ifndef GREEN_TESTS_NET_TLS_H
#define GREEN_TESTS_NET_TLS_H

#include <stdlib.h>

#include <green/net.h>

#include "net_suite.h"

/* Files of tests/certs. */
#define CERT(name) TLS_CERTS "/" name ".pem"
#define KEY(name) TLS_CERTS "/" name ".key"

/* Without a back end nothing here can run. */
MAYBE bool
has_tls(void)
{
        if (green_tls_backend() != NULL)
                return true;
        suite_skip(green_last_error()->message);
        return false;
}

MAYBE bool
is_mbedtls(void)
{
        return strncmp(green_tls_backend(), "mbedtls", 7) == 0;
}

/* A server's context: tests/certs/NAME. */
MAYBE green_tls_context *
server_context(const char *name)
{
        char cert[512], key[512];
        struct green_tls_opts o = {.size = sizeof o, .cert_file = cert, .key_file = key};
        green_tls_context *context;

        snprintf(cert, sizeof cert, TLS_CERTS "/%s.pem", name);
        snprintf(key, sizeof key, TLS_CERTS "/%s.key", name);
        context = green_tls_context_new(&o);
        if (!CHECK(context != NULL))
                FAIL("%s", green_last_error()->message);
        return context;
}

/* A client's, which trusts tests/certs/ca. */
MAYBE green_tls_context *
client_context(void)
{
        struct green_tls_opts o = {.size = sizeof o, .ca_file = CERT("ca")};
        green_tls_context *context = green_tls_context_new(&o);

        CHECK(context != NULL);
        return context;
}

/* One end of a handshake. */
struct tls_end {
        green_socket *s;
        green_tls_context *context;
        const char *name; /* clients: server_hostname */
        green_tls_session *session;
        bool server, lazy;
        int rc; /* of the wrap */
        char why[300];
};

MAYBE void *
wrap_end(void *arg)
{
        struct tls_end *e = arg;
        struct green_wrap_ssl_opts o = {.size = sizeof o,
                                        .context = e->context,
                                        .server_side = e->server,
                                        .server_hostname = e->name,
                                        .session = e->session,
                                        .no_handshake_on_connect = e->lazy};

        e->rc = 0;
        if (green_wrap_ssl(e->s, &o) != e->s) {
                e->rc = green_last_error()->code;
                CHECK_INT(errno, -e->rc);
                snprintf(e->why, sizeof e->why, "%s", green_last_error()->message);
        }
        return NULL;
}

/* A connection with TLS on both ends, made by two green threads; over TCP, unless it has its sockets already. */
struct tls_pair {
        struct tls_end client, server;
};

MAYBE void
shake_hands(struct tls_pair *p)
{
        green_thread *server;

        if (p->client.s == NULL) {
                struct pair tcp = tcp_pair();

                p->client.s = tcp.a;
                p->server.s = tcp.b;
        }
        p->server.server = true;
        if (p->client.name == NULL)
                p->client.name = "localhost";
        server = green_spawn(wrap_end, &p->server);
        wrap_end(&p->client);
        CHECK_INT(green_thread_wait(server, NULL), 0);
        green_thread_unref(server);
}

/* With default contexts; it must work. */
MAYBE struct tls_pair
tls_pair(void)
{
        struct tls_pair p = {.client.context = client_context(), .server.context = server_context("ec")};

        shake_hands(&p);
        CHECK_INT(p.client.rc, 0);
        CHECK_INT(p.server.rc, 0);
        green_tls_context_unref(p.client.context);
        green_tls_context_unref(p.server.context);
        p.client.context = p.server.context = NULL;
        return p;
}

MAYBE void
free_tls_pair(struct tls_pair *p)
{
        CHECK_INT(green_socket_free(p->client.s), 0);
        CHECK_INT(green_socket_free(p->server.s), 0);
}

/* Let the wire hold little. */
MAYBE void
small_buffers(struct tls_pair *p)
{
        int size = 32768;

        CHECK_INT(green_socket_setsockopt(p->client.s, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        CHECK_INT(green_socket_setsockopt(p->server.s, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        CHECK_INT(green_socket_setsockopt(p->client.s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
        CHECK_INT(green_socket_setsockopt(p->server.s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

/* The same with a context of one's own at either end, which are given back. */
MAYBE void
shake_hands_once(struct tls_pair *p, green_tls_context *client, green_tls_context *server)
{
        p->client.context = client;
        p->server.context = server;
        shake_hands(p);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        p->client.context = p->server.context = NULL;
}

/* Bytes that say where they stand. */
MAYBE void
fill_pattern(char *buf, size_t len, size_t at)
{
        for (size_t i = 0; i < len; i++)
                buf[i] = (char)((at + i) * 31 + (at + i) / 251);
}

MAYBE bool
is_pattern(const char *buf, size_t len, size_t at)
{
        for (size_t i = 0; i < len; i++)
                if (buf[i] != (char)((at + i) * 31 + (at + i) / 251))
                        return false;
        return true;
}

#endif
