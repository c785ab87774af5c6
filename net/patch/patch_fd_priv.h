/*
 * What the parts of patch_fd*.c have in common: what is known of a descriptor number, and how a call waits that has said
 * EAGAIN.
 */
#ifndef GREEN_PATCH_FD_PRIV_H
#define GREEN_PATCH_FD_PRIV_H

#include <config.h>

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "../socket_priv.h"
#include "patch_priv.h"

/*
 * What a number was when it was last looked at. It may be something else by now, closed and opened by code that is not patched: so
 * each use either makes a call that fails on anything else, or one that does no harm there.
 */
enum patch_kind {
        PATCH_UNKNOWN,    /* look; so it is with regular files each time, since nothing would tell of a change */
        PATCH_SOCKET,     /* recv() and send() say ENOTSOCK if it is none */
        PATCH_NOWAIT,     /* a pipe or its like, which knows RWF_NOWAIT */
        PATCH_POLLED,     /* must be asked by poll() before each call: terminals, older kernels */
        PATCH_KINDS = 7,  /* mask */
        PATCH_LOWAT = 8,  /* a socket that has been given a SO_RCVLOWAT */
        PATCH_OWN = 16,   /* one that was made here: nobody else had it then */
};

/* By number. It lies in pages that are there once they are written to. Numbers beyond are looked at each time. */
enum { PATCH_FDS = 1 << 20 };
extern _Atomic(unsigned char) green__patch_fds[PATCH_FDS];

static inline unsigned
green__patch_known(int fd)
{
        return (unsigned)fd < PATCH_FDS ? atomic_load_explicit(&green__patch_fds[fd], memory_order_relaxed)
                                        : PATCH_UNKNOWN;
}

static inline void
green__patch_note(int fd, unsigned kind)
{
        if ((unsigned)fd < PATCH_FDS && green__patch_known(fd) != kind)
                atomic_store_explicit(&green__patch_fds[fd], (unsigned char)kind, memory_order_relaxed);
}

/* Look at it, and keep what is seen. Never PATCH_UNKNOWN but for what never waits, or is not open. Keeps errno. */
unsigned green__patch_look(int fd);

/* A number that the system has just handed out: whatever was known of it is gone. Returns fd, which may be -1. */
int green__patch_opened(int fd, unsigned kind);

/* A call that has to wait, from its first EAGAIN on. */
struct patch_blocked {
        struct green__limit limit; /* of the descriptor: SO_RCVTIMEO, SO_SNDTIMEO */
        int saved;                 /* errno at the beginning of the call */
        unsigned tries;            /* waits so far */
        bool always;               /* any handler interrupts it: it has a limit */
};

#define PATCH_BLOCKED {.saved = errno, .tries = 0}

/*
 * The call on it has said EAGAIN: wait until it is worth another try. 0: try again; -1: it fails, errno is set (EAGAIN where
 * it is O_NONBLOCK, whoever has said so, or the time is over).
 */
int green__patch_block(struct patch_blocked *b, int fd, unsigned events);

/* Something was moved: the limit goes on, and the next try is not made any later for those before. */
static inline void
green__patch_progress(struct patch_blocked *b)
{
        if (b->tries > 1)
                b->tries = 1;
}

/* How a call that went well at once returns: errno is as it was. */
static inline ssize_t
green__patch_at_once(ssize_t n)
{
        green__patch_turn();
        return n;
}

/* The same after other calls, or waits. */
static inline ssize_t
green__patch_done(ssize_t n, int saved)
{
        errno = saved;
        green__patch_turn();
        return n;
}

/* Parts of a buffer that are left after n bytes were moved; moves on in place. A window, so that nothing is allocated. */
enum { PATCH_WINDOW = 16 };
struct patch_parts {
        const struct iovec *next; /* the user's */
        size_t count;             /* of them */
        size_t skip;              /* bytes of the first that are done */
        struct iovec window[PATCH_WINDOW];
};
size_t green__patch_size(const struct iovec *iov, size_t count);
void green__patch_skip(struct patch_parts *p, size_t n);
size_t green__patch_window(struct patch_parts *p);

/* Is the end of an iovec's pieces? Sockets that are streams give and take in pieces. Keeps errno. */
bool green__patch_is_stream(int fd);

/*
 * What comes after the first try, in a green thread. The user's msghdr as at the beginning of the call; moved: what the try
 * has brought, or -1 with EAGAIN.
 */
ssize_t green__patch_recv_rest(int fd, struct msghdr *msg, int flags, ssize_t moved, int saved);
ssize_t green__patch_send_rest(int fd, const struct msghdr *msg, int flags, ssize_t moved, int saved);

/* The replacements that the table names, by file. */
ssize_t green__patch_fn_recv(int fd, void *buf, size_t n, int flags);
ssize_t green__patch_fn_recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
ssize_t green__patch_fn_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size);
ssize_t green__patch_fn_recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from,
                                     socklen_t *size);
ssize_t green__patch_fn_recvmsg(int fd, struct msghdr *msg, int flags);
int green__patch_fn_recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags, struct timespec *limit);

ssize_t green__patch_fn_send(int fd, const void *buf, size_t n, int flags);
ssize_t green__patch_fn_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t size);
ssize_t green__patch_fn_sendmsg(int fd, const struct msghdr *msg, int flags);
int green__patch_fn_sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags);

ssize_t green__patch_fn_read(int fd, void *buf, size_t n);
ssize_t green__patch_fn_read_chk(int fd, void *buf, size_t n, size_t room);
ssize_t green__patch_fn_readv(int fd, const struct iovec *iov, int count);
ssize_t green__patch_fn_write(int fd, const void *buf, size_t n);
ssize_t green__patch_fn_writev(int fd, const struct iovec *iov, int count);
ssize_t green__patch_fn_sendfile(int out, int in, off_t *offset, size_t n);
ssize_t green__patch_fn_sendfile_long(int out, int in, void *offset, size_t n);

int green__patch_fn_connect(int fd, const struct sockaddr *addr, socklen_t size);
int green__patch_fn_accept(int fd, struct sockaddr *addr, socklen_t *size);
int green__patch_fn_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags);

/* The caller's buffer is too small: as the checks of fortified headers do, ends the program. */
static inline void
green__patch_check_room(size_t n, size_t room)
{
        if (green__unlikely(n > room)) {
                green_log(GREEN_LOG_ERROR, "green-net: a buffer of %zu bytes was given for %zu", room, n);
                abort();
        }
}

#endif
