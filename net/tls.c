/*
 * TLS as a transport of a socket. See <green/tls.h>.
 */
#include "tls_priv.h"

#include <string.h>

#include <green/alloc.h>

/* Bytes that one record can carry. */
#define RECORD ((size_t)16 << 10)
/* Pieces are gathered into one record up to so many bytes; a larger first one goes alone, without a copy. */
#define GATHER ((size_t)4 << 10)

struct green__tls *
green__tls_new(green_socket *s, green_tls_context *context)
{
        struct green__tls *t = green_calloc(1, sizeof *t);

        if (t == NULL)
                return NULL;
        t->s = s;
        t->be = context->be;
        t->context = green_tls_context_ref(context);
        return t;
}

void
green__tls_free(struct green__tls *t)
{
        if (t == NULL)
                return;
        if (t->conn != NULL)
                t->be->conn_free(t->conn);
        green__tls_made_unref(t->made);
        green__tls_made_unref(t->sni);
        green_tls_session_unref(t->session);
        green_tls_context_unref(t->context);
        green_free(t->out.data);
        if (t->in.data != t->ahead)
                green_free(t->in.data);
        green_free(t->ahead);
        green_free(t->name);
        green_free(t);
}

int
green__tls_fail_again(const struct green__tls *t)
{
        return green_set_error(t->code, "TLS: %s", t->why != NULL ? t->why : green_strerror(t->code));
}

int
green__tls_fail(struct green__tls *t, int code, const char *why)
{
        t->code = code;
        t->why = why;
        return green__tls_fail_again(t);
}

/* What a call of the back end wants, or has failed with. Its own codes are for good, the system's for the system to
 * say. */
static int
judge(struct green__tls *t, ssize_t rc, unsigned *want)
{
        if (rc == GREEN__TLS_WANT_READ || rc == GREEN__TLS_WANT_WRITE) {
                *want = rc == GREEN__TLS_WANT_READ ? GREEN_READ : GREEN_WRITE;
                return -EAGAIN;
        }
        if (rc <= -1000)
                return green__tls_fail(t, (int)rc, t->be->why(t->conn));
        return (int)rc;
}

static int
ready(struct green__tls *t, unsigned *want)
{
        if (green__likely(t->state == GREEN__TLS_OPEN))
                return t->code != 0 ? green__tls_fail_again(t) : 0;
        return green__tls_shake(t, want);
}

/* ---- receiving */

/*
 * The last call of the system gave all there was, and nothing of it is left: the next receive waits first, as on a
 * plain socket.
 */
static void
note_drained(struct green__tls *t)
{
        green_socket *s = t->s;

        if (s->whole && t->took_all && t->in.at == t->in.len && t->be->pending(t->conn) == 0)
                s->drained = !green_io_hung_up(s->io);
}

static ssize_t
tls_recv(green_socket *s, void *buf, size_t len, int flags, unsigned *want)
{
        struct green__tls *t = s->transport_state;
        bool look = len == 0;
        ssize_t n;
        char byte;
        int rc;

        if (green__unlikely((flags & ~MSG_PEEK) != 0))
                return -EINVAL;
        if (t->ended || (t->no_recv && t->state == GREEN__TLS_OPEN))
                return 0;
        rc = ready(t, want);
        if (green__unlikely(rc != 0))
                return rc;
        if (green__unlikely(look)) {
                buf = &byte;
                len = 1;
        }
        /* A back end that has taken something which was no data says WANT_READ, and there may be more. */
        do {
                t->dry = false;
                n = t->be->read(t->conn, buf, len, look || (flags & MSG_PEEK) != 0);
        } while (green__unlikely(n == GREEN__TLS_WANT_READ && !t->dry));
        if (green__unlikely(n < 0))
                return judge(t, n, want);
        t->ended = n == 0;
        if (look)
                return 0;
        if ((size_t)n < len)
                note_drained(t);
        return n;
}

static size_t
tls_pending(const green_socket *s)
{
        const struct green__tls *t = s->transport_state;

        return t->state == GREEN__TLS_OPEN && !t->ended ? t->be->pending(t->conn) : 0;
}

/* ---- sending */

/* What a record was made of: FNV-1a. */
static uint64_t
hash(const void *buf, size_t len)
{
        const unsigned char *byte = buf;
        uint64_t h = UINT64_C(14695981039346656037);

        for (size_t i = 0; i < len; i++)
                h = (h ^ byte[i]) * UINT64_C(1099511628211);
        return h;
}

/*
 * A part of a record may have gone when its caller gives up (a kill, a timeout), and its rest has to go before anything
 * else. Who comes with the same bytes goes on with it; for others it is finished first. The back end does not look at
 * the bytes again.
 */
static int
finish_stuck(struct green__tls *t, unsigned *want)
{
        static const char nothing[RECORD];
        ssize_t n;

        if (t->stuck == 0)
                return 0;
        n = t->be->write(t->conn, nothing, t->stuck);
        if (n < 0)
                return judge(t, n, want);
        t->stuck = 0;
        return 0;
}

static ssize_t
send_record(struct green__tls *t, const void *buf, size_t len, unsigned *want)
{
        ssize_t n;

        if (green__unlikely(t->stuck != 0) && (t->stuck != len || t->stuck_hash != hash(buf, len))) {
                int rc = finish_stuck(t, want);

                if (rc != 0)
                        return rc;
        }
        n = t->be->write(t->conn, buf, len);
        if (green__likely(n > 0)) {
                t->stuck = 0;
                return n;
        }
        if (n == GREEN__TLS_WANT_WRITE && t->stuck == 0) {
                t->stuck = len;
                t->stuck_hash = hash(buf, len);
        }
        return judge(t, n, want);
}

/* Several small pieces make one record. */
static __attribute__((noinline)) ssize_t
gather(struct green__tls *t, const struct green_iovec *iov, size_t n, unsigned *want)
{
        char some[GATHER];
        size_t len = 0;

        for (size_t i = 0; i < n && len < sizeof some; i++) {
                size_t piece = iov[i].len < sizeof some - len ? iov[i].len : sizeof some - len;

                if (piece > 0)
                        memcpy(some + len, iov[i].base, piece);
                len += piece;
        }
        return send_record(t, some, len, want);
}

static ssize_t
tls_sendv(green_socket *s, const struct green_iovec *iov, size_t n, int flags, unsigned *want)
{
        struct green__tls *t = s->transport_state;
        int rc;

        if (green__unlikely(flags != 0))
                return -EINVAL;
        rc = ready(t, want);
        if (green__unlikely(rc != 0))
                return rc;
        if (green__unlikely(t->goodbye))
                return -EPIPE;
        while (n > 0 && iov->len == 0) {
                iov++;
                n--;
        }
        if (n == 0)
                return 0;
        if (n > 1 && iov->len < GATHER)
                return gather(t, iov, n, want);
        return send_record(t, iov->base, iov->len < RECORD ? iov->len : RECORD, want);
}

/* ---- the end */

/* Say goodbye: 0 said, now or before, or there is nobody to say it to. */
static int
say_goodbye(struct green__tls *t, unsigned *want)
{
        int rc;

        if (t->state != GREEN__TLS_OPEN || t->code != 0)
                return 0;
        rc = finish_stuck(t, want);
        if (rc != 0)
                return rc;
        rc = t->be->shutdown(t->conn);
        t->goodbye = rc == 0;
        return rc == 0 ? 0 : judge(t, rc, want);
}

static int
tls_shutdown(green_socket *s, int how, unsigned *want)
{
        struct green__tls *t = s->transport_state;
        int rc = how == SHUT_RD ? 0 : say_goodbye(t, want);

        t->no_recv |= rc == 0 && how != SHUT_WR;
        return rc;
}

static int
tls_close(green_socket *s, unsigned *want)
{
        return say_goodbye(s->transport_state, want);
}

/* ---- connecting and accepting */

static int
tls_connect(green_socket *s, unsigned *want)
{
        struct green__tls *t = s->transport_state;

        return t->lazy ? 0 : green__tls_shake(t, want);
}

static int
tls_accepted(green_socket *listener, green_socket *client)
{
        const struct green__tls *own = listener->transport_state;
        struct green__tls *t = green__tls_new(client, own->context);

        if (t == NULL)
                return -ENOMEM;
        t->server = t->lazy = true;
        client->transport = &green__tls_transport;
        client->transport_state = t;
        return 0;
}

static void
tls_free(green_socket *s)
{
        green__tls_free(s->transport_state);
        s->transport = NULL;
        s->transport_state = NULL;
}

const struct green__transport green__tls_transport = {
        .name = "tls",
        .recv = tls_recv,
        .sendv = tls_sendv,
        .connect = tls_connect,
        .accepted = tls_accepted,
        .shutdown = tls_shutdown,
        .close = tls_close,
        .wait = green__tls_wait,
        .cancel = green__tls_cancel,
        .pending = tls_pending,
        .free = tls_free,
};
