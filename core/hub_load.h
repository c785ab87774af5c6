/*
 * Finding a hub by name: linked in, in a module of the package, or in a module given by its path.
 */
#ifndef GREEN_HUB_LOAD_H
#define GREEN_HUB_LOAD_H

#include <green/hub.h>

#include <limits.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

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

/** What green__hub_find(NULL) finds, without an error where it finds none. */
const struct green_hub_ops *green__hub_default(void);

/** Those linked in, ended by NULL, in the order in which the default is looked for. */
extern const struct green_hub_ops *const green__hub_builtins[];

/** Load a module by its path and look at its table. NULL with the reason in why. It stays loaded. thread-safe. */
const struct green_hub_ops *green__hub_find_module(const char *path, char *why, size_t len);

/** Does it work here? 0, or its code with the reason in why. */
int green__hub_probe(const struct green_hub_ops *ops, char *why, size_t len);

/** Text that is cut, not overrun, and that knows how long it would have been. */
struct green__text {
        char *bytes;
        size_t size;
        size_t len;
};

void green__text_add(struct green__text *text, const char *format, ...) GREEN_PRINTF(2, 3);

/** Write the names of the hubs that there are, as snprintf() does. thread-safe; never yields. hub_list.c */
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

/**
 * Is this file cut short, as one that was copied in half? To load it would end the process (SIGBUS). module_whole.c
 *
 * @return true if it is whole, or not of a kind that can be told; false with the reason in why.
 */
bool green__module_whole(const char *path, char *why, size_t len);

/** Call fn for the name of each module in the package's folder, in no order. */
void green__hub_module_each(void (*fn)(void *arg, const char *name, size_t len), void *arg);

/** The file of a module of the package, as snprintf() writes. */
int green__hub_module_path(char *path, size_t len, const char *name);

/** Is there such a file? */
bool green__hub_module_exists(const char *path);

/** Does this program run with rights that its caller does not have? */
bool green__process_is_secure(void);

#endif
