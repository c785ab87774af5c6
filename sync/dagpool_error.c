/*
 * Failures of keys: a text, a key, a cause. Causes are shared, so that a chain of any length costs each of its keys the
 * same.
 */
#include <stdio.h>
#include <string.h>

#include <green/alloc.h>

#include "dagpool_priv.h"

/* Bytes of a text without its NUL, and of its parts where it would be longer: its end says what went wrong first. */
enum { TEXT_MOST = 400, TEXT_HEAD = 240, TEXT_TAIL = 155 };

/* Is this byte in the middle of a character of UTF-8? */
static bool
is_inside(char c)
{
        return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
put(char *text, size_t at, const char *part, size_t len)
{
        memcpy(text + at, part, len);
        return at + len;
}

/* Writes what comes of the key and its cause; the bytes, with the NUL. `prefix` is shorter than TEXT_HEAD. */
static size_t
write_text(char text[TEXT_MOST + 1], const char *prefix, const char *message)
{
        size_t len = strlen(message), head = strlen(prefix), tail, at = put(text, 0, prefix, head);

        if (at + len <= TEXT_MOST)
                return put(text, at, message, len + 1);
        head = TEXT_HEAD - head;
        while (head > 0 && is_inside(message[head]))
                head--;
        tail = len - TEXT_TAIL;
        while (is_inside(message[tail]))
                tail++;
        at = put(text, at, message, head);
        at = put(text, at, " ... ", 5);
        return put(text, at, message + tail, len - tail + 1);
}

/* The members that both kinds have. */
static void
init(struct green__dag_failure *f, void *block, struct green_key key, struct green__dag_failure *from)
{
        memset(f, 0, sizeof(*f));
        f->block = block;
        f->refs = 1;
        f->key = key;
        f->error = (struct green_error){.code = GREEN_EPROPAGATE, .value = &f->key};
        f->from = from == NULL ? NULL : green__dag_ref(from);
        if (from != NULL)
                f->error.cause = &from->error;
}

struct green__dag_failure *
green__dag_fail(struct green_key key, struct green__dag_failure *from, const struct green_error *cause)
{
        struct green_error *copy = from == NULL ? green_error_copy(cause) : NULL;
        struct green__dag_failure *f;
        struct green__dag_text key_text;
        char prefix[TEXT_HEAD], text[TEXT_MOST + 1];
        char *bytes;
        size_t len;

        if (from == NULL && copy == NULL)
                return NULL;
        cause = from == NULL ? copy : &from->error;
        snprintf(prefix, sizeof(prefix), "PropagateError(%s): %s: ", green__dag_text(&key_text, key),
                 green_errname(cause->code));
        len = write_text(text, prefix, cause->message);
        f = key.len > SIZE_MAX - sizeof(*f) - len ? NULL : green_malloc(sizeof(*f) + len + key.len);
        if (f == NULL) {
                green_error_free(copy);
                return NULL;
        }
        bytes = (char *)(f + 1);
        memcpy(bytes, text, len);
        if (key.len > 0)
                memcpy(bytes + len, key.data, key.len);
        init(f, f, (struct green_key){bytes + len, key.len}, from);
        f->copy = copy;
        f->error.message = bytes;
        f->error.cause = cause;
        return f;
}

struct green__dag_failure *
green__dag_fail_in(struct green__dag_failure *f, void *block, struct green_key key, struct green__dag_failure *from,
                   int code)
{
        init(f, block, key, from);
        f->error.message = "PropagateError: there was no memory to say more";
        f->bare = (struct green_error){.code = code, .message = green_errname(code)};
        if (from == NULL)
                f->error.cause = &f->bare;
        return f;
}

struct green__dag_failure *
green__dag_ref(struct green__dag_failure *f)
{
        f->refs++;
        return f;
}

/* One after the other: a chain may be longer than any stack is deep. */
void
green__dag_unref(struct green__dag_failure *f)
{
        while (f != NULL && --f->refs == 0) {
                struct green__dag_failure *from = f->from;

                green_error_free(f->copy);
                green_free(f->block);
                f = from;
        }
}

static void
release(void *arg)
{
        green__dag_unref(arg);
}

int
green__dag_tell(struct green__dag_failure *f)
{
        return green_set_error_shared(&f->error, release, f);
}
