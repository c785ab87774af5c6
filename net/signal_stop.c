/*
 * Ending the program in order by SIGINT and SIGTERM. See green_signal_stop_main() in <green/signal.h>.
 */
#include <config.h>

#include <errno.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/signal.h>

#include "check.h"
#include "signal_sys.h"

static const int signums[] = {SIGINT, SIGTERM};

enum { SIGNALS = sizeof signums / sizeof signums[0] };

struct stop {
        struct listening {
                struct green__listener listener; /* first */
                struct stop *stop;
        } listening[SIGNALS];
        green_hub *hub; /* a reference */
        struct green_post_node node;
        struct green_hub_end end;
        atomic_bool came;    /* one: the next one ends the program */
        atomic_bool pending; /* the hub was not told of it */
        atomic_bool queued;  /* the node is on its way */
        bool freed;          /* free it when the node arrives */
};

/* There is one in a process: the hub that has it, 0 for none, and what it has; only that one touches it. */
static _Atomic(uint64_t) owner;
static struct stop *current;

/* In hub context. */
static void
arrived(void *arg)
{
        struct stop *s = arg;

        atomic_store(&s->queued, false);
        if (s->freed) {
                green_hub_end_drop(&s->end);
                green_free(s);
        } else if (atomic_exchange(&s->pending, false)) {
                (void)green_hub_stop(0);
        }
}

static bool
count(struct green__listener *l)
{
        struct stop *s = ((struct listening *)(void *)l)->stop;

        atomic_store(&s->pending, true);
        return atomic_exchange(&s->came, true);
}

static void
ring(struct green__listener *l)
{
        struct stop *s = ((struct listening *)(void *)l)->stop;

        if (atomic_load(&s->pending) && !atomic_exchange(&s->queued, true))
                (void)green_hub_post_node(s->hub, &s->node, arrived, s);
}

static void
forget(struct green__listener *l, bool gone)
{
        struct stop *s = ((struct listening *)(void *)l)->stop;

        if (gone)
                atomic_store(&owner, 0);
        atomic_store(&s->pending, false);
        atomic_store(&s->came, false);
}

static void
hub_ended(void *arg)
{
        struct stop *s = arg;

        if (!s->freed) {
                for (int i = 0; i < SIGNALS; i++)
                        green__signal_leave(&s->listening[i].listener);
                green_hub_unref(s->hub);
                atomic_store(&owner, 0);
        }
        green_free(s);
}

/* Whose listeners, the first n of them, are in their lists. */
static void
release(struct stop *s, int n)
{
        while (n > 0)
                green__signal_leave(&s->listening[--n].listener);
        green_hub_unref(s->hub);
        s->freed = true;
        if (!atomic_load(&s->queued)) {
                green_hub_end_drop(&s->end);
                green_free(s);
        }
}

static int
begin(struct stop **ret_stop)
{
        struct stop *s = green_calloc(1, sizeof *s);
        int rc, n = 0;

        if (s == NULL)
                return -ENOMEM;
        s->hub = green_hub_ref(green_get_hub());
        rc = green_hub_at_end(&s->end, hub_ended, s);
        while (rc == 0 && n < SIGNALS) {
                struct listening *l = &s->listening[n];

                l->listener = (struct green__listener){.count = count, .ring = ring, .forget = forget};
                l->stop = s;
                rc = green__signal_listen(&l->listener, signums[n]);
                n += rc == 0;
        }
        if (rc == 0)
                *ret_stop = s;
        else
                release(s, n);
        return rc;
}

int
green_signal_stop_main(bool on)
{
        uint64_t ident = green_hub_ident(), has = 0;
        int rc = 0;

        if (ident == 0)
                return green_last_error()->code;
        if (on && atomic_compare_exchange_strong(&owner, &has, ident)) {
                rc = begin(&current);
                if (rc != 0)
                        atomic_store(&owner, 0);
                return rc;
        }
        has = atomic_load(&owner);
        if (has != ident)
                return has == 0 ? 0 : green_set_error(-EBUSY, "another OS thread is stopped by SIGINT and SIGTERM");
        if (!on) {
                release(current, SIGNALS);
                atomic_store(&owner, 0);
        }
        return 0;
}
