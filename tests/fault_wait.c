/*
 * Each allocation and system call fails in its turn where green threads wait: for time, descriptors, each other. Core's
 * other half, and sync/; see fault_core.c.
 */
#include "fault.h"

#include <errno.h>
#include <stdio.h>

#include <green/sync.h>

#define SOON 5.0

/* As in fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

/* More timeouts than there are places at first. */
enum { MANY = 70 };

static int calls;

static void
call(void *arg)
{
        (void)arg;
        calls++;
}

/* ---- time */

static void *
sleep_some(void *arg)
{
        return OK(green_sleep(*(double *)arg)) ? arg : green_fail(green_last_error()->code);
}

static void
timeouts(void)
{
        const struct green_timeout_opts opts = {.size = sizeof opts, .code = -EOWNERDEAD, .silent = true};
        struct green_timeout t[MANY], one = {{0}};
        char text[64];
        int started = 0;

        if (!have_hub())
                return;
        memset(t, 0, sizeof t);
        while (started < MANY && OK(green_timeout_start(&t[started], 1000 - started)))
                started++;
        while (started > 0) {
                CHECK(green_timeout_pending(&t[started - 1]) && !green_timeout_fired(&t[started - 1]));
                CHECK_INT(green_timeout_cancel(&t[--started]), 0);
        }
        if (OK(green_timeout_start_opts(&one, 0.001, &opts))) {
                CHECK_RANGE(green_timeout_format(&one, text, sizeof text), 1, 60);
                CHECK_INT(green_sleep(SOON), -EOWNERDEAD);
                CHECK_INT(green_timeout_cancel(&one), 0);
        }
        CHECK(green_is_timeout(-ETIMEDOUT) && green_is_timeout(GREEN_ETIMEOUT));
        CHECK_INT(green_wrap_is_timeout(-EOWNERDEAD), 0);
}

static void *
sleep_past_its_limit(void *arg)
{
        (void)arg;
        return green_sleep(SOON) == GREEN_ETIMEOUT ? green_fail(GREEN_ETIMEOUT) : green_fail(-EPROTO);
}

static void
with_timeout(void)
{
        double none = 0;
        void *result;

        if (!have_hub())
                return;
        result = green_with_timeout(0.001, sleep_past_its_limit, NULL, &none);
        if (result != &none)
                (void)OK(green_failed(result));
        result = green_with_timeout(SOON, sleep_some, &none, GREEN_TIMEOUT_RAISE);
        if (result != &none)
                (void)OK(green_failed(result));
}

static void
timers(void)
{
        green_timer *t, *copy;
        int want = 0;

        calls = 0;
        if (!have_hub() || !MADE(t = green_timer_new(0.001, call, NULL)))
                return;
        if (MADE(copy = green_timer_copy(t)) && OK(green_timer_schedule_local(copy))) {
                CHECK(green_timer_pending(copy));
                CHECK_INT(green_timer_cancel(copy), 0);
                want += OK(green_timer_schedule_local(copy));
        }
        want += OK(green_timer_schedule(t));
        want += OK(green_schedule_call_global(0, call, NULL));
        want += OK(green_schedule_call_local(0, call, NULL));
        (void)OK(green_sleep(0.003));
        CHECK_INT(calls, want);
        CHECK_INT(green_timer_free(t), 0);
        CHECK_INT(green_timer_free(copy), 0);
}

/* ---- descriptors */

static void
raw_waits(void)
{
        int fds[2], rc;

        if (!have_hub())
                return;
        fault_pair(fds);
        (void)OK(green_trampoline(fds[1], GREEN_WRITE, SOON));
        fault_put(fds[1]);
        (void)OK(green_trampoline(fds[0], GREEN_READ, SOON));
        CHECK_INT(fault_get(fds[0]), 1);
        rc = green_trampoline(fds[0], GREEN_READ, 0.001);
        (void)OK(rc == -ETIMEDOUT ? 0 : rc);
        green_notify_close(fds[0]);
        green_notify_opened(fds[1]);
        fault_close(fds[0]);
        fault_close(fds[1]);
}

static void *
wait_io(void *arg)
{
        int rc = green_io_wait(arg, GREEN_READ, SOON);

        return rc == 0 ? NULL : green_fail(rc);
}

static void
registered_waits(void)
{
        struct green_iovec iov = {&calls, 1};
        struct green_op op = {.kind = GREEN_OP_READ, .iov = &iov, .iov_count = 1, .offset = -1};
        green_thread *gt;
        green_io *io;
        green_fd fd;
        int fds[2];

        if (!have_hub())
                return;
        fault_pair(fds);
        if (MADE(io = green_io_open(fds[0], GREEN_IO_KEEP_FD))) {
                CHECK_INT(green_io_fd(io), fds[0]);
                CHECK_INT(green_io_set_flags(io, GREEN_IO_SHARED, GREEN_IO_DUPED), 0);
                (void)green_io_hung_up(io);
                if (!green_io_can_submit(io))
                        CHECK_INT(green_io_submit(io, &op, SOON), -ENOTSUP);
                if (MADE(gt = green_spawn(wait_io, io))) {
                        (void)OK(green_sleep(0));
                        fault_put(fds[1]);
                        (void)OK(fault_join(gt));
                }
                CHECK_INT(green_io_detach(io, &fd), 0);
                CHECK_INT(fd, fds[0]);
                CHECK_INT(green_io_close(io), 0);
                CHECK_INT(green_io_free(io), 0);
        }
        fault_close(fds[1]);
        if (MADE(io = green_io_open(fds[0], 0)))
                (void)OK(green_io_free(io));
        else
                fault_close(fds[0]);
}

static void
seen(struct green_watch *w, int result, void *arg)
{
        CHECK(!green_watch_active(w));
        *(int *)arg = result;
        calls++;
}

static void
watches(void)
{
        struct green_watch w[3] = {{{0}}};
        int fds[2], result[3] = {0}, want = 0;
        green_io *io;

        calls = 0;
        if (!have_hub())
                return;
        fault_pair(fds);
        for (int i = 0; i < 3; i++)
                green_watch_init(&w[i], seen, &result[i]);
        want += OK(green_watch_start(&w[0], fds[1], GREEN_WRITE, SOON));
        want += OK(green_watch_start(&w[1], GREEN_INVALID_FD, 0, 0.001));
        io = green_io_open(fds[0], GREEN_IO_KEEP_FD);
        if (MADE(io)) {
                if (OK(green_watch_start_io(&w[2], io, GREEN_READ, SOON)))
                        CHECK(green_watch_active(&w[2]) && green_watch_stop(&w[2]));
                want += OK(green_watch_start_io(&w[2], io, GREEN_READ, SOON));
                fault_put(fds[1]);
        }
        for (int i = 0; i < 1000 && calls < want && green_sleep(0.001) == 0; i++)
                ;
        CHECK_INT(calls, want);
        for (int i = 0; i < 3; i++)
                (void)OK(result[i] == -ETIMEDOUT ? 0 : result[i]);
        CHECK_INT(green_io_free(io), 0);
        fault_close(fds[0]);
        fault_close(fds[1]);
}

/* ---- waiting and waking */

struct parker {
        struct green_waitq q[2];
        int rc;
        size_t which;
};

static void *
park(void *arg)
{
        struct parker *p = arg;
        struct green_wait w = {0};

        p->rc = green_park(&p->q[0], &w, SOON);
        return NULL;
}

static void *
park_any(void *arg)
{
        struct parker *p = arg;
        struct green_wait w[2] = {{.queue = &p->q[0]}, {.queue = &p->q[1]}};

        p->rc = green_park_any(w, 2, SOON, &p->which);
        return NULL;
}

static void
parking(void)
{
        struct parker p = {.rc = 1}, any = {.rc = 1};
        green_thread *gt[2];
        struct green_post_node node;
        green_waker *waker;
        green_hub *hub;
        int want = 0;

        calls = 0;
        if (!have_hub())
                return;
        if (MADE(gt[0] = green_spawn(park, &p))) {
                CHECK_INT(green_sleep(0), 0);
                CHECK(green_wake_one(&p.q[0], NULL));
                CHECK(OK(fault_join(gt[0])) && p.rc == 0);
        }
        if (MADE(gt[1] = green_spawn(park_any, &any))) {
                CHECK_INT(green_sleep(0), 0);
                green_wake(green_waitq_first(&any.q[1]), 0);
                CHECK(OK(fault_join(gt[1])) && any.rc == 0 && any.which == 1);
        }
        CHECK_INT(green_wake_all(&any.q[0], 0), 0);
        CHECK_INT(green_park_check(green_hub_ident(), "a queue", SOON, NULL), 0);
        if (MADE(waker = green_waker_new())) {
                CHECK_INT(green_wake_mt(waker), 0);
                CHECK_INT(green_waker_wait(waker, SOON), 0);
                CHECK_INT(green_waker_free(waker), 0);
        }
        hub = green_get_hub();
        want += OK(green_hub_post(hub, call, NULL));
        CHECK_INT(green_hub_post_node(hub, &node, call, NULL), 0);
        want++;
        (void)OK(green_sleep(0.001));
        CHECK_INT(calls, want);
}

static void *
send_event(void *arg)
{
        CHECK_INT(green_event_send(arg, &calls), 0);
        return NULL;
}

static void
events(void)
{
        green_event *e;
        void *value = NULL;

        if (!have_hub() || !MADE(e = green_event_new()))
                return;
        if (OK(green_spawn_n(send_event, e))) {
                CHECK(!green_event_ready(e));
                CHECK(OK(green_event_wait(e, &value, SOON)) && value == &calls);
                CHECK(green_event_has_result(e) && !green_event_has_exception(e));
                CHECK_INT(green_event_reset(e), 0);
        }
        CHECK_INT(green_event_send_exception(e, -EXDEV), 0);
        CHECK_INT(green_event_wait(e, NULL, SOON), -EXDEV);
        CHECK_INT(green_event_poll(e, NULL), -EXDEV);
        CHECK_INT(green_event_poll_result(e, NULL), -ETIMEDOUT);
        CHECK_INT(green_event_poll_exception(e), -EXDEV);
        CHECK_INT(green_event_reset(e), 0);
        if (OK(green_event_send_mt(e, &calls))) {
                CHECK_INT(green_event_send(e, NULL), -EALREADY);
                CHECK(OK(green_event_wait(e, &value, SOON)) && value == &calls);
                CHECK_INT(green_event_reset(e), 0);
        }
        /* On its way or not, it may be freed, and that cannot fail for lack of memory. */
        (void)OK(green_event_send_exception_mt(e, -EXDEV));
        fault_pause();
        CHECK_INT(green_event_free(e), 0);
        fault_resume();
        (void)OK(green_sleep(0.001));
}

/* ---- semaphores, locks and their like */

/* What a green thread waits for, and how that ended. */
struct taker {
        void *object;
        green_lock *lock;
        int rc;
};

static void *
take_permit(void *arg)
{
        struct taker *t = arg;

        t->rc = green_semaphore_acquire(t->object, SOON);
        return NULL;
}

static void
semaphores(void)
{
        const struct green_semaphore_opts opts = {.size = sizeof opts, .kind = GREEN_SEMAPHORE_CAPPED, .limit = 1};
        struct taker t = {.rc = 1};
        green_semaphore *s, *capped;
        green_thread *gt;
        char text[64];
        long n = 0;

        if (!have_hub())
                return;
        if (MADE(s = green_semaphore_new(0, NULL))) {
                t.object = s;
                if (MADE(gt = green_spawn(take_permit, &t))) {
                        (void)OK(green_sleep(0));
                        CHECK(green_semaphore_locked(s));
                        CHECK_INT(green_semaphore_release(s), 0);
                        CHECK(OK(fault_join(gt)) && t.rc == 0);
                }
                CHECK_INT(green_semaphore_balance(s, &n), 0);
                CHECK_RANGE(green_semaphore_format(s, text, sizeof text), 10, 60);
                CHECK_INT(green_semaphore_free(s), 0);
        }
        if (MADE(capped = green_semaphore_new(1, &opts))) {
                CHECK(green_semaphore_bounded(capped));
                CHECK_INT(green_semaphore_release_timeout(capped, 0), -ETIMEDOUT);
                CHECK_INT(green_semaphore_acquire(capped, SOON), 0);
                CHECK_INT(green_semaphore_release(capped), 0);
                CHECK_INT(green_semaphore_free(capped), 0);
        }
}

static void *
take_lock(void *arg)
{
        struct taker *t = arg;

        t->rc = green_lock_acquire(t->object, SOON);
        if (t->rc == 0)
                CHECK_INT(green_lock_release(t->object), 0);
        return NULL;
}

static void
locks(void)
{
        struct taker t = {.rc = 1};
        green_thread *gt;
        green_lock *l;

        if (!have_hub() || !MADE(l = green_lock_new()))
                return;
        CHECK_INT(green_lock_acquire(l, SOON), 0);
        t.object = l;
        gt = green_spawn(take_lock, &t);
        if (MADE(gt))
                (void)OK(green_sleep(0));
        CHECK(green_lock_locked(l));
        CHECK_INT(green_lock_release(l), 0);
        if (gt != NULL)
                CHECK(OK(fault_join(gt)) && t.rc == 0);
        CHECK_INT(green_lock_free(l), 0);
}

static void *
wait_told(void *arg)
{
        struct taker *t = arg;

        CHECK_INT(green_lock_acquire(t->lock, SOON), 0);
        t->rc = green_cond_wait(t->object, t->lock, SOON);
        CHECK_INT(green_lock_release(t->lock), 0);
        return NULL;
}

static void
conds(void)
{
        struct taker t = {.rc = 1};
        green_thread *gt;
        green_cond *c;

        if (!have_hub() || !MADE(t.lock = green_lock_new()))
                return;
        if (MADE(c = green_cond_new())) {
                t.object = c;
                for (int all = 0; all < 2; all++) {
                        if (!MADE(gt = green_spawn(wait_told, &t)))
                                continue;
                        (void)OK(green_sleep(0));
                        CHECK_INT(all ? green_cond_broadcast(c) : green_cond_signal(c), 1);
                        CHECK(OK(fault_join(gt)) && t.rc == 0);
                }
                CHECK_INT(green_cond_free(c), 0);
        }
        CHECK_INT(green_lock_free(t.lock), 0);
}

static void *
write_locked(void *arg)
{
        struct taker *t = arg;

        t->rc = green_rwlock_acquire_write(t->object, SOON);
        if (t->rc == 0)
                CHECK_INT(green_rwlock_release(t->object), 0);
        return NULL;
}

static void
rwlocks(void)
{
        struct taker t = {.rc = 1};
        long readers = 0;
        green_thread *gt;
        green_rwlock *l;

        if (!have_hub() || !MADE(l = green_rwlock_new()))
                return;
        CHECK_INT(green_rwlock_acquire_read(l, SOON), 0);
        CHECK_INT(green_rwlock_holders(l, &readers), 0);
        CHECK_INT(readers, 1);
        t.object = l;
        gt = green_spawn(write_locked, &t);
        if (MADE(gt))
                (void)OK(green_sleep(0));
        CHECK_INT(green_rwlock_release(l), 0);
        if (gt != NULL)
                CHECK(OK(fault_join(gt)) && t.rc == 0);
        CHECK_INT(green_rwlock_free(l), 0);
}

static void *
come(void *arg)
{
        struct taker *t = arg;

        t->rc = green_barrier_wait(t->object, SOON);
        return NULL;
}

static void *
wait_for_zero(void *arg)
{
        struct taker *t = arg;

        t->rc = green_metaphore_wait(t->object, SOON);
        return NULL;
}

static void
barriers_and_metaphores(void)
{
        struct taker t = {.rc = 1};
        green_metaphore *m;
        green_barrier *b;
        green_thread *gt;

        if (!have_hub())
                return;
        if (MADE(b = green_barrier_new(2))) {
                t.object = b;
                if (MADE(gt = green_spawn(come, &t))) {
                        (void)OK(green_sleep(0));
                        CHECK_INT(green_barrier_waiting(b), 1);
                        CHECK_INT(green_barrier_wait(b, SOON), 1);
                        CHECK(OK(fault_join(gt)) && t.rc == 0);
                }
                CHECK_INT(green_barrier_free(b), 0);
        }
        if (MADE(m = green_metaphore_new())) {
                t.object = m;
                CHECK_INT(green_metaphore_inc(m, 1), 0);
                CHECK_INT(green_metaphore_count(m), 1);
                if (MADE(gt = green_spawn(wait_for_zero, &t))) {
                        (void)OK(green_sleep(0));
                        CHECK_INT(green_metaphore_dec(m, 1), 0);
                        CHECK(OK(fault_join(gt)) && t.rc == 0);
                }
                CHECK_INT(green_metaphore_free(m), 0);
        }
}

/* ---- the scenarios, in alphabetical order */

#define SCENARIOS(X)                                                                                                   \
        X(barriers_and_metaphores, ALTSTACK, FEWER)                                                                    \
        X(conds, ALTSTACK, FEWER)                                                                                      \
        X(events, ALTSTACK, FEWER)                                                                                     \
        X(locks, ALTSTACK, FEWER)                                                                                      \
        X(parking, ALTSTACK, FEWER)                                                                                    \
        X(raw_waits, ALTSTACK, FEWER)                                                                                  \
        X(registered_waits, ALTSTACK, FEWER)                                                                           \
        X(rwlocks, ALTSTACK, FEWER)                                                                                    \
        X(semaphores, ALTSTACK, FEWER)                                                                                 \
        X(timeouts, ALTSTACK, FEWER)                                                                                   \
        X(timers, ALTSTACK, FEWER)                                                                                     \
        X(watches, ALTSTACK, FEWER)                                                                                    \
        X(with_timeout, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
a_program_that_is_stopped_and_continued_goes_on(void)
{
        fault_stopped(&scenario_timers, 0.3);
        fault_stopped(&scenario_raw_waits, 0.3);
}

GREEN_SUITE(fault_wait) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_TEST(a_program_that_is_stopped_and_continued_goes_on, .limit = 60),
        GREEN_SUITE_END
};
