/*
 * fstat() of handles, for those who have no sockets: epoll.c has another one.
 */
#include <errno.h>
#include <string.h>

#include "win32.h"

/* Whether there is one, only. */
int
win32_fstat(uintptr_t fd, struct stat *ret_stat)
{
        memset(ret_stat, 0, sizeof *ret_stat);
        return win32_is_handle((int)fd) ? 0 : (errno = EBADF, -1);
}
