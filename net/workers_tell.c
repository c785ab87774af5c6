/*
 * What the supervisor tells others: systemd, by its protocol of notification (sd_notify(3)), and whoever reads its
 * file.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <green/error.h>
#include <green/log.h>
#include <green/quiet.h>

#include "sock_sys.h"
#include "workers_priv.h"

/* One datagram; whoever does not listen has no need of it. */
void
green__tell_systemd(const char *text)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        size_t len = path == NULL ? 0 : strlen(path);
        green_fd fd;

        if (len < 2 || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
                return;
        if (green__sys_socket(AF_UNIX, SOCK_DGRAM, 0, &fd) != 0)
                return;
        memcpy(to.sun_path, path, len);
        if (path[0] == '@')
                to.sun_path[0] = '\0';
        (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
        (void)green__sys_close(fd);
}

/* One byte to whoever reads there; where nobody does any more there is nobody to tell. */
void
green__tell_reader(green_fd fd)
{
        const char byte = '1';
        struct green_quiet q;
        ssize_t n;

        green_quiet_begin(&q, SIGPIPE);
        n = write(fd, &byte, 1);
        green_quiet_end(&q, n < 0 && errno == EPIPE);
}

static int
write_number(int fd)
{
        char text[32];
        int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

        return write(fd, text, (size_t)len) == len ? 0 : errno != 0 ? -errno : -EIO;
}

/* Beside it first, and then in its place: nobody reads half a number. */
int
green__pid_file_write(const char *path)
{
        char beside[4096];
        int fd, rc;

        if (path == NULL)
                return 0;
        if ((size_t)snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid()) >= sizeof beside)
                return -ENAMETOOLONG;
        fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        errno = 0;
        rc = write_number(fd);
        if (close(fd) != 0 && rc == 0)
                rc = -errno;
        if (rc == 0 && rename(beside, path) != 0)
                rc = -errno;
        if (rc != 0)
                (void)unlink(beside);
        return rc;
}

/* Unless another one has written its number there. */
void
green__pid_file_remove(const char *path)
{
        char text[32] = "";
        int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return;
        n = read(fd, text, sizeof text - 1);
        (void)close(fd);
        if (n > 0 && strtol(text, NULL, 10) == (long)getpid())
                (void)unlink(path);
}
