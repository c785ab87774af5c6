/* Each allocation and system call of the resolver fails in its turn: errors, and nothing is lost. See fault.h. */
#include "fault.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/alloc.h>
#include <green/net.h>
#include <green/tpool.h>

#include "dns_server.h"

#define SOON (2.0 * suite_slow())

static const struct dns_rule rules[] = {
        {.name = "a.test", .records = "=b.test =c.test 127.0.0.1 127.0.0.2 ::1", .ttl = 100},
        {.name = "z.test", .type = 15, .records = "10=mail.test 5=post.test", .ttl = 100},
        {.name = "1.0.0.10.in-addr.arpa", .records = "!ten.test", .ttl = 100},
        {.name = "big.test", .records = "127.0.1.1", .repeat = 3, .truncate = true},
        {.name = NULL}};

static bool
asks(void)
{
        return strncmp(green_dns_backend(), "c-ares ", 7) == 0;
}

static void
end(struct dns_server *server, const char *path)
{
        fault_pause();
        dns_server_free(server);
        unlink(path);
        fault_resume();
        CHECK_INT(green_dns_configure(NULL), 0);
}

/* A server, and settings that lead to it; where it has lost a question it is asked again soon. NULL: not set, go home.
 */
static struct dns_server *
begin(bool tcp, char path[64])
{
        struct green_dns_opts o = {.size = sizeof o, .search = "", .resolv_conf = path, .hosts = path, .tcp = tcp};
        struct dns_server *server;
        char address[64] = "127.0.0.1:1";
        int fd;

        fault_pause();
        server = dns_server_new(AF_INET, rules, address);
        CHECK(server != NULL);
        snprintf(path, 64, "/tmp/green-fault-XXXXXX");
        fd = mkstemp(path);
        CHECK(fd >= 0 && write(fd, "127.0.0.5 five cinq\n", 20) == 20);
        close(fd);
        fault_resume();
        o.servers = address;
        o.timeout = 0.3 * suite_slow();
        o.attempts = 4;
        o.lifetime = 5 * SOON;
        /* Where the servers cannot be asked, or their answers not be heard, that is what it says. */
        fault_may_give(GREEN_EAI_AGAIN);
        fault_may_give(GREEN_EAI_FAIL);
        /* A hosts file that cannot be read is as one that is not there. */
        fault_may_give(GREEN_EAI_NONAME);
        if (MADE(green_get_hub()) && OK(green_dns_configure(&o)))
                return server;
        end(server, path);
        return NULL;
}

static void
resolve(const char *name, size_t want)
{
        struct green_addr *addrs = NULL;
        size_t n = 0;

        if (!OK(green_dns_resolve(name, 80, AF_UNSPEC, &addrs, &n)))
                return;
        CHECK(n == want || (n > 0 && fault_happened()));
        CHECK_INT(green_addr_port(&addrs[0]), 80);
        green_free(addrs);
}

static void
names(void)
{
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME}, *list = NULL;
        struct green_dns_host *host = NULL;
        struct green_addr addr;
        struct dns_server *server;
        char path[64];

        if (!asks())
                return;
        if ((server = begin(false, path)) == NULL)
                return;
        resolve("five", 1);
        resolve("a.test", 3);
        green_dns_clear();
        if (OK(green_dns_getaddrinfo("a.test", "80", &hints, &list))) {
                CHECK(list != NULL);
                green_dns_freeaddrinfo(list);
        }
        (void)OK(green_dns_gethostbyname("a.test", &addr));
        if (OK(green_dns_gethostbyname_ex("a.test", &host))) {
                CHECK_STR(host->name, "c.test");
                green_free(host);
        }
        end(server, path);
}

static void
records(void)
{
        struct green_dns_answer *answer = NULL;
        const char *const *aliases = NULL;
        struct green_addr addr;
        struct dns_server *server;
        char path[64], host[64];
        int n;

        if (!asks())
                return;
        if ((server = begin(false, path)) == NULL)
                return;
        if (OK(green_dns_query("z.test", GREEN_DNS_MX, &answer))) {
                CHECK_INT(answer->n, 2);
                CHECK_STR(answer->records[0].name, "post.test");
                green_free(answer);
        }
        if (OK(green_dns_query("five", GREEN_DNS_A, &answer)))
                green_free(answer);
        n = green_dns_getaliases("five", &aliases);
        if (OK(n)) {
                CHECK(n == 1 || fault_happened());
                green_free((void *)(uintptr_t)aliases);
        }
        fault_pause();
        CHECK_INT(green_addr_parse("10.0.0.1:80", &addr), 0);
        fault_resume();
        if (OK(green_dns_getnameinfo(&addr, host, sizeof host, NULL, 0, NI_NUMERICSERV | NI_NAMEREQD)))
                CHECK_STR(host, "ten.test");
        end(server, path);
}

static void
by_tcp(void)
{
        struct dns_server *server;
        char path[64];

        if (!asks())
                return;
        if ((server = begin(true, path)) == NULL)
                return;
        resolve("a.test", 3);
        resolve("big.test", 3);
        end(server, path);
}

static void
cut(void)
{
        struct dns_server *server;
        char path[64];

        if (!asks())
                return;
        if ((server = begin(false, path)) == NULL)
                return;
        resolve("big.test", 3);
        end(server, path);
}

/* The system's part runs in other OS threads, where nothing is made to fail. */
static void
system_names(void)
{
        struct green_dns_opts o = {.size = sizeof o, .resolv_conf = "/nonexistent", .system = true};
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
        struct green_addr addr;
        char host[256], service[64];

        fault_may_give(-EAGAIN);
        if (MADE(green_get_hub()) && OK(green_tpool_set_num_threads(2)) && OK(green_dns_configure(&o))) {
                resolve("127.0.0.1", 1);
                if (OK(green_dns_getaddrinfo("localhost", "80", &hints, &list)))
                        green_dns_freeaddrinfo(list);
                fault_pause();
                CHECK_INT(green_addr_parse("127.0.0.1:80", &addr), 0);
                fault_resume();
                (void)OK(green_dns_getnameinfo(&addr, host, sizeof host, service, sizeof service, 0));
                (void)OK(green_tpool_killall(SOON));
        }
        CHECK_INT(green_dns_configure(NULL), 0);
}

/*
 * c-ares does without an answer, a socket or a question once, and asks again; the order of addresses is a matter of
 * luck where no socket can be had. The pool does without a second thread, which it starts if the first is not done yet.
 */
#define ALTSTACK FAULT_BIT(mmap)
#define SORTING (FAULT_BIT(getsockname) | FAULT_BIT(connect) | FAULT_BIT(socket))
#define AGAIN (FAULT_BIT(recvfrom) | FAULT_BIT(sendmsg) | FAULT_BIT(alloc))
#define SCENARIOS(X)                                                                                                   \
        X(by_tcp, ALTSTACK | SORTING | FAULT_BIT(setsockopt), AGAIN)                                                   \
        X(cut, ALTSTACK | SORTING | FAULT_BIT(setsockopt), AGAIN)                                                      \
        X(names, ALTSTACK | SORTING, AGAIN)                                                                            \
        X(records, ALTSTACK | SORTING, AGAIN)                                                                          \
        X(system_names, ALTSTACK | FAULT_BIT(alloc), 0)

FAULT_DEFINE_WITH_THREADS(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

GREEN_SUITE(fault_dns) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
