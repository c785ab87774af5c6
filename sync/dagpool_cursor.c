/*
 * Cursors of DAG pools: values in the order in which they became available.
 *
 * A cursor has a node for each of its keys. Until the key has a value the node stands in the key's list; what arrives
 * moves it to the cursor's, or is handed to one that waits there. So a value costs as much as there are nodes that lack
 * it, and an arrival costs the same however many the cursor has.
 */
#include <errno.h>
#include <string.h>

#include <green/alloc.h>
#include <green/thread.h>

#include "dagpool_priv.h"

/* ---- making and freeing */

void
green__dag_cursor_init(green_dag_results *c, green_dagpool *p, enum green__dag_kind kind, struct green__dag_node *nodes)
{
        memset(c, 0, sizeof(*c));
        c->pool = p;
        c->kind = kind;
        c->nodes = nodes;
        c->ready_end = &c->ready;
        c->serial = ++p->cursor_serials;
}

static inline void
append_ready(green_dag_results *c, struct green__dag_node *n)
{
        n->next = NULL;
        *c->ready_end = n;
        c->ready_end = &n->next;
}

static inline void
lack(struct green__dag_entry *e, struct green__dag_node *n)
{
        n->next = NULL;
        n->prev = e->last;
        if (e->last != NULL)
                e->last->next = n;
        else
                e->first = n;
        e->last = n;
}

static inline void
lack_no_more(struct green__dag_entry *e, struct green__dag_node *n)
{
        if (n->prev != NULL)
                n->prev->next = n->next;
        else
                e->first = n->next;
        if (n->next != NULL)
                n->next->prev = n->prev;
        else
                e->last = n->prev;
}

void
green__dag_cursor_add_entry(green_dag_results *c, struct green__dag_entry *e)
{
        struct green__dag_node *n;

        if (e->cursor == c->serial && c->kind != GREEN__DAG_ALL)
                return;
        n = &c->nodes[c->n++];
        *n = (struct green__dag_node){.cursor = c, .entry = e, .state = GREEN__DAG_LACKED};
        e->cursor = c->serial;
        e->users++;
        if (e->order == 0) {
                lack(e, n);
                c->missing++;
        } else {
                n->state = GREEN__DAG_ARRIVED;
                append_ready(c, n);
        }
}

int
green__dag_cursor_add(green_dag_results *c, struct green_key key)
{
        struct green__dag_entry *e = green__dag_get(c->pool, key);

        if (e == NULL)
                return -ENOMEM;
        green__dag_cursor_add_entry(c, e);
        return 0;
}

static struct green__dag_node *
merge(struct green__dag_node *a, struct green__dag_node *b)
{
        struct green__dag_node *first = NULL, **end = &first;

        while (a != NULL && b != NULL) {
                struct green__dag_node **earlier = a->entry->order < b->entry->order ? &a : &b;

                *end = *earlier;
                end = &(*earlier)->next;
                *earlier = *end;
        }
        *end = a != NULL ? a : b;
        return first;
}

/* Cut off as many of the first as are in order. */
static struct green__dag_node *
cut_run(struct green__dag_node **list)
{
        struct green__dag_node *first = *list, *n = first;

        while (n->next != NULL && n->entry->order < n->next->entry->order)
                n = n->next;
        *list = n->next;
        n->next = NULL;
        return first;
}

/* Runs that are in order are merged as the digits of a binary number are carried: what comes in order costs one look.
 */
void
green__dag_cursor_begin(green_dag_results *c)
{
        struct green__dag_node *list = c->ready, *carried[64] = {NULL}, *sorted = NULL;

        if (list == NULL || list->next == NULL || c->kind == GREEN__DAG_ALL)
                return;
        while (list != NULL) {
                struct green__dag_node *run = cut_run(&list);
                size_t i = 0;

                for (; carried[i] != NULL; i++) {
                        run = merge(carried[i], run);
                        carried[i] = NULL;
                }
                carried[i] = run;
        }
        for (size_t i = 0; i < 64; i++)
                if (carried[i] != NULL)
                        sorted = sorted == NULL ? carried[i] : merge(sorted, carried[i]);
        c->ready = sorted;
        while (sorted->next != NULL)
                sorted = sorted->next;
        c->ready_end = &sorted->next;
}

void
green__dag_cursor_fini(green_dag_results *c)
{
        for (size_t i = 0; i < c->n; i++) {
                struct green__dag_node *n = &c->nodes[i];

                if (n->state == GREEN__DAG_LACKED)
                        lack_no_more(n->entry, n);
                green__dag_unref(n->failure);
                n->entry->users--;
                green__dag_drop(c->pool, n->entry);
        }
        c->n = 0;
        green__dag_unref(c->met);
        c->met = NULL;
}

green_dag_results *
green__dag_cursor_new(green_dagpool *p, enum green__dag_kind kind, size_t n)
{
        green_dag_results *c;

        if (n > (SIZE_MAX - sizeof(*c)) / sizeof(struct green__dag_node))
                return NULL;
        c = green_malloc(sizeof(*c) + n * sizeof(struct green__dag_node));
        if (c == NULL)
                return NULL;
        green__dag_cursor_init(c, p, kind, (struct green__dag_node *)(c + 1));
        c->at = &p->cursors;
        c->next = p->cursors;
        if (c->next != NULL)
                c->next->at = &c->next;
        p->cursors = c;
        return c;
}

void
green__dag_cursor_free(green_dag_results *c)
{
        green__dag_cursor_fini(c);
        *c->at = c->next;
        if (c->next != NULL)
                c->next->at = c->at;
        green_free(c);
}

/* ---- delivery */

/* A node's turn has come: what to deliver. False if it is passed over. */
static bool
take(green_dag_results *c, struct green__dag_node *n, struct green__dag_handed *h)
{
        struct green__dag_entry *e = n->entry;
        struct green__dag_failure *f = n->failure != NULL ? n->failure : e->failure;

        n->state = GREEN__DAG_DONE;
        if (f == NULL ? c->kind == GREEN__DAG_EXCEPTION : c->kind == GREEN__DAG_SUCCESS)
                return false;
        e->kept = true;
        h->rc = 1;
        h->item = (struct green_dag_item){.key = e->key, .value = f == NULL ? e->value : NULL};
        if (f == NULL)
                return true;
        if (c->kind == GREEN__DAG_EXCEPTION) {
                /* It stays as long as the cursor, whatever becomes of the key. */
                if (n->failure == NULL)
                        n->failure = green__dag_ref(f);
                h->item.error = &f->error;
                return true;
        }
        h->rc = GREEN_EPROPAGATE;
        h->failure = green__dag_ref(f);
        green__dag_unref(c->met);
        c->met = green__dag_ref(f);
        return true;
}

/* green_dagpool_wait(): all are there, or one has failed. One that has given up already frees the cursor itself. */
static void
end_all(green_dag_results *c, struct green__dag_failure *failure)
{
        struct green_wait *w = green_waitq_first(&c->waiters);
        struct green__dag_handed *h;

        if (w == NULL || (failure == NULL && c->missing > 0))
                return;
        h = w->value;
        /* Values may have been replaced by failures meanwhile. */
        for (size_t i = 0; i < c->n && failure == NULL; i++)
                failure = c->nodes[i].entry->failure;
        for (size_t i = 0; i < c->n && failure == NULL && h->values != NULL; i++)
                h->values[i] = c->nodes[i].entry->value;
        h->rc = failure == NULL ? 0 : GREEN_EPROPAGATE;
        h->failure = failure == NULL ? NULL : green__dag_ref(failure);
        green_wake(w, 0);
        green__dag_cursor_free(c);
}

static void
arrive(struct green__dag_node *n, struct green__dag_failure *failure)
{
        green_dag_results *c = n->cursor;
        struct green_wait *w;

        lack_no_more(n->entry, n);
        n->state = GREEN__DAG_ARRIVED;
        n->failure = failure == NULL ? NULL : green__dag_ref(failure);
        c->missing--;
        if (c->missing == 0 && c->task != NULL)
                c->pool->waiting--;
        if (c->kind == GREEN__DAG_ALL) {
                end_all(c, failure != NULL ? failure : n->entry->failure);
                return;
        }
        w = green_waitq_first(&c->waiters);
        if (w == NULL) {
                append_ready(c, n);
                return;
        }
        if (take(c, n, w->value))
                green_wake(w, 0);
        /* The others wait for nothing now. */
        while (c->missing == 0 && (w = green_waitq_first(&c->waiters)) != NULL) {
                ((struct green__dag_handed *)w->value)->rc = 0;
                green_wake(w, 0);
        }
}

void
green__dag_arrive(green_dagpool *p, struct green__dag_entry *e, struct green__dag_failure *failure)
{
        e->users++;
        while (e->first != NULL)
                arrive(e->first, failure);
        e->users--;
        green__dag_drop(p, e);
}

static int
deliver(const struct green__dag_handed *h, struct green_dag_item *ret_item)
{
        if (h->rc == GREEN_EPROPAGATE)
                return green__dag_tell(h->failure);
        if (h->rc == 1)
                *ret_item = h->item;
        return h->rc;
}

int
green_dag_next(green_dag_results *r, struct green_dag_item *ret_item, double timeout)
{
        struct green__dag_handed h;
        struct green_wait w;
        green_thread *self;
        int rc;

        if (green__unlikely(r == NULL || ret_item == NULL))
                return green__misuse(-EINVAL, "green_dag_next: no %s", r == NULL ? "cursor" : "ret_item");
        rc = green__dag_enter_wait(r->pool, "green_dag_next", timeout, &self);
        if (green__unlikely(rc != 0))
                return rc;
        while (r->ready != NULL) {
                struct green__dag_node *n = r->ready;

                r->ready = n->next;
                if (r->ready == NULL)
                        r->ready_end = &r->ready;
                if (take(r, n, &h))
                        return deliver(&h, ret_item);
        }
        if (r->missing == 0)
                return 0;
        if (timeout == 0)
                return -ETIMEDOUT;
        if (green__unlikely(self == NULL))
                return green__no_wait(GREEN__DAG_WHAT);
        w.value = &h;
        rc = green_park(&r->waiters, &w, timeout);
        return rc != 0 ? rc : deliver(&h, ret_item);
}

/* ---- cursors of the user's */

static green_dag_results *
no_memory(green_dag_results *c)
{
        if (c != NULL)
                green__dag_cursor_free(c);
        green_set_error(-ENOMEM, NULL);
        return NULL;
}

/* All that the pool knows: what has a value, and what a task is to bring. */
static green_dag_results *
all_known(green_dagpool *p, enum green__dag_kind kind)
{
        green_dag_results *c = green__dag_cursor_new(p, kind, p->nthere + p->running);

        if (c == NULL)
                return no_memory(NULL);
        for (struct green__dag_entry *e = p->there; e != NULL; e = e->next_there)
                green__dag_cursor_add_entry(c, e);
        for (struct green__dag_task *t = p->tasks; t != NULL; t = t->next)
                green__dag_cursor_add_entry(c, t->entry);
        return c;
}

static green_dag_results *
wait_each(green_dagpool *p, const struct green_key *keys, size_t n, enum green__dag_kind kind, const char *function)
{
        green_dag_results *c;

        if (green__dag_enter(p, function) != 0)
                return NULL;
        if (keys == NULL)
                return all_known(p, kind);
        for (size_t i = 0; i < n; i++)
                if (green__dag_check_key(keys[i], function) != 0)
                        return NULL;
        c = green__dag_cursor_new(p, kind, n);
        if (c == NULL)
                return no_memory(NULL);
        for (size_t i = 0; i < n; i++)
                if (green__dag_cursor_add(c, keys[i]) != 0)
                        return no_memory(c);
        green__dag_cursor_begin(c);
        return c;
}

green_dag_results *
green_dagpool_wait_each(green_dagpool *p, const struct green_key *keys, size_t n)
{
        return wait_each(p, keys, n, GREEN__DAG_EACH, "green_dagpool_wait_each");
}

green_dag_results *
green_dagpool_wait_each_success(green_dagpool *p, const struct green_key *keys, size_t n)
{
        return wait_each(p, keys, n, GREEN__DAG_SUCCESS, "green_dagpool_wait_each_success");
}

green_dag_results *
green_dagpool_wait_each_exception(green_dagpool *p, const struct green_key *keys, size_t n)
{
        return wait_each(p, keys, n, GREEN__DAG_EXCEPTION, "green_dagpool_wait_each_exception");
}

int
green_dag_results_free(green_dag_results *r)
{
        int rc;

        if (r == NULL)
                return 0;
        rc = green__dag_enter(r->pool, "green_dag_results_free");
        if (rc != 0)
                return rc;
        if (r->at == NULL)
                return green__misuse(-EINVAL, "green_dag_results_free: the cursor is a task's");
        if (green_waitq_first(&r->waiters) != NULL)
                return green__misuse(-EBUSY, "a cursor that somebody waits in cannot be freed");
        green__dag_cursor_free(r);
        return 0;
}
