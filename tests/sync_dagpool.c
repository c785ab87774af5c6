/*
 * DAG pools: values, tasks, cursors, queries. Failures are in sync_dagpool_fail.c, and what ends early in
 * sync_dagpool_life.c.
 */
#include "sync_dagpool.h"

GREEN_SUITE_INIT(sync_init)

static int turns_counted;

static void *
count_turns(void *arg)
{
        (void)arg;
        while (green_sleep(0) == 0)
                turns_counted++;
        return NULL;
}

/* ---- values */

static void
preloaded_values_are_there_at_once_and_copied(void)
{
        char bytes[] = "ab";
        struct green_dag_item preload[] = {{{bytes, 1}, PTR(1), NULL}, {{bytes + 1, 1}, PTR(2), NULL}};
        green_dagpool *p = green_dagpool_new(preload, 2);
        struct green_error error = {-EIO, "an error", NULL, NULL};

        GREEN_COVERS("DAG-01", "DAG-18");
        memset(bytes, 'x', 2);
        preload[0].value = NULL;
        check_value(p, "a", PTR(1));
        check_value(p, "b", PTR(2));
        check_value(p, "x", PTR(-99));
        CHECK_THERE(p, "ab");
        CHECK_INT(green_dagpool_keys(p, NULL, 0), 2);
        CHECK_INT(green_dagpool_free(p), 0);
        CHECK_PTR(green_dagpool_new(preload, 2), NULL); /* the key x twice */
        CHECK_INT(errno, EINVAL);
        CHECK(strstr(green_last_error()->message, "a key twice") != NULL);
        preload[0].error = &error;
        CHECK_PTR(green_dagpool_new(preload, 1), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_PTR(green_dagpool_new(NULL, 1), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(reported("green_dagpool_new"));
}

static void
a_task_is_not_entered_by_spawn_and_does_not_wait_for_its_values_to_be_entered(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job job = {.depends = "ab", .result = PTR(7)};

        GREEN_COVERS("DAG-02", "DAG-03", "DAG-05");
        CHECK_INT(spawn_job(p, "z", &job), 0);
        CHECK_INT(job.begun, 0);
        turns(1);
        CHECK_INT(job.begun, 1);
        CHECK_INT(job.rc, 1000);
        CHECK_INT(green_dagpool_post(p, K("b"), PTR(2), false), 0);
        CHECK_STR(job.got, "");
        turns(1);
        CHECK_STR(job.got, "b");
        CHECK_INT(green_dagpool_post(p, K("a"), PTR(1), false), 0);
        turns(1);
        CHECK_STR(job.got, "ba");
        check_value(p, "z", PTR(7));
        CHECK_INT(green_dagpool_free(p), 0);
}

static void *
keep_all(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item *items = arg;
        int rc;

        CHECK_INT(*(const char *)key->data, 'z');
        while ((rc = green_dag_next(results, items, GREEN_FOREVER)) == 1)
                items++;
        CHECK_INT(green_dag_next(results, items, 0), 0);
        CHECK_INT(green_dag_next(results, items, GREEN_FOREVER), 0);
        return rc == 0 ? PTR(1) : green_fail(rc);
}

static void
values_come_in_the_order_in_which_they_became_available(void)
{
        static const char *const orders[] = {"abcdef", "fedcba", "cafebd", "bdface", "aabbcf"};

        GREEN_COVERS("DAG-04");
        for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
                static const char came[] = "ecfadb";
                struct green_dag_item items[8] = {{.value = NULL}};
                green_dagpool *p = green_dagpool_new(NULL, 0);
                struct job job = {.depends = orders[i], .result = PTR(1)};
                char want[8] = "";

                for (const char *at = came; *at != '\0'; at++)
                        if (strchr(orders[i], *at) != NULL)
                                want[strlen(want)] = *at;
                /* Some were there before the spawn, some come before it runs, some while it waits. */
                for (int n = 0; n < 2; n++)
                        CHECK_INT(green_dagpool_post(p, (struct green_key){came + n, 1}, PTR(n + 1), false), 0);
                CHECK_INT(spawn_job(p, "y", &job), 0);
                CHECK_INT(spawn_fn(p, "z", keep_all, orders[i], items), 0);
                for (int n = 2; n < 6; n++) {
                        if (n == 4)
                                turns(1);
                        CHECK_INT(green_dagpool_post(p, (struct green_key){came + n, 1}, PTR(n + 1), false), 0);
                }
                turns(3);
                CHECK_STR(job.got, want);
                for (size_t n = 0; n < strlen(want); n++) {
                        CHECK_INT(*(const char *)items[n].key.data, want[n]);
                        CHECK_PTR(items[n].value, PTR(strchr(came, want[n]) - came + 1));
                        CHECK_PTR(items[n].error, NULL);
                }
                check_value(p, "z", PTR(1));
                CHECK_INT(green_dagpool_free(p), 0);
        }
}

static void
a_result_wakes_all_who_need_it_in_the_order_they_came(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job made = {.depends = "a", .result = PTR(5)}, user = {.depends = "z", .result = PTR(6)};
        struct one_key o[2] = {{p, "z", NULL}, {p, "z", NULL}};
        struct waiter w[2] = {{0}};

        GREEN_COVERS("DAG-05", "DAG-17");
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], get_item, &o[i], GREEN_FOREVER);
        CHECK_INT(spawn_job(p, "z", &made), 0);
        CHECK_INT(spawn_job(p, "y", &user), 0);
        turns(2);
        CHECK(waits(&w[0]) && waits(&w[1]));
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, false), 0);
        turns(3);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(waiter_end(&w[i]), 0);
                CHECK_INT(w[i].order, i + 1);
                CHECK_PTR(o[i].value, PTR(5));
        }
        CHECK_STR(user.got, "z");
        check_value(p, "y", PTR(6));
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
a_key_that_has_a_value_or_a_task_collides(void)
{
        const struct green_dag_item preload = {K("a"), PTR(1), NULL};
        green_dagpool *p = green_dagpool_new(&preload, 1);
        struct job job = {.depends = "b", .result = PTR(3)};

        GREEN_COVERS("DAG-07", "DAG-09");
        CHECK_INT(spawn_job(p, "a", &job), GREEN_ECOLLISION);
        CHECK_STR(green_last_error()->message, "Collision(a): the key has a value already");
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, false), GREEN_ECOLLISION);
        CHECK_INT(spawn_job(p, "z", &job), 0);
        for (int started = 0; started < 2; started++) {
                CHECK_INT(spawn_job(p, "z", &job), GREEN_ECOLLISION);
                CHECK_STR(green_last_error()->message, "Collision(z): the key has a task that has not ended");
                for (int replace = 0; replace < 2; replace++) {
                        const struct green_error error = {-EIO, "no", NULL, NULL};

                        CHECK_INT(green_dagpool_post(p, K("z"), NULL, replace), GREEN_ECOLLISION);
                        CHECK_INT(green_dagpool_post_error(p, K("z"), &error, replace), GREEN_ECOLLISION);
                }
                turns(1);
        }
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        turns(1);
        CHECK_INT(spawn_job(p, "z", &job), GREEN_ECOLLISION);
        CHECK_INT(green_dagpool_post(p, K("z"), NULL, false), GREEN_ECOLLISION);
        CHECK_INT(green_dagpool_post(p, K("z"), PTR(4), true), 0);
        check_value(p, "z", PTR(4));
        CHECK_INT(green_dagpool_free(p), 0);
}

struct poster {
        green_dagpool *p;
        bool fails;
};

static void *
post_own(const struct green_key *key, green_dag_results *results, void *arg)
{
        const struct poster *o = arg;

        (void)results;
        CHECK_INT(green_dagpool_post(o->p, *key, PTR(40), false), 0);
        CHECK_INT(green_dagpool_post(o->p, *key, PTR(41), false), GREEN_ECOLLISION);
        CHECK_INT(green_dagpool_post(o->p, *key, PTR(42), true), 0);
        turns(5);
        return o->fails ? green_fail(-EIO) : PTR(43);
}

static void
what_a_task_posts_under_its_own_key_takes_the_place_of_its_result(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct poster o[2] = {{p, false}, {p, true}};
        void *values[2];

        GREEN_COVERS("DAG-10");
        CHECK_INT(spawn_fn(p, "a", post_own, "", &o[0]), 0);
        CHECK_INT(spawn_fn(p, "b", post_own, "", &o[1]), 0);
        CHECK_INT(green_dagpool_wait(p, letters("ab").keys, 2, values, GREEN_FOREVER), 0);
        CHECK_PTR(values[0], PTR(42));
        /* The tasks go on, and nobody else may post meanwhile. */
        CHECK_RUNNING(p, "ab");
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, true), GREEN_ECOLLISION);
        CHECK_LACKS(p, "a", "");
        turns(6);
        CHECK_RUNNING(p, "");
        check_value(p, "a", PTR(42));
        check_value(p, "b", PTR(42));
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
several_tasks_are_spawned_in_their_order_up_to_one_that_cannot_be(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job jobs[4] = {{.result = PTR(1)}, {.result = PTR(2)}, {.result = PTR(3)}, {.result = PTR(4)}};
        struct letters ab = letters("ab");
        const struct green_dag_task tasks[] = {{K("c"), ab.keys, 2, collect, &jobs[2]},
                                               {K("b"), ab.keys, 1, collect, &jobs[1]},
                                               {K("a"), NULL, 0, collect, &jobs[0]},
                                               {K("b"), NULL, 0, collect, &jobs[3]},
                                               {K("d"), NULL, 0, collect, &jobs[3]}};

        GREEN_COVERS("DAG-08");
        CHECK_INT(green_dagpool_spawn_many(p, tasks, 5), GREEN_ECOLLISION);
        CHECK(strstr(green_last_error()->message, "Collision(b)") != NULL);
        CHECK_RUNNING(p, "cba");
        CHECK_INT(green_dagpool_waitall(p, GREEN_FOREVER), 0);
        CHECK_THERE(p, "abc");
        check_value(p, "c", PTR(3));
        CHECK_STR(jobs[2].got, "ab");
        CHECK_INT(jobs[3].begun, 0);
        CHECK_INT(green_dagpool_spawn_many(p, tasks, 0), 0);
        CHECK_INT(green_dagpool_spawn_many(p, NULL, 1), -EINVAL);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
a_value_may_be_replaced_and_keeps_its_place(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error error = {-EIO, "broken", NULL, NULL};
        green_dag_results *each;
        struct green_dag_item item;

        GREEN_COVERS("DAG-11");
        CHECK_INT(green_dagpool_post(p, K("a"), PTR(1), true), 0);
        CHECK_INT(green_dagpool_post(p, K("b"), PTR(2), false), 0);
        each = green_dagpool_wait_each(p, NULL, 0);
        CHECK_INT(green_dagpool_post(p, K("a"), PTR(3), true), 0);
        check_value(p, "a", PTR(3));
        CHECK_THERE(p, "ab");
        CHECK_INT(green_dag_next(each, &item, 0), 1);
        CHECK(item.value == PTR(1) || item.value == PTR(3));
        CHECK_INT(green_dagpool_post_error(p, K("b"), &error, true), 0);
        check_failure(p, "b", "PropagateError(b): EIO: broken");
        CHECK_INT(green_dag_next(each, &item, 0), GREEN_EPROPAGATE);
        CHECK_INT(green_dagpool_post(p, K("b"), PTR(4), true), 0);
        check_value(p, "b", PTR(4));
        CHECK_INT(green_dagpool_items(p, NULL, 0), 2);
        CHECK_INT(green_dag_results_free(each), 0);
        CHECK_INT(green_dagpool_free(p), 0);
}

/* ---- waits */

struct many {
        green_dagpool *p;
        const char *keys;
        void *values[8];
};

static int
wait_many(void *arg, double timeout)
{
        struct many *m = arg;
        struct letters l = letters(m->keys);

        return green_dagpool_wait(m->p, l.keys, l.n, m->values, timeout);
}

static int
wait_all(void *arg, double timeout)
{
        return green_dagpool_waitall(((struct many *)arg)->p, timeout);
}

static void
waiting_for_keys_gives_their_values_in_the_order_asked_for(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct many m = {p, "cabca", {NULL}};
        struct waiter w = {0};

        GREEN_COVERS("DAG-13");
        CHECK_INT(green_dagpool_post(p, K("a"), PTR(1), false), 0);
        CHECK_INT(wait_many(&m, 0), -ETIMEDOUT);
        waiter_start(&w, wait_many, &m, GREEN_FOREVER);
        CHECK_INT(green_dagpool_post(p, K("c"), PTR(3), false), 0);
        turns(1);
        CHECK(waits(&w));
        CHECK_PTR(m.values[0], NULL);
        CHECK_INT(green_dagpool_free(p), -EBUSY);
        CHECK(reported("somebody waits for"));
        CHECK_INT(green_dagpool_post(p, K("b"), PTR(2), false), 0);
        /* It has what it wants, and touches the pool no more. */
        CHECK_INT(green_dagpool_post(p, K("a"), PTR(9), true), 0);
        CHECK_INT(green_dagpool_free(p), 0);
        CHECK_INT(waiter_end(&w), 0);
        for (int i = 0; i < 5; i++)
                CHECK_PTR(m.values[i], PTR(m.keys[i] - 'a' + 1));
}

static void
waiting_for_all_is_for_those_that_are_known_when_it_begins(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct many m = {p, "", {NULL}};
        struct job job = {.depends = "x"}, late = {.depends = "y"};
        struct waiter w[2] = {{0}};
        struct one_key o = {p, "q", NULL};

        GREEN_COVERS("DAG-13", "DAG-15");
        CHECK_INT(green_dagpool_waitall(p, GREEN_FOREVER), 0);
        CHECK_INT(green_dagpool_post(p, K("a"), PTR(1), false), 0);
        /* Neither what is only waited for nor what is only needed is known. */
        waiter_start(&w[1], get_item, &o, GREEN_FOREVER);
        CHECK_INT(green_dagpool_waitall(p, GREEN_FOREVER), 0);
        CHECK_INT(spawn_job(p, "z", &job), 0);
        CHECK_INT(green_dagpool_waitall(p, 0), -ETIMEDOUT);
        waiter_start(&w[0], wait_all, &m, GREEN_FOREVER);
        CHECK_INT(spawn_job(p, "w", &late), 0);
        turns(2);
        CHECK(waits(&w[0]));
        CHECK_INT(green_dagpool_post(p, K("x"), NULL, false), 0);
        turns(2);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK_INT(green_dagpool_post(p, K("y"), NULL, false), 0);
        CHECK_INT(green_dagpool_post(p, K("q"), NULL, false), 0);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(green_dagpool_waitall(p, GREEN_FOREVER), 0);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
a_cursor_delivers_as_values_come_and_ends_when_all_have(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct letters l = letters("cabcb");
        green_dag_results *each = green_dagpool_wait_each(p, l.keys, l.n),
                          *none = green_dagpool_wait_each(p, l.keys, 0);
        struct waiter w[3] = {{0}};

        GREEN_COVERS("DAG-14");
        CHECK_INT(next_of(none, GREEN_FOREVER), 0);
        CHECK_INT(green_dag_results_free(none), 0);
        CHECK_INT(next_of(each, 0), -ETIMEDOUT);
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        CHECK_INT(next_of(each, GREEN_FOREVER), 1);
        /* Several may wait in one: first come, first served; and those for whom nothing is left go. */
        for (int i = 0; i < 3; i++)
                waiter_start(&w[i], next_of, each, GREEN_FOREVER);
        CHECK_INT(green_dag_results_free(each), -EBUSY);
        CHECK_INT(green_dagpool_post(p, K("c"), NULL, false), 0);
        turns(1);
        CHECK(!waits(&w[0]) && waits(&w[1]) && waits(&w[2]));
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, false), 0);
        CHECK_INT(green_dagpool_free(p), -EBUSY);
        CHECK(reported("with a cursor"));
        CHECK_INT(green_dag_results_free(each), 0);
        CHECK_INT(waiter_end(&w[0]), 1);
        CHECK_INT(waiter_end(&w[1]), 1);
        CHECK_INT(waiter_end(&w[2]), 0);
        CHECK_TRACE("bca");
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
a_cursor_over_all_is_over_those_known_when_it_is_made(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job job = {.depends = "x"};
        green_dag_results *each;

        GREEN_COVERS("DAG-15", "DAG-14");
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, false), 0);
        CHECK_INT(spawn_job(p, "z", &job), 0);
        each = green_dagpool_wait_each(p, NULL, 0);
        CHECK_INT(green_dagpool_post(p, K("x"), NULL, false), 0);
        while (next_of(each, GREEN_FOREVER) == 1)
                ;
        CHECK_TRACE("baz");
        CHECK_INT(green_dag_results_free(each), 0);
        each = green_dagpool_wait_each_success(p, NULL, 0);
        while (next_of(each, 0) == 1)
                ;
        CHECK_TRACE("baxz");
        CHECK_INT(green_dag_results_free(each), 0);
        CHECK_INT(green_dagpool_free(p), 0);
}

/* ---- queries */

static void
tasks_are_counted_until_they_end_and_as_waiting_while_they_lack_something(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job jobs[3] = {{.depends = "ab"}, {.depends = "bbz"}, {.depends = ""}};

        GREEN_COVERS("DAG-19", "DAG-20");
        CHECK_INT(spawn_job(p, "z", &jobs[0]), 0);
        CHECK_INT(spawn_job(p, "y", &jobs[1]), 0);
        CHECK_INT(spawn_job(p, "x", &jobs[2]), 0);
        CHECK_INT(green_dagpool_running(p), 3);
        CHECK_INT(green_dagpool_waiting(p), 2);
        CHECK_RUNNING(p, "zyx");
        CHECK_INT(green_dagpool_running_keys(p, NULL, 0), 3);
        CHECK_LACKS(p, "z", "ab");
        CHECK_LACKS(p, "y", "bz");
        CHECK_LACKS(p, "x", "");
        CHECK_INT(green_dagpool_waiting_for(p, K("y"), NULL, 0), 2);
        CHECK_INT(green_dagpool_waiting_for(p, K("a"), NULL, 0), -ENOENT);
        CHECK_INT(green_dagpool_waiting_for(p, K("nobody"), NULL, 0), -ENOENT);
        turns(1);
        CHECK_RUNNING(p, "zy");
        /* What is there counts, taken or not. */
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        CHECK_LACKS(p, "z", "a");
        CHECK_LACKS(p, "y", "z");
        CHECK_LACKS(p, "b", "");
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, false), 0);
        CHECK_INT(green_dagpool_waiting(p), 1);
        CHECK_INT(green_dagpool_running(p), 2);
        turns(1);
        CHECK_INT(green_dagpool_running(p), 0);
        CHECK_INT(green_dagpool_waiting(p), 0);
        CHECK_LACKS(p, "z", "");
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
lists_may_have_less_room_than_there_is(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error error = {-EIO, "broken", NULL, NULL};
        struct green_dag_item items[3] = {{.value = PTR(77)}, {.value = PTR(77)}, {.value = PTR(77)}};
        struct green_key keys[3] = {K("-"), K("-"), K("-")};

        GREEN_COVERS("DAG-18");
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_dagpool_post(p, (struct green_key){&"abc"[i], 1}, PTR(i), false), 0);
        CHECK_INT(green_dagpool_keys(p, keys, 2), 3);
        check_letters(keys, 3, "ab-");
        CHECK_INT(green_dagpool_items(p, items, 2), 3);
        CHECK_PTR(items[1].value, PTR(1));
        CHECK_PTR(items[2].value, PTR(77));
        /* A failure is told of also where there is no room for it. */
        CHECK_INT(green_dagpool_post_error(p, K("c"), &error, true), 0);
        CHECK_INT(green_dagpool_items(p, items, 1), GREEN_EPROPAGATE);
        CHECK_STR(green_last_error()->message, "PropagateError(c): EIO: broken");
        CHECK_INT(green_dagpool_items(p, items, 3), GREEN_EPROPAGATE);
        CHECK_PTR(items[1].error, NULL);
        CHECK_PTR(items[2].value, NULL);
        CHECK_STR(items[2].error->message, "PropagateError(c): EIO: broken");
        CHECK_INT(green_dagpool_keys(p, keys, 3), 3);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
what_is_documented_as_not_yielding_does_not(void)
{
        const struct green_dag_item preload = {K("a"), PTR(1), NULL};
        const struct green_error error = {-EIO, "broken", NULL, NULL};
        green_thread *counter = green_spawn(count_turns, NULL);
        struct job job = {.depends = "a"};
        green_dag_results *each;
        green_dagpool *p;
        struct green_dag_item item;
        void *value;
        int before;

        GREEN_COVERS("DAG-24", "DAG-02", "DAG-09");
        turns(1);
        before = turns_counted;
        p = green_dagpool_new(&preload, 1);
        CHECK_INT(green_dagpool_wait(p, letters("aa").keys, 2, NULL, GREEN_FOREVER), 0);
        CHECK_INT(green_dagpool_waitall(p, GREEN_FOREVER), 0);
        CHECK_INT(green_dagpool_getitem(p, K("a"), &value, GREEN_FOREVER), 0);
        CHECK_INT(green_dagpool_getitem(p, K("q"), &value, 0), -ETIMEDOUT);
        CHECK_INT(green_dagpool_get(p, K("q"), NULL, &value), 0);
        each = green_dagpool_wait_each(p, letters("ab").keys, 2);
        CHECK_INT(green_dag_next(each, &item, GREEN_FOREVER), 1);
        CHECK_INT(green_dag_next(each, &item, 0), -ETIMEDOUT);
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        CHECK_INT(green_dag_next(each, &item, GREEN_FOREVER), 1);
        CHECK_INT(green_dag_next(each, &item, GREEN_FOREVER), 0);
        CHECK_INT(green_dag_results_free(each), 0);
        CHECK_INT(spawn_job(p, "z", &job), 0);
        CHECK_INT(green_dagpool_kill(p, K("z")), 0);
        CHECK_INT(spawn_job(p, "z", &job), 0);
        CHECK_INT(green_dagpool_post_error(p, K("c"), &error, false), 0);
        CHECK_INT(green_dagpool_getitem(p, K("c"), &value, GREEN_FOREVER), GREEN_EPROPAGATE);
        CHECK_INT(green_dagpool_waiting(p) + green_dagpool_running(p), 1);
        CHECK_INT(turns_counted, before);
        turns(1);
        CHECK_INT(green_dagpool_free(p), 0);
        CHECK_INT(green_kill(counter, 0), 0);
        CHECK_INT(join(counter), GREEN_EKILLED);
}

/* ---- keys */

static void
keys_are_bytes_of_any_kind_and_number(void)
{
        enum { LONG = 100000 };
        char *bytes = calloc(1, LONG);
        const struct green_key keys[] = {{"", 0},     {NULL, 0},   {"\0", 1},    {"\0\0", 2},
                                         {"a\0b", 3}, {"a\0c", 3}, {bytes, LONG}};
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct green_key got[8];
        void *value;

        GREEN_COVERS("DAG-25");
        for (int i = 0; i < 7; i++)
                CHECK_INT(green_dagpool_post(p, keys[i], PTR(i), false), i == 1 ? GREEN_ECOLLISION : 0);
        CHECK_INT(green_dagpool_keys(p, got, 8), 6);
        CHECK_INT(got[5].len, LONG);
        CHECK(got[5].data != bytes && memcmp(got[5].data, bytes, LONG) == 0);
        for (int i = 2; i < 7; i++) {
                CHECK_INT(green_dagpool_get(p, keys[i], NULL, &value), 0);
                CHECK_PTR(value, PTR(i));
        }
        CHECK_INT(green_dagpool_post(p, keys[6], NULL, false), GREEN_ECOLLISION);
        CHECK_RANGE(strlen(green_last_error()->message), 60, 200);
        CHECK(strstr(green_last_error()->message, "\\x00\\x00") != NULL);
        CHECK_INT(green_dagpool_post(p, K("a\\\n\377)"), NULL, false), 0);
        CHECK_INT(green_dagpool_post(p, K("a\\\n\377)"), NULL, false), GREEN_ECOLLISION);
        CHECK_STR(green_last_error()->message, "Collision(a\\\\\\x0a\\xff)): the key has a value already");
        CHECK_INT(green_dagpool_free(p), 0);
        free(bytes);
}

static void
keys_that_are_only_asked_for_leave_nothing_behind(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct one_key o = {p, "q", NULL};
        struct waiter w = {0};
        long before;
        void *value;

        /* Room for some keys is there from now on. */
        CHECK_INT(green_dag_results_free(green_dagpool_wait_each(p, letters("xyx").keys, 3)), 0);
        before = atomic_load(&memory_blocks);
        for (int i = 0; i < 100; i++) {
                char key[64];

                snprintf(key, sizeof(key), "key %d%s", i, i % 2 == 0 ? "" : ", which is longer than most keys are");
                CHECK_INT(green_dag_results_free(green_dagpool_wait_each(p, &(struct green_key){key, strlen(key)}, 1)),
                          0);
                CHECK_INT(green_dagpool_get(p, K(key), NULL, &value), 0);
                CHECK_INT(green_dagpool_getitem(p, K(key), &value, 0), -ETIMEDOUT);
                CHECK_INT(green_dag_results_free(green_dagpool_wait_each(p, letters("xyx").keys, 3)), 0);
                (void)green_dagpool_waiting_for(p, K(key), NULL, 0);
                (void)green_dagpool_kill(p, K(key));
        }
        CHECK_RANGE(atomic_load(&memory_blocks), before, before + 1); /* the last error */
        waiter_start(&w, get_item, &o, GREEN_FOREVER);
        CHECK_INT(green_kill(w.thread, 0), 0);
        CHECK_INT(waiter_end(&w), GREEN_EKILLED);
        CHECK_RANGE(atomic_load(&memory_blocks), before, before + 1);
        CHECK_INT(green_dagpool_free(p), 0);
}

enum { MANY = 3000 };

static void *
next_of_chain(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;
        int rc = green_dag_next(results, &item, GREEN_FOREVER);

        (void)key;
        (void)arg;
        return rc == 1 ? PTR(INT(item.value) + 1) : green_fail(rc);
}

static void *
sum_all(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;
        intptr_t sum = 0;

        (void)key;
        (void)arg;
        while (green_dag_next(results, &item, GREEN_FOREVER) == 1)
                sum += INT(item.value);
        return PTR(sum);
}

static void
many_keys_in_a_chain_and_in_a_fan_find_each_other(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        static int numbers[MANY + 1];
        static struct green_key keys[MANY + 1];
        struct green_dag_task task = {.fn = next_of_chain, .n = 1};
        void *value;

        for (int i = 0; i <= MANY; i++) {
                numbers[i] = i;
                keys[i] = (struct green_key){&numbers[i], sizeof(numbers[i])};
        }
        for (int i = MANY; i > 0; i--) {
                task.key = keys[i];
                task.depends = &keys[i - 1];
                CHECK_INT(green_dagpool_spawn(p, &task), 0);
        }
        task = (struct green_dag_task){K("sum"), keys, MANY + 1, sum_all, NULL};
        CHECK_INT(green_dagpool_spawn(p, &task), 0);
        CHECK_INT(green_dagpool_waiting(p), MANY + 1);
        CHECK_INT(green_dagpool_post(p, keys[0], PTR(0), false), 0);
        CHECK_INT(green_dagpool_getitem(p, K("sum"), &value, GREEN_FOREVER), 0);
        CHECK_INT(INT(value), MANY * (MANY + 1) / 2);
        CHECK_INT(green_dagpool_running(p), 0);
        CHECK_INT(green_dagpool_keys(p, NULL, 0), MANY + 2);
        CHECK_INT(green_dagpool_free(p), 0);
}

GREEN_SUITE(sync_dagpool) {
        GREEN_TEST(preloaded_values_are_there_at_once_and_copied),
        GREEN_TEST(a_task_is_not_entered_by_spawn_and_does_not_wait_for_its_values_to_be_entered),
        GREEN_TEST(values_come_in_the_order_in_which_they_became_available),
        GREEN_TEST(a_result_wakes_all_who_need_it_in_the_order_they_came),
        GREEN_TEST(a_key_that_has_a_value_or_a_task_collides),
        GREEN_TEST(what_a_task_posts_under_its_own_key_takes_the_place_of_its_result),
        GREEN_TEST(several_tasks_are_spawned_in_their_order_up_to_one_that_cannot_be),
        GREEN_TEST(a_value_may_be_replaced_and_keeps_its_place),
        GREEN_TEST(waiting_for_keys_gives_their_values_in_the_order_asked_for),
        GREEN_TEST(waiting_for_all_is_for_those_that_are_known_when_it_begins),
        GREEN_TEST(a_cursor_delivers_as_values_come_and_ends_when_all_have),
        GREEN_TEST(a_cursor_over_all_is_over_those_known_when_it_is_made),
        GREEN_TEST(tasks_are_counted_until_they_end_and_as_waiting_while_they_lack_something),
        GREEN_TEST(lists_may_have_less_room_than_there_is),
        GREEN_TEST(what_is_documented_as_not_yielding_does_not),
        GREEN_TEST(keys_are_bytes_of_any_kind_and_number),
        GREEN_TEST(keys_that_are_only_asked_for_leave_nothing_behind),
        GREEN_TEST(many_keys_in_a_chain_and_in_a_fan_find_each_other),
        GREEN_SUITE_END
};
