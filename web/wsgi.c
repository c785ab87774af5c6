/*
 * The HTTP server: its options, accept, and the end. See <green/wsgi.h>.
 */
#include <string.h>
#include <unistd.h>

#include "wsgi_compress_priv.h"
#include "wsgi_priv.h"
#include "wsgi_sys.h"

/* Connections that a server which ends takes at most. */
#define ACCEPTED_MAX 1024

/* How often, and for how many seconds, one that has its share leaves a connection to others. */
#define TURN_PAUSES 5
#define TURN_PAUSE 0.001

/* ---- options */

static int
bad_option(const char *what)
{
        return green_set_error(-EINVAL, "green_wsgi_server_opts: %s", what);
}

static bool
is_seconds(double seconds)
{
        return seconds >= 0;
}

static int
check_opts(const struct green_wsgi_server_opts *o)
{
        bool keepalive = is_seconds(o->keepalive) || o->keepalive == GREEN_WSGI_NO_KEEPALIVE;

        if (!keepalive || !is_seconds(o->socket_timeout) || !is_seconds(o->header_timeout))
                return bad_option("a time that is negative, or no number");
        if (!is_seconds(o->shutdown_timeout) || !is_seconds(o->min_body_rate))
                return bad_option("shutdown_timeout or min_body_rate is negative, or no number");
        if (!is_seconds(o->drain_idle))
                return bad_option("drain_idle is negative, or no number");
        if (o->max_http_version != 0 && o->max_http_version != 10 && o->max_http_version != 11)
                return bad_option("max_http_version is neither 10 nor 11");
        if (o->max_fields > GREEN__FIELDS_MAX)
                return bad_option("max_fields is more than 99");
        if (o->proxy_protocol && o->trusted_proxies == NULL)
                return bad_option("proxy_protocol needs trusted_proxies: who may say who the client is");
        return 0;
}

static void
fill_in(struct green_wsgi_server_opts *o)
{
        if (o->max_size == 0)
                o->max_size = 1024;
        if (o->header_timeout == 0)
                o->header_timeout = 60;
        if (o->shutdown_timeout == 0)
                o->shutdown_timeout = 30;
        if (o->url_length_limit == 0)
                o->url_length_limit = 8192;
        if (o->max_field_size == 0)
                o->max_field_size = 8192;
        if (o->max_header_size == 0)
                o->max_header_size = 65536;
        if (o->max_fields == 0)
                o->max_fields = GREEN__FIELDS_MAX;
        if (o->max_http_version == 0)
                o->max_http_version = 11;
        if (o->minimum_chunk_size == 0)
                o->minimum_chunk_size = 4096;
        if (o->minimum_chunk_size > GREEN__COLLECT_MAX)
                o->minimum_chunk_size = GREEN__COLLECT_MAX;
}

static int
take_opts(struct green__server *server, const struct green_wsgi_server_opts *opts)
{
        struct green_wsgi_server_opts *o = &server->opts;
        int rc;

        if (green_opts_take(o, sizeof(*o), opts) != 0)
                return bad_option("a size that this version does not know");
        rc = check_opts(o);
        if (rc != 0)
                return rc;
        fill_in(o);
        server->limits = (struct green__http1_limits)GREEN__HTTP1_LIMITS_INIT;
        server->limits.request_line = o->url_length_limit - 1;
        server->limits.field_line = o->max_field_size - 1;
        server->limits.fields = o->max_header_size;
        server->limits.strict_target = o->strict_target;
        /* Trailers have to fit behind the head. */
        server->body_limits = server->limits;
        if (server->body_limits.fields > GREEN__CHUNKED_ROOM)
                server->body_limits.fields = GREEN__CHUNKED_ROOM;
        /* That of one of several is zero, and the others look at it. */
        if (server->team == NULL) {
                server->stats = o->stats != NULL ? o->stats : &server->own;
                green__stats_tell(server->stats, &server->own);
        }
        rc = green__compress_take(server);
        if (rc == 0)
                rc = green__environ_take(server);
        if (rc == 0)
                rc = green__proxies_take(server);
        return rc == 0 ? green__log_take(server) : rc;
}

/* ---- accepting */

/* Failures of accept that pass: there was no room for one more connection. */
static bool
is_shortage(int code)
{
        return code == -EMFILE || code == -ENFILE || code == -ENOBUFS || code == -ENOMEM;
}

/* Close the connection that rests for longest. False: none rests. */
static bool
close_one(struct green__server *server)
{
        if (server->idle.next == &server->idle)
                return false;
        green__conn_close(server->idle.next);
        return true;
}

static bool
is_full(const struct green__server *server)
{
        return server->opts.max_connections != 0 && server->count >= server->opts.max_connections;
}

/* Wait until there is a slot, and room for one more connection, or one that rests and may be closed for it. */
static int
wait_for_room(struct green__server *server)
{
        int rc = 0;

        while (rc == 0) {
                struct green_wait w;

                if (green__turn_room(server) && (!is_full(server) || server->idle.next != &server->idle))
                        return 0;
                rc = green_park(&server->room, &w, GREEN_FOREVER);
        }
        return rc;
}

/* Somebody has come: those that rest make room, also where they have begun to do something in the meantime. */
static int
let_in(struct green__server *server, green_socket *client, const struct green_addr *peer)
{
        int rc = 0;

        while (rc == 0 && is_full(server) && !close_one(server)) {
                struct green_wait w;

                rc = green_park(&server->room, &w, GREEN_FOREVER);
        }
        if (rc == 0)
                green__conn_add(server, client, peer);
        else
                (void)green_socket_free(client);
        return rc;
}

/* Has it so many connections that others who serve the listener should have the next one? */
static bool
has_its_share(const struct green__server *server)
{
        size_t all, n;
        bool shared = server->team != NULL ? green__team_load(server->team, &all, &n)
                                           : green__workers_load(server->stats, &all, &n);

        return shared && server->count * n > all + all / 16 + n;
}

/*
 * One of several: wait until somebody is there, without taking him; leave him to others for a while where it is their
 * turn. Where they are all busy he is taken all the same.
 */
static int
wait_for_turn(struct green__server *server)
{
        int rc = 0;

        /* One that accepts no more wakes those who wait then, and nobody who comes later: accept() says so. */
        if (green_socket_accepts(server->listener))
                rc = green_trampoline(green_socket_fd(server->listener), GREEN_READ, GREEN_FOREVER);

        for (int i = 0; rc == 0 && i < TURN_PAUSES && has_its_share(server); i++)
                rc = green_sleep(TURN_PAUSE);
        return rc;
}

static bool
is_shared(const struct green__server *server)
{
        size_t all, n;

        return server->team != NULL || green__workers_load(server->stats, &all, &n);
}

static int
accept_all(struct green__server *server)
{
        bool shared = is_shared(server), wait = shared;
        double pause = 0.01;
        int rc = shared ? green_socket_set_timeout(server->listener, 0) : 0;

        while (rc == 0 && (rc = wait_for_room(server)) == 0 && (!wait || (rc = wait_for_turn(server)) == 0)) {
                struct green_addr peer;
                green_socket *client = green_socket_accept(server->listener, &peer);

                if (client != NULL) {
                        pause = 0.01;
                        rc = let_in(server, client, &peer);
                        wait = shared && has_its_share(server);
                        continue;
                }
                rc = green_last_error()->code;
                wait = shared;
                /* Somebody else has taken him. */
                if (shared && rc == -EAGAIN) {
                        rc = 0;
                        continue;
                }
                if (!is_shortage(rc))
                        return rc;
                if (pause == 0.01)
                        green_log(GREEN_LOG_WARNING, "green-net: no more connections for now: %s", green_strerror(rc));
                /* Those that rest are worth least. */
                if (pause > 0.01)
                        (void)close_one(server);
                rc = green_sleep(pause);
                pause = pause < 1 ? pause * 2 : 1;
        }
        return rc;
}

/* ---- the end */

/* It counts as a connection without a request. */
static bool
at_rest(const struct green__session *s)
{
        return !s->begun || s->request.idle;
}

/*
 * Who runs without a byte of a request yet, or counts as resting, sees an end of file: nothing is said to the peer here,
 * since that may have to wait. Who has asked for it is told.
 */
static void
tell_session(struct green__session *s)
{
        if (at_rest(s))
                (void)green_socket_shutdown(s->conn->socket, SHUT_RD);
        else if (s->request.on_closing != NULL)
                s->request.on_closing(&s->request, s->request.on_closing_arg);
}

/* Others may have run meanwhile, and closed connections: begin anew after each. */
static void
tell_all(struct green__server *server)
{
        struct green__conn *conn = server->busy.next;

        while (conn != &server->busy) {
                struct green__session *s = green__conn_session(conn);
                bool upgraded = conn->state == GREEN__CONN_UPGRADED;

                if ((s == NULL && !upgraded) || conn->told || (s != NULL && server->draining && at_rest(s))) {
                        conn = conn->next;
                        continue;
                }
                conn->told = true;
                if (upgraded)
                        conn->upgrade->ops->closing(conn->upgrade);
                else
                        tell_session(s);
                conn = server->busy.next;
        }
}

/* Time is up for those who still run. A victim runs at once and may close connections: begin anew after each. */
static void
kill_running(struct green__server *server)
{
        struct green__conn *conn = server->busy.next;

        green__turn_drop(server);
        while (conn != &server->busy) {
                struct green__session *s = green__conn_session(conn);
                bool upgraded = conn->state == GREEN__CONN_UPGRADED;

                if ((s == NULL && !upgraded) || conn->killed) {
                        conn = conn->next;
                        continue;
                }
                conn->killed = true;
                if (upgraded)
                        green__upgrade_kill(conn->upgrade);
                else
                        (void)green_kill(s->thread, 0);
                conn = server->busy.next;
        }
}

/* Take who waits for us, and then who was let in by the system meanwhile. */
static void
take_rest(struct green__server *server)
{
        struct green_addr peer;
        green_socket *client;
        int n = 0;

        if (green_socket_set_timeout(server->listener, 0) != 0)
                return;
        for (int i = 0; i < 2; i++) {
                while (n++ < ACCEPTED_MAX && (client = green_socket_accept(server->listener, &peer)) != NULL)
                        green__conn_add(server, client, &peer);
                (void)green_socket_stop_accepting(server->listener);
        }
}

/* Those at rest stay for a while: a request may be on its way. */
static void
drain(struct green__server *server)
{
        int64_t begin = green__wsgi_now();
        double patience = server->opts.drain_idle;

        if (patience > server->opts.shutdown_timeout)
                patience = server->opts.shutdown_timeout;
        tell_all(server);
        while (server->count > 0 || server->threads > 0) {
                double left = patience >= GREEN_FOREVER ? patience : patience - (double)(green__wsgi_now() - begin) / 1e9;
                struct green_wait w;

                if (left <= 0)
                        return;
                (void)!green_park(&server->all_gone, &w, left);
        }
}

static void
wait_for_end(struct green__server *server, int64_t begin)
{
        double patience = server->opts.shutdown_timeout;

        while (server->count > 0 || server->threads > 0) {
                double left = patience >= GREEN_FOREVER ? patience : patience - (double)(green__wsgi_now() - begin) / 1e9;
                struct green_wait w;

                green__turn_orphans(server);
                /* Those whose green thread had not begun then are killed at the next round. */
                if (left <= 0) {
                        kill_running(server);
                        left = 0.1;
                }
                if (server->count > 0 || server->threads > 0)
                        (void)!green_park(&server->all_gone, &w, left);
        }
}

static void
shut_down(struct green__server *server)
{
        int64_t begin = green__wsgi_now();

        server->closing = true;
        server->draining = server->opts.drain_idle > 0;
        green_shield_begin();
        if (server->draining) {
                take_rest(server);
                (void)green_socket_close(server->listener);
                drain(server);
                server->draining = false;
        }
        (void)green_socket_close(server->listener);
        while (close_one(server))
                ;
        tell_all(server);
        wait_for_end(server, begin);
        green__turn_end(server);
        green_shield_end();
}

/* ---- in the child of a fork */

/* What stands in buffers is sent, and told, by the parent; what comes is for it. */
void
green__wsgi_forked(struct green__server *server)
{
        server->forked = true;
        green__sessions_forked(server);
        green__log_forked(server);
}

/* ---- the whole */

static void
list_init(struct green__conn *head)
{
        head->next = head->prev = head;
}

static int
begin(struct green__server *server, const struct green_wsgi_server_opts *opts)
{
        int rc = take_opts(server, opts);

        if (rc != 0)
                return rc;
        server->late = green_timer_new(0, green__session_late_all, server);
        return server->late == NULL ? -ENOMEM : green__turn_begin(server);
}

static void
server_free(struct green__server *server)
{
        (void)green_timer_free(server->late);
        green__sessions_free(server);
        green__turns_free(server);
        green__compress_free(server);
        green__log_release(server);
        green__proxies_release(server);
        green__environ_release(server);
        green_free(server);
}

/* Few know how low the limit is before they meet it (ISS-28). */
static void
check_descriptors(const struct green__server *server)
{
        uint64_t limit = green__sys_descriptors();

        if (limit < server->opts.max_connections)
                green_log(GREEN_LOG_WARNING, "green-net: %llu descriptors are fewer than max_connections: see ulimit -n",
                          (unsigned long long)limit);
}

static struct green__server *
server_new(void)
{
        struct green__server *server = green_calloc(1, sizeof(*server));

        if (server == NULL)
                return NULL;
        list_init(&server->idle);
        list_init(&server->busy);
        server->queue_end = &server->queue;
        server->date_second = INT64_MIN;
        server->pid = getpid();
        server->worker = green__worker_index();
        server->hook_names_worker = server->worker >= 0;
        return server;
}

int
green__wsgi_check(const struct green_wsgi_server_opts *opts)
{
        struct green__server *server = server_new();
        int rc;

        if (server == NULL)
                return -ENOMEM;
        rc = begin(server, opts);
        server_free(server);
        return rc;
}

int
green__wsgi_serve(green_socket *listener, green_wsgi_app app, void *arg, const struct green_wsgi_server_opts *opts,
                  struct green__team *team, size_t index)
{
        struct green__server *server = server_new();
        int rc;

        if (server == NULL)
                return -ENOMEM;
        server->listener = listener;
        server->app = app;
        server->arg = arg;
        server->team = team;
        if (team != NULL) {
                server->stats = green__team_stats(team, index);
                if (server->worker < 0)
                        server->worker = (int)index;
        }
        rc = begin(server, opts);
        if (rc == 0) {
                green__wsgi_metrics_begin(server);
                check_descriptors(server);
                green__log_life(server, NULL, "starting up");
                rc = accept_all(server);
                if (team != NULL && index == 0)
                        green__team_ends(team);
                shut_down(server);
                green__log_life(server, NULL, "exited");
                green__wsgi_metrics_end(server);
        }
        server_free(server);
        return rc;
}

int
green_wsgi_server(green_socket *listener, green_wsgi_app app, void *arg, const struct green_wsgi_server_opts *opts)
{
        struct green_wsgi_server_opts o;

        if (listener == NULL || app == NULL)
                return -EINVAL;
        if (green_opts_take(&o, sizeof o, opts) == 0 && o.workers > 1) {
                o.size = sizeof o;
                return green__wsgi_workers(listener, app, arg, &o);
        }
        return green__wsgi_serve(listener, app, arg, opts, NULL, 0);
}
