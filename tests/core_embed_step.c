/* A hub inside another event loop: what a step does and in which order, and what foreign callbacks do between steps. */
#include "core_embed.h"

#define PTR(n) ((void *)(intptr_t)(n))

/* Seconds: what is due then is not due while steps are made before. */
#define LATER 0.02

/* Steps until there is nothing to do at once: the first ones have a small budget. */
static void
step_all(void)
{
        int rc;

        while ((rc = green_hub_step()) == 1)
                ;
        CHECK_INT(rc, 0);
}

static void *
step_waits_for_fd(void *arg)
{
        CHECK_INT(green_trampoline(*(int *)arg, GREEN_READ, GREEN_FOREVER), 0);
        note(5);
        return NULL;
}

static void *
step_sleeps(void *arg)
{
        (void)arg;
        CHECK_INT(green_sleep(LATER), 0);
        note(6);
        return NULL;
}

static void
step_watch_called(struct green_watch *w, int result, void *arg)
{
        (void)w;
        (void)arg;
        CHECK_INT(result, GREEN_READ);
        note(2);
}

/* What is posted, watches and timers are called; then green threads: those that were ready, those that I/O and time
 * woke. */
static void
one_step_has_the_order_of_one_turn_of_the_loop(void)
{
        struct green_watch watch;
        int fds[2], other[2];

        GREEN_COVERS("AIO-06", "HUB-14");
        if (!embed())
                return;
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        CHECK_INT(green_spawn_n(step_waits_for_fd, &fds[0]), 0);
        CHECK_INT(green_spawn_n(step_sleeps, NULL), 0);
        step_all();
        CHECK_INT(green_schedule_call_global(LATER, note_call, PTR(3)), 0);
        green_watch_init(&watch, step_watch_called, NULL);
        CHECK_INT(green_watch_start(&watch, other[0], GREEN_READ, GREEN_FOREVER), 0);
        core_put(fds[1]);
        core_put(other[1]);
        usleep((useconds_t)(2e6 * LATER)); /* wine's server is another process, and has to tell the hub */
        CHECK_INT(green_spawn_n(note_arg, PTR(4)), 0);
        CHECK_INT(green_hub_post(green_get_hub(), note_call, PTR(1)), 0);
        CHECK_INT(core_order_count, 0);
        step_all();
        CHECK_ORDER(1, 2, 3, 4, 5, 6);
        unembed();
        core_close_pair(fds);
        core_close_pair(other);
}

static void *
wait_for_bad_ones(void *arg)
{
        int *fds = arg, closed;

        CHECK_INT(green_trampoline(-1, GREEN_READ, 1), -EINVAL);
        CHECK_INT(green_trampoline(GREEN_INVALID_FD, GREEN_WRITE, 1), -EINVAL);
        closed = dup(fds[0]);
        CHECK_INT(close(closed), 0);
        CHECK_INT(green_trampoline(closed, GREEN_READ, 1), -EBADF);
        /* No second one for the same. */
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 1), -EBUSY);
        note(1);
        return NULL;
}

static void
a_descriptor_that_is_none_is_an_error_in_an_embedded_hub(void)
{
        struct core_waiter reader;
        struct green_watch watch;
        int fds[2];

        GREEN_COVERS("AIO-06");
        if (!embed())
                return;
        CHECK_OR_RETURN(core_pair(fds));
        core_wait_fd(&reader, fds[0], GREEN_READ);
        step_all();
        CHECK_INT(green_spawn_n(wait_for_bad_ones, fds), 0);
        green_watch_init(&watch, step_watch_called, NULL);
        CHECK_INT(green_watch_start(&watch, -2, GREEN_READ, GREEN_FOREVER), -EINVAL);
        CHECK_INT(green_watch_start(&watch, fds[0], GREEN_READ, GREEN_FOREVER), -EBUSY);
        step_all();
        CHECK_ORDER(1);
        core_put(fds[1]);
        loop_until(&reader.done);
        green_thread_unref(reader.gt);
        unembed();
        core_close_pair(fds);
}

static void
a_hub_without_a_descriptor_says_so(void)
{
        const struct green_error *error;

        GREEN_COVERS("AIO-06");
        if (!embed())
                return;
        if (green_hub_fd() != GREEN_INVALID_FD) {
                suite_skip("this hub has a descriptor");
        } else {
                error = green_last_error();
                CHECK_INT(error->code, -ENOTSUP);
                CHECK(strstr(error->message, green_hub_name(NULL)) != NULL);
                CHECK(strstr(error->message, "has no descriptor that another event loop could wait for") != NULL);
        }
        unembed();
}

/* What an application's callbacks do between steps. */
struct foreign {
        green_waker *waker;
        green_thread *sleeper, *victim;
        bool spawned, woken, killed, called, awoken;
        int notes;
};

static void
foreign_told(void *arg)
{
        struct foreign *f = arg;

        f->notes++;
        /* It may not step: it is called from the midst of something. */
        CHECK_INT(green_hub_step(), -EDEADLK);
        CHECK_INT(green_hub_destroy(0), -EDEADLK);
}

static void *
foreign_sleeper(void *arg)
{
        struct foreign *f = arg;

        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_EKILLED);
        f->awoken = true;
        return NULL;
}

static void *
foreign_victim(void *arg)
{
        struct foreign *f = arg;

        CHECK_INT(green_sleep(1000), GREEN_EKILLED);
        f->killed = true;
        return NULL;
}

static void *
foreign_waiter(void *arg)
{
        struct foreign *f = arg;

        CHECK_INT(green_waker_wait(f->waker, GREEN_FOREVER), 0);
        f->woken = true;
        return NULL;
}

static void *
wake_from_thread(void *arg)
{
        CHECK_INT(green_wake_mt(arg), 0);
        return NULL;
}

/* Each of them tells the loop, and none is done before the step. */
static void
what_foreign_callbacks_do_is_done_in_the_next_step(void)
{
        struct foreign f = {.notes = 0};
        pthread_t thread;

        GREEN_COVERS("AIO-06");
        if (!embed_with_fd())
                return;
        CHECK_INT(green_hub_set_notify(foreign_told, &f), 0);
        f.waker = green_waker_new();
        f.sleeper = green_spawn(foreign_sleeper, &f);
        f.victim = green_spawn(foreign_victim, &f);
        CHECK_INT(green_spawn_n(foreign_waiter, &f), 0);
        CHECK_INT(f.notes, 1);
        step_all();
        CHECK_INT(green_kill(f.victim, 0), 0);
        CHECK_INT(f.notes, 2);
        CHECK(!f.killed && green_hub_timeout() == 0);
        CHECK_INT(green_kill(f.sleeper, 0), 0);
        CHECK_INT(green_spawn_n(set_flag, &f.spawned), 0);
        CHECK_INT(f.notes, 2);
        step_all();
        CHECK(f.killed && f.awoken && f.spawned);
        CHECK_INT(green_schedule_call_global(0, core_set_flag, &f.called), 0);
        CHECK_INT(f.notes, 3);
        loop_until(&f.called);
        /* That one is told by the descriptor. */
        CHECK_INT(pthread_create(&thread, NULL, wake_from_thread, f.waker), 0);
        loop_until(&f.woken);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(f.notes, 3);
        CHECK_INT(green_waker_free(f.waker), 0);
        green_thread_unref(f.sleeper);
        green_thread_unref(f.victim);
        unembed();
}

/* A back end may pass on what it was asked for when it waits next, which with an embedder may be never. */
static void
what_a_step_asks_the_back_end_for_reaches_it_in_the_step(void)
{
        struct core_waiter reader;
        uint64_t polls;
        int fds[2];

        GREEN_COVERS("AIO-06");
        if (!embed())
                return;
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_hub_step(), 0);
        polls = core_info().polls;
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(core_info().polls, polls + 1);
        core_wait_fd(&reader, fds[0], GREEN_READ);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(core_info().polls, polls + 3);
        CHECK_INT(green_kill(reader.gt, 0), 0);
        step_all();
        CHECK(reader.done);
        green_thread_unref(reader.gt);
        unembed();
        core_close_pair(fds);
}

struct submitter {
        green_io *io;
        green_thread *gt;
        int64_t rc;
};

static void *
submit_read(void *arg)
{
        struct submitter *s = arg;
        char byte;
        struct green_iovec iov = {&byte, 1};
        struct green_op op = {.kind = GREEN_OP_READ, .iov = &iov, .iov_count = 1, .offset = -1};

        s->rc = green_io_submit(s->io, &op, GREEN_FOREVER);
        return NULL;
}

static void
killing_in_an_operation_from_outside_a_step_notifies(void)
{
        struct submitter s = {.rc = 1};
        int fds[2], notes = 0;

        GREEN_COVERS("AIO-06");
        if (core_late_hub("hub_late", "cancel=turns") == NULL)
                return;
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_hub_embed(), 0);
        s.io = green_io_open(fds[0], GREEN_IO_KEEP_FD);
        s.gt = green_spawn(submit_read, &s);
        CHECK_OR_RETURN(s.io != NULL && s.gt != NULL);
        step_all();
        CHECK_INT(green_hub_set_notify(count_call, &notes), 0);
        CHECK_INT(green_kill(s.gt, 0), 0);
        /* The back end has yet to end it. */
        CHECK_INT(s.rc, 1);
        CHECK_INT(notes, 1);
        for (int i = 0; i < 10 && s.rc == 1; i++)
                step_all();
        CHECK_INT(s.rc, GREEN_EKILLED);
        green_thread_unref(s.gt);
        CHECK_INT(green_io_free(s.io), 0);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        (void)core_fresh_hub(NULL);
        core_close_pair(fds);
}

static void
after_a_stop_there_is_something_to_do_at_once(void)
{
        GREEN_COVERS("HUB-21");
        if (!embed())
                return;
        step_all();
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        CHECK_INT(green_hub_stop(-EINTR), 0);
        CHECK(green_hub_timeout() == 0);
        CHECK_INT(green_hub_step(), -EINTR);
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        unembed();
}

static void *
yield_once(void *arg)
{
        CHECK_INT(green_sleep(0), 0);
        return arg;
}

static void
memory_of_stacks_is_given_back_between_steps(void)
{
        int left = 200;

        if (!embed())
                return;
        for (int i = 0; i < left; i++)
                CHECK_INT(green_spawn_n(yield_once, NULL), 0);
        step_all();
        CHECK(core_info().stacks_pooled > 100);
        /* Nothing is pending but that. */
        CHECK_INT(core_info().timers, 0);
        CHECK_RANGE(green_hub_timeout(), 0, 1);
        unembed();
        if (!embed())
                return;
        step_all();
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        unembed();
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_embed_step){GREEN_TEST(one_step_has_the_order_of_one_turn_of_the_loop),
                             GREEN_TEST(a_descriptor_that_is_none_is_an_error_in_an_embedded_hub),
                             GREEN_TEST(a_hub_without_a_descriptor_says_so),
                             GREEN_TEST(what_foreign_callbacks_do_is_done_in_the_next_step),
                             GREEN_TEST(what_a_step_asks_the_back_end_for_reaches_it_in_the_step),
                             GREEN_TEST(killing_in_an_operation_from_outside_a_step_notifies),
                             GREEN_TEST(after_a_stop_there_is_something_to_do_at_once),
                             GREEN_TEST(memory_of_stacks_is_given_back_between_steps),
                             GREEN_SUITE_END};
