/*
 * What is known of descriptor numbers, and how a call waits.
 */
#include "patch_fd_priv.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>

_Atomic(unsigned char) green__patch_fds[PATCH_FDS];

static unsigned
look_socket(int fd)
{
        int lowat = 1;
        socklen_t size = sizeof lowat;

        if (getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, &size) == 0 && lowat > 1)
                return PATCH_SOCKET | PATCH_LOWAT;
        return PATCH_SOCKET;
}

unsigned
green__patch_look(int fd)
{
        unsigned kind = PATCH_NOWAIT;
        int saved = errno;
        struct stat st;

        if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
                kind = PATCH_UNKNOWN;
        else if (S_ISSOCK(st.st_mode))
                kind = look_socket(fd) | (green__patch_known(fd) & PATCH_OWN);
        green__patch_note(fd, kind);
        errno = saved;
        return kind;
}

int
green__patch_opened(int fd, unsigned kind)
{
        if (fd >= 0) {
                green__patch_note(fd, kind);
                /* Makes no hub where there is none. In a signal handler nothing of that may be touched. */
                if (green__likely(green__patch_mark.frame == NULL) || !green__patch_in_handler())
                        green_notify_opened(fd);
        }
        return fd;
}

/* The time limit of a socket, in one direction. */
static double
limit_of(int fd, unsigned events)
{
        struct timeval tv = {0, 0};
        socklen_t size = sizeof tv;

        if (getsockopt(fd, SOL_SOCKET, events == GREEN_READ ? SO_RCVTIMEO : SO_SNDTIMEO, &tv, &size) != 0 ||
            (tv.tv_sec == 0 && tv.tv_usec == 0))
                return GREEN_FOREVER;
        return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/* The first EAGAIN of a call: whose is it? */
static int
begin(struct patch_blocked *b, int fd, unsigned events)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0)
                return -1;
        if (flags & O_NONBLOCK) {
                green__patch_turn();
                errno = EAGAIN;
                return -1;
        }
        b->limit = (struct green__limit){.timeout = GREEN_FOREVER, .start = -1};
        if ((green__patch_known(fd) & PATCH_KINDS) <= PATCH_SOCKET)
                b->limit.timeout = limit_of(fd, events);
        b->always = b->limit.timeout < GREEN_FOREVER;
        return 0;
}

/*
 * One that is said to be ready again and again while its call says EAGAIN (a datagram for a peer of the same machine
 * that is full) is tried less and less often.
 */
static double
pause_for(unsigned tries)
{
        enum { AT_ONCE = 4, LONGEST = 6 };
        unsigned n = tries - AT_ONCE;

        if (tries < AT_ONCE)
                return 0;
        return 0.001 * (double)(1u << (n < LONGEST ? n : LONGEST));
}

int
green__patch_block(struct patch_blocked *b, int fd, unsigned events)
{
        double left, pause;
        int rc;

        if (b->tries == 0 && begin(b, fd, events) != 0)
                return -1;
        left = green__limit_left(&b->limit);
        if (left <= 0) {
                errno = EAGAIN;
                return -1;
        }
        pause = pause_for(b->tries++);
        if (pause > 0)
                rc = green__patch_sleep(pause < left ? pause : left);
        else
                rc = green__patch_wait(fd, events, left, b->always);
        if (rc == 0)
                return 0;
        if (rc == -ETIMEDOUT)
                errno = EAGAIN;
        else if (rc == -EINTR || rc == -EBADF)
                errno = -rc;
        else
                return green__patch_fail(rc);
        return -1;
}

/* ---- parts of a buffer */

size_t
green__patch_size(const struct iovec *iov, size_t count)
{
        size_t n = 0;

        for (size_t i = 0; i < count; i++)
                n += iov[i].iov_len;
        return n;
}

void
green__patch_skip(struct patch_parts *p, size_t n)
{
        p->skip += n;
        while (p->count > 0 && p->skip >= p->next->iov_len) {
                p->skip -= p->next->iov_len;
                p->next++;
                p->count--;
        }
}

size_t
green__patch_window(struct patch_parts *p)
{
        size_t n = p->count < PATCH_WINDOW ? p->count : PATCH_WINDOW;

        for (size_t i = 0; i < n; i++)
                p->window[i] = p->next[i];
        if (n > 0) {
                p->window[0].iov_base = (char *)p->window[0].iov_base + p->skip;
                p->window[0].iov_len -= p->skip;
        }
        return n;
}
