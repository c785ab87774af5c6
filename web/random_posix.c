/*
 * The system's random source: POSIX. See random_priv.h.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#if HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#include "random_priv.h"

static int
read_device(char *room, size_t len)
{
        int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        do
                n = read(fd, room, len);
        while (n < 0 && errno == EINTR);
        (void)close(fd);
        return n == (ssize_t)len ? 0 : -EIO;
}

int
green__random(void *room, size_t len)
{
#if HAVE_GETENTROPY
        if (getentropy(room, len) == 0)
                return 0;
#endif
        return read_device(room, len);
}
