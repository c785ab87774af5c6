/*
 * The end of a process: waiting for it, and bringing it about. See <green/process.h>.
 *
 * While somebody waits there is a watch on the pidfd, which hands the status to all. Where there is no pidfd those who
 * wait look for themselves, each time when a child may have ended.
 */
#include "process_priv.h"

#include "signal_priv.h"
#include "signal_sys.h"

/* Without a pidfd: look again after so many seconds, in case that the signal got lost. */
#define SLOWLY 0.25

void
green__process_forget_parent(green_process *p)
{
        if (green__likely(p->forks == green__sys_forks))
                return;
        p->forks = green__sys_forks;
        p->users = 0;
        p->talking = false;
        p->ended = true;
        p->status = GREEN__STATUS_UNKNOWN;
        (void)green_watch_stop(&p->watch);
        if (p->pidfd != GREEN_INVALID_FD) {
                green_notify_close(p->pidfd);
                green__sys_close(p->pidfd);
        }
        p->pidfd = GREEN_INVALID_FD;
}

static void
end(green_process *p, int status)
{
        struct green_wait *w;

        green__owned_remove(&p->owned);
        p->ended = true;
        p->status = status;
        (void)green_watch_stop(&p->watch);
        if (p->pidfd != GREEN_INVALID_FD) {
                green_notify_close(p->pidfd);
                green__sys_close(p->pidfd);
                p->pidfd = GREEN_INVALID_FD;
        }
        while ((w = green_waitq_first(&p->waiters)) != NULL) {
                w->value = (void *)(intptr_t)status;
                p->users--;
                green_wake(w, 0);
        }
}

/* green__sys_reap(), where foreign code may have waited for it. */
static int
reap(green_process *p, bool wait, int *ret_status)
{
        int rc = green__sys_reap(p->pid, p->pidfd, wait, ret_status), status;

        if (rc > 0 && *ret_status == GREEN__STATUS_UNKNOWN && green__owned_status(&p->owned, &status))
                *ret_status = green__sys_status_of(status);
        return rc;
}

int
green__process_look(green_process *p)
{
        int status = 0, rc = p->ended ? 0 : reap(p, false, &status);

        if (rc > 0)
                end(p, status);
        return rc < 0 ? rc : 0;
}

/* ---- with a pidfd */

static int
start_watch(green_process *p)
{
        return green_watch_active(&p->watch) ? 0 : green_watch_start(&p->watch, p->pidfd, GREEN_READ, GREEN_FOREVER);
}

/* In hub context. */
void
green__process_watched(struct green_watch *watch, int result, void *arg)
{
        green_process *p = arg;
        struct green_wait *w;
        int rc = result < 0 ? result : green__process_look(p);

        (void)watch;
        if (rc == 0 && !p->ended)
                rc = start_watch(p);
        while (rc != 0 && (w = green_waitq_first(&p->waiters)) != NULL)
                green_wake(w, rc);
}

static int
wait_by_watch(green_process *p, double timeout, int *ret_status)
{
        struct green_wait w;
        int rc = start_watch(p);

        if (rc != 0)
                return rc;
        p->users++;
        rc = green_park(&p->waiters, &w, timeout);
        if (rc == 0) {
                *ret_status = (int)(intptr_t)w.value;
                return 0;
        }
        p->users--;
        if (green_waitq_first(&p->waiters) == NULL)
                (void)green_watch_stop(&p->watch);
        return rc;
}

/* ---- without */

static int
wait_by_signal(green_process *p, double timeout, int *ret_status)
{
        int64_t until = green__end_of(timeout);
        int rc;

        p->users++;
        for (;;) {
                double left = green__left_until(until);

                rc = green__children_listen();
                if (rc == 0)
                        rc = green__process_look(p);
                if (rc == 0 && !p->ended)
                        rc = left > 0 ? green__children_wait(left < SLOWLY ? left : SLOWLY) : -ETIMEDOUT;
                else
                        break;
                if (rc == -ETIMEDOUT && left > 0)
                        rc = 0;
                if (rc != 0)
                        break;
        }
        green__children_leave();
        *ret_status = p->status;
        p->users--;
        return rc;
}

int
green_process_wait(green_process *p, double timeout, int *ret_status)
{
        int status = 0, rc = p == NULL ? -EINVAL : green_park_check(p->hub, "a process", timeout, NULL);

        if (rc != 0)
                return rc;
        green__process_forget_parent(p);
        rc = green__process_look(p);
        if (rc != 0)
                return rc;
        if (p->ended)
                status = p->status;
        else if (timeout == 0)
                return -ETIMEDOUT;
        else if (p->pidfd != GREEN_INVALID_FD)
                rc = wait_by_watch(p, timeout, &status);
        else
                rc = wait_by_signal(p, timeout, &status);
        if (rc == 0 && ret_status != NULL)
                *ret_status = status;
        return rc;
}

/* ---- its end, brought about */

int
green_process_kill(green_process *p, int signum)
{
        int rc = p == NULL ? -EINVAL : green_hub_check(p->hub, "a process");

        if (rc != 0)
                return rc;
        green__process_forget_parent(p);
        /* Of a group whose leader has ended, and was not waited for, others may be there. */
        if (!p->leads)
                rc = green__process_look(p);
        if (rc != 0 || p->ended)
                return rc != 0 ? rc : -ESRCH;
        return green__sys_kill(p->pid, p->pidfd, p->leads, signum);
}

int
green__process_finish(green_process *p, double time_to_end)
{
        int status = 0, rc = green__process_look(p);

        if (rc != 0 || p->ended)
                return rc;
        if (green_getcurrent() == NULL)
                return -EDEADLK;
        green_shield_begin();
        rc = -ETIMEDOUT;
        if (time_to_end > 0 && green_process_kill(p, SIGTERM) == 0)
                rc = green_process_wait(p, time_to_end, NULL);
        if (rc != 0) {
                (void)green_process_kill(p, SIGKILL);
                rc = green_process_wait(p, GREEN_FOREVER, NULL);
        }
        green_shield_end();
        /* It was killed: that takes no time, and a zombie is worse. */
        if (rc != 0 && !p->ended) {
                rc = reap(p, true, &status);
                if (rc > 0)
                        end(p, status);
        }
        return rc < 0 ? rc : 0;
}
