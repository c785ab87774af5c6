/*
 * A worker's life, in its process. See <green/workers.h>.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/process.h>
#include <green/thread.h>

#include "sock_sys.h"
#include "workers_priv.h"

struct life {
        struct green__crew *crew;
        struct green__seat *seat;
        green_socket **listeners;
        green_signal *term, *hup;
        struct green_worker worker;
        bool ending;
};

static void
end(struct life *l)
{
        if (l->ending)
                return;
        l->ending = true;
        atomic_store(&l->seat->state, GREEN_WORKER_ENDING);
        for (size_t i = 0; i < l->worker.listener_count; i++)
                (void)green_socket_stop_accepting(l->listeners[i]);
}

static void *
wait_for_term(void *arg)
{
        struct life *l = arg;
        int rc;

        do
                rc = green_signal_wait(l->term, GREEN_FOREVER, NULL);
        while (green__wait_again(rc));
        if (rc == 0)
                end(l);
        return NULL;
}

/* Nobody writes there: what comes is the end. */
static void *
wait_for_supervisor(void *arg)
{
        struct life *l = arg;
        ssize_t n;
        char none;

        do
                n = green_os_read(l->crew->life[0], &none, 1);
        while (green__wait_again(n));
        if (n == 0) {
                green_log(GREEN_LOG_WARNING, "green-net: the supervisor is gone: the worker ends");
                end(l);
                /* Nobody else is left to end one that does not. */
                if (green_sleep(l->crew->o.stop_timeout) == 0)
                        _exit(EXIT_FAILURE);
        }
        return NULL;
}

static void *
wait_for_hup(void *arg)
{
        struct life *l = arg;
        int rc;

        do {
                rc = green_signal_wait(l->hup, GREEN_FOREVER, NULL);
                if (rc == 0 && l->crew->o.on_hangup != NULL)
                        l->crew->o.on_hangup(&l->worker, l->crew->arg);
        } while (rc == 0 || green__wait_again(rc));
        return NULL;
}

/* What was the supervisor's alone. SIGINT and SIGUSR2 stay caught, and are passed over: they are for the supervisor. */
static void
forget_the_supervisor(struct green__crew *crew)
{
        (void)green__sys_close(crew->life[1]);
        (void)green__sys_close(crew->told[0]);
        if (crew->next.pid != 0)
                (void)green__sys_close(crew->next.fd);
        if (crew->before >= 0)
                (void)green__sys_close(crew->before);
        (void)green_signal_free(crew->ears[GREEN__HEARD_CHLD].signal);
}

static int
take_listeners(struct life *l)
{
        struct green__crew *crew = l->crew;

        l->listeners = green_calloc(crew->fd_count + 1, sizeof *l->listeners);
        if (l->listeners == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < crew->fd_count; i++) {
                l->listeners[i] = green_socket_from_fd(crew->fds[i]);
                if (l->listeners[i] == NULL)
                        return green_last_error()->code;
        }
        l->worker.listeners = l->listeners;
        l->worker.listener_count = crew->fd_count;
        return 0;
}

static int
begin(struct life *l)
{
        struct green__crew *crew = l->crew;
        int rc = take_listeners(l);

        if (rc == 0 && (green_spawn_n(wait_for_term, l) != 0 || green_spawn_n(wait_for_hup, l) != 0 ||
                        green_spawn_n(wait_for_supervisor, l) != 0))
                rc = -ENOMEM;
        if (atomic_load(&crew->board->ending))
                end(l);
        if (rc == 0 && crew->o.init != NULL)
                rc = crew->o.init(&l->worker, crew->arg);
        if (rc < 0) {
                atomic_store(&l->seat->error, rc);
                if (!l->ending)
                        green_log(GREEN_LOG_ERROR, "green-net: the worker cannot start: %s", green_strerror(rc));
                return rc;
        }
        if (!l->ending)
                atomic_store(&l->seat->state, GREEN_WORKER_READY);
        green__tell_reader(crew->told[1]);
        return 0;
}

static void
take_name(size_t index)
{
        char name[64];

        (void)snprintf(name, sizeof name, "worker %zu (process %ld)", index, (long)getpid());
        green_set_log_name(name);
}

_Noreturn void
green__worker_run(struct green__crew *crew, size_t index)
{
        struct life l = {.crew = crew, .seat = &crew->board->seats[index]};
        int rc;

        take_name(index);
        l.worker.index = index;
        l.worker.generation = crew->board->generation;
        l.worker.shared = green__board_shared(crew->board, index);
        l.term = crew->ears[GREEN__HEARD_TERM].signal;
        l.hup = crew->ears[GREEN__HEARD_HUP].signal;
        forget_the_supervisor(crew);
        rc = begin(&l);
        if (rc == 0) {
                rc = crew->fn(&l.worker, crew->arg);
                if (rc < 0 && !l.ending)
                        green_log(GREEN_LOG_ERROR, "green-net: the worker ends: %s", green_strerror(rc));
                else
                        rc = 0;
        }
        (void)green_hub_destroy(1.0);
        (void)fflush(NULL);
        _exit(rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
