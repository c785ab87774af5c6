/*
 * When the keys of session tickets change, and to what. The keys of each period come from a secret, and the next period's
 * secret from this one's, by a hash that nobody turns around: processes that have a copy of one secret, since a fork, change
 * to the same keys at the same time without a word, and who learns a secret learns nothing of the periods before it.
 *
 * A period is half of a ticket's lifetime, and the keys of the last three are kept: one that was made with the last moment
 * of a key is opened two keys later at most.
 */
#ifndef GREEN_TLS_TICKET_KEYS_H
#define GREEN_TLS_TICKET_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum { GREEN__TICKET_PERIODS = 3, GREEN__TICKET_SECRET = 32, GREEN__TICKET_BYTES = 128 };

struct green__ticket_keys {
        double begins, period; /* monotonic clock, seconds: of the first period that was not taken yet */
        bool (*sha256)(const unsigned char *in, size_t len, unsigned char *ret_hash);
        unsigned char secret[GREEN__TICKET_SECRET]; /* of that period */
};

/* The secret is filled in by the caller; sha256 gives 32 bytes, or says that it cannot. */
void green__ticket_keys_init(struct green__ticket_keys *k, double lifetime, double now,
                             bool (*sha256)(const unsigned char *in, size_t len, unsigned char *ret_hash));
/* Has a period begun? Then its bytes, of which keys are made; take it, and ask again. */
bool green__ticket_keys_due(struct green__ticket_keys *k, double now, unsigned char *ret_bytes);
/* False where sha256 cannot: it is not taken. */
bool green__ticket_keys_take(struct green__ticket_keys *k);

#endif
