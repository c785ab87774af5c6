/*
 * Random operations on a DAG pool, with kills and time limits, against a plain model of it; see model.h.
 *
 * A task does nothing by itself: when it has started it gives its cursor away, for actors to take from, and waits to be
 * told how to end. When it is told it ends in its turn, among the actors that were woken; so it is one of them for the
 * model, which ends it when that one resumes.
 */
#include "sync_help.h"

#include "model.h"

GREEN_SUITE_INIT(help_init)

enum { KEYS = 7, CURSORS = 3, ALL_CURSORS = CURSORS + KEYS, MOST_WAITED = 4 };

enum { POST, POST_ERROR, GET, GETITEM, WAIT, WAITALL, NEXT, EACH, SPAWN, SPAWN_KILL, END, KILL, KILL_THREAD };

static const char *const ops[] = {"post",
                                  "post_error",
                                  "get",
                                  "getitem",
                                  "wait",
                                  "waitall",
                                  "next",
                                  "each",
                                  "spawn",
                                  "kill at once",
                                  "end",
                                  "kill",
                                  "kill of the green thread"};

/* How a task ends. */
enum how { WITH_VALUE, WITH_FAILURE, WITH_WHAT_IT_MET, WITH_ITS_OWN_POST, HOWS };

/* A failure is told by a number: of the error that was posted, or of the code, where a task failed or was killed. */
enum { CODE_NUMBER = 2000000, NO_TASK = -77 };

/* Values and failures are numbered from here on, so that none of them, negative, is the code of something else. */
enum { FIRST_NUMBER = 100000 };

struct task {
        struct green_waitq bell;
        green_dag_results *results; /* while it waits to be told */
        green_thread *thread;
        enum how how;
        int number; /* its value, or of its failure */
};

struct model_of_key {
        int order; /* 0: nothing is there */
        int value;
        int failure; /* 0: none */
        bool task;
        int spawned;             /* order of its task */
        struct model_actor ends; /* stands for its task among those that were woken */
};

enum kind { EACH_OF, GOOD, BAD };

struct model_of_cursor {
        enum kind kind;
        bool in[KEYS], lacked[KEYS];
        int special[KEYS]; /* a failure in place of what the key has */
        int ready[KEYS], nready;
        int met;
        struct model_queue waiters;
};

struct state {
        green_dagpool *p;
        struct model_of_key keys[KEYS];
        struct task tasks[KEYS];
        green_dag_results *cursors[CURSORS];
        struct model_of_cursor cursor[ALL_CURSORS];
        int orders, spawns, next;
        struct model_queue waiting;      /* in green_dagpool_wait() and its kin */
        int waited[MODEL_ACTORS][KEYS];  /* the keys they wait for, */
        bool lacked[MODEL_ACTORS][KEYS]; /* those of them that have not come, */
        int nwaited[MODEL_ACTORS];       /* how many */
        int mask[MODEL_ACTORS];          /* keys that belong to an operation */
        enum how how[MODEL_ACTORS];
};

static const char names[] = "abcdefg";

static struct green_key
key_of(int k)
{
        return (struct green_key){names + k, 1};
}

static int
code_of(int failure)
{
        return -failure;
}

/* The number of the last error: that of its first cause. */
static int
told(void)
{
        const struct green_error *e = green_last_error();

        while (e->cause != NULL)
                e = e->cause;
        return code_of(e->value != NULL ? INT(e->value) : CODE_NUMBER - e->code);
}

/* ---- what happens in the model */

static bool
passed_over(const struct state *s, const struct model_of_cursor *c, int k, int *ret_failure)
{
        *ret_failure = c->special[k] != 0 ? c->special[k] : s->keys[k].failure;
        return *ret_failure == 0 ? c->kind == BAD : c->kind == GOOD;
}

static int
lacks(const struct model_of_cursor *c)
{
        int n = 0;

        for (int k = 0; k < KEYS; k++)
                n += c->in[k] && c->lacked[k];
        return n;
}

/* The code of a call that is given this key, and what comes out of it. */
static int
give(const struct state *s, struct model_of_cursor *c, int k, int failure, void **ret_value)
{
        if (failure != 0 && c->kind != BAD) {
                c->met = failure;
                return code_of(failure);
        }
        *ret_value = PTR(failure != 0 ? failure : s->keys[k].value);
        return 1;
}

static void
arrive_in_cursor(struct model *m, struct model_of_cursor *c, int k, int special)
{
        const struct state *s = m->state;
        struct model_actor *a = model_first(&c->waiters);
        int failure;

        c->lacked[k] = false;
        c->special[k] = special;
        if (a == NULL) {
                c->ready[c->nready++] = k;
                return;
        }
        if (!passed_over(s, c, k, &failure))
                model_wake(m, a, give(s, c, k, failure, &a->want_value));
        while (lacks(c) == 0 && (a = model_first(&c->waiters)) != NULL)
                model_wake(m, a, 0);
}

/* All have come: their values, as one number. */
static int
result_of(const struct state *s, const int *keys, int n, void **ret_value)
{
        intptr_t sum = 1;

        for (int i = 0; i < n; i++) {
                if (s->keys[keys[i]].failure != 0)
                        return code_of(s->keys[keys[i]].failure);
                sum += (intptr_t)s->keys[keys[i]].value * (i + 1);
        }
        *ret_value = PTR(sum);
        return 0;
}

static void
arrive_at_waiter(struct model *m, struct model_actor *a, int k, int special)
{
        struct state *s = m->state;
        int failure = special != 0 ? special : s->keys[k].failure, missing = 0, rc;
        unsigned i = a->index;

        if (!s->lacked[i][k])
                return;
        s->lacked[i][k] = false;
        for (int j = 0; j < KEYS; j++)
                missing += s->lacked[i][j];
        if (failure == 0 && missing > 0)
                return;
        rc = failure != 0 ? code_of(failure) : result_of(s, s->waited[i], s->nwaited[i], &a->want_value);
        if (a->op == WAITALL)
                a->want_value = NULL;
        model_wake(m, a, rc);
}

/* Something has come under a key; or will not come, as a failure tells those who lack it. */
static void
arrive(struct model *m, int k, int special)
{
        struct state *s = m->state;
        struct model_queue waiting = s->waiting;

        for (int i = 0; i < ALL_CURSORS; i++)
                if (s->cursor[i].in[k] && s->cursor[i].lacked[k])
                        arrive_in_cursor(m, &s->cursor[i], k, special);
        for (size_t i = 0; i < waiting.n; i++)
                arrive_at_waiter(m, waiting.actors[i], k, special);
}

static void
set(struct model *m, int k, int value, int failure)
{
        struct state *s = m->state;
        bool first = s->keys[k].order == 0;

        s->keys[k].value = value;
        s->keys[k].failure = failure;
        if (!first)
                return;
        s->keys[k].order = ++s->orders;
        arrive(m, k, 0);
}

/* A task has ended; failure is 0 where it has a value. */
static void
end_task(struct model *m, int k, int value, int failure, bool started)
{
        struct state *s = m->state;
        struct model_of_cursor *c = &s->cursor[CURSORS + k];
        struct model_actor *a;

        s->keys[k].task = false;
        while ((a = model_first(&c->waiters)) != NULL)
                model_wake(m, a, -ECANCELED);
        memset(c, 0, sizeof(*c));
        if (!started)
                arrive(m, k, failure);
        else if (s->keys[k].order == 0)
                set(m, k, value, failure);
}

/* A task runs: for the first time, or because it was told to end. */
static void
resume(struct model *m, struct model_actor *a)
{
        const struct state *s = m->state;
        const struct model_of_cursor *c;
        const struct task *t;
        int k = (int)a->arg;

        if (k >= KEYS || a != &s->keys[k].ends)
                return;
        c = &s->cursor[CURSORS + k];
        t = &s->tasks[k];
        if (t->how == WITH_ITS_OWN_POST)
                set(m, k, t->number, 0);
        if (t->how == WITH_VALUE || t->how == WITH_ITS_OWN_POST)
                end_task(m, k, t->number, 0, true);
        else if (t->how == WITH_FAILURE)
                end_task(m, k, 0, t->number, true);
        else
                end_task(m, k, 0, c->met != 0 ? c->met : CODE_NUMBER - GREEN_EPROPAGATE, true);
}

/* ---- operations for real */

static void *
task_main(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct task *t = arg;
        struct green_wait w;
        const struct green_error error = {-EIO, "told to", PTR(t->number), NULL};
        struct state *s = model_here->state;
        int rc;

        t->results = results;
        t->thread = green_getcurrent();
        rc = green_park(&t->bell, &w, GREEN_FOREVER);
        t->results = NULL;
        t->thread = NULL;
        if (rc != 0)
                return PTR(1);
        switch (t->how) {
        case WITH_FAILURE: {
                struct green_error e = error;

                e.value = PTR(t->number);
                return green_fail_error(&e);
        }
        case WITH_WHAT_IT_MET:
                return green_fail(GREEN_EPROPAGATE);
        case WITH_ITS_OWN_POST:
                CHECK_INT(green_dagpool_post(s->p, *key, PTR(t->number), false), 0);
                return PTR(5);
        default:
                return PTR(t->number);
        }
}

static size_t
keys_of(int mask, struct green_key *keys)
{
        size_t n = 0;

        for (int k = 0; k < KEYS; k++)
                if (mask & 1 << k)
                        keys[n++] = key_of(k);
        return n;
}

static int
perform_spawn(struct state *s, struct model_actor *a)
{
        struct green_key depends[KEYS];
        struct green_dag_task task = {.key = key_of((int)a->arg), .depends = depends, .fn = task_main};
        int rc;

        task.n = keys_of(s->mask[a->index], depends);
        task.arg = &s->tasks[a->arg];
        rc = green_dagpool_spawn(s->p, &task);
        if (rc == 0 && a->op == SPAWN_KILL)
                rc = green_dagpool_kill(s->p, key_of((int)a->arg));
        return rc;
}

static int
perform_wait(struct model *m, struct state *s, struct model_actor *a)
{
        struct green_key keys[KEYS];
        void *values[KEYS] = {NULL};
        intptr_t sum = 1;
        int rc, n = s->nwaited[a->index];

        for (int i = 0; i < n; i++)
                keys[i] = key_of(s->waited[a->index][i]);
        rc = a->op == GETITEM ? green_dagpool_getitem(s->p, keys[0], &values[0], model_limit(a))
                              : green_dagpool_wait(s->p, keys, (size_t)n, values, model_limit(a));
        (void)m;
        for (int i = 0; i < n; i++)
                sum += (intptr_t)values[i] * (i + 1);
        a->got = PTR(sum);
        return rc;
}

static green_dag_results *
real_cursor(const struct state *s, long i)
{
        return i < CURSORS ? s->cursors[i] : s->tasks[i - CURSORS].results;
}

static int
perform_next(struct state *s, struct model_actor *a)
{
        green_dag_results *r = real_cursor(s, a->arg);
        struct green_dag_item item;
        int rc;

        if (r == NULL) {
                rc = a->ticks == 0 ? 0 : green_checkpoint();
                return rc != 0 ? rc : NO_TASK;
        }
        rc = green_dag_next(r, &item, model_limit(a));
        if (rc == 1 && item.error != NULL) {
                (void)green_set_error_shared(item.error, NULL, NULL);
                a->got = PTR(-told());
                (void)green_set_error(-EIO, NULL);
        } else if (rc == 1) {
                a->got = item.value;
        }
        return rc;
}

static int
perform_each(struct state *s, const struct model_actor *a)
{
        struct green_key keys[KEYS];
        size_t n = keys_of(s->mask[a->index], keys);
        const struct green_key *given = s->mask[a->index] == 0 ? NULL : keys;
        int rc = green_dag_results_free(s->cursors[a->arg]);

        if (rc != 0)
                return rc;
        s->cursors[a->arg] = a->note == EACH_OF ? green_dagpool_wait_each(s->p, given, n)
                             : a->note == GOOD  ? green_dagpool_wait_each_success(s->p, given, n)
                                                : green_dagpool_wait_each_exception(s->p, given, n);
        CHECK(s->cursors[a->arg] != NULL);
        return 0;
}

static int
perform_end(struct state *s, struct model_actor *a)
{
        struct task *t = &s->tasks[a->arg];

        if (t->results == NULL || green_waitq_first(&t->bell) == NULL)
                return NO_TASK;
        t->how = s->how[a->index];
        t->number = INT(a->value);
        CHECK(green_wake_one(&t->bell, NULL));
        return 0;
}

static int
perform_one(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        const struct green_error error = {-EIO, "posted", a->value, NULL};
        struct green_key key = key_of((int)a->arg % KEYS);
        const struct task *t = &s->tasks[a->arg % KEYS];

        switch (a->op) {
        case POST:
                return green_dagpool_post(s->p, key, a->value, a->note == 1);
        case POST_ERROR:
                return green_dagpool_post_error(s->p, key, &error, a->note == 1);
        case GET:
                return green_dagpool_get(s->p, key, PTR(-99), &a->got);
        case WAITALL:
                return green_dagpool_waitall(s->p, model_limit(a));
        case NEXT:
                return perform_next(s, a);
        case EACH:
                return perform_each(s, a);
        case SPAWN:
        case SPAWN_KILL:
                return perform_spawn(s, a);
        case END:
                return perform_end(s, a);
        case KILL:
                return green_dagpool_kill(s->p, key);
        case KILL_THREAD:
                return t->results == NULL ? NO_TASK : green_kill(t->thread, -EOWNERDEAD);
        default:
                return perform_wait(m, s, a);
        }
}

static int
perform(struct model *m, struct model_actor *a)
{
        int rc = perform_one(m, a);

        return rc == GREEN_EPROPAGATE ? told() : rc;
}

/* ---- operations in the model */

static void
choose(struct model *m, struct model_actor *a)
{
        static const int often[] = {POST,       POST, POST_ERROR, GETITEM, GETITEM, WAIT,        WAIT,  WAITALL, NEXT,
                                    NEXT,       NEXT, NEXT,       NEXT,    EACH,    EACH,        SPAWN, SPAWN,   SPAWN,
                                    SPAWN_KILL, END,  END,        END,     KILL,    KILL_THREAD, GET};
        struct state *s = m->state;
        unsigned i = a->index;

        a->op = often[model_below(m, 25)];
        a->arg = (long)model_below(m, a->op == EACH ? CURSORS : a->op == NEXT ? ALL_CURSORS : KEYS);
        a->note = a->op == EACH ? (long)model_below(m, 3) : model_chance(m, 30);
        a->value = PTR(FIRST_NUMBER + ++s->next);
        s->mask[i] = (int)model_below(m, 1 << KEYS) & (int)model_below(m, 1 << KEYS);
        s->how[i] = (enum how)model_below(m, HOWS);
        s->nwaited[i] = a->op == GETITEM ? 1 : (int)model_below(m, MOST_WAITED + 1);
        for (int n = 0; n < s->nwaited[i]; n++)
                s->waited[i][n] = (int)model_below(m, KEYS);
        if (a->op != GETITEM && a->op != WAIT && a->op != WAITALL && a->op != NEXT)
                a->ticks = 0;
}

/* The first of some keys that has failed, in the order in which they got what they have; -1: none. */
static int
first_failed(const struct state *s, const int *keys, int n)
{
        int first = -1;

        for (int i = 0; i < n; i++)
                if (s->keys[keys[i]].failure != 0 && (first < 0 || s->keys[keys[i]].order < s->keys[first].order))
                        first = keys[i];
        return first;
}

static void
apply_wait(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        unsigned i = a->index;
        int missing = 0, failed;

        if (a->op == WAITALL) {
                s->nwaited[i] = 0;
                for (int k = 0; k < KEYS; k++)
                        if (s->keys[k].order != 0 || s->keys[k].task)
                                s->waited[i][s->nwaited[i]++] = k;
        }
        failed = first_failed(s, s->waited[i], s->nwaited[i]);
        memset(s->lacked[i], 0, sizeof(s->lacked[i]));
        for (int n = 0; n < s->nwaited[i]; n++) {
                int k = s->waited[i][n];

                s->lacked[i][k] = s->keys[k].order == 0;
                missing += s->lacked[i][k];
        }
        if (failed >= 0)
                model_done(a, code_of(s->keys[failed].failure));
        else if (missing == 0)
                model_done(a, result_of(s, s->waited[i], s->nwaited[i], &a->want_value));
        else
                model_wait(a, &s->waiting);
        if (a->op == WAITALL) {
                a->want_value = NULL;
                /* Only those that had no value are looked at in the end. */
                int n = 0;

                for (int j = 0; j < s->nwaited[i]; j++)
                        if (s->lacked[i][s->waited[i][j]])
                                s->waited[i][n++] = s->waited[i][j];
                s->nwaited[i] = n;
        }
}

static void
apply_next(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        struct model_of_cursor *c = &s->cursor[a->arg];

        if (a->arg >= CURSORS && !s->keys[a->arg - CURSORS].task) {
                model_done(a, NO_TASK);
                return;
        }
        while (c->nready > 0) {
                int k = c->ready[0], failure;

                c->nready--;
                memmove(c->ready, c->ready + 1, (size_t)c->nready * sizeof(c->ready[0]));
                if (passed_over(s, c, k, &failure))
                        continue;
                model_done(a, give(s, c, k, failure, &a->want_value));
                return;
        }
        if (lacks(c) == 0)
                model_done(a, 0);
        else
                model_wait(a, &c->waiters);
}

static void
begin_cursor(struct state *s, struct model_of_cursor *c, enum kind kind, int mask)
{
        memset(c, 0, sizeof(*c));
        c->kind = kind;
        for (int k = 0; k < KEYS; k++) {
                c->in[k] = mask & 1 << k;
                c->lacked[k] = s->keys[k].order == 0;
        }
        for (int order = 1; order <= s->orders; order++)
                for (int k = 0; k < KEYS; k++)
                        if (c->in[k] && s->keys[k].order == order)
                                c->ready[c->nready++] = k;
}

static void
apply_each(struct model_actor *a, struct state *s)
{
        int mask = s->mask[a->index];

        if (s->cursor[a->arg].waiters.n > 0) {
                model_done(a, -EBUSY);
                return;
        }
        for (int k = 0; k < KEYS && s->mask[a->index] == 0; k++)
                if (s->keys[k].order != 0 || s->keys[k].task)
                        mask |= 1 << k;
        begin_cursor(s, &s->cursor[a->arg], (enum kind)a->note, mask);
        model_done(a, 0);
}

static void
apply_spawn(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        int k = (int)a->arg;
        struct model_of_key *key = &s->keys[k];

        model_done(a, key->task || key->order != 0 ? GREEN_ECOLLISION : 0);
        if (a->want != 0)
                return;
        key->task = true;
        key->spawned = ++s->spawns;
        begin_cursor(s, &s->cursor[CURSORS + k], EACH_OF, s->mask[a->index]);
        if (a->op == SPAWN_KILL)
                end_task(m, k, 0, CODE_NUMBER - GREEN_EKILLED, false);
}

static void
apply_task(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        int k = (int)a->arg;

        if (!s->keys[k].task) {
                model_done(a, a->op == KILL ? -ENOENT : NO_TASK);
                return;
        }
        model_done(a, 0);
        if (a->op == END) {
                s->keys[k].ends.arg = k;
                model_push(&m->woken, &s->keys[k].ends);
        } else {
                end_task(m, k, 0, CODE_NUMBER - (a->op == KILL ? GREEN_EKILLED : -EOWNERDEAD), true);
        }
}

static void
apply_post(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        const struct model_of_key *key = &s->keys[a->arg];

        model_done(a, key->task || (key->order != 0 && a->note != 1) ? GREEN_ECOLLISION : 0);
        if (a->want == 0)
                set(m, (int)a->arg, a->op == POST ? INT(a->value) : 0, a->op == POST ? 0 : INT(a->value));
}

static void
apply(struct model *m, struct model_actor *a)
{
        struct state *s = m->state;
        const struct model_of_key *key = &s->keys[a->arg % KEYS];

        switch (a->op) {
        case POST:
        case POST_ERROR:
                apply_post(m, a);
                break;
        case GET:
                model_done(a, key->failure != 0 ? code_of(key->failure) : 0);
                a->want_value = PTR(key->order != 0 ? key->value : -99);
                break;
        case NEXT:
                apply_next(m, a);
                break;
        case EACH:
                apply_each(a, s);
                break;
        case SPAWN:
        case SPAWN_KILL:
                apply_spawn(m, a);
                break;
        case END:
        case KILL:
        case KILL_THREAD:
                apply_task(m, a);
                break;
        default:
                apply_wait(m, a);
        }
}

/* ---- what the pool tells of itself */

static void
check_list(const struct green_key *got, ssize_t n, const char *want)
{
        char text[KEYS + 1] = "";

        for (ssize_t i = 0; i < n && i < KEYS; i++)
                text[i] = *(const char *)got[i].data;
        CHECK_STR(text, want);
}

static void
check_missing(const struct state *s, int k)
{
        const struct model_of_cursor *c = &s->cursor[CURSORS + k];
        struct green_key got[KEYS];
        char want[KEYS + 1] = "";
        ssize_t n = green_dagpool_waiting_for(s->p, key_of(k), got, KEYS);

        if (s->keys[k].order == 0 && !s->keys[k].task) {
                CHECK_INT(n, -ENOENT);
                return;
        }
        for (int i = 0; i < KEYS && s->keys[k].order == 0; i++)
                if (c->in[i] && c->lacked[i])
                        want[strlen(want)] = names[i];
        check_list(got, n, want);
}

static void
check(struct model *m)
{
        const struct state *s = m->state;
        char there[KEYS + 1] = "", running[KEYS + 1] = "";
        struct green_key got[KEYS];
        size_t waiting = 0;

        for (int order = 1; order <= s->orders || order <= s->spawns; order++)
                for (int k = 0; k < KEYS; k++) {
                        if (s->keys[k].order == order)
                                there[strlen(there)] = names[k];
                        if (s->keys[k].task && s->keys[k].spawned == order)
                                running[strlen(running)] = names[k];
                }
        for (int k = 0; k < KEYS; k++) {
                waiting += s->keys[k].task && lacks(&s->cursor[CURSORS + k]) > 0;
                check_missing(s, k);
        }
        check_list(got, green_dagpool_keys(s->p, got, KEYS), there);
        check_list(got, green_dagpool_running_keys(s->p, got, KEYS), running);
        CHECK_INT(green_dagpool_running(s->p), strlen(running));
        CHECK_INT(green_dagpool_waiting(s->p), waiting);
}

/* ---- runs */

static void
begin_pool(struct state *s)
{
        s->p = green_dagpool_new(NULL, 0);
        for (int i = 0; i < CURSORS; i++)
                s->cursors[i] = green_dagpool_wait_each(s->p, NULL, 0);
        for (int i = 0; i < ALL_CURSORS; i++)
                begin_cursor(s, &s->cursor[i], EACH_OF, 0);
}

static void
end_pool(struct state *s)
{
        for (int i = 0; i < CURSORS; i++)
                CHECK_INT(green_dag_results_free(s->cursors[i]), 0);
        CHECK_INT(green_dagpool_free(s->p), 0);
}

/* Keys that have something keep it, so now and then all get something, and another pool takes its place. */
static void
renew(struct model *m)
{
        struct state *s = m->state;

        model_settle(m);
        model_note(m, "another pool");
        for (int k = 0; k < KEYS; k++)
                if (s->keys[k].task) {
                        CHECK_INT(green_dagpool_kill(s->p, key_of(k)), 0);
                        end_task(m, k, 0, CODE_NUMBER - GREEN_EKILLED, true);
                } else if (s->keys[k].order == 0) {
                        CHECK_INT(green_dagpool_post(s->p, key_of(k), PTR(k), false), 0);
                        set(m, k, k, 0);
                }
        model_settle(m);
        if (model_failed(m))
                return;
        end_pool(s);
        memset(s->keys, 0, sizeof(s->keys));
        s->orders = s->spawns = 0;
        begin_pool(s);
}

static void
check_and_renew(struct model *m)
{
        check(m);
        if (!model_failed(m) && model_below(m, 60) == 0)
                renew(m);
}

static void
run(void)
{
        static const struct model_spec spec = {.name = "dagpool",
                                               .ops = ops,
                                               .choose = choose,
                                               .perform = perform,
                                               .apply = apply,
                                               .resume = resume,
                                               .check = check_and_renew};
        static struct state s;

        memset(&s, 0, sizeof(s));
        begin_pool(&s);
        model_run(&spec, NULL, &s);
        if (suite_failures() != 0)
                return;
        for (int k = 0; k < KEYS; k++)
                if (s.keys[k].task)
                        CHECK_INT(green_dagpool_kill(s.p, key_of(k)), 0);
        end_pool(&s);
}

static void
a_pool_does_what_its_model_does(void)
{
        for (int i = 0; i < 5 && suite_failures() == 0; i++)
                run();
}

GREEN_SUITE(sync_dagpool_model) {
        GREEN_TEST(a_pool_does_what_its_model_does, .limit = 120),
        GREEN_SUITE_END
};
