/*
 * Without c-ares: nobody asks name servers, and the system's resolver does it all.
 */
#include "dns_priv.h"

const char *
green__wire_version(void)
{
        return NULL;
}

void
green__wire_ask(struct green__dns *dns, struct green__dns_entry *entry)
{
        (void)dns;
        green__dns_answered(entry, -ENOTSUP, NULL, 0);
}

void
green__wire_free(struct green__wire *wire, bool hub_lives)
{
        (void)wire;
        (void)hub_lives;
}
