/*
 * Listening sockets that the program was started with.
 */
#ifndef GREEN_NET_INHERIT_H
#define GREEN_NET_INHERIT_H

#include <green/addr.h>
#include <green/hub.h>

/*
 * Take the first that listens at an address, or has a name, or (both NULL) any: the caller's now. -1: there is none.
 * Port 0 is any port of that host.
 */
green_fd green__inherit_take(const struct green_addr *addr, const char *name);

#endif
