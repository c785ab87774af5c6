/*
 * What the resolver needs of the system, on Windows. See dns_priv.h.
 *
 * Name servers are the system resolver's there: whoever wants to ask one says which, green_dns_opts::servers.
 */
#define _CRT_RAND_S
#include <stdlib.h>

#include "dns_priv.h"

#include <sys/stat.h>

#include "inet.h"
#include "sock_win32.h"
#include "wide_win32.h"

const char green__dns_hosts_path[] = "C:\\Windows\\System32\\drivers\\etc\\hosts";
const char green__dns_resolv_path[] = "";

/* More than any hosts file has: block lists have 10 MB. */
#define LARGEST ((int64_t)256 << 20)

bool
green__dns_loose_ip4(const char *text, struct in_addr *ret_in)
{
        ret_in->s_addr = inet_addr(text);
        return ret_in->s_addr != INADDR_NONE || inet_pton(AF_INET, text, ret_in) == 1;
}

void
green__dns_stamp(const char *path, struct green__dns_stamp *ret_stamp)
{
        wchar_t wide[GREEN__WIDE_SIZE];
        struct _stat64 st;

        memset(ret_stamp, 0, sizeof *ret_stamp); /* it is compared as bytes */
        if (green__wide_name(path, wide) != 0 || _wstat64(wide, &st) != 0)
                return;
        ret_stamp->there = 1;
        ret_stamp->seconds = st.st_mtime;
        ret_stamp->size = st.st_size;
        ret_stamp->device = (uint64_t)st.st_dev;
        ret_stamp->file = (uint64_t)st.st_ino;
}

/* As much as there is, of what the file had when it was opened. */
static size_t
read_all(HANDLE file, char *text, size_t size)
{
        size_t len = 0;
        DWORD n;

        while (len < size && ReadFile(file, text + len, (DWORD)(size - len), &n, NULL) && n > 0)
                len += n;
        return len;
}

int
green__dns_read_file(const char *path, char **ret_text, size_t *ret_len)
{
        wchar_t wide[GREEN__WIDE_SIZE];
        LARGE_INTEGER size;
        HANDLE file;
        int rc = 0;

        *ret_text = NULL;
        *ret_len = 0;
        if (green__wide_name(path, wide) != 0)
                return 0;
        file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                           OPEN_EXISTING, 0, NULL);
        if (file == INVALID_HANDLE_VALUE)
                return 0;
        if (GetFileType(file) == FILE_TYPE_DISK && GetFileSizeEx(file, &size) && size.QuadPart > 0 &&
            size.QuadPart <= LARGEST) {
                char *text = green_malloc((size_t)size.QuadPart + 1);

                if (text == NULL) {
                        rc = -ENOMEM;
                } else {
                        *ret_len = read_all(file, text, (size_t)size.QuadPart);
                        text[*ret_len] = '\0';
                        *ret_text = text;
                }
        }
        CloseHandle(file);
        return rc;
}

/* c-ares goes on after one only; all else is the end of the socket to it. */
void
green__dns_socket_error(int code)
{
        WSASetLastError(code == -EAGAIN || code == -EINPROGRESS ? WSAEWOULDBLOCK : WSAECONNREFUSED);
}

uint64_t
green__dns_random(void)
{
        unsigned low = 0, high = 0;

        (void)rand_s(&low);
        (void)rand_s(&high);
        return (uint64_t)high << 32 | low;
}

static bool
is_up(const IP_ADAPTER_ADDRESSES *a)
{
        return a->OperStatus == IfOperStatusUp && a->IfType != IF_TYPE_SOFTWARE_LOOPBACK &&
               a->FirstUnicastAddress != NULL;
}

bool
green__dns_has_family(int family)
{
        enum { FLAGS = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER };
        ULONG size = 16384, rc = ERROR_BUFFER_OVERFLOW;
        IP_ADAPTER_ADDRESSES *list = NULL;
        bool found = false;

        /* It may grow between two calls. */
        for (int tries = 0; tries < 4 && rc == ERROR_BUFFER_OVERFLOW; tries++) {
                green_free(list);
                list = green_malloc(size);
                if (list == NULL)
                        return true;
                rc = GetAdaptersAddresses((ULONG)family, FLAGS, NULL, list, &size);
        }
        if (rc != NO_ERROR && rc != ERROR_NO_DATA)
                found = true;
        for (const IP_ADAPTER_ADDRESSES *a = list; rc == NO_ERROR && a != NULL && !found; a = a->Next)
                found = is_up(a);
        green_free(list);
        return found;
}
