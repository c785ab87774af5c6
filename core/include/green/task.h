/**
 * @file
 * @brief Green threads whose maker is told of their end. For those who build pools.
 *
 * A struct green_task is part of the record that a pool keeps of each green thread it has started. Unlike a link it
 * needs no memory, and it leads from a green thread to what its maker knows of it.
 */
#ifndef GREEN_TASK_H
#define GREEN_TASK_H

#include <green/base.h>
#include <green/error.h>
#include <green/thread.h>

GREEN_BEGIN_DECLS

/** What the maker of a green thread keeps of it. It must stay until @ref end is called, and not change. */
struct green_task {
        /**
         * Called once, when the green thread has ended: after those who wait for it were made ready and before its
         * links; of one killed before it started in the killer; of one that is forgotten (fork, the end of its hub)
         * without a green thread. It must not yield, nor end its caller. The task is not touched any more.
         * @param task   this one.
         * @param code   how it ended: 0, or its error. #GREEN_EKILLED for one that is forgotten.
         * @param result what its function returned, also where a kill makes that void; NULL where it failed, or never
         *               ran.
         * @return true where that is all who want to know how it ended: an error is not logged.
         */
        bool (*end)(struct green_task *task, int code, void *result);
        green_thread *thread; /**< whose; set by green_spawn_task(); NULL for one of green_run_task() */
};

/**
 * @brief Start a green thread whose end is told to a task. Never yields: @p fn runs when the caller yields next.
 *
 * @param      task   its end is set, its maker's.
 * @param      fn     what it runs.
 * @param      arg    passed to fn, not owned.
 * @param      where  "file:line", constant.
 * @param[out] ret_gt a handle, the caller's, set on 0 only; NULL if not wanted: it is then as of green_spawn_n().
 * @retval 0       it will run.
 * @retval -ENOMEM memory ran out: the task is not used.
 * @retval -EINVAL no task, no end, or no function.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_spawn_task(struct green_task *task, green_thread_fn fn, void *arg, const char *where,
                                              green_thread **ret_gt);

/**
 * @brief Run a function here and now, as green_spawn_task() would in a green thread of its own. Yields if the function
 *        does.
 *
 * The handle is that of a green thread which has ended, with what the function returned or failed with. While it runs,
 * green_getcurrent() and all that belongs to a green thread (kills, locals, clean-up) are the caller's. Where the
 * caller ends inside, by green_exit(), the task has been killed.
 *
 * @param      task   see green_spawn_task(); NULL: nobody is told.
 * @param      fn     what is run.
 * @param      arg    passed to fn, not owned.
 * @param      where  "file:line", constant.
 * @param[out] ret_gt a handle, the caller's, set on 0 only; NULL if not wanted: an error is then logged.
 * @retval 0       it has run.
 * @retval -ENOMEM memory ran out: it has not.
 * @retval -EINVAL no function, or a task without an end.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_run_task(struct green_task *task, green_thread_fn fn, void *arg, const char *where,
                                            green_thread **ret_gt);

/**
 * @brief The task that a green thread was started with. Never yields.
 * @param gt a handle.
 * @return borrowed; NULL if there is none, or it has been told of the end.
 * @since 0.1
 */
GREEN_API struct green_task *green_thread_task(const green_thread *gt);

GREEN_END_DECLS

#endif
