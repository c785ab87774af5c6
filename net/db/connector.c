/*
 * Connectors: one pool for each host and database.
 */
#include "db_priv.h"

#include <string.h>

struct entry {
        struct entry *next;
        green_db_pool *pool;
        bool making; /* green_db_pool_new() yields */
        const char *database;
        char host[];
};

struct credential {
        char *host;
        struct green_db_params *params;
};

struct green_db_connector {
        uint64_t hub;
        char *driver;
        struct green_db_pool_opts opts;
        struct credential *credentials;
        size_t n;
        struct entry *entries;
        struct green_waitq waiting; /* for a pool that somebody makes */
        size_t users;               /* green threads that make one, or wait for that */
};

static char *
copy_text(const char *text)
{
        size_t len = strlen(text) + 1;
        char *copy = green_malloc(len);

        return copy != NULL ? memcpy(copy, text, len) : NULL;
}

static void
release(green_db_connector *c)
{
        for (size_t i = 0; c->credentials != NULL && i < c->n; i++) {
                green_free(c->credentials[i].host);
                green__db_params_free(c->credentials[i].params);
        }
        green_free(c->credentials);
        green_free(c->driver);
        green_free(c);
}

static int
copy_credentials(green_db_connector *c, const struct green_db_credentials *list, size_t n)
{
        c->credentials = n > 0 ? green_calloc(n, sizeof *c->credentials) : NULL;
        if (n > 0 && c->credentials == NULL)
                return -ENOMEM;
        c->n = n;
        for (size_t i = 0; i < n; i++) {
                struct green_db_params p = {.size = sizeof p};

                if (list[i].host == NULL)
                        return green_set_error(-EINVAL, "green_db_connector_new: credentials without a host");
                if (list[i].params != NULL && green__db_params_take(&p, list[i].params) != 0)
                        return -EINVAL;
                c->credentials[i].host = copy_text(list[i].host);
                c->credentials[i].params = green__db_params_copy(&p, NULL, NULL);
                if (c->credentials[i].host == NULL || c->credentials[i].params == NULL)
                        return -ENOMEM;
        }
        return 0;
}

green_db_connector *
green_db_connector_new(const char *driver, const struct green_db_credentials *credentials, size_t n,
                       const struct green_db_pool_opts *pool_opts)
{
        struct green_db_pool_opts o;
        green_db_connector *c;
        int rc;

        if (driver == NULL || (credentials == NULL && n > 0) || green_opts_take(&o, sizeof o, pool_opts) != 0) {
                green_set_error(-EINVAL, "green_db_connector_new: no driver, no credentials, or options of an unknown size");
                return NULL;
        }
        if (green_get_hub() == NULL)
                return NULL;
        c = green_calloc(1, sizeof *c);
        if (c == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        c->hub = green_hub_ident();
        c->driver = copy_text(driver);
        c->opts = o;
        c->opts.size = sizeof o;
        c->opts.driver = c->driver;
        c->opts.database = NULL;
        rc = c->driver != NULL ? copy_credentials(c, credentials, n) : -ENOMEM;
        if (rc == 0)
                return c;
        release(c);
        if (rc == -ENOMEM)
                green_set_error(rc, NULL);
        return NULL;
}

static const struct green_db_params *
find_credentials(const green_db_connector *c, const char *host)
{
        for (size_t i = 0; i < c->n; i++)
                if (strcmp(c->credentials[i].host, host) == 0)
                        return c->credentials[i].params;
        return NULL;
}

const struct green_db_params *
green_db_connector_credentials_for(const green_db_connector *c, const char *host)
{
        const struct green_db_params *p;

        if (c == NULL || host == NULL) {
                green_set_error(-EINVAL, "green_db_connector_credentials_for: no connector, or no host");
                return NULL;
        }
        p = find_credentials(c, host);
        if (p == NULL)
                p = find_credentials(c, "default");
        if (p == NULL)
                green_set_error(-ENOENT, "there are no credentials for \"%s\", and no default", host);
        return p;
}

static struct entry *
find(const green_db_connector *c, const char *host, const char *database)
{
        struct entry *e = c->entries;

        while (e != NULL && (strcmp(e->host, host) != 0 || strcmp(e->database, database) != 0))
                e = e->next;
        return e;
}

static struct entry *
add(green_db_connector *c, const char *host, const char *database)
{
        size_t a = strlen(host) + 1, b = strlen(database) + 1;
        struct entry *e = green_calloc(1, sizeof *e + a + b);

        if (e == NULL)
                return NULL;
        memcpy(e->host, host, a);
        e->database = memcpy(e->host + a, database, b);
        e->next = c->entries;
        c->entries = e;
        return e;
}

static void
take_out(green_db_connector *c, struct entry *e)
{
        struct entry **at = &c->entries;

        while (*at != e)
                at = &(*at)->next;
        *at = e->next;
        green_free(e);
}

/* Others who ask for the same pool meanwhile wait. */
static int
make(green_db_connector *c, struct entry *e, const struct green_db_params *credentials, green_db_pool **ret_pool)
{
        struct green_db_pool_opts o = c->opts;
        struct green_db_params *p = green__db_params_copy(credentials, credentials->host == NULL ? e->host : NULL,
                                                          credentials->database == NULL ? e->database : NULL);
        int rc = -ENOMEM;

        if (p != NULL) {
                o.params = p;
                e->making = true;
                e->pool = green_db_pool_new(&o);
                rc = e->pool != NULL ? 0 : green_last_error()->code;
                e->making = false;
                green__db_params_free(p);
                (void)green_wake_all(&c->waiting, 0);
        }
        if (rc == 0)
                *ret_pool = e->pool;
        else
                take_out(c, e);
        return rc;
}

static int
get(green_db_connector *c, const char *host, const char *database, green_db_pool **ret_pool)
{
        const struct green_db_params *credentials;
        struct entry *e;
        int rc;

        while ((e = find(c, host, database)) != NULL && e->making) {
                struct green_wait w = {.value = NULL};

                rc = green_park(&c->waiting, &w, GREEN_FOREVER);
                if (rc != 0)
                        return rc;
        }
        if (e != NULL) {
                *ret_pool = e->pool;
                return 0;
        }
        credentials = green_db_connector_credentials_for(c, host);
        if (credentials == NULL)
                return -ENOENT;
        e = add(c, host, database);
        return e != NULL ? make(c, e, credentials, ret_pool) : green_set_error(-ENOMEM, NULL);
}

int
green_db_connector_get(green_db_connector *c, const char *host, const char *database, green_db_pool **ret_pool)
{
        int rc;

        if (c == NULL || host == NULL || database == NULL || ret_pool == NULL)
                return green_set_error(-EINVAL, "green_db_connector_get: no connector, host, database or ret_pool");
        rc = green_hub_check(c->hub, "a database connector");
        if (rc != 0)
                return rc;
        c->users++;
        rc = get(c, host, database, ret_pool);
        c->users--;
        return rc;
}

/* Does somebody use it, or get from one of its pools? */
static bool
is_busy(const green_db_connector *c)
{
        const struct entry *e = c->users == 0 ? c->entries : NULL; /* else one may have no pool yet */

        while (e != NULL && !green__db_pool_busy(e->pool))
                e = e->next;
        return c->users > 0 || e != NULL;
}

int
green_db_connector_free(green_db_connector *c)
{
        int rc;

        if (c == NULL)
                return 0;
        rc = green_hub_check(c->hub, "a database connector");
        if (rc != 0)
                return rc;
        if (is_busy(c))
                return green_set_error(-EBUSY, "somebody waits for a pool of this connector");
        while (c->entries != NULL) {
                struct entry *e = c->entries;

                c->entries = e->next;
                (void)green_db_pool_free(e->pool);
                green_free(e);
        }
        release(c);
        return 0;
}
