/*
 * Channels of several sizes against a model of them, at random: see model.h. All in one OS thread, so that what each
 * call must return is known; sync_chan_threads.c has several.
 */
#include "model.h"

GREEN_SUITE_INIT(help_init)

enum { PUT, GET, CLOSE };

static const char *const ops[] = {"put", "get", "close"};

enum { MOST = 16 };

struct state {
        green_chan *chan;
        struct model_queue getters, putters;
        int items[MOST];
        size_t count, capacity;
        bool closed, may_close;
        int next; /* item */
};

static void
choose(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        a->op = model_chance(m, 50) ? PUT : GET;
        a->late = a->op == PUT ? GREEN_EFULL : GREEN_EEMPTY;
        if (a->op == PUT)
                a->value = PTR(++s->next);
        a->arg = a->op == PUT ? s->next : 0;
        if (s->may_close && model_below(m, 4000) == 0) {
                a->op = CLOSE;
                a->ticks = 0;
        }
}

static int
perform(struct model *m, struct model_actor *a)
{
        const struct state *s = m->state;

        switch (a->op) {
        case PUT:
                return green_chan_put(s->chan, a->value, model_limit(a));
        case GET:
                return green_chan_get(s->chan, &a->got, model_limit(a));
        default:
                return green_chan_close(s->chan);
        }
}

static void
put(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        if (s->closed) {
                model_done(a, GREEN_ECLOSED);
        } else if (s->getters.n > 0) {
                struct model_actor *getter = model_first(&s->getters);

                getter->want_value = a->value;
                model_wake(m, getter, 0);
                model_done(a, 0);
        } else if (s->count < s->capacity) {
                s->items[s->count++] = INT(a->value);
                model_done(a, 0);
        } else {
                model_wait(a, &s->putters);
        }
}

static void
get(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        if (s->count == 0 && !s->closed) {
                model_wait(a, &s->getters);
                return;
        }
        model_done(a, s->count == 0 ? GREEN_ECLOSED : 0);
        if (s->count == 0)
                return;
        a->want_value = PTR(s->items[0]);
        memmove(&s->items[0], &s->items[1], --s->count * sizeof(s->items[0]));
        if (s->putters.n > 0) {
                s->items[s->count++] = INT(model_first(&s->putters)->value);
                model_wake(m, model_first(&s->putters), 0);
        }
}

static void
apply(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        if (a->op == PUT) {
                put(m, a);
        } else if (a->op == GET) {
                get(m, a);
        } else {
                s->closed = true;
                while (s->putters.n > 0)
                        model_wake(m, model_first(&s->putters), GREEN_ECLOSED);
                while (s->getters.n > 0)
                        model_wake(m, model_first(&s->getters), GREEN_ECLOSED);
                model_done(a, 0);
        }
}

static void
check(struct model *m)
{
        const struct state *s = m->state;

        CHECK_INT(green_chan_len(s->chan), s->count);
}

static void
drain(struct model *m)
{
        const struct state *s = m->state;

        CHECK_INT(green_chan_close(s->chan), 0);
}

static void
run(size_t capacity, bool may_close)
{
        static const struct model_spec spec = {.name = "chan",
                                               .ops = ops,
                                               .choose = choose,
                                               .perform = perform,
                                               .apply = apply,
                                               .check = check,
                                               .drain = drain};
        struct state s = {.capacity = capacity, .may_close = may_close};

        s.chan = green_chan_new(capacity);
        model_run(&spec, s.chan, &s);
        green_chan_unref(s.chan);
}

static void
channels_do_what_the_model_says(void)
{
        for (size_t capacity = 1; capacity <= MOST; capacity = 2 * capacity + 1) {
                run(capacity, false);
                run(capacity, true);
        }
}

GREEN_SUITE(sync_chan_model) {
        GREEN_TEST(channels_do_what_the_model_says, .limit = 120),
        GREEN_SUITE_END
};
