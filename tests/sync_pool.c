/*
 * Pools of things: get, put, create that fails or blocks, resize, tokens.
 */
#include "sync_help.h"

#include <limits.h>

/* What create does. */
enum how { WELL, FAILS, BLOCKS };

struct maker {
        enum how how;
        int made, destroyed, making;
        int most; /* being made at a time */
        struct green_waitq gate;
};

static struct maker maker;

static int
create(void *arg, void **ret_item)
{
        struct maker *k = arg;
        struct green_wait w = {.value = NULL};
        int rc = 0;

        if (++k->making > k->most)
                k->most = k->making;
        if (k->how == BLOCKS) {
                rc = green_park(&k->gate, &w, GREEN_FOREVER);
                if (rc == 0 && w.value != NULL)
                        rc = -EIO;
        } else if (k->how == FAILS) {
                rc = -EIO;
        }
        k->making--;
        if (rc == 0)
                *ret_item = PTR(++k->made);
        return rc;
}

static void
destroy(void *arg, void *item)
{
        struct maker *k = arg;

        CHECK(item != NULL);
        k->destroyed++;
}

static green_pool *
new_pool(size_t min, size_t max, bool stack)
{
        const struct green_pool_opts opts = {.size = sizeof(opts),
                                             .min_size = min,
                                             .max_size = max,
                                             .order_as_stack = stack,
                                             .create = create,
                                             .destroy = destroy,
                                             .arg = &maker};

        return green_pool_new(&opts);
}

/* It is freed, and nothing that was made is left. */
static void
free_pool(green_pool *p)
{
        CHECK_INT(green_pool_free(p), 0);
        CHECK_INT(maker.destroyed, maker.made);
}

static int
get(green_pool *p)
{
        void *item = NULL;
        int rc = green_pool_get(p, &item, 0);

        return rc == 0 ? INT(item) : rc;
}

static void
put(green_pool *p, int item)
{
        CHECK_INT(green_pool_put(p, PTR(item)), 0);
}

static long
available(const green_pool *p)
{
        long n = -1000;

        CHECK_INT(green_pool_available(p, &n), 0);
        return n;
}

/* A green thread that gets one. */
struct getter {
        green_pool *pool;
        green_thread *gt;
        void *item;
        double timeout, scope;
        int rc, next;
        char letter;
};

static void *
getter_main(void *arg)
{
        struct getter *g = arg;
        struct green_timeout t = {{0}};

        CHECK_INT(green_timeout_start(&t, g->scope), 0);
        g->rc = green_pool_get(g->pool, &g->item, g->timeout);
        (void)green_timeout_cancel(&t);
        trace(g->letter);
        g->next = green_sleep(0);
        return NULL;
}

static void
getter_begin(struct getter *g, green_pool *p, char letter, double timeout, double scope)
{
        *g = (struct getter){.pool = p, .letter = letter, .timeout = timeout, .scope = scope, .rc = 9};
        g->gt = green_spawn(getter_main, g);
        turns(1);
}

static void
getter_end(struct getter *g, int rc, int how)
{
        CHECK_INT(join(g->gt), how);
        CHECK_INT(g->rc, rc);
}

static void
setup(void)
{
        sync_setup();
        maker = (struct maker){.how = WELL};
}

static void
init(void)
{
        sync_init();
        suite_setup = setup;
}

GREEN_SUITE_INIT(init)

/* ---- the ordinary */

static void
things_are_made_on_demand_up_to_the_limit(void)
{
        GREEN_COVERS("POOL-01", "POOL-03", "POOL-08", "POOL-17");
        green_pool *p = new_pool(0, 0, false);
        struct getter g[2];

        CHECK_INT(maker.made, 0);
        CHECK_INT(available(p), 4); /* eventlet's default */
        for (int i = 1; i <= 4; i++)
                CHECK_INT(get(p), i);
        CHECK_INT(available(p), 0);
        CHECK_INT(green_pool_size(p), 4);
        CHECK_INT(get(p), -ETIMEDOUT);
        getter_begin(&g[0], p, 'a', GREEN_FOREVER, GREEN_FOREVER);
        getter_begin(&g[1], p, 'b', GREEN_FOREVER, GREEN_FOREVER);
        CHECK_INT(green_pool_waiting(p), 2);
        CHECK_INT(green_pool_free(p), -EBUSY);
        CHECK(reported("cannot be freed"));
        put(p, 3);
        put(p, 1);
        /* They were handed over, so nobody gets them meanwhile. */
        CHECK_INT(get(p), -ETIMEDOUT);
        CHECK_INT(green_pool_waiting(p), 0);
        getter_end(&g[0], 0, 0);
        getter_end(&g[1], 0, 0);
        CHECK_PTR(g[0].item, PTR(3));
        CHECK_PTR(g[1].item, PTR(1));
        CHECK_TRACE("ab");
        for (int i = 1; i <= 4; i++)
                put(p, i);
        CHECK_INT(available(p), 4);
        CHECK_INT(maker.made, 4);
        free_pool(p);
        CHECK_INT(green_pool_free(NULL), 0);
}

static void
the_first_ones_are_made_with_the_pool(void)
{
        GREEN_COVERS("POOL-02", "POOL-17");
        green_pool *p = new_pool(2, 3, false);
        long blocks;

        CHECK_INT(maker.made, 2);
        CHECK_INT(green_pool_size(p), 2);
        CHECK_INT(available(p), 3);
        CHECK_INT(get(p), 1);
        put(p, 1);
        free_pool(p);
        /* One fails, those before it are destroyed. */
        for (maker.how = FAILS; maker.how <= BLOCKS; maker.how++) {
                struct green_timeout t = {{0}};

                blocks = atomic_load(&memory_blocks);
                CHECK_INT(green_timeout_start(&t, 0.001), 0);
                CHECK_PTR(new_pool(2, 3, false), NULL);
                CHECK_INT(errno, maker.how == FAILS ? EIO : -GREEN_ETIMEOUT);
                CHECK_INT(green_last_error()->code, -errno);
                CHECK_INT(green_timeout_cancel(&t), maker.how == BLOCKS);
                CHECK_INT(atomic_load(&memory_blocks), blocks);
        }
        CHECK_INT(maker.destroyed, maker.made);
}

static int
create_two(void *arg, void **ret_item)
{
        struct maker *k = arg;

        if (k->made == 2)
                return -ENOSPC;
        *ret_item = PTR(++k->made);
        return 0;
}

static void
where_the_third_cannot_be_made_the_first_two_are_destroyed(void)
{
        GREEN_COVERS("POOL-02", "POOL-17");
        struct green_pool_opts opts = {
                .size = sizeof(opts), .min_size = 3, .create = create_two, .destroy = destroy, .arg = &maker};

        CHECK_PTR(green_pool_new(&opts), NULL);
        CHECK_INT(errno, ENOSPC);
        CHECK_INT(maker.destroyed, 2);
}

static void
the_order_is_that_of_a_queue_or_of_a_stack(void)
{
        GREEN_COVERS("POOL-04");
        for (int stack = 0; stack < 2; stack++) {
                green_pool *p = new_pool(3, 3, stack == 1);
                int a[3];

                maker.made = maker.destroyed = 0;
                for (int i = 0; i < 3; i++)
                        a[i] = get(p);
                put(p, a[1]);
                put(p, a[0]);
                put(p, a[2]);
                CHECK_INT(get(p), stack ? a[2] : a[1]);
                put(p, stack ? a[2] : a[1]);
                CHECK_INT(get(p), stack ? a[2] : a[0]);
                put(p, stack ? a[2] : a[0]);
                CHECK_INT(green_pool_free(p), 0);
        }
}

static void *
use_for_a_block(void *arg)
{
        GREEN_POOL_ITEM(held, arg);

        CHECK_INT(held.rc, 0);
        CHECK_INT(available(arg), 0);
        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_EKILLED);
        return NULL;
}

static void
an_item_held_by_a_block_goes_back_at_its_end(void)
{
        GREEN_COVERS("POOL-14");
        green_pool *p = new_pool(0, 1, false);
        green_thread *gt = green_spawn(use_for_a_block, p);

        turns(1);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(available(p), 1);
        {
                GREEN_POOL_ITEM(held, p);

                CHECK_INT(held.rc, 0);
                CHECK_INT(green_pool_discard(p, held.item), 0);
                held.rc = 1;
        }
        CHECK_INT(green_pool_size(p), 0);
        maker.how = FAILS;
        {
                GREEN_POOL_ITEM(none, p);

                CHECK_INT(none.rc, -EIO);
        }
        free_pool(p);
}

/* ---- create */

static void
one_being_made_counts_already(void)
{
        GREEN_COVERS("POOL-05");
        green_pool *p = new_pool(0, 2, false);
        struct getter g[4];

        maker.how = BLOCKS;
        for (int i = 0; i < 4; i++)
                getter_begin(&g[i], p, (char)('a' + i), GREEN_FOREVER, GREEN_FOREVER);
        CHECK_INT(maker.making, 2);
        CHECK_INT(green_pool_size(p), 2);
        CHECK_INT(green_pool_waiting(p), 2);
        CHECK_INT(available(p), 0);
        CHECK_INT(get(p), -ETIMEDOUT);
        CHECK_INT(green_pool_free(p), -EBUSY);
        green_wake_all(&maker.gate, 0);
        turns(2);
        put(p, 1);
        put(p, 2);
        for (int i = 0; i < 4; i++)
                getter_end(&g[i], 0, 0);
        CHECK_INT(maker.most, 2);
        CHECK_INT(maker.made, 2);
        put(p, 1);
        put(p, 2);
        free_pool(p);
}

static void
where_create_fails_its_place_goes_to_the_one_that_has_waited_longest(void)
{
        GREEN_COVERS("POOL-06", "POOL-07", "ISS-15");
        /* It returns an error; it is killed; its time is over. */
        for (int why = 0; why < 3; why++) {
                green_pool *p = new_pool(0, 1, false);
                struct getter g[3];

                maker.how = BLOCKS;
                for (int i = 0; i < 3; i++)
                        getter_begin(&g[i], p, (char)('a' + i), GREEN_FOREVER,
                                     i == 0 && why == 2 ? 0.001 : GREEN_FOREVER);
                CHECK_INT(maker.making, 1);
                if (why == 0)
                        green_wake_one(&maker.gate, &maker);
                else if (why == 1)
                        CHECK_INT(green_kill(g[0].gt, -EPIPE), 0);
                else
                        CHECK_INT(green_sleep(0.005), 0);
                getter_end(&g[0], why == 0 ? -EIO : why == 1 ? -EPIPE : GREEN_ETIMEOUT, why == 1 ? -EPIPE : 0);
                turns(1);
                /* The second makes one now; the third still waits. */
                CHECK_INT(maker.making, 1);
                CHECK_INT(green_pool_size(p), 1);
                CHECK_INT(green_pool_waiting(p), 1);
                maker.how = FAILS;
                green_wake_one(&maker.gate, &maker);
                getter_end(&g[1], -EIO, 0);
                getter_end(&g[2], -EIO, 0);
                CHECK_INT(green_pool_size(p), 0);
                CHECK_INT(available(p), 1);
                maker.how = WELL;
                CHECK(get(p) > 0);
                put(p, maker.made);
                free_pool(p);
        }
}

static void
one_that_is_killed_with_a_place_makes_or_passes_it_on(void)
{
        GREEN_COVERS("POOL-07", "ISS-15");
        for (int blocks = 0; blocks < 2; blocks++) {
                green_pool *p = new_pool(0, 1, false);
                struct getter g[2];
                int first = get(p);

                getter_begin(&g[0], p, 'a', GREEN_FOREVER, GREEN_FOREVER);
                getter_begin(&g[1], p, 'b', GREEN_FOREVER, GREEN_FOREVER);
                maker.how = blocks ? BLOCKS : WELL;
                CHECK_INT(green_pool_discard(p, PTR(first)), 0);
                CHECK_INT(g[0].rc, 9);
                CHECK_INT(green_kill(g[0].gt, 0), 0);
                getter_end(&g[0], blocks ? GREEN_EKILLED : 0, GREEN_EKILLED);
                if (blocks) {
                        turns(1);
                        CHECK_INT(maker.making, 1);
                        green_wake_one(&maker.gate, NULL);
                } else {
                        put(p, INT(g[0].item));
                }
                getter_end(&g[1], 0, 0);
                put(p, INT(g[1].item));
                free_pool(p);
        }
}

static void
a_limit_does_not_count_create(void)
{
        GREEN_COVERS("POOL-05");
        green_pool *p = new_pool(0, 1, false);
        struct getter g;

        maker.how = BLOCKS;
        getter_begin(&g, p, 'a', 0.001, GREEN_FOREVER);
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(g.rc, 9);
        green_wake_one(&maker.gate, NULL);
        getter_end(&g, 0, 0);
        put(p, 1);
        free_pool(p);
}

static void
a_pool_without_create_says_so(void)
{
        GREEN_COVERS("POOL-13");
        struct green_pool_opts opts = {.size = sizeof(opts)};
        green_pool *p = green_pool_new(&opts);
        void *item;

        CHECK_INT(green_pool_get(p, &item, SOON), -ENOTSUP);
        CHECK_INT(green_pool_get(p, &item, 0), -ENOTSUP);
        CHECK_INT(green_pool_put(p, PTR(1)), -EALREADY);
        CHECK_INT(green_pool_free(p), 0);
        opts.min_size = 1;
        CHECK_PTR(green_pool_new(&opts), NULL);
        CHECK_INT(errno, ENOTSUP);
}

/* ---- put, discard, resize */

static void
after_getters_gave_up_an_item_stays_in_the_pool(void)
{
        GREEN_COVERS("POOL-11", "POOL-12");
        green_pool *p = new_pool(0, 1, false);
        struct getter g[2];
        int item = get(p);

        getter_begin(&g[0], p, 'a', 0.001, GREEN_FOREVER);
        getter_begin(&g[1], p, 'b', GREEN_FOREVER, 0.001);
        getter_end(&g[0], -ETIMEDOUT, 0);
        getter_end(&g[1], GREEN_ETIMEOUT, 0);
        put(p, item);
        CHECK_INT(available(p), 1);
        CHECK_INT(get(p), item);
        put(p, item);
        free_pool(p);
}

static void
after_shrinking_what_comes_back_is_destroyed(void)
{
        GREEN_COVERS("POOL-09", "POOL-08");
        green_pool *p = new_pool(0, 4, false);

        for (int i = 1; i <= 4; i++)
                CHECK_INT(get(p), i);
        put(p, 1);
        CHECK_INT(green_pool_resize(p, 2), 0);
        CHECK_INT(green_pool_size(p), 4); /* what is there stays */
        CHECK_INT(available(p), -1);
        put(p, 2);
        put(p, 3);
        CHECK_INT(maker.destroyed, 2);
        CHECK_INT(green_pool_size(p), 2);
        put(p, 4);
        CHECK_INT(maker.destroyed, 2);
        CHECK_INT(available(p), 2);
        CHECK_INT(get(p), 1);
        put(p, 1);
        free_pool(p);
}

static void
places_that_come_free_go_to_those_who_wait(void)
{
        GREEN_COVERS("POOL-10", "POOL-07");
        green_pool *p = new_pool(0, 2, false);
        struct getter g[4];

        CHECK_INT(get(p) + get(p), 3);
        for (int i = 0; i < 4; i++)
                getter_begin(&g[i], p, (char)('a' + i), GREEN_FOREVER, GREEN_FOREVER);
        CHECK_INT(green_pool_discard(p, PTR(1)), 0);
        getter_end(&g[0], 0, 0);
        CHECK_PTR(g[0].item, PTR(3));
        CHECK_INT(green_pool_resize(p, 4), 0);
        CHECK_INT(green_pool_waiting(p), 1);
        CHECK_INT(green_pool_size(p), 4);
        CHECK_INT(get(p), -ETIMEDOUT);
        getter_end(&g[1], 0, 0);
        getter_end(&g[2], 0, 0);
        /* Down, and one too many is destroyed before the next is handed over. */
        CHECK_INT(green_pool_resize(p, 3), 0);
        put(p, 2);
        CHECK_INT(maker.destroyed, 2);
        CHECK_INT(g[3].rc, 9);
        put(p, 3);
        getter_end(&g[3], 0, 0);
        CHECK_PTR(g[3].item, PTR(3));
        CHECK_TRACE("abcd");
        for (int i = 3; i <= 5; i++)
                put(p, i);
        free_pool(p);
}

static void
more_cannot_come_back_than_went_out(void)
{
        GREEN_COVERS("POOL-15");
        green_pool *p = new_pool(1, 2, false);

        CHECK_INT(green_pool_put(p, PTR(1)), -EALREADY);
        CHECK(reported("as many were put back"));
        CHECK_INT(green_pool_discard(p, PTR(1)), -EALREADY);
        CHECK_INT(get(p), 1);
        CHECK_INT(get(p), 2);
        put(p, 1);
        if (GREEN_DEBUG) {
                CHECK_INT(green_pool_put(p, PTR(1)), -EALREADY);
                CHECK(reported("in the pool already"));
        }
        put(p, 2);
        CHECK_INT(green_pool_put(p, PTR(2)), -EALREADY);
        CHECK_INT(available(p), 2);
        free_pool(p);
}

/* ---- tokens */

static void
tokens_are_permissions_without_content(void)
{
        GREEN_COVERS("POOL-16");
        green_pool *p = green_token_pool_new(2), *none = green_token_pool_new(0);
        void *a = NULL, *b = NULL, *c = NULL;

        CHECK_INT(green_pool_get(p, &a, SOON), 0);
        CHECK_INT(green_pool_get(p, &b, SOON), 0);
        CHECK_INT(green_pool_get(p, &c, 0), -ETIMEDOUT);
        CHECK(a != NULL && a == b && c == NULL);
        CHECK_INT(green_token_pool_create(NULL, &c), 0);
        CHECK_PTR(c, a);
        CHECK_INT(green_token_pool_create(NULL, NULL), -EINVAL);
        CHECK_INT(green_pool_put(p, a), 0);
        CHECK_INT(green_pool_put(p, b), 0);
        CHECK_INT(available(p), 2);
        CHECK_INT(green_pool_free(p), 0);
        CHECK_INT(green_pool_get(none, &c, 0), -ETIMEDOUT);
        CHECK_INT(green_pool_free(none), 0);
}

/* ---- refusals */

static void
use_in_callback(void *arg)
{
        green_pool *p = arg;

        CHECK_INT(get(p), 1);
        CHECK_INT(green_pool_get(p, &(void *){NULL}, GREEN_FOREVER), -EDEADLK);
        CHECK_INT(get(p), -ETIMEDOUT);
        put(p, 1);
}

static void
a_hub_callback_may_do_all_that_does_not_wait(void)
{
        green_pool *p = new_pool(0, 1, false);

        in_callback(use_in_callback, p);
        CHECK_INT(available(p), 1);
        free_pool(p);
}

static void
use_in_thread(void *arg)
{
        void *item;

        CHECK_INT(green_pool_get(arg, &item, 0), -EPERM);
        CHECK_INT(green_pool_put(arg, PTR(1)), -EPERM);
        CHECK_INT(green_pool_discard(arg, PTR(1)), -EPERM);
        CHECK_INT(green_pool_resize(arg, 1), -EPERM);
        CHECK_INT(green_hub_destroy(1), 0);
}

static void
free_in_thread(void *arg)
{
        CHECK_INT(green_pool_free(arg), 0);
}

static void
another_os_thread_may_only_free_it(void)
{
        green_pool *p = new_pool(1, 2, false);

        in_thread(use_in_thread, p);
        CHECK_INT(available(p), 2);
        in_thread(free_in_thread, p);
        CHECK_INT(maker.destroyed, 1);
}

static void
misuse_is_told(void)
{
        struct green_pool_opts opts = {.size = 1, .create = create};
        green_pool *p = new_pool(0, 1, false);
        void *item = PTR(7);
        long n = 7;

        CHECK_PTR(green_pool_new(NULL), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_pool_new(&opts), NULL);
        CHECK_PTR(new_pool(5, 4, false), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(new_pool(0, (size_t)LONG_MAX + 1, false), NULL);
        CHECK_INT(green_pool_get(NULL, &item, 0), -EINVAL);
        CHECK_INT(green_pool_get(p, NULL, 0), -EINVAL);
        CHECK_INT(green_pool_get(p, &item, -1), -EINVAL);
        CHECK_INT(green_pool_get(p, &item, NAN), -EINVAL);
        CHECK_PTR(item, PTR(7));
        CHECK_INT(green_pool_put(NULL, item), -EINVAL);
        CHECK_INT(green_pool_discard(NULL, item), -EINVAL);
        CHECK_INT(green_pool_resize(NULL, 1), -EINVAL);
        CHECK_INT(green_pool_available(NULL, &n), -EINVAL);
        CHECK_INT(green_pool_available(p, NULL), -EINVAL);
        CHECK_INT(n, 7);
        CHECK_INT(green_pool_size(NULL) + green_pool_waiting(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(green_pool_resize(p, SIZE_MAX), 0);
        CHECK_INT(available(p), LONG_MAX);
        CHECK_INT(maker.made, 0);
        free_pool(p);
}

static void
without_memory_a_place_is_not_lost(void)
{
        green_pool *p = new_pool(0, 1, false);

        CHECK_NEEDS_MEMORY(green_pool *, green_token_pool_new(1), green_pool_free);
        CHECK_NEEDS_MEMORY(green_pool *, new_pool(1, 1, false), green_pool_free);
        maker.made = maker.destroyed = 0;
        memory_left = 0;
        CHECK_INT(get(p), -ENOMEM);
        memory_left = -1;
        CHECK_INT(available(p), 1);
        CHECK_INT(get(p), 1);
        memory_left = 0;
        put(p, 1);
        memory_left = -1;
        free_pool(p);
}

/* ---- fork */

static void
in_the_child_of_a_fork_places_of_the_forgotten_are_free(void)
{
        green_pool *p = new_pool(0, 2, false);
        struct getter g[3];
        int first = get(p);
        pid_t pid;

        maker.how = BLOCKS;
        for (int i = 0; i < 3; i++)
                getter_begin(&g[i], p, (char)('a' + i), GREEN_FOREVER, GREEN_FOREVER);
        CHECK_INT(green_pool_discard(p, PTR(first)), 0); /* a place, to one that has not run */
        CHECK_INT(available(p), 0);
        pid = child_begin();
        if (pid == 0) {
                CHECK_INT(green_pool_waiting(p), 0);
                CHECK_INT(green_pool_size(p), 0);
                CHECK_INT(available(p), 2);
                maker.how = WELL;
                CHECK(get(p) > 0 && get(p) > 0);
                CHECK_INT(get(p), -ETIMEDOUT);
                put(p, 2);
                CHECK_INT(green_pool_free(p), 0);
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        turns(1);
        maker.how = WELL;
        green_wake_all(&maker.gate, 0);
        for (int i = 0; i < 3; i++) {
                getter_end(&g[i], 0, 0);
                put(p, INT(g[i].item));
        }
        free_pool(p);
}

static int
create_in_child(void *arg, void **ret_item)
{
        pid_t *pid = arg;

        *pid = child_begin();
        *ret_item = PTR(*pid == 0 ? 2 : 1);
        return 0;
}

static void
create_may_fork(void)
{
        pid_t pid = -1;
        struct green_pool_opts opts = {.size = sizeof(opts), .max_size = 1, .create = create_in_child, .arg = &pid};
        green_pool *p = green_pool_new(&opts);
        int item = get(p);

        CHECK_INT(green_pool_size(p), 1);
        CHECK_INT(available(p), 0);
        put(p, item);
        CHECK_INT(available(p), 1);
        CHECK_INT(green_pool_free(p), 0);
        if (pid == 0)
                child_exit();
        CHECK_INT(item, 1);
        CHECK_INT(child_end(pid), 0);
}

static void
all_pools_are_listed(void)
{
        struct green_pool_opts opts = {.size = sizeof(opts), .max_size = 3, .create = green_token_pool_create, .name = "seats"};
        green_greenpool *g = green_greenpool_new(5);
        green_pool *p = green_pool_new(&opts);
        char text[512], line[160], small[16];
        void *token;
        int len;

        GREEN_COVERS("BACK-13");
        CHECK_INT(green_pool_get(p, &token, 0), 0);
        snprintf(line, sizeof line, "\npool %p seats: 0 in it, 1 out, 0 being made, of 3; 0 wait\n", (void *)p);
        len = green_debug_format_pools(text, sizeof text);
        CHECK_INT(len, strlen(text));
        CHECK(strncmp(text, "POOLS:\n", 7) == 0 && strstr(text, line) != NULL);
        snprintf(line, sizeof line, "\ngreen pool %p: 0 run, of 5; 0 wait\n", (void *)g);
        CHECK(strstr(text, line) != NULL);
        CHECK_INT(green_debug_format_pools(small, sizeof small), len);
        CHECK(strncmp(small, text, sizeof small - 1) == 0);
        CHECK_INT(green_debug_format_pools(NULL, 0), len);
        CHECK_INT(green_pool_put(p, token), 0);
        CHECK_INT(green_pool_free(p), 0);
        CHECK_INT(green_greenpool_free(g), 0);
        green_debug_format_pools(text, sizeof text);
        CHECK(strstr(text, "seats") == NULL && strstr(text, line) == NULL);
}

GREEN_SUITE(sync_pool) {
        GREEN_TEST(all_pools_are_listed),
        GREEN_TEST(things_are_made_on_demand_up_to_the_limit),
        GREEN_TEST(the_first_ones_are_made_with_the_pool),
        GREEN_TEST(where_the_third_cannot_be_made_the_first_two_are_destroyed),
        GREEN_TEST(the_order_is_that_of_a_queue_or_of_a_stack),
        GREEN_TEST(an_item_held_by_a_block_goes_back_at_its_end),
        GREEN_TEST(one_being_made_counts_already),
        GREEN_TEST(where_create_fails_its_place_goes_to_the_one_that_has_waited_longest),
        GREEN_TEST(one_that_is_killed_with_a_place_makes_or_passes_it_on),
        GREEN_TEST(a_limit_does_not_count_create),
        GREEN_TEST(a_pool_without_create_says_so),
        GREEN_TEST(after_getters_gave_up_an_item_stays_in_the_pool),
        GREEN_TEST(after_shrinking_what_comes_back_is_destroyed),
        GREEN_TEST(places_that_come_free_go_to_those_who_wait),
        GREEN_TEST(more_cannot_come_back_than_went_out),
        GREEN_TEST(tokens_are_permissions_without_content),
        GREEN_TEST(a_hub_callback_may_do_all_that_does_not_wait),
        GREEN_TEST(another_os_thread_may_only_free_it),
        GREEN_TEST(misuse_is_told),
        GREEN_TEST(without_memory_a_place_is_not_lost),
        GREEN_TEST(in_the_child_of_a_fork_places_of_the_forgotten_are_free),
        GREEN_TEST(create_may_fork),
        GREEN_SUITE_END
};
