/* See links.h. */
#include "links.h"

#include <string.h>

#define SCHEME "http://"

size_t
next_link(const char **at)
{
        const char *link = strstr(*at, SCHEME);

        if (link == NULL)
                return 0;
        *at = link;
        return strcspn(link, " \"'<>\r\n\t");
}

size_t
host_len(const char *url)
{
        return strlen(SCHEME) + strcspn(url + strlen(SCHEME), "/");
}
