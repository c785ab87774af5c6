/*
 * Signals that green threads wait for. See <green/signal.h>.
 *
 * The handler counts, and posts a node to the hub of whoever is interested, unless one is on its way already. When it
 * arrives, in hub context, the count is handed to the one that waits.
 */
#include <config.h>

#include <errno.h>
#include <stddef.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/park.h>
#include <green/signal.h>

#include "check.h"
#include "signal_priv.h"
#include "signal_sys.h"
#include "sock_sys.h"

struct green_signal {
        struct green__listener listener;
        uint64_t ident; /* of the hub it belongs to */
        green_hub *hub; /* a reference */
        struct green_post_node node;
        atomic_bool queued;         /* the node is on its way */
        atomic_uint came;           /* how often, that nobody was told of */
        struct green_waitq waiters; /* one; of the children's, any number */
        struct green_hub_end end;
        bool ended; /* the hub has */
        bool freed; /* free it when the node arrives */
};

/* The interest of this OS thread's hub in its children; NULL: nobody waits for any. */
static _Thread_local green_signal *sigchld;

static green_signal *
of_listener(struct green__listener *l)
{
        return (green_signal *)(void *)((char *)l - offsetof(struct green_signal, listener));
}

/* ---- from the handler to the waiter */

static void
release(green_signal *s)
{
        green_hub_end_drop(&s->end);
        green_free(s);
}

/* In hub context. */
static void
arrived(void *arg)
{
        green_signal *s = arg;
        struct green_wait *w;
        unsigned n;

        atomic_store(&s->queued, false);
        if (s->freed) {
                release(s);
                return;
        }
        n = green_waitq_first(&s->waiters) == NULL ? 0 : atomic_exchange(&s->came, 0);
        while (n > 0 && (w = green_waitq_first(&s->waiters)) != NULL) {
                w->value = (void *)(uintptr_t)n;
                green_wake(w, 0);
        }
}

static bool
count(struct green__listener *l)
{
        atomic_fetch_add(&of_listener(l)->came, 1);
        return false;
}

static void
ring(struct green__listener *l)
{
        green_signal *s = of_listener(l);

        if (atomic_load(&s->came) != 0 && !atomic_exchange(&s->queued, true))
                (void)green_hub_post_node(s->hub, &s->node, arrived, s);
}

static void
forget(struct green__listener *l, bool gone)
{
        (void)gone;
        atomic_store(&of_listener(l)->came, 0);
}

/* ---- life */

/* The hub has ended, and with it the nodes that were on their way to it. */
static void
hub_ended(void *arg)
{
        green_signal *s = arg;

        if (!s->freed) {
                green__signal_leave(&s->listener);
                green_hub_unref(s->hub);
        }
        s->ended = true;
        if (s == sigchld) {
                s->freed = true;
                sigchld = NULL;
        }
        if (s->freed)
                green_free(s);
}

green_signal *
green_signal_new(int signum)
{
        green_hub *hub = green_get_hub();
        green_signal *s;
        int rc;

        if (hub == NULL)
                return NULL;
        s = green_calloc(1, sizeof *s);
        if (s == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        s->hub = hub;
        s->ident = green_hub_ident();
        s->listener.count = count;
        s->listener.ring = ring;
        s->listener.forget = forget;
        rc = green_hub_at_end(&s->end, hub_ended, s);
        if (rc == 0)
                rc = green__signal_listen(&s->listener, signum);
        if (rc != 0) {
                release(s);
                green_set_error(rc, "signal %d cannot be waited for: %s", signum, green_strerror(rc));
                return NULL;
        }
        (void)green_hub_ref(hub);
        return s;
}

int
green_signal_wait(green_signal *s, double timeout, unsigned *ret_count)
{
        int rc = s == NULL ? -EINVAL : green_park_check(s->ident, "a signal", timeout, NULL);
        struct green_wait w;
        unsigned n;

        if (rc != 0)
                return rc;
        if (green_waitq_first(&s->waiters) != NULL)
                return green_set_error(-EBUSY, "another green thread waits for this signal");
        n = atomic_exchange(&s->came, 0);
        if (n == 0) {
                rc = green_park(&s->waiters, &w, timeout);
                if (rc != 0)
                        return rc;
                n = (unsigned)(uintptr_t)w.value;
        }
        if (ret_count != NULL)
                *ret_count = n;
        return 0;
}

int
green_signal_free(green_signal *s)
{
        if (s == NULL)
                return 0;
        if (s->ended) {
                green_free(s);
                return 0;
        }
        if (s->ident != green_hub_ident())
                return green_hub_check(s->ident, "a signal");
        if (green_waitq_first(&s->waiters) != NULL)
                return -EBUSY;
        green__signal_leave(&s->listener);
        green_hub_unref(s->hub);
        s->freed = true;
        if (!atomic_load(&s->queued))
                release(s);
        return 0;
}

/* ---- children */

int
green__children_listen(void)
{
        if (sigchld == NULL)
                sigchld = green_signal_new(SIGCHLD);
        return sigchld == NULL ? green_last_error()->code : 0;
}

int
green__children_wait(double timeout)
{
        struct green_wait w;

        return green_park(&sigchld->waiters, &w, timeout);
}

void
green__children_leave(void)
{
        if (green_signal_free(sigchld) == 0)
                sigchld = NULL;
}
