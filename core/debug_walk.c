/*
 * Walking stacks by libunwind, of this process only. See debug_walk.h.
 */
#define UNW_LOCAL_ONLY
#include <config.h>

#include "debug_walk.h"

#include <libunwind.h>
#include <string.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define ABLE 1
static void
fill(unw_context_t *uc, const struct green__place *from)
{
        memset(uc, 0, sizeof *uc);
        uc->uc_mcontext.gregs[REG_RSP] = (greg_t)from->sp;
        uc->uc_mcontext.gregs[REG_RBP] = (greg_t)from->fp;
        uc->uc_mcontext.gregs[REG_RIP] = (greg_t)from->ip;
}
#elif defined(__aarch64__) && !defined(__ILP32__)
#define ABLE 1
static void
fill(unw_context_t *uc, const struct green__place *from)
{
        memset(uc, 0, sizeof *uc);
        uc->uc_mcontext.sp = from->sp;
        uc->uc_mcontext.regs[29] = from->fp;
        uc->uc_mcontext.pc = from->ip;
}
#else
#define ABLE 0
static void
fill(unw_context_t *uc, const struct green__place *from)
{
        (void)from;
        memset(uc, 0, sizeof *uc);
}
#endif

const char *
green__walk_by(void)
{
        return ABLE && green__place_known() ? "libunwind" : NULL;
}

static int
walk(unw_cursor_t *cursor, const char *lo, const char *hi, const void **calls, int max)
{
        int n = 0;

        while (n < max) {
                unw_word_t ip = 0, sp = 0;

                if (unw_get_reg(cursor, UNW_REG_IP, &ip) != 0 || unw_get_reg(cursor, UNW_REG_SP, &sp) != 0 || ip == 0)
                        break;
                if (hi != NULL && (sp < (uintptr_t)lo || sp > (uintptr_t)hi))
                        break;
                calls[n++] = (const void *)(uintptr_t)ip;
                if (unw_step(cursor) <= 0)
                        break;
        }
        return n;
}

int
green__walk_parked(const struct green__place *from, const char *lo, const char *hi, const void **calls, int max)
{
        unw_context_t uc;
        unw_cursor_t cursor;

        fill(&uc, from);
        if (!ABLE || unw_init_local2(&cursor, &uc, UNW_INIT_SIGNAL_FRAME) != 0)
                return 0;
        return walk(&cursor, lo, hi, calls, max);
}

__attribute__((noinline)) int
green__walk_here(const void **calls, int max)
{
        unw_context_t uc;
        unw_cursor_t cursor;

        if (unw_getcontext(&uc) != 0 || unw_init_local(&cursor, &uc) != 0 || unw_step(&cursor) <= 0)
                return 0;
        return walk(&cursor, NULL, NULL, calls, max);
}

int
green__walk_interrupted(void *ucontext, const void **calls, int max)
{
        unw_cursor_t cursor;

        if (!ABLE || unw_init_local2(&cursor, ucontext, UNW_INIT_SIGNAL_FRAME) != 0)
                return 0;
        return walk(&cursor, NULL, NULL, calls, max);
}

/* The first walk sets libunwind up. */
void
green__walk_prepare(void)
{
        const void *calls[2];

        (void)green__walk_here(calls, 2);
}

bool
green__walk_name(const void *address, char *name, size_t size, size_t *ret_offset)
{
        struct green__place at = {.sp = (uintptr_t)&at, .fp = 0, .ip = (uintptr_t)address};
        unw_context_t uc;
        unw_cursor_t cursor;
        unw_word_t offset;
        int rc;

        fill(&uc, &at);
        if (!ABLE || unw_init_local2(&cursor, &uc, UNW_INIT_SIGNAL_FRAME) != 0)
                return false;
        rc = unw_get_proc_name(&cursor, name, size, &offset);
        if (rc != 0 && rc != -UNW_ENOMEM)
                return false;
        *ret_offset = (size_t)offset;
        return true;
}
