/* What a test program is told of the machine it runs on; suite.h says how it is used. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "suite.h"
#include "suite_here.h"

enum { MAX_LISTED = 64, MAX_WORDS = 16, LINE = 512 };

/* The lines of this program, each cut into its three parts. */
static struct {
        char line[LINE];
        const char *test, *reason;
} listed[MAX_LISTED];
static size_t listed_count;

/* Cuts the next word off; NULL: there is none. */
static char *
word_of(char **at)
{
        char *word = *at + strspn(*at, " \t\n");

        *at = word + strcspn(word, " \t\n");
        if (**at != '\0')
                *(*at)++ = '\0';
        return *word != '\0' ? word : NULL;
}

static bool
is_a_test(const char *name)
{
        const struct suite_test *test = suite_tests;

        while (test->name != NULL && strcmp(test->name, name) != 0)
                test++;
        return test->name != NULL || strcmp(name, "*") == 0;
}

/* One line: PROGRAM TEST REASON. False: it is for this program, and makes no sense. */
static bool
take_line(const char *line)
{
        char *at = listed[listed_count].line;
        const char *program;

        snprintf(at, LINE, "%s", line);
        program = word_of(&at);
        if (program == NULL || program[0] == '#' || strcmp(program, suite_name) != 0)
                return true;
        listed[listed_count].test = word_of(&at);
        at += strspn(at, " \t");
        at[strcspn(at, "\n")] = '\0';
        listed[listed_count].reason = at;
        if (listed[listed_count].test == NULL || *at == '\0' || !is_a_test(listed[listed_count].test))
                return false;
        return ++listed_count < MAX_LISTED;
}

int
suite_here_begin(void)
{
        const char *path = getenv("GREEN_TEST_SKIPS");
        char line[LINE];
        bool good = true;
        FILE *f;

        if (path == NULL || path[0] == '\0')
                return 0;
        f = fopen(path, "r");
        if (f == NULL) {
                fprintf(stderr, "%s: GREEN_TEST_SKIPS: cannot read %s\n", suite_name, path);
                return -1;
        }
        while (good && fgets(line, sizeof line, f) != NULL)
                good = take_line(line);
        fclose(f);
        if (!good)
                fprintf(stderr, "%s: no such test, or no reason, or too many: %s", suite_name, line);
        return good ? 0 : -1;
}

const char *
suite_here_refuses(const char *test)
{
        for (size_t i = 0; i < listed_count; i++) {
                if (strcmp(listed[i].test, test) == 0 || strcmp(listed[i].test, "*") == 0)
                        return listed[i].reason;
        }
        return NULL;
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
        while (n < MAX_WORDS && (arguments[n] = word_of(&at)) != NULL)
                n++;
        arguments[n++] = path;
        arguments[n++] = argument;
        arguments[n] = NULL;
        execvp(arguments[0], (char *const *)(uintptr_t)arguments); /* its prototype */
}
