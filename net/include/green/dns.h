/**
 * @file
 * @brief Names to addresses and back, without ever stopping the OS thread.
 *
 * The hosts file is asked first, then name servers, through c-ares. Where green-net was built without c-ares, or
 * `GREEN_NO_GREENDNS` is "yes" (in any case), the system's resolver is called in the pool of OS threads
 * (<green/tpool.h>) instead; then green_dns_query() is -ENOTSUP. Nothing is read or asked before the first lookup.
 *
 * Each OS thread has a resolver of its own with a cache that obeys the TTL of answers; lookups of the same name that
 * run at the same time share one query. Settings are the process's.
 *
 * Names are read without regard to case, and come back in lower case. One that is not ASCII is converted (IDNA), or is
 * #GREEN_EAI_NONAME where green-net was built without libidn2. "localhost" and what ends with ".localhost" is the
 * loopback addresses, unless the hosts file says otherwise.
 *
 * On Windows name servers are asked only where green_dns_opts::servers says which.
 *
 * Where it is not said otherwise, every function that may yield returns these codes:
 *
 * | code                | means                                                                                      |
 * |---------------------|--------------------------------------------------------------------------------------------|
 * | #GREEN_EAI_AGAIN    | no answer in time                                                                          |
 * | #GREEN_EAI_NONAME   | there is no such name (or service)                                                         |
 * | #GREEN_EAI_NODATA   | the name is there, but has nothing of this kind                                            |
 * | #GREEN_EAI_FAIL     | a server failed or refused, or its answer makes no sense                                   |
 * | #GREEN_EAI_FAMILY   | the address family is none of AF_UNSPEC, AF_INET, AF_INET6                                 |
 * | #GREEN_EKILLED      | the green thread was killed (or its code); the query goes on                               |
 * | #GREEN_ETIMEOUT     | an enclosing timeout fired (or its code); likewise                                         |
 * | -EINVAL             | an argument is NULL, or a name longer than 253 bytes or with an empty label                |
 * | -ENOMEM             | memory ran out; -EMFILE and its like: no socket could be had                               |
 * | -EDEADLK            | called in hub context, and it would have to wait                                           |
 */
#ifndef GREEN_DNS_H
#define GREEN_DNS_H

#include <green/addr.h>
#include <green/base.h>
#include <green/error.h>

#if !defined(_WIN32)
#include <netdb.h>
#endif

GREEN_BEGIN_DECLS

struct addrinfo; /* <netdb.h> has it only where more than C11 was asked for */

/** Settings of the process. Set it to zero, then @ref size, then what you need; what is 0 or NULL is the system's. */
struct green_dns_opts {
        size_t size;             /**< sizeof(struct green_dns_opts) */
        const char *servers;     /**< "127.0.0.1:5353,[::1]:53", at most 8; a port may be left out. NULL: resolv.conf */
        const char *search;      /**< "example.org,corp.example.org", at most 8; "" for none. NULL: resolv.conf */
        int ndots;               /**< names with fewer dots are looked for with the search list first; 0: resolv.conf,
                                      else 1 */
        double timeout;          /**< seconds for the first try of one server; 0: resolv.conf, else 2 */
        int attempts;            /**< tries of each server; 0: resolv.conf, else 3 */
        double lifetime;         /**< seconds for a lookup in all; 0: 10 */
        const char *hosts;       /**< the hosts file; "" for none. NULL: the system's */
        const char *resolv_conf; /**< NULL: the system's. One that is missing is as if empty */
        size_t cache_size;       /**< answers kept for each OS thread; 0: 10,000 */
        bool no_cache;           /**< keep none */
        bool tcp;                /**< ask by TCP only */
        bool system;             /**< use the system's resolver, in the pool of OS threads */
};

/**
 * @brief Set how names are looked up in this process, and forget what is known. Never yields. thread-safe. Lookups that
 *        run end as they began.
 * @param opts copied; NULL goes back to the system's settings.
 * @retval 0        set.
 * @retval -EINVAL  unknown size, a server that is no address, a number out of range; green_last_error() says which.
 * @retval -ENOMEM  memory ran out: nothing was changed.
 * @since 0.1 (DNS-14)
 */
GREEN_API int green_dns_configure(const struct green_dns_opts *opts);

/**
 * @brief Forget all answers, and read hosts and resolv.conf anew at the next lookup. Never yields. thread-safe.
 * @since 0.1 (DNS-13)
 */
GREEN_API void green_dns_clear(void);

/**
 * @brief Who resolves: "c-ares 1.18.1" or "system". Never yields. thread-safe.
 * @return a constant.
 * @since 0.1 (DNS-01)
 */
GREEN_API const char *green_dns_backend(void);

/**
 * @brief The addresses of a name, best first, ready for green_socket_connect(). May yield.
 *
 * IPv4 and IPv6 are asked for at the same time and sorted by RFC 6724. Numeric hosts are not looked up.
 *
 * @param      host      a name, or an address as text; a dot at its end keeps the search list out.
 * @param      port      0 to 65535, put into each address.
 * @param      family    AF_UNSPEC, AF_INET or AF_INET6.
 * @param[out] ret_addrs the addresses, the caller's: green_free(). Set on success only.
 * @param[out] ret_n     how many, 1 or more; set on success only.
 * @retval 0 found.
 * @since 0.1 (DNS-05, DNS-15, DNS-20, DNS-21, DNS-24)
 */
GREEN_API GREEN_MUST_USE int green_dns_resolve(const char *host, int port, int family, struct green_addr **ret_addrs,
                                               size_t *ret_n);

/**
 * @brief getaddrinfo(3), without stopping the others. May yield.
 *
 * @param      host     a name, or an address as text; NULL: loopback, or any address with AI_PASSIVE.
 * @param      service  a port or a service's name; NULL: none.
 * @param      hints    family, socktype, protocol, flags as for getaddrinfo(3); NULL: none.
 * @param[out] ret_list the answers, the caller's: green_dns_freeaddrinfo(). Set on success only.
 * @retval 0                  found.
 * @retval GREEN_EAI_SERVICE  no such service for this type of socket. Names of services are looked up in the pool of OS
 *                            threads, also with c-ares.
 * @retval GREEN_EAI_SOCKTYPE the type of socket is not known.
 * @retval GREEN_EAI_BADFLAGS the flags mean nothing (together).
 * @since 0.1 (DNS-01, DNS-21 to DNS-30)
 */
GREEN_API GREEN_MUST_USE int green_dns_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                                                   struct addrinfo **ret_list);

/**
 * @brief Free what green_dns_getaddrinfo() gave. Never yields.
 * @param list a list, or NULL.
 * @since 0.1
 */
GREEN_API void green_dns_freeaddrinfo(struct addrinfo *list);

/**
 * @brief getnameinfo(3), without stopping the others. May yield.
 *
 * The hosts file is asked first, then servers; loopback is "localhost". The name of a port comes from the system, in
 * the pool of OS threads, also with c-ares.
 *
 * @param      addr         an IPv4 or IPv6 address.
 * @param[out] host         its name, or its text where it has none; NULL if not wanted.
 * @param      host_size    bytes there.
 * @param[out] service      name of its port, or the number; NULL if not wanted.
 * @param      service_size bytes there.
 * @param      flags        NI_NUMERICHOST (nothing is asked then), NI_NUMERICSERV, NI_NAMEREQD, NI_DGRAM, NI_NOFQDN.
 * @retval 0                  done.
 * @retval GREEN_EAI_NONAME   NI_NAMEREQD, and it has no name; or that together with NI_NUMERICHOST.
 * @retval GREEN_EAI_OVERFLOW a text does not fit.
 * @since 0.1 (DNS-32)
 */
GREEN_API GREEN_MUST_USE int green_dns_getnameinfo(const struct green_addr *addr, char *host, size_t host_size,
                                                   char *service, size_t service_size, int flags);

/** What is known of a host. */
struct green_dns_host {
        const char *name;               /**< canonical */
        const char *const *aliases;     /**< other names, ended by NULL */
        const struct green_addr *addrs; /**< IPv4 addresses, port 0 */
        size_t n;                       /**< how many, 1 or more */
};

/**
 * @brief First IPv4 address of a name, port 0. May yield.
 * @param      name     a name, or an IPv4 address as text.
 * @param[out] ret_addr the address; set on success only.
 * @retval 0 found.
 * @since 0.1 (DNS-31)
 */
GREEN_API GREEN_MUST_USE int green_dns_gethostbyname(const char *name, struct green_addr *ret_addr);

/**
 * @brief All IPv4 addresses of a name, with its other names. May yield.
 * @param      name     a name, or an IPv4 address as text.
 * @param[out] ret_host the answer, in one block, the caller's: green_free(). Set on success only.
 * @retval 0 found.
 * @since 0.1 (DNS-31)
 */
GREEN_API GREEN_MUST_USE int green_dns_gethostbyname_ex(const char *name, struct green_dns_host **ret_host);

/**
 * @brief Other names that the hosts file has for a name. Never yields.
 * @param      name        a name.
 * @param[out] ret_aliases canonical name and aliases without the name itself, ended by NULL, perhaps none; in one
 *                         block, the caller's: green_free(). Set on success only.
 * @return how many; -EINVAL, -ENOMEM.
 * @since 0.1 (DNS-12)
 */
GREEN_API int green_dns_getaliases(const char *name, const char *const **ret_aliases);

/** Kinds of record, by their numbers in the protocol. */
enum green_dns_type {
        GREEN_DNS_A = 1,
        GREEN_DNS_NS = 2,
        GREEN_DNS_CNAME = 5,
        GREEN_DNS_PTR = 12,
        GREEN_DNS_MX = 15,
        GREEN_DNS_TXT = 16,
        GREEN_DNS_AAAA = 28,
        GREEN_DNS_SRV = 33
};

/** A record of an answer. What its kind does not have is 0 or NULL. */
struct green_dns_record {
        enum green_dns_type type; /**< what it is */
        uint32_t ttl;             /**< seconds that it may be kept */
        struct green_addr addr;   /**< A, AAAA: port 0 */
        const char *name;         /**< NS, CNAME, PTR, MX, SRV: where it leads */
        const void *text;         /**< TXT: its strings, joined */
        size_t text_len;          /**< TXT: their bytes */
        uint16_t priority;        /**< MX, SRV: lower is tried first */
        uint16_t weight;          /**< SRV: share among equals */
        uint16_t port;            /**< SRV */
};

/** An answer. */
struct green_dns_answer {
        const struct green_dns_record *records; /**< MX and SRV sorted by priority; the others as they came */
        size_t n;                               /**< how many, 1 or more */
};

/**
 * @brief Ask name servers for records. May yield. The hosts file answers A, AAAA and CNAME first.
 *
 * @param      name       a name; for GREEN_DNS_PTR also an address as text. The search list is not used.
 * @param      type       what for.
 * @param[out] ret_answer the answer, in one block, the caller's: green_free(). Set on success only.
 * @retval 0        there is at least one.
 * @retval -ENOTSUP the system's resolver is in use, or the type is none of the above.
 * @since 0.1 (DNS-11, DNS-16 to DNS-19)
 */
GREEN_API GREEN_MUST_USE int green_dns_query(const char *name, enum green_dns_type type,
                                             struct green_dns_answer **ret_answer);

GREEN_END_DECLS

#endif
