/*
 * mbedTLS as a back end: sessions of clients. See tls_backend.h.
 *
 * When a session is taken up the certificate is not seen again. So a session knows whether it was verified, and the
 * name that it was verified for.
 */
#include "tls_mbedtls.h"

#include <strings.h>

static bool
fits(const struct mbed_session *session, const char *name)
{
        if (!session->verified)
                return false;
        return name == NULL || (session->name != NULL && strcasecmp(session->name, name) == 0);
}

int
green__mbed_session_offer(struct mbed_conn *c, const struct mbed_session *session)
{
        if (c->context->client_verify != GREEN_TLS_VERIFY_NONE && !fits(session, c->verify_name))
                return 0;
        if (session->name != NULL && (c->session_name = green__mbed_copy(session->name)) == NULL)
                return -ENOMEM;
        c->session_verified = session->verified;
        return mbedtls_ssl_set_session(&c->ssl, &session->session) == 0 ? 0 : -ENOMEM;
}

void
green__mbed_session_free(void *arg)
{
        struct mbed_session *session = arg;

        if (session == NULL)
                return;
        mbedtls_ssl_session_free(&session->session);
        green__mbed_host->free(session->name);
        green__mbed_host->free(session);
}

void *
green__mbed_session_get(void *conn)
{
        struct mbed_conn *c = conn;
        struct mbed_session *session = c->done && !c->server ? green__mbed_host->alloc(sizeof *session) : NULL;
        const char *name = !c->full ? c->session_name : c->name_fits ? c->verify_name : NULL;
        int ret;

        if (session == NULL) {
                errno = c->done && !c->server ? ENOMEM : ENOENT;
                return NULL;
        }
        mbedtls_ssl_session_init(&session->session);
        session->verified = c->full ? c->verified : c->session_verified;
        if (!MBED_IS_1_3(&c->ssl) || c->has_ticket)
                MBED_GIVE_SESSION_AGAIN(c->ssl);
        ret = mbedtls_ssl_get_session(&c->ssl, &session->session);
        if (ret == 0 && name != NULL && (session->name = green__mbed_copy(name)) == NULL)
                ret = MBEDTLS_ERR_SSL_ALLOC_FAILED;
        if (ret == 0 && session->session.MBED(ticket_len) > 0)
                return session;
        green__mbed_session_free(session);
        errno = ret == MBEDTLS_ERR_SSL_ALLOC_FAILED ? ENOMEM : ENOENT;
        return NULL;
}
