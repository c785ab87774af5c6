/*
 * Switches and the list of green threads. See <green/debug.h>.
 */
#include <stdio.h>
#include <unistd.h>

#include "hub_priv.h"
#include "overflow.h"

static atomic_bool log_exceptions = true;
static atomic_bool prevent_multiple = true;

bool
green_debug_hub_exceptions(bool on)
{
        return atomic_exchange(&log_exceptions, on);
}

bool
green__log_exceptions(void)
{
        return atomic_load(&log_exceptions);
}

bool
green_debug_hub_prevent_multiple_readers(bool on)
{
        return atomic_exchange(&prevent_multiple, on);
}

bool
green__multiple_allowed(void)
{
        return !atomic_load_explicit(&prevent_multiple, memory_order_relaxed);
}

static const char *
state_text(const struct green__hub *h, const green_thread *t)
{
        if (t->ended)
                return "ended";
        if (t == h->current)
                return "running";
        switch ((enum green__state)t->state) {
        case GREEN__NEW:
                return t->timer.id != 0 ? "delayed" : "new";
        case GREEN__READY:
        case GREEN__RUNNING:
                return "ready";
        case GREEN__PARKED:
                return t->op != NULL ? "operation" : t->nwaits > 0 ? "waiting" : "sleeping";
        }
        return "?";
}

static void
dump_one(int fd, const struct green__hub *h, const green_thread *t)
{
        char line[320];
        int len = snprintf(line, sizeof(line), "green thread %llu %s%s%s spawned at %s", (unsigned long long)t->ident,
                           green_thread_name(t), *green_thread_name(t) == '\0' ? "" : " ", state_text(h, t),
                           green_thread_where(t));

        if (t->state == GREEN__PARKED && len > 0 && (size_t)len < sizeof(line))
                len += snprintf(line + len, sizeof(line) - (size_t)len, ", waits at %p since %.3f s", t->wait_where,
                                (double)(h->clock() - t->wait_since) / 1e9);
        if (len > (int)sizeof(line) - 2)
                len = (int)sizeof(line) - 2;
        line[len++] = '\n';
        if (write(fd, line, (size_t)len) < 0)
                return;
}

int
green_debug_dump(int fd)
{
        struct green__hub *h = green__hub_here;
        struct green__thread_iter it = {NULL, 0};
        const green_thread *t;

        if (h == NULL)
                return 0;
        dump_one(fd, h, &h->main);
        while ((t = green__thread_next(h, &it)) != NULL)
                dump_one(fd, h, t);
        return (int)h->nthreads;
}

/* For the handler of stack overflows: async-signal-safe. */
const struct green__stack *
green__overflow_current(const char **name, const char **where, uint64_t *id)
{
        const struct green__hub *h = green__hub_here;
        const green_thread *t = h == NULL ? NULL : h->current != NULL ? h->current : &h->home;

        if (t == NULL)
                return NULL;
        *name = t == &h->home ? "hub" : green_thread_name(t);
        *where = green_thread_where(t);
        *id = t->ident;
        return t->stack;
}

/* What a back end's list() is given: text that is cut, not overrun, and that knows how long it would have been. */
struct loop_text {
        char *text;
        size_t size;
        size_t len;
};

static void
loop_line(void *arg, const char *line)
{
        struct loop_text *to = arg;
        size_t room = to->len < to->size ? to->size - to->len : 0;
        int n = snprintf(room > 0 ? to->text + to->len : NULL, room, "%s\n", line);

        if (n > 0)
                to->len += (size_t)n;
}

int
green_debug_format_asyncio_info(char *text, size_t size)
{
        struct green__hub *h = green__hub_get();
        struct loop_text to = {text, text == NULL ? 0 : size, 0};
        char line[128];

        if (h == NULL)
                return green__no_hub();
        if (to.size > 0)
                text[0] = '\0';
        if (h->ops->loop == NULL) {
                snprintf(line, sizeof line, "no foreign loop: the hub is %s", h->ops->name);
                loop_line(&to, line);
        } else if (h->ops->list == NULL) {
                snprintf(line, sizeof line, "the loop of hub %s, which does not say what it waits for", h->ops->name);
                loop_line(&to, line);
        } else {
                h->ops->list(h->state, loop_line, &to);
        }
        return (int)to.len;
}
