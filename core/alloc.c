/*
 * The allocator hook. Blocks in use are counted, so that it cannot be changed under them.
 */
#include <errno.h>
#include <green/alloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void *
libc_realloc(void *arg, void *old, size_t len)
{
        (void)arg;
        return realloc(old, len);
}

static void
libc_free(void *arg, void *old)
{
        (void)arg;
        free(old);
}

static const struct green_allocator libc = {sizeof(libc), NULL, libc_realloc, libc_free};
static struct green_allocator current = {sizeof(libc), NULL, libc_realloc, libc_free};
static atomic_size_t in_use;

int
green_set_allocator(const struct green_allocator *allocator)
{
        if (allocator == NULL)
                allocator = &libc;
        if (allocator->size != sizeof(*allocator) || allocator->realloc == NULL || allocator->free == NULL)
                return -EINVAL;
        if (atomic_load(&in_use) != 0)
                return -EBUSY;
        current = *allocator;
        return 0;
}

void *
green_realloc(void *old, size_t len)
{
        void *block = current.realloc(current.arg, old, len);

        if (block == NULL)
                errno = ENOMEM;
        else if (old == NULL)
                atomic_fetch_add_explicit(&in_use, 1, memory_order_relaxed);
        return block;
}

void *
green_malloc(size_t len)
{
        return green_realloc(NULL, len);
}

void *
green_calloc(size_t n, size_t len)
{
        void *block;

        if (len != 0 && n > SIZE_MAX / len) {
                errno = ENOMEM;
                return NULL;
        }
        block = green_malloc(n * len);
        if (block != NULL)
                memset(block, 0, n * len);
        return block;
}

void
green_free(void *old)
{
        int saved = errno;

        if (old == NULL)
                return;
        atomic_fetch_sub_explicit(&in_use, 1, memory_order_relaxed);
        current.free(current.arg, old);
        errno = saved;
}
