/*
 * What embed_glib.c and embed_libuv.c show: green threads that talk TCP to each other in somebody else's event loop. It
 * knows nothing of that loop. The main program calls the functions below from callbacks of the loop's own.
 */
#ifndef EMBED_DEMO_H
#define EMBED_DEMO_H

#include <stdbool.h>

/*
 * Starts a server, and a green thread that is always ready. finished is called, once, when all clients have had their
 * answers; it ends the loop. 0, or a code.
 */
int embed_demo_begin(void (*finished)(void *arg), void *arg);

/* The loop's timer has ticked. Every other tick starts a client, the last one by another OS thread. False: enough. */
bool embed_demo_tick(void);

/* The loop has called something that it calls whenever it has nothing better to do. False: enough. */
bool embed_demo_idle(void);

/* The loop has ended; step_code is what green_hub_step() failed with, or 0. Prints what there was; the exit status. */
int embed_demo_end(int step_code);

#endif
