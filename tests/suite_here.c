/* What a test program is told of the machine it runs on; suite.h says how it is used. */
#include <stdio.h>
#include <stdlib.h>

#include "suite.h"
#include "suite_here.h"

enum { MAX_LISTED = 64, LINE = 512 };

/* The lines of this program, each cut into its three parts. */
static struct {
        char line[LINE];
        const char *test, *reason;
} listed[MAX_LISTED];
static size_t listed_count;

char *
suite_here_word(char **at)
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
        program = suite_here_word(&at);
        if (program == NULL || program[0] == '#' || strcmp(program, suite_name) != 0)
                return true;
        listed[listed_count].test = suite_here_word(&at);
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
