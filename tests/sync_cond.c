/*
 * Condition variables. What all waits have in common is in sync_wait.c.
 */
#include "sync_help.h"

GREEN_SUITE_INIT(sync_init)

static int
acquire(void *l, double timeout)
{
        return green_lock_acquire(l, timeout);
}

struct pair {
        green_lock *l;
        green_cond *c;
};

static struct pair
make_pair(void)
{
        struct pair p = {green_lock_new(), green_cond_new()};

        CHECK(p.l != NULL && p.c != NULL);
        return p;
}

static void
free_pair(struct pair *p)
{
        CHECK_INT(green_cond_free(p->c), 0);
        CHECK_INT(green_lock_free(p->l), 0);
}

/* Holds the lock before, and afterwards whatever the wait returned. */
static int
wait_told(void *arg, double timeout)
{
        struct pair *p = arg;
        int rc;

        green_shield_begin();
        CHECK_INT(green_lock_acquire(p->l, GREEN_FOREVER), 0);
        green_shield_end();
        rc = green_cond_wait(p->c, p->l, timeout);
        CHECK(green_lock_locked(p->l));
        log_text[0] = '\0';
        CHECK_INT(green_lock_release(p->l), 0);
        /* Nobody but the owner releases without a report. */
        CHECK_STR(log_text, "");
        return rc;
}

static void
one_that_is_told_has_the_lock_again(void)
{
        struct pair p = make_pair();
        struct waiter w[3] = {{0}};

        CHECK_INT(green_cond_signal(p.c), 0);
        CHECK_INT(green_cond_broadcast(p.c), 0);
        for (int i = 0; i < 3; i++)
                waiter_start(&w[i], wait_told, &p, GREEN_FOREVER);
        CHECK(!green_lock_locked(p.l));
        CHECK_INT(green_cond_free(p.c), -EBUSY);
        CHECK_INT(green_lock_acquire(p.l, 0), 0);
        CHECK_INT(green_cond_signal(p.c), 1);
        turns(2);
        CHECK(waits(&w[0]));
        CHECK_INT(green_cond_broadcast(p.c), 2);
        CHECK_INT(green_cond_broadcast(p.c), 0);
        turns(2);
        CHECK_INT(waiters_returned, 0);
        CHECK_INT(green_lock_release(p.l), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(waiter_end(&w[i]), 0);
                CHECK_INT(w[i].order, i + 1);
        }
        free_pair(&p);
        CHECK_NEEDS_MEMORY(green_cond *, green_cond_new(), green_cond_free);
}

static int
wait_in_scope(void *arg, double timeout)
{
        struct green_timeout t = {{0}};
        int rc;

        CHECK_INT(green_timeout_start(&t, timeout), 0);
        rc = wait_told(arg, GREEN_FOREVER);
        (void)green_timeout_cancel(&t);
        return rc;
}

static void
one_that_gives_up_has_the_lock_again_too_in_its_turn(void)
{
        static const int codes[] = {GREEN_EKILLED, -ETIMEDOUT, GREEN_ETIMEOUT};
        struct pair p = make_pair();
        struct waiter w = {0};

        for (int how = 0; how < 3; how++) {
                waiter_start(&w, how == 2 ? wait_in_scope : wait_told, &p, how == 0 ? GREEN_FOREVER : 0.001);
                CHECK(waits(&w));
                CHECK_INT(green_lock_acquire(p.l, 0), 0);
                if (how == 0)
                        CHECK_INT(green_kill(w.thread, 0), 0);
                else
                        CHECK_INT(green_sleep(0.01), 0);
                /* It does not wait to be told any more, but for the lock, and a kill does not help it. */
                CHECK_INT(green_cond_signal(p.c), 0);
                CHECK_INT(green_kill(w.thread, -EOWNERDEAD), 0);
                turns(3);
                CHECK(waits(&w));
                CHECK_INT(green_lock_release(p.l), 0);
                CHECK_INT(waiter_end(&w), codes[how]);
                CHECK(!green_lock_locked(p.l));
        }
        free_pair(&p);
}

static void
one_that_is_told_and_then_killed_was_told(void)
{
        struct pair p = make_pair();
        struct waiter w = {.again = true};

        waiter_start(&w, wait_told, &p, GREEN_FOREVER);
        CHECK_INT(green_lock_acquire(p.l, 0), 0);
        CHECK_INT(green_cond_signal(p.c), 1);
        turns(2);
        CHECK_INT(green_kill(w.thread, 0), 0);
        turns(2);
        CHECK(waits(&w));
        CHECK_INT(green_lock_release(p.l), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(w.rc_again, GREEN_EKILLED);
        free_pair(&p);
}

static void
a_call_that_cannot_wait_keeps_the_lock(void)
{
        struct pair p = make_pair();
        struct waiter w = {0};

        CHECK_INT(green_lock_acquire(p.l, 0), 0);
        waiter_start(&w, acquire, p.l, GREEN_FOREVER);
        CHECK_INT(green_cond_wait(p.c, p.l, 0), -ETIMEDOUT);
        CHECK_INT(green_cond_wait(p.c, p.l, -1), -EINVAL);
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_cond_wait(p.c, p.l, 0), -ETIMEDOUT);
        CHECK_INT(green_cond_wait(p.c, p.l, GREEN_FOREVER), GREEN_EKILLED);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        turns(2);
        CHECK(waits(&w));
        CHECK_INT(green_lock_release(p.l), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_lock_release(p.l), 0);
        free_pair(&p);
}

static void
wait_in_callback(void *arg)
{
        struct pair *p = arg;

        CHECK_INT(green_lock_acquire(p->l, 0), 0);
        CHECK_INT(green_cond_wait(p->c, p->l, GREEN_FOREVER), -EDEADLK);
        CHECK(green_lock_locked(p->l));
        CHECK_INT(green_lock_release(p->l), 0);
        CHECK_INT(green_cond_signal(p->c), 0);
}

static void
use_pair_elsewhere(void *arg)
{
        struct pair *p = arg, own = make_pair();

        CHECK_INT(green_cond_wait(p->c, p->l, 1), -EPERM);
        CHECK_INT(green_cond_signal(p->c), -EPERM);
        CHECK_INT(green_cond_broadcast(p->c), -EPERM);
        CHECK_INT(green_lock_acquire(own.l, 0), 0);
        CHECK_INT(green_cond_wait(p->c, own.l, 1), -EPERM);
        CHECK_INT(green_cond_wait(own.c, p->l, 1), -EPERM);
        CHECK(green_lock_locked(own.l));
        free_pair(&own);
}

static void
what_makes_no_sense_to_a_condition_variable_is_refused(void)
{
        struct pair p = make_pair();
        struct waiter w = {0};

        CHECK_INT(green_cond_wait(p.c, p.l, 1), -EINVAL);
        CHECK(reported("green_cond_wait: the lock is not locked"));
        CHECK_INT(green_cond_wait(NULL, p.l, 1), -EINVAL);
        CHECK_INT(green_cond_wait(p.c, NULL, 1), -EINVAL);
        CHECK_INT(green_cond_signal(NULL), -EINVAL);
        CHECK_INT(green_cond_broadcast(NULL), -EINVAL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(green_lock_acquire(p.l, 0), 0);
        in_thread(use_pair_elsewhere, &p);
        CHECK_INT(green_lock_release(p.l), 0);
        in_callback(wait_in_callback, &p);
        log_text[0] = '\0';
        /* A lock that somebody else holds is released and taken all the same. */
        waiter_start(&w, acquire, p.l, 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_cond_wait(p.c, p.l, 0.001), -ETIMEDOUT);
        CHECK(reported("a lock that was taken by green thread"));
        CHECK_INT(green_lock_release(p.l), 0);
        CHECK_STR(log_text, "");
        free_pair(&p);
}

GREEN_SUITE(sync_cond) {
        GREEN_TEST(one_that_is_told_has_the_lock_again),
        GREEN_TEST(one_that_gives_up_has_the_lock_again_too_in_its_turn),
        GREEN_TEST(one_that_is_told_and_then_killed_was_told),
        GREEN_TEST(a_call_that_cannot_wait_keeps_the_lock),
        GREEN_TEST(what_makes_no_sense_to_a_condition_variable_is_refused),
        GREEN_SUITE_END
};
