/*
 * Connections that have become something else, and live on when their application has returned: without a session, and
 * perhaps without a green thread. See struct green__upgrade.
 */
#include <string.h>

#include "wsgi_priv.h"

/* ---- the request's head, in a plain form */

static const char version_text[] = " HTTP/1.1\r\n";

size_t
green__upgrade_head_size(const green_wsgi_request *req)
{
        size_t len = req->head.method_name.len + 1 + req->head.target.len + sizeof(version_text) - 1 + 2;

        for (size_t i = 0; i < req->head.lines.count; i++)
                len += (size_t)req->fields[i].name_len + req->fields[i].value_len + 4;
        return len;
}

static char *
put(char *at, const char *text, size_t len)
{
        memcpy(at, text, len);
        return at + len;
}

/* Texts that were asked for are ended by NUL: in the middle of a target that was a '?'. */
static char *
put_target(char *at, const char *target, size_t len)
{
        for (size_t i = 0; i < len; i++)
                at[i] = target[i] == '\0' ? '?' : target[i];
        return at + len;
}

static void
put_head(const green_wsgi_request *req, char *at)
{
        const struct green__http1 *head = &req->head;

        at = put(at, req->base + head->method_name.off, head->method_name.len);
        *at++ = ' ';
        at = put_target(at, req->base + head->target.off, head->target.len);
        at = put(at, version_text, sizeof(version_text) - 1);
        if (head->minor == 0)
                at[-3] = '0';
        for (size_t i = 0; i < head->lines.count; i++) {
                const struct green__http1_field *field = &req->fields[i];

                at = put(at, req->base + field->name, field->name_len);
                at = put(at, ": ", 2);
                at = put(at, req->base + field->value, field->value_len);
                at = put(at, "\r\n", 2);
        }
        (void)put(at, "\r\n", 2);
}

void
green__upgrade_set(green_wsgi_request *req, struct green__upgrade *u, char *head)
{
        put_head(req, head);
        u->head = head;
        u->head_len = (uint32_t)green__upgrade_head_size(req);
        u->mount = (uint32_t)green__mount_offset(req);
        u->conn = req->session->conn;
        u->began = req->began;
        u->bytes_sent = (uint32_t)req->bytes_sent;
        req->upgrade = u;
}

int
green__upgrade_ask(struct green__upgrade *u, void (*fn)(green_wsgi_request *req, void *arg), void *arg)
{
        struct green__server *server = u->conn->server;
        struct green__session *s = green__session_take(server, u->conn);
        green_wsgi_request *req;
        int rc;

        if (s == NULL)
                return -ENOMEM;
        req = &s->request;
        green__request_begin(req);
        rc = green__session_reserve(s, u->head_len);
        if (rc == 0)
                rc = green__mount_at(req, u->mount);
        if (rc == 0) {
                memcpy(s->in, u->head, u->head_len);
                s->in_end = u->head_len;
                green__http1_init(&req->head, &server->limits, req->fields, (uint16_t)server->opts.max_fields);
                (void)green__http1_parse(&req->head, s->in, s->in_end);
                if (server->log != NULL)
                        green__request_note_line(s);
                req->base = s->in;
                req->began = u->began;
                req->bytes_sent = u->bytes_sent;
                req->status = 101;
                fn(req, arg);
        }
        green__arena_reset(&s->arena);
        green__session_give(s);
        return rc;
}

/* ---- its life */

static void
log_request(green_wsgi_request *req, void *arg)
{
        (void)arg;
        green__log_request(req);
}

/* It has ended: in the log it stands as of now. */
static void
end(struct green__conn *conn)
{
        struct green__upgrade *u = conn->upgrade;

        u->thread = NULL;
        if (conn->server->log != NULL)
                (void)green__upgrade_ask(u, log_request, NULL);
        u->ops->end(u);
        green__conn_close(conn);
}

void
green__upgrade_run(struct green__conn *conn)
{
        struct green__upgrade *u = conn->upgrade;

        u->thread = green_getcurrent();
        if (conn->server->closing && !conn->told) {
                conn->told = true;
                u->ops->closing(u);
        }
        if (u->ops->run(u))
                u->thread = NULL;
        else
                end(conn);
}

bool
green__upgrade_wake(struct green__upgrade *u)
{
        return green__turn_spawn(u->conn);
}

void
green__upgrade_kill(struct green__upgrade *u)
{
        green_thread *t = u->thread;

        u->ops->cut(u);
        if (t != NULL)
                (void)green_kill(t, 0);
}

void
green__upgrade_abandoned(struct green__upgrade *u)
{
        struct green__server *server = u->conn->server;

        green_log(GREEN_LOG_ERROR, "green-net: a handler has ended its green thread: the connection is closed");
        green__note(&server->stats->failed, 1);
        end(u->conn);
}
