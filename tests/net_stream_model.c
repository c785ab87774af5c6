/*
 * A stream at random: a reader and a writer over a source that gives and takes in awkward portions, waits, and fails;
 * who are killed, and run out of time, wherever they wait. What is read must be what came, and what arrives what was
 * written: no byte is lost and none comes twice.
 *
 * Byte number i of each direction is known from i. GREEN_TEST_SEED repeats a run; the seed is printed.
 */
#include "model.h"

#include <errno.h>
#include <green/net.h>

GREEN_SUITE_INIT(help_init)

enum { WRITE_MOST = 90, READ_MOST = 90 };

static const int failures[] = {-EIO, -ECONNRESET, -ENOBUFS};

/* What the source, both actors and the driver share. */
struct world {
        struct model *m; /* chance and history */
        green_stream *st;
        /* the source */
        uint64_t given;   /* bytes that came in so far */
        uint64_t passed;  /* of these, bytes that the stream has */
        uint64_t arrived; /* bytes that the stream has sent */
        size_t room;      /* bytes that it may send now */
        bool ended;       /* nothing more comes */
        bool easy;        /* no failures and no waits any more */
        struct green_waitq readers, writers;
        unsigned closes;
        /* the actors */
        uint64_t read;    /* bytes that the reader has taken */
        uint64_t written; /* bytes that the writer has given away */
        bool inside[2];   /* a call of this direction is under way */
        bool stop;
        unsigned long ops;
        unsigned seen[8]; /* outcomes, to see that all of them happen */
};

enum { SEEN_OK, SEEN_PART, SEEN_KILLED, SEEN_LATE, SEEN_FAILED, SEEN_TOO_LONG, SEEN_END };

static char
in_byte(uint64_t i)
{
        uint64_t x = i * 0x9e3779b97f4a7c15u;

        x ^= x >> 29;
        return (x & 15) == 0 ? '\n' : (char)('a' + (x >> 4) % 5);
}

static char
out_byte(uint64_t i)
{
        return (char)(in_byte(i + 77777) == '\n' ? '\n' : 'A' + i % 26);
}

static bool
expect(struct world *w, const char *data, size_t n, uint64_t from)
{
        for (size_t i = 0; i < n; i++)
                if (data[i] != in_byte(from + i))
                        return FAIL("byte %llu is not what came", (unsigned long long)(from + i));
        (void)w;
        return true;
}

/* ---- the source */

static ssize_t
world_read(void *arg, void *buf, size_t len)
{
        struct world *w = arg;
        struct green_wait wait;
        size_t n;

        if (!w->easy && model_chance(w->m, 4))
                return failures[model_below(w->m, 3)];
        while (w->given == w->passed) {
                int rc;

                if (w->ended)
                        return 0;
                rc = green_park(&w->readers, &wait, GREEN_FOREVER);
                if (rc != 0)
                        return rc;
        }
        n = 1 + model_below(w->m, model_chance(w->m, 50) ? 7 : 200);
        n = n < len ? n : len;
        n = n < w->given - w->passed ? n : (size_t)(w->given - w->passed);
        for (size_t i = 0; i < n; i++)
                ((char *)buf)[i] = in_byte(w->passed + i);
        w->passed += n;
        return (ssize_t)n;
}

static ssize_t
world_writev(void *arg, const struct green_iovec *iov, size_t parts)
{
        struct world *w = arg;
        struct green_wait wait;
        size_t most, n = 0;

        if (!w->easy && model_chance(w->m, 4))
                return failures[model_below(w->m, 3)];
        while (w->room == 0 && !w->easy) {
                int rc = green_park(&w->writers, &wait, GREEN_FOREVER);

                if (rc != 0)
                        return rc;
        }
        most = 1 + model_below(w->m, model_chance(w->m, 50) ? 7 : 200);
        if (!w->easy && most > w->room)
                most = w->room;
        for (size_t k = 0; k < parts; k++)
                for (size_t i = 0; i < iov[k].len && n < most; i++, n++)
                        if (((const char *)iov[k].base)[i] != out_byte(w->arrived + n))
                                return FAIL("byte %llu is not what was written", (unsigned long long)(w->arrived + n)),
                                       -EIO;
        w->arrived += n;
        w->room -= n < w->room ? n : w->room;
        return (ssize_t)n;
}

static int
world_close(void *arg)
{
        struct world *w = arg;

        w->closes++;
        green_wake_all(&w->readers, -ECANCELED);
        green_wake_all(&w->writers, -ECANCELED);
        return 0;
}

/* ---- the actors */

/* A call has failed: for a reason that there is, and a kill has been recovered from. */
static void
failed(struct world *w, const char *what, int code)
{
        model_note(w->m, "%s: %d", what, code);
        if (code == GREEN_EKILLED) {
                CHECK_INT(green_recover(), GREEN_EKILLED);
                w->seen[SEEN_KILLED]++;
        } else if (code == GREEN_ETIMEOUT) {
                w->seen[SEEN_LATE]++;
        } else if (code == -EMSGSIZE || code == GREEN_EEOF) {
                w->seen[code == GREEN_EEOF ? SEEN_END : SEEN_TOO_LONG]++;
        } else {
                CHECK(code == failures[0] || code == failures[1] || code == failures[2]);
                w->seen[SEEN_FAILED]++;
        }
}

/* A call took n bytes. */
static void
took(struct world *w, const char *what, const char *data, ssize_t n)
{
        model_note(w->m, "%s: %zd bytes at %llu", what, n, (unsigned long long)w->read);
        if (n > 0 && expect(w, data, (size_t)n, w->read))
                w->read += (uint64_t)n;
        w->seen[SEEN_OK]++;
}

static void
read_once(struct world *w)
{
        size_t n = model_below(w->m, READ_MOST), done = 99, len = 0;
        char buf[READ_MOST], *all = NULL;
        const char *data = NULL;
        ssize_t rc;

        switch (model_below(w->m, 6)) {
        case 0:
                rc = green_stream_read(w->st, buf, n + 1);
                rc < 0 ? failed(w, "read", (int)rc) : took(w, "read", buf, rc);
                break;
        case 1:
                rc = green_stream_read_exact(w->st, buf, n, &done);
                CHECK_INT(done, rc == 0 ? n : 0);
                rc < 0 ? failed(w, "read_exact", (int)rc) : took(w, "read_exact", buf, (ssize_t)done);
                break;
        case 2:
                rc = green_stream_readline(w->st, n + 1, &data);
                if (rc > 1)
                        CHECK(memchr(data, '\n', (size_t)rc - 1) == NULL);
                if (rc > 0)
                        CHECK(data[rc - 1] == '\n' || w->ended);
                rc < 0 ? failed(w, "readline", (int)rc) : took(w, "readline", data, rc);
                break;
        case 3:
                rc = green_stream_read_until(w->st, "aab", 3, n + 3, &data);
                if (rc > 0)
                        CHECK((rc >= 3 && memcmp(data + rc - 3, "aab", 3) == 0) || w->ended);
                rc < 0 ? failed(w, "read_until", (int)rc) : took(w, "read_until", data, rc);
                break;
        case 4:
                rc = green_stream_peek(w->st, n, &data);
                if (rc >= 0 && CHECK((size_t)rc >= n || w->ended))
                        (void)expect(w, data, (size_t)rc, w->read);
                if (rc < 0)
                        failed(w, "peek", (int)rc);
                break;
        default:
                rc = green_stream_read_all(w->st, n, &all, &len);
                rc < 0 ? failed(w, "read_all", (int)rc) : took(w, "read_all", all, (ssize_t)len);
                green_free(all);
                break;
        }
}

static void
wrote(struct world *w, const char *what, size_t n, ssize_t rc)
{
        if (rc < 0) {
                failed(w, what, (int)rc);
                return;
        }
        model_note(w->m, "%s: %zd of %zu bytes at %llu", what, rc, n, (unsigned long long)w->written);
        CHECK((size_t)rc <= n);
        w->seen[(size_t)rc < n ? SEEN_PART : SEEN_OK]++;
        w->written += (uint64_t)rc;
}

static void
write_once(struct world *w)
{
        char buf[WRITE_MOST + 1];
        size_t n = model_below(w->m, WRITE_MOST);
        int rc;

        for (size_t i = 0; i < n; i++)
                buf[i] = out_byte(w->written + i);
        buf[n] = '\0';
        switch (model_below(w->m, 4)) {
        case 0:
                rc = green_stream_flush(w->st);
                if (rc < 0)
                        failed(w, "flush", rc);
                else
                        CHECK_INT(w->arrived, w->written);
                break;
        case 1:
                rc = green_stream_printf(w->st, "%s", buf);
                CHECK(rc < 0 || (size_t)rc == n);
                wrote(w, "printf", n, rc);
                break;
        default:
                wrote(w, "write", n, green_stream_write(w->st, buf, n));
                break;
        }
}

struct actor {
        struct world *w;
        bool writes;
        green_thread *thread;
};

static void *
act(void *arg)
{
        struct actor *a = arg;
        struct world *w = a->w;

        while (!w->stop && !model_failed(w->m)) {
                struct green_timeout t = {{0}};
                bool limited = model_chance(w->m, 30);

                if (limited)
                        CHECK_INT(green_timeout_start(&t, 1 + model_below(w->m, 5)), 0);
                w->inside[a->writes] = true;
                a->writes ? write_once(w) : read_once(w);
                w->inside[a->writes] = false;
                w->ops++;
                if (limited)
                        (void)green_timeout_cancel(&t);
                /* A kill that came when it was not waiting. */
                if (green_sleep(0) == GREEN_EKILLED)
                        (void)green_recover();
        }
        (void)green_recover();
        return NULL;
}

/* ---- the driver */

static void
check_world(const struct world *w)
{
        if (!w->inside[false])
                CHECK_INT(green_stream_pending(w->st), w->passed - w->read);
        if (!w->inside[true])
                CHECK_INT(green_stream_unsent(w->st), w->written - w->arrived);
}

static void
drive(struct world *w, struct actor actors[2])
{
        unsigned what = model_below(w->m, 100);

        if (what < 40) {
                w->given += model_below(w->m, 60);
                green_wake_all(&w->readers, 0);
        } else if (what < 80) {
                w->room += model_below(w->m, 60);
                green_wake_all(&w->writers, 0);
        } else if (what < 88) {
                model_note(w->m, "kill of the %s", what & 1 ? "writer" : "reader");
                CHECK_INT(green_kill(actors[what & 1].thread, 0), 0);
        } else if (what < 94) {
                model_note(w->m, "time passes");
                model_clock_ns += 3000000000;
        }
        for (unsigned turns = 1 + model_below(w->m, 4); turns > 0; turns--)
                (void)green_sleep(0);
        check_world(w);
}

/* What is left comes through, now that nothing hinders. */
static void
finish(struct world *w)
{
        char buf[64];
        ssize_t n;

        w->easy = w->ended = true;
        while ((n = green_stream_read(w->st, buf, sizeof buf)) > 0)
                took(w, "the rest", buf, n);
        CHECK_INT(n, 0);
        CHECK_INT(w->read, w->given);
        /* What one could not tell is told by the close. */
        n = green_stream_close(w->st);
        if (n != 0)
                failed(w, "close", (int)n);
        CHECK_INT(w->arrived, w->written);
        CHECK_INT(w->closes, 1);
        CHECK_INT(green_stream_free(w->st), 0);
}

static void
run_world(struct model *m, struct world *w, unsigned long ops, bool ends)
{
        static const struct green_stream_ops source = {
                .size = sizeof source, .read = world_read, .writev = world_writev, .close = world_close};
        struct green_stream_opts opts = {.size = sizeof opts,
                                         .read_size = 1 + model_below(m, 120),
                                         .write_size = 1 + model_below(m, 120),
                                         .unbuffered = model_chance(m, 15),
                                         .line_buffered = model_chance(m, 15)};
        struct actor actors[2] = {{w, false, NULL}, {w, true, NULL}};
        unsigned long until = w->ops + ops;
        struct world fresh = {.m = m, .ops = w->ops};

        memcpy(fresh.seen, w->seen, sizeof fresh.seen);
        *w = fresh;
        model_note(m, "buffers of %zu and %zu", opts.read_size, opts.write_size);
        w->st = green_stream_new(&source, w, &opts);
        for (int i = 0; i < 2; i++)
                actors[i].thread = green_spawn(act, &actors[i]);
        /* One that is killed before it starts never does. */
        (void)green_sleep(0);
        while (w->ops < until && !model_failed(m)) {
                if (ends && !w->ended && w->ops > until - ops / 10) {
                        w->ended = true;
                        green_wake_all(&w->readers, 0);
                }
                drive(w, actors);
        }
        w->stop = w->easy = true;
        w->ended = true;
        green_wake_all(&w->readers, 0);
        green_wake_all(&w->writers, 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(join(actors[i].thread), 0);
        if (!model_failed(m))
                finish(w);
}

static void
no_byte_is_lost_and_none_comes_twice(void)
{
        static const struct model_spec spec = {.name = "stream"};
        static struct model m;
        static struct world w;
        unsigned long total = (unsigned long)(120000 / suite_slow());

        m = (struct model){.spec = &spec, .seed = model_seed()};
        m.state_of_random = m.seed;
        m.failures = suite_failures();
        model_clock_ns = (int64_t)(clock_now() * 1e9);
        CHECK_INT(green_hub_set_clock(model_clock), 0);
        while (w.ops < total && !model_failed(&m))
                run_world(&m, &w, total / 60 + 1, model_chance(&m, 50));
        CHECK_INT(green_hub_set_clock(NULL), 0);
        printf("stream: GREEN_TEST_SEED=%llu, %lu operations\n", (unsigned long long)m.seed, w.ops);
        for (int i = SEEN_OK; i <= SEEN_END; i++)
                if (!CHECK(w.seen[i] > 0))
                        printf("outcome %d never happened\n", i);
}

GREEN_SUITE(net_stream_model) {
        GREEN_TEST(no_byte_is_lost_and_none_comes_twice, .limit = 120),
        GREEN_SUITE_END
};
