/**
 * @file
 * @brief Counters of what green-net does, and of what the application adds: to look at, and for Prometheus.
 *
 * Counting is always on, and costs nothing that can be measured: each OS thread counts for itself. A *source* is a function
 * that tells samples; each layer has one, and applications add theirs for their pools and queues:
 *
 *     static void
 *     tell(struct green_metrics_to *to, void *arg)
 *     {
 *             struct green_db_pool_info info = {.size = sizeof info};
 *
 *             if (green_db_pool_get_info(arg, &info) == 0)
 *                     green_metrics_gauge(to, "myapp_db_idle", "Connections that are idle.", NULL, (double)info.idle);
 *     }
 *     ...
 *     static struct green_metrics_source source;
 *     green_metrics_add(&source, tell, pool);
 *
 * `/metrics` for a web server is green_metrics_app() of <green/wsgi_metrics.h>.
 */
#ifndef GREEN_METRICS_H
#define GREEN_METRICS_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** Buckets of a histogram of times: powers of two of microseconds, 1 us to 2^26 us (67 s), and all beyond. */
#define GREEN_METRICS_BUCKETS 28

/** Times, counted by how long they were. Zeroed is empty. One OS thread writes; any may read. Storage must be aligned as
 *  malloc()'s is. */
struct green_metrics_histogram {
        GREEN_ALIGNED(8) uint64_t count;         /**< how many */
        uint64_t sum_ns;                         /**< together, nanoseconds */
        uint64_t most_ns;                        /**< the longest */
        uint64_t buckets[GREEN_METRICS_BUCKETS]; /**< [i]: below 2^i microseconds, and not below those before; the last:
                                                      all others */
};

/** What an OS thread's hub has done. Counters only grow. */
struct green_metrics {
        size_t size;            /**< sizeof(struct green_metrics), set by the caller */
        uint64_t hubs;          /**< hubs that run */
        uint64_t threads;       /**< green threads alive */
        uint64_t ready;         /**< of these, ready to run */
        uint64_t switches;      /**< switches */
        uint64_t spawns;        /**< green threads that were made */
        uint64_t wakeups;       /**< waits that somebody or something has ended */
        uint64_t polls;         /**< calls of the back end's wait */
        uint64_t sleeps;        /**< of these, those that could block */
        uint64_t timers_fired;  /**< deadlines that were reached */
        uint64_t posts;         /**< calls from other OS threads */
        uint64_t stacks;        /**< stacks in use */
        uint64_t stacks_pooled; /**< stacks that wait for use */
        uint64_t bytes_read;    /**< through sockets, pipes and streams of green-net */
        uint64_t bytes_written; /**< likewise */
        uint64_t accepts;       /**< connections accepted */
        uint64_t accept_errors; /**< accepts that failed, but for want of a connection */
        struct green_metrics_histogram lag; /**< how late deadlines were when they were delivered: the loop's lag (ISS-08) */
};

/**
 * @brief What the hubs of this process have done. Never yields. thread-safe. Numbers of other OS threads may be a little old;
 *        those of hubs that have ended are kept.
 * @param[in,out] m       set m->size before.
 * @param         of_this true: of the calling OS thread's alone (zeros where it has none).
 * @retval 0       filled.
 * @retval -EINVAL unknown size, or NULL.
 * @since 0.1
 */
GREEN_API int green_metrics_get(struct green_metrics *m, bool of_this);

/** What layers on top count for the calling OS thread: see green_metrics_counters(). */
struct green_metrics_counters {
        uint64_t bytes_read;    /**< see struct green_metrics */
        uint64_t bytes_written; /**< likewise */
        uint64_t accepts;       /**< likewise */
        uint64_t accept_errors; /**< likewise */
};

/**
 * @brief The calling OS thread's counters, for libraries that move bytes or accept by themselves: add to them. Never yields.
 * @return they last as long as the OS thread; never NULL.
 * @since 0.1
 */
GREEN_API struct green_metrics_counters *green_metrics_counters(void);

/** @brief Count a time. Never yields. @param h a histogram, of the calling OS thread. @param ns nanoseconds, 0 or more.
 *  @since 0.1 */
GREEN_API void green_metrics_observe(struct green_metrics_histogram *h, int64_t ns);

/**
 * @brief A time that a part of all is not above, as far as the buckets tell. Never yields.
 * @param h    a histogram.
 * @param part 0 to 1: 0.99.
 * @return seconds: the upper end of the bucket it lies in, or the longest; 0 where nothing was counted, or part is no such number.
 * @since 0.1
 */
GREEN_API double green_metrics_quantile(const struct green_metrics_histogram *h, double part);

/**
 * @name Sources
 * @{
 */

/** Where samples go. Opaque. */
struct green_metrics_to;

/** A source, in the caller's storage; its inside is core's. Zeroed is unused. */
struct green_metrics_source {
        void *reserved[4]; /**< core's */
};

/** Tells its samples, by the calls below. It must not yield. It is called in the OS thread that asks. */
typedef void (*green_metrics_fn)(struct green_metrics_to *to, void *arg);

/** @brief Add a source. Never yields. thread-safe. @param source storage, not in use; it stays until green_metrics_remove().
 *  @param fn called whenever somebody asks. @param arg passed to it. @return 0; -EINVAL: NULL; -EBUSY: it is added already.
 *  @since 0.1 */
GREEN_API int green_metrics_add(struct green_metrics_source *source, green_metrics_fn fn, void *arg);

/** @brief Take a source away. Never yields. thread-safe; waits for those who are asking it just now. @param source one that was
 *  added, or is not in use. @since 0.1 */
GREEN_API void green_metrics_remove(struct green_metrics_source *source);

/**
 * @brief Tell a counter, which only grows. Never yields. For sources.
 * @param to     as given.
 * @param name   letters, digits, underscores: "myapp_jobs_total". The same one several times in a row, with other labels, is one
 *               metric.
 * @param help   what it is, in a line.
 * @param labels "pool=\"a\",kind=\"b\"", or NULL for none.
 * @param value  a number.
 * @since 0.1
 */
GREEN_API void green_metrics_counter(struct green_metrics_to *to, const char *name, const char *help, const char *labels,
                                     double value);

/** @brief Tell a gauge, which goes up and down. Never yields. For sources. @param to as given. @param name see
 *  green_metrics_counter(). @param help see there. @param labels see there. @param value a number. @since 0.1 */
GREEN_API void green_metrics_gauge(struct green_metrics_to *to, const char *name, const char *help, const char *labels,
                                   double value);

/** @brief Tell a histogram of seconds. Never yields. For sources. @param to as given. @param name see green_metrics_counter().
 *  @param help see there. @param labels see there. @param h the histogram. @since 0.1 */
GREEN_API void green_metrics_seconds(struct green_metrics_to *to, const char *name, const char *help, const char *labels,
                                     const struct green_metrics_histogram *h);

/** Takes a piece of text. */
typedef void (*green_metrics_text_fn)(void *arg, const char *text, size_t len);

/**
 * @brief All samples of all sources as text, in the form of Prometheus (text/plain; version=0.0.4). Never yields. thread-safe.
 * @param fn  called with pieces.
 * @param arg passed to it.
 * @retval 0       done.
 * @retval -EINVAL fn is NULL.
 * @since 0.1
 */
GREEN_API int green_metrics_format(green_metrics_text_fn fn, void *arg);
/** @} */

GREEN_END_DECLS

#endif
