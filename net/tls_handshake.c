/*
 * Handshakes. Whoever needs the connection first makes it, in its own green thread; who comes meanwhile waits. A step
 * that costs much is made in the pool of OS threads, others by the hub, when it is this connection's turn.
 */
#include "tls_priv.h"

#include <string.h>

#include "inet.h"

/* Microseconds from which on a step goes to the pool. */
#define DEAR 500u
#define HANDSHAKE_SECONDS 10.0

/* ---- its beginning and its end */

static int64_t
deadline_of(const green_tls_context *context)
{
        double seconds = context->opts.handshake_timeout > 0 ? context->opts.handshake_timeout : HANDSHAKE_SECONDS;

        return seconds < 1e9 ? green__sys_now() + (int64_t)(seconds * 1e9) : INT64_MAX;
}

/* An address is verified, but never asked for. */
static bool
is_address(const char *name)
{
        unsigned char raw[16];

        return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

static void *
session_of(const struct green__tls *t)
{
        const green_tls_session *given = t->session;
        const char *name = t->context->opts.no_check_hostname ? NULL : t->name;

        if (given == NULL || given->be != t->be)
                return NULL;
        /* The certificate is not looked at again: since then the context may have been made anew, to trust others. */
        if (given->context == t->context ? given->made != t->made->id
                                         : !green__tls_same_trust(given->context, t->context))
                return NULL;
        /* One that was verified for another name proves nothing for this one. */
        if (name != NULL && (given->name == NULL || strcmp(given->name, name) != 0))
                return NULL;
        return given->session;
}

/* Not connected: what a plain socket would say. */
static int
check_connected(struct green__tls *t, unsigned *want)
{
        green_fd fd = green_io_fd(t->s->io);
        struct green_addr peer;
        ssize_t n;
        char byte;

        if (green__sys_getpeername(fd, &peer) != -ENOTCONN)
                return 0;
        n = green__sys_recv(fd, &byte, 1, MSG_PEEK);
        *want = GREEN_WRITE;
        return n < 0 ? (int)n : -ENOTCONN;
}

static int
begin(struct green__tls *t, unsigned *want)
{
        struct green__tls_conn_config config = {.size = sizeof config, .server = t->server};
        int rc = check_connected(t, want);

        if (rc != 0)
                return rc;
        if (t->deadline == 0)
                t->deadline = deadline_of(t->context);
        if (!green__tls_is_made(t->context, t->server)) {
                *want = GREEN__WAIT_TRANSPORT;
                t->need = GREEN__TLS_FOR_TRUST;
                return -EAGAIN;
        }
        t->made = green__tls_made_for(t->context, t->server);
        if (t->made == NULL)
                return green_last_error()->code;
        if (t->name != NULL && !t->server) {
                config.server_name = is_address(t->name) ? NULL : t->name;
                config.verify_name = t->context->opts.no_check_hostname ? NULL : t->name;
                config.session = session_of(t);
        }
        config.bytes = green__tls_bytes_of(t);
        rc = t->be->conn_new(t->made->context, &config, &t->conn);
        if (rc != 0) {
                green__tls_made_unref(t->made);
                t->made = NULL;
                t->deadline = 0;
                return green_set_error(rc, "TLS: the back end cannot make a connection: %s", green_strerror(rc));
        }
        t->state = GREEN__TLS_SHAKING;
        t->step_due = !t->server;
        return 0;
}

/* One line for each client that failed: it is the client's fault, mostly, and there are many of them. */
static void
note_failure(const struct green__tls *t)
{
        char text[GREEN_ADDR_TEXT_SIZE] = "?";
        struct green_addr peer;

        if (!t->server)
                return;
        if (green__sys_getpeername(green_io_fd(t->s->io), &peer) == 0)
                green_addr_format(&peer, text, sizeof text);
        green_log(GREEN_LOG_INFO, "green-net: TLS: no handshake with %s: %s: %s", text, green_errname(t->code), t->why);
}

static int
fail(struct green__tls *t, int code, const char *why)
{
        (void)green__tls_flush(t); /* the alert, if it goes */
        t->code = code;
        t->why = why;
        note_failure(t);
        t->state = GREEN__TLS_FAILED;
        green__tls_drop_buffers(t);
        return green__tls_fail_again(t);
}

static int
finish(struct green__tls *t)
{
        t->state = GREEN__TLS_OPEN;
        green_tls_session_unref(t->session);
        t->session = NULL;
        green__tls_drop_buffers(t);
        return 0;
}

/* ---- steps */

void
green__tls_step(struct green__tls *t)
{
        int rc;

        green__tls_stepping(t);
        rc = t->be->handshake(t->conn);
        green__tls_stepping(NULL);
        t->done = rc == 0;
        t->step_due = rc == GREEN__TLS_WANT_WRITE;
        t->step_code = rc == 0 || rc == GREEN__TLS_WANT_READ || rc == GREEN__TLS_WANT_WRITE ? 0 : rc;
        /* It has not taken all there was: it meant to go on with that. */
        if (rc == GREEN__TLS_WANT_READ && t->in.at < t->in.len)
                t->step_due = true;
}

/* Where the next step is to be made. */
static int
want_step(struct green__tls *t, unsigned *want)
{
        *want = GREEN__WAIT_TRANSPORT;
        t->need = t->be->handshake_cost(t->conn) >= DEAR ? GREEN__TLS_FOR_POOL : GREEN__TLS_FOR_TURN;
        return -EAGAIN;
}

/* Receive what the next step needs. */
static int
try_receive(struct green__tls *t, unsigned *want)
{
        ssize_t n = t->ended_early ? 0 : green__tls_fill(t);

        if (n == -EAGAIN && t->send_code != 0)
                n = t->send_code;
        if (n == -EAGAIN) {
                *want = GREEN__WAIT_TRANSPORT;
                t->need = GREEN__TLS_FOR_READ;
                return -EAGAIN;
        }
        if (n < 0)
                return fail(t, (int)n, "the connection failed in the handshake");
        if (n == 0 && t->ended_early)
                return fail(t, GREEN_ETLSEOF, "the connection ended in the handshake");
        t->ended_early = n == 0;
        t->step_due = true;
        return 0;
}

/* One thing: send, receive, or ask for a step. 0: go on. */
static int
advance(struct green__tls *t, unsigned *want)
{
        int rc;

        if (t->step_code != 0)
                return fail(t, t->step_code, t->be->why(t->conn));
        rc = green__tls_flush(t);
        if (rc == -EAGAIN) {
                *want = GREEN__WAIT_TRANSPORT;
                t->need = GREEN__TLS_FOR_WRITE;
                return rc;
        }
        if (rc != 0 && (t->done || (rc != -EPIPE && rc != -ECONNRESET)))
                return fail(t, rc, "the connection failed in the handshake");
        /* Who has closed may have said why: that is to be received, if it is there. */
        if (rc != 0) {
                t->out.at = t->out.len = 0;
                t->send_code = rc;
                t->step_due = false;
        }
        if (t->done)
                return finish(t);
        return t->step_due ? want_step(t, want) : try_receive(t, want);
}

int
green__tls_shake(struct green__tls *t, unsigned *want)
{
        int rc = 0;

        while (rc == 0 && (t->state == GREEN__TLS_NEW || t->state == GREEN__TLS_SHAKING)) {
                if (t->busy) {
                        *want = GREEN__WAIT_TRANSPORT;
                        return -EAGAIN;
                }
                if (t->deadline != 0 && green__sys_now() >= t->deadline)
                        return fail(t, -ETIMEDOUT, "the handshake took too long");
                rc = t->state == GREEN__TLS_NEW ? begin(t, want) : advance(t, want);
        }
        if (rc == 0 && t->state == GREEN__TLS_FAILED)
                return green__tls_fail_again(t);
        return rc;
}

/* ---- waiting */

/* Seconds that a wait may take: what is left for the handshake counts too. */
static double
shorter(const struct green__tls *t, double timeout)
{
        double left = t->deadline == INT64_MAX ? GREEN_FOREVER : (double)(t->deadline - green__sys_now()) / 1e9;

        if (left <= 0)
                left = 1e-9;
        return left < timeout ? left : timeout;
}

static int
wait_for_need(struct green__tls *t, double timeout)
{
        double seconds = shorter(t, timeout);
        int rc;

        switch (t->need) {
        case GREEN__TLS_FOR_POOL:
                rc = green__tls_step_in_pool(t, &t->turn_wait, seconds);
                break;
        case GREEN__TLS_FOR_TURN:
                rc = green__tls_turn(t, &t->turn_wait, seconds);
                break;
        case GREEN__TLS_FOR_TRUST:
                rc = green__tls_make_in_pool(t->context, &t->turn_wait, seconds);
                break;
        case GREEN__TLS_FOR_READ:
                rc = green_io_wait(t->s->io, GREEN_READ, seconds);
                break;
        default:
                rc = green_io_wait(t->s->io, GREEN_WRITE, seconds);
                break;
        }
        /* It is the handshake's time that is over: the next try finds that out. */
        return rc == -ETIMEDOUT && seconds < timeout ? 0 : rc;
}

/* A call that must not wait makes the step here and now. */
static int
do_without_waiting(struct green__tls *t)
{
        if (t->busy || t->need == GREEN__TLS_FOR_READ || t->need == GREEN__TLS_FOR_WRITE)
                return -EAGAIN;
        if (t->need == GREEN__TLS_FOR_TRUST) {
                struct green__tls_made *made = green__tls_made_for(t->context, t->server);

                green__tls_made_unref(made);
                return made != NULL ? 0 : green_last_error()->code;
        }
        green__tls_step(t);
        return 0;
}

int
green__tls_wait(green_socket *s, double timeout)
{
        struct green__tls *t = s->transport_state;
        int rc;

        if (timeout == 0)
                return do_without_waiting(t);
        green__socket_pin(s);
        if (t->busy) {
                struct green_wait w;

                rc = green_park(&t->waiters, &w, timeout);
        } else {
                t->busy = true;
                rc = wait_for_need(t, timeout);
                t->busy = false;
                if (rc != 0 && t->state == GREEN__TLS_NEW)
                        t->deadline = 0;
                green_wake_all(&t->waiters, 0);
        }
        (void)green__socket_unpin(s, 0);
        return rc;
}

void
green__tls_cancel(green_socket *s)
{
        struct green__tls *t = s->transport_state;

        green_wake_all(&t->waiters, -ECANCELED);
        if (t->turn_wait != NULL)
                green_wake(t->turn_wait, -ECANCELED);
}
