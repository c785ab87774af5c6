/*
 * What takes frames apart: they give the same however they are cut, and what is wrong in them is told as the RFC says; a
 * plain decoder says the same of random ones.
 */
#include "suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../web/ws_priv.h"

/* ---- what came out, as text */

struct seen {
        char text[8192];
        size_t len;
};

static void __attribute__((format(printf, 2, 3)))
note(struct seen *seen, const char *format, ...)
{
        size_t room = sizeof seen->text - seen->len;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(seen->text + seen->len, room, format, ap);
        va_end(ap);
        seen->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

/* Short ones as they are, long ones by a sum. */
static void
note_bytes(struct seen *seen, const char *name, const void *data, size_t len)
{
        const uint8_t *bytes = data;
        uint32_t sum = 2166136261u;

        if (len <= 16) {
                note(seen, "%s '%.*s'|", name, (int)len, (const char *)data);
                return;
        }
        for (size_t i = 0; i < len; i++)
                sum = (sum ^ bytes[i]) * 16777619u;
        note(seen, "%s %zu %08x|", name, len, sum);
}

static const char *
type_name(unsigned opcode)
{
        static const char *const names[16] = {[1] = "text", [2] = "binary", [8] = "close", [9] = "ping", [10] = "pong"};

        return names[opcode] == NULL ? "?" : names[opcode];
}

/* ---- the library's */

struct setup {
        struct green__ws_limits limits;
        bool client;
        bool deflate, takeover;
};

/* How bytes are cut: 0: not at all; else so many at most, and random ones if it is negative. */
static size_t
next_piece(int cut, uint32_t *random, size_t left)
{
        size_t n = left;

        if (cut > 0)
                n = (size_t)cut;
        *random = *random * 1664525u + 1013904223u;
        if (cut < 0)
                n = 1 + (*random >> 8) % (unsigned)-cut;
        return n < left ? n : left;
}

/* False: it is at its end. */
static bool
take_event(struct green__ws_input *in, enum green__ws_event event, struct seen *seen)
{
        const char *reason;
        int code;

        switch (event) {
        case GREEN__WS_MORE:
                return true;
        case GREEN__WS_MESSAGE:
                CHECK_INT(in->message->data[in->message->len], 0);
                note_bytes(seen, type_name(in->message->type), in->message->data, in->message->len);
                green__ws_message_free(in->message);
                in->message = NULL;
                return true;
        case GREEN__WS_CONTROL:
                CHECK_INT(in->control->data[in->control->len], 0);
                if (in->control->type != GREEN__WS_CLOSE)
                        note_bytes(seen, type_name(in->control->type), in->control->data, in->control->len);
                else if (green__ws_input_close(in, in->control, &code, &reason))
                        note(seen, "close %d '%s'|", code, reason);
                else
                        note(seen, "close fails %d|", in->fail_code);
                green__ws_message_free(in->control);
                in->control = NULL;
                return true;
        default:
                note(seen, "fails %d|", in->fail_code);
                return false;
        }
}

static bool
feed(struct green__ws_input *in, const uint8_t *data, size_t len, struct seen *seen)
{
        uint8_t *copy = malloc(len), *at = copy;
        bool more = true;

        if (copy == NULL)
                abort();
        memcpy(copy, data, len);
        while (more && len > 0) {
                size_t used = 0;
                enum green__ws_event event = green__ws_input(in, at, len, &used);

                if (!CHECK(used <= len && (used > 0 || event != GREEN__WS_MORE)))
                        break;
                more = take_event(in, event, seen);
                at += used;
                len -= used;
        }
        free(copy);
        return more;
}

/* Straight: long payloads are received where they are to stand. */
static void
run(const struct setup *setup, const uint8_t *data, size_t len, int cut, bool straight, struct seen *seen)
{
        struct green__ws_inflater z = {.bits = 15, .takeover = setup->takeover};
        struct green__ws_input in;
        uint32_t random = (uint32_t)len;
        bool more = true;

        memset(seen, 0, sizeof *seen);
        green__ws_input_init(&in, &setup->limits, setup->client);
        if (setup->deflate)
                in.inflater = &z;
        while (more && len > 0) {
                size_t n = next_piece(cut, &random, len), room;
                uint8_t *place = straight ? green__ws_input_room(&in, &room) : NULL;

                if (place != NULL) {
                        n = n < room ? n : room;
                        memcpy(place, data, n);
                        more = take_event(&in, green__ws_input_received(&in, n), seen);
                } else {
                        more = feed(&in, data, n, seen);
                }
                data += n;
                len -= n;
        }
        green__ws_input_end(&in);
        green__ws_inflater_end(&z);
}

/* In all ways: the same. */
static void
run_all_ways(const struct setup *setup, const uint8_t *data, size_t len, struct seen *seen)
{
        static const int cuts[] = {1, 2, 3, 7, -5, -100, -5000};
        static struct seen other;

        run(setup, data, len, 0, false, seen);
        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
                for (int straight = 0; straight < 2; straight++) {
                        run(setup, data, len, cuts[i], straight != 0, &other);
                        if (strcmp(other.text, seen->text) != 0)
                                FAIL("cut into %d: %.300s, not %.300s", cuts[i], other.text, seen->text);
                }
}

/* ---- what is said of frames */

struct row {
        const char *data;
        size_t len;
        const char *want;
};
#define ROW(data, want)                                                                                                \
        {                                                                                                              \
                data, sizeof(data) - 1, want                                                                           \
        }
#define NOMASK "\0\0\0\0"

static void
check_rows(const struct row *rows, size_t n, const struct setup *setup)
{
        static struct seen seen;

        for (size_t i = 0; i < n; i++) {
                run_all_ways(setup, (const uint8_t *)rows[i].data, rows[i].len, &seen);
                if (strcmp(seen.text, rows[i].want) != 0)
                        FAIL("row %zu: %s, not %s", i, seen.text, rows[i].want);
        }
}
#define CHECK_ROWS(rows, setup) check_rows(rows, sizeof(rows) / sizeof(rows)[0], setup)

static const struct setup usual = {.limits = {1000, 2000}};

static void
frames_make_messages(void)
{
        static const struct row rows[] = {
                ROW("", ""),
                ROW("\x81", ""),
                ROW("\x81\x83" NOMASK "ab", ""),
                ROW("\x81\x83" NOMASK "abc", "text 'abc'|"),
                ROW("\x81\x83\x01\x02\x03\x04\x60\x60\x60", "text 'abc'|"),
                ROW("\x82\x80" NOMASK, "binary ''|"),
                ROW("\x81\x80\xff\xff\xff\xff", "text ''|"),
                ROW("\x01\x81" NOMASK "a\x00\x81" NOMASK "b\x80\x81" NOMASK "c", "text 'abc'|"),
                ROW("\x02\x80" NOMASK "\x80\x80" NOMASK, "binary ''|"),
                ROW("\x01\x81" NOMASK "a\x89\x81" NOMASK "p\x8a\x80" NOMASK "\x80\x81" NOMASK "c", "ping 'p'|pong ''|text 'ac'|"),
                ROW("\x88\x80" NOMASK, "close 1005 ''|"),
                ROW("\x88\x85" NOMASK "\x03\xe8" "bye", "close 1000 'bye'|"),
                ROW("\x82\xfe\x00\x7e" NOMASK "0123456789012345678901234567890123456789012345678901234567890123456789"
                    "01234567890123456789012345678901234567890123456789012345",
                    "binary 126 393ee24e|"),
        };

        GREEN_COVERS("WS-12", "WS-16");
        CHECK_ROWS(rows, &usual);
}

static void
what_breaks_the_rules_is_told_at_once(void)
{
        static const struct row rows[] = {
                /* Not masked; the payload need not have come. */
                ROW("\x81\x03", "fails 1002|"),
                ROW("\x88\x00", "fails 1002|"),
                /* Reserved bits. */
                ROW("\xc1\x80", "fails 1002|"),
                ROW("\xa1\x80", "fails 1002|"),
                ROW("\x91\x80", "fails 1002|"),
                ROW("\xc9\x80", "fails 1002|"),
                /* Unknown opcodes. */
                ROW("\x83\x80", "fails 1002|"),
                ROW("\x87\x80", "fails 1002|"),
                ROW("\x8b\x80", "fails 1002|"),
                ROW("\x8f\x80", "fails 1002|"),
                /* Control frames: fragmented, too long. */
                ROW("\x09\x80", "fails 1002|"),
                ROW("\x08\x80", "fails 1002|"),
                ROW("\x89\xfe", "fails 1002|"),
                ROW("\x89\xff", "fails 1002|"),
                /* Continuations. */
                ROW("\x80\x80", "fails 1002|"),
                ROW("\x00\x80", "fails 1002|"),
                ROW("\x01\x80" NOMASK "\x81\x80", "fails 1002|"),
                ROW("\x01\x80" NOMASK "\x02\x80", "fails 1002|"),
                ROW("\x81\x80" NOMASK "\x80\x80", "text ''|fails 1002|"),
                ROW("\x01\x80" NOMASK "\x40\x80", "fails 1002|"),
                /* Lengths. */
                ROW("\x82\xfe\x00\x7d" NOMASK, "fails 1002|"),
                ROW("\x82\xfe\x00\x00" NOMASK, "fails 1002|"),
                ROW("\x82\xff\0\0\0\0\0\0\0\x05" NOMASK, "fails 1002|"),
                ROW("\x82\xff\0\0\0\0\0\0\xff\xff" NOMASK, "fails 1002|"),
                ROW("\x82\xff\x80\0\0\0\0\0\0\0" NOMASK, "fails 1002|"),
                ROW("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff" NOMASK, "fails 1002|"),
                ROW("\x82\xff\0\0\0\0\0\x01\0\0" NOMASK, "fails 1009|"),
                ROW("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" NOMASK, "fails 1009|"),
                ROW("\x82\xff\0\0\0\x01\0\0\0\0" NOMASK, "fails 1009|"),
                ROW("\x82\xfe\x03\xe9" NOMASK, "fails 1009|"),
                ROW("\x82\xfe\x03\xe8" NOMASK, ""),
                /* Text. */
                ROW("\x81\xbe" NOMASK "ab\xff", "fails 1007|"),
                ROW("\x01\x82" NOMASK "a\xc3\x80\x81" NOMASK "\xa4", "text 'a\xc3\xa4'|"),
                ROW("\x01\x82" NOMASK "a\xc3\x80\xbe" NOMASK "a", "fails 1007|"),
                ROW("\x01\x82" NOMASK "a\xc3\x80\x80" NOMASK, "fails 1007|"),
                ROW("\x81\x81" NOMASK "\xc3", "fails 1007|"),
                ROW("\x82\x81" NOMASK "\xc3", "binary '\xc3'|"),
                /* Closes. */
                ROW("\x88\x81" NOMASK "\x03", "close fails 1002|"),
                ROW("\x88\x82" NOMASK "\x03\xe7", "close fails 1002|"),
                ROW("\x88\x83" NOMASK "\x03\xe8\xff", "close fails 1002|"),
                ROW("\x88\x83" NOMASK "\x03\xe8\xc3", "close fails 1002|"),
        };

        GREEN_COVERS("WS-18", "WS-19", "WS-20", "WS-21", "WS-23", "WS-24");
        CHECK_ROWS(rows, &usual);
}

static void
a_client_takes_no_masks(void)
{
        static const struct setup client = {.limits = {1000, 2000}, .client = true};
        static const struct row rows[] = {
                ROW("\x81\x03" "abc", "text 'abc'|"),
                ROW("\x81\x00\x89\x01p", "text ''|ping 'p'|"),
                ROW("\x81\x83", "fails 1002|"),
                ROW("\x89\x80", "fails 1002|"),
                ROW("\x88\x02\x03\xf3", "close 1011 ''|"),
        };

        GREEN_COVERS("WS-33");
        CHECK_ROWS(rows, &client);
}

static void
codes_of_a_close_are_those_of_the_rfc(void)
{
        GREEN_COVERS("WS-24", "WS-25");
        for (int code = 0; code < 70000; code++) {
                bool want = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                            (code >= 3000 && code <= 4999);

                if (green__ws_code_ok(code) != want)
                        FAIL("code %d", code);
        }
        CHECK(!green__ws_code_ok(-1));
}

static size_t
put_frame(uint8_t *at, unsigned first, size_t len, const uint32_t *mask)
{
        size_t head = green__ws_head(at, first, len, mask);

        for (size_t i = 0; i < len; i++)
                at[head + i] = (uint8_t)('a' + i % 26);
        if (mask != NULL)
                (void)green__ws_mask(at + head, at + head, len, *mask);
        return head + len;
}

static void
messages_may_be_as_long_as_the_limits(void)
{
        static const size_t limits[] = {1, 125, 126, 127, 1000, 4096, 65535, 65536, 65537, 200000};
        static uint8_t data[450000];
        static struct seen seen;
        const uint32_t mask = 0x81f0ff07;

        GREEN_COVERS("WS-21", "WS-22");
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
                size_t n = limits[i], len;
                struct setup s = {.limits = {(uint32_t)n, 2 * n}};

                len = put_frame(data, 0x82, n, &mask);
                run_all_ways(&s, data, len, &seen);
                CHECK(strncmp(seen.text, "binary ", 7) == 0);
                len = put_frame(data, 0x82, n + 1, &mask);
                run_all_ways(&s, data, len, &seen);
                CHECK_STR(seen.text, "fails 1009|");
                /* Two frames are a message of the limit, and an empty one is nothing more; one byte is too much. */
                len = put_frame(data, 0x01, n, &mask);
                len += put_frame(data + len, 0x00, n, &mask);
                len += put_frame(data + len, 0x80, 0, &mask);
                run_all_ways(&s, data, len, &seen);
                CHECK(strncmp(seen.text, "text ", 5) == 0);
                len += put_frame(data + len - 6, 0x80, 1, &mask) - 6;
                run_all_ways(&s, data, len, &seen);
                CHECK_STR(seen.text, "fails 1009|");
        }
}

/* ---- random frames, and a plain decoder */

struct plain {
        const uint8_t *at, *end;
        const struct setup *setup;
        uint8_t message[4096];
        size_t len;
        unsigned type;
        struct seen *seen;
};

/* The head: false if it is not all there. Numbers as wide as they come. */
static bool
plain_head(struct plain *p, uint64_t *ret_len, const uint8_t **ret_mask)
{
        size_t have = (size_t)(p->end - p->at), need = 2, extra;

        if (have < 2)
                return false;
        extra = (p->at[1] & 0x7f) == 126 ? 2 : (p->at[1] & 0x7f) == 127 ? 8 : 0;
        need += extra + (p->setup->client ? 0 : 4);
        if (have < need)
                return false;
        *ret_len = extra == 0 ? p->at[1] & 0x7f : 0;
        for (size_t i = 0; i < extra; i++)
                *ret_len = *ret_len << 8 | p->at[2 + i];
        *ret_mask = p->setup->client ? NULL : p->at + 2 + extra;
        p->at += need;
        return true;
}

/* What is wrong with the first two bytes. */
static bool
plain_is_bad(const struct plain *p, unsigned first, unsigned second)
{
        unsigned opcode = first & 15;

        if ((first & 0x70) != 0 || ((second & 0x80) == 0) != p->setup->client)
                return true;
        if (opcode >= 8)
                return opcode > 10 || (first & 0x80) == 0 || (second & 0x7f) > 125;
        return opcode > 2 || (opcode == 0) == (p->type == 0);
}

static bool
plain_fail(struct plain *p, int code)
{
        note(p->seen, "fails %d|", code);
        return false;
}

/* A frame: false at the end of all. */
static bool
plain_frame(struct plain *p)
{
        unsigned first, second;
        const uint8_t *mask;
        uint8_t payload[2048];
        uint64_t len;
        size_t have;

        if (p->end - p->at < 2)
                return false;
        first = p->at[0];
        second = p->at[1];
        if (plain_is_bad(p, first, second))
                return plain_fail(p, 1002);
        if (!plain_head(p, &len, &mask))
                return false;
        if (((second & 0x7f) == 126 && len < 126) || ((second & 0x7f) == 127 && len < 65536) || len >= 1ull << 63)
                return plain_fail(p, 1002);
        if (len > p->setup->limits.frame || ((first & 15) < 8 && p->len + len > p->setup->limits.message))
                return plain_fail(p, 1009);
        have = (size_t)(p->end - p->at) < len ? (size_t)(p->end - p->at) : (size_t)len;
        for (size_t i = 0; i < have; i++)
                payload[i] = mask == NULL ? p->at[i] : p->at[i] ^ mask[i % 4];
        p->at += have;
        if ((first & 15) >= 8) {
                if (have == len)
                        note_bytes(p->seen, type_name(first & 15), payload, have);
                return have == len;
        }
        if ((first & 15) != 0)
                p->type = first & 15;
        memcpy(p->message + p->len, payload, have);
        p->len += have;
        if (p->type == GREEN__WS_TEXT && !green__utf8_more(&(struct green__utf8){0, 0, 0}, p->message, p->len))
                return plain_fail(p, 1007);
        if (have < len || (first & 0x80) == 0)
                return have == len;
        if (p->type == GREEN__WS_TEXT && !green__utf8_is(p->message, p->len))
                return plain_fail(p, 1007);
        note_bytes(p->seen, type_name(p->type), p->message, p->len);
        p->len = 0;
        p->type = 0;
        return true;
}

static uint32_t
draw(uint32_t *random, uint32_t below)
{
        *random ^= *random << 13;
        *random ^= *random >> 17;
        *random ^= *random << 5;
        return *random % below;
}

/* Mostly good ones: a message in fragments, and what may come between. No closes. */
static size_t
random_frame(uint8_t *at, uint32_t *random, bool *open, bool client)
{
        static const char texts[][8] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xc3", "b"};
        bool control = draw(random, 5) == 0, final = control || draw(random, 3) != 0;
        unsigned opcode = control ? 9 + draw(random, 2) : *open ? 0 : 1 + draw(random, 2);
        size_t len = draw(random, 3) == 0 ? draw(random, control ? 126 : 400) : draw(random, 4), head;
        uint32_t mask = draw(random, UINT32_MAX);
        unsigned first = (final ? 0x80u : 0) | opcode;

        if (draw(random, 40) == 0)
                first ^= 1u << draw(random, 8);
        head = green__ws_head(at, first, len, client ? NULL : &mask);
        for (size_t i = 0; i < len;) {
                const char *text = texts[draw(random, 60) == 0 ? 4 : draw(random, 4)];

                if (i + strlen(text) > len)
                        text = "b";
                memcpy(at + head + i, text, strlen(text));
                i += strlen(text);
        }
        if (!client)
                (void)green__ws_mask(at + head, at + head, len, mask);
        if (draw(random, 60) == 0)
                at[draw(random, (uint32_t)head)] ^= (uint8_t)(1u << draw(random, 8));
        if (!control)
                *open = !final;
        return head + len;
}

static void
random_frames_are_what_a_plain_decoder_says(void)
{
        static uint8_t data[16384];
        static struct seen seen, want;
        static struct plain plain;
        uint32_t random = 20;

        for (int i = 0; i < 20000 && suite_failures() < 5; i++) {
                struct setup s = {.limits = {300 + draw(&random, 200), 400 + draw(&random, 1000)}, .client = i % 2 == 0};
                size_t len = 0;
                bool open = false;

                for (uint32_t k = draw(&random, 12); k > 0; k--)
                        len += random_frame(data + len, &random, &open, s.client);
                if (draw(&random, 4) == 0 && len > 0)
                        len = draw(&random, (uint32_t)len);
                memset(&want, 0, sizeof want);
                plain = (struct plain){.at = data, .end = data + len, .setup = &s, .seen = &want};
                while (plain_frame(&plain))
                        ;
                if (i % 16 == 0)
                        run_all_ways(&s, data, len, &seen);
                else
                        run(&s, data, len, i % 3 - 1, i % 5 == 0, &seen);
                if (strstr(want.text, "close") == NULL && strcmp(seen.text, want.text) != 0)
                        FAIL("stream %d: %.300s, not %.300s", i, seen.text, want.text);
        }
}

/* ---- compressed */

static void
compressed_messages_are_the_same_however_they_are_cut(void)
{
        static uint8_t data[40000], text[5000];
        static struct seen seen;
        uint32_t random = 7;

        if (!green__ws_can_deflate()) {
                suite_skip("there is no zlib");
                return;
        }
        GREEN_COVERS("WS-38", "WS-39");
        CHECK_INT(green__ws_local_enter(), 0);
        for (int i = 0; i < 400; i++) {
                struct setup s = {.limits = {20000, 20000}, .deflate = true, .takeover = i % 2 == 0};
                struct green__ws_deflater z = {.bits = (uint8_t)(8 + i % 8), .level = 6, .takeover = s.takeover};
                static struct seen want;
                size_t at = 0;

                memset(&want, 0, sizeof want);
                for (int k = 0; k < 4; k++) {
                        size_t len = draw(&random, k == 3 ? 5000 : 50), half;
                        struct green__ws_buffer b;
                        uint32_t mask = draw(&random, UINT32_MAX);

                        for (size_t n = 0; n < len; n++)
                                text[n] = (uint8_t)('a' + draw(&random, n % 100 < 50 ? 3 : 26));
                        note_bytes(&want, "text", text, len);
                        if (!CHECK_INT(green__ws_deflate(&z, text, len, true, &b), 0))
                                break;
                        half = b.len / 2;
                        for (int part = 0; part < 2; part++) {
                                size_t n = part == 0 ? half : b.len - half;
                                size_t head = green__ws_head(data + at, part == 0 ? 0x41 : 0x80, n, &mask);

                                memcpy(data + at + head, b.room + GREEN__WS_HEAD_MAX + (part == 0 ? 0 : half), n);
                                (void)green__ws_mask(data + at + head, data + at + head, n, mask);
                                at += head + n;
                        }
                        green__ws_buffer_end(&b);
                }
                run_all_ways(&s, data, at, &seen);
                CHECK_STR(seen.text, want.text);
                green__ws_deflater_end(&z);
        }
        green__ws_local_leave();
}

#define LETTERS "\x4a\x4c\x1c\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x50\x07\x00\x00"

/* The examples of RFC 7692 7.2.3. */
static void
compressed_examples_of_the_rfc(void)
{
        static const struct setup takeover = {.limits = {100, 100}, .client = true, .deflate = true, .takeover = true};
        static const struct setup small = {.limits = {4, 100}, .client = true, .deflate = true};
        static const struct row rows[] = {
                ROW("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "text 'Hello'|"),
                ROW("\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", "text 'Hello'|"),
                ROW("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00", "text 'Hello'|text 'Hello'|"),
                ROW("\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "text 'Hello'|"),
                ROW("\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "text 'Hello'|"),
                ROW("\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "text 'Hello'|"),
                ROW("\xc1\x01\x00", "text ''|"),
                ROW("\x81\x02Hi\xc2\x01\x00", "text 'Hi'|binary ''|"),
                ROW("\xc9\x00", "fails 1002|"),
                ROW("\x41\x00\xc0\x00", "fails 1002|"),
                ROW("\xc1\x01\xff", "fails 1007|"),
        };
        static const struct row too_long[] = {ROW("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "fails 1009|")};
        /* 2,000 letters, in one frame and in two. */
        static const struct setup frame = {.limits = {1999, 5000}, .client = true, .deflate = true};
        static const struct setup message = {.limits = {5000, 1999}, .client = true, .deflate = true};
        static const struct setup fits = {.limits = {2000, 2000}, .client = true, .deflate = true};
        static const struct row larger[] = {ROW("\xc1\x12" LETTERS, "fails 1009|")};
        static const struct row fitting[] = {ROW("\xc1\x12" LETTERS "\xc1\x12" LETTERS, "text 2000 28534c55|text 2000 28534c55|"),
                                             ROW("\x41\x12" LETTERS "\x80\x00", "text 2000 28534c55|")};

        if (!green__ws_can_deflate()) {
                suite_skip("there is no zlib");
                return;
        }
        GREEN_COVERS("WS-19", "WS-38", "WS-39", "WS-40");
        CHECK_ROWS(rows, &takeover);
        CHECK_ROWS(too_long, &small);
        CHECK_ROWS(larger, &frame);
        CHECK_ROWS(larger, &message);
        CHECK_ROWS(fitting, &fits);
}

GREEN_SUITE(web_ws_input) {
        GREEN_TEST(frames_make_messages),
        GREEN_TEST(what_breaks_the_rules_is_told_at_once),
        GREEN_TEST(a_client_takes_no_masks),
        GREEN_TEST(codes_of_a_close_are_those_of_the_rfc),
        GREEN_TEST(messages_may_be_as_long_as_the_limits, .limit = 120),
        GREEN_TEST(random_frames_are_what_a_plain_decoder_says, .limit = 120),
        GREEN_TEST(compressed_messages_are_the_same_however_they_are_cut, .limit = 120),
        GREEN_TEST(compressed_examples_of_the_rfc),
        GREEN_SUITE_END
};
