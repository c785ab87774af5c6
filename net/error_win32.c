/*
 * Windows' error numbers as ours. See error_win32.h.
 */
#include "error_win32.h"

#include <errno.h>
#include <stddef.h>

#include <winsock2.h>

struct row {
        unsigned long theirs;
        int ours;
};

static const struct row of_sockets[] = {
        {WSAEINTR, EINTR},
        {WSAEBADF, EBADF},
        {WSAEACCES, EACCES},
        {WSAEFAULT, EFAULT},
        {WSAEINVAL, EINVAL},
        {WSAEMFILE, EMFILE},
        {WSAEWOULDBLOCK, EAGAIN},
        {WSAEINPROGRESS, EINPROGRESS},
        {WSAEALREADY, EALREADY},
        {WSAENOTSOCK, ENOTSOCK},
        {WSAEDESTADDRREQ, EDESTADDRREQ},
        {WSAEMSGSIZE, EMSGSIZE},
        {WSAEPROTOTYPE, EPROTOTYPE},
        {WSAENOPROTOOPT, ENOPROTOOPT},
        {WSAEPROTONOSUPPORT, EPROTONOSUPPORT},
        {WSAESOCKTNOSUPPORT, EPROTONOSUPPORT},
        {WSAEOPNOTSUPP, EOPNOTSUPP},
        {WSAEPFNOSUPPORT, EAFNOSUPPORT},
        {WSAEAFNOSUPPORT, EAFNOSUPPORT},
        {WSAEADDRINUSE, EADDRINUSE},
        {WSAEADDRNOTAVAIL, EADDRNOTAVAIL},
        {WSAENETDOWN, ENETDOWN},
        {WSAENETUNREACH, ENETUNREACH},
        {WSAENETRESET, ENETRESET},
        {WSAECONNABORTED, ECONNABORTED},
        {WSAECONNRESET, ECONNRESET},
        {WSAENOBUFS, ENOBUFS},
        {WSAEISCONN, EISCONN},
        {WSAENOTCONN, ENOTCONN},
        {WSAESHUTDOWN, EPIPE},
        {WSAEDISCON, EPIPE},
        {WSAETIMEDOUT, ETIMEDOUT},
        {WSAECONNREFUSED, ECONNREFUSED},
        {WSAELOOP, ELOOP},
        {WSAENAMETOOLONG, ENAMETOOLONG},
        {WSAEHOSTDOWN, EHOSTUNREACH},
        {WSAEHOSTUNREACH, EHOSTUNREACH},
        {WSA_OPERATION_ABORTED, ECANCELED},
        {WSA_INVALID_HANDLE, EBADF},
        {WSA_NOT_ENOUGH_MEMORY, ENOMEM},
        {WSANOTINITIALISED, ENETDOWN},
        {WSASYSNOTREADY, ENETDOWN},
};

static const struct row of_files[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT},
        {ERROR_PATH_NOT_FOUND, ENOENT},
        {ERROR_INVALID_NAME, ENOENT},
        {ERROR_BAD_PATHNAME, ENOENT},
        {ERROR_INVALID_DRIVE, ENOENT},
        {ERROR_BAD_NETPATH, ENOENT},
        {ERROR_DIRECTORY, ENOTDIR},
        {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
        {ERROR_ACCESS_DENIED, EACCES},
        {ERROR_SHARING_VIOLATION, EACCES},
        {ERROR_LOCK_VIOLATION, EACCES},
        {ERROR_WRITE_PROTECT, EROFS},
        {ERROR_INVALID_HANDLE, EBADF},
        {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
        {ERROR_OUTOFMEMORY, ENOMEM},
        {ERROR_NOT_SAME_DEVICE, EXDEV},
        {ERROR_FILE_EXISTS, EEXIST},
        {ERROR_ALREADY_EXISTS, EEXIST},
        {ERROR_INVALID_PARAMETER, EINVAL},
        {ERROR_NEGATIVE_SEEK, EINVAL},
        {ERROR_BROKEN_PIPE, EPIPE},
        {ERROR_NO_DATA, EPIPE},
        {ERROR_PIPE_NOT_CONNECTED, EPIPE},
        {ERROR_DISK_FULL, ENOSPC},
        {ERROR_HANDLE_DISK_FULL, ENOSPC},
        {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
        {ERROR_BUSY, EBUSY},
        {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
        {ERROR_NOT_SUPPORTED, ENOTSUP},
        {ERROR_BAD_EXE_FORMAT, ENOEXEC},
        {ERROR_EXE_MACHINE_TYPE_MISMATCH, ENOEXEC},
        {ERROR_OPERATION_ABORTED, ECANCELED},
        {ERROR_NO_UNICODE_TRANSLATION, EILSEQ},
};

static int
find(const struct row *rows, size_t n, unsigned long error, int otherwise)
{
        for (size_t i = 0; i < n; i++)
                if (rows[i].theirs == error)
                        return -rows[i].ours;
        return -otherwise;
}

int
green__wsa_code(int error)
{
        return find(of_sockets, sizeof of_sockets / sizeof of_sockets[0], (unsigned long)error, EIO);
}

int
green__win32_code(unsigned long error)
{
        return find(of_files, sizeof of_files / sizeof of_files[0], error, EIO);
}
