/*
 * Accept-Encoding, and which media types are worth a compression.
 */
#include <string.h>
#include <strings.h>

#include "http_accept_priv.h"

/* ---- what the client takes */

static bool
is_named(struct green_http_part name, const char *text)
{
        return name.len == strlen(text) && strncasecmp(name.data, text, name.len) == 0;
}

/* "0.5" in thousandths (RFC 9110 12.4.2); what is no such number: 0, which asks for nothing. */
static int
weight(const char *text, size_t len)
{
        int n = 0, unit = 1000;

        if (len == 0 || (*text != '0' && *text != '1') || len > 5 || (len > 1 && text[1] != '.'))
                return 0;
        for (size_t i = 0; i < len; i++) {
                if (i == 1)
                        continue;
                if (text[i] < '0' || text[i] > '9')
                        return 0;
                n += (text[i] - '0') * unit;
                unit /= 10;
        }
        return n <= 1000 ? n : 0;
}

/* Cut an item of the list into its name and its weight. */
static int
weight_of(struct green_http_part *item)
{
        const char *end = item->data + item->len;
        const char *at = memchr(item->data, ';', item->len);
        const char *param = at;

        if (at == NULL)
                return 1000;
        while (at > item->data && (at[-1] == ' ' || at[-1] == '\t'))
                at--;
        item->len = (size_t)(at - item->data);
        do
                param++;
        while (param < end && (*param == ' ' || *param == '\t'));
        if (end - param < 3 || (*param | 0x20) != 'q' || param[1] != '=')
                return 0;
        return weight(param + 2, (size_t)(end - param - 2));
}

int
green__encoding_wanted(green_wsgi_request *req, const char *coding)
{
        const char *name, *value;
        int all = 0;

        for (size_t i = 0; green_wsgi_header_at(req, i, &name, &value); i++) {
                struct green_http_part rest, item;

                if (strcasecmp(name, "Accept-Encoding") != 0)
                        continue;
                rest = (struct green_http_part){value, strlen(value)};
                while (green_http_next_item(&rest, &item)) {
                        int q = weight_of(&item);

                        if (is_named(item, coding))
                                return q;
                        if (is_named(item, "*"))
                                all = q;
                }
        }
        return all;
}

/* ---- what a response is */

static size_t
type_len(const char *type)
{
        return strcspn(type, "; \t");
}

bool
green__type_compresses(const char *type)
{
        static const char *const others[] = {
                "application/javascript",
                "application/json",
                "application/manifest+json",
                "application/wasm",
                "application/xml",
                "font/otf",
                "font/ttf",
                "image/bmp",
                "image/x-icon",
                "text/*",
                NULL,
        };
        size_t len = type_len(type);

        if (len > 5 && (strncasecmp(type + len - 5, "+json", 5) == 0 || strncasecmp(type + len - 4, "+xml", 4) == 0))
                return true;
        return green__type_among(type, others);
}

bool
green__type_among(const char *type, const char *const *types)
{
        size_t len = type_len(type);

        for (; *types != NULL; types++) {
                size_t n = strlen(*types);

                if (n >= 2 && strcmp(*types + n - 2, "/*") == 0 ? len >= n && strncasecmp(type, *types, n - 1) == 0
                                                                : n == len && strncasecmp(type, *types, n) == 0)
                        return true;
        }
        return false;
}
