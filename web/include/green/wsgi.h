/**
 * @file
 * @brief The HTTP/1.1 server.
 *
 * An application is a function that is called once a request, in a green thread of its own kind: it may block as it
 * likes. Requests that wait in a connection's buffer are answered together, and a connection without a request holds
 * neither a green thread nor a buffer.
 *
 *     static int
 *     app(green_wsgi_request *req, void *arg)
 *     {
 *             return green_wsgi_respond(req, 200, "text/plain", "Hello, World!\r\n", 15);
 *     }
 *
 *     green_wsgi_server(green_listen("127.0.0.1:8080", NULL), app, NULL, NULL);
 *
 * The parser is strict (RFC 9112): what is malformed or ambiguous is answered with 400 and the connection is closed.
 */
#ifndef GREEN_WSGI_H
#define GREEN_WSGI_H

#include <green/base.h>
#include <green/convenience.h>
#include <green/socket.h>

GREEN_BEGIN_DECLS

/** A request and its response. Opaque; it lives until the application returns. */
typedef struct green_wsgi_request green_wsgi_request;

/**
 * The application.
 * @param req the request, valid until this returns.
 * @param arg as given to green_wsgi_server().
 * @return 0, or a negative code: 500 is answered if nothing was yet, otherwise the connection is closed; it is logged.
 */
typedef int (*green_wsgi_app)(green_wsgi_request *req, void *arg);

/** green_wsgi_server_opts::keepalive: close the connection after each response. */
#define GREEN_WSGI_NO_KEEPALIVE (-1.0)

/** What green_wsgi_server() can change. Set it to zero, then @ref size, then what you need. */
struct green_wsgi_server_opts {
        size_t size;             /**< sizeof(struct green_wsgi_server_opts) */
        size_t max_size;         /**< requests that run at the same time; others wait their turn. 0: 1,024 */
        double keepalive;        /**< seconds a connection may be without a request. 0: no limit; #GREEN_WSGI_NO_KEEPALIVE */
        double socket_timeout;   /**< seconds a single read or write may wait. 0: no limit */
        double header_timeout;   /**< seconds from the first byte of a request to the end of its header, then 408. 0: 60 */
        uint64_t max_body;       /**< bytes of a request's body, then 413. 0: no limit */
        uint32_t url_length_limit; /**< bytes of the request line, CR LF counted, from which on it is 414. 0: 8,192 */
        double shutdown_timeout; /**< seconds that running requests get when the server ends, then they are killed. 0: 30;
                                      #GREEN_FOREVER waits for them */
};

/**
 * @brief Serve HTTP on a listening socket. Yields. It returns only when the serving ends.
 *
 * It ends when the calling green thread is killed, a timeout around it fires, or the listener is closed or fails. Then
 * connections without a request are closed at once, running requests are finished and answered with "Connection: close",
 * up to shutdown_timeout; what still runs then is killed. The listener is closed; its handle stays the caller's.
 *
 * @param listener of green_listen(); stays the caller's.
 * @param app      called once a request.
 * @param arg      passed to app.
 * @param opts     NULL for defaults.
 * @retval -EINVAL        an argument is missing, or opts has an unknown size.
 * @retval -ENOMEM        memory ran out at the start.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @return otherwise what accept failed with: -ECANCELED or -EBADF for a closed listener.
 * @since 0.1 (WSGI-01 to WSGI-09, WSGI-19 to WSGI-44)
 */
GREEN_API int green_wsgi_server(green_socket *listener, green_wsgi_app app, void *arg,
                                const struct green_wsgi_server_opts *opts);

/**
 * @name The request
 * @{
 */

/**
 * @brief The method, as sent. Never yields.
 * @param req a request.
 * @return "GET", ...; case matters.
 * @since 0.1
 */
GREEN_API const char *green_wsgi_method(green_wsgi_request *req);

/**
 * @brief The path, percent-decoded. Never yields.
 * @param      req     a request.
 * @param[out] ret_len its bytes; may be NULL. The text itself holds no NUL.
 * @return begins with '/', or is "*" (OPTIONS) or "" (CONNECT). Dot segments are as sent: check before you open files.
 *         NULL with `errno` ENOMEM where there is no memory to decode it.
 * @since 0.1 (WSGI-61)
 */
GREEN_API const char *green_wsgi_path(green_wsgi_request *req, size_t *ret_len);

/**
 * @brief The path as sent, percent-encoded. Never yields.
 * @param req a request.
 * @return as green_wsgi_path().
 * @since 0.1 (WSGI-61)
 */
GREEN_API const char *green_wsgi_raw_path(green_wsgi_request *req);

/**
 * @brief What stands behind the '?', percent-encoded. Never yields.
 * @param req a request.
 * @return NULL without a '?'; "" with nothing behind it.
 * @since 0.1 (WSGI-61)
 */
GREEN_API const char *green_wsgi_query(green_wsgi_request *req);

/**
 * @brief The version of HTTP. Never yields.
 * @param req a request.
 * @return 10 or 11.
 * @since 0.1
 */
GREEN_API int green_wsgi_version(const green_wsgi_request *req);

/**
 * @brief A header field. Never yields.
 * @param req  a request.
 * @param name in any case.
 * @return the value of the first such field, without white space around it; NULL if there is none.
 * @since 0.1 (WSGI-64)
 */
GREEN_API const char *green_wsgi_header(green_wsgi_request *req, const char *name);

/**
 * @brief All header fields, in order. Never yields.
 * @param      req       a request.
 * @param      index     from 0 on.
 * @param[out] ret_name  the name as sent.
 * @param[out] ret_value the value.
 * @return true if there is a field of that index; otherwise nothing is set.
 * @since 0.1 (WSGI-64)
 */
GREEN_API bool green_wsgi_header_at(green_wsgi_request *req, size_t index, const char **ret_name,
                                    const char **ret_value);

/**
 * @brief Bytes of the body that its header announces. Never yields.
 * @param req a request.
 * @return the Content-Length; 0 without a body; -1 for a chunked one.
 * @since 0.1
 */
GREEN_API int64_t green_wsgi_content_length(const green_wsgi_request *req);

/**
 * @brief The peer's address. Never yields.
 * @param      req      a request.
 * @param[out] ret_addr the address; set on success only.
 * @retval 0 done.
 * @return otherwise as green_socket_getpeername().
 * @since 0.1
 */
GREEN_API int green_wsgi_peer(green_wsgi_request *req, struct green_addr *ret_addr);

/**
 * @brief Read from the body. May yield. "100 Continue" is sent first if the client waits for it.
 *
 * What is not read is discarded after the response, up to 64 KiB; where there is more, the connection is closed.
 *
 * @param req a request.
 * @param buf where to.
 * @param len bytes there.
 * @return bytes read, at least 1 unless len is 0; 0 at the end of the body. -EPROTO: a malformed chunk, or
 *         -ECONNRESET: the connection ended before the body did; -EMSGSIZE: it is larger than max_body; otherwise as
 *         green_socket_recv(). After a failure the connection will be closed.
 * @since 0.1 (WSGI-45 to WSGI-58)
 */
GREEN_API GREEN_MUST_USE ssize_t green_wsgi_read(green_wsgi_request *req, void *buf, size_t len);
/** @} */

/**
 * @name The response
 * @{
 */

/**
 * @brief Add a header field to the response. Never yields.
 *
 * Date, Content-Length, Transfer-Encoding and Connection are the server's affair: "Connection: close" is honoured, the
 * others are refused.
 *
 * @param req   a request.
 * @param name  a token (RFC 9110); sent as it is.
 * @param value without CR, LF and NUL.
 * @retval 0         added.
 * @retval -EINVAL   a character that is not allowed, or a field that is the server's: nothing was added (WSGI-80).
 * @retval -EALREADY the response has begun.
 * @retval -EMSGSIZE more than 64 KiB of header.
 * @retval -ENOMEM   memory ran out.
 * @since 0.1
 */
GREEN_API int green_wsgi_add_header(green_wsgi_request *req, const char *name, const char *value);

/**
 * @brief Send a whole response. May yield.
 *
 * To HEAD, and with status 204 and 304, the body is left out (WSGI-77, WSGI-78).
 *
 * @param req          a request.
 * @param status       200 to 999.
 * @param content_type value of Content-Type; NULL for none.
 * @param body         copied, or sent before this returns.
 * @param len          its bytes.
 * @retval 0         sent, or waiting to be sent with the answers of requests that are here already.
 * @retval -EINVAL   a bad status or content type.
 * @retval -EALREADY the response has begun.
 * @return otherwise as green_socket_sendallv().
 * @since 0.1 (WSGI-71)
 */
GREEN_API int green_wsgi_respond(green_wsgi_request *req, int status, const char *content_type, const void *body,
                                 size_t len);

/**
 * @brief Begin a response whose body comes in pieces: see green_wsgi_write(). Never yields.
 *
 * @param req            a request.
 * @param status         200 to 999.
 * @param content_length bytes of the whole body, which is then held to it; -1: not known, so it is sent in chunks, or
 *                       to HTTP/1.0 until the connection is closed.
 * @retval 0         begun.
 * @retval -EINVAL   a bad status or length.
 * @retval -EALREADY the response has begun.
 * @retval -ENOMEM   memory ran out.
 * @since 0.1 (WSGI-72)
 */
GREEN_API int green_wsgi_start_response(green_wsgi_request *req, int status, int64_t content_length);

/**
 * @brief Write a piece of the body. May yield, while the client does not take more. Sent at once.
 *
 * The end is written when the application returns.
 *
 * @param req  a request whose response was begun by green_wsgi_start_response().
 * @param data the bytes.
 * @param len  how many; 0 does nothing (WSGI-74).
 * @retval 0         sent.
 * @retval -EINVAL   no response was begun.
 * @retval -EMSGSIZE more than the content length: nothing was sent.
 * @return otherwise as green_socket_sendallv().
 * @since 0.1 (WSGI-73, WSGI-74, WSGI-76, WSGI-79)
 */
GREEN_API int green_wsgi_write(green_wsgi_request *req, const void *data, size_t len);
/** @} */

/** Bytes that green_wsgi_format_date_time() writes, NUL included. */
#define GREEN_WSGI_DATE_SIZE 30

/**
 * @brief A time as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT". Never yields. thread-safe.
 * @param timestamp seconds since 1970, UTC; years 1 to 9999.
 * @param text      where to; #GREEN_WSGI_DATE_SIZE bytes.
 * @return @p text; "" where the year is none of these.
 * @since 0.1 (WSGI-70)
 */
GREEN_API const char *green_wsgi_format_date_time(int64_t timestamp, char text[GREEN_WSGI_DATE_SIZE]);

GREEN_END_DECLS

#endif
