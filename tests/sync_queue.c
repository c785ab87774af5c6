/*
 * Queues: who waits, who is served, in which order; what becomes of items when somebody is killed or gives up.
 */
#include "sync_queue.h"

#include <limits.h>

GREEN_SUITE_INIT(queue_init)

/* ---- put and get */

static void
put_and_get_do_not_yield_where_they_need_not_wait(void)
{
        GREEN_COVERS("QUEUE-02", "QUEUE-03", "QUEUE-14", "QUEUE-15");
        green_queue *q = green_queue_new(3, NULL);
        struct one other = {.q = q, .timeout = 0, .letter = 'x'};

        CHECK_INT(green_spawn_n(one_get_main, &other), 0);
        CHECK(green_queue_empty(q) && !green_queue_full(q));
        for (int i = 1; i <= 3; i++) {
                CHECK_INT(green_queue_put(q, PTR(i), GREEN_FOREVER), 0);
                CHECK_INT(green_queue_qsize(q), i);
                CHECK(!green_queue_empty(q));
                CHECK(green_queue_full(q) == (i == 3));
        }
        for (int i = 1; i <= 3; i++) {
                void *item = NULL;

                CHECK_INT(green_queue_get(q, &item, GREEN_FOREVER), 0);
                CHECK_PTR(item, PTR(i));
                CHECK_INT(green_queue_qsize(q), 3 - i);
        }
        CHECK_TRACE("");
        turns(2);
        CHECK_TRACE("x");
        CHECK_INT(other.rc, GREEN_EEMPTY);
        free_empty(q);
}

static void
null_is_an_item_like_any_other(void)
{
        green_queue *q = green_queue_new(-1, NULL);
        void *item = PTR(1);
        struct one get;

        CHECK_INT(green_queue_put(q, NULL, 0), 0);
        CHECK_INT(green_queue_get(q, &item, 0), 0);
        CHECK_PTR(item, NULL);
        begin_get(&get, q, 0);
        get.item = PTR(1);
        CHECK_INT(green_queue_put(q, NULL, 0), 0);
        one_finish(&get, 0);
        CHECK_PTR(get.item, NULL);
        free_empty(q);
}

static void
a_getter_waits_and_gets_the_item_from_hand_to_hand(void)
{
        GREEN_COVERS("QUEUE-02", "QUEUE-04", "QUEUE-27");
        green_queue *q = green_queue_new(2, NULL);
        struct one get, late;

        begin_get(&get, q, 'g');
        CHECK_INT(green_queue_getting(q), 1);
        late = (struct one){.q = q, .timeout = 0, .letter = 'l'};
        CHECK_INT(green_spawn_n(one_get_main, &late), 0);
        CHECK_INT(green_queue_put(q, PTR(5), GREEN_FOREVER), 0);
        trace('p');
        CHECK_INT(green_queue_getting(q), 0);
        CHECK_INT(green_queue_qsize(q), 0); /* it is the getter's already */
        CHECK_INT(get.rc, 9);
        CHECK_INT(take(q), -1);
        one_finish(&get, 0);
        CHECK_PTR(get.item, PTR(5));
        CHECK_INT(late.rc, GREEN_EEMPTY); /* ready before, so it ran before, and could not overtake */
        CHECK_TRACE("plg");
        free_empty(q);
}

static void
a_putter_waits_and_the_get_that_makes_room_puts_its_item(void)
{
        GREEN_COVERS("QUEUE-03", "QUEUE-04", "QUEUE-15", "QUEUE-27");
        green_queue *q = green_queue_new(1, NULL);
        void *item = NULL;
        struct one put;

        fill(q, 1, 1);
        begin_put(&put, q, 2, 'p');
        CHECK_INT(green_queue_putting(q), 1);
        CHECK_INT(green_queue_get(q, &item, GREEN_FOREVER), 0);
        trace('g');
        CHECK_PTR(item, PTR(1));
        CHECK_INT(green_queue_putting(q), 0);
        CHECK_INT(green_queue_qsize(q), 1); /* no room between, not even for a moment */
        CHECK_INT(green_queue_put(q, PTR(3), 0), GREEN_EFULL);
        CHECK_INT(put.rc, 9);
        one_finish(&put, 0);
        CHECK_TRACE("gp");
        CHECK_INT(take(q), 2);
        free_empty(q);
}

static void
those_who_wait_are_served_in_the_order_they_came(void)
{
        GREEN_COVERS("QUEUE-13", "QUEUE-15");
        for (ssize_t maxsize = 0; maxsize < 3; maxsize++) {
                green_queue *q = green_queue_new(maxsize, NULL);
                struct one o[4];

                for (int i = 0; i < 4; i++)
                        begin_get(&o[i], q, (char)('a' + i));
                CHECK_INT(green_queue_getting(q), 4);
                fill(q, 1, 4);
                for (int i = 0; i < 4; i++) {
                        one_finish(&o[i], 0);
                        CHECK_PTR(o[i].item, PTR(i + 1));
                }
                CHECK_TRACE("abcd");
                fill(q, 1, (int)maxsize);
                for (int i = 0; i < 4; i++)
                        begin_put(&o[i], q, 10 + i, (char)('a' + i));
                CHECK_INT(green_queue_putting(q), 4);
                for (int i = 0; i < maxsize; i++)
                        CHECK_INT(take(q), 1 + i);
                for (int i = 0; i < 4; i++)
                        CHECK_INT(take(q), 10 + i);
                for (int i = 0; i < 4; i++)
                        one_finish(&o[i], 0);
                CHECK_TRACE("abcd");
                free_empty(q);
        }
}

static void
a_queue_without_end_never_waits_to_put(void)
{
        GREEN_COVERS("QUEUE-01", "QUEUE-17", "QUEUE-25");
        static const ssize_t without_end[] = {-1, -7, -SSIZE_MAX};
        ssize_t maxsize;

        for (int i = 0; i < 3; i++) {
                green_queue *q = green_queue_new(without_end[i], NULL);

                CHECK_INT(green_queue_maxsize(q, &maxsize), 0);
                CHECK_INT(maxsize, -1);
                fill(q, 0, 999);
                CHECK(!green_queue_full(q));
                for (int k = 0; k < 1000; k++)
                        CHECK_INT(take(q), k);
                free_empty(q);
        }
        for (ssize_t size = 0; size < 4; size++) {
                green_queue *q = green_queue_new(size, NULL);

                CHECK_INT(green_queue_maxsize(q, &maxsize), 0);
                CHECK_INT(maxsize, size);
                fill(q, 1, (int)size);
                CHECK(green_queue_full(q));
                CHECK_INT(green_queue_put_nowait(q, NULL), GREEN_EFULL);
                for (int k = 1; k <= size; k++)
                        CHECK_INT(take(q), k);
                free_empty(q);
        }
}

/* ---- limits */

static void
a_limit_ends_a_wait_with_empty_or_full(void)
{
        GREEN_COVERS("QUEUE-05", "QUEUE-12", "QUEUE-21");
        for (ssize_t maxsize = 0; maxsize < 2; maxsize++) {
                green_queue *q = green_queue_new(maxsize, NULL);
                void *item = PTR(7);
                double begin = clock_now();

                CHECK_INT(green_queue_get(q, &item, 0.002), GREEN_EEMPTY);
                CHECK_RANGE(clock_now() - begin, 0.002, 0.5 * suite_slow());
                CHECK_PTR(item, PTR(7));
                CHECK_INT(green_queue_getting(q), 0);
                fill(q, 1, (int)maxsize);
                begin = clock_now();
                CHECK_INT(green_queue_put(q, PTR(9), 0.002), GREEN_EFULL);
                CHECK_RANGE(clock_now() - begin, 0.002, 0.5 * suite_slow());
                CHECK_INT(green_queue_putting(q), 0);
                CHECK_INT(take(q), maxsize == 1 ? 1 : -1);
                CHECK_INT(take(q), -1); /* what was not put is not there */
                free_empty(q);
        }
        CHECK(GREEN_EEMPTY != GREEN_EFULL);
        CHECK(!green_is_timeout(GREEN_EEMPTY) && !green_is_timeout(GREEN_EFULL));
}

static void
a_limit_of_zero_tries_and_does_not_yield(void)
{
        GREEN_COVERS("QUEUE-05", "QUEUE-06");
        green_queue *q = green_queue_new(1, NULL);
        struct one other = {.q = q, .timeout = 0, .letter = 'x'};
        void *item = NULL;

        CHECK_INT(green_spawn_n(one_get_main, &other), 0);
        CHECK_INT(green_queue_get(q, &item, 0), GREEN_EEMPTY);
        CHECK_INT(green_queue_get_nowait(q, &item), GREEN_EEMPTY);
        CHECK_INT(green_queue_put_nowait(q, PTR(1)), 0);
        CHECK_INT(green_queue_put_nowait(q, PTR(2)), GREEN_EFULL);
        CHECK_INT(green_queue_put(q, PTR(2), 0), GREEN_EFULL);
        CHECK_INT(green_queue_get_nowait(q, &item), 0);
        CHECK_PTR(item, PTR(1));
        CHECK_TRACE("");
        turns(2);
        CHECK_INT(other.rc, GREEN_EEMPTY);
        free_empty(q);
}

static void
bad_arguments_are_errors_and_change_nothing(void)
{
        static const double bad[] = {-1, -1e-9, -INFINITY, NAN};
        green_queue *q = green_queue_new(2, NULL);
        void *item = PTR(3);
        ssize_t maxsize = 5;

        fill(q, 1, 1);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CHECK_INT(green_queue_put(q, NULL, bad[i]), -EINVAL);
                CHECK_INT(green_queue_get(q, &item, bad[i]), -EINVAL);
                CHECK_INT(green_queue_join(q, bad[i]), -EINVAL);
        }
        CHECK_INT(green_queue_get(q, NULL, 0), -EINVAL);
        CHECK_INT(green_queue_get_nowait(q, NULL), -EINVAL);
        CHECK_INT(green_queue_put(NULL, NULL, 0), -EINVAL);
        CHECK_INT(green_queue_put_nowait(NULL, NULL), -EINVAL);
        CHECK_INT(green_queue_get(NULL, &item, 0), -EINVAL);
        CHECK_INT(green_queue_get_nowait(NULL, &item), -EINVAL);
        CHECK_INT(green_queue_resize(NULL, 1), -EINVAL);
        CHECK_INT(green_queue_shutdown(NULL), -EINVAL);
        CHECK_INT(green_queue_task_done(NULL), -EINVAL);
        CHECK_INT(green_queue_join(NULL, 0), -EINVAL);
        CHECK_INT(green_queue_maxsize(NULL, &maxsize), -EINVAL);
        CHECK_INT(green_queue_maxsize(q, NULL), -EINVAL);
        CHECK_PTR(item, PTR(3));
        CHECK_INT(maxsize, 5);
        green_set_error(-ERANGE, NULL);
        CHECK(!green_queue_empty(NULL));
        CHECK_INT(green_last_error()->code, -EINVAL);
        green_set_error(-ERANGE, NULL);
        CHECK(!green_queue_full(NULL));
        CHECK_INT(green_last_error()->code, -EINVAL);
        green_set_error(-ERANGE, NULL);
        CHECK_INT(green_queue_qsize(NULL) + green_queue_getting(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
        green_set_error(-ERANGE, NULL);
        CHECK_INT(green_queue_putting(NULL) + green_queue_unfinished(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(take(q), 1);
        free_empty(q);
        CHECK_INT(green_queue_free(NULL), 0);
}

/* ---- channels */

static void
a_channel_holds_nothing_and_a_put_returns_when_its_item_was_taken(void)
{
        GREEN_COVERS("QUEUE-01", "QUEUE-07", "QUEUE-10");
        green_queue *q = green_queue_new(0, NULL);
        struct one put[2];

        CHECK(green_queue_empty(q) && green_queue_full(q));
        CHECK_INT(green_queue_put(q, PTR(1), 0), GREEN_EFULL);
        for (int i = 0; i < 2; i++)
                begin_put(&put[i], q, 1 + i, (char)('1' + i));
        turns(5);
        CHECK_TRACE("");
        CHECK(green_queue_empty(q) && green_queue_full(q));
        CHECK_INT(green_queue_qsize(q), 0);
        CHECK_INT(take(q), 1); /* from a green thread as well as from a callback */
        turns(5);
        CHECK_TRACE("1");
        CHECK_INT(put[1].rc, 9);
        CHECK_INT(take(q), 2);
        one_finish(&put[0], 0);
        one_finish(&put[1], 0);
        CHECK_TRACE("2");
        CHECK(green_queue_empty(q) && green_queue_full(q));
        free_empty(q);
}

static void
on_a_channel_the_getter_goes_on_before_the_putter(void)
{
        GREEN_COVERS("QUEUE-08");
        green_queue *q = green_queue_new(0, NULL);
        struct one put, get;

        begin_put(&put, q, 1, 'p');
        begin_get(&get, q, 'g'); /* finds the putter: goes on at once */
        one_finish(&get, 0);
        one_finish(&put, 0);
        CHECK_TRACE("gp");
        CHECK_PTR(get.item, PTR(1));
        free_empty(q);
}

static void
a_try_to_put_meets_a_getter_of_a_channel(void)
{
        GREEN_COVERS("QUEUE-09", "QUEUE-11");
        green_queue *q = green_queue_new(0, NULL);
        struct one get, gone;

        begin_get(&gone, q, 'x');
        begin_get(&get, q, 'g');
        CHECK_INT(green_kill(gone.gt, 0), 0);
        one_killed(&gone, GREEN_EKILLED);
        CHECK_INT(green_queue_put_nowait(q, PTR(4)), 0);
        CHECK_INT(green_queue_put_nowait(q, PTR(5)), GREEN_EFULL);
        one_finish(&get, 0);
        CHECK_PTR(get.item, PTR(4));
        begin_get(&gone, q, 'x');
        CHECK_INT(green_kill(gone.gt, 0), 0);
        CHECK_INT(green_queue_put_nowait(q, PTR(6)), GREEN_EFULL); /* the getter has vanished */
        one_killed(&gone, GREEN_EKILLED);
        CHECK_TRACE("xgx");
        free_empty(q);
}

/* ---- kills and timeouts */

static void
a_getter_that_leaves_takes_nothing_with_it(void)
{
        GREEN_COVERS("QUEUE-11");
        for (ssize_t maxsize = 0; maxsize < 2; maxsize++) {
                green_queue *q = green_queue_new(maxsize, NULL);
                struct one killed, limited, get;
                struct green_timeout t;
                void *item = PTR(8);

                clock_shift_begin();
                begin_get(&killed, q, 'k');
                one_begin(&limited, one_get_main, q, 0, 'l', 100);
                begin_get(&get, q, 'g');
                CHECK_INT(green_kill(killed.gt, 0), 0);
                clock_jump(101);
                one_finish(&limited, GREEN_EEMPTY);
                one_killed(&killed, GREEN_EKILLED);
                CHECK_INT(green_queue_getting(q), 1);
                CHECK_INT(green_queue_put(q, PTR(1), 0), 0);
                one_finish(&get, 0);
                CHECK_PTR(get.item, PTR(1));
                CHECK_INT(green_timeout_start(&t, 0.001), 0);
                clock_jump(1);
                CHECK_INT(green_queue_get(q, &item, GREEN_FOREVER), GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&t), 1);
                CHECK_PTR(item, PTR(8));
                memset(help_trace, 0, sizeof(help_trace));
                clock_shift_end();
                free_empty(q);
        }
}

static void
a_putter_that_leaves_leaves_nothing_behind(void)
{
        GREEN_COVERS("QUEUE-12");
        for (ssize_t maxsize = 0; maxsize < 2; maxsize++) {
                green_queue *q = green_queue_new(maxsize, NULL);
                struct one killed, limited, put;

                clock_shift_begin();
                fill(q, 1, (int)maxsize);
                begin_put(&killed, q, 20, 0);
                one_begin(&limited, one_put_main, q, 21, 0, 100);
                begin_put(&put, q, 22, 0);
                CHECK_INT(green_queue_putting(q), 3);
                CHECK_INT(green_kill(killed.gt, 0), 0);
                clock_jump(101);
                one_finish(&limited, GREEN_EFULL);
                one_killed(&killed, GREEN_EKILLED);
                if (maxsize == 1)
                        CHECK_INT(take(q), 1);
                CHECK_INT(take(q), 22);
                CHECK_INT(take(q), -1);
                one_finish(&put, 0);
                clock_shift_end();
                free_empty(q);
        }
}

static void
what_was_handed_over_stays_so_when_a_kill_comes_after_it(void)
{
        GREEN_COVERS("QUEUE-11");
        green_queue *q = green_queue_new(0, NULL);
        struct one get, put;
        void *item = NULL;

        begin_get(&get, q, 'g');
        CHECK_INT(green_queue_put(q, PTR(1), 0), 0);
        CHECK_INT(green_kill(get.gt, 0), 0); /* it runs at once, and has the item */
        CHECK_TRACE("g");
        CHECK_INT(get.rc, 0);
        CHECK_PTR(get.item, PTR(1));
        one_killed(&get, 0);
        CHECK_INT(get.next, GREEN_EKILLED); /* the next call sees the kill */
        begin_put(&put, q, 2, 'p');
        CHECK_INT(green_queue_get(q, &item, 0), 0);
        CHECK_PTR(item, PTR(2));
        CHECK_INT(green_kill(put.gt, 0), 0);
        CHECK_TRACE("p");
        one_killed(&put, 0);
        CHECK_INT(put.next, GREEN_EKILLED);
        free_empty(q);
}

static void
what_was_handed_over_stays_so_when_the_time_is_over_after_it(void)
{
        green_queue *q = green_queue_new(0, NULL);
        struct one get, put;

        clock_shift_begin();
        one_begin(&get, one_get_main, q, 0, 0, 100);
        CHECK_INT(green_queue_put(q, PTR(1), 0), 0);
        clock_jump(1000);
        one_finish(&get, 0);
        CHECK_PTR(get.item, PTR(1));
        one_begin(&put, one_put_main, q, 2, 0, 100);
        CHECK_INT(take(q), 2);
        clock_jump(1000);
        one_finish(&put, 0);
        clock_shift_end();
        free_empty(q);
}

struct marked {
        green_queue *q;
        green_thread *gt;
        int rc;
};

/* In hub context: a kill does not run its victim. */
static void
kill_then_serve(void *arg)
{
        struct marked *m = arg;

        CHECK_INT(green_kill(m->gt, 0), 0);
        CHECK_INT(green_queue_getting(m->q) + green_queue_putting(m->q), 0); /* off the queue before it runs */
        m->rc = green_queue_put(m->q, PTR(3), 0);
}

static void
nothing_is_handed_to_one_that_was_killed_and_has_not_run(void)
{
        GREEN_COVERS("QUEUE-09", "QUEUE-11");
        for (ssize_t maxsize = 0; maxsize < 2; maxsize++) {
                green_queue *q = green_queue_new(maxsize, NULL);
                struct marked m = {.q = q, .rc = 9};
                struct one get;

                begin_get(&get, q, 0);
                m.gt = get.gt;
                CHECK_INT(green_schedule_call_global(0, kill_then_serve, &m), 0);
                one_killed(&get, GREEN_EKILLED);
                CHECK_INT(m.rc, maxsize == 0 ? GREEN_EFULL : 0);
                CHECK_INT(take(q), maxsize == 0 ? -1 : 3);
                free_empty(q);
        }
}

static void
a_killed_caller_does_nothing_unless_it_only_tries(void)
{
        green_queue *q = green_queue_new(2, NULL);
        void *item = NULL;

        fill(q, 1, 1);
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_queue_put(q, PTR(2), GREEN_FOREVER), GREEN_EKILLED);
        CHECK_INT(green_queue_get(q, &item, 5), GREEN_EKILLED);
        CHECK_INT(green_queue_qsize(q), 1);
        CHECK_INT(green_queue_put(q, PTR(2), 0), 0);
        CHECK_INT(green_queue_get_nowait(q, &item), 0);
        CHECK_PTR(item, PTR(1));
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(take(q), 2);
        free_empty(q);
}

static void *
shielded_get(void *arg)
{
        struct one *o = arg;

        green_shield_begin();
        o->rc = green_queue_get(o->q, &o->item, o->timeout);
        green_shield_end();
        one_end(o);
        return NULL;
}

static void
a_shield_keeps_a_kill_from_a_wait(void)
{
        green_queue *q = green_queue_new(0, NULL);
        struct one get;

        one_begin(&get, shielded_get, q, 0, 0, GREEN_FOREVER);
        CHECK_INT(green_kill(get.gt, 0), 0);
        turns(3);
        CHECK_INT(get.rc, 9);
        CHECK_INT(green_queue_getting(q), 1);
        CHECK_INT(green_queue_put(q, PTR(6), 0), 0);
        one_killed(&get, 0);
        CHECK_PTR(get.item, PTR(6));
        CHECK_INT(get.next, GREEN_EKILLED);
        free_empty(q);
}

static void
a_kill_whose_code_is_that_of_a_time_limit_is_not_taken_for_one(void)
{
        green_queue *q = green_queue_new(0, NULL);
        struct one get, put;

        one_begin(&get, one_get_main, q, 0, 0, 1000);
        one_begin(&put, one_get_main, q, 0, 0, GREEN_FOREVER);
        CHECK_INT(green_kill(get.gt, -ETIMEDOUT), 0);
        CHECK_INT(green_kill(put.gt, -ETIMEDOUT), 0);
        CHECK_INT(join(get.gt), -ETIMEDOUT);
        CHECK_INT(join(put.gt), -ETIMEDOUT);
        CHECK_INT(get.rc, -ETIMEDOUT);
        CHECK_INT(put.rc, -ETIMEDOUT);
        free_empty(q);
}

/* ---- who goes on when others end */

static void *
fail_with_item(void *arg)
{
        struct one *o = arg;

        o->rc = green_queue_get(o->q, &o->item, GREEN_FOREVER);
        return green_fail(-EDOM);
}

static void
a_getter_that_ends_in_failure_does_not_stop_the_others(void)
{
        GREEN_COVERS("QUEUE-23");
        green_queue *q = green_queue_new(0, NULL);
        struct one o[4];

        for (int i = 0; i < 4; i++)
                one_begin(&o[i], i % 2 == 0 ? fail_with_item : one_get_main, q, 0, 0, GREEN_FOREVER);
        fill(q, 1, 4);
        for (int i = 0; i < 4; i++) {
                CHECK_INT(join(o[i].gt), i % 2 == 0 ? -EDOM : 0);
                CHECK_INT(o[i].rc, 0);
                CHECK_PTR(o[i].item, PTR(i + 1));
        }
        free_empty(q);
}

static void *
stop_with_item(void *arg)
{
        struct one *o = arg;

        o->rc = green_queue_get(o->q, &o->item, GREEN_FOREVER);
        CHECK_INT(green_hub_stop(0), 0);
        return NULL;
}

static void
a_getter_that_stops_the_hub_does_not_hurt_the_queue(void)
{
        GREEN_COVERS("QUEUE-22");
        green_queue *q = green_queue_new(0, NULL);
        struct one stopper, other;
        void *item;

        one_begin(&stopper, stop_with_item, q, 0, 0, GREEN_FOREVER);
        begin_get(&other, q, 0);
        fill(q, 1, 2);
        CHECK_INT(green_sleep(SOON), GREEN_ESTOPPED); /* main is told */
        CHECK_INT(green_queue_get(q, &item, SOON), GREEN_ESTOPPED);
        CHECK_INT(green_recover(), GREEN_ESTOPPED);
        CHECK_INT(join(stopper.gt), 0);
        CHECK_INT(stopper.rc, 0);
        CHECK_PTR(stopper.item, PTR(1));
        one_finish(&other, 0);
        CHECK_PTR(other.item, PTR(2));
        begin_get(&other, q, 0); /* and it goes on */
        fill(q, 3, 3);
        one_finish(&other, 0);
        CHECK_PTR(other.item, PTR(3));
        free_empty(q);
}

struct round_robin {
        green_queue *from, *to;
        int rounds;
};

static void *
go_round(void *arg)
{
        struct round_robin *r = arg;
        void *item;
        int rc;

        do {
                rc = green_queue_get(r->from, &item, GREEN_FOREVER);
                if (rc == 0)
                        rc = green_queue_put(r->to, item, GREEN_FOREVER);
                r->rounds++;
        } while (rc == 0);
        return NULL;
}

static void
two_that_put_what_they_get_starve_nobody(void)
{
        GREEN_COVERS("QUEUE-24");
        for (ssize_t maxsize = 0; maxsize < 2; maxsize++) {
                green_queue *a = green_queue_new(maxsize, NULL), *b = green_queue_new(maxsize, NULL);
                struct round_robin r[2] = {{a, b, 0}, {b, a, 0}};
                green_thread *gt[2];

                for (int i = 0; i < 2; i++)
                        gt[i] = green_spawn(go_round, &r[i]);
                CHECK_INT(green_queue_put(a, PTR(1), SOON), 0);
                for (int i = 0; i < 10; i++)
                        CHECK_INT(green_sleep(0), 0); /* a third one runs, ... */
                CHECK_INT(green_sleep(0.002), 0);     /* ... and timers come */
                for (int i = 0; i < 2; i++) {
                        CHECK(r[i].rounds > 5);
                        CHECK_INT(green_kill(gt[i], 0), 0);
                        CHECK_INT(join(gt[i]), GREEN_EKILLED);
                }
                CHECK_INT(green_queue_free(a), 0);
                CHECK_INT(green_queue_free(b), 0);
        }
}

GREEN_SUITE(sync_queue) {
        GREEN_TEST(put_and_get_do_not_yield_where_they_need_not_wait),
        GREEN_TEST(null_is_an_item_like_any_other),
        GREEN_TEST(a_getter_waits_and_gets_the_item_from_hand_to_hand),
        GREEN_TEST(a_putter_waits_and_the_get_that_makes_room_puts_its_item),
        GREEN_TEST(those_who_wait_are_served_in_the_order_they_came),
        GREEN_TEST(a_queue_without_end_never_waits_to_put),
        GREEN_TEST(a_limit_ends_a_wait_with_empty_or_full),
        GREEN_TEST(a_limit_of_zero_tries_and_does_not_yield),
        GREEN_TEST(bad_arguments_are_errors_and_change_nothing),
        GREEN_TEST(a_channel_holds_nothing_and_a_put_returns_when_its_item_was_taken),
        GREEN_TEST(on_a_channel_the_getter_goes_on_before_the_putter),
        GREEN_TEST(a_try_to_put_meets_a_getter_of_a_channel),
        GREEN_TEST(a_getter_that_leaves_takes_nothing_with_it),
        GREEN_TEST(a_putter_that_leaves_leaves_nothing_behind),
        GREEN_TEST(what_was_handed_over_stays_so_when_a_kill_comes_after_it),
        GREEN_TEST(what_was_handed_over_stays_so_when_the_time_is_over_after_it),
        GREEN_TEST(nothing_is_handed_to_one_that_was_killed_and_has_not_run),
        GREEN_TEST(a_killed_caller_does_nothing_unless_it_only_tries),
        GREEN_TEST(a_shield_keeps_a_kill_from_a_wait),
        GREEN_TEST(a_kill_whose_code_is_that_of_a_time_limit_is_not_taken_for_one),
        GREEN_TEST(a_getter_that_ends_in_failure_does_not_stop_the_others),
        GREEN_TEST(a_getter_that_stops_the_hub_does_not_hurt_the_queue),
        GREEN_TEST(two_that_put_what_they_get_starve_nobody),
        GREEN_SUITE_END
};
