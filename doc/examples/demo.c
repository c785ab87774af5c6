/*
 * A page that explains itself: demo [ADDRESS], 127.0.0.1:8080 without one. Each request is served by a green thread;
 * /slow takes a second, and nobody else has to wait for it; /plot/ is drawn from what a WebSocket brings (plot.c), and
 * /guestbook/ is kept in a database in memory (guestbook_pages.c). The other pages are those of httpbin_pages.c.
 */
#include <green/green.h>
#include <green/wsgi_metrics.h>
#include <stdio.h>
#include <string.h>

#include "guestbook_pages.h"
#include "httpbin_pages.h"
#include "live.h"
#include "plot.h"

static unsigned long served;

/* The WebSockets of the live page and of the plot, and one that sends each message back. */
static green_websocket_site *live, *plot, *echo;

/* NULL: this build has no driver for SQLite. */
static struct guestbook *book;

static const char page_top[] =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>green-net</title>\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<style>body{font:17px/1.6 system-ui,sans-serif;max-width:44em;margin:3em auto;padding:0 1em;color:#1b2a1f}"
        "h1{color:#16794a}code,pre{background:#eef5f0;border-radius:4px;padding:.1em .3em}pre{padding:1em;overflow:auto}"
        "table{border-collapse:collapse;margin:1em 0}td{padding:.2em 1.2em .2em 0;border-bottom:1px solid #d5e4da}"
        "#slow{color:#16794a;font-weight:bold}</style></head><body>\n"
        "<h1>It works</h1>\n"
        "<p>This page was made by a C program that knows no callbacks. Each request runs in a green thread, which blocks "
        "as it likes, on one OS thread and one event loop: the hub.</p>\n";

static const char page_bottom[] =
        "<p>Here is a request that sleeps for a second in the server: <button onclick=\"ask()\">ask</button> "
        "<span id=\"slow\"></span> Reload the page in another window meanwhile: it does not wait.</p>\n"
        "<script>async function ask(){const s=document.getElementById('slow');s.textContent='...';"
        "const t=performance.now();const r=await fetch('/slow');"
        "s.textContent=(await r.text()).trim()+' after '+((performance.now()-t)/1000).toFixed(2)+' s';}</script>\n"
        "<p>See it <a href=\"/live/\">at work</a>: requests, green threads, lag and memory, drawn while it serves, with buttons "
        "that load it. And a <a href=\"/plot/\">plot</a>, through a WebSocket; and a "
        "<a href=\"/guestbook/\">guestbook</a>, in a database, through a pool of connections.</p>\n"
        "<p>The whole of the slow part:</p>\n"
        "<pre>green_sleep(1.0);\nreturn green_wsgi_respond(req, 200, \"text/plain\", \"Slept well\", 10);</pre>\n"
        "<p>More to try, in the browser and with curl:</p><table>"
        "<tr><td><a href=\"/echo-environ?a=b\">/echo-environ</a></td><td>the request, as WSGI's environ in JSON</td></tr>"
        "<tr><td><a href=\"/headers\">/headers</a>, <a href=\"/ip\">/ip</a></td><td>its header fields, and who asks</td></tr>"
        "<tr><td><a href=\"/stream\">/stream</a></td><td>lines that come one by one: <code>curl -N</code></td></tr>"
        "<tr><td><a href=\"/status/404\">/status/404</a></td><td>any status: <code>curl -i</code></td></tr>"
        "<tr><td><a href=\"/bytes/10000\">/bytes/10000</a>, <a href=\"/chunked/10000\">/chunked/10000</a></td>"
        "<td>so many bytes, with a length or in chunks</td></tr>"
        "<tr><td><a href=\"/delay/2\">/delay/2</a></td><td>an answer that takes its time</td></tr>"
        "<tr><td>/ws</td><td>a WebSocket, each message back</td></tr>"
        "<tr><td>/echo</td><td>the body back, while it comes: <code>curl -d hello</code></td></tr>"
        "<tr><td>/cksum</td><td>its checksum: <code>curl --data-binary @file</code></td></tr></table>\n"
        "<p>Start it with another back end: <code>GREEN_HUB=name ./dev demo</code>. A name that does not exist says what "
        "there is. The program is <code>doc/examples/demo.c</code>.</p></body></html>\n";

static int
home(green_wsgi_request *req)
{
        struct green_hub_info info = {.size = sizeof(info)};
        char page[8192];
        int len;

        green_hub_get_info(&info);
        len = snprintf(page, sizeof(page),
                       "%s<table><tr><td>Hub</td><td><code>%s</code></td></tr>"
                       "<tr><td>Switching</td><td>%s</td></tr><tr><td>Stacks</td><td>%zu KiB each, %zu in use</td></tr>"
                       "<tr><td>Green threads now</td><td>%zu</td></tr><tr><td>Requests served</td><td>%lu</td></tr>"
                       "<tr><td>Version</td><td>%s</td></tr></table>\n%s",
                       page_top, info.name, info.context, info.stack_size / 1024, info.stacks, info.threads, served,
                       green_version(), page_bottom);
        return green_wsgi_respond(req, 200, "text/html; charset=utf-8", page, (size_t)len);
}

static int
slow(green_wsgi_request *req)
{
        int rc = green_sleep(1.0);

        if (rc != 0)
                return rc;
        return green_wsgi_respond(req, 200, "text/plain", "Slept well", 10);
}

static int
guestbook(green_wsgi_request *req, const char *rest)
{
        int rc;

        if (book == NULL)
                return green_wsgi_respond(req, 503, "text/plain", "There is no driver for SQLite here.\n", 36);
        if (strcmp(rest, "/") == 0)
                return guestbook_page(req, book);
        rc = green_wsgi_add_header(req, "Location", "/guestbook/");
        return rc != 0 ? rc : green_wsgi_respond(req, 301, NULL, "", 0);
}

static int
app(green_wsgi_request *req, void *arg)
{
        const char *path = green_wsgi_path(req, NULL);

        (void)arg;
        served++;
        if (path != NULL && strcmp(path, "/") == 0)
                return home(req);
        if (path != NULL && strcmp(path, "/slow") == 0)
                return slow(req);
        if (path != NULL && strcmp(path, "/metrics") == 0)
                return green_metrics_app(req, NULL);
        if (path != NULL && strcmp(path, "/live/") == 0)
                return live_page(req);
        if (path != NULL && strcmp(path, "/live/data") == 0)
                return green_websocket_app(req, live);
        if (path != NULL && strcmp(path, "/plot/") == 0)
                return plot_page(req);
        if (path != NULL && strcmp(path, "/plot/data") == 0)
                return green_websocket_app(req, plot);
        if (path != NULL && strcmp(path, "/plot/echo") == 0)
                return green_websocket_app(req, echo);
        if (path != NULL && (strcmp(path, "/guestbook") == 0 || strcmp(path, "/guestbook/") == 0))
                return guestbook(req, path + 10);
        return httpbin(req, echo);
}

int
main(int argc, char **argv)
{
        green_socket *listener = green_listen(argc > 1 ? argv[1] : "127.0.0.1:8080", NULL);
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_db_params memory = {.size = sizeof(memory)};
        struct green_addr addr;

        book = guestbook_new("sqlite", &memory);
        live = green_websocket_wsgi(live_data, NULL, NULL);
        plot = green_websocket_wsgi(plot_data, NULL, NULL);
        echo = green_websocket_wsgi(httpbin_ws, NULL, NULL);
        if (listener == NULL || live == NULL || plot == NULL || echo == NULL) {
                fprintf(stderr, "demo: %s\n", green_last_error()->message);
                return 1;
        }
        if (green_socket_getsockname(listener, &addr) == 0) {
                green_addr_format(&addr, text, sizeof(text));
                green_addr_format(&addr, live_address, sizeof(live_address));
                printf("listening on %s\nOpen http://%s/ in a browser; Ctrl-C ends it.\n", text, text);
                fflush(stdout);
        }
        return green_wsgi_server(listener, app, NULL, NULL) != 0;
}
