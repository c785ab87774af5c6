/*
 * The text of green_metrics_format(), read by a strict parser: the form of Prometheus, version 0.0.4. The program includes
 * suite.h before.
 */
#ifndef GREEN_TESTS_METRICS_TEXT_H
#define GREEN_TESTS_METRICS_TEXT_H

#include <green/metrics.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_FN __attribute__((unused)) static

enum { METRICS_ROOM = 1 << 18, METRICS_MOST = 4000, METRICS_NAME = 256, METRICS_SERIES = 600 };

struct metrics_sample {
        char series[METRICS_SERIES]; /* name and labels, as they stand there */
        double value;
};

struct metrics_histogram_state {
        char labels[METRICS_SERIES]; /* of the buckets, without le */
        double le, count;            /* of the last bucket; le is NAN where the next one is the first */
        bool sum;                    /* _sum has come, and _count is next */
};

/* What was read. */
struct metrics_text {
        char text[METRICS_ROOM];
        size_t len;
        struct metrics_sample samples[METRICS_MOST];
        size_t count;
        char names[METRICS_MOST / 4][METRICS_NAME]; /* that were announced */
        size_t names_count;
        char type[32];        /* of the last one */
        bool helped, awaited; /* its # HELP has come and its # TYPE has not; no sample of it has come yet */
        struct metrics_histogram_state h;
};

/* ---- pieces of a line: each moves *at behind what it read, and is false where that is not there */

METRICS_FN bool
metrics_word(const char **at, const char *word)
{
        size_t len = strlen(word);

        if (strncmp(*at, word, len) != 0)
                return false;
        *at += len;
        return true;
}

METRICS_FN bool
metrics_is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

METRICS_FN bool
metrics_name(const char **at, char *ret, size_t size)
{
        size_t n = 0;

        while (metrics_is_letter((*at)[n]) || (n > 0 && (*at)[n] >= '0' && (*at)[n] <= '9'))
                n++;
        if (n == 0 || n >= size)
                return false;
        memcpy(ret, *at, n);
        ret[n] = '\0';
        *at += n;
        return true;
}

METRICS_FN size_t
metrics_digits(const char *at)
{
        return strspn(at, "0123456789");
}

/* A number as Go's ParseFloat knows it: no comma, no hexadecimal, nothing behind it. */
METRICS_FN bool
metrics_number(const char *at, double *ret)
{
        const char *begin = at;
        size_t n, more = 0;

        if (strcmp(at, "NaN") == 0 || strcmp(at, "+Inf") == 0 || strcmp(at, "-Inf") == 0) {
                *ret = *at == 'N' ? NAN : *at == '+' ? INFINITY : -INFINITY;
                return true;
        }
        at += *at == '-' || *at == '+';
        n = metrics_digits(at);
        at += n;
        if (*at == '.') {
                more = metrics_digits(++at);
                at += more;
        }
        if (n + more == 0)
                return false;
        if (*at == 'e') {
                at++;
                at += *at == '-' || *at == '+';
                n = metrics_digits(at);
                if (n == 0)
                        return false;
                at += n;
        }
        *ret = strtod(begin, NULL);
        return *at == '\0';
}

/* {a="b",c="d"}: in ret all but le, whose value is put into le. */
METRICS_FN bool
metrics_labels(const char **at, char *ret, size_t size, char *le, size_t le_size)
{
        char names[16][METRICS_NAME];
        size_t count = 0, len = 0;

        ret[0] = le[0] = '\0';
        if (!metrics_word(at, "{"))
                return true;
        for (;;) {
                const char *begin = *at, *value;
                char *to = len > 0 ? ret + len : ret;

                if (count == 16 || !metrics_name(at, names[count], METRICS_NAME) || !metrics_word(at, "=\""))
                        return false;
                for (size_t i = 0; i < count; i++)
                        if (strcmp(names[i], names[count]) == 0)
                                return false;
                for (value = *at; **at != '"'; (*at)++) {
                        if (**at == '\0')
                                return false;
                        if (**at == '\\' && strchr("\\\"n", *++*at) == NULL)
                                return false;
                }
                if (strcmp(names[count], "le") == 0)
                        snprintf(le, le_size, "%.*s", (int)(*at - value), value);
                else
                        len += (size_t)snprintf(to, size - len, "%s%.*s", len > 0 ? "," : "", (int)(*at + 1 - begin), begin);
                count++;
                ++*at;
                if (metrics_word(at, "}"))
                        return len < size;
                if (!metrics_word(at, ","))
                        return false;
        }
}

/* ---- lines */

METRICS_FN bool
metrics_announce(struct metrics_text *m, const char *line)
{
        char name[METRICS_NAME];

        if (metrics_word(&line, "# HELP ")) {
                if (m->helped || m->awaited || !isnan(m->h.le) || m->h.sum)
                        return false;
                if (!metrics_name(&line, name, sizeof name) || !metrics_word(&line, " "))
                        return false;
                for (size_t i = 0; i < m->names_count; i++)
                        if (strcmp(m->names[i], name) == 0)
                                return false;
                for (; *line != '\0'; line++)
                        if (*line == '\\' && strchr("\\n", *++line) == NULL)
                                return false;
                snprintf(m->names[m->names_count++], METRICS_NAME, "%s", name);
                return m->helped = true;
        }
        if (!m->helped || !metrics_word(&line, "# TYPE ") || !metrics_name(&line, name, sizeof name))
                return false;
        if (strcmp(name, m->names[m->names_count - 1]) != 0 || !metrics_word(&line, " "))
                return false;
        snprintf(m->type, sizeof m->type, "%s", line);
        m->helped = false;
        m->awaited = true;
        return strcmp(line, "counter") == 0 || strcmp(line, "gauge") == 0 || strcmp(line, "histogram") == 0;
}

/* A line of a histogram: its buckets in order, then its sum, then its count, which is that of the last bucket. */
METRICS_FN bool
metrics_of_histogram(struct metrics_text *m, const char *suffix, const char *labels, const char *le, double value)
{
        struct metrics_histogram_state *h = &m->h;
        double bound;

        if (strcmp(suffix, "_bucket") == 0) {
                if (h->sum || !metrics_number(le, &bound) || value < 0 || value != floor(value))
                        return false;
                if (isnan(h->le)) {
                        snprintf(h->labels, sizeof h->labels, "%s", labels);
                        h->count = 0;
                } else if (strcmp(h->labels, labels) != 0 || bound <= h->le || value < h->count) {
                        return false;
                }
                h->le = bound;
                h->count = value;
                return true;
        }
        if (*le != '\0' || strcmp(h->labels, labels) != 0)
                return false;
        if (strcmp(suffix, "_sum") == 0) {
                if (!isinf(h->le) || h->sum)
                        return false;
                h->le = NAN;
                return h->sum = true;
        }
        if (strcmp(suffix, "_count") != 0 || !h->sum || value != h->count)
                return false;
        h->sum = false;
        return true;
}

METRICS_FN bool
metrics_sample(struct metrics_text *m, const char *line)
{
        const char *at = line, *of = m->names_count == 0 ? "" : m->names[m->names_count - 1];
        char name[METRICS_NAME], labels[METRICS_SERIES], le[64];
        struct metrics_sample *s = &m->samples[m->count];

        if (m->helped || m->count == METRICS_MOST || !metrics_name(&at, name, sizeof name))
                return false;
        if (!metrics_labels(&at, labels, sizeof labels, le, sizeof le))
                return false;
        snprintf(s->series, sizeof s->series, "%.*s", (int)(at - line), line);
        if (!metrics_word(&at, " ") || !metrics_number(at, &s->value))
                return false;
        for (size_t i = 0; i < m->count; i++)
                if (strcmp(m->samples[i].series, s->series) == 0)
                        return false;
        m->count++;
        m->awaited = false;
        if (strncmp(name, of, strlen(of)) != 0)
                return false;
        if (strcmp(m->type, "histogram") == 0)
                return metrics_of_histogram(m, name + strlen(of), labels, le, s->value);
        if (strcmp(m->type, "counter") == 0 && s->value < 0)
                return false;
        return *le == '\0' && strcmp(name, of) == 0;
}

/* ---- the whole */

METRICS_FN void
metrics_take(void *arg, const char *text, size_t len)
{
        struct metrics_text *m = arg;

        CHECK(len > 0);
        if (!CHECK(m->len + len < METRICS_ROOM))
                return;
        memcpy(m->text + m->len, text, len);
        m->len += len;
        m->text[m->len] = '\0';
}

/* Read m->text. Each line has to be right, and ends. */
METRICS_FN bool
metrics_parse(struct metrics_text *m)
{
        char *line = m->text, *end;

        m->count = m->names_count = 0;
        m->helped = m->awaited = false;
        m->h = (struct metrics_histogram_state){.le = NAN};
        if (!CHECK_INT(strlen(m->text), m->len))
                return false;
        for (; *line != '\0'; line = end + 1) {
                bool ok;

                end = strchr(line, '\n');
                if (end == NULL)
                        return FAIL("no end of a line: %s", line);
                *end = '\0';
                ok = *line == '#' ? metrics_announce(m, line) : metrics_sample(m, line);
                if (!ok)
                        FAIL("not of the form: %s", line);
                *end = '\n';
                if (!ok)
                        return false;
        }
        return CHECK(!m->helped && !m->awaited && isnan(m->h.le) && !m->h.sum);
}

/* All metrics of now. Valid until the next call. */
METRICS_FN struct metrics_text *
metrics_now(void)
{
        static struct metrics_text m;

        m.len = 0;
        m.text[0] = '\0';
        CHECK_INT(green_metrics_format(metrics_take, &m), 0);
        (void)metrics_parse(&m);
        return &m;
}

METRICS_FN bool
metrics_has(const struct metrics_text *m, const char *series)
{
        for (size_t i = 0; i < m->count; i++)
                if (strcmp(m->samples[i].series, series) == 0)
                        return true;
        return false;
}

/* The value of a series, which is there. */
METRICS_FN double
metrics_value(const struct metrics_text *m, const char *series)
{
        for (size_t i = 0; i < m->count; i++)
                if (strcmp(m->samples[i].series, series) == 0)
                        return m->samples[i].value;
        FAIL("there is no %s", series);
        return NAN;
}

METRICS_FN bool
metrics_has_line(const struct metrics_text *m, const char *line)
{
        const char *at = strstr(m->text, line);
        size_t len = strlen(line);

        return at != NULL && (at == m->text || at[-1] == '\n') && at[len] == '\n';
}

#endif
