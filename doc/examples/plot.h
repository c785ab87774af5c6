/* A plot that is drawn while it is measured: what websocket.c serves, and demo.c besides its own. */
#ifndef PLOT_H
#define PLOT_H

#include <green/web.h>

/* The page, websocket.html. It opens the WebSockets "data" and "echo" beside itself. */
int plot_page(green_wsgi_request *req);

/* The handler of "data": sends a point, ten times a second, as "NUMBER VALUE". arg is not used. */
int plot_data(green_websocket *ws, void *arg);

#endif
