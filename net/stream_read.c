/*
 * Streams: reading. What has come and was not taken lies in the read buffer, from in_at to in_end.
 */
#include "stream_priv.h"

#include <limits.h>

/* ---- the buffer */

/* Give the buffer cap bytes, and put what is in it at its front. */
static int
resize(green_stream *st, size_t cap)
{
        size_t ahead = green__stream_ahead(st);
        char *in = green_malloc(cap);

        if (in == NULL)
                return -ENOMEM;
        if (ahead > 0) /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): there is a buffer, if it has bytes */
                memcpy(in, st->in + st->in_at, ahead);
        green_free(st->in);
        st->in = in;
        st->in_cap = cap;
        st->in_at = 0;
        st->in_end = ahead;
        return 0;
}

static void
move_to_front(green_stream *st)
{
        size_t ahead = green__stream_ahead(st);

        memmove(st->in, st->in + st->in_at, ahead);
        st->in_at = 0;
        st->in_end = ahead;
}

/*
 * Room behind what is there, which is less than limit bytes: up to so many the buffer may grow. Half of it should be
 * free, so that a read brings much; what is moved for that is at most the other half, and in the next half of it
 * nothing is moved again.
 */
static int
make_room(green_stream *st, size_t limit)
{
        size_t ahead = green__stream_ahead(st);
        size_t cap = st->in_cap;

        if (green__unlikely(st->in == NULL))
                return resize(st, st->read_size);
        if (green__likely(ahead == 0)) {
                st->in_at = st->in_end = 0;
                return 0;
        }
        if (cap - st->in_end >= cap / 2 && cap > st->in_end)
                return 0;
        if (ahead > cap / 2 && cap < limit) {
                cap = cap <= limit / 2 ? 2 * cap : limit;
                if (resize(st, cap) == 0)
                        return 0;
                /* Where there is no memory for more, what there is will do for a while. */
        }
        if (st->in_at > 0)
                move_to_front(st);
        return st->in_end < st->in_cap ? 0 : -ENOMEM;
}

/* Read more, behind what is there: bytes, 0 at the end, a code. There is room for it. */
static ssize_t
fill(green_stream *st)
{
        ssize_t n = green__stream_flush_before_read(st);

        if (green__unlikely(n != 0))
                return n;
        n = green__stream_source_read(st, st->in + st->in_end, st->in_cap - st->in_end);
        if (green__likely(n > 0))
                st->in_end += (size_t)n;
        return n;
}

/* Have n bytes there or more: how many there are, fewer only at the end. */
static ssize_t
gather(green_stream *st, size_t n)
{
        while (green__stream_ahead(st) < n) {
                ssize_t rc = make_room(st, n);

                if (rc == 0)
                        rc = fill(st);
                if (rc < 0)
                        return rc;
                if (rc == 0)
                        break;
        }
        return (ssize_t)green__stream_ahead(st);
}

static inline size_t
take(green_stream *st, void *buf, size_t len)
{
        size_t n = green__stream_ahead(st);

        if (n > len)
                n = len;
        if (n > 0)
                memcpy(buf, st->in + st->in_at, n);
        st->in_at += n;
        return n;
}

/* The beginning of each call. One that has what it wants in the buffer goes no further than this. */
static inline int
enter(green_stream *st)
{
        int rc = green__stream_enter(st);

        if (green__likely(rc == 0 && !st->reading))
                return 0;
        if (rc != 0)
                return rc;
        /* Somebody is in there, or was when the process forked. */
        rc = green__stream_begin_read(st);
        return rc == 0 ? (int)green__stream_end_read(st, 0) : rc;
}

/* ---- so much */

ssize_t
green_stream_read(green_stream *st, void *buf, size_t len)
{
        ssize_t n;
        int rc;

        if (st == NULL || (buf == NULL && len > 0) || len > SSIZE_MAX)
                return -EINVAL;
        rc = enter(st);
        if (green__unlikely(rc != 0 || len == 0))
                return rc;
        if (green__stream_ahead(st) > 0)
                return (ssize_t)take(st, buf, len);
        rc = green__stream_begin_read(st);
        if (rc != 0)
                return rc;
        if (len >= st->read_size) {
                n = green__stream_flush_before_read(st);
                if (n == 0)
                        n = green__stream_source_read(st, buf, len);
        } else {
                n = gather(st, 1);
                if (n > 0)
                        n = (ssize_t)take(st, buf, len);
        }
        return green__stream_end_read(st, n);
}

/* Put bytes that were taken back in front of what is there: 0, or -ENOMEM. */
static int
put_back(green_stream *st, const void *buf, size_t len)
{
        size_t ahead = green__stream_ahead(st);

        if (len > st->in_at) {
                if (len > st->in_cap - ahead) {
                        int rc = resize(st, len + ahead);

                        if (rc != 0)
                                return rc;
                }
                memmove(st->in + len, st->in + st->in_at, ahead);
                st->in_at = len;
                st->in_end = len + ahead;
        }
        st->in_at -= len;
        memcpy(st->in + st->in_at, buf, len);
        return 0;
}

/* More than the buffer should hold: straight to the caller. */
static ssize_t
read_large(green_stream *st, char *buf, size_t len, size_t *ret_done)
{
        size_t done = take(st, buf, len);
        ssize_t n = 1;

        while (done < len && n > 0) {
                if (len - done < st->read_size) {
                        n = gather(st, 1);
                        if (n > 0)
                                done += take(st, buf + done, len - done);
                        continue;
                }
                n = green__stream_flush_before_read(st);
                if (n == 0)
                        n = green__stream_source_read(st, buf + done, len - done);
                if (n > 0)
                        done += (size_t)n;
        }
        *ret_done = done;
        if (done == len)
                return 0;
        if (done > 0 && !st->closed && put_back(st, buf, done) == 0)
                *ret_done = 0;
        return n == 0 ? GREEN_EEOF : n;
}

int
green_stream_read_exact(green_stream *st, void *buf, size_t len, size_t *ret_done)
{
        size_t done = 0;
        ssize_t n;
        int rc;

        if (ret_done != NULL)
                *ret_done = 0;
        if (st == NULL || (buf == NULL && len > 0) || len > SSIZE_MAX)
                return -EINVAL;
        rc = enter(st);
        if (green__unlikely(rc != 0))
                return rc;
        if (green__stream_ahead(st) >= len) {
                done = take(st, buf, len);
        } else {
                rc = green__stream_begin_read(st);
                if (rc != 0)
                        return rc;
                if (len <= st->read_size) {
                        n = gather(st, len);
                        if (n >= 0)
                                n = (size_t)n < len ? GREEN_EEOF : 0;
                        if (n == 0)
                                done = take(st, buf, len);
                } else {
                        n = read_large(st, buf, len, &done);
                }
                rc = (int)green__stream_end_read(st, n);
        }
        if (ret_done != NULL)
                *ret_done = done;
        return rc;
}

/* ---- up to a delimiter */

struct delim {
        const char *bytes;
        size_t len;
};

/* Where a delimiter that begins at `from` or later ends, within n bytes; 0: nowhere. */
static inline size_t
find(const char *at, size_t from, size_t n, struct delim d)
{
        while (n >= d.len && from <= n - d.len) {
                const char *hit = memchr(at + from, d.bytes[0], n - d.len + 1 - from);

                if (hit == NULL)
                        return 0;
                from = (size_t)(hit - at);
                if (d.len == 1 || memcmp(hit, d.bytes, d.len) == 0)
                        return from + d.len;
                from++;
        }
        return 0;
}

/* The bytes that may be looked at. */
static inline size_t
within(const green_stream *st, size_t limit)
{
        size_t ahead = green__stream_ahead(st);

        return ahead < limit ? ahead : limit;
}

/* Read until a delimiter is there: where it ends; what there is, at the end. */
static ssize_t
gather_until(green_stream *st, struct delim d, size_t limit)
{
        size_t looked = within(st, limit);
        size_t found = 0;

        while (found == 0) {
                ssize_t n;

                if (looked == limit)
                        return -EMSGSIZE;
                n = make_room(st, limit);
                if (n == 0)
                        n = fill(st);
                if (n < 0)
                        return n;
                if (n == 0)
                        return (ssize_t)looked;
                /* The beginning of a delimiter may have been there before. */
                found = find(st->in + st->in_at, looked < d.len ? 0 : looked - d.len + 1, within(st, limit), d);
                looked = within(st, limit);
        }
        return (ssize_t)found;
}

static inline ssize_t
read_until(green_stream *st, struct delim d, size_t limit, const char **ret_data)
{
        ssize_t n;
        int rc;

        if (green__unlikely(st == NULL || ret_data == NULL || limit == 0))
                return -EINVAL;
        if (limit > SSIZE_MAX)
                limit = SSIZE_MAX;
        rc = enter(st);
        if (green__unlikely(rc != 0))
                return rc;
        n = st->in == NULL ? 0 : (ssize_t)find(st->in + st->in_at, 0, within(st, limit), d);
        if (n == 0) {
                rc = green__stream_begin_read(st);
                if (rc != 0)
                        return rc;
                n = green__stream_end_read(st, gather_until(st, d, limit));
                if (n < 0)
                        return n;
        }
        *ret_data = st->in + st->in_at;
        st->in_at += (size_t)n;
        return n;
}

ssize_t
green_stream_read_until(green_stream *st, const void *delim, size_t delim_len, size_t limit, const char **ret_data)
{
        if (delim == NULL || delim_len == 0)
                return -EINVAL;
        return read_until(st, (struct delim){delim, delim_len}, limit, ret_data);
}

ssize_t
green_stream_readline(green_stream *st, size_t limit, const char **ret_line)
{
        return read_until(st, (struct delim){"\n", 1}, limit, ret_line);
}

/* ---- all, and without taking it */

/* The buffer itself becomes the caller's. There is room for a NUL: the end was read into it. */
static void
give_away(green_stream *st, char **ret_data, size_t *ret_len)
{
        size_t len = green__stream_ahead(st);
        char *data;

        if (st->in_at > 0)
                move_to_front(st);
        st->in[len] = '\0';
        data = green_realloc(st->in, len + 1);
        *ret_data = data != NULL ? data : st->in;
        *ret_len = len;
        st->in = NULL;
        st->in_at = st->in_end = st->in_cap = 0;
}

int
green_stream_read_all(green_stream *st, size_t limit, char **ret_data, size_t *ret_len)
{
        ssize_t n;
        int rc;

        if (st == NULL || ret_data == NULL || ret_len == NULL)
                return -EINVAL;
        if (limit > SSIZE_MAX - 1)
                limit = SSIZE_MAX - 1;
        rc = enter(st);
        if (rc == 0)
                rc = green__stream_begin_read(st);
        if (rc != 0)
                return rc;
        /* One byte more tells whether there is more. */
        n = gather(st, limit + 1);
        if (n >= 0) {
                n = (size_t)n > limit ? -EMSGSIZE : 0;
                if (n == 0)
                        give_away(st, ret_data, ret_len);
        }
        return (int)green__stream_end_read(st, n);
}

ssize_t
green_stream_peek(green_stream *st, size_t len, const char **ret_data)
{
        ssize_t n;
        int rc;

        if (st == NULL || ret_data == NULL || len > SSIZE_MAX)
                return -EINVAL;
        rc = enter(st);
        if (rc != 0)
                return rc;
        n = (ssize_t)green__stream_ahead(st);
        if ((size_t)n < len) {
                rc = green__stream_begin_read(st);
                if (rc != 0)
                        return rc;
                n = green__stream_end_read(st, gather(st, len));
                if (n < 0)
                        return n;
        }
        *ret_data = st->in != NULL ? st->in + st->in_at : "";
        return n;
}
