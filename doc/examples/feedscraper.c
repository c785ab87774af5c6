/*
 * A feed scraper: feedscraper ADDRESS
 *
 * A server that fetches feeds for its clients: POST a list of addresses, one a line, and get the titles, in the same
 * order. All feeds of a request are fetched at the same time, and so are those of other requests.
 */
#include <errno.h>
#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 65536, FEED_MAX = 8 << 20 };

static green_http_client *client;

/* The text of the first <title>; the caller's, for free(). */
static char *
title_of(const char *feed)
{
        const char *begin = strstr(feed, "<title>"), *end = begin != NULL ? strstr(begin, "</title>") : NULL;
        char *title = end != NULL ? calloc(1, (size_t)(end - begin)) : NULL;

        if (title != NULL)
                memcpy(title, begin + strlen("<title>"), (size_t)(end - begin) - strlen("<title>"));
        return title;
}

static void *
fetch_title(void *url)
{
        green_http_response *res = NULL;
        char *feed, *title = NULL;
        int rc = green_http_get(client, url, NULL, &res);

        if (rc == 0)
                rc = green_http_read_all(res, FEED_MAX, &feed, NULL);
        if (rc == 0 && green_http_response_status(res) == 200)
                title = title_of(feed);
        green_http_response_free(res);
        return title != NULL ? title : green_fail(rc < 0 ? rc : -ENOENT);
}

static ssize_t
read_list(green_wsgi_request *req, char *list)
{
        size_t have = 0;
        ssize_t n = 0;

        while (have < LIST_MAX - 1 && (n = green_wsgi_read(req, list + have, LIST_MAX - 1 - have)) > 0)
                have += (size_t)n;
        list[have] = '\0';
        return n < 0 ? n : (ssize_t)have;
}

/* A line for each feed, as they were asked for; what came already is sent while later ones are still under way. */
static int
answer(green_wsgi_request *req, green_greenpile *pile)
{
        int rc = green_wsgi_start_response(req, 200, -1), more = 1;
        void *title;

        while (rc == 0 && (more = green_greenpile_next(pile, &title, GREEN_FOREVER)) == 1) {
                int code = green_failed(title);
                const char *text = code != 0 ? green_strerror(code) : title;

                rc = green_wsgi_write(req, text, strlen(text));
                if (rc == 0)
                        rc = green_wsgi_write(req, "\n", 1);
                if (code == 0)
                        free(title);
        }
        return rc != 0 ? rc : more;
}

static int
app(green_wsgi_request *req, void *arg)
{
        struct green_greenpile_opts opts = {.size = sizeof opts, .pool = arg, .drop_result = free};
        green_greenpile *pile;
        char *list, *rest, *url;
        int rc = -ENOMEM;

        if (strcmp(green_wsgi_method(req), "POST") != 0)
                return green_wsgi_respond(req, 405, "text/plain", "POST a list of feeds\n", 21);
        list = malloc(LIST_MAX);
        pile = green_greenpile_new(&opts);
        if (list != NULL && pile != NULL && (rc = (int)read_list(req, list)) >= 0) {
                rc = 0;
                for (url = strtok_r(list, "\r\n", &rest); url != NULL && rc == 0; url = strtok_r(NULL, "\r\n", &rest))
                        rc = green_greenpile_spawn(pile, fetch_title, url);
                if (rc == 0)
                        rc = answer(req, pile);
        }
        green_greenpile_free(pile);
        free(list);
        return rc;
}

int
main(int argc, char **argv)
{
        green_socket *listener = argc == 2 ? green_listen(argv[1], NULL) : NULL;
        green_greenpool *pool = green_greenpool_new(100);
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr here;

        if (argc != 2)
                return fprintf(stderr, "usage: feedscraper ADDRESS\n"), 2;
        client = green_http_client_new(NULL);
        if (listener == NULL || pool == NULL || client == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "%s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);
        return green_wsgi_server(listener, app, pool, NULL) == 0 ? 0 : 1;
}
