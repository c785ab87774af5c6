/*
 * What time it is, for the header of responses and for the access log.
 */
#include <time.h>

#include "wsgi_priv.h"

int64_t
green__wsgi_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

time_t
green__wsgi_wall(void)
{
        return time(NULL);
}

const char *
green__wsgi_date(struct green__server *server)
{
        time_t now = green__wsgi_wall();

        if (now != server->date_second) {
                server->date_second = now;
                green_wsgi_format_date_time(now, server->date);
        }
        return server->date;
}
