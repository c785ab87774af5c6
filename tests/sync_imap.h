/*
 * What the tests of mappings share: an input of numbers, and functions that map them.
 */
#ifndef GREEN_TESTS_SYNC_IMAP_H
#define GREEN_TESTS_SYNC_IMAP_H

#include "sync_help.h"

/* An input of numbers from 1 on, and the function that maps them. */
struct numbers {
        int last, next; /* ends after `last` */
        int code;       /* ends with that instead */
        bool waits;     /* before each, at the gate */
        int pulled;
        green_thread *by;
};

static struct green_waitq input_gate, gate;
static int ran, inside, most, items_dropped, results_dropped;
static green_greenpool *pool;

static inline int
next_number(void *arg, void **ret_item)
{
        struct numbers *n = arg;
        struct green_wait w;
        int rc = n->waits ? green_park(&input_gate, &w, GREEN_FOREVER) : 0;

        CHECK(n->by == NULL || n->by == green_getcurrent());
        n->by = green_getcurrent();
        if (rc != 0)
                return rc;
        if (n->next == n->last) {
                n->last = -1;
                return n->code;
        }
        CHECK(n->last >= 0); /* never again after the end */
        n->pulled++;
        *ret_item = PTR(++n->next);
        return 1;
}

static inline void
begin(void)
{
        ran++;
        if (++inside > most)
                most = inside;
}

static inline void *
twice(void *arg)
{
        begin();
        inside--;
        return PTR(2 * INT(arg));
}

/* Yields, the earlier ones more often: they end in another order. */
static inline void *
twice_slowly(void *arg)
{
        begin();
        for (int i = 7 - INT(arg) % 7; i > 0; i--)
                CHECK_INT(green_sleep(0), 0);
        inside--;
        return PTR(2 * INT(arg));
}

static inline void *
stay(void *arg)
{
        struct green_wait w;
        int rc;

        begin();
        rc = green_park(&gate, &w, GREEN_FOREVER);
        inside--;
        return rc == -EOWNERDEAD ? green_fail(rc) : PTR(2 * INT(arg));
}

static inline void *
fail_odd(void *arg)
{
        ran++;
        if (INT(arg) == 3)
                green_exit(green_fail(-EOVERFLOW));
        return INT(arg) % 2 == 1 ? green_fail(-INT(arg)) : arg;
}

static inline void
drop_item(void *item)
{
        CHECK(item != NULL);
        items_dropped++;
}

static inline void
drop_result(void *result)
{
        CHECK(result != NULL);
        results_dropped++;
}

static const struct green_imap_opts dropping = {
        .size = sizeof(dropping), .drop_item = drop_item, .drop_result = drop_result};

static inline int
next(green_imap *m)
{
        void *result = PTR(-1);
        int rc = green_imap_next(m, &result, SOON), failed;

        if (rc != 1) {
                CHECK_PTR(result, PTR(-1));
                return rc == 0 ? 0 : rc;
        }
        failed = green_failed(result);
        return failed != 0 ? failed : INT(result);
}

static inline void
imap_setup(void)
{
        sync_setup();
        ran = inside = most = items_dropped = results_dropped = 0;
        CHECK_PTR(gate.first, NULL);
        CHECK_PTR(input_gate.first, NULL);
}

static inline void
imap_init(void)
{
        sync_init();
        suite_setup = imap_setup;
}

static inline void
pool_begin(size_t size)
{
        pool = green_greenpool_new(size);
}

static inline void
pool_end(void)
{
        long n = 0;

        turns(2);
        CHECK_INT(green_greenpool_waitall(pool, SOON), 0);
        CHECK_INT(green_greenpool_available(pool, &n), 0);
        CHECK(n >= 0);
        CHECK_INT(green_greenpool_running(pool) + green_greenpool_waiting(pool), 0);
        CHECK_INT(green_greenpool_free(pool), 0);
}

#endif
