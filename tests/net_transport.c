/*
 * The hook on which TLS will sit: a toy transport that behaves as badly as TLS may, and every call of a socket on top of it.
 *
 * Its records are a length byte and that many bytes, each xored with 0x55. A record of length 0 says goodbye: an end
 * without it is an error. A hello byte goes each way before the first record, so receiving has to send first.
 */
#include "net_suite.h"

#include "../net/socket_priv.h"

#define GREEN_ETOY (-EPROTO)

struct toy {
        bool hello_sent, hello_got, goodbye_sent, goodbye_got;
        unsigned char in[512]; /* as it came */
        size_t in_len;
        unsigned char plain[256]; /* opened, and not taken yet */
        size_t plain_at, plain_len;
        unsigned char out[512]; /* sealed, and not sent yet */
        size_t out_at, out_len;
        size_t out_plain; /* bytes of the caller's that are in it */
        bool accepts;     /* of a listener */
};

static int toys; /* alive */

static struct toy *
toy_of(const green_socket *s)
{
        return s->transport_state;
}

/* Send what is sealed. 0: all of it has gone. */
static int
flush(green_socket *s, unsigned *want)
{
        struct toy *toy = toy_of(s);

        while (toy->out_at < toy->out_len) {
                ssize_t n = green__sys_send(green_io_fd(s->io), toy->out + toy->out_at, toy->out_len - toy->out_at, 0);

                *want = GREEN_WRITE;
                if (n < 0)
                        return (int)n;
                toy->out_at += (size_t)n;
        }
        toy->out_at = toy->out_len = 0;
        return 0;
}

static int
hello(green_socket *s, unsigned *want)
{
        struct toy *toy = toy_of(s);
        ssize_t n;
        char byte;

        if (toy->hello_got)
                return 0;
        if (!toy->hello_sent) {
                toy->hello_sent = true;
                toy->out[toy->out_len++] = 'h';
        }
        if (flush(s, want) != 0)
                return -EAGAIN;
        *want = GREEN_READ;
        n = green__sys_recv(green_io_fd(s->io), &byte, 1, 0);
        if (n < 0)
                return (int)n;
        toy->hello_got = n == 1 && byte == 'h';
        return toy->hello_got ? 0 : GREEN_ETOY;
}

/* Open the next record. 0: done; -EAGAIN; or an error. At most one byte is read at a time, to make it hard. */
static int
open_record(green_socket *s, unsigned *want)
{
        struct toy *toy = toy_of(s);

        for (;;) {
                ssize_t n;

                if (toy->in_len > 0 && toy->in_len == 1u + toy->in[0])
                        break;
                *want = GREEN_READ;
                n = green__sys_recv(green_io_fd(s->io), toy->in + toy->in_len, 1, 0);
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        return GREEN_ETOY;
                toy->in_len++;
        }
        toy->plain_at = 0;
        toy->plain_len = toy->in[0];
        for (size_t i = 0; i < toy->plain_len; i++)
                toy->plain[i] = toy->in[1 + i] ^ 0x55;
        toy->in_len = 0;
        toy->goodbye_got = toy->plain_len == 0;
        return 0;
}

static ssize_t
toy_recv(green_socket *s, void *buf, size_t len, int flags, unsigned *want)
{
        struct toy *toy = toy_of(s);
        int rc = flags != 0 ? -EOPNOTSUPP : hello(s, want);

        if (rc == 0 && toy->plain_at == toy->plain_len && !toy->goodbye_got)
                rc = open_record(s, want);
        if (rc != 0)
                return rc;
        if (len > toy->plain_len - toy->plain_at)
                len = toy->plain_len - toy->plain_at;
        memcpy(buf, toy->plain + toy->plain_at, len);
        toy->plain_at += len;
        return (ssize_t)len;
}

static ssize_t
toy_sendv(green_socket *s, const struct green_iovec *iov, size_t n, int flags, unsigned *want)
{
        struct toy *toy = toy_of(s);
        int rc = flags != 0 ? -EOPNOTSUPP : hello(s, want);

        if (rc != 0)
                return rc;
        /* A record of at most 200 bytes, from as many pieces as it takes; the same again after -EAGAIN. */
        if (toy->out_len == 0) {
                toy->out_len = 1;
                for (size_t i = 0; i < n; i++)
                        for (size_t j = 0; j < iov[i].len && toy->out_len < 201; j++)
                                toy->out[toy->out_len++] = ((const unsigned char *)iov[i].base)[j] ^ 0x55;
                toy->out_plain = toy->out_len - 1;
                toy->out[0] = (unsigned char)toy->out_plain;
        }
        rc = flush(s, want);
        if (rc != 0)
                return rc;
        return (ssize_t)toy->out_plain;
}

static int
goodbye(green_socket *s, unsigned *want)
{
        struct toy *toy = toy_of(s);

        if (!toy->goodbye_sent && toy->hello_sent) {
                toy->goodbye_sent = true;
                toy->out[toy->out_len++] = 0;
        }
        return flush(s, want);
}

static int
toy_shutdown(green_socket *s, int how, unsigned *want)
{
        return how == SHUT_RD ? 0 : goodbye(s, want);
}

static size_t
toy_pending(const green_socket *s)
{
        return toy_of(s)->plain_len - toy_of(s)->plain_at;
}

static void
toy_free(green_socket *s)
{
        toys--;
        free(s->transport_state);
}

static int toy_accepted(green_socket *listener, green_socket *client);

static const struct green__transport toy_transport = {
        .name = "toy",
        .recv = toy_recv,
        .sendv = toy_sendv,
        .connect = hello,
        .accepted = toy_accepted,
        .shutdown = toy_shutdown,
        .close = goodbye,
        .pending = toy_pending,
        .free = toy_free,
};

static int
wrap(green_socket *s)
{
        s->transport_state = calloc(1, sizeof(struct toy));
        if (s->transport_state == NULL)
                return -ENOMEM;
        s->transport = &toy_transport;
        toys++;
        return 0;
}

static int refuse_accepted;

static int
toy_accepted(green_socket *listener, green_socket *client)
{
        return refuse_accepted != 0 ? refuse_accepted : wrap(client);
}

static struct pair
toy_pair(void)
{
        struct pair p = unix_pair(SOCK_STREAM);

        CHECK_INT(wrap(p.a), 0);
        CHECK_INT(wrap(p.b), 0);
        return p;
}

/* ---- */

static void
bytes_go_through_in_both_directions(void)
{
        struct pair p = toy_pair();
        struct call c = {.s = p.b};
        char buf[8];

        /* The first receive has to send its hello, and waits for the peer's. */
        start(&c, call_recv);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.a, "hello", 5, 0), 5);
        CHECK_INT(finish(&c), 5);
        CHECK(memcmp(c.buf, "hello", 5) == 0);
        CHECK_INT(green_socket_sendall(p.b, "back", 4, 0, NULL), 0);
        CHECK_INT(green_socket_recv(p.a, buf, 2, 0), 2);
        CHECK_INT(green_socket_pending(p.a), 2);
        CHECK_INT(green_socket_recvfrom(p.a, buf + 2, 6, 0, &(struct green_addr){0}), 2);
        CHECK(memcmp(buf, "back", 4) == 0);
        CHECK_INT(green_socket_pending(p.a), 0);
        CHECK_INT(green_socket_recv(p.a, buf, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_recv(p.a, buf, 1, MSG_PEEK), -EOPNOTSUPP);
        CHECK_INT(green_socket_sendto(p.a, "x", 1, 0, &(struct green_addr){0}), -EOPNOTSUPP);
        free_pair(p);
        CHECK_INT(toys, 0);
}

static void
opened_bytes_are_had_without_waiting(void)
{
        struct pair p = toy_pair();
        struct call c = {.s = p.b};
        char buf[8];

        start(&c, call_recv_nothing);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.a, "abc", 3, 0), 3);
        CHECK_INT(finish(&c), 0);
        CHECK_INT(green_socket_pending(p.b), 3);
        /* The descriptor has nothing more, and that is no matter. */
        CHECK_INT(green_trampoline(green_socket_fd(p.b), GREEN_READ, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_recv(p.b, buf, 0, 0), 0);
        CHECK_INT(green_socket_recv(p.b, buf, 1, 0), 1);
        CHECK_INT(green_socket_recv(p.b, buf, 8, 0), 2);
        free_pair(p);
}

static void
much_goes_through_a_slow_peer(void)
{
        static char data[80000], got[80000], more[8000000];
        struct green_iovec iov[3] = {
                {.base = more, .len = 100000}, {.base = more + 100000, .len = 1}, {.base = more + 100001, .len = sizeof more - 100001}};
        struct pair p = toy_pair();
        struct call c = {.s = p.a, .out = data, .len = sizeof data};
        size_t have = 0, done = 0;
        ssize_t n;

        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (char)(i * 13 + i / 250);
        start(&c, call_sendall);
        while (have < sizeof got && (n = green_socket_recv(p.b, got + have, sizeof got - have, 0)) > 0)
                have += (size_t)n;
        CHECK_INT(finish(&c), 0);
        CHECK_INT(have, sizeof got);
        CHECK(memcmp(data, got, sizeof got) == 0);

        c = (struct call){.s = p.b, .len = 1};
        start(&c, call_recv);
        CHECK_INT(green_socket_set_timeout(p.a, 0.05), 0);
        CHECK_INT(green_socket_sendallv(p.a, iov, 3, 0, &done), -ETIMEDOUT);
        CHECK_RANGE(done, 1, sizeof more - 1);
        CHECK_INT(finish(&c), 1);
        green_socket_close(p.b);
        free_pair(p);
}

static void
limits_and_scopes_hold(void)
{
        struct pair p = toy_pair();
        struct green_timeout t;
        struct call c = {.s = p.a};
        char byte;

        CHECK_INT(green_socket_set_timeout(p.a, 0.01), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.a, 0), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -EAGAIN);
        CHECK_INT(green_socket_set_timeout(p.a, GREEN_FOREVER), 0);
        CHECK_INT(green_timeout_start(&t, 0.01), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        start(&c, call_recv);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        CHECK_INT(toys, 1);
        CHECK_INT(green_socket_free(p.b), 0);
        CHECK_INT(toys, 0);
}

static void
streams_go_over_it_and_the_last_end_says_goodbye(void)
{
        for (int last = 0; last < 2; last++) {
                struct pair p = toy_pair();
                green_stream *ask = green_socket_makefile(p.a, NULL), *answer = green_socket_makefile(p.b, NULL);
                struct call c = {.s = p.b};
                const char *line = NULL;

                start(&c, call_recv);
                CHECK_INT(green_stream_printf(ask, "hello"), 5);
                CHECK_INT(green_stream_flush(ask), 0);
                CHECK_INT(finish(&c), 5);
                CHECK_INT(green_stream_printf(ask, "question\n"), 9);
                CHECK_INT(green_stream_flush(ask), 0);
                CHECK_INT(green_stream_readline(answer, 100, &line), 9);
                CHECK(memcmp(line, "question\n", 9) == 0);
                CHECK_INT(green_stream_free(answer), 0);
                start(&c, call_recv);
                CHECK_INT(green_stream_printf(ask, "x"), 1);
                if (last == 0)
                        CHECK_INT(green_stream_free(ask), 0);
                else
                        CHECK_INT(green_socket_free(p.a), 0);
                green_sleep(0.002);
                CHECK_INT(c.over, last == 0);
                if (last == 0) {
                        CHECK_INT(finish(&c), 1);
                        start(&c, call_recv);
                        CHECK_INT(green_socket_free(p.a), 0);
                } else {
                        CHECK_INT(green_stream_flush(ask), 0);
                        CHECK_INT(finish(&c), 1);
                        start(&c, call_recv);
                        CHECK_INT(green_stream_free(ask), 0);
                }
                CHECK_INT(finish(&c), 0);
                CHECK_INT(toys, 1);
                CHECK_INT(green_socket_free(p.b), 0);
                CHECK_INT(toys, 0);
        }
}

static void
close_says_goodbye_and_only_that_is_the_end(void)
{
        struct pair p = toy_pair();
        struct call c = {.s = p.b};

        start(&c, call_recv);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        start(&c, call_recv);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(finish(&c), 0);
        free_pair(p);

        /* The descriptor goes without a word. */
        p = toy_pair();
        c = (struct call){.s = p.b};
        start(&c, call_recv);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        start(&c, call_recv);
        p.a->transport = NULL;
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(finish(&c), GREEN_ETOY);
        p.a->transport = &toy_transport;
        free_pair(p);
        CHECK_INT(toys, 0);
}

static void
shutdown_says_goodbye_too(void)
{
        struct pair p = toy_pair();
        struct call c = {.s = p.b};
        char byte;

        start(&c, call_recv);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        CHECK_INT(green_socket_shutdown_safe(p.a), 0);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 0);
        free_pair(p);
}

/* Close, and note how long it took. */
static void *
close_it(void *arg)
{
        green_socket_close(arg);
        return NULL;
}

static void
a_goodbye_that_nobody_takes_does_not_hold_up_close_for_ever(void)
{
        struct pair p = toy_pair();
        struct call c = {.s = p.b};
        green_thread *closer;

        start(&c, call_recv);
        CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
        CHECK_INT(finish(&c), 1);
        /* Fill the wire behind the transport's back. */
        while (green__sys_send(green_socket_fd(p.a), c.buf, sizeof c.buf, 0) > 0)
                ;
        closer = green_spawn(close_it, p.a);
        green_sleep(0.01);
        CHECK(!green_thread_dead(closer));
        CHECK_INT(green_socket_free(p.a), -EBUSY);
        /* A kill does not cut it short: it is shielded. Its own limit does. */
        CHECK_INT(green_kill(closer, 0), 0);
        CHECK(!green_thread_dead(closer));
        CHECK_INT(green_thread_wait(closer, NULL), GREEN_EKILLED);
        green_thread_unref(closer);
        CHECK_INT(green_socket_fd(p.a), GREEN_INVALID_FD);
        free_pair(p);
}

/* ---- listeners */

static int
greet(green_socket *client, const struct green_addr *peer, void *arg)
{
        char buf[8];
        ssize_t n = green_socket_recv(client, buf, sizeof buf, 0);

        if (n > 0)
                n = green_socket_sendall(client, buf, (size_t)n, 0, NULL);
        return n < 0 ? (int)n : GREEN_ESTOPSERVE;
}

static void *
serve(void *arg)
{
        CHECK_INT(green_serve(arg, greet, NULL, NULL), 0);
        return NULL;
}

static void
a_listener_wraps_what_it_accepts(void)
{
        char address[GREEN_ADDR_TEXT_SIZE], buf[8];
        green_socket *listener = listen_here(address), *client, *silent;
        green_thread *server = green_spawn(serve, listener);
        struct green_addr addr;

        CHECK_INT(wrap(listener), 0);
        /* One that never says hello holds up nobody. */
        silent = green_connect(address, NULL);
        CHECK_INT(green_addr_parse(address, &addr), 0);
        client = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_INT(wrap(client), 0);
        CHECK_INT(green_socket_connect(client, &addr), 0);
        CHECK_INT(green_socket_sendall(client, "hi", 2, 0, NULL), 0);
        CHECK_INT(green_socket_recv(client, buf, sizeof buf, 0), 2);
        CHECK_INT(green_thread_wait(server, NULL), 0);
        green_thread_unref(server);
        CHECK_INT(green_socket_recv(client, buf, sizeof buf, 0), 0);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(silent), 0);

        silent = green_connect(address, NULL);
        refuse_accepted = -ENOMEM;
        CHECK(green_socket_accept(listener, NULL) == NULL);
        CHECK_INT(green_last_error()->code, -ENOMEM);
        /* The connection is not lost. */
        refuse_accepted = 0;
        client = green_socket_accept(listener, NULL);
        CHECK(client != NULL);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(silent), 0);

        /* But one that can never be wrapped is dropped. */
        silent = green_connect(address, NULL);
        refuse_accepted = -EPROTO;
        CHECK(green_socket_accept(listener, NULL) == NULL);
        CHECK_INT(green_last_error()->code, -EPROTO);
        refuse_accepted = 0;
        CHECK_INT(green_socket_recv(silent, buf, 1, 0), 0);
        CHECK_INT(green_socket_free(silent), 0);
        CHECK_INT(green_socket_free(listener), 0);
        green_sleep(0.01);
        CHECK_INT(toys, 0);
}

GREEN_SUITE(net_transport) {
        GREEN_TEST(bytes_go_through_in_both_directions),
        GREEN_TEST(opened_bytes_are_had_without_waiting),
        GREEN_TEST(much_goes_through_a_slow_peer),
        GREEN_TEST(limits_and_scopes_hold),
        GREEN_TEST(streams_go_over_it_and_the_last_end_says_goodbye),
        GREEN_TEST(close_says_goodbye_and_only_that_is_the_end),
        GREEN_TEST(shutdown_says_goodbye_too),
        GREEN_TEST(a_goodbye_that_nobody_takes_does_not_hold_up_close_for_ever),
        GREEN_TEST(a_listener_wraps_what_it_accepts),
        GREEN_SUITE_END
};
