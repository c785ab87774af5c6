/**
 * @file
 * @brief The HTTP/1.1 client.
 *
 *     green_http_client *client = green_http_client_new(NULL);
 *     green_http_response *res;
 *     char *page;
 *     size_t len;
 *     int rc = green_http_get(client, "https://127.0.0.1:8443/", NULL, &res);
 *
 *     if (rc == 0) {
 *             if (green_http_response_status(res) == 200)
 *                     rc = green_http_read_all(res, 1 << 20, &page, &len);
 *             green_http_response_free(res);
 *     }
 *
 * A client keeps connections and uses them again; many green threads may use one at the same time, so a program has one
 * for everything. Responses are held to RFC 9112 as strictly as the server holds requests: what is malformed or ambiguous
 * is GREEN_EHTTP, and the connection is closed.
 *
 * A request that fails before a byte of its response has come, on a connection that was used before, is sent once more on
 * a new one if its method is idempotent and its body can be sent again: the server may have closed it just then. So it is
 * where the answer is 408 with "Connection: close", which a server says to a connection without a request.
 *
 * The child of a fork cannot use the parent's client, whose connections they would share: calls are -EPERM. It may free it.
 */
#ifndef GREEN_HTTP_CLIENT_H
#define GREEN_HTTP_CLIENT_H

#include <green/http.h>
#include <green/stream.h>
#include <green/tls.h>
#include <green/wsgi.h>

GREEN_BEGIN_DECLS

/** Connections, cookies and what requests have in common. Opaque; it belongs to the OS thread that made it. */
typedef struct green_http_client green_http_client;

/** A request that was sent and its response, whose body is read as it comes. Opaque. */
typedef struct green_http_response green_http_response;

/** What a request can say. Set it to zero, then @ref size, then what you need. All is borrowed during the call. */
struct green_http_request {
        size_t size;        /**< sizeof(struct green_http_request) */
        const char *method; /**< a token. NULL: "GET", or "POST" with a body */
        const struct green_wsgi_pair *fields; /**< header fields, ended by a name of NULL. Host, Content-Length,
                                                   Transfer-Encoding, Connection, Keep-Alive, Proxy-Connection, TE, Trailer,
                                                   Upgrade and Expect are the client's. Authorization gives way to what the
                                                   URL says. NULL: none */
        const void *body; /**< bytes; NULL with a body_len that is not 0 is an error */
        size_t body_len;  /**< how many */
        const char *content_type; /**< of the body, in place of a field Content-Type. NULL: none is said */
        /**
         * Gives a body in pieces, instead of body: called until it returns 0; it may yield. A negative code ends the
         * request with it. Where the length is not known it is sent in chunks. NULL: none.
         */
        ssize_t (*read_body)(void *arg, void *buf, size_t len);
        void *read_body_arg;         /**< its first argument */
        bool (*rewind_body)(void *arg); /**< begins it anew, for a redirect or a second try; NULL: it cannot */
        int64_t read_body_len;       /**< bytes that it gives: fewer are -EINVAL, of more only so many are asked for.
                                          Negative: not known */
        double timeout;              /**< seconds to the end of the response's body. 0: the client's */
        int max_redirects;           /**< 0: the client's; negative: none */
        bool no_decompress;          /**< the body as it was sent */
        bool expect_continue;        /**< wait up to a second for "100 Continue" before the body is sent, if there is any */
};

/** What green_http_client_new() can change. Set it to zero, then @ref size, then what you need. */
struct green_http_client_opts {
        size_t size;                /**< sizeof(struct green_http_client_opts) */
        size_t max_per_host;        /**< connections to one host, port and scheme; who comes then waits. All that is asked of a
                                         proxy by http counts as one host. 0: 16 */
        size_t max_connections;     /**< of all; at the limit the one that is idle for longest is closed. 0: 256 */
        double idle_timeout;        /**< seconds that a connection is kept without a request. 0: 60; negative: none is */
        double connect_timeout;     /**< for name, connection and TLS together. A handshake has the handshake_timeout of tls as
                                         well, 10 seconds unless that says otherwise. 0: 30 */
        double send_timeout;        /**< that the connection may take nothing of a request which is being sent; what
                                         read_body takes to give it does not count. 0: 60 */
        double header_timeout;      /**< from the request's last byte to the end of the response's header. 0: 60 */
        double read_timeout;        /**< that the connection may bring nothing of a response's body while it is read; under TLS
                                         no whole record. 0: 300 */
        double timeout;             /**< for all of a request, its redirects and its body. 0: no limit */
        /**
         * Bytes of a response's header, from its status line to its empty line; of each of 1xx likewise. A trailer may have
         * as many, but never more than 8,191. Beside that there are at most 256 fields, 64 in a trailer, 16 responses of
         * 1xx, and 16,384 bytes of chunk extensions in a body. 0: 65,536
         */
        size_t max_header;
        uint64_t max_decompressed;  /**< bytes that a compressed body may grow to. 0: 1 GiB */
        int max_redirects;          /**< 0: 10; negative: redirects are given to the caller */
        green_tls_context *tls;     /**< for https; shared. NULL: the system's certificates, host names checked */
        bool no_tls_sessions;       /**< make each handshake in full. Otherwise a connection takes up the TLS session of an
                                         earlier one to the same host and port, if its certificate was seen less than two
                                         hours ago, by this client; nobody looks at it again then, nor does a verify_fn */
        const char *proxy;          /**< "http://user:password@host:port", for all but no_proxy; NULL: none. The
                                         environment is not looked at */
        const char *const *no_proxy; /**< hosts, ".domain" for those under it, ended by NULL. NULL: none */
        const char *user_agent;     /**< NULL: "green-net/VERSION"; "": none */
        const struct green_wsgi_pair *fields; /**< of every request that does not say its own; copied. NULL: none */
        bool cookies;               /**< keep cookies, and send them where RFC 6265 says. There is no list of public
                                         suffixes: only a domain of one label is refused */
};

/**
 * @brief Make a client. Never yields.
 * @param opts NULL for defaults; all is copied, but for tls, which is kept by reference.
 * @return for green_http_client_free(); NULL with `errno` ENOMEM, or EINVAL and what in green_last_error().
 * @since 0.1
 */
GREEN_API green_http_client *green_http_client_new(const struct green_http_client_opts *opts);

/**
 * @brief End it: idle connections are closed; those of responses that are not freed yet, with these. Who waits for a
 *        connection gets -ECANCELED. Yields only where TLS says goodbye, as green_socket_close().
 * @param client a client or NULL.
 * @since 0.1
 */
GREEN_API void green_http_client_free(green_http_client *client);

/**
 * @brief Send a request and wait for the header of its response, through redirects. May yield.
 *
 * Redirects: 303 makes a GET of all but HEAD, 301 and 302 of POST; then the body is lost. Otherwise method and body are
 * kept, and where the body cannot be sent again the response is the caller's. Authorization, Proxy-Authorization, Cookie
 * and what the URL says of user and password go to the same scheme, host and port only; from https to http none is
 * followed. Once a redirect has led to another origin none of them is told any more; what a Location says of user and
 * password never is.
 *
 * A server that has answered before it has taken all of a request is heard, and its connection not used again.
 *
 * With cookies a field Cookie of the request takes their place. Accept-Encoding is sent where green-net was built with
 * zlib, unless the request says its own or a Range.
 *
 * @param      client  a client.
 * @param      url     "http://..." or "https://...", with user:password@ for Basic authentication; what stands behind '#'
 *                     is not sent.
 * @param      request NULL: a plain GET.
 * @param[out] ret_response for green_http_response_free(), on success only.
 * @retval 0               there is a header, whatever its status.
 * @retval -EINVAL         a malformed URL, field or option.
 * @retval GREEN_EHTTP     the response is malformed, too large, or goes in a circle, or the proxy makes no tunnel;
 *                         green_last_error() says what.
 * @retval -ETIMEDOUT      one of the time limits.
 * @retval -ECONNRESET     the connection ended before the header did.
 * @retval -EPERM          another OS thread's client, or one that was made before a fork.
 * @retval -ECANCELED      the client was freed meanwhile.
 * @return otherwise as green_connect(), green_dns_resolve() and the calls of TLS, or what read_body has returned.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_http_fetch(green_http_client *client, const char *url,
                                              const struct green_http_request *request,
                                              green_http_response **ret_response);

/**
 * @brief green_http_fetch() without a body. May yield.
 * @param      client       a client.
 * @param      url          as there.
 * @param      fields       header fields, ended by a name of NULL; NULL: none.
 * @param[out] ret_response as there.
 * @return as there.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_http_get(green_http_client *client, const char *url,
                                            const struct green_wsgi_pair *fields, green_http_response **ret_response);

/** Bytes, and what they are: a body for green_http_post(). */
struct green_http_body {
        const void *data;         /**< the bytes */
        size_t len;               /**< how many */
        const char *content_type; /**< NULL: none is said */
};

/**
 * @brief green_http_fetch() by POST. May yield.
 * @param      client       a client.
 * @param      url          as there.
 * @param      body         what is sent.
 * @param[out] ret_response as there.
 * @return as there.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_http_post(green_http_client *client, const char *url,
                                             const struct green_http_body *body, green_http_response **ret_response);

/**
 * @name A response
 * @{
 */

/**
 * @brief End a response. Its connection is used again if the body was read to its end, or what is left of it is here
 *        already; otherwise it is closed, which yields only where TLS says goodbye, as green_socket_close().
 * @param res a response or NULL.
 * @since 0.1
 */
GREEN_API void green_http_response_free(green_http_response *res);

/**
 * @brief The status. Never yields.
 * @param res a response.
 * @return 200 to 599.
 * @since 0.1
 */
GREEN_API int green_http_response_status(const green_http_response *res);

/**
 * @brief A header field. Never yields.
 * @param res  a response.
 * @param name in any case.
 * @return the first value of that name, living as long as the response; NULL if there is none.
 * @since 0.1
 */
GREEN_API const char *green_http_response_header(const green_http_response *res, const char *name);

/**
 * @brief All header fields in order, and when the body has ended those of its trailer. Never yields.
 * @param      res      a response.
 * @param      index    from 0 on.
 * @param[out] ret_pair name and value; set on true only.
 * @return true if there is one of that index.
 * @since 0.1
 */
GREEN_API bool green_http_response_header_at(const green_http_response *res, size_t index,
                                             struct green_wsgi_pair *ret_pair);

/**
 * @brief Where the response came from, after redirects. Never yields.
 * @param res a response.
 * @return the URL, without user and password; living as long as the response.
 * @since 0.1
 */
GREEN_API const char *green_http_response_url(const green_http_response *res);

/**
 * @brief Bytes of the body that the header announces. Never yields.
 * @param res a response.
 * @return 0 without a body; -1: not known (chunks, to the end of the connection, or decompressed here).
 * @since 0.1
 */
GREEN_API int64_t green_http_response_length(const green_http_response *res);

/**
 * @brief Read from the body, decompressed if it was gzip or deflate. May yield.
 * @param res a response.
 * @param buf where to.
 * @param len bytes there.
 * @return bytes read, at least 1 unless len is 0; 0 at the end of the body. GREEN_EHTTP: a malformed chunk or compression;
 *         -ECONNRESET: the connection ended before the body did; -EMSGSIZE: it grew beyond max_decompressed; -ETIMEDOUT;
 *         otherwise as green_socket_recv(). It fails so again.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_http_read(green_http_response *res, void *buf, size_t len);

/**
 * @brief Read all that is left of the body. May yield.
 * @param      res      a response.
 * @param      limit    bytes that it may have.
 * @param[out] ret_data the bytes, a NUL behind them; they live as long as the response.
 * @param[out] ret_len  how many, the NUL not counted; may be NULL.
 * @retval 0         read.
 * @retval -EMSGSIZE there is more.
 * @retval -ENOMEM   memory ran out.
 * @return otherwise as green_http_read(). What it has read when it fails is gone, and it fails so again.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_http_read_all(green_http_response *res, size_t limit, char **ret_data,
                                                 size_t *ret_len);
/** @} */

GREEN_END_DECLS

#endif
