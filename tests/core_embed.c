/* A hub inside another event loop: embed, step, descriptor, time limit, notify. */
#include "core_embed.h"

static void
an_embedder_is_in_hub_context_in_and_out_of_a_step(void)
{
        bool ran = false;

        if (!embed())
                return;
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
        /* It sleeps for the pauses, but for those that are over before it comes to it. */
        CHECK_RANGE(loop_until(&e.done), 1, 60);
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
        if (!embed())
                return;
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
        if (!embed())
                return;
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
        if (!embed())
                return;
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

static void
notify_is_called_once_until_the_next_step(void)
{
        struct green_watch watch;
        bool ran = false;
        int notes = 0;

        GREEN_COVERS("AIO-06");
        if (!embed())
                return;
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
        if (!embed())
                return;
        CHECK_INT(green_spawn_n(clean_up_in_time, &ended), 0);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK(ended);
}

static void *
embed_in_thread(void *arg)
{
        bool *ran = arg;

        if (!embed())
                return NULL;
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
        CHECK(ran || green_hub_loop() != NULL);
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
                        GREEN_TEST(destroy_lets_green_threads_end_in_an_embedded_hub),
                        GREEN_TEST(another_os_thread_may_embed_its_hub),
                        GREEN_SUITE_END};
