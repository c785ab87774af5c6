/*
 * The access log to a descriptor: whole lines, also where it takes them in pieces.
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include <green/wsgi.h>

/* A pipe that nobody reads from raises SIGPIPE, which would end the server: it is blocked in this OS thread meanwhile. */
struct quiet {
        sigset_t old;
        bool theirs; /* one was pending before: somebody waits for it */
};

static void
quiet_begin(struct quiet *q)
{
        sigset_t one, pending;

        sigemptyset(&one);
        sigaddset(&one, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &one, &q->old);
        q->theirs = sigismember(&q->old, SIGPIPE) == 1 && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void
quiet_end(const struct quiet *q, bool raised)
{
        const struct timespec no_time = {0, 0};
        sigset_t one;

        sigemptyset(&one);
        sigaddset(&one, SIGPIPE);
        while (raised && !q->theirs && sigtimedwait(&one, NULL, &no_time) < 0 && errno == EINTR)
                ;
        pthread_sigmask(SIG_SETMASK, &q->old, NULL);
}

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
        struct quiet q;

        quiet_begin(&q);
        while (len > 0) {
                n = write(fd, text, len);
                if (n > 0) {
                        text += n;
                        len -= (size_t)n;
                } else if (n == 0 || !passes(fd)) {
                        break;
                }
        }
        quiet_end(&q, n < 0 && errno == EPIPE);
        errno = saved;
}
