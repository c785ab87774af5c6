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
 * doc/http-policy.md has all that is refused, and with which status.
 *
 * What an application asks of a request is in <green/wsgi_request.h>, what it answers in <green/wsgi_response.h>; this
 * header brings both.
 */
#ifndef GREEN_WSGI_H
#define GREEN_WSGI_H

#include <stdlib.h>

#include <green/base.h>
#include <green/convenience.h>
#include <green/greenpool.h>
#include <green/http.h>
#include <green/socket.h>

/* A macro of Windows' C library; _environ is there all the same. */
#ifdef environ
#undef environ
#endif

GREEN_BEGIN_DECLS

/** A request and its response. Opaque; it lives until the application returns. */
typedef struct green_wsgi_request green_wsgi_request;

/**
 * The application. What it gives to green_defer() runs, and values of locals are destroyed, when it has returned; it must
 * not call green_clean_up() itself. Its green thread may run other requests after that.
 *
 * @param req the request, valid until this returns.
 * @param arg as given to green_wsgi_server().
 * @return 0, or a negative code: 500 is answered if nothing was yet, otherwise the connection is closed; it is logged.
 */
typedef int (*green_wsgi_app)(green_wsgi_request *req, void *arg);

/** green_wsgi_server_opts::keepalive: close the connection after each response. */
#define GREEN_WSGI_NO_KEEPALIVE (-1.0)

/** What a connection is doing (WSGI-06). */
enum green_wsgi_state {
        GREEN_WSGI_STATE_IDLE,    /**< between two requests, or before the first: no green thread, no buffer */
        GREEN_WSGI_STATE_REQUEST, /**< from the first byte of a request to the end of its response */
        GREEN_WSGI_STATE_CLOSE    /**< it ends with the response that is under way */
};

/** A name and a value: a header field, a variable of the environ, a parameter. */
struct green_wsgi_pair {
        const char *name;  /**< ended by NUL */
        const char *value; /**< ended by NUL */
};

/**
 * What a server is doing. Kept up to date while it runs, at green_wsgi_server_opts::stats. Each number is written as a whole,
 * so other OS threads and processes may read it; they see one a little older than another.
 */
struct green_wsgi_stats {
        size_t connections; /**< open now */
        size_t idle;        /**< of them, between requests */
        size_t running;     /**< requests inside the application now */
        size_t waiting;     /**< requests that wait for their turn, because max_size are running */
        uint64_t accepted;  /**< connections so far */
        uint64_t requests;  /**< requests answered so far, those that were refused counted */
        uint64_t refused;   /**< of them, those that never came to the application: 400, 408, 413, 414, 431, ... */
        uint64_t failed;    /**< of them, those whose application failed */
        uint64_t bytes_in;  /**< received, as HTTP has it: without TLS's own */
        uint64_t bytes_out; /**< sent, likewise */
        uint64_t unproxied; /**< connections closed because they lacked the header of proxy_protocol, or came from somebody
                                 who may send none */
};

/** Takes lines for the access log: whole ones, each ended by newline, one or more. It must not call what may yield. */
typedef void (*green_wsgi_log_fn)(void *arg, const char *text, size_t len);

/** green_wsgi_server_opts::log_format unless it is given (WSGI-94). */
#define GREEN_WSGI_LOG_FORMAT                                                                                          \
        "%(client_ip)s - - [%(date_time)s] \"%(request_line)s\" %(status_code)s %(body_length)s %(wall_seconds).6f"

/** The same with the number of the worker first: where several processes or OS threads serve, unless it is given. */
#define GREEN_WSGI_LOG_WORKER "worker %(worker)s: " GREEN_WSGI_LOG_FORMAT

/** green_wsgi_server_opts::log_format: the Common Log Format, which every program for logs reads. */
#define GREEN_WSGI_LOG_COMMON                                                                                          \
        "%(client)s - - [%(time_local)s] \"%(request_line)s\" %(status_code)s %(body_length)s"

/** green_wsgi_server_opts::log_format: the Combined Log Format, as nginx and Apache write it. */
#define GREEN_WSGI_LOG_COMBINED GREEN_WSGI_LOG_COMMON " \"%(referer)s\" \"%(user_agent)s\""

/** green_wsgi_server_opts::log_format: an object of JSON a line. */
#define GREEN_WSGI_LOG_JSON                                                                                            \
        "{\"time\":%(time_iso8601)j,\"client\":%(client)j,\"request\":%(request_line)j,\"status\":%(status_code)j,"       \
        "\"bytes\":%(body_length)j,\"seconds\":%(wall_seconds)j,\"scheme\":%(scheme)j,\"host\":%(host)j,"                  \
        "\"referer\":%(referer)j,\"user_agent\":%(user_agent)j,\"tls\":%(tls_version)j,\"pid\":%(pid)j}"

/** What green_wsgi_server() can change. Set it to zero, then @ref size, then what you need. */
struct green_wsgi_server_opts {
        size_t size; /**< sizeof(struct green_wsgi_server_opts) */

        /* How many. */
        size_t max_size; /**< requests that run at the same time; others wait their turn, and nothing is accepted
                              meanwhile. 0: 1,024 (WSGI-04) */
        green_greenpool *custom_pool; /**< run requests in this pool; max_size is then ignored. The server ends when its
                                           own requests have, whatever else runs there. NULL: none (WSGI-03) */
        size_t max_connections; /**< open connections; at the limit the one that is idle for longest is closed for a new
                                     one, and nothing is accepted where none is idle. 0: no limit */

        /* Time, in seconds. */
        double keepalive; /**< a connection may be without a request. 0: no limit; #GREEN_WSGI_NO_KEEPALIVE (WSGI-39) */
        double socket_timeout;   /**< a single read or write may wait. 0: no limit (WSGI-40) */
        double header_timeout;   /**< from the first byte of a request to the end of its header, then 408. 0: 60 */
        double min_body_rate;    /**< bytes a second: a body that comes slower, from its 10th second on, ends with 408. 0:
                                      no limit */
        double shutdown_timeout; /**< running requests get when the server ends, then they are killed. 0: 30;
                                      #GREEN_FOREVER waits for them (WSGI-09) */
        double drain_idle; /**< at the end, connections without a request are kept for so long: a request that comes is
                                answered with "Connection: close", so that none is lost which was on its way. At most
                                shutdown_timeout. 0: they are closed at once */

        /* How large. */
        uint32_t url_length_limit; /**< bytes of the request line, CR LF counted, from which on it is 414. 0: 8,192 */
        uint32_t max_field_size;   /**< bytes of a header line, from which on it is 431. 0: 8,192 (WSGI-22) */
        uint32_t max_header_size;  /**< bytes of all header lines, above which it is 431. 0: 65,536 (WSGI-22) */
        uint32_t max_fields;       /**< header lines, above which it is 431. 0: 99, which is the most (WSGI-23) */
        uint64_t max_body;         /**< bytes of a request's body, above which it is 413. 0: no limit */

        /* What is said. */
        int max_http_version; /**< 10: speak HTTP/1.0, and close after each response. 0: 11 (WSGI-68) */
        size_t minimum_chunk_size; /**< bytes that green_wsgi_collect() collects; 1: none. 0: 4,096 (WSGI-75) */
        bool no_capitalize_response_headers; /**< send names of header fields as the application wrote them (WSGI-69) */
        bool debug; /**< tell the client what the application failed with; for development only (WSGI-83) */
        const struct green_wsgi_pair *environ; /**< more variables for green_wsgi_environ(), ended by a name of NULL;
                                                    copied. They do not hide those of a request (WSGI-65) */
        bool strict_target; /**< refuse what RFC 3986 does not have in a target, though browsers send it */

        /* The access log. */
        green_wsgi_log_fn log;    /**< takes its lines: green_access_log_write(), green_wsgi_log_to_fd(), or your own. NULL:
                                       the log hook, as #GREEN_LOG_INFO, if there is one when the server begins (WSGI-93) */
        void *log_arg;            /**< its first argument */
        const char *log_format;   /**< #GREEN_WSGI_LOG_COMBINED, ..., or your own; NULL: #GREEN_WSGI_LOG_FORMAT, or
                                       #GREEN_WSGI_LOG_WORKER in a worker. See green_wsgi_server() (WSGI-94) */
        bool no_log_output;       /**< log nothing of requests, beginning and end (WSGI-93) */
        bool no_log_x_forwarded_for; /**< client_ip is the peer's address alone (WSGI-96) */
        const char *const *trusted_proxies; /**< addresses and networks ("10.0.0.0/8", "::1", "unix") whose
                                                 X-Forwarded-For and X-Forwarded-Proto are believed, ended by NULL;
                                                 copied. NULL: nobody's. No network of IPv6 holds an IPv4 address, not
                                                 even "::/0". See green_wsgi_client() */

        bool proxy_protocol; /**< each connection begins with a header of the PROXY protocol (<green/proxy.h>), also one of
                                  TLS: who connects and is none of trusted_proxies, or sends no right header within
                                  header_timeout of its first byte, is closed, of which the log hook is told, once a
                                  minute as a warning. What it says of the client is the peer's address from then on: see
                                  green_wsgi_peer(). It needs trusted_proxies */

        /* Compression of responses, as gzip, for clients that take it. */
        bool compress; /**< responses of HTTP/1.1 whose type is worth it, but 206, those that have a Content-Encoding, or
                            Cache-Control: no-transform. A strong ETag becomes a weak one, Vary is added, and
                            green_wsgi_write() sends at once all the same. Where a page holds a secret and what the client
                            has sent, compression can tell the secret (BREACH). It takes some 256 KiB for each response
                            that is under way, 64 at most: others are sent as they are */
        int compress_level;      /**< 1 fast to 9 small. 0: 1 */
        size_t compress_minimum; /**< bytes of a body of known length, below which it is not compressed. 0: 1,024 */
        const char *const *compress_types; /**< the media types, "text/html", or all of a kind by a star behind the slash;
                                                ended by NULL; borrowed while the server runs. NULL: text and its kin:
                                                JSON, XML, SVG, JavaScript, WebAssembly, ... */

        struct green_wsgi_stats *stats; /**< kept up to date here; NULL: nowhere */

        size_t workers; /**< OS threads that serve: the caller's, and others with hubs of their own. The application, log
                             and what they use are called in all of them at once; each has the limits above for itself,
                             and stats has the sums, ten times a second. They end as one. On a listener with TLS each makes
                             the handshakes of those it accepts, by the one context: sessions are taken up again whoever
                             accepts, and green_tls_context_reload() is for all. Not with custom_pool (-EINVAL). 0: 1. For
                             processes see <green/workers.h> */
};

/**
 * @brief Serve HTTP on a listening socket. Yields. It returns only when the serving ends.
 *
 * It ends when the calling green thread is killed, a timeout around it fires, or the listener is closed or fails. Then
 * connections without a request are closed, at once or after drain_idle, running requests are finished and answered with "Connection: close",
 * up to shutdown_timeout; what still runs then is killed. The listener is closed; its handle stays the caller's, and a
 * green_socket_dup() of it stays open (WSGI-05). To stop a server, close its listener.
 *
 * On a listener with TLS (green_wrap_ssl()) each connection makes its handshake in its own green thread; a client that
 * fails there is told to the log hook, and hurts nobody (WSGI-16).
 *
 * log_format is text with fields: `%(name)s`, or `%(wall_seconds).6f` with so many decimals; `%%` is a percent sign. The
 * names: client_ip, client_port, date_time (local time, "27/Nov/2026 10:45:18"), request_line, status_code, body_length
 * (bytes of the response's body), wall_seconds; and method, path, protocol, bytes_sent (all of the response), referer,
 * user_agent, host, pid, client (green_wsgi_client()), scheme, tls_version, time_local ("27/Nov/2026:10:45:18 +0000"),
 * time_iso8601 ("2026-11-27T10:45:18+00:00"), worker (0 and up: green_worker::index in a process of green_workers_run(),
 * otherwise the number of the OS thread of workers). What is not known is "-". What a client has sent is written in printable ASCII
 * without quotes and backslashes: other bytes are \\xHH. `%(name)j` is the field as a value of JSON, with its quotes: a
 * number, a string, or null for what is not known; a byte that is not printable ASCII is \\u00HH. Where there is such a field
 * the server's beginning and end are told to the log hook, so that all lines are of one kind. A line is 8,192 bytes at most, or 1,000 for the log hook: fields of what a client has
 * sent share what the others leave, and "..." stands for what does not fit its share; of client_ip that is the beginning.
 *
 * @param listener of green_listen(); stays the caller's.
 * @param app      called once a request.
 * @param arg      passed to app.
 * @param opts     NULL for defaults.
 * @retval -EINVAL        an argument is missing, opts has an unknown size, or something in it is wrong: the message says
 *                        what, and the listener stays open.
 * @retval -ENOTSUP       compress is set, and this library was built without zlib.
 * @retval -ENOMEM        memory ran out at the start.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @return otherwise what accept failed with: -ECANCELED or -EBADF for a closed listener.
 * @since 0.1 (WSGI-01 to WSGI-44, WSGI-93 to WSGI-99)
 */
GREEN_API int green_wsgi_server(green_socket *listener, green_wsgi_app app, void *arg,
                                const struct green_wsgi_server_opts *opts);

/**
 * @brief For green_wsgi_server_opts::log: write to a descriptor, at once. Never yields, but the whole OS thread waits
 *        while the descriptor takes no more. Errors are passed over, and nothing raises SIGPIPE; keeps `errno`.
 * @param fd   the descriptor, as `(void *)(intptr_t)fd`.
 * @param text as for #green_wsgi_log_fn.
 * @param len  likewise.
 * @since 0.1 (WSGI-93)
 */
GREEN_API void green_wsgi_log_to_fd(void *fd, const char *text, size_t len);

GREEN_END_DECLS

#include <green/wsgi_request.h>
#include <green/wsgi_response.h>

#endif
