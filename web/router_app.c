/*
 * The router: who answers a request. See <green/router.h>.
 */
#include <stdio.h>
#include <string.h>

#include "http1_char_priv.h"
#include "router_priv.h"
#include "wsgi_priv.h"

enum { ALLOW_SIZE = 256 }; /* bytes of an Allow field */

struct search {
        const char *method;
        struct green_http_part values[GREEN__PARAMS_MAX];
        char allow[ALLOW_SIZE]; /* methods of those that fit otherwise, each with ", " behind */
        size_t allow_len;
};

/* ---- the search */

/* Is a segment, as sent, this text? Escapes are whole: the parser has seen to that. */
static bool
same(const green_router *n, const char *seg, size_t len)
{
        size_t at = 0;

        for (size_t i = 0; i < len && at < n->len; i++, at++) {
                const uint8_t *c = (const uint8_t *)seg + i;
                bool encoded = *c == '%' && len - i > 2;

                if ((uint8_t)n->text[at] != (encoded ? green__http1_hex(c[1]) << 4 | green__http1_hex(c[2]) : *c))
                        return false;
                if (encoded)
                        i += 2;
                if (i + 1 == len)
                        return at + 1 == n->len;
        }
        return len == 0 && n->len == 0;
}

/* Is the method among those of the list? */
static bool
is_allowed(const struct search *s, const char *method)
{
        struct green_http_part rest = {s->allow, s->allow_len}, item;

        while (green_http_next_item(&rest, &item))
                if (item.len == strlen(method) && memcmp(item.data, method, item.len) == 0)
                        return true;
        return false;
}

static void
allow(struct search *s, const char *method)
{
        size_t room = sizeof(s->allow) - s->allow_len;

        if (strlen(method) + sizeof(", ") <= room && !is_allowed(s, method))
                s->allow_len += (size_t)snprintf(s->allow + s->allow_len, room, "%s, ", method);
}

static const struct green__router_handler *
choose(const struct green__router_handler *first, struct search *s)
{
        const struct green__router_handler *head = NULL, *any = NULL;

        for (const struct green__router_handler *h = first; h != NULL; h = h->next) {
                if (h->method == NULL)
                        any = h;
                else if (strcmp(h->method, s->method) == 0)
                        return h;
                else if (strcmp(h->method, "GET") == 0 && strcmp(s->method, "HEAD") == 0)
                        head = h;
        }
        for (const struct green__router_handler *h = first; any == NULL && head == NULL && h != NULL; h = h->next) {
                if (strcmp(h->method, "GET") == 0)
                        allow(s, "HEAD");
                allow(s, h->method);
        }
        return head != NULL ? head : any;
}

/* Who answers the rest of a path, from a slash on, below n. */
static const struct green__router_handler *
walk(const green_router *n, const char *path, struct search *s, size_t params)
{
        for (const green_router *child = n->down; child != NULL; child = child->next) {
                struct green_http_part seg = {path + 1, child->kind == GREEN__ROUTER_REST ? strlen(path + 1)
                                                                                          : strcspn(path + 1, "/")};
                const char *end = seg.data + seg.len;
                const struct green__router_handler *h;

                if (child->kind == GREEN__ROUTER_TEXT ? !same(child, seg.data, seg.len)
                                                      : child->kind == GREEN__ROUTER_ONE && seg.len == 0)
                        continue;
                if (child->kind != GREEN__ROUTER_TEXT)
                        s->values[params] = seg;
                h = *end == '\0' ? choose(child->handlers, s)
                                 : walk(child, end, s, params + (child->kind != GREEN__ROUTER_TEXT));
                if (h != NULL)
                        return h;
        }
        return NULL;
}

/* The longest mount above a path. */
static const struct green__router_handler *
find_mount(const green_router *n, const char *path, const char **ret_rest)
{
        const struct green__router_handler *found = n->mount;
        const char *at = path;

        *ret_rest = path;
        while (*at == '/') {
                size_t len = strcspn(at + 1, "/");

                for (n = n->down; n != NULL && (n->kind != GREEN__ROUTER_TEXT || !same(n, at + 1, len)); n = n->next)
                        ;
                if (n == NULL)
                        break;
                at += 1 + len;
                if (n->mount != NULL) {
                        found = n->mount;
                        *ret_rest = at;
                }
        }
        return found;
}

/* ---- a request */

static int
refuse(green_wsgi_request *req, struct search *s)
{
        bool options = strcmp(s->method, "OPTIONS") == 0;
        int status = s->allow_len == 0 ? 404 : options ? 204 : 405, rc = 0;
        char text[80];

        if (s->allow_len > 0) {
                allow(s, "OPTIONS");
                s->allow[s->allow_len - 2] = '\0';
                rc = green_wsgi_set_header(req, "Allow", s->allow);
        }
        (void)snprintf(text, sizeof(text), "%d %s\r\n", status, green_http_phrase(status));
        return rc != 0 ? rc : green_wsgi_respond(req, status, "text/plain", text, strlen(text));
}

static int
call(green_wsgi_request *req, const struct green__router_handler *h, const struct search *s, size_t offset)
{
        struct green__route *route = green_wsgi_alloc(req, sizeof(*route));
        size_t n = 0;
        int rc;

        if (route == NULL)
                return -ENOMEM;
        *route = (struct green__route){.outer = req->route, .pattern = h->pattern, .offset = offset};
        for (const char *at = h->pattern; (at = strchr(at, '{')) != NULL; at++, n++) {
                char *value = green_wsgi_alloc(req, s->values[n].len + 1);

                if (value == NULL)
                        return -ENOMEM;
                (void)green_http_unquote(s->values[n].data, s->values[n].len, 0, value);
                route->values[n] = value;
        }
        req->route = route;
        green__environ_changed(req);
        rc = h->app(req, h->arg);
        req->route = route->outer;
        green__environ_changed(req);
        return rc;
}

int
green_router_app(green_wsgi_request *req, void *router)
{
        const green_router *r = router;
        struct search s = {.method = green_wsgi_method(req)};
        const char *raw = green_wsgi_raw_path(req), *path = green_router_rest(req), *rest;
        const struct green__router_handler *h = *path == '/' ? walk(r, path, &s, 0) : NULL;

        if (h != NULL)
                return call(req, h, &s, green__mount_offset(req));
        h = find_mount(r, path, &rest);
        return h == NULL ? refuse(req, &s) : call(req, h, &s, rest == path ? green__mount_offset(req) : (size_t)(rest - raw));
}

const char *
green_router_param(green_wsgi_request *req, const char *name)
{
        size_t len = strlen(name), n = 0;

        for (const struct green__route *route = req->route; route != NULL; route = route->outer, n = 0)
                for (const char *at = route->pattern; (at = strchr(at, '{')) != NULL; n++)
                        if (strncmp(++at, name, len) == 0 && (at[len] == '}' || at[len] == '.'))
                                return route->values[n];
        errno = 0;
        return NULL;
}

const char *
green_router_rest(green_wsgi_request *req)
{
        const char *rest = green_wsgi_raw_path(req) + green__mount_offset(req);

        return *rest == '\0' && green__mount_offset(req) > 0 ? "/" : rest;
}
