/*
 * What others that wait for an event need: green_select() tries first, and then waits in the queue with a node of its
 * own.
 */
#ifndef GREEN_SYNC_EVENT_PRIV_H
#define GREEN_SYNC_EVENT_PRIV_H

#include <green/event.h>
#include <green/park.h>

/* Whose it is: 0, or -EPERM. */
int green__event_check(const green_event *e);

/* Has it been sent? Then what: the code, and the value where that is 0. */
bool green__event_try(const green_event *e, void **ret_value, int *ret_code);

/* Where a node waits for it. It is woken with the code, and the value is in node->value. */
struct green_waitq *green__event_waiters(green_event *e);

#endif
