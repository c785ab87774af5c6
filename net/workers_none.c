/*
 * Workers in processes of their own, where there is no fork(). See <green/workers.h>.
 */
#include <config.h>

#include <errno.h>

#include <green/error.h>
#include <green/workers.h>

int
green_workers_run(green_worker_fn fn, void *arg, const struct green_workers_opts *opts)
{
        (void)fn;
        (void)arg;
        (void)opts;
        return green_set_error(-ENOTSUP, "there is no fork() on this system");
}

bool
green_workers_status(size_t index, struct green_worker_status *ret_status)
{
        (void)index;
        (void)ret_status;
        return false;
}

pid_t
green_workers_supervisor(void)
{
        return 0;
}
