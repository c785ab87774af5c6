/**
 * @file
 * @brief Events: one value or error for any number of green threads that wait for it.
 */
#ifndef GREEN_EVENT_H
#define GREEN_EVENT_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** An event. Opaque; it belongs to the OS thread that made it. */
typedef struct green_event green_event;

/**
 * @brief Make an event that has not been sent. Never yields.
 * @return the handle, for green_event_free(); NULL with `errno` ENOMEM.
 * @since 0.1 (EVENT-01)
 */
GREEN_API green_event *green_event_new(void);

/**
 * @brief Free an event. Never yields.
 * @param e an event or NULL.
 * @retval 0      freed.
 * @retval -EBUSY somebody waits: nothing was done.
 * @since 0.1
 */
GREEN_API int green_event_free(green_event *e);

/**
 * @brief Send a value: all who wait get it, first come, first served, and all who come later. Never yields.
 * @param e     an event.
 * @param value anything, not owned.
 * @retval 0         sent.
 * @retval -EALREADY it has been sent: the first value stays.
 * @retval -EINVAL   e is NULL.
 * @retval -EPERM    it belongs to another OS thread.
 * @since 0.1 (EVENT-02, EVENT-03)
 */
GREEN_API int green_event_send(green_event *e, void *value);

/**
 * @brief Send an error: waiting for the event fails with it. Never yields.
 * @param e    an event.
 * @param code negative.
 * @return as green_event_send(); -EINVAL also where the code is not negative.
 * @since 0.1 (EVENT-04)
 */
GREEN_API int green_event_send_exception(green_event *e, int code);

/**
 * @brief Wait until the event is sent. May yield; does not once it has been.
 *
 * @param      e         an event.
 * @param[out] ret_value the value as it was sent, even if the event was reset and sent anew since; set on 0 only. NULL
 *                       if not wanted.
 * @param      timeout   seconds; #GREEN_FOREVER waits for good, 0 polls.
 * @retval 0              sent.
 * @retval -ETIMEDOUT     not in time.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL        e is NULL, or the time is negative or NaN.
 * @retval -EPERM         it belongs to another OS thread.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @return otherwise the code of green_event_send_exception().
 * @since 0.1 (EVENT-05, EVENT-06, EVENT-09, EVENT-12)
 */
GREEN_API GREEN_MUST_USE int green_event_wait(green_event *e, void **ret_value, double timeout);

/**
 * @brief Forget what was sent, so that it can be sent again. Never yields.
 * @param e an event.
 * @retval 0       reset.
 * @retval -EINVAL it has not been sent, or e is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (EVENT-13)
 */
GREEN_API int green_event_reset(green_event *e);

/**
 * @brief Has it been sent? Never yields.
 * @param e an event.
 * @return true for a value or an error.
 * @since 0.1 (EVENT-14)
 */
GREEN_API bool green_event_ready(const green_event *e);

/**
 * @brief Has a value been sent? Never yields.
 * @param e an event.
 * @return false for an error.
 * @since 0.1 (EVENT-14)
 */
GREEN_API bool green_event_has_result(const green_event *e);

/**
 * @brief Has an error been sent? Never yields.
 * @param e an event.
 * @return false for a value.
 * @since 0.1 (EVENT-14)
 */
GREEN_API bool green_event_has_exception(const green_event *e);

/**
 * @brief What was sent, if it was. Never yields, and looks at no scope.
 * @param      e         an event.
 * @param[out] ret_value the value; set on 0 only. NULL if not wanted.
 * @retval 0          a value was sent.
 * @retval -ETIMEDOUT nothing was sent.
 * @retval -EINVAL    e is NULL.
 * @return otherwise the code of green_event_send_exception().
 * @since 0.1 (EVENT-15)
 */
GREEN_API int green_event_poll(const green_event *e, void **ret_value);

/**
 * @brief The value that was sent, if one was. Never yields.
 * @param      e         an event.
 * @param[out] ret_value the value; set on 0 only. NULL if not wanted.
 * @retval 0          a value was sent.
 * @retval -ETIMEDOUT nothing was sent, or an error.
 * @retval -EINVAL    e is NULL.
 * @since 0.1 (EVENT-15)
 */
GREEN_API int green_event_poll_result(const green_event *e, void **ret_value);

/**
 * @brief The error that was sent, if one was. Never yields.
 * @param e an event.
 * @retval 0       nothing was sent, or a value.
 * @retval -EINVAL e is NULL.
 * @return otherwise the code of green_event_send_exception().
 * @since 0.1 (EVENT-15)
 */
GREEN_API int green_event_poll_exception(const green_event *e);

/**
 * @brief Send a value from any OS thread. thread-safe. Never yields.
 *
 * Those who wait get it when the event's own OS thread looks for posts next; green_event_ready() is false until then.
 * Whoever has waited for it may free it at once, also while this has not returned yet. Who has not must not free it before.
 *
 * @param e     an event.
 * @param value anything, not owned.
 * @retval 0             it is on its way: nothing else can be sent any more.
 * @retval -EALREADY     it has been sent, or something is on its way.
 * @retval GREEN_ECLOSED the hub that the event belongs to has ended.
 * @retval -EINVAL       e is NULL.
 * @retval -ENOMEM       memory ran out.
 * @since 0.1 (EVENT-16, HUB-13)
 */
GREEN_API int green_event_send_mt(green_event *e, void *value);

/**
 * @brief Send an error from any OS thread. thread-safe. Never yields.
 * @param e    an event.
 * @param code negative.
 * @return as green_event_send_mt(); -EINVAL also where the code is not negative.
 * @since 0.1 (EVENT-16, HUB-13)
 */
GREEN_API int green_event_send_exception_mt(green_event *e, int code);

GREEN_END_DECLS

#endif
