/*
 * Where in a path an application is mounted: SCRIPT_NAME and PATH_INFO. See <green/router.h>.
 */
#include <string.h>

#include "router_priv.h"
#include "wsgi_priv.h"

size_t
green__mount_offset(const green_wsgi_request *req)
{
        return req->route == NULL ? 0 : req->route->offset;
}

int
green__mount_at(green_wsgi_request *req, size_t offset)
{
        struct green__route *route = offset == 0 ? NULL : green_wsgi_alloc(req, sizeof(*route));

        if (offset > 0 && route == NULL)
                return -ENOMEM;
        if (route != NULL)
                *route = (struct green__route){.pattern = "", .offset = offset};
        req->route = route;
        return 0;
}

const char *
green__mounted(green_wsgi_request *req, bool before)
{
        size_t offset = green__mount_offset(req);
        const char *raw = green_wsgi_raw_path(req) + (before ? 0 : offset);
        size_t len = before ? offset : strlen(raw);
        char *text;

        if (offset == 0)
                return before ? "" : green_wsgi_path(req, NULL);
        if (req->route->text[before] == NULL) {
                text = green_wsgi_alloc(req, len + 1);
                if (text != NULL)
                        (void)green_http_unquote(raw, len, 0, text);
                req->route->text[before] = text;
        }
        return req->route->text[before];
}
