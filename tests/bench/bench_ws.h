/*
 * What the WebSocket benchmarks share (RFC 6455): heads of frames and masks, for the load generator and the raw server;
 * and the client's half of the handshake. No extension is offered.
 */
#ifndef BENCH_WS_H
#define BENCH_WS_H

#include "bench_net.h"

#define BENCH_WS_CONTINUATION 0
#define BENCH_WS_TEXT 1
#define BENCH_WS_BINARY 2

#define BENCH_WS_FINAL 0x80  /* bit of the first byte */
#define BENCH_WS_MASKED 0x80 /* bit of the second */
#define BENCH_WS_HEAD 14     /* bytes of the longest head */

#define BENCH_WS_SMALL 64            /* bytes of a small message */
#define BENCH_WS_LARGE (1024 * 1024) /* of a large one */

/* The head of a frame, taken apart. */
struct bench_ws_frame {
        int final, opcode, masked;
        size_t head, len; /* bytes of the head, and of the payload */
        unsigned char mask[4];
};

/* Writes the head of a message in one frame: its length. mask: four bytes, or NULL for none. */
static inline size_t
bench_ws_head(unsigned char *head, int opcode, size_t len, const unsigned char *mask)
{
        size_t n = len < 126 ? 2 : len < 65536 ? 4 : 10;

        head[0] = (unsigned char)(BENCH_WS_FINAL | opcode);
        head[1] = (unsigned char)(n == 2 ? len : n == 4 ? 126 : 127);
        for (size_t i = 2; i < n; i++)
                head[i] = (unsigned char)((uint64_t)len >> 8 * (n - 1 - i));
        if (mask == NULL)
                return n;
        head[1] |= BENCH_WS_MASKED;
        memcpy(head + n, mask, 4);
        return n + 4;
}

/* Whether these bytes hold a whole head. */
static inline int
bench_ws_parse(const unsigned char *at, size_t n, struct bench_ws_frame *frame)
{
        size_t bytes;

        if (n < 2)
                return 0;
        frame->final = at[0] >> 7;
        frame->opcode = at[0] & 15;
        frame->masked = at[1] >> 7;
        frame->len = at[1] & 127;
        bytes = frame->len == 126 ? 2 : frame->len == 127 ? 8 : 0;
        frame->head = 2 + bytes + (frame->masked ? 4 : 0);
        if (n < frame->head)
                return 0;
        if (bytes > 0)
                frame->len = 0;
        for (size_t i = 0; i < bytes; i++)
                frame->len = frame->len << 8 | at[2 + i];
        if (frame->masked)
                memcpy(frame->mask, at + 2 + bytes, 4);
        return 1;
}

/* Masks, or unmasks, a piece of a payload that begins so many bytes into it. */
static inline void
bench_ws_mask(unsigned char *data, size_t len, const unsigned char *mask, size_t offset)
{
        unsigned char turned[8];
        uint64_t word, eight;
        size_t i = 0;

        for (size_t k = 0; k < 8; k++)
                turned[k] = mask[(offset + k) % 4];
        memcpy(&eight, turned, 8);
        for (; len - i >= 8; i += 8) {
                memcpy(&word, data + i, 8);
                word ^= eight;
                memcpy(data + i, &word, 8);
        }
        for (; i < len; i++)
                data[i] ^= turned[i % 8];
}

/* The example of RFC 6455 1.3. */
#define BENCH_WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define BENCH_WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* Connects and asks; the answer is bench_ws_upgraded()'s. */
static inline int
bench_ws_connect(int port)
{
        static const char request[] =
                "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: " BENCH_WS_KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n";
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        addr.sin_port = htons((uint16_t)port);
        bench_check(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "connect");
        bench_check(send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1, "send");
        return fd;
}

/* Nothing follows the answer before the client has spoken. */
static inline void
bench_ws_upgraded(int fd)
{
        char buf[2048];
        size_t len = 0;

        do {
                ssize_t n = recv(fd, buf + len, sizeof buf - 1 - len, 0);

                bench_check(n > 0, "an answer to the handshake");
                len += (size_t)n;
                buf[len] = '\0';
        } while (len < 4 || memcmp(buf + len - 4, "\r\n\r\n", 4) != 0);
        bench_check(strncmp(buf, "HTTP/1.1 101 ", 13) == 0 && strstr(buf, ": " BENCH_WS_ACCEPT "\r\n") != NULL,
                    "the handshake");
}

#endif
