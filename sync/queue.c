/*
 * Queues. See <green/queue.h>.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/opts.h>
#include <green/thread.h>
#include <green/timeout.h>

#include "object.h"
#include "queue_priv.h"

static GREEN__COLD int
no_queue(const char *function)
{
        return green__misuse(-EINVAL, "%s: no queue", function);
}

/* ---- making and freeing */

static int
check_opts(struct green_queue_opts *opts, const struct green_queue_opts *given)
{
        if (green_opts_take(opts, sizeof(*opts), given) != 0 || (unsigned)opts->kind > GREEN_QUEUE_PRIORITY)
                return green__misuse(-EINVAL, "green_queue_new: unknown size of the options, or unknown kind");
        if ((opts->kind == GREEN_QUEUE_PRIORITY) != (opts->compare != NULL))
                return green__misuse(-EINVAL, "green_queue_new: %s",
                                     opts->compare == NULL ? "a priority queue needs compare"
                                                           : "only a priority queue compares");
        return 0;
}

static enum green__store_kind
store_kind(enum green_queue_kind kind)
{
        return kind == GREEN_QUEUE_LIFO       ? GREEN__STORE_STACK
               : kind == GREEN_QUEUE_PRIORITY ? GREEN__STORE_HEAP
                                              : GREEN__STORE_RING;
}

static size_t
limit_of(ssize_t maxsize)
{
        return maxsize < 0 ? SIZE_MAX : (size_t)maxsize;
}

green_queue *
green_queue_new(ssize_t maxsize, const struct green_queue_opts *opts)
{
        struct green_queue_opts o;
        uint64_t ident;
        green_queue *q;

        if (check_opts(&o, opts) != 0)
                return NULL;
        q = green__object_new(sizeof(*q), &ident);
        if (q == NULL)
                return NULL;
        q->ident = ident;
        q->limit = limit_of(maxsize);
        q->joinable = o.kind != GREEN_QUEUE_LIGHT;
        q->free_item = o.free_item;
        q->store.kind = store_kind(o.kind);
        q->store.compare = o.compare;
        q->store.compare_arg = o.compare_arg;
        return q;
}

int
green_queue_free(green_queue *q)
{
        if (q == NULL)
                return 0;
        if (q->getters.first != NULL || q->putters.first != NULL || q->joiners.first != NULL)
                return green__misuse(-EBUSY, "a queue that somebody waits for cannot be freed");
        while (q->free_item != NULL && q->store.count > 0)
                q->free_item(green__store_take(&q->store));
        green_free(q->store.items);
        green_free(q);
        return 0;
}

/* ---- put and get */

/* The item is in, or with a getter. */
static inline void
count_put(green_queue *q)
{
        if (q->joinable)
                q->unfinished++;
}

static inline int
try_put(green_queue *q, void *item)
{
        struct green_wait *getter = green_waitq_first(&q->getters);

        if (green__unlikely(q->closed))
                return GREEN_ECLOSED;
        if (getter != NULL) {
                count_put(q);
                getter->value = item;
                green_wake(getter, 0);
                return 0;
        }
        if (q->store.count >= q->limit)
                return GREEN_EFULL;
        if (green__unlikely(q->store.count == q->store.room)) {
                int rc = green__store_reserve(&q->store, 1);

                if (rc != 0)
                        return rc;
        }
        count_put(q);
        green__store_add(&q->store, item);
        return 0;
}

/* The putter that has waited longest is done. Its item. */
static inline void *
end_put(green_queue *q, struct green_wait *putter)
{
        void *item = putter->value;

        count_put(q);
        green_wake(putter, 0);
        return item;
}

static inline int
try_get(green_queue *q, void **ret_item)
{
        struct green_wait *putter = green_waitq_first(&q->putters);

        if (q->store.count == 0) {
                if (putter == NULL)
                        return q->closed ? GREEN_ECLOSED : GREEN_EEMPTY;
                *ret_item = end_put(q, putter); /* a channel */
                return 0;
        }
        *ret_item = green__store_take(&q->store);
        /* The array has room for it: that of the item which was taken. */
        if (putter != NULL && q->store.count < q->limit)
                green__store_add(&q->store, end_put(q, putter));
        if (green__unlikely(q->store.count < q->store.room / 4))
                green__store_shrink(&q->store);
        return 0;
}

int
green__queue_try_put(green_queue *q, void *item)
{
        return try_put(q, item);
}

int
green__queue_try_get(green_queue *q, void **ret_item)
{
        return try_get(q, ret_item);
}

/* A wait has failed. The end of the call's own limit is told as `over`; a scope's code is not, be it -ETIMEDOUT too. */
static GREEN__COLD int
wait_failed(int rc, int over)
{
        if (rc == -EDEADLK && green_getcurrent() == NULL)
                return green__no_wait("a queue");
        if (rc != -ETIMEDOUT)
                return rc;
        rc = green_checkpoint();
        return rc != 0 ? rc : over;
}

int
green_queue_put(green_queue *q, void *item, double timeout)
{
        struct green_wait w;
        int rc;

        if (green__unlikely(q == NULL))
                return no_queue("green_queue_put");
        rc = green_park_check(q->ident, "a queue", timeout, NULL);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "a queue");
        rc = try_put(q, item);
        if (rc != GREEN_EFULL || timeout == 0)
                return rc;
        w.value = item;
        rc = green_park(&q->putters, &w, timeout);
        return green__likely(rc == 0) ? 0 : wait_failed(rc, GREEN_EFULL);
}

int
green_queue_put_nowait(green_queue *q, void *item)
{
        return green_queue_put(q, item, 0);
}

int
green_queue_get(green_queue *q, void **ret_item, double timeout)
{
        struct green_wait w;
        int rc;

        if (green__unlikely(q == NULL))
                return no_queue("green_queue_get");
        if (green__unlikely(ret_item == NULL))
                return green__misuse(-EINVAL, "green_queue_get: no ret_item");
        rc = green_park_check(q->ident, "a queue", timeout, NULL);
        if (green__unlikely(rc != 0))
                return green__refused(rc, timeout, "a queue");
        rc = try_get(q, ret_item);
        if (rc != GREEN_EEMPTY || timeout == 0)
                return rc;
        rc = green_park(&q->getters, &w, timeout);
        if (green__unlikely(rc != 0))
                return wait_failed(rc, GREEN_EEMPTY);
        *ret_item = w.value;
        return 0;
}

int
green_queue_get_nowait(green_queue *q, void **ret_item)
{
        return green_queue_get(q, ret_item, 0);
}

/* ---- what there is */

size_t
green_queue_qsize(const green_queue *q)
{
        if (q == NULL)
                no_queue("green_queue_qsize");
        return q == NULL ? 0 : q->store.count;
}

int
green_queue_maxsize(const green_queue *q, ssize_t *ret_maxsize)
{
        if (q == NULL)
                return no_queue("green_queue_maxsize");
        if (ret_maxsize == NULL)
                return green__misuse(-EINVAL, "green_queue_maxsize: no ret_maxsize");
        *ret_maxsize = q->limit == SIZE_MAX ? -1 : (ssize_t)q->limit;
        return 0;
}

bool
green_queue_empty(const green_queue *q)
{
        if (q == NULL)
                no_queue("green_queue_empty");
        return q != NULL && q->store.count == 0;
}

bool
green_queue_full(const green_queue *q)
{
        if (q == NULL)
                no_queue("green_queue_full");
        return q != NULL && q->store.count >= q->limit;
}

static size_t
count_waits(const struct green_waitq *waiters)
{
        size_t n = 0;

        for (const struct green_wait *w = waiters->first; w != NULL; w = w->next)
                n++;
        return n;
}

size_t
green_queue_getting(const green_queue *q)
{
        if (q == NULL)
                no_queue("green_queue_getting");
        return q == NULL ? 0 : count_waits(&q->getters);
}

size_t
green_queue_putting(const green_queue *q)
{
        if (q == NULL)
                no_queue("green_queue_putting");
        return q == NULL ? 0 : count_waits(&q->putters);
}

/* ---- changes */

static int
check(const green_queue *q, const char *function)
{
        return q == NULL ? no_queue(function) : green_hub_check(q->ident, "a queue");
}

int
green_queue_resize(green_queue *q, ssize_t maxsize)
{
        size_t limit = limit_of(maxsize), room, waiting;
        struct green_wait *putter;
        int rc = check(q, "green_queue_resize");

        if (rc != 0)
                return rc;
        room = limit > q->store.count ? limit - q->store.count : 0;
        waiting = room > 0 ? count_waits(&q->putters) : 0;
        if (waiting > 0) {
                rc = green__store_reserve(&q->store, waiting < room ? waiting : room);
                if (rc != 0)
                        return rc;
        }
        q->limit = limit;
        while (q->store.count < limit && (putter = green_waitq_first(&q->putters)) != NULL)
                green__store_add(&q->store, end_put(q, putter));
        return 0;
}

int
green_queue_shutdown(green_queue *q)
{
        int rc = check(q, "green_queue_shutdown");

        if (rc != 0)
                return rc;
        q->closed = true;
        (void)green_wake_all(&q->putters, GREEN_ECLOSED);
        (void)green_wake_all(&q->getters, GREEN_ECLOSED);
        return 0;
}

/* ---- unfinished tasks */

static int
not_joinable(const char *function)
{
        return green__misuse(-ENOTSUP, "%s: the queue is of the light kind, which does not count", function);
}

int
green_queue_task_done(green_queue *q)
{
        int rc = check(q, "green_queue_task_done");

        if (rc != 0)
                return rc;
        if (!q->joinable)
                return not_joinable("green_queue_task_done");
        if (q->unfinished == 0)
                return green__misuse(-EALREADY, "green_queue_task_done: called too many times");
        if (--q->unfinished == 0)
                (void)green_wake_all(&q->joiners, 0);
        return 0;
}

int
green_queue_join(green_queue *q, double timeout)
{
        struct green_wait w;
        int rc;

        if (q == NULL)
                return no_queue("green_queue_join");
        rc = green_park_check(q->ident, "a queue", timeout, NULL);
        if (rc != 0)
                return green__refused(rc, timeout, "a queue");
        if (!q->joinable)
                return not_joinable("green_queue_join");
        if (q->unfinished == 0)
                return 0;
        if (timeout == 0)
                return -ETIMEDOUT;
        rc = green_park(&q->joiners, &w, timeout);
        return rc == 0 ? 0 : wait_failed(rc, -ETIMEDOUT);
}

size_t
green_queue_unfinished(const green_queue *q)
{
        if (q == NULL)
                no_queue("green_queue_unfinished");
        return q == NULL ? 0 : q->unfinished;
}
