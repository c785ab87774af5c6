/*
 * Hello at '/', 404 elsewhere: wsgi [ADDRESS], port 8090 everywhere without one. It is eventlet's examples/wsgi.py.
 *
 * Try it with `curl http://127.0.0.1:8090/`. It prints "listening on ADDRESS" once it takes connections.
 */
#include <errno.h>
#include <green/green.h>
#include <stdio.h>
#include <string.h>

static int
hello_world(green_wsgi_request *req, void *arg)
{
        /* green_wsgi_path() is the same without the name. */
        const char *path = green_wsgi_environ(req, "PATH_INFO");

        (void)arg;
        if (path == NULL)
                return -ENOMEM; /* answered with 500 */
        if (strcmp(path, "/") != 0)
                return green_wsgi_respond(req, 404, "text/plain", "Not Found\r\n", 11);
        return green_wsgi_respond(req, 200, "text/plain", "Hello, World!\r\n", 15);
}

int
main(int argc, char **argv)
{
        green_socket *listener = green_listen(argc > 1 ? argv[1] : "0.0.0.0:8090", NULL);
        struct green_addr here;
        char text[GREEN_ADDR_TEXT_SIZE];
        int rc;

        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "wsgi: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);

        rc = green_wsgi_server(listener, hello_world, NULL, NULL);
        fprintf(stderr, "wsgi: %s\n", green_strerror(rc));
        green_socket_free(listener);
        return 1;
}
