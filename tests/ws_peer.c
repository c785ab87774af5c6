/* One end of a WebSocket for tests: frames and compression. */
#include "ws_peer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { MOST = 1 << 27 }; /* bytes of a message */

bool
ws_peer_wrong(struct ws_peer *p, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vsnprintf(p->why, sizeof p->why, format, args);
        va_end(args);
        return false;
}

static unsigned char *
room_for(struct ws_bytes *b, size_t len)
{
        if (b->room - b->len < len) {
                b->room = 2 * b->len + len + 256;
                b->data = realloc(b->data, b->room);
                if (b->data == NULL)
                        abort();
        }
        return b->data + b->len;
}

void
ws_bytes_add(struct ws_bytes *b, const void *data, size_t len)
{
        if (len > 0)
                memcpy(room_for(b, len), data, len);
        b->len += len;
}

struct ws_peer *
ws_peer_new(green_socket *socket, bool client, double patience)
{
        struct ws_peer *p = calloc(1, sizeof *p);
        int on = 1;

        if (p == NULL)
                abort();
        p->socket = socket;
        p->client = client;
        p->patience = patience;
        p->random = 88172645463325252;
        /* Each send goes out by itself. */
        green_socket_setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return p;
}

void
ws_peer_free(struct ws_peer *p)
{
        if (p == NULL)
                return;
        if (p->deflating.made)
                deflateEnd(&p->deflating.z);
        if (p->inflating.made)
                inflateEnd(&p->inflating.z);
        free(p->message.data);
        free(p->plain.data);
        free(p->out.data);
        green_socket_free(p->socket);
        free(p);
}

/* ---- sending */

static void
new_mask(struct ws_peer *p)
{
        p->random ^= p->random << 13;
        p->random ^= p->random >> 7;
        p->random ^= p->random << 17;
        memcpy(p->mask, &p->random, sizeof p->mask);
        p->mask_at = 0;
}

void
ws_peer_begin(struct ws_peer *p, unsigned op, size_t of)
{
        unsigned char head[10];
        size_t len = 2;

        head[0] = (unsigned char)((op & 0x7f) | ((op & WS_MORE) != 0 ? 0 : 0x80));
        head[1] = p->client ? 0x80 : 0;
        if (of < 126) {
                head[1] |= (unsigned char)of;
        } else if (of < 65536) {
                head[1] |= 126;
                head[2] = (unsigned char)(of >> 8);
                head[3] = (unsigned char)of;
                len = 4;
        } else {
                head[1] |= 127;
                for (int i = 0; i < 8; i++)
                        head[2 + i] = (unsigned char)((uint64_t)of >> (56 - 8 * i));
                len = 10;
        }
        ws_bytes_add(&p->out, head, len);
        if (p->client) {
                new_mask(p);
                ws_bytes_add(&p->out, p->mask, sizeof p->mask);
        }
}

void
ws_peer_part(struct ws_peer *p, const void *data, size_t len)
{
        unsigned char *to = room_for(&p->out, len);
        const unsigned char *from = data;

        for (size_t i = 0; i < len; i++)
                to[i] = p->client ? from[i] ^ p->mask[p->mask_at++ % 4] : from[i];
        p->out.len += len;
}

void
ws_peer_frame(struct ws_peer *p, unsigned op, const void *data, size_t len)
{
        ws_peer_begin(p, op, len);
        ws_peer_part(p, data, len);
}

void
ws_peer_flush(struct ws_peer *p, size_t chop)
{
        size_t len;

        green_socket_set_timeout(p->socket, p->patience);
        for (size_t at = 0; at < p->out.len && p->send_rc == 0; at += len) {
                len = chop == 0 || chop > p->out.len - at ? p->out.len - at : chop;
                p->send_rc = green_socket_sendall(p->socket, p->out.data + at, len, 0, NULL);
                if (chop != 0)
                        green_sleep(0);
        }
        p->out.len = 0;
}

void
ws_peer_close(struct ws_peer *p, int code)
{
        unsigned char payload[2] = {(unsigned char)(code >> 8), (unsigned char)code};

        ws_peer_frame(p, WS_CLOSE, payload, code < 0 ? 0 : 2);
        ws_peer_flush(p, 0);
        p->close_sent = true;
}

/* ---- compression */

const struct ws_bytes *
ws_peer_squeeze(struct ws_peer *p, const void *data, size_t len)
{
        struct ws_squeeze *s = &p->deflating;
        struct ws_bytes *to = &p->plain;

        if (!s->made) {
                s->resets = p->client ? p->deflate.client_resets : p->deflate.server_resets;
                s->bits = p->client ? p->deflate.client_bits : p->deflate.server_bits;
                /* zlib cannot make a window of 8 bits. */
                if (s->bits == 0 || deflateInit2(&s->z, 6, Z_DEFLATED, -s->bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
                        abort();
                s->made = true;
        } else if (s->resets) {
                deflateReset(&s->z);
        }
        to->len = 0;
        s->z.next_in = (void *)(uintptr_t)data;
        s->z.avail_in = (uInt)len;
        do {
                s->z.next_out = room_for(to, 4096);
                s->z.avail_out = (uInt)(to->room - to->len);
                (void)deflate(&s->z, Z_SYNC_FLUSH);
                to->len = to->room - s->z.avail_out;
        } while (s->z.avail_out == 0);
        /* The end of every message, which is not sent: 00 00 ff ff. */
        to->len -= 4;
        return to;
}

/* In small pieces where the window is small, or zlib would not see who looks back further than that. */
static bool
inflate_all(struct ws_peer *p, const unsigned char *data, size_t len)
{
        struct ws_squeeze *s = &p->inflating;
        struct ws_bytes *to = &p->plain;
        size_t piece = s->bits < 15 ? 64 : 65536;
        int rc;

        s->z.next_in = (void *)(uintptr_t)data;
        s->z.avail_in = (uInt)len;
        do {
                if (to->len > MOST)
                        return ws_peer_wrong(p, "a message does not end");
                s->z.next_out = room_for(to, piece);
                s->z.avail_out = (uInt)piece;
                rc = inflate(&s->z, Z_SYNC_FLUSH);
                to->len += piece - s->z.avail_out;
                /* A block may say that it is the last one. */
                if (rc == Z_STREAM_END)
                        rc = inflateReset(&s->z);
                if (rc == Z_BUF_ERROR && s->z.avail_in == 0)
                        break;
                if (rc != Z_OK)
                        return ws_peer_wrong(p, "inflate: %s", s->z.msg != NULL ? s->z.msg : zError(rc));
        } while (s->z.avail_in > 0 || s->z.avail_out == 0);
        return true;
}

static bool
inflate_message(struct ws_peer *p)
{
        struct ws_squeeze *s = &p->inflating;
        struct ws_bytes packed = p->message;

        if (!s->made) {
                s->resets = p->client ? p->deflate.server_resets : p->deflate.client_resets;
                s->bits = p->client ? p->deflate.server_bits : p->deflate.client_bits;
                if (inflateInit2(&s->z, -s->bits) != Z_OK)
                        abort();
                s->made = true;
        } else if (s->resets) {
                inflateReset(&s->z);
        }
        p->plain.len = 0;
        if (!inflate_all(p, packed.data, packed.len) || !inflate_all(p, (const unsigned char *)"\0\0\xff\xff", 4))
                return false;
        p->message = p->plain;
        p->plain = packed;
        return true;
}

/* ---- receiving */

enum ws_came
ws_peer_more(struct ws_peer *p, double seconds)
{
        ssize_t n;

        if (p->in_at > 0) {
                memmove(p->in, p->in + p->in_at, p->in_len);
                p->in_at = 0;
        }
        green_socket_set_timeout(p->socket, seconds);
        n = green_socket_recv(p->socket, p->in + p->in_len, sizeof p->in - p->in_len, 0);
        if (n > 0) {
                p->in_len += (size_t)n;
                return WS_EVENT;
        }
        if (n == -ETIMEDOUT || n == -EAGAIN)
                return WS_NOTHING;
        return n == 0 ? WS_END : WS_CUT;
}

/* So many bytes more, one of which is to come in that time. */
static enum ws_came
want(struct ws_peer *p, size_t len, double seconds)
{
        bool begun = p->in_len > 0;
        enum ws_came came;

        while (p->in_len < len) {
                came = ws_peer_more(p, begun ? p->patience : seconds);
                if (came != WS_EVENT && begun) {
                        ws_peer_wrong(p, "a frame does not go on");
                        return WS_WRONG;
                }
                if (came != WS_EVENT)
                        return came;
                begun = true;
        }
        return WS_EVENT;
}

static bool
is_utf8(const unsigned char *s, size_t len)
{
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

        for (size_t i = 0; i < len;) {
                int more = s[i] < 0x80 ? 0 : s[i] >> 5 == 6 ? 1 : s[i] >> 4 == 14 ? 2 : s[i] >> 3 == 30 ? 3 : -1;
                uint32_t c = s[i++];

                if (more < 0 || (size_t)more > len - i)
                        return false;
                if (more > 0)
                        c &= 0x3fu >> more;
                for (int k = 0; k < more; k++, i++) {
                        if (s[i] >> 6 != 2)
                                return false;
                        c = c << 6 | (s[i] & 0x3f);
                }
                if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                        return false;
        }
        return true;
}

/* A frame's head. */
struct head {
        unsigned opcode, rsv;
        bool fin;
        uint64_t len;
        unsigned char mask[4];
};

static bool
check_head(struct ws_peer *p, const struct head *h)
{
        bool control = h->opcode >= 8;

        if (h->opcode > 2 && h->opcode != 8 && h->opcode != 9 && h->opcode != 10)
                return ws_peer_wrong(p, "a frame has opcode %u", h->opcode);
        if (h->rsv != 0 && (h->rsv != 4 || !p->deflate.on || control || h->opcode == 0))
                return ws_peer_wrong(p, "a frame of opcode %u has reserved bits %u", h->opcode, h->rsv);
        if (control && (!h->fin || h->len > 125))
                return ws_peer_wrong(p, "a control frame is long, or in fragments");
        if (!control && (h->opcode == 0) != (p->op != 0))
                return ws_peer_wrong(p, "a frame has opcode %u %s", h->opcode,
                                     p->op != 0 ? "inside a message" : "first");
        if (h->len > MOST - p->message.len)
                return ws_peer_wrong(p, "a frame says it has %llu bytes", (unsigned long long)h->len);
        return true;
}

static enum ws_came
read_head(struct ws_peer *p, struct head *h, double seconds)
{
        enum ws_came came = want(p, 2, seconds);
        const unsigned char *in = p->in + p->in_at;
        size_t size = 2, bytes;

        if (came != WS_EVENT)
                return came;
        *h = (struct head){.opcode = in[0] & 15, .rsv = in[0] >> 4 & 7, .fin = in[0] >> 7};
        if ((in[1] >> 7 != 0) == p->client) {
                ws_peer_wrong(p, "a frame is %smasked", p->client ? "" : "not ");
                return WS_WRONG;
        }
        h->len = in[1] & 127;
        bytes = h->len == 126 ? 2 : h->len == 127 ? 8 : 0;
        size += bytes + (p->client ? 0 : 4);
        if (want(p, size, 0) != WS_EVENT)
                return WS_WRONG;
        in = p->in + p->in_at;
        if (bytes > 0)
                h->len = 0;
        for (size_t i = 0; i < bytes; i++)
                h->len = h->len << 8 | in[2 + i];
        if ((bytes == 2 && h->len < 126) || (bytes == 8 && h->len < 65536)) {
                ws_peer_wrong(p, "a length of %llu takes %zu bytes", (unsigned long long)h->len, bytes);
                return WS_WRONG;
        }
        if (!p->client)
                memcpy(h->mask, in + 2 + bytes, 4);
        p->in_at += size;
        p->in_len -= size;
        return check_head(p, h) ? WS_EVENT : WS_WRONG;
}

static bool
read_payload(struct ws_peer *p, const struct head *h, struct ws_bytes *to)
{
        size_t at = 0;

        while (at < h->len) {
                size_t len = p->in_len < h->len - at ? p->in_len : (size_t)h->len - at;
                unsigned char *bytes;

                if (len == 0) {
                        if (ws_peer_more(p, p->patience) != WS_EVENT)
                                return ws_peer_wrong(p, "a frame ends after %zu of %zu bytes", at, (size_t)h->len);
                        continue;
                }
                bytes = room_for(to, len);
                for (size_t i = 0; i < len; i++)
                        bytes[i] = p->in[p->in_at + i] ^ h->mask[(at + i) % 4];
                to->len += len;
                at += len;
                p->in_at += len;
                p->in_len -= len;
        }
        return true;
}

static bool
is_code(int code)
{
        return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
               (code >= 3000 && code <= 4999);
}

static bool
read_control(struct ws_peer *p, const struct head *h, struct ws_event *e)
{
        p->plain.len = 0;
        if (!read_payload(p, h, &p->plain))
                return false;
        *e = (struct ws_event){.op = WS_OP(h->opcode), .data = p->plain.data, .len = p->plain.len};
        if (e->op != WS_CLOSE)
                return true;
        p->close_came = true;
        if (e->len == 0)
                return true;
        if (e->len == 1)
                return ws_peer_wrong(p, "a close has one byte");
        e->code = e->data[0] << 8 | e->data[1];
        e->data += 2;
        e->len -= 2;
        if (!is_code(e->code) || !is_utf8(e->data, e->len))
                return ws_peer_wrong(p, "a close has code %d, or a reason that is not UTF-8", e->code);
        return true;
}

enum ws_came
ws_peer_next(struct ws_peer *p, struct ws_event *e, double seconds)
{
        struct head h;
        enum ws_came came;

        if (p->op == 0)
                p->message.len = 0;
        while ((came = read_head(p, &h, seconds)) == WS_EVENT) {
                if (p->close_came) {
                        ws_peer_wrong(p, "a frame comes after a close");
                        return WS_WRONG;
                }
                if (h.opcode >= 8)
                        return read_control(p, &h, e) ? WS_EVENT : WS_WRONG;
                if (p->op == 0) {
                        p->op = WS_OP(h.opcode) | WS_RSV(h.rsv);
                        p->message.len = 0;
                }
                if (!read_payload(p, &h, &p->message))
                        return WS_WRONG;
                seconds = p->patience;
                if (!h.fin)
                        continue;
                if ((p->op & WS_RSV1) != 0 && !inflate_message(p))
                        return WS_WRONG;
                *e = (struct ws_event){
                        .op = p->op & ~(unsigned)WS_RSV1, .data = p->message.data, .len = p->message.len};
                p->op = 0;
                if (e->op == WS_TEXT && !is_utf8(e->data, e->len)) {
                        ws_peer_wrong(p, "a text is not UTF-8");
                        return WS_WRONG;
                }
                return WS_EVENT;
        }
        return came;
}
