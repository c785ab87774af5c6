/*
 * Options, settled and copied: of a server's WebSockets, or of one client.
 */
#include "http1_char_priv.h"
#include "ws_priv.h"

enum { LENGTH_MAX = 8 << 20, BUFFERED_MAX = 64 << 10, UNSENT_MAX = 1 << 20, LEVEL = 6, BITS = 15 };

static bool
is_token(const char *text)
{
        if (*text == '\0')
                return false;
        for (; *text != '\0'; text++)
                if (!green__http1_is((uint8_t)*text, GREEN__CHAR_TOKEN))
                        return false;
        return true;
}

/* Sizes that may be added to without overflow. */
static void
settle_size(size_t *size, size_t unset)
{
        if (*size == 0)
                *size = unset;
        if (*size > SIZE_MAX / 4)
                *size = SIZE_MAX / 4;
}

static void
settle_time(double *seconds, double unset)
{
        if (*seconds == 0)
                *seconds = unset;
}

static int
settle(struct green_websocket_opts *o)
{
        settle_size(&o->max_frame_length, LENGTH_MAX);
        if (o->max_frame_length > INT32_MAX)
                return green_set_error(-EINVAL, "max_frame_length is 2 GiB - 1 at most");
        settle_size(&o->max_message_length, o->max_frame_length);
        settle_size(&o->max_buffered, BUFFERED_MAX);
        settle_size(&o->max_unsent, UNSENT_MAX);
        settle_size(&o->deflate_minimum, 1);
        settle_time(&o->ping_timeout, 20);
        settle_time(&o->close_timeout, 5);
        settle_time(&o->connect_timeout, 30);
        if (!(o->ping_interval >= 0) || !(o->ping_timeout > 0) || !(o->close_timeout > 0) || !(o->connect_timeout > 0))
                return green_set_error(-EINVAL, "a time of a WebSocket is negative or none");
        if (o->server_max_window_bits == 0)
                o->server_max_window_bits = BITS;
        if (o->client_max_window_bits == 0)
                o->client_max_window_bits = BITS;
        if (o->server_max_window_bits < 8 || o->server_max_window_bits > BITS || o->client_max_window_bits < 8 ||
            o->client_max_window_bits > BITS)
                return green_set_error(-EINVAL, "max_window_bits is 8 to 15");
        if (o->deflate_level == 0)
                o->deflate_level = LEVEL;
        if (o->deflate_level < 1 || o->deflate_level > 9)
                return green_set_error(-EINVAL, "deflate_level is 1 to 9");
        if (!green__ws_can_deflate())
                o->no_deflate = true;
        return 0;
}

/* The list and its texts in one block. */
static int
copy_protocols(green_websocket_site *site)
{
        const char *const *from = site->opts.protocols;
        size_t count = 0, bytes = 0;
        char *text;

        for (; from != NULL && from[count] != NULL; count++) {
                if (!is_token(from[count]))
                        return green_set_error(-EINVAL, "a subprotocol that is no token: %.100s", from[count]);
                bytes += strlen(from[count]) + 1;
        }
        site->protocols = green_malloc((count + 1) * sizeof(*site->protocols) + bytes);
        if (site->protocols == NULL)
                return -ENOMEM;
        text = (char *)(site->protocols + count + 1);
        for (size_t i = 0; i < count; i++) {
                size_t len = strlen(from[i]) + 1;

                site->protocols[i] = memcpy(text, from[i], len);
                text += len;
        }
        site->protocols[count] = NULL;
        site->opts.protocols = site->protocols;
        return 0;
}

int
green__ws_site_new(green_websocket_handler handler, void *arg, const struct green_websocket_opts *opts,
                   green_websocket_site **ret_site)
{
        green_websocket_site *site = green_calloc(1, sizeof(*site));
        int rc;

        if (site == NULL)
                return -ENOMEM;
        rc = green_opts_take(&site->opts, sizeof(site->opts), opts);
        if (rc != 0)
                (void)green_set_error(rc, "an unknown size of struct green_websocket_opts");
        if (rc == 0)
                rc = settle(&site->opts);
        if (rc == 0)
                rc = copy_protocols(site);
        site->limits.frame = (uint32_t)site->opts.max_frame_length;
        site->limits.message = site->opts.max_message_length;
        if (rc != 0) {
                green_free(site->protocols);
                green_free(site);
                return rc;
        }
        atomic_init(&site->refs, 1);
        site->handler = handler;
        site->arg = arg;
        *ret_site = site;
        return 0;
}

green_websocket_site *
green_websocket_wsgi(green_websocket_handler handler, void *arg, const struct green_websocket_opts *opts)
{
        green_websocket_site *site = NULL;
        int rc;

        if (handler == NULL) {
                green_set_error(-EINVAL, "a WebSocket needs a handler");
                return NULL;
        }
        rc = green__ws_site_new(handler, arg, opts, &site);
        if (rc == -ENOMEM)
                green_set_error(rc, "no memory for the options of a WebSocket");
        return site;
}

green_websocket_site *
green_websocket_site_ref(green_websocket_site *site)
{
        atomic_fetch_add_explicit(&site->refs, 1, memory_order_relaxed);
        return site;
}

void
green_websocket_site_unref(green_websocket_site *site)
{
        if (site == NULL || atomic_fetch_sub_explicit(&site->refs, 1, memory_order_acq_rel) != 1)
                return;
        green_free(site->protocols);
        green_free(site);
}
