/*
 * All that is replaced, by name: a table with open addressing, filled once from those of the subjects. It is asked for
 * each import of each object.
 */
#include <config.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../check.h"
#include "patch_object.h"
#include "patch_table.h"

enum { SLOTS = 1024, MOST = 700 };

static const struct patch_entry *const tables[] = {
        green__patch_fd,     green__patch_poll, green__patch_signal,    green__patch_thread,  green__patch_exit,
        green__patch_key,    green__patch_c11,  green__patch_thread_np, green__patch_lock,    green__patch_cond,
        green__patch_rwlock, green__patch_time, green__patch_dns,       green__patch_process, green__patch_dl,
};

static const struct {
        const char *name;
        unsigned groups;
} groups[] = {
        {"os", GREEN_PATCH_OS},
        {"select", GREEN_PATCH_SELECT},
        {"socket", GREEN_PATCH_SOCKET},
        {"thread", GREEN_PATCH_THREAD},
        {"time", GREEN_PATCH_TIME},
        {"dns", GREEN_PATCH_DNS},
        {"subprocess", GREEN_PATCH_SUBPROCESS},
};

static struct patch_slot slots[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool filled;

static size_t
place_of(const char *name)
{
        uint32_t h = 2166136261u;
        size_t at;

        for (const char *p = name; *p != '\0'; p++)
                h = (h ^ (unsigned char)*p) * 16777619u;
        at = (h ^ (h >> 15)) % SLOTS;
        while (slots[at].entry != NULL && strcmp(slots[at].entry->name, name) != 0)
                at = (at + 1) % SLOTS;
        return at;
}

static void
fill(void)
{
        size_t count = 0;

        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
                for (const struct patch_entry *e = tables[t]; e->name != NULL; e++) {
                        struct patch_slot *slot = &slots[place_of(e->name)];

                        GREEN_ASSERT(slot->entry == NULL && e->fn != NULL && e->groups != 0);
                        GREEN_ASSERT(++count < MOST);
                        slot->entry = e;
                }
        }
}

/* The loader may be busy with an object whose constructors come here: so several may do it at the same time, alike. */
static void
ask_loader(void)
{
        for (size_t i = 0; i < SLOTS; i++) {
                struct patch_slot *slot = &slots[i];

                if (slot->entry == NULL)
                        continue;
                __atomic_store_n(&slot->sys, green__patch_sys(slot->entry->name), __ATOMIC_RELAXED);
                __atomic_store_n(&slot->bound, green__patch_bound(slot->entry->name, NULL), __ATOMIC_RELAXED);
        }
}

void
green__patch_table_init(void)
{
        if (atomic_load(&filled))
                return;
        (void)pthread_once(&once, fill);
        ask_loader();
        atomic_store(&filled, true);
}

const struct patch_slot *
green__patch_find(const char *name)
{
        const struct patch_slot *slot = &slots[place_of(name)];

        return slot->entry == NULL ? NULL : slot;
}

bool
green__patch_any(unsigned wanted)
{
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
                for (const struct patch_entry *e = tables[t]; e->name != NULL; e++) {
                        if ((e->groups & wanted) != 0 && tables[t] != green__patch_dl)
                                return true;
                }
        }
        return false;
}

unsigned
green_patch_group(const char *name)
{
        if (name == NULL)
                return 0;
        for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
                if (strcmp(groups[i].name, name) == 0)
                        return groups[i].groups;
        }
        return 0;
}
