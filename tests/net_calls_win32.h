/*
 * Calls of the system by green-net, counted: those that its library imports are replaced. See net_calls_posix.h.
 */
#ifndef GREEN_TESTS_NET_CALLS_WIN32_H
#define GREEN_TESTS_NET_CALLS_WIN32_H

#include <windows.h>

#include <green/patch.h>

#undef ERROR

static int recv_calls, send_calls;

static int(WINAPI *real_recv)(SOCKET s, char *buf, int len, int flags);
static int(WINAPI *real_send)(SOCKET s, const char *buf, int len, int flags);
static int(WINAPI *real_sendv)(SOCKET s, WSABUF *bufs, DWORD n, DWORD *sent, DWORD flags, WSAOVERLAPPED *overlapped,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE fn);

static int WINAPI
counted_recv(SOCKET s, char *buf, int len, int flags)
{
        recv_calls++;
        return real_recv(s, buf, len, flags);
}

static int WINAPI
counted_send(SOCKET s, const char *buf, int len, int flags)
{
        send_calls++;
        return real_send(s, buf, len, flags);
}

static int WINAPI
counted_sendv(SOCKET s, WSABUF *bufs, DWORD n, DWORD *sent, DWORD flags, WSAOVERLAPPED *overlapped,
              LPWSAOVERLAPPED_COMPLETION_ROUTINE fn)
{
        send_calls++;
        return real_sendv(s, bufs, n, sent, flags, overlapped, fn);
}

/* That of a test itself. */
MAYBE ssize_t
recv_uncounted(int fd, void *buf, size_t len, int flags)
{
        return win32_recv(fd, buf, len, flags);
}

static void
count_calls(void)
{
        static const struct green_patch_symbol calls[] = {
                {"recv", (void (*)(void))counted_recv, (void (**)(void))&real_recv},
                {"send", (void (*)(void))counted_send, (void (**)(void))&real_send},
                {"WSASend", (void (*)(void))counted_sendv, (void (**)(void))&real_sendv},
                {NULL, NULL, NULL},
        };
        static bool done;

        if (!done)
                CHECK_INT(green_inject(GetModuleHandleA("libgreen-net-0.dll"), calls), 3);
        done = true;
}

#endif
