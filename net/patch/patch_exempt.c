/*
 * Who is left alone, and why.
 *
 * green-net and its modules call the system, or there would be no end to it. The system's library and loader are where
 * replacements stand for; what they load for themselves (name services) keeps real locks. The runtime of the compiler
 * unwinds and counts on locks that never switch, that of a sanitizer or of Valgrind sees every call anyway.
 */
#include <config.h>

#include <string.h>

#include "patch_object.h"

/* Beginnings of names of files; one that ends in a dot or a dash is no accident. */
static const char *const files[] = {
        "ld-linux",   "ld-musl-",     "ld.so",           "ld64.so",    "libc.so",   "libc.musl-",       "libc-2.",
        "libpthread", "libdl.so",     "libdl-2.",        "librt.so",   "librt-2",   "libm.so",          "libm-2.",
        "libmvec.so", "libresolv",    "libanl.so",       "libnsl",     "libnss_",   "libutil",          "libthread_db",
        "libgcc_s",   "libunwind",    "libBrokenLocale", "libasan",    "liblsan",   "libtsan",          "libubsan",
        "libhwasan",  "libclang_rt.", "vgpreload_",      "linux-vdso", "libgreen-", "patch_preload.so", NULL,
};

/* green-net and whoever brought it along; modules for it; runtimes that are linked into the program. */
const char *const green__patch_exempt_symbols[] = {
        "green_spawn_at",
        "green_hub_module",
        "green_tls_module",
        "green_db_module",
        "green_event_new",
        "green_wsgi_server",
        NULL,
};

bool
green__patch_exempt_name(const char *file)
{
        const char *slash = strrchr(file, '/');
        const char *name = slash == NULL ? file : slash + 1;

        for (size_t i = 0; files[i] != NULL; i++) {
                if (strncmp(name, files[i], strlen(files[i])) == 0)
                        return true;
        }
        return false;
}
