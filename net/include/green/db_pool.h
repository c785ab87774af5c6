/**
 * @file
 * @brief Pools of connections to a database, and pools by host and database.
 *
 * A connection is in the pool, or it is out: with the one that got it, until that puts it back. At most max_size are
 * there at once; who comes when all are out waits in a queue. What comes back is cleaned (a transaction that was left
 * open is rolled back) before anybody else gets it, and one that is in the middle of something, because a kill or a
 * timeout has cut that short, is brought to rest first, or closed. One that expired or died while it was idle is not
 * given out.
 *
 * A pool belongs to the OS thread that made it.
 *
 * Where a kill or a timeout can hit: green_db_pool_get() while it waits or connects (nothing is lost: the place, or the
 * connection that had just been handed over, goes to the next), and every call on a connection. Giving back is shielded.
 */
#ifndef GREEN_DB_POOL_H
#define GREEN_DB_POOL_H

#include <green/base.h>
#include <green/error.h>

GREEN_BEGIN_DECLS

/** A pool of connections. Opaque. */
typedef struct green_db_pool green_db_pool;
/** A connection, as its user holds it: <green/db_conn.h>. Opaque. */
typedef struct green_db_conn green_db_conn;
/** Pools by host and database. Opaque. */
typedef struct green_db_connector green_db_connector;

/** Where the calls of a driver run. */
enum green_db_pool_kind {
        GREEN_DB_POOL_AUTO,    /**< in the caller where the driver never blocks the OS thread, else in the pool of OS threads */
        GREEN_DB_POOL_RAW,     /**< in the caller, which a driver that blocks then stops with all its green threads */
        GREEN_DB_POOL_TPOOLED, /**< in the pool of OS threads (<green/tpool.h>) */
};

/** For max_idle and max_age: a connection is closed as soon as it comes back. */
#define GREEN_DB_AT_ONCE (-1.0)

/** Whom to connect to and as whom. What is NULL or 0 is the driver's own default. */
struct green_db_params {
        size_t size;          /**< sizeof(struct green_db_params) */
        const char *host;     /**< name or address; a folder, with its slash, for a Unix socket */
        unsigned port;        /**< 1 to 65535 */
        const char *user;     /**< name */
        const char *password; /**< password */
        const char *database; /**< name; sqlite: the file, or ":memory:" */
        /** The driver's own, "name=value", NULL ends: see the manual. One that it does not know is an error. */
        const char *const *options;
};

/**
 * What is done to a connection that comes back. May yield; it runs shielded, under cleanup_timeout.
 * @return 0: it may be used again. Else it is closed; #GREEN_EKILLED, #GREEN_ETIMEOUT and #GREEN_ESTOPPED are also what
 *         giving back returns, any other code is logged.
 */
typedef int (*green_db_cleanup_fn)(green_db_conn *conn, void *arg);

/** What green_db_pool_new() is told. Set it to zero, then @ref size and @ref driver, then what you need. All is copied. */
struct green_db_pool_opts {
        size_t size;                          /**< sizeof(struct green_db_pool_opts) */
        const char *driver;                   /**< name of a driver, or the path of a module (with a slash) */
        const struct green_db_params *params; /**< whom to connect to; NULL: defaults */
        const char *database;                 /**< goes before that of params, for those that need nothing else */
        enum green_db_pool_kind kind;         /**< where the driver's calls run */
        size_t min_size;                      /**< connections that green_db_pool_new() makes */
        size_t max_size;                      /**< at most so many at once; 0 stands for 4 */
        double max_idle; /**< seconds in the pool before one is closed; 0 stands for 10; #GREEN_FOREVER; #GREEN_DB_AT_ONCE */
        double max_age;  /**< seconds from its making, likewise; 0 stands for 30. One that is out is never closed for it */
        double connect_timeout; /**< seconds to make one, on_connect included; 0 stands for 5 */
        double cleanup_timeout; /**< seconds to clean one, or to end what was cut short; it is closed if they do not do.
                                     0 stands for 5 */
        green_db_cleanup_fn cleanup; /**< NULL stands for green_db_pool_cleanup_rollback() */
        /**
         * Called with each new connection before anybody gets it: settings, prepared statements. May yield. A negative code
         * closes it, and is what green_db_pool_get() returns. (ISS-19)
         */
        int (*on_connect)(green_db_conn *conn, void *arg);
        /** Called before one is closed that on_connect was called with. It must not use the database, nor wait. */
        void (*on_close)(green_db_conn *conn, void *arg);
        void *arg; /**< passed to these three */
};

/**
 * @brief Make a pool, and its first connections. Yields if min_size is not 0. Loads the driver (reads files).
 * @param opts with a driver.
 * @return the handle, for green_db_pool_free(); NULL with `errno` and green_last_error(): #GREEN_EDBDRIVER (no such
 *         driver, or it cannot be used here), EINVAL (no opts, unknown size, no driver, sizes or times that mean
 *         nothing), ENOMEM, or what a first connection failed with: those that were made are closed.
 * @since 0.1 (DBP-01, DBP-03, DBP-28)
 */
GREEN_API green_db_pool *green_db_pool_new(const struct green_db_pool_opts *opts);

/**
 * @brief Free a pool and close what is in it. Yields if there is something to close. Connections that are out stay with
 *        those that have them, and are closed when they are given back; debug builds log who has them.
 * @param p a pool or NULL.
 * @retval 0       freed.
 * @retval -EBUSY  somebody waits, or connects: nothing was done.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (DBP-24)
 */
GREEN_API int green_db_pool_free(green_db_pool *p);

/**
 * @brief Get a connection: the one that came back last, if it is still good; or a new one; or wait until one comes back
 *        or may be made. May yield; does not where a good one is in the pool.
 *
 * One that has expired or whose server has closed it is closed, and the next one taken. Where connecting fails its place
 * goes to the one that has waited longest.
 *
 * @param      p        a pool.
 * @param[out] ret_conn the connection, for green_db_pool_put() or green_db_conn_free(); set on 0 only.
 * @param      timeout  seconds to wait for a place, not counting connect_timeout; #GREEN_FOREVER waits for good, 0 takes
 *                      what is there or connects.
 * @retval 0                    got.
 * @retval -ETIMEDOUT           not in time.
 * @retval GREEN_ECONNECTTIMEOUT connecting took longer than connect_timeout (DBP-18); green_is_timeout() is true of it.
 * @retval GREEN_EKILLED        killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -EINVAL              p or ret_conn is NULL, or the time is negative or NaN.
 * @retval -ENOMEM              memory ran out.
 * @retval -EPERM               it belongs to another OS thread.
 * @retval -EDEADLK             it would have to wait in a hub callback.
 * @return otherwise what connecting failed with: -ECONNREFUSED, #GREEN_EDBLOGIN, #GREEN_EDB, ...; or on_connect.
 * @since 0.1 (DBP-02, DBP-04, DBP-11, DBP-12, DBP-15, DBP-16, DBP-18 to DBP-21)
 */
GREEN_API GREEN_MUST_USE int green_db_pool_get(green_db_pool *p, green_db_conn **ret_conn, double timeout);

/**
 * @brief green_db_pool_get() with its place, which is named where a connection is missing.
 * @param      p        see there.
 * @param[out] ret_conn see there.
 * @param      timeout  see there.
 * @param      where    "file:line", constant.
 * @return see there.
 */
GREEN_API GREEN_MUST_USE int green_db_pool_get_at(green_db_pool *p, green_db_conn **ret_conn, double timeout,
                                                  const char *where);
/** @cond */
#define green_db_pool_get(p, ret_conn, timeout) green_db_pool_get_at((p), (ret_conn), (timeout), GREEN_HERE)
/** @endcond */

/**
 * @brief Give a connection back; its handle is gone. May yield: it is cleaned, shielded, for cleanup_timeout at most. Does
 *        not where there is nothing to clean.
 *
 * What is open on it (a result that was not read to its end, a pipeline, a COPY, a statement that was cut short) is ended
 * first. One that is broken, or expired, is closed. The one that has waited longest is next in any case.
 *
 * @param p    the pool that it came from.
 * @param conn of green_db_pool_get() or green_db_pool_create(). One that green_db_conn_close() was called on is for
 *             green_db_conn_free(): the pool may be gone by now.
 * @retval 0       given back; or closed, if it could not be cleaned.
 * @retval -EINVAL an argument is NULL, or it came from another pool: nothing was done.
 * @retval -EBUSY  another green thread is in a call on it: nothing was done.
 * @retval -EPERM  it belongs to another OS thread: nothing was done.
 * @return else the cleanup's own code, where that ends more than a connection: see #green_db_cleanup_fn. It is closed.
 * @since 0.1 (DBP-07 to DBP-10, DBP-25)
 */
GREEN_API int green_db_pool_put(green_db_pool *p, green_db_conn *conn);

/**
 * @brief green_db_pool_put() with another clean-up for this once.
 * @param p       see there.
 * @param conn    see there.
 * @param cleanup in place of the pool's; green_db_pool_cleanup_none() for none.
 * @param arg     passed to it.
 * @return see there.
 * @since 0.1 (DBP-08)
 */
GREEN_API int green_db_pool_put_with(green_db_pool *p, green_db_conn *conn, green_db_cleanup_fn cleanup, void *arg);

/**
 * @brief Give back the place of a connection that is not to be used again: it is closed. May yield.
 * @param p    the pool that it came from.
 * @param conn of green_db_pool_get() or green_db_pool_create(); its handle is gone.
 * @return as green_db_pool_put().
 * @since 0.1 (DBP-17)
 */
GREEN_API int green_db_pool_discard(green_db_pool *p, green_db_conn *conn);

/**
 * @brief Make a new connection for the pool, and get that, even if others are in it. Yields. If there are max_size already
 *        one that is idle is closed for it.
 * @param      p        a pool.
 * @param[out] ret_conn as of green_db_pool_get().
 * @retval -EAGAIN max_size are out, or being made.
 * @return else as green_db_pool_get().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_pool_create(green_db_pool *p, green_db_conn **ret_conn);

/**
 * @brief Make a connection like the pool's, which is not counted and does not go there. Yields.
 * @param      p        a pool.
 * @param[out] ret_conn the connection, for green_db_conn_free(), which closes it. It may outlive the pool.
 * @return as green_db_pool_get(). on_connect is called.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_pool_connect(green_db_pool *p, green_db_conn **ret_conn);

/**
 * @brief Close all connections that are in the pool. Yields if there are any. What fails on the way is ignored.
 * @param p a pool.
 * @retval 0       done.
 * @retval -EINVAL p is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1 (DBP-22, DBP-23)
 */
GREEN_API int green_db_pool_clear(green_db_pool *p);

/**
 * @brief Change how many there may be at once. Yields if idle ones have to be closed. Those that are out stay until they
 *        come back.
 * @param p        a pool.
 * @param max_size 0 or more.
 * @retval 0       done.
 * @retval -EINVAL p is NULL.
 * @retval -EPERM  it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_db_pool_resize(green_db_pool *p, size_t max_size);

/** Facts about a pool. */
struct green_db_pool_info {
        size_t size;       /**< sizeof(struct green_db_pool_info), set by the caller */
        size_t idle;       /**< connections in it */
        size_t out;        /**< got and not given back */
        size_t connecting; /**< being made */
        size_t waiting;    /**< green threads that wait in green_db_pool_get() */
        long available;    /**< gets that would not wait (eventlet's `free`); negative after a shrinking resize */
        uint64_t made;     /**< connections that were made, ever */
        uint64_t closed;   /**< and closed again, for whatever reason */
        uint64_t expired;  /**< of them for max_idle or max_age */
        uint64_t lost;     /**< of them because they had died, or could not be brought to rest */
};

/**
 * @brief Facts about a pool. Never yields.
 * @param         p    a pool.
 * @param[in,out] info set info->size before.
 * @retval 0       filled.
 * @retval -EINVAL unknown size, or NULL.
 * @since 0.1
 */
GREEN_API int green_db_pool_get_info(const green_db_pool *p, struct green_db_pool_info *info);

/**
 * @brief Clean-up: roll back a transaction that was left open. May yield; does not where none is open. Settings that were
 *        changed (character set, isolation, database, user, those by statements) stay, for the next user too.
 * @param conn a connection.
 * @param arg  not used.
 * @return 0, or a code.
 * @since 0.1 (DBP-01)
 */
GREEN_API int green_db_pool_cleanup_rollback(green_db_conn *conn, void *arg);

/**
 * @brief Clean-up: make a connection as good as new, settings and temporary tables included (`DISCARD ALL`). May yield.
 *        Statements that were prepared on it are prepared again when they are next used. sqlite has this not.
 * @param conn a connection.
 * @param arg  not used.
 * @return 0, or a code.
 * @since 0.1
 */
GREEN_API int green_db_pool_cleanup_reset(green_db_conn *conn, void *arg);

/**
 * @brief Clean-up: none. Never yields. A transaction that was left open is the next user's.
 * @param conn not used.
 * @param arg  not used.
 * @return 0.
 * @since 0.1 (DBP-08)
 */
GREEN_API int green_db_pool_cleanup_none(green_db_conn *conn, void *arg);

/** A connection held by a block: see green_db_pool_item(). */
struct green_db_pool_item {
        green_db_pool *pool; /**< where it goes back */
        green_db_conn *conn; /**< the connection; NULL: it goes back no more */
        int rc;              /**< how the get ended: 0, got */
};

#if defined(__GNUC__)
/** @cond */
static inline void
green_db_pool_item_end_(struct green_db_pool_item *held)
{
        if (held->rc == 0 && held->conn != NULL)
                (void)green_db_pool_put(held->pool, held->conn);
}
/** @endcond */
/** Get a connection, without limit, and put it back at the end of the block, however that is left (DBP-26). Look at
 *  `name.rc`: where it is not 0 there is none. A block that gives it back itself sets `name.conn` to NULL. */
#define green_db_pool_item(name, p)                                                                                    \
        struct green_db_pool_item name __attribute__((cleanup(green_db_pool_item_end_))) = {(p), NULL, 0};             \
        (name).rc = green_db_pool_get((name).pool, &(name).conn, GREEN_FOREVER)
#endif

/**
 * @name Connectors: one pool for each host and database
 * @{
 */

/** Who one is at a host. */
struct green_db_credentials {
        const char *host;                     /**< "default": at hosts that are not in the list */
        const struct green_db_params *params; /**< what to connect with. Its host and database, if they are there, go before
                                                   those that are asked for */
};

/**
 * @brief Make a connector. Never yields. Loads no driver yet.
 * @param driver      name of a driver, or path of a module.
 * @param credentials a list, copied; NULL if n is 0.
 * @param n           how many.
 * @param pool_opts   of the pools to come, but for driver, params and database; NULL for defaults. Copied.
 * @return the handle, for green_db_connector_free(); NULL with `errno` EINVAL, ENOMEM.
 * @since 0.1 (DBP-29)
 */
GREEN_API green_db_connector *green_db_connector_new(const char *driver, const struct green_db_credentials *credentials,
                                                     size_t n, const struct green_db_pool_opts *pool_opts);

/**
 * @brief The pool of a host and a database, made at the first call. Yields where min_size is not 0.
 * @param      c        a connector.
 * @param      host     a host.
 * @param      database a database there.
 * @param[out] ret_pool the pool, the connector's: the same one at each call. Set on 0 only.
 * @retval 0       there it is.
 * @retval -EINVAL an argument is NULL.
 * @retval -ENOENT there are no credentials for the host, and no default (DBP-31).
 * @retval -EPERM  it belongs to another OS thread.
 * @return else as green_db_pool_new().
 * @since 0.1 (DBP-30, DBP-31)
 */
GREEN_API GREEN_MUST_USE int green_db_connector_get(green_db_connector *c, const char *host, const char *database,
                                                    green_db_pool **ret_pool);

/**
 * @brief Who one is at a host: its entry, or that of "default". Never yields.
 * @param c    a connector.
 * @param host a host.
 * @return the connector's; NULL with `errno` ENOENT if there is neither, EINVAL if an argument is NULL.
 * @since 0.1 (DBP-31)
 */
GREEN_API const struct green_db_params *green_db_connector_credentials_for(const green_db_connector *c, const char *host);

/**
 * @brief Free a connector and its pools. Yields if there is something to close.
 * @param c a connector or NULL.
 * @return 0; -EBUSY, -EPERM as green_db_pool_free(): nothing was done.
 * @since 0.1
 */
GREEN_API int green_db_connector_free(green_db_connector *c);
/** @} */

GREEN_END_DECLS

#endif
