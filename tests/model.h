/**
 * @file
 * @brief Random tests of a primitive against a sequential model of it, with kills and time limits at every wait.
 *
 * A few green threads, the *actors*, do operations on one object, each when the driver (the main green thread) says so,
 * and one at a time: so the order of all operations is known, and the model is told the same in the same order. The
 * driver also kills actors, between wake-up and run too, and lets time pass, which here does not pass by itself. For
 * each call the model says what it must return, and when: a call that returns too early, too late, or something else is
 * a failed check, with the last operations printed.
 *
 * A test fills in a struct model_spec and calls model_run(). In its functions:
 *
 *     choose   sets a->op and what goes with it (a->arg, a->value); limits and shields are there already and may be
 *              changed: an operation that never yields, and so looks at no scope, has 0 ticks
 *     perform  does the operation for real, with model_limit() as its time limit; it returns the code, and sets a->got
 *     apply    the same in the model: model_done(), or model_wait() where it must wait. What it does for others that
 *              wait: model_wake(). Not called where the call fails on entry, because its caller was killed
 *     leave    a waiting actor has been killed or its time is over; it is off its queue (NULL: nothing else to do)
 *     resume   an actor whose wait has ended runs again (NULL: it returns from its call)
 *     check    compares what the object tells of itself with the model
 *     drain    at the end: lets those go that still wait, which have neither limit nor can they be killed
 *
 * Environment: GREEN_TEST_SEED repeats a run; the seed is printed. GREEN_TEST_STEPS is the number of steps of each run.
 */
#ifndef GREEN_TESTS_MODEL_H
#define GREEN_TESTS_MODEL_H

#include "core_help.h"

#include <green/sync.h>

#include <stdarg.h>
#include <unistd.h>

enum { MODEL_ACTORS = 8, MODEL_HISTORY = 32, MODEL_TURNS = 1000 };

/** The time at which nothing is over. */
#define MODEL_NEVER INT64_MAX

struct model;
struct model_queue;

struct model_actor {
        unsigned index;
        green_thread *thread;
        struct green_waitq bell; /**< where it waits for its next operation */

        /** @name The operation: set before choose(), which may change it @{ */
        int op;        /**< the spec's own, 0 or more */
        long arg;      /**< the spec's own */
        void *value;   /**< the spec's own: what goes in */
        int ticks;     /**< time limit; 0 tries, -1 is none */
        bool scope;    /**< the limit is a timeout around the call, not the call's own */
        bool shielded; /**< under a shield */
        int late; /**< what the call returns when its own limit is over; -ETIMEDOUT unless choose() says otherwise */
        /** @} */

        /** @name What it really did @{ */
        bool done;
        int rc;
        void *got; /**< what came out */
        /** @} */

        /** @name What the model says @{ */
        bool busy;                 /**< has an operation that it has not reported */
        bool known;                /**< what it must report is known */
        int want;                  /**< the code */
        void *want_value;          /**< what must come out, where the code is not negative; NULL: not looked at */
        struct model_queue *queue; /**< where it waits */
        int64_t deadline;          /**< when it gives up, in ticks */
        uint64_t serial;           /**< of the operation: the order of equal deadlines */
        int kill;                  /**< code of a kill that no call has returned; 0: none */
        long note;                 /**< the spec's own */
        /** @} */
};

/** Actors in an order. */
struct model_queue {
        struct model_actor *actors[2 * MODEL_ACTORS];
        size_t n;
};

struct model_spec {
        const char *name;
        const char *const *ops; /**< names of the operations, for the history */
        void (*choose)(struct model *m, struct model_actor *a);
        int (*perform)(struct model *m, struct model_actor *a);
        void (*apply)(struct model *m, struct model_actor *a);
        void (*leave)(struct model *m, struct model_actor *a);
        void (*resume)(struct model *m, struct model_actor *a);
        void (*check)(struct model *m);
        void (*drain)(struct model *m);
};

struct model {
        const struct model_spec *spec;
        void *object;  /**< the real one */
        void *state;   /**< the model's */
        uint64_t seed; /**< printed */
        uint64_t state_of_random;
        int64_t now;     /**< ticks */
        uint64_t issued; /**< operations so far */
        unsigned failures;
        struct model_actor actors[MODEL_ACTORS];
        struct model_queue woken; /**< their wait has ended, and they have not run since */
        char history[MODEL_HISTORY][96];
        unsigned written;
};

/* ---- chance */

static inline uint64_t
model_random(struct model *m)
{
        uint64_t x = m->state_of_random += 0x9e3779b97f4a7c15u;

        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
}

/** 0 to n - 1. */
static inline unsigned
model_below(struct model *m, unsigned n)
{
        return (unsigned)(model_random(m) % n);
}

/** So many times of a hundred. */
static inline bool
model_chance(struct model *m, unsigned percent)
{
        return model_below(m, 100) < percent;
}

static inline uint64_t
model_seed(void)
{
        const char *given = getenv("GREEN_TEST_SEED");
        struct timespec t;

        if (given != NULL && *given != '\0')
                return strtoull(given, NULL, 0);
        clock_gettime(CLOCK_MONOTONIC, &t);
        return ((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec) ^ ((uint64_t)getpid() << 40);
}

/* ---- what has happened, for the report of a failure */

static inline void __attribute__((format(printf, 2, 3))) model_note(struct model *m, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vsnprintf(m->history[m->written++ % MODEL_HISTORY], sizeof(m->history[0]), format, args);
        va_end(args);
}

/** Did a check fail since the run began? Then what has happened before is printed, once. */
static inline bool
model_failed(struct model *m)
{
        if (suite_failures() == m->failures)
                return false;
        if (m->failures != UINT32_MAX) {
                fprintf(stderr, "%s: GREEN_TEST_SEED=%llu repeats it; the last steps:\n", m->spec->name,
                        (unsigned long long)m->seed);
                for (unsigned i = m->written > MODEL_HISTORY ? m->written - MODEL_HISTORY : 0; i < m->written; i++)
                        fprintf(stderr, "  %u: %s\n", i, m->history[i % MODEL_HISTORY]);
        }
        m->failures = UINT32_MAX;
        return true;
}

/* ---- for models */

static inline void
model_push(struct model_queue *q, struct model_actor *a)
{
        q->actors[q->n++] = a;
}

static inline void
model_remove(struct model_queue *q, const struct model_actor *a)
{
        size_t i = 0;

        while (i < q->n && q->actors[i] != a)
                i++;
        if (i == q->n)
                return;
        q->n--;
        memmove(&q->actors[i], &q->actors[i + 1], (q->n - i) * sizeof(q->actors[0]));
}

static inline struct model_actor *
model_first(const struct model_queue *q)
{
        return q->n == 0 ? NULL : q->actors[0];
}

/** The call returns this, without a wait. */
static inline void
model_done(struct model_actor *a, int rc)
{
        a->known = true;
        a->want = rc;
}

/** The call waits, last in a queue; or fails at once if its limit is 0. */
static inline void
model_wait(struct model_actor *a, struct model_queue *q)
{
        if (a->ticks == 0) {
                model_done(a, a->late);
                return;
        }
        a->queue = q;
        model_push(q, a);
}

/** A wait has ended, with this code. */
static inline void
model_wake(struct model *m, struct model_actor *a, int rc)
{
        model_remove(a->queue, a);
        a->queue = NULL;
        a->deadline = MODEL_NEVER;
        model_done(a, rc);
        model_push(&m->woken, a);
}

/** The limit for perform(). */
static inline double
model_limit(const struct model_actor *a)
{
        /* Half a tick less, so that no rounding makes it late. */
        return a->ticks < 0 || a->scope ? GREEN_FOREVER : a->ticks == 0 ? 0 : a->ticks - 0.5;
}

/* ---- actors */

static struct model *model_here;
static int64_t model_clock_ns;
static unsigned model_clock_reads;

static inline int64_t
model_clock(void)
{
        model_clock_reads++;
        return model_clock_ns;
}

static inline void
model_perform(struct model *m, struct model_actor *a)
{
        struct green_timeout t = {{0}};
        bool scope = a->scope && a->ticks > 0;
        int fired;

        if (a->shielded)
                green_shield_begin();
        if (scope)
                CHECK_INT(green_timeout_start(&t, a->ticks - 0.5), 0);
        a->rc = m->spec->perform(m, a);
        if (scope) {
                fired = green_timeout_cancel(&t);
                if (a->kill == 0)
                        CHECK_INT(fired, a->rc == GREEN_ETIMEOUT);
        }
}

static inline void *
model_actor_main(void *arg)
{
        struct model_actor *a = arg;
        struct green_wait w;
        bool shielded;

        while (1) {
                green_shield_begin();
                CHECK_INT(green_park(&a->bell, &w, GREEN_FOREVER), 0);
                green_shield_end();
                if (a->op < 0)
                        break;
                shielded = a->shielded;
                model_perform(model_here, a);
                if (shielded)
                        green_shield_end();
                if (a->kill != 0 && a->rc == a->kill)
                        CHECK_INT(green_recover(), a->kill);
                a->done = true;
        }
        (void)green_recover();
        return NULL;
}

/* Operations that are refused are part of the test: debug builds report them. */
static inline void
model_log(void *arg, enum green_log_level level, const char *message)
{
        (void)arg;
        if (level == GREEN_LOG_ERROR)
                FAIL("%s", message);
}

/* ---- the driver */

/* Those that were woken run now, in their order; who is woken by them runs in the next turn. */
static inline void
model_resume(struct model *m)
{
        struct model_queue now = m->woken;

        m->woken.n = 0;
        for (size_t i = 0; i < now.n; i++)
                if (m->spec->resume != NULL)
                        m->spec->resume(m, now.actors[i]);
}

/* What has been reported since the last turn must be what the model said. */
static inline void
model_collect(struct model *m)
{
        for (size_t i = 0; i < MODEL_ACTORS; i++) {
                struct model_actor *a = &m->actors[i];

                if (!a->done)
                        continue;
                a->done = a->busy = false;
                if (!CHECK(a->known)) {
                        model_note(m, "actor %u returned %d, and should wait", a->index, a->rc);
                        continue;
                }
                if (!CHECK_INT(a->rc, a->want))
                        model_note(m, "actor %u returned %d, not %d", a->index, a->rc, a->want);
                else if (a->rc >= 0 && a->want_value != NULL && !CHECK_PTR(a->got, a->want_value))
                        model_note(m, "actor %u got another value", a->index);
                if (a->rc == a->kill)
                        a->kill = 0;
        }
}

/** Let all run that are ready. */
static inline void
model_turn(struct model *m)
{
        model_resume(m);
        (void)green_sleep(0);
        model_collect(m);
}

/** Until all have reported that must. */
static inline void
model_settle(struct model *m)
{
        for (int turn = 0; turn < MODEL_TURNS && !model_failed(m); turn++) {
                bool pending = m->woken.n > 0;

                for (size_t i = 0; i < MODEL_ACTORS; i++)
                        pending |= m->actors[i].busy && m->actors[i].known;
                if (!pending)
                        return;
                model_turn(m);
        }
        for (size_t i = 0; i < MODEL_ACTORS && !model_failed(m); i++) {
                const struct model_actor *a = &m->actors[i];

                if (a->busy && a->known) {
                        model_note(m, "actor %u waits, and should return %d", a->index, a->want);
                        FAIL("actor %u waits, and should return %d", a->index, a->want);
                }
        }
}

/** An idle actor does what its fields say. */
static inline void
model_issue(struct model *m, struct model_actor *a)
{
        a->busy = true;
        a->known = false;
        a->want_value = a->got = NULL;
        a->queue = NULL;
        a->serial = ++m->issued;
        a->deadline = a->ticks > 0 ? m->now + a->ticks : MODEL_NEVER;
        model_note(m, "actor %u: %s, arg %ld, ticks %d%s%s", a->index, m->spec->ops[a->op], a->arg, a->ticks,
                   a->scope ? " around it" : "", a->shielded ? ", shielded" : "");
        CHECK(green_wake_one(&a->bell, NULL));
        model_resume(m);
        if (a->kill != 0 && a->ticks != 0 && !a->shielded)
                model_done(a, a->kill);
        else
                m->spec->apply(m, a);
        (void)green_sleep(0);
        model_collect(m);
}

static inline void
model_gives_up(struct model *m, struct model_actor *a, int rc)
{
        model_remove(a->queue, a);
        a->queue = NULL;
        a->deadline = MODEL_NEVER;
        model_done(a, rc);
        if (m->spec->leave != NULL)
                m->spec->leave(m, a);
}

/** Kill an actor, whatever it does. It runs at once, unless it is idle or shielded; those that were ready come after
 * it. */
static inline void
model_kill(struct model *m, struct model_actor *a, int code)
{
        bool runs = false;

        model_note(m, "kill of actor %u, %d%s", a->index, code, a->kill != 0 ? ", killed already" : "");
        if (a->kill == 0) {
                a->kill = code;
                if (a->busy && !a->shielded && a->queue != NULL) {
                        model_gives_up(m, a, code);
                        runs = true;
                } else if (a->busy && !a->shielded) {
                        for (size_t i = 0; i < m->woken.n; i++)
                                runs |= m->woken.actors[i] == a;
                        model_remove(&m->woken, a);
                }
                if (runs) {
                        struct model_queue ready = m->woken;

                        m->woken.n = 0;
                        if (m->spec->resume != NULL)
                                m->spec->resume(m, a);
                        for (size_t i = 0; i < ready.n; i++)
                                if (m->spec->resume != NULL)
                                        m->spec->resume(m, ready.actors[i]);
                }
        }
        CHECK_INT(green_kill(a->thread, code), 0);
        model_collect(m);
}

static inline struct model_actor *
model_next_late(struct model *m)
{
        struct model_actor *late = NULL;

        for (size_t i = 0; i < MODEL_ACTORS; i++) {
                struct model_actor *a = &m->actors[i];

                if (a->queue == NULL || a->deadline > m->now)
                        continue;
                if (late == NULL || a->deadline < late->deadline ||
                    (a->deadline == late->deadline && a->serial < late->serial))
                        late = a;
        }
        return late;
}

/** Let time pass. All whose time is over have returned when this does. */
static inline void
model_advance(struct model *m, int ticks)
{
        struct model_actor *a;
        unsigned reads;

        /* Only the driver is ready now. It goes round until the hub has polled, which ends the waits that are over. */
        model_settle(m);
        model_note(m, "%d ticks pass", ticks);
        m->now += ticks;
        model_clock_ns += (int64_t)ticks * 1000000000;
        reads = model_clock_reads;
        for (int turn = 0; turn < MODEL_TURNS && model_clock_reads == reads; turn++)
                (void)green_sleep(0);
        while ((a = model_next_late(m)) != NULL) {
                model_gives_up(m, a, a->scope ? GREEN_ETIMEOUT : a->late);
                model_push(&m->woken, a);
        }
        model_settle(m);
}

static inline void
model_choose(struct model *m, struct model_actor *a)
{
        static const int limits[] = {-1, -1, -1, 0, 1, 2, 3, 8};

        a->ticks = limits[model_below(m, 8)];
        a->scope = a->ticks > 0 && model_chance(m, 40);
        a->shielded = a->ticks > 0 && model_chance(m, 20);
        a->late = -ETIMEDOUT;
        a->arg = 0;
        a->value = NULL;
        m->spec->choose(m, a);
        /* Without a time limit nothing but a kill may end it, should nobody else. */
        if (a->ticks <= 0)
                a->scope = a->shielded = false;
}

static inline void
model_step(struct model *m)
{
        static const int codes[] = {GREEN_EKILLED, -ECONNABORTED, -EOWNERDEAD};
        struct model_actor *a = &m->actors[model_below(m, MODEL_ACTORS)];
        unsigned what = model_below(m, 100);

        if (what < 12) {
                model_kill(m, a, codes[model_below(m, 3)]);
        } else if (what < 17) {
                model_advance(m, 1 + (int)model_below(m, 4));
        } else if (what < 22) {
                model_settle(m);
        } else if (!a->busy) {
                model_choose(m, a);
                model_issue(m, a);
        }
        m->spec->check(m);
}

static inline void
model_end(struct model *m)
{
        model_settle(m);
        model_advance(m, 1000);
        for (size_t i = 0; i < MODEL_ACTORS && !model_failed(m); i++) {
                struct model_actor *a = &m->actors[i];

                if (a->queue != NULL && !a->shielded)
                        model_kill(m, a, GREEN_EKILLED);
        }
        model_settle(m);
        if (m->spec->drain != NULL && !model_failed(m))
                m->spec->drain(m);
        model_settle(m);
        for (size_t i = 0; i < MODEL_ACTORS && !model_failed(m); i++) {
                struct model_actor *a = &m->actors[i];

                if (!CHECK(!a->busy))
                        continue;
                a->op = -1;
                green_wake_one(&a->bell, NULL);
                CHECK_INT(join(a->thread), 0);
        }
}

/** Runs a model: `object` is the real thing, `state` the model's. The object is idle afterwards, and the caller's. */
static inline void
model_run(const struct model_spec *spec, void *object, void *state)
{
        static struct model m;
        static uint64_t total;
        const char *given = getenv("GREEN_TEST_STEPS");
        long steps = given != NULL ? strtol(given, NULL, 10) : (long)(40000 / suite_slow());

        if (model_here != NULL) {
                FAIL("an earlier run left its actors behind");
                return;
        }
        m = (struct model){.spec = spec, .object = object, .state = state, .seed = model_seed()};
        m.state_of_random = m.seed;
        m.failures = suite_failures();
        model_here = &m;
        model_clock_ns = (int64_t)(clock_now() * 1e9);
        CHECK_INT(green_hub_set_clock(model_clock), 0);
        green_set_log(model_log, NULL);
        for (unsigned i = 0; i < MODEL_ACTORS; i++) {
                m.actors[i].index = i;
                m.actors[i].deadline = MODEL_NEVER;
                m.actors[i].thread = green_spawn(model_actor_main, &m.actors[i]);
        }
        turns(1);
        for (long i = 0; i < steps && !model_failed(&m); i++)
                model_step(&m);
        model_end(&m);
        green_set_log(NULL, NULL);
        total += m.issued;
        printf("%s: GREEN_TEST_SEED=%llu, %llu operations, %llu so far\n", spec->name, (unsigned long long)m.seed,
               (unsigned long long)m.issued, (unsigned long long)total);
        if (model_failed(&m))
                return;
        model_here = NULL;
        CHECK_INT(green_hub_set_clock(NULL), 0);
}

#endif
