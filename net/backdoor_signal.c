/*
 * A backdoor that a signal opens and closes. See green_backdoor_on_signal() in <green/backdoor.h>.
 *
 * A green thread waits for the signal, another one serves while the backdoor is open.
 */
#include "backdoor_priv.h"

#include <stdio.h>

#include <green/addr.h>
#include <green/convenience.h>
#include <green/signal.h>

/* A signal that opens a backdoor. The green thread that waits for it owns it. */
struct armed {
        struct armed *next;
        int sig;
        struct green_backdoor_opts opts;
        struct green_addr addr;
        char *address;
        green_signal *signal;
        green_thread *waiter;   /* a handle */
        green_thread *server;   /* a handle; NULL: it is closed */
        green_socket *listener; /* while it is open */
};

/* Those of the calling OS thread. */
static _Thread_local struct armed *all;

/* ---- the listener */

/* Does a process listen there? A file that was left behind does not count. */
static bool
is_in_use(const char *address)
{
        const struct green_connect_opts opts = {.size = sizeof opts, .timeout = 1};
        green_socket *s = green_connect(address, &opts);
        bool in_use = s != NULL || green_last_error()->code != -ECONNREFUSED;

        (void)green_socket_free(s);
        return in_use;
}

/* As green_listen(), and nobody can connect before the file is private. */
static int
listen_unix(const struct green_addr *addr, const char *path, green_socket **ret_listener)
{
        green_socket *s = green_socket_new(AF_UNIX, SOCK_STREAM, 0);
        int rc = s == NULL ? green_last_error()->code : green_socket_bind(s, addr);

        if (rc == 0) {
                rc = green__backdoor_make_private(path);
                if (rc == 0)
                        rc = green_socket_listen(s, 8);
                if (rc != 0)
                        green__backdoor_remove(path);
        }
        if (rc == 0)
                *ret_listener = s;
        else
                (void)green_socket_free(s);
        return rc;
}

static int
listen_at(const struct armed *a, green_socket **ret_listener)
{
        const char *path = green__backdoor_path(&a->addr);
        int rc;

        if (path == NULL) {
                *ret_listener = green_listen(a->address, NULL);
                return *ret_listener == NULL ? green_last_error()->code : 0;
        }
        rc = listen_unix(&a->addr, path, ret_listener);
        if (rc != -EADDRINUSE || is_in_use(a->address))
                return rc;
        green__backdoor_remove(path);
        return listen_unix(&a->addr, path, ret_listener);
}

/* ---- open and close */

static void *
serve(void *arg)
{
        struct armed *a = arg;

        (void)green_backdoor_server(a->listener, &a->opts);
        return NULL;
}

static void
close_backdoor(struct armed *a)
{
        const char *path = green__backdoor_path(&a->addr);

        if (a->server == NULL)
                return;
        green__backdoor_end_thread(a->server);
        a->server = NULL;
        /* A server that never ran has closed nothing. */
        (void)green_socket_close(a->listener);
        (void)green_socket_free(a->listener);
        a->listener = NULL;
        if (path != NULL)
                green__backdoor_remove(path);
}

static void
open_backdoor(struct armed *a)
{
        int rc = listen_at(a, &a->listener);

        if (rc == 0) {
                a->server = green_spawn(serve, a);
                if (a->server != NULL)
                        return;
                rc = -ENOMEM;
                (void)green_socket_free(a->listener);
                a->listener = NULL;
        }
        green_log(GREEN_LOG_WARNING, "green-net: backdoor: signal %d came, and %s cannot be listened on: %s", a->sig,
                  a->address, green_strerror(rc));
}

static void *
wait_for_signals(void *arg)
{
        struct armed *a = arg;

        while (green_signal_wait(a->signal, GREEN_FOREVER, NULL) == 0) {
                /* It may have ended by itself. */
                if (a->server != NULL && green_thread_dead(a->server)) {
                        close_backdoor(a);
                        open_backdoor(a);
                } else if (a->server != NULL) {
                        close_backdoor(a);
                } else {
                        open_backdoor(a);
                }
        }
        close_backdoor(a);
        return NULL;
}

/* ---- life */

static void
release(struct armed *a)
{
        (void)green_signal_free(a->signal);
        green_free(a->address);
        green_free(a);
}

static void
on_end(green_thread *gt, void *arg)
{
        struct armed *a = arg;
        struct armed **at = &all;

        while (*at != NULL && *at != a)
                at = &(*at)->next;
        if (*at == a)
                *at = a->next;
        release(a);
        green_thread_unref(gt);
}

/* End what waits for a signal. */
static void
disarm(int sig)
{
        struct armed *a = all;

        while (a != NULL && a->sig != sig)
                a = a->next;
        if (a != NULL)
                green__backdoor_end_thread(green_thread_ref(a->waiter));
}

static int
arm(struct armed *a, int sig, const char *address)
{
        size_t size = strlen(address) + 1;
        int rc;

        a->sig = sig;
        a->address = green_malloc(size);
        if (a->address == NULL)
                return green_set_error(-ENOMEM, NULL);
        memcpy(a->address, address, size);
        a->signal = green_signal_new(sig);
        if (a->signal == NULL)
                return green_last_error()->code;
        a->waiter = green_spawn(wait_for_signals, a);
        if (a->waiter == NULL)
                return green_set_error(-ENOMEM, NULL);
        (void)green_thread_set_name(a->waiter, "backdoor signal");
        rc = green_thread_link(a->waiter, on_end, a);
        if (rc != 0) {
                (void)green_thread_cancel(a->waiter, 0);
                green_thread_unref(a->waiter);
                return rc;
        }
        a->next = all;
        all = a;
        return 0;
}

int
green_backdoor_on_signal(int sig, const char *address, const struct green_backdoor_opts *opts)
{
        struct green_backdoor_opts o;
        struct green_addr addr;
        struct armed *a;
        int rc;

        if (address == NULL) {
                disarm(sig);
                return 0;
        }
        rc = green__backdoor_take(&o, opts);
        if (rc == 0)
                rc = green_addr_parse(address, &addr);
        if (rc == 0)
                rc = green__backdoor_may_serve(&addr, o.anywhere);
        if (rc != 0)
                return rc;
        disarm(sig);
        a = green_calloc(1, sizeof *a);
        if (a == NULL)
                return green_set_error(-ENOMEM, NULL);
        a->opts = o;
        a->addr = addr;
        rc = arm(a, sig, address);
        if (rc != 0)
                release(a);
        return rc;
}
