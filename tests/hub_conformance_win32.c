/*
 * hub_conformance: what is of Windows. Tests of things that are not there say so and are skipped; the others do what
 * those of hub_conformance_posix.c do, as it is done here.
 */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <mswsock.h>
#include <stdio.h>
#include <windows.h>

/* ---- descriptors */

bool
conf_pair(green_fd fds[2])
{
        u_long one = 1;

        return conf_tcp_pair(fds) && CHECK_INT(ioctlsocket(fds[0], (long)FIONBIO, &one), 0) &&
               CHECK_INT(ioctlsocket(fds[1], (long)FIONBIO, &one), 0);
}

bool
conf_tcp_pair(green_fd fds[2])
{
        struct sockaddr_in addr;
        green_fd listener = conf_bound(SOCK_STREAM, &addr);
        u_long zero = 0, one = 1;
        bool good;

        fds[0] = conf_socket(SOCK_STREAM);
        fds[1] = GREEN_INVALID_FD;
        /* A listener that blocks, and what it accepts does too. */
        good = CHECK_INT(listen(listener, 1), 0) && CHECK(conf_connect(fds[0], &addr)) &&
               CHECK_INT(ioctlsocket(listener, (long)FIONBIO, &zero), 0);
        if (good)
                fds[1] = accept(listener, NULL, NULL);
        closesocket(listener);
        good = good && CHECK(fds[1] != INVALID_SOCKET) &&
               CHECK_INT(setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof one), 0);
        return good && CHECK_INT(ioctlsocket(fds[0], (long)FIONBIO, &zero), 0);
}

green_fd
conf_socket(int type)
{
        u_long one = 1;
        SOCKET s = WSASocketW(AF_INET, type, 0, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);

        CHECK(s != INVALID_SOCKET);
        CHECK_INT(ioctlsocket(s, (long)FIONBIO, &one), 0);
        return s;
}

green_fd
conf_bound(int type, struct sockaddr_in *addr)
{
        green_fd fd = conf_socket(type);
        int len = sizeof *addr;

        memset(addr, 0, sizeof *addr);
        addr->sin_family = AF_INET;
        addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK_INT(bind(fd, (struct sockaddr *)addr, len), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *)addr, &len), 0);
        return fd;
}

bool
conf_connect(green_fd fd, const struct sockaddr_in *addr)
{
        fd_set set;

        if (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0)
                return true;
        FD_ZERO(&set);
        FD_SET(fd, &set);
        return WSAGetLastError() == WSAEWOULDBLOCK && select(0, NULL, &set, NULL, &(struct timeval){.tv_sec = 5}) == 1;
}

int
conf_write(green_fd fd, const void *bytes, size_t len)
{
        return send(fd, bytes, (int)len, 0);
}

int
conf_read(green_fd fd, void *bytes, size_t len)
{
        return recv(fd, bytes, (int)len, 0);
}

bool
conf_would_block(void)
{
        return WSAGetLastError() == WSAEWOULDBLOCK;
}

void
conf_end(green_fd fd)
{
        CHECK_INT(shutdown(fd, SD_SEND), 0);
}

void
conf_reset(green_fd fd)
{
        struct linger linger = {.l_onoff = 1};

        CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof linger), 0);
        closesocket(fd);
}

void
conf_close_fd(green_fd fd)
{
        if (fd != GREEN_INVALID_FD)
                closesocket(fd);
}

bool
conf_is_open(green_fd fd)
{
        int type, len = sizeof type;

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, (char *)&type, &len) == 0;
}

bool
conf_is_ours_alone(green_fd fd)
{
        DWORD flags = HANDLE_FLAG_INHERIT;
        char byte;

        return GetHandleInformation((HANDLE)fd, &flags) && !(flags & HANDLE_FLAG_INHERIT) &&
               recv(fd, &byte, 1, 0) < 0 && conf_would_block();
}

green_fd
conf_closed(void)
{
        green_fd fd = conf_socket(SOCK_DGRAM);

        closesocket(fd);
        return fd;
}

/* A datagram socket that sends to itself. */
green_fd
conf_light(void)
{
        struct sockaddr_in addr;
        green_fd fd = conf_bound(SOCK_DGRAM, &addr);

        CHECK_INT(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
        return fd;
}

bool
conf_light_up(green_fd fd)
{
        return send(fd, "x", 1, 0) == 1;
}

long
conf_raise_limit(void)
{
        return 1000000;
}

/* ---- files and pipes */

green_fd
conf_file(const char *bytes)
{
        char folder[MAX_PATH], path[MAX_PATH];
        OVERLAPPED at = {.Offset = 0};
        DWORD done = 0;
        HANDLE file;

        if (!CHECK(GetTempPathA(sizeof folder, folder) > 0) || !CHECK(GetTempFileNameA(folder, "hub", 0, path) != 0))
                return GREEN_INVALID_FD;
        file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                           FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
        CHECK(file != INVALID_HANDLE_VALUE);
        at.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
        if (!WriteFile(file, bytes, (DWORD)strlen(bytes), &done, &at) && GetLastError() == ERROR_IO_PENDING)
                GetOverlappedResult(file, &at, &done, TRUE);
        CloseHandle(at.hEvent);
        CHECK_INT(done, strlen(bytes));
        return (green_fd)file;
}

bool
conf_pipe(green_fd fds[2])
{
        static LONG counter;
        char name[64];
        HANDLE in, out;

        snprintf(name, sizeof name, "\\\\.\\pipe\\green-hub-%lu-%ld", GetCurrentProcessId(),
                 InterlockedIncrement(&counter));
        in = CreateNamedPipeA(name, PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);
        out = CreateFileA(name, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
        fds[0] = (green_fd)in;
        fds[1] = (green_fd)out;
        return CHECK(in != INVALID_HANDLE_VALUE) && CHECK(out != INVALID_HANDLE_VALUE);
}

/*
 * Waits for what one overlapped operation moves; -1: it failed. The low bit of the event says that this is no matter of
 * a completion port's, to which the handle may be tied.
 */
static int
moved(HANDLE handle, BOOL begun, OVERLAPPED *at, HANDLE event)
{
        DWORD done = 0;

        if (!begun && GetLastError() == ERROR_IO_PENDING)
                begun = TRUE;
        if (begun)
                begun = WaitForSingleObject(event, 5000) == WAIT_OBJECT_0 &&
                        GetOverlappedResult(handle, at, &done, FALSE);
        CloseHandle(event);
        return begun ? (int)done : -1;
}

int
conf_write_file(green_fd fd, const void *bytes, size_t len)
{
        HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
        OVERLAPPED at = {.hEvent = (HANDLE)((uintptr_t)event | 1)};

        return moved((HANDLE)fd, WriteFile((HANDLE)fd, bytes, (DWORD)len, NULL, &at), &at, event);
}

int
conf_read_file(green_fd fd, void *bytes, size_t len, int64_t position)
{
        HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
        OVERLAPPED at = {.hEvent = (HANDLE)((uintptr_t)event | 1)};

        if (position >= 0)
                at.Offset = (DWORD)position;
        return moved((HANDLE)fd, ReadFile((HANDLE)fd, bytes, (DWORD)len, NULL, &at), &at, event);
}

void
conf_close_file(green_fd fd)
{
        CloseHandle((HANDLE)fd);
}

/* ---- the process */

/* Of the calling thread alone: that of the suite, which waits for the time limit, costs as much as what is measured. */
double
conf_cpu(void)
{
        FILETIME created, ended, kernel, user;
        ULARGE_INTEGER sum;

        GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user);
        sum.QuadPart = (((ULONGLONG)kernel.dwHighDateTime + user.dwHighDateTime) << 32) + kernel.dwLowDateTime +
                       user.dwLowDateTime;
        return (double)sum.QuadPart * 1e-7;
}

void
conf_pause(double seconds)
{
        Sleep((DWORD)(seconds * 1000));
}

bool
conf_in_child(void (*fn)(void *arg), void *arg)
{
        (void)fn;
        (void)arg;
        suite_skip("Windows has no fork()");
        return false;
}

void
conf_conforms(const char *name, const char *settings)
{
        (void)name;
        (void)settings;
        suite_skip("the hubs of the tests stand on epoll");
}

/* ---- interest and events */

void
a_regular_file_is_refused_or_always_ready(void)
{
        green_fd fd = conf_file("bytes");
        void *hub = conf_open();

        if (hub == NULL)
                return;
        CHECK_INT(conf_ops->add(hub, fd, GREEN_READ, 1), -EPERM);
        CHECK_INT(conf_ops->add(hub, fd, GREEN_READ, 1), -EPERM);
        conf_quiet(hub);
        conf_close(hub);
        conf_close_file(fd);
}

/* Numbers are given out again soon: opens sockets until there is one of this number. */
static bool
open_again(green_fd number)
{
        green_fd others[64];
        bool found = false;
        int n = 0;

        while (!found && n < 64) {
                others[n] = conf_socket(SOCK_STREAM);
                found = others[n] == number;
                n += !found;
        }
        while (n > 0)
                conf_close_fd(others[--n]);
        return found;
}

/* The number of a descriptor that was registered, then closed, with remove() before it or without. */
static void
use_again(bool removed, bool waited)
{
        struct rig rig;
        int err;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        if (waited)
                conf_quiet(rig.hub);
        conf_put(rig.fds[1]);
        if (removed)
                REMOVE(rig.hub, rig.fds[0]);
        conf_close_fd(rig.fds[0]);
        if (!open_again(rig.fds[0])) {
                rig.fds[0] = GREEN_INVALID_FD;
                rig_down(&rig);
                suite_skip("the number of a socket that was closed is not given out again");
                return;
        }
        if (removed)
                conf_quiet(rig.hub);
        err = conf_ops->add(rig.hub, rig.fds[0], GREEN_READ, 2);
        if (err == -EEXIST && !removed) {
                REMOVE(rig.hub, rig.fds[0]);
                err = conf_ops->add(rig.hub, rig.fds[0], GREEN_READ, 2);
        }
        CHECK_INT(err, 0);
        /* It is connected to nothing: ended, if anything, but the token is its own. */
        CHECK_INT(conf_bits(rig.hub, 1, CONF_QUIET), 0);
        rig_down(&rig);
}

void
a_number_can_be_used_again(void)
{
        for (int i = 0; i < 4; i++)
                use_again(i & 1, i & 2);
}

/* The socket lives on in a duplicate. */
void
a_duplicate_is_silent_after_remove(void)
{
        WSAPROTOCOL_INFOW info;
        struct rig rig;
        SOCKET copy;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        CHECK_INT(WSADuplicateSocketW(rig.fds[0], GetCurrentProcessId(), &info), 0);
        copy = WSASocketW(-1, -1, -1, &info, 0, WSA_FLAG_OVERLAPPED);
        CHECK(copy != INVALID_SOCKET);
        REMOVE(rig.hub, rig.fds[0]);
        conf_close_fd(rig.fds[0]);
        conf_put(rig.fds[1]);
        conf_quiet(rig.hub);
        ADD(rig.hub, copy, GREEN_READ, 2);
        CHECK_INT(conf_bits(rig.hub, 2, CONF_SOON), GREEN_READ);
        rig.fds[0] = copy;
        rig_down(&rig);
}

/* ---- what is not there */

#define NOT_HERE(name, why)                                                                                            \
        void name(void)                                                                                                \
        {                                                                                                              \
                suite_skip(why);                                                                                       \
        }

NOT_HERE(init_without_descriptors_fails_in_order, "Windows has no limit of descriptors that can be set")
NOT_HERE(init_without_lockable_memory_fails_in_order, "Windows has no limit of memory that is locked by a hub")
NOT_HERE(descriptors_are_close_on_exec, "handles cannot be listed here; those of the hubs are made as not inherited")
NOT_HERE(a_hang_up_is_an_error_event, "pipes of Windows are not waited for")
NOT_HERE(a_high_number_works_or_is_refused, "the numbers of handles cannot be chosen")
NOT_HERE(a_wake_from_a_signal_handler_ends_the_wait, "Windows has no signals")
NOT_HERE(an_interrupted_wait_returns_nothing, "Windows has no signals")
NOT_HERE(the_child_of_a_fork_starts_empty, "Windows has no fork()")
NOT_HERE(the_parent_of_a_fork_notices_nothing, "Windows has no fork()")
NOT_HERE(pollfd_says_when_to_wait, "no hub of Windows has a descriptor to wait for")

#define NO_MULTISHOT(name) NOT_HERE(name, "no hub of Windows has multishot operations")
CONF_MULTI_TESTS(NO_MULTISHOT)
