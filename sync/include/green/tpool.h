/**
 * @file
 * @brief A pool of OS threads for calls that block: the green thread that asks waits, the others run on.
 *
 * One pool a process, started by the first call. Requests are served in the order they came, by whichever thread is
 * free. Results go back to the hub that asked. Functions that run in the pool must not use objects of a hub: channels
 * (<green/chan.h>), green_hub_post(), green_event_send_mt() and green_wake_mt() are what leads out.
 */
#ifndef GREEN_TPOOL_H
#define GREEN_TPOOL_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** Threads of the pool unless `GREEN_THREADPOOL_SIZE` or green_tpool_set_num_threads() says otherwise. */
#define GREEN_TPOOL_THREADS 20

/** What green_tpool_execute() can change. Set it to zero, then @ref size, then what you need. */
struct green_tpool_opts {
        size_t size; /**< sizeof(struct green_tpool_opts) */
        /**
         * Given: a kill or a timeout of the caller abandons the call, which goes on and cannot be interrupted; this is
         * called in the pool's thread when it has ended (or in its place where it had not begun), and owns arg and
         * result from then on; result is NULL where the function has not run, or failed. Not given: the caller waits
         * for the end of a call that has begun, shielded, and the kill or timeout is seen by the next one.
         */
        void (*release)(void *arg, void *result);
        /**
         * Where it is said whose arg is when the call returns, since the code alone does not tell. True: release was
         * called, or will be; also in the caller's own thread, where it had been killed before the call. False: it is
         * still the caller's. May be NULL.
         */
        bool *ret_abandoned;
};

/**
 * @brief Run a function in an OS thread of the pool, and wait for its result. Yields.
 *
 * Called from a thread of the pool, or with a pool of 0 threads (which is warned of once), the function runs here and
 * now.
 *
 * @param      fn         what to run; returns its result, or green_fail().
 * @param      arg        passed to fn; it must stay until fn has ended: see green_tpool_opts::release.
 * @param      opts       NULL for defaults.
 * @param[out] ret_result what fn returned; set on 0 only. NULL if not wanted.
 * @retval 0              fn has returned.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes): before fn began; or, with release,
 * meanwhile.
 * @retval -EINVAL        fn is NULL, opts of an unknown size, or GREEN_THREADPOOL_SIZE is no number of 0 or more.
 * @retval -EAGAIN        no thread could be started, and there is none.
 * @retval -ENOMEM        memory ran out.
 * @retval -EDEADLK       called from a hub callback.
 * @retval -ECANCELED     fn has ended its OS thread, by pthread_exit() for one.
 * @return otherwise the code that fn failed with, without its message: green_last_error() is each OS thread's own. `errno` is what fn has set it to, if it has.
 * @since 0.1 (TPOOL-01 to TPOOL-12)
 */
GREEN_API GREEN_MUST_USE int green_tpool_execute(green_thread_fn fn, void *arg, const struct green_tpool_opts *opts,
                                                 void **ret_result);

/**
 * @brief green_tpool_execute() with its place, which green_debug_tpool_exceptions() shows.
 * @param      fn         see there.
 * @param      arg        see there.
 * @param      opts       see there.
 * @param[out] ret_result see there.
 * @param      where      "file:line", constant.
 * @return see there.
 */
GREEN_API GREEN_MUST_USE int green_tpool_execute_at(green_thread_fn fn, void *arg, const struct green_tpool_opts *opts,
                                                    void **ret_result, const char *where);
/** @cond */
/* Variadic, so that arguments may be compound literals. */
#define green_tpool_execute(fn, ...) green_tpool_execute_at(fn, __VA_ARGS__, GREEN_HERE)
/** @endcond */

/**
 * @brief Log an error that a function in the pool ends with, and where it was called. Never yields. thread-safe. Off by
 *        default: the caller gets the error in any case.
 * @param on whether to.
 * @return what it was.
 * @since 0.1 (TPOOL-13, DEBUG-05)
 */
GREEN_API bool green_debug_tpool_exceptions(bool on);

/**
 * @brief Set how many threads the pool has when it is started next: by the first call, or the first after
 * green_tpool_killall(). Never yields. thread-safe.
 * @param n 0 or more.
 * @retval 0       set.
 * @retval -EINVAL negative.
 * @since 0.1 (TPOOL-14)
 */
GREEN_API int green_tpool_set_num_threads(int n);

/**
 * @brief End the pool: jobs that run or wait are done, their results delivered, the threads joined. Yields: green
 * threads run on meanwhile. The next call starts it again. Does nothing where it has not been started.
 * @param timeout seconds; #GREEN_FOREVER waits for good. What is not done by then goes on, and its threads end by
 * themselves.
 * @retval 0          ended.
 * @retval -ETIMEDOUT not in time.
 * @retval -EDEADLK   called from a hub callback or a thread of the pool.
 * @retval -EINVAL    the time is negative or NaN.
 * @return otherwise the code of a kill or timeout of the caller: as -ETIMEDOUT.
 * @since 0.1 (TPOOL-15, TPOOL-16)
 */
GREEN_API int green_tpool_killall(double timeout);

/** Facts about the pool. */
struct green_tpool_info {
        size_t size;    /**< sizeof(struct green_tpool_info), set by the caller */
        int threads;    /**< that run; 0 where it is not started */
        size_t queued;  /**< jobs that wait for a thread */
        size_t running; /**< jobs that run */
};

/**
 * @brief Facts about the pool. Never yields. thread-safe.
 * @param[in,out] info set info->size before.
 * @retval 0       filled.
 * @retval -EINVAL unknown size, or NULL.
 * @since 0.1
 */
GREEN_API int green_tpool_get_info(struct green_tpool_info *info);

/**
 * @name Proxies
 *
 * A table of functions, and for each a wrapper of the same name with a prefix that runs it in the pool. A row is the
 * name of the row macro, the prefix that it hands on, the type of the result, the function, and (type, name) of each
 * argument:
 *
 *     #define MY_DB(CALL, WRAP, P) \
 *             CALL(P, int, db_open, (const char *, path), (int, flags)) \
 *             CALL(P, long, db_count, (struct db *, db)) \
 *             WRAP(P, my_rows, db_query, (struct db *, db), (const char *, text))
 *     GREEN_TPOOL_PROXY_TYPE(my_rows, struct rows *)
 *     GREEN_TPOOL_PROXY(pooled_, MY_DB)
 *
 *     rc = pooled_db_open("x", 0, &fd);
 *
 * Each wrapper takes the function's arguments and a pointer to where the result goes, which may be NULL, and returns
 * what green_tpool_execute() returns. It waits shielded, as its arguments lie on the caller's stack. At most 6
 * arguments; their types, and that of the result, are such that `type name;` declares one (a typedef helps). The result
 * must not be void: let a function that returns an int call that one.
 *
 * `WRAP` marks a result that is an object whose functions are to run in the pool too: it comes back in a struct of its
 * own type, made by GREEN_TPOOL_PROXY_TYPE(), whose only member is `object`. So it cannot be handed by mistake to a
 * function that would block the caller. It is wrapped once: a function that returns such a struct already stands in a
 * `CALL` row, and the compiler refuses to wrap it again. Comparing, hashing and the like work on `object`, here and
 * now.
 *
 * An iteration whose steps block goes through green_tpool_proxy_next().
 * @{
 */

/** Declare @p name as the type of a proxy: a struct with one member, `object`, of @p type. */
#define GREEN_TPOOL_PROXY_TYPE(name, type)                                                                             \
        typedef struct name {                                                                                          \
                type object; /**< what is in it */                                                                     \
        } name /* NOLINT(bugprone-macro-parentheses): of a type */;

/** Define the wrappers of a table, as `static inline` functions; no semicolon. @param prefix of their names. @param
 * table see above. */
#define GREEN_TPOOL_PROXY(prefix, table) table(GREEN_TPOOL_CALL_, GREEN_TPOOL_WRAP_, prefix)

/**
 * @brief One step of an iteration, in the pool. Yields. It waits shielded.
 *
 * @param      next     makes the step: returns 0 and gives an item; #GREEN_EEMPTY when there are no more; or another
 * code.
 * @param      iterator passed to it.
 * @param[out] ret_item the item; set on 0 only. NULL if not wanted.
 * @return what next returned, or what green_tpool_execute() returns where it did not run.
 * @since 0.1 (TPOOL-22)
 */
GREEN_API GREEN_MUST_USE int green_tpool_proxy_next(int (*next)(void *iterator, void **ret_item), void *iterator,
                                                    void **ret_item);

/**
 * @brief green_tpool_proxy_next() with its place.
 * @param      next     see there.
 * @param      iterator see there.
 * @param[out] ret_item see there.
 * @param      where    "file:line", constant.
 * @return see there.
 */
GREEN_API GREEN_MUST_USE int green_tpool_proxy_next_at(int (*next)(void *iterator, void **ret_item), void *iterator,
                                                       void **ret_item, const char *where);
/** @cond */
#define green_tpool_proxy_next(next, ...) green_tpool_proxy_next_at(next, __VA_ARGS__, GREEN_HERE)

#if defined(__GNUC__)
#define GREEN_TPOOL_INLINE_ static inline __attribute__((unused, warn_unused_result))
#else
#define GREEN_TPOOL_INLINE_ static inline
#endif

/* The rest of a row is the result's type, the function, and 0 to 6 pairs. */
#define GREEN_TPOOL_CALL_(...) GREEN_TPOOL_ROW_(GREEN_TPOOL_PLAIN_, __VA_ARGS__)
#define GREEN_TPOOL_WRAP_(...) GREEN_TPOOL_ROW_(GREEN_TPOOL_OBJECT_, __VA_ARGS__)
#define GREEN_TPOOL_PLAIN_(place) place
#define GREEN_TPOOL_OBJECT_(place) place.object

#define GREEN_TPOOL_ROW_(into, ...)                                                                                    \
        GREEN_TPOOL_PICK_(__VA_ARGS__, GREEN_TPOOL_6_, GREEN_TPOOL_5_, GREEN_TPOOL_4_, GREEN_TPOOL_3_, GREEN_TPOOL_2_, \
                          GREEN_TPOOL_1_, GREEN_TPOOL_0_, 0, 0)                                                        \
        (into, __VA_ARGS__)
#define GREEN_TPOOL_PICK_(p, r, f, a, b, c, d, e, g, pick, ...) pick
#define GREEN_TPOOL_MEMBER_(type, name) type name;
#define GREEN_TPOOL_VALUE_(type, name) , name
#define GREEN_TPOOL_PARAMETER_(type, name) type name,
#define GREEN_TPOOL_FIELD_(type, name) block_->name

#define GREEN_TPOOL_0_(into, p, r, f) GREEN_TPOOL_DEFINE_(into, p, r, f, , , , ())
#define GREEN_TPOOL_1_(into, p, r, f, a)                                                                               \
        GREEN_TPOOL_DEFINE_(into, p, r, f, GREEN_TPOOL_MEMBER_ a, GREEN_TPOOL_PARAMETER_ a, GREEN_TPOOL_VALUE_ a,      \
                            (GREEN_TPOOL_FIELD_ a))
#define GREEN_TPOOL_2_(into, p, r, f, a, b)                                                                            \
        GREEN_TPOOL_DEFINE_(into, p, r, f, GREEN_TPOOL_MEMBER_ a GREEN_TPOOL_MEMBER_ b,                                \
                            GREEN_TPOOL_PARAMETER_ a GREEN_TPOOL_PARAMETER_ b,                                         \
                            GREEN_TPOOL_VALUE_ a GREEN_TPOOL_VALUE_ b, (GREEN_TPOOL_FIELD_ a, GREEN_TPOOL_FIELD_ b))
#define GREEN_TPOOL_3_(into, p, r, f, a, b, c)                                                                         \
        GREEN_TPOOL_DEFINE_(into, p, r, f, GREEN_TPOOL_MEMBER_ a GREEN_TPOOL_MEMBER_ b GREEN_TPOOL_MEMBER_ c,          \
                            GREEN_TPOOL_PARAMETER_ a GREEN_TPOOL_PARAMETER_ b GREEN_TPOOL_PARAMETER_ c,                \
                            GREEN_TPOOL_VALUE_ a GREEN_TPOOL_VALUE_ b GREEN_TPOOL_VALUE_ c,                            \
                            (GREEN_TPOOL_FIELD_ a, GREEN_TPOOL_FIELD_ b, GREEN_TPOOL_FIELD_ c))
#define GREEN_TPOOL_4_(into, p, r, f, a, b, c, d)                                                                      \
        GREEN_TPOOL_DEFINE_(                                                                                           \
                into, p, r, f,                                                                                         \
                GREEN_TPOOL_MEMBER_ a GREEN_TPOOL_MEMBER_ b GREEN_TPOOL_MEMBER_ c GREEN_TPOOL_MEMBER_ d,               \
                GREEN_TPOOL_PARAMETER_ a GREEN_TPOOL_PARAMETER_ b GREEN_TPOOL_PARAMETER_ c GREEN_TPOOL_PARAMETER_ d,   \
                GREEN_TPOOL_VALUE_ a GREEN_TPOOL_VALUE_ b GREEN_TPOOL_VALUE_ c GREEN_TPOOL_VALUE_ d,                   \
                (GREEN_TPOOL_FIELD_ a, GREEN_TPOOL_FIELD_ b, GREEN_TPOOL_FIELD_ c, GREEN_TPOOL_FIELD_ d))
#define GREEN_TPOOL_5_(into, p, r, f, a, b, c, d, e)                                                                   \
        GREEN_TPOOL_DEFINE_(into, p, r, f,                                                                             \
                            GREEN_TPOOL_MEMBER_ a GREEN_TPOOL_MEMBER_ b GREEN_TPOOL_MEMBER_ c GREEN_TPOOL_MEMBER_ d    \
                                    GREEN_TPOOL_MEMBER_ e,                                                             \
                            GREEN_TPOOL_PARAMETER_ a GREEN_TPOOL_PARAMETER_ b GREEN_TPOOL_PARAMETER_ c                 \
                                    GREEN_TPOOL_PARAMETER_ d GREEN_TPOOL_PARAMETER_ e,                                 \
                            GREEN_TPOOL_VALUE_ a GREEN_TPOOL_VALUE_ b GREEN_TPOOL_VALUE_ c GREEN_TPOOL_VALUE_ d        \
                                    GREEN_TPOOL_VALUE_ e,                                                              \
                            (GREEN_TPOOL_FIELD_ a, GREEN_TPOOL_FIELD_ b, GREEN_TPOOL_FIELD_ c, GREEN_TPOOL_FIELD_ d,   \
                             GREEN_TPOOL_FIELD_ e))
#define GREEN_TPOOL_6_(into, p, r, f, a, b, c, d, e, g)                                                                \
        GREEN_TPOOL_DEFINE_(into, p, r, f,                                                                             \
                            GREEN_TPOOL_MEMBER_ a GREEN_TPOOL_MEMBER_ b GREEN_TPOOL_MEMBER_ c GREEN_TPOOL_MEMBER_ d    \
                                    GREEN_TPOOL_MEMBER_ e GREEN_TPOOL_MEMBER_ g,                                       \
                            GREEN_TPOOL_PARAMETER_ a GREEN_TPOOL_PARAMETER_ b GREEN_TPOOL_PARAMETER_ c                 \
                                    GREEN_TPOOL_PARAMETER_ d GREEN_TPOOL_PARAMETER_ e GREEN_TPOOL_PARAMETER_ g,        \
                            GREEN_TPOOL_VALUE_ a GREEN_TPOOL_VALUE_ b GREEN_TPOOL_VALUE_ c GREEN_TPOOL_VALUE_ d        \
                                    GREEN_TPOOL_VALUE_ e GREEN_TPOOL_VALUE_ g,                                         \
                            (GREEN_TPOOL_FIELD_ a, GREEN_TPOOL_FIELD_ b, GREEN_TPOOL_FIELD_ c, GREEN_TPOOL_FIELD_ d,   \
                             GREEN_TPOOL_FIELD_ e, GREEN_TPOOL_FIELD_ g))

/* Argument block, thunk, wrapper. */
#define GREEN_TPOOL_DEFINE_(into, p, r, f, members, parameters, values, arguments)                                     \
        struct p##f##_block_ {                                                                                         \
                r *result_;                                                                                            \
                members                                                                                                \
        };                                                                                                             \
        static inline void *p##f##_thunk_(void *arg_)                                                                  \
        {                                                                                                              \
                struct p##f##_block_ *block_ = (struct p##f##_block_ *)arg_;                                           \
                                                                                                                       \
                into((*block_->result_)) = f arguments;                                                                \
                return NULL;                                                                                           \
        }                                                                                                              \
        GREEN_TPOOL_INLINE_ int p##f(parameters r *ret_result_)                                                        \
        {                                                                                                              \
                r result_;                                                                                             \
                struct p##f##_block_ block_ = {&result_ values};                                                       \
                int rc_ = green_tpool_execute_at(p##f##_thunk_, &block_, NULL, NULL, #p #f);                           \
                                                                                                                       \
                if (rc_ == 0 && ret_result_ != NULL)                                                                   \
                        *ret_result_ = result_;                                                                        \
                return rc_;                                                                                            \
        }
/** @endcond */
/** @} */

GREEN_END_DECLS

#endif
