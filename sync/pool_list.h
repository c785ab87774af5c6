/*
 * The pools that there are, for those who look at the process: see green_debug_format_pools().
 */
#ifndef GREEN_SYNC_POOL_LIST_H
#define GREEN_SYNC_POOL_LIST_H

#include <green/base.h>

/* Part of a pool. */
struct green__listed {
        struct green__listed *next, **at;
        uint64_t hub; /* whose it is: only that OS thread looks at it */
        void (*describe)(const struct green__listed *l, char *line, size_t len);
};

void green__pool_list_add(struct green__listed *l, uint64_t hub,
                          void (*describe)(const struct green__listed *l, char *line, size_t len));
void green__pool_list_remove(struct green__listed *l);

#endif
