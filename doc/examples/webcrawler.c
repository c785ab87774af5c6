/*
 * A web crawler: webcrawler URL...
 *
 * Fetches pages at the same time, in a pool of green threads, and prints how long each is, in the order they were
 * given.
 */
#include "http_get.h"

#include <green/net.h>
#include <stdio.h>

static void *
fetch(void *url)
{
        size_t len = 0;
        char *body = NULL;
        int status = http_get(url, &body, &len);

        if (status < 0)
                return green_fail(status);
        green_free(body);
        return (void *)len;
}

int
main(int argc, char **argv)
{
        struct green_greenpile_opts opts = {.size = sizeof opts, .pool_size = 10};
        green_greenpile *pile = green_greenpile_new(&opts);
        int failed = 0;
        void *result;

        if (pile == NULL)
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
        return failed > 0;
}
