/*
 * The parts of net/patch/: the engine that finds objects and changes their imports (patch.c, patch_elf.c, ...), and the
 * functions that go in the place of libc's, in files by subject, each with a table of its own.
 */
#ifndef GREEN_PATCH_PRIV_H
#define GREEN_PATCH_PRIV_H

#include <green/patch.h>

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

/*
 * May the caller wait as a green thread? False on an OS thread without a hub (none is made), in a hub callback and in a
 * signal handler: then the system's function is called. Each replacement asks this first. Cheap: a few nanoseconds.
 */
bool green__patch_may_wait(void);

/*
 * A green-net code as `errno`: ECANCELED for a kill or a timeout (whatever its code), the number itself for a system's
 * error. Returns -1.
 */
int green__patch_fail(int code);

/*
 * A point where pthread_cancel() takes effect: does not return where the running thread was cancelled and allows it.
 * green__patch_fail() calls it, since a cancelled thread's calls fail as those of a killed one do.
 */
void green__patch_testcancel(void);

/* Since which groups are patched, for blocking calls that slip through; and whether GREEN_PATCH_DEBUG is on. */
unsigned green__patch_groups(void);
bool green__patch_debug(void);

#endif
