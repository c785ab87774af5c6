/*
 * What HTTP servers count, and the application that shows all metrics. See <green/wsgi_metrics.h>.
 *
 * Each server counts for itself, in its OS thread; others read. A request's time ends when the last of its answer is given to
 * the system. Answers that are collected have come with one read of the connection, so one clock reading at its beginning and
 * one when they are sent do for all of them.
 */
#include <pthread.h>
#include <string.h>

#include <green/hubs.h>
#include <green/wsgi_metrics.h>

#include "wsgi_priv.h"
#include "at_fork.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct green__server *servers;   /* that run */
static struct green_wsgi_metrics ended; /* of those that have ended */
static struct green_metrics_source source;

/* ---- counting */

static void
observe(const green_wsgi_request *req)
{
        green_metrics_observe(&req->session->server->counts.times, green__wsgi_now() - req->came);
}

void
green__wsgi_metrics_upgraded(green_wsgi_request *req)
{
        green__wsgi_metrics_count(req);
        observe(req);
}

void
green__wsgi_metrics_ended(green_wsgi_request *req)
{
        struct green__session *s = req->session;

        if (s->out_len == 0) {
                observe(req);
                return;
        }
        /* Those before it have not come with it, as of a chunked body: they end now, as good as. */
        green__wsgi_metrics_sent(s);
        s->unsent = 1;
        s->unsent_came = req->came;
}

void
green__wsgi_metrics_sent_some(struct green__session *s)
{
        int64_t time = green__wsgi_now() - s->unsent_came;

        for (; s->unsent > 0; s->unsent--)
                green_metrics_observe(&s->server->counts.times, time);
}

/* ---- reading */

static void
add_times(struct green_metrics_histogram *to, const struct green_metrics_histogram *h)
{
        uint64_t most = green__noted(&h->most_ns);

        to->count += green__noted(&h->count);
        to->sum_ns += green__noted(&h->sum_ns);
        if (most > to->most_ns)
                to->most_ns = most;
        for (size_t i = 0; i < GREEN_METRICS_BUCKETS; i++)
                to->buckets[i] += green__noted(&h->buckets[i]);
}

/* What only grows. */
static void
add_requests(struct green_wsgi_metrics *to, const struct green__server_counts *c)
{
        for (size_t i = 0; i < sizeof c->status / sizeof c->status[0]; i++) {
                uint64_t n = green__noted(&c->status[i]);

                to->status[i] += n;
                to->requests += n;
        }
        add_times(&to->times, &c->times);
}

/* The metrics, and how many WebSockets are open. */
static struct green_wsgi_metrics
look(uint64_t *ret_websockets)
{
        struct green_wsgi_metrics full;

        *ret_websockets = 0;
        pthread_mutex_lock(&lock);
        full = ended;
        for (const struct green__server *server = servers; server != NULL; server = server->servers_next) {
                full.connections += green__noted(&server->counts.connections);
                full.idle += green__noted(&server->counts.idle);
                *ret_websockets += green__noted(&server->counts.websockets);
                add_requests(&full, &server->counts);
        }
        pthread_mutex_unlock(&lock);
        return full;
}

int
green_wsgi_get_metrics(struct green_wsgi_metrics *m)
{
        struct green_wsgi_metrics full;
        uint64_t websockets;

        if (m == NULL || m->size < sizeof(m->size) || m->size > sizeof(*m))
                return -EINVAL;
        full = look(&websockets);
        full.size = m->size;
        memcpy(m, &full, m->size);
        return 0;
}

static void
tell(struct green_metrics_to *to, void *arg)
{
        static const char *const labels[] = {"status=\"none\"", "status=\"1xx\"", "status=\"2xx\"",
                                             "status=\"3xx\"",  "status=\"4xx\"", "status=\"5xx\""};
        uint64_t websockets;
        struct green_wsgi_metrics m = look(&websockets);

        (void)arg;
        green_metrics_gauge(to, "green_http_connections", "HTTP connections that are open.", NULL, (double)m.connections);
        green_metrics_gauge(to, "green_http_connections_idle", "HTTP connections without a request.", NULL, (double)m.idle);
        green_metrics_gauge(to, "green_http_websockets", "WebSockets that are open.", NULL, (double)websockets);
        for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
                green_metrics_counter(to, "green_http_requests_total", "HTTP requests answered.", labels[i],
                                      (double)m.status[i]);
        green_metrics_seconds(to, "green_http_request_seconds",
                              "From the first byte of a request to the last of its answer.", NULL, &m.times);
}

/* ---- servers */

static void
before_fork(void)
{
        pthread_mutex_lock(&lock);
}

static void
in_parent(void)
{
        pthread_mutex_unlock(&lock);
}

/* Under the lock. */
static void
take_off(struct green__server *server)
{
        struct green__server **at = &servers;

        while (*at != NULL && *at != server)
                at = &(*at)->servers_next;
        if (*at == NULL)
                return;
        *at = server->servers_next;
        add_requests(&ended, &server->counts);
}

/* Those of other OS threads have ended, unrun; of the others only the request that has forked goes on. */
static void
in_child(void)
{
        green_thread *self;
        /* Without making a hub where there is none. */
        uint64_t here = green_park_check_mt(0, &self) == 0 ? green_hub_ident() : 0;

        for (struct green__server *server = servers, *next; server != NULL; server = next) {
                next = server->servers_next;
                if (server->counts.hub != here)
                        take_off(server);
                else
                        green__wsgi_forked(server);
        }
        pthread_mutex_unlock(&lock);
}

static void
install(void)
{
        green__web_at_fork(before_fork, in_parent, in_child);
        (void)green_metrics_add(&source, tell, NULL);
}

static void
forget(void *arg)
{
        pthread_mutex_lock(&lock);
        take_off(arg);
        pthread_mutex_unlock(&lock);
}

void
green__wsgi_metrics_begin(struct green__server *server)
{
        (void)pthread_once(&once, install);
        server->counts.hub = green_hub_ident();
        (void)!green_hub_at_end(&server->counts.hub_end, forget, server);
        pthread_mutex_lock(&lock);
        server->servers_next = servers;
        servers = server;
        pthread_mutex_unlock(&lock);
}

void
green__wsgi_metrics_end(struct green__server *server)
{
        green_hub_end_drop(&server->counts.hub_end);
        forget(server);
}

/* ---- the application */

struct page {
        char *text;
        size_t len, size;
        bool failed;
};

static void
add_text(void *arg, const char *text, size_t len)
{
        struct page *page = arg;

        if (page->failed)
                return;
        if (page->size - page->len < len) {
                size_t size = page->len + len + (page->size > 4096 ? page->size : 4096);
                char *grown = green_realloc(page->text, size);

                page->failed = grown == NULL;
                if (page->failed)
                        return;
                page->text = grown;
                page->size = size;
        }
        memcpy(page->text + page->len, text, len);
        page->len += len;
}

int
green_metrics_app(green_wsgi_request *req, void *arg)
{
        struct page page = {NULL, 0, 0, false};
        const char *method;
        int rc;

        (void)arg;
        if (req == NULL)
                return -EINVAL;
        method = green_wsgi_method(req);
        if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
                rc = green_wsgi_add_header(req, "Allow", "GET, HEAD");
                return rc != 0 ? rc : green_wsgi_respond(req, 405, "text/plain", "405 Method Not Allowed\r\n", 24);
        }
        (void)green_metrics_format(add_text, &page);
        rc = page.failed ? -ENOMEM
                         : green_wsgi_respond(req, 200, "text/plain; version=0.0.4; charset=utf-8", page.text, page.len);
        green_free(page.text);
        return rc;
}
