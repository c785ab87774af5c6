/*
 * Receiving the header of the PROXY protocol, and no byte behind it. See <green/proxy.h>.
 *
 * What has come is looked at first, and taken then: all of it where the header goes on, and the header's bytes where it
 * ends there. So TLS, or whatever follows, finds its first byte.
 */
#include <string.h>

#include <green/proxy.h>

#include "count.h"
#include "tls_priv.h"

/* Of a socket with TLS, whose handshake has not begun: what is underneath. */
static ssize_t
recv_underneath(green_socket *s, void *buf, size_t len, int flags)
{
        struct green__limit limit;
        int rc = green__socket_enter(s, 0, &limit);

        while (rc == 0) {
                ssize_t n = green__sys_recv(green_io_fd(s->io), buf, len, flags);

                if (n != -EAGAIN)
                        return n;
                rc = green__socket_wait(s, GREEN_READ, &limit);
        }
        return rc;
}

static ssize_t
receive(green_socket *s, void *buf, size_t len, int flags)
{
        return green__tls_of(s) != NULL ? recv_underneath(s, buf, len, flags) : green_socket_recv(s, buf, len, flags);
}

/* Take bytes that were looked at. */
static int
take(green_socket *s, unsigned char *buf, size_t len)
{
        while (len > 0) {
                ssize_t n = receive(s, buf, len, 0);

                if (n <= 0)
                        return n < 0 ? (int)n : GREEN_EEOF;
                buf += n;
                len -= (size_t)n;
        }
        return 0;
}

int
green_socket_read_proxy(green_socket *s, struct green_proxy_info *ret_info)
{
        unsigned char header[GREEN_PROXY_HEADER_MAX];
        const struct green__tls *t = green__tls_of(s);
        struct green_proxy_info info;
        size_t len = 0;

        if (s == NULL || ret_info == NULL)
                return -EINVAL;
        if (t != NULL && t->state != GREEN__TLS_NEW)
                return green_set_error(-EISCONN, "PROXY protocol: TLS has begun already");
        for (;;) {
                ssize_t n = receive(s, header + len, sizeof header - len, MSG_PEEK), found;
                int rc;

                if (n <= 0)
                        return n < 0 ? (int)n : GREEN_EEOF;
                found = green_proxy_parse(header, len + (size_t)n, &info);
                if (found < 0 && found != -EAGAIN)
                        return (int)found;
                rc = take(s, header + len, found > 0 ? (size_t)found - len : (size_t)n);
                if (rc != 0)
                        return rc;
                len += (size_t)n;
                if (found > 0)
                        break;
        }
        *ret_info = info;
        return 0;
}
