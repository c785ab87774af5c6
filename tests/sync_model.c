/*
 * Each primitive against a model of it, at random: see model.h.
 */
#include "model.h"

#include <limits.h>

GREEN_SUITE_INIT(help_init)

/* ---- events */

enum { EVENT_WAIT, EVENT_SEND, EVENT_FAIL, EVENT_RESET, EVENT_POLL };

static const char *const event_ops[] = {"wait", "send", "send_exception", "reset", "poll"};

struct event_state {
        struct model_queue waiters;
        bool sent;
        int code;
        void *value;
};

static void
event_choose(struct model *m, struct model_actor *a)
{
        static const int ops[] = {EVENT_WAIT, EVENT_WAIT,  EVENT_WAIT,  EVENT_WAIT, EVENT_SEND,
                                  EVENT_FAIL, EVENT_RESET, EVENT_RESET, EVENT_POLL};

        a->op = ops[model_below(m, 9)];
        a->arg = 1 + (long)model_below(m, 1000);
        if (a->op != EVENT_WAIT)
                a->ticks = 0;
}

static int
event_perform(struct model *m, struct model_actor *a)
{
        switch (a->op) {
        case EVENT_WAIT:
                return green_event_wait(m->object, &a->got, model_limit(a));
        case EVENT_SEND:
                return green_event_send(m->object, PTR(a->arg));
        case EVENT_FAIL:
                return green_event_send_exception(m->object, -2000 - (int)a->arg);
        case EVENT_RESET:
                return green_event_reset(m->object);
        default:
                return green_event_poll(m->object, &a->got);
        }
}

static void
event_send(struct model *m, struct event_state *e, int code, void *value)
{
        struct model_actor *w;

        e->sent = true;
        e->code = code;
        e->value = value;
        while ((w = model_first(&e->waiters)) != NULL) {
                w->want_value = value;
                model_wake(m, w, code);
        }
}

static void
event_apply(struct model *m, struct model_actor *a)
{
        struct event_state *e = m->state;

        switch (a->op) {
        case EVENT_WAIT:
        case EVENT_POLL:
                a->want_value = e->value;
                if (e->sent)
                        model_done(a, e->code);
                else
                        model_wait(a, &e->waiters);
                break;
        case EVENT_SEND:
        case EVENT_FAIL:
                model_done(a, e->sent ? -EALREADY : 0);
                if (!e->sent)
                        event_send(m, e, a->op == EVENT_SEND ? 0 : -2000 - (int)a->arg,
                                   a->op == EVENT_SEND ? PTR(a->arg) : NULL);
                break;
        default:
                model_done(a, e->sent ? 0 : -EINVAL);
                e->sent = false;
                e->value = NULL;
        }
}

static void
event_check(struct model *m)
{
        const struct event_state *e = m->state;

        CHECK_INT(green_event_ready(m->object), e->sent);
        CHECK_INT(green_event_has_result(m->object), e->sent && e->code == 0);
        CHECK_INT(green_event_has_exception(m->object), e->sent && e->code != 0);
}

static void
events_do_what_their_model_does(void)
{
        static const struct model_spec spec = {.name = "event",
                                               .ops = event_ops,
                                               .choose = event_choose,
                                               .perform = event_perform,
                                               .apply = event_apply,
                                               .check = event_check};
        struct event_state state = {.sent = false};
        green_event *e = green_event_new();

        model_run(&spec, e, &state);
        CHECK_INT(green_event_free(e), 0);
}

/* ---- semaphores */

enum { SEM_ACQUIRE, SEM_RELEASE, SEM_RELEASE_TIMEOUT };

static const char *const sem_ops[] = {"acquire", "release", "release_timeout"};

struct sem_state {
        struct model_queue takers, givers;
        enum green_semaphore_kind kind;
        long count, limit;
};

static void
sem_choose(struct model *m, struct model_actor *a)
{
        const struct sem_state *s = m->state;

        a->op = model_chance(m, 55) ? SEM_ACQUIRE : SEM_RELEASE + (int)model_below(m, 2);
        if (a->op != SEM_ACQUIRE && s->kind != GREEN_SEMAPHORE_CAPPED)
                a->ticks = 0;
        else if (a->op == SEM_RELEASE && !a->scope)
                a->ticks = -1;
}

static int
sem_perform(struct model *m, struct model_actor *a)
{
        switch (a->op) {
        case SEM_ACQUIRE:
                return green_semaphore_acquire(m->object, model_limit(a));
        case SEM_RELEASE:
                return green_semaphore_release(m->object);
        default:
                return green_semaphore_release_timeout(m->object, model_limit(a));
        }
}

static void
sem_apply(struct model *m, struct model_actor *a)
{
        struct sem_state *s = m->state;
        bool takes = a->op == SEM_ACQUIRE;
        struct model_queue *others = takes ? &s->givers : &s->takers;

        if (!takes && s->kind == GREEN_SEMAPHORE_BOUNDED && s->count == s->limit) {
                model_done(a, -EOVERFLOW);
        } else if (model_first(others) != NULL) {
                model_wake(m, model_first(others), 0);
                model_done(a, 0);
        } else if (takes ? s->count > 0 : s->count < s->limit) {
                s->count += takes ? -1 : 1;
                model_done(a, 0);
        } else {
                model_wait(a, takes ? &s->takers : &s->givers);
        }
}

static void
sem_check(struct model *m)
{
        const struct sem_state *s = m->state;
        long balance;

        CHECK_INT(green_semaphore_balance(m->object, &balance), 0);
        CHECK_INT(balance, s->count - (long)s->takers.n + (long)s->givers.n);
        CHECK_INT(green_semaphore_locked(m->object), s->count == 0 && s->givers.n == 0);
        CHECK_INT(green_semaphore_bounded(m->object),
                  s->kind == GREEN_SEMAPHORE_CAPPED && s->count == s->limit && s->takers.n == 0);
}

static void
run_semaphore(const char *name, enum green_semaphore_kind kind, long value, long limit)
{
        const struct model_spec spec = {.name = name,
                                        .ops = sem_ops,
                                        .choose = sem_choose,
                                        .perform = sem_perform,
                                        .apply = sem_apply,
                                        .check = sem_check};
        const struct green_semaphore_opts opts = {.size = sizeof(opts), .kind = kind, .limit = limit};
        struct sem_state state = {.kind = kind, .count = value};
        green_semaphore *s = green_semaphore_new(value, &opts);

        state.limit = kind == GREEN_SEMAPHORE_PLAIN ? LONG_MAX : kind == GREEN_SEMAPHORE_BOUNDED ? value : limit;
        model_run(&spec, s, &state);
        CHECK_INT(green_semaphore_free(s), 0);
}

static void
semaphores_of_each_kind_do_what_their_model_does(void)
{
        GREEN_COVERS("SEM-02", "SEM-03", "SEM-04", "SEM-08", "SEM-09", "SEM-12", "SEM-13", "SEM-14", "SEM-15");
        run_semaphore("plain semaphore", GREEN_SEMAPHORE_PLAIN, 2, 0);
        run_semaphore("bounded semaphore", GREEN_SEMAPHORE_BOUNDED, 2, 0);
        run_semaphore("capped semaphore", GREEN_SEMAPHORE_CAPPED, 1, 2);
        run_semaphore("rendezvous", GREEN_SEMAPHORE_CAPPED, 0, 0);
}

/* ---- locks and condition variables */

enum { LOCK_ACQUIRE, LOCK_RELEASE, COND_WAIT, COND_SIGNAL, COND_BROADCAST };

static const char *const lock_ops[] = {"acquire", "release", "cond_wait", "cond_signal", "cond_broadcast"};

struct lock_object {
        green_lock *lock;
        green_cond *cond;
};

struct lock_state {
        struct model_queue lockers, waiters;
        bool locked;
};

/* note: of one in green_cond_wait(), whether it has to take the lock again yet. */
enum { COND_WAITS = 1, COND_RELOCKS };

static void
lock_choose(struct model *m, struct model_actor *a)
{
        static const int ops[] = {LOCK_ACQUIRE, LOCK_ACQUIRE, LOCK_ACQUIRE, LOCK_RELEASE, LOCK_RELEASE, LOCK_RELEASE,
                                  COND_WAIT,    COND_WAIT,    COND_WAIT,    COND_SIGNAL,  COND_SIGNAL,  COND_BROADCAST};
        const struct lock_state *s = m->state;

        a->op = ops[model_below(m, 12)];
        a->note = 0;
        if (a->op == COND_WAIT && !s->locked)
                a->op = LOCK_ACQUIRE;
        if (a->op != LOCK_ACQUIRE && a->op != COND_WAIT)
                a->ticks = 0;
}

static int
lock_perform(struct model *m, struct model_actor *a)
{
        const struct lock_object *o = m->object;

        switch (a->op) {
        case LOCK_ACQUIRE:
                return green_lock_acquire(o->lock, model_limit(a));
        case LOCK_RELEASE:
                return green_lock_release(o->lock);
        case COND_WAIT:
                return green_cond_wait(o->cond, o->lock, model_limit(a));
        case COND_SIGNAL:
                return green_cond_signal(o->cond);
        default:
                return green_cond_broadcast(o->cond);
        }
}

/* The next that wants the lock has it. One that was told, or gave up, returns what it would have without the lock. */
static void
lock_give(struct model *m, struct lock_state *s)
{
        struct model_actor *next = model_first(&s->lockers);

        s->locked = next != NULL;
        if (next != NULL)
                model_wake(m, next, next->op == COND_WAIT ? next->want : 0);
}

static void
cond_tell(struct model *m, struct lock_state *s, struct model_actor *a)
{
        int n = 0;

        while (model_first(&s->waiters) != NULL && (n == 0 || a->op == COND_BROADCAST)) {
                model_wake(m, model_first(&s->waiters), 0);
                n++;
        }
        model_done(a, n);
}

static void
lock_apply(struct model *m, struct model_actor *a)
{
        struct lock_state *s = m->state;

        switch (a->op) {
        case LOCK_ACQUIRE:
                if (s->locked) {
                        model_wait(a, &s->lockers);
                } else {
                        s->locked = true;
                        model_done(a, 0);
                }
                break;
        case LOCK_RELEASE:
                model_done(a, s->locked ? 0 : -EALREADY);
                lock_give(m, s);
                break;
        case COND_WAIT:
                if (a->ticks != 0)
                        lock_give(m, s);
                a->note = COND_WAITS;
                model_wait(a, &s->waiters);
                break;
        default:
                cond_tell(m, s, a);
        }
}

/* Whatever ended its wait, it takes the lock in its turn, and then no kill and no limit counts. */
static void
lock_resume(struct model *m, struct model_actor *a)
{
        struct lock_state *s = m->state;

        if (a->op != COND_WAIT || a->note != COND_WAITS)
                return;
        a->note = COND_RELOCKS;
        if (!s->locked) {
                s->locked = true;
                return;
        }
        a->known = false;
        a->shielded = true;
        a->queue = &s->lockers;
        model_push(&s->lockers, a);
}

static void
lock_check(struct model *m)
{
        const struct lock_object *o = m->object;
        const struct lock_state *s = m->state;

        CHECK_INT(green_lock_locked(o->lock), s->locked);
}

static void
lock_drain(struct model *m)
{
        const struct lock_object *o = m->object;
        struct lock_state *s = m->state;

        while (s->locked && !model_failed(m)) {
                CHECK_INT(green_lock_release(o->lock), 0);
                lock_give(m, s);
                model_settle(m);
        }
}

static void
locks_and_condition_variables_do_what_their_model_does(void)
{
        static const struct model_spec spec = {.name = "lock and condition variable",
                                               .ops = lock_ops,
                                               .choose = lock_choose,
                                               .perform = lock_perform,
                                               .apply = lock_apply,
                                               .resume = lock_resume,
                                               .check = lock_check,
                                               .drain = lock_drain};
        struct lock_object o = {green_lock_new(), green_cond_new()};
        struct lock_state state = {.locked = false};

        GREEN_COVERS("LOCK-01", "LOCK-02");
        model_run(&spec, &o, &state);
        CHECK_INT(green_cond_free(o.cond), 0);
        CHECK_INT(green_lock_free(o.lock), 0);
}

/* ---- read-write locks */

enum { RW_READ, RW_WRITE, RW_RELEASE };

static const char *const rw_ops[] = {"acquire_read", "acquire_write", "release"};

struct rw_state {
        struct model_queue waiters;
        long readers; /* -1: a writer */
};

static void
rw_choose(struct model *m, struct model_actor *a)
{
        static const int ops[] = {RW_READ,    RW_READ,    RW_READ,    RW_WRITE,  RW_WRITE,
                                  RW_RELEASE, RW_RELEASE, RW_RELEASE, RW_RELEASE};

        a->op = ops[model_below(m, 9)];
        if (a->op == RW_RELEASE)
                a->ticks = 0;
}

static int
rw_perform(struct model *m, struct model_actor *a)
{
        switch (a->op) {
        case RW_READ:
                return green_rwlock_acquire_read(m->object, model_limit(a));
        case RW_WRITE:
                return green_rwlock_acquire_write(m->object, model_limit(a));
        default:
                return green_rwlock_release(m->object);
        }
}

static bool
rw_may_enter(const struct rw_state *s, const struct model_actor *a)
{
        return a->op == RW_READ ? s->readers >= 0 : s->readers == 0;
}

static void
rw_enter(struct rw_state *s, const struct model_actor *a)
{
        s->readers = a->op == RW_READ ? s->readers + 1 : -1;
}

static void
rw_let_in(struct model *m, struct rw_state *s)
{
        struct model_actor *a;

        while ((a = model_first(&s->waiters)) != NULL && rw_may_enter(s, a)) {
                rw_enter(s, a);
                model_wake(m, a, 0);
        }
}

static void
rw_apply(struct model *m, struct model_actor *a)
{
        struct rw_state *s = m->state;

        if (a->op == RW_RELEASE) {
                model_done(a, s->readers == 0 ? -EALREADY : 0);
                s->readers = s->readers > 0 ? s->readers - 1 : 0;
                rw_let_in(m, s);
        } else if (model_first(&s->waiters) == NULL && rw_may_enter(s, a)) {
                rw_enter(s, a);
                model_done(a, 0);
        } else {
                model_wait(a, &s->waiters);
        }
}

/* One that gave up may have kept others back. */
static void
rw_resume(struct model *m, struct model_actor *a)
{
        if (a->want != 0)
                rw_let_in(m, m->state);
}

static void
rw_check(struct model *m)
{
        const struct rw_state *s = m->state;
        long readers = 0;

        CHECK_INT(green_rwlock_holders(m->object, &readers), 0);
        CHECK_INT(readers, s->readers);
}

static void
read_write_locks_do_what_their_model_does(void)
{
        static const struct model_spec spec = {.name = "read-write lock",
                                               .ops = rw_ops,
                                               .choose = rw_choose,
                                               .perform = rw_perform,
                                               .apply = rw_apply,
                                               .resume = rw_resume,
                                               .check = rw_check};
        struct rw_state state = {.readers = 0};
        green_rwlock *l = green_rwlock_new();

        model_run(&spec, l, &state);
        CHECK_INT(green_rwlock_free(l), 0);
}

/* ---- barriers */

static const char *const barrier_ops[] = {"wait"};

struct barrier_state {
        struct model_queue waiters;
        size_t parties;
};

static void
barrier_choose(struct model *m, struct model_actor *a)
{
        (void)m;
        a->op = 0;
}

static int
barrier_perform(struct model *m, struct model_actor *a)
{
        return green_barrier_wait(m->object, model_limit(a));
}

static void
barrier_apply(struct model *m, struct model_actor *a)
{
        struct barrier_state *s = m->state;

        if (s->waiters.n + 1 < s->parties) {
                model_wait(a, &s->waiters);
                return;
        }
        while (model_first(&s->waiters) != NULL)
                model_wake(m, model_first(&s->waiters), 0);
        model_done(a, 1);
}

static void
barrier_check(struct model *m)
{
        const struct barrier_state *s = m->state;

        CHECK_INT(green_barrier_waiting(m->object), s->waiters.n);
}

static void
barriers_do_what_their_model_does(void)
{
        static const struct model_spec spec = {.name = "barrier",
                                               .ops = barrier_ops,
                                               .choose = barrier_choose,
                                               .perform = barrier_perform,
                                               .apply = barrier_apply,
                                               .check = barrier_check};

        for (size_t parties = 1; parties <= MODEL_ACTORS / 2; parties++) {
                struct barrier_state state = {.parties = parties};
                green_barrier *b = green_barrier_new(parties);

                model_run(&spec, b, &state);
                CHECK_INT(green_barrier_free(b), 0);
        }
}

/* ---- metaphores */

enum { META_INC, META_DEC, META_WAIT };

static const char *const meta_ops[] = {"inc", "dec", "wait"};

struct meta_state {
        struct model_queue waiters;
        long count;
};

static void
meta_choose(struct model *m, struct model_actor *a)
{
        a->op = (int)model_below(m, 3);
        a->arg = (long)model_below(m, 4);
        if (a->op != META_WAIT)
                a->ticks = 0;
}

static int
meta_perform(struct model *m, struct model_actor *a)
{
        switch (a->op) {
        case META_INC:
                return green_metaphore_inc(m->object, a->arg);
        case META_DEC:
                return green_metaphore_dec(m->object, a->arg);
        default:
                return green_metaphore_wait(m->object, model_limit(a));
        }
}

static void
meta_apply(struct model *m, struct model_actor *a)
{
        struct meta_state *s = m->state;

        if (a->op == META_WAIT) {
                if (s->count == 0)
                        model_done(a, 0);
                else
                        model_wait(a, &s->waiters);
                return;
        }
        model_done(a, a->arg < 1 ? -EINVAL : 0);
        s->count += a->op == META_INC ? a->arg : -a->arg;
        if (s->count < 0)
                s->count = 0;
        while (s->count == 0 && model_first(&s->waiters) != NULL)
                model_wake(m, model_first(&s->waiters), 0);
}

static void
meta_check(struct model *m)
{
        const struct meta_state *s = m->state;

        CHECK_INT(green_metaphore_count(m->object), s->count);
}

static void
metaphores_do_what_their_model_does(void)
{
        static const struct model_spec spec = {.name = "metaphore",
                                               .ops = meta_ops,
                                               .choose = meta_choose,
                                               .perform = meta_perform,
                                               .apply = meta_apply,
                                               .check = meta_check};
        struct meta_state state = {.count = 0};
        green_metaphore *m = green_metaphore_new();

        GREEN_COVERS("META-01", "META-02", "META-03", "META-04");
        model_run(&spec, m, &state);
        CHECK_INT(green_metaphore_free(m), 0);
}

GREEN_SUITE(sync_model) {
        GREEN_TEST(events_do_what_their_model_does, .limit = 120),
        GREEN_TEST(semaphores_of_each_kind_do_what_their_model_does, .limit = 120),
        GREEN_TEST(locks_and_condition_variables_do_what_their_model_does, .limit = 120),
        GREEN_TEST(read_write_locks_do_what_their_model_does, .limit = 120),
        GREEN_TEST(barriers_do_what_their_model_does, .limit = 120),
        GREEN_TEST(metaphores_do_what_their_model_does, .limit = 120),
        GREEN_SUITE_END
};
