/*
 * System calls that fail when a test wants them to: definitions in the program come before those of libc. Include it in
 * one file of a test program, after net_suite.h.
 */
#ifndef GREEN_TESTS_NET_FAULT_H
#define GREEN_TESTS_NET_FAULT_H

#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>

/* How often the next calls fail, and with what. */
struct fault {
        int times;
        int error;
        int calls; /* made so far, failed or not */
        int made;  /* of accept4: connections that came of them */
};

static struct fault accept_fault, setsockopt_fault;

MAYBE bool
fails_now(struct fault *f)
{
        f->calls++;
        if (f->times == 0)
                return false;
        f->times--;
        errno = f->error;
        return true;
}

#if defined(_WIN32)
/* Nothing comes before a function of another DLL, so none of them fails. */
MAYBE bool
accepts_by_call(void)
{
        return false;
}

MAYBE bool
can_fail_accept(void)
{
        suite_skip("no call of the system can be made to fail");
        return false;
}
#else
int
accept4(int fd, struct sockaddr *sa, socklen_t *size, int flags)
{
        static int (*real)(int, struct sockaddr *, socklen_t *, int);

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "accept4");
        if (fails_now(&accept_fault))
                return -1;
        fd = real(fd, sa, size, flags);
        accept_fault.made += fd >= 0;
        return fd;
}

/* Does accepting call the function above? io_uring accepts without it. */
MAYBE bool
accepts_by_call(void)
{
        return strcmp(green_hub_name(NULL), "io_uring") != 0;
}

/* For tests in which it has to: otherwise the test is skipped. */
MAYBE bool
can_fail_accept(void)
{
        if (!accepts_by_call())
                suite_skip("io_uring accepts without accept4(), which would be made to fail here");
        return accepts_by_call();
}

/* Only SO_REUSEPORT is made to fail. */
int
setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
        static int (*real)(int, int, int, const void *, socklen_t);

        if (real == NULL)
                *(void **)&real = dlsym(RTLD_NEXT, "setsockopt");
        if (level == SOL_SOCKET && name == SO_REUSEPORT && fails_now(&setsockopt_fault))
                return -1;
        return real(fd, level, name, value, size);
}
#endif

#endif
