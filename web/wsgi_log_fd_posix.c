/*
 * The access log to a descriptor: whole lines, also where it takes them in pieces.
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <green/quiet.h>
#include <green/wsgi.h>

/* Does what write() has failed with pass? */
static bool
passes(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLOUT};

        if (errno == EINTR)
                return true;
        /* Half a line would spoil the next one: a descriptor that does not block is waited for like one that does. */
        return errno == EAGAIN && fd >= 0 && (poll(&p, 1, -1) > 0 || errno == EINTR);
}

void
green_wsgi_log_to_fd(void *arg, const char *text, size_t len)
{
        int fd = (int)(intptr_t)arg, saved = errno;
        ssize_t n = 0;
        struct green_quiet q;

        green_quiet_begin(&q, SIGPIPE);
        while (len > 0) {
                n = write(fd, text, len);
                if (n > 0) {
                        text += n;
                        len -= (size_t)n;
                } else if (n == 0 || !passes(fd)) {
                        break;
                }
        }
        green_quiet_end(&q, n < 0 && errno == EPIPE);
        errno = saved;
}
