/*
 * Backdoors: who may be served, consoles in green threads of their own, and the server. See <green/backdoor.h>.
 */
#include "backdoor_priv.h"
#include "inet.h"


#include <green/addr.h>
#include <green/timeout.h>

/* Seconds without accepting after descriptors or memory ran out. */
#define PAUSE 0.1
/* Seconds that consoles have to end when the server does. */
#define END_SECONDS 3.0

/* A server, while it serves. It lies on the stack of the one that does. */
struct server {
        struct green_backdoor_opts opts;
        struct session *sessions;
        size_t open;
};

/* A console and its green thread. */
struct session {
        struct server *server; /* NULL: there is none, or it has gone */
        struct session *next;  /* of the server */
        struct session **at;   /* what points here */
        green_backdoor_console *console;
        green_thread *thread; /* a handle */
        bool killed;          /* by the end of the server */
        char peer[GREEN_ADDR_TEXT_SIZE];
};

/* ---- who may be served */

static bool
is_loopback(const struct green_addr *addr)
{
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(addr, &size);
        const struct in6_addr *in6;

        switch (green_addr_family(addr)) {
        case AF_UNIX:
                return true;
        case AF_INET:
                return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127;
        case AF_INET6:
                in6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
                return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
        default:
                return false;
        }
}

int
green__backdoor_may_serve(const struct green_addr *addr, bool anywhere)
{
        char text[GREEN_ADDR_TEXT_SIZE];

        if (anywhere || is_loopback(addr))
                return 0;
        green_addr_format(addr, text, sizeof text);
        return green_set_error(-EACCES, "backdoor: %s is not a loopback address", text);
}

/* The socket's own address, which must be one of those. */
static int
check_socket(const green_socket *s, bool anywhere, struct green_addr *ret_addr)
{
        int rc = s == NULL ? green_set_error(-EINVAL, "backdoor: there is no socket")
                           : green_socket_getsockname(s, ret_addr);

        return rc != 0 ? rc : green__backdoor_may_serve(ret_addr, anywhere);
}

void
green__backdoor_end_thread(green_thread *gt)
{
        int rc;

        green_shield_begin();
        rc = green_kill(gt, 0);
        if (rc == 0)
                rc = green_thread_wait(gt, NULL);
        (void)rc;
        green_shield_end();
        green_thread_unref(gt);
}

/* ---- a console in its green thread */

static void
leave_server(struct session *ss)
{
        if (ss->server == NULL)
                return;
        *ss->at = ss->next;
        if (ss->next != NULL)
                ss->next->at = ss->at;
        ss->server->open--;
        ss->server = NULL;
}

static void
join_server(struct session *ss, struct server *srv)
{
        ss->server = srv;
        ss->at = &srv->sessions;
        ss->next = srv->sessions;
        if (ss->next != NULL)
                ss->next->at = &ss->next;
        srv->sessions = ss;
        srv->open++;
}

/* However the green thread ends, by a command that calls green_exit() too. */
static void
close_console(void *arg)
{
        struct session *ss = arg;
        green_backdoor_console *c = ss->console;

        ss->console = NULL;
        c->running = false;
        (void)green_backdoor_console_finalize(c);
}

static void
on_end(green_thread *gt, void *arg)
{
        struct session *ss = arg;

        /* It was killed before it started. */
        if (ss->console != NULL)
                close_console(ss);
        leave_server(ss);
        green_free(ss);
        green_thread_unref(gt);
}

static void *
run_session(void *arg)
{
        struct session *ss = arg;
        int rc = green_defer(close_console, ss);

        green_log(GREEN_LOG_INFO, "green-net: backdoor opened to %s", ss->peer);
        if (rc == 0)
                rc = green_backdoor_console_run(ss->console);
        if (rc == -EACCES)
                green_log(GREEN_LOG_WARNING, "green-net: backdoor: a wrong token from %s", ss->peer);
        else if (rc == -EPROTO)
                green_log(GREEN_LOG_WARNING, "green-net: backdoor: an HTTP request from %s", ss->peer);
        green_log(GREEN_LOG_INFO, "green-net: backdoor closed to %s%s%s", ss->peer, rc == 0 ? "" : ": ",
                  rc == 0 ? "" : green_strerror(rc));
        return NULL;
}

/* Let a console run on a socket, which is its own then; on failure it is still the caller's. */
static int
start_session(struct server *srv, green_socket *s, const struct green_backdoor_opts *opts)
{
        struct session *ss = green_calloc(1, sizeof *ss);
        green_stream *stream = green_socket_makefile(s, NULL);
        struct green_addr peer = {.size = 0};
        int rc = -ENOMEM;

        if (ss != NULL && stream != NULL)
                ss->console = green_backdoor_console_new(stream, opts);
        if (ss != NULL && ss->console != NULL)
                ss->thread = green_spawn(run_session, ss);
        if (ss != NULL && ss->thread != NULL)
                rc = green_thread_link(ss->thread, on_end, ss);
        if (rc == 0) {
                (void)green_socket_getpeername(s, &peer);
                green_addr_format(&peer, ss->peer, sizeof ss->peer);
                (void)green_thread_set_name(ss->thread, "backdoor");
                if (srv != NULL)
                        join_server(ss, srv);
                (void)green_socket_free(s);
                return 0;
        }
        if (stream == NULL)
                rc = green_last_error()->code;
        if (ss != NULL && ss->thread != NULL) {
                (void)green_thread_cancel(ss->thread, 0);
                green_thread_unref(ss->thread);
        }
        if (ss != NULL && ss->console != NULL)
                (void)green_backdoor_console_finalize(ss->console);
        else
                (void)green_stream_free(stream);
        green_free(ss);
        return rc;
}

int
green_backdoor(green_socket *s, const struct green_backdoor_opts *opts)
{
        struct green_backdoor_opts o;
        struct green_addr addr;
        int rc = green__backdoor_take(&o, opts);

        if (rc == 0)
                rc = check_socket(s, o.anywhere, &addr);
        return rc != 0 ? rc : start_session(NULL, s, &o);
}

/* ---- the server */

static bool
is_shortage(int rc)
{
        return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS;
}

static void
serve_one(struct server *srv, green_socket *client)
{
        static const char full[] = "error: there are as many consoles as there may be\n";
        int rc;

        if (srv->open >= srv->opts.max_consoles) {
                ssize_t sent = green_socket_send(client, full, sizeof full - 1, MSG_DONTWAIT);

                (void)sent;
                green_log(GREEN_LOG_WARNING, "green-net: backdoor: %zu consoles are open, one more was refused",
                          srv->open);
                (void)green_socket_free(client);
                return;
        }
        rc = start_session(srv, client, &srv->opts);
        if (rc == 0)
                return;
        green_log(GREEN_LOG_WARNING, "green-net: backdoor: no console: %s", green_strerror(rc));
        (void)green_socket_free(client);
}

static int
serve(struct server *srv, green_socket *listener)
{
        bool complained = false;
        int rc = 0;

        while (rc == 0) {
                green_socket *client = green_socket_accept(listener, NULL);

                if (client != NULL) {
                        complained = false;
                        serve_one(srv, client);
                        continue;
                }
                rc = green_last_error()->code;
                if (is_shortage(rc)) {
                        if (!complained)
                                green_log(GREEN_LOG_WARNING, "green-net: backdoor: cannot accept: %s",
                                          green_strerror(rc));
                        complained = true;
                        rc = green_sleep(PAUSE);
                } else if (rc == -EPIPE) {
                        rc = 0;
                }
        }
        return rc;
}

/* One that was not told to end yet; NULL. */
static struct session *
unkilled(const struct server *srv)
{
        struct session *ss = srv->sessions;

        while (ss != NULL && ss->killed)
                ss = ss->next;
        return ss;
}

/* Those that do not end in time, for a command that waits shielded, lose what is the caller's. */
static void
end_sessions(struct server *srv)
{
        struct green_timeout t = {{0}};
        struct session *ss;
        int rc;

        green_shield_begin();
        while ((ss = unkilled(srv)) != NULL) {
                ss->killed = true;
                (void)green_kill(ss->thread, 0);
        }
        rc = green_timeout_start(&t, END_SECONDS);
        while (rc == 0 && (ss = srv->sessions) != NULL) {
                green_thread *gt = green_thread_ref(ss->thread);

                rc = green_thread_wait(gt, NULL);
                rc = green_timeout_fired(&t) ? rc : 0;
                green_thread_unref(gt);
        }
        (void)green_timeout_cancel(&t);
        while ((ss = srv->sessions) != NULL) {
                if (ss->console != NULL)
                        ss->console->variables = NULL;
                leave_server(ss);
        }
        green_shield_end();
}

int
green_backdoor_server(green_socket *listener, const struct green_backdoor_opts *opts)
{
        struct server srv = {.sessions = NULL};
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;
        int rc = green__backdoor_take(&srv.opts, opts);

        if (rc == 0)
                rc = check_socket(listener, srv.opts.anywhere, &addr);
        if (rc == 0 && green__backdoor_path(&addr) != NULL)
                rc = green__backdoor_make_private(green__backdoor_path(&addr));
        if (rc != 0)
                return rc;
        green_addr_format(&addr, text, sizeof text);
        green_log(GREEN_LOG_INFO, "green-net: backdoor server listening on %s", text);
        rc = serve(&srv, listener);
        (void)green_socket_close(listener);
        end_sessions(&srv);
        green_log(GREEN_LOG_INFO, "green-net: backdoor server on %s ends: %s", text, green_strerror(rc));
        return rc;
}
