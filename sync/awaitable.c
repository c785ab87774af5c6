/*
 * Awaitables. See <green/awaitable.h>.
 */
#include <errno.h>
#include <stdatomic.h>

#include <green/alloc.h>
#include <green/awaitable.h>
#include <green/hubs.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/thread.h>

#include "fork.h"
#include "misuse.h"
#include "object.h"

#undef green_spawn_for_awaitable

/*
 * It belongs to the one that waits, who stays, shielded, until nobody else can touch it: the operation has ended and no
 * call of start or cancel is on its way. Only where the waiter is gone without having run (the hub was ended by force,
 * or this is the child of a fork) is it freed by others.
 */
struct green_completion {
        struct green_awaitable aw;
        struct green_waitq waiter;
        struct green_post_node call;    /* start, then perhaps cancel, on its way to hub context */
        struct green_post_node arrival; /* the end, on its way from another OS thread */
        void *result;                   /* written by the one that has set told; read by the owner once ended */
        int code;                       /* likewise; negative: an error */
        atomic_bool told;               /* the operation has said that it has ended */
        bool ended;            /* and its OS thread knows, or it was never begun. The owner's, as all that follow */
        bool calling;          /* call is on its way, or running */
        bool started;          /* start was called */
        bool cancelled;        /* who waits has been killed or timed out */
        unsigned forks;        /* green__sync_forks at the making */
        uint64_t hub;          /* whose it is */
        green_hub *home;       /* the same, to post to */
        const char *os_thread; /* the same: its &here */
};

/* Tells whose OS thread runs, without making a hub where there is none. */
static _Thread_local char here;

static void
release(green_completion *done)
{
        green_hub_unref(done->home);
        green_free(done);
}

/* Is the waiter gone without having run? */
static inline bool
forgotten(const green_completion *done)
{
        return done->forks != green__sync_forks;
}

static inline bool
is_over(const green_completion *done)
{
        return done->ended && !done->calling;
}

/* Something has changed: who waits may go on, where it is over. */
static void
look(green_completion *done)
{
        struct green_wait *w = green_waitq_first(&done->waiter);

        if (!is_over(done))
                return;
        if (green__unlikely(forgotten(done)))
                release(done);
        else if (w != NULL)
                green_wake(w, 0);
}

/* Only one may tell. */
static bool
claim(green_completion *done)
{
        return !atomic_exchange(&done->told, true);
}

/* It was never begun. */
static void
end_unbegun(green_completion *done, int code)
{
        if (!claim(done))
                return;
        done->code = code;
        done->ended = true;
}

/* Does anybody still want it? One whose wait was ended by a scope and who has not run since is in no queue, and neither
 * is one that was forgotten. */
static bool
is_wanted(const green_completion *done)
{
        return !done->cancelled && green_waitq_first(&done->waiter) != NULL;
}

/* In hub context: start, and the second time cancel. */
static void
call(void *arg)
{
        green_completion *done = arg;
        int rc;

        if (done->started) {
                if (!done->ended && !forgotten(done))
                        done->aw.cancel(done->aw.arg, done);
        } else if (!is_wanted(done)) {
                end_unbegun(done, -ECANCELED);
        } else {
                done->started = true;
                rc = done->aw.start(done->aw.arg, done);
                if (rc < 0)
                        end_unbegun(done, rc);
        }
        done->calling = false;
        look(done);
}

static void
post_call(green_completion *done)
{
        done->calling = green_hub_post_node(done->home, &done->call, call, done) == 0;
}

/* What is said of an awaitable that cannot be begun; 0: it can. */
static int
take(struct green_awaitable *ret, const struct green_awaitable *aw, const char *who)
{
        if (green_opts_take(ret, sizeof(*ret), aw) != 0)
                return green__misuse(-EINVAL, "%s: an awaitable of a size that is not known", who);
        if (ret->start == NULL)
                return green__misuse(-EINVAL, "%s: no awaitable, or one without a start", who);
        return 0;
}

static green_completion *
begin(const struct green_awaitable *aw)
{
        green_hub *home = green_get_hub();
        green_completion *done;
        uint64_t hub;

        if (home == NULL)
                return NULL;
        done = green__object_new(sizeof(*done), &hub);
        if (done == NULL)
                return NULL;
        green__sync_fork_install();
        done->aw = *aw;
        done->forks = green__sync_forks;
        done->hub = hub;
        done->home = green_hub_ref(home);
        done->os_thread = &here;
        post_call(done);
        return done;
}

/* The wait was ended by a scope. What has begun is asked to end, and waited for. */
static void
give_up(green_completion *done)
{
        struct green_wait w;

        done->cancelled = true;
        if (!done->calling && !done->ended && done->aw.cancel != NULL)
                post_call(done);
        green_shield_begin();
        while (!is_over(done))
                (void)!green_park(&done->waiter, &w, GREEN_FOREVER);
        green_shield_end();
        if (done->code == 0 && done->aw.drop_result != NULL)
                done->aw.drop_result(done->result);
}

static int start_thread(void *arg, green_completion *done);

int
green_await(const struct green_awaitable *aw, void **ret_result)
{
        struct green_awaitable own;
        green_completion *done;
        green_thread *self;
        struct green_wait w;
        int rc = take(&own, aw, "green_await");

        if (rc != 0)
                return rc;
        rc = green_park_check(green_hub_ident(), "an awaitable", GREEN_FOREVER, &self);
        if (rc != 0)
                return rc;
        if (self == NULL)
                return green__no_wait("an awaitable");
        if (own.start == start_thread && own.arg == self)
                return green__misuse(-EDEADLK, "green_await: a green thread cannot wait for its own end");
        done = begin(&own);
        if (done == NULL)
                return green_last_error()->code;
        rc = green_park(&done->waiter, &w, GREEN_FOREVER);
        if (rc != 0) {
                give_up(done);
        } else {
                rc = done->code;
                if (rc == 0 && ret_result != NULL)
                        *ret_result = done->result;
        }
        release(done);
        return rc;
}

static void *
await_main(void *arg)
{
        void *result = NULL;
        int rc = green_await(arg, &result);

        return rc == 0 ? result : green_fail(rc);
}

green_thread *
green_spawn_for_awaitable_at(const struct green_awaitable *aw, const char *where)
{
        struct green_spawn_opts opts = {.size = sizeof(opts), .copy_arg = sizeof(*aw)};
        struct green_awaitable own;

        if (take(&own, aw, "green_spawn_for_awaitable") != 0)
                return NULL;
        opts.drop_result = own.drop_result;
        own.size = sizeof(own);
        return green_spawn_with_at(await_main, &own, &opts, where);
}

green_thread *
green_spawn_for_awaitable(const struct green_awaitable *aw)
{
        return green_spawn_for_awaitable_at(aw, "?");
}

/* In its own OS thread. */
static int
end_here(green_completion *done)
{
        int rc = forgotten(done) ? GREEN_ECLOSED : 0;

        done->ended = true;
        look(done);
        return rc;
}

static void
arrived(void *arg)
{
        (void)end_here(arg);
}

/*
 * From another OS thread, or after the end of the hub. Nothing is touched after the post. Where the hub has ended, so
 * has the waiter, unrun; but core may be about to drop a call that was on its way, so that is left alone.
 */
static int
end_elsewhere(green_completion *done)
{
        int rc = green_hub_post_node(done->home, &done->arrival, arrived, done);

        if (rc == GREEN_ECLOSED && !done->calling)
                release(done);
        return rc;
}

/* In another OS thread nothing is logged: that would make a hub there. */
static int
told_already(const green_completion *done)
{
        if (done->os_thread != &here)
                return -EALREADY;
        return green__misuse(-EALREADY, "green_complete: the operation has ended already");
}

static int
tell(green_completion *done, void *result, int code)
{
        if (!claim(done))
                return told_already(done);
        done->result = result;
        done->code = code;
        if (done->os_thread == &here && done->hub == green_hub_ident())
                return end_here(done);
        return end_elsewhere(done);
}

int
green_complete(green_completion *done, void *result)
{
        return done == NULL ? -EINVAL : tell(done, result, 0);
}

int
green_complete_error(green_completion *done, int code)
{
        return done == NULL || code >= 0 ? -EINVAL : tell(done, NULL, code);
}

/* ---- a green thread as an awaitable */

/* A link: it has ended. Whoever killed it runs this where it had not started, so their scopes are kept out. */
static void
thread_ended(green_thread *gt, void *arg)
{
        void *result = NULL;
        int rc;

        green_shield_begin();
        rc = green_thread_wait(gt, &result);
        green_shield_end();
        if (rc == 0)
                (void)green_complete(arg, result);
        else
                (void)green_complete_error(arg, rc);
}

/* From here on no handle is needed: the link is called while there is one, and cancel before that. */
static int
start_thread(void *arg, green_completion *done)
{
        return green_thread_link(arg, thread_ended, done);
}

static void
kill_thread(void *arg, green_completion *done)
{
        (void)done;
        (void)green_kill(arg, 0);
}

int
green_awaitable_thread(struct green_awaitable *ret, green_thread *gt)
{
        if (ret == NULL || gt == NULL)
                return green__misuse(-EINVAL, "green_awaitable_thread: no %s",
                                     ret == NULL ? "awaitable" : "green thread");
        *ret = (struct green_awaitable){.size = sizeof(*ret), .start = start_thread, .cancel = kill_thread, .arg = gt};
        return 0;
}
