/*
 * Fuzzing of the texts of WebSocket handshakes: extensions, as a server and a client look at them; URLs; answers to a
 * client.
 *
 * The low two bits of the first byte pick one of them, the others options; the rest is the text, in memory that ends where
 * the text does. What is accepted is held to what the RFCs say of it.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined and the library; -dict=ws_text.dict. With -DGREEN_FUZZ_MAIN it
 * is a program, see fuzz_main.h.
 */
#include "../../web/ws_client_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 4096, TAKEOVER = 4, SMALL_SERVER = 8, SMALL_CLIENT = 16, NONE = 32 };

#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_ws_text.c:%d: does not hold: %s\n", __LINE__, #expr);                    \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

static struct green_websocket_opts
options_of(unsigned bits)
{
        static const char *const protocols[] = {"chat", "superchat", NULL};
        struct green_websocket_opts o = {.size = sizeof o, .protocols = protocols};

        o.context_takeover = (bits & TAKEOVER) != 0;
        o.server_max_window_bits = bits & SMALL_SERVER ? 11 : 15;
        o.client_max_window_bits = bits & SMALL_CLIENT ? 10 : 15;
        o.no_deflate = (bits & NONE) != 0;
        return o;
}

/* ---- extensions */

static bool
said(const char *text, const char *name)
{
        return strstr(text, name) != NULL;
}

/* The server's own answer: this library's client, which has offered as much, takes it, and the same comes of it. */
static void
test_offers(const char *text, unsigned bits)
{
        struct green_websocket_opts o = options_of(bits), as_client = options_of(TAKEOVER);
        char answer[GREEN__WS_EXTENSION_MAX];
        struct green__ws_params p, back;

        memset(answer, 'x', sizeof answer);
        if (!green__ws_extension_accept(text, &o, &p, answer))
                return;
        MUST(!o.no_deflate && memchr(answer, '\0', sizeof answer) != NULL);
        MUST(p.server_bits >= 8 && p.server_bits <= o.server_max_window_bits);
        MUST(p.client_bits >= 8 && p.client_bits <= 15);
        MUST(o.context_takeover || (p.server_no_takeover && p.client_no_takeover));
        MUST(p.server_no_takeover == said(answer, "server_no_context_takeover"));
        MUST(p.client_no_takeover == said(answer, "client_no_context_takeover"));
        MUST(p.server_bits == 15 || said(answer, "server_max_window_bits="));
        MUST(p.client_bits == 15 || said(answer, "client_max_window_bits="));
        as_client.context_takeover = true;
        MUST(green__ws_extension_agree(answer, &as_client, &back));
        MUST(back.server_bits == p.server_bits && back.client_bits == p.client_bits);
        MUST(back.server_no_takeover == p.server_no_takeover && back.client_no_takeover == p.client_no_takeover);
}

static void
test_agree(const char *text, unsigned bits)
{
        struct green_websocket_opts o = options_of(bits);
        struct green__ws_params p;

        if (!green__ws_extension_agree(text, &o, &p))
                return;
        MUST(!o.no_deflate);
        MUST(p.server_bits >= 8 && p.server_bits <= o.server_max_window_bits);
        MUST(p.client_bits >= 8 && p.client_bits <= o.client_max_window_bits);
        MUST(o.context_takeover || (p.server_no_takeover && p.client_no_takeover));
}

/* ---- URLs */

static bool
is_clean(const char *text)
{
        for (; *text != '\0'; text++)
                if (*text <= ' ' || *text >= 0x7f)
                        return false;
        return true;
}

static void
test_url(const char *text)
{
        struct green__url u = {0}, again = {0};
        char *whole;
        size_t len;

        if (green__ws_url_parse(text, &u) != 0) {
                MUST(u.text == NULL && green_last_error()->code == -EINVAL);
                return;
        }
        MUST(is_clean(u.host) && is_clean(u.name) && is_clean(u.address) && is_clean(u.target));
        MUST(*u.host != '\0' && *u.name != '\0' && u.target[0] == '/' && strchr(u.target, '#') == NULL);
        MUST(strchr(u.host, '@') == NULL && strchr(u.host, '/') == NULL && strchr(u.address, ':') != NULL);
        /* What came out, put together again, leads to the same place. */
        len = strlen(u.address) + strlen(u.target) + 8;
        whole = malloc(len);
        MUST(whole != NULL);
        snprintf(whole, len, "%s://%s%s", u.tls ? "wss" : "ws", u.address, u.target);
        MUST(green__ws_url_parse(whole, &again) == 0);
        MUST(again.tls == u.tls && strcmp(again.host, u.host) == 0 && strcmp(again.name, u.name) == 0);
        MUST(strcmp(again.address, u.address) == 0 && strcmp(again.target, u.target) == 0);
        free(whole);
        green_free(u.text);
        green_free(again.text);
}

/* ---- answers */

static ssize_t
take(const char *text, size_t len, const green_websocket_site *site, struct green__ws_agreed *agreed)
{
        char *copy = malloc(len > 0 ? len : 1);
        ssize_t rc;

        MUST(copy != NULL);
        if (len > 0)
                memcpy(copy, text, len);
        rc = green__ws_answer_take(copy, len, ACCEPT, site, agreed);
        MUST(rc == -EPROTO || (rc >= 0 && (size_t)rc <= len));
        free(copy);
        return rc;
}

/* However much of it has come: the same in the end, and no refusal is taken back. */
static void
test_answer(const char *text, size_t len, unsigned bits)
{
        struct green_websocket_opts o = options_of(bits);
        green_websocket_site site = {.protocols = (const char **)(uintptr_t)o.protocols, .opts = o};
        struct green__ws_agreed agreed;
        ssize_t whole = take(text, len, &site, &agreed);
        size_t step = 1 + len / 64;

        if (whole > 0) {
                MUST(memcmp(text, "HTTP/1.1 101", 12) == 0 && memcmp(text + whole - 2, "\r\n", 2) == 0);
                MUST(agreed.protocol == NULL || agreed.protocol == o.protocols[0] || agreed.protocol == o.protocols[1]);
                MUST(!agreed.deflate || !o.no_deflate);
        }
        for (size_t n = 0; n < len; n += step) {
                ssize_t part = take(text, n, &site, &agreed);

                if (whole > 0)
                        MUST(part == (n < (size_t)whole ? 0 : whole));
                else if (whole == 0)
                        MUST(part == 0);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        size_t len = size - 1;
        char *text;

        if (size < 1 || size > MAX_INPUT)
                return 0;
        text = malloc(len + 1);
        MUST(text != NULL);
        memcpy(text, data + 1, len);
        text[len] = '\0';
        switch (data[0] & 3) {
        case 0: test_offers(text, data[0]); break;
        case 1: test_agree(text, data[0]); break;
        case 2: test_url(text); break;
        default: test_answer(text, len, data[0]); break;
        }
        free(text);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

#define HEAD "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"

/* The first bytes are signs for people to read; their bits count. */
static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES("@permessage-deflate"),
        FUZZ_BYTES("Dpermessage-deflate; client_max_window_bits, permessage-deflate;server_max_window_bits=10"),
        FUZZ_BYTES("Hx-webkit-deflate-frame, permessage-deflate; server_no_context_takeover; client_max_window_bits=\"9\""),
        FUZZ_BYTES("\\permessage-deflate; server_max_window_bits=8; client_no_context_takeover"),
        FUZZ_BYTES("Epermessage-deflate; server_max_window_bits=12; client_max_window_bits=9"),
        FUZZ_BYTES("Apermessage-deflate; server_no_context_takeover"),
        FUZZ_BYTES("]permessage-deflate ; server_max_window_bits = \"11\"; client_max_window_bits=10"),
        FUZZ_BYTES("Bws://example.com:8080/a/b?c=d"),
        FUZZ_BYTES("BWSS://[::1]:443?x"),
        FUZZ_BYTES("Bwss://127.0.0.1"),
        FUZZ_BYTES("C" HEAD "\r\n"),
        FUZZ_BYTES("G" HEAD "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        FUZZ_BYTES("CHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("permessage-deflate"), FUZZ_BYTES("; server_no_context_takeover"),
        FUZZ_BYTES("; client_no_context_takeover"), FUZZ_BYTES("; server_max_window_bits"),
        FUZZ_BYTES("; client_max_window_bits"), FUZZ_BYTES("=15"), FUZZ_BYTES("=8"), FUZZ_BYTES("=\"9\""), FUZZ_BYTES(","),
        FUZZ_BYTES(";"), FUZZ_BYTES("="), FUZZ_BYTES("\""), FUZZ_BYTES(" "), FUZZ_BYTES("\t"), FUZZ_BYTES("ws://"),
        FUZZ_BYTES("wss://"), FUZZ_BYTES(":80"), FUZZ_BYTES("/"), FUZZ_BYTES("?"), FUZZ_BYTES("#"), FUZZ_BYTES("@"),
        FUZZ_BYTES("[::1]"), FUZZ_BYTES("%41"), FUZZ_BYTES("\r\n"), FUZZ_BYTES("\r\n\r\n"), FUZZ_BYTES("\0"),
        FUZZ_BYTES("Upgrade: websocket\r\n"), FUZZ_BYTES("Connection: Upgrade\r\n"),
        FUZZ_BYTES("Sec-WebSocket-Accept: " ACCEPT "\r\n"), FUZZ_BYTES("Sec-WebSocket-Protocol: superchat\r\n"),
        FUZZ_BYTES("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
