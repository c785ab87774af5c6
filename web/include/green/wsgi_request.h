/**
 * @file
 * @brief What an application asks of a request: <green/wsgi.h>.
 *
 * All texts live until the application returns, and are not to be changed. Those that are decoded or put together lie in
 * the request's own memory (green_wsgi_alloc()).
 */
#ifndef GREEN_WSGI_REQUEST_H
#define GREEN_WSGI_REQUEST_H

#include <green/stream.h>
#include <green/wsgi.h>

GREEN_BEGIN_DECLS

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
 * @brief All header fields, in order, those with '_' in their name too. Never yields.
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
 * @since 0.1 (WSGI-30)
 */
GREEN_API int64_t green_wsgi_content_length(const green_wsgi_request *req);

/**
 * @brief Who is asked for: the host of an absolute target, else of Host. Never yields.
 * @param      req      a request.
 * @param[out] ret_port the port that was named, or -1; may be NULL.
 * @return the name or address, an IPv6 address in brackets; "" where HTTP/1.0 says none.
 * @since 0.1 (RFC 9112 3.3)
 */
GREEN_API const char *green_wsgi_host(green_wsgi_request *req, int *ret_port);

/**
 * @brief How the client has come: "https" over TLS, or where a trusted proxy says so, in X-Forwarded-Proto or in its header
 *        of green_wsgi_server_opts::proxy_protocol. Never yields.
 * @param req a request.
 * @return "http" or "https".
 * @since 0.1 (WSGI-16, WSGI-65)
 */
GREEN_API const char *green_wsgi_scheme(green_wsgi_request *req);

/**
 * @brief The peer's address: of the client, or of the proxy before this server. Never yields. With
 *        green_wsgi_server_opts::proxy_protocol it is the one that the proxy's header says, unless that speaks for the proxy
 *        itself; green_socket_getpeername() of green_wsgi_get_socket() is the proxy's then.
 * @param      req      a request.
 * @param[out] ret_addr the address; set on success only.
 * @retval 0 done.
 * @return otherwise as green_socket_getpeername().
 * @since 0.1 (WSGI-61)
 */
GREEN_API int green_wsgi_peer(green_wsgi_request *req, struct green_addr *ret_addr);

/**
 * @brief The client's address as text: the peer's, as green_wsgi_peer() has it, or where that is one of trusted_proxies, the
 *        last address in X-Forwarded-For that is not one of them. Never yields.
 * @param req a request.
 * @return without a port; "unix" for a Unix socket; "" where there is no memory.
 * @since 0.1 (WSGI-96)
 */
GREEN_API const char *green_wsgi_client(green_wsgi_request *req);

/**
 * @brief The connection's socket, which stays the server's. Never yields.
 *
 * To ask (green_tls_*, green_socket_getsockname()) and to set (green_socket_set_timeout()). Whoever wants to speak
 * through it calls green_wsgi_upgrade() or green_wsgi_take_over().
 *
 * @param req a request.
 * @return the socket.
 * @since 0.1 (WSGI-54)
 */
GREEN_API green_socket *green_wsgi_get_socket(green_wsgi_request *req);

/**
 * @brief A variable of the environ, by its name in CGI and WSGI. Never yields.
 *
 * REQUEST_METHOD, SCRIPT_NAME ("", or where a router has mounted the application), PATH_INFO (what is left below that),
 * RAW_PATH_INFO (all of it, as sent), QUERY_STRING, CONTENT_TYPE ("text/plain" unless sent),
 * CONTENT_LENGTH, SERVER_PROTOCOL, SERVER_NAME, SERVER_PORT, REMOTE_ADDR, REMOTE_PORT, GATEWAY_INTERFACE, HTTPS ("on"),
 * HTTP_* for header fields (upper case, '-' as '_', those of one name joined by ','; none whose name has '_'),
 * wsgi.version ("1.0"), wsgi.url_scheme, wsgi.multithread ("true"), wsgi.multiprocess, wsgi.run_once ("false"); what
 * green_wsgi_environ_set() has set; and those of green_wsgi_server_opts::environ.
 *
 * @param req  a request.
 * @param name case matters.
 * @return NULL if there is none, or with `errno` ENOMEM no memory for it.
 * @since 0.1 (WSGI-61 to WSGI-66)
 */
GREEN_API const char *green_wsgi_environ(green_wsgi_request *req, const char *name);

/**
 * @brief All variables of the environ, each once. Never yields.
 * @param      req      a request.
 * @param      index    from 0 on.
 * @param[out] ret_pair name and value; set on true only.
 * @return true if there is one of that index; false at the end, and with `errno` ENOMEM where there is no memory.
 * @since 0.1 (WSGI-61 to WSGI-66)
 */
GREEN_API bool green_wsgi_environ_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair);

/**
 * @brief Set a variable of the environ, for whom the request is passed on to. Never yields.
 *
 * Any name may be taken: the server itself does not look there.
 *
 * @param req   a request.
 * @param name  not empty; copied.
 * @param value copied; NULL takes the variable away.
 * @retval 0       set.
 * @retval -EINVAL no name.
 * @retval -ENOMEM memory ran out.
 * @since 0.1 (WSGI-67)
 */
GREEN_API int green_wsgi_environ_set(green_wsgi_request *req, const char *name, const char *value);

/**
 * @brief Memory that lives as long as the request. Never yields.
 * @param req  a request.
 * @param size bytes, not 0.
 * @return aligned for anything, not cleared; NULL with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API void *green_wsgi_alloc(green_wsgi_request *req, size_t size);

/**
 * @name Parameters and cookies
 * Of `application/x-www-form-urlencoded` text: '+' is a space. What is not encoded properly is taken as it is. A value
 * that holds %00 ends there for who reads it as text.
 * @{
 */

/**
 * @brief A parameter of the query. Never yields.
 * @param req  a request.
 * @param name as decoded.
 * @return the first value of that name, decoded; "" for one without '='; NULL if there is none, or with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API const char *green_wsgi_query_value(green_wsgi_request *req, const char *name);

/**
 * @brief All parameters of the query, decoded, in order. Never yields.
 * @param      req      a request.
 * @param      index    from 0 on.
 * @param[out] ret_pair name and value; set on true only.
 * @return true if there is one of that index; false at the end, and with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API bool green_wsgi_query_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair);

/**
 * @brief Read a body of `application/x-www-form-urlencoded`, for green_wsgi_form_value(). May yield.
 * @param req   a request.
 * @param limit bytes that it may have.
 * @retval 0        read; also when called once more.
 * @retval -EINVAL  another Content-Type: nothing was read.
 * @retval -EMSGSIZE larger than limit.
 * @retval -ENOMEM  memory ran out.
 * @return otherwise as green_wsgi_read(). Once it has begun to read and failed, it fails so again.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_wsgi_form_read(green_wsgi_request *req, size_t limit);

/**
 * @brief A parameter of the form that green_wsgi_form_read() has read. Never yields.
 * @param req  a request.
 * @param name as decoded.
 * @return as green_wsgi_query_value().
 * @since 0.1
 */
GREEN_API const char *green_wsgi_form_value(green_wsgi_request *req, const char *name);

/**
 * @brief All parameters of the form, decoded, in order. Never yields.
 * @param      req      a request.
 * @param      index    from 0 on.
 * @param[out] ret_pair name and value; set on true only.
 * @return as green_wsgi_query_at().
 * @since 0.1
 */
GREEN_API bool green_wsgi_form_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair);

/**
 * @brief A cookie of the client's. Never yields.
 * @param req  a request.
 * @param name case matters.
 * @return the first value of that name, as sent, without quotes around it; NULL if there is none, or with `errno` ENOMEM.
 * @since 0.1 (RFC 6265 5.4)
 */
GREEN_API const char *green_wsgi_cookie(green_wsgi_request *req, const char *name);

/**
 * @brief All cookies of the client's, in order. Never yields.
 * @param      req      a request.
 * @param      index    from 0 on.
 * @param[out] ret_pair name and value; set on true only.
 * @return as green_wsgi_query_at().
 * @since 0.1 (RFC 6265 5.4)
 */
GREEN_API bool green_wsgi_cookie_at(green_wsgi_request *req, size_t index, struct green_wsgi_pair *ret_pair);
/** @} */

/**
 * @name The body
 * @{
 */

/**
 * @brief Read from the body. May yield. "100 Continue" is sent first if the client waits for it.
 *
 * What is not read is discarded after the response, up to 64 KiB; where there is more, the connection is closed.
 *
 * @param req a request.
 * @param buf where to.
 * @param len bytes there.
 * @return bytes read, at least 1 unless len is 0; 0 at the end of the body. -EPROTO: a malformed chunk, or
 *         -ECONNRESET: the connection ended before the body did; -EMSGSIZE: it is larger than max_body; -ETIMEDOUT:
 *         slower than min_body_rate; otherwise as green_socket_recv(). After a failure the connection will be closed.
 * @since 0.1 (WSGI-45 to WSGI-58)
 */
GREEN_API GREEN_MUST_USE ssize_t green_wsgi_read(green_wsgi_request *req, void *buf, size_t len);

/**
 * @brief Read all that is left of the body. May yield.
 * @param      req      a request.
 * @param      limit    bytes that it may have.
 * @param[out] ret_data the bytes, a NUL behind them; they live as long as the request.
 * @param[out] ret_len  how many, the NUL not counted; may be NULL.
 * @retval 0         read.
 * @retval -EMSGSIZE there is more than limit; what was read is gone.
 * @retval -ENOMEM   memory ran out.
 * @return otherwise as green_wsgi_read().
 * @since 0.1 (WSGI-45, WSGI-46)
 */
GREEN_API GREEN_MUST_USE int green_wsgi_read_all(green_wsgi_request *req, size_t limit, char **ret_data,
                                                 size_t *ret_len);

/**
 * @brief Read a line of the body, its newline too. May yield.
 * @param      req      a request.
 * @param      limit    bytes that are wanted at most: a longer line comes in pieces. 0: 65,536.
 * @param[out] ret_line the line, a NUL behind it, until the next reading call; set where it returns more than 0.
 * @return its bytes; 0 at the end of the body; -ENOMEM: memory ran out, and the line is gone; otherwise as
 *         green_wsgi_read().
 * @since 0.1 (WSGI-47)
 */
GREEN_API GREEN_MUST_USE ssize_t green_wsgi_readline(green_wsgi_request *req, size_t limit, const char **ret_line);

/**
 * @brief Read lines of the body, all that are left. May yield.
 * @param      req       a request.
 * @param      hint      stop after the line with which there are so many bytes; 0: all.
 * @param[out] ret_lines the lines, each with its newline and a NUL behind; a NULL at the end. They live as long as the
 *                       request.
 * @param[out] ret_count how many; may be NULL.
 * @retval 0       read; 0 lines at the end of the body.
 * @retval -ENOMEM memory ran out; what was read is gone.
 * @return otherwise as green_wsgi_read().
 * @since 0.1 (WSGI-47)
 */
GREEN_API GREEN_MUST_USE int green_wsgi_readlines(green_wsgi_request *req, size_t hint, char ***ret_lines,
                                                  size_t *ret_count);

/**
 * @brief The body as a stream, with all that green_stream_* can. Never yields.
 *
 * Reading calls here go through it from then on, so that they may be mixed.
 *
 * @param req a request.
 * @return the stream, the request's: do not free it. NULL with `errno` ENOMEM.
 * @since 0.1 (WSGI-45)
 */
GREEN_API green_stream *green_wsgi_input(green_wsgi_request *req);

/**
 * @brief Header fields for the next "100 Continue". Never yields.
 * @param req    a request.
 * @param fields name and value each, ended by a name of NULL; copied. NULL: none.
 * @retval 0       set.
 * @retval -EINVAL a character that is not allowed, or a field of the server's.
 * @retval -ENOMEM memory ran out.
 * @since 0.1 (WSGI-56)
 */
GREEN_API int green_wsgi_set_hundred_continue_response_headers(green_wsgi_request *req,
                                                               const struct green_wsgi_pair *fields);

/**
 * @brief Send "100 Continue" now, whether the client waits for it or not. May yield. Any number of times.
 * @param req a request.
 * @retval 0         sent.
 * @retval -EALREADY the response has been sent, or a part of it.
 * @retval -EPROTO   the client speaks HTTP/1.0, which has no such thing.
 * @return otherwise as green_socket_sendall().
 * @since 0.1 (WSGI-56, WSGI-57)
 */
GREEN_API int green_wsgi_send_hundred_continue_response(green_wsgi_request *req);
/** @} */

GREEN_END_DECLS

#endif
