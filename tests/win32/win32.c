/* See win32.h. */
#include "win32.h"

#include <direct.h>
#include <dlfcn.h>
#include <errno.h>
#include <io.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <windows.h>

#undef socket
#undef system

static __attribute__((constructor)) void
begin(void)
{
        WSADATA data;

        (void)WSAStartup(MAKEWORD(2, 2), &data);
}

/* -1, with errno of what Winsock said. */
static int
failed(void)
{
        static const struct {
                int theirs, ours;
        } codes[] = {
                {WSAEWOULDBLOCK, EAGAIN},
                {WSAENOTSOCK, EBADF},
                {WSAECONNRESET, ECONNRESET},
                {WSAECONNABORTED, ECONNABORTED},
                {WSAECONNREFUSED, ECONNREFUSED},
                {WSAESHUTDOWN, EPIPE},
                {WSAENOTCONN, ENOTCONN},
                {WSAEINVAL, EINVAL},
                {WSAEADDRINUSE, EADDRINUSE},
                {WSAEMFILE, EMFILE},
        };
        int error = WSAGetLastError();

        errno = EIO;
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
                if (codes[i].theirs == error)
                        errno = codes[i].ours;
        return -1;
}

static int
refused(void)
{
        errno = ENOSYS;
        return -1;
}

static int
unblock(int fd, bool on)
{
        unsigned long flag = on;

        return ioctlsocket((SOCKET)fd, (long)FIONBIO, &flag) == 0 ? 0 : failed();
}

static bool
is_socket(int fd)
{
        int type, len = sizeof type;

        return fd > 2 && getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, (char *)&type, &len) == 0;
}

/* ---- sockets */

int
win32_socket(int family, int type, int protocol)
{
        SOCKET fd = socket(family, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);

        if (fd == INVALID_SOCKET)
                return failed();
        if (type & SOCK_NONBLOCK)
                (void)unblock((int)fd, true);
        return (int)fd;
}

int
win32_accept4(int fd, struct sockaddr *name, socklen_t *len, int flags)
{
        SOCKET peer = accept((SOCKET)fd, name, len);

        if (peer == INVALID_SOCKET)
                return failed();
        (void)unblock((int)peer, (flags & SOCK_NONBLOCK) != 0);
        return (int)peer;
}

/* As little as a Unix socket takes before its peer reads. */
static void
set_room(SOCKET s)
{
        int room = 65536;

        (void)setsockopt(s, SOL_SOCKET, SO_SNDBUF, (const char *)&room, sizeof room);
        (void)setsockopt(s, SOL_SOCKET, SO_RCVBUF, (const char *)&room, sizeof room);
}

/* Over UDP on loopback. */
static bool
datagram_pair(SOCKET pair[2])
{
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, bound[2];

        for (int i = 0; i < 2; i++) {
                int len = sizeof bound[i];

                pair[i] = socket(AF_INET, SOCK_DGRAM, 0);
                if (pair[i] == INVALID_SOCKET || bind(pair[i], (struct sockaddr *)&name, sizeof name) != 0 ||
                    getsockname(pair[i], (struct sockaddr *)&bound[i], &len) != 0)
                        return false;
        }
        return connect(pair[0], (struct sockaddr *)&bound[1], sizeof bound[1]) == 0 &&
               connect(pair[1], (struct sockaddr *)&bound[0], sizeof bound[0]) == 0;
}

/* Over TCP on loopback. */
static bool
connect_pair(SOCKET listener, SOCKET pair[2])
{
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int len = sizeof name, one = 1;

        pair[0] = socket(AF_INET, SOCK_STREAM, 0);
        set_room(pair[0]);
        set_room(listener); /* for what it accepts */
        if (pair[0] == INVALID_SOCKET || bind(listener, (struct sockaddr *)&name, len) != 0 || listen(listener, 1) != 0 ||
            getsockname(listener, (struct sockaddr *)&name, &len) != 0 ||
            connect(pair[0], (struct sockaddr *)&name, len) != 0)
                return false;
        pair[1] = accept(listener, NULL, NULL);
        if (pair[1] == INVALID_SOCKET)
                return false;
        for (int i = 0; i < 2; i++)
                (void)setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof one);
        return true;
}

static bool
stream_pair(SOCKET pair[2])
{
        SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
        bool good = listener != INVALID_SOCKET && connect_pair(listener, pair);
        int error = WSAGetLastError();

        closesocket(listener);
        WSASetLastError(error);
        return good;
}

int
win32_socketpair(int family, int type, int protocol, int fds[2])
{
        SOCKET pair[2] = {INVALID_SOCKET, INVALID_SOCKET};
        bool datagrams = (type & 0xf) == SOCK_DGRAM;

        (void)family;
        (void)protocol;
        if (!datagrams && (type & 0xf) != SOCK_STREAM)
                return refused();
        if (!(datagrams ? datagram_pair(pair) : stream_pair(pair))) {
                int rc = failed();

                closesocket(pair[0]);
                closesocket(pair[1]);
                return rc;
        }
        for (int i = 0; i < 2; i++) {
                fds[i] = (int)pair[i];
                (void)unblock(fds[i], (type & SOCK_NONBLOCK) != 0);
        }
        return 0;
}

ssize_t
win32_send(int fd, const void *bytes, size_t len, int flags)
{
        int n = send((SOCKET)fd, bytes, (int)len, flags & ~MSG_DONTWAIT);

        return n < 0 ? failed() : n;
}

ssize_t
win32_recv(int fd, void *bytes, size_t len, int flags)
{
        int n = recv((SOCKET)fd, bytes, (int)len, flags & ~MSG_DONTWAIT);

        return n < 0 ? failed() : n;
}

int
win32_poll(struct pollfd *fds, unsigned long n, int timeout)
{
        int rc;

        if (n == 0) {
                Sleep(timeout < 0 ? INFINITE : (DWORD)timeout);
                return 0;
        }
        rc = WSAPoll(fds, n, timeout);
        return rc < 0 ? failed() : rc;
}

/* In the place of the C library's, which know files only. */

int
read(int fd, void *bytes, unsigned len)
{
        if (is_socket(fd))
                return (int)win32_recv(fd, bytes, len, 0);
        return win32_is_handle(fd) ? win32_file_read(fd, bytes, len) : _read(fd, bytes, len);
}

int
write(int fd, const void *bytes, unsigned len)
{
        if (is_socket(fd))
                return (int)win32_send(fd, bytes, len, 0);
        return win32_is_handle(fd) ? win32_file_write(fd, bytes, len) : _write(fd, bytes, len);
}

int
close(int fd)
{
        if (is_socket(fd))
                return closesocket((SOCKET)fd) == 0 ? 0 : failed();
        if (fd >= 0 && fd < 64 && _get_osfhandle(fd) != -1)
                return _close(fd);
        if (win32_is_handle(fd))
                return win32_file_close(fd);
        errno = EBADF;
        return -1;
}

/* The C library's own returns 0. */
int
dup2(int from, int to)
{
        return _dup2(from, to) == 0 ? to : -1;
}

int
pipe2(int fds[2], int flags)
{
        return win32_socketpair(AF_UNIX, SOCK_STREAM | (flags & O_NONBLOCK), 0, fds);
}

int
pipe(int fds[2])
{
        return pipe2(fds, 0);
}

int
fcntl(int fd, int command, ...)
{
        va_list values;
        int value = 0;

        if (command == F_GETFD)
                return win32_get_fd(fd);
        if (!is_socket(fd)) {
                /* Of a file nothing more is known. */
                if (command == F_GETFL && win32_is_handle(fd))
                        return 0;
                errno = EBADF;
                return -1;
        }
        if (command != F_SETFL)
                return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? refused() : 0;
        va_start(values, command);
        value = va_arg(values, int);
        va_end(values);
        return unblock(fd, (value & O_NONBLOCK) != 0);
}

/* ---- the rest */

int
setenv(const char *name, const char *value, int overwrite)
{
        if (!overwrite && getenv(name) != NULL)
                return 0;
        return _putenv_s(name, value) == 0 ? 0 : -1;
}

int
unsetenv(const char *name)
{
        return _putenv_s(name, "") == 0 ? 0 : -1;
}

char *
strsep(char **rest, const char *ends)
{
        char *begin = *rest;

        if (begin == NULL)
                return NULL;
        *rest = begin + strcspn(begin, ends);
        if (**rest != '\0')
                *(*rest)++ = '\0';
        else
                *rest = NULL;
        return begin;
}

pid_t
win32_fork(void)
{
        return refused();
}

pid_t
waitpid(pid_t pid, int *ret_status, int options)
{
        (void)pid;
        (void)ret_status;
        (void)options;
        return refused();
}

int
kill(pid_t pid, int sig)
{
        (void)pid;
        (void)sig;
        return refused();
}

pid_t
getppid(void)
{
        return refused();
}

pid_t
getpgrp(void)
{
        return refused();
}

pid_t
getpgid(pid_t pid)
{
        (void)pid;
        return refused();
}

pid_t
getsid(pid_t pid)
{
        (void)pid;
        return refused();
}

int
waitid(int kind, id_t id, void *ret_info, int options)
{
        (void)kind;
        (void)id;
        (void)ret_info;
        (void)options;
        return refused();
}

unsigned
geteuid(void)
{
        return 1;
}

void *
memmem(const void *text, size_t len, const void *part, size_t part_len)
{
        for (const char *at = text, *end = at + len; (size_t)(end - at) >= part_len; at++)
                if (memcmp(at, part, part_len) == 0)
                        return (void *)(uintptr_t)at;
        return NULL;
}

static bool
remove_all(const char *folder)
{
        WIN32_FIND_DATAA found;
        char path[MAX_PATH];
        HANDLE search;
        bool good = true;

        snprintf(path, sizeof path, "%s/*", folder);
        search = FindFirstFileA(path, &found);
        if (search == INVALID_HANDLE_VALUE)
                return false;
        do {
                if (strcmp(found.cFileName, ".") == 0 || strcmp(found.cFileName, "..") == 0)
                        continue;
                snprintf(path, sizeof path, "%s/%s", folder, found.cFileName);
                if ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
                        good = remove_all(path) && good;
                else
                        good = DeleteFileA(path) && good;
        } while (FindNextFileA(search, &found));
        FindClose(search);
        return RemoveDirectoryA(folder) && good;
}

/* The one command that tests have for a shell: to remove a folder with all that is in it, "rm -rf 'FOLDER'". */
int
win32_system(const char *command)
{
        const char *begin = strchr(command, '\''), *end = strrchr(command, '\'');
        char folder[MAX_PATH];

        if (strncmp(command, "rm -r", 5) != 0)
                return (system)(command);
        if (begin == end || (size_t)(end - begin) > sizeof folder)
                return refused();
        snprintf(folder, sizeof folder, "%.*s", (int)(end - begin - 1), begin + 1);
        return remove_all(folder) ? 0 : 1;
}

int
dup3(int from, int to, int flags)
{
        (void)from;
        (void)to;
        (void)flags;
        return refused();
}

char *
realpath(const char *path, char *ret_path)
{
        return _fullpath(ret_path, path, MAX_PATH);
}

int
pause(void)
{
        Sleep(INFINITE);
        return refused();
}

unsigned
alarm(unsigned seconds)
{
        (void)seconds;
        return 0;
}

int
sigaction(int sig, const struct sigaction *act, struct sigaction *ret_old)
{
        void (*before)(int);

        if (ret_old != NULL)
                memset(ret_old, 0, sizeof *ret_old);
        if (sig != SIGINT && sig != SIGTERM && sig != SIGBREAK)
                return refused();
        /* It is forgotten when it is called. */
        before = signal(sig, act != NULL ? act->sa_handler : SIG_DFL);
        if (act == NULL)
                (void)signal(sig, before);
        if (ret_old != NULL)
                ret_old->sa_handler = before;
        return 0;
}

int
sigaltstack(const stack_t *stack, stack_t *ret_old)
{
        (void)stack;
        (void)ret_old;
        return refused();
}

long
sysconf(int what)
{
        SYSTEM_INFO info;

        GetSystemInfo(&info);
        return what == _SC_PAGESIZE ? (long)info.dwPageSize : (long)info.dwNumberOfProcessors;
}

int
getitimer(int which, struct itimerval *ret_timer)
{
        (void)which;
        (void)ret_timer;
        return refused();
}

int
setitimer(int which, const struct itimerval *timer, struct itimerval *ret_old)
{
        (void)which;
        (void)timer;
        (void)ret_old;
        return refused();
}

int
getrlimit(int what, struct rlimit *ret_limit)
{
        (void)what;
        (void)ret_limit;
        return refused();
}

int
setrlimit(int what, const struct rlimit *limit)
{
        (void)what;
        (void)limit;
        return refused();
}

static struct timeval
time_of(const FILETIME *time)
{
        uint64_t tenths = (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime; /* of a microsecond */

        return (struct timeval){.tv_sec = (long)(tenths / 10000000), .tv_usec = (long)(tenths / 10 % 1000000)};
}

/* Of the calling thread alone: that of the suite, which waits for the time limit, costs as much as what is measured. */
int
getrusage(int who, struct rusage *ret_usage)
{
        FILETIME made, ended, kernel, user;

        (void)who;
        *ret_usage = (struct rusage){.ru_maxrss = 0};
        if (!GetThreadTimes(GetCurrentThread(), &made, &ended, &kernel, &user))
                return refused();
        ret_usage->ru_utime = time_of(&user);
        ret_usage->ru_stime = time_of(&kernel);
        return 0;
}

void *
dlopen(const char *path, int flags)
{
        char whole[MAX_PATH];

        if (path == NULL)
                return GetModuleHandleA(NULL);
        if (strchr(path, '/') != NULL && GetFullPathNameA(path, sizeof whole, whole, NULL) < sizeof whole)
                path = whole;
        return flags & RTLD_NOLOAD && GetModuleHandleA(path) == NULL ? NULL : (void *)LoadLibraryA(path);
}

void *
dlsym(void *handle, const char *name)
{
        return (void *)(uintptr_t)GetProcAddress(handle, name);
}

int
dlclose(void *handle)
{
        return FreeLibrary(handle) ? 0 : -1;
}

int
dladdr(const void *address, Dl_info *ret_info)
{
        static char path[MAX_PATH];
        HMODULE module;

        if (!GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                                address, &module) ||
            GetModuleFileNameA(module, path, sizeof path) == 0)
                return 0;
        for (char *c = path; *c != '\0'; c++)
                if (*c == '\\')
                        *c = '/';
        *ret_info = (Dl_info){.dli_fname = path, .dli_fbase = module};
        return 1;
}

/* ---- interfaces; programs are not linked with the library that has them */

static FARPROC
of_interfaces(const char *name)
{
        HMODULE library = LoadLibraryA("iphlpapi.dll");

        return library == NULL ? NULL : GetProcAddress(library, name);
}

unsigned
win32_if_nametoindex(const char *name)
{
        unsigned (*find)(const char *name) = (unsigned (*)(const char *))(void *)of_interfaces("if_nametoindex");

        return find == NULL ? 0 : find(name);
}

char *
win32_if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
        char *(*find)(unsigned index, char *name) = (char *(*)(unsigned, char *))(void *)of_interfaces("if_indextoname");

        return find == NULL ? NULL : find(index, name);
}

const char *
dlerror(void)
{
        static char text[256];
        DWORD code = GetLastError(), n;

        n = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, code, 0, text, 200, NULL);
        while (n > 0 && (unsigned char)text[n - 1] <= ' ')
                n--;
        snprintf(text + n, sizeof text - n, " (%lu)", (unsigned long)code);
        return text;
}
