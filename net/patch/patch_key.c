/*
 * Thread-specific data and pthread_once().
 *
 * Keys are libc's. A green thread has a table of values of its own; the OS thread's own green thread keeps libc's, so
 * what it has set before patching is there.
 */
#include <config.h>

#include "patch_thread_priv.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "patch_native.h"

/* ---- keys */

/* The running green thread, unless its values are libc's. */
static struct green__pt *
holder(void)
{
        struct green__pt *pt = green__pt_self();

        return pt == NULL || pt->root ? NULL : pt;
}

void *
green__pt_getspecific(pthread_key_t key)
{
        struct green__pt *pt = holder();
        void (*destructor)(void *);
        uintptr_t seq;

        if (pt == NULL)
                return pthread_getspecific(key);
        if (key >= pt->nvalues || pt->values[key].value == NULL)
                return NULL;
        if (!green__native_key(key, &destructor, &seq) || pt->values[key].seq != seq)
                return NULL;
        return pt->values[key].value;
}

static bool
make_room(struct green__pt *pt, pthread_key_t key)
{
        unsigned n = key + 1 > 2 * pt->nvalues ? key + 1 : 2 * pt->nvalues;
        struct green__pt_value *values;

        if (key < pt->nvalues)
                return true;
        values = green_realloc(pt->values, n * sizeof(*values));
        if (values == NULL)
                return false;
        memset(&values[pt->nvalues], 0, (n - pt->nvalues) * sizeof(*values));
        pt->values = values;
        pt->nvalues = n;
        return true;
}

int
green__pt_setspecific(pthread_key_t key, const void *value)
{
        struct green__pt *pt = holder();
        void (*destructor)(void *);
        uintptr_t seq;

        if (pt == NULL)
                return pthread_setspecific(key, value);
        if (!green__native_key(key, &destructor, &seq))
                return EINVAL;
        if (value == NULL && key >= pt->nvalues)
                return 0;
        if (!make_room(pt, key))
                return ENOMEM;
        pt->values[key] = (struct green__pt_value){seq, (void *)(uintptr_t)value};
        return 0;
}

int
green__pt_key_create(pthread_key_t *ret_key, void (*destructor)(void *))
{
        int rc = pthread_key_create(ret_key, destructor);

        if (rc == 0)
                green__native_key_made(*ret_key, destructor);
        return rc;
}

int
green__pt_key_delete(pthread_key_t key)
{
        int rc = pthread_key_delete(key);

        if (rc == 0)
                green__native_key_deleted(key);
        return rc;
}

/* One pass; true if a destructor was called: it may have set values again. */
static bool
destroy_once(struct green__pt *pt)
{
        bool called = false;

        for (unsigned i = 0; i < pt->nvalues; i++) {
                struct green__pt_value v = pt->values[i];
                void (*destructor)(void *);
                uintptr_t seq;

                pt->values[i].value = NULL;
                if (v.value == NULL || !green__native_key(i, &destructor, &seq) || seq != v.seq || destructor == NULL)
                        continue;
                destructor(v.value);
                called = true;
        }
        return called;
}

void
green__pt_destroy_values(struct green__pt *pt)
{
        for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && destroy_once(pt); round++)
                ;
        green_free(pt->values);
        pt->values = NULL;
        pt->nvalues = 0;
}

/* ---- once */

/*
 * libc does it, and its control word says how far it is, for OS threads that come meanwhile. But a second green thread
 * that came would stop the OS thread in there: the runs that are under way stand in a list, and it waits for them.
 */
struct green__pt_once {
        struct green__pt_once *next;
        int *control;
        void (*init)(void);
        const void *outer;            /* a frame above the call of libc's function */
        struct green__pt_once *below; /* of the same thread, begun before */
        bool listed;                  /* in the list; under its lock */
};

enum { WAKE_PRIVATE = 1 | 128 }; /* of the system call futex() */

enum { BEGUN = 1, STATE = 3, DONE = 2 }; /* of the control word: in glibc and in musl */

static pthread_mutex_t once_lock = PTHREAD_MUTEX_INITIALIZER;
static struct green__pt_once *once_runs;

/* What the trampoline is to call; good until it is called. */
static __thread struct green__pt_once *once_now;

static int
state_of(const int *control)
{
        return __atomic_load_n(control, __ATOMIC_ACQUIRE);
}

/* Under the lock. One whose function was left by an exception is in the list still, but libc knows. */
static struct green__pt_once **
find_run(int *control)
{
        struct green__pt_once **at = &once_runs;

        while (*at != NULL && (*at)->control != control)
                at = &(*at)->next;
        return at;
}

/* NULL: another green thread runs it. */
static struct green__pt_once *
enter_run(int *control, void (*init)(void), int *ret_rc)
{
        struct green__pt_once *run = green_malloc(sizeof(*run)), **at;

        *ret_rc = run == NULL ? ENOMEM : 0;
        if (run == NULL)
                return NULL;
        (void)pthread_mutex_lock(&once_lock);
        at = find_run(control);
        if (*at != NULL && (state_of(control) & BEGUN)) {
                (void)pthread_mutex_unlock(&once_lock);
                green_free(run);
                return NULL;
        }
        if (*at != NULL) {
                struct green__pt_once *stale = *at;

                *at = stale->next;
                stale->listed = false;
        }
        *run = (struct green__pt_once){.next = once_runs, .control = control, .init = init, .listed = true};
        once_runs = run;
        (void)pthread_mutex_unlock(&once_lock);
        return run;
}

/* The newest run of a thread is over, or was left; true: nobody else has found that out. */
static bool
leave_run(struct green__pt *pt, struct green__pt_once *run)
{
        bool listed;

        (void)pthread_mutex_lock(&once_lock);
        listed = run->listed;
        if (listed) {
                struct green__pt_once **at = &once_runs;

                while (*at != run)
                        at = &(*at)->next;
                *at = run->next;
        }
        (void)pthread_mutex_unlock(&once_lock);
        if (pt != NULL)
                pt->onces = run->below;
        green_free(run);
        return listed;
}

/* By pthread_exit(): it is as if it had never begun. libc would say so if it unwound the stack. */
void
green__pt_leave_onces(struct green__pt *pt, uintptr_t limit)
{
        while (pt->onces != NULL && (uintptr_t)pt->onces->outer < limit) {
                int *control = pt->onces->control;

                if (!leave_run(pt, pt->onces) || !(state_of(control) & BEGUN))
                        continue;
                __atomic_store_n(control, 0, __ATOMIC_SEQ_CST);
                (void)syscall(SYS_futex, control, WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
                green__lot_serve(control);
        }
}

/* What an exception has left: frames below this one are gone. */
static void
drop_left(struct green__pt *pt, const void *frame)
{
        while (pt->onces != NULL && (const char *)pt->onces->outer < (const char *)frame)
                (void)leave_run(pt, pt->onces);
}

static void
trampoline(void)
{
        struct green__pt_once *run = once_now;

        green__native_once_inside(run->outer);
        run->init();
}

static bool
once_settled(struct green__lot_wait *w)
{
        return !(state_of(w->object) & BEGUN);
}

static bool
always(struct green__lot_wait *w)
{
        (void)w;
        return true;
}

static void
wait_for_run(int *control)
{
        struct green__lot_wait w = {.key = control,
                                    .object = control,
                                    .try = once_settled,
                                    .silent = always,
                                    .any_os = true,
                                    .shielded = true};

        /* std::call_once() leaves what it calls in two variables of the OS thread, which others use meanwhile. */
        void **const vars[] = {dlsym(RTLD_DEFAULT, "_ZSt15__once_callable"), dlsym(RTLD_DEFAULT, "_ZSt11__once_call")};
        void *saved[2] = {NULL, NULL};

        for (int i = 0; i < 2; i++)
                if (vars[i] != NULL)
                        saved[i] = *vars[i];
        (void)green__lot_wait(&w, NULL);
        for (int i = 0; i < 2; i++)
                if (vars[i] != NULL)
                        *vars[i] = saved[i];
}

int
green__pt_once(int *control, void (*init)(void))
{
        while ((state_of(control) & STATE) != DONE) {
                struct green__pt_once *run;
                struct green__pt *pt;
                int rc;

                if (!green__patch_may_wait())
                        return pthread_once((pthread_once_t *)control, init);
                run = enter_run(control, init, &rc);
                if (rc != 0)
                        return rc;
                if (run == NULL) {
                        wait_for_run(control);
                        continue;
                }
                run->outer = __builtin_frame_address(0);
                pt = green__pt_self();
                if (pt != NULL) {
                        drop_left(pt, run->outer);
                        run->below = pt->onces;
                        pt->onces = run;
                }
                once_now = run;
                rc = pthread_once((pthread_once_t *)control, trampoline);
                (void)leave_run(pt, run);
                green__lot_serve(control);
                if (rc != 0)
                        return rc;
        }
        return 0;
}

const struct patch_entry green__patch_key[] = {
        PATCH_ENTRY("pthread_key_create", green__pt_key_create, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_key_create", green__pt_key_create, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_key_delete", green__pt_key_delete, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_getspecific", green__pt_getspecific, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_getspecific", green__pt_getspecific, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_setspecific", green__pt_setspecific, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_setspecific", green__pt_setspecific, GREEN_PATCH_THREAD),
        PATCH_ENTRY("pthread_once", green__pt_once, GREEN_PATCH_THREAD),
        PATCH_ENTRY("__pthread_once", green__pt_once, GREEN_PATCH_THREAD),
        PATCH_ENTRIES_END,
};
