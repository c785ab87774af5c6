/*
 * What Linux has for processes: a fork that shares memory and gives a pidfd. See process_sys.h.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <green/alloc.h>

#include "check.h"
#include "process_sys.h"

/* Of headers that are older than the kernel: the same numbers for all machines. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#define WAIT_PIDFD 3 /* P_PIDFD of waitid() */

/* Its frames, and those of the dynamic linker, where it binds as it goes. */
#define STACK_SIZE 65536

/* ---- the fork */

int
green__sys_fork_shared(int (*fn)(void *arg), void *arg, pid_t *ret_pid, green_fd *ret_pidfd)
{
        const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
        char *stack = green_malloc(STACK_SIZE), *top;
        green_fd pidfd = GREEN_INVALID_FD;
        sigset_t all, old;
        pid_t pid;
        int error;

        if (stack == NULL)
                return -ENOMEM;
        top = (char *)((uintptr_t)(stack + STACK_SIZE) & ~(uintptr_t)63);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        pid = clone(fn, top, flags | CLONE_PIDFD, arg, &pidfd);
        if (pid < 0 && errno == EINVAL)
                pid = clone(fn, top, flags, arg);
        error = errno;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        green_free(stack);
        if (pid < 0)
                return -error;
        *ret_pid = pid;
        *ret_pidfd = pidfd;
        return 0;
}

/* ---- in the child */

static GREEN__IN_SHARED_CHILD int
close_range_(unsigned first, unsigned last)
{
        return first > last || syscall(SYS_close_range, first, last, 0) == 0 ? 0 : -errno;
}

static GREEN__IN_SHARED_CHILD bool
is_kept(int fd, const green_fd *keep, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (keep[i] == fd)
                        return true;
        return fd < 3;
}

struct entry {
        uint64_t inode;
        int64_t next;
        unsigned short len;
        unsigned char type;
        char name[];
};

static GREEN__IN_SHARED_CHILD int
number_of(const char *name)
{
        int n = 0;

        if (*name < '0' || *name > '9')
                return -1;
        for (; *name >= '0' && *name <= '9'; name++)
                n = n * 10 + (*name - '0');
        return n;
}

/* Close what one reading of the list names; how many they were. */
static GREEN__IN_SHARED_CHILD int
close_listed(int list, const green_fd *keep, size_t n)
{
        _Alignas(struct entry) char names[2048];
        int closed = 0;
        long len;

        while ((len = syscall(SYS_getdents64, list, names, sizeof names)) > 0) {
                for (long at = 0; at < len; at += ((struct entry *)(void *)(names + at))->len) {
                        int fd = number_of(((struct entry *)(void *)(names + at))->name);

                        /* One that will not be closed, such as those of Valgrind, would be listed for ever. */
                        if (fd != list && !is_kept(fd, keep, n))
                                closed += close(fd) == 0;
                }
        }
        return closed;
}

/* Kernels before 5.9. What is open is listed in /proc; the list shrinks while it is read, so it is read again. */
static GREEN__IN_SHARED_CHILD void
close_one_by_one(const green_fd *keep, size_t n)
{
        int list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct rlimit limit;

        if (list >= 0) {
                while (close_listed(list, keep, n) > 0 && lseek(list, 0, SEEK_SET) == 0)
                        ;
                close(list);
                return;
        }
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
                limit.rlim_cur = 65536;
        for (int fd = 3; (rlim_t)fd < limit.rlim_cur; fd++)
                if (!is_kept(fd, keep, n))
                        close(fd);
}

GREEN__IN_SHARED_CHILD void
green__sys_close_others(const green_fd *keep, size_t n)
{
        unsigned first = 3;
        int rc = 0;

        for (size_t i = 0; i < n && rc == 0; i++) {
                if ((unsigned)keep[i] > first)
                        rc = close_range_(first, (unsigned)keep[i] - 1);
                first = (unsigned)keep[i] + 1;
        }
        if (rc == 0)
                rc = close_range_(first, ~0u);
        if (rc != 0)
                close_one_by_one(keep, n);
}

GREEN__IN_SHARED_CHILD int
green__sys_die_with_parent(pid_t parent)
{
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
                return -errno;
        /* It may have ended before. */
        return getppid() == parent ? 0 : -ESRCH;
}

/* ---- pidfds */

int
green__sys_pidfd_open(pid_t pid, green_fd *ret_fd)
{
        long fd = syscall(SYS_pidfd_open, pid, 0);

        if (fd < 0)
                return -errno;
        *ret_fd = (green_fd)fd;
        return 0;
}

int
green__sys_pidfd_reap(green_fd pidfd, bool wait, int *ret_status)
{
        siginfo_t info;
        int rc;

        do {
                info.si_pid = 0;
                rc = waitid((idtype_t)WAIT_PIDFD, (id_t)pidfd, &info, WEXITED | (wait ? 0 : WNOHANG));
        } while (rc != 0 && errno == EINTR);
        if (rc != 0)
                return errno == EINVAL ? -ENOSYS : -errno; /* 5.3 has pidfds, and cannot wait for them */
        if (info.si_pid == 0)
                return 0;
        *ret_status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
        return 1;
}

int
green__sys_pidfd_kill(green_fd pidfd, int signum)
{
        return syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) != 0 ? -errno : 0;
}
