#include_next <sys/stat.h>

#ifndef GREEN_TESTS_WIN32_STAT_H
#define GREEN_TESTS_WIN32_STAT_H

#include <stdint.h>

/*
 * Of a socket: st_dev is another number for each, though its descriptor comes again. Of another handle -1 with ENOTSUP. In
 * epoll.c.
 */
int win32_fstat(uintptr_t fd, struct stat *ret_stat);

#define fstat(fd, st) win32_fstat(fd, st)

#endif
