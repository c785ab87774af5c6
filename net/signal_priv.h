/*
 * What the rest of net/ needs of signal.c: to be told when a child may have ended.
 *
 *     do {
 *             rc = green__children_listen();
 *             if (rc == 0 && it has ended) ...
 *             if (rc == 0)
 *                     rc = green__children_wait(seconds);
 *     } while (rc == 0);
 *     green__children_leave();
 */
#ifndef GREEN_SIGNAL_PRIV_H
#define GREEN_SIGNAL_PRIV_H

#include <green/base.h>

/* From now on a child that ends ends a wait. Each time before one looks: another one may have left meanwhile. */
int green__children_listen(void);

/*
 * Wait until one may have ended, or for a time: the signal may be blocked, or somebody else's handler in its place.
 * 0: look again; or what ended the wait.
 */
int green__children_wait(double timeout);

void green__children_leave(void);

#endif
