/*
 * The inside of a pool of connections.
 */
#ifndef GREEN_DB_POOL_PRIV_H
#define GREEN_DB_POOL_PRIV_H

#include <green/pool.h>

#include "../sock_sys.h"
#include "db_priv.h"

struct green_db_pool {
        uint64_t hub;
        struct green__db_target *target;
        green_pool *places; /* of tokens: who has one may have a link */
        size_t max_size;
        int64_t max_idle, max_age; /* nanoseconds; below 0: at once */
        green_db_cleanup_fn cleanup;
        void *arg;

        green_db_link *idle, *idle_last; /* the one that came back last comes first */
        size_t n_idle;
        green_db_conn *out; /* those that are out */
        size_t n_out, connecting;
        green_db_conn *spare;  /* handles that nobody needs */
        struct green_watch timer; /* runs while there are idle ones, if they expire */
        size_t getting;        /* calls that get or make one: it is not freed */
        size_t users;          /* green threads that come back to it from closing something: it is not released */
        unsigned forks;        /* in the child of a fork those are gone */
        bool freed;

        uint64_t made, closed, expired, lost;
};

/* One that uses the pool after it has yielded, from here to the end: *count is `getting` or `users`. */
static inline unsigned
green__db_pool_begin(green_db_pool *p, size_t *count)
{
        if (green__unlikely(p->forks != green__sys_forks)) {
                p->forks = green__sys_forks;
                p->getting = p->users = p->connecting = 0;
        }
        ++*count;
        return p->forks;
}

static inline void
green__db_pool_end(green_db_pool *p, size_t *count, unsigned forks)
{
        if (green__likely(p->forks == forks && forks == green__sys_forks))
                --*count;
}

/* ---- pool_idle.c */

static inline bool
green__db_at_once(const green_db_pool *p)
{
        return p->max_idle < 0 || p->max_age < 0;
}

void green__db_idle_push(green_db_pool *p, green_db_link *l, int64_t now);
void green__db_idle_remove(green_db_pool *p, green_db_link *l);
/* The one that came back last, if it is good; those that are not are closed on the way. NULL: there is none. Yields only then. */
green_db_link *green__db_idle_take(green_db_pool *p);
/* Close down to so many. */
void green__db_idle_trim(green_db_pool *p, size_t left);
void green__db_idle_init(green_db_pool *p);

/* Close a link of the pool, and count it. */
void green__db_pool_close(green_db_pool *p, green_db_link *l, uint64_t *why);

#endif
