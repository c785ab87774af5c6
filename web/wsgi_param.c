/*
 * Parameters of the query and of a form, and cookies: each list is taken apart once, when it is asked for first. A name
 * is looked for from the beginning: there is no table that a client could fill with what collides.
 */
#include <string.h>
#include <strings.h>

#include "wsgi_priv.h"

struct green__params {
        struct green_wsgi_pair *pairs;
        size_t count;
        int error; /* of the form: it could not be read */
};

/* ---- a list of them */

/* Steps through the pieces of a text: green_http_next_param() or the like. */
typedef bool (*step_fn)(struct green_http_part *rest, struct green_http_part *ret_name,
                        struct green_http_part *ret_value);

static struct green__params *
params_new(green_wsgi_request *req)
{
        struct green__params *list = green_wsgi_alloc(req, sizeof(*list));

        if (list != NULL)
                *list = (struct green__params){NULL, 0, 0};
        return list;
}

/* Taken apart at the first time. NULL, with errno, where there is no memory. */
static const struct green__params *
once(green_wsgi_request *req, struct green__params **kept, int (*take)(green_wsgi_request *, struct green__params *))
{
        struct green__params *list = *kept;

        if (list != NULL)
                return list;
        list = params_new(req);
        if (list == NULL || take(req, list) != 0)
                return NULL;
        return *kept = list;
}

static const char *
value_of(const struct green__params *list, const char *name)
{
        for (size_t i = 0; list != NULL && i < list->count; i++)
                if (strcmp(list->pairs[i].name, name) == 0)
                        return list->pairs[i].value;
        return NULL;
}

static bool
pair_at(const struct green__params *list, size_t index, struct green_wsgi_pair *ret_pair)
{
        if (list == NULL || index >= list->count)
                return false;
        *ret_pair = list->pairs[index];
        return true;
}

/* How many there are. */
static size_t
count(struct green_http_part text, step_fn step)
{
        struct green_http_part name, value;
        size_t n = 0;

        while (step(&text, &name, &value))
                n++;
        return n;
}

/* Bytes that names and values take: a NUL each for its delimiter, for the end and for an '=' that is not there. */
static size_t
room_for(struct green_http_part text, size_t n)
{
        return text.len + n + 1;
}

/* ---- parameters */

static const char *
decoded(struct green_http_part part, char **at)
{
        char *text = *at;

        *at += green_http_unquote(part.data, part.len, GREEN_HTTP_PLUS, text) + 1;
        return text;
}

/* Take a text apart. 0 or -ENOMEM. */
static int
parse(green_wsgi_request *req, struct green__params *list, struct green_http_part text)
{
        size_t n = count(text, green_http_next_param);
        struct green_http_part name, value;
        char *at;

        if (n == 0)
                return 0;
        list->pairs = green_wsgi_alloc(req, n * sizeof(*list->pairs));
        at = green_wsgi_alloc(req, room_for(text, n));
        if (list->pairs == NULL || at == NULL)
                return -ENOMEM;
        while (green_http_next_param(&text, &name, &value)) {
                struct green_wsgi_pair *pair = &list->pairs[list->count++];

                pair->name = decoded(name, &at);
                pair->value = decoded(value, &at);
        }
        return 0;
}

static struct green_http_part
query_of(green_wsgi_request *req)
{
        const char *query = green_wsgi_query(req);

        return query == NULL ? (struct green_http_part){"", 0} : (struct green_http_part){query, strlen(query)};
}

static int
parse_query(green_wsgi_request *req, struct green__params *list)
{
        return parse(req, list, query_of(req));
}

static const struct green__params *
query_params(green_wsgi_request *req)
{
        return once(req, &req->query_params, parse_query);
}

const char *
green_wsgi_query_value(green_wsgi_request *req, const char *name)
{
        return value_of(query_params(req), name);
}

bool
green_wsgi_query_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair)
{
        return pair_at(query_params(req), index, ret_pair);
}

/* ---- a form */

static bool
is_form(green_wsgi_request *req)
{
        static const char form[] = "application/x-www-form-urlencoded";
        const char *type = green_wsgi_header(req, "Content-Type");

        if (type == NULL || strncasecmp(type, form, sizeof(form) - 1) != 0)
                return false;
        type += sizeof(form) - 1;
        return type[strspn(type, " \t")] == '\0' || type[strspn(type, " \t")] == ';';
}

int
green_wsgi_form_read(green_wsgi_request *req, size_t limit)
{
        struct green__params *list = req->form_params;
        char *data;
        size_t len;

        if (list != NULL)
                return list->error;
        if (!is_form(req))
                return green_set_error(-EINVAL, "the body is no application/x-www-form-urlencoded");
        list = params_new(req);
        if (list == NULL)
                return -ENOMEM;
        req->form_params = list;
        list->error = green_wsgi_read_all(req, limit, &data, &len);
        if (list->error == 0)
                list->error = parse(req, list, (struct green_http_part){data, len});
        return list->error;
}

const char *
green_wsgi_form_value(green_wsgi_request *req, const char *name)
{
        return value_of(req->form_params, name);
}

bool
green_wsgi_form_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair)
{
        return pair_at(req->form_params, index, ret_pair);
}

/* ---- cookies */

static const char *
copied(struct green_http_part part, char **at)
{
        char *text = *at;

        memcpy(text, part.data, part.len);
        text[part.len] = '\0';
        *at += part.len + 1;
        return text;
}

/* The value of the next Cookie field: there should be one only, but some proxies take it apart. */
static bool
next_field(green_wsgi_request *req, size_t *index, struct green_http_part *ret_value)
{
        const char *name, *value;

        while (green_wsgi_header_at(req, (*index)++, &name, &value)) {
                if (strcasecmp(name, "Cookie") == 0) {
                        *ret_value = (struct green_http_part){value, strlen(value)};
                        return true;
                }
        }
        return false;
}

static int
parse_cookies(green_wsgi_request *req, struct green__params *list)
{
        struct green_http_part text, name, value;
        size_t n = 0, room = 0;
        char *at;

        for (size_t i = 0; next_field(req, &i, &text);) {
                size_t here = count(text, green_http_next_cookie);

                room += room_for(text, here);
                n += here;
        }
        if (n == 0)
                return 0;
        list->pairs = green_wsgi_alloc(req, n * sizeof(*list->pairs));
        at = green_wsgi_alloc(req, room);
        if (list->pairs == NULL || at == NULL)
                return -ENOMEM;
        for (size_t i = 0; next_field(req, &i, &text);) {
                while (green_http_next_cookie(&text, &name, &value)) {
                        struct green_wsgi_pair *pair = &list->pairs[list->count++];

                        pair->name = copied(name, &at);
                        pair->value = copied(value, &at);
                }
        }
        return 0;
}

static const struct green__params *
cookies(green_wsgi_request *req)
{
        return once(req, &req->cookies, parse_cookies);
}

const char *
green_wsgi_cookie(green_wsgi_request *req, const char *name)
{
        return value_of(cookies(req), name);
}

bool
green_wsgi_cookie_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair)
{
        return pair_at(cookies(req), index, ret_pair);
}
