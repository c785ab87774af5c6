/* What the frame of test programs wants of POSIX systems; see suite_system.h. */
#include "suite_system.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "suite_here.h"

enum { HANG_GRACE = 5 /* seconds for suite_on_hang */, MAX_WORDS = 16, LINE = 512 };

int
suite__fds(int *fds, int room)
{
        DIR *dir = opendir("/proc/self/fd");
        const struct dirent *entry;
        int count = 0;

        if (dir == NULL)
                return -1;
        while ((entry = readdir(dir)) != NULL) {
                int fd = atoi(entry->d_name);

                if (entry->d_name[0] != '.' && fd != dirfd(dir) && count < room)
                        fds[count++] = fd;
        }
        closedir(dir);
        return count;
}

void
suite__fd_text(int fd, char *text, size_t size)
{
        char link[64];
        ssize_t len;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        len = readlink(link, text, size - 1);
        text[len > 0 ? len : 0] = '\0';
}

static void
on_abort(int sig)
{
        if (suite_on_hang != NULL)
                suite_on_hang();
        raise(sig);
}

/* The dump is made by the thread that hangs: it alone sees its green threads. */
void
suite__end_hung(pthread_t victim)
{
        struct sigaction action = {.sa_handler = on_abort, .sa_flags = SA_RESETHAND | SA_NODEFER};

        sigaction(SIGABRT, &action, NULL);
        pthread_kill(victim, SIGABRT);
        sleep(HANG_GRACE);
        fprintf(stderr, "%s: the dump hangs as well\n", suite_name);
        signal(SIGABRT, SIG_DFL);
        abort();
}

int
suite__thread(pthread_t *ret_thread, void *(*fn)(void *unused))
{
        sigset_t all, old;
        int err;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        err = pthread_create(ret_thread, NULL, fn, NULL);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return err;
}

int
suite__around_forks(void (*before)(void), void (*after)(void))
{
        return pthread_atfork(before, after, after);
}

int
suite__append_to(const char *path)
{
        return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

void
suite__load_hub(void)
{
        const char *hub = getenv("GREEN_HUB");

        if (hub != NULL && strchr(hub, '/') != NULL)
                (void)dlopen(hub, RTLD_NOW | RTLD_LOCAL);
}

/* By its path: under valgrind the link is another program's. */
void
suite_exec_self(const char *argument)
{
        const char *emulator = getenv("GREEN_TEST_EMULATOR");
        static char path[PATH_MAX], words[LINE];
        const char *arguments[MAX_WORDS + 3];
        char *at = words;
        size_t n = 0;
        ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

        if (len <= 0)
                return;
        path[len] = '\0';
        snprintf(words, sizeof words, "%s", emulator != NULL ? emulator : "");
        while (n < MAX_WORDS && (arguments[n] = suite_here_word(&at)) != NULL)
                n++;
        arguments[n++] = path;
        arguments[n++] = argument;
        arguments[n] = NULL;
        execvp(arguments[0], (char *const *)(uintptr_t)arguments); /* its prototype */
}

int
suite_run_self(const char *argument)
{
        int status = -1;
        pid_t child = fork();

        if (child == 0) {
                suite_exec_self(argument);
                _exit(99);
        }
        return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
