/*
 * A web crawler: webcrawler URL...
 *
 * Fetches pages at the same time, in a pool of green threads, and prints how long each is, in the order they were
 * given. All of them share a client, which keeps connections and follows redirects.
 */
#include <green/green.h>
#include <stdio.h>

enum { PAGE_MAX = 8 << 20 };

static green_http_client *client;

/* [fetch] */
static void *
fetch(void *url)
{
        green_http_response *res;
        size_t len = 0;
        char *page;
        int rc = green_http_get(client, url, NULL, &res);

        if (rc != 0)
                return green_fail(rc);
        rc = green_http_read_all(res, PAGE_MAX, &page, &len);
        green_http_response_free(res);
        return rc != 0 ? green_fail(rc) : (void *)len;
}
/* [fetch] */

int
main(int argc, char **argv)
{
        struct green_greenpile_opts opts = {.size = sizeof opts, .pool_size = 10};
        green_greenpile *pile = green_greenpile_new(&opts);
        int failed = 0;
        void *result;

        client = green_http_client_new(NULL);
        if (pile == NULL || client == NULL)
                return fprintf(stderr, "%s\n", green_last_error()->message), 1;
        for (int i = 1; i < argc; i++) {
                if (green_greenpile_spawn(pile, fetch, argv[i]) != 0)
                        return 1;
        }
        for (int i = 1; green_greenpile_next(pile, &result, GREEN_FOREVER) == 1; i++) {
                int code = green_failed(result);

                failed += code != 0;
                if (code != 0)
                        printf("%s: %s\n", argv[i], green_strerror(code));
                else
                        printf("%s: %zu bytes\n", argv[i], (size_t)result);
        }
        green_greenpile_free(pile);
        green_http_client_free(client);
        return failed > 0;
}
