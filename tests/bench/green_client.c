/* green-net's HTTP client: 64 green threads that ask one after the other. green_client PORT MILLISECONDS */
#include "bench_client.h"

#include <green/green.h>

static green_http_client *client;
static char url[64];
static long done;
static bool stop;

static void *
ask(void *arg)
{
        while (!stop) {
                green_http_response *res;
                char *page;
                size_t len;

                bench_check(green_http_get(client, url, NULL, &res) == 0, "green_http_get");
                bench_check(green_http_read_all(res, 4096, &page, &len) == 0 && len == BENCH_BODY_LEN &&
                                    green_http_response_status(res) == 200,
                            "the response");
                green_http_response_free(res);
                done++;
        }
        return arg;
}

static void
run(double seconds)
{
        green_thread *threads[AT_ONCE];

        stop = false;
        done = 0;
        for (int i = 0; i < AT_ONCE; i++)
                threads[i] = green_spawn(ask, NULL);
        bench_check(green_sleep(seconds) == 0, "green_sleep");
        stop = true;
        for (int i = 0; i < AT_ONCE; i++) {
                bench_check(green_thread_wait(threads[i], NULL) == 0, "green_thread_wait");
                green_thread_unref(threads[i]);
        }
}

int
main(int argc, char **argv)
{
        const struct green_http_client_opts opts = {.size = sizeof opts, .max_per_host = AT_ONCE};
        double ms = (double)bench_count(argc, argv, 2, 1000), wall, cpu;

        snprintf(url, sizeof url, "http://127.0.0.1:%ld/", bench_count(argc, argv, 1, 1));
        client = green_http_client_new(&opts);
        bench_check(client != NULL, "green_http_client_new");
        run(ms / 10 / 1e3); /* what is done at first only */
        wall = bench_now();
        cpu = bench_cpu();
        run(ms / 1e3);
        bench_client_report(done, bench_now() - wall, bench_cpu() - cpu);
        green_http_client_free(client);
        return 0;
}
