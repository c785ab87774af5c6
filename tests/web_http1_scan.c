/*
 * The scanning functions, those of this machine and the portable ones, against plain loops: every byte at every place
 * of every length up to five vectors, with nothing behind and little before what may be read.
 */
#include "suite.h"

#include <stdlib.h>

/* Behind the C library's headers: on Windows those of the tests bring all vector types, which begin with these. */
#include "http1_scan.h"

enum { LONGEST = 80 };

static const struct scanners machine_scanners = SCANNERS("machine");
static const struct scanners *const all[] = {&machine_scanners, &portable_scanners};

static bool
in_name(int c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

static bool
is_control(int c)
{
        return c < 0x20 || c == 0x7f;
}

static bool
in_path(int c)
{
        return in_name(c) || (c != 0 && c < 0x80 && strchr("._~!$&'()*+,;=:@/", c) != NULL);
}

/* In text of `before` + n bytes that are `fill`, byte c at place `at`: does scan stop there, and only there? */
static void
check_byte(const struct scanners *with, size_t before, size_t n, size_t at, int c)
{
        uint8_t *text = malloc(before + n);
        const uint8_t *s = text + before, *end = s + n, *stop;
        bool good = true;

        if (text == NULL)
                abort();
        memset(text, 1, before);
        memset(text + before, 'a', n);
        text[before + at] = (uint8_t)c;
        good &= with->scan_name(text, s, end) == (in_name(c) ? end : s + at);
        good &= with->scan_host(text, s, end) == (in_name(c) || c == '.' ? end : s + at);
        good &= with->scan_value(text, s, end) == (is_control(c) ? s + at : end);
        good &= with->is_name(text, s, end, end) == in_name(c);
        good &= at == 0 || with->is_name(text, s, s + at, end);
        stop = with->scan_target(text, s, end);
        good &= stop == s + at || (stop == end && in_path(c));
        if (!good)
                FAIL("%s: byte %d at %u of %u, %u before", with->name, c, (unsigned)at, (unsigned)n, (unsigned)before);
        free(text);
}

static void
scans_stop_at_the_right_byte(void)
{
        static const size_t befores[] = {0, 1, 15, 16, 70};

        for (int i = 0; i < 2; i++) {
                for (int c = 0; c < 256; c++) {
                        for (size_t n = 1; n <= 40; n += n < 18 ? 1 : 7) {
                                for (size_t b = 0; b < sizeof befores / sizeof befores[0]; b++)
                                        check_byte(all[i], befores[b], n, (size_t)(c * 7) % n, c);
                        }
                        check_byte(all[i], 0, LONGEST, (size_t)c % LONGEST, c);
                }
                for (size_t n = 1; n <= LONGEST; n++) {
                        for (size_t at = 0; at < n; at++)
                                check_byte(all[i], n % 20, n, at, (at & 1) != 0 ? ' ' : '\r');
                }
        }
}

static void
scans_of_nothing_end_at_once(void)
{
        uint8_t text[16] = {0};

        for (int i = 0; i < 2; i++) {
                CHECK_PTR(all[i]->scan_name(text, text + 8, text + 8), text + 8);
                CHECK_PTR(all[i]->scan_host(text, text, text), text);
                CHECK_PTR(all[i]->scan_value(text, text + 16, text + 16), text + 16);
                CHECK_PTR(all[i]->scan_target(text, text + 1, text + 1), text + 1);
                CHECK(all[i]->look_short(text, text + 3, text + 3).control == UINT64_MAX);
                CHECK(all[i]->look_short(text, text + 3, text + 3).colon == 0);
        }
}

/* Whether seen is what is in n bytes at s. */
static bool
seen_right(struct green__http1_seen seen, const uint8_t *s, size_t n)
{
        for (size_t i = 0; i < 64; i++) {
                bool control = i >= n || is_control(s[i]);
                bool colon = i < n && s[i] == ':';
                if ((seen.control >> i & 1) != control || (seen.colon >> i & 1) != colon)
                        return false;
        }
        return true;
}

static void
looking_finds_colons_and_control_characters(void)
{
        uint32_t state = 1;

        for (int round = 0; round < 4000; round++) {
                size_t before = (size_t)round % 90, n = (size_t)round / 3 % 64;
                uint8_t *text = malloc(before + n > 0 ? before + n : 1), whole[64];
                if (text == NULL)
                        abort();
                for (size_t i = 0; i < before + n + 64; i++) {
                        state = state * 1664525 + 1013904223;
                        uint8_t byte = (state >> 20 & 3) == 0 ? ':' : (uint8_t)(state >> 24);
                        if (i < before + n)
                                text[i] = byte;
                        else
                                whole[i - before - n] = byte;
                }
                for (int i = 0; i < 2; i++) {
                        CHECK(seen_right(all[i]->look(whole), whole, 64));
                        CHECK(seen_right(all[i]->look_short(text, text + before, text + before + n), text + before, n));
                }
                free(text);
        }
}

GREEN_SUITE(web_http1_scan){
        GREEN_TEST(scans_stop_at_the_right_byte),
        GREEN_TEST(scans_of_nothing_end_at_once),
        GREEN_TEST(looking_finds_colons_and_control_characters),
        GREEN_SUITE_END,
};
