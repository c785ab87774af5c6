/**
 * @file
 * @brief TLS: sockets that encrypt, and verify whom they talk to.
 *
 *     struct green_wrap_ssl_opts opts = {.size = sizeof opts, .server_hostname = "example.org"};
 *     green_socket *s = green_connect("example.org:443", NULL);
 *
 *     if (s == NULL || green_wrap_ssl(s, &opts) == NULL)
 *             return fprintf(stderr, "%s\n", green_last_error()->message), 1;
 *     green_socket_sendall(s, ...);
 *
 * A wrapped socket is a green_socket: every call of <green/socket.h> works on it, streams and the HTTP server too. Only
 * sendto, recvmsg and kin, and dup of what is no listener are -EOPNOTSUPP, and flags but MSG_PEEK and MSG_DONTWAIT are -EINVAL.
 *
 * Clients verify the server's certificate and its host name unless they are told not to. TLS 1.2 is the least, ciphers are
 * those with forward secrecy and authenticated encryption, renegotiation and compression are off.
 *
 * What encrypts is a back end: mbedTLS, linked in where configure finds it, or OpenSSL, a module. `GREEN_TLS` names one
 * ("mbedtls", "openssl"); a name that cannot be used is an error that says why, never another one in its place. Work that
 * takes long, such as signatures of a handshake, is done in the pool of OS threads: others run meanwhile.
 *
 * A connection that fails, fails alone: with one of these codes, and a message in green_last_error() that says more.
 *
 * | code               | means                                                                                         |
 * |--------------------|-----------------------------------------------------------------------------------------------|
 * | #GREEN_ETLSEOF     | the connection ended without close_notify: what came may be cut short                         |
 * | #GREEN_ETLSPROTO   | what came is no TLS, or breaks its rules                                                      |
 * | #GREEN_ETLSALERT   | the peer gave up; the message has its reason                                                  |
 * | #GREEN_ETLSVERIFY  | nobody that is trusted has signed the certificate, or a verify callback refused it            |
 * | #GREEN_ETLSHOST    | the certificate is for another host                                                           |
 * | #GREEN_ETLSEXPIRED | it has expired, or is not valid yet                                                           |
 * | #GREEN_ETLSREVOKED | it was revoked, by the CRL that was given                                                     |
 * | #GREEN_ETLSNOCERT  | the peer gave none, and one is required                                                       |
 * | #GREEN_ETLSAGREE   | no version, cipher or protocol that both sides know                                           |
 * | #GREEN_ETLS        | anything else                                                                                 |
 */
#ifndef GREEN_TLS_H
#define GREEN_TLS_H

#include <green/base.h>
#include <green/error.h>
#include <green/socket.h>

GREEN_BEGIN_DECLS

/**
 * @name Contexts: certificates, keys and rules, for many connections
 * @{
 */

/** Certificates, keys and rules. Opaque, reference-counted, shared by OS threads. */
typedef struct green_tls_context green_tls_context;

/** Versions of TLS. */
enum green_tls_version_number {
        GREEN_TLS_ANY = 0,     /**< the back end's: at least 1.2 */
        GREEN_TLS_1_2 = 0x303, /**< RFC 5246 */
        GREEN_TLS_1_3 = 0x304  /**< RFC 8446; not every back end has it */
};

/** Whether the peer has to prove who it is. */
enum green_tls_verify {
        GREEN_TLS_VERIFY_DEFAULT = 0, /**< clients: REQUIRED; servers: NONE */
        GREEN_TLS_VERIFY_NONE,        /**< no: anybody may be at the other end */
        GREEN_TLS_VERIFY_OPTIONAL,    /**< servers: a client may give a certificate, which is then verified */
        GREEN_TLS_VERIFY_REQUIRED     /**< yes */
};

/** A certificate, for callbacks and questions. Texts are the certificate's and last as long as it. */
struct green_tls_cert {
        const char *subject;      /**< "CN=example.org, O=..." */
        const char *issuer;       /**< likewise */
        const char *serial;       /**< hexadecimal */
        const char *const *names; /**< DNS names and addresses it is for (subjectAltName), ended by NULL */
        int64_t not_before;       /**< seconds since 1970, UTC */
        int64_t not_after;        /**< likewise */
        const void *der;          /**< the whole of it */
        size_t der_len;           /**< its bytes */
        unsigned char sha256[32]; /**< fingerprint of der */
};

/**
 * Looks at a peer's certificate once the rules have been applied to it. May run in an OS thread of the pool, and in several at
 * once: no green call.
 * @param cert  the peer's own.
 * @param depth certificates in its chain above it.
 * @param code  0: it is trusted; otherwise why not.
 * @param arg   as given.
 * @return 0: go on, whatever code says; a negative code: refuse with it. `return code` changes nothing.
 */
typedef int (*green_tls_verify_fn)(const struct green_tls_cert *cert, int depth, int code, void *arg);

/**
 * Servers: chooses a context by the name that the client asked for (SNI). May run in an OS thread of the pool, and in several at
 * once.
 * @param name the name; "" where the client gave none.
 * @param arg  as given.
 * @return a context, borrowed; NULL: the listener's own.
 */
typedef green_tls_context *(*green_tls_sni_fn)(const char *name, void *arg);

/** What a context is made of. Set it to zero, then @ref size, then what you need. Texts and memory are copied. */
struct green_tls_opts {
        size_t size;             /**< sizeof(struct green_tls_opts) */
        const char *cert_file;   /**< own certificate and its chain, PEM; servers need one */
        const char *key_file;    /**< its private key, PEM; NULL: it is in cert_file */
        const void *cert_pem;    /**< the same from memory, */
        size_t cert_pem_len;     /**< with its bytes */
        const void *key_pem;     /**< likewise */
        size_t key_pem_len;      /**< likewise */
        const char *password;    /**< of an encrypted key; NULL: none */
        const char *ca_file;     /**< whom to trust, PEM. NULL, without ca_pem: the system's bundle or store */
        const void *ca_pem;      /**< the same from memory */
        size_t ca_pem_len;       /**< its bytes */
        const char *crl_file;    /**< certificates that were revoked, PEM; NULL: none are looked up */
        enum green_tls_verify verify;  /**< whether the peer has to prove who it is */
        bool no_check_hostname;  /**< clients: take a trusted certificate of any host */
        enum green_tls_version_number min_version; /**< at least 1.2 */
        enum green_tls_version_number max_version; /**< GREEN_TLS_ANY: the highest there is */
        const char *ciphers;     /**< names with colons, of the IANA registry, for TLS 1.2; NULL: modern ones */
        const char *const *alpn; /**< protocols, best first, ended by NULL; NULL: none is negotiated */
        green_tls_verify_fn verify_fn; /**< NULL: none */
        void *verify_arg;        /**< passed to it */
        green_tls_sni_fn sni_fn; /**< NULL: none */
        void *sni_arg;           /**< passed to it */
        bool no_tickets;         /**< servers: no session tickets, so that no session is resumed */
        double ticket_lifetime;  /**< seconds; 0: 7,200. Keys change twice as often */
        double handshake_timeout; /**< seconds for a handshake in all; 0: 10 */
        void (*keylog)(const char *line, void *arg); /**< secrets of each session, as in the NSS key log format: for debugging
                                                          with a packet analyser, never otherwise. Called as verify_fn.
                                                          NULL: none */
        void *keylog_arg;        /**< passed to it */
};

/**
 * @brief Make a context. Never yields; it reads the files. thread-safe.
 *
 * The system's bundle, which is long, is read when the first connection needs it, a client's or one of a server that
 * verifies its clients by it (a certificate, and @ref green_tls_opts::verify): in the pool of OS threads, once, while that
 * handshake waits. What is wrong with it is that handshake's code. A context that @ref green_tls_opts::sni_fn gives, and
 * that was used for nothing else before, reads it within the handshake's step, perhaps on the hub's OS thread; if it is
 * wrong, no client's certificate is believed, and the log says so.
 *
 * @param opts NULL for defaults: a client that trusts whom the system trusts.
 * @return the context, with one reference, for green_tls_context_unref(). NULL with `errno` and green_last_error(): ENOENT,
 *         EACCES (a file), #GREEN_ETLSFILE (its content, a key that does not fit), EINVAL (options), #GREEN_ETLSBACKEND, ENOMEM.
 * @since 0.1 (SSL-12, SSL-14)
 */
GREEN_API green_tls_context *green_tls_context_new(const struct green_tls_opts *opts);

/**
 * @brief Keep a context. Never yields. thread-safe.
 * @param context a context.
 * @return @p context.
 * @since 0.1
 */
GREEN_API green_tls_context *green_tls_context_ref(green_tls_context *context);

/**
 * @brief Give back a reference. Connections keep what they need. Never yields. thread-safe.
 * @param context a context or NULL.
 * @since 0.1
 */
GREEN_API void green_tls_context_unref(green_tls_context *context);

/**
 * @brief Read certificate, key, trusted certificates and CRL anew from their files: for connections to come. Those that
 *        are open go on, and sessions that clients began with the old certificate can still be resumed. A client's own
 *        sessions of before are not taken up with it: what was trusted then may not be now. Never yields. thread-safe. The
 *        system's bundle is read anew by the next handshake that needs it, as at first; where that fails, what was read
 *        before is used, and the log says so.
 * @param context a context made from files.
 * @retval 0              from now on the new ones are used.
 * @retval -EINVAL        it was made from memory only.
 * @return otherwise as green_tls_context_new(), and the old ones stay in use.
 * @since 0.1
 */
GREEN_API int green_tls_context_reload(green_tls_context *context);

/**
 * @brief Who encrypts in this process: "mbedtls 2.28.3", "openssl 3.0.15". Never yields. thread-safe.
 * @return a constant; NULL where no back end can be used: green_last_error() says why, and what there is.
 * @since 0.1
 */
GREEN_API const char *green_tls_backend(void);
/** @} */

/**
 * @name Wrapping a socket
 * @{
 */

/** A session that a client may take up again. Opaque, reference-counted. */
typedef struct green_tls_session green_tls_session;

/** What green_wrap_ssl() can be told. Set it to zero, then @ref size, then what you need. */
struct green_wrap_ssl_opts {
        size_t size;                 /**< sizeof(struct green_wrap_ssl_opts) */
        green_tls_context *context;  /**< certificates and rules; it is kept. NULL: one made of the next members */
        const char *keyfile;         /**< without context: see green_tls_opts::key_file */
        const char *certfile;        /**< without context: see green_tls_opts::cert_file */
        const char *ca_certs;        /**< without context: see green_tls_opts::ca_file */
        enum green_tls_verify cert_reqs; /**< without context: see green_tls_opts::verify */
        bool server_side;            /**< this end is the server. A listening socket always is */
        const char *server_hostname; /**< clients: the name to ask for (SNI) and to verify; an address as text is verified
                                          only. Needed unless host names are not checked */
        bool no_handshake_on_connect; /**< leave the handshake to the first receive or send */
        green_tls_session *session;  /**< clients: take this up again, if the server still knows it; borrowed. Nobody looks
                                          at the certificate again then, nor does a verify_fn */
};

/**
 * @brief Put TLS on a socket. May yield.
 *
 * A connected socket makes its handshake now, or at the first receive or send with no_handshake_on_connect. One that is not
 * connected yet makes it when green_socket_connect() has connected it. A listening one gives TLS to each connection it
 * accepts, whose handshake is made in the connection's own green thread, at its first receive or send: nobody holds up
 * accept (SSL-03). Each handshake has a deadline of its own.
 *
 * @param s    a stream socket without TLS, on which nobody waits; stays the caller's, and is what is returned.
 * @param opts what to do; NULL only for a client that checks no name, which is an error by default.
 * @return @p s; NULL with `errno` and green_last_error(), and no TLS on s (after a failed handshake s is closed): EINVAL (no
 *         server_hostname to verify, not a stream socket, TLS is on it already), as green_tls_context_new(), the codes
 *         above, ETIMEDOUT (the handshake's deadline), or those of <green/socket.h>.
 * @since 0.1 (CONV-17 to CONV-19, SSL-03 to SSL-05, SSL-12 to SSL-15)
 */
GREEN_API green_socket *green_wrap_ssl(green_socket *s, const struct green_wrap_ssl_opts *opts);

/**
 * @brief Make the handshake now, if it has not been made. May yield.
 * @param s a wrapped, connected socket.
 * @retval 0       made, now or before.
 * @retval -EINVAL there is no TLS on it.
 * @return otherwise a code of this page or of <green/socket.h>.
 * @since 0.1 (SSL-05)
 */
GREEN_API GREEN_MUST_USE int green_tls_handshake(green_socket *s);

/**
 * @brief Take TLS off again: say goodbye, wait for the peer's, and go on in the clear. May yield.
 * @param s a wrapped socket.
 * @retval 0      a plain socket now; what the peer sent after its goodbye is still to be received.
 * @retval -EBUSY decrypted bytes were not read yet; nothing was done.
 * @return otherwise a code of this page or of <green/socket.h>.
 * @since 0.1 (SSL-10)
 */
GREEN_API GREEN_MUST_USE int green_tls_unwrap(green_socket *s);
/** @} */

/**
 * @name Questions about a connection: after the handshake. They never yield.
 * @{
 */

/**
 * @brief Is there TLS on it?
 * @param s a socket.
 * @return true if so, whatever its state.
 * @since 0.1
 */
GREEN_API bool green_socket_is_tls(const green_socket *s);

/**
 * @brief Version in use.
 * @param s a wrapped socket.
 * @return "TLSv1.2", "TLSv1.3"; NULL before the handshake.
 * @since 0.1
 */
GREEN_API const char *green_tls_version(const green_socket *s);

/**
 * @brief Cipher suite in use, by the name of the IANA registry.
 * @param s a wrapped socket.
 * @return the name; NULL before the handshake.
 * @since 0.1
 */
GREEN_API const char *green_tls_cipher(const green_socket *s);

/**
 * @brief Protocol that ALPN has settled.
 * @param s a wrapped socket.
 * @return the name; NULL where there is none.
 * @since 0.1
 */
GREEN_API const char *green_tls_alpn(const green_socket *s);

/**
 * @brief Servers: the name that the client asked for (SNI).
 * @param s a wrapped socket.
 * @return the name; NULL where it gave none.
 * @since 0.1
 */
GREEN_API const char *green_tls_sni(const green_socket *s);

/**
 * @brief Was an earlier session taken up again?
 * @param s a wrapped socket.
 * @return true if so.
 * @since 0.1
 */
GREEN_API bool green_tls_resumed(const green_socket *s);

/**
 * @brief The peer's certificate.
 * @param s a wrapped socket.
 * @return the certificate, in one block, the caller's: green_free(). NULL with `errno` ENOENT (it gave none, or the session
 *         was resumed and the back end has not kept it), ENOMEM, EINVAL.
 * @since 0.1
 */
GREEN_API struct green_tls_cert *green_tls_peer_cert(const green_socket *s);

/**
 * @brief Clients: the session, to be taken up by a later connection. Under TLS 1.3 it comes after the first bytes of the
 *        server.
 * @param s a wrapped socket.
 * @return the session, for green_tls_session_unref(); NULL with `errno` ENOENT: there is none that could be resumed.
 * @since 0.1
 */
GREEN_API green_tls_session *green_tls_session_get(green_socket *s);

/**
 * @brief Keep a session. Never yields. thread-safe.
 * @param session a session or NULL.
 * @return @p session.
 * @since 0.1
 */
GREEN_API green_tls_session *green_tls_session_ref(green_tls_session *session);

/**
 * @brief Give a session back. thread-safe.
 * @param session a session or NULL.
 * @since 0.1
 */
GREEN_API void green_tls_session_unref(green_tls_session *session);
/** @} */

GREEN_END_DECLS

#endif
