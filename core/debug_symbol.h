/*
 * What the system's loader knows of an address.
 */
#ifndef GREEN_DEBUG_SYMBOL_H
#define GREEN_DEBUG_SYMBOL_H

struct green__symbol {
        const char *object; /* the file it is in, its parts apart by '/'; NULL: that is not known */
        const char *base;   /* where that begins */
        const char *name;   /* the exported function it is in, or NULL */
        const char *start;  /* where that begins */
        char room[280];     /* for them, where the system has none that stays */
};

/* debug_symbol_dladdr.c, debug_symbol_win32.c */
void green__symbol_find(const void *address, struct green__symbol *ret);

#endif
