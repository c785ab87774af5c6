/*
 * Names of the system's error numbers, for messages.
 */
#include <errno.h>
#include <stddef.h>

#include "hub_priv.h"

/* What Windows has no number for. */
#if defined(EDQUOT)
#define MORE_NAMES(X) X(EDQUOT) X(EHOSTDOWN) X(ESHUTDOWN) X(ESTALE)
#else
#define MORE_NAMES(X)
#endif

#define NAMES(X)                                                                                                       \
        MORE_NAMES(X) X(E2BIG) X(EBADMSG) X(EACCES) X(EADDRINUSE) X(EADDRNOTAVAIL) X(EAFNOSUPPORT) X(EAGAIN) X(EALREADY) X(EBADF) X(EBUSY)       \
        X(ECANCELED) X(ECHILD) X(ECONNABORTED) X(ECONNREFUSED) X(ECONNRESET) X(EDEADLK) X(EDESTADDRREQ) X(EDOM)         \
        X(EEXIST) X(EFAULT) X(EFBIG) X(EHOSTUNREACH) X(EILSEQ) X(EINPROGRESS) X(EINTR) X(EINVAL) X(EIO) X(EISCONN)      \
        X(EISDIR) X(ELOOP) X(EMFILE) X(EMLINK) X(EMSGSIZE) X(ENAMETOOLONG) X(ENETDOWN) X(ENETRESET) X(ENETUNREACH)      \
        X(ENFILE) X(ENOBUFS) X(ENODEV) X(ENOENT) X(ENOEXEC) X(ENOLCK) X(ENOMEM) X(ENOPROTOOPT) X(ENOSPC) X(ENOSYS)      \
        X(ENOTCONN) X(ENOTDIR) X(ENOTEMPTY) X(ENOTSOCK) X(ENOTSUP) X(ENOTTY) X(ENXIO) X(EOVERFLOW) X(EPERM) X(EPIPE)    \
        X(EPROTO) X(EPROTONOSUPPORT) X(EPROTOTYPE) X(ERANGE) X(EROFS) X(ESPIPE) X(ESRCH) X(ETIMEDOUT) X(ETXTBSY) X(EXDEV)

static const struct {
        int number;
        const char *name;
} names[] = {
#define ENTRY(name) {name, #name},
        NAMES(ENTRY)
#undef ENTRY
};

const char *
green__errno_name(int number)
{
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (names[i].number == number)
                        return names[i].name;
        return NULL;
}
