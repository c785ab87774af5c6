/*
 * What an application asks of a request by CGI's names. A variable is computed when it is asked for; what takes memory,
 * and what the application has set, is kept in a list. Only who asks for all of them gets them made.
 */
#include <string.h>

#include "wsgi_priv.h"

/* A variable that was put together, or set by the application. */
struct var {
        struct var *next;
        const char *name;
        const char *value; /* NULL: taken away */
};

struct green__environ {
        struct var *vars;
        struct green_wsgi_pair *all; /* NULL: nobody has asked, or one was set since */
        size_t count;
};

/* ---- those that are kept */

static struct green__environ *
environ_of(green_wsgi_request *req)
{
        if (req->environ == NULL) {
                req->environ = green_wsgi_alloc(req, sizeof(*req->environ));
                if (req->environ != NULL)
                        *req->environ = (struct green__environ){NULL, NULL, 0};
        }
        return req->environ;
}

static struct var *
find_var(const green_wsgi_request *req, const char *name)
{
        for (struct var *v = req->environ == NULL ? NULL : req->environ->vars; v != NULL; v = v->next)
                if (strcmp(v->name, name) == 0)
                        return v;
        return NULL;
}

/* A variable that is not there yet, with a name that lasts. NULL, with errno, where there is no memory. */
static struct var *
add_var(green_wsgi_request *req, const char *name, const char *value)
{
        struct green__environ *env = environ_of(req);
        struct var *v = env == NULL ? NULL : green_wsgi_alloc(req, sizeof(*v));

        if (v == NULL)
                return NULL;
        *v = (struct var){env->vars, name, value};
        return env->vars = v;
}

static const char *
copy(green_wsgi_request *req, const char *text, size_t len)
{
        const char *p = green__arena_copy(&req->session->arena, text, len);

        if (p == NULL)
                errno = ENOMEM;
        return p;
}

/* ---- those of the request line and the server */

static const char *
nothing(green_wsgi_request *req)
{
        (void)req;
        return "";
}

static const char *
path_info(green_wsgi_request *req)
{
        return green_wsgi_path(req, NULL);
}

static const char *
content_type(green_wsgi_request *req)
{
        const char *type = green_wsgi_header(req, "Content-Type");

        return type == NULL ? "text/plain" : type;
}

static const char *
content_length(green_wsgi_request *req)
{
        return green_wsgi_header(req, "Content-Length");
}

static const char *
protocol(green_wsgi_request *req)
{
        return green_wsgi_version(req) == 10 ? "HTTP/1.0" : "HTTP/1.1";
}

static const char *
gateway(green_wsgi_request *req)
{
        (void)req;
        return "CGI/1.1";
}

static const char *
https(green_wsgi_request *req)
{
        return strcmp(green_wsgi_scheme(req), "https") == 0 ? "on" : NULL;
}

static const char *
wsgi_version(green_wsgi_request *req)
{
        (void)req;
        return "1.0";
}

static const char *
yes(green_wsgi_request *req)
{
        (void)req;
        return "true";
}

static const char *
no(green_wsgi_request *req)
{
        (void)req;
        return "false";
}

/* ---- addresses */

/* Host or port of an address, kept under that name. A Unix socket is "unix", without a port (WSGI-17). */
static const char *
address_part(green_wsgi_request *req, const struct green_addr *addr, const char *name, bool port)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        const char *begin = text, *end;
        const struct var *v;

        if (green_addr_port(addr) < 0)
                return port ? "" : "unix";
        (void)green_addr_format(addr, text, sizeof(text));
        end = strrchr(text, ':');
        if (port) {
                begin = end + 1;
                end += strlen(end);
        } else if (*begin == '[') {
                begin++;
                end--;
        }
        begin = copy(req, begin, (size_t)(end - begin));
        v = begin == NULL ? NULL : add_var(req, name, begin);
        return v == NULL ? NULL : v->value;
}

static const char *
local(green_wsgi_request *req, const char *name, bool port)
{
        struct green_addr addr;
        int rc = green_socket_getsockname(green_wsgi_get_socket(req), &addr);

        return rc != 0 ? NULL : address_part(req, &addr, name, port);
}

static const char *
remote(green_wsgi_request *req, const char *name, bool port)
{
        struct green_addr addr;
        int rc = green_wsgi_peer(req, &addr);

        return rc != 0 ? NULL : address_part(req, &addr, name, port);
}

static const char *
server_name(green_wsgi_request *req)
{
        return local(req, "SERVER_NAME", false);
}

static const char *
server_port(green_wsgi_request *req)
{
        return local(req, "SERVER_PORT", true);
}

static const char *
remote_addr(green_wsgi_request *req)
{
        return remote(req, "REMOTE_ADDR", false);
}

static const char *
remote_port(green_wsgi_request *req)
{
        return remote(req, "REMOTE_PORT", true);
}

static const struct {
        const char *name;
        const char *(*value)(green_wsgi_request *req);
} known[] = {
        {"REQUEST_METHOD", green_wsgi_method},
        {"SCRIPT_NAME", nothing},
        {"PATH_INFO", path_info},
        {"RAW_PATH_INFO", green_wsgi_raw_path},
        {"QUERY_STRING", green_wsgi_query},
        {"CONTENT_TYPE", content_type},
        {"CONTENT_LENGTH", content_length},
        {"SERVER_PROTOCOL", protocol},
        {"SERVER_NAME", server_name},
        {"SERVER_PORT", server_port},
        {"REMOTE_ADDR", remote_addr},
        {"REMOTE_PORT", remote_port},
        {"GATEWAY_INTERFACE", gateway},
        {"HTTPS", https},
        {"wsgi.version", wsgi_version},
        {"wsgi.url_scheme", green_wsgi_scheme},
        {"wsgi.multithread", yes},
        {"wsgi.multiprocess", no},
        {"wsgi.run_once", no},
};

enum { KNOWN = sizeof(known) / sizeof(known[0]) };

/* ---- header fields */

static char
as_variable(char c)
{
        if (c >= 'a' && c <= 'z')
                return (char)(c - 'a' + 'A');
        return c == '-' ? '_' : c;
}

/* Is it one that HTTP_* has? */
static bool
is_variable(const green_wsgi_request *req, size_t index)
{
        static const char type[] = "CONTENT_TYPE", length[] = "CONTENT_LENGTH";
        const struct green__http1_field *field = &req->fields[index];
        const char *name = req->base + field->name;
        const char *other = field->name_len == sizeof(type) - 1 ? type : length;

        if (field->flags & (GREEN__HTTP1_UNDERSCORE | GREEN__HTTP1_REPEATED))
                return false;
        if (field->name_len != strlen(other))
                return true;
        for (size_t i = 0; i < field->name_len; i++)
                if (as_variable(name[i]) != other[i])
                        return true;
        return false;
}

/* Is a field one of this variable, given without HTTP_? */
static bool
is_field(const green_wsgi_request *req, size_t index, const char *name, size_t len)
{
        const struct green__http1_field *field = &req->fields[index];
        const char *sent = req->base + field->name;

        if (field->name_len != len)
                return false;
        for (size_t i = 0; i < len; i++)
                if (as_variable(sent[i]) != name[i])
                        return false;
        return is_variable(req, index);
}

static const char *
field_value(green_wsgi_request *req, size_t index)
{
        const char *name, *value = "";

        (void)green_wsgi_header_at(req, index, &name, &value);
        return value;
}

/* The values of a variable's fields, from the first on, joined by commas. */
static const char *
joined(green_wsgi_request *req, size_t first, const char *name, size_t len)
{
        size_t room = 0;
        char *text, *at;

        for (size_t i = first; i < req->head.lines.count; i++)
                if (is_field(req, i, name, len))
                        room += req->fields[i].value_len + 1u;
        text = at = green_wsgi_alloc(req, room);
        if (text == NULL)
                return NULL;
        for (size_t i = first; i < req->head.lines.count; i++) {
                if (!is_field(req, i, name, len))
                        continue;
                memcpy(at, req->base + req->fields[i].value, req->fields[i].value_len);
                at += req->fields[i].value_len;
                *at++ = ',';
        }
        at[-1] = '\0';
        return text;
}

/* What HTTP_* says. full is the whole name; it is kept under a copy of it where values had to be joined. */
static const char *
field_variable(green_wsgi_request *req, const char *full)
{
        const char *name = full + 5, *value;
        size_t len = strlen(name);
        size_t first = SIZE_MAX;
        unsigned n = 0;

        for (size_t i = 0; i < req->head.lines.count; i++)
                if (is_field(req, i, name, len) && n++ == 0)
                        first = i;
        if (n == 0)
                return NULL;
        if (n == 1)
                return field_value(req, first);
        value = joined(req, first, name, len);
        full = value == NULL ? NULL : copy(req, full, len + 5);
        return full == NULL || add_var(req, full, value) == NULL ? NULL : value;
}

/* ---- one of them */

/* Of a request's own. */
static const char *
own_value(green_wsgi_request *req, const char *name)
{
        for (size_t i = 0; i < KNOWN; i++)
                if (strcmp(name, known[i].name) == 0)
                        return known[i].value(req);
        return strncmp(name, "HTTP_", 5) == 0 ? field_variable(req, name) : NULL;
}

static const char *
server_value(const struct green__server *server, const char *name)
{
        for (const struct green_wsgi_pair *p = server->environ; p != NULL && p->name != NULL; p++)
                if (strcmp(p->name, name) == 0)
                        return p->value;
        return NULL;
}

const char *
green_wsgi_environ(green_wsgi_request *req, const char *name)
{
        const struct var *v = find_var(req, name);
        const char *value;

        if (v != NULL)
                return v->value;
        errno = 0;
        value = own_value(req, name);
        return value == NULL && errno != ENOMEM ? server_value(req->session->server, name) : value;
}

int
green_wsgi_environ_set(green_wsgi_request *req, const char *name, const char *value)
{
        struct var *v;

        if (name == NULL || *name == '\0')
                return green_set_error(-EINVAL, "a variable without a name");
        if (value != NULL) {
                value = copy(req, value, strlen(value));
                if (value == NULL)
                        return -ENOMEM;
        }
        v = find_var(req, name);
        if (v == NULL) {
                name = copy(req, name, strlen(name));
                if (name == NULL || add_var(req, name, value) == NULL)
                        return -ENOMEM;
        } else {
                v->value = value;
        }
        req->environ->all = NULL;
        return 0;
}

/* ---- all of them */

/* Put a variable into the list, unless it is there or has no value. False: no memory. */
static bool
list_one(green_wsgi_request *req, struct green__environ *env, struct green_wsgi_pair *all, const char *name)
{
        const char *value;

        for (size_t i = 0; i < env->count; i++)
                if (strcmp(all[i].name, name) == 0)
                        return true;
        value = green_wsgi_environ(req, name);
        if (value != NULL)
                all[env->count++] = (struct green_wsgi_pair){name, value};
        else if (errno == ENOMEM && find_var(req, name) == NULL)
                return false;
        return true;
}

/* The name of a field's variable. */
static const char *
variable_name(green_wsgi_request *req, const struct green__http1_field *field)
{
        char *name = green_wsgi_alloc(req, field->name_len + 6u);

        if (name == NULL)
                return NULL;
        memcpy(name, "HTTP_", 5);
        for (size_t i = 0; i < field->name_len; i++)
                name[5 + i] = as_variable(req->base[field->name + i]);
        name[5 + field->name_len] = '\0';
        return name;
}

static bool
list_fields(green_wsgi_request *req, struct green__environ *env, struct green_wsgi_pair *all)
{
        for (size_t i = 0; i < req->head.lines.count; i++) {
                const char *name;

                if (!is_variable(req, i))
                        continue;
                name = variable_name(req, &req->fields[i]);
                if (name == NULL || !list_one(req, env, all, name))
                        return false;
        }
        return true;
}

static bool
list_all(green_wsgi_request *req, struct green__environ *env, struct green_wsgi_pair *all)
{
        const struct green_wsgi_pair *extra = req->session->server->environ;

        env->count = 0;
        for (size_t i = 0; i < KNOWN; i++)
                if (!list_one(req, env, all, known[i].name))
                        return false;
        if (!list_fields(req, env, all))
                return false;
        for (const struct var *v = env->vars; v != NULL; v = v->next)
                if (!list_one(req, env, all, v->name))
                        return false;
        for (const struct green_wsgi_pair *p = extra; p != NULL && p->name != NULL; p++)
                if (!list_one(req, env, all, p->name))
                        return false;
        return true;
}

/* How many there are at most. */
static size_t
most(const green_wsgi_request *req, const struct green__environ *env)
{
        size_t n = KNOWN + req->head.lines.count;

        for (const struct var *v = env->vars; v != NULL; v = v->next)
                n++;
        for (const struct green_wsgi_pair *p = req->session->server->environ; p != NULL && p->name != NULL; p++)
                n++;
        return n;
}

bool
green_wsgi_environ_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair)
{
        struct green__environ *env = environ_of(req);

        if (env == NULL)
                return false;
        if (env->all == NULL) {
                struct green_wsgi_pair *all = green_wsgi_alloc(req, most(req, env) * sizeof(*all));

                if (all == NULL || !list_all(req, env, all))
                        return false;
                env->all = all;
        }
        if (index >= env->count)
                return false;
        *ret_pair = env->all[index];
        return true;
}

/* ---- the server's own */

static int
check(const struct green_wsgi_pair *p)
{
        if (*p->name == '\0' || strchr(p->name, '=') != NULL)
                return green_set_error(-EINVAL, "environ: \"%.100s\" is no name of a variable", p->name);
        if (p->value == NULL)
                return green_set_error(-EINVAL, "environ: %.100s has no value", p->name);
        return 0;
}

static char *
put(char *at, const char *text, const char **ret_text)
{
        size_t len = strlen(text) + 1;

        *ret_text = memcpy(at, text, len);
        return at + len;
}

int
green__environ_take(struct green__server *server)
{
        const struct green_wsgi_pair *given = server->opts.environ;
        struct green_wsgi_pair *own;
        size_t n = 0, room = 0;
        char *at;

        for (const struct green_wsgi_pair *p = given; p != NULL && p->name != NULL; p++) {
                int rc = check(p);

                if (rc != 0)
                        return rc;
                room += strlen(p->name) + strlen(p->value) + 2;
                n++;
        }
        if (n == 0)
                return 0;
        own = green_malloc((n + 1) * sizeof(*own) + room);
        if (own == NULL)
                return -ENOMEM;
        at = (char *)(own + n + 1);
        for (size_t i = 0; i < n; i++) {
                at = put(at, given[i].name, &own[i].name);
                at = put(at, given[i].value, &own[i].value);
        }
        own[n] = (struct green_wsgi_pair){NULL, NULL};
        server->environ = own;
        return 0;
}

void
green__environ_release(struct green__server *server)
{
        green_free(server->environ);
        server->environ = NULL;
}
