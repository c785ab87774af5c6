/*
 * Session tickets: OpenSSL seals and opens them, with keys that change as tls_ticket_keys.h says. A context that replaces
 * another shares its keys.
 */
#include "tls_openssl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "tls_ticket_keys.h"

enum { NAME = 16, SECRET = 32, SID = 16 };
#define LONGEST 604800.0 /* RFC 8446: a week */

struct key {
        unsigned char name[NAME], aes[SECRET], hmac[SECRET];
        bool there;
};

_Static_assert(NAME + 2 * SECRET <= GREEN__TICKET_BYTES, "more than a period has");

struct green__ossl_tickets {
        atomic_uint refs;
        double lifetime;        /* seconds */
        unsigned char sid[SID]; /* which sessions are ours */
        EVP_CIPHER *cipher;
        pthread_mutex_t mutex; /* of what follows */
        struct green__ticket_keys periods;
        struct key keys[GREEN__TICKET_PERIODS]; /* the newest first */
};

static double
now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool
sha256(const unsigned char *in, size_t len, unsigned char *ret_hash)
{
        return EVP_Digest(in, len, ret_hash, NULL, EVP_sha256(), NULL) == 1;
}

/* Under the mutex: false where a key cannot be made. */
static bool
keep_up(struct green__ossl_tickets *tickets)
{
        unsigned char bytes[GREEN__TICKET_BYTES];
        bool good = true;

        while (good && green__ticket_keys_due(&tickets->periods, now(), bytes)) {
                struct key *newest = &tickets->keys[0];

                good = green__ticket_keys_take(&tickets->periods);
                if (!good)
                        break;
                memmove(newest + 1, newest, (GREEN__TICKET_PERIODS - 1) * sizeof *newest);
                memcpy(newest->name, bytes, NAME);
                memcpy(newest->aes, bytes + NAME, SECRET);
                memcpy(newest->hmac, bytes + NAME + SECRET, SECRET);
                newest->there = true;
        }
        OPENSSL_cleanse(bytes, sizeof bytes);
        return good;
}

/* The newest key, or the one with a name: -1 there is none, otherwise how many are newer. */
static int
find_key(struct green__ossl_tickets *tickets, const unsigned char *name, struct key *ret_key)
{
        int found = -1;

        pthread_mutex_lock(&tickets->mutex);
        if (keep_up(tickets))
                for (int i = 0; i < GREEN__TICKET_PERIODS && found < 0; i++)
                        if (tickets->keys[i].there &&
                            (name == NULL || CRYPTO_memcmp(tickets->keys[i].name, name, NAME) == 0))
                                found = i;
        if (found >= 0)
                *ret_key = tickets->keys[found];
        pthread_mutex_unlock(&tickets->mutex);
        return found;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(): -1 it failed, 0 no ticket, 1 go on, 2 go on and give a new one. */
static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
        /* Those of the context that the connection came in by, whatever name it asked for. */
        struct green__ossl_tickets *tickets = ((struct green__ossl_conn *)SSL_get_app_data(ssl))->tickets;
        struct key key;
        OSSL_PARAM params[3];
        int age, result = -1;

        if (tickets == NULL || (age = find_key(tickets, sealing ? NULL : name, &key)) < 0)
                return 0;
        params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac, SECRET);
        params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
        params[2] = OSSL_PARAM_construct_end();
        if (EVP_MAC_CTX_set_params(mac, params) != 1)
                goto out;
        if (sealing) {
                memcpy(name, key.name, NAME);
                if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(tickets->cipher)) != 1 ||
                    EVP_EncryptInit_ex2(cipher, tickets->cipher, key.aes, iv, NULL) != 1)
                        goto out;
                result = 1;
        } else if (EVP_DecryptInit_ex2(cipher, tickets->cipher, key.aes, iv, NULL) == 1) {
                result = age == 0 ? 1 : 2;
        }
out:
        OPENSSL_cleanse(&key, sizeof key);
        return result;
}

struct green__ossl_tickets *
green__ossl_tickets_new(double lifetime)
{
        struct green__ossl_tickets *tickets = green__ossl_host.alloc(sizeof *tickets);

        if (tickets == NULL)
                return NULL;
        atomic_init(&tickets->refs, 1);
        tickets->lifetime = lifetime > 0 && lifetime < LONGEST ? lifetime : lifetime > 0 ? LONGEST : 7200;
        pthread_mutex_init(&tickets->mutex, NULL);
        tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
        green__ticket_keys_init(&tickets->periods, tickets->lifetime, now(), sha256);
        if (tickets->cipher == NULL || RAND_bytes(tickets->sid, SID) != 1 ||
            RAND_priv_bytes(tickets->periods.secret, GREEN__TICKET_SECRET) != 1 || !keep_up(tickets)) {
                green__ossl_tickets_unref(tickets);
                return NULL;
        }
        return tickets;
}

struct green__ossl_tickets *
green__ossl_tickets_ref(struct green__ossl_tickets *tickets)
{
        atomic_fetch_add(&tickets->refs, 1);
        return tickets;
}

void
green__ossl_tickets_unref(struct green__ossl_tickets *tickets)
{
        if (tickets == NULL || atomic_fetch_sub(&tickets->refs, 1) != 1)
                return;
        EVP_CIPHER_free(tickets->cipher);
        pthread_mutex_destroy(&tickets->mutex);
        OPENSSL_cleanse(tickets, sizeof *tickets);
        green__ossl_host.free(tickets);
}

int
green__ossl_tickets_use(SSL_CTX *ssl_ctx, const struct green__ossl_tickets *tickets)
{
        SSL_CTX_set_timeout(ssl_ctx, (long)(tickets->lifetime + 0.999));
        if (SSL_CTX_set_session_id_context(ssl_ctx, tickets->sid, SID) != 1 ||
            SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl_ctx, ticket_key) != 1)
                return GREEN_ETLS;
        return 0;
}
