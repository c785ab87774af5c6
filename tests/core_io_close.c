/* Registered descriptors: closing, numbers that are used again, how often the hub hears of them, owners. */
#include "core_suite.h"

#include <math.h>

/* ---- closing */

static void
a_number_that_was_opened_anew_cancels_its_old_waiters(void)
{
        struct core_waiter raw, owner;
        green_io *io;
        int fds[2], other[2];

        GREEN_COVERS("FD-14", "FD-05");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        io = green_io_open(fds[0], 0);
        core_wait_io(&owner, io, GREEN_READ);
        core_wait_fd(&raw, fds[1], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        /* Closed and opened behind green-net's back. */
        CHECK_INT(dup2(other[0], fds[0]), fds[0]);
        CHECK_INT(dup2(other[1], fds[1]), fds[1]);
        green_notify_opened(fds[0]);
        green_notify_opened(fds[1]);
        green_notify_opened(3000);
        CHECK_INT(green_sleep(0), 0);
        CHECK(owner.done && raw.done);
        CHECK_INT(core_join(owner.gt), 0);
        CHECK_INT(core_join(raw.gt), 0);
        CHECK_INT(owner.rc, -ECANCELED);
        CHECK_INT(raw.rc, -ECANCELED);
        /* The old owner is closed, and does not close the new file. */
        CHECK_INT(green_io_fd(io), GREEN_INVALID_FD);
        CHECK_INT(green_io_wait(io, GREEN_READ, 1), -EBADF);
        CHECK_INT(green_io_free(io), 0);
        CHECK(fcntl(fds[0], F_GETFD) >= 0);
        core_put(fds[1]);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), 0);
        core_close_pair(fds);
        core_close_pair(other);
}

static void
a_close_wakes_its_waiters_at_once(void)
{
        struct core_waiter reader, writer;
        green_io *io;
        int fds[2];

        GREEN_COVERS("FD-15", "FD-08");
        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        io = green_io_open(fds[0], 0);
        core_wait_io(&reader, io, GREEN_READ);
        core_wait_io(&writer, io, GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_io_free(io), -EBUSY);
        CHECK_INT(green_io_close(io), 0);
        CHECK(fcntl(fds[0], F_GETFD) < 0);
        /* At once and for good: even the memory may go before they run. */
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK_INT(reader.rc, -ECANCELED);
        CHECK_INT(writer.rc, -ECANCELED);
        close(fds[1]);
}

static void
notify_close_wakes_every_raw_waiter(void)
{
        struct core_waiter reader, writer;
        int fds[2];

        GREEN_COVERS("FD-15", "FD-08");
        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        core_wait_fd(&writer, fds[0], GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        green_notify_close(fds[0]);
        close(fds[0]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK_INT(reader.rc, -ECANCELED);
        CHECK_INT(writer.rc, -ECANCELED);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 1), -EBADF);
        close(fds[1]);
}

static void
close_is_idempotent_and_the_handle_stays(void)
{
        green_fd fd = 0;
        green_io *io;
        int fds[2];

        GREEN_COVERS("FD-15");
        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], 0);
        CHECK_INT(green_io_close(io), 0);
        CHECK_INT(green_io_close(io), 0);
        CHECK_INT(green_io_fd(io), GREEN_INVALID_FD);
        CHECK_INT(green_io_wait(io, GREEN_READ, 1), -EBADF);
        CHECK_INT(green_io_wait(io, GREEN_READ, 0), -EBADF);
        CHECK_INT(green_io_detach(io, &fd), -EBADF);
        CHECK_INT(fd, 0);
        CHECK(!green_io_can_submit(io));
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(green_io_close(NULL), 0);
        CHECK_INT(green_io_free(NULL), 0);
        close(fds[1]);
}

static void
a_waiter_killed_before_the_close_gets_its_kill(void)
{
        struct core_waiter a;
        int fds[2];

        GREEN_COVERS("FD-17");
        CHECK_OR_RETURN(core_pair(fds));
        core_wait_fd(&a, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        core_kill(a.gt);
        green_notify_close(fds[0]);
        CHECK_INT(a.rc, GREEN_EKILLED);
        /* One that has ended, and one that never waited. */
        green_notify_close(fds[0]);
        green_notify_close(3000);
        green_notify_close(-1);
        core_close_pair(fds);
}

static void
an_event_of_an_older_owner_of_the_number_is_dropped(void)
{
        struct core_waiter reader;
        green_io *old, *now;
        int fds[2], other[2];

        GREEN_COVERS("FD-14");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        old = green_io_open(fds[0], 0);
        CHECK_INT(green_io_wait(old, GREEN_WRITE, CORE_SOON), 0);
        core_put(fds[1]);
        /* The event is in the hub already; the number gets another owner before it is looked at. */
        CHECK_INT(green_io_close(old), 0);
        CHECK_INT(dup2(other[0], fds[0]), fds[0]);
        now = green_io_open(fds[0], 0);
        CHECK(now != NULL);
        core_wait_io(&reader, now, GREEN_READ);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK(!reader.done);
        core_put(other[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(green_io_free(old), 0);
        CHECK_INT(green_io_free(now), 0);
        close(fds[1]);
        core_close_pair(other);
}

/* How many descriptors the kernel knows of in the hub's epoll descriptor; -1 where there is none to ask. */
static int
registered_in_kernel(void)
{
        char path[64], line[256];
        int n = 0;
        FILE *file;

        /* Other hubs may make their descriptor only now. */
        if (strcmp(green_hub_name(NULL), "epoll") != 0)
                return -1;
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", (int)green_hub_fd());
        file = fopen(path, "re");
        if (file == NULL)
                return -1;
        while (fgets(line, sizeof line, file) != NULL)
                n += strncmp(line, "tfd:", 4) == 0;
        fclose(file);
        return n;
}

static void
a_duplicate_that_stays_open_makes_no_events(void)
{
        int before = registered_in_kernel();
        struct core_waiter reader;
        green_io *io, *now;
        int fds[2], other[2], copy;

        GREEN_COVERS("FD-14");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        copy = dup(fds[0]);
        io = green_io_open(fds[0], GREEN_IO_DUPED);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        CHECK(before < 0 || registered_in_kernel() == before + 1);
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(registered_in_kernel(), before);
        CHECK_INT(dup2(other[0], fds[0]), fds[0]);
        now = green_io_open(fds[0], 0);
        core_wait_io(&reader, now, GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        core_put(fds[1]);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK(!reader.done);
        core_kill(reader.gt);
        CHECK_INT(green_io_free(now), 0);
        close(copy);
        close(fds[1]);
        core_close_pair(other);
}

static void
events_of_a_duplicate_that_nobody_told_of_are_dropped(void)
{
        struct core_waiter reader;
        green_io *io, *now;
        int fds[2], other[2], copy;

        GREEN_COVERS("FD-14");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        copy = dup(fds[0]);
        io = green_io_open(fds[0], 0);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        /* The kernel keeps the registration under the old number, which now means another file. */
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(dup2(other[0], fds[0]), fds[0]);
        now = green_io_open(fds[0], 0);
        core_wait_io(&reader, now, GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        core_put(fds[1]);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK(!reader.done);
        core_put(other[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(green_io_free(now), 0);
        close(copy);
        close(fds[1]);
        core_close_pair(other);
}

static void
a_registration_that_was_left_behind_is_taken_over(void)
{
        green_io *io;
        int fds[2], copy;

        GREEN_COVERS("FD-11");
        CHECK_OR_RETURN(core_pair(fds));
        copy = dup(fds[0]);
        io = green_io_open(fds[0], 0);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        /* The kernel keeps the registration, since the copy holds the same open file. */
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(dup2(copy, fds[0]), fds[0]);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0.002), -ETIMEDOUT);
        core_put(fds[1]);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), 0);
        close(copy);
        core_close_pair(fds);
}

/* ---- registered descriptors */

static void *
put_bytes(void *arg)
{
        const int *fd = arg;

        for (int i = 0; i < 50; i++) {
                core_put(*fd);
                CHECK_INT(green_sleep(0.0002), 0);
        }
        return NULL;
}

static void
a_registered_descriptor_is_told_to_the_hub_once(void)
{
        struct hub_late_stats *stats = core_late_hub("hub_late", "strict=1");
        green_thread *writer;
        green_io *io;
        int fds[2], got = 0;

        GREEN_COVERS("FD-06");
        if (stats == NULL || !core_pair(fds))
                return;
        io = green_io_open(fds[0], 0);
        CHECK_INT(stats->adds, 0);
        writer = green_spawn(put_bytes, &fds[1]);
        while (got < 50) {
                int n = core_drain(fds[0]);

                got += n;
                if (n == 0)
                        CHECK_INT(green_io_wait(io, GREEN_READ, CORE_SOON), 0);
        }
        CHECK_INT(core_join(writer), 0);
        CHECK_INT(green_io_wait(io, GREEN_READ, 0.001), -ETIMEDOUT);
        CHECK_INT(stats->adds, 1);
        CHECK_INT(stats->removes, HUB_LATE_HAS_EDGES ? 0 : 1);
        if (HUB_LATE_HAS_EDGES)
                CHECK_INT(stats->modifies, 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
        (void)core_fresh_hub(NULL);
}

static void
a_hub_without_edges_serves_both_kinds_of_waits(void)
{
        struct core_waiter reader, writer;
        uint64_t polls;
        green_io *io;
        int fds[2];

        GREEN_COVERS("FD-06", "FD-01");
        if (core_late_hub("hub_late_level", "strict=1") == NULL || !core_pair(fds))
                return;
        core_fill(fds[0]);
        io = green_io_open(fds[0], 0);
        core_wait_io(&reader, io, GREEN_READ);
        core_wait_fd(&writer, fds[0], GREEN_WRITE);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK(!reader.done && !writer.done);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK(!writer.done);
        /* The byte that nobody reads must not keep the hub busy. */
        polls = core_info().polls;
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_RANGE(core_info().polls - polls, 1, 4);
        core_drain(fds[1]);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(writer.rc, 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
        (void)core_fresh_hub(NULL);
}

static void
one_descriptor_has_one_owner(void)
{
        green_io *io, *second;
        int fds[2];

        GREEN_COVERS("FD-05");
        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], 0);
        CHECK_PTR(green_io_open(fds[0], 0), NULL);
        CHECK_INT(errno, EBUSY);
        CHECK_INT(green_last_error()->code, -EBUSY);
        CHECK_INT(green_io_wait(io, GREEN_READ | GREEN_WRITE, 1), -EINVAL);
        CHECK_INT(green_io_wait(io, 0, 1), -EINVAL);
        CHECK_INT(green_io_wait(io, GREEN_READ, NAN), -EINVAL);
        CHECK_INT(green_io_wait(io, GREEN_READ, 0), -ETIMEDOUT);
        CHECK_INT(green_io_close(io), 0);
        CHECK_INT(dup2(fds[1], fds[0]), fds[0]);
        second = green_io_open(fds[0], 0);
        CHECK(second != NULL);
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(green_io_wait(second, GREEN_WRITE, 1), 0);
        CHECK_INT(green_io_free(second), 0);
        close(fds[1]);
}

static void
detach_gives_the_descriptor_back(void)
{
        struct core_waiter reader;
        green_io *io;
        green_fd fd = GREEN_INVALID_FD;
        int fds[2];

        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], 0);
        core_wait_io(&reader, io, GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_io_detach(io, &fd), -EBUSY);
        CHECK_INT(fd, GREEN_INVALID_FD);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(green_io_detach(io, &fd), 0);
        CHECK_INT(fd, fds[0]);
        CHECK_INT(green_io_wait(io, GREEN_READ, 1), -EBADF);
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(green_trampoline(fd, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(core_drain(fd), 1);
        io = green_io_open(fd, GREEN_IO_KEEP_FD);
        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        CHECK_INT(green_io_free(io), 0);
        CHECK(fcntl(fd, F_GETFD) >= 0);
        core_close_pair(fds);
}

static void
nobody_waits_when_all_have_gone(void)
{
        struct core_waiter waiters[8];
        int fds[2];

        GREEN_COVERS("FD-20");
        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        CHECK(green_debug_hub_prevent_multiple_readers(false));
        for (int i = 0; i < 8; i++)
                core_wait_fd(&waiters[i], fds[0], i < 5 ? GREEN_READ : GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(core_info().readers, 5);
        CHECK_INT(core_info().writers, 3);
        for (int i = 0; i < 8; i++)
                core_kill(waiters[i].gt);
        CHECK_INT(core_info().readers, 0);
        CHECK_INT(core_info().writers, 0);
        (void)green_debug_hub_prevent_multiple_readers(true);
        core_close_pair(fds);
}

static void *
use_foreign_io(void *arg)
{
        struct core_log log;
        green_fd fd;

        core_log_begin(&log, "belongs to hub");
        CHECK_INT(green_io_wait(arg, GREEN_READ, 1), -EPERM);
        CHECK_INT(green_io_close(arg), -EPERM);
        CHECK_INT(green_io_free(arg), -EPERM);
        CHECK_INT(green_io_detach(arg, &fd), -EPERM);
        CHECK_INT(log.count, 4);
        core_log_end();
        return NULL;
}

static void *
make_io(void *arg)
{
        int *fd = arg;
        green_io *io = green_io_open(*fd, 0);

        CHECK_INT(green_io_wait(io, GREEN_WRITE, CORE_SOON), 0);
        return io;
}

static void
a_registration_belongs_to_its_os_thread_until_that_ends(void)
{
        pthread_t thread;
        green_io *io;
        void *made = NULL;
        int fds[2];

        GREEN_COVERS("FD-05");
        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], 0);
        CHECK_INT(pthread_create(&thread, NULL, use_foreign_io, io), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(fcntl(fds[0], F_GETFD) >= 0);
        CHECK_INT(pthread_create(&thread, NULL, make_io, &fds[1]), 0);
        CHECK_INT(pthread_join(thread, &made), 0);
        CHECK(!green_io_can_submit(made));
        CHECK_INT(green_io_free(made), 0);
        CHECK(fcntl(fds[1], F_GETFD) < 0);
        CHECK_INT(green_io_free(io), 0);
}

GREEN_SUITE_INIT(core_init)

static void *
cancel_from_elsewhere(void *arg)
{
        CHECK_INT(green_io_cancel(arg), -EPERM);
        return NULL;
}

static void
cancel_ends_the_waits_and_leaves_it_open(void)
{
        struct core_waiter reader, writer;
        pthread_t thread;
        green_io *io;
        int fds[2];

        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        io = green_io_open(fds[0], 0);
        core_wait_io(&reader, io, GREEN_READ);
        core_wait_io(&writer, io, GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(pthread_create(&thread, NULL, cancel_from_elsewhere, io), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(!reader.done && !writer.done);
        CHECK_INT(green_io_cancel(io), 0);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK_INT(reader.rc, -ECANCELED);
        CHECK_INT(writer.rc, -ECANCELED);
        CHECK_INT(green_io_fd(io), fds[0]);

        /* The next wait is one like any other. */
        core_wait_io(&reader, io, GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(green_io_cancel(io), 0);
        CHECK_INT(green_io_cancel(NULL), 0);
        CHECK_INT(green_io_close(io), 0);
        CHECK_INT(green_io_cancel(io), 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
}

GREEN_SUITE(core_io_close) {
        GREEN_TEST(a_number_that_was_opened_anew_cancels_its_old_waiters),
        GREEN_TEST(a_close_wakes_its_waiters_at_once),
        GREEN_TEST(notify_close_wakes_every_raw_waiter),
        GREEN_TEST(close_is_idempotent_and_the_handle_stays),
        GREEN_TEST(a_waiter_killed_before_the_close_gets_its_kill),
        GREEN_TEST(an_event_of_an_older_owner_of_the_number_is_dropped),
        GREEN_TEST(a_duplicate_that_stays_open_makes_no_events),
        GREEN_TEST(events_of_a_duplicate_that_nobody_told_of_are_dropped),
        GREEN_TEST(a_registration_that_was_left_behind_is_taken_over),
        GREEN_TEST(a_registered_descriptor_is_told_to_the_hub_once),
        GREEN_TEST(a_hub_without_edges_serves_both_kinds_of_waits),
        GREEN_TEST(one_descriptor_has_one_owner),
        GREEN_TEST(detach_gives_the_descriptor_back),
        GREEN_TEST(cancel_ends_the_waits_and_leaves_it_open),
        GREEN_TEST(nobody_waits_when_all_have_gone),
        GREEN_TEST(a_registration_belongs_to_its_os_thread_until_that_ends),
        GREEN_SUITE_END
};
