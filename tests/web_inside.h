/*
 * A folder in a folder, with something beside it that must not be seen: for the tests of what can be reached. Each is made
 * twice, in one call of the system, where it can, and step by step.
 */
#ifndef GREEN_WEB_INSIDE_H
#define GREEN_WEB_INSIDE_H

#include "web_folder.h"

#include "../web/static_priv.h"

#define SECRET "outside"

#if defined(_WIN32)
bool green__static_stepwise; /* there is one way only */
#endif

/* The folder around it. */
static char outer[256];

MAYBE void
begin_inside(const struct green_static_opts *opts)
{
        folder_begin();
        snprintf(outer, sizeof outer, "%s", folder);
        put_text("secret.txt", SECRET);
        make_folder("www");
        make_folder("www-else");
        put_text("www-else/secret.txt", SECRET);
        snprintf(folder + strlen(folder), sizeof folder - strlen(folder), "/www");
        put_text("a.txt", "inside");
        make_folder("sub");
        put_text("sub/b.txt", "below");
        put_text(".hidden", "hidden");
        make_folder(".git");
        put_text(".git/config", "hidden");
        make_folder(".well-known");
        put_text(".well-known/x", "known");
        put_text(".well-known/.y", "hidden");
        begin_with(opts);
}

MAYBE void
end_inside(void)
{
        end();
        snprintf(folder, sizeof folder, "%s", outer);
        folder_end();
}

MAYBE void
link_to(const char *target, const char *name)
{
        CHECK_INT(symlink(target, in_folder(name)), 0);
}

/* Neither is it there, nor is anything of the secret said. */
MAYBE void
is_not_there(const char *target)
{
        const char *answer = fetch("GET", target, "");
        int status = status_of(answer);

        if (status != 404 && status != 400)
                FAIL("%s: %d", target, status);
        if (strstr(answer, SECRET) != NULL || strstr(answer, "root:") != NULL)
                FAIL("%s: %s", target, answer);
}

#define BOTH_WAYS(test)                                                                                                \
        static void test##_stepwise(void)                                                                              \
        {                                                                                                              \
                bool was = green__static_stepwise;                                                                     \
                                                                                                                       \
                green__static_stepwise = true;                                                                         \
                test();                                                                                                \
                green__static_stepwise = was;                                                                          \
        }

#endif
