/*
 * green_process_communicate(). See <green/process.h>.
 *
 * One green thread does all of it: it writes and reads what can be done at once, at all descriptors, and waits for any
 * of them when nothing can. What has been done stands in the process, so the next call goes on there. The directions of
 * the streams are held meanwhile, so what was written to or read ahead by a stream comes first and nobody gets in
 * between.
 */
#include "process_priv.h"

#include "pipe_sys.h"

#define FIRST_SIZE 8192
#define MOST_AT_ONCE 65536

/* Turns without waiting, before the others run. */
#define STREAK 64

/* One call of it. */
struct talk {
        green_process *p;
        size_t limit;
        bool open[3];    /* this stream's direction is held */
        unsigned events; /* how many of those below are set */
        struct green_wait waits[3];
        bool moved; /* something was done in this turn */
};

static green_fd
fd_of(const struct talk *t, int i)
{
        return green_stream_fd(t->p->streams[i]);
}

/* ---- holding the streams */

static void
let_go(struct talk *t, int i)
{
        if (!t->open[i])
                return;
        t->open[i] = false;
        if (i == 0)
                (void)green__stream_end_write(t->p->streams[i], 0);
        else
                (void)green__stream_end_read(t->p->streams[i], 0);
}

static void
close_one(struct talk *t, int i)
{
        let_go(t, i);
        (void)green_stream_close(t->p->streams[i]);
        t->moved = true;
}

static int
hold(struct talk *t)
{
        int rc = 0;

        for (int i = 0; i < 3 && rc == 0; i++) {
                green_stream *st = t->p->streams[i];

                if (st == NULL || st->closing)
                        continue;
                rc = i == 0 ? green__stream_begin_write(st) : green__stream_begin_read(st);
                t->open[i] = rc == 0;
        }
        return rc;
}

/* ---- its input */

/* So much has been written, of what the stream had and then of the input. */
static void
sent(green_process *p, size_t n)
{
        green_stream *st = p->streams[0];
        size_t before = green__stream_unsent(st);

        if (n < before) {
                st->out_at += n;
                return;
        }
        st->out_at = st->out_end = 0;
        p->input += n - before;
        p->input_left -= n - before;
}

static int
feed(struct talk *t)
{
        green_process *p = t->p;
        green_stream *st = p->streams[0];
        struct green_iovec iov[2];
        size_t n = 0;
        ssize_t rc = 0;

        if (green__stream_unsent(st) > 0)
                iov[n++] = (struct green_iovec){st->out + st->out_at, green__stream_unsent(st)};
        if (p->input_left > 0)
                iov[n++] = (struct green_iovec){(void *)(uintptr_t)p->input, p->input_left};
        if (n > 0)
                rc = green__sys_writev(fd_of(t, 0), &green__pipe_kind, iov, n);
        if (rc == -EAGAIN)
                return 0;
        if (rc > 0) {
                sent(p, (size_t)rc);
                t->moved = true;
        }
        if (rc == -EPIPE) {
                /* It does not want the rest. */
                st->out_at = st->out_end = 0;
                p->input_left = 0;
                rc = 0;
        }
        if (rc >= 0 && green__stream_unsent(st) == 0 && p->input_left == 0)
                close_one(t, 0);
        return rc < 0 ? (int)rc : 0;
}

/* ---- its output */

/* Room for more, and a NUL. */
static int
make_room(struct green__output *o, size_t more)
{
        size_t cap = o->cap < FIRST_SIZE ? FIRST_SIZE : o->cap;
        char *data;

        if (more >= SIZE_MAX / 4 || o->len >= SIZE_MAX / 4)
                return -ENOMEM;
        while (cap < o->len + more + 1)
                cap *= 2;
        if (cap == o->cap)
                return 0;
        data = green_realloc(o->data, cap);
        if (data == NULL)
                return -ENOMEM;
        o->data = data;
        o->cap = cap;
        return 0;
}

/* What the stream has read ahead. */
static int
take_ahead(green_stream *st, struct green__output *o)
{
        size_t n = green__stream_ahead(st);
        int rc = n == 0 ? 0 : make_room(o, n);

        if (rc != 0 || n == 0)
                return rc;
        memcpy(o->data + o->len, st->in + st->in_at, n);
        o->len += n;
        st->in_at = st->in_end = 0;
        return 0;
}

static int
take(struct talk *t, int i)
{
        struct green__output *o = &t->p->got[i - 1];
        int rc = take_ahead(t->p->streams[i], o);
        ssize_t n;

        if (rc == 0 && o->len > t->limit)
                rc = -EMSGSIZE;
        /* One more than the limit tells that there is more. */
        if (rc == 0)
                rc = make_room(o, o->cap - o->len > FIRST_SIZE ? 1 : FIRST_SIZE);
        if (rc != 0)
                return rc;
        n = (ssize_t)(o->cap - o->len - 1 < MOST_AT_ONCE ? o->cap - o->len - 1 : MOST_AT_ONCE);
        if ((size_t)n > t->limit - o->len)
                n = (ssize_t)(t->limit - o->len) + 1;
        n = green__sys_read(fd_of(t, i), &green__pipe_kind, o->data + o->len, (size_t)n);
        if (n == 0)
                close_one(t, i);
        if (n == -EAGAIN)
                return 0;
        if (n > 0) {
                o->len += (size_t)n;
                t->moved = true;
        }
        return n < 0 ? (int)n : 0;
}

/* ---- the three together */

static int
wait_for_any(struct talk *t, double timeout)
{
        size_t n = 0;
        int rc = 0;

        for (int i = 0; i < 3 && rc == 0; i++) {
                if (!t->open[i])
                        continue;
                t->waits[n] = (struct green_wait){.next = NULL};
                rc = green_wait_fd(&t->waits[n], fd_of(t, i), i == 0 ? GREEN_WRITE : GREEN_READ);
                n += rc == 0;
        }
        if (rc == 0)
                return green_park_any(t->waits, n, timeout, NULL);
        (void)!green_park_any(t->waits, n, 0, NULL); /* lets go of those before */
        return rc;
}

/* One that was closed by somebody meanwhile has no more to say. */
static int
turn(struct talk *t)
{
        int rc = 0;

        t->moved = false;
        for (int i = 0; i < 3 && rc == 0; i++) {
                if (t->open[i] && t->p->streams[i]->closing)
                        let_go(t, i);
                if (t->open[i])
                        rc = i == 0 ? feed(t) : take(t, i);
        }
        return rc;
}

static int
talk(struct talk *t, int64_t until)
{
        unsigned streak = 0;
        int rc = 0;

        while (rc == 0 && (t->open[0] || t->open[1] || t->open[2])) {
                rc = turn(t);
                if (rc == 0 && !t->moved && (t->open[0] || t->open[1] || t->open[2])) {
                        rc = wait_for_any(t, green__left_until(until));
                        if (rc == -ECANCELED)
                                rc = 0;
                        streak = 0;
                } else if (rc == 0 && ++streak > STREAK) {
                        rc = green_getcurrent() == NULL ? 0 : green_sleep(0);
                        streak = 0;
                        if (rc == 0 && until != GREEN__NO_END && green__left_until(until) == 0)
                                rc = -ETIMEDOUT;
                }
        }
        return rc;
}

/* All has come: it is the caller's now. Of what wrote nothing there is an empty text. */
static int
hand_over(green_process *p, struct green_process_output *output, int status)
{
        for (int i = 0; i < 2; i++)
                if (p->streams[i + 1] != NULL && p->got[i].data == NULL && make_room(&p->got[i], 0) != 0)
                        return -ENOMEM;
        for (int i = 0; i < 2; i++)
                if (p->got[i].data != NULL)
                        p->got[i].data[p->got[i].len] = '\0';
        *output = (struct green_process_output){.out = p->got[0].data,
                                                .err = p->got[1].data,
                                                .out_len = p->got[0].len,
                                                .err_len = p->got[1].len,
                                                .status = status};
        p->got[0] = p->got[1] = (struct green__output){.data = NULL};
        p->begun = false;
        return 0;
}

int
green_process_communicate(green_process *p, const void *input, size_t len, size_t limit, double timeout,
                          struct green_process_output *output)
{
        int rc = p == NULL || output == NULL || (input == NULL && len > 0)
                         ? -EINVAL
                         : green_park_check(p->hub, "a process", timeout, NULL);
        struct talk t = {.p = p, .limit = limit};
        int status = 0;
        int64_t until;

        if (rc != 0)
                return rc;
        green__process_forget_parent(p);
        if (p->talking)
                return green_set_error(-EBUSY, "another green thread communicates with this process");
        if (len > 0 && !p->begun && (p->streams[0] == NULL || p->streams[0]->closing))
                return green_set_error(-EINVAL, "there is input for a process, and no pipe to it");
        until = timeout == 0 ? 0 : green__end_of(timeout);
        p->talking = true;
        p->users++;
        rc = hold(&t);
        if (rc == 0 && !p->begun) {
                p->begun = true;
                p->input = input;
                p->input_left = len;
        }
        if (rc == 0)
                rc = talk(&t, until);
        for (int i = 0; i < 3; i++)
                let_go(&t, i);
        if (rc == 0)
                rc = green_process_wait(p, green__left_until(until), &status);
        if (rc == 0)
                rc = hand_over(p, output, status);
        p->talking = false;
        p->users--;
        return rc;
}
