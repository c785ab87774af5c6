/*
 * The client: its options and its end.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include <green/version.h>

#include "at_fork.h"
#include "client_priv.h"
#include "random_priv.h"

int
green__client_fail(int code, const char *format, ...)
{
        char text[300];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        return green_set_error(code, "%s", text);
}

/* ---- copies of what the options name */

static char *
copy_of(const char *text)
{
        size_t len = strlen(text) + 1;
        char *copy = green_malloc(len);

        return copy == NULL ? NULL : memcpy(copy, text, len);
}

static int
take_fields(green_http_client *c, const struct green_wsgi_pair *fields)
{
        struct green_http_request as = {.size = sizeof(as), .fields = fields};
        size_t n = 0;
        int rc = green__client_check(&as);

        if (rc != 0 || fields == NULL)
                return rc;
        while (fields[n].name != NULL)
                n++;
        c->fields = green_calloc(n + 1, sizeof(*c->fields));
        if (c->fields == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                c->fields[i].name = copy_of(fields[i].name);
                c->fields[i].value = copy_of(fields[i].value);
                if (c->fields[i].name == NULL || c->fields[i].value == NULL)
                        return -ENOMEM;
        }
        return 0;
}

static int
take_no_proxy(green_http_client *c, const char *const *hosts)
{
        size_t n = 0;

        if (hosts == NULL)
                return 0;
        while (hosts[n] != NULL)
                n++;
        c->no_proxy = green_calloc(n + 1, sizeof(*c->no_proxy));
        for (size_t i = 0; c->no_proxy != NULL && i < n; i++) {
                c->no_proxy[i] = copy_of(hosts[i]);
                if (c->no_proxy[i] == NULL)
                        return -ENOMEM;
        }
        return c->no_proxy == NULL ? -ENOMEM : 0;
}

static int
take_proxy(green_http_client *c, const char *proxy)
{
        int rc;

        if (proxy == NULL)
                return 0;
        rc = green__url_parse(proxy, "http", &c->proxy);
        if (rc != 0)
                return rc;
        if (c->proxy.tls || strcmp(c->proxy.target, "/") != 0)
                return green__client_fail(-EINVAL, "a proxy that is not http://host:port");
        return c->proxy.user == NULL ? 0 : green__client_basic(c->proxy.user, &c->proxy_auth);
}

static int
take_user_agent(green_http_client *c, const char *name)
{
        if (name == NULL)
                name = "green-net/" GREEN_VERSION;
        if (!green__header_value_ok(name))
                return green__client_fail(-EINVAL, "a user agent with a character that is not allowed");
        c->user_agent = copy_of(name);
        return c->user_agent == NULL ? -ENOMEM : 0;
}

/* ---- options */

static bool
time_ok(double seconds)
{
        return seconds >= 0; /* not NaN */
}

static int
check(const struct green_http_client_opts *o)
{
        if (!time_ok(o->connect_timeout) || !time_ok(o->send_timeout) || !time_ok(o->header_timeout) ||
            !time_ok(o->read_timeout) || !time_ok(o->timeout) ||
            !(o->idle_timeout >= 0 || o->idle_timeout < 0))
                return green__client_fail(-EINVAL, "a time limit that is negative or no number");
        if (o->max_header > (uint32_t)1 << 30)
                return green__client_fail(-EINVAL, "a header of %zu bytes", o->max_header);
        return 0;
}

static void
set_defaults(struct green_http_client_opts *o)
{
        if (o->max_per_host == 0)
                o->max_per_host = 16;
        if (o->max_connections == 0)
                o->max_connections = 256;
        if (o->idle_timeout == 0)
                o->idle_timeout = 60;
        if (o->connect_timeout == 0)
                o->connect_timeout = 30;
        if (o->send_timeout == 0)
                o->send_timeout = 60;
        if (o->header_timeout == 0)
                o->header_timeout = 60;
        if (o->read_timeout == 0)
                o->read_timeout = 300;
        if (o->max_header == 0)
                o->max_header = 65536;
        if (o->max_decompressed == 0)
                o->max_decompressed = (uint64_t)1 << 30;
        if (o->max_redirects == 0)
                o->max_redirects = 10;
}

static int
set_up(green_http_client *c)
{
        struct green_http_client_opts *o = &c->opts;
        int rc = check(o);

        set_defaults(o);
        c->ident = green_hub_ident();
        c->forks = green__client_forks;
        c->limits = (struct green__http1_limits){
                .field_line = (uint32_t)o->max_header, .fields = (uint32_t)o->max_header, .chunk_ext = 16384};
        c->body_limits = c->limits;
        if (c->body_limits.fields > GREEN__CLIENT_BODY - 1)
                c->body_limits.fields = GREEN__CLIENT_BODY - 1;
        if (rc == 0)
                rc = green__random(&c->seed, sizeof(c->seed));
        if (rc == 0)
                rc = take_proxy(c, o->proxy);
        if (rc == 0)
                rc = take_no_proxy(c, o->no_proxy);
        if (rc == 0)
                rc = take_user_agent(c, o->user_agent);
        if (rc == 0)
                rc = take_fields(c, o->fields);
        if (rc == 0 && o->cookies) {
                c->jar = green__jar_new();
                rc = c->jar == NULL ? -ENOMEM : 0;
        }
        if (o->tls != NULL)
                c->tls = green_tls_context_ref(o->tls);
        return rc;
}

/* ---- forks */

unsigned green__client_forks;

static void
in_child(void)
{
        green__client_forks++;
}

static void
watch_forks(void)
{
        green__web_at_fork(NULL, NULL, in_child);
}

green_http_client *
green_http_client_new(const struct green_http_client_opts *opts)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        green_http_client *c = green_calloc(1, sizeof(*c));
        int rc = -ENOMEM;

        (void)pthread_once(&once, watch_forks);
        if (c != NULL) {
                c->refs = 1;
                rc = green_opts_take(&c->opts, sizeof(c->opts), opts);
                rc = rc != 0 ? green__client_fail(rc, "an unknown size of struct green_http_client_opts") : set_up(c);
        }
        if (rc == 0)
                return c;
        if (c != NULL)
                green__client_unref(c);
        if (rc == -ENOMEM)
                green_set_error(rc, NULL);
        errno = -rc;
        return NULL;
}

/* ---- the end */

static void
free_fields(struct green_wsgi_pair *fields)
{
        for (struct green_wsgi_pair *p = fields; p != NULL && (p->name != NULL || p->value != NULL); p++) {
                green_free((char *)(uintptr_t)p->name);
                green_free((char *)(uintptr_t)p->value);
        }
        green_free(fields);
}

void
green__client_unref(green_http_client *c)
{
        if (--c->refs > 0)
                return;
        while (c->kept != NULL) {
                green_http_response *res = c->kept;

                c->kept = res->next;
                green__response_destroy(res);
        }
        green__client_sessions_free(c);
        green_tls_context_unref(c->tls);
        green_free(c->proxy.text);
        green_free(c->proxy_auth);
        for (char **p = c->no_proxy; p != NULL && *p != NULL; p++)
                green_free(*p);
        green_free(c->no_proxy);
        green_free(c->user_agent);
        free_fields(c->fields);
        green__jar_free(c->jar);
        green_free(c);
}

void
green_http_client_free(green_http_client *c)
{
        if (c == NULL)
                return;
        c->closed = true;
        green__pool_end(c);
        green__client_unref(c);
}
