/*
 * WebSockets, as a user of green-net would write them. green_ws echo|rest|broadcast
 *
 * echo: a green thread waits on each connection. rest: none does while there is nothing to echo. broadcast: a message goes
 * to all connections.
 */
#include "bench_net.h"

#include <green/websocket.h>

static int
echo(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc;

        (void)arg;
        while ((rc = green_websocket_wait(ws, &m)) == 1) {
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc != 0)
                        break;
        }
        return rc;
}

static int
echo_and_rest(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;

        (void)arg;
        while (green_websocket_pending(ws)) {
                int rc = green_websocket_wait(ws, &m);

                if (rc != 1)
                        return rc;
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc != 0)
                        return rc;
        }
        return GREEN_WEBSOCKET_REST;
}

/* All connections; each remembers its place. */
static green_websocket **all;
static size_t n_all, all_room;

static void
enter(green_websocket *ws)
{
        if (n_all == all_room) {
                all_room = 2 * all_room + 64;
                all = realloc(all, all_room * sizeof *all);
                bench_check(all != NULL, "realloc");
        }
        green_websocket_set_data(ws, (void *)(uintptr_t)n_all);
        all[n_all++] = ws;
}

static void
leave(green_websocket *ws)
{
        size_t at = (size_t)(uintptr_t)green_websocket_data(ws);

        all[at] = all[--n_all];
        green_websocket_set_data(all[at], (void *)(uintptr_t)at);
}

/* A peer that is too slow, or has gone, misses it. */
static int
tell_all(const struct green_websocket_message *m)
{
        green_websocket_prepared *message = green_websocket_prepare(m->type, m->data, m->len);

        if (message == NULL)
                return -errno;
        for (size_t i = 0; i < n_all; i++)
                (void)green_websocket_post(all[i], message);
        green_websocket_prepared_unref(message);
        return 0;
}

static int
broadcast(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc;

        (void)arg;
        enter(ws);
        while ((rc = green_websocket_wait(ws, &m)) == 1) {
                rc = tell_all(&m);
                if (rc != 0)
                        break;
        }
        leave(ws);
        return rc;
}

int
main(int argc, char **argv)
{
        struct green_listen_opts listen_opts = {.size = sizeof listen_opts, .backlog = 1024};
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .no_log_output = true};
        green_socket *listener = green_listen("127.0.0.1:0", &listen_opts);
        const char *mode = argc > 1 ? argv[1] : "echo";
        green_websocket_handler handler = strcmp(mode, "broadcast") == 0 ? broadcast
                                          : strcmp(mode, "rest") == 0    ? echo_and_rest
                                                                         : echo;
        green_websocket_site *site = green_websocket_wsgi(handler, NULL, NULL);
        struct green_addr here;

        bench_check(listener != NULL && green_socket_getsockname(listener, &here) == 0, "green_listen");
        bench_check(site != NULL, "green_websocket_wsgi");
        printf("port %d\n", green_addr_port(&here));
        fflush(stdout);
        return green_wsgi_server(listener, green_websocket_app, site, &opts) == 0 ? 0 : 1;
}
