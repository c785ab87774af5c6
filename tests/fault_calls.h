/* What fault.c and fault_calls.c share. */
#ifndef GREEN_TESTS_FAULT_CALLS_H
#define GREEN_TESTS_FAULT_CALLS_H

#include "fault.h"

#include <stdatomic.h>

/* What becomes of a call. */
enum fault_how {
        FAULT_GO,      /* it is made */
        FAULT_INSTEAD, /* it fails and is not made */
        FAULT_AFTER,   /* it is made, and fails all the same: interrupted */
        FAULT_NOT_YET  /* as FAULT_INSTEAD, and the descriptor becomes ready afterwards */
};

/** For what a sanitizer may call before it is ready. */
#define FAULT_UNSANITIZED __attribute__((no_sanitize("thread")))

enum fault_how fault_decide(enum fault_kind kind, int *ret_error);

/* Is it the library that calls, in a run? */
bool fault_is_library(void);

/* Bytes that the library has mapped and not given back. */
extern atomic_llong fault_mapped;

#endif
