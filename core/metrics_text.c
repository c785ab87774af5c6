/*
 * Sources, and what they tell as text. See <green/metrics.h>.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_priv.h"

enum { NAME_LONGEST = 200, PIECE = 1000, NUMBER_SIZE = 40 };

/* A source. It is asked without the lock, so that it may take locks of its own; who removes it waits for that. */
struct green__source {
        struct green__source *next;
        green_metrics_fn fn;
        void *arg;
        uint16_t asking; /* how often it is being asked just now */
        bool added;
        bool leaving; /* ask it no more */
};

_Static_assert(sizeof(struct green__source) <= sizeof(struct green_metrics_source), "it fits its public storage");

struct green_metrics_to {
        green_metrics_text_fn fn;
        void *arg;
        size_t len;
        char name[NAME_LONGEST + 1]; /* the metric that was announced last */
        char text[PIECE];
};

/* Whom the calling OS thread asks, the last one first: a source may itself have others asked. */
struct asked {
        struct asked *outer;
        struct green__source *source;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct green__source *sources, **sources_end = &sources;
static _Thread_local struct asked *asked_here;

void
green__sources_lock(void)
{
        pthread_mutex_lock(&lock);
}

void
green__sources_unlock(void)
{
        pthread_mutex_unlock(&lock);
}

/* In the child nobody else is asking. */
void
green__sources_after_fork(void)
{
        for (struct green__source *s = sources; s != NULL; s = s->next) {
                s->asking = 0;
                s->leaving = false;
        }
        for (const struct asked *a = asked_here; a != NULL; a = a->outer)
                a->source->asking++;
}

/* ---- the list */

static struct green__source *
inside(struct green_metrics_source *source)
{
        return (struct green__source *)(void *)source;
}

int
green_metrics_add(struct green_metrics_source *source, green_metrics_fn fn, void *arg)
{
        struct green__source *s = inside(source);
        int rc = 0;

        if (source == NULL || fn == NULL)
                return -EINVAL;
        green__sources_lock();
        if (s->added) {
                rc = -EBUSY;
        } else {
                *s = (struct green__source){.fn = fn, .arg = arg, .added = true};
                *sources_end = s;
                sources_end = &s->next;
        }
        green__sources_unlock();
        return rc;
}

static void
take_off(struct green__source *s)
{
        struct green__source **at = &sources;

        while (*at != s)
                at = &(*at)->next;
        *at = s->next;
        if (s->next == NULL)
                sources_end = at;
        *s = (struct green__source){.added = false};
}

void
green_metrics_remove(struct green_metrics_source *source)
{
        struct green__source *s = inside(source);

        if (source == NULL)
                return;
        green__sources_lock();
        while (s->added && s->asking > 0) {
                s->leaving = true;
                green__sources_unlock();
                sched_yield();
                green__sources_lock();
        }
        if (s->added)
                take_off(s);
        green__sources_unlock();
}

/* ---- text */

static void
flush(struct green_metrics_to *to)
{
        if (to->len > 0)
                to->fn(to->arg, to->text, to->len);
        to->len = 0;
}

static void
put(struct green_metrics_to *to, const char *text, size_t len)
{
        while (len > 0) {
                size_t room = PIECE - to->len, n = len < room ? len : room;

                memcpy(to->text + to->len, text, n);
                to->len += n;
                text += n;
                len -= n;
                if (to->len == PIECE)
                        flush(to);
        }
}

static void
put_text(struct green_metrics_to *to, const char *text)
{
        put(to, text, strlen(text));
}

/* The decimal point is a matter of the locale, and may be several bytes: whatever is none of a number's other parts. */
static void
put_c_locale(struct green_metrics_to *to, const char *text)
{
        size_t n;

        while (*text != '\0') {
                n = strspn(text, "0123456789+-e");
                put(to, text, n);
                text += n;
                n = strcspn(text, "0123456789+-e");
                if (n > 0)
                        put(to, ".", 1);
                text += n;
        }
}

/* The shortest that is read as the same number, or nearly so. */
static void
put_number(struct green_metrics_to *to, double value)
{
        char text[NUMBER_SIZE];

        if (value != value) {
                put_text(to, "NaN");
        } else if (value - value != 0) {
                put_text(to, value > 0 ? "+Inf" : "-Inf");
        } else if (value > -1e15 && value < 1e15 && (double)(int64_t)value == value) {
                snprintf(text, sizeof text, "%lld", (long long)value);
                put_text(to, text);
        } else {
                for (int digits = 15; digits <= 17; digits++) {
                        snprintf(text, sizeof text, "%.*g", digits, value);
                        if (strtod(text, NULL) == value)
                                break;
                }
                put_c_locale(to, text);
        }
}

static void
put_count(struct green_metrics_to *to, uint64_t n)
{
        char text[NUMBER_SIZE];

        snprintf(text, sizeof text, "%llu", (unsigned long long)n);
        put_text(to, text);
}

static void
put_nanoseconds(struct green_metrics_to *to, uint64_t ns)
{
        char text[NUMBER_SIZE];
        int len = snprintf(text, sizeof text, "%llu.%09llu", (unsigned long long)(ns / 1000000000),
                           (unsigned long long)(ns % 1000000000));

        while (text[len - 1] == '0')
                len--;
        if (text[len - 1] == '.')
                len--;
        put(to, text, (size_t)len);
}

/* ---- names, labels, help */

static bool
is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Bytes of the name that a text begins with; 0: it begins with none. */
static size_t
name_len(const char *text)
{
        size_t n = 0;

        while (is_letter(text[n]) || (n > 0 && text[n] >= '0' && text[n] <= '9'))
                n++;
        return n;
}

/* Bytes of `name="`, which a label begins with; 0: it does not. */
static size_t
label_begin(const char *text)
{
        size_t n = name_len(text);

        return n > 0 && text[n] == '=' && text[n + 1] == '"' ? n + 2 : 0;
}

/* Does the value end at this quote? One that is part of it should have been escaped. */
static bool
is_end_of_value(const char *quote)
{
        return quote[1] == '\0' || (quote[1] == ',' && label_begin(quote + 2) > 0);
}

/* The end of the value that begins here: its quote; NULL: there is none. */
static const char *
end_of_value(const char *at)
{
        for (; *at != '\0'; at++) {
                if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
                        at++;
                else if (*at == '"' && is_end_of_value(at))
                        return at;
        }
        return NULL;
}

static bool
labels_ok(const char *text)
{
        for (;;) {
                size_t n = label_begin(text);
                const char *end = n > 0 ? end_of_value(text + n) : NULL;

                if (end == NULL || end[1] == '\0')
                        return end != NULL;
                text = end + 2;
        }
}

/* A value up to its end. What is escaped stays so, and what should have been is escaped here. */
static void
put_value(struct green_metrics_to *to, const char *at, const char *end)
{
        for (; at < end; at++) {
                if (*at == '\\' && (at[1] == '"' || at[1] == '\\' || at[1] == 'n'))
                        put(to, at++, 2);
                else if (*at == '\\')
                        put(to, "\\\\", 2);
                else if (*at == '"')
                        put(to, "\\\"", 2);
                else if (*at == '\n')
                        put(to, "\\n", 2);
                else
                        put(to, at, 1);
        }
}

static void
put_labels(struct green_metrics_to *to, const char *text)
{
        for (;;) {
                size_t n = label_begin(text);
                const char *end = end_of_value(text + n);

                put(to, text, n);
                put_value(to, text + n, end);
                put(to, "\"", 1);
                if (end[1] == '\0')
                        return;
                put(to, ",", 1);
                text = end + 2;
        }
}

static void
put_help(struct green_metrics_to *to, const char *help)
{
        for (; help != NULL && *help != '\0'; help++) {
                if (*help == '\\')
                        put(to, "\\\\", 2);
                else if (*help == '\n')
                        put(to, "\\n", 2);
                else
                        put(to, help, 1);
        }
}

/* ---- samples */

/* A sample is about to come. False: it would not be understood, and all others with it. *labels is NULL for none. */
static bool
begin_sample(struct green_metrics_to *to, const char *name, const char *type, const char *help, const char **labels)
{
        size_t len = name == NULL ? 0 : name_len(name);

        if (to == NULL || len == 0 || len > NAME_LONGEST || name[len] != '\0')
                return false;
        if (*labels != NULL && **labels == '\0')
                *labels = NULL;
        if (*labels != NULL && !labels_ok(*labels))
                return false;
        if (strcmp(to->name, name) == 0)
                return true;
        memcpy(to->name, name, len + 1);
        put_text(to, "# HELP ");
        put(to, name, len);
        put(to, " ", 1);
        put_help(to, help);
        put_text(to, "\n# TYPE ");
        put(to, name, len);
        put(to, " ", 1);
        put_text(to, type);
        put(to, "\n", 1);
        return true;
}

/* Name and labels, before the value. le: of a bucket, nanoseconds; negative: it is none; 0: of the last one. */
static void
put_series(struct green_metrics_to *to, const char *suffix, const char *labels, int64_t le)
{
        put_text(to, to->name);
        put_text(to, suffix);
        if (labels != NULL || le >= 0)
                put(to, "{", 1);
        if (labels != NULL)
                put_labels(to, labels);
        if (labels != NULL && le >= 0)
                put(to, ",", 1);
        if (le >= 0) {
                put_text(to, "le=\"");
                if (le > 0)
                        put_nanoseconds(to, (uint64_t)le);
                else
                        put_text(to, "+Inf");
                put(to, "\"", 1);
        }
        if (labels != NULL || le >= 0)
                put(to, "}", 1);
        put(to, " ", 1);
}

static void
put_sample(struct green_metrics_to *to, const char *labels, double value)
{
        put_series(to, "", labels, -1);
        put_number(to, value);
        put(to, "\n", 1);
}

void
green_metrics_counter(struct green_metrics_to *to, const char *name, const char *help, const char *labels, double value)
{
        if (begin_sample(to, name, "counter", help, &labels))
                put_sample(to, labels, value);
}

void
green_metrics_gauge(struct green_metrics_to *to, const char *name, const char *help, const char *labels, double value)
{
        if (begin_sample(to, name, "gauge", help, &labels))
                put_sample(to, labels, value);
}

/* Its count is that of the buckets: another OS thread may be counting. */
void
green_metrics_seconds(struct green_metrics_to *to, const char *name, const char *help, const char *labels,
                      const struct green_metrics_histogram *h)
{
        uint64_t count = 0;

        if (h == NULL || !begin_sample(to, name, "histogram", help, &labels))
                return;
        for (int i = 0; i < GREEN_METRICS_BUCKETS; i++) {
                count += green__counted(&h->buckets[i]);
                put_series(to, "_bucket", labels, i == GREEN_METRICS_BUCKETS - 1 ? 0 : (int64_t)1000 << i);
                put_count(to, count);
                put(to, "\n", 1);
        }
        put_series(to, "_sum", labels, -1);
        put_nanoseconds(to, green__counted(&h->sum_ns));
        put(to, "\n", 1);
        put_series(to, "_count", labels, -1);
        put_count(to, count);
        put(to, "\n", 1);
}

/* ---- all of it */

static void
ask(struct green_metrics_to *to, struct green__source *s)
{
        struct asked here = {asked_here, s};

        s->asking++;
        green__sources_unlock();
        asked_here = &here;
        s->fn(to, s->arg);
        asked_here = here.outer;
        green__sources_lock();
        s->asking--;
}

int
green_metrics_format(green_metrics_text_fn fn, void *arg)
{
        struct green_metrics_to to = {.fn = fn, .arg = arg};

        if (fn == NULL)
                return -EINVAL;
        green__metrics_tell(&to);
        green__sources_lock();
        for (struct green__source *s = sources; s != NULL; s = s->next)
                if (!s->leaving)
                        ask(&to, s);
        green__sources_unlock();
        flush(&to);
        return 0;
}
