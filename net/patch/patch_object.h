/*
 * What is loaded, and what it imports: the small interface to the system behind net/patch/. patch_elf.c has it for
 * systems with dl_iterate_phdr(), patch_pe.c for Windows, patch_none.c says that there is nothing.
 */
#ifndef GREEN_PATCH_OBJECT_H
#define GREEN_PATCH_OBJECT_H

#include <green/base.h>

enum { PATCH_NAME_MAX = 256 };

/* The program, or a shared library. */
struct patch_object {
        const char *name; /* its file; "the program" */
        const void *id;   /* another one for each object that is loaded; the next may have it again */
        bool program;     /* not a shared library */
        bool exempt;      /* green-net itself, the system's library, its loader, ...: see green__patch_exempt() */
        bool allocates;   /* it brings malloc(), and locks for it */
};

/* A function that an object calls in another. */
struct patch_import {
        const char *name;
        const char *version; /* of the symbol, "GLIBC_2.34"; NULL: none; only where own is set */
        void (*now)(void);   /* what is called */
        bool own;            /* that is in the object itself: not looked up yet, or put there by green_inject() */
};

/* Called under the loader's lock: neither may load, look up a symbol, or call what is the application's. */
struct patch_visitor {
        /* Are this object's imports of interest? */
        bool (*object)(const struct patch_object *o, void *arg);
        /* What to put in the place of this one; NULL: it stays. */
        void (*(*import)(const struct patch_object *o, const struct patch_import *i, void *arg))(void);
        void *arg;
};

/*
 * Shows all objects that are loaded, and changes imports. Each change is a single store: other OS threads call the one or
 * the other. Returns 0; -ENOTSUP; or the system's code where memory could not be made writable: then failed names the
 * object, and the others were looked at all the same.
 */
int green__patch_visit(const struct patch_visitor *v, char failed[PATCH_NAME_MAX]);

/* Changes whenever something was loaded or unloaded. 0: not known. */
uint64_t green__patch_loads(void);

/* Loads an object, as dlopen() does. NULL: the reason is in why. */
void *green__patch_load(const char *file, char *why, size_t size);
void green__patch_unload(void *handle);

/* The object of a handle of green__patch_load(), and of an address; NULL: none. */
const void *green__patch_id_of_handle(void *handle);
const void *green__patch_id_of_address(const void *address);

/* The system's own function, whoever stands before it; NULL: none of that name. */
void (*green__patch_sys(const char *name))(void);

/* What an import of that name and version (NULL: the usual one) is bound to. NULL: none. */
void (*green__patch_bound(const char *name, const char *version))(void);

/* By its name alone: is this a file that is never changed? In patch_exempt.c. */
bool green__patch_exempt_name(const char *file);

/* Symbols whose definition makes an object exempt, ended by NULL; likewise. */
extern const char *const green__patch_exempt_symbols[];

#endif
