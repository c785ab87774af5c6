/*
 * Names of hosts, for foreign code: see patch_priv.h.
 *
 * Whoever calls getaddrinfo() expects what the system answers: by nsswitch.conf and its modules, /etc/hosts, the order
 * of RFC 6724; and a list that libc's freeaddrinfo() frees, which it may reach by a way that nothing has changed. So it
 * is libc's own function that is called, in an OS thread of the pool, while the green thread waits. What no name is
 * asked for is answered here and now.
 *
 * A green thread that is killed does not wait for a name server: it leaves the call behind. So all that the call reads
 * and writes is in a block of its own, which then belongs to the thread of the pool.
 */
#include <config.h>

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/tpool.h>

#include "patch_dns.h"

/* ---- in the pool */

int
green__patch_hop(green_thread_fn fn, struct patch_hop *hop)
{
        bool abandoned = false;
        const struct green_tpool_opts opts = {
                .size = sizeof opts, .release = hop->release, .ret_abandoned = &abandoned};
        int rc = green_tpool_execute(fn, hop, &opts, NULL);

        if (rc != 0 && !abandoned)
                hop->release(hop, NULL);
        return rc;
}

/* A copy in the block; NULL stays NULL. */
char *
green__patch_hop_text(char **at, const char *text)
{
        size_t size = text == NULL ? 0 : strlen(text) + 1;
        char *copy = *at;

        if (text == NULL)
                return NULL;
        memcpy(copy, text, size);
        *at += size;
        return copy;
}

static size_t
text_size(const char *text)
{
        return text == NULL ? 0 : strlen(text) + 1;
}

/* ---- getaddrinfo() */

struct ask {
        struct patch_hop hop;
        const char *host, *service; /* in text */
        const struct addrinfo *hints;
        struct addrinfo room;
        struct addrinfo *list;
        int rc;
        char text[];
};

static void
free_ask(void *arg, void *result)
{
        struct ask *ask = arg;

        (void)result;
        if (ask->list != NULL)
                freeaddrinfo(ask->list);
        green_free(ask);
}

static void *
run_ask(void *arg)
{
        struct ask *ask = arg;

        ask->rc = getaddrinfo(ask->host, ask->service, ask->hints, &ask->list);
        ask->hop.error = errno;
        return NULL;
}

static int
ask_in_pool(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
        struct ask *ask = green_calloc(1, sizeof *ask + text_size(host) + text_size(service));
        char *at;
        int rc;

        if (ask == NULL)
                return EAI_MEMORY;
        at = ask->text;
        ask->hop.release = free_ask;
        ask->host = green__patch_hop_text(&at, host);
        ask->service = green__patch_hop_text(&at, service);
        if (hints != NULL) {
                ask->room = *hints;
                ask->hints = &ask->room;
        }
        rc = green__patch_hop(run_ask, &ask->hop);
        if (rc != 0) {
                (void)green__patch_fail(rc);
                return EAI_SYSTEM;
        }
        rc = ask->rc;
        if (rc == 0)
                *ret_list = ask->list;
        if (rc == EAI_SYSTEM)
                errno = ask->hop.error;
        ask->list = NULL;
        free_ask(ask, NULL);
        return rc;
}

/* Where neither is a name. EAI_NONAME: at least one is. */
static int
ask_numbers(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
        struct addrinfo numeric = {.ai_flags = 0};

        if (hints != NULL)
                numeric = *hints;
#ifdef AI_V4MAPPED
        else
                numeric.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG;
#endif
        if (host != NULL)
                numeric.ai_flags |= AI_NUMERICHOST;
        if (service != NULL)
                numeric.ai_flags |= AI_NUMERICSERV;
        return getaddrinfo(host, service, &numeric, ret_list);
}

static int
patched_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
        int error = errno, rc;

        if (!green__patch_may_wait())
                return getaddrinfo(host, service, hints, ret_list);
        rc = ask_numbers(host, service, hints, ret_list);
        if (rc == EAI_NONAME && (host != NULL || service != NULL)) {
                errno = error;
                rc = ask_in_pool(host, service, hints, ret_list);
        }
        if (rc != EAI_SYSTEM)
                errno = error;
        return rc;
}

/* ---- getnameinfo() */

struct tell {
        struct patch_hop hop;
        struct sockaddr_storage addr;
        socklen_t len;
        int flags, rc;
        socklen_t host_len, service_len;
        char text[]; /* the host's, then the service's */
};

static void
free_tell(void *arg, void *result)
{
        (void)result;
        green_free(arg);
}

static void *
run_tell(void *arg)
{
        struct tell *t = arg;
        char *host = t->host_len > 0 ? t->text : NULL, *service = t->service_len > 0 ? t->text + t->host_len : NULL;

        t->rc = getnameinfo((struct sockaddr *)&t->addr, t->len, host, t->host_len, service, t->service_len, t->flags);
        t->hop.error = errno;
        return NULL;
}

static int
tell_in_pool(const struct sockaddr *addr, socklen_t len, struct tell *t, char *host, char *service)
{
        int rc;

        t->hop.release = free_tell;
        memcpy(&t->addr, addr, len);
        t->len = len;
        rc = green__patch_hop(run_tell, &t->hop);
        if (rc != 0) {
                (void)green__patch_fail(rc);
                return EAI_SYSTEM;
        }
        rc = t->rc;
        if (rc == 0 && t->host_len > 0)
                memcpy(host, t->text, t->host_len);
        if (rc == 0 && t->service_len > 0)
                memcpy(service, t->text + t->host_len, t->service_len);
        if (rc == EAI_SYSTEM)
                errno = t->hop.error;
        free_tell(t, NULL);
        return rc;
}

/* No name is asked for. */
static bool
tells_numbers(const char *host, const char *service, int flags)
{
        return (host == NULL || (flags & NI_NUMERICHOST) != 0) && (service == NULL || (flags & NI_NUMERICSERV) != 0);
}

/* The last parameters of getnameinfo() are unsigned in some libcs. */
static int
patched_getnameinfo(const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_len, char *service,
                    socklen_t service_len, int flags)
{
        struct tell *t;

        if (!green__patch_may_wait() || addr == NULL || len > sizeof t->addr ||
            tells_numbers(host_len > 0 ? host : NULL, service_len > 0 ? service : NULL, flags))
                return getnameinfo(addr, len, host, host_len, service, service_len, flags);
        if (host == NULL)
                host_len = 0;
        if (service == NULL)
                service_len = 0;
        t = green_calloc(1, sizeof *t + host_len + service_len);
        if (t == NULL)
                return EAI_MEMORY;
        t->flags = flags;
        t->host_len = host_len;
        t->service_len = service_len;
        return tell_in_pool(addr, len, t, host, service);
}

const struct patch_entry green__patch_dns[] = {
        PATCH_ENTRY("getaddrinfo", patched_getaddrinfo, GREEN_PATCH_DNS),
        PATCH_ENTRY("getnameinfo", patched_getnameinfo, GREEN_PATCH_DNS),
        PATCH_ENTRY("gethostbyname", green__patched_gethostbyname, GREEN_PATCH_DNS),
        PATCH_ENTRY("gethostbyname2", green__patched_gethostbyname2, GREEN_PATCH_DNS),
        PATCH_ENTRY("gethostbyaddr", green__patched_gethostbyaddr, GREEN_PATCH_DNS),
        PATCH_ENTRY("gethostbyname_r", green__patched_gethostbyname_r, GREEN_PATCH_DNS),
        PATCH_ENTRY("gethostbyname2_r", green__patched_gethostbyname2_r, GREEN_PATCH_DNS),
        PATCH_ENTRY("gethostbyaddr_r", green__patched_gethostbyaddr_r, GREEN_PATCH_DNS),
        PATCH_ENTRIES_END,
};
