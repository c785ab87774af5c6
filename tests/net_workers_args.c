/*
 * Workers in processes of their own: what green_workers_run() and green_listen_inherited() refuse. See <green/workers.h>.
 */
#include "net_suite.h"

static int
nothing(const struct green_worker *worker, void *arg)
{
        (void)worker;
        (void)arg;
        return 0;
}

static void
nothing_was_inherited_here(void)
{
        CHECK(green_listen_inherited(NULL) == NULL);
        CHECK_INT(green_last_error()->code, -ENOENT);
        CHECK(green_listen_inherited("127.0.0.1:80") == NULL);
        CHECK_INT(green_last_error()->code, -ENOENT);
        CHECK(green_listen_inherited("front") == NULL);
        CHECK_INT(errno, ENOENT);
}

static void *
run_here(void *arg)
{
        static const char *const addresses[] = {"127.0.0.1:0", NULL};
        struct green_workers_opts opts = {.size = sizeof opts, .addresses = addresses};

        *(int *)arg = green_workers_run(nothing, NULL, &opts);
        return NULL;
}

static void
what_is_wrong_is_said(void)
{
        static const char *const bad[] = {"no address", NULL};
        struct green_workers_opts opts = {.size = sizeof opts};
        struct green_worker_status status;
        green_thread *t;
        int rc = 0;

        CHECK_INT(green_workers_run(NULL, NULL, NULL), -EINVAL);
        CHECK_INT(green_workers_run(nothing, NULL, &opts), -EINVAL); /* no address */
        opts.addresses = bad;
        CHECK_INT(green_workers_run(nothing, NULL, &opts), -EINVAL);
        opts.processes = 5000;
        CHECK_INT(green_workers_run(nothing, NULL, &opts), -EINVAL);
        opts.processes = 1;
        opts.stop_timeout = -1;
        CHECK_INT(green_workers_run(nothing, NULL, &opts), -EINVAL);
        opts.size = 1;
        CHECK_INT(green_workers_run(nothing, NULL, &opts), -EINVAL);
        t = green_spawn(run_here, &rc);
        CHECK_INT(green_thread_wait(t, NULL), 0);
        green_thread_unref(t);
        CHECK_INT(rc, -EDEADLK);
        CHECK(!green_workers_status(0, &status));
        CHECK_INT(green_workers_supervisor(), 0);
}

GREEN_SUITE(net_workers_args){GREEN_TEST(nothing_was_inherited_here), GREEN_TEST(what_is_wrong_is_said), GREEN_SUITE_END};
