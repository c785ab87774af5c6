/*
 * Many transfers at once in one OS thread, by libcurl, which knows nothing of green threads: curl_multi [TRANSFERS]
 *
 * They go to a server in the same OS thread, which answers after a short sleep. Each is a green thread's blocking call;
 * one more, which would never end, is killed. What makes libcurl wait by the hub is in curl_hub.c.
 */
#include "curl_hub.h"

#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int running, most_running;

static int
answer(green_wsgi_request *req, void *arg)
{
        int rc;

        (void)arg;
        if (++running > most_running)
                most_running = running;
        rc = green_sleep(strcmp(green_wsgi_path(req, NULL), "/never") == 0 ? GREEN_FOREVER : 0.1);
        running--;
        if (rc != 0)
                return 0; /* the server ends, and so do those who have not got an answer */
        return green_wsgi_respond(req, 200, "text/plain", "Slept well", 10);
}

static void *
serve(void *listener)
{
        const struct green_wsgi_server_opts opts = {.size = sizeof opts, .shutdown_timeout = 0.01};

        return green_fail(green_wsgi_server(listener, answer, NULL, &opts));
}

/* A page that is fetched. */
struct page {
        struct curl_hub *hub;
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        char text[64];
        size_t len;
        bool fetched;
};

static size_t
keep(char *data, size_t size, size_t n, void *arg)
{
        struct page *p = arg;

        if (n > sizeof p->text - p->len)
                return 0;
        memcpy(p->text + p->len, data, size * n);
        p->len += n;
        return n;
}

/* In a green thread: it looks like a call of curl_easy_perform(). */
static void *
fetch(void *arg)
{
        struct page *p = arg;
        CURL *easy = curl_easy_init();
        CURLcode code = CURLE_FAILED_INIT;
        int rc = -ENOMEM;

        if (easy != NULL) {
                curl_easy_setopt(easy, CURLOPT_URL, p->url);
                curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
                curl_easy_setopt(easy, CURLOPT_WRITEDATA, p);
                rc = curl_hub_perform(p->hub, easy, &code);
                curl_easy_cleanup(easy);
        }
        if (rc != 0)
                return green_fail(rc);
        if (code != CURLE_OK)
                fprintf(stderr, "curl_multi: %s: %s\n", p->url, curl_easy_strerror(code));
        p->fetched = code == CURLE_OK && p->len == 10 && memcmp(p->text, "Slept well", 10) == 0;
        return NULL;
}

static green_thread *
begin(struct page *p, struct curl_hub *hub, const char *address, const char *path)
{
        p->hub = hub;
        snprintf(p->url, sizeof p->url, "http://%s%s", address, path);
        return green_spawn(fetch, p);
}

static void
fetch_all(struct curl_hub *hub, const char *address, int n)
{
        struct page *pages = calloc((size_t)n + 1, sizeof *pages);
        green_thread **gt = calloc((size_t)n + 1, sizeof *gt);
        int fetched = 0, rc;

        if (pages == NULL || gt == NULL)
                exit(1);
        gt[n] = begin(&pages[n], hub, address, "/never");
        for (int i = 0; i < n; i++)
                gt[i] = begin(&pages[i], hub, address, "/");
        for (int i = 0; i < n; i++) {
                rc = green_thread_wait(gt[i], NULL);
                if (rc != 0)
                        fprintf(stderr, "curl_multi: %s\n", green_strerror(rc));
                fetched += pages[i].fetched;
                green_thread_unref(gt[i]);
        }
        green_kill(gt[n], 0); /* cancels the transfer */
        rc = green_thread_wait(gt[n], NULL);
        green_thread_unref(gt[n]);
        printf("%d transfers, %d at once, and one that was %s\n", fetched, most_running - 1, green_strerror(rc));
        free(gt);
        free(pages);
}

int
main(int argc, char **argv)
{
        green_socket *listener = green_listen("127.0.0.1:0", NULL);
        char address[GREEN_ADDR_TEXT_SIZE];
        struct curl_hub *hub;
        struct green_addr addr;
        green_thread *server;

        if (listener == NULL || green_socket_getsockname(listener, &addr) != 0)
                return fprintf(stderr, "curl_multi: %s\n", green_last_error()->message), 1;
        green_addr_format(&addr, address, sizeof address);
        server = green_spawn(serve, listener);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        hub = curl_hub_new();
        if (hub == NULL || server == NULL)
                return fprintf(stderr, "curl_multi: out of memory\n"), 1;
        fetch_all(hub, address, argc > 1 ? atoi(argv[1]) : 50);
        curl_hub_free(hub);
        curl_global_cleanup();
        green_kill(server, 0);
        (void)!green_thread_wait(server, NULL);
        green_thread_unref(server);
        green_socket_free(listener);
        return 0;
}
