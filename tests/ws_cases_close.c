/* Section 7 of the Autobahn test suite: closes. */
#include "ws_cases.h"

#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define CLOSE_1000 WS_SAY(WS_CLOSE, "\x03\xe8")
#define HELLO(op) WS_SAY(op, "Hello World!")
#define CLOSE(number, step)                                                                                            \
        {                                                                                                              \
                .id = number, .send = {step}, .ending = WS_SAID_CLOSE                                                  \
        }
/* What follows the close is not answered. */
#define AND_THEN(number, ...)                                                                                          \
        {                                                                                                              \
                .id = number, .send = {__VA_ARGS__}, .ending = WS_SAID_CLOSE, .goes_on = true                          \
        }

static const struct ws_case closes[] = {
        {.id = "7.1.1", .send = {HELLO(WS_TEXT)}, .expect = {HELLO(WS_TEXT)}},
        AND_THEN("7.1.2", CLOSE_1000, WS_EMPTY(WS_CLOSE)),
        AND_THEN("7.1.3", CLOSE_1000, WS_EMPTY(WS_PING)),
        AND_THEN("7.1.4", CLOSE_1000, HELLO(WS_TEXT)),
        AND_THEN("7.1.5", WS_SAY(WS_TEXT | WS_MORE, "fragment1"), CLOSE_1000, WS_SAY(WS_CONT, "fragment2")),
        /* How much of it is answered is up to the other end. */
        {.id = "7.1.6",
         .send = {WS_FILL(WS_TEXT, "BAsd7&jh23", 262144), HELLO(WS_TEXT), CLOSE_1000, WS_EMPTY(WS_PING)},
         .expect = {WS_FILL(WS_TEXT, "BAsd7&jh23", 262144), HELLO(WS_TEXT)},
         .ending = WS_ANYHOW},
        {.id = "7.3.1", .send = {WS_EMPTY(WS_CLOSE)}, .ending = WS_SAID_CLOSE, .codes = {1000, -1}},
        {.id = "7.3.2", .send = {WS_SAY(WS_CLOSE, "a")}, .ending = WS_SAID_WRONG},
        CLOSE("7.3.3", CLOSE_1000),
        CLOSE("7.3.4", WS_SAY(WS_CLOSE, "\x03\xe8Hello World!")),
        CLOSE("7.3.5",
              WS_SAY(WS_CLOSE, "\x03\xe8***********************************************************************"
                               "****************************************************")),
        {.id = "7.3.6",
         .send = {WS_SAY(WS_CLOSE, "\x03\xe8***********************************************************************"
                                   "*****************************************************")},
         .ending = WS_SAID_WRONG},
        {.id = "7.5.1",
         .send = {WS_SAY(WS_CLOSE, "\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
                                   "edited")},
         .ending = WS_SAID_WRONG,
         .codes = {1002, 1007}},
};

/* 1012 to 1014 are younger than that suite, which leaves out 1015 too. */
static const struct {
        const char *group;
        int first; /* number of the first code */
        enum ws_ending ending;
        int codes[14];
} codes[] = {
        {"7.7", 1, WS_SAID_CLOSE, {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999}},
        {"7.7", 101, WS_SAID_CLOSE, {1012, 1013, 1014}},
        {"7.9", 1, WS_SAID_WRONG, {-1, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999}},
        {"7.9", 101, WS_SAID_WRONG, {1015}},
        {"7.13", 1, WS_ANYHOW, {5000, 65535}},
};

static void
one_code(ws_case_fn fn, void *arg, size_t group, int n)
{
        int code = codes[group].codes[n] < 0 ? 0 : codes[group].codes[n];
        char payload[2] = {(char)(code >> 8), (char)code};
        struct ws_case c = {.send = {{.op = WS_CLOSE, .data = payload, .unit = 2, .len = 2}},
                            .ending = codes[group].ending};

        /* A good one comes back, or 1000 does. */
        if (c.ending == WS_SAID_CLOSE) {
                c.codes[0] = 1000;
                c.codes[1] = code;
        }
        snprintf(c.id, sizeof c.id, "%s.%d", codes[group].group, codes[group].first + n);
        fn(&c, arg);
}

void
ws_section_7(ws_case_fn fn, void *arg)
{
        ws_each(closes, COUNT(closes), fn, arg);
        for (size_t group = 0; group < COUNT(codes); group++)
                for (int n = 0; n < 14 && codes[group].codes[n] != 0; n++)
                        one_code(fn, arg, group, n);
}
