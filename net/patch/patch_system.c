/*
 * system(), for foreign code: see patch_priv.h.
 *
 * As the system's: the shell does not die of SIGINT and SIGQUIT for its parent, which ignores them meanwhile, however
 * many run at once. SIGCHLD is not blocked, since others run and may wait for it: that no handler takes the shell's end
 * is what process_owned.h is for. Where the caller is killed so is the shell.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/thread.h>

#include "../process_owned.h"
#include "../process_owned_lock.h"
#include "patch_process.h"

/* What a shell ends with that could not be started. */
#define NOT_RUN (127 << 8)

extern char **environ;

/* Of all calls that run: under the lock of process_owned.h. */
static struct {
        int running;
        struct sigaction on_int, on_quit; /* before the first of them */
} ignored;

struct shell {
        struct green__owned owned;
        pid_t pid;
        int status;
};

struct start {
        const char *command;
        posix_spawnattr_t attr;
};

/* ---- signals */

static void
begin_to_ignore(void)
{
        struct sigaction ignore = {.sa_flags = 0};
        sigset_t old;

        ignore.sa_handler = SIG_IGN;
        sigemptyset(&ignore.sa_mask);
        green__owned_lock(&old);
        if (ignored.running++ == 0) {
                (void)sigaction(SIGINT, &ignore, &ignored.on_int);
                (void)sigaction(SIGQUIT, &ignore, &ignored.on_quit);
        }
        green__owned_unlock(&old);
}

static void
end_to_ignore(void)
{
        sigset_t old;

        green__owned_lock(&old);
        if (--ignored.running == 0) {
                (void)sigaction(SIGINT, &ignored.on_int, NULL);
                (void)sigaction(SIGQUIT, &ignored.on_quit, NULL);
        }
        green__owned_unlock(&old);
}

/* What it begins with: these two as they were. */
static int
set_signals(posix_spawnattr_t *attr)
{
        sigset_t usual, now;
        int rc;

        sigemptyset(&usual);
        if (ignored.on_int.sa_handler != SIG_IGN)
                sigaddset(&usual, SIGINT);
        if (ignored.on_quit.sa_handler != SIG_IGN)
                sigaddset(&usual, SIGQUIT);
        pthread_sigmask(SIG_SETMASK, NULL, &now);
        rc = posix_spawnattr_setsigdefault(attr, &usual);
        if (rc == 0)
                rc = posix_spawnattr_setsigmask(attr, &now);
        if (rc == 0)
                rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        return rc;
}

/* ---- the shell */

static pid_t
spawn(void *arg)
{
        const struct start *s = arg;
        const char *const argv[] = {"sh", "-c", "--", s->command, NULL};
        pid_t pid = -1;
        int rc = posix_spawn(&pid, "/bin/sh", NULL, &s->attr, (char *const *)(uintptr_t)argv, environ);

        return rc != 0 ? -rc : pid;
}

static int
start(struct shell *shell, const char *command)
{
        struct start s = {.command = command};
        int rc = posix_spawnattr_init(&s.attr);

        if (rc != 0)
                return rc;
        rc = set_signals(&s.attr);
        if (rc == 0)
                shell->pid = green__owned_start(&shell->owned, spawn, &s);
        (void)posix_spawnattr_destroy(&s.attr);
        if (rc == 0 && shell->pid < 0)
                rc = -shell->pid;
        return rc;
}

static pid_t
look(void *arg)
{
        struct shell *shell = arg;
        pid_t rc;

        do
                rc = waitpid(shell->pid, &shell->status, WNOHANG);
        while (rc < 0 && errno == EINTR);
        if (rc >= 0)
                return rc;
        return green__owned_status(&shell->owned, &shell->status) ? shell->pid : -errno;
}

/* Its end; where something ends the wait, by force. */
static pid_t
finish(struct shell *shell)
{
        pid_t rc = green__os_wait_child(shell->pid, look, shell);

        if (rc < 0 && rc != -ECHILD) {
                (void)kill(shell->pid, SIGKILL);
                green_shield_begin();
                (void)green__os_wait_child(shell->pid, look, shell);
                green_shield_end();
        }
        green__owned_remove(&shell->owned);
        return rc;
}

/* 0: its status is that of system(); or what ended the wait. */
static int
run(struct shell *shell, const char *command)
{
        int error = errno, rc;
        pid_t pid;

        begin_to_ignore();
        rc = start(shell, command);
        if (rc == 0) {
                pid = finish(shell);
                rc = pid < 0 ? pid : 0;
                errno = error;
        } else {
                errno = rc;
                rc = 0;
        }
        end_to_ignore();
        return rc;
}

int
green__patched_system(const char *command)
{
        struct shell *shell;
        int rc, status;

        if (command == NULL || !green__patch_may_wait())
                return system(command);
        rc = green_checkpoint();
        if (rc != 0)
                return green__patch_fail(rc);
        /* Not on the stack: the hub may end while it runs, and nobody would take it off the list. */
        shell = green_calloc(1, sizeof *shell);
        if (shell == NULL)
                return green__patch_fail(-ENOMEM);
        shell->status = NOT_RUN;
        rc = run(shell, command);
        status = shell->status;
        green_free(shell);
        /* Last, since a cancelled POSIX thread ends there. */
        return rc != 0 ? green__patch_fail(rc) : status;
}
