/*
 * URLs of WebSockets (RFC 6455 3).
 */
#include <stdio.h>
#include <strings.h>

#include "http1_fields_priv.h"
#include "ws_client_priv.h"

static int
bad(const char *url, const char *why)
{
        return green_set_error(-EINVAL, "%.200s: %s", url, why);
}

/* What may stand in a request line: nothing that ends it, or that is no ASCII. */
static bool
is_target(const char *text)
{
        for (; *text != '\0'; text++)
                if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f || strchr("\"<>\\^`{|}#", *text) != NULL)
                        return false;
        return true;
}

static char *
put(char *at, const char *text, size_t len)
{
        memcpy(at, text, len);
        at[len] = '\0';
        return at + len;
}

/* The texts, one behind the other. */
static void
put_all(struct green__ws_url *u, const char *host, size_t host_len, int32_t port, const char *target)
{
        bool usual = port < 0 || port == (u->tls ? 443 : 80);
        bool bracket = host[0] == '[';
        char *at = u->text;

        u->host = at;
        at = put(at, host, host_len);
        if (!usual)
                at += snprintf(at, 8, ":%d", (int)port);
        at++;
        u->name = at;
        at = put(at, host + (bracket ? 1 : 0), host_len - (bracket ? 2 : 0)) + 1;
        u->address = at;
        at = put(at, host, host_len);
        at += snprintf(at, 8, ":%d", port < 0 ? (u->tls ? 443 : 80) : (int)port) + 1;
        u->target = at;
        if (*target != '/')
                *at++ = '/';
        (void)put(at, target, strlen(target));
}

int
green__ws_url_parse(const char *url, struct green__ws_url *ret)
{
        const char *host, *target;
        size_t host_len, len;
        int32_t port = -1;

        if (url == NULL)
                return green_set_error(-EINVAL, "no URL");
        ret->tls = strncasecmp(url, "wss://", 6) == 0;
        if (!ret->tls && strncasecmp(url, "ws://", 5) != 0)
                return bad(url, "begins with neither ws:// nor wss://");
        host = url + (ret->tls ? 6 : 5);
        target = host + strcspn(host, "/?#");
        len = (size_t)(target - host);
        if (memchr(host, '@', len) != NULL)
                return bad(url, "a user's name is not sent");
        if (strchr(target, '#') != NULL)
                return bad(url, "a WebSocket has no fragment");
        if (!is_target(target))
                return bad(url, "a character that is not allowed in the path or query");
        if (!green__http1_authority((const uint8_t *)url, (const uint8_t *)host, len, &host_len, &port))
                return bad(url, "no host and port");
        ret->text = green_malloc(3 * len + strlen(target) + 32);
        if (ret->text == NULL)
                return -ENOMEM;
        put_all(ret, host, host_len, port, target);
        return 0;
}
