/*
 * Pools of things against a model of them, at random: see model.h. What create does is part of the operation: it makes
 * one, fails, or waits until it is told to do one or the other, and may be killed or run out of time meanwhile.
 */
#include "model.h"

GREEN_SUITE_INIT(help_init)

enum { GET, PUT, DISCARD, RESIZE, LET };

static const char *const ops[] = {"get", "put", "discard", "resize", "let"};

/* a->arg of a get. */
enum { WELL, FAILS, WAITS };

enum { MOST = 64 };

struct state {
        green_pool *pool;
        bool stack;
        size_t count, making, limit;
        int items[MOST], out[MOST];
        size_t nitems, nout;
        struct model_queue getters, creating;
        int64_t deadline[MODEL_ACTORS]; /* of the scope around a get */
        struct green_waitq gate;
        int made, real_made, destroyed, real_destroyed;
};

static struct model_actor *
self(struct model *m)
{
        for (size_t i = 0; i < MODEL_ACTORS; i++)
                if (m->actors[i].thread == green_getcurrent())
                        return &m->actors[i];
        return NULL;
}

static int
create(void *arg, void **ret_item)
{
        struct state *s = arg;
        const struct model_actor *a = self(model_here);
        struct green_wait w = {.value = NULL};
        int rc = a->arg == FAILS ? -EIO : 0;

        if (a->arg == WAITS)
                rc = green_park(&s->gate, &w, GREEN_FOREVER);
        if (rc == 0 && w.value != NULL)
                rc = -EIO;
        if (rc == 0)
                *ret_item = PTR(++s->real_made);
        return rc;
}

static void
destroy(void *arg, void *item)
{
        struct state *s = arg;

        (void)item;
        s->real_destroyed++;
}

/* ---- the model */

static void
hand_places(struct model *m)
{
        struct state *s = m->state;

        while (s->count < s->limit && s->getters.n > 0) {
                struct model_actor *a = model_first(&s->getters);

                s->count++;
                s->making++;
                model_wake(m, a, 0);
                a->note = 1; /* it comes back to make one */
        }
}

static void
made(struct model *m, struct model_actor *a, int rc)
{
        struct state *s = m->state;

        s->making--;
        model_done(a, rc);
        if (rc == 0) {
                a->want_value = PTR(++s->made);
                s->out[s->nout++] = s->made;
                return;
        }
        s->count--;
        hand_places(m);
}

/* It has a place, and runs. */
static void
begin_make(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        a->note = 0;
        if (a->arg != WAITS) {
                made(m, a, a->arg == WELL ? 0 : -EIO);
        } else if (a->kill != 0 && !a->shielded) {
                /* Its park fails, and lets the others run once first. */
                a->note = 2;
                model_done(a, a->kill);
                model_push(&m->woken, a);
        } else {
                a->known = false;
                a->note = 3; /* it is making */
                a->deadline = s->deadline[a->index];
                a->queue = &s->creating;
                model_push(&s->creating, a);
        }
}

static void
drop(struct model *m)
{
        struct state *s = m->state;

        s->destroyed++;
        s->count--;
        hand_places(m);
}

static void
choose(struct model *m, struct model_actor *a)
{
        static const int often[] = {GET, GET, GET, GET, PUT, PUT, PUT, LET, LET, DISCARD};
        struct state *s = m->state;
        unsigned which;

        a->op = often[model_below(m, 10)];
        if (model_chance(m, 5))
                a->op = RESIZE;
        a->note = 0;
        /* Nothing is out, but something may be before it is done. */
        if ((a->op == PUT || a->op == DISCARD) && s->nout == 0 && m->woken.n > 0)
                a->op = LET;
        if (a->op == GET)
                a->arg = model_chance(m, 50) ? WELL : model_chance(m, 40) ? FAILS : WAITS;
        else if (a->op == RESIZE)
                a->arg = (long)model_below(m, 6);
        else
                a->arg = model_chance(m, 30);
        if ((a->op == PUT || a->op == DISCARD) && s->nout > 0) {
                which = model_below(m, (unsigned)s->nout);
                a->value = PTR(s->out[which]);
        }
        if (a->op != GET)
                a->ticks = 0;
}

static int
perform(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        struct green_wait *w;

        switch (a->op) {
        case GET:
                return green_pool_get(s->pool, &a->got, model_limit(a));
        case PUT:
                return green_pool_put(s->pool, a->value);
        case DISCARD:
                return green_pool_discard(s->pool, a->value);
        case RESIZE:
                return green_pool_resize(s->pool, (size_t)a->arg);
        default:
                w = green_waitq_first(&s->gate);
                if (w != NULL) {
                        w->value = a->arg != 0 ? a : NULL;
                        green_wake(w, 0);
                }
                return 0;
        }
}

static void
apply_get(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        size_t i = s->stack ? s->nitems - 1 : 0;

        s->deadline[a->index] = a->scope ? a->deadline : MODEL_NEVER;
        if (s->nitems > 0) {
                int item = s->items[i];

                memmove(&s->items[i], &s->items[i + 1], (s->nitems - i - 1) * sizeof(s->items[0]));
                s->nitems--;
                s->out[s->nout++] = item;
                a->want_value = PTR(item);
                model_done(a, 0);
        } else if (s->count < s->limit) {
                s->count++;
                s->making++;
                begin_make(m, a);
        } else {
                model_wait(a, &s->getters);
        }
}

static void
apply_back(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        size_t i = 0;

        if (s->nout == 0) {
                model_done(a, -EALREADY);
                return;
        }
        model_done(a, 0);
        while (i < s->nout && PTR(s->out[i]) != a->value)
                i++;
        CHECK(i < s->nout);
        s->out[i] = s->out[--s->nout];
        if (a->op == DISCARD || s->count > s->limit) {
                drop(m);
        } else if (s->getters.n > 0) {
                struct model_actor *getter = model_first(&s->getters);

                getter->want_value = a->value;
                s->out[s->nout++] = INT(a->value);
                model_wake(m, getter, 0);
        } else {
                s->items[s->nitems++] = INT(a->value);
        }
}

static void
apply(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        if (a->op == GET) {
                apply_get(m, a);
        } else if (a->op == PUT || a->op == DISCARD) {
                apply_back(m, a);
        } else if (a->op == RESIZE) {
                model_done(a, 0);
                s->limit = (size_t)a->arg;
                hand_places(m);
        } else {
                model_done(a, 0);
                if (s->creating.n > 0) {
                        struct model_actor *maker = model_first(&s->creating);

                        model_wake(m, maker, a->arg != 0 ? -EIO : 0);
                        maker->note = 2; /* it comes back with that */
                }
        }
}

/* One that makes has been killed, or its time is over: it comes back with that. */
static void
leave(struct model *m, struct model_actor *a)
{
        (void)m;
        if (a->note == 3)
                a->note = 2;
}

static void
resume(struct model *m, struct model_actor *a)
{
        if (a->note == 1) {
                begin_make(m, a);
        } else if (a->note == 2) {
                a->note = 0;
                made(m, a, a->want);
        }
}

static void
check(struct model *m)
{
        const struct state *s = m->state;
        long n = 0;

        CHECK_INT(green_pool_available(s->pool, &n), 0);
        CHECK_INT(n, (long)s->nitems + (long)s->limit - (long)s->count);
        CHECK_INT(green_pool_size(s->pool), s->count);
        CHECK_INT(green_pool_waiting(s->pool), s->getters.n);
        CHECK_INT(s->real_destroyed, s->destroyed);
        CHECK_INT(s->count, s->nitems + s->nout + s->making);
}

static void
drain(struct model *m)
{
        struct state *s = m->state;

        /* Those that make under a shield, and whom they let make after them. */
        while (s->creating.n > 0 && !model_failed(m)) {
                struct model_actor *maker = model_first(&s->creating);

                CHECK(green_wake_one(&s->gate, NULL));
                model_wake(m, maker, 0);
                maker->note = 2;
                model_settle(m);
        }
        CHECK_INT(s->getters.n, 0);
}

static void
run(size_t max, bool stack)
{
        static const struct model_spec spec = {.name = "pool",
                                               .ops = ops,
                                               .choose = choose,
                                               .perform = perform,
                                               .apply = apply,
                                               .leave = leave,
                                               .resume = resume,
                                               .check = check,
                                               .drain = drain};
        static struct state s;
        const struct green_pool_opts opts = {.size = sizeof(opts),
                                             .max_size = max,
                                             .order_as_stack = stack,
                                             .create = create,
                                             .destroy = destroy,
                                             .arg = &s};

        s = (struct state){.stack = stack, .limit = max};
        s.pool = green_pool_new(&opts);
        model_run(&spec, NULL, &s);
        CHECK_INT(s.making, 0);
        for (size_t i = 0; i < s.nout; i++)
                CHECK_INT(green_pool_put(s.pool, PTR(s.out[i])), 0);
        CHECK_INT(green_pool_free(s.pool), 0);
        CHECK_INT(s.real_made, s.made);
        CHECK_INT(s.real_destroyed, s.real_made);
}

static void
pools_do_what_their_model_does(void)
{
        for (size_t i = 0; i < 8; i++)
                run(1 + i / 2, i % 2 == 0);
}

GREEN_SUITE(sync_pool_model) {
        GREEN_TEST(pools_do_what_their_model_does, .limit = 120),
        GREEN_SUITE_END
};
