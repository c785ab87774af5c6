/* hub_conformance: what its tests see of Windows. */
#ifndef GREEN_TESTS_HUB_CONFORMANCE_WIN32_H
#define GREEN_TESTS_HUB_CONFORMANCE_WIN32_H

/* First: that of tests/win32 brings the sockets, which must not begin in the midst of <winsock2.h>. */
#include <stdlib.h>

#include <winsock2.h>
#include <ws2tcpip.h>

#define CONF_ACCEPT_FLAGS 0 /* there are none: it does not block, as sockets of net/ */

/* Very many descriptors, and some: under wine each call for one takes a millisecond. */
#define CONF_MANY 1000
#define CONF_SOME 100
/* Wakes that must not get lost. */
#define CONF_TURNS 2000
/* As for POSIX; but CPU is counted in ticks of ten milliseconds or more, so it takes longer to tell. */
#define CONF_IDLE_TURNS 25
#define CONF_IDLE_CPU (5 * CONF_QUIET)
/* As for POSIX; but a pair is of TCP, which tells the writer of room that its peer's system has made, also 200 ms later. */
#define CONF_FILL_QUIET 300

#endif
