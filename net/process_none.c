/*
 * Processes where green-net does not know how to start them: every call is refused. See process_sys.h.
 */
#include <config.h>

#include <errno.h>

#include "process_sys.h"

int
green__sys_find_program(const char *file, const char *cwd, char **ret_path)
{
        (void)file;
        (void)cwd;
        (void)ret_path;
        return -ENOTSUP;
}

int
green__sys_spawn(const struct green__program *program, pid_t *ret_pid, green_fd *ret_pidfd)
{
        (void)program;
        (void)ret_pid;
        (void)ret_pidfd;
        return -ENOTSUP;
}

int
green__sys_reap(pid_t pid, green_fd pidfd, bool wait, int *ret_status)
{
        (void)pid;
        (void)pidfd;
        (void)wait;
        (void)ret_status;
        return -ENOTSUP;
}

int
green__sys_kill(pid_t pid, green_fd pidfd, bool group, int signum)
{
        (void)pid;
        (void)pidfd;
        (void)group;
        (void)signum;
        return -ENOTSUP;
}

pid_t
green__sys_waitpid(pid_t pid, int *ret_status, int options)
{
        (void)pid;
        (void)ret_status;
        (void)options;
        return -ENOTSUP;
}

int
green__sys_pidfd_open(pid_t pid, green_fd *ret_fd)
{
        (void)pid;
        (void)ret_fd;
        return -ENOSYS;
}

int
green__sys_make_blocking(green_fd fd)
{
        (void)fd;
        return -ENOTSUP;
}

int
green__sys_open_null(green_fd *ret_fd)
{
        (void)ret_fd;
        return -ENOTSUP;
}

int
green__sys_move_up(green_fd *fd)
{
        (void)fd;
        return 0;
}
