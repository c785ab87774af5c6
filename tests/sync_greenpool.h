/*
 * What the tests of green pools share: tasks that stay until they are let go, and green threads that spawn one.
 */
#ifndef GREEN_TESTS_SYNC_GREENPOOL_H
#define GREEN_TESTS_SYNC_GREENPOOL_H

#include "sync_help.h"

#include <limits.h>

/* Tasks wait here until they are let go. */
static struct green_waitq gate;
static int ran, most, inside;

static inline void
greenpool_setup(void)
{
        sync_setup();
        ran = most = inside = 0;
        CHECK_PTR(gate.first, NULL);
}

static inline void
greenpool_init(void)
{
        sync_init();
        suite_setup = greenpool_setup;
}

static inline void *
stay(void *arg)
{
        struct green_wait w;
        int rc;

        ran++;
        inside++;
        if (inside > most)
                most = inside;
        rc = green_park(&gate, &w, GREEN_FOREVER);
        inside--;
        return rc == 0 ? arg : green_fail(rc);
}

static inline void *
quick(void *arg)
{
        ran++;
        return arg;
}

static inline long
available(const green_greenpool *p)
{
        long n = -1000;

        CHECK_INT(green_greenpool_available(p, &n), 0);
        return n;
}

/* Counts as the pool tells them. */
static inline bool
counts(const green_greenpool *p, size_t running, size_t waiting)
{
        return CHECK_INT(green_greenpool_running(p), running) && CHECK_INT(green_greenpool_waiting(p), waiting);
}

static inline void
let_all_go(void)
{
        turns(2);
        green_wake_all(&gate, 0);
        turns(3);
}

/* A green thread that spawns one task that stays. */
struct spawner {
        green_greenpool *pool;
        green_thread *gt, *task;
        int rc, next;
        double timeout;
};

static inline void *
spawner_main(void *arg)
{
        struct spawner *s = arg;
        struct green_timeout t = {{0}};

        CHECK_INT(green_timeout_start(&t, s->timeout), 0);
        s->task = green_greenpool_spawn(s->pool, stay, s);
        s->rc = s->task != NULL ? 0 : green_last_error()->code;
        if (s->task == NULL)
                CHECK_INT(errno, -s->rc);
        (void)green_timeout_cancel(&t);
        s->next = green_sleep(0);
        return NULL;
}

static inline void
spawner_begin(struct spawner *s, green_greenpool *p, double timeout)
{
        *s = (struct spawner){.pool = p, .rc = 9, .next = 9, .timeout = timeout};
        s->gt = green_spawn(spawner_main, s);
        turns(1);
}

static inline void
spawner_end(struct spawner *s, int rc, int how)
{
        CHECK_INT(join(s->gt), how);
        CHECK_INT(s->rc, rc);
        if (s->task != NULL)
                CHECK_INT(join(s->task), 0);
}

#endif
