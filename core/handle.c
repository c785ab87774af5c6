/*
 * What can be done with the handle of a green thread: wait, kill, link, ask.
 */
#include <string.h>

#include "sched.h"

/* Handles are used by the OS thread that made them. 0, or -EPERM with a report. */
static int
check_owner(const green_thread *t, const char *what)
{
        if (green__likely(t->hub == green__hub_here))
                return 0;
        green_log(GREEN_LOG_ERROR, "green-net: %s of green thread %llu (%s) from an OS thread that it does not belong to",
                  what, (unsigned long long)t->ident, t->where);
        return green_set_error(-EPERM, "%s of a green thread of another OS thread", what);
}

green_thread *
green_thread_ref(green_thread *gt)
{
        if (gt != NULL)
                gt->refs++;
        return gt;
}

void
green_thread_unref(green_thread *gt)
{
        if (gt != NULL && check_owner(gt, "unref") == 0)
                green__thread_release(gt);
}

green_thread *
green_thread_find(uint64_t ident)
{
        struct green__hub *h = green__hub_here;
        struct green__thread_iter it = {NULL, 0};
        green_thread *t;

        if (h == NULL)
                return NULL;
        if (h->main.ident == ident && !h->main.ended)
                return green_thread_ref(&h->main);
        while ((t = green__thread_next(h, &it)) != NULL)
                if (t->ident == ident && !t->ended)
                        return green_thread_ref(t);
        return NULL;
}

static int
outcome(green_thread *gt, void **ret_result)
{
        gt->asked = true;
        if (gt->end_code == 0 && ret_result != NULL)
                *ret_result = gt->arg;
        return gt->end_code;
}

int
green_thread_wait(green_thread *gt, void **ret_result)
{
        struct green__hub *h = green__hub_get();
        struct green_wait w;
        int rc;

        if (h == NULL)
                return green__no_hub();
        if (gt == NULL)
                return -EINVAL;
        rc = check_owner(gt, "wait");
        if (rc != 0)
                return rc;
        if (h->current == gt && !gt->ended)
                return green_set_error(-EDEADLK, "a green thread cannot wait for itself");
        if (green__likely(h->current != NULL) && green__unlikely(h->current->fired != NULL))
                return green__cancelled(h, h->current);
        if (!gt->ended) {
                green_thread_ref(gt);
                rc = green_park(&gt->joiners, &w, GREEN_FOREVER);
                if (rc == 0)
                        rc = outcome(gt, ret_result);
                green__thread_release(gt);
                return rc;
        }
        return outcome(gt, ret_result);
}

const struct green_error *
green_thread_error(green_thread *gt)
{
        struct green__extra *extra;

        if (gt == NULL || !gt->ended || gt->end_code == 0)
                return NULL;
        gt->asked = true;
        extra = green__thread_extra(gt);
        if (extra == NULL)
                return NULL;
        if (extra->error == NULL || extra->error->code != gt->end_code) {
                const struct green_error error = {gt->end_code, green_strerror(gt->end_code), NULL, NULL};

                green_error_free(extra->error);
                extra->error = green_error_copy(&error);
        }
        return extra->error;
}

/* Run the victim at once; the caller comes after those that are ready now. */
static void
run_now(struct green__hub *h, green_thread *self, green_thread *victim)
{
        green__unready(h, victim);
        self->state = GREEN__READY;
        green__enqueue(h, self);
        if (h->hooks)
                green__hook_out(self);
        green__go(h, self, victim);
        if (h->hooks)
                green__hook_in(self);
}

int
green_kill(green_thread *gt, int code)
{
        struct green__hub *h = green__hub_get();
        int rc;

        if (h == NULL)
                return green__no_hub();
        if (gt == NULL || code > 0)
                return -EINVAL;
        rc = check_owner(gt, "kill");
        if (rc != 0 || gt->ended)
                return rc;
        if (code == 0)
                code = GREEN_EKILLED;
        if (gt->state == GREEN__NEW && gt != h->current) {
                green__thread_end_unstarted(h, gt, code);
                return 0;
        }
        if (gt->kill.fired)
                return 0;
        gt->kill.code = code;
        green__scope_fire(h, &gt->kill);
        if (gt == h->current || h->current == NULL || gt->shield > gt->kill.shield || gt->state != GREEN__READY)
                return 0;
        run_now(h, h->current, gt);
        return 0;
}

int
green_thread_kill(green_thread *gt, int code)
{
        return green_kill(gt, code);
}

int
green_thread_cancel(green_thread *gt, int code)
{
        int rc;

        if (gt == NULL || code > 0)
                return -EINVAL;
        rc = check_owner(gt, "cancel");
        if (rc != 0)
                return rc;
        if (gt->ended || gt->state != GREEN__NEW || gt->started)
                return 0;
        green__thread_end_unstarted(gt->hub, gt, code == 0 ? GREEN_EKILLED : code);
        return 1;
}

int
green_thread_link(green_thread *gt, green_link_fn fn, void *arg)
{
        struct green__link *link;
        struct green__extra *extra;
        int rc;

        if (gt == NULL || fn == NULL)
                return -EINVAL;
        rc = check_owner(gt, "link");
        if (rc != 0)
                return rc;
        gt->asked = true;
        /* While the links of one that has ended run, a new one queues behind them (GT-22). */
        if (gt->ended && !gt->linking) {
                green_thread_ref(gt);
                gt->linking = true;
                fn(gt, arg);
                green__thread_run_links(gt);
                green__thread_release(gt);
                return 0;
        }
        extra = green__thread_extra(gt);
        link = extra == NULL ? NULL : green_malloc(sizeof(*link));
        if (link == NULL)
                return -ENOMEM;
        *link = (struct green__link){NULL, fn, arg};
        *extra->links_end = link;
        extra->links_end = &link->next;
        return 0;
}

bool
green_thread_unlink(green_thread *gt, green_link_fn fn, void *arg)
{
        if (gt == NULL || gt->extra == NULL || check_owner(gt, "unlink") != 0)
                return false;
        for (struct green__link **at = &gt->extra->links; *at != NULL; at = &(*at)->next) {
                struct green__link *link = *at;

                if (link->fn != fn || link->arg != arg)
                        continue;
                *at = link->next;
                if (gt->extra->links_end == &link->next)
                        gt->extra->links_end = at;
                green_free(link);
                return true;
        }
        return false;
}

bool
green_thread_dead(const green_thread *gt)
{
        return gt != NULL && gt->ended;
}

bool
green_thread_alive(const green_thread *gt)
{
        return gt != NULL && gt->started && !gt->ended;
}

const char *
green_thread_name(const green_thread *gt)
{
        if (gt == NULL)
                return "";
        if (gt->extra != NULL && gt->extra->name != NULL)
                return gt->extra->name;
        return gt == &gt->hub->main ? "main" : "";
}

int
green_thread_set_name(green_thread *gt, const char *name)
{
        char *copy = NULL;
        size_t len;

        if (gt == NULL)
                return -EINVAL;
        if (name != NULL) {
                len = strlen(name) + 1;
                copy = green_malloc(len);
                if (copy == NULL || green__thread_extra(gt) == NULL) {
                        green_free(copy);
                        return -ENOMEM;
                }
                memcpy(copy, name, len);
        }
        if (gt->extra != NULL) {
                char *old = gt->extra->name;

                /* A signal handler may look at it. */
                gt->extra->name = copy;
                atomic_signal_fence(memory_order_seq_cst);
                green_free(old);
        }
        return 0;
}

const char *
green_thread_where(const green_thread *gt)
{
        return gt == NULL || gt->where == NULL ? "?" : gt->where;
}

uint64_t
green_thread_ident(const green_thread *gt)
{
        return gt == NULL ? 0 : gt->ident;
}

size_t
green_thread_stack_used(const green_thread *gt)
{
        return gt == NULL || gt->stack == NULL || !gt->started ? 0 : green__stack_used(gt->stack);
}

int
green_thread_set_switch_hooks(green_thread *gt, green_switch_fn out, green_switch_fn in, void *arg)
{
        struct green__extra *extra;

        if (gt == NULL)
                return -EINVAL;
        extra = green__thread_extra(gt);
        if (extra == NULL)
                return -ENOMEM;
        extra->hook_out = out;
        extra->hook_in = in;
        extra->hook_arg = arg;
        if (out != NULL || in != NULL) {
                gt->hub->hooked = true;
                green__hooks_on(gt->hub);
        }
        return 0;
}

green_thread *
green_getcurrent(void)
{
        struct green__hub *h = green__hub_get();

        return h == NULL ? NULL : h->current;
}

uint64_t
green_get_ident(void)
{
        struct green__hub *h = green__hub_get();

        return h == NULL || h->current == NULL ? 0 : h->current->ident;
}

/* Marks a result as a failure; the code is in the green thread. */
static const char failed_mark;

/* Where the code of the last green_fail() is kept. */
static int *
fail_code(void)
{
        static _Thread_local int nowhere;
        struct green__hub *h = green__hub_here;

        return h == NULL || h->current == NULL ? &nowhere : &h->current->fail_code;
}

static void *
fail(int code)
{
        *fail_code() = code < 0 ? code : -EINVAL;
        return (void *)(uintptr_t)&failed_mark;
}

void *
green_fail(int code)
{
        struct green__hub *h = green__hub_here;
        struct green__extra *extra = h == NULL || h->current == NULL ? NULL : h->current->extra;

        /* The message of an earlier failure is not this one's. */
        if (extra != NULL && extra->error != NULL && !h->current->settled) {
                green_error_free(extra->error);
                extra->error = NULL;
        }
        return fail(code);
}

void *
green_fail_error(const struct green_error *error)
{
        struct green__hub *h = green__hub_here;
        struct green_error *copy;

        if (error == NULL || error->code >= 0)
                return green_fail(-EINVAL);
        if (h == NULL || h->current == NULL || h->current->settled || green__thread_extra(h->current) == NULL)
                return fail(error->code);
        copy = green_error_copy(error);
        if (copy != NULL) {
                green_error_free(h->current->extra->error);
                h->current->extra->error = copy;
        }
        return fail(error->code);
}

int
green_failed(const void *result)
{
        return green__likely(result != &failed_mark) ? 0 : *fail_code();
}
