/*
 * The fields that decide where a request ends and what becomes of its connection. Each is looked at once, when its line
 * is complete; what several lines say together is decided at the end of the head.
 */
#include <assert.h>
#include <string.h>

#include "http1_fields_priv.h"

/* Largest length taken: it fits a signed 64-bit offset. */
#define LENGTH_MAX ((uint64_t)INT64_MAX)

/* Bits of green__http1.codings. */
enum {
        CODING_SEEN = 1,
        CODING_CHUNKED = 2, /* the last one is chunked */
        CODING_UNKNOWN = 4,
        CODING_BAD = 8 /* chunked was not the last, or twice, or the list is malformed */
};

struct text {
        const uint8_t *s, *end;
};

const struct green__http1_name green__http1_names[GREEN__HTTP1_NAME_MAX + 1] = {
        [4] = {"host", GREEN__HTTP1_HOST},
        [6] = {"expect", GREEN__HTTP1_EXPECT},
        [7] = {"upgrade", GREEN__HTTP1_UPGRADE},
        [10] = {"connection", GREEN__HTTP1_CONNECTION},
        [14] = {"content-length", GREEN__HTTP1_CONTENT_LENGTH},
        [17] = {"transfer-encoding", GREEN__HTTP1_TRANSFER_ENCODING},
};

static void
skip_space(struct text *t)
{
        while (t->s != t->end && (*t->s == ' ' || *t->s == '\t'))
                t->s++;
}

/* A token at the begin of t: its length, which is 0 if there is none. t goes behind it. */
static size_t
take_token(struct text *t)
{
        const uint8_t *begin = t->s;

        while (t->s != t->end && green__http1_is(*t->s, GREEN__CHAR_TOKEN))
                t->s++;
        return (size_t)(t->s - begin);
}

static bool
take_quoted(struct text *t)
{
        assert(*t->s == '"');
        for (t->s++; t->s != t->end; t->s++) {
                if (*t->s == '"') {
                        t->s++;
                        return true;
                }
                if (*t->s == '\\' && ++t->s == t->end)
                        return false;
        }
        return false;
}

/* *( OWS ";" OWS name "=" value ), the parameters behind a transfer coding. */
static bool
take_parameters(struct text *t)
{
        for (;;) {
                skip_space(t);
                if (t->s == t->end || *t->s != ';')
                        return true;
                t->s++;
                skip_space(t);
                if (take_token(t) == 0 || t->s == t->end || *t->s++ != '=' || t->s == t->end)
                        return false;
                if (*t->s == '"' ? !take_quoted(t) : take_token(t) == 0)
                        return false;
        }
}

static int
known_host(struct green__http1 *r, const struct green__http1_field *f, const uint8_t *buf)
{
        size_t host_len;
        int32_t port;

        if (r->response)
                return 0;
        if (r->host_seen)
                return GREEN__HTTP1_EHOSTS;
        r->host_seen = true;
        if (!green__http1_authority(buf, buf + f->value, f->value_len, &host_len, &port))
                return GREEN__HTTP1_EHOST;
        if (r->form == GREEN__HTTP1_ORIGIN || r->form == GREEN__HTTP1_ASTERISK) {
                r->host = (struct green__http1_span){f->value, (uint32_t)host_len};
                r->port = port;
        }
        return 0;
}

static int
known_connection(struct green__http1 *r, struct text t)
{
        /* What browsers send, at once. */
        if (t.end - t.s == 10 && green__http1_same_word(t.s, "keep-alive", 10)) {
                r->flags |= GREEN__HTTP1_SAID_KEEP_ALIVE;
                return 0;
        }
        for (;;) {
                const uint8_t *begin;
                size_t n;
                skip_space(&t);
                begin = t.s;
                n = take_token(&t);
                if (n == 5 && green__http1_same(begin, "close", n))
                        r->flags |= GREEN__HTTP1_SAID_CLOSE;
                else if (n == 10 && green__http1_same(begin, "keep-alive", n))
                        r->flags |= GREEN__HTTP1_SAID_KEEP_ALIVE;
                else if (n == 7 && green__http1_same(begin, "upgrade", n))
                        r->flags |= GREEN__HTTP1_SAID_UPGRADE;
                skip_space(&t);
                if (t.s == t.end)
                        return 0;
                if (*t.s++ != ',')
                        return GREEN__HTTP1_ECONNECTION;
        }
}

static int
known_length(struct green__http1 *r, struct green__http1_field *f, struct text t)
{
        uint64_t value = 0;

        if (t.s == t.end)
                return GREEN__HTTP1_ELENGTH;
        for (; t.s != t.end; t.s++) {
                unsigned digit = *t.s - (unsigned)'0';
                if (digit > 9 || value > (LENGTH_MAX - digit) / 10)
                        return GREEN__HTTP1_ELENGTH;
                value = value * 10 + digit;
        }
        if (r->flags & GREEN__HTTP1_HAS_LENGTH) {
                if (value != r->content_length)
                        return GREEN__HTTP1_ELENGTHS;
                f->flags |= GREEN__HTTP1_REPEATED;
        }
        r->content_length = value;
        r->flags |= GREEN__HTTP1_HAS_LENGTH;
        return 0;
}

/* Stricter than the list rule: an empty element is what peers disagree about, so it is refused. */
static void
known_coding(struct green__http1 *r, struct text t)
{
        r->codings |= CODING_SEEN;
        for (;;) {
                const uint8_t *begin;
                size_t n;
                if (r->codings & CODING_CHUNKED)
                        r->codings |= CODING_BAD;
                r->codings &= (uint8_t)~CODING_CHUNKED;
                skip_space(&t);
                begin = t.s;
                n = take_token(&t);
                if (n == 7 && green__http1_same(begin, "chunked", n)) {
                        r->codings |= CODING_CHUNKED;
                } else {
                        r->codings |= CODING_UNKNOWN;
                        if (n == 0 || !take_parameters(&t))
                                r->codings |= CODING_BAD;
                }
                skip_space(&t);
                if (t.s == t.end)
                        return;
                if (*t.s++ != ',') {
                        r->codings |= CODING_BAD;
                        return;
                }
        }
}

/* Expect never makes a request bad: what is not "100-continue" is only noted. */
static void
known_expect(struct green__http1 *r, struct text t)
{
        while (t.s != t.end) {
                const uint8_t *begin, *end;
                skip_space(&t);
                begin = end = t.s;
                while (t.s != t.end && *t.s != ',') {
                        if (*t.s == '"')
                                (void)take_quoted(&t);
                        else
                                t.s++;
                        if (t.s[-1] != ' ' && t.s[-1] != '\t')
                                end = t.s;
                }
                if (end - begin == 12 && green__http1_same(begin, "100-continue", 12))
                        r->flags |= GREEN__HTTP1_EXPECT_100;
                else if (end != begin)
                        r->flags |= GREEN__HTTP1_EXPECT_OTHER;
                if (t.s != t.end)
                        t.s++;
        }
}

int
green__http1_known(struct green__http1 *r, struct green__http1_field *f, const uint8_t *buf)
{
        const uint8_t *value = buf + f->value;
        struct text t = {value, value + f->value_len};

        switch (f->id) {
        case GREEN__HTTP1_HOST:
                return known_host(r, f, buf);
        case GREEN__HTTP1_CONNECTION:
                return known_connection(r, t);
        case GREEN__HTTP1_CONTENT_LENGTH:
                return known_length(r, f, t);
        case GREEN__HTTP1_TRANSFER_ENCODING:
                known_coding(r, t);
                return 0;
        case GREEN__HTTP1_EXPECT:
                known_expect(r, t);
                return 0;
        default:
                assert(f->id == GREEN__HTTP1_UPGRADE);
                if (r->upgrade == UINT16_MAX)
                        r->upgrade = r->lines.count;
                return 0;
        }
}

/* RFC 9112 6.3, in the strict reading throughout. */
static int
decide_framing(struct green__http1 *r)
{
        if ((r->codings & CODING_SEEN) == 0)
                return 0;
        if (r->minor == 0)
                return GREEN__HTTP1_EOLDCODING;
        if (r->flags & GREEN__HTTP1_HAS_LENGTH)
                return GREEN__HTTP1_ECONFLICT;
        if ((r->codings & CODING_BAD) != 0 || (r->codings & CODING_CHUNKED) == 0)
                return GREEN__HTTP1_ECODING;
        if (r->codings & CODING_UNKNOWN)
                return GREEN__HTTP1_EUNKNOWN;
        r->flags |= GREEN__HTTP1_CHUNKED;
        return 0;
}

int
green__http1_decide(struct green__http1 *r)
{
        if (r->minor == 0) {
                /* RFC 9110 10.1.1 and 7.8: such clients cannot have meant it. */
                r->flags &= ~(GREEN__HTTP1_EXPECT_100 | GREEN__HTTP1_EXPECT_OTHER);
                if (r->flags & GREEN__HTTP1_SAID_KEEP_ALIVE)
                        r->flags |= GREEN__HTTP1_KEEP_ALIVE;
        } else {
                if (!r->host_seen && !r->response)
                        return GREEN__HTTP1_ENOHOST;
                if (r->upgrade != UINT16_MAX && (r->flags & GREEN__HTTP1_SAID_UPGRADE) != 0)
                        r->flags |= GREEN__HTTP1_WANTS_UPGRADE;
                r->flags |= GREEN__HTTP1_KEEP_ALIVE;
        }
        if (r->flags & GREEN__HTTP1_SAID_CLOSE)
                r->flags &= ~GREEN__HTTP1_KEEP_ALIVE;
        return decide_framing(r);
}
