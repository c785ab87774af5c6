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

struct question {
        const char *name;
        struct green__ws_text *answer; /* NULL: no memory */
};

struct green__ws_text *
green__ws_text_new(const char *name, const char *value)
{
        size_t name_len = strlen(name) + 1, value_len = value == NULL ? 0 : strlen(value) + 1;
        struct green__ws_text *t = green_malloc(sizeof(*t) + name_len + value_len);

        if (t == NULL)
                return NULL;
        memcpy(t->name, name, name_len);
        t->value = value == NULL ? NULL : memcpy(t->name + name_len, value, value_len);
        return t;
}

static void
ask(green_wsgi_request *req, void *arg)
{
        struct question *q = arg;
        const char *value;

        errno = 0;
        value = green_wsgi_environ(req, q->name);
        if (value != NULL || errno != ENOMEM)
                q->answer = green__ws_text_new(q->name, value);
}

const char *
green_websocket_environ(green_websocket *ws, const char *name)
{
        struct question q = {name, NULL};

        if (ws == NULL || name == NULL || *name == '\0')
                return NULL;
        for (struct green__ws_text *t = ws->texts; t != NULL; t = t->next)
                if (strcmp(t->name, name) == 0)
                        return t->value;
        if (ws->client)
                return NULL;
        if (green__upgrade_ask(&ws->up, ask, &q) != 0 || q.answer == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        q.answer->next = ws->texts;
        ws->texts = q.answer;
        return q.answer->value;
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
