/*
 * A peer of green_http.c: nginx, one worker, no log. nginx_http [tls | static]
 *
 * The system chooses the port, which nginx then binds anew: it cannot say it by itself. Its files lie beside this
 * program.
 */
#include "bench_http.h"

#include <sys/stat.h>
#include <sys/wait.h>

static void
write_config(const char *folder, const char *path, int port, const char *what)
{
        int tls = strcmp(what, "tls") == 0;
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
                fprintf(f,
                        "ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate %s/both.pem; ssl_certificate_key "
                        "%s/both.pem;\n",
                        TLS_CERTS, TLS_CERTS);
        /* As its documentation says to send files: in one piece with the header, and by the system. */
        if (strcmp(what, "static") == 0)
                fprintf(f,
                        "sendfile on; tcp_nopush on; tcp_nodelay on; sendfile_max_chunk 2m;\n"
                        "server { listen 127.0.0.1:%d backlog=1024; default_type %s; root %s; } }\n",
                        port, BENCH_TYPE, folder);
        else
                fprintf(f,
                        "server { listen 127.0.0.1:%d%s backlog=1024; default_type %s; location / { return 200 \"%s\"; "
                        "} } }\n",
                        port, tls ? " ssl" : "", BENCH_TYPE, BENCH_BODY);
        bench_check(fclose(f) == 0, path);
}

/* From a process of its own, since this one is to be nginx's: say the port once nginx listens. */
static void
announce_later(const struct sockaddr_in *addr)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fork() != 0)
                _exit(0);
        for (int i = 0; i < 500; i++) {
                if (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0) {
                        printf("port %d\n", ntohs(addr->sin_port));
                        fflush(stdout);
                        _exit(0);
                }
                usleep(10000);
        }
        _exit(1);
}

int
main(int argc, char **argv)
{
        int fd = bench_listen();
        char folder[4096], config[4200];
        struct sockaddr_in addr;
        socklen_t len = sizeof addr;
        pid_t pid;

        bench_check(getsockname(fd, (struct sockaddr *)&addr, &len) == 0, "getsockname");
        bench_check(realpath(argv[0], config) != NULL, argv[0]);
        snprintf(folder, sizeof folder, "%.4000s.files", config);
        snprintf(config, sizeof config, "%s/conf", folder);
        bench_check(mkdir(folder, 0755) == 0 || errno == EEXIST, folder);
        if (argc > 1 && strcmp(argv[1], "static") == 0)
                bench_file(folder);
        write_config(folder, config, ntohs(addr.sin_port), argc > 1 ? argv[1] : "");
        close(fd);
        pid = fork();
        bench_check(pid >= 0, "fork");
        if (pid == 0)
                announce_later(&addr);
        waitpid(pid, NULL, 0);
        execlp("nginx", "nginx", "-c", config, "-p", folder, (char *)NULL);
        execl("/usr/sbin/nginx", "nginx", "-c", config, "-p", folder, (char *)NULL);
        perror("nginx");
        return 1;
}
