/*
 * Mapping over an input in the slots of a green pool.
 */
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

static int
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

static void
begin(void)
{
        ran++;
        if (++inside > most)
                most = inside;
}

static void *
twice(void *arg)
{
        begin();
        inside--;
        return PTR(2 * INT(arg));
}

/* Yields, the earlier ones more often: they end in another order. */
static void *
twice_slowly(void *arg)
{
        begin();
        for (int i = 7 - INT(arg) % 7; i > 0; i--)
                CHECK_INT(green_sleep(0), 0);
        inside--;
        return PTR(2 * INT(arg));
}

static void *
stay(void *arg)
{
        struct green_wait w;
        int rc;

        begin();
        rc = green_park(&gate, &w, GREEN_FOREVER);
        inside--;
        return rc == -EOWNERDEAD ? green_fail(rc) : PTR(2 * INT(arg));
}

static void *
fail_odd(void *arg)
{
        ran++;
        if (INT(arg) == 3)
                green_exit(green_fail(-EOVERFLOW));
        return INT(arg) % 2 == 1 ? green_fail(-INT(arg)) : arg;
}

static void
drop_item(void *item)
{
        CHECK(item != NULL);
        items_dropped++;
}

static void
drop_result(void *result)
{
        CHECK(result != NULL);
        results_dropped++;
}

static const struct green_imap_opts dropping = {
        .size = sizeof(dropping), .drop_item = drop_item, .drop_result = drop_result};

static int
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

static void
setup(void)
{
        sync_setup();
        ran = inside = most = items_dropped = results_dropped = 0;
        CHECK_PTR(gate.first, NULL);
        CHECK_PTR(input_gate.first, NULL);
}

static void
init(void)
{
        sync_init();
        suite_setup = setup;
}

GREEN_SUITE_INIT(init)

static void
pool_begin(size_t size)
{
        pool = green_greenpool_new(size);
}

static void
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

/* ---- the ordinary */

static void
results_come_in_the_order_of_the_input(void)
{
        GREEN_COVERS("GPOOL-14");
        static const size_t sizes[] = {1, 3, 10, 100};

        for (int k = 0; k < 8; k++) {
                struct numbers n = {.last = 50};
                green_imap *m;

                pool_begin(sizes[k / 2]);
                most = 0;
                m = k % 2 == 0 ? green_greenpool_imap(pool, twice_slowly, next_number, &n, NULL)
                               : green_greenpool_starmap(pool, twice_slowly, next_number, &n, NULL);
                CHECK_INT(n.pulled, 0); /* it begins when the caller yields */
                for (int i = 1; i <= 50; i++)
                        CHECK_INT(next(m), 2 * i);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(next(m), 0);
                CHECK_INT(green_imap_free(m), 0);
                CHECK_RANGE(most, sizes[k / 2] < 7 ? sizes[k / 2] : 2, sizes[k / 2]);
                pool_end();
        }
        CHECK_INT(green_imap_free(NULL), 0);
}

static void
no_more_items_are_pulled_than_the_pool_has_slots(void)
{
        GREEN_COVERS("GPOOL-14");
        struct numbers n = {.last = 1000};
        green_imap *m;

        pool_begin(5);
        m = green_greenpool_imap(pool, twice, next_number, &n, NULL);
        for (int i = 1; i <= 100; i++) {
                turns(5);
                CHECK_INT(n.pulled, 5 + i - 1);
                CHECK_INT(green_greenpool_running(pool), 0); /* results that wait hold no slot */
                CHECK_INT(next(m), 2 * i);
        }
        /* A smaller pool, and a larger one. */
        CHECK_INT(green_greenpool_resize(pool, 2), 0);
        for (int i = 101; i <= 110; i++) {
                CHECK_INT(next(m), 2 * i);
                turns(5);
                CHECK_INT(n.pulled, i < 103 ? 105 : i + 2);
        }
        CHECK_INT(green_greenpool_resize(pool, 20), 0);
        CHECK_INT(next(m), 222);
        turns(30);
        CHECK_INT(n.pulled, 111 + 20);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

static long
mapped_blocks(int items)
{
        struct numbers n = {.last = items};
        green_imap *m = green_greenpool_imap(pool, twice, next_number, &n, NULL);
        long most_blocks = 0;

        for (int i = 1; i <= items; i++) {
                if (next(m) != 2 * i) {
                        FAIL("item %d", i);
                        break;
                }
                if (atomic_load(&memory_blocks) > most_blocks)
                        most_blocks = atomic_load(&memory_blocks);
        }
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        return most_blocks;
}

static void
memory_does_not_grow_with_the_input(void)
{
        GREEN_COVERS("GPOOL-14", "ISS-17");
        long few, many;

        pool_begin(10);
        few = mapped_blocks(100);
        many = mapped_blocks((int)(100000 / suite_slow()));
        CHECK_INT(many, few);
        pool_end();
}

static void
a_failure_comes_in_its_turn_and_the_mapping_goes_on(void)
{
        GREEN_COVERS("GPOOL-15", "ISS-16");
        struct numbers n = {.last = 6};
        green_imap *m;

        pool_begin(2);
        m = green_greenpool_imap(pool, fail_odd, next_number, &n, NULL);
        CHECK_INT(next(m), -1);
        CHECK_INT(next(m), 2);
        CHECK_INT(next(m), -EOVERFLOW);
        CHECK_INT(next(m), 4);
        CHECK_INT(next(m), -5);
        CHECK_INT(next(m), 6);
        CHECK_INT(next(m), 0);
        CHECK_STR(log_text, "");
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

static int
next_null(void *arg, void **ret_item)
{
        *ret_item = NULL;
        return --*(int *)arg >= 0;
}

static void
without_a_function_results_are_the_items(void)
{
        GREEN_COVERS("GPOOL-16", "GPOOL-19");
        struct numbers n = {.last = 3}, none = {.last = 0};
        int nulls = 2;
        green_imap *m;
        void *result = PTR(1);

        pool_begin(1);
        m = green_greenpool_imap(pool, NULL, next_number, &n, NULL);
        for (int i = 1; i <= 3; i++)
                CHECK_INT(next(m), i);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        m = green_greenpool_imap(pool, twice, next_number, &none, NULL);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        /* No value ends a mapping. */
        m = green_greenpool_imap(pool, NULL, next_null, &nulls, NULL);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(green_imap_next(m, &result, SOON), 1);
                CHECK_PTR(result, NULL);
        }
        CHECK_INT(green_imap_next(m, &result, SOON), 0);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

static void *
add_both(void *arg)
{
        void **items = arg;
        int sum = INT(items[0]) + INT(items[1]);

        green_free(items);
        return PTR(sum);
}

static void
several_inputs_are_zipped_and_the_shortest_ends_them(void)
{
        GREEN_COVERS("GPOOL-16");
        struct numbers n[2] = {{.last = 100}, {.last = 103, .next = 100}};
        green_iter_fn fns[2] = {next_number, next_number};
        void *args[2] = {&n[0], &n[1]}, *item = NULL;
        struct green_zip zip = {2, fns, args}, empty = {0, NULL, NULL};
        long blocks;
        green_imap *m;

        pool_begin(4);
        m = green_greenpool_starmap(pool, add_both, green_zip_next, &zip, NULL);
        for (int i = 1; i <= 3; i++)
                CHECK_INT(next(m), 100 + 2 * i);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
        CHECK_INT(green_zip_next(&empty, &item), 0);
        CHECK_INT(green_zip_next(NULL, &item), -EINVAL);
        CHECK_INT(green_zip_next(&zip, NULL), -EINVAL);
        zip.next = NULL;
        CHECK_INT(green_zip_next(&zip, &item), -EINVAL);
        zip.next = fns;
        n[0] = (struct numbers){.last = 9};
        n[1] = (struct numbers){.last = 0, .code = -EIO};
        blocks = atomic_load(&memory_blocks);
        memory_left = 0;
        CHECK_INT(green_zip_next(&zip, &item), -ENOMEM);
        memory_left = -1;
        CHECK_INT(green_zip_next(&zip, &item), -EIO);
        CHECK_INT(atomic_load(&memory_blocks), blocks);
        CHECK_PTR(item, NULL);
}

/* ---- the input */

static void
an_error_of_the_input_comes_once_after_what_was_before_it(void)
{
        GREEN_COVERS("GPOOL-18", "ISS-16");
        for (int items = 0; items < 3; items++) {
                struct numbers n = {.last = items, .code = -EIO};
                green_imap *m;

                pool_begin(4);
                m = green_greenpool_imap(pool, twice, next_number, &n, NULL);
                for (int i = 1; i <= items; i++)
                        CHECK_INT(next(m), 2 * i);
                CHECK_INT(next(m), -EIO);
                CHECK_INT(next(m), 0);
                CHECK_INT(next(m), 0);
                CHECK_INT(green_imap_free(m), 0);
                pool_end();
        }
}

static int
exit_at_once(void *arg, void **ret_item)
{
        (void)ret_item;
        green_exit(arg == NULL ? NULL : green_fail(INT(arg)));
}

static void
an_input_whose_green_thread_ends_has_ended(void)
{
        GREEN_COVERS("GPOOL-18");
        for (int i = 0; i < 2; i++) {
                green_imap *m;

                pool_begin(1);
                m = green_greenpool_imap(pool, twice, exit_at_once, i == 0 ? NULL : PTR(-EIO), NULL);
                CHECK_INT(next(m), i == 0 ? 0 : -EIO);
                CHECK_INT(next(m), 0);
                CHECK_INT(green_imap_free(m), 0);
                pool_end();
        }
}

static void
the_input_may_block(void)
{
        GREEN_COVERS("GPOOL-20");
        struct numbers n = {.last = 2, .waits = true};
        void *result = NULL;
        green_imap *m;

        pool_begin(2);
        m = green_greenpool_imap(pool, twice, next_number, &n, NULL);
        CHECK_INT(green_imap_next(m, &result, 0.001), -ETIMEDOUT);
        CHECK_INT(green_imap_next(m, &result, 0), -ETIMEDOUT);
        for (int i = 1; i <= 2; i++) {
                green_wake_one(&input_gate, NULL);
                CHECK_INT(next(m), 2 * i);
                CHECK_INT(green_imap_next(m, &result, 0), -ETIMEDOUT);
        }
        turns(1);
        green_wake_one(&input_gate, NULL);
        CHECK_INT(next(m), 0);
        CHECK(n.by != green_getcurrent());
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

/* ---- the pool */

static void
items_hold_slots_of_the_pool_itself(void)
{
        GREEN_COVERS("GPOOL-17", "ISS-16");
        struct numbers n = {.last = 5};
        green_imap *m;

        pool_begin(2);
        CHECK_INT(green_greenpool_spawn_n(pool, stay, PTR(50)), 0);
        m = green_greenpool_imap(pool, stay, next_number, &n, NULL);
        turns(5);
        CHECK_INT(inside, 2);
        CHECK_INT(green_greenpool_running(pool), 2);
        CHECK_INT(green_greenpool_waiting(pool), 1); /* the next item */
        CHECK_INT(green_greenpool_waitall(pool, 0), -ETIMEDOUT);
        CHECK_INT(green_greenpool_free(pool), -EBUSY);
        for (int i = 0; i < 6; i++) {
                if (i > 0)
                        CHECK(i < 2 || next(m) == 2 * (i - 1));
                green_wake_one(&gate, NULL);
                turns(4);
                CHECK_RANGE(inside, 0, 2);
        }
        CHECK_INT(next(m), 10);
        CHECK_INT(next(m), 0);
        CHECK_INT(most, 2);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

/* A task that maps in its own pool. */
static void *
map_inside(void *arg)
{
        struct numbers n = {.last = 20};
        green_imap *m = green_greenpool_imap(pool, twice_slowly, next_number, &n, NULL);

        for (int i = 1; i <= 20; i++)
                CHECK_INT(next(m), 2 * i);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        return arg;
}

static void
a_task_that_maps_in_its_full_pool_runs_the_items_itself(void)
{
        GREEN_COVERS("GPOOL-17");
        for (size_t size = 1; size < 4; size++) {
                green_thread *gt[3];

                pool_begin(size);
                most = 0;
                for (int i = 0; i < 3; i++)
                        gt[i] = green_greenpool_spawn(pool, map_inside, NULL);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(join(gt[i]), 0);
                pool_end();
                CHECK_RANGE(most, 1, (int)size);
        }
        CHECK_INT(ran, 3 * 3 * 20);
}

/* One that waits already when the item is pulled; and one that comes when the item waits for a slot. */
static void *
map_slow_input(void *arg)
{
        struct numbers n = {.last = 2, .waits = true};
        green_imap *m = green_greenpool_imap(pool, arg == NULL ? twice : fail_odd, next_number, &n, NULL);
        void *result = NULL;

        CHECK_INT(next(m), arg == NULL ? 2 : -1);
        CHECK_INT(n.pulled, 1);
        green_wake_one(&input_gate, NULL);
        turns(2);
        CHECK_INT(green_greenpool_waiting(pool), 1);
        CHECK_INT(green_imap_next(m, &result, 0), -ETIMEDOUT); /* asks, and runs nothing */
        CHECK_INT(next(m), arg == NULL ? 4 : 2);
        CHECK_INT(green_greenpool_waiting(pool), 0);
        CHECK_INT(green_greenpool_running(pool), 1);
        turns(1);
        green_wake_one(&input_gate, NULL);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        return NULL;
}

static void
it_does_so_before_and_after_the_item_has_been_pulled(void)
{
        GREEN_COVERS("GPOOL-17");
        for (int fails = 0; fails < 2; fails++) {
                green_thread *gt;

                pool_begin(1);
                gt = green_greenpool_spawn(pool, map_slow_input, fails ? PTR(1) : NULL);
                turns(3);
                CHECK_INT(ran, 2 * fails);
                green_wake_one(&input_gate, NULL);
                CHECK_INT(join(gt), 0);
                pool_end();
        }
}

/* ---- getting */

struct getter {
        green_imap *m;
        green_thread *gt;
        int rc, next;
        double timeout;
        void *result;
};

static void *
getter_main(void *arg)
{
        struct getter *g = arg;

        g->rc = green_imap_next(g->m, &g->result, g->timeout);
        g->next = green_sleep(0);
        return NULL;
}

static void
getter_begin(struct getter *g, green_imap *m, double timeout)
{
        *g = (struct getter){.m = m, .rc = 9, .timeout = timeout};
        g->gt = green_spawn(getter_main, g);
        turns(4);
}

static void
one_that_gives_up_takes_nothing_along(void)
{
        GREEN_COVERS("GPOOL-14");
        struct numbers n = {.last = 2};
        struct getter g;
        green_imap *m;
        void *result = NULL;

        pool_begin(2);
        m = green_greenpool_imap(pool, stay, next_number, &n, NULL);
        getter_begin(&g, m, GREEN_FOREVER);
        CHECK_INT(green_imap_next(m, &result, SOON), -EBUSY);
        CHECK(reported("another green thread waits"));
        CHECK_INT(green_imap_free(m), -EBUSY);
        CHECK_INT(green_kill(g.gt, 0), 0);
        CHECK_INT(join(g.gt), GREEN_EKILLED);
        CHECK_INT(g.rc, GREEN_EKILLED);
        getter_begin(&g, m, 0.001);
        CHECK_INT(join(g.gt), 0);
        CHECK_INT(g.rc, -ETIMEDOUT);
        /* Woken and then killed: it has the result, and the next call fails. */
        getter_begin(&g, m, GREEN_FOREVER);
        green_wake_one(&gate, NULL);
        turns(1);
        CHECK_INT(g.rc, 9);
        CHECK_INT(green_kill(g.gt, 0), 0);
        CHECK_INT(join(g.gt), GREEN_EKILLED);
        CHECK_INT(g.rc, 1);
        CHECK_PTR(g.result, PTR(2));
        CHECK_INT(g.next, GREEN_EKILLED);
        green_wake_one(&gate, NULL);
        CHECK_INT(next(m), 4);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

static void
a_mapping_may_be_freed_when_its_getter_was_woken(void)
{
        struct numbers n = {.last = 1}, none = {.last = 0, .code = -EIO, .waits = true};
        struct getter g;
        green_imap *m;

        pool_begin(1);
        m = green_greenpool_imap(pool, stay, next_number, &n, NULL);
        getter_begin(&g, m, GREEN_FOREVER);
        green_wake_one(&gate, NULL);
        turns(1);
        CHECK_INT(g.rc, 9);
        CHECK_INT(green_imap_free(m), 0);
        CHECK_INT(join(g.gt), 0);
        CHECK_INT(g.rc, 1);
        m = green_greenpool_imap(pool, twice, next_number, &none, NULL);
        getter_begin(&g, m, GREEN_FOREVER);
        green_wake_one(&input_gate, NULL);
        turns(1);
        CHECK_INT(green_imap_free(m), 0);
        CHECK_INT(join(g.gt), 0);
        CHECK_INT(g.rc, -EIO);
        pool_end();
}

static void *
killed_before(void *arg)
{
        void *result = NULL;

        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_imap_next(arg, &result, GREEN_FOREVER), GREEN_EKILLED);
        CHECK_INT(green_imap_next(arg, &result, 0), 1); /* it only asks */
        green_shield_begin();
        CHECK_INT(green_imap_next(arg, &result, GREEN_FOREVER), 1);
        green_shield_end();
        return NULL;
}

static void
a_kill_is_seen_before_anything_is_taken(void)
{
        struct numbers n = {.last = 2};
        green_imap *m;

        pool_begin(1);
        m = green_greenpool_imap(pool, twice, next_number, &n, NULL);
        turns(4);
        CHECK_INT(join(green_spawn(killed_before, m)), GREEN_EKILLED);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

/* ---- the end */

static void
freeing_kills_what_runs_and_drops_what_nobody_got(void)
{
        GREEN_COVERS("GPOOL-17", "ISS-17");
        /* After so many turns; the pool is full from outside or not. */
        for (int t = 0; t < 24; t++) {
                struct numbers n = {.last = 100, .waits = t >= 12};
                int others = t % 2, got = 0;
                green_imap *m;

                items_dropped = results_dropped = ran = 0;
                pool_begin(3);
                for (int i = 0; i < 2 * others; i++)
                        CHECK_INT(green_greenpool_spawn_n(pool, stay, PTR(100)), 0);
                m = green_greenpool_imap(pool, t % 4 < 2 ? stay : twice, next_number, &n, &dropping);
                turns(t % 12 / 2);
                green_wake_one(&input_gate, NULL);
                turns(t % 3);
                if (t % 5 == 0 && t % 4 >= 2) {
                        void *result;

                        got = green_imap_next(m, &result, 0) == 1;
                }
                CHECK_INT(green_imap_free(m), 0);
                CHECK_INT(green_greenpool_running(pool), 2 * others);
                CHECK_INT(items_dropped + results_dropped + got, n.pulled);
                green_wake_all(&gate, 0);
                turns(2);
                pool_end();
        }
}

static void *
stay_shielded(void *arg)
{
        void *result;

        green_shield_begin();
        result = stay(arg);
        green_shield_end();
        return result;
}

static int freed;

static void *
free_it(void *arg)
{
        freed = green_imap_free(arg);
        return NULL;
}

static void
freeing_waits_shielded_for_what_does_not_end_at_once(void)
{
        struct numbers n = {.last = 1};
        green_thread *gt;
        green_imap *m;
        void *result;

        pool_begin(1);
        m = green_greenpool_imap(pool, stay_shielded, next_number, &n, &dropping);
        turns(3);
        freed = 9;
        gt = green_spawn(free_it, m);
        turns(2);
        CHECK_INT(freed, 9);
        CHECK_INT(green_imap_next(m, &result, SOON), -EBUSY);
        CHECK_INT(green_imap_free(m), -EBUSY);
        CHECK_INT(green_kill(gt, 0), 0);
        turns(2);
        CHECK_INT(freed, 9);
        green_wake_one(&gate, NULL);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(freed, 0);
        CHECK_INT(results_dropped, 1);
        CHECK_INT(items_dropped, 0);
        pool_end();
}

static green_imap *itself;

static void *
free_own(void *arg)
{
        CHECK_INT(green_imap_free(itself), -EDEADLK);
        return arg;
}

static int
free_own_input(void *arg, void **ret_item)
{
        CHECK_INT(green_imap_free(itself), -EDEADLK);
        *ret_item = PTR(8);
        return (*(int *)arg)++ == 0;
}

static void
what_runs_for_a_mapping_cannot_free_it(void)
{
        int calls = 0;

        pool_begin(1);
        itself = green_greenpool_imap(pool, free_own, free_own_input, &calls, NULL);
        CHECK_INT(next(itself), 8);
        CHECK_INT(next(itself), 0);
        CHECK_INT(green_imap_free(itself), 0);
        pool_end();
}

static void
items_that_are_killed_with_the_pool_come_in_their_turn(void)
{
        GREEN_COVERS("ISS-13", "GPOOL-15");
        struct numbers n = {.last = 4};
        green_imap *m;

        pool_begin(2);
        m = green_greenpool_imap(pool, stay, next_number, &n, &dropping);
        turns(3);
        CHECK_INT(ran, 2);
        CHECK_INT(green_greenpool_kill(pool, -EPIPE), 2);
        CHECK_INT(next(m), -EPIPE);
        turns(3);
        CHECK_INT(next(m), -EPIPE);
        CHECK_INT(results_dropped, 2); /* they had returned something, which the kill made void */
        turns(3);
        CHECK_INT(ran, 4); /* it goes on */
        green_wake_all(&gate, 0);
        CHECK_INT(next(m), 6);
        CHECK_INT(next(m), 8);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

static void
an_item_that_never_started_is_dropped_and_told(void)
{
        struct numbers n = {.last = 1};
        green_imap *m;

        pool_begin(1);
        m = green_greenpool_imap(pool, stay, next_number, &n, &dropping);
        turns(1); /* pulled and spawned */
        CHECK_INT(n.pulled, 1);
        CHECK_INT(ran, 0);
        CHECK_INT(green_greenpool_kill(pool, 0), 1);
        CHECK_INT(items_dropped, 1);
        CHECK_INT(next(m), GREEN_EKILLED);
        CHECK_INT(next(m), 0);
        CHECK_INT(green_imap_free(m), 0);
        CHECK_INT(items_dropped + results_dropped, 1);
        pool_end();
}

/* ---- refusals */

static void
use_in_callback(void *arg)
{
        void *result;

        CHECK_INT(green_imap_next(arg, &result, 1), -EDEADLK);
        CHECK_INT(green_imap_next(arg, &result, 0), -ETIMEDOUT);
        CHECK_INT(green_imap_free(arg), -EDEADLK);
}

static void
use_in_thread(void *arg)
{
        void *result;

        CHECK_INT(green_imap_next(arg, &result, 0), -EPERM);
        CHECK_INT(green_imap_free(arg), -EPERM);
        CHECK_PTR(green_greenpool_imap(pool, twice, next_number, NULL, NULL), NULL);
        CHECK_INT(errno, EPERM);
        CHECK_INT(green_hub_destroy(1), 0);
}

static void
misuse_is_told(void)
{
        struct numbers n = {.last = 1};
        struct green_imap_opts opts = {.size = 1};
        void *result = PTR(3);
        green_imap *m;

        pool_begin(1);
        CHECK_PTR(green_greenpool_imap(NULL, twice, next_number, &n, NULL), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_greenpool_imap(pool, twice, NULL, &n, NULL), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_greenpool_starmap(pool, twice, next_number, &n, &opts), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_imap_next(NULL, &result, 0), -EINVAL);
        m = green_greenpool_imap(pool, stay, next_number, &n, NULL);
        CHECK_INT(green_imap_next(m, NULL, 0), -EINVAL);
        CHECK_INT(green_imap_next(m, &result, -1), -EINVAL);
        turns(3);
        in_callback(use_in_callback, m);
        in_thread(use_in_thread, m);
        CHECK_PTR(result, PTR(3));
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

static void
without_memory_nothing_is_lost(void)
{
        struct numbers n = {.last = 1};
        green_imap *m = NULL;

        pool_begin(1);
        for (int enough = 0; m == NULL && enough < 5; enough++) {
                memory_left = enough;
                m = green_greenpool_imap(pool, twice, next_number, &n, &dropping);
                memory_left = -1;
                CHECK(m != NULL || errno == ENOMEM);
        }
        memory_left = 0;
        turns(2); /* no record for an item: the input ends with that */
        memory_left = -1;
        CHECK_INT(next(m), -ENOMEM);
        CHECK_INT(next(m), 0);
        CHECK_INT(n.pulled, 0);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

static void
in_the_child_of_a_fork_a_mapping_has_ended(void)
{
        struct numbers n = {.last = 100};
        green_imap *m;
        pid_t pid;

        pool_begin(3);
        m = green_greenpool_imap(pool, stay, next_number, &n, NULL);
        turns(3);
        pid = child_begin();
        if (pid == 0) {
                for (int i = 0; i < 3; i++)
                        CHECK_INT(next(m), GREEN_EKILLED);
                CHECK_INT(next(m), GREEN_EKILLED);
                CHECK_INT(next(m), 0);
                CHECK_INT(green_imap_free(m), 0);
                pool_end();
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        CHECK_INT(green_imap_free(m), 0);
        pool_end();
}

GREEN_SUITE(sync_imap){GREEN_TEST(results_come_in_the_order_of_the_input),
                       GREEN_TEST(no_more_items_are_pulled_than_the_pool_has_slots),
                       GREEN_TEST(memory_does_not_grow_with_the_input),
                       GREEN_TEST(a_failure_comes_in_its_turn_and_the_mapping_goes_on),
                       GREEN_TEST(without_a_function_results_are_the_items),
                       GREEN_TEST(several_inputs_are_zipped_and_the_shortest_ends_them),
                       GREEN_TEST(an_error_of_the_input_comes_once_after_what_was_before_it),
                       GREEN_TEST(an_input_whose_green_thread_ends_has_ended),
                       GREEN_TEST(the_input_may_block),
                       GREEN_TEST(items_hold_slots_of_the_pool_itself),
                       GREEN_TEST(a_task_that_maps_in_its_full_pool_runs_the_items_itself),
                       GREEN_TEST(it_does_so_before_and_after_the_item_has_been_pulled),
                       GREEN_TEST(one_that_gives_up_takes_nothing_along),
                       GREEN_TEST(a_mapping_may_be_freed_when_its_getter_was_woken),
                       GREEN_TEST(a_kill_is_seen_before_anything_is_taken),
                       GREEN_TEST(freeing_kills_what_runs_and_drops_what_nobody_got),
                       GREEN_TEST(freeing_waits_shielded_for_what_does_not_end_at_once),
                       GREEN_TEST(what_runs_for_a_mapping_cannot_free_it),
                       GREEN_TEST(items_that_are_killed_with_the_pool_come_in_their_turn),
                       GREEN_TEST(an_item_that_never_started_is_dropped_and_told),
                       GREEN_TEST(misuse_is_told),
                       GREEN_TEST(without_memory_nothing_is_lost),
                       GREEN_TEST(in_the_child_of_a_fork_a_mapping_has_ended),
                       GREEN_SUITE_END};
