/*
 * The inside of a stream.
 *
 * Reading and writing are two directions, each of which one green thread has at a time: `reading`, `writing`. What a
 * call needs from the source it gets with green__stream_source_...(), which may yield; whoever calls these has pinned
 * the stream, and learns by -ECANCELED that it was closed meanwhile.
 */
#ifndef GREEN_STREAM_PRIV_H
#define GREEN_STREAM_PRIV_H

#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/stream.h>
#include <green/thread.h>

#include "check.h"
#include "sock_sys.h"

/* Calls on one stream, and of its source in them, before one of them lets the others run. */
#define GREEN__STREAM_STREAK 64

#define GREEN__STREAM_CLOSE_SECONDS 2.0

/* Who has the writing direction. */
enum green__stream_writer {
        GREEN__STREAM_NOBODY,
        GREEN__STREAM_WRITES, /* a call that writes: a second one is refused */
        GREEN__STREAM_FLUSHES /* a call that reads, and has to flush before: a writer waits until it is done */
};

/* In the order of use: what a message needs is in few lines of the cache. */
struct green_stream {
        uint64_t hub; /* green_hub_ident() of the OS thread it belongs to */
        size_t in_at; /* of the read buffer: the first byte that was not taken */
        size_t in_end;
        char *out;     /* the write buffer; NULL: not needed yet */
        size_t out_at; /* the first byte that was not sent */
        size_t out_end;
        size_t out_cap;
        size_t write_size;
        unsigned streak; /* calls since the others ran */
        unsigned users;  /* calls that may yield inside, and will touch it again */
        unsigned forks;  /* green__sys_forks when users was counted */
        int error;       /* of a write that could tell a count only: the next one tells it */
        enum green__stream_writer writing;
        bool reading;
        bool closing; /* sends what is left; new calls are refused already */
        bool closed;  /* the source has gone */
        bool freed;   /* the last of its users releases it */
        bool unbuffered;
        bool line_buffered;
        bool moves; /* the source has a position */
        size_t read_size;
        void *source;
        struct green_waitq turn; /* those who wait until the writing direction is free */
        struct green_stream_ops ops;
        char *in; /* the read buffer; NULL: not needed yet */
        size_t in_cap;
        _Alignas(max_align_t) char own[]; /* the source, where it is one of ours */
};

/* A stream with room for a source in it, of own bytes and zeroed: ops get that. NULL with errno and green_last_error().
 */
green_stream *green__stream_new(const struct green_stream_ops *ops, size_t own, const struct green_stream_opts *opts);

/* Throw away one that was never used; ops->close is not called. */
void green__stream_discard(green_stream *st);

/* Let the others run, after a streak. For a call that has not pinned the stream. */
int green__stream_turn(green_stream *st);

/* The green threads that were inside in the parent of a fork are not here. */
void green__stream_forget_parent(green_stream *st);

/* The end of a call on a stream that was closed meanwhile: the last one releases it. */
ssize_t green__stream_leave_closed(green_stream *st, ssize_t rc);

/* -EBUSY, and who it is. */
int green__stream_busy(const char *what);

/* Take the writing direction, and pin the stream: 0, -EBUSY, or what ended the wait for it. */
int green__stream_begin_write(green_stream *st);

/* Give it back. If what comes back is negative, the stream may be gone: touch it no more. */
ssize_t green__stream_end_write(green_stream *st, ssize_t rc);

/* The writing direction goes to whoever waits for it, or to nobody. */
void green__stream_pass_turn(green_stream *st);

/* Let the others run, in a call that has pinned the stream. */
int green__stream_source_turn(green_stream *st);

int green__stream_source_seek(green_stream *st, int64_t offset, int whence, int64_t *ret_at);

/* Send all that is in the write buffer. The caller has the writing direction. */
int green__stream_flush_out(green_stream *st);

/* Send it before a read that needs the source, if nobody else writes. 0: read. */
int green__stream_flush_before_read(green_stream *st);

/* What a write could not tell, because it told a count, is for the next one to tell, unless that will see for itself.
 */
void green__stream_keep_error(green_stream *st, int rc);

/* Drop what was read ahead, and move a source that can be moved back to where the reader is. */
int green__stream_drop_ahead(green_stream *st);

/* The beginning of each call that may yield. */
static inline int
green__stream_enter(green_stream *st)
{
        if (green__unlikely(st->hub != green_hub_ident()))
                return green_hub_check(st->hub, "a stream");
        if (green__unlikely(st->closing))
                return -EBADF;
        if (green__unlikely(++st->streak > GREEN__STREAM_STREAK))
                return green__stream_turn(st);
        return green_checkpoint();
}

static inline size_t
green__stream_ahead(const green_stream *st)
{
        return st->in_end - st->in_at;
}

static inline size_t
green__stream_unsent(const green_stream *st)
{
        return st->out_end - st->out_at;
}

static inline void
green__stream_check_forks(green_stream *st)
{
        if (green__unlikely(st->forks != green__sys_forks))
                green__stream_forget_parent(st);
}

/* The beginning of a call that may yield inside, so that the stream outlives it. */
static inline void
green__stream_pin(green_stream *st)
{
        green__stream_check_forks(st);
        st->users++;
}

/* Its end. If what comes back is negative, the stream may be gone: touch it no more. */
static inline ssize_t
green__stream_leave(green_stream *st, ssize_t rc)
{
        if (st->users > 0)
                st->users--;
        return green__likely(!st->closed) ? rc : green__stream_leave_closed(st, rc);
}

/* Take the reading direction, and pin the stream: 0 or -EBUSY. */
static inline int
green__stream_begin_read(green_stream *st)
{
        green__stream_check_forks(st);
        if (green__unlikely(st->reading))
                return green__stream_busy("reads from");
        st->reading = true;
        st->users++;
        return 0;
}

/* Give it back, as green__stream_leave(). */
static inline ssize_t
green__stream_end_read(green_stream *st, ssize_t rc)
{
        st->reading = false;
        return green__stream_leave(st, rc);
}

/* After so many calls of the source let the others run: it may be one that never waits. */
static inline int
green__stream_count_source(green_stream *st)
{
        return green__likely(++st->streak <= GREEN__STREAM_STREAK) ? 0 : green__stream_source_turn(st);
}

/* Ask the source. -ECANCELED: the stream was closed meanwhile. */
static inline ssize_t
green__stream_source_read(green_stream *st, void *buf, size_t len)
{
        int rc = st->ops.read == NULL ? -EBADF : green__stream_count_source(st);
        ssize_t n;

        if (green__unlikely(rc != 0))
                return rc;
        n = st->ops.read(st->source, buf, len);
        if (green__unlikely(st->closed))
                return n < 0 ? n : -ECANCELED;
        return green__likely(n < 0 || (size_t)n <= len) ? n : -EIO;
}

/* The same with len bytes in n pieces to be written. */
static inline ssize_t
green__stream_source_writev(green_stream *st, const struct green_iovec *iov, size_t n, size_t len)
{
        int rc = st->ops.writev == NULL ? -EBADF : green__stream_count_source(st);
        ssize_t sent;

        if (green__unlikely(rc != 0))
                return rc;
        sent = st->ops.writev(st->source, iov, n);
        if (green__unlikely(st->closed))
                return sent < 0 ? sent : -ECANCELED;
        /* One that takes nothing and says so would be asked for ever. */
        return green__likely(sent < 0 || (sent > 0 && (size_t)sent <= len)) ? sent : -EIO;
}

#endif
