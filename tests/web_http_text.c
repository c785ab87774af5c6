/*
 * HTTP's texts without a connection: percent-encoding, parameters, cookies, lists, dates, phrases.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <green/http.h>

#include "suite.h"

/* ---- percent-encoding */

static void
what_is_encoded_is_decoded_and_the_rest_stays(void)
{
        static const struct {
                const char *text, *plain, *as_form;
        } rows[] = {
                {"", "", ""},
                {"abc", "abc", "abc"},
                {"a%20b+c", "a b+c", "a b c"},
                {"%C3%a9%2F", "\xc3\xa9/", "\xc3\xa9/"},
                {"%", "%", "%"},
                {"%4", "%4", "%4"},
                {"%41", "A", "A"},
                {"%zz%4g%g4", "%zz%4g%g4", "%zz%4g%g4"},
                {"%%41", "%A", "%A"},
                {"%2541", "%41", "%41"},
                {"%2b+", "++", "+ "},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                char buf[64];
                size_t len = strlen(rows[i].text);

                CHECK_INT(green_http_unquote(rows[i].text, len, 0, buf), strlen(rows[i].plain));
                CHECK_STR(buf, rows[i].plain);
                /* In place. */
                memcpy(buf, rows[i].text, len + 1);
                CHECK_INT(green_http_unquote(buf, len, GREEN_HTTP_PLUS, buf), strlen(rows[i].as_form));
                CHECK_STR(buf, rows[i].as_form);
        }
}

static void
a_nul_is_decoded_and_does_not_end_the_text(void)
{
        char buf[8];

        CHECK_INT(green_http_unquote("a%00b", 5, 0, buf), 3);
        CHECK(memcmp(buf, "a\0b", 4) == 0);
        /* Nothing behind the length is looked at. */
        CHECK_INT(green_http_unquote("%41", 2, 0, buf), 2);
        CHECK_STR(buf, "%4");
}

static void
all_but_what_is_unreserved_is_encoded(void)
{
        char buf[64];

        CHECK_INT(green_http_quote("aZ09-._~", 8, 0, buf, sizeof buf), 8);
        CHECK_STR(buf, "aZ09-._~");
        CHECK_INT(green_http_quote("a b/c+\xe9", 7, 0, buf, sizeof buf), 15);
        CHECK_STR(buf, "a%20b%2Fc%2B%E9");
        CHECK_INT(green_http_quote("a b/c+", 6, GREEN_HTTP_PLUS | GREEN_HTTP_SLASH, buf, sizeof buf), 8);
        CHECK_STR(buf, "a+b/c%2B");
        CHECK_INT(green_http_quote("\0@[`{", 5, 0, buf, sizeof buf), 15);
        CHECK_STR(buf, "%00%40%5B%60%7B");
}

static void
an_encoded_text_is_cut_between_characters(void)
{
        char buf[8];

        CHECK_INT(green_http_quote("a b", 3, 0, NULL, 0), 5);
        CHECK_INT(green_http_quote("a b", 3, 0, NULL, 9), 5);
        CHECK_INT(green_http_quote("a b", 3, 0, buf, 6), 5);
        CHECK_STR(buf, "a%20b");
        CHECK_INT(green_http_quote("a b", 3, 0, buf, 5), 5);
        CHECK_STR(buf, "a%20");
        CHECK_INT(green_http_quote("a b", 3, 0, buf, 4), 5);
        CHECK_STR(buf, "a");
        CHECK_INT(green_http_quote("a b", 3, 0, buf, 1), 5);
        CHECK_STR(buf, "");
        buf[0] = 'x';
        CHECK_INT(green_http_quote("a b", 3, 0, buf, 0), 5);
        CHECK_INT(buf[0], 'x');
}

static void
every_byte_survives_both_ways(void)
{
        static const unsigned all[] = {0, GREEN_HTTP_PLUS, GREEN_HTTP_SLASH, GREEN_HTTP_PLUS | GREEN_HTTP_SLASH};
        char text[256], quoted[769], back[257];

        for (int i = 0; i < 256; i++)
                text[i] = (char)i;
        for (int i = 0; i < 4; i++) {
                size_t len = green_http_quote(text, sizeof text, all[i], quoted, sizeof quoted);

                CHECK_INT(strlen(quoted), len);
                CHECK_INT(green_http_unquote(quoted, len, all[i] & GREEN_HTTP_PLUS, back), 256);
                CHECK(memcmp(text, back, 256) == 0);
        }
}

/* ---- lists */

typedef bool (*step_fn)(struct green_http_part *rest, struct green_http_part *ret_name,
                        struct green_http_part *ret_value);

/* All pieces as "name=value|name=value|". */
static const char *
pieces(const char *text, step_fn step)
{
        static char all[512];
        struct green_http_part rest = {text, strlen(text)}, name, value;
        int at = 0;

        all[0] = '\0';
        while (step(&rest, &name, &value))
                at += snprintf(all + at, sizeof all - (size_t)at, "%.*s=%.*s|", (int)name.len, name.data,
                               (int)value.len, value.data);
        CHECK_INT(rest.len, 0);
        return all;
}

static void
parameters_are_stepped_through(void)
{
        CHECK_STR(pieces("", green_http_next_param), "");
        CHECK_STR(pieces("a=1&b=2", green_http_next_param), "a=1|b=2|");
        CHECK_STR(pieces("&&a&&b=&=c&", green_http_next_param), "a=|b=|=c|");
        CHECK_STR(pieces("a=b=c&a=%26", green_http_next_param), "a=b=c|a=%26|");
        CHECK_STR(pieces("a;b=1", green_http_next_param), "a;b=1|");
}

static void
cookies_are_stepped_through(void)
{
        CHECK_STR(pieces("", green_http_next_cookie), "");
        CHECK_STR(pieces("a=1; b=2", green_http_next_cookie), "a=1|b=2|");
        CHECK_STR(pieces(" a = 1 ;b=2;\tc=", green_http_next_cookie), "a=1|b=2|c=|");
        CHECK_STR(pieces("a=\"x y\"; b=\"; c=\"\"; d=x\"", green_http_next_cookie), "a=x y|b=\"|c=|d=x\"|");
        CHECK_STR(pieces("=1; none; ; =; a=b=c", green_http_next_cookie), "a=b=c|");
}

static const char *
items(const char *text)
{
        static char all[512];
        struct green_http_part rest = {text, strlen(text)}, item;
        int at = 0;

        all[0] = '\0';
        while (green_http_next_item(&rest, &item)) {
                CHECK(item.len > 0);
                at += snprintf(all + at, sizeof all - (size_t)at, "%.*s|", (int)item.len, item.data);
        }
        CHECK_INT(rest.len, 0);
        return all;
}

static void
commas_in_quotes_end_no_item(void)
{
        CHECK_STR(items(""), "");
        CHECK_STR(items(" , ,\t,"), "");
        CHECK_STR(items("gzip, chunked;q=1"), "gzip|chunked;q=1|");
        CHECK_STR(items("\"a,b\",c"), "\"a,b\"|c|");
        CHECK_STR(items("\"a\\\",b\" , c"), "\"a\\\",b\"|c|");
        CHECK_STR(items("a\\,b"), "a\\|b|");
        CHECK_STR(items("a, \"b, c"), "a|\"b, c|");
        CHECK_STR(items("\"\\"), "\"\\|");
}

/* Whoever sends delimiters only makes no more work than bytes. */
static void
a_text_of_delimiters_has_no_pieces(void)
{
        enum { LEN = 1 << 20 };
        char *text = malloc(LEN);
        struct green_http_part rest, name, value;

        if (!CHECK(text != NULL))
                return;
        memset(text, '&', LEN);
        rest = (struct green_http_part){text, LEN};
        CHECK(!green_http_next_param(&rest, &name, &value));
        memset(text, ';', LEN);
        rest = (struct green_http_part){text, LEN};
        CHECK(!green_http_next_cookie(&rest, &name, &value));
        memset(text, ',', LEN);
        rest = (struct green_http_part){text, LEN};
        CHECK(!green_http_next_item(&rest, &name));
        free(text);
}

/* ---- dates */

static void
the_three_forms_of_a_date_are_read(void)
{
        static const struct {
                const char *text;
                int64_t want;
        } rows[] = {
                {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
                {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
                {"Sun Nov  6 08:49:37 1994", 784111777},
                {"Sun Nov 06 08:49:37 1994", 784111777},
                {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
                {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
                {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
                {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
                {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
                {"Mon, 01 Jan 0001 00:00:00 GMT", -62135596800},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                int64_t got = 1;

                CHECK_INT(green_http_parse_date(rows[i].text, &got), 0);
                CHECK_INT(got, rows[i].want);
        }
}

static void
what_is_no_date_is_refused(void)
{
        static const char *const rows[] = {
                "", "Sun", "Sun,", "now", "1", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
                " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
                "Sun, 06 Nov 1994 08:49:37 UTC", "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
                "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Thu, 29 Feb 1900 00:00:00 GMT",
                "Mon, 29 Feb 2001 00:00:00 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
                "Sunday, 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sunday Nov  6 08:49:37 1994",
                "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "Sun Nov  6 08:49:37 94",
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                int64_t got = 7;

                if (!CHECK_INT(green_http_parse_date(rows[i], &got), -EINVAL))
                        fprintf(stderr, "row %zu: %s\n", i, rows[i]);
                CHECK_INT(got, 7);
        }
        CHECK_INT(green_http_parse_date(NULL, &(int64_t){0}), -EINVAL);
        CHECK_INT(green_http_parse_date(rows[0], NULL), -EINVAL);
}

/* What is written is read: each day of 30,000 around 1970, at another second, and each 1,000th one beyond. */
static void
what_was_formatted_is_read_as_the_same(void)
{
        char text[GREEN_WSGI_DATE_SIZE];
        int64_t got;

        for (int64_t day = -15000; day < 15000; day++) {
                int64_t want = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;

                CHECK_INT(green_http_parse_date(green_wsgi_format_date_time(want, text), &got), 0);
                if (!CHECK_INT(got, want))
                        return;
        }
        for (int64_t want = -62135596800; want <= 253402300799; want += 86400 * 1000) {
                CHECK_INT(green_http_parse_date(green_wsgi_format_date_time(want, text), &got), 0);
                if (!CHECK_INT(got, want))
                        return;
        }
}

/* Two digits mean the nearest such year that is no more than 50 years ahead. */
static void
a_year_of_two_digits_is_not_far_ahead(void)
{
        const int year = atoi(green_wsgi_format_date_time(time(NULL), (char[GREEN_WSGI_DATE_SIZE]){0}) + 12);
        char text[64], want[GREEN_WSGI_DATE_SIZE], form[64];
        int64_t got;

        for (int ahead = -49; ahead <= 50; ahead++) {
                snprintf(text, sizeof text, "Monday, 10-Jul-%02d 00:00:00 GMT", (year + ahead) % 100);
                CHECK_INT(green_http_parse_date(text, &got), 0);
                green_wsgi_format_date_time(got, want);
                snprintf(form, sizeof form, " 10 Jul %04d 00:00:00 GMT", year + ahead);
                CHECK_STR(want + 4, form);
        }
}

/* ---- phrases */

static void
registered_statuses_have_their_phrase(void)
{
        CHECK_STR(green_http_phrase(200), "OK");
        CHECK_STR(green_http_phrase(103), "Early Hints");
        CHECK_STR(green_http_phrase(413), "Content Too Large");
        CHECK_STR(green_http_phrase(510), "Not Extended");
        CHECK_STR(green_http_phrase(511), "Network Authentication Required");
        CHECK_STR(green_http_phrase(418), "");
        CHECK_STR(green_http_phrase(299), "");
        CHECK_STR(green_http_phrase(0), "");
        CHECK_STR(green_http_phrase(-1), "");
}

GREEN_SUITE(web_http_text) {
        GREEN_TEST(what_is_encoded_is_decoded_and_the_rest_stays),
        GREEN_TEST(a_nul_is_decoded_and_does_not_end_the_text),
        GREEN_TEST(all_but_what_is_unreserved_is_encoded),
        GREEN_TEST(an_encoded_text_is_cut_between_characters),
        GREEN_TEST(every_byte_survives_both_ways),
        GREEN_TEST(parameters_are_stepped_through),
        GREEN_TEST(cookies_are_stepped_through),
        GREEN_TEST(commas_in_quotes_end_no_item),
        GREEN_TEST(a_text_of_delimiters_has_no_pieces),
        GREEN_TEST(the_three_forms_of_a_date_are_read),
        GREEN_TEST(what_is_no_date_is_refused),
        GREEN_TEST(what_was_formatted_is_read_as_the_same),
        GREEN_TEST(a_year_of_two_digits_is_not_far_ahead),
        GREEN_TEST(registered_statuses_have_their_phrase),
        GREEN_SUITE_END
};
