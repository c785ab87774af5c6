/*
 * read(), write() and waitpid() that let others run, on descriptors and children that are no objects of green-net. See
 * <green/process.h>.
 */
#include <config.h>

#include <errno.h>

#include <green/error.h>
#include <green/hubs.h>
#include <green/process.h>
#include <green/thread.h>

#include "check.h"
#include "pipe_sys.h"
#include "process_owned.h"
#include "process_sys.h"
#include "signal_priv.h"
#include "sock_sys.h"

/* Calls in this OS thread that did not wait, before one lets the others run. */
#define STREAK 64

/* For whom there is no pidfd: look again after so many seconds. */
#define SLOWLY 0.25
/* The same where no signal tells of them either. */
#define OFTEN 0.02

/* ---- descriptors */

static int
enter(void)
{
        static _Thread_local unsigned calls;

        if (green_get_hub() == NULL)
                return green_last_error()->code;
        if (green__likely(++calls <= STREAK) || green_getcurrent() == NULL)
                return green_checkpoint();
        calls = 0;
        return green_sleep(0);
}

ssize_t
green_os_read(green_fd fd, void *buf, size_t len)
{
        struct green__fd_kind kind;
        ssize_t rc = (intptr_t)fd < 0 || (buf == NULL && len > 0) ? -EINVAL : enter();

        if (rc == 0)
                rc = green__sys_kind_as_is(fd, false, &kind);
        while (rc == 0) {
                ssize_t n = green__sys_read(fd, &kind, buf, len);

                if (green__likely(n != -EAGAIN))
                        return n;
                rc = green_trampoline(fd, GREEN_READ, GREEN_FOREVER);
        }
        return rc;
}

ssize_t
green_os_write(green_fd fd, const void *buf, size_t len)
{
        const struct green_iovec iov = {(void *)(uintptr_t)buf, len};
        struct green__fd_kind kind;
        ssize_t rc = (intptr_t)fd < 0 || (buf == NULL && len > 0) ? -EINVAL : enter();

        if (rc == 0)
                rc = green__sys_kind_as_is(fd, true, &kind);
        while (rc == 0) {
                ssize_t n = green__sys_writev(fd, &kind, &iov, 1);

                if (green__likely(n != -EAGAIN))
                        return n;
                rc = green_trampoline(fd, GREEN_WRITE, GREEN_FOREVER);
        }
        return rc;
}

/* ---- children */

/* Wait until this child may have ended. */
static int
wait_by_pidfd(green_fd pidfd)
{
        int rc;

        green_notify_opened(pidfd);
        rc = green_trampoline(pidfd, GREEN_READ, GREEN_FOREVER);
        green_notify_close(pidfd);
        green__sys_close(pidfd);
        return rc;
}

static pid_t
wait_by_signal(pid_t (*look)(void *arg), void *arg)
{
        bool no_signal = false;
        pid_t rc;
        int waited = 0;

        do {
                rc = green__children_listen();
                /* No signal tells of children on Windows. */
                no_signal = rc == -EINVAL;
                if (rc == 0 || no_signal)
                        rc = look(arg);
                if (rc != 0)
                        break;
                waited = no_signal ? green_sleep(OFTEN) : green__children_wait(SLOWLY);
        } while (waited == 0 || waited == -ETIMEDOUT);
        green__children_leave();
        return rc != 0 ? rc : waited;
}

pid_t
green__os_wait_child(pid_t exact, pid_t (*look)(void *arg), void *arg)
{
        green_fd pidfd = GREEN_INVALID_FD;
        pid_t rc = look(arg);

        while (rc == 0) {
                if (green_getcurrent() == NULL)
                        rc = -EDEADLK;
                else if (exact > 0 && green__sys_pidfd_open(exact, &pidfd) == 0)
                        rc = wait_by_pidfd(pidfd);
                else
                        rc = wait_by_signal(look, arg);
                if (rc == 0)
                        rc = look(arg);
        }
        return rc;
}

struct waitpid {
        pid_t pid;
        int options;
        int status;
};

static pid_t
look(void *arg)
{
        struct waitpid *w = arg;

        return green__sys_waitpid(w->pid, &w->status, w->options);
}

pid_t
green_os_waitpid(pid_t pid, int *ret_status, int options)
{
        struct waitpid w = {.pid = pid, .options = options};
        pid_t rc;

        if ((options & WNOHANG) != 0)
                rc = look(&w);
        else
                rc = enter();
        if (rc == 0 && (options & WNOHANG) == 0)
                rc = green__os_wait_child(options == 0 ? pid : 0, look, &w);
        if (rc > 0 && ret_status != NULL)
                *ret_status = w.status;
        return rc;
}

pid_t
green_os_wait(int *ret_status)
{
        return green_os_waitpid(-1, ret_status, 0);
}
