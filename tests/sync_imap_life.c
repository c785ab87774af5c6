/*
 * Mappings: getting results, the end, kills, refusals, forks.
 */
#include "sync_imap.h"

GREEN_SUITE_INIT(imap_init)

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
        /* All its items run; or one waits for a slot. */
        for (int others = 0; others < 2; others++) {
                struct numbers n = {.last = 100};
                int pulled = 3 - others;
                green_imap *m;
                pid_t pid;

                pool_begin(3);
                for (int i = 0; i < 2 * others; i++)
                        CHECK_INT(green_greenpool_spawn_n(pool, stay, NULL), 0);
                items_dropped = 0;
                m = green_greenpool_imap(pool, stay, next_number, &n, &dropping);
                turns(3);
                CHECK_INT(n.pulled, pulled);
                pid = child_begin();
                if (pid == 0) {
                        for (int i = 0; i < pulled + 1; i++)
                                CHECK_INT(next(m), GREEN_EKILLED); /* the items and the input */
                        CHECK_INT(next(m), 0);
                        CHECK_INT(items_dropped, others);
                        CHECK_INT(green_imap_free(m), 0);
                        pool_end();
                        child_exit();
                }
                CHECK_INT(child_end(pid), 0);
                CHECK_INT(green_imap_free(m), 0);
                green_wake_all(&gate, 0);
                pool_end();
        }
}

GREEN_SUITE(sync_imap_life) {
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
        GREEN_SUITE_END
};
