/*
 * A shell for programs of the tests: this program does what they say, when it is called sh.exe. See net_process.h, which
 * includes it.
 */
#ifndef GREEN_TESTS_NET_PROCESS_WIN32_H
#define GREEN_TESTS_NET_PROCESS_WIN32_H

#include "suite_system.h"

#include <windows.h>

#undef ERROR

/* ---- the shell: commands with ';' between, of the few that tests have */

static char sh_value[256]; /* what was read; the one variable is $a */

/* To standard error where the last word says so. Everything goes out at once, as it does from a shell. */
static void
sh_say(char **words, int n, const char *zero, const char *end)
{
        FILE *to = n > 0 && strcmp(words[n - 1], ">&2") == 0 ? stderr : stdout;

        n -= to == stderr;
        for (int i = 0; i < n; i++) {
                const char *word = strcmp(words[i], "$a") == 0 ? sh_value : strcmp(words[i], "$0") == 0 ? zero : words[i];

                fprintf(to, "%s%s", i > 0 ? " " : "", word);
        }
        fprintf(to, "%s", end);
        fflush(to);
}

/* Standard input, up to that many bytes; to: where to, -1 for nowhere. */
static void
sh_copy(size_t len, int to)
{
        char bytes[4096];
        int n;

        while (len > 0 && (n = _read(0, bytes, len < sizeof bytes ? (unsigned)len : sizeof bytes)) > 0) {
                if (to >= 0 && _write(to, bytes, (unsigned)n) != n)
                        _exit(2);
                len -= (size_t)n;
        }
}

/* "head -c N FILE >&2": the file is one of zeros. */
static void
sh_zeros(size_t len)
{
        static const char zeros[4096];

        for (; len > 0; len -= len < sizeof zeros ? len : sizeof zeros)
                if (_write(2, zeros, len < sizeof zeros ? (unsigned)len : sizeof zeros) <= 0)
                        _exit(2);
}

static void
sh_read(void)
{
        size_t len = 0;

        while (len < sizeof sh_value - 1 && _read(0, sh_value + len, 1) == 1 && sh_value[len] != '\n')
                len++;
        sh_value[len] = '\0';
}

static void
sh_do(char **words, int n, const char *zero)
{
        if (strcmp(words[0], "echo") == 0)
                sh_say(words + 1, n - 1, zero, "\n");
        else if (strcmp(words[0], "printf") == 0)
                sh_say(words + 1, n - 1, zero, "");
        else if (strcmp(words[0], "cat") == 0)
                sh_copy(SIZE_MAX, 1);
        else if (strcmp(words[0], "head") == 0 && n > 3)
                sh_zeros((size_t)atoi(words[2]));
        else if (strcmp(words[0], "read") == 0)
                sh_read();
        else if (strcmp(words[0], "sleep") == 0)
                Sleep((DWORD)(atof(words[1]) * 1000));
        else if (strcmp(words[0], "exec") == 0) /* <&- */
                (void)_close(0);
        else if (strcmp(words[0], "exit") == 0)
                _exit(n == 1 ? 0 : atoi(strcmp(words[1], "$0") == 0 ? zero : words[1]));
        else if (strcmp(words[0], "trap") != 0) /* no signal comes */
                _exit(127);
}

static void
sh_run(char *text, const char *zero)
{
        char *command;

        (void)_setmode(0, _O_BINARY);
        (void)_setmode(1, _O_BINARY);
        (void)_setmode(2, _O_BINARY);
        while ((command = strsep(&text, ";")) != NULL) {
                char *words[16], *word;
                int n = 0;

                while (n < 16 && (word = strsep(&command, " ")) != NULL)
                        if (*word != '\0')
                                words[n++] = word;
                if (n > 0)
                        sh_do(words, n, zero);
        }
        _exit(0);
}

/* ---- programs: copies of this one, in a folder that is looked in first */

static char sh_folder[MAX_PATH];

static void
sh_remove(void)
{
        char path[MAX_PATH + 16];

        snprintf(path, sizeof path, "%s/sh.exe", sh_folder);
        (void)unlink(path);
        snprintf(path, sizeof path, "%s/true.exe", sh_folder);
        (void)unlink(path);
        (void)rmdir(sh_folder);
}

static void
sh_install(const char *self)
{
        static char path[32767];

        snprintf(sh_folder, sizeof sh_folder, "/tmp/green-sh-XXXXXX");
        if (mkdtemp(sh_folder) == NULL)
                return;
        (void)atexit(sh_remove);
        snprintf(path, sizeof path, "%s/sh.exe", sh_folder);
        (void)CopyFileA(self, path, FALSE);
        snprintf(path, sizeof path, "%s/true.exe", sh_folder);
        (void)CopyFileA(self, path, FALSE);
        (void)GetFullPathNameA(sh_folder, MAX_PATH, path, NULL);
        snprintf(path + strlen(path), sizeof path - strlen(path), ";%s", getenv("PATH"));
        setenv("PATH", path, 1);
}

static __attribute__((constructor)) void
sh_begin(void)
{
        char self[MAX_PATH];
        const char *name;

        SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
        GetModuleFileNameA(NULL, self, sizeof self);
        name = strrchr(self, '\\');
        if (name != NULL && strcmp(name, "\\true.exe") == 0)
                _exit(0);
        if (name != NULL && strcmp(name, "\\sh.exe") == 0)
                sh_run(__argc > 2 ? __argv[2] : (char[]){""}, __argc > 3 ? __argv[3] : "sh");
        sh_install(self);
}

/* ---- what the tests call */

/* Seconds after which a program has surely begun: wine takes its time. */
#define BEGUN 2.0

/* There is one way. */
static bool no_pidfd, no_close_range;

MAYBE void
both_ways(void (*fn)(void))
{
        fn();
}

MAYBE bool
children_share_memory(void)
{
        return no_close_range;
}

/* Of those that were started here none is waited for by others. */
MAYBE void
no_children(void)
{
}

/* OS threads that carry for programs close their sockets a little after those have ended. */
static void
settle(void)
{
        static int first = -1;
        int fds[64], n;

        base_state();
        n = suite__fds(fds, 64);
        if (first < 0)
                first = n;
        for (int i = 0; i < 1000 && n > first; i++) {
                (void)green_sleep(0.005);
                n = suite__fds(fds, 64);
        }
}

/* Before descriptors are counted. */
MAYBE void
settle_later(void)
{
        suite_setup = settle;
}

#endif
