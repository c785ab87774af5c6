/*
 * What debug_trace.c and debug_spew.c share.
 */
#ifndef GREEN_DEBUG_TRACE_H
#define GREEN_DEBUG_TRACE_H

#include "debug_priv.h"
#include "sched.h"

/* Have the tracer, if there is one, take a step, of which size and time are filled in. */
void green__trace(struct green__hub *h, struct green_trace *step);

/* NULL: none from now on. */
void green__tracer_set(struct green__hub *h, green_trace_fn fn, void *arg);

#endif
