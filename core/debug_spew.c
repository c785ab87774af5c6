/*
 * Functions that are entered and left, of objects built with -finstrument-functions. See <green/debug.h>.
 *
 * The compiler has each of their functions call __cyg_profile_func_enter() and __cyg_profile_func_exit(). Those of other
 * objects than were asked for are passed over: which object a function is in says the system's loader, once for each
 * function as a rule.
 */
#include <config.h>

#include <string.h>

#include "debug_symbol.h"
#include "debug_trace.h"

#define UNSEEN __attribute__((no_instrument_function))

enum { KNOWN = 512 };

struct green__spew {
        bool busy;     /* in here already: what is called from here is not shown */
        bool steps;    /* the tracer is ours */
        bool all;      /* of all objects */
        size_t count;  /* of names */
        struct {
                const void *function;
                bool shown;
        } known[KNOWN]; /* by address: what was found out last */
        char names[];   /* one after the other, each with its NUL */
};

GREEN_API void __cyg_profile_func_enter(void *function, void *from) UNSEEN;
GREEN_API void __cyg_profile_func_exit(void *function, void *from) UNSEEN;
static bool is_wanted(struct green__spew *spew, const void *function) UNSEEN;
static bool look_up(const struct green__spew *spew, const void *function) UNSEEN;
static void show(enum green_trace_kind kind, const void *function) UNSEEN;

static bool
look_up(const struct green__spew *spew, const void *function)
{
        const char *name = spew->names, *file;
        struct green__symbol info;

        if (spew->all)
                return true;
        green__symbol_find(function, &info);
        if (info.object == NULL)
                return false;
        file = strrchr(info.object, '/');
        file = file == NULL ? info.object : file + 1;
        for (size_t i = 0; i < spew->count; i++, name += strlen(name) + 1)
                if (strstr(file, name) != NULL)
                        return true;
        return false;
}

static bool
is_wanted(struct green__spew *spew, const void *function)
{
        size_t i = ((uintptr_t)function ^ (uintptr_t)function >> 9) / 4 % KNOWN;

        if (spew->known[i].function != function) {
                spew->known[i].shown = look_up(spew, function);
                spew->known[i].function = function;
        }
        return spew->known[i].shown;
}

static void
show(enum green_trace_kind kind, const void *function)
{
        struct green__hub *h = green__hub_here;
        struct green__spew *spew = h == NULL ? NULL : h->spew;
        const green_thread *t;
        struct green_trace step;
        int saved = errno;

        if (spew == NULL || spew->busy || h->tracing)
                return;
        spew->busy = true;
        t = h->current;
        if (is_wanted(spew, function)) {
                step = (struct green_trace){.size = sizeof step,
                                            .kind = kind,
                                            .ident = t == NULL ? 0 : t->ident,
                                            .name = t == NULL ? "hub" : green_thread_name(t),
                                            .where = t == NULL ? "hub" : green_thread_where(t),
                                            .address = function,
                                            .fd = GREEN_INVALID_FD,
                                            .time = (double)green__clock_monotonic() / 1e9};
                if (h->tracer != NULL)
                        green__trace(h, &step);
                else
                        green_debug_trace_line(&step, (void *)(intptr_t)-1);
        }
        /* A tracer may have ended it. */
        if (h->spew == spew)
                spew->busy = false;
        errno = saved;
}

void
__cyg_profile_func_enter(void *function, void *from)
{
        (void)from;
        show(GREEN_TRACE_CALL, function);
}

void
__cyg_profile_func_exit(void *function, void *from)
{
        (void)from;
        show(GREEN_TRACE_RETURN, function);
}

static struct green__spew *
make(const char *const *objects)
{
        struct green__spew *spew;
        size_t len = 0;
        char *to;

        for (size_t i = 0; objects != NULL && objects[i] != NULL; i++)
                len += strlen(objects[i]) + 1;
        spew = green_calloc(1, sizeof *spew + len);
        if (spew == NULL)
                return NULL;
        spew->all = objects == NULL;
        to = spew->names;
        for (; objects != NULL && objects[spew->count] != NULL; spew->count++) {
                len = strlen(objects[spew->count]) + 1;
                memcpy(to, objects[spew->count], len);
                to += len;
        }
        return spew;
}

int
green_debug_spew(const char *const *objects, bool show_steps)
{
        struct green__hub *h = green__hub_get();
        struct green__spew *spew;

        if (h == NULL)
                return green__no_hub();
        spew = make(objects);
        if (spew == NULL)
                return -ENOMEM;
        green__spew_end(h);
        /* A tracer of the application's stays, and is told of functions too. */
        spew->steps = show_steps && h->tracer == NULL;
        h->spew = spew;
        if (spew->steps)
                green__tracer_set(h, green_debug_trace_line, (void *)(intptr_t)-1);
        return 0;
}

void
green__spew_end(struct green__hub *h)
{
        struct green__spew *spew = h->spew;

        if (spew == NULL)
                return;
        h->spew = NULL;
        if (spew->steps && h->tracer == green_debug_trace_line)
                green__tracer_set(h, NULL, NULL);
        green_free(spew);
}

void
green_debug_unspew(void)
{
        if (green__hub_here != NULL)
                green__spew_end(green__hub_here);
}
