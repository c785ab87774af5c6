/*
 * The four forms of a request target (RFC 9112 3.2), once all of it is there. Its characters have been checked for a
 * path and a query already (http1_parse.c), strictly only if it begins with '/'.
 */
#include <assert.h>
#include <string.h>

#include "http1_fields_priv.h"

/* Is every '%' the begin of an encoded byte other than NUL? */
static bool
percent_ok(const uint8_t *s, const uint8_t *end)
{
        while ((s = memchr(s, '%', (size_t)(end - s))) != NULL) {
                if (end - s < 3 || !green__http1_is(s[1], GREEN__CHAR_HEX) || !green__http1_is(s[2], GREEN__CHAR_HEX))
                        return false;
                if (s[1] == '0' && s[2] == '0')
                        return false;
                s += 3;
        }
        return true;
}

static bool
all_in(const uint8_t *s, const uint8_t *end, unsigned classes)
{
        while (s != end && (*s == '%' || green__http1_is(*s, classes)))
                s++;
        return s == end;
}

/* Path and query of a target whose path begins at offset path. */
static int
split(struct green__http1 *r, const uint8_t *buf, uint32_t path)
{
        const uint8_t *begin = buf + path, *end = buf + r->target.off + r->target.len;

        green__http1_split(r, path);
        if (!r->percent)
                return 0;
        if (!percent_ok(begin, begin + r->path.len))
                return GREEN__HTTP1_ETARGET;
        return r->lines.limits->strict_target && !percent_ok(begin + r->path.len, end) ? GREEN__HTTP1_ETARGET : 0;
}

static int
set_host(struct green__http1 *r, const uint8_t *buf, uint32_t off, uint32_t end)
{
        size_t host_len;

        if (!green__http1_authority(buf, buf + off, end - off, &host_len, &r->port))
                return GREEN__HTTP1_ETARGET;
        r->host = (struct green__http1_span){off, (uint32_t)host_len};
        return 0;
}

/* http://authority path-abempty [ "?" query ]. Other schemes are no business of an HTTP server. */
static int
absolute(struct green__http1 *r, const uint8_t *buf)
{
        const uint8_t *s = buf + r->target.off, *end = s + r->target.len, *p;

        if (r->target.len > 7 && green__http1_same(s, "http://", 7)) {
                p = s + 7;
        } else if (r->target.len > 8 && green__http1_same(s, "https://", 8)) {
                p = s + 8;
                r->flags |= GREEN__HTTP1_HTTPS;
        } else {
                return GREEN__HTTP1_ETARGET;
        }
        const uint8_t *host = p;
        while (p != end && *p != '/' && *p != '?')
                p++;
        if (r->lines.limits->strict_target && !all_in(p, end, GREEN__CHAR_URI))
                return GREEN__HTTP1_ETARGET;
        r->form = GREEN__HTTP1_ABSOLUTE;
        int err = set_host(r, buf, (uint32_t)(host - buf), (uint32_t)(p - buf));
        return err != 0 ? err : split(r, buf, (uint32_t)(p - buf));
}

int
green__http1_target(struct green__http1 *r, const uint8_t *buf)
{
        const uint8_t *s = buf + r->target.off;

        assert(r->target.len > 0);
        if (r->method == GREEN__HTTP1_CONNECT) {
                r->form = GREEN__HTTP1_AUTHORITY;
                int err = set_host(r, buf, r->target.off, r->target.off + r->target.len);
                return err == 0 && r->port < 0 ? GREEN__HTTP1_ETARGET : err;
        }
        if (*s == '/') {
                r->form = GREEN__HTTP1_ORIGIN;
                return split(r, buf, r->target.off);
        }
        if (*s == '*' && r->target.len == 1) {
                r->form = GREEN__HTTP1_ASTERISK;
                return r->method == GREEN__HTTP1_OPTIONS ? 0 : GREEN__HTTP1_ETARGET;
        }
        return absolute(r, buf);
}
