/*
 * Where a suspended stack goes on, by context method. See switch_place.h.
 */
#undef _FORTIFY_SOURCE /* <setjmp.h> in switch.h */
#include <config.h>

#include "switch_place.h"

#include <setjmp.h>
#include <signal.h> /* ucontext_t */

#if defined(__linux__) && defined(__x86_64__) && !defined(__ILP32__)
#define KNOWN 1
static void
from_registers(const ucontext_t *uc, struct green__place *place)
{
        place->sp = (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
        place->fp = (uintptr_t)uc->uc_mcontext.gregs[REG_RBP];
        place->ip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}
#elif defined(__linux__) && defined(__aarch64__) && !defined(__ILP32__)
#define KNOWN 1
static void
from_registers(const ucontext_t *uc, struct green__place *place)
{
        place->sp = (uintptr_t)uc->uc_mcontext.sp;
        place->fp = (uintptr_t)uc->uc_mcontext.regs[29];
        place->ip = (uintptr_t)uc->uc_mcontext.pc;
}
#elif defined(__linux__) && defined(__i386__)
#define KNOWN 1
static void
from_registers(const ucontext_t *uc, struct green__place *place)
{
        place->sp = (uintptr_t)uc->uc_mcontext.gregs[REG_ESP];
        place->fp = (uintptr_t)uc->uc_mcontext.gregs[REG_EBP];
        place->ip = (uintptr_t)uc->uc_mcontext.gregs[REG_EIP];
}
#elif defined(__linux__) && defined(__riscv)
#define KNOWN 1
static void
from_registers(const ucontext_t *uc, struct green__place *place)
{
        place->sp = (uintptr_t)uc->uc_mcontext.__gregs[REG_SP];
        place->fp = (uintptr_t)uc->uc_mcontext.__gregs[REG_S0];
        place->ip = (uintptr_t)uc->uc_mcontext.__gregs[REG_PC];
}
#else
#define KNOWN 0
static void
from_registers(const ucontext_t *uc, struct green__place *place)
{
        (void)uc;
        *place = (struct green__place){0, 0, 0};
}
#endif

bool
green__interrupted_place(const void *ucontext, struct green__place *ret_place)
{
        from_registers(ucontext, ret_place);
        return KNOWN;
}

#if GREEN_CONTEXT_NATIVE

bool
green__place_known(void)
{
        return true;
}

bool
green__context_place(const struct green__context *parked, struct green__place *ret_place)
{
        *ret_place = (struct green__place){(uintptr_t)parked->sp, (uintptr_t)parked->fp, (uintptr_t)parked->ip};
        return parked->ip != NULL;
}

#elif GREEN_CONTEXT_BUILTIN

bool
green__place_known(void)
{
        return KNOWN;
}

/* gcc and clang keep frame pointer, address and stack pointer, in this order. */
GREEN__UNSANITIZED bool
green__context_place(const struct green__context *parked, struct green__place *ret_place)
{
        void *const volatile *room = (void *const volatile *)parked->room;

        if (!KNOWN || room == NULL)
                return false;
        *ret_place = (struct green__place){.sp = (uintptr_t)room[2], .fp = (uintptr_t)room[0], .ip = (uintptr_t)room[1]};
        return true;
}

#elif GREEN_CONTEXT_SETJMP && defined(__linux__) && defined(__x86_64__) && !defined(__ILP32__)

/*
 * Words of a jmp_buf, in glibc and in musl alike. glibc hides three of them: turned by 17 bits, and mixed with a word of
 * the thread's control block, which is the same in all OS threads.
 */
enum { JB_RBP = 1, JB_RSP = 6, JB_PC = 7, TURNED = 17, NEAR = 4096 };

static uintptr_t
shown(uintptr_t word)
{
        uintptr_t mixed;

        __asm__("movq %%fs:0x30, %0" : "=r"(mixed));
        return (word >> TURNED | word << (64 - TURNED)) ^ mixed;
}

/* The buffer lies in the frame that called _setjmp(): a little above the stack pointer, if that was read rightly. */
static bool
is_below(uintptr_t sp, const void *room)
{
        return (uintptr_t)room >= sp && (uintptr_t)room - sp < NEAR;
}

bool
green__place_known(void)
{
        return true;
}

GREEN__UNSANITIZED bool
green__context_place(const struct green__context *parked, struct green__place *ret_place)
{
        const volatile uintptr_t *words = (const volatile uintptr_t *)parked->room;

        if (words == NULL)
                return false;
        *ret_place = (struct green__place){.sp = words[JB_RSP], .fp = words[JB_RBP], .ip = words[JB_PC]};
        if (is_below(ret_place->sp, parked->room))
                return true;
        *ret_place = (struct green__place){.sp = shown(words[JB_RSP]), .fp = shown(words[JB_RBP]), .ip = shown(words[JB_PC])};
        return is_below(ret_place->sp, parked->room);
}

#elif GREEN_CONTEXT_SETJMP

bool
green__place_known(void)
{
        return false;
}

bool
green__context_place(const struct green__context *parked, struct green__place *ret_place)
{
        (void)parked;
        (void)ret_place;
        return false;
}

#elif GREEN_CONTEXT_UCONTEXT

bool
green__place_known(void)
{
        return KNOWN;
}

GREEN__UNSANITIZED bool
green__context_place(const struct green__context *parked, struct green__place *ret_place)
{
        if (!KNOWN || parked->room == NULL)
                return false;
        from_registers(parked->room, ret_place);
        return true;
}

#endif
