/**
 * @file
 * @brief Channels between OS threads: bounded queues that green threads and plain threads use on both sides.
 *
 * Everything here is thread-safe. A green thread that has to wait lets others of its OS thread run; an OS thread that
 * has no hub waits as a whole. Items are pointers, not owned; NULL is an item like any other. Each side is served in
 * the order it came.
 */
#ifndef GREEN_CHAN_H
#define GREEN_CHAN_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A channel. Opaque, reference-counted. */
typedef struct green_chan green_chan;

/**
 * @brief Make a channel. Never yields. Needs no hub.
 * @param capacity items it holds at most, at least 1.
 * @return the handle, for green_chan_unref(); NULL with `errno` EINVAL or ENOMEM.
 * @since 0.1
 */
GREEN_API green_chan *green_chan_new(size_t capacity);

/**
 * @brief Take one more reference: each OS thread that uses a channel should have one. Never yields. thread-safe.
 * @param c a channel or NULL.
 * @return @p c.
 * @since 0.1
 */
GREEN_API green_chan *green_chan_ref(green_chan *c);

/**
 * @brief Give a reference back. Never yields. thread-safe. With the last one the channel goes; items that are left are
 * not touched: empty it before.
 * @param c a channel or NULL. Whoever waits in it must have a reference of its own.
 * @since 0.1
 */
GREEN_API void green_chan_unref(green_chan *c);

/**
 * @brief Put an item in. thread-safe. In a green thread: may yield; does not where there is room. In an OS thread
 * without a hub: blocks it.
 * @param c       a channel.
 * @param item    the getter's from now on; still the caller's on failure.
 * @param timeout seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @retval 0              put.
 * @retval GREEN_EFULL    no room in time.
 * @retval GREEN_ECLOSED  the channel is closed, before or meanwhile.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes). Green threads only.
 * @retval -EINVAL        c is NULL, or the time is negative or NaN.
 * @retval -EDEADLK       it would have to wait in a hub callback.
 * @retval -ENOMEM        memory ran out.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_chan_put(green_chan *c, void *item, double timeout);

/**
 * @brief Take an item out. thread-safe. In a green thread: may yield; does not where there is one. In an OS thread
 * without a hub: blocks it.
 * @param      c        a channel.
 * @param[out] ret_item the item, the caller's from now on; set on 0 only.
 * @param      timeout  seconds; #GREEN_FOREVER waits for good, 0 tries.
 * @retval 0              taken.
 * @retval GREEN_EEMPTY   no item in time.
 * @retval GREEN_ECLOSED  the channel is closed, before or meanwhile, and is empty.
 * @return otherwise as green_chan_put().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_chan_get(green_chan *c, void **ret_item, double timeout);

/**
 * @brief Close: puts fail from now on, gets take what is left and fail then, and all who wait are woken. Never yields.
 * thread-safe. Idempotent.
 * @param c a channel.
 * @retval 0       closed.
 * @retval -EINVAL c is NULL.
 * @since 0.1
 */
GREEN_API int green_chan_close(green_chan *c);

/**
 * @brief Items in it. Never yields. thread-safe; it may have changed when one looks.
 * @param c a channel.
 * @return 0 or more; 0, with green_last_error(), for NULL.
 * @since 0.1
 */
GREEN_API size_t green_chan_len(green_chan *c);

GREEN_END_DECLS

#endif
