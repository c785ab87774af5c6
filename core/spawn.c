/*
 * The other ways to make a green thread: later, with a copy of its argument, with options. See <green/thread.h>.
 */
#include <string.h>

#include "debug_calls.h"
#include "sched.h"

#undef green_spawn
#undef green_spawn_n
#undef green_spawn_after
#undef green_spawn_after_local
#undef green_spawn_copy
#undef green_spawn_with

green_thread *
green_spawn_after_at(double seconds, green_thread_fn fn, void *arg, const char *where)
{
        green_thread *t;

        if (seconds != seconds) {
                green_set_error(-EINVAL, "a delay that is not a number");
                return NULL;
        }
        t = green__thread_make(fn, arg, where);
        if (t == NULL)
                return NULL;
        t->timer.kind = GREEN__TIMER_START;
        if (seconds < GREEN_FOREVER) {
                green__heap_add(&t->hub->heap, &t->timer, green__deadline(t->hub, seconds));
                green__calls_keep(t->hub, GREEN__CALLS_TIMERS, &t->timer);
        }
        if (green__unlikely(t->hub->hooks))
                green__trace_spawn(t);
        green__must_step(t->hub);
        return t;
}

green_thread *
green_spawn_after_local_at(double seconds, green_thread_fn fn, void *arg, const char *where)
{
        struct green__hub *h = green__hub_get();
        green_thread *self = h == NULL ? NULL : h->current;
        struct green__extra *extra;
        green_thread *t;

        if (h == NULL)
                return NULL;
        if (self == NULL) {
                green_set_error(-EDEADLK, "spawn_after_local needs a green thread to be bound to");
                return NULL;
        }
        extra = green__thread_extra(self);
        if (extra == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        t = green_spawn_after_at(seconds, fn, arg, where);
        if (t == NULL)
                return NULL;
        t->creator = self;
        t->local_next = extra->local_spawns;
        extra->local_spawns = t;
        return t;
}

static int
apply_opts(green_thread *t, const struct green_spawn_opts *opts)
{
        struct green__extra *extra = green__thread_extra(t);

        if (extra == NULL)
                return -ENOMEM;
        extra->drop_result = opts->drop_result;
        if (opts->name != NULL && green_thread_set_name(t, opts->name) != 0)
                return -ENOMEM;
        if (opts->stack_size != 0) {
                t->stack = green__stack_take_sized(&t->hub->stacks, opts->stack_size);
                if (t->stack == NULL)
                        return -ENOMEM;
                green__stack_unreserve(&t->hub->stacks);
                t->reserved_stack = false;
        }
        if (opts->copy_arg > 0) {
                extra->arg_copy = green_malloc(opts->copy_arg);
                if (extra->arg_copy == NULL)
                        return -ENOMEM;
                memcpy(extra->arg_copy, t->arg, opts->copy_arg);
                t->arg = extra->arg_copy;
        }
        if (opts->inherit_locals && t->hub->current != NULL)
                return green__locals_inherit(t, t->hub->current, true);
        return 0;
}

green_thread *
green_spawn_with_at(green_thread_fn fn, void *arg, const struct green_spawn_opts *opts, const char *where)
{
        struct green_spawn_opts o;
        green_thread *t;

        if (opts == NULL)
                return green_spawn_at(fn, arg, where);
        if (green_opts_take(&o, sizeof(o), opts) != 0) {
                green_set_error(-EINVAL, "green_spawn_opts of a size that this version does not know");
                return NULL;
        }
        if (arg == NULL && o.copy_arg > 0) {
                green_set_error(-EINVAL, "no argument block to copy");
                return NULL;
        }
        t = green__thread_make(fn, arg, where);
        if (t == NULL)
                return NULL;
        if (apply_opts(t, &o) != 0) {
                green__thread_unmake(t);
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        green__ready(t->hub, t);
        return t;
}

green_thread *
green_spawn_copy_at(green_thread_fn fn, const void *arg, size_t len, const char *where)
{
        struct green_spawn_opts opts = {.size = sizeof(opts), .copy_arg = len};

        return green_spawn_with_at(fn, (void *)(uintptr_t)arg, &opts, where);
}

green_thread *
green_spawn(green_thread_fn fn, void *arg)
{
        return green_spawn_at(fn, arg, "?");
}

int
green_spawn_n(green_thread_fn fn, void *arg)
{
        return green_spawn_n_at(fn, arg, "?");
}

green_thread *
green_spawn_after(double seconds, green_thread_fn fn, void *arg)
{
        return green_spawn_after_at(seconds, fn, arg, "?");
}

green_thread *
green_spawn_after_local(double seconds, green_thread_fn fn, void *arg)
{
        return green_spawn_after_local_at(seconds, fn, arg, "?");
}

green_thread *
green_spawn_copy(green_thread_fn fn, const void *arg, size_t len)
{
        return green_spawn_copy_at(fn, arg, len, "?");
}

green_thread *
green_spawn_with(green_thread_fn fn, void *arg, const struct green_spawn_opts *opts)
{
        return green_spawn_with_at(fn, arg, opts, "?");
}
