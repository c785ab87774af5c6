/*
 * The threads of the pool. See tpool_priv.h.
 *
 * A call puts its job into the inbox, a stack, without a lock. A thread that needs a job takes the oldest of the queue,
 * which is refilled with the whole inbox when it is empty; in the same critical section it tells how its last job has
 * ended. One that finds nothing looks for a moment, if no other does, and then sleeps.
 *
 * `available` counts those that will look for a job by themselves soon, `spare` those that sleep or could still be
 * started. Where a job is there, nobody is available and somebody is spare, one is told to get up, or started: by the
 * call that has put the job into the inbox, or by the thread that took the one before. A thread becomes unavailable
 * first and looks into the inbox then; a call fills the inbox first and looks for one that is available then: so one of
 * them sees the other.
 */
#include <errno.h>
#include <time.h>

#include <green/alloc.h>
#include <green/error.h>

#include "at_fork.h"
#include "misuse.h"
#include "os_thread.h"
#include "tpool_priv.h"

pthread_mutex_t green__tpool_lock = PTHREAD_MUTEX_INITIALIZER;

struct green__pool green__pool;

/* Under the lock. */
static struct green__crew *crews;  /* all that have threads */
static struct green__jobs orphans; /* handed in when there was no crew any more */

/* ---- queues */

static void
count(struct green__jobs *q, int n)
{
        size_t before = atomic_load_explicit(&q->count, memory_order_relaxed);

        atomic_store_explicit(&q->count, before + (size_t)n, memory_order_relaxed);
}

static void
append(struct green__jobs *q, struct green__job *job)
{
        job->queue = q;
        job->next = NULL;
        job->prev = q->last;
        if (q->last != NULL)
                q->last->next = job;
        else
                q->first = job;
        q->last = job;
        count(q, 1);
}

void
green__jobs_remove(struct green__job *job)
{
        struct green__jobs *q = job->queue;

        if (q == NULL)
                return;
        if (job->prev != NULL)
                job->prev->next = job->next;
        else
                q->first = job->next;
        if (job->next != NULL)
                job->next->prev = job->prev;
        else
                q->last = job->prev;
        job->queue = NULL;
        count(q, -1);
}

static void
move_all(struct green__jobs *from, struct green__jobs *to)
{
        struct green__job *job;

        while ((job = from->first) != NULL) {
                green__jobs_remove(job);
                append(to, job);
        }
}

static void
submit(struct green__job *job)
{
        job->next = atomic_load_explicit(&green__pool.inbox, memory_order_relaxed);
        while (!atomic_compare_exchange_weak(&green__pool.inbox, &job->next, job))
                ;
}

/* To a queue in which all is older. */
void
green__jobs_from_inbox(struct green__jobs *q)
{
        struct green__job *job = atomic_exchange(&green__pool.inbox, NULL), *oldest = NULL;

        while (job != NULL) {
                struct green__job *next = job->next;

                job->next = oldest;
                oldest = job;
                job = next;
        }
        while ((job = oldest) != NULL) {
                oldest = job->next;
                append(q, job);
        }
}

struct green__crew *
green__crew_peek(void)
{
        struct green__crew *crew = green__crew_now();

        green__jobs_from_inbox(crew != NULL ? &crew->jobs : &orphans);
        return crew;
}

/* ---- starting threads */

static int
start_thread(struct green__crew *crew)
{
        struct green__worker *w = green_calloc(1, sizeof(*w));

        if (w == NULL)
                return -ENOMEM;
        w->crew = crew;
        if (green__os_thread_start(&w->thread, green__worker_main, w) != 0) {
                green_free(w);
                return -EAGAIN;
        }
        w->next = crew->workers;
        crew->workers = w;
        crew->threads++;
        green__count_spare(crew, -1);
        green__count_available(crew, 1);
        return 0;
}

/* Are jobs there, and nobody is available? */
void
green__crew_call_another(struct green__crew *crew)
{
        if (crew == green__crew_now() && atomic_load(&green__pool.available) > 0)
                return;
        if (crew->jobs.first == NULL && (crew != green__crew_now() || atomic_load(&green__pool.inbox) == NULL))
                return;
        if (crew->asleep > 0) {
                crew->asleep--;
                crew->told++;
                green__count_spare(crew, -1);
                green__count_available(crew, 1);
                (void)pthread_cond_signal(&crew->work);
        } else if (crew->threads < crew->most) {
                /* If it fails, those that there are will do. */
                (void)start_thread(crew);
        }
}

/* ---- making and ending a crew */

static void install(void);

static void
free_workers(struct green__crew *crew)
{
        struct green__worker *w;

        while ((w = crew->workers) != NULL) {
                crew->workers = w->next;
                green_free(w);
        }
}

void
green__crew_free(struct green__crew *crew)
{
        struct green__crew **at = &crews;

        while (*at != crew)
                at = &(*at)->next;
        *at = crew->next;
        free_workers(crew);
        (void)pthread_cond_destroy(&crew->work);
        (void)pthread_cond_destroy(&crew->watch);
        (void)pthread_cond_destroy(&crew->left);
        green_free(crew);
}

/* With its first thread. */
static int
make_crew(int most)
{
        struct green__crew *crew = green_calloc(1, sizeof(*crew));
        int rc;

        if (crew == NULL)
                return -ENOMEM;
        install();
        crew->most = most;
        (void)pthread_cond_init(&crew->work, NULL);
        green__os_cond_init(&crew->left);
        green__os_cond_init(&crew->watch);
        crew->next = crews;
        crews = crew;
        rc = start_thread(crew);
        if (rc != 0) {
                green__crew_free(crew);
                return rc;
        }
        atomic_store(&green__pool.available, 1);
        atomic_store(&green__pool.spare, most - 1);
        atomic_store(&green__pool.current, crew);
        move_all(&orphans, &crew->jobs);
        return 0;
}

/* Under the lock. */
static int
hand_in_slowly(struct green__job *job, int (*most)(void))
{
        struct green__crew *crew = green__crew_peek();

        if (crew == NULL) {
                int n = most();
                int rc = n > 0 ? make_crew(n) : n == 0 ? 1 : n;

                if (rc != 0)
                        return rc;
                crew = green__crew_peek();
        }
        append(&crew->jobs, job);
        green__crew_call_another(crew);
        return 0;
}

int
green__crew_hand_in(struct green__job *job, int (*most)(void))
{
        struct green__crew *crew;
        int rc = 0;

        if (green__unlikely(atomic_load(&green__pool.current) == NULL)) {
                green__tpool_enter();
                rc = hand_in_slowly(job, most);
                green__tpool_leave();
                return rc;
        }
        submit(job);
        if (atomic_load(&green__pool.available) > 0 ||
            (atomic_load(&green__pool.spare) == 0 && atomic_load(&green__pool.current) != NULL))
                return 0;
        green__tpool_enter();
        crew = green__crew_peek();
        if (crew != NULL) {
                green__crew_call_another(crew);
        } else if (job->queue == &orphans) {
                /* The pool was ended meanwhile. */
                green__jobs_remove(job);
                rc = hand_in_slowly(job, most);
        }
        green__tpool_leave();
        return rc;
}

void
green__crew_end(struct green__crew *crew)
{
        if (crew == green__crew_now()) {
                atomic_store(&green__pool.current, NULL);
                atomic_store(&green__pool.available, 0);
                atomic_store(&green__pool.spare, 0);
                green__jobs_from_inbox(&crew->jobs);
        }
        atomic_store_explicit(&crew->ending, true, memory_order_relaxed);
        (void)pthread_cond_broadcast(&crew->work);
        (void)pthread_cond_signal(&crew->watch);
}

void
green__crew_part(struct green__crew *crew)
{
        struct green__worker *ended = NULL, *w, **at = &crew->workers;

        while ((w = *at) != NULL) {
                if (w->ended) {
                        *at = w->next;
                        w->next = ended;
                        ended = w;
                } else {
                        (void)pthread_detach(w->thread);
                        w->detached = true;
                        at = &w->next;
                }
        }
        crew->abandoned = true;
        if (crew->threads == 0)
                green__crew_free(crew);
        green__tpool_leave();
        while ((w = ended) != NULL) {
                ended = w->next;
                (void)pthread_join(w->thread, NULL);
                green_free(w);
        }
}

/* ---- the end of the process, and fork */

/* Jobs that nobody will do. */
static void
drop_jobs(struct green__jobs *q)
{
        while (q->first != NULL) {
                struct green__job *job = q->first;

                green__jobs_remove(job);
                if (job->release != NULL)
                        green_free(job);
        }
}

/*
 * Threads that have nothing to do end in a moment, and are joined. Those that are at work are left to themselves: a job
 * that never ends would keep the process.
 */
static void
at_exit(void)
{
        struct timespec until;
        struct green__crew *crew;

        green__tpool_enter();
        crew = green__crew_peek();
        if (crew == NULL) {
                green__tpool_leave();
                return;
        }
        green__crew_end(crew);
        drop_jobs(&crew->jobs);
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        while ((size_t)crew->threads > crew->running)
                if (green__os_cond_until(&crew->left, &green__tpool_lock, &until) == ETIMEDOUT)
                        break;
        green__crew_part(crew);
}

/* No thread of the pool is left, unless one of them has forked. Nor are those who waited. */
static void
in_child(void)
{
        struct green__crew *crew;

        green__tpool_step_out();
        green__pool.forks++;
        (void)green__crew_peek();
        drop_jobs(&orphans);
        atomic_store(&green__pool.current, NULL);
        atomic_store(&green__pool.available, 0);
        atomic_store(&green__pool.spare, 0);
        while ((crew = crews) != NULL) {
                drop_jobs(&crew->jobs);
                for (const struct green__worker *w = crew->workers; w != NULL; w = w->next)
                        if (w->job != NULL && w->job->release != NULL)
                                green_free(w->job);
                free_workers(crew);
                crews = crew->next;
                /* Not its condition variables, in which others seem to wait. */
                green_free(crew);
        }
        green__tpool_leave();
}

static void
install(void)
{
        static struct green_metrics_source source;
        static bool installed;

        if (installed)
                return;
        installed = true;
        (void)green_metrics_add(&source, green__tpool_tell, NULL);
        green__sync_at_fork(green__tpool_enter, green__tpool_leave, in_child);
        green__os_at_exit(at_exit);
}
