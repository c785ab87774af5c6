/*
 * A BIO over struct green__tls_bytes.
 *
 * OpenSSL asks for five bytes, the header of a record, and then for the rest of it. Letting it read ahead would save
 * the second call of bytes.recv, but it gives back nothing of what it has read too much: bytes behind a close_notify
 * would be lost. So the reading ahead is done here, into a few bytes of the caller's stack: a record that fits comes
 * with one call, of a large one the rest goes straight to where OpenSSL wants it. What is left at the end of the call,
 * which is seldom anything, moves to memory: a connection at rest has none of it.
 */
#include "tls_openssl.h"

#include <errno.h>
#include <string.h>

#include <openssl/bio.h>

static BIO_METHOD *method; /* set once */

/* From bytes.recv: more than 0, or 0 and the reason in conn. */
static size_t
take(struct green__ossl_conn *conn, void *buf, size_t len)
{
        ssize_t got = conn->no_recv ? -EAGAIN : conn->bytes.recv(conn->bytes.arg, buf, len);

        if (got > 0)
                return (size_t)got;
        if (got == 0)
                conn->eof = true;
        else if (got == -EAGAIN)
                conn->dry = true;
        else
                conn->io_code = (int)got;
        return 0;
}

static int
bio_read(BIO *bio, char *buf, int len)
{
        struct green__ossl_conn *conn = BIO_get_data(bio);
        size_t want, got;

        BIO_clear_retry_flags(bio);
        if (len <= 0)
                return 0;
        want = (size_t)len;
        if (conn->ahead_begin == conn->ahead_end) {
                green__ossl_bio_drop(conn);
                conn->ahead = conn->scratch;
                if (conn->ahead != NULL && want < GREEN__OSSL_AHEAD)
                        conn->ahead_end = (unsigned)take(conn, conn->ahead, GREEN__OSSL_AHEAD);
                else if ((got = take(conn, buf, want)) > 0)
                        return (int)got;
        }
        got = conn->ahead_end - conn->ahead_begin;
        if (got > 0) {
                got = got < want ? got : want;
                memcpy(buf, conn->ahead + conn->ahead_begin, got);
                conn->ahead_begin += (unsigned)got;
                return (int)got;
        }
        if (conn->eof)
                return 0;
        if (conn->dry)
                BIO_set_retry_read(bio);
        return -1;
}

static int
bio_write(BIO *bio, const char *buf, int len)
{
        struct green__ossl_conn *conn = BIO_get_data(bio);
        ssize_t put;

        BIO_clear_retry_flags(bio);
        if (len <= 0)
                return 0;
        put = conn->bytes.send(conn->bytes.arg, buf, (size_t)len);
        if (put > 0)
                return (int)put;
        if (put == 0 || put == -EAGAIN)
                BIO_set_retry_write(bio);
        else
                conn->io_code = (int)put;
        return -1;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
        (void)bio, (void)number, (void)pointer;
        /*
         * BIO_CTRL_EOF is answered with no: for yes OpenSSL breaks the whole connection, while here only its reading
         * half has ended. conn->eof says it to us.
         */
        return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

int
green__ossl_bio_init(void)
{
        int type;

        if (method != NULL)
                return 0;
        type = BIO_get_new_index();
        if (type == -1)
                return GREEN_ETLSBACKEND;
        method = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "green-net");
        if (method == NULL)
                return -ENOMEM;
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
        return 0;
}

int
green__ossl_bio_attach(struct green__ossl_conn *conn)
{
        BIO *bio = BIO_new(method);

        if (bio == NULL)
                return -ENOMEM;
        BIO_set_data(bio, conn);
        BIO_set_init(bio, 1);
        SSL_set_bio(conn->ssl, bio, bio);
        return 0;
}

void
green__ossl_bio_lend(struct green__ossl_conn *conn, unsigned char *scratch)
{
        conn->scratch = scratch;
}

int
green__ossl_bio_settle(struct green__ossl_conn *conn)
{
        const unsigned char *rest = conn->scratch + conn->ahead_begin;
        unsigned len = conn->ahead_end - conn->ahead_begin;
        bool here = conn->ahead == conn->scratch;

        if (len > 0 && !here) {
                conn->scratch = NULL;
                return 0;
        }
        green__ossl_bio_drop(conn);
        conn->scratch = NULL;
        if (len == 0)
                return 0;
        conn->ahead = green__ossl_host.alloc(len);
        if (conn->ahead == NULL)
                return green__ossl_fail(conn, -ENOMEM, "no memory");
        memcpy(conn->ahead, rest, len);
        conn->ahead_end = len;
        return 0;
}

void
green__ossl_bio_drop(struct green__ossl_conn *conn)
{
        if (conn->ahead != conn->scratch)
                green__ossl_host.free(conn->ahead);
        conn->ahead = NULL;
        conn->ahead_begin = conn->ahead_end = 0;
}
