/*
 * What the tests of queues share: green threads that put or get one item, memory that runs out.
 */
#ifndef GREEN_TESTS_SYNC_QUEUE_H
#define GREEN_TESTS_SYNC_QUEUE_H

#include "core_help.h"

#include <green/sync.h>

/* Long enough for all that must come. */
#define SOON 20.0

/* ---- one call in a green thread of its own */

struct one {
        green_queue *q;
        green_thread *gt;
        void *item;
        double timeout;
        int rc;   /* of the call; 9: it has not come back */
        int next; /* of the call after it that can fail */
        char letter;
};

static inline void
one_end(struct one *o)
{
        if (o->letter != 0)
                trace(o->letter);
        o->next = green_sleep(0);
}

static inline void *
one_put_main(void *arg)
{
        struct one *o = arg;

        o->rc = green_queue_put(o->q, o->item, o->timeout);
        one_end(o);
        return NULL;
}

static inline void *
one_get_main(void *arg)
{
        struct one *o = arg;

        o->rc = green_queue_get(o->q, &o->item, o->timeout);
        one_end(o);
        return NULL;
}

static inline void *
one_join_main(void *arg)
{
        struct one *o = arg;

        o->rc = green_queue_join(o->q, o->timeout);
        one_end(o);
        return NULL;
}

/* Begins a call, and lets it run until it waits. */
static inline void
one_begin(struct one *o, green_thread_fn fn, green_queue *q, int item, char letter, double timeout)
{
        *o = (struct one){.q = q, .item = PTR(item), .letter = letter, .timeout = timeout, .rc = 9, .next = 9};
        o->gt = green_spawn(fn, o);
        CHECK(o->gt != NULL);
        turns(1);
}

static inline void
begin_put(struct one *o, green_queue *q, int item, char letter)
{
        one_begin(o, one_put_main, q, item, letter, GREEN_FOREVER);
}

static inline void
begin_get(struct one *o, green_queue *q, char letter)
{
        one_begin(o, one_get_main, q, 0, letter, GREEN_FOREVER);
}

static inline void
begin_join(struct one *o, green_queue *q, char letter)
{
        one_begin(o, one_join_main, q, 0, letter, GREEN_FOREVER);
}

/* Its call comes back with this. */
static inline bool
one_finish(struct one *o, int rc)
{
        return CHECK_INT(join(o->gt), 0) && CHECK_INT(o->rc, rc);
}

/* The same of one that was killed. */
static inline bool
one_killed(struct one *o, int rc)
{
        return CHECK_INT(join(o->gt), GREEN_EKILLED) && CHECK_INT(o->rc, rc);
}

/* ---- in a line */

/* An item that comes out at once; -1 for none. */
static inline int
take(green_queue *q)
{
        void *item = NULL;

        return green_queue_get(q, &item, 0) == 0 ? INT(item) : -1;
}

static inline void
fill(green_queue *q, int from, int to)
{
        for (int i = from; i <= to; i++)
                CHECK_INT(green_queue_put(q, PTR(i), 0), 0);
}

/* Nobody waits and nothing is in it; it is freed. */
static inline void
free_empty(green_queue *q)
{
        CHECK_INT(green_queue_qsize(q), 0);
        CHECK_INT(green_queue_getting(q), 0);
        CHECK_INT(green_queue_putting(q), 0);
        CHECK_INT(green_queue_free(q), 0);
}

static inline green_queue *
queue_of_kind(enum green_queue_kind kind, ssize_t maxsize)
{
        struct green_queue_opts opts = {.size = sizeof(opts), .kind = kind};

        return green_queue_new(maxsize, &opts);
}

/* Items are numbers; the tens decide. */
static inline int
by_tens(const void *a, const void *b, void *arg)
{
        int x = (int)(intptr_t)a / 10, y = (int)(intptr_t)b / 10;

        if (arg != NULL)
                ++*(int *)arg;
        return (x > y) - (x < y);
}

static inline green_queue *
priority_queue(ssize_t maxsize, int *ret_compared)
{
        const struct green_queue_opts opts = {
                .size = sizeof(opts), .kind = GREEN_QUEUE_PRIORITY, .compare = by_tens, .compare_arg = ret_compared};

        return green_queue_new(maxsize, &opts);
}

/* ---- memory */

/* Allocations that still succeed; below 0: all do. */
static int memory_left = -1;
static int allocations;
static size_t largest; /* bytes */

static inline void *
counting_realloc(void *arg, void *old, size_t len)
{
        (void)arg;
        if (memory_left == 0) {
                errno = ENOMEM;
                return NULL;
        }
        if (memory_left > 0)
                memory_left--;
        allocations++;
        if (len > largest)
                largest = len;
        return realloc(old, len);
}

static inline void
counting_free(void *arg, void *old)
{
        (void)arg;
        free(old);
}

/* Calls that are refused are part of the tests: debug builds report them. */
static inline void
queue_log(void *arg, enum green_log_level level, const char *message)
{
        (void)arg;
        if (level == GREEN_LOG_ERROR)
                fprintf(stderr, "%s\n", message);
}

static inline void
queue_setup(void)
{
        green_set_log(queue_log, NULL);
        help_setup();
}

static inline void
queue_init(void)
{
        static const struct green_allocator allocator = {
                .size = sizeof(allocator), .realloc = counting_realloc, .free = counting_free};

        green_set_allocator(&allocator);
        help_init();
        suite_setup = queue_setup;
}

#endif
