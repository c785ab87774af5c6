/*
 * The parts of net/patch/: the engine that finds objects and changes their imports (patch.c, patch_elf.c, ...), and the
 * functions that go in the place of libc's, in files by subject, each with a table of its own.
 */
#ifndef GREEN_PATCH_PRIV_H
#define GREEN_PATCH_PRIV_H

#include <errno.h>

#include <green/park.h>
#include <green/patch.h>

#include "../check.h"

/* A function of libc and what stands for it. */
struct patch_entry {
        const char *name;    /* as an object imports it: "read", "__read_chk", "fcntl64" */
        void (*fn)(void);    /* never NULL */
        unsigned groups;     /* GREEN_PATCH_...: it is put in place where one of them is asked for */
};

#define PATCH_ENTRY(name, fn, groups) {(name), (void (*)(void))(fn), (groups)}
#define PATCH_ENTRIES_END {NULL, NULL, 0}

/* Tables, each ended by PATCH_ENTRIES_END. The engine's list of them is in patch_table.c. */
extern const struct patch_entry green__patch_fd[];      /* patch_fd*.c: read to ioctl, sockets */
extern const struct patch_entry green__patch_poll[];    /* patch_poll.c: poll, select, epoll_wait */
extern const struct patch_entry green__patch_thread[];  /* patch_thread*.c: threads, their keys, once */
extern const struct patch_entry green__patch_exit[];    /* patch_thread_exit.c: ends of threads */
extern const struct patch_entry green__patch_thread_np[]; /* patch_thread_np.c: names, signals, ... of threads */
extern const struct patch_entry green__patch_key[];     /* patch_key.c: keys, once */
extern const struct patch_entry green__patch_c11[];     /* patch_c11.c: <threads.h> */
extern const struct patch_entry green__patch_lock[];    /* patch_lock.c: mutexes, spin locks */
extern const struct patch_entry green__patch_cond[];    /* patch_cond.c: condition variables, barriers */
extern const struct patch_entry green__patch_rwlock[];  /* patch_rwlock.c: read-write locks, semaphores */
extern const struct patch_entry green__patch_time[];    /* patch_time.c */
extern const struct patch_entry green__patch_dns[];     /* patch_dns.c */
extern const struct patch_entry green__patch_process[]; /* patch_process.c */
extern const struct patch_entry green__patch_dl[];      /* patch_dl.c: dlopen(), dlsym(); in place with any group */
extern const struct patch_entry green__patch_signal[];  /* patch_signal.c: sigaction(), signal(); in place with any group */

/* The frame of a signal handler of patched code that runs in this OS thread; patch_signal.c sets it. */
struct green__patch_mark {
        const char *frame;   /* NULL: none runs */
        const char *lowest;  /* its callees' frames lie between the two */
        green_thread *thread; /* it has interrupted; NULL: none, or the hub */
};
extern _Thread_local struct green__patch_mark green__patch_mark;

/* Does the handler that left a mark still run? Wipes the mark where not: siglongjmp() has left it. */
bool green__patch_in_handler(void);

/*
 * May the caller wait as a green thread? False on an OS thread without a hub (none is made), in a hub callback and in a
 * signal handler: then the system's function is called. Each replacement asks this first. Cheap: a few nanoseconds.
 */
bool green__patch_may_wait(void);

/*
 * A point where pthread_cancel() takes effect: does not return where the running thread was cancelled and allows it.
 * green__patch_fail() calls it, since a cancelled thread's calls fail as those of a killed one do.
 */
void green__patch_testcancel(void);

/*
 * The same for calls that a kill or a timeout makes fail. 1: go on, as a green thread; 0: the system's function; -1: it fails,
 * errno is ECANCELED, and the others have had a turn.
 */
static inline int
green__patch_begin(void)
{
        green_thread *self = NULL;
        int rc;

        if (green__unlikely(green__patch_mark.frame != NULL) && green__patch_in_handler())
                return 0;
        rc = green_park_check_mt(GREEN_FOREVER, &self);
        if (green__likely(rc == 0))
                return self != NULL;
        if (rc > 0)
                return 0;
        green__patch_testcancel();
        errno = ECANCELED;
        return -1;
}

/*
 * Waits that signal handlers end. Between begin and end a handler of patched code is not run where the signal has found
 * the OS thread (on the stack of some green thread, maybe in the midst of the scheduler), but by the one that waits, on
 * its own stack, once it was woken. That is the main green thread, or one that waits with a signal mask of its own.
 */
enum {
        GREEN__PATCH_RAN = 1,         /* a handler ran */
        GREEN__PATCH_INTERRUPTED = 2, /* and one of them without SA_RESTART */
};

/* Begin, before anything is entered anywhere. False: signals are not for the caller, and there is no end. */
bool green__patch_away_begin(bool masked);

/* Where it has to wait too, beside what it waits for: woken there with -EINTR it ends the wait and tries again. */
struct green_waitq *green__patch_away_queue(void);

/* Or, where it waits in a way of its own: what ends that wait, in hub context. NULL: it waits no more. */
void green__patch_away_by(void (*end)(void *), void *arg);

/* The end: runs what has come. Bits as above. A handler that leaves by siglongjmp() leaves nothing behind. */
unsigned green__patch_away_end(void);

/*
 * Wait for a descriptor in the caller's and the system's name: GREEN_READ or GREEN_WRITE; several may wait for the same.
 * A handler with SA_RESTART ends it with 0, as if it was ready, where @p always is false. Otherwise as green_trampoline(), and
 * -EINTR; -EBADF: closed.
 */
int green__patch_wait(int fd, unsigned events, double seconds, bool always);

/* Wait for time alone. 0: it is over; -EINTR: any handler ran; a scope's code. For sleep() and its kind, and pause(). */
int green__patch_sleep(double seconds);

/*
 * A green-net code as `errno`: ECANCELED for a kill or a timeout (whatever its code), the number itself for a system's
 * error. Returns -1. May yield.
 */
int green__patch_fail(int code);

/* Let others run after 64 calls that had not to wait; for calls on what never runs dry. Keeps errno. */
enum { GREEN__PATCH_TURN = 64 };
extern _Thread_local unsigned green__patch_calls;
void green__patch_let_run(void);

static inline void
green__patch_turn(void)
{
        if (green__unlikely(++green__patch_calls >= GREEN__PATCH_TURN))
                green__patch_let_run();
}

/* Since which groups are patched, for blocking calls that slip through; and whether GREEN_PATCH_DEBUG is on. */
unsigned green__patch_groups(void);

/*
 * Makes a hub for the calling OS thread, where it has none and GREEN_PATCH_PROGRAM was asked for in it. True: it has one
 * now, and may wait.
 */
bool green__patch_take_program(void);
bool green__patch_debug(void);

#endif
