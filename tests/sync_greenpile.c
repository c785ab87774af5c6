/*
 * Green piles: results in the order of the spawns.
 */
#include "sync_help.h"

static struct green_waitq gate;
static int dropped;

static void *
give_back(void *arg)
{
        return arg;
}

/* The earlier ones take longer. */
static void *
slowly(void *arg)
{
        for (int i = 9 - INT(arg) % 9; i > 0; i--)
                CHECK_INT(green_sleep(0), 0);
        return arg;
}

static void *
stay(void *arg)
{
        struct green_wait w;

        (void)!green_park(&gate, &w, GREEN_FOREVER);
        return arg;
}

static void *
fail_odd(void *arg)
{
        if (INT(arg) == 3)
                green_exit(green_fail(-EOVERFLOW));
        return INT(arg) % 2 == 1 ? green_fail(-INT(arg)) : arg;
}

static void
drop_result(void *result)
{
        CHECK(result != NULL);
        dropped++;
}

static int
next(green_greenpile *g)
{
        void *result = PTR(-1);
        int rc = green_greenpile_next(g, &result, SOON), failed;

        if (rc != 1)
                return rc;
        failed = green_failed(result);
        return failed != 0 ? failed : INT(result);
}

static green_greenpile *
pile_of(size_t size)
{
        const struct green_greenpile_opts opts = {.size = sizeof(opts), .pool_size = size, .drop_result = drop_result};

        return green_greenpile_new(&opts);
}

static green_greenpile *
pile_in(green_greenpool *pool)
{
        const struct green_greenpile_opts opts = {.size = sizeof(opts), .pool = pool, .drop_result = drop_result};

        return green_greenpile_new(&opts);
}

static void
spawn(green_greenpile *g, green_thread_fn fn, int arg)
{
        CHECK_INT(green_greenpile_spawn(g, fn, PTR(arg)), 0);
}

static void
setup(void)
{
        sync_setup();
        dropped = 0;
        CHECK_PTR(gate.first, NULL);
}

static void
init(void)
{
        sync_init();
        suite_setup = setup;
}

GREEN_SUITE_INIT(init)

static void
results_come_in_the_order_of_the_spawns(void)
{
        GREEN_COVERS("PILE-01", "PILE-02", "PILE-03", "PILE-08");
        for (size_t size = 0; size < 6; size++) {
                green_greenpile *g = size == 0 ? green_greenpile_new(NULL) : pile_of(size);

                CHECK_INT(next(g), 0); /* an empty one ends at once */
                for (int i = 1; i <= 30; i++)
                        spawn(g, slowly, i);
                for (int i = 1; i <= 30; i++)
                        CHECK_INT(next(g), i);
                CHECK_INT(next(g), 0);
                /* The end is only the end of what was spawned so far. */
                spawn(g, give_back, 31);
                CHECK_INT(next(g), 31);
                CHECK_INT(next(g), 0);
                CHECK_INT(green_greenpile_free(g), 0);
        }
        CHECK_INT(green_greenpile_free(NULL), 0);
}

static void
a_failure_comes_in_its_turn(void)
{
        GREEN_COVERS("PILE-04");
        green_greenpile *g = pile_of(2);

        for (int i = 1; i <= 5; i++)
                spawn(g, fail_odd, i);
        CHECK_INT(next(g), -1);
        CHECK_INT(next(g), 2);
        CHECK_INT(next(g), -EOVERFLOW);
        CHECK_INT(next(g), 4);
        CHECK_INT(next(g), -5);
        CHECK_INT(next(g), 0);
        CHECK_STR(log_text, "");
        CHECK_INT(green_greenpile_free(g), 0);
}

static void
many_piles_share_a_pool(void)
{
        GREEN_COVERS("PILE-01");
        green_greenpool *pool = green_greenpool_new(2);
        green_greenpile *g[3];

        for (int i = 0; i < 3; i++)
                g[i] = pile_in(pool);
        for (int k = 1; k <= 10; k++)
                for (int i = 0; i < 3; i++) {
                        spawn(g[i], slowly, 100 * i + k);
                        CHECK_RANGE(green_greenpool_running(pool), 1, 2);
                }
        CHECK_INT(green_greenpool_waitall(pool, SOON), 0);
        CHECK_INT(green_greenpool_free(pool), -EBUSY);
        for (int i = 2; i >= 0; i--) {
                for (int k = 1; k <= 10; k++)
                        CHECK_INT(next(g[i]), 100 * i + k);
                CHECK_INT(next(g[i]), 0);
                CHECK_INT(green_greenpile_free(g[i]), 0);
        }
        CHECK_INT(green_greenpool_free(pool), 0);
}

struct caller {
        green_greenpile *g;
        green_thread *gt;
        int rc, next;
        double limit;
        bool spawns;
};

static void *
caller_main(void *arg)
{
        struct caller *c = arg;
        struct green_timeout t = {{0}};
        void *result = NULL;

        CHECK_INT(green_timeout_start(&t, c->spawns ? c->limit : GREEN_FOREVER), 0);
        c->rc = c->spawns ? green_greenpile_spawn(c->g, stay, PTR(77)) : green_greenpile_next(c->g, &result, c->limit);
        (void)green_timeout_cancel(&t);
        if (!c->spawns && c->rc == 1)
                CHECK(INT(result) > 0);
        c->next = green_sleep(0);
        return NULL;
}

static void
caller_begin(struct caller *c, green_greenpile *g, bool spawns, double limit)
{
        *c = (struct caller){.g = g, .rc = 9, .limit = limit, .spawns = spawns};
        c->gt = green_spawn(caller_main, c);
        turns(2);
}

static void
caller_end(struct caller *c, int rc, int how)
{
        CHECK_INT(join(c->gt), how);
        CHECK_INT(c->rc, rc);
}

static void
a_spawn_that_gives_up_does_not_count(void)
{
        GREEN_COVERS("PILE-05");
        green_greenpile *g = pile_of(1);
        struct caller c[2];

        spawn(g, stay, 1);
        caller_begin(&c[0], g, true, 0.001);
        caller_begin(&c[1], g, true, GREEN_FOREVER);
        CHECK_INT(green_greenpile_free(g), -EBUSY);
        CHECK(reported("cannot be freed"));
        CHECK_INT(green_kill(c[1].gt, 0), 0);
        caller_end(&c[0], GREEN_ETIMEOUT, 0);
        caller_end(&c[1], GREEN_EKILLED, GREEN_EKILLED);
        green_wake_one(&gate, NULL);
        CHECK_INT(next(g), 1);
        CHECK_INT(next(g), 0);
        spawn(g, give_back, 2);
        CHECK_INT(next(g), 2);
        CHECK_INT(green_greenpile_free(g), 0);
}

static void
one_that_gives_up_takes_nothing_along(void)
{
        GREEN_COVERS("PILE-03", "PILE-06");
        green_greenpile *g = pile_of(2);
        struct caller c;
        void *result;

        caller_begin(&c, g, false, GREEN_FOREVER);
        caller_end(&c, 0, 0); /* another green thread, before anything was spawned */
        spawn(g, stay, 5);
        caller_begin(&c, g, false, GREEN_FOREVER);
        CHECK_INT(green_greenpile_next(g, &result, SOON), -EBUSY);
        CHECK_INT(green_greenpile_free(g), -EBUSY);
        CHECK_INT(green_kill(c.gt, 0), 0);
        caller_end(&c, GREEN_EKILLED, GREEN_EKILLED);
        caller_begin(&c, g, false, 0.001);
        caller_end(&c, -ETIMEDOUT, 0);
        CHECK_INT(green_greenpile_next(g, &result, 0), -ETIMEDOUT);
        caller_begin(&c, g, false, GREEN_FOREVER);
        green_wake_one(&gate, NULL);
        turns(1);
        /* Woken, and not run: it has the result, and the pile may go. */
        CHECK_INT(c.rc, 9);
        CHECK_INT(green_greenpile_free(g), 0);
        CHECK_INT(green_kill(c.gt, 0), 0);
        caller_end(&c, 1, GREEN_EKILLED);
        CHECK_INT(c.next, GREEN_EKILLED);
        CHECK_INT(dropped, 0);
}

static void
results_that_nobody_gets_are_dropped_when_the_pile_is_freed(void)
{
        GREEN_COVERS("PILE-07", "ISS-17");
        long blocks = atomic_load(&memory_blocks);

        /* Its own pool, or one that is shared; all have ended, or some run on. */
        for (int k = 0; k < 4; k++) {
                green_greenpool *pool = k < 2 ? NULL : green_greenpool_new(5);
                green_greenpile *g = pool == NULL ? pile_of(5) : pile_in(pool);

                dropped = 0;
                for (int i = 1; i <= 4; i++)
                        spawn(g, k % 2 == 0 || i % 2 == 0 ? give_back : stay, i);
                spawn(g, fail_odd, 5);
                turns(2);
                CHECK_INT(green_greenpile_free(g), 0);
                CHECK_INT(dropped, k % 2 == 0 ? 4 : 2);
                if (pool != NULL)
                        CHECK_INT(green_greenpool_running(pool), k % 2 == 0 ? 0 : 2);
                green_wake_all(&gate, 0);
                turns(1);
                CHECK_INT(dropped, 4);
                CHECK_INT(green_greenpool_free(pool), 0);
        }
        CHECK_RANGE(atomic_load(&memory_blocks) - blocks, -1, 1);
        CHECK_STR(log_text, "");
}

static green_greenpile *inner;
static green_greenpool *full;

static void *
spawn_inside(void *arg)
{
        for (int i = 1; i <= 3; i++)
                spawn(inner, i == 2 ? fail_odd : slowly, i == 2 ? 1 : i);
        CHECK_INT(next(inner), 1);
        CHECK_INT(next(inner), -1);
        CHECK_INT(next(inner), 3);
        CHECK_INT(next(inner), 0);
        return arg;
}

static void *
exit_inside(void *arg)
{
        (void)green_greenpile_spawn(inner, fail_odd, PTR(3));
        return arg;
}

static void
a_task_of_the_full_pool_runs_what_it_spawns(void)
{
        GREEN_COVERS("PILE-02");
        full = green_greenpool_new(1);
        inner = pile_in(full);
        CHECK_INT(join(green_greenpool_spawn(full, spawn_inside, PTR(1))), 0);
        /* One that ends inside: the pile does not wait for ever. */
        CHECK_INT(join(green_greenpool_spawn(full, exit_inside, PTR(1))), -EOVERFLOW);
        CHECK_INT(next(inner), GREEN_EKILLED);
        CHECK_INT(next(inner), 0);
        CHECK_INT(green_greenpile_free(inner), 0);
        CHECK_INT(green_greenpool_free(full), 0);
}

static void *
free_pile_inside(void *arg)
{
        CHECK_INT(green_greenpile_free(inner), 0);
        return arg;
}

static void *
spawn_the_end(void *arg)
{
        spawn(inner, free_pile_inside, 4);
        return arg;
}

static void
a_pile_may_be_freed_by_what_it_runs(void)
{
        full = green_greenpool_new(1);
        inner = pile_in(full);
        CHECK_INT(join(green_greenpool_spawn(full, spawn_the_end, PTR(1))), 0);
        CHECK_INT(dropped, 1);
        CHECK_INT(green_greenpool_free(full), 0);
        inner = pile_of(1);
        spawn(inner, free_pile_inside, 4);
        turns(2);
        CHECK_INT(dropped, 2);
}

static void *
get_own(void *arg)
{
        void *result;

        CHECK_INT(green_greenpile_next(inner, &result, SOON), -EDEADLK);
        return arg;
}

static void
use_in_callback(void *arg)
{
        void *result;

        CHECK_INT(green_greenpile_next(arg, &result, 0), -ETIMEDOUT);
        CHECK_INT(green_greenpile_next(arg, &result, 1), -EDEADLK);
        CHECK_INT(green_greenpile_spawn(arg, give_back, PTR(1)), -EDEADLK);
}

static void
use_in_thread(void *arg)
{
        struct green_greenpile_opts opts = {.size = sizeof(opts), .pool = full};
        void *result;

        CHECK_INT(green_greenpile_next(arg, &result, 0), -EPERM);
        CHECK_INT(green_greenpile_spawn(arg, give_back, NULL), -EPERM);
        CHECK_INT(green_greenpile_free(arg), -EPERM);
        CHECK_PTR(green_greenpile_new(&opts), NULL);
        CHECK_INT(errno, EPERM);
        CHECK_INT(green_hub_destroy(1), 0);
}

static void
misuse_is_told(void)
{
        struct green_greenpile_opts opts = {.size = 2};
        void *result = PTR(4);

        CHECK_PTR(green_greenpile_new(&opts), NULL);
        CHECK_INT(errno, EINVAL);
        inner = pile_of(1);
        CHECK_INT(green_greenpile_spawn(NULL, give_back, NULL), -EINVAL);
        CHECK_INT(green_greenpile_spawn(inner, NULL, NULL), -EINVAL);
        CHECK_INT(green_greenpile_next(NULL, &result, 0), -EINVAL);
        CHECK_INT(green_greenpile_next(inner, NULL, 0), -EINVAL);
        CHECK_INT(green_greenpile_next(inner, &result, -1), -EINVAL);
        CHECK_PTR(result, PTR(4));
        spawn(inner, get_own, 4);
        CHECK_INT(next(inner), 4);
        full = green_greenpool_new(1);
        in_thread(use_in_thread, inner);
        CHECK_INT(green_greenpool_free(full), 0);
        spawn(inner, stay, 4);
        turns(1);
        in_callback(use_in_callback, inner);
        green_wake_one(&gate, NULL);
        CHECK_INT(next(inner), 4);
        CHECK_INT(next(inner), 0);
        CHECK_INT(green_greenpile_free(inner), 0);
}

static void
without_memory_a_pile_is_as_before(void)
{
        green_greenpile *g = pile_of(2);
        green_thread *many[200];
        int made = 0, rc;

        CHECK_NEEDS_MEMORY(green_greenpile *, green_greenpile_new(NULL), green_greenpile_free);
        spawn(g, give_back, 1);
        spawn(g, give_back, 2);
        turns(2); /* their records are not free yet */
        CHECK_INT(green_run_task(NULL, give_back, NULL, GREEN_HERE, NULL), 0);
        /* No record; then a record, and no green thread. */
        memory_left = 0;
        CHECK_INT(green_greenpile_spawn(g, give_back, PTR(3)), -ENOMEM);
        while (made < 200 && green_run_task(NULL, give_back, NULL, GREEN_HERE, &many[made]) == 0)
                made++;
        memory_left = 1;
        CHECK_INT(green_greenpile_spawn(g, give_back, PTR(3)), -ENOMEM);
        memory_left = -1;
        while (made > 0)
                CHECK_INT(join(many[--made]), 0);
        rc = green_greenpile_spawn(g, give_back, PTR(3));
        CHECK_INT(rc, 0);
        for (int i = 1; i <= 3; i++)
                CHECK_INT(next(g), i);
        CHECK_INT(next(g), 0);
        CHECK_INT(green_greenpile_free(g), 0);
}

static void
in_the_child_of_a_fork_the_tasks_of_a_pile_were_killed(void)
{
        green_greenpile *g = pile_of(2);
        struct caller c;
        pid_t pid;

        spawn(g, stay, 1);
        spawn(g, give_back, 2);
        turns(1);
        spawn(g, stay, 3);
        caller_begin(&c, g, true, GREEN_FOREVER);
        pid = child_begin();
        if (pid == 0) {
                CHECK_INT(next(g), GREEN_EKILLED);
                CHECK_INT(next(g), 2);
                CHECK_INT(next(g), GREEN_EKILLED);
                CHECK_INT(next(g), 0);
                spawn(g, give_back, 4);
                CHECK_INT(next(g), 4);
                CHECK_INT(green_greenpile_free(g), 0);
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        for (int i = 0; i < 3; i++) {
                turns(2);
                green_wake_all(&gate, 0);
        }
        caller_end(&c, 0, 0);
        for (int i = 1; i <= 3; i++)
                CHECK_INT(next(g), i);
        CHECK_INT(next(g), 77);
        CHECK_INT(green_greenpile_free(g), 0);
}

GREEN_SUITE(sync_greenpile) {
        GREEN_TEST(results_come_in_the_order_of_the_spawns),
        GREEN_TEST(a_failure_comes_in_its_turn),
        GREEN_TEST(many_piles_share_a_pool),
        GREEN_TEST(a_spawn_that_gives_up_does_not_count),
        GREEN_TEST(one_that_gives_up_takes_nothing_along),
        GREEN_TEST(results_that_nobody_gets_are_dropped_when_the_pile_is_freed),
        GREEN_TEST(a_task_of_the_full_pool_runs_what_it_spawns),
        GREEN_TEST(a_pile_may_be_freed_by_what_it_runs),
        GREEN_TEST(misuse_is_told),
        GREEN_TEST(without_memory_a_pile_is_as_before),
        GREEN_TEST(in_the_child_of_a_fork_the_tasks_of_a_pile_were_killed),
        GREEN_SUITE_END
};
