/*
 * Putting TLS on a socket, and taking it off. See <green/tls.h>.
 */
#include "tls_priv.h"

#include <string.h>

#include <green/alloc.h>

static int
ask_option(green_socket *s, int name, int *ret_value)
{
        socklen_t size = sizeof *ret_value;
        int rc = green__sys_getsockopt(green_io_fd(s->io), SOL_SOCKET, name, ret_value, &size);

        return rc == 0 ? 0 : green_set_error(rc, "TLS: getsockopt: %s", green_strerror(rc));
}

static bool
is_connected(green_socket *s)
{
        struct green_addr peer;

        return green__sys_getpeername(green_io_fd(s->io), &peer) != -ENOTCONN;
}

/* May TLS be put on it, and does it listen? */
static int
check_socket(green_socket *s, int *ret_listening)
{
        int type = 0, rc = green__socket_check(s);

        if (rc != 0)
                return green_set_error(rc, "TLS: %s", green_strerror(rc));
        if (s->closed || s->closing || !green__socket_open(s))
                return green_set_error(-EBADF, NULL);
        if (s->transport != NULL)
                return green_set_error(-EINVAL, "TLS: it is on the socket already");
        rc = ask_option(s, SO_TYPE, &type);
        if (rc != 0)
                return rc;
        if (type != SOCK_STREAM)
                return green_set_error(-EINVAL, "TLS: the socket is none of streams");
        if (green__socket_users(s) > 0)
                return green_set_error(-EBUSY, "TLS: somebody waits on the socket");
        return ask_option(s, SO_ACCEPTCONN, ret_listening);
}

/* Who is verified, and how, has to be known. */
static int
check_opts(const struct green_wrap_ssl_opts *o, const green_tls_context *context, bool server)
{
        const struct green_tls_opts *rules = &context->opts;

        if (server && rules->cert_file == NULL && rules->cert_pem == NULL && rules->sni_fn == NULL)
                return green_set_error(-EINVAL, "TLS: a server needs a certificate");
        if (server || rules->verify == GREEN_TLS_VERIFY_NONE || rules->no_check_hostname)
                return 0;
        if (o->server_hostname == NULL || o->server_hostname[0] == '\0')
                return green_set_error(-EINVAL, "TLS: server_hostname is needed: the name to verify");
        return 0;
}

static int
put_on(green_socket *s, const struct green_wrap_ssl_opts *o, bool server)
{
        green_tls_context *context =
                o->context != NULL ? green_tls_context_ref(o->context) : green__tls_context_simple(o, server);
        struct green__tls *t;
        int rc;

        if (context == NULL)
                return -errno;
        rc = check_opts(o, context, server);
        t = rc == 0 ? green__tls_new(s, context) : NULL;
        green_tls_context_unref(context);
        if (t == NULL)
                return rc != 0 ? rc : green_set_error(-ENOMEM, NULL);
        if (o->server_hostname != NULL && o->server_hostname[0] != '\0') {
                size_t size = strlen(o->server_hostname) + 1;

                t->name = green_malloc(size);
                if (t->name == NULL) {
                        green__tls_free(t);
                        return green_set_error(-ENOMEM, NULL);
                }
                memcpy(t->name, o->server_hostname, size);
        }
        t->server = server;
        t->lazy = o->no_handshake_on_connect;
        t->session = green_tls_session_ref(o->session);
        s->transport_state = t;
        s->transport = &green__tls_transport;
        s->drained = false;
        return 0;
}

/* After a failed handshake: close, and take TLS off again. */
static void
give_up(green_socket *s)
{
        struct green__tls *t = s->transport_state;

        if (t->state == GREEN__TLS_SHAKING && !t->busy) {
                t->state = GREEN__TLS_FAILED;
                t->code = -ECANCELED;
        }
        (void)green_socket_close(s);
        if (green__socket_users(s) == 1 && s->streams == 0) {
                s->transport = NULL;
                s->transport_state = NULL;
                green__tls_free(t);
        }
}

green_socket *
green_wrap_ssl(green_socket *s, const struct green_wrap_ssl_opts *opts)
{
        struct green_wrap_ssl_opts o;
        int listening = 0, rc = green_opts_take(&o, sizeof o, opts);

        if (rc != 0) {
                green_set_error(-EINVAL, "TLS: bad options: their size is unknown");
                return NULL;
        }
        rc = check_socket(s, &listening);
        if (rc != 0)
                return NULL;
        rc = put_on(s, &o, o.server_side || listening);
        if (rc != 0) {
                errno = -rc;
                return NULL;
        }
        if (o.no_handshake_on_connect || listening || !is_connected(s))
                return s;
        /* It must outlive the handshake, whoever closes and frees it meanwhile. */
        green__socket_pin(s);
        rc = green_tls_handshake(s);
        if (rc != 0) {
                struct green_error *error =
                        green_last_error()->code == rc ? green_error_copy(green_last_error()) : NULL;

                give_up(s);
                if (error != NULL)
                        green_set_error(rc, "%s", error->message);
                else
                        green_set_error(rc, NULL);
                green_error_free(error);
                (void)green__socket_unpin(s, rc);
                errno = -rc;
                return NULL;
        }
        return green__socket_unpin(s, 0) == 0 ? s : NULL;
}

int
green_tls_handshake(green_socket *s)
{
        struct green__limit limit;
        unsigned want;
        int rc = green__socket_enter(s, 0, &limit);

        while (rc == 0) {
                struct green__tls *t = green__tls_of(s);

                rc = t == NULL ? -EINVAL : green__tls_shake(t, &want);
                if (rc != -EAGAIN)
                        return rc;
                rc = green__socket_wait(s, want, &limit);
        }
        return rc;
}

/* ---- taking it off */

/* What came behind the goodbye, and is in the clear: a transport that gives it, and goes. */
struct rest {
        size_t at, len;
        unsigned char bytes[];
};

static ssize_t
rest_recv(green_socket *s, void *buf, size_t len, int flags, unsigned *want)
{
        struct rest *rest = s->transport_state;
        size_t n = rest->len - rest->at;

        (void)want;
        if (n > len)
                n = len;
        if (n > 0)
                memcpy(buf, rest->bytes + rest->at, n);
        if ((flags & MSG_PEEK) != 0)
                return (ssize_t)n;
        rest->at += n;
        if (rest->at == rest->len) {
                s->transport = NULL;
                s->transport_state = NULL;
                green_free(rest);
        }
        return (ssize_t)n;
}

static ssize_t
rest_sendv(green_socket *s, const struct green_iovec *iov, size_t n, int flags, unsigned *want)
{
        (void)want;
        return green__sys_sendv(green_io_fd(s->io), iov, n, flags);
}

static size_t
rest_pending(const green_socket *s)
{
        const struct rest *rest = s->transport_state;

        return rest->len - rest->at;
}

static void
rest_free(green_socket *s)
{
        green_free(s->transport_state);
}

static const struct green__transport rest_transport = {
        .name = "rest",
        .recv = rest_recv,
        .sendv = rest_sendv,
        .pending = rest_pending,
        .free = rest_free,
};

/* What a back end may have read too much: a record at most. */
#define TOO_MUCH ((size_t)17 << 10)

static int
take_off(green_socket *s, struct green__tls *t)
{
        size_t mine = t->in.len - t->in.at;
        struct rest *rest = green_malloc(sizeof *rest + TOO_MUCH + mine);

        if (rest == NULL)
                return green_set_error(-ENOMEM, NULL);
        rest->at = 0;
        rest->len = t->be->leftover(t->conn, rest->bytes, TOO_MUCH);
        if (mine > 0)
                memcpy(rest->bytes + rest->len, t->in.data + t->in.at, mine);
        rest->len += mine;
        if (rest->len == 0) {
                green_free(rest);
                rest = NULL;
        }
        s->transport = rest != NULL ? &rest_transport : NULL;
        s->transport_state = rest;
        s->drained = false;
        green__tls_free(t);
        return 0;
}

/* One try: say goodbye, and see whether the peer has. */
static int
try_unwrap(green_socket *s, struct green__tls *t, unsigned *want)
{
        ssize_t n;
        char byte;
        int rc = green__tls_transport.shutdown(s, SHUT_WR, want);

        if (rc != 0)
                return rc;
        n = green__tls_transport.recv(s, &byte, 1, MSG_PEEK, want);
        if (n > 0)
                return green_set_error(-EBUSY, "TLS: the peer has sent more: receive it first, up to its end");
        return n < 0 ? (int)n : take_off(s, t);
}

int
green_tls_unwrap(green_socket *s)
{
        struct green__limit limit;
        struct green__tls *t;
        unsigned want;
        int rc = green_tls_handshake(s);

        if (rc != 0)
                return rc;
        if (green_socket_pending(s) > 0)
                return green_set_error(-EBUSY, "TLS: decrypted bytes were not read yet");
        rc = green__socket_enter(s, 0, &limit);
        while (rc == 0) {
                t = green__tls_of(s);
                if (t == NULL)
                        return -EINVAL;
                rc = t->code != 0 ? green__tls_fail_again(t) : try_unwrap(s, t, &want);
                if (rc != -EAGAIN)
                        return rc;
                rc = green__socket_wait(s, want, &limit);
        }
        return rc;
}
