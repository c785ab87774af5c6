/*
 * A library that knows nothing of green-net and calls what blocks. net_patch.c loads it in several shapes: bound at
 * once and read-only after that, bound at the first call, and with _chk functions.
 */
#include "patch_victim.h"

#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>
#endif

/* Functions of others in tables of its own: one that can be written, one that cannot. */
ssize_t (*victim_table[])(int, void *, size_t) = {read};
static ssize_t (*const fixed_table[])(int, void *, size_t) = {read};

ssize_t
victim_read(int fd, void *buf, size_t len)
{
        return read(fd, buf, len);
}

ssize_t
victim_read_by_table(int fd, void *buf, size_t len)
{
        ssize_t (*const volatile *table)(int, void *, size_t) = victim_table;

        return table[0](fd, buf, len);
}

ssize_t
victim_read_by_fixed_table(int fd, void *buf, size_t len)
{
        ssize_t (*const volatile *table)(int, void *, size_t) = fixed_table;

        return table[0](fd, buf, len);
}

/* As a program calls it whose compiler minds the size of what is read into. */
ssize_t
victim_read_checked(int fd, void *buf, size_t len)
{
        extern ssize_t __read_chk(int, void *, size_t, size_t) __attribute__((weak));

        return __read_chk == NULL ? read(fd, buf, len) : __read_chk(fd, buf, len, len);
}

/* A cell that cannot be written to. */
const void *
victim_fixed(void)
{
        return fixed_table;
}

ssize_t
victim_recv(int fd, void *buf, size_t len)
{
        return recv(fd, buf, len, 0);
}

int
victim_nap(long ms)
{
        struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

        return nanosleep(&t, NULL);
}

int
victim_usleep(unsigned us)
{
        return usleep(us);
}

int
victim_poll(int fd, int ms)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return poll(&p, 1, ms);
}

int
victim_select(int fd, int ms)
{
        struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
        fd_set set;

        FD_ZERO(&set);
        FD_SET(fd, &set);
        return select(fd + 1, &set, NULL, NULL, &t);
}

#ifdef __linux__
int
victim_epoll(int fd, int ms)
{
        struct epoll_event event = {.events = EPOLLIN};
        int epoll = epoll_create1(EPOLL_CLOEXEC), rc;

        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        rc = epoll_wait(epoll, &event, 1, ms);
        (void)close(epoll);
        return rc;
}
#endif

/* The loader goes by the return address: these calls may not be the last thing that a function does. */
static void *
not_last(void *p)
{
        __asm__ volatile("" : "+r"(p));
        return p;
}

void *
victim_dlopen(const char *file)
{
        return not_last(dlopen(file, RTLD_NOW));
}

void *
victim_dlsym(void *handle, const char *name)
{
        return not_last(dlsym(handle, name));
}

void *
victim_dlsym_default(const char *name)
{
        return not_last(dlsym(RTLD_DEFAULT, name));
}

void *
victim_dlsym_next(const char *name)
{
        return not_last(dlsym(RTLD_NEXT, name));
}

#ifdef VICTIM_MALLOC
/* Who brings this is taken for an allocator. Nobody calls it. */
void *
malloc(size_t len)
{
        (void)len;
        return NULL;
}
#endif
