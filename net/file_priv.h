/*
 * The inside of a file, for the files of net/ that make and move them.
 */
#ifndef GREEN_FILE_PRIV_H
#define GREEN_FILE_PRIV_H

#include "file_sys.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/file.h>
#include <green/hubs.h>
#include <green/io.h>
#include <green/park.h>
#include <green/thread.h>

#include "check.h"

struct green_file {
        uint64_t hub;            /* green_hub_ident() of the OS thread it belongs to */
        green_io *io;            /* holds the descriptor; NULL: it has gone */
        int64_t at;              /* the position; changed by who has the turn, and by seek when nobody has */
        struct green_waitq turn; /* those who wait until the position is free */
        unsigned users;          /* calls inside, which will touch it again; the last one closes */
        unsigned forks;          /* green__sys_forks when they were counted */
        int error;               /* of a write that could tell a count only: the next one tells it */
        bool busy;               /* a call is at the position */
        bool reads, writes, append;
        bool no_ops; /* the hub does not do this one */
        bool closed; /* new calls are refused; the descriptor goes with the last user */
        bool freed;  /* the last user releases it */
};

/* Run a function in the pool: its result, or why it was not run. Once it has begun it is waited for. */
int64_t green__file_hop(int64_t (*fn)(void *arg), void *arg);

/* A file to be filled in by green__file_made(); NULL with the error set. */
green_file *green__file_alloc(void);

/* rc 0: facts are of a new descriptor, which is f's now. The file, or NULL with the error set, and f is gone. */
green_file *green__file_made(green_file *f, int rc, const struct green__file_facts *facts, const char *what);

/* Write all of several pieces, which are changed, at the position: as green_file_write(). */
ssize_t green__file_writev(green_file *f, struct green_iovec *iov, size_t n);

/* All of it, in the pool; advances. 0 or a code. at: negative to append. */
int green__file_write_now(green_fd fd, struct green_iovec *iov, size_t n, int64_t at, size_t *ret_done);

#endif
