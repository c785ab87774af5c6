/*
 * The bytes of a TLS connection. In a handshake they go through two buffers in memory, so that a step can be made in
 * any OS thread; after it they go between the back end and the descriptor.
 */
#include "tls_priv.h"

#include <stdlib.h>
#include <string.h>

#include <green/alloc.h>

/* A record has at most so many bytes; some more fit as well. */
#define IN_SIZE ((size_t)17 << 10)
#define OUT_SIZE ((size_t)4 << 10)

/* What is in the buffer, at most len bytes of it. */
static ssize_t
take(struct green__tls_buffer *b, void *buf, size_t len)
{
        size_t n = b->len - b->at;

        if (n > len)
                n = len;
        memcpy(buf, b->data + b->at, n);
        b->at += n;
        return (ssize_t)n;
}

/* In whatever OS thread the step is made. */
static ssize_t
recv_in_handshake(struct green__tls *t, void *buf, size_t len)
{
        if (t->in.at < t->in.len)
                return take(&t->in, buf, len);
        return t->ended_early ? 0 : -EAGAIN;
}

static ssize_t
bytes_recv(void *arg, void *buf, size_t len)
{
        struct green__tls *t = arg;
        green_fd fd;
        ssize_t n;

        if (green__unlikely(t->state == GREEN__TLS_SHAKING))
                return recv_in_handshake(t, buf, len);
        if (t->in.at < t->in.len)
                return take(&t->in, buf, len);
        fd = green_io_fd(t->s->io);
        if (t->ahead == NULL && len < GREEN__TLS_AHEAD)
                t->ahead = green_malloc(GREEN__TLS_AHEAD);
        if (len >= GREEN__TLS_AHEAD || t->ahead == NULL) {
                n = green__sys_recv(fd, buf, len, 0);
                t->dry = n == -EAGAIN;
                t->took_all = n > 0 && (size_t)n < len;
                return n;
        }
        n = green__sys_recv(fd, t->ahead, GREEN__TLS_AHEAD, 0);
        t->dry = n == -EAGAIN;
        t->took_all = n > 0 && (size_t)n < GREEN__TLS_AHEAD;
        if (n <= 0)
                return n;
        if (t->in.data != t->ahead)
                green_free(t->in.data);
        t->in = (struct green__tls_buffer){.data = t->ahead, .len = (size_t)n, .size = GREEN__TLS_AHEAD};
        return take(&t->in, buf, len);
}

static ssize_t
send_in_handshake(struct green__tls *t, const void *buf, size_t len)
{
        struct green__tls_buffer *b = &t->out;

        if (b->size - b->len < len) {
                size_t size = b->len + (len < OUT_SIZE ? OUT_SIZE : len);
                unsigned char *data = green_realloc(b->data, size);

                if (data == NULL)
                        return -ENOMEM;
                b->data = data;
                b->size = size;
        }
        memcpy(b->data + b->len, buf, len);
        b->len += len;
        return (ssize_t)len;
}

static ssize_t
bytes_send(void *arg, const void *buf, size_t len)
{
        struct green__tls *t = arg;

        if (green__unlikely(t->state == GREEN__TLS_SHAKING))
                return send_in_handshake(t, buf, len);
        return green__sys_send(green_io_fd(t->s->io), buf, len, 0);
}

struct green__tls_bytes
green__tls_bytes_of(struct green__tls *t)
{
        return (struct green__tls_bytes){.recv = bytes_recv, .send = bytes_send, .arg = t};
}

ssize_t
green__tls_fill(struct green__tls *t)
{
        struct green__tls_buffer *b = &t->in;
        ssize_t n;

        if (b->data == NULL) {
                b->data = green_malloc(IN_SIZE);
                if (b->data == NULL)
                        return -ENOMEM;
                b->size = IN_SIZE;
        }
        if (b->at > 0) {
                memmove(b->data, b->data + b->at, b->len - b->at);
                b->len -= b->at;
                b->at = 0;
        }
        if (b->len == b->size)
                return -ENOBUFS; /* a back end that takes nothing */
        n = green__sys_recv(green_io_fd(t->s->io), b->data + b->len, b->size - b->len, 0);
        if (n > 0)
                b->len += (size_t)n;
        return n;
}

int
green__tls_flush(struct green__tls *t)
{
        struct green__tls_buffer *b = &t->out;

        while (b->at < b->len) {
                ssize_t n = green__sys_send(green_io_fd(t->s->io), b->data + b->at, b->len - b->at, 0);

                if (n < 0)
                        return (int)n;
                b->at += (size_t)n;
        }
        b->at = b->len = 0;
        return 0;
}

void
green__tls_drop_buffers(struct green__tls *t)
{
        green_free(t->out.data);
        t->out = (struct green__tls_buffer){.data = NULL};
        if (t->in.at < t->in.len && t->state == GREEN__TLS_OPEN)
                return;
        if (t->in.data != t->ahead)
                green_free(t->in.data);
        t->in = (struct green__tls_buffer){.data = NULL};
}
