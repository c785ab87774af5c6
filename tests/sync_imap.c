/*
 * Mapping over an input in the slots of a green pool.
 */
#include "sync_imap.h"

GREEN_SUITE_INIT(imap_init)

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

GREEN_SUITE(sync_imap) {
        GREEN_TEST(results_come_in_the_order_of_the_input),
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
        GREEN_SUITE_END
};
