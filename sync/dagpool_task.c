/*
 * Tasks of DAG pools: a green thread each, whose result is the value of its key.
 */
#include <errno.h>
#include <string.h>

#include <green/alloc.h>
#include <green/thread.h>

#include "dagpool_priv.h"
#include "fork.h"

/* ---- how a task ends */

static void
link_task(green_dagpool *p, struct green__dag_task *t)
{
        t->entry->task = t;
        t->next = NULL;
        t->prev = p->last_task;
        if (p->last_task != NULL)
                p->last_task->next = t;
        else
                p->tasks = t;
        p->last_task = t;
        p->running++;
        if (t->results.missing > 0)
                p->waiting++;
}

static void
unlink_task(green_dagpool *p, struct green__dag_task *t)
{
        if (t->prev != NULL)
                t->prev->next = t->next;
        else
                p->tasks = t->next;
        if (t->next != NULL)
                t->next->prev = t->prev;
        else
                p->last_task = t->prev;
        p->running--;
        if (t->results.missing > 0)
                p->waiting--;
        t->entry->task = NULL;
}

/* Does it pass on what its cursor has told it? It may do so with a copy of that, causes and all. */
static bool
passes_on(const struct green__dag_failure *met, int code, const struct green_error *error)
{
        if (met == NULL || code != GREEN_EPROPAGATE)
                return false;
        return error == NULL || error->value == met->error.value || (error->value == NULL && error->cause == NULL);
}

/* What is posted for a task that has failed. Where there is no memory for it, it is part of the task. */
static struct green__dag_failure *
failure_of(struct green__dag_task *t, int code, const struct green_error *error)
{
        const struct green_error bare = {.code = code, .message = green_strerror(code)};
        struct green__dag_failure *from = passes_on(t->results.met, code, error) ? t->results.met : NULL;
        struct green__dag_failure *f = green__dag_fail(t->entry->key, from, error != NULL ? error : &bare);

        if (f != NULL)
                return f;
        t->entry->kept = true; /* it is that one's bytes that it tells */
        return green__dag_fail_in(&t->spare, t, t->entry->key, from, code);
}

/*
 * A task has ended, with a result, or with a code and, where there was memory for one, an error. If it has posted under
 * its key itself, that was all. If it had not started, its key is as it was before; but those who lack it would wait in
 * vain, so they get the failure.
 */
static void
end_task(struct green__dag_task *t, int code, void *result, const struct green_error *error)
{
        green_dagpool *p = t->results.pool;
        struct green__dag_entry *e = t->entry;
        struct green__dag_failure *f = NULL;
        bool is_spare;

        unlink_task(p, t);
        if (code != 0 && e->order == 0 && (t->started || e->first != NULL))
                f = failure_of(t, code, error);
        is_spare = f == &t->spare;
        green_wake_all(&t->results.waiters, -ECANCELED);
        /* The task's own cursor may be about its own key. */
        e->users++;
        green__dag_cursor_fini(&t->results);
        e->users--;
        green_thread_unref(t->thread);
        if (!t->started) {
                if (f != NULL)
                        green__dag_arrive(p, e, f);
                else
                        green__dag_drop(p, e);
                green__dag_unref(f);
        } else if (e->order == 0) {
                green__dag_set(p, e, result, f);
        }
        if (!is_spare)
                green_free(t);
}

/* The link: however its green thread ended. */
static void
ended(green_thread *gt, void *arg)
{
        struct green__dag_task *t = arg;
        const struct green_error *error = green_thread_error(gt);
        void *result = NULL;
        int code = error != NULL ? error->code : GREEN_EKILLED;

        /* It has ended, and its clean-up hides all scopes; where it never began this is the killer, and that may wait.
         */
        if (t->started)
                code = green_thread_wait(gt, &result);
        end_task(t, code, result, error);
}

static void
reap_tasks(green_dagpool *p)
{
        struct green__dag_task *next;

        for (struct green__dag_task *t = p->tasks; t != NULL; t = next) {
                next = t->next;
                if (green_thread_dead(t->thread))
                        end_task(t, GREEN_EKILLED, NULL, NULL);
        }
}

/* Those that wait in green_dagpool_wait() stand in its queue; who was forgotten there stands in none. */
static void
reap_cursors(green_dagpool *p)
{
        green_dag_results *next;

        for (green_dag_results *c = p->cursors; c != NULL; c = next) {
                next = c->next;
                if (c->kind == GREEN__DAG_ALL && green_waitq_first(&c->waiters) == NULL)
                        green__dag_cursor_free(c);
        }
}

void
green__dag_reap(green_dagpool *p)
{
        p->forks = green__sync_forks;
        reap_cursors(p);
        reap_tasks(p);
}

/* ---- spawn and kill */

static void *
run(void *arg)
{
        struct green__dag_task *t = arg;

        t->started = true;
        return t->fn(&t->entry->key, &t->results, t->arg);
}

static int
check_task(const struct green_dag_task *task, const char *function)
{
        int rc;

        if (task == NULL || task->fn == NULL)
                return green__misuse(-EINVAL, "%s: no %s", function, task == NULL ? "task" : "function");
        if (task->depends == NULL && task->n > 0)
                return green__misuse(-EINVAL, "%s: no keys where there should be %zu", function, task->n);
        rc = green__dag_check_key(task->key, function);
        for (size_t i = 0; i < task->n && rc == 0; i++)
                rc = green__dag_check_key(task->depends[i], function);
        return rc;
}

/* All of it but the green thread; NULL where memory ran out. */
static struct green__dag_task *
make(green_dagpool *p, struct green__dag_entry *e, const struct green_dag_task *task)
{
        struct green__dag_task *t;

        if (task->n > (SIZE_MAX - sizeof(*t)) / sizeof(t->nodes[0]))
                return NULL;
        t = green_malloc(sizeof(*t) + task->n * sizeof(t->nodes[0]));
        if (t == NULL)
                return NULL;
        t->entry = e;
        t->fn = task->fn;
        t->arg = task->arg;
        t->started = false;
        green__dag_cursor_init(&t->results, p, GREEN__DAG_EACH, t->nodes);
        t->results.task = t;
        for (size_t i = 0; i < task->n; i++)
                if (green__dag_cursor_add(&t->results, task->depends[i]) != 0) {
                        green__dag_cursor_fini(&t->results);
                        green_free(t);
                        return NULL;
                }
        green__dag_cursor_begin(&t->results);
        return t;
}

/* Give it its green thread. */
static int
start(struct green__dag_task *t)
{
        t->thread = green_spawn(run, t);
        if (t->thread == NULL)
                return green_last_error()->code;
        if (green_thread_link(t->thread, ended, t) == 0)
                return 0;
        (void)green_thread_cancel(t->thread, 0);
        green_thread_unref(t->thread);
        return -ENOMEM;
}

static int
collision(struct green_key key, const char *why)
{
        struct green__dag_text text;

        return green_set_error(GREEN_ECOLLISION, "Collision(%s): the key %s", green__dag_text(&text, key), why);
}

int
green__dag_collides(const struct green__dag_entry *e, bool replace)
{
        if (e->task != NULL && e->task->thread != green_getcurrent())
                return collision(e->key, "has a task that has not ended");
        if (e->order != 0 && !replace)
                return collision(e->key, "has a value already");
        return 0;
}

static int
spawn(green_dagpool *p, const struct green_dag_task *task, const char *function)
{
        struct green__dag_entry *e;
        struct green__dag_task *t;
        int rc = check_task(task, function);

        if (rc != 0)
                return rc;
        e = green__dag_get(p, task->key);
        if (e == NULL)
                return green_set_error(-ENOMEM, NULL);
        if (e->task != NULL)
                return collision(e->key, "has a task that has not ended");
        if (e->order != 0)
                return collision(e->key, "has a value already");
        e->users++;
        t = make(p, e, task);
        rc = t == NULL ? -ENOMEM : start(t);
        e->users--;
        if (rc == 0) {
                link_task(p, t);
                return 0;
        }
        if (t != NULL) {
                green__dag_cursor_fini(&t->results);
                green_free(t);
        }
        green__dag_drop(p, e);
        return green_set_error(rc, NULL);
}

int
green_dagpool_spawn(green_dagpool *p, const struct green_dag_task *task)
{
        int rc = green__dag_enter(p, "green_dagpool_spawn");

        return rc != 0 ? rc : spawn(p, task, "green_dagpool_spawn");
}

int
green_dagpool_spawn_many(green_dagpool *p, const struct green_dag_task *tasks, size_t n)
{
        int rc = green__dag_enter(p, "green_dagpool_spawn_many");

        if (rc == 0 && tasks == NULL && n > 0)
                rc = green__misuse(-EINVAL, "green_dagpool_spawn_many: no tasks");
        for (size_t i = 0; i < n && rc == 0; i++)
                rc = spawn(p, &tasks[i], "green_dagpool_spawn_many");
        return rc;
}

int
green_dagpool_kill(green_dagpool *p, struct green_key key)
{
        struct green__dag_entry *e;
        struct green__dag_text text;
        green_thread *gt;
        int rc = green__dag_enter(p, "green_dagpool_kill");

        if (rc == 0)
                rc = green__dag_check_key(key, "green_dagpool_kill");
        if (rc != 0)
                return rc;
        e = green__dag_find(p, key);
        if (e == NULL || e->task == NULL)
                return green_set_error(-ENOENT, "no task with the key %s, or it has ended",
                                       green__dag_text(&text, key));
        /* It may have ended when this comes back, and the pool may be gone. */
        gt = green_thread_ref(e->task->thread);
        rc = green_kill(gt, 0);
        green_thread_unref(gt);
        return rc;
}
