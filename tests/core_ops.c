/* Operations that the hub completes, on a hub that completes them late, out of order and after cancel. */
#include "core_suite.h"

#include <math.h>

/* Two connected sockets, the first registered. */
struct wire {
        struct hub_late_stats *stats;
        green_io *io;
        int fds[2];
};

static bool
wire_open(struct wire *w, const char *settings)
{
        w->stats = core_late_hub("hub_late", settings);
        if (w->stats == NULL || !core_pair(w->fds))
                return false;
        w->io = green_io_open(w->fds[0], 0);
        return CHECK(w->io != NULL);
}

static void
wire_close(struct wire *w)
{
        CHECK_INT(green_io_free(w->io), 0);
        close(w->fds[1]);
        (void)core_fresh_hub(NULL);
}

/* An operation of a green thread. */
struct transfer {
        green_thread *gt;
        green_io *io;
        enum green_op_kind kind;
        double timeout;
        size_t len;
        char bytes[64];
        int64_t result;
        int next; /* what the call after it said */
        bool done;
};

static int64_t
transfer(struct transfer *t)
{
        struct green_iovec iov = {t->bytes, t->len};
        struct green_op op = {.kind = t->kind, .iov = &iov, .iov_count = 1, .offset = -1};

        t->result = green_io_submit(t->io, &op, t->timeout);
        t->done = true;
        return t->result;
}

static void *
transfer_main(void *arg)
{
        struct transfer *t = arg;

        (void)transfer(t);
        t->next = green_sleep(0);
        return NULL;
}

static void
transfer_begin(struct transfer *t, green_io *io, enum green_op_kind kind, double timeout)
{
        *t = (struct transfer){.io = io, .kind = kind, .timeout = timeout, .len = sizeof t->bytes};
        t->gt = green_spawn(transfer_main, t);
        CHECK_INT(green_sleep(0), 0);
        CHECK(!t->done);
}

static void
an_operation_returns_what_it_did(void)
{
        struct transfer in, out = {.kind = GREEN_OP_SEND, .timeout = CORE_SOON, .len = 5, .bytes = "hello"};
        struct wire w;

        if (!wire_open(&w, "late=3"))
                return;
        CHECK(green_io_can_submit(w.io));
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        CHECK_INT(write(w.fds[1], "abc", 3), 3);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(in.result, 3);
        CHECK_INT(memcmp(in.bytes, "abc", 3), 0);
        out.io = w.io;
        CHECK_INT(transfer(&out), 5);
        CHECK_INT(core_drain(w.fds[1]), 5);
        CHECK_INT(w.stats->submits, 2);
        CHECK_INT(w.stats->reports, 2);
        CHECK_INT(w.stats->cancels, 0);
        wire_close(&w);
}

static void
an_error_of_the_system_is_the_result(void)
{
        struct transfer out = {.kind = GREEN_OP_SEND, .timeout = CORE_SOON, .len = 5};
        struct wire w;

        if (!wire_open(&w, ""))
                return;
        CHECK_INT(shutdown(w.fds[0], SHUT_WR), 0);
        out.io = w.io;
        CHECK_INT(transfer(&out), -EPIPE);
        wire_close(&w);
}

static void
wrong_operations_have_their_codes(void)
{
        struct green_op op = {.kind = GREEN_OP_RECV};
        struct transfer t = {.kind = GREEN_OP_SEND, .len = 1, .timeout = -1};
        struct wire w;

        if (!wire_open(&w, "kinds=R"))
                return;
        t.io = w.io;
        CHECK_INT(transfer(&t), -EINVAL);
        t.timeout = 1;
        CHECK_INT(transfer(&t), -ENOTSUP);
        CHECK_INT(green_io_submit(w.io, NULL, 1), -EINVAL);
        CHECK_INT(green_io_submit(NULL, &op, 1), -EINVAL);
        CHECK_INT(green_io_submit(w.io, &op, NAN), -EINVAL);
        CHECK_INT(green_io_close(w.io), 0);
        CHECK(!green_io_can_submit(w.io));
        CHECK_INT(green_io_submit(w.io, &op, 1), -EBADF);
        wire_close(&w);
}

static void
a_hub_without_operations_says_so(void)
{
        struct transfer t = {.kind = GREEN_OP_RECV, .len = 1, .timeout = 1};
        int fds[2];

        CHECK_OR_RETURN(core_fresh_hub("epoll,poll,select"));
        CHECK_OR_RETURN(core_pair(fds));
        t.io = green_io_open(fds[0], 0);
        CHECK(!green_io_can_submit(t.io));
        CHECK_INT(transfer(&t), -ENOTSUP);
        CHECK_INT(green_io_free(t.io), 0);
        close(fds[1]);
        (void)core_fresh_hub(NULL);
}

static void
a_time_limit_cancels_and_waits_for_the_buffers(void)
{
        struct transfer in;
        struct wire w;
        double begin;

        if (!wire_open(&w, "cancel=canceled,late=4"))
                return;
        begin = core_now();
        transfer_begin(&in, w.io, GREEN_OP_RECV, 0.005);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_RANGE(core_now() - begin, 0.005, CORE_SOON);
        CHECK_INT(in.result, -ETIMEDOUT);
        CHECK_INT(in.next, 0);
        CHECK_INT(w.stats->cancels, 1);
        CHECK_INT(w.stats->reports, 1);
        wire_close(&w);
}

static void
an_operation_cancelled_at_once_is_not_reported(void)
{
        struct transfer in;
        struct wire w;

        if (!wire_open(&w, "cancel=now"))
                return;
        transfer_begin(&in, w.io, GREEN_OP_RECV, 0.002);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(in.result, -ETIMEDOUT);
        CHECK_INT(w.stats->reports, 0);
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        CHECK_INT(green_kill(in.gt, 0), 0);
        CHECK_INT(core_join(in.gt), GREEN_EKILLED);
        CHECK_INT(in.result, GREEN_EKILLED);
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        CHECK_INT(green_io_close(w.io), 0);
        CHECK(fcntl(w.fds[0], F_GETFD) < 0);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(in.result, -ECANCELED);
        wire_close(&w);
}

static void
a_success_after_the_cancel_is_a_success(void)
{
        struct transfer in;
        struct wire w;

        if (!wire_open(&w, "cancel=success,late=5"))
                return;
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        core_put(w.fds[1]);
        CHECK_INT(green_kill(in.gt, 0), 0);
        CHECK(!in.done);
        CHECK_INT(core_join(in.gt), GREEN_EKILLED);
        CHECK_INT(in.result, 1);
        /* The kill is seen by the next call. */
        CHECK_INT(in.next, GREEN_EKILLED);
        CHECK_INT(w.stats->done_though_cancelled, 1);
        wire_close(&w);
}

static void
a_kill_only_marks_and_the_first_reason_stays(void)
{
        struct transfer in;
        struct wire w;

        if (!wire_open(&w, "cancel=canceled,late=10"))
                return;
        transfer_begin(&in, w.io, GREEN_OP_RECV, 100);
        CHECK_INT(green_kill(in.gt, -EOWNERDEAD), 0);
        CHECK(!in.done);
        CHECK_INT(green_kill(in.gt, -EIO), 0);
        CHECK_INT(green_io_close(w.io), 0);
        CHECK_INT(w.stats->cancels, 1);
        CHECK_INT(core_join(in.gt), -EOWNERDEAD);
        CHECK_INT(in.result, -EOWNERDEAD);
        wire_close(&w);
}

static void *
receive_under_timeout(void *arg)
{
        struct green_timeout t = {{0}};
        struct transfer *in = arg;

        CHECK_INT(green_timeout_start(&t, 0.003), 0);
        CHECK_INT(transfer(in), GREEN_ETIMEOUT);
        CHECK_INT(green_sleep(0), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        in->next = green_sleep(0);
        return NULL;
}

static void
a_timeout_cancels_and_is_named_by_the_code(void)
{
        struct transfer in = {.kind = GREEN_OP_RECV, .timeout = 100, .len = 8};
        struct wire w;

        if (!wire_open(&w, "cancel=canceled"))
                return;
        in.io = w.io;
        CHECK_INT(core_join(green_spawn(receive_under_timeout, &in)), 0);
        CHECK_INT(in.next, 0);
        wire_close(&w);
}

static void *
put_late(void *arg)
{
        const int *fd = arg;

        core_put(*fd);
        return NULL;
}

static void
a_timeout_that_failed_no_call_is_not_to_blame(void)
{
        struct transfer in = {.kind = GREEN_OP_RECV, .timeout = 100, .len = 8};
        struct green_timeout t = {{0}};
        struct wire w;

        if (!wire_open(&w, "cancel=success,late=30"))
                return;
        in.io = w.io;
        CHECK_INT(green_spawn_n(put_late, &w.fds[1]), 0);
        CHECK_INT(green_timeout_start(&t, 0.005), 0);
        CHECK_INT(transfer(&in), 1);
        CHECK(green_timeout_fired(&t));
        CHECK_INT(green_timeout_cancel(&t), 0);
        wire_close(&w);
}

static void
close_asks_for_the_end_of_operations_and_free_works_at_once(void)
{
        struct transfer in, out;
        struct wire w;

        if (!wire_open(&w, "cancel=canceled,late=4"))
                return;
        core_fill(w.fds[0]);
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        transfer_begin(&out, w.io, GREEN_OP_SEND, GREEN_FOREVER);
        CHECK_INT(green_io_free(w.io), -EBUSY);
        CHECK_INT(green_io_detach(w.io, &(green_fd){0}), -EBUSY);
        CHECK_INT(green_io_close(w.io), 0);
        CHECK_INT(green_io_fd(w.io), GREEN_INVALID_FD);
        CHECK_INT(w.stats->cancels, 2);
        /* The kernel still has the buffers, and so the descriptor. */
        CHECK(fcntl(w.fds[0], F_GETFD) >= 0);
        CHECK_INT(green_io_free(w.io), 0);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(core_join(out.gt), 0);
        CHECK_INT(in.result, -ECANCELED);
        CHECK_INT(out.result, -ECANCELED);
        CHECK(fcntl(w.fds[0], F_GETFD) < 0);
        w.io = NULL;
        wire_close(&w);
}

static void
what_came_before_the_close_is_delivered(void)
{
        struct transfer in;
        struct wire w;

        if (!wire_open(&w, "cancel=success,late=4"))
                return;
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        core_put(w.fds[1]);
        CHECK_INT(green_io_close(w.io), 0);
        CHECK_INT(green_io_free(w.io), 0);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(in.result, 1);
        CHECK_INT(in.next, 0);
        w.io = NULL;
        wire_close(&w);
}

struct freer {
        green_io *io;
};

static void *
free_when_done(void *arg)
{
        struct freer *f = arg;

        /* Until the operation has ended, but before its green thread has run. */
        while (green_io_free(f->io) == -EBUSY)
                CHECK_INT(green_sleep(0), 0);
        f->io = NULL;
        return NULL;
}

static void
a_woken_waiter_touches_the_object_no_more(void)
{
        struct freer f;
        struct transfer in;
        green_thread *gt;
        struct wire w;

        if (!wire_open(&w, "late=1"))
                return;
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        f.io = w.io;
        gt = green_spawn(free_when_done, &f);
        core_put(w.fds[1]);
        CHECK_INT(core_join(gt), 0);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(in.result, 1);
        w.io = NULL;
        wire_close(&w);
}

enum { MANY = 40 };

static void
many_operations_out_of_order_find_their_green_threads(void)
{
        static struct transfer in[MANY];
        static int fds[MANY][2];
        green_io *io[MANY];

        if (core_late_hub("hub_late", "late=3,order=newest,spurious=3") == NULL)
                return;
        for (int i = 0; i < MANY; i++) {
                CHECK_OR_RETURN(core_pair(fds[i]));
                io[i] = green_io_open(fds[i][0], 0);
                transfer_begin(&in[i], io[i], GREEN_OP_RECV, i % 4 == 3 ? 0.02 : GREEN_FOREVER);
        }
        for (int i = 0; i < MANY; i++)
                if (i % 4 != 3)
                        CHECK_INT(write(fds[i][1], "abcdefghijklmnop", (size_t)(i % 16 + 1)), i % 16 + 1);
        for (int i = 0; i < MANY; i++) {
                CHECK_INT(core_join(in[i].gt), 0);
                CHECK_INT(in[i].result, i % 4 == 3 ? -ETIMEDOUT : i % 16 + 1);
                CHECK_INT(green_io_free(io[i]), 0);
                close(fds[i][1]);
        }
        (void)core_fresh_hub(NULL);
}

static void *
shielded_transfer(void *arg)
{
        green_shield_begin();
        return transfer_main(arg);
}

static void
destroy_takes_operations_back_first(void)
{
        struct transfer killed, stays = {.kind = GREEN_OP_RECV, .timeout = GREEN_FOREVER, .len = 8};
        struct core_log log;
        struct wire w;

        GREEN_COVERS("HUB-12");
        if (!wire_open(&w, "cancel=canceled,late=3"))
                return;
        transfer_begin(&killed, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        green_thread_unref(killed.gt);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK_INT(killed.result, GREEN_EKILLED);
        CHECK_INT(green_io_free(w.io), 0);
        close(w.fds[1]);

        /* One that does not give up is freed unrun, its operation in flight. */
        if (!wire_open(&w, "cancel=canceled,late=3"))
                return;
        core_log_begin(&log, "in time");
        stays.io = w.io;
        CHECK_INT(green_spawn_n(shielded_transfer, &stays), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_hub_destroy(0.01), -ETIMEDOUT);
        CHECK(!stays.done);
        CHECK_INT(log.count, 1);
        core_log_end();
        CHECK_INT(green_use_hub(NULL), 0);
        wire_close(&w);
}

static void
destroy_releases_what_was_closed_with_operations_in_flight(void)
{
        struct transfer stays = {.kind = GREEN_OP_RECV, .timeout = GREEN_FOREVER, .len = 8};
        struct core_log log;
        struct wire w;

        GREEN_COVERS("HUB-12");
        if (!wire_open(&w, "cancel=canceled,late=10000"))
                return;
        core_log_begin(&log, "in time");
        stays.io = w.io;
        CHECK_INT(green_spawn_n(shielded_transfer, &stays), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_io_close(w.io), 0);
        CHECK_INT(green_io_free(w.io), 0);
        CHECK_INT(green_hub_destroy(0.01), -ETIMEDOUT);
        CHECK(fcntl(w.fds[0], F_GETFD) < 0);
        core_log_end();
        CHECK_INT(green_use_hub(NULL), 0);
        w.io = NULL;
        wire_close(&w);
}

static void
a_child_of_a_fork_forgets_operations(void)
{
        struct transfer in;
        struct wire w;
        pid_t pid;

        GREEN_COVERS("FORK-02");
        if (!wire_open(&w, "cancel=canceled,late=3"))
                return;
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        pid = core_fork();
        if (pid == 0) {
                struct transfer own = {.kind = GREEN_OP_RECV, .timeout = CORE_SOON, .len = 8, .io = w.io};

                CHECK_INT(core_join(in.gt), GREEN_EKILLED);
                CHECK_INT(green_spawn_n(put_late, &w.fds[1]), 0);
                CHECK_INT(transfer(&own), 1);
                CHECK_INT(green_io_free(w.io), 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        CHECK(!in.done);
        core_put(w.fds[1]);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(in.result, 1);
        wire_close(&w);
}

static void
a_cancel_of_all_leaves_it_open(void)
{
        struct transfer in;
        struct wire w;

        if (!wire_open(&w, "cancel=canceled,late=2"))
                return;
        transfer_begin(&in, w.io, GREEN_OP_RECV, GREEN_FOREVER);
        CHECK_INT(green_io_cancel(w.io), 0);
        CHECK_INT(core_join(in.gt), 0);
        CHECK_INT(in.result, -ECANCELED);
        core_put(w.fds[1]);
        in = (struct transfer){.kind = GREEN_OP_RECV, .timeout = CORE_SOON, .len = 1, .io = w.io};
        CHECK_INT(transfer(&in), 1);
        wire_close(&w);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_ops) {
        GREEN_TEST(an_operation_returns_what_it_did),
        GREEN_TEST(an_error_of_the_system_is_the_result),
        GREEN_TEST(wrong_operations_have_their_codes),
        GREEN_TEST(a_hub_without_operations_says_so),
        GREEN_TEST(a_time_limit_cancels_and_waits_for_the_buffers),
        GREEN_TEST(an_operation_cancelled_at_once_is_not_reported),
        GREEN_TEST(a_success_after_the_cancel_is_a_success),
        GREEN_TEST(a_kill_only_marks_and_the_first_reason_stays),
        GREEN_TEST(a_timeout_cancels_and_is_named_by_the_code),
        GREEN_TEST(a_timeout_that_failed_no_call_is_not_to_blame),
        GREEN_TEST(close_asks_for_the_end_of_operations_and_free_works_at_once),
        GREEN_TEST(what_came_before_the_close_is_delivered),
        GREEN_TEST(a_woken_waiter_touches_the_object_no_more),
        GREEN_TEST(many_operations_out_of_order_find_their_green_threads),
        GREEN_TEST(destroy_takes_operations_back_first),
        GREEN_TEST(destroy_releases_what_was_closed_with_operations_in_flight),
        GREEN_TEST(a_child_of_a_fork_forgets_operations),
        GREEN_TEST(a_cancel_of_all_leaves_it_open),
        GREEN_SUITE_END
};
