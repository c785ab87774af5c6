/*
 * One HTTP GET, for the crawlers among the examples.
 *
 * It asks for HTTP/1.0, reads to the end of the connection, follows no redirects and knows no TLS: the least that works,
 * and written as one would write it with a thread for each connection.
 */
#ifndef EXAMPLES_HTTP_GET_H
#define EXAMPLES_HTTP_GET_H

#include <stddef.h>

/* Bodies larger than this are refused. */
#define HTTP_GET_MAX ((size_t)8 << 20)

/*
 * Fetch "http://HOST[:PORT][/PATH]". Yields. The status of the answer (200, ...), or a negative code; after one that is
 * positive the body is the caller's, for green_free(), with a NUL behind it.
 */
int http_get(const char *url, char **ret_body, size_t *ret_len);

/* The next link "http://..." in a page from *at on: its length, and *at is moved to it. 0: there is none. */
size_t http_next_link(const char **at);

#endif
