/*
 * A source for tests of streams: what it gives comes in portions, and it waits when told so; what it takes, likewise.
 */
#ifndef GREEN_TESTS_NET_STREAM_H
#define GREEN_TESTS_NET_STREAM_H

#include "net_suite.h"

struct source {
        const char *in; /* what can be read */
        size_t in_len;
        size_t in_at;
        size_t portion;  /* bytes a read gives at most; 0: no limit */
        bool no_end;     /* where in is used up a read waits, and does not say that it is the end */
        char out[65536]; /* what was written */
        size_t out_len;
        size_t takes;   /* bytes a write takes at most; 0: no limit */
        bool full;      /* a write waits */
        int read_code;  /* the next read fails so, once */
        int write_code; /* the next write fails so, once */
        unsigned good;  /* writes that succeed before that */
        unsigned reads, writes, closes;
        size_t asked;         /* by the last read */
        unsigned write_parts; /* of the last write */
        struct green_waitq readers, writers;
        int close_code;
};

static ssize_t
source_read(void *arg, void *buf, size_t len)
{
        struct source *s = arg;
        struct green_wait w;

        s->reads++;
        s->asked = len;
        if (s->read_code != 0) {
                int code = s->read_code;

                s->read_code = 0;
                return code;
        }
        while (s->in_at == s->in_len && s->no_end) {
                int rc = green_park(&s->readers, &w, GREEN_FOREVER);

                if (rc != 0)
                        return rc;
        }
        if (len > s->in_len - s->in_at)
                len = s->in_len - s->in_at;
        if (s->portion != 0 && len > s->portion)
                len = s->portion;
        memcpy(buf, s->in + s->in_at, len);
        s->in_at += len;
        return (ssize_t)len;
}

static ssize_t
source_writev(void *arg, const struct green_iovec *iov, size_t n)
{
        struct source *s = arg;
        size_t taken = 0, most = s->takes != 0 ? s->takes : SIZE_MAX;
        struct green_wait w;

        s->writes++;
        s->write_parts = (unsigned)n;
        if (s->write_code != 0 && s->good-- == 0) {
                int code = s->write_code;

                s->write_code = 0;
                s->good = 0;
                return code;
        }
        while (s->full) {
                int rc = green_park(&s->writers, &w, GREEN_FOREVER);

                if (rc != 0)
                        return rc;
        }
        for (size_t i = 0; i < n && taken < most; i++) {
                size_t len = iov[i].len < most - taken ? iov[i].len : most - taken;

                if (len > sizeof s->out - s->out_len)
                        len = sizeof s->out - s->out_len;
                memcpy(s->out + s->out_len, iov[i].base, len);
                s->out_len += len;
                taken += len;
        }
        return (ssize_t)taken;
}

static int
source_close(void *arg)
{
        struct source *s = arg;

        s->closes++;
        green_wake_all(&s->readers, -ECANCELED);
        green_wake_all(&s->writers, -ECANCELED);
        return s->close_code;
}

static const struct green_stream_ops source_ops = {
        .size = sizeof source_ops, .read = source_read, .writev = source_writev, .close = source_close};

/* A stream over a source whose text is to be read; sizes of its buffers, 0 for the defaults. */
MAYBE green_stream *
stream_over(struct source *s, const char *text, size_t read_size, size_t write_size)
{
        struct green_stream_opts opts = {.size = sizeof opts, .read_size = read_size, .write_size = write_size};
        green_stream *st;

        s->in = text;
        s->in_len = strlen(text);
        st = green_stream_new(&source_ops, s, &opts);
        CHECK(st != NULL);
        return st;
}

/* More comes in. */
MAYBE void
source_give(struct source *s, const char *text)
{
        s->in = text;
        s->in_len = strlen(text);
        s->in_at = 0;
        green_wake_all(&s->readers, 0);
}

MAYBE void
source_drain(struct source *s)
{
        s->full = false;
        green_wake_all(&s->writers, 0);
}

/* What was written is this text. */
MAYBE bool
source_got(const struct source *s, const char *text)
{
        return s->out_len == strlen(text) && memcmp(s->out, text, s->out_len) == 0;
}

/* What a call gave, without a NUL, is this text. */
#define CHECK_DATA(data, n, text)                                                                                      \
        do {                                                                                                           \
                ssize_t n_ = (ssize_t)(n);                                                                             \
                                                                                                                       \
                if (CHECK_INT(n_, strlen(text)))                                                                       \
                        CHECK(memcmp((data), (text), strlen(text)) == 0);                                              \
        } while (0)

/* ---- one call in a green thread of its own */

enum op { OP_READ, OP_EXACT, OP_LINE, OP_ALL, OP_PEEK, OP_WRITE, OP_PRINTF, OP_FLUSH, OP_SEEK, OP_TRUNCATE, OP_CLOSE };

struct doing {
        green_stream *st;
        enum op op;
        const char *text; /* to write */
        size_t len;
        char buf[256];
        size_t done;
        ssize_t rc;
        bool over;
        green_thread *thread;
};

MAYBE void *
do_op(void *arg)
{
        struct doing *d = arg;
        const char *data = NULL;
        char *all = NULL;
        size_t n = 0;

        switch (d->op) {
        case OP_READ:
                d->rc = green_stream_read(d->st, d->buf, d->len != 0 ? d->len : sizeof d->buf);
                break;
        case OP_EXACT:
                d->rc = green_stream_read_exact(d->st, d->buf, d->len, &d->done);
                break;
        case OP_LINE:
                d->rc = green_stream_readline(d->st, sizeof d->buf, &data);
                break;
        case OP_ALL:
                d->rc = green_stream_read_all(d->st, sizeof d->buf, &all, &n);
                if (d->rc == 0) {
                        d->rc = (ssize_t)n;
                        data = all;
                }
                break;
        case OP_PEEK:
                d->rc = green_stream_peek(d->st, d->len, &data);
                break;
        case OP_WRITE:
                d->rc = green_stream_write(d->st, d->text, d->len != 0 ? d->len : strlen(d->text));
                break;
        case OP_PRINTF:
                d->rc = green_stream_printf(d->st, "%s", d->text);
                break;
        case OP_FLUSH:
                d->rc = green_stream_flush(d->st);
                break;
        case OP_SEEK:
                d->rc = green_stream_seek(d->st, 0, SEEK_SET, NULL);
                break;
        case OP_TRUNCATE:
                d->rc = green_stream_truncate(d->st, 0);
                break;
        case OP_CLOSE:
                d->rc = green_stream_close(d->st);
                break;
        }
        if (data != NULL && d->rc > 0)
                memcpy(d->buf, data, (size_t)d->rc);
        green_free(all);
        d->over = true;
        return NULL;
}

MAYBE void
begin_op(struct doing *d)
{
        d->rc = -9999;
        d->over = false;
        d->thread = green_spawn(do_op, d);
        CHECK(d->thread != NULL);
        green_sleep(0);
}

MAYBE ssize_t
end_op(struct doing *d)
{
        CHECK_INT(green_thread_wait(d->thread, NULL), 0);
        green_thread_unref(d->thread);
        return d->rc;
}

/* Kill it where it waits: what its call returned. */
MAYBE ssize_t
kill_op(struct doing *d)
{
        CHECK(!d->over);
        CHECK_INT(green_kill(d->thread, 0), 0);
        CHECK_INT(green_thread_wait(d->thread, NULL), GREEN_EKILLED);
        green_thread_unref(d->thread);
        return d->rc;
}

#endif
