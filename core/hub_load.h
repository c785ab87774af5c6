/*
 * Finding a hub by name: linked in, in a module of the package, or in a module given by its path.
 */
#ifndef GREEN_HUB_LOAD_H
#define GREEN_HUB_LOAD_H

#include <green/hub.h>

enum {
        GREEN__HUB_NAME_MAX = 32, /* bytes of a hub's name, without its end */
};

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
const struct green_hub_ops *green__hub_first(const struct green_hub_ops *const *linked, const char *const *modules);

/** Write the names of the hubs that there are, as snprintf() does. thread-safe; never yields. */
size_t green__hub_list(char *text, size_t len);

/**
 * Is this table one that core can call? name is what to call it in the message.
 *
 * @return true, or false with the reason in why.
 */
bool green__hub_check(const struct green_hub_ops *ops, char *why, size_t len);

/** May a hub have this name? 1 to #GREEN__HUB_NAME_MAX lower-case letters, digits and underscores. */
bool green__hub_name_ok(const char *name, size_t len);

/* hub_module.c: what differs between systems. */

/**
 * Load a module and look up its table.
 *
 * @return the table, not checked, and a handle for green__hub_module_close(); NULL with the reason in why.
 */
const void *green__hub_module_open(const char *path, void **ret_handle, char *why, size_t len);

/** Unload a module whose table was refused. */
void green__hub_module_close(void *handle);

/** The package's folder of modules: beside the library if it is there, else where configure put it. */
const char *green__hub_module_folder(void);

/** Call fn for the name of each module in the package's folder, in no order. */
void green__hub_module_each(void (*fn)(void *arg, const char *name, size_t len), void *arg);

/** The file of a module of the package, as snprintf() writes. */
int green__hub_module_path(char *path, size_t len, const char *name);

/** Is there such a file? */
bool green__hub_module_exists(const char *path);

/** Does this program run with rights that its caller does not have? */
bool green__process_is_secure(void);

#endif
