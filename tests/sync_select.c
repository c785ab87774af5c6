/*
 * Waiting for the first of several: who wins, what becomes of the others, kills and limits.
 */
#include "sync_select.h"

GREEN_SUITE_INIT(queue_init)

/* ---- at once */

static void
exactly_one_of_those_that_can_be_done_is_done(void)
{
        GREEN_COVERS("ISS-12");
        green_queue *a = green_queue_new(-1, NULL), *b = green_queue_new(1, NULL), *full = green_queue_new(1, NULL);
        green_semaphore *s = green_semaphore_new(1, NULL);
        struct one other = {.q = full, .timeout = 0, .letter = 'x'};
        long balance = 0;

        fill(a, 1, 1);
        fill(full, 9, 9);
        CHECK_INT(green_spawn_n(one_get_main, &other), 0);
        for (int i = 0; i < 12; i++) {
                struct green_select_case c[] = {GREEN_CASE_PUT(full, PTR(8)), GREEN_CASE_GET(a),
                                                GREEN_CASE_PUT(b, PTR(2)), GREEN_CASE_ACQUIRE(s)};
                size_t index = won(c, 4);

                CHECK_RANGE(index, 1, 3);
                CHECK_INT(c[index].result, 0);
                CHECK_INT(green_semaphore_balance(s, &balance), 0);
                CHECK_INT(balance, index == 3 ? 0 : 1);
                CHECK_INT(green_queue_qsize(a), index == 1 ? 0 : 1);
                CHECK_INT(green_queue_qsize(b), index == 2 ? 1 : 0);
                CHECK_INT(green_queue_qsize(full), 1);
                if (index == 1) {
                        CHECK_PTR(c[1].value, PTR(1));
                        fill(a, 1, 1);
                } else if (index == 2) {
                        CHECK_INT(take(b), 2);
                } else {
                        CHECK_INT(green_semaphore_release(s), 0);
                }
        }
        CHECK_TRACE(""); /* it does not yield */
        turns(2);
        CHECK_INT(take(a), 1);
        free_empty(a);
        free_empty(b);
        CHECK_PTR(other.item, PTR(9));
        free_empty(full);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
of_several_that_can_be_done_each_wins_in_its_turn(void)
{
        enum { N = 5, ROUNDS = 500 };
        green_queue *q[N];
        int wins[3][N] = {{0}};

        for (int i = 0; i < N; i++) {
                q[i] = green_queue_new(-1, NULL);
                fill(q[i], 0, 3 * ROUNDS);
        }
        for (int round = 0; round < ROUNDS; round++) {
                /* Three places with different numbers of cases, always in the same order. */
                for (size_t place = 0; place < 3; place++) {
                        static const size_t sizes[] = {2, 4, N};
                        struct green_select_case c[N];

                        for (int i = 0; i < N; i++)
                                c[i] = (struct green_select_case)GREEN_CASE_GET(q[i]);
                        wins[place][won(c, sizes[place])]++;
                }
        }
        for (int i = 0; i < N; i++) {
                if (i < 2)
                        CHECK_RANGE(wins[0][i], ROUNDS / 2 * 0.9, ROUNDS / 2 * 1.1);
                if (i < 4)
                        CHECK_RANGE(wins[1][i], ROUNDS / 4 * 0.9, ROUNDS / 4 * 1.1);
                CHECK_RANGE(wins[2][i], ROUNDS / N * 0.9, ROUNDS / N * 1.1);
                while (take(q[i]) >= 0)
                        ;
                free_empty(q[i]);
        }
}

static void
with_a_limit_of_zero_it_tries_without_a_yield_and_looks_at_no_scope(void)
{
        green_queue *q = green_queue_new(1, NULL);
        struct one other = {.q = q, .timeout = 0, .letter = 'x'};
        struct green_select_case c[4] = {GREEN_CASE_GET(q)};
        size_t index = 77;
        int a[2];

        pair(a);
        fill_fd(a[0]);
        c[1] = (struct green_select_case)GREEN_CASE_READ(a[0]);
        c[2] = (struct green_select_case)GREEN_CASE_WRITE(a[0]);
        c[3] = (struct green_select_case){.op = GREEN_SELECT_NONE};
        CHECK_INT(green_spawn_n(one_get_main, &other), 0);
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_select(c, 4, 0, &index), -ETIMEDOUT);
        CHECK_INT(green_select(NULL, 0, 0, &index), -ETIMEDOUT);
        CHECK_INT(index, 77);
        CHECK_INT(green_select(c, 4, 1, &index), GREEN_EKILLED);
        CHECK_TRACE("x"); /* this one yields */
        put_byte(a[1]);
        CHECK_INT(green_select(c, 4, 0, &index), 0);
        CHECK_INT(index, 1);
        drain_fd(a[0]);
        drain_fd(a[1]);
        CHECK_INT(green_select(c, 4, 0, &index), 0);
        CHECK_INT(index, 2);
        fill_fd(a[0]);
        fill(q, 4, 4);
        CHECK_INT(green_select(c, 4, 0, &index), 0);
        CHECK_INT(index, 0);
        CHECK_PTR(c[0].value, PTR(4));
        CHECK_INT(green_recover(), GREEN_EKILLED);
        check_no_fd_waits();
        close_pair(a);
        c[0].op = GREEN_SELECT_NONE;
        CHECK_INT(green_select(c, 4, 0, &index), 0);
        CHECK_INT(c[index].result, -EBADF);
        turns(2);
        free_empty(q);
}

/* ---- waiting */

/* One of each. */
struct all {
        green_queue *empty, *full;
        green_event *e;
        green_semaphore *s;
        int fds[2];
};

static void
all_begin(struct all *all, struct sel *sel)
{
        all->empty = green_queue_new(0, NULL);
        all->full = green_queue_new(1, NULL);
        all->e = green_event_new();
        all->s = green_semaphore_new(0, NULL);
        pair(all->fds);
        fill_fd(all->fds[0]);
        fill(all->full, 1, 1);
        sel->c[0] = (struct green_select_case)GREEN_CASE_GET(all->empty);
        sel->c[1] = (struct green_select_case)GREEN_CASE_PUT(all->full, PTR(2));
        sel->c[2] = (struct green_select_case)GREEN_CASE_EVENT(all->e);
        sel->c[3] = (struct green_select_case)GREEN_CASE_ACQUIRE(all->s);
        sel->c[4] = (struct green_select_case)GREEN_CASE_READ(all->fds[0]);
        sel->c[5] = (struct green_select_case)GREEN_CASE_WRITE(all->fds[0]);
        sel_begin(sel, MOST);
        CHECK_INT(green_queue_getting(all->empty), 1);
        CHECK_INT(green_queue_putting(all->full), 1);
        CHECK_INT(hub_info().readers, 1);
        CHECK_INT(hub_info().writers, 1);
        CHECK_INT(hub_info().timers, 0);
}

/* Case number i can be done now. */
static void
all_allow(struct all *all, size_t i)
{
        if (i == 0)
                CHECK_INT(green_queue_put(all->empty, PTR(3), 0), 0);
        else if (i == 1)
                CHECK_INT(take(all->full), 1);
        else if (i == 2)
                CHECK_INT(green_event_send(all->e, PTR(4)), 0);
        else if (i == 3)
                CHECK_INT(green_semaphore_release(all->s), 0);
        else if (i == 4)
                put_byte(all->fds[1]);
        else
                drain_fd(all->fds[1]);
}

static void
whichever_comes_first_ends_the_wait(void)
{
        GREEN_COVERS("ISS-12");
        for (size_t first = 0; first < MOST; first++) {
                struct sel sel = {.letter = 's'};
                struct all all;
                long balance = 5;

                all_begin(&all, &sel);
                all_allow(&all, first);
                if (first < 4) { /* from now on the others do without it */
                        CHECK_INT(green_queue_getting(all.empty) + green_queue_putting(all.full), 0);
                        CHECK_INT(green_queue_put(all.empty, PTR(5), 0), GREEN_EFULL);
                }
                sel_won(&sel, first, 0);
                check_no_fd_waits();
                if (first == 0)
                        CHECK_PTR(sel.c[0].value, PTR(3));
                if (first == 2)
                        CHECK_PTR(sel.c[2].value, PTR(4));
                CHECK_INT(take(all.full), first == 1 ? 2 : 1);
                CHECK_INT(green_semaphore_balance(all.s, &balance), 0);
                CHECK_INT(balance, 0);
                free_empty(all.empty);
                free_empty(all.full);
                CHECK_INT(green_event_free(all.e), 0);
                CHECK_INT(green_semaphore_free(all.s), 0);
                close_pair(all.fds);
                CHECK_TRACE("s");
        }
}

static void
it_has_its_place_among_those_who_wait_for_each(void)
{
        green_queue *a = green_queue_new(0, NULL), *b = green_queue_new(0, NULL);
        struct one before, after;
        struct sel sel = {.c = {GREEN_CASE_GET(a), GREEN_CASE_GET(b)}, .letter = 's'};

        begin_get(&before, a, 'b');
        sel_begin(&sel, 2);
        begin_get(&after, a, 'a');
        fill(a, 1, 3 - 1);
        fill(a, 3, 3);
        CHECK_INT(green_queue_put(a, PTR(4), 0), GREEN_EFULL);
        CHECK_INT(green_queue_put(b, PTR(4), 0), GREEN_EFULL);
        one_finish(&before, 0);
        sel_won(&sel, 0, 0);
        one_finish(&after, 0);
        CHECK_TRACE("bsa");
        CHECK_PTR(before.item, PTR(1));
        CHECK_PTR(sel.c[0].value, PTR(2));
        CHECK_PTR(after.item, PTR(3));
        sel_begin(&sel, 2);
        begin_get(&after, b, 'a');
        fill(b, 5, 6);
        sel_won(&sel, 1, 0);
        CHECK_PTR(sel.c[1].value, PTR(5));
        one_finish(&after, 0);
        CHECK_PTR(after.item, PTR(6));
        CHECK_TRACE("sa");
        free_empty(a);
        free_empty(b);
}

static void
two_of_them_meet_on_a_channel(void)
{
        green_queue *a = green_queue_new(0, NULL), *b = green_queue_new(0, NULL);

        for (int putter_first = 0; putter_first < 2; putter_first++) {
                struct sel put = {.c = {GREEN_CASE_PUT(b, PTR(1)), GREEN_CASE_PUT(a, PTR(2))}};
                struct sel get = {.c = {GREEN_CASE_GET(a)}};

                sel_begin(putter_first ? &put : &get, putter_first ? 2 : 1);
                sel_begin(putter_first ? &get : &put, putter_first ? 1 : 2);
                sel_won(&put, 1, 0);
                sel_won(&get, 0, 0);
                CHECK_PTR(get.c[0].value, PTR(2));
        }
        free_empty(a);
        free_empty(b);
}

static void
one_that_puts_and_gets_does_not_meet_itself(void)
{
        green_queue *q = green_queue_new(0, NULL);
        struct sel first = {.c = {GREEN_CASE_GET(q), GREEN_CASE_PUT(q, PTR(1))}};
        struct sel second = {.c = {GREEN_CASE_GET(q), GREEN_CASE_PUT(q, PTR(2))}};

        sel_begin(&first, 2);
        turns(3);
        CHECK_INT(first.rc, 9);
        sel_begin(&second, 2);
        CHECK_INT(join(first.gt), 0);
        CHECK_INT(join(second.gt), 0);
        CHECK_INT(first.rc, 0);
        CHECK_INT(second.rc, 0);
        CHECK_INT(first.index + second.index, 1); /* one has put, the other has got */
        if (first.index == 0)
                CHECK_PTR(first.c[0].value, PTR(2));
        else
                CHECK_PTR(second.c[0].value, PTR(1));
        sel_begin(&first, 2);
        CHECK_INT(green_queue_resize(q, 1), 0); /* room for its own item */
        sel_won(&first, 1, 0);
        CHECK_INT(take(q), 1);
        sel_begin(&first, 2);
        turns(1);
        CHECK_INT(join(first.gt), 0);
        CHECK_INT(take(q), 1);
        free_empty(q);
}

static void
the_object_may_be_freed_when_the_case_has_won(void)
{
        green_queue *q = green_queue_new(0, NULL), *other = green_queue_new(0, NULL);
        struct sel sel = {.c = {GREEN_CASE_GET(q), GREEN_CASE_GET(other)}};

        sel_begin(&sel, 2);
        CHECK_INT(green_queue_free(other), -EBUSY);
        fill(q, 1, 1);
        CHECK_INT(green_queue_free(q), 0);
        CHECK_INT(green_queue_free(other), 0);
        sel_won(&sel, 0, 0);
        CHECK_PTR(sel.c[0].value, PTR(1));
}

static void
how_a_case_failed_is_its_result(void)
{
        green_queue *q = green_queue_new(0, NULL), *open = green_queue_new(0, NULL), *b = green_queue_new(-1, NULL);
        green_event *e = green_event_new();
        struct sel get = {.c = {GREEN_CASE_GET(open), GREEN_CASE_GET(q)}};
        struct sel put = {.c = {GREEN_CASE_GET(open), GREEN_CASE_PUT(q, PTR(1))}};
        struct sel event = {.c = {GREEN_CASE_GET(open), GREEN_CASE_EVENT(e)}};
        struct green_select_case c[] = {GREEN_CASE_PUT(b, PTR(1))};
        void *value = &value;

        get.c[1].value = value;
        sel_begin(&get, 2);
        CHECK_INT(green_queue_shutdown(q), 0);
        sel_won(&get, 1, GREEN_ECLOSED);
        CHECK_PTR(get.c[1].value, value);
        sel_begin(&get, 2); /* was shut down before */
        sel_won(&get, 1, GREEN_ECLOSED);
        sel_begin(&put, 2);
        sel_won(&put, 1, GREEN_ECLOSED);
        free_empty(q);
        q = green_queue_new(0, NULL);
        put.c[1].object = q;
        sel_begin(&put, 2);
        CHECK_INT(green_queue_shutdown(q), 0);
        sel_won(&put, 1, GREEN_ECLOSED);
        for (int round = 0; round < 2; round++) { /* waits for it, finds it */
                sel_begin(&event, 2);
                if (round == 0)
                        CHECK_INT(green_event_send_exception(e, -EDOM), 0);
                sel_won(&event, 1, -EDOM);
        }
        memory_left = 0;
        CHECK_INT(won(c, 1), 0);
        memory_left = -1;
        CHECK_INT(c[0].result, -ENOMEM);
        CHECK(green_queue_empty(b));
        free_empty(q);
        free_empty(open);
        free_empty(b);
        CHECK_INT(green_event_free(e), 0);
}

static void
a_wait_needs_no_memory(void)
{
        green_queue *a = green_queue_new(0, NULL), *b = green_queue_new(0, NULL);
        struct sel sel = {.c = {GREEN_CASE_GET(a), GREEN_CASE_PUT(b, PTR(3))}};

        sel_begin(&sel, 2);
        memory_left = 0;
        CHECK_INT(take(b), 3);
        sel_won(&sel, 1, 0);
        memory_left = -1;
        free_empty(a);
        free_empty(b);
}

static void
many_cases_are_as_few(void)
{
        enum { N = GREEN_SELECT_MAX + 1 };
        static struct green_select_case c[N];
        green_queue *q[N];
        size_t index = 77;

        for (size_t i = 0; i < N; i++) {
                q[i] = green_queue_new(0, NULL);
                c[i] = (struct green_select_case)GREEN_CASE_GET(q[i]);
        }
        for (size_t n = 15; n <= GREEN_SELECT_MAX; n = n < 18 ? n + 1 : n + 37) {
                for (size_t k = 0; k < n; k += n - 1) {
                        struct one put;

                        CHECK_INT(green_select(c, n, 0.001, &index), -ETIMEDOUT);
                        one_begin(&put, one_put_main, q[k], 5, 0, GREEN_FOREVER);
                        c[k].value = NULL;
                        CHECK_INT(won(c, n), k); /* finds it */
                        CHECK_PTR(c[k].value, PTR(5));
                        one_finish(&put, 0);
                        put = (struct one){.q = q[k], .item = PTR(6), .timeout = 0};
                        CHECK_INT(green_spawn_n(one_put_main, &put), 0);
                        CHECK_INT(won(c, n), k); /* waits */
                        CHECK_PTR(c[k].value, PTR(6));
                        turns(2);
                }
        }
        index = 77;
        CHECK_INT(green_select(c, N, 0, &index), -EINVAL);
        CHECK_INT(index, 77);
        for (size_t i = 0; i < N; i++)
                free_empty(q[i]);
}

/* ---- kills, limits, misuse */

static void
a_wait_that_fails_takes_nothing(void)
{
        green_queue *a = green_queue_new(0, NULL), *b = green_queue_new(0, NULL);
        green_semaphore *s = green_semaphore_new(0, NULL);
        struct sel sel = {.c = {GREEN_CASE_GET(a), GREEN_CASE_PUT(b, PTR(1)), GREEN_CASE_ACQUIRE(s)}};
        struct green_timeout t;
        long balance = 9;

        clock_shift_begin();
        sel_begin(&sel, 3);
        CHECK_INT(green_kill(sel.gt, 0), 0);
        CHECK_INT(join(sel.gt), GREEN_EKILLED);
        CHECK_INT(sel.rc, GREEN_EKILLED);
        CHECK_INT(sel.index, 77);
        CHECK_INT(green_timeout_start(&t, 100), 0);
        clock_jump(101);
        CHECK_INT(green_select(sel.c, 3, GREEN_FOREVER, &sel.index), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_select(sel.c, 3, 0.001, &sel.index), -ETIMEDOUT);
        CHECK_INT(green_select(NULL, 0, 0.001, &sel.index), -ETIMEDOUT);
        CHECK_INT(sel.index, 77);
        CHECK_INT(green_queue_put(a, PTR(2), 0), GREEN_EFULL);
        CHECK_INT(take(b), -1);
        CHECK_INT(green_semaphore_release(s), 0);
        CHECK_INT(green_semaphore_balance(s, &balance), 0);
        CHECK_INT(balance, 1);
        clock_shift_end();
        CHECK_INT(green_semaphore_free(s), 0);
        free_empty(a);
        free_empty(b);
}

static void
a_case_that_has_won_stays_so_when_a_kill_comes_after_it(void)
{
        green_queue *a = green_queue_new(0, NULL), *b = green_queue_new(0, NULL);
        struct sel sel = {.c = {GREEN_CASE_GET(a), GREEN_CASE_PUT(b, PTR(1))}};

        for (size_t i = 0; i < 2; i++) {
                sel_begin(&sel, 2);
                if (i == 0)
                        CHECK_INT(green_queue_put(a, PTR(2), 0), 0);
                else
                        CHECK_INT(take(b), 1);
                CHECK_INT(green_kill(sel.gt, 0), 0);
                CHECK_INT(join(sel.gt), GREEN_EKILLED);
                CHECK_INT(sel.rc, 0);
                CHECK_INT(sel.index, i);
                CHECK_INT(sel.next, GREEN_EKILLED);
        }
        CHECK_PTR(sel.c[0].value, PTR(2));
        free_empty(a);
        free_empty(b);
}

static void
a_killed_caller_does_nothing(void)
{
        green_queue *q = green_queue_new(1, NULL);
        struct green_select_case c[] = {GREEN_CASE_GET(q)};
        size_t index = 77;

        fill(q, 1, 1);
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_select(c, 1, SOON, &index), GREEN_EKILLED);
        CHECK_INT(green_queue_qsize(q), 1);
        green_shield_begin();
        CHECK_INT(won(c, 1), 0);
        green_shield_end();
        CHECK_PTR(c[0].value, PTR(1));
        CHECK_INT(green_recover(), GREEN_EKILLED);
        free_empty(q);
}

static void
where_one_case_is_bad_nothing_is_done(void)
{
        static const double bad[] = {-1, -INFINITY, NAN};
        green_queue *q = green_queue_new(1, NULL);
        struct green_select_case c[2] = {GREEN_CASE_GET(q)};
        static const struct green_select_case wrong[] = {GREEN_CASE_GET(NULL),
                                                         GREEN_CASE_PUT(NULL, NULL),
                                                         GREEN_CASE_EVENT(NULL),
                                                         GREEN_CASE_READ(-1),
                                                         GREEN_CASE_WRITE(-5),
                                                         GREEN_CASE_ACQUIRE(NULL),
                                                         {.op = (enum green_select_op)7},
                                                         {.op = (enum green_select_op) - 1}};
        size_t index = 77;

        fill(q, 1, 1);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                c[1] = wrong[i];
                CHECK_INT(green_select(c, 2, 0, &index), -EINVAL);
                CHECK_INT(green_select(c, 2, 1, &index), -EINVAL);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK_INT(green_select(c, 1, bad[i], &index), -EINVAL);
        CHECK_INT(green_select(NULL, 1, 0, &index), -EINVAL);
        CHECK_INT(green_select(c, 1, 0, NULL), -EINVAL);
        CHECK_INT(index, 77);
        c[1] = (struct green_select_case){.op = GREEN_SELECT_NONE};
        CHECK_INT(won(c, 2), 0);
        free_empty(q);
}

struct foreign {
        green_queue *q;
        green_event *e;
        green_semaphore *s;
};

static void *
use_elsewhere(void *arg)
{
        const struct foreign *f = arg;
        green_queue *own = green_queue_new(1, NULL);
        struct green_select_case c[2] = {GREEN_CASE_GET(own)};
        const struct green_select_case foreign[] = {GREEN_CASE_GET(f->q), GREEN_CASE_PUT(f->q, NULL),
                                                    GREEN_CASE_EVENT(f->e), GREEN_CASE_ACQUIRE(f->s)};
        size_t index = 77;

        fill(own, 1, 1);
        for (int i = 0; i < 4; i++) {
                c[1] = foreign[i];
                CHECK_INT(green_select(c, 2, 0, &index), -EPERM);
                CHECK_INT(green_select(c, 2, 1, &index), -EPERM);
        }
        CHECK_INT(index, 77);
        CHECK_INT(take(own), 1);
        CHECK_INT(green_queue_free(own), 0);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
objects_of_another_os_thread_are_refused(void)
{
        struct foreign f = {green_queue_new(1, NULL), green_event_new(), green_semaphore_new(1, NULL)};
        struct log_lines lines;
        pthread_t thread;
        long balance = 0;

        fill(f.q, 1, 1);
        log_catch(&lines);
        CHECK_INT(pthread_create(&thread, NULL, use_elsewhere, &f), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        log_release();
        CHECK_INT(lines.count, 8);
        CHECK_INT(take(f.q), 1);
        CHECK_INT(green_semaphore_balance(f.s, &balance), 0);
        CHECK_INT(balance, 1);
        free_empty(f.q);
        CHECK_INT(green_event_free(f.e), 0);
        CHECK_INT(green_semaphore_free(f.s), 0);
}

struct called {
        green_queue *q;
        int fd;
        int times;
};

static void
select_in_callback(void *arg)
{
        struct called *c = arg;
        struct green_select_case cases[] = {GREEN_CASE_GET(c->q), GREEN_CASE_READ(c->fd)};
        size_t index = 77;

        CHECK_INT(green_select(cases, 2, 0, &index), -ETIMEDOUT);
        CHECK_INT(green_select(cases, 2, 1, &index), -EDEADLK);
        CHECK_INT(green_select(cases, 2, GREEN_FOREVER, &index), -EDEADLK);
        check_no_fd_waits();
        CHECK_INT(green_queue_getting(c->q), 0);
        fill(c->q, 1, 1);
        CHECK_INT(green_select(cases, 2, GREEN_FOREVER, &index), 0);
        CHECK_INT(index, 0);
        CHECK_PTR(cases[0].value, PTR(1));
        c->times++;
}

static void
in_a_callback_it_tries_and_does_not_wait(void)
{
        struct called c = {.q = green_queue_new(1, NULL)};
        int a[2];

        pair(a);
        c.fd = a[0];
        CHECK_INT(green_schedule_call_global(0, select_in_callback, &c), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(c.times, 1);
        close_pair(a);
        free_empty(c.q);
}

GREEN_SUITE(sync_select) {
        GREEN_TEST(exactly_one_of_those_that_can_be_done_is_done),
        GREEN_TEST(of_several_that_can_be_done_each_wins_in_its_turn),
        GREEN_TEST(with_a_limit_of_zero_it_tries_without_a_yield_and_looks_at_no_scope),
        GREEN_TEST(whichever_comes_first_ends_the_wait),
        GREEN_TEST(it_has_its_place_among_those_who_wait_for_each),
        GREEN_TEST(two_of_them_meet_on_a_channel),
        GREEN_TEST(one_that_puts_and_gets_does_not_meet_itself),
        GREEN_TEST(the_object_may_be_freed_when_the_case_has_won),
        GREEN_TEST(how_a_case_failed_is_its_result),
        GREEN_TEST(a_wait_needs_no_memory),
        GREEN_TEST(many_cases_are_as_few),
        GREEN_TEST(a_wait_that_fails_takes_nothing),
        GREEN_TEST(a_case_that_has_won_stays_so_when_a_kill_comes_after_it),
        GREEN_TEST(a_killed_caller_does_nothing),
        GREEN_TEST(where_one_case_is_bad_nothing_is_done),
        GREEN_TEST(objects_of_another_os_thread_are_refused),
        GREEN_TEST(in_a_callback_it_tries_and_does_not_wait),
        GREEN_SUITE_END
};
