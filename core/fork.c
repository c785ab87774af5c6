/*
 * After fork(): only the forking green thread lives on in the child. The others are forgotten unrun; their nodes leave
 * every queue, so primitives forget them, and the hub starts with an empty back end.
 */
#include <pthread.h>

#include "sched.h"

atomic_bool green__forked;

static void
before_fork(void)
{
        green__sources_lock();
        green__block_lock();
        green__hubs_lock();
        green__local_lock();
        green__log_lock();
}

static void
in_parent(void)
{
        green__log_unlock();
        green__local_unlock();
        green__hubs_unlock();
        green__sources_unlock();
        green__block_unlock();
        atomic_store(&green__forked, true);
}

/* The main green thread cannot be freed, since it is part of the hub. Its stack will never be run again. */
static void
forget_main(struct green__hub *h)
{
        green_thread *t = &h->main;

        if (t->state == GREEN__PARKED) {
                green__unwait(t);
                if (t->op != NULL)
                        green__op_forget(t);
        } else if (t->state == GREEN__READY) {
                green__unready(h, t);
        }
        green__wait_mt_forget(h, t);
        green__scopes_end(t);
        green_wake_all(&t->joiners, 0);
        if (t->extra != NULL)
                green__tasks_inside_end(t);
        t->ended = true;
        t->end_code = GREEN_EKILLED;
}

static void
in_child(void)
{
        struct green__hub *h = green__hub_here;
        struct green__thread_iter it = {NULL, 0};
        green_thread *t;
        int rc;

        green__log_unlock();
        green__local_unlock();
        green__hubs_after_fork(h);
        green__hubs_unlock();
        green__sources_after_fork();
        green__sources_unlock();
        green__block_after_fork();
        green__block_unlock();
        atomic_store(&green__forked, true);
        if (h == NULL)
                return;
        h->ops_count = 0;
        while ((t = green__thread_next(h, &it)) != NULL)
                if (t != h->current)
                        green__thread_forget(h, t);
        if (h->current != &h->main && !h->embedded)
                forget_main(h);
        green__mailbox_after_fork(h);
        h->told_deadlock = false;
        atomic_store(&h->mailbox->users, 0);
        atomic_store(&h->mailbox->sleeping, h->embedded ? 1 : 0);
        green__aheads_after_fork(h);
        rc = h->ops->after_fork(h->state);
        if (rc != 0)
                green_log(GREEN_LOG_ERROR, "green-net: hub %s cannot go on after fork: %s", h->ops->name, green_strerror(rc));
        green__slots_after_fork(h);
}

static void
install(void)
{
        (void)pthread_atfork(before_fork, in_parent, in_child);
}

void
green__fork_install(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, install);
}
