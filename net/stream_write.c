/*
 * Streams: writing. What was written and not sent lies in the write buffer, from out_at to out_end.
 */
#include "stream_priv.h"

#include <limits.h>
#include <stdio.h>

/* ---- sending */

/* Send what is buffered and then buf, as much as the source takes at once: bytes of both, or a code. */
static ssize_t
send_some(green_stream *st, const char *buf, size_t len)
{
        size_t unsent = green__stream_unsent(st);
        struct green_iovec iov[2];
        size_t n = 0;
        ssize_t sent;

        if (unsent > 0)
                iov[n++] = (struct green_iovec){st->out + st->out_at, unsent};
        if (len > 0)
                iov[n++] = (struct green_iovec){(void *)(uintptr_t)buf, len};
        sent = green__stream_source_writev(st, iov, n, unsent + len);
        if (sent < 0)
                return sent;
        if ((size_t)sent >= unsent)
                st->out_at = st->out_end = 0;
        else
                st->out_at += (size_t)sent;
        return sent;
}

int
green__stream_flush_out(green_stream *st)
{
        while (green__stream_unsent(st) > 0) {
                ssize_t n = send_some(st, NULL, 0);

                if (n < 0)
                        return (int)n;
        }
        return 0;
}

void
green__stream_keep_error(green_stream *st, int rc)
{
        /* Those that come of waiting come again; a scope tells every call by itself. */
        if (rc == -ETIMEDOUT || rc == -EAGAIN || rc == -EDEADLK || rc == -EBUSY || st->closed)
                return;
        if (green_checkpoint() == 0 && !st->closed)
                st->error = rc;
}

int
green__stream_flush_before_read(green_stream *st)
{
        int rc;

        if (green__likely(green__stream_unsent(st) == 0) || st->writing != GREEN__STREAM_NOBODY)
                return 0;
        st->writing = GREEN__STREAM_FLUSHES;
        rc = green__stream_flush_out(st);
        green__stream_pass_turn(st);
        if (green__likely(rc == 0) || st->closed || st->moves)
                return rc;
        /* What cannot be sent without a wait, which this call may not do, may keep nobody from reading. */
        if (rc == -EAGAIN || rc == -EDEADLK)
                return 0;
        /* A peer that takes no more may have sent something before. The next write tells that it did not get all. */
        if (rc != -EPIPE && rc != -ECONNRESET)
                return rc;
        green__stream_keep_error(st, rc);
        return st->closed ? -ECANCELED : 0;
}

/* ---- into the buffer */

/* Room for n bytes behind what is there; the buffer grows where it must. One byte more is always there, for a NUL. */
static int
make_room(green_stream *st, size_t n)
{
        size_t unsent = green__stream_unsent(st);
        size_t cap = st->out_cap != 0 ? st->out_cap : st->write_size;
        char *out;

        if (st->out != NULL && n <= st->out_cap - st->out_end)
                return 0;
        if (n > SSIZE_MAX - unsent)
                return -ENOMEM;
        if (cap < unsent + n)
                cap = unsent + n;
        if (st->out == NULL || cap > st->out_cap) {
                out = green_malloc(cap + 1);
                if (out == NULL)
                        return -ENOMEM;
                if (unsent > 0) /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): bytes are in a buffer */
                        memcpy(out, st->out + st->out_at, unsent);
                green_free(st->out);
                st->out = out;
                st->out_cap = cap;
        } else {
                memmove(st->out, st->out + st->out_at, unsent);
        }
        st->out_at = 0;
        st->out_end = unsent;
        return 0;
}

static int
append(green_stream *st, const char *buf, size_t len)
{
        int rc = len == 0 ? 0 : make_room(st, len);

        if (rc == 0 && len > 0) {
                memcpy(st->out + st->out_end, buf, len);
                st->out_end += len;
        }
        return rc;
}

/* The beginning of a call that writes: what an earlier one could not tell; and a file goes back to the reader's place.
 */
static int
begin(green_stream *st)
{
        int rc = st->ops.writev == NULL ? -EBADF : green__stream_begin_write(st);

        if (rc != 0)
                return rc;
        if (green__unlikely(st->error != 0)) {
                rc = st->error;
                st->error = 0;
        } else if (st->moves && green__stream_ahead(st) > 0) {
                rc = st->reading ? green__stream_busy("reads from") : green__stream_drop_ahead(st);
        }
        return rc == 0 ? 0 : (int)green__stream_end_write(st, rc);
}

/* Is there nothing to do but to copy it? */
static inline bool
just_fits(const green_stream *st, size_t len)
{
        return st->out != NULL && len <= st->out_cap - st->out_end && st->out_end + len <= st->write_size &&
               st->writing == GREEN__STREAM_NOBODY && st->error == 0 && !st->unbuffered && !st->line_buffered &&
               (!st->moves || green__stream_ahead(st) == 0);
}

/* How much may stay in the buffer after this was written. */
static size_t
may_stay(const green_stream *st, const void *buf, size_t len)
{
        if (st->unbuffered || (st->line_buffered && len > 0 && memchr(buf, '\n', len) != NULL))
                return 0;
        return st->write_size;
}

/* Send until what is left may stay in the buffer, and leave it there: bytes of buf that were taken, and a code. */
static int
write_all(green_stream *st, const char *buf, size_t len, size_t *ret_taken)
{
        size_t room = may_stay(st, buf, len);
        size_t taken = 0;
        int rc = 0;

        while (taken < len) {
                size_t unsent = green__stream_unsent(st);
                ssize_t n;

                if (unsent <= room && len - taken <= room - unsent) {
                        rc = append(st, buf + taken, len - taken);
                        taken += rc == 0 ? len - taken : 0;
                        break;
                }
                n = send_some(st, buf + taken, len - taken);
                if (n < 0) {
                        rc = (int)n;
                        break;
                }
                if ((size_t)n > unsent)
                        taken += (size_t)n - unsent;
        }
        *ret_taken = taken;
        return rc;
}

ssize_t
green_stream_write(green_stream *st, const void *buf, size_t len)
{
        size_t taken;
        int rc;

        if (st == NULL || (buf == NULL && len > 0) || len > SSIZE_MAX)
                return -EINVAL;
        rc = green__stream_enter(st);
        if (green__unlikely(rc != 0))
                return rc;
        if (green__likely(just_fits(st, len)) && len > 0) {
                memcpy(st->out + st->out_end, buf, len);
                st->out_end += len;
                return (ssize_t)len;
        }
        rc = begin(st);
        if (rc != 0)
                return rc;
        rc = write_all(st, buf, len, &taken);
        if (rc != 0 && taken > 0) {
                green__stream_keep_error(st, rc);
                rc = 0;
        }
        return green__stream_end_write(st, rc != 0 ? rc : (ssize_t)taken);
}

int
green_stream_flush(green_stream *st)
{
        int rc;

        if (st == NULL)
                return -EINVAL;
        rc = green__stream_enter(st);
        /* One that cannot be written has nothing to send. */
        if (rc != 0 || st->ops.writev == NULL)
                return rc;
        rc = begin(st);
        if (rc != 0)
                return rc;
        return (int)green__stream_end_write(st, green__stream_flush_out(st));
}

/* ---- formatted */

/* Into the room there is behind what is buffered: bytes of the text, which is there only if it fits. */
GREEN_PRINTF(2, 0)
static int
format_into(green_stream *st, const char *format, va_list args)
{
        size_t room = st->out == NULL ? 0 : st->out_cap + 1 - st->out_end;
        va_list again;
        int n;

        va_copy(again, args);
        n = vsnprintf(room > 0 ? st->out + st->out_end : NULL, room, format, again);
        va_end(again);
        return n < 0 ? -EINVAL : n;
}

/* Have the text in the buffer, all of it: sends what is there before, and what is longer than the buffer makes it grow.
 */
GREEN_PRINTF(2, 0)
static int
format(green_stream *st, const char *text, va_list args)
{
        int n = 0, rc = st->out == NULL ? make_room(st, 1) : 0;

        while (rc == 0) {
                n = format_into(st, text, args);
                if (n < 0 || (size_t)n <= st->out_cap - st->out_end)
                        break;
                if (green__stream_unsent(st) > 0)
                        rc = green__stream_flush_out(st);
                if (rc == 0)
                        rc = make_room(st, (size_t)n);
                /* What is printed may be another text by now: others ran. */
        }
        return rc != 0 ? rc : n;
}

int
green_stream_vprintf(green_stream *st, const char *text, va_list args)
{
        size_t from;
        int n, rc;

        if (st == NULL || text == NULL)
                return -EINVAL;
        rc = green__stream_enter(st);
        if (rc != 0)
                return rc;
        if (just_fits(st, 1)) {
                n = format_into(st, text, args);
                if (n < 0)
                        return n;
                if (just_fits(st, (size_t)n)) {
                        st->out_end += (size_t)n;
                        return n;
                }
        }
        rc = begin(st);
        if (rc != 0)
                return rc;
        n = format(st, text, args);
        if (n > 0) {
                from = st->out_end;
                st->out_end += (size_t)n;
                if (green__stream_unsent(st) > may_stay(st, st->out + from, (size_t)n)) {
                        rc = green__stream_flush_out(st);
                        if (rc != 0)
                                green__stream_keep_error(st, rc);
                }
        }
        return (int)green__stream_end_write(st, n);
}

int
green_stream_printf(green_stream *st, const char *text, ...)
{
        va_list args;
        int n;

        va_start(args, text);
        n = green_stream_vprintf(st, text, args);
        va_end(args);
        return n;
}
