/*
 * Queues: their kinds and storage, making and freeing, memory that runs out.
 */
#include "sync_queue.h"

GREEN_SUITE_INIT(queue_init)

/* ---- order */

static void
items_come_out_in_the_order_of_the_kind(void)
{
        GREEN_COVERS("QUEUE-14");
        static const enum green_queue_kind fifo[] = {GREEN_QUEUE_LIGHT, GREEN_QUEUE_JOINABLE};
        static const int in[] = {31, 12, 45, 11, 32, 13}, sorted[] = {12, 11, 13, 31, 32, 45};
        green_queue *q;
        int compared = 0;

        for (int k = 0; k < 2; k++) {
                q = queue_of_kind(fifo[k], -1);
                for (int i = 0; i < 6; i++)
                        fill(q, in[i], in[i]);
                for (int i = 0; i < 6; i++)
                        CHECK_INT(take(q), in[i]);
                free_empty(q);
        }
        q = queue_of_kind(GREEN_QUEUE_LIFO, -1);
        for (int i = 0; i < 6; i++)
                fill(q, in[i], in[i]);
        for (int i = 5; i >= 0; i--)
                CHECK_INT(take(q), in[i]);
        free_empty(q);
        q = priority_queue(-1, &compared);
        for (int i = 0; i < 6; i++)
                fill(q, in[i], in[i]);
        for (int i = 0; i < 6; i++)
                CHECK_INT(take(q), sorted[i]); /* equal ones in the order they were put */
        CHECK(compared > 0);
        free_empty(q);
}

static int
by_low_digit(const void *a, const void *b, void *arg)
{
        (void)arg;
        return INT(a) % 10 - INT(b) % 10;
}

static void
a_priority_queue_is_sorted_and_stable_however_it_is_used(void)
{
        enum { N = 3000 };
        const struct green_queue_opts opts = {
                .size = sizeof(opts), .kind = GREEN_QUEUE_PRIORITY, .compare = by_low_digit};
        static bool seen[N];
        green_queue *q = green_queue_new(-1, &opts);
        uint32_t random = 1;
        int last = -1, next = 0;

        memset(seen, 0, sizeof(seen));
        while (next < N || green_queue_qsize(q) > 0) {
                int item;

                random = random * 1664525 + 1013904223;
                if (next < N && (random >> 30 != 0 || green_queue_empty(q))) {
                        fill(q, next, next); /* the low digit is the rank, the rest who came when */
                        next++;
                        last = -1;
                        continue;
                }
                item = take(q);
                CHECK_OR_RETURN(item >= 0 && item < N && !seen[item]);
                seen[item] = true;
                CHECK(last < 0 || last % 10 < item % 10 || (last % 10 == item % 10 && last < item));
                last = item;
        }
        for (int i = 0; i < N; i++)
                CHECK(seen[i]);
        free_empty(q);
}

static int
all_equal(const void *a, const void *b, void *arg)
{
        (void)a;
        (void)b;
        (void)arg;
        return 0;
}

static void
equal_items_come_out_in_the_order_they_were_put(void)
{
        const struct green_queue_opts opts = {.size = sizeof(opts), .kind = GREEN_QUEUE_PRIORITY, .compare = all_equal};
        green_queue *q = green_queue_new(-1, &opts);
        int next = 0, want = 0;

        for (int i = 1; i < 60; i++) {
                for (int k = 0; k < i; k++, next++)
                        fill(q, next, next);
                for (int k = 0; k < i / 2; k++)
                        CHECK_INT(take(q), want++);
        }
        while (want < next)
                CHECK_INT(take(q), want++);
        free_empty(q);
}

static void
those_who_wait_at_other_kinds_get_and_put_as_at_the_first(void)
{
        for (int kind = GREEN_QUEUE_LIFO; kind <= GREEN_QUEUE_PRIORITY; kind++) {
                bool lifo = kind == GREEN_QUEUE_LIFO;
                green_queue *q = lifo ? queue_of_kind(GREEN_QUEUE_LIFO, 2) : priority_queue(2, NULL);
                struct one get[2], put[2];

                for (int i = 0; i < 2; i++)
                        begin_get(&get[i], q, 0);
                fill(q, 91, 92); /* hand to hand: what there is is the smallest and the newest */
                for (int i = 0; i < 2; i++) {
                        one_finish(&get[i], 0);
                        CHECK_PTR(get[i].item, PTR(91 + i));
                }
                fill(q, 50, 50);
                fill(q, 30, 30);
                begin_put(&put[0], q, 70, 0);
                begin_put(&put[1], q, 10, 0);
                CHECK_INT(take(q), 30);             /* and 70 goes in */
                CHECK_INT(take(q), lifo ? 70 : 50); /* and 10 */
                one_finish(&put[0], 0);
                one_finish(&put[1], 0);
                CHECK_INT(take(q), 10);
                CHECK_INT(take(q), lifo ? 50 : 70);
                free_empty(q);
        }
}

/* ---- storage */

static void
the_array_grows_with_what_is_in_it_and_shrinks_again(void)
{
        for (int kind = 0; kind < 3; kind++) {
                green_queue *q = kind == 2 ? priority_queue(-1, NULL)
                                           : queue_of_kind(kind == 0 ? GREEN_QUEUE_LIGHT : GREEN_QUEUE_LIFO, -1);
                int before;

                fill(q, 0, 9999);
                allocations = 0;
                for (int i = 0; i < 10000 - 10; i++)
                        CHECK_INT(take(q), kind == 1 ? 9999 - i : i);
                CHECK_RANGE(allocations, 5, 20); /* by halves */
                before = allocations;
                for (int i = 0; i < 100; i++) { /* few come and go: no more of that */
                        fill(q, 20000 + i, 20000 + i);
                        CHECK(take(q) >= 0);
                }
                CHECK_RANGE(allocations - before, 0, 1);
                largest = 0;
                fill(q, 40000, 40020);
                CHECK_RANGE(largest, 0, 64 * 16);
                while (take(q) >= 0)
                        ;
                free_empty(q);
        }
}

static void
a_ring_keeps_its_order_when_it_grows_and_shrinks_in_the_middle(void)
{
        green_queue *q = green_queue_new(-1, NULL);
        int in = 0, out = 0;

        for (int round = 0; round < 40; round++) {
                for (int i = 0; i < round * 7 % 97; i++, in++)
                        fill(q, in, in);
                for (int i = 0; i < round * 5 % 89 && out < in; i++, out++)
                        CHECK_INT(take(q), out);
        }
        for (; out < in; out++)
                CHECK_INT(take(q), out);
        free_empty(q);
}

static void
where_memory_is_missing_a_put_fails_before_anything_happened(void)
{
        for (int kind = GREEN_QUEUE_JOINABLE; kind <= GREEN_QUEUE_PRIORITY; kind++) {
                green_queue *q =
                        kind == GREEN_QUEUE_PRIORITY ? priority_queue(-1, NULL) : queue_of_kind((unsigned)kind, -1);
                int n = 0;
                size_t want;

                memory_left = 0;
                CHECK_INT(green_queue_put(q, PTR(1), GREEN_FOREVER), -ENOMEM);
                CHECK_INT(green_queue_unfinished(q), 0);
                CHECK(green_queue_empty(q));
                memory_left = 3;
                while (green_queue_put(q, PTR(n), 0) == 0)
                        n++;
                CHECK_INT(green_queue_put(q, PTR(n), 0), -ENOMEM);
                CHECK(n >= 8 && n < 200);
                CHECK_INT(green_queue_qsize(q), n);
                CHECK_INT(green_queue_unfinished(q), n);
                /* Neither take nor shrink need any. */
                for (want = (size_t)n; want > 0; want--)
                        CHECK(take(q) >= 0);
                memory_left = -1;
                free_empty(q);
        }
}

static void
nothing_that_wakes_needs_memory(void)
{
        green_queue *q = green_queue_new(1, NULL), *channel = green_queue_new(0, NULL);
        struct one get, put, meet;

        fill(q, 1, 1);
        begin_put(&put, q, 2, 0);
        begin_get(&get, channel, 0);
        memory_left = 0;
        CHECK_INT(take(q), 1);
        CHECK_INT(green_queue_put(channel, PTR(3), GREEN_FOREVER), 0);
        one_finish(&put, 0);
        one_finish(&get, 0);
        memory_left = -1;
        begin_put(&meet, channel, 4, 0);
        memory_left = 0;
        CHECK_INT(take(channel), 4);
        CHECK_INT(take(q), 2);
        memory_left = -1;
        one_finish(&meet, 0);
        free_empty(q);
        free_empty(channel);
}

/* ---- making */

static void
what_is_no_queue_is_not_made(void)
{
        struct green_queue_opts opts = {.size = sizeof(opts)};
        green_queue *q;

        memory_left = 0;
        CHECK_PTR(green_queue_new(1, NULL), NULL);
        CHECK_INT(errno, ENOMEM);
        CHECK_INT(green_last_error()->code, -ENOMEM);
        memory_left = -1;
        for (int i = 0; i < 5; i++) {
                opts = (struct green_queue_opts){.size = sizeof(opts)};
                if (i == 0)
                        opts.size = 0;
                else if (i == 1)
                        opts.kind = (enum green_queue_kind)4;
                else if (i == 2)
                        opts.kind = GREEN_QUEUE_PRIORITY;
                else if (i == 3)
                        opts.compare = all_equal;
                else
                        opts.size = sizeof(opts) + 1;
                errno = 0;
                CHECK_PTR(green_queue_new(1, &opts), NULL);
                CHECK_INT(errno, EINVAL);
                CHECK_INT(green_last_error()->code, -EINVAL);
        }
        opts = (struct green_queue_opts){.size = sizeof(opts)};
        q = green_queue_new(1, &opts);
        CHECK(q != NULL);
        CHECK_INT(green_queue_free(q), 0);
}

static void
trace_item(void *item)
{
        trace((char)INT(item));
}

static void
a_queue_that_is_freed_gives_back_what_is_left_in_order(void)
{
        static const char *const want[] = {"pFz", "pFz", "zFp", "Fpz"};

        for (int kind = 0; kind <= GREEN_QUEUE_PRIORITY; kind++) {
                const struct green_queue_opts opts = {.size = sizeof(opts),
                                                      .kind = (enum green_queue_kind)kind,
                                                      .free_item = trace_item,
                                                      .compare = kind == GREEN_QUEUE_PRIORITY ? by_tens : NULL};
                green_queue *q = green_queue_new(-1, &opts);

                fill(q, 'p', 'p');
                fill(q, 'F', 'F');
                fill(q, 'z', 'z');
                CHECK_INT(green_queue_free(q), 0);
                CHECK_TRACE(want[kind]);
        }
}

static void
a_queue_for_which_somebody_waits_is_not_freed(void)
{
        GREEN_COVERS("QUEUE-15");
        green_queue *q = queue_of_kind(GREEN_QUEUE_JOINABLE, 1);
        struct one o;

        begin_get(&o, q, 0);
        CHECK_INT(green_queue_free(q), -EBUSY);
        fill(q, 1, 1);
        one_finish(&o, 0);
        fill(q, 2, 2);
        begin_put(&o, q, 3, 0);
        CHECK_INT(green_queue_free(q), -EBUSY);
        CHECK_INT(take(q), 2);
        one_finish(&o, 0);
        begin_join(&o, q, 0);
        CHECK_INT(green_queue_free(q), -EBUSY);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_queue_task_done(q), 0);
        CHECK_INT(green_queue_free(q), 0); /* those who were woken touch it no more */
        one_finish(&o, 0);
}

GREEN_SUITE(sync_queue_kinds) {
        GREEN_TEST(items_come_out_in_the_order_of_the_kind),
        GREEN_TEST(a_priority_queue_is_sorted_and_stable_however_it_is_used),
        GREEN_TEST(equal_items_come_out_in_the_order_they_were_put),
        GREEN_TEST(those_who_wait_at_other_kinds_get_and_put_as_at_the_first),
        GREEN_TEST(the_array_grows_with_what_is_in_it_and_shrinks_again),
        GREEN_TEST(a_ring_keeps_its_order_when_it_grows_and_shrinks_in_the_middle),
        GREEN_TEST(where_memory_is_missing_a_put_fails_before_anything_happened),
        GREEN_TEST(nothing_that_wakes_needs_memory),
        GREEN_TEST(what_is_no_queue_is_not_made),
        GREEN_TEST(a_queue_that_is_freed_gives_back_what_is_left_in_order),
        GREEN_TEST(a_queue_for_which_somebody_waits_is_not_freed),
        GREEN_SUITE_END
};
