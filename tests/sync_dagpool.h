/**
 * @file
 * @brief What the tests of DAG pools share: keys, tasks that collect, checks of lists of keys.
 */
#ifndef GREEN_TESTS_SYNC_DAGPOOL_H
#define GREEN_TESTS_SYNC_DAGPOOL_H

#include "sync_help.h"

#define K(text) green_key(text)

/** A task, and what became of it. Its keys are single letters: "ab" depends on a and b. */
struct job {
        const char *depends;
        void *result;  /**< what it returns when it has all */
        bool shielded; /**< while it collects */
        char got[16];  /**< letters, in the order in which they came */
        int begun, rc; /**< rc: of the last green_dag_next(); 1000 before */
};

static inline void *
collect(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item = {.value = NULL};
        struct job *job = arg;

        CHECK_INT(key->len, 1);
        job->begun++;
        if (job->shielded)
                green_shield_begin();
        while ((job->rc = green_dag_next(results, &item, GREEN_FOREVER)) == 1) {
                CHECK_INT(item.key.len, 1);
                CHECK_PTR(item.error, NULL);
                job->got[strlen(job->got)] = *(const char *)item.key.data;
        }
        if (job->shielded)
                green_shield_end();
        return job->rc == 0 ? job->result : green_fail(job->rc);
}

/** Up to eight letters as keys. */
struct letters {
        struct green_key keys[8];
        size_t n;
};

static inline struct letters
letters(const char *text)
{
        struct letters l = {.n = strlen(text)};

        for (size_t i = 0; i < l.n && i < 8; i++)
                l.keys[i] = (struct green_key){text + i, 1};
        return l;
}

static inline int
spawn_fn(green_dagpool *p, const char *key, green_dag_fn fn, const char *depends, void *arg)
{
        struct letters l = letters(depends);
        struct green_dag_task task = {.key = K(key), .depends = l.keys, .n = l.n, .fn = fn, .arg = arg};

        return green_dagpool_spawn(p, &task);
}

static inline int
spawn_job(green_dagpool *p, const char *key, struct job *job)
{
        job->rc = 1000;
        return spawn_fn(p, key, collect, job->depends, job);
}

/** A list of one-letter keys is this. */
static inline void
check_letters(const struct green_key *keys, ssize_t n, const char *want)
{
        char text[16] = "";

        for (ssize_t i = 0; i < n && i < 15; i++)
                text[i] = keys[i].len == 1 ? *(const char *)keys[i].data : '?';
        CHECK_STR(text, want);
}

#define CHECK_KEYS(call, want)                                                                                         \
        do {                                                                                                           \
                struct green_key keys_[16] = {{NULL, 0}};                                                              \
                size_t room_ = 15;                                                                                     \
                ssize_t n_ = (call);                                                                                   \
                                                                                                                       \
                check_letters(keys_, n_, (want));                                                                      \
        } while (0)
#define CHECK_THERE(p, want) CHECK_KEYS(green_dagpool_keys((p), keys_, room_), (want))
#define CHECK_RUNNING(p, want) CHECK_KEYS(green_dagpool_running_keys((p), keys_, room_), (want))
#define CHECK_LACKS(p, key, want) CHECK_KEYS(green_dagpool_waiting_for((p), K(key), keys_, room_), (want))

/** The value under a key is there, and is this. */
static inline void
check_value(green_dagpool *p, const char *key, const void *want)
{
        void *value = NULL;

        CHECK_INT(green_dagpool_get(p, K(key), PTR(-99), &value), 0);
        CHECK_PTR(value, want);
}

/** There is a failure under the key, with this text. */
static inline void
check_failure(green_dagpool *p, const char *key, const char *text)
{
        void *value;

        CHECK_INT(green_dagpool_get(p, K(key), NULL, &value), GREEN_EPROPAGATE);
        CHECK_INT(green_last_error()->code, GREEN_EPROPAGATE);
        CHECK_STR(green_last_error()->message, text);
}

/** A green thread that waits for one key. */
struct one_key {
        green_dagpool *p;
        const char *key;
        void *value;
};

static inline int
get_item(void *arg, double timeout)
{
        struct one_key *o = arg;

        return green_dagpool_getitem(o->p, K(o->key), &o->value, timeout);
}

/** An error is the failure of this key. */
static inline void
check_link(const struct green_error *e, const char *key)
{
        const struct green_key *value = e == NULL ? NULL : e->value;

        if (!CHECK(e != NULL && value != NULL))
                return;
        CHECK_INT(e->code, GREEN_EPROPAGATE);
        CHECK_INT(value->len, strlen(key));
        CHECK(memcmp(value->data, key, value->len) == 0);
}

/** The next key of a cursor, into the trace. */
static inline int
next_of(void *arg, double timeout)
{
        struct green_dag_item item;
        int rc = green_dag_next(arg, &item, timeout);

        if (rc == 1)
                trace(*(const char *)item.key.data);
        return rc;
}

#endif
