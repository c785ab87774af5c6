/*
 * Fuzzing of the HTTP parser: request heads, and the chunked bodies behind them.
 *
 * The first byte of an input picks limits, the rest is what a client sends. It is parsed whole, then in pieces, each
 * time in memory of its own that ends where the bytes end; all must agree, and what was accepted must hold to rules
 * that are checked here without the parser's tables. A file of the corpus, and some of the other inputs, are cut in two
 * at every place.
 *
 * The corpus, tests/fuzz/corpus/http1, has a telling case a file. The first byte is a digit or sign for people to read,
 * whose bits are: 1, small limits and strict targets; 2, many fields, not three; 4, no limit of the body, not 40 bytes;
 * 8, a chunked body alone. So "2" and "6" begin requests with the usual limits, "3" and "1" those with small ones, ">"
 * and ":" bodies.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined fuzz_http1.c and the files of the parser; -dict=http1.dict,
 * and the folder of the corpus behind one for what is new. With -DGREEN_FUZZ_MAIN it is a program, see fuzz_main.h.
 */
#include "../../web/http1_parse_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#else
static const bool fuzz_verbatim = false;
#endif

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

/* How the bytes come: cut in two, or in pieces of random sizes. */
struct pieces {
        size_t cut;    /* the size of the first; 0: all at once */
        uint32_t seed; /* not 0: random sizes, and no cut */
        bool single;   /* one byte at a time */
};

/* The size of the next piece; of the random ones most are one byte, so that every boundary is met. */
static size_t
next_size(struct pieces *p, size_t shown, size_t left)
{
        size_t n = left;

        if (p->single) {
                n = 1;
        } else if (p->seed != 0) {
                uint32_t random = next_random(&p->seed);
                n = (random & 7) != 0 ? 1 : random >> 8 & 63;
        } else if (shown < p->cut) {
                n = p->cut - shown;
        }
        return n < left ? n : left;
}

/* ---- heads */

static void
parse_head(struct head *h, const uint8_t *data, size_t size, int options, struct pieces pieces)
{
        size_t shown = 0;

        memset(h, 0, sizeof *h);
        green__http1_init(&h->r, &limits[options & 1], h->fields, options & 2 ? MAX_FIELDS : 3);
        do {
                shown += next_size(&pieces, shown, size - shown);
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
decode_body(struct body *b, const uint8_t *data, size_t size, int options, struct pieces pieces)
{
        size_t shown = 0;

        memset(b, 0, sizeof *b);
        green__http1_chunked_init(&b->c, &limits[options & 1], options & 4 ? UINT64_MAX : 40, b->trailers,
                                  options & 2 ? MAX_FIELDS : 3);
        do {
                struct green__http1_piece piece;
                shown += next_size(&pieces, shown, size - shown);
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
same_body(const struct body *a, const struct body *b)
{
        MUST(a->result == b->result && a->used == b->used && a->len == b->len);
        MUST(memcmp(a->data, b->data, a->len) == 0);
        MUST(a->c.total == b->c.total && a->c.left == b->c.left && a->c.ext == b->c.ext);
        if (a->result == GREEN__HTTP1_DONE)
                same_lines(&a->c.trailers, &b->c.trailers);
}

static void
test_body(const uint8_t *data, size_t size, int options, uint32_t seed, bool closely)
{
        static struct body whole, other;

        decode_body(&whole, data, size, options, (struct pieces){0});
        decode_body(&other, data, size, options, (struct pieces){.seed = seed});
        same_body(&whole, &other);
        if (closely) {
                decode_body(&other, data, size, options, (struct pieces){.single = true});
                same_body(&whole, &other);
        }
        for (size_t cut = 1; closely && cut < size; cut++) {
                decode_body(&other, data, size, options, (struct pieces){.cut = cut});
                same_body(&whole, &other);
        }
        MUST(whole.len <= whole.c.total && whole.c.total <= whole.c.limit);
        if (whole.result == GREEN__HTTP1_DONE) {
                const struct green__http1_lines *l = &whole.c.trailers;
                MUST(whole.len == whole.c.total && whole.used >= l->pos);
                check_lines(l, data + whole.used - l->pos, 0, l->pos);
        }
}

static void
test_head(const uint8_t *data, size_t size, int options, uint32_t seed, bool closely)
{
        static struct head whole, other;

        parse_head(&whole, data, size, options, (struct pieces){0});
        parse_head(&other, data, size, options, (struct pieces){.seed = seed});
        same_head(&whole, &other);
        if (closely) {
                parse_head(&other, data, size, options, (struct pieces){.single = true});
                same_head(&whole, &other);
        }
        for (size_t cut = 1; closely && cut < size; cut++) {
                parse_head(&other, data, size, options, (struct pieces){.cut = cut});
                same_head(&whole, &other);
        }
        if (whole.result == GREEN__HTTP1_DONE) {
                check_head(&whole, data, size);
                if (whole.r.flags & GREEN__HTTP1_CHUNKED)
                        test_body(data + whole.r.head_len, size - whole.r.head_len, options, seed, closely);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint32_t seed = 2463534242u;
        bool closely;

        if (size < 1 || size > MAX_INPUT)
                return 0;
        int options = *data++;
        size--;
        for (size_t i = 0; i < size; i++)
                seed = (seed ^ data[i]) * 16777619u;
        /* Every cut costs the square of the size. */
        closely = fuzz_verbatim || (size < 400 && (seed >> 16 & 7) == 0);
        seed |= 1;
        if (options & 8)
                test_body(data, size, options, seed, closely);
        else
                test_head(data, size, options, seed, closely);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("\r\n"),
        FUZZ_BYTES("\r"),
        FUZZ_BYTES("\n"),
        FUZZ_BYTES(" "),
        FUZZ_BYTES("\t"),
        FUZZ_BYTES(":"),
        FUZZ_BYTES(","),
        FUZZ_BYTES(";"),
        FUZZ_BYTES("\""),
        FUZZ_BYTES("\0"),
        FUZZ_BYTES("%0"),
        FUZZ_BYTES("0"),
        FUZZ_BYTES("f"),
        FUZZ_BYTES("\r\n\r\n"),
        FUZZ_BYTES("a"),
        FUZZ_BYTES("Host: h\r\n"),
        FUZZ_BYTES("Content-Length: 3\r\n"),
        FUZZ_BYTES("Transfer-Encoding: chunked\r\n"),
        FUZZ_BYTES("Connection: close\r\n"),
        FUZZ_BYTES("Expect: 100-continue\r\n"),
        FUZZ_BYTES("0\r\n\r\n"),
        FUZZ_BYTES("_"),
        FUZZ_BYTES("/"),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, NULL, 0, words, sizeof words / sizeof words[0]);
}

#endif
