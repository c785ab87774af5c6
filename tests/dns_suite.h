/*
 * What the tests of names share: a server of their own (dns_server.h), settings that lead nowhere else, files,
 * addresses as text. Each test program includes it once, in place of net_suite.h.
 */
#ifndef GREEN_TESTS_DNS_SUITE_H
#define GREEN_TESTS_DNS_SUITE_H

#include <fcntl.h>
#include <sys/stat.h>

#include "dns_server.h"
#include "net_suite.h"

/* Servers are asked only where green-net was built with c-ares, and nobody has said that it is not to be used. */
MAYBE bool
can_ask(void)
{
        if (strncmp(green_dns_backend(), "c-ares ", 7) == 0)
                return true;
        suite_skip(
                "name servers are not asked by the system's resolver of these tests (no c-ares, or GREEN_NO_GREENDNS)");
        return false;
}

/* Settings that read no file of the system's. */
MAYBE struct green_dns_opts
no_files(void)
{
        return (struct green_dns_opts){
                .size = sizeof(struct green_dns_opts), .search = "", .hosts = "", .resolv_conf = "/nonexistent"};
}

/* Start a server, and use it. More options may be in o, or NULL. */
MAYBE struct dns_server *
serve_with(const struct dns_rule *rules, const struct green_dns_opts *more)
{
        struct green_dns_opts o = more != NULL ? *more : no_files();
        char address[64];
        struct dns_server *server = dns_server_new(AF_INET, rules, address);

        if (!CHECK(server != NULL))
                return NULL;
        o.servers = address;
        CHECK_INT(green_dns_configure(&o), 0);
        return server;
}

/* Queries that nobody waits for any more end by themselves: wait for them. */
MAYBE void
let_queries_end(void)
{
        struct green_hub_info info = {.size = sizeof info};

        while (green_hub_get_info(&info) == 0 && (info.readers > 0 || info.timers > 0))
                green_sleep(0.005);
}

MAYBE void
end_server(struct dns_server *server)
{
        let_queries_end();
        dns_server_free(server);
        CHECK_INT(green_dns_configure(NULL), 0);
}

/* A file with a text, in the directory of temporary ones. */
MAYBE void
write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (!CHECK(fd >= 0))
                return;
        CHECK_INT(write(fd, text, strlen(text)), strlen(text));
        close(fd);
}

MAYBE const char *
temporary(char path[128], const char *text)
{
        const char *folder = getenv("TMPDIR");
        int fd;

        snprintf(path, 128, "%.80s/green-dns-XXXXXX", folder != NULL ? folder : "/tmp");
        fd = mkstemp(path);
        if (CHECK(fd >= 0)) {
                close(fd);
                write_file(path, text);
        }
        return path;
}

/* Addresses as text: "127.0.0.1:80 [::1]:80". */
MAYBE const char *
texts_of(const struct green_addr *addrs, size_t n)
{
        static char text[4096];
        char one[GREEN_ADDR_TEXT_SIZE];

        text[0] = '\0';
        for (size_t i = 0; i < n; i++) {
                green_addr_format(&addrs[i], one, sizeof one);
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", one);
        }
        return text;
}

/* What a name resolves to: the addresses as text, or the name of the code. */
MAYBE const char *
resolved(const char *host, int port, int family)
{
        struct green_addr *addrs = NULL;
        const char *text;
        size_t n = 0;
        int rc = green_dns_resolve(host, port, family, &addrs, &n);

        if (rc != 0)
                return green_errname(rc);
        text = texts_of(addrs, n);
        green_free(addrs);
        return text;
}

/* One lookup in a green thread of its own. */
struct lookup {
        const char *host;
        int family;
        int rc;
        size_t n;
        char text[256];
        green_thread *thread;
};

MAYBE void *
run_lookup(void *arg)
{
        struct lookup *l = arg;
        struct green_addr *addrs = NULL;

        l->rc = green_dns_resolve(l->host, 80, l->family, &addrs, &l->n);
        if (l->rc == 0)
                snprintf(l->text, sizeof l->text, "%s", texts_of(addrs, l->n));
        green_free(addrs);
        return NULL;
}

MAYBE void
start_lookup(struct lookup *l, const char *host, int family)
{
        *l = (struct lookup){.host = host, .family = family, .rc = 1};
        l->thread = green_spawn(run_lookup, l);
        CHECK(l->thread != NULL);
}

MAYBE void
end_lookup(struct lookup *l)
{
        if (green_thread_wait(l->thread, NULL) != 0 && l->rc == 1)
                FAIL("the lookup of %s has not ended by itself", l->host);
        green_thread_unref(l->thread);
}

#endif
