/**
 * @file
 * @brief Error codes, their names, and the last error of a green thread.
 *
 * Functions return 0 or a count on success and a negative code on failure: `-errno`, or one of the codes below
 * (all under -1000). Functions that make a handle return `NULL`, set `errno` to the code's magnitude and leave code
 * and message in green_last_error().
 */
#ifndef GREEN_ERROR_H
#define GREEN_ERROR_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/**
 * Every code of green-net's own: X(name, value, text).
 * 1000s core and sync, 2000s name resolution, 3000s TLS, 4000s HTTP, 5000s databases.
 */
#define GREEN_ERRORS(X)                                                                                                \
        X(GREEN_EKILLED, -1001, "killed")                                                                              \
        X(GREEN_ETIMEOUT, -1002, "an enclosing timeout fired")                                                         \
        X(GREEN_ECLOSED, -1003, "closed")                                                                              \
        X(GREEN_EFULL, -1004, "full")                                                                                  \
        X(GREEN_EEMPTY, -1005, "empty")                                                                                \
        X(GREEN_ECOLLISION, -1006, "key exists already")                                                               \
        X(GREEN_EPROPAGATE, -1007, "a value this one depends on failed")                                               \
        X(GREEN_ESTOPSERVE, -1008, "stop serving")                                                                     \
        X(GREEN_ESTOPPED, -1009, "the hub was stopped")                                                                \
        X(GREEN_EHUB, -1010, "no such hub, or it cannot be used here")                                                 \
        X(GREEN_EEOF, -1011, "the end came too early")                                                                 \
        X(GREEN_ECHILD, -1012, "a program ended with a status other than 0")                                           \
        X(GREEN_EAI_AGAIN, -2001, "name resolution: no answer in time; it may work later")                             \
        X(GREEN_EAI_NONAME, -2002, "name resolution: no such name or service")                                         \
        X(GREEN_EAI_NODATA, -2003, "name resolution: the name has no address of this kind")                            \
        X(GREEN_EAI_FAIL, -2004, "name resolution: a server failed or refused")                                        \
        X(GREEN_EAI_FAMILY, -2005, "name resolution: address family not supported")                                    \
        X(GREEN_EAI_SERVICE, -2006, "name resolution: service not known for this type of socket")                      \
        X(GREEN_EAI_SOCKTYPE, -2007, "name resolution: type of socket not supported")                                  \
        X(GREEN_EAI_BADFLAGS, -2008, "name resolution: these flags mean nothing together")                             \
        X(GREEN_EAI_OVERFLOW, -2009, "name resolution: the answer does not fit")                                       \
        X(GREEN_ETLS, -3001, "TLS: the connection failed")                                                             \
        X(GREEN_ETLSEOF, -3002, "TLS: the connection was cut off without a farewell")                                  \
        X(GREEN_ETLSPROTO, -3003, "TLS: what came is no TLS, or breaks its rules")                                     \
        X(GREEN_ETLSALERT, -3004, "TLS: the peer gave up, with an alert")                                              \
        X(GREEN_ETLSVERIFY, -3005, "TLS: the peer's certificate is not to be trusted")                                 \
        X(GREEN_ETLSHOST, -3006, "TLS: the certificate is for another host")                                           \
        X(GREEN_ETLSEXPIRED, -3007, "TLS: the certificate has expired, or is not valid yet")                           \
        X(GREEN_ETLSREVOKED, -3008, "TLS: the certificate was revoked")                                                \
        X(GREEN_ETLSNOCERT, -3009, "TLS: the peer gave no certificate")                                                \
        X(GREEN_ETLSAGREE, -3010, "TLS: no version, cipher or protocol that both sides know")                          \
        X(GREEN_ETLSFILE, -3011, "TLS: a certificate or key that cannot be read or does not fit")                      \
        X(GREEN_ETLSBACKEND, -3012, "TLS: no back end, or it cannot be used here")                                     \
        X(GREEN_EHTTP, -4001, "HTTP: the response is malformed, or not to be had so")                                  \
        X(GREEN_EDB, -5001, "database: it refused the statement")                                                      \
        X(GREEN_EDBLOST, -5002, "database: the connection is lost")                                                    \
        X(GREEN_EDBCONSTRAINT, -5003, "database: a rule of the table forbids it")                                      \
        X(GREEN_EDBRETRY, -5004, "database: in conflict with others; the transaction may succeed if tried again")      \
        X(GREEN_EDBLOGIN, -5005, "database: it refused user, password or database")                                    \
        X(GREEN_EDBDRIVER, -5006, "database: no such driver, or it cannot be used here")                               \
        X(GREEN_ECONNECTTIMEOUT, -5007, "database: connecting took too long")

/** green-net's own error codes. */
enum green_errors {
#define GREEN_ERROR_ENUM_(name, value, text) name = (value),
        GREEN_ERRORS(GREEN_ERROR_ENUM_)
#undef GREEN_ERROR_ENUM_
};

/**
 * @brief An error with what is known of it.
 *
 * Where eventlet carries an exception object, green-net carries one of these. Copies own their message and causes;
 * @ref value is only ever passed along.
 */
struct green_error {
        int code;                        /**< a negative code */
        const char *message;             /**< text for a person; never NULL */
        void *value;                     /**< the caller's own, not owned */
        const struct green_error *cause; /**< what led to it, or NULL */
};

/**
 * @brief Text for a code: strerror()'s for `-errno`, green-net's own below -1000. Never yields.
 *
 * @param code a negative code; 0 gives "success".
 * @return a string that stays valid until the same OS thread calls again; never NULL.
 * @since 0.1
 */
GREEN_API const char *green_strerror(int code);

/**
 * @brief The name of a code, "GREEN_EKILLED" or "ECONNREFUSED". Never yields.
 *
 * @param code a negative code.
 * @return a constant string; "unknown" for a code nobody knows.
 * @since 0.1
 */
GREEN_API const char *green_errname(int code);

/**
 * @brief What went wrong last in this green thread. Never yields.
 *
 * Set by functions that return NULL or false for a failure, and by those that have more to say than their code.
 * A success does not clear it.
 *
 * @return the error; valid until this green thread's next failure or yield; code 0 if there was none.
 * @since 0.1
 */
GREEN_API const struct green_error *green_last_error(void);

/**
 * @brief Set this green thread's last error and `errno` (the code's magnitude). Never yields.
 *
 * For libraries on top of green-net: `return green_set_error(-EINVAL, "port %d is out of range", port);`
 *
 * @param code   a negative code.
 * @param format printf format of the message; NULL takes green_strerror(code).
 * @return @p code.
 * @since 0.1
 */
GREEN_API int green_set_error(int code, const char *format, ...) GREEN_PRINTF(2, 3);

/**
 * @brief Set this green thread's last error, and `errno`, to one with value and causes, without a copy. Never yields.
 *
 * For errors that several refer to, with chains of causes of any length.
 *
 * @param error   what green_last_error() tells from now on. It stays as it is until @p release is called. Where memory
 *                ran out, code and message are kept only, and that is called at once.
 * @param release called once, when this is the last error no more: at the next failure, or at the latest when the last
 *                handle of the green thread goes or its hub ends. It frees, and calls nothing that yields or fails.
 *                NULL: none.
 * @param arg     passed to release.
 * @return the error's code.
 * @since 0.1 (DAG-06)
 */
GREEN_API int green_set_error_shared(const struct green_error *error, void (*release)(void *arg), void *arg);

/**
 * @brief Copy an error with its message and its causes. Never yields.
 *
 * @param error what to copy; NULL gives NULL.
 * @return the copy, the caller's, for green_error_free(); NULL with `errno` ENOMEM where memory ran out.
 * @since 0.1
 */
GREEN_API struct green_error *green_error_copy(const struct green_error *error);

/**
 * @brief Free a copy made by green_error_copy(). Never yields.
 *
 * @param error the copy; NULL is fine.
 * @since 0.1
 */
GREEN_API void green_error_free(struct green_error *error);

GREEN_END_DECLS

#endif
