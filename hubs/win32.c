/*
 * What the hubs of Windows share: see win32.h.
 */
#include "win32.h"

#include <errno.h>

enum {
        GREEN__WIN32_ROOM = 64, /* places of the first table */
};

int
green__win32_start(void)
{
        static LONG started;
        WSADATA data;
        int code;

        if (InterlockedCompareExchange(&started, 1, 1) == 1)
                return 0;
        code = WSAStartup(MAKEWORD(2, 2), &data);
        if (code != 0)
                return green__win32_error((unsigned long)code);
        /* It is counted: of two OS threads that were here, one takes it back. */
        if (InterlockedExchange(&started, 1) == 1)
                WSACleanup();
        return 0;
}

/* ---- codes */

/* Those of sockets begin at 10000, those of the system are small, and mean the same wherever they come from. */
static const struct {
        unsigned short code;
        unsigned char error;
} green__win32_errors[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT},
        {ERROR_PATH_NOT_FOUND, ENOENT},
        {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
        {ERROR_ACCESS_DENIED, EACCES},
        {ERROR_INVALID_HANDLE, EBADF},
        {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
        {ERROR_OUTOFMEMORY, ENOMEM},
        {ERROR_SHARING_VIOLATION, EBUSY},
        {ERROR_LOCK_VIOLATION, EACCES},
        {ERROR_HANDLE_DISK_FULL, ENOSPC},
        {ERROR_NOT_SUPPORTED, ENOTSUP},
        {ERROR_BAD_NETPATH, EHOSTUNREACH},
        {ERROR_NETNAME_DELETED, ECONNRESET},
        {ERROR_INVALID_PARAMETER, EINVAL},
        {ERROR_BROKEN_PIPE, EPIPE},
        {ERROR_DISK_FULL, ENOSPC},
        {ERROR_SEM_TIMEOUT, ETIMEDOUT},
        {ERROR_INVALID_FUNCTION, ENOTSUP},
        {ERROR_BAD_PIPE, EPIPE},
        {ERROR_NO_DATA, EPIPE},
        {ERROR_PIPE_NOT_CONNECTED, EPIPE},
        {ERROR_NOACCESS, EFAULT},
        {ERROR_OPERATION_ABORTED, ECANCELED},
        {ERROR_NO_SYSTEM_RESOURCES, ENOBUFS},
        {ERROR_WORKING_SET_QUOTA, ENOBUFS},
        {ERROR_CONNECTION_REFUSED, ECONNREFUSED},
        {ERROR_GRACEFUL_DISCONNECT, EPIPE},
        {ERROR_ADDRESS_ALREADY_ASSOCIATED, EADDRINUSE},
        {ERROR_ADDRESS_NOT_ASSOCIATED, EADDRNOTAVAIL},
        {ERROR_CONNECTION_INVALID, ENOTCONN},
        {ERROR_NETWORK_UNREACHABLE, ENETUNREACH},
        {ERROR_HOST_UNREACHABLE, EHOSTUNREACH},
        {ERROR_PROTOCOL_UNREACHABLE, ENETUNREACH},
        /* Of a datagram, as Linux says it of a connected one. */
        {ERROR_PORT_UNREACHABLE, ECONNREFUSED},
        {ERROR_REQUEST_ABORTED, ECONNABORTED},
        {ERROR_CONNECTION_ABORTED, ECONNABORTED},
        {ERROR_TIMEOUT, ETIMEDOUT},
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
        {WSAETIMEDOUT, ETIMEDOUT},
        {WSAECONNREFUSED, ECONNREFUSED},
        {WSAEHOSTDOWN, EHOSTUNREACH},
        {WSAEHOSTUNREACH, EHOSTUNREACH},
        {WSAEPROCLIM, EAGAIN},
        {WSASYSNOTREADY, ENETDOWN},
        {WSAVERNOTSUPPORTED, ENOSYS},
        {WSAEDISCON, EPIPE},
        {WSAECANCELLED, ECANCELED},
};

int
green__win32_error(unsigned long code)
{
        for (size_t i = 0; i < sizeof green__win32_errors / sizeof green__win32_errors[0]; i++) {
                if (green__win32_errors[i].code == code)
                        return -green__win32_errors[i].error;
        }
        return -EIO;
}

int
green__win32_check(green_fd fd)
{
        int type, len = sizeof type;
        DWORD unused;

        /* That number is also the handle of the process itself. */
        if (fd == GREEN_INVALID_FD)
                return -EBADF;
        if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, (char *)&type, &len) == 0)
                return 0;
        if (!GetHandleInformation((HANDLE)fd, &unused))
                return -EBADF;
        return GetFileType((HANDLE)fd) == FILE_TYPE_DISK ? -EPERM : -ENOTSOCK;
}

/* ---- time */

int64_t
green__win32_clock(void)
{
        LARGE_INTEGER now, frequency;
        int64_t seconds;

        QueryPerformanceFrequency(&frequency);
        QueryPerformanceCounter(&now);
        seconds = now.QuadPart / frequency.QuadPart;
        return seconds * 1000000000 + now.QuadPart % frequency.QuadPart * 1000000000 / frequency.QuadPart;
}

DWORD
green__win32_milliseconds(int64_t limit_ns)
{
        int64_t ms = limit_ns / 1000000 + (limit_ns % 1000000 != 0);

        if (limit_ns < 0)
                return INFINITE;
        return ms < INT32_MAX ? (DWORD)ms : INT32_MAX;
}

/* ---- the table */

/* Where to look for it first. Handles are multiples of four. */
static size_t
win32_home(const struct green__win32_table *table, green_fd fd)
{
        return (size_t)((((uint64_t)fd >> 2) * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (table->room - 1);
}

struct green__win32_node *
green__win32_find(const struct green__win32_table *table, green_fd fd)
{
        if (table->count == 0)
                return NULL;
        for (size_t i = win32_home(table, fd); table->places[i] != NULL; i = (i + 1) & (table->room - 1)) {
                if (table->places[i]->fd == fd)
                        return table->places[i];
        }
        return NULL;
}

void
green__win32_put(struct green__win32_table *table, struct green__win32_node *node)
{
        size_t i = win32_home(table, node->fd);

        while (table->places[i] != NULL)
                i = (i + 1) & (table->room - 1);
        table->places[i] = node;
        table->count++;
}

int
green__win32_reserve(struct green__win32_table *table)
{
        struct green__win32_table larger = {.config = table->config,
                                            .room = table->room > 0 ? 2 * table->room : GREEN__WIN32_ROOM};

        if (2 * (table->count + 1) <= table->room)
                return 0;
        larger.places = table->config->realloc(NULL, larger.room * sizeof(struct green__win32_node *));
        if (larger.places == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < larger.room; i++)
                larger.places[i] = NULL;
        for (size_t i = 0; i < table->room; i++) {
                if (table->places[i] != NULL)
                        green__win32_put(&larger, table->places[i]);
        }
        table->config->free(table->places);
        *table = larger;
        return 0;
}

void
green__win32_take(struct green__win32_table *table, const struct green__win32_node *node)
{
        size_t mask = table->room - 1;
        size_t hole = win32_home(table, node->fd);

        while (table->places[hole] != node)
                hole = (hole + 1) & mask;
        /* Whoever stands behind moves up, unless it would come to stand before its home. */
        for (size_t i = (hole + 1) & mask; table->places[i] != NULL; i = (i + 1) & mask) {
                if (((i - win32_home(table, table->places[i]->fd)) & mask) < ((i - hole) & mask))
                        continue;
                table->places[hole] = table->places[i];
                hole = i;
        }
        table->places[hole] = NULL;
        table->count--;
}

void
green__win32_clear(struct green__win32_table *table)
{
        for (size_t i = 0; i < table->room; i++)
                table->config->free(table->places[i]);
        table->config->free(table->places);
        table->places = NULL;
        table->room = table->count = 0;
}
