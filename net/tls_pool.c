/*
 * Steps of handshakes that cost much, and the reading of the system's bundle: in the pool of OS threads, of one hub's no
 * more at once than there are processors. More would not be done sooner. They would keep other jobs from the pool, and,
 * since the system takes the processor from one for another, they would be stopped within malloc(), with its lock, for
 * which the hub's OS thread would then wait.
 */
#include "tls_priv.h"

#include <unistd.h>

#include <green/tpool.h>

static _Thread_local struct {
        uint64_t hub;
        pid_t process;
        int running;
        struct green_waitq queue; /* a place is handed over */
} here;

static void *
step(void *arg)
{
        green__tls_step(arg);
        return NULL;
}

/* Another hub, or a child of fork(), where those who ran are forgotten, begins anew. */
static void
begin(uint64_t hub)
{
        pid_t process = getpid();

        if (here.hub == hub && here.process == process)
                return;
        here.hub = hub;
        here.process = process;
        here.running = 0;
        here.queue = (struct green_waitq){NULL, NULL};
}

static void
leave(void)
{
        struct green_wait *w = green_waitq_first(&here.queue);

        if (w != NULL)
                green_wake(w, 0);
        else
                here.running--;
}

int
green__tls_step_in_pool(struct green__tls *t, struct green_wait **ret_wait, double timeout)
{
        return green__tls_in_pool(step, t, ret_wait, timeout);
}

int
green__tls_in_pool(green_thread_fn fn, void *arg, struct green_wait **ret_wait, double timeout)
{
        int rc = 0;

        begin(green_hub_ident());
        if (here.running < green_processors()) {
                here.running++;
        } else {
                struct green_wait w = {.value = NULL};

                *ret_wait = &w;
                rc = green_park(&here.queue, &w, timeout);
                *ret_wait = NULL;
                if (rc != 0)
                        return rc;
        }
        rc = green_tpool_execute(fn, arg, NULL, NULL);
        leave();
        /* There is no pool to be had: then here. */
        if (rc == -EAGAIN || rc == -ENOMEM) {
                (void)fn(arg);
                rc = 0;
        }
        return rc;
}
