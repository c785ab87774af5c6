/* libcurl's easy interface, run green without a changed line. */
#include "patch_proof.h"

#include <curl/curl.h>

static int port;

static const char *
start_server(void)
{
        curl_global_init(CURL_GLOBAL_DEFAULT);
        port = patch_server_start((int)(DELAY * 1e3));
        return port == 0 ? "no server" : NULL;
}

static size_t
keep(char *data, size_t size, size_t n, void *arg)
{
        char *page = arg;
        size_t len = strlen(page);

        if (n > 15 - len)
                return 0;
        memcpy(page + len, data, size * n);
        return n;
}

static bool
ask(void *state)
{
        CURL *easy = curl_easy_init();
        char url[64], page[16] = "";
        CURLcode code;

        (void)state;
        if (easy == NULL)
                return false;
        snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, page);
        code = curl_easy_perform(easy);
        curl_easy_cleanup(easy);
        if (code != CURLE_OK)
                fprintf(stderr, "libcurl: %s\n", curl_easy_strerror(code));
        return code == CURLE_OK && strcmp(page, "ok") == 0;
}

static void
a_hundred_transfers_wait_at_once(void)
{
        GREEN_COVERS("PATCH-01");
        prove(&(struct proof){.what = "libcurl", .ask = ask});
}

__attribute__((constructor)) static void
choose_server(void)
{
        proof_server = start_server;
}

GREEN_SUITE(net_patch_curl){GREEN_TEST(a_hundred_transfers_wait_at_once), GREEN_SUITE_END};
