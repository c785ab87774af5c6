/*
 * What the C library says of an errno value, on Windows: it has the numbers of POSIX, and no texts for them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const struct {
        int number;
        const char *text;
} texts[] = {
        {EADDRINUSE, "address already in use"},
        {EADDRNOTAVAIL, "cannot assign requested address"},
        {EAFNOSUPPORT, "address family not supported"},
        {EALREADY, "operation already in progress"},
        {EBADMSG, "bad message"},
        {ECANCELED, "operation canceled"},
        {ECONNABORTED, "connection aborted"},
        {ECONNREFUSED, "connection refused"},
        {ECONNRESET, "connection reset by peer"},
        {EDESTADDRREQ, "destination address required"},
        {EHOSTUNREACH, "no route to host"},
        {EINPROGRESS, "operation now in progress"},
        {EISCONN, "already connected"},
        {ELOOP, "too many symbolic links"},
        {EMSGSIZE, "message too long"},
        {ENETDOWN, "network is down"},
        {ENETRESET, "connection reset by network"},
        {ENETUNREACH, "network is unreachable"},
        {ENOBUFS, "no buffer space available"},
        {ENOPROTOOPT, "protocol not available"},
        {ENOTCONN, "not connected"},
        {ENOTSOCK, "not a socket"},
        {ENOTSUP, "not supported"},
        {EOPNOTSUPP, "operation not supported"},
        {EOVERFLOW, "value too large"},
        {EPROTO, "protocol error"},
        {EPROTONOSUPPORT, "protocol not supported"},
        {EPROTOTYPE, "protocol of the wrong type for the socket"},
        {ETIMEDOUT, "timed out"},
        {ETXTBSY, "file busy"},
        {EWOULDBLOCK, "operation would block"},
};

const char *
green__sys_error_text(int number, char *buf, size_t size)
{
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                if (texts[i].number == number)
                        return texts[i].text;
        if (strerror_s(buf, size, number) != 0)
                snprintf(buf, size, "unknown code %d", -number);
        return buf;
}
