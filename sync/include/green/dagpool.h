/**
 * @file
 * @brief DAG pools: values by key, and green threads that make them of each other's.
 *
 * Each task names the keys it needs, and is given their values as they become available. Its own result is the value of
 * its key. A task that fails passes its failure on to those that need it, with the chain of keys it came through:
 *
 *     static void *
 *     add(const struct green_key *key, green_dag_results *results, void *arg)
 *     {
 *             struct green_dag_item item;
 *             long *sum = arg;
 *             int rc;
 *
 *             while ((rc = green_dag_next(results, &item, GREEN_FOREVER)) == 1)
 *                     *sum += *(long *)item.value;
 *             return rc == 0 ? sum : green_fail(rc);
 *     }
 *
 * The text of a failure is "PropagateError(KEY): NAME: MESSAGE", with name and message of its cause, which may be such
 * a text again. What cannot be printed of a key is written as \\xNN, and of what is long the middle is left out; chain
 * and keys are whole.
 */
#ifndef GREEN_DAGPOOL_H
#define GREEN_DAGPOOL_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A DAG pool. Opaque; it belongs to the OS thread that made it. */
typedef struct green_dagpool green_dagpool;
/** A cursor over values as they become available. Opaque. */
typedef struct green_dag_results green_dag_results;

/** A key: bytes. The pool copies those it keeps. */
struct green_key {
        const void *data; /**< the bytes */
        size_t len;       /**< how many; 0 is a key like any other */
};

/**
 * @brief The key that a string is, without its NUL. Never yields.
 * @param text not copied; NULL gives a key that every call refuses.
 * @return the key.
 * @since 0.1 (DAG-25)
 */
static inline struct green_key
green_key(const char *text)
{
        struct green_key key;

        key.data = text;
        for (key.len = 0; text == NULL ? key.len == 0 : text[key.len] != '\0'; key.len++)
                ;
        return key;
}

/** A key and its value. */
struct green_dag_item {
        struct green_key key; /**< the key; what it points to is the pool's, and stays as long as the pool */
        void *value;          /**< the value; NULL for a failure */
        const struct green_error *error; /**< the failure: code #GREEN_EPROPAGATE, the key in its message and its
                                              `value` (a const struct green_key *), and the cause; NULL for a value. It
                                              stays as long as the cursor that delivered it; one of
                                              green_dagpool_items() until the key gets another value */
};

/**
 * What a task runs.
 * @param key     its own key.
 * @param results the values it needs: green_dag_next() until 0.
 * @param arg     as given.
 * @return its value, or green_fail() or green_fail_error(). One that returns green_fail() of #GREEN_EPROPAGATE after
 *         green_dag_next() has failed so passes that failure on.
 */
typedef void *(*green_dag_fn)(const struct green_key *key, green_dag_results *results, void *arg);

/** A task. */
struct green_dag_task {
        struct green_key key;            /**< under which its result is posted */
        const struct green_key *depends; /**< keys it needs, known or not; may be NULL where n is 0 */
        size_t n;                        /**< how many */
        green_dag_fn fn;                 /**< what it runs */
        void *arg;                       /**< passed to fn, not owned */
};

/**
 * @brief Make a DAG pool. Never yields.
 * @param preload values that are there from the start; copied, with their keys. `error` must be NULL.
 * @param n       how many.
 * @return the handle, for green_dagpool_free(); NULL with `errno` EINVAL (a NULL, an error, a key twice) or ENOMEM.
 * @since 0.1 (DAG-01)
 */
GREEN_API green_dagpool *green_dagpool_new(const struct green_dag_item *preload, size_t n);

/**
 * @brief Free a DAG pool with its keys and errors. Never yields. Values are not owned.
 * @param p one or NULL.
 * @retval 0      freed.
 * @retval -EBUSY tasks run, somebody waits, or a cursor is open: nothing was done.
 * @retval -EPERM it belongs to another OS thread, whose hub still runs. One whose hub has ended can be freed anywhere,
 *                with all that was left in it.
 * @since 0.1
 */
GREEN_API int green_dagpool_free(green_dagpool *p);

/**
 * @brief Spawn a task. Never yields: it is entered when the caller yields, whether or not its values are there.
 * @param p    a DAG pool.
 * @param task copied, with its keys.
 * @retval 0                spawned.
 * @retval GREEN_ECOLLISION the key has a value, or a task: green_last_error() names it.
 * @retval -EINVAL          a NULL: a key of 0 bytes needs no data, others do.
 * @retval -ENOMEM          memory ran out.
 * @retval -EPERM           it belongs to another OS thread.
 * @since 0.1 (DAG-02, DAG-03, DAG-07)
 */
GREEN_API int green_dagpool_spawn(green_dagpool *p, const struct green_dag_task *task);

/**
 * @brief Spawn several tasks. Never yields.
 * @param p     a DAG pool.
 * @param tasks as green_dagpool_spawn(); in their order.
 * @param n     how many.
 * @return as green_dagpool_spawn(): the first failure; those before it are spawned.
 * @since 0.1 (DAG-08)
 */
GREEN_API int green_dagpool_spawn_many(green_dagpool *p, const struct green_dag_task *tasks, size_t n);

/**
 * @brief Get the next value, in the order in which they became available. May yield.
 * @param      r        a cursor: a task's, or of green_dagpool_wait_each() and its kin.
 * @param[out] ret_item key and value, or failure where the cursor is for those. Set on 1 only. A key that was given
 *                      twice comes once.
 * @param      timeout  seconds; #GREEN_FOREVER waits for good, 0 asks.
 * @retval 1                a value.
 * @retval 0                all have been delivered.
 * @retval GREEN_EPROPAGATE the next one is a failure: green_last_error() has it with its chain of causes. The cursor is
 *                          past it.
 * @retval -ETIMEDOUT       not in time.
 * @retval -ECANCELED       the cursor was a task's, which has ended meanwhile.
 * @retval GREEN_EKILLED    killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL          a NULL, or the time is negative or NaN.
 * @retval -EPERM           it belongs to another OS thread.
 * @retval -EDEADLK         it would have to wait in a hub callback.
 * @since 0.1 (DAG-04, DAG-06, DAG-25)
 */
GREEN_API GREEN_MUST_USE int green_dag_next(green_dag_results *r, struct green_dag_item *ret_item, double timeout);

/**
 * @brief Post a value under a key. Never yields. Those who need it are woken.
 *
 * A task may post its own key: what it returns is then dropped, and so is its failure.
 *
 * @param p       a DAG pool.
 * @param key     copied.
 * @param value   not owned.
 * @param replace true: in place of a value that is there; who waits may get either.
 * @retval 0                posted.
 * @retval GREEN_ECOLLISION it has a task that runs and is not the caller, or a value that was not to be replaced.
 * @return otherwise as green_dagpool_spawn().
 * @since 0.1 (DAG-05, DAG-09 to DAG-12)
 */
GREEN_API int green_dagpool_post(green_dagpool *p, struct green_key key, void *value, bool replace);

/**
 * @brief Post a failure under a key: whoever needs it fails with #GREEN_EPROPAGATE. Never yields.
 * @param p       a DAG pool.
 * @param key     copied.
 * @param cause   copied, with its causes; its code is negative.
 * @param replace as for green_dagpool_post().
 * @return as green_dagpool_post().
 * @since 0.1 (DAG-12)
 */
GREEN_API int green_dagpool_post_error(green_dagpool *p, struct green_key key, const struct green_error *cause,
                                       bool replace);

/**
 * @brief Wait until keys have values, and get them. May yield; does not where all have.
 * @param      p          a DAG pool.
 * @param      keys       the keys, known or not.
 * @param      n          how many.
 * @param[out] ret_values room for n values, in the order of the keys; set on 0 only. May be NULL.
 * @param      timeout    seconds for all; #GREEN_FOREVER waits for good, 0 asks.
 * @retval 0                all there.
 * @retval GREEN_EPROPAGATE one is a failure: green_last_error() has the first that was met.
 * @return otherwise as green_dag_next(), and -ENOMEM.
 * @since 0.1 (DAG-13)
 */
GREEN_API GREEN_MUST_USE int green_dagpool_wait(green_dagpool *p, const struct green_key *keys, size_t n,
                                                void **ret_values, double timeout);

/**
 * @brief Wait until every key that the pool knows when this is called has a value. May yield; does not where all have.
 *
 * It knows those that have a value or a task, not those that are only waited for. A task that calls this waits for
 * itself, too.
 *
 * @param p       a DAG pool; green_dagpool_items() has the values afterwards.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 asks.
 * @return as green_dagpool_wait().
 * @since 0.1 (DAG-13, DAG-15)
 */
GREEN_API GREEN_MUST_USE int green_dagpool_waitall(green_dagpool *p, double timeout);

/**
 * @brief A cursor over keys' values as they become available. Never yields; green_dag_next() does.
 * @param p    a DAG pool.
 * @param keys the keys, known or not; copied. NULL: all that the pool knows now.
 * @param n    how many.
 * @return the cursor, for green_dag_results_free(); NULL with `errno` EINVAL, ENOMEM or EPERM.
 * @since 0.1 (DAG-14, DAG-15)
 */
GREEN_API green_dag_results *green_dagpool_wait_each(green_dagpool *p, const struct green_key *keys, size_t n);

/**
 * @brief The same, and failures are passed over. Never yields.
 * @param p    see green_dagpool_wait_each().
 * @param keys see there.
 * @param n    see there.
 * @return see there.
 * @since 0.1 (DAG-16)
 */
GREEN_API green_dag_results *green_dagpool_wait_each_success(green_dagpool *p, const struct green_key *keys, size_t n);

/**
 * @brief The same, and only failures are delivered, as items with `error` set: green_dag_next() returns 1 for them.
 * Never yields.
 * @param p    see green_dagpool_wait_each().
 * @param keys see there.
 * @param n    see there.
 * @return see there.
 * @since 0.1 (DAG-16)
 */
GREEN_API green_dag_results *green_dagpool_wait_each_exception(green_dagpool *p, const struct green_key *keys,
                                                               size_t n);

/**
 * @brief Free a cursor that one of these made; not that of a task. Never yields.
 * @param r one or NULL.
 * @retval 0       freed.
 * @retval -EBUSY  somebody waits in it: nothing was done.
 * @retval -EINVAL it is a task's.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_dag_results_free(green_dag_results *r);

/**
 * @brief Wait for one value. May yield; does not where it is there. (eventlet's `pool[key]`.)
 * @param      p         a DAG pool.
 * @param      key       a key, known or not.
 * @param[out] ret_value the value; set on 0 only. May be NULL.
 * @param      timeout   seconds; #GREEN_FOREVER waits for good, 0 asks.
 * @return as green_dagpool_wait().
 * @since 0.1 (DAG-17)
 */
GREEN_API GREEN_MUST_USE int green_dagpool_getitem(green_dagpool *p, struct green_key key, void **ret_value,
                                                   double timeout);

/**
 * @brief A value if it is there, or another. Never yields.
 * @param      p         a DAG pool.
 * @param      key       a key.
 * @param      otherwise what to give where there is no value.
 * @param[out] ret_value one or the other; set on 0 only.
 * @retval 0                told.
 * @retval GREEN_EPROPAGATE a failure is there: green_last_error() has it.
 * @retval -EINVAL          a NULL.
 * @retval -EPERM           it belongs to another OS thread.
 * @since 0.1 (DAG-17, DAG-24)
 */
GREEN_API int green_dagpool_get(green_dagpool *p, struct green_key key, void *otherwise, void **ret_value);

/**
 * @brief Keys that have a value, or a failure, in the order in which they got it. Never yields.
 * @param      p        a DAG pool.
 * @param[out] ret_keys room for keys; what they point to is the pool's. May be NULL where room is 0.
 * @param      room     for how many.
 * @return how many there are, which may be more than room; -EINVAL or -EPERM.
 * @since 0.1 (DAG-18)
 */
GREEN_API ssize_t green_dagpool_keys(green_dagpool *p, struct green_key *ret_keys, size_t room);

/**
 * @brief Keys and values that are there. Never yields.
 * @param      p         a DAG pool.
 * @param[out] ret_items room for items; set also where it fails with #GREEN_EPROPAGATE, and `error` says which. May be
 *                       NULL where room is 0.
 * @param      room      for how many.
 * @return how many there are, which may be more than room; #GREEN_EPROPAGATE where one of them is a failure, the first
 *         of which green_last_error() has; -EINVAL or -EPERM.
 * @since 0.1 (DAG-18)
 */
GREEN_API ssize_t green_dagpool_items(green_dagpool *p, struct green_dag_item *ret_items, size_t room);

/**
 * @brief Tasks that have not ended. Never yields.
 * @param p a DAG pool.
 * @return 0 or more; 0, with green_last_error(), for NULL and in another OS thread.
 * @since 0.1 (DAG-19)
 */
GREEN_API size_t green_dagpool_running(const green_dagpool *p);

/**
 * @brief Keys of tasks that have not ended, in the order of their spawns. Never yields.
 * @param      p        a DAG pool.
 * @param[out] ret_keys see green_dagpool_keys().
 * @param      room     see there.
 * @return see there.
 * @since 0.1 (DAG-19)
 */
GREEN_API ssize_t green_dagpool_running_keys(green_dagpool *p, struct green_key *ret_keys, size_t room);

/**
 * @brief Tasks that lack at least one value. Never yields.
 * @param p a DAG pool.
 * @return 0 or more; 0, with green_last_error(), for NULL and in another OS thread.
 * @since 0.1 (DAG-19)
 */
GREEN_API size_t green_dagpool_waiting(const green_dagpool *p);

/**
 * @brief Keys that a task needs and that have no value yet. Never yields. To learn it of all: ask for each of
 *        green_dagpool_running_keys().
 * @param      p        a DAG pool.
 * @param      key      the task's.
 * @param[out] ret_keys see green_dagpool_keys().
 * @param      room     see there.
 * @return how many, which may be more than room; 0 where the key has a value; -ENOENT where it is not known; -EINVAL or
 *         -EPERM.
 * @since 0.1 (DAG-20)
 */
GREEN_API ssize_t green_dagpool_waiting_for(green_dagpool *p, struct green_key key, struct green_key *ret_keys,
                                            size_t room);

/**
 * @brief Kill a task. May yield, as green_kill(). Nobody waits for its key in vain.
 *
 * The key of one that had started gets a failure with the cause #GREEN_EKILLED, when the task has ended; unless it has
 * a value, because the task posted it or ended well. One that had not started is forgotten at once, and its key may be
 * used again: those who need the key by then (tasks, cursors, waits) get that failure in place of its value, and those
 * who ask later wait for what comes next.
 *
 * A green_kill() of the green thread that runs a task does the same, with the code that it gives.
 *
 * @param p   a DAG pool.
 * @param key the task's.
 * @retval 0       killed.
 * @retval -ENOENT no such task, or it has ended.
 * @retval -EINVAL a NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (DAG-21 to DAG-23)
 */
GREEN_API int green_dagpool_kill(green_dagpool *p, struct green_key key);

GREEN_END_DECLS

#endif
