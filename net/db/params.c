/*
 * Whom to connect to: copies of what users give.
 */
#include "db_priv.h"

#include <stdint.h>
#include <string.h>

int
green__db_params_take(struct green_db_params *params, const struct green_db_params *given)
{
        if (green_opts_take(params, sizeof *params, given) != 0)
                return green_set_error(-EINVAL, "green_db_params: of an unknown size");
        if (params->port > 65535)
                return green_set_error(-EINVAL, "green_db_params: port %u is out of range", params->port);
        params->size = sizeof *params;
        return 0;
}

static size_t
bytes(const char *s)
{
        return s != NULL ? strlen(s) + 1 : 0;
}

static size_t
count(const char *const *list)
{
        size_t n = 0;

        while (list != NULL && list[n] != NULL)
                n++;
        return n;
}

static const char *
put(char **at, const char *s)
{
        char *to = *at;
        size_t len = bytes(s);

        if (s == NULL)
                return NULL;
        memcpy(to, s, len);
        *at = to + len;
        return to;
}

/* The bytes behind the struct: a list of pointers, then the strings. */
static size_t
bytes_behind(const struct green_db_params *p)
{
        size_t n = count(p->options), len = (n + 1) * sizeof(char *);

        for (size_t i = 0; i < n; i++)
                len += bytes(p->options[i]);
        return len + bytes(p->host) + bytes(p->user) + bytes(p->password) + bytes(p->database);
}

/* behind: aligned as a pointer. */
static void
copy_to(struct green_db_params *to, void *behind, const struct green_db_params *from)
{
        size_t n = count(from->options);
        const char **list = behind;
        char *at = (char *)(list + n + 1);

        *to = *from;
        for (size_t i = 0; i < n; i++)
                list[i] = put(&at, from->options[i]);
        list[n] = NULL;
        to->options = from->options != NULL ? list : NULL;
        to->host = put(&at, from->host);
        to->user = put(&at, from->user);
        to->password = put(&at, from->password);
        to->database = put(&at, from->database);
}

struct green_db_params *
green__db_params_copy(const struct green_db_params *params, const char *host, const char *database)
{
        struct green_db_params p = *params, *copy;

        if (host != NULL)
                p.host = host;
        if (database != NULL)
                p.database = database;
        copy = green_malloc(sizeof *copy + bytes_behind(&p));
        if (copy != NULL)
                copy_to(copy, copy + 1, &p);
        else
                green_set_error(-ENOMEM, NULL);
        return copy;
}

struct green__db_target *
green__db_target_new(const struct green_db_driver *driver, const struct green_db_params *params, const char *database,
                     enum green_db_pool_kind kind)
{
        struct green_db_params p = {.size = sizeof p};
        struct green__db_target *t;

        if (params != NULL && green__db_params_take(&p, params) != 0)
                return NULL;
        if (database != NULL)
                p.database = database;
        t = green_calloc(1, sizeof *t + bytes_behind(&p));
        if (t == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        atomic_init(&t->refs, 1);
        t->driver = driver;
        t->hops = kind == GREEN_DB_POOL_TPOOLED || (kind == GREEN_DB_POOL_AUTO && (driver->features & GREEN_DB_BLOCKS));
        t->connect_timeout = t->cleanup_timeout = 5;
        copy_to(&t->params, t + 1, &p);
        return t;
}

struct green__db_target *
green__db_target_ref(struct green__db_target *t)
{
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
        return t;
}

/* A password does not stay in memory that is given back. */
static void
wipe(const char *secret)
{
        volatile char *at = (volatile char *)(uintptr_t)secret;

        while (at != NULL && *at != '\0')
                *at++ = '\0';
}

void
green__db_params_free(struct green_db_params *params)
{
        if (params != NULL)
                wipe(params->password);
        green_free(params);
}

void
green__db_target_unref(struct green__db_target *t)
{
        if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
                return;
        wipe(t->params.password);
        green_free(t);
}
