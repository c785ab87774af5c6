/*
 * Fuzzing of the whole HTTP server: bytes go through a connection to green_wsgi_server(), whole and cut in two, and
 * what it answers, and what its application was asked, must be what the parser alone makes of them. So where a request
 * ends is worked out twice, here over all bytes at once and there as they come; nothing behind a request that was
 * refused may be answered.
 *
 * The first byte of an input says how: 1, the application leaves bodies unread; 8, the bytes are a chunked body, and a
 * head is put before it. The other bits are those of fuzz_http1.c, whose corpus this takes too; they mean nothing here.
 * Whether the application passes on that a body has failed, or answers all the same, hangs on a hash of the bytes.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined, and the library. With -DGREEN_FUZZ_MAIN it is a program,
 * see fuzz_main.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <green/web.h>

#include "../../web/http1_parse_priv.h"
#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 4096, MAX_ANSWERS = 256, MAX_FIELDS = 99 };

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_wsgi.c:%d: does not hold: %s\n", __LINE__, #expr);                       \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

/* What came of a connection, or should. */
struct outcome {
        int count;                  /* answers */
        int status[MAX_ANSWERS];    /* of each */
        bool no_body[MAX_ANSWERS];  /* its body is left out */
        int calls;                  /* of the application */
        uint32_t call[MAX_ANSWERS]; /* a hash of what each was told */
};

static bool leaves_bodies;
static bool answers_anyway; /* when a body has failed, in place of passing the failure on */
static struct outcome told; /* by the application */

static uint32_t
hash(uint32_t h, const void *data, size_t len)
{
        for (size_t i = 0; i < len; i++)
                h = (h ^ ((const uint8_t *)data)[i]) * 16777619u;
        return h;
}

/* ---- what should come of it, by the parser alone */

static void
expect_answer(struct outcome *o, int status, bool no_body)
{
        MUST(o->count < MAX_ANSWERS);
        o->status[o->count] = status;
        o->no_body[o->count++] = no_body;
}

/* The bytes of a body that begins at data. -1: it is not complete; below that an error of the parser. Hashes it. */
static ssize_t
body_of(const struct green__http1 *r, const uint8_t *data, size_t size, uint32_t *h)
{
        static const struct green__http1_limits limits = GREEN__HTTP1_LIMITS_INIT;
        struct green__http1_chunked c;
        struct green__http1_piece piece;
        static char copy[MAX_INPUT];
        int rc;

        if (!(r->flags & GREEN__HTTP1_CHUNKED)) {
                if (r->content_length > size)
                        return -1;
                *h = hash(*h, data, (size_t)r->content_length);
                return (ssize_t)r->content_length;
        }
        memcpy(copy, data, size);
        green__http1_chunked_init(&c, &limits, UINT64_MAX, NULL, MAX_FIELDS);
        rc = green__http1_chunked_decode(&c, copy, size, &piece);
        if (rc == GREEN__HTTP1_MORE)
                return -1;
        if (rc < 0)
                return -1 + rc;
        *h = hash(*h, copy, piece.len);
        return (ssize_t)piece.used;
}

/* One request is whole. The bytes that it takes, 0: the connection ends with it. */
static size_t
expect_request(struct outcome *o, const struct green__http1 *r, const uint8_t *data, size_t size)
{
        const bool head = r->method == GREEN__HTTP1_HEAD, tunnel = r->method == GREEN__HTTP1_CONNECT;
        const bool waits = (r->flags & GREEN__HTTP1_EXPECT_100) != 0 &&
                           ((r->flags & GREEN__HTTP1_CHUNKED) != 0 || r->content_length > 0);
        uint32_t h = hash(1, data + r->method_name.off, r->method_name.len), whole;
        ssize_t n;

        if (r->form == GREEN__HTTP1_ASTERISK || (r->form == GREEN__HTTP1_ABSOLUTE && r->path.len == 0))
                h = hash(h, r->form == GREEN__HTTP1_ASTERISK ? "*" : "/", 1);
        else
                h = hash(h, data + r->path.off, r->path.len);
        whole = h;
        n = body_of(r, data + r->head_len, size - r->head_len, &whole);
        MUST(o->calls < MAX_ANSWERS);
        o->call[o->calls++] = leaves_bodies ? h : n < 0 ? h + 1 : whole;
        if (leaves_bodies || n >= 0 || answers_anyway)
                expect_answer(o, 200, head || tunnel);
        else if (n < -1)
                expect_answer(o, n + 1 == GREEN__HTTP1_EBODY ? 413 : 400, head);
        if (n < 0 || tunnel || !(r->flags & GREEN__HTTP1_KEEP_ALIVE) || (leaves_bodies && waits))
                return 0;
        return r->head_len + (size_t)n;
}

static void
expect_all(struct outcome *o, const uint8_t *data, size_t size)
{
        static const struct green__http1_limits limits = GREEN__HTTP1_LIMITS_INIT;
        static struct green__http1_field fields[MAX_FIELDS];
        size_t used;

        memset(o, 0, sizeof *o);
        do {
                struct green__http1 r;
                int rc;

                green__http1_init(&r, &limits, fields, MAX_FIELDS);
                rc = green__http1_parse(&r, (const char *)data, size);
                if (rc == GREEN__HTTP1_MORE)
                        return;
                if (rc < 0) {
                        expect_answer(o, green__http1_status(rc), false);
                        return;
                }
                used = expect_request(o, &r, data, size);
                data += used;
                size -= used;
        } while (used > 0);
}

/* ---- the server */

static int
app(green_wsgi_request *req, void *arg)
{
        const char *method = green_wsgi_method(req), *path = green_wsgi_raw_path(req);
        uint32_t h = hash(hash(1, method, strlen(method)), path, strlen(path)), body = h;
        char buf[100];
        ssize_t n = 0;

        (void)arg;
        while (!leaves_bodies && (n = green_wsgi_read(req, buf, sizeof buf)) > 0)
                body = hash(body, buf, (size_t)n);
        MUST(told.calls < MAX_ANSWERS);
        told.call[told.calls++] = n < 0 ? h + 1 : body;
        return n < 0 && !answers_anyway ? (int)n : green_wsgi_respond(req, 200, NULL, "ok", 2);
}

static char address[64];

static void *
server_main(void *arg)
{
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .no_log_output = true};

        return green_fail(green_wsgi_server(arg, app, NULL, &opts));
}

static void
quiet(void *arg, enum green_log_level level, const char *message)
{
        (void)arg;
        (void)level;
        (void)message;
}

static green_socket *listener;
static green_thread *server;

static void
stop(void)
{
        (void)unlink(address + strlen("unix:"));
        green_kill(server, 0);
        (void)!green_thread_wait(server, NULL);
        green_thread_unref(server);
        (void)green_socket_free(listener);
}

static void
start(void)
{
        if (address[0] != '\0')
                return;
        green_set_log(quiet, NULL);
        snprintf(address, sizeof address, "unix:/tmp/green-fuzz-%ld", (long)getpid());
        listener = green_listen(address, NULL);
        MUST(listener != NULL);
        server = green_spawn(server_main, listener);
        MUST(server != NULL && atexit(stop) == 0);
        green_sleep(0);
}

/* ---- the client */

static size_t
exchange(const uint8_t *data, size_t size, size_t cut, char *answer, size_t room)
{
        green_socket *c = green_connect(address, NULL);
        size_t got = 0;
        ssize_t n;

        MUST(c != NULL);
        green_socket_set_timeout(c, 60);
        if (cut > 0) {
                (void)!green_socket_sendall(c, data, cut, 0, NULL);
                for (int i = 0; i < 5; i++)
                        green_sleep(0);
        }
        (void)!green_socket_sendall(c, data + cut, size - cut, 0, NULL);
        (void)green_socket_shutdown(c, SHUT_WR);
        while ((n = green_socket_recv(c, answer + got, room - got, 0)) > 0)
                got += (size_t)n;
        MUST(n == 0 && got < room);
        MUST(green_socket_free(c) == 0);
        answer[got] = '\0';
        return got;
}

/* The head of a response at text: its status, and where it ends. */
static const char *
read_response(const char *text, int *status, size_t *length)
{
        const char *end = strstr(text, "\r\n\r\n"), *field;

        MUST(end != NULL && sscanf(text, "HTTP/1.1 %3d ", status) == 1);
        field = strstr(text, "\r\nContent-Length: ");
        *length = field != NULL && field < end ? strtoul(field + 18, NULL, 10) : 0;
        return end + 4;
}

static void
check_answer(const struct outcome *o, const char *answer, size_t len)
{
        const char *at = answer;

        for (int i = 0; i < o->count;) {
                size_t length;
                int status;

                at = read_response(at, &status, &length);
                if (status == 100)
                        continue;
                MUST(status == o->status[i]);
                MUST(o->no_body[i] || length > 0);
                if (!o->no_body[i])
                        at += length;
                i++;
        }
        /* "100 Continue" to a body that then fails to come. */
        while (strncmp(at, "HTTP/1.1 100 Continue\r\n\r\n", 25) == 0)
                at += 25;
        MUST(at == answer + len);
}

static void
check_connection(const uint8_t *data, size_t size, size_t cut)
{
        static struct outcome o;
        static char answer[MAX_ANSWERS * 512];
        size_t len;

        expect_all(&o, data, size);
        memset(&told, 0, sizeof told);
        len = exchange(data, size, cut, answer, sizeof answer);
        check_answer(&o, answer, len);
        MUST(told.calls == o.calls && memcmp(told.call, o.call, sizeof o.call) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        static uint8_t all[MAX_INPUT];
        size_t len = 0;
        uint32_t h;

        if (size < 1 || size > MAX_INPUT - sizeof head)
                return 0;
        start();
        leaves_bodies = (data[0] & 1) != 0;
        if (data[0] & 8) {
                memcpy(all, head, sizeof head - 1);
                len = sizeof head - 1;
        }
        memcpy(all + len, data + 1, size - 1);
        len += size - 1;
        h = hash(1, all, len);
        answers_anyway = (h & 0x8000) != 0;
        check_connection(all, len, 0);
        if (len > 1)
                check_connection(all, len, 1 + h % (len - 1));
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("\r\n"),
        FUZZ_BYTES("\n"),
        FUZZ_BYTES("\0"),
        FUZZ_BYTES(" "),
        FUZZ_BYTES("0\r\n\r\n"),
        FUZZ_BYTES("\r\n\r\n"),
        FUZZ_BYTES("Host: h\r\n"),
        FUZZ_BYTES("Content-Length: 3\r\n"),
        FUZZ_BYTES("Transfer-Encoding: chunked\r\n"),
        FUZZ_BYTES("Connection: close\r\n"),
        FUZZ_BYTES("Expect: 100-continue\r\n"),
        FUZZ_BYTES("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        FUZZ_BYTES("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"),
        FUZZ_BYTES("HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, NULL, 0, words, sizeof words / sizeof words[0]);
}

#endif
