/*
 * Lists in texts: parameters of a query or form, cookies, items of a header field.
 */
#include <green/http.h>

#include <string.h>

/* All up to a delimiter, which is taken too; the rest where there is none. */
static struct green_http_part
take_until(struct green_http_part *rest, char delimiter)
{
        struct green_http_part piece = *rest;
        const char *end = rest->len == 0 ? NULL : memchr(rest->data, delimiter, rest->len);

        if (end == NULL) {
                rest->data += rest->len;
                rest->len = 0;
                return piece;
        }
        piece.len = (size_t)(end - piece.data);
        rest->data = end + 1;
        rest->len -= piece.len + 1;
        return piece;
}

static bool
is_space(char c)
{
        return c == ' ' || c == '\t';
}

static struct green_http_part
trim(struct green_http_part part)
{
        while (part.len > 0 && is_space(part.data[0])) {
                part.data++;
                part.len--;
        }
        while (part.len > 0 && is_space(part.data[part.len - 1]))
                part.len--;
        return part;
}

bool
green_http_next_param(struct green_http_part *rest, struct green_http_part *ret_name, struct green_http_part *ret_value)
{
        while (rest->len > 0) {
                struct green_http_part piece = take_until(rest, '&');

                if (piece.len == 0)
                        continue;
                *ret_name = take_until(&piece, '=');
                *ret_value = piece;
                return true;
        }
        return false;
}

static struct green_http_part
without_quotes(struct green_http_part part)
{
        if (part.len < 2 || part.data[0] != '"' || part.data[part.len - 1] != '"')
                return part;
        return (struct green_http_part){part.data + 1, part.len - 2};
}

bool
green_http_next_cookie(struct green_http_part *rest, struct green_http_part *ret_name,
                       struct green_http_part *ret_value)
{
        while (rest->len > 0) {
                struct green_http_part piece = take_until(rest, ';');
                struct green_http_part whole = piece;
                struct green_http_part name = take_until(&piece, '=');

                /* What has no '=' is a value whose name is empty (RFC 6265bis 5.7). */
                if (name.len == whole.len)
                        continue;
                name = trim(name);
                if (name.len == 0)
                        continue;
                *ret_name = name;
                *ret_value = without_quotes(trim(piece));
                return true;
        }
        return false;
}

/* All up to a comma that is not in quotes. */
static struct green_http_part
take_item(struct green_http_part *rest)
{
        struct green_http_part item = *rest;
        bool quoted = false;
        size_t i;

        for (i = 0; i < rest->len && (quoted || rest->data[i] != ','); i++) {
                if (rest->data[i] == '"')
                        quoted = !quoted;
                else if (quoted && rest->data[i] == '\\' && i + 1 < rest->len)
                        i++;
        }
        item.len = i;
        if (i < rest->len)
                i++;
        rest->data += i;
        rest->len -= i;
        return item;
}

bool
green_http_next_item(struct green_http_part *rest, struct green_http_part *ret_item)
{
        while (rest->len > 0) {
                struct green_http_part item = trim(take_item(rest));

                if (item.len == 0)
                        continue;
                *ret_item = item;
                return true;
        }
        return false;
}
