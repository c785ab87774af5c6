/*
 * What hubs count, and what those have counted that are no more. See <green/metrics.h> and metrics_priv.h.
 */
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "hub_priv.h"

/* What other OS threads read is never half an old number and half a new one, on 32 bits too. */
#define WHOLE(type, member) _Static_assert(offsetof(type, member) % 8 == 0 && _Alignof(type) % 8 == 0, "it is written at once")
WHOLE(struct green__hub, switches);
WHOLE(struct green__hub, polls);
WHOLE(struct green__hub, counts.sleeps);
WHOLE(struct green__hub, counts.lag.buckets);
WHOLE(struct green__hub, counts.published);
WHOLE(struct green_metrics_histogram, count);

/* Of the calling OS thread; what its hub has taken over is taken off when the hub ends. */
static _Thread_local struct green_metrics_counters counters_here GREEN__TLS;

/* Of hubs and OS threads that have ended: under the lock of the list of hubs. */
static struct green_metrics kept;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key;

/* ---- histograms */

/* Whole microseconds below 1, 2, 4, ... */
static size_t
bucket_of(uint64_t ns)
{
        uint64_t us = ns / 1000;
        size_t i = us == 0 ? 0 : 64 - (size_t)__builtin_clzll(us);

        return i < GREEN_METRICS_BUCKETS ? i : GREEN_METRICS_BUCKETS - 1;
}

void
green_metrics_observe(struct green_metrics_histogram *h, int64_t ns)
{
        uint64_t time = ns > 0 ? (uint64_t)ns : 0;

        if (h == NULL)
                return;
        green__count(&h->buckets[bucket_of(time)], 1);
        green__count(&h->sum_ns, time);
        green__count(&h->count, 1);
        if (time > h->most_ns)
                __atomic_store_n(&h->most_ns, time, __ATOMIC_RELAXED);
}

double
green_metrics_quantile(const struct green_metrics_histogram *h, double part)
{
        uint64_t count = 0, below = 0, most;
        double rank;

        if (h == NULL || !(part >= 0 && part <= 1))
                return 0;
        for (size_t i = 0; i < GREEN_METRICS_BUCKETS; i++)
                count += green__counted(&h->buckets[i]);
        rank = part * (double)count;
        most = green__counted(&h->most_ns);
        for (size_t i = 0; count > 0 && i < GREEN_METRICS_BUCKETS - 1; i++) {
                below += green__counted(&h->buckets[i]);
                if (below > 0 && (double)below >= rank)
                        return (double)((uint64_t)1000 << i < most ? (uint64_t)1000 << i : most) / 1e9;
        }
        return count > 0 ? (double)most / 1e9 : 0;
}

static void
add_histogram(struct green_metrics_histogram *to, const struct green_metrics_histogram *h)
{
        uint64_t most = green__counted(&h->most_ns);

        to->count += green__counted(&h->count);
        to->sum_ns += green__counted(&h->sum_ns);
        if (most > to->most_ns)
                to->most_ns = most;
        for (size_t i = 0; i < GREEN_METRICS_BUCKETS; i++)
                to->buckets[i] += green__counted(&h->buckets[i]);
}

/* ---- counters of the OS thread */

static void
add_counters(struct green_metrics *to, const struct green_metrics_counters *c)
{
        to->bytes_read += c->bytes_read;
        to->bytes_written += c->bytes_written;
        to->accepts += c->accepts;
        to->accept_errors += c->accept_errors;
}

static void
at_thread_end(void *arg)
{
        (void)arg;
        green__hubs_lock();
        add_counters(&kept, &counters_here);
        green__hubs_unlock();
        counters_here = (struct green_metrics_counters){0};
}

static void
make_key(void)
{
        (void)pthread_key_create(&end_key, at_thread_end);
}

struct green_metrics_counters *
green_metrics_counters(void)
{
        /* Where there is no hub that would keep them, the end of the OS thread does. */
        if (green__unlikely(green__hub_here == NULL)) {
                (void)pthread_once(&once, make_key);
                (void)pthread_setspecific(end_key, &counters_here);
        }
        return &counters_here;
}

/* ---- a hub */

/* What nobody but the hub may read, at this moment: to what is published, or to a copy. */
static inline __attribute__((always_inline)) void
look(const struct green__hub *h, struct green__published *to)
{
        const struct green_metrics_counters *c = h->counts.counters;

        green__tell(&to->threads, h->nthreads);
        green__tell(&to->ready, h->nready);
        green__tell(&to->spawns, h->spawns);
        green__tell(&to->wakeups, h->wakeups);
        green__tell(&to->stacks, h->stacks.in_use);
        green__tell(&to->stacks_pooled, h->stacks.count + h->stacks.sized_count);
        green__tell(&to->counters.bytes_read, c->bytes_read);
        green__tell(&to->counters.bytes_written, c->bytes_written);
        green__tell(&to->counters.accepts, c->accepts);
        green__tell(&to->counters.accept_errors, c->accept_errors);
}

void
green__metrics_publish(struct green__hub *h)
{
        look(h, &h->counts.published);
}

void
green__metrics_begin(struct green__hub *h)
{
        h->counts.counters = &counters_here;
        green__metrics_publish(h);
}

/* Add what only grows. */
static void
add_counts(struct green_metrics *to, const struct green__hub *h, const struct green__published *p)
{
        const struct green__counts *c = &h->counts;

        to->switches += green__counted(&h->switches);
        to->polls += green__counted(&h->polls);
        to->sleeps += green__counted(&c->sleeps);
        to->timers_fired += green__counted(&c->timers_fired);
        to->posts += green__counted(&c->posts);
        to->spawns += p->spawns;
        to->wakeups += p->wakeups;
        add_counters(to, &p->counters);
        add_histogram(&to->lag, &c->lag);
}

/* Of any OS thread's hub: as it was published. */
static struct green__published
read_published(const struct green__hub *h)
{
        struct green__published p;

        for (size_t i = 0; i < sizeof p / sizeof(uint64_t); i++)
                ((uint64_t *)&p)[i] = green__counted((const uint64_t *)&h->counts.published + i);
        return p;
}

/* Add all of one, as of now where it is the calling OS thread's. */
static void
add_hub(struct green_metrics *to, const struct green__hub *h)
{
        bool here = h == green__hub_here;
        struct green__published p;

        if (here)
                look(h, &p);
        else
                p = read_published(h);
        if (p.threads == 0)
                return;
        add_counts(to, h, &p);
        if (here)
                to->switches += green__switches_uncounted(h);
        to->hubs++;
        to->threads += p.threads;
        to->ready += p.ready;
        to->stacks += p.stacks;
        to->stacks_pooled += p.stacks_pooled;
}

void
green__metrics_keep(struct green__hub *h)
{
        struct green__published p;

        if (h->counts.counters == NULL)
                return;
        look(h, &p);
        add_counts(&kept, h, &p);
        kept.switches += green__switches_uncounted(h);
        *h->counts.counters = (struct green_metrics_counters){0};
}

void
green__metrics_keep_lost(const struct green__hub *h)
{
        struct green__published p = read_published(h);

        add_counts(&kept, h, &p);
}

int
green_metrics_get(struct green_metrics *m, bool of_this)
{
        struct green_metrics full = {.size = 0};

        if (m == NULL || m->size < sizeof(m->size) || m->size > sizeof(*m))
                return -EINVAL;
        if (of_this) {
                if (green__hub_here != NULL)
                        add_hub(&full, green__hub_here);
        } else {
                green__hubs_lock();
                full = kept;
                for (const struct green__hub *h = green__hubs_first(); h != NULL; h = h->hubs_next)
                        add_hub(&full, h);
                green__hubs_unlock();
        }
        full.size = m->size;
        memcpy(m, &full, m->size);
        return 0;
}

/* ---- core's source */

void
green__metrics_tell(struct green_metrics_to *to)
{
        struct green_metrics m = {.size = sizeof m};
        const struct {
                bool grows;
                const char *name, *help;
                const uint64_t *value;
        } all[] = {
                {false, "green_hubs", "OS threads that run a hub.", &m.hubs},
                {false, "green_threads", "Green threads alive.", &m.threads},
                {false, "green_threads_ready", "Green threads that are ready to run.", &m.ready},
                {false, "green_stacks", "Stacks in use.", &m.stacks},
                {false, "green_stacks_pooled", "Stacks that wait for use.", &m.stacks_pooled},
                {true, "green_switches_total", "Switches of green threads.", &m.switches},
                {true, "green_spawns_total", "Green threads that were made.", &m.spawns},
                {true, "green_wakeups_total", "Waits that were ended.", &m.wakeups},
                {true, "green_polls_total", "Calls of the back end's wait.", &m.polls},
                {true, "green_sleeps_total", "Calls of the back end's wait that could block.", &m.sleeps},
                {true, "green_timers_fired_total", "Deadlines that were reached.", &m.timers_fired},
                {true, "green_posts_total", "Calls from other OS threads.", &m.posts},
                {true, "green_bytes_read_total", "Bytes read through sockets, pipes and streams.", &m.bytes_read},
                {true, "green_bytes_written_total", "Bytes written through sockets, pipes and streams.", &m.bytes_written},
                {true, "green_accepts_total", "Connections accepted.", &m.accepts},
                {true, "green_accept_errors_total", "Accepts that failed.", &m.accept_errors},
        };

        (void)green_metrics_get(&m, false);
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
                (all[i].grows ? green_metrics_counter : green_metrics_gauge)(to, all[i].name, all[i].help, NULL,
                                                                              (double)*all[i].value);
        green_metrics_seconds(to, "green_loop_lag_seconds", "How late deadlines were delivered.", NULL, &m.lag);
}
