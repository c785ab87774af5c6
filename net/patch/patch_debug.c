/*
 * What GREEN_PATCH_DEBUG=1 shows. It is noted while the loader shows its objects, and told later: the log hook is the
 * application's.
 */
#include <config.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <green/alloc.h>
#include <green/log.h>

#include "patch_debug.h"
#include "patch_priv.h"

enum { CHUNK = 4096, LINE = 900 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char *text; /* lines of "object: name name", each ended by a newline */
static size_t len, room;
static const void *last; /* the object of the last line; NULL: none */

bool
green__patch_debug(void)
{
        static int on = -1;
        int now = __atomic_load_n(&on, __ATOMIC_RELAXED);
        const char *value;

        if (now < 0) {
                value = getenv("GREEN_PATCH_DEBUG");
                now = value != NULL && *value != '\0' && strcmp(value, "0") != 0;
                __atomic_store_n(&on, now, __ATOMIC_RELAXED);
        }
        return now != 0;
}

static void
add(const char *part)
{
        size_t n = strlen(part);
        char *more;

        if (len + n + 1 > room) {
                more = green_realloc(text, room + n + CHUNK);
                if (more == NULL)
                        return;
                text = more;
                room += n + CHUNK;
        }
        memcpy(text + len, part, n + 1);
        len += n;
}

void
green__patch_note_object(const struct patch_object *o)
{
        (void)o;
        last = NULL;
}

void
green__patch_note_import(const struct patch_object *o, const struct patch_import *i)
{
        if (!green__patch_debug())
                return;
        pthread_mutex_lock(&mutex);
        if (last != o->id) {
                if (len > 0)
                        add("\n");
                add(o->name);
                add(":");
                last = o->id;
        }
        add(" ");
        add(i->name);
        pthread_mutex_unlock(&mutex);
}

/* A report has a limit: long lines go on in another. */
static void
tell_line(const char *line)
{
        const char *colon = strstr(line, ": ");
        int head = colon == NULL ? 0 : (int)(colon - line);

        while (strlen(line) > LINE) {
                const char *end = line + LINE;

                while (end > line && *end != ' ')
                        end--;
                green_log(GREEN_LOG_WARNING, "green-net: patched %.*s", (int)(end - line), line);
                line = end;
        }
        (void)head;
        green_log(GREEN_LOG_WARNING, "green-net: patched %s", line);
}

void
green__patch_tell(void)
{
        char *mine, *at = NULL;

        if (!green__patch_debug())
                return;
        pthread_mutex_lock(&mutex);
        mine = text;
        text = NULL;
        len = room = 0;
        last = NULL;
        pthread_mutex_unlock(&mutex);
        for (char *line = mine == NULL ? NULL : strtok_r(mine, "\n", &at); line != NULL;
             line = strtok_r(NULL, "\n", &at))
                tell_line(line);
        green_free(mine);
}
