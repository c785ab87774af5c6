/*
 * Names, arguments and environments of programs for Windows. See process_win32.h.
 */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <green/alloc.h>

#include "process_win32.h"

/* Characters that the system takes in a command line, the NUL included. */
#define LINE_MOST 32767

static int
wide_bytes(const char *bytes, size_t len, wchar_t **ret_wide)
{
        int n;

        if (len > INT32_MAX)
                return -E2BIG;
        *ret_wide = green_malloc(len * sizeof(wchar_t));
        if (*ret_wide == NULL)
                return -ENOMEM;
        n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, bytes, (int)len, *ret_wide, (int)len);
        if (n > 0)
                return 0;
        green_free(*ret_wide);
        *ret_wide = NULL;
        return -EILSEQ;
}

int
green__wide_text(const char *text, wchar_t **ret_wide)
{
        return wide_bytes(text, strlen(text) + 1, ret_wide);
}

/* ---- the command line */

static bool
needs_quotes(const char *word)
{
        return *word == '\0' || strpbrk(word, " \t\n\v\"") != NULL;
}

/*
 * Backslashes mean themselves, unless a quote follows: then two are one, and one more makes the quote an ordinary
 * character. The quote at the end is such a quote too. At most 2 * length + 2 bytes; returns what follows.
 */
static char *
quote(char *to, const char *word)
{
        size_t slashes = 0;

        *to++ = '"';
        for (; *word != '\0'; word++) {
                if (*word == '"') {
                        memset(to, '\\', slashes + 1);
                        to += slashes + 1;
                }
                slashes = *word == '\\' ? slashes + 1 : 0;
                *to++ = *word;
        }
        memset(to, '\\', slashes);
        to += slashes;
        *to++ = '"';
        return to;
}

int
green__command_line(const char *const *argv, wchar_t **ret_line)
{
        size_t room = 1;
        char *line, *to;
        int rc;

        /* The name ends at the next quote, whatever stands before that. */
        if (strchr(argv[0], '"') != NULL)
                return -EINVAL;
        for (size_t i = 0; argv[i] != NULL; i++)
                room += 2 * strlen(argv[i]) + 3;
        line = to = green_malloc(room);
        if (line == NULL)
                return -ENOMEM;
        for (size_t i = 0; argv[i] != NULL; i++) {
                size_t len = strlen(argv[i]);

                if (i > 0)
                        *to++ = ' ';
                if (i > 0 && needs_quotes(argv[i])) {
                        to = quote(to, argv[i]);
                        continue;
                }
                if (i == 0)
                        *to++ = '"';
                memcpy(to, argv[i], len);
                to += len;
                if (i == 0)
                        *to++ = '"';
        }
        *to = '\0';
        rc = green__wide_text(line, ret_line);
        green_free(line);
        if (rc == 0 && wcslen(*ret_line) >= LINE_MOST) {
                green_free(*ret_line);
                rc = -E2BIG;
        }
        return rc;
}

/* ---- the environment */

/* One after the other, each with its NUL, and a NUL at the end; two where there are none. */
int
green__environment(const char *const *env, wchar_t **ret_block)
{
        size_t room = 2, at = 0;
        char *block;
        int rc;

        *ret_block = NULL;
        if (env == NULL)
                return 0;
        for (size_t i = 0; env[i] != NULL; i++)
                room += strlen(env[i]) + 1;
        block = green_calloc(1, room);
        if (block == NULL)
                return -ENOMEM;
        for (size_t i = 0; env[i] != NULL; i++) {
                size_t len = strlen(env[i]) + 1;

                /* An empty one would be the end. */
                if (len == 1)
                        continue;
                memcpy(block + at, env[i], len);
                at += len;
        }
        rc = wide_bytes(block, room, ret_block);
        green_free(block);
        return rc;
}
