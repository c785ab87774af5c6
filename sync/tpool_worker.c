/*
 * What a thread of the pool does. See tpool_priv.h and tpool_crew.c.
 *
 * Where jobs are very short, several threads would only be in each other's way. So while they are, one thread does them
 * all, and another, which counts as available, sleeps and looks every 100 us whether they still go on. If not, it takes
 * the next one, and all is as before.
 */
#include <errno.h>
#include <time.h>

#include <green/alloc.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/thread.h>

#include "misuse.h"
#include "os_thread.h"
#include "os_wait.h"
#include "tpool_priv.h"

static _Thread_local struct green__worker *here;

static atomic_bool log_exceptions;

bool
green__tpool_inside(void)
{
        return here != NULL;
}

void
green__tpool_step_out(void)
{
        here = NULL;
}

bool
green_debug_tpool_exceptions(bool on)
{
        return atomic_exchange(&log_exceptions, on);
}

struct green__outcome
green__job_run(green_thread_fn fn, void *arg, const char *where)
{
        struct green__outcome o;
        int saved = errno;

        errno = 0;
        o.result = fn(arg);
        o.error_number = errno;
        o.code = green_failed(o.result);
        if (green__unlikely(o.code != 0)) {
                o.result = NULL;
                if (atomic_load_explicit(&log_exceptions, memory_order_relaxed))
                        green_log(GREEN_LOG_ERROR,
                                  "green-net: a job of the thread pool (called at %s) ended with %s: %s", where,
                                  green_errname(o.code), green_strerror(o.code));
        }
        errno = saved;
        return o;
}

/* ---- what a thread does */

/* What is left to do for a job when the lock was given back. */
struct ended {
        struct green_wait_mt *wait; /* the caller is told; its hub is the worker's */
        struct green__job *dropped; /* it was abandoned: to be released */
        void *result;
};

static void
hold_hub(struct green__worker *me, green_hub *hub)
{
        if (hub != me->hub)
                green_hub_unref(me->hub);
        me->hub = hub;
}

/* Under the lock. The caller may have ended, with its stack, on which the job was. */
static void
tell_end(struct green__worker *me, const struct green__outcome *o, struct ended *ret_ended)
{
        struct green__job *job = me->job;

        me->crew->running--;
        me->job = NULL;
        if (job == NULL)
                return;
        job->worker = NULL;
        if (job->request != NULL) {
                job->request->outcome = *o;
                ret_ended->wait = &job->request->wait;
                hold_hub(me, green_claim_mt(ret_ended->wait, me->hub));
        } else {
                ret_ended->dropped = job;
                ret_ended->result = o->result;
        }
}

/* Without the lock. */
static void
finish(struct green__worker *me, struct ended *e)
{
        if (e->wait != NULL)
                (void)green_hand_mt(me->hub, e->wait);
        if (e->dropped != NULL) {
                e->dropped->release(e->dropped->arg, e->result);
                green_free(e->dropped);
        }
        *e = (struct ended){NULL, NULL, NULL};
}

/* The next job, if there is one that must be run. Under the lock. */
static struct green__job *
take_job(struct green__worker *me, struct ended *e)
{
        struct green__crew *crew = me->crew;
        struct green__job *job;

        if (crew->jobs.first == NULL && crew == green__crew_now() &&
            atomic_load_explicit(&green__pool.inbox, memory_order_relaxed) != NULL)
                green__jobs_from_inbox(&crew->jobs);
        job = crew->jobs.first;
        if (job == NULL || e->dropped != NULL)
                return NULL;
        green__jobs_remove(job);
        if (job->request == NULL) {
                /* Abandoned before it began. */
                e->dropped = job;
                e->result = NULL;
                return NULL;
        }
        job->worker = me;
        me->job = job;
        crew->running++;
        crew->taken++;
        green__pool.jobs++;
        return job;
}

/* How long one looks for a job before one sleeps: a few microseconds. Without the lock. */
static void
look(const struct green__crew *crew)
{
        enum { LOOKS = 300 };

        if (green_processors() == 1)
                return;
        for (int i = 0; i < LOOKS; i++) {
                if (atomic_load_explicit(&green__pool.inbox, memory_order_relaxed) != NULL ||
                    atomic_load_explicit(&crew->jobs.count, memory_order_relaxed) > 0 ||
                    atomic_load_explicit(&crew->ending, memory_order_relaxed))
                        return;
                for (int k = 0; k < 4; k++)
                        green__os_relax();
        }
}

static bool
has_work(const struct green__crew *crew)
{
        return crew->jobs.first != NULL || crew->ending ||
               (crew == green__crew_now() && atomic_load(&green__pool.inbox) != NULL);
}

/* Until there is something to do, perhaps. Under the lock, which is given back meanwhile. */
static void
rest(struct green__worker *me)
{
        struct green__crew *crew = me->crew;

        if (atomic_load(&green__pool.available) == (crew->watched ? 1 : 0) && crew == green__crew_now()) {
                green__count_available(crew, 1);
                green__tpool_leave();
                look(crew);
                green__tpool_enter();
                green__count_available(crew, -1);
        }
        if (has_work(crew))
                return;
        hold_hub(me, NULL);
        if (crew->watched && crew->running == 0)
                (void)pthread_cond_signal(&crew->watch);
        crew->asleep++;
        green__count_spare(crew, 1);
        if (has_work(crew)) {
                crew->asleep--;
                green__count_spare(crew, -1);
                return;
        }
        while (crew->told == 0 && !crew->ending)
                (void)pthread_cond_wait(&crew->work, &green__tpool_lock);
        if (crew->told > 0) {
                crew->told--;
                green__count_available(crew, -1);
        } else {
                crew->asleep--;
        }
}

/* ---- short jobs */

enum { FEW = 16, QUICK_NANOSECONDS = 80000, WATCH_NANOSECONDS = 100000 };

static int64_t
time_now(struct timespec *t)
{
        (void)clock_gettime(CLOCK_MONOTONIC, t);
        return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* A job is done. Every few it is looked how long they took. */
static void
measure(struct green__worker *me)
{
        struct timespec t;
        int64_t now;

        if (++me->done % FEW != 0)
                return;
        now = time_now(&t);
        me->crew->quick = now - me->since < QUICK_NANOSECONDS;
        me->since = now;
}

/* Another one does short jobs, and nobody watches it? */
static bool
should_watch(const struct green__crew *crew)
{
        return crew->quick && !crew->watched && crew->running > 0 && crew == green__crew_now() && has_work(crew) &&
               !crew->ending;
}

/* Under the lock, which is given back meanwhile. */
static void
watch(struct green__crew *crew)
{
        struct timespec until;
        size_t seen;

        crew->watched = true;
        green__count_available(crew, 1);
        do {
                int64_t end = time_now(&until) + WATCH_NANOSECONDS;

                until.tv_sec = (time_t)(end / 1000000000);
                until.tv_nsec = (long)(end % 1000000000);
                seen = crew->taken;
                (void)green__os_cond_until(&crew->watch, &green__tpool_lock, &until);
        } while (crew->taken != seen && crew->running > 0 && has_work(crew) && !crew->ending);
        if (crew->taken == seen)
                crew->quick = false;
        crew->watched = false;
        green__count_available(crew, -1);
}

/* Under the lock, which it gives back. */
static void
leave(struct green__worker *me)
{
        struct green__crew *crew = me->crew;
        struct green_wait_mt *ender = NULL;
        green_hub *hub = NULL;

        hold_hub(me, NULL);
        me->ended = true;
        crew->threads--;
        green__count_spare(crew, 1);
        /* One that a job has ended may leave some behind. */
        green__crew_call_another(crew);
        if (crew->threads == 0 && crew->ender != NULL) {
                ender = crew->ender;
                hub = green_claim_mt(ender, NULL);
                crew->ender = NULL;
        }
        (void)pthread_cond_broadcast(&crew->left);
        /* Started after those that there were had been detached. */
        if (crew->abandoned && !me->detached)
                (void)pthread_detach(pthread_self());
        if (crew->threads == 0 && crew->abandoned)
                green__crew_free(crew);
        green__tpool_leave();
        if (ender != NULL)
                (void)green_hand_mt(hub, ender);
        green_hub_unref(hub);
}

/* A function has ended its OS thread, by pthread_exit() or otherwise: its caller must be answered all the same. */
static void
on_end_of_thread(void *arg)
{
        static const struct green__outcome gone = {NULL, -ECANCELED, 0};
        struct green__worker *me = arg;
        struct ended e = {NULL, NULL, NULL};

        if (here == NULL)
                return; /* it has forked before, and this is the child */
        green__tpool_enter();
        tell_end(me, &gone, &e);
        green__tpool_leave();
        finish(me, &e);
        green__tpool_enter();
        leave(me);
}

/* True: the function has forked, and this is the child, in which there is no pool. Under the lock, but then. */
static bool
do_job(struct green__worker *me, const struct green__job *job, struct ended *e)
{
        green_thread_fn fn = job->fn;
        void *arg = job->arg;
        const char *where = job->where;
        struct green__outcome o;
        unsigned born = green__pool.forks;

        green__crew_call_another(me->crew);
        green__tpool_leave();
        finish(me, e);
        GREEN__OS_GUARD_BEGIN(on_end_of_thread, me);
        o = green__job_run(fn, arg, where);
        GREEN__OS_GUARD_END();
        if (green__unlikely(born != green__pool.forks))
                return true;
        green__tpool_enter();
        measure(me);
        tell_end(me, &o, e);
        return false;
}

void *
green__worker_main(void *arg)
{
        struct green__worker *me = arg;
        struct ended e = {NULL, NULL, NULL};

        here = me;
        green__tpool_enter();
        green__count_available(me->crew, -1);
        for (;;) {
                const struct green__job *job;

                if (e.wait == NULL && e.dropped == NULL && should_watch(me->crew))
                        watch(me->crew);
                job = take_job(me, &e);
                if (job != NULL) {
                        if (do_job(me, job, &e))
                                return NULL;
                } else if (e.wait != NULL || e.dropped != NULL) {
                        green__tpool_leave();
                        finish(me, &e);
                        green__tpool_enter();
                } else if (me->crew->ending && me->crew->jobs.first == NULL) {
                        break;
                } else {
                        rest(me);
                }
        }
        leave(me);
        return NULL;
}
