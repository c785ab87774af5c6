/*
 * What a log file asks of the system: Windows. See access_log_priv.h.
 */
#include <winsock2.h>

#include <windows.h>

#include "access_log_priv.h"

/* Others may read it meanwhile, write to it, and give it another name. */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static int
last_error(void)
{
        switch (GetLastError()) {
        case ERROR_FILE_NOT_FOUND:
        case ERROR_PATH_NOT_FOUND:
        case ERROR_INVALID_NAME: return -ENOENT;
        case ERROR_ACCESS_DENIED:
        case ERROR_SHARING_VIOLATION: return -EACCES;
        case ERROR_DISK_FULL:
        case ERROR_HANDLE_DISK_FULL: return -ENOSPC;
        case ERROR_TOO_MANY_OPEN_FILES: return -EMFILE;
        case ERROR_BROKEN_PIPE:
        case ERROR_NO_DATA: return -EPIPE;
        default: return -EIO;
        }
}

int
green__log_file_open(const char *path, unsigned mode, intptr_t *ret_file)
{
        int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
        wchar_t *wide = n > 0 ? green_calloc((size_t)n, sizeof *wide) : NULL;
        HANDLE file;
        int rc = 0;

        (void)mode;
        if (wide == NULL)
                return n > 0 ? -ENOMEM : -EINVAL;
        (void)MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, n);
        /* With this right alone each write goes behind all that is there, whoever has written it. */
        file = CreateFileW(wide, FILE_APPEND_DATA | SYNCHRONIZE, SHARE_ALL, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
        if (file == INVALID_HANDLE_VALUE)
                rc = last_error();
        else
                *ret_file = (intptr_t)file;
        green_free(wide);
        return rc;
}

ssize_t
green__log_file_write(intptr_t file, const char *data, size_t len)
{
        DWORD n = 0, most = len < 1u << 30 ? (DWORD)len : 1u << 30;

        if (!WriteFile((HANDLE)file, data, most, &n, NULL))
                return last_error();
        return n == 0 ? -ENOSPC : (ssize_t)n;
}

void
green__log_file_close(intptr_t file)
{
        (void)CloseHandle((HANDLE)file);
}

int
green__log_thread(pthread_t *ret_thread, void *(*fn)(void *), void *arg)
{
        return pthread_create(ret_thread, NULL, fn, arg) == 0 ? 0 : -EAGAIN;
}

void
green__log_pause(unsigned milliseconds)
{
        Sleep(milliseconds);
}

int
green__log_hangup(void)
{
        return 0;
}
