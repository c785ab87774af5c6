/*
 * Finding a hub by name: linked in, in a module of the package, or in a module given by its path.
 */
#ifndef GREEN_HUB_LOAD_H
#define GREEN_HUB_LOAD_H

#include <green/hub.h>

#include "module_priv.h"

/** Hubs as modules. */
extern const struct green_module_kind green__hub_kind;

/**
 * Find a hub that works here. thread-safe; never yields.
 *
 * @param spec NULL or "": the first hub linked in that works. Else a name, a path (with a slash), or a list of them
 *             with commas, of which the first that works is taken.
 * @return a constant for the life of the process, or NULL with green_last_error() GREEN_EHUB: what failed, why, and
 *         what there is.
 */
const struct green_hub_ops *green__hub_find(const char *spec);

/** The same for a given answer to "is this program set-id?", where modules are not taken from paths. */
const struct green_hub_ops *green__hub_find_secure(const char *spec, bool secure);

/**
 * The default among hubs that are linked in and names of modules, both ended by NULL: the first that works. NULL with
 * green_last_error() where none does, or one has run into a lack of descriptors or memory, which may pass.
 */
const struct green_hub_ops *green__hub_first(const struct green_module_builtin *linked, const char *const *modules);

/** What green__hub_find(NULL) finds, without an error where it finds none. */
const struct green_hub_ops *green__hub_default(void);

/** Those linked in, in the order in which the default is looked for. */
extern const struct green_module_builtin green__hub_builtins[];

/** One by its name or path, not probed. NULL with the reason in why. It stays loaded. thread-safe. */
const struct green_hub_ops *green__hub_open(const char *spec, char *why, size_t len);

/** Does it work here? 0, or its code with the reason in why. */
int green__hub_probe(const struct green_hub_ops *ops, char *why, size_t len);

#endif
