/**
 * @file
 * @brief What a database driver is: a table of functions, in a module.
 *
 * A driver is a file `db_NAME.so` in the package's folder of modules (green_module_folder()), or anywhere if it is given by
 * its path. It exports
 *
 *     GREEN_API extern const struct green_db_driver green_db_module;
 *
 * and needs nothing but this header; doc/examples/third_party_driver is a whole one. It is called
 *
 * - by one green thread at a time for one connection, with the connection's *link*;
 * - in that green thread, where the driver never blocks: it waits by green_db_link_wait();
 * - or in some OS thread, where it blocks (#GREEN_DB_BLOCKS) or the user has asked for that; not always the same one. There
 *   green_db_link_wait() blocks. It must not use other objects of green-net.
 *
 * Functions return 0, or a code that green_db_link_fail() was told of. What green_db_link_wait() fails with is returned as it
 * is: the exchange with the server may be left where it stands, since settle() or close() is what is called next. So it is
 * after -ENOMEM, with rows that there was no room for. After any other code the exchange is at its end, and the next statement can be run.
 *
 * A call that has done nothing yet, since somebody else has a lock, may return -EINPROGRESS: it is called again with the same
 * arguments a little later, and keeps no OS thread until then. Not connect().
 */
#ifndef GREEN_DB_DRIVER_H
#define GREEN_DB_DRIVER_H

#include <green/base.h>
#include <green/db_conn.h>
#include <green/db_pool.h>
#include <green/db_value.h>

GREEN_BEGIN_DECLS

/** The interface that this header describes. */
#define GREEN_DB_DRIVER_ABI 1u

/** green_db_driver::features: calls block the OS thread. */
#define GREEN_DB_BLOCKS 1u

/** A connection, as its driver sees it. Opaque. */
typedef struct green_db_link green_db_link;

/** How to read the rows that a driver gave. They are called in the user's green thread, never wait, and need no link. */
struct green_db_batch_ops {
        const char *(*name)(void *data, size_t column); /**< name of a column */
        /** A value; text and bytes have a NUL behind them. It is good until free(). */
        struct green_db_value (*value)(void *data, size_t row, size_t column);
        void (*free)(void *data); /**< releases data */
};

/** Rows, or the next ones of many, and what the statement did. The driver fills it; it is zeroed before. */
struct green_db_batch {
        const struct green_db_batch_ops *ops; /**< NULL: a statement without rows */
        void *data;                           /**< for ops */
        size_t columns;                       /**< how many */
        size_t rows;                          /**< in this batch; may be 0 */
        bool more;                            /**< fetch() gives the next. False: the exchange is at its end */
        int64_t affected;                     /**< rows changed: at the end */
        int64_t insert_id;                    /**< at the end; 0: none */
        unsigned warnings;                    /**< at the end */
};

/** A statement to run. All of it is borrowed for the length of the call. */
struct green_db_statement {
        const char *sql;                     /**< ends with NUL; NULL where it is prepared */
        void *prepared;                      /**< of prepare(); NULL: it is not */
        const struct green_db_value *values; /**< parameters */
        size_t n;                            /**< how many */
        bool stream;                         /**< rows are wanted as they come, a few at a time, for fetch(). Else all at once */
};

/** What command() is to do. */
enum green_db_command_kind {
        GREEN_DB_CMD_BEGIN = 1,          /**< begin a transaction */
        GREEN_DB_CMD_COMMIT,             /**< end it */
        GREEN_DB_CMD_ROLLBACK,           /**< undo it; one that is not open is no error */
        GREEN_DB_CMD_RESET,              /**< make the connection as good as new; what was prepared is gone */
        GREEN_DB_CMD_PING,               /**< ask the server whether it is there */
        GREEN_DB_CMD_CHANGE_USER,        /**< text: user, text2: password or NULL, text3: database or NULL */
        GREEN_DB_CMD_SELECT_DB,          /**< text */
        GREEN_DB_CMD_SET_CHARACTER_SET,  /**< text */
        GREEN_DB_CMD_SET_ISOLATION,      /**< number: enum green_db_isolation */
        GREEN_DB_CMD_SET_SERVER_OPTION,  /**< number */
        GREEN_DB_CMD_SET_SQL_MODE,       /**< text */
        GREEN_DB_CMD_DUMP_DEBUG_INFO,    /**< as the user's call */
        GREEN_DB_CMD_SHUTDOWN,           /**< end the server */
        GREEN_DB_CMD_STAT,               /**< out, out_size: text */
        GREEN_DB_CMD_SHOW_WARNINGS,      /**< batch: rows */
};

/** A command. */
struct green_db_command {
        enum green_db_command_kind kind;      /**< which */
        const char *text;                     /**< see there */
        const char *text2;                    /**< see there */
        const char *text3;                    /**< see there */
        int64_t number;                       /**< see there */
        char *out;                            /**< where text goes, with its NUL */
        size_t out_size;                      /**< bytes there */
        struct green_db_batch *batch;         /**< where rows go */
};

/** What info() is asked. It never waits. */
enum green_db_info_kind {
        GREEN_DB_INFO_CHARACTER_SET = 1, /**< text */
        GREEN_DB_INFO_SERVER,            /**< text: version */
        GREEN_DB_INFO_CAPABILITIES,      /**< number */
        GREEN_DB_INFO_THREAD_ID,         /**< number */
};

/** An answer: a text that is good until the next call, or a number. */
struct green_db_info {
        const char *text; /**< NULL: a number */
        int64_t number;   /**< a number */
};

/** A driver. Functions that may be NULL say so: the calls that need them give -ENOTSUP. */
struct green_db_driver {
        uint32_t abi;      /**< #GREEN_DB_DRIVER_ABI */
        uint32_t size;     /**< sizeof(struct green_db_driver) */
        const char *name;  /**< as in db_NAME.so */
        unsigned features; /**< #GREEN_DB_BLOCKS, or 0 */
        /** "libpq 15.3" */
        const char *(*version)(void);

        /** Make a connection. params is whole; options that are not known are -EINVAL. */
        int (*connect)(green_db_link *link, const struct green_db_params *params, void **ret_db);
        /** Close it, whatever it is in the middle of. It does not wait for the peer. green_db_link_closing() comes first. */
        void (*close)(green_db_link *link, void *db);
        /** Has the peer closed it, as far as is known without waiting? NULL: it never does. */
        bool (*alive)(void *db);
        /** Is a transaction open? It never waits. */
        bool (*in_transaction)(void *db);
        /** From another OS thread, while a call blocks: make that end soon, with any code. NULL: it ends by itself, or waits by
         *  green_db_link_wait() alone. */
        void (*interrupt)(void *db);
        /** A call was cut short, or a result, COPY or pipeline is to be left unread: end it, so that the next statement can be
         *  run. A code: it is closed. NULL: it always is. */
        int (*settle)(green_db_link *link, void *db);

        /** Run a statement. */
        int (*query)(green_db_link *link, void *db, const struct green_db_statement *st, struct green_db_batch *ret);
        /** The next rows, after a batch that had more: the last batch is freed already. */
        int (*fetch)(green_db_link *link, void *db, struct green_db_batch *ret);
        /** Prepare; NULL: there are no prepared statements. */
        int (*prepare)(green_db_link *link, void *db, const char *sql, void **ret_prepared);
        /** Forget one. tell: the server is there and is to be told; else only memory is released. A wait that fails here is
         *  seen by prepare(), which may follow at once. */
        void (*unprepare)(green_db_link *link, void *db, void *prepared, bool tell);
        /** See enum green_db_command_kind; -ENOTSUP for those that it does not know. */
        int (*command)(green_db_link *link, void *db, struct green_db_command *command);
        /** See enum green_db_info_kind; -ENOTSUP likewise. */
        int (*info)(void *db, enum green_db_info_kind kind, struct green_db_info *ret);
        /** As green_db_conn_literal(). It never waits. */
        int (*literal)(void *db, const struct green_db_value *value, char *text, size_t len);

        /** Pipelines: begin, then send() any number, then receive() what came; may be NULL, all four together. */
        int (*pipeline_begin)(green_db_link *link, void *db);
        /** Send one. */
        int (*send)(green_db_link *link, void *db, const struct green_db_statement *st);
        /** The answer to the one that was sent first: 1; 0: none is open; or what it failed with (-ECANCELED: skipped). */
        int (*receive)(green_db_link *link, void *db, struct green_db_batch *ret);
        /** Every answer was received. */
        int (*pipeline_end)(green_db_link *link, void *db);

        /** COPY; may be NULL, all four together. */
        int (*copy_begin)(green_db_link *link, void *db, const char *sql, bool in);
        /** Send. */
        int (*copy_put)(green_db_link *link, void *db, const void *data, size_t len);
        /** Receive: 1, or 0 at the end of the COPY. */
        int (*copy_get)(green_db_link *link, void *db, const void **ret_data, size_t *ret_len);
        /** End it, error: as green_db_conn_copy_end(). */
        int (*copy_end)(green_db_link *link, void *db, const char *error, int64_t *ret_rows);

        /** A notification: 0, or what green_db_link_wait() fails with. It waits for good, under the caller's scope; at once:
         *  it does not wait, -EAGAIN: none is there. The connection is at rest in any case. May be NULL. */
        int (*notification)(green_db_link *link, void *db, struct green_db_notification *ret, bool at_once);
};

/**
 * @name What a link can do
 * @{
 */

/**
 * @brief Wait until a descriptor is ready, or the call is to end. In a green thread the others run; in an OS thread it blocks.
 * @param link   of the call.
 * @param fd     the connection's.
 * @param events #GREEN_READ, #GREEN_WRITE or both.
 * @return what of the two is ready, at least one; or a code: killed, timed out, interrupted. Return that.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_db_link_wait(green_db_link *link, green_fd fd, unsigned events);

/**
 * @brief Say that a descriptor is about to be closed, or given to somebody else. Never yields. Call it before each close().
 * @param link of the call.
 * @param fd   the descriptor.
 * @since 0.1
 */
GREEN_API void green_db_link_closing(green_db_link *link, green_fd fd);

/**
 * @brief Tell of an error: what the user is to see. Never yields.
 * @param link     of the call.
 * @param code     what the call will return, negative: #GREEN_EDB, #GREEN_EDBLOST (which closes the connection), -errno, ...
 * @param number   the database's own; 0: none.
 * @param sqlstate five characters; NULL: unknown ("HY000").
 * @param message  the database's words, as printf().
 * @return code.
 * @since 0.1
 */
GREEN_API int green_db_link_fail(green_db_link *link, int code, long number, const char *sqlstate, const char *message, ...)
        GREEN_PRINTF(5, 6);

/**
 * @brief The code that goes with an SQLSTATE. Never yields. thread-safe.
 * @param sqlstate five characters.
 * @return #GREEN_EDBLOST (08, 57P01 to 57P05), #GREEN_EDBCONSTRAINT (23), #GREEN_EDBRETRY (40, 55P03), #GREEN_EDBLOGIN (28, 3D), else #GREEN_EDB.
 * @since 0.1
 */
GREEN_API int green_db_sqlstate_code(const char *sqlstate);

/**
 * @brief Has the call been told to end, as by a kill? Never yields. thread-safe. For long loops, and handlers that sleep, in OS
 *        threads.
 * @param link of the call.
 * @return true: return -ECANCELED soon.
 * @since 0.1
 */
GREEN_API bool green_db_link_interrupted(const green_db_link *link);
/** @} */

/**
 * @name Rows kept by green-net, for drivers that have no form of their own for them
 * @{
 */

/** Rows that grow. Opaque. */
typedef struct green_db_rows green_db_rows;

/** @brief Begin. Never yields. thread-safe. @param columns how many. @param names of them, copied. @return the rows; NULL: no
 *  memory. @since 0.1 */
GREEN_API green_db_rows *green_db_rows_new(size_t columns, const char *const *names);
/** @brief Add a row. Never yields. thread-safe. @param rows of green_db_rows_new(). @param values one a column; copied. @return 0, or
 *  -ENOMEM. @since 0.1 */
GREEN_API GREEN_MUST_USE int green_db_rows_add(green_db_rows *rows, const struct green_db_value *values);
/** @brief Bytes that the values take, for those that read some at a time. Never yields. @param rows them. @return bytes.
 *  @since 0.1 */
GREEN_API size_t green_db_rows_bytes(const green_db_rows *rows);
/** @brief Hand them over to a batch: ops, data, columns and rows are set. Never yields. thread-safe. @param rows them; they are the
 *  batch's. @param batch it. @since 0.1 */
GREEN_API void green_db_rows_finish(green_db_rows *rows, struct green_db_batch *batch);
/** @brief Release rows that were not finished. Never yields. thread-safe. @param rows them or NULL. @since 0.1 */
GREEN_API void green_db_rows_free(green_db_rows *rows);
/** @} */

GREEN_END_DECLS

#endif
