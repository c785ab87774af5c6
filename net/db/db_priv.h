/*
 * The inside of net/db: links, what users hold of them, pools.
 *
 * A link is a connection as its driver sees it. A green_db_conn is what a user holds of it between get and put.
 */
#ifndef GREEN_DB_PRIV_H
#define GREEN_DB_PRIV_H

#include <errno.h>
#include <stdatomic.h>

#include <green/alloc.h>
#include <green/db.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/thread.h>
#include <green/timeout.h>
#include <green/watch.h>

#include "../check.h"

/* ---- params.c: whom to connect to */

/* A driver, and what it is told: shared by a pool, its links, and connects that were left behind. */
struct green__db_target {
        atomic_uint refs;
        const struct green_db_driver *driver;
        bool hops; /* its calls run in the pool of OS threads */
        double connect_timeout, cleanup_timeout;
        int (*on_connect)(green_db_conn *conn, void *arg);
        void (*on_close)(green_db_conn *conn, void *arg);
        void *arg;
        struct green_db_params params; /* all strings stand behind it */
};

/* With one reference; NULL with green_last_error(). params may be NULL; database, where there is one, goes before its. */
struct green__db_target *green__db_target_new(const struct green_db_driver *driver, const struct green_db_params *params,
                                              const char *database, enum green_db_pool_kind kind);
struct green__db_target *green__db_target_ref(struct green__db_target *t);
void green__db_target_unref(struct green__db_target *t); /* any OS thread */

/* One block for green_free(): params and all that they point to, with another host and database where these are not NULL. */
struct green_db_params *green__db_params_copy(const struct green_db_params *params, const char *host,
                                              const char *database);
void green__db_params_free(struct green_db_params *params); /* NULL is fine */
/* 0 or -EINVAL with green_last_error(). */
int green__db_params_take(struct green_db_params *params, const struct green_db_params *given);

/* ---- driver.c */

/* NULL with green_last_error(). It stays loaded. */
const struct green_db_driver *green__db_driver_get(const char *spec);

/* ---- call.c: calls of a driver */

struct green__db_job;

typedef int (*green__db_call_fn)(green_db_link *l, void *arg);

/* Run a call of the driver. */
int green__db_call(green_db_link *l, green__db_call_fn fn, void *arg);
/* Connect. *link is NULL where it was left to an OS thread, which frees it. */
int green__db_call_connect(green_db_link **link);

/* ---- link.c */

/* What a link is in the middle of, apart from calls that were cut. */
enum green__db_state {
        GREEN__DB_REST,
        GREEN__DB_ROWS, /* a batch had more */
        GREEN__DB_PIPELINE,
        GREEN__DB_COPY,
};

struct green_db_link {
        struct green__db_target *target;
        void *db; /* the driver's; NULL: none yet, or closed */
        green_db_conn *conn;
        enum green__db_state state;
        bool copies_in;  /* a COPY is of that direction */
        bool cut;        /* a wait failed: the exchange stands where it was */
        bool lost;       /* the peer is gone, or nobody knows where the exchange stands */
        bool autocommit; /* each statement is a transaction of its own */
        bool hooked;     /* on_connect was called */
        bool told;       /* green_db_link_fail() was called */
        bool hopping;    /* a call runs in an OS thread */
        unsigned forks;  /* green__sys_forks when it was made */
        atomic_bool interrupted;
        green_db_result *rows; /* the result that is read as it comes, or that nobody has asked for yet */
        bool pending;          /* it is of the second kind */
        struct green_db_stmt *stmts, *last_stmt; /* those used last come first */
        size_t n_stmts;
        unsigned long stmt_names;
        void *data; /* the user's */
        struct green__db_job *job;
        green_waker *waker;

        int64_t made, idle_since; /* nanoseconds */
        struct green_db_link *prev, *next; /* idle in a pool */

        int64_t affected, insert_id;
        unsigned warnings;
        long number;
        char sqlstate[6];
        char message[490];
};

/* A link without a connection: NULL with green_last_error(). */
green_db_link *green__db_link_new(struct green__db_target *t);
/*
 * Connect, under scopes. *l is freed, and NULL, where that fails; it may have been left to an OS thread.
 */
int green__db_link_connect(green_db_link **l);
/* Close and free. Yields, shielded, where the driver hops. Calls on_close. */
void green__db_link_free(green_db_link *l);

/* One that a connect left behind: free it, in any OS thread. */
void green__db_link_left(green_db_link *l);

/* May the link have something unread on it? */
static inline bool
green__db_unsettled(const green_db_link *l)
{
        return l->cut || l->state != GREEN__DB_REST || l->rows != NULL;
}

/* Bring it to rest, shielded: 0 or GREEN_EDBLOST. A result that is open is cut off from it. */
int green__db_settle(green_db_link *l);

/* The error of a call: into green_last_error(), and to the errorhandler. Returns code. */
int green__db_told(green_db_link *l, int code);

int64_t green__db_now(void);

/* ---- conn.c */

struct green_db_conn {
        green_db_link *link; /* NULL: closed */
        green_db_pool *pool; /* NULL: of none */
        uint64_t hub;
        bool busy; /* a green thread is in a call */
        bool held; /* on_connect has it, or it is being cleaned: nobody can give it back */
        void (*errorhandler)(green_db_conn *conn, int code, void *arg);
        void *errorhandler_arg;
        green_db_conn *prev, *next; /* those that are out; next: spare ones */
        const char *where;          /* who has it */
};

/*
 * Make a connection, on_connect included, under connect_timeout. For a pool: with a handle that is given in *ret_conn; for
 * none with a new one.
 */
int green__db_make(struct green__db_target *t, green_db_conn **ret_conn, green_db_pool *p);
green_db_conn *green__db_conn_new(void); /* NULL with green_last_error() */
void green__db_conn_bind(green_db_conn *c, green_db_link *l, green_db_pool *p);
/* The link is taken from its handle: results and statements of it are cut off. */
green_db_link *green__db_conn_unbind(green_db_conn *c);

/*
 * Begin a call that may yield: whose it is, scopes, whether it is open and at rest, or in the state that the call is for. On 0
 * the connection is busy until green__db_leave().
 */
int green__db_enter(green_db_conn *c, enum green__db_state state, const char *what);
int green__db_leave(green_db_conn *c, int rc);
/* For calls that never yield: 0, -EINVAL, -EBADF, -EPERM. */
int green__db_look(const green_db_conn *c, const char *what);

int green__db_command(green_db_conn *c, struct green_db_command *command, const char *what);

/* ---- query.c */

struct green__db_run {
        struct green_db_statement st;
        struct green_db_batch batch;
};
/* The transaction that autocommit wants, then the statement. A green__db_call_fn. */
int green__db_run(green_db_link *l, void *arg);

/* ---- result.c */

struct green__db_batch_node {
        struct green_db_batch batch;
        struct green__db_batch_node *next;
};

struct green_db_result {
        struct green__db_batch_node first, *at, *last; /* at: the batch of the row */
        size_t row;           /* of that batch, from 1; 0: before the first */
        bool streamed;        /* its rows are read as they come */
        bool coming;          /* a green thread is in that */
        bool freed;           /* meanwhile */
        uint64_t rows;        /* all; streamed: of the batches that are gone */
        green_db_link *link;  /* whose rows are read as they come; NULL: all are here */
        int code;             /* why no more come */
        char number[32];      /* text of a number */
};

green_db_result *green__db_result_new(void); /* NULL with green_last_error() */
/* Take a batch over as the first. */
void green__db_result_begin(green_db_result *r, const struct green_db_batch *batch);
/* Get all that is to come. An error frees nothing. */
int green__db_result_whole(green_db_result *r, green_db_link *l);
/* The rows of a link get no more: code is what they give at their end. Those that nobody asked for are freed. */
void green__db_rows_drop(green_db_link *l, int code);
void green__db_batch_free(struct green_db_batch *b);
/* What the last batch of a statement says. */
void green__db_done(green_db_link *l, const struct green_db_batch *b);

/* ---- stmt.c */

struct green_db_stmt {
        green_db_link *link;
        green_db_conn *conn; /* who prepared it; NULL: nobody, since the last put */
        void *prepared;
        bool gone; /* the driver has it not, or not any more */
        struct green_db_stmt *prev, *next;
        uint64_t hash;
        size_t len;
        char sql[];
};

void green__db_stmts_release(green_db_link *l); /* at a put */
/* The server has forgotten them; those that a user holds stay, and are gone. */
void green__db_stmts_forget(green_db_link *l);
/* Prepare it again where it is gone. Between enter and leave. */
int green__db_stmt_ready(green_db_stmt *s);

/* ---- pool.c */

/* The pool's part of giving back: settle, clean, keep or close. c is unbound, and its place given on. */
int green__db_pool_back(green_db_pool *p, green_db_conn *c, green_db_cleanup_fn cleanup, void *arg, bool keep);
/* A freed pool that nobody has anything of is released. */
void green__db_pool_maybe_release(green_db_pool *p);
/* Is somebody in a get? It cannot be freed. */
bool green__db_pool_busy(const green_db_pool *p);

#endif
