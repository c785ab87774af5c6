/*
 * Names of files for Windows. See wide_win32.h.
 */
#include "wide_win32.h"

#include <errno.h>
#include <stdbool.h>

#include <winsock2.h>

#include "error_win32.h"

int
green__wide_name(const char *name, wchar_t wide[GREEN__WIDE_SIZE])
{
        if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, wide, GREEN__WIDE_SIZE) > 0)
                return 0;
        return GetLastError() == ERROR_INSUFFICIENT_BUFFER ? -ENAMETOOLONG : -EILSEQ;
}

static bool
is_folder(const wchar_t *name, bool *ret_there)
{
        DWORD attributes = GetFileAttributesW(name);

        *ret_there = attributes != INVALID_FILE_ATTRIBUTES;
        return *ret_there && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* Of the parts before the last one, the longest that is there. */
static bool
leads_through_a_file(wchar_t *name)
{
        for (size_t i = wcslen(name); i > 1; i--) {
                wchar_t slash = name[i - 1];
                bool there, folder;

                if (slash != L'/' && slash != L'\\')
                        continue;
                name[i - 1] = L'\0';
                folder = is_folder(name, &there);
                name[i - 1] = slash;
                if (there)
                        return !folder;
        }
        return false;
}

int
green__wide_code(wchar_t *name, unsigned long error)
{
        bool there;

        if (error == ERROR_ACCESS_DENIED && is_folder(name, &there))
                return -EISDIR;
        if (error == ERROR_PATH_NOT_FOUND && leads_through_a_file(name))
                return -ENOTDIR;
        return green__win32_code(error);
}
