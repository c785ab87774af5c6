/*
 * Sections 12 and 13 of the Autobahn test suite: permessage-deflate, by contents and by parameters. Contents are made
 * here, of the kinds and sizes that suite has.
 */
#include "ws_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- contents */

static uint32_t
next(uint32_t *random)
{
        *random ^= *random << 13;
        *random ^= *random >> 17;
        *random ^= *random << 5;
        return *random;
}

static const char *
word(uint32_t *random)
{
        static const char *const words[] = {
                "habe",        "nun",  "ach",       "Philosophie", "Juristerei", "und", "Medizin",
                "leider",      "auch", "Theologie", "durchaus",    "studiert",   "mit", "Bem\xc3\xbchn",
                "gro\xc3\x9f", "da",   "steh",      "ich",         "armer",      "Tor", "bin",
                "so",          "klug", "als",       "wie",         "zuvor",
        };

        return words[next(random) % COUNT(words)];
}

static int
json_line(char *line, size_t size, uint32_t *random)
{
        return snprintf(line, size, "{\"id\": %u, \"name\": \"%s %s\", \"value\": %u.%03u, \"tags\": [%u, %u, %u]},\n",
                        next(random), word(random), word(random), next(random) % 1000, next(random) % 1000,
                        next(random) % 10, next(random) % 10, next(random) % 10);
}

static int
html_line(char *line, size_t size, uint32_t *random)
{
        return snprintf(line, size, "<tr class=\"row%u\"><td><a href=\"/wiki/%s_%u\">%s</a></td><td>%u</td></tr>\n",
                        next(random) % 2, word(random), next(random) % 10000, word(random), next(random) % 100000);
}

static int
prose_line(char *line, size_t size, uint32_t *random)
{
        return snprintf(line, size, "%s %s %s, %s %s\r\n", word(random), word(random), word(random), word(random),
                        word(random));
}

/* Grey values, close to those beside them. */
static int
picture_line(char *line, size_t size, uint32_t *random)
{
        static unsigned char grey = 128;

        (void)size;
        for (int i = 0; i < 64; i++) {
                grey = (unsigned char)(grey + next(random) % 9 - 4);
                line[i] = (char)grey;
        }
        return 64;
}

/* What was compressed before. */
static int
noise_line(char *line, size_t size, uint32_t *random)
{
        (void)size;
        for (int i = 0; i < 64; i++)
                line[i] = (char)(next(random) >> 11);
        return 64;
}

static const struct content {
        int (*line)(char *line, size_t size, uint32_t *random);
        size_t size;
        unsigned op;
} contents[] = {
        {json_line, 194056, WS_TEXT}, {picture_line, 263222, WS_BINARY}, {prose_line, 222218, WS_BINARY},
        {html_line, 263647, WS_TEXT}, {noise_line, 1042328, WS_BINARY},
};

/* Texts are ASCII, as they are cut anywhere. */
static unsigned char *
make_content(const struct content *content)
{
        uint32_t random = 2463534242u;
        struct ws_bytes b = {0};
        char line[256];

        while (b.len < content->size) {
                size_t len = (size_t)content->line(line, sizeof line, &random);

                ws_bytes_add(&b, line, len < content->size - b.len ? len : content->size - b.len);
        }
        if (content->op == WS_TEXT)
                for (size_t i = 0; i < b.len; i++)
                        b.data[i] &= 0x7f;
        return b.data;
}

/* ---- cases */

/*
 * 18 sizes and fragments. That suite sends 1,000 messages each time; here they are 100 at most, and about 1 MiB, which
 * is still many windows.
 */
static void
all_sizes(ws_case_fn fn, void *arg, struct ws_case *c, const struct content *content)
{
        static const struct {
                size_t size, fragment;
        } sizes[] = {{16, 0},      {64, 0},      {256, 0},      {1024, 0},      {4096, 0},      {8192, 0},
                     {16384, 0},   {32768, 0},   {65536, 0},    {131072, 0},    {8192, 256},    {16384, 256},
                     {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768}};
        unsigned char *data = make_content(content);
        size_t end = strlen(c->id);

        for (size_t i = 0; i < COUNT(sizes); i++) {
                size_t count = WS_VOLUME / sizes[i].size;
                struct ws_series s = {.data = data,
                                      .data_len = content->size,
                                      .op = content->op,
                                      .size = sizes[i].size,
                                      .fragment = sizes[i].fragment,
                                      .count = count > WS_MESSAGES ? WS_MESSAGES : (int)count};

                snprintf(c->id + end, sizeof c->id - end, ".%zu", i + 1);
                c->series = &s;
                fn(c, arg);
        }
        free(data);
}

#define OFFER "permessage-deflate; client_no_context_takeover; client_max_window_bits"

void
ws_section_12(ws_case_fn fn, void *arg)
{
        for (size_t i = 0; i < COUNT(contents); i++) {
                struct ws_case c = {.offers = OFFER};

                snprintf(c.id, sizeof c.id, "12.%zu", i + 1);
                all_sizes(fn, arg, &c, &contents[i]);
        }
}

/* What a client offers for the server, and what a server asks of the client. */
static const struct {
        const char *offers;
        struct ws_deflate asks;
} parameters[] = {
        {OFFER, {.on = true}},
        {OFFER "; server_no_context_takeover", {.client_resets = true}},
        {OFFER "; server_max_window_bits=9", {.client_bits = 9}},
        {OFFER "; server_max_window_bits=15", {.client_bits = 15}},
        {OFFER "; server_no_context_takeover; server_max_window_bits=9", {.client_resets = true, .client_bits = 9}},
        {OFFER "; server_no_context_takeover; server_max_window_bits=15", {.client_resets = true, .client_bits = 15}},
        {OFFER "; server_no_context_takeover; server_max_window_bits=9, " OFFER "; server_no_context_takeover, " OFFER,
         {.client_resets = true, .client_bits = 9}},
};

void
ws_section_13(ws_case_fn fn, void *arg)
{
        for (size_t i = 0; i < COUNT(parameters); i++) {
                struct ws_case c = {.offers = parameters[i].offers, .asks = parameters[i].asks};

                snprintf(c.id, sizeof c.id, "13.%zu", i + 1);
                all_sizes(fn, arg, &c, &contents[0]);
        }
}
