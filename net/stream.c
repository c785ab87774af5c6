/*
 * Streams: their life, and what is neither reading nor writing. See <green/stream.h>.
 */
#include "stream_priv.h"

#include <stdio.h>

#include <green/timeout.h>

/* ---- life */

#define DEFAULT_SIZE 8192

/* As green_opts_take(), and it must be there: the functions of a source. */
static int
take_ops(struct green_stream_ops *ops, const struct green_stream_ops *given)
{
        return given == NULL ? -EINVAL : green_opts_take(ops, sizeof *ops, given);
}

green_stream *
green__stream_new(const struct green_stream_ops *ops, size_t own, const struct green_stream_opts *given)
{
        struct green_stream_opts opts;
        struct green_stream_ops taken;
        green_stream *st;

        if (take_ops(&taken, ops) != 0 || green_opts_take(&opts, sizeof opts, given) != 0) {
                green_set_error(-EINVAL, "a stream's functions or options: their size is not set");
                return NULL;
        }
        if (green_get_hub() == NULL)
                return NULL;
        st = green_calloc(1, sizeof *st + own);
        if (st == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        st->hub = green_hub_ident();
        st->ops = taken;
        st->source = st->own;
        st->moves = taken.seek != NULL;
        st->read_size = opts.read_size != 0 ? opts.read_size : DEFAULT_SIZE;
        st->write_size = opts.write_size != 0 ? opts.write_size : DEFAULT_SIZE;
        st->unbuffered = opts.unbuffered;
        st->line_buffered = opts.line_buffered;
        st->forks = green__sys_forks;
        green__sys_watch_forks();
        return st;
}

green_stream *
green_stream_new(const struct green_stream_ops *ops, void *source, const struct green_stream_opts *opts)
{
        green_stream *st = green__stream_new(ops, 0, opts);

        if (st != NULL)
                st->source = source;
        return st;
}

void
green__stream_discard(green_stream *st)
{
        green_free(st->in);
        green_free(st->out);
        green_free(st);
}

void
green__stream_forget_parent(green_stream *st)
{
        st->forks = green__sys_forks;
        st->users = 0;
        st->reading = false;
        st->writing = GREEN__STREAM_NOBODY;
}

ssize_t
green__stream_leave_closed(green_stream *st, ssize_t rc)
{
        if (st->freed && st->users == 0)
                green__stream_discard(st);
        return rc < 0 ? rc : -ECANCELED;
}

int
green__stream_turn(green_stream *st)
{
        int rc;

        st->streak = 1;
        green__stream_pin(st);
        rc = green_sleep(0);
        if (rc == 0 && st->closing)
                rc = -ECANCELED;
        return (int)green__stream_leave(st, rc);
}

/* ---- the two directions */

int
green__stream_busy(const char *what)
{
        return green_set_error(-EBUSY, "another green thread %s this stream", what);
}

int
green__stream_begin_write(green_stream *st)
{
        struct green_wait w;
        int rc;

        green__stream_check_forks(st);
        if (st->writing == GREEN__STREAM_WRITES || green_waitq_first(&st->turn) != NULL)
                return green__stream_busy("writes to");
        st->users++;
        if (green__likely(st->writing == GREEN__STREAM_NOBODY)) {
                st->writing = GREEN__STREAM_WRITES;
                return 0;
        }
        rc = green_park(&st->turn, &w, GREEN_FOREVER);
        if (rc != 0)
                return (int)green__stream_leave(st, rc);
        /* It was this one's turn, and before it ran the close had waited long enough. */
        return green__unlikely(st->closed) ? (int)green__stream_end_write(st, -ECANCELED) : 0;
}

void
green__stream_pass_turn(green_stream *st)
{
        struct green_wait *next = green_waitq_first(&st->turn);

        st->writing = GREEN__STREAM_NOBODY;
        if (green__likely(next == NULL))
                return;
        st->writing = GREEN__STREAM_WRITES;
        green_wake(next, 0);
}

ssize_t
green__stream_end_write(green_stream *st, ssize_t rc)
{
        green__stream_pass_turn(st);
        return green__stream_leave(st, rc);
}

/* ---- the source */

int
green__stream_source_turn(green_stream *st)
{
        int rc;

        st->streak = 1;
        rc = green_sleep(0);
        return rc == 0 && st->closed ? -ECANCELED : rc;
}

int
green__stream_source_seek(green_stream *st, int64_t offset, int whence, int64_t *ret_at)
{
        int64_t at = st->ops.seek == NULL ? -ESPIPE : st->ops.seek(st->source, offset, whence);

        if (at >= 0 && st->closed)
                return -ECANCELED;
        if (at < 0)
                return (int)at;
        *ret_at = at;
        return 0;
}

int
green__stream_drop_ahead(green_stream *st)
{
        size_t ahead = green__stream_ahead(st);
        int64_t at;
        int rc;

        if (ahead == 0 || st->ops.seek == NULL)
                return 0;
        rc = green__stream_source_seek(st, -(int64_t)ahead, SEEK_CUR, &at);
        /* A pipe: what was read of it has nothing to do with what is written. */
        if (rc == -ESPIPE)
                return 0;
        if (rc == 0)
                st->in_at = st->in_end = 0;
        return rc;
}

/* ---- closing */

/* Send what is left, and wait for whoever is sending. The caller is shielded and has a time limit. */
static int
send_rest(green_stream *st)
{
        struct green_wait w;
        int rc = 0;

        if (st->writing == GREEN__STREAM_NOBODY)
                st->writing = GREEN__STREAM_WRITES;
        else
                rc = green_park(&st->turn, &w, GREEN_FOREVER);
        if (rc != 0)
                return rc;
        rc = green__stream_flush_out(st);
        st->writing = GREEN__STREAM_NOBODY;
        return rc;
}

static int
send_rest_in_time(green_stream *st)
{
        struct green_timeout_opts opts = {.size = sizeof opts, .code = -ETIMEDOUT};
        struct green_timeout limit = {{0}};
        int rc;

        if (green__stream_unsent(st) == 0 && st->writing == GREEN__STREAM_NOBODY)
                return 0;
        /* In hub context nothing waits: what can be sent at once is. */
        if (green_getcurrent() == NULL)
                return st->writing == GREEN__STREAM_NOBODY ? green__stream_flush_out(st) : -EDEADLK;
        green_shield_begin();
        rc = green_timeout_start_opts(&limit, GREEN__STREAM_CLOSE_SECONDS, &opts);
        if (rc == 0) {
                rc = send_rest(st);
                (void)green_timeout_cancel(&limit);
        }
        green_shield_end();
        return rc;
}

/* Of another OS thread: only the source can tell whether that has ended. Nothing can be sent. */
static int
close_from_elsewhere(green_stream *st)
{
        int rc = st->users > 0 ? -EPERM : 0;

        if (rc == 0 && st->ops.close != NULL)
                rc = st->ops.close(st->source);
        if (rc == -EPERM)
                return green_hub_check(st->hub, "a stream");
        st->closing = st->closed = true;
        return rc != 0 || green__stream_unsent(st) == 0 ? rc : -EPIPE;
}

int
green_stream_close(green_stream *st)
{
        int rc, error;

        if (st == NULL || st->closing)
                return 0;
        green__stream_check_forks(st);
        if (st->hub != green_hub_ident())
                return close_from_elsewhere(st);
        st->closing = true;
        st->users++;
        rc = send_rest_in_time(st);
        if (rc == 0)
                rc = st->error;
        st->closed = true;
        green_wake_all(&st->turn, -ECANCELED);
        error = st->ops.close == NULL ? 0 : st->ops.close(st->source);
        st->users--;
        if (st->freed && st->users == 0)
                green__stream_discard(st);
        return rc != 0 ? rc : error;
}

int
green_stream_free(green_stream *st)
{
        int rc = 0;

        if (st == NULL)
                return 0;
        green__stream_check_forks(st);
        if (!st->closed) {
                if (st->users > 0)
                        return st->hub == green_hub_ident() ? -EBUSY : green_hub_check(st->hub, "a stream");
                rc = green_stream_close(st);
                if (!st->closed)
                        return rc;
        }
        st->freed = true;
        if (st->users == 0)
                green__stream_discard(st);
        return rc;
}

/* ---- the position */

/* Take both directions: nobody else may use a stream whose position is at stake. */
static int
begin_both(green_stream *st)
{
        int rc = st == NULL ? -EINVAL : green__stream_enter(st);

        if (rc != 0)
                return rc;
        rc = green__stream_begin_write(st);
        if (rc != 0)
                return rc;
        rc = green__stream_begin_read(st);
        return rc == 0 ? 0 : (int)green__stream_end_write(st, rc);
}

static int
end_both(green_stream *st, int rc)
{
        rc = (int)green__stream_end_read(st, rc);
        /* The other pin still holds it, unless it was closed and is gone with this one. */
        return (int)green__stream_end_write(st, rc);
}

static int
seek(green_stream *st, int64_t offset, int whence, int64_t *ret_at)
{
        int64_t ahead = (int64_t)green__stream_ahead(st);
        bool tell = whence == SEEK_CUR && offset == 0;
        int rc;

        if (whence == SEEK_CUR && !tell) {
                if (offset < INT64_MIN + ahead)
                        return -EINVAL;
                offset -= ahead;
        }
        rc = green__stream_source_seek(st, offset, whence, ret_at);
        if (rc != 0)
                return rc;
        if (tell)
                *ret_at -= ahead;
        else
                st->in_at = st->in_end = 0;
        return 0;
}

int
green_stream_seek(green_stream *st, int64_t offset, int whence, int64_t *ret_at)
{
        int64_t at = 0;
        int rc = begin_both(st);

        if (rc != 0)
                return rc;
        rc = st->ops.seek == NULL ? -ESPIPE : green__stream_flush_out(st);
        if (rc == 0)
                rc = seek(st, offset, whence, &at);
        rc = end_both(st, rc);
        if (rc == 0 && ret_at != NULL)
                *ret_at = at;
        return rc;
}

int
green_stream_truncate(green_stream *st, int64_t length)
{
        int64_t at = 0;
        int rc = begin_both(st);

        if (rc != 0)
                return rc;
        rc = st->ops.truncate == NULL ? -EINVAL : green__stream_flush_out(st);
        /* What was read ahead may be cut off. */
        if (rc == 0)
                rc = green__stream_drop_ahead(st);
        if (rc == 0 && length < 0) {
                rc = green__stream_source_seek(st, 0, SEEK_CUR, &at);
                length = at;
        }
        if (rc == 0)
                rc = st->ops.truncate(st->source, length);
        return end_both(st, rc);
}

/* ---- questions */

size_t
green_stream_pending(const green_stream *st)
{
        return st == NULL || st->closing ? 0 : green__stream_ahead(st);
}

size_t
green_stream_unsent(const green_stream *st)
{
        return st == NULL || st->closed ? 0 : green__stream_unsent(st);
}

green_fd
green_stream_fd(const green_stream *st)
{
        return st == NULL || st->closed || st->ops.fd == NULL ? GREEN_INVALID_FD : st->ops.fd(st->source);
}
