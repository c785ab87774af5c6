/*
 * Files of modules for tests: copies that ended early, and a folder with the library and, beside it, modules of all kinds,
 * as the library looks for them there. A child of the test is given that library.
 */
#ifndef GREEN_TESTS_MODULE_FILES_H
#define GREEN_TESTS_MODULE_FILES_H

#include "suite.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Bytes of a path of these. */
enum { MODULE_PATH = 512 };

/* The first len bytes of from, in a file of that name. */
static inline bool
module_write_part(const char *path, const char *from, size_t len)
{
        char *bytes = malloc(len);
        FILE *in = fopen(from, "rb"), *out = fopen(path, "wb");
        bool good = bytes != NULL && in != NULL && out != NULL && fread(bytes, 1, len, in) == len &&
                    fwrite(bytes, 1, len, out) == len;

        if (in != NULL)
                fclose(in);
        if (out != NULL)
                fclose(out);
        free(bytes);
        return CHECK(good);
}

/* The library's file; false, and the test is skipped, where it is no file of its own. */
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

/* A plug-in of the tests, or an empty file. */
static inline void
module_put(const char *folder, const char *file, const char *plugin)
{
        char path[MODULE_PATH], whole[PATH_MAX];

        snprintf(path, sizeof path, "%s/%s", folder, file);
        if (plugin != NULL)
                CHECK(realpath(suite_plugin(plugin), whole) != NULL && symlink(whole, path) == 0);
        else
                CHECK_INT(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
}

/* A folder for modules beside a library in tmp, which is there; false, and the test is skipped, without one. */
static inline bool
module_make_folder(const char *tmp, char folder[MODULE_PATH])
{
        char lib[PATH_MAX], path[MODULE_PATH];

        if (!module_library(lib))
                return false;
        snprintf(path, sizeof path, "%s/libgreen-core.so.0", tmp);
        CHECK_INT(symlink(lib, path), 0);
        snprintf(folder, MODULE_PATH, "%s/green-net", tmp);
        return CHECK_INT(mkdir(folder, 0700), 0);
}

static inline void
module_remove_all(const char *tmp)
{
        char command[MODULE_PATH];

        snprintf(command, sizeof command, "rm -r '%s'", tmp);
        CHECK_INT(system(command), 0);
}

/* What this program says when it is started with the variable set, and finds its library in tmp. It ends with 0. */
static inline void
module_ask_child(const char *tmp, const char *variable, char *out, size_t size)
{
        ssize_t got;
        size_t len = 0;
        int pipes[2], status = -1;
        pid_t pid;

        out[0] = '\0';
        if (!CHECK_INT(pipe(pipes), 0))
                return;
        pid = fork();
        if (pid == 0) {
                alarm((unsigned)(20 * suite_slow()));
                setenv("LD_LIBRARY_PATH", tmp, 1);
                setenv(variable, "1", 1);
                dup2(pipes[1], STDOUT_FILENO);
                suite_exec_self(NULL);
                _exit(99);
        }
        close(pipes[1]);
        while (len < size - 1 && (got = read(pipes[0], out + len, size - 1 - len)) > 0)
                len += (size_t)got;
        out[len] = '\0';
        close(pipes[0]);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
}

/* A line of what was said: it begins so, and has these words in it. */
static inline void
module_check_line(const char *out, const char *begin, const char *words)
{
        const char *line = out;
        size_t len = strlen(begin);

        while (strncmp(line, begin, len) != 0) {
                line = strchr(line, '\n');
                if (line == NULL) {
                        FAIL("no line begins with \"%s\": %s", begin, out);
                        return;
                }
                line++;
        }
        if (memmem(line, strcspn(line, "\n"), words, strlen(words)) == NULL)
                FAIL("\"%s\" is not in \"%.*s\"", words, (int)strcspn(line, "\n"), line);
}

#endif
