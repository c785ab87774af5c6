/* hub_conformance: what its tests see of POSIX. */
#ifndef GREEN_TESTS_HUB_CONFORMANCE_POSIX_H
#define GREEN_TESTS_HUB_CONFORMANCE_POSIX_H

#include <netinet/in.h>
#include <sys/socket.h>

/* How a socket that is accepted is to be. */
#define CONF_ACCEPT_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

/* Very many descriptors, and some. */
#define CONF_MANY 10000
#define CONF_SOME 300
/* Wakes that must not get lost. */
#define CONF_TURNS 20000
/* Who waits so many times for CONF_QUIET uses no more CPU than this, in seconds: a tenth or so of what spinning takes. */
#define CONF_IDLE_TURNS 5
#define CONF_IDLE_CPU CONF_QUIET

/* Rounds, of a millisecond, in which a descriptor took nothing until it is full. */
#define CONF_FILL_QUIET 1

#endif
