/* Each allocation and system call of net/workers*.c and net/inherit*.c fails in its turn, in the supervisor. */
#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <green/net.h>

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

/* In the worker nothing fails; whatever it has begun with, it ends its supervisor. */
static int
end_the_supervisor(const struct green_worker *worker, void *arg)
{
        (void)worker;
        (void)arg;
        fault_pause();
        (void)kill(getppid(), SIGTERM);
        return 0;
}

static int
wait_for_the_end(const struct green_worker *worker, void *arg)
{
        green_socket *client = green_socket_accept(worker->listeners[0], NULL);

        (void)arg;
        (void)green_socket_free(client);
        return 0;
}

static void
running(void)
{
        static const char *const addresses[] = {"127.0.0.1:0", NULL};
        struct green_workers_opts opts = {
                .size = sizeof opts, .processes = 1, .init = end_the_supervisor, .shared_size = 8, .stop_timeout = 5};
        struct green_worker_status status;

        opts.addresses = addresses;
        if (!MADE(green_get_hub()))
                return;
        (void)OK(green_workers_run(wait_for_the_end, NULL, &opts));
        CHECK(!green_workers_status(0, &status));
        CHECK_INT(green_workers_supervisor(), 0);
}

static void
inheriting(void)
{
        green_socket *listener;

        if (!MADE(green_get_hub()))
                return;
        CHECK(green_listen_inherited(NULL) == NULL);
        if (!MADE(listener = green_listen("127.0.0.1:0", NULL)))
                return;
        CHECK(green_socket_accepts(listener));
        CHECK_INT(green_socket_stop_accepting(listener), 0);
        CHECK(!green_socket_accepts(listener));
        CHECK(green_socket_accept(listener, NULL) == NULL);
        CHECK_INT(green_socket_free(listener), 0);
}

/* The hub of a worker that cannot go on after the fork says so in the log; the worker ends its supervisor all the same. */
#define ANEW (FAULT_BIT(epoll_create1) | FAULT_BIT(epoll_ctl) | FAULT_BIT(eventfd))

#define SCENARIOS(X)                                                                                                   \
        X(running, ALTSTACK | FAULT_BIT(setsockopt) | ANEW | FAULT_BIT(fcntl), FEWER)                                   \
        X(inheriting, ALTSTACK | FAULT_BIT(setsockopt), FEWER)

FAULT_DEFINE(SCENARIOS)

GREEN_SUITE(fault_workers) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_SUITE_END
};
