/*
 * A recursive crawler: recursive_crawler URL
 *
 * Fetches a page and, in green threads of their own, all that it links to on the same host, and so on. Nothing is
 * locked: between two calls that wait, a green thread has the program to itself.
 */
#include "http_get.h"
#include "seen.h"

#include <green/net.h>
#include <stdio.h>
#include <string.h>

static green_greenpool *pool;
static struct seen seen;
static const char *start;
static size_t host_len; /* of start: "http://host" */
static unsigned fetched, failed;

static void *
fetch(void *url)
{
        char *body = NULL;
        size_t len = 0;
        int status = http_get(url, &body, &len);

        if (status != 200) {
                failed++;
                fprintf(stderr, "%s: %s\n", (const char *)url, status < 0 ? green_strerror(status) : "not 200");
        }
        if (status < 0)
                return NULL;
        fetched++;
        for (const char *at = body; (len = http_next_link(&at)) > 0; at += len) {
                const char *next = strncmp(at, start, host_len) == 0 ? seen_add(&seen, at, len) : NULL;

                /* Where the pool is full this runs it here and now: a pool cannot deadlock on itself. */
                if (next != NULL && green_greenpool_spawn_n(pool, fetch, (void *)(uintptr_t)next) != 0)
                        failed++;
        }
        green_free(body);
        return NULL;
}

int
main(int argc, char **argv)
{
        const char *first;

        if (argc != 2)
                return fprintf(stderr, "usage: recursive_crawler URL\n"), 2;
        start = argv[1];
        host_len = strlen("http://") + strcspn(start + strlen("http://"), "/");
        pool = green_greenpool_new(20);
        first = pool != NULL ? seen_add(&seen, start, strlen(start)) : NULL;
        if (first == NULL || green_greenpool_spawn_n(pool, fetch, (void *)(uintptr_t)first) != 0 ||
            green_greenpool_waitall(pool, GREEN_FOREVER) != 0)
                return 1;
        printf("%u pages, %u failed\n", fetched, failed);
        green_greenpool_free(pool);
        seen_free(&seen);
        return failed > 0;
}
