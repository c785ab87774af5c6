/*
 * The keys of a DAG pool: a hash table with chains, and keys as text.
 */
#include <stdio.h>
#include <string.h>

#include <green/alloc.h>

#include "dagpool_priv.h"
#include "siphash.h"

enum { BUCKETS_AT_FIRST = 16, PER_CHUNK = 32 };

/* Entries come in chunks: those that are made one after the other lie side by side, and all go at once. */
struct green__dag_chunk {
        struct green__dag_chunk *next;
        struct green__dag_entry entries[PER_CHUNK];
};

int
green__dag_keys_init(green_dagpool *p)
{
        p->buckets = green_calloc(BUCKETS_AT_FIRST, sizeof(*p->buckets));
        if (p->buckets == NULL)
                return -1;
        p->nbuckets = BUCKETS_AT_FIRST;
        green__siphash_key(p->hash_key);
        return 0;
}

static void
release_entries(green_dagpool *p)
{
        for (size_t i = 0; i < p->nbuckets; i++)
                for (struct green__dag_entry *e = p->buckets[i]; e != NULL; e = e->next) {
                        green__dag_unref(e->failure);
                        if (e->key.len > GREEN__DAG_SHORT)
                                green_free((void *)(uintptr_t)e->key.data);
                }
}

void
green__dag_keys_free(green_dagpool *p)
{
        if (p->nfailures + p->nlong > 0)
                release_entries(p);
        while (p->chunks != NULL) {
                struct green__dag_chunk *chunk = p->chunks;

                p->chunks = chunk->next;
                green_free(chunk);
        }
        green_free(p->buckets);
}

static int
add_chunk(green_dagpool *p)
{
        struct green__dag_chunk *chunk = green_malloc(sizeof(*chunk));

        if (chunk == NULL)
                return -1;
        chunk->next = p->chunks;
        p->chunks = chunk;
        for (int i = PER_CHUNK - 1; i >= 0; i--) {
                chunk->entries[i].next = p->free;
                p->free = &chunk->entries[i];
        }
        return 0;
}

/* An entry with a key and nothing else; NULL where memory ran out. */
static struct green__dag_entry *
make_entry(green_dagpool *p, struct green_key key)
{
        struct green__dag_entry *e;
        char *bytes = NULL;

        if (p->free == NULL && add_chunk(p) != 0)
                return NULL;
        if (key.len > GREEN__DAG_SHORT) {
                bytes = green_malloc(key.len);
                if (bytes == NULL)
                        return NULL;
                p->nlong++;
        }
        e = p->free;
        p->free = e->next;
        memset(e, 0, sizeof(*e));
        e->key = (struct green_key){bytes != NULL ? bytes : e->bytes, key.len};
        if (key.len > 0)
                memcpy(bytes != NULL ? bytes : e->bytes, key.data, key.len);
        return e;
}

static inline struct green__dag_entry **
bucket(const green_dagpool *p, uint64_t hash)
{
        return &p->buckets[hash & (p->nbuckets - 1)];
}

static struct green__dag_entry *
find(const green_dagpool *p, struct green_key key, uint64_t hash)
{
        struct green__dag_entry *e = *bucket(p, hash);

        while (e != NULL && (e->hash != hash || e->key.len != key.len ||
                             (key.len > 0 && memcmp(e->key.data, key.data, key.len) != 0)))
                e = e->next;
        return e;
}

struct green__dag_entry *
green__dag_find(const green_dagpool *p, struct green_key key)
{
        return find(p, key, green__siphash(p->hash_key, key.data, key.len));
}

/* Where there is no memory for it, chains get longer, and that is all. */
static void
grow(green_dagpool *p)
{
        struct green__dag_entry **old = p->buckets;
        struct green__dag_entry **buckets = green_calloc(p->nbuckets, 2 * sizeof(*buckets));
        size_t nold = p->nbuckets;

        if (buckets == NULL)
                return;
        p->buckets = buckets;
        p->nbuckets *= 2;
        for (size_t i = 0; i < nold; i++) {
                struct green__dag_entry *e = old[i];

                while (e != NULL) {
                        struct green__dag_entry *next = e->next, **at = bucket(p, e->hash);

                        e->next = *at;
                        *at = e;
                        e = next;
                }
        }
        green_free(old);
}

struct green__dag_entry *
green__dag_get(green_dagpool *p, struct green_key key)
{
        uint64_t hash = green__siphash(p->hash_key, key.data, key.len);
        struct green__dag_entry *e = find(p, key, hash), **at;

        if (e != NULL)
                return e;
        e = make_entry(p, key);
        if (e == NULL)
                return NULL;
        if (p->entries >= p->nbuckets)
                grow(p);
        e->hash = hash;
        at = bucket(p, hash);
        e->next = *at;
        *at = e;
        p->entries++;
        return e;
}

void
green__dag_drop(green_dagpool *p, struct green__dag_entry *e)
{
        struct green__dag_entry **at;

        if (e->order != 0 || e->task != NULL || e->users > 0 || e->kept)
                return;
        for (at = bucket(p, e->hash); *at != e; at = &(*at)->next)
                ;
        *at = e->next;
        p->entries--;
        if (e->key.len > GREEN__DAG_SHORT) {
                green_free((void *)(uintptr_t)e->key.data);
                p->nlong--;
        }
        e->next = p->free;
        p->free = e;
}

/* What cannot be printed, and the backslash, are escaped; what is long is cut. */
const char *
green__dag_text(struct green__dag_text *t, struct green_key key)
{
        const unsigned char *bytes = key.data;
        size_t at = 0;

        for (size_t i = 0; i < key.len; i++) {
                unsigned char c = bytes[i];

                if (at + sizeof("\\x00...") > sizeof(t->text)) {
                        memcpy(t->text + at, "...", 4);
                        return t->text;
                }
                if (c == '\\')
                        at += (size_t)snprintf(t->text + at, sizeof(t->text) - at, "\\\\");
                else if (c < ' ' || c > '~')
                        at += (size_t)snprintf(t->text + at, sizeof(t->text) - at, "\\x%02x", c);
                else
                        t->text[at++] = (char)c;
        }
        t->text[at] = '\0';
        return t->text;
}
