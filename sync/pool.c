/*
 * Pools of things that are made on demand. See <green/pool.h>.
 *
 * There are `count` things or places for them: in the pool, out, or being made. A place that comes free is not taken
 * off the count and offered again: it is handed to the one that has waited longest, which wakes with the right to make.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/opts.h>
#include <green/pool.h>

#include "fork.h"
#include "misuse.h"
#include "object.h"
#include "pool_list.h"
#include "queue_priv.h"

enum { SIZE = 4 };

/* What a getter is woken with: green_wait.user. */
enum { ITEM, PLACE };

/* Nobody waits where a thing is in the pool, or where one more may be made. */
struct green_pool {
        struct green__listed listed;
        const char *name;
        uint64_t ident;            /* whose it is */
        struct green__store items; /* those in the pool; there is room for all that there are */
        struct green_waitq getters;
        size_t count;   /* in the pool, out, and being made */
        size_t making;  /* of them those being made, and places that somebody was woken with */
        size_t limit;   /* of count; there may be more after a shrinking resize */
        unsigned forks; /* green__sync_forks when `making` was right */
        int (*create)(void *arg, void **ret_item);
        void (*destroy)(void *arg, void *item);
        void *arg;
};

static GREEN__COLD int
no_pool(const char *function)
{
        return green__misuse(-EINVAL, "%s: no pool", function);
}

/* Being made by green threads that a fork() has forgotten. */
static size_t
forgotten(const green_pool *p)
{
        return p->forks == green__sync_forks ? 0 : p->making;
}

static inline void
notice_fork(green_pool *p)
{
        if (green__likely(p->forks == green__sync_forks))
                return;
        p->count -= p->making;
        p->making = 0;
        p->forks = green__sync_forks;
}

static size_t
out(const green_pool *p)
{
        return p->count - p->making - p->items.count;
}

/* ---- places */

static void
take_place(green_pool *p)
{
        p->count++;
        p->making++;
}

/* Places that are free go to those who wait. */
static void
hand_places(green_pool *p)
{
        struct green_wait *getter;

        while (p->count < p->limit && (getter = green_waitq_first(&p->getters)) != NULL) {
                take_place(p);
                getter->user = PLACE;
                green_wake(getter, 0);
        }
}

/* Make a thing in a place that was taken. Where that fails the place is free again. */
static int
make(green_pool *p, void **ret_item)
{
        unsigned forks = p->forks;
        void *item = NULL;
        int rc = green__store_reserve(&p->items, p->count - p->items.count);

        if (rc == 0)
                rc = p->create(p->arg, &item);
        notice_fork(p);
        /* In the child of a fork that create made, those being made were forgotten, and this one with them. */
        if (p->forks == forks)
                p->making--;
        else
                p->count++;
        if (rc >= 0) {
                *ret_item = item;
                return 0;
        }
        p->count--;
        hand_places(p);
        return rc;
}

static void
drop(green_pool *p, void *item)
{
        p->count--;
        hand_places(p);
        if (p->destroy != NULL)
                p->destroy(p->arg, item);
}

/* ---- making and freeing */

static void
free_all(green_pool *p)
{
        while (p->items.count > 0) {
                void *item = green__store_take(&p->items);

                if (p->destroy != NULL)
                        p->destroy(p->arg, item);
        }
        green__pool_list_remove(&p->listed);
        green_free(p->items.items);
        green_free(p);
}

static size_t
waiting(const green_pool *p)
{
        size_t n = 0;

        for (const struct green_wait *w = p->getters.first; w != NULL; w = w->next)
                n++;
        return n;
}

static void
describe(const struct green__listed *l, char *line, size_t len)
{
        const green_pool *p = (const green_pool *)(const void *)((const char *)l - offsetof(green_pool, listed));

        snprintf(line, len, "pool %p%s%.60s: %zu in it, %zu out, %zu being made, of %zu; %zu wait", (const void *)p,
                 p->name != NULL ? " " : "", p->name != NULL ? p->name : "", p->items.count, out(p), p->making, p->limit,
                 waiting(p));
}

static int
check_opts(struct green_pool_opts *o, const struct green_pool_opts *given)
{
        if (given == NULL || green_opts_take(o, sizeof(*o), given) != 0)
                return green__misuse(-EINVAL, "green_pool_new: no options, or of an unknown size");
        if (o->max_size == 0)
                o->max_size = SIZE;
        if (o->min_size > o->max_size || o->max_size > LONG_MAX)
                return green__misuse(-EINVAL, "green_pool_new: %zu things at least and %zu at most", o->min_size,
                                     o->max_size);
        if (o->min_size > 0 && o->create == NULL)
                return green__misuse(-ENOTSUP, "green_pool_new: things are to be made, and there is no create");
        return 0;
}

static int
make_first(green_pool *p, size_t n)
{
        while (n-- > 0) {
                void *item;
                int rc;

                take_place(p);
                rc = make(p, &item);
                if (rc != 0)
                        return rc;
                green__store_add(&p->items, item);
        }
        return 0;
}

green_pool *
green_pool_new(const struct green_pool_opts *opts)
{
        struct green_pool_opts o;
        uint64_t ident;
        green_pool *p;
        int rc;

        if (check_opts(&o, opts) != 0)
                return NULL;
        p = green__object_new(sizeof(*p), &ident);
        if (p == NULL)
                return NULL;
        green__sync_fork_install();
        p->ident = ident;
        p->name = o.name;
        green__pool_list_add(&p->listed, ident, describe);
        p->items.kind = o.order_as_stack ? GREEN__STORE_STACK : GREEN__STORE_RING;
        p->limit = o.max_size;
        p->forks = green__sync_forks;
        p->create = o.create;
        p->destroy = o.destroy;
        p->arg = o.arg;
        rc = make_first(p, o.min_size);
        if (rc == 0)
                return p;
        free_all(p);
        green_set_error(rc, NULL);
        return NULL;
}

int
green_pool_free(green_pool *p)
{
        if (p == NULL)
                return 0;
        if (p->getters.first != NULL || p->making > forgotten(p))
                return green__misuse(-EBUSY, "a pool that somebody waits for, or makes something for, cannot be freed");
        free_all(p);
        return 0;
}

/* ---- get and put */

static int
wait_for_one(green_pool *p, void **ret_item, const green_thread *self, double timeout)
{
        struct green_wait w;
        int rc;

        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait("a pool");
        rc = green_park(&p->getters, &w, timeout);
        if (rc != 0)
                return rc;
        if (w.user == PLACE)
                return make(p, ret_item);
        *ret_item = w.value;
        return 0;
}

int
green_pool_get(green_pool *p, void **ret_item, double timeout)
{
        green_thread *self;
        int rc;

        if (green__unlikely(p == NULL || ret_item == NULL))
                return p == NULL ? no_pool("green_pool_get") : green__misuse(-EINVAL, "green_pool_get: no ret_item");
        rc = green_park_check(p->ident, "a pool", timeout, &self);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "a pool");
        notice_fork(p);
        if (green__likely(p->items.count > 0)) {
                *ret_item = green__store_take(&p->items);
                return 0;
        }
        if (p->create == NULL)
                return green__misuse(-ENOTSUP, "green_pool_get: nothing is there, and the pool has no create");
        if (p->count < p->limit) {
                take_place(p);
                return make(p, ret_item);
        }
        return wait_for_one(p, ret_item, self, timeout);
}

/* Debug builds find one that was put twice. Tokens are all the same. */
static bool
is_in(const green_pool *p, const void *item)
{
        const struct green__store *s = &p->items;

        if (!GREEN_DEBUG || p->create == green_token_pool_create)
                return false;
        for (size_t i = 0; i < s->count; i++)
                if (s->items[(s->head + i) & (s->room - 1)] == item)
                        return true;
        return false;
}

/* An item is to come back: whose pool it is, and whether one is out. */
static int
check_back(green_pool *p, const void *item, const char *function)
{
        int rc;

        if (p == NULL)
                return no_pool(function);
        rc = green_hub_check(p->ident, "a pool");
        if (rc != 0)
                return rc;
        notice_fork(p);
        if (out(p) == 0)
                return green__misuse(-EALREADY, "%s: as many were put back as were got", function);
        if (is_in(p, item))
                return green__misuse(-EALREADY, "%s: this one is in the pool already", function);
        return 0;
}

int
green_pool_put(green_pool *p, void *item)
{
        struct green_wait *getter;
        int rc = check_back(p, item, "green_pool_put");

        if (rc != 0)
                return rc;
        getter = green_waitq_first(&p->getters);
        if (p->count > p->limit) {
                drop(p, item);
        } else if (getter != NULL) {
                getter->user = ITEM;
                getter->value = item;
                green_wake(getter, 0);
        } else {
                green__store_add(&p->items, item);
        }
        return 0;
}

int
green_pool_discard(green_pool *p, void *item)
{
        int rc = check_back(p, item, "green_pool_discard");

        if (rc == 0)
                drop(p, item);
        return rc;
}

/* ---- what there is */

int
green_pool_available(const green_pool *p, long *ret_free)
{
        if (p == NULL || ret_free == NULL)
                return p == NULL ? no_pool("green_pool_available")
                                 : green__misuse(-EINVAL, "green_pool_available: no ret_free");
        *ret_free = (long)p->items.count + (long)p->limit - (long)(p->count - forgotten(p));
        return 0;
}

size_t
green_pool_size(const green_pool *p)
{
        if (p == NULL)
                no_pool("green_pool_size");
        return p == NULL ? 0 : p->count - forgotten(p);
}

size_t
green_pool_waiting(const green_pool *p)
{
        if (p == NULL)
                no_pool("green_pool_waiting");
        return p == NULL ? 0 : waiting(p);
}

int
green_pool_resize(green_pool *p, size_t max_size)
{
        int rc = p == NULL ? no_pool("green_pool_resize") : green_hub_check(p->ident, "a pool");

        if (rc != 0)
                return rc;
        notice_fork(p);
        p->limit = max_size < LONG_MAX ? max_size : LONG_MAX;
        hand_places(p);
        return 0;
}

/* ---- tokens */

int
green_token_pool_create(void *arg, void **ret_token)
{
        static const char token;

        (void)arg;
        if (ret_token == NULL)
                return green__misuse(-EINVAL, "green_token_pool_create: no ret_token");
        *ret_token = (void *)(uintptr_t)&token;
        return 0;
}

green_pool *
green_token_pool_new(size_t max_size)
{
        const struct green_pool_opts opts = {
                .size = sizeof(opts), .max_size = max_size, .create = green_token_pool_create};
        green_pool *p = green_pool_new(&opts);

        if (p != NULL)
                p->limit = max_size;
        return p;
}
