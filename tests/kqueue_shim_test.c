/* kqueue_shim.c, which stands for kqueue(2) in tests: it does what the manual page says. */
#include "config.h"

#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int kq, fds[2];

static bool
up(void)
{
        kq = kqueue();
        return CHECK(kq >= 0) && CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static void
down(void)
{
        close(kq);
        close(fds[0]);
        close(fds[1]);
}

/* One change, and no events. 0 or an error. */
static int
change(int fd, int filter, int flags)
{
        struct kevent kev;

        EV_SET(&kev, (uintptr_t)fd, (int16_t)filter, (uint16_t)flags, 0, 0, &kq);
        return kevent(kq, &kev, 1, NULL, 0, NULL) < 0 ? errno : 0;
}

/* What there is now, or comes within a moment. */
static int
events(struct kevent *found, int max)
{
        struct timespec moment = {0, 20000000};

        return kevent(kq, NULL, 0, found, max, &moment);
}

/* The one event that there is: of this filter. */
static bool
one(int filter, struct kevent *ret_event)
{
        struct kevent found[4];
        int n = events(found, 4);

        if (n != 1)
                return FAIL("%d events", n);
        *ret_event = found[0];
        return CHECK_INT(found[0].filter, filter);
}

static void
put(int n)
{
        CHECK_INT(write(fds[1], "xxxxxxxx", (size_t)n), n);
}

static void
get(void)
{
        char bytes[4096];

        while (read(fds[0], bytes, sizeof bytes) > 0)
                continue;
}

static void
a_filter_reports_as_long_as_it_holds(void)
{
        struct kevent event;

        if (!up())
                return;
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        CHECK_INT(events(&event, 1), 0);
        put(3);
        for (int i = 0; i < 3; i++) {
                CHECK(one(EVFILT_READ, &event));
                CHECK_INT(event.ident, fds[0]);
                CHECK_INT(event.data, 3);
                CHECK_INT(event.flags & (EV_EOF | EV_ERROR), 0);
                CHECK_PTR(event.udata, &kq);
        }
        get();
        CHECK_INT(events(&event, 1), 0);
        down();
}

static void
clear_reports_each_change_once(void)
{
        struct kevent event;

        if (!up())
                return;
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD | EV_CLEAR), 0);
        for (int i = 1; i <= 3; i++) {
                put(1);
                CHECK(one(EVFILT_READ, &event));
                CHECK_INT(event.data, i);
                CHECK_INT(events(&event, 1), 0);
        }
        /* Adding it again looks again; what was read meanwhile is not reported. */
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        CHECK(one(EVFILT_READ, &event));
        CHECK_INT(events(&event, 1), 0);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        get();
        CHECK_INT(events(&event, 1), 0);
        down();
}

static void
oneshot_is_deleted_and_dispatch_is_disabled_by_its_report(void)
{
        struct kevent event;

        if (!up())
                return;
        put(1);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD | EV_ONESHOT), 0);
        CHECK(one(EVFILT_READ, &event));
        CHECK_INT(events(&event, 1), 0);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_DELETE), ENOENT);

        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD | EV_DISPATCH), 0);
        CHECK(one(EVFILT_READ, &event));
        put(1);
        CHECK_INT(events(&event, 1), 0);
        /* As on FreeBSD, adding does not enable. */
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        CHECK_INT(events(&event, 1), 0);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ENABLE), 0);
        CHECK(one(EVFILT_READ, &event));
        CHECK_INT(event.data, 2);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_DELETE), 0);
        down();
}

static void
a_disabled_filter_is_silent(void)
{
        struct kevent event;

        if (!up())
                return;
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD | EV_DISABLE), 0);
        put(1);
        CHECK_INT(events(&event, 1), 0);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ENABLE), 0);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_DISABLE), 0);
        CHECK_INT(events(&event, 1), 0);
        down();
}

static void
directions_are_filters_of_their_own(void)
{
        struct kevent event;

        if (!up())
                return;
        CHECK_INT(change(fds[0], EVFILT_WRITE, EV_ADD), 0);
        CHECK(one(EVFILT_WRITE, &event));
        CHECK(event.data > 0);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_DELETE), ENOENT);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        CHECK_INT(change(fds[0], EVFILT_WRITE, EV_DELETE), 0);
        put(1);
        CHECK(one(EVFILT_READ, &event));
        down();
}

static void
the_end_of_a_stream_is_told_with_its_last_bytes(void)
{
        struct kevent event;

        if (!up())
                return;
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        put(2);
        shutdown(fds[1], SHUT_WR);
        CHECK(one(EVFILT_READ, &event));
        CHECK_INT(event.data, 2);
        CHECK_INT(event.flags & EV_EOF, EV_EOF);
        CHECK_INT(event.fflags, 0);
        down();
}

static void
a_pipe_that_nobody_reads_has_no_filter_for_writing(void)
{
        struct kevent event;
        int ends[2];

        if (!up() || !CHECK_INT(pipe(ends), 0))
                return;
        CHECK_INT(change(ends[1], EVFILT_WRITE, EV_ADD | EV_CLEAR), 0);
        CHECK(one(EVFILT_WRITE, &event));
        close(ends[0]);
        CHECK(one(EVFILT_WRITE, &event));
        CHECK_INT(event.flags & EV_EOF, EV_EOF);
        CHECK_INT(change(ends[1], EVFILT_WRITE, EV_DELETE), 0);
        CHECK_INT(change(ends[1], EVFILT_WRITE, EV_ADD), EPIPE);
        close(ends[1]);
        down();
}

static void
a_regular_file_is_readable_before_its_end(void)
{
        FILE *file = tmpfile();
        struct kevent event;

        if (!up() || !CHECK(file != NULL))
                return;
        CHECK_INT(change(fileno(file), EVFILT_READ, EV_ADD), 0);
        CHECK_INT(events(&event, 1), 0);
        CHECK_INT(pwrite(fileno(file), "abc", 3, 0), 3);
        CHECK_INT(change(fileno(file), EVFILT_READ, EV_ADD), 0);
        CHECK(one(EVFILT_READ, &event));
        CHECK_INT(event.data, 3);
        fclose(file);
        down();
}

static void
filters_go_when_their_number_is_closed(void)
{
        struct kevent event;
        int copy, number;

        if (!up())
                return;
        /* Also where a duplicate keeps the file open. */
        number = dup(fds[0]);
        copy = dup(fds[0]);
        CHECK_INT(change(number, EVFILT_READ, EV_ADD), 0);
        put(1);
        close(number);
        CHECK_INT(events(&event, 1), 0);
        CHECK_INT(change(number, EVFILT_READ, EV_DELETE), EBADF);
        CHECK_INT(dup2(fds[1], number), number);
        CHECK_INT(change(number, EVFILT_READ, EV_DELETE), ENOENT);
        CHECK_INT(change(number, EVFILT_READ, EV_ENABLE), ENOENT);
        CHECK_INT(change(copy, EVFILT_READ, EV_ADD), 0);
        CHECK(one(EVFILT_READ, &event));
        CHECK_INT(event.ident, copy);
        close(copy);
        close(number);
        down();
}

static void
wrong_changes_have_their_errors(void)
{
        struct timespec bad = {0, 1000000000}, before = {-1, 0};
        struct kevent event;

        if (!up())
                return;
        CHECK_INT(change(-1, EVFILT_READ, EV_ADD), EBADF);
        CHECK_INT(change(fds[0], -77, EV_ADD), EINVAL);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ENABLE), ENOENT);
        CHECK_INT(kevent(kq, NULL, 0, &event, 1, &bad), -1);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(kevent(kq, NULL, 0, &event, 1, &before), -1);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(kevent(fds[0], NULL, 0, &event, 1, NULL), -1);
        CHECK_INT(errno, EBADF);
        down();
        CHECK_INT(kevent(kq, NULL, 0, &event, 1, NULL), -1);
        CHECK_INT(errno, EBADF);
}

static void
errors_take_the_place_of_events(void)
{
        struct kevent changes[3], found[3];
        struct timespec long_time = {20, 0};

        if (!up())
                return;
        put(1);
        EV_SET(&changes[0], (uintptr_t)fds[0], EVFILT_WRITE, EV_DELETE, 0, 0, NULL);
        EV_SET(&changes[1], (uintptr_t)fds[1], EVFILT_WRITE, EV_DELETE, 0, 0, NULL);
        EV_SET(&changes[2], (uintptr_t)fds[0], EVFILT_READ, EV_ADD, 0, 0, NULL);
        /* With room: they are told, the rest is done, and nothing is waited for. */
        CHECK_INT(kevent(kq, changes, 3, found, 3, &long_time), 2);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(found[i].flags & EV_ERROR, EV_ERROR);
                CHECK_INT(found[i].data, ENOENT);
                CHECK_INT(found[i].ident, fds[i]);
        }
        CHECK_INT(change(fds[0], EVFILT_READ, EV_DELETE), 0);
        /* Without: the rest is not done. */
        CHECK_INT(kevent(kq, changes, 3, found, 1, &long_time), -1);
        CHECK_INT(errno, ENOENT);
        CHECK_INT(change(fds[0], EVFILT_READ, EV_DELETE), ENOENT);
        down();
}

static void
receipts_come_instead_of_events(void)
{
        struct kevent changes[2];

        if (!up())
                return;
        put(1);
        CHECK_INT(change(fds[0], EVFILT_WRITE, EV_ADD), 0);
        EV_SET(&changes[0], (uintptr_t)fds[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, NULL);
        EV_SET(&changes[1], (uintptr_t)fds[1], EVFILT_READ, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
        CHECK_INT(kevent(kq, changes, 2, changes, 2, NULL), 2);
        CHECK_INT(changes[0].flags & EV_ERROR, EV_ERROR);
        CHECK_INT(changes[0].data, 0);
        CHECK_INT(changes[1].data, ENOENT);
        CHECK_INT(events(changes, 2), 2);
        down();
}

static void *
trigger_soon(void *unused)
{
        struct kevent kev;

        usleep(10000);
        EV_SET(&kev, 7, EVFILT_USER, 0, NOTE_TRIGGER | NOTE_FFCOPY | 5, 0, NULL);
        CHECK_INT(kevent(kq, &kev, 1, NULL, 0, NULL), 0);
        return unused;
}

static void
a_user_event_is_triggered_from_another_thread(void)
{
        struct kevent event;
        pthread_t thread;

        if (!up())
                return;
        EV_SET(&event, 7, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, NULL);
        CHECK_INT(kevent(kq, &event, 1, NULL, 0, NULL), 0);
        CHECK_INT(events(&event, 1), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(pthread_create(&thread, NULL, trigger_soon, NULL), 0);
                CHECK_INT(kevent(kq, NULL, 0, &event, 1, NULL), 1);
                CHECK_INT(event.filter, EVFILT_USER);
                CHECK_INT(event.ident, 7);
                CHECK_INT(event.fflags, 5);
                pthread_join(thread, NULL);
                CHECK_INT(events(&event, 1), 0);
        }
        EV_SET(&event, 8, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
        CHECK_INT(kevent(kq, &event, 1, NULL, 0, NULL), -1);
        CHECK_INT(errno, ENOENT);
        down();
}

static bool
is_readable(void)
{
        struct pollfd p = {.fd = kq, .events = POLLIN};

        return poll(&p, 1, 5) == 1;
}

static void
its_descriptor_is_readable_when_there_is_an_event(void)
{
        struct kevent event;

        if (!up())
                return;
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD | EV_CLEAR), 0);
        CHECK(!is_readable());
        put(1);
        CHECK(is_readable());
        CHECK(one(EVFILT_READ, &event));
        CHECK(!is_readable());
        /* What is ready when it is added counts. */
        CHECK_INT(change(fds[0], EVFILT_WRITE, EV_ADD | EV_CLEAR), 0);
        CHECK(is_readable());
        down();
}

static void
each_of_many_is_reported_in_its_turn(void)
{
        enum { MANY = 50 };
        int pairs[MANY][2], seen[MANY] = {0};
        struct kevent found[8];

        if (!up())
                return;
        for (int i = 0; i < MANY; i++) {
                CHECK_INT(pipe(pairs[i]), 0);
                CHECK_INT(write(pairs[i][1], "x", 1), 1);
                CHECK_INT(change(pairs[i][0], EVFILT_READ, EV_ADD), 0);
        }
        for (int n = 0; n < 2 * MANY;) {
                int got = events(found, 8);

                if (!CHECK_INT(got, 8))
                        break;
                for (int i = 0; i < got && n < 2 * MANY; i++, n++) {
                        for (int j = 0; j < MANY; j++)
                                seen[j] += found[i].ident == (uintptr_t)pairs[j][0];
                }
        }
        for (int i = 0; i < MANY; i++) {
                CHECK_INT(seen[i], 2);
                close(pairs[i][0]);
                close(pairs[i][1]);
        }
        down();
}

static void
a_child_has_no_kqueue(void)
{
        struct kevent event;
        int status = -1, other;
        pid_t child;

        if (!up())
                return;
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        fflush(stdout);
        child = fork();
        if (child == 0) {
                CHECK_INT(fcntl(kq, F_GETFD), -1);
                CHECK_INT(kevent(kq, NULL, 0, &event, 1, NULL), -1);
                CHECK_INT(errno, EBADF);
                other = kqueue();
                CHECK(other >= 0);
                _exit(suite_failures() != 0);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
        put(1);
        CHECK(one(EVFILT_READ, &event));
        down();
}

static void
on_signal(int unused)
{
        (void)unused;
}

static void
a_signal_interrupts_it_when_the_changes_are_made(void)
{
        struct sigaction action = {.sa_handler = on_signal};
        struct kevent event;

        if (!up())
                return;
        sigaction(SIGALRM, &action, NULL);
        EV_SET(&event, (uintptr_t)fds[0], EVFILT_READ, EV_ADD, 0, 0, NULL);
        alarm(1);
        CHECK_INT(kevent(kq, &event, 1, &event, 1, NULL), -1);
        CHECK_INT(errno, EINTR);
        put(1);
        CHECK(one(EVFILT_READ, &event));
        signal(SIGALRM, SIG_DFL);
        down();
}

static void
success_keeps_errno(void)
{
        struct kevent event;

        if (!up())
                return;
        errno = EILSEQ;
        CHECK_INT(change(fds[0], EVFILT_READ, EV_ADD), 0);
        CHECK_INT(events(&event, 1), 0);
        CHECK_INT(errno, EILSEQ);
        down();
}

GREEN_SUITE(kqueue_shim_test){
        GREEN_TEST(a_filter_reports_as_long_as_it_holds),
        GREEN_TEST(clear_reports_each_change_once),
        GREEN_TEST(oneshot_is_deleted_and_dispatch_is_disabled_by_its_report),
        GREEN_TEST(a_disabled_filter_is_silent),
        GREEN_TEST(directions_are_filters_of_their_own),
        GREEN_TEST(the_end_of_a_stream_is_told_with_its_last_bytes),
        GREEN_TEST(a_pipe_that_nobody_reads_has_no_filter_for_writing),
        GREEN_TEST(a_regular_file_is_readable_before_its_end),
        GREEN_TEST(filters_go_when_their_number_is_closed),
        GREEN_TEST(wrong_changes_have_their_errors),
        GREEN_TEST(errors_take_the_place_of_events),
        GREEN_TEST(receipts_come_instead_of_events),
        GREEN_TEST(a_user_event_is_triggered_from_another_thread),
        GREEN_TEST(its_descriptor_is_readable_when_there_is_an_event),
        GREEN_TEST(each_of_many_is_reported_in_its_turn),
        GREEN_TEST(a_child_has_no_kqueue),
        GREEN_TEST(a_signal_interrupts_it_when_the_changes_are_made),
        GREEN_TEST(success_keeps_errno),
        GREEN_SUITE_END,
};
