/*
 * hubs/kqueue.c over kqueue_shim.c: what hub_conformance cannot see from outside. How many calls it makes, what it
 * tells the system, and what becomes of changes that fail.
 */
#include "config.h"

#include <green/hub.h>

#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const struct green_hub_ops green__hub_kqueue;
static const struct green_hub_ops *const ops = &green__hub_kqueue;

enum {
        ONESHOT = GREEN_HUB_ONESHOT,
        EDGE = GREEN_HUB_EDGE,
        BOTH = GREEN_READ | GREEN_WRITE,
        FAILED = GREEN_HUB_ERROR | GREEN_HUB_HANGUP,
        MOMENT = 20000000, /* nanoseconds to wait for what must not come */
};

static const struct green_hub_config config = {
        .size = sizeof(struct green_hub_config), .realloc = realloc, .free = free};

static void *hub;
static int fds[2];

static bool
up(void)
{
        return CHECK_INT(ops->init(&config, &hub), 0) &&
               CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static void
down(void)
{
        ops->fini(hub);
        close(fds[0]);
        close(fds[1]);
}

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The events of one wait(): their number; of the only one its bits, if its token is 1. */
static int
wait_for(int64_t limit, uint32_t *ret_bits)
{
        struct green_hub_event found[4];
        int n = ops->wait(hub, found, 4, limit);

        *ret_bits = n == 1 && found[0].token == 1 ? found[0].events : 0;
        return n;
}

/* The bits of the only event. */
static uint32_t
bits(void)
{
        uint32_t found;

        CHECK_INT(wait_for(5000000000, &found), 1);
        return found;
}

static bool
quiet(void)
{
        uint32_t found;

        return CHECK_INT(wait_for(MOMENT, &found), 0);
}

static void
put(int fd)
{
        CHECK_INT(write(fd, "x", 1), 1);
}

/* Takes all room that the socket has. */
static void
fill(int fd)
{
        char bytes[4096] = {0};

        while (write(fd, bytes, sizeof bytes) > 0)
                continue;
}

/* ---- changes */

static void
arming_again_costs_no_call(void)
{
        unsigned long before;

        if (!up())
                return;
        before = kqueue_shim_calls();
        CHECK_INT(ops->add(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        CHECK_INT(kqueue_shim_calls(), before + 1);
        put(fds[1]);
        for (int i = 0; i < 10; i++) {
                before = kqueue_shim_calls();
                CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
                CHECK_INT(bits(), GREEN_READ);
                CHECK_INT(kqueue_shim_calls(), before + 1);
        }
        down();
}

static void
descriptors_are_deleted_before_they_are_closed(void)
{
        GREEN_COVERS("FD-18");
        unsigned long before;

        if (!up())
                return;
        CHECK_INT(ops->add(hub, fds[0], BOTH | EDGE, 1), 0);
        before = kqueue_shim_calls();
        CHECK_INT(ops->remove(hub, fds[0]), 0);
        CHECK_INT(kqueue_shim_calls(), before + 1);
        put(fds[1]);
        quiet();
        down();
}

static void
both_directions_of_oneshot_are_one_report(void)
{
        if (!up())
                return;
        put(fds[1]);
        CHECK_INT(ops->add(hub, fds[0], BOTH | ONESHOT, 1), 0);
        CHECK_INT(bits(), BOTH);
        quiet();
        down();
}

static void
the_other_direction_of_oneshot_is_silent_after_a_report(void)
{
        if (!up())
                return;
        CHECK_INT(ops->add(hub, fds[0], BOTH | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_WRITE);
        put(fds[1]);
        quiet();
        /* Armed for one direction; then for the other; then for both. */
        CHECK_INT(ops->modify(hub, fds[0], GREEN_WRITE | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_WRITE);
        quiet();
        CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_READ);
        quiet();
        CHECK_INT(ops->modify(hub, fds[0], BOTH | ONESHOT, 1), 0);
        CHECK_INT(bits(), BOTH);
        quiet();
        down();
}

/* There is room for one event, and three to be silenced: all are, before anything is reported. */
static void
other_directions_are_silent_whatever_room_there_is(void)
{
        int pairs[3][2];
        struct green_hub_event found[4];

        if (!up())
                return;
        for (int i = 0; i < 3; i++) {
                CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[i]), 0);
                CHECK_INT(ops->add(hub, pairs[i][0], BOTH | ONESHOT, (uint64_t)i), 0);
        }
        CHECK_INT(ops->wait(hub, found, 4, 5000000000), 3);
        for (int i = 0; i < 3; i++)
                put(pairs[i][1]);
        CHECK_INT(ops->wait(hub, found, 1, MOMENT), 0);
        for (int i = 0; i < 3; i++) {
                close(pairs[i][0]);
                close(pairs[i][1]);
        }
        down();
}

static void
the_way_of_reporting_can_be_changed(void)
{
        static const uint32_t ways[] = {0, EDGE, ONESHOT, EDGE, 0, ONESHOT, 0};

        if (!up())
                return;
        put(fds[1]);
        CHECK_INT(ops->add(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
                CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ways[i], 1), 0);
                CHECK_INT(bits(), GREEN_READ);
                if (ways[i] == 0)
                        CHECK_INT(bits(), GREEN_READ);
                else
                        quiet();
        }
        down();
}

/* More changes than a call takes, or than there is room for refusals: none is lost. */
static void
many_changes_and_little_room(void)
{
        enum { MANY = 300 };
        static int pairs[MANY][2];
        int seen[MANY] = {0}, n = 0;
        struct green_hub_event found[3];

        if (!up())
                return;
        for (int i = 0; i < MANY; i++) {
                CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pairs[i]), 0);
                CHECK_INT(ops->add(hub, pairs[i][0], GREEN_READ | ONESHOT, (uint64_t)i), 0);
        }
        for (int i = 0; i < MANY; i++) {
                put(pairs[i][1]);
                CHECK_INT(ops->modify(hub, pairs[i][0], BOTH | ONESHOT, (uint64_t)i), 0);
                /* A third of them are closed behind the hub's back, and armed. */
                if (i % 3 == 0)
                        close(pairs[i][0]);
        }
        while (n < MANY) {
                int got = ops->wait(hub, found, 1 + n % 3, 1000000000);

                if (!CHECK(got > 0))
                        break;
                n += got;
                for (int i = 0; i < got; i++) {
                        seen[found[i].token]++;
                        /* With room for one event of the system's there is one direction. */
                        if (found[i].token % 3 == 0)
                                CHECK_INT(found[i].events, FAILED);
                        else
                                CHECK_RANGE(found[i].events, GREEN_READ, BOTH);
                }
        }
        quiet();
        for (int i = 0; i < MANY; i++) {
                CHECK_INT(seen[i], 1);
                CHECK_INT(ops->modify(hub, pairs[i][0], BOTH | ONESHOT, 1), i % 3 == 0 ? -ENOENT : 0);
                CHECK_INT(ops->remove(hub, pairs[i][0]), i % 3 == 0 ? -ENOENT : 0);
                if (i % 3 != 0)
                        close(pairs[i][0]);
                close(pairs[i][1]);
        }
        down();
}

static void
a_wait_takes_a_batch_at_most(void)
{
        GREEN_COVERS("FD-18");
        enum { MANY = 200, BATCH = 128 };
        struct green_hub_event *found = calloc(MANY, sizeof *found);
        int copies[MANY], n;

        if (!up() || !CHECK(found != NULL))
                return;
        put(fds[1]);
        for (int i = 0; i < MANY; i++) {
                copies[i] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
                CHECK_INT(ops->add(hub, copies[i], GREEN_READ | EDGE, (uint64_t)i), 0);
        }
        n = ops->wait(hub, found, MANY, 0);
        CHECK_INT(n, BATCH);
        CHECK_INT(ops->wait(hub, found, MANY, 0), MANY - BATCH);
        for (int i = 0; i < MANY; i++)
                close(copies[i]);
        free(found);
        down();
}

/* ---- numbers with another owner */

/* A number that is armed one-shot and silent is closed, and belongs to `other` now. */
static bool
change_hands(int other)
{
        int number = fds[0];

        put(fds[1]);
        CHECK_INT(ops->add(hub, number, GREEN_READ | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_READ);
        close(number);
        return CHECK_INT(dup2(other, number), number);
}

static void
the_new_owner_of_a_number_is_noticed_when_it_is_armed(void)
{
        int others[2];

        for (int both = 0; both < 2; both++) {
                if (!up() || !CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, others), 0) ||
                    !change_hands(others[0]))
                        return;
                fill(fds[0]);
                CHECK_INT(ops->modify(hub, fds[0], (both ? BOTH : GREEN_READ) | ONESHOT, 1), 0);
                quiet();
                put(others[1]);
                CHECK_INT(bits(), GREEN_READ);
                quiet();
                CHECK_INT(ops->remove(hub, fds[0]), 0);
                close(others[0]);
                close(others[1]);
                down();
        }
}

/* Armed among others, and waited for with room for one event: what has to be made anew is made before anything waits.
 */
static void
new_owners_are_found_with_little_room(void)
{
        enum { SOME = 6 };
        int own[SOME][2], other[2];
        struct green_hub_event found;
        double begin;

        if (!up() || !CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, other), 0))
                return;
        put(other[1]);
        for (int i = 0; i < SOME; i++) {
                CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, own[i]), 0);
                CHECK_INT(ops->add(hub, own[i][0], GREEN_READ | ONESHOT, (uint64_t)i), 0);
                /* The last one stays whose it is, and is not ready. */
                if (i < SOME - 1)
                        CHECK_INT(dup2(other[0], own[i][0]), own[i][0]);
        }
        for (int i = 0; i < SOME; i++)
                CHECK_INT(ops->modify(hub, own[i][0], GREEN_READ | ONESHOT, (uint64_t)i), 0);
        begin = now();
        for (int i = 0; i < SOME - 1; i++) {
                CHECK_INT(ops->wait(hub, &found, 1, 10000000000), 1);
                CHECK_RANGE(found.token, 0, SOME - 2);
                CHECK_INT(found.events, GREEN_READ);
        }
        CHECK(now() - begin < 5);
        quiet();
        /* Four changes of one descriptor, two of them refused. */
        CHECK_INT(ops->add(hub, fds[0], BOTH | EDGE, 1), 0);
        CHECK_INT(dup2(other[0], fds[0]), fds[0]);
        CHECK_INT(ops->modify(hub, fds[0], BOTH | EDGE, 1), 0);
        CHECK_INT(ops->wait(hub, &found, 1, 5000000000), 1);
        for (int i = 0; i < SOME; i++) {
                close(own[i][0]);
                close(own[i][1]);
        }
        close(other[0]);
        close(other[1]);
        down();
}

static void
one_that_is_ready_is_found_behind_many_changes(void)
{
        enum { SOME = 10 };
        int pairs[SOME][2];
        struct green_hub_event found;

        if (!up())
                return;
        for (int i = 0; i < SOME; i++) {
                CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[i]), 0);
                CHECK_INT(ops->add(hub, pairs[i][0], GREEN_READ | ONESHOT, (uint64_t)i), 0);
                put(pairs[i][1]);
                CHECK_INT(ops->wait(hub, &found, 1, 5000000000), 1);
                if (i < SOME - 1)
                        CHECK_INT(read(pairs[i][0], &found, 1), 1);
        }
        for (int i = 0; i < SOME; i++)
                CHECK_INT(ops->modify(hub, pairs[i][0], GREEN_READ | ONESHOT, (uint64_t)i), 0);
        CHECK_INT(ops->wait(hub, &found, 1, 5000000000), 1);
        CHECK_INT(found.token, SOME - 1);
        for (int i = 0; i < SOME; i++) {
                close(pairs[i][0]);
                close(pairs[i][1]);
        }
        down();
}

/* Its filter for reading cannot be disabled, which is nobody's business. */
static void
a_number_that_was_closed_after_its_report_is_forgotten(void)
{
        double begin;

        if (!up())
                return;
        CHECK_INT(ops->add(hub, fds[0], BOTH | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_WRITE);
        CHECK_INT(dup2(fds[1], fds[0]), fds[0]);
        begin = now();
        quiet();
        CHECK(now() - begin >= MOMENT / 1e9);
        CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), -ENOENT);
        down();
}

static void
a_file_that_has_got_the_number_is_ready(void)
{
        static const uint32_t interests[] = {GREEN_READ, GREEN_WRITE, BOTH};

        for (int i = 0; i < 3; i++) {
                FILE *file = tmpfile();

                if (!CHECK(file != NULL) || !up() || !change_hands(fileno(file)))
                        return;
                CHECK_INT(ops->modify(hub, fds[0], interests[i] | ONESHOT, 1), 0);
                CHECK_INT(bits(), interests[i]);
                quiet();
                CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), -ENOENT);
                CHECK_INT(ops->add(hub, fds[0], GREEN_READ | ONESHOT, 1), -EPERM);
                fclose(file);
                down();
        }
}

static void
what_is_always_ready_is_refused(void)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC), folder = open("/", O_RDONLY | O_CLOEXEC);

        if (!up())
                return;
        CHECK_INT(ops->add(hub, null, GREEN_READ, 1), -EPERM);
        CHECK_INT(ops->add(hub, folder, GREEN_READ, 1), -EPERM);
        CHECK_INT(ops->modify(hub, null, GREEN_READ, 1), -ENOENT);
        close(null);
        close(folder);
        down();
}

/* ---- ends and errors */

static void
a_pipe_without_a_reader_is_an_error_however_late_it_is_added(void)
{
        static const uint32_t ways[] = {EDGE, ONESHOT, 0};

        for (int i = 0; i < 3; i++) {
                int ends[2];

                if (!up() || !CHECK_INT(pipe(ends), 0))
                        return;
                close(ends[0]);
                CHECK_INT(ops->add(hub, ends[1], GREEN_WRITE | ways[i], 1), 0);
                CHECK_INT(bits(), FAILED);
                if (ways[i] == 0) {
                        CHECK_INT(bits(), FAILED);
                } else {
                        quiet();
                        CHECK_INT(ops->modify(hub, ends[1], GREEN_WRITE | ways[i], 1), 0);
                        CHECK_INT(bits(), FAILED);
                        quiet();
                }
                CHECK_INT(ops->remove(hub, ends[1]), 0);
                quiet();
                close(ends[1]);
                down();
        }
}

static void
a_direction_that_cannot_be_added_takes_back_the_other(void)
{
        if (!up())
                return;
        kqueue_shim_fail = 2;
        kqueue_shim_fail_with = ENOMEM;
        CHECK_INT(ops->add(hub, fds[0], BOTH | EDGE, 1), -ENOMEM);
        put(fds[1]);
        quiet();
        CHECK_INT(ops->remove(hub, fds[0]), -ENOENT);
        CHECK_INT(ops->add(hub, fds[0], GREEN_READ | EDGE, 1), 0);
        CHECK_INT(bits(), GREEN_READ);
        down();
}

/* Whoever waits is woken: its next attempt says what is wrong. */
static void
a_change_that_fails_is_an_error_event(void)
{
        if (!up())
                return;
        put(fds[1]);
        CHECK_INT(ops->add(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_READ);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(ops->modify(hub, fds[0], BOTH | ONESHOT, 1), 0);
                kqueue_shim_fail = 1 + (unsigned)i % 2;
                kqueue_shim_fail_with = ENOMEM;
                CHECK_INT(bits(), FAILED);
                quiet();
        }
        CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_READ);
        quiet();
        down();
}

static void
urgent_data_is_told(void)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client, server;
        socklen_t len = sizeof addr;

        if (!up())
                return;
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_INT(bind(listener, (void *)&addr, len), 0);
        CHECK_INT(listen(listener, 1), 0);
        CHECK_INT(getsockname(listener, (void *)&addr, &len), 0);
        CHECK_INT(connect(client, (void *)&addr, len), 0);
        server = accept(listener, NULL, NULL);
        CHECK_INT(ops->add(hub, server, GREEN_READ | EDGE, 1), 0);
        CHECK_INT(send(client, "abc", 3, MSG_OOB), 3);
        CHECK_INT(bits(), GREEN_READ | GREEN_HUB_HANGUP);
        CHECK_INT(ops->remove(hub, server), 0);
        /* One's own end of sending is the end of writing. */
        CHECK_INT(shutdown(server, SHUT_WR), 0);
        CHECK_INT(ops->add(hub, server, GREEN_WRITE | EDGE, 1), 0);
        CHECK_INT(bits(), GREEN_WRITE | FAILED);
        close(server);
        close(client);
        close(listener);
        down();
}

/* ---- fork, wake, and who waits for its descriptor */

static void
a_child_leaves_the_old_number_alone(void)
{
        GREEN_COVERS("FD-18", "FORK-02");
        int status = -1, queue;
        pid_t child;

        if (!up())
                return;
        queue = ops->pollfd(hub);
        CHECK_INT(ops->add(hub, fds[0], GREEN_READ | EDGE, 1), 0);
        fflush(stdout);
        child = fork();
        if (child == 0) {
                /* The kqueue is not there; its number goes to another file before the hub hears of the fork. */
                CHECK_INT(fcntl(queue, F_GETFD), -1);
                CHECK_INT(dup2(fds[1], queue), queue);
                CHECK_INT(ops->after_fork(hub), 0);
                CHECK(ops->pollfd(hub) != queue);
                CHECK_INT(fcntl(queue, F_GETFD), 0);
                put(queue);
                CHECK_INT(ops->add(hub, fds[0], GREEN_READ | EDGE, 1), 0);
                CHECK_INT(bits(), GREEN_READ);
                ops->fini(hub);
                CHECK_INT(fcntl(queue, F_GETFD), 0);
                _exit(suite_failures() != 0);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
        CHECK_INT(bits(), GREEN_READ);
        down();
}

static bool
is_readable(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return poll(&p, 1, 20) == 1;
}

static void
changes_are_made_at_once_for_those_who_wait_elsewhere(void)
{
        int ends[2], queue;

        if (!up())
                return;
        put(fds[1]);
        CHECK_INT(ops->add(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        CHECK_INT(bits(), GREEN_READ);
        /* What was asked for before they did is made, too. */
        CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        queue = ops->pollfd(hub);
        CHECK(is_readable(queue));
        CHECK_INT(bits(), GREEN_READ);
        CHECK(!is_readable(queue));
        CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), 0);
        CHECK(is_readable(queue));
        CHECK_INT(bits(), GREEN_READ);
        /* A code is told by the call, and an end that is told by no filter by an event. */
        close(fds[0]);
        CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), -EBADF);
        CHECK_INT(ops->modify(hub, fds[0], GREEN_READ | ONESHOT, 1), -ENOENT);
        CHECK(!is_readable(queue));
        CHECK_INT(pipe(ends), 0);
        close(ends[0]);
        CHECK_INT(ops->add(hub, ends[1], GREEN_WRITE | EDGE, 1), 0);
        CHECK(is_readable(queue));
        CHECK_INT(bits(), FAILED);
        close(ends[1]);
        fds[0] = -1;
        down();
}

static void
a_state_that_cannot_be_made_leaves_nothing(void)
{
        void *untouched = &hub;

        for (unsigned n = 1; n <= 2; n++) {
                hub = untouched;
                kqueue_shim_fail = n;
                kqueue_shim_fail_with = ENFILE;
                CHECK_INT(ops->init(&config, &hub), -ENFILE);
                CHECK_PTR(hub, untouched);
        }
        kqueue_shim_fail = 1;
        CHECK_INT(ops->probe(), -ENFILE);
        CHECK_INT(ops->probe(), 0);
}

GREEN_SUITE(kqueue_plugin){
        GREEN_TEST(arming_again_costs_no_call),
        GREEN_TEST(descriptors_are_deleted_before_they_are_closed),
        GREEN_TEST(both_directions_of_oneshot_are_one_report),
        GREEN_TEST(the_other_direction_of_oneshot_is_silent_after_a_report),
        GREEN_TEST(other_directions_are_silent_whatever_room_there_is),
        GREEN_TEST(the_way_of_reporting_can_be_changed),
        GREEN_TEST(many_changes_and_little_room),
        GREEN_TEST(a_wait_takes_a_batch_at_most),
        GREEN_TEST(the_new_owner_of_a_number_is_noticed_when_it_is_armed),
        GREEN_TEST(new_owners_are_found_with_little_room),
        GREEN_TEST(one_that_is_ready_is_found_behind_many_changes),
        GREEN_TEST(a_number_that_was_closed_after_its_report_is_forgotten),
        GREEN_TEST(a_file_that_has_got_the_number_is_ready),
        GREEN_TEST(what_is_always_ready_is_refused),
        GREEN_TEST(a_pipe_without_a_reader_is_an_error_however_late_it_is_added),
        GREEN_TEST(a_direction_that_cannot_be_added_takes_back_the_other),
        GREEN_TEST(a_change_that_fails_is_an_error_event),
        GREEN_TEST(urgent_data_is_told),
        GREEN_TEST(a_child_leaves_the_old_number_alone),
        GREEN_TEST(changes_are_made_at_once_for_those_who_wait_elsewhere),
        GREEN_TEST(a_state_that_cannot_be_made_leaves_nothing),
        GREEN_SUITE_END,
};
