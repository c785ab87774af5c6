/*
 * What consoles ask of the system: Windows. There are no Unix sockets, and so none of their files.
 */
#include "backdoor_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>

#include <green/addr.h>

/* A file that goes when it is closed. */
int
green__backdoor_scratch(void)
{
        char *name = _tempnam(NULL, "green");
        int fd = name == NULL ? -1 : _open(name, _O_RDWR | _O_CREAT | _O_EXCL | _O_TEMPORARY | _O_BINARY | _O_NOINHERIT, 0600);
        int rc = fd < 0 ? -errno : fd;

        free(name);
        return rc;
}

/* Nobody else moves in it. */
ssize_t
green__backdoor_scratch_read(int fd, char *buf, size_t len, int64_t offset)
{
        int n = _lseeki64(fd, offset, SEEK_SET) < 0 ? -1 : _read(fd, buf, (unsigned)len);

        return n < 0 ? -errno : n;
}

void
green__backdoor_scratch_close(int fd)
{
        _close(fd);
}

const char *
green__backdoor_path(const struct green_addr *addr)
{
        (void)addr;
        return NULL;
}

int
green__backdoor_make_private(const char *path)
{
        (void)path;
        return -ENOTSUP;
}

void
green__backdoor_remove(const char *path)
{
        (void)path;
}
