/* See module_files.h, which includes it. */
#ifndef GREEN_TESTS_MODULE_FILES_POSIX_H
#define GREEN_TESTS_MODULE_FILES_POSIX_H

#include <dlfcn.h>
#include <sys/wait.h>

#define MODULE_END ".so"
#define MODULE_CUT "it cannot be loaded: the file is cut short;"
#define MODULE_NO_FILE "it cannot be loaded: it is no file;"
#define MODULE_MISSING "it cannot be loaded: No such file or directory;"
enum { MODULE_SLACK = 1, MODULE_STAYS = false };

/* What its headers say of it is at its end. */
static inline size_t
module_needed(const char *path)
{
        struct stat st;

        return CHECK_INT(stat(path, &st), 0) ? (size_t)st.st_size : 0;
}

static inline bool
module_library(char path[PATH_MAX])
{
        Dl_info info;

        if (suite_plugin("hub_late") == NULL || dladdr(dlsym(RTLD_DEFAULT, "green_module_open"), &info) == 0 ||
            strstr(info.dli_fname, "/libgreen-core.") == NULL || realpath(info.dli_fname, path) == NULL) {
                suite_skip("this build has no shared libraries");
                return false;
        }
        return true;
}

/* Of which nobody writes into. */
static inline bool
module_make_pipe(const char *path)
{
        return CHECK_INT(mkfifo(path, 0600), 0);
}

static inline void
module_place(const char *path, const char *from)
{
        char whole[PATH_MAX];

        CHECK(realpath(from, whole) != NULL && symlink(whole, path) == 0);
}

static inline void
module_beside(const char *tmp, const char *lib, char folder[MODULE_PATH])
{
        char path[MODULE_PATH];

        snprintf(path, sizeof path, "%s/libgreen-core.so.0", tmp);
        module_place(path, lib);
        snprintf(folder, MODULE_PATH, "%s/green-net", tmp);
}

/* In a child. */
static inline void
module_be_self(const char *tmp, const struct module_variable *variables, int out)
{
        alarm((unsigned)(20 * suite_slow()));
        if (tmp != NULL)
                setenv("LD_LIBRARY_PATH", tmp, 1);
        for (; variables->name != NULL; variables++) {
                if (variables->value != NULL)
                        setenv(variables->name, variables->value, 1);
                else
                        unsetenv(variables->name);
        }
        dup2(out, STDOUT_FILENO);
        suite_exec_self(NULL);
        _exit(99);
}

/* tmp: where it finds its library; NULL: where this one found it. */
static inline void
module_run_self(const char *tmp, const struct module_variable *variables, char *out, size_t size)
{
        ssize_t got;
        size_t len = 0;
        int pipes[2], status = -1;
        pid_t pid;

        out[0] = '\0';
        if (!CHECK_INT(pipe(pipes), 0))
                return;
        pid = fork();
        if (pid == 0)
                module_be_self(tmp, variables, pipes[1]);
        close(pipes[1]);
        while (len < size - 1 && (got = read(pipes[0], out + len, size - 1 - len)) > 0)
                len += (size_t)got;
        out[len] = '\0';
        close(pipes[0]);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
}

#endif
