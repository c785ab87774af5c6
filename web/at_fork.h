/*
 * What is done at a fork; nothing where there is none.
 */
#ifndef GREEN_WEB_AT_FORK_H
#define GREEN_WEB_AT_FORK_H

#include <pthread.h>

/* As pthread_atfork(). A function, so that handlers are used where that is a macro of nothing. */
static inline void
green__web_at_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
        (void)before;
        (void)in_parent;
        (void)in_child;
        (void)pthread_atfork(before, in_parent, in_child);
}

#endif
