/*
 * What the tests of files do by the system's calls on Windows: those that green-net's library imports are replaced. See
 * net_file.h, which includes it.
 */
#ifndef GREEN_TESTS_NET_FILE_WIN32_H
#define GREEN_TESTS_NET_FILE_WIN32_H

#include <windows.h>

#include <green/patch.h>

#undef ERROR

#define TMP_NAME "TMP"
#define TMP_DEFAULT "C:\\Windows\\Temp"
#define MODE(mode) (((mode)&0200) != 0 ? 0666 : 0444)
#define FILES_HAVE_OPERATIONS false
#define TEMPORARY_NAMES 1
#define SYNCS_OF_WRITE_ALL 1 /* that of the folder is the system's */

#define SLOW(type, name, params, args)                                                                                 \
        static type(WINAPI *real_##name) params;                                                                       \
        static type WINAPI slow_##name params                                                                          \
        {                                                                                                              \
                take_time();                                                                                           \
                return real_##name args;                                                                               \
        }
SLOW(HANDLE, CreateFileW,
     (LPCWSTR path, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES sa, DWORD how, DWORD flags, HANDLE like),
     (path, access, share, sa, how, flags, like))
SLOW(BOOL, ReadFile, (HANDLE file, LPVOID buf, DWORD len, LPDWORD n, LPOVERLAPPED at), (file, buf, len, n, at))
SLOW(BOOL, WriteFile, (HANDLE file, LPCVOID buf, DWORD len, LPDWORD n, LPOVERLAPPED at), (file, buf, len, n, at))
SLOW(BOOL, FlushFileBuffers, (HANDLE file), (file + 0 * atomic_fetch_add(&syncs, 1)))
SLOW(BOOL, SetFileInformationByHandle, (HANDLE file, FILE_INFO_BY_HANDLE_CLASS what, LPVOID info, DWORD size),
     (file, what, info, size))
SLOW(BOOL, GetFileInformationByHandle, (HANDLE file, LPBY_HANDLE_FILE_INFORMATION info), (file, info))
SLOW(HANDLE, FindFirstFileExW,
     (LPCWSTR path, FINDEX_INFO_LEVELS level, LPVOID data, FINDEX_SEARCH_OPS op, LPVOID filter, DWORD flags),
     (path, level, data, op, filter, flags))

#define ROW(name)                                                                                                      \
        {                                                                                                              \
                #name, (void (*)(void))slow_##name, (void (**)(void))&real_##name                                      \
        }

static void
watch_calls(void)
{
        static const struct green_patch_symbol calls[] = {
                ROW(CreateFileW),
                ROW(ReadFile),
                ROW(WriteFile),
                ROW(FlushFileBuffers),
                ROW(SetFileInformationByHandle),
                ROW(GetFileInformationByHandle),
                ROW(FindFirstFileExW),
                {NULL, NULL, NULL},
        };
        static bool done;

        if (!done)
                CHECK_INT(green_inject(GetModuleHandleA("libgreen-net-0.dll"), calls), 7);
        done = true;
}

static void
remove_folder(void)
{
        char path[sizeof folder], command[128];

        for (size_t i = 0; i < sizeof path; i++)
                path[i] = folder[i] == '/' ? '\\' : folder[i];
        snprintf(command, sizeof command, "rmdir /s /q %s", path);
        CHECK_INT(system(command), 0);
}

#endif
