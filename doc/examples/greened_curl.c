/*
 * Many transfers at once in one OS thread, by the blocking calls of libcurl, which knows nothing of green threads and is
 * not changed: greened_curl [TRANSFERS]
 *
 * They go to a server in the same OS thread, which answers after a tenth of a second; so one after another they would take
 * as many tenths. One more would never end, and its green thread is killed. (curl_multi.c does the same by libcurl's
 * interface for event loops.)
 */
#include <curl/curl.h>
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
        char url[GREEN_ADDR_TEXT_SIZE + 16];
        char text[64];
        size_t len;
        CURLcode code;
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

/* What a program does that has never heard of green threads. */
//! [fetch]
static void *
fetch(void *arg)
{
        struct page *p = arg;
        CURL *easy = curl_easy_init();

        p->code = CURLE_FAILED_INIT;
        if (easy == NULL)
                return NULL;
        curl_easy_setopt(easy, CURLOPT_URL, p->url);
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* a signal would be for all of them */
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, p);
        p->code = curl_easy_perform(easy);
        curl_easy_cleanup(easy);
        return NULL;
}
//! [fetch]

static green_thread *
begin(struct page *p, const char *address, const char *path)
{
        snprintf(p->url, sizeof p->url, "http://%s%s", address, path);
        return green_spawn(fetch, p);
}

static int
fetch_all(const char *address, int n)
{
        struct page *pages = calloc((size_t)n + 1, sizeof *pages);
        green_thread **gt = calloc((size_t)n + 1, sizeof *gt);
        int fetched = 0;

        if (pages == NULL || gt == NULL)
                exit(1);
        gt[n] = begin(&pages[n], address, "/never");
        for (int i = 0; i < n; i++)
                gt[i] = begin(&pages[i], address, "/");
        for (int i = 0; i < n; i++) {
                (void)!green_thread_wait(gt[i], NULL);
                green_thread_unref(gt[i]);
                if (pages[i].code != CURLE_OK)
                        fprintf(stderr, "greened_curl: %s: %s\n", pages[i].url, curl_easy_strerror(pages[i].code));
                fetched += pages[i].code == CURLE_OK && pages[i].len == 10;
        }
        green_kill(gt[n], 0); /* the call that it waits in fails, and so does the transfer */
        (void)!green_thread_wait(gt[n], NULL);
        green_thread_unref(gt[n]);
        printf("%d transfers, %d at once, and one that was %s\n", fetched, most_running - 1,
               pages[n].code == CURLE_OK ? "fetched" : "killed");
        free(gt);
        free(pages);
        return fetched == n ? 0 : 1;
}

int
main(int argc, char **argv)
{
        const struct green_listen_opts opts = {.size = sizeof opts, .backlog = 1024}; /* all come at once */
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener;
        struct green_addr addr;
        green_thread *server;
        int rc;

        //! [patch]
        if (green_monkey_patch(0) != 0)
                return fprintf(stderr, "greened_curl: %s\n", green_last_error()->message), 1;
        //! [patch]
        listener = green_listen("127.0.0.1:0", &opts);
        if (listener == NULL || green_socket_getsockname(listener, &addr) != 0)
                return fprintf(stderr, "greened_curl: %s\n", green_last_error()->message), 1;
        green_addr_format(&addr, address, sizeof address);
        server = green_spawn(serve, listener);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        rc = fetch_all(address, argc > 1 ? atoi(argv[1]) : 100);
        curl_global_cleanup();
        green_kill(server, 0);
        (void)!green_thread_wait(server, NULL);
        green_thread_unref(server);
        green_socket_free(listener);
        return rc;
}
