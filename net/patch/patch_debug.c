/*
 * What GREEN_PATCH_DEBUG=1 shows. It is noted while the loader shows its objects, and told later: the log hook is the
 * application's.
 */
#include <config.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <green/alloc.h>
#include <green/debug.h>
#include <green/log.h>

#include "patch_debug.h"
#include "patch_priv.h"

enum { CHUNK = 4096, LINE = 900 };

#define BLOCKED 0.1 /* seconds */

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

void
green__patch_watch(void)
{
        static atomic_flag done = ATOMIC_FLAG_INIT;

        if (!green__patch_debug() || atomic_flag_test_and_set(&done))
                return;
        (void)green_debug_hub_blocking_once(true);
        if (green_debug_hub_blocking_detection(true, BLOCKED) != 0)
                green_log(GREEN_LOG_WARNING,
                          "green-net: calls that block cannot be shown: no OS thread could be started");
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

/* A report has a limit: what is too much goes on in another line, of the same object. */
static void
tell_line(char *line)
{
        char *names = strstr(line, ": ");

        if (names == NULL)
                return;
        *names = '\0';
        for (names += 2; *names != '\0';) {
                size_t n = strlen(names);

                if (n > LINE) {
                        for (n = LINE; n > 1 && names[n] != ' '; n--)
                                ;
                }
                green_log(GREEN_LOG_WARNING, "green-net: patched %s: %.*s", line, (int)n, names);
                names += n;
                names += *names == ' ';
        }
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
