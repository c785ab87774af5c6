/*
 * Channels between OS threads. See <green/chan.h>.
 *
 * A ring with a lock for each side: putters take the one, getters the other, and where nobody waits neither looks at
 * the other's. Whoever has to wait, and whoever finds somebody waiting, takes both, the putters' first. Under both
 * locks, and only then, lists and `odd` change; under both it holds that
 *
 *   - where a getter waits the ring is empty, and the channel is open;
 *   - where a putter waits the ring is full, and the channel is open;
 *   - `odd` of both sides says whether anybody waits or the channel is closed.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#include <green/alloc.h>
#include <green/chan.h>
#include <green/hubs.h>
#include <green/park.h>
#include <green/thread.h>
#include <green/timeout.h>

#include "at_fork.h"
#include "misuse.h"
#include "os_wait.h"

/* Looks at the other side before one waits, and pauses before each: some ten microseconds at most. */
enum { LOOKS = 16, LOOKS_ALONE = 2, LOOK_AGAIN = 16, PAUSES = 40 };

/* One that waits, on its stack. */
struct waiter {
        struct waiter *next, *prev; /* in the list */
        green_chan *chan;
        struct side *side; /* in whose list it is; NULL: off it */
        void *item;        /* to be put; or what was got */
        int code;          /* how its call ends, once it is off the list */
        bool green;        /* a green thread: mt; else os */
        struct green_wait_mt mt;
        struct green__os_wait os;
};

/* What one side of the ring uses. Written under its lock, unless it says otherwise. */
struct side {
        pthread_mutex_t lock;
        bool odd;                    /* under both: somebody waits, or it is closed */
        size_t index;                /* place of the next item */
        size_t seen;                 /* how many the other side had done when this one looked last */
        const void *user;            /* OS thread that was here last */
        atomic_size_t done;          /* items that have gone through; the other side reads it */
        atomic_int looks;            /* how often it pays to look before waiting; a guess, by anybody */
        atomic_uint tries;           /* how many have looked */
        struct waiter *first, *last; /* under both */
};

enum { LINE = 128 }; /* two cache lines: processors fetch them in pairs */

struct green_chan {
        struct side put;
        char apart1[LINE];
        struct side get;
        char apart2[LINE];
        size_t capacity;
        void **ring;
        bool closed; /* under both locks */
        atomic_uint refs;
        green_chan *next, *prev; /* all of the process, under chans_lock */
};

static pthread_mutex_t chans_lock = PTHREAD_MUTEX_INITIALIZER;
static green_chan *chans;

static inline void
lock(pthread_mutex_t *mutex)
{
        (void)pthread_mutex_lock(mutex);
}

static inline void
unlock(pthread_mutex_t *mutex)
{
        (void)pthread_mutex_unlock(mutex);
}

static void
lock_both(green_chan *c)
{
        lock(&c->put.lock);
        lock(&c->get.lock);
}

static void
unlock_both(green_chan *c)
{
        unlock(&c->get.lock);
        unlock(&c->put.lock);
}

/* ---- fork: no lock is left locked in the child, and those who waited are forgotten */

static void
before_fork(void)
{
        lock(&chans_lock);
        for (green_chan *c = chans; c != NULL; c = c->next)
                lock_both(c);
}

static void
after_fork(void)
{
        for (green_chan *c = chans; c != NULL; c = c->next)
                unlock_both(c);
        unlock(&chans_lock);
}

static void
in_child(void)
{
        for (green_chan *c = chans; c != NULL; c = c->next) {
                c->put.first = c->put.last = c->get.first = c->get.last = NULL;
                c->put.odd = c->get.odd = c->closed;
        }
        after_fork();
}

static void
install(void)
{
        green__sync_at_fork(before_fork, after_fork, in_child);
}

/* ---- making and freeing */

static void
side_init(struct side *s)
{
        (void)pthread_mutex_init(&s->lock, NULL);
        atomic_init(&s->looks, LOOKS);
}

green_chan *
green_chan_new(size_t capacity)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        green_chan *c;

        if (capacity == 0 || capacity > SIZE_MAX / sizeof(void *)) {
                green__misuse(-EINVAL, "green_chan_new: a capacity of %zu", capacity);
                return NULL;
        }
        c = green_calloc(1, sizeof(*c));
        if (c != NULL && (c->ring = green_malloc(capacity * sizeof(void *))) == NULL) {
                green_free(c);
                c = NULL;
        }
        if (c == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        (void)pthread_once(&once, install);
        c->capacity = capacity;
        atomic_init(&c->refs, 1);
        side_init(&c->put);
        side_init(&c->get);
        lock(&chans_lock);
        c->next = chans;
        if (chans != NULL)
                chans->prev = c;
        chans = c;
        unlock(&chans_lock);
        return c;
}

green_chan *
green_chan_ref(green_chan *c)
{
        if (c != NULL)
                atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
        return c;
}

void
green_chan_unref(green_chan *c)
{
        if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
                return;
        lock(&chans_lock);
        if (c->next != NULL)
                c->next->prev = c->prev;
        if (c->prev != NULL)
                c->prev->next = c->next;
        else
                chans = c->next;
        unlock(&chans_lock);
        (void)pthread_mutex_destroy(&c->put.lock);
        (void)pthread_mutex_destroy(&c->get.lock);
        green_free(c->ring);
        green_free(c);
}

/* ---- the ring */

/* Under the putters' lock. */
static inline bool
has_room(green_chan *c)
{
        size_t done = atomic_load_explicit(&c->put.done, memory_order_relaxed);

        if (done - c->put.seen < c->capacity)
                return true;
        c->put.seen = atomic_load_explicit(&c->get.done, memory_order_acquire);
        return done - c->put.seen < c->capacity;
}

/* Under the getters' lock. */
static inline bool
has_item(green_chan *c)
{
        size_t done = atomic_load_explicit(&c->get.done, memory_order_relaxed);

        if (c->get.seen != done)
                return true;
        c->get.seen = atomic_load_explicit(&c->put.done, memory_order_acquire);
        return c->get.seen != done;
}

static inline void
step(green_chan *c, struct side *s)
{
        if (++s->index == c->capacity)
                s->index = 0;
        atomic_store_explicit(&s->done, atomic_load_explicit(&s->done, memory_order_relaxed) + 1, memory_order_release);
}

static inline void
store(green_chan *c, void *item)
{
        c->ring[c->put.index] = item;
        step(c, &c->put);
}

static inline void *
take(green_chan *c)
{
        void *item = c->ring[c->get.index];

        step(c, &c->get);
        return item;
}

/* ---- those who wait: all of this under both locks */

static void
set_odd(green_chan *c)
{
        c->put.odd = c->get.odd = c->closed || c->put.first != NULL || c->get.first != NULL;
}

static void
enlist(struct side *s, struct waiter *w)
{
        w->side = s;
        w->next = NULL;
        w->prev = s->last;
        if (s->last != NULL)
                s->last->next = w;
        else
                s->first = w;
        s->last = w;
        set_odd(w->chan);
}

static void
unlist(struct waiter *w)
{
        struct side *s = w->side;

        if (w->prev != NULL)
                w->prev->next = w->next;
        else
                s->first = w->next;
        if (w->next != NULL)
                w->next->prev = w->prev;
        else
                s->last = w->prev;
        w->side = NULL;
        set_odd(w->chan);
}

/* One that was taken off its list and is to run: what is needed when the locks are given back, and it may be gone. */
struct woken {
        struct waiter *waiter; /* NULL: nobody */
        green_hub *hub;        /* NULL: an OS thread */
};

static struct woken
claim(struct waiter *w, int code)
{
        struct woken woken = {w, NULL};

        unlist(w);
        w->code = code;
        if (w->green)
                woken.hub = green_claim_mt(&w->mt, NULL);
        return woken;
}

/* Without locks. */
static void
wake(struct woken woken)
{
        if (woken.waiter == NULL)
                return;
        if (woken.hub == NULL) {
                green__os_wake(&woken.waiter->os);
                return;
        }
        (void)green_hand_mt(woken.hub, &woken.waiter->mt);
        green_hub_unref(woken.hub);
}

/* Its green thread is freed unrun. */
static void
forget(struct green_wait_mt *mt)
{
        struct waiter *w = (struct waiter *)(void *)((char *)mt - offsetof(struct waiter, mt));
        green_chan *c = w->chan;

        lock_both(c);
        if (w->side != NULL)
                unlist(w);
        unlock_both(c);
}

/* ---- put and get under both locks; GREEN_EFULL, GREEN_EEMPTY: it has to wait */

static int
put_or_wait(green_chan *c, struct waiter *w, bool wait, struct woken *woken)
{
        struct waiter *getter = c->get.first;

        if (c->closed)
                return GREEN_ECLOSED;
        if (getter != NULL) {
                getter->item = w->item;
                *woken = claim(getter, 0);
                return 0;
        }
        if (has_room(c)) {
                store(c, w->item);
                return 0;
        }
        if (wait)
                enlist(&c->put, w);
        return GREEN_EFULL;
}

static int
get_or_wait(green_chan *c, struct waiter *w, bool wait, struct woken *woken)
{
        struct waiter *putter = c->put.first;

        if (has_item(c)) {
                w->item = take(c);
                if (putter != NULL) {
                        (void)has_room(c);
                        store(c, putter->item);
                        *woken = claim(putter, 0);
                }
                return 0;
        }
        if (c->closed)
                return GREEN_ECLOSED;
        if (wait)
                enlist(&c->get, w);
        return GREEN_EEMPTY;
}

/* ---- waiting */

/* True if it was on the list still: the call fails. */
static bool
give_up(struct waiter *w)
{
        green_chan *c = w->chan;
        bool listed;

        lock_both(c);
        listed = w->side != NULL;
        if (listed)
                unlist(w);
        unlock_both(c);
        return listed;
}

static int
wait_green(struct waiter *w, double timeout, int over)
{
        int rc = green_park_mt(&w->mt, timeout);

        if (rc != 0 && !give_up(w))
                rc = green_settle_mt(&w->mt);
        green_wait_mt_end(&w->mt);
        if (rc == 0)
                return w->code;
        if (rc != -ETIMEDOUT)
                return rc;
        /* The end of the call's own limit; a scope's code is told as it is, be it -ETIMEDOUT too. */
        rc = green_checkpoint();
        return rc != 0 ? rc : over;
}

static int
wait_as_a_whole(struct waiter *w, double timeout, int over)
{
        int rc = 0;

        if (!green__os_wait_for(&w->os, timeout)) {
                if (give_up(w))
                        rc = over;
                else
                        (void)green__os_wait_for(&w->os, GREEN_FOREVER);
        }
        green__os_wait_end(&w->os);
        return rc != 0 ? rc : w->code;
}

/* The address of something of the calling OS thread's own. */
static const void *
this_thread(void)
{
        static _Thread_local char here;

        return &here;
}

/* Seldom, since each look takes the cache line away from the other side. With one processor that needs to be let run.
 */
static void
pause_looking(bool alone)
{
        if (alone)
                (void)sched_yield();
        for (int k = 0; k < PAUSES && !alone; k++)
                green__os_relax();
}

/*
 * Before it waits: the other side may be about to do something, in an OS thread that runs or could. One looks until
 * there is room, or there are items, for a while, or until what there is grows no more. How often follows from whether
 * it helped; now and then it is tried in any case. Without locks.
 */
static void
look(const green_chan *c, struct side *mine)
{
        size_t enough = c->capacity / 4 + 1, before = 0, there = 0;
        int usual = atomic_load_explicit(&mine->looks, memory_order_relaxed), looks = usual;
        bool helped = false, alone = green_processors() == 1;

        if ((atomic_fetch_add_explicit(&mine->tries, 1, memory_order_relaxed) + 1) % LOOK_AGAIN == 0)
                looks = LOOKS;
        if (alone && looks > LOOKS_ALONE)
                looks = LOOKS_ALONE;
        for (int i = 0; i < looks && !helped; i++) {
                pause_looking(alone);
                before = there;
                there = atomic_load_explicit(&c->put.done, memory_order_relaxed) -
                        atomic_load_explicit(&c->get.done, memory_order_relaxed);
                if (mine == &c->put)
                        there = c->capacity - there;
                helped = there >= enough || (there > 0 && there == before);
        }
        usual = helped ? LOOKS : usual / 2;
        atomic_store_explicit(&mine->looks, usual, memory_order_relaxed);
}

/* One call of one side. */
struct call {
        int (*try)(green_chan *c, struct waiter *w, bool wait, struct woken *woken);
        struct side *mine, *other;
        int over;      /* what it returns when the time is over */
        bool may_look; /* nobody waits before it, and the other side is in another OS thread */
};

static int
try_once(green_chan *c, struct call *call, struct waiter *w, bool wait)
{
        struct woken woken = {NULL, NULL};
        int rc;

        lock_both(c);
        call->may_look =
                call->mine->first == NULL && call->other->user != NULL && call->other->user != call->mine->user;
        rc = call->try(c, w, wait, &woken);
        unlock_both(c);
        wake(woken);
        return rc;
}

/* What the fast path could not do. */
static GREEN__COLD int
slowly(green_chan *c, struct call *call, struct waiter *w, double timeout, bool has_hub)
{
        int rc = try_once(c, call, w, false);

        if (rc != call->over || timeout == 0)
                return rc;
        if (has_hub && !w->green)
                return green__no_wait("a channel");
        if (call->may_look) {
                look(c, call->mine);
                rc = try_once(c, call, w, false);
                if (rc != call->over)
                        return rc;
        }
        if (w->green)
                green_wait_mt_begin(&w->mt, forget);
        else
                green__os_wait_begin(&w->os);
        rc = try_once(c, call, w, true);
        if (rc == call->over)
                return w->green ? wait_green(w, timeout, call->over) : wait_as_a_whole(w, timeout, call->over);
        if (w->green)
                green_wait_mt_end(&w->mt);
        else
                green__os_wait_end(&w->os);
        return rc;
}

static GREEN__COLD int
put_slowly(green_chan *c, void *item, double timeout, const green_thread *self, bool has_hub)
{
        struct call call = {put_or_wait, &c->put, &c->get, GREEN_EFULL, false};
        struct waiter w;

        w.chan = c;
        w.item = item;
        w.green = self != NULL;
        return slowly(c, &call, &w, timeout, has_hub);
}

static GREEN__COLD int
get_slowly(green_chan *c, void **ret_item, double timeout, const green_thread *self, bool has_hub)
{
        struct call call = {get_or_wait, &c->get, &c->put, GREEN_EEMPTY, false};
        struct waiter w;
        int rc;

        w.chan = c;
        w.item = NULL;
        w.green = self != NULL;
        rc = slowly(c, &call, &w, timeout, has_hub);
        if (rc == 0)
                *ret_item = w.item;
        return rc;
}

/* ---- the calls */

int
green_chan_put(green_chan *c, void *item, double timeout)
{
        green_thread *self;
        bool done;
        int rc;

        if (green__unlikely(c == NULL))
                return green__misuse(-EINVAL, "green_chan_put: no channel");
        rc = green_park_check_mt(timeout, &self);
        if (green__unlikely(rc < 0))
                return green__refused(rc, timeout, "a channel");
        lock(&c->put.lock);
        c->put.user = this_thread();
        done = !c->put.odd && has_room(c);
        if (done)
                store(c, item);
        unlock(&c->put.lock);
        return green__likely(done) ? 0 : put_slowly(c, item, timeout, self, rc == 0);
}

int
green_chan_get(green_chan *c, void **ret_item, double timeout)
{
        green_thread *self;
        void *item;
        bool done;
        int rc;

        if (green__unlikely(c == NULL || ret_item == NULL))
                return green__misuse(-EINVAL, "green_chan_get: no %s", c == NULL ? "channel" : "ret_item");
        rc = green_park_check_mt(timeout, &self);
        if (green__unlikely(rc < 0))
                return green__refused(rc, timeout, "a channel");
        lock(&c->get.lock);
        c->get.user = this_thread();
        done = !c->get.odd && has_item(c);
        if (done)
                item = take(c);
        unlock(&c->get.lock);
        if (green__unlikely(!done))
                return get_slowly(c, ret_item, timeout, self, rc == 0);
        *ret_item = item;
        return 0;
}

/* Nobody comes after it is closed, so one that waits at a time. */
int
green_chan_close(green_chan *c)
{
        struct woken woken;

        if (c == NULL)
                return green__misuse(-EINVAL, "green_chan_close: no channel");
        do {
                struct waiter *w;

                woken = (struct woken){NULL, NULL};
                lock_both(c);
                c->closed = true;
                set_odd(c);
                w = c->put.first != NULL ? c->put.first : c->get.first;
                if (w != NULL)
                        woken = claim(w, GREEN_ECLOSED);
                unlock_both(c);
                wake(woken);
        } while (woken.waiter != NULL);
        return 0;
}

/* The getters' count first, or it could be ahead of the other. */
size_t
green_chan_len(green_chan *c)
{
        size_t out, in;

        if (c == NULL) {
                green__misuse(-EINVAL, "green_chan_len: no channel");
                return 0;
        }
        out = atomic_load_explicit(&c->get.done, memory_order_acquire);
        in = atomic_load_explicit(&c->put.done, memory_order_acquire);
        return in - out < c->capacity ? in - out : c->capacity;
}
