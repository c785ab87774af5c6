/*
 * Processes on POSIX. See process_sys.h.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <green/alloc.h>

#include "check.h"
#include "process_sys.h"

#ifndef NSIG
#define NSIG 65
#endif

/* What shells say of a program that cannot be run. */
#define EXIT_NOT_RUN 127

extern char **environ;

/* ---- finding it */

/* Can this be run? */
static int
check(const char *path)
{
        struct stat st;

        if (stat(path, &st) != 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EACCES;
        return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0 ? -errno : 0;
}

/* Look into each folder. room: for the longest name there can be, and cwd. */
static int
search(const char *folders, const char *file, const char *cwd, char *room, size_t size, char **ret_path)
{
        int worst = -ENOENT;

        for (const char *at = folders;; at++) {
                int len = (int)strcspn(at, ":"), skip = 0, rc;

                /* A relative one counts from cwd, and so it is looked up there, and told without. */
                if (cwd != NULL && *at != '/')
                        skip = snprintf(room, size, "%s/", cwd);
                snprintf(room + skip, size - (size_t)skip, "%.*s/%s", len == 0 ? 1 : len, len == 0 ? "." : at, file);
                rc = check(room);
                if (rc == 0) {
                        memmove(room, room + skip, strlen(room + skip) + 1);
                        *ret_path = room;
                        return 0;
                }
                if (rc != -ENOENT && rc != -ENOTDIR)
                        worst = -EACCES;
                at += len;
                if (*at == '\0')
                        return worst;
        }
}

int
green__sys_find_program(const char *file, const char *cwd, char **ret_path)
{
        const char *folders = getenv("PATH");
        size_t size;
        char *room;
        int rc;

        if (*file == '\0')
                return -ENOENT;
        if (folders == NULL)
                folders = "/usr/local/bin:/usr/bin:/bin";
        size = strlen(folders) + strlen(file) + (cwd == NULL ? 0 : strlen(cwd)) + sizeof "//./";
        room = green_malloc(size);
        if (room == NULL)
                return -ENOMEM;
        if (strchr(file, '/') != NULL) {
                snprintf(room, size, "%s", file);
                *ret_path = room;
                return 0;
        }
        rc = search(folders, file, cwd, room, size, ret_path);
        if (rc != 0)
                green_free(room);
        return rc;
}

/* ---- in the child, which has the parent's memory: system calls only */

struct start {
        const struct green__program *program;
        pid_t parent;
        volatile int error;
};

/* No handler of the parent's may run here; and a program begins with what is usual, not with what its parent ignores.
 */
static GREEN__IN_SHARED_CHILD void
reset_signals(void)
{
        struct sigaction usual;

        memset(&usual, 0, sizeof usual);
        usual.sa_handler = SIG_DFL;
        for (int signum = 1; signum < NSIG; signum++)
                (void)sigaction(signum, &usual, NULL);
}

static GREEN__IN_SHARED_CHILD int
keep_on_exec(green_fd fd)
{
        return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

static GREEN__IN_SHARED_CHILD int
put(green_fd from, green_fd to)
{
        int rc;

        do
                rc = dup2(from, to) < 0 ? -errno : 0;
        while (rc == -EINTR || rc == -EBUSY);
        return rc;
}

/* Those that stand where another one has to go are moved out of the way first. */
static GREEN__IN_SHARED_CHILD int
place_fds(const green_fd given[3])
{
        green_fd from[3];
        int rc = 0;

        for (int i = 0; i < 3; i++) {
                from[i] = given[i];
                if (from[i] >= 0 && from[i] < 3 && from[i] != i)
                        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
                if (given[i] >= 0 && from[i] < 0)
                        return -errno;
        }
        for (int i = 0; i < 3 && rc == 0; i++) {
                if (from[i] == GREEN__AS_STDOUT)
                        rc = put(1, i);
                else if (from[i] < 0)
                        (void)keep_on_exec(i); /* it may not be open, and stays so */
                else if (from[i] == i)
                        rc = keep_on_exec(i);
                else
                        rc = put(from[i], i);
        }
        return rc;
}

static GREEN__IN_SHARED_CHILD int
become(const struct start *start)
{
        const struct green__program *p = start->program;
        sigset_t none;
        int rc;

        reset_signals();
        if (p->new_session && setsid() < 0)
                return -errno;
        if (p->new_group && !p->new_session && setpgid(0, 0) != 0)
                return -errno;
        rc = p->kill_at_exit ? green__sys_die_with_parent(start->parent) : 0;
        if (rc == 0)
                rc = place_fds(p->fds);
        for (size_t i = 0; i < p->pass_count && rc == 0; i++)
                rc = keep_on_exec(p->pass[i]);
        if (rc == 0 && p->cwd != NULL && chdir(p->cwd) != 0)
                rc = -errno;
        if (rc != 0)
                return rc;
        green__sys_close_others(p->pass, p->pass_count);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        return execve(p->path, (char *const *)(uintptr_t)p->argv,
                      p->env == NULL ? environ : (char *const *)(uintptr_t)p->env) != 0
                       ? -errno
                       : 0;
}

static GREEN__IN_SHARED_CHILD int
child(void *arg)
{
        struct start *start = arg;

        start->error = become(start);
        _exit(EXIT_NOT_RUN);
}

/* ---- starting it */

/*
 * What goes wrong in the child stands in the memory it shares, when the parent goes on. (Where an emulator makes an
 * ordinary fork of it, such as Valgrind, the program ends with status 127 instead.)
 */
int
green__sys_spawn(const struct green__program *program, pid_t *ret_pid, green_fd *ret_pidfd)
{
        struct start start = {.program = program, .parent = getpid()};
        green_fd pidfd = GREEN_INVALID_FD;
        pid_t pid = -1;
        int rc, status;

        rc = green__sys_fork_shared(child, &start, &pid, &pidfd);
        if (rc != 0)
                return rc;
        if (start.error == 0) {
                *ret_pid = pid;
                *ret_pidfd = pidfd;
                return 0;
        }
        (void)green__sys_reap(pid, pidfd, true, &status);
        if (pidfd != GREEN_INVALID_FD)
                close(pidfd);
        return start.error;
}

/* ---- its end */

int
green__sys_status_of(int status)
{
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int
green__sys_reap(pid_t pid, green_fd pidfd, bool wait, int *ret_status)
{
        int rc = -ENOSYS, status = 0;

        if (pidfd != GREEN_INVALID_FD)
                rc = green__sys_pidfd_reap(pidfd, wait, ret_status);
        if (rc == -ENOSYS) {
                do
                        rc = waitpid(pid, &status, wait ? 0 : WNOHANG);
                while (rc < 0 && errno == EINTR);
                if (rc < 0)
                        rc = -errno;
                else if (rc > 0)
                        *ret_status = green__sys_status_of(status);
        }
        if (rc == -ECHILD) {
                *ret_status = GREEN__STATUS_UNKNOWN;
                rc = 1;
        }
        return rc > 0 ? 1 : rc;
}

/* Its number, and that of its group, are its own as long as it was not reaped: that it has not been is known first. */
int
green__sys_kill(pid_t pid, green_fd pidfd, bool group, int signum)
{
        siginfo_t info;
        int rc;

        if (pidfd != GREEN_INVALID_FD) {
                rc = green__sys_pidfd_kill(pidfd, group ? 0 : signum);
                if (rc == 0 && group)
                        rc = kill(-pid, signum) != 0 ? -errno : 0;
                if (rc != -ENOSYS)
                        return rc;
        }
        do
                rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
        while (rc != 0 && errno == EINTR);
        if (rc != 0)
                return -ESRCH;
        return kill(group ? -pid : pid, signum) != 0 ? -errno : 0;
}

pid_t
green__sys_waitpid(pid_t pid, int *ret_status, int options)
{
        pid_t rc;

        do
                rc = waitpid(pid, ret_status, options | WNOHANG);
        while (rc < 0 && errno == EINTR);
        return rc < 0 ? -errno : rc;
}

/* ---- descriptors */

int
green__sys_program_end(green_fd *fd, bool program_writes)
{
        int flags = fcntl(*fd, F_GETFL);

        (void)program_writes;
        if (flags < 0)
                return -errno;
        return fcntl(*fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

int
green__sys_move_up(green_fd *fd)
{
        int copy, rc;

        if (*fd > STDERR_FILENO)
                return 0;
        copy = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        rc = copy < 0 ? -errno : 0;
        if (rc == 0) {
                close(*fd);
                *fd = copy;
        }
        return rc;
}

int
green__sys_open_null(green_fd *ret_fd)
{
        int fd;

        do
                fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        while (fd < 0 && errno == EINTR);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}
