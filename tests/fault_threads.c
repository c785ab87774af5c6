/*
 * Each allocation and system call fails in its turn where several OS threads take part: channels, the thread pool, and
 * the waits of core that they stand on; see fault_core.c.
 */
#include "fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <green/sync.h>

#define SOON 5.0

/* As in fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

/* ---- channels */

static void *
put_two(void *arg)
{
        for (int i = 1; i <= 2; i++)
                if (!CHECK_INT(green_chan_put(arg, arg, GREEN_FOREVER), 0))
                        break;
        green_chan_unref(arg);
        return NULL;
}

static void
channels(void)
{
        pthread_t thread;
        green_chan *c;
        void *item = NULL;

        if (!have_hub())
                return;
        c = green_chan_new(1);
        if (!MADE(c))
                return;
        CHECK_INT(green_chan_get(c, &item, 0), GREEN_EEMPTY);
        fault_pause();
        CHECK_INT(pthread_create(&thread, NULL, put_two, green_chan_ref(c)), 0);
        fault_resume();
        for (int i = 0; i < 2; i++) {
                int rc;

                /* A hub that cannot be woken is asked again. */
                while ((rc = green_chan_get(c, &item, 0.01)) == GREEN_EEMPTY)
                        ;
                CHECK_INT(rc, 0);
                CHECK_PTR(item, c);
        }
        CHECK_INT(green_chan_len(c), 0);
        CHECK_INT(green_chan_close(c), 0);
        CHECK_INT(green_chan_put(c, NULL, GREEN_FOREVER), GREEN_ECLOSED);
        fault_pause();
        CHECK_INT(pthread_join(thread, NULL), 0);
        fault_resume();
        green_chan_unref(c);
}

/* ---- the pool */

static void *
return_arg(void *arg)
{
        return arg;
}

static int
next(void *iterator, void **ret_item)
{
        *ret_item = iterator;
        return 0;
}

static void
drop(void *arg, void *result)
{
        (void)arg;
        (void)result;
}

static void
calls(void)
{
        const struct green_tpool_opts opts = {.size = sizeof opts, .release = drop};
        struct green_tpool_info info = {.size = sizeof info};
        void *result = NULL;

        if (!have_hub())
                return;
        CHECK(!green_debug_tpool_exceptions(false));
        CHECK_INT(green_tpool_set_num_threads(2), 0);
        if (OK(green_tpool_execute(return_arg, &info, NULL, &result)))
                CHECK_PTR(result, &info);
        (void)OK(green_tpool_execute(return_arg, &info, &opts, NULL));
        if (OK(green_tpool_proxy_next(next, &info, &result)))
                CHECK_PTR(result, &info);
        CHECK_INT(green_tpool_get_info(&info), 0);
        CHECK_INT(green_tpool_killall(SOON), 0);
}

/* ---- what they stand on */

struct entry {
        struct green_wait_mt wait;
        pthread_mutex_t lock;
        bool listed;
};

static void
forget(struct green_wait_mt *wait)
{
        (void)wait;
}

static void *
hand_over(void *arg)
{
        struct entry *e = arg;
        green_hub *hub;

        pthread_mutex_lock(&e->lock);
        e->listed = false;
        hub = green_claim_mt(&e->wait, NULL);
        pthread_mutex_unlock(&e->lock);
        CHECK_INT(green_hand_mt(hub, &e->wait), 0);
        green_hub_unref(hub);
        return NULL;
}

static void
waits(void)
{
        struct entry e = {.lock = PTHREAD_MUTEX_INITIALIZER, .listed = true};
        green_thread *self;
        pthread_t thread;
        bool listed;

        CHECK(green_processors() >= 1);
        if (!have_hub())
                return;
        CHECK_INT(green_park_check_mt(1, &self), 0);
        CHECK_PTR(self, green_getcurrent());
        green_wait_mt_begin(&e.wait, forget);
        CHECK_INT(green_park_mt(&e.wait, 0.001), -ETIMEDOUT);
        fault_pause();
        CHECK_INT(pthread_create(&thread, NULL, hand_over, &e), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        fault_resume();
        pthread_mutex_lock(&e.lock);
        listed = e.listed;
        pthread_mutex_unlock(&e.lock);
        CHECK(!listed);
        CHECK_INT(green_settle_mt(&e.wait), 0);
        CHECK_INT(green_park_mt(&e.wait, GREEN_FOREVER), 0);
        green_wait_mt_end(&e.wait);
}

/* Where no second thread can be started the first one does all. */
#define SCENARIOS(X)                                                                                                   \
        X(calls, ALTSTACK | FEWER, FEWER)                                                                              \
        X(channels, ALTSTACK, FEWER)                                                                                   \
        X(waits, ALTSTACK, FEWER)

FAULT_DEFINE_WITH_THREADS(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

GREEN_SUITE(fault_threads) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
