/**
 * @file
 * @brief What an application answers: <green/wsgi.h>.
 *
 * Either one call, green_wsgi_respond(); or green_wsgi_start_response() and then green_wsgi_write() or
 * green_wsgi_collect() as often as one likes. Nothing is sent before the first byte of the body, or the application's
 * return, so that all may be taken back until then.
 */
#ifndef GREEN_WSGI_RESPONSE_H
#define GREEN_WSGI_RESPONSE_H

#include <green/wsgi.h>

GREEN_BEGIN_DECLS

/**
 * @brief Add a header field to the response. Never yields.
 *
 * Content-Length, Transfer-Encoding, Connection, Keep-Alive, Upgrade and Trailer are the server's affair: "Connection:
 * close" is honoured, the others are refused. Date is added unless there is one.
 *
 * @param req   a request.
 * @param name  a token (RFC 9110); sent as Foo-Bar, unless no_capitalize_response_headers is set (WSGI-69).
 * @param value without CR, LF and NUL.
 * @retval 0         added.
 * @retval -EINVAL   a character that is not allowed, or a field that is the server's: nothing was added (WSGI-80,
 *                   WSGI-82).
 * @retval -EALREADY the response has been sent, or a part of it.
 * @retval -EMSGSIZE more than 64 KiB of header.
 * @retval -ENOMEM   memory ran out.
 * @since 0.1
 */
GREEN_API int green_wsgi_add_header(green_wsgi_request *req, const char *name, const char *value);

/**
 * @brief Set a header field of the response, in place of those of that name. Never yields.
 * @param req   a request.
 * @param name  see green_wsgi_add_header().
 * @param value NULL: only take those away.
 * @return as green_wsgi_add_header().
 * @since 0.1
 */
GREEN_API int green_wsgi_set_header(green_wsgi_request *req, const char *name, const char *value);

/** What green_wsgi_set_cookie() can say. Set it to zero, then @ref size, then what you need. */
struct green_wsgi_cookie_opts {
        size_t size;           /**< sizeof(struct green_wsgi_cookie_opts) */
        const char *path;      /**< NULL: the folder of this request's path */
        const char *domain;    /**< NULL: this host alone */
        const char *same_site; /**< "Strict", "Lax" or "None"; NULL: unsaid */
        int64_t max_age;       /**< seconds; 0: until the browser ends; negative: gone at once */
        bool secure;           /**< over https alone */
        bool http_only;        /**< not for scripts */
};

/**
 * @brief Set a cookie at the client's. Never yields.
 * @param req   a request.
 * @param name  a token.
 * @param value characters of RFC 6265's cookie-octet: encode what is not.
 * @param opts  NULL for defaults.
 * @return as green_wsgi_add_header().
 * @since 0.1 (RFC 6265 4.1)
 */
GREEN_API int green_wsgi_set_cookie(green_wsgi_request *req, const char *name, const char *value,
                                    const struct green_wsgi_cookie_opts *opts);

/**
 * @brief Send a whole response. May yield.
 *
 * To HEAD, and with status 204, 205 and 304, the body is left out (WSGI-77, WSGI-78).
 *
 * @param req          a request.
 * @param status       200 to 999.
 * @param content_type value of Content-Type; NULL for none.
 * @param body         copied, or sent before this returns.
 * @param len          its bytes.
 * @retval 0         sent, or waiting to be sent with the answers of requests that are here already.
 * @retval -EINVAL   a bad status or content type.
 * @retval -EALREADY the response has been sent, or a part of it.
 * @return otherwise as green_socket_sendallv().
 * @since 0.1 (WSGI-71)
 */
GREEN_API int green_wsgi_respond(green_wsgi_request *req, int status, const char *content_type, const void *body,
                                 size_t len);

/**
 * @brief Begin a response whose body comes in pieces. Never yields. Once more before anything was sent: in place of the
 *        first (WSGI-85); fields that were added stay.
 *
 * @param req            a request.
 * @param status         200 to 999.
 * @param content_length bytes of the whole body, which is then held to it; -1: not known, so it is sent in chunks, or
 *                       to HTTP/1.0 until the connection is closed.
 * @retval 0         begun.
 * @retval -EINVAL   a bad status or length.
 * @retval -EALREADY the response has been sent, or a part of it.
 * @since 0.1 (WSGI-72, WSGI-85)
 */
GREEN_API int green_wsgi_start_response(green_wsgi_request *req, int status, int64_t content_length);

/**
 * @brief Write a piece of the body. May yield, while the client does not take more. Sent at once, with what was
 *        collected before it.
 *
 * The end is written when the application returns.
 *
 * @param req  a request whose response was begun by green_wsgi_start_response().
 * @param data the bytes.
 * @param len  how many; 0 sends what was collected and the header, and no piece (WSGI-74).
 * @retval 0         sent.
 * @retval -EINVAL   no response was begun: the client will get 500 (WSGI-85).
 * @retval -EMSGSIZE more than the content length: nothing was sent (WSGI-79).
 * @return otherwise as green_socket_sendallv().
 * @since 0.1 (WSGI-73, WSGI-74, WSGI-76, WSGI-79)
 */
GREEN_API int green_wsgi_write(green_wsgi_request *req, const void *data, size_t len);

/**
 * @brief Write a piece of the body that need not be sent at once: pieces are collected until there are
 *        minimum_chunk_size bytes, and sent as one chunk. May yield. What eventlet does with each item of an iterable.
 *
 * @param req  a request whose response was begun.
 * @param data the bytes; copied, or sent before this returns.
 * @param len  how many; 0 does nothing (WSGI-74).
 * @return as green_wsgi_write().
 * @since 0.1 (WSGI-74, WSGI-75, WSGI-79)
 */
GREEN_API int green_wsgi_collect(green_wsgi_request *req, const void *data, size_t len);

/**
 * @brief green_wsgi_collect() of formatted text. May yield.
 * @param req    a request whose response was begun.
 * @param format of printf.
 * @retval -ENOMEM memory ran out.
 * @return otherwise as green_wsgi_collect().
 * @since 0.1
 */
GREEN_API int green_wsgi_printf(green_wsgi_request *req, const char *format, ...) GREEN_PRINTF(2, 3);

/**
 * @brief How many bytes green_wsgi_collect() collects, for this response. Never yields.
 * @param req   a request.
 * @param bytes 0 or 1: none. More than 8,192 is 8,192.
 * @return what it was.
 * @since 0.1 (WSGI-66, WSGI-75)
 */
GREEN_API size_t green_wsgi_set_minimum_chunk_size(green_wsgi_request *req, size_t bytes);

/**
 * @brief Send an informational response, as "103 Early Hints". May yield. Nothing is sent to HTTP/1.0.
 * @param req    a request.
 * @param status 102 to 199.
 * @param fields name and value each, ended by a name of NULL; NULL: none.
 * @retval 0         sent, with the answers that wait.
 * @retval -EINVAL   a bad status (101 is green_wsgi_upgrade()), or field.
 * @retval -EALREADY the response has been sent, or a part of it.
 * @return otherwise as green_socket_sendall().
 * @since 0.1 (WSGI-60, RFC 8297)
 */
GREEN_API int green_wsgi_send_informational(green_wsgi_request *req, int status, const struct green_wsgi_pair *fields);

/** Called after the response. */
typedef void (*green_wsgi_hook_fn)(green_wsgi_request *req, void *arg);

/**
 * @brief Call a function after the response is complete, or has failed. Never yields. In the order added.
 *
 * The hook runs in the request's green thread; it may ask the request, and may yield.
 *
 * @param req a request.
 * @param fn  what to call.
 * @param arg its second argument.
 * @retval 0       will be called.
 * @retval -EINVAL no function.
 * @retval -ENOMEM memory ran out.
 * @since 0.1 (WSGI-88)
 */
GREEN_API int green_wsgi_add_post_hook(green_wsgi_request *req, green_wsgi_hook_fn fn, void *arg);

/**
 * @brief The status of the response. Never yields. For post hooks.
 * @param req a request.
 * @return 0 before it was begun.
 * @since 0.1
 */
GREEN_API int green_wsgi_status(const green_wsgi_request *req);

/**
 * @brief What the connection of a request is doing. Never yields.
 * @param req a request, or a request whose post hooks run.
 * @return #GREEN_WSGI_STATE_CLOSE where the connection ends with this response, else #GREEN_WSGI_STATE_REQUEST. Those that
 *         are #GREEN_WSGI_STATE_IDLE have no request: struct green_wsgi_stats counts them.
 * @since 0.1 (WSGI-06)
 */
GREEN_API enum green_wsgi_state green_wsgi_connection_state(const green_wsgi_request *req);

/**
 * @brief Does the server end? Then what runs for long should come to an end too. Never yields.
 * @param req a request.
 * @return true from the beginning of the shutdown on.
 * @since 0.1 (WSGI-07)
 */
GREEN_API bool green_wsgi_closing(const green_wsgi_request *req);

/**
 * @brief What the server does when it ends while this request runs. Never yields.
 *
 * For connections that have become something else and live long. The function is called in the green thread that ends
 * the server; it must not yield.
 *
 * @param req a request.
 * @param fn  what to call; NULL: nothing, wait for the application to return.
 * @param arg its second argument.
 * @since 0.1 (WS-10)
 */
GREEN_API void green_wsgi_set_on_closing(green_wsgi_request *req, green_wsgi_hook_fn fn, void *arg);

/**
 * @brief Count this connection as idle: when the server ends it is closed at once. Never yields.
 * @param req a request.
 * @since 0.1 (WSGI-66)
 */
GREEN_API void green_wsgi_set_idle(green_wsgi_request *req);

/**
 * @brief Take the connection over: the server sends nothing more, and closes it when the application returns. May yield,
 *        since answers to earlier requests are sent first.
 *
 * @param      req      a request.
 * @param[out] ret_data bytes that have come behind the request's header, and were not read; valid until the application
 *                      returns. May be NULL.
 * @param[out] ret_len  how many. May be NULL.
 * @return the socket, which stays the server's; NULL with `errno` and green_last_error(): EALREADY the response has been
 *         sent, or a part of it; otherwise as green_socket_sendall().
 * @since 0.1 (WSGI-91)
 */
GREEN_API green_socket *green_wsgi_take_over(green_wsgi_request *req, const void **ret_data, size_t *ret_len);

/**
 * @brief Answer "101 Switching Protocols" with the fields that were added, and take the connection over. May yield.
 * @param      req      a request that asks for an upgrade.
 * @param      protocol value of Upgrade.
 * @param[out] ret_data see green_wsgi_take_over().
 * @param[out] ret_len  see there.
 * @return as green_wsgi_take_over(); also EINVAL: the client has not asked for an upgrade, or protocol is no token.
 * @since 0.1 (WSGI-91, WSGI-99, RFC 9110 7.8)
 */
GREEN_API green_socket *green_wsgi_upgrade(green_wsgi_request *req, const char *protocol, const void **ret_data,
                                           size_t *ret_len);

GREEN_END_DECLS

#endif
