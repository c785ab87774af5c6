/*
 * The list of green threads, with what they wait for and the calls on their stacks. See <green/debug.h>.
 */
#include <stdio.h>
#include <unistd.h>

#include "debug_priv.h"
#include "fd_priv.h"

const char *
green__state_text(const struct green__hub *h, const green_thread *t)
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
                return t->op != NULL ? "operation" : t->nwaits > 0 || t->wait_mt != NULL ? "waiting" : "sleeping";
        }
        return "?";
}

bool
green__thread_place(const struct green__hub *h, const green_thread *t, struct green__place *ret_place, const char **ret_lo,
                    const char **ret_hi)
{
        *ret_lo = *ret_hi = NULL;
        /* An embedder's stack is no green thread's, and main's is not there. */
        if (!t->started || t == h->current || (t == &h->main && h->embedded))
                return false;
        if (t != &h->main) {
                if (t->stack == NULL)
                        return false;
                *ret_lo = green__stack_lo(t->stack) + green__stack_guard(t->stack);
                *ret_hi = t->stack->hi;
        }
        return green__context_place(&t->ctx, ret_place);
}

void
green__thread_add(struct green__text *text, const green_thread *t)
{
        const char *name = green_thread_name(t);

        green__text_add(text, "green thread %llu %s%sspawned at %s", (unsigned long long)t->ident, name,
                        *name == '\0' ? "" : " ", green_thread_where(t));
}

void
green__write_all(int fd, const char *bytes, size_t len)
{
        size_t done = 0;

        while (done < len) {
                ssize_t n = write(fd, bytes + done, len - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                done += (size_t)n;
        }
}

/* ---- lines to a descriptor, many at a time */

struct out {
        int fd;
        size_t len;
        char bytes[2048];
};

static void
flush(struct out *out)
{
        green__write_all(out->fd, out->bytes, out->len);
        out->len = 0;
}

enum { LINE = 512 };

/* A line at the end, and the text for it. */
static struct green__text
line_begin(struct out *out)
{
        if (out->len > sizeof out->bytes - LINE)
                flush(out);
        return (struct green__text){out->bytes + out->len, LINE, 0};
}

static void
line_end(struct out *out, const struct green__text *line)
{
        size_t len = line->len < LINE - 1 ? line->len : LINE - 2;

        out->bytes[out->len + len] = '\n';
        out->len += len + 1;
}

/* ---- one green thread */

green_fd
green__descriptor_of(const struct green__hub *h, const struct green_waitq *q, int *ret_dir)
{
        for (size_t c = 0; c < h->nchunks; c++) {
                const struct green__slot *first = h->chunks[c];
                size_t at = (uintptr_t)q - (uintptr_t)first;

                if (first == NULL || at >= GREEN__SLOT_CHUNK * sizeof *first)
                        continue;
                at /= sizeof *first;
                *ret_dir = q == &first[at].wait[1];
                return green__fd_at(c * GREEN__SLOT_CHUNK + at);
        }
        return GREEN_INVALID_FD;
}

static void
add_queue(struct green__text *line, const struct green__hub *h, const struct green_waitq *q)
{
        const green_thread *other = green__thread_of_joiners(h, q);
        int dir = 0;
        green_fd fd = green__descriptor_of(h, q, &dir);

        if (fd != GREEN_INVALID_FD)
                green__text_add(line, "to %s descriptor %lld", dir == 0 ? "read" : "write", (long long)fd);
        else if (other != NULL)
                green__text_add(line, "for the end of green thread %llu", (unsigned long long)other->ident);
        else
                green__text_add(line, "for a queue at 0x%zx", (size_t)(uintptr_t)q);
}

enum { WAITS_SHOWN = 8 };

static void
add_what(struct green__text *line, const struct green__hub *h, const green_thread *t)
{
        int shown = 0;

        if (t->op != NULL) {
                green__text_add(line, "for an operation: %s on descriptor %lld", green__op_text(t->op),
                                (long long)t->op->fd);
                return;
        }
        if (t->wait_mt != NULL)
                green__text_add(line, "for another OS thread");
        else if (t->nwaits == 0)
                green__text_add(line, "%s", t->timer.id != 0 ? "for a time" : "for good");
        /* A case that is left out has no queue. */
        for (uint32_t i = 0; i < t->nwaits; i++) {
                if (t->waits[i].queue == NULL || ++shown > WAITS_SHOWN)
                        continue;
                green__text_add(line, "%s", shown > 1 ? ", or " : "");
                add_queue(line, h, t->waits[i].queue);
        }
        if (shown > WAITS_SHOWN)
                green__text_add(line, " and %d more", shown - WAITS_SHOWN);
}

static void
put_wait(struct out *out, struct green__hub *h, const green_thread *t)
{
        struct green__text line = line_begin(out);
        int64_t now = h->clock();

        green__text_add(&line, "  waits ");
        add_what(&line, h, t);
        if (t->timer.id != 0)
                green__text_add(&line, ", at most %.3f s more",
                                (double)(h->heap.entries[h->heap.at[t->timer.id]].deadline - now) / 1e9);
        green__text_add(&line, ", since %.3f s, at ", (double)(now - t->wait_since) / 1e9);
        green__name_add(&line, t->wait_where, false);
        line_end(out, &line);
}

static void
put_calls(struct out *out, const struct green__hub *h, const green_thread *t)
{
        const void *calls[GREEN__CALLS_MAX];
        struct green__place place;
        const char *lo, *hi;
        int n = 0;

        if (t == h->current)
                n = green__walk_here(calls, GREEN__CALLS_MAX);
        else if (green__thread_place(h, t, &place, &lo, &hi))
                n = green__walk_parked(&place, lo, hi, calls, GREEN__CALLS_MAX);
        for (int i = 0; i < n; i++) {
                struct green__text line = line_begin(out);

                green__text_add(&line, "  #%-2d ", i);
                green__name_add(&line, calls[i], i == 0 && t != h->current);
                line_end(out, &line);
        }
}

static void
put_thread(struct out *out, struct green__hub *h, const green_thread *t)
{
        struct green__text line = line_begin(out);
        const char *name = green_thread_name(t);

        green__text_add(&line, "green thread %llu %s%s%s spawned at %s", (unsigned long long)t->ident, name,
                        *name == '\0' ? "" : " ", green__state_text(h, t), green_thread_where(t));
        if (t->started && t->stack != NULL)
                green__text_add(&line, ", %zu KiB of %zu KiB of stack used", green__stack_used(t->stack) / 1024,
                                green__stack_size(t->stack) / 1024);
        line_end(out, &line);
        if (t->state == GREEN__PARKED && t != h->current)
                put_wait(out, h, t);
        if (!t->ended || t == &h->main)
                put_calls(out, h, t);
}

/* What walks stacks is loaded here, the first time. */
static void
put_walker(struct out *out)
{
        struct green__text line = line_begin(out);
        char why[256];

        if (green__walk_by(why, sizeof why) != NULL)
                return;
        green__text_add(&line, "no calls of those that wait: %s", why);
        line_end(out, &line);
}

int
green_debug_dump(int fd)
{
        struct green__hub *h = green__hub_here;
        struct green__thread_iter it = {NULL, 0};
        struct out out = {.fd = fd, .len = 0};
        const green_thread *t;

        if (h == NULL)
                return 0;
        put_walker(&out);
        green__names_begin(true);
        put_thread(&out, h, &h->main);
        while ((t = green__thread_next(h, &it)) != NULL)
                put_thread(&out, h, t);
        green__names_end();
        flush(&out);
        return (int)h->nthreads;
}

int
green_debug_dump_one(int fd, uint64_t ident)
{
        struct green__hub *h = green__hub_here;
        struct green__thread_iter it = {NULL, 0};
        struct out out = {.fd = fd, .len = 0};
        const green_thread *t;

        if (h == NULL)
                return 0;
        t = h->main.ident == ident ? &h->main : green__thread_next(h, &it);
        while (t != NULL && t->ident != ident)
                t = green__thread_next(h, &it);
        if (t == NULL)
                return 0;
        put_walker(&out);
        put_thread(&out, h, t);
        flush(&out);
        return 1;
}

const char *
green_debug_can_walk(void)
{
        return green__walk_by(NULL, 0);
}
