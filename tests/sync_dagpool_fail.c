/*
 * DAG pools: failures and their chains.
 */
#include "sync_dagpool.h"

GREEN_SUITE_INIT(sync_init)

static void *
fail_with(const struct green_key *key, green_dag_results *results, void *arg)
{
        (void)key;
        (void)results;
        return green_fail_error(arg);
}

static void *
fail_plainly(const struct green_key *key, green_dag_results *results, void *arg)
{
        (void)key;
        (void)results;
        return green_fail(INT(arg));
}

/* Passes on what it met, with all that the last error says. */
static void *
pass_on(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;

        (void)key;
        (void)arg;
        CHECK_INT(green_dag_next(results, &item, GREEN_FOREVER), GREEN_EPROPAGATE);
        return green_fail_error(green_last_error());
}

static void
a_failure_comes_with_the_keys_it_came_through(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error inner = {-EPIPE, "inside", PTR(3), NULL}, error = {-EIO, "broken", PTR(4), &inner};
        struct job job = {.depends = "a"};
        struct green_dag_item items[3];
        const struct green_error *e;
        void *value;

        GREEN_COVERS("DAG-06", "DAG-25");
        CHECK_INT(spawn_fn(p, "a", fail_with, "", (void *)(uintptr_t)&error), 0);
        CHECK_INT(spawn_job(p, "b", &job), 0);
        CHECK_INT(spawn_fn(p, "c", pass_on, "b", NULL), 0);
        CHECK_INT(green_dagpool_getitem(p, K("c"), &value, GREEN_FOREVER), GREEN_EPROPAGATE);
        CHECK_INT(errno, -GREEN_EPROPAGATE);
        e = green_last_error();
        CHECK_STR(e->message, "PropagateError(c): GREEN_EPROPAGATE: PropagateError(b): GREEN_EPROPAGATE: "
                              "PropagateError(a): EIO: broken");
        check_link(e, "c");
        check_link(e->cause, "b");
        CHECK_STR(e->cause->message, "PropagateError(b): GREEN_EPROPAGATE: PropagateError(a): EIO: broken");
        check_link(e->cause->cause, "a");
        e = e->cause->cause->cause;
        CHECK(e != NULL && e != &error);
        CHECK_INT(e->code, -EIO);
        CHECK_STR(e->message, "broken");
        CHECK_PTR(e->value, PTR(4));
        CHECK_INT(e->cause->code, -EPIPE);
        CHECK_PTR(e->cause->cause, NULL);
        CHECK_INT(job.rc, GREEN_EPROPAGATE);
        /* Causes are shared, also where a task gave a copy. */
        CHECK_INT(green_dagpool_items(p, items, 3), GREEN_EPROPAGATE);
        CHECK_PTR(items[2].error->cause, items[1].error);
        CHECK_PTR(items[1].error->cause, items[0].error);
        CHECK_STR(green_last_error()->message, "PropagateError(a): EIO: broken");
        CHECK_INT(green_dagpool_getitem(p, K("c"), &value, 0), GREEN_EPROPAGATE);
        /* It is still whole when the pool has gone. */
        CHECK_INT(green_dagpool_free(p), 0);
        check_link(green_last_error()->cause->cause, "a");
        CHECK_INT(green_last_error()->cause->cause->cause->code, -EIO);
        CHECK_INT(green_set_error(-EIO, "%s", green_last_error()->message), -EIO);
        CHECK(strstr(green_last_error()->message, "PropagateError(c)") == green_last_error()->message);
}

static void *
go_on(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;

        (void)key;
        CHECK_INT(green_dag_next(results, &item, GREEN_FOREVER), 1);
        CHECK_INT(green_dag_next(results, &item, GREEN_FOREVER), GREEN_EPROPAGATE);
        CHECK_INT(green_dag_next(results, &item, GREEN_FOREVER), 0);
        return INT(arg) < 0 ? green_fail(INT(arg)) : arg;
}

static void
a_failure_that_was_handled_is_not_passed_on(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error other = {GREEN_EPROPAGATE, "of its own", NULL,
                                          &(struct green_error){-EIO, "", NULL, NULL}};

        GREEN_COVERS("DAG-06");
        CHECK_INT(spawn_fn(p, "a", fail_plainly, "", PTR(-ENOENT)), 0);
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        CHECK_INT(spawn_fn(p, "x", go_on, "ab", PTR(5)), 0);
        CHECK_INT(spawn_fn(p, "y", go_on, "ab", PTR(GREEN_EFULL)), 0);
        CHECK_INT(spawn_fn(p, "z", fail_with, "", (void *)(uintptr_t)&other), 0);
        turns(4);
        CHECK_INT(green_dagpool_running(p), 0);
        check_failure(p, "y", "PropagateError(y): GREEN_EFULL: full");
        check_failure(p, "z", "PropagateError(z): GREEN_EPROPAGATE: of its own");
        CHECK_INT(green_last_error()->cause->cause->code, -EIO);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
cursors_give_failures_or_values_or_both(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error error = {-EIO, "broken", NULL, NULL};
        green_dag_results *each, *good, *bad;
        struct waiter w[2] = {{0}};
        struct green_dag_item item;
        void *value;

        GREEN_COVERS("DAG-12", "DAG-16");
        CHECK_INT(green_dagpool_post(p, K("a"), (void *)(uintptr_t)&error, false), 0);
        check_value(p, "a", &error); /* an error that is posted as a value is one */
        CHECK_INT(green_dagpool_post_error(p, K("b"), &error, false), 0);
        CHECK_INT(green_dagpool_post_error(p, K("b"), &error, false), GREEN_ECOLLISION);
        each = green_dagpool_wait_each(p, letters("bac").keys, 3);
        good = green_dagpool_wait_each_success(p, letters("bac").keys, 3);
        bad = green_dagpool_wait_each_exception(p, letters("bac").keys, 3);
        CHECK_INT(green_dag_next(each, &item, 0), 1);
        CHECK_INT(green_dag_next(each, &item, 0), GREEN_EPROPAGATE);
        CHECK_STR(green_last_error()->message, "PropagateError(b): EIO: broken");
        CHECK_INT(green_dag_next(good, &item, 0), 1);
        CHECK_PTR(item.value, &error);
        CHECK_PTR(item.error, NULL);
        CHECK_INT(green_dag_next(bad, &item, 0), 1);
        CHECK_PTR(item.value, NULL);
        CHECK_INT(item.error->code, GREEN_EPROPAGATE);
        check_link(item.error, "b");
        CHECK_INT(green_dag_next(each, &item, 0), -ETIMEDOUT);
        /* What is passed over ends a wait all the same, when it was the last. */
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, true), 0);
        CHECK_STR(item.error->message, "PropagateError(b): EIO: broken");
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], next_of, bad, GREEN_FOREVER);
        CHECK_INT(green_dagpool_post(p, K("c"), NULL, false), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(waiter_end(&w[i]), 0);
        /* It had not come to b, which is a value by now. */
        CHECK_INT(next_of(good, GREEN_FOREVER) + next_of(good, GREEN_FOREVER), 2);
        CHECK_INT(next_of(good, GREEN_FOREVER), 0);
        CHECK_TRACE("bc");
        CHECK_INT(green_dagpool_getitem(p, K("b"), &value, 0), 0);
        CHECK_INT(green_dag_results_free(each) | green_dag_results_free(good) | green_dag_results_free(bad), 0);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
of_several_failures_the_first_that_came_is_told(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error error = {-EIO, "broken", NULL, NULL};
        struct one_key o = {p, "c", NULL};
        struct letters l = letters("abxc");
        struct waiter w = {0};
        void *values[4] = {PTR(8), PTR(8), PTR(8), PTR(8)};

        GREEN_COVERS("DAG-12", "DAG-13", "DAG-17");
        waiter_start(&w, get_item, &o, GREEN_FOREVER);
        for (const char *at = "cab"; *at != '\0'; at++)
                CHECK_INT(green_dagpool_post_error(p, (struct green_key){at, 1}, &error, false), 0);
        CHECK_INT(waiter_end(&w), GREEN_EPROPAGATE);
        /* Although x is not there. */
        CHECK_INT(green_dagpool_wait(p, l.keys, 4, values, GREEN_FOREVER), GREEN_EPROPAGATE);
        CHECK_STR(green_last_error()->message, "PropagateError(c): EIO: broken");
        CHECK_PTR(values[0], PTR(8));
        CHECK_INT(green_dagpool_waitall(p, GREEN_FOREVER), GREEN_EPROPAGATE);
        CHECK_STR(green_last_error()->message, "PropagateError(c): EIO: broken");
        CHECK_INT(green_dagpool_items(p, NULL, 0), GREEN_EPROPAGATE);
        CHECK_STR(green_last_error()->message, "PropagateError(c): EIO: broken");
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
keys_in_texts_are_escaped_and_long_texts_lose_their_middle(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        char lengthy[2000];
        const struct green_error error = {-EIO, lengthy, NULL, NULL};
        void *value;
        const char *text;

        GREEN_COVERS("DAG-06");
        /* Characters of two bytes: each cut falls between two, or into one. */
        for (size_t from = 0; from < 2; from++) {
                for (size_t i = 0; i < sizeof(lengthy) - 1; i++)
                        lengthy[i] = "\303\244"[(i + from) % 2];
                lengthy[sizeof(lengthy) - 1] = '\0';
                CHECK_INT(green_dagpool_post_error(p, K("\001\t\177\\"), &error, true), 0);
                CHECK_INT(green_dagpool_get(p, K("\001\t\177\\"), NULL, &value), GREEN_EPROPAGATE);
                text = green_last_error()->message;
                CHECK(strstr(text, "PropagateError(\\x01\\x09\\x7f\\\\): EIO: ") == text);
                CHECK_RANGE(strlen(text), 300, 400);
                CHECK(strstr(text, "\303\244 ... \303\244") != NULL);
                CHECK_STR(green_last_error()->cause->message, lengthy);
        }
        CHECK_INT(green_dagpool_free(p), 0);
}

enum { MANY = sizeof(void *) > 4 ? 20000 : 5000 }; /* each has a stack, for which 32 bits have to suffice */

static void *
need_one(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;
        int rc = green_dag_next(results, &item, GREEN_FOREVER);

        (void)key;
        (void)arg;
        return rc == 1 ? NULL : green_fail(rc);
}

static void
a_chain_may_be_longer_than_any_stack_is_deep(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error error = {-EIO, "the first cause", NULL, NULL}, *e;
        static int numbers[MANY + 1];
        struct green_error *copy;
        void *value;
        int n = 0;

        GREEN_COVERS("DAG-06");
        for (int i = 0; i <= MANY; i++) {
                struct green_key needs = {&numbers[i - (i > 0)], sizeof(int)};
                struct green_dag_task task = {{&numbers[i], sizeof(int)}, &needs, 1, need_one, NULL};

                numbers[i] = i;
                if (i > 0)
                        CHECK_INT(green_dagpool_spawn(p, &task), 0);
        }
        CHECK_INT(green_dagpool_post_error(p, (struct green_key){&numbers[0], sizeof(int)}, &error, false), 0);
        CHECK_INT(green_dagpool_getitem(p, (struct green_key){&numbers[MANY], sizeof(int)}, &value, GREEN_FOREVER),
                  GREEN_EPROPAGATE);
        turns(2);
        CHECK_INT(green_dagpool_free(p), 0);
        copy = green_error_copy(green_last_error());
        for (e = copy; e->cause != NULL; e = e->cause)
                n++;
        CHECK_INT(n, MANY + 1);
        CHECK_STR(e->message, "the first cause");
        CHECK_RANGE(strlen(copy->message), 300, 400);
        CHECK(strstr(copy->message, "EIO: the first cause") != NULL);
        green_error_free(copy);
        (void)green_set_error(-EIO, "lets go of it");
}

GREEN_SUITE(sync_dagpool_fail) {
        GREEN_TEST(a_failure_comes_with_the_keys_it_came_through),
        GREEN_TEST(a_failure_that_was_handled_is_not_passed_on),
        GREEN_TEST(cursors_give_failures_or_values_or_both),
        GREEN_TEST(of_several_failures_the_first_that_came_is_told),
        GREEN_TEST(keys_in_texts_are_escaped_and_long_texts_lose_their_middle),
        GREEN_TEST(a_chain_may_be_longer_than_any_stack_is_deep),
        GREEN_SUITE_END
};
