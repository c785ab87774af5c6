/*
 * No back end is linked in: a module may be there.
 */
#include <config.h>

#include "tls_backend.h"

const struct green__tls_backend *const green__tls_builtin = NULL;
