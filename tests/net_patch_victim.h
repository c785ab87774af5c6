/*
 * What the tests of net/patch/ share that change the imports of a library that knows nothing of green-net. What concerns the
 * whole process happens in a child.
 */
#ifndef GREEN_TESTS_NET_PATCH_VICTIM_H
#define GREEN_TESTS_NET_PATCH_VICTIM_H

#include "net_suite.h"

#include "patch_victim.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define LATE 0.02 /* seconds: for what has to be seen to wait */

/* ---- children, and libraries */

MAYBE bool
no_modules(void)
{
        if (suite_plugin("patch_victim_now") != NULL)
                return false;
        suite_skip("no modules in this build");
        return true;
}

/* Its checks count here. */
MAYBE void
in_child(void (*fn)(void))
{
        int status = 0;
        pid_t pid;

        if (no_modules() || suite_skip_without_child_threads())
                return;
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
                fn();
                fflush(NULL);
                _exit(suite_failures() != 0);
        }
        CHECK_OR_RETURN(pid > 0);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
}

MAYBE void *
load(const char *name)
{
        const char *path = suite_plugin(name);
        void *handle = path == NULL ? NULL : dlopen(path, RTLD_LAZY | RTLD_LOCAL);

        if (handle == NULL) {
                FAIL("%s cannot be loaded", name);
                _exit(1);
        }
        return handle;
}

/* A function of a library; to be cast to its type. */
MAYBE void (*function(void *handle, const char *name))(void)
{
        void *symbol = dlsym(handle, name);
        void (*fn)(void) = NULL;

        if (!CHECK(symbol != NULL))
                _exit(1);
        memcpy(&fn, &symbol, sizeof fn);
        return fn;
}

typedef ssize_t (*read_fn)(int, void *, size_t);
typedef int (*nap_fn)(long);

MAYBE void *
pointer(void (*fn)(void))
{
        void *p = NULL;

        memcpy(&p, &fn, sizeof p);
        return p;
}

/* ---- does a call let others run? */

struct victim_call {
        void *handle;
        const char *name;
        int fd;
        bool over;
};

MAYBE void *
read_one(void *arg)
{
        struct victim_call *c = arg;
        char byte = 0;

        CHECK_INT(((read_fn)function(c->handle, c->name))(c->fd, &byte, 1), 1);
        CHECK_INT(byte, 'x');
        c->over = true;
        return NULL;
}

/* It waits in a green thread until another one has written. Were it not green nobody would come to write. */
MAYBE void
reads_green(void *handle, const char *name)
{
        struct victim_call c = {.handle = handle, .name = name};
        green_thread *gt;
        int fds[2];

        CHECK_INT(pipe(fds), 0);
        c.fd = fds[0];
        gt = green_spawn(read_one, &c);
        CHECK_INT(green_sleep(LATE), 0);
        CHECK(!c.over);
        CHECK_INT(write(fds[1], "x", 1), 1);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK(c.over);
        green_thread_unref(gt);
        close(fds[0]);
        close(fds[1]);
}

MAYBE void *
set_flag(void *arg)
{
        *(bool *)arg = true;
        return NULL;
}

/* Does another green thread come to run while the library sleeps? */
MAYBE bool
naps_green(void *handle)
{
        nap_fn nap = (nap_fn)function(handle, "victim_nap");
        bool ran = false;
        green_thread *gt = green_spawn(set_flag, &ran);

        CHECK_INT(nap(5), 0);
        if (ran) {
                green_thread_unref(gt);
                return true;
        }
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        return false;
}

#endif
