/*
 * permessage-deflate (RFC 7692). ws_deflate.c does it with zlib, ws_deflate_none.c stands in where there is none.
 */
#ifndef GREEN_WS_DEFLATE_PRIV_H
#define GREEN_WS_DEFLATE_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ws_input_priv.h"

/* What both ends have agreed on. */
struct green__ws_params {
        bool server_no_takeover, client_no_takeover;
        uint8_t server_bits, client_bits; /* 8 to 15 */
};

/* Streams that an OS thread lends for a message: zlib's z_stream each, or NULL. */
struct green__ws_streams {
        void *deflate, *inflate;
        uint8_t deflate_bits, deflate_level;
};

struct green__ws_inflater {
        void *stream; /* kept with context takeover, or lent; NULL: none */
        uint8_t bits;
        bool takeover;
};

struct green__ws_deflater {
        void *stream;
        uint8_t bits, level;
        bool takeover;
};

/* Room for what is sent: data begins GREEN__WS_HEAD_MAX bytes behind room's begin. */
struct green__ws_buffer {
        uint8_t *room;
        size_t len, size; /* of the data; what it may be */
};

/* ws_message.c: one for so many bytes, or more; the OS thread lends it, if it can. 0, or -ENOMEM. */
int green__ws_buffer_begin(struct green__ws_buffer *b, size_t size);
int green__ws_buffer_grow(struct green__ws_buffer *b);
void green__ws_buffer_end(struct green__ws_buffer *b);

/* Is there any? */
bool green__ws_can_deflate(void);

void green__ws_streams_init(struct green__ws_streams *s);
void green__ws_streams_end(struct green__ws_streams *s);

/*
 * Append what comes out to a message, which may move and is not to be longer than limit. last: the message ends, with these
 * bytes. 0, -EMSGSIZE, -ENOMEM, or -EPROTO: it is none.
 */
int green__ws_inflate(struct green__ws_inflater *z, const void *data, size_t len, bool last, size_t limit,
                      struct green__ws_message **m);
void green__ws_inflater_end(struct green__ws_inflater *z);

/*
 * Compress a message, or with last false a piece of it that is followed by others. 0 with the buffer, for
 * green__ws_buffer_end(); or -ENOMEM.
 */
int green__ws_deflate(struct green__ws_deflater *z, const void *data, size_t len, bool last, struct green__ws_buffer *ret);
void green__ws_deflater_end(struct green__ws_deflater *z);

/* The same for any thread, with a stream of its own; *ret_data is for green_free(). */
int green__ws_deflate_once(uint8_t bits, uint8_t level, const void *data, size_t len, uint8_t **ret_data, size_t *ret_len);

#endif
