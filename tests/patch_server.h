/* A server of HTTP that takes a while for each answer, in a process of its own. In patch_server.c. */
#ifndef GREEN_TESTS_PATCH_SERVER_H
#define GREEN_TESTS_PATCH_SERVER_H

/* Starts it; it ends with this process. Each request is answered with "ok" after so many ms. Its port; 0: it failed. */
int patch_server_start(int ms);

#endif
