/* See plot.h. */
#include "plot.h"

#include <stdio.h>
#include <stdlib.h>

/* Made of websocket.html by make. */
static const unsigned char page[] = {
#include "doc/examples/websocket_page.inc"
};

/* A point on a circle that is turned by a hundredth: what its height draws is a sine. */
struct circle {
        double across, height;
};

static void
turn(struct circle *c)
{
        const double cosine = 0.998026728428272, sine = 0.062790519529313;
        double across = c->across * cosine - c->height * sine;

        c->height = c->across * sine + c->height * cosine;
        c->across = across;
}

/* From -1 to 1. */
static double
noise(void)
{
        return 2.0 * rand() / RAND_MAX - 1;
}

int
plot_page(green_wsgi_request *req)
{
        return green_wsgi_respond(req, 200, "text/html; charset=utf-8", page, sizeof page);
}

int
plot_data(green_websocket *ws, void *arg)
{
        struct circle c = {1, 0};
        char text[64];
        int rc = 0;

        (void)arg;
        for (unsigned n = 0; rc == 0; n++) {
                snprintf(text, sizeof text, "%u %.4f", n, c.height + 0.1 * noise());
                /* It waits for a page that is slow, and fails when it has gone. Other connections do not wait for it. */
                rc = green_websocket_send_text(ws, text);
                turn(&c);
                if (rc == 0)
                        rc = green_sleep(0.1);
        }
        return rc;
}
