/**
 * @file
 * @brief Socket addresses as values: from text, to text, from and to `struct sockaddr`.
 *
 * The text forms, for every function that takes an address as text:
 *
 * | text              | means                                                                     |
 * |-------------------|---------------------------------------------------------------------------|
 * | `127.0.0.1:80`    | IPv4                                                                      |
 * | `[::1]:80`        | IPv6                                                                      |
 * | `[fe80::1%eth0]:80` | IPv6 with a scope: the name or number of an interface                   |
 * | `:80`             | IPv4, any address: `0.0.0.0:80`                                           |
 * | `unix:/run/x.sock` | Unix socket, a path                                                      |
 * | `unix:@name`      | Unix socket, an abstract name (Linux)                                     |
 *
 * Ports are decimal, 0 to 65535; port 0 lets the system choose where one binds. Host names are
 * no addresses: green_addr_parse() gives -EINVAL, with a message that says so; green_connect() looks them up, and so does
 * green_dns_resolve().
 *
 * An address is immutable, owns nothing and may be copied by assignment and shared between OS threads.
 */
#ifndef GREEN_ADDR_H
#define GREEN_ADDR_H

#include <green/base.h>

#if defined(_WIN32)
#include <winsock2.h>
#include <ws2tcpip.h>
/* What POSIX calls it; the flag is green-net's alone there. */
#define MSG_DONTWAIT 0x40000000
#define MSG_TRUNC 0x0100
#define MSG_CTRUNC 0x0200
#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH
#else
#include <sys/socket.h>
#endif

GREEN_BEGIN_DECLS

/** Bytes that hold the text of any address, its NUL included. */
#define GREEN_ADDR_TEXT_SIZE 128

/** A socket address of any family. Zeroed is "none". Read it with the functions below. */
struct green_addr {
        socklen_t size;               /**< bytes of data in use; 0: no address */
        struct sockaddr_storage data; /**< the address as the system has it */
};

/**
 * @brief Make an address from text. Never yields. thread-safe. No name is looked up but that of an interface.
 *
 * @param      text     one of the forms above.
 * @param[out] ret_addr the address; set on success only.
 * @retval 0             done.
 * @retval -EINVAL       it is none of the forms, has no port, or is a host name; green_last_error() says which.
 * @retval -ENODEV       no interface has the name of the scope.
 * @retval -ENAMETOOLONG the Unix path or name does not fit (107 bytes on Linux).
 * @since 0.1 (CONV-02)
 */
GREEN_API GREEN_MUST_USE int green_addr_parse(const char *text, struct green_addr *ret_addr);

/**
 * @brief Text of an address, in the form that green_addr_parse() reads. Never yields. thread-safe.
 *
 * An unnamed Unix socket (the usual client) is "unix:", no address "none", an unknown family "family 17". NUL bytes inside
 * an abstract name show as `@`.
 *
 * @param addr the address.
 * @param text where to write; ends with NUL. May be NULL where size is 0.
 * @param size bytes there; #GREEN_ADDR_TEXT_SIZE is always enough.
 * @return bytes the whole text has without its NUL, as snprintf().
 * @since 0.1
 */
GREEN_API int green_addr_format(const struct green_addr *addr, char *text, size_t size);

/**
 * @brief Make an address from the system's. Never yields. thread-safe.
 * @param      sa       the system's address.
 * @param      size     its bytes.
 * @param[out] ret_addr the address, a copy; set on success only.
 * @retval 0       done.
 * @retval -EINVAL larger than any address, or too small to have a family.
 * @since 0.1
 */
GREEN_API int green_addr_from_sockaddr(const struct sockaddr *sa, socklen_t size, struct green_addr *ret_addr);

/**
 * @brief The system's form of an address, for its own calls. Never yields. thread-safe.
 * @param      addr     the address.
 * @param[out] ret_size its bytes, 0 for none; may be NULL.
 * @return points into @p addr; never NULL.
 * @since 0.1
 */
static inline const struct sockaddr *
green_addr_sockaddr(const struct green_addr *addr, socklen_t *ret_size)
{
        if (ret_size != NULL)
                *ret_size = addr->size;
        return (const struct sockaddr *)&addr->data;
}

/**
 * @brief Its family. Never yields. thread-safe.
 * @param addr the address.
 * @return AF_INET, AF_INET6, AF_UNIX, ...; AF_UNSPEC for none.
 * @since 0.1
 */
GREEN_API int green_addr_family(const struct green_addr *addr);

/**
 * @brief Its port. Never yields. thread-safe.
 * @param addr the address.
 * @return 0 to 65535; -EAFNOSUPPORT for one that is neither IPv4 nor IPv6.
 * @since 0.1
 */
GREEN_API int green_addr_port(const struct green_addr *addr);

/**
 * @brief Do two addresses mean the same: family, host, scope and port, or path? Never yields. thread-safe.
 * @param a an address.
 * @param b another one.
 * @return true if so. Unnamed Unix sockets are equal to each other.
 * @since 0.1
 */
GREEN_API bool green_addr_equal(const struct green_addr *a, const struct green_addr *b);

GREEN_END_DECLS

#endif
