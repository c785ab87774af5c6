/*
 * The making of objects that belong to a hub.
 */
#ifndef GREEN_SYNC_OBJECT_H
#define GREEN_SYNC_OBJECT_H

#include <green/base.h>

/* Zeroed memory for an object, and the number of the hub it belongs to; NULL with the last error set. */
void *green__object_new(size_t len, uint64_t *ret_hub);

#endif
