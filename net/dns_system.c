/*
 * The system's resolver, in the pool of OS threads: it may block for as long as it likes. See dns_priv.h.
 */
#include "dns_priv.h"

#include <stdlib.h>

#include <green/timeout.h>
#include <green/tpool.h>

/* A call of getaddrinfo(). It has a block of its own, so that it can be given up: the worker frees it then. */
struct request {
        struct addrinfo hints, *list;
        int rc, error; /* getaddrinfo()'s, and errno */
        bool service;  /* text is a service, and no host */
        char text[];
};

/* A call of getnameinfo(). */
struct name_request {
        struct green_addr addr;
        int flags, rc, error;
        bool want_host, want_service;
        char host[GREEN__WIRE_NAME_SIZE], service[64];
};

int
green__dns_code_of(int eai, int error)
{
        switch (eai) {
        case 0:
                return 0;
        case EAI_AGAIN:
                return GREEN_EAI_AGAIN;
        case EAI_NONAME:
                return GREEN_EAI_NONAME;
#if defined(EAI_NODATA)
        case EAI_NODATA: /* NOLINT(bugprone-branch-clone): either of them may be missing */
                return GREEN_EAI_NODATA;
#endif
#if defined(EAI_ADDRFAMILY)
        case EAI_ADDRFAMILY:
                return GREEN_EAI_NODATA;
#endif
        case EAI_FAMILY:
                return GREEN_EAI_FAMILY;
        case EAI_SERVICE:
                return GREEN_EAI_SERVICE;
        case EAI_SOCKTYPE:
                return GREEN_EAI_SOCKTYPE;
        case EAI_BADFLAGS:
                return GREEN_EAI_BADFLAGS;
        case EAI_MEMORY:
                return -ENOMEM;
#if defined(EAI_OVERFLOW)
        case EAI_OVERFLOW:
                return GREEN_EAI_OVERFLOW;
#endif
#if defined(EAI_SYSTEM)
        case EAI_SYSTEM:
                return error > 0 ? -error : GREEN_EAI_FAIL;
#endif
        default:
                return GREEN_EAI_FAIL;
        }
}

static void *
ask(void *arg)
{
        struct request *r = arg;

        errno = 0;
        r->rc = getaddrinfo(r->service ? NULL : r->text, r->service ? r->text : NULL, &r->hints, &r->list);
        r->error = errno;
        return r;
}

static void
release(void *arg, void *result)
{
        struct request *r = arg;

        if (result != NULL && r->rc == 0)
                freeaddrinfo(r->list);
        green_free(r);
}

static int
take_list(const struct addrinfo *list, struct green__dns_found *ret_found)
{
        size_t n = 0;

        for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
                n++;
        ret_found->addrs = green_calloc(n != 0 ? n : 1, sizeof *ret_found->addrs);
        if (ret_found->addrs == NULL)
                return green_set_error(-ENOMEM, NULL);
        n = 0;
        for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
                if ((i->ai_family == AF_INET || i->ai_family == AF_INET6) &&
                    green_addr_from_sockaddr(i->ai_addr, i->ai_addrlen, &ret_found->addrs[n]) == 0)
                        n++;
        ret_found->n = n;
        ret_found->canonical[0] = '\0';
        if (list != NULL && list->ai_canonname != NULL && strlen(list->ai_canonname) < sizeof ret_found->canonical)
                memcpy(ret_found->canonical, list->ai_canonname, strlen(list->ai_canonname) + 1);
        if (n > 0)
                return 0;
        green_free(ret_found->addrs);
        return GREEN_EAI_NODATA;
}

int
green__dns_pooled(green_thread_fn fn, void *arg, void (*release_arg)(void *arg, void *result), double lifetime)
{
        bool abandoned = false, late;
        struct green_tpool_opts opts = {.size = sizeof opts, .release = release_arg, .ret_abandoned = &abandoned};
        struct green_timeout limit;
        int rc = green_timeout_start(&limit, lifetime);

        if (rc == 0) {
                rc = green_tpool_execute(fn, arg, &opts, NULL);
                late = green_timeout_cancel(&limit) == 1;
                if (rc != 0 && late)
                        rc = GREEN_EAI_AGAIN;
        }
        if (rc != 0 && !abandoned)
                release_arg(arg, NULL);
        return rc;
}

/* Ask, and wait: *ret_request is for release(). */
static int
ask_and_wait(const char *text, const struct addrinfo *hints, bool service, double lifetime,
             struct request **ret_request)
{
        size_t len = strlen(text);
        struct request *r = green_calloc(1, sizeof *r + len + 1);
        int rc;

        if (r == NULL)
                return green_set_error(-ENOMEM, NULL);
        memcpy(r->text, text, len + 1);
        r->hints = *hints;
        r->service = service;
        rc = green__dns_pooled(ask, r, release, lifetime);
        if (rc == 0)
                *ret_request = r;
        return rc;
}

int
green__dns_system_lookup(const char *host, const struct green__dns_wanted *wanted, double lifetime,
                         struct green__dns_found *ret_found)
{
        struct addrinfo hints = {.ai_family = wanted->family, .ai_socktype = SOCK_STREAM};
        struct request *r;
        int rc;

        hints.ai_flags =
                (wanted->canonical || wanted->aliases ? AI_CANONNAME : 0) | (wanted->configured ? AI_ADDRCONFIG : 0);
        rc = ask_and_wait(host, &hints, false, lifetime, &r);
        if (rc != 0)
                return rc;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): 0 came with a request */
        rc = r->rc == 0 ? take_list(r->list, ret_found) : green__dns_code_of(r->rc, r->error);
        release(r, r);
        if (rc == 0 && wanted->aliases && ret_found->canonical[0] != '\0' && strcmp(ret_found->canonical, host) != 0)
                rc = green__dns_add_alias(ret_found, host);
        return rc;
}

int
green__dns_system_service(const char *service, const struct addrinfo *hints, double lifetime,
                          struct addrinfo **ret_list)
{
        struct request *r;
        int rc = ask_and_wait(service, hints, true, lifetime, &r);

        if (rc != 0)
                return rc;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): 0 came with a request */
        rc = green__dns_code_of(r->rc, r->error);
        if (rc == 0) {
                *ret_list = r->list;
                r->rc = EAI_FAIL; /* the list is the caller's */
        }
        release(r, r);
        return rc;
}

static void *
ask_name(void *arg)
{
        struct name_request *r = arg;
        socklen_t size;
        const struct sockaddr *sa = green_addr_sockaddr(&r->addr, &size);

        errno = 0;
        r->rc = getnameinfo(sa, size, r->want_host ? r->host : NULL, r->want_host ? sizeof r->host : 0,
                            r->want_service ? r->service : NULL, r->want_service ? sizeof r->service : 0, r->flags);
        r->error = errno;
        return r;
}

static void
release_name(void *arg, void *result)
{
        (void)result;
        green_free(arg);
}

int
green__dns_system_name(const struct green_addr *addr, char host[GREEN__WIRE_NAME_SIZE], char service[64], int flags,
                       double lifetime)
{
        struct name_request *r = green_calloc(1, sizeof *r);
        int rc;

        if (r == NULL)
                return green_set_error(-ENOMEM, NULL);
        r->addr = *addr;
        r->flags = flags;
        r->want_host = host != NULL;
        r->want_service = service != NULL;
        rc = green__dns_pooled(ask_name, r, release_name, lifetime);
        if (rc != 0)
                return rc;
        rc = green__dns_code_of(r->rc, r->error);
        if (rc == 0 && host != NULL)
                memcpy(host, r->host, sizeof r->host);
        if (rc == 0 && service != NULL)
                memcpy(service, r->service, sizeof r->service);
        green_free(r);
        return rc;
}
