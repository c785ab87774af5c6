/*
 * What a console shows of the scheduler.
 */
#include "backdoor_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include <green/debug.h>
#include <green/hubs.h>
#include <green/local.h>
#include <green/tpool.h>

/* ---- green threads */

/* A line of green_debug_dump() has no more bytes. */
#define PIECE 1024

/* Show lines; of a short form not those of calls, "  #0  ...". 0, or a code. */
static int
show_lines(green_backdoor_console *c, const char *text, size_t len, bool whole)
{
        int rc = 0;

        while (rc == 0 && len > 0) {
                const char *newline = memchr(text, '\n', len);
                size_t n = newline == NULL ? len : (size_t)(newline - text) + 1;

                if (whole || n < 3 || memcmp(text, "  #", 3) != 0)
                        rc = green__backdoor_write(c, text, n);
                text += n;
                len -= n;
        }
        return rc;
}

/* Bytes up to the end of the last line that has one; all of them where none has. */
static size_t
whole_lines(const char *text, size_t len)
{
        size_t n = len;

        while (n > 0 && text[n - 1] != '\n')
                n--;
        return n > 0 ? n : len;
}

/* Show what was written to a descriptor. 0, or a code. */
static int
show(green_backdoor_console *c, int fd, bool whole)
{
        char piece[PIECE];
        int64_t at = 0;
        ssize_t n = 1;
        int rc = 0;

        while (rc == 0 && n > 0) {
                n = green__backdoor_scratch_read(fd, piece, sizeof piece, at);
                if (n < 0)
                        return green__backdoor_complain(c, "cannot be read: %s", green_strerror((int)n));
                if (n == (ssize_t)sizeof piece)
                        n = (ssize_t)whole_lines(piece, sizeof piece);
                rc = show_lines(c, piece, (size_t)n, whole);
                at += n;
        }
        return rc;
}

/* Nobody else runs while it is written; only then the client is waited for. */
int
green__backdoor_dump(green_backdoor_console *c, int (*fn)(int fd, uint64_t ident), uint64_t ident, bool whole)
{
        int fd = green__backdoor_scratch(), rc;

        if (fd < 0)
                return green__backdoor_complain(c, "no place for it: %s", green_strerror(fd));
        rc = fn(fd, ident) > 0 ? show(c, fd, whole)
                               : green__backdoor_complain(c, "there is no green thread %llu here; \"ps\" lists them",
                                                          (unsigned long long)ident);
        green__backdoor_scratch_close(fd);
        return rc;
}

/* A number of a green thread: 0 where it is none. */
uint64_t
green__backdoor_ident(const char *text)
{
        char *end;
        unsigned long long ident = strtoull(text, &end, 10);

        return *text >= '0' && *text <= '9' && *end == '\0' ? ident : 0;
}

int
green__backdoor_dump_all(int fd, uint64_t ident)
{
        (void)ident;
        return green_debug_dump(fd);
}

int
green__backdoor_ps(green_backdoor_console *c, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        return green__backdoor_dump(c, green__backdoor_dump_all, 0, false);
}

int
green__backdoor_kill(green_backdoor_console *c, int argc, char **argv)
{
        uint64_t ident = green__backdoor_ident(argv[1]);
        green_thread *gt = ident == 0 ? NULL : green_thread_find(ident);
        int rc, n;

        (void)argc;
        if (gt == NULL)
                return green__backdoor_complain(c, "kill: there is no green thread %.64s here; \"ps\" lists them",
                                                argv[1]);
        if (strcmp(green_thread_where(gt), "main") == 0) {
                green_thread_unref(gt);
                return green__backdoor_complain(c, "kill: that is the main one, and would be the end of the program");
        }
        rc = green_kill(gt, 0);
        if (rc == 0)
                n = green_backdoor_printf(c, "green thread %s %s\n", argv[1],
                                          green_thread_dead(gt) ? "has ended" : "is told to end");
        else
                n = green__backdoor_complain(c, "kill: %s", green_strerror(rc));
        green_thread_unref(gt);
        return n < 0 ? n : 0;
}

/* ---- hub and pool */

int
green__backdoor_hub(green_backdoor_console *c, int argc, char **argv)
{
        struct green_hub_info info = {.size = sizeof info};
        int rc = green_hub_get_info(&info), n;

        (void)argc;
        (void)argv;
        if (rc != 0)
                return green__backdoor_complain(c, "hub: %s", green_strerror(rc));
        n = green_backdoor_printf(c,
                                  "hub           %s (%s)\n"
                                  "context       %s\n"
                                  "green threads %zu, %zu of them ready\n"
                                  "waits         %zu for reading, %zu for writing\n"
                                  "deadlines     %zu\n"
                                  "stacks        %zu in use, %zu to use again, %zu bytes each, guard pages: %s\n"
                                  "switches      %llu\n"
                                  "polls         %llu\n",
                                  info.name, info.description, info.context, info.threads, info.ready, info.readers,
                                  info.writers, info.timers, info.stacks, info.stacks_pooled, info.stack_size,
                                  info.guard, (unsigned long long)info.switches, (unsigned long long)info.polls);
        return n < 0 ? n : 0;
}

int
green__backdoor_tpool(green_backdoor_console *c, int argc, char **argv)
{
        struct green_tpool_info info = {.size = sizeof info};
        int rc = green_tpool_get_info(&info), n;

        (void)argc;
        (void)argv;
        if (rc != 0)
                return green__backdoor_complain(c, "tpool: %s", green_strerror(rc));
        n = green_backdoor_printf(c, "OS threads %d\njobs       %zu run, %zu wait\n", info.threads, info.running,
                                  info.queued);
        return n < 0 ? n : 0;
}
