/* Section 9 of the Autobahn test suite: size and speed. What comes back is compared whole, not only its length. */
#include "ws_cases.h"

#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define K 1024
#define M 1048576

static const unsigned char text[] = "BAsd7&jh23", bytes[] = {0x00, 0xfe, 0x23, 0xfa, 0xf0};

/* A group: texts in the first, bytes in the second. */
static void
one(ws_case_fn fn, void *arg, struct ws_case *c, struct ws_series *s)
{
        s->data = s->op == WS_TEXT ? text : bytes;
        s->data_len = s->op == WS_TEXT ? sizeof text - 1 : sizeof bytes;
        c->series = s;
        fn(c, arg);
}

void
ws_section_9(ws_case_fn fn, void *arg)
{
        static const size_t sizes[] = {64 * K, 256 * K, 1 * M, 4 * M, 8 * M, 16 * M};
        static const size_t fragments[] = {64, 256, 1 * K, 4 * K, 16 * K, 64 * K, 256 * K, 1 * M, 4 * M};
        static const int chops[] = {64, 128, 256, 512, 1024, 2048};
        static const size_t small[] = {0, 16, 64, 256, 1024, 4096};
        struct ws_case c = {.chop = 0};

        for (int kind = 0; kind < 2; kind++) {
                unsigned op = kind == 0 ? WS_TEXT : WS_BINARY;

                for (size_t i = 0; i < COUNT(sizes); i++) {
                        snprintf(c.id, sizeof c.id, "9.%d.%zu", 1 + kind, i + 1);
                        one(fn, arg, &c, &(struct ws_series){.op = op, .size = sizes[i], .count = 1});
                }
                for (size_t i = 0; i < COUNT(fragments); i++) {
                        snprintf(c.id, sizeof c.id, "9.%d.%zu", 3 + kind, i + 1);
                        one(fn, arg, &c,
                            &(struct ws_series){.op = op, .size = 4 * M, .count = 1, .fragment = fragments[i]});
                }
                for (size_t i = 0; i < COUNT(chops); i++) {
                        snprintf(c.id, sizeof c.id, "9.%d.%zu", 5 + kind, i + 1);
                        c.chop = chops[i];
                        one(fn, arg, &c, &(struct ws_series){.op = op, .size = WS_CHOPPED, .count = 1});
                }
                c.chop = 0;
                /* 100 messages at most; that suite sends 1,000. */
                for (size_t i = 0; i < COUNT(small); i++) {
                        snprintf(c.id, sizeof c.id, "9.%d.%zu", 7 + kind, i + 1);
                        one(fn, arg, &c, &(struct ws_series){.op = op, .size = small[i], .count = WS_MESSAGES});
                }
        }
}
