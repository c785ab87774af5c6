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

/* ---- one of them */

static const char *
server_value(const struct green__server *server, const char *name)
{
        for (const struct green_wsgi_pair *p = server->environ; p != NULL && p->name != NULL; p++)
                if (strcmp(p->name, name) == 0)
                        return p->value;
        return NULL;
}

/* One that took memory is not made again. */
static const char *
keep(green_wsgi_request *req, const char *name, const char *value)
{
        name = copy(req, name, strlen(name));
        return name == NULL || add_var(req, name, value) == NULL ? NULL : value;
}

const char *
green_wsgi_environ(green_wsgi_request *req, const char *name)
{
        const struct var *v = find_var(req, name);
        const char *value;
        bool made;

        if (v != NULL)
                return v->value;
        value = green__variable(req, name, &made);
        if (value == NULL)
                return errno == ENOMEM ? NULL : server_value(req->session->server, name);
        return made ? keep(req, name, value) : value;
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

static bool
list_all(green_wsgi_request *req, struct green__environ *env, struct green_wsgi_pair *all)
{
        env->count = 0;
        for (size_t i = 0; i < green__variable_count(req); i++) {
                const char *name = green__variable_name(req, i);

                if (name == NULL ? errno == ENOMEM : !list_one(req, env, all, name))
                        return false;
        }
        for (const struct var *v = env->vars; v != NULL; v = v->next)
                if (!list_one(req, env, all, v->name))
                        return false;
        for (const struct green_wsgi_pair *p = req->session->server->environ; p != NULL && p->name != NULL; p++)
                if (!list_one(req, env, all, p->name))
                        return false;
        return true;
}

/* How many there are at most. */
static size_t
most(const green_wsgi_request *req, const struct green__environ *env)
{
        size_t n = green__variable_count(req);

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

void
green__environ_changed(green_wsgi_request *req)
{
        if (req->environ != NULL)
                req->environ->all = NULL;
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
