/* Waiting for descriptors: trampoline, events, several waiters of one descriptor. */
#include "core_suite.h"

#include <math.h>

/* ---- trampoline */

static void
trampoline_waits_until_ready_or_out_of_time(void)
{
        struct core_waiter reader;
        double begin;
        int fds[2];

        GREEN_COVERS("TRAMP-01", "TRAMP-02");
        CHECK_OR_RETURN(core_pair(fds));
        begin = core_now();
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0.01), -ETIMEDOUT);
        CHECK_RANGE(core_now() - begin, 0.01, CORE_SOON);
        CHECK_INT(core_info().readers, 0);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK(!reader.done);
        CHECK_INT(core_info().readers, 1);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(core_info().readers, 0);
        CHECK_INT(green_trampoline(fds[0], GREEN_WRITE, GREEN_FOREVER), 0);
        core_close_pair(fds);
}

static void
trampoline_returns_the_code_of_the_timeout_or_kill(void)
{
        struct green_timeout_opts opts = {.size = sizeof opts, .code = -EHOSTDOWN};
        struct green_timeout t = {{0}};
        struct core_waiter reader;
        int fds[2];

        GREEN_COVERS("TRAMP-01", "TRAMP-02");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_timeout_start_opts(&t, 0.002, &opts), 0);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 100), -EHOSTDOWN);
        CHECK_INT(green_timeout_cancel(&t), 1);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        reader.timeout = 100;
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(core_info().timers, 1);
        core_kill(reader.gt);
        CHECK_INT(reader.rc, GREEN_EKILLED);
        CHECK_INT(core_info().timers, 0);
        CHECK_INT(core_info().readers, 0);
        core_close_pair(fds);
}

static void
trampoline_refuses_both_and_neither_direction(void)
{
        int fds[2];

        GREEN_COVERS("TRAMP-03", "TRAMP-04");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_trampoline(fds[0], GREEN_READ | GREEN_WRITE, 1), -EINVAL);
        CHECK_INT(green_trampoline(fds[0], 0, 1), -EINVAL);
        CHECK_INT(green_trampoline(fds[0], 8, 1), -EINVAL);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, -1), -EINVAL);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, NAN), -EINVAL);
        core_close_pair(fds);
}

static void *
count_up(void *arg)
{
        int *count = arg;

        ++*count;
        return NULL;
}

static void
trampoline_always_yields(void)
{
        int fds[2], ran = 0;

        GREEN_COVERS("TRAMP-05", "TRAMP-07");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_spawn_n(count_up, &ran), 0);
        CHECK_INT(green_trampoline(fds[0], GREEN_WRITE, GREEN_FOREVER), 0);
        CHECK_INT(ran, 1);
        CHECK_INT(green_spawn_n(count_up, &ran), 0);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0), -ETIMEDOUT);
        CHECK_INT(ran, 2);
        core_close_pair(fds);
}

static void
a_time_limit_of_0_looks_exactly_once(void)
{
        int fds[2];

        GREEN_COVERS("TRAMP-07");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0), -ETIMEDOUT);
        core_put(fds[1]);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0), 0);
        /* Also when the caller came back from a wait for a descriptor. */
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0), 0);
        CHECK_INT(core_drain(fds[0]), 1);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0), -ETIMEDOUT);
        CHECK_INT(green_trampoline(fds[0], GREEN_WRITE, 0), 0);
        core_close_pair(fds);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0), -EBADF);
}

static void *
fired_scope_and_limit_0(void *arg)
{
        const int *fd = arg;

        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_EKILLED);
        CHECK_INT(green_trampoline(*fd, GREEN_WRITE, 0), 0);
        CHECK_INT(green_trampoline(*fd, GREEN_WRITE, 1), GREEN_EKILLED);
        return NULL;
}

static void
a_time_limit_of_0_ignores_scopes(void)
{
        green_thread *gt;
        int fds[2];

        GREEN_COVERS("TRAMP-07");
        CHECK_OR_RETURN(core_pair(fds));
        gt = green_spawn(fired_scope_and_limit_0, &fds[0]);
        CHECK_INT(green_sleep(0), 0);
        core_kill(gt);
        core_close_pair(fds);
}

static void
a_raw_wait_works_on_the_descriptor_of_a_registered_one(void)
{
        struct hub_late_stats *stats = core_late_hub("hub_late", "strict=1");
        struct core_waiter writer;
        green_io *io;
        int fds[2];

        GREEN_COVERS("TRAMP-06");
        if (stats == NULL || !core_pair(fds))
                return;
        io = green_io_open(fds[0], 0);
        CHECK_INT(green_io_fd(io), fds[0]);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, GREEN_FOREVER), 0);
        CHECK_INT(stats->adds, 1);
        core_fill(fds[0]);
        core_wait_io(&writer, io, GREEN_WRITE);
        core_put(fds[1]);
        /* The byte was there before: a raw wait must look anew, and never register a second time. */
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(green_trampoline(green_io_fd(io), GREEN_READ, CORE_SOON), 0);
        CHECK_INT(green_trampoline(green_io_fd(io), GREEN_READ, CORE_SOON), 0);
        CHECK_INT(stats->adds, 1);
        if (HUB_LATE_HAS_EDGES)
                CHECK_INT(stats->modifies, 2);
        CHECK(!writer.done);
        core_drain(fds[1]);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK_INT(writer.rc, 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
        (void)core_fresh_hub(NULL);
}

static void
a_raw_wait_that_failed_is_taken_off_the_hub(void)
{
        struct hub_late_stats *stats = core_late_hub("hub_late", "strict=1");
        struct core_waiter reader;
        int fds[2];

        GREEN_COVERS("TRAMP-02");
        if (stats == NULL || !core_pair(fds))
                return;
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0.001), -ETIMEDOUT);
        CHECK_INT(stats->adds, 1);
        CHECK_INT(stats->removes, 1);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(stats->adds, 2);
        core_kill(reader.gt);
        CHECK_INT(stats->removes, 2);
        core_close_pair(fds);
        (void)core_fresh_hub(NULL);
}

/* ---- events */

static void
a_reader_and_a_writer_of_one_descriptor_are_independent(void)
{
        struct core_waiter reader, writer;
        int fds[2];

        GREEN_COVERS("FD-01");
        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        core_wait_fd(&writer, fds[0], GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(core_info().readers, 1);
        CHECK_INT(core_info().writers, 1);
        core_drain(fds[1]);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK(!reader.done);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(writer.rc, 0);
        core_close_pair(fds);
}

static void
raw_waits_are_told_again_as_long_as_it_is_ready(void)
{
        int fds[2];

        GREEN_COVERS("FD-07");
        CHECK_OR_RETURN(core_pair(fds));
        core_put(fds[1]);
        core_put(fds[1]);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), 0);
        core_close_pair(fds);
}

static void
a_hang_up_wakes_reader_and_writer(void)
{
        struct core_waiter reader, writer;
        int fds[2];

        GREEN_COVERS("FD-07");
        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        core_wait_fd(&writer, fds[0], GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        close(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(writer.rc, 0);
        close(fds[0]);
}

static void
a_reader_of_a_pipe_learns_of_its_end(void)
{
        struct core_waiter reader, writer;
        int fds[2], full[2];

        GREEN_COVERS("FD-07");
        CHECK_INT(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
        CHECK_INT(pipe2(full, O_NONBLOCK | O_CLOEXEC), 0);
        core_fill(full[1]);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        core_wait_fd(&writer, full[1], GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        close(fds[1]);
        close(full[0]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(core_join(writer.gt), 0);
        close(fds[0]);
        close(full[1]);
}

static void
shutdown_wakes_a_reader(void)
{
        struct core_waiter reader;
        int fds[2];

        GREEN_COVERS("FD-16");
        CHECK_OR_RETURN(core_pair(fds));
        core_wait_fd(&reader, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(shutdown(fds[0], SHUT_RD), 0);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        core_close_pair(fds);
}

static void
those_of_one_batch_run_in_the_kernels_order(void)
{
        static const int writes[] = {3, 1, 4, 0, 2};
        struct core_waiter readers[5];
        int fds[5][2], turns = 0;

        GREEN_COVERS("FD-10");
        for (int i = 0; i < 5; i++) {
                CHECK_OR_RETURN(core_pair(fds[i]));
                core_wait_fd(&readers[i], fds[i][0], GREEN_READ);
                readers[i].turns = &turns;
        }
        CHECK_INT(green_sleep(0.001), 0);
        for (int i = 0; i < 5; i++)
                core_put(fds[writes[i]][1]);
        for (int i = 0; i < 5; i++)
                CHECK_INT(core_join(readers[i].gt), 0);
        if (strcmp(green_hub_name(NULL), "epoll") != 0)
                suite_skip("only epoll reports in the order of arrival");
        for (int i = 0; i < 5; i++) {
                if (strcmp(green_hub_name(NULL), "epoll") == 0)
                        CHECK_INT(readers[writes[i]].turn, i + 1);
                core_close_pair(fds[i]);
        }
}

static void
a_regular_file_is_always_ready(void)
{
        FILE *file = tmpfile();
        green_io *io;
        int ran = 0;

        GREEN_COVERS("FD-12");
        CHECK_OR_RETURN(file != NULL);
        CHECK_INT(green_spawn_n(count_up, &ran), 0);
        CHECK_INT(green_trampoline(fileno(file), GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(ran, 1);
        CHECK_INT(green_trampoline(fileno(file), GREEN_WRITE, 1), 0);
        CHECK_INT(green_trampoline(fileno(file), GREEN_READ, 0), 0);
        io = green_io_open(fileno(file), GREEN_IO_KEEP_FD);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, GREEN_FOREVER), 0);
        CHECK_INT(green_io_wait(io, GREEN_READ, 1), 0);
        CHECK_INT(green_io_free(io), 0);
        fclose(file);
}

static void
bad_descriptors_give_the_same_error_each_time(void)
{
        int fds[2];

        GREEN_COVERS("FD-13");
        CHECK_OR_RETURN(core_pair(fds));
        core_close_pair(fds);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_trampoline(-1, GREEN_READ, 1), -EINVAL);
                CHECK_INT(green_trampoline(fds[0], GREEN_READ, 1), -EBADF);
                CHECK_INT(green_trampoline(fds[0], GREEN_WRITE, GREEN_FOREVER), -EBADF);
        }
        CHECK_INT(core_info().readers + core_info().writers, 0);
        CHECK_PTR(green_io_open(-1, 0), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_io_open(1, 64), NULL);
        CHECK_INT(errno, EINVAL);
}

/* ---- the one-reader rule */

static void *
named_reader(void *arg)
{
        return core_waiter_main(arg);
}

/* Text of the error of a second reader; the first is a green thread with a name. */
static void
check_second_reader(int fd, green_io *io)
{
        struct green_spawn_opts opts = {.size = sizeof opts, .name = "the-first"};
        struct core_waiter first = {.fd = fd, .io = io, .events = GREEN_READ, .timeout = GREEN_FOREVER};
        char number[40], ident[40], site[40];

        first.gt = green_spawn_with(named_reader, &first, &opts);
        snprintf(site, sizeof site, "core_io.c:%d", __LINE__ - 1);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(io != NULL ? green_io_wait(io, GREEN_READ, 1) : green_trampoline(fd, GREEN_READ, 1), -EBUSY);
        snprintf(number, sizeof number, "second simultaneous read on fileno %d:", fd);
        snprintf(ident, sizeof ident, "green thread %llu", (unsigned long long)green_thread_ident(first.gt));
        CHECK(strstr(green_last_error()->message, number) != NULL);
        CHECK(strstr(green_last_error()->message, "the-first") != NULL);
        CHECK(strstr(green_last_error()->message, ident) != NULL);
        CHECK(strstr(green_last_error()->message, site) != NULL);
        snprintf(ident, sizeof ident, "green thread %llu", (unsigned long long)green_get_ident());
        CHECK(strstr(green_last_error()->message, ident) != NULL);
        CHECK(strstr(green_last_error()->message, "green_debug_hub_prevent_multiple_readers") != NULL);
        CHECK(strstr(green_last_error()->message, "pool") != NULL);
        CHECK(!first.done);
        CHECK_INT(core_info().readers, 1);
        core_kill(first.gt);
}

static void
a_second_reader_is_an_error_that_names_both(void)
{
        struct core_waiter reader;
        green_io *io;
        int fds[2];

        GREEN_COVERS("FD-02");
        CHECK_OR_RETURN(core_pair(fds));
        check_second_reader(fds[0], NULL);
        io = green_io_open(fds[0], 0);
        check_second_reader(fds[0], io);
        /* The first goes on as if nothing had been. */
        core_wait_io(&reader, io, GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_io_wait(io, GREEN_READ, 1), -EBUSY);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
}

static void
a_second_writer_is_an_error_too(void)
{
        struct core_waiter writer;
        int fds[2];

        GREEN_COVERS("FD-02");
        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        core_wait_fd(&writer, fds[0], GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_trampoline(fds[0], GREEN_WRITE, 1), -EBUSY);
        CHECK(strstr(green_last_error()->message, "simultaneous write") != NULL);
        core_kill(writer.gt);
        core_close_pair(fds);
}

static void *
read_one_byte(void *arg)
{
        struct core_waiter *w = arg;
        char byte;

        do {
                w->rc = w->io != NULL ? green_io_wait(w->io, GREEN_READ, w->timeout)
                                      : green_trampoline(w->fd, GREEN_READ, w->timeout);
        } while (w->rc == 0 && read(w->fd, &byte, 1) != 1);
        w->turn = ++*w->turns;
        return NULL;
}

/* Three readers of one descriptor: a byte each, first come, first served; one that is out of time disturbs nobody. */
static void
check_queued_readers(int fds[2], green_io *io)
{
        struct core_waiter readers[4];
        int turns = 0;

        for (int i = 0; i < 4; i++) {
                readers[i] = (struct core_waiter){.fd = fds[0], .io = io, .timeout = GREEN_FOREVER, .turns = &turns};
                if (i == 1)
                        readers[i].timeout = 0.002;
                readers[i].gt = green_spawn(read_one_byte, &readers[i]);
        }
        CHECK_INT(core_join(readers[1].gt), 0);
        CHECK_INT(readers[1].rc, -ETIMEDOUT);
        CHECK_INT(core_info().readers, 3);
        for (int i = 0; i < 4; i++) {
                if (i == 1)
                        continue;
                core_put(fds[1]);
                CHECK_INT(core_join(readers[i].gt), 0);
                CHECK_INT(readers[i].rc, 0);
                CHECK_INT(turns, i == 0 ? 2 : i + 1);
        }
        CHECK_INT(core_info().readers, 0);
}

static void
with_the_rule_off_readers_queue(void)
{
        int fds[2];

        GREEN_COVERS("DEBUG-02", "FD-03", "FD-04");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK(green_debug_hub_prevent_multiple_readers(false));
        check_queued_readers(fds, NULL);
        CHECK(!green_debug_hub_prevent_multiple_readers(true));
        core_close_pair(fds);
}

static void
a_shared_registration_lets_readers_queue(void)
{
        green_io *io;
        int fds[2];

        GREEN_COVERS("FD-03", "FD-04");
        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], GREEN_IO_SHARED);
        check_queued_readers(fds, io);
        CHECK_INT(green_io_set_flags(io, 0, GREEN_IO_SHARED), 0);
        check_second_reader(fds[0], io);
        CHECK_INT(green_io_set_flags(io, GREEN_IO_SHARED, 0), 0);
        check_queued_readers(fds, io);
        CHECK_INT(green_io_set_flags(io, GREEN_IO_KEEP_FD, 0), -EINVAL);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
}

static void
both_bytes_of_one_event_find_their_readers(void)
{
        struct core_waiter a, b;
        green_io *io;
        int fds[2], turns = 0;

        GREEN_COVERS("FD-03");
        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], GREEN_IO_SHARED);
        a = b = (struct core_waiter){.fd = fds[0], .io = io, .timeout = GREEN_FOREVER, .turns = &turns};
        a.gt = green_spawn(read_one_byte, &a);
        b.gt = green_spawn(read_one_byte, &b);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(write(fds[1], "xy", 2), 2);
        CHECK_INT(core_join(a.gt), 0);
        CHECK_INT(core_join(b.gt), 0);
        CHECK_INT(a.turn, 1);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_io) {
        GREEN_TEST(trampoline_waits_until_ready_or_out_of_time),
        GREEN_TEST(trampoline_returns_the_code_of_the_timeout_or_kill),
        GREEN_TEST(trampoline_refuses_both_and_neither_direction),
        GREEN_TEST(trampoline_always_yields),
        GREEN_TEST(a_time_limit_of_0_looks_exactly_once),
        GREEN_TEST(a_time_limit_of_0_ignores_scopes),
        GREEN_TEST(a_raw_wait_works_on_the_descriptor_of_a_registered_one),
        GREEN_TEST(a_raw_wait_that_failed_is_taken_off_the_hub),
        GREEN_TEST(a_reader_and_a_writer_of_one_descriptor_are_independent),
        GREEN_TEST(raw_waits_are_told_again_as_long_as_it_is_ready),
        GREEN_TEST(a_hang_up_wakes_reader_and_writer),
        GREEN_TEST(a_reader_of_a_pipe_learns_of_its_end),
        GREEN_TEST(shutdown_wakes_a_reader),
        GREEN_TEST(those_of_one_batch_run_in_the_kernels_order),
        GREEN_TEST(a_regular_file_is_always_ready),
        GREEN_TEST(bad_descriptors_give_the_same_error_each_time),
        GREEN_TEST(a_second_reader_is_an_error_that_names_both),
        GREEN_TEST(a_second_writer_is_an_error_too),
        GREEN_TEST(with_the_rule_off_readers_queue),
        GREEN_TEST(a_shared_registration_lets_readers_queue),
        GREEN_TEST(both_bytes_of_one_event_find_their_readers),
        GREEN_SUITE_END
};
