/*
 * A folder with files that a test makes.
 */
#ifndef GREEN_WEB_FILES_H
#define GREEN_WEB_FILES_H

#include "web_suite.h"

#include <sys/stat.h>

static char folder[256];

/* The path of a file in it. */
MAYBE const char *
in_folder(const char *name)
{
        static char path[600];

        snprintf(path, sizeof path, "%s/%s", folder, name);
        return path;
}

MAYBE void
put_file(const char *name, const void *data, size_t len)
{
        FILE *f = fopen(in_folder(name), "wb");

        if (!CHECK(f != NULL))
                return;
        CHECK_INT(fwrite(data, 1, len, f), len);
        CHECK_INT(fclose(f), 0);
}

MAYBE void
put_text(const char *name, const char *text)
{
        put_file(name, text, strlen(text));
}

MAYBE void
make_folder(const char *name)
{
        CHECK_INT(mkdir(in_folder(name), 0755), 0);
}

MAYBE void
folder_begin(void)
{
        const char *tmp = getenv("TMPDIR");

        snprintf(folder, sizeof folder, "%s/green-static-XXXXXX", tmp != NULL ? tmp : "/tmp");
        CHECK(mkdtemp(folder) != NULL);
}

/* With all that is in it. */
MAYBE void
folder_end(void)
{
        char command[600];

        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        CHECK_INT(system(command), 0);
}

#endif
