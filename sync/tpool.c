/*
 * A pool of OS threads for calls that block. See <green/tpool.h>.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/opts.h>
#include <green/thread.h>
#include <green/timeout.h>

#include "misuse.h"
#include "tpool_priv.h"

/* What green_tpool_set_num_threads() has said; negative: nothing. */
static atomic_int wanted = -1;

int
green_tpool_set_num_threads(int n)
{
        if (n < 0)
                return green__misuse(-EINVAL, "green_tpool_set_num_threads: %d threads", n);
        atomic_store(&wanted, n);
        return 0;
}

/* How many threads a pool that starts now has; -EINVAL where the environment says no number. */
static int
threads_to_start(void)
{
        int n = atomic_load(&wanted);
        const char *text = n >= 0 ? NULL : getenv("GREEN_THREADPOOL_SIZE");
        char *end;
        long value;

        if (n >= 0)
                return n;
        if (text == NULL || *text == '\0')
                return GREEN_TPOOL_THREADS;
        errno = 0;
        value = strtol(text, &end, 10);
        if (errno != 0 || *end != '\0' || value < 0 || value > INT_MAX)
                return green_set_error(-EINVAL, "GREEN_THREADPOOL_SIZE=%s is no number of threads", text);
        return (int)value;
}

/* ---- execute */

/* The caller's own errno is that of the function, where it has set it. */
static int
take_outcome(const struct green__outcome *o, void **ret_result)
{
        if (o->error_number != 0)
                errno = o->error_number;
        if (o->code == 0 && ret_result != NULL)
                *ret_result = o->result;
        return o->code;
}

static int
run_inline(green_thread_fn fn, void *arg, const char *where, void **ret_result)
{
        struct green__outcome o = green__job_run(fn, arg, where);

        return take_outcome(&o, ret_result);
}

static void
warn_of_no_threads(void)
{
        static atomic_bool warned;

        if (!atomic_exchange(&warned, true))
                green_log(GREEN_LOG_WARNING,
                          "green-net: the thread pool has 0 threads: its calls block the OS thread that makes them");
}

/*
 * The caller wants to wait no more. True: it need not. Under the lock. A job that is allocated stays where it is, for a
 * thread of the pool to release it.
 */
static bool
abandon(struct green__request *r)
{
        struct green__job *job = r->job;

        (void)green__crew_peek();
        if (job->queue == NULL && job->worker == NULL)
                return false;
        if (job->release != NULL)
                job->request = NULL;
        else if (job->queue != NULL)
                green__jobs_remove(job);
        else
                return false;
        return true;
}

/* The caller's hub ends, and its stack with it. */
static void
forget(struct green_wait_mt *wait)
{
        struct green__request *r =
                (struct green__request *)(void *)((char *)wait - offsetof(struct green__request, wait));

        green__tpool_enter();
        if (!abandon(r) && r->job->worker != NULL)
                r->job->worker->job = NULL;
        green__tpool_leave();
}

static int
wait_for_end(struct green__request *r)
{
        int rc = green_park_mt(&r->wait, GREEN_FOREVER);
        bool abandoned;

        if (green__likely(rc == 0))
                return 0;
        green__tpool_enter();
        abandoned = abandon(r);
        green__tpool_leave();
        return abandoned ? rc : green_settle_mt(&r->wait);
}

static int
execute(const struct green__job *model, bool *ret_abandoned, void **ret_result)
{
        struct green__request r;
        int rc;

        r.job = &r.own;
        if (model->release != NULL && (r.job = green_malloc(sizeof(*r.job))) == NULL)
                return green_set_error(-ENOMEM, NULL);
        *r.job = *model;
        r.job->request = &r;
        green_wait_mt_begin(&r.wait, forget);
        rc = green__crew_hand_in(r.job, threads_to_start);
        if (green__likely(rc == 0)) {
                rc = wait_for_end(&r);
                *ret_abandoned = rc != 0 && model->release != NULL;
                green_wait_mt_end(&r.wait);
                if (model->release != NULL && !*ret_abandoned)
                        green_free(r.job);
                return rc != 0 ? rc : take_outcome(&r.outcome, ret_result);
        }
        green_wait_mt_end(&r.wait);
        if (model->release != NULL)
                green_free(r.job);
        if (rc == -EAGAIN || rc == -ENOMEM)
                green_set_error(rc, "no thread of the thread pool could be started: %s", green_strerror(rc));
        if (rc < 0)
                return rc;
        warn_of_no_threads();
        return run_inline(model->fn, model->arg, model->where, ret_result);
}

int
green_tpool_execute_at(green_thread_fn fn, void *arg, const struct green_tpool_opts *opts, void **ret_result,
                       const char *where)
{
        struct green__job job = {.fn = fn, .arg = arg, .where = where};
        struct green_tpool_opts o;
        bool abandoned = false;
        green_thread *self;
        int rc;

        if (fn == NULL || green_opts_take(&o, sizeof(o), opts) != 0)
                return green__misuse(-EINVAL, "green_tpool_execute: %s",
                                     fn == NULL ? "no function" : "unknown size of the options");
        if (o.ret_abandoned != NULL)
                *o.ret_abandoned = false;
        if (green__tpool_inside())
                return run_inline(fn, arg, where, ret_result);
        job.release = o.release;
        rc = green_park_check(green_hub_ident(), "the thread pool", GREEN_FOREVER, &self);
        if (green__unlikely(rc != 0)) {
                abandoned = o.release != NULL;
                if (abandoned)
                        o.release(arg, NULL);
        } else if (self == NULL) {
                rc = green__no_wait("the thread pool");
        } else {
                rc = execute(&job, &abandoned, ret_result);
        }
        if (o.ret_abandoned != NULL)
                *o.ret_abandoned = abandoned;
        return rc;
}

/* ---- an iteration, a step a call */

struct step {
        int (*next)(void *iterator, void **ret_item);
        void *iterator;
        void *item;
        int rc;
};

static void *
make_step(void *arg)
{
        struct step *s = arg;

        s->rc = s->next(s->iterator, &s->item);
        return NULL;
}

int
green_tpool_proxy_next_at(int (*next)(void *iterator, void **ret_item), void *iterator, void **ret_item,
                          const char *where)
{
        struct step step = {next, iterator, NULL, 0};
        int rc;

        if (next == NULL)
                return green__misuse(-EINVAL, "green_tpool_proxy_next: no function");
        rc = green_tpool_execute_at(make_step, &step, NULL, NULL, where);
        if (rc == 0)
                rc = step.rc;
        if (rc == 0 && ret_item != NULL)
                *ret_item = step.item;
        return rc;
}

/* ---- the end, and facts */

/* One that waits for the end of a crew. */
struct ending {
        struct green_wait_mt wait;
        struct green__crew *crew;
};

static void
forget_ending(struct green_wait_mt *wait)
{
        struct ending *e = (struct ending *)(void *)((char *)wait - offsetof(struct ending, wait));

        green__tpool_enter();
        e->crew->ender = NULL;
        green__crew_part(e->crew);
}

static int
end_crew(double timeout)
{
        struct ending e;
        int rc = 0, left;

        green__tpool_enter();
        e.crew = green__crew_peek();
        if (e.crew == NULL) {
                green__tpool_leave();
                return 0;
        }
        green__crew_end(e.crew);
        if (e.crew->threads > 0) {
                green_wait_mt_begin(&e.wait, forget_ending);
                e.crew->ender = &e.wait;
                green__tpool_leave();
                rc = green_park_mt(&e.wait, timeout);
                green__tpool_enter();
                if (rc != 0 && e.crew->ender == NULL) {
                        green__tpool_leave();
                        rc = green_settle_mt(&e.wait);
                        green__tpool_enter();
                }
                e.crew->ender = NULL;
                green_wait_mt_end(&e.wait);
        }
        left = e.crew->threads;
        green__crew_part(e.crew);
        if (left > 0)
                green_log(GREEN_LOG_WARNING, "green-net: %d thread%s of the thread pool did not end in time", left,
                          left == 1 ? "" : "s");
        return rc;
}

int
green_tpool_killall(double timeout)
{
        green_thread *self;
        int rc;

        if (green__tpool_inside())
                return green__misuse(-EDEADLK, "green_tpool_killall: called by a job, which would wait for itself");
        rc = green_park_check(green_hub_ident(), "the thread pool", timeout, &self);
        if (rc != 0)
                return green__refused(rc, timeout, "the thread pool");
        return self == NULL ? green__no_wait("the thread pool") : end_crew(timeout);
}

int
green_tpool_get_info(struct green_tpool_info *info)
{
        struct green_tpool_info full = {.size = 0};
        const struct green__crew *crew;

        if (info == NULL || info->size < sizeof(info->size) || info->size > sizeof(*info))
                return green__misuse(-EINVAL, "green_tpool_get_info: unknown size");
        green__tpool_enter();
        crew = green__crew_peek();
        if (crew != NULL) {
                full.threads = crew->threads;
                full.queued = atomic_load(&crew->jobs.count);
                full.running = crew->running;
        }
        green__tpool_leave();
        full.size = info->size;
        memcpy(info, &full, info->size);
        return 0;
}

void
green__tpool_tell(struct green_metrics_to *to, void *arg)
{
        struct green_tpool_info info = {.size = sizeof info};
        uint64_t jobs;

        (void)arg;
        (void)green_tpool_get_info(&info);
        green__tpool_enter();
        jobs = green__pool.jobs;
        green__tpool_leave();
        green_metrics_gauge(to, "green_tpool_threads", "OS threads of the thread pool.", NULL, (double)info.threads);
        green_metrics_gauge(to, "green_tpool_queued", "Jobs that wait for a thread.", NULL, (double)info.queued);
        green_metrics_gauge(to, "green_tpool_running", "Jobs that run.", NULL, (double)info.running);
        green_metrics_counter(to, "green_tpool_jobs_total", "Jobs that were begun.", NULL, (double)jobs);
}
