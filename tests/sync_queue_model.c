/*
 * Queues of every kind and size, and green_select(), against a model of them, at random: see model.h.
 *
 * The model is two queues, a semaphore and an event. A select is only made where at most one of its cases can be done
 * at once: which of several wins is not the model's to know.
 */
#include "model.h"

GREEN_SUITE_INIT(help_init)

enum { PUT, GET, JOIN, DONE, RESIZE, SHUTDOWN, RELEASE, SEND, RESET, SELECT };

static const char *const ops[] = {"put",      "get",     "join", "task_done", "resize",
                                  "shutdown", "release", "send", "reset",     "select"};

/* What an actor that waits stands in, once for each of its cases; -1 is the case of one that does not select. */
struct place {
        struct model_actor *actor;
        int which;
};

struct line {
        struct place places[2 * MODEL_ACTORS];
        size_t n;
};

enum { MOST_ITEMS = 4096, CASES = 6 };

struct model_of_queue {
        green_queue *real;
        struct line getters, putters, joiners;
        int items[MOST_ITEMS]; /* in the order they were put */
        size_t count;
        size_t limit;
        size_t unfinished;
        bool closed;
};

struct state {
        enum green_queue_kind kind;
        struct model_of_queue q[2];
        green_semaphore *semaphore;
        struct line takers;
        long permits;
        green_event *event;
        struct line waiters;
        bool sent;
        struct model_queue parked; /* all who wait */
        struct green_select_case cases[MODEL_ACTORS][CASES];
        bool may_close;
        int next; /* item */
};

/* Items are numbers from 1 on; of a priority queue the last digit decides. */
static int
compare(const void *a, const void *b, void *arg)
{
        (void)arg;
        return INT(a) % 5 - INT(b) % 5;
}

/* ---- lines */

static void
leave_line(struct line *l, const struct model_actor *a)
{
        size_t kept = 0;

        for (size_t i = 0; i < l->n; i++)
                if (l->places[i].actor != a)
                        l->places[kept++] = l->places[i];
        l->n = kept;
}

static void
leave_all(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        for (int i = 0; i < 2; i++) {
                leave_line(&s->q[i].getters, a);
                leave_line(&s->q[i].putters, a);
                leave_line(&s->q[i].joiners, a);
        }
        leave_line(&s->takers, a);
        leave_line(&s->waiters, a);
}

static void
enter_line(struct line *l, struct model_actor *a, int which)
{
        l->places[l->n++] = (struct place){a, which};
}

/* What a call returns: a select says which case, and how it ended. */
static int
code(int which, int result)
{
        return which < 0 ? result : 10 * which + (result == 0 ? 0 : 1);
}

/* The first of a line is done. */
static void
wake_first(struct model *m, struct line *l, int result, void *value)
{
        struct place first = l->places[0];

        leave_all(m, first.actor);
        first.actor->want_value = value;
        model_wake(m, first.actor, code(first.which, result));
}

/* ---- a queue */

static size_t
next_out(const struct state *s, const struct model_of_queue *q)
{
        size_t best = 0;

        if (s->kind == GREEN_QUEUE_LIFO)
                return q->count - 1;
        if (s->kind == GREEN_QUEUE_PRIORITY)
                for (size_t i = 1; i < q->count; i++)
                        if (q->items[i] % 5 < q->items[best] % 5)
                                best = i;
        return best;
}

static int
pop(const struct state *s, struct model_of_queue *q)
{
        size_t i = next_out(s, q);
        int item = q->items[i];

        q->count--;
        memmove(&q->items[i], &q->items[i + 1], (q->count - i) * sizeof(q->items[0]));
        return item;
}

static void
count_put(const struct state *s, struct model_of_queue *q)
{
        q->unfinished += s->kind != GREEN_QUEUE_LIGHT;
}

static void
push(struct state *s, struct model_of_queue *q, void *item)
{
        count_put(s, q);
        q->items[q->count++] = INT(item);
}

/* The first that waits to put is done. Its item. */
static void *
end_put(struct model *m, struct model_of_queue *q)
{
        struct state *s = m->state;
        struct place first = q->putters.places[0];
        void *item = first.which < 0 ? first.actor->value : s->cases[first.actor->index][first.which].value;

        wake_first(m, &q->putters, 0, NULL);
        return item;
}

static bool
can_put(const struct model_of_queue *q)
{
        return q->closed || q->getters.n > 0 || q->count < q->limit;
}

static bool
can_get(const struct model_of_queue *q)
{
        return q->closed || q->count > 0 || q->putters.n > 0;
}

static int
put(struct model *m, struct model_of_queue *q, void *item)
{
        struct state *s = m->state;

        if (q->closed)
                return GREEN_ECLOSED;
        if (q->getters.n > 0) {
                count_put(s, q);
                wake_first(m, &q->getters, 0, item);
        } else {
                push(s, q, item);
        }
        return 0;
}

static int
get(struct model *m, struct model_of_queue *q, void **ret_item)
{
        struct state *s = m->state;

        if (q->count > 0) {
                *ret_item = PTR(pop(s, q));
                if (q->putters.n > 0 && q->count < q->limit)
                        push(s, q, end_put(m, q));
        } else if (q->putters.n > 0) {
                count_put(s, q);
                *ret_item = end_put(m, q);
        } else {
                return GREEN_ECLOSED;
        }
        return 0;
}

/* ---- operations */

static bool
case_ready(const struct state *s, const struct green_select_case *c)
{
        switch (c->op) {
        case GREEN_SELECT_GET:
                return can_get(c->object == s->q[0].real ? &s->q[0] : &s->q[1]);
        case GREEN_SELECT_PUT:
                return can_put(c->object == s->q[0].real ? &s->q[0] : &s->q[1]);
        case GREEN_SELECT_ACQUIRE:
                return s->permits > 0;
        case GREEN_SELECT_EVENT:
                return s->sent;
        default:
                return false;
        }
}

/* Some of all cases, in some order, of which one at most can be done at once. */
static void
choose_cases(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        struct green_select_case all[CASES] = {GREEN_CASE_GET(s->q[0].real),       GREEN_CASE_GET(s->q[1].real),
                                               GREEN_CASE_PUT(s->q[0].real, NULL), GREEN_CASE_PUT(s->q[1].real, NULL),
                                               GREEN_CASE_ACQUIRE(s->semaphore),   GREEN_CASE_EVENT(s->event)};
        bool ready = false;

        for (unsigned i = 0; i < CASES; i++) {
                unsigned k = i + model_below(m, CASES - i);
                struct green_select_case c = all[k];

                all[k] = all[i];
                if (model_chance(m, 40) || (ready && case_ready(s, &c)))
                        c.op = GREEN_SELECT_NONE;
                ready |= case_ready(s, &c);
                if (c.op == GREEN_SELECT_PUT)
                        c.value = PTR(++s->next);
                s->cases[a->index][i] = c;
        }
}

static void
choose(struct model *m, struct model_actor *a)
{
        static const int often[] = {PUT, PUT, PUT, GET, GET, GET, SELECT, SELECT, SELECT, JOIN, DONE, RELEASE};
        struct state *s = m->state;

        a->op = often[model_below(m, 12)];
        if (model_chance(m, 4))
                a->op = model_chance(m, 40) ? RESIZE : model_chance(m, 70) ? SEND : RESET;
        if (s->may_close && model_below(m, 4000) == 0)
                a->op = SHUTDOWN;
        a->note = (long)model_below(m, 2);
        a->arg = (long)model_below(m, 6) - 1;
        if (a->op == GET)
                a->late = GREEN_EEMPTY;
        if (a->op == PUT) {
                a->late = GREEN_EFULL;
                a->value = PTR(++s->next);
                a->arg = s->next;
        }
        if (a->op == SELECT)
                choose_cases(m, a);
        else if (a->op != PUT && a->op != GET && a->op != JOIN)
                a->ticks = 0;
        if (s->q[a->note].count >= MOST_ITEMS - 2 * MODEL_ACTORS && a->op == PUT)
                a->op = GET, a->late = GREEN_EEMPTY;
}

static int
perform_select(const struct state *s, struct model_actor *a)
{
        struct green_select_case cases[CASES];
        size_t index = SIZE_MAX;
        int rc;

        memcpy(cases, s->cases[a->index], sizeof(cases));
        rc = green_select(cases, CASES, model_limit(a), &index);
        if (rc != 0)
                return rc;
        a->got = cases[index].value;
        return code((int)index, cases[index].result);
}

static int
perform(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        green_queue *q = s->q[a->note].real;

        switch (a->op) {
        case PUT:
                return green_queue_put(q, a->value, model_limit(a));
        case GET:
                return green_queue_get(q, &a->got, model_limit(a));
        case JOIN:
                return green_queue_join(q, model_limit(a));
        case DONE:
                return green_queue_task_done(q);
        case RESIZE:
                return green_queue_resize(q, (ssize_t)a->arg);
        case SHUTDOWN:
                return green_queue_shutdown(q);
        case RELEASE:
                return green_semaphore_release(s->semaphore);
        case SEND:
                return green_event_send(s->event, PTR(7));
        case RESET:
                return green_event_reset(s->event);
        default:
                return perform_select(s, a);
        }
}

static void
apply_select(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        for (int i = 0; i < CASES; i++) {
                struct green_select_case *c = &s->cases[a->index][i];
                struct model_of_queue *q = c->object == s->q[0].real ? &s->q[0] : &s->q[1];
                int result = 0;

                if (!case_ready(s, c))
                        continue;
                if (c->op == GREEN_SELECT_GET)
                        result = get(m, q, &a->want_value);
                else if (c->op == GREEN_SELECT_PUT)
                        result = put(m, q, c->value);
                else if (c->op == GREEN_SELECT_EVENT)
                        a->want_value = PTR(7);
                else
                        s->permits--;
                model_done(a, code(i, result));
                return;
        }
        for (int i = 0; i < CASES && a->ticks != 0; i++) {
                const struct green_select_case *c = &s->cases[a->index][i];
                struct model_of_queue *q = c->object == s->q[0].real ? &s->q[0] : &s->q[1];

                if (c->op != GREEN_SELECT_NONE)
                        enter_line(c->op == GREEN_SELECT_GET     ? &q->getters
                                   : c->op == GREEN_SELECT_PUT   ? &q->putters
                                   : c->op == GREEN_SELECT_EVENT ? &s->waiters
                                                                 : &s->takers,
                                   a, i);
        }
        model_wait(a, &s->parked);
}

static void
apply_wait(struct model *m, struct model_actor *a, struct line *l)
{
        struct state *s = m->state;

        if (a->ticks != 0)
                enter_line(l, a, -1);
        model_wait(a, &s->parked);
}

static void
apply_done(struct model *m, struct model_actor *a, struct model_of_queue *q)
{
        const struct state *s = m->state;

        if (s->kind == GREEN_QUEUE_LIGHT || q->unfinished == 0) {
                model_done(a, s->kind == GREEN_QUEUE_LIGHT ? -ENOTSUP : -EALREADY);
                return;
        }
        model_done(a, 0);
        if (--q->unfinished == 0)
                while (q->joiners.n > 0)
                        wake_first(m, &q->joiners, 0, NULL);
}

static void
apply_change(struct model *m, struct model_actor *a, struct model_of_queue *q)
{
        struct state *s = m->state;

        model_done(a, 0);
        if (a->op == RESIZE) {
                q->limit = a->arg < 0 ? SIZE_MAX : (size_t)a->arg;
                while (q->putters.n > 0 && q->count < q->limit)
                        push(s, q, end_put(m, q));
        } else {
                q->closed = true;
                while (q->putters.n > 0)
                        wake_first(m, &q->putters, GREEN_ECLOSED, NULL);
                while (q->getters.n > 0)
                        wake_first(m, &q->getters, GREEN_ECLOSED, NULL);
        }
}

static void
apply_other(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;

        model_done(a, 0);
        if (a->op == RELEASE) {
                if (s->takers.n > 0)
                        wake_first(m, &s->takers, 0, NULL);
                else
                        s->permits++;
        } else if (s->sent == (a->op == SEND)) {
                model_done(a, a->op == SEND ? -EALREADY : -EINVAL);
        } else {
                s->sent = a->op == SEND;
                while (s->sent && s->waiters.n > 0)
                        wake_first(m, &s->waiters, 0, PTR(7));
        }
}

static void
apply(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        struct model_of_queue *q = &s->q[a->note];

        switch (a->op) {
        case PUT:
                if (can_put(q))
                        model_done(a, put(m, q, a->value));
                else
                        apply_wait(m, a, &q->putters);
                break;
        case GET:
                if (can_get(q))
                        model_done(a, get(m, q, &a->want_value));
                else
                        apply_wait(m, a, &q->getters);
                break;
        case JOIN:
                if (s->kind == GREEN_QUEUE_LIGHT)
                        model_done(a, -ENOTSUP);
                else if (q->unfinished == 0)
                        model_done(a, 0);
                else
                        apply_wait(m, a, &q->joiners);
                break;
        case DONE:
                apply_done(m, a, q);
                break;
        case RESIZE:
        case SHUTDOWN:
                apply_change(m, a, q);
                break;
        case SELECT:
                apply_select(m, a);
                break;
        default:
                apply_other(m, a);
        }
}

static void
check(struct model *m)
{
        const struct state *s = m->state;
        long balance = 0;

        for (int i = 0; i < 2; i++) {
                const struct model_of_queue *q = &s->q[i];
                ssize_t maxsize = 0;

                CHECK_INT(green_queue_qsize(q->real), q->count);
                CHECK_INT(green_queue_getting(q->real), q->getters.n);
                CHECK_INT(green_queue_putting(q->real), q->putters.n);
                CHECK_INT(green_queue_unfinished(q->real), q->unfinished);
                CHECK_INT(green_queue_empty(q->real), q->count == 0);
                CHECK_INT(green_queue_full(q->real), q->count >= q->limit);
                CHECK_INT(green_queue_maxsize(q->real, &maxsize), 0);
                CHECK_INT(maxsize, q->limit == SIZE_MAX ? -1 : (ssize_t)q->limit);
        }
        CHECK_INT(green_semaphore_balance(s->semaphore, &balance), 0);
        CHECK_INT(balance, s->permits - (long)s->takers.n);
        CHECK_INT(green_event_ready(s->event), s->sent);
}

static void
run(enum green_queue_kind kind, ssize_t maxsize, bool may_close)
{
        static const struct model_spec spec = {.name = "queue",
                                               .ops = ops,
                                               .choose = choose,
                                               .perform = perform,
                                               .apply = apply,
                                               .leave = leave_all,
                                               .check = check};
        const struct green_queue_opts opts = {
                .size = sizeof(opts), .kind = kind, .compare = kind == GREEN_QUEUE_PRIORITY ? compare : NULL};
        static struct state s;

        s = (struct state){.kind = kind, .may_close = may_close, .permits = 1};
        s.semaphore = green_semaphore_new(1, NULL);
        s.event = green_event_new();
        for (int i = 0; i < 2; i++) {
                s.q[i].real = green_queue_new(maxsize, &opts);
                s.q[i].limit = maxsize < 0 ? SIZE_MAX : (size_t)maxsize;
        }
        model_run(&spec, NULL, &s);
        for (int i = 0; i < 2; i++) {
                void *item;

                while (s.q[i].count > 0) {
                        CHECK_INT(green_queue_get(s.q[i].real, &item, 0), 0);
                        CHECK_PTR(item, PTR(pop(&s, &s.q[i])));
                }
                CHECK_INT(green_queue_free(s.q[i].real), 0);
        }
        CHECK_INT(green_semaphore_free(s.semaphore), 0);
        CHECK_INT(green_event_free(s.event), 0);
}

static void
run_kind(enum green_queue_kind kind)
{
        static const ssize_t sizes[] = {0, 1, 3, -1};

        for (size_t i = 0; i < 4; i++)
                run(kind, sizes[i], i % 2 == kind % 2);
}

static void
light_queues_do_what_their_model_does(void)
{
        run_kind(GREEN_QUEUE_LIGHT);
}

static void
joinable_queues_do_what_their_model_does(void)
{
        run_kind(GREEN_QUEUE_JOINABLE);
}

static void
lifo_queues_do_what_their_model_does(void)
{
        run_kind(GREEN_QUEUE_LIFO);
}

static void
priority_queues_do_what_their_model_does(void)
{
        run_kind(GREEN_QUEUE_PRIORITY);
}

GREEN_SUITE(sync_queue_model) {
        GREEN_TEST(light_queues_do_what_their_model_does, .limit = 120),
        GREEN_TEST(joinable_queues_do_what_their_model_does, .limit = 120),
        GREEN_TEST(lifo_queues_do_what_their_model_does, .limit = 120),
        GREEN_TEST(priority_queues_do_what_their_model_does, .limit = 120),
        GREEN_SUITE_END
};
