/*
 * A stream over a file. See <green/file.h> and <green/stream.h>.
 */
#include "count.h"
#include "file_priv.h"

static ssize_t
stream_read(void *source, void *buf, size_t len)
{
        return green__count_read(green_file_read(source, buf, len));
}

/* More pieces than a stream has. */
enum { PIECES = 4 };

static ssize_t
stream_writev(void *source, const struct green_iovec *iov, size_t n)
{
        struct green_iovec own[PIECES];
        size_t pieces = 0;

        for (size_t i = 0; i < n && pieces < PIECES; i++)
                if (iov[i].len > 0)
                        own[pieces++] = iov[i];
        return pieces == 0 ? 0 : green__count_written(green__file_writev(source, own, pieces));
}

static int64_t
stream_seek(void *source, int64_t offset, int whence)
{
        int64_t at;
        int rc = green_file_seek(source, offset, whence, &at);

        return rc != 0 ? rc : at;
}

static int
stream_truncate(void *source, int64_t length)
{
        return green_file_truncate(source, length);
}

static int
stream_close(void *source)
{
        int rc = green_file_close(source);

        if (rc == -EPERM)
                return rc;
        (void)green_file_free(source);
        return rc;
}

static green_fd
stream_fd(void *source)
{
        return green_file_fd(source);
}

green_stream *
green_file_stream(green_file *f, const struct green_stream_opts *opts)
{
        struct green_stream_ops ops = {.size = sizeof ops,
                                       .seek = stream_seek,
                                       .truncate = stream_truncate,
                                       .close = stream_close,
                                       .fd = stream_fd};
        int rc = f == NULL ? -EINVAL : green_hub_check(f->hub, "a file");

        if (rc == 0 && f->closed)
                rc = -EBADF;
        if (rc != 0) {
                green_set_error(rc, "green_file_stream: %s", green_strerror(rc));
                return NULL;
        }
        if (f->reads)
                ops.read = stream_read;
        if (f->writes)
                ops.writev = stream_writev;
        return green_stream_new(&ops, f, opts);
}
