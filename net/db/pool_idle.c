/*
 * Links that are idle in a pool: kept as a stack, looked at when they are taken, and closed when they expire.
 */
#include "pool_priv.h"

#include <stdint.h>

/* A link that came back so short a time ago is not asked whether its peer is still there: that costs a system call. */
enum { FRESH = 1000000 };

void
green__db_pool_close(green_db_pool *p, green_db_link *l, uint64_t *why)
{
        p->closed++;
        if (why != NULL)
                ++*why;
        green__db_link_free(l);
}

void
green__db_idle_remove(green_db_pool *p, green_db_link *l)
{
        *(l->prev != NULL ? &l->prev->next : &p->idle) = l->next;
        *(l->next != NULL ? &l->next->prev : &p->idle_last) = l->prev;
        l->prev = l->next = NULL;
        p->n_idle--;
}

static int64_t
earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static int64_t
expires_at(const green_db_pool *p, const green_db_link *l)
{
        return earlier(p->max_idle < INT64_MAX ? l->idle_since + p->max_idle : INT64_MAX,
                       p->max_age < INT64_MAX ? l->made + p->max_age : INT64_MAX);
}

/* Run the timer until the earliest end of those that are idle. */
static void
arm(green_db_pool *p, int64_t now)
{
        int64_t first = INT64_MAX;

        if (green_watch_active(&p->timer) || p->freed)
                return;
        for (const green_db_link *l = p->idle; l != NULL; l = l->next)
                first = earlier(first, expires_at(p, l));
        if (first == INT64_MAX)
                return;
        /* A watch of nothing but time fails for want of memory alone: then the next put tries again. */
        (void)green_watch_start(&p->timer, GREEN_INVALID_FD, 0, first > now ? (double)(first - now) / 1e9 : 0);
}

void
green__db_idle_push(green_db_pool *p, green_db_link *l, int64_t now)
{
        l->idle_since = now;
        l->prev = NULL;
        l->next = p->idle;
        *(p->idle != NULL ? &p->idle->prev : &p->idle_last) = l;
        p->idle = l;
        p->n_idle++;
        if (green__unlikely(!green_watch_active(&p->timer)))
                arm(p, now);
}

static bool
is_alive(const green_db_link *l, int64_t now)
{
        const struct green_db_driver *d = l->target->driver;

        return l->forks == green__sys_forks && (d->alive == NULL || now - l->idle_since < FRESH || d->alive(l->db));
}

green_db_link *
green__db_idle_take(green_db_pool *p)
{
        green_db_link *l;

        while ((l = p->idle) != NULL) {
                int64_t now = green__db_now();
                uint64_t *why = NULL;

                green__db_idle_remove(p, l);
                if (now >= expires_at(p, l))
                        why = &p->expired;
                else if (!is_alive(l, now))
                        why = &p->lost;
                if (green__likely(why == NULL))
                        return l;
                green__db_pool_close(p, l, why);
        }
        return NULL;
}

void
green__db_idle_trim(green_db_pool *p, size_t left)
{
        while (p->n_idle > left) {
                green_db_link *l = p->idle_last;

                green__db_idle_remove(p, l);
                green__db_pool_close(p, l, NULL);
        }
}

/* ---- what expires */

static green_db_link *
expired(const green_db_pool *p, int64_t now)
{
        green_db_link *l = p->idle_last;

        while (l != NULL && now < expires_at(p, l))
                l = l->prev;
        return l;
}

static void *
reap(void *arg)
{
        green_db_pool *p = arg;
        unsigned forks = p->forks;
        green_db_link *l;

        while ((l = expired(p, green__db_now())) != NULL) {
                green__db_idle_remove(p, l);
                green__db_pool_close(p, l, &p->expired);
        }
        green__db_pool_end(p, &p->users, forks);
        arm(p, green__db_now());
        green__db_pool_maybe_release(p);
        return NULL;
}

static void
on_time(struct green_watch *w, int result, void *arg)
{
        green_db_pool *p = arg;
        unsigned forks;

        (void)w;
        (void)result;
        forks = green__db_pool_begin(p, &p->users);
        if (green_spawn_n(reap, p) == 0)
                return;
        green__db_pool_end(p, &p->users, forks);
        (void)green_watch_start(&p->timer, GREEN_INVALID_FD, 0, 1);
}

void
green__db_idle_init(green_db_pool *p)
{
        green_watch_init(&p->timer, on_time, p);
}
