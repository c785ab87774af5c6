/*
 * Questions: those that run, which several calls share, and those answered, which are kept by their TTL. See
 * dns_priv.h.
 *
 * One that runs is in the table and in the loose list. Answered it moves to the list of those kept, from whose end it
 * is forgotten when there are too many; or it leaves the table, and is freed by the last that holds it.
 */
#include "dns_priv.h"

#include <green/hubs.h>
#include <green/thread.h>

#include "check.h"
#include "sock_sys.h"

enum { FIRST_BUCKETS = 64 };

/* Seeded: who can choose names, or make servers answer for some, cannot make them fall together. */
static uint32_t
hash(const struct green__dns_cache *c, const char *name, int type)
{
        uint64_t h = c->seed ^ (uint64_t)type * 0x9e3779b97f4a7c15u;

        for (; *name != '\0'; name++) {
                h = (h ^ (unsigned char)*name) * 0x9fb21c651e98df25u;
                h ^= h >> 29;
        }
        return (uint32_t)(h >> 32);
}

/* ---- lists */

static struct green__dns_list *
list_of(struct green__dns_entry *e)
{
        return e->kept ? &e->dns->cache.kept : &e->dns->cache.loose;
}

static void
enlist(struct green__dns_entry *e)
{
        struct green__dns_list *list = list_of(e);

        e->prev = NULL;
        e->next = list->first;
        if (list->first != NULL)
                list->first->prev = e;
        else
                list->last = e;
        list->first = e;
}

static void
delist(struct green__dns_entry *e)
{
        struct green__dns_list *list = list_of(e);

        if (e->prev != NULL)
                e->prev->next = e->next;
        else
                list->first = e->next;
        if (e->next != NULL)
                e->next->prev = e->prev;
        else
                list->last = e->prev;
}

/* ---- the table */

static struct green__dns_entry **
bucket_of(const struct green__dns_cache *c, uint32_t h)
{
        return &c->buckets[h & (c->nbuckets - 1)];
}

/* Twice as many buckets; without memory it stays as it is. */
static void
grow(struct green__dns_cache *c)
{
        struct green__dns_entry **old = c->buckets, *e, *next;
        size_t n = c->nbuckets;
        struct green__dns_entry **more = green_calloc(n * 2, sizeof(*more));

        if (more == NULL)
                return;
        c->buckets = more;
        c->nbuckets = n * 2;
        for (size_t i = 0; i < n; i++) {
                for (e = old[i]; e != NULL; e = next) {
                        struct green__dns_entry **bucket = bucket_of(c, e->hash);

                        next = e->same;
                        e->same = *bucket;
                        *bucket = e;
                }
        }
        green_free(old);
}

static void
enter_table(struct green__dns_entry *e)
{
        struct green__dns_cache *c = &e->dns->cache;
        struct green__dns_entry **bucket;

        if (c->count >= c->nbuckets)
                grow(c);
        bucket = bucket_of(c, e->hash);
        e->same = *bucket;
        *bucket = e;
        e->hashed = true;
        c->count++;
}

static void
leave_table(struct green__dns_entry *e)
{
        struct green__dns_entry **at = bucket_of(&e->dns->cache, e->hash);

        while (*at != e)
                at = &(*at)->same;
        *at = e->same;
        e->hashed = false;
        e->dns->cache.count--;
}

static struct green__dns_entry *
find(const struct green__dns_cache *c, const char *name, int type)
{
        uint32_t h = hash(c, name, type);
        struct green__dns_entry *e = *bucket_of(c, h);

        while (e != NULL && (e->hash != h || e->type != type || strcmp(e->name, name) != 0))
                e = e->same;
        return e;
}

/* ---- life */

int
green__dns_cache_init(struct green__dns_cache *cache)
{
        *cache = (struct green__dns_cache){.nbuckets = FIRST_BUCKETS, .seed = green__dns_random()};
        cache->buckets = green_calloc(FIRST_BUCKETS, sizeof(*cache->buckets));
        return cache->buckets != NULL ? 0 : -ENOMEM;
}

static void
free_list(struct green__dns_list *list)
{
        struct green__dns_entry *e, *next;

        for (e = list->first; e != NULL; e = next) {
                next = e->next;
                green_free(e->reply);
                green_free(e);
        }
}

void
green__dns_cache_free(struct green__dns_cache *cache)
{
        free_list(&cache->kept);
        free_list(&cache->loose);
        green_free(cache->buckets);
}

static void
free_entry(struct green__dns_entry *e)
{
        delist(e);
        green_free(e->reply);
        green_free(e);
}

/* It is nothing to ask any more; those that hold it still read it. */
static void
forget(struct green__dns_entry *e)
{
        leave_table(e);
        if (e->kept) {
                delist(e);
                e->dns->cache.nkept--;
                e->kept = false;
                enlist(e);
        }
        if (e->refs == 0)
                free_entry(e);
}

void
green__dns_let_go(struct green__dns_entry *entry)
{
        GREEN_ASSERT(entry->refs > 0);
        if (--entry->refs == 0 && !entry->hashed)
                free_entry(entry);
}

/* ---- asking */

static struct green__dns_entry *
make(struct green__dns *dns, const char *name, int type)
{
        size_t len = strlen(name);
        struct green__dns_entry *e = green_calloc(1, sizeof(*e) + len + 1);

        if (e == NULL)
                return NULL;
        e->dns = dns;
        e->type = type;
        e->hash = hash(&dns->cache, name, type);
        memcpy(e->name, name, len + 1);
        enlist(e);
        enter_table(e);
        return e;
}

int
green__dns_ask(struct green__dns *dns, const char *name, int type, struct green__dns_entry **ret_entry)
{
        struct green__dns_entry *e = find(&dns->cache, name, type);

        if (e != NULL && e->done && e->expires <= green__sys_now()) {
                forget(e);
                e = NULL;
        }
        if ((e == NULL || !e->done) && green_getcurrent() == NULL)
                return green_set_error(-EDEADLK, "%s: a hub callback cannot wait for the answer", name);
        if (e != NULL) {
                e->refs++;
                if (e->kept) {
                        delist(e);
                        enlist(e);
                }
                *ret_entry = e;
                return 0;
        }
        e = make(dns, name, type);
        if (e == NULL)
                return -ENOMEM;
        e->refs = 2;
        dns->pins++;
        green__wire_ask(dns, e);
        *ret_entry = e;
        return 0;
}

int
green__dns_wait_any(struct green__dns_entry *const *entries, size_t n, int64_t deadline)
{
        struct green_wait waits[2] = {{.queue = NULL}, {.queue = NULL}};
        double left = deadline == INT64_MAX ? GREEN_FOREVER : (double)(deadline - green__sys_now()) / 1e9;
        int rc;

        GREEN_ASSERT(n <= 2);
        for (size_t i = 0; i < n; i++)
                waits[i].queue = entries[i]->done ? NULL : &entries[i]->waiters;
        if (left <= 0)
                return GREEN_EAI_AGAIN;
        rc = green_park_any(waits, n, left, NULL);
        return rc == -ETIMEDOUT ? GREEN_EAI_AGAIN : rc;
}

struct green__dns_entry *
green__dns_running(struct green__dns *dns, const char *name, int type)
{
        struct green__dns_entry *e = find(&dns->cache, name, type);

        return e != NULL && !e->done ? e : NULL;
}

/* Keep an answer, and forget those used longest ago where there are too many. */
static void
keep(struct green__dns_entry *e, uint32_t ttl)
{
        struct green__dns_cache *c = &e->dns->cache;

        e->expires = e->since + (int64_t)ttl * 1000000000;
        delist(e);
        e->kept = true;
        enlist(e);
        c->nkept++;
        while (c->nkept > e->dns->conf.cache_size) {
                GREEN_ASSERT(c->kept.last != NULL);
                forget(c->kept.last);
        }
}

void
green__dns_answered(struct green__dns_entry *entry, int code, struct green__dns_reply *reply, uint32_t ttl)
{
        struct green__dns *dns = entry->dns;
        bool definite = code == 0 || code == GREEN_EAI_NONAME || code == GREEN_EAI_NODATA;

        entry->code = code;
        entry->reply = reply;
        entry->done = true;
        entry->since = green__sys_now();
        if (definite && ttl > 0 && dns->conf.cache_size > 0)
                keep(entry, ttl);
        else
                forget(entry);
        green_wake_all(&entry->waiters, 0);
        green__dns_let_go(entry);
        green__dns_leave(dns);
}
