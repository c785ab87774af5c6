/*
 * A client's WebSocket: connecting, the handshake, and its release.
 */
#include <stdio.h>
#include <strings.h>

#include <green/convenience.h>
#include <green/http.h>

#include "digest_priv.h"
#include "http1_char_priv.h"
#include "random_priv.h"
#include "ws_client_priv.h"

enum { ANSWER_MAX = 65536, KEY_SIZE = GREEN__BASE64_LEN(GREEN__WS_KEY_BYTES) + 1 };

/* ---- what is asked */

static bool
is_ours(const char *name)
{
        static const char *const names[] = {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
                                            "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length",
                                            "Transfer-Encoding"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcasecmp(names[i], name) == 0)
                        return true;
        return false;
}

static int
check_fields(const struct green_websocket_opts *o)
{
        if (o->origin != NULL && !green__header_value_ok(o->origin))
                return green_set_error(-EINVAL, "an origin with a character that is not allowed");
        for (const struct green_wsgi_pair *p = o->headers; p != NULL && p->name != NULL; p++) {
                bool token = *p->name != '\0';

                for (const char *c = p->name; *c != '\0'; c++)
                        token = token && green__http1_is((uint8_t)*c, GREEN__CHAR_TOKEN);
                if (!token || is_ours(p->name) || p->value == NULL || !green__header_value_ok(p->value))
                        return green_set_error(-EINVAL, "a header field that cannot be sent: %.100s", p->name);
        }
        return 0;
}

/* As snprintf() behind at; the count goes on where there is no room. */
#define PUT(...) (at += (size_t)snprintf(at < room ? text + at : NULL, at < room ? room - at : 0, __VA_ARGS__))

static size_t
put_request(char *text, size_t room, const struct green__url *url, const char *key, const struct green_websocket_opts *o)
{
        char extension[GREEN__WS_EXTENSION_MAX];
        size_t at = 0;

        PUT("GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
            "Sec-WebSocket-Version: 13\r\n",
            url->target, url->host, key);
        if (o->origin != NULL)
                PUT("Origin: %s\r\n", o->origin);
        for (size_t i = 0; o->protocols[i] != NULL; i++)
                PUT("%s%s", i == 0 ? "Sec-WebSocket-Protocol: " : ", ", o->protocols[i]);
        if (o->protocols[0] != NULL)
                PUT("\r\n");
        if (!o->no_deflate) {
                green__ws_extension_offer(o, extension);
                PUT("Sec-WebSocket-Extensions: %s\r\n", extension);
        }
        for (const struct green_wsgi_pair *p = o->headers; p != NULL && p->name != NULL; p++)
                PUT("%s: %s\r\n", p->name, p->value);
        PUT("\r\n");
        return at;
}

static int
ask(green_websocket *ws, const struct green__url *url, const char *key)
{
        size_t len = put_request(NULL, 0, url, key, &ws->site->opts);
        char *text = green_malloc(len + 1);
        int rc;

        if (text == NULL)
                return -ENOMEM;
        (void)put_request(text, len + 1, url, key, &ws->site->opts);
        rc = green_socket_sendall(ws->socket, text, len, 0, NULL);
        green_free(text);
        return rc;
}

/* ---- what is answered */

/* Read until it is there as a whole: *ret_len bytes, of which the head has *ret_head. */
static int
read_answer(green_websocket *ws, char *text, const char *accept, struct green__ws_agreed *agreed, size_t *ret_head,
            size_t *ret_len)
{
        size_t len = 0;

        for (;;) {
                ssize_t n = green_socket_recv(ws->socket, text + len, ANSWER_MAX - len, 0), head;

                if (n < 0)
                        return (int)n;
                if (n == 0)
                        return green_set_error(-EPROTO, "the server has ended the connection before its answer");
                len += (size_t)n;
                head = green__ws_answer_take(text, len, accept, ws->site, agreed);
                if (head < 0)
                        return (int)head;
                if (head > 0) {
                        *ret_head = (size_t)head;
                        *ret_len = len;
                        return 0;
                }
                if (len == ANSWER_MAX)
                        return green_set_error(-EPROTO, "the server's answer is too long");
        }
}

static int
take_answer(green_websocket *ws, const char *accept)
{
        char *text = green_malloc(ANSWER_MAX);
        struct green__ws_agreed agreed;
        size_t head = 0, len = 0;
        int rc;

        if (text == NULL)
                return -ENOMEM;
        rc = read_answer(ws, text, accept, &agreed, &head, &len);
        if (rc == 0 && agreed.deflate)
                rc = green__ws_set_deflate(ws, &agreed.params);
        if (rc == 0) {
                ws->protocol = agreed.protocol;
                if (len > head)
                        green__ws_feed(ws, (uint8_t *)text + head, len - head);
                if (!ws->ended)
                        green__ws_receive(ws);
        }
        green_free(text);
        return rc;
}

static int
shake_hands(green_websocket *ws, const struct green__url *url)
{
        uint8_t random[GREEN__WS_KEY_BYTES];
        char key[KEY_SIZE], accept[GREEN__WS_ACCEPT_SIZE];
        int rc = green__random(random, sizeof(random));

        if (rc != 0)
                return green_set_error(rc, "no random numbers for a WebSocket");
        green__base64_encode(random, sizeof(random), key);
        key[KEY_SIZE - 1] = '\0';
        green__ws_accept(key, accept);
        rc = ask(ws, url, key);
        return rc == 0 ? take_answer(ws, accept) : rc;
}

/* ---- connecting */

static int
wrap(green_socket *socket, const struct green__url *url, const struct green_wrap_ssl_opts *given)
{
        struct green_wrap_ssl_opts ssl = {.size = sizeof(ssl)};
        int rc = given == NULL ? 0 : green_opts_take(&ssl, sizeof(ssl), given);

        if (rc != 0)
                return green_set_error(rc, "an unknown size of struct green_wrap_ssl_opts");
        ssl.size = sizeof(ssl);
        if (ssl.server_hostname == NULL)
                ssl.server_hostname = url->name;
        return green_wrap_ssl(socket, &ssl) == NULL ? green_last_error()->code : 0;
}

static int
connect_to(const struct green__url *url, const struct green_websocket_opts *o, green_socket **ret_socket)
{
        green_socket *socket = green_connect(url->address, NULL);
        int rc;

        if (socket == NULL)
                return green_last_error()->code;
        rc = url->tls ? wrap(socket, url, o->ssl) : 0;
        if (rc != 0) {
                (void)green_socket_free(socket);
                return rc;
        }
        *ret_socket = socket;
        return 0;
}

static void
client_free(struct green__ws_client *c)
{
        green_socket *socket = c->ws.socket;

        green__ws_release(&c->ws);
        (void)green_socket_free(socket);
        green_free(c);
}

/* What the connection can be asked for later. */
static int
remember(green_websocket *ws, const struct green__url *url)
{
        const struct green_websocket_opts *o = &ws->site->opts;
        size_t len = strcspn(url->target, "?");
        char *path = green_malloc(len + 1);
        bool done;

        if (path == NULL)
                return -ENOMEM;
        (void)green_http_unquote(url->target, len, 0, path);
        done = green__ws_remember(ws, "PATH_INFO", path) && green__ws_remember(ws, "HTTP_ORIGIN", o->origin);
        green_free(path);
        return done ? 0 : -ENOMEM;
}

static int
open_client(const struct green__url *url, green_websocket_site *site, green_websocket **ret_ws)
{
        green_socket *socket = NULL;
        struct green__ws_client *c;
        int rc = connect_to(url, &site->opts, &socket);

        if (rc != 0)
                return rc;
        c = green_calloc(1, sizeof(*c));
        rc = c == NULL ? -ENOMEM : green__ws_init(&c->ws, site, socket, true);
        if (rc != 0) {
                green_free(c);
                (void)green_socket_free(socket);
                return rc;
        }
        c->ws.version = 13;
        rc = remember(&c->ws, url);
        if (rc == 0)
                rc = shake_hands(&c->ws, url);
        if (rc != 0) {
                client_free(c);
                return rc;
        }
        *ret_ws = &c->ws;
        return 0;
}

static int
open_in_time(const struct green__url *url, green_websocket_site *site, green_websocket **ret_ws)
{
        struct green_timeout t = {{0}};
        int rc = green_timeout_start(&t, site->opts.connect_timeout);

        if (rc != 0)
                return rc;
        rc = open_client(url, site, ret_ws);
        if (green_timeout_cancel(&t) == 1 && rc != 0)
                rc = green_set_error(-ETIMEDOUT, "%s did not answer in time", url->host);
        return rc;
}

green_websocket *
green_websocket_connect(const char *url, const struct green_websocket_opts *opts)
{
        green_websocket_site *site = NULL;
        struct green__url where = {0};
        green_websocket *ws = NULL;
        int rc = green__ws_site_new(NULL, NULL, opts, &site);

        if (rc == 0)
                rc = check_fields(&site->opts);
        if (rc == 0)
                rc = green__ws_url_parse(url, &where);
        if (rc == 0)
                rc = open_in_time(&where, site, &ws);
        if (site != NULL) {
                site->opts.headers = NULL;
                site->opts.ssl = NULL;
                site->opts.origin = NULL;
        }
        green_websocket_site_unref(site);
        green_free(where.text);
        if (rc == 0)
                return ws;
        if (green_last_error()->code != rc)
                green_set_error(rc, "%.200s: %s", url == NULL ? "" : url, green_strerror(rc));
        errno = -rc;
        return NULL;
}

int
green_websocket_free(green_websocket *ws)
{
        int rc;

        if (ws == NULL)
                return 0;
        rc = green__ws_check(ws);
        if (rc != 0)
                return rc;
        if (!ws->client)
                return -EINVAL;
        /* What is still to be sent goes first. */
        if (ws->users > (ws->flushing ? 1u : 0u) || ws->closing || ws->closers > 0)
                return -EBUSY;
        rc = green__ws_finish(ws, 1000, NULL, false);
        green__ws_wait_for_closers(ws);
        client_free((struct green__ws_client *)(void *)ws);
        return rc;
}
