/*
 * Channels, as one OS thread sees them, and how plain OS threads wait. Several at once: sync_chan_threads.c.
 */
#include "sync_help.h"

GREEN_SUITE_INIT(sync_init)

static green_chan *chan;

static green_chan *
filled(size_t capacity, size_t items)
{
        green_chan *c = green_chan_new(capacity);

        CHECK(c != NULL);
        for (size_t i = 0; i < items; i++)
                CHECK_INT(green_chan_put(c, PTR(i + 1), 0), 0);
        return c;
}

static int
get_one(void *arg, double timeout)
{
        void *item = NULL;
        int rc = green_chan_get(arg, &item, timeout);

        return rc == 0 ? INT(item) : rc;
}

static int
put_9(void *arg, double timeout)
{
        return green_chan_put(arg, PTR(9), timeout);
}

static void
items_come_out_in_the_order_they_went_in_and_there_are_never_more_than_there_is_room(void)
{
        void *item = PTR(77);

        chan = filled(3, 0);
        for (int round = 0; round < 5; round++) {
                CHECK_INT(green_chan_get(chan, &item, 0), GREEN_EEMPTY);
                CHECK_INT(green_chan_len(chan), 0);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(green_chan_put(chan, PTR(i), GREEN_FOREVER), 0);
                CHECK_INT(green_chan_put(chan, PTR(3), 0), GREEN_EFULL);
                CHECK_INT(green_chan_len(chan), 3);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(get_one(chan, GREEN_FOREVER), i);
        }
        CHECK_INT(green_chan_put(chan, NULL, 0), 0);
        CHECK_INT(green_chan_get(chan, &item, 0), 0);
        CHECK_PTR(item, NULL);
        CHECK_PTR(green_chan_ref(chan), chan);
        green_chan_unref(chan);
        CHECK_INT(green_chan_len(chan), 0);
        green_chan_unref(chan);
        green_chan_unref(green_chan_ref(NULL));
}

static void
those_who_wait_are_served_in_the_order_they_came(void)
{
        struct waiter w[3] = {{0}};

        chan = filled(1, 0);
        for (int i = 0; i < 3; i++)
                waiter_start(&w[i], get_one, chan, GREEN_FOREVER);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_chan_put(chan, PTR(i + 1), 0), 0);
        /* Handed over, so not in the channel. */
        CHECK_INT(green_chan_len(chan), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(waiter_end(&w[i]), i + 1);
        CHECK_INT(green_chan_put(chan, PTR(1), 0), 0);
        for (int i = 0; i < 3; i++)
                waiter_start(&w[i], put_9, chan, GREEN_FOREVER);
        CHECK_INT(get_one(chan, 0), 1);
        /* The place went to the first that waits, and nobody overtakes. */
        CHECK_INT(green_chan_put(chan, PTR(2), 0), GREEN_EFULL);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(get_one(chan, 0), 9);
                CHECK_INT(waiter_end(&w[i]), 0);
        }
        CHECK_INT(get_one(chan, 0), GREEN_EEMPTY);
        green_chan_unref(chan);
}

static void
one_that_is_killed_or_out_of_time_leaves_nothing_behind(void)
{
        struct green_timeout t = {{0}};
        struct waiter w[3] = {{0}};

        chan = filled(1, 0);
        CHECK_INT(get_one(chan, 0.001), GREEN_EEMPTY);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(get_one(chan, GREEN_FOREVER), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        for (int i = 0; i < 3; i++)
                waiter_start(&w[i], get_one, chan, GREEN_FOREVER);
        CHECK_INT(green_kill(w[1].thread, -EOWNERDEAD), 0);
        CHECK_INT(waiter_end(&w[1]), -EOWNERDEAD);
        CHECK_INT(green_chan_put(chan, PTR(1), 0), 0);
        CHECK_INT(green_chan_put(chan, PTR(2), 0), 0);
        CHECK_INT(waiter_end(&w[0]), 1);
        CHECK_INT(waiter_end(&w[2]), 2);
        CHECK_INT(green_chan_put(chan, PTR(1), 0), 0);
        CHECK_INT(put_9(chan, 0.001), GREEN_EFULL);
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], put_9, chan, GREEN_FOREVER);
        CHECK_INT(green_kill(w[0].thread, 0), 0);
        CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
        CHECK_INT(get_one(chan, 0), 1);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(get_one(chan, 0), 9);
        CHECK_INT(get_one(chan, 0), GREEN_EEMPTY);
        green_chan_unref(chan);
}

static void
a_kill_between_hand_over_and_run_is_seen_by_the_next_call(void)
{
        struct waiter w = {.again = true};

        chan = filled(1, 0);
        waiter_start(&w, get_one, chan, GREEN_FOREVER);
        CHECK_INT(green_chan_put(chan, PTR(5), 0), 0);
        CHECK(waits(&w));
        CHECK_INT(green_kill(w.thread, 0), 0);
        CHECK_INT(waiter_end(&w), 5);
        CHECK_INT(w.rc_again, GREEN_EKILLED);
        /* The other way round: its time is over, and it has not run when the item comes. In so many rounds some are so.
         */
        clock_shift_begin();
        for (int i = 0; i < 100; i++) {
                bool gone;

                w = (struct waiter){.again = false};
                waiter_start(&w, get_one, chan, 1);
                clock_jump(2);
                turns(1);
                gone = !waits(&w);
                if (!gone)
                        CHECK_INT(green_chan_put(chan, PTR(6), 0), 0);
                CHECK_INT(waiter_end(&w), gone ? GREEN_EEMPTY : 6);
        }
        clock_shift_end();
        CHECK_INT(green_chan_len(chan), 0);
        green_chan_unref(chan);
}

static int
get_in_scope(void *arg, double timeout)
{
        struct green_timeout t = {{0}};
        int rc, failed;

        CHECK_INT(green_timeout_start(&t, timeout), 0);
        rc = get_one(arg, GREEN_FOREVER);
        failed = green_timeout_cancel(&t);
        CHECK_INT(failed, rc == GREEN_ETIMEOUT);
        return rc;
}

static void
a_timeout_that_fires_during_a_hand_over_has_failed_nothing(void)
{
        int handed = 0;

        chan = filled(1, 0);
        clock_shift_begin();
        for (int i = 0; i < 100; i++) {
                struct waiter w = {0};
                bool gone;

                waiter_start(&w, get_in_scope, chan, 1);
                clock_jump(2);
                turns(1);
                gone = !waits(&w);
                if (!gone)
                        CHECK_INT(green_chan_put(chan, PTR(6), 0), 0);
                CHECK_INT(waiter_end(&w), gone ? GREEN_ETIMEOUT : 6);
                handed += !gone;
        }
        clock_shift_end();
        CHECK_RANGE(handed, 1, 100);
        green_chan_unref(chan);
}

static void
a_shielded_wait_goes_on_when_its_green_thread_is_killed(void)
{
        struct waiter w = {.shielded = true, .again = true};

        chan = filled(1, 0);
        waiter_start(&w, get_one, chan, GREEN_FOREVER);
        CHECK_INT(green_kill(w.thread, 0), 0);
        turns(2);
        CHECK(waits(&w));
        CHECK_INT(green_chan_put(chan, PTR(5), 0), 0);
        CHECK_INT(waiter_end(&w), 5);
        CHECK_INT(w.rc_again, GREEN_EKILLED);
        green_chan_unref(chan);
}

static int
killed_before(void *arg, double timeout)
{
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(get_one(arg, timeout), GREEN_EKILLED);
        CHECK_INT(put_9(arg, timeout), GREEN_EKILLED);
        /* A limit of 0 only tries, whatever has fired. */
        CHECK_INT(put_9(arg, 0), 0);
        return get_one(arg, 0);
}

static void
a_kill_is_seen_before_anything_is_done_and_not_with_a_limit_of_0(void)
{
        struct waiter w = {0};

        chan = filled(2, 1);
        waiter_start(&w, killed_before, chan, GREEN_FOREVER);
        CHECK_INT(waiter_end(&w), 1);
        CHECK_INT(get_one(chan, 0), 9);
        CHECK_INT(green_chan_len(chan), 0);
        green_chan_unref(chan);
}

static void
closing_wakes_all_who_wait_and_what_is_left_can_still_be_got(void)
{
        struct waiter w[2] = {{0}};

        chan = filled(2, 2);
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], put_9, chan, GREEN_FOREVER);
        CHECK_INT(green_chan_close(chan), 0);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(waiter_end(&w[i]), GREEN_ECLOSED);
                CHECK_INT(w[i].order, i + 1);
        }
        CHECK_INT(put_9(chan, 0), GREEN_ECLOSED);
        CHECK_INT(get_one(chan, GREEN_FOREVER), 1);
        CHECK_INT(put_9(chan, GREEN_FOREVER), GREEN_ECLOSED);
        CHECK_INT(get_one(chan, 0), 2);
        CHECK_INT(get_one(chan, GREEN_FOREVER), GREEN_ECLOSED);
        CHECK_INT(green_chan_close(chan), 0);
        green_chan_unref(chan);
        chan = filled(2, 0);
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], get_one, chan, GREEN_FOREVER);
        CHECK_INT(green_chan_close(chan), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(waiter_end(&w[i]), GREEN_ECLOSED);
        green_chan_unref(chan);
}

static void
misuse_is_told(void)
{
        static const double bad[] = {-1, NAN};
        void *item;

        chan = filled(1, 0);
        CHECK_PTR(green_chan_new(0), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_chan_new(SIZE_MAX), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_chan_put(NULL, NULL, 0), -EINVAL);
        CHECK(reported("green_chan_put: no channel"));
        CHECK_INT(green_chan_get(NULL, &item, 0), -EINVAL);
        CHECK(reported("green_chan_get: no channel"));
        CHECK_INT(green_chan_get(chan, NULL, 0), -EINVAL);
        CHECK(reported("green_chan_get: no ret_item"));
        CHECK_INT(green_chan_close(NULL), -EINVAL);
        CHECK_INT(green_chan_len(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(put_9(chan, bad[i]), -EINVAL);
                CHECK_INT(get_one(chan, bad[i]), -EINVAL);
                CHECK(reported("negative, or not a number"));
        }
        CHECK_INT(green_chan_len(chan), 0);
        green_chan_unref(chan);
}

static void
in_hub_context(void *arg)
{
        CHECK_INT(get_one(arg, 0), GREEN_EEMPTY);
        CHECK_INT(get_one(arg, 1), -EDEADLK);
        CHECK(reported("misuse by a hub callback"));
        CHECK_INT(put_9(arg, GREEN_FOREVER), 0);
        CHECK_INT(put_9(arg, GREEN_FOREVER), -EDEADLK);
        CHECK_INT(get_one(arg, GREEN_FOREVER), 9);
}

static void
a_hub_callback_may_do_all_that_does_not_wait(void)
{
        chan = filled(1, 0);
        in_callback(in_hub_context, chan);
        green_chan_unref(chan);
}

/* ---- plain OS threads */

static bool
has_hub(void)
{
        green_thread *self;

        return green_park_check_mt(0, &self) == 0;
}

static void *
plain_consumer(void *arg)
{
        long sum = 0;
        void *item;
        int rc;

        while ((rc = green_chan_get(arg, &item, GREEN_FOREVER)) == 0)
                sum += INT(item);
        CHECK_INT(rc, GREEN_ECLOSED);
        CHECK_INT(get_one(NULL, 0), -EINVAL); /* a report, and no hub for it */
        CHECK(!has_hub());
        return PTR(sum);
}

static void
an_os_thread_without_a_hub_waits_as_a_whole_and_gets_none(void)
{
        pthread_t thread;
        void *sum = NULL;

        GREEN_COVERS("ISS-05", "ISS-22");
        chan = filled(2, 0);
        CHECK(has_hub());
        CHECK_INT(pthread_create(&thread, NULL, plain_consumer, chan), 0);
        for (int i = 1; i <= 1000; i++)
                CHECK_INT(green_chan_put(chan, PTR(i), GREEN_FOREVER), 0);
        CHECK_INT(green_chan_close(chan), 0);
        CHECK_INT(pthread_join(thread, &sum), 0);
        CHECK_INT(INT(sum), 500500);
        green_chan_unref(chan);
}

static void *
plain_limits(void *arg)
{
        double begin = clock_now();

        CHECK_INT(get_one(arg, 0), GREEN_EEMPTY);
        CHECK_INT(get_one(arg, 0.02), GREEN_EEMPTY);
        CHECK_INT(put_9(arg, 0.02), 0);
        CHECK_INT(put_9(arg, 0.02), GREEN_EFULL);
        CHECK_INT(put_9(arg, -1), -EINVAL);
        CHECK_INT(put_9(arg, NAN), -EINVAL);
        CHECK_RANGE(clock_now() - begin, 0.04, SOON);
        CHECK(!has_hub());
        return NULL;
}

static void
the_limits_of_a_plain_os_thread_are_never_early(void)
{
        pthread_t thread;

        chan = filled(1, 0);
        CHECK_INT(pthread_create(&thread, NULL, plain_limits, chan), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(get_one(chan, 0), 9);
        green_chan_unref(chan);
}

static void
what_a_channel_is_made_of_needs_memory(void)
{
        for (int enough = 0; enough < 2; enough++) {
                memory_left = enough;
                CHECK_PTR(green_chan_new(1), NULL);
                CHECK_INT(errno, ENOMEM);
                CHECK_INT(green_last_error()->code, -ENOMEM);
        }
        /* Waiting needs none. */
        memory_left = -1;
        chan = filled(1, 0);
        memory_left = 0;
        CHECK_INT(get_one(chan, 0.001), GREEN_EEMPTY);
        memory_left = -1;
        green_chan_unref(chan);
}

GREEN_SUITE(sync_chan) {
        GREEN_TEST(items_come_out_in_the_order_they_went_in_and_there_are_never_more_than_there_is_room),
        GREEN_TEST(those_who_wait_are_served_in_the_order_they_came),
        GREEN_TEST(one_that_is_killed_or_out_of_time_leaves_nothing_behind),
        GREEN_TEST(a_kill_between_hand_over_and_run_is_seen_by_the_next_call),
        GREEN_TEST(a_timeout_that_fires_during_a_hand_over_has_failed_nothing),
        GREEN_TEST(a_shielded_wait_goes_on_when_its_green_thread_is_killed),
        GREEN_TEST(a_kill_is_seen_before_anything_is_done_and_not_with_a_limit_of_0),
        GREEN_TEST(closing_wakes_all_who_wait_and_what_is_left_can_still_be_got),
        GREEN_TEST(misuse_is_told),
        GREEN_TEST(a_hub_callback_may_do_all_that_does_not_wait),
        GREEN_TEST(an_os_thread_without_a_hub_waits_as_a_whole_and_gets_none),
        GREEN_TEST(the_limits_of_a_plain_os_thread_are_never_early),
        GREEN_TEST(what_a_channel_is_made_of_needs_memory),
        GREEN_SUITE_END
};
