/*
 * What the tests of files do by the system's calls, in place of those of the C library: see net_file.h, which includes it.
 */
#ifndef GREEN_TESTS_NET_FILE_POSIX_H
#define GREEN_TESTS_NET_FILE_POSIX_H

#include <dlfcn.h>

#define TMP_NAME "TMPDIR" /* the variable that says where temporary files are */
#define TMP_DEFAULT "/tmp/"
#define MODE(mode) (mode)     /* what stat() tells of one that was made with this */
#define FILES_HAVE_OPERATIONS true
#define TEMPORARY_NAMES 0     /* of a temporary file that is open */
#define SYNCS_OF_WRITE_ALL 2  /* the file, and the folder that has its name */

/* Where off_t would have 32 bits and was made wider, the C library has them by other names. */
static void *
the_real(const char *name, const char *wide)
{
        void *found = sizeof(off_t) > sizeof(long) ? dlsym(RTLD_NEXT, wide) : NULL;

        return found != NULL ? found : dlsym(RTLD_NEXT, name);
}

#define SLOW(type, name, params, args)                                                                                 \
        type name params;                                                                                              \
        type name params                                                                                               \
        {                                                                                                              \
                static type(*real) params;                                                                             \
                                                                                                                       \
                if (real == NULL)                                                                                      \
                        *(void **)&real = the_real(#name, #name "64");                                                 \
                take_time();                                                                                           \
                return real args;                                                                                      \
        }
#undef pread
#undef pwrite
SLOW(ssize_t, pread, (int fd, void *buf, size_t len, off_t at), (fd, buf, len, at))
SLOW(ssize_t, pwrite, (int fd, const void *buf, size_t len, off_t at), (fd, buf, len, at))
SLOW(int, fsync, (int fd), (fd + 0 * atomic_fetch_add(&syncs, 1)))
SLOW(int, ftruncate, (int fd, off_t len), (fd, len))
SLOW(int, fstat, (int fd, struct stat *st), (fd, st))
SLOW(DIR *, fdopendir, (int fd), (fd))

int
open(const char *path, int flags, ...)
{
        static int (*real)(const char *, int, ...);
        va_list args;
        unsigned mode;

        va_start(args, flags);
        mode = va_arg(args, unsigned);
        va_end(args);
        if (real == NULL)
                *(void **)&real = the_real("open", "open64");
        take_time();
        return real(path, flags, mode);
}

/* The definitions above are enough. */
static void
watch_calls(void)
{
}

static void
remove_folder(void)
{
        char command[128];

        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        CHECK_INT(system(command), 0);
}

#endif
