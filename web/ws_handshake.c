/*
 * The server's half of the handshake (RFC 6455 4.2).
 */
#include <stdio.h>
#include <strings.h>

#include <green/http.h>

#include "digest_priv.h"
#include "ws_extension_priv.h"
#include "ws_priv.h"

void
green__ws_accept(const char *key, char text[GREEN__WS_ACCEPT_SIZE])
{
        static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        char both[GREEN__DIGEST_MAX];
        uint8_t digest[GREEN__SHA1_SIZE];
        size_t len = strlen(key);

        memcpy(both, key, len);
        memcpy(both + len, guid, sizeof(guid) - 1);
        green__sha1(both, len + sizeof(guid) - 1, digest);
        green__base64_encode(digest, sizeof(digest), text);
        text[GREEN__WS_ACCEPT_SIZE - 1] = '\0';
}

bool
green__ws_has_token(const char *list, const char *token)
{
        struct green_http_part rest = {list, strlen(list)}, item;

        while (green_http_next_item(&rest, &item))
                if (item.len == strlen(token) && strncasecmp(item.data, token, item.len) == 0)
                        return true;
        return false;
}

/* ---- errors: empty, and the connection ends */

int
green__ws_refuse(green_wsgi_request *req, int status)
{
        int rc = green_wsgi_set_header(req, "Connection", "close");

        if (rc == 0 && status == 405)
                rc = green_wsgi_set_header(req, "Allow", "GET");
        if (rc == 0 && status == 426)
                rc = green_wsgi_set_header(req, "Sec-WebSocket-Version", "8, 13");
        if (rc == 0)
                rc = green_wsgi_respond(req, status, NULL, "", 0);
        return rc == 0 ? 1 : rc;
}

/* ---- looking at the request */

/* The value of a field that may stand there once. NULL: it does not, or twice. */
static const char *
only(green_wsgi_request *req, const char *name)
{
        const char *found = NULL, *field, *value;

        for (size_t i = 0; green_wsgi_header_at(req, i, &field, &value); i++) {
                if (strcasecmp(field, name) != 0)
                        continue;
                if (found != NULL)
                        return NULL;
                found = value;
        }
        return found;
}

static bool
wants_websocket(green_wsgi_request *req)
{
        const char *field, *value;

        if (!(req->head.flags & GREEN__HTTP1_SAID_UPGRADE) || req->head.minor == 0)
                return false;
        for (size_t i = 0; green_wsgi_header_at(req, i, &field, &value); i++)
                if (strcasecmp(field, "Upgrade") == 0 && green__ws_has_token(value, "websocket"))
                        return true;
        return false;
}

/* The first of the client's that the site speaks. */
static const char *
choose_protocol(green_wsgi_request *req, const green_websocket_site *site, const char *name)
{
        const char *field, *value;

        for (size_t i = 0; green_wsgi_header_at(req, i, &field, &value); i++) {
                struct green_http_part rest = {value, strlen(value)}, item;

                if (strcasecmp(field, name) != 0)
                        continue;
                while (green_http_next_item(&rest, &item))
                        for (size_t k = 0; site->protocols[k] != NULL; k++)
                                if (strlen(site->protocols[k]) == item.len &&
                                    memcmp(site->protocols[k], item.data, item.len) == 0)
                                        return site->protocols[k];
        }
        return NULL;
}

static bool
accept_deflate(green_wsgi_request *req, const green_websocket_site *site, struct green__ws_handshake *h)
{
        const char *field, *value;

        for (size_t i = 0; green_wsgi_header_at(req, i, &field, &value); i++)
                if (strcasecmp(field, "Sec-WebSocket-Extensions") == 0 &&
                    green__ws_extension_accept(value, &site->opts, &h->agreed, h->extension))
                        return true;
        return false;
}

static bool
origin_ok(green_wsgi_request *req, const green_websocket_site *site, int version)
{
        const char *origin = green_wsgi_header(req, version == 8 ? "Sec-WebSocket-Origin" : "Origin");
        const char *host = green_wsgi_header(req, "Host");

        if (site->opts.origin_checker == NULL)
                return true;
        if (origin == NULL && version == 8)
                origin = green_wsgi_header(req, "Origin");
        return site->opts.origin_checker(host == NULL ? "" : host, origin, site->opts.origin_arg);
}

int
green__ws_look(green_wsgi_request *req, const green_websocket_site *site, struct green__ws_handshake *h)
{
        const char *version = green_wsgi_header(req, "Sec-WebSocket-Version");
        const char *key;

        if (req->head.method != GREEN__HTTP1_GET)
                return green__ws_refuse(req, 405);
        if (!wants_websocket(req) || green_wsgi_content_length(req) != 0)
                return green__ws_refuse(req, 400);
        if (version == NULL && site->opts.support_legacy_versions) {
                h->version = green_wsgi_header(req, "Sec-WebSocket-Key1") != NULL ? 76 : 75;
                h->protocol =
                        choose_protocol(req, site, h->version == 76 ? "Sec-WebSocket-Protocol" : "WebSocket-Protocol");
                return origin_ok(req, site, h->version) ? green__ws_legacy_look(req, h) : green__ws_refuse(req, 403);
        }
        version = only(req, "Sec-WebSocket-Version");
        if (version == NULL || (strcmp(version, "13") != 0 && strcmp(version, "8") != 0))
                return green__ws_refuse(req, 426);
        h->version = strcmp(version, "13") == 0 ? 13 : 8;
        key = only(req, "Sec-WebSocket-Key");
        if (key == NULL || !green__base64_is(key, GREEN__WS_KEY_BYTES))
                return green__ws_refuse(req, 400);
        if (!origin_ok(req, site, h->version))
                return green__ws_refuse(req, 403);
        h->key = key;
        h->protocol = choose_protocol(req, site, "Sec-WebSocket-Protocol");
        h->deflate = accept_deflate(req, site, h);
        return 0;
}

/* ---- answering it */

/* In the order of WS-06. */
static char *
answer_lines(green_wsgi_request *req, const struct green__ws_handshake *h, size_t *ret_len)
{
        size_t room = 128 + GREEN__WS_EXTENSION_MAX + (h->protocol == NULL ? 0 : strlen(h->protocol));
        char *lines = green_wsgi_alloc(req, room);
        char accept[GREEN__WS_ACCEPT_SIZE];
        size_t at;

        if (lines == NULL)
                return NULL;
        green__ws_accept(h->key, accept);
        at = (size_t)snprintf(lines, room, "Sec-WebSocket-Accept: %s\r\n", accept);
        if (h->protocol != NULL)
                at += (size_t)snprintf(lines + at, room - at, "Sec-WebSocket-Protocol: %s\r\n", h->protocol);
        if (h->deflate)
                at += (size_t)snprintf(lines + at, room - at, "Sec-WebSocket-Extensions: %s\r\n", h->extension);
        *ret_len = at;
        return lines;
}

int
green__ws_answer(green_wsgi_request *req, const struct green__ws_handshake *h, void **ret_data, size_t *ret_len)
{
        const void *data = NULL;
        size_t len = 0;
        char *lines;

        if (h->version >= 75)
                return green__ws_legacy_answer(req, h, ret_data, ret_len);
        lines = answer_lines(req, h, &len);
        if (lines == NULL)
                return -ENOMEM;
        if (green__upgrade_answer(req, "websocket", lines, len, &data, ret_len) == NULL)
                return green_last_error()->code;
        *ret_data = (void *)(uintptr_t)data;
        return 0;
}
