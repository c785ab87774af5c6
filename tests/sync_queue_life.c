/*
 * Queues: resize, shutdown, unfinished tasks; callbacks, other OS threads, children.
 */
#include "sync_queue.h"

#include <sys/wait.h>
#include <unistd.h>

GREEN_SUITE_INIT(queue_init)

/* ---- resize */

static void
a_larger_queue_lets_in_as_many_putters_as_there_is_room(void)
{
        GREEN_COVERS("QUEUE-16");
        for (ssize_t begin = 0; begin < 2; begin++) {
                green_queue *q = green_queue_new(begin, NULL);
                struct one put[4];
                ssize_t maxsize = 0;

                fill(q, 1, (int)begin);
                for (int i = 0; i < 4; i++)
                        begin_put(&put[i], q, 10 + i, (char)('a' + i));
                CHECK_INT(green_queue_resize(q, 3), 0);
                CHECK_TRACE(""); /* never yields */
                CHECK_INT(green_queue_maxsize(q, &maxsize), 0);
                CHECK_INT(maxsize, 3);
                CHECK_INT(green_queue_qsize(q), 3);
                CHECK_INT(green_queue_putting(q), 1 + begin);
                CHECK(green_queue_full(q));
                turns(2);
                CHECK_TRACE(begin == 0 ? "abc" : "ab");
                CHECK_INT(green_queue_resize(q, -5), 0);
                CHECK_INT(green_queue_maxsize(q, &maxsize), 0);
                CHECK_INT(maxsize, -1);
                CHECK_INT(green_queue_putting(q), 0);
                CHECK(!green_queue_full(q));
                for (int i = 0; i < 4; i++)
                        one_finish(&put[i], 0);
                CHECK_TRACE(begin == 0 ? "d" : "cd");
                if (begin == 1)
                        CHECK_INT(take(q), 1);
                for (int i = 0; i < 4; i++)
                        CHECK_INT(take(q), 10 + i);
                free_empty(q);
        }
}

static void
a_smaller_queue_throws_nothing_away(void)
{
        GREEN_COVERS("QUEUE-16", "QUEUE-17");
        green_queue *q = green_queue_new(-1, NULL);
        struct one put;

        fill(q, 1, 5);
        CHECK_INT(green_queue_resize(q, 2), 0);
        CHECK_INT(green_queue_qsize(q), 5);
        CHECK(green_queue_full(q));
        begin_put(&put, q, 6, 0);
        for (int i = 1; i <= 3; i++) {
                CHECK_INT(take(q), i);
                CHECK(green_queue_full(q));
                CHECK_INT(green_queue_putting(q), 1); /* still too much in it */
        }
        CHECK_INT(take(q), 4);
        CHECK_INT(green_queue_putting(q), 0);
        one_finish(&put, 0);
        CHECK_INT(green_queue_resize(q, 0), 0); /* a channel, with something left */
        begin_put(&put, q, 7, 0);
        CHECK_INT(take(q), 5);
        CHECK_INT(take(q), 6);
        CHECK(green_queue_empty(q) && green_queue_full(q));
        CHECK_INT(put.rc, 9);
        CHECK_INT(take(q), 7);
        one_finish(&put, 0);
        free_empty(q);
}

static void
a_resize_without_memory_does_nothing(void)
{
        green_queue *q = green_queue_new(0, NULL);
        struct one put[2];

        for (int i = 0; i < 2; i++)
                begin_put(&put[i], q, 1 + i, 0);
        memory_left = 0;
        CHECK_INT(green_queue_resize(q, 1), -ENOMEM);
        CHECK_INT(green_queue_resize(q, -1), -ENOMEM);
        memory_left = -1;
        CHECK(green_queue_full(q));
        CHECK_INT(green_queue_putting(q), 2);
        CHECK_INT(green_queue_resize(q, 1), 0);
        CHECK_INT(green_queue_putting(q), 1);
        CHECK_INT(take(q), 1);
        CHECK_INT(take(q), 2);
        for (int i = 0; i < 2; i++)
                one_finish(&put[i], 0);
        free_empty(q);
}

/* ---- shutdown */

static void
a_queue_that_was_shut_down_takes_nothing_and_gives_what_is_left(void)
{
        green_queue *q = green_queue_new(2, NULL), *empty = green_queue_new(0, NULL);
        struct one put[2], get[2];
        void *item;

        fill(q, 1, 2);
        for (int i = 0; i < 2; i++) {
                begin_put(&put[i], q, 7 + i, (char)('p' + i));
                begin_get(&get[i], empty, (char)('g' + i));
        }
        for (int i = 0; i < 2; i++) { /* idempotent */
                CHECK_INT(green_queue_shutdown(q), 0);
                CHECK_INT(green_queue_shutdown(empty), 0);
        }
        for (int i = 0; i < 2; i++) {
                one_finish(&put[i], GREEN_ECLOSED);
                one_finish(&get[i], GREEN_ECLOSED);
        }
        CHECK_TRACE("pqgh");
        CHECK_INT(green_queue_put(q, PTR(3), 0), GREEN_ECLOSED);
        CHECK_INT(green_queue_put(q, PTR(3), GREEN_FOREVER), GREEN_ECLOSED);
        CHECK_INT(green_queue_put(empty, PTR(3), SOON), GREEN_ECLOSED);
        CHECK_INT(take(q), 1);
        CHECK_INT(take(q), 2);
        CHECK_INT(green_queue_get(q, &item, SOON), GREEN_ECLOSED);
        CHECK_INT(green_queue_get(empty, &item, 0), GREEN_ECLOSED);
        CHECK_INT(green_queue_resize(q, 10), 0);
        CHECK_INT(green_queue_put_nowait(q, PTR(3)), GREEN_ECLOSED);
        free_empty(q);
        free_empty(empty);
}

static void
what_was_handed_over_before_a_shutdown_stays_so(void)
{
        green_queue *q = queue_of_kind(GREEN_QUEUE_JOINABLE, 0);
        struct one get, put, joiner;

        begin_get(&get, q, 0);
        fill(q, 1, 1);
        begin_put(&put, q, 2, 0);
        CHECK_INT(take(q), 2);
        begin_join(&joiner, q, 0);
        CHECK_INT(green_queue_shutdown(q), 0);
        one_finish(&get, 0);
        CHECK_PTR(get.item, PTR(1));
        one_finish(&put, 0);
        CHECK_INT(joiner.rc, 9); /* tasks are worked off all the same */
        CHECK_INT(green_queue_task_done(q), 0);
        CHECK_INT(green_queue_task_done(q), 0);
        one_finish(&joiner, 0);
        free_empty(q);
}

/* ---- unfinished tasks */

static void
a_join_waits_until_every_item_that_was_put_is_done(void)
{
        GREEN_COVERS("QUEUE-18", "QUEUE-19", "QUEUE-20");
        for (int kind = GREEN_QUEUE_JOINABLE; kind <= GREEN_QUEUE_PRIORITY; kind++) {
                green_queue *q =
                        kind == GREEN_QUEUE_PRIORITY ? priority_queue(-1, NULL) : queue_of_kind((unsigned)kind, -1);

                CHECK_INT(green_queue_join(q, GREEN_FOREVER), 0);
                CHECK_INT(green_queue_task_done(q), -EALREADY);
                for (int round = 0; round < 2; round++) {
                        struct one joiner[2];

                        fill(q, 1, 2);
                        CHECK_INT(green_queue_unfinished(q), 2);
                        CHECK_INT(green_queue_join(q, 0), -ETIMEDOUT);
                        CHECK_INT(green_queue_join(q, 0.001), -ETIMEDOUT);
                        begin_join(&joiner[0], q, 'a');
                        begin_join(&joiner[1], q, 'b');
                        CHECK(take(q) >= 0);
                        CHECK(take(q) >= 0);
                        CHECK_INT(green_queue_unfinished(q), 2); /* taken is not done */
                        CHECK_INT(green_queue_task_done(q), 0);
                        turns(2);
                        CHECK_TRACE("");
                        CHECK_INT(green_queue_task_done(q), 0);
                        fill(q, 3, 3); /* comes after the end that they were woken for */
                        one_finish(&joiner[0], 0);
                        one_finish(&joiner[1], 0);
                        CHECK_TRACE("ab");
                        CHECK_INT(green_queue_join(q, 0), -ETIMEDOUT);
                        CHECK_INT(take(q), 3);
                        CHECK_INT(green_queue_task_done(q), 0);
                        CHECK_INT(green_queue_task_done(q), -EALREADY);
                }
                free_empty(q);
        }
}

static void
items_count_as_put_when_they_are_in_or_with_a_getter(void)
{
        GREEN_COVERS("QUEUE-18");
        green_queue *q = queue_of_kind(GREEN_QUEUE_JOINABLE, 0);
        struct one get, put, killed;

        begin_get(&get, q, 0);
        fill(q, 1, 1);
        CHECK_INT(green_queue_unfinished(q), 1);
        one_finish(&get, 0);
        begin_put(&killed, q, 2, 0);
        begin_put(&put, q, 3, 0);
        CHECK_INT(green_queue_unfinished(q), 1); /* they wait: not yet */
        CHECK_INT(green_kill(killed.gt, 0), 0);
        one_killed(&killed, GREEN_EKILLED);
        CHECK_INT(take(q), 3);
        CHECK_INT(green_queue_unfinished(q), 2);
        one_finish(&put, 0);
        begin_put(&put, q, 4, 0);
        CHECK_INT(green_queue_resize(q, 1), 0);
        CHECK_INT(green_queue_unfinished(q), 3);
        one_finish(&put, 0);
        begin_put(&put, q, 5, 0);
        CHECK_INT(take(q), 4);
        CHECK_INT(green_queue_unfinished(q), 4); /* let in by the get */
        one_finish(&put, 0);
        CHECK_INT(take(q), 5);
        for (int i = 0; i < 4; i++)
                CHECK_INT(green_queue_task_done(q), 0);
        CHECK_INT(green_queue_task_done(q), -EALREADY);
        free_empty(q);
}

static void
the_light_kind_does_not_count(void)
{
        GREEN_COVERS("QUEUE-18");
        green_queue *q = green_queue_new(-1, NULL);

        fill(q, 1, 1);
        CHECK_INT(green_queue_unfinished(q), 0);
        CHECK_INT(green_queue_task_done(q), -ENOTSUP);
        CHECK_INT(green_queue_join(q, 0), -ENOTSUP);
        CHECK_INT(green_queue_join(q, SOON), -ENOTSUP);
        CHECK_INT(take(q), 1);
        free_empty(q);
}

static void
a_join_can_be_killed_and_leaves_the_count_alone(void)
{
        green_queue *q = queue_of_kind(GREEN_QUEUE_JOINABLE, -1);
        struct one joiner;

        fill(q, 1, 1);
        begin_join(&joiner, q, 0);
        CHECK_INT(green_kill(joiner.gt, 0), 0);
        one_killed(&joiner, GREEN_EKILLED);
        CHECK_INT(green_queue_unfinished(q), 1);
        begin_join(&joiner, q, 0);
        CHECK_INT(green_queue_task_done(q), 0);
        CHECK_INT(green_kill(joiner.gt, 0), 0);
        one_killed(&joiner, 0); /* woken before the kill */
        CHECK_INT(take(q), 1);
        free_empty(q);
}

/* ---- callbacks and other OS threads */

struct called {
        green_queue *q, *full, *empty;
        int times;
};

static void
use_in_callback(void *arg)
{
        struct called *c = arg;
        void *item = NULL;

        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_queue_put(c->q, PTR(1), 0), 0);
        CHECK_INT(green_queue_put(c->q, PTR(2), GREEN_FOREVER), 0); /* it need not wait */
        CHECK_INT(green_queue_get(c->q, &item, GREEN_FOREVER), 0);
        CHECK_PTR(item, PTR(1));
        CHECK_INT(green_queue_get(c->empty, &item, 0), GREEN_EEMPTY);
        CHECK_INT(green_queue_get(c->empty, &item, 1), -EDEADLK);
        CHECK_INT(green_queue_get(c->empty, &item, GREEN_FOREVER), -EDEADLK);
        CHECK_INT(green_queue_put(c->full, PTR(3), 0), GREEN_EFULL);
        CHECK_INT(green_queue_put(c->full, PTR(3), 1), -EDEADLK);
        CHECK_INT(green_queue_join(c->full, 0), -ETIMEDOUT);
        CHECK_INT(green_queue_join(c->full, 1), -EDEADLK);
        CHECK_PTR(item, PTR(1));
        c->times++;
}

static void
hand_over_in_callback(void *arg)
{
        struct called *c = arg;
        void *item = NULL;

        CHECK_INT(green_queue_put_nowait(c->empty, PTR(8)), 0);
        CHECK_INT(green_queue_get_nowait(c->full, &item), 0);
        CHECK_PTR(item, PTR(4));
        c->times++;
}

static void
in_a_callback_a_queue_works_and_nothing_waits(void)
{
        GREEN_COVERS("QUEUE-09", "QUEUE-10", "QUEUE-27");
        struct called c = {.q = green_queue_new(2, NULL),
                           .full = queue_of_kind(GREEN_QUEUE_JOINABLE, 1),
                           .empty = green_queue_new(0, NULL)};
        struct one get, put;

        fill(c.full, 4, 4);
        CHECK_INT(green_schedule_call_global(0, use_in_callback, &c), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(c.times, 1);
        CHECK_INT(green_queue_getting(c.empty) + green_queue_putting(c.full), 0);
        begin_get(&get, c.empty, 0);
        begin_put(&put, c.full, 5, 0);
        CHECK_INT(green_schedule_call_global(0, hand_over_in_callback, &c), 0);
        one_finish(&get, 0);
        CHECK_PTR(get.item, PTR(8));
        one_finish(&put, 0);
        CHECK_INT(c.times, 2);
        CHECK_INT(take(c.full), 5);
        CHECK_INT(take(c.q), 2);
        free_empty(c.q);
        free_empty(c.full);
        free_empty(c.empty);
}

static void *
use_elsewhere(void *arg)
{
        green_queue *q = arg;
        void *item = PTR(7);

        for (int i = 0; i < 2; i++) { /* without a hub of its own, and with one */
                CHECK_INT(green_queue_put(q, PTR(1), 0), -EPERM);
                CHECK_INT(green_queue_put(q, PTR(1), 1), -EPERM);
                CHECK_INT(green_queue_get(q, &item, 0), -EPERM);
                CHECK_INT(green_queue_get(q, &item, 1), -EPERM);
                CHECK_INT(green_queue_join(q, 0), -EPERM);
                CHECK_INT(green_queue_task_done(q), -EPERM);
                CHECK_INT(green_queue_resize(q, 3), -EPERM);
                CHECK_INT(green_queue_shutdown(q), -EPERM);
                CHECK_INT(green_sleep(0), 0);
        }
        CHECK_PTR(item, PTR(7));
        CHECK_INT(green_queue_free(green_queue_new(1, NULL)), 0);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void *
free_elsewhere(void *arg)
{
        CHECK_INT(green_queue_free(arg), 0);
        return NULL;
}

static void
another_os_thread_may_only_free_it(void)
{
        green_queue *q = queue_of_kind(GREEN_QUEUE_JOINABLE, 2);
        struct log_lines lines;
        pthread_t thread;

        fill(q, 1, 1);
        log_catch(&lines);
        CHECK_INT(pthread_create(&thread, NULL, use_elsewhere, q), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        log_release();
        CHECK_INT(lines.count, 16);
        CHECK(strstr(lines.text, "a queue belongs to hub") != NULL);
        CHECK_INT(green_queue_qsize(q), 1);
        CHECK_INT(green_queue_unfinished(q), 1);
        CHECK_INT(take(q), 1);
        CHECK_INT(pthread_create(&thread, NULL, free_elsewhere, q), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
}

/* ---- fork */

static void
in_the_child_of_a_fork_those_who_waited_are_forgotten(void)
{
        green_queue *q = queue_of_kind(GREEN_QUEUE_JOINABLE, 0), *full = green_queue_new(1, NULL);
        struct one get, put, joiner;
        int status = -1;
        pid_t pid;

        begin_get(&get, q, 0);
        fill(full, 1, 1);
        begin_put(&put, full, 2, 0);
        fill(q, 3, 3);
        begin_join(&joiner, q, 0);
        one_finish(&get, 0);
        begin_get(&get, q, 0);
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
                alarm((unsigned)(20 * suite_slow()));
                CHECK_INT(green_queue_getting(q) + green_queue_putting(full), 0);
                CHECK_INT(green_queue_put(q, PTR(4), 0), GREEN_EFULL);
                CHECK_INT(green_queue_unfinished(q), 1); /* what is not done is still not done */
                CHECK_INT(take(full), 1);
                CHECK_INT(take(full), -1);
                begin_get(&get, q, 0);
                fill(q, 5, 5);
                one_finish(&get, 0);
                free_empty(q);
                free_empty(full);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        fill(q, 6, 6);
        one_finish(&get, 0);
        CHECK_INT(take(full), 1);
        one_finish(&put, 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(green_queue_task_done(q), 0);
        one_finish(&joiner, 0);
        CHECK_INT(take(full), 2);
        free_empty(q);
        free_empty(full);
}

GREEN_SUITE(sync_queue_life) {
        GREEN_TEST(a_larger_queue_lets_in_as_many_putters_as_there_is_room),
        GREEN_TEST(a_smaller_queue_throws_nothing_away),
        GREEN_TEST(a_resize_without_memory_does_nothing),
        GREEN_TEST(a_queue_that_was_shut_down_takes_nothing_and_gives_what_is_left),
        GREEN_TEST(what_was_handed_over_before_a_shutdown_stays_so),
        GREEN_TEST(a_join_waits_until_every_item_that_was_put_is_done),
        GREEN_TEST(items_count_as_put_when_they_are_in_or_with_a_getter),
        GREEN_TEST(the_light_kind_does_not_count),
        GREEN_TEST(a_join_can_be_killed_and_leaves_the_count_alone),
        GREEN_TEST(in_a_callback_a_queue_works_and_nothing_waits),
        GREEN_TEST(another_os_thread_may_only_free_it),
        GREEN_TEST(in_the_child_of_a_fork_those_who_waited_are_forgotten),
        GREEN_SUITE_END
};
