/*
 * The counters, on a console: samples alone, without what Prometheus wants besides.
 */
#include "backdoor_priv.h"

#include <green/metrics.h>

/* All of the text, before the client is waited for: sources stay where they are only while they are asked. */
struct text {
        char *bytes;
        size_t len, size;
        bool failed; /* memory ran out */
};

static void
add(void *arg, const char *piece, size_t len)
{
        struct text *t = arg;

        if (t->failed)
                return;
        if (len > t->size - t->len) {
                size_t size = 2 * t->size + len + 4096;
                char *bytes = green_realloc(t->bytes, size);

                if (bytes == NULL) {
                        t->failed = true;
                        return;
                }
                t->bytes = bytes;
                t->size = size;
        }
        memcpy(t->bytes + t->len, piece, len);
        t->len += len;
}

/* memmem(), which is not everywhere. */
static bool
contains(const char *line, size_t len, const char *part)
{
        size_t n = strlen(part);

        for (size_t i = 0; i + n <= len; i++)
                if (memcmp(line + i, part, n) == 0)
                        return true;
        return false;
}

/* Is a line to be shown, for a part of a name, or NULL? */
static bool
is_wanted(const char *line, size_t len, const char *part)
{
        if (len == 0 || *line == '#')
                return false;
        return part != NULL ? contains(line, len, part) : !contains(line, len, "_bucket{");
}

int
green__backdoor_metrics(green_backdoor_console *c, int argc, char **argv)
{
        const char *part = argc > 1 ? argv[1] : NULL;
        struct text t = {.bytes = NULL};
        int rc = green_metrics_format(add, &t);

        if (rc != 0 || t.failed)
                rc = green__backdoor_complain(c, "metrics: %s", green_strerror(rc != 0 ? rc : -ENOMEM));
        for (size_t at = 0; rc == 0 && !t.failed && at < t.len;) {
                const char *newline = memchr(t.bytes + at, '\n', t.len - at);
                size_t len = newline == NULL ? t.len - at : (size_t)(newline - t.bytes) - at + 1;

                if (is_wanted(t.bytes + at, len, part))
                        rc = green__backdoor_write(c, t.bytes + at, len);
                at += len;
        }
        green_free(t.bytes);
        return rc;
}
