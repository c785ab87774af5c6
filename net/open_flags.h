/*
 * Flags of open() that not every system has: without one there is nothing to do.
 */
#ifndef GREEN_OPEN_FLAGS_H
#define GREEN_OPEN_FLAGS_H

#include <fcntl.h>

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif
#ifndef O_NONBLOCK
#define O_NONBLOCK 0
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif

#endif
