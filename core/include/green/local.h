/**
 * @file
 * @brief Values local to a green thread.
 */
#ifndef GREEN_LOCAL_H
#define GREEN_LOCAL_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** A variable with a value of its own in each green thread. Opaque; may be used by all OS threads. */
typedef struct green_local green_local;

/** What green_local_new() can be given. */
struct green_local_opts {
        size_t size;                      /**< sizeof(struct green_local_opts) */
        void *(*construct)(void *arg);    /**< makes the value on the first get in a green thread (LOCAL-02); it may yield */
        void *arg;                        /**< its argument */
        void (*destruct)(void *value);    /**< takes a value that is not NULL when its green thread ends, after the
                                               functions of green_defer(), and when those would run;
                                               shielded (LOCAL-04) */
        bool inherit;                     /**< a spawned green thread starts with its creator's value (LOCAL-07); destruct
                                               is then called for each of them */
};

/**
 * @brief Make a local. Never yields. thread-safe.
 * @param opts NULL: values begin as NULL, nothing is done at the end.
 * @return the handle, for green_local_free(); NULL with `errno` ENOMEM, or EINVAL for an unknown size or an argument
 *         without a constructor (LOCAL-03).
 * @since 0.1 (LOCAL-01)
 */
GREEN_API green_local *green_local_new(const struct green_local_opts *opts);

/**
 * @brief The value in the running green thread. Never yields, unless its constructor does.
 * @param local a local.
 * @return the value; NULL if none was set or made. In a hub callback: the OS thread's own value.
 * @since 0.1 (LOCAL-01, LOCAL-05)
 */
GREEN_API void *green_local_get(green_local *local);

/**
 * @brief Set the value in the running green thread. Never yields. The old value is not destroyed: that is the caller's.
 * @param local a local.
 * @param value anything.
 * @retval 0       set.
 * @retval -ENOMEM memory ran out.
 * @retval -EINVAL local is NULL.
 * @since 0.1 (LOCAL-01)
 */
GREEN_API int green_local_set(green_local *local, void *value);

/**
 * @brief Free a local. Never yields. thread-safe. Values left are forgotten and not destroyed, as with pthread keys.
 * @param local a local or NULL.
 * @since 0.1
 */
GREEN_API void green_local_free(green_local *local);

/**
 * @brief Number of the running green thread. Never yields.
 * @return never used again in this process; 0 in a hub callback.
 * @since 0.1 (LOCAL-06)
 */
GREEN_API uint64_t green_get_ident(void);

GREEN_END_DECLS

#endif
