/*
 * A site for crawlers to crawl: site ADDRESS
 *
 * Page N links to the pages 2N + 1 and 2N + 2, as long as these are below 60, to itself, to its own host and to a host
 * that is not for crawling. /feed/N is a feed called "Feed N", after a pause.
 */
#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 60 };

static int
page(green_wsgi_request *req, int n)
{
        const char *host = green_wsgi_header(req, "Host");
        char text[1024];
        int len = snprintf(text, sizeof text,
                           "<html><a href=\"http://%s/%d\">this</a> <a href='http://elsewhere.invalid/'>away</a>\n",
                           host, n);

        for (int next = 2 * n + 1; next <= 2 * n + 2 && next < PAGES; next++)
                len += snprintf(text + len, sizeof text - (size_t)len, "<a href=\"http://%s/%d\">%d</a>\n", host, next,
                                next);
        return green_wsgi_respond(req, 200, "text/html", text, (size_t)len);
}

static int
feed(green_wsgi_request *req, int n)
{
        char text[128];
        int len = snprintf(text, sizeof text, "<rss><channel><title>Feed %d</title></channel></rss>", n);
        int rc = green_sleep(0.05);

        return rc != 0 ? rc : green_wsgi_respond(req, 200, "application/rss+xml", text, (size_t)len);
}

static int
app(green_wsgi_request *req, void *arg)
{
        const char *path = green_wsgi_path(req, NULL);

        (void)arg;
        if (path == NULL || green_wsgi_header(req, "Host") == NULL)
                return -ENOMEM;
        if (strncmp(path, "/feed/", 6) == 0)
                return feed(req, atoi(path + 6));
        if (strcmp(path, "/") != 0 && (path[1] < '0' || path[1] > '9'))
                return green_wsgi_respond(req, 404, "text/plain", "no such page\n", 13);
        return page(req, atoi(path + 1));
}

int
main(int argc, char **argv)
{
        green_socket *listener = argc == 2 ? green_listen(argv[1], NULL) : NULL;
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr here;

        if (argc != 2)
                return fprintf(stderr, "usage: site ADDRESS\n"), 2;
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "%s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        return green_wsgi_server(listener, app, NULL, NULL) == 0 ? 0 : 1;
}
