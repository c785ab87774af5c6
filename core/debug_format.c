/*
 * Texts about waits for descriptors, deadlines, and hubs. See <green/debug.h>.
 */
#include "debug_calls.h"
#include "debug_priv.h"
#include "fd_priv.h"

#include <string.h>

const char *
green__op_text(const struct green_op *op)
{
        static const char *const names[] = {"?", "read", "write", "recv", "send", "accept", "connect", "poll"};

        return op->kind < sizeof names / sizeof names[0] ? names[op->kind] : "?";
}

static struct green__text
text_begin(char *bytes, size_t size)
{
        if (bytes == NULL)
                size = 0;
        if (size > 0)
                bytes[0] = '\0';
        return (struct green__text){bytes, size, 0};
}

static void
add_calls(struct green__text *text, const struct green__calls *kept)
{
        for (int i = 0; kept != NULL && i < kept->count; i++) {
                green__text_add(text, "\n    #%-2d ", i);
                green__name_add(text, kept->calls[i], false);
        }
        green__text_add(text, "\n");
}

/* ---- waits for descriptors */

static void
in_slot(const struct green__slot *s, green_fd fd, int dir, green__listener_fn fn, void *arg)
{
        struct green__listener l = {.fd = fd, .slot = s};

        for (l.node = s->wait[dir].first; l.node != NULL; l.node = l.node->next)
                fn(arg, &l);
        if (s->io == NULL)
                return;
        for (l.node = s->io->ops[dir].first; l.node != NULL; l.node = l.node->next) {
                l.op = l.node->thread->op;
                fn(arg, &l);
        }
}

void
green__listeners_each(struct green__hub *h, int dir, green__listener_fn fn, void *arg)
{
        for (size_t c = 0; c < h->nchunks; c++)
                for (size_t i = 0; h->chunks[c] != NULL && i < GREEN__SLOT_CHUNK; i++)
                        in_slot(&h->chunks[c][i], green__fd_at(c * GREEN__SLOT_CHUNK + i), dir, fn, arg);
}

struct listeners {
        struct green__hub *h;
        struct green__text text;
};

static void
add_listener(void *arg, const struct green__listener *l)
{
        static const char *const modes[] = {[GREEN__SLOT_NONE] = "not in the hub",
                                            [GREEN__SLOT_EDGE] = "edge-triggered",
                                            [GREEN__SLOT_ONESHOT] = "one-shot",
                                            [GREEN__SLOT_LEVEL] = "level-triggered"};
        struct listeners *to = arg;
        struct green__text *text = &to->text;

        green__text_add(text, "descriptor %lld (%s): ", (long long)l->fd,
                        l->op != NULL ? "operation" : modes[l->slot->mode]);
        if (l->node->kind == GREEN__WAIT_WATCH) {
                const struct green__watch *w = l->node->value;

                green__text_add(text, "a watch, function ");
                green__name_add(text, (const void *)(uintptr_t)w->fn, true);
        } else {
                green__thread_add(text, l->node->thread);
                if (l->op != NULL)
                        green__text_add(text, ", %s", green__op_text(l->op));
        }
        add_calls(text, green__calls_find(to->h, GREEN__CALLS_LISTENERS, l->node));
}

int
green_debug_format_hub_listeners(char *text, size_t size)
{
        struct listeners to = {green__hub_get(), text_begin(text, size)};

        if (to.h == NULL)
                return green__no_hub();
        green__names_begin(true);
        green__text_add(&to.text, "READERS:\n");
        green__listeners_each(to.h, 0, add_listener, &to);
        green__text_add(&to.text, "WRITERS:\n");
        green__listeners_each(to.h, 1, add_listener, &to);
        green__names_end();
        return (int)to.text.len;
}

/* ---- deadlines */

static void
add_timer_of_thread(struct green__text *text, const char *what, const green_thread *t)
{
        green__text_add(text, "%s of ", what);
        green__thread_add(text, t);
}

static void
add_timer(struct green__text *text, struct green__timer *timer)
{
        switch ((enum green__timer_kind)timer->kind) {
        case GREEN__TIMER_PARK:
                add_timer_of_thread(text, "the wait", green__container_of(timer, green_thread, timer));
                break;
        case GREEN__TIMER_SLEEP:
                add_timer_of_thread(text, "the sleep", green__container_of(timer, green_thread, timer));
                break;
        case GREEN__TIMER_START:
                add_timer_of_thread(text, "the start", green__container_of(timer, green_thread, timer));
                break;
        case GREEN__TIMER_SCOPE: {
                const struct green__timeout *t = green__container_of(timer, struct green__timeout, timer);

                green__text_add(text, "a timeout of %g s, of ", t->seconds);
                green__thread_add(text, t->scope.thread);
                break;
        }
        case GREEN__TIMER_CALL: {
                const struct green_timer *t = green__container_of(timer, struct green_timer, timer);

                green__text_add(text, "a timer, function ");
                green__name_add(text, (const void *)(uintptr_t)t->fn, true);
                green__text_add(text, ", made at ");
                green__name_add(text, t->where, false);
                break;
        }
        case GREEN__TIMER_WATCH: {
                const struct green__watch *w = green__container_of(timer, struct green__watch, timer);

                if (w->slot == NULL)
                        green__text_add(text, "a watch, function ");
                else
                        green__text_add(text, "a watch of descriptor %lld, function ", (long long)w->fd);
                green__name_add(text, (const void *)(uintptr_t)w->fn, true);
                break;
        }
        }
}

int
green_debug_format_hub_timers(char *text, size_t size)
{
        struct green__hub *h = green__hub_get();
        struct green__text to = text_begin(text, size);
        int64_t now;

        if (h == NULL)
                return green__no_hub();
        green__watches_begin(h);
        green__heap_sort(&h->heap);
        now = h->clock();
        green__names_begin(true);
        green__text_add(&to, "TIMERS:\n");
        for (uint32_t i = 0; i < h->heap.count; i++) {
                struct green__timer *timer = green__heap_timer(&h->heap, i);

                green__text_add(&to, "in %.6f s: ", (double)(h->heap.entries[i].deadline - now) / 1e9);
                add_timer(&to, timer);
                add_calls(&to, green__calls_find(h, GREEN__CALLS_TIMERS, timer));
        }
        green__names_end();
        return (int)to.len;
}

/* ---- hubs */

/* Numbers that another OS thread changes meanwhile: an old one is as good. */
static __attribute__((noinline, no_sanitize_thread)) void
add_hub(struct green__hub *h, void *arg)
{
        const volatile struct green__hub *there = h;
        const struct green_hub_ops *ops = there->ops;
        size_t threads = there->nthreads;
        unsigned ready = there->nready;
        uint64_t switches = there->switches, polls = there->polls;

        green__text_add(arg, "hub %llu%s: %s, %zu green thread%s, %u ready, %llu switches, %llu polls\n",
                        (unsigned long long)h->ident, h == green__hub_here ? " (here)" : "", ops->name, threads,
                        threads == 1 ? "" : "s", ready, (unsigned long long)switches, (unsigned long long)polls);
}

int
green_debug_format_threads_info(char *text, size_t size)
{
        struct green__text to = text_begin(text, size);

        green__hubs_each(add_hub, &to);
        return (int)to.len;
}
