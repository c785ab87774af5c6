/**
 * @file
 * @brief A connection to a database: statements, rows, transactions, and what databases can do besides.
 *
 * Connections come from a pool (<green/db_pool.h>) or from green_db_connect(). One green thread uses one at a time: a call
 * while another is in one is -EBUSY.
 *
 * A call that a kill or a timeout cuts short leaves the connection in the middle of an exchange. The next call on it, or
 * giving it back, first has the server cancel what it still does and reads off the rest; where that fails or takes longer
 * than the pool's cleanup_timeout the connection is closed, and calls give #GREEN_EDBLOST. A transaction is lost then.
 *
 * Statements go to the database as they are. Parameters stand in them as the database has it: `?` with sqlite and mariadb,
 * `$1`, `$2` with sqlite and postgres. Values are never put into the text.
 *
 * All functions give, besides what they say: -EINVAL (an argument is NULL), -EBADF (the connection was closed: given
 * back), -EBUSY (another green thread is in a call on it, or it has an open result that is read as it comes),
 * #GREEN_EDBLOST (the connection is gone; get another), #GREEN_EKILLED and #GREEN_ETIMEOUT or their codes, -ENOMEM, -EPERM
 * (another OS thread), -EDEADLK (in a hub callback), -ENOTSUP (not this driver); and, of what the database refuses, #GREEN_EDB, or #GREEN_EDBCONSTRAINT
 * (a key is there already, a reference is missing) or #GREEN_EDBRETRY (the same transaction, tried again, may succeed:
 * a deadlock, a conflict, a lock that was not free in time). green_db_conn_error() has the database's own words.
 */
#ifndef GREEN_DB_CONN_H
#define GREEN_DB_CONN_H

#include <green/base.h>
#include <green/db_pool.h>
#include <green/db_value.h>

GREEN_BEGIN_DECLS

/** Rows, or the count of those that were changed. Opaque. */
typedef struct green_db_result green_db_result;
/** A prepared statement; it is the connection's. Opaque. */
typedef struct green_db_stmt green_db_stmt;

/**
 * @name Connections
 * @{
 */

/**
 * @brief Connect, without a pool. Yields.
 * @param      driver   name of a driver, or path of a module.
 * @param      params   whom to connect to; NULL for the driver's defaults.
 * @param      timeout  seconds; #GREEN_FOREVER for no limit.
 * @param[out] ret_conn the connection, for green_db_conn_free(). Set on 0 only.
 * @return as green_db_pool_get(), and #GREEN_EDBDRIVER.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_connect(const char *driver, const struct green_db_params *params, double timeout,
                                              green_db_conn **ret_conn);

/**
 * @brief Give a connection back to its pool, or close one that has none. May yield, shielded, as green_db_pool_put(). The
 *        handle stays, and other calls on it give -EBADF. Does nothing the second time.
 * @param conn a connection.
 * @return as green_db_pool_put().
 * @since 0.1 (DBP-05)
 */
GREEN_API int green_db_conn_close(green_db_conn *conn);

/**
 * @brief green_db_conn_close(), and release the handle.
 * @param conn a connection, closed or not, or NULL.
 * @return as green_db_conn_close(); -EBUSY and -EPERM: nothing was done.
 * @since 0.1 (DBP-05)
 */
GREEN_API int green_db_conn_free(green_db_conn *conn);

/**
 * @brief Is it open? Never yields. (eventlet's truth value.)
 * @param conn a connection or NULL.
 * @return false after close. True does not say that the server is still there: green_db_conn_ping().
 * @since 0.1 (DBP-05)
 */
GREEN_API bool green_db_conn_is_open(const green_db_conn *conn);

/**
 * @brief Text form, for logs: "postgres guests@db.example:5432, open". Never yields. No password.
 * @param conn a connection.
 * @param text where to write; ends with NUL.
 * @param len  bytes there.
 * @return bytes the whole text has, as snprintf(); -EINVAL.
 * @since 0.1 (DBP-05)
 */
GREEN_API int green_db_conn_format(const green_db_conn *conn, char *text, size_t len);

/**
 * @brief A pointer of the user's own that stays with the connection, through the pool, until it is closed: on_connect sets
 *        it, on_close frees what it points to. Never yields.
 * @param conn a connection.
 * @param data any pointer.
 * @return 0, -EINVAL, -EBADF.
 * @since 0.1 (ISS-19)
 */
GREEN_API int green_db_conn_set_data(green_db_conn *conn, void *data);

/** @brief What green_db_conn_set_data() was given. Never yields. @param conn a connection. @return it; NULL: none, or closed.
 *  @since 0.1 */
GREEN_API void *green_db_conn_data(const green_db_conn *conn);
/** @} */

/**
 * @name Statements
 * @{
 */

/**
 * @brief Run a statement. Yields. All its rows, if it has some, come at once.
 * @param      conn       a connection.
 * @param      sql        one statement.
 * @param      values     parameters: `GREEN_DB_PARAMS(green_db_int64(5), green_db_text(name)), ...` or
 *                        `GREEN_DB_NO_PARAMS`.
 * @param      n          how many.
 * @param[out] ret_result for green_db_result_free(), good also after the connection was given back. NULL: not wanted. Set
 *                        on 0 only.
 * @return 0, or a code: see above.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_execute(green_db_conn *conn, const char *sql,
                                                   const struct green_db_value *values, size_t n,
                                                   green_db_result **ret_result);

/**
 * @brief Run a statement whose rows are read as they come, for many rows. Yields. Until it was read to its end or freed
 *        the connection does nothing else.
 * @param      conn       a connection.
 * @param      sql        one statement.
 * @param      values     parameters.
 * @param      n          how many.
 * @param[out] ret_result for green_db_result_next() and green_db_result_free(). Set on 0 only.
 * @return 0, or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_cursor(green_db_conn *conn, const char *sql, const struct green_db_value *values,
                                                  size_t n, green_db_result **ret_result);

/**
 * @brief Send a statement, and wait until the database has begun to answer. Yields. What it answers is for
 *        green_db_conn_store_result() or green_db_conn_use_result(); another call in their place throws it away.
 * @param conn   a connection.
 * @param sql    one statement.
 * @param values parameters.
 * @param n      how many.
 * @return 0, or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_query(green_db_conn *conn, const char *sql, const struct green_db_value *values,
                                                 size_t n);

/**
 * @brief All rows of green_db_conn_query() at once. Yields.
 * @param      conn       a connection.
 * @param[out] ret_result for green_db_result_free(). Set on 0 only.
 * @return 0; -ENODATA: there was no query; or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_store_result(green_db_conn *conn, green_db_result **ret_result);

/**
 * @brief Rows of green_db_conn_query() as they come. Never yields.
 * @param      conn       a connection.
 * @param[out] ret_result for green_db_result_next() and green_db_result_free(). Set on 0 only.
 * @return 0; -ENODATA: there was no query; or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_use_result(green_db_conn *conn, green_db_result **ret_result);

/**
 * @brief Prepare a statement, or find it prepared: it stays with the connection, through the pool, and is found by its
 *        text. May yield; does not the second time.
 * @param      conn     a connection.
 * @param      sql      one statement.
 * @param[out] ret_stmt good until the connection is given back. Set on 0 only.
 * @return 0, or a code.
 * @since 0.1 (ISS-19)
 */
GREEN_API GREEN_MUST_USE int green_db_conn_prepare(green_db_conn *conn, const char *sql, green_db_stmt **ret_stmt);

/**
 * @brief green_db_conn_execute() of a prepared statement. Yields.
 * @param      stmt       a statement.
 * @param      values     parameters.
 * @param      n          how many.
 * @param[out] ret_result see there.
 * @return 0, or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_stmt_execute(green_db_stmt *stmt, const struct green_db_value *values, size_t n,
                                                   green_db_result **ret_result);

/**
 * @brief green_db_conn_cursor() of a prepared statement. Yields.
 * @param      stmt       a statement.
 * @param      values     parameters.
 * @param      n          how many.
 * @param[out] ret_result see there.
 * @return 0, or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_stmt_cursor(green_db_stmt *stmt, const struct green_db_value *values, size_t n,
                                                  green_db_result **ret_result);

/**
 * @brief Have the database forget a prepared statement. Yields. One need not: they are kept for the next user, the 64 that
 *        were used last.
 * @param stmt a statement or NULL; it is gone.
 * @return 0, or a code; it is gone in any case but -EBUSY, -EPERM and -EBADF.
 * @since 0.1
 */
GREEN_API int green_db_stmt_free(green_db_stmt *stmt);
/** @} */

/**
 * @name Rows
 *
 * A result is its own: one that was read at once stays after its connection. Columns count from 0.
 * @{
 */

/**
 * @brief Go to the next row; to the first one at first. Yields where rows are read as they come, else never.
 * @param r a result.
 * @retval 1 there it is: what the calls below gave of the last one is no longer good.
 * @retval 0 there are no more.
 * @return else a code: of what went wrong meanwhile, or -EBADF, if its connection was given back before it was read to its end.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_result_next(green_db_result *r);

/** @brief How many columns. Never yields. @param r a result. @return 0 of a statement that gives no rows, or NULL.
 *  @since 0.1 */
GREEN_API size_t green_db_result_columns(const green_db_result *r);

/** @brief Name of a column. Never yields. @param r a result. @param column from 0. @return it; NULL: there is none such.
 *  @since 0.1 */
GREEN_API const char *green_db_result_name(const green_db_result *r, size_t column);

/** @brief How many rows. Never yields. @param r a result. @return the rows; of one that is read as it comes, those that have
 *  been read. @since 0.1 */
GREEN_API uint64_t green_db_result_rows(const green_db_result *r);

/** @brief Rows that the statement has changed. Never yields. @param r a result, read to its end. @return 0 or more.
 *  @since 0.1 */
GREEN_API int64_t green_db_result_affected_rows(const green_db_result *r);

/** @brief The number that the database gave to the row that was inserted. Never yields. @param r a result. @return 0: none;
 *  postgres has none: use `returning`. @since 0.1 */
GREEN_API int64_t green_db_result_insert_id(const green_db_result *r);

/**
 * @brief A value of the row. Never yields. No copy.
 * @param      r         a result, at a row.
 * @param      column    from 0.
 * @param[out] ret_value set on 0 only; what it points to is good until the next green_db_result_next(), of a result that was read at
 *                       once until green_db_result_free().
 * @return 0; -EINVAL: NULL, no such column, or not at a row.
 * @since 0.1
 */
GREEN_API int green_db_result_value(green_db_result *r, size_t column, struct green_db_value *ret_value);

/** @brief Is it no value? Never yields. @param r a result, at a row. @param column from 0. @return true also where there is
 *  no such column or no row, with green_last_error(). @since 0.1 */
GREEN_API bool green_db_result_is_null(green_db_result *r, size_t column);

/**
 * @brief A value as a number: of a number, or of text that is one. Never yields.
 * @param      r          a result, at a row.
 * @param      column     from 0.
 * @param[out] ret_number set on 0 only.
 * @return 0; -ENODATA: no value (NULL); -EDOM: it is no such number; -ERANGE: it does not fit; -EINVAL.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_result_int64(green_db_result *r, size_t column, int64_t *ret_number);

/**
 * @brief A value as a number with fraction. Never yields.
 * @param      r        a result, at a row.
 * @param      column   from 0.
 * @param[out] ret_real set on 0 only.
 * @return as green_db_result_int64().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_result_double(green_db_result *r, size_t column, double *ret_real);

/**
 * @brief A value as text: any value has one. Never yields.
 * @param r      a result, at a row.
 * @param column from 0.
 * @return ends with NUL, good until the next call on this result; NULL: no value, or (with `errno` EINVAL) no such column or
 *         no row.
 * @since 0.1
 */
GREEN_API const char *green_db_result_text(green_db_result *r, size_t column);

/** @brief Release a result. Yields, shielded, where its rows are read as they come and it was not read to its end: the
 *  database is told to stop. @param r a result or NULL. @since 0.1 */
GREEN_API void green_db_result_free(green_db_result *r);
/** @} */

/**
 * @name Pipelines: many statements before the first answer (postgres)
 * @{
 */

/** @brief Begin a pipeline. Never yields. @param conn a connection. @return 0, or a code. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_pipeline_begin(green_db_conn *conn);

/**
 * @brief Send a statement in a pipeline. Yields only where the database does not take more for now. After one that fails those
 *        up to the next green_db_conn_pipeline_next() that has nothing more to give are skipped.
 * @param stmt   prepared, before the pipeline.
 * @param values parameters.
 * @param n      how many.
 * @return 0; -EINVAL outside of a pipeline; or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_stmt_send(green_db_stmt *stmt, const struct green_db_value *values, size_t n);

/** @brief green_db_stmt_send() of a statement that is not prepared. @param conn a connection. @param sql one statement.
 *  @param values parameters. @param n how many. @return as green_db_stmt_send(). @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_send(green_db_conn *conn, const char *sql, const struct green_db_value *values,
                                                size_t n);

/**
 * @brief The next answer, in the order of the statements. Yields.
 * @param      conn       a connection.
 * @param[out] ret_result the answer, for green_db_result_free(); set on 1 only.
 * @retval 1 there it is.
 * @retval 0 all that were sent are answered.
 * @retval -ECANCELED skipped, as one before it had failed.
 * @return else what the statement failed with; ask for the next one. After -ENOMEM the answer is lost: end the pipeline.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_pipeline_next(green_db_conn *conn, green_db_result **ret_result);

/** @brief End a pipeline; answers that nobody asked for are thrown away. Yields. @param conn a connection. @return 0, or a
 *  code; -EINVAL: there was none. @since 0.1 */
GREEN_API int green_db_conn_pipeline_end(green_db_conn *conn);
/** @} */

/**
 * @name COPY (postgres)
 * @{
 */

/** @brief Begin to send rows: `copy t from stdin`. Yields. @param conn a connection. @param sql the statement. @return 0, or
 *  a code; -EINVAL: it is no such statement. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_copy_in(green_db_conn *conn, const char *sql);

/** @brief Send some of them, in any pieces. Yields where the database does not take more for now. @param conn a connection.
 *  @param data bytes. @param len how many. @return 0, or a code. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_copy_put(green_db_conn *conn, const void *data, size_t len);

/**
 * @brief End it. Yields.
 * @param      conn     a connection, in a COPY of either direction.
 * @param      error    NULL: all was sent. Else why it ends: the database takes none of it.
 * @param[out] ret_rows rows that were copied. May be NULL; set on 0 only.
 * @return 0, also where error had it fail; or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_copy_end(green_db_conn *conn, const char *error, int64_t *ret_rows);

/** @brief Begin to read rows: `copy t to stdout`. Yields. @param conn a connection. @param sql the statement. @return 0, or a
 *  code. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_copy_out(green_db_conn *conn, const char *sql);

/** @brief Read the next piece: with the text format, a line. Yields. @param conn a connection. @param[out] ret_data bytes,
 *  good until the next call; set on 1 only. @param[out] ret_len how many. @return 1; 0 at the end, when the connection is free
 *  for other things again; or a code. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_copy_get(green_db_conn *conn, const void **ret_data, size_t *ret_len);
/** @} */

/**
 * @name Notifications (postgres: `listen`, `notify`)
 * @{
 */

/** A notification. It is the connection's, and good until the next call on that. */
struct green_db_notification {
        const char *channel; /**< its name */
        const char *payload; /**< what came with it; "" if nothing did */
        int64_t sender;      /**< green_db_conn_thread_id() of who sent it */
};

/**
 * @brief Wait for a notification on a channel that `listen` was run for. Yields. One that is killed or timed out here leaves
 *        the connection at rest.
 * @param      conn    a connection.
 * @param[out] ret     set on 0 only.
 * @param      timeout seconds; #GREEN_FOREVER; 0 gives one that has come already.
 * @return 0; -ETIMEDOUT: none in time; or a code.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_conn_notification(green_db_conn *conn, struct green_db_notification *ret,
                                                        double timeout);
/** @} */

/**
 * @name Transactions
 * @{
 */

/** How far transactions see each other's work. */
enum green_db_isolation {
        GREEN_DB_READ_UNCOMMITTED = 1, /**< sqlite: with a shared cache only */
        GREEN_DB_READ_COMMITTED,       /**< not sqlite */
        GREEN_DB_REPEATABLE_READ,      /**< not sqlite */
        GREEN_DB_SERIALIZABLE,         /**< sqlite's own */
};

/** @brief Begin a transaction. Yields. @param conn a connection. @return 0, or a code. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_begin(green_db_conn *conn);
/** @brief Make what was done since green_db_conn_begin() last. Yields. @param conn a connection. @return 0, or a code: then it is
 *  undone, unless that is #GREEN_EDBLOST: then nobody knows. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_commit(green_db_conn *conn);
/** @brief Undo what was done since green_db_conn_begin(). Yields; does not where no transaction is open. @param conn a
 *  connection. @return 0, or a code. @since 0.1 */
GREEN_API int green_db_conn_rollback(green_db_conn *conn);
/** @brief Is a transaction open? Never yields. @param conn a connection. @return false also where it is closed. @since 0.1 */
GREEN_API bool green_db_conn_in_transaction(const green_db_conn *conn);
/**
 * @brief Switch whether each statement is a transaction of its own. Never yields. Off: one begins with the next statement where
 *        none is open, and lasts until green_db_conn_commit(). It is on again for the next user of the connection.
 * @param conn a connection.
 * @param on   true at first.
 * @return 0, or a code; -EBUSY: a transaction is open.
 * @since 0.1
 */
GREEN_API int green_db_conn_autocommit(green_db_conn *conn, bool on);
/** @brief How far transactions of this connection to come see others. Yields. @param conn a connection. @param level which.
 *  @return 0, or a code; -ENOTSUP: the database has not this level. @since 0.1 */
GREEN_API int green_db_conn_set_isolation_level(green_db_conn *conn, enum green_db_isolation level);
/** @} */

/**
 * @name What came of the last statement. These never yield.
 * @{
 */

/** @brief Rows that the last statement has changed. @param conn a connection. @param[out] ret set on 0 only. @return 0, or a
 *  code. @since 0.1 */
GREEN_API int green_db_conn_affected_rows(const green_db_conn *conn, int64_t *ret);
/** @brief The number given to the row that was inserted last. @param conn a connection. @param[out] ret set on 0 only; 0: none.
 *  Postgres has none: use `returning`. @return 0, or a code. @since 0.1 */
GREEN_API int green_db_conn_insert_id(const green_db_conn *conn, int64_t *ret);
/** @brief Warnings of the last statement. @param conn a connection. @param[out] ret set on 0 only. @return 0, or a code.
 *  @since 0.1 */
GREEN_API int green_db_conn_warning_count(const green_db_conn *conn, unsigned *ret);
/** @brief The database's own number of the last error. @param conn a connection. @return 0: none, or it has no numbers
 *  (postgres). @since 0.1 */
GREEN_API long green_db_conn_errno(const green_db_conn *conn);
/** @brief The database's own words of the last error. @param conn a connection. @return ends with NUL; "": none. Good until the
 *  next call. @since 0.1 */
GREEN_API const char *green_db_conn_error(const green_db_conn *conn);
/** @brief SQLSTATE of the last error, of five characters. @param conn a connection. @return "00000": none; sqlite has the
 *  nearest one. @since 0.1 */
GREEN_API const char *green_db_conn_sqlstate(const green_db_conn *conn);
/**
 * @brief Have a function called at each error of this connection, before the call returns. It is gone for the next user.
 * @param conn a connection.
 * @param fn   told the code that the call returns; it must not use the database, nor wait. NULL: none.
 * @param arg  passed to it.
 * @return 0, or a code.
 * @since 0.1
 */
GREEN_API int green_db_conn_errorhandler(green_db_conn *conn, void (*fn)(green_db_conn *conn, int code, void *arg),
                                         void *arg);
/** @} */

/**
 * @name The connection and the server. These yield, but where it says never.
 * @{
 */

/** @brief Is the server there, and does it answer? @param conn a connection. @return 0, or a code. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_ping(green_db_conn *conn);
/** @brief Become another user. (mariadb) @param conn a connection. @param user name. @param password may be NULL. @param database
 *  may be NULL. @return 0, or a code. @since 0.1 */
GREEN_API int green_db_conn_change_user(green_db_conn *conn, const char *user, const char *password, const char *database);
/** @brief Go to another database of the server. (mariadb) @param conn a connection. @param database its name. @return 0, or a
 *  code. @since 0.1 */
GREEN_API int green_db_conn_select_db(green_db_conn *conn, const char *database);
/** @brief The character set of text. Never yields. @param conn a connection. @param[out] text ends with NUL. @param len bytes
 *  there. @return bytes of the whole text, as snprintf(), or a code. @since 0.1 */
GREEN_API int green_db_conn_character_set_name(green_db_conn *conn, char *text, size_t len);
/** @brief Change that. (postgres, mariadb; sqlite has UTF-8 alone) @param conn a connection. @param name its name. @return 0, or
 *  a code. @since 0.1 */
GREEN_API int green_db_conn_set_character_set(green_db_conn *conn, const char *name);
/** @brief The server's version. Never yields. @param conn a connection. @param[out] text ends with NUL. @param len bytes there.
 *  @return bytes of the whole text, as snprintf(), or a code. @since 0.1 */
GREEN_API int green_db_conn_get_server_info(green_db_conn *conn, char *text, size_t len);
/** @brief What the server can do. Never yields. (mariadb) @param conn a connection. @param[out] ret CLIENT_... bits. @return 0, or
 *  a code. @since 0.1 */
GREEN_API int green_db_conn_server_capabilities(green_db_conn *conn, uint64_t *ret);
/** @brief The server's state, in words of its own. (mariadb, postgres) @param conn a connection. @param[out] text ends with NUL.
 *  @param len bytes there. @return bytes of the whole text, as snprintf(), or a code. @since 0.1 */
GREEN_API int green_db_conn_stat(green_db_conn *conn, char *text, size_t len);
/** @brief The server's number for this connection. Never yields. (postgres: its process) @param conn a connection. @param[out] ret
 *  set on 0 only. @return 0, or a code. @since 0.1 */
GREEN_API int green_db_conn_thread_id(green_db_conn *conn, int64_t *ret);
/** @brief Have the server write its state to its log. (mariadb) @param conn a connection. @return 0, or a code. @since 0.1 */
GREEN_API int green_db_conn_dump_debug_info(green_db_conn *conn);
/** @brief Switch an option of the server for this connection. (mariadb) @param conn a connection. @param option of enum
 *  enum_mysql_set_option. @return 0, or a code. @since 0.1 */
GREEN_API int green_db_conn_set_server_option(green_db_conn *conn, int option);
/** @brief Set sql_mode for this connection. (mariadb) @param conn a connection. @param mode "STRICT_ALL_TABLES,...". @return 0,
 *  or a code. @since 0.1 */
GREEN_API int green_db_conn_set_sql_mode(green_db_conn *conn, const char *mode);
/** @brief The warnings of the last statement: level, code, message. (mariadb, postgres) @param conn a connection. @param[out]
 *  ret_result for green_db_result_free(). @return 0, or a code. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_conn_show_warnings(green_db_conn *conn, green_db_result **ret_result);
/** @brief End the server. (mariadb, with the privilege) @param conn a connection. @return 0, or a code. @since 0.1 */
GREEN_API int green_db_conn_shutdown(green_db_conn *conn);
/**
 * @brief A value as it stands in a statement's text, quoted. Never yields. For what parameters cannot do; they are better.
 * @param      conn  a connection.
 * @param      value any.
 * @param[out] text  ends with NUL, which nothing is cut for: look at the result.
 * @param      len   bytes there.
 * @return bytes of the whole text, as snprintf(), or a code; -EILSEQ: no text of this character set.
 * @since 0.1
 */
GREEN_API int green_db_conn_literal(green_db_conn *conn, struct green_db_value value, char *text, size_t len);
/** @brief green_db_conn_literal() of text. Never yields. @param conn a connection. @param string ends with NUL. @param[out] text
 *  see there. @param len bytes there. @return see there. @since 0.1 */
GREEN_API int green_db_conn_string_literal(green_db_conn *conn, const char *string, char *text, size_t len);
/** @} */

GREEN_END_DECLS

#endif
