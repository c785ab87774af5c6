/* Sections 1 to 5 and 10 of the Autobahn test suite: frames. */
#include "ws_cases.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- 1: text and binary, by size */

void
ws_section_1(ws_case_fn fn, void *arg)
{
        static const size_t sizes[] = {0, 125, 126, 127, 128, 65535, 65536, 65536};

        for (int kind = 1; kind <= 2; kind++)
                for (size_t i = 0; i < COUNT(sizes); i++) {
                        const char *data = kind == 1 ? "*" : "\xfe";
                        struct ws_step s = {.op = WS_OP((unsigned)kind), .data = data, .unit = 1, .len = sizes[i]};
                        struct ws_case c = {.send = {s}, .expect = {s}, .chop = i == 7 ? 997 : 0};

                        snprintf(c.id, sizeof c.id, "1.%d.%zu", kind, i + 1);
                        fn(&c, arg);
                }
}

/* ---- 2: pings and pongs */

#define BYTES "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
#define CLOSE_1000 WS_SAY(WS_CLOSE, "\x03\xe8")

static const struct ws_case pings[] = {
        {.id = "2.1", .send = {WS_EMPTY(WS_PING)}, .expect = {WS_EMPTY(WS_PONG)}},
        {.id = "2.2", .send = {WS_SAY(WS_PING, "Hello, world!")}, .expect = {WS_SAY(WS_PONG, "Hello, world!")}},
        {.id = "2.3", .send = {WS_SAY(WS_PING, BYTES)}, .expect = {WS_SAY(WS_PONG, BYTES)}},
        {.id = "2.4", .send = {WS_FILL(WS_PING, "\xfe", 125)}, .expect = {WS_FILL(WS_PONG, "\xfe", 125)}},
        {.id = "2.5", .send = {WS_FILL(WS_PING, "\xfe", 126)}, .ending = WS_REFUSED},
        {.id = "2.6", .send = {WS_FILL(WS_PING, "\xfe", 125)}, .expect = {WS_FILL(WS_PONG, "\xfe", 125)}, .chop = 1},
        {.id = "2.7", .send = {WS_EMPTY(WS_PONG), CLOSE_1000}, .ending = WS_SAID_CLOSE},
        {.id = "2.8", .send = {WS_SAY(WS_PONG, "nobody has asked"), CLOSE_1000}, .ending = WS_SAID_CLOSE},
        {.id = "2.9",
         .send = {WS_SAY(WS_PONG, "nobody has asked"), WS_SAY(WS_PING, "are you there?")},
         .expect = {WS_SAY(WS_PONG, "are you there?")}},
};

void
ws_section_2(ws_case_fn fn, void *arg)
{
        static char texts[10][16];
        struct ws_case c = {.id = "2.10"};

        ws_each(pings, COUNT(pings), fn, arg);
        for (int i = 0; i < 10; i++) {
                size_t len = (size_t)snprintf(texts[i], sizeof texts[i], "payload-%d", i);

                c.send[i] = (struct ws_step){.op = WS_PING, .data = texts[i], .unit = len, .len = len};
                c.expect[i] = c.send[i];
                c.expect[i].op = WS_PONG;
        }
        fn(&c, arg);
        snprintf(c.id, sizeof c.id, "2.11");
        c.chop = 1;
        fn(&c, arg);
}

/* ---- 3: reserved bits */

#define HELLO(op) WS_SAY(op, "Hello, world!")

/* A good text, one that is wrong, a ping: the text comes back, and no pong. */
#define TEXT_AND(number, wrong, ...)                                                                                   \
        {                                                                                                              \
                .id = number, .send = {HELLO(WS_TEXT), wrong, WS_EMPTY(WS_PING)}, .expect = {HELLO(WS_TEXT)},          \
                .may_lack = true, .ending = WS_REFUSED, __VA_ARGS__                                                    \
        }
#define REFUSED(number, ...)                                                                                           \
        {                                                                                                              \
                .id = number, .send = {__VA_ARGS__}, .ending = WS_REFUSED                                              \
        }

static const struct ws_case reserved_bits[] = {
        REFUSED("3.1", HELLO(WS_TEXT | WS_RSV(1))),
        TEXT_AND("3.2", HELLO(WS_TEXT | WS_RSV(2)), .chop = 0),
        TEXT_AND("3.3", HELLO(WS_TEXT | WS_RSV(3)), .chop = WS_FRAMEWISE),
        TEXT_AND("3.4", HELLO(WS_TEXT | WS_RSV(4)), .chop = 1),
        REFUSED("3.5", WS_SAY(WS_BINARY | WS_RSV(5), BYTES)),
        REFUSED("3.6", HELLO(WS_BINARY | WS_RSV(6))),
        REFUSED("3.7", WS_EMPTY(WS_CLOSE | WS_RSV(7))),
        /* That suite speaks of a ping in 3.6, and sends no ping. */
        REFUSED("3.6 ping", HELLO(WS_PING | WS_RSV(6))),
};

void
ws_section_3(ws_case_fn fn, void *arg)
{
        ws_each(reserved_bits, COUNT(reserved_bits), fn, arg);
}

/* ---- 4: opcodes */

static const struct ws_case opcodes[] = {
        REFUSED("4.1.1", WS_EMPTY(WS_OP(3))),
        REFUSED("4.1.2", WS_SAY(WS_OP(4), "no such opcode")),
        TEXT_AND("4.1.3", WS_EMPTY(WS_OP(5)), .chop = 0),
        TEXT_AND("4.1.4", HELLO(WS_OP(6)), .chop = 0),
        TEXT_AND("4.1.5", HELLO(WS_OP(7)), .chop = 1),
        REFUSED("4.2.1", WS_EMPTY(WS_OP(11))),
        REFUSED("4.2.2", WS_SAY(WS_OP(12), "no such opcode")),
        TEXT_AND("4.2.3", WS_EMPTY(WS_OP(13)), .chop = 0),
        TEXT_AND("4.2.4", HELLO(WS_OP(14)), .chop = 0),
        TEXT_AND("4.2.5", HELLO(WS_OP(15)), .chop = 1),
};

void
ws_section_4(ws_case_fn fn, void *arg)
{
        ws_each(opcodes, COUNT(opcodes), fn, arg);
}

/* ---- 5: fragments */

#define PART(op, n) WS_SAY(op, "fragment" #n)
#define IN_TWO(number, how)                                                                                            \
        {                                                                                                              \
                .id = number, .send = {PART(WS_TEXT | WS_MORE, 1), PART(WS_CONT, 2)},                                  \
                .expect = {WS_SAY(WS_TEXT, "fragment1fragment2")}, .chop = (how)                                       \
        }
#define PING_BETWEEN(number, how)                                                                                      \
        {                                                                                                              \
                .id = number, .send = {PART(WS_TEXT | WS_MORE, 1), WS_SAY(WS_PING, "between"), PART(WS_CONT, 2)},      \
                .expect = {WS_SAY(WS_PONG, "between"), WS_SAY(WS_TEXT, "fragment1fragment2")}, .chop = (how)           \
        }
#define NOTHING_TO_CONTINUE(number, op, how)                                                                           \
        {                                                                                                              \
                .id = number, .send = {WS_SAY(op, "continues nothing"), HELLO(WS_TEXT)}, .ending = WS_REFUSED,         \
                .chop = (how)                                                                                          \
        }
/* The first ping is answered before the rest is sent. */
#define PINGS_BETWEEN(number, how)                                                                                     \
        {                                                                                                              \
                .id = number, .send = {PART(WS_TEXT | WS_MORE, 1), PART(WS_CONT | WS_MORE, 2),                         \
                                       WS_SAY(WS_PING, "ping 1"),  {.op = WS_AWAIT, .of = 1},                          \
                                       PART(WS_CONT | WS_MORE, 3), PART(WS_CONT | WS_MORE, 4),                         \
                                       WS_SAY(WS_PING, "ping 2"),  PART(WS_CONT, 5)},                                  \
                .expect = {WS_SAY(WS_PONG, "ping 1"), WS_SAY(WS_PONG, "ping 2"),                                       \
                           WS_SAY(WS_TEXT, "fragment1fragment2fragment3fragment4fragment5")},                          \
                .chop = (how)                                                                                          \
        }

static const struct ws_case fragments[] = {
        REFUSED("5.1", PART(WS_PING | WS_MORE, 1), PART(WS_CONT, 2)),
        REFUSED("5.2", PART(WS_PONG | WS_MORE, 1), PART(WS_CONT, 2)),
        IN_TWO("5.3", 0),
        IN_TWO("5.4", WS_FRAMEWISE),
        IN_TWO("5.5", 1),
        PING_BETWEEN("5.6", 0),
        PING_BETWEEN("5.7", WS_FRAMEWISE),
        PING_BETWEEN("5.8", 1),
        NOTHING_TO_CONTINUE("5.9", WS_CONT, 0),
        NOTHING_TO_CONTINUE("5.10", WS_CONT, WS_FRAMEWISE),
        NOTHING_TO_CONTINUE("5.11", WS_CONT, 1),
        NOTHING_TO_CONTINUE("5.12", WS_CONT | WS_MORE, 0),
        NOTHING_TO_CONTINUE("5.13", WS_CONT | WS_MORE, WS_FRAMEWISE),
        NOTHING_TO_CONTINUE("5.14", WS_CONT | WS_MORE, 1),
        {.id = "5.15",
         .send = {PART(WS_TEXT | WS_MORE, 1), PART(WS_CONT, 2), PART(WS_CONT | WS_MORE, 3), PART(WS_TEXT, 4)},
         .expect = {WS_SAY(WS_TEXT, "fragment1fragment2")},
         .may_lack = true,
         .ending = WS_REFUSED},
        REFUSED("5.16", PART(WS_CONT | WS_MORE, 1), PART(WS_TEXT | WS_MORE, 2), PART(WS_CONT, 3),
                PART(WS_CONT | WS_MORE, 1), PART(WS_TEXT | WS_MORE, 2), PART(WS_CONT, 3)),
        REFUSED("5.17", PART(WS_CONT, 1), PART(WS_TEXT | WS_MORE, 2), PART(WS_CONT, 3), PART(WS_CONT, 1),
                PART(WS_TEXT | WS_MORE, 2), PART(WS_CONT, 3)),
        REFUSED("5.18", PART(WS_TEXT | WS_MORE, 1), PART(WS_TEXT, 2)),
        PINGS_BETWEEN("5.19", 0),
        PINGS_BETWEEN("5.20", WS_FRAMEWISE),
};

void
ws_section_5(ws_case_fn fn, void *arg)
{
        ws_each(fragments, COUNT(fragments), fn, arg);
}

/* ---- 10: a long text in fragments */

void
ws_section_10(ws_case_fn fn, void *arg)
{
        static const struct ws_series text = {.data = (const unsigned char *)"*",
                                              .data_len = 1,
                                              .op = WS_TEXT,
                                              .size = 65536,
                                              .count = 1,
                                              .fragment = 1300};
        static const struct ws_case c = {.id = "10.1.1", .series = &text};

        fn(&c, arg);
}
