/*
 * The small parts of WebSockets: digests, base64, masks, UTF-8. What is agreed on is in web_ws_negotiate.c, frames are in
 * web_ws_input.c.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "../web/digest_priv.h"
#include "../web/utf8_priv.h"
#include "../web/ws_priv.h"

/* Text in memory of its own: what reads past its end is seen. */
static char *
copy_of(const void *data, size_t len)
{
        char *copy = malloc(len > 0 ? len : 1);

        if (copy == NULL)
                abort();
        if (len > 0)
                memcpy(copy, data, len);
        return copy;
}

/* ---- digests */

static const char *
hex(const uint8_t *bytes, size_t len)
{
        static char text[64];

        for (size_t i = 0; i < len; i++)
                snprintf(text + 2 * i, 3, "%02x", bytes[i]);
        return text;
}

static void
digests_are_those_of_the_rfcs(void)
{
        static const struct {
                const char *text, *sha1, *md5;
        } rows[] = {
                {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "d41d8cd98f00b204e9800998ecf8427e"},
                {"a", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "0cc175b9c0f1b6a831c399e269772661"},
                {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d", "900150983cd24fb0d6963f7d28e17f72"},
                {"message digest", "c12252ceda8be8994d5fa0290a47231c1d16aae3", "f96b697d7cb7938d525a2f31aaf161d0"},
                {"abcdefghijklmnopqrstuvwxyz", "32d10c7b8cf96570ca04ce37f2a19d84240d3a89",
                 "c3fcd3d76192e4007dfb496cca67e13b"},
                {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                 "761c457bf73b14d27e9e9265c46f4b4dda11f940", "d174ab98d277d9f5a5611c2c9f419d9f"},
                {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                 "50abf5706a150990a08b2c5ea40fa0e585554732", "57edf4a22be3c955ac49da2e2107b67a"},
                {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                 "84983e441c3bd26ebaae4aa1f95129e5e54670f1", "8215ef0796a20bcaaae116d3876c664a"},
        };
        uint8_t digest[GREEN__SHA1_SIZE];

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                green__sha1(rows[i].text, strlen(rows[i].text), digest);
                CHECK_STR(hex(digest, GREEN__SHA1_SIZE), rows[i].sha1);
                green__md5(rows[i].text, strlen(rows[i].text), digest);
                CHECK_STR(hex(digest, GREEN__MD5_SIZE), rows[i].md5);
        }
}

/* The texts are bytes 1, 8, 15, 22 ... */
static void
digests_are_right_around_the_ends_of_blocks(void)
{
        static const struct {
                size_t len;
                const char *sha1, *md5;
        } rows[] = {
                {1, "bf8b4530d8d246dd74ac53a13471bba17941dff7", "55a54008ad1ba589aa210d2629c1df41"},
                {54, "bf6a9972649b933708e24592f9cc56c76e01ee27", "15ac42d154d14a3033673d81e2970100"},
                {55, "04bb34aef4880b625e6b1564a014abd25fc02bfe", "8c3eb046bcdb1f0ffe75fdbaf890cf13"},
                {56, "83b9fcb6d3e3b20f376ab989a1b6353bcc6c0f44", "d5e0fa3122448ddd3d843a9c5ed9e839"},
                {57, "2a1102af8a806e1fe19c618ee2b4721b38d5c797", "839d97df06aa4f2d02f931151a66111d"},
                {63, "ab15090e8dbe512f3733350f9623ab11f9b5165b", "1dd0d6ddeb881b118518c2881555f34b"},
                {64, "54305ee7e4c7bc5a96afc6d1994fc52d9bcb665f", "7b412e00d38c31b0845a4f502d39d5e3"},
                {65, "5985422a25357371ebd2a7f6ecd7eebed43db42c", "ba03b626aceb7b09c86c2d544afe1dce"},
                {118, "d13fa5b1d39a5b4faefd687a37e5c866a9ea3349", "4b2aea53389c172f53c27061d8f140ff"},
                {119, "6839d6c27f22ed884ac43ae6bd3bfcee9e04b938", "dac58560b386c3d5b29ebbdec5197e10"},
        };
        uint8_t text[GREEN__DIGEST_MAX], digest[GREEN__SHA1_SIZE];

        for (size_t i = 0; i < sizeof text; i++)
                text[i] = (uint8_t)(7 * i + 1);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                char *copy = copy_of(text, rows[i].len);

                green__sha1(copy, rows[i].len, digest);
                CHECK_STR(hex(digest, GREEN__SHA1_SIZE), rows[i].sha1);
                green__md5(copy, rows[i].len, digest);
                CHECK_STR(hex(digest, GREEN__MD5_SIZE), rows[i].md5);
                free(copy);
        }
}

/* Each text is made of the digest of the one before, one byte shorter: the last digest tells of all. */
static void
digests_are_right_for_every_length(void)
{
        uint8_t text[GREEN__DIGEST_MAX] = {0}, sha1[GREEN__SHA1_SIZE] = {0}, md5[GREEN__MD5_SIZE] = {0};

        for (size_t len = 0; len <= GREEN__DIGEST_MAX; len++) {
                for (size_t i = 0; i < len; i++)
                        text[i] = (uint8_t)(i ^ sha1[i % sizeof sha1]);
                green__sha1(text, len, sha1);
                for (size_t i = 0; i < len; i++)
                        text[i] = (uint8_t)(i ^ md5[i % sizeof md5]);
                green__md5(text, len, md5);
        }
        CHECK_STR(hex(sha1, sizeof sha1), "774d29a07bea5c91df80b8c2dc87b30c79fd6987");
        CHECK_STR(hex(md5, sizeof md5), "e2f4155a7caf26e4d42c4e0d03a0b07e");
}

static void
the_answer_to_a_key_is_that_of_the_rfc(void)
{
        char accept[GREEN__WS_ACCEPT_SIZE];

        GREEN_COVERS("WS-06");
        green__ws_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
        CHECK_STR(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/* ---- base64 */

static void
base64_is_that_of_the_rfc(void)
{
        static const char *const rows[][2] = {{"", ""},          {"f", "Zg=="},        {"fo", "Zm8="},
                                              {"foo", "Zm9v"},   {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
                                              {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "+/+/"}};

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                size_t bytes = strlen(rows[i][0]), len = GREEN__BASE64_LEN(bytes);
                char *in = copy_of(rows[i][0], bytes), *out = copy_of(rows[i][1], len);

                memset(out, 'x', len);
                green__base64_encode(in, bytes, out);
                CHECK(len == strlen(rows[i][1]) && memcmp(out, rows[i][1], len) == 0);
                if (bytes > 0)
                        CHECK(green__base64_is(rows[i][1], bytes) && !green__base64_is(rows[i][1], bytes + 1));
                free(in);
                free(out);
        }
}

static void
a_key_is_written_in_one_way(void)
{
        static const char *const bad[] = {"",
                                          "AAAAAAAAAAAAAAAAAAAAAA=",
                                          "AAAAAAAAAAAAAAAAAAAAAA",
                                          "AAAAAAAAAAAAAAAAAAAAAA===",
                                          "AAAAAAAAAAAAAAAAAAAAAAA=",
                                          "AAAAAAAAAAAAAAAAAAAAAB==",
                                          "AAAAAAAAAAAAAAAAAAAAA===",
                                          "AAAAAAAAAAAAAAAAAAAA-A==",
                                          "AAAAAAAAAAA AAAAAAAAAA==",
                                          "=AAAAAAAAAAAAAAAAAAAAA==",
                                          "AAAAAAAAAAAAAAAAAAAAAA=A",
                                          "AAAAAAAAAAAAAAAAAAAAAAAA",
                                          "AAAAAAAAAAAAAAAAAAAAA\xc3=="};
        char text[25];
        int good = 0;

        CHECK(green__base64_is("AAAAAAAAAAAAAAAAAAAAAA==", 16));
        CHECK(green__base64_is("+/9zAZaz09+/9zAZaz09+w==", 16));
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                if (green__base64_is(bad[i], 16))
                        FAIL("%s", bad[i]);
        /* Of 16 bytes the last letter has two bits. */
        snprintf(text, sizeof text, "%s", "AAAAAAAAAAAAAAAAAAAAAA==");
        for (int c = 1; c < 256; c++) {
                text[21] = (char)c;
                good += green__base64_is(text, 16);
        }
        CHECK_INT(good, 4);
}

/* ---- masks */

static void
mask_plainly(uint8_t *data, size_t len, const uint8_t mask[4], size_t at)
{
        for (size_t i = 0; i < len; i++)
                data[i] ^= mask[(at + i) % 4];
}

enum { MASK_MAX = 200, ALIGNED = 32 };

/* From one alignment to another, or in place; what lies around it stays. */
static void
check_mask(size_t len, size_t from, size_t to, bool in_place)
{
        static uint8_t source[ALIGNED + MASK_MAX + ALIGNED], target[sizeof source], want[sizeof source];
        const uint8_t bytes[4] = {0x12, 0xfe, 0x80, 0x01};
        uint32_t mask, turned;

        for (size_t i = 0; i < sizeof source; i++) {
                source[i] = (uint8_t)(i * 31);
                target[i] = want[i] = (uint8_t)(i * 17);
        }
        if (in_place)
                memcpy(target + to, source + from, len);
        memcpy(want + to, source + from, len);
        mask_plainly(want + to, len, bytes, 0);
        memcpy(&mask, bytes, sizeof mask);
        turned = green__ws_mask(target + to, in_place ? target + to : source + from, len, mask);
        if (memcmp(target, want, sizeof want) != 0)
                FAIL("%zu bytes from %zu to %zu", len, from, to);
        for (size_t i = 0; i < 4; i++)
                if (((const uint8_t *)&turned)[i] != bytes[(len + i) % 4])
                        FAIL("the mask behind %zu bytes", len);
}

static void
masks_are_right_for_all_lengths_and_alignments(void)
{
        for (size_t len = 0; len <= MASK_MAX; len++)
                for (size_t at = 0; at < ALIGNED; at++) {
                        check_mask(len, at, 0, false);
                        check_mask(len, at, ALIGNED - 1 - at, false);
                        check_mask(len, 0, at, true);
                }
}

static void
masks_go_on_where_a_payload_was_cut(void)
{
        const uint8_t bytes[4] = {0xa5, 0x00, 0x7f, 0x33};

        for (size_t len = 0; len <= MASK_MAX; len++)
                for (size_t cut = 0; cut <= len; cut++) {
                        uint8_t data[MASK_MAX] = {0}, want[MASK_MAX] = {0};
                        uint32_t mask;

                        memcpy(&mask, bytes, sizeof mask);
                        mask_plainly(want, len, bytes, 0);
                        mask = green__ws_mask(data, data, cut, mask);
                        mask = green__ws_mask(data + cut, data + cut, (len - cut) / 2, mask);
                        (void)green__ws_mask(data + cut + (len - cut) / 2, data + cut + (len - cut) / 2,
                                             len - cut - (len - cut) / 2, mask);
                        if (memcmp(data, want, len) != 0)
                                FAIL("%zu bytes, cut at %zu", len, cut);
                }
}

/* ---- UTF-8: all characters there are, written out, say how a text may begin */

static uint8_t may_begin[3][1 << 21]; /* bits: one, two or three bytes that can be the begin of a longer character */
static uint8_t is_last[4][256];       /* of what may stand behind them, for a character of one byte */

static void
put_bit(uint8_t *bits, uint32_t at)
{
        bits[at / 8] |= (uint8_t)(1u << at % 8);
}

static bool
has_bit(const uint8_t *bits, uint32_t at)
{
        return (bits[at / 8] >> at % 8 & 1) != 0;
}

static size_t
encode(uint32_t c, uint8_t bytes[4])
{
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = n; i-- > 1; c >>= 6)
                bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
        bytes[0] = (uint8_t)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
        return n;
}

/* Is it the whole of a character, or may it begin one? */
enum { NO, BEGIN, WHOLE };

static int
judge(const uint8_t *bytes, size_t n)
{
        uint32_t key = 0;
        uint8_t back[4];
        uint32_t c;

        for (size_t i = 0; i < n; i++)
                key = key << 8 | bytes[i];
        if (n < 4 && has_bit(may_begin[n - 1], key & 0xffffff))
                return BEGIN;
        if (n == 1)
                return is_last[0][bytes[0]] ? WHOLE : NO;
        /* Its begin is one, and nothing shorter: it is whole if it is what its number would be written as. */
        if ((bytes[n - 1] & 0xc0) != 0x80)
                return NO;
        c = bytes[0] & (0xffu >> (n + 1));
        for (size_t i = 1; i < n; i++)
                c = c << 6 | (bytes[i] & 0x3f);
        return c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff) && encode(c, back) == n && memcmp(back, bytes, n) == 0 ? WHOLE : NO;
}

static void
write_all_characters(void)
{
        for (uint32_t c = 0; c <= 0x10ffff; c++) {
                uint8_t bytes[4];
                size_t n = encode(c, bytes);
                uint32_t key = 0;

                if (c >= 0xd800 && c <= 0xdfff)
                        continue;
                if (n == 1)
                        is_last[0][bytes[0]] = 1;
                for (size_t i = 0; i + 1 < n; i++) {
                        key = key << 8 | bytes[i];
                        put_bit(may_begin[i], key);
                }
        }
}

static unsigned long sequences;

/* What may follow the bytes that are there: each of 256. */
static void
try_all(const struct green__utf8 *before, uint8_t *bytes, size_t n)
{
        for (unsigned c = 0; c < 256 && suite_failures() < 5; c++) {
                struct green__utf8 u = *before, whole = {0, 0, 0};
                uint8_t byte = (uint8_t)c;
                int want;
                bool went;

                bytes[n] = byte;
                want = judge(bytes, n + 1);
                went = green__utf8_more(&u, &byte, 1);
                sequences++;
                if (went != (want != NO) || (went && green__utf8_whole(&u) != (want == WHOLE)))
                        FAIL("%zu bytes %02x %02x %02x %02x, want %d", n + 1, bytes[0], bytes[1], bytes[2], bytes[3], want);
                /* The same without a cut. */
                if (green__utf8_more(&whole, bytes, n + 1) != went || green__utf8_is(bytes, n + 1) != (want == WHOLE))
                        FAIL("in one piece: %02x %02x %02x %02x, want %d", bytes[0], bytes[1], bytes[2], bytes[3], want);
                if (want == BEGIN)
                        try_all(&u, bytes, n + 1);
                bytes[n] = 0;
        }
}

static void
utf8_is_what_the_rfc_says_and_nothing_else(void)
{
        const struct green__utf8 begin = {0, 0, 0};
        uint8_t bytes[4] = {0};

        GREEN_COVERS("WS-23");
        write_all_characters();
        try_all(&begin, bytes, 0);
        /* What begins a longer character: 51 bytes, 1,216 pairs, 16,384 threes. */
        CHECK_INT(sequences, 256 * (1 + 51 + 1216 + 16384));
}

/* Bad from so many bytes on, however it is cut; SIZE_MAX: good. */
static void
check_cuts(const char *text, size_t len, size_t bad)
{
        for (size_t cut = 0; cut <= len; cut++) {
                struct green__utf8 u = {0, 0, 0};
                char *first = copy_of(text, cut), *second = copy_of(text + cut, len - cut);
                bool went = green__utf8_more(&u, first, cut);

                if (went != (bad >= cut))
                        FAIL("bad at %zu of %zu, cut at %zu: told %s", bad, len, cut, went ? "late" : "early");
                if (went && green__utf8_more(&u, second, len - cut) != (bad >= len))
                        FAIL("bad at %zu of %zu, cut at %zu: not told, or falsely", bad, len, cut);
                free(first);
                free(second);
        }
}

static void
what_is_no_utf8_is_told_at_the_first_byte(void)
{
        static const struct {
                const char *text;
                size_t bad; /* where, in it */
        } rows[] = {{"", SIZE_MAX},          {"\xc3\xa4", SIZE_MAX}, {"\xe2\x82\xac", SIZE_MAX}, {"\xf0\x9f\x98\x80", SIZE_MAX},
                    {"\x80", 0},             {"\xc0\x80", 0},        {"\xc1\xbf", 0},            {"\xe0\x9f\xbf", 1},
                    {"\xed\xa0\x80", 1},     {"\xf0\x8f\xbf\xbf", 1}, {"\xf4\x90\x80\x80", 1},   {"\xf5\x80\x80\x80", 0},
                    {"\xff", 0},             {"\xe2\x82(", 2},       {"\xf0\x9f\x98(", 3},       {"\xc3(", 1}};
        char text[256];

        GREEN_COVERS("WS-23");
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                for (size_t before = 0; before <= 70; before++) {
                        size_t len = strlen(rows[i].text);

                        memset(text, 'a', sizeof text);
                        memcpy(text + before, rows[i].text, len);
                        check_cuts(text, before + len + 3, rows[i].bad == SIZE_MAX ? SIZE_MAX : before + rows[i].bad);
                        if (rows[i].bad == SIZE_MAX)
                                check_cuts(text, before + len, SIZE_MAX);
                }
}

GREEN_SUITE(web_ws_parts) {
        GREEN_TEST(digests_are_those_of_the_rfcs),
        GREEN_TEST(digests_are_right_around_the_ends_of_blocks),
        GREEN_TEST(digests_are_right_for_every_length),
        GREEN_TEST(the_answer_to_a_key_is_that_of_the_rfc),
        GREEN_TEST(base64_is_that_of_the_rfc),
        GREEN_TEST(a_key_is_written_in_one_way),
        GREEN_TEST(masks_are_right_for_all_lengths_and_alignments),
        GREEN_TEST(masks_go_on_where_a_payload_was_cut),
        GREEN_TEST(utf8_is_what_the_rfc_says_and_nothing_else, .limit = 120),
        GREEN_TEST(what_is_no_utf8_is_told_at_the_first_byte),
        GREEN_SUITE_END
};
