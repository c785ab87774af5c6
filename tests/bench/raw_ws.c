/*
 * The floor of the WebSocket benchmarks, a bare epoll loop: one recv a message, unmasked where it lies, and one send, with
 * the head before it in the same place; what is longer than a receive is collected first. raw_ws level|edge|broadcast
 *
 * level, edge: how epoll reports. broadcast: as edge, and a message goes to all connections.
 *
 * Its handshake looks for the key only, and a peer that breaks the rules is cut.
 */
#include "bench_ws.h"

#include <sys/epoll.h>

#define BATCH 256
#define BUFFER 65536
#define KEY 24 /* characters of a key */

struct conn {
        int fd, upgraded;
        size_t at;          /* its place among all */
        unsigned char *buf; /* what has come of a message that is not whole; NULL: nothing ever was */
        size_t have, room;
        size_t unmasked; /* bytes of its payload */
        const unsigned char *unsent;
        size_t n_unsent; /* 0: nothing */
};

static unsigned char shared[BUFFER];
static int ep, listener, broadcasts;
static uint32_t interest;
static struct conn **all;
static size_t n_all, all_room;

/* ---- the handshake */

static uint32_t
turn(uint32_t x, unsigned n)
{
        return x << n | x >> (32 - n);
}

/* A block of SHA-1 (FIPS 180-4). */
static void
sha1_block(uint32_t *h, const unsigned char *block)
{
        static const uint32_t constants[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

        for (size_t i = 0; i < 16; i++)
                w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
        for (size_t i = 16; i < 80; i++)
                w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (size_t i = 0; i < 80; i++) {
                uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
                uint32_t next = turn(a, 5) + f + e + constants[i / 20] + w[i];

                e = d;
                d = c;
                c = turn(b, 30);
                b = a;
                a = next;
        }
        h[0] += a;
        h[1] += b;
        h[2] += c;
        h[3] += d;
        h[4] += e;
}

/* Sec-WebSocket-Accept of a key, 28 characters: the base64 of SHA-1 of both, which are 60 bytes and so two blocks. */
static void
accept_of(const char *key, char *accept)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        uint32_t h[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
        unsigned char blocks[128] = {0}, digest[21] = {0};

        memcpy(blocks, key, KEY);
        memcpy(blocks + KEY, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
        blocks[60] = 0x80;
        blocks[126] = 60 * 8 >> 8;
        blocks[127] = 60 * 8 & 255;
        sha1_block(h, blocks);
        sha1_block(h, blocks + 64);
        for (size_t i = 0; i < 20; i++)
                digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
        for (size_t i = 0; i < 28; i++) {
                const unsigned char *three = digest + i / 4 * 3;
                uint32_t bits = (uint32_t)three[0] << 16 | (uint32_t)three[1] << 8 | three[2];

                accept[i] = alphabet[bits >> (18 - 6 * (i % 4)) & 63];
        }
        accept[27] = '=';
        accept[28] = '\0';
}

/* The request, which has come whole, or the connection is cut. */
static int
upgrade(struct conn *c, char *request, size_t len)
{
        static const char field[] = "\r\nSec-WebSocket-Key: ";
        char answer[256], accept[29], *key;
        int n;

        request[len] = '\0';
        key = strcasestr(request, field);
        if (key == NULL || strstr(request, "\r\n\r\n") == NULL || strlen(key) < sizeof field + KEY)
                return 0;
        accept_of(key + sizeof field - 1, accept);
        n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
        c->upgraded = 1;
        return send(c->fd, answer, (size_t)n, MSG_NOSIGNAL) == n;
}

/* ---- messages */

static int
watch(struct conn *c, int how, uint32_t events)
{
        struct epoll_event ev = {.events = events, .data = {.ptr = c}};

        return epoll_ctl(ep, how, c->fd, &ev) == 0;
}

/* What the system does not take waits for EPOLLOUT, in a buffer that is the connection's. */
static int
push(struct conn *c, const unsigned char *data, size_t len)
{
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
                return 0;
        if (n == (ssize_t)len)
                return 1;
        c->unsent = data + (n > 0 ? n : 0);
        c->n_unsent = len - (size_t)(n > 0 ? n : 0);
        return c->buf != NULL && data >= c->buf && data < c->buf + c->room && watch(c, EPOLL_CTL_MOD, EPOLLOUT);
}

static int
push_on(struct conn *c)
{
        ssize_t n = send(c->fd, c->unsent, c->n_unsent, MSG_NOSIGNAL);

        if (n <= 0)
                return n < 0 && errno == EAGAIN;
        c->unsent += n;
        c->n_unsent -= (size_t)n;
        return c->n_unsent > 0 || watch(c, EPOLL_CTL_MOD, interest);
}

/* A message, unmasked, behind at least 4 bytes more than its new head needs. */
static int
reply(struct conn *c, unsigned char *payload, const struct bench_ws_frame *frame)
{
        unsigned char head[BENCH_WS_HEAD];
        size_t n = bench_ws_head(head, frame->opcode, frame->len, NULL);

        memcpy(payload - n, head, n);
        if (!broadcasts)
                return push(c, payload - n, n + frame->len);
        for (size_t i = 0; i < n_all; i++)
                bench_check(send(all[i]->fd, payload - n, n + frame->len, MSG_NOSIGNAL) == (ssize_t)(n + frame->len),
                            "a broadcast");
        return 1;
}

static int
good(const struct bench_ws_frame *frame)
{
        return frame->final && frame->masked && frame->len <= BENCH_WS_LARGE &&
               (frame->opcode == BENCH_WS_TEXT || frame->opcode == BENCH_WS_BINARY);
}

/* From now on into a buffer of its own, which has room for the whole message and is kept. */
static int
collect(struct conn *c, const unsigned char *data, size_t len)
{
        if (c->buf == NULL) {
                c->room = BENCH_WS_HEAD + BENCH_WS_LARGE;
                c->buf = malloc(c->room);
                bench_check(c->buf != NULL, "malloc");
        }
        memcpy(c->buf, data, len);
        c->have = len;
        c->unmasked = 0;
        return 1;
}

/* Bytes that have come while nothing was collected. */
static int
take_shared(struct conn *c, size_t len)
{
        struct bench_ws_frame frame;
        size_t at = 0;

        while (bench_ws_parse(shared + at, len - at, &frame) && good(&frame) && len - at >= frame.head + frame.len) {
                at += frame.head;
                bench_ws_mask(shared + at, frame.len, frame.mask, 0);
                if (!reply(c, shared + at, &frame))
                        return 0;
                at += frame.len;
        }
        return at == len || collect(c, shared + at, len - at);
}

/* One that is being collected: what has come is unmasked while it is in the cache. */
static int
take_collected(struct conn *c)
{
        struct bench_ws_frame frame;
        size_t whole;

        if (!bench_ws_parse(c->buf, c->have, &frame))
                return 1;
        whole = frame.head + frame.len;
        /* One message at a time. */
        if (!good(&frame) || c->have > whole)
                return 0;
        bench_ws_mask(c->buf + frame.head + c->unmasked, c->have - frame.head - c->unmasked, frame.mask, c->unmasked);
        c->unmasked = c->have - frame.head;
        if (c->have < whole)
                return 1;
        c->have = 0;
        return reply(c, c->buf + frame.head, &frame);
}

static int
hear(struct conn *c)
{
        size_t room;
        ssize_t n;

        do {
                unsigned char *to = c->have > 0 ? c->buf + c->have : shared;

                room = c->have > 0 ? c->room - c->have : sizeof shared - 1;
                n = recv(c->fd, to, room, 0);
                if (n <= 0)
                        return n < 0 && errno == EAGAIN;
                if (!c->upgraded) {
                        if (!upgrade(c, (char *)shared, (size_t)n))
                                return 0;
                } else if (c->have > 0) {
                        c->have += (size_t)n;
                        if (!take_collected(c))
                                return 0;
                } else if (!take_shared(c, (size_t)n)) {
                        return 0;
                }
        } while (n == (ssize_t)room && c->n_unsent == 0);
        return 1;
}

/* ---- connections */

static void
accept_all(void)
{
        int fd;

        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct conn *c = calloc(1, sizeof *c);

                bench_check(c != NULL, "calloc");
                c->fd = fd;
                bench_check(watch(c, EPOLL_CTL_ADD, interest), "epoll_ctl");
                if (n_all == all_room) {
                        all_room = 2 * all_room + 64;
                        all = realloc(all, all_room * sizeof *all);
                        bench_check(all != NULL, "realloc");
                }
                c->at = n_all;
                all[n_all++] = c;
        }
}

static void
cut(struct conn *c)
{
        all[c->at] = all[--n_all];
        all[c->at]->at = c->at;
        close(c->fd);
        free(c->buf);
        free(c);
}

int
main(int argc, char **argv)
{
        struct epoll_event evs[BATCH], ev = {.events = EPOLLIN, .data = {.ptr = NULL}};
        const char *how = argc > 1 ? argv[1] : "edge";

        interest = strcmp(how, "level") == 0 ? EPOLLIN : EPOLLIN | EPOLLET;
        broadcasts = strcmp(how, "broadcast") == 0;
        ep = epoll_create1(EPOLL_CLOEXEC);
        listener = bench_listen();
        bench_check(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) == 0, "epoll");
        bench_announce(listener);
        for (;;) {
                int n = epoll_wait(ep, evs, BATCH, -1);

                for (int i = 0; i < n; i++) {
                        struct conn *c = evs[i].data.ptr;

                        if (c == NULL)
                                accept_all();
                        else if (!(c->n_unsent > 0 ? push_on(c) : hear(c)))
                                cut(c);
                }
        }
}
