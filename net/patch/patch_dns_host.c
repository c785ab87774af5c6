/*
 * gethostbyname() and its kind, for foreign code: see patch_dns.c.
 *
 * The answer of those without _r lies in memory that the next call writes over. Here each green thread has its own.
 */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/local.h>

#include "patch_dns.h"

/* The first size of an answer, and the last that is tried. */
#define ROOM ((size_t)1024)
#define MOST_ROOM ((size_t)1024 * 1024)

/* A name, or an address. */
struct question {
        const char *name;
        const void *addr;
        socklen_t addr_len;
        int family;
        bool any_family; /* as the system likes: gethostbyname() */
};

struct lookup {
        struct patch_hop hop;
        struct question question;
        struct hostent host;
        struct hostent *found;
        int rc, error; /* what the call returned, and its h_errno */
        char *buf;
        size_t len;
        char data[]; /* the name or address, then the buffer */
};

static int
ask_libc(const struct question *q, struct hostent *host, char *buf, size_t len, struct hostent **ret_host,
         int *ret_error)
{
        if (q->addr != NULL)
                return gethostbyaddr_r(q->addr, q->addr_len, q->family, host, buf, len, ret_host, ret_error);
        if (q->any_family)
                return gethostbyname_r(q->name, host, buf, len, ret_host, ret_error);
        return gethostbyname2_r(q->name, q->family, host, buf, len, ret_host, ret_error);
}

static void
free_lookup(void *arg, void *result)
{
        (void)result;
        green_free(arg);
}

static void *
run_lookup(void *arg)
{
        struct lookup *l = arg;

        l->rc = ask_libc(&l->question, &l->host, l->buf, l->len, &l->found, &l->error);
        l->hop.error = errno;
        return NULL;
}

/* An address as text needs no name server. */
static bool
is_number(const struct question *q)
{
        struct in6_addr addr;

        return q->addr == NULL && (inet_pton(AF_INET, q->name, &addr) == 1 || inet_pton(AF_INET6, q->name, &addr) == 1);
}

/* ---- an answer, moved */

static char *
moved(char *p, const char *from, char *to)
{
        return p == NULL ? NULL : to + (p - from);
}

static char **
move_list(char **list, const char *from, char *to)
{
        char **there = (char **)(void *)moved((char *)list, from, to);

        for (char **p = there; p != NULL && *p != NULL; p++)
                *p = moved(*p, from, to);
        return there;
}

/* All of it lies in one buffer, which was aligned as the other one. */
static void
move_answer(const struct lookup *l, struct hostent *host, char *buf)
{
        *host = l->host;
        memcpy(buf, l->buf, l->len);
        host->h_name = moved(l->host.h_name, l->buf, buf);
        host->h_aliases = move_list(l->host.h_aliases, l->buf, buf);
        host->h_addr_list = move_list(l->host.h_addr_list, l->buf, buf);
}

/* ---- in the pool */

static struct lookup *
new_lookup(const struct question *q, const char *buf, size_t len)
{
        size_t size = q->addr != NULL ? q->addr_len : strlen(q->name) + 1;
        struct lookup *l = green_calloc(1, sizeof *l + size + 2 * _Alignof(max_align_t) + len);
        uintptr_t off;

        if (l == NULL)
                return NULL;
        l->hop.release = free_lookup;
        l->question = *q;
        if (q->addr != NULL)
                l->question.addr = memcpy(l->data, q->addr, size);
        else
                l->question.name = memcpy(l->data, q->name, size);
        off = ((uintptr_t)buf - (uintptr_t)(l->data + size)) % _Alignof(max_align_t);
        l->buf = l->data + size + off;
        l->len = len;
        return l;
}

static int
ask_in_pool(const struct question *q, struct hostent *host, char *buf, size_t len, struct hostent **ret_host,
            int *ret_error)
{
        struct lookup *l = new_lookup(q, buf, len);
        int rc = l == NULL ? -ENOMEM : green__patch_hop(run_lookup, &l->hop);

        if (rc != 0) {
                *ret_error = NETDB_INTERNAL;
                (void)green__patch_fail(rc);
                return errno;
        }
        *ret_error = l->error;
        errno = l->hop.error;
        rc = l->rc;
        if (rc == 0 && l->found != NULL) {
                move_answer(l, host, buf);
                *ret_host = host;
        }
        free_lookup(l, NULL);
        return rc;
}

static int
ask(const struct question *q, struct hostent *host, char *buf, size_t len, struct hostent **ret_host, int *ret_error)
{
        int error = errno, rc;

        if (!green__patch_may_wait() || is_number(q))
                return ask_libc(q, host, buf, len, ret_host, ret_error);
        *ret_host = NULL;
        rc = ask_in_pool(q, host, buf, len, ret_host, ret_error);
        if (rc == 0)
                errno = error;
        return rc;
}

/* ---- an answer of each green thread's own */

struct answer {
        struct hostent host;
        char *buf;
        size_t len;
        struct green_hub_end end; /* the main green thread's is freed then */
};

static green_local *answers;

static void
hub_ended(void *arg)
{
        struct answer *a = arg;

        green_free(a->buf);
        green_free(a);
}

static void
free_answer(void *arg)
{
        struct answer *a = arg;

        green_hub_end_drop(&a->end);
        hub_ended(a);
}

static void
make_answers(void)
{
        const struct green_local_opts opts = {.size = sizeof opts, .destruct = free_answer};

        answers = green_local_new(&opts);
}

static struct answer *
own_answer(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct answer *a;

        pthread_once(&once, make_answers);
        if (answers == NULL)
                return NULL;
        a = green_local_get(answers);
        if (a != NULL)
                return a;
        a = green_calloc(1, sizeof *a);
        if (a == NULL || green_hub_at_end(&a->end, hub_ended, a) != 0) {
                green_free(a);
                return NULL;
        }
        if (green_local_set(answers, a) == 0)
                return a;
        free_answer(a);
        return NULL;
}

static bool
grow(struct answer *a)
{
        size_t len = a->len == 0 ? ROOM : 2 * a->len;
        char *buf = len > MOST_ROOM ? NULL : green_realloc(a->buf, len);

        if (buf == NULL)
                return false;
        a->buf = buf;
        a->len = len;
        return true;
}

static struct hostent *
ask_for_own(const struct question *q)
{
        struct answer *a = own_answer();
        struct hostent *found = NULL;
        int rc = ERANGE, error = NETDB_INTERNAL, before = errno;

        if (a != NULL && (a->len > 0 || grow(a))) {
                do
                        rc = ask(q, &a->host, a->buf, a->len, &found, &error);
                while (rc == ERANGE && grow(a));
        } else {
                errno = ENOMEM;
        }
        if (rc == 0)
                errno = before;
        if (rc == 0 && found != NULL)
                return found;
        h_errno = error;
        return NULL;
}

/* ---- what stands for libc's */

struct hostent *
green__patched_gethostbyname(const char *name)
{
        const struct question q = {.name = name, .any_family = true};

        return green__patch_may_wait() ? ask_for_own(&q) : gethostbyname(name);
}

struct hostent *
green__patched_gethostbyname2(const char *name, int family)
{
        const struct question q = {.name = name, .family = family};

        return green__patch_may_wait() ? ask_for_own(&q) : gethostbyname2(name, family);
}

struct hostent *
green__patched_gethostbyaddr(const void *addr, socklen_t len, int family)
{
        const struct question q = {.addr = addr, .addr_len = len, .family = family};

        return green__patch_may_wait() ? ask_for_own(&q) : gethostbyaddr(addr, len, family);
}

int
green__patched_gethostbyname_r(const char *name, struct hostent *host, char *buf, size_t len, struct hostent **ret_host,
                               int *ret_error)
{
        const struct question q = {.name = name, .any_family = true};

        return ask(&q, host, buf, len, ret_host, ret_error);
}

int
green__patched_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buf, size_t len,
                                struct hostent **ret_host, int *ret_error)
{
        const struct question q = {.name = name, .family = family};

        return ask(&q, host, buf, len, ret_host, ret_error);
}

int
green__patched_gethostbyaddr_r(const void *addr, socklen_t addr_len, int family, struct hostent *host, char *buf,
                               size_t len, struct hostent **ret_host, int *ret_error)
{
        const struct question q = {.addr = addr, .addr_len = addr_len, .family = family};

        return ask(&q, host, buf, len, ret_host, ret_error);
}
