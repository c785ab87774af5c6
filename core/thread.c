/*
 * The life of a green thread, from spawn to its end. See <green/thread.h>.
 */
#include <pthread.h>
#include <string.h>

#include "sched.h"

enum {
        THREADS_PER_CHUNK = 64,
        CACHE_LINE = 64,
        STRIDE = (sizeof(green_thread) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE,
};

/*
 * Control blocks come in chunks, so that a spawn allocates nothing most of the time. Each begins a cache line: what a
 * switch touches is in the first. Of a chunk the first free one is taken, so that those which are used one after the other
 * lie side by side, in whatever order they were given back.
 */
struct green__thread_chunk {
        struct green__thread_chunk *next;
        struct green__thread_chunk *next_free; /* in hub->free_chunks */
        uint64_t free;                         /* a bit for each that is free */
        char room[THREADS_PER_CHUNK * STRIDE + CACHE_LINE];
};

_Static_assert(THREADS_PER_CHUNK == 64, "a bit for each control block of a chunk");

static green_thread *
in_chunk(struct green__thread_chunk *chunk, int i)
{
        uintptr_t first = ((uintptr_t)chunk->room + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1);

        return (green_thread *)(first + (uintptr_t)i * STRIDE);
}

/* Take a free control block; there is one. */
static inline green_thread *
take_block(struct green__hub *h, struct green__thread_chunk **ret_chunk)
{
        struct green__thread_chunk *chunk = h->free_chunks;
        int i = __builtin_ctzll(chunk->free);

        chunk->free &= chunk->free - 1;
        if (chunk->free == 0)
                h->free_chunks = chunk->next_free;
        *ret_chunk = chunk;
        return in_chunk(chunk, i);
}

static inline void
give_block(struct green__hub *h, green_thread *t)
{
        struct green__thread_chunk *chunk = t->chunk;
        size_t i = (size_t)((char *)t - (char *)in_chunk(chunk, 0)) / STRIDE;

        if (chunk->free == 0) {
                chunk->next_free = h->free_chunks;
                h->free_chunks = chunk;
        }
        chunk->free |= (uint64_t)1 << i;
}

/* Numbers are handed to hubs in blocks, so that a spawn needs no atomic operation. */
enum { IDENTS_PER_BLOCK = 4096 };
static _Atomic(uint64_t) next_idents = 1;

static uint64_t
new_ident(struct green__hub *h)
{
        if (green__unlikely(h->ident_next == h->ident_end)) {
                h->ident_next = atomic_fetch_add_explicit(&next_idents, IDENTS_PER_BLOCK, memory_order_relaxed);
                h->ident_end = h->ident_next + IDENTS_PER_BLOCK;
        }
        return h->ident_next++;
}

static int
add_chunk(struct green__hub *h)
{
        struct green__thread_chunk *chunk = green_malloc(sizeof(*chunk));

        if (chunk == NULL)
                return -ENOMEM;
        chunk->next = NULL;
        for (int i = 0; i < THREADS_PER_CHUNK; i++) {
                green_thread *t = in_chunk(chunk, i);

                t->hub = NULL;
                t->counted = false;
        }
        /* A signal handler may go through them at any time. */
        atomic_signal_fence(memory_order_seq_cst);
        *h->thread_chunks_end = chunk;
        h->thread_chunks_end = &chunk->next;
        chunk->free = UINT64_MAX;
        chunk->next_free = h->free_chunks;
        h->free_chunks = chunk;
        return 0;
}

void
green__thread_init(green_thread *t, struct green__hub *h)
{
        size_t size = sizeof(*t);

        /* Of a length that the compiler does not know, or it takes an instruction that is slow for this one. */
        __asm__("" : "+r"(size));
        memset(t, 0, size);
        t->hub = h;
        t->ident = new_ident(h);
        t->kill.thread = t;
        t->kill.code = GREEN_EKILLED;
        t->innermost = &t->kill;
        h->nthreads++;
}

green_thread *
green__thread_next(const struct green__hub *h, struct green__thread_iter *it)
{
        if (it->chunk == NULL)
                it->chunk = h->thread_chunks;
        while (it->chunk != NULL) {
                while (it->index < THREADS_PER_CHUNK) {
                        green_thread *t = in_chunk(it->chunk, it->index++);

                        if (t->counted)
                                return t;
                }
                if (it->chunk->next == NULL)
                        return NULL;
                it->chunk = it->chunk->next;
                it->index = 0;
        }
        return NULL;
}

/* Looks at as many chunks as there are: not for where that happens often. */
const green_thread *
green__thread_of_joiners(const struct green__hub *h, const struct green_waitq *q)
{
        if (q == &h->main.joiners)
                return &h->main;
        for (struct green__thread_chunk *chunk = h->thread_chunks; chunk != NULL; chunk = chunk->next) {
                size_t at = (uintptr_t)q - (uintptr_t)in_chunk(chunk, 0);

                if (at >= (size_t)THREADS_PER_CHUNK * STRIDE)
                        continue;
                return at % STRIDE == offsetof(green_thread, joiners) ? in_chunk(chunk, (int)(at / STRIDE)) : NULL;
        }
        return NULL;
}

/* A green thread that could not be completed: as if it had never been. */
void
green__thread_unmake(green_thread *t)
{
        t->refs = 1;
        t->detached = true;
        t->asked = true;
        green__thread_forget(t->hub, t);
}

/* A control block with everything it needs to run once without fail; NULL where memory ran out. */
static green_thread *
make(struct green__hub *h, green_thread_fn fn, void *arg, const char *where)
{
        struct green__thread_chunk *chunk;
        green_thread *t;

        if (green__unlikely(h->free_chunks == NULL) && add_chunk(h) != 0)
                return NULL;
        if (green__unlikely(green__heap_promise(&h->heap, 1) != 0))
                return NULL;
        if (green__unlikely(green__stack_reserve(&h->stacks) != 0)) {
                green__heap_unpromise(&h->heap, 1);
                return NULL;
        }
        t = take_block(h, &chunk);
        green__thread_init(t, h);
        t->chunk = chunk;
        t->counted = true;
        t->reserved_stack = true;
        t->fn = fn;
        t->arg = arg;
        t->where = where;
        t->refs = 2;
        if (green__unlikely(h->current != NULL && h->current->locals != NULL) &&
            green__locals_inherit(t, h->current, false) != 0) {
                green__thread_unmake(t);
                return NULL;
        }
        h->spawns++;
        return t;
}

/* make() with the errors that handles need. */
static green_thread *
make_checked(green_thread_fn fn, void *arg, const char *where)
{
        struct green__hub *h = green__hub_get();
        green_thread *t;

        if (h == NULL)
                return NULL;
        if (fn == NULL) {
                green_set_error(-EINVAL, "a green thread needs a function");
                return NULL;
        }
        t = make(h, fn, arg, where);
        if (t == NULL)
                green_set_error(-ENOMEM, NULL);
        return t;
}

/* The same, for those who make it more than a plain one and then start it. */
green_thread *
green__thread_make(green_thread_fn fn, void *arg, const char *where)
{
        return make_checked(fn, arg, where);
}

/*
 * A control block that stands for a function which runs in another green thread: it is never started, and counted nowhere.
 * NULL where memory ran out.
 */
green_thread *
green__thread_stand_in(struct green__hub *h, const char *where)
{
        struct green__thread_chunk *chunk;
        green_thread *t;

        if (h->free_chunks == NULL && add_chunk(h) != 0)
                return NULL;
        t = take_block(h, &chunk);
        green__thread_init(t, h);
        h->nthreads--;
        t->chunk = chunk;
        t->where = where;
        t->refs = 1;
        return t;
}

/* It is bound to its creator no more: it starts, or ends before. */
static void
unbind(green_thread *t)
{
        green_thread **at;

        if (t->creator == NULL)
                return;
        at = &t->creator->extra->local_spawns;
        while (*at != t)
                at = &(*at)->local_next;
        *at = t->local_next;
        t->creator = NULL;
}

/* Put a green thread that has not started into the run queue. */
void
green__thread_start(struct green__hub *h, green_thread *t)
{
        unbind(t);
        green__ready(h, t);
}

green_thread *
green_spawn_at(green_thread_fn fn, void *arg, const char *where)
{
        green_thread *t = make_checked(fn, arg, where);

        if (green__likely(t != NULL))
                green__ready(t->hub, t);
        return t;
}

int
green_spawn_n_at(green_thread_fn fn, void *arg, const char *where)
{
        green_thread *t = make_checked(fn, arg, where);

        if (green__unlikely(t == NULL))
                return green__no_hub();
        t->detached = true;
        t->refs = 1;
        green__ready(t->hub, t);
        return 0;
}

/* What few have: made when first needed. NULL where memory ran out. */
struct green__extra *
green__thread_extra(green_thread *t)
{
        if (t->extra == NULL) {
                t->extra = green_calloc(1, sizeof(*t->extra));
                if (t->extra != NULL)
                        t->extra->links_end = &t->extra->links;
        }
        return t->extra;
}

void
green__thread_free_extra(green_thread *t)
{
        struct green__extra *extra = t->extra;

        if (extra == NULL)
                return;
        t->extra = NULL;
        while (extra->links != NULL) {
                struct green__link *link = extra->links;

                extra->links = link->next;
                green_free(link);
        }
        green_free(extra->name);
        green_free(extra->arg_copy);
        green_error_free(extra->error);
        green_free(extra);
}

/* The last reference has gone: the control block is free for the next. */
static void
recycle(green_thread *t)
{
        struct green__hub *h = t->hub;

        if (green__unlikely(t->extra != NULL))
                green__thread_free_extra(t);
        if (green__unlikely(t->last_error != NULL))
                green__last_error_free(t->last_error);
        t->hub = NULL;
        give_block(h, t);
}

/* Nobody can ask any more how it ended. */
static void
nobody_asked(green_thread *t)
{
        if (t->asked)
                return;
        t->asked = true;
        if (t->end_code != 0)
                green__log_end(t);
        else if (t->extra != NULL && t->extra->drop_result != NULL)
                t->extra->drop_result(t->arg);
}

void
green__thread_release(green_thread *t)
{
        if (--t->refs > 0)
                return;
        nobody_asked(t);
        recycle(t);
}

/* Nothing runs in it any more, and nobody will find it in a list. Its handles stay good. */
static void
retire(struct green__hub *h, green_thread *t)
{
        t->counted = false;
        h->nthreads--;
        green__heap_unpromise(&h->heap, 1);
        if (t->reserved_stack)
                green__stack_unreserve(&h->stacks);
        if (green__unlikely(h->nthreads == 1 && h->nobody_left.first != NULL))
                green_wake_all(&h->nobody_left, 0);
        green__thread_release(t);
}

/* What its creator had bound to itself ends with it, in the order it was made: the list has the last one first. */
static void
end_bound(struct green__hub *h, green_thread *t)
{
        green_thread *first = NULL;

        green__tasks_inside_end(t);
        green__timers_of_thread(t);
        while (t->extra->local_spawns != NULL) {
                green_thread *bound = t->extra->local_spawns;

                t->extra->local_spawns = bound->local_next;
                bound->local_next = first;
                first = bound;
        }
        t->extra->local_spawns = first;
        while (t->extra->local_spawns != NULL)
                green__thread_end_unstarted(h, t->extra->local_spawns, GREEN_EKILLED);
}

/* Call the links, and those that they make. */
void
green__thread_run_links(green_thread *t)
{
        t->linking = true;
        while (t->extra != NULL && t->extra->links != NULL) {
                struct green__link *link = t->extra->links;
                green_link_fn fn = link->fn;
                void *arg = link->arg;

                t->extra->links = link->next;
                if (t->extra->links == NULL)
                        t->extra->links_end = &t->extra->links;
                green_free(link);
                fn(t, arg);
        }
        t->linking = false;
}

/* It is over: those who wait are made ready, then the links run. */
static void
announce(green_thread *t)
{
        t->ended = true;
        green_wake_all(&t->joiners, 0);
        if (t->task != NULL)
                green__task_end(t);
        green__thread_run_links(t);
}

/* End one whose function has never begun, in the caller's context. */
void
green__thread_end_unstarted(struct green__hub *h, green_thread *t, int code)
{
        if (t->next != NULL)
                green__unready(h, t);
        green__heap_drop(&h->heap, &t->timer);
        unbind(t);
        t->end_code = code;
        t->arg = NULL;
        if (t->stack != NULL) {
                green__stack_give(&h->stacks, t->stack);
                t->stack = NULL;
        }
        if (t->locals != NULL) {
                green_shield_begin();
                green__locals_destroy(t);
                green_shield_end();
        }
        t->ended = true;
        if (green__unlikely(h->hooks))
                green__trace_end(t);
        green_wake_all(&t->joiners, 0);
        if (t->task != NULL)
                green__task_end(t);
        green_thread_ref(t);
        retire(h, t);
        /* Nobody finds it in a list any more: its links may wait, or end the caller. */
        green__thread_run_links(t);
        green__thread_release(t);
}

/* Free a green thread unrun, without a word to anybody: fork, the end of a hub. Waiting for it gives GREEN_EKILLED. */
void
green__thread_forget(struct green__hub *h, green_thread *t)
{
        if (t->state == GREEN__PARKED) {
                green__unwait(t);
                if (t->op != NULL)
                        green__op_forget(t);
        } else if (t->next != NULL) {
                green__unready(h, t);
        }
        green__wait_mt_forget(h, t);
        green__heap_drop(&h->heap, &t->timer);
        green__scopes_end(t);
        while (t->joiners.first != NULL)
                green_wake(t->joiners.first, 0);
        while (t->defers != NULL) {
                struct green__defer *d = t->defers;

                t->defers = d->next;
                green_free(d);
        }
        green_free(t->locals);
        t->locals = NULL;
        unbind(t);
        if (t->extra != NULL) {
                green__tasks_inside_end(t);
                green__timers_of_thread(t);
                while (t->extra->local_spawns != NULL)
                        green__thread_forget(h, t->extra->local_spawns);
        }
        if (t->stack != NULL) {
                if (t->started)
                        green__context_drop(&t->ctx);
                green__stack_give(&h->stacks, t->stack);
                t->stack = NULL;
        }
        t->ended = true;
        t->asked = true;
        t->end_code = GREEN_EKILLED;
        t->arg = NULL;
        if (t->task != NULL)
                green__task_end(t);
        retire(h, t);
}

static void
run_defers(green_thread *t)
{
        while (t->defers != NULL) {
                struct green__defer *d = t->defers;
                void (*fn)(void *) = d->fn;
                void *arg = d->arg;

                t->defers = d->next;
                green_free(d);
                fn(arg);
        }
}

/* How it ended: the code and the result that those who wait will see. */
static void
settle(green_thread *t, void *result, int failed)
{
        t->settled = true;
        t->arg = NULL;
        if (t->kill.fired) {
                t->end_code = t->kill.code;
                if (failed == 0 && t->task != NULL)
                        t->arg = result;
                if (failed == 0 && t->extra != NULL && t->extra->drop_result != NULL)
                        t->extra->drop_result(result);
        } else if (failed != 0) {
                t->end_code = failed;
        } else {
                t->end_code = 0;
                t->arg = result;
        }
}

/* Clean-up, and what clean-up leaves behind. The error of the function's result is kept from failures in there. */
void
green__thread_clean_up(green_thread *t)
{
        struct green_error *error = NULL;

        if (green__likely(t->defers == NULL && t->locals == NULL))
                return;
        green_shield_begin();
        if (t->extra != NULL) {
                error = t->extra->error;
                t->extra->error = NULL;
        }
        while (t->defers != NULL || t->locals != NULL) {
                run_defers(t);
                green__locals_destroy(t);
        }
        if (t->extra != NULL) {
                green_error_free(t->extra->error);
                t->extra->error = error;
        }
        green_shield_end();
}

/*
 * Everything that comes after the function: clean-up, result, waiters, links. A link or another user function in here
 * may call green_exit(): what is left is done then.
 */
static void
finish(struct green__hub *h, green_thread *t, void *result)
{
        int failed = green_failed(result);

        green__thread_clean_up(t);
        if (green__unlikely(t->innermost != &t->kill))
                green__scopes_end(t);
        if (!t->settled)
                settle(t, result, failed);
        if (green__unlikely(t->extra != NULL)) {
                /* It cannot be killed any more: hide that for good, with room for the shields of the links. */
                t->shield = UINT16_MAX / 2;
                green__scope_refresh(t);
                end_bound(h, t);
        }
        announce(t);
        green__thread_clean_up(t);
        if (t->refs == 1)
                nobody_asked(t);
}

/* End of the OS thread's own green thread: the others go on, then the OS thread ends. */
static void __attribute__((noreturn))
exit_main(struct green__hub *h, green_thread *self, void *result)
{
        struct green_wait w;

        finish(h, self, result);
        green__trace_end(self);
        green_shield_begin();
        while (h->nthreads > 1)
                if (green_park(&h->nobody_left, &w, GREEN_FOREVER) != 0)
                        break;
        pthread_exit(NULL);
        __builtin_unreachable(); /* not every system's header says so */
}

/* The running green thread, not main, ends: on with the next one. */
static inline __attribute__((always_inline, noreturn)) void
end(struct green__hub *h, green_thread *self, void *result)
{
        green_thread *next;

        finish(h, self, result);
        if (green__unlikely(h->hooks))
                green__hook_out(self);
        /* From here on the stack may be given to another, and the control block too: no function of the user runs. */
        if (green__likely(self->extra == NULL))
                green__stack_give_plain(&h->stacks, self->stack);
        else
                green__stack_give(&h->stacks, self->stack);
        self->stack = NULL;
        h->dying = true;
        retire(h, self);
        if (green__likely(--h->countdown > 0 && green__any_ready(h)))
                next = green__pop(h);
        else
                next = green__pick(h);
        h->dying = false;
        if (green__unlikely(!next->started))
                green__prepare(h, next);
        h->current = next;
        next->state = GREEN__RUNNING;
        green__switch_last(&self->ctx, &next->ctx);
}

/* Where a birth leads. Every call in here returns, see green__method_enter(). */
void
green__thread_main(void)
{
        struct green__hub *h = green__hub_here;
        green_thread *t = h->current;

        if (green__unlikely(t == &h->home))
                green__home_main();
        *h->errno_at = 0;
        if (green__unlikely(h->hooks))
                green__hook_in(t);
        end(h, t, t->fn(t->arg));
}

void
green_exit(void *result)
{
        struct green__hub *h = green__hub_get();
        green_thread *self = h->current;

        if (self == NULL) {
                green_log(GREEN_LOG_ERROR, "green-net: green_exit() in a hub callback: the callback is abandoned");
                GREEN_ASSERT(!h->embedded);
                green__home_main();
        }
        if (self == &h->main)
                exit_main(h, self, result);
        end(h, self, result);
}

int
green_defer(void (*fn)(void *arg), void *arg)
{
        struct green__hub *h = green__hub_get();
        struct green__defer *d;

        if (h == NULL)
                return green__no_hub();
        if (h->current == NULL)
                return -EDEADLK;
        if (fn == NULL)
                return -EINVAL;
        d = green_malloc(sizeof(*d));
        if (d == NULL)
                return -ENOMEM;
        *d = (struct green__defer){h->current->defers, fn, arg};
        h->current->defers = d;
        return 0;
}

void
green_clean_up(void)
{
        struct green__hub *h = green__hub_here;

        if (h != NULL && h->current != NULL)
                green__thread_clean_up(h->current);
}

/* The hub has ended: so have all handles. */
void
green__threads_free(struct green__hub *h)
{
        while (h->thread_chunks != NULL) {
                struct green__thread_chunk *chunk = h->thread_chunks;

                h->thread_chunks = chunk->next;
                for (int i = 0; i < THREADS_PER_CHUNK; i++) {
                        green_thread *t = in_chunk(chunk, i);

                        if (t->hub == NULL)
                                continue;
                        green__thread_free_extra(t);
                        green__last_error_free(t->last_error);
                }
                green_free(chunk);
        }
        h->thread_chunks_end = &h->thread_chunks;
        h->free_chunks = NULL;
}
