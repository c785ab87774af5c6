/*
 * What workers are doing, as a page. See <green/workers_app.h>.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <green/workers_app.h>

#include "wsgi_priv.h"

static const char *const states[] = {"down", "starting", "ready", "ending"};

static int
put_stats(green_wsgi_request *req, const struct green_wsgi_stats *s)
{
        return green_wsgi_printf(
                req,
                "\"connections\": %zu, \"idle\": %zu, \"running\": %zu, \"waiting\": %zu, \"accepted\": %llu, "
                "\"requests\": %llu, \"refused\": %llu, \"failed\": %llu, \"bytes_in\": %llu, \"bytes_out\": %llu",
                s->connections, s->idle, s->running, s->waiting, (unsigned long long)s->accepted,
                (unsigned long long)s->requests, (unsigned long long)s->refused, (unsigned long long)s->failed,
                (unsigned long long)s->bytes_in, (unsigned long long)s->bytes_out);
}

static int
put_worker(green_wsgi_request *req, const struct green_worker_status *w, const struct green_wsgi_stats *stats)
{
        int rc = green_wsgi_printf(
                req, "%s\n  {\"index\": %zu, \"pid\": %ld, \"state\": \"%s\", \"age\": %.1f, \"restarts\": %u",
                w->index > 0 ? "," : "", w->index, (long)w->pid, states[w->state], w->age, w->restarts);

        if (rc == 0 && stats != NULL)
                rc = green_wsgi_printf(req, ", ");
        if (rc == 0 && stats != NULL)
                rc = put_stats(req, stats);
        return rc == 0 ? green_wsgi_printf(req, "}") : rc;
}

static int
put_all(green_wsgi_request *req, bool with_stats)
{
        struct green_worker_status w;
        struct green_wsgi_stats stats, sum = {0};
        int rc = green_wsgi_printf(req, "{\"supervisor\": %ld, \"workers\": [", (long)green_workers_supervisor());

        for (size_t i = 0; rc == 0 && green_workers_status(i, &w); i++) {
                if (with_stats && w.shared != NULL) {
                        stats = (struct green_wsgi_stats){0};
                        green__stats_add(&stats, w.shared);
                        green__stats_add(&sum, &stats);
                }
                rc = put_worker(req, &w, with_stats && w.shared != NULL ? &stats : NULL);
        }
        if (rc == 0)
                rc = green_wsgi_printf(req, "\n]");
        if (rc == 0 && with_stats) {
                rc = green_wsgi_printf(req, ",\n\"sum\": {");
                if (rc == 0)
                        rc = put_stats(req, &sum);
                if (rc == 0)
                        rc = green_wsgi_printf(req, "}");
        }
        return rc == 0 ? green_wsgi_printf(req, "}\n") : rc;
}

int
green_workers_app(green_wsgi_request *req, void *arg)
{
        const char *method = green_wsgi_method(req);
        int rc;

        if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
                rc = green_wsgi_set_header(req, "Allow", "GET, HEAD");
                return rc != 0 ? rc : green_wsgi_respond(req, 405, "text/plain", "only GET\n", 9);
        }
        if (green_workers_supervisor() == 0)
                return green_wsgi_respond(req, 503, "text/plain", "no workers run here\n", 20);
        rc = green_wsgi_add_header(req, "Content-Type", "application/json");
        if (rc == 0)
                rc = green_wsgi_add_header(req, "Cache-Control", "no-store");
        if (rc == 0)
                rc = green_wsgi_start_response(req, 200, -1);
        return rc == 0 ? put_all(req, arg == GREEN_WORKERS_STATS) : rc;
}
