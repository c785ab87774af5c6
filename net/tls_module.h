/*
 * Modules of TLS back ends: what differs by system.
 */
#ifndef GREEN_TLS_MODULE_H
#define GREEN_TLS_MODULE_H

#include <stdbool.h>
#include <stddef.h>

struct green__tls_backend;

/* Where modules lie: beside the library, or where it was configured to be. */
const char *green__tls_module_folder(void);
/* The path of a module by its name; false: it is too long. */
bool green__tls_module_path(char *path, size_t len, const char *name);
bool green__tls_module_exists(const char *path);
/* Its table, unchecked; NULL and why. */
const struct green__tls_backend *green__tls_module_open(const char *path, void **ret_handle, char *why, size_t len);
void green__tls_module_close(void *handle);

/* Does the process run with more rights than its user? */
bool green__tls_is_secure(void);

#endif
