/*
 * The method "fiber": SwitchToFiber(). On Windows the system has to know of each stack: it looks for exceptions' handlers
 * within the bounds that it keeps, and makes a stack larger where its guard page was touched.
 *
 * A fiber has a stack of its own, so what the pool of stacks hands out are fibers; see stack_fiber.c.
 */
#ifndef GREEN_SWITCH_FIBER_H
#define GREEN_SWITCH_FIBER_H

/* A fiber made here. It stays where it is. */
struct green__fiber {
        void *handle;
        void *again;   /* a jmp_buf in its first frame: from there green__thread_main() is called */
        char *lo, *hi; /* its stack */
        bool begin;    /* the next switch to it begins anew: whatever it is in the midst of is forgotten */
};

struct green__context {
        void *handle;             /* its fiber */
        struct green__fiber *own; /* the same, where it was made here; NULL: it is the OS thread's own */
        GREEN__SANITIZE_MEMBER
};

typedef char green__method_room;

#define GREEN__CONTEXT_REBASE 0
#define GREEN__CONTEXT_SHADOW_STACKS 1
#define GREEN__CONTEXT_SIGNAL_BIRTH 0

/* In switch_fiber.c. */
void green__method_switch(struct green__context *from, struct green__context *to);
void green__method_jump(struct green__context *to) __attribute__((noreturn));

/* The calling OS thread becomes a fiber, as it must be before it can switch. *ret_made: it was none. 0 or -errno. */
int green__fiber_thread_begin(bool *ret_made);
/* It is none any more. From its own fiber. */
void green__fiber_thread_end(void);

/* A fiber with a stack of about size bytes, waiting in its first frame. 0 or -errno. */
int green__fiber_make(struct green__fiber *fiber, size_t size);
/* Not the one that runs. */
void green__fiber_free(struct green__fiber *fiber);

/* What tells a parked fiber from another. */
static inline void *
green__method_word(const struct green__context *parked)
{
        return parked->own;
}

/* Its context, to begin anew at. */
static inline struct green__context
green__method_context(const struct green__context *other, void *word)
{
        struct green__fiber *fiber = (struct green__fiber *)word;

        (void)other;
        fiber->begin = true;
        return (struct green__context){.handle = fiber->handle, .own = fiber};
}

#endif
