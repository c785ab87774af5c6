/* Links in a page, for the crawlers among the examples. */
#ifndef EXAMPLES_LINKS_H
#define EXAMPLES_LINKS_H

#include <stddef.h>

/* The next "http://..." in a page from *at on: its length, and *at is moved to it. 0: there is none. */
size_t next_link(const char **at);

/* How much of a URL names its host: "http://host". */
size_t host_len(const char *url);

#endif
