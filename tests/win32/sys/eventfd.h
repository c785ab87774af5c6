#ifndef GREEN_TESTS_WIN32_EVENTFD_H
#define GREEN_TESTS_WIN32_EVENTFD_H

#include "../win32.h"

enum { EFD_CLOEXEC = O_CLOEXEC, EFD_NONBLOCK = O_NONBLOCK };

/* A socket that is connected to itself: each write() is read once. */
int eventfd(unsigned value, int flags);

#endif
