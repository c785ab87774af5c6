/*
 * The system's calls for processes, as net/ sees them: results are 0, a count, or -errno, and EINTR never comes back.
 * What differs by system stands in the files that implement this: process_posix.c, and process_linux.c or
 * process_other.c; process_win32.c.
 */
#ifndef GREEN_PROCESS_SYS_H
#define GREEN_PROCESS_SYS_H

#include <sys/types.h>
#if defined(_WIN32)
#define WNOHANG 1
#else
#include <sys/wait.h>
#endif

#include <green/hub.h>

/* Somebody else has waited for it. */
#define GREEN__STATUS_UNKNOWN (-1000)

/* Where stderr goes to where stdout goes. */
#define GREEN__AS_STDOUT (-2)

/* What is to be started. All that can fail early was looked up before: the child makes system calls only. */
struct green__program {
        const char *path;
        const char *const *argv;
        const char *const *env; /* NULL: the caller's */
        const char *cwd;        /* NULL: the caller's */
        green_fd fds[3];        /* what become its 0, 1 and 2; GREEN_INVALID_FD: they stay as they are */
        const green_fd *pass;   /* 3 or more, ascending */
        size_t pass_count;
        bool new_group;
        bool new_session;
        bool kill_at_exit;
};

/*
 * Find a program without a slash in its name in PATH. ret_path is the caller's, for green_free(); the name itself where
 * it has a slash. A folder of PATH that is relative counts from cwd, as the program will. -ENOENT, -EACCES, -ENOMEM.
 */
int green__sys_find_program(const char *file, const char *cwd, char **ret_path);

/* Start it. No process is left where this fails. ret_pidfd: GREEN_INVALID_FD where the system has none. */
int green__sys_spawn(const struct green__program *program, pid_t *ret_pid, green_fd *ret_pidfd);

/* Has it ended? 1: its status is as green_process_wait() tells it, and it is a zombie no more; 0: not yet. */
int green__sys_reap(pid_t pid, green_fd pidfd, bool wait, int *ret_status);

/* A status of waitpid(), as green_process_wait() tells it. */
int green__sys_status_of(int status);

/* Send a signal to it, or to the group that it leads. -ESRCH: it was reaped. */
int green__sys_kill(pid_t pid, green_fd pidfd, bool group, int signum);

/* waitpid(), never waiting. */
pid_t green__sys_waitpid(pid_t pid, int *ret_status, int options);

/* A descriptor that is readable when a child has ended. -ENOSYS. */
int green__sys_pidfd_open(pid_t pid, green_fd *ret_fd);

/*
 * For a program, closed on exec both: its end of a pipe of ours, which waits, and may be another descriptor afterwards;
 * /dev/null.
 */
int green__sys_program_end(green_fd *fd, bool program_writes);
int green__sys_open_null(green_fd *ret_fd);

/*
 * Where 0, 1 or 2 were closed a new descriptor may have got one of these numbers, and a program that inherits them
 * would have it: give it another.
 */
int green__sys_move_up(green_fd *fd);

/* ---- process_linux.c, process_other.c */

/*
 * Run fn(arg), which ends by exec or _exit(), in a child that shares the caller's memory and stands on a stack of its
 * own; the caller waits until then. All signals are blocked.
 */
int green__sys_fork_shared(int (*fn)(void *arg), void *arg, pid_t *ret_pid, green_fd *ret_pidfd);

/* In that child: close all descriptors from 3 on but some, ascending. */
void green__sys_close_others(const green_fd *keep, size_t n);

/* In that child: it is killed when its parent ends. */
int green__sys_die_with_parent(pid_t parent);

/* Through a pidfd; -ENOSYS: there are none. */
int green__sys_pidfd_reap(green_fd pidfd, bool wait, int *ret_status);
int green__sys_pidfd_kill(green_fd pidfd, int signum);

/* For code of that child, which sanitizers must leave alone: it has the parent's memory, and its frames never end. */
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 8)
#define GREEN__IN_SHARED_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#else
#define GREEN__IN_SHARED_CHILD
#endif

#endif
