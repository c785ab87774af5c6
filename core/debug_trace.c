/*
 * Steps of green threads, for a tracer. See <green/debug.h>.
 *
 * While there is one, hub->hooks has every switch take the slow path, and hub->told tells of all that is made ready: the
 * fast path looks at nothing that it would not look at without tracers.
 */
#include <string.h>

#include "debug_trace.h"

/* The tracer is not called for what it does itself. */
void
green__trace(struct green__hub *h, struct green_trace *step)
{
        int saved = errno;

        if (h->tracer == NULL || h->tracing)
                return;
        step->size = sizeof *step;
        step->time = (double)green__clock_monotonic() / 1e9;
        h->tracing = true;
        h->tracer(step, h->tracer_arg);
        h->tracing = false;
        errno = saved;
}

static struct green_trace
about(enum green_trace_kind kind, const green_thread *t)
{
        return (struct green_trace){.kind = kind,
                                    .ident = t->ident,
                                    .name = green_thread_name(t),
                                    .where = green_thread_where(t),
                                    .fd = GREEN_INVALID_FD};
}

static void
trace_fd(struct green__hub *h, const green_thread *t, green_fd fd, unsigned events)
{
        struct green_trace step = about(GREEN_TRACE_IO, t);

        step.address = t->wait_where;
        step.fd = fd;
        step.events = events;
        green__trace(h, &step);
}

void
green__trace_block(struct green__hub *h)
{
        const green_thread *t = h->current;
        struct green_trace step;

        if (h->tracer == NULL || h->dying || t == NULL || t->state != GREEN__PARKED)
                return;
        step = about(GREEN_TRACE_PARK, t);
        step.address = t->wait_where;
        green__trace(h, &step);
        for (uint32_t i = 0; i < t->nwaits && t->op == NULL; i++) {
                int dir = 0;
                green_fd fd = green__descriptor_of(h, t->waits[i].queue, &dir);

                if (fd != GREEN_INVALID_FD)
                        trace_fd(h, t, fd, dir == 0 ? GREEN_READ : GREEN_WRITE);
        }
        if (t->op != NULL)
                trace_fd(h, t, t->op->fd, green__op_events(t->op));
}

void
green__trace_home(struct green__hub *h)
{
        struct green_trace step = {
                .kind = GREEN_TRACE_SWITCH, .name = "hub", .where = "hub", .fd = GREEN_INVALID_FD};

        green__trace(h, &step);
}

static void
trace_plain(enum green_trace_kind kind, const green_thread *t, int code)
{
        struct green_trace step;

        if (t->hub->tracer == NULL)
                return;
        step = about(kind, t);
        step.code = code;
        green__trace(t->hub, &step);
}

void
green__trace_switch(const green_thread *t)
{
        trace_plain(GREEN_TRACE_SWITCH, t, 0);
}

void
green__trace_end(const green_thread *t)
{
        trace_plain(GREEN_TRACE_END, t, t->end_code);
}

void
green__trace_spawn(const green_thread *t)
{
        trace_plain(GREEN_TRACE_SPAWN, t, 0);
}

/* One that is new is made ready by its spawn, or was told of then and its time has come. */
void
green__tell_ready(struct green__hub *h, const green_thread *t)
{
        if (t->state != GREEN__NEW)
                trace_plain(GREEN_TRACE_WAKE, t, t->wake_code);
        else
                trace_plain(t->timer.kind == GREEN__TIMER_START ? GREEN_TRACE_WAKE : GREEN_TRACE_SPAWN, t, 0);
        if (h->embedded && !h->in_step)
                green__notify(h);
}

static void
tracer_off(struct green__hub *h)
{
        h->tracer = NULL;
        h->hooks = h->hooked;
        h->look_every = h->hooked ? 1 : GREEN__LOOK_EVERY;
        h->told = h->embedded;
}

void
green__tracer_set(struct green__hub *h, green_trace_fn fn, void *arg)
{
        if (fn == NULL) {
                tracer_off(h);
                return;
        }
        h->tracer_arg = arg;
        h->tracer = fn;
        h->told = true;
        green__hooks_on(h);
}

int
green_debug_set_tracer(green_trace_fn fn, void *arg)
{
        struct green__hub *h = green__hub_get();

        if (h == NULL)
                return green__no_hub();
        green__tracer_set(h, fn, arg);
        return 0;
}

/* ---- a tracer that writes */

static void
add_step(struct green__text *text, const struct green_trace *step)
{
        static const char *const kinds[] = {"switch", "spawn", "end", "park", "wake", "io", "call", "return"};
        bool known = (size_t)step->kind < sizeof kinds / sizeof kinds[0];

        green__text_add(text, "%.6f %-6s ", step->time, known ? kinds[step->kind] : "?");
        if (step->ident == 0)
                green__text_add(text, "hub");
        else
                green__text_add(text, "green thread %llu %s%s(%s)", (unsigned long long)step->ident, step->name,
                                *step->name == '\0' ? "" : " ", step->where);
        if (step->kind == GREEN_TRACE_IO)
                green__text_add(text, " %s descriptor %lld", step->events & GREEN_WRITE ? "writes" : "reads",
                                (long long)step->fd);
        if (step->code != 0)
                green__text_add(text, " %s", green_errname(step->code));
        if (step->address != NULL) {
                bool function = step->kind == GREEN_TRACE_CALL || step->kind == GREEN_TRACE_RETURN;

                green__text_add(text, "%s", function ? ": " : " at ");
                green__name_add(text, step->address, function);
        }
}

void
green_debug_trace_line(const struct green_trace *step, void *fd)
{
        char bytes[512];
        struct green__text line = {bytes, sizeof bytes - 1, 0};
        int to = (int)(intptr_t)fd;

        if (to < 0 && !green_log_enabled(GREEN_LOG_DEBUG))
                return;
        green__names_begin(false);
        add_step(&line, step);
        green__names_end();
        if (to < 0) {
                green_log(GREEN_LOG_DEBUG, "green-net: %s", bytes);
                return;
        }
        if (line.len > sizeof bytes - 2)
                line.len = sizeof bytes - 2;
        bytes[line.len] = '\n';
        green__write_all(to, bytes, line.len + 1);
}
