/* The same of a router, static files, forms with files and compressed responses. See fault.h. */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/web.h>

#define BRIEF (0.2 * suite_slow())

/* A request that has failed ends its connection; the server goes on. Of a file that cannot be looked at a list says nothing. */
#define SERVES                                                                                                         \
        (FAULT_BIT(accept4) | FAULT_BIT(alloc) | FAULT_BIT(epoll_ctl) | FAULT_BIT(fstatat) | FAULT_BIT(getsockname) |   \
         FAULT_BIT(mmap) | FAULT_BIT(recv) | FAULT_BIT(send) | FAULT_BIT(sendmsg) | FAULT_BIT(setsockopt) |            \
         FAULT_BIT(shutdown))

static char folder[100];
static green_static *files;

/* ---- the site */

static int
upload(green_wsgi_request *req, void *arg)
{
        green_multipart *m = green_multipart_new(req, NULL);
        const struct green_multipart_part *part;
        char buf[100];
        ssize_t n = 0;
        int rc = -errno;

        (void)arg;
        if (m == NULL) {
                (void)OK(rc);
                return rc;
        }
        while ((rc = green_multipart_next(m, &part)) > 0) {
                CHECK_STR(part->name, "a");
                while ((n = green_multipart_read(m, buf, sizeof buf)) > 0)
                        ;
                if (n < 0)
                        break;
        }
        rc = n < 0 ? (int)n : rc;
        if (rc == 0)
                rc = green_wsgi_respond(req, 200, "text/plain", "Uploaded\n", 9);
        (void)OK(rc);
        return rc;
}

static int
send_one(green_wsgi_request *req, void *arg)
{
        const char *name = green_router_param(req, "name"), *before;
        int rc;

        (void)arg;
        CHECK_STR(name, "a.txt");
        errno = 0;
        before = green_wsgi_environ(req, "SCRIPT_NAME");
        TEXT_IS(before, "");
        CHECK_STR(green_http_type_of(name), "text/plain; charset=utf-8");
        rc = green_static_send(req, files, name);
        (void)OK(rc);
        return rc;
}

static int
mounted(green_wsgi_request *req, void *arg)
{
        const char *path;
        int rc;

        CHECK(green_router_rest(req)[0] == '/');
        errno = 0;
        path = green_wsgi_environ(req, "SCRIPT_NAME");
        TEXT_IS(path, "/files");
        rc = green_static_app(req, arg);
        (void)OK(rc);
        return rc;
}

static int
app(green_wsgi_request *req, void *router)
{
        int rc = green_router_app(req, router);

        (void)OK(rc);
        return rc;
}

static green_router *
make_router(void)
{
        green_router *r = green_router_new();

        if (!MADE(r))
                return NULL;
        if (OK(green_router_add(r, "GET", "/one/{name}", send_one, NULL)) &&
            OK(green_router_add(r, "POST", "/upload", upload, NULL)) && OK(green_router_mount(r, "/files", mounted, files)))
                return r;
        green_router_free(r);
        return NULL;
}

/* ---- the client */

/* Up to the end of the last answer; anything else shows a fault. */
static bool
read_answers(green_socket *s, const char *last)
{
        static char text[300000];
        size_t len = 0;
        int turns = 0;

        while (len < sizeof text - 1) {
                ssize_t n = green_socket_recv(s, text + len, sizeof text - 1 - len, 0);

                if (n == -ETIMEDOUT && !fault_happened() && ++turns < 100)
                        continue;
                if (n < 0)
                        return OK(n);
                if (n == 0)
                        break;
                for (ssize_t i = 0; i < n; i++)
                        if (text[len + (size_t)i] == '\0')
                                text[len + (size_t)i] = '.';
                len += (size_t)n;
                text[len] = '\0';
                if (strstr(text, last) != NULL)
                        break;
        }
        text[len] = '\0';
        if (strstr(text, last) != NULL && strstr(text, "HTTP/1.1 4") == NULL && strstr(text, "HTTP/1.1 5") == NULL)
                return true;
        fault_shows();
        return false;
}

static bool
ask(green_socket *s, const char *request, const char *last)
{
        return OK(green_socket_sendall(s, request, strlen(request), 0, NULL)) && read_answers(s, last);
}

#define HEAD " HTTP/1.1\r\nHost: a\r\n"

static bool compresses; /* the server */

static void
talk(green_socket *s)
{
        CHECK_INT(green_socket_set_timeout(s, BRIEF), 0);
        (void)(ask(s, "GET /one/a.txt" HEAD "\r\n", "a small one\n") && ask(s, "GET /files/big.bin" HEAD "\r\n", "the end\n") &&
               ask(s, "GET /files/big.bin" HEAD "Range: bytes=0-0,200000-\r\n\r\n", "the end\n\r\n--") &&
               ask(s, "GET /files/" HEAD "\r\n", "</html>") &&
               ask(s, "GET /files/big.txt" HEAD "Accept-Encoding: gzip\r\n\r\n",
                   compresses ? "\r\n0\r\n\r\n" : "the end\n") &&
               ask(s,
                   "POST /upload" HEAD "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 70\r\n\r\n"
                   "--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\ndata\r\n--x--",
                   "Uploaded\n"));
}

struct service {
        green_socket *listener;
        green_router *router;
};

static void *
serve(void *arg)
{
        struct green_wsgi_server_opts opts = {.size = sizeof opts,
                                              .max_size = 4,
                                              .shutdown_timeout = BRIEF,
                                              .no_log_output = true,
                                              .compress = true,
                                              .compress_minimum = 100};
        struct service *service = arg;
        int rc;

        compresses = true;
        rc = green_wsgi_server(service->listener, app, service->router, &opts);
        /* Without zlib all is sent as it is. */
        if (rc == -ENOTSUP) {
                compresses = opts.compress = false;
                rc = green_wsgi_server(service->listener, app, service->router, &opts);
        }
        if (rc != -ECANCELED && rc != -EBADF)
                (void)OK(rc);
        return NULL;
}

static void
run_site(struct service *service)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;
        green_thread *gt = NULL;
        green_socket *s;

        if (OK(green_socket_getsockname(service->listener, &addr)) && MADE(gt = green_spawn(serve, service))) {
                green_addr_format(&addr, address, sizeof address);
                errno = 0;
                if (MADE(s = green_connect(address, NULL))) {
                        talk(s);
                        (void)OK(green_socket_free(s));
                }
        }
        (void)OK(green_socket_close(service->listener));
        (void)OK(fault_join(gt));
        (void)OK(green_socket_free(service->listener));
}

static void
site(void)
{
        const struct green_static_opts opts = {.size = sizeof opts, .list = true, .max_age = 60};
        struct service service = {NULL, NULL};

        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ETIMEDOUT);
        fault_may_give(-ECANCELED);
        /* What is compressed goes on being read from the file. */
        fault_may_give(-EIO);
        errno = 0;
        if (!MADE(green_get_hub()) || !MADE(files = green_static_new(folder, &opts)))
                return;
        service.router = make_router();
        if (service.router != NULL && MADE(service.listener = green_listen("127.0.0.1:0", NULL)))
                run_site(&service);
        green_router_free(service.router);
        green_static_free(files);
}

/* ---- the folder */

static void
put(const char *name, size_t len, const char *end)
{
        char path[200];
        FILE *f;

        snprintf(path, sizeof path, "%s/%s", folder, name);
        f = fopen(path, "wb");
        if (!CHECK(f != NULL))
                return;
        while (len-- > 0)
                (void)fputc('x', f);
        (void)fputs(end, f);
        CHECK_INT(fclose(f), 0);
}

static void
take_away(void)
{
        static const char *const names[] = {"a.txt", "big.bin", "big.txt", "."};
        char path[200];

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                snprintf(path, sizeof path, "%s/%s", folder, names[i]);
                (void)(i < 3 ? unlink(path) : rmdir(folder));
        }
}

#define SCENARIOS(X) X(site, SERVES, 0)

FAULT_DEFINE(SCENARIOS)

static void
a_site_with_files_and_forms_under_faults(void)
{
        snprintf(folder, sizeof folder, "/tmp/green-fault-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
        put("a.txt", 0, "a small one\n");
        put("big.bin", 200000, "the end\n");
        put("big.txt", 100000, "the end\n");
        site_under_faults();
        take_away();
}

GREEN_SUITE(fault_web_site) {
        GREEN_TEST(a_site_with_files_and_forms_under_faults, .limit = 600),
        GREEN_SUITE_END
};
