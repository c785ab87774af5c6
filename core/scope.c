/*
 * Cancel scopes: kill, timeouts, shields. See <green/timeout.h>.
 *
 * The scopes of a green thread are a list from the kill scope outside to the innermost timeout. A scope is hidden while
 * more shields are up than when it was opened. The outermost one that has fired and is not hidden is kept in
 * green_thread.fired, so that the check on entry is one load.
 */
#include <stdio.h>

#include "debug_calls.h"
#include "sched.h"

/* Marks storage that holds a scope; mixed with its address, so that a copy is none. */
#define MAGIC ((uintptr_t)0x67726565)

static inline struct green__scope *
scope_of(const struct green_timeout *t)
{
        return (struct green__scope *)(uintptr_t)t;
}

/* The timeout that a scope is the head of: any but a kill scope. */
static inline struct green__timeout *
whole(const struct green__scope *s)
{
        return (struct green__timeout *)(uintptr_t)s;
}

static inline bool
hidden(const struct green__scope *s, const green_thread *t)
{
        return s->shield < t->shield;
}

void
green__scope_refresh(green_thread *t)
{
        struct green__scope *s = &t->kill;

        while (s != NULL && (!s->fired || hidden(s, t)))
                s = s->inner;
        t->fired = s;
}

/*
 * Fire a scope. A wait in it ends with the scope's code; the return value says so. While an operation of it is in the
 * kernel, its end is only asked for.
 */
bool
green__scope_fire(struct green__hub *h, struct green__scope *s)
{
        green_thread *t = s->thread;

        GREEN_DEBUG_ASSERT(t != NULL);
        s->fired = true;
        green__scope_refresh(t);
        if (hidden(s, t) || t->state != GREEN__PARKED)
                return false;
        if (t->op != NULL) {
                if (t->op_code == 0)
                        t->op_scope = s;
                green__op_cancel(h, t, s->code);
                return false;
        }
        if (green__unlikely(t->wait_mt != NULL) && !s->failed)
                t->wait_mt->scope = s;
        s->failed = true;
        green__withdraw(h, t, s->code);
        return true;
}

/* The running green thread's call fails, since a scope around it has fired. The others get to run first. */
int
green__cancelled(struct green__hub *h, green_thread *self)
{
        struct green__scope *s;

        green__yield(h, self);
        s = self->fired;
        s->failed = true;
        return s->code;
}

int
green_checkpoint(void)
{
        struct green__hub *h = green__hub_get();
        green_thread *self;

        if (green__unlikely(h == NULL))
                return green__no_hub();
        self = h->current;
        if (green__likely(self == NULL || self->fired == NULL))
                return 0;
        return green__cancelled(h, self);
}

void
green_shield_begin(void)
{
        struct green__hub *h = green__hub_get();

        if (h == NULL || h->current == NULL)
                return;
        h->current->shield++;
        GREEN_ASSERT(h->current->shield != 0);
        h->current->fired = NULL;
        green__scope_refresh(h->current);
}

void
green_shield_end(void)
{
        struct green__hub *h = green__hub_get();
        green_thread *self;

        if (h == NULL || h->current == NULL || h->current->shield == 0)
                return;
        self = h->current;
        self->shield--;
        /* Those opened under it are outside the next one. */
        for (struct green__scope *s = self->innermost; s != NULL && s->shield > self->shield; s = s->outer)
                s->shield = self->shield;
        green__scope_refresh(self);
}

int
green_recover(void)
{
        struct green__hub *h = green__hub_get();
        green_thread *self = h == NULL ? NULL : h->current;
        int code;

        if (self == NULL || !self->kill.fired)
                return 0;
        code = self->kill.code;
        self->kill.fired = false;
        self->kill.failed = false;
        self->stopped = false;
        green__scope_refresh(self);
        return code;
}

static bool
is_scope(const struct green__scope *s)
{
        return whole(s)->magic == (MAGIC ^ (uintptr_t)s);
}

/* Is it in the list of the running green thread? Its storage is not read: it may never have been written. */
static bool
is_mine(const green_thread *self, const struct green__scope *scope)
{
        for (const struct green__scope *s = self->innermost; s != NULL; s = s->outer)
                if (s == scope && s != &self->kill)
                        return true;
        return false;
}

static void
unlink_scope(green_thread *t, struct green__scope *s)
{
        s->outer->inner = s->inner;
        if (s->inner != NULL)
                s->inner->outer = s->outer;
        else
                t->innermost = s->outer;
        if (whole(s)->timer.id != 0)
                green__heap_remove(&t->hub->heap, &whole(s)->timer);
        green__heap_unpromise(&t->hub->heap, 1);
        s->thread = NULL;
        if (t->op_scope == s)
                t->op_scope = NULL;
        if (t->fired == s)
                green__scope_refresh(t);
}

/* A green thread ends: so do its scopes. Its stack is still there, and so is their storage. */
void
green__scopes_end(green_thread *t)
{
        while (t->innermost != &t->kill) {
                struct green__scope *s = t->innermost;
#if defined(GREEN_DEBUG) && GREEN_DEBUG
                green_log(GREEN_LOG_WARNING, "green-net: green thread %llu (%s) ends inside a timeout of %g seconds",
                          (unsigned long long)t->ident, t->where, whole(s)->seconds);
#endif
                unlink_scope(t, s);
        }
}

#if defined(GREEN_DEBUG) && GREEN_DEBUG
/* Report scopes whose storage lies below the caller's frame: their function has returned without a cancel. */
static void
report_stale(const green_thread *self, const void *frame)
{
        const struct green__stack *stack = self->stack;
        const struct green__scope *s = self->innermost;

        if (stack == NULL)
                return;
        while (s != &self->kill && (const char *)s >= green__stack_lo(stack) && (const char *)s < (const char *)frame) {
                /* Its storage may be used again already, or by the report. */
                const struct green__scope *outer = is_scope(s) ? s->outer : &self->kill;

                green_log(GREEN_LOG_ERROR,
                          "green-net: a timeout of green thread %llu (%s) was not cancelled before its function returned",
                          (unsigned long long)self->ident, self->where);
                s = outer;
        }
}
#else
#define report_stale(self, frame) ((void)0)
#endif

int
green_timeout_start_opts(struct green_timeout *t, double seconds, const struct green_timeout_opts *opts)
{
        struct green__hub *h = green__hub_get();
        struct green__scope *s = scope_of(t);
        struct green_timeout_opts o;
        green_thread *self;
        int rc;

        if (h == NULL)
                return green__no_hub();
        self = h->current;
        if (t == NULL || seconds != seconds)
                return -EINVAL;
        if (green_opts_take(&o, sizeof(o), opts) != 0 || o.code > 0)
                return -EINVAL;
        if (self == NULL)
                return -EDEADLK;
        report_stale(self, __builtin_frame_address(0));
        if (is_mine(self, s))
                return -EBUSY;
        rc = green__heap_promise(&h->heap, 1);
        if (rc != 0)
                return rc;
        *whole(s) = (struct green__timeout){
                .scope = {.outer = self->innermost, .thread = self, .shield = self->shield}, .seconds = seconds};
        whole(s)->magic = MAGIC ^ (uintptr_t)s;
        s->code = o.code != 0 ? o.code : GREEN_ETIMEOUT;
        s->silent = o.silent;
        whole(s)->timer.kind = GREEN__TIMER_SCOPE;
        self->innermost->inner = s;
        self->innermost = s;
        if (seconds <= 0) {
                green__scope_fire(h, s);
        } else if (seconds < GREEN_FOREVER) {
                green__heap_add(&h->heap, &whole(s)->timer, green__deadline(h, seconds));
                green__calls_keep(h, GREEN__CALLS_TIMERS, &whole(s)->timer);
        }
        return 0;
}

int
green_timeout_start(struct green_timeout *t, double seconds)
{
        return green_timeout_start_opts(t, seconds, NULL);
}

/* The next scope around s that has fired and that the caller can see. */
static struct green__scope *
outer_fired(const green_thread *self, const struct green__scope *s)
{
        struct green__scope *outer = s->outer;

        while (outer != NULL && (!outer->fired || hidden(outer, self)))
                outer = outer->outer;
        return outer;
}

int
green_timeout_cancel(struct green_timeout *t)
{
        struct green__hub *h = green__hub_here;
        struct green__scope *s = scope_of(t), *outer;
        int rc = 0;

        if (t == NULL || !is_scope(s) || s->thread == NULL)
                return 0;
        if (h == NULL || s->thread != h->current)
                return -EPERM;
        if (green__unlikely(s->failed)) {
                outer = outer_fired(h->current, s);
                rc = !s->silent && outer == NULL;
                /* By its code nobody can tell what this one has failed from what that one does: it has to answer for it. */
                if (outer != NULL && outer->code == s->code)
                        outer->failed = true;
        }
        unlink_scope(h->current, s);
        return rc;
}

bool
green_timeout_pending(const struct green_timeout *t)
{
        const struct green__scope *s = scope_of(t);

        return t != NULL && is_scope(s) && s->thread != NULL && !s->fired;
}

bool
green_timeout_fired(const struct green_timeout *t)
{
        const struct green__scope *s = scope_of(t);

        return t != NULL && is_scope(s) && s->thread != NULL && s->fired;
}

int
green_timeout_format(const struct green_timeout *t, char *text, size_t len)
{
        const struct green__scope *s = scope_of(t);
        char code[32] = "";

        if (t == NULL || !is_scope(s) || whole(s)->seconds >= GREEN_FOREVER)
                return snprintf(text, len, "%s", "");
        if (s->silent)
                snprintf(code, sizeof(code), " (silent)");
        else if (s->code != GREEN_ETIMEOUT)
                snprintf(code, sizeof(code), " (%s)", green_errname(s->code));
        return snprintf(text, len, "%g second%s%s", whole(s)->seconds, whole(s)->seconds == 1 ? "" : "s", code);
}

void *
green_with_timeout(double seconds, green_thread_fn fn, void *arg, void *timeout_value)
{
        struct green_timeout t = {{0}};
        void *result;
        int rc;

        if (fn == NULL)
                return green_fail(-EINVAL);
        rc = green_timeout_start(&t, seconds);
        if (rc != 0)
                return green_fail(rc);
        result = fn(arg);
        if (green_timeout_cancel(&t) == 1)
                return timeout_value == GREEN_TIMEOUT_RAISE ? green_fail(GREEN_ETIMEOUT) : timeout_value;
        return result;
}

/* Codes that count as timeouts beside green-net's own: few, set at start-up, read at any time by any thread. */
enum { WRAPPED_MAX = 64 };
static atomic_int wrapped[WRAPPED_MAX];

bool
green_is_timeout(int code)
{
        if (code == GREEN_ETIMEOUT || code == -ETIMEDOUT || code == GREEN_ECONNECTTIMEOUT)
                return true;
        if (code >= 0)
                return false;
        for (int i = 0; i < WRAPPED_MAX; i++) {
                int known = atomic_load_explicit(&wrapped[i], memory_order_relaxed);

                if (known == code)
                        return true;
                if (known == 0)
                        break;
        }
        return false;
}

int
green_wrap_is_timeout(int code)
{
        if (code >= 0)
                return -EINVAL;
        for (int i = 0; i < WRAPPED_MAX; i++) {
                int known = 0;

                if (atomic_compare_exchange_strong(&wrapped[i], &known, code) || known == code)
                        return 0;
        }
        return -ENOMEM;
}
