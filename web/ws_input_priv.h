/*
 * What comes over a WebSocket, taken apart (RFC 6455 5): bytes go in, messages, control frames and errors come out. No I/O;
 * nothing but messages is allocated.
 */
#ifndef GREEN_WS_INPUT_PRIV_H
#define GREEN_WS_INPUT_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utf8_priv.h"

struct green__ws_inflater;

enum green__ws_opcode {
        GREEN__WS_CONTINUATION = 0,
        GREEN__WS_TEXT = 1,
        GREEN__WS_BINARY = 2,
        GREEN__WS_CLOSE = 8,
        GREEN__WS_PING = 9,
        GREEN__WS_PONG = 10,
};

/* Bits of the first two bytes of a frame. */
enum {
        GREEN__WS_FIN = 0x80,
        GREEN__WS_RSV1 = 0x40,
        GREEN__WS_RSV23 = 0x30,
        GREEN__WS_MASKED = 0x80,
        GREEN__WS_CONTROL_MAX = 125,
        GREEN__WS_HEAD_MAX = 14,
};

/* A message, or the payload of a control frame. A NUL stands behind it. */
struct green__ws_message {
        struct green__ws_message *next;
        size_t len, room; /* the NUL not counted */
        uint8_t type;     /* enum green__ws_opcode */
        char data[];
};

enum green__ws_event {
        GREEN__WS_MORE,    /* all was used */
        GREEN__WS_MESSAGE, /* in->message is complete: take it */
        GREEN__WS_CONTROL, /* in->control is a ping, a pong, or a close: take it */
        GREEN__WS_FAIL,    /* in->fail_code, in->fail_reason: the peer breaks the rules; or code 0: no memory */
};

struct green__ws_limits {
        uint32_t frame; /* bytes of a frame's payload */
        size_t message; /* of a message */
};

struct green__ws_input {
        const struct green__ws_limits *limits;
        struct green__ws_inflater *inflater; /* NULL: compressed messages are none of ours */
        struct green__ws_message *message;   /* under way, or complete */
        struct green__ws_message *control;
        const char *fail_reason;
        uint32_t left;          /* bytes of the frame's payload that are to come */
        uint32_t frame_out;     /* bytes that came out of it, inflated */
        uint32_t mask;
        uint16_t fail_code;
        bool client;            /* this end is the client: what comes is not masked */
        bool in_payload;
        bool final, compressed; /* of the message that is under way */
        uint8_t opcode;         /* of the frame */
        uint8_t type;           /* of the message that is under way; 0: there is none */
        uint8_t head_len;       /* of the head that is there in part */
        struct green__utf8 utf8;
        uint8_t head[GREEN__WS_HEAD_MAX];
};

void green__ws_input_init(struct green__ws_input *in, const struct green__ws_limits *limits, bool client);
void green__ws_input_end(struct green__ws_input *in);

/* Feed it; data is changed. *ret_used says how much was used: go on with the rest. After FAIL nothing can be fed. */
enum green__ws_event green__ws_input(struct green__ws_input *in, uint8_t *data, size_t len, size_t *ret_used);

/*
 * Where so much of a long payload as fits can be received straight into: *ret_room bytes, then green__ws_input_received()
 * says how many came, and what that makes. NULL: the next bytes are no such payload.
 */
uint8_t *green__ws_input_room(struct green__ws_input *in, size_t *ret_room);
enum green__ws_event green__ws_input_received(struct green__ws_input *in, size_t len);

/* A close: its code, 1005 for none, and its reason, in place. False: it breaks the rules, in->fail_code says how. */
bool green__ws_input_close(struct green__ws_input *in, const struct green__ws_message *control, int *ret_code,
                           const char **ret_reason);

/* May a close frame say this? */
bool green__ws_code_ok(int code);

/* ws_message.c: small ones come from a list of spare ones of the OS thread, where there is one. */
struct green__ws_message *green__ws_message_new(size_t room);
void green__ws_message_free(struct green__ws_message *m);
/* Make room for so many bytes in all; the message may move. False: no memory, and it is as it was. */
bool green__ws_message_grow(struct green__ws_message **m, size_t room);

#endif
