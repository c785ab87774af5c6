/*
 * Keys of session tickets. See tls_ticket_keys.h. A part of each back end.
 */
#include "tls_ticket_keys.h"

#include <string.h>

/* Seconds: the hashes of a day without a ticket are made in half a second then. */
#define SHORTEST 0.05

enum { HASH = 32 };

/* One of the hashes of a secret: 0 is the next secret, the others are parts of its bytes. */
static bool
derive(const struct green__ticket_keys *k, unsigned char which, unsigned char *ret_hash)
{
        unsigned char text[GREEN__TICKET_SECRET + 1];

        memcpy(text, k->secret, GREEN__TICKET_SECRET);
        text[GREEN__TICKET_SECRET] = which;
        return k->sha256(text, sizeof text, ret_hash);
}

void
green__ticket_keys_init(struct green__ticket_keys *k, double lifetime, double now,
                        bool (*sha256)(const unsigned char *in, size_t len, unsigned char *ret_hash))
{
        k->begins = now;
        k->period = lifetime / 2 > SHORTEST ? lifetime / 2 : SHORTEST;
        k->sha256 = sha256;
}

bool
green__ticket_keys_take(struct green__ticket_keys *k)
{
        unsigned char next[HASH];

        if (!derive(k, 0, next))
                return false;
        memcpy(k->secret, next, sizeof next);
        k->begins += k->period;
        return true;
}

bool
green__ticket_keys_due(struct green__ticket_keys *k, double now, unsigned char *ret_bytes)
{
        /* Nobody came for long: what was made then is opened no more. */
        while (now >= k->begins + GREEN__TICKET_PERIODS * k->period)
                if (!green__ticket_keys_take(k))
                        return false;
        if (now < k->begins)
                return false;
        for (unsigned char i = 0; i < GREEN__TICKET_BYTES / HASH; i++)
                if (!derive(k, (unsigned char)(i + 1), ret_bytes + HASH * i))
                        return false;
        return true;
}
