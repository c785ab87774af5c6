/* hub_conformance: many descriptors, high numbers, no memory. */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
        MANY = CONF_MANY,
        SOME = CONF_SOME,
};

/* Opens up to n descriptors, as many as the process and the hub may have; each is registered with its index. */
static int
open_many(void *hub, green_fd *fds, int n, uint32_t interest)
{
        int err = 0, i;

        conf_raise_limit();
        for (i = 0; i < n; i++) {
                fds[i] = conf_light();
                if (fds[i] == GREEN_INVALID_FD)
                        break;
                err = conf_ops->add(hub, fds[i], interest, (uint64_t)i);
                if (err != 0) {
                        conf_close_fd(fds[i]);
                        break;
                }
        }
        if (i < n)
                printf("%d descriptors of %d: %s\n", i, n, strerror(err != 0 ? -err : errno));
        CHECK(i > 0);
        return i;
}

static void
make_ready(green_fd fd)
{
        CHECK(conf_light_up(fd));
}

static void
close_many(green_fd *fds, int n)
{
        while (n > 0)
                conf_close_fd(fds[--n]);
}

void
more_events_than_fit_are_not_lost(void)
{
        struct green_hub_event events[7];
        green_fd fds[SOME];
        int seen[SOME] = {0};
        void *hub = conf_open();
        int n, left;

        if (hub == NULL)
                return;
        n = left = open_many(hub, fds, SOME, GREEN_READ);
        for (int i = 0; i < n; i++)
                make_ready(fds[i]);
        while (left > 0) {
                int found = conf_wait(hub, events, 7, CONF_SOON);

                if (!CHECK(found > 0))
                        break;
                for (int i = 0; i < found; i++) {
                        int which = (int)events[i].token;

                        CHECK_INT(seen[which]++, 0);
                        REMOVE(hub, fds[which]);
                        left--;
                }
        }
        conf_quiet(hub);
        conf_close(hub);
        close_many(fds, n);
}

void
nobody_starves_when_all_are_ready(void)
{
        struct green_hub_event events[16];
        green_fd fds[SOME];
        int left, n;
        bool seen[SOME] = {false};
        void *hub = conf_open();

        if (hub == NULL)
                return;
        n = left = open_many(hub, fds, SOME, GREEN_READ);
        for (int i = 0; i < n; i++)
                make_ready(fds[i]);
        for (int rounds = 0; left > 0 && rounds < 10 * (SOME / 16 + 1); rounds++) {
                int found = conf_wait(hub, events, 16, CONF_SOON);

                for (int i = 0; i < found; i++) {
                        left -= !seen[events[i].token];
                        seen[events[i].token] = true;
                }
        }
        CHECK_INT(left, 0);
        conf_close(hub);
        close_many(fds, n);
}

/* One-shot, and armed again as soon as it was reported, as core does for one that is always ready. */
void
nobody_starves_when_all_are_armed_again(void)
{
        struct green_hub_event events[16];
        green_fd fds[SOME];
        int seen[SOME] = {0}, least = 0, n;
        void *hub;

        if (!conf_can(GREEN_HUB_CAN_ONESHOT, "this hub has no one-shot interest"))
                return;
        hub = conf_open();
        if (hub == NULL)
                return;
        n = open_many(hub, fds, SOME, GREEN_READ | GREEN_HUB_ONESHOT);
        for (int i = 0; i < n; i++)
                make_ready(fds[i]);
        for (int rounds = 0; least < 3 && rounds < 30 * (SOME / 16 + 1); rounds++) {
                int found = conf_wait(hub, events, 16, CONF_SOON);

                for (int i = 0; i < found; i++) {
                        int which = (int)events[i].token;

                        seen[which]++;
                        MODIFY(hub, fds[which], GREEN_READ | GREEN_HUB_ONESHOT, (uint64_t)which);
                }
                least = seen[0];
                for (int i = 1; i < n; i++)
                        least = seen[i] < least ? seen[i] : least;
        }
        CHECK(least >= 3);
        conf_close(hub);
        close_many(fds, n);
}

/* Closed behind the hub's back, among others: those are reported, and the closed one not for ever. */
void
one_that_was_closed_harms_no_other(void)
{
        GREEN_COVERS("FD-08");
        struct green_hub_event event;
        green_fd fds[SOME];
        int n, stale = 0;
        void *hub = conf_open();

        if (hub == NULL)
                return;
        n = open_many(hub, fds, SOME, GREEN_READ);
        for (int i = 0; i < n; i += 3)
                conf_close_fd(fds[i]);
        make_ready(fds[n / 3 * 3 - 2]);
        while (stale <= n && conf_wait(hub, &event, 1, CONF_SOON) == 1 && event.token % 3 == 0)
                stale++;
        CHECK_RANGE(stale, 0, (n + 2) / 3);
        CHECK_INT(event.token, n / 3 * 3 - 2);
        conf_drain(fds[n / 3 * 3 - 2]);
        for (int i = 0; i < n; i++) {
                int err = conf_ops->remove(hub, fds[i]);

                CHECK(err == 0 || (i % 3 == 0 && (err == -ENOENT || err == -EBADF)));
                if (i % 3 != 0)
                        conf_close_fd(fds[i]);
        }
        conf_quiet(hub);
        conf_close(hub);
}

void
very_many_descriptors(void)
{
        struct green_hub_event events[64];
        green_fd *fds = malloc(MANY * sizeof *fds);
        char *seen = calloc(MANY, 1);
        void *hub = conf_open();
        int n, left = 0;

        if (hub == NULL || !CHECK(fds != NULL && seen != NULL))
                return;
        n = open_many(hub, fds, MANY, GREEN_READ);
        conf_quiet(hub);
        for (int i = 0; i < n; i += 7, left++)
                make_ready(fds[i]);
        while (left > 0) {
                int found = conf_wait(hub, events, 64, CONF_SOON);

                if (!CHECK(found > 0))
                        break;
                for (int i = 0; i < found; i++) {
                        int which = (int)events[i].token;

                        CHECK(which % 7 == 0 && !seen[which]);
                        seen[which] = 1;
                        conf_drain(fds[which]);
                        left--;
                }
        }
        conf_quiet(hub);
        for (int i = 0; i < n; i += 2)
                REMOVE(hub, fds[i]);
        make_ready(fds[n - 1 - n % 2]);
        CHECK_INT(conf_bits(hub, (uint64_t)(n - 1 - n % 2), CONF_SOON), GREEN_READ);
        conf_close(hub);
        close_many(fds, n);
        free(fds);
        free(seen);
}

/* More edges at once than a queue of the system's may have room for, twice; and then a wake. */
void
a_flood_of_edges_loses_nothing(void)
{
        struct green_hub_event events[64];
        static green_fd fds[MANY];
        static int seen[MANY];
        void *hub;
        int n;

        if (!conf_can(GREEN_HUB_CAN_EDGE, "this hub has no edge interest"))
                return;
        hub = conf_open();
        if (hub == NULL)
                return;
        n = open_many(hub, fds, MANY, GREEN_READ | GREEN_HUB_EDGE);
        conf_quiet(hub);
        for (int round = 1; round <= 2; round++) {
                int left = n;

                for (int i = 0; i < n; i++)
                        make_ready(fds[i]);
                CHECK_INT(conf_ops->wake(hub), 0);
                while (left > 0) {
                        int found = conf_wait(hub, events, 64, CONF_SOON);

                        if (!CHECK(found > 0))
                                break;
                        for (int i = 0; i < found; i++) {
                                int *one = &seen[events[i].token];

                                conf_drain(fds[events[i].token]);
                                left -= *one < round;
                                *one = round;
                        }
                }
                CHECK_INT(left, 0);
        }
        while (conf_wait(hub, events, 64, CONF_QUIET) > 0)
                continue;
        CHECK_INT(conf_ops->wake(hub), 0);
        conf_woken(hub);
        conf_close(hub);
        close_many(fds, n);
        memset(seen, 0, sizeof seen);
}

/* Fails the n-th allocation of a run of add()s, for each n: the one that failed is not there, the others are. */
void
add_without_memory_fails_in_order(void)
{
        green_fd fds[SOME];
        unsigned nth = 0;
        bool failed = true;

        for (int i = 0; i < SOME; i++)
                fds[i] = conf_light();
        while (failed && nth < 1000) {
                void *hub = conf_open();

                if (hub == NULL)
                        break;
                failed = false;
                conf_fail_alloc = ++nth;
                for (int i = 0; i < SOME; i++) {
                        int err = conf_ops->add(hub, fds[i], GREEN_READ, (uint64_t)i);

                        if (err != 0 && !failed && CHECK_INT(err, -ENOMEM)) {
                                failed = true;
                                CHECK_INT(conf_ops->remove(hub, fds[i]), -ENOENT);
                                err = conf_ops->add(hub, fds[i], GREEN_READ, (uint64_t)i);
                        }
                        CHECK_INT(err, 0);
                }
                conf_fail_alloc = 0;
                for (int i = 0; i < SOME; i++)
                        REMOVE(hub, fds[i]);
                conf_quiet(hub);
                conf_close(hub);
        }
        CHECK(nth < 1000);
        close_many(fds, SOME);
}
