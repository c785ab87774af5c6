/*
 * Results: batches of rows, which are all here, or come one after the other.
 */
#include "db_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "point.h"

/* ---- batches */

void
green__db_batch_free(struct green_db_batch *b)
{
        if (b->ops != NULL)
                b->ops->free(b->data);
        *b = (struct green_db_batch){.columns = 0};
}

void
green__db_done(green_db_link *l, const struct green_db_batch *b)
{
        l->affected = b->affected;
        l->insert_id = b->insert_id;
        l->warnings = b->warnings;
}

static int
fetch(green_db_link *l, void *arg)
{
        struct green_db_batch *b = arg;

        return l->target->driver->fetch(l, l->db, b);
}

/* The next batch, in an empty one. */
static int
next_batch(green_db_link *l, struct green_db_batch *b)
{
        int rc = green__db_call(l, fetch, b);

        if (rc != 0) {
                green__db_batch_free(b);
                l->state = GREEN__DB_REST;
                return rc;
        }
        if (!b->more) {
                l->state = GREEN__DB_REST;
                green__db_done(l, b);
        }
        return 0;
}

/* ---- results */

green_db_result *
green__db_result_new(void)
{
        green_db_result *r = green_calloc(1, sizeof *r);

        if (r == NULL)
                green_set_error(-ENOMEM, NULL);
        else
                r->at = r->last = &r->first;
        return r;
}

void
green__db_result_begin(green_db_result *r, const struct green_db_batch *batch)
{
        r->first.batch = *batch;
        r->rows = r->streamed ? 0 : batch->rows;
}

int
green__db_result_whole(green_db_result *r, green_db_link *l)
{
        while (r->last->batch.more) {
                struct green__db_batch_node *node = green_calloc(1, sizeof *node);
                int rc;

                if (node == NULL) {
                        l->cut = true;
                        return -ENOMEM;
                }
                rc = next_batch(l, &node->batch);
                if (rc != 0) {
                        green_free(node);
                        return rc;
                }
                r->rows += node->batch.rows;
                r->last->next = node;
                r->last = node;
        }
        return 0;
}

static void
free_result(green_db_result *r)
{
        struct green__db_batch_node *node = r->first.next;

        while (node != NULL) {
                struct green__db_batch_node *next = node->next;

                green__db_batch_free(&node->batch);
                green_free(node);
                node = next;
        }
        green__db_batch_free(&r->first.batch);
        green_free(r);
}

void
green__db_rows_drop(green_db_link *l, int code)
{
        green_db_result *r = l->rows;

        if (r == NULL)
                return;
        l->rows = NULL;
        r->link = NULL;
        r->code = code;
        if (l->pending)
                free_result(r);
        l->pending = false;
}

void
green_db_result_free(green_db_result *r)
{
        if (r == NULL)
                return;
        if (r->coming) {
                r->freed = true; /* by the one that reads it */
                return;
        }
        /* Where somebody is in a call, its connection ends it; so does giving the connection back. */
        if (r->link != NULL) {
                green_db_conn *c = r->link->conn;

                if (c != NULL && !c->busy && green_hub_check(c->hub, "a result") == 0 && green_getcurrent() != NULL) {
                        c->busy = true;
                        (void)green__db_settle(r->link);
                        c->busy = false;
                } else {
                        r->link->cut = true;
                        green__db_rows_drop(r->link, -EBADF);
                }
        }
        free_result(r);
}

/* ---- rows */

/* The batch of a result that is read as it comes is used up. */
static int
come(green_db_result *r)
{
        green_db_link *l = r->link;
        green_db_conn *c = l->conn;
        int rc = green__db_enter(c, GREEN__DB_ROWS, "green_db_result_next");

        if (rc != 0) {
                if (rc == GREEN_EDBLOST && l->lost) /* and not the code of a kill */
                        green__db_rows_drop(l, rc);
                return rc;
        }
        r->rows += r->first.batch.rows;
        green__db_batch_free(&r->first.batch);
        r->row = 0;
        r->coming = true;
        rc = next_batch(l, &r->first.batch);
        r->coming = false;
        if (rc != 0 || !r->first.batch.more)
                green__db_rows_drop(l, rc);
        if (r->freed) {
                l->cut = l->cut || l->rows == r;
                green__db_rows_drop(l, -EBADF);
                free_result(r);
                rc = rc != 0 ? rc : -EBADF;
        }
        return green__db_leave(c, rc);
}

int
green_db_result_next(green_db_result *r)
{
        if (r == NULL)
                return green_set_error(-EINVAL, "green_db_result_next: no result");
        while (r->row >= r->at->batch.rows) {
                if (r->at->next != NULL) {
                        r->at = r->at->next;
                        r->row = 0;
                } else if (r->link != NULL) {
                        int rc = come(r);

                        if (rc != 0)
                                return rc;
                } else {
                        r->row = r->at->batch.rows + 1;
                        return r->code != 0 ? green_set_error(r->code, NULL) : 0;
                }
        }
        r->row++;
        return 1;
}

size_t
green_db_result_columns(const green_db_result *r)
{
        return r != NULL ? r->first.batch.columns : 0;
}

const char *
green_db_result_name(const green_db_result *r, size_t column)
{
        if (r == NULL || r->first.batch.ops == NULL || column >= r->first.batch.columns)
                return NULL;
        return r->first.batch.ops->name(r->first.batch.data, column);
}

uint64_t
green_db_result_rows(const green_db_result *r)
{
        if (r == NULL)
                return 0;
        if (!r->streamed)
                return r->rows;
        return r->rows + (r->row < r->at->batch.rows ? r->row : r->at->batch.rows);
}

int64_t
green_db_result_affected_rows(const green_db_result *r)
{
        return r != NULL ? r->last->batch.affected : 0;
}

int64_t
green_db_result_insert_id(const green_db_result *r)
{
        return r != NULL ? r->last->batch.insert_id : 0;
}

/* ---- values */

int
green_db_result_value(green_db_result *r, size_t column, struct green_db_value *ret_value)
{
        const struct green_db_batch *b;

        if (r == NULL || ret_value == NULL)
                return green_set_error(-EINVAL, "green_db_result_value: no result, or no ret_value");
        b = &r->at->batch;
        if (r->row == 0 || r->row > b->rows)
                return green_set_error(-EINVAL, "a result that is not at a row has no values");
        if (column >= b->columns)
                return green_set_error(-EINVAL, "there is no column %zu: the result has %zu", column, b->columns);
        *ret_value = b->ops->value(b->data, r->row - 1, column);
        return 0;
}

bool
green_db_result_is_null(green_db_result *r, size_t column)
{
        struct green_db_value v;

        return green_db_result_value(r, column, &v) != 0 || v.type == GREEN_DB_NULL;
}

static int
not_a_number(const struct green_db_value *v)
{
        if (v->type == GREEN_DB_NULL)
                return green_set_error(-ENODATA, "there is no value in this column");
        return green_set_error(-EDOM, "the value of this column is not such a number");
}

/* Is all of a text, but blanks around, behind the number that ends here? */
static bool
all_read(const struct green_db_value *v, const char *end)
{
        const char *text = v->data;

        if (end == text)
                return false;
        while (*end == ' ')
                end++;
        return end == text + v->len;
}

int
green_db_result_int64(green_db_result *r, size_t column, int64_t *ret_number)
{
        struct green_db_value v;
        char *end;
        long long n;
        int rc;

        if (ret_number == NULL)
                return green_set_error(-EINVAL, "green_db_result_int64: no ret_number");
        rc = green_db_result_value(r, column, &v);
        if (rc != 0)
                return rc;
        if (v.type == GREEN_DB_INT64) {
                *ret_number = v.number;
                return 0;
        }
        if (v.type == GREEN_DB_DOUBLE && v.real == v.real) {
                if (!(v.real >= -9223372036854775808.0 && v.real < 9223372036854775808.0))
                        return green_set_error(-ERANGE, "%g does not fit into 64 bits", v.real);
                if ((double)(int64_t)v.real == v.real) {
                        *ret_number = (int64_t)v.real;
                        return 0;
                }
        }
        if (v.type != GREEN_DB_TEXT)
                return not_a_number(&v);
        errno = 0;
        n = strtoll(v.data, &end, 10);
        if (!all_read(&v, end))
                return not_a_number(&v);
        if (errno == ERANGE)
                return green_set_error(-ERANGE, "%s does not fit into 64 bits", (const char *)v.data);
        *ret_number = n;
        return 0;
}

int
green_db_result_double(green_db_result *r, size_t column, double *ret_real)
{
        struct green_db_value v;
        struct green__point point;
        char *end;
        bool other;
        double d;
        int rc;

        if (ret_real == NULL)
                return green_set_error(-EINVAL, "green_db_result_double: no ret_real");
        rc = green_db_result_value(r, column, &v);
        if (rc != 0)
                return rc;
        switch (v.type) {
        case GREEN_DB_INT64: *ret_real = (double)v.number; return 0;
        case GREEN_DB_DOUBLE: *ret_real = v.real; return 0;
        case GREEN_DB_TEXT: break;
        case GREEN_DB_NULL:
        case GREEN_DB_BLOB: return not_a_number(&v);
        }
        other = green__point_begin(&point);
        d = strtod(v.data, &end);
        if (other)
                green__point_end(&point);
        if (!all_read(&v, end))
                return not_a_number(&v);
        *ret_real = d;
        return 0;
}

/* The shortest text that gives the same number. */
static const char *
text_of(green_db_result *r, double d)
{
        struct green__point point;
        bool other = green__point_begin(&point);

        for (int digits = 15; digits <= 17; digits++) {
                snprintf(r->number, sizeof r->number, "%.*g", digits, d);
                if (strtod(r->number, NULL) == d)
                        break;
        }
        if (other)
                green__point_end(&point);
        return r->number;
}

const char *
green_db_result_text(green_db_result *r, size_t column)
{
        struct green_db_value v;

        if (green_db_result_value(r, column, &v) != 0)
                return NULL;
        switch (v.type) {
        case GREEN_DB_INT64: snprintf(r->number, sizeof r->number, "%" PRId64, v.number); return r->number;
        case GREEN_DB_DOUBLE: return text_of(r, v.real);
        case GREEN_DB_TEXT:
        case GREEN_DB_BLOB: return v.data;
        case GREEN_DB_NULL: break;
        }
        return NULL;
}
