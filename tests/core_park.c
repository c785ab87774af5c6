/* Park and wake: hand-over, order, time limits, what happens to waiters that are killed, hub context. */
#include "core_help.h"

#include <unistd.h>

GREEN_SUITE_INIT(help_init)

/* A place for one item, as <green/park.h> shows it. */
struct box {
        struct green_waitq getters;
        void *item;
};

static int
box_get(struct box *b, void **ret_item, double timeout)
{
        struct green_wait w;
        int rc = timeout == 0 ? 0 : green_checkpoint();

        if (rc != 0)
                return rc;
        if (b->item != NULL) {
                *ret_item = b->item;
                b->item = NULL;
                return 0;
        }
        rc = green_park(&b->getters, &w, timeout);
        if (rc == 0)
                *ret_item = w.value;
        return rc;
}

static void
box_put(struct box *b, void *item)
{
        if (!green_wake_one(&b->getters, item))
                b->item = item;
}

struct getter {
        struct box *box;
        double timeout;
        void *item;
        int rc, next_rc;
        char letter;
};

static void *
get_one(void *arg)
{
        struct getter *g = arg;

        g->rc = box_get(g->box, &g->item, g->timeout);
        trace(g->letter);
        g->next_rc = green_sleep(0);
        return NULL;
}

static green_thread *
parked(green_thread_fn fn, void *arg)
{
        green_thread *gt = green_spawn(fn, arg);

        turns(1);
        return gt;
}

static void
an_item_is_handed_to_the_waiter_which_runs_after_those_ready_before(void)
{
        GREEN_COVERS("SCHED-02");
        struct box box = {{NULL, NULL}, NULL};
        struct getter g = {.box = &box, .timeout = GREEN_FOREVER, .rc = 9, .letter = 'g'};
        struct getter late = {.box = &box, .timeout = 0, .rc = 9, .letter = 'r'};
        green_thread *gt = parked(get_one, &g);

        CHECK(green_waitq_first(&box.getters) != NULL);
        CHECK_PTR(green_waitq_first(&box.getters)->thread, gt);
        CHECK_INT(green_spawn_n(get_one, &late), 0);
        box_put(&box, PTR(1));
        trace('p');
        CHECK_INT(g.rc, 9); /* put returned before the waiter ran */
        CHECK_PTR(green_waitq_first(&box.getters), NULL);
        CHECK_INT(join(gt), 0);
        CHECK_TRACE("prg");
        CHECK_INT(g.rc, 0);
        CHECK_PTR(g.item, PTR(1));
        CHECK_INT(late.rc, -ETIMEDOUT); /* it came between, and got nothing */
        turns(1);
}

static void
waiters_are_woken_in_the_order_they_came(void)
{
        struct box box = {{NULL, NULL}, NULL};
        struct getter g[5];
        green_thread *gt[5];

        for (int i = 0; i < 5; i++) {
                g[i] = (struct getter){.box = &box, .timeout = GREEN_FOREVER, .letter = (char)('0' + i)};
                gt[i] = parked(get_one, &g[i]);
        }
        CHECK_INT(green_kill(gt[2], 0), 0);
        CHECK_TRACE("2");
        for (int i = 0; i < 5; i++)
                box_put(&box, PTR(i + 10));
        for (int i = 0; i < 5; i++)
                CHECK_INT(join(gt[i]), i == 2 ? GREEN_EKILLED : 0);
        CHECK_TRACE("0134");
        CHECK_PTR(g[0].item, PTR(10));
        CHECK_PTR(g[1].item, PTR(11));
        CHECK_PTR(g[3].item, PTR(12));
        CHECK_PTR(g[4].item, PTR(13));
        CHECK_PTR(box.item, PTR(14)); /* what was meant for the killed one is not lost */
}

static void
a_kill_between_wake_and_resume_comes_after_the_item(void)
{
        struct box box = {{NULL, NULL}, NULL};
        struct getter g = {.box = &box, .timeout = GREEN_FOREVER, .letter = 'g'};
        green_thread *gt = parked(get_one, &g);

        box_put(&box, PTR(1));
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_TRACE("g"); /* the victim ran at once */
        CHECK_INT(g.rc, 0);
        CHECK_PTR(g.item, PTR(1));
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(g.next_rc, GREEN_EKILLED);
        CHECK_PTR(box.item, NULL);
}

static void *
get_under_a_timeout(void *arg)
{
        struct green_timeout t;

        CHECK_INT(green_timeout_start(&t, 500), 0);
        (void)get_one(arg);
        CHECK_INT(green_timeout_cancel(&t), ((struct getter *)arg)->next_rc == GREEN_ETIMEOUT);
        return NULL;
}

static void
a_timeout_between_wake_and_resume_comes_after_the_item(void)
{
        struct box box = {{NULL, NULL}, NULL};
        struct getter scope = {.box = &box, .timeout = GREEN_FOREVER, .letter = 's'};
        struct getter limit = {.box = &box, .timeout = 500, .letter = 'l'};
        green_thread *a, *b;

        clock_shift_begin();
        a = parked(get_under_a_timeout, &scope);
        b = parked(get_one, &limit);
        box_put(&box, PTR(1));
        box_put(&box, PTR(2));
        clock_jump(500);
        CHECK_INT(join(a), 0);
        CHECK_INT(join(b), 0);
        CHECK_INT(scope.rc, 0);
        CHECK_PTR(scope.item, PTR(1));
        CHECK_INT(limit.rc, 0);
        CHECK_PTR(limit.item, PTR(2));
        CHECK_INT(limit.next_rc, 0);
        clock_shift_end();
}

static struct box *shared_box;
static green_thread *target;

static void
kill_and_put(void *arg)
{
        (void)arg;
        CHECK_INT(green_kill(target, 0), 0);
        CHECK_PTR(green_waitq_first(&shared_box->getters), NULL); /* off the queue, and has not run */
        CHECK_TRACE("");
        box_put(shared_box, PTR(3));
}

static void
nothing_is_handed_to_a_waiter_that_was_killed(void)
{
        struct box box = {{NULL, NULL}, NULL};
        struct getter g = {.box = &box, .timeout = 1000, .letter = 'g'};

        target = parked(get_one, &g);
        shared_box = &box;
        CHECK_INT(green_schedule_call_global(0, kill_and_put, NULL), 0);
        CHECK_INT(join(target), GREEN_EKILLED);
        CHECK_INT(g.rc, GREEN_EKILLED);
        CHECK_PTR(g.item, NULL);
        CHECK_PTR(box.item, PTR(3));
        CHECK_INT(hub_info().timers, 0);
        CHECK_TRACE("g");
}

static void
a_killed_caller_takes_nothing_that_is_there(void)
{
        struct box box = {{NULL, NULL}, PTR(4)};
        void *item = NULL;

        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(box_get(&box, &item, GREEN_FOREVER), GREEN_EKILLED);
        CHECK_PTR(box.item, PTR(4));
        CHECK_INT(box_get(&box, &item, 0), 0); /* a call with time limit 0 never waits, and ignores scopes */
        CHECK_PTR(item, PTR(4));
        CHECK_INT(green_recover(), GREEN_EKILLED);
}

static void
a_time_limit_ends_the_wait_and_is_never_early(void)
{
        struct box box = {{NULL, NULL}, NULL};
        struct getter other = {.box = &box, .letter = 'x'};
        void *item = PTR(5);
        double begin = clock_now();

        CHECK_INT(box_get(&box, &item, 0.003), -ETIMEDOUT);
        CHECK_RANGE(clock_now() - begin, 0.003, 0.5 * suite_slow());
        CHECK_PTR(item, PTR(5));
        CHECK_PTR(box.getters.first, NULL);
        CHECK_PTR(box.getters.last, NULL);
        CHECK_INT(green_spawn_n(get_one, &other), 0);
        CHECK_INT(box_get(&box, &item, 0), -ETIMEDOUT);
        CHECK_TRACE(""); /* 0 does not yield */
        turns(2);
}

static void
bad_times_are_errors(void)
{
        struct green_waitq q = {NULL, NULL};
        struct green_wait w = {.queue = NULL};
        static const double bad[] = {-1, -1e-9, -INFINITY, NAN};

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CHECK_INT(green_park(&q, &w, bad[i]), -EINVAL);
                CHECK_INT(green_park_any(&w, 1, bad[i], NULL), -EINVAL);
                CHECK_INT(green_waker_wait(NULL, bad[i]), -EINVAL);
        }
        CHECK_INT(green_park_any(NULL, 2, 1, NULL), -EINVAL);
        CHECK_PTR(q.first, NULL);
}

static void
infinity_waits_for_good(void)
{
        struct box box = {{NULL, NULL}, NULL};
        struct getter g = {.box = &box, .timeout = INFINITY, .letter = 'g'};
        green_thread *gt = parked(get_one, &g);

        CHECK_INT(hub_info().timers, 0);
        box_put(&box, PTR(1));
        CHECK_INT(join(gt), 0);
        CHECK_INT(g.rc, 0);
}

/* ---- wake ---- */

static struct green_waitq queue;

struct parker {
        struct green_wait w;
        int rc;
};

static void *
park_here(void *arg)
{
        struct parker *p = arg;

        p->rc = green_park(&queue, &p->w, GREEN_FOREVER);
        return NULL;
}

static void
wake_gives_its_code_and_leaves_alone_who_does_not_wait(void)
{
        struct parker p = {.rc = 9};
        green_thread *gt = parked(park_here, &p);

        green_wake(&p.w, -EDOM);
        green_wake(&p.w, -EIO);
        p.w.value = PTR(6); /* the node is the waker's until it yields */
        CHECK_INT(hub_info().ready, 1);
        CHECK_INT(join(gt), 0);
        CHECK_INT(p.rc, -EDOM);
        CHECK_PTR(p.w.value, PTR(6));
        CHECK(!green_wake_one(&queue, NULL));
        CHECK_INT(green_wake_all(&queue, 0), 0);
}

static void
the_waker_reads_what_the_waiter_put_into_its_node(void)
{
        struct parker p = {.w = {.value = PTR(7), .user = 42}};
        green_thread *gt = parked(park_here, &p);

        CHECK_PTR(green_waitq_first(&queue)->value, PTR(7));
        CHECK_INT(green_waitq_first(&queue)->user, 42);
        CHECK(green_wake_one(&queue, PTR(8)));
        CHECK_INT(join(gt), 0);
        CHECK_INT(p.rc, 0);
        CHECK_PTR(p.w.value, PTR(8));
}

static void
an_object_may_be_freed_as_soon_as_its_waiters_were_woken(void)
{
        struct box *box = calloc(1, sizeof(*box));
        struct getter g[3];
        green_thread *gt[3];

        CHECK_OR_RETURN(box != NULL);
        for (int i = 0; i < 3; i++) {
                g[i] = (struct getter){.box = box, .timeout = 1000, .letter = (char)('0' + i)};
                gt[i] = parked(get_one, &g[i]);
        }
        CHECK_INT(green_wake_all(&box->getters, -ECANCELED), 3);
        CHECK_PTR(box->getters.first, NULL);
        memset(box, 0xff, sizeof(*box));
        free(box);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(join(gt[i]), 0);
                CHECK_INT(g[i].rc, -ECANCELED);
        }
        CHECK_TRACE("012");
}

/* ---- several queues ---- */

struct any {
        struct green_waitq q[3];
        struct green_wait w[3];
        double timeout;
        size_t index;
        int rc;
};

static void *
park_in_three(void *arg)
{
        struct any *a = arg;

        for (int i = 0; i < 3; i++)
                a->w[i].queue = &a->q[i];
        a->index = 77;
        a->rc = green_park_any(a->w, 3, a->timeout, &a->index);
        return NULL;
}

static bool
all_empty(const struct any *a)
{
        for (int i = 0; i < 3; i++)
                if (a->q[i].first != NULL || a->q[i].last != NULL || a->w[i].queue != NULL)
                        return false;
        return true;
}

static void
a_wait_in_several_queues_ends_in_all_of_them_at_the_first_wake(void)
{
        for (size_t i = 0; i < 3; i++) {
                struct any a = {.timeout = GREEN_FOREVER};
                green_thread *gt = parked(park_in_three, &a);

                for (int j = 0; j < 3; j++)
                        CHECK_PTR(green_waitq_first(&a.q[j]), &a.w[j]);
                CHECK(green_wake_one(&a.q[i], PTR(3)));
                CHECK(all_empty(&a)); /* at once: nobody hands it a second thing */
                for (int j = 0; j < 3; j++)
                        CHECK(!green_wake_one(&a.q[j], PTR(4)));
                CHECK_INT(join(gt), 0);
                CHECK_INT(a.rc, 0);
                CHECK_INT(a.index, i);
                CHECK_PTR(a.w[i].value, PTR(3));
        }
}

static void
a_wait_in_several_queues_fails_without_an_index(void)
{
        struct any a = {.timeout = 0.001};
        green_thread *gt = parked(park_in_three, &a);

        CHECK_INT(join(gt), 0);
        CHECK_INT(a.rc, -ETIMEDOUT);
        CHECK_INT(a.index, 77);
        CHECK(all_empty(&a));
        a.timeout = 1000;
        gt = parked(park_in_three, &a);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(a.rc, GREEN_EKILLED);
        CHECK_INT(a.index, 77);
        CHECK(all_empty(&a));
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(hub_info().timers, 0);
        gt = parked(park_in_three, &a);
        green_wake(&a.w[1], -EPIPE); /* a waker's code is no failure to wait */
        CHECK_INT(join(gt), 0);
        CHECK_INT(a.rc, -EPIPE);
        CHECK_INT(a.index, 1);
}

static void
nodes_without_a_queue_take_no_part(void)
{
        struct green_waitq q = {NULL, NULL};
        struct green_wait w[2] = {{.queue = NULL}, {.queue = &q}};
        size_t index = 5;

        CHECK_INT(green_park_any(w, 2, 0.001, &index), -ETIMEDOUT);
        CHECK_PTR(q.first, NULL);
        CHECK_INT(green_park_any(NULL, 0, 0.001, &index), -ETIMEDOUT);
        CHECK_INT(green_park_any(w, 1, 0, NULL), -ETIMEDOUT);
        CHECK_INT(index, 5);
}

static void *
put_two(void *arg)
{
        struct any *a = arg;

        CHECK(green_wake_one(&a->q[1], PTR(1)));
        CHECK(green_wake_one(&a->q[1], PTR(2)));
        return NULL;
}

static void
a_wait_in_several_queues_keeps_its_place_in_each(void)
{
        struct any a = {.timeout = GREEN_FOREVER};
        struct green_wait w[2] = {{.queue = NULL}};
        green_thread *gt = parked(park_in_three, &a);
        size_t index = 9;

        for (int i = 0; i < 2; i++)
                w[i].queue = &a.q[i]; /* behind it in two of its queues */
        CHECK_INT(green_spawn_n(put_two, &a), 0);
        CHECK_INT(green_park_any(w, 2, 5, &index), 0);
        CHECK_INT(index, 1);
        CHECK_PTR(w[1].value, PTR(2));
        CHECK_INT(join(gt), 0);
        CHECK_INT(a.index, 1);
        CHECK_PTR(a.w[1].value, PTR(1));
}

/* ---- the check on entry ---- */

static void
check_in_callback(void *arg)
{
        green_thread *self = arg;

        CHECK_INT(green_park_check(green_hub_ident(), "a box", 1, &self), 0);
        CHECK_PTR(self, NULL);
        CHECK_INT(green_park_check(green_hub_ident(), "a box", 1, NULL), 0);
}

static void
the_check_tells_the_caller_and_refuses_bad_times(void)
{
        static const double bad[] = {-1, -1e-9, -INFINITY, NAN};
        green_thread *self = NULL;

        CHECK_INT(green_park_check(green_hub_ident(), "a box", GREEN_FOREVER, &self), 0);
        CHECK_PTR(self, green_getcurrent());
        self = NULL;
        for (int i = 0; i < 4; i++)
                CHECK_INT(green_park_check(green_hub_ident(), "a box", bad[i], &self), -EINVAL);
        CHECK_PTR(self, NULL);
        CHECK_INT(green_park_check(green_hub_ident(), "a box", INFINITY, NULL), 0);
        CHECK_INT(green_schedule_call_global(0, check_in_callback, green_getcurrent()), 0);
        CHECK_INT(green_sleep(0.001), 0);
}

static void *
trace_arg(void *arg)
{
        trace((char)INT(arg));
        return NULL;
}

static void
the_check_fails_where_the_caller_was_killed_unless_it_only_tries(void)
{
        uint64_t ident = green_hub_ident();
        green_thread *self = NULL;

        CHECK_INT(green_spawn_n(trace_arg, PTR('x')), 0);
        CHECK_INT(green_park_check(ident, "a box", 1, NULL), 0);
        CHECK_TRACE(""); /* does not yield */
        CHECK_INT(green_kill(green_getcurrent(), -EOWNERDEAD), 0);
        CHECK_INT(green_park_check(ident, "a box", 0, &self), 0);
        CHECK_PTR(self, green_getcurrent());
        CHECK_INT(green_park_check(ident, "a box", NAN, NULL), -EINVAL);
        CHECK_TRACE("");
        self = NULL;
        CHECK_INT(green_park_check(ident, "a box", 1, &self), -EOWNERDEAD);
        CHECK_TRACE("x"); /* does now, or a loop around it would freeze the OS thread */
        CHECK_PTR(self, NULL);
        green_shield_begin();
        CHECK_INT(green_park_check(ident, "a box", 1, NULL), 0);
        green_shield_end();
        CHECK_INT(green_recover(), -EOWNERDEAD);
}

static void *
check_elsewhere(void *arg)
{
        uint64_t ident = *(const uint64_t *)arg;
        green_thread *self = NULL;

        CHECK_INT(green_park_check(ident, "a box", 1, &self), -EPERM); /* without a hub */
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_park_check(ident, "a box", 0, &self), -EPERM);
        CHECK_INT(green_last_error()->code, -EPERM);
        CHECK_PTR(self, NULL);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
the_check_refuses_what_belongs_to_another_os_thread(void)
{
        uint64_t ident = green_hub_ident();
        struct log_lines lines;
        pthread_t thread;

        log_catch(&lines);
        CHECK_INT(pthread_create(&thread, NULL, check_elsewhere, &ident), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        log_release();
        CHECK_INT(lines.count, 2);
        CHECK(strstr(lines.text, "a box belongs to hub") != NULL);
}

/* ---- hub context ---- */

static green_thread *finished, *unfinished;
static struct parker *waiting;
static green_waker *waker;

static void
no_cleanup(void *arg)
{
        (void)arg;
}

static void
try_to_wait(void *arg)
{
        struct green_waitq q = {NULL, NULL};
        struct green_wait w;
        struct green_wait any = {.queue = &q};

        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_park(&q, &w, 1), -EDEADLK);
        CHECK_INT(green_park(&q, &w, GREEN_FOREVER), -EDEADLK);
        CHECK_INT(green_park_any(&any, 1, 1, NULL), -EDEADLK);
        CHECK_INT(green_sleep(0.001), -EDEADLK);
        CHECK_INT(green_thread_wait(unfinished, NULL), -EDEADLK);
        CHECK_INT(green_waker_wait(waker, 1), -EDEADLK);
        CHECK_INT(green_defer(no_cleanup, NULL), -EDEADLK);
        CHECK_PTR(green_spawn_after_local(1, park_here, NULL), NULL);
        CHECK_INT(errno, EDEADLK);
        /* What need not wait works. */
        CHECK_INT(green_park(&q, &w, 0), -ETIMEDOUT);
        CHECK_INT(green_waker_wait(waker, 0), -ETIMEDOUT);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_sleep(-1), 0);
        CHECK_INT(green_thread_wait(finished, NULL), 0);
        CHECK_INT(green_checkpoint(), 0);
        green_shield_begin();
        green_shield_end();
        CHECK_INT(green_recover(), 0);
        green_wake(&waiting->w, -ERANGE);
        *(bool *)arg = true;
}

static void *
nothing(void *arg)
{
        return arg;
}

static void
in_a_callback_nothing_waits_and_the_rest_works(void)
{
        GREEN_COVERS("HUB-18", "HUB-19");
        struct parker p = {.rc = 9};
        bool called = false;

        finished = parked(nothing, NULL);
        unfinished = parked(park_here, &p);
        waiting = &p;
        waker = green_waker_new();
        CHECK_INT(green_schedule_call_global(0, try_to_wait, &called), 0);
        CHECK_INT(join(unfinished), 0);
        CHECK(called);
        CHECK_INT(p.rc, -ERANGE);
        CHECK_INT(join(finished), 0);
        CHECK_INT(green_waker_free(waker), 0);
}

static void *
park_for_good(void *arg)
{
        struct green_wait w;

        return green_fail(green_park(arg, &w, GREEN_FOREVER));
}

/* A hub that has not looked at the clock since it was made. */
static void *
dump_a_new_hub(void *arg)
{
        struct green_waitq q = {0};
        green_thread *gt = green_spawn(park_for_good, &q);
        char text[4096] = "";
        double since = -1;
        const char *at;
        FILE *file = tmpfile();

        (void)arg;
        CHECK_OR_RETURN(file != NULL, NULL);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_debug_dump(fileno(file)), 2);
        rewind(file);
        CHECK(fread(text, 1, sizeof text - 1, file) > 0);
        at = strstr(text, "since ");
        CHECK(at != NULL && sscanf(at, "since %lf s", &since) == 1 && since >= 0 && since < 60);
        fclose(file);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
a_dump_says_for_how_long_one_has_waited(void)
{
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, dump_a_new_hub, NULL), 0);
        pthread_join(thread, NULL);
}

GREEN_SUITE(core_park) {
        /* libunwind keeps a pipe. */
        GREEN_TEST(a_dump_says_for_how_long_one_has_waited, .keeps_fds = true),
        GREEN_TEST(an_item_is_handed_to_the_waiter_which_runs_after_those_ready_before),
        GREEN_TEST(waiters_are_woken_in_the_order_they_came),
        GREEN_TEST(a_kill_between_wake_and_resume_comes_after_the_item),
        GREEN_TEST(a_timeout_between_wake_and_resume_comes_after_the_item),
        GREEN_TEST(nothing_is_handed_to_a_waiter_that_was_killed),
        GREEN_TEST(a_killed_caller_takes_nothing_that_is_there),
        GREEN_TEST(a_time_limit_ends_the_wait_and_is_never_early),
        GREEN_TEST(bad_times_are_errors),
        GREEN_TEST(infinity_waits_for_good),
        GREEN_TEST(wake_gives_its_code_and_leaves_alone_who_does_not_wait),
        GREEN_TEST(the_waker_reads_what_the_waiter_put_into_its_node),
        GREEN_TEST(an_object_may_be_freed_as_soon_as_its_waiters_were_woken),
        GREEN_TEST(a_wait_in_several_queues_ends_in_all_of_them_at_the_first_wake),
        GREEN_TEST(a_wait_in_several_queues_fails_without_an_index),
        GREEN_TEST(nodes_without_a_queue_take_no_part),
        GREEN_TEST(a_wait_in_several_queues_keeps_its_place_in_each),
        GREEN_TEST(the_check_tells_the_caller_and_refuses_bad_times),
        GREEN_TEST(the_check_fails_where_the_caller_was_killed_unless_it_only_tries),
        GREEN_TEST(the_check_refuses_what_belongs_to_another_os_thread),
        GREEN_TEST(in_a_callback_nothing_waits_and_the_rest_works),
        GREEN_SUITE_END
};
