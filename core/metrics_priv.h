/*
 * What a hub counts. Each number has one writer, its hub's OS thread. Those that are written on the way of every wake-up or
 * spawn are plain, and are published every now and then, before the hub sleeps and about once a millisecond; the others
 * are written so that anybody may read them. Those that others read lie at multiples of 8: elsewhere 64 bits are two writes
 * on some processors.
 */
#ifndef GREEN_METRICS_PRIV_H
#define GREEN_METRICS_PRIV_H

#include <green/metrics.h>

struct green__hub;

struct green__counts {
        GREEN_ALIGNED(8) uint64_t sleeps, timers_fired, posts; /* anybody may read them */
        struct green_metrics_histogram lag;                    /* likewise */
        struct green_metrics_counters *counters;               /* of this OS thread: plain */
        struct green__published {                              /* anybody may read it */
                GREEN_ALIGNED(8) uint64_t threads, ready;      /* threads: 0 until the hub is whole */
                uint64_t spawns, wakeups;
                uint64_t stacks, stacks_pooled;
                struct green_metrics_counters counters;
        } published;
};

/* A number that others read, and that has one writer. */
static inline void
green__tell(uint64_t *number, uint64_t value)
{
        __atomic_store_n(number, value, __ATOMIC_RELAXED);
}

static inline void
green__count(uint64_t *number, uint64_t n)
{
        green__tell(number, *number + n);
}

static inline uint64_t
green__counted(const uint64_t *number)
{
        return __atomic_load_n(number, __ATOMIC_RELAXED);
}

/* metrics.c: a hub is whole, or is about to sleep, or some time has passed. */
void green__metrics_begin(struct green__hub *h);
void green__metrics_publish(struct green__hub *h);

/* It ends: what it has counted is kept. Under the lock of the list of hubs. */
void green__metrics_keep(struct green__hub *h);

/* The same in the child of a fork of those that were other OS threads'. */
void green__metrics_keep_lost(const struct green__hub *h);

/* metrics_text.c: the lock of the list of sources, held over a fork. */
void green__sources_lock(void);
void green__sources_unlock(void);
void green__sources_after_fork(void);

/* metrics.c: core's own source. */
void green__metrics_tell(struct green_metrics_to *to);

#endif
