/*
 * What a client takes, and what a response is.
 */
#ifndef GREEN_HTTP_ACCEPT_PRIV_H
#define GREEN_HTTP_ACCEPT_PRIV_H

#include <green/wsgi.h>

/* How much the client likes a coding, "gzip", in thousandths (RFC 9110 12.5.3): 0: it does not take it. */
int green__encoding_wanted(green_wsgi_request *req, const char *coding);

/* Is this media type, whose parameters do not count, text in the wider sense, which gets smaller by compression? */
bool green__type_compresses(const char *type);

/* Is it one of those, "text/html" or "text/" with a star, ended by NULL? */
bool green__type_among(const char *type, const char *const *types);

#endif
