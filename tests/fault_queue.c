/*
 * Each allocation and system call fails in its turn where queues are used, and where one waits for several things at
 * once; see fault_core.c.
 */
#include "fault.h"

#include <errno.h>
#include <stdio.h>

#include <green/sync.h>

#define SOON 5.0

/* As in fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

/* More items than there are places at first. */
enum { MANY = 30 };

static int numbers[MANY];

static int
compare(const void *a, const void *b, void *arg)
{
        (void)arg;
        return *(const int *)b - *(const int *)a;
}

/* ---- storage */

/* Puts all; how many went in. */
static size_t
fill(green_queue *q)
{
        size_t in = 0;

        for (int i = 0; i < MANY; i++) {
                numbers[i] = i;
                if (OK(green_queue_put(q, &numbers[i], 0)))
                        in++;
        }
        CHECK_INT(green_queue_qsize(q), in);
        CHECK(green_queue_empty(q) == (in == 0) && !green_queue_full(q));
        return in;
}

static size_t left;

static void
count_left(void *item)
{
        CHECK(item != NULL);
        left++;
}

static green_queue *
queue_of_kind(int kind)
{
        const struct green_queue_opts opts = {.size = sizeof opts,
                                              .kind = (enum green_queue_kind)kind,
                                              .compare = kind == GREEN_QUEUE_PRIORITY ? compare : NULL,
                                              .free_item = count_left};

        return green_queue_new(-1, &opts);
}

static void
growing(void)
{
        if (!have_hub())
                return;
        for (int kind = 0; kind <= GREEN_QUEUE_PRIORITY; kind++) {
                green_queue *q = queue_of_kind(kind);
                ssize_t maxsize = 0;
                size_t in;

                if (!MADE(q))
                        continue;
                CHECK_INT(green_queue_maxsize(q, &maxsize), 0);
                CHECK_INT(maxsize, -1);
                in = fill(q);
                left = 0;
                if (OK(green_queue_put_nowait(q, &numbers[0])))
                        in++;
                CHECK_INT(green_queue_free(q), 0);
                CHECK_INT(left, in);
        }
}

/* It shrinks meanwhile, or does not where there is no memory for that. */
static void
shrinking(void)
{
        static const int steps[] = {1, 1, -1, -1};

        if (!have_hub())
                return;
        for (int kind = 0; kind <= GREEN_QUEUE_PRIORITY; kind++) {
                green_queue *q = queue_of_kind(kind);
                size_t in;
                void *item = NULL;
                int last = 0;

                if (!MADE(q))
                        continue;
                in = fill(q);
                for (size_t out = 0; out < in && CHECK_INT(green_queue_get_nowait(q, &item), 0); out++) {
                        int n = *(int *)item;

                        CHECK(out == 0 || (n - last) * steps[kind] > 0);
                        last = n;
                        CHECK_INT(green_queue_task_done(q), kind == GREEN_QUEUE_LIGHT ? -ENOTSUP : 0);
                }
                CHECK_INT(green_queue_get(q, &item, 0), GREEN_EEMPTY);
                CHECK_INT(green_queue_unfinished(q), 0);
                CHECK_INT(green_queue_free(q), 0);
        }
}

/* ---- hand-over */

static void *
put_one(void *arg)
{
        int rc = green_queue_put(arg, &numbers[0], SOON);

        return rc == 0 ? NULL : green_fail(rc);
}

static void *
get_one(void *arg)
{
        void *item = NULL;
        int rc = green_queue_get(arg, &item, SOON);

        if (rc == 0)
                CHECK_PTR(item, &numbers[0]);
        return rc == 0 ? NULL : green_fail(rc);
}

static void *
join_tasks(void *arg)
{
        int rc = green_queue_join(arg, SOON);

        return rc == 0 ? NULL : green_fail(rc);
}

static void
handing_over(void)
{
        const struct green_queue_opts opts = {.size = sizeof opts, .kind = GREEN_QUEUE_JOINABLE};
        green_thread *getter, *putter, *joiner;
        green_queue *q;
        void *item;

        if (!have_hub() || !MADE(q = green_queue_new(0, &opts)))
                return;
        if (MADE(getter = green_spawn(get_one, q))) {
                (void)OK(green_sleep(0));
                CHECK_INT(green_queue_getting(q), 1);
                CHECK_INT(green_queue_put(q, &numbers[0], SOON), 0);
                (void)OK(fault_join(getter));
                CHECK_INT(green_queue_unfinished(q), 1);
                joiner = green_spawn(join_tasks, q);
                if (MADE(joiner))
                        (void)OK(green_sleep(0));
                CHECK_INT(green_queue_task_done(q), 0);
                (void)OK(fault_join(joiner));
        }
        if (MADE(putter = green_spawn(put_one, q))) {
                (void)OK(green_sleep(0));
                CHECK_INT(green_queue_putting(q), 1);
                if (!OK(green_queue_resize(q, 1)))
                        CHECK_INT(green_queue_putting(q), 1);
                CHECK_INT(green_queue_get(q, &item, SOON), 0);
                CHECK_PTR(item, &numbers[0]);
                (void)OK(fault_join(putter));
                CHECK_INT(green_queue_task_done(q), 0);
        }
        CHECK_INT(green_queue_join(q, SOON), 0);
        CHECK_INT(green_queue_shutdown(q), 0);
        CHECK_INT(green_queue_get(q, &item, SOON), GREEN_ECLOSED);
        CHECK_INT(green_queue_free(q), 0);
}

/* ---- select */

struct many {
        green_queue *in, *out;
        green_event *event;
        green_semaphore *semaphore;
        int fds[2];
};

static bool
make_many(struct many *m)
{
        m->in = green_queue_new(1, NULL);
        m->out = green_queue_new(1, NULL);
        m->event = green_event_new();
        m->semaphore = green_semaphore_new(0, NULL);
        fault_pair(m->fds);
        return MADE(m->in) && MADE(m->out) && MADE(m->event) && MADE(m->semaphore);
}

static void
free_many(struct many *m)
{
        CHECK_INT(green_queue_free(m->in), 0);
        CHECK_INT(green_queue_free(m->out), 0);
        CHECK_INT(green_event_free(m->event), 0);
        CHECK_INT(green_semaphore_free(m->semaphore), 0);
        fault_close(m->fds[0]);
        fault_close(m->fds[1]);
}

/* Makes one of the cases possible after the other. */
static void *
work(void *arg)
{
        struct many *m = arg;

        for (int what = 0; what < 3; what++) {
                if (what == 0)
                        (void)OK(green_queue_put(m->in, &numbers[1], 0));
                else if (what == 1)
                        CHECK_INT(green_semaphore_release(m->semaphore), 0);
                else
                        fault_put(m->fds[1]);
                (void)OK(green_sleep(0.001));
        }
        CHECK_INT(green_event_send(m->event, &numbers[2]), 0);
        return NULL;
}

static void
selecting(void)
{
        struct many m = {.in = NULL};
        green_thread *gt;

        if (!have_hub())
                return;
        if (make_many(&m) && MADE(gt = green_spawn(work, &m))) {
                bool sent = false;

                for (int i = 0; i < 1000 && !sent; i++) {
                        struct green_select_case c[] = {GREEN_CASE_GET(m.in), GREEN_CASE_ACQUIRE(m.semaphore),
                                                        GREEN_CASE_READ(m.fds[0]), GREEN_CASE_EVENT(m.event)};
                        size_t which = 9;

                        if (!OK(green_select(c, 4, SOON, &which)) || !OK(c[which].result)) {
                                (void)OK(green_sleep(0.001));
                                continue;
                        }
                        if (which == 2)
                                CHECK_INT(fault_get(m.fds[0]), 1);
                        CHECK(which != 0 || c[0].value == &numbers[1]);
                        sent = which == 3;
                }
                CHECK(sent);
                (void)OK(fault_join(gt));
        }
        free_many(&m);
}

static void
trying(void)
{
        struct many m = {.in = NULL};

        if (!have_hub())
                return;
        if (make_many(&m)) {
                for (int i = 0; i < 6; i++) {
                        struct green_select_case c[] = {GREEN_CASE_PUT(m.out, &numbers[0]), GREEN_CASE_GET(m.out),
                                                        GREEN_CASE_READ(m.fds[0]), GREEN_CASE_WRITE(m.fds[0])};
                        double limit = i % 2 == 0 ? 0 : SOON;
                        size_t which = 9;

                        if (OK(green_select(c, 4, limit, &which)))
                                (void)OK(c[which].result);
                }
        }
        free_many(&m);
}

/* ---- parking on descriptors */

static void
parking(void)
{
        struct green_waitq q = {NULL, NULL};
        struct green_wait w[3] = {{.queue = NULL}};
        green_thread *self = NULL;
        size_t which = 9;
        int fds[2];

        if (!have_hub())
                return;
        CHECK_INT(green_park_check(green_hub_ident(), "a scenario", SOON, &self), 0);
        CHECK_PTR(self, green_getcurrent());
        fault_pair(fds);
        w[0].queue = &q;
        if (OK(green_wait_fd(&w[1], fds[0], GREEN_READ))) {
                if (OK(green_wait_fd(&w[2], fds[0], GREEN_WRITE))) {
                        if (OK(green_park_any(w, 3, SOON, &which)))
                                CHECK_INT(which, 2);
                } else {
                        CHECK_INT(green_park_any(w, 2, 0, NULL), -ETIMEDOUT);
                }
        }
        fault_close(fds[0]);
        fault_close(fds[1]);
}

/* ---- the scenarios, in alphabetical order */

#define SCENARIOS(X)                                                                                                   \
        X(growing, ALTSTACK, FEWER)                                                                                    \
        X(handing_over, ALTSTACK, FEWER)                                                                               \
        X(parking, ALTSTACK, FEWER)                                                                                    \
        X(selecting, ALTSTACK, FEWER)                                                                                  \
        X(shrinking, ALTSTACK | FAULT_BIT(alloc), FEWER)                                                               \
        X(trying, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

GREEN_SUITE(fault_queue) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
