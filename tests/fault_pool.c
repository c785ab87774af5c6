/*
 * Each allocation and system call fails in its turn where pools are used; see fault_core.c.
 */
#include "fault.h"

#include <errno.h>

#include <green/sync.h>

#define SOON 5.0

/* As in fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

/* ---- things */

static int things[8], made, destroyed;

static int
create(void *arg, void **ret_item)
{
        (void)arg;
        *ret_item = &things[made++ % 8];
        return green_sleep(0);
}

static void
destroy(void *arg, void *item)
{
        CHECK(arg == &made && item != NULL);
        destroyed++;
}

static void *
get_one(void *arg)
{
        void *item = NULL;
        int rc = green_pool_get(arg, &item, SOON);

        if (rc != 0)
                return green_fail(rc);
        CHECK_INT(green_pool_put(arg, item), 0);
        return NULL;
}

static void
having_things(void)
{
        const struct green_pool_opts opts = {
                .size = sizeof opts, .min_size = 1, .max_size = 2, .create = create, .destroy = destroy, .arg = &made};
        green_thread *gt;
        green_pool *p;
        void *item[2];
        long n = 0;

        made = destroyed = 0;
        if (!have_hub())
                return;
        if (MADE(p = green_pool_new(&opts))) {
                bool first = OK(green_pool_get(p, &item[0], SOON)), second = OK(green_pool_get(p, &item[1], SOON));

                if (MADE(gt = green_spawn(get_one, p))) {
                        (void)OK(green_sleep(0));
                        CHECK_RANGE(green_pool_waiting(p), 0, 1);
                        if (first)
                                CHECK_INT(green_pool_put(p, item[0]), 0);
                        (void)OK(fault_join(gt));
                } else if (first) {
                        CHECK_INT(green_pool_put(p, item[0]), 0);
                }
                if (second)
                        CHECK_INT(green_pool_discard(p, item[1]), 0);
                CHECK_INT(green_pool_resize(p, 7), 0);
                CHECK_INT(green_pool_available(p, &n), 0);
                CHECK_INT(n, 7);
                CHECK_RANGE(green_pool_size(p), 0, 2);
                CHECK(green_debug_format_pools(NULL, 0) > 0);
                CHECK_INT(green_pool_free(p), 0);
        }
        CHECK_RANGE(made - destroyed, 0, 2); /* one whose create failed in the end was counted */
        if (MADE(p = green_token_pool_new(1))) {
                CHECK_INT(green_token_pool_create(NULL, &item[0]), 0);
                if (OK(green_pool_get(p, &item[1], SOON))) {
                        CHECK_PTR(item[0], item[1]);
                        CHECK_INT(green_pool_put(p, item[1]), 0);
                }
                CHECK_INT(green_pool_free(p), 0);
        }
}

/* ---- tasks */

static int ran;

static void *
run(void *arg)
{
        ran++;
        return arg;
}

static void *
nest(void *arg)
{
        green_thread *gt = green_greenpool_spawn(arg, run, arg);

        if (!MADE(gt))
                return NULL;
        (void)OK(fault_join(gt));
        (void)OK(green_greenpool_spawn_n(arg, run, arg));
        return NULL;
}

static void *
spawn_one(void *arg)
{
        (void)OK(green_greenpool_spawn_n(arg, run, arg));
        return NULL;
}

static void
having_tasks(void)
{
        green_greenpool *p;
        green_thread *gt;
        long n = 0;

        if (!have_hub() || !MADE(p = green_greenpool_new(1)))
                return;
        (void)OK(green_greenpool_spawn_n(p, nest, p));
        if (MADE(gt = green_spawn(spawn_one, p))) {
                (void)OK(green_sleep(0));
                CHECK_RANGE(green_greenpool_running(p) + green_greenpool_waiting(p), 0, 2);
                (void)OK(fault_join(gt));
        }
        (void)OK(green_greenpool_waitall(p, SOON));
        if (OK(green_greenpool_acquire(p, NULL, 0, SOON, NULL))) {
                if (MADE(gt = green_greenpool_spawn_acquired(p, run, p))) {
                        CHECK_INT(green_greenpool_kill(p, 0), 1);
                        CHECK_INT(fault_join(gt), GREEN_EKILLED);
                } else {
                        CHECK_INT(green_greenpool_release(p), 0);
                }
        }
        CHECK_INT(green_greenpool_resize(p, 5), 0);
        CHECK_INT(green_greenpool_available(p, &n), 0);
        CHECK_INT(n, 5);
        CHECK_INT(green_greenpool_free(p), 0);
}

/* ---- mapping */

static int numbers[20];

static int
next_number(void *arg, void **ret_item)
{
        int *at = arg;

        if (*at == 20)
                return 0;
        *ret_item = &numbers[(*at)++];
        return 1;
}

static void *
take_apart(void *arg)
{
        void **items = arg;
        void *first = items[0];

        CHECK_PTR(items[0], items[1]);
        green_free(items);
        return first;
}

/* To the end, or until something fails. */
static void
get_all(green_imap *m)
{
        int got = 0, rc;
        void *result = NULL;

        while ((rc = green_imap_next(m, &result, SOON)) == 1) {
                int failed = green_failed(result);

                if (failed == 0)
                        CHECK_PTR(result, &numbers[got]);
                else
                        (void)OK(failed);
                got++;
        }
        if (OK(rc))
                CHECK_INT(got, 20);
        CHECK_INT(green_imap_free(m), 0);
}

static void
mapping(void)
{
        const struct green_imap_opts opts = {.size = sizeof opts, .drop_item = green_free};
        int at[3] = {0};
        green_iter_fn fns[2] = {next_number, next_number};
        void *args[2] = {&at[1], &at[2]};
        struct green_zip zip = {2, fns, args};
        green_greenpool *p;
        green_imap *m;

        if (!have_hub() || !MADE(p = green_greenpool_new(3)))
                return;
        if (MADE(m = green_greenpool_imap(p, run, next_number, &at[0], NULL)))
                get_all(m);
        if (MADE(m = green_greenpool_starmap(p, take_apart, green_zip_next, &zip, &opts)))
                get_all(m);
        (void)OK(green_greenpool_waitall(p, SOON));
        CHECK_INT(green_greenpool_free(p), 0);
}

static void
piling(void)
{
        const struct green_greenpile_opts opts = {.size = sizeof opts, .pool_size = 2};
        green_greenpile *g;
        int spawned = 0, got = 0, rc;
        void *result = NULL;

        if (!have_hub() || !MADE(g = green_greenpile_new(&opts)))
                return;
        for (int i = 0; i < 5; i++)
                spawned += OK(green_greenpile_spawn(g, run, &numbers[i]));
        while ((rc = green_greenpile_next(g, &result, SOON)) == 1)
                got++;
        if (OK(rc))
                CHECK_INT(got, spawned);
        CHECK_INT(green_greenpile_free(g), 0);
}

/* ---- the scenarios, in alphabetical order */

#define SCENARIOS(X)                                                                                                   \
        X(having_tasks, ALTSTACK, FEWER)                                                                               \
        X(having_things, ALTSTACK, FEWER)                                                                              \
        X(mapping, ALTSTACK, FEWER)                                                                                    \
        X(piling, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

static void signals_without_end_disturb_nothing(void){SCENARIOS(FAULT_STORM_ROW)}

GREEN_SUITE(fault_pool) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
