/*
 * Sockets: bind, listen, accept, connect.
 */
#include "count.h"
#include "inet.h"
#include "socket_priv.h"

#include <green/alloc.h>

/* Seconds between two attempts at a Unix listener whose backlog is full: there is no event to wait for. */
#define PAUSE_FIRST 0.001
#define PAUSE_MOST 0.05

/* Say which address a failure is about. */
static int
address_failed(const char *what, const struct green_addr *addr, int rc)
{
        char text[GREEN_ADDR_TEXT_SIZE];

        green_addr_format(addr, text, sizeof text);
        return green_set_error(rc, "%s %s: %s", what, text, green_strerror(rc));
}

int
green_socket_bind(green_socket *s, const struct green_addr *addr)
{
        int rc = green__socket_check(s);

        if (rc == 0 && addr == NULL)
                rc = -EINVAL;
        if (rc != 0)
                return rc;
        rc = green__sys_bind(green_io_fd(s->io), addr);
        return rc == 0 ? 0 : address_failed("bind", addr, rc);
}

int
green_socket_listen(green_socket *s, int backlog)
{
        int rc = green__socket_check(s);

        return rc != 0 ? rc : green__sys_listen(green_io_fd(s->io), backlog);
}

/* ---- accept */

/*
 * Who stops accepting looks for connections of which the hub's accept was told before it was called off, until none is
 * there. Others may keep coming, so there is an end to it: green_listen() lets 50 wait.
 */
enum { LAST_LOOKS = 64 };

/*
 * May the hub accept for this one? The system gives the news of a connection to one accept alone, of all that wait for it
 * in any process. Where others have the listener too, nobody must take the news and then be busy, or end: there all
 * wait for readiness, which all are told.
 */
static bool
accepts_by_hub(const green_socket *s)
{
        return s->submits && !(s->io_flags & GREEN_IO_DUPED) &&
               s->splits == atomic_load_explicit(&green__sys_splits, memory_order_relaxed);
}

int
green__socket_accept_ahead(green_socket *s)
{
        bool may = accepts_by_hub(s) && !s->no_ahead && !s->no_more;
        int rc;

        /* Who takes places first must not have others accepted meanwhile. */
        if (s->many || !may)
                (void)green__socket_stop_ahead(s);
        s->many = false;
        rc = may ? green_io_run_ahead(s->io, GREEN_OP_ACCEPT, GREEN__ACCEPT_FLAGS) : -ENOTSUP;
        s->ahead = s->ahead || rc == 0;
        s->no_ahead = false;
        return rc;
}

/*
 * Who waits a second time for a connection will take all that come: from then on they are accepted as they come, a few
 * at a time. True: a wait for GREEN_READ waits for them.
 */
static bool
accept_many(green_socket *s)
{
        if (s->no_ahead || s->no_more || green_getcurrent() == NULL || (s->waits < 2 && ++s->waits < 2))
                return false;
        if (green_io_run_ahead(s->io, GREEN_OP_ACCEPT, GREEN__ACCEPT_FLAGS | GREEN_IO_AHEAD_MANY) != 0)
                return false;
        s->ahead = s->many = true;
        return true;
}

/* The connection that an accept which ran ahead has brought. -ENODATA: ask the system; -EAGAIN: it still runs. */
static int
take_accepted(green_socket *s, green_fd *ret_fd, struct green_addr *ret_peer)
{
        uint32_t size = sizeof ret_peer->data;
        int64_t fd;

        do
                fd = green_io_take_fd(s->io, ret_peer != NULL ? &ret_peer->data : NULL, &size);
        while (fd < 0 && green__count_passed_over((int)fd));
        /* Linux looks for a free descriptor before it looks for a connection. */
        s->no_ahead = fd == -EMFILE || fd == -ENFILE;
        if (s->no_ahead)
                return -ENODATA;
        if (fd < 0)
                return fd == -ENODATA ? -ENODATA : green__count_accept((int)fd);
        (void)green__count_accept(0);
        if (ret_peer != NULL)
                ret_peer->size = size < sizeof ret_peer->data ? size : sizeof ret_peer->data;
        if (ret_peer != NULL && size == 0)
                (void)green__sys_getpeername((green_fd)fd, ret_peer); /* it may have gone meanwhile: then it has none */
        *ret_fd = (green_fd)fd;
        green_notify_opened(*ret_fd);
        return 0;
}

/* The next descriptor: the one for which there was no memory last time, or a new one from the system. */
static int
next_descriptor(green_socket *s, green_fd *ret_fd, struct green_addr *ret_peer)
{
        int rc;

        if (green__unlikely(s->ahead)) {
                rc = take_accepted(s, ret_fd, ret_peer);
                if (rc != -ENODATA)
                        return rc;
        }
        if (green__likely(s->held == GREEN_INVALID_FD)) {
                if (green__unlikely(s->no_more) && s->looks == 0)
                        return -ECANCELED;
                rc = green__sys_accept(green_io_fd(s->io), s->blocking, ret_fd, ret_peer);
                if (rc == 0)
                        green_notify_opened(*ret_fd);
                if (green__unlikely(s->no_more)) {
                        s->looks = rc == -EAGAIN ? 0 : s->looks - 1;
                        rc = rc == -EAGAIN ? -ECANCELED : rc;
                }
                return rc;
        }
        *ret_fd = s->held;
        s->held = GREEN_INVALID_FD;
        /* It may have gone meanwhile: then there is no address left to tell. */
        if (ret_peer != NULL && green__sys_getpeername(*ret_fd, ret_peer) != 0)
                ret_peer->size = 0;
        return 0;
}

/* A client has come; it waits in the listener where there is no memory for it. */
static int
take_client(green_socket *s, green_fd fd, green_socket **ret_client)
{
        green_socket *client;
        int rc;

        client = green__socket_wrap(fd, 0);
        if (green__unlikely(client == NULL)) {
                rc = -errno;
                /* One is kept, unless several accept at a time and another's is kept already. */
                if (s->held == GREEN_INVALID_FD)
                        s->held = fd;
                else
                        green__sys_close(fd);
                return rc;
        }
        if (green__unlikely(s->transport != NULL && s->transport->accepted != NULL)) {
                rc = s->transport->accepted(s, client);
                if (rc == -ENOMEM)
                        (void)green_io_detach(client->io, &s->held);
                if (rc != 0) {
                        green_socket_free(client);
                        return rc;
                }
        }
        client->whole = s->tcp;
        *ret_client = client;
        return 0;
}

int
green__socket_accept_now(green_socket *s, green_socket **ret_client, struct green_addr *ret_peer)
{
        green_fd fd = GREEN_INVALID_FD;
        int rc = next_descriptor(s, &fd, ret_peer);

        return rc != 0 ? rc : take_client(s, fd, ret_client);
}

/*
 * accept() has said EAGAIN: have the hub accept. 0, -EAGAIN (try again) or another code. If it fails, touch the socket
 * no more. A client that came before a close is a client.
 */
static int
accept_by_hub(green_socket *s, struct green__limit *limit, green_socket **ret_client, struct green_addr *peer)
{
        struct green_op op = {.kind = GREEN_OP_ACCEPT, .flags = GREEN__ACCEPT_FLAGS};
        int64_t fd;
        int rc;

        op.name = &peer->data;
        op.name_size = sizeof peer->data;
        green__socket_pin(s);
        fd = green__socket_operate(s, &op, limit);
        /* The system may look for a free descriptor before anybody has come. */
        if (fd == -EMFILE || fd == -ENFILE)
                return green__socket_unpin(s, green_io_wait(s->io, GREEN_READ, green__limit_left(limit)));
        if (fd < 0)
                return green__socket_unpin(s, fd == GREEN__AGAIN || green__count_passed_over((int)fd) ? 0 : (int)fd);
        (void)green__count_accept(0);
        peer->size = op.name_size < sizeof peer->data ? op.name_size : sizeof peer->data;
        green_notify_opened((green_fd)fd);
        rc = take_client(s, (green_fd)fd, ret_client);
        if (rc != 0 && s->closed && s->held != GREEN_INVALID_FD) {
                green__sys_close(s->held);
                s->held = GREEN_INVALID_FD;
        }
        /* Not what it returns: where the listener was closed, the client counts. */
        (void)green__socket_unpin(s, rc);
        return rc;
}

int
green_socket_stop_accepting(green_socket *s)
{
        int rc = green__socket_check(s);

        if (rc != 0)
                return rc;
        if (!s->no_more && accepts_by_hub(s))
                s->looks = LAST_LOOKS;
        s->no_more = true;
        (void)green__socket_stop_ahead(s);
        /* Whoever waits looks again. */
        return green_io_cancel(s->io);
}

bool
green_socket_accepts(const green_socket *s)
{
        return s != NULL && !s->closed && !s->no_more;
}

/* accept() has said EAGAIN. 0: look again; *ret_client may have come. If it fails, touch the socket no more. */
static int
wait_for_client(green_socket *s, struct green__limit *limit, green_socket **ret_client, struct green_addr *peer)
{
        bool by_hub = accepts_by_hub(s);

        /* It was begun before others had the listener, and has brought somebody. */
        if (!by_hub && green__socket_stop_ahead(s) != 0)
                return 0;
        if (by_hub && limit->timeout != 0 && !accept_many(s))
                return accept_by_hub(s, limit, ret_client, peer);
        return green__socket_wait(s, GREEN_READ, limit);
}

green_socket *
green_socket_accept(green_socket *s, struct green_addr *ret_peer)
{
        struct green_addr peer;
        struct green__limit limit;
        green_socket *client = NULL;
        int rc = green__socket_enter(s, 0, &limit);

        while (rc == 0) {
                rc = green__socket_accept_now(s, &client, ret_peer != NULL ? &peer : NULL);
                if (rc != -EAGAIN)
                        break;
                rc = wait_for_client(s, &limit, &client, &peer);
                if (client != NULL)
                        break;
        }
        /* -EBUSY has its message already, which names both green threads. */
        if (rc == -EBUSY)
                errno = EBUSY;
        else if (rc != 0)
                green_set_error(rc, "accept: %s", green_strerror(rc));
        else if (ret_peer != NULL)
                *ret_peer = peer;
        return client;
}

/* ---- connect */

/* A connect is in progress: wait for its end. */
static int
await_connection(green_socket *s, struct green__limit *limit)
{
        int rc;

        if (limit->timeout == 0)
                return -EINPROGRESS;
        for (;;) {
                rc = green__socket_wait(s, GREEN_WRITE, limit);
                if (rc != 0)
                        return rc;
                rc = green__sys_error(green_io_fd(s->io));
                if (rc != 0)
                        return rc == -EISCONN ? 0 : rc;
                /* Readiness is a hint: no error does not mean that it is done. */
                rc = green__sys_connected(green_io_fd(s->io));
                if (rc != 0)
                        return rc > 0 ? 0 : rc;
        }
}

/* Wait a little before the next attempt; close ends it. */
static int
pause_connecting(green_socket *s, double seconds, struct green__limit *limit)
{
        struct green_wait w;
        double left = green__limit_left(limit);
        int rc;

        if (left == 0)
                return limit->timeout == 0 ? -EAGAIN : -ETIMEDOUT;
        s->streak = 0;
        green__socket_pin(s);
        rc = green_park(&s->on_close, &w, seconds < left ? seconds : left);
        return green__socket_unpin(s, rc == -ETIMEDOUT ? 0 : rc);
}

/* Have the hub connect. It must not be under way: the system tells an operation no more than that it is. */
static int
connect_by_hub(green_socket *s, const struct green_addr *addr, struct green__limit *limit)
{
        struct green_op op = {.kind = GREEN_OP_CONNECT};
        socklen_t size;
        int64_t rc;

        op.name = (void *)(uintptr_t)green_addr_sockaddr(addr, &size);
        op.name_size = size;
        s->streak = 0;
        green__socket_pin(s);
        rc = green_io_submit(s->io, &op, green__limit_left(limit));
        if (rc == -EISCONN)
                rc = 0;
        if (rc >= 0 || (rc != -ENOTSUP && rc != -EALREADY && rc != -EINPROGRESS && rc != -EINTR))
                return green__socket_unpin(s, (int)rc);
        rc = green__socket_unpin(s, 0);
        return rc != 0 ? (int)rc : -ENOTSUP;
}

static int
connect_socket(green_socket *s, const struct green_addr *addr, struct green__limit *limit)
{
        double seconds = PAUSE_FIRST;
        int rc;

        if (s->tcp && s->submits && limit->timeout != 0 && green_getcurrent() != NULL) {
                rc = connect_by_hub(s, addr, limit);
                if (rc != -ENOTSUP)
                        return rc;
        }
        for (;;) {
                rc = green__sys_connect(green_io_fd(s->io), addr);
                if (rc == -EINPROGRESS)
                        return await_connection(s, limit);
                if (rc != -EAGAIN || green_addr_family(addr) != AF_UNIX)
                        return rc;
                rc = pause_connecting(s, seconds, limit);
                if (rc != 0)
                        return rc;
                if (seconds < PAUSE_MOST)
                        seconds *= 2;
        }
}

/* Codes that are about the peer or the way to it, and not about who waits. */
static bool
is_of_the_address(int rc)
{
        switch (rc) {
        case -EAGAIN:
        case -EBADF:
        case -EBUSY:
        case -ECANCELED:
        case -EDEADLK:
        case -EINPROGRESS:
        case -EPERM:
                return false;
        default:
                return rc > -1000;
        }
}

int
green_socket_connect(green_socket *s, const struct green_addr *addr)
{
        struct green__limit limit;
        unsigned want = GREEN_WRITE;
        int rc = addr == NULL ? -EINVAL : green__socket_enter(s, 0, &limit);

        if (rc != 0)
                return rc;
        if (s->blocking)
                return green_set_error(-EOPNOTSUPP,
                                       "connect: descriptor %lld is shared and cannot be made non-blocking",
                                       (long long)green_io_fd(s->io));
        rc = connect_socket(s, addr, &limit);
        if (rc != 0)
                return is_of_the_address(rc) ? address_failed("connect to", addr, rc) : rc;
        if (green__unlikely(s->transport != NULL && s->transport->connect != NULL))
                while (rc == 0 && (rc = s->transport->connect(s, &want)) == -EAGAIN)
                        rc = green__socket_wait(s, want, &limit);
        return rc;
}
