/**
 * @file
 * @brief The one hook through which green-net reports. It prints nowhere else.
 */
#ifndef GREEN_LOG_H
#define GREEN_LOG_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** How much a report matters. */
enum green_log_level {
        GREEN_LOG_ERROR,   /**< something was lost or went wrong */
        GREEN_LOG_WARNING, /**< it works, but somebody should look */
        GREEN_LOG_INFO,    /**< good to know */
        GREEN_LOG_DEBUG    /**< for those who look for a fault */
};

/** Takes one report: a line without its newline. It must not call anything that may yield. */
typedef void (*green_log_fn)(void *arg, enum green_log_level level, const char *message);

/**
 * @brief Replace the log hook. Never yields. thread-safe.
 *
 * The default writes warnings and errors to stderr, each in one write().
 *
 * @param fn  the new hook; NULL goes back to the default. Threads may call it at the same time.
 * @param arg its first argument.
 * @since 0.1
 */
GREEN_API void green_set_log(green_log_fn fn, void *arg);

/**
 * @brief Put a name before each report of this process, for a log that several write to: "NAME: ...". Never yields.
 *        thread-safe.
 *
 * Workers of green_workers_run() are "worker 0 (process 4711)", and so on, until they call this themselves.
 *
 * @param name copied, and cut at 60 bytes; NULL or "": none, as at first.
 * @since 0.1
 */
GREEN_API void green_set_log_name(const char *name);

/**
 * @brief Report through the hook. Never yields; keeps `errno`. thread-safe. Cut at 1,000 bytes, in which the name of
 *        green_set_log_name() does not count.
 *
 * @param level  how much it matters.
 * @param format printf format, without a newline.
 * @since 0.1
 */
GREEN_API void green_log(enum green_log_level level, const char *format, ...) GREEN_PRINTF(2, 3);

/**
 * @brief Would a report of that level be seen? For those who would have to do much for one. Never yields. thread-safe.
 * @param level how much it matters.
 * @return true with a hook of one's own, and for warnings and errors.
 * @since 0.1
 */
GREEN_API bool green_log_enabled(enum green_log_level level);

GREEN_END_DECLS

#endif
