/* Each allocation and system call of what net/tls*.c does fails in its turn. */
#include "fault.h"

#include <errno.h>
#include <string.h>

#include <green/net.h>
#include <green/tpool.h>

#define SOON (5.0 * suite_slow())

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

/* A build without a back end has nothing that could fail here. */
static bool usable;

static void
find_out(void)
{
        usable = green_tls_backend() != NULL;
}

GREEN_SUITE_INIT(find_out)

/* What the other end of a connection says of a failure on this one. */
static void
other_end_fails(void)
{
        fault_may_give(GREEN_ETLSALERT);
        fault_may_give(GREEN_ETLSEOF);
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ETIMEDOUT);
}

/* Steps of a handshake are made there. */
static void
end_pool(void)
{
        (void)OK(green_tpool_killall(SOON));
}

struct end {
        green_socket *s;
        green_tls_context *context;
        bool server;
};

static green_tls_context *
make_context(bool server)
{
        struct green_tls_opts o = {.size = sizeof o,
                                   .cert_file = server ? TLS_CERTS "/both.pem" : NULL,
                                   .ca_file = TLS_CERTS "/ca.pem",
                                   .crl_file = server ? NULL : TLS_CERTS "/ca.crl",
                                   .alpn = (const char *const[]){"one", "two", NULL}};

        return green_tls_context_new(&o);
}

static green_socket *
wrap(const struct end *e)
{
        struct green_wrap_ssl_opts o = {
                .size = sizeof o, .context = e->context, .server_side = e->server, .server_hostname = "localhost"};

        return green_wrap_ssl(e->s, &o);
}

static void *
serve(void *arg)
{
        struct end *e = arg;
        char buf[8];

        if (MADE(wrap(e)) && OK(green_socket_recv(e->s, buf, 4, 0)) && OK(green_socket_sendall(e->s, buf, 4, 0, NULL)))
                (void)OK(green_tls_unwrap(e->s));
        (void)OK(green_socket_close(e->s));
        return NULL;
}

static void
talk(struct end *e)
{
        green_tls_session *session;
        struct green_tls_cert *cert;
        char buf[8];

        if (!MADE(wrap(e)))
                return;
        (void)OK(green_tls_handshake(e->s));
        if (!green_socket_is_tls(e->s) || green_tls_version(e->s) == NULL || green_tls_cipher(e->s) == NULL ||
            green_tls_alpn(e->s) == NULL || green_tls_sni(e->s) != NULL || green_tls_resumed(e->s))
                fault_shows();
        if (MADE(cert = green_tls_peer_cert(e->s)))
                green_free(cert);
        if (OK(green_socket_sendall(e->s, "four", 4, 0, NULL)) && OK(green_socket_recv(e->s, buf, 4, 0))) {
                if (MADE(session = green_tls_session_get(e->s))) {
                        green_tls_session_unref(green_tls_session_ref(session));
                        green_tls_session_unref(session);
                }
                (void)OK(green_tls_unwrap(e->s));
        }
}

/* A whole conversation: contexts, handshake, questions, bytes, and TLS taken off again. */
static void
a_connection(void)
{
        green_socket *pair[2] = {NULL, NULL};
        struct end client = {.server = false}, server = {.server = true};
        green_thread *gt;

        other_end_fails();
        fault_may_give(-ENOENT); /* no memory for a session is no session */
        if (!usable || !MADE(green_get_hub()) || green_tls_backend() == NULL)
                return;
        client.context = make_context(false);
        server.context = MADE(client.context) ? make_context(true) : NULL;
        if (client.context != NULL && MADE(server.context) && OK(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair))) {
                client.s = pair[0];
                server.s = pair[1];
                CHECK_INT(green_socket_set_timeout(client.s, SOON), 0);
                CHECK_INT(green_socket_set_timeout(server.s, SOON), 0);
                if (MADE(gt = green_spawn(serve, &server))) {
                        talk(&client);
                        (void)green_socket_close(client.s);
                        (void)OK(fault_join(gt));
                }
                (void)green_socket_free(client.s);
                (void)green_socket_free(server.s);
        }
        green_tls_context_unref(client.context);
        green_tls_context_unref(server.context);
        end_pool();
}

static void
contexts(void)
{
        green_tls_context *context;

        if (!usable || !MADE(green_get_hub()) || green_tls_backend() == NULL)
                return;
        if (MADE(context = make_context(true))) {
                green_tls_context_unref(green_tls_context_ref(context));
                (void)OK(green_tls_context_reload(context));
                green_tls_context_unref(context);
        }
}

/* Say goodbye, and wait for the other's. */
static void
end_it(green_socket *s)
{
        char byte;

        if (OK(green_socket_shutdown(s, SHUT_WR)))
                (void)OK(green_socket_recv(s, &byte, 1, 0));
}

static void *
serve_accepted(void *arg)
{
        char buf[8];

        if (OK(green_socket_recv(arg, buf, 4, 0)) && OK(green_socket_sendall(arg, buf, 4, 0, NULL)))
                end_it(arg);
        (void)OK(green_socket_close(arg));
        return NULL;
}

/* A listener that gives TLS, and a client that is wrapped before it connects. */
static void
a_listener(void)
{
        struct green_wrap_ssl_opts l = {.size = sizeof l, .certfile = TLS_CERTS "/both.pem"};
        struct green_wrap_ssl_opts c = {
                .size = sizeof c, .ca_certs = TLS_CERTS "/ca.pem", .server_hostname = "localhost"};
        green_socket *listener, *client = NULL, *accepted = NULL;
        struct green_addr addr;
        green_thread *gt;
        char buf[8];

        other_end_fails();
        if (!usable || !MADE(green_get_hub()) || green_tls_backend() == NULL ||
            !MADE(listener = green_listen("127.0.0.1:0", NULL)))
                return;
        if (MADE(green_wrap_ssl(listener, &l)) && OK(green_socket_getsockname(listener, &addr)) &&
            MADE(client = green_socket_new(AF_INET, SOCK_STREAM, 0)) && OK(green_socket_set_timeout(client, SOON))) {
                c.no_handshake_on_connect = true;
                if (MADE(green_wrap_ssl(client, &c)) && OK(green_socket_connect(client, &addr)) &&
                    MADE(accepted = green_socket_accept(listener, NULL)) &&
                    OK(green_socket_set_timeout(accepted, SOON)) && MADE(gt = green_spawn(serve_accepted, accepted))) {
                        if (OK(green_socket_sendall(client, "four", 4, 0, NULL)) &&
                            OK(green_socket_recv(client, buf, 4, 0)))
                                end_it(client);
                        (void)green_socket_close(client);
                        (void)OK(fault_join(gt));
                }
        }
        (void)green_socket_free(client);
        (void)green_socket_free(accepted);
        (void)OK(green_socket_free(listener));
        end_pool();
}

#define SCENARIOS(X)                                                                                                   \
        X(contexts, ALTSTACK, FEWER)                                                                                   \
        X(a_connection, ALTSTACK | FAULT_BIT(close) | FAULT_BIT(getpeername), FEWER)                                   \
        X(a_listener, ALTSTACK | FEWER | FAULT_BIT(close) | FAULT_BIT(getpeername) | FAULT_BIT(setsockopt), FEWER)

FAULT_DEFINE(SCENARIOS)

static void signals_change_nothing(void){SCENARIOS(FAULT_STORM_ROW)}

GREEN_SUITE(fault_tls){SCENARIOS(FAULT_TEST_ROW) GREEN_TEST(signals_change_nothing, .limit = 120), GREEN_SUITE_END};
