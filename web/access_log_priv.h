/*
 * The inside of a log file. See <green/access_log.h>.
 *
 *      access_log.c         what is called: the buffer, and the log's life
 *      access_log_writer.c  the OS thread that writes
 *      access_log_posix.c   what it asks of the system; access_log_win32.c likewise
 *
 * The buffer is two halves. Those who log fill one, under the lock; the writer takes it over when it is through with the
 * other one, and writes without the lock. So nobody who holds the lock makes a system call.
 */
#ifndef GREEN_ACCESS_LOG_PRIV_H
#define GREEN_ACCESS_LOG_PRIV_H

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <green/access_log.h>
#include <green/alloc.h>
#include <green/error.h>
#include <green/log.h>
#include <green/park.h>
#include <green/thread.h>

/* Somebody who waits for the writer, on his stack. */
struct green__log_wait {
        struct green__log_wait *next, **prev; /* in the log's list; prev is NULL: in none */
        struct green_wait_mt wait;
        green_access_log *log;
        uint64_t given, reopens; /* what has to be done */
        bool end;                /* the writer has to end */
};

struct green_access_log {
        green_access_log *next, **prev; /* of all logs, under their lock */
        atomic_uint refs;               /* the handle, the writer, the watch for SIGHUP */
        char *path;
        unsigned mode;
        bool hangup; /* opts.reopen_on_hangup */
        size_t half; /* bytes in each half */

        pthread_mutex_t lock; /* of all below */
        pthread_cond_t work;  /* the writer waits here */
        char *fill;           /* the half that is filled */
        size_t fill_len;
        uint64_t given;       /* bytes so far */
        uint64_t to_reopen;   /* how often it was asked for; and was tried */
        uint64_t tried_reopen;
        bool running;         /* there is a writer */
        bool idle;            /* it waits at work */
        bool stop;            /* it is to end */

        pthread_t thread;
        struct green__log_wait *waits;
        struct green_access_log_stats stats;
        green_thread *watch;  /* who waits for SIGHUP; NULL: nobody */
        uint64_t watch_ident; /* in which hub */

        /* The writer's. The numbers are written under the lock too. */
        char *out; /* the half that is written */
        size_t out_len, out_at;
        intptr_t file;
        int64_t said;          /* when a failure was told last, nanoseconds; 0: never */
        int64_t reopen_at;     /* when it is tried again to open the file anew, which has failed; 0: it has not */
        uint64_t told_dropped; /* how many lines had been dropped then */
};

/* access_log.c: the last one frees it. */
void green__log_unref(green_access_log *log);

/* access_log_writer.c: have a writer, under the lock. 0, or -EAGAIN. */
int green__log_start(green_access_log *log);
/* Is there nothing to wait for any more? Under the lock. */
bool green__log_is_over(const green_access_log *log, const struct green__log_wait *w);
/* Wake those whose wait is over; under the lock. */
void green__log_tell(green_access_log *log);

/* access_log_posix.c, access_log_win32.c */
/* Open for appending. 0, or a code. */
int green__log_file_open(const char *path, unsigned mode, intptr_t *ret_file);
/* Write some of it. A count above 0, or a code; it may wait. */
ssize_t green__log_file_write(intptr_t file, const char *data, size_t len);
void green__log_file_close(intptr_t file);
/* An OS thread that no signal comes to. 0, or -EAGAIN. */
int green__log_thread(pthread_t *ret_thread, void *(*fn)(void *), void *arg);
/* The OS thread sleeps. */
void green__log_pause(unsigned milliseconds);
/* SIGHUP; 0 where there is none. */
int green__log_hangup(void);

#endif
