/*
 * The inside of a socket, and the hook for what lies between a socket and its user: TLS.
 */
#ifndef GREEN_SOCKET_PRIV_H
#define GREEN_SOCKET_PRIV_H

#include <config.h>

#include <errno.h>

#include <green/error.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/socket.h>
#include <green/thread.h>

#include "check.h"
#include "sock_sys.h"

/* Calls on one socket that may succeed without waiting before one of them lets the others run. */
#define GREEN__SOCKET_STREAK 64

/* Beside GREEN_READ and GREEN_WRITE: what is waited for is not the descriptor, and the transport's wait() does it. */
#define GREEN__WAIT_TRANSPORT 0x100u

/*
 * A transport stands between a socket and the system: every public call works the same on a socket that has one.
 *
 * Its functions never wait, but wait(). They do what can be done now and return 0 or a count; a negative code, which is
 * final; or -EAGAIN with what to wait for, GREEN_READ, GREEN_WRITE or GREEN__WAIT_TRANSPORT, in *want: the caller
 * waits, with timeout, scopes and fairness as for plain sockets, and calls again with the same arguments. Receiving may
 * want to write and the other way round. For the bytes underneath they use green__sys_recv() and so on, on green_io_fd(s->io).
 *
 * A function that is NULL has nothing to do, but recv and sendv, which every transport has.
 */
struct green__transport {
        const char *name; /* "tls" */
        /* As recv(). With len 0: 0 where a byte or the end could be had at once, else -EAGAIN. MSG_DONTWAIT is taken out. */
        ssize_t (*recv)(green_socket *s, void *buf, size_t len, int flags, unsigned *want);
        /* As sendmsg(); never 0 where there is something to send. */
        ssize_t (*sendv)(green_socket *s, const struct green_iovec *iov, size_t n, int flags, unsigned *want);
        /* The socket is connected now: 0 when it may be used. NULL: at once, the first recv or send does the rest. */
        int (*connect)(green_socket *s, unsigned *want);
        /*
         * A listener has accepted: give the client its own transport. Does not touch the wire, so nobody holds up accept.
         * So it is with a second socket for the listener.
         */
        int (*accepted)(green_socket *listener, green_socket *client);
        /* Say goodbye before the system's shutdown(). */
        int (*shutdown)(green_socket *s, int how, unsigned *want);
        /* Say goodbye before close(), shielded and within GREEN__CLOSE_SECONDS. */
        int (*close)(green_socket *s, unsigned *want);
        /*
         * Wait at most so many seconds for what was wanted with GREEN__WAIT_TRANSPORT; with 0, do not wait, but do here
         * and now what can be done. 0: call again; -EAGAIN: with 0, there is nothing to do; or as green_io_wait().
         */
        int (*wait)(green_socket *s, double timeout);
        /* A user of the socket goes, the handle or a stream: whoever is in wait() comes back with -ECANCELED. */
        void (*cancel)(green_socket *s);
        /* Bytes that recv would give without asking the system. */
        size_t (*pending)(const green_socket *s);
        /* The socket goes: free s->transport_state. */
        void (*free)(green_socket *s);
};

#define GREEN__CLOSE_SECONDS 2.0

struct green_socket {
        green_io *io;
        const struct green__transport *transport; /* NULL: plain */
        void *transport_state;                    /* the transport's own */
        uint64_t hub;                             /* green_hub_ident() of the OS thread it belongs to; see CLOSED_HUB */
        double timeout;                           /* of each call, seconds */
        unsigned io_flags;                        /* GREEN_IO_... bits of its registration */
        struct green_waitq on_close;              /* those who wait for something else than the descriptor */
        green_fd held;                            /* accepted, but there was no memory for its handle */
        unsigned streak;                          /* calls since one waited */
        unsigned users;                           /* calls that wait or yield inside, and will touch it again */
        unsigned streams;                         /* streams that stand on it: they keep it open when it is closed */
        unsigned forks;                           /* green__sys_forks when users was counted */
        unsigned splits;                          /* green__sys_splits when it was made */
        bool tcp;      /* a TCP socket of our own making: what it accepts is whole */
        bool whole;    /* TCP that nobody else reads: a receive that gave less than it could has taken all there was */
        bool drained;  /* the last receive was such a one: wait before the next try. See green__socket_enter_recv() */
        bool closed;
        bool closing;  /* the transport says goodbye */
        bool freed;    /* the last of its users releases it */
        bool blocking; /* descriptor 0, 1 or 2, which was not switched to O_NONBLOCK */
        bool submits;  /* the hub runs operations: what would wait is handed to it. Not with a transport */
        bool ahead;    /* a receive may run ahead, or have brought something: see green_io_run_ahead() */
        bool many;     /* accepts run ahead one after the other */
        bool no_more;  /* accepts what was accepted already, and nothing else */
        bool no_ahead; /* an accept that ran ahead found no free descriptor: wait for readiness */
        uint8_t looks; /* with no_more: connections that may still be taken from the system */
        uint8_t waits; /* receives that waited; more are not counted than it takes to run ahead */
        bool detached; /* it belongs to no OS thread, and has no registration: its descriptor is detached_fd */
        green_fd detached_fd;
};

/* The hub of a socket that is closed and that streams keep open: no thread's, so that each call looks at it closer. */
#define GREEN__CLOSED_HUB UINT64_MAX

/* The time limit of one call. The clock is read when it first waits, and only if there is a limit. */
struct green__limit {
        double timeout; /* seconds */
        int64_t start;  /* nanoseconds; below 0: it has not waited yet */
};

/* socket.c */

/*
 * A handle for a descriptor, with GREEN_IO_... bits. NULL with errno and green_last_error(), and the descriptor stays the
 * caller's.
 */
green_socket *green__socket_wrap(green_fd fd, unsigned flags);

/* Count a call that is about to wait or yield inside, so that the socket outlives it. */
void green__socket_pin(green_socket *s);

/* The end of it. rc is the call's so far; if what comes back is negative, the socket may be gone: touch it no more. */
int green__socket_unpin(green_socket *s, int rc);

/*
 * Wait for what is wanted, GREEN_READ, GREEN_WRITE or GREEN__WAIT_TRANSPORT, within the limit. If it fails, touch the
 * socket no more.
 */
int green__socket_wait(green_socket *s, unsigned events, struct green__limit *limit);

/* One wait for what a transport or the system wants. */
static inline int
green__socket_park(green_socket *s, unsigned want, double seconds)
{
        if (green__unlikely(want == GREEN__WAIT_TRANSPORT))
                return s->transport->wait(s, seconds);
        return green_io_wait(s->io, want, seconds);
}

/* What a call whose time limit is over returns. One that must not wait lets the transport do what it can. */
static inline int
green__socket_late(green_socket *s, unsigned want, const struct green__limit *limit)
{
        if (limit->timeout != 0)
                return -ETIMEDOUT;
        return want == GREEN__WAIT_TRANSPORT ? s->transport->wait(s, 0) : -EAGAIN;
}

/* Whoever is in the transport's wait() comes back. */
static inline void
green__socket_cancel_transport(green_socket *s)
{
        if (green__unlikely(s->transport != NULL && s->transport->cancel != NULL))
                s->transport->cancel(s);
}

/* Begin a receive: as green__socket_enter(), and wait first where a try is known to be in vain. */
int green__socket_enter_recv(green_socket *s, int flags, struct green__limit *limit);

/* May what would wait be handed to the hub as an operation? */
static inline bool
green__socket_submits(const green_socket *s)
{
        return green__unlikely(s->submits) && s->transport == NULL;
}

/* socket_submit.c */

/* No result of an operation, and no code: nothing was done, and the system call may be tried again. */
#define GREEN__AGAIN INT64_MIN

/*
 * Run an operation within a limit; where the hub refuses it, wait for readiness (GREEN_OP_SEND: to write). Its result, a
 * code, or GREEN__AGAIN. The caller has pinned the socket.
 */
int64_t green__socket_operate(green_socket *s, struct green_op *op, struct green__limit *limit);

/*
 * End what runs ahead, before something else than a receive takes from the descriptor, or a transport comes in between. 0, or
 * -EBUSY: something was received that has to be read first.
 */
int green__socket_stop_ahead(green_socket *s);

/* A receive is about to wait: have it run ahead, if that is worth it. True: a wait for GREEN_READ waits for it. */
bool green__socket_run_ahead(green_socket *s);

/* All of a receive, after green__socket_enter(). ret_from may be NULL. Touch the socket no more. */
ssize_t green__socket_submit_recv(green_socket *s, void *buf, size_t len, int flags, struct green__limit *limit,
                                  struct green_addr *ret_from);

/*
 * After a send that said EAGAIN. 0: try again, or *ret_n bytes were sent, which is set only then, also with the code of a
 * socket that was closed meanwhile. If it fails, touch the socket no more. to may be NULL.
 */
int green__socket_submit_send(green_socket *s, const struct green_iovec *iov, size_t n, int flags, const struct green_addr *to,
                              struct green__limit *limit, ssize_t *ret_n);

/* socket.c */

/* What is left of a limit, in seconds; 0 if nothing. */
double green__limit_left(struct green__limit *limit);

/* What is behind a wait that ended with -ECANCELED: has the descriptor gone, or did one of several users leave? */
static inline bool
green__socket_open(const green_socket *s)
{
        return green_io_fd(s->io) != GREEN_INVALID_FD;
}

/* A stream that stood on the socket is closed: the last one closes what the socket left open. */
int green__socket_drop_stream(green_socket *s);

/* As green_socket_fd(), whether or not it is closed: streams may keep it open. */
green_fd green__socket_show_fd(green_socket *s);

/* Let the others run, after a streak. If it fails, touch the socket no more. */
int green__socket_turn(green_socket *s);

/* Calls that wait or yield inside it. */
unsigned green__socket_users(green_socket *s);

/*
 * From now on somebody else may read from the descriptor, or wait for it and use up its events. -EBUSY: bytes were received
 * ahead that have to be read first.
 */
int green__socket_expose(const green_socket *s);

/* Why it may not be used: by an OS thread that it does not belong to, -EPERM; it is closed, -EBADF. */
int green__socket_foreign(const green_socket *s);

/* socket_connect.c: accept one if somebody is there; -EAGAIN otherwise. Never waits. ret_peer may be NULL. */
int green__socket_accept_now(green_socket *s, green_socket **ret_client, struct green_addr *ret_peer);

/* Have one accepted as soon as it comes, where the hub can: a wait for GREEN_READ waits for it. 0, or why not. */
int green__socket_accept_ahead(green_socket *s);

/* May this OS thread use the socket? */
static inline int
green__socket_check(const green_socket *s)
{
        if (green__unlikely(s == NULL))
                return -EINVAL;
        if (green__unlikely(s->hub != green_hub_ident()))
                return green__socket_foreign(s);
        return 0;
}

/*
 * The beginning of each call that may yield: scopes, and a turn for the others after a streak. A call that must not wait
 * does neither. If it fails, touch the socket no more.
 */
static inline int
green__socket_enter(green_socket *s, int flags, struct green__limit *limit)
{
        int rc = green__socket_check(s);

        if (green__unlikely(rc != 0))
                return rc;
        limit->start = -1;
        limit->timeout = green__unlikely((flags & MSG_DONTWAIT) != 0) ? 0 : s->timeout;
        if (limit->timeout == 0)
                return 0;
        if (green__unlikely(++s->streak > GREEN__SOCKET_STREAK))
                return green__socket_turn(s);
        return green_checkpoint();
}

/*
 * After a piece of a larger whole was moved: the limit is for each wait, so it begins anew; and a peer that drains as fast
 * as we fill must not keep the others from running. If it fails, touch the socket no more.
 */
static inline int
green__socket_go_on(green_socket *s, struct green__limit *limit)
{
        limit->start = -1;
        if (limit->timeout != 0 && green__unlikely(++s->streak > GREEN__SOCKET_STREAK))
                return green__socket_turn(s);
        return 0;
}

/* ---- one try each, of socket_io.c and stream_socket.c: a count, -EAGAIN with what to wait for, or another code */

static inline ssize_t
green__socket_try_recv(green_socket *s, void *buf, size_t len, int flags, unsigned *want)
{
        *want = GREEN_READ;
        if (green__unlikely(s->transport != NULL))
                return s->transport->recv(s, buf, len, flags & ~MSG_DONTWAIT, want);
        /* The system would say 0 at once, also where nothing has come. */
        if (green__unlikely(len == 0))
                return green__sys_readable(green_io_fd(s->io));
        return green__sys_recv(green_io_fd(s->io), buf, len, flags);
}

static inline ssize_t
green__socket_try_sendv(green_socket *s, const struct green_iovec *iov, size_t n, int flags, unsigned *want)
{
        *want = GREEN_WRITE;
        if (green__unlikely(s->transport != NULL))
                return s->transport->sendv(s, iov, n, flags & ~MSG_DONTWAIT, want);
        return green__sys_sendv(green_io_fd(s->io), iov, n, flags);
}

static inline ssize_t
green__socket_try_send(green_socket *s, const void *buf, size_t len, int flags, unsigned *want)
{
        struct green_iovec iov;

        *want = GREEN_WRITE;
        if (green__likely(s->transport == NULL))
                return green__sys_send(green_io_fd(s->io), buf, len, flags);
        iov.base = (void *)(uintptr_t)buf;
        iov.len = len;
        return s->transport->sendv(s, &iov, 1, flags & ~MSG_DONTWAIT, want);
}

/* A receive gave n of len bytes: has it taken all there was? See green__socket_enter_recv(). */
static inline void
green__socket_received(green_socket *s, ssize_t n, size_t len)
{
        /* A transport that knows sets it by itself. */
        if (s->whole && n > 0 && (size_t)n < len && s->transport == NULL)
                s->drained = !green_io_hung_up(s->io);
}

#endif
