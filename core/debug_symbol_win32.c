/*
 * What Windows knows of an address: the module. Names of functions are in files of their own, which nobody reads here.
 */
#include <config.h>

#include "debug_symbol.h"

#include <stddef.h>

#include <windows.h>

__attribute__((no_instrument_function)) void
green__symbol_find(const void *address, struct green__symbol *ret)
{
        const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
        HMODULE module = NULL;
        DWORD len = 0;

        ret->object = ret->base = ret->name = ret->start = NULL;
        if (GetModuleHandleExA(flags, address, &module))
                len = GetModuleFileNameA(module, ret->room, sizeof ret->room);
        if (len == 0 || len == sizeof ret->room)
                return;
        for (char *c = ret->room; *c != '\0'; c++)
                if (*c == '\\')
                        *c = '/';
        ret->object = ret->room;
        ret->base = (const char *)module;
}
