/*
 * What a connection is. Of the request of a server's its head is there: it is asked anew, and the answer kept.
 */
#include "ws_priv.h"

const char *
green_websocket_protocol(const green_websocket *ws)
{
        return ws == NULL ? NULL : ws->protocol;
}

int
green_websocket_version(const green_websocket *ws)
{
        return ws == NULL ? 0 : ws->version;
}

bool
green_websocket_deflates(const green_websocket *ws)
{
        return ws != NULL && ws->deflate != NULL;
}

green_socket *
green_websocket_get_socket(const green_websocket *ws)
{
        return ws == NULL ? NULL : ws->socket;
}

void
green_websocket_set_data(green_websocket *ws, void *data)
{
        if (ws != NULL)
                ws->data = data;
}

void *
green_websocket_data(const green_websocket *ws)
{
        return ws == NULL ? NULL : ws->data;
}

/* ---- of the request */

bool
green__ws_remember(green_websocket *ws, const char *name, const char *value)
{
        size_t name_len = strlen(name) + 1, value_len = value == NULL ? 0 : strlen(value) + 1;
        struct green__ws_text *t = green_malloc(sizeof(*t) + name_len + value_len);

        if (t == NULL)
                return false;
        memcpy(t->name, name, name_len);
        t->value = value == NULL ? NULL : memcpy(t->name + name_len, value, value_len);
        t->next = ws->texts;
        ws->texts = t;
        return true;
}

const struct green__ws_text *
green__ws_recall(const green_websocket *ws, const char *name)
{
        const struct green__ws_text *t = ws->texts;

        while (t != NULL && strcmp(t->name, name) != 0)
                t = t->next;
        return t;
}

struct question {
        green_websocket *ws;
        const char *name;
        bool answered; /* false: no memory */
};

static void
ask(green_wsgi_request *req, void *arg)
{
        struct question *q = arg;
        const char *value;

        errno = 0;
        value = green_wsgi_environ(req, q->name);
        if (value != NULL || errno != ENOMEM)
                q->answered = green__ws_remember(q->ws, q->name, value);
}

const char *
green_websocket_environ(green_websocket *ws, const char *name)
{
        struct question q = {ws, name, false};
        const struct green__ws_text *t;

        if (ws == NULL || name == NULL || *name == '\0')
                return NULL;
        t = green__ws_recall(ws, name);
        if (t != NULL || ws->client)
                return t == NULL ? NULL : t->value;
        if (green__upgrade_ask(&ws->up, ask, &q) != 0 || !q.answered) {
                errno = ENOMEM;
                return NULL;
        }
        return green__ws_recall(ws, name)->value;
}

const char *
green_websocket_path(green_websocket *ws)
{
        return ws == NULL ? "" : green_websocket_environ(ws, "PATH_INFO");
}

const char *
green_websocket_origin(green_websocket *ws)
{
        const char *origin;

        if (ws == NULL)
                return NULL;
        if (ws->version == 8) {
                origin = green_websocket_environ(ws, "HTTP_SEC_WEBSOCKET_ORIGIN");
                if (origin != NULL)
                        return origin;
        }
        return green_websocket_environ(ws, "HTTP_ORIGIN");
}
