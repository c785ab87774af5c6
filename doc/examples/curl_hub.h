/*
 * libcurl on the hub: transfers of its multi interface as awaitables. To be taken over into programs of one's own.
 *
 * A curl_hub belongs to the OS thread that made it. Each transfer is an easy handle that was set up as always;
 * green_await() makes it a call that blocks, green_spawn_for_awaitable() a green thread, and killing either cancels it.
 * Callbacks of libcurl (CURLOPT_WRITEFUNCTION and so on) run in hub context and must not wait.
 *
 * Set here, for each handle: CURLOPT_NOSIGNAL, CURLOPT_PRIVATE, CURLOPT_CLOSESOCKETFUNCTION. Names are looked up as
 * this libcurl does it: where it has neither threads nor c-ares for that, a name blocks the OS thread.
 */
#ifndef CURL_HUB_H
#define CURL_HUB_H

#include <curl/curl.h>
#include <green/sync.h>

/* One libcurl multi handle, with its connections, on the hub of this OS thread. */
struct curl_hub;

/* A transfer: it stays until it has ended. */
struct curl_transfer {
        struct curl_hub *hub;
        CURL *easy;
        CURLcode code; /* how it ended, for libcurl */
        green_completion *done;
};

/* Never yields. NULL where memory ran out. */
struct curl_hub *curl_hub_new(void);

/* Never yields. No transfer may be under way. */
void curl_hub_free(struct curl_hub *h);

/* A transfer as an awaitable: its result is the transfer, whatever libcurl says of it; that is in t->code. Never
 * yields. */
struct green_awaitable curl_hub_awaitable(struct curl_transfer *t);

/* curl_easy_perform() that lets others run. Yields. 0: *ret_code says how it ended; else as green_await(). */
int curl_hub_perform(struct curl_hub *h, CURL *easy, CURLcode *ret_code);

#endif
