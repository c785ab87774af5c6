/*
 * A folder as a page.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "static_priv.h"
#include "wsgi_priv.h"

enum { ENTRIES_MAX = 10000 }; /* that are shown */

struct list {
        green_wsgi_request *req;
        const struct green_static *files;
        struct green__static_entry *entries;
        size_t n, room;
        bool top, more; /* it is the root; there were more than can be shown */
};

/* ---- what is there */

/* Names lie in the request's memory, the table does not: it grows. */
static int
add(void *arg, const struct green__static_entry *e)
{
        struct list *list = arg;
        size_t len = strlen(e->name) + 1;
        char *name;

        if (green__static_hidden(list->files, e->name, list->top) || (e->link && !list->files->symlinks))
                return 0;
        if (list->n == ENTRIES_MAX) {
                list->more = true;
                return 1;
        }
        if (list->n == list->room) {
                size_t room = list->room == 0 ? 64 : list->room * 2;
                struct green__static_entry *entries = green_realloc(list->entries, room * sizeof(*entries));

                if (entries == NULL)
                        return -ENOMEM;
                list->entries = entries;
                list->room = room;
        }
        name = green_wsgi_alloc(list->req, len);
        if (name == NULL)
                return -ENOMEM;
        list->entries[list->n] = *e;
        list->entries[list->n++].name = memcpy(name, e->name, len);
        return 0;
}

/* Folders first. */
static int
order(const void *a, const void *b)
{
        const struct green__static_entry *x = a, *y = b;

        if (x->folder != y->folder)
                return x->folder ? -1 : 1;
        return strcmp(x->name, y->name);
}

/* ---- the page */

/* As text of HTML: the quotes too, so that it may stand anywhere. */
static int
say(green_wsgi_request *req, const char *text)
{
        int rc = 0;

        while (rc == 0 && *text != '\0') {
                size_t len = strcspn(text, "&<>\"'");

                if (len > 0)
                        rc = green_wsgi_collect(req, text, len);
                else
                        rc = green_wsgi_printf(req, "&#%d;", *text);
                text += len > 0 ? len : 1;
        }
        return rc;
}

/* "./" goes before a name: with a colon in it it would be a URL with a scheme. */
static int
row(green_wsgi_request *req, const struct green__static_entry *e)
{
        char link[3 * 255 + 1], date[GREEN_WSGI_DATE_SIZE];
        const char *slash = e->folder ? "/" : "";
        int rc;

        if (green_http_quote(e->name, strlen(e->name), 0, link, sizeof(link)) >= sizeof(link))
                return 0;
        rc = green_wsgi_printf(req, "<tr><td><a href=\"./%s%s\">", link, slash);
        if (rc == 0)
                rc = say(req, e->name);
        if (rc != 0 || e->link)
                return rc != 0 ? rc : green_wsgi_printf(req, "</a></td><td></td><td></td></tr>\n");
        (void)green_wsgi_format_date_time(e->mtime, date);
        rc = green_wsgi_printf(req, "%s</a></td><td>%s</td><td>", slash, date);
        if (rc == 0 && !e->folder)
                rc = green_wsgi_printf(req, "%" PRIu64, e->size);
        return rc != 0 ? rc : green_wsgi_printf(req, "</td></tr>\n");
}

static int
page(green_wsgi_request *req, const struct list *list)
{
        static const char begin[] = "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>",
                          middle[] = "</title></head>\n<body>\n<h1>", table[] = "</h1>\n<table>\n";
        const char *path = green_wsgi_path(req, NULL);
        int rc = path == NULL ? -ENOMEM : green_wsgi_set_header(req, "Content-Type", "text/html; charset=utf-8");

        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, -1);
        if (rc == 0)
                rc = green_wsgi_collect(req, begin, sizeof(begin) - 1);
        if (rc == 0)
                rc = say(req, path);
        if (rc == 0)
                rc = green_wsgi_collect(req, middle, sizeof(middle) - 1);
        if (rc == 0)
                rc = say(req, path);
        if (rc == 0)
                rc = green_wsgi_collect(req, table, sizeof(table) - 1);
        if (rc == 0 && !list->top)
                rc = green_wsgi_printf(req, "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
        for (size_t i = 0; rc == 0 && i < list->n; i++)
                rc = row(req, &list->entries[i]);
        return rc != 0 ? rc
                       : green_wsgi_printf(req, "</table>\n%s</body></html>\n", list->more ? "<p>And more.</p>\n" : "");
}

int
green__static_page(green_wsgi_request *req, const struct green_static *files, const struct green__static_file *folder,
                   const char *path)
{
        struct list list = {.req = req, .files = files, .top = *path == '\0'};
        int rc = green__static_each(folder, add, &list);

        if (list.more)
                rc = 0;
        if (rc == 0 && list.n > 0)
                qsort(list.entries, list.n, sizeof(*list.entries), order);
        if (rc == 0)
                rc = page(req, &list);
        green_free(list.entries);
        return rc;
}
