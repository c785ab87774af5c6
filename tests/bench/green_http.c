/*
 * Hello world over HTTP, as a user of green-net would write it. green_http [log | static | workers | tls [try]]; log: with an
 * access log in a file; static: a file instead; workers: two OS threads; try: whether there is TLS.
 *
 * Its peers name themselves in the answer, so it does too.
 */
#include "bench_http.h"

#include <sys/stat.h>

#include <green/static.h>
#include <green/tls.h>
#include <green/wsgi.h>

static int
app(green_wsgi_request *req, void *arg)
{
        (void)arg;
        green_wsgi_add_header(req, "Server", "green-net");
        return green_wsgi_respond(req, 200, BENCH_TYPE, BENCH_BODY, BENCH_BODY_LEN);
}

/* A folder beside this program, with the file in it. */
static green_static *
make_files(const char *program)
{
        char path[4096], folder[4200];
        green_static *files;

        bench_check(realpath(program, path) != NULL, program);
        snprintf(folder, sizeof folder, "%s.files", path);
        bench_check(mkdir(folder, 0755) == 0 || errno == EEXIST, folder);
        bench_file(folder);
        files = green_static_new(folder, NULL);
        bench_check(files != NULL, "green_static_new");
        return files;
}

int
main(int argc, char **argv)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls, .certfile = TLS_CERTS "/both.pem"};
        struct green_listen_opts listen_opts = {.size = sizeof listen_opts, .backlog = 1024};
        green_socket *listener = green_listen("127.0.0.1:0", &listen_opts);
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .no_log_output = true};
        struct green_addr here;
        green_static *files = NULL;
        FILE *log;

        /* Before it is said that there is a server. */
        if (argc > 1 && strcmp(argv[1], "static") == 0)
                files = make_files(argv[0]);
        bench_check(listener != NULL && green_socket_getsockname(listener, &here) == 0, "green_listen");
        if (argc > 1 && strcmp(argv[1], "tls") == 0)
                bench_check(green_wrap_ssl(listener, &tls) == listener, "green_wrap_ssl");
        if (argc > 2)
                return 0;
        if (argc > 1 && strcmp(argv[1], "log") == 0) {
                bench_check((log = tmpfile()) != NULL, "tmpfile");
                opts.no_log_output = false;
                opts.log = green_wsgi_log_to_fd;
                opts.log_arg = (void *)(intptr_t)fileno(log);
        }
        if (argc > 1 && strcmp(argv[1], "workers") == 0)
                opts.workers = 2;
        printf("port %d\n", green_addr_port(&here));
        fflush(stdout);
        if (files != NULL)
                return green_wsgi_server(listener, green_static_app, files, &opts) == 0 ? 0 : 1;
        return green_wsgi_server(listener, app, NULL, &opts) == 0 ? 0 : 1;
}
