/*
 * Values local to a green thread. See <green/local.h>.
 *
 * A local has an index, which is used again once it is freed, and a serial, which is not: a value is the local's only
 * where the serials agree.
 */
#include <pthread.h>
#include <string.h>

#include "hub_priv.h"

struct green_local {
        struct green_local_opts opts;
        size_t index;
        uint64_t serial;
};

enum { MAX_LOCALS = 1024, DESTRUCT_ROUNDS = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static green_local *_Atomic table[MAX_LOCALS];
static uint64_t next_serial = 1;

void
green__local_lock(void)
{
        pthread_mutex_lock(&lock);
}

void
green__local_unlock(void)
{
        pthread_mutex_unlock(&lock);
}

green_local *
green_local_new(const struct green_local_opts *opts)
{
        struct green_local_opts o;
        green_local *local;
        size_t i;

        if (green_opts_take(&o, sizeof(o), opts) != 0 || (o.arg != NULL && o.construct == NULL)) {
                green_set_error(-EINVAL, "green_local_opts of unknown size, or an argument without a constructor");
                return NULL;
        }
        local = green_calloc(1, sizeof(*local));
        if (local == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        local->opts = o;
        pthread_mutex_lock(&lock);
        for (i = 0; i < MAX_LOCALS && table[i] != NULL; i++)
                ;
        if (i < MAX_LOCALS) {
                local->index = i;
                local->serial = next_serial++;
                table[i] = local;
        }
        pthread_mutex_unlock(&lock);
        if (i == MAX_LOCALS) {
                green_free(local);
                green_set_error(-ENOMEM, "more than %d locals", MAX_LOCALS);
                return NULL;
        }
        return local;
}

void
green_local_free(green_local *local)
{
        if (local == NULL)
                return;
        pthread_mutex_lock(&lock);
        table[local->index] = NULL;
        pthread_mutex_unlock(&lock);
        green_free(local);
}

/* The values of whoever runs: a green thread, or the OS thread in hub context. */
static struct green__locals **
values_of(struct green__hub *h)
{
        return h->current == NULL ? &h->locals : &h->current->locals;
}

static struct green__local_slot *
find(struct green__locals *values, const green_local *local)
{
        struct green__local_slot *slot;

        if (values == NULL || local->index >= values->count)
                return NULL;
        slot = &values->slots[local->index];
        return slot->serial == local->serial ? slot : NULL;
}

/* With room for count; NULL without memory. */
static struct green__locals *
grow(struct green__locals **at, size_t count)
{
        struct green__locals *values = *at;
        size_t old = values == NULL ? 0 : values->count;

        if (old >= count)
                return values;
        values = green_realloc(values, sizeof(*values) + count * sizeof(values->slots[0]));
        if (values == NULL)
                return NULL;
        memset(&values->slots[old], 0, (count - old) * sizeof(values->slots[0]));
        values->count = count;
        *at = values;
        return values;
}

int
green_local_set(green_local *local, void *value)
{
        struct green__hub *h = green__hub_get();
        struct green__locals *values;

        if (h == NULL)
                return green__no_hub();
        if (local == NULL)
                return -EINVAL;
        values = grow(values_of(h), local->index + 1);
        if (values == NULL)
                return -ENOMEM;
        values->slots[local->index] = (struct green__local_slot){local->serial, value};
        return 0;
}

void *
green_local_get(green_local *local)
{
        struct green__hub *h = green__hub_get();
        struct green__local_slot *slot;
        void *value;

        if (h == NULL || local == NULL)
                return NULL;
        slot = find(*values_of(h), local);
        if (slot != NULL)
                return slot->value;
        if (local->opts.construct == NULL)
                return NULL;
        value = local->opts.construct(local->opts.arg);
        if (green_local_set(local, value) != 0 && value != NULL) {
                green_set_error(-ENOMEM, NULL);
                if (local->opts.destruct != NULL)
                        local->opts.destruct(value);
                return NULL;
        }
        return value;
}

int
green__locals_inherit(green_thread *t, const green_thread *from, bool all)
{
        size_t count = from->locals == NULL ? 0 : from->locals->count;

        for (size_t i = 0; i < count; i++) {
                const struct green__local_slot *slot = &from->locals->slots[i];
                const green_local *local = table[i];

                if (local == NULL || slot->serial != local->serial || (!all && !local->opts.inherit))
                        continue;
                if (grow(&t->locals, i + 1) == NULL)
                        return -ENOMEM;
                t->locals->slots[i] = *slot;
        }
        return 0;
}

/* One pass over the values. Destructors may set values again; true if any ran. */
static bool
destroy_once(struct green__locals **at)
{
        bool ran = false;

        for (size_t i = 0; *at != NULL && i < (*at)->count; i++) {
                struct green__local_slot slot = (*at)->slots[i];
                green_local *local = table[i];

                (*at)->slots[i] = (struct green__local_slot){0};
                if (local == NULL || slot.serial != local->serial || slot.value == NULL ||
                    local->opts.destruct == NULL)
                        continue;
                local->opts.destruct(slot.value);
                ran = true;
        }
        return ran;
}

void
green__locals_destroy(green_thread *t)
{
        for (int round = 0; round < DESTRUCT_ROUNDS; round++)
                if (!destroy_once(&t->locals))
                        break;
        green_free(t->locals);
        t->locals = NULL;
}
