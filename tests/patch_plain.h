/* A client that only knows sockets. In patch_plain.c. */
#ifndef GREEN_TESTS_PATCH_PLAIN_H
#define GREEN_TESTS_PATCH_PLAIN_H

#include <stdbool.h>

/* Gets a page of HTTP from a server here, and says whether it ends with "ok". */
bool plain_get(int port);

#endif
