/*
 * Results that come in an order, whatever the order in which they were ready.
 */
#include "greenpool_priv.h"

void
green__results_add(struct green__results *r, struct green__pool_task *t)
{
        t->after = NULL;
        if (r->last != NULL)
                r->last->after = t;
        else
                r->first = t;
        r->last = t;
        r->count++;
}

struct green__pool_task *
green__results_take(struct green__results *r)
{
        struct green__pool_task *t = r->first;

        r->first = t->after;
        if (r->first == NULL)
                r->last = NULL;
        r->count--;
        return t;
}

bool
green__results_wake(struct green__results *r, enum green__got what, int code, void *result)
{
        struct green_wait *w = green_waitq_first(&r->getter);
        struct green__getter *g = (struct green__getter *)w;

        if (w == NULL)
                return false;
        g->code = code;
        g->result = result;
        w->user = what;
        green_wake(w, 0);
        return true;
}

bool
green__results_hand(struct green__results *r, green_greenpool *p)
{
        struct green__pool_task *t = r->first;

        if (t == NULL || !t->done || !green__results_wake(r, GREEN__GOT, t->code, t->value))
                return false;
        green__greenpool_put_record(p, green__results_take(r));
        return true;
}

int
green__results_get(struct green__results *r, green_greenpool *p, void **ret_result)
{
        struct green__pool_task *t = green__results_take(r);
        int code = t->code;
        void *result = t->value;

        green__greenpool_put_record(p, t);
        return green__results_give(code, result, ret_result);
}
