/* Pages to try HTTP clients with: what httpbin.c serves, and demo.c besides its own. */
#ifndef HTTPBIN_PAGES_H
#define HTTPBIN_PAGES_H

#include <green/web.h>

/* The application, for green_wsgi_server(). arg is not used. */
int httpbin(green_wsgi_request *req, void *arg);

#endif
