/*
 * A crawler of producers and a consumer: queue_crawler URL
 *
 * The consumer takes addresses from a queue and starts a green thread for each; those are the producers, which put the
 * links they find into the queue. It ends when the queue is empty and nobody is left who could fill it.
 */
#include "links.h"
#include "seen.h"

#include <green/green.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 8 << 20 };

static green_http_client *client;
static green_queue *found;
static unsigned fetched;

static void
put_links(const char *page)
{
        size_t len;

        for (const char *at = page; (len = next_link(&at)) > 0; at += len) {
                char *link = malloc(len + 1);

                if (link == NULL)
                        break;
                memcpy(link, at, len);
                link[len] = '\0';
                if (green_queue_put(found, link, GREEN_FOREVER) != 0)
                        free(link);
        }
}

static void *
produce(void *url)
{
        green_http_response *res = NULL;
        char *page;

        if (green_http_get(client, url, NULL, &res) != 0)
                return NULL;
        if (green_http_read_all(res, PAGE_MAX, &page, NULL) == 0) {
                fetched++;
                put_links(page);
        }
        green_http_response_free(res);
        return NULL;
}

static int
consume(green_greenpool *pool, const char *start)
{
        struct seen seen = {0};
        void *url;
        int rc;

        /* Empty and nobody at work: the end. Otherwise wait a little, or for the next address. */
        while (green_greenpool_running(pool) > 0 || green_queue_qsize(found) > 0) {
                const char *next = NULL;

                if (green_queue_get(found, &url, 0.05) != 0)
                        continue;
                if (strncmp(url, start, host_len(start)) == 0)
                        next = seen_add(&seen, url, strlen(url));
                free(url);
                if (next != NULL && green_greenpool_spawn_n(pool, produce, (void *)(uintptr_t)next) != 0)
                        break;
        }
        rc = green_greenpool_waitall(pool, GREEN_FOREVER);
        seen_free(&seen);
        return rc;
}

int
main(int argc, char **argv)
{
        green_greenpool *pool = green_greenpool_new(20);

        if (argc != 2)
                return fprintf(stderr, "usage: queue_crawler URL\n"), 2;
        found = green_queue_new(-1, NULL);
        client = green_http_client_new(NULL);
        if (pool == NULL || client == NULL || found == NULL || green_queue_put(found, strdup(argv[1]), 0) != 0)
                return 1;
        if (consume(pool, argv[1]) != 0)
                return 1;
        printf("%u pages\n", fetched);
        green_queue_free(found);
        green_greenpool_free(pool);
        green_http_client_free(client);
        return 0;
}
