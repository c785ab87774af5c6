/*
 * What a server decides by the client's first message: whose context it is (SNI), and the protocol (ALPN).
 *
 * The context is changed before OpenSSL looks for the session: a session is taken up under the context that it was
 * begun under, or not at all. Where this is done later, as in the callback for SNI, a client that was verified by the
 * rules of one host gets into another that has stricter ones.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>

/* The name in the extension server_name (RFC 6066), or NULL; *ret_len without NUL. */
static const unsigned char *
asked_name(const unsigned char *ext, size_t len, size_t *ret_len)
{
        /* Length of the list, type of the name (0: DNS), length of the name, name. OpenSSL rejects longer lists. */
        enum { HEAD = 5, LONGEST = 255 };

        if (len <= HEAD || ((size_t)ext[0] << 8 | ext[1]) != len - 2 || ext[2] != 0)
                return NULL;
        *ret_len = (size_t)ext[3] << 8 | ext[4];
        if (*ret_len != len - HEAD || *ret_len > LONGEST || memchr(ext + HEAD, 0, *ret_len) != NULL)
                return NULL;
        return ext + HEAD;
}

/* SSL_CTX_set_client_hello_cb() */
static int
client_hello(SSL *ssl, int *alert, void *unused)
{
        struct green__ossl_conn *conn = SSL_get_app_data(ssl);
        struct green__ossl_context *chosen;
        const unsigned char *ext = NULL, *name = NULL;
        size_t len = 0;
        bool dearer;

        (void)unused;
        *alert = SSL_AD_INTERNAL_ERROR;
        /* When this is called again, or the client had to send its hello again, it is decided. */
        if (conn->greeted)
                return SSL_CLIENT_HELLO_SUCCESS;
        conn->greeted = true;
        if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) == 1)
                name = asked_name(ext, len, &len);
        if (name != NULL) {
                conn->sni = green__ossl_host.alloc(len + 1);
                if (conn->sni == NULL) {
                        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
                        return SSL_CLIENT_HELLO_ERROR;
                }
                memcpy(conn->sni, name, len);
        }
        if (conn->context->sni_fn == NULL)
                return SSL_CLIENT_HELLO_SUCCESS;
        chosen = conn->context->sni_fn(conn->context->sni_arg, conn->sni != NULL ? conn->sni : "");
        if (chosen == NULL || chosen == conn->context)
                return SSL_CLIENT_HELLO_SUCCESS;
        dearer = chosen->sign_cost > conn->context->sign_cost;
        if (SSL_set_SSL_CTX(ssl, chosen->ssl_ctx) == NULL)
                return SSL_CLIENT_HELLO_ERROR;
        conn->context = chosen;
        green__ossl_context_apply(conn);
        /* handshake() comes back here; who called it asks for the cost anew. */
        return dearer ? SSL_CLIENT_HELLO_RETRY : SSL_CLIENT_HELLO_SUCCESS;
}

/* SSL_CTX_set_tlsext_servername_callback(): the name is taken, and the client is told so. */
static int
server_name(SSL *ssl, int *alert, void *unused)
{
        const struct green__ossl_conn *conn = SSL_get_app_data(ssl);

        (void)alert, (void)unused;
        return conn->sni != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* SSL_CTX_set_alpn_select_cb(): the best of ours that the client has too. */
static int
choose_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *in, unsigned in_len,
            void *unused)
{
        const struct green__ossl_context *context = ((struct green__ossl_conn *)SSL_get_app_data(ssl))->context;

        (void)unused;
        if (context->alpn == NULL)
                return SSL_TLSEXT_ERR_NOACK;
        for (char **ours = context->alpn; *ours != NULL; ours++)
                for (unsigned at = 0; at < in_len; at += 1u + in[at])
                        if (in[at] < in_len - at && strlen(*ours) == in[at] &&
                            memcmp(*ours, in + at + 1, in[at]) == 0) {
                                *ret = in + at + 1;
                                *ret_len = in[at];
                                return SSL_TLSEXT_ERR_OK;
                        }
        return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void
keylog_line(const SSL *ssl, const char *line)
{
        const struct green__ossl_context *context = ((struct green__ossl_conn *)SSL_get_app_data(ssl))->context;

        if (context->keylog != NULL)
                context->keylog(line, context->keylog_arg);
}

void
green__ossl_hello_callbacks(struct green__ossl_context *context)
{
        SSL_CTX_set_client_hello_cb(context->ssl_ctx, client_hello, NULL);
        SSL_CTX_set_tlsext_servername_callback(context->ssl_ctx, server_name);
        SSL_CTX_set_alpn_select_cb(context->ssl_ctx, choose_alpn, NULL);
        if (context->keylog != NULL)
                SSL_CTX_set_keylog_callback(context->ssl_ctx, keylog_line);
}

/* One block: the pointers, then the names as they are sent, then the names as strings. */
int
green__ossl_alpn_copy(struct green__ossl_context *context, const char *const *alpn)
{
        size_t count = 0, bytes = 0;
        unsigned char *wire;
        char *text;

        for (; alpn[count] != NULL; count++) {
                size_t len = strlen(alpn[count]);

                if (len == 0 || len > 255)
                        return -EINVAL;
                bytes += len + 1;
        }
        if (count == 0)
                return 0;
        if (bytes > 65535)
                return -EINVAL;
        context->alpn = green__ossl_host.alloc((count + 1) * sizeof *context->alpn + 2 * bytes);
        if (context->alpn == NULL)
                return -ENOMEM;
        wire = context->alpn_wire = (unsigned char *)(context->alpn + count + 1);
        text = (char *)wire + bytes;
        for (size_t i = 0; i < count; i++) {
                size_t len = strlen(alpn[i]);

                *wire++ = (unsigned char)len;
                memcpy(wire, alpn[i], len);
                wire += len;
                context->alpn[i] = memcpy(text, alpn[i], len + 1);
                text += len + 1;
        }
        context->alpn_wire_len = (unsigned)bytes;
        return 0;
}

int
green__ossl_alpn_settled(struct green__ossl_conn *conn)
{
        const unsigned char *name;
        unsigned len;

        SSL_get0_alpn_selected(conn->ssl, &name, &len);
        if (len == 0)
                return 0;
        for (char **ours = conn->context->alpn; ours != NULL && *ours != NULL; ours++)
                if (strlen(*ours) == len && memcmp(*ours, name, len) == 0)
                        conn->alpn = *ours;
        if (conn->alpn != NULL)
                return 0;
        return green__ossl_fail(conn, GREEN_ETLSPROTO, "the server chose a protocol (ALPN) that was not offered");
}
