/*
 * A PostgreSQL server for tests. See db_server.h.
 *
 * A child process, the keeper, makes the files, starts the server and stops it as it is told over a socket. When the
 * socket's other end closes, as when the test program dies, it ends the server and removes the files.
 */
#include "db_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "db_port.h"

enum { NOBODY = 65534, STARTS = 40, PATIENCE_MS = 30000, LAST_FD = 4096 };

static struct {
        bool tried;
        const char *reason; /* there is none, since */
        int fd;             /* to the keeper */
        int port;
        char folder[64], bin[PATH_MAX];
        pid_t postmaster; /* of the keeper */
} server = {.fd = -1};

/* ---- small things */

static void
rest(int ms)
{
        struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

        nanosleep(&t, NULL);
}

static bool
is_there(const char *folder, const char *program)
{
        char path[PATH_MAX];

        return snprintf(path, sizeof path, "%s/%s", folder, program) < (int)sizeof path && access(path, X_OK) == 0;
}

static bool
use_if_whole(const char *folder)
{
        if (!is_there(folder, "initdb") || !is_there(folder, "postgres"))
                return false;
        return snprintf(server.bin, sizeof server.bin, "%s", folder) < (int)sizeof server.bin;
}

/* In PATH, or where Debian puts it. */
static bool
find_programs(void)
{
        const char *path = getenv("PATH");
        char folder[PATH_MAX];
        bool found = false;
        glob_t g;

        while (path != NULL && *path != '\0') {
                size_t len = strcspn(path, ":");

                snprintf(folder, sizeof folder, "%.*s", (int)len, path);
                if (use_if_whole(folder))
                        return true;
                path += len + (path[len] == ':');
        }
        if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &g) != 0)
                return false;
        for (size_t i = g.gl_pathc; i > 0 && !found; i--)
                found = use_if_whole(g.gl_pathv[i - 1]);
        globfree(&g);
        return found;
}

/* ---- the keeper */

/* Run a program of the server's, as nobody where this is root; its words go to a file. */
static pid_t
launch(const char *const *argv)
{
        char path[PATH_MAX + 64];
        pid_t pid = fork();

        if (pid != 0)
                return pid;
        if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
                _exit(126);
        prctl(PR_SET_PDEATHSIG, SIGQUIT);
        snprintf(path, sizeof path, "%s/log", server.folder);
        (void)freopen(path, "a", stdout);
        (void)dup2(1, 2);
        setenv("LC_ALL", "C", 1);
        if (chdir(server.folder) != 0)
                _exit(126);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        snprintf(path, sizeof path, "%s/%s", server.bin, argv[0]);
        execv(path, (char *const *)(uintptr_t)argv); /* its prototype */
        _exit(127);
}

static bool
ended_well(pid_t pid)
{
        int status;

        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
write_file(const char *name, const char *text, mode_t mode)
{
        char path[PATH_MAX];
        int fd;
        bool ok;

        snprintf(path, sizeof path, "%s/data/%s", server.folder, name);
        (void)unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
        ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
             (geteuid() != 0 || fchown(fd, NOBODY, NOBODY) == 0);
        close(fd);
        return ok;
}

static bool
copy_file(const char *name, const char *from)
{
        char text[16384];
        int fd = open(from, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

        close(fd);
        text[n > 0 ? n : 0] = '\0';
        return n > 0 && write_file(name, text, 0600);
}

static bool
make_files(void)
{
        char data[128];
        const char *const initdb[] = {"initdb", "-D",       data, "--no-sync", "-A",         "trust",
                                      "-U",     "postgres", "-E", "UTF8",      "--locale=C", NULL};
        const char *const single[] = {"postgres", "--single", "-D", data, "-c", "fsync=off", "postgres", NULL};
        static const char hba[] = "local all all trust\n"
                                  "host all locked 127.0.0.1/32 scram-sha-256\n"
                                  "host all all 127.0.0.1/32 trust\n";
        int in;

        snprintf(data, sizeof data, "%s/data", server.folder);
        if (!ended_well(launch(initdb)) || !write_file("pg_hba.conf", hba, 0600))
                return false;
        if (!copy_file("server.pem", TLS_CERTS "/peers/server.pem") ||
            !copy_file("server.key", TLS_CERTS "/peers/server.key"))
                return false;
        if (!write_file("first.sql", "create role locked login password 'secret'\n", 0600))
                return false;
        snprintf(data, sizeof data, "%s/data/first.sql", server.folder);
        in = open(data, O_RDONLY | O_CLOEXEC);
        snprintf(data, sizeof data, "%s/data", server.folder);
        if (in < 0 || dup2(in, 0) != 0)
                return false;
        close(in);
        return ended_well(launch(single));
}

/* The last line of its file says so. */
static bool
is_ready(void)
{
        char path[PATH_MAX], line[256];
        bool ready = false;
        FILE *f;

        snprintf(path, sizeof path, "%s/data/postmaster.pid", server.folder);
        f = fopen(path, "re");
        if (f == NULL)
                return false;
        if (fgets(line, sizeof line, f) != NULL && atol(line) == (long)server.postmaster)
                while (fgets(line, sizeof line, f) != NULL)
                        ready = strncmp(line, "ready", 5) == 0;
        fclose(f);
        return ready;
}

static bool
await_ready(void)
{
        for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
                if (is_ready())
                        return true;
                if (waitpid(server.postmaster, NULL, WNOHANG) != 0) {
                        server.postmaster = 0;
                        return false;
                }
                rest(5);
        }
        return false;
}

/* Again where it does not come up: the port was taken, or processes of the last one are not gone yet. */
static bool
start(void)
{
        char port[16], data[128];
        const char *const argv[] = {
                "postgres", "-D", data, "-p", port, "-k", server.folder, "-c", "listen_addresses=127.0.0.1",
                "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB",
                "-c", "max_connections=130", "-c", "autovacuum=off", "-c", "jit=off", "-c", "deadlock_timeout=50ms",
                "-c", "ssl=on", "-c", "ssl_cert_file=server.pem", "-c", "ssl_key_file=server.key", NULL};

        snprintf(port, sizeof port, "%d", server.port);
        snprintf(data, sizeof data, "%s/data", server.folder);
        for (int i = 0; i < STARTS; i++) {
                server.postmaster = launch(argv);
                if (server.postmaster > 0 && await_ready())
                        return true;
                rest(50);
        }
        return false;
}

static bool
stop(int signal)
{
        if (server.postmaster <= 0)
                return true;
        if (kill(server.postmaster, signal) != 0)
                return false;
        for (int ms = 0; ms < PATIENCE_MS; ms += 2) {
                if (waitpid(server.postmaster, NULL, WNOHANG) != 0) {
                        server.postmaster = 0;
                        return true;
                }
                rest(2);
        }
        return false;
}

static bool
obey(char order)
{
        switch (order) {
        case 'i': return make_files() && start();
        case PG_START: return start();
        case PG_STOP: return stop(SIGINT);
        case PG_IMMEDIATE: return stop(SIGQUIT);
        case PG_KILL: return stop(SIGKILL);
        default: return false;
        }
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void
keep(int fd)
{
        char order;

        (void)setsid();
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGCHLD, SIG_DFL);
        for (int i = 3; i < LAST_FD; i++)
                if (i != fd)
                        close(i);
        while (read(fd, &order, 1) == 1) {
                char done = obey(order);

                if (write(fd, &done, 1) != 1)
                        break;
        }
        if (!stop(SIGQUIT))
                (void)stop(SIGKILL);
        (void)nftw(server.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        _exit(0);
}

/* ---- the test program */

/* The keeper removes the files before the program is said to have ended. */
static void
at_end(void)
{
        char c;

        shutdown(server.fd, SHUT_WR);
        while (read(server.fd, &c, 1) > 0)
                ;
}

static const char *
begin(void)
{
        int fds[2];
        pid_t pid;

        if (!find_programs())
                return "there is no PostgreSQL server (initdb, postgres)";
        snprintf(server.folder, sizeof server.folder, "/tmp/green-pg-XXXXXX");
        if (mkdtemp(server.folder) == NULL || chmod(server.folder, 0711) != 0 ||
            (geteuid() == 0 && chown(server.folder, NOBODY, NOBODY) != 0))
                return "no folder could be made for a PostgreSQL server";
        server.port = db_port();
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
                return "no socket";
        fflush(NULL);
        pid = fork();
        if (pid < 0)
                return "no process";
        if (pid == 0)
                keep(fds[1]);
        close(fds[1]);
        server.fd = fds[0];
        atexit(at_end);
        return pg_server_do((enum pg_server_order)'i') ? NULL : "the PostgreSQL server does not start here";
}

const char *
pg_server_start(void)
{
        if (!server.tried)
                server.reason = begin();
        server.tried = true;
        return server.reason;
}

const char *
pg_server_folder(void)
{
        return server.folder;
}

int
pg_server_port(void)
{
        return server.port;
}

int
pg_server_tell(enum pg_server_order order)
{
        char c = (char)order;

        return write(server.fd, &c, 1) == 1 ? server.fd : -1;
}

bool
pg_server_told(void)
{
        char c = 0;

        return read(server.fd, &c, 1) == 1 && c == 1;
}

bool
pg_server_do(enum pg_server_order order)
{
        return pg_server_tell(order) >= 0 && pg_server_told();
}
