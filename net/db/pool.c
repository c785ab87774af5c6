/*
 * Pools of connections. See <green/db_pool.h>.
 *
 * Who may have a link has a token of `places`, a pool of tokens: there are as many as there may be links. Every link that is
 * idle stands for a token that is not out, so one that was woken with a token takes a link, or makes one; and whatever fails,
 * the token goes back, to the next.
 */
#include <config.h>

#include "pool_priv.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { DEFAULT_SIZE = 4, MAX_IDLE = 10, MAX_AGE = 30 };

/* ---- making */

static int64_t
nanoseconds(double seconds, double otherwise)
{
        if (seconds == 0)
                seconds = otherwise;
        return seconds < 0 ? -1 : seconds < 9e9 ? (int64_t)(seconds * 1e9) : INT64_MAX;
}

static int
check_opts(struct green_db_pool_opts *o, const struct green_db_pool_opts *given)
{
        if (given == NULL || green_opts_take(o, sizeof *o, given) != 0)
                return green_set_error(-EINVAL, "green_db_pool_new: no options, or of an unknown size");
        if (o->driver == NULL)
                return green_set_error(-EINVAL, "green_db_pool_new: no driver");
        if (o->max_size == 0)
                o->max_size = DEFAULT_SIZE;
        if (o->min_size > o->max_size)
                return green_set_error(-EINVAL, "green_db_pool_new: %zu connections at least and %zu at most", o->min_size,
                                       o->max_size);
        if (isnan(o->max_idle) || isnan(o->max_age) || !(o->connect_timeout >= 0) || !(o->cleanup_timeout >= 0))
                return green_set_error(-EINVAL, "green_db_pool_new: a time that means nothing");
        if ((unsigned)o->kind > GREEN_DB_POOL_TPOOLED)
                return green_set_error(-EINVAL, "green_db_pool_new: there is no kind %d", (int)o->kind);
        return 0;
}

static void
fill(green_db_pool *p, const struct green_db_pool_opts *o)
{
        p->hub = green_hub_ident();
        p->forks = green__sys_forks;
        p->max_size = o->max_size;
        p->max_idle = nanoseconds(o->max_idle, MAX_IDLE);
        p->max_age = nanoseconds(o->max_age, MAX_AGE);
        p->cleanup = o->cleanup != NULL ? o->cleanup : green_db_pool_cleanup_rollback;
        p->arg = o->arg;
        if (o->connect_timeout > 0)
                p->target->connect_timeout = o->connect_timeout;
        if (o->cleanup_timeout > 0)
                p->target->cleanup_timeout = o->cleanup_timeout;
        p->target->on_connect = o->on_connect;
        p->target->on_close = o->on_close;
        p->target->arg = o->arg;
        green__db_idle_init(p);
}

/* ---- handles */

static green_db_conn *
take_handle(green_db_pool *p)
{
        green_db_conn *c = p->spare;

        if (green__unlikely(c == NULL))
                return green__db_conn_new();
        p->spare = c->next;
        return c;
}

static void
give_handle(green_db_pool *p, green_db_conn *c)
{
        c->next = p->spare;
        p->spare = c;
}

static void
count_out(green_db_pool *p, green_db_conn *c, const char *where)
{
        c->where = where;
        c->prev = NULL;
        c->next = p->out;
        if (p->out != NULL)
                p->out->prev = c;
        p->out = c;
        p->n_out++;
}

static void
count_in(green_db_pool *p, green_db_conn *c)
{
        *(c->prev != NULL ? &c->prev->next : &p->out) = c->next;
        if (c->next != NULL)
                c->next->prev = c->prev;
        p->n_out--;
}

/* ---- connecting */

static int
connect_one(green_db_pool *p, green_db_conn *c)
{
        unsigned forks = green__db_pool_begin(p, &p->connecting);
        int rc = green__db_make(p->target, &c, p);

        green__db_pool_end(p, &p->connecting, forks);
        if (rc == 0)
                p->made++;
        return rc;
}

static int
make_first(green_db_pool *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                green_db_conn *c = take_handle(p);
                int rc = c != NULL ? connect_one(p, c) : -ENOMEM;

                if (rc == 0)
                        green__db_idle_push(p, green__db_conn_unbind(c), green__db_now());
                if (c != NULL)
                        give_handle(p, c);
                if (rc != 0)
                        return rc;
        }
        return 0;
}

static void
release(green_db_pool *p)
{
        while (p->spare != NULL) {
                green_db_conn *next = p->spare->next;

                green_free(p->spare);
                p->spare = next;
        }
        (void)green_watch_stop(&p->timer);
        (void)green_pool_free(p->places);
        green__db_target_unref(p->target);
        green_free(p);
}

void
green__db_pool_maybe_release(green_db_pool *p)
{
        if (p->freed && p->n_out == 0 && p->users == 0)
                release(p);
}

static green_pool *
new_places(const green_db_pool *p)
{
        const struct green_pool_opts opts = {.size = sizeof opts,
                                             .max_size = p->max_size,
                                             .create = green_token_pool_create,
                                             .name = p->target->driver->name};

        return green_pool_new(&opts);
}

green_db_pool *
green_db_pool_new(const struct green_db_pool_opts *opts)
{
        const struct green_db_driver *driver;
        struct green_db_pool_opts o;
        char why[512] = "";
        green_db_pool *p;
        int rc = -ENOMEM;

        if (check_opts(&o, opts) != 0 || (driver = green__db_driver_get(o.driver)) == NULL || green_get_hub() == NULL)
                return NULL;
        p = green_calloc(1, sizeof *p);
        if (p == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        p->target = green__db_target_new(driver, o.params, o.database, o.kind);
        if (p->target == NULL) {
                green_free(p);
                return NULL;
        }
        fill(p, &o);
        p->places = new_places(p);
        if (p->places != NULL)
                rc = make_first(p, o.min_size);
        if (rc == 0)
                return p;
        if (green_last_error()->code == rc)
                snprintf(why, sizeof why, "%s", green_last_error()->message);
        green__db_idle_trim(p, 0);
        p->freed = true;
        green__db_pool_maybe_release(p);
        green_set_error(rc, "%s", why[0] != '\0' ? why : green_strerror(rc));
        return NULL;
}

/* ---- get */

static int
check_pool(const green_db_pool *p, const char *what)
{
        if (p == NULL)
                return green_set_error(-EINVAL, "%s: no pool", what);
        return green_hub_check(p->hub, "a pool of database connections");
}

static void
give_place(green_db_pool *p, void *token)
{
        (void)green_pool_put(p->places, token);
}

/* With a token. */
static int
give_out(green_db_pool *p, green_db_conn **ret_conn, bool fresh, const char *where)
{
        green_db_conn *c = take_handle(p);
        green_db_link *l = c != NULL && !fresh ? green__db_idle_take(p) : NULL;
        int rc = 0;

        if (c == NULL)
                return -ENOMEM;
        if (green__likely(l != NULL))
                green__db_conn_bind(c, l, p);
        else
                rc = connect_one(p, c);
        if (rc != 0) {
                give_handle(p, c);
                return rc;
        }
        count_out(p, c, where);
        *ret_conn = c;
        return 0;
}

int(green_db_pool_get)(green_db_pool *p, green_db_conn **ret_conn, double timeout)
{
        return green_db_pool_get_at(p, ret_conn, timeout, "?");
}

int
green_db_pool_get_at(green_db_pool *p, green_db_conn **ret_conn, double timeout, const char *where)
{
        int rc = check_pool(p, "green_db_pool_get");
        unsigned forks;
        void *token;

        if (green__unlikely(rc != 0 || ret_conn == NULL))
                return rc != 0 ? rc : green_set_error(-EINVAL, "green_db_pool_get: no ret_conn");
        forks = green__db_pool_begin(p, &p->getting);
        rc = green_pool_get(p->places, &token, timeout);
        if (green__likely(rc == 0)) {
                rc = give_out(p, ret_conn, false, where);
                if (green__unlikely(rc != 0))
                        give_place(p, token);
        }
        green__db_pool_end(p, &p->getting, forks);
        return rc;
}

int
green_db_pool_create(green_db_pool *p, green_db_conn **ret_conn)
{
        int rc = check_pool(p, "green_db_pool_create");
        unsigned forks;
        void *token;

        if (rc == 0 && ret_conn == NULL)
                rc = green_set_error(-EINVAL, "green_db_pool_create: no ret_conn");
        if (rc != 0)
                return rc;
        rc = green_pool_get(p->places, &token, 0);
        if (rc == -ETIMEDOUT)
                return green_set_error(-EAGAIN, "green_db_pool_create: all %zu connections are out", p->max_size);
        if (rc != 0)
                return rc;
        forks = green__db_pool_begin(p, &p->getting);
        rc = give_out(p, ret_conn, true, "green_db_pool_create()");
        if (rc != 0)
                give_place(p, token);
        if (rc == 0 && p->n_idle + p->n_out + p->connecting > p->max_size && p->n_idle > 0)
                green__db_idle_trim(p, p->n_idle - 1);
        green__db_pool_end(p, &p->getting, forks);
        return rc;
}

int
green_db_pool_connect(green_db_pool *p, green_db_conn **ret_conn)
{
        int rc = check_pool(p, "green_db_pool_connect");

        if (rc == 0 && ret_conn == NULL)
                rc = green_set_error(-EINVAL, "green_db_pool_connect: no ret_conn");
        return rc == 0 ? green__db_make(p->target, ret_conn, NULL) : rc;
}

/* ---- put */

static bool
ends_more(int code)
{
        return code == GREEN_EKILLED || code == GREEN_ETIMEOUT || code == GREEN_ESTOPPED;
}

static int
clean(green_db_conn *c, green_db_cleanup_fn cleanup, void *arg)
{
        green_db_link *l = c->link;
        int rc = green__db_settle(l);

        if (rc == 0)
                rc = cleanup(c, arg);
        if (rc == 0 && !l->lost && !green__db_unsettled(l))
                return 0;
        if (rc == 0)
                rc = l->lost ? GREEN_EDBLOST : -EBUSY;
        return rc;
}

/* Shielded, and under a limit: 0, or why the link cannot be kept. *ret_code: what put returns. */
static int
clean_in_time(green_db_pool *p, green_db_conn *c, green_db_cleanup_fn cleanup, void *arg, int *ret_code)
{
        struct green_timeout limit = {{0}};
        int rc, own;

        green_shield_begin();
        rc = green_timeout_start(&limit, p->target->cleanup_timeout);
        if (rc == 0) {
                rc = clean(c, cleanup, arg);
                own = green_timeout_cancel(&limit);
                if (rc < 0 && ends_more(rc) && own != 1 && !c->link->lost)
                        *ret_code = rc;
                else if (rc < 0 && !c->link->lost)
                        green_log(GREEN_LOG_WARNING, "green-net: a database connection is closed, since it could not be cleaned: %s",
                                  own == 1 ? "not in time" : green_strerror(rc));
        }
        green_shield_end();
        return rc;
}

/* Is there nothing to clean? */
static bool
is_clean(const green_db_link *l, green_db_cleanup_fn cleanup)
{
        if (green__db_unsettled(l) || l->lost)
                return false;
        if (cleanup == green_db_pool_cleanup_rollback)
                return !l->target->driver->in_transaction(l->db);
        return cleanup == green_db_pool_cleanup_none;
}

int
green__db_pool_back(green_db_pool *p, green_db_conn *c, green_db_cleanup_fn cleanup, void *arg, bool keep)
{
        green_db_link *l = c->link;
        bool clean = false;
        void *token = NULL;
        unsigned forks;
        int code = 0;

        if (cleanup == NULL) {
                cleanup = p->cleanup;
                arg = p->arg;
        }
        if (l->forks != green__sys_forks)
                l->lost = true;
        if (keep && !p->freed && !l->lost) {
                clean = is_clean(l, cleanup);
                if (!clean && green_getcurrent() == NULL)
                        return green_set_error(-EDEADLK, "a connection cannot be cleaned in a hub callback");
                if (!clean) {
                        c->errorhandler = NULL;
                        c->held = true;
                        clean = clean_in_time(p, c, cleanup, arg, &code) == 0;
                        c->held = false;
                }
        }
        l->autocommit = true;
        forks = green__db_pool_begin(p, &p->users);
        count_in(p, c);
        (void)green__db_conn_unbind(c);
        if (green__likely(clean && !p->freed)) {
                int64_t now = green__db_now();

                if (green__likely(!green__db_at_once(p) && (p->max_age == INT64_MAX || now - l->made < p->max_age) &&
                                  p->n_idle + p->n_out + p->connecting < p->max_size))
                        green__db_idle_push(p, l, now);
                else
                        green__db_pool_close(p, l, green__db_at_once(p) || now - l->made >= p->max_age ? &p->expired : NULL);
        } else {
                green__db_pool_close(p, l, l->lost || (keep && !p->freed) ? &p->lost : NULL);
        }
        (void)green_token_pool_create(NULL, &token);
        give_place(p, token);
        green__db_pool_end(p, &p->users, forks);
        return code;
}

static int
give_back(green_db_pool *p, green_db_conn *conn, green_db_cleanup_fn cleanup, void *arg, bool keep, const char *what)
{
        int rc = check_pool(p, what);

        if (rc != 0)
                return rc;
        if (conn == NULL)
                return green_set_error(-EINVAL, "%s: no connection", what);
        if (conn->link == NULL) {
                /* Closed by its user: only the handle is left. */
                give_handle(p, conn);
                return 0;
        }
        if (conn->pool != p)
                return green_set_error(-EINVAL, "%s: this connection came from another pool, or from none", what);
        if (conn->busy || conn->held)
                return green_set_error(-EBUSY, "%s: another green thread is in a call on this connection", what);
        rc = green__db_pool_back(p, conn, cleanup, arg, keep);
        if (conn->link != NULL)
                return rc;
        give_handle(p, conn);
        green__db_pool_maybe_release(p);
        return rc;
}

int
green_db_pool_put(green_db_pool *p, green_db_conn *conn)
{
        return give_back(p, conn, NULL, NULL, true, "green_db_pool_put");
}

int
green_db_pool_put_with(green_db_pool *p, green_db_conn *conn, green_db_cleanup_fn cleanup, void *arg)
{
        if (cleanup == NULL)
                return green_set_error(-EINVAL, "green_db_pool_put_with: no cleanup");
        return give_back(p, conn, cleanup, arg, true, "green_db_pool_put_with");
}

int
green_db_pool_discard(green_db_pool *p, green_db_conn *conn)
{
        return give_back(p, conn, NULL, NULL, false, "green_db_pool_discard");
}

/* ---- clean-ups */

int
green_db_pool_cleanup_rollback(green_db_conn *conn, void *arg)
{
        (void)arg;
        return green_db_conn_rollback(conn);
}

int
green_db_pool_cleanup_reset(green_db_conn *conn, void *arg)
{
        struct green_db_command reset = {.kind = GREEN_DB_CMD_RESET};

        (void)arg;
        return green__db_command(conn, &reset, "green_db_pool_cleanup_reset");
}

int
green_db_pool_cleanup_none(green_db_conn *conn, void *arg)
{
        (void)conn;
        (void)arg;
        return 0;
}

/* ---- the whole pool */

/* Close down to so many. Who frees the pool meanwhile leaves its memory to this, or to others who come back to it. */
static void
trim(green_db_pool *p, size_t left)
{
        unsigned forks = green__db_pool_begin(p, &p->users);

        green__db_idle_trim(p, left);
        green__db_pool_end(p, &p->users, forks);
        green__db_pool_maybe_release(p);
}

bool
green__db_pool_busy(const green_db_pool *p)
{
        return p->getting > 0 && p->forks == green__sys_forks;
}

int
green_db_pool_free(green_db_pool *p)
{
        int rc;

        if (p == NULL)
                return 0;
        rc = check_pool(p, "green_db_pool_free");
        if (rc != 0)
                return rc;
        if (green__db_pool_busy(p))
                return green_set_error(-EBUSY, "a pool that somebody waits for, or connects for, cannot be freed");
        for (const green_db_conn *c = GREEN_DEBUG ? p->out : NULL; c != NULL; c = c->next)
                green_log(GREEN_LOG_WARNING, "green-net: a pool of database connections is freed; one of them, got at %s, was not given back",
                          c->where);
        p->freed = true;
        trim(p, 0);
        return 0;
}

int
green_db_pool_clear(green_db_pool *p)
{
        int rc = check_pool(p, "green_db_pool_clear");

        if (rc != 0)
                return rc;
        (void)green_watch_stop(&p->timer);
        trim(p, 0);
        return 0;
}

int
green_db_pool_resize(green_db_pool *p, size_t max_size)
{
        int rc = check_pool(p, "green_db_pool_resize");
        void *token;
        size_t used;

        if (rc != 0)
                return rc;
        p->max_size = max_size;
        rc = green_pool_resize(p->places, max_size);
        /* Tokens that are in are taken off the count; those that are out go when they come back. */
        while (rc == 0 && green_pool_size(p->places) > max_size && green_pool_get(p->places, &token, 0) == 0)
                (void)green_pool_discard(p->places, token);
        used = p->n_out + p->connecting;
        trim(p, max_size > used ? max_size - used : 0);
        return rc;
}

int
green_db_pool_get_info(const green_db_pool *p, struct green_db_pool_info *info)
{
        if (p == NULL || info == NULL || info->size != sizeof *info)
                return green_set_error(-EINVAL, "green_db_pool_get_info: no pool, or info of an unknown size");
        info->idle = p->n_idle;
        info->out = p->n_out;
        info->connecting = p->connecting;
        info->waiting = green_pool_waiting(p->places);
        (void)green_pool_available(p->places, &info->available);
        info->made = p->made;
        info->closed = p->closed;
        info->expired = p->expired;
        info->lost = p->lost;
        return 0;
}
