/*
 * Pools of database connections against a model of them, at random: see model.h. What connecting does is part of the
 * operation: it works, fails, or waits until it is told to do one or the other, and may be killed or run out of time
 * meanwhile. The driver is a mock, called in place.
 */
#include "model.h"

#include <green/net.h>

#include "db_mock.h"

GREEN_SUITE_INIT(help_init)

enum { GET, PUT, DISCARD, CREATE, CLEAR, RESIZE, LET };

static const char *const ops[] = {"get", "put", "discard", "create", "clear", "resize", "let"};

/* a->arg of a get or create. */
enum { WELL, FAILS, WAITS };

/* a->note of one: it comes back to take one or make it, to report, it is making. */
enum { NOTHING, HAS_PLACE, REPORTS, MAKES };

enum { MOST = 64, NUMBERS = 65536, CONNECT_TICKS = 6 };

struct state {
        green_db_pool *pool;
        struct db_mock mock;
        size_t limit, taken, connecting; /* taken: places */
        int idle[MOST], out[MOST];       /* connections by number; the one that came back last is last */
        size_t nidle, nout;
        struct model_queue getters, makers;
        int64_t scope[MODEL_ACTORS], connect_by[MODEL_ACTORS];
        struct green_waitq gate;
        unsigned made, closed, real_made, real_closed;
};

static green_db_conn *handles[NUMBERS]; /* of those that are out */

static struct model_actor *
self(struct model *m)
{
        for (size_t i = 0; i < MODEL_ACTORS; i++)
                if (m->actors[i].thread == green_getcurrent())
                        return &m->actors[i];
        return NULL;
}

/* In the driver's connect. */
static int
connecting(void *arg)
{
        struct state *s = arg;
        const struct model_actor *a = self(model_here);
        struct green_wait w = {.value = NULL};
        int rc = a->arg == FAILS ? -EIO : 0;

        if (a->arg == WAITS)
                rc = green_park(&s->gate, &w, GREEN_FOREVER);
        return rc == 0 && w.value != NULL ? -EIO : rc;
}

static int
on_connect(green_db_conn *conn, void *arg)
{
        struct state *s = arg;

        return green_db_conn_set_data(conn, PTR(++s->real_made));
}

static void
on_close(green_db_conn *conn, void *arg)
{
        struct state *s = arg;

        CHECK(green_db_conn_data(conn) != NULL);
        s->real_closed++;
}

/* ---- the model */

static void
hand_places(struct model *m)
{
        struct state *s = m->state;

        while (s->taken < s->limit && s->getters.n > 0) {
                struct model_actor *a = model_first(&s->getters);

                s->taken++;
                model_wake(m, a, 0);
                a->note = HAS_PLACE;
        }
}

static void
give_place(struct model *m)
{
        struct state *s = m->state;

        s->taken--;
        hand_places(m);
}

static void
close_oldest(struct state *s)
{
        memmove(&s->idle[0], &s->idle[1], --s->nidle * sizeof(s->idle[0]));
        s->closed++;
}

static void
goes_out(struct state *s, struct model_actor *a, int number)
{
        s->out[s->nout++] = number;
        a->want_value = PTR(number);
        model_done(a, 0);
}

/* Connecting has ended. */
static void
made(struct model *m, struct model_actor *a, int rc)
{
        struct state *s = m->state;

        s->connecting--;
        if (rc != 0) {
                model_done(a, rc);
                give_place(m);
                return;
        }
        goes_out(s, a, (int)++s->made);
        if (a->op == CREATE && s->nidle > 0 && s->nidle + s->nout + s->connecting > s->limit)
                close_oldest(s);
}

static void
make(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        s->connecting++;
        a->note = NOTHING;
        if (a->arg != WAITS) {
                made(m, a, a->arg == WELL ? 0 : -EIO);
        } else if (a->kill != 0 && !a->shielded) {
                /* Its park fails, and lets the others run once first. */
                a->note = REPORTS;
                model_done(a, a->kill);
                model_push(&m->woken, a);
        } else {
                a->known = false;
                a->note = MAKES;
                s->connect_by[a->index] = m->now + CONNECT_TICKS;
                a->deadline = s->connect_by[a->index];
                if (s->scope[a->index] < a->deadline)
                        a->deadline = s->scope[a->index];
                a->queue = &s->makers;
                model_push(&s->makers, a);
        }
}

/* It has a place. */
static void
take_or_make(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        a->note = NOTHING;
        if (a->op == GET && s->nidle > 0)
                goes_out(s, a, s->idle[--s->nidle]);
        else
                make(m, a);
}

static void
choose(struct model *m, struct model_actor *a)
{
        static const int often[] = {GET, GET, GET, GET, PUT, PUT, PUT, LET, LET, DISCARD};
        struct state *s = m->state;

        a->op = often[model_below(m, 10)];
        if (model_chance(m, 12))
                a->op = model_chance(m, 50) ? CREATE : model_chance(m, 60) ? RESIZE : CLEAR;
        a->note = NOTHING;
        if ((a->op == PUT || a->op == DISCARD) && s->nout == 0)
                a->op = LET;
        if (a->op == GET || a->op == CREATE)
                a->arg = model_chance(m, 50) ? WELL : model_chance(m, 40) ? FAILS : WAITS;
        else if (a->op == RESIZE)
                a->arg = (long)model_below(m, 6);
        else
                a->arg = model_chance(m, 30);
        if (a->op == PUT || a->op == DISCARD)
                a->value = PTR(s->out[model_below(m, (unsigned)s->nout)]);
        if (a->op != GET)
                a->ticks = 0;
}

static int
perform_get(struct state *s, struct model_actor *a)
{
        green_db_conn *conn = NULL;
        int rc;

        if (a->op == GET)
                rc = green_db_pool_get(s->pool, &conn, model_limit(a));
        else
                rc = green_db_pool_create(s->pool, &conn);
        if (rc == 0) {
                a->got = green_db_conn_data(conn);
                handles[INT(a->got) % NUMBERS] = conn;
        }
        return rc;
}

static int
perform(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        struct green_wait *w;

        switch (a->op) {
        case GET:
        case CREATE:
                return perform_get(s, a);
        case PUT:
                return green_db_pool_put(s->pool, handles[INT(a->value) % NUMBERS]);
        case DISCARD:
                return green_db_pool_discard(s->pool, handles[INT(a->value) % NUMBERS]);
        case CLEAR:
                return green_db_pool_clear(s->pool);
        case RESIZE:
                return green_db_pool_resize(s->pool, (size_t)a->arg);
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

        s->scope[a->index] = a->scope ? a->deadline : MODEL_NEVER;
        if (s->taken < s->limit) {
                s->taken++;
                take_or_make(m, a);
        } else if (a->op == CREATE) {
                model_done(a, -EAGAIN);
        } else {
                model_wait(a, &s->getters);
        }
}

static void
apply_back(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        size_t i = 0;

        model_done(a, 0);
        while (i < s->nout && PTR(s->out[i]) != a->value)
                i++;
        CHECK(i < s->nout);
        s->out[i] = s->out[--s->nout];
        if (a->op == PUT && s->nidle + s->nout + s->connecting < s->limit)
                s->idle[s->nidle++] = INT(a->value);
        else
                s->closed++;
        give_place(m);
}

static void
apply_resize(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        model_done(a, 0);
        s->limit = (size_t)a->arg;
        hand_places(m);
        while (s->nidle > 0 && s->nidle + s->nout + s->connecting > s->limit)
                close_oldest(s);
}

static void
apply(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        if (a->op == GET || a->op == CREATE) {
                apply_get(m, a);
        } else if (a->op == PUT || a->op == DISCARD) {
                apply_back(m, a);
        } else if (a->op == RESIZE) {
                apply_resize(m, a);
        } else if (a->op == CLEAR) {
                model_done(a, 0);
                s->closed += (unsigned)s->nidle;
                s->nidle = 0;
        } else {
                model_done(a, 0);
                if (s->makers.n > 0) {
                        struct model_actor *maker = model_first(&s->makers);

                        model_wake(m, maker, a->arg != 0 ? -EIO : 0);
                        maker->note = REPORTS;
                }
        }
}

/* One that makes has been killed, or its time is over: it comes back with that. */
static void
leave(struct model *m, struct model_actor *a)
{
        const struct state *s = m->state;

        if (a->note != MAKES)
                return;
        a->note = REPORTS;
        if (a->want == GREEN_ETIMEOUT || a->want == a->late)
                model_done(a, s->connect_by[a->index] < s->scope[a->index] ? GREEN_ECONNECTTIMEOUT : GREEN_ETIMEOUT);
}

static void
resume(struct model *m, struct model_actor *a)
{
        if (a->note == HAS_PLACE) {
                take_or_make(m, a);
        } else if (a->note == REPORTS) {
                a->note = NOTHING;
                made(m, a, a->want);
        }
}

static void
check(struct model *m)
{
        const struct state *s = m->state;
        struct green_db_pool_info info = {.size = sizeof info};

        CHECK_INT(green_db_pool_get_info(s->pool, &info), 0);
        CHECK_INT(info.idle, s->nidle);
        CHECK_INT(info.out, s->nout);
        CHECK_INT(info.connecting, s->connecting);
        CHECK_INT(info.waiting, s->getters.n);
        CHECK_INT(info.available, (long)s->limit - (long)s->taken);
        CHECK_INT(info.made, s->made);
        CHECK_INT(info.closed, s->closed);
        CHECK_INT(s->real_made, s->made);
        CHECK_INT(s->real_closed, s->closed);
        CHECK(s->taken >= s->nout + s->connecting);
}

static void
drain(struct model *m)
{
        struct state *s = m->state;

        /* Those that make under a shield, and whom they let make after them. */
        while (s->makers.n > 0 && !model_failed(m)) {
                struct model_actor *maker = model_first(&s->makers);

                CHECK(green_wake_one(&s->gate, NULL));
                model_wake(m, maker, 0);
                maker->note = REPORTS;
                model_settle(m);
        }
        CHECK_INT(s->getters.n, 0);
}

static void
run(size_t max)
{
        static const struct model_spec spec = {.name = "pool of connections",
                                               .ops = ops,
                                               .choose = choose,
                                               .perform = perform,
                                               .apply = apply,
                                               .leave = leave,
                                               .resume = resume,
                                               .check = check,
                                               .drain = drain};
        static struct state s;
        const char *options[] = {db_mock_option(&s.mock), NULL};
        const struct green_db_params params = {.size = sizeof params, .options = options};
        const struct green_db_pool_opts opts = {.size = sizeof opts,
                                                .driver = suite_plugin("db_mock"),
                                                .params = &params,
                                                .max_size = max,
                                                .max_idle = GREEN_FOREVER,
                                                .max_age = GREEN_FOREVER,
                                                .connect_timeout = CONNECT_TICKS - 0.5,
                                                .on_connect = on_connect,
                                                .on_close = on_close,
                                                .arg = &s};

        memset(&s, 0, sizeof s);
        s.limit = max;
        s.mock.connecting = connecting;
        s.mock.arg = &s;
        s.pool = green_db_pool_new(&opts);
        if (!CHECK(s.pool != NULL))
                return;
        model_run(&spec, NULL, &s);
        CHECK_INT(s.connecting, 0);
        CHECK_INT(s.taken, s.nout);
        for (size_t i = 0; i < s.nout; i++)
                CHECK_INT(green_db_pool_put(s.pool, handles[s.out[i] % NUMBERS]), 0);
        CHECK_INT(green_db_pool_free(s.pool), 0);
        CHECK_INT(s.real_closed, s.made);
        CHECK_INT(s.mock.connects, s.mock.closes);
        CHECK_INT(s.mock.violations, 0);
}

static void
pools_do_what_their_model_does(void)
{
        if (suite_plugin("db_mock") == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        for (size_t i = 0; i < 8; i++)
                run(1 + i / 2);
}

GREEN_SUITE(net_db_model) {
        GREEN_TEST(pools_do_what_their_model_does, .limit = 120),
        GREEN_SUITE_END
};
