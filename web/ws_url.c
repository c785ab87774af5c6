/*
 * URLs of WebSockets (RFC 6455 3).
 */
#include <string.h>

#include "ws_client_priv.h"

int
green__ws_url_parse(const char *url, struct green__url *ret)
{
        int rc = green__url_parse(url, "ws", ret);

        if (rc != 0)
                return rc;
        if (ret->user != NULL)
                rc = green_set_error(-EINVAL, "%.200s: a user's name is not sent", url);
        else if (strchr(url, '#') != NULL)
                rc = green_set_error(-EINVAL, "%.200s: a WebSocket has no fragment", url);
        if (rc != 0) {
                green_free(ret->text);
                ret->text = NULL;
        }
        return rc;
}
