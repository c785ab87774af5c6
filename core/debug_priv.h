/*
 * What the files behind <green/debug.h> share.
 */
#ifndef GREEN_DEBUG_PRIV_H
#define GREEN_DEBUG_PRIV_H

#include "debug_walk.h"
#include "hub_priv.h"
#include "text.h"

/* ---- debug_dump.c */

/* "running", "waiting", ... async-signal-safe. */
const char *green__state_text(const struct green__hub *h, const green_thread *t);

/* The stack of a green thread that was suspended; lo and hi are NULL for the OS thread's own. False: it has none. */
bool green__thread_place(const struct green__hub *h, const green_thread *t, struct green__place *ret_place,
                         const char **ret_lo, const char **ret_hi);

/* "green thread 5 name spawned at file:line". */
void green__thread_add(struct green__text *text, const green_thread *t);

/* The descriptor whose slot a queue is in, and the direction; GREEN_INVALID_FD: it is another queue. */
green_fd green__descriptor_of(const struct green__hub *h, const struct green_waitq *q, int *ret_dir);

/* As far as they go. async-signal-safe. */
void green__write_all(int fd, const char *bytes, size_t len);

/* ---- debug_format.c: who waits for descriptors */

struct green__listener {
        green_fd fd;
        const struct green__slot *slot;
        const struct green_wait *node;
        const struct green_op *op; /* an operation in the kernel; NULL: it waits to be ready */
};

typedef void (*green__listener_fn)(void *arg, const struct green__listener *listener);

/* Those that read, or for 1 those that write. */
void green__listeners_each(struct green__hub *h, int dir, green__listener_fn fn, void *arg);

/* "read", "recv", ... */
const char *green__op_text(const struct green_op *op);

#endif
