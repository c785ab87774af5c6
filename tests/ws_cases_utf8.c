/* Section 6 of the Autobahn test suite: what is UTF-8, and what is not. Much of it is Markus Kuhn's list. */
#include "ws_cases.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* "kosme" in Greek; and behind it a surrogate, or U+110000, wrong at the second byte. */
#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
#define SURROGATE "\xed\xa0\x80"
#define TOO_HIGH "\xf4\x90\x80\x80"
#define REST "edited"
#define HELLO_1 "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4"
#define HELLO_2 "\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"

static const struct ws_case texts[] = {
        {.id = "6.1.1", .send = {WS_EMPTY(WS_TEXT)}, .expect = {WS_EMPTY(WS_TEXT)}},
        {.id = "6.1.2",
         .send = {WS_EMPTY(WS_TEXT | WS_MORE), WS_EMPTY(WS_CONT | WS_MORE), WS_EMPTY(WS_CONT)},
         .expect = {WS_EMPTY(WS_TEXT)}},
        {.id = "6.1.3",
         .send = {WS_EMPTY(WS_TEXT | WS_MORE), WS_SAY(WS_CONT | WS_MORE, "in the middle"), WS_EMPTY(WS_CONT)},
         .expect = {WS_SAY(WS_TEXT, "in the middle")}},
        {.id = "6.2.1", .send = {WS_SAY(WS_TEXT, HELLO_1 HELLO_2)}, .expect = {WS_SAY(WS_TEXT, HELLO_1 HELLO_2)}},
        {.id = "6.2.2",
         .send = {WS_SAY(WS_TEXT | WS_MORE, HELLO_1), WS_SAY(WS_CONT, HELLO_2)},
         .expect = {WS_SAY(WS_TEXT, HELLO_1 HELLO_2)}},
};

/* One byte a fragment. */
static const struct ws_series hello = {.data = (const unsigned char *)HELLO_1 HELLO_2,
                                       .data_len = sizeof HELLO_1 HELLO_2 - 1,
                                       .op = WS_TEXT,
                                       .size = sizeof HELLO_1 HELLO_2 - 1,
                                       .count = 1,
                                       .fragment = 1};
static const struct ws_series kosme = {.data = (const unsigned char *)KOSME,
                                       .data_len = sizeof KOSME - 1,
                                       .op = WS_TEXT,
                                       .size = sizeof KOSME - 1,
                                       .count = 1,
                                       .fragment = 1};
static const struct ws_case byte_by_byte[] = {
        {.id = "6.2.3", .series = &hello},
        {.id = "6.2.4", .series = &kosme},
};

#define STILL WS_EMPTY(WS_STILL)
#define FAILED WS_EMPTY(WS_FAILED)

static const struct ws_case refused[] = {
        {.id = "6.3.1",
         .send = {WS_SAY(WS_TEXT, KOSME SURROGATE REST)},
         .ending = WS_REFUSED,
         .codes = {1007}},
        /* The first wrong byte is refused before the frame or message is through. */
        {.id = "6.4.1",
         .send = {WS_SAY(WS_TEXT | WS_MORE, KOSME), STILL, WS_SAY(WS_CONT | WS_MORE, TOO_HIGH), FAILED,
                  WS_SAY(WS_CONT, REST)},
         .ending = WS_REFUSED,
         .codes = {1007}},
        {.id = "6.4.2",
         .send = {WS_SAY(WS_TEXT | WS_MORE, KOSME "\xf4"), STILL, WS_SAY(WS_CONT | WS_MORE, "\x90"), FAILED,
                  WS_SAY(WS_CONT, "\x80\x80" REST)},
         .ending = WS_REFUSED,
         .codes = {1007}},
        {.id = "6.4.3",
         .send = {{.op = WS_TEXT | WS_BEGIN, .data = KOSME, .unit = 11, .len = 11, .of = 21}, STILL,
                  WS_SAY(WS_PART, TOO_HIGH), FAILED, WS_SAY(WS_PART, REST)},
         .ending = WS_REFUSED,
         .codes = {1007}},
        {.id = "6.4.4",
         .send = {{.op = WS_TEXT | WS_BEGIN, .data = KOSME "\xf4", .unit = 12, .len = 12, .of = 21}, STILL,
                  WS_SAY(WS_PART, "\x90"), FAILED, WS_SAY(WS_PART, "\x80\x80" REST)},
         .ending = WS_REFUSED,
         .codes = {1007}},
};

/* ---- from 6.5 on: one text in one frame */

struct text {
        int group;
        bool good;
        const char *bytes;
        size_t len;
};

#define YES(group, bytes)                                                                                              \
        {                                                                                                              \
                group, true, bytes, sizeof(bytes) - 1                                                                  \
        }
#define NO(group, bytes)                                                                                               \
        {                                                                                                              \
                group, false, bytes, sizeof(bytes) - 1                                                                 \
        }

static const struct text some[] = {
        /* Good ones. */
        YES(5, "hello\x24world"),
        YES(5, "hello\xc2\xa2world"),
        YES(5, "hello\xe2\x82\xacworld"),
        YES(5, "hello\xf0\xa4\xad\xa2world"),
        YES(5, KOSME),
        /* All beginnings of one. */
        NO(6, "\xce"),
        YES(6, "\xce\xba"),
        NO(6, "\xce\xba\xe1"),
        NO(6, "\xce\xba\xe1\xbd"),
        YES(6, "\xce\xba\xe1\xbd\xb9"),
        NO(6, "\xce\xba\xe1\xbd\xb9\xcf"),
        YES(6, "\xce\xba\xe1\xbd\xb9\xcf\x83"),
        NO(6, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce"),
        YES(6, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc"),
        NO(6, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce"),
        YES(6, KOSME),
        /* The first of a length, the last of a length, and around them. */
        YES(7, "\0"),
        YES(7, "\xc2\x80"),
        YES(7, "\xe0\xa0\x80"),
        YES(7, "\xf0\x90\x80\x80"),
        NO(8, "\xf8\x88\x80\x80\x80"),
        NO(8, "\xfc\x84\x80\x80\x80\x80"),
        YES(9, "\x7f"),
        YES(9, "\xdf\xbf"),
        YES(9, "\xef\xbf\xbf"),
        YES(9, "\xf4\x8f\xbf\xbf"),
        NO(10, "\xf7\xbf\xbf\xbf"),
        NO(10, "\xfb\xbf\xbf\xbf\xbf"),
        NO(10, "\xfd\xbf\xbf\xbf\xbf\xbf"),
        YES(11, "\xed\x9f\xbf"),
        YES(11, "\xee\x80\x80"),
        YES(11, "\xef\xbf\xbd"),
        YES(11, "\xf4\x8f\xbf\xbf"),
        NO(11, TOO_HIGH),
        /* Continuation bytes that continue nothing. */
        NO(12, "\x80"),
        NO(12, "\xbf"),
        NO(12, "\x80\xbf"),
        NO(12, "\x80\xbf\x80"),
        NO(12, "\x80\xbf\x80\xbf"),
        NO(12, "\x80\xbf\x80\xbf\x80"),
        NO(12, "\x80\xbf\x80\xbf\x80\xbf"),
};

/* Their last byte is missing; 6.15 is all of them in a row. */
static const struct text cut[] = {
        NO(14, "\xc0"),
        NO(14, "\xe0\x80"),
        NO(14, "\xf0\x80\x80"),
        NO(14, "\xf8\x80\x80\x80"),
        NO(14, "\xfc\x80\x80\x80\x80"),
        NO(14, "\xdf"),
        NO(14, "\xef\xbf"),
        NO(14, "\xf7\xbf\xbf"),
        NO(14, "\xfb\xbf\xbf\xbf"),
        NO(14, "\xfd\xbf\xbf\xbf\xbf"),
};

static const struct text more[] = {
        /* Bytes that cannot be. */
        NO(16, "\xfe"),
        NO(16, "\xff"),
        NO(16, "\xfe\xfe\xff\xff"),
        /* Longer than need be: a slash, the last such ones, NUL. */
        NO(17, "\xc0\xaf"),
        NO(17, "\xe0\x80\xaf"),
        NO(17, "\xf0\x80\x80\xaf"),
        NO(17, "\xf8\x80\x80\x80\xaf"),
        NO(17, "\xfc\x80\x80\x80\x80\xaf"),
        NO(18, "\xc1\xbf"),
        NO(18, "\xe0\x9f\xbf"),
        NO(18, "\xf0\x8f\xbf\xbf"),
        NO(18, "\xf8\x87\xbf\xbf\xbf"),
        NO(18, "\xfc\x83\xbf\xbf\xbf\xbf"),
        NO(19, "\xc0\x80"),
        NO(19, "\xe0\x80\x80"),
        NO(19, "\xf0\x80\x80\x80"),
        NO(19, "\xf8\x80\x80\x80\x80"),
        NO(19, "\xfc\x80\x80\x80\x80\x80"),
        /* Surrogates, alone and in pairs. */
        NO(20, "\xed\xa0\x80"),
        NO(20, "\xed\xad\xbf"),
        NO(20, "\xed\xae\x80"),
        NO(20, "\xed\xaf\xbf"),
        NO(20, "\xed\xb0\x80"),
        NO(20, "\xed\xbe\x80"),
        NO(20, "\xed\xbf\xbf"),
        NO(21, "\xed\xa0\x80\xed\xb0\x80"),
        NO(21, "\xed\xa0\x80\xed\xbf\xbf"),
        NO(21, "\xed\xad\xbf\xed\xb0\x80"),
        NO(21, "\xed\xad\xbf\xed\xbf\xbf"),
        NO(21, "\xed\xae\x80\xed\xb0\x80"),
        NO(21, "\xed\xae\x80\xed\xbf\xbf"),
        NO(21, "\xed\xaf\xbf\xed\xb0\x80"),
        NO(21, "\xed\xaf\xbf\xed\xbf\xbf"),
        /* Code points that are no characters, which is fine; more of them are made below. */
        YES(22, "\xef\xbf\xbe"),
        YES(22, "\xef\xbf\xbf"),
};

static const struct text specials[] = {
        YES(23, "\xef\xbf\xb9"),
        YES(23, "\xef\xbf\xba"),
        YES(23, "\xef\xbf\xbb"),
        YES(23, "\xef\xbf\xbc"),
        YES(23, "\xef\xbf\xbd"),
        YES(23, "\xef\xbf\xbe"),
        YES(23, "\xef\xbf\xbf"),
};

/* Who is called for each case, and the number of the last one. */
struct counter {
        ws_case_fn fn;
        void *arg;
        int group, n;
};

static void
one_text(struct counter *to, const struct text *t)
{
        struct ws_case c = {.send = {{.op = WS_TEXT, .data = t->bytes, .unit = t->len, .len = t->len}}};

        if (t->good) {
                c.expect[0] = c.send[0];
        } else {
                c.ending = WS_REFUSED;
                c.codes[0] = 1007;
        }
        to->n = t->group == to->group ? to->n + 1 : 1;
        to->group = t->group;
        snprintf(c.id, sizeof c.id, "6.%d.%d", to->group, to->n);
        to->fn(&c, to->arg);
}

static void
all_texts(struct counter *to, const struct text *table, size_t n)
{
        for (size_t i = 0; i < n; i++)
                one_text(to, &table[i]);
}

/* Bytes from first up to the one before last; in 6.13 a space behind each. */
static void
one_range(struct counter *to, int group, int first, int last)
{
        char bytes[128];
        struct text t = {group, false, bytes, 0};

        for (int byte = first; byte < last; byte++) {
                bytes[t.len++] = (char)byte;
                if (group == 13)
                        bytes[t.len++] = ' ';
        }
        one_text(to, &t);
}

/* The last two code points of most planes, and of some in between, as that suite has them. */
static void
no_characters(struct counter *to)
{
        for (int plane = 0xf0; plane <= 0xf4; plane++)
                for (int second = 0x8f; second <= 0xbf; second += 0x10)
                        for (int last = 0xbe; last <= 0xbf; last++) {
                                char bytes[4] = {(char)plane, (char)second, (char)0xbf, (char)last};
                                struct text t = {22, true, bytes, 4};

                                /* Those would be too long, or too high. */
                                if ((plane == 0xf0 && second == 0x8f) || (plane == 0xf4 && second != 0x8f))
                                        continue;
                                one_text(to, &t);
                        }
}

void
ws_section_6(ws_case_fn fn, void *arg)
{
        static const char wrong[] = KOSME SURROGATE REST;
        struct counter to = {.fn = fn, .arg = arg};
        struct ws_case chopped = {.id = "6.3.2", .ending = WS_REFUSED, .codes = {1007}};
        char run[64];
        size_t len = 0;

        ws_each(texts, COUNT(texts), fn, arg);
        ws_each(byte_by_byte, COUNT(byte_by_byte), fn, arg);
        ws_each(refused, COUNT(refused), fn, arg);
        for (size_t i = 0; i < sizeof wrong - 1; i++)
                chopped.send[i] =
                        (struct ws_step){.op = (i == 0 ? WS_TEXT : WS_CONT) | (i < sizeof wrong - 2 ? WS_MORE : 0),
                                         .data = wrong + i,
                                         .unit = 1,
                                         .len = 1};
        fn(&chopped, arg);
        all_texts(&to, some, COUNT(some));
        one_range(&to, 12, 0x80, 0xbf);
        one_range(&to, 13, 0xc0, 0xdf);
        one_range(&to, 13, 0xe0, 0xef);
        one_range(&to, 13, 0xf0, 0xf7);
        one_range(&to, 13, 0xf8, 0xfb);
        one_range(&to, 13, 0xfc, 0xfd);
        all_texts(&to, cut, COUNT(cut));
        for (size_t i = 0; i < COUNT(cut); i++) {
                memcpy(run + len, cut[i].bytes, cut[i].len);
                len += cut[i].len;
        }
        one_text(&to, &(struct text){15, false, run, len});
        all_texts(&to, more, COUNT(more));
        no_characters(&to);
        all_texts(&to, specials, COUNT(specials));
}
