/*
 * Waiting for children, for foreign code: see patch_priv.h.
 *
 * Who waits for any child does not get those that are waited for by their number, of green_process handles and of
 * system(): a look that takes nothing tells whose turn it is first. So it is where nothing can wait as a green thread,
 * too: in the handler of SIGCHLD, for one.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/thread.h>
#include <green/tpool.h>

#include "../process_owned.h"
#include "../process_sys.h"
#include "patch_process.h"

/* One of the calls. */
struct wait_call {
        idtype_t type;
        id_t id;
        pid_t pid;            /* as of waitpid(); not of waitid() */
        int options;          /* as it was given */
        bool by_id;           /* waitid() */
        bool block;           /* the OS thread waits */
        int status;           /* what comes of it */
        siginfo_t info;       /* of waitid() */
        struct rusage *usage; /* may be NULL */
};

/* ---- a look */

/* What waitid() is to look for, where the call is another one. */
static int
kinds(const struct wait_call *c)
{
        return c->by_id ? c->options & ~(WNOHANG | WNOWAIT) : (c->options & ~WNOHANG) | WEXITED;
}

static pid_t
take_id(struct wait_call *c, idtype_t type, id_t id, int options)
{
        memset(&c->info, 0, sizeof c->info);
        return waitid(type, id, &c->info, options) != 0 ? -errno : c->info.si_pid;
}

static pid_t
take_pid(struct wait_call *c, pid_t pid, int options)
{
        pid_t rc = wait4(pid, &c->status, options, c->usage);

        return rc < 0 ? -errno : rc;
}

/* One that is there, unless somebody else is faster: then 0. */
static pid_t
take_seen(struct wait_call *c, pid_t pid)
{
        pid_t rc;

        if (c->by_id)
                rc = take_id(c, P_PID, (id_t)pid, c->options | WNOHANG);
        else
                rc = take_pid(c, pid, c->options | WNOHANG);
        return rc == -ECHILD ? 0 : rc;
}

/* Any child, but those that belong to somebody. */
static pid_t
look_at_all(struct wait_call *c)
{
        pid_t rc;

        do {
                siginfo_t seen = {.si_pid = 0};

                if (waitid(c->type, c->id, &seen, kinds(c) | WNOWAIT | (c->block ? 0 : WNOHANG)) != 0)
                        return -errno;
                if (seen.si_pid == 0)
                        return 0;
                rc = green__owned_keep(seen.si_pid) ? 0 : take_seen(c, seen.si_pid);
        } while (rc == 0);
        return rc;
}

static pid_t
look(void *arg)
{
        struct wait_call *c = arg;
        int options = c->block ? c->options : c->options | WNOHANG;
        pid_t rc;

        do {
                if ((c->type == P_ALL || c->type == P_PGID) && green__owned_any())
                        rc = look_at_all(c);
                else if (c->by_id)
                        rc = take_id(c, c->type, c->id, options);
                else
                        rc = take_pid(c, c->pid, options);
        } while (rc == -EINTR && !c->block);
        return rc;
}

/* ---- the calls */

/* This child, where nothing but its end counts; or 0. */
static pid_t
exact(const struct wait_call *c)
{
        if (c->type != P_PID || (c->by_id ? c->options != WEXITED : c->options != 0))
                return 0;
        return (pid_t)c->id;
}

/* By a pidfd, which a signal handler may interrupt. 1: there is none. */
static int
wait_for_end(pid_t pid)
{
        green_fd pidfd = GREEN_INVALID_FD;
        int rc;

        if (pid <= 0 || green__sys_pidfd_open(pid, &pidfd) != 0)
                return 1;
        green_notify_opened(pidfd);
        rc = green__patch_wait(pidfd, GREEN_READ, GREEN_FOREVER, false);
        green_notify_close(pidfd);
        (void)close(pidfd);
        return rc;
}

static pid_t
wait_green(struct wait_call *c)
{
        pid_t rc = green_checkpoint();

        if (rc == 0)
                rc = look(c);
        while (rc == 0) {
                rc = wait_for_end(exact(c));
                if (rc == 0)
                        rc = look(c);
                else if (rc > 0)
                        rc = green__os_wait_child(exact(c), look, c);
        }
        return rc;
}

static pid_t
run(struct wait_call *c)
{
        int error = errno;
        pid_t rc;

        if ((c->options & WNOHANG) != 0) {
                rc = look(c);
                if (rc == 0 && green__patch_may_wait())
                        green__patch_turn();
        } else if (!green__patch_may_wait()) {
                c->block = true;
                rc = look(c);
        } else {
                rc = wait_green(c);
        }
        errno = error;
        return rc < 0 ? green__patch_fail(rc) : rc;
}

static pid_t
patched_wait4(pid_t pid, int *ret_status, int options, struct rusage *ret_usage)
{
        struct rusage usage;
        struct wait_call c = {.type = P_ALL, .pid = pid, .options = options, .usage = &usage};
        pid_t rc;

        if (pid > 0)
                c.type = P_PID;
        else if (pid != -1)
                c.type = P_PGID;
        if (c.type != P_ALL)
                c.id = (id_t)(pid > 0 ? pid : pid == 0 ? getpgrp() : -pid);
        rc = run(&c);
        if (rc > 0 && ret_status != NULL)
                *ret_status = c.status;
        if (rc > 0 && ret_usage != NULL)
                *ret_usage = usage;
        return rc;
}

static pid_t
patched_wait3(int *ret_status, int options, struct rusage *ret_usage)
{
        return patched_wait4(-1, ret_status, options, ret_usage);
}

static pid_t
patched_waitpid(pid_t pid, int *ret_status, int options)
{
        return patched_wait4(pid, ret_status, options, NULL);
}

static pid_t
patched_wait(int *ret_status)
{
        return patched_wait4(-1, ret_status, 0, NULL);
}

static int
patched_waitid(idtype_t type, id_t id, siginfo_t *ret_info, int options)
{
        struct wait_call c = {.type = type, .id = id, .options = options, .by_id = true};
        pid_t rc;

        if (type == P_PGID && id == 0)
                c.id = (id_t)getpgrp();
        rc = run(&c);
        if (rc < 0)
                return -1;
        if (ret_info != NULL)
                *ret_info = c.info;
        return 0;
}

/*
 * The stream's own wait is in libc, which nobody can change: so the whole call is made in the pool. It ends the stream,
 * so it is not left behind.
 */
static void *
run_pclose(void *arg)
{
        FILE **at = arg;
        int status = pclose(*at);

        *at = NULL;
        return status == -1 ? green_fail(errno != 0 ? -errno : -ECHILD) : (void *)(intptr_t)status;
}

static int
patched_pclose(FILE *stream)
{
        void *result = NULL;
        FILE *at = stream;
        int rc, error = errno;

        if (!green__patch_may_wait())
                return pclose(stream);
        green_shield_begin();
        rc = green_tpool_execute(run_pclose, &at, NULL, &result);
        green_shield_end();
        errno = error;
        /* No thread of the pool was to be had. */
        if (rc != 0 && at != NULL)
                return pclose(stream);
        return rc != 0 ? green__patch_fail(rc) : (int)(intptr_t)result;
}

const struct patch_entry green__patch_process[] = {
        PATCH_ENTRY("wait", patched_wait, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("__wait", patched_wait, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("waitpid", patched_waitpid, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("__waitpid", patched_waitpid, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("wait3", patched_wait3, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("wait4", patched_wait4, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("waitid", patched_waitid, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("system", green__patched_system, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRY("pclose", patched_pclose, GREEN_PATCH_SUBPROCESS),
        PATCH_ENTRIES_END,
};
