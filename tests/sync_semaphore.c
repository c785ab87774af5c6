/*
 * Semaphores: plain, bounded, capped. What all waits have in common is in sync_wait.c.
 */
#include "sync_help.h"

#include <limits.h>

GREEN_SUITE_INIT(sync_init)

static int
acquire(void *s, double timeout)
{
        return green_semaphore_acquire(s, timeout);
}

static int
release(void *s, double timeout)
{
        return green_semaphore_release_timeout(s, timeout);
}

static green_semaphore *
make(long value, enum green_semaphore_kind kind, long limit)
{
        const struct green_semaphore_opts opts = {.size = sizeof(opts), .kind = kind, .limit = limit};

        return green_semaphore_new(value, &opts);
}

static long
balance(const green_semaphore *s)
{
        long n = LONG_MIN;

        CHECK_INT(green_semaphore_balance(s, &n), 0);
        return n;
}

static void
a_semaphore_begins_with_a_value_that_is_not_negative_nor_past_its_limit(void)
{
        static const struct {
                long value;
                enum green_semaphore_kind kind;
                long limit;
        } bad[] = {
                {-1, GREEN_SEMAPHORE_PLAIN, 0},
                {-1, GREEN_SEMAPHORE_BOUNDED, 0},
                {-1, GREEN_SEMAPHORE_CAPPED, 3},
                {4, GREEN_SEMAPHORE_CAPPED, 3},
                {0, GREEN_SEMAPHORE_CAPPED, -1},
                {LONG_MIN, GREEN_SEMAPHORE_PLAIN, 0},
                {1, (enum green_semaphore_kind)3, 3},
        };
        struct green_semaphore_opts opts = {.size = 0};
        green_semaphore *s;

        GREEN_COVERS("SEM-01", "SEM-13");
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                errno = 0;
                CHECK_PTR(make(bad[i].value, bad[i].kind, bad[i].limit), NULL);
                CHECK_INT(errno, EINVAL);
                CHECK_INT(green_last_error()->code, -EINVAL);
        }
        CHECK_PTR(green_semaphore_new(1, &opts), NULL);
        opts.size = sizeof(opts) + 1;
        CHECK_PTR(green_semaphore_new(1, &opts), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(reported("misuse"));
        s = green_semaphore_new(0, NULL);
        CHECK(green_semaphore_locked(s));
        CHECK_INT(green_semaphore_acquire(s, 0), -ETIMEDOUT);
        CHECK_INT(green_semaphore_free(s), 0);
        CHECK_NEEDS_MEMORY(green_semaphore *, green_semaphore_new(1, NULL), green_semaphore_free);
}

static void
permits_are_counted(void)
{
        green_semaphore *s = green_semaphore_new(2, NULL);

        GREEN_COVERS("SEM-02", "SEM-06", "SEM-08", "SEM-10");
        CHECK(!green_semaphore_locked(s) && !green_semaphore_bounded(s));
        CHECK_INT(green_semaphore_acquire(s, GREEN_FOREVER), 0);
        CHECK_INT(balance(s), 1);
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        CHECK(green_semaphore_locked(s));
        CHECK_INT(green_semaphore_acquire(s, 0), -ETIMEDOUT);
        CHECK_INT(balance(s), 0);
        for (int i = 1; i <= 5; i++) {
                CHECK_INT(green_semaphore_release(s), 0);
                CHECK_INT(balance(s), i);
        }
        CHECK(!green_semaphore_locked(s) && !green_semaphore_bounded(s));
        CHECK_INT(green_semaphore_release_timeout(s, 0), 0);
        CHECK_INT(green_semaphore_release_timeout(s, -1), -EINVAL);
        CHECK_INT(green_semaphore_release_timeout(s, NAN), -EINVAL);
        CHECK_INT(balance(s), 6);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
the_counter_does_not_overflow(void)
{
        green_semaphore *s = green_semaphore_new(LONG_MAX, NULL);

        GREEN_COVERS("SEM-08");
        CHECK_INT(green_semaphore_release(s), -EOVERFLOW);
        CHECK_INT(balance(s), LONG_MAX);
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
nobody_overtakes_one_that_waits_a_try_included(void)
{
        green_semaphore *s = green_semaphore_new(0, NULL);
        struct waiter w[2] = {{0}};

        GREEN_COVERS("SEM-03", "SEM-04", "SEM-05");
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], acquire, s, GREEN_FOREVER);
        CHECK_INT(balance(s), -2);
        CHECK_INT(green_semaphore_release(s), 0);
        /* It is the first one's, though that has not run yet. */
        CHECK(waits(&w[0]) && green_semaphore_locked(s));
        CHECK_INT(balance(s), -1);
        CHECK_INT(green_semaphore_acquire(s, 0), -ETIMEDOUT);
        CHECK_INT(green_semaphore_acquire(s, 0.001), -ETIMEDOUT);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK(waits(&w[1]));
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(balance(s), 0);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void *
take_in_turn(void *arg)
{
        green_semaphore *s = arg;

        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_semaphore_acquire(s, GREEN_FOREVER), 0);
                trace(green_thread_name(green_getcurrent())[0]);
                CHECK_INT(green_sleep(0), 0);
                CHECK_INT(green_semaphore_release(s), 0);
        }
        return NULL;
}

static void
two_that_loop_on_one_semaphore_alternate(void)
{
        green_semaphore *s = green_semaphore_new(1, NULL);
        struct green_spawn_opts opts = {.size = sizeof(opts)};
        green_thread *gt[2];

        GREEN_COVERS("SEM-04");
        for (int i = 0; i < 2; i++) {
                opts.name = i == 0 ? "a" : "b";
                gt[i] = green_spawn_with(take_in_turn, s, &opts);
        }
        CHECK_INT(join(gt[0]), 0);
        CHECK_INT(join(gt[1]), 0);
        CHECK_TRACE("ababab");
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
a_permit_that_one_gave_up_waiting_for_goes_to_the_next(void)
{
        green_semaphore *s = green_semaphore_new(0, NULL);
        struct waiter w[3] = {{0}};

        GREEN_COVERS("SEM-07", "SEM-09");
        waiter_start(&w[0], acquire, s, GREEN_FOREVER);
        waiter_start(&w[1], acquire, s, 0.001);
        waiter_start(&w[2], acquire, s, GREEN_FOREVER);
        CHECK_INT(green_kill(w[0].thread, 0), 0);
        CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
        CHECK_INT(waiter_end(&w[1]), -ETIMEDOUT);
        CHECK_INT(balance(s), -1);
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(waiter_end(&w[2]), 0);
        CHECK_INT(balance(s), 0);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
a_bounded_semaphore_takes_back_no_more_than_it_had_at_first(void)
{
        green_semaphore *s = make(1, GREEN_SEMAPHORE_BOUNDED, 0), *none = make(0, GREEN_SEMAPHORE_BOUNDED, 0);
        struct waiter w = {0};

        GREEN_COVERS("SEM-12");
        CHECK_INT(green_semaphore_release(s), -EOVERFLOW);
        CHECK_INT(green_last_error()->code, -EOVERFLOW);
        CHECK_STR(green_last_error()->message, "green_semaphore_release: released too many times");
        CHECK(reported("released too many times"));
        CHECK_INT(balance(s), 1);
        CHECK(!green_semaphore_bounded(s));
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        waiter_start(&w, acquire, s, GREEN_FOREVER);
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_semaphore_release_timeout(s, 1), 0);
        CHECK_INT(green_semaphore_release_timeout(s, 1), -EOVERFLOW);
        CHECK_INT(balance(s), 1);
        CHECK_INT(green_semaphore_free(s), 0);
        /* One that had none gets none, whoever waits. */
        waiter_start(&w, acquire, none, GREEN_FOREVER);
        CHECK_INT(green_semaphore_release(none), -EOVERFLOW);
        CHECK(waits(&w));
        CHECK_INT(green_kill(w.thread, 0), 0);
        CHECK_INT(waiter_end(&w), GREEN_EKILLED);
        CHECK_INT(green_semaphore_free(none), 0);
}

static void
a_capped_semaphore_waits_at_both_ends(void)
{
        green_semaphore *s = make(1, GREEN_SEMAPHORE_CAPPED, 2);
        struct waiter w[2] = {{0}};

        GREEN_COVERS("SEM-10", "SEM-13", "SEM-15");
        CHECK(!green_semaphore_locked(s) && !green_semaphore_bounded(s));
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK(!green_semaphore_locked(s) && green_semaphore_bounded(s));
        CHECK_INT(green_semaphore_release_timeout(s, 0), -ETIMEDOUT);
        CHECK_INT(green_semaphore_release_timeout(s, 0.001), -ETIMEDOUT);
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], release, s, GREEN_FOREVER);
        CHECK_INT(balance(s), 4);
        CHECK_INT(green_semaphore_free(s), -EBUSY);
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        CHECK_INT(balance(s), 3);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK(waits(&w[1]));
        CHECK_INT(green_semaphore_acquire(s, GREEN_FOREVER), 0);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        CHECK(green_semaphore_locked(s) && !green_semaphore_bounded(s));
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], acquire, s, GREEN_FOREVER);
        CHECK_INT(balance(s), -2);
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(green_semaphore_release_timeout(s, 0), 0);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(balance(s), 0);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
with_a_cap_of_0_taking_and_giving_back_meet(void)
{
        green_semaphore *s = make(0, GREEN_SEMAPHORE_CAPPED, 0);
        struct waiter w = {0};

        GREEN_COVERS("SEM-14");
        CHECK(green_semaphore_locked(s) && green_semaphore_bounded(s));
        CHECK_INT(green_semaphore_acquire(s, 0), -ETIMEDOUT);
        CHECK_INT(green_semaphore_release_timeout(s, 0), -ETIMEDOUT);
        waiter_start(&w, release, s, GREEN_FOREVER);
        CHECK(waits(&w) && !green_semaphore_locked(s) && green_semaphore_bounded(s));
        CHECK_INT(balance(s), 1);
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_semaphore_acquire(s, 0), -ETIMEDOUT);
        waiter_start(&w, acquire, s, GREEN_FOREVER);
        CHECK(waits(&w) && green_semaphore_locked(s) && !green_semaphore_bounded(s));
        CHECK_INT(balance(s), -1);
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_semaphore_release_timeout(s, 0), -ETIMEDOUT);
        CHECK_INT(balance(s), 0);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
a_call_of_a_capped_semaphore_that_fails_has_done_nothing(void)
{
        green_semaphore *s = make(1, GREEN_SEMAPHORE_CAPPED, 1);
        struct waiter w = {0};

        GREEN_COVERS("SEM-15", "SEM-16");
        waiter_start(&w, release, s, GREEN_FOREVER);
        CHECK_INT(balance(s), 2);
        CHECK_INT(green_kill(w.thread, 0), 0);
        CHECK_INT(waiter_end(&w), GREEN_EKILLED);
        CHECK_INT(balance(s), 1);
        CHECK_INT(green_semaphore_acquire(s, 0), 0);
        waiter_start(&w, acquire, s, GREEN_FOREVER);
        CHECK_INT(balance(s), -1);
        CHECK_INT(green_kill(w.thread, 0), 0);
        CHECK_INT(waiter_end(&w), GREEN_EKILLED);
        CHECK_INT(balance(s), 0);
        /* Giving back checks the scopes too. */
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_semaphore_release(s), GREEN_EKILLED);
        CHECK_INT(balance(s), 0);
        CHECK_INT(green_semaphore_release_timeout(s, 0), 0);
        CHECK_INT(balance(s), 1);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
giving_back_to_one_that_is_not_capped_looks_at_no_scope(void)
{
        green_semaphore *s = green_semaphore_new(0, NULL);

        GREEN_COVERS("SEM-08");
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(green_semaphore_release_timeout(s, GREEN_FOREVER), 0);
        CHECK_INT(balance(s), 2);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
its_text_shows_permits_and_those_who_wait(void)
{
        green_semaphore *plain = green_semaphore_new(2, NULL), *bounded = make(0, GREEN_SEMAPHORE_BOUNDED, 0),
                        *capped = make(1, GREEN_SEMAPHORE_CAPPED, 1);
        struct waiter w = {0};
        char text[64], few[8];

        GREEN_COVERS("SEM-11");
        CHECK_INT(green_semaphore_format(plain, text, sizeof(text)), strlen("<Semaphore 2 _w[0]>"));
        CHECK_STR(text, "<Semaphore 2 _w[0]>");
        waiter_start(&w, acquire, bounded, GREEN_FOREVER);
        CHECK_RANGE(green_semaphore_format(bounded, text, sizeof(text)), 1, 63);
        CHECK_STR(text, "<BoundedSemaphore 0 _w[1]>");
        CHECK_INT(green_semaphore_format(bounded, few, sizeof(few)), strlen(text));
        CHECK_STR(few, "<Bounde");
        CHECK_INT(green_semaphore_format(bounded, NULL, 0), strlen(text));
        CHECK_INT(green_semaphore_format(bounded, NULL, 1), -EINVAL);
        CHECK_INT(green_kill(w.thread, 0), 0);
        CHECK_INT(waiter_end(&w), GREEN_EKILLED);
        waiter_start(&w, release, capped, GREEN_FOREVER);
        CHECK_RANGE(green_semaphore_format(capped, text, sizeof(text)), 1, 63);
        CHECK_STR(text, "<CappedSemaphore 1 _w[1]>");
        CHECK_INT(green_semaphore_acquire(capped, 0), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_semaphore_free(plain), 0);
        CHECK_INT(green_semaphore_free(bounded), 0);
        CHECK_INT(green_semaphore_free(capped), 0);
}

static int
leave_early(green_semaphore *s, bool early)
{
        GREEN_SEMAPHORE_SCOPE(held, s);

        if (held.rc != 0)
                return held.rc;
        CHECK_INT(balance(s), 0);
        if (early)
                return 1;
        return green_sleep(GREEN_FOREVER);
}

static int
hold_in_scope(void *s, double timeout)
{
        (void)timeout;
        return leave_early(s, false);
}

static void
a_scope_gives_its_permit_back_however_it_is_left(void)
{
        green_semaphore *kinds[] = {green_semaphore_new(1, NULL), make(1, GREEN_SEMAPHORE_BOUNDED, 0),
                                    make(1, GREEN_SEMAPHORE_CAPPED, 1)};
        struct waiter w = {0};

        GREEN_COVERS("SEM-17");
        for (int i = 0; i < 3; i++) {
                CHECK_INT(leave_early(kinds[i], true), 1);
                CHECK_INT(balance(kinds[i]), 1);
                waiter_start(&w, hold_in_scope, kinds[i], 0);
                CHECK_INT(balance(kinds[i]), 0);
                CHECK_INT(green_kill(w.thread, 0), 0);
                CHECK_INT(waiter_end(&w), GREEN_EKILLED);
                CHECK_INT(balance(kinds[i]), 1);
                /* What was not taken is not given back. */
                CHECK_INT(green_semaphore_acquire(kinds[i], 0), 0);
                waiter_start(&w, hold_in_scope, kinds[i], 0);
                CHECK_INT(green_kill(w.thread, 0), 0);
                CHECK_INT(waiter_end(&w), GREEN_EKILLED);
                CHECK_INT(balance(kinds[i]), 0);
                CHECK_INT(green_semaphore_free(kinds[i]), 0);
        }
}

static void
use_elsewhere(void *s)
{
        CHECK_INT(green_semaphore_release(s), -EPERM);
        CHECK_INT(green_semaphore_release_timeout(s, 0), -EPERM);
}

static void
what_makes_no_sense_is_refused(void)
{
        green_semaphore *s = green_semaphore_new(0, NULL), *capped = make(0, GREEN_SEMAPHORE_CAPPED, 3);
        long n = 7;

        GREEN_COVERS("SEM-10");
        CHECK_INT(green_semaphore_acquire(NULL, 0), -EINVAL);
        CHECK(reported("green_semaphore_acquire: no semaphore"));
        CHECK_INT(green_semaphore_release(NULL), -EINVAL);
        CHECK_INT(green_semaphore_release_timeout(NULL, 0), -EINVAL);
        CHECK_INT(green_semaphore_balance(NULL, &n), -EINVAL);
        CHECK_INT(green_semaphore_balance(s, NULL), -EINVAL);
        CHECK_INT(n, 7);
        CHECK_INT(green_semaphore_format(NULL, NULL, 0), -EINVAL);
        green_set_error(-EIO, NULL);
        CHECK(!green_semaphore_locked(NULL));
        CHECK_INT(green_last_error()->code, -EINVAL);
        green_set_error(-EIO, NULL);
        CHECK(!green_semaphore_bounded(NULL));
        CHECK_INT(green_last_error()->code, -EINVAL);
        in_thread(use_elsewhere, s);
        in_thread(use_elsewhere, capped);
        CHECK_INT(balance(s), 0);
        CHECK_INT(balance(capped), 0);
        CHECK_INT(green_semaphore_free(s), 0);
        CHECK_INT(green_semaphore_free(capped), 0);
        CHECK_INT(green_semaphore_free(NULL), 0);
}

GREEN_SUITE(sync_semaphore) {
        GREEN_TEST(a_semaphore_begins_with_a_value_that_is_not_negative_nor_past_its_limit),
        GREEN_TEST(permits_are_counted),
        GREEN_TEST(the_counter_does_not_overflow),
        GREEN_TEST(nobody_overtakes_one_that_waits_a_try_included),
        GREEN_TEST(two_that_loop_on_one_semaphore_alternate),
        GREEN_TEST(a_permit_that_one_gave_up_waiting_for_goes_to_the_next),
        GREEN_TEST(a_bounded_semaphore_takes_back_no_more_than_it_had_at_first),
        GREEN_TEST(a_capped_semaphore_waits_at_both_ends),
        GREEN_TEST(with_a_cap_of_0_taking_and_giving_back_meet),
        GREEN_TEST(a_call_of_a_capped_semaphore_that_fails_has_done_nothing),
        GREEN_TEST(giving_back_to_one_that_is_not_capped_looks_at_no_scope),
        GREEN_TEST(its_text_shows_permits_and_those_who_wait),
        GREEN_TEST(a_scope_gives_its_permit_back_however_it_is_left),
        GREEN_TEST(what_makes_no_sense_is_refused),
        GREEN_SUITE_END
};
