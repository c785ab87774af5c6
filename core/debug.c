/*
 * Switches, and foreign loops. See <green/debug.h>.
 */
#include <stdio.h>

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
