/*
 * libcurl's multi interface by sockets, with epoll: 64 easy handles, each of which begins again when it is done.
 * curl_client PORT MILLISECONDS
 */
#include "bench_client.h"

#include <stdbool.h>
#include <sys/epoll.h>

#include <curl/curl.h>

static CURLM *multi;
static int epoll_fd;
static long timeout_ms = -1;
static double timeout_at;
static long done;

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
        struct epoll_event ev = {.data.fd = fd};

        (void)easy;
        (void)arg;
        if (what == CURL_POLL_REMOVE) {
                epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
                return 0;
        }
        ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
        epoll_ctl(epoll_fd, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
        curl_multi_assign(multi, fd, multi);
        return 0;
}

static int
on_timer(CURLM *m, long ms, void *arg)
{
        (void)m;
        (void)arg;
        timeout_ms = ms;
        timeout_at = bench_now() + (double)ms / 1e3;
        return 0;
}

static size_t
on_data(char *data, size_t size, size_t n, void *arg)
{
        size_t *len = arg;

        (void)data;
        *len += size * n;
        return size * n;
}

/* Those that are done begin again, unless it is time to stop: how many did not. */
static int
begin_again(bool stop)
{
        CURLMsg *m;
        int left, ended = 0;

        while ((m = curl_multi_info_read(multi, &left)) != NULL) {
                CURL *easy = m->easy_handle;
                size_t *len;
                long status = 0;

                bench_check(m->data.result == CURLE_OK, "a transfer");
                curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
                curl_easy_getinfo(easy, CURLINFO_PRIVATE, &len);
                bench_check(status == 200 && *len == BENCH_BODY_LEN, "the response");
                *len = 0;
                done++;
                curl_multi_remove_handle(multi, easy);
                if (stop)
                        ended++;
                else
                        curl_multi_add_handle(multi, easy);
        }
        return ended;
}

static void
turn(void)
{
        struct epoll_event events[AT_ONCE];
        int running, wait = 1000, n;

        if (timeout_ms >= 0) {
                double left = timeout_at - bench_now();

                wait = left <= 0 ? 0 : (int)(left * 1e3) + 1;
        }
        n = epoll_wait(epoll_fd, events, AT_ONCE, wait);
        for (int i = 0; i < n; i++) {
                int what = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                           (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                           (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);

                curl_multi_socket_action(multi, events[i].data.fd, what, &running);
        }
        if (timeout_ms >= 0 && bench_now() >= timeout_at) {
                timeout_ms = -1;
                curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
}

static void
run(CURL **easy, double seconds)
{
        double end = bench_now() + seconds;

        done = 0;
        for (int i = 0; i < AT_ONCE; i++)
                curl_multi_add_handle(multi, easy[i]);
        for (int ended = 0; ended < AT_ONCE;) {
                turn();
                ended += begin_again(bench_now() >= end);
        }
}

int
main(int argc, char **argv)
{
        double ms = (double)bench_count(argc, argv, 2, 1000), wall, cpu;
        static size_t lens[AT_ONCE];
        CURL *easy[AT_ONCE];
        char url[64];

        snprintf(url, sizeof url, "http://127.0.0.1:%ld/", bench_count(argc, argv, 1, 1));
        curl_global_init(CURL_GLOBAL_ALL);
        multi = curl_multi_init();
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        bench_check(multi != NULL && epoll_fd >= 0, "curl_multi_init");
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)AT_ONCE);
        for (int i = 0; i < AT_ONCE; i++) {
                bench_check((easy[i] = curl_easy_init()) != NULL, "curl_easy_init");
                curl_easy_setopt(easy[i], CURLOPT_URL, url);
                curl_easy_setopt(easy[i], CURLOPT_NOSIGNAL, 1L);
                curl_easy_setopt(easy[i], CURLOPT_WRITEFUNCTION, on_data);
                curl_easy_setopt(easy[i], CURLOPT_WRITEDATA, &lens[i]);
                curl_easy_setopt(easy[i], CURLOPT_PRIVATE, &lens[i]);
        }
        run(easy, ms / 10 / 1e3); /* what is done at first only */
        wall = bench_now();
        cpu = bench_cpu();
        run(easy, ms / 1e3);
        bench_client_report(done, bench_now() - wall, bench_cpu() - cpu);
        for (int i = 0; i < AT_ONCE; i++)
                curl_easy_cleanup(easy[i]);
        curl_multi_cleanup(multi);
        return 0;
}
