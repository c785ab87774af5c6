/*
 * Calls of the system by green-net, counted: definitions in the program come before those of libc. See net_calls_win32.h.
 */
#ifndef GREEN_TESTS_NET_CALLS_POSIX_H
#define GREEN_TESTS_NET_CALLS_POSIX_H

#include <dlfcn.h>

static int recv_calls, send_calls;

ssize_t
recv(int fd, void *buf, size_t len, int flags)
{
        static ssize_t (*real)(int, void *, size_t, int);

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "recv");
        recv_calls++;
        return real(fd, buf, len, flags);
}

ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
        static ssize_t (*real)(int, const void *, size_t, int);

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "send");
        send_calls++;
        return real(fd, buf, len, flags);
}

/* That of a test itself. */
MAYBE ssize_t
recv_uncounted(int fd, void *buf, size_t len, int flags)
{
        ssize_t n = recv(fd, buf, len, flags);

        recv_calls--;
        return n;
}

/* The definitions above are enough. */
static void
count_calls(void)
{
}

#endif
