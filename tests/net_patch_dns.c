/*
 * net/patch/patch_dns.c and patch_dns_host.c: names of hosts, for foreign code. The system's functions are the test's
 * own here, since a definition in the program comes before libc's: nothing asks a name server.
 */
#include "net_patch.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include <green/tpool.h>

#ifndef NETDB_INTERNAL
#define NETDB_INTERNAL (-1)
#endif

#define FN(type, name) PATCHED(green__patch_dns, type, name)

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef void freeaddrinfo_fn(struct addrinfo *);
typedef int getnameinfo_fn(const struct sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t, int);
typedef struct hostent *byname_fn(const char *);
typedef struct hostent *byname2_fn(const char *, int);
typedef struct hostent *byaddr_fn(const void *, socklen_t, int);
typedef int byname_r_fn(const char *, struct hostent *, char *, size_t, struct hostent **, int *);

/* ---- the system's */

/* A function pointer is no pointer to C. */
#define REAL(type, name)                                                                                               \
        type real;                                                                                                     \
        *(void **)&real = dlsym(RTLD_NEXT, name)

static pthread_t main_thread;
static int gate[2];          /* a lookup of "slow" reads a byte */
static atomic_int elsewhere; /* calls in another OS thread */
static atomic_int freed;

static void
look_around(const char *name)
{
        char byte;

        if (!pthread_equal(pthread_self(), main_thread))
                atomic_fetch_add(&elsewhere, 1);
        if (name != NULL && strcmp(name, "slow") == 0)
                (void)!read(gate[0], &byte, 1);
}

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
        REAL(getaddrinfo_fn *, "getaddrinfo");
        bool numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;

        if (numeric || host == NULL)
                return real(host, service, hints, ret_list);
        look_around(host);
        if (strcmp(host, "broken") == 0) {
                errno = EMFILE;
                return EAI_SYSTEM;
        }
        if (strcmp(host, "slow") != 0 && strcmp(host, "known") != 0)
                return EAI_AGAIN;
        return real("192.0.2.7", service, hints, ret_list);
}

void
freeaddrinfo(struct addrinfo *list)
{
        REAL(freeaddrinfo_fn *, "freeaddrinfo");

        atomic_fetch_add(&freed, 1);
        real(list);
}

int
getnameinfo(const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_len, char *service,
            socklen_t service_len, int flags)
{
        REAL(getnameinfo_fn *, "getnameinfo");

        look_around(NULL);
        if (host != NULL && (flags & NI_NUMERICHOST) == 0) {
                if (host_len < sizeof "known")
                        return EAI_OVERFLOW;
                memcpy(host, "known", sizeof "known");
                host = NULL;
                host_len = 0;
        }
        return service == NULL ? 0 : real(addr, len, host, host_len, service, service_len, flags | NI_NUMERICSERV);
}

/* An answer of two names and two addresses, laid out as the system may. */
static int
answer(const char *name, struct hostent *h, char *buf, size_t len, struct hostent **ret_host, int *ret_error)
{
        char **lists = (char **)(void *)(buf + (16 - (uintptr_t)buf % 16) % 16), *at = (char *)(lists + 5);

        *ret_host = NULL;
        look_around(name);
        if (strcmp(name, "known") != 0 && strcmp(name, "slow") != 0) {
                *ret_error = HOST_NOT_FOUND;
                return 0;
        }
        if (len < 2000) {
                *ret_error = NETDB_INTERNAL;
                return errno = ERANGE;
        }
        *h = (struct hostent){.h_addrtype = AF_INET, .h_length = 4, .h_aliases = lists, .h_addr_list = lists + 2};
        memcpy(at, "\xc0\x00\x02\x07\xc0\x00\x02\x08", 8);
        lists[2] = at;
        lists[3] = at + 4;
        lists[4] = NULL;
        at += 8;
        h->h_name = memcpy(at, "known.test", 11);
        lists[0] = memcpy(at + 11, "alias", 6);
        lists[1] = NULL;
        *ret_host = h;
        return 0;
}

int
gethostbyname_r(const char *name, struct hostent *h, char *buf, size_t len, struct hostent **ret_host, int *ret_error)
{
        REAL(byname_r_fn *, "gethostbyname_r");

        if (name[0] >= '0' && name[0] <= '9')
                return real(name, h, buf, len, ret_host, ret_error);
        return answer(name, h, buf, len, ret_host, ret_error);
}

int
gethostbyname2_r(const char *name, int family, struct hostent *h, char *buf, size_t len, struct hostent **ret_host,
                 int *ret_error)
{
        CHECK_INT(family, AF_INET);
        return answer(name, h, buf, len, ret_host, ret_error);
}

int
gethostbyaddr_r(const void *addr, socklen_t addr_len, int family, struct hostent *h, char *buf, size_t len,
                struct hostent **ret_host, int *ret_error)
{
        CHECK_INT(addr_len, 4);
        CHECK_INT(family, AF_INET);
        return answer(memcmp(addr, "\xc0\x00\x02\x07", 4) == 0 ? "known" : "unknown", h, buf, len, ret_host, ret_error);
}

/* ---- around each test */

/* The pool's threads and what it needs are there before anything is counted. */
static void *
nothing(void *arg)
{
        return arg;
}

static void
dns_state(void)
{
        base_state();
        main_thread = pthread_self();
        CHECK_INT(green_tpool_execute(nothing, NULL, NULL, NULL), 0);
        CHECK_INT(green_sleep(0), 0);
        atomic_store(&elsewhere, 0);
        atomic_store(&freed, 0);
}

__attribute__((constructor)) static void
dns_init(void)
{
        suite_setup = dns_state;
}

static const char *
first_of(const struct addrinfo *list)
{
        static char text[64];
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)list->ai_addr;

        snprintf(text, sizeof text, "%s:%d", inet_ntoa(in->sin_addr), ntohs(in->sin_port));
        return text;
}

/* ---- getaddrinfo() */

static void
a_name_is_looked_up_elsewhere_and_the_list_is_libcs(void)
{
        const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;

        GREEN_COVERS("PATCH-01");
        errno = 77;
        CHECK_INT(FN(getaddrinfo_fn *, "getaddrinfo")("known", "80", &hints, &list), 0);
        CHECK_INT(errno, 77);
        CHECK_INT(elsewhere, 1);
        CHECK_OR_RETURN(list != NULL);
        CHECK_STR(first_of(list), "192.0.2.7:80");
        CHECK_INT(list->ai_socktype, SOCK_STREAM);
        CHECK(list->ai_next == NULL);
        freeaddrinfo(list);
}

static void
numbers_are_no_names_and_go_nowhere(void)
{
        static const char *const hosts[] = {"127.0.0.1", "::1", "127.1", NULL};
        struct addrinfo *list;

        GREEN_COVERS("PATCH-01");
        for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
                list = NULL;
                errno = 77;
                CHECK_INT(FN(getaddrinfo_fn *, "getaddrinfo")(hosts[i], "8080", NULL, &list), 0);
                CHECK_INT(errno, 77);
                CHECK(list != NULL);
                freeaddrinfo(list);
        }
        CHECK_INT(elsewhere, 0);
}

static void
errors_are_the_systems(void)
{
        const struct addrinfo bad = {.ai_family = 12345}, numeric = {.ai_flags = AI_NUMERICHOST};
        getaddrinfo_fn *fn = FN(getaddrinfo_fn *, "getaddrinfo");
        struct addrinfo *list = NULL;

        errno = 77;
        CHECK_INT(fn("unknown", NULL, NULL, &list), EAI_AGAIN);
        CHECK_INT(fn("unknown", NULL, &numeric, &list), EAI_NONAME);
        CHECK_INT(fn(NULL, NULL, NULL, &list), EAI_NONAME);
        CHECK_INT(fn("127.0.0.1", NULL, &bad, &list), EAI_FAMILY);
        CHECK_INT(errno, 77);
        CHECK_INT(fn("broken", NULL, NULL, &list), EAI_SYSTEM);
        CHECK_INT(errno, EMFILE);
        CHECK_PTR(list, NULL);
}

static void *
look_up_slow(void *arg)
{
        struct addrinfo *list = NULL;
        int rc = FN(getaddrinfo_fn *, "getaddrinfo")("slow", "80", NULL, &list);

        *(int *)arg = rc == EAI_SYSTEM ? -errno : rc;
        if (rc == 0)
                freeaddrinfo(list);
        return NULL;
}

static void
others_run_while_a_name_is_looked_up(void)
{
        int turns = 0, rc = 1;
        green_thread *gt, *counter = green_spawn(count_turns, &turns);

        CHECK_INT(pipe2(gate, O_CLOEXEC), 0);
        gt = green_spawn(look_up_slow, &rc);
        while (turns < 3)
                green_sleep(0.001);
        CHECK_INT(rc, 1);
        CHECK_INT(write(gate[1], "x", 1), 1);
        join(gt, 0);
        CHECK_INT(rc, 0);
        green_kill(counter, 0);
        join(counter, GREEN_EKILLED);
        close(gate[0]);
        close(gate[1]);
}

static bool
is_idle(void)
{
        struct green_tpool_info info = {.size = sizeof info};

        return green_tpool_get_info(&info) == 0 && info.running == 0 && info.queued == 0;
}

/* The lookup goes on; what it finds is freed by whom it belongs to then. */
static void
who_is_killed_does_not_wait_for_a_name(void)
{
        green_thread *gt;
        int rc = 1;

        CHECK_INT(pipe2(gate, O_CLOEXEC), 0);
        gt = green_spawn(look_up_slow, &rc);
        while (atomic_load(&elsewhere) == 0)
                green_sleep(0.001);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        CHECK_INT(rc, -ECANCELED);
        CHECK_INT(freed, 0);
        CHECK_INT(write(gate[1], "x", 1), 1);
        while (!is_idle())
                green_sleep(0.001);
        CHECK_INT(freed, 1);
        close(gate[0]);
        close(gate[1]);
}

static void
memory_that_is_not_there_is_an_error(void)
{
        struct addrinfo *list = NULL;
        struct sockaddr_in addr = {.sin_family = AF_INET};
        char host[64];
        int rc, n;

        for (n = 0, rc = 1; rc != 0 && n < 20; n++) {
                memory_left = n;
                rc = FN(getaddrinfo_fn *, "getaddrinfo")("known", NULL, NULL, &list);
                memory_left = -1;
                CHECK(rc == 0 || rc == EAI_MEMORY || (rc == EAI_SYSTEM && errno == ENOMEM));
        }
        CHECK_INT(rc, 0);
        CHECK(n > 1);
        freeaddrinfo(list);
        memory_left = 0;
        CHECK_INT(FN(getnameinfo_fn *, "getnameinfo")((struct sockaddr *)&addr, sizeof addr, host, sizeof host, NULL, 0,
                                                      0),
                  EAI_MEMORY);
        memory_left = -1;
}

/* ---- getnameinfo() */

static void
names_of_addresses_are_looked_up_elsewhere(void)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        const struct sockaddr *sa = (struct sockaddr *)&addr;
        getnameinfo_fn *fn = FN(getnameinfo_fn *, "getnameinfo");
        char host[64], service[32];

        errno = 77;
        CHECK_INT(fn(sa, sizeof addr, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV), 0);
        CHECK_STR(host, "127.0.0.1");
        CHECK_STR(service, "80");
        CHECK_INT(elsewhere, 0);
        CHECK_INT(fn(sa, sizeof addr, host, sizeof host, service, sizeof service, NI_NUMERICSERV), 0);
        CHECK_STR(host, "known");
        CHECK_STR(service, "80");
        CHECK_INT(elsewhere, 1);
        CHECK_INT(fn(sa, sizeof addr, host, sizeof host, NULL, 0, 0), 0);
        CHECK_INT(elsewhere, 2);
        CHECK_INT(fn(sa, sizeof addr, host, 3, NULL, 0, 0), EAI_OVERFLOW);
        CHECK_INT(errno, 77);
}

/* ---- gethostbyname() */

static void
check_known(const struct hostent *h)
{
        CHECK_OR_RETURN(h != NULL);
        CHECK_STR(h->h_name, "known.test");
        CHECK_STR(h->h_aliases[0], "alias");
        CHECK_PTR(h->h_aliases[1], NULL);
        CHECK_INT(h->h_length, 4);
        CHECK(memcmp(h->h_addr_list[0], "\xc0\x00\x02\x07", 4) == 0);
        CHECK(memcmp(h->h_addr_list[1], "\xc0\x00\x02\x08", 4) == 0);
        CHECK_PTR(h->h_addr_list[2], NULL);
}

static void
the_older_functions_find_the_same(void)
{
        static _Alignas(64) char buf[4096];
        struct hostent room, *found = NULL;
        int error = 0;

        errno = 77;
        check_known(FN(byname_fn *, "gethostbyname")("known"));
        check_known(FN(byname2_fn *, "gethostbyname2")("known", AF_INET));
        check_known(FN(byaddr_fn *, "gethostbyaddr")("\xc0\x00\x02\x07", 4, AF_INET));
        CHECK(elsewhere >= 3);
        /* Wherever the buffer begins. */
        for (size_t off = 0; off < 20; off++) {
                memset(buf, 'x', sizeof buf);
                CHECK_INT(FN(byname_r_fn *, "gethostbyname_r")("known", &room, buf + off, 3000, &found, &error), 0);
                CHECK_PTR(found, &room);
                check_known(found);
                CHECK(room.h_name > buf + off && room.h_name < buf + off + 3000);
                CHECK_INT(buf[off + 3000], 'x');
        }
        CHECK_INT(errno, 77);
}

static void
the_older_functions_tell_errors_their_way(void)
{
        char buf[4096];
        struct hostent room, *found = &room;
        int error = 0;

        h_errno = 0;
        CHECK_PTR(FN(byname_fn *, "gethostbyname")("unknown"), NULL);
        CHECK_INT(h_errno, HOST_NOT_FOUND);
        CHECK_PTR(FN(byaddr_fn *, "gethostbyaddr")("\x01\x02\x03\x04", 4, AF_INET), NULL);
        CHECK_INT(FN(byname_r_fn *, "gethostbyname_r")("known", &room, buf, 100, &found, &error), ERANGE);
        CHECK_INT(error, NETDB_INTERNAL);
        CHECK_PTR(found, NULL);
        CHECK_INT(FN(byname_r_fn *, "gethostbyname_r")("unknown", &room, buf, sizeof buf, &found, &error), 0);
        CHECK_INT(error, HOST_NOT_FOUND);
}

static void
an_address_as_text_goes_nowhere(void)
{
        const struct hostent *h = FN(byname_fn *, "gethostbyname")("127.0.0.1");

        CHECK_OR_RETURN(h != NULL);
        CHECK(memcmp(h->h_addr_list[0], "\x7f\x00\x00\x01", 4) == 0);
        CHECK_INT(elsewhere, 0);
}

static void *
find_known(void *arg)
{
        struct hostent *h = FN(byname_fn *, "gethostbyname")("known");

        check_known(h);
        *(struct hostent **)arg = h;
        green_sleep(0.01);
        check_known(h);
        return NULL;
}

/* In libc there is one for all. */
static void
each_green_thread_has_an_answer_of_its_own(void)
{
        struct hostent *other = NULL, *mine = FN(byname_fn *, "gethostbyname")("known");
        green_thread *gt = green_spawn(find_known, &other);

        while (other == NULL)
                green_sleep(0.001);
        CHECK(other != mine);
        check_known(mine);
        join(gt, 0);
}

static void *
find_slow(void *arg)
{
        CHECK_PTR(FN(byname_fn *, "gethostbyname")("slow"), NULL);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(h_errno, NETDB_INTERNAL);
        return arg;
}

static void
who_is_killed_does_not_wait_for_the_older_functions(void)
{
        green_thread *gt;

        CHECK_INT(pipe2(gate, O_CLOEXEC), 0);
        gt = green_spawn(find_slow, NULL);
        while (atomic_load(&elsewhere) == 0)
                green_sleep(0.001);
        CHECK_INT(green_kill(gt, 0), 0);
        join(gt, GREEN_EKILLED);
        CHECK_INT(write(gate[1], "x", 1), 1);
        while (!is_idle())
                green_sleep(0.001);
        close(gate[0]);
        close(gate[1]);
}

/* ---- where nothing can wait */

static void
in_callback(void *arg)
{
        struct addrinfo *list = NULL;

        CHECK_INT(FN(getaddrinfo_fn *, "getaddrinfo")("known", "80", NULL, &list), 0);
        freeaddrinfo(list);
        CHECK_INT(elsewhere, 0);
        *(bool *)arg = true;
}

static void
a_hub_callback_asks_the_system(void)
{
        bool done = false;

        CHECK_INT(green_hub_post(green_get_hub(), in_callback, &done), 0);
        while (!done)
                green_sleep(0.001);
}

GREEN_SUITE(net_patch_dns){GREEN_TEST(a_name_is_looked_up_elsewhere_and_the_list_is_libcs),
                           GREEN_TEST(numbers_are_no_names_and_go_nowhere),
                           GREEN_TEST(errors_are_the_systems),
                           GREEN_TEST(others_run_while_a_name_is_looked_up),
                           GREEN_TEST(who_is_killed_does_not_wait_for_a_name),
                           GREEN_TEST(memory_that_is_not_there_is_an_error),
                           GREEN_TEST(names_of_addresses_are_looked_up_elsewhere),
                           GREEN_TEST(the_older_functions_find_the_same),
                           GREEN_TEST(the_older_functions_tell_errors_their_way),
                           GREEN_TEST(an_address_as_text_goes_nowhere),
                           GREEN_TEST(each_green_thread_has_an_answer_of_its_own),
                           GREEN_TEST(who_is_killed_does_not_wait_for_the_older_functions),
                           GREEN_TEST(a_hub_callback_asks_the_system),
                           GREEN_SUITE_END};
