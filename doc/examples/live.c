/* See live.h. */
#include "live.h"

#include <green/metrics.h>
#include <green/wsgi_metrics.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LOAD = 2000 };

char live_address[GREEN_ADDR_TEXT_SIZE];

/* Made of live.html by make. */
static const unsigned char page[] = {
#include "doc/examples/live_page.inc"
};

int
live_page(green_wsgi_request *req)
{
        return green_wsgi_respond(req, 200, "text/html; charset=utf-8", page, sizeof page);
}

/* ---- the load */

/* How many clients there are, and should be, and whose WebSocket said so. */
static struct {
        int clients, wanted;
        const green_websocket *owner;
} load;

/* The whole of an answer: the server keeps the connection, so its length says where it ends. */
static bool
ask(green_socket *s)
{
        static const char request[] = "GET /bytes/100 HTTP/1.1\r\nHost: live\r\n\r\n";
        char answer[2048];
        const char *end = NULL;
        size_t got = 0;

        if (green_socket_sendall(s, request, sizeof request - 1, 0, NULL) != 0)
                return false;
        while (end == NULL || got < (size_t)(end - answer) + 4 + 100) {
                ssize_t n = green_socket_recv(s, answer + got, sizeof answer - 1 - got, 0);

                if (n <= 0)
                        return false;
                got += (size_t)n;
                answer[got] = '\0';
                if (end == NULL)
                        end = strstr(answer, "\r\n\r\n");
        }
        return true;
}

static void *
client(void *arg)
{
        green_socket *s = green_connect(live_address, NULL);

        (void)arg;
        while (s != NULL && load.clients <= load.wanted && ask(s))
                ;
        green_socket_free(s);
        load.clients--;
        return NULL;
}

static void
set_load(int wanted, const green_websocket *owner)
{
        load.wanted = wanted < 0 ? 0 : wanted > MOST_LOAD ? MOST_LOAD : wanted;
        load.owner = owner;
        while (load.clients < load.wanted) {
                load.clients++;
                if (green_spawn_n(client, NULL) != 0) {
                        load.clients--;
                        break;
                }
        }
}

/* ---- what is shown */

/* KiB of memory, as the system counts it; 0 where it does not tell. */
static long
resident(void)
{
        long kib = 0;
        char line[128];
        FILE *f = fopen("/proc/self/status", "r");

        if (f != NULL) {
                while (kib == 0 && fgets(line, sizeof line, f) != NULL)
                        if (sscanf(line, "VmRSS: %ld", &kib) != 1)
                                kib = 0;
                fclose(f);
        }
        return kib;
}

/* The 99 of 100 that are not above, of what was counted between two looks. */
static double
since(const struct green_metrics_histogram *now, const struct green_metrics_histogram *before)
{
        struct green_metrics_histogram h = {.count = now->count - before->count, .most_ns = now->most_ns};

        for (int i = 0; i < GREEN_METRICS_BUCKETS; i++)
                h.buckets[i] = now->buckets[i] - before->buckets[i];
        return green_metrics_quantile(&h, 0.99);
}

struct look {
        struct green_metrics hub;
        struct green_wsgi_metrics http;
};

static void
take_look(struct look *l)
{
        l->hub.size = sizeof l->hub;
        l->http.size = sizeof l->http;
        (void)green_metrics_get(&l->hub, false);
        (void)green_wsgi_get_metrics(&l->http);
}

static int
send_look(green_websocket *ws, const struct look *now, const struct look *before, double seconds)
{
        char text[512];

        snprintf(text, sizeof text,
                 "{\"requests\":%.0f,\"switches\":%.0f,\"threads\":%llu,\"lag\":%.6f,\"latency\":%.6f,\"memory\":%ld,"
                 "\"connections\":%llu,\"load\":%d,\"total\":%llu}",
                 (double)(now->http.requests - before->http.requests) / seconds,
                 (double)(now->hub.switches - before->hub.switches) / seconds, (unsigned long long)now->hub.threads,
                 since(&now->hub.lag, &before->hub.lag), since(&now->http.times, &before->http.times), resident(),
                 (unsigned long long)now->http.connections, load.clients, (unsigned long long)now->http.requests);
        return green_websocket_send_text(ws, text);
}

static void *
send_looks(void *arg)
{
        const double pause = 0.25;
        struct look looks[2];
        int rc = 0;

        take_look(&looks[0]);
        for (unsigned n = 1; rc == 0; n++) {
                rc = green_sleep(pause);
                if (rc != 0)
                        break;
                take_look(&looks[n % 2]);
                rc = send_look(arg, &looks[n % 2], &looks[(n + 1) % 2], pause);
        }
        return NULL;
}

int
live_data(green_websocket *ws, void *arg)
{
        green_thread *sender = green_spawn(send_looks, ws);
        struct green_websocket_message m;
        int rc = sender != NULL ? 0 : green_last_error()->code;

        (void)arg;
        while (rc == 0 && (rc = green_websocket_wait(ws, &m)) == 1) {
                rc = 0;
                if (m.len > 5 && m.len < 16 && memcmp(m.data, "load ", 5) == 0)
                        set_load(atoi((const char *)m.data + 5), ws);
        }
        if (load.owner == ws)
                set_load(0, NULL);
        green_thread_kill(sender, 0);
        green_thread_unref(sender);
        return rc;
}
