/*
 * mbedTLS as a back end: session tickets. See tls_backend.h.
 *
 * mbedTLS seals and opens them; each period of tls_ticket_keys.h has a context of its own for that, whose keys are what
 * mbedTLS takes for random when it is set up.
 */
#include "tls_mbedtls.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/threading.h>

#include "sock_sys.h"
#include "tls_ticket_keys.h"

struct period {
        mbedtls_ssl_ticket_context context;
        const unsigned char *bytes; /* while it is set up: what is left of those that keys are made of; else NULL */
        size_t len;
        bool there;
};

struct mbed_tickets {
        atomic_uint refs; /* contexts: they outlive one that is made anew */
        uint32_t lifetime;
        mbedtls_threading_mutex_t mutex; /* of what follows */
        struct green__ticket_keys keys;
        unsigned newest; /* where, in periods[] */
        struct period periods[GREEN__TICKET_PERIODS];
};

static double
now(void)
{
        return (double)green__sys_now() / 1e9;
}

static bool
sha256(const unsigned char *in, size_t len, unsigned char *ret_hash)
{
        return MBED_SHA256(in, len, ret_hash) == 0;
}

static int
random_of(void *arg, unsigned char *bytes, size_t len)
{
        struct period *p = arg;

        if (p->bytes == NULL)
                return green__mbed_random(NULL, bytes, len);
        if (len > p->len)
                return -1;
        memcpy(bytes, p->bytes, len);
        p->bytes += len;
        p->len -= len;
        return 0;
}

static int
set_up(struct period *p, const unsigned char *bytes, uint32_t lifetime)
{
        int ret;

        if (p->there)
                mbedtls_ssl_ticket_free(&p->context);
        mbedtls_ssl_ticket_init(&p->context);
        p->bytes = bytes;
        p->len = GREEN__TICKET_BYTES;
        ret = mbedtls_ssl_ticket_setup(&p->context, random_of, p, MBEDTLS_CIPHER_AES_256_GCM, lifetime);
        p->bytes = NULL;
        p->there = ret == 0;
        if (ret != 0)
                mbedtls_ssl_ticket_free(&p->context);
        return ret;
}

/* Under the mutex: the periods that have begun. */
static int
keep_up(struct mbed_tickets *t)
{
        unsigned char bytes[GREEN__TICKET_BYTES];
        int ret = 0;

        while (ret == 0 && green__ticket_keys_due(&t->keys, now(), bytes)) {
                unsigned next = (t->newest + 1) % GREEN__TICKET_PERIODS;

                ret = set_up(&t->periods[next], bytes, t->lifetime);
                if (ret == 0 && !green__ticket_keys_take(&t->keys))
                        ret = MBEDTLS_ERR_SSL_INTERNAL_ERROR;
                if (ret == 0)
                        t->newest = next;
        }
        mbedtls_platform_zeroize(bytes, sizeof bytes);
        return ret;
}

/* See mbedtls_ssl_ticket_write(). */
static int
seal(void *arg, const mbedtls_ssl_session *session, unsigned char *start, const unsigned char *end, size_t *len,
     uint32_t *lifetime)
{
        struct mbed_tickets *t = arg;
        int ret = mbedtls_mutex_lock(&t->mutex);

        if (ret != 0)
                return ret;
        ret = keep_up(t);
        if (ret == 0)
                ret = mbedtls_ssl_ticket_write(&t->periods[t->newest].context, session, start, end, len, lifetime);
        (void)mbedtls_mutex_unlock(&t->mutex);
        return ret;
}

/* See mbedtls_ssl_ticket_parse(), which says of a key that it does not know that the ticket has expired. */
static int
open_sealed(void *arg, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
        struct mbed_tickets *t = arg;
        int ret = mbedtls_mutex_lock(&t->mutex);

        if (ret != 0)
                return ret;
        ret = keep_up(t);
        for (unsigned i = 0; i < GREEN__TICKET_PERIODS; i++) {
                struct period *p = &t->periods[(t->newest + GREEN__TICKET_PERIODS - i) % GREEN__TICKET_PERIODS];

                if (ret != 0 && ret != MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED)
                        break;
                if (!p->there) {
                        ret = MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
                        continue;
                }
                ret = mbedtls_ssl_ticket_parse(&p->context, session, ticket, len);
                if (ret == 0)
                        break;
        }
        (void)mbedtls_mutex_unlock(&t->mutex);
        return ret;
}

struct mbed_tickets *
green__mbed_tickets_new(double lifetime)
{
        struct mbed_tickets *t = green__mbed_host->alloc(sizeof *t);

        if (t == NULL)
                return NULL;
        atomic_init(&t->refs, 1);
        t->lifetime = lifetime < 1 ? 1 : lifetime > 604800 ? 604800 : (uint32_t)lifetime;
        mbedtls_mutex_init(&t->mutex);
        green__ticket_keys_init(&t->keys, t->lifetime, now(), sha256);
        if (green__mbed_random(NULL, t->keys.secret, GREEN__TICKET_SECRET) != 0 || keep_up(t) != 0) {
                green__mbed_tickets_unref(t);
                return NULL;
        }
        return t;
}

struct mbed_tickets *
green__mbed_tickets_ref(struct mbed_tickets *t)
{
        atomic_fetch_add(&t->refs, 1);
        return t;
}

void
green__mbed_tickets_unref(struct mbed_tickets *t)
{
        if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
                return;
        for (unsigned i = 0; i < GREEN__TICKET_PERIODS; i++)
                if (t->periods[i].there)
                        mbedtls_ssl_ticket_free(&t->periods[i].context);
        mbedtls_mutex_free(&t->mutex);
        mbedtls_platform_zeroize(t, sizeof *t);
        green__mbed_host->free(t);
}

void
green__mbed_tickets_use(mbedtls_ssl_config *conf, struct mbed_tickets *t)
{
        mbedtls_ssl_conf_session_tickets_cb(conf, seal, open_sealed, t);
}
