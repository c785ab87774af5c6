/*
 * A guestbook, in a database: guestbook [OPTION...] [ADDRESS], 127.0.0.1:8000 without one; and without options a
 * database in memory, which is gone when the program ends.
 *
 *     guestbook --database guestbook.db                          a file of SQLite
 *     guestbook --db postgres --host db.example --user guests --database guests
 *
 * Where PostgreSQL wants a password, it comes from PGPASSWORD or ~/.pgpass. It prints "listening on ADDRESS" once it
 * takes connections. The page is in guestbook_pages.c.
 */
#include <errno.h>
#include <getopt.h>
#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guestbook_pages.h"

static int
app(green_wsgi_request *req, void *book)
{
        const char *path = green_wsgi_path(req, NULL);

        if (path == NULL)
                return -ENOMEM;
        if (strcmp(path, "/") != 0)
                return green_wsgi_respond(req, 404, "text/plain", "Not Found\n", 10);
        return guestbook_page(req, book);
}

static int
usage(void)
{
        fprintf(stderr, "usage: guestbook [OPTION...] [ADDRESS]\n"
                        "  --db NAME        sqlite, or postgres\n"
                        "  --database NAME  sqlite: a file; postgres: a database\n"
                        "  --host NAME      of postgres: a name, or the folder of its socket\n"
                        "  --port NUMBER    of postgres\n"
                        "  --user NAME      of postgres\n");
        return 2;
}

/* What the command line says; the first argument that is no option, or -1. */
static int
read_command_line(int argc, char **argv, const char **driver, struct green_db_params *params)
{
        static const struct option options[] = {
                {"database", required_argument, NULL, 'd'}, {"db", required_argument, NULL, 'b'},
                {"host", required_argument, NULL, 'h'},     {"port", required_argument, NULL, 'p'},
                {"user", required_argument, NULL, 'u'},     {NULL, 0, NULL, 0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case 'b':
                        *driver = optarg;
                        break;
                case 'd':
                        params->database = optarg;
                        break;
                case 'h':
                        params->host = optarg;
                        break;
                case 'p':
                        params->port = (unsigned)strtoul(optarg, NULL, 10);
                        break;
                case 'u':
                        params->user = optarg;
                        break;
                default:
                        return -1;
                }
        return argc - optind <= 1 ? optind : -1;
}

int
main(int argc, char **argv)
{
        struct green_db_params params = {.size = sizeof params};
        const char *driver = "sqlite";
        int first = read_command_line(argc, argv, &driver, &params), rc;
        char text[GREEN_ADDR_TEXT_SIZE];
        struct guestbook *book;
        green_socket *listener;
        struct green_addr here;

        if (first < 0)
                return usage();
        book = guestbook_new(driver, &params);
        if (book == NULL)
                return fprintf(stderr, "guestbook: %s\n", green_last_error()->message), 1;
        listener = green_listen(first < argc ? argv[first] : "127.0.0.1:8000", NULL);
        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "guestbook: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);

        rc = green_wsgi_server(listener, app, book, NULL);
        fprintf(stderr, "guestbook: %s\n", green_strerror(rc));
        green_socket_free(listener);
        return 1;
}
