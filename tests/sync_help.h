/**
 * @file
 * @brief What tests of sync/ share besides core_help.h: waiters, hub callbacks, other OS threads, children, memory that
 *        runs out, the log as text.
 */
#ifndef GREEN_TESTS_SYNC_HELP_H
#define GREEN_TESTS_SYNC_HELP_H

#include "config.h"

#include "core_help.h"

#include <green/sync.h>

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON 10.0

/* ---- the log, as text */

static char log_text[8192];

static inline void
log_append(void *arg, enum green_log_level level, const char *message)
{
        size_t len = strlen(log_text);

        (void)arg;
        (void)level;
        snprintf(log_text + len, sizeof(log_text) - len, "%s\n", message);
}

/** Was something logged that contains this, since the last call? Debug builds only: true in others. */
static inline bool
reported(const char *part)
{
        bool found = !GREEN_DEBUG || strstr(log_text, part) != NULL;

        log_text[0] = '\0';
        return found;
}

/* ---- memory */

/** Allocations that still succeed; below 0: all do. */
static int memory_left = -1;

/** Blocks that are in use. */
static atomic_long memory_blocks;

static inline void *
help_realloc(void *arg, void *old, size_t len)
{
        void *block;

        (void)arg;
        if (memory_left == 0) {
                errno = ENOMEM;
                return NULL;
        }
        if (memory_left > 0)
                memory_left--;
        block = realloc(old, len);
        if (old == NULL && block != NULL)
                atomic_fetch_add(&memory_blocks, 1);
        return block;
}

static inline void
help_free(void *arg, void *old)
{
        (void)arg;
        atomic_fetch_sub(&memory_blocks, 1);
        free(old);
}

/** `make` fails with ENOMEM where memory runs out, and works where it does not; then `drop` takes what it made. */
#define CHECK_NEEDS_MEMORY(type, make, drop)                                                                           \
        do {                                                                                                           \
                int enough_ = 0;                                                                                       \
                type made_;                                                                                            \
                                                                                                                       \
                while (memory_left = enough_, made_ = (make), memory_left = -1, made_ == NULL && enough_ < 10) {       \
                        CHECK_INT(errno, ENOMEM);                                                                      \
                        CHECK_INT(green_last_error()->code, -ENOMEM);                                                  \
                        enough_++;                                                                                     \
                }                                                                                                      \
                CHECK_RANGE(enough_, 1, 3);                                                                            \
                CHECK_INT(drop(made_), 0);                                                                             \
                CHECK_INT(drop(NULL), 0);                                                                              \
        } while (0)

/* ---- waiters */

/** A green thread that makes one call of an object. */
struct waiter {
        int (*call)(void *object, double timeout);
        void *object;
        double timeout;
        bool shielded;
        bool again;    /**< calls once more, and keeps that code in rc_again */
        int rc, order; /**< order: 1 for the first that returned */
        int rc_again;
        green_thread *thread;
};

static int waiters_returned;

static inline void *
waiter_main(void *arg)
{
        struct waiter *w = arg;

        if (w->shielded)
                green_shield_begin();
        w->rc = w->call(w->object, w->timeout);
        w->order = ++waiters_returned;
        if (w->shielded)
                green_shield_end();
        if (w->again)
                w->rc_again = w->call(w->object, w->timeout);
        (void)green_recover();
        return NULL;
}

/** Starts one, which waits when this returns (or has returned already). */
static inline void
waiter_start(struct waiter *w, int (*call)(void *, double), void *object, double timeout)
{
        *w = (struct waiter){.call = call,
                             .object = object,
                             .timeout = timeout,
                             .rc = 1000,
                             .rc_again = 1000,
                             .shielded = w->shielded,
                             .again = w->again};
        w->thread = green_spawn(waiter_main, w);
        turns(1);
}

static inline bool
waits(const struct waiter *w)
{
        return w->rc == 1000;
}

/** Its code, when it has returned. */
static inline int
waiter_end(struct waiter *w)
{
        CHECK_INT(join(w->thread), 0);
        return w->rc;
}

/* ---- other places to call from */

struct elsewhere {
        void (*fn)(void *arg);
        void *arg;
        bool done;
};

static inline void
elsewhere_callback(void *arg)
{
        struct elsewhere *e = arg;

        CHECK_PTR(green_getcurrent(), NULL);
        e->fn(e->arg);
        e->done = true;
}

/** Calls fn in a hub callback. */
static inline void
in_callback(void (*fn)(void *arg), void *arg)
{
        struct elsewhere e = {fn, arg, false};

        CHECK_INT(green_hub_post(green_get_hub(), elsewhere_callback, &e), 0);
        for (int i = 0; i < 100000 && !e.done; i++)
                (void)green_sleep(0);
        CHECK(e.done);
}

static inline void *
elsewhere_thread(void *arg)
{
        struct elsewhere *e = arg;

        e->fn(e->arg);
        return NULL;
}

/** Calls fn in an OS thread of its own. */
static inline void
in_thread(void (*fn)(void *arg), void *arg)
{
        struct elsewhere e = {fn, arg, false};
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, elsewhere_thread, &e), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
}

/** fork(), where the child dies if it hangs; it ends with child_exit(). */
static inline pid_t
child_begin(void)
{
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid == 0)
                alarm((unsigned)(20 * suite_slow()));
        CHECK(pid >= 0);
        return pid;
}

_Noreturn static inline void
child_exit(void)
{
        _exit(suite_failures() != 0);
}

/** Its exit status, 0 or 77. */
static inline int
child_end(pid_t pid)
{
        int status = -1;

        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
        return WEXITSTATUS(status);
}

/* ---- around each test */

static inline void
sync_setup(void)
{
        help_setup();
        memory_left = -1;
        waiters_returned = 0;
        log_text[0] = '\0';
}

static inline void
sync_on_hang(void)
{
        green_debug_dump(2);
        fputs(log_text, stderr);
}

static inline void
sync_init(void)
{
        static const struct green_allocator allocator = {
                .size = sizeof(allocator), .realloc = help_realloc, .free = help_free};

        green_set_allocator(&allocator);
        green_set_log(log_append, NULL);
        help_init();
        suite_setup = sync_setup;
        suite_on_hang = sync_on_hang;
}

#endif
