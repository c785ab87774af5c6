/*
 * What consoles ask of the system: POSIX.
 */
#include "backdoor_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <green/addr.h>

#if HAVE_MEMFD_CREATE
int
green__backdoor_scratch(void)
{
        int fd = memfd_create("green-backdoor", MFD_CLOEXEC);

        return fd < 0 ? -errno : fd;
}
#else
int
green__backdoor_scratch(void)
{
        char name[] = "/tmp/green-backdoor-XXXXXX";
        int fd = mkstemp(name);

        if (fd < 0)
                return -errno;
        (void)unlink(name);
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        return fd;
}
#endif

ssize_t
green__backdoor_scratch_read(int fd, char *buf, size_t len, int64_t offset)
{
        ssize_t n = pread(fd, buf, len, (off_t)offset);

        return n < 0 ? -errno : n;
}

void
green__backdoor_scratch_close(int fd)
{
        close(fd);
}

const char *
green__backdoor_path(const struct green_addr *addr)
{
        const struct sockaddr_un *un = (const void *)green_addr_sockaddr(addr, NULL);

        return green_addr_family(addr) == AF_UNIX && addr->size > offsetof(struct sockaddr_un, sun_path) &&
                               un->sun_path[0] != '\0'
                       ? un->sun_path
                       : NULL;
}

int
green__backdoor_make_private(const char *path)
{
        return chmod(path, S_IRUSR | S_IWUSR) == 0 ? 0 : -errno;
}

void
green__backdoor_remove(const char *path)
{
        (void)unlink(path);
}
