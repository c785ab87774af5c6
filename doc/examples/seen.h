/* A set of texts, for the crawlers among the examples. */
#ifndef EXAMPLES_SEEN_H
#define EXAMPLES_SEEN_H

#include <stdbool.h>
#include <stddef.h>

struct seen {
        char **texts;
        size_t n, room;
};

/* Add a copy of a text. Its copy, which lasts as long as the set; NULL if it was there already (or memory ran out). */
const char *seen_add(struct seen *s, const char *text, size_t len);

void seen_free(struct seen *s);

#endif
