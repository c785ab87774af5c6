/*
 * Connections of a client: so many a host, so many in all; those at rest, and who waits for one.
 *
 * A slot is the right to have a connection. It is handed over, with the connection or without, to the one that has
 * waited longest for that host; who is killed while it waits was taken off the queue, so nothing is handed to it.
 */
#include "client_priv.h"

/* ---- hosts */

static uint32_t
hash_of(const green_http_client *c, const char *key)
{
        uint32_t h = 2166136261u ^ c->seed;

        for (; *key != '\0'; key++)
                h = (h ^ (uint8_t)*key) * 16777619u;
        return h;
}

static struct green__peer_host *
host_of(green_http_client *c, const char *key)
{
        uint32_t hash = hash_of(c, key);
        struct green__peer_host **bucket = &c->buckets[hash % GREEN__CLIENT_BUCKETS], *h;
        size_t len = strlen(key) + 1;

        for (h = *bucket; h != NULL; h = h->next)
                if (h->hash == hash && strcmp(h->key, key) == 0)
                        return h;
        h = green_calloc(1, sizeof(*h) + len);
        if (h == NULL)
                return NULL;
        memcpy(h->key, key, len);
        h->hash = hash;
        h->next = *bucket;
        *bucket = h;
        return h;
}

static void
set_starving(green_http_client *c, struct green__peer_host *h)
{
        if (h->is_starving)
                return;
        h->is_starving = true;
        h->starving = NULL;
        h->starving_prev = c->starving_last;
        if (c->starving_last != NULL)
                c->starving_last->starving = h;
        else
                c->starving_first = h;
        c->starving_last = h;
}

static void
unset_starving(green_http_client *c, struct green__peer_host *h)
{
        if (!h->is_starving)
                return;
        h->is_starving = false;
        *(h->starving_prev != NULL ? &h->starving_prev->starving : &c->starving_first) = h->starving;
        *(h->starving != NULL ? &h->starving->starving_prev : &c->starving_last) = h->starving_prev;
}

/* Nobody may need it any more. */
static void
host_done(green_http_client *c, struct green__peer_host *h)
{
        struct green__peer_host **at = &c->buckets[h->hash % GREEN__CLIENT_BUCKETS];

        if (h->links > 0 || h->waiting > 0)
                return;
        unset_starving(c, h);
        while (*at != h)
                at = &(*at)->next;
        *at = h->next;
        green_free(h);
}

/* ---- slots */

/* One is free in all: it goes to a host whose waiters lacked it. They take turns. */
static void
feed(green_http_client *c)
{
        while (c->links < c->opts.max_connections && c->starving_first != NULL) {
                struct green__peer_host *h = c->starving_first;
                bool waits = green_waitq_first(&h->waiters) != NULL && h->links < c->opts.max_per_host;

                unset_starving(c, h);
                if (waits) {
                        h->links++;
                        c->links++;
                        (void)green_wake_one(&h->waiters, NULL);
                        if (green_waitq_first(&h->waiters) != NULL)
                                set_starving(c, h);
                }
        }
}

/* May its own waiters have what it gives up? If it heads those that starve, it goes to their end. */
static bool
has_turn(green_http_client *c, struct green__peer_host *h)
{
        if (c->starving_first == NULL)
                return true;
        if (c->starving_first != h)
                return false;
        unset_starving(c, h);
        if (green_waitq_first(&h->waiters) != NULL)
                set_starving(c, h);
        return true;
}

static void
slot_done(green_http_client *c, struct green__peer_host *h)
{
        /* Too many: somebody has taken its room before it went. */
        const bool over = c->links > c->opts.max_connections;

        if (!c->closed && !over && has_turn(c, h) && green_wake_one(&h->waiters, NULL))
                return;
        h->links--;
        c->links--;
        if (!c->closed && green_waitq_first(&h->waiters) != NULL)
                set_starving(c, h);
        host_done(c, h);
        if (!c->closed)
                feed(c);
}

/* ---- at rest */

/* False: something has come meanwhile, or its time is over. */
static bool
unlink_idle(struct green__link *l)
{
        green_http_client *c = l->client;

        *(l->prev != NULL ? &l->prev->next : &l->host->idle) = l->next;
        if (l->next != NULL)
                l->next->prev = l->prev;
        *(l->older != NULL ? &l->older->newer : &c->oldest) = l->newer;
        *(l->newer != NULL ? &l->newer->older : &c->newest) = l->older;
        return green_socket_unwatch(l->socket, &l->watch);
}

static void
link_idle(struct green__link *l)
{
        green_http_client *c = l->client;

        l->prev = NULL;
        l->next = l->host->idle;
        if (l->next != NULL)
                l->next->prev = l;
        l->host->idle = l;
        l->newer = NULL;
        l->older = c->newest;
        *(l->older != NULL ? &l->older->newer : &c->oldest) = l;
        c->newest = l;
}

/* In the child of a fork it is the parent's. */
static bool
is_foreign(const struct green__link *l)
{
        return l->client->forks != green__client_forks;
}

void
green__link_hang_up(struct green__link *l)
{
        green_socket *socket = l->socket;

        l->socket = NULL;
        /* TLS would say goodbye, and the parent goes on. */
        if (!is_foreign(l) || !green_socket_is_tls(socket))
                (void)green_socket_free(socket);
}

void
green__link_close(struct green__link *l)
{
        green_http_client *c = l->client;
        struct green__peer_host *h = l->host;

        green__link_hang_up(l);
        green_free(l);
        slot_done(c, h);
}

/* Seconds that it may rest on. */
static double
left_to_rest(const struct green__link *l)
{
        return l->rests_until == 0 ? GREEN_FOREVER : (double)(l->rests_until - green__wsgi_now()) / 1e9;
}

/*
 * It has said something, or has ended, or its time is over. Under TLS there may be bytes that are no application's,
 * such as tickets: then it rests on, for what is left of its time.
 */
static void
on_watch(struct green_watch *w, int result, void *arg)
{
        struct green__link *l = arg;
        char byte;

        if (result > 0 && green_socket_is_tls(l->socket) && !is_foreign(l) && left_to_rest(l) > 0 &&
            green_socket_recv(l->socket, &byte, 1, MSG_DONTWAIT) == -EAGAIN &&
            green_socket_watch(l->socket, w, left_to_rest(l)) == 0)
                return;
        (void)unlink_idle(l);
        green__link_close(l);
}

bool
green__link_alive(struct green__link *l)
{
        char byte;

        return green_socket_recv(l->socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -EAGAIN;
}

/* Is there nothing more to receive? Then it may be watched. */
static bool
is_quiet(struct green__link *l)
{
        char byte;

        return green_socket_drained(l->socket) || green_socket_recv(l->socket, &byte, 1, MSG_DONTWAIT) == -EAGAIN;
}

void
green__link_rest(struct green__link *l)
{
        green_http_client *c = l->client;
        struct green_wait *w = green_waitq_first(&l->host->waiters);

        if (c->closed || c->opts.idle_timeout < 0 || !is_quiet(l)) {
                green__link_close(l);
                return;
        }
        if (w != NULL && has_turn(c, l->host)) {
                (void)green_wake_one(&l->host->waiters, l);
                return;
        }
        /* Others lack the room that it would take. */
        if (c->starving_first != NULL) {
                green__link_close(l);
                return;
        }
        l->rests_until = 0;
        if (green_socket_is_tls(l->socket) && c->opts.idle_timeout < 1e9)
                l->rests_until = green__wsgi_now() + (int64_t)(c->opts.idle_timeout * 1e9) + 1;
        green_watch_init(&l->watch, on_watch, l);
        if (green_socket_watch(l->socket, &l->watch, c->opts.idle_timeout) != 0) {
                green__link_close(l);
                return;
        }
        link_idle(l);
}

/* ---- taking one */

static int
new_link(green_http_client *c, struct green__peer_host *h, struct green__link **ret_link)
{
        struct green__link *l = green_calloc(1, sizeof(*l));

        if (l == NULL) {
                slot_done(c, h);
                return -ENOMEM;
        }
        l->client = c;
        l->host = h;
        *ret_link = l;
        return 0;
}

static int
wait_for_one(green_http_client *c, struct green__peer_host *h, struct green__link **ret_link)
{
        struct green_wait w;
        int rc;

        h->waiting++;
        rc = green_park(&h->waiters, &w, GREEN_FOREVER);
        h->waiting--;
        if (rc != 0) {
                host_done(c, h);
                return rc;
        }
        *ret_link = w.value;
        return w.value != NULL ? 0 : new_link(c, h, ret_link);
}

/* A slot at once, in the room of the one that rests for longest if need be. False: it has to be waited for. */
static bool
take_slot(green_http_client *c, struct green__peer_host *h)
{
        struct green__link *l = c->oldest;

        if (green_waitq_first(&h->waiters) != NULL || h->links >= c->opts.max_per_host)
                return false;
        if (c->links >= c->opts.max_connections && l == NULL) {
                set_starving(c, h);
                return false;
        }
        h->links++; /* it stays, whoever goes */
        c->links++;
        if (c->links > c->opts.max_connections) {
                (void)unlink_idle(l);
                green__link_close(l);
        }
        return true;
}

int
green__link_take(green_http_client *c, const char *key, struct green__link **ret_link)
{
        for (;;) {
                struct green__peer_host *h = c->closed ? NULL : host_of(c, key);
                struct green__link *l;

                if (c->closed)
                        return -ECANCELED;
                if (h == NULL)
                        return -ENOMEM;
                l = h->idle;
                if (l == NULL)
                        return take_slot(c, h) ? new_link(c, h, ret_link) : wait_for_one(c, h, ret_link);
                if (unlink_idle(l)) {
                        *ret_link = l;
                        return 0;
                }
                green__link_close(l);
        }
}

void
green__pool_end(green_http_client *c)
{
        while (c->oldest != NULL) {
                struct green__link *l = c->oldest;

                (void)unlink_idle(l);
                green__link_close(l);
        }
        for (size_t i = 0; i < GREEN__CLIENT_BUCKETS; i++)
                for (struct green__peer_host *h = c->buckets[i]; h != NULL; h = h->next)
                        (void)green_wake_all(&h->waiters, -ECANCELED);
}
