/*
 * What a DAG pool tells of its keys.
 */
#include <errno.h>

#include <green/thread.h>

#include "dagpool_priv.h"

int
green_dagpool_get(green_dagpool *p, struct green_key key, void *otherwise, void **ret_value)
{
        const struct green__dag_entry *e;
        int rc = green__dag_enter(p, "green_dagpool_get");

        if (rc == 0)
                rc = green__dag_check_key(key, "green_dagpool_get");
        if (rc == 0 && ret_value == NULL)
                rc = green__misuse(-EINVAL, "green_dagpool_get: no ret_value");
        if (rc != 0)
                return rc;
        e = green__dag_find(p, key);
        if (e != NULL && e->failure != NULL)
                return green__dag_tell(green__dag_ref(e->failure));
        *ret_value = e != NULL && e->order != 0 ? e->value : otherwise;
        return 0;
}

static int
enter_list(green_dagpool *p, const void *list, size_t room, const char *function)
{
        int rc = green__dag_enter(p, function);

        if (rc == 0 && list == NULL && room > 0)
                rc = green__misuse(-EINVAL, "%s: room for %zu, and no pointer", function, room);
        return rc;
}

ssize_t
green_dagpool_keys(green_dagpool *p, struct green_key *ret_keys, size_t room)
{
        const struct green__dag_entry *e;
        int rc = enter_list(p, ret_keys, room, "green_dagpool_keys");

        if (rc != 0)
                return rc;
        e = p->there;
        for (size_t i = 0; i < room && e != NULL; i++, e = e->next_there)
                ret_keys[i] = e->key;
        return (ssize_t)p->nthere;
}

ssize_t
green_dagpool_items(green_dagpool *p, struct green_dag_item *ret_items, size_t room)
{
        struct green__dag_failure *failed = NULL;
        size_t i = 0;
        int rc = enter_list(p, ret_items, room, "green_dagpool_items");

        if (rc != 0)
                return rc;
        for (const struct green__dag_entry *e = p->there; e != NULL; e = e->next_there, i++) {
                if (i >= room && (p->nfailures == 0 || failed != NULL))
                        break;
                if (failed == NULL)
                        failed = e->failure;
                if (i < room)
                        ret_items[i] = (struct green_dag_item){e->key, e->failure == NULL ? e->value : NULL,
                                                               e->failure == NULL ? NULL : &e->failure->error};
        }
        return failed == NULL ? (ssize_t)p->nthere : green__dag_tell(green__dag_ref(failed));
}

/* Counts have no place for a code: 0, and the last error is set. */
size_t
green_dagpool_running(const green_dagpool *p)
{
        return green__dag_enter(p, "green_dagpool_running") == 0 ? p->running : 0;
}

size_t
green_dagpool_waiting(const green_dagpool *p)
{
        return green__dag_enter(p, "green_dagpool_waiting") == 0 ? p->waiting : 0;
}

ssize_t
green_dagpool_running_keys(green_dagpool *p, struct green_key *ret_keys, size_t room)
{
        const struct green__dag_task *t;
        int rc = enter_list(p, ret_keys, room, "green_dagpool_running_keys");

        if (rc != 0)
                return rc;
        t = p->tasks;
        for (size_t i = 0; i < room && t != NULL; i++, t = t->next) {
                ret_keys[i] = t->entry->key;
                t->entry->kept = true;
        }
        return (ssize_t)p->running;
}

ssize_t
green_dagpool_waiting_for(green_dagpool *p, struct green_key key, struct green_key *ret_keys, size_t room)
{
        const struct green__dag_entry *e;
        struct green__dag_text text;
        size_t n = 0;
        int rc = enter_list(p, ret_keys, room, "green_dagpool_waiting_for");

        if (rc == 0)
                rc = green__dag_check_key(key, "green_dagpool_waiting_for");
        if (rc != 0)
                return rc;
        e = green__dag_find(p, key);
        if (e != NULL && e->order != 0)
                return 0;
        if (e == NULL || e->task == NULL)
                return green_set_error(-ENOENT, "no task and no value with the key %s", green__dag_text(&text, key));
        for (size_t i = 0; i < e->task->results.n && n < room; i++) {
                const struct green__dag_node *node = &e->task->nodes[i];

                if (node->state != GREEN__DAG_LACKED)
                        continue;
                node->entry->kept = true;
                ret_keys[n++] = node->entry->key;
        }
        return (ssize_t)e->task->results.missing;
}
