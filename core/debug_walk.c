/*
 * Walking stacks by libunwind, of this process only. See debug_walk.h.
 *
 * It is not linked but loaded, for itself, when calls are to be shown for the first time. Besides its own functions it has
 * those of the C++ ABI (_Unwind_...): linked, they would come before the ones of the compiler's library in the whole
 * process, and whoever unwinds there (exceptions, pthread_exit()) would call now these, now those.
 */
#define UNW_LOCAL_ONLY
#include <config.h>

#include "debug_walk.h"

#include <dlfcn.h>
#include <libunwind.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#define PROCESSOR(X) X(unw_tdep_getcontext)
#define HERE(uc) FN(unw_tdep_getcontext)(uc)
static void
fill(unw_context_t *uc, const struct green__place *from)
{
        memset(uc, 0, sizeof *uc);
        uc->uc_mcontext.gregs[REG_RSP] = (greg_t)from->sp;
        uc->uc_mcontext.gregs[REG_RBP] = (greg_t)from->fp;
        uc->uc_mcontext.gregs[REG_RIP] = (greg_t)from->ip;
}
#elif defined(__aarch64__)
/* Instructions of its header read the registers. */
#define PROCESSOR(X)
#define HERE(uc) unw_getcontext(uc)
static void
fill(unw_context_t *uc, const struct green__place *from)
{
        memset(uc, 0, sizeof *uc);
        uc->uc_mcontext.sp = from->sp;
        uc->uc_mcontext.regs[29] = from->fp;
        uc->uc_mcontext.pc = from->ip;
}
#endif

/* ---- loading */

/* Their names are macros: the library's functions have others, for each processor. */
#define FUNCTIONS(X)                                                                                                   \
        PROCESSOR(X)                                                                                                   \
        X(unw_init_local2)                                                                                             \
        X(unw_step)                                                                                                    \
        X(unw_get_reg)                                                                                                 \
        X(unw_get_proc_info)                                                                                           \
        X(unw_get_proc_name)

/*
 * Two OS threads may load it at the same time, and find the same. No lock: the child of a fork would not get one that was
 * held, and a load that has failed is tried again by the next dump.
 */
static struct {
        atomic_bool there; /* the functions below may be called */
        atomic_bool tried; /* for a name */
#define FUNCTION(fn) _Atomic(__typeof__(&(fn))) fn;
        FUNCTIONS(FUNCTION)
#undef FUNCTION
} lib;

#define FN(fn) (*atomic_load_explicit(&lib.fn, memory_order_relaxed))

static bool
is_there(void)
{
        return atomic_load_explicit(&lib.there, memory_order_acquire);
}

/* False: one of them is missing. */
static bool
find_functions(void *handle)
{
        bool all = true;

#define FIND(fn)                                                                                                       \
        {                                                                                                              \
                __typeof__(&(fn)) found;                                                                               \
                void *symbol = dlsym(handle, GREEN_STRINGIFY(fn));                                                     \
                                                                                                                       \
                memcpy(&found, &symbol, sizeof found);                                                                 \
                all = all && symbol != NULL;                                                                           \
                atomic_store_explicit(&lib.fn, found, memory_order_relaxed);                                           \
        }
        FUNCTIONS(FIND)
#undef FIND
        return all;
}

/* In a program that is wholly static it comes with a C library of its own, which knows of no other object. */
static bool
finds_this(void)
{
        const uintptr_t start = (uintptr_t)&green__walk_prepare;
        const struct green__place at = {.sp = (uintptr_t)&start, .fp = 0, .ip = start + 1};
        unw_proc_info_t info;
        unw_context_t uc;
        unw_cursor_t cursor;

        fill(&uc, &at);
        return FN(unw_init_local2)(&cursor, &uc, UNW_INIT_SIGNAL_FRAME) == 0 &&
               FN(unw_get_proc_info)(&cursor, &info) == 0 && info.start_ip == start;
}

static bool
load(char *why, size_t size)
{
        void *handle;

        if (is_there())
                return true;
        handle = dlopen(GREEN_LIBUNWIND, RTLD_NOW | RTLD_LOCAL);
        if (handle == NULL) {
                const char *text = dlerror();

                snprintf(why, size, "%s", text == NULL ? GREEN_LIBUNWIND " cannot be loaded" : text);
                return false;
        }
        if (!find_functions(handle))
                snprintf(why, size, "%s lacks functions", GREEN_LIBUNWIND);
        else if (!finds_this())
                snprintf(why, size, "%s does not find the functions of this program", GREEN_LIBUNWIND);
        else if (!atomic_exchange(&lib.there, true))
                return true;
        dlclose(handle);
        return is_there();
}

/* ---- walking */

const char *
green__walk_by(char *why, size_t size)
{
        /* The running stack is walked in any case. */
        bool loaded = load(why, size);

        if (!green__place_known()) {
                snprintf(why, size, "the context method hides where they go on");
                return NULL;
        }
        return loaded ? "libunwind" : green__frames_kept() ? "frame pointers" : NULL;
}

static int
walk(unw_cursor_t *cursor, const char *lo, const char *hi, const void **calls, int max)
{
        int n = 0;

        while (n < max) {
                unw_word_t ip = 0, sp = 0;

                if (FN(unw_get_reg)(cursor, UNW_REG_IP, &ip) != 0 || FN(unw_get_reg)(cursor, UNW_REG_SP, &sp) != 0 ||
                    ip == 0)
                        break;
                if (hi != NULL && (sp < (uintptr_t)lo || sp > (uintptr_t)hi))
                        break;
                calls[n++] = (const void *)(uintptr_t)ip;
                if (FN(unw_step)(cursor) <= 0)
                        break;
        }
        return n;
}

int
green__walk_parked(const struct green__place *from, const char *lo, const char *hi, const void **calls, int max)
{
        unw_context_t uc;
        unw_cursor_t cursor;

        if (!is_there())
                return green__frames_kept() ? green__walk_frames(from, lo, hi, calls, max) : 0;
        fill(&uc, from);
        if (FN(unw_init_local2)(&cursor, &uc, UNW_INIT_SIGNAL_FRAME) != 0)
                return 0;
        return walk(&cursor, lo, hi, calls, max);
}

__attribute__((noinline)) int
green__walk_here(const void **calls, int max)
{
        unw_context_t uc;
        unw_cursor_t cursor;

        if (!is_there())
                return green__plain_from(__builtin_return_address(0), calls, max);
        if (HERE(&uc) != 0 || FN(unw_init_local2)(&cursor, &uc, 0) != 0 || FN(unw_step)(&cursor) <= 0)
                return 0;
        return walk(&cursor, NULL, NULL, calls, max);
}

int
green__walk_interrupted(void *ucontext, const void **calls, int max)
{
        unw_cursor_t cursor;

        if (!is_there())
                return green__plain_interrupted(ucontext, calls, max);
        if (FN(unw_init_local2)(&cursor, ucontext, UNW_INIT_SIGNAL_FRAME) != 0)
                return 0;
        return walk(&cursor, NULL, NULL, calls, max);
}

/* The first walk sets libunwind up, or what is in its place. */
void
green__walk_prepare(void)
{
        const void *calls[2];

        (void)load(NULL, 0);
        (void)green__walk_here(calls, 2);
}

/* It is tried once for names, which are many. */
static bool
there_for_names(void)
{
        return is_there() || (!atomic_exchange(&lib.tried, true) && load(NULL, 0));
}

bool
green__walk_name(const void *address, char *name, size_t size, size_t *ret_offset)
{
        struct green__place at = {.sp = (uintptr_t)&at, .fp = 0, .ip = (uintptr_t)address};
        unw_context_t uc;
        unw_cursor_t cursor;
        unw_word_t offset;
        int rc;

        if (!there_for_names())
                return false;
        fill(&uc, &at);
        if (FN(unw_init_local2)(&cursor, &uc, UNW_INIT_SIGNAL_FRAME) != 0)
                return false;
        rc = FN(unw_get_proc_name)(&cursor, name, size, &offset);
        if (rc != 0 && rc != -UNW_ENOMEM)
                return false;
        *ret_offset = (size_t)offset;
        return true;
}
