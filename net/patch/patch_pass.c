/*
 * Putting replacements in place: which object gets which, and which import is the system's function.
 *
 * An import is changed only where it is bound to the system's function of its name, or to what all others are bound to.
 * It stays where it is bound to an older version of the symbol, to a function of the application's, or to what
 * green_inject() has put there. Where the loader has not bound it yet it is asked what it would bind it to; that cannot
 * be done while it shows its objects, so the name is noted, and all are looked at once more.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <green/alloc.h>

#include "../at_fork.h"
#include "../check.h"
#include "patch_debug.h"
#include "patch_pass.h"

enum { VERSION_MAX = 40, ROOM = 64, ASK = 64, PASSES = 20 };

/* An import as the loader would bind it. */
struct bound {
        const struct patch_slot *slot;
        char version[VERSION_MAX];
        bool known;
        void (*fn)(void);
};

/* What was put into an object by green_inject(). */
struct injected {
        const void *id;
        void (*fn)(void);
        bool seen;
};

/* An object with groups of its own. */
struct one {
        const void *id;
        unsigned groups;
        bool seen; /* still loaded */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint process;         /* groups of all objects */
static atomic_uint all;             /* and of those that have their own */
static atomic_bool stale;           /* groups were added since the last look at all objects */
static _Atomic(uint64_t) looked_at; /* green__patch_loads() then */

static struct {
        struct bound *bound;
        size_t bounds, bounds_room;
        struct one *ones;
        size_t n_ones, ones_room;
        struct injected *injected;
        size_t n_injected, injected_room;
} state;

static void
after_fork(void)
{
        pthread_mutex_unlock(&mutex);
}

static void
before_fork(void)
{
        pthread_mutex_lock(&mutex);
}

static void
start(void)
{
        green__at_fork(before_fork, after_fork, after_fork);
}

void
green__patch_enter(void)
{
        (void)pthread_once(&once, start);
        pthread_mutex_lock(&mutex);
}

void
green__patch_leave(void)
{
        pthread_mutex_unlock(&mutex);
}

/* Room for so many more. */
static int
grow(void **list, size_t *room, size_t need, size_t size)
{
        void *more;

        if (need <= *room)
                return 0;
        need += ROOM;
        more = green_realloc(*list, need * size);
        if (more == NULL)
                return -ENOMEM;
        *list = more;
        *room = need;
        return 0;
}

/* ---- groups */

unsigned
green__patch_process_groups(void)
{
        return atomic_load_explicit(&process, memory_order_acquire);
}

unsigned
green__patch_groups(void)
{
        return atomic_load_explicit(&all, memory_order_relaxed);
}

void
green__patch_add_groups(unsigned groups)
{
        if ((atomic_load(&process) & groups) == groups)
                return;
        green__patch_table_init();
        atomic_fetch_or(&all, groups);
        atomic_fetch_or(&process, groups);
        atomic_store(&stale, true);
}

static struct one *
find_one(const void *id)
{
        for (size_t i = 0; i < state.n_ones; i++) {
                if (state.ones[i].id == id)
                        return &state.ones[i];
        }
        return NULL;
}

int
green__patch_add_object(const void *id, unsigned groups)
{
        struct one *one;
        void *list;
        int rc = 0;

        green__patch_table_init();
        green__patch_enter();
        one = find_one(id);
        list = state.ones;
        if (one == NULL) {
                rc = grow(&list, &state.ones_room, state.n_ones + 1, sizeof *state.ones);
                state.ones = list;
        }
        if (one == NULL && rc == 0) {
                one = &state.ones[state.n_ones++];
                *one = (struct one){.id = id};
        }
        if (one != NULL) {
                one->groups |= groups;
                atomic_fetch_or(&all, groups);
                atomic_store(&stale, true);
        }
        green__patch_leave();
        return rc;
}

unsigned
green__patch_object_groups(const void *id)
{
        const struct one *one;
        unsigned groups = atomic_load(&process);

        green__patch_enter();
        one = find_one(id);
        if (one != NULL)
                groups |= one->groups;
        green__patch_leave();
        return groups;
}

/* Of objects that are gone; another one may be loaded to the same place. */
static void
forget_unseen(void)
{
        size_t ones = 0, injected = 0;

        for (size_t i = 0; i < state.n_ones; i++) {
                if (state.ones[i].seen)
                        state.ones[ones++] = state.ones[i];
        }
        for (size_t i = 0; i < state.n_injected; i++) {
                if (state.injected[i].seen)
                        state.injected[injected++] = state.injected[i];
        }
        state.n_ones = ones;
        state.n_injected = injected;
        if (ones == 0) {
                green_free(state.ones);
                state.ones = NULL;
                state.ones_room = 0;
        }
        if (injected == 0) {
                green_free(state.injected);
                state.injected = NULL;
                state.injected_room = 0;
        }
}

static void
unmark(void)
{
        for (size_t i = 0; i < state.n_ones; i++)
                state.ones[i].seen = false;
        for (size_t i = 0; i < state.n_injected; i++)
                state.injected[i].seen = false;
}

/* ---- what was injected */

int
green__patch_add_injected(const void *id, void (*fn)(void))
{
        void *list = state.injected;

        if (green__patch_is_injected(id, fn))
                return 0;
        if (grow(&list, &state.injected_room, state.n_injected + 1, sizeof *state.injected) != 0)
                return -ENOMEM;
        state.injected = list;
        state.injected[state.n_injected++] = (struct injected){.id = id, .fn = fn};
        return 0;
}

bool
green__patch_is_injected(const void *id, void (*fn)(void))
{
        for (size_t i = 0; i < state.n_injected; i++) {
                if (state.injected[i].id == id && state.injected[i].fn == fn)
                        return true;
        }
        return false;
}

/* ---- a look at all objects */

struct pass {
        unsigned groups;  /* of the object at hand */
        unsigned changed; /* imports */
        bool again;       /* there was one that is not known yet */
};

static bool
mark(const struct patch_object *o, void *arg)
{
        struct one *one = find_one(o->id);

        (void)arg;
        if (one != NULL)
                one->seen = true;
        for (size_t i = 0; i < state.n_injected; i++)
                state.injected[i].seen |= state.injected[i].id == o->id;
        return false;
}

static bool
object(const struct patch_object *o, void *arg)
{
        struct pass *pass = arg;
        const struct one *one = find_one(o->id);

        (void)mark(o, NULL);
        pass->groups = atomic_load(&process) | (one == NULL ? 0 : one->groups);
        /* Those who give memory out are called from everywhere, with any lock held; they wait for a moment only. */
        if (o->exempt || (o->allocates && !o->program))
                pass->groups = 0;
        if (o->allocates)
                pass->groups &= ~GREEN_PATCH_THREAD;
        if (pass->groups != 0)
                green__patch_note_object(o);
        return pass->groups != 0;
}

/* Would it be bound to the system's function? Where that is not known yet it is asked for after this look. */
static bool
will_be_system(struct pass *pass, const struct patch_slot *slot, const char *version)
{
        struct bound *b;

        if (version == NULL)
                return true;
        for (size_t i = 0; i < state.bounds; i++) {
                b = &state.bound[i];
                if (b->slot != slot || strncmp(b->version, version, sizeof b->version - 1) != 0)
                        continue;
                /* More were noted than are asked for at a time. */
                if (!b->known)
                        pass->again = true;
                return b->known && b->fn != NULL && (b->fn == slot->sys || b->fn == slot->bound);
        }
        pass->again = true;
        if (state.bounds == state.bounds_room)
                return false;
        b = &state.bound[state.bounds++];
        *b = (struct bound){.slot = slot};
        for (size_t i = 0; i + 1 < sizeof b->version && version[i] != '\0'; i++)
                b->version[i] = version[i];
        return false;
}

static void (*import(const struct patch_object *o, const struct patch_import *i, void *arg))(void)
{
        const struct patch_slot *slot = green__patch_find(i->name);
        struct pass *pass = arg;

        if (slot == NULL || (slot->entry->groups & pass->groups) == 0 || i->now == slot->entry->fn)
                return NULL;
        if (i->own) {
                if (green__patch_is_injected(o->id, i->now) || !will_be_system(pass, slot, i->version))
                        return NULL;
        } else if (i->now != slot->sys && i->now != slot->bound) {
                return NULL;
        }
        pass->changed++;
        green__patch_note_import(o, i);
        return slot->entry->fn;
}

/* What is not known yet, without the lock. */
static void
ask_loader(void)
{
        struct bound asked[ASK];
        size_t n = 0;

        green__patch_enter();
        for (size_t i = 0; i < state.bounds && n < ASK; i++) {
                if (!state.bound[i].known)
                        asked[n++] = state.bound[i];
        }
        green__patch_leave();
        for (size_t i = 0; i < n; i++)
                asked[i].fn = green__patch_bound(asked[i].slot->entry->name, asked[i].version);
        green__patch_enter();
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < state.bounds; k++) {
                        struct bound *b = &state.bound[k];

                        if (b->slot != asked[i].slot || strcmp(b->version, asked[i].version) != 0)
                                continue;
                        b->fn = asked[i].fn;
                        b->known = true;
                }
        }
        green__patch_leave();
}

static int
look(struct pass *pass, char failed[PATCH_NAME_MAX])
{
        const struct patch_visitor visitor = {object, import, pass};
        void *list;
        int rc;

        green__patch_enter();
        list = state.bound;
        rc = grow(&list, &state.bounds_room, state.bounds + ASK, sizeof *state.bound);
        state.bound = list;
        unmark();
        if (rc == 0) {
                rc = green__patch_visit(&visitor, failed);
                forget_unseen();
        }
        green__patch_leave();
        return rc;
}

/* It is only good for these objects. */
static void
forget_bound(void)
{
        green__patch_enter();
        green_free(state.bound);
        state.bound = NULL;
        state.bounds = state.bounds_room = 0;
        green__patch_leave();
}

/*
 * Another OS thread may be about to bind a symbol, and then overwrites what was stored: so all are looked at until
 * there is nothing to change.
 */
int
green__patch_run(char failed[PATCH_NAME_MAX])
{
        uint64_t loads = green__patch_loads();
        int rc = 0;

        failed[0] = '\0';
        if (!atomic_exchange(&stale, false) && loads != 0 && loads == atomic_load(&looked_at))
                return 0;
        for (int i = 0; i < PASSES; i++) {
                struct pass pass = {0};

                rc = look(&pass, failed);
                if (pass.again)
                        ask_loader();
                if (rc != 0 || (!pass.again && pass.changed == 0))
                        break;
        }
        forget_bound();
        if (rc != 0)
                atomic_store(&stale, true);
        atomic_store(&looked_at, loads);
        return rc;
}

void
green__patch_forget(void)
{
        const struct patch_visitor visitor = {.object = mark};
        char failed[PATCH_NAME_MAX];

        green__patch_enter();
        unmark();
        (void)green__patch_visit(&visitor, failed);
        forget_unseen();
        green__patch_leave();
}

/* ---- which are loaded */

static bool
add_id(const struct patch_object *o, void *arg)
{
        struct patch_ids *ids = arg;

        if (ids->n < ids->room)
                ids->at[ids->n] = o->id;
        ids->n++;
        return false;
}

struct patch_ids *
green__patch_ids(void)
{
        struct patch_ids *ids = NULL, *more;
        size_t room = ROOM;

        for (;;) {
                struct patch_visitor visitor = {.object = add_id};
                char failed[PATCH_NAME_MAX];

                more = green_realloc(ids, sizeof *ids + room * sizeof *ids->at);
                if (more == NULL) {
                        green_free(ids);
                        return NULL;
                }
                ids = more;
                ids->n = 0;
                ids->room = room;
                visitor.arg = ids;
                (void)green__patch_visit(&visitor, failed);
                if (ids->n <= ids->room)
                        return ids;
                room = ids->n + ROOM;
        }
}

bool
green__patch_ids_have(const struct patch_ids *ids, const void *id)
{
        for (size_t i = 0; i < ids->n; i++) {
                if (ids->at[i] == id)
                        return true;
        }
        return false;
}
