/*
 * Green pools against a model of them, at random: see model.h. Tasks stay until one is killed, before it has started
 * too; slots are also taken without a task, and given back.
 */
#include "model.h"

GREEN_SUITE_INIT(help_init)

enum { SPAWN, ACQUIRE, RELEASE, END, RESIZE, WAITALL };

static const char *const ops[] = {"spawn", "acquire", "release", "end", "resize", "waitall"};

enum { MOST = 64 };

struct state {
        green_greenpool *pool;
        size_t size, running, acquired;
        struct model_queue spawners, idle;
        /* Handles of the tasks; the model only knows how many there are. */
        green_thread *tasks[MOST];
        size_t ntasks, model_tasks;
};

static void *
stay(void *arg)
{
        struct green_waitq q = {NULL, NULL};
        struct green_wait w;

        (void)!green_park(&q, &w, GREEN_FOREVER);
        return arg;
}

/* ---- the model */

static void
look_after(struct model *m)
{
        struct state *s = m->state;

        if (s->running == 0 && s->spawners.n == 0)
                while (s->idle.n > 0)
                        model_wake(m, model_first(&s->idle), 0);
}

static void
take(struct state *s, struct model_actor *a)
{
        if (a->op == SPAWN)
                s->model_tasks++;
        else
                s->acquired++;
}

static void
give(struct model *m)
{
        struct state *s = m->state;

        if (s->spawners.n > 0 && s->running <= s->size) {
                struct model_actor *a = model_first(&s->spawners);

                a->note = 1;
                model_wake(m, a, 0);
                return;
        }
        s->running--;
        look_after(m);
}

static void
choose(struct model *m, struct model_actor *a)
{
        static const int often[] = {SPAWN,   SPAWN,   SPAWN, SPAWN, ACQUIRE, ACQUIRE,
                                    RELEASE, RELEASE, END,   END,   END,     WAITALL};
        struct state *s = m->state;

        a->op = often[model_below(m, 12)];
        if (model_chance(m, 4))
                a->op = RESIZE;
        if (s->running >= MOST - MODEL_ACTORS && a->op == SPAWN)
                a->op = END;
        a->note = 0;
        a->arg = (long)model_below(m, 5);
        if (a->op == END) {
                /* Only handles that are there already are known. */
                unsigned n = (unsigned)s->ntasks, i = n > 0 ? model_below(m, n) : 0;

                a->value = n > 0 ? s->tasks[i] : NULL;
                if (n > 0)
                        s->tasks[i] = s->tasks[--s->ntasks];
        }
        if (a->op == SPAWN && a->ticks == 0)
                a->ticks = -1;
        /* A spawn has no limit of its own. */
        if (a->op == SPAWN && a->ticks > 0)
                a->scope = true;
        if (a->op == RELEASE || a->op == END || a->op == RESIZE)
                a->ticks = 0;
}

static int
perform(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        green_thread *gt;

        switch (a->op) {
        case SPAWN:
                gt = green_greenpool_spawn(s->pool, stay, NULL);
                if (gt == NULL)
                        return green_last_error()->code;
                s->tasks[s->ntasks++] = gt;
                return 0;
        case ACQUIRE:
                return green_greenpool_acquire(s->pool, NULL, 0, model_limit(a), NULL);
        case RELEASE:
                return green_greenpool_release(s->pool);
        case END:
                if (a->value != NULL) {
                        /* This yields; a kill of the actor meanwhile must not change the order in which they run. */
                        green_shield_begin();
                        CHECK_INT(green_kill(a->value, 0), 0);
                        green_shield_end();
                        green_thread_unref(a->value);
                }
                return 0;
        case RESIZE:
                return green_greenpool_resize(s->pool, (size_t)a->arg);
        default:
                return green_greenpool_waitall(s->pool, model_limit(a));
        }
}

static void
apply_resize(struct model *m, size_t size)
{
        struct state *s = m->state;

        s->size = size;
        while (s->running < s->size && s->spawners.n > 0) {
                struct model_actor *a = model_first(&s->spawners);

                s->running++;
                a->note = 1;
                model_wake(m, a, 0);
        }
}

static void
apply(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        if (a->op == SPAWN || a->op == ACQUIRE) {
                if (s->running < s->size) {
                        s->running++;
                        take(s, a);
                        model_done(a, 0);
                } else {
                        model_wait(a, &s->spawners);
                }
        } else if (a->op == WAITALL) {
                if (s->running == 0 && s->spawners.n == 0)
                        model_done(a, 0);
                else
                        model_wait(a, &s->idle);
        } else {
                model_done(a, a->op == RELEASE && s->acquired == 0 ? -EALREADY : 0);
                if (a->op == RESIZE)
                        apply_resize(m, (size_t)a->arg);
                if ((a->op == RELEASE && s->acquired > 0) || (a->op == END && a->value != NULL)) {
                        if (a->op == RELEASE)
                                s->acquired--;
                        else
                                s->model_tasks--;
                        give(m);
                }
        }
}

/* It runs again: with a slot; or it gave up, which may have left the pool idle. */
static void
resume(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        if (a->note == 1) {
                a->note = 0;
                take(s, a);
        } else if ((a->op == SPAWN || a->op == ACQUIRE) && a->want < 0) {
                look_after(m);
        }
}

static void
check(struct model *m)
{
        const struct state *s = m->state;
        long n = 0;

        CHECK_INT(green_greenpool_running(s->pool), s->running);
        CHECK_INT(green_greenpool_waiting(s->pool), s->spawners.n);
        CHECK_INT(green_greenpool_available(s->pool, &n), 0);
        CHECK_INT(n, (long)s->size - (long)s->running);
}

static void
drain(struct model *m)
{
        const struct state *s = m->state;

        CHECK_INT(s->spawners.n + s->idle.n, 0);
        CHECK_INT(s->running, s->model_tasks + s->acquired);
        CHECK_INT(s->ntasks, s->model_tasks);
}

static void
run(size_t size)
{
        static const struct model_spec spec = {.name = "greenpool",
                                               .ops = ops,
                                               .choose = choose,
                                               .perform = perform,
                                               .apply = apply,
                                               .resume = resume,
                                               .check = check,
                                               .drain = drain};
        static struct state s;

        s = (struct state){.size = size, .pool = green_greenpool_new(size)};
        model_run(&spec, NULL, &s);
        while (s.acquired-- > 0)
                CHECK_INT(green_greenpool_release(s.pool), 0);
        CHECK_INT(green_greenpool_kill(s.pool, 0), s.ntasks);
        while (s.ntasks > 0)
                green_thread_unref(s.tasks[--s.ntasks]);
        CHECK_INT(green_greenpool_running(s.pool), 0);
        CHECK_INT(green_greenpool_free(s.pool), 0);
}

static void
green_pools_do_what_their_model_does(void)
{
        for (size_t i = 0; i < 8; i++)
                run(i / 2);
}

GREEN_SUITE(sync_greenpool_model) {
        GREEN_TEST(green_pools_do_what_their_model_does, .limit = 120),
        GREEN_SUITE_END
};
