/*
 * What dladdr() knows of an address. See debug_symbol.h.
 */
#include <config.h>

#include "debug_symbol.h"

#include <dlfcn.h>
#include <stddef.h>

__attribute__((no_instrument_function)) void
green__symbol_find(const void *address, struct green__symbol *ret)
{
        Dl_info info = {NULL, NULL, NULL, NULL};

        (void)dladdr(address, &info);
        ret->object = info.dli_fname;
        ret->base = info.dli_fbase;
        ret->name = info.dli_sname;
        ret->start = info.dli_saddr;
}
