/* Until the access log, proxies and environ are there. */
#include "wsgi_priv.h"
__attribute__((weak)) int green__environ_take(struct green__server *server){(void)server;return 0;}
__attribute__((weak)) void green__environ_release(struct green__server *server){(void)server;}
__attribute__((weak)) int green__proxies_take(struct green__server *server){(void)server;return 0;}
__attribute__((weak)) void green__proxies_release(struct green__server *server){(void)server;}
__attribute__((weak)) int green__log_take(struct green__server *server){(void)server;return 0;}
__attribute__((weak)) void green__log_release(struct green__server *server){(void)server;}
__attribute__((weak)) void green__log_request(green_wsgi_request *req){(void)req;}
__attribute__((weak)) void green__log_life(const struct green__server *server, const struct green__conn *conn, const char *what){(void)server;(void)conn;(void)what;}
__attribute__((weak)) const char *green_wsgi_scheme(green_wsgi_request *req){(void)req;return "http";}
