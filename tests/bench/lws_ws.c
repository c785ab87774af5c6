/*
 * A peer of green_ws.c: libwebsockets, as its manual says: whoever has something to send asks to be called when it can,
 * and makes one lws_write there, from a buffer with LWS_PRE bytes before. No extension, no log, UTF-8 is not checked.
 * lws_ws small|large|broadcast|broadcast-uv
 *
 * small, large: echo, with buffers for such messages. broadcast: a message goes to all connections. Its own loop, by
 * poll(2), is the fastest of those it has where most connections have something to say; with libuv, whose epoll(7) it
 * advises for many connections, each write costs two calls more.
 */
#include "bench_ws.h"

#include <libwebsockets.h>

/* A message that is echoed, or is coming. */
struct session {
        unsigned char *buf;
        size_t len, room;
        int whole, type;
};

static struct lws_context *context;

/* As large as the message, which is known from its first piece on. */
static int
collect(struct lws *wsi, struct session *s, const void *data, size_t len)
{
        size_t need = LWS_PRE + s->len + len + lws_remaining_packet_payload(wsi);

        if (need > s->room) {
                s->buf = realloc(s->buf, need);
                bench_check(s->buf != NULL, "realloc");
                s->room = need;
        }
        memcpy(s->buf + LWS_PRE + s->len, data, len);
        s->len += len;
        s->whole = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
        s->type = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        return s->whole ? lws_callback_on_writable(wsi) < 0 : 0;
}

static int
echo(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct session *s = user;

        if (reason == LWS_CALLBACK_RECEIVE)
                return collect(wsi, s, in, len);
        if (reason == LWS_CALLBACK_CLOSED)
                free(s->buf);
        /* It may call without having been asked. */
        if (reason != LWS_CALLBACK_SERVER_WRITEABLE || !s->whole)
                return 0;
        len = s->len;
        s->len = 0;
        s->whole = 0;
        return lws_write(wsi, s->buf + LWS_PRE, len, (enum lws_write_protocol)s->type) < (int)len ? -1 : 0;
}

static unsigned char news[LWS_PRE + BENCH_WS_SMALL];
static size_t n_news;

static int
broadcast(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        (void)user;
        if (reason == LWS_CALLBACK_RECEIVE) {
                bench_check(len <= BENCH_WS_SMALL, "a small message");
                memcpy(news + LWS_PRE, in, len);
                n_news = len;
                return lws_callback_on_writable_all_protocol(context, lws_get_protocol(wsi)) < 0;
        }
        if (reason != LWS_CALLBACK_SERVER_WRITEABLE || n_news == 0)
                return 0;
        return lws_write(wsi, news + LWS_PRE, n_news, LWS_WRITE_TEXT) < (int)n_news ? -1 : 0;
}

int
main(int argc, char **argv)
{
        struct lws_protocols protocols[] = {{.name = "bench", .rx_buffer_size = 128}, {.name = NULL}};
        struct lws_context_creation_info info = {.port = 0, .iface = "127.0.0.1", .protocols = protocols};
        const char *mode = argc > 1 ? argv[1] : "small";

        if (strncmp(mode, "broadcast", 9) == 0) {
                protocols[0].callback = broadcast;
        } else {
                protocols[0].callback = echo;
                protocols[0].per_session_data_size = sizeof(struct session);
        }
        if (strcmp(mode, "large") == 0) {
                protocols[0].rx_buffer_size = 128 * 1024;
                protocols[0].tx_packet_size = BENCH_WS_HEAD + BENCH_WS_LARGE;
                info.pt_serv_buf_size = 256 * 1024;
        }
        info.options = LWS_SERVER_OPTION_DISABLE_IPV6;
        if (strcmp(mode, "broadcast-uv") == 0)
                info.options |= LWS_SERVER_OPTION_LIBUV;
        lws_set_log_level(0, NULL);
        context = lws_create_context(&info);
        bench_check(context != NULL, "lws_create_context");
        printf("port %d\n", lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default")));
        fflush(stdout);
        while (lws_service(context, 0) >= 0)
                continue;
        return 1;
}
