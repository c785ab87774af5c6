/*
 * Fuzzing of TLS: records, over memory, to both halves of a back end.
 *
 * The first byte of an input picks what is done: 0, the rest goes to a server as it is; 1, to a client; otherwise a
 * client and a server talk, and the rest says where what they send is changed: two bytes for a place in the stream, one
 * to xor. Nothing may crash, a connection whose bytes were changed must not come to an end as if they had not been, and
 * no call may go on for ever.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined fuzz_tls.c and the libraries. With -DGREEN_FUZZ_MAIN it is
 * a program: files as arguments are run; without any, mutations made here are, the same ones every time ("-n COUNT"
 * says how many).
 */
#include "../../net/tls_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_tls.c:%d: does not hold: %s\n", __LINE__, #expr);                        \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

enum { PIPE = 65536 };

/* One direction of a wire, and where it is changed. */
struct wire {
        uint8_t bytes[PIPE];
        size_t at, len;
        size_t seen; /* bytes that have gone in */
        const uint8_t *changes;
        size_t n_changes; /* of three bytes each */
        bool changed, ended;
};

struct end {
        struct wire *in, *out;
        void *conn;
        int rc;
        bool done;
};

static const struct green__tls_backend *be;
static struct green__tls_made *client_made, *server_made;

static void
set_up(void)
{
        struct green_tls_opts s = {.size = sizeof s, .cert_file = TLS_CERTS "/both.pem"};
        struct green_tls_opts c = {.size = sizeof c, .ca_file = TLS_CERTS "/ca.pem"};
        green_tls_context *context;

        if (be != NULL)
                return;
        be = green__tls_backend_get();
        if (be == NULL)
                exit(0); /* a build without TLS */
        context = green_tls_context_new(&s);
        MUST(context != NULL);
        server_made = green__tls_made_for(context, true);
        context = green_tls_context_new(&c);
        MUST(context != NULL);
        client_made = green__tls_made_for(context, false);
}

static ssize_t
end_recv(void *arg, void *buf, size_t len)
{
        struct end *e = arg;
        size_t n = e->in->len - e->in->at;

        if (n == 0)
                return e->in->ended ? 0 : -EAGAIN;
        if (n > len)
                n = len;
        memcpy(buf, e->in->bytes + e->in->at, n);
        e->in->at += n;
        return (ssize_t)n;
}

static ssize_t
end_send(void *arg, const void *buf, size_t len)
{
        struct end *e = arg;
        struct wire *w = e->out;

        if (w->at == w->len)
                w->at = w->len = 0;
        if (w->len + len > PIPE)
                return -EPIPE;
        memcpy(w->bytes + w->len, buf, len);
        for (size_t i = 0; i < w->n_changes; i++) {
                const uint8_t *c = w->changes + 3 * i;
                size_t place = ((size_t)c[0] << 8 | c[1]) % 4096;

                if (place >= w->seen && place < w->seen + len && c[2] != 0) {
                        w->bytes[w->len + (place - w->seen)] ^= c[2];
                        w->changed = true;
                }
        }
        w->len += len;
        w->seen += len;
        return (ssize_t)len;
}

static void
open_end(struct end *e, bool server)
{
        struct green__tls_conn_config config = {.size = sizeof config,
                                                .server = server,
                                                .server_name = server ? NULL : "localhost",
                                                .verify_name = server ? NULL : "localhost",
                                                .bytes = {end_recv, end_send, e}};

        MUST(be->conn_new(server ? server_made->context : client_made->context, &config, &e->conn) == 0);
}

/* As far as it goes now. True: it may go on when there is more. */
static bool
go_on(struct end *e)
{
        char buf[64];

        for (int i = 0; i < 100; i++) {
                if (e->rc != 0)
                        return false;
                if (!e->done) {
                        int rc;

                        (void)be->handshake_cost(e->conn);
                        rc = be->handshake(e->conn);
                        if (rc == GREEN__TLS_WANT_READ)
                                return true;
                        e->done = rc == 0;
                        if (rc != 0 && rc != GREEN__TLS_WANT_WRITE)
                                e->rc = rc;
                        if (e->done)
                                MUST(be->write(e->conn, "hello", 5) == 5);
                } else {
                        ssize_t n = be->read(e->conn, buf, sizeof buf, i % 2 == 0);

                        if (n == GREEN__TLS_WANT_READ)
                                return true;
                        if (n == 0)
                                return false;
                        MUST(n < 0 || (n == 5 && memcmp(buf, "hello", 5) == 0));
                        if (n < 0)
                                e->rc = (int)n;
                }
        }
        MUST(!"it comes to an end");
        return false;
}

static void
close_end(struct end *e)
{
        if (e->rc != 0)
                MUST(be->why(e->conn) != NULL);
        if (e->done && e->rc == 0)
                (void)be->shutdown(e->conn);
        be->conn_free(e->conn);
}

static void
raw(const uint8_t *data, size_t size, bool server)
{
        static struct wire in, out;
        struct end e = {.in = &in, .out = &out};

        memset(&in, 0, sizeof in);
        memset(&out, 0, sizeof out);
        open_end(&e, server);
        (void)go_on(&e);
        in.len = size < PIPE ? size : PIPE;
        memcpy(in.bytes, data, in.len);
        if (go_on(&e)) {
                in.ended = true;
                MUST(!go_on(&e) && e.rc < 0);
        }
        MUST(!e.done);
        close_end(&e);
}

static void
talk(const uint8_t *data, size_t size, bool to_server)
{
        static struct wire up, down;
        struct end client = {.in = &down, .out = &up}, server = {.in = &up, .out = &down};
        struct wire *hurt = to_server ? &up : &down;

        memset(&up, 0, sizeof up);
        memset(&down, 0, sizeof down);
        hurt->changes = data;
        hurt->n_changes = size / 3;
        open_end(&client, false);
        open_end(&server, true);
        for (int i = 0; i < 20; i++) {
                bool more = go_on(&client);

                if (!go_on(&server) && !more)
                        break;
        }
        /* The handshake's own sums have to find what was changed in it, and each record's what was changed later. */
        if (hurt->changed)
                MUST(client.rc < 0 || server.rc < 0 || !client.done || !server.done);
        else
                MUST(client.done && server.done && client.rc == 0 && server.rc == 0);
        close_end(&client);
        close_end(&server);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        set_up();
        if (size == 0)
                return 0;
        if (data[0] < 2)
                raw(data + 1, size - 1, data[0] == 0);
        else
                talk(data + 1, size - 1, data[0] % 2 == 0);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

static uint32_t
next_random(uint32_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

/* A ClientHello that the server takes, for what is changed in it to get far. */
static size_t
client_hello(uint8_t *data)
{
        static struct wire in, out;
        struct end e = {.in = &in, .out = &out};

        set_up();
        memset(&in, 0, sizeof in);
        memset(&out, 0, sizeof out);
        open_end(&e, false);
        MUST(go_on(&e));
        memcpy(data, out.bytes, out.len);
        close_end(&e);
        return out.len;
}

static void
run_seeds(long count)
{
        static uint8_t hello[PIPE], data[PIPE + 1];
        size_t len = client_hello(hello);
        uint32_t random = 1;

        for (long i = 0; i < count; i++) {
                size_t size = 1;

                if (i % 16 != 0) {
                        /* A hello with bytes changed, or cut short. */
                        data[0] = (uint8_t)(next_random(&random) % 4 == 0);
                        memcpy(data + 1, hello, len);
                        size = 1 + (next_random(&random) % 4 == 0 ? next_random(&random) % len : len);
                        for (uint32_t n = next_random(&random) % 4 + 1; n > 0 && size > 1; n--)
                                data[1 + next_random(&random) % (size - 1)] ^= (uint8_t)next_random(&random);
                } else {
                        data[0] = (uint8_t)(2 + next_random(&random) % 2);
                        for (uint32_t n = 3 * (next_random(&random) % 2 + (i > 0)); n > 0; n--)
                                data[size++] = n % 3 == 0 ? (uint8_t)(next_random(&random) % 6)
                                                          : (uint8_t)next_random(&random);
                }
                LLVMFuzzerTestOneInput(data, size);
        }
}

static void
run_file(const char *name)
{
        static uint8_t data[PIPE];
        FILE *file = fopen(name, "rb");

        if (file == NULL) {
                perror(name);
                exit(1);
        }
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
        fclose(file);
}

int
main(int argc, char **argv)
{
        if (argc == 3 && strcmp(argv[1], "-n") == 0)
                run_seeds(atol(argv[2]));
        else if (argc == 1)
                run_seeds(3000);
        for (int i = 1; i < argc && argv[1][0] != '-'; i++)
                run_file(argv[i]);
        return 0;
}

#endif
