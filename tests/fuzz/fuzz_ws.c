/*
 * Fuzzing of what takes WebSocket frames apart, with inflating; and of deflating, which inflating must undo.
 *
 * The first bytes of an input choose what is done: the first has bits (1: a client; 2: deflate; 4: with takeover; 8: what
 * follows are not frames but messages to be compressed), the second windows and level, the third and fourth limits. The
 * rest is what a peer sends. It is fed whole, byte by byte, and in other pieces, each in memory of its own that ends where
 * the piece ends; all must make the same of it, and what is taken must hold to rules that are checked here.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined and the library. With -DGREEN_FUZZ_MAIN it is a program, see
 * fuzz_main.h.
 */
#include "../../web/ws_priv.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 4096, HEAD = 4 };
enum { CLIENT = 1, DEFLATE = 2, TAKEOVER = 4, COMPRESS = 8 };

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_ws.c:%d: does not hold: %s\n", __LINE__, #expr);                         \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

/* What came out: kind, length and a sum each. */
struct seen {
        struct {
                int kind;
                size_t len;
                uint32_t sum;
        } events[MAX_INPUT];
        size_t count;
};

struct setup {
        struct green__ws_limits limits;
        unsigned options;
        uint8_t bits, level;
};

static void
note(struct seen *seen, int kind, const void *data, size_t len)
{
        uint32_t sum = 2166136261u;

        for (size_t i = 0; i < len; i++)
                sum = (sum ^ ((const uint8_t *)data)[i]) * 16777619u;
        MUST(seen->count < MAX_INPUT);
        seen->events[seen->count].kind = kind;
        seen->events[seen->count].len = len;
        seen->events[seen->count++].sum = sum;
}

static void
show(const char *name, const struct seen *seen)
{
        fprintf(stderr, "%s:", name);
        for (size_t i = 0; i < seen->count; i++)
                fprintf(stderr, " %d (%zu bytes)", seen->events[i].kind, seen->events[i].len);
        fprintf(stderr, "\n");
}

static bool
are_same(const struct seen *a, const struct seen *b)
{
        if (a->count != b->count)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (a->events[i].kind != b->events[i].kind || a->events[i].len != b->events[i].len ||
                    a->events[i].sum != b->events[i].sum)
                        return false;
        return true;
}

static void
same(const struct seen *a, const struct seen *b)
{
        if (!are_same(a, b)) {
                show("first", a);
                show("then", b);
        }
        MUST(are_same(a, b));
}

/* ---- frames */

static void
take_message(struct green__ws_input *in, struct seen *seen)
{
        struct green__ws_message *m = in->message;

        MUST(m != NULL && m->len <= in->limits->message && m->len <= m->room && m->data[m->len] == '\0');
        MUST(m->type == GREEN__WS_TEXT || m->type == GREEN__WS_BINARY);
        MUST(m->type == GREEN__WS_BINARY || green__utf8_is(m->data, m->len));
        note(seen, m->type, m->data, m->len);
        green__ws_message_free(m);
        in->message = NULL;
}

static void
take_control(struct green__ws_input *in, struct seen *seen)
{
        struct green__ws_message *m = in->control;
        const char *reason;
        int code;

        MUST(m != NULL && m->len <= GREEN__WS_CONTROL_MAX && m->data[m->len] == '\0');
        MUST(m->type >= GREEN__WS_CLOSE && m->type <= GREEN__WS_PONG);
        note(seen, m->type, m->data, m->len);
        if (m->type == GREEN__WS_CLOSE) {
                if (green__ws_input_close(in, m, &code, &reason))
                        MUST((code == 1005 || green__ws_code_ok(code)) && green__utf8_is(reason, strlen(reason)));
                else
                        MUST(in->fail_code == 1002);
        }
        green__ws_message_free(m);
        in->control = NULL;
}

/* False: it has failed. */
static bool
take_event(struct green__ws_input *in, enum green__ws_event event, struct seen *seen)
{
        if (event == GREEN__WS_MESSAGE) {
                take_message(in, seen);
        } else if (event == GREEN__WS_CONTROL) {
                take_control(in, seen);
        } else if (event == GREEN__WS_FAIL) {
                MUST(in->fail_code == 1002 || in->fail_code == 1007 || in->fail_code == 1009);
                MUST(in->fail_reason != NULL && strlen(in->fail_reason) <= GREEN__WS_CONTROL_MAX - 2);
                note(seen, in->fail_code, NULL, 0);
                return false;
        }
        return true;
}

static bool
feed(struct green__ws_input *in, const uint8_t *data, size_t len, struct seen *seen)
{
        uint8_t *copy = malloc(len), *at = copy;
        bool more = true;

        MUST(copy != NULL);
        memcpy(copy, data, len);
        while (more && len > 0) {
                enum green__ws_event event;
                size_t used = SIZE_MAX;

                event = green__ws_input(in, at, len, &used);
                MUST(used <= len && (used > 0 || event == GREEN__WS_FAIL) && (used == len || event != GREEN__WS_MORE));
                more = take_event(in, event, seen);
                at += used;
                len -= used;
        }
        free(copy);
        return more;
}

/* Piece 0: whole; else so many bytes at a time, long payloads straight where they are to stand if it is odd. */
static void
run(const struct setup *s, const uint8_t *data, size_t size, size_t piece, struct seen *seen)
{
        struct green__ws_inflater z = {.bits = s->bits, .takeover = (s->options & TAKEOVER) != 0};
        struct green__ws_input in;
        bool more = true;

        seen->count = 0;
        green__ws_input_init(&in, &s->limits, (s->options & CLIENT) != 0);
        if (s->options & DEFLATE && green__ws_can_deflate())
                in.inflater = &z;
        while (more && size > 0) {
                size_t n = piece == 0 || piece > size ? size : piece, room;
                uint8_t *place = piece % 2 == 0 ? NULL : green__ws_input_room(&in, &room);

                if (place != NULL) {
                        n = n < room ? n : room;
                        memcpy(place, data, n);
                        more = take_event(&in, green__ws_input_received(&in, n), seen);
                } else {
                        more = feed(&in, data, n, seen);
                }
                data += n;
                size -= n;
        }
        green__ws_input_end(&in);
        green__ws_inflater_end(&z);
}

static void
test_frames(const struct setup *s, const uint8_t *data, size_t size, size_t piece)
{
        static struct seen whole, other;

        run(s, data, size, 0, &whole);
        run(s, data, size, 1, &other);
        /* What refers back by more than a small window zlib takes or not, as it is cut. */
        if (s->options & DEFLATE && s->bits < 15)
                return;
        same(&whole, &other);
        run(s, data, size, 2, &other);
        same(&whole, &other);
        run(s, data, size, piece, &other);
        same(&whole, &other);
}

/* ---- compressing: the input is messages, each of which ends with a byte of 0 */

static size_t
put_message(struct green__ws_deflater *z, const uint8_t *data, size_t len, uint8_t *frames)
{
        struct green__ws_buffer b;
        size_t head;

        MUST(green__ws_deflate(z, data, len, true, &b) == 0);
        MUST(b.len > 0 && b.len <= len + len / 1000 + 64);
        head = green__ws_head(frames, GREEN__WS_FIN | GREEN__WS_RSV1 | GREEN__WS_BINARY, b.len, NULL);
        memcpy(frames + head, b.room + GREEN__WS_HEAD_MAX, b.len);
        head += b.len;
        green__ws_buffer_end(&b);
        return head;
}

static void
test_compressing(const struct setup *given, const uint8_t *data, size_t size)
{
        struct setup s = {.limits = {MAX_INPUT, MAX_INPUT}, .options = CLIENT | DEFLATE | (given->options & TAKEOVER)};
        struct green__ws_deflater z = {NULL, given->bits, given->level,
                                       (given->options & TAKEOVER) != 0};
        static uint8_t frames[MAX_INPUT * 80];
        static struct seen want, seen;
        size_t at = 0;

        s.bits = given->bits;
        want.count = 0;
        while (size > 0) {
                const uint8_t *end = memchr(data, 0, size);
                size_t len = end == NULL ? size : (size_t)(end - data);

                note(&want, GREEN__WS_BINARY, data, len);
                at += put_message(&z, data, len, frames + at);
                data += end == NULL ? len : len + 1;
                size -= end == NULL ? len : len + 1;
        }
        green__ws_deflater_end(&z);
        run(&s, frames, at, 0, &seen);
        same(&want, &seen);
        /* One byte at a time what refers back by more than the window is seen. */
        run(&s, frames, at, 2, &seen);
        same(&want, &seen);
        run(&s, frames, at, 1, &seen);
        same(&want, &seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint32_t sizes[16] = {0, 1, 2, 5, 124, 125, 126, 127, 200, 256, 1000, 1001, 4096, 65535, 65536, 1 << 20};
        struct setup s;

        if (size < HEAD || size > MAX_INPUT)
                return 0;
        /* Never ended: what an OS thread lends is used again. */
        if (green__ws_here == NULL)
                MUST(green__ws_local_enter() == 0);
        s.options = data[0];
        s.bits = (uint8_t)(8 + data[1] % 8);
        s.level = (uint8_t)(1 + data[1] / 8 % 9);
        s.limits.frame = sizes[data[2] & 15];
        s.limits.message = sizes[data[2] >> 4];
        if (s.options & COMPRESS && green__ws_can_deflate())
                test_compressing(&s, data + HEAD, size - HEAD);
        else
                test_frames(&s, data + HEAD, size - HEAD, data[3]);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

#define MASK "\0\0\0\0"

static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES("0\x07\xcc\x09\x81\x83" MASK "abc\x89\x81" MASK "p\x88\x85" MASK "\x03\xe8" "bye"),
        FUZZ_BYTES("0\x07\xaa\x05\x01\x81" MASK "\xc3\x8a\x80" MASK "\x00\x80" MASK "\x80\x81" MASK "\xa4"),
        FUZZ_BYTES("0\x07\xaa\x03\x82\xfe\x00\x80\x01\x02\x03\x04"
                   "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
                   "0123456789012345678901234567\x82\xff\0\0\0\0\0\x01\0\0"),
        FUZZ_BYTES("1\x07\xcc\x02\x81\x05Hello\x82\x7e\x00\x7e"),
        FUZZ_BYTES("3\x07\xcc\x02\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"),
        FUZZ_BYTES("7\x07\xcc\x02\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00"),
        FUZZ_BYTES("3\x00\xcc\x02\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
        FUZZ_BYTES("3\x00\xcc\x02\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x81\x02Hi"),
        FUZZ_BYTES("2\x07\x33\x02\xc1\x87" MASK "\xf2\x48\xcd\xc9\xc9\x07\x00"),
        FUZZ_BYTES("6\x07\xcc\x02\xc2\x8d" MASK "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
        /* 2,000 times the letter a. */
        FUZZ_BYTES("7\x02\xfa\x03\xc1\x12\x4a\x4c\x1c\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x50\x07\x00\x00"),
        FUZZ_BYTES("8\x00\0\0Hello Hello Hello\0\0Hello again and again and again"),
        FUZZ_BYTES("<\x28\0\0one message, another message, and one more message\0one message, another message\0"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("\x81\x80" MASK), FUZZ_BYTES("\x80\x80" MASK), FUZZ_BYTES("\x01\x81" MASK "a"),
        FUZZ_BYTES("\x89\x80" MASK), FUZZ_BYTES("\x88\x82" MASK "\x03\xe8"), FUZZ_BYTES("\x82\xfe\x00\x7e"),
        FUZZ_BYTES("\x82\xff\0\0\0\0\0\x01\0\0"), FUZZ_BYTES("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"),
        FUZZ_BYTES("\xc1\x05\xf2\x00\x11\x00\x00"), FUZZ_BYTES("\x00\x00\xff\xff"), FUZZ_BYTES("\xc3\xa4"),
        FUZZ_BYTES("\xf0\x9f\x98\x80"), FUZZ_BYTES("\xed\xa0\x80"), FUZZ_BYTES("\x7e"), FUZZ_BYTES("\x7f"),
        FUZZ_BYTES("\0"), FUZZ_BYTES("\xff"),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
