/* hub_conformance: many descriptors, high numbers, no memory. */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
        MANY = 10000,
        SOME = 300,
};

/* Has the process open as many descriptors as it may; their number. */
static long
raise_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
                return 0;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        return limit.rlim_cur < 1000000 ? (long)limit.rlim_cur : 1000000;
}

/* Opens up to n eventfds, as many as the process and the hub may have; each is registered with its index. */
static int
open_many(void *hub, int *fds, int n, uint32_t interest)
{
        int err = 0, i;

        raise_limit();
        for (i = 0; i < n; i++) {
                fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                if (fds[i] < 0)
                        break;
                err = conf_ops->add(hub, fds[i], interest, (uint64_t)i);
                if (err != 0) {
                        close(fds[i]);
                        break;
                }
        }
        if (i < n)
                printf("%d descriptors of %d: %s\n", i, n, strerror(err != 0 ? -err : errno));
        CHECK(i > 0);
        return i;
}

static void
make_ready(int fd)
{
        uint64_t one = 1;

        CHECK_INT(write(fd, &one, sizeof one), sizeof one);
}

static void
close_many(int *fds, int n)
{
        while (n > 0)
                close(fds[--n]);
}

void
more_events_than_fit_are_not_lost(void)
{
        struct green_hub_event events[7];
        int fds[SOME], seen[SOME] = {0};
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
        int fds[SOME], left, n;
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
        int fds[SOME], seen[SOME] = {0}, least = 0, n;
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
        int fds[SOME], n, stale = 0;
        void *hub = conf_open();

        if (hub == NULL)
                return;
        n = open_many(hub, fds, SOME, GREEN_READ);
        for (int i = 0; i < n; i += 3)
                close(fds[i]);
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
                        close(fds[i]);
        }
        conf_quiet(hub);
        conf_close(hub);
}

void
ten_thousand_descriptors(void)
{
        struct green_hub_event events[64];
        int *fds = malloc(MANY * sizeof *fds);
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
        static int fds[MANY], seen[MANY];
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

/* A number that a table by number has to grow for, or that the hub has no room for (select): -EMFILE. */
static void
try_number(int number)
{
        void *hub = conf_open();
        int fds[2], high, err;

        if (hub == NULL || !conf_pair(fds))
                return;
        high = fcntl(fds[0], F_DUPFD_CLOEXEC, number);
        conf_put(fds[1]);
        if (high >= number) {
                ADD(hub, fds[0], GREEN_READ, 1);
                err = conf_ops->add(hub, high, GREEN_READ, 2);
                if (err == 0) {
                        CHECK_INT(conf_bits(hub, 2, CONF_SOON), GREEN_READ);
                        REMOVE(hub, high);
                } else {
                        printf("%s refuses descriptor %d\n", conf_ops->name, high);
                        CHECK_INT(err, -EMFILE);
                        CHECK_INT(conf_ops->add(hub, high, GREEN_READ, 2), -EMFILE);
                        CHECK_INT(conf_ops->modify(hub, high, GREEN_READ, 2), -ENOENT);
                        CHECK_INT(conf_ops->remove(hub, high), -ENOENT);
                }
                CHECK_INT(conf_bits(hub, 1, CONF_SOON), GREEN_READ);
                close(high);
        }
        conf_close(hub);
        conf_close_pair(fds);
}

void
a_high_number_works_or_is_refused(void)
{
        static const int numbers[] = {63, 64, 127, 255, 256, 1022, 1023, 1024, 1025, 4096, 65536, 500000};
        long limit = raise_limit();

        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && numbers[i] < limit; i++)
                try_number(numbers[i]);
}

/* Fails the n-th allocation of a run of add()s, for each n: the one that failed is not there, the others are. */
void
add_without_memory_fails_in_order(void)
{
        int fds[SOME];
        unsigned nth = 0;
        bool failed = true;

        for (int i = 0; i < SOME; i++)
                fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
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
