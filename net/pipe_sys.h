/*
 * The system's calls for pipes and files, as net/ sees them: results are 0, a count, or -errno, and EINTR never comes
 * back. What differs by system stands in the file that implements this: pipe_posix.c.
 */
#ifndef GREEN_PIPE_SYS_H
#define GREEN_PIPE_SYS_H

#include <stdio.h>

#include <green/hub.h>

/* What a mode as of fopen() says. */
struct green__mode {
        bool read;
        bool write;
        bool append;
        bool create;    /* w, a */
        bool cut;       /* w */
        bool exclusive; /* x */
};

/* What a descriptor is. */
struct green__fd_kind {
        bool file; /* has a position: a regular file, a block device */
        bool socket;
        bool pipe;     /* or a named one: writing to it raises SIGPIPE */
        bool blocking; /* must be asked first whether it is ready */
};

/* Two ends of a pipe, non-blocking and closed on exec. */
int green__sys_pipe(green_fd ret_fds[2]);
extern const struct green__fd_kind green__pipe_kind;

/* Open by name, without waiting for another end, closed on exec. */
int green__sys_open(const char *path, const struct green__mode *mode, green_fd *ret_fd);

/* What is it? -EBADF; -EINVAL: it is not open for this; -EISDIR. */
int green__sys_kind(green_fd fd, const struct green__mode *mode, struct green__fd_kind *ret_kind);

/* The same of one that is used as it is: kind->blocking tells its mode. -EBADF: it is not open for this. */
int green__sys_kind_as_is(green_fd fd, bool write, struct green__fd_kind *ret_kind);

/*
 * Make a descriptor that came from elsewhere fit for green-net: non-blocking, where that can be and it is not one of
 * those that others share; closed on exec likewise; appending. kind->blocking says how it went. shared: it is a second
 * descriptor of such a one.
 */
int green__sys_prepare(green_fd fd, const struct green__mode *mode, bool shared, struct green__fd_kind *kind);

/* One of those that were there when the program began, and are shared with whoever started it. */
bool green__sys_shared(green_fd fd);

/* Of a stdio file: what is in its buffer goes to the descriptor, of which there is a second one then. */
int green__sys_dup_file(FILE *file, green_fd *ret_fd, bool *ret_shared);

/* Move bytes, never waiting. -EAGAIN: not ready. No signal. */
ssize_t green__sys_read(green_fd fd, const struct green__fd_kind *kind, void *buf, size_t len);
ssize_t green__sys_writev(green_fd fd, const struct green__fd_kind *kind, const struct green_iovec *iov, size_t n);

int64_t green__sys_seek(green_fd fd, int64_t offset, int whence);
int green__sys_truncate(green_fd fd, int64_t length);
bool green__sys_isatty(green_fd fd);

#endif
