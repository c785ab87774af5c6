/*
 * Restart without loss: the program is run anew with the listening sockets of this one, which goes on until the new one
 * says that its workers are ready. See <green/workers.h>.
 *
 * The sockets are handed over as systemd does it, LISTEN_FDS from 3 on. GREEN_WORKERS_NEXT is the descriptor of the
 * pipe to say so by, and the generation.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/log.h>
#include <green/process.h>
#include <green/thread.h>

#include "pipe_sys.h"
#include "sock_sys.h"
#include "workers_priv.h"

#define VARIABLE "GREEN_WORKERS_NEXT"

extern char **environ;

enum {
        FIRST = 3, /* where LISTEN_FDS begin */
        COMMAND_MAX = 1 << 20,
        PID_DIGITS = 20,
        ADDED = 3 /* variables: LISTEN_FDS, LISTEN_PID, and ours */
};

/* ---- what this program was told */

unsigned
green__next_generation(green_fd *ret_before)
{
        const char *text = getenv(VARIABLE);
        unsigned generation = 1;
        int fd = -1, flags;
        char end;

        *ret_before = -1;
        if (text == NULL)
                return 1;
        if (sscanf(text, "%d:%u%c", &fd, &generation, &end) != 2 || fd < FIRST)
                fd = -1;
        flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);
        if (flags >= 0 && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == 0)
                *ret_before = fd;
        unsetenv(VARIABLE);
        return generation;
}

/* ---- what the next one is started with */

struct start {
        char **argv;
        char *command; /* what argv points into, where the system told it */
        char **env;
        char *pid; /* the digits of LISTEN_PID, which the child fills in */
        char listen_fds[32], listen_pid[16 + PID_DIGITS], ours[64];
};

static void
end_start(struct start *s)
{
        if (s->command != NULL)
                green_free(s->argv);
        green_free(s->command);
        green_free(s->env);
}

/* How this program was started, by /proc: words with a NUL behind each. */
static int
read_command(struct start *s)
{
        int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
        size_t len = 0, words = 0;
        ssize_t n = 0;
        char *at;

        if (fd < 0)
                return green_set_error(-ENOTSUP, "the system does not tell how this program was started: set argv");
        s->command = green_malloc(COMMAND_MAX + 1);
        while (s->command != NULL && len < COMMAND_MAX && (n = read(fd, s->command + len, COMMAND_MAX - len)) > 0)
                len += (size_t)n;
        (void)close(fd);
        if (s->command == NULL)
                return -ENOMEM;
        if (n < 0 || len == 0 || len == COMMAND_MAX)
                return green_set_error(-ENOTSUP, "how this program was started cannot be read: set argv");
        s->command[len] = '\0';
        for (size_t i = 0; i < len; i++)
                words += s->command[i] == '\0';
        s->argv = green_calloc(words + 2, sizeof *s->argv);
        if (s->argv == NULL)
                return -ENOMEM;
        at = s->command;
        for (size_t i = 0; at < s->command + len; i++) {
                s->argv[i] = at;
                at += strlen(at) + 1;
        }
        return 0;
}

static bool
is_replaced(const char *variable)
{
        static const char *const names[] = {"LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "LISTEN_PIDFDID=", VARIABLE "="};

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (strncmp(variable, names[i], strlen(names[i])) == 0)
                        return true;
        return false;
}

static int
make_env(struct start *s, const struct green__crew *crew)
{
        size_t n = 0, k = 0;

        while (environ != NULL && environ[n] != NULL)
                n++;
        s->env = green_calloc(n + ADDED + 1, sizeof *s->env);
        if (s->env == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (!is_replaced(environ[i]))
                        s->env[k++] = environ[i];
        (void)snprintf(s->listen_fds, sizeof s->listen_fds, "LISTEN_FDS=%zu", crew->fd_count);
        (void)snprintf(s->listen_pid, sizeof s->listen_pid, "LISTEN_PID=");
        s->pid = s->listen_pid + strlen(s->listen_pid);
        (void)snprintf(s->ours, sizeof s->ours, VARIABLE "=%zu:%u", FIRST + crew->fd_count,
                       crew->board->generation + 1);
        s->env[k++] = s->listen_fds;
        s->env[k++] = s->listen_pid;
        s->env[k] = s->ours;
        return 0;
}

/* ---- in the child, up to exec */

static void
write_pid(char *to)
{
        char digits[PID_DIGITS];
        long pid = (long)getpid();
        int n = 0;

        for (; pid > 0; pid /= 10)
                digits[n++] = (char)('0' + pid % 10);
        while (n > 0)
                *to++ = digits[--n];
        *to = '\0';
}

/* A descriptor at its place, for the next program. All were moved above these places before, so none is in the way. */
static bool
move(int fd, int to)
{
        return dup2(fd, to) == to;
}

static _Noreturn void
become_next(const struct green__crew *crew, const struct start *s, green_fd pipe)
{
        int above = FIRST + (int)crew->fd_count + 1;
        bool ok = true;
        int error;

        /* Those that stand in the places are not for the next program, but their copies are. */
        pipe = fcntl(pipe, F_DUPFD_CLOEXEC, above);
        for (size_t i = 0; i < crew->fd_count && ok; i++) {
                crew->fds[i] = fcntl(crew->fds[i], F_DUPFD_CLOEXEC, above);
                ok = crew->fds[i] >= 0;
        }
        for (size_t i = 0; i < crew->fd_count && ok; i++)
                ok = move(crew->fds[i], FIRST + (int)i);
        ok = ok && pipe >= 0 && move(pipe, above - 1);
        write_pid(s->pid);
        if (ok) {
                environ = s->env;
                (void)execvp(s->argv[0], s->argv);
        }
        error = errno;
        if (pipe >= 0)
                (void)!write(pipe, &error, sizeof error);
        _exit(127);
}

/* ---- in the supervisor */

/* One byte: it is ready. An errno: it could not be started. The end: it is gone. */
static void *
read_next(void *arg)
{
        struct green__crew *crew = arg;
        int error = 0;
        ssize_t n = green_os_read(crew->next.fd, &error, sizeof error);

        if (n == GREEN_EKILLED)
                return NULL;
        crew->next.ready = n == 1;
        crew->next.failed = n != 1;
        if (n == (ssize_t)sizeof error)
                green_log(GREEN_LOG_ERROR, "green-net: restart: the program cannot be run: %s", green_strerror(-error));
        (void)green_semaphore_release(crew->wake);
        return NULL;
}

static int
launch(struct green__crew *crew, struct start *s)
{
        struct green__next *next = &crew->next;
        green_fd pipe[2];
        int rc = green__sys_pipe(pipe);

        if (rc != 0)
                return rc;
        next->fd = pipe[0];
        next->reader = green_spawn(read_next, crew);
        if (next->reader == NULL) {
                rc = green_last_error()->code;
        } else {
                (void)fflush(NULL);
                next->pid = fork();
                if (next->pid == 0)
                        become_next(crew, s, pipe[1]);
                if (next->pid < 0) {
                        rc = -errno;
                        next->pid = 0;
                }
        }
        (void)green__sys_close(pipe[1]);
        next->due = green__in_seconds(green__sys_now(), crew->o.start_timeout);
        if (rc != 0)
                green__next_stop(crew);
        return rc;
}

int
green__next_start(struct green__crew *crew)
{
        struct start s = {0};
        int rc = 0;

        if (crew->next.pid != 0)
                return green_set_error(-EALREADY, "a restart is under way");
        if (crew->o.argv != NULL && crew->o.argv[0] != NULL)
                s.argv = (char **)(uintptr_t)crew->o.argv;
        else
                rc = read_command(&s);
        if (rc == 0)
                rc = make_env(&s, crew);
        if (rc == 0)
                rc = launch(crew, &s);
        end_start(&s);
        return rc;
}

static void
forget(struct green__next *next)
{
        if (next->reader != NULL) {
                (void)green_kill(next->reader, GREEN_EKILLED);
                (void)!green_thread_wait(next->reader, NULL);
                green_thread_unref(next->reader);
                next->reader = NULL;
        }
        if (next->fd >= 0)
                (void)green__sys_close(next->fd);
        next->fd = -1;
        next->pid = 0;
        next->failed = false;
}

void
green__next_look(struct green__crew *crew, int64_t now)
{
        struct green__next *next = &crew->next;
        bool gone;

        if (next->pid == 0)
                return;
        if (next->ready) {
                if (!crew->ending)
                        green_log(GREEN_LOG_INFO, "green-net: restart: process %ld has taken over", (long)next->pid);
                green__crew_end(crew, 0);
                return;
        }
        gone = waitpid(next->pid, NULL, WNOHANG) == next->pid;
        if (!gone && !next->failed && now < next->due)
                return;
        green_log(GREEN_LOG_ERROR, "green-net: restart: process %ld %s: going on as before", (long)next->pid,
                  gone || next->failed ? "has ended" : "is not ready in time, and is killed");
        if (!gone) {
                (void)kill(next->pid, SIGKILL);
                while (waitpid(next->pid, NULL, 0) < 0 && errno == EINTR) {
                }
        }
        forget(next);
}

/* One that is ready lives on; another one is not to be left behind. */
void
green__next_stop(struct green__crew *crew)
{
        if (crew->next.pid != 0 && !crew->next.ready) {
                (void)kill(crew->next.pid, SIGKILL);
                while (waitpid(crew->next.pid, NULL, 0) < 0 && errno == EINTR) {
                }
        }
        forget(&crew->next);
}
