/*
 * DAG pools inside. See <green/dagpool.h>, and "DAG pools" in doc/design.md.
 */
#ifndef GREEN_SYNC_DAGPOOL_PRIV_H
#define GREEN_SYNC_DAGPOOL_PRIV_H

#include <green/dagpool.h>
#include <green/park.h>

#include "misuse.h"

/* What one is, for messages. */
#define GREEN__DAG_WHAT "a DAG pool"

/*
 * A failure under a key. Counted, since others have it as their cause, and last errors point to it. It holds all that
 * it tells, so it outlives its pool where somebody still reads it.
 */
struct green__dag_failure {
        struct green_error error;        /* GREEN_EPROPAGATE, text, &key, and the cause: one of the next three */
        struct green_key key;            /* whose */
        struct green__dag_failure *from; /* of another key; counted */
        struct green_error *copy;        /* of anything else */
        struct green_error bare;         /* its code, where there was no memory for a copy */
        size_t refs;
        void *block; /* the memory that it lies in */
};

struct green__dag_chunk;
struct green__dag_entry;
struct green__dag_task;

enum green__dag_state { GREEN__DAG_LACKED, GREEN__DAG_ARRIVED, GREEN__DAG_DONE };

/* A key that a cursor is about. */
struct green__dag_node {
        green_dag_results *cursor;
        struct green__dag_entry *entry;     /* holds one of its users */
        struct green__dag_node *next;       /* LACKED: among those that lack the key; ARRIVED: in the cursor's list */
        struct green__dag_node *prev;       /* LACKED */
        struct green__dag_failure *failure; /* what came in place of the key's value, or was delivered; counted */
        enum green__dag_state state;
};

/* Keys of up to so many bytes are part of their entry. */
enum { GREEN__DAG_SHORT = 24 };

/* A key. */
struct green__dag_entry {
        struct green__dag_entry *next; /* in its bucket */
        uint64_t hash;
        struct green_key key; /* a copy */
        uint64_t order;       /* when its value came; 0: it has none */
        void *value;
        struct green__dag_failure *failure;   /* in place of a value; counted */
        struct green__dag_entry *next_there;  /* the one whose value came next */
        struct green__dag_task *task;         /* which has not ended; NULL: none */
        struct green__dag_node *first, *last; /* those that lack it, first come, first served */
        uint64_t cursor;                      /* serial of the cursor that took it in last */
        size_t users;                         /* nodes that point to it */
        bool kept;                    /* the user was given the key, which therefore stays as long as the pool */
        char bytes[GREEN__DAG_SHORT]; /* of a short key; a longer one has a block of its own */
};

/* What a cursor delivers. */
enum green__dag_kind {
        GREEN__DAG_EACH,      /* values, and failures as errors */
        GREEN__DAG_SUCCESS,   /* values */
        GREEN__DAG_EXCEPTION, /* failures, as values */
        GREEN__DAG_ALL        /* nothing until all are there, or one has failed: green_dagpool_wait() */
};

/* A cursor: which keys, what has arrived, who waits. */
struct green_dag_results {
        green_dagpool *pool;
        struct green_dag_results *next, **at; /* among the open ones of its pool; at is NULL for a task's */
        struct green_waitq waiters; /* their node's value is a struct green__dag_handed; nothing is ready then */
        struct green__dag_node *ready, **ready_end; /* arrived and not delivered, in order */
        struct green__dag_node *nodes;
        size_t n;       /* nodes */
        size_t missing; /* nodes LACKED */
        uint64_t serial;
        enum green__dag_kind kind;
        struct green__dag_task *task;   /* whose it is */
        struct green__dag_failure *met; /* the last that it told; counted */
};

/* What a waiter is handed. It is on the waiter's stack. */
struct green__dag_handed {
        int rc;
        struct green_dag_item item;
        struct green__dag_failure *failure; /* rc is GREEN_EPROPAGATE; counted */
        void **values;                      /* GREEN__DAG_ALL: where they go */
};

struct green__dag_task {
        struct green__dag_task *next, *prev; /* among those that have not ended, in the order of their spawns */
        struct green__dag_entry *entry;
        green_thread *thread; /* a reference */
        green_dag_fn fn;
        void *arg;
        bool started;
        struct green_dag_results results;
        struct green__dag_failure spare; /* its failure, where there is no memory for another */
        struct green__dag_node nodes[];
};

struct green_dagpool {
        uint64_t hub;    /* whose it is */
        green_hub *home; /* the same, to learn whether it has ended */
        unsigned forks;  /* green__sync_forks when it was last looked for tasks that are forgotten */
        uint64_t hash_key[2];
        struct green__dag_entry **buckets;
        size_t nbuckets;       /* a power of two */
        size_t entries, nlong; /* and those with a block for their key */
        struct green__dag_chunk *chunks;
        struct green__dag_entry *free;               /* by `next` */
        struct green__dag_entry *there, **there_end; /* those with a value, in the order in which they got it */
        size_t nthere, nfailures;
        uint64_t orders; /* given to values so far */
        struct green__dag_task *tasks, *last_task;
        size_t running;
        size_t waiting; /* of these, those whose cursor misses something */
        struct green_dag_results *cursors;
        uint64_t cursor_serials;
};

/* ---- dagpool.c */

/* Says what is wrong with a key that was given; 0 if nothing. */
int green__dag_check_key(struct green_key key, const char *function);

/* Whose pool is it? After a fork, tasks that are gone end here. `function` is for the message where there is no pool.
 */
int green__dag_enter(const green_dagpool *p, const char *function);

/* The same for a call that may yield, as green_park_check(). */
int green__dag_enter_wait(green_dagpool *p, const char *function, double timeout, green_thread **ret_self);

/* A key gets its value or failure (counted already), and those who lack it get it too. */
void green__dag_set(green_dagpool *p, struct green__dag_entry *e, void *value, struct green__dag_failure *failure);

/* ---- dagpool_keys.c */

int green__dag_keys_init(green_dagpool *p);
void green__dag_keys_free(green_dagpool *p);
struct green__dag_entry *green__dag_find(const green_dagpool *p, struct green_key key);
/* Found, or made; NULL where memory ran out. One that is made and not used must be dropped. */
struct green__dag_entry *green__dag_get(green_dagpool *p, struct green_key key);
/* Forget a key if nobody knows it any more. */
void green__dag_drop(green_dagpool *p, struct green__dag_entry *e);

/* A key as text, for messages. */
struct green__dag_text {
        char text[72];
};
const char *green__dag_text(struct green__dag_text *t, struct green_key key);

/* ---- dagpool_error.c */

/* A failure of a key whose cause is `from`, or else a copy of `cause`. NULL where memory ran out. */
struct green__dag_failure *green__dag_fail(struct green_key key, struct green__dag_failure *from,
                                           const struct green_error *cause);
/* The same in memory that is there: in `block`, which is freed with it. */
struct green__dag_failure *green__dag_fail_in(struct green__dag_failure *f, void *block, struct green_key key,
                                              struct green__dag_failure *from, int code);
struct green__dag_failure *green__dag_ref(struct green__dag_failure *f);
void green__dag_unref(struct green__dag_failure *f);
/* Makes it the caller's last error, with the reference that the caller has. GREEN_EPROPAGATE. */
int green__dag_tell(struct green__dag_failure *f);

/* ---- dagpool_cursor.c */

/* Begin with no keys, and room for n. */
void green__dag_cursor_init(green_dag_results *c, green_dagpool *p, enum green__dag_kind kind,
                            struct green__dag_node *nodes);
/* Add a key, known or not; a second time only where all count. 0, or -ENOMEM. */
int green__dag_cursor_add(green_dag_results *c, struct green_key key);
void green__dag_cursor_add_entry(green_dag_results *c, struct green__dag_entry *e);
/* All have been added: what is there already comes in the order in which it came. */
void green__dag_cursor_begin(green_dag_results *c);
/* Let go of all keys. Nobody waits. */
void green__dag_cursor_fini(green_dag_results *c);
/* One that is its pool's, with room for n keys; NULL where memory ran out. Freed by the other. */
green_dag_results *green__dag_cursor_new(green_dagpool *p, enum green__dag_kind kind, size_t n);
void green__dag_cursor_free(green_dag_results *c);
/* Those who lack a key are given what it has now; or the failure, where it has nothing and is to have nothing. */
void green__dag_arrive(green_dagpool *p, struct green__dag_entry *e, struct green__dag_failure *failure);

/* ---- dagpool_task.c */

/* May something be posted under a key now? 0, or GREEN_ECOLLISION. */
int green__dag_collides(const struct green__dag_entry *e, bool replace);

/* In the child of a fork: tasks that were forgotten end. */
void green__dag_reap(green_dagpool *p);

#endif
