/*
 * Pipes to programs, and their end as a socket, on Windows. See process_win32.h.
 *
 * Hubs wait for sockets only. A program can have a socket as its standard input or output, but not each can use it: some
 * take its handle for that of a file, or of a pipe, which they ask questions that a socket has no answer to. So it gets
 * a pipe, and what goes through is carried by an OS thread with a small stack, until one of both ends.
 */
#include <config.h>

#include <errno.h>

#include <green/alloc.h>

#include "error_win32.h"
#include "process_win32.h"
#include "sock_win32.h"

enum { CARRIED_AT_ONCE = 16384, STACK = 65536 };

struct carrier {
        green_fd socket;
        HANDLE pipe;
        char bytes[CARRIED_AT_ONCE];
};

static bool
send_all(green_fd fd, const char *bytes, DWORD len)
{
        while (len > 0) {
                int n = send(fd, bytes, (int)len, 0);

                if (n < 0)
                        return false;
                bytes += n;
                len -= (DWORD)n;
        }
        return true;
}

static bool
write_all(HANDLE pipe, const char *bytes, DWORD len)
{
        while (len > 0) {
                DWORD n = 0;

                if (!WriteFile(pipe, bytes, len, &n, NULL))
                        return false;
                bytes += n;
                len -= n;
        }
        return true;
}

static DWORD WINAPI
carry_from_program(void *arg)
{
        struct carrier *c = arg;
        DWORD n;

        while (ReadFile(c->pipe, c->bytes, sizeof c->bytes, &n, NULL))
                if (!send_all(c->socket, c->bytes, n))
                        break;
        CloseHandle(c->pipe);
        closesocket(c->socket);
        green_free(c);
        return 0;
}

static DWORD WINAPI
carry_to_program(void *arg)
{
        struct carrier *c = arg;
        int n;

        while ((n = recv(c->socket, c->bytes, sizeof c->bytes, 0)) > 0)
                if (!write_all(c->pipe, c->bytes, (DWORD)n))
                        break;
        closesocket(c->socket);
        CloseHandle(c->pipe);
        green_free(c);
        return 0;
}

int
green__carry(green_fd *fd, bool program_writes)
{
        struct carrier *c = green_malloc(sizeof *c);
        HANDLE ends[2], thread;
        u_long off = 0;

        if (c == NULL)
                return -ENOMEM;
        if (ioctlsocket(*fd, FIONBIO, &off) != 0 || !CreatePipe(&ends[0], &ends[1], NULL, 0)) {
                int rc = green__win32_code(GetLastError());

                green_free(c);
                return rc;
        }
        c->socket = *fd;
        c->pipe = ends[program_writes ? 0 : 1];
        thread = CreateThread(NULL, STACK, program_writes ? carry_from_program : carry_to_program, c,
                              STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
        if (thread == NULL) {
                CloseHandle(ends[0]);
                CloseHandle(ends[1]);
                green_free(c);
                return -EAGAIN;
        }
        CloseHandle(thread);
        *fd = (green_fd)ends[program_writes ? 1 : 0];
        return 0;
}

/* ---- the end of a process */

struct watcher {
        HANDLE process, wait;
        green_fd told;
};

/* Taken while a watcher is made, for it may be called at once. */
static SRWLOCK watch_lock = SRWLOCK_INIT;

static VOID CALLBACK
process_ended(void *arg, BOOLEAN timed_out)
{
        struct watcher *w = arg;
        HANDLE wait;

        (void)timed_out;
        AcquireSRWLockExclusive(&watch_lock);
        wait = w->wait;
        ReleaseSRWLockExclusive(&watch_lock);
        closesocket(w->told);
        CloseHandle(w->process);
        green_free(w);
        /* From inside of it that takes effect when it returns. */
        (void)UnregisterWait(wait);
}

int
green__watch_process(HANDLE process, green_fd *ret_fd)
{
        struct watcher *w = green_malloc(sizeof *w);
        HANDLE self = GetCurrentProcess();
        green_fd ends[2];
        int rc = w == NULL ? -ENOMEM : green__sys_socketpair(AF_UNIX, SOCK_STREAM, 0, ends);

        if (rc != 0) {
                green_free(w);
                return rc;
        }
        w->told = ends[1];
        if (DuplicateHandle(self, process, self, &w->process, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
                BOOL begun;

                AcquireSRWLockExclusive(&watch_lock);
                begun = RegisterWaitForSingleObject(&w->wait, w->process, process_ended, w, INFINITE,
                                                    WT_EXECUTEONLYONCE);
                ReleaseSRWLockExclusive(&watch_lock);
                if (begun) {
                        *ret_fd = ends[0];
                        return 0;
                }
                CloseHandle(w->process);
        }
        green_free(w);
        closesocket(ends[0]);
        closesocket(ends[1]);
        return -ENOMEM;
}
