/* The smallest web server: hello [ADDRESS]. Try it with curl http://127.0.0.1:8080/ */
#include <green/green.h>
#include <stdio.h>

static int
hello(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/plain", "Hello, World!\r\n", 15);
}

int
main(int argc, char **argv)
{
        green_socket *listener = green_listen(argc > 1 ? argv[1] : "127.0.0.1:8080", NULL);

        if (listener == NULL)
                return fprintf(stderr, "hello: %s\n", green_last_error()->message), 1;
        return green_wsgi_server(listener, hello, NULL, NULL) != 0;
}
