/*
 * DAG pools: the pool itself, and posting. See <green/dagpool.h>.
 */
#include <errno.h>
#include <string.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/thread.h>

#include "dagpool_priv.h"
#include "fork.h"
#include "object.h"

/* ---- entering */

int
green__dag_check_key(struct green_key key, const char *function)
{
        if (key.data == NULL && key.len > 0)
                return green__misuse(-EINVAL, "%s: a key of %zu bytes, and no data", function, key.len);
        return 0;
}

static inline void
look_for_forks(const green_dagpool *p)
{
        if (green__unlikely(p->forks != green__sync_forks))
                green__dag_reap((green_dagpool *)(uintptr_t)p);
}

int
green__dag_enter(const green_dagpool *p, const char *function)
{
        int rc;

        if (green__unlikely(p == NULL))
                return green__misuse(-EINVAL, "%s: no pool", function);
        rc = green_hub_check(p->hub, GREEN__DAG_WHAT);
        if (green__likely(rc == 0))
                look_for_forks(p);
        return rc;
}

int
green__dag_enter_wait(green_dagpool *p, const char *function, double timeout, green_thread **ret_self)
{
        int rc;

        if (green__unlikely(p == NULL))
                return green__misuse(-EINVAL, "%s: no pool", function);
        rc = green_park_check(p->hub, GREEN__DAG_WHAT, timeout, ret_self);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, GREEN__DAG_WHAT);
        look_for_forks(p);
        return 0;
}

/* ---- values */

void
green__dag_set(green_dagpool *p, struct green__dag_entry *e, void *value, struct green__dag_failure *failure)
{
        struct green__dag_failure *old = e->failure;
        bool first = e->order == 0;

        p->nfailures += (size_t)(failure != NULL) - (size_t)(old != NULL);
        e->value = value;
        e->failure = failure;
        green__dag_unref(old);
        if (!first)
                return;
        e->order = ++p->orders;
        *p->there_end = e;
        p->there_end = &e->next_there;
        p->nthere++;
        green__dag_arrive(p, e, NULL);
}

/* The entry under which something may be posted. */
static int
place_for(green_dagpool *p, struct green_key key, bool replace, const char *function,
          struct green__dag_entry **ret_entry)
{
        struct green__dag_entry *e;
        int rc = green__dag_enter(p, function);

        if (rc == 0)
                rc = green__dag_check_key(key, function);
        if (rc != 0)
                return rc;
        e = green__dag_get(p, key);
        if (e == NULL) {
                green_set_error(-ENOMEM, NULL);
                return -ENOMEM;
        }
        *ret_entry = e;
        return green__dag_collides(e, replace);
}

int
green_dagpool_post(green_dagpool *p, struct green_key key, void *value, bool replace)
{
        struct green__dag_entry *e = NULL;
        int rc = place_for(p, key, replace, "green_dagpool_post", &e);

        if (rc == 0)
                green__dag_set(p, e, value, NULL);
        return rc;
}

int
green_dagpool_post_error(green_dagpool *p, struct green_key key, const struct green_error *cause, bool replace)
{
        struct green__dag_failure *f;
        struct green__dag_entry *e = NULL;
        int rc;

        if (cause == NULL || cause->code >= 0)
                return green__misuse(-EINVAL, "green_dagpool_post_error: no cause, or its code is not negative");
        rc = place_for(p, key, replace, "green_dagpool_post_error", &e);
        if (rc != 0)
                return rc;
        f = green__dag_fail(key, NULL, cause);
        if (f == NULL) {
                green__dag_drop(p, e);
                return green_set_error(-ENOMEM, NULL);
        }
        green__dag_set(p, e, NULL, f);
        return 0;
}

/* ---- making and freeing */

static void
release(green_dagpool *p)
{
        green__dag_keys_free(p);
        green_hub_unref(p->home);
        green_free(p);
}

static int
load(green_dagpool *p, const struct green_dag_item *preload, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int rc;

                if (preload[i].error != NULL)
                        return green__misuse(-EINVAL, "green_dagpool_new: an error among the values");
                rc = green_dagpool_post(p, preload[i].key, preload[i].value, false);
                if (rc != 0)
                        return rc == GREEN_ECOLLISION ? green__misuse(-EINVAL, "green_dagpool_new: a key twice") : rc;
        }
        return 0;
}

green_dagpool *
green_dagpool_new(const struct green_dag_item *preload, size_t n)
{
        green_hub *home = green_get_hub();
        green_dagpool *p;
        uint64_t hub;

        if (home == NULL)
                return NULL;
        if (preload == NULL && n > 0) {
                green__misuse(-EINVAL, "green_dagpool_new: no items where there should be %zu", n);
                return NULL;
        }
        p = green__object_new(sizeof(*p), &hub);
        if (p == NULL)
                return NULL;
        if (green__dag_keys_init(p) != 0) {
                green_free(p);
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        green__sync_fork_install();
        p->hub = hub;
        p->home = green_hub_ref(home);
        p->forks = green__sync_forks;
        p->there_end = &p->there;
        if (load(p, preload, n) != 0) {
                release(p);
                return NULL;
        }
        return p;
}

static void
nothing(void *arg)
{
        (void)arg;
}

/*
 * The hub has ended, and with it the green threads of those tasks that it did not let run out. Nobody is left who could
 * wait or use a cursor.
 */
static void
abandon(green_dagpool *p)
{
        while (p->cursors != NULL)
                green__dag_cursor_free(p->cursors);
        while (p->tasks != NULL) {
                struct green__dag_task *t = p->tasks;

                p->tasks = t->next;
                t->entry->task = NULL;
                green__dag_cursor_fini(&t->results);
                green_free(t);
        }
        p->running = 0;
}

int
green_dagpool_free(green_dagpool *p)
{
        if (p == NULL)
                return 0;
        if (p->hub != green_hub_ident()) {
                if (green_hub_post(p->home, nothing, NULL) != GREEN_ECLOSED)
                        return green_hub_check(p->hub, GREEN__DAG_WHAT);
                abandon(p);
        } else {
                look_for_forks(p);
        }
        if (p->running > 0)
                return green__misuse(-EBUSY, "a DAG pool with tasks that have not ended cannot be freed");
        if (p->cursors != NULL)
                return green__misuse(-EBUSY, "a DAG pool that somebody waits for, or with a cursor, cannot be freed");
        release(p);
        return 0;
}
