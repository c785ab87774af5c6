/*
 * A peer of green_http.c: nginx, one worker, no log. nginx_http [tls]
 *
 * It takes over a listening socket, as in its own change of binary; so the system can choose the port. Its files lie
 * beside this program.
 */
#include "bench_http.h"

#include <sys/stat.h>

static void
write_config(const char *folder, const char *path, int port, int tls)
{
        FILE *f = fopen(path, "w");

        bench_check(f != NULL, path);
        fprintf(f,
                "daemon off; master_process off; worker_processes 1; pid %s/pid; error_log stderr crit;\n"
                "events { worker_connections 11000; }\n"
                "http { access_log off; server_tokens off; keepalive_timeout 3600; keepalive_requests 1000000000;\n"
                "client_body_temp_path %s/a; proxy_temp_path %s/b; fastcgi_temp_path %s/c; uwsgi_temp_path %s/d;\n"
                "scgi_temp_path %s/e;\n",
                folder, folder, folder, folder, folder, folder);
        if (tls)
                fprintf(f, "ssl_certificate %s/both.pem; ssl_certificate_key %s/both.pem;\n", TLS_CERTS, TLS_CERTS);
        fprintf(f, "server { listen 127.0.0.1:%d%s backlog=1024; default_type %s; location / { return 200 \"%s\"; } } }\n", port,
                tls ? " ssl" : "", BENCH_TYPE, BENCH_BODY);
        bench_check(fclose(f) == 0, path);
}

int
main(int argc, char **argv)
{
        int tls = argc > 1 && strcmp(argv[1], "tls") == 0, fd = bench_listen();
        char folder[4096], config[4200], inherited[32];
        struct sockaddr_in addr;
        socklen_t len = sizeof addr;

        bench_check(getsockname(fd, (struct sockaddr *)&addr, &len) == 0 && fcntl(fd, F_SETFD, 0) == 0, "the socket");
        bench_check(realpath(argv[0], config) != NULL, argv[0]);
        snprintf(folder, sizeof folder, "%.4000s.files", config);
        snprintf(config, sizeof config, "%s/conf", folder);
        bench_check(mkdir(folder, 0755) == 0 || errno == EEXIST, folder);
        write_config(folder, config, ntohs(addr.sin_port), tls);
        snprintf(inherited, sizeof inherited, "%d;", fd);
        setenv("NGINX", inherited, 1);
        bench_announce(fd);
        execlp("nginx", "nginx", "-c", config, "-p", folder, (char *)NULL);
        execl("/usr/sbin/nginx", "nginx", "-c", config, "-p", folder, (char *)NULL);
        perror("nginx");
        return 1;
}
