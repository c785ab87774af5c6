/*
 * A server's answer to a client's handshake (RFC 6455 4.1).
 */
#include <strings.h>

#include <green/http.h>

#include "http1_fields_priv.h"
#include "ws_client_priv.h"

enum { FIELDS_MAX = 64 };

struct answer {
        const char *text;
        struct green__http1_lines lines;
        struct green__http1_field fields[FIELDS_MAX];
};

static int
bad(const char *why)
{
        return green_set_error(-EPROTO, "the answer to a WebSocket's handshake: %s", why);
}

/* "HTTP/1.1 101 Switching Protocols": behind its end, 0, or a code. */
static ssize_t
take_status(const char *text, size_t len)
{
        const char *end = memchr(text, '\n', len);
        size_t line;

        if (end == NULL)
                return len > 1024 ? bad("no HTTP") : 0;
        line = (size_t)(end - text);
        if (line < 13 || text[line - 1] != '\r' || memcmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ' ||
            (text[12] != ' ' && line > 13))
                return bad("no HTTP");
        if (memcmp(text + 5, "1.1 101", 7) != 0)
                return green_set_error(-EPROTO, "the server does not speak WebSocket, it says: %.*s",
                                       (int)(line - 10 < 100 ? line - 10 : 100), text + 9);
        return (ssize_t)line + 1;
}

/* The value of a field, copied: *ret_count says how many there are of that name. False: none, or one too long to be it. */
static bool
find(const struct answer *a, const char *name, unsigned *ret_count, char *room, size_t size)
{
        int i = -1;

        *ret_count = 0;
        while ((i = green__http1_find(&a->lines, a->text, name, (unsigned)(i + 1))) >= 0) {
                const struct green__http1_field *f = &a->fields[i];

                if ((*ret_count)++ > 0)
                        continue;
                if (f->value_len >= size)
                        return false;
                memcpy(room, a->text + f->value, f->value_len);
                room[f->value_len] = '\0';
        }
        return *ret_count > 0;
}

/* It may stand in several. */
static bool
has_upgrade(const struct answer *a)
{
        char value[256];

        for (int i = -1; (i = green__http1_find(&a->lines, a->text, "connection", (unsigned)(i + 1))) >= 0;) {
                const struct green__http1_field *f = &a->fields[i];

                if (f->value_len >= sizeof(value))
                        continue;
                memcpy(value, a->text + f->value, f->value_len);
                value[f->value_len] = '\0';
                if (green__ws_has_token(value, "upgrade"))
                        return true;
        }
        return false;
}

static int
check_upgrade(const struct answer *a, const char *accept)
{
        char value[256];
        unsigned count;

        if (!find(a, "upgrade", &count, value, sizeof(value)) || count != 1 || strcasecmp(value, "websocket") != 0)
                return bad("no Upgrade to websocket");
        if (!has_upgrade(a))
                return bad("Connection without upgrade");
        if (!find(a, "sec-websocket-accept", &count, value, sizeof(value)) || count != 1 || strcmp(value, accept) != 0)
                return bad("Sec-WebSocket-Accept is not what it has to be");
        return 0;
}

static int
check_protocol(const struct answer *a, const green_websocket_site *site, struct green__ws_agreed *ret)
{
        char value[256];
        unsigned count;

        ret->protocol = NULL;
        if (!find(a, "sec-websocket-protocol", &count, value, sizeof(value)))
                return count == 0 ? 0 : bad("a subprotocol that was not offered");
        for (size_t i = 0; count == 1 && site->protocols[i] != NULL; i++)
                if (strcmp(site->protocols[i], value) == 0) {
                        ret->protocol = site->protocols[i];
                        return 0;
                }
        return bad("a subprotocol that was not offered");
}

static int
check_extensions(const struct answer *a, const green_websocket_site *site, struct green__ws_agreed *ret)
{
        char value[512];
        unsigned count;

        ret->deflate = false;
        if (!find(a, "sec-websocket-extensions", &count, value, sizeof(value)))
                return count == 0 ? 0 : bad("an extension that was not offered");
        if (count != 1 || !green__ws_extension_agree(value, &site->opts, &ret->params))
                return bad("an extension that was not offered, or not so");
        ret->deflate = true;
        return 0;
}

ssize_t
green__ws_answer_take(const char *text, size_t len, const char *accept, const green_websocket_site *site,
                      struct green__ws_agreed *ret)
{
        const struct green__http1_limits limits = GREEN__HTTP1_LIMITS_INIT;
        ssize_t line = take_status(text, len);
        struct answer a;
        int rc;

        if (line <= 0)
                return line;
        a.text = text;
        memset(&a.lines, 0, sizeof(a.lines));
        a.lines.limits = &limits;
        a.lines.fields = a.fields;
        a.lines.max = FIELDS_MAX;
        green__http1_fields_begin(&a.lines, (uint32_t)line);
        rc = green__http1_fields(&a.lines, NULL, text, len);
        if (rc == GREEN__HTTP1_MORE)
                return 0;
        if (rc != GREEN__HTTP1_DONE)
                return bad(green__http1_reason(rc));
        rc = check_upgrade(&a, accept);
        if (rc == 0)
                rc = check_protocol(&a, site, ret);
        if (rc == 0)
                rc = check_extensions(&a, site, ret);
        return rc == 0 ? (ssize_t)a.lines.pos : rc;
}
