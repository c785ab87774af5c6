/* hub_conformance: operations that run to completion. */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* An operation with one buffer of its own. */
struct work {
        struct green_op op;
        struct green_iovec iov;
        char bytes[64];
        int reported; /* times */
};

static void *
ops_open(void)
{
        return conf_can(GREEN_HUB_CAN_SUBMIT, "this hub has no operations") ? conf_open() : NULL;
}

static void
prepare(struct work *work, enum green_op_kind kind, green_fd fd, size_t len)
{
        memset(work, 0, sizeof *work);
        work->op.kind = kind;
        work->op.fd = fd;
        work->op.offset = -1;
        work->iov.base = work->bytes;
        work->iov.len = len;
        if (len > 0) {
                work->op.iov = &work->iov;
                work->op.iov_count = 1;
        }
        work->op.result = INT64_MIN;
}

/* false, without a failure, if the hub leaves this kind to readiness. */
static bool
submit(void *hub, struct work *work)
{
        int err = conf_ops->submit(hub, &work->op);

        if (err == -ENOTSUP)
                return false;
        return CHECK_INT(err, 0) && CHECK_INT(work->op.result, INT64_MIN);
}

/* Waits for one report, of whatever operation; NULL if there is none in time. */
static struct work *
next_report(void *hub, double seconds)
{
        struct green_hub_event event;
        struct work *work;

        if (conf_wait(hub, &event, 1, seconds) != 1)
                return NULL;
        if (!CHECK(event.op != NULL))
                return NULL;
        work = (struct work *)(void *)event.op;
        work->reported++;
        return work;
}

/* It is what is reported next, with this result. */
static bool
ends_with(void *hub, struct work *work, int64_t result)
{
        return CHECK_PTR(next_report(hub, CONF_SOON), work) && CHECK_INT(work->reported, 1) &&
               CHECK_INT(work->op.result, result);
}

/* Submits and waits; a kind the hub does not know counts as fine, and is said. */
static bool
runs(void *hub, struct work *work, int64_t result)
{
        if (submit(hub, work))
                return ends_with(hub, work, result);
        if (suite_failures() == 0)
                printf("%s leaves operations of kind %d to readiness\n", conf_ops->name, (int)work->op.kind);
        return false;
}

void
an_unknown_kind_is_refused(void)
{
        void *hub = ops_open();
        struct work work;
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&work, (enum green_op_kind)99, fds[0], 8);
        CHECK_INT(conf_ops->submit(hub, &work.op), -ENOTSUP);
        conf_quiet(hub);
        conf_close(hub);
        conf_close_pair(fds);
}

void
recv_and_send_move_bytes(void)
{
        struct work in, out;
        void *hub = ops_open();
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&in, GREEN_OP_RECV, fds[0], 16);
        if (submit(hub, &in)) {
                conf_quiet(hub);
                CHECK_INT(conf_write(fds[1], "hello", 5), 5);
                ends_with(hub, &in, 5);
                CHECK(memcmp(in.bytes, "hello", 5) == 0);
        }
        prepare(&out, GREEN_OP_SEND, fds[0], 5);
        memcpy(out.bytes, "world", 5);
        if (runs(hub, &out, 5)) {
                CHECK_INT(conf_read(fds[1], in.bytes, 16), 5);
                CHECK(memcmp(in.bytes, "world", 5) == 0);
        }
        /* What is there already is not reported from inside submit(). */
        conf_put(fds[1]);
        prepare(&in, GREEN_OP_RECV, fds[0], 16);
        runs(hub, &in, 1);
        conf_quiet(hub);
        conf_close(hub);
        conf_close_pair(fds);
}

void
recv_of_a_closed_stream_is_zero(void)
{
        struct work work;
        void *hub = ops_open();
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&work, GREEN_OP_RECV, fds[0], 16);
        conf_end(fds[1]);
        runs(hub, &work, 0);
        conf_end(fds[0]);
        prepare(&work, GREEN_OP_SEND, fds[0], 16);
        runs(hub, &work, -EPIPE);
        conf_close(hub);
        conf_close_pair(fds);
}

void
recv_fills_in_the_address(void)
{
        struct sockaddr_in to, from, filled;
        struct sockaddr_storage room = {0};
        struct work work;
        void *hub = ops_open();
        green_fd in, out;

        if (hub == NULL)
                return;
        in = conf_bound(SOCK_DGRAM, &to);
        out = conf_bound(SOCK_DGRAM, &from);
        prepare(&work, GREEN_OP_SEND, out, 3);
        work.op.name = &to;
        work.op.name_size = sizeof to;
        if (!runs(hub, &work, 3))
                CHECK_INT(sendto(out, "abc", 3, 0, (void *)&to, sizeof to), 3);
        prepare(&work, GREEN_OP_RECV, in, 16);
        work.op.name = &room;
        work.op.name_size = sizeof room;
        if (runs(hub, &work, 3)) {
                CHECK_INT(work.op.name_size, sizeof filled);
                memcpy(&filled, &room, sizeof filled);
                CHECK_INT(filled.sin_port, from.sin_port);
        }
        conf_close(hub);
        conf_close_fd(in);
        conf_close_fd(out);
}

void
read_and_write_at_an_offset(void)
{
        void *hub = ops_open();
        struct work work;
        green_fd fd;

        if (hub == NULL)
                return;
        fd = conf_file("0123456789");
        prepare(&work, GREEN_OP_READ, fd, 4);
        work.op.offset = 3;
        if (runs(hub, &work, 4))
                CHECK(memcmp(work.bytes, "3456", 4) == 0);
        prepare(&work, GREEN_OP_WRITE, fd, 2);
        work.op.offset = 8;
        memcpy(work.bytes, "AB", 2);
        if (runs(hub, &work, 2)) {
                CHECK_INT(conf_read_file(fd, work.bytes, 16, 6), 4);
                CHECK(memcmp(work.bytes, "67AB", 4) == 0);
        }
        prepare(&work, GREEN_OP_READ, fd, 4);
        work.op.offset = 100;
        runs(hub, &work, 0);
        conf_close(hub);
        conf_close_file(fd);
}

void
read_and_write_of_a_pipe(void)
{
        void *hub = ops_open();
        struct work in, out;
        green_fd fds[2];

        if (hub == NULL || !conf_pipe(fds))
                return;
        prepare(&in, GREEN_OP_READ, fds[0], 16);
        if (submit(hub, &in)) {
                conf_quiet(hub);
                CHECK_INT(conf_write_file(fds[1], "pipe", 4), 4);
                ends_with(hub, &in, 4);
        }
        prepare(&out, GREEN_OP_WRITE, fds[1], 4);
        if (runs(hub, &out, 4))
                CHECK_INT(conf_read_file(fds[0], in.bytes, 16, -1), 4);
        prepare(&in, GREEN_OP_READ, fds[0], 16);
        conf_close_file(fds[1]);
        runs(hub, &in, 0);
        conf_close(hub);
        conf_close_file(fds[0]);
}

void
a_broken_pipe_raises_no_signal(void)
{
        void *hub = ops_open();
        struct work work;
        green_fd fds[2];

        if (hub == NULL || !conf_pipe(fds))
                return;
        conf_close_file(fds[0]);
        prepare(&work, GREEN_OP_WRITE, fds[1], 4);
        runs(hub, &work, -EPIPE);
        conf_close(hub);
        conf_close_file(fds[1]);
}

void
accept_and_connect_make_a_connection(void)
{
        struct sockaddr_in addr, peer = {0};
        struct work accepting, connecting, *first, *second;
        void *hub = ops_open();
        green_fd listener, client;

        if (hub == NULL)
                return;
        listener = conf_bound(SOCK_STREAM, &addr);
        client = conf_socket(SOCK_STREAM);
        CHECK_INT(listen(listener, 5), 0);
        prepare(&accepting, GREEN_OP_ACCEPT, listener, 0);
        accepting.op.flags = CONF_ACCEPT_FLAGS;
        accepting.op.name = &peer;
        accepting.op.name_size = sizeof peer;
        prepare(&connecting, GREEN_OP_CONNECT, client, 0);
        connecting.op.name = &addr;
        connecting.op.name_size = sizeof addr;
        if (submit(hub, &accepting) && submit(hub, &connecting)) {
                first = next_report(hub, CONF_SOON);
                second = next_report(hub, CONF_SOON);
                CHECK((first == &accepting && second == &connecting) || (first == &connecting && second == &accepting));
                CHECK_INT(connecting.op.result, 0);
                if (CHECK(accepting.op.result >= 0)) {
                        green_fd fd = (green_fd)accepting.op.result;

                        CHECK(conf_is_ours_alone(fd));
                        CHECK_INT(peer.sin_family, AF_INET);
                        CHECK_INT(accepting.op.name_size, sizeof peer);
                        conf_put(client);
                        conf_close_fd(fd);
                }
        }
        conf_quiet(hub);
        conf_close(hub);
        conf_close_fd(listener);
        conf_close_fd(client);
}

void
a_refused_connect_says_so(void)
{
        struct sockaddr_in addr;
        void *hub = ops_open();
        struct work work;
        green_fd holder, fd;

        if (hub == NULL)
                return;
        holder = conf_bound(SOCK_STREAM, &addr);
        fd = conf_socket(SOCK_STREAM);
        prepare(&work, GREEN_OP_CONNECT, fd, 0);
        work.op.name = &addr;
        work.op.name_size = sizeof addr;
        runs(hub, &work, -ECONNREFUSED);
        conf_close(hub);
        conf_close_fd(fd);
        conf_close_fd(holder);
}

void
poll_waits_for_readiness(void)
{
        void *hub = ops_open();
        struct work work;
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&work, GREEN_OP_POLL, fds[0], 0);
        work.op.flags = GREEN_READ;
        if (submit(hub, &work)) {
                conf_quiet(hub);
                conf_put(fds[1]);
                ends_with(hub, &work, GREEN_READ);
                conf_quiet(hub); /* once */
        }
        prepare(&work, GREEN_OP_POLL, fds[0], 0);
        work.op.flags = GREEN_WRITE;
        runs(hub, &work, GREEN_WRITE);
        conf_close(hub);
        conf_close_pair(fds);
}

void
poll_for_writing_ignores_the_end_of_the_peer(void)
{
        void *hub = ops_open();
        struct work work;
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        conf_fill(fds[0]);
        conf_end(fds[1]);
        for (int round = 0; round < 2; round++) {
                double cpu = conf_cpu();

                prepare(&work, GREEN_OP_POLL, fds[0], 0);
                work.op.flags = GREEN_WRITE;
                if (!submit(hub, &work))
                        break;
                for (int turns = 0; turns < CONF_IDLE_TURNS; turns++)
                        conf_quiet(hub);
                CHECK_RANGE(conf_cpu() - cpu, 0, CONF_IDLE_CPU * suite_slow());
                if (round == 0) {
                        int err = conf_ops->cancel(hub, &work.op);

                        if (err == -EINPROGRESS)
                                ends_with(hub, &work, -ECANCELED);
                        else
                                CHECK_INT(err, 0);
                } else {
                        conf_drain(fds[1]);
                        ends_with(hub, &work, GREEN_WRITE);
                }
        }
        conf_quiet(hub);
        conf_close(hub);
        conf_close_pair(fds);
}

/* The number behind a word of describe(); -1 if the hub does not say. */
static long
counted(void *hub, const char *word)
{
        char text[512];
        const char *at;

        conf_ops->describe(hub, text, sizeof text);
        at = strstr(text, word);
        return at != NULL ? atol(at + strlen(word)) : -1;
}

void
what_is_counted_counts(void)
{
        void *hub = ops_open();
        struct work in, out;
        long recvs, sends;
        char whole[512];
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        recvs = counted(hub, " recv ");
        sends = counted(hub, " send ");
        if (recvs < 0 || sends < 0) {
                suite_skip("this hub's description counts no operations");
        } else {
                for (int i = 0; i < 3; i++) {
                        prepare(&in, GREEN_OP_RECV, fds[0], 1);
                        prepare(&out, GREEN_OP_SEND, fds[1], 1);
                        CHECK(submit(hub, &in) && submit(hub, &out));
                        CHECK(next_report(hub, CONF_SOON) != NULL && next_report(hub, CONF_SOON) != NULL);
                }
                CHECK_INT(counted(hub, " recv "), recvs + 3);
                CHECK_INT(counted(hub, " send "), sends + 3);
                CHECK_INT(counted(hub, " accept "), 0);
                /* As it comes in green_hub_info. */
                CHECK(conf_ops->describe(hub, whole, sizeof whole) < 128);
        }
        conf_close(hub);
        conf_close_pair(fds);
}

enum {
        MANY = 200,
};

/* Receives in flight on as many sockets; how many the hub took. */
static int
submit_many(void *hub, struct work *works, green_fd (*fds)[2])
{
        int n;

        for (n = 0; n < MANY && conf_pair(fds[n]); n++) {
                prepare(&works[n], GREEN_OP_RECV, fds[n][0], 16);
                if (!submit(hub, &works[n])) {
                        conf_close_pair(fds[n]);
                        break;
                }
        }
        return n;
}

void
many_operations_are_each_reported_once(void)
{
        static struct work works[MANY];
        void *hub = ops_open();
        green_fd fds[MANY][2];
        int n;

        if (hub == NULL)
                return;
        n = submit_many(hub, works, fds);
        conf_quiet(hub);
        for (int i = 0; i < n; i++)
                conf_put(fds[i][1]);
        for (int i = 0; i < n && next_report(hub, CONF_SOON) != NULL; i++)
                continue;
        conf_quiet(hub);
        for (int i = 0; i < n; i++) {
                CHECK_INT(works[i].reported, 1);
                CHECK_INT(works[i].op.result, 1);
                conf_close_pair(fds[i]);
        }
        conf_close(hub);
}

/* Cancels, and waits for the report if there is to be one. The operation has ended. */
static void
cancel(void *hub, struct work *work)
{
        int err = conf_ops->cancel(hub, &work->op);

        if (err == 0) {
                work->reported++;
                CHECK(work->op.result != INT64_MIN);
        } else if (CHECK_INT(err, -EINPROGRESS)) {
                CHECK_PTR(next_report(hub, CONF_SOON), work);
        }
        CHECK_INT(work->reported, 1);
}

void
a_cancelled_operation_ends_once(void)
{
        static struct work works[MANY];
        void *hub = ops_open();
        green_fd fds[MANY][2];
        int n;

        if (hub == NULL)
                return;
        n = submit_many(hub, works, fds);
        for (int i = 0; i < n; i += 2) {
                cancel(hub, &works[i]);
                CHECK_INT(works[i].op.result, -ECANCELED);
        }
        for (int i = 0; i < n; i++)
                conf_put(fds[i][1]);
        for (int i = 1; i < n && next_report(hub, CONF_SOON) != NULL; i += 2)
                continue;
        conf_quiet(hub);
        for (int i = 0; i < n; i++) {
                CHECK_INT(works[i].reported, 1);
                CHECK_INT(works[i].op.result, i % 2 ? 1 : -ECANCELED);
                conf_close_pair(fds[i]);
        }
        conf_close(hub);
}

/* The bytes come at about the time of the cancel: they were received, or they are still there. */
void
cancelling_loses_no_bytes(void)
{
        void *hub = ops_open();

        for (int round = 0; hub != NULL && round < 20; round++) {
                struct green_hub_event event;
                struct work work;
                char bytes[16];
                green_fd fds[2];

                if (!conf_pair(fds))
                        break;
                prepare(&work, GREEN_OP_RECV, fds[0], 16);
                if (submit(hub, &work)) {
                        if (round % 4 == 0)
                                CHECK_INT(conf_ops->wait(hub, &event, 1, 0), 0);
                        CHECK_INT(conf_write(fds[1], "bytes", 5), 5);
                        cancel(hub, &work);
                        if (work.op.result == -ECANCELED)
                                CHECK_INT(conf_read(fds[0], bytes, 16), 5);
                        else if (CHECK_INT(work.op.result, 5))
                                CHECK(memcmp(work.bytes, "bytes", 5) == 0);
                }
                conf_close_pair(fds);
        }
        conf_close(hub);
}

void
a_cancelled_operation_ends_when_its_descriptor_is_closed(void)
{
        void *hub = ops_open();
        struct work work;
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&work, GREEN_OP_RECV, fds[0], 16);
        if (submit(hub, &work)) {
                int err = conf_ops->cancel(hub, &work.op);

                conf_close_pair(fds);
                if (err == -EINPROGRESS)
                        CHECK_PTR(next_report(hub, CONF_SOON), &work);
                else
                        CHECK_INT(err, 0);
                CHECK(work.op.result == -ECANCELED || work.op.result == 0);
        } else {
                conf_close_pair(fds);
        }
        conf_quiet(hub);
        conf_close(hub);
}

void
fini_takes_back_operations_in_flight(void)
{
        static struct work works[MANY];
        void *hub = ops_open();
        green_fd fds[MANY][2];
        int n;

        if (hub == NULL)
                return;
        n = submit_many(hub, works, fds);
        for (int i = 0; i < n; i += 3)
                conf_put(fds[i][1]);
        for (int i = 1; i < n; i += 3)
                conf_ops->cancel(hub, &works[i].op);
        conf_close(hub);
        /* From now on the buffers are ours: what comes later must not be written to them. */
        for (int i = 0; i < n; i++) {
                memset(works[i].bytes, '#', sizeof works[i].bytes);
                conf_put(fds[i][1]);
        }
        /* Nothing may happen, so there is nothing to wait for but time. */
        conf_pause(0.01);
        for (int i = 0; i < n; i++) {
                CHECK_INT(works[i].bytes[0], '#');
                conf_close_pair(fds[i]);
        }
}

/* Nobody will ever see it; the suite counts the descriptors. */
void
fini_closes_what_was_accepted(void)
{
        struct green_hub_event event;
        struct sockaddr_in addr;
        void *hub = ops_open();
        green_fd listener, client;
        struct work work;

        if (hub == NULL)
                return;
        listener = conf_bound(SOCK_STREAM, &addr);
        client = conf_socket(SOCK_STREAM);
        CHECK_INT(listen(listener, 5), 0);
        prepare(&work, GREEN_OP_ACCEPT, listener, 0);
        if (submit(hub, &work)) {
                CHECK(conf_connect(client, &addr));
                if (conf_ops->wait(hub, &event, 1, 0) == 1 && work.op.result >= 0)
                        conf_close_fd((green_fd)work.op.result);
        }
        conf_close(hub);
        conf_close_fd(listener);
        conf_close_fd(client);
}

void
operations_and_readiness_live_together(void)
{
        struct green_hub_event events[8];
        void *hub = ops_open();
        bool ready = false;
        struct work work;
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        CHECK_INT(conf_ops->add(hub, fds[1], GREEN_READ, 1), 0);
        prepare(&work, GREEN_OP_RECV, fds[0], 16);
        if (submit(hub, &work)) {
                conf_put(fds[0]);
                conf_put(fds[1]);
                for (int turns = 0; turns < 100000 && (!ready || work.reported == 0); turns++) {
                        int n = conf_wait(hub, events, 8, CONF_SOON);

                        for (int i = 0; i < n; i++) {
                                work.reported += events[i].op == &work.op;
                                ready = ready || (events[i].op == NULL && events[i].token == 1);
                        }
                }
                CHECK(ready);
                CHECK_INT(work.reported, 1);
        }
        conf_close(hub);
        conf_close_pair(fds);
}

static void
without_operations(void *hub)
{
        CHECK_INT(conf_ops->after_fork(hub), 0);
        conf_quiet(hub);
        conf_close(hub);
}

void
the_child_of_a_fork_has_no_operations(void)
{
        void *hub = ops_open();
        struct work work;
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&work, GREEN_OP_RECV, fds[0], 16);
        if (submit(hub, &work) && conf_in_child(without_operations, hub)) {
                conf_put(fds[1]);
                ends_with(hub, &work, 1);
        }
        conf_close(hub);
        conf_close_pair(fds);
}
