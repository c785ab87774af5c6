/*
 * Where a suspended stack goes on: what is needed to walk it.
 */
#ifndef GREEN_SWITCH_PLACE_H
#define GREEN_SWITCH_PLACE_H

#include "switch.h"

#include <stdint.h>

struct green__place {
        uintptr_t sp, fp, ip; /* stack pointer, frame pointer, address to go on at */
};

/* Can the context method tell at all? */
bool green__place_known(void);

/* Of a suspended context. False where it cannot be told. async-signal-safe. */
bool green__context_place(const struct green__context *parked, struct green__place *ret_place);

/* Of an interrupted function, from what a signal handler is given. Likewise. */
bool green__interrupted_place(const void *ucontext, struct green__place *ret_place);

#endif
