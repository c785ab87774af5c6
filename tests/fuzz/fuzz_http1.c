/*
 * Fuzzing of the HTTP parser: request heads, and the chunked bodies behind them.
 *
 * The first byte of an input picks limits, the rest is what a client sends. It is parsed whole, then in pieces, each
 * time in memory of its own that ends where the bytes end; both must agree, and what was accepted must hold to rules
 * that are checked here without the parser's tables.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined fuzz_http1.c and the files of the parser; -dict=http1.dict.
 * With -DGREEN_FUZZ_MAIN it is a program: files as arguments are run; without any, the seeds below and mutations of
 * them are, the same ones every time ("-n COUNT" says how many); "-d FOLDER" writes the seeds as files for libFuzzer.
 */
#include "../../web/http1_parse_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 4096, MAX_FIELDS = 20 };

static const struct green__http1_limits limits[2] = {
        GREEN__HTTP1_LIMITS_INIT,
        {.request_line = 60, .field_line = 50, .fields = 150, .chunk_ext = 10, .strict_target = true},
};

/* What the parser made of a head. */
struct head {
        struct green__http1 r;
        struct green__http1_field fields[MAX_FIELDS];
        int result;
};

/* What the decoder made of a body. */
struct body {
        struct green__http1_chunked c;
        struct green__http1_field trailers[MAX_FIELDS];
        uint8_t data[MAX_INPUT];
        size_t len, used;
        int result;
};

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_http1.c:%d: does not hold: %s\n", __LINE__, #expr);                      \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

static char *
copy_of(const uint8_t *data, size_t size)
{
        char *copy = malloc(size > 0 ? size : 1);

        MUST(copy != NULL);
        memcpy(copy, data, size);
        return copy;
}

static uint32_t
next_random(uint32_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

/* The size of the next piece: mostly one byte, so that every boundary is met. seed 0: all at once. */
static size_t
next_size(uint32_t *seed, size_t left)
{
        size_t n = left;

        if (*seed != 0) {
                uint32_t random = next_random(seed);
                n = (random & 7) != 0 ? 1 : random >> 8 & 63;
        }
        return n < left ? n : left;
}

/* ---- heads */

static void
parse_head(struct head *h, const uint8_t *data, size_t size, int options, uint32_t seed)
{
        size_t shown = 0;

        memset(h, 0, sizeof *h);
        green__http1_init(&h->r, &limits[options & 1], h->fields, options & 2 ? MAX_FIELDS : 3);
        do {
                shown += next_size(&seed, size - shown);
                char *copy = copy_of(data, shown);
                h->result = green__http1_parse(&h->r, copy, shown);
                free(copy);
        } while (h->result == GREEN__HTTP1_MORE && shown < size);
}

static void
same_span(struct green__http1_span a, struct green__http1_span b)
{
        MUST(a.off == b.off && a.len == b.len);
}

static void
same_lines(const struct green__http1_lines *a, const struct green__http1_lines *b)
{
        MUST(a->pos == b->pos && a->count == b->count);
        for (unsigned i = 0; i < a->count; i++) {
                const struct green__http1_field *f = &a->fields[i], *g = &b->fields[i];
                MUST(f->name == g->name && f->name_len == g->name_len && f->value == g->value);
                MUST(f->value_len == g->value_len && f->id == g->id && f->flags == g->flags);
        }
}

static void
same_head(const struct head *a, const struct head *b)
{
        const struct green__http1 *r = &a->r, *q = &b->r;

        MUST(a->result == b->result);
        same_lines(&r->lines, &q->lines);
        MUST(r->start == q->start && r->head_len == q->head_len && r->flags == q->flags && r->port == q->port);
        MUST(r->method == q->method && r->form == q->form && r->minor == q->minor && r->sent_minor == q->sent_minor);
        MUST(r->upgrade == q->upgrade && r->content_length == q->content_length);
        same_span(r->method_name, q->method_name);
        same_span(r->target, q->target);
        same_span(r->path, q->path);
        same_span(r->query, q->query);
        same_span(r->host, q->host);
}

static void
inside(struct green__http1_span outer, struct green__http1_span inner)
{
        MUST(inner.len == 0 || (inner.off >= outer.off && inner.off + inner.len <= outer.off + outer.len));
}

/* Fields lie one behind the other, each on a line of its own, and hold no byte they should not. */
static void
check_lines(const struct green__http1_lines *l, const uint8_t *data, uint32_t begin, uint32_t end)
{
        uint32_t at = begin;

        for (unsigned i = 0; i < l->count; i++) {
                const struct green__http1_field *f = &l->fields[i];
                MUST(f->name == at && f->name_len > 0 && data[f->name + f->name_len] == ':');
                MUST(f->value > f->name + f->name_len);
                for (uint32_t k = f->name; k < f->name + f->name_len; k++)
                        MUST(data[k] > ' ' && data[k] < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", data[k]) == NULL);
                for (uint32_t k = f->name + f->name_len + 1; k < f->value; k++)
                        MUST(data[k] == ' ' || data[k] == '\t');
                for (at = f->value; data[at] != '\r'; at++)
                        MUST(data[at] == '\t' || (data[at] >= ' ' && data[at] != 0x7f));
                MUST(f->value + f->value_len <= at);
                for (uint32_t k = f->value + f->value_len; k < at; k++)
                        MUST(data[k] == ' ' || data[k] == '\t');
                if (f->value_len > 0) {
                        uint8_t first = data[f->value], last = data[f->value + f->value_len - 1];
                        MUST(first != ' ' && first != '\t' && last != ' ' && last != '\t');
                }
                MUST(data[at + 1] == '\n');
                at += 2;
        }
        MUST(at + 2 == end && data[at] == '\r' && data[at + 1] == '\n');
}

static bool
named(const struct green__http1_field *f, const uint8_t *data, const char *name)
{
        size_t n = strlen(name);

        for (size_t i = 0; i < n && f->name_len == n; i++) {
                if ((data[f->name + i] | 0x20) != (uint8_t)name[i] && data[f->name + i] != (uint8_t)name[i])
                        return false;
        }
        return f->name_len == n;
}

/* Framing once more, from the fields alone. */
static void
check_framing(const struct green__http1 *r, const uint8_t *data)
{
        unsigned hosts = 0, lengths = 0, codings = 0;

        for (unsigned i = 0; i < r->lines.count; i++) {
                const struct green__http1_field *f = &r->lines.fields[i];
                hosts += named(f, data, "host");
                if (named(f, data, "content-length")) {
                        uint64_t value = 0;
                        lengths++;
                        MUST(f->value_len > 0);
                        for (uint32_t k = 0; k < f->value_len; k++) {
                                MUST(data[f->value + k] >= '0' && data[f->value + k] <= '9');
                                value = value * 10 + (data[f->value + k] - (uint64_t)'0');
                        }
                        MUST(value == r->content_length);
                }
                if (named(f, data, "transfer-encoding")) {
                        codings++;
                        MUST(f->value_len == 7);
                }
        }
        MUST(hosts <= 1 && (hosts == 1 || r->minor == 0));
        MUST((lengths > 0) == ((r->flags & GREEN__HTTP1_HAS_LENGTH) != 0));
        MUST((codings > 0) == ((r->flags & GREEN__HTTP1_CHUNKED) != 0));
        MUST(codings <= 1 && (codings == 0 || (lengths == 0 && r->minor == 1)));
}

static void
check_head(const struct head *h, const uint8_t *data, size_t size)
{
        const struct green__http1 *r = &h->r;
        const struct green__http1_span whole = {0, r->head_len};
        uint32_t fields = r->target.off + r->target.len + 11;

        MUST(r->head_len <= size && r->head_len == r->lines.pos);
        MUST(r->start <= 4 && r->method_name.off == r->start && r->method_name.len > 0);
        MUST(r->target.off == r->start + r->method_name.len + 1 && r->target.len > 0);
        for (uint32_t k = r->target.off; k < r->target.off + r->target.len; k++)
                MUST(data[k] > ' ' && data[k] < 0x7f && strchr("\"<>#", data[k]) == NULL);
        inside(r->target, r->path);
        inside(r->target, r->query);
        inside(whole, r->host);
        MUST(r->host.len > 0 || r->minor == 0);
        MUST(memcmp(data + fields - 10, "HTTP/1.", 7) == 0 && data[fields - 3] - '0' == r->sent_minor);
        MUST(data[fields - 2] == '\r' && data[fields - 1] == '\n');
        check_lines(&r->lines, data, fields, r->head_len);
        check_framing(r, data);
}

/* ---- bodies */

static void
decode_body(struct body *b, const uint8_t *data, size_t size, int options, uint32_t seed)
{
        size_t shown = 0;

        memset(b, 0, sizeof *b);
        green__http1_chunked_init(&b->c, &limits[options & 1], options & 4 ? UINT64_MAX : 40, b->trailers,
                                  options & 2 ? MAX_FIELDS : 3);
        do {
                struct green__http1_piece piece;
                shown += next_size(&seed, size - shown);
                char *copy = copy_of(data + b->used, shown - b->used);
                b->result = green__http1_chunked_decode(&b->c, copy, shown - b->used, &piece);
                MUST(piece.used <= shown - b->used && piece.len <= piece.used);
                memcpy(b->data + b->len, copy, piece.len);
                free(copy);
                b->len += piece.len;
                b->used += piece.used;
        } while (b->result == GREEN__HTTP1_MORE && shown < size);
}

static void
test_body(const uint8_t *data, size_t size, int options, uint32_t seed)
{
        static struct body whole, pieces;

        decode_body(&whole, data, size, options, 0);
        decode_body(&pieces, data, size, options, seed);
        MUST(whole.result == pieces.result && whole.used == pieces.used && whole.len == pieces.len);
        MUST(memcmp(whole.data, pieces.data, whole.len) == 0);
        MUST(whole.c.total == pieces.c.total && whole.c.left == pieces.c.left);
        MUST(whole.len <= whole.c.total && whole.c.total <= whole.c.limit);
        if (whole.result == GREEN__HTTP1_DONE) {
                const struct green__http1_lines *l = &whole.c.trailers;
                MUST(whole.len == whole.c.total && whole.used >= l->pos);
                same_lines(l, &pieces.c.trailers);
                check_lines(l, data + whole.used - l->pos, 0, l->pos);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct head whole, pieces;
        uint32_t seed = 2463534242u;

        if (size < 1 || size > MAX_INPUT)
                return 0;
        int options = *data++;
        size--;
        for (size_t i = 0; i < size; i++)
                seed = (seed ^ data[i]) * 16777619u;
        seed |= 1;
        if (options & 8) {
                test_body(data, size, options, seed);
                return 0;
        }
        parse_head(&whole, data, size, options, 0);
        parse_head(&pieces, data, size, options, seed);
        same_head(&whole, &pieces);
        if (whole.result == GREEN__HTTP1_DONE) {
                check_head(&whole, data, size);
                if (whole.r.flags & GREEN__HTTP1_CHUNKED)
                        test_body(data + whole.r.head_len, size - whole.r.head_len, options, seed);
        }
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

#define HEAD(text) "\x02" text
#define BODY(text) "\x0e" text

static const char *const seeds[] = {
        HEAD("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"),
        HEAD("\r\nGET /a/b%20c?d=e&f HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\nUser-Agent: "
             "Mozilla/5.0 "
             "(X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: "
             "text/html,application/xhtml+xml,*/*;q=0.8\r\nsec-ch-ua: "
             "\"a\";v=\"1\"\r\nUpgrade-Insecure-Requests: 1\r\nX_Y:\t z \t\r\n\r\nGET /next"),
        HEAD("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
             "5;a=b;c=\"d\\\"\"\r\nhello\r\n0\r\nA: b\r\n\r\nGET /"),
        HEAD("PUT http://[::1]:80/x?y HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        HEAD("OPTIONS * HTTP/1.0\r\nConnection: close, upgrade\r\nConnection: keep-alive\r\nUpgrade: "
             "websocket\r\n\r\n"),
        HEAD("CONNECT a.b:443 HTTP/1.1\r\nHost: [1:2:3:4:5:6:7.8.9.10]:443\r\nTransfer-Encoding: gzip;q=\"1,\", "
             "chunked\r\n\r\n"),
        "\x05"
        "DELETE /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        BODY("1\r\na\r\n0a\r\n0123456789\r\n000;x=y\r\nX: y\r\nHost: h\r\n\r\n"),
        BODY("7fffffffffffffff\r\nabc"),
};
#define SEED_COUNT (sizeof seeds / sizeof seeds[0])

static size_t
mutate(uint8_t *data, size_t size, uint32_t *random)
{
        static const char *const words[] = {"\r\n",
                                            "\r",
                                            "\n",
                                            " ",
                                            "\t",
                                            ":",
                                            ",",
                                            ";",
                                            "\"",
                                            "%0",
                                            "0",
                                            "f",
                                            "\r\n\r\n",
                                            "a",
                                            "Host: h\r\n",
                                            "Content-Length: 3\r\n",
                                            "Transfer-Encoding: chunked\r\n",
                                            "_",
                                            "/"};
        const char *word = words[next_random(random) % (sizeof words / sizeof words[0])];
        size_t n = strlen(word), at = 1 + next_random(random) % size;

        switch (next_random(random) % 4) {
        case 0: /* another byte */
                if (at < size)
                        data[at] = (uint8_t)next_random(random);
                return size;
        case 1: /* fewer bytes */
                n = next_random(random) % 8;
                if (at + n > size)
                        return size;
                memmove(data + at, data + at + n, size - at - n);
                return size - n;
        case 2: /* a part once more */
                n = next_random(random) % 30;
                if (at + n > size || size + n > MAX_INPUT)
                        return size;
                memmove(data + at + n, data + at, size - at);
                return size + n;
        default: /* a word */
                if (size + n > MAX_INPUT)
                        return size;
                memmove(data + at + n, data + at, size - at);
                memcpy(data + at, word, n);
                return size + n;
        }
}

static void
run_seeds(long count)
{
        static uint8_t data[MAX_INPUT];
        uint32_t random = 1;

        for (size_t i = 0; i < SEED_COUNT; i++)
                LLVMFuzzerTestOneInput((const uint8_t *)seeds[i], strlen(seeds[i]));
        for (long i = 0; i < count; i++) {
                const char *seed = seeds[(size_t)i % SEED_COUNT];
                size_t size = strlen(seed);
                memcpy(data, seed, size);
                data[0] ^= next_random(&random) % 8 == 0 ? next_random(&random) & 7 : 0;
                for (uint32_t k = next_random(&random) % 6; k > 0; k--)
                        size = mutate(data, size, &random);
                LLVMFuzzerTestOneInput(data, size);
        }
}

static void
run_file(const char *name)
{
        static uint8_t data[MAX_INPUT];
        FILE *file = fopen(name, "rb");

        if (file == NULL) {
                perror(name);
                exit(1);
        }
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
        fclose(file);
}

static void
write_seeds(const char *folder)
{
        for (size_t i = 0; i < SEED_COUNT; i++) {
                char name[1024];
                snprintf(name, sizeof name, "%s/seed%u", folder, (unsigned)i);
                FILE *file = fopen(name, "wb");
                if (file == NULL || fwrite(seeds[i], 1, strlen(seeds[i]), file) == 0 || fclose(file) != 0) {
                        perror(name);
                        exit(1);
                }
        }
}

int
main(int argc, char **argv)
{
        if (argc == 3 && strcmp(argv[1], "-d") == 0)
                write_seeds(argv[2]);
        else if (argc == 3 && strcmp(argv[1], "-n") == 0)
                run_seeds(atol(argv[2]));
        else if (argc == 1)
                run_seeds(100000);
        for (int i = 1; i < argc && argv[1][0] != '-'; i++)
                run_file(argv[i]);
        return 0;
}

#endif
