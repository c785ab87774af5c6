/*
 * URLs of a scheme and its variant over TLS: http and https, ws and wss (RFC 3986).
 */
#ifndef GREEN_URL_PRIV_H
#define GREEN_URL_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a URL leads. Texts are in text, one behind the other. */
struct green__url {
        bool tls;
        int32_t port;        /* the scheme's, where none was given */
        const char *host;    /* as Host has it: with the port, unless it is the scheme's. In lower case */
        const char *name;    /* of the host alone, without brackets */
        const char *address; /* host and port, for green_connect() */
        const char *target;  /* path and query, "/" at least */
        const char *user;    /* what stands before the '@', still percent-encoded; NULL: there is none */
        char *text;          /* for green_free() */
};

/*
 * Take one apart whose scheme is this ("http"), or this and an 's'. A fragment is left out. 0, -EINVAL with a message, or
 * -ENOMEM.
 */
int green__url_parse(const char *url, const char *scheme, struct green__url *ret);

/*
 * RFC 3986 5.2: what a reference means that stands at base, which is an absolute URL with an authority. *ret_url is for
 * green_free(). 0 or -ENOMEM.
 */
int green__url_resolve(const char *base, const char *reference, char **ret_url);

#endif
