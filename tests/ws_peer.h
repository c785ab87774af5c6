/*
 * One end of a WebSocket for tests: it sends what it is told to, right or wrong and cut as told, and takes only what is
 * right to the letter. Its frames, handshakes and compression are its own; of green-net it has the sockets.
 */
#ifndef GREEN_TESTS_WS_PEER_H
#define GREEN_TESTS_WS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

#include <green/net.h>

/* What a frame is; never 0. The low bits are the opcode. */
enum {
        WS_CONT = 0x100,
        WS_TEXT = 0x101,
        WS_BINARY = 0x102,
        WS_CLOSE = 0x108,
        WS_PING = 0x109,
        WS_PONG = 0x10a,
        WS_MORE = 0x80, /* not the last of its message */
        WS_RSV1 = 0x40  /* compressed */
};
/* Any opcode; the reserved bits as a number, RSV1 is 4. */
#define WS_OP(opcode) (0x100u | (opcode))
#define WS_RSV(bits) ((unsigned)(bits) << 4)

/* Bytes that grow. */
struct ws_bytes {
        unsigned char *data;
        size_t len, room;
};

void ws_bytes_add(struct ws_bytes *b, const void *data, size_t len);

/* What an offer of permessage-deflate says, or the answer to one. */
struct ws_deflate {
        bool on;
        bool server_resets, client_resets; /* ..._no_context_takeover */
        int server_bits, client_bits;      /* ..._max_window_bits; 0: not said */
        bool client_bits_any;              /* client_max_window_bits without a value */
};

/* One direction of it. */
struct ws_squeeze {
        z_stream z;
        bool made, resets;
        int bits;
};

struct ws_peer {
        green_socket *socket;
        bool client;     /* it masks, the other end must not; or the other way round */
        double patience; /* seconds for the other end to go on with what it has begun, and to take what is sent */

        struct ws_deflate deflate; /* what was agreed on */
        struct ws_squeeze deflating, inflating;

        unsigned char in[65536]; /* received, not looked at */
        size_t in_at, in_len;
        unsigned op; /* of the message that is coming; 0: none */
        struct ws_bytes message, plain;

        struct ws_bytes out; /* to be sent */
        uint64_t random;
        unsigned char mask[4]; /* of the frame that is being made */
        size_t mask_at;
        int send_rc; /* of the first send that failed */

        bool close_sent, close_came;
        char why[200];
};

/* Something that came: a message, a ping, a pong, or a close. */
struct ws_event {
        unsigned op; /* WS_TEXT, WS_BINARY, WS_PING, WS_PONG, WS_CLOSE */
        const unsigned char *data;
        size_t len;
        int code; /* of a close; 0: it has none. Its reason is in data */
};

enum ws_came {
        WS_EVENT,   /* in the event */
        WS_NOTHING, /* in that time */
        WS_END,     /* the connection was closed as it should be */
        WS_CUT,     /* it was reset, or ended without TLS's goodbye */
        WS_WRONG    /* something that breaks the rules: peer->why */
};

/* The socket is the peer's from now on. Neither fails. */
struct ws_peer *ws_peer_new(green_socket *socket, bool client, double patience);
void ws_peer_free(struct ws_peer *p);

/*
 * Handshakes. The client's offers are the value of Sec-WebSocket-Extensions, or NULL; the answer must fit one of them.
 * The server takes the first offer of permessage-deflate, if asks is not NULL, and asks for asks' client_resets and
 * client_bits where the offer lets it. False: peer->why.
 */
bool ws_peer_ask(struct ws_peer *p, const char *host, const char *offers);
bool ws_peer_answer(struct ws_peer *p, const struct ws_deflate *asks);

/* Frames are collected and sent by ws_peer_flush(), with so many bytes a send; 0: all in one. */
void ws_peer_frame(struct ws_peer *p, unsigned op, const void *data, size_t len);
void ws_peer_begin(struct ws_peer *p, unsigned op, size_t of); /* a frame whose payload comes in parts */
void ws_peer_part(struct ws_peer *p, const void *data, size_t len);
void ws_peer_flush(struct ws_peer *p, size_t chop);
/* The same of a close; below 0: without a code. */
void ws_peer_close(struct ws_peer *p, int code);

/* Compresses a message: plain's bytes, until the next call. */
const struct ws_bytes *ws_peer_squeeze(struct ws_peer *p, const void *data, size_t len);

/* What comes next; it has to begin in so many seconds. The event's bytes last until the next call. */
enum ws_came ws_peer_next(struct ws_peer *p, struct ws_event *e, double seconds);

/* For the other part of this: notes what is wrong. Returns false. */
bool ws_peer_wrong(struct ws_peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same: receives at least one byte more. */
enum ws_came ws_peer_more(struct ws_peer *p, double seconds);

#endif
