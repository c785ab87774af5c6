/*
 * What the tests of debugging share: what is written to a descriptor, as text.
 */
#ifndef GREEN_TESTS_CORE_DEBUG_H
#define GREEN_TESTS_CORE_DEBUG_H

#include "core_suite.h"

/* A frame of its own, whatever the compiler thinks of it: what follows the call is still to be done. */
#define APART __attribute__((noinline, noclone))
#define NOT_THE_LAST_CALL() __asm__ volatile("" ::: "memory")

#if defined(__clang__)
#undef APART
#define APART __attribute__((noinline))
#endif

struct written {
        char text[65536];
        FILE *file;
        int saved; /* stderr, while it goes there; or -1 */
};

static inline bool
written_begin(struct written *w, bool from_stderr)
{
        *w = (struct written){.file = tmpfile(), .saved = -1};
        if (!CHECK(w->file != NULL))
                return false;
        if (from_stderr) {
                fflush(stderr);
                w->saved = dup(2);
                dup2(fileno(w->file), 2);
        }
        return true;
}

static inline const char *
written_end(struct written *w)
{
        size_t n;

        if (w->saved >= 0) {
                dup2(w->saved, 2);
                close(w->saved);
        }
        fseek(w->file, 0, SEEK_SET);
        n = fread(w->text, 1, sizeof w->text - 1, w->file);
        w->text[n] = '\0';
        fclose(w->file);
        return w->text;
}

/* Text has these words, in this order. */
static inline bool
has_words(const char *text, const char *const *words)
{
        const char *at = text;

        for (int i = 0; words[i] != NULL; i++) {
                at = strstr(at, words[i]);
                if (at == NULL)
                        return FAIL("no \"%s\" in: %s", words[i], text);
                at += strlen(words[i]);
        }
        return true;
}
#define HAS(text, ...) has_words(text, (const char *const[]){__VA_ARGS__, NULL})

/* libunwind opens a pipe when it is first used, and keeps it. */
static inline void
debug_setup(void)
{
        static bool done;
        struct written w;

        core_setup();
        if (!done && written_begin(&w, false)) {
                (void)green_debug_dump(fileno(w.file));
                (void)written_end(&w);
        }
        done = true;
}

static inline void
debug_init(void)
{
        core_init();
        suite_setup = debug_setup;
}

static inline bool
names_are_known(void)
{
        return green_debug_can_walk() != NULL && strcmp(green_debug_can_walk(), "libunwind") == 0;
}

#endif
