/*
 * The access log to a descriptor of the C library: whole lines, also where it takes them in pieces. Windows.
 */
#include <errno.h>
#include <io.h>
#include <limits.h>

#include <green/wsgi.h>

void
green_wsgi_log_to_fd(void *arg, const char *text, size_t len)
{
        int fd = (int)(intptr_t)arg, saved = errno, n = 1;

        while (len > 0 && n > 0) {
                n = _write(fd, text, len < INT_MAX ? (unsigned)len : INT_MAX);
                if (n > 0) {
                        text += n;
                        len -= (size_t)n;
                }
        }
        errno = saved;
}
