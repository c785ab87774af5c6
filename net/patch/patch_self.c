/*
 * Green threads as POSIX threads: who is who.
 *
 * A handle, pthread_t, is an odd number made of an index into a table and of how often that place was used; libc's own
 * are addresses, so even. A green thread finds its record by a local, which holds the handle and not the record: green
 * threads inherit locals, and whoever inherited this one sees by the number that it means another. pthread_create()
 * uses just that: it lets the new green thread inherit its handle, so that it needs no memory when it starts.
 *
 * The OS thread's own green thread has a record too, but its handle, its keys and its identity stay those of libc.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum {
        CHUNK = 256,
        CHUNKS = 4096,
        INDEX_BITS = 20,
};

#define INDEX_MASK (((uintptr_t)1 << INDEX_BITS) - 1)

struct place {
        struct green__pt *pt; /* NULL: free */
        uintptr_t used;       /* how often */
        unsigned next_free;   /* index + 1; 0: none */
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct place *chunks[CHUNKS];
static unsigned places, first_free;
static struct green__pt *roots;

static green_local *handle_local;

/* What the OS thread has found last; numbers of green threads are never used again. */
static __thread struct {
        uint64_t ident;
        struct green__pt *pt;
} last;

static __thread struct green__pt *root;

void
green__pt_lock(void)
{
        (void)pthread_mutex_lock(&table_lock);
}

void
green__pt_unlock(void)
{
        (void)pthread_mutex_unlock(&table_lock);
}

/* ---- the table, under its lock */

static struct place *
place_of(unsigned index)
{
        return &chunks[index / CHUNK][index % CHUNK];
}

/* An unused place; NULL: no memory, or too many. */
static struct place *
new_place(unsigned *ret_index)
{
        if (first_free != 0) {
                struct place *p = place_of(first_free - 1);

                *ret_index = first_free - 1;
                first_free = p->next_free;
                return p;
        }
        if (places == CHUNK * CHUNKS)
                return NULL;
        if (places % CHUNK == 0) {
                struct place *chunk = green_calloc(CHUNK, sizeof(*chunk));

                if (chunk == NULL)
                        return NULL;
                chunks[places / CHUNK] = chunk;
        }
        *ret_index = places;
        return place_of(places++);
}

static struct green__pt *
find(uintptr_t handle)
{
        unsigned index = (unsigned)(handle >> 1 & INDEX_MASK);
        struct green__pt *pt;

        if (!(handle & 1) || index >= places)
                return NULL;
        pt = place_of(index)->pt;
        return pt != NULL && pt->handle == handle ? pt : NULL;
}

static struct green__pt *
find_root(pthread_t os)
{
        struct green__pt *pt = roots;

        while (pt != NULL && !pthread_equal(pt->os, os))
                pt = pt->next_root;
        return pt;
}

/* ---- records */

bool
green__pt_is(pthread_t handle)
{
        return (uintptr_t)handle & 1;
}

struct green__pt *
green__pt_get(pthread_t handle)
{
        struct green__pt *pt;

        green__pt_lock();
        pt = green__pt_is(handle) ? find((uintptr_t)handle) : find_root(handle);
        if (pt != NULL)
                pt->refs++;
        green__pt_unlock();
        return pt;
}

void
green__pt_put(struct green__pt *pt)
{
        unsigned left;

        green__pt_lock();
        left = --pt->refs;
        if (left == 0 && !pt->root) {
                unsigned index = (unsigned)(pt->handle >> 1 & INDEX_MASK);
                struct place *p = place_of(index);

                p->pt = NULL;
                p->next_free = first_free;
                first_free = index + 1;
        }
        green__pt_unlock();
        if (left > 0)
                return;
        green_hub_unref(pt->hub);
        green_free(pt->values);
        green_free(pt);
}

void
green__pt_forget(const struct green__pt *pt)
{
        if (last.pt == pt)
                last.ident = 0;
}

/* A green thread ends: of one that nobody knows any more the record goes. */
static void
forget_handle(void *value)
{
        struct green__pt *pt;

        green__pt_lock();
        pt = find((uintptr_t)value);
        green__pt_unlock();
        if (pt == NULL || pt->ended)
                return;
        /* Inherited by another, or killed before it started: then this runs in its killer. */
        if (pt->ident != green_get_ident() && (pt->started || pt->thread == NULL))
                return;
        green__pt_finish(pt);
}

static void
setup(void)
{
        struct green_local_opts opts = {.size = sizeof(opts), .destruct = forget_handle, .inherit = true};

        handle_local = green_local_new(&opts);
}

static bool
set_up(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, setup);
        return handle_local != NULL;
}

struct green__pt *
green__pt_new(void)
{
        struct green__pt *pt = set_up() ? green_calloc(1, sizeof(*pt)) : NULL;
        unsigned index;
        struct place *p;

        if (pt == NULL)
                return NULL;
        green__pt_lock();
        p = new_place(&index);
        if (p != NULL) {
                p->pt = pt;
                pt->handle = (++p->used << INDEX_BITS | index) << 1 | 1;
        }
        green__pt_unlock();
        if (p == NULL) {
                green_free(pt);
                return NULL;
        }
        pt->refs = 1;
        pt->hub = green_hub_ref(green_get_hub());
        pt->os = pthread_self();
        return pt;
}

int
green__pt_spawn(struct green__pt *pt, green_thread_fn fn, size_t stack_size)
{
        struct green_spawn_opts opts = {.size = sizeof(opts), .stack_size = stack_size};
        void *mine = green_local_get(handle_local);

        if (green_local_set(handle_local, (void *)pt->handle) != 0)
                return -ENOMEM;
        pt->thread = green_spawn_with_at(fn, pt, stack_size == 0 ? NULL : &opts, "pthread_create");
        (void)green_local_set(handle_local, mine);
        if (pt->thread == NULL)
                return -ENOMEM;
        pt->ident = green_thread_ident(pt->thread);
        return 0;
}

/* ---- the running one */

static struct green__pt *
make_root(green_thread *self)
{
        struct green__pt *pt = green_calloc(1, sizeof(*pt));

        if (pt == NULL)
                return NULL;
        pt->root = pt->started = true;
        pt->refs = 1;
        pt->os = pthread_self();
        pt->hub = green_hub_ref(green_get_hub());
        pt->ident = green_thread_ident(self);
        pt->thread = green_thread_ref(self);
        green__pt_lock();
        pt->next_root = roots;
        roots = pt;
        green__pt_unlock();
        root = pt;
        return pt;
}

/* One that was made by green_spawn(). */
static struct green__pt *
make_plain(green_thread *self)
{
        struct green__pt *pt = green__pt_new();

        if (pt == NULL)
                return NULL;
        pt->ident = green_thread_ident(self);
        pt->started = pt->detached = true;
        if (green_local_set(handle_local, (void *)pt->handle) != 0) {
                green__pt_put(pt);
                return NULL;
        }
        pt->thread = green_thread_ref(self);
        return pt;
}

static bool
is_root(green_thread *self)
{
        return strcmp(green_thread_where(self), "main") == 0;
}

/* The slow half: not the one that asked last. */
static struct green__pt *
look_up(green_thread *self, uint64_t ident)
{
        struct green__pt *pt = NULL;

        if (is_root(self)) {
                pt = root != NULL && root->ident == ident ? root : make_root(self);
        } else if (set_up()) {
                green__pt_lock();
                pt = find((uintptr_t)green_local_get(handle_local));
                green__pt_unlock();
                if (pt == NULL || pt->ident != ident)
                        pt = make_plain(self);
        }
        if (pt != NULL) {
                last.ident = ident;
                last.pt = pt;
        }
        return pt;
}

static inline green_thread *
running(void)
{
        green_thread *self;

        return green_park_check_mt(0, &self) < 0 ? NULL : self;
}

struct green__pt *
green__pt_self(void)
{
        green_thread *self = running();
        uint64_t ident;

        if (self == NULL)
                return NULL;
        ident = green_thread_ident(self);
        return last.ident == ident ? last.pt : look_up(self, ident);
}

uint64_t
green__pt_owner(void)
{
        green_thread *self = running();
        uint64_t ident;

        if (self == NULL)
                return 0;
        ident = green_thread_ident(self);
        if (last.ident == ident)
                return last.pt->root ? 0 : ident;
        return is_root(self) ? 0 : ident;
}
