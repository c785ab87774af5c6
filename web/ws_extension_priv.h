/*
 * Sec-WebSocket-Extensions: what is offered, and what is answered (RFC 6455 9.1, RFC 7692 7.1).
 */
#ifndef GREEN_WS_EXTENSION_PRIV_H
#define GREEN_WS_EXTENSION_PRIV_H

#include "ws_deflate_priv.h"

struct green_websocket_opts;

enum { GREEN__WS_EXTENSION_MAX = 160 }; /* bytes of a text here, NUL included */

/*
 * Server: look at a field of offers, settled options given. True: one can be accepted, *ret_agreed says how, and text the
 * answer. False: none can; -- a field with bad grammar is none.
 */
bool green__ws_extension_accept(const char *offers, const struct green_websocket_opts *opts,
                                struct green__ws_params *ret_agreed, char text[GREEN__WS_EXTENSION_MAX]);

/* Client: what to offer. */
void green__ws_extension_offer(const struct green_websocket_opts *opts, char text[GREEN__WS_EXTENSION_MAX]);

/* Client: is the answer one to that offer? It must be, and the only one. */
bool green__ws_extension_agree(const char *answer, const struct green_websocket_opts *opts,
                               struct green__ws_params *ret_agreed);

#endif
