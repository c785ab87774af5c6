/*
 * Walking stacks, and naming what is found there. By libunwind (debug_walk.c), or without it (debug_nowalk.c).
 */
#ifndef GREEN_DEBUG_WALK_H
#define GREEN_DEBUG_WALK_H

#include "switch_place.h"
#include "text.h"

enum { GREEN__CALLS_MAX = 48 };

/*
 * What walks parked stacks; NULL: nothing, why says the reason (nowhere, where size is 0). Loads what it needs, unless that
 * is done; so nothing for a signal handler.
 */
const char *green__walk_by(char *why, size_t size);

/*
 * The calls on a parked stack that begins at lo and ends at hi, NULL and NULL where that is not known; the innermost first:
 * the address to go on at, then return addresses. How many.
 */
int green__walk_parked(const struct green__place *from, const char *lo, const char *hi, const void **calls, int max);

/*
 * Those that led to the caller: return addresses. How many. By what there is: libunwind only after green__walk_by() or
 * green__walk_prepare().
 */
int green__walk_here(const void **calls, int max);

/* Those of an interrupted function, from what a signal handler is given. async-signal-safe as far as that can be had. */
int green__walk_interrupted(void *ucontext, const void **calls, int max);

/* Before the first time that a signal handler walks, or somebody who cannot wait for a library. */
void green__walk_prepare(void);

/* The name of the function at an address, also of one that its object does not export. */
bool green__walk_name(const void *address, char *name, size_t size, size_t *ret_offset);

/* ---- debug_frames.c: by frame pointers; async-signal-safe */

/* Was this library built with them? */
bool green__frames_kept(void);

/* As green__walk_parked(). Nothing outside lo and hi is read; where they are not known, nothing that is not there. */
int green__walk_frames(const struct green__place *from, const char *lo, const char *hi, const void **calls, int max);

/* ---- debug_plain.c: by backtrace(), or frame pointers */

/* Those of the running stack, from the one with this address on. How many; none if it is not there. */
int green__plain_from(const void *first, const void **calls, int max);

/* As green__walk_interrupted(). */
int green__plain_interrupted(void *ucontext, const void **calls, int max);

/* ---- debug_names.c */

/* "0x55d0c0ffee function+0x12 (object)". exact: the address itself, not one that a call returns to. */
void green__name_add(struct green__text *text, const void *address, bool exact);

/* Names are kept from begin to end: looking one up may take long. anew: those kept before are not believed. */
void green__names_begin(bool anew);
void green__names_end(void);

#endif
