/*
 * The router: its table. See <green/router.h>.
 */
#include <string.h>

#include "http1_char_priv.h"
#include "router_priv.h"
#include "wsgi_priv.h"

/* The node for a segment of a pattern. NULL: no memory. */
static green_router *
descend(green_router *parent, const char *seg, size_t len)
{
        enum green__router_kind kind = len == 0 || *seg != '{' ? GREEN__ROUTER_TEXT
                                       : seg[len - 2] == '.'   ? GREEN__ROUTER_REST
                                                               : GREEN__ROUTER_ONE;
        green_router **at = &parent->down, *n;

        for (; (n = *at) != NULL && n->kind <= kind; at = &n->next)
                if (n->kind == kind &&
                    (kind != GREEN__ROUTER_TEXT || (n->len == len && memcmp(n->text, seg, len) == 0)))
                        return n;
        n = green_calloc(1, sizeof(*n) + len);
        if (n == NULL)
                return NULL;
        n->next = *at;
        n->kind = kind;
        n->len = len;
        memcpy(n->text, seg, len);
        return *at = n;
}

/* Text without braces, or a name in them: the last may have "..." behind. */
static bool
segment_ok(const char *seg, size_t len, size_t *params)
{
        size_t name = strcspn(seg + (*seg == '{'), "{}./");

        if (*seg != '{')
                return memchr(seg, '{', len) == NULL && memchr(seg, '}', len) == NULL;
        if (name == 0 || ++*params > GREEN__PARAMS_MAX)
                return false;
        return (len == name + 2 && seg[len - 1] == '}') ||
               (len == name + 5 && memcmp(seg + 1 + name, "...}", 4) == 0 && seg[len] == '\0');
}

static int
check(const char *method, const char *pattern, bool mount)
{
        size_t params = 0, len;

        for (const char *m = method; m != NULL && (*m != '\0' || m == method); m++)
                if (!green__http1_is((uint8_t)*m, GREEN__CHAR_TOKEN))
                        return green_set_error(-EINVAL, "no method: \"%.100s\"", method);
        for (const char *at = pattern; *at != '\0' || at == pattern; at += 1 + len) {
                len = *at == '/' ? strcspn(at + 1, "/") : 0;
                if (*at != '/' || !segment_ok(at + 1, len, &params) ||
                    (mount && (params > 0 || (len == 0 && pattern[1] != '\0'))))
                        return green_set_error(-EINVAL, "malformed from \"%.100s\" on: \"%.200s\"", at, pattern);
        }
        return 0;
}

static int
insert(green_router *n, const char *pattern, bool mount, struct green__router_handler *made)
{
        struct green__router_handler **place;
        size_t len;

        for (const char *at = pattern; n != NULL && *at != '\0' && !(mount && at[1] == '\0'); at += 1 + len) {
                len = strcspn(at + 1, "/");
                n = descend(n, at + 1, len);
        }
        if (n == NULL)
                return -ENOMEM;
        for (place = mount ? &n->mount : &n->handlers; *place != NULL; place = &(*place)->next)
                if (made->method == NULL ? (*place)->method == NULL
                                         : (*place)->method != NULL && strcmp((*place)->method, made->method) == 0)
                        return green_set_error(-EEXIST, "there is one already for \"%.200s\"", pattern);
        *place = made;
        return 0;
}

/* Without a method, and with the pattern of a mount. */
static int
add(green_router *router, const char *method, const char *pattern, bool mount, const struct green__router_handler *what)
{
        size_t len = pattern == NULL || mount ? 1 : strlen(pattern) + 1,
               method_len = method == NULL ? 0 : strlen(method) + 1;
        struct green__router_handler *made;
        int rc;

        if (router == NULL || pattern == NULL || what->app == NULL)
                return green_set_error(-EINVAL, "a router, a path and an application are wanted");
        rc = check(method, pattern, mount);
        if (rc != 0)
                return rc;
        made = green_malloc(sizeof(*made) + len + method_len);
        if (made == NULL)
                return -ENOMEM;
        *made = *what;
        memcpy(made->pattern, mount ? "" : pattern, len);
        if (method != NULL)
                made->method = memcpy(made->pattern + len, method, method_len);
        rc = insert(router, pattern, mount, made);
        if (rc != 0)
                green_free(made);
        return rc;
}

green_router *
green_router_new(void)
{
        green_router *router = green_calloc(1, sizeof(*router));

        if (router == NULL) {
                (void)green_set_error(-ENOMEM, NULL);
                errno = ENOMEM;
        }
        return router;
}

void
green_router_free(green_router *router)
{
        for (green_router *n = router, *next; n != NULL; n = next) {
                next = n->next;
                for (struct green__router_handler *h = n->handlers; h != NULL; h = n->handlers) {
                        n->handlers = h->next;
                        green_free(h);
                }
                green_free(n->mount);
                green_router_free(n->down);
                green_free(n);
        }
}

int
green_router_add(green_router *router, const char *method, const char *pattern, green_wsgi_app app, void *arg)
{
        return add(router, method, pattern, false, &(struct green__router_handler){.app = app, .arg = arg});
}

int
green_router_mount(green_router *router, const char *prefix, green_wsgi_app app, void *arg)
{
        return add(router, NULL, prefix, true, &(struct green__router_handler){.app = app, .arg = arg});
}
