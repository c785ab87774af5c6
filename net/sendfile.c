/*
 * Sockets: a file's bytes on their way to a peer, and several pieces of memory for what comes from one.
 */
#include "socket_priv.h"

#include <green/alloc.h>

/* Bytes that one call of the system moves at most: a peer that is as fast as the disk must not keep the others waiting.
 */
#define CHUNK ((size_t)1 << 20)
/* Bytes read at a time where the system cannot send a file. */
#define COPY_SIZE ((size_t)16 << 10)

ssize_t
green_socket_recvv(green_socket *s, const struct green_iovec *iov, size_t n, int flags)
{
        struct green__limit limit;
        int rc;

        while (n > 0 && iov->len == 0) {
                iov++;
                n--;
        }
        /* Over a transport, or from what was received ahead, the first piece is all that can be filled at once. */
        if (n <= 1 || (s != NULL && (s->transport != NULL || s->ahead)))
                return green_socket_recv(s, n > 0 ? iov->base : NULL, n > 0 ? iov->len : 0, flags);
        rc = green__socket_enter_recv(s, flags, &limit);
        while (green__likely(rc == 0)) {
                /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): nobody enters without a socket */
                ssize_t got = green__sys_recvv(green_io_fd(s->io), iov, n < 1024 ? n : 1024, flags);

                if (green__likely(got != -EAGAIN))
                        return got;
                rc = green__socket_wait(s, GREEN_READ, &limit);
        }
        return rc;
}

/* By the system, without a copy. */
static int
send_by_system(green_socket *s, green_fd file, int64_t offset, uint64_t count, uint64_t *done)
{
        struct green__limit limit;
        int rc = green__socket_enter(s, 0, &limit);

        while (rc == 0 && *done < count) {
                size_t len = count - *done < CHUNK ? (size_t)(count - *done) : CHUNK;
                ssize_t n = green__sys_sendfile(green_io_fd(s->io), file, offset + (int64_t)*done, len);

                if (n == 0)
                        return 0;
                if (n > 0) {
                        *done += (uint64_t)n;
                        rc = green__socket_go_on(s, &limit);
                } else {
                        rc = n == -EAGAIN ? green__socket_wait(s, GREEN_WRITE, &limit) : (int)n;
                }
        }
        return rc;
}

/* Read and send: over a transport, on a descriptor whose calls would block, and on systems that cannot do better. */
static int
send_by_copy(green_socket *s, green_fd file, int64_t offset, uint64_t count, uint64_t *done)
{
        char *buf = green_malloc(COPY_SIZE);
        int rc = buf == NULL ? -ENOMEM : 0;

        while (rc == 0 && *done < count) {
                size_t len = count - *done < COPY_SIZE ? (size_t)(count - *done) : COPY_SIZE;
                ssize_t n = green__sys_pread(file, buf, len, offset + (int64_t)*done);
                size_t sent = 0;

                if (n <= 0) {
                        rc = (int)n;
                        break;
                }
                rc = green_socket_sendall(s, buf, (size_t)n, 0, &sent);
                *done += sent;
        }
        green_free(buf);
        return rc;
}

int
green_socket_sendfile(green_socket *s, green_fd file, int64_t offset, uint64_t count, uint64_t *ret_done)
{
        uint64_t done = 0;
        int rc = green__socket_check(s);

        if (rc == 0)
                rc = offset < 0 ? -EINVAL : green__sys_is_file(file);
        if (rc == 0) {
                rc = -ENOSYS;
                if (s->transport == NULL && !s->blocking)
                        rc = send_by_system(s, file, offset, count, &done);
                if (rc == -ENOSYS)
                        rc = send_by_copy(s, file, offset, count, &done);
        }
        if (ret_done != NULL)
                *ret_done = done;
        return rc;
}
