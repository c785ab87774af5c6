/*
 * Channels between OS threads: nothing is lost and nothing comes twice, whatever is killed, out of time, ended or
 * forked.
 */
#include "sync_help.h"

GREEN_SUITE_INIT(sync_init)

/* ---- four OS threads, some with green threads and some plain, put and get at once */

enum { PUTTERS = 8, PER_PUTTER = 4000 };

struct crowd {
        green_chan *chan;
        atomic_int seen[PUTTERS * PER_PUTTER + 1]; /* how often each item was got */
        atomic_int putting;                        /* putters that are not done */
};

struct one {
        struct crowd *crowd;
        int number;
        bool hasty; /* gives up now and then, and tries again */
        uint32_t random;
        int last[PUTTERS]; /* of a getter: what it got last of each putter */
        green_thread *thread;
        bool done;
};

static double
limit_of(struct one *o)
{
        o->random = o->random * 1664525u + 1013904223u;
        return !o->hasty ? GREEN_FOREVER : (double)(o->random >> 24) * 1e-6;
}

static bool
gave_up(int rc, int over)
{
        return rc == over || (rc == GREEN_EKILLED && green_recover() == GREEN_EKILLED);
}

static void *
put_all(void *arg)
{
        struct one *o = arg;

        for (int i = 1; i <= PER_PUTTER; i++) {
                int item = o->number * PER_PUTTER + i, rc;

                while (gave_up(rc = green_chan_put(o->crowd->chan, PTR(item), limit_of(o)), GREEN_EFULL))
                        ;
                if (!CHECK_INT(rc, 0))
                        break;
        }
        if (atomic_fetch_sub(&o->crowd->putting, 1) == 1)
                CHECK_INT(green_chan_close(o->crowd->chan), 0);
        o->done = true;
        return NULL;
}

static void *
get_all(void *arg)
{
        struct one *o = arg;
        void *item = NULL;
        int rc;

        for (;;) {
                rc = green_chan_get(o->crowd->chan, &item, limit_of(o));
                if (gave_up(rc, GREEN_EEMPTY))
                        continue;
                if (rc != 0)
                        break;
                atomic_fetch_add(&o->crowd->seen[INT(item)], 1);
                /* Of one putter they come in order. */
                if (!CHECK(INT(item) > o->last[(INT(item) - 1) / PER_PUTTER]))
                        break;
                o->last[(INT(item) - 1) / PER_PUTTER] = INT(item);
        }
        CHECK_INT(rc, GREEN_ECLOSED);
        o->done = true;
        return NULL;
}

/* Two of each side, and one that kills them. */
static void *
green_crowd(void *arg)
{
        struct one *all = arg;
        bool done = false;

        for (int i = 0; i < 4; i++)
                all[i].thread = green_spawn(i < 2 ? put_all : get_all, &all[i]);
        for (int turn = 0; !done; turn++) {
                CHECK_INT(green_sleep(0.0002), 0);
                done = true;
                for (int i = 0; i < 4; i++) {
                        if (!all[i].done && turn % 4 == i)
                                CHECK_INT(green_kill(all[i].thread, 0), 0);
                        done = done && all[i].done;
                }
        }
        for (int i = 0; i < 4; i++) {
                int rc = join(all[i].thread);

                CHECK(rc == 0 || rc == GREEN_EKILLED);
        }
        return NULL;
}

static void *
green_crowd_elsewhere(void *arg)
{
        (void)green_crowd(arg);
        CHECK_INT(green_hub_destroy(SOON), 0);
        return NULL;
}

static void
crowded(size_t capacity, bool hasty)
{
        static struct crowd crowd;
        static struct one all[16];
        pthread_t thread[9];
        int n = 0;

        memset(&crowd, 0, sizeof(crowd));
        memset(all, 0, sizeof(all));
        crowd.chan = green_chan_new(capacity);
        crowd.putting = PUTTERS;
        /* Of each four the first two put. */
        for (int i = 0; i < 16; i++)
                all[i] = (struct one){&crowd, i / 4 * 2 + i % 4, hasty, (uint32_t)i + 1, {0}, NULL, false};
        CHECK_INT(pthread_create(&thread[n++], NULL, green_crowd_elsewhere, &all[0]), 0);
        for (int i = 4; i < 12; i++)
                CHECK_INT(pthread_create(&thread[n++], NULL, i % 4 < 2 ? put_all : get_all, &all[i]), 0);
        (void)green_crowd(&all[12]);
        for (int i = 0; i < n; i++)
                CHECK_INT(pthread_join(thread[i], NULL), 0);
        for (int i = 1; i <= PUTTERS * PER_PUTTER; i++)
                if (!CHECK_INT(crowd.seen[i], 1))
                        break;
        CHECK_INT(green_chan_len(crowd.chan), 0);
        green_chan_unref(crowd.chan);
}

static void
green_and_plain_threads_put_and_get_at_once_and_all_comes_once(void)
{
        GREEN_COVERS("ISS-05", "LOCK-04");
        crowded(1, false);
        crowded(7, false);
        crowded(128, false);
}

static void
nothing_is_lost_where_those_who_wait_give_up_at_any_moment(void)
{
        GREEN_COVERS("ISS-05");
        crowded(1, true);
        crowded(7, true);
}

/* ---- the end of a hub in which somebody waits */

struct leaver {
        green_chan *chan;
        green_chan *ready; /* tells that it waits */
        bool put;
        double later; /* seconds until its hub ends */
};

static void *
wait_in_chan(void *arg)
{
        struct leaver *l = arg;
        void *item;

        if (l->put)
                (void)!green_chan_put(l->chan, PTR(7), GREEN_FOREVER);
        else
                (void)!green_chan_get(l->chan, &item, GREEN_FOREVER);
        return NULL;
}

static void *
leave(void *arg)
{
        struct leaver *l = arg;
        green_thread *gt = green_spawn(wait_in_chan, l);

        turns(1);
        if (l->ready != NULL)
                CHECK_INT(green_chan_put(l->ready, NULL, 0), 0);
        burn(l->later);
        green_thread_unref(gt);
        CHECK_INT(green_hub_destroy(0), -ETIMEDOUT);
        return NULL;
}

static void
one_that_waits_when_its_hub_ends_takes_nothing_along(void)
{
        static const bool sides[] = {false, true};

        for (int i = 0; i < 2; i++) {
                struct leaver l = {green_chan_new(1), NULL, sides[i], 0};
                pthread_t thread;
                void *item = NULL;

                if (l.put)
                        CHECK_INT(green_chan_put(l.chan, PTR(1), 0), 0);
                CHECK_INT(pthread_create(&thread, NULL, leave, &l), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
                CHECK(reported("freed unrun"));
                if (!l.put)
                        CHECK_INT(green_chan_put(l.chan, PTR(1), 0), 0);
                CHECK_INT(green_chan_len(l.chan), 1);
                CHECK_INT(green_chan_get(l.chan, &item, 0), 0);
                CHECK_INT(INT(item), 1);
                CHECK_INT(green_chan_get(l.chan, &item, 0), GREEN_EEMPTY);
                green_chan_unref(l.chan);
        }
}

/* Again and again one hands over while the other's hub ends: it either arrives, or not, and nothing is touched that is
 * gone.
 */
static void
a_hand_over_to_a_hub_that_ends_touches_nothing_of_it(void)
{
        for (int i = 0; i < 200; i++) {
                struct leaver l = {green_chan_new(1), green_chan_new(1), false, i % 20 * 1e-6};
                pthread_t thread;
                void *item;

                CHECK_INT(pthread_create(&thread, NULL, leave, &l), 0);
                CHECK_INT(green_chan_get(l.ready, &item, GREEN_FOREVER), 0);
                CHECK_INT(green_chan_put(l.chan, PTR(1), 0), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
                while (green_chan_get(l.chan, &item, 0) == 0)
                        CHECK_INT(INT(item), 1);
                green_chan_unref(l.chan);
                green_chan_unref(l.ready);
        }
}

/* ---- fork */

static atomic_bool hammering;

static void *
hammer(void *arg)
{
        void *item;

        while (atomic_load(&hammering)) {
                (void)!green_chan_put(arg, PTR(1), 0);
                (void)!green_chan_get(arg, &item, 0);
        }
        return NULL;
}

static void *
wait_plainly(void *arg)
{
        void *item = NULL;

        CHECK_INT(green_chan_get(arg, &item, GREEN_FOREVER), 0);
        return item;
}

static int
get_it(void *arg, double timeout)
{
        void *item;

        return green_chan_get(arg, &item, timeout);
}

static void
the_child_of_a_fork_can_use_channels_that_others_were_in(void)
{
        green_chan *busy = green_chan_new(4), *awaited = green_chan_new(1);
        pthread_t thread[2];
        void *item = NULL;

        GREEN_COVERS("FORK-05");
        atomic_store(&hammering, true);
        CHECK_INT(pthread_create(&thread[0], NULL, hammer, busy), 0);
        CHECK_INT(pthread_create(&thread[1], NULL, wait_plainly, awaited), 0);
        for (int i = 0; i < 20; i++) {
                struct waiter w = {0};
                pid_t pid;

                waiter_start(&w, get_it, awaited, GREEN_FOREVER);
                pid = child_begin();
                if (pid == 0) {
                        while (green_chan_get(busy, &item, 0) == 0)
                                CHECK_INT(INT(item), 1);
                        for (int k = 0; k < 4; k++)
                                CHECK_INT(green_chan_put(busy, PTR(k), 0), 0);
                        CHECK_INT(green_chan_put(busy, NULL, 0.001), GREEN_EFULL);
                        /* Those who waited are forgotten, so it stays in the channel. */
                        CHECK_INT(green_chan_put(awaited, PTR(3), 0), 0);
                        CHECK_INT(green_chan_len(awaited), 1);
                        CHECK_INT(green_chan_get(awaited, &item, 0), 0);
                        CHECK_INT(green_chan_get(awaited, &item, 0.001), GREEN_EEMPTY);
                        CHECK_INT(green_chan_close(awaited), 0);
                        child_exit();
                }
                CHECK_INT(child_end(pid), 0);
                CHECK_INT(green_kill(w.thread, 0), 0);
                CHECK_INT(waiter_end(&w), GREEN_EKILLED);
        }
        atomic_store(&hammering, false);
        CHECK_INT(green_chan_put(awaited, PTR(5), 0), 0);
        CHECK_INT(pthread_join(thread[0], NULL), 0);
        CHECK_INT(pthread_join(thread[1], &item), 0);
        CHECK_INT(INT(item), 5);
        while (green_chan_get(busy, &item, 0) == 0)
                ;
        green_chan_unref(busy);
        green_chan_unref(awaited);
}

static void
put_one(void *arg)
{
        CHECK_INT(green_chan_put(arg, PTR(1), 0), 0);
}

static void
a_hand_over_that_is_on_its_way_at_a_fork_is_the_parent_s(void)
{
        green_chan *c = green_chan_new(1);
        struct waiter w[20] = {{0}};
        pid_t pid;

        GREEN_COVERS("FORK-05");
        for (int i = 0; i < 20; i++)
                waiter_start(&w[i], get_it, c, GREEN_FOREVER);
        for (int i = 0; i < 20; i++)
                in_thread(put_one, c);
        pid = child_begin();
        if (pid == 0) {
                struct waiter again[20] = {{0}};

                /* On the stacks of those who have been forgotten. */
                for (int i = 0; i < 20; i++)
                        waiter_start(&again[i], get_it, c, GREEN_FOREVER);
                CHECK_INT(green_sleep(0.001), 0);
                for (int i = 0; i < 20; i++)
                        CHECK(waits(&again[i]));
                for (int i = 0; i < 20; i++)
                        CHECK_INT(green_chan_put(c, PTR(1), 0), 0);
                for (int i = 0; i < 20; i++)
                        CHECK_INT(waiter_end(&again[i]), 0);
                child_exit();
        }
        CHECK_INT(child_end(pid), 0);
        for (int i = 0; i < 20; i++)
                CHECK_INT(waiter_end(&w[i]), 0);
        green_chan_unref(c);
}

GREEN_SUITE(sync_chan_threads) {
        GREEN_TEST(green_and_plain_threads_put_and_get_at_once_and_all_comes_once, .limit = 120),
        GREEN_TEST(nothing_is_lost_where_those_who_wait_give_up_at_any_moment, .limit = 120),
        GREEN_TEST(one_that_waits_when_its_hub_ends_takes_nothing_along),
        GREEN_TEST(a_hand_over_to_a_hub_that_ends_touches_nothing_of_it),
        GREEN_TEST(a_hand_over_that_is_on_its_way_at_a_fork_is_the_parent_s),
        GREEN_TEST(the_child_of_a_fork_can_use_channels_that_others_were_in),
        GREEN_SUITE_END
};
