/*
 * The scheduler's fast path: a green thread that blocks pops the next one and jumps to it.
 */
#ifndef GREEN_SCHED_H
#define GREEN_SCHED_H

#include "hub_priv.h"

/* sched.c: the slow path. Whom to run next: a green thread, or &h->home where the hub stack has something to do. */
green_thread *green__pick(struct green__hub *h);

/* sched.c: called by what makes something ready while an embedder is outside green_hub_step(). */
void green__notify(struct green__hub *h);

/* sched.c: every switch takes the slow path from now on. */
void green__hooks_on(struct green__hub *h);

/*
 * debug_trace.c: steps for the tracer, where there is one. The running green thread is about to go; control goes home, or
 * to t; t has ended, or has not started and was made ready; somebody was made ready, which an embedder is told of too.
 */
void green__trace_block(struct green__hub *h);
void green__trace_home(struct green__hub *h);
void green__trace_switch(const green_thread *t);
void green__trace_end(const green_thread *t);
void green__trace_spawn(const green_thread *t);
void green__tell_ready(struct green__hub *h, const green_thread *t);

/* hub_end.c: main's calls, or an embedder's next step, fail with a code. -EALREADY: they were told, and know it not
 * yet. */
int green__hub_tell(struct green__hub *h, int code);

/* sched.c: before control goes to t for the first time, or goes home. */
void green__prepare(struct green__hub *h, green_thread *t);

/* sched.c: switch hooks of the one that goes and of the one that comes. */
void green__hook_out(green_thread *t);
void green__hook_in(green_thread *t);

/* sched.c: the first function of the hub stack; sched.c also runs it for an embedder. */
void green__home_main(void) __attribute__((noreturn));
void green__run_callbacks(struct green__hub *h);
void green__poll(struct green__hub *h, int64_t limit);
void green__interval_begin(struct green__hub *h);

/*
 * A deadline was set, or the back end was asked for something: an embedder that is outside green_hub_step() has to step
 * before it waits on.
 */
static inline void
green__must_step(struct green__hub *h)
{
        if (green__unlikely(h->embedded && !h->in_step))
                green__notify(h);
}

/* Put at the end of the run queue. The stores stay apart: as one vector they wait for the slower of their values. */
static inline void
green__enqueue(struct green__hub *h, green_thread *t)
{
        green_thread *last = h->run.prev;

        t->next = &h->run;
        __asm__("" ::: "memory");
        t->prev = last;
        last->next = t;
        h->run.prev = t;
        h->nready++;
}

/* Make ready to run; not from the running green thread itself. */
static inline void
green__ready(struct green__hub *h, green_thread *t)
{
        green__enqueue(h, t);
        if (green__unlikely(h->told))
                green__tell_ready(h, t);
}

static inline void
green__unready(struct green__hub *h, green_thread *t)
{
        t->prev->next = t->next;
        t->next->prev = t->prev;
        t->next = t->prev = NULL;
        h->nready--;
}

static inline green_thread *
green__pop(struct green__hub *h)
{
        green_thread *t = h->run.next;

        green_thread *after = t->next;

        h->run.next = after;
        after->prev = &h->run;
        __builtin_prefetch(green__method_word(&after->ctx));
        h->nready--;
        return t;
}

static inline bool
green__any_ready(const struct green__hub *h)
{
        return h->run.next != &h->run;
}

/* Go from the running green thread to t. Comes back when self is run again. */
static inline __attribute__((always_inline)) void
green__go(struct green__hub *h, green_thread *self, green_thread *t)
{
        int saved = *h->errno_at;

        if (green__unlikely(!t->started))
                green__prepare(h, t);
        h->current = t;
        t->state = GREEN__RUNNING;
        green__switch(&self->ctx, &t->ctx);
        *h->errno_at = saved;
}

/* The running green thread has put itself where it will be found again: let others run until it is. */
static inline __attribute__((always_inline)) void
green__block(struct green__hub *h, green_thread *self)
{
        green_thread *t;

        if (green__likely(--h->countdown > 0 && green__any_ready(h)))
                t = green__pop(h);
        else
                t = green__pick(h);
        if (t == self) {
                self->state = GREEN__RUNNING;
                return;
        }
        if (green__unlikely(h->hooks))
                green__hook_out(self);
        green__go(h, self, t);
        if (green__unlikely(h->hooks))
                green__hook_in(self);
}

/* Yield: the running green thread stays ready. */
static inline __attribute__((always_inline)) void
green__yield(struct green__hub *h, green_thread *self)
{
        self->state = GREEN__READY;
        green__enqueue(h, self);
        green__block(h, self);
}

#endif
