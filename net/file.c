/*
 * Files. See <green/file.h>.
 *
 * A file has a position of its own, and everything but an append is done at an offset, in the pool and by the hub
 * alike. Calls at the position take turns. Every call that may yield pins the file, and the last one to leave one that
 * was closed gives the descriptor back: nobody else can get its number while the system works on it.
 */
#include "file_priv.h"

#include <limits.h>
#include <stdio.h>

#include <green/tpool.h>

#include "sock_sys.h"

/* ---- the pool */

struct hop {
        int64_t (*fn)(void *arg);
        void *arg;
        int64_t rc;
};

static void *
run_hop(void *arg)
{
        struct hop *h = arg;

        h->rc = h->fn(h->arg);
        return NULL;
}

int64_t
green__file_hop(int64_t (*fn)(void *arg), void *arg)
{
        struct hop h = {fn, arg, 0};
        int rc = green_tpool_execute(run_hop, &h, NULL, NULL);

        return green__likely(rc == 0) ? h.rc : rc;
}

/* ---- life */

green_file *
green__file_alloc(void)
{
        green_file *f;

        if (green_get_hub() == NULL)
                return NULL;
        f = green_calloc(1, sizeof *f);
        if (f == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        f->hub = green_hub_ident();
        f->forks = green__sys_forks;
        green__sys_watch_forks();
        return f;
}

static int
fill_in(green_file *f, const struct green__file_facts *facts)
{
        /* Others may hold the same open file. It is never registered with the hub, so this costs nothing. */
        f->io = green_io_open(facts->fd, GREEN_IO_DUPED);
        if (f->io == NULL)
                return -errno;
        f->at = facts->at;
        f->reads = facts->reads;
        f->writes = facts->writes;
        f->append = facts->append;
        f->no_ops = facts->no_ops;
        return 0;
}

green_file *
green__file_made(green_file *f, int rc, const struct green__file_facts *facts, const char *what)
{
        if (rc == 0) {
                green_notify_opened(facts->fd);
                rc = fill_in(f, facts);
                if (rc != 0)
                        (void)green__sys_close(facts->fd);
        }
        if (rc == 0)
                return f;
        green_free(f);
        green_set_error(rc, "%s: %s", what, green_strerror(rc));
        return NULL;
}

struct open_job {
        const char *path;
        int flags;
        mode_t mode;
        struct green__file_facts facts;
};

static int64_t
open_job(void *arg)
{
        struct open_job *j = arg;

        return green__sys_file_open(j->path, j->flags, j->mode, &j->facts);
}

green_file *
green_file_open(const char *path, int flags, mode_t mode)
{
        struct open_job j = {.path = path, .flags = flags, .mode = mode};
        green_file *f;
        int rc;

        if (path == NULL) {
                green_set_error(-EINVAL, "green_file_open: no name");
                return NULL;
        }
        f = green__file_alloc();
        if (f == NULL)
                return NULL;
        rc = (int)green__file_hop(open_job, &j);
        return green__file_made(f, rc, &j.facts, path);
}

green_file *
green_file_from_fd(green_fd fd)
{
        struct green__file_facts facts;
        green_file *f = green__file_alloc();
        int rc;

        if (f == NULL)
                return NULL;
        rc = green__sys_file_adopt(fd, &facts);
        if (rc == 0)
                rc = fill_in(f, &facts);
        if (rc == 0)
                return f;
        green_free(f);
        green_set_error(rc, "descriptor %lld: %s", (long long)fd,
                        rc == -EINVAL ? "it is no regular file" : green_strerror(rc));
        return NULL;
}

/* The descriptor goes. -EPERM: it belongs to another OS thread that lives. */
static int
let_go(green_file *f)
{
        int rc = green_io_close(f->io);

        if (rc == -EPERM)
                return rc;
        (void)green_io_free(f->io);
        f->io = NULL;
        return rc;
}

/* The green threads that were inside in the parent of a fork are not here. */
static void
forget_parent(green_file *f)
{
        f->forks = green__sys_forks;
        f->users = 0;
        f->busy = false;
        if (f->closed && f->io != NULL)
                (void)let_go(f);
}

static inline void
check_forks(green_file *f)
{
        if (green__unlikely(f->forks != green__sys_forks))
                forget_parent(f);
}

/* Of a hub that has ended, whoever was inside was freed unrun. */
static int
close_elsewhere(green_file *f)
{
        int rc = f->io == NULL ? 0 : let_go(f);

        if (rc == -EPERM)
                return rc;
        f->closed = true;
        f->users = 0;
        return rc;
}

int
green_file_close(green_file *f)
{
        if (f == NULL || f->closed)
                return 0;
        if (f->hub != green_hub_ident())
                return close_elsewhere(f);
        check_forks(f);
        f->closed = true;
        green_wake_all(&f->turn, -ECANCELED);
        return f->users > 0 ? 0 : let_go(f);
}

int
green_file_free(green_file *f)
{
        bool elsewhere;
        int rc;

        if (f == NULL)
                return 0;
        elsewhere = f->hub != green_hub_ident();
        if (!elsewhere)
                check_forks(f);
        if (!elsewhere && !f->closed && f->users > 0)
                return green_set_error(-EBUSY, "another green thread is in a call on this file");
        rc = elsewhere ? close_elsewhere(f) : green_file_close(f);
        if (elsewhere && rc == -EPERM)
                return rc;
        f->freed = true;
        if (f->users == 0)
                green_free(f);
        return rc;
}

/* ---- calls */

/* The beginning of each call that yields. */
static inline int
enter(green_file *f)
{
        if (green__unlikely(f->hub != green_hub_ident()))
                return green_hub_check(f->hub, "a file");
        check_forks(f);
        if (green__unlikely(f->closed))
                return -EBADF;
        return green_checkpoint();
}

/* The end of one that has pinned the file, which may be gone afterwards. */
static inline int64_t
leave(green_file *f, int64_t rc)
{
        if (green__likely(--f->users > 0 || !f->closed))
                return rc;
        (void)let_go(f);
        if (f->freed)
                green_free(f);
        return rc;
}

static void
pass_turn(green_file *f)
{
        f->busy = green_wake_one(&f->turn, NULL);
}

/* Pin the file, and have its position. */
static int
take_turn(green_file *f)
{
        struct green_wait w;
        int rc;

        f->users++;
        if (green__likely(!f->busy)) {
                f->busy = true;
                return 0;
        }
        rc = green_park(&f->turn, &w, GREEN_FOREVER);
        if (rc == 0 && f->closed) {
                /* It was this one's turn, and before it ran the file was closed. */
                pass_turn(f);
                rc = -ECANCELED;
        }
        return rc == 0 ? 0 : (int)leave(f, rc);
}

static int64_t
give_turn(green_file *f, int64_t rc)
{
        pass_turn(f);
        return leave(f, rc);
}

/* What a write could not tell, since it told a count. */
static int
take_error(green_file *f)
{
        int rc = f->error;

        f->error = 0;
        return rc;
}

/* ---- reading */

/* -ENOTSUP: do it in the pool. */
static int64_t
submit(green_file *f, struct green_op *op)
{
        int64_t n;

        if (f->no_ops || !green_io_can_submit(f->io))
                return -ENOTSUP;
        do
                n = green_io_submit(f->io, op, GREEN_FOREVER);
        while (green__unlikely(n == -EINTR));
        if (green__unlikely(n == -ENOTSUP))
                f->no_ops = true;
        return green__unlikely(n == -EAGAIN) ? -ENOTSUP : n;
}

struct read_job {
        green_fd fd;
        void *buf;
        size_t len;
        int64_t at;
};

static int64_t
read_job(void *arg)
{
        const struct read_job *j = arg;

        return green__sys_file_read(j->fd, j->buf, j->len, j->at);
}

static int64_t
read_at(green_file *f, void *buf, size_t len, int64_t at)
{
        struct read_job j = {green_io_fd(f->io), buf, len, at};
        struct green_iovec iov = {buf, len};
        struct green_op op = {.kind = GREEN_OP_READ, .iov = &iov, .iov_count = 1, .offset = at};
        int64_t n = submit(f, &op);

        return n != -ENOTSUP ? n : green__file_hop(read_job, &j);
}

ssize_t
green_file_read(green_file *f, void *buf, size_t len)
{
        int64_t n;
        int rc;

        if (f == NULL || (buf == NULL && len > 0) || len > SSIZE_MAX)
                return -EINVAL;
        rc = enter(f);
        if (rc != 0 || len == 0)
                return rc;
        rc = take_turn(f);
        if (rc != 0)
                return rc;
        n = read_at(f, buf, len, f->at);
        if (n > 0)
                f->at += n;
        return (ssize_t)give_turn(f, n);
}

ssize_t
green_file_pread(green_file *f, void *buf, size_t len, int64_t offset)
{
        int rc;

        if (f == NULL || (buf == NULL && len > 0) || len > SSIZE_MAX || offset < 0)
                return -EINVAL;
        rc = enter(f);
        if (rc != 0 || len == 0)
                return rc;
        f->users++;
        return (ssize_t)leave(f, read_at(f, buf, len, offset));
}

/* ---- writing */

struct write_job {
        green_fd fd;
        struct green_iovec *iov; /* what is left */
        size_t n;
        int64_t at; /* negative: append */
        size_t done;
};

static void
advance(struct write_job *j, size_t sent)
{
        j->done += sent;
        if (j->at >= 0)
                j->at += (int64_t)sent;
        while (j->n > 0 && sent >= j->iov->len) {
                sent -= j->iov->len;
                j->iov++;
                j->n--;
        }
        if (j->n > 0) {
                j->iov->base = (char *)j->iov->base + sent;
                j->iov->len -= sent;
        }
}

static int64_t
write_job(void *arg)
{
        struct write_job *j = arg;

        while (j->n > 0) {
                ssize_t sent = j->at < 0 ? green__sys_file_append(j->fd, j->iov, j->n)
                                         : green__sys_file_write(j->fd, j->iov->base, j->iov->len, j->at);

                if (sent <= 0)
                        return sent < 0 ? sent : -EIO;
                advance(j, (size_t)sent);
        }
        return 0;
}

int
green__file_write_now(green_fd fd, struct green_iovec *iov, size_t n, int64_t at, size_t *ret_done)
{
        struct write_job j = {fd, iov, n, at, 0};
        int rc = (int)write_job(&j);

        *ret_done = j.done;
        return rc;
}

/* The same by operations. What has begun goes on to its end, whatever fires. */
static int64_t
write_by_ops(green_file *f, struct write_job *j)
{
        while (j->n > 0) {
                struct green_op op = {.kind = GREEN_OP_WRITE,
                                      .iov = j->iov,
                                      .iov_count = (unsigned)j->n,
                                      .offset = j->at < 0 ? -1 : j->at};
                bool begun = j->done > 0;
                int64_t sent;

                if (begun)
                        green_shield_begin();
                sent = submit(f, &op);
                if (begun)
                        green_shield_end();
                if (sent <= 0)
                        return sent < 0 ? sent : -EIO;
                advance(j, (size_t)sent);
        }
        return 0;
}

static int64_t
write_in_pool(struct write_job *j)
{
        bool begun = j->done > 0;
        int64_t rc;

        if (begun)
                green_shield_begin();
        rc = green__file_hop(write_job, j);
        if (begun)
                green_shield_end();
        return rc;
}

/* Pieces none of which is empty. All of them, or what was written before it failed, or a code. */
static int64_t
write_at(green_file *f, struct green_iovec *iov, size_t n, int64_t at)
{
        struct write_job j = {green_io_fd(f->io), iov, n, at, 0};
        int64_t rc = take_error(f);

        if (rc != 0)
                return rc;
        /* Beyond the limit there is a signal, and where an operation is run we cannot block it. */
        rc = f->no_ops || !green_io_can_submit(f->io) || green__sys_file_limited() ? -ENOTSUP : write_by_ops(f, &j);
        if (rc == -ENOTSUP)
                rc = write_in_pool(&j);
        if (j.done == 0)
                return rc;
        if (rc != 0)
                f->error = (int)rc;
        return (int64_t)j.done;
}

ssize_t
green__file_writev(green_file *f, struct green_iovec *iov, size_t n)
{
        int64_t sent, end;
        int rc = enter(f);

        if (rc == 0)
                rc = take_turn(f);
        if (rc != 0)
                return rc;
        sent = write_at(f, iov, n, f->append ? -1 : f->at);
        if (sent > 0 && !f->append)
                f->at += sent;
        if (sent > 0 && f->append && (end = green__sys_file_position(green_io_fd(f->io))) >= 0)
                f->at = end;
        return (ssize_t)give_turn(f, sent);
}

ssize_t
green_file_write(green_file *f, const void *buf, size_t len)
{
        struct green_iovec iov = {(void *)(uintptr_t)buf, len};

        if (f == NULL || (buf == NULL && len > 0) || len > SSIZE_MAX)
                return -EINVAL;
        return len == 0 ? enter(f) : green__file_writev(f, &iov, 1);
}

ssize_t
green_file_pwrite(green_file *f, const void *buf, size_t len, int64_t offset)
{
        struct green_iovec iov = {(void *)(uintptr_t)buf, len};
        int rc;

        if (f == NULL || (buf == NULL && len > 0) || len > SSIZE_MAX || offset < 0 || (int64_t)len > INT64_MAX - offset)
                return -EINVAL;
        rc = enter(f);
        if (rc != 0 || len == 0)
                return rc;
        f->users++;
        return (ssize_t)leave(f, write_at(f, &iov, 1, offset));
}

/* ---- the rest */

int
green_file_seek(green_file *f, int64_t offset, int whence, int64_t *ret_at)
{
        int64_t from = 0;

        if (f == NULL || (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END))
                return -EINVAL;
        if (f->hub != green_hub_ident())
                return green_hub_check(f->hub, "a file");
        check_forks(f);
        if (f->closed)
                return -EBADF;
        if (f->busy)
                return green_set_error(-EBUSY, "another green thread reads or writes this file");
        if (whence == SEEK_CUR)
                from = f->at;
        else if (whence == SEEK_END)
                from = green__sys_file_length(green_io_fd(f->io));
        if (from < 0)
                return (int)from;
        if (offset > INT64_MAX - from)
                return -EOVERFLOW;
        if (offset < -from)
                return -EINVAL;
        f->at = from + offset;
        if (ret_at != NULL)
                *ret_at = f->at;
        return 0;
}

struct other_job {
        green_fd fd;
        int64_t length;
        bool data_only;
        struct stat stat;
};

static int64_t
sync_job(void *arg)
{
        const struct other_job *j = arg;

        return green__sys_file_sync(j->fd, j->data_only);
}

static int64_t
truncate_job(void *arg)
{
        const struct other_job *j = arg;

        return green__sys_file_truncate(j->fd, j->length);
}

static int64_t
stat_job(void *arg)
{
        struct other_job *j = arg;

        return green__sys_file_stat(j->fd, &j->stat);
}

static int
do_other(green_file *f, int64_t (*fn)(void *arg), struct other_job *j)
{
        int rc = enter(f);

        if (rc != 0)
                return rc;
        f->users++;
        j->fd = green_io_fd(f->io);
        rc = (int)green__file_hop(fn, j);
        if (rc == 0 && fn == sync_job)
                rc = take_error(f);
        return (int)leave(f, rc);
}

int
green_file_sync(green_file *f, bool data_only)
{
        struct other_job j = {.data_only = data_only};

        return f == NULL ? -EINVAL : do_other(f, sync_job, &j);
}

int
green_file_truncate(green_file *f, int64_t length)
{
        struct other_job j = {.length = length};

        return f == NULL || length < 0 ? -EINVAL : do_other(f, truncate_job, &j);
}

int
green_file_stat(green_file *f, struct stat *ret_stat)
{
        struct other_job j = {.fd = GREEN_INVALID_FD};
        int rc;

        if (f == NULL || ret_stat == NULL)
                return -EINVAL;
        rc = do_other(f, stat_job, &j);
        if (rc == 0)
                *ret_stat = j.stat;
        return rc;
}

green_fd
green_file_fd(const green_file *f)
{
        return f == NULL || f->closed ? GREEN_INVALID_FD : green_io_fd(f->io);
}
