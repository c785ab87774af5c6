/**
 * @file
 * @brief WebSockets (RFC 6455), server and client, with permessage-deflate (RFC 7692).
 *
 * A server's WebSocket is an application of <green/wsgi.h>; its handler is called with the connection and talks as it
 * likes, in blocking calls. To close it, return.
 *
 *     static int
 *     echo(green_websocket *ws, void *arg)
 *     {
 *             struct green_websocket_message m;
 *             int rc;
 *
 *             while ((rc = green_websocket_wait(ws, &m)) == 1) {
 *                     rc = green_websocket_send(ws, m.type, m.data, m.len);
 *                     if (rc != 0)
 *                             break;
 *             }
 *             return rc;
 *     }
 *
 *     green_websocket_site *site = green_websocket_wsgi(echo, NULL, NULL);
 *     green_wsgi_server(green_listen("127.0.0.1:8080", NULL), green_websocket_app, site, NULL);
 *
 * A client's is made by green_websocket_connect(), and used and closed with the same calls.
 *
 * What comes is read whether or not somebody waits for it: pings are answered, and messages are kept until
 * green_websocket_wait() takes them, up to max_buffered (WS-17). One green thread may wait while others send; those who send
 * come one after the other, and messages never mix (WS-13). A peer that does not read holds up who sends.
 *
 * A connection that breaks the rules is closed with the code that RFC 6455 7.4 has for it, and the log says why; the handler
 * sees the end of it. Where it is not said otherwise, every function that may yield returns these too: -EINVAL (no
 * connection, or an argument is none), -EPERM (another OS thread's), and the codes of kills and timeouts.
 */
#ifndef GREEN_WEBSOCKET_H
#define GREEN_WEBSOCKET_H

#include <errno.h>

#include <green/base.h>
#include <green/socket.h>
#include <green/tls.h>
#include <green/wsgi.h>

#ifndef ESHUTDOWN
/** A connection that was ended for writing, as an errno value; Windows' C library has none. */
#define ESHUTDOWN 158
#endif

GREEN_BEGIN_DECLS

/** A connection. Opaque. It belongs to the OS thread that made it. */
typedef struct green_websocket green_websocket;

/** What a message is. */
enum green_websocket_type {
        GREEN_WEBSOCKET_TEXT = 1,  /**< UTF-8 */
        GREEN_WEBSOCKET_BINARY = 2 /**< bytes */
};

/** A message that has come. */
struct green_websocket_message {
        enum green_websocket_type type; /**< what it is */
        const char *data; /**< its bytes, a NUL behind them; until the next green_websocket_wait(), or the end of the handler */
        size_t len;       /**< how many, the NUL not counted; 0 is a message too */
};

/**
 * @name Options
 * @{
 */

/**
 * Decides whether pages of an origin may connect. Must not yield.
 * @param host   value of Host.
 * @param origin value of Origin; NULL where the client sent none, which browsers always do.
 * @param arg    as given.
 * @return false: 403.
 */
typedef bool (*green_websocket_origin_fn)(const char *host, const char *origin, void *arg);

/**
 * What a WebSocket can be told, at either end. Set it to zero, then @ref size, then what you need. It is copied, and so are
 * lists and texts.
 */
struct green_websocket_opts {
        size_t size; /**< sizeof(struct green_websocket_opts) */

        const char *const *protocols; /**< subprotocols, ended by NULL. Server: those it speaks; the first of the client's list
                                           that is among them is taken (WS-07). Client: those it offers, best first. NULL: none */
        green_websocket_origin_fn origin_checker; /**< server: NULL lets every origin in (WS-08) */
        void *origin_arg;                         /**< its last argument */
        bool support_legacy_versions; /**< server: speak Hixie-75 and Hixie-76 too, with clients of before 2011 (WS-42) */

        /* Limits. What is above is closed with 1009. */
        size_t max_frame_length;   /**< bytes of a frame's payload, inflated where it was compressed; below 2 GiB. 0: 8 MiB
                                        (WS-21, WS-40) */
        size_t max_message_length; /**< bytes of a message of however many frames. 0: as max_frame_length (WS-22) */
        size_t max_buffered; /**< bytes of messages that nobody has waited for yet, from which on nothing more is read, pings
                                  neither. 0: 64 KiB */
        size_t max_unsent;   /**< bytes that green_websocket_post() may leave unsent. 0: 1 MiB */

        /* Time, in seconds. */
        double ping_interval; /**< without a byte from the peer, after which it is sent a ping. 0: never */
        double ping_timeout;  /**< for the peer to say anything after that, or it counts as lost (1006). 0: 20 */
        double close_timeout; /**< for the peer's answer to a close, then the connection is cut. 0: 5 */

        /* permessage-deflate. Without zlib, or with a window that cannot be, there is none. */
        bool no_deflate;       /**< neither offer nor accept it */
        bool context_takeover; /**< do not ask for no_context_takeover: compresses better, and each connection keeps up to
                                    300 KiB for it */
        int server_max_window_bits; /**< 8 to 15: the server's window is not larger. 0: 15 */
        int client_max_window_bits; /**< 8 to 15: the client's window is not larger. 0: 15 */
        int deflate_level;          /**< 1 (fast) to 9 (small). 0: 6 */
        size_t deflate_minimum;     /**< bytes below which a message is sent as it is. 0: 1 (WS-38) */

        /* Of clients only. */
        const char *origin;                    /**< value of Origin; NULL: none is sent */
        const struct green_wsgi_pair *headers; /**< more header fields, ended by a name of NULL; NULL: none */
        const struct green_wrap_ssl_opts *ssl; /**< for wss: see green_wrap_ssl(); server_hostname is the URL's unless it is
                                                    given. NULL: as the system trusts. Used during the call */
        double connect_timeout; /**< to connect, in all, with TLS and handshake. 0: 30 */
};
/** @} */

/**
 * @name Servers
 * @{
 */

/** Handler, argument and options of a server's WebSockets. Opaque, reference-counted, shared by OS threads. */
typedef struct green_websocket_site green_websocket_site;

/** The handler returns this: call it again when green_websocket_wait() has something. */
#define GREEN_WEBSOCKET_REST 1

/**
 * Talks through a connection, in a green thread of its own kind. What it gives to green_defer() runs when it has returned.
 *
 * With #GREEN_WEBSOCKET_REST the connection goes on without a green thread, which costs less than 1 KiB; the handler is called
 * anew when a message has come, or the end: green_websocket_data() is there to remember things by.
 *
 * @param ws  the connection; it is the server's, and ends some time after this has returned anything but REST.
 * @param arg as given to green_websocket_wsgi().
 * @return 0: close with 1000 (WS-26); #GREEN_WEBSOCKET_REST; a negative code: close with 1011, and log it, unless it is
 *         -ECONNRESET, -EPIPE or -ESHUTDOWN, which mean that the peer has gone (WS-31, WS-32), or #GREEN_EKILLED.
 */
typedef int (*green_websocket_handler)(green_websocket *ws, void *arg);

/**
 * @brief Make WebSockets for an HTTP server. Never yields. thread-safe.
 * @param handler called for each connection.
 * @param arg     passed to it.
 * @param opts    NULL for defaults.
 * @return for green_websocket_app(), and green_websocket_site_unref() in the end. NULL with `errno` and green_last_error():
 *         EINVAL: the message says what; ENOMEM.
 * @since 0.1 (WS-01, WS-02)
 */
GREEN_API green_websocket_site *green_websocket_wsgi(green_websocket_handler handler, void *arg,
                                                     const struct green_websocket_opts *opts);

/**
 * @brief Keep a site. Never yields. thread-safe.
 * @param site a site.
 * @return @p site.
 * @since 0.1
 */
GREEN_API green_websocket_site *green_websocket_site_ref(green_websocket_site *site);

/**
 * @brief Give back a reference. Its connections keep what they need. Never yields. thread-safe.
 * @param site a site or NULL.
 * @since 0.1
 */
GREEN_API void green_websocket_site_unref(green_websocket_site *site);

/**
 * @brief The application: answers the handshake. May yield. Give it to green_wsgi_server(), or call it from your own
 *        application for some paths, with nothing answered yet, and return what it returns.
 *
 * The handler is called once the application has returned: of the request nothing is left then but what
 * green_websocket_environ() gives. The connection does not count in max_size any more; a custom pool holds it until
 * its handler is through, resting or not. The access log has it when it ends (status 101). When the server ends, the peer
 * is told 1001, and its handler sees the end (WS-10).
 *
 * A handshake that is none gets its status, and never reaches the handler: 400 (Connection, Upgrade, key, HTTP/1.0, or a body),
 * 405 (a method other than GET), 426 (a version other than 13 and 8), 403 (the origin checker).
 *
 * @param req  a request.
 * @param site what green_websocket_wsgi() made.
 * @retval 0 the connection is a WebSocket, or an error was answered.
 * @return otherwise a code, for the server.
 * @since 0.1 (WS-01 to WS-09)
 */
GREEN_API int green_websocket_app(green_wsgi_request *req, void *site);
/** @} */

/**
 * @name Clients
 * @{
 */

/**
 * @brief Connect. May yield.
 * @param url  "ws://host:port/path?query" or "wss://..."; userinfo and a fragment are refused.
 * @param opts NULL for defaults.
 * @return the connection, the caller's: green_websocket_free(). NULL with `errno` and green_last_error(): EINVAL (the URL, or
 *         opts), EPROTO (the server's answer: the message has its status, or what is wrong in it), ETIMEDOUT, ENOMEM;
 *         otherwise as green_connect() and green_wrap_ssl().
 * @since 0.1 (WS-33, WS-34, RFC 6455 4.1)
 */
GREEN_API green_websocket *green_websocket_connect(const char *url, const struct green_websocket_opts *opts);

/**
 * @brief Close, if it is not closed yet, and release. May yield as green_websocket_close().
 * @param ws a client's connection; NULL is fine.
 * @retval 0      released.
 * @retval -EBUSY somebody waits or sends: nothing was done.
 * @retval -EINVAL it is a server's: nothing was done.
 * @return otherwise as green_websocket_close(); it is released all the same.
 * @since 0.1
 */
GREEN_API int green_websocket_free(green_websocket *ws);
/** @} */

/**
 * @name Talking
 * @{
 */

/**
 * @brief Wait for a message. May yield.
 *
 * @param      ws          a connection.
 * @param[out] ret_message the next one; set where 1 is returned.
 * @retval 1      there is one.
 * @retval 0      there will be none: it was closed, by either end, has failed, or was lost. So ever after (WS-12, WS-30);
 *                green_websocket_close_code() says why.
 * @retval -EBUSY another green thread waits for it (WS-15).
 * @since 0.1 (WS-12, WS-15 to WS-25)
 */
GREEN_API GREEN_MUST_USE int green_websocket_wait(green_websocket *ws, struct green_websocket_message *ret_message);

/**
 * @brief Would green_websocket_wait() return at once? Never yields.
 * @param ws a connection.
 * @return true if a message is there, or the end.
 * @since 0.1
 */
GREEN_API bool green_websocket_pending(const green_websocket *ws);

/**
 * @brief Send a message. May yield, while the peer does not take more, or another green thread sends.
 *
 * A message that has begun is sent to its end, also where this fails because of a kill or a timeout: what the system has
 * not taken is copied then.
 *
 * @param ws   a connection.
 * @param type what it is.
 * @param data its bytes.
 * @param len  how many; 0 is a message too.
 * @retval 0           sent, as far as the system is concerned.
 * @retval -EPIPE      it is closed, by either end, or a close is under way (WS-29).
 * @retval -EILSEQ     text that is not UTF-8: nothing was sent.
 * @retval -ENOMEM     no memory to compress it: nothing was sent.
 * @retval -EDEADLK    the calling green thread is in the middle of a message in fragments.
 * @retval -EOPNOTSUPP bytes to a client of Hixie-75 or Hixie-76, which have text only.
 * @return otherwise as green_socket_sendall().
 * @since 0.1 (WS-13, WS-29, WS-38)
 */
GREEN_API int green_websocket_send(green_websocket *ws, enum green_websocket_type type, const void *data, size_t len);

/**
 * @brief green_websocket_send() of a text that ends with NUL. May yield.
 * @param ws   a connection.
 * @param text UTF-8.
 * @return as green_websocket_send().
 * @since 0.1 (WS-13)
 */
GREEN_API int green_websocket_send_text(green_websocket *ws, const char *text);

/**
 * @brief Send a message in fragments, as its bytes are made. May yield.
 *
 * From the first to the final one the message is the calling green thread's; others that send wait meanwhile. Each is a frame
 * that goes out at once. After a failure send the fragment again, or close: the message stays begun.
 *
 * @param ws    a connection.
 * @param type  the same for all fragments of a message.
 * @param data  bytes.
 * @param len   how many.
 * @param final it is the last one.
 * @retval -EINVAL     another type than the first had.
 * @retval -EOPNOTSUPP Hixie-75 and Hixie-76 have none.
 * @return otherwise as green_websocket_send(). Characters of text may be cut between two; where one is wrong, -EILSEQ, and the
 *         message can go on with what is right.
 * @since 0.1 (WS-14, WS-41)
 */
GREEN_API int green_websocket_send_fragment(green_websocket *ws, enum green_websocket_type type, const void *data,
                                            size_t len, bool final);

/**
 * @brief Send a ping, now or as soon as it can be. Never yields, but to tell of a kill or a timeout. The peer's pong is not
 *        shown; it counts as a sign of life.
 * @param ws   a connection.
 * @param data its payload.
 * @param len  bytes, 125 at most.
 * @retval 0           sent, or it will be.
 * @retval -EMSGSIZE   longer: nothing was sent (WS-14).
 * @retval -EAGAIN     max_unsent bytes wait already: nothing was sent.
 * @retval -EPIPE      it is closed, or being closed.
 * @retval -EOPNOTSUPP Hixie-75 and Hixie-76 have none.
 * @return otherwise what the system says, and -ENOMEM.
 * @since 0.1 (WS-14)
 */
GREEN_API int green_websocket_ping(green_websocket *ws, const void *data, size_t len);

/**
 * @brief Send a pong that nobody has asked for. Never yields, as green_websocket_ping(). Pings are answered without this.
 * @param ws   a connection.
 * @param data its payload.
 * @param len  bytes, 125 at most.
 * @return as green_websocket_ping().
 * @since 0.1 (WS-14, RFC 6455 5.5.3)
 */
GREEN_API int green_websocket_pong(green_websocket *ws, const void *data, size_t len);
/** @} */

/**
 * @name One message to many
 * Framed once, and compressed once, however many connections it goes to.
 * @{
 */

/** A message that can be sent often. Opaque, reference-counted, shared by OS threads. */
typedef struct green_websocket_prepared green_websocket_prepared;

/**
 * @brief Prepare a message. Never yields. thread-safe.
 * @param type what it is.
 * @param data its bytes; copied.
 * @param len  how many.
 * @return with one reference, for green_websocket_prepared_unref(). NULL with `errno` and green_last_error(): EINVAL, EILSEQ
 *         (text that is not UTF-8), ENOMEM.
 * @since 0.1
 */
GREEN_API green_websocket_prepared *green_websocket_prepare(enum green_websocket_type type, const void *data, size_t len);

/**
 * @brief Keep a prepared message. Never yields. thread-safe.
 * @param message a message.
 * @return @p message.
 * @since 0.1
 */
GREEN_API green_websocket_prepared *green_websocket_prepared_ref(green_websocket_prepared *message);

/**
 * @brief Give back a reference; connections that still have to send it have their own. Never yields. thread-safe.
 * @param message a message or NULL.
 * @since 0.1
 */
GREEN_API void green_websocket_prepared_unref(green_websocket_prepared *message);

/**
 * @brief Send a prepared message. May yield as green_websocket_send().
 * @param ws      a connection.
 * @param message what to send.
 * @return as green_websocket_send().
 * @since 0.1
 */
GREEN_API int green_websocket_send_prepared(green_websocket *ws, green_websocket_prepared *message);

/**
 * @brief Send a prepared message without waiting. Never yields. For one sender and many peers, of which some are slow.
 *
 * What the system does not take at once is sent later, in order with all else that is sent.
 *
 * @param ws      a connection.
 * @param message what to send; kept until it is sent.
 * @retval 0       sent, or it will be.
 * @retval -EAGAIN more than max_unsent would be unsent, or another green thread is in the middle of a message in fragments:
 *                 nothing was done. A peer so slow is best closed.
 * @retval -EPIPE  closed, or being closed.
 * @retval -ENOMEM memory ran out: nothing was done.
 * @return otherwise what the system says: -ECONNRESET.
 * @since 0.1
 */
GREEN_API int green_websocket_post(green_websocket *ws, green_websocket_prepared *message);

/**
 * @brief Bytes that are sent as soon as they can be: of green_websocket_post(), and control frames. Never yields.
 * @param ws a connection.
 * @return bytes; 0 on NULL.
 * @since 0.1
 */
GREEN_API size_t green_websocket_unsent(const green_websocket *ws);
/** @} */

/**
 * @name Closing
 * @{
 */

/**
 * @brief Close: send a close, and wait for the peer's, up to close_timeout. May yield. What comes meanwhile is dropped.
 *
 * A handler need not call it: it returns. Whoever waits or sends sees the end at once. A green thread that was killed still
 * says goodbye, shielded, within that time; past it the connection is cut.
 *
 * @param ws     a connection; NULL is fine.
 * @param code   1000 to 1003, 1007 to 1014 or 3000 to 4999; 0: none is said.
 * @param reason UTF-8, 123 bytes at most; NULL: none.
 * @retval 0          closed, now or before.
 * @retval -EINVAL    a code or reason that cannot be sent: nothing was done.
 * @retval -ETIMEDOUT the peer has not answered.
 * @return otherwise as green_socket_sendall(); it is closed all the same.
 * @since 0.1 (WS-24 to WS-28)
 */
GREEN_API int green_websocket_close(green_websocket *ws, int code, const char *reason);

/**
 * @brief Is it closed, or being closed? Never yields. From then on nothing can be sent.
 * @param ws a connection.
 * @return true if so, and on NULL.
 * @since 0.1 (WS-11)
 */
GREEN_API bool green_websocket_closed(const green_websocket *ws);

/**
 * @brief With which code it has ended. Never yields.
 * @param ws a connection.
 * @return the peer's code, or the one that this end has closed with because of what the peer did, or 1001 where the server
 *         ends; 1005: the peer has said none; 1006: it was lost; 0: none of these yet.
 * @since 0.1 (WS-24, RFC 6455 7.1.5)
 */
GREEN_API int green_websocket_close_code(const green_websocket *ws);

/**
 * @brief The reason of the same. Never yields.
 * @param ws a connection.
 * @return UTF-8; "" for none. As long as the connection.
 * @since 0.1 (RFC 6455 7.1.6)
 */
GREEN_API const char *green_websocket_close_reason(const green_websocket *ws);
/** @} */

/**
 * @name What it is
 * Texts live as long as the connection.
 * @{
 */

/**
 * @brief The path, percent-decoded: PATH_INFO. Never yields.
 * @param ws a connection.
 * @return "" on NULL; NULL with `errno` ENOMEM.
 * @since 0.1 (WS-11)
 */
GREEN_API const char *green_websocket_path(green_websocket *ws);

/**
 * @brief The subprotocol that was agreed on. Never yields.
 * @param ws a connection.
 * @return NULL for none.
 * @since 0.1 (WS-07, WS-11)
 */
GREEN_API const char *green_websocket_protocol(const green_websocket *ws);

/**
 * @brief The origin: of a server's, what the client sent; of a client's, what it has sent. Never yields.
 * @param ws a connection.
 * @return NULL for none, or with `errno` ENOMEM.
 * @since 0.1 (WS-11)
 */
GREEN_API const char *green_websocket_origin(green_websocket *ws);

/**
 * @brief The version of the protocol. Never yields.
 * @param ws a connection.
 * @return 13 or 8; 76 or 75 for Hixie's; 0 on NULL.
 * @since 0.1 (WS-04, WS-11)
 */
GREEN_API int green_websocket_version(const green_websocket *ws);

/**
 * @brief Was permessage-deflate agreed on? Never yields.
 * @param ws a connection.
 * @return true if so.
 * @since 0.1 (WS-35)
 */
GREEN_API bool green_websocket_deflates(const green_websocket *ws);

/**
 * @brief A variable of the request's environ: see green_wsgi_environ(). Never yields. Of a server's.
 *
 * What green_wsgi_environ_set() has set is gone, as the request is; a cookie is in HTTP_COOKIE: green_http_next_cookie().
 *
 * @param ws   a connection.
 * @param name case matters.
 * @return NULL if there is none, of a client's, or with `errno` ENOMEM.
 * @since 0.1 (WS-11)
 */
GREEN_API const char *green_websocket_environ(green_websocket *ws, const char *name);

/**
 * @brief The socket. Never yields. To ask (green_tls_*, green_socket_getpeername()) and to set; who reads or writes there
 *        breaks the connection.
 * @param ws a connection.
 * @return the socket, the connection's; NULL on NULL.
 * @since 0.1
 */
GREEN_API green_socket *green_websocket_get_socket(const green_websocket *ws);

/**
 * @brief Remember something by a connection. Never yields.
 * @param ws   a connection.
 * @param data the caller's; green_websocket_data() gives it back.
 * @since 0.1
 */
GREEN_API void green_websocket_set_data(green_websocket *ws, void *data);

/**
 * @brief What green_websocket_set_data() has set. Never yields.
 * @param ws a connection.
 * @return NULL at first.
 * @since 0.1
 */
GREEN_API void *green_websocket_data(const green_websocket *ws);
/** @} */

GREEN_END_DECLS

#endif
