/*
 * Names of addresses. See debug_walk.h.
 *
 * The dynamic linker knows what objects export; the rest is in their files, and looking there takes long. So while many
 * are named, as in a dump, what was found is kept: by one at a time, the others look each time.
 */
#include <config.h>

#include "debug_symbol.h"
#include "debug_walk.h"

#include <pthread.h>
#include <string.h>

enum { KEPT = 128, NAME = 88 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool locked __attribute__((tls_model("initial-exec")));
static struct {
        const void *address;
        char text[NAME];
} kept[KEPT];

void
green__names_begin(bool anew)
{
        locked = pthread_mutex_trylock(&lock) == 0;
        if (locked && anew)
                memset(kept, 0, sizeof kept);
}

void
green__names_end(void)
{
        if (!locked)
                return;
        locked = false;
        pthread_mutex_unlock(&lock);
}

static const char *
last_part(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash == NULL ? path : slash + 1;
}

static void
look_up(struct green__text *text, const void *address, bool exact)
{
        const char *at = exact ? address : (const char *)address - 1;
        char name[NAME];
        struct green__symbol info;
        size_t offset;

        green__symbol_find(at, &info);
        if (info.name != NULL)
                green__text_add(text, "%s+0x%zx", info.name, (size_t)((const char *)address - info.start));
        else if (green__walk_name(at, name, sizeof name, &offset))
                green__text_add(text, "%s+0x%zx", name, exact ? offset : offset + 1);
        else if (info.object != NULL)
                green__text_add(text, "+0x%zx", (size_t)((const char *)address - info.base));
        else
                green__text_add(text, "?");
        if (info.object != NULL)
                green__text_add(text, " (%s)", last_part(info.object));
}

void
green__name_add(struct green__text *text, const void *address, bool exact)
{
        size_t i = ((uintptr_t)address ^ (uintptr_t)address >> 7) % KEPT;
        char line[256];
        struct green__text name = {line, sizeof line, 0};

        green__text_add(text, "0x%zx ", (size_t)(uintptr_t)address);
        if (locked && kept[i].address == address) {
                green__text_add(text, "%s", kept[i].text);
                return;
        }
        look_up(&name, address, exact);
        green__text_add(text, "%s", line);
        if (!locked || name.len >= sizeof kept[i].text)
                return;
        kept[i].address = address;
        memcpy(kept[i].text, line, name.len + 1);
}
