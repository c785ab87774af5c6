/*
 * The jar: cookies that servers have set, and which of them a request takes along (RFC 6265 5.3, 5.4).
 *
 * There is no list of public suffixes: a Domain of one label is refused, but "co.uk" is taken for any other.
 */
#include <strings.h>

#include "client_priv.h"
#include "cookie_priv.h"

enum { PER_DOMAIN = 50, IN_ALL = 3000, BUCKETS = 64 };

struct cookie {
        struct cookie *next; /* in its bucket */
        char *name, *value, *domain, *path;
        bool host_only, secure, expires;
        int64_t expires_at;
        uint64_t made, used; /* in which order */
        char text[];
};

struct green__jar {
        struct cookie *buckets[BUCKETS]; /* by the last two labels of their domain */
        size_t count;
        uint64_t clock, version;
};

struct green__jar *
green__jar_new(void)
{
        return green_calloc(1, sizeof(struct green__jar));
}

void
green__jar_free(struct green__jar *jar)
{
        for (size_t i = 0; jar != NULL && i < BUCKETS; i++)
                while (jar->buckets[i] != NULL) {
                        struct cookie *next = jar->buckets[i]->next;

                        green_free(jar->buckets[i]);
                        jar->buckets[i] = next;
                }
        green_free(jar);
}

uint64_t
green__jar_version(const struct green__jar *jar)
{
        return jar->version;
}

/* ---- domains */

/* An address has neither domains above it nor under it. */
static bool
is_address(const char *name)
{
        size_t len = strlen(name);

        if (len > 0 && name[len - 1] == '.')
                len--;
        return strchr(name, ':') != NULL || (len > 0 && name[len - 1] >= '0' && name[len - 1] <= '9');
}

static struct cookie **
bucket_of(struct green__jar *jar, const char *domain)
{
        size_t len = strlen(domain);
        unsigned dots = 0;
        uint32_t h = 0;

        while (len > 0 && !(domain[len - 1] == '.' && ++dots == 2))
                h = h * 31 + (uint8_t)domain[--len];
        return &jar->buckets[h % BUCKETS];
}

/* RFC 6265 5.1.3 */
static bool
domain_matches(const char *name, const char *domain, size_t len)
{
        size_t whole = strlen(name);

        if (whole < len || strncasecmp(name + whole - len, domain, len) != 0)
                return false;
        return whole == len || (name[whole - len - 1] == '.' && !is_address(name));
}

/* RFC 6265 5.1.4 */
static bool
path_matches(const char *target, const char *path)
{
        size_t len = strlen(path), whole = strcspn(target, "?");

        if (whole < len || strncmp(target, path, len) != 0)
                return false;
        return whole == len || path[len - 1] == '/' || target[len] == '/';
}

/* ---- taking out */

static void
take_out(struct green__jar *jar, struct cookie **at)
{
        struct cookie *c = *at;

        *at = c->next;
        green_free(c);
        jar->count--;
        jar->version++;
}

static bool
is_older(const struct cookie *a, const struct cookie *b)
{
        return a->used != b->used ? a->used < b->used : a->made < b->made;
}

static bool
is_over(const struct cookie *c, int64_t now)
{
        return c->expires && c->expires_at <= now;
}

/* Those of a bucket that are over go; of what is left the one of that domain (NULL: any) that was used longest ago. */
static struct cookie **
oldest_in(struct green__jar *jar, struct cookie **bucket, const char *domain, int64_t now, size_t *ret_count)
{
        struct cookie **oldest = NULL;

        *ret_count = 0;
        for (struct cookie **at = bucket; *at != NULL;) {
                if (is_over(*at, now)) {
                        take_out(jar, at);
                        continue;
                }
                if (domain == NULL || strcmp((*at)->domain, domain) == 0) {
                        ++*ret_count;
                        if (oldest == NULL || is_older(*at, *oldest))
                                oldest = at;
                }
                at = &(*at)->next;
        }
        return oldest;
}

static void
make_room(struct green__jar *jar, const char *domain, int64_t now)
{
        struct cookie **oldest = NULL;
        size_t n;

        oldest = oldest_in(jar, bucket_of(jar, domain), domain, now, &n);
        if (n >= PER_DOMAIN)
                take_out(jar, oldest);
        if (jar->count < IN_ALL)
                return;
        oldest = NULL;
        for (size_t i = 0; i < BUCKETS; i++) {
                struct cookie **at = oldest_in(jar, &jar->buckets[i], NULL, now, &n);

                if (at != NULL && (oldest == NULL || is_older(*at, *oldest)))
                        oldest = at;
        }
        if (jar->count >= IN_ALL && oldest != NULL)
                take_out(jar, oldest);
}

/* ---- putting in */

/* The folder of the page that has set it. */
static struct green_http_part
default_path(const char *target)
{
        size_t len = strcspn(target, "?");

        while (len > 1 && target[len - 1] != '/')
                len--;
        return (struct green_http_part){target, len > 1 ? len - 1 : 1};
}

static char *
put(char *at, char **ret, struct green_http_part text)
{
        *ret = at;
        if (text.len > 0)
                memcpy(at, text.data, text.len);
        at[text.len] = '\0';
        return at + text.len + 1;
}

static struct cookie *
cookie_new(const struct green__set_cookie *set, struct green_http_part domain, struct green_http_part path)
{
        struct cookie *c = green_malloc(sizeof(*c) + set->name.len + set->value.len + domain.len + path.len + 4);
        char *at;

        if (c == NULL)
                return NULL;
        at = put(c->text, &c->name, set->name);
        at = put(at, &c->value, set->value);
        at = put(at, &c->domain, domain);
        (void)put(at, &c->path, path);
        for (char *p = c->domain; *p != '\0'; p++)
                *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
        c->secure = set->secure;
        c->expires = set->expires;
        c->expires_at = set->expires_at;
        return c;
}

/* Whose it is; false: not theirs to set. */
static bool
choose_domain(const struct green__set_cookie *set, const char *name, struct green_http_part *ret, bool *ret_host_only)
{
        *ret = (struct green_http_part){name, strlen(name)};
        *ret_host_only = true;
        if (set->domain.len == 0)
                return true;
        if (!domain_matches(name, set->domain.data, set->domain.len))
                return false;
        /* All of "com", or "com.", is nobody's; of a host without domains it is the host. */
        if (memchr(set->domain.data, '.', set->domain.len - 1) == NULL || is_address(name))
                return set->domain.len == ret->len;
        *ret = set->domain;
        *ret_host_only = false;
        return true;
}

static bool
is_same(const struct cookie *a, const struct cookie *b)
{
        return strcmp(a->name, b->name) == 0 && strcmp(a->domain, b->domain) == 0 && strcmp(a->path, b->path) == 0 &&
               a->host_only == b->host_only;
}

/*
 * Is it in the place of one that has come by TLS alone? Who can speak in the clear must not be able to change that
 * (RFC 6265bis 5.7).
 */
static bool
covers_secure(struct green__jar *jar, const struct cookie *c, int64_t now)
{
        for (const struct cookie *at = *bucket_of(jar, c->domain); at != NULL; at = at->next)
                if (at->secure && !is_over(at, now) && strcmp(at->name, c->name) == 0 &&
                    (domain_matches(at->domain, c->domain, strlen(c->domain)) ||
                     domain_matches(c->domain, at->domain, strlen(at->domain))) &&
                    path_matches(c->path, at->path))
                        return true;
        return false;
}

static void
put_in(struct green__jar *jar, struct cookie *c, int64_t now)
{
        struct cookie **bucket = bucket_of(jar, c->domain), **at = bucket;

        c->made = c->used = ++jar->clock;
        while (*at != NULL && !is_same(*at, c))
                at = &(*at)->next;
        if (*at != NULL) {
                bool changes = is_over(*at, now) || strcmp((*at)->value, c->value) != 0;

                c->made = (*at)->made;
                take_out(jar, at);
                jar->version -= changes ? 0 : 1;
        } else {
                jar->version++;
        }
        if (is_over(c, now)) {
                jar->version++;
                green_free(c);
                return;
        }
        make_room(jar, c->domain, now);
        c->next = *bucket;
        *bucket = c;
        jar->count++;
}

void
green__jar_set(struct green__jar *jar, const struct green__url *from, const char *field, time_t now)
{
        struct green__set_cookie set;
        struct green_http_part domain, path;
        struct cookie *c;
        bool host_only;

        if (!green__set_cookie_parse(field, (int64_t)now, &set) ||
            !choose_domain(&set, from->name, &domain, &host_only) || (set.secure && !from->tls))
                return;
        path = set.path.len > 0 ? set.path : default_path(from->target);
        /* There is a limit to what attributes say, and none to where the response came from. */
        if (path.len > GREEN__COOKIE_ATTRIBUTE_MAX || domain.len > GREEN__COOKIE_ATTRIBUTE_MAX)
                return;
        c = cookie_new(&set, domain, path);
        if (c == NULL)
                return; /* as if it were full */
        c->host_only = host_only;
        if (from->tls || !covers_secure(jar, c, (int64_t)now))
                put_in(jar, c, (int64_t)now);
        else
                green_free(c);
}

/* ---- sending */

static bool
belongs(const struct cookie *c, const struct green__url *to, int64_t now)
{
        if (is_over(c, now) || (c->secure && !to->tls) || !path_matches(to->target, c->path))
                return false;
        return c->host_only ? strcmp(c->domain, to->name) == 0 : domain_matches(to->name, c->domain, strlen(c->domain));
}

/* Longer paths first, then what was there first. */
static int
compare(const void *a, const void *b)
{
        const struct cookie *one = *(const struct cookie *const *)a, *other = *(const struct cookie *const *)b;
        size_t one_len = strlen(one->path), other_len = strlen(other->path);

        if (one_len != other_len)
                return one_len > other_len ? -1 : 1;
        return one->made < other->made ? -1 : 1;
}

static char *
join(struct cookie **found, size_t n, struct green__arena *arena)
{
        size_t len = 1;
        char *text, *at;

        for (size_t i = 0; i < n; i++)
                len += strlen(found[i]->name) + strlen(found[i]->value) + 3;
        at = text = green__arena_alloc(arena, len);
        for (size_t i = 0; text != NULL && i < n; i++) {
                const char *const words[] = {i > 0 ? "; " : "", found[i]->name, "=", found[i]->value};

                for (size_t k = 0; k < 4; k++) {
                        size_t word = strlen(words[k]);

                        memcpy(at, words[k], word);
                        at += word;
                }
                *at = '\0';
        }
        return text;
}

char *
green__jar_get(struct green__jar *jar, const struct green__url *to, time_t now, struct green__arena *arena, int *ret_rc)
{
        struct cookie *bucket = *bucket_of(jar, to->name), **found;
        size_t n = 0, k = 0;
        char *text;

        *ret_rc = 0;
        for (struct cookie *c = bucket; c != NULL; c = c->next)
                n += belongs(c, to, (int64_t)now);
        if (n == 0)
                return NULL;
        jar->clock++;
        *ret_rc = -ENOMEM;
        found = green__arena_alloc(arena, n * sizeof(struct cookie *));
        if (found == NULL)
                return NULL;
        for (struct cookie *c = bucket; c != NULL; c = c->next)
                if (belongs(c, to, (int64_t)now)) {
                        c->used = jar->clock;
                        found[k++] = c;
                }
        qsort(found, n, sizeof(struct cookie *), compare);
        text = join(found, n, arena);
        *ret_rc = text == NULL ? -ENOMEM : 0;
        return text;
}
