/*
 * Range requests. See http_range_priv.h.
 */
#include "http_range_priv.h"

#include <string.h>
#include <strings.h>

#include <green/http.h>

enum { NEAR = 80 }; /* bytes between two ranges that are sent rather than the header of one more part */

/* A number, which is as large as it can be where it is larger. False: there is none. */
static bool
number(struct green_http_part *text, uint64_t *ret)
{
        uint64_t n = 0;
        size_t i;

        for (i = 0; i < text->len && text->data[i] >= '0' && text->data[i] <= '9'; i++) {
                uint64_t digit = (uint64_t)(text->data[i] - '0');

                n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
        }
        text->data += i;
        text->len -= i;
        *ret = n;
        return i > 0;
}

/* "1-2", "1-" or "-2". False: it is malformed. A length of 0: there are no such bytes. */
static bool
read_one(struct green_http_part text, uint64_t size, struct green__http_range *ret)
{
        uint64_t first, last = UINT64_MAX;
        bool from = number(&text, &first);

        if (text.len == 0 || *text.data != '-')
                return false;
        text.data++;
        text.len--;
        if (text.len > 0 ? !number(&text, &last) || text.len > 0 : !from)
                return false;
        if (!from) {
                first = last < size ? size - last : 0;
                ret->len = last == 0 ? 0 : size - first;
        } else if (last < first) {
                return false;
        } else {
                ret->len = first >= size ? 0 : last < size ? last - first + 1 : size - first;
        }
        ret->first = first;
        return true;
}

/* Put one where it belongs, so that they are in order. */
static size_t
insert(struct green__http_range *ranges, size_t n, struct green__http_range one)
{
        size_t at = n;

        for (; at > 0 && ranges[at - 1].first > one.first; at--)
                ranges[at] = ranges[at - 1];
        ranges[at] = one;
        return n + 1;
}

static size_t
join(struct green__http_range *ranges, size_t n)
{
        size_t kept = 1;

        for (size_t i = 1; i < n; i++) {
                struct green__http_range *last = &ranges[kept - 1];
                uint64_t end = last->first + last->len, next = ranges[i].first + ranges[i].len;

                if (ranges[i].first > end && ranges[i].first - end > NEAR)
                        ranges[kept++] = ranges[i];
                else if (next > end)
                        last->len = next - last->first;
        }
        return kept;
}

int
green__http_ranges(const char *text, uint64_t size, struct green__http_range ranges[GREEN__RANGES_MAX])
{
        struct green_http_part rest, item;
        size_t n = 0, asked = 0;

        if (strncasecmp(text, "bytes=", 6) != 0)
                return 0;
        rest = (struct green_http_part){text + 6, strlen(text + 6)};
        while (green_http_next_item(&rest, &item)) {
                struct green__http_range one;

                if (asked++ == GREEN__RANGES_MAX || !read_one(item, size, &one))
                        return 0;
                if (one.len > 0)
                        n = insert(ranges, n, one);
        }
        if (n == 0)
                return asked > 0 ? -1 : 0;
        return (int)join(ranges, n);
}
