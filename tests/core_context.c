/* Hub context, switch hooks, stop, and errors that stay with those who made them. */
#include "core_suite.h"

static struct green_waitq queue;

static void *
sleep_and_note(void *arg)
{
        CHECK_INT(green_sleep(0.001), 0);
        note((int)(intptr_t)arg);
        return NULL;
}

/* ---- hub context */

/* Has fn called in hub context, and waits for its end. */
static void
in_hub_context(green_timer_fn fn, void *arg)
{
        green_thread *gt;

        CHECK_INT(green_schedule_call_global(0, fn, arg), 0);
        gt = green_spawn_after(0, note_arg, (void *)0);
        CHECK_INT(core_join(gt), 0);
        core_order_count = 0;
}

struct everything {
        green_io *io;
        green_waker *waker;
        green_thread *living, *finished;
        int fds[2];
        bool called;
};

static void
block_everywhere(void *arg)
{
        struct everything *e = arg;
        struct green_timeout t = {{0}};
        struct green_wait w;
        struct green_op op = {.kind = GREEN_OP_RECV};
        void *result = NULL;

        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_sleep(0.001), -EDEADLK);
        CHECK_INT(green_sleep(GREEN_FOREVER), -EDEADLK);
        CHECK_INT(green_trampoline(e->fds[0], GREEN_READ, 1), -EDEADLK);
        CHECK_INT(green_io_wait(e->io, GREEN_READ, 1), -EDEADLK);
        CHECK_INT(green_io_submit(e->io, &op, 1), -EDEADLK);
        CHECK_INT(green_park(&queue, &w, 1), -EDEADLK);
        CHECK_INT(green_park_any(NULL, 0, 1, NULL), -EDEADLK);
        CHECK_INT(green_waker_wait(e->waker, 1), -EDEADLK);
        CHECK_INT(green_thread_wait(e->living, NULL), -EDEADLK);
        CHECK_INT(green_timeout_start(&t, 1), -EDEADLK);
        CHECK_INT(green_hub_destroy(1), -EDEADLK);
        /* What need not wait works. */
        CHECK_INT(green_park(&queue, &w, 0), -ETIMEDOUT);
        CHECK_INT(green_park_any(NULL, 0, 0, NULL), -ETIMEDOUT);
        CHECK_INT(green_io_wait(e->io, GREEN_READ, 0), -ETIMEDOUT);
        CHECK_INT(green_waker_wait(e->waker, 0), -ETIMEDOUT);
        CHECK_INT(green_thread_wait(e->finished, &result), 0);
        CHECK_PTR(result, e);
        CHECK_INT(green_checkpoint(), 0);
        e->called = true;
}

static void *
return_arg(void *arg)
{
        return arg;
}

static void
in_hub_context_calls_that_would_wait_fail_and_the_others_work(void)
{
        struct everything e = {.called = false};

        GREEN_COVERS("HUB-18");
        CHECK_OR_RETURN(core_pair(e.fds));
        e.io = green_io_open(e.fds[1], 0);
        e.waker = green_waker_new();
        e.living = green_spawn_after(GREEN_FOREVER, return_arg, NULL);
        e.finished = green_spawn(return_arg, &e);
        CHECK_INT(green_thread_wait(e.finished, NULL), 0);
        in_hub_context(block_everywhere, &e);
        CHECK(e.called);
        CHECK_INT(green_thread_cancel(e.living, 0), 1);
        green_thread_unref(e.living);
        green_thread_unref(e.finished);
        CHECK_INT(green_waker_free(e.waker), 0);
        CHECK_INT(green_io_free(e.io), 0);
        close(e.fds[0]);
}

static void
sleep_nothing(void *arg)
{
        bool *called = arg;

        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_sleep(-1), 0);
        *called = true;
}

static void
in_hub_context_a_sleep_of_nothing_returns_at_once(void)
{
        bool called = false;

        GREEN_COVERS("HUB-19");
        in_hub_context(sleep_nothing, &called);
        CHECK(called);
}

/* ---- switch hooks */

static void
hook_out(green_thread *gt, void *arg)
{
        CHECK_PTR(green_getcurrent(), gt);
        CHECK_PTR(arg, &queue);
        note(1);
}

static void
hook_in(green_thread *gt, void *arg)
{
        CHECK_PTR(green_getcurrent(), gt);
        CHECK_PTR(arg, &queue);
        note(2);
}

static void *
yield_twice(void *arg)
{
        (void)arg;
        for (int i = 0; i < 2; i++) {
                note(3);
                CHECK_INT(green_sleep(0), 0);
        }
        return NULL;
}

static void
switch_hooks_are_called_when_control_leaves_and_comes_back(void)
{
        green_thread *gt = green_spawn(yield_twice, NULL);

        GREEN_COVERS("HUB-20");
        CHECK_INT(green_thread_set_switch_hooks(gt, hook_out, hook_in, &queue), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(core_join(gt), 0);
        CHECK_ORDER(2, 3, 1, 2, 3, 1, 2, 1);
}

/* ---- stop */

static void *
stop_with_arg(void *arg)
{
        CHECK_INT(green_hub_stop((int)(intptr_t)arg), 0);
        CHECK_INT(green_hub_stop(-EIO), -EALREADY);
        return NULL;
}

static void
stop_makes_mains_waiting_fail_until_it_recovers(void)
{
        GREEN_COVERS("HUB-21", "HUB-27");
        CHECK_INT(green_hub_stop(1), -EINVAL);
        CHECK_INT(green_spawn_n(stop_with_arg, (void *)(intptr_t)-EINTR), 0);
        CHECK_INT(green_sleep(GREEN_FOREVER), -EINTR);
        CHECK_INT(green_sleep(0), -EINTR);
        CHECK_INT(green_sleep(1), -EINTR);
        CHECK_INT(green_recover(), -EINTR);
        CHECK_INT(green_sleep(0.001), 0);
        /* Once more, with the usual code. */
        CHECK_INT(green_spawn_n(stop_with_arg, NULL), 0);
        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_ESTOPPED);
        CHECK_INT(green_recover(), GREEN_ESTOPPED);
}

static void
stop_hub(void *arg)
{
        (void)arg;
        CHECK_INT(green_hub_stop(0), 0);
}

static void
stop_drops_timers_and_keeps_those_who_wait(void)
{
        struct core_waiter reader;
        green_thread *sleeper;
        int fds[2];

        GREEN_COVERS("HUB-22", "HUB-26");
        CHECK_OR_RETURN(core_pair(fds));
        core_wait_fd(&reader, fds[0], GREEN_READ);
        sleeper = green_spawn(sleep_and_note, (void *)1);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_schedule_call_global(0, stop_hub, NULL), 0);
        CHECK_INT(green_schedule_call_global(0.001, note_call, (void *)2), 0);
        CHECK_INT(green_schedule_call_global(0, note_call, (void *)3), 0);
        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_ESTOPPED);
        CHECK_INT(green_recover(), GREEN_ESTOPPED);
        CHECK_INT(core_join(sleeper), 0);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(green_sleep(0.005), 0);
        /* Neither the callback that was due, nor the later one. */
        CHECK_ORDER(1);
        core_close_pair(fds);
}

/* ---- errors stay with those who made them */

static void *
fail_after_sleep(void *arg)
{
        (void)arg;
        CHECK_INT(green_sleep(0.001), 0);
        return green_fail(-EIO);
}

static void
an_error_is_logged_and_the_others_go_on(void)
{
        struct core_log log;
        int rc;

        GREEN_COVERS("DEBUG-01", "HUB-23");
        core_log_begin(&log, "EIO");
        CHECK_INT(green_spawn_n(fail_after_sleep, NULL), 0);
        rc = green_sleep(0.01);
        CHECK_INT(rc, 0);
        CHECK_INT(log.count, 1);
        CHECK(green_debug_hub_exceptions(false));
        CHECK_INT(green_spawn_n(fail_after_sleep, NULL), 0);
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(log.count, 1);
        CHECK(!green_debug_hub_exceptions(true));
        core_log_end();
}

static void *
fail_after_read(void *arg)
{
        const int *fd = arg;
        int rc = green_trampoline(*fd, GREEN_READ, GREEN_FOREVER);

        return green_fail(rc != 0 ? rc : -EIO);
}

static void
an_error_of_a_reader_leaves_the_writer_alone(void)
{
        struct core_waiter writer;
        green_thread *reader;
        struct core_log log;
        int fds[2];

        GREEN_COVERS("HUB-24");
        CHECK_OR_RETURN(core_pair(fds));
        core_fill(fds[0]);
        core_log_begin(&log, "EIO");
        (void)green_debug_hub_exceptions(false);
        reader = green_spawn(fail_after_read, &fds[0]);
        core_wait_fd(&writer, fds[0], GREEN_WRITE);
        CHECK_INT(green_sleep(0), 0);
        core_put(fds[1]);
        CHECK_INT(core_join(reader), -EIO);
        CHECK(!writer.done);
        CHECK_INT(core_info().writers, 1);
        core_drain(fds[1]);
        CHECK_INT(core_join(writer.gt), 0);
        CHECK_INT(writer.rc, 0);
        CHECK_INT(log.count, 0);
        (void)green_debug_hub_exceptions(true);
        core_log_end();
        core_close_pair(fds);
}

static void
an_error_from_a_closed_descriptor_stays_in_its_green_thread(void)
{
        green_thread *reader;
        int fds[2];

        GREEN_COVERS("HUB-25");
        CHECK_OR_RETURN(core_pair(fds));
        reader = green_spawn(fail_after_read, &fds[0]);
        CHECK_INT(green_sleep(0), 0);
        green_notify_close(fds[0]);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK(green_thread_dead(reader));
        CHECK_INT(core_join(reader), -ECANCELED);
        core_close_pair(fds);
}

static void *
own_errors(void *arg)
{
        int mine = (int)(intptr_t)arg;

        CHECK_INT(errno, 0);
        errno = mine;
        (void)green_set_error(-mine, "error %d", mine);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_sleep(i == 1 ? 0.001 : 0), 0);
                CHECK_INT(errno, mine);
                CHECK_INT(green_last_error()->code, -mine);
        }
        return NULL;
}

static void
spoil_errno(void *arg)
{
        (void)arg;
        errno = EXDEV;
        (void)green_set_error(-EXDEV, NULL);
}

static void
errno_and_the_last_error_belong_to_the_green_thread(void)
{
        green_thread *gts[3];

        GREEN_COVERS("HUB-28");
        for (intptr_t i = 0; i < 3; i++)
                gts[i] = green_spawn(own_errors, (void *)(i + 1));
        CHECK_INT(green_schedule_call_global(0, spoil_errno, NULL), 0);
        errno = ENOTTY;
        (void)green_set_error(-ENOTTY, "mine");
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(errno, ENOTTY);
        CHECK_STR(green_last_error()->message, "mine");
        for (int i = 0; i < 3; i++)
                CHECK_INT(core_join(gts[i]), 0);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_context) {
        GREEN_TEST(in_hub_context_calls_that_would_wait_fail_and_the_others_work),
        GREEN_TEST(in_hub_context_a_sleep_of_nothing_returns_at_once),
        GREEN_TEST(switch_hooks_are_called_when_control_leaves_and_comes_back),
        GREEN_TEST(stop_makes_mains_waiting_fail_until_it_recovers),
        GREEN_TEST(stop_drops_timers_and_keeps_those_who_wait),
        GREEN_TEST(an_error_is_logged_and_the_others_go_on),
        GREEN_TEST(an_error_of_a_reader_leaves_the_writer_alone),
        GREEN_TEST(an_error_from_a_closed_descriptor_stays_in_its_green_thread),
        GREEN_TEST(errno_and_the_last_error_belong_to_the_green_thread),
        GREEN_SUITE_END
};
