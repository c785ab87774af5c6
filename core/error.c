/*
 * Error codes, their names and texts, and the last error of each green thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_priv.h"
#include "text.h"

static const struct name {
        int code;
        const char *name;
        const char *text;
} names[] = {
#define ENTRY(name, value, text) {name, #name, text},
        GREEN_ERRORS(ENTRY)
#undef ENTRY
};

static const struct name *
find_name(int code)
{
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (names[i].code == code)
                        return &names[i];
        return NULL;
}

const char *
green_strerror(int code)
{
        static _Thread_local char text[128];
        const struct name *known = find_name(code);

        if (known != NULL)
                return known->text;
        if (code == 0)
                return "success";
        if (code > 0 || code < -1000) {
                snprintf(text, sizeof(text), "unknown code %d", code);
                return text;
        }
        return green__sys_error_text(-code, text, sizeof(text));
}

const char *
green_errname(int code)
{
        const struct name *known = find_name(code);
        const char *name;

        if (known != NULL)
                return known->name;
        if (code == 0)
                return "0";
        name = code < 0 && code > -1000 ? green__errno_name(-code) : NULL;
        return name == NULL ? "unknown" : name;
}

/* Where the last error of whoever runs is kept; NULL without a hub. */
static struct green__last_error **
last_error_at(void)
{
        struct green__hub *h = green__hub_here;

        if (h == NULL)
                return NULL;
        return h->current == NULL ? &h->last_error : &h->current->last_error;
}

/* Errors of an OS thread that has no hub, and of those for whose text there is no memory. */
static _Thread_local struct green__last_error spare;

/* Where the last error of whoever runs goes. */
static struct green__last_error *
last_error_room(void)
{
        struct green__last_error **at = last_error_at();

        if (at == NULL)
                return &spare;
        if (*at == NULL) {
                *at = green_malloc(sizeof(**at));
                if (*at == NULL)
                        return &spare;
                (*at)->error.message = NULL;
                (*at)->release = NULL;
        }
        return *at;
}

static inline void
release_shared(void (*release)(void *arg), void *arg)
{
        if (green__unlikely(release != NULL))
                release(arg);
}

void
green__last_error_free(struct green__last_error *e)
{
        if (e == NULL)
                return;
        release_shared(e->release, e->release_arg);
        green_free(e);
}

int
green_set_error(int code, const char *format, ...)
{
        struct green__last_error *e = last_error_room();
        void (*release)(void *arg) = e->release;
        va_list args;

        e->release = NULL;
        e->error = (struct green_error){.code = code, .message = e->text};
        if (format == NULL) {
                snprintf(e->text, sizeof(e->text), "%s", green_strerror(code));
        } else {
                va_start(args, format);
                vsnprintf(e->text, sizeof(e->text), format, args);
                va_end(args);
        }
        /* Now, and not before: its message may have been among the values. */
        release_shared(release, e->release_arg);
        errno = code < 0 ? -code : code;
        return code;
}

int
green_set_error_shared(const struct green_error *error, void (*release)(void *arg), void *arg)
{
        struct green__last_error *e = last_error_room();
        void (*old)(void *arg) = e->release;
        void *old_arg = e->release_arg;
        int code = error->code;

        if (e == &spare) {
                green_set_error(code, "%s", error->message);
                release_shared(release, arg);
        } else {
                e->error = *error;
                e->release = release;
                e->release_arg = arg;
                release_shared(old, old_arg);
        }
        errno = code < 0 ? -code : code;
        return code;
}

const struct green_error *
green_last_error(void)
{
        static const struct green_error none = {0, "success", NULL, NULL};
        struct green__last_error **at = last_error_at();
        const struct green__last_error *e = at == NULL || *at == NULL ? &spare : *at;

        return e->error.message == NULL ? &none : &e->error;
}

int
green__no_hub(void)
{
        int code = green_last_error()->code;

        return code < 0 ? code : GREEN_EHUB;
}

static struct green_error *
copy_one(const struct green_error *error)
{
        const char *message = error->message == NULL ? "" : error->message;
        size_t len = strlen(message) + 1;
        struct green_error *copy = green_malloc(sizeof(*copy) + len);

        if (copy == NULL)
                return NULL;
        memcpy(copy + 1, message, len);
        *copy = (struct green_error){error->code, (char *)(copy + 1), error->value, NULL};
        return copy;
}

/* One after the other: a chain may be longer than any stack is deep. */
struct green_error *
green_error_copy(const struct green_error *error)
{
        struct green_error *first = NULL, *last = NULL;

        for (; error != NULL; error = error->cause) {
                struct green_error *copy = copy_one(error);

                if (copy == NULL) {
                        green_error_free(first);
                        errno = ENOMEM;
                        return NULL;
                }
                if (first == NULL)
                        first = copy;
                else
                        last->cause = copy;
                last = copy;
        }
        return first;
}

void
green_error_free(struct green_error *error)
{
        while (error != NULL) {
                struct green_error *cause = (struct green_error *)(uintptr_t)error->cause;

                green_free(error);
                error = cause;
        }
}

/* A green thread ended with an error that nobody asked for. */
void
green__log_end(green_thread *t)
{
        const char *name = green_thread_name(t);
        const struct green_error *e = t->extra == NULL ? NULL : t->extra->error;

        if (t->end_code == GREEN_EKILLED || !green__log_exceptions())
                return;
        green_log(GREEN_LOG_ERROR, "green-net: green thread %llu%s%s (spawned at %s) ended with %s: %s",
                  (unsigned long long)t->ident, *name == '\0' ? "" : " ", name, green_thread_where(t),
                  green_errname(t->end_code),
                  e != NULL && e->code == t->end_code ? e->message : green_strerror(t->end_code));
}

void
green__assert_failed(const char *expr, const char *where)
{
        green_log(GREEN_LOG_ERROR, "green-net: fault in the library: %s does not hold at %s", expr, where);
        abort();
}
