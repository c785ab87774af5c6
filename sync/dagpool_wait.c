/*
 * Waiting until keys of a DAG pool have values.
 */
#include <errno.h>

#include "dagpool_priv.h"

/* A failure, and a key that may have another: the one that came first. */
static struct green__dag_entry *
earlier(struct green__dag_entry *a, struct green__dag_entry *b)
{
        return b->failure == NULL || (a != NULL && a->order < b->order) ? a : b;
}

/* Do it without a wait, if that can be: 1 if it cannot. Nothing is written where it fails. */
static int
try_all(green_dagpool *p, const struct green_key *keys, size_t n, void **ret_values)
{
        struct green__dag_entry *e, *failed = NULL;
        bool missing = false;

        for (size_t i = 0; i < n; i++) {
                e = green__dag_find(p, keys[i]);
                if (e == NULL || e->order == 0)
                        missing = true;
                else
                        failed = earlier(failed, e);
        }
        if (failed != NULL)
                return green__dag_tell(green__dag_ref(failed->failure));
        if (missing)
                return 1;
        for (size_t i = 0; i < n && ret_values != NULL; i++)
                ret_values[i] = green__dag_find(p, keys[i])->value;
        return 0;
}

/* Wait in a cursor of kind GREEN__DAG_ALL. Who ends the wait frees it. */
static int
wait_in(green_dag_results *c, void **ret_values, double timeout)
{
        struct green__dag_handed h = {.values = ret_values};
        struct green_wait w;
        int rc;

        w.value = &h;
        rc = green_park(&c->waiters, &w, timeout);
        if (rc != 0) {
                green__dag_cursor_free(c);
                return rc;
        }
        return h.rc == GREEN_EPROPAGATE ? green__dag_tell(h.failure) : 0;
}

static int
no_memory(green_dag_results *c)
{
        if (c != NULL)
                green__dag_cursor_free(c);
        return green_set_error(-ENOMEM, NULL);
}

static int
wait_for(green_dagpool *p, const struct green_key *keys, size_t n, void **ret_values, double timeout,
         const char *function)
{
        green_dag_results *c;
        green_thread *self;
        int rc = green__dag_enter_wait(p, function, timeout, &self);

        if (rc != 0)
                return rc;
        if (keys == NULL && n > 0)
                return green__misuse(-EINVAL, "%s: no keys", function);
        for (size_t i = 0; i < n; i++)
                if ((rc = green__dag_check_key(keys[i], function)) != 0)
                        return rc;
        rc = try_all(p, keys, n, ret_values);
        if (rc != 1)
                return rc;
        if (timeout == 0)
                return -ETIMEDOUT;
        if (self == NULL)
                return green__no_wait(GREEN__DAG_WHAT);
        c = green__dag_cursor_new(p, GREEN__DAG_ALL, n);
        if (c == NULL)
                return no_memory(NULL);
        for (size_t i = 0; i < n; i++)
                if (green__dag_cursor_add(c, keys[i]) != 0)
                        return no_memory(c);
        return wait_in(c, ret_values, timeout);
}

int
green_dagpool_wait(green_dagpool *p, const struct green_key *keys, size_t n, void **ret_values, double timeout)
{
        return wait_for(p, keys, n, ret_values, timeout, "green_dagpool_wait");
}

int
green_dagpool_getitem(green_dagpool *p, struct green_key key, void **ret_value, double timeout)
{
        return wait_for(p, &key, 1, ret_value, timeout, "green_dagpool_getitem");
}

/* What has a value has it; only failures and tasks need be looked at. */
int
green_dagpool_waitall(green_dagpool *p, double timeout)
{
        green_dag_results *c;
        green_thread *self;
        int rc = green__dag_enter_wait(p, "green_dagpool_waitall", timeout, &self);

        if (rc != 0)
                return rc;
        for (struct green__dag_entry *e = p->nfailures == 0 ? NULL : p->there; e != NULL; e = e->next_there)
                if (e->failure != NULL)
                        return green__dag_tell(green__dag_ref(e->failure));
        c = green__dag_cursor_new(p, GREEN__DAG_ALL, p->running);
        if (c == NULL)
                return no_memory(NULL);
        for (struct green__dag_task *t = p->tasks; t != NULL; t = t->next)
                if (t->entry->order == 0)
                        green__dag_cursor_add_entry(c, t->entry);
        if (c->missing > 0 && timeout != 0 && self != NULL)
                return wait_in(c, NULL, timeout);
        rc = c->missing == 0 ? 0 : timeout == 0 ? -ETIMEDOUT : green__no_wait(GREEN__DAG_WHAT);
        green__dag_cursor_free(c);
        return rc;
}
