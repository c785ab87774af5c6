/*
 * Lists of waiters keyed by address. See patch_lot.h.
 *
 * No wake-up is lost: who comes counts itself in the list before it tries the object for the last time, and who
 * releases the object looks at the count afterwards.
 */
#include <config.h>

#include "patch_lot.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <green/hub.h>
#include <green/hubs.h>
#include <green/thread.h>

#include "patch_thread_priv.h"

enum { LISTS = 256, LINE = 64 };

/* Seconds between the looks of the first in line, where an object may become free without a word. */
#define LOOK_FIRST 100e-6
#define LOOK_LAST 20e-3
#define LOOK_SLOW 200e-3

struct list {
        pthread_mutex_t lock;
        atomic_uint count; /* of all who wait in it, whatever their key */
        struct green__lot_wait *first, *last;
} __attribute__((aligned(LINE)));

static struct list lists[LISTS] = {[0 ... LISTS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

/* Its address stands for the OS thread. */
static __thread char here;

static __thread uint32_t tid; /* 0: not asked yet */

static inline struct list *
list_of(const void *key)
{
        uintptr_t x = (uintptr_t)key;

        x ^= x >> 17;
        return &lists[(x >> 3 ^ x >> 11) % LISTS];
}

/*
 * What a signal handler asks for is done in hub context of the first OS thread that has waited for something of the
 * kind: a handler can do no more than post.
 */
static _Atomic(green_hub *) later_hub;
static struct green_post_node later_node;
static atomic_bool later_posted;

/* ---- fork: those who waited are forgotten */

static void
before_fork(void)
{
        for (int i = 0; i < LISTS; i++)
                (void)pthread_mutex_lock(&lists[i].lock);
        green__pt_lock();
}

static void
in_parent(void)
{
        green__pt_unlock();
        for (int i = 0; i < LISTS; i++)
                (void)pthread_mutex_unlock(&lists[i].lock);
}

static void
in_child(void)
{
        green__pt_unlock();
        for (int i = 0; i < LISTS; i++) {
                lists[i].first = lists[i].last = NULL;
                atomic_store(&lists[i].count, 0);
                (void)pthread_mutex_unlock(&lists[i].lock);
        }
        tid = 0;
        atomic_store(&later_posted, false);
}

static void
install(void)
{
        (void)pthread_atfork(before_fork, in_parent, in_child);
}

static void
set_up(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, install);
}

uint32_t
green__lot_tid(void)
{
        if (tid == 0) {
                set_up();
                tid = (uint32_t)syscall(SYS_gettid);
        }
        return tid;
}

/* ---- under the lock of the list */

static void
put_in(struct list *l, struct green__lot_wait *w, bool front)
{
        w->listed = true;
        w->next = front ? l->first : NULL;
        w->prev = front ? NULL : l->last;
        if (w->next != NULL)
                w->next->prev = w;
        else
                l->last = w;
        if (w->prev != NULL)
                w->prev->next = w;
        else
                l->first = w;
        atomic_fetch_add(&l->count, 1);
        atomic_thread_fence(memory_order_seq_cst);
}

static void
take_off(struct list *l, struct green__lot_wait *w)
{
        w->listed = false;
        if (w->prev != NULL)
                w->prev->next = w->next;
        else
                l->first = w->next;
        if (w->next != NULL)
                w->next->prev = w->prev;
        else
                l->last = w->prev;
        atomic_fetch_sub(&l->count, 1);
}

static struct green__lot_wait *
first_of(const struct list *l, const void *key)
{
        struct green__lot_wait *w = l->first;

        while (w != NULL && w->key != key)
                w = w->next;
        return w;
}

/* ---- those who release */

/* Take w off and let it run; gives the lock back. */
static void
hand(struct list *l, struct green__lot_wait *w)
{
        green_hub *hub;

        take_off(l, w);
        hub = green_claim_mt(&w->mt, NULL);
        (void)pthread_mutex_unlock(&l->lock);
        (void)green_hand_mt(hub, &w->mt);
        green_hub_unref(hub);
}

/* One step of serving. False: there is nothing more to do. */
static bool
serve_one(struct list *l, const void *key)
{
        struct green__lot_wait *w;

        (void)pthread_mutex_lock(&l->lock);
        w = first_of(l, key);
        if (w == NULL || w->try == NULL) {
                (void)pthread_mutex_unlock(&l->lock);
                return false;
        }
        if (w->os != &here && !w->any_os) {
                /* It must be taken in its own OS thread. */
                w->code = GREEN__LOT_AGAIN;
                hand(l, w);
                return false;
        }
        if (!w->try(w)) {
                if (w->looks || w->silent == NULL || !w->silent(w)) {
                        (void)pthread_mutex_unlock(&l->lock);
                        return false;
                }
                /* Somebody came before it who may release it without a word: it has to look from now on. */
                w->code = GREEN__LOT_AGAIN;
                hand(l, w);
                return false;
        }
        hand(l, w);
        return true;
}

void
green__lot_serve(const void *key)
{
        struct list *l = list_of(key);

        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load_explicit(&l->count, memory_order_relaxed) == 0)
                return;
        while (serve_one(l, key))
                ;
}

/* A key of list l whose first waiter may be served by any OS thread, other than those up to after; NULL: there is none.
 */
static const void *
next_key(struct list *l, const void *after)
{
        const void *found = NULL;

        (void)pthread_mutex_lock(&l->lock);
        for (const struct green__lot_wait *w = l->first; w != NULL; w = w->next)
                if (w->any_os && w->try != NULL && w->key > after && (found == NULL || w->key < found))
                        found = w->key;
        (void)pthread_mutex_unlock(&l->lock);
        return found;
}

static void
serve_all(void *arg)
{
        (void)arg;
        atomic_store(&later_posted, false);
        for (int i = 0; i < LISTS; i++)
                for (const void *key = next_key(&lists[i], NULL); key != NULL; key = next_key(&lists[i], key))
                        green__lot_serve(key);
}

void
green__lot_serve_later(const void *key)
{
        green_hub *hub = atomic_load(&later_hub);

        atomic_thread_fence(memory_order_seq_cst);
        if (hub == NULL || atomic_load_explicit(&list_of(key)->count, memory_order_relaxed) == 0)
                return;
        if (!atomic_exchange(&later_posted, true))
                (void)green_hub_post_node(hub, &later_node, serve_all, NULL);
}

/* For good: it is one that lives long. */
static void
keep_hub(void)
{
        green_hub *hub = green_hub_ref(green_get_hub()), *none = NULL;

        if (!atomic_compare_exchange_strong(&later_hub, &none, hub))
                green_hub_unref(hub);
}

unsigned
green__lot_tell(const void *key, unsigned n)
{
        struct list *l = list_of(key);
        unsigned told = 0;

        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load_explicit(&l->count, memory_order_relaxed) == 0)
                return 0;
        (void)pthread_mutex_lock(&l->lock);
        if (n > 1) {
                /* Not those who come meanwhile. */
                unsigned there = 0;

                for (struct green__lot_wait *w = l->first; w != NULL; w = w->next)
                        there += w->key == key;
                n = there < n ? there : n;
        }
        while (told < n) {
                struct green__lot_wait *w = first_of(l, key);

                if (w == NULL)
                        break;
                w->code = 0;
                hand(l, w);
                told++;
                (void)pthread_mutex_lock(&l->lock);
        }
        (void)pthread_mutex_unlock(&l->lock);
        return told;
}

void
green__lot_cancel(struct green__lot_wait *w)
{
        struct list *l = list_of(w->key);

        (void)pthread_mutex_lock(&l->lock);
        if (!w->listed) {
                (void)pthread_mutex_unlock(&l->lock);
                return;
        }
        w->code = GREEN__LOT_CANCELLED;
        hand(l, w);
}

/* ---- those who wait */

/* The hub ends, and w never runs again. */
static void
forget(struct green_wait_mt *mt)
{
        struct green__lot_wait *w =
                (struct green__lot_wait *)(void *)((char *)mt - offsetof(struct green__lot_wait, mt));
        struct list *l = list_of(w->key);

        (void)pthread_mutex_lock(&l->lock);
        if (w->listed)
                take_off(l, w);
        (void)pthread_mutex_unlock(&l->lock);
}

static void
begin(struct green__lot_wait *w)
{
        set_up();
        if (w->any_os && later_hub == NULL)
                keep_hub();
        w->os = &here;
        w->code = 0;
        w->looks = false;
        green_wait_mt_begin(&w->mt, forget);
}

void
green__lot_enter(struct green__lot_wait *w)
{
        struct list *l = list_of(w->key);

        begin(w);
        (void)pthread_mutex_lock(&l->lock);
        put_in(l, w, false);
        (void)pthread_mutex_unlock(&l->lock);
}

void
green__lot_leave(struct green__lot_wait *w)
{
        struct list *l = list_of(w->key);
        bool listed;

        (void)pthread_mutex_lock(&l->lock);
        listed = w->listed;
        if (listed)
                take_off(l, w);
        (void)pthread_mutex_unlock(&l->lock);
        if (!listed)
                (void)green_settle_mt(&w->mt);
        green_wait_mt_end(&w->mt);
}

bool
green__lot_meet(struct green__lot_wait *w, unsigned n)
{
        struct list *l = list_of(w->key);
        unsigned there = 0;

        begin(w);
        (void)pthread_mutex_lock(&l->lock);
        for (const struct green__lot_wait *other = l->first; other != NULL; other = other->next)
                there += other->key == w->key;
        if (there + 1 < n) {
                put_in(l, w, false);
                (void)pthread_mutex_unlock(&l->lock);
                return false;
        }
        (void)pthread_mutex_unlock(&l->lock);
        green_wait_mt_end(&w->mt);
        (void)green__lot_tell(w->key, n - 1);
        return true;
}

bool
green__lot_limit_ok(const struct green__lot_limit *limit)
{
        const struct timespec *until = limit->until;

        return until == NULL || (until->tv_nsec >= 0 && until->tv_nsec < 1000000000);
}

/* Seconds left; not above 0: it is over. */
static double
seconds_left(const struct green__lot_limit *limit)
{
        struct timespec now;

        if (limit->until == NULL)
                return GREEN_FOREVER;
        if (clock_gettime(limit->clock, &now) != 0)
                return 0;
        return (double)(limit->until->tv_sec - now.tv_sec) + (double)(limit->until->tv_nsec - now.tv_nsec) * 1e-9;
}

bool
green__lot_over(const struct green__lot_limit *limit)
{
        return seconds_left(limit) <= 0;
}

/* Try, if nobody stands before it; under the lock. */
static bool
try_first(const struct list *l, struct green__lot_wait *w)
{
        return w->try != NULL && first_of(l, w->key) == w && w->try(w);
}

/* How long to park: until the limit, or shorter if somebody has to look now and then. */
static double
park_time(struct green__lot_wait *w, double left, double *look)
{
        struct list *l = list_of(w->key);
        double last = w->slow ? LOOK_SLOW : LOOK_LAST;
        bool first;

        if (w->silent == NULL || !w->silent(w))
                return left;
        (void)pthread_mutex_lock(&l->lock);
        first = first_of(l, w->key) == w;
        w->looks = first;
        (void)pthread_mutex_unlock(&l->lock);
        if (!first)
                return left;
        *look = *look == 0 ? LOOK_FIRST : *look * 2 < last ? *look * 2 : last;
        return *look < left ? *look : left;
}

/* One wait has ended without a hand-over: by time, or with rc. True: w is off its list, and w->code or *rc is final. */
static bool
give_up(struct green__lot_wait *w, const struct green__lot_limit *limit, int *rc)
{
        struct list *l = list_of(w->key);
        bool over = *rc != -ETIMEDOUT || seconds_left(limit) <= 0;

        (void)pthread_mutex_lock(&l->lock);
        if (!w->listed) {
                (void)pthread_mutex_unlock(&l->lock);
                *rc = green_settle_mt(&w->mt);
                return true;
        }
        if (try_first(l, w)) {
                take_off(l, w);
                (void)pthread_mutex_unlock(&l->lock);
                *rc = 0;
                return true;
        }
        if (over)
                take_off(l, w);
        (void)pthread_mutex_unlock(&l->lock);
        /* The next one is the first now, and has to look. */
        if (over && w->try != NULL)
                green__lot_serve(w->key);
        return over;
}

/* Until told, taken or over. */
static int
park(struct green__lot_wait *w, const struct green__lot_limit *limit)
{
        double look = 0;
        int rc;

        for (;;) {
                double left = seconds_left(limit);

                rc = left <= 0 ? -ETIMEDOUT : green_park_mt(&w->mt, park_time(w, left, &look));
                if (rc == 0 || give_up(w, limit, &rc))
                        break;
        }
        green_wait_mt_end(&w->mt);
        return rc == 0 ? w->code : rc == -ETIMEDOUT ? ETIMEDOUT : rc;
}

int
green__lot_park(struct green__lot_wait *w, const struct green__lot_limit *limit)
{
        bool at_once = limit->until != NULL && green__lot_over(limit);
        int saved = errno, rc;

        if (w->shielded)
                green_shield_begin();
        rc = park(w, limit);
        if (w->shielded)
                green_shield_end();
        /* Made over and over it must not keep out whoever it waits for. */
        if (at_once && rc == ETIMEDOUT)
                green__pt_yield();
        errno = saved;
        return rc;
}

/* Stand in line; at the front, if it stood there before. True: it was taken already. */
static bool
line_up(struct green__lot_wait *w, bool front)
{
        struct list *l = list_of(w->key);
        bool taken;

        begin(w);
        (void)pthread_mutex_lock(&l->lock);
        put_in(l, w, front);
        taken = try_first(l, w);
        if (taken)
                take_off(l, w);
        (void)pthread_mutex_unlock(&l->lock);
        if (taken)
                green_wait_mt_end(&w->mt);
        return taken;
}

int
green__lot_wait(struct green__lot_wait *w, const struct green__lot_limit *limit)
{
        static const struct green__lot_limit none;
        int rc = GREEN__LOT_AGAIN;

        if (limit == NULL)
                limit = &none;
        if (!green__lot_limit_ok(limit))
                return EINVAL;
        for (bool front = false; rc == GREEN__LOT_AGAIN; front = true) {
                if (line_up(w, front))
                        return w->code;
                rc = green__lot_park(w, limit);
        }
        return rc;
}
