/* What the files of patch_dns share: calls of libc that run in the pool. */
#ifndef GREEN_PATCH_DNS_H
#define GREEN_PATCH_DNS_H

#include <netdb.h>
#include <sys/socket.h>

#include <green/thread.h>

#include "patch_priv.h"

/* Of h_errno: the reason is in errno. musl does not tell. */
#ifndef NETDB_INTERNAL
#define NETDB_INTERNAL (-1)
#endif

/* What the block of such a call begins with. */
struct patch_hop {
        void (*release)(void *hop, void *result); /* frees the block, and what the call has made */
        int error;                                /* errno after it */
};

/* Run it. The block is the caller's again where this returns 0, and gone otherwise. */
int green__patch_hop(green_thread_fn fn, struct patch_hop *hop);

/* Copy a text to where *at is, which moves on. NULL stays NULL. */
char *green__patch_hop_text(char **at, const char *text);

/* patch_dns_host.c: the older functions, in place of libc's. */
struct hostent *green__patched_gethostbyname(const char *name);
struct hostent *green__patched_gethostbyname2(const char *name, int family);
struct hostent *green__patched_gethostbyaddr(const void *addr, socklen_t len, int family);
int green__patched_gethostbyname_r(const char *name, struct hostent *host, char *buf, size_t len,
                                   struct hostent **ret_host, int *ret_error);
int green__patched_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buf, size_t len,
                                    struct hostent **ret_host, int *ret_error);
int green__patched_gethostbyaddr_r(const void *addr, socklen_t addr_len, int family, struct hostent *host, char *buf,
                                   size_t len, struct hostent **ret_host, int *ret_error);

#endif
