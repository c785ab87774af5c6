/*
 * The inside of <green/module.h>: finding one without an error of its own, for those who try several; and what differs
 * between systems.
 */
#ifndef GREEN_MODULE_PRIV_H
#define GREEN_MODULE_PRIV_H

#include <green/module.h>

#include <limits.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* ---- module.c */

/* As green_module_open(): false with the reason alone in why. The kind is whole. */
bool green__module_find(const struct green_module_kind *kind, const char *spec, struct green_module *ret, char *why,
                        size_t len);

/* The table of one that is linked in, unchecked; NULL: there is none of that name. */
const void *green__module_builtin(const struct green_module_kind *kind, const char *name);

/* May this table be used? name: what was asked for; NULL: a path. False with the reason in why. */
bool green__module_check(const struct green_module_kind *kind, const void *table, const char *name, char *why,
                         size_t len);

/* Why these bytes can be neither name nor path, in a program that is set-id or not; NULL: they can. */
const char *green__module_spec_fault(const char *spec, size_t len, bool secure);

bool green__module_name_ok(const char *name, size_t len);

/* A kind that the caller gave, of any age: 0 or -EINVAL. */
int green__module_take_kind(struct green_module_kind *kind, const struct green_module_kind *given);

/* ---- module_whole.c */

/*
 * Is this file whole? To load one that is cut short, as one that was copied in half, would end the process (SIGBUS).
 * True also where that cannot be told of its kind of file; false with the reason in why.
 */
bool green__module_whole(const char *path, char *why, size_t len);

/* ---- the system's loader and folder: module_posix.c, module_win32.c */

/* All symbols are bound, and none are given to others. NULL with the reason in why. */
void *green__sys_module_load(const char *path, char *why, size_t len);
const void *green__sys_module_symbol(void *handle, const char *symbol);
void green__sys_module_unload(void *handle);

/* Is there a separator of a path in it, which no name has? */
bool green__sys_is_path(const char *spec, size_t len);

/* Is there such a file? */
bool green__sys_module_exists(const char *path);

/* Call fn for each file in the folder, in no order. */
void green__sys_module_each(void (*fn)(void *arg, const char *file), void *arg);

/* Does this program run with rights that its caller does not have? */
bool green__sys_is_secure(void);

#endif
