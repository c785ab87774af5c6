/*
 * Files of modules for tests: copies that ended early, and a folder with the library and, beside it, modules of all kinds,
 * as the library looks for them there. A child of the test is given that library.
 */
#ifndef GREEN_TESTS_MODULE_FILES_H
#define GREEN_TESTS_MODULE_FILES_H

#include "suite.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of a path of these. */
enum { MODULE_PATH = 512 };

/* A variable of a child's environment; value NULL: it is to have none. */
struct module_variable {
        const char *name, *value;
};

/*
 * What differs by system: MODULE_END, how a module's file is called; MODULE_CUT, MODULE_NO_FILE and MODULE_MISSING, how it
 * is told that a file is cut short, none, or not there; module_needed(), how many bytes of a file are missed, and
 * MODULE_SLACK, how many of those are not; MODULE_STAYS, whether the file of a module that is loaded cannot be removed.
 *
 * module_library(): the library's file; false, and the test is skipped, where it is no file of its own. module_place():
 * a file, or link, with what another has. module_make_pipe(): a named pipe; false: here they are no files.
 * module_beside(): a library in that folder, as the child is to find it. module_run_self(): what this program says when it
 * is started with these variables, two at most; it ends with 0.
 */
#if defined(_WIN32)
#include "module_files_win32.h"
#else
#include "module_files_posix.h"
#endif

/* These bytes, in a file of that name. */
static inline bool
module_write(const char *path, const char *bytes, size_t len)
{
        FILE *out = fopen(path, "wb");
        bool good = out != NULL && fwrite(bytes, 1, len, out) == len;

        if (out != NULL)
                good = fclose(out) == 0 && good;
        return CHECK(good);
}

/* The first len bytes of from, in a file of that name. */
static inline bool
module_write_part(const char *path, const char *from, size_t len)
{
        char *bytes = malloc(len);
        FILE *in = fopen(from, "rb");
        bool good = CHECK(bytes != NULL && in != NULL && fread(bytes, 1, len, in) == len);

        good = good && module_write(path, bytes, len);
        if (in != NULL)
                fclose(in);
        free(bytes);
        return good;
}

/* A plug-in of the tests, or an empty file. */
static inline void
module_put(const char *folder, const char *file, const char *plugin)
{
        char path[MODULE_PATH];

        snprintf(path, sizeof path, "%s/%s", folder, file);
        if (plugin != NULL)
                module_place(path, suite_plugin(plugin));
        else
                module_write(path, "", 0);
}

/* A folder for modules beside a library in tmp, which is there; false, and the test is skipped, without one. */
static inline bool
module_make_folder(const char *tmp, char folder[MODULE_PATH])
{
        char lib[PATH_MAX];

        if (!module_library(lib))
                return false;
        module_beside(tmp, lib, folder);
        return CHECK_INT(mkdir(folder, 0700), 0);
}

static inline void
module_remove_all(const char *tmp)
{
        char command[MODULE_PATH];

        snprintf(command, sizeof command, "rm -r '%s'", tmp);
        CHECK_INT(system(command), 0);
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
