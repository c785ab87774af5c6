/*
 * Putting replacements in place, and what is remembered of it. In patch_pass.c.
 *
 * There is one lock. Under it the loader is asked for its list of objects, by green__patch_visit(), and for nothing else:
 * whoever loads an object holds a lock of the loader while its constructors run, and those may come here.
 */
#ifndef GREEN_PATCH_PASS_H
#define GREEN_PATCH_PASS_H

#include "patch_object.h"
#include "patch_table.h"

void green__patch_enter(void);
void green__patch_leave(void);

/* ---- without the lock */

/* Groups that are put in place in all objects. */
unsigned green__patch_process_groups(void);

/* Adds groups for all objects that are loaded and will be. */
void green__patch_add_groups(unsigned groups);

/* Adds groups for one object. Returns 0 or -ENOMEM. */
int green__patch_add_object(const void *id, unsigned groups);

/* What is put in place in this one: by green__patch_add_groups() and green__patch_add_object(). */
unsigned green__patch_object_groups(const void *id);

/* Looks at all objects, unless nothing has changed. Returns 0 or a code, and the name of the object where there is one. */
int green__patch_run(char failed[PATCH_NAME_MAX]);

/* Forgets what it knows of objects that are no longer loaded. */
void green__patch_forget(void);

/* ---- under the lock */

/* Remembers a function that green_inject() puts into an object, and asks for one. Returns 0 or -ENOMEM. */
int green__patch_add_injected(const void *id, void (*fn)(void));
bool green__patch_is_injected(const void *id, void (*fn)(void));

/* ---- either way */

/* All objects that are loaded now, for a comparison; green_free(). NULL: memory ran out. */
struct patch_ids {
        size_t n, room;
        const void *at[];
};
struct patch_ids *green__patch_ids(void);
bool green__patch_ids_have(const struct patch_ids *ids, const void *id);


#endif
