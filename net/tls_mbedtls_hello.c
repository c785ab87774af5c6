/*
 * mbedTLS as a back end: what a server decides by the client's first message. See tls_backend.h.
 *
 * The context is chosen as soon as the whole message is there, before mbedTLS reads it: a session is looked up under
 * the context that it was begun under, whatever the order of the extensions. In the callback for SNI, that would be too
 * late: a client that was let in by the rules of one host would get into another that has stricter ones.
 */
#include "tls_mbedtls.h"

struct span {
        const unsigned char *at;
        size_t len;
};

static bool
skip(struct span *in, size_t len)
{
        if (in->len < len)
                return false;
        in->at += len;
        in->len -= len;
        return true;
}

/* What comes next, behind its length, which has so many bytes. */
static bool
take(struct span *in, size_t prefix, struct span *ret)
{
        size_t len = 0;

        if (in->len < prefix)
                return false;
        for (size_t i = 0; i < prefix; i++)
                len = len << 8 | in->at[i];
        *ret = (struct span){in->at + prefix, len};
        return skip(in, prefix) && skip(in, len);
}

/* The first name in the extension server_name (RFC 6066) that is one of a host. */
static bool
name_in(struct span ext, struct span *ret)
{
        struct span list;

        if (!take(&ext, 2, &list))
                return false;
        while (list.len > 0) {
                unsigned type = list.at[0];

                if (!skip(&list, 1) || !take(&list, 2, ret))
                        return false;
                if (type == 0)
                        return ret->len > 0 && ret->len <= 255 && memchr(ret->at, 0, ret->len) == NULL;
        }
        return false;
}

/* A record that is the client's first message: the name it asks for. False: none, or mbedTLS will not take the message.
 */
static bool
asked_name(struct span record, struct span *ret)
{
        enum { RECORD_HEAD = 5, CLIENT_HELLO = 1, VERSION_AND_RANDOM = 34 };
        struct span hello, rest, ext;

        if (record.at[0] != MBEDTLS_SSL_MSG_HANDSHAKE || !skip(&record, RECORD_HEAD) || record.len == 0 ||
            record.at[0] != CLIENT_HELLO || !skip(&record, 1) || !take(&record, 3, &hello))
                return false;
        /* The session, the ciphers and the compressions lie between. */
        if (!skip(&hello, VERSION_AND_RANDOM) || !take(&hello, 1, &rest) || !take(&hello, 2, &rest) ||
            !take(&hello, 1, &rest) || !take(&hello, 2, &rest))
                return false;
        while (rest.len >= 4) {
                unsigned type = (unsigned)rest.at[0] << 8 | rest.at[1];

                if (!skip(&rest, 2) || !take(&rest, 2, &ext))
                        return false;
                if (type == MBEDTLS_TLS_EXT_SERVERNAME)
                        return name_in(ext, ret);
        }
        return false;
}

static int
keep_name(struct mbed_conn *c, struct span name)
{
        c->sni = green__mbed_host->alloc(name.len + 1);
        if (c->sni == NULL)
                return -ENOMEM;
        memcpy(c->sni, name.at, name.len);
        return 0;
}

int
green__mbed_hello(struct mbed_conn *c, const unsigned char *record, size_t len)
{
        struct mbed_context *chosen;
        struct span name;

        if (c->greeted || len < 5 || len < 5 + ((size_t)record[3] << 8 | record[4]))
                return 0;
        c->greeted = true;
        if (asked_name((struct span){record, len}, &name) && keep_name(c, name) != 0)
                return -ENOMEM;
        if (c->context->sni_fn == NULL)
                return 0;
        chosen = c->context->sni_fn(c->context->sni_arg, c->sni != NULL ? c->sni : "");
        if (chosen != NULL) {
                c->context = chosen;
                /* Its certificate, its rules for clients, its ciphers and protocols, and the keys of its tickets. */
                mbed_switch(&c->ssl, &chosen->server);
        }
        return 0;
}

int
green__mbed_asked(void *unused, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len)
{
        struct mbed_conn *c = (struct mbed_conn *)ssl;

        (void)unused;
        /* What mbedTLS reads must be what the context was chosen by. */
        if (c->sni != NULL)
                return strlen(c->sni) == len && memcmp(c->sni, name, len) == 0 ? 0 : -1;
        return len == 0 ? 0 : -1;
}
