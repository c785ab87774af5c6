/*
 * Sockets: pairs and copies, and their way from one OS thread to another or out of green-net.
 */
#include "socket_priv.h"

#include <green/alloc.h>

int
green_socket_pair(int family, int type, int protocol, green_socket *ret_pair[2])
{
        green_socket *pair[2] = {NULL, NULL};
        green_fd fds[2];
        int rc;

        if (ret_pair == NULL)
                return -EINVAL;
        rc = green__sys_socketpair(family, type, protocol, fds);
        if (rc != 0)
                return rc;
        for (int i = 0; i < 2; i++)
                green_notify_opened(fds[i]);
        for (int i = 0; i < 2 && rc == 0; i++) {
                pair[i] = green__socket_wrap(fds[i], 0);
                if (pair[i] == NULL)
                        rc = -errno;
        }
        if (rc == 0) {
                ret_pair[0] = pair[0];
                ret_pair[1] = pair[1];
                return 0;
        }
        for (int i = 0; i < 2; i++) {
                if (pair[i] != NULL)
                        green_socket_free(pair[i]);
                else
                        green__sys_close(fds[i]);
        }
        return rc;
}

/* What would be lost, or torn out of somebody's hands, where the descriptor went. */
static int
check_idle(green_socket *s)
{
        int rc = green__socket_check(s);

        if (rc != 0)
                return rc;
        if (s->closed || s->closing)
                return -EBADF;
        if (green__socket_users(s) > 0)
                return green_set_error(-EBUSY, "somebody waits on the socket");
        if (s->streams > 0)
                return green_set_error(-EBUSY, "a stream stands on the socket");
        if (green__socket_stop_ahead(s) != 0 || green_socket_pending(s) > 0)
                return green_set_error(-EBUSY, "the socket holds bytes that were received and not read");
        return 0;
}

static int
set_flags(green_socket *s, unsigned flags)
{
        s->io_flags |= flags;
        return green_io_set_flags(s->io, flags, 0);
}

/* With a transport a connection has one socket, which knows what has come; a listener has only what those it accepts get. */
static bool
can_double(green_socket *s)
{
        int listens = 0;
        socklen_t size = sizeof listens;

        if (s->transport == NULL)
                return true;
        return s->transport->accepted != NULL &&
               green__sys_getsockopt(green_io_fd(s->io), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

green_socket *
green_socket_dup(green_socket *s)
{
        green_socket *copy = NULL;
        green_fd fd = GREEN_INVALID_FD;
        int rc = green__socket_check(s);

        if (rc == 0 && (s->closed || s->closing))
                rc = -EBADF;
        if (rc == 0 && !can_double(s))
                rc = -EOPNOTSUPP;
        if (rc == 0)
                rc = green__socket_expose(s); /* from now on there are two who read */
        if (rc == 0)
                rc = green__sys_dup(green_io_fd(s->io), &fd);
        if (rc != 0) {
                green_set_error(rc, "dup: %s", green_strerror(rc));
                return NULL;
        }
        green_notify_opened(fd);
        copy = green__socket_wrap(fd, GREEN_IO_DUPED | s->io_flags);
        if (copy == NULL) {
                int error = errno;

                green__sys_close(fd);
                errno = error;
                return NULL;
        }
        copy->timeout = s->timeout;
        copy->blocking = s->blocking;
        copy->tcp = s->tcp;
        set_flags(s, GREEN_IO_DUPED);
        rc = s->transport != NULL ? s->transport->accepted(s, copy) : 0;
        if (rc == 0)
                return copy;
        (void)green_socket_free(copy);
        green_set_error(rc, "dup: %s", green_strerror(rc));
        return NULL;
}

int
green_socket_detach(green_socket *s)
{
        green_fd fd;
        int rc = check_idle(s);

        if (rc == 0)
                rc = green_io_detach(s->io, &fd);
        if (rc != 0)
                return rc;
        green_io_free(s->io);
        s->io = NULL;
        s->hub = 0;
        s->detached = true;
        s->detached_fd = fd;
        s->drained = false;
        return 0;
}

int
green_socket_attach(green_socket *s)
{
        if (s == NULL || !s->detached)
                return -EINVAL;
        if (s->closed)
                return -EBADF;
        s->io = green_io_open(s->detached_fd, s->io_flags);
        if (s->io == NULL)
                return -errno;
        s->hub = green_hub_ident();
        s->submits = green_io_can_submit(s->io);
        s->waits = 0;
        s->detached = false;
        s->streak = 0;
        return 0;
}

int
green_socket_take_fd(green_socket *s, green_fd *ret_fd)
{
        green_fd fd;
        int rc = ret_fd == NULL ? -EINVAL : check_idle(s);

        if (rc == 0 && s->transport != NULL)
                rc = -EOPNOTSUPP;
        if (rc == 0)
                rc = green_io_detach(s->io, &fd);
        if (rc != 0)
                return rc;
        *ret_fd = fd;
        return green_socket_close(s);
}
