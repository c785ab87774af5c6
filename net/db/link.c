/*
 * Links: made, brought to rest, closed.
 */
#include "db_priv.h"

#include <time.h>

#include "../sock_sys.h"

int64_t
green__db_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

green_db_link *
green__db_link_new(struct green__db_target *t)
{
        green_db_link *l = green_calloc(1, sizeof *l);

        if (l == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        green__sys_watch_forks();
        l->target = green__db_target_ref(t);
        l->autocommit = true;
        l->forks = green__sys_forks;
        atomic_init(&l->interrupted, false);
        return l;
}

static void
release(green_db_link *l)
{
        green__db_target_unref(l->target);
        green_free(l);
}

void
green__db_link_left(green_db_link *l)
{
        if (l->db != NULL)
                l->target->driver->close(l, l->db);
        release(l);
}

/* "postgres at db.example: connection refused". */
static int
tell_connect(const green_db_link *l, int code)
{
        const struct green__db_target *t = l->target;
        const char *where = t->params.host != NULL ? t->params.host : t->params.database;

        if (!l->told)
                return green_set_error(code, "%s%s%s: %s", t->driver->name, where != NULL ? " at " : "",
                                       where != NULL ? where : "", green_strerror(code));
        return green_set_error(code, "%s%s%s: %s", t->driver->name, where != NULL ? " at " : "",
                               where != NULL ? where : "", l->message);
}

int
green__db_link_connect(green_db_link **link)
{
        green_db_link *l;
        int rc = green__db_call_connect(link);

        l = *link;
        if (l == NULL)
                return rc;
        if (rc == 0) {
                l->cut = false;
                l->made = green__db_now();
                return 0;
        }
        (void)tell_connect(l, rc);
        *link = NULL;
        green_free(l->job);
        release(l);
        return rc;
}

static int
close_link(green_db_link *l, void *arg)
{
        (void)arg;
        green__db_stmts_forget(l);
        l->target->driver->close(l, l->db);
        l->db = NULL;
        return 0;
}

/* on_close is told by a handle, on which nothing can be done any more. */
static void
tell_closing(green_db_link *l)
{
        struct green_db_conn c = {.link = l, .hub = green_hub_ident(), .held = true};

        l->lost = true;
        l->conn = &c;
        l->target->on_close(&c, l->target->arg);
        l->conn = NULL;
}

void
green__db_link_free(green_db_link *l)
{
        struct green__db_target *t = l->target;

        green__db_rows_drop(l, -EBADF);
        /* The parent of a fork() has the same connection, which is not to be ended: nothing is said, nothing freed. */
        if (l->forks != green__sys_forks)
                l->db = NULL;
        if (l->hooked && t->on_close != NULL)
                tell_closing(l);
        if (l->db != NULL && t->hops && green_getcurrent() != NULL) {
                green_shield_begin();
                (void)green__db_call(l, close_link, NULL);
                green_shield_end();
        }
        if (l->db != NULL)
                (void)close_link(l, NULL);
        (void)green_waker_free(l->waker);
        green_free(l->job);
        release(l);
}

static int
settle(green_db_link *l, void *arg)
{
        (void)arg;
        return l->target->driver->settle(l, l->db);
}

int
green__db_settle(green_db_link *l)
{
        struct green_timeout limit = {{0}};
        int rc;

        green__db_rows_drop(l, -EBADF);
        /* What the parent of a fork() does is not to be cancelled. */
        if (l->forks != green__sys_forks)
                l->lost = true;
        if (!l->lost && !l->cut && l->state == GREEN__DB_REST)
                return 0;
        if (l->target->driver->settle == NULL)
                l->lost = true;
        if (l->lost)
                return GREEN_EDBLOST;
        green_shield_begin();
        rc = green_timeout_start(&limit, l->target->cleanup_timeout);
        if (rc == 0) {
                l->cut = false;
                rc = green__db_call(l, settle, NULL);
                (void)green_timeout_cancel(&limit);
        }
        green_shield_end();
        if (rc != 0 || l->cut) {
                l->lost = true;
                return green_set_error(GREEN_EDBLOST, "the connection could not be brought to rest: %s",
                                       l->told ? l->message : green_strerror(rc));
        }
        l->state = GREEN__DB_REST;
        return 0;
}

int
green__db_told(green_db_link *l, int code)
{
        green_db_conn *c = l->conn;

        if (l->told)
                (void)green_set_error(code, "%s", l->message);
        else if (code == -ENOTSUP)
                (void)green_set_error(code, "the driver \"%s\" does not do this", l->target->driver->name);
        else
                (void)green_set_error(code, NULL);
        if (c != NULL && c->errorhandler != NULL)
                c->errorhandler(c, code, c->errorhandler_arg);
        return code;
}
