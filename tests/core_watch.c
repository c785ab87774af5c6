/* Watches: a callback for a descriptor, a time, or both. */
#include "core_suite.h"

#include <math.h>

struct watched {
        struct green_watch w;
        int result;
        int calls;
        int turn; /* its place among all calls */
        int fd;   /* started again with it, that often */
        int again;
        struct watched *stop; /* stopped in the call */
};

static int turns;

static void
called(struct green_watch *w, int result, void *arg)
{
        struct watched *self = arg;

        CHECK_PTR(w, &self->w);
        CHECK_PTR(green_getcurrent(), NULL);
        CHECK(!green_watch_active(w));
        self->result = result;
        self->calls++;
        self->turn = ++turns;
        if (self->stop != NULL)
                CHECK(green_watch_stop(&self->stop->w));
        if (self->again > 0) {
                self->again--;
                CHECK_INT(green_watch_start(w, self->fd, GREEN_READ, GREEN_FOREVER), 0);
        }
}

static void
prepare(struct watched *s)
{
        *s = (struct watched){.fd = -1};
        green_watch_init(&s->w, called, s);
}

/* Waits until it was called so often. */
static void
until_called(struct watched *s, int calls)
{
        double end = core_now() + CORE_SOON;

        while (s->calls < calls && core_now() < end)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(s->calls, calls);
}

static void
a_watch_on_a_descriptor_is_called_once(void)
{
        struct watched s;
        int fds[2];

        prepare(&s);
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, GREEN_FOREVER), 0);
        CHECK(green_watch_active(&s.w));
        CHECK_INT(core_info().readers, 1);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(s.calls, 0);
        core_put(fds[1]);
        until_called(&s, 1);
        CHECK_INT(s.result, GREEN_READ);
        CHECK_INT(core_info().readers, 0);
        /* The byte is still there, but the watch has fired. */
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(s.calls, 1);
        core_close_pair(fds);
}

static void
a_watch_on_both_directions_says_which_is_ready(void)
{
        struct watched s;
        int fds[2];

        prepare(&s);
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ | GREEN_WRITE, GREEN_FOREVER), 0);
        until_called(&s, 1);
        CHECK_INT(s.result, GREEN_WRITE);
        core_put(fds[1]);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ | GREEN_WRITE, GREEN_FOREVER), 0);
        until_called(&s, 2);
        CHECK_INT(s.result, GREEN_READ | GREEN_WRITE);
        core_close_pair(fds);
}

static void
a_watch_on_time_alone_is_called_in_time(void)
{
        double begin = core_now();
        struct watched s;

        prepare(&s);
        CHECK_INT(green_watch_start(&s.w, GREEN_INVALID_FD, 0, 0.01), 0);
        CHECK_INT(core_info().timers, 1);
        until_called(&s, 1);
        CHECK_RANGE(core_now() - begin, 0.01, CORE_SOON);
        CHECK_INT(s.result, -ETIMEDOUT);
}

static void
a_watch_on_both_takes_what_comes_first(void)
{
        struct watched s;
        int fds[2];

        prepare(&s);
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, 0.005), 0);
        until_called(&s, 1);
        CHECK_INT(s.result, -ETIMEDOUT);
        CHECK_INT(core_info().readers, 0);
        core_put(fds[1]);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, 1000), 0);
        until_called(&s, 2);
        CHECK_INT(s.result, GREEN_READ);
        CHECK_INT(core_info().timers, 0);
        core_close_pair(fds);
}

static void
a_time_limit_of_0_looks_once(void)
{
        struct watched s;
        int fds[2];

        prepare(&s);
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, 0), 0);
        CHECK_INT(s.calls, 0);
        until_called(&s, 1);
        CHECK_INT(s.result, -ETIMEDOUT);
        core_put(fds[1]);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, 0), 0);
        until_called(&s, 2);
        CHECK_INT(s.result, GREEN_READ);
        core_close_pair(fds);
}

static void
wrong_starts_have_their_codes(void)
{
        struct green_watch zeroed = {{0}};
        struct watched s, other;
        int fds[2], closed[2];

        prepare(&s);
        prepare(&other);
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(closed));
        core_close_pair(closed);
        CHECK(!green_watch_active(&zeroed));
        CHECK(!green_watch_stop(&zeroed));
        CHECK_INT(green_watch_start(&zeroed, fds[0], GREEN_READ, 1), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, GREEN_INVALID_FD, 0, GREEN_FOREVER), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, GREEN_INVALID_FD, GREEN_READ, 1), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, fds[0], 0, 1), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, fds[0], 4, 1), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, -1), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, NAN), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, -7, GREEN_READ, 1), -EINVAL);
        CHECK_INT(green_watch_start(&s.w, closed[0], GREEN_READ, 1), -EBADF);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, 1), 0);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, 1), -EBUSY);
        CHECK_INT(green_watch_start(&other.w, fds[0], GREEN_READ, 1), -EBUSY);
        CHECK(strstr(green_last_error()->message, "a watch") != NULL);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 1), -EBUSY);
        CHECK_INT(green_watch_start(&other.w, fds[0], GREEN_WRITE, 1), 0);
        CHECK(green_watch_stop(&other.w));
        CHECK(green_watch_stop(&s.w));
        CHECK(!green_watch_stop(&s.w));
        CHECK_INT(core_info().timers, 0);
        core_close_pair(fds);
}

static void
a_stopped_watch_is_not_called(void)
{
        struct watched s;
        int fds[2];

        prepare(&s);
        CHECK_OR_RETURN(core_pair(fds));
        core_put(fds[1]);
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, 0.001), 0);
        CHECK(green_watch_stop(&s.w));
        CHECK(!green_watch_active(&s.w));
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(s.calls, 0);
        /* The descriptor is free for others. */
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 1), 0);
        core_close_pair(fds);
}

static void
a_watch_stopped_by_one_of_the_same_batch_is_not_called(void)
{
        struct watched a, b;
        int first[2], second[2];

        GREEN_COVERS("FD-09");
        prepare(&a);
        prepare(&b);
        a.stop = &b;
        b.stop = &a;
        CHECK_OR_RETURN(core_pair(first));
        CHECK_OR_RETURN(core_pair(second));
        CHECK_INT(green_watch_start(&a.w, first[0], GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(green_watch_start(&b.w, second[0], GREEN_READ, GREEN_FOREVER), 0);
        core_put(first[1]);
        core_put(second[1]);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(a.calls + b.calls, 1);
        CHECK(!green_watch_active(&a.w) && !green_watch_active(&b.w));
        core_close_pair(first);
        core_close_pair(second);
}

static void
a_watch_may_start_again_in_its_call(void)
{
        struct watched s;
        int fds[2];

        prepare(&s);
        CHECK_OR_RETURN(core_pair(fds));
        s.fd = fds[0];
        s.again = 2;
        CHECK_INT(green_watch_start(&s.w, fds[0], GREEN_READ, GREEN_FOREVER), 0);
        core_put(fds[1]);
        until_called(&s, 3);
        CHECK(!green_watch_active(&s.w));
        core_close_pair(fds);
}

static void
a_regular_file_fires_at_once_and_starves_nobody(void)
{
        FILE *file = tmpfile();
        struct watched s, timer;

        GREEN_COVERS("FD-12");
        prepare(&s);
        prepare(&timer);
        CHECK_OR_RETURN(file != NULL);
        s.fd = fileno(file);
        s.again = 1;
        CHECK_INT(green_watch_start(&s.w, s.fd, GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(s.calls, 0);
        until_called(&s, 2);
        CHECK_INT(s.result, GREEN_READ);
        s.again = 1000000000;
        CHECK_INT(green_watch_start(&s.w, s.fd, GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(green_watch_start(&timer.w, GREEN_INVALID_FD, 0, 0.002), 0);
        until_called(&timer, 1);
        s.again = 0;
        (void)green_watch_stop(&s.w);
        fclose(file);
}

static void *
close_io(void *arg)
{
        CHECK_INT(green_io_close(arg), 0);
        return NULL;
}

static void
a_watch_whose_descriptor_is_closed_is_told_at_once(void)
{
        struct watched s;
        green_io *io;
        int fds[2];
        double begin = core_now();

        prepare(&s);
        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], 0);
        CHECK_INT(green_watch_start_io(&s.w, io, GREEN_READ, 1000), 0);
        CHECK_INT(green_io_free(io), -EBUSY);
        CHECK_INT(green_spawn_n(close_io, io), 0);
        /* Nobody else runs: the call must not wait for the end of the sleep. */
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_sleep(0.02), 0);
        CHECK_INT(s.calls, 1);
        CHECK_INT(s.result, -ECANCELED);
        CHECK_INT(green_watch_start_io(&s.w, io, GREEN_READ, 1), -EBADF);
        CHECK_INT(green_io_free(io), 0);
        CHECK_INT(green_watch_start(&s.w, fds[1], GREEN_READ, GREEN_FOREVER), 0);
        green_notify_close(fds[1]);
        until_called(&s, 2);
        CHECK_INT(s.result, -ECANCELED);
        CHECK_RANGE(core_now() - begin, 0, CORE_SOON);
        close(fds[1]);
}

static void
wake_waiter(struct green_watch *w, int result, void *arg)
{
        (void)w;
        (void)result;
        green_wake_one(arg, NULL);
}

static void
a_close_wakes_somebody_through_a_watch_when_nothing_else_is_pending(void)
{
        struct green_waitq queue = {0};
        struct green_watch watch;
        struct green_wait w;
        green_io *io;
        int fds[2];

        CHECK_OR_RETURN(core_pair(fds));
        io = green_io_open(fds[0], 0);
        green_watch_init(&watch, wake_waiter, &queue);
        CHECK_INT(green_watch_start_io(&watch, io, GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(green_io_close(io), 0);
        CHECK_INT(green_park(&queue, &w, GREEN_FOREVER), 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
}

static void
a_watch_on_a_registered_descriptor_needs_no_system_call(void)
{
        struct hub_late_stats *stats = core_late_hub("hub_late", "strict=1");
        struct watched s;
        green_io *io;
        int fds[2];

        if (stats == NULL || !core_pair(fds))
                return;
        prepare(&s);
        io = green_io_open(fds[0], 0);
        for (int i = 1; i <= 20; i++) {
                CHECK_INT(green_watch_start_io(&s.w, io, GREEN_READ, 1000), 0);
                CHECK_INT(green_sleep(0), 0);
                core_put(fds[1]);
                until_called(&s, i);
                CHECK_INT(core_drain(fds[0]), 1);
        }
        CHECK_INT(stats->adds, 1);
        CHECK_INT(stats->modifies, 0);
        CHECK_INT(stats->removes, 0);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
        (void)core_fresh_hub(NULL);
}

enum { MANY = 2000 };

static void
many_idle_watches_cost_nothing_but_their_storage(void)
{
        struct watched *all = calloc(MANY, sizeof *all);
        int fds[2];
        uint64_t polls;

        CHECK_OR_RETURN(all != NULL && core_pair(fds));
        for (int i = 0; i < MANY; i++) {
                prepare(&all[i]);
                CHECK_INT(green_watch_start(&all[i].w, i == 77 ? fds[0] : GREEN_INVALID_FD, i == 77 ? GREEN_READ : 0,
                                            1000 + i % 13), 0);
        }
        CHECK_INT(core_info().threads, 1);
        CHECK_INT(core_info().timers, MANY);
        polls = core_info().polls;
        CHECK_INT(green_sleep(0.02), 0);
        CHECK_RANGE(core_info().polls - polls, 1, 5);
        core_put(fds[1]);
        until_called(&all[77], 1);
        for (int i = 0; i < MANY; i++)
                CHECK_INT(green_watch_stop(&all[i].w), i != 77);
        CHECK_INT(core_info().timers, 0);
        core_close_pair(fds);
        free(all);
}

static void
free_self(struct green_watch *w, int result, void *arg)
{
        struct green_waitq *queue = arg;

        CHECK_INT(result, -ETIMEDOUT);
        free(w);
        green_wake_one(queue, NULL);
}

static void
a_watch_may_be_freed_in_its_call(void)
{
        struct green_watch *watch = malloc(sizeof *watch);
        struct green_waitq queue = {0};
        struct green_wait w;

        CHECK_OR_RETURN(watch != NULL);
        green_watch_init(watch, free_self, &queue);
        CHECK_INT(green_watch_start(watch, GREEN_INVALID_FD, 0, 0.001), 0);
        CHECK_INT(green_park(&queue, &w, GREEN_FOREVER), 0);
}

static void
the_end_of_the_hub_stops_watches(void)
{
        struct watched fd, time, queued;
        FILE *file = tmpfile();
        int fds[2];

        prepare(&fd);
        prepare(&time);
        prepare(&queued);
        CHECK_OR_RETURN(file != NULL && core_pair(fds));
        CHECK_INT(green_watch_start(&fd.w, fds[0], GREEN_READ, 100), 0);
        CHECK_INT(green_watch_start(&time.w, GREEN_INVALID_FD, 0, 100), 0);
        CHECK_INT(green_watch_start(&queued.w, fileno(file), GREEN_READ, 100), 0);
        CHECK_INT(green_hub_destroy(0), 0);
        CHECK(!green_watch_active(&fd.w));
        CHECK(!green_watch_stop(&fd.w));
        CHECK(!green_watch_stop(&time.w));
        CHECK(!green_watch_stop(&queued.w));
        CHECK_INT(green_watch_start(&fd.w, fds[0], GREEN_READ, 0), 0);
        until_called(&fd, 1);
        CHECK_INT(time.calls + queued.calls, 0);
        core_close_pair(fds);
        fclose(file);
}

GREEN_SUITE_INIT(core_init)

static void
not_called(struct green_watch *w, int result, void *arg)
{
        (void)w, (void)result, (void)arg;
        FAIL("a watch that was stopped is called");
}

static void
a_time_limit_is_pending_from_the_start(void)
{
        struct green_watch w[3];

        for (int i = 0; i < 3; i++) {
                green_watch_init(&w[i], not_called, NULL);
                CHECK_INT(green_watch_start(&w[i], GREEN_INVALID_FD, 0, 0.001), 0);
        }
        CHECK_INT(core_info().timers, 3);
        CHECK(green_watch_stop(&w[1]));
        CHECK_INT(core_info().timers, 2);
        CHECK(green_watch_stop(&w[0]) && green_watch_stop(&w[2]));
        CHECK_INT(core_info().timers, 0);
        CHECK_INT(green_sleep(0.003), 0);
}

GREEN_SUITE(core_watch) {
        GREEN_TEST(a_watch_on_a_descriptor_is_called_once),
        GREEN_TEST(a_watch_on_both_directions_says_which_is_ready),
        GREEN_TEST(a_watch_on_time_alone_is_called_in_time),
        GREEN_TEST(a_watch_on_both_takes_what_comes_first),
        GREEN_TEST(a_time_limit_of_0_looks_once),
        GREEN_TEST(wrong_starts_have_their_codes),
        GREEN_TEST(a_stopped_watch_is_not_called),
        GREEN_TEST(a_watch_stopped_by_one_of_the_same_batch_is_not_called),
        GREEN_TEST(a_watch_may_start_again_in_its_call),
        GREEN_TEST(a_regular_file_fires_at_once_and_starves_nobody),
        GREEN_TEST(a_watch_whose_descriptor_is_closed_is_told_at_once),
        GREEN_TEST(a_close_wakes_somebody_through_a_watch_when_nothing_else_is_pending),
        GREEN_TEST(a_watch_on_a_registered_descriptor_needs_no_system_call),
        GREEN_TEST(many_idle_watches_cost_nothing_but_their_storage),
        GREEN_TEST(a_watch_may_be_freed_in_its_call),
        GREEN_TEST(the_end_of_the_hub_stops_watches),
        GREEN_TEST(a_time_limit_is_pending_from_the_start),
        GREEN_SUITE_END
};
