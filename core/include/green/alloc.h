/**
 * @file
 * @brief The one place where green-net gets memory from.
 */
#ifndef GREEN_ALLOC_H
#define GREEN_ALLOC_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** Functions that replace malloc and free for all of green-net. Stacks are mapped, not allocated. */
struct green_allocator {
        size_t size;                                        /**< sizeof(struct green_allocator) */
        void *arg;                                          /**< first argument of the others */
        void *(*realloc)(void *arg, void *old, size_t len); /**< as realloc(); old may be NULL; len is never 0 */
        void (*free)(void *arg, void *old);                 /**< as free(); old is never NULL */
};

/**
 * @brief Replace the allocator of the whole process. Never yields. Call it before anything else of green-net.
 *
 * @param allocator copied; NULL goes back to the C library's.
 * @retval 0       done.
 * @retval -EINVAL a function is missing or the size is none this version knows.
 * @retval -EBUSY  memory of the old allocator is in use.
 * @since 0.1
 */
GREEN_API int green_set_allocator(const struct green_allocator *allocator);

/**
 * @brief Allocate through the hook. Never yields. thread-safe if the hook is.
 * @param len bytes, more than 0.
 * @return memory for green_free(), or NULL with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API void *green_malloc(size_t len);

/**
 * @brief Allocate zeroed memory through the hook. Never yields. thread-safe if the hook is.
 * @param n   elements.
 * @param len bytes each.
 * @return memory for green_free(), or NULL with `errno` ENOMEM, also where n * len overflows.
 * @since 0.1
 */
GREEN_API void *green_calloc(size_t n, size_t len);

/**
 * @brief Change the size of a block. Never yields. thread-safe if the hook is.
 * @param old a block or NULL; stays valid where the call fails.
 * @param len bytes, more than 0.
 * @return the block, or NULL with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API void *green_realloc(void *old, size_t len);

/**
 * @brief Give a block back. Never yields; keeps `errno`. thread-safe if the hook is.
 * @param old a block or NULL.
 * @since 0.1
 */
GREEN_API void green_free(void *old);

GREEN_END_DECLS

#endif
