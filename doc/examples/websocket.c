/*
 * A page that draws what the server measures, point by point: websocket [ADDRESS], 127.0.0.1:7000 without one. It is
 * eventlet's examples/websocket.py.
 *
 * Open http://127.0.0.1:7000/ in a browser. It prints "listening on ADDRESS" once it takes connections. The page is
 * websocket.html; it opens two WebSockets: /data, on which the points come (plot.c), and /echo, which sends back what it
 * is sent. Each connection is a green thread that runs its handler: it waits and sends in plain loops.
 */
#include <errno.h>
#include <green/green.h>
#include <stdio.h>
#include <string.h>

#include "plot.h"

struct sites {
        green_websocket_site *data, *echo;
};

static int
echo(green_websocket *ws, void *arg)
{
        struct green_websocket_message m;
        int rc;

        (void)arg;
        while ((rc = green_websocket_wait(ws, &m)) == 1) {
                rc = green_websocket_send(ws, m.type, m.data, m.len);
                if (rc != 0)
                        return rc;
        }
        return rc; /* 0: the browser has closed it, and so does the server when this returns */
}

static int
app(green_wsgi_request *req, void *arg)
{
        const struct sites *sites = arg;
        const char *path = green_wsgi_path(req, NULL);

        if (path == NULL)
                return -ENOMEM;
        if (strcmp(path, "/") == 0)
                return plot_page(req);
        if (strcmp(path, "/data") == 0)
                return green_websocket_app(req, sites->data);
        if (strcmp(path, "/echo") == 0)
                return green_websocket_app(req, sites->echo);
        return green_wsgi_respond(req, 404, "text/plain", "no such page\n", 13);
}

static int
fail(void)
{
        return fprintf(stderr, "websocket: %s\n", green_last_error()->message), 1;
}

int
main(int argc, char **argv)
{
        struct sites sites = {green_websocket_wsgi(plot_data, NULL, NULL), green_websocket_wsgi(echo, NULL, NULL)};
        green_socket *listener;
        struct green_addr here;
        char text[GREEN_ADDR_TEXT_SIZE];

        if (sites.data == NULL || sites.echo == NULL)
                return fail();
        listener = green_listen(argc > 1 ? argv[1] : "127.0.0.1:7000", NULL);
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fail();
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        return green_wsgi_server(listener, app, &sites, NULL) != 0;
}
