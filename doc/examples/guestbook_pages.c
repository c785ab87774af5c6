/*
 * A guestbook on a pool of connections.
 *
 * What people write goes into statements as parameters, never as text of theirs, and into the page with its markup
 * taken out. A page that gets no connection in time is answered with 503: better than a queue that grows.
 */
#include "guestbook_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes that a form may have: everything encoded takes three times as much. */
enum { MOST_NAME = 60, MOST_WORDS = 1000, MOST_FORM = 4096, MOST_SHOWN = 50 };

/* Seconds that a page waits for a connection. */
static const double PATIENCE = 2;

struct guestbook {
        green_db_pool *pool;
        const char *create; /* its table, in the database's own words */
};

static const char list[] = "select at, name, words from guestbook order by id desc limit $1";
static const char insert[] = "insert into guestbook (at, name, words) values ($1, $2, $3)";

/* ---- the database */

/* A new connection: the table is there, and the statements are prepared; they stay with it. */
static int
on_connect(green_db_conn *conn, void *arg)
{
        const struct guestbook *book = arg;
        green_db_stmt *stmt;
        int rc = green_db_conn_execute(conn, book->create, GREEN_DB_NO_PARAMS, NULL);

        /* Another connection has made it at the same time: postgres says so in this way. */
        if (rc == GREEN_EDBCONSTRAINT)
                rc = green_db_conn_execute(conn, book->create, GREEN_DB_NO_PARAMS, NULL);
        if (rc == 0)
                rc = green_db_conn_prepare(conn, list, &stmt);
        return rc != 0 ? rc : green_db_conn_prepare(conn, insert, &stmt);
}

struct guestbook *
guestbook_new(const char *driver, const struct green_db_params *params)
{
        bool postgres = strcmp(driver, "postgres") == 0;
        bool memory = !postgres && (params->database == NULL || strcmp(params->database, ":memory:") == 0);
        struct guestbook *book = calloc(1, sizeof *book);
        struct green_db_pool_opts opts = {
                .size = sizeof opts, .driver = driver, .params = params, .on_connect = on_connect, .arg = book};

        if (book == NULL)
                return NULL;
        book->create = postgres ? "create table if not exists guestbook (id bigserial primary key, at bigint not null,"
                                  " name text not null, words text not null)"
                                : "create table if not exists guestbook (id integer primary key, at integer not null,"
                                  " name text not null, words text not null)";
        /* What is in memory is its connection's, and gone with it. */
        if (memory) {
                opts.max_size = 1;
                opts.max_idle = opts.max_age = GREEN_FOREVER;
        }
        book->pool = green_db_pool_new(&opts);
        if (book->pool == NULL) {
                free(book);
                return NULL;
        }
        return book;
}

/* One of the two statements, on a connection of the pool. */
static int
run(struct guestbook *book, const char *sql, const struct green_db_value *values, size_t n,
    green_db_result **ret_result)
{
        green_db_conn *conn;
        green_db_stmt *stmt;
        int rc = green_db_pool_get(book->pool, &conn, PATIENCE);

        if (rc != 0)
                return rc;
        rc = green_db_conn_prepare(conn, sql, &stmt); /* found, as on_connect has prepared it */
        if (rc == 0)
                rc = green_db_stmt_execute(stmt, values, n, ret_result);
        green_db_pool_put(book->pool, conn);
        return rc;
}

/* ---- the page */

static const char page_top[] =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Guestbook</title>\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<style>body{font:17px/1.6 system-ui,sans-serif;max-width:44em;margin:3em auto;padding:0 1em;color:#1b2a1f}"
        "h1{color:#16794a}article{border-top:1px solid #d5e4da;padding:.6em 0}article p{margin:0;white-space:pre-wrap;"
        "overflow-wrap:anywhere}small{color:#5a7263}input,textarea{font:inherit;width:100%;box-sizing:border-box}"
        "</style></head><body>\n<h1>Guestbook</h1>\n"
        "<form method=\"post\" accept-charset=\"utf-8\"><p><label>Name <input name=\"name\" maxlength=\"60\" required>"
        "</label></p><p><label>Words <textarea name=\"words\" rows=\"3\" maxlength=\"1000\" "
        "required></textarea></label>"
        "</p><p><button>Write</button></p></form>\n";

/* Text of somebody's, so that it is no markup. */
static int
collect_text(green_wsgi_request *req, const char *text)
{
        int rc = 0;

        while (rc == 0 && *text != '\0') {
                size_t plain = strcspn(text, "&<>\"'");

                rc = green_wsgi_collect(req, text, plain);
                text += plain;
                if (rc == 0 && *text != '\0')
                        rc = green_wsgi_printf(req, "&#%d;", *text++);
        }
        return rc;
}

static int
collect_entry(green_wsgi_request *req, green_db_result *rows)
{
        char date[GREEN_WSGI_DATE_SIZE] = "";
        int64_t at = 0;
        int rc = green_db_result_int64(rows, 0, &at);

        if (rc == 0)
                (void)green_wsgi_format_date_time(at, date);
        rc = green_wsgi_printf(req, "<article><small>");
        if (rc == 0)
                rc = collect_text(req, green_db_result_text(rows, 1));
        if (rc == 0)
                rc = green_wsgi_printf(req, ", %s</small><p>", date);
        if (rc == 0)
                rc = collect_text(req, green_db_result_text(rows, 2));
        return rc != 0 ? rc : green_wsgi_printf(req, "</p></article>\n");
}

/* What is wrong, to somebody who can do something about it; and what the database says, to the log. */
static int
sorry(green_wsgi_request *req, int rc)
{
        static const char text[] = "The guestbook is busy. Please try again.\n";

        if (rc == GREEN_EKILLED || rc == -ENOMEM)
                return rc;
        green_log(GREEN_LOG_WARNING, "guestbook: %s", green_strerror(rc));
        (void)green_wsgi_add_header(req, "Retry-After", "2");
        return green_wsgi_respond(req, 503, "text/plain", text, sizeof text - 1);
}

static int
show(green_wsgi_request *req, struct guestbook *book)
{
        green_db_result *rows;
        int rc = run(book, list, GREEN_DB_PARAMS(green_db_int64(MOST_SHOWN)), &rows);

        if (rc != 0)
                return sorry(req, rc);
        rc = green_wsgi_add_header(req, "Content-Type", "text/html; charset=utf-8");
        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, -1);
        if (rc == 0)
                rc = green_wsgi_collect(req, page_top, sizeof page_top - 1);
        while (rc == 0 && green_db_result_next(rows) == 1)
                rc = collect_entry(req, rows);
        green_db_result_free(rows);
        return rc != 0 ? rc : green_wsgi_printf(req, "</body></html>\n");
}

/* Is it UTF-8? Some databases take what is not, and others do not. */
static bool
is_text(const char *text)
{
        const unsigned char *p = (const unsigned char *)text;

        while (*p != '\0') {
                unsigned c = *p++, least;
                int more = c < 0x80                ? 0
                           : c >= 0xc2 && c < 0xe0 ? 1
                           : c >= 0xe0 && c < 0xf0 ? 2
                           : c >= 0xf0 && c < 0xf5 ? 3
                                                   : -1;

                if (more < 0)
                        return false;
                least = more == 2 ? 0x800 : more == 3 ? 0x10000 : 0;
                c &= more == 0 ? 0x7f : 0x3fu >> more;
                for (int i = 0; i < more; i++, p++) {
                        if ((*p & 0xc0) != 0x80)
                                return false;
                        c = c << 6 | (*p & 0x3f);
                }
                if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                        return false;
        }
        return true;
}

/* A field of the form, if it is there, is text, and not too long. */
static const char *
field(green_wsgi_request *req, const char *name, size_t most)
{
        const char *text = green_wsgi_form_value(req, name);

        if (text == NULL || text[strspn(text, " \t\r\n")] == '\0' || strlen(text) > most || !is_text(text))
                return NULL;
        return text;
}

static int
add(green_wsgi_request *req, struct guestbook *book)
{
        static const char bad[] = "Name and words are needed, of at most 60 and 1000 bytes.\n";
        const char *name, *words;
        int rc = green_wsgi_form_read(req, MOST_FORM);

        if (rc == -EMSGSIZE || rc == -EINVAL)
                return green_wsgi_respond(req, rc == -EINVAL ? 415 : 413, "text/plain", bad, sizeof bad - 1);
        if (rc != 0)
                return rc;
        name = field(req, "name", MOST_NAME);
        words = field(req, "words", MOST_WORDS);
        if (name == NULL || words == NULL)
                return green_wsgi_respond(req, 400, "text/plain", bad, sizeof bad - 1);
        rc = run(book, insert, GREEN_DB_PARAMS(green_db_int64(time(NULL)), green_db_text(name), green_db_text(words)),
                 NULL);
        if (rc != 0)
                return sorry(req, rc);
        /* So that loading the page again does not write again. */
        rc = green_wsgi_add_header(req, "Location", "./");
        return rc != 0 ? rc : green_wsgi_respond(req, 303, "text/plain", "Written\n", 8);
}

int
guestbook_page(green_wsgi_request *req, struct guestbook *book)
{
        const char *method = green_wsgi_method(req);

        if (strcmp(method, "POST") == 0)
                return add(req, book);
        if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
                return show(req, book);
        (void)green_wsgi_add_header(req, "Allow", "GET, HEAD, POST");
        return green_wsgi_respond(req, 405, "text/plain", "Method Not Allowed\n", 19);
}
