/*
 * Barriers and metaphores. What all waits have in common is in sync_wait.c.
 */
#include "sync_help.h"

#include <limits.h>

GREEN_SUITE_INIT(sync_init)

/* ---- barriers */

static int
come(void *b, double timeout)
{
        return green_barrier_wait(b, timeout);
}

static void
all_go_on_when_the_last_has_come_and_the_barrier_is_as_new(void)
{
        green_barrier *b = green_barrier_new(3);
        struct waiter w[2] = {{0}};

        for (int round = 0; round < 3; round++) {
                CHECK_INT(green_barrier_waiting(b), 0);
                for (int i = 0; i < 2; i++) {
                        waiter_start(&w[i], come, b, GREEN_FOREVER);
                        CHECK(waits(&w[i]));
                        CHECK_INT(green_barrier_waiting(b), i + 1);
                }
                CHECK_INT(green_barrier_free(b), -EBUSY);
                CHECK_INT(green_barrier_wait(b, round == 0 ? 0 : GREEN_FOREVER), 1);
                CHECK_INT(green_barrier_waiting(b), 0);
                /* Those who come now belong to the next round, whether or not those of this one have run. */
                CHECK(waits(&w[0]));
                CHECK_INT(green_barrier_wait(b, 0), -ETIMEDOUT);
                CHECK_INT(waiter_end(&w[0]), 0);
                CHECK_INT(waiter_end(&w[1]), 0);
        }
        CHECK_INT(green_barrier_free(b), 0);
        CHECK_NEEDS_MEMORY(green_barrier *, green_barrier_new(1), green_barrier_free);
}

static void
one_that_gives_up_counts_as_not_having_come(void)
{
        green_barrier *b = green_barrier_new(3);
        struct waiter w[3] = {{0}};

        for (int round = 0; round < 2; round++) {
                waiter_start(&w[0], come, b, GREEN_FOREVER);
                waiter_start(&w[1], come, b, 0.001);
                CHECK_INT(green_kill(w[0].thread, 0), 0);
                CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
                CHECK_INT(waiter_end(&w[1]), -ETIMEDOUT);
                CHECK_INT(green_barrier_waiting(b), 0);
                CHECK_INT(green_barrier_wait(b, 0), -ETIMEDOUT);
                for (int i = 0; i < 2; i++) {
                        waiter_start(&w[i], come, b, GREEN_FOREVER);
                        CHECK(waits(&w[i]));
                }
                waiter_start(&w[2], come, b, 0);
                CHECK_INT(waiter_end(&w[2]), 1);
                CHECK_INT(waiter_end(&w[0]), 0);
                CHECK_INT(waiter_end(&w[1]), 0);
        }
        CHECK_INT(green_barrier_free(b), 0);
}

struct comer {
        green_barrier *b;
        int rc;
};

static void *
sleep_and_come(void *arg)
{
        struct comer *c = arg;

        CHECK_INT(green_sleep(1), 0);
        CHECK_INT(green_barrier_waiting(c->b), 0);
        c->rc = green_barrier_wait(c->b, 0);
        return NULL;
}

/* Both times are over at one poll, and the one that comes runs first. */
static void
one_whose_time_is_over_and_that_has_not_run_does_not_count(void)
{
        struct comer c = {green_barrier_new(2), 1000};
        green_thread *gt = green_spawn(sleep_and_come, &c);
        struct waiter w = {0};

        clock_shift_begin();
        turns(1);
        waiter_start(&w, come, c.b, 1);
        clock_jump(2);
        CHECK_INT(join(gt), 0);
        CHECK_INT(c.rc, -ETIMEDOUT);
        CHECK_INT(waiter_end(&w), -ETIMEDOUT);
        CHECK_INT(green_barrier_free(c.b), 0);
        clock_shift_end();
}

static void
a_barrier_for_one_holds_up_nobody(void)
{
        green_barrier *b = green_barrier_new(1);

        CHECK_INT(green_barrier_wait(b, 0), 1);
        CHECK_INT(green_barrier_wait(b, GREEN_FOREVER), 1);
        CHECK_INT(green_barrier_free(b), 0);
}

static void
in_a_child_those_who_waited_have_not_come(void)
{
        green_barrier *b = green_barrier_new(3);
        struct waiter w[2] = {{0}};
        pid_t pid;

        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], come, b, GREEN_FOREVER);
        pid = child_begin();
        if (pid == 0) {
                CHECK_INT(green_barrier_waiting(b), 0);
                CHECK_INT(green_barrier_wait(b, 0), -ETIMEDOUT);
                for (int i = 0; i < 2; i++)
                        waiter_start(&w[i], come, b, GREEN_FOREVER);
                CHECK_INT(green_barrier_wait(b, 0), 1);
                CHECK_INT(waiter_end(&w[0]), 0);
                CHECK_INT(waiter_end(&w[1]), 0);
                child_exit();
        }
        child_end(pid);
        CHECK_INT(green_barrier_wait(b, 0), 1);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(green_barrier_free(b), 0);
}

static void
what_makes_no_sense_to_a_barrier_is_refused(void)
{
        errno = 0;
        CHECK_PTR(green_barrier_new(0), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(reported("a barrier for nobody"));
        CHECK_INT(green_barrier_wait(NULL, 0), -EINVAL);
        green_set_error(-EIO, NULL);
        CHECK_INT(green_barrier_waiting(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
}

/* ---- metaphores */

static int
wait_for_zero(void *m, double timeout)
{
        return green_metaphore_wait(m, timeout);
}

static void
a_metaphore_is_waited_to_zero(void)
{
        green_metaphore *m = green_metaphore_new();
        struct waiter w[2] = {{0}};

        GREEN_COVERS("META-01", "META-02", "META-03");
        CHECK_INT(green_metaphore_count(m), 0);
        CHECK_INT(green_metaphore_wait(m, GREEN_FOREVER), 0);
        CHECK_INT(green_metaphore_inc(m, 1), 0);
        CHECK_INT(green_metaphore_inc(m, 2), 0);
        CHECK_INT(green_metaphore_count(m), 3);
        CHECK_INT(green_metaphore_wait(m, 0), -ETIMEDOUT);
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], wait_for_zero, m, GREEN_FOREVER);
        CHECK_INT(green_metaphore_free(m), -EBUSY);
        CHECK_INT(green_metaphore_dec(m, 2), 0);
        turns(2);
        CHECK(waits(&w[0]) && waits(&w[1]));
        CHECK_INT(green_metaphore_dec(m, 1), 0);
        CHECK_INT(waiters_returned, 0);
        /* It was 0; what comes later does not matter to those who waited. */
        CHECK_INT(green_metaphore_inc(m, 1), 0);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(w[0].order, 1);
        CHECK_INT(green_metaphore_wait(m, 0.001), -ETIMEDOUT);
        CHECK_INT(green_metaphore_free(m), 0);
        CHECK_NEEDS_MEMORY(green_metaphore *, green_metaphore_new(), green_metaphore_free);
}

static void
a_metaphore_does_not_go_below_zero_nor_past_its_end(void)
{
        green_metaphore *m = green_metaphore_new();
        struct waiter w = {0};

        GREEN_COVERS("META-03", "META-04");
        CHECK_INT(green_metaphore_dec(m, 1), 0);
        CHECK_INT(green_metaphore_dec(m, LONG_MAX), 0);
        CHECK_INT(green_metaphore_count(m), 0);
        CHECK_INT(green_metaphore_inc(m, 2), 0);
        waiter_start(&w, wait_for_zero, m, GREEN_FOREVER);
        CHECK_INT(green_metaphore_dec(m, 5), 0);
        CHECK_INT(green_metaphore_count(m), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_metaphore_inc(m, LONG_MAX), 0);
        CHECK_INT(green_metaphore_inc(m, 1), -EOVERFLOW);
        CHECK(reported("too many"));
        CHECK_INT(green_metaphore_count(m), LONG_MAX);
        CHECK_INT(green_metaphore_dec(m, LONG_MAX), 0);
        CHECK_INT(green_metaphore_count(m), 0);
        CHECK_INT(green_metaphore_free(m), 0);
}

static void
use_elsewhere(void *m)
{
        CHECK_INT(green_metaphore_inc(m, 1), -EPERM);
        CHECK_INT(green_metaphore_dec(m, 1), -EPERM);
}

static void
what_makes_no_sense_to_a_metaphore_is_refused(void)
{
        green_metaphore *m = green_metaphore_new();
        static const long bad[] = {0, -1, LONG_MIN};

        GREEN_COVERS("META-02", "META-03");
        CHECK_INT(green_metaphore_inc(m, 1), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_metaphore_inc(m, bad[i]), -EINVAL);
                CHECK_INT(green_metaphore_dec(m, bad[i]), -EINVAL);
                CHECK(reported("it must be 1 or more"));
        }
        CHECK_INT(green_metaphore_inc(NULL, 1), -EINVAL);
        CHECK_INT(green_metaphore_dec(NULL, 1), -EINVAL);
        CHECK_INT(green_metaphore_wait(NULL, 1), -EINVAL);
        green_set_error(-EIO, NULL);
        CHECK_INT(green_metaphore_count(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
        in_thread(use_elsewhere, m);
        CHECK_INT(green_metaphore_count(m), 1);
        CHECK_INT(green_metaphore_free(m), 0);
}

GREEN_SUITE(sync_barrier) {
        GREEN_TEST(all_go_on_when_the_last_has_come_and_the_barrier_is_as_new),
        GREEN_TEST(one_that_gives_up_counts_as_not_having_come),
        GREEN_TEST(one_whose_time_is_over_and_that_has_not_run_does_not_count),
        GREEN_TEST(a_barrier_for_one_holds_up_nobody),
        GREEN_TEST(in_a_child_those_who_waited_have_not_come),
        GREEN_TEST(what_makes_no_sense_to_a_barrier_is_refused),
        GREEN_TEST(a_metaphore_is_waited_to_zero),
        GREEN_TEST(a_metaphore_does_not_go_below_zero_nor_past_its_end),
        GREEN_TEST(what_makes_no_sense_to_a_metaphore_is_refused),
        GREEN_SUITE_END
};
