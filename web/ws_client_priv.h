/*
 * A client's half of the handshake.
 */
#ifndef GREEN_WS_CLIENT_PRIV_H
#define GREEN_WS_CLIENT_PRIV_H

#include "url_priv.h"
#include "ws_priv.h"

/* 0, -EINVAL with a message, or -ENOMEM. */
int green__ws_url_parse(const char *url, struct green__url *ret);

/* What a server has agreed to. */
struct green__ws_agreed {
        const char *protocol; /* the site's text; NULL: none */
        bool deflate;
        struct green__ws_params params;
};

/*
 * Look at the head of an answer, as far as it has come. Its length; 0: there is more of it to come; or a code, with a
 * message.
 */
ssize_t green__ws_answer_take(const char *text, size_t len, const char *accept, const green_websocket_site *site,
                              struct green__ws_agreed *ret);

#endif
