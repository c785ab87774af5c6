/*
 * Questions about a TLS connection, and its session. See <green/tls.h>.
 */
#include "tls_priv.h"

#include <string.h>

#include <green/alloc.h>

/* That of a socket whose handshake is made, or NULL. */
static const struct green__tls *
open_one(const green_socket *s)
{
        const struct green__tls *t = green__tls_of(s);

        return t != NULL && t->state == GREEN__TLS_OPEN ? t : NULL;
}

bool
green_socket_is_tls(const green_socket *s)
{
        return green__tls_of(s) != NULL;
}

const char *
green_tls_version(const green_socket *s)
{
        const struct green__tls *t = open_one(s);

        return t != NULL ? t->be->conn_version(t->conn) : NULL;
}

const char *
green_tls_cipher(const green_socket *s)
{
        const struct green__tls *t = open_one(s);

        return t != NULL ? t->be->conn_cipher(t->conn) : NULL;
}

const char *
green_tls_alpn(const green_socket *s)
{
        const struct green__tls *t = open_one(s);

        return t != NULL ? t->be->conn_alpn(t->conn) : NULL;
}

const char *
green_tls_sni(const green_socket *s)
{
        const struct green__tls *t = open_one(s);

        return t != NULL ? t->be->conn_sni(t->conn) : NULL;
}

bool
green_tls_resumed(const green_socket *s)
{
        const struct green__tls *t = open_one(s);

        return t != NULL && t->be->conn_resumed(t->conn);
}

struct green_tls_cert *
green_tls_peer_cert(const green_socket *s)
{
        const struct green__tls *t = open_one(s);
        struct green_tls_cert *cert;

        if (t == NULL) {
                errno = EINVAL;
                return NULL;
        }
        errno = ENOENT;
        cert = t->be->conn_peer_cert(t->conn);
        if (cert == NULL)
                green_set_error(-errno, NULL);
        return cert;
}

green_tls_session *
green_tls_session_get(green_socket *s)
{
        const struct green__tls *t = open_one(s);
        green_tls_session *session = t != NULL && !t->server ? green_calloc(1, sizeof *session) : NULL;

        if (session == NULL) {
                green_set_error(t != NULL && !t->server ? -ENOMEM : -ENOENT, NULL);
                return NULL;
        }
        atomic_init(&session->refs, 1);
        session->be = t->be;
        session->context = green_tls_context_ref(t->context);
        session->made = t->made->id;
        if (t->name != NULL) {
                size_t size = strlen(t->name) + 1;

                session->name = green_malloc(size);
                if (session->name != NULL)
                        memcpy(session->name, t->name, size);
        }
        if (t->name == NULL || session->name != NULL)
                session->session = t->be->session_get(t->conn);
        if (session->session != NULL)
                return session;
        green_tls_session_unref(session);
        green_set_error(-ENOENT, "TLS: there is no session that could be resumed");
        return NULL;
}

green_tls_session *
green_tls_session_ref(green_tls_session *session)
{
        if (session != NULL)
                atomic_fetch_add_explicit(&session->refs, 1, memory_order_relaxed);
        return session;
}

void
green_tls_session_unref(green_tls_session *session)
{
        if (session == NULL || atomic_fetch_sub_explicit(&session->refs, 1, memory_order_acq_rel) != 1)
                return;
        if (session->session != NULL)
                session->be->session_free(session->session);
        green_tls_context_unref(session->context);
        green_free(session->name);
        green_free(session);
}
