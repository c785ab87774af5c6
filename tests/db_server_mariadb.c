/*
 * A MariaDB server for tests. See db_server_mariadb.h.
 */
#include "db_server_mariadb.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "db_port.h"
#include "suite.h"

static const char *const sql_files[] = {
        "mysql_system_tables.sql",
        "mysql_performance_tables.sql",
        "mysql_system_tables_data.sql",
};

/* The first of some places where a file is. */
static const char *
find(const char *const *places, const char *file, char *path, size_t size)
{
        for (; *places != NULL; places++) {
                snprintf(path, size, "%s/%s", *places, file);
                if (access(path, R_OK) == 0)
                        return path;
        }
        return NULL;
}

static const char *
find_program(char *path, size_t size)
{
        static const char *const places[] = {"/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/libexec", "/usr/bin",
                                             NULL};

        return find(places, "mariadbd", path, size);
}

static const char *
find_sql(const char *file, char *path, size_t size)
{
        static const char *const places[] = {"/usr/share/mysql", "/usr/share/mariadb", "/usr/local/share/mysql",
                                             "/usr/local/share/mariadb", NULL};

        return find(places, file, path, size);
}

/* ---- in the process that looks after the server */

struct keeper {
        struct db_server *s;
        char program[128], folder_option[96], tmp_option[96];
        pid_t server; /* 0: it does not run */
};

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
        (void)st;
        (void)kind;
        (void)at;
        return remove(path);
}

/*
 * mariadbd, with what it reads from there, or nothing. Temporary tables have a folder of their own: at its start a server
 * removes all that it finds, which in /tmp were those of others.
 */
static pid_t
run(struct keeper *k, int in, bool bootstrap)
{
        char socket[128], port[32], log[128], certs[3][512];
        char *arguments[24];
        int n = 0;
        pid_t pid = fork();

        if (pid != 0)
                return pid;
#if defined(__linux__)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        snprintf(socket, sizeof socket, "--socket=%s", k->s->socket);
        snprintf(port, sizeof port, "--port=%u", k->s->port);
        snprintf(log, sizeof log, "--log-error=%s", k->s->log);
        snprintf(certs[0], sizeof certs[0], "--ssl-ca=%s/ca.pem", TLS_CERTS);
        snprintf(certs[1], sizeof certs[1], "--ssl-cert=%s/rsa.pem", TLS_CERTS);
        snprintf(certs[2], sizeof certs[2], "--ssl-key=%s/rsa.key", TLS_CERTS);
        arguments[n++] = k->program;
        arguments[n++] = (char *)"--no-defaults";
        arguments[n++] = k->folder_option;
        arguments[n++] = k->tmp_option;
        arguments[n++] = log;
        arguments[n++] = (char *)"--innodb-buffer-pool-size=8M";
        arguments[n++] = (char *)"--innodb-log-file-size=4M";
        arguments[n++] = (char *)"--innodb-flush-log-at-trx-commit=0";
        arguments[n++] = (char *)"--skip-log-bin";
        if (getuid() == 0)
                arguments[n++] = (char *)"--user=root";
        if (bootstrap) {
                arguments[n++] = (char *)"--bootstrap";
                arguments[n++] = (char *)"--enforce-storage-engine=";
                arguments[n++] = (char *)"--max-allowed-packet=8M";
        } else {
                arguments[n++] = socket;
                arguments[n++] = port;
                arguments[n++] = (char *)"--bind-address=127.0.0.1";
                arguments[n++] = (char *)"--skip-name-resolve";
                arguments[n++] = (char *)"--max-connections=400";
                arguments[n++] = certs[0];
                arguments[n++] = certs[1];
                arguments[n++] = certs[2];
        }
        arguments[n] = NULL;
        dup2(in, 0);
        dup2(open(k->s->log, O_WRONLY | O_CREAT | O_APPEND, 0600), 1);
        dup2(1, 2);
        execv(k->program, arguments);
        _exit(127);
}

static bool
put_file(int fd, const char *name)
{
        char path[256], block[65536];
        ssize_t n;
        int from;

        if (find_sql(name, path, sizeof path) == NULL || (from = open(path, O_RDONLY | O_CLOEXEC)) < 0)
                return false;
        while ((n = read(from, block, sizeof block)) > 0 && write(fd, block, (size_t)n) == n)
                ;
        close(from);
        return n == 0;
}

/* The tables that a server has for itself. */
static bool
make_data(struct keeper *k)
{
        static const char begin[] = "create database mysql;\nuse mysql;\nset @auth_root_socket=null;\n";
        int pipe_fds[2], status = 1;
        bool good = pipe2(pipe_fds, O_CLOEXEC) == 0;
        pid_t pid;

        if (!good)
                return false;
        pid = run(k, pipe_fds[0], true);
        close(pipe_fds[0]);
        good = write(pipe_fds[1], begin, sizeof begin - 1) > 0;
        for (size_t i = 0; good && i < sizeof sql_files / sizeof sql_files[0]; i++)
                good = put_file(pipe_fds[1], sql_files[i]);
        close(pipe_fds[1]);
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && good;
}

static bool
answers(const struct db_server *s)
{
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        bool good;

        memcpy(un.sun_path, s->socket, strlen(s->socket) + 1);
        good = connect(fd, (struct sockaddr *)&un, sizeof un) == 0 && poll(&p, 1, 10000) == 1;
        close(fd);
        return good;
}

static bool
await(struct keeper *k)
{
        struct timespec pause = {0, 5000000};

        for (int i = 0; i < 12000; i++) {
                if (answers(k->s))
                        return true;
                if (waitpid(k->server, NULL, WNOHANG) == k->server) {
                        k->server = 0;
                        return false;
                }
                nanosleep(&pause, NULL);
        }
        return false;
}

static bool
start(struct keeper *k)
{
        int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (k->server == 0)
                k->server = run(k, nothing, false);
        close(nothing);
        return k->server > 0 && await(k);
}

static bool
stop(struct keeper *k, int signo)
{
        pid_t pid = k->server;

        k->server = 0;
        if (pid > 0)
                kill(pid, signo);
        return pid <= 0 || waitpid(pid, NULL, 0) == pid;
}

static bool
obey(struct keeper *k, char what)
{
        switch (what) {
        case DB_SERVER_KILL: return stop(k, SIGKILL);
        case DB_SERVER_STOP: return stop(k, SIGTERM);
        case DB_SERVER_START: return start(k);
        case DB_SERVER_RESTART: return stop(k, SIGKILL) && start(k);
        case DB_SERVER_AWAIT: /* it has been told to end by itself */
                if (k->server > 0)
                        waitpid(k->server, NULL, 0);
                k->server = 0;
                return true;
        default: return false;
        }
}

static void
close_others(int line)
{
        for (int fd = 3; fd < 1024; fd++)
                if (fd != line)
                        close(fd);
}

static void
keep(struct db_server *s, int line)
{
        struct keeper k = {.s = s};
        char what;

        setsid();
        signal(SIGPIPE, SIG_IGN);
        close_others(line);
        find_program(k.program, sizeof k.program);
        snprintf(k.folder_option, sizeof k.folder_option, "--datadir=%s/data", s->folder);
        snprintf(k.tmp_option, sizeof k.tmp_option, "--tmpdir=%s/tmp", s->folder);
        what = make_data(&k) && start(&k) ? 'y' : 'n';
        while (write(line, &what, 1) == 1 && read(line, &what, 1) == 1)
                what = obey(&k, what) ? 'y' : 'n';
        stop(&k, SIGKILL);
        nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        _exit(0);
}

/* ---- in the program */

static struct db_server server;

void
db_server_tell(struct db_server *s, char what)
{
        if (write(s->line, &what, 1) != 1)
                FAIL("the server cannot be told: %s", strerror(errno));
}

bool
db_server_wait(struct db_server *s)
{
        char answer = 'n';

        while (read(s->line, &answer, 1) < 0 && errno == EINTR)
                ;
        return answer == 'y';
}

/* The last words of its log. */
static void
take_log(struct db_server *s)
{
        FILE *f = fopen(s->log, "re");
        char line[256];

        s->broken = true;
        snprintf(s->why, sizeof s->why, "mariadbd does not start");
        while (f != NULL && fgets(line, sizeof line, f) != NULL)
                if (strstr(line, "ERROR") != NULL)
                        snprintf(s->why, sizeof s->why, "mariadbd: %s", line);
        if (f != NULL)
                fclose(f);
}

static void
begin(struct db_server *s)
{
        char path[256], data[96], tmp[96];
        int lines[2];

        if (find_program(path, sizeof path) == NULL) {
                snprintf(s->why, sizeof s->why, "there is no mariadbd (package mariadb-server-core)");
                return;
        }
        for (size_t i = 0; i < sizeof sql_files / sizeof sql_files[0]; i++)
                if (find_sql(sql_files[i], path, sizeof path) == NULL) {
                        snprintf(s->why, sizeof s->why, "there is no %s", sql_files[i]);
                        return;
                }
        snprintf(s->folder, sizeof s->folder, "/tmp/green-mariadb-XXXXXX");
        if (mkdtemp(s->folder) == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) != 0) {
                snprintf(s->why, sizeof s->why, "no folder for a server: %s", strerror(errno));
                return;
        }
        snprintf(data, sizeof data, "%s/data", s->folder);
        snprintf(s->socket, sizeof s->socket, "%s/mysqld.sock", s->folder);
        snprintf(s->log, sizeof s->log, "%s/log.err", s->folder);
        snprintf(tmp, sizeof tmp, "%s/tmp", s->folder);
        mkdir(data, 0700);
        mkdir(tmp, 0700);
        s->port = (unsigned)db_port();
        s->pid = fork();
        if (s->pid == 0)
                keep(s, lines[1]);
        close(lines[1]);
        s->line = lines[0];
        if (!db_server_wait(s))
                take_log(s);
}

/* The folder is gone when the program has ended. */
static void
end(void)
{
        if (server.pid > 0) {
                close(server.line);
                waitpid(server.pid, NULL, 0);
        }
}

struct db_server *
db_server_get(void)
{
        static bool begun;

        if (!begun) {
                begun = true;
                begin(&server);
                atexit(end);
        }
        return &server;
}
