/* One end of a WebSocket for tests: handshakes. */
#include "ws_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 6455 1.3: a key, and the answer to it. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define KEY_ANSWER "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* ---- SHA-1 of a short text, in base64 */

static uint32_t
turn(uint32_t x, int bits)
{
        return x << bits | x >> (32 - bits);
}

static void
sha1_block(uint32_t h[5], const unsigned char *block)
{
        static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
        uint32_t w[80], v[5];

        memcpy(v, h, sizeof v);
        for (int i = 0; i < 80; i++) {
                uint32_t f = i < 20   ? (v[1] & v[2]) | (~v[1] & v[3])
                             : i < 40 ? v[1] ^ v[2] ^ v[3]
                             : i < 60 ? (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])
                                      : v[1] ^ v[2] ^ v[3];

                if (i < 16)
                        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
                else
                        w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
                f += turn(v[0], 5) + v[4] + k[i / 20] + w[i];
                v[4] = v[3];
                v[3] = v[2];
                v[2] = turn(v[1], 30);
                v[1] = v[0];
                v[0] = f;
        }
        for (int i = 0; i < 5; i++)
                h[i] += v[i];
}

static void
accept_text(const char *key, char text[29])
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
        unsigned char block[128] = {0}, sum[21] = {0};
        int len = snprintf((char *)block, sizeof block, "%s" GUID, key);

        block[len] = 0x80;
        block[126] = (unsigned char)(len * 8 >> 8);
        block[127] = (unsigned char)(len * 8);
        sha1_block(h, block);
        sha1_block(h, block + 64);
        for (int i = 0; i < 20; i++)
                sum[i] = (unsigned char)(h[i / 4] >> (24 - i % 4 * 8));
        for (int i = 0; i < 28; i++) {
                unsigned three =
                        (unsigned)sum[i / 4 * 3] << 16 | (unsigned)sum[i / 4 * 3 + 1] << 8 | sum[i / 4 * 3 + 2];

                text[i] = digits[three >> (18 - i % 4 * 6) & 63];
        }
        text[27] = '=';
        text[28] = '\0';
}

/* ---- heads */

/* Receives up to the empty line; what is behind it stays. */
static bool
read_head(struct ws_peer *p, char *head, size_t size)
{
        for (;;) {
                const char *in = (const char *)p->in + p->in_at;
                const char *end = memmem(in, p->in_len, "\r\n\r\n", 4);

                if (end != NULL && (size_t)(end - in) < size) {
                        size_t len = (size_t)(end - in);

                        memcpy(head, in, len);
                        head[len] = '\0';
                        p->in_at += len + 4;
                        p->in_len -= len + 4;
                        return true;
                }
                if (end != NULL || p->in_len >= size)
                        return ws_peer_wrong(p, "handshake: a head is too long");
                if (ws_peer_more(p, p->patience) != WS_EVENT)
                        return ws_peer_wrong(p, "handshake: the head does not come");
        }
}

/* A field's value, copied; NULL if there is none. Two of a name are wrong here. */
static const char *
field(const char *head, const char *name, char value[512])
{
        size_t len = strlen(name);
        const char *found = NULL;

        for (const char *line = head; (line = strstr(line, "\r\n")) != NULL;) {
                line += 2;
                if (strncasecmp(line, name, len) != 0 || line[len] != ':')
                        continue;
                if (found != NULL)
                        return NULL;
                found = line + len + 1;
        }
        if (found == NULL)
                return NULL;
        found += strspn(found, " \t");
        snprintf(value, 512, "%.*s", (int)strcspn(found, "\r"), found);
        return value;
}

static bool
field_is(struct ws_peer *p, const char *head, const char *name, const char *want)
{
        char value[512];
        const char *got = field(head, name, value);

        if (got != NULL && strcasecmp(got, want) == 0)
                return true;
        return ws_peer_wrong(p, "handshake: %s is %s", name, got != NULL ? got : "not there, or there twice");
}

static bool
has_token(struct ws_peer *p, const char *head, const char *name, const char *token)
{
        char value[512];

        if (field(head, name, value) != NULL)
                for (const char *s = value; *s != '\0'; s += strspn(s, ", \t")) {
                        size_t len = strcspn(s, ", \t");

                        if (len == strlen(token) && strncasecmp(s, token, len) == 0)
                                return true;
                        s += len;
                }
        return ws_peer_wrong(p, "handshake: %s lacks %s", name, token);
}

/* ---- permessage-deflate */

static const char *
next_word(const char **s, char word[64])
{
        size_t len;

        *s += strspn(*s, " \t");
        len = strcspn(*s, " \t;,=");
        snprintf(word, 64, "%.*s", (int)len, *s);
        *s += len;
        *s += strspn(*s, " \t");
        return word;
}

/* 8 to 15, without a zero in front; 0 otherwise. */
static int
window_bits(const char *value)
{
        int bits = atoi(value);
        char text[16];

        snprintf(text, sizeof text, "%d", bits);
        return bits >= 8 && bits <= 15 && strcmp(text, value) == 0 ? bits : 0;
}

static bool
deflate_param(struct ws_deflate *d, const char *name, const char *value)
{
        bool once;

        if (strcasecmp(name, "server_no_context_takeover") == 0 ||
            strcasecmp(name, "client_no_context_takeover") == 0) {
                bool *resets = name[0] == 's' || name[0] == 'S' ? &d->server_resets : &d->client_resets;

                once = !*resets;
                *resets = true;
                return once && value == NULL;
        }
        if (strcasecmp(name, "client_max_window_bits") == 0) {
                once = d->client_bits == 0 && !d->client_bits_any;
                d->client_bits_any = value == NULL;
                d->client_bits = value == NULL ? 0 : window_bits(value);
                return once && (value == NULL || d->client_bits != 0);
        }
        if (strcasecmp(name, "server_max_window_bits") != 0 || value == NULL || d->server_bits != 0)
                return false;
        d->server_bits = window_bits(value);
        return d->server_bits != 0;
}

/* One element of the list. False: it is not permessage-deflate, or not as RFC 7692 has it. */
static bool
read_deflate(const char **s, struct ws_deflate *d)
{
        char word[64], value[64];
        bool good;

        *d = (struct ws_deflate){.on = true};
        good = strcasecmp(next_word(s, word), "permessage-deflate") == 0;
        while (**s == ';') {
                bool has_value;

                (*s)++;
                next_word(s, word);
                has_value = **s == '=';
                if (has_value) {
                        (*s)++;
                        *s += strspn(*s, "\"");
                        next_word(s, value);
                        value[strcspn(value, "\"")] = '\0';
                }
                good = deflate_param(d, word, has_value ? value : NULL) && good;
        }
        if (**s == ',')
                (*s)++;
        else if (**s != '\0')
                return *s += strlen(*s), false;
        return good;
}

/* RFC 7692 7.1: may this answer be given to that offer? */
static bool
fits(const struct ws_deflate *answer, const struct ws_deflate *offer)
{
        if (offer->server_resets && !answer->server_resets)
                return false;
        if (offer->server_bits != 0 && (answer->server_bits == 0 || answer->server_bits > offer->server_bits))
                return false;
        if (answer->client_bits_any)
                return false;
        if (answer->client_bits != 0 && !offer->client_bits_any && offer->client_bits == 0)
                return false;
        return offer->client_bits == 0 || answer->client_bits <= offer->client_bits;
}

static void
agree(struct ws_peer *p, const struct ws_deflate *d)
{
        p->deflate = *d;
        if (p->deflate.server_bits == 0)
                p->deflate.server_bits = 15;
        if (p->deflate.client_bits == 0)
                p->deflate.client_bits = 15;
}

static bool
take_answer(struct ws_peer *p, const char *answer, const char *offers)
{
        struct ws_deflate given, offer;
        const char *s = answer;

        if (offers == NULL)
                return ws_peer_wrong(p, "handshake: an extension that nobody has offered: %s", answer);
        if (!read_deflate(&s, &given) || *s != '\0')
                return ws_peer_wrong(p, "handshake: Sec-WebSocket-Extensions: %s", answer);
        while (*offers != '\0')
                if (read_deflate(&offers, &offer) && fits(&given, &offer)) {
                        agree(p, &given);
                        return true;
                }
        return ws_peer_wrong(p, "handshake: this fits no offer: %s", answer);
}

/* ---- a client's */

bool
ws_peer_ask(struct ws_peer *p, const char *host, const char *offers)
{
        char head[4096], value[512];
        const char *extensions;
        int len = snprintf(head, sizeof head,
                           "GET /echo HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                           host, offers != NULL ? "Sec-WebSocket-Extensions: " : "", offers != NULL ? offers : "",
                           offers != NULL ? "\r\n" : "");

        ws_bytes_add(&p->out, head, (size_t)len);
        ws_peer_flush(p, 0);
        if (!read_head(p, head, sizeof head))
                return false;
        if (strncmp(head, "HTTP/1.1 101 ", 13) != 0)
                return ws_peer_wrong(p, "handshake: %.60s", head);
        if (!field_is(p, head, "Upgrade", "websocket") || !has_token(p, head, "Connection", "upgrade"))
                return false;
        if (field(head, "Sec-WebSocket-Accept", value) == NULL || strcmp(value, KEY_ANSWER) != 0)
                return ws_peer_wrong(p, "handshake: no Sec-WebSocket-Accept, or a wrong one");
        if (field(head, "Sec-WebSocket-Protocol", value) != NULL)
                return ws_peer_wrong(p, "handshake: a protocol that nobody has offered: %s", value);
        extensions = field(head, "Sec-WebSocket-Extensions", value);
        return extensions == NULL || take_answer(p, extensions, offers);
}

/* ---- a server's */

/* Takes the first offer; the answer as text, with the field's name. */
static void
choose(struct ws_peer *p, const char *offers, const struct ws_deflate *asks, char text[256])
{
        struct ws_deflate d;
        size_t len = 0;

        while (*offers != '\0') {
                if (!read_deflate(&offers, &d))
                        continue;
                d.client_resets = d.client_resets || asks->client_resets;
                if (asks->client_bits != 0 && d.client_bits_any)
                        d.client_bits = asks->client_bits;
                d.client_bits_any = false;
                len += (size_t)snprintf(text, 256, "Sec-WebSocket-Extensions: permessage-deflate%s%s",
                                        d.server_resets ? "; server_no_context_takeover" : "",
                                        d.client_resets ? "; client_no_context_takeover" : "");
                if (d.server_bits != 0)
                        len += (size_t)snprintf(text + len, 256 - len, "; server_max_window_bits=%d", d.server_bits);
                if (d.client_bits != 0)
                        len += (size_t)snprintf(text + len, 256 - len, "; client_max_window_bits=%d", d.client_bits);
                snprintf(text + len, 256 - len, "\r\n");
                agree(p, &d);
                return;
        }
}

bool
ws_peer_answer(struct ws_peer *p, const struct ws_deflate *asks)
{
        char head[4096], value[512], extension[256] = "", accept[29];
        int len;

        if (!read_head(p, head, sizeof head))
                return false;
        if (strncmp(head, "GET /", 5) != 0 || strstr(head, " HTTP/1.1\r\n") == NULL)
                return ws_peer_wrong(p, "handshake: %.60s", head);
        if (p->in_len != 0)
                return ws_peer_wrong(p, "handshake: the client has not waited for the answer");
        if (field(head, "Host", value) == NULL || value[0] == '\0')
                return ws_peer_wrong(p, "handshake: no Host");
        if (!field_is(p, head, "Upgrade", "websocket") || !has_token(p, head, "Connection", "upgrade") ||
            !field_is(p, head, "Sec-WebSocket-Version", "13"))
                return false;
        if (asks != NULL && field(head, "Sec-WebSocket-Extensions", value) != NULL)
                choose(p, value, asks, extension);
        /* 16 bytes in base64. */
        if (field(head, "Sec-WebSocket-Key", value) == NULL || strlen(value) != 24 || strcmp(value + 22, "==") != 0 ||
            strchr("AQgw", value[21]) == NULL)
                return ws_peer_wrong(p, "handshake: no Sec-WebSocket-Key, or a bad one");
        accept_text(value, accept);
        len = snprintf(head, sizeof head,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                       accept, extension);
        ws_bytes_add(&p->out, head, (size_t)len);
        ws_peer_flush(p, 0);
        return true;
}
