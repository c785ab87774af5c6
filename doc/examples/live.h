/* A page that shows the server at work, while it works: what demo.c serves besides its own. */
#ifndef LIVE_H
#define LIVE_H

#include <green/web.h>

/* The page, live.html. It opens the WebSocket "data" beside itself. */
int live_page(green_wsgi_request *req);

/*
 * The handler of "data": sends what the server does as JSON, four times a second, and takes "load N": N clients of this
 * process ask the server, at live_address, until N is another; 0 ends them, and so does the end of the WebSocket that began it.
 */
int live_data(green_websocket *ws, void *arg);

/* Where the server listens, for the load: "127.0.0.1:8080". */
extern char live_address[GREEN_ADDR_TEXT_SIZE];

#endif
