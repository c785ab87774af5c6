/*
 * Processes where there is vfork() and nothing more. See process_sys.h.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "process_sys.h"

int
green__sys_fork_shared(int (*fn)(void *arg), void *arg, pid_t *ret_pid, green_fd *ret_pidfd)
{
        sigset_t all, old;
        pid_t pid;
        int error;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        pid = vfork();
        if (pid == 0)
                _exit(fn(arg));
        error = errno;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (pid < 0)
                return -error;
        *ret_pid = pid;
        *ret_pidfd = GREEN_INVALID_FD;
        return 0;
}

GREEN__IN_SHARED_CHILD void
green__sys_close_others(const green_fd *keep, size_t n)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 1048576)
                limit.rlim_cur = 65536;
        for (int fd = 3; (rlim_t)fd < limit.rlim_cur; fd++) {
                size_t i = 0;

                while (i < n && keep[i] != fd)
                        i++;
                if (i == n)
                        close(fd);
        }
}

GREEN__IN_SHARED_CHILD int
green__sys_die_with_parent(pid_t parent)
{
        (void)parent;
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
green__sys_pidfd_reap(green_fd pidfd, bool wait, int *ret_status)
{
        (void)pidfd;
        (void)wait;
        (void)ret_status;
        return -ENOSYS;
}

int
green__sys_pidfd_kill(green_fd pidfd, int signum)
{
        (void)pidfd;
        (void)signum;
        return -ENOSYS;
}
