/*
 * Pipes, terminals and files as streams. See <green/pipe.h>.
 */
#include "pipe_sys.h"
#include "stream_priv.h"

#include <green/io.h>
#include <green/pipe.h>

/* What a stream knows of its descriptor. It lies in the stream, which lives as long as a call is inside. */
struct file {
        green_io *io; /* NULL: closed */
        struct green__fd_kind kind;
};

/* ---- the source */

/* It has said EAGAIN. 0: try again. */
static int
wait_for(struct file *f, unsigned events)
{
        int rc = green_io_wait(f->io, events, GREEN_FOREVER);

        return rc == 0 && f->io == NULL ? -ECANCELED : rc;
}

static ssize_t
file_read(void *source, void *buf, size_t len)
{
        struct file *f = source;
        int rc = 0;

        while (rc == 0) {
                ssize_t n = green__sys_read(green_io_fd(f->io), &f->kind, buf, len);

                if (green__likely(n != -EAGAIN))
                        return n;
                rc = wait_for(f, GREEN_READ);
        }
        return rc;
}

static ssize_t
file_writev(void *source, const struct green_iovec *iov, size_t n)
{
        struct file *f = source;
        int rc = 0;

        while (rc == 0) {
                ssize_t sent = green__sys_writev(green_io_fd(f->io), &f->kind, iov, n);

                if (green__likely(sent != -EAGAIN))
                        return sent;
                rc = wait_for(f, GREEN_WRITE);
        }
        return rc;
}

static int64_t
file_seek(void *source, int64_t offset, int whence)
{
        const struct file *f = source;

        return green__sys_seek(green_io_fd(f->io), offset, whence);
}

static int
file_truncate(void *source, int64_t length)
{
        const struct file *f = source;

        return green__sys_truncate(green_io_fd(f->io), length);
}

static int
file_close(void *source)
{
        struct file *f = source;
        green_io *io = f->io;
        int rc = green_io_close(io);

        if (rc == -EPERM)
                return rc;
        f->io = NULL;
        (void)green_io_free(io);
        return rc;
}

static green_fd
file_fd(void *source)
{
        const struct file *f = source;

        return green_io_fd(f->io);
}

/* ---- making */

static int
parse_mode(const char *text, struct green__mode *ret_mode)
{
        struct green__mode mode = {.read = false};

        if (text == NULL || *text == '\0' || strchr("rwa", *text) == NULL)
                return -EINVAL;
        mode.read = *text == 'r';
        mode.write = *text != 'r';
        mode.append = *text == 'a';
        mode.create = *text != 'r';
        mode.cut = *text == 'w';
        while (*++text != '\0') {
                if (*text == '+')
                        mode.read = mode.write = true;
                else if (*text == 'x')
                        mode.exclusive = true;
                else if (*text != 'b' && *text != 'e')
                        return -EINVAL;
        }
        if (mode.exclusive && !mode.create)
                return -EINVAL;
        *ret_mode = mode;
        return 0;
}

static struct green_stream_ops
ops_for(const struct green__mode *mode, const struct green__fd_kind *kind)
{
        struct green_stream_ops ops = {.size = sizeof ops, .close = file_close, .fd = file_fd};

        if (mode->read)
                ops.read = file_read;
        if (mode->write)
                ops.writev = file_writev;
        if (kind->file) {
                ops.seek = file_seek;
                ops.truncate = file_truncate;
        }
        return ops;
}

/* Give the descriptor back to whoever it came from. */
static void
let_go(green_io *io)
{
        green_fd fd;

        (void)green_io_detach(io, &fd);
        (void)green_io_free(io);
}

/* A stream of a descriptor. shared: others hold its open file, so its mode is not ours to change. NULL with the error
 * set. */
static green_stream *
make(green_fd fd, const struct green__mode *mode, bool shared, const struct green_stream_opts *opts)
{
        struct green_stream_ops ops;
        struct green__fd_kind kind;
        struct file *f;
        green_stream *st;
        int rc = green__sys_kind(fd, mode, &kind);

        if (rc != 0) {
                green_set_error(rc, "descriptor %lld: %s", (long long)fd,
                                rc == -EINVAL ? "it is not open for this mode" : green_strerror(rc));
                return NULL;
        }
        ops = ops_for(mode, &kind);
        st = green__stream_new(&ops, sizeof *f, opts);
        if (st == NULL)
                return NULL;
        f = st->source;
        /* Others may hold the same open file: it would stay in the hub after it was closed here. */
        f->io = green_io_open(fd, GREEN_IO_DUPED);
        rc = f->io == NULL ? -errno : green__sys_prepare(fd, mode, shared, &kind);
        if (rc == 0) {
                f->kind = kind;
                return st;
        }
        if (f->io != NULL) {
                let_go(f->io);
                green_set_error(rc, "descriptor %lld: %s", (long long)fd, green_strerror(rc));
        }
        green__stream_discard(st);
        errno = -rc;
        return NULL;
}

static green_stream *
bad_mode(void)
{
        green_set_error(-EINVAL, "the mode is none of fopen's: r, w or a, then +, b, x, e");
        return NULL;
}

green_stream *
green_pipe_fdopen(green_fd fd, const char *mode_text, const struct green_stream_opts *opts)
{
        struct green__mode mode;

        if (parse_mode(mode_text, &mode) != 0)
                return bad_mode();
        return make(fd, &mode, green__sys_shared(fd), opts);
}

/* The same of one that was just opened here, and is closed where it fails. */
static green_stream *
make_of_own(green_fd fd, const struct green__mode *mode, bool shared, const struct green_stream_opts *opts)
{
        green_stream *st;
        int error;

        green_notify_opened(fd);
        st = make(fd, mode, shared, opts);
        if (st == NULL) {
                error = errno;
                green__sys_close(fd);
                errno = error;
        }
        return st;
}

green_stream *
green_pipe_open(const char *path, const char *mode_text, const struct green_stream_opts *opts)
{
        struct green__mode mode;
        green_fd fd = GREEN_INVALID_FD;
        int rc;

        if (parse_mode(mode_text, &mode) != 0)
                return bad_mode();
        rc = path == NULL ? -EINVAL : green__sys_open(path, &mode, &fd);
        if (rc != 0) {
                green_set_error(rc, "%s: %s", path == NULL ? "no name" : path, green_strerror(rc));
                return NULL;
        }
        return make_of_own(fd, &mode, false, opts);
}

green_stream *
green_pipe_from_file(FILE *file, const char *mode_text, const struct green_stream_opts *opts)
{
        struct green__mode mode;
        green_fd fd = GREEN_INVALID_FD;
        bool shared = false;
        green_stream *st;
        int rc;

        if (parse_mode(mode_text, &mode) != 0)
                return bad_mode();
        rc = file == NULL ? -EINVAL : green__sys_dup_file(file, &fd, &shared);
        if (rc != 0) {
                green_set_error(rc, "a stdio file: %s", green_strerror(rc));
                return NULL;
        }
        st = make_of_own(fd, &mode, shared, opts);
        /* It was flushed: there is nothing left to fail. */
        if (st != NULL)
                (void)fclose(file);
        return st;
}

int
green_pipe_new(green_stream **ret_reader, green_stream **ret_writer, const struct green_stream_opts *opts)
{
        static const struct green__mode modes[2] = {{.read = true}, {.write = true}};
        green_stream *ends[2];
        green_fd fds[2] = {GREEN_INVALID_FD, GREEN_INVALID_FD};
        int rc;

        if (ret_reader == NULL || ret_writer == NULL)
                return -EINVAL;
        rc = green__sys_pipe(fds);
        if (rc != 0)
                return green_set_error(rc, "pipe: %s", green_strerror(rc));
        ends[0] = make_of_own(fds[0], &modes[0], false, opts);
        if (ends[0] == NULL) {
                rc = -errno;
                green__sys_close(fds[1]);
                return rc;
        }
        ends[1] = make_of_own(fds[1], &modes[1], false, opts);
        if (ends[1] == NULL) {
                rc = -errno;
                (void)green_stream_free(ends[0]);
                return rc;
        }
        *ret_reader = ends[0];
        *ret_writer = ends[1];
        return 0;
}

bool
green_stream_isatty(const green_stream *st)
{
        return st != NULL && !st->closed && st->ops.fd == file_fd && green__sys_isatty(file_fd(st->source));
}
