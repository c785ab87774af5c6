/* Pages to try HTTP clients with: what httpbin.c serves, and demo.c besides its own. */
#ifndef HTTPBIN_PAGES_H
#define HTTPBIN_PAGES_H

#include <green/web.h>

/* The application, for green_wsgi_server(). arg is the green_websocket_site of /ws. */
int httpbin(green_wsgi_request *req, void *arg);

/* For that site: the handler that sends each message back. */
int httpbin_ws(green_websocket *ws, void *arg);

/* A listener, with TLS on it if there is a certificate; key may be NULL. NULL: green_last_error() says why. */
green_socket *httpbin_listen(const char *address, const char *certificate, const char *key);

#endif
