/* hub_conformance: wake(), time, fork(), pollfd(), several states. */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* ---- wake() */

void
a_wake_ends_the_next_wait(void)
{
        void *hub = conf_open();

        if (hub == NULL)
                return;
        errno = EILSEQ;
        CHECK_INT(conf_ops->wake(hub), 0);
        CHECK_INT(errno, EILSEQ);
        conf_woken(hub);
        conf_quiet(hub); /* and only that one */
        conf_close(hub);
}

void
several_wakes_count_as_one(void)
{
        struct green_hub_event event;
        void *hub = conf_open();
        double begin;

        if (hub == NULL)
                return;
        for (int i = 0; i < 100000; i++) {
                if (!CHECK_INT(conf_ops->wake(hub), 0))
                        break;
        }
        conf_woken(hub);
        begin = conf_now();
        CHECK_INT(conf_ops->wait(hub, &event, 1, 20 * 1000 * 1000), 0);
        CHECK_RANGE(conf_now() - begin, 0.02, CONF_SOON);
        conf_close(hub);
}

static void *
wake_soon(void *hub)
{
        /* That the other one waits cannot be seen from here; if it does not yet, the test only proves less. */
        conf_pause(0.02);
        conf_ops->wake(hub);
        return NULL;
}

void
a_wake_from_another_thread_ends_the_wait(void)
{
        void *hub = conf_open();
        pthread_t thread;
        double begin = conf_now();

        if (hub == NULL || !CHECK_INT(pthread_create(&thread, NULL, wake_soon, hub), 0))
                return;
        conf_woken(hub);
        CHECK_RANGE(conf_now() - begin, 0.02, CONF_SOON);
        pthread_join(thread, NULL);
        conf_close(hub);
}

enum {
        TURNS = CONF_TURNS,
};

struct turns {
        void *hub;
        atomic_int asked, seen;
};

/* Asks, wakes, and waits until it was seen: a wake that got lost hangs the test. */
static void *
ask(void *arg)
{
        struct turns *turns = arg;

        for (int i = 1; i <= TURNS; i++) {
                turns->asked = i;
                conf_ops->wake(turns->hub);
                while (turns->seen < i)
                        sched_yield();
        }
        return NULL;
}

void
no_wake_is_lost(void)
{
        struct turns turns = {.hub = conf_open()};
        pthread_t thread;

        if (turns.hub == NULL || !CHECK_INT(pthread_create(&thread, NULL, ask, &turns), 0))
                return;
        while (turns.seen < TURNS) {
                /* As core does: look, and only then wait. */
                if (turns.asked == turns.seen)
                        conf_woken(turns.hub);
                turns.seen = turns.asked;
        }
        pthread_join(thread, NULL);
        conf_close(turns.hub);
}

void
a_wake_loses_no_event(void)
{
        uint32_t how = conf_ops->features & GREEN_HUB_CAN_EDGE ? GREEN_HUB_EDGE : 0;
        void *hub = conf_open();
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ | how, 1), 0);
        for (int i = 0; i < 100; i++) {
                CHECK_INT(conf_ops->wake(hub), 0);
                conf_put(fds[1]);
                if (i % 2)
                        CHECK_INT(conf_ops->wake(hub), 0);
                if (!CHECK_INT(conf_bits(hub, 1, CONF_SOON), GREEN_READ))
                        break;
                conf_drain(fds[0]);
        }
        conf_close(hub);
        conf_close_pair(fds);
}

/* ---- time */

void
a_limit_is_never_early(void)
{
        GREEN_COVERS("FD-19");
        static const int64_t limits[] = {1,       999,     1000,    20000,   999999,  1000000,
                                         1000001, 1500000, 1999999, 5000001, 20000000};
        double worst = 0;
        void *hub = conf_open();

        if (hub == NULL)
                return;
        for (size_t i = 0; i < 5 * sizeof limits / sizeof limits[0]; i++) {
                int64_t limit = limits[i % (sizeof limits / sizeof limits[0])];
                struct timespec begin, end;
                struct green_hub_event event;
                int64_t took;

                clock_gettime(CLOCK_MONOTONIC, &begin);
                CHECK_INT(conf_ops->wait(hub, &event, 1, limit), 0);
                clock_gettime(CLOCK_MONOTONIC, &end);
                took = (end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec;
                if (took < limit)
                        FAIL("a limit of %lld ns was over after %lld", (long long)limit, (long long)took);
                if ((double)(took - limit) > worst)
                        worst = (double)(took - limit);
        }
        printf("%s: limits are at most %.3f ms late here\n", conf_ops->name, worst / 1e6);
        conf_close(hub);
}

void
a_limit_of_zero_polls(void)
{
        struct green_hub_event event;
        void *hub = conf_open();
        double begin = conf_now();
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        for (int i = 0; i < 1000; i++)
                CHECK_INT(conf_ops->wait(hub, &event, 1, 0), 0);
        CHECK(conf_now() - begin < CONF_SOON);
        CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ, 1), 0);
        conf_put(fds[1]);
        CHECK_INT(conf_ops->wait(hub, &event, 1, 0), 1);
        conf_close(hub);
        conf_close_pair(fds);
}

void
the_longest_limit_waits(void)
{
        static const int64_t limits[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, (int64_t)INT_MAX * 1000000 + 1};
        void *hub = conf_open();

        for (size_t i = 0; hub != NULL && i < sizeof limits / sizeof limits[0]; i++) {
                struct green_hub_event event;
                double begin = conf_now();
                pthread_t thread;

                if (!CHECK_INT(pthread_create(&thread, NULL, wake_soon, hub), 0))
                        break;
                CHECK_INT(conf_ops->wait(hub, &event, 1, limits[i]), 0);
                CHECK_RANGE(conf_now() - begin, 0.02, CONF_SOON);
                pthread_join(thread, NULL);
        }
        conf_close(hub);
}

/* ---- the rest */

/* One state, from its beginning to its end. */
static void *
live(void *arg)
{
        struct green_hub_event events[4];
        void *hub = NULL;
        green_fd fds[2];

        (void)arg;
        if (!CHECK_INT(conf_ops->init(&conf_config, &hub), 0) || !conf_pair(fds))
                return NULL;
        CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ, (uintptr_t)hub >> 4), 0);
        for (int i = 0; i < 200; i++) {
                conf_put(fds[1]);
                CHECK_INT(conf_wait(hub, events, 4, CONF_SOON), 1);
                CHECK_INT(events[0].token, (uintptr_t)hub >> 4);
                conf_drain(fds[0]);
                CHECK_INT(conf_ops->wake(hub), 0);
                conf_woken(hub);
        }
        conf_ops->fini(hub);
        conf_close_pair(fds);
        return NULL;
}

void
states_of_two_threads_do_not_meet(void)
{
        pthread_t threads[4];
        int n = 0;

        while (n < 4 && CHECK_INT(pthread_create(&threads[n], NULL, live, NULL), 0))
                n++;
        while (n > 0)
                pthread_join(threads[--n], NULL);
        conf_close(NULL);
}
