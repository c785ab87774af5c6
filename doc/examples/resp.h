/* As much of RESP, the protocol of Redis, as distributed_chat.c needs. */
#ifndef RESP_H
#define RESP_H

#include <green/net.h>

enum { RESP_TEXTS = 3, RESP_SIZE = 1200 };

/* An answer. */
struct resp {
        char type;    /* '+', '-' (an error), ':' (a number), '$' (a text) or '*' (several) */
        size_t count; /* texts: 1, except of '*' */
        char texts[RESP_TEXTS][RESP_SIZE]; /* ended by NUL; what is longer is cut, and texts past the last are dropped */
};

/* Send a command, or put it into the buffer: its words, ended by NULL. May yield. 0 or a code. */
int resp_send(green_stream *st, const char *const *words);

/* Read an answer. May yield. 0 or a code; -EPROTO where it is no RESP. */
int resp_read(green_stream *st, struct resp *ret);

#endif
