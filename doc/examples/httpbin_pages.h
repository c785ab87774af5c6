/* Pages to try HTTP clients with: what httpbin.c serves, and demo.c besides its own. */
#ifndef HTTPBIN_PAGES_H
#define HTTPBIN_PAGES_H

#include <green/web.h>

/* The application, for green_wsgi_server(). arg is the green_websocket_site of /ws. */
int httpbin(green_wsgi_request *req, void *arg);

/* For that site: the handler that sends each message back. */
int httpbin_ws(green_websocket *ws, void *arg);

#endif
