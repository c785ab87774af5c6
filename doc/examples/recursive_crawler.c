/*
 * A recursive crawler: recursive_crawler URL
 *
 * Fetches a page and, in green threads of their own, all that it links to on the same host, and so on. Nothing is
 * locked: between two calls that wait, a green thread has the program to itself.
 */
#include "links.h"
#include "seen.h"

#include <green/green.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_MAX = 8 << 20 };

static green_http_client *client;
static green_greenpool *pool;
static struct seen seen;
static const char *start;
static unsigned fetched, failed;

static void *fetch(void *url);

static void
follow(const char *page)
{
        size_t len;

        for (const char *at = page; (len = next_link(&at)) > 0; at += len) {
                const char *next = strncmp(at, start, host_len(start)) == 0 ? seen_add(&seen, at, len) : NULL;

                /* Where the pool is full this runs it here and now: a pool cannot deadlock on itself. */
                if (next != NULL && green_greenpool_spawn_n(pool, fetch, (void *)(uintptr_t)next) != 0)
                        failed++;
        }
}

static void *
fetch(void *url)
{
        green_http_response *res = NULL;
        char *page = NULL, *copy = NULL;
        size_t len = 0;
        int rc = green_http_get(client, url, NULL, &res);

        if (rc == 0)
                rc = green_http_read_all(res, PAGE_MAX, &page, &len);
        if (rc != 0 || green_http_response_status(res) != 200) {
                failed++;
                fprintf(stderr, "%s: %s\n", (const char *)url, rc < 0 ? green_strerror(rc) : "not 200");
        }
        /* The connection is for others while this page's links are followed. */
        if (rc == 0 && (copy = green_malloc(len + 1)) != NULL)
                memcpy(copy, page, len + 1);
        green_http_response_free(res);
        fetched += rc == 0;
        if (copy != NULL)
                follow(copy);
        green_free(copy);
        return NULL;
}

int
main(int argc, char **argv)
{
        const char *first;

        if (argc != 2)
                return fprintf(stderr, "usage: recursive_crawler URL\n"), 2;
        start = argv[1];
        pool = green_greenpool_new(20);
        client = green_http_client_new(NULL);
        first = pool != NULL && client != NULL ? seen_add(&seen, start, strlen(start)) : NULL;
        if (first == NULL || green_greenpool_spawn_n(pool, fetch, (void *)(uintptr_t)first) != 0 ||
            green_greenpool_waitall(pool, GREEN_FOREVER) != 0)
                return 1;
        printf("%u pages, %u failed\n", fetched, failed);
        green_greenpool_free(pool);
        green_http_client_free(client);
        seen_free(&seen);
        return failed > 0;
}
