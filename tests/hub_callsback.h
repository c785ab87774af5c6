/*
 * How a test talks to hub_callsback: dlsym(dlopen(path, RTLD_NOW | RTLD_NOLOAD), "green_test_callsback").
 */
#ifndef GREEN_TESTS_HUB_CALLSBACK_H
#define GREEN_TESTS_HUB_CALLSBACK_H

#include <green/base.h>

#include <stdatomic.h>

struct hub_callsback {
        void (*fn)(void *arg); /* called in each wait(), on the hub's stack */
        void *arg;
        atomic_ulong waits; /* so far, of all OS threads */
};

extern GREEN_API struct hub_callsback green_test_callsback;

#endif
