/*
 * Who runs in a hub. See debug_ask.h.
 */
#include "debug_ask.h"

static void
copy_name(struct green__asked *asked, const struct green__hub *h, const green_thread *t)
{
        const char *name = t->extra != NULL ? t->extra->name : NULL;
        size_t i = 0;

        if (name == NULL && t == &h->main)
                name = "main";
        for (; name != NULL && name[i] != '\0' && i + 1 < sizeof asked->name; i++)
                asked->name[i] = name[i];
        asked->name[i] = '\0';
}

void
green__asked_fill(struct green__asked *asked, const struct green__hub *h)
{
        const green_thread *t = h->current;

        asked->callback = t == NULL;
        asked->ident = t == NULL ? 0 : t->ident;
        asked->where = t == NULL ? NULL : t->where;
        asked->name[0] = '\0';
        if (t != NULL)
                copy_name(asked, h, t);
}
