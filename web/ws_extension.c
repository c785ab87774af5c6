/*
 * Negotiating permessage-deflate. See ws_extension_priv.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <green/http.h>
#include <green/websocket.h>

#include "http1_char_priv.h"
#include "ws_extension_priv.h"

enum { UNSAID = 0, FLAG = 1 }; /* of a window's bits: not there; there without a value */

/* The parameters of one offer, or of an answer, as they stand there. */
struct said {
        bool server_no_takeover, client_no_takeover;
        uint8_t server_bits, client_bits; /* UNSAID, FLAG, 8 to 15 */
};

/* ---- grammar */

static void
skip_space(struct green_http_part *p)
{
        while (p->len > 0 && (p->data[0] == ' ' || p->data[0] == '\t')) {
                p->data++;
                p->len--;
        }
}

static struct green_http_part
take_token(struct green_http_part *p)
{
        struct green_http_part token = {p->data, 0};

        while (p->len > 0 && green__http1_is((uint8_t)p->data[0], GREEN__CHAR_TOKEN)) {
                p->data++;
                p->len--;
                token.len++;
        }
        return token;
}

static bool
take_char(struct green_http_part *p, char c)
{
        skip_space(p);
        if (p->len == 0 || p->data[0] != c)
                return false;
        p->data++;
        p->len--;
        skip_space(p);
        return true;
}

/* A token, or one in quotes: what is quoted has to be a token too (RFC 6455 9.1). */
static bool
take_value(struct green_http_part *p, struct green_http_part *ret_value)
{
        bool quoted = p->len > 0 && p->data[0] == '"';

        if (quoted) {
                p->data++;
                p->len--;
        }
        *ret_value = take_token(p);
        if (ret_value->len == 0)
                return false;
        if (!quoted)
                return true;
        if (p->len == 0 || p->data[0] != '"')
                return false;
        p->data++;
        p->len--;
        return true;
}

static bool
is_word(struct green_http_part part, const char *word)
{
        return part.len == strlen(word) && strncasecmp(part.data, word, part.len) == 0;
}

/* 8 to 15, without zeros before it. */
static uint8_t
bits_of(struct green_http_part value)
{
        if (value.len == 1 && (value.data[0] == '8' || value.data[0] == '9'))
                return (uint8_t)(value.data[0] - '0');
        if (value.len == 2 && value.data[0] == '1' && value.data[1] >= '0' && value.data[1] <= '5')
                return (uint8_t)(10 + value.data[1] - '0');
        return 0;
}

static bool
set_flag(bool *flag, bool has_value)
{
        if (*flag || has_value)
                return false;
        return *flag = true;
}

static bool
set_bits(uint8_t *bits, bool has_value, struct green_http_part value)
{
        if (*bits != UNSAID)
                return false;
        *bits = has_value ? bits_of(value) : FLAG;
        return *bits != 0;
}

/* One parameter. False: nobody knows it, it stands there twice, or its value cannot be. */
static bool
set_param(struct said *said, struct green_http_part name, bool has_value, struct green_http_part value)
{
        if (is_word(name, "server_no_context_takeover"))
                return set_flag(&said->server_no_takeover, has_value);
        if (is_word(name, "client_no_context_takeover"))
                return set_flag(&said->client_no_takeover, has_value);
        if (is_word(name, "server_max_window_bits"))
                return set_bits(&said->server_bits, has_value, value);
        if (is_word(name, "client_max_window_bits"))
                return set_bits(&said->client_bits, has_value, value);
        return false;
}

/* One item of the list. */
static bool
parse(struct green_http_part item, struct said *said)
{
        *said = (struct said){false, false, UNSAID, UNSAID};
        if (!is_word(take_token(&item), "permessage-deflate"))
                return false;
        while (take_char(&item, ';')) {
                struct green_http_part name = take_token(&item), value = {NULL, 0};
                bool has_value = take_char(&item, '=');

                if (name.len == 0 || (has_value && !take_value(&item, &value)) ||
                    !set_param(said, name, has_value, value))
                        return false;
        }
        return item.len == 0;
}

/* ---- server */

static uint8_t
smaller(uint8_t said, int own)
{
        return said == UNSAID || said == FLAG || said > own ? (uint8_t)own : said;
}

static size_t
put(char *text, size_t at, const char *name, int value)
{
        int n = value == 0 ? snprintf(text + at, GREEN__WS_EXTENSION_MAX - at, "; %s", name)
                           : snprintf(text + at, GREEN__WS_EXTENSION_MAX - at, "; %s=%d", name, value);

        return at + (size_t)n;
}

static size_t
put_name(char *text)
{
        static const char name[] = "permessage-deflate";

        memcpy(text, name, sizeof(name));
        return sizeof(name) - 1;
}

static void
answer(const struct said *said, const struct green_websocket_opts *opts, struct green__ws_params *agreed, char *text)
{
        size_t at = put_name(text);

        agreed->server_no_takeover = said->server_no_takeover || !opts->context_takeover;
        agreed->client_no_takeover = said->client_no_takeover || !opts->context_takeover;
        agreed->server_bits = smaller(said->server_bits, opts->server_max_window_bits);
        /* A client that has not said so cannot make its window smaller. */
        agreed->client_bits = said->client_bits == UNSAID ? 15 : smaller(said->client_bits, opts->client_max_window_bits);
        if (agreed->server_no_takeover)
                at = put(text, at, "server_no_context_takeover", 0);
        if (agreed->client_no_takeover)
                at = put(text, at, "client_no_context_takeover", 0);
        if (said->server_bits != UNSAID || agreed->server_bits < 15)
                at = put(text, at, "server_max_window_bits", agreed->server_bits);
        if (said->client_bits != UNSAID)
                (void)put(text, at, "client_max_window_bits", agreed->client_bits);
}

bool
green__ws_extension_accept(const char *offers, const struct green_websocket_opts *opts,
                           struct green__ws_params *ret_agreed, char text[GREEN__WS_EXTENSION_MAX])
{
        struct green_http_part rest = {offers, strlen(offers)}, item;
        struct said said;

        if (opts->no_deflate)
                return false;
        while (green_http_next_item(&rest, &item)) {
                if (!parse(item, &said))
                        continue;
                answer(&said, opts, ret_agreed, text);
                return true;
        }
        return false;
}

/* ---- client */

void
green__ws_extension_offer(const struct green_websocket_opts *opts, char text[GREEN__WS_EXTENSION_MAX])
{
        size_t at = put_name(text);

        if (!opts->context_takeover) {
                at = put(text, at, "server_no_context_takeover", 0);
                at = put(text, at, "client_no_context_takeover", 0);
        }
        if (opts->server_max_window_bits < 15)
                at = put(text, at, "server_max_window_bits", opts->server_max_window_bits);
        (void)put(text, at, "client_max_window_bits", opts->client_max_window_bits < 15 ? opts->client_max_window_bits : 0);
}

/* An answer says bits with a value, and no more than were offered. */
static bool
answered_bits(uint8_t said, int offered, uint8_t unsaid, uint8_t *ret_bits)
{
        *ret_bits = said == UNSAID ? unsaid : said;
        return said != FLAG && (said == UNSAID || said <= offered);
}

bool
green__ws_extension_agree(const char *text, const struct green_websocket_opts *opts, struct green__ws_params *ret_agreed)
{
        struct green_http_part rest = {text, strlen(text)}, item;
        struct said said;

        if (opts->no_deflate || !green_http_next_item(&rest, &item) || !parse(item, &said) ||
            green_http_next_item(&rest, &item))
                return false;
        /* Without context takeover and with a small window are what was asked for: a server that does not do so may not agree. */
        if (!opts->context_takeover && !said.server_no_takeover)
                return false;
        if (opts->server_max_window_bits < 15 && said.server_bits == UNSAID)
                return false;
        ret_agreed->server_no_takeover = said.server_no_takeover;
        ret_agreed->client_no_takeover = said.client_no_takeover || !opts->context_takeover;
        return answered_bits(said.server_bits, opts->server_max_window_bits, 15, &ret_agreed->server_bits) &&
               answered_bits(said.client_bits, opts->client_max_window_bits, (uint8_t)opts->client_max_window_bits,
                             &ret_agreed->client_bits);
}
