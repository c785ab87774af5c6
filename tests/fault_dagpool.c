/*
 * Each allocation and system call fails in its turn where DAG pools are used; see fault_core.c.
 */
#include "fault.h"

#include <errno.h>

#include <green/sync.h>

#define SOON 5.0

/* As in fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

enum { MANY = 20 };

static char values[MANY];

static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

static struct green_key
number(int i)
{
        static const char digits[] = "abcdefghijklmnopqrstuvwxyz";

        return (struct green_key){digits + i, 1};
}

/* Its result is its own value, when it has those that it needs. */
static void *
make(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;
        int rc;

        (void)key;
        while ((rc = green_dag_next(results, &item, SOON)) == 1)
                CHECK(item.error == NULL && item.value != NULL);
        return rc == 0 ? arg : green_fail(rc);
}

static void *
fail(const struct green_key *key, green_dag_results *results, void *arg)
{
        const struct green_error cause = {-EDOM, "a cause", NULL, NULL}, error = {-EIO, "an error", arg, &cause};

        (void)key;
        (void)results;
        return green_fail_error(&error);
}

/* All of a chain, as far as there is memory; each has the value of its key. */
static void
working(void)
{
        const struct green_dag_item first = {number(0), &values[0], NULL};
        struct green_key got[MANY], lacked[2];
        int spawned = 0;
        green_dagpool *p;
        void *value = NULL;

        if (!have_hub() || !MADE(p = green_dagpool_new(&first, 1)))
                return;
        for (int i = 1; i < MANY; i++) {
                const struct green_key needs = number(i - 1);
                const struct green_dag_task task = {number(i), &needs, 1, make, &values[i]};

                if (!OK(i % 2 == 0 ? green_dagpool_spawn(p, &task) : green_dagpool_spawn_many(p, &task, 1)))
                        break;
                spawned = i;
        }
        CHECK_INT(green_dagpool_running(p), spawned);
        CHECK_INT(green_dagpool_waiting(p), spawned > 0 ? spawned - 1 : 0);
        CHECK_INT(green_dagpool_running_keys(p, got, MANY), spawned);
        if (spawned > 1)
                CHECK_INT(green_dagpool_waiting_for(p, number(2), lacked, 2), 1);
        while (green_dagpool_running(p) > 0 && !OK(green_dagpool_waitall(p, SOON)))
                (void)OK(green_sleep(0.001));
        CHECK_INT(green_dagpool_keys(p, got, MANY), spawned + 1);
        for (int i = 0; i <= spawned; i++) {
                CHECK_INT(green_dagpool_get(p, number(i), NULL, &value), 0);
                CHECK(value == &values[i]);
        }
        CHECK_INT(green_dagpool_free(p), 0);
}

/* Takes all that a cursor gives; how many. */
static int
drain(green_dag_results *r)
{
        struct green_dag_item item;
        int n = 0, rc;

        if (!MADE(r))
                return -1;
        while ((rc = green_dag_next(r, &item, SOON)) != 0) {
                n++;
                CHECK(rc == 1 || rc == GREEN_EPROPAGATE);
                if (rc < 0 && rc != GREEN_EPROPAGATE)
                        break;
        }
        CHECK_INT(green_dag_results_free(r), 0);
        return n;
}

static void
failing(void)
{
        const struct green_error error = {-EIO, "an error", NULL, NULL};
        const struct green_key a = number(0), b = number(1);
        const struct green_dag_task tasks[] = {{a, NULL, 0, fail, NULL}, {b, &a, 1, make, NULL}};
        struct green_dag_item items[4];
        void *value;
        green_dagpool *p;

        if (!have_hub() || !MADE(p = green_dagpool_new(NULL, 0)))
                return;
        if (OK(green_dagpool_spawn_many(p, tasks, 2))) {
                int rc = green_dagpool_getitem(p, b, &value, SOON);

                if (rc == GREEN_EPROPAGATE)
                        CHECK(green_last_error()->code == GREEN_EPROPAGATE);
                else
                        (void)OK(rc);
        }
        while (green_dagpool_running(p) > 0)
                (void)OK(green_sleep(0.001));
        if (OK(green_dagpool_post_error(p, number(2), &error, true)))
                CHECK_INT(green_dagpool_items(p, items, 4), GREEN_EPROPAGATE);
        if (OK(green_dagpool_post(p, number(3), &values[3], false)))
                CHECK_INT(green_dagpool_wait(p, &(struct green_key){number(3).data, 1}, 1, &value, SOON), 0);
        (void)drain(green_dagpool_wait_each(p, NULL, 0));
        (void)drain(green_dagpool_wait_each_success(p, NULL, 0));
        (void)drain(green_dagpool_wait_each_exception(p, NULL, 0));
        CHECK_INT(green_dagpool_free(p), 0);
}

/* One that has started, and one that has not. */
static void
killing(void)
{
        const struct green_key q = green_key("q"), a = number(0), b = number(1);
        const struct green_dag_task first = {a, &q, 1, make, NULL}, second = {b, &a, 1, make, NULL};
        green_dagpool *p;
        void *value;

        if (!have_hub() || !MADE(p = green_dagpool_new(NULL, 0)))
                return;
        if (OK(green_dagpool_spawn(p, &first))) {
                (void)OK(green_sleep(0));
                if (OK(green_dagpool_spawn(p, &second)))
                        CHECK_INT(green_dagpool_kill(p, b), 0);
                CHECK_INT(green_dagpool_kill(p, b), -ENOENT);
                if (green_dagpool_running(p) > 0)
                        CHECK_INT(green_dagpool_kill(p, a), 0);
                while (green_dagpool_running(p) > 0)
                        (void)OK(green_sleep(0.001));
                CHECK_INT(green_dagpool_get(p, a, NULL, &value), GREEN_EPROPAGATE);
        }
        CHECK_INT(green_dagpool_free(p), 0);
}

/* ---- the scenarios, in alphabetical order */

#define SCENARIOS(X)                                                                                                   \
        X(failing, ALTSTACK | FAULT_BIT(alloc), FEWER)                                                                 \
        X(killing, ALTSTACK | FAULT_BIT(alloc), FEWER)                                                                 \
        X(working, ALTSTACK | FAULT_BIT(alloc), FEWER)

FAULT_DEFINE(SCENARIOS)

static void signals_without_end_disturb_nothing(void){SCENARIOS(FAULT_STORM_ROW)}

GREEN_SUITE(fault_dagpool) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
