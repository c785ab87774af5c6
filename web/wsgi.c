/*
 * The HTTP server: accept, and the end. See <green/wsgi.h>.
 */
#include <string.h>

#include "wsgi_priv.h"

static int
take_opts(struct green__server *server, const struct green_wsgi_server_opts *opts)
{
        if (green_opts_take(&server->opts, sizeof(server->opts), opts) != 0)
                return green_set_error(-EINVAL, "green_wsgi_server_opts of a size that this version does not know");
        if (server->opts.max_size == 0)
                server->opts.max_size = 1024;
        if (server->opts.header_timeout <= 0)
                server->opts.header_timeout = 60;
        if (server->opts.shutdown_timeout <= 0)
                server->opts.shutdown_timeout = 30;
        if (server->opts.url_length_limit == 0)
                server->opts.url_length_limit = 8192;
        server->limits = (struct green__http1_limits)GREEN__HTTP1_LIMITS_INIT;
        server->limits.request_line = server->opts.url_length_limit - 1;
        return 0;
}

/* Failures of accept that pass: there was no room for one more connection. */
static bool
is_shortage(int code)
{
        return code == -EMFILE || code == -ENFILE || code == -ENOBUFS || code == -ENOMEM;
}

static int
accept_all(struct green__server *server, green_socket *listener)
{
        double pause = 0.01;

        for (;;) {
                green_socket *client = green_socket_accept(listener, NULL);
                int rc;

                if (client != NULL) {
                        pause = 0.01;
                        green__conn_add(server, client);
                        continue;
                }
                rc = green_last_error()->code;
                if (!is_shortage(rc))
                        return rc;
                if (pause == 0.01)
                        green_log(GREEN_LOG_WARNING, "green-net: no more connections for now: %s", green_strerror(rc));
                rc = green_sleep(pause);
                if (rc != 0)
                        return rc;
                pause = pause < 1 ? pause * 2 : 1;
        }
}

static void
close_idle(struct green__server *server)
{
        struct green__conn *conn = server->conns.next;

        while (conn != &server->conns) {
                struct green__conn *next = conn->next;

                if (conn->state == GREEN__CONN_IDLE)
                        green__conn_close(conn);
                conn = next;
        }
}

/* Time is up for those who still run. A victim runs at once and may close connections: begin anew after each. */
static void
kill_running(struct green__server *server)
{
        struct green__conn *conn = server->conns.next;

        while (conn != &server->conns) {
                if (conn->thread == NULL || conn->killed) {
                        conn = conn->next;
                        continue;
                }
                conn->killed = true;
                (void)green_kill(conn->thread, 0);
                conn = server->conns.next;
        }
}

static void
shut_down(struct green__server *server)
{
        struct green_wait w;

        server->closing = true;
        green_shield_begin();
        close_idle(server);
        if (server->count > 0 && green_park(&server->all_gone, &w, server->opts.shutdown_timeout) != 0) {
                kill_running(server);
                if (server->count > 0)
                        (void)!green_park(&server->all_gone, &w, GREEN_FOREVER);
        }
        /* The last connection's green thread still has to leave. */
        while (server->running > 0)
                (void)green_sleep(0);
        green_shield_end();
}

int
green_wsgi_server(green_socket *listener, green_wsgi_app app, void *arg, const struct green_wsgi_server_opts *opts)
{
        struct green__server *server;
        int rc;

        if (listener == NULL || app == NULL)
                return -EINVAL;
        server = green_calloc(1, sizeof(*server));
        if (server == NULL)
                return -ENOMEM;
        server->conns.next = server->conns.prev = &server->conns;
        server->queue_end = &server->queue;
        server->app = app;
        server->arg = arg;
        server->date_second = INT64_MIN;
        rc = take_opts(server, opts);
        if (rc == 0) {
                rc = accept_all(server, listener);
                (void)green_socket_close(listener);
                shut_down(server);
        }
        green__sessions_free(server);
        green_free(server);
        return rc;
}
