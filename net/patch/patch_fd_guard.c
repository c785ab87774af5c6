/*
 * accept() of a listener that others may accept from as well.
 */
#include "patch_fd_priv.h"

#include "patch_fd_guard.h"

int
green__patch_guarded_accept(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
        return accept4(fd, addr, size, flags);
}
