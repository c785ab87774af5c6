/*
 * A client's half of the handshake.
 */
#ifndef GREEN_WS_CLIENT_PRIV_H
#define GREEN_WS_CLIENT_PRIV_H

#include "ws_priv.h"

/* Where a URL leads. Texts are in text. */
struct green__ws_url {
        bool tls;
        const char *host;    /* as Host has it: with the port, unless it is the scheme's */
        const char *name;    /* of the host alone, without brackets */
        const char *address; /* for green_connect() */
        const char *target;  /* path and query, "/" at least */
        char *text;          /* for green_free() */
};

/* 0, -EINVAL with a message, or -ENOMEM. */
int green__ws_url_parse(const char *url, struct green__ws_url *ret);

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
