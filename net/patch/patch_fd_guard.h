/*
 * accept() of a listener that others may accept from as well.
 */
#ifndef GREEN_PATCH_FD_GUARD_H
#define GREEN_PATCH_FD_GUARD_H

#include <sys/socket.h>

/* As accept4(), after poll() has said that somebody is there. EAGAIN: that one is gone again. */
int green__patch_guarded_accept(int fd, struct sockaddr *addr, socklen_t *size, int flags);

/* Know of forks from now on. Called when a socket is made that belongs to this process alone. */
void green__patch_guard_begin(void);

#endif
