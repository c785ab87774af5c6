/*
 * A driver of one's own: a table of keys and values in memory, which all connections of the process share. It includes
 * <green/db_driver.h> and the system's headers, and is built by the Makefile beside it. What each function promises
 * stands in that header.
 *
 *     green_db_connect("./db_memtable.so", NULL, 5, &conn)     by its path
 *     green_db_connect("memtable", NULL, 5, &conn)             by its name, once it is in the folder of modules
 *
 * Its statements are words with blanks between them; a word `?` is a parameter. Values keep their types.
 *
 *     set KEY VALUE     affects a row
 *     get KEY           column "value"; no row where there is no such key
 *     del KEY           affects a row, or none
 *     list              columns "key" and "value", by key
 *
 * No function waits here, so that they run in the caller's green thread. One that talks to a server does so with a
 * descriptor that does not block, and where it would block calls green_db_link_wait() and returns what that fails with.
 */
#include <green/db_driver.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 3, MOST_KEY = 100, MOST_ROWS = 1000, BATCH = 16 };

struct row {
        char key[MOST_KEY + 1];
        struct green_db_value value; /* its data is the row's own */
};

/* A statement, taken apart: what prepare() keeps. */
struct words {
        char text[256];
        const char *word[MOST_WORDS]; /* in text; NULL: a parameter */
        size_t n;                     /* words */
        size_t params;
};

struct connection {
        struct words once;       /* of a statement that is not prepared */
        bool listing;            /* list has rows left for fetch() */
        char last[MOST_KEY + 1]; /* the key that it gave last */
};

/* The table, by key. Users may have the calls run in OS threads: several at once, for several connections. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct row *rows[MOST_ROWS];
static size_t row_count;

static const char *
version(void)
{
        return "memtable 1";
}

/* ---- the table; the lock is held */

/* The first row whose key is not before this one; its index may be row_count. */
static size_t
find(const char *key)
{
        size_t low = 0, high = row_count;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (strcmp(rows[middle]->key, key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool
is_at(size_t i, const char *key)
{
        return i < row_count && strcmp(rows[i]->key, key) == 0;
}

static void
delete_row(size_t i)
{
        free((void *)rows[i]->value.data);
        free(rows[i]);
        row_count--;
        memmove(&rows[i], &rows[i + 1], (row_count - i) * sizeof *rows);
}

/* A copy of the value, with a NUL behind what it points to. */
static int
put_row(const char *key, const struct green_db_value *value)
{
        struct row *row = calloc(1, sizeof *row);
        char *data = malloc(value->len + 1);
        size_t i = find(key);

        if (row == NULL || data == NULL || (row_count == MOST_ROWS && !is_at(i, key))) {
                free(row);
                free(data);
                return row_count == MOST_ROWS ? -ENOSPC : -ENOMEM;
        }
        if (value->len > 0)
                memcpy(data, value->data, value->len);
        data[value->len] = '\0';
        memcpy(row->key, key, strlen(key) + 1);
        row->value = *value;
        row->value.data = data;
        if (is_at(i, key))
                delete_row(i);
        memmove(&rows[i + 1], &rows[i], (row_count - i) * sizeof *rows);
        rows[i] = row;
        row_count++;
        return 0;
}

/* ---- statements */

static int
refuse(green_db_link *link, const char *why)
{
        return green_db_link_fail(link, GREEN_EDB, 1, "42601", "memtable: %s", why);
}

static int
take_apart(green_db_link *link, const char *sql, struct words *ret)
{
        char *save = NULL, *word;
        static const struct {
                const char *name;
                size_t words;
        } known[] = {{"set", 3}, {"get", 2}, {"del", 2}, {"list", 1}};

        if (strlen(sql) >= sizeof ret->text)
                return refuse(link, "the statement is too long");
        memset(ret, 0, sizeof *ret);
        memcpy(ret->text, sql, strlen(sql) + 1);
        for (word = strtok_r(ret->text, " \t\n", &save); word != NULL; word = strtok_r(NULL, " \t\n", &save)) {
                bool parameter = strcmp(word, "?") == 0;

                if (ret->n == MOST_WORDS || (ret->n == 0 && parameter))
                        return refuse(link, "it is no set, get, del or list");
                ret->word[ret->n++] = parameter ? NULL : word;
                ret->params += parameter;
        }
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (ret->n == known[i].words && strcmp(ret->word[0], known[i].name) == 0)
                        return 0;
        return refuse(link, "it is no set, get, del or list");
}

/* The value of a word: a parameter's, or its text. */
static struct green_db_value
value_of(const struct words *w, size_t i, const struct green_db_statement *st)
{
        size_t param = 0;

        if (w->word[i] != NULL)
                return green_db_text(w->word[i]);
        for (size_t k = 0; k < i; k++)
                param += w->word[k] == NULL;
        return st->values[param];
}

/* Rows for the caller: one column or two, from i on, and n at most. */
static int
give(green_db_link *link, size_t i, size_t n, bool keys, struct green_db_batch *ret)
{
        static const char *const names[] = {"key", "value"};
        green_db_rows *out = green_db_rows_new(keys ? 2 : 1, keys ? names : names + 1);
        int rc = out != NULL ? 0 : -ENOMEM;

        for (; rc == 0 && n > 0 && i < row_count; i++, n--) {
                const struct green_db_value values[] = {green_db_text(rows[i]->key), rows[i]->value};

                rc = green_db_rows_add(out, keys ? values : values + 1);
        }
        if (rc != 0) {
                green_db_rows_free(out);
                return green_db_link_fail(link, rc, 0, NULL, "memtable: out of memory");
        }
        green_db_rows_finish(out, ret);
        return 0;
}

/* Rows of list, behind the key that was given last: what has changed since then does no harm. */
static int
give_list(green_db_link *link, struct connection *c, size_t n, struct green_db_batch *ret)
{
        size_t i = find(c->last);
        int rc;

        i += is_at(i, c->last);
        rc = give(link, i, n, true, ret);
        c->listing = rc == 0 && row_count - i > n;
        if (c->listing)
                memcpy(c->last, rows[i + n - 1]->key, sizeof c->last);
        ret->more = c->listing;
        return rc;
}

static int
run(green_db_link *link, struct connection *c, const struct words *w, const struct green_db_statement *st,
    struct green_db_batch *ret)
{
        struct green_db_value key = green_db_null(), value;
        char name[MOST_KEY + 1];
        size_t i;
        int rc = 0;

        if (w->n == 1) {
                c->last[0] = '\0';
                return give_list(link, c, st->stream ? BATCH : MOST_ROWS, ret);
        }
        key = value_of(w, 1, st);
        if (key.type != GREEN_DB_TEXT || key.len == 0 || key.len > MOST_KEY || memchr(key.data, 0, key.len) != NULL)
                return refuse(link, "a key is text of 1 to 100 bytes");
        memcpy(name, key.data, key.len);
        name[key.len] = '\0';
        i = find(name);
        if (strcmp(w->word[0], "get") == 0)
                return give(link, i, is_at(i, name), false, ret);
        if (strcmp(w->word[0], "set") == 0) {
                value = value_of(w, 2, st);
                rc = put_row(name, &value);
                if (rc != 0)
                        return green_db_link_fail(link, rc, 0, NULL, "memtable: no room");
                ret->affected = 1;
        } else if (is_at(i, name)) {
                delete_row(i);
                ret->affected = 1;
        }
        return rc;
}

static int
query(green_db_link *link, void *db, const struct green_db_statement *st, struct green_db_batch *ret)
{
        struct connection *c = db;
        const struct words *w = st->prepared;
        int rc = w != NULL ? 0 : take_apart(link, st->sql, &c->once);

        if (rc != 0)
                return rc;
        w = w != NULL ? w : &c->once;
        if (st->n != w->params)
                return refuse(link, "another number of values than of parameters");
        pthread_mutex_lock(&lock);
        rc = run(link, c, w, st, ret);
        pthread_mutex_unlock(&lock);
        return rc;
}

static int
fetch(green_db_link *link, void *db, struct green_db_batch *ret)
{
        int rc;

        pthread_mutex_lock(&lock);
        rc = give_list(link, db, BATCH, ret);
        pthread_mutex_unlock(&lock);
        return rc;
}

static int
prepare(green_db_link *link, void *db, const char *sql, void **ret_prepared)
{
        struct words *w = malloc(sizeof *w);
        int rc;

        (void)db;
        if (w == NULL)
                return green_db_link_fail(link, -ENOMEM, 0, NULL, "memtable: out of memory");
        rc = take_apart(link, sql, w);
        if (rc == 0)
                *ret_prepared = w;
        else
                free(w);
        return rc;
}

static void
unprepare(green_db_link *link, void *db, void *prepared, bool tell)
{
        (void)link;
        (void)db;
        (void)tell;
        free(prepared);
}

/* ---- connections */

static int
connect_to_table(green_db_link *link, const struct green_db_params *params, void **ret_db)
{
        struct connection *c;

        if (params->options != NULL && params->options[0] != NULL)
                return green_db_link_fail(link, -EINVAL, 0, NULL, "memtable: there are no options");
        c = calloc(1, sizeof *c);
        if (c == NULL)
                return green_db_link_fail(link, -ENOMEM, 0, NULL, "memtable: out of memory");
        *ret_db = c;
        return 0;
}

static void
close_connection(green_db_link *link, void *db)
{
        (void)link;
        free(db);
}

static bool
in_transaction(void *db)
{
        (void)db;
        return false;
}

/* A list that nobody read to its end. */
static int
settle(green_db_link *link, void *db)
{
        struct connection *c = db;

        (void)link;
        c->listing = false;
        return 0;
}

static int
command(green_db_link *link, void *db, struct green_db_command *command)
{
        (void)link;
        (void)db;
        /* Nothing was begun, so nothing is there to be undone. */
        return command->kind == GREEN_DB_CMD_PING || command->kind == GREEN_DB_CMD_ROLLBACK ? 0 : -ENOTSUP;
}

static int
info(void *db, enum green_db_info_kind kind, struct green_db_info *ret)
{
        (void)db;
        if (kind != GREEN_DB_INFO_SERVER)
                return -ENOTSUP;
        ret->text = version();
        return 0;
}

static int
literal(void *db, const struct green_db_value *value, char *text, size_t len)
{
        (void)db;
        (void)value;
        (void)text;
        (void)len;
        return -ENOTSUP;
}

GREEN_API extern const struct green_db_driver green_db_module;
const struct green_db_driver green_db_module = {
        .abi = GREEN_DB_DRIVER_ABI,
        .size = sizeof green_db_module,
        .name = "memtable",
        .version = version,
        .connect = connect_to_table,
        .close = close_connection,
        .in_transaction = in_transaction,
        .settle = settle,
        .query = query,
        .fetch = fetch,
        .prepare = prepare,
        .unprepare = unprepare,
        .command = command,
        .info = info,
        .literal = literal,
};
