/*
 * Names of files for Windows. See wide_win32.h.
 */
#include "wide_win32.h"

#include <errno.h>

#include <winsock2.h>

int
green__wide_name(const char *name, wchar_t wide[GREEN__WIDE_SIZE])
{
        if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, wide, GREEN__WIDE_SIZE) > 0)
                return 0;
        return GetLastError() == ERROR_INSUFFICIENT_BUFFER ? -ENAMETOOLONG : -EILSEQ;
}
