/*
 * Connections that become something else, and what comes after a response.
 */
#include <string.h>

#include "http1_char_priv.h"
#include "wsgi_priv.h"

green_socket *
green_wsgi_take_over(green_wsgi_request *req, const void **ret_data, size_t *ret_len)
{
        struct green__session *s = req->session;
        int rc = green__response_not_begun(req);

        if (rc == 0)
                rc = green__session_flush(s);
        if (rc != 0) {
                green_set_error(rc, "the connection cannot be taken over: %s", green_strerror(rc));
                return NULL;
        }
        req->response = GREEN__RESPONSE_TAKEN;
        req->close = true;
        if (ret_data != NULL)
                *ret_data = s->in + s->in_start;
        if (ret_len != NULL)
                *ret_len = s->in_end - s->in_start;
        return s->conn->socket;
}

static bool
is_token_list(const char *text)
{
        if (text == NULL || *text == '\0')
                return false;
        for (; *text != '\0'; text++)
                if (!green__http1_is((uint8_t)*text, GREEN__CHAR_TOKEN) && *text != '/')
                        return false;
        return true;
}

green_socket *
green__upgrade_answer(green_wsgi_request *req, const char *protocol, const char *lines, size_t lines_len,
                      const void **ret_data, size_t *ret_len)
{
        static const char names[] = "Upgrade: ", rest[] = "\r\nConnection: Upgrade\r\n";
        struct green__session *s = req->session;
        size_t protocol_len = strlen(protocol);
        size_t len = sizeof names - 1 + protocol_len + sizeof rest - 1 + lines_len + req->headers_len;
        char *text = green__arena_alloc(&s->arena, len), *at;
        int rc;

        if (text == NULL) {
                green_set_error(-ENOMEM, "no memory for the header of an upgrade");
                return NULL;
        }
        at = text;
        memcpy(at, names, sizeof names - 1);
        memcpy(at += sizeof names - 1, protocol, protocol_len);
        memcpy(at += protocol_len, rest, sizeof rest - 1);
        at += sizeof rest - 1;
        if (lines_len > 0)
                memcpy(at, lines, lines_len);
        if (req->headers_len > 0)
                memcpy(at + lines_len, s->headers, req->headers_len);
        rc = green__response_inform(req, 101, text, len);
        if (rc != 0) {
                green_set_error(rc, "the upgrade cannot be answered: %s", green_strerror(rc));
                return NULL;
        }
        req->status = 101;
        green__wsgi_metrics_upgraded(req);
        return green_wsgi_take_over(req, ret_data, ret_len);
}

green_socket *
green_wsgi_upgrade(green_wsgi_request *req, const char *protocol, const void **ret_data, size_t *ret_len)
{
        if (!(req->head.flags & GREEN__HTTP1_WANTS_UPGRADE) || !is_token_list(protocol)) {
                green_set_error(-EINVAL, "the client has not asked for an upgrade, or there is no protocol");
                return NULL;
        }
        return green__upgrade_answer(req, protocol, NULL, 0, ret_data, ret_len);
}

enum green_wsgi_state
green_wsgi_connection_state(const green_wsgi_request *req)
{
        return req->close ? GREEN_WSGI_STATE_CLOSE : GREEN_WSGI_STATE_REQUEST;
}

bool
green_wsgi_closing(const green_wsgi_request *req)
{
        return req->session->server->closing;
}

void
green_wsgi_set_on_closing(green_wsgi_request *req, green_wsgi_hook_fn fn, void *arg)
{
        req->on_closing = fn;
        req->on_closing_arg = arg;
}

void
green_wsgi_set_idle(green_wsgi_request *req)
{
        req->idle = true;
}

int
green_wsgi_add_post_hook(green_wsgi_request *req, green_wsgi_hook_fn fn, void *arg)
{
        struct green__hook *h;

        if (fn == NULL)
                return -EINVAL;
        h = green__arena_alloc(&req->session->arena, sizeof(*h));
        if (h == NULL)
                return -ENOMEM;
        *h = (struct green__hook){NULL, fn, arg};
        *req->hooks_end = h;
        req->hooks_end = &h->next;
        return 0;
}
