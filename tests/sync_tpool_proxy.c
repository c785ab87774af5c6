/*
 * Proxies: wrappers made from a table, which run their functions in the thread pool.
 */
#include "sync_tpool.h"

GREEN_SUITE_INIT(tpool_init)

/* ---- a library that blocks, as it were */

struct db {
        int rows;
        pthread_t used_in;
};

struct rows {
        struct db *db;
        int next;
};

static int
db_version(void)
{
        return 3;
}

static struct db *
db_open(const char *name)
{
        static struct db db;

        db = (struct db){(int)strlen(name), pthread_self()};
        return &db;
}

static long
db_sum(struct db *db, int a, int b, long c, const char *d, double e)
{
        db->used_in = pthread_self();
        return db->rows + a + b + c + (long)strlen(d) + (long)e;
}

static int
db_fail(struct db *db, int error)
{
        (void)db;
        errno = error;
        return -1;
}

static struct rows *
db_query(struct db *db)
{
        static struct rows rows;

        rows = (struct rows){db, 0};
        return &rows;
}

static int
rows_count(struct rows *rows, int a, int b)
{
        return rows->db->rows * a + b;
}

static int
sum_3(int a, int b, int c)
{
        return a + b + c;
}

static int
sum_4(int a, int b, int c, int d)
{
        return a + b + c + d;
}

static int
sum_5(int a, int b, int c, int d, int e)
{
        return a + b + c + d + e;
}

#define DB(CALL, WRAP, P)                                                                                              \
        CALL(P, int, db_version)                                                                                       \
        WRAP(P, my_db, db_open, (const char *, name))                                                                  \
        CALL(P, long, db_sum, (struct db *, db), (int, a), (int, b), (long, c), (const char *, d), (double, e))        \
        CALL(P, int, db_fail, (struct db *, db), (int, error))                                                         \
        WRAP(P, my_rows, db_query, (struct db *, db))                                                                  \
        CALL(P, int, rows_count, (struct rows *, rows), (int, a), (int, b))                                            \
        CALL(P, int, sum_3, (int, a), (int, b), (int, c))                                                              \
        CALL(P, int, sum_4, (int, a), (int, b), (int, c), (int, d))                                                    \
        CALL(P, int, sum_5, (int, a), (int, b), (int, c), (int, d), (int, e))

GREEN_TPOOL_PROXY_TYPE(my_db, struct db *)
GREEN_TPOOL_PROXY_TYPE(my_rows, struct rows *)
GREEN_TPOOL_PROXY(pooled_, DB)

static void
each_function_of_a_table_has_a_wrapper_that_runs_it_in_the_pool(void)
{
        my_db db = {NULL};
        int n = 0;
        long sum = 0;

        GREEN_COVERS("TPOOL-20", "TPOOL-22", "TPOOL-23");
        CHECK_INT(pooled_db_version(&n), 0);
        CHECK_INT(n, 3);
        CHECK_INT(pooled_db_version(NULL), 0);
        CHECK_INT(pooled_db_open("four", &db), 0);
        CHECK_INT(pooled_db_sum(db.object, 1, 2, 3, "12345", 6.0, &sum), 0);
        CHECK_INT(sum, 21);
        CHECK(!pthread_equal(db.object->used_in, pthread_self()));
        CHECK_INT(pooled_sum_3(1, 2, 3, &n), 0);
        CHECK_INT(n, 6);
        CHECK_INT(pooled_sum_4(1, 2, 3, 4, &n), 0);
        CHECK_INT(n, 10);
        CHECK_INT(pooled_sum_5(1, 2, 3, 4, 5, &n), 0);
        CHECK_INT(n, 15);
        /* Without the prefix it is the function itself, here and now. */
        CHECK_INT(db_sum(db.object, 1, 2, 3, "12345", 6.0), 21);
        CHECK(pthread_equal(db.object->used_in, pthread_self()));
}

static void
a_marked_result_comes_back_in_a_type_of_its_own_once(void)
{
        my_db db = {NULL}, same = {NULL};
        my_rows rows = {NULL};
        int n = 0;

        GREEN_COVERS("TPOOL-21");
        CHECK_INT(pooled_db_open("four", &db), 0);
        CHECK_INT(pooled_db_open("four", &same), 0);
        CHECK_PTR(db.object, same.object);
        CHECK_INT(pooled_db_query(db.object, &rows), 0);
        CHECK_PTR(rows.object->db, db.object);
        CHECK_INT(sizeof(rows), sizeof(struct rows *)); /* nothing around it but its type */
        CHECK_INT(pooled_rows_count(rows.object, 2, 1, &n), 0);
        CHECK_INT(n, 9);
}

static void *
killed(void *arg)
{
        int n = 5;

        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(pooled_db_version(&n), GREEN_EKILLED);
        CHECK_INT(n, 5); /* set on success only */
        (void)green_recover();
        return arg;
}

static void
errors_of_the_call_and_of_the_function_are_told_apart(void)
{
        int n = 0;

        GREEN_COVERS("TPOOL-20", "TPOOL-10");
        CHECK_INT(pooled_db_fail(NULL, ENOTTY, &n), 0);
        CHECK_INT(n, -1);
        CHECK_INT(errno, ENOTTY);
        CHECK_INT(join(green_spawn(killed, NULL)), 0);
}

static int
next_row(void *iterator, void **ret_item)
{
        struct rows *rows = iterator;

        rows->db->used_in = pthread_self();
        if (rows->next == rows->db->rows)
                return GREEN_EEMPTY;
        *ret_item = PTR(++rows->next);
        return 0;
}

static void
each_step_of_an_iteration_goes_to_the_pool(void)
{
        my_rows rows = {db_query(db_open("four"))};
        void *item = NULL;
        int rc, n = 0;

        GREEN_COVERS("TPOOL-22");
        while ((rc = green_tpool_proxy_next(next_row, rows.object, &item)) == 0) {
                CHECK_INT(INT(item), ++n);
                CHECK(!pthread_equal(rows.object->db->used_in, pthread_self()));
        }
        CHECK_INT(rc, GREEN_EEMPTY);
        CHECK_INT(n, 4);
        CHECK_INT(green_tpool_proxy_next(next_row, rows.object, NULL), GREEN_EEMPTY);
}

GREEN_SUITE(sync_tpool_proxy) {
        GREEN_TEST(each_function_of_a_table_has_a_wrapper_that_runs_it_in_the_pool),
        GREEN_TEST(a_marked_result_comes_back_in_a_type_of_its_own_once),
        GREEN_TEST(errors_of_the_call_and_of_the_function_are_told_apart),
        GREEN_TEST(each_step_of_an_iteration_goes_to_the_pool),
        GREEN_SUITE_END
};
