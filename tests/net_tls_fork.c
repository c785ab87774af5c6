/*
 * TLS by several processes that have a context in common, since a fork.
 */
#include "core_suite.h"
#include "net_tls.h"

enum { SERVERS = 2, LIFETIME = 4 };

struct server {
        green_socket *listener;
        char address[GREEN_ADDR_TEXT_SIZE];
        pid_t pid;
};

/* One connection after the other: a byte for each, as tickets of TLS 1.3 come before it. */
static void
serve(green_socket *listener, green_tls_context *context)
{
        const struct green_wrap_ssl_opts o = {.size = sizeof o, .context = context, .server_side = true};
        green_socket *s;
        char byte;

        while ((s = green_socket_accept(listener, NULL)) != NULL) {
                if (CHECK(green_wrap_ssl(s, &o) == s) && CHECK_INT(green_socket_send(s, "x", 1, 0), 1))
                        (void)!green_socket_recv(s, &byte, 1, 0);
                green_socket_free(s);
        }
}

static void
begin(struct server *v, green_tls_context *context)
{
        v->listener = listen_here(v->address);
        v->pid = core_fork();
        if (v->pid == 0) {
                serve(v->listener, context);
                core_child_exit();
        }
        CHECK_INT(green_socket_free(v->listener), 0);
}

static void
end(struct server *v)
{
        if (v->pid <= 0)
                return;
        CHECK_INT(kill(v->pid, SIGKILL), 0);
        CHECK_INT(waitpid(v->pid, NULL, 0), v->pid);
}

/* Connects to it with a session, and has one in the end. */
static bool
visit(const struct server *v, green_tls_context *client, green_tls_session **session)
{
        struct green_wrap_ssl_opts o = {
                .size = sizeof o, .context = client, .server_hostname = "localhost", .session = *session};
        green_socket *s = green_connect(v->address, NULL);
        bool resumed;
        char byte;

        if (!CHECK(s != NULL) || !CHECK(green_wrap_ssl(s, &o) == s))
                return false;
        CHECK_INT(green_socket_recv(s, &byte, 1, 0), 1);
        resumed = green_tls_resumed(s);
        green_tls_session_unref(*session);
        *session = green_tls_session_get(s);
        CHECK(*session != NULL);
        CHECK_INT(green_socket_free(s), 0);
        return resumed;
}

/* Keys change in each process by itself, twice in a ticket's lifetime, and they change to the same. */
static void
tickets_of_one_process_open_in_another(void)
{
        struct green_tls_opts o = {.size = sizeof o, .cert_file = CERT("both"), .ticket_lifetime = LIFETIME};
        green_tls_session *early = NULL, *late = NULL;
        green_tls_context *client, *server;
        struct server servers[SERVERS] = {{NULL}};

        if (!has_tls())
                return;
        client = client_context();
        server = green_tls_context_new(&o);
        for (int i = 0; i < SERVERS; i++)
                begin(&servers[i], server);
        CHECK(!visit(&servers[0], client, &early));
        CHECK(visit(&servers[1], client, &early));
        CHECK_INT(green_sleep(LIFETIME / 2.0 + 0.05), 0);
        CHECK(!visit(&servers[0], client, &late));
        CHECK(visit(&servers[1], client, &late));
        /* What was sealed before the change still opens, and the one who has changed nothing yet keeps up. */
        CHECK(visit(&servers[0], client, &early));
        for (int i = 0; i < SERVERS; i++)
                end(&servers[i]);
        green_tls_session_unref(early);
        green_tls_session_unref(late);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
}

GREEN_SUITE(net_tls_fork){GREEN_TEST(tickets_of_one_process_open_in_another), GREEN_SUITE_END};
