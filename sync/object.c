/*
 * The making of objects that belong to a hub.
 */
#include <errno.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>

#include "object.h"

void *
green__object_new(size_t len, uint64_t *ret_hub)
{
        uint64_t hub = green_hub_ident();
        void *object;

        if (hub == 0)
                return NULL;
        object = green_calloc(1, len);
        if (object == NULL)
                green_set_error(-ENOMEM, NULL);
        *ret_hub = hub;
        return object;
}
