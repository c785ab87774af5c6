/**
 * @file
 * @brief Reading an options struct that may come from a program built with an older or a newer header.
 */
#ifndef GREEN_OPTS_H
#define GREEN_OPTS_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/**
 * @brief Take over a `struct green_x_opts`, whose first member is its size. Never yields. thread-safe.
 *
 * For libraries on top of green-net that keep its rule: a program built before members were added gets defaults (zero)
 * for these.
 *
 * @param[out] opts  filled, always: with zeros where it fails or given is NULL.
 * @param      own   its bytes.
 * @param      given the caller's, or NULL for defaults.
 * @retval 0       taken.
 * @retval -EINVAL the size was not set, or the program was built with a newer header than this library.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_opts_take(void *opts, size_t own, const void *given);

GREEN_END_DECLS

#endif
