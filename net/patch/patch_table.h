/* All that is replaced, by name. In patch_table.c. */
#ifndef GREEN_PATCH_TABLE_H
#define GREEN_PATCH_TABLE_H

#include "patch_priv.h"

struct patch_slot {
        const struct patch_entry *entry;
        void (*sys)(void);   /* the system's own; NULL: it has none of that name */
        void (*bound)(void); /* what imports of it are bound to: mostly the same */
};

/* Fills it in; the first time only. Under no lock: it asks the loader. thread-safe. */
void green__patch_table_init(void);

/* NULL: nothing stands for it. After green__patch_table_init() from any OS thread. */
const struct patch_slot *green__patch_find(const char *name);

/* Does anything stand for functions of these groups on this system? */
bool green__patch_any(unsigned wanted);

#endif
