/* hub_conformance: interest and events. */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

bool
rig_up(struct rig *rig)
{
        rig->hub = conf_open();
        return rig->hub != NULL && conf_pair(rig->fds);
}

void
rig_down(struct rig *rig)
{
        conf_close(rig->hub);
        conf_close_pair(rig->fds);
}

void
level_interest_is_reported_as_long_as_it_holds(void)
{
        struct rig rig;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 7);
        conf_quiet(rig.hub);
        conf_put(rig.fds[1]);
        for (int i = 0; i < 3; i++)
                CHECK_INT(conf_bits(rig.hub, 7, CONF_SOON), GREEN_READ);
        conf_drain(rig.fds[0]);
        conf_quiet(rig.hub);
        conf_put(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 7, CONF_SOON), GREEN_READ);
        rig_down(&rig);
}

/* Takes no more, now and later. */
void
conf_fill(green_fd fd)
{
        char bytes[4096] = {0};

        for (int quiet = 0; quiet < CONF_FILL_QUIET; quiet++) {
                while (conf_write(fd, bytes, sizeof bytes) > 0)
                        quiet = 0;
                CHECK(conf_would_block());
                if (quiet + 1 < CONF_FILL_QUIET)
                        usleep(1000);
        }
}

void
only_the_directions_of_the_interest_are_reported(void)
{
        struct rig rig;

        if (!rig_up(&rig))
                return;
        conf_put(rig.fds[1]);
        ADD(rig.hub, rig.fds[0], GREEN_WRITE, 1);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_WRITE);
        MODIFY(rig.hub, rig.fds[0], GREEN_READ, 1);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        conf_fill(rig.fds[0]);
        MODIFY(rig.hub, rig.fds[0], GREEN_WRITE, 1);
        conf_quiet(rig.hub);
        conf_drain(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_WRITE);
        rig_down(&rig);
}

void
both_directions_fit_one_registration(void)
{
        struct rig rig;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ | GREEN_WRITE, 1);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_WRITE);
        conf_put(rig.fds[1]);
        /* Some systems report the directions in events of their own. */
        for (int i = 0; i < 3 && (conf_bits(rig.hub, 1, CONF_SOON) & GREEN_READ) == 0; i++)
                CHECK(i < 2);
        conf_fill(rig.fds[0]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        conf_drain(rig.fds[0]);
        conf_quiet(rig.hub);
        rig_down(&rig);
}

void
edge_interest_is_reported_once_a_change(void)
{
        struct rig rig;

        if (!conf_can(GREEN_HUB_CAN_EDGE, "this hub has no edge interest") || !rig_up(&rig))
                return;
        /* What is ready at add() is a change. */
        conf_put(rig.fds[1]);
        ADD(rig.hub, rig.fds[0], GREEN_READ | GREEN_WRITE | GREEN_HUB_EDGE, 3);
        CHECK_INT(conf_bits(rig.hub, 3, CONF_SOON) & GREEN_READ, GREEN_READ);
        conf_quiet(rig.hub);
        /* More bytes are one, whether or not the first were read; it stays registered. */
        for (int i = 0; i < 3; i++) {
                conf_put(rig.fds[1]);
                CHECK_INT(conf_bits(rig.hub, 3, CONF_SOON) & GREEN_READ, GREEN_READ);
                conf_quiet(rig.hub);
                conf_drain(rig.fds[0]);
                conf_quiet(rig.hub);
        }
        conf_fill(rig.fds[0]);
        conf_quiet(rig.hub);
        conf_drain(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 3, CONF_SOON) & GREEN_WRITE, GREEN_WRITE);
        conf_close_fd(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 3, CONF_SOON) & GREEN_READ, GREEN_READ);
        rig.fds[1] = GREEN_INVALID_FD;
        rig_down(&rig);
}

void
oneshot_interest_is_reported_once_until_modify(void)
{
        struct rig rig;

        if (!conf_can(GREEN_HUB_CAN_ONESHOT, "this hub has no one-shot interest") || !rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ | GREEN_HUB_ONESHOT, 1);
        conf_quiet(rig.hub);
        conf_put(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        conf_quiet(rig.hub);
        conf_put(rig.fds[1]);
        conf_quiet(rig.hub);
        MODIFY(rig.hub, rig.fds[0], GREEN_READ | GREEN_HUB_ONESHOT, 2);
        CHECK_INT(conf_bits(rig.hub, 2, CONF_SOON), GREEN_READ);
        conf_drain(rig.fds[0]);
        conf_quiet(rig.hub);
        MODIFY(rig.hub, rig.fds[0], GREEN_READ | GREEN_HUB_ONESHOT, 3);
        conf_quiet(rig.hub);
        conf_put(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 3, CONF_SOON), GREEN_READ);
        /* Nothing at all: no hang-up either. */
        conf_close_fd(rig.fds[1]);
        conf_quiet(rig.hub);
        MODIFY(rig.hub, rig.fds[0], GREEN_READ | GREEN_HUB_ONESHOT, 4);
        CHECK_INT(conf_bits(rig.hub, 4, CONF_SOON) & GREEN_READ, GREEN_READ);
        rig.fds[1] = GREEN_INVALID_FD;
        rig_down(&rig);
}

void
modify_looks_at_readiness_anew(void)
{
        uint32_t how = conf_ops->features & GREEN_HUB_CAN_EDGE ? GREEN_HUB_EDGE : 0;
        struct rig rig;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ | how, 1);
        conf_put(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        for (int i = 0; i < 3; i++) {
                MODIFY(rig.hub, rig.fds[0], GREEN_READ | how, 1);
                CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        }
        /* It is about now, not about what was: bytes that were read are not reported. */
        conf_put(rig.fds[1]);
        conf_drain(rig.fds[0]);
        MODIFY(rig.hub, rig.fds[0], GREEN_READ | how, 1);
        conf_quiet(rig.hub);
        rig_down(&rig);
}

void
modify_changes_the_token(void)
{
        struct green_hub_event events[4];
        struct rig rig;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        conf_put(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        MODIFY(rig.hub, rig.fds[0], GREEN_READ, 2);
        CHECK_INT(conf_wait(rig.hub, events, 4, CONF_SOON), 1);
        CHECK_INT(events[0].token, 2);
        CHECK_PTR(events[0].op, NULL);
        rig_down(&rig);
}

void
tokens_of_any_value_come_back(void)
{
        static const uint64_t tokens[] = {0, 1, 0xffffffff, 0x100000000, 0x8000000000000000, UINT64_MAX - 1};
        struct rig rig;

        if (!rig_up(&rig))
                return;
        conf_put(rig.fds[1]);
        for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
                ADD(rig.hub, rig.fds[0], GREEN_READ, tokens[i]);
                CHECK_INT(conf_bits(rig.hub, tokens[i], CONF_SOON), GREEN_READ);
                REMOVE(rig.hub, rig.fds[0]);
        }
        rig_down(&rig);
}

/* What a hub says of the end of a stream besides GREEN_READ or GREEN_HUB_ERROR: all, or nothing ever. */
static uint32_t
hangup(void)
{
        return conf_ops->features & GREEN_HUB_TELLS_HANGUP ? GREEN_HUB_HANGUP : 0;
}

void
the_end_of_the_peers_stream_is_readable(void)
{
        struct rig rig;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        conf_end(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON) & ~(uint32_t)GREEN_HUB_ERROR, GREEN_READ | hangup());
        rig_down(&rig);
}

/* Who reads less than asked for does not read again before the next event: that the stream has ended must come with it.
 */
void
the_end_of_a_stream_comes_with_its_last_bytes(void)
{
        uint32_t how = conf_ops->features & GREEN_HUB_CAN_EDGE ? GREEN_HUB_EDGE : 0;
        struct rig rig;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ | how, 1);
        conf_put(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        conf_put(rig.fds[1]);
        conf_end(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON) & ~(uint32_t)GREEN_HUB_ERROR, GREEN_READ | hangup());
        /* Or after them, with an event of its own. */
        rig_down(&rig);
        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ | GREEN_WRITE | how, 1);
        conf_put(rig.fds[1]);
        CHECK((conf_bits(rig.hub, 1, CONF_SOON) & hangup()) == 0);
        conf_drain(rig.fds[0]);
        conf_close_fd(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON) & (GREEN_READ | GREEN_HUB_HANGUP), GREEN_READ | hangup());
        rig.fds[1] = GREEN_INVALID_FD;
        rig_down(&rig);
}

bool
conf_fails(void *hub, uint64_t token, uint32_t interest)
{
        uint32_t bits = conf_bits(hub, token, CONF_SOON);
        bool told = (bits & GREEN_HUB_ERROR) != 0 && (bits & hangup()) == hangup();

        return told || (hangup() == 0 && (bits & interest) == interest) || FAIL("bits are %#x", (unsigned)bits);
}

/* A read stops at urgent data, so it must be told; ordinary bytes must not look like it. */
void
urgent_data_is_told_and_nothing_else_is(void)
{
        uint32_t how = conf_ops->features & GREEN_HUB_CAN_EDGE ? GREEN_HUB_EDGE : 0;
        void *hub;
        green_fd fds[2];

        if (!conf_can(GREEN_HUB_TELLS_HANGUP, "this hub does not tell"))
                return;
        hub = conf_open();
        if (hub == NULL || !conf_tcp_pair(fds))
                return;
        ADD(hub, fds[0], GREEN_READ | GREEN_WRITE | how, 1);
        CHECK_INT(conf_bits(hub, 1, CONF_SOON) & ~(uint32_t)GREEN_WRITE, 0);
        for (int i = 0; i < 3; i++) {
                conf_put(fds[1]);
                CHECK_INT(conf_bits(hub, 1, CONF_SOON) & ~(uint32_t)GREEN_WRITE, GREEN_READ);
        }
        CHECK_INT(send(fds[1], "!", 1, MSG_OOB), 1);
        CHECK_INT(conf_bits(hub, 1, CONF_SOON) & ~(uint32_t)GREEN_WRITE, GREEN_READ | GREEN_HUB_HANGUP);
        MODIFY(hub, fds[0], GREEN_READ | how, 2);
        CHECK_INT(conf_bits(hub, 2, CONF_SOON), GREEN_READ | GREEN_HUB_HANGUP);
        conf_close(hub);
        conf_close_pair(fds);
}

/* The buffers are full and the peer has ended its stream: nothing to tell a writer, though the system may say it. */
void
who_waits_to_write_does_not_spin_when_the_peer_has_ended(void)
{
        uint32_t hows[] = {0, GREEN_HUB_EDGE, GREEN_HUB_ONESHOT};
        uint32_t needs[] = {0, GREEN_HUB_CAN_EDGE, GREEN_HUB_CAN_ONESHOT};

        for (int i = 0; i < 3; i++) {
                struct rig rig;
                double cpu;

                if ((conf_ops->features & needs[i]) != needs[i])
                        continue;
                if (!rig_up(&rig))
                        return;
                conf_fill(rig.fds[0]);
                conf_end(rig.fds[1]);
                ADD(rig.hub, rig.fds[0], GREEN_WRITE | hows[i], 1);
                cpu = conf_cpu();
                for (int turns = 0; turns < CONF_IDLE_TURNS; turns++)
                        conf_quiet(rig.hub);
                CHECK_RANGE(conf_cpu() - cpu, 0, CONF_IDLE_CPU * suite_slow());
                conf_drain(rig.fds[1]);
                CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON) & GREEN_WRITE, GREEN_WRITE);
                if (hows[i] == GREEN_HUB_ONESHOT) {
                        conf_quiet(rig.hub);
                        MODIFY(rig.hub, rig.fds[0], GREEN_WRITE | GREEN_HUB_ONESHOT, 2);
                        CHECK_INT(conf_bits(rig.hub, 2, CONF_SOON) & GREEN_WRITE, GREEN_WRITE);
                }
                rig_down(&rig);
        }
}

void
a_reset_is_an_error_event(void)
{
        void *hub = conf_open();
        green_fd fds[2];

        if (hub == NULL || !conf_tcp_pair(fds))
                return;
        ADD(hub, fds[0], GREEN_READ, 1);
        conf_quiet(hub);
        conf_reset(fds[1]);
        CHECK(conf_fails(hub, 1, GREEN_READ));
        MODIFY(hub, fds[0], GREEN_READ | GREEN_WRITE, 2);
        CHECK(conf_fails(hub, 2, GREEN_READ | GREEN_WRITE));
        MODIFY(hub, fds[0], GREEN_WRITE, 3);
        CHECK(conf_fails(hub, 3, GREEN_WRITE));
        conf_close(hub);
        conf_close_fd(fds[0]);
}

void
a_refused_connection_is_an_error_event(void)
{
        struct sockaddr_in addr;
        green_fd holder = conf_bound(SOCK_STREAM, &addr); /* of the port, without listening */
        green_fd fd = conf_socket(SOCK_STREAM);
        void *hub = conf_open();

        if (hub == NULL)
                return;
        CHECK_INT(connect(fd, (void *)&addr, sizeof addr), -1);
        ADD(hub, fd, GREEN_WRITE, 1);
        CHECK(conf_fails(hub, 1, GREEN_WRITE));
        conf_close(hub);
        conf_close_fd(fd);
        conf_close_fd(holder);
}

void
what_was_removed_is_not_reported(void)
{
        struct rig rig;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        ADD(rig.hub, rig.fds[1], GREEN_READ, 2);
        conf_put(rig.fds[0]);
        conf_put(rig.fds[1]);
        REMOVE(rig.hub, rig.fds[0]);
        for (int i = 0; i < 3; i++)
                CHECK_INT(conf_bits(rig.hub, 1, CONF_QUIET), 0);
        CHECK_INT(conf_bits(rig.hub, 2, CONF_SOON), GREEN_READ);
        REMOVE(rig.hub, rig.fds[1]);
        conf_quiet(rig.hub);
        /* And can come again. */
        ADD(rig.hub, rig.fds[0], GREEN_READ, 3);
        CHECK_INT(conf_bits(rig.hub, 3, CONF_SOON), GREEN_READ);
        rig_down(&rig);
}

/* One that is closed after remove() is closed: the peer hears of it, though nobody waits. */
void
what_was_removed_is_let_go_at_once(void)
{
        uint32_t hows[] = {0, GREEN_HUB_EDGE, GREEN_HUB_ONESHOT};
        uint32_t needs[] = {0, GREEN_HUB_CAN_EDGE, GREEN_HUB_CAN_ONESHOT};

        for (int i = 0; i < 3; i++) {
                struct rig rig;
                char byte;

                if ((conf_ops->features & needs[i]) != needs[i])
                        continue;
                if (!rig_up(&rig))
                        return;
                ADD(rig.hub, rig.fds[0], GREEN_READ | hows[i], 1);
                conf_quiet(rig.hub);
                REMOVE(rig.hub, rig.fds[0]);
                conf_close_fd(rig.fds[0]);
                CHECK_INT(conf_read(rig.fds[1], &byte, 1), 0);
                rig.fds[0] = GREEN_INVALID_FD;
                rig_down(&rig);
        }
}

void
wrong_calls_have_their_codes(void)
{
        GREEN_COVERS("FD-11");
        struct rig rig;
        green_fd closed;
        int err;

        if (!rig_up(&rig))
                return;
        CHECK_INT(conf_ops->modify(rig.hub, rig.fds[0], GREEN_READ, 1), -ENOENT);
        CHECK_INT(conf_ops->remove(rig.hub, rig.fds[0]), -ENOENT);
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        CHECK_INT(conf_ops->add(rig.hub, rig.fds[0], GREEN_WRITE, 2), -EEXIST);
        conf_quiet(rig.hub); /* the first stands: no one waits for writing */
        conf_put(rig.fds[1]);
        CHECK_INT(conf_bits(rig.hub, 1, CONF_SOON), GREEN_READ);
        REMOVE(rig.hub, rig.fds[0]);
        CHECK_INT(conf_ops->remove(rig.hub, rig.fds[0]), -ENOENT);
        CHECK_INT(conf_ops->modify(rig.hub, rig.fds[0], GREEN_READ, 1), -ENOENT);
        closed = conf_closed();
        CHECK_INT(conf_ops->add(rig.hub, closed, GREEN_READ, 5), -EBADF);
        CHECK_INT(conf_ops->add(rig.hub, GREEN_INVALID_FD, GREEN_READ, 5), -EBADF);
        err = conf_ops->remove(rig.hub, closed);
        CHECK(err == 0 || err == -ENOENT || err == -EBADF);
        conf_quiet(rig.hub);
        rig_down(&rig);
}

/* ---- descriptors that go */

/* wait() returns often, but neither fails nor reports a wrong token. */
static void
no_harm(void *hub, uint64_t stale)
{
        struct green_hub_event events[4];
        double end = conf_now() + CONF_QUIET;

        while (conf_now() < end) {
                int n = conf_ops->wait(hub, events, 4, 1000000);

                if (!CHECK(n >= 0 && n <= 4))
                        return;
                for (int i = 0; i < n; i++)
                        CHECK_INT(events[i].token, stale);
        }
}

void
a_closed_descriptor_does_no_harm(void)
{
        GREEN_COVERS("FD-08");
        struct rig rig;
        int err;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        conf_put(rig.fds[1]);
        conf_close_fd(rig.fds[0]);
        if (!(conf_ops->features & GREEN_HUB_FORGETS_CLOSED))
                no_harm(rig.hub, 1);
        /* And that was all: it was dropped, and does not come up in each wait. */
        conf_quiet(rig.hub);
        err = conf_ops->remove(rig.hub, rig.fds[0]);
        CHECK(err == 0 || err == -ENOENT || err == -EBADF);
        conf_quiet(rig.hub);
        rig.fds[0] = GREEN_INVALID_FD;
        rig_down(&rig);
}

static void *
close_soon(void *fd)
{
        /* That the other one waits cannot be seen from here; if it does not yet, the test only proves less. */
        conf_pause(0.01);
        conf_close_fd(*(green_fd *)fd);
        return NULL;
}

void
closing_while_it_is_waited_on_does_no_harm(void)
{
        struct green_hub_event events[4];
        struct rig rig;
        pthread_t thread;
        double begin;
        int n;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        CHECK_INT(pthread_create(&thread, NULL, close_soon, &rig.fds[0]), 0);
        begin = conf_now();
        n = conf_ops->wait(rig.hub, events, 4, 100000000);
        CHECK(n == 0 || n == 1);
        CHECK(conf_now() - begin < CONF_SOON);
        pthread_join(thread, NULL);
        conf_ops->remove(rig.hub, rig.fds[0]);
        conf_quiet(rig.hub);
        rig.fds[0] = GREEN_INVALID_FD;
        rig_down(&rig);
}
