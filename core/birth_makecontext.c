/*
 * Birth of a stack by makecontext(), under another context method: go there once and let the boot function park.
 */
#undef _FORTIFY_SOURCE
#include <config.h>

#include "birth.h"

#include <errno.h>

#if HAVE_UCONTEXT && !GREEN_CONTEXT_UCONTEXT

#include <ucontext.h>

static __thread struct {
        struct green__birth *birth;
        ucontext_t home, entry;
} now;

static void
go_home(void)
{
        setcontext(&now.home);
}

/* With a frame pointer: see green__frame_end(). */
static void
arrive(void)
{
        void *volatile here = __builtin_frame_address(0);

        (void)here;
        green__birth_boot(now.birth, go_home);
}

int
green__birth_makecontext(struct green__birth *birth)
{
        if (getcontext(&now.entry) != 0)
                return -errno;
        now.birth = birth;
        now.entry.uc_link = NULL;
        now.entry.uc_stack.ss_sp = birth->lo;
        now.entry.uc_stack.ss_size = (size_t)(birth->hi - birth->lo) - birth->colour;
        makecontext(&now.entry, arrive, 0);
        birth->dead = birth->hi;
        return swapcontext(&now.home, &now.entry) == 0 ? 0 : -errno;
}

#elif !GREEN_CONTEXT_UCONTEXT

int
green__birth_makecontext(struct green__birth *birth)
{
        (void)birth;
        return -ENOTSUP;
}

#endif
