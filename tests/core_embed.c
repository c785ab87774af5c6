/* A hub inside another event loop: embed, step, descriptor, time limit, notify. */
#include "core_suite.h"

#include <poll.h>

#define PTR(n) ((void *)(intptr_t)(n))

/* The calling OS thread's hub becomes embedded. */
static bool
embed(void)
{
        return CHECK_INT(green_hub_destroy(CORE_SOON), 0) && CHECK_INT(green_hub_embed(), 0);
}

/* The same, where the hub has a descriptor to wait for; else the test is skipped. */
static bool
embed_with_fd(void)
{
        if (!embed())
                return false;
        if (green_hub_fd() != GREEN_INVALID_FD)
                return true;
        suite_skip("this hub has no descriptor to wait for");
        return CHECK_INT(green_hub_destroy(CORE_SOON), 0) && false;
}

/* And an ordinary one again. */
static void
unembed(void)
{
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK(green_getcurrent() != NULL || green_hub_ident() != 0);
}

/* The embedder's loop: until *done, or the time is over. How often it slept. */
static int
loop_until(const bool *done)
{
        struct pollfd p = {.fd = green_hub_fd(), .events = POLLIN};
        double end = core_now() + CORE_SOON;
        int slept = 0;

        while (!*done && core_now() < end) {
                double limit;

                if (green_hub_step() != 0)
                        continue;
                limit = green_hub_timeout();
                if (*done || limit == 0)
                        continue;
                if (limit > CORE_SOON)
                        limit = CORE_SOON;
                slept++;
                CHECK(poll(&p, 1, (int)(limit * 1000) + 1) >= 0);
        }
        CHECK(*done);
        return slept;
}

static void *
set_flag(void *arg)
{
        CHECK(green_getcurrent() != NULL);
        core_set_flag(arg);
        return NULL;
}

static void
an_embedder_is_in_hub_context_in_and_out_of_a_step(void)
{
        bool ran = false;

        CHECK_OR_RETURN(embed());
        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_sleep(1), -EDEADLK);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_spawn_n(set_flag, &ran), 0);
        CHECK(!ran);
        CHECK_INT(green_hub_step(), 0);
        CHECK(ran);
        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(green_hub_embed(), -EBUSY);
        unembed();
}

static void
embedding_comes_before_anything_has_run(void)
{
        bool ran = false;

        GREEN_COVERS("HUB-27");
        CHECK_OR_RETURN(core_fresh_hub(NULL));
        CHECK_INT(green_hub_step(), -EDEADLK);
        CHECK_INT(green_hub_set_notify(core_nothing, NULL), -EDEADLK);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_hub_embed(), -EBUSY);
        CHECK_OR_RETURN(core_fresh_hub(NULL));
        CHECK_INT(green_spawn_n(set_flag, &ran), 0);
        CHECK_INT(green_hub_embed(), -EBUSY);
        CHECK_INT(green_sleep(0), 0);
        CHECK(ran);
}

struct echo {
        int fds[2];
        bool done;
        int rc;
};

static void *
echo_bytes(void *arg)
{
        struct echo *e = arg;

        for (int i = 0; i < 5; i++) {
                e->rc = green_trampoline(e->fds[0], GREEN_READ, GREEN_FOREVER);
                CHECK_INT(core_drain(e->fds[0]), 1);
                core_put(e->fds[0]);
        }
        return NULL;
}

static void *
ask_for_bytes(void *arg)
{
        struct echo *e = arg;

        for (int i = 0; i < 5; i++) {
                CHECK_INT(green_sleep(0.002), 0);
                core_put(e->fds[1]);
                CHECK_INT(green_trampoline(e->fds[1], GREEN_READ, GREEN_FOREVER), 0);
                CHECK_INT(core_drain(e->fds[1]), 1);
        }
        e->done = true;
        return NULL;
}

static void
a_poll_loop_can_drive_green_threads(void)
{
        struct echo e = {.done = false};

        if (!embed_with_fd())
                return;
        CHECK_OR_RETURN(core_pair(e.fds));
        CHECK_INT(green_spawn_n(echo_bytes, &e), 0);
        CHECK_INT(green_spawn_n(ask_for_bytes, &e), 0);
        /* It sleeps for each of the pauses, and does not spin. */
        CHECK_RANGE(loop_until(&e.done), 5, 60);
        CHECK_INT(e.rc, 0);
        unembed();
        core_close_pair(e.fds);
}

static void
the_descriptor_is_readable_when_one_that_is_waited_for_is(void)
{
        struct core_waiter reader;
        struct pollfd p = {.events = POLLIN};
        int fds[2];

        if (!embed_with_fd())
                return;
        CHECK_OR_RETURN(core_pair(fds));
        p.fd = green_hub_fd();
        core_wait_fd(&reader, fds[0], GREEN_READ);
        CHECK_INT(green_hub_step(), 0);
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        CHECK_INT(poll(&p, 1, 0), 0);
        core_put(fds[1]);
        CHECK_INT(poll(&p, 1, (int)(CORE_SOON * 1000)), 1);
        CHECK_INT(green_hub_step(), 0);
        CHECK(reader.done);
        CHECK_INT(reader.rc, 0);
        CHECK_INT(poll(&p, 1, 0), 0);
        green_thread_unref(reader.gt);
        unembed();
        core_close_pair(fds);
}

static void
the_time_limit_is_that_of_the_next_timer(void)
{
        bool fired = false;
        double limit;

        if (!embed_with_fd())
                return;
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        CHECK_INT(green_schedule_call_global(0.05, core_set_flag, &fired), 0);
        limit = green_hub_timeout();
        CHECK_RANGE(limit, 0, 0.05);
        CHECK_INT(green_hub_step(), 0);
        CHECK(!fired || limit == 0);
        CHECK_RANGE(loop_until(&fired), 1, 5);
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        unembed();
}

static void *
post_flag(void *arg)
{
        struct {
                green_hub *hub;
                bool *flag;
        } *p = arg;
        struct timespec t = {.tv_nsec = 10000000};

        nanosleep(&t, NULL);
        CHECK_INT(green_hub_post(p->hub, core_set_flag, p->flag), 0);
        return NULL;
}

static void
a_post_from_another_thread_makes_the_descriptor_readable(void)
{
        bool posted = false;
        struct {
                green_hub *hub;
                bool *flag;
        } p = {.flag = &posted};
        struct pollfd poller = {.events = POLLIN};
        pthread_t thread;

        GREEN_COVERS("HUB-13");
        if (!embed_with_fd())
                return;
        p.hub = green_get_hub();
        poller.fd = green_hub_fd();
        /* Before the first step, and after one. */
        for (int i = 0; i < 2; i++) {
                posted = false;
                CHECK_INT(pthread_create(&thread, NULL, post_flag, &p), 0);
                CHECK_INT(poll(&poller, 1, (int)(CORE_SOON * 1000)), 1);
                CHECK_INT(pthread_join(thread, NULL), 0);
                CHECK(green_hub_timeout() == 0);
                CHECK_INT(green_hub_step(), 0);
                CHECK(posted);
                CHECK_INT(poll(&poller, 1, 0), 0);
        }
        unembed();
}

static void
step_inside(void *arg)
{
        CHECK_INT(green_hub_step(), -EDEADLK);
        CHECK_INT(green_hub_destroy(1), -EDEADLK);
        core_set_flag(arg);
}

static void *
step_in_green_thread(void *arg)
{
        step_inside(arg);
        return NULL;
}

static void
a_step_inside_a_step_is_refused(void)
{
        bool called = false, ran = false;

        GREEN_COVERS("HUB-27");
        CHECK_OR_RETURN(embed());
        CHECK_INT(green_schedule_call_global(0, step_inside, &called), 0);
        CHECK_INT(green_spawn_n(step_in_green_thread, &ran), 0);
        while (!called || !ran)
                CHECK(green_hub_step() >= 0);
        unembed();
}

static void *
stop_hub(void *arg)
{
        core_set_flag(arg);
        CHECK_INT(green_hub_stop(-EINTR), 0);
        CHECK_INT(green_hub_stop(0), -EALREADY);
        return NULL;
}

static void
stop_ends_a_step_with_its_code_once(void)
{
        bool ran = false, fired = false;

        GREEN_COVERS("HUB-26", "HUB-21");
        CHECK_OR_RETURN(embed());
        CHECK_INT(green_schedule_call_global(1000, core_set_flag, &fired), 0);
        CHECK_INT(green_spawn_n(stop_hub, &ran), 0);
        CHECK_INT(core_info().timers, 1);
        CHECK_INT(green_hub_step(), -EINTR);
        CHECK(ran);
        /* The timer went with it. */
        CHECK_INT(core_info().timers, 0);
        CHECK_INT(green_hub_step(), 0);
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        /* From outside as well. */
        CHECK_INT(green_hub_stop(0), 0);
        CHECK_INT(green_hub_step(), GREEN_ESTOPPED);
        CHECK_INT(green_hub_step(), 0);
        CHECK(!fired);
        unembed();
}

static void *
yield_for_ever(void *arg)
{
        unsigned long *count = arg;

        while (green_sleep(0) == 0)
                ++*count;
        return NULL;
}

static void
a_step_ends_when_its_budget_is_spent(void)
{
        unsigned long before, count = 0;
        bool fired = false;

        GREEN_COVERS("SCHED-05");
        CHECK_OR_RETURN(embed());
        CHECK_INT(green_spawn_n(yield_for_ever, &count), 0);
        for (int i = 0; i < 1000; i++) {
                before = count;
                CHECK_INT(green_hub_step(), 1);
                CHECK_RANGE(count - before, i == 0 ? 0 : 1, 257);
                CHECK(green_hub_timeout() == 0);
        }
        CHECK_INT(green_schedule_call_global(0, core_set_flag, &fired), 0);
        CHECK_INT(green_hub_step(), 1);
        CHECK(fired);
        unembed();
}

static void *
yield_once(void *arg)
{
        CHECK_INT(green_sleep(0), 0);
        return arg;
}

static void
count_call(void *arg)
{
        ++*(int *)arg;
}

static void
notify_is_called_once_until_the_next_step(void)
{
        struct green_watch watch;
        bool ran = false;
        int notes = 0;

        GREEN_COVERS("AIO-06");
        CHECK_OR_RETURN(embed());
        CHECK_INT(green_hub_set_notify(count_call, &notes), 0);
        CHECK_INT(green_spawn_n(set_flag, &ran), 0);
        CHECK_INT(notes, 1);
        CHECK_INT(green_spawn_n(set_flag, &ran), 0);
        CHECK_INT(notes, 1);
        while (green_hub_step() == 1)
                ;
        CHECK_INT(notes, 1);
        /* A new time limit counts as well. */
        CHECK_INT(green_schedule_call_global(100, core_nothing, NULL), 0);
        CHECK_INT(notes, 2);
        CHECK_INT(green_hub_step(), 0);
        green_watch_init(&watch, NULL, NULL);
        CHECK_INT(green_watch_start(&watch, GREEN_INVALID_FD, 0, 1), -EINVAL);
        CHECK_INT(notes, 2);
        green_thread_unref(green_spawn_after(100, set_flag, &ran));
        CHECK_INT(notes, 3);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(green_hub_stop(0), 0);
        CHECK_INT(notes, 4);
        CHECK_INT(green_hub_step(), GREEN_ESTOPPED);
        CHECK_INT(green_hub_set_notify(NULL, NULL), 0);
        CHECK_INT(green_spawn_n(set_flag, &ran), 0);
        CHECK_INT(notes, 4);
        CHECK_INT(green_hub_step(), 0);
        unembed();
}

static void
watch_called(struct green_watch *w, int result, void *arg)
{
        (void)w;
        CHECK_INT(result, GREEN_READ);
        core_set_flag(arg);
}

static void *
notify_woken(void *arg)
{
        struct core_waiter *w = arg;

        w->rc = green_trampoline(w->fd, GREEN_READ, GREEN_FOREVER);
        w->done = true;
        return NULL;
}

static void
waking_from_outside_a_step_notifies(void)
{
        struct core_waiter reader = {.done = false};
        struct green_watch watch;
        bool called = false;
        int fds[2], other[2], notes = 0;

        if (!embed_with_fd())
                return;
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        reader.fd = fds[0];
        CHECK_INT(green_spawn_n(notify_woken, &reader), 0);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(green_hub_set_notify(count_call, &notes), 0);
        green_notify_close(fds[0]);
        CHECK_INT(notes, 1);
        CHECK_INT(green_hub_step(), 0);
        CHECK(reader.done);
        CHECK_INT(reader.rc, -ECANCELED);
        /* A watch is called in the step. */
        green_watch_init(&watch, watch_called, &called);
        CHECK_INT(green_watch_start(&watch, other[0], GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(green_hub_step(), 0);
        core_put(other[1]);
        loop_until(&called);
        unembed();
        core_close_pair(fds);
        core_close_pair(other);
}

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
        CHECK_INT(green_sleep(0.001), 0);
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
        CHECK_OR_RETURN(embed());
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        CHECK_INT(green_spawn_n(step_waits_for_fd, &fds[0]), 0);
        CHECK_INT(green_spawn_n(step_sleeps, NULL), 0);
        step_all();
        CHECK_INT(green_schedule_call_global(0.001, note_call, PTR(3)), 0);
        green_watch_init(&watch, step_watch_called, NULL);
        CHECK_INT(green_watch_start(&watch, other[0], GREEN_READ, GREEN_FOREVER), 0);
        core_put(fds[1]);
        core_put(other[1]);
        core_burn(0.003);
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
        CHECK_OR_RETURN(embed());
        CHECK_OR_RETURN(core_pair(fds));
        core_wait_fd(&reader, fds[0], GREEN_READ);
        step_all();
        CHECK_INT(green_spawn_n(wait_for_bad_ones, fds), 0);
        green_watch_init(&watch, watch_called, NULL);
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
        CHECK_OR_RETURN(embed());
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
        CHECK_OR_RETURN(embed());
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
        CHECK_OR_RETURN(embed());
        step_all();
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        CHECK_INT(green_hub_stop(-EINTR), 0);
        CHECK(green_hub_timeout() == 0);
        CHECK_INT(green_hub_step(), -EINTR);
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        unembed();
}

static void
memory_of_stacks_is_given_back_between_steps(void)
{
        int left = 200;

        CHECK_OR_RETURN(embed());
        for (int i = 0; i < left; i++)
                CHECK_INT(green_spawn_n(yield_once, NULL), 0);
        step_all();
        CHECK(core_info().stacks_pooled > 100);
        /* Nothing is pending but that. */
        CHECK_INT(core_info().timers, 0);
        CHECK_RANGE(green_hub_timeout(), 0, 1);
        unembed();
        CHECK_OR_RETURN(embed());
        step_all();
        CHECK(green_hub_timeout() >= GREEN_FOREVER);
        unembed();
}

static void *
clean_up_in_time(void *arg)
{
        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_EKILLED);
        green_shield_begin();
        CHECK_INT(green_sleep(0.005), 0);
        green_shield_end();
        core_set_flag(arg);
        return NULL;
}

static void
destroy_lets_green_threads_end_in_an_embedded_hub(void)
{
        bool ended = false;

        GREEN_COVERS("HUB-12");
        CHECK_OR_RETURN(embed());
        CHECK_INT(green_spawn_n(clean_up_in_time, &ended), 0);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK(ended);
}

static void *
embed_in_thread(void *arg)
{
        bool *ran = arg;

        CHECK_INT(green_hub_embed(), 0);
        CHECK_INT(green_spawn_n(set_flag, ran), 0);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(green_schedule_call_global(100, core_nothing, NULL), 0);
        return NULL;
}

static void
another_os_thread_may_embed_its_hub(void)
{
        pthread_t thread;
        bool ran = false;

        CHECK_INT(pthread_create(&thread, NULL, embed_in_thread, &ran), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(ran);
        CHECK_INT(green_sleep(0.001), 0);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_embed){GREEN_TEST(an_embedder_is_in_hub_context_in_and_out_of_a_step),
                        GREEN_TEST(embedding_comes_before_anything_has_run),
                        GREEN_TEST(a_poll_loop_can_drive_green_threads),
                        GREEN_TEST(the_descriptor_is_readable_when_one_that_is_waited_for_is),
                        GREEN_TEST(the_time_limit_is_that_of_the_next_timer),
                        GREEN_TEST(a_post_from_another_thread_makes_the_descriptor_readable),
                        GREEN_TEST(a_step_inside_a_step_is_refused),
                        GREEN_TEST(stop_ends_a_step_with_its_code_once),
                        GREEN_TEST(a_step_ends_when_its_budget_is_spent),
                        GREEN_TEST(notify_is_called_once_until_the_next_step),
                        GREEN_TEST(waking_from_outside_a_step_notifies),
                        GREEN_TEST(one_step_has_the_order_of_one_turn_of_the_loop),
                        GREEN_TEST(a_descriptor_that_is_none_is_an_error_in_an_embedded_hub),
                        GREEN_TEST(a_hub_without_a_descriptor_says_so),
                        GREEN_TEST(what_foreign_callbacks_do_is_done_in_the_next_step),
                        GREEN_TEST(what_a_step_asks_the_back_end_for_reaches_it_in_the_step),
        GREEN_TEST(killing_in_an_operation_from_outside_a_step_notifies),
        GREEN_TEST(after_a_stop_there_is_something_to_do_at_once),
                        GREEN_TEST(memory_of_stacks_is_given_back_between_steps),
                        GREEN_TEST(destroy_lets_green_threads_end_in_an_embedded_hub),
                        GREEN_TEST(another_os_thread_may_embed_its_hub),
                        GREEN_SUITE_END};
