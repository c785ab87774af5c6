/*
 * Hello world over HTTP, as a user of green-net would write it. green_http [log | tls [try]]; log: with an access log in a
 * file; try: whether there is TLS.
 *
 * Its peers name themselves in the answer, so it does too.
 */
#include "bench_http.h"

#include <green/tls.h>
#include <green/wsgi.h>

static int
app(green_wsgi_request *req, void *arg)
{
        (void)arg;
        green_wsgi_add_header(req, "Server", "green-net");
        return green_wsgi_respond(req, 200, BENCH_TYPE, BENCH_BODY, BENCH_BODY_LEN);
}

int
main(int argc, char **argv)
{
        struct green_wrap_ssl_opts tls = {.size = sizeof tls, .certfile = TLS_CERTS "/both.pem"};
        struct green_listen_opts listen_opts = {.size = sizeof listen_opts, .backlog = 1024};
        green_socket *listener = green_listen("127.0.0.1:0", &listen_opts);
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .no_log_output = true};
        struct green_addr here;
        FILE *log;

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
        printf("port %d\n", green_addr_port(&here));
        fflush(stdout);
        return green_wsgi_server(listener, app, NULL, &opts) == 0 ? 0 : 1;
}
